"""一张底图: the pieces make up the district, and each says what a site in it would be told."""

from __future__ import annotations

import importlib
import sqlite3

import geopandas as gpd
import made_audits
import numpy as np
import pytest
import shapely
from made_audits import CRS, EAST, NORTH, ON, SOUTH, WEST, sound
from made_plans import CITE, rule
from project_paths import SCRIPTS
from shapely import LineString, box

import ecospatial as es
from ecospatial.checks.control_overlay import area_by_verdict, base_map
from ecospatial.checks.control_overlay_files import draw_base_map, write_base_map
from ecospatial.errors import PlanError, SiteError
from ecospatial.maps import to_html

FARM = rule("FARM", relation="overlaps", layer="basic_farmland")
RED = rule("RED", relation="overlaps", layer="eco_redline", effect="restricted")
OUT = rule("OUT", relation="outside", layer="urban_boundary", when={"activity": ["C"]})
RIVER = rule("RIVER", where={"river": ["北河"]}, within_m=1000, when={"activity": ["C26"], "works": ["new"]})


def plan(folder, *rules, bank=True, **changes):
    """The sound plan, with a bank line from south to north at x = 508 000 that is known to 5 km beyond the district."""
    more = []
    if bank:
        folder.mkdir(parents=True, exist_ok=True)
        line = LineString([(508000, SOUTH - 5000), (508000, NORTH + 5000)])
        made_audits.write(folder, "bank.gpkg", [line], river=["北河"])
        more = [made_audits.entry("bank_line", "bank.gpkg", coverage="district+5000")]
    return es.open_plan(sound(folder, rules=rules, more=more, **changes))


def areas(pieces, column="verdict"):
    return area_by_verdict(pieces, column=column)["area_m2"].to_dict()


def test_the_columns_that_are_promised(tmp_path):
    pieces = es.base_map(plan(tmp_path, FARM), activity="C26", on=ON)
    assert list(pieces.columns[:5]) == ["piece_id", "verdict", "decided", "rule_ids", "reason"]
    assert {"area_m2", "area_ellipsoidal_m2", "geometry"} <= set(pieces.columns)
    assert pieces.crs == CRS
    assert pieces["piece_id"].is_unique
    assert pieces.attrs["on"] == ON


def test_areas_by_arithmetic(tmp_path):
    # 6 km2 of farmland, 2 km2 of red line, 2 km of 10 km beside the river.
    pieces = base_map(plan(tmp_path, FARM, RED, RIVER), activity="C26", on=ON)
    assert areas(pieces) == pytest.approx({"prohibited": 6e6 + 20e6, "restricted": 2e6, "clear": 72e6})
    rivers = pieces[pieces["rule_ids"] == "RIVER"]
    assert shapely.union_all(rivers.geometry.to_numpy()).equals(box(507000, SOUTH, 509000, NORTH))
    farms = pieces[pieces["rule_ids"] == "FARM"]
    assert farms["area_m2"].sum() == pytest.approx(6e6)
    assert farms["reason"].str.contains("判定不通过：FARM").all()


def test_neighbours_with_the_same_answer_are_one_piece(tmp_path):
    # F1 and F2 share an edge and a rule.
    pieces = base_map(plan(tmp_path, FARM), on=ON)
    assert pieces["area_m2"].tolist() == pytest.approx([6e6, 94e6])
    assert pieces["verdict"].tolist() == ["prohibited", "clear"]


def test_outside_is_the_rest(tmp_path):
    pieces = base_map(plan(tmp_path, OUT), activity="C26", on=ON)
    assert areas(pieces) == pytest.approx({"prohibited": 76e6, "clear": 24e6})
    assert base_map(plan(tmp_path, OUT), activity="K70", on=ON)["verdict"].tolist() == ["not_applicable"]


def test_an_unknown_activity_leaves_it_open(tmp_path):
    pieces = base_map(plan(tmp_path, RIVER, FARM), on=ON)
    assert areas(pieces) == pytest.approx({"prohibited": 6e6, "needs_facts": 20e6, "clear": 74e6})
    assert areas(pieces, "decided") == pytest.approx({"prohibited": 6e6, "clear": 94e6})


def test_overlapping_controls_keep_every_rule(tmp_path):
    red = {"eco_redline": [box(500200, 3521000, 502300, 3523000)]}
    pieces = base_map(plan(tmp_path, FARM, RED, **red), on=ON)
    both = pieces[pieces["rule_ids"] == "FARM;RED"]
    assert both["area_m2"].sum() == pytest.approx(100 * 2000)
    assert both["verdict"].tolist() == ["prohibited"]


def test_a_missing_layer_is_no_data_everywhere_and_never_clear(tmp_path):
    pieces = base_map(plan(tmp_path, FARM, RIVER, bank=False), activity="C26", on=ON)
    assert areas(pieces) == pytest.approx({"prohibited": 6e6, "no_data": 94e6})
    assert "岸线" in pieces["reason"].iloc[-1]
    assert pieces["decided"].isna().sum() == 0  # the farmland rule decides


