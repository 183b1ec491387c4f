"""Zones on a grid, against arithmetic and against a grid taken apart into polygons."""

from __future__ import annotations

import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from made_rasters import COVER, CROP, NORTH, STEP, TREE, WATER, WEST, brute_force, pixels, star, write
from pyproj import Geod

from ecospatial import raster
from ecospatial.errors import CrsError, PlanError, SiteError

ROWS = np.arange(16, dtype=np.uint8).reshape(4, 4)  # 0 1 2 3 / 4 5 6 7 / ...


def zones(*shapes, crs="EPSG:4549", index=None):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs, index=index)


@pytest.fixture
def counted(tmp_path):
    return write(tmp_path / "counted.tif", ROWS)


@pytest.fixture
def cover(tmp_path):
    """Ten by ten pixels: trees in the west, crops in the east, a row of water in the north."""
    values = np.full((10, 10), CROP, dtype=np.uint8)
    values[:, :5] = TREE
    values[0] = WATER
    return raster.read_grid(write(tmp_path / "cover.tif", values), classes=COVER)


# ------------------------------------------------------------------------------------------- statistics


def test_every_pixel_counts_by_the_share_a_zone_covers(counted):
    # Half of pixel 5, all of pixel 6, half of pixel 7.
    zone = shapely.box(WEST + 15, NORTH - 20, WEST + 35, NORTH - 10)
    found = raster.zonal(zones(zone), counted, ["count", "sum", "mean", "min", "max", "variety", "median"]).iloc[0]
    assert found["count"] == pytest.approx(2)
    assert found["sum"] == pytest.approx(12)
    assert found["mean"] == pytest.approx(6)
    assert (found["min"], found["max"], found["variety"], found["median"]) == (5, 7, 3, 6)
    assert found["area_m2"] == pytest.approx(200, rel=1e-6)
    assert found["valid_share"] == 1


def test_deviations_and_quantiles(counted):
    found = raster.zonal(zones(pixels(0, 0, 4, 1)), counted, ["stdev", "variance", "p0", "p100", "majority"]).iloc[0]
    assert found["variance"] == pytest.approx(1.25)  # 0 1 2 3
    assert found["stdev"] == pytest.approx(1.25**0.5)
    assert (found["p0"], found["p100"]) == (0, 3)


def test_every_quantile_is_found(tmp_path):
    path = write(tmp_path / "q.tif", np.arange(101, dtype=np.uint8)[None])
    found = raster.zonal(zones(pixels(0, 0, 101, 1)), path, [f"p{q}" for q in range(101)]).iloc[0, 2:]
    assert np.abs(found.to_numpy() - np.arange(101)).max() <= 1


def test_weights(tmp_path, counted):
    weights = write(tmp_path / "w.tif", np.where(ROWS == 3, 3.0, 1.0))
    found = raster.zonal(zones(pixels(0, 0, 4, 1)), counted, ["mean", "sum"], weights=weights).iloc[0]
    assert found["mean"] == pytest.approx((0 + 1 + 2 + 3 * 3) / 6)
    assert found["sum"] == pytest.approx(12)


def test_shares_and_areas_of_classes(cover):
    found = raster.zonal(zones(pixels(0, 0, 10, 10), pixels(4, 4, 2, 2)), cover)
    assert found["share_tree"].tolist() == pytest.approx([0.45, 0.5])
    assert found["share_water"].tolist() == pytest.approx([0.1, 0])
    assert found["area_m2_crop"].tolist() == pytest.approx([4500, 200], rel=1e-6)
    assert found["mu_crop"].tolist() == pytest.approx([6.75, 0.3], rel=1e-6)
    assert list(found)[2:5] == ["share_tree", "area_m2_tree", "mu_tree"]


