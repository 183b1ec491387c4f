"""Indicators of the ground: shares with the range that borders between classes leave open."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from made_rasters import BUILT, COVER, CROP, GRASS, NORTH, TREE, WATER, WEST, pixels, write

from ecospatial import raster
from ecospatial.errors import CrsError, PlanError, SiteError


def zone(*shapes):
    return gpd.GeoDataFrame(geometry=list(shapes) or [pixels(0, 0, 20, 20)], crs="EPSG:4549")


def grid(folder, values, **keys):
    return raster.read_grid(write(folder / "c.tif", np.asarray(values, dtype=np.uint8), **keys), classes=COVER)


def halves():
    values = np.full((20, 20), CROP)
    values[:, :10] = TREE
    return values


# -------------------------------------------------------------------------------------- the possible range


def test_a_straight_border_may_lie_half_a_pixel_off(tmp_path):
    found = raster.indicators(zone(), grid(tmp_path, halves()), ["tree_cover"]).iloc[0]
    assert found["tree_cover"] == pytest.approx(0.5)
    # 200 m of border, 5 m to either side, in 40 000 m2.
    assert found["tree_cover_high"] - 0.5 == pytest.approx(1000 / 40000, abs=1e-6)
    assert 0.5 - found["tree_cover_low"] == pytest.approx(1000 / 40000, abs=1e-6)


def test_only_the_border_inside_the_zone_counts(tmp_path):
    found = raster.indicators(zone(pixels(0, 0, 8, 20)), grid(tmp_path, halves()), ["tree_cover"]).iloc[0]
    assert found[["tree_cover", "tree_cover_low", "tree_cover_high"]].tolist() == [1, 1, 1]


def test_moving_the_border_by_half_a_pixel_stays_within_the_range(tmp_path):
    wood = np.zeros((20, 20), dtype=bool)
    wood[4:12, 3:9], wood[9:12, 9:16] = True, True
    found = raster.indicators(zone(), grid(tmp_path, np.where(wood, TREE, CROP)), ["tree_cover"]).iloc[0]
    drawn = shapely.union_all([pixels(c, r) for r, c in np.argwhere(wood)])
    grown, shrunk = (shapely.buffer(drawn, by, join_style="mitre").area / 40000 for by in (5, -5))
    # Sides are counted, corners are not: the four corners that stand out beyond those that go in, 25 m2 each.
    assert found["tree_cover_high"] == pytest.approx(grown - 100 / 40000, abs=1e-6)
    assert found["tree_cover_low"] == pytest.approx(shrunk - 100 / 40000, abs=1e-6)


def test_what_is_not_known_may_be_anything(tmp_path):
    values = halves()
    values[:5] = 0  # not in the table
    found = raster.indicators(zone(), grid(tmp_path, values), ["tree_cover"]).iloc[0]
    assert found["valid_share"] == 0.75
    assert found["tree_cover"] == pytest.approx(0.5)  # of what is known
    assert found["tree_cover_low"] == pytest.approx(0.375 - 750 / 40000)
    assert found["tree_cover_high"] == pytest.approx(0.375 + 750 / 40000 + 0.25)


def test_a_zone_beyond_the_grid_tells_nothing(tmp_path):
    found = raster.indicators(zone(pixels(500, 500)), grid(tmp_path, halves()), ["tree_cover"]).iloc[0]
    assert found["valid_share"] == 0
    assert np.isnan(found["tree_cover"])
    assert (found["tree_cover_low"], found["tree_cover_high"]) == (0, 1)


# ------------------------------------------------------------------------------------------------ targets


def test_a_target_near_the_limit_can_not_be_told():
    # The share is 0.50, and may be from 0.475 to 0.525.
    at_least = {0.47: "met", 0.475: "met", 0.48: "cannot_tell", 0.52: "cannot_tell", 0.53: "missed"}
    for target, expected in at_least.items():
        assert raster.judge([0.475], [0.525], ">=", target).tolist() == [expected]
    for target, expected in {0.47: "missed", 0.48: "cannot_tell", 0.525: "met"}.items():
        assert raster.judge([0.475], [0.525], "<=", target).tolist() == [expected]
    with pytest.raises(SiteError, match="不认识的比较"):
        raster.judge([0], [1], "=", 0.5)


# ------------------------------------------------------------------------------------------ each indicator


def test_indicators_are_of_the_right_classes(tmp_path):
    values = np.full((20, 20), BUILT)
    values[:2], values[2:5], values[5:9] = TREE, GRASS, WATER
    found = raster.indicators(zone(), grid(tmp_path, values)).iloc[0]
    shares = {name: found[name] for name in raster.INDICATORS}
    assert shares == pytest.approx(
        {
            "tree_cover": 0.10,
            "forest_cover": 0.10,
            "green_cover": 0.25,
            "water_share": 0.20,
            "impervious_share": 0.55,
            "natural_share": 0.45,
        }
    )


def test_a_wood_needs_one_mu(tmp_path):
    values = np.full((20, 20), CROP)
    values[0, :6] = TREE  # 600 m2: no wood
    values[5, :7] = TREE  # 700 m2: a wood
    values[10, 0] = values[11, 1] = TREE  # joined by a corner only
    values[15:, 15:] = TREE
    values[17, 17] = CROP  # a small gap stays a gap
    found = raster.indicators(zone(), grid(tmp_path, values), ["tree_cover", "forest_cover"]).iloc[0]
    assert found["tree_cover"] == pytest.approx((6 + 7 + 2 + 24) / 400)
    assert found["forest_cover"] == pytest.approx((7 + 24) / 400)


def test_a_wood_is_one_however_the_zones_cut_it(tmp_path):
    values = np.full((20, 20), CROP)
    values[8, 3:17] = TREE
    found = raster.indicators(zone(pixels(0, 0, 5, 20), pixels(5, 0, 15, 20)), grid(tmp_path, values), ["forest_cover"])
    assert (found["forest_cover"] * [100, 300]).tolist() == pytest.approx([2, 12])


def test_an_indicator_that_the_table_does_not_know_is_refused(tmp_path):
    path = write(tmp_path / "t.tif", np.full((2, 2), 1, dtype=np.uint8))
    made = raster.read_grid(path, classes={1: "tree", 2: "crop"})
    assert [name for name in raster.indicators(zone(), made) if name in raster.INDICATORS][:2] == [
        "tree_cover",
        "forest_cover",
    ]
    with pytest.raises(SiteError, match="水面率"):
        raster.indicators(zone(), made, ["water_share", "no_such"])
    with pytest.raises(PlanError, match="没有分类表"):
        raster.indicators(zone(), path)


# ---------------------------------------------------------------------------------------------------- NDVI


def bands(folder, red, nir, **keys):
    values = np.stack([np.full_like(red, 1), red, nir]).astype(np.int16)
    return raster.read_grid(write(folder / "b.tif", values, nodata=-1, **keys), bands={"red": 2, "nir": 3})


def test_ndvi_by_arithmetic(tmp_path):
    red, nir = np.full((4, 4), 1000), np.full((4, 4), 3000)  # 0.5
    nir[:, 2:] = 1000  # 0
    found = raster.ndvi(zone(pixels(0, 0, 4, 4), pixels(0, 0, 2, 4)), bands(tmp_path, red, nir), above=0.3)
    assert found["ndvi"].tolist() == pytest.approx([0.25, 0.5])
    assert found["green_share"].tolist() == pytest.approx([0.5, 1])
    # 40 m of border, 5 m to either side, in 1600 m2.
    assert found["green_share_low"].iloc[0] == pytest.approx(0.5 - 200 / 1600)
    # The second zone grown by 5 m takes in 5 m of the other half: 45 m by 40 m (the grid ends) hold 25 m of 0.5.
    assert found["ndvi_low"].iloc[1] == pytest.approx(0.5 * 20 / 25)
    assert found["ndvi_high"].iloc[1] == pytest.approx(0.5)


def test_ndvi_without_an_answer(tmp_path):
    red, nir = np.array([[0, 1000, -1]]), np.array([[0, 3000, 3000]])
    found = raster.ndvi(zone(pixels(0, 0, 3, 1)), bands(tmp_path, red, nir)).iloc[0]
    assert (found["ndvi"], found["valid_share"]) == (0.5, pytest.approx(1 / 3))


def test_the_offset_of_newer_sentinel_products_counts(tmp_path):
    red, nir = np.full((2, 2), 2000), np.full((2, 2), 4000)  # 1000 and 3000 with the offset: 0.5, without it 0.33
    found = raster.ndvi(zone(pixels(0, 0, 2, 2)), bands(tmp_path, red, nir, scale=(0.0001, -0.1))).iloc[0]
    assert found["ndvi"] == pytest.approx(0.5)


def test_ndvi_needs_to_know_the_bands(tmp_path):
    with pytest.raises(PlanError, match="red 和 nir"):
        raster.ndvi(zone(), write(tmp_path / "b.tif", np.full((3, 2, 2), 1, dtype=np.int16)))


# ---------------------------------------------------------------------------------------------------- banks


def river(folder):
    """A river 60 m wide from south to north through 400 m: trees west of it, buildings east of it."""
    values = np.full((40, 40), BUILT)
    values[:, :17], values[:, 17:23] = TREE, WATER
    made = raster.read_grid(write(folder / "r.tif", values.astype(np.uint8), north=NORTH + 300), classes=COVER)
    return made, shapely.box(WEST + 170, NORTH - 100, WEST + 230, NORTH + 300)


def test_one_bank_of_two_is_natural(tmp_path):
    made, water = river(tmp_path)
    inside = shapely.box(WEST, NORTH - 50, WEST + 400, NORTH + 250)  # leaves the ends out
    found = raster.ecological_bank(zone(water), made, inside=inside).iloc[0]
    assert found["length_m"] == pytest.approx(600)
    assert found["known_m"] == pytest.approx(600)
    assert (found["share"], found["share_low"], found["share_high"]) == (0.5, 0.5, 0.5)
    assert found.geometry.length == pytest.approx(600)


def test_a_bank_line_looks_to_both_sides(tmp_path):
    made, _ = river(tmp_path)
    line = shapely.LineString([(WEST + 170, NORTH - 50), (WEST + 170, NORTH + 250)])
    found = raster.ecological_bank(zone(line), made, within_m=40).iloc[0]
    assert (found["length_m"], found["share"]) == (pytest.approx(300), 1)  # trees on land, water on the other side


def test_a_stretch_near_the_limit_is_open(tmp_path):
    values = np.full((40, 40), BUILT)
    values[:, 17:23] = WATER
    values[:20, 23:26] = TREE  # the strip of the eastern bank is half trees in the stretch in the middle
    made = raster.read_grid(write(tmp_path / "r.tif", values.astype(np.uint8), north=NORTH + 300), classes=COVER)
    line = shapely.LineString([(WEST + 230, NORTH - 100), (WEST + 230, NORTH + 300)])
    found = raster.ecological_bank(zone(line), made, stretch_m=400).iloc[0]
    assert found["share_low"] == 0
    assert found["share_high"] == 1


def test_rivers_that_meet_have_no_bank_where_they_meet(tmp_path):
    made, water = river(tmp_path)
    branch = shapely.box(WEST + 200, NORTH + 90, WEST + 400, NORTH + 110)
    found = raster.ecological_bank(zone(water, branch), made)
    assert found["length_m"].tolist() == pytest.approx([400 + 380 + 2 * 60, 2 * 170 + 20])


def test_banks_are_asked_in_metres_and_possible_numbers(tmp_path):
    made, water = river(tmp_path)
    with pytest.raises(SiteError, match="应大于 0"):
        raster.ecological_bank(zone(water), made, within_m=0)
    with pytest.raises(CrsError, match="投影"):
        raster.ecological_bank(zone(water).to_crs("EPSG:4490"), made)
