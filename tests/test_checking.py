"""docs/interface.md sections 6, 7 and 10, row by row, through the public door."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from made_plans import (
    BANK,
    CITE,
    CRS,
    TH30,
    district,
    layer,
    plan_folder,
    rule,
    sites,
    square,
    worked_example,
)

import ecospatial as es
from ecospatial.plans import seal

ON = "2026-11-20"
UNVERIFIED = CITE | {"verified": False}


def one(folder, site, on=ON):
    """Check one site against one rule and give its finding."""
    found = es.check(site, es.open_plan(folder), on=on)
    assert len(found.frame) == 1
    return found.frame.iloc[0]


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
    assert (row.verdict, row.certain, row.verified) == ("needs_facts", True, False)
    assert (row.distance_m, row.margin_m) == (600, 400)
    assert row.overlap_m2 == pytest.approx(10000)


def test_reason_names_distance_limit_project_effect_and_accuracy(tmp_path):
    folder = worked_example(tmp_path, status="schematic")
    row = one(folder, sites(square(612.4), activity="C26", works="new"))
    for part in ("新孟河岸线", "612.4 m", "控制距离 1000 m", "新建", "禁止", "示意数据", "±150 m"):
        assert part in row.reason
    assert "边界存疑" in one(folder, sites(square(950), activity="C26", works="new")).reason


# ------------------------------------------------------------------------------- section 6, line by line

ZONE = shapely.box(495000, 3515000, 496000, 3516000)


def zone_plan(folder, rules, *, present=None, **keys):
    folder.mkdir(parents=True, exist_ok=True)
    if present is None:
        columns = keys.pop("columns", {"zone_type": ["清水通道维护区"]})
        entry = layer(folder, "control_zone", keys.pop("zone", ZONE), columns=columns, **keys)
    else:
        source = {"publisher": "某局", "title": "管控区", "retrieved": None}
        entry = {"kind": "control_zone", "present": present, "coverage": "district", "source": source}
    return plan_folder(folder, [district(folder), entry], rules)


INSIDE = shapely.box(495400, 3515400, 495500, 3515500)
AWAY = shapely.box(495400, 3517000, 495500, 3517100)
OVER = rule("Z", relation="overlaps", layer="control_zone")
OUT = rule("O", relation="outside", layer="control_zone")


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
    assert (row.verdict, row.certain) == ("clear", True)
    row = one(zone_plan(tmp_path / "b", OUT | cite, present="none"), sites(INSIDE))
    assert (row.verdict, row.certain) == ("prohibited" if verified else "needs_facts", True)
    beyond = shapely.box(509950, 3515000, 510050, 3515100)
    assert one(tmp_path / "a", sites(beyond)).verdict == "no_data"
    assert one(tmp_path / "b", sites(beyond)).verdict == "no_data"


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
    assert one(zone_plan(tmp_path / "a", OVER | {"cite": UNVERIFIED}), sites(AWAY)).verdict == "needs_facts"
    assert one(zone_plan(tmp_path / "b", OVER), sites(AWAY)).verdict == "clear"


# ------------------------------------------------------------------------------------- touched, measures


@pytest.mark.parametrize(
    ("shape", "touched"),
    [
        (shapely.box(496000, 3515000, 496100, 3515100), False),  # a shared edge
        (shapely.box(495999.9999, 3515000, 496100, 3515099.9), False),  # 0.00999 m2
        (shapely.box(495999.9998, 3515000, 496100, 3515100), True),  # 0.02 m2
        (shapely.LineString([(495000, 3515000), (495500, 3515000)]), False),  # along the edge
        (shapely.LineString([(496000, 3515500), (496100, 3515500)]), False),  # ends on the edge
        (shapely.LineString([(495999.998, 3515500), (496100, 3515500)]), True),  # 2 mm inside
        (shapely.Point(496000, 3515500), True),  # on
        (shapely.Point(495500, 3515500), True),  # in
        (shapely.Point(496000.001, 3515500), False),
    ],
)
def test_touched_by_overlap(tmp_path, shape, touched):
    row = one(zone_plan(tmp_path, OVER), sites(shape))
    assert (row.verdict == "prohibited") is touched
    assert bool(row.features == 1) is touched
    assert (row.geometry is not None) is touched


@pytest.mark.parametrize(("d", "touched"), [(999.999, True), (1000, True), (1000.001, False)])
def test_near_at_the_exact_distance(tmp_path, d, touched):
    row = one(worked_example(tmp_path), sites(shapely.Point(500000 + d, 3520000), activity="C26", works="new"))
    assert (row.verdict == "prohibited") is touched
    assert row.distance_m == pytest.approx(d)


def test_a_point_inside_the_limit_but_outside_a_drawn_circle(tmp_path):
    # 998.9 m from a point feature lies outside a 64-gon of 1000 m; the distance decides.
    entry = layer(
        tmp_path,
        "sewage_plant",
        shapely.Point(500000, 3520000),
        columns={"plant": ["甲"]},
        coverage="district+5000",
    )
    folder = plan_folder(tmp_path, [district(tmp_path), entry], rule("N", layer="sewage_plant"))
    angle = np.pi / 64
    shape = shapely.Point(500000 + 998.9 * np.cos(angle), 3520000 + 998.9 * np.sin(angle))
    assert one(folder, sites(shape)).verdict == "prohibited"


def test_between_the_banks_the_distance_is_zero(tmp_path):
    water = shapely.box(499950, 3505000, 500050, 3535000)
    tmp_path.mkdir(exist_ok=True)
    entry = layer(tmp_path, "bank_line", water, columns={"river": ["新孟河"]}, coverage="district+5000")
    folder = plan_folder(tmp_path, [district(tmp_path), entry], TH30)
    row = one(folder, sites(shapely.box(499990, 3520000, 500010, 3520010), activity="C26", works="new"))
    assert (row.verdict, row.distance_m, row.margin_m) == ("prohibited", 0, 1000)
    assert row.overlap_m2 == pytest.approx(200)


def test_inside_the_banks_can_not_be_told_from_lines(tmp_path):
    banks = [BANK, shapely.LineString([(500100, 3505000), (500100, 3535000)])]
    entry = layer(tmp_path, "bank_line", banks, columns={"river": ["新孟河"] * 2}, coverage="district+5000")
    folder = plan_folder(tmp_path, [district(tmp_path), entry], rule("IN", within_m=0))
    row = one(folder, sites(shapely.box(500040, 3520000, 500060, 3520010)))
    assert row.verdict == "no_data"
    assert "两岸之间" in row.reason


def test_overlapping_zones_count_each_spot_once(tmp_path):
    half = shapely.box(495450, 3515000, 496000, 3516000)
    columns = {"zone_type": ["清水通道维护区", "森林公园"], "feature_name": ["大", "小"]}
    row = one(zone_plan(tmp_path, OVER, zone=[ZONE, half], columns=columns), sites(INSIDE))
    assert row.overlap_m2 == pytest.approx(10000)
    assert row.overlap_share == pytest.approx(1)
    assert (row.features, row.feature_name) == (2, "大")


def test_the_deciding_feature_is_the_largest_overlap(tmp_path):
    west, east = shapely.box(495000, 3515000, 495430, 3516000), shapely.box(495430, 3515000, 496000, 3516000)
    columns = {"zone_type": ["清水通道维护区"] * 2, "feature_id": ["w", "e"]}
    row = one(zone_plan(tmp_path, OVER, zone=[west, east], columns=columns), sites(INSIDE))
    assert (row.feature_id, row.features) == ("e", 2)
    assert row.overlap_m2 == pytest.approx(10000)
    # The edge the two zones share is no way out: the depth is that of the two together.
    assert row.margin_m == pytest.approx(500, rel=0.01)


def test_overlap_depth_is_the_margin_of_a_hit_and_distance_of_a_miss(tmp_path):
    folder = zone_plan(tmp_path, OVER, accuracy_m=30)
    row = one(folder, sites(shapely.box(495980, 3515500, 496080, 3515600)))  # 20 m deep
    assert row.margin_m == pytest.approx(20, rel=0.01)
    assert (row.verdict, row.certain) == ("prohibited", False)
    row = one(folder, sites(shapely.box(496040, 3515500, 496140, 3515600)))
    assert (row.verdict, row.certain, row.margin_m, row.distance_m) == ("clear", True, 40, 40)
    row = one(folder, sites(shapely.box(496040, 3515500, 496140, 3515600), accuracy_m=20))
    assert (row.verdict, row.certain) == ("clear", False)


def test_unknown_accuracy_is_never_certain(tmp_path):
    folder = zone_plan(tmp_path, OVER, accuracy_m=None)
    assert not one(folder, sites(INSIDE)).certain
    assert not one(folder, sites(AWAY)).certain


def test_outside_measures_the_part_not_covered(tmp_path):
    folder = zone_plan(tmp_path, OUT)
    row = one(folder, sites(shapely.box(495950, 3515000, 496050, 3515100)))
    assert (row.verdict, row.features) == ("prohibited", 1)
    assert row.overlap_m2 == pytest.approx(5000)
    assert row.margin_m == pytest.approx(50, rel=0.01)
    row = one(folder, sites(INSIDE))
    assert (row.verdict, row.margin_m, row.distance_m, row.overlap_m2) == ("clear", 400, 0, 0)
    row = one(folder, sites(shapely.box(505000, 3520000, 505100, 3520100)))
    assert row.verdict == "prohibited"
    assert row.overlap_m2 == pytest.approx(10000)
    assert empty(row.distance_m)
    assert one(folder, sites(shapely.LineString([(495100, 3515100), (495900, 3515100)]))).verdict == "clear"
    assert one(folder, sites(shapely.LineString([(495000, 3515000), (496000, 3515000)]))).verdict == "clear"
    assert one(folder, sites(shapely.LineString([(495900, 3515100), (496100, 3515100)]))).overlap_length_m == 100
    assert one(folder, sites(shapely.Point(496000, 3515000))).verdict == "clear"
    assert one(folder, sites(shapely.Point(496001, 3515000))).verdict == "prohibited"


def test_distance_is_searched_to_a_kilometre_past_the_limit(tmp_path):
    folder = worked_example(tmp_path)
    assert one(folder, sites(square(2000), activity="C26", works="new")).distance_m == 2000
    row = one(folder, sites(square(2000.5), activity="C26", works="new"))
    assert (row.verdict, row.certain, row.reason) == (
        "clear",
        True,
        "周边 2000 m 内没有新孟河、望虞河、太浦河岸线",
    )
    assert empty(row.distance_m)
    assert empty(row.margin_m)
    wide = worked_example(tmp_path / "wide", accuracy_m=3000)
    row = one(wide, sites(square(3500), activity="C26", works="new"))
    assert (row.distance_m, row.margin_m, row.certain) == (3500, 2500, False)


def test_lines_and_points_are_sites(tmp_path):
    pipe = shapely.LineString([(499000, 3520000), (504000, 3520000)])
    found = es.check(
        sites(pipe, BANK.interpolate(100), activity="C26", works="new"),
        es.open_plan(worked_example(tmp_path)),
        on=ON,
    )
    line, point = found.frame.iloc[0], found.frame.iloc[1]
    assert (line.verdict, line.distance_m) == ("prohibited", 0)
    assert line.overlap_length_m == pytest.approx(2000, abs=0.2)
    assert line.overlap_share == pytest.approx(0.4, abs=1e-3)
    assert found.summary.length_m.tolist() == [5000, 0]
    assert point.verdict == "prohibited"
    assert empty(point.overlap_length_m)


# -------------------------------------------------------------------------------------- several layers


def test_layers_of_a_kind_are_read_together(tmp_path):
    other = shapely.LineString([(503000, 3505000), (503000, 3535000)])
    entries = [
        district(tmp_path),
        layer(tmp_path, "bank_line", BANK, name="a", columns={"river": ["新孟河"]}, coverage="district+5000"),
        layer(
            tmp_path,
            "bank_line",
            other,
            name="b",
            columns={"river": ["望虞河"]},
            coverage="district+5000",
            accuracy_m=7,
        ),
    ]
    folder = plan_folder(tmp_path, entries, TH30)
    row = one(folder, sites(square(2500), activity="C26", works="new"))
    assert (row.layer, row.layer_accuracy_m, row.distance_m, row.feature_name) == ("b", 7, 400, "望虞河")
    assert one(folder, sites(square(600), activity="C26", works="new")).layer == "a"


def test_a_gap_beside_a_held_layer_never_clears_but_still_hits(tmp_path):
    missing = {"kind": "bank_line", "name": "rest", "present": "missing", "source": {"publisher": "水利局"}}
    entries = [
        district(tmp_path),
        layer(tmp_path, "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000"),
        missing,
    ]
    folder = plan_folder(tmp_path, entries, TH30)
    assert one(folder, sites(square(600), activity="C26", works="new")).verdict == "prohibited"
    row = one(folder, sites(square(3000), activity="C26", works="new"))
    assert row.verdict == "no_data"
    assert "水利局" in row.reason


def test_only_the_version_of_a_layer_that_stands_on_the_day_counts(tmp_path):
    old = layer(
        tmp_path,
        "control_zone",
        ZONE,
        name="old",
        columns={"zone_type": ["x"]},
        valid={"from": None, "to": "2025-12-31"},
    )
    new = layer(
        tmp_path, "control_zone", shapely.box(498000, 3515000, 499000, 3516000), name="new",
        columns={"zone_type": ["x"]}, valid={"from": "2026-01-01", "to": None},
    )  # fmt: skip
    folder = plan_folder(tmp_path, [district(tmp_path), old, new], OVER)
    assert one(folder, sites(INSIDE), on="2025-12-31").verdict == "prohibited"
    assert one(folder, sites(INSIDE), on="2026-01-01").verdict == "clear"


@pytest.mark.parametrize(
    ("listed", "removed", "verdict"),
    [
        (None, None, "prohibited"),
        ("2026-11-20", None, "prohibited"),
        ("2026-11-21", None, "clear"),
        (None, "2026-11-21", "prohibited"),
        (None, "2026-11-20", "clear"),
    ],
)
def test_a_parcel_counts_while_it_is_listed(tmp_path, listed, removed, verdict):
    columns = {"listed_on": [listed], "removed_on": [removed]}
    entry = layer(tmp_path, "contaminated_parcel", ZONE, columns=columns)
    folder = plan_folder(tmp_path, [district(tmp_path), entry], OVER | {"layer": "contaminated_parcel"})
    assert one(folder, sites(INSIDE)).verdict == verdict


def test_the_reason_names_the_special_law(tmp_path):
    rules = [OVER | {"yields_to": ["TH30-6", "GONE"]}, TH30]
    (tmp_path / "x").mkdir()
    entries = [
        district(tmp_path / "x"),
        layer(tmp_path / "x", "control_zone", ZONE, columns={"zone_type": ["x"]}),
        layer(tmp_path / "x", "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000"),
    ]
    folder = plan_folder(tmp_path / "x", entries, rules)
    found = es.check(sites(INSIDE), es.open_plan(folder), on=ON).frame
    assert found.verdict.tolist() == ["prohibited", "clear"]
    assert "TH30-6" in found.reason[0]
    assert "GONE" not in found.reason[0]


# --------------------------------------------------------------------------------- frame and summary

COLUMNS = [
    "site_id", "site_name", "rule_id", "rule_title", "instrument", "article", "verdict", "certain", "margin_m",
    "distance_m", "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m", "feature_id",
    "feature_name", "features", "layer", "layer_status", "layer_accuracy_m", "layer_sha256", "reason", "verified",
    "geometry",
]  # fmt: skip


@pytest.fixture(name="plan")
def _plan(tmp_path):
    rules = [
        TH30,
        rule("R2", effect="restricted", within_m=100),
        rule("C", layer="canal_zone", relation="overlaps"),
    ]
    return es.open_plan(worked_example(tmp_path, rules))


def test_one_row_for_every_site_and_rule_in_order(plan):
    found = es.check(
        sites(square(600), square(50), square(5000), ids=["乙", "甲", "丙"], activity="C26", works="new"),
        plan,
        on=ON,
    )
    frame = found.frame
    assert list(frame.columns[: len(COLUMNS)]) == COLUMNS
    assert frame.site_id.tolist() == ["乙"] * 3 + ["甲"] * 3 + ["丙"] * 3
    assert frame.rule_id.tolist() == ["TH30-6", "R2", "C"] * 3
    assert frame.index.equals(pd.RangeIndex(9))
    assert frame.crs == plan.crs
    order = ["not_applicable", "clear", "restricted", "needs_facts", "no_data", "prohibited"]
    assert frame.verdict.cat.ordered
    assert frame.verdict.cat.categories.tolist() == order
    assert (frame.verdict >= "restricted").sum() == 6
    assert frame.certain.dtype == bool
    assert frame.verified.dtype == bool


def test_summary_headlines_and_counts(plan):
    shapes = [square(600), square(5000), square(50)]
    summary = es.check(sites(*shapes, activity=["C26", "C26", "K70"], works="new"), plan, on=ON).summary
    assert summary.verdict.tolist() == ["prohibited", "no_data", "no_data"]
    assert summary.decided.tolist() == ["prohibited", "clear", "restricted"]
    assert summary.certain.tolist() == [True, False, False]
    counts = ["n_prohibited", "n_no_data", "n_needs_facts", "n_restricted", "n_clear", "n_not_applicable"]
    assert summary[counts].to_numpy().tolist() == [[1, 1, 0, 0, 1, 0], [0, 1, 0, 0, 2, 0], [0, 1, 0, 1, 0, 1]]
    assert summary.area_m2.tolist() == pytest.approx([10000] * 3)
    assert summary.area_ellipsoidal_m2.tolist() == pytest.approx([10000] * 3, rel=1e-4)
    assert summary.index.name == "site_id"


def test_at_least_keeps_the_counts(plan):
    kept = es.check(sites(square(600), activity="C26", works="new"), plan, on=ON, at_least="no_data")
    assert kept.frame.verdict.tolist() == ["prohibited", "no_data"]
    assert kept.frame.index.equals(pd.RangeIndex(2))
    assert kept.summary.n_clear.tolist() == [1]


def test_a_plan_without_rules_is_no_data(tmp_path):
    found = es.check(sites(square(600)), es.open_plan(worked_example(tmp_path, [])), on=ON)
    assert found.frame.empty
    assert found.summary.verdict.tolist() == ["no_data"]
    assert found.summary.decided.isna().all()


def test_arguments_are_not_changed_and_any_frame_will_do(plan):
    given = sites(square(600), activity="C26", works="new").to_crs(4490)
    before = given.copy(deep=True)
    found = es.check(given, plan, on=dt.date(2026, 11, 20))
    assert given.equals(before)
    assert found.frame.verdict[0] == "prohibited"
    assert found.frame.distance_m[0] == pytest.approx(600, abs=1e-3)
    with pytest.raises(es.CrsError):
        es.check(given.set_crs(None, allow_override=True), plan, on=ON)


@pytest.mark.parametrize("keys", [{"on": "2026-13-01"}, {"on": "20261120"}, {"at_least": "bad"}])
def test_bad_options(plan, keys):
    with pytest.raises(es.SiteError):
        es.check(sites(square(600)), plan, **keys)


def test_read_rules(plan):
    table = es.read_rules(plan, on=ON)
    assert table.index.tolist() == ["TH30-6", "R2", "C"]
    assert table.loc["TH30-6", ["within_m", "article", "verified"]].tolist() == [1000, "第一条", True]
    assert table.in_force.all()
    assert not es.read_rules(plan, on="2011-10-31").in_force.any()
