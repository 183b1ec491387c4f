"""One grid: a GeoTIFF looked at before a pixel of it is read, and refused when it can not be placed.

GDAL follows names beside a file (side files that change no-data, georeference or pixels without changing the hash) and
inside it; only the GeoTIFF driver is let in here, and only with the file itself.
"""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Geod

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.raster._compat import libraries

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from pathlib import Path

    from ecospatial.plans import Plan

CACHE_MB = 128
# Nothing but the file itself: no .aux.xml, .ovr, .msk or world file beside it, which its hash does not cover.
_ALONE = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO", "GDAL_CACHEMAX": CACHE_MB}
_SQUARE = 1e-9


@dataclass(frozen=True, slots=True)
class Grid:
    """A GeoTIFF as its header describes it; north is up, x is east.

    ``west`` and ``north`` are the outer corner of the first pixel, ``step_x`` and ``step_y`` the size of a pixel,
    positive, all in ``crs`` units. ``classes`` and ``bands`` say what values and bands mean (``plans.Pixels``).
    """

    path: Path
    crs: CRS
    west: float
    north: float
    step_x: float
    step_y: float
    width: int
    height: int
    count: int
    dtype: str
    nodata: float | None = None
    classes: Mapping[int, str] = field(default_factory=dict)
    bands: Mapping[str, int] = field(default_factory=dict)
    date: dt.date | None = None
    name: str = ""
    accuracy_m: float | None = None

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in ``crs`` units."""
        east = self.west + self.width * self.step_x
        return self.west, self.north - self.height * self.step_y, east, self.north

    @property
    def pixel_m(self) -> tuple[float, float]:
        """Size of a pixel on the ground, metres east and north, at the middle of the grid."""
        west, south, east, north = self.bounds
        x, y = (west + east) / 2, (south + north) / 2
        corners = [(x, y), (x + self.step_x, y), (x, y + self.step_y)]
        points = np.asarray(shapely.points(corners), dtype=object)
        lon, lat = shapely.get_coordinates(crs_.transform(points, self.crs, crs_.CGCS2000)).T
        _, _, far = Geod(ellps="GRS80").inv([lon[0], lon[0]], [lat[0], lat[0]], lon[1:], lat[1:])
        return float(far[0]), float(far[1])

    @property
    def whole_numbers(self) -> bool:
        """Whether pixels hold whole numbers, as class numbers are."""
        return np.dtype(self.dtype).kind in "iu"


def read_grid(
    source: str | PathLike[str],
    *,
    crs: str | None = None,
    classes: str | Mapping[int, str] | None = None,
    bands: str | Mapping[str, int] | None = None,
) -> Grid:
    """Read and check the header of a GeoTIFF; no pixel is read.

    Parameters
    ----------
    source
        A ``.tif`` or ``.tiff`` file.
    crs
        The CRS, only when the file can not say.
    classes
        What the values mean: a table by name (``worldcover``, ``sentinel2_scl``), or value of the file to a word of
        ``plans.COVERS``.
    bands
        Which band sees what: a table by name (``sentinel2_10m``, ``sentinel2_l2a``), or ``blue``, ``green``, ``red``,
        ``nir``, ``swir`` to a number from 1.

    Returns
    -------
    Grid
        The header, which the functions of this room accept instead of a path.

    Raises
    ------
    SiteError
        The file may not be opened: an address, not a TIFF, not there.
    PlanError
        It is damaged, rotated, upside down, not placed on the ground, has no such band or holds complex numbers; a
        table is not known.
    CrsError
        It has no CRS and none is given, or the two contradict each other.
    """
    # Not at the top: a worker process gets its grids ready made, and starts without pandas.
    from ecospatial import io
    from ecospatial.plans import BAND_TABLES, CLASS_TABLES, COVERS

    path = io.safe_path(source, raster=True)
    meaning, roles = _table(path.name, classes, CLASS_TABLES), _table(path.name, bands, BAND_TABLES)
    with opened(path) as dataset:
        found = _header(path, dataset)
        own = None if dataset.crs is None else dataset.crs.to_wkt()
    found = replace(found, crs=_crs(path.name, own, crs), classes=meaning, bands=roles)
    faults = [
        Problem(path.name, None, f"没有第 {number} 波段（{role}），文件有 {found.count} 个波段", "请核对 bands")
        for role, number in found.bands.items()
        if number > found.count
    ]
    if found.classes and not found.whole_numbers:
        faults.append(Problem(path.name, None, f"分类栅格的像元应为整数，该文件是 {found.dtype}", "请转换为整数类型"))
    faults += [
        Problem(path.name, None, f"没有类别 {word}", f"可选：{'、'.join(COVERS)}")
        for word in sorted(set(found.classes.values()) - set(COVERS))
    ]
    if faults:
        raise PlanError(faults)
    return found


def _table(name: str, wanted: str | Mapping[Any, Any] | None, tables: Mapping[str, Any]) -> dict[Any, Any]:
    if isinstance(wanted, str) and wanted not in tables:
        raise PlanError(Problem(name, None, f"没有名为 {wanted} 的表", f"可选：{'、'.join(tables)}，或写出每个值"))
    return dict(tables[wanted] if isinstance(wanted, str) else wanted or {})


def grid_of(plan: Plan, name: str) -> Grid:
    """Read and check the header of a raster layer of a plan; its hash is checked first.

    Raises
    ------
    PlanError, SiteError, CrsError
        As ``read_grid``; also when the layer is not held, was altered, or contradicts plan.yaml.
    """
    path = plan.raster_path(name)
    layer = plan.layers[name]
    pixels = layer.pixels
    if pixels is None:
        raise AssertionError(name)
    found = read_grid(path, crs=layer.crs, classes=pixels.classes, bands=pixels.bands)
    east, north = found.pixel_m
    if pixels.resolution_m and not math.isclose(pixels.resolution_m, math.sqrt(east * north), rel_tol=0.1):
        problem = f"plan.yaml 写分辨率 {pixels.resolution_m:g} m，文件的像元是 {east:.3g} × {north:.3g} m"
        raise PlanError(Problem(path.name, None, problem, f"请核对图层 {name} 的 resolution_m 和文件"))
    return replace(found, date=pixels.date, name=name, accuracy_m=layer.accuracy_m)


def as_grid(raster: Grid | str | PathLike[str]) -> Grid:
    """Accept a grid, or the path of one that says by itself where it lies."""
    return raster if isinstance(raster, Grid) else read_grid(raster)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a GeoTIFF and nothing else.

    Raises
    ------
    PlanError
        The file is damaged.
    """
    rasterio = libraries().rasterio
    with rasterio.Env(**_ALONE), warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with readable(path), rasterio.open(path, driver="GTiff", GEOREF_SOURCES="INTERNAL") as dataset:
            yield dataset


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn a fault of reading a file into ours, which names it.

    Raises
    ------
    PlanError
        The file is damaged.
    """
    try:
        yield
    except libraries().rasterio.errors.RasterioError as error:
        problem = "不是可以读取的 GeoTIFF，或文件已损坏"
        raise PlanError(Problem(path.name, None, problem, "请重新取得或重新导出该文件")) from error


def _header(path: Path, dataset: Any) -> Grid:
    turn = dataset.transform
    problems = []
    if dataset.count < 1 or dataset.width < 1 or dataset.height < 1:
        problems.append(Problem(path.name, None, "栅格没有像元或波段", "请核对文件"))
    elif np.dtype(dataset.dtypes[0]).kind not in "iuf":
        problems.append(Problem(path.name, None, f"不支持 {dataset.dtypes[0]} 类型的像元", "请转换为整数或浮点数"))
    if turn.is_identity or not all(math.isfinite(value) for value in turn[:6]):
        placed = "只有控制点（GCP），没有" if dataset.gcps[0] else "没有"
        hint = "请在 GIS 软件中配准后导出 GeoTIFF"
        problems.append(Problem(path.name, None, f"栅格{placed}地理参考，不知道位于何处", hint))
    elif max(abs(turn.b), abs(turn.d)) > _SQUARE * max(abs(turn.a), abs(turn.e)):
        problems.append(Problem(path.name, None, "栅格是旋转的，像元不与坐标轴平行", "请重采样为正北朝上后导出"))
    elif turn.a <= 0 or turn.e >= 0:
        problems.append(Problem(path.name, None, "栅格上下或左右颠倒（不是正北朝上）", "请重新导出为正北朝上"))
    if problems:
        raise PlanError(problems)
    nodata = None if dataset.nodata is None else float(dataset.nodata)
    return Grid(
        path=path,
        crs=crs_.CGCS2000,
        west=turn.c,
        north=turn.f,
        step_x=turn.a,
        step_y=-turn.e,
        width=dataset.width,
        height=dataset.height,
        count=dataset.count,
        dtype=dataset.dtypes[0],
        nodata=nodata,
        name=path.stem,
    )


def _crs(name: str, own: str | None, declared: str | None) -> CRS:
    if own is None and declared is None:
        raise CrsError(Problem(name, None, "栅格没有坐标系", "请写明 crs，如 EPSG:4549"))
    found = None if own is None else _placed(name, own)
    if declared is None:
        if found is None:
            raise AssertionError(name)
        return found
    given, shift = crs_.parse_crs(declared)
    if shift is not None:
        raise CrsError(Problem(name, None, f"栅格不能是 {declared}", "请先纠正到 CGCS2000"))
    if found is not None and not crs_.same(found, given):
        problem = f"坐标系矛盾：声明为 {declared}，文件是 {crs_.label(found)}"
        raise CrsError(Problem(name, None, problem, "文件自带坐标系时请删去 crs"))
    return given


def _placed(name: str, wkt: str) -> CRS:
    try:
        return crs_.parse_crs(wkt)[0]
    except CrsError as fault:
        problem = fault.problems[0]
        raise CrsError(Problem(name, None, problem.message, "请写明 crs，或重新导出")) from fault