def test_numbers_without_a_name_are_said(tmp_path):
    grid = raster.read_grid(write(tmp_path / "a.tif", np.array([[1, 77]], dtype=np.uint8)), classes=COVER)
    found = raster.zonal(zones(pixels(0, 0, 2, 1)), grid).iloc[0]
    assert (found["share_tree"], found["share_unlabelled"]) == (0.5, 0.5)
    low, high = raster.indicators(zones(pixels(0, 0, 2, 1)), grid, ["tree_cover"]).iloc[0][
        ["tree_cover_low", "tree_cover_high"]
    ]
    assert (low, high) == (0.5, 1.0)


def test_worldcover_is_known_by_its_table(tmp_path):
    from ecospatial.plans import CLASS_TABLES

    values = np.array([[10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100]], dtype=np.uint8)
    grid = raster.read_grid(write(tmp_path / "wc.tif", values), classes=CLASS_TABLES["worldcover"])
    found = raster.zonal(zones(pixels(0, 0, 11, 1)), grid).iloc[0]
    assert found["share_tree"] == pytest.approx(2 / 11)  # trees and mangroves
    assert found["share_wetland"] == pytest.approx(1 / 11)
    assert "share_unlabelled" not in found


@pytest.mark.parametrize("seed", range(4))
def test_random_zones_against_a_grid_taken_apart(tmp_path, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 5, (30, 30)).astype(np.uint8)
    valid = rng.random((30, 30)) > 0.1
    path = write(tmp_path / "r.tif", np.where(valid, values, 255).astype(np.uint8), nodata=255)
    shapes = [star(rng, WEST + rng.uniform(-20, 320), NORTH - rng.uniform(-20, 320), 120) for _ in range(25)]
    shapes += [star(rng, WEST + 150, NORTH - 150, 3), shapely.union_all(shapes[:3])]
    shapes.append(shapely.difference(shapely.box(WEST, NORTH - 300, WEST + 300, NORTH), shapes[0]))
    found = raster.zonal(zones(*shapes), path, ["shares", "mean", "count"])
    for (_, row), zone in zip(found.iterrows(), shapes, strict=True):
        area, value = brute_force(zone, values, valid)
        assert row["valid_share"] == pytest.approx(area.sum() / zone.area, abs=1e-6)
        if area.sum() == 0:
            assert np.isnan(row["mean"])
            continue
        assert row["mean"] == pytest.approx((area * value).sum() / area.sum(), abs=1e-6)
        assert row["count"] == pytest.approx(area.sum() / STEP**2, abs=1e-4)
        for number in range(1, 5):
            assert row[f"share_{number}"] == pytest.approx(area[value == number].sum() / area.sum(), abs=1e-6)


