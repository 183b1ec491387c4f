"""Which files are read as grids: broken, turned, unlabelled, disguised ones are refused clearly."""

from __future__ import annotations

import os
import sys

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from made_rasters import NORTH, STEP, WEST, pixels, rotated, write
from rasterio.control import GroundControlPoint

from ecospatial import raster
from ecospatial.errors import CrsError, EcospatialError, PlanError, SiteError

ROWS = np.arange(16, dtype=np.uint8).reshape(4, 4)


def mean(path, **keys):
    zone = gpd.GeoDataFrame(geometry=[pixels(0, 0, 4, 4)], crs="EPSG:4549")
    return raster.zonal(zone, raster.read_grid(path, **keys), ["mean"])["mean"].iloc[0]


def test_a_header_is_read_without_pixels(tmp_path):
    grid = raster.read_grid(write(tmp_path / "a.tif", np.stack([ROWS, ROWS]), nodata=3))
    assert (grid.width, grid.height, grid.count, grid.dtype, grid.nodata) == (4, 4, 2, "uint8", 3)
    assert grid.bounds == (WEST, NORTH - 4 * STEP, WEST + 4 * STEP, NORTH)
    assert grid.crs.to_epsg() == 4549
    assert grid.pixel_m == pytest.approx((STEP, STEP), rel=1e-4)
    assert grid.name == "a"


def test_the_pixel_of_a_grid_in_degrees_is_told_in_metres(tmp_path):
    path = write(tmp_path / "d.tif", ROWS, crs="EPSG:4326", west=120.0, north=32.0, step=1 / 12000)
    assert raster.read_grid(path).pixel_m == pytest.approx((7.87, 9.24), abs=0.01)  # ESA WorldCover at 32 degrees


# ---------------------------------------------------------------------------------------------- placing


def test_a_turned_grid_is_refused(tmp_path):
    with pytest.raises(PlanError, match="旋转"):
        raster.read_grid(write(tmp_path / "t.tif", ROWS, turn=rotated()))


@pytest.mark.parametrize("factors", [(1, 1), (-1, -1)])
def test_a_grid_upside_down_or_mirrored_is_refused(tmp_path, factors):
    turn = rasterio.Affine(STEP * factors[0], 0, WEST, 0, STEP * factors[1], NORTH)
    with pytest.raises(PlanError, match="颠倒"):
        raster.read_grid(write(tmp_path / "u.tif", ROWS, turn=turn))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_picture_without_a_place_is_refused(tmp_path):
    with pytest.raises(PlanError, match="没有地理参考"):
        raster.read_grid(write(tmp_path / "p.tif", ROWS, turn=rasterio.Affine.identity()))
    points = [GroundControlPoint(row, col, WEST + col, NORTH - row) for row in (0, 4) for col in (0, 4)]
    path = tmp_path / "g.tif"
    profile = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "uint8", "crs": "EPSG:4549"}
    with rasterio.open(path, "w", gcps=points, **profile) as file:
        file.write(ROWS, 1)
    with pytest.raises(PlanError, match="GCP"):
        raster.read_grid(path)


def test_a_grid_without_a_label_needs_one(tmp_path):
    path = write(tmp_path / "n.tif", ROWS, crs=None)
    with pytest.raises(CrsError, match="栅格没有坐标系"):
        raster.read_grid(path)
    assert mean(path, crs="EPSG:4549") == 7.5
    with pytest.raises(CrsError, match="无法识别"):
        raster.read_grid(path, crs="EPSG:99999")
    with pytest.raises(CrsError, match="gcj02"):
        raster.read_grid(path, crs="gcj02")


def test_two_labels_must_agree(tmp_path):
    path = write(tmp_path / "c.tif", ROWS)
    assert mean(path, crs="EPSG:4549") == 7.5
    with pytest.raises(CrsError, match="矛盾"):
        raster.read_grid(path, crs="EPSG:4548")


# ---------------------------------------------------------------------------------------------- content


def test_complex_numbers_are_refused(tmp_path):
    with pytest.raises(PlanError, match="complex64"):
        raster.read_grid(write(tmp_path / "z.tif", ROWS.astype(np.complex64)))


def test_classes_and_bands_must_fit(tmp_path):
    decimals = write(tmp_path / "f.tif", ROWS.astype(np.float32))
    with pytest.raises(PlanError) as caught:
        raster.read_grid(decimals, classes={1: "tree", 2: "forest"}, bands={"red": 1, "nir": 4})
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert all(part in text for part in ("没有第 4 波段", "应为整数", "没有类别 forest"))


