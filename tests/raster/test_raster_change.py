"""Change between two dates: what was planted is found, what a shift of the picture explains is not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from made_rasters import BARE, BUILT, COVER, CROP, GRASS, NORTH, STEP, TREE, WATER, WEST, pixels, write
from project_paths import SCRIPTS

import ecospatial as es
from ecospatial import raster
from ecospatial.errors import PlanError, SiteError
from ecospatial.export.raster_change import changes_text
from ecospatial.plans import Settlement
from ecospatial.raster import monitor, polygonize
from ecospatial.rules import Cite, Rule

SIDE = 60


def zone(*shapes, **columns):
    shapes = list(shapes) or [pixels(0, 0, SIDE, SIDE)]
    return gpd.GeoDataFrame(columns, geometry=shapes, index=[f"z{i}" for i in range(len(shapes))], crs="EPSG:4549")


def grid(folder, name, values, **keys):
    return raster.read_grid(write(folder / f"{name}.tif", np.asarray(values, dtype=np.uint8), **keys), classes=COVER)


def compare(folder, before, after, zones=None, *, old=None, new=None, **keys):
    first, second = grid(folder, "old", before, **(old or {})), grid(folder, "new", after, **(new or {}))
    return raster.change(zone() if zones is None else zones, first, second, **keys)


def ground(seed=1):
    """Land cover in patches of several sizes, some a pixel wide."""
    rng = np.random.default_rng(seed)
    values = np.full((SIDE, SIDE), CROP)
    for cover in (TREE, BUILT, GRASS, WATER):
        for _ in range(6):
            row, column = rng.integers(0, SIDE - 12, 2)
            high, wide = rng.integers(1, 12, 2)
            values[row : row + high, column : column + wide] = cover
    return values


# ------------------------------------------------------------------------------------------------ finding


def test_a_planted_change_is_found_with_its_area(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    after = before.copy()
    after[10:20, 20:40] = BUILT
    found = compare(tmp_path, before, after)
    (row,) = found.patches.to_dict("records")
    assert (row["zone"], row["from_cover"], row["to_cover"], row["concern"]) == ("z0", "crop", "built", "疑似侵占")
    assert row["area_m2"] == row["patch_area_m2"] == pytest.approx(20000, rel=1e-6)
    assert row["geometry"].equals(pixels(20, 10, 20, 10))
    # Deepest at its corner nearest to the middle: 200 m from the northern edge.
    assert row["margin_m"] == pytest.approx(200, rel=0.02)
    assert found.zones.loc["z0"].round(1).to_dict() == {
        "area_m2": 360000, "seen_m2": 360000, "changed_m2": 20000, "dismissed_m2": 0,
    }  # fmt: skip


@pytest.mark.parametrize("beside", [0, 1, 2])
def test_growth_beside_what_was_there_is_found_whole(tmp_path, beside):
    before = np.full((SIDE, SIDE), CROP)
    before[:, :20] = BUILT
    after = before.copy()
    after[10:40, 20 + beside : 24 + beside] = BUILT
    found = compare(tmp_path, before, after)
    assert found.patches["area_m2"].sum() == pytest.approx(12000, rel=0.01)


def test_planted_changes_among_real_looking_ground(tmp_path):
    before, spots = ground(), [(5, 5, 9, 7, CROP, BUILT), (30, 40, 6, 12, TREE, BARE), (45, 10, 8, 8, WATER, BUILT)]
    for row, column, high, wide, was, _ in spots:
        before[row - 2 : row + high + 2, column - 2 : column + wide + 2] = was
    after = before.copy()
    for row, column, high, wide, _, now in spots:
        after[row : row + high, column : column + wide] = now
    found = compare(tmp_path, before, after).patches
    expected = {(COVER[was], COVER[now]): high * wide * 100 for _, _, high, wide, was, now in spots}
    got = {(row.from_cover, row.to_cover): row.area_m2 for row in found.itertuples()}
    assert got == pytest.approx(expected, rel=0.01)
    assert found["area_m2"].is_monotonic_decreasing


def test_what_a_change_is_called(tmp_path):
    before, after = np.full((SIDE, SIDE), CROP), np.full((SIDE, SIDE), CROP)
    for i, (was, now) in enumerate([(TREE, BARE), (WATER, CROP), (TREE, GRASS), (CROP, TREE), (BUILT, BARE)]):
        before[10 * i + 1 : 10 * i + 9, 10:20], after[10 * i + 1 : 10 * i + 9, 10:20] = was, now
    found = compare(tmp_path, before, after).patches.set_index("from_cover")["concern"].groupby(level=0).agg(sorted)
    assert found.to_dict() == {
        "tree": ["林木减少", "疑似侵占"],
        "water": ["水面减少"],
        "crop": ["其他变化"],
        "built": ["其他变化"],
    }


# ----------------------------------------------------------------------------------- shifts and small things


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, 1)])
def test_a_shift_by_one_pixel_raises_no_alarm(tmp_path, shift, seed):
    larger = np.pad(ground(seed), 4, mode="reflect")
    down, right = shift
    before = larger[4:-4, 4:-4]
    after = larger[4 + down : 4 + down + SIDE, 4 + right : 4 + right + SIDE]
    assert (before != after).mean() > 0.05  # what this test is there to dismiss
    found = compare(tmp_path, before, after, min_patch_m2=0)
    assert len(found.patches) == 0
    assert found.zones["dismissed_m2"].iloc[0] == pytest.approx((before != after).sum() * 100, rel=1e-4)


def test_a_shift_of_the_whole_file_raises_no_alarm(tmp_path):
    # The same pixels, but the newer file says that it lies 10 m further east.
    found = compare(tmp_path, ground(), ground(), new={"west": WEST + STEP}, min_patch_m2=0)
    assert len(found.patches) == 0


def test_a_change_is_found_although_the_picture_is_shifted(tmp_path):
    larger = np.pad(ground(), 4, mode="reflect")
    larger[20:40, 20:40] = CROP
    before, after = larger[4:-4, 4:-4], larger[4:-4, 5:-3].copy()
    after[20:30, 20:30] = BUILT
    found = compare(tmp_path, before, after).patches
    assert found["area_m2"].tolist() == pytest.approx([10000], rel=0.01)


def test_without_tolerance_a_shift_is_a_change(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    before[:, :30] = BUILT
    found = compare(tmp_path, before, np.roll(before, 1, axis=1), tolerance_px=0).patches
    assert set(found["area_m2"].round()) == {SIDE * 100}


def test_small_patches_are_dismissed(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    after = before.copy()
    after[5:8, 5:7] = BUILT  # 600 m2
    after[20:24, 20:22] = BUILT  # 800 m2
    after[40, 40] = after[41, 41] = after[42, 42] = BUILT  # corners do not join
    found = compare(tmp_path, before, after)
    assert found.patches["area_m2"].tolist() == pytest.approx([800])
    assert found.zones["dismissed_m2"].iloc[0] == pytest.approx(900, rel=1e-3)
    assert len(compare(tmp_path, before, after, min_patch_m2=0).patches) == 5


# ------------------------------------------------------------------------------------------- zones and edges


def test_a_patch_is_cut_by_each_zone(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    after = before.copy()
    after[20:30, 25:35] = BUILT
    zones = zone(pixels(0, 0, 28, SIDE), pixels(28, 0, 32, SIDE), pixels(0, 0, 5, 5), accuracy_m=[29.0, 31.0, np.nan])
    found = compare(tmp_path, before, after, zones, old={"crs": "EPSG:4549"})
    rows = found.patches.set_index("zone")
    assert rows["area_m2"].to_dict() == pytest.approx({"z0": 3000, "z1": 7000})
    assert rows["patch_area_m2"].tolist() == pytest.approx([10000, 10000])
    assert rows["patch"].to_dict() == {"z0": 1, "z1": 1}
    assert rows["margin_m"].to_dict() == pytest.approx({"z0": 30, "z1": 70}, rel=0.02)
    # The grid may be off by a pixel when nobody says how far: 30 > 29 + 10 is false, 70 > 31 + 10 is true.
    assert rows["certain"].to_dict() == {"z0": False, "z1": True}
    assert found.zones["changed_m2"].to_dict() == pytest.approx({"z0": 3000, "z1": 7000, "z2": 0})


def test_the_matrix_adds_up(tmp_path):
    before, after = ground(1), ground(2)
    zones = zone(pixels(3, 3, 40, 30), shapely.Point(WEST + 300, NORTH - 300).buffer(180))
    found = compare(tmp_path, before, after, zones)
    sums = found.matrix.groupby("zone")["area_m2"].sum()
    assert sums.to_dict() == pytest.approx(found.zones["seen_m2"].to_dict(), rel=1e-6)
    assert (found.matrix["area_m2"] > -1).all()
    was = raster.zonal(zones, grid(tmp_path, "old", before))
    rows = found.matrix[found.matrix["zone"] == "z1"].groupby("from_cover")["area_m2"].sum()
    assert rows["crop"] == pytest.approx(was.loc["z1", "area_m2_crop"], rel=1e-5)
    away = found.matrix[found.matrix["from_cover"] != found.matrix["to_cover"]]
    assert away["area_m2"].sum() == pytest.approx(found.patches["area_m2"].sum(), rel=1e-6)


def test_what_one_date_did_not_see_is_not_compared(tmp_path):
    before, after = np.full((SIDE, SIDE), CROP), np.full((SIDE, SIDE), CROP)
    before[:20] = 0
    after[:, :20] = 0
    after[30:40, 30:40] = BUILT
    found = compare(tmp_path, before, after)
    assert found.patches["area_m2"].tolist() == pytest.approx([10000])
    assert found.zones["seen_m2"].iloc[0] == pytest.approx(160000, rel=1e-6)


def test_a_patch_across_blocks_is_one(tmp_path, monkeypatch):
    before = np.full((SIDE, SIDE), CROP)
    after = before.copy()
    after[5:50, 12:18] = BUILT
    after[25:29, 5:55] = BUILT
    whole = compare(tmp_path, before, after)
    monkeypatch.setattr(polygonize, "BLOCK", 16)
    cut = compare(tmp_path, before, after)
    assert len(cut.patches) == len(whole.patches) == 1
    assert cut.patches.geometry.iloc[0].equals(whole.patches.geometry.iloc[0])
    pd.testing.assert_frame_equal(cut.zones, whole.zones)


# ------------------------------------------------------------------------------------------- unequal grids


def test_grids_of_another_size_and_place_are_compared_pixel_by_pixel(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    after = np.full((SIDE + 10, SIDE + 6), CROP)
    after[15:25, 10:30] = BUILT  # 5 rows and 3 columns of margin: rows 10 to 20, columns 7 to 27 of ours
    found = compare(tmp_path, before, after, new={"west": WEST - 3 * STEP, "north": NORTH + 5 * STEP})
    assert found.meta["same_pixels"]
    assert found.patches.geometry.iloc[0].equals(pixels(7, 10, 20, 10))


def test_finer_pixels_and_another_crs_are_read_at_the_centres(tmp_path):
    before = np.full((SIDE, SIDE), CROP)
    fine = np.full((2 * SIDE, 2 * SIDE), CROP)
    fine[20:40, 40:80] = BUILT
    found = compare(tmp_path, before, fine, new={"step": STEP / 2})
    assert not found.meta["same_pixels"]
    assert found.patches["area_m2"].tolist() == pytest.approx([20000])
    degrees = np.full((400, 400), CROP)
    degrees[150:250, 150:250] = BUILT  # 0.001 degrees: 94.6 m by 110.9 m at 31.8 degrees north
    keys = {"crs": "EPSG:4490", "step": 1e-5, "west": 120.001, "north": 31.8035}
    found = compare(tmp_path, before, degrees, new=keys, tolerance_px=2)
    lon, lat = shapely.get_coordinates(found.patches.geometry.centroid.to_crs("EPSG:4490"))[0]
    assert found.patches["area_m2"].sum() == pytest.approx(94.6 * 110.9, rel=0.15)  # pixels of 100 m2
    assert (lon, lat) == pytest.approx((120.003, 31.8015), abs=1e-4)


def test_what_can_not_be_compared_is_refused(tmp_path):
    before = np.full((4, 4), CROP)
    bare = raster.read_grid(write(tmp_path / "bare.tif", before.astype(np.uint8)))
    named = grid(tmp_path, "named", before)
    with pytest.raises(PlanError, match="没有分类表") as caught:
        raster.change(zone(), bare, bare)
    assert len(caught.value.problems) == 2
    for keys in ({"min_patch_m2": -1}, {"tolerance_px": 9}):
        with pytest.raises(SiteError, match="最小图斑"):
            raster.change(zone(), named, named, **keys)
    twice = zone(pixels(0, 0), pixels(1, 1)).set_axis(["a", "a"], axis=0)
    with pytest.raises(SiteError, match="重复"):
        raster.change(twice, named, named)


# -------------------------------------------------------------------------------------------- shipped plans

SHIPPED = [
    path.stem
    for path in sorted((SCRIPTS / "sample_layers" / "drawn").glob("*.yaml"))
    if "land_cover" in yaml.safe_load(path.read_text(encoding="utf-8"))
]
ON = dt.date(2026, 11, 20)


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    drawn = yaml.safe_load((SCRIPTS / "sample_layers" / "drawn" / f"{request.param}.yaml").read_text(encoding="utf-8"))
    plan = es.open_plan(request.param)
    return plan, drawn["land_cover"], raster.watch(plan, on=ON)


def test_every_planted_change_of_a_shipped_plan_is_found_within_one_percent(shipped):
    plan, drawn, found = shipped
    whole = raster.watch(plan, kinds=["district"], on=ON).patches
    large = [item for item in drawn["planted"] if np.prod(item["pixels"]) * 100 >= 700 and "beside" not in item]
    assert len(large) >= 5
    assert len(whole) == len(large)
    for item in large:
        place = gpd.GeoSeries.from_xy([item["at"][0]], [item["at"][1]], crs="EPSG:4490").to_crs(plan.crs).iloc[0]
        (row,) = whole[whole.geometry.distance(place) < 20].itertuples()
        assert (row.from_cover, row.to_cover) == (item["from"], item["to"]), item["name"]
        assert row.patch_area_m2 == pytest.approx(np.prod(item["pixels"]) * 100, rel=0.01), item["name"]
    assert found.zones["dismissed_m2"].max() > 10000  # wrongly read pixels and a shifted edge are in the pictures


def test_a_shipped_land_cover_has_the_trees_that_were_written_down(shipped):
    plan, drawn, found = shipped
    share = found.indicators.loc["tree_cover"]
    assert share["old"] == pytest.approx(drawn["tree_cover"], abs=2e-4)
    assert share["old_low"] < share["old"] < share["old_high"]
    # As near to the limit as can be: nobody can tell.
    assert raster.judge([share["old_low"]], [share["old_high"]], ">=", drawn["tree_cover"]) == ["cannot_tell"]
    assert plan.trouble(drawn["files"][0].removesuffix(".tif")) is None


def test_what_is_inspected_first(shipped):
    _, drawn, found = shipped
    patches = found.patches
    # A patch has a row for each of its zones, and is counted once.
    planted = [item for item in drawn["planted"] if np.prod(item["pixels"]) * 100 >= 700 and "beside" not in item]
    assert sorted(set(patches["patch"])) == list(range(1, len(planted) + 1))
    several = "（涉及几个管控区的分列）" if len(patches) > len(planted) else ""
    assert changes_text(found).splitlines()[0].endswith(f"，{len(planted)} 处变化图斑{several}")
    assert patches["patch_id"].tolist() == list(range(1, len(patches) + 1))
    order = {"prohibited": 0, "restricted": 1, "none": 2}
    losses = patches[patches["concern"] != "其他变化"]
    assert losses["severity"].map(order).is_monotonic_increasing
    assert losses["severity"].iloc[0] == "prohibited"
    assert (losses["rule_ids"] != "").any()
    # The district has only what no other zone has.
    of_district = patches[patches["kind"] == "district"]
    # Rules for the whole district ask what a project is; they do not make one place worse than another.
    assert set(of_district["severity"]) <= {"none"}
    assert (of_district["rule_ids"] == "").all()
    assert of_district["patch"].is_unique
    others = shapely.union_all(patches[patches["kind"] != "district"].geometry.to_numpy())
    assert shapely.area(shapely.intersection(of_district.geometry.to_numpy(), others)).max(initial=0) < 0.01


# ------------------------------------------------------------------------------------------ how strict a zone is


def of_zone(*rules, columns=(("river", "新孟河"),), **options):
    zone_row = pd.Series(dict(columns), dtype=object)
    return monitor.severity(rules, "bank_line", zone_row, **options)


def made_rule(id_, effect, **keys):
    cite = Cite("条例", None, None, None if keys.pop("unread", False) else dt.date(2026, 11, 20))
    keys = {"relation": "near", "layer": "bank_line", "within_m": 100.0, "since": dt.date(2020, 1, 1), **keys}
    return Rule(id=id_, title=id_, effect=effect, cite=cite, **keys)


def test_a_duty_says_nothing_of_a_zone():
    assert of_zone(made_rule("D", "duty")).effect == "none"
    both = of_zone(made_rule("D", "duty"), made_rule("R", "restricted"))
    assert (both.effect, both.rules) == ("restricted", ("R",))


@pytest.mark.parametrize(
    ("keys", "settled", "sure"),
    [
        ({}, None, True),
        ({"unread": True}, None, False),
        ({"not_stated": ("distance",)}, None, False),
        ({"not_stated": ("distance",)}, Settlement(50.0, False, "某局", dt.date(2026, 12, 1)), True),
        ({"not_stated": ("list",)}, Settlement(50.0, False, "某局", dt.date(2026, 12, 1)), False),
        ({"not_stated": ("list",)}, Settlement(None, True, "某局", dt.date(2026, 12, 1)), True),
    ],
)
def test_a_rule_whose_basis_is_open_is_no_sure_one(keys, settled, sure):
    found = of_zone(made_rule("P", "prohibited", **keys), settled={} if settled is None else {"P": settled})
    assert (found.effect, found.verified) == ("prohibited", sure)


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("新孟河", "prohibited"),
        ("新孟河（常州段）", "prohibited"),
        ("新孟河支河", "prohibited"),
        ("采菱港", "none"),
        (None, "prohibited"),
    ],
)
def test_a_zone_whose_name_may_mean_that_of_a_rule_counts(name, effect):
    one = made_rule("P", "prohibited", where=(("river", ("新孟河",)),))
    assert of_zone(one, columns=(("river", name),)).effect == effect
    assert (
        of_zone(one, columns=(("river", "新孟河支河"),), confirmed={"river": frozenset({"新孟河支河"})}).effect
        == "none"
    )


@pytest.mark.parametrize(("old_m", "new_m"), [(5.0, 260.0), (260.0, 5.0), (None, 260.0)])
def test_of_two_pictures_the_less_accurate_one_counts(tmp_path, old_m, new_m):
    # The patch lies 200 m deep in its zone (see above): more than one picture may be off, less than the other.
    before = np.full((SIDE, SIDE), CROP)
    after = before.copy()
    after[10:20, 20:40] = BUILT
    first, second = grid(tmp_path, "old", before), grid(tmp_path, "new", after)
    zones = zone(accuracy_m=[0.0])
    sure = raster.change(zones, replace(first, accuracy_m=5.0), replace(second, accuracy_m=5.0)).patches
    assert sure["certain"].tolist() == [True]
    found = raster.change(zones, replace(first, accuracy_m=old_m), replace(second, accuracy_m=new_m)).patches
    assert found["certain"].tolist() == [False]
