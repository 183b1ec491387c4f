"""The relation along_river: stretches countable by hand, and what is said where there is no river to measure."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from made_plans import CRS, SOURCE, district, layer, plan_folder, rule, sites

import ecospatial as es

# A river from west to east along y = 3520000, 40 m wide, with a branch from the north 150 m above the intake.
RIVER = shapely.LineString([(492000, 3520000), (508000, 3520000)])
BRANCH = shapely.LineString([(499850, 3524000), (499850, 3520000)])
INTAKE = shapely.Point(500000, 3520015)
WATER = [shapely.box(492000, 3519980, 508000, 3520020), shapely.box(499845, 3520020, 499855, 3524000)]
RULE = rule("Q1", relation="along_river", layer="intake", upstream_m=1000, downstream_m=100)
RIVERS = {"river": ["甲河", "支河"], "width_m": [40, 10]}


def plan(folder, *, intakes=(INTAKE,), river=("甲河",), rules=RULE, centre=True, banks=True, intake_keys=None, **keys):
    folder.mkdir(parents=True, exist_ok=True)
    wide = {"coverage": "district+5000", "accuracy_m": 10} | keys
    columns = {"source_name": ["水厂"] * len(intakes), "river": list(river)}
    entries = [district(folder), layer(folder, "intake", list(intakes), columns=columns, **wide | (intake_keys or {}))]
    if centre:
        entries.append(layer(folder, "river_centreline", [RIVER, BRANCH], columns=RIVERS, **wide))
    if banks:
        entries.append(layer(folder, "bank_line", WATER, columns={"river": ["甲河", "支河"]}, **wide))
    return es.open_plan(plan_folder(folder, entries, rules))


def at(x, y, *, width=50, height=50):
    """A box whose south-west corner lies at x metres from the intake and y from the centreline."""
    return shapely.box(500000 + x, 3520000 + y, 500000 + x + width, 3520000 + y + height)


def row(found, number=0):
    return found.frame.iloc[number]


# ------------------------------------------------------------------------------------------ what is touched


@pytest.mark.parametrize(
    ("site", "verdict", "distance", "area"),
    [
        (at(-500, 0), "prohibited", 0, 50 * 20),  # half in the water, 500 m upstream
        (at(-500, 20), "prohibited", 0, 0),  # at the bank
        (at(-500, 20.001), "clear", 0.001, 0),  # a millimetre from the bank
        (at(-1050, 0), "prohibited", 0, 0),  # ends exactly where the stretch begins
        (at(-1050.001, 0), "clear", 0.001, 0),
        (at(-1049.999, 0), "prohibited", 0, 0.001 * 20),
        (at(100, -70), "prohibited", 0, 0),  # touches the lower cut, inside the water from y=-20
        (at(100.001, -70), "clear", 0.001, 0),
        (at(60, -70), "prohibited", 0, 40 * 0),  # south bank, y -70..-20: only an edge
        (at(-155, 500), "prohibited", 0, 10 * 50),  # across the branch, 650 m along the river
        (at(-155, 900, height=20), "clear", 50, 0),  # beyond 850 m up the branch
        (at(-300, 300), "clear", np.hypot(0, 280), 0),  # between the two rivers
    ],
)
def test_a_site_is_touched_in_the_water_of_the_stretch_and_at_its_banks(tmp_path, site, verdict, distance, area):
    found = row(es.check(sites(site), plan(tmp_path / "p"), on="2026-11-20"))
    assert found["verdict"] == verdict
    if area == 50 * 20 or not np.isclose(distance, 280):
        assert found["distance_m"] == pytest.approx(min(distance, 280), abs=1e-6)
    assert found["overlap_m2"] == pytest.approx(area, abs=1e-5)
    assert (found.geometry is None) == (verdict == "clear")


def test_points_and_lines_are_sites_too(tmp_path):
    point_in, point_at_bank, crossing = (
        shapely.Point(499500, 3520000), shapely.Point(499500, 3520020),
        shapely.LineString([(499500, 3519900), (499500, 3520100)]),
    )  # fmt: skip
    found = es.check(sites(point_in, point_at_bank, crossing), plan(tmp_path / "p"), on="2026-11-20").frame
    assert found["verdict"].tolist() == ["prohibited"] * 3
    assert found["overlap_length_m"].tolist()[2] == 40


def test_the_reason_says_how_far_along_the_river(tmp_path):
    shapes = [at(-500, 0), at(-500, 20), at(50, 0), at(-155, 500), at(-500, 60), at(-500, 4000)]
    found = es.check(sites(*shapes), plan(tmp_path / "p"), on="2026-11-20").frame["reason"].tolist()
    stretch = "的控制河段（沿河上游 1000 m 至下游 100 m）"
    assert found[0].startswith(f"占用水厂取水口{stretch} 1000.0 m²（1.500 亩），沿河位于取水口上游 450.0 m；禁止")
    assert found[1].startswith(f"紧临水厂取水口{stretch}，沿河位于取水口上游 450.0 m；禁止")
    assert "沿河位于取水口下游 50.0 m；禁止" in found[2]
    assert "沿河位于取水口上游 650.0 m" in found[3]
    assert found[4].startswith(f"未临水厂取水口{stretch}，最近 40.0 m")
    assert found[5] == "周边 1000 m 内没有取水口的控制河段（沿河上游 1000 m 至下游 100 m）"


def test_certain_adds_the_errors_of_intake_and_river(tmp_path):
    made = plan(tmp_path / "p", intake_keys={"accuracy_m": 5})
    near, far = at(-500, 20 + 14.9), at(-500, 20 + 15.1)
    found = es.check(sites(near, far), made, on="2026-11-20").frame
    assert found["margin_m"].tolist() == pytest.approx([14.9, 15.1])
    assert found["certain"].tolist() == [False, True]
    assert found["layer_accuracy_m"].tolist() == [15, 15]


def test_a_rule_names_its_intakes_by_column(tmp_path):
    other = shapely.Point(503000, 3520000)
    wanted = {**RULE, "where": {"source_name": ["别处"]}}
    made = plan(tmp_path / "p", intakes=(INTAKE, other), river=("甲河", "甲河"), rules=wanted)
    assert row(es.check(sites(at(-500, 0)), made, on="2026-11-20"))["verdict"] == "no_data"
    keys = {"absent": {"source_name": ["别处"]}}
    made = plan(tmp_path / "q", intakes=(INTAKE, other), river=("甲河", "甲河"), rules=wanted, intake_keys=keys)
    assert row(es.check(sites(at(-500, 0)), made, on="2026-11-20"))["verdict"] == "clear"


def test_several_intakes_each_have_their_stretch(tmp_path):
    other = shapely.Point(503000, 3520000)
    made = plan(tmp_path / "p", intakes=(INTAKE, other), river=("甲河", None))
    found = es.check(sites(at(-500, 0), at(2500, 0), at(1500, 0)), made, on="2026-11-20").frame
    assert found["verdict"].tolist() == ["prohibited", "prohibited", "clear"]
    assert found["feature_id"].tolist()[:2] == ["1", "2"]


def test_one_rule_may_ask_twice_with_other_distances(tmp_path):
    rules = [RULE, {**RULE, "id": "Q2", "upstream_m": 200}]
    found = es.check(sites(at(-500, 0)), plan(tmp_path / "p", rules=rules), on="2026-11-20").frame
    assert found["verdict"].tolist() == ["prohibited", "clear"]
    assert es.read_rules(plan(tmp_path / "p", rules=rules))["upstream_m"].tolist() == [1000, 200]


# ------------------------------------------------------------------------------------------ what can not be told


def test_without_centrelines_nothing_can_be_told(tmp_path):
    found = row(es.check(sites(at(-500, 0)), plan(tmp_path / "p", centre=False), on="2026-11-20"))
    assert found["verdict"] == "no_data"
    assert found["reason"] == "不能沿河量算：河道中心线图层未取得，规划未列出该图层"
    assert not found["certain"]


def test_an_altered_river_layer_counts_for_nothing(tmp_path):
    made = plan(tmp_path / "p")
    path = tmp_path / "p" / "plan.yaml"
    text = path.read_text(encoding="utf-8")
    named = "path: river_centreline.gpkg"
    path.write_text(text.replace(named, f"sha256: '{'0' * 64}'\n  {named}"), encoding="utf-8")
    found = row(es.check(sites(at(-500, 0)), es.open_plan(made.folder), on="2026-11-20"))
    assert found["verdict"] == "no_data"
    assert "不能沿河量算" in found["reason"]


@pytest.mark.parametrize(
    ("intake", "river", "why"),
    [
        (shapely.Point(500000, 3520500), None, "取水口水厂距最近的河道中心线 150 m，不在河道中，不能沿河量算"),
        (INTAKE, "乙河", "取水口水厂所在的乙河不在河道中心线图层中，不能沿河量算"),
    ],
)
def test_an_intake_without_a_usable_river_blinds_only_what_is_around_it(tmp_path, intake, river, why):
    made = plan(tmp_path / "p", intakes=(intake,), river=(river,))
    found = es.check(sites(at(-500, 100), at(-7000, 100)), made, on="2026-11-20").frame
    assert found["verdict"].tolist() == ["no_data", "clear"]
    assert why in found["reason"].tolist()[0]


def test_without_banks_the_width_stands_for_them_and_nothing_is_certain(tmp_path):
    found = es.check(sites(at(-500, 0), at(-500, 500)), plan(tmp_path / "p", banks=False), on="2026-11-20").frame
    assert found["verdict"].tolist() == ["prohibited", "clear"]
    assert found["certain"].tolist() == [False, False]


def test_where_the_coverage_ends_nothing_is_clear(tmp_path):
    made = plan(tmp_path / "p", coverage="district")
    inside, edge = at(-500, 100), shapely.box(490900, 3520100, 490950, 3520150)
    found = es.check(sites(inside, edge), made, on="2026-11-20").frame
    assert found["verdict"].tolist() == ["clear", "no_data"]
    assert "需覆盖地块及其周边 1000 m" in found["reason"].tolist()[1]


def test_where_there_are_no_intakes_everything_is_clear(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    none = {"kind": "intake", "present": "none", "coverage": "district", "source": dict(SOURCE)}
    made = es.open_plan(plan_folder(folder, [district(folder), none], RULE))
    found = row(es.check(sites(at(-500, 0)), made, on="2026-11-20"))
    assert (found["verdict"], found["reason"]) == ("clear", "本区不存在取水口")


def test_an_unverified_rule_and_a_missing_fact_stay_open(tmp_path):
    unread = {**RULE, "cite": {**RULE["cite"], "verified": False}}
    found = es.check(sites(at(-500, 0), at(-500, 500)), plan(tmp_path / "p", rules=unread), on="2026-11-20").frame
    assert found["verdict"].tolist() == ["unsettled", "unsettled"]
    assert found["touched"].tolist() == [True, False]


# ------------------------------------------------------------------------------------------ brute force


@pytest.mark.parametrize("seed", range(6))
def test_random_sites_at_a_straight_river_agree_with_arithmetic(tmp_path, seed):
    random = np.random.default_rng(seed)
    x, y = random.uniform(-1500, 600, 40), random.uniform(-120, 60, 40)
    shapes = [at(a, b) for a, b in zip(x, y, strict=True)]
    found = es.check(gpd.GeoDataFrame(geometry=shapes, crs=CRS), plan(tmp_path / "p"), on="2026-11-20").frame
    # Boxes of 50 m: the water is y -20..20, the stretch x -1000..100, the branch x -155..-145 up to y 850.
    main = (x <= 100) & (x + 50 >= -1000) & (y <= 20) & (y + 50 >= -20)
    branch = (x <= -145) & (x + 50 >= -155) & (y + 50 >= 20) & (y <= 850)
    assert (found["verdict"] == "prohibited").tolist() == (main | branch).tolist()