def test_tables_are_known_by_name(tmp_path):
    path = write(tmp_path / "w.tif", np.full((4, 4), 80, dtype=np.uint8))
    assert raster.read_grid(path, classes="worldcover").classes[80] == "water"
    with pytest.raises(PlanError, match=r"没有名为 worldcovr 的表.*worldcover、sentinel2_scl"):
        raster.read_grid(path, classes="worldcovr")
    with pytest.raises(PlanError, match="没有第 3 波段（red）"):
        raster.read_grid(path, bands="sentinel2_10m")


def test_a_broken_file_is_named(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (600, 600)).astype(np.uint8)
    whole = write(tmp_path / "w.tif", noise, compress="deflate").read_bytes()
    head = tmp_path / "head.tif"
    head.write_bytes(whole[:6])
    with pytest.raises(PlanError, match=r"head\.tif：不是可以读取的 GeoTIFF"):
        raster.read_grid(head)
    holed = tmp_path / "holed.tif"
    holed.write_bytes(whole[:2000] + b"\0" * 4000 + whole[6000:])
    zone = gpd.GeoDataFrame(geometry=[pixels(0, 0, 600, 600)], crs="EPSG:4549")
    with pytest.raises(PlanError, match=r"holed\.tif：不是可以读取的 GeoTIFF"):
        raster.zonal(zone, holed, ["mean"])
    good = tmp_path / "w.tif"
    with pytest.raises(PlanError, match=r"holed\.tif"):
        raster.zonal(zone, good, ["mean"], weights=holed)


# ------------------------------------------------------------------------------------------------- door


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/a.tif",
        "/vsicurl/https://example.org/a.tif",
        "/vsizip/a.zip/a.tif",
        "GTIFF_DIR:1:a.tif",
        "NETCDF:a.nc:v",
        "a.vrt",
        "a.img",
        "missing.tif",
        "",
    ],
)
def test_only_a_tiff_on_this_disk_is_opened(source):
    with pytest.raises(SiteError):
        raster.read_grid(source)


VRT = f"""<VRTDataset rasterXSize="4" rasterYSize="4"><GeoTransform>{WEST}, 10, 0, {NORTH}, 0, -10</GeoTransform>
<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>a.tif</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize("content", [VRT.encode(), b"\x89PNG\r\n\x1a\n0000", b"P5 4 4 255\n", b"", b"GIF89a"])
def test_another_content_under_the_name_is_refused(tmp_path, content):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(SiteError, match=r"a\.tif"):
        raster.read_grid(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes among the files there")
def test_a_pipe_or_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "p.tif")
    (tmp_path / "d.tif").mkdir()
    for name in ("p.tif", "d.tif"):
        with pytest.raises(SiteError):
            raster.read_grid(tmp_path / name)


def test_what_lies_beside_a_file_changes_nothing(tmp_path):
    path = write(tmp_path / "a.tif", ROWS)
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform><PAMRasterBand band='1'>"
        "<NoDataValue>15</NoDataValue><Offset>100</Offset></PAMRasterBand></PAMDataset>"
    )
    (tmp_path / "a.tfw").write_text("1\n0\n0\n-1\n0\n0\n")
    write(tmp_path / "a.tif.msk", np.zeros((4, 4), dtype=np.uint8))
    write(tmp_path / "a.tif.ovr", np.full((2, 2), 99, dtype=np.uint8))
    assert mean(path) == 7.5
    bare = write(tmp_path / "b.tif", ROWS, crs=None, turn=rotated(0))
    (tmp_path / "b.tfw").write_text("10\n0\n0\n-10\n0\n0\n")
    assert raster.read_grid(bare, crs="EPSG:4549").west == WEST


def test_without_the_extra_the_message_names_it(tmp_path, monkeypatch):
    from ecospatial.raster import _compat

    path = write(tmp_path / "a.tif", ROWS)
    _compat._loaded.cache_clear()
    monkeypatch.setitem(sys.modules, "exactextract", None)
    try:
        assert not raster.available()
        with pytest.raises(EcospatialError, match=r'pip install "ecospatial\[raster\]"'):
            raster.read_grid(path)
    finally:
        _compat._loaded.cache_clear()