def test_where_the_coverage_ends_the_answer_changes(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    line = LineString([(508000, SOUTH - 5000), (508000, NORTH + 5000)])
    made_audits.write(folder, "bank.gpkg", [line], river=["北河"])
    more = [made_audits.entry("bank_line", "bank.gpkg", coverage="district")]
    pieces = base_map(es.open_plan(sound(folder, rules=[RIVER], more=more)), activity="C26", on=ON)
    # A hit is a hit; but within 1 km of the border a bank beyond it would not be known.
    strip = box(507000, SOUTH, 509000, NORTH)
    known = box(WEST + 1000, SOUTH + 1000, EAST - 1000, NORTH - 1000) - strip
    assert areas(pieces) == pytest.approx(
        {"prohibited": 20e6, "clear": known.area, "no_data": 80e6 - known.area}, rel=1e-5
    )


def test_an_empty_class_may_be_the_one(tmp_path):
    red = rule("ZONE", relation="overlaps", layer="urban_boundary", where={"part": ["集中建设区"]})
    halves = [box(506500, 3521000, 508000, 3529000), box(508000, 3521000, 509500, 3529000)]
    pieces = base_map(plan(tmp_path, red, urban_boundary=(halves, {"part": ["集中建设区", None]})), on=ON)
    assert areas(pieces) == pytest.approx({"prohibited": 12e6, "needs_facts": 12e6, "clear": 76e6})


def test_a_stretch_along_a_river_is_laid_out(tmp_path):
    rules = [rule("WATER", relation="along_river", layer="intake", within_m=..., upstream_m=1000, downstream_m=100)]
    folder = tmp_path / "p"
    folder.mkdir()
    flows = LineString([(501000, 3529000), (501000, 3521000)])
    made_audits.write(folder, "c.gpkg", [flows], river=["甲河"], width_m=[100.0])
    made_audits.write(folder, "b.gpkg", [box(500950, 3521000, 501050, 3529000)], river=["甲河"])
    made_audits.write(folder, "i.gpkg", [shapely.Point(501000, 3525000)], source_name=["甲"], river=["甲河"])
    kinds = {"river_centreline": "c.gpkg", "bank_line": "b.gpkg", "intake": "i.gpkg"}
    more = [made_audits.entry(kind, path, coverage="district+5000") for kind, path in kinds.items()]
    made = es.open_plan(sound(folder, rules=rules, more=more))
    pieces = base_map(made, on=ON)
    # 1 km of water upstream and 100 m downstream, 100 m wide.
    assert areas(pieces)["prohibited"] == pytest.approx(1100 * 100, rel=1e-3)
    agree(made, pieces, scattered(made, 300, 3), works="new")


def test_facts_are_asked(tmp_path):
    pipe = rule("PIPE", relation="overlaps", layer="eco_redline", when={"new_outfall": True})
    made = plan(tmp_path, pipe)
    assert areas(base_map(made, on=ON)) == pytest.approx({"needs_facts": 2e6, "clear": 98e6})
    yes = base_map(made, on=ON, facts={"new_outfall": True})
    assert areas(yes) == pytest.approx({"prohibited": 2e6, "clear": 98e6})
    assert base_map(made, on=ON, facts={"new_outfall": False})["verdict"].tolist() == ["not_applicable"]


def test_the_day_counts(tmp_path):
    old = rule("OLD", relation="overlaps", layer="basic_farmland", until="2025-12-31", cite=dict(CITE))
    made = plan(tmp_path, old)
    assert base_map(made, on="2025-12-31")["verdict"].tolist() == ["prohibited", "clear"]
    assert base_map(made, on="2026-01-01")["verdict"].tolist() == ["not_applicable"]


def test_what_is_not_understood(tmp_path):
    made = plan(tmp_path, FARM)
    for options in ({"activity": "化工"}, {"works": "拆除"}, {"facts": {"smells": True}}, {"on": "soon"}):
        with pytest.raises(SiteError):
            base_map(made, **({"on": ON} | options))
    with pytest.raises(PlanError, match="行政区"):
        base_map(es.open_plan(sound(tmp_path / "none", without=list(made_audits.LAYERS))), on=ON)


def test_without_a_rule_nothing_is_said_to_be_clear(tmp_path):
    pieces = base_map(plan(tmp_path), on=ON)
    assert pieces["verdict"].tolist() == ["no_data"]
    assert "没有可用的规则" in pieces["reason"].iloc[0]


# ------------------------------------------------------------------------------------------- same as check


def agree(made, pieces, points, **project):
    """Each point, checked as a site, is told what its piece says."""
    sites = gpd.GeoDataFrame(
        {"site_id": [str(n) for n in range(len(points))], **project}, geometry=points, crs=made.crs
    )
    summary = es.check(sites, made, on=ON).summary
    piece, point = shapely.STRtree(points).query(pieces.geometry.to_numpy(), predicate="contains")
    assert len(point) == len(points)
    told = pieces["verdict"].astype(object).to_numpy()[piece]
    checked = summary["verdict"].astype(object).to_numpy()[point]
    assert (told == checked).all(), [(told[i], checked[i], points[point[i]]) for i in np.flatnonzero(told != checked)][
        :3
    ]
    decided = pieces["decided"].astype(object).to_numpy()[piece]
    assert (
        np.where(decided == decided, decided, "")
        == np.where((found := summary["decided"].astype(object).to_numpy()[point]) == found, found, "")
    ).all()


def scattered(made, count, seed):
    draw = np.random.default_rng(seed)
    west, south, east, north = made.area.bounds
    points = shapely.points(draw.uniform(west, east, count), draw.uniform(south, north, count))
    return points[shapely.contains(made.area, points)]


def test_a_piece_says_what_a_check_says(tmp_path):
    made = plan(tmp_path, FARM, RED, RIVER, OUT, eco_redline=[box(500200, 3521000, 502300, 3523000)])
    pieces = base_map(made, activity="C26", on=ON)
    agree(made, pieces, scattered(made, 500, 1), activity="C26", works="new")


@pytest.mark.parametrize("name", ["changzhou-zhonglou", "changzhou-tianning", "nanjing-gulou"])
def test_the_pieces_of_a_shipped_plan_fit_and_agree_with_check(name):
    made = es.open_plan(name)
    pieces = base_map(made, activity="C26", on=ON)
    shapes = pieces.geometry.to_numpy()
    assert pieces["area_m2"].sum() == pytest.approx(made.area.area, rel=1e-6)
    assert shapely.is_valid(shapes).all()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    assert shapely.area(shapely.intersection(shapes[left], shapes[right])).sum() < 1e-6 * made.area.area
    agree(made, pieces, scattered(made, 300, 7), activity="C26", works="new")


PROJECTS = {
    "housing": {"activity": "K70", "works": "new", "land_use": "0701"},
    "an outfall": {"activity": "D462", "works": "new", "new_outfall": True},
}


@pytest.mark.parametrize("project", PROJECTS.values(), ids=list(PROJECTS))
def test_where_housing_and_an_outfall_could_go(project):
    made = es.open_plan("nanjing-gulou")
    facts = {name: value for name, value in project.items() if name == "new_outfall"}
    known = {name: value for name, value in project.items() if name not in facts}
    pieces = base_map(made, on=ON, facts=facts, **known)
    assert pieces["area_m2"].sum() == pytest.approx(made.area.area, rel=1e-6)
    agree(made, pieces, scattered(made, 120, 11), **project)


@pytest.mark.parametrize(("count", "least"), [(30, 30), (120, 200)])
def test_a_plan_as_dense_as_a_district_stays_seamless_as_it_grows(monkeypatch, tmp_path, count, least):
    # The plans that the growth in docs/interface.md is measured on.
    monkeypatch.syspath_prepend(str(SCRIPTS / "benchmarks"))
    across_m = importlib.import_module("base_map").make(tmp_path, count)
    made = es.open_plan(tmp_path)
    pieces = base_map(made, activity="C26", on=ON)
    assert len(pieces) > least
    assert pieces["area_m2"].sum() == pytest.approx(across_m**2, rel=1e-6)
    agree(made, pieces, scattered(made, 150, 5), activity="C26", works="new")


# ------------------------------------------------------------------------------------------- files


def test_a_map_says_what_is_open_and_what_the_strips_are(tmp_path):
    made = plan(tmp_path, FARM, RIVER, bank=False)
    page = to_html(draw_base_map(base_map(made, activity="C26", on=ON), made))
    assert "尚有未决" not in to_html(draw_base_map(base_map(plan(tmp_path / "b", FARM), on=ON), made))
    assert "一张底图" in page
    assert "判定不通过" in page
    # 6 of 100 km2 of farmland, and how much is left, stand in the legend.
    whole = to_html(draw_base_map(base_map(plan(tmp_path / "d", FARM), on=ON), made))
    assert "判定不通过 600.00 公顷（6.0%）" in whole
    assert "判定通过 9,400.00 公顷（94.0%）" in whole
    strips = base_map(plan(tmp_path / "c", RIVER), activity="C26", on=ON)
    assert "廊道" in to_html(draw_base_map(strips, made))


def test_the_files_are_the_same_twice(tmp_path):
    made = plan(tmp_path / "p", FARM, RIVER)
    first, second = (
        write_base_map(base_map(made, activity="C26", on=ON), made, tmp_path / name) for name in ("one", "two")
    )
    assert [path.name for path in first] == ["base_map.html", "base_map.gpkg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    with sqlite3.connect(first[1]) as base:
        sums = base.execute("select verdict, area_m2 from areas where headline = 'verdict'").fetchall()
        count = base.execute("select count(*) from pieces").fetchone()
    assert dict(sums)["prohibited"] == pytest.approx(26e6)
    assert count[0] > 2
