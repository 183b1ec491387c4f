"""Raster layers in a plan, and the relation raster_above."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely
from made_plans import SOURCE, district, one, plan_folder, rule, sites
from made_rasters import write

import ecospatial as es
from ecospatial import raster
from ecospatial.errors import PlanError, RuleError

# 20 by 20 pixels of 10 m in the middle of the district of made_plans: x 500000 to 500200, y 3519900 to 3520100.
STEEP = rule("S", relation="raster_above", layer="slope", above=25)
FLAT, EDGE = 10.0, 25.0


def slopes():
    values = np.full((20, 20), FLAT, dtype=np.float32)
    values[:, 10:] = 30.0  # east of x = 500100
    values[:, 9] = EDGE  # exactly at the limit: not above it
    values[15:] = -9999  # south of y = 3519950 nobody looked
    return values


def entry(folder, values=None, *, name="slope", kind="slope", date="2024-05-01", **keys):
    path = write(folder / f"{name}.tif", slopes() if values is None else values, nodata=-9999)
    made = {
        "kind": kind,
        "name": name,
        "path": path.name,
        "date": date,
        "status": "official",
        "coverage": "extent",
        "accuracy_m": 10,
        "source": dict(SOURCE),
    }
    return {key: value for key, value in (made | keys).items() if value is not ...}


def plan_of(folder, *entries, rules=STEEP):
    folder.mkdir(parents=True, exist_ok=True)
    return plan_folder(folder, [district(folder), *entries], rules)


@pytest.fixture
def folder(tmp_path):
    return plan_of(tmp_path, entry(tmp_path))


def box(x, y, size=20):
    return sites(shapely.box(500000 + x, 3519900 + y, 500000 + x + size, 3519900 + y + size))


# ---------------------------------------------------------------------------------------------- verdicts


def test_a_site_above_the_limit_is_touched(folder):
    found = one(folder, box(150, 100))
    assert (found.verdict, found.certain) == ("prohibited", True)
    assert found.overlap_m2 == pytest.approx(400)
    assert found.overlap_share == pytest.approx(1)
    assert found.margin_m == pytest.approx(50, rel=0.02)  # from the western edge
    assert found.distance_m == 0
    assert (found.layer, found.layer_accuracy_m, found.features) == ("slope", 10, 1)
    assert "坡度大于 25°" in found.reason
    assert "400.0 m²" in found.reason


@pytest.mark.parametrize(
    ("x", "y", "verdict", "certain", "distance", "margin", "overlap"),
    [
        (150, 100, "prohibited", True, 0, 50, 400),
        (90, 100, "prohibited", False, 0, 10, 200),
        (80, 100, "clear", False, 0, 0, 0),
        (20, 100, "clear", True, 60, 60, 0),
        (20, 40, "no_data", False, None, None, None),
        (150, 40, "prohibited", False, 0, 10, 200),
    ],
)
def test_the_worked_example_of_the_interface(folder, x, y, verdict, certain, distance, margin, overlap):
    found = one(folder, box(x, y))
    assert (found.verdict, found.certain) == (verdict, certain)
    if distance is not None:
        assert found.distance_m == pytest.approx(distance)
        assert found.margin_m == pytest.approx(margin, rel=0.02)
        assert found.overlap_m2 == pytest.approx(overlap)


def test_a_site_half_above_shows_where(folder):
    found = one(folder, box(90, 100))
    assert found.overlap_m2 == pytest.approx(200)
    assert found.geometry.equals(shapely.box(500100, 3520000, 500110, 3520020))
    assert found.margin_m == pytest.approx(10, rel=0.02)
    assert not found.certain


def test_a_site_below_the_limit_is_clear(folder):
    found = one(folder, box(20, 100))
    assert (found.verdict, found.certain, found.overlap_m2) == ("clear", True, 0)
    assert found.distance_m == pytest.approx(60)
    assert "地块内没有坡度大于 25°的区域，最近处相距 60.0 m" in found.reason


def test_exactly_at_the_limit_is_not_above(folder):
    found = one(folder, box(80, 100))
    assert (found.verdict, found.distance_m, found.certain) == ("clear", 0, False)


def test_what_nobody_looked_at_is_never_clear(folder):
    found = one(folder, box(20, 40))  # the southern half lies on pixels without data
    assert (found.verdict, found.certain) == ("no_data", False)
    found = one(folder, box(-10, 100))  # half beyond the grid
    assert found.verdict == "no_data"
    found = one(folder, box(150, 40))  # a hit is a hit
    assert (found.verdict, found.overlap_m2) == ("prohibited", pytest.approx(200))


def test_lines_and_points(folder):
    line = sites(shapely.LineString([(500050, 3520000), (500130, 3520000)]))
    found = one(folder, line)
    assert (found.verdict, found.overlap_length_m) == ("prohibited", pytest.approx(30))
    assert one(folder, sites(shapely.Point(500150, 3520001))).verdict == "prohibited"
    assert one(folder, sites(shapely.Point(500050, 3520001))).verdict == "clear"


def test_far_from_anything_above(tmp_path):
    values = np.full((300, 300), FLAT, dtype=np.float32)
    values[0, 0] = 40
    found = one(plan_of(tmp_path, entry(tmp_path, values)), sites(shapely.box(502500, 3517500, 502600, 3517600)))
    assert found.verdict == "clear"
    assert np.isnan(found.distance_m)
    assert found.reason == "周边 1000 m 内没有坡度大于 25°的区域"


@pytest.mark.parametrize(
    ("coverage", "verdict"), [("extent", "clear"), ("district", "clear"), ("unknown", "no_data"), (..., "no_data")]
)
def test_the_declared_coverage_counts_besides_the_pixels(tmp_path, coverage, verdict):
    plan_of(tmp_path, entry(tmp_path, coverage=coverage))
    assert one(tmp_path, box(20, 100)).verdict == verdict
    assert one(tmp_path, box(20, 40)).verdict == "no_data"
    assert one(tmp_path, box(150, 100)).verdict == "prohibited"


def test_facts_and_verification_count_as_for_other_rules(tmp_path):
    unverified = STEEP | {"cite": {"instrument": "x", "verified": False}}
    plan_of(tmp_path, entry(tmp_path), rules=unverified)
    hit, miss = one(tmp_path, box(150, 100)), one(tmp_path, box(20, 100))
    assert (hit.verdict, hit.touched, miss.verdict, miss.touched) == ("unsettled", True, "unsettled", False)
    restricted = STEEP | {"effect": "restricted", "when": {"works": ["new"]}}
    plan_of(tmp_path, entry(tmp_path), rules=restricted)
    assert one(tmp_path, box(150, 100)).verdict == "needs_facts"
    assert one(tmp_path, box(150, 100).assign(works="existing")).verdict == "not_applicable"
    assert one(tmp_path, box(150, 100).assign(works="new")).verdict == "restricted"


def test_two_limits_on_one_grid(tmp_path):
    rules = [STEEP, rule("T", relation="raster_above", layer="slope", above=35)]
    found = es.check(box(150, 100), es.open_plan(plan_of(tmp_path, entry(tmp_path), rules=rules)), on="2026-11-20")
    assert found.frame["verdict"].astype(str).tolist() == ["prohibited", "clear"]
    assert found.rules["above"].tolist() == [25, 35]


# ------------------------------------------------------------------------------------------------- dates


def test_the_latest_picture_by_the_day_counts(tmp_path):
    steep = np.full((20, 20), 40, dtype=np.float32)
    flat = np.full((20, 20), FLAT, dtype=np.float32)
    older = entry(tmp_path, steep, name="a", date="2020-01-01")
    plan_of(tmp_path, older, entry(tmp_path, flat, name="b", date="2024-01-01"))
    for on, verdict, layer in [("2023-12-31", "prohibited", "a"), ("2024-01-01", "clear", "b")]:
        found = one(tmp_path, box(50, 100), on=on)
        assert (found.verdict, found.layer) == (verdict, layer)
    found = one(tmp_path, box(50, 100), on="2019-12-31")
    assert found.verdict == "no_data"
    assert "没有 2019-12-31 或以前的数据" in found.reason


def test_pictures_of_one_day_are_read_together(tmp_path):
    west, east = slopes(), np.full((20, 20), 40, dtype=np.float32)
    path = write(tmp_path / "east.tif", east, nodata=-9999, west=500200)
    second = entry(tmp_path, west, name="west") | {"name": "east", "path": path.name}
    plan_of(tmp_path, entry(tmp_path, west, name="west"), second)
    found = one(tmp_path, box(190, 100))  # on both
    assert found.overlap_m2 == pytest.approx(400)
    assert one(tmp_path, box(210, 20)).layer == "east"


def test_a_newer_picture_that_can_not_be_used_is_not_replaced_by_an_older_one(tmp_path):
    flat = np.full((20, 20), FLAT, dtype=np.float32)
    newer = entry(tmp_path, flat, name="b", sha256="0" * 64)
    plan_of(tmp_path, entry(tmp_path, flat, name="a", date="2020-01-01"), newer)
    found = one(tmp_path, box(50, 100))
    assert found.verdict == "no_data"
    assert "sha256" in found.reason


@pytest.mark.parametrize(
    ("present", "verdict", "word"), [("none", "clear", "不存在"), ("missing", "no_data", "请向测试取得")]
)
def test_a_kind_that_is_not_there(tmp_path, present, verdict, word):
    made = {"kind": "slope", "present": present, "source": dict(SOURCE), "coverage": "district"}
    found = one(plan_of(tmp_path, made), box(50, 100))
    assert found.verdict == verdict
    assert word in found.reason
    assert one(plan_of(tmp_path / "b"), box(50, 100)).verdict == "no_data"


def test_a_broken_or_misplaced_grid_is_said(tmp_path):
    plan_of(tmp_path, entry(tmp_path, resolution_m=30))
    found = one(tmp_path, box(50, 100))
    assert found.verdict == "no_data"
    assert "分辨率 30 m" in found.reason
    (tmp_path / "slope.tif").write_bytes(b"II*\0broken")
    found = one(tmp_path, box(50, 100))
    assert found.verdict == "no_data"
    assert "slope.tif" in found.reason


# --------------------------------------------------------------------------------------------- plan.yaml


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"date": ...}, "date：栅格图层需要此键"),
        ({"columns": {"feature_id": "x"}}, "columns：不认识的键"),
        ({"classes": {1: "tree"}}, "classes：slope 不用此键"),
        ({"kind": "land_cover"}, "classes：land_cover 需要此键"),
        ({"kind": "land_cover", "classes": "corine"}, "没有分类表 corine"),
        ({"kind": "land_cover", "classes": {"1": "forest"}}, "不能是 forest"),
        ({"kind": "land_cover", "classes": {"a": "tree"}}, "应为整数"),
        ({"kind": "land_cover", "classes": {}}, "至少要有一个类别"),
        ({"kind": "imagery", "bands": {"red": 0}}, "red：应为波段序号"),
        ({"kind": "imagery", "bands": {"violet": 1}}, "violet：不认识的键"),
        ({"kind": "imagery", "bands": "landsat"}, "没有波段表 landsat"),
        ({"resolution_m": -1}, "resolution_m：应为不小于 0"),
        ({"date": "05/01/2024"}, "date：应为日期"),
    ],
)
def test_the_keys_of_a_raster_layer_are_read_strictly(tmp_path, keys, word):
    plan_of(tmp_path, entry(tmp_path, **keys))
    with pytest.raises(PlanError, match=word) as caught:
        es.open_plan(tmp_path)
    assert all(problem.file == "plan.yaml" and "图层 slope" in problem.message for problem in caught.value.problems)


def test_a_raster_layer_knows_what_its_pixels_mean(tmp_path):
    cover = entry(tmp_path, np.ones((2, 2), dtype=np.int16), name="cover", kind="land_cover", classes="worldcover")
    image = entry(tmp_path, np.ones((4, 2, 2), dtype=np.int16), name="image", kind="imagery", bands="sentinel2_10m")
    plan = es.open_plan(plan_of(tmp_path, cover, image))
    assert plan.layers["cover"].pixels.classes[10] == "tree"
    assert plan.layers["image"].pixels.bands["nir"] == 4
    assert raster.grid_of(plan, "image").bands == {"blue": 1, "green": 2, "red": 3, "nir": 4}
    assert str(raster.grid_of(plan, "cover").date) == "2024-05-01"
    assert plan.layers["district"].pixels is None
    with pytest.raises(PlanError, match="是栅格"):
        plan.frame("land_cover")
    assert plan.validate()  # sha256 is not registered
    assert es.draw(plan) is not None


def test_a_sealed_raster_that_was_altered_is_not_used(tmp_path):
    from ecospatial.plans import seal

    plan_of(tmp_path, entry(tmp_path))
    assert "slope" in seal(es.open_plan(tmp_path))
    assert one(tmp_path, box(20, 100)).verdict == "clear"
    content = (tmp_path / "slope.tif").read_bytes()
    (tmp_path / "slope.tif").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found = one(tmp_path, box(20, 100))
    assert (found.verdict, found.certain) == ("no_data", False)
    plan = es.open_plan(tmp_path)
    assert "sha256" in plan.trouble("slope")
    with pytest.raises(PlanError, match="sha256"):
        raster.grid_of(plan, "slope")


def test_faults_of_headers_are_listed(tmp_path):
    plan = es.open_plan(plan_of(tmp_path, entry(tmp_path, accuracy_m=1)))
    assert [problem.message for problem in raster.faults(plan)] == ["accuracy_m 小于半个像元（5.0 m）"]
    assert raster.faults(es.open_plan(plan_of(tmp_path / "b", entry(tmp_path / ".")))) == []


# ------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"above": ...}, "above：raster_above 需要此键"),
        ({"layer": "land_cover"}, "raster_above 不能用于 land_cover"),
        ({"layer": "bank_line"}, "raster_above 不能用于 bank_line"),
        ({"within_m": 5}, "raster_above 不用此键"),
        ({"where": {"feature_name": ["a"]}}, "栅格没有列"),
        ({"above": "25"}, "above：应为不小于 0"),
        ({"relation": "overlaps", "above": ...}, "slope 是栅格，不能用 overlaps"),
        ({"relation": "near", "above": ..., "within_m": 5}, "slope 是栅格，不能用 near"),
    ],
)
def test_a_rule_on_a_grid_is_read_strictly(tmp_path, keys, word):
    made = rule("S", **({"relation": "raster_above", "layer": "slope", "above": 25} | keys))
    with pytest.raises(RuleError, match=word):
        es.open_plan(plan_of(tmp_path, entry(tmp_path), rules=made))


def test_above_belongs_to_grids(tmp_path):
    with pytest.raises(RuleError, match="near 不用此键"):
        es.open_plan(plan_of(tmp_path, rules=rule("N", above=3)))


# --------------------------------------------------------------------------------------- without the extra


def test_without_the_extra_only_rules_on_grids_are_open(tmp_path, monkeypatch):
    from ecospatial.raster import _compat

    near = rule("N", layer="district", within_m=10, effect="restricted")
    plan_of(tmp_path, entry(tmp_path), rules=[STEEP, near])
    _compat._loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "rasterio", None)
    try:
        plan = es.open_plan(tmp_path)
        found = es.check(box(150, 100), plan, on="2026-11-20").frame.set_index("rule_id")
        assert found.loc["S", "verdict"] == "no_data"
        assert 'pip install "ecospatial[raster]"' in found.loc["S", "reason"]
        assert found.loc["N", "verdict"] == "restricted"
        assert plan.layer_table().loc["slope", "problem"] == ""
        assert [problem.message for problem in plan.validate()] == ["sha256 未登记"] * 2
        assert raster.faults(plan) == []
        assert "slope" in plan._repr_html_()
    finally:
        _compat._loaded.cache_clear()