def test_several_processes_give_the_same(tmp_path):
    rng = np.random.default_rng(5)
    path = write(tmp_path / "r.tif", rng.integers(1, 9, (200, 200)).astype(np.uint8))
    shapes = [star(rng, WEST + rng.uniform(0, 2000), NORTH - rng.uniform(0, 2000), 150) for _ in range(40)]
    one, two = (raster.zonal(zones(*shapes), path, ["shares", "mean"], jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_the_callers_index_and_frame_stay(counted):
    given = zones(pixels(1, 1), None, shapely.Polygon(), pixels(90, 90), pixels(2, 2), index=list("dbeca"))
    before = given.copy()
    found = raster.zonal(given, counted, ["mean", "count", "shares"])
    assert found.index.tolist() == list("dbeca")
    assert found["mean"].tolist() == pytest.approx([5, np.nan, np.nan, np.nan, 10], nan_ok=True)
    assert found["count"].tolist() == [1, 0, 0, 0, 1]
    assert found["area_m2"].round(3).tolist() == [100, 0, 0, 100, 100]
    assert found["valid_share"].tolist() == pytest.approx([1, np.nan, np.nan, 0, 1], nan_ok=True)
    assert found["share_5"].tolist() == pytest.approx([1, np.nan, np.nan, np.nan, 0], nan_ok=True)
    pd.testing.assert_frame_equal(given, before)


def test_zones_in_another_crs(counted):
    zone = zones(pixels(0, 0, 4, 4), pixels(1, 1, 2, 2))
    same = raster.zonal(zone, counted, ["mean", "sum"])
    other = raster.zonal(zone.to_crs("EPSG:4490"), counted, ["mean", "sum"])
    assert np.allclose(same, other, rtol=1e-6)
    prefixed = raster.zonal(zone.to_crs("EPSG:4528"), counted, ["mean", "sum"])
    assert np.allclose(same, prefixed, rtol=1e-9)


def test_a_grid_in_degrees_weighs_pixels_by_their_area(tmp_path):
    # One degree high, so that the southern pixels are clearly wider: values 1 in the north, 3 in the south.
    values = np.repeat(np.array([[1], [3]], dtype=np.uint8), 4, axis=1)
    path = write(tmp_path / "deg.tif", values, crs="EPSG:4490", west=118.0, north=32.0, step=0.5)
    zone = zones(shapely.box(118, 31, 120, 32), shapely.box(117, 31, 119, 32), crs="EPSG:4490")
    found = raster.zonal(zone, path, ["mean", "shares"])
    geod = Geod(ellps="GRS80")
    north, south = (
        abs(geod.geometry_area_perimeter(shapely.segmentize(shapely.box(118, y, 120, y + 0.5), 0.01))[0])
        for y in (31.5, 31.0)
    )
    assert found["area_m2"].iloc[0] == pytest.approx(north + south, rel=1e-6)
    assert found["mean"].iloc[0] == pytest.approx((north + 3 * south) / (north + south), abs=1e-4)
    assert found["area_m2_3"].iloc[0] == pytest.approx(south, rel=1e-4)
    assert found["valid_share"].tolist() == pytest.approx([1.0, 0.5], abs=1e-6)
    counted_evenly = 2.0
    assert abs(found["mean"].iloc[0] - counted_evenly) > 0.002  # what this test is there to find


# ---------------------------------------------------------------------------------------------- no data


@pytest.mark.parametrize(
    ("dtype", "nodata", "hole"),
    [
        ("uint8", 255, 255),
        ("uint8", 0, 0),
        ("int16", -9999, -9999),
        ("float32", -9999.0, -9999.0),
        ("float32", -3.4028234663852886e38, -3.4028234663852886e38),
        ("float32", float("nan"), float("nan")),
        ("float64", None, float("nan")),
        ("float32", 1e20, 1e20),
    ],
)
def test_no_data_is_not_a_value(tmp_path, dtype, nodata, hole):
    values = np.full((2, 4), 7, dtype=dtype)
    values[:, 2:] = hole
    path = write(tmp_path / "n.tif", values, nodata=nodata)
    found = raster.zonal(zones(pixels(0, 0, 4, 2)), path, ["mean", "max", "count"]).iloc[0]
    assert (found["mean"], found["max"], found["count"], found["valid_share"]) == (7, 7, 4, 0.5)


def test_a_mask_counts(tmp_path):
    path = write(tmp_path / "m.tif", np.full((2, 4), 7, dtype=np.uint8), mask=[[1, 1, 0, 0], [1, 1, 1, 1]])
    found = raster.zonal(zones(pixels(0, 0, 4, 2)), path, ["sum", "count"]).iloc[0]
    assert (found["sum"], found["count"], found["valid_share"]) == (42, 6, 0.75)


def test_a_no_data_value_that_no_pixel_can_have_is_none(tmp_path):
    # -9999 among bytes is 241 when it is cut to eight bits.
    path = write(tmp_path / "i.tif", np.full((1, 2), 241, dtype=np.uint8))
    with rasterio.open(path, "r+") as file:
        file.nodata = -9999
    found = raster.zonal(zones(pixels(0, 0, 2, 1)), path, ["mean", "shares"]).iloc[0]
    assert (found["mean"], found["share_241"], found["valid_share"]) == (241, 1, 1)


def test_scale_and_offset_are_applied(tmp_path):
    path = write(tmp_path / "s.tif", np.array([[10, 20, 255]], dtype=np.uint8), scale=(0.5, 100), nodata=255)
    found = raster.zonal(zones(pixels(0, 0, 3, 1)), path, ["mean", "count"]).iloc[0]
    assert (found["mean"], found["count"]) == (107.5, 2)


def test_a_raster_of_one_pixel(tmp_path):
    path = write(tmp_path / "one.tif", np.array([[4]], dtype=np.uint8))
    found = raster.zonal(zones(pixels(0, 0), shapely.box(WEST + 5, NORTH - 5, WEST + 15, NORTH + 5)), path, ["mean"])
    assert found["mean"].tolist() == [4, 4]
    assert found["valid_share"].tolist() == [1, 0.25]


# ---------------------------------------------------------------------------------------------- refusals


def test_what_is_no_zone_is_named(counted):
    with pytest.raises(SiteError, match="统计区 b：不是面") as caught:
        raster.zonal(zones(pixels(0, 0), shapely.Point(WEST, NORTH), index=list("ab")), counted)
    assert len(caught.value.problems) == 1
    with pytest.raises(CrsError, match="没有坐标系"):
        raster.zonal(gpd.GeoDataFrame(geometry=[pixels(0, 0)]), counted)


def test_an_old_datum_is_not_taken_for_a_new_one(tmp_path):
    path = write(tmp_path / "b54.tif", ROWS, crs="EPSG:2437")
    with pytest.raises(CrsError, match="基准面"):
        raster.zonal(zones(pixels(0, 0)), path)


def test_unknown_questions(tmp_path, counted):
    with pytest.raises(SiteError, match="没有统计量 average"):
        raster.zonal(zones(pixels(0, 0)), counted, ["mean", "average"])
    with pytest.raises(PlanError, match="没有第 2 波段"):
        raster.zonal(zones(pixels(0, 0)), counted, band=2)
    decimals = write(tmp_path / "f.tif", ROWS.astype(np.float32))
    with pytest.raises(PlanError, match="像元是小数"):
        raster.zonal(zones(pixels(0, 0)), decimals)


# ------------------------------------------------------------------------------------------------- size

HUGE = """
import resource, sys
import geopandas, numpy, rasterio, shapely
from affine import Affine
from rasterio.windows import Window
from ecospatial import raster

path, side = sys.argv[1], 100_000
with rasterio.open(path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint8", crs="EPSG:4549",
                   transform=Affine(10, 0, 0, 0, -10, 4_000_000), tiled=True, blockxsize=512, blockysize=512,
                   compress="deflate", nodata=255, sparse_ok=True, bigtiff="yes") as file:
    for start in range(0, side - 2048, 20_480):
        file.write(numpy.full((1, 1024, 1024), start % 7 + 1, dtype="uint8"), window=Window(start, start, 1024, 1024))
corners = [(start * 10, 4_000_000 - (start + 1024) * 10) for start in range(0, side - 2048, 20_480)]
boxes = [shapely.box(x, y, x + 10_240, y + 10_240) for x, y in corners]
boxes.append(shapely.box(0, 3_950_000, 150_000, 3_999_000))  # 15 000 by 4 900 pixels
found = raster.zonal(geopandas.GeoDataFrame(geometry=boxes, crs="EPSG:4549"), path, ["mean", "count", "shares"])
assert found["mean"].iloc[:-1].tolist() == [start % 7 + 1 for start in range(0, side - 2048, 20_480)], found
assert found["count"].iloc[-1] == 924 * 1024, found["count"].iloc[-1]  # rows 100 to 1023 of the first block
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_a_grid_of_ten_thousand_million_pixels_takes_little_memory(tmp_path):
    command = [sys.executable, "-c", HUGE, str(tmp_path / "huge.tif")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1000  # MB


def test_a_worker_process_starts_without_tables():
    heavy = "{'pandas', 'geopandas', 'pyogrio'}"
    probe = f"import sys, ecospatial.raster._exactextract; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
