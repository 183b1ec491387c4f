"""docs/interface.md sections 6 and 10, row by row, through the public door."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from made_plans import (
    AWAY,
    CITE,
    CRS,
    INSIDE,
    OUT,
    OVER,
    TH30,
    ZONE,
    district,
    layer,
    one,
    plan_folder,
    rule,
    sites,
    square,
    worked_example,
    zone_plan,
)

import ecospatial as es
from ecospatial.plans import seal

ON = "2026-11-20"
UNVERIFIED = CITE | {"verified": False}


def empty(value):
    return value is None or pd.isna(value)


# ------------------------------------------------------------------------------- section 10, row by row


@pytest.mark.parametrize(
    ("d", "activity", "verdict", "certain", "distance", "margin", "overlap"),
    [
        (600, "C26", "prohibited", True, 600, 400, 10000),
        (950, "C2614", "prohibited", False, 950, 50, 5000),
        (1000, "C26", "prohibited", False, 1000, 0, 0),
        (1400, "C26", "clear", True, 1400, 400, 0),
        (600, "K70", "not_applicable", True, None, None, None),
        (600, None, "needs_facts", True, 600, 400, 10000),
        (14500, "C26", "no_data", False, None, None, 0),
    ],
)
def test_worked_example(tmp_path, d, activity, verdict, certain, distance, margin, overlap):
    row = one(worked_example(tmp_path), sites(square(d), activity=activity, works="new"))
    assert (row.verdict, row.certain) == (verdict, certain)
    for value, expected, tolerance in (
        (row.distance_m, distance, 1e-6),
        (row.margin_m, margin, 1e-6),
        (row.overlap_m2, overlap, 10),
    ):
        assert empty(value) if expected is None else value == pytest.approx(expected, abs=tolerance)


def test_worked_example_before_the_law(tmp_path):
    row = one(worked_example(tmp_path), sites(square(600), activity="C26", works="new"), on="2011-10-31")
    assert (row.verdict, row.certain) == ("not_applicable", True)
    assert empty(row.distance_m)


def test_worked_example_with_one_byte_changed(tmp_path):
    folder = worked_example(tmp_path)
    seal(es.open_plan(folder))
    path = folder / "bank_line.gpkg"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    row = one(folder, sites(square(600), activity="C26", works="new"))
    assert (row.verdict, row.certain) == ("no_data", False)
    assert empty(row.distance_m)
    assert "sha256" in row.reason


def test_worked_example_unverified(tmp_path):
    folder = worked_example(tmp_path, TH30 | {"cite": UNVERIFIED})
    row = one(folder, sites(square(600), activity="C26", works="new"))
    assert (row.verdict, row.certain, row.verified) == ("unsettled", False, False)
    assert (row.distance_m, row.margin_m) == (600, 400)
    assert row.overlap_m2 == pytest.approx(10000)


def test_reason_names_distance_limit_project_effect_and_accuracy(tmp_path):
    folder = worked_example(tmp_path, status="schematic")
    row = one(folder, sites(square(612.4), activity="C26", works="new"))
    for part in ("新孟河岸线", "612.4 m", "控制距离 1000 m", "新建", "禁止", "示意数据", "±150 m"):
        assert part in row.reason
    assert "示意：须以正式图层核定（距判定界线 50.0 m）" in one(
        folder, sites(square(950), activity="C26", works="new")
    ).reason


# ------------------------------------------------------------------------------- section 6, line by line


def test_line_1_not_in_force(tmp_path):
    ended = OVER | {"until": "2026-11-19"}
    assert one(zone_plan(tmp_path / "a", ended), sites(INSIDE)).verdict == "not_applicable"
    assert one(zone_plan(tmp_path / "b", ended), sites(INSIDE), on="2026-11-19").verdict == "prohibited"
    assert one(zone_plan(tmp_path / "c", ended), sites(INSIDE), on="2011-11-01").verdict == "prohibited"
    assert one(zone_plan(tmp_path / "d", ended), sites(INSIDE), on="2011-10-31").verdict == "not_applicable"


def test_line_1_a_later_version_follows_with_the_same_id(tmp_path):
    versions = [OVER | {"until": "2025-12-31"}, OVER | {"since": "2026-01-01", "effect": "restricted"}]
    folder = zone_plan(tmp_path, versions)
    assert one(folder, sites(INSIDE), on="2025-12-31").verdict == "prohibited"
    assert one(folder, sites(INSIDE), on="2026-01-01").verdict == "restricted"


@pytest.mark.parametrize(
    ("when", "columns", "verdict"),
    [
        ({"works": ["new"]}, {"works": "existing"}, "not_applicable"),
        ({"works": ["new"]}, {"works": None}, "needs_facts"),
        ({"works": ["new"]}, {"works": "new"}, "prohibited"),
        ({"activity": ["C26"]}, {"activity": "C"}, "needs_facts"),
        ({"activity": ["C26"]}, {"activity": "C2614"}, "prohibited"),
        ({"activity": ["C26"]}, {"activity": "C27"}, "not_applicable"),
        ({"activity": ["C26"]}, {"activity": "K70;C2614"}, "prohibited"),
        ({"activity": ["C26"], "works": ["new"]}, {"activity": "K70"}, "not_applicable"),  # no beats unknown
        ({"discharges_to_water": True}, {"discharges_to_water": False}, "not_applicable"),
        ({"discharges_to_water": True}, {"discharges_to_water": None}, "needs_facts"),
        ({"discharges_to_water": False}, {"discharges_to_water": False}, "prohibited"),
        ({"discharges_to_water": False}, {"discharges_to_water": None}, "needs_facts"),
        ([{"works": ["existing"]}, {"stores_hazardous": True}], {"works": "new"}, "needs_facts"),
        ([{"works": ["new"]}, {"stores_hazardous": True}], {"works": "new"}, "prohibited"),
        ({"land_use": ["07"]}, {"land_use": "0701"}, "prohibited"),
        ({"land_use": ["0701"]}, {"land_use": "07"}, "needs_facts"),
        ({"land_use": ["07"]}, {"land_use": "1001"}, "not_applicable"),
        ({"land_use": ["07"]}, {"land_use": "城镇住宅用地"}, "prohibited"),
        ({"land_use": ["0801"]}, {"land_use": "公共管理与公共服务用地"}, "needs_facts"),
        ({"land_use": ["07"]}, {"land_use": "工业用地"}, "not_applicable"),
        ({"land_use": ["07"]}, {"land_use": "某种用地"}, "needs_facts"),
    ],
)
def test_line_2_and_5_three_valued_conditions(tmp_path, when, columns, verdict):
    assert one(zone_plan(tmp_path, OVER | {"when": when}), sites(INSIDE, **columns)).verdict == verdict


def test_facts_are_asked_only_where_the_geometry_is_touched(tmp_path):
    folder = zone_plan(tmp_path, OVER | {"when": {"discharges_to_water": True}})
    assert one(folder, sites(AWAY)).verdict == "clear"
    reason = one(folder, sites(INSIDE)).reason
    assert "缺少项目信息" in reason
    assert "向水体排污" in reason


@pytest.mark.parametrize("verified", [True, False])
def test_line_3_known_not_to_exist(tmp_path, verified):
    cite = {} if verified else {"cite": UNVERIFIED}
    row = one(zone_plan(tmp_path / "a", OVER | cite, present="none"), sites(INSIDE))
    assert (row.verdict, row.certain, row.touched) == ("clear" if verified else "unsettled", verified, False)
    row = one(zone_plan(tmp_path / "b", OUT | cite, present="none"), sites(INSIDE))
    assert (row.verdict, row.certain, row.touched) == ("prohibited" if verified else "unsettled", verified, True)
    beyond = shapely.box(509950, 3515000, 510050, 3515100)
    for folder in (tmp_path / "a", tmp_path / "b"):
        row = one(folder, sites(beyond))
        assert row.verdict == ("no_data" if verified else "unsettled")
        assert empty(row.touched)


def test_line_4_missing_unlisted_unreadable_or_not_valid(tmp_path):
    row = one(zone_plan(tmp_path / "a", OVER, present="missing"), sites(INSIDE))
    assert (row.verdict, row.certain) == ("no_data", False)
    assert "某局" in row.reason
    (tmp_path / "b").mkdir()
    assert one(plan_folder(tmp_path / "b", [district(tmp_path / "b")], OVER), sites(INSIDE)).verdict == "no_data"
    folder = zone_plan(tmp_path / "c", OVER)
    (folder / "control_zone.gpkg").write_bytes(b"not a database")
    assert one(folder, sites(INSIDE)).verdict == "no_data"
    folder = zone_plan(tmp_path / "d", OVER, valid={"from": "2026-12-01", "to": None})
    assert one(folder, sites(INSIDE)).verdict == "no_data"
    assert one(folder, sites(INSIDE), on="2026-12-01").verdict == "prohibited"
    folder = zone_plan(tmp_path / "e", OVER)
    (folder / "control_zone.gpkg").unlink()
    assert one(folder, sites(INSIDE)).verdict == "no_data"


def test_line_5_empty_where_column_may_match(tmp_path):
    where = OVER | {"where": {"zone_type": ["森林公园"]}}
    known = shapely.box(495450, 3515000, 496000, 3516000)
    shapes = [ZONE, known]
    columns = {"zone_type": ["清水通道维护区", "森林公园"]}
    row = one(zone_plan(tmp_path / "a", where, zone=shapes, columns=columns), sites(INSIDE))
    assert row.verdict == "prohibited"
    assert row.overlap_m2 == pytest.approx(5000)
    part = rule("P", relation="overlaps", layer="urban_boundary", where={"part": ["集中建设区"]})
    (tmp_path / "b").mkdir()
    entry = layer(tmp_path / "b", "urban_boundary", [ZONE, known], columns={"part": [None, "弹性发展区"]})
    row = one(plan_folder(tmp_path / "b", [district(tmp_path / "b"), entry], part), sites(INSIDE))
    assert row.verdict == "needs_facts"
    assert row.overlap_m2 == pytest.approx(10000)
    assert "part" in row.reason
    assert one(tmp_path / "b", sites(AWAY)).verdict == "clear"


def test_line_5_outside_a_doubtful_feature_is_doubtful(tmp_path):
    part = rule("P", relation="outside", layer="urban_boundary", where={"part": ["集中建设区"]})
    entry = layer(tmp_path, "urban_boundary", ZONE, columns={"part": [None]})
    folder = plan_folder(tmp_path, [district(tmp_path), entry], part)
    assert one(folder, sites(INSIDE)).verdict == "needs_facts"
    assert one(folder, sites(AWAY)).verdict == "prohibited"


@pytest.mark.parametrize(
    ("fact", "effect_unless", "verdict"),
    [
        (True, "restricted", "restricted"),
        (True, "not_applicable", "not_applicable"),
        (None, "restricted", "prohibited"),  # an exception must be claimed
        (False, "restricted", "prohibited"),
    ],
)
def test_line_6_unless(tmp_path, fact, effect_unless, verdict):
    claimed = OVER | {"unless": {"national_key_project": True}, "effect_unless": effect_unless}
    row = one(zone_plan(tmp_path, claimed), sites(INSIDE, national_key_project=fact))
    assert row.verdict == verdict


@pytest.mark.parametrize("effect", ["prohibited", "restricted"])
def test_line_7_a_hit_is_a_hit_without_coverage(tmp_path, effect):
    folder = zone_plan(tmp_path, OVER | {"effect": effect}, coverage="unknown")
    assert one(folder, sites(INSIDE)).verdict == effect


def test_line_8_coverage_must_hold_the_site_and_the_distance(tmp_path):
    folder = worked_example(tmp_path / "a", coverage="district+1000", rules=rule("N", where={"river": ["新孟河"]}))
    edge = shapely.box(509900, 3520000, 510000, 3520100)  # touches the border of the district
    assert one(folder, sites(edge)).verdict == "clear"
    past = shapely.box(509901, 3520000, 510001, 3520100)
    assert one(folder, sites(past)).verdict == "no_data"
    assert one(zone_plan(tmp_path / "b", OVER, coverage="unknown"), sites(AWAY)).verdict == "no_data"
    assert one(zone_plan(tmp_path / "c", OVER, coverage="extent"), sites(AWAY)).verdict == "no_data"


def test_line_8_coverage_from_a_polygon_file(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    held = gpd.GeoDataFrame(geometry=[shapely.box(494000, 3514000, 498000, 3518000)], crs=CRS)
    held.to_file(tmp_path / "held.gpkg", driver="GPKG")
    folder = zone_plan(tmp_path, OVER, coverage="held.gpkg")
    assert one(folder, sites(AWAY)).verdict == "clear"
    assert one(folder, sites(shapely.box(497950, 3517000, 498050, 3517100))).verdict == "no_data"


def test_line_8_corner_of_a_rounded_coverage(tmp_path):
    # The corner of the coverage is an arc: a site in the corner of the district has exactly 1000 m around it.
    folder = worked_example(tmp_path, coverage="district+1000", rules=rule("N", where={"river": ["新孟河"]}))
    corner = shapely.box(509900, 3529900, 510000, 3530000)
    assert one(folder, sites(corner)).verdict == "clear"


def test_line_9_and_10(tmp_path):
    assert one(zone_plan(tmp_path / "a", OVER | {"cite": UNVERIFIED}), sites(AWAY)).verdict == "unsettled"
    assert one(zone_plan(tmp_path / "b", OVER), sites(AWAY)).verdict == "clear"
