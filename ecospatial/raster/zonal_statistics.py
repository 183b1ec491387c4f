"""Zones on a grid: statistics of values, and shares and areas of classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, PlanError, Problem, SiteError
from ecospatial.geometry import ellipsoidal_area, repair
from ecospatial.model import MU_M2
from ecospatial.raster._compat import libraries
from ecospatial.raster.grid import as_grid
from ecospatial.raster.pixels import Band

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.raster._exactextract import Operation
    from ecospatial.raster.grid import Grid
    from ecospatial.raster.pixels import PixelQuery

SHARES = "shares"
PLAIN_STATS = (
    "count", "sum", "mean", "min", "max", "stdev", "variance", "median", "majority", "minority", "variety",
)  # fmt: skip
WEIGHTED = {"mean": "weighted_mean", "sum": "weighted_sum", "stdev": "weighted_stdev", "variance": "weighted_variance"}
_QUANTILE = re.compile(r"p(\d{1,2}|100)")
_ZONE_ORDER_PIXELS = 1024
UNLABELLED = "unlabelled"


def zonal(
    zones: gpd.GeoDataFrame,
    raster: Grid | str | PathLike[str],
    stats: str | Sequence[str] = SHARES,
    *,
    weights: Grid | str | PathLike[str] | None = None,
    band: int = 1,
    jobs: int = 1,
) -> pd.DataFrame:
    """Measure what a grid holds inside zones; every pixel counts by the exact share that a zone covers.

    Parameters
    ----------
    zones
        Polygons in any CRS; they are brought to the grid, never the grid to them.
    raster
        A grid of ``read_grid``, or the path of a GeoTIFF that says where it lies.
    stats
        Any of ``count`` (pixels), ``sum``, ``mean``, ``min``, ``max``, ``stdev``, ``variance``, ``median``,
        ``majority``, ``minority``, ``variety``, ``p0`` to ``p100`` (quantiles), and ``shares``: of each class.
    weights
        A second grid whose pixels fit into those of the first: ``mean``, ``sum``, ``stdev`` and ``variance`` are
        weighted by it.
    band
        Band of the file, from 1.
    jobs
        Processes; each holds about 300 MB.

    Returns
    -------
    DataFrame
        On the caller's index. ``area_m2`` is the zone on the ellipsoid, ``valid_share`` the part of it with data
        (0 to 1); the statistics describe that part and are empty where it is nothing. ``shares`` gives for each
        class ``share_<class>`` (of the part with data, 0 to 1), ``area_m2_<class>`` (on the ellipsoid) and
        ``mu_<class>`` (亩). Classes have the words of the grid's table, or without one the numbers of the file;
        numbers that the table does not name are ``unlabelled``.

    Raises
    ------
    SiteError
        A zone is not a polygon, or a statistic is not known.
    CrsError
        The zones have no CRS, or there is no known way to that of the grid.
    PlanError
        The grid can not be used, or is damaged.

    Notes
    -----
    On a grid in degrees, means, deviations and shares weigh pixels by their area on a sphere (exactextract,
    ``area_spherical_m2``), because pixels get narrower towards the pole.
    """
    grid = as_grid(raster)
    wanted = _stats(stats, grid, band)
    second = None if weights is None else as_grid(weights)
    if second is not None and not crs_.same(second.crs, grid.crs):
        raise CrsError(Problem(second.path.name, None, "权重栅格与统计栅格的坐标系不同", "请先重投影到同一坐标系"))
    on_grid = placed(zones, grid)
    area_m2 = ellipsoidal_of(zones)
    asked = operations(wanted, Band(grid, band), None if second is None else Band(second))
    found = ask(on_grid, asked, grid, jobs=jobs)
    seen = valid_share(found, on_grid, grid)
    columns: dict[str, NDArray[np.float64]] = {"area_m2": area_m2, "valid_share": seen}
    for name in wanted:
        columns |= _share_columns(found, area_m2 * seen, grid) if name == SHARES else {name: _numbers(found, name)}
    return pd.DataFrame(columns, index=zones.index)


def _stats(stats: str | Sequence[str], grid: Grid, band: int) -> list[str]:
    wanted = list(dict.fromkeys([stats] if isinstance(stats, str) else stats))
    known = "、".join((*PLAIN_STATS, SHARES, "p0 至 p100"))
    problems = [
        Problem("", None, f"没有统计量 {name}", f"可选：{known}")
        for name in wanted
        if name not in (*PLAIN_STATS, SHARES) and not _QUANTILE.fullmatch(name)
    ]
    if problems or not wanted:
        raise SiteError(problems or Problem("", None, "没有要求任何统计量", f"可选：{known}"))
    if not 1 <= band <= grid.count:
        raise PlanError(Problem(grid.path.name, None, f"没有第 {band} 波段", f"文件有 {grid.count} 个波段"))
    if SHARES in wanted and not grid.whole_numbers:
        hint = "请改用 mean 等统计量，或先把栅格分类"
        raise PlanError(Problem(grid.path.name, None, "像元是小数，没有类别可统计", hint))
    return wanted


def placed(zones: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> NDArray[Any]:
    """Bring zones to the CRS of a grid, repaired; None where there is nothing.

    Raises
    ------
    SiteError
        A zone is not a polygon.
    CrsError
        They have no CRS, or there is no known way.
    """
    if zones.crs is None:
        raise CrsError(Problem("", None, "统计区没有坐标系", "请先写明坐标系（set_crs）"))
    shapes = zones.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    wrong = np.flatnonzero(there & ~np.isin(shapely.get_type_id(shapes), (3, 6)))
    if len(wrong):
        raise SiteError(
            [Problem("", f"统计区 {zones.index[row]}", "不是面", "请给出面，或先画出缓冲区") for row in wrong]
        )
    moved = crs_.transform(shapes, CRS(zones.crs), grid.crs)
    mended = np.asarray(repair(moved).geometry, dtype=object).copy()
    mended[~there] = None
    return mended


def ellipsoidal_of(zones: gpd.GeoDataFrame | gpd.GeoSeries) -> NDArray[np.float64]:
    """Measure zones on the ellipsoid, square metres, whatever their CRS."""
    given = CRS(zones.crs)
    shapes = zones.geometry.to_numpy()
    if given.is_projected:
        return ellipsoidal_area(shapes, given)
    # Any projected CRS will do: the way back to degrees is exact. One Gauss-Kruger zone would bend far zones.
    equal = CRS.from_proj4("+proj=cea +ellps=GRS80 +units=m")
    return np.asarray(np.nan_to_num(shapely.area(crs_.transform(shapes, given, equal))), dtype=float)


def operations(names: Sequence[str], of: PixelQuery, weights: PixelQuery | None = None) -> list[Operation]:
    """Turn names of statistics into operations; the first says how much of a zone holds data."""
    libraries()
    from ecospatial.raster._exactextract import Operation

    by_area = {"coverage_weight": "area_spherical_m2"} if of.grid.crs.is_geographic else {}
    made = [Operation("valid", "count", of, None, by_area)]
    for name in names:
        quantile = _QUANTILE.fullmatch(name)
        if name == SHARES:
            made += [Operation("unique", "unique", of), Operation("frac", "frac", of, None, by_area)]
        elif quantile:
            made.append(Operation(name, "quantile", of, None, {"q": str(int(quantile.group(1)) / 100)}))
        elif weights is not None and name in WEIGHTED:
            made.append(Operation(name, WEIGHTED[name], of, weights, by_area))
        else:
            options = by_area if name in ("mean", "stdev", "variance") else {}
            made.append(Operation(name, name, of, None, options))
    return made


def ask(on_grid: NDArray[Any], asked: Sequence[Operation], grid: Grid, *, jobs: int = 1) -> list[dict[str, Any]]:
    """Answer operations for zones in the CRS of their grid; a zone that is nowhere gets an empty record."""
    from ecospatial.raster._exactextract import extract_in_parts

    there = np.flatnonzero(~shapely.is_missing(on_grid))
    bounds = shapely.bounds(on_grid[there]).reshape(-1, 4)
    west, south, east, north = grid.bounds
    meets = (bounds[:, 0] < east) & (bounds[:, 2] > west) & (bounds[:, 1] < north) & (bounds[:, 3] > south)
    there, bounds = there[meets], bounds[meets]
    # Neighbours one after the other: a block of the file is read once, not once for each zone on it.
    row = (north - bounds[:, 3]) // (_ZONE_ORDER_PIXELS * grid.step_y)
    order = np.lexsort((bounds[:, 0], row))
    wkb = shapely.to_wkb(on_grid[there[order]]).tolist()
    found: list[dict[str, Any]] = [{} for _ in range(len(on_grid))]
    for position, numbers in zip(there[order], extract_in_parts(wkb, asked, jobs=jobs), strict=True):
        found[position] = numbers
    return found


def valid_share(found: list[dict[str, Any]], on_grid: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Say which part of each zone holds data, 0 to 1; empty for a zone without area."""
    valid = np.array([numbers.get("valid", 0.0) for numbers in found], dtype=float)
    if grid.crs.is_geographic:
        # As exactextract has it: a sphere of 6378137 m, on which area is longitude times the sine of latitude.
        def flat(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
            rad = np.radians(lonlat)
            return np.column_stack([rad[:, 0], np.sin(rad[:, 1])])

        whole = shapely.area(shapely.transform(on_grid, flat)) * 6378137.0**2
    else:
        whole = shapely.area(on_grid) / (grid.step_x * grid.step_y)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(whole > 0, valid / whole, np.nan)
    # What is left after thousands of pixel shares in single precision is rounding, not a hole.
    return np.asarray(np.where(share > 1 - 1e-6, 1.0, share), dtype=float)


def _numbers(found: list[dict[str, Any]], name: str) -> NDArray[np.float64]:
    # exactextract puts the percentage behind the name of a quantile, cut to a whole number: 0.29 is 28 there.
    first = next((numbers for numbers in found if numbers), {})
    key = next((key for key in first if key == name or key.startswith(f"{name}_")), name)
    values = [numbers.get(key) for numbers in found]
    empty = 0.0 if name in ("count", "variety") else np.nan
    return np.array([empty if value is None or value is np.ma.masked else value for value in values], dtype=float)


def shares_of(found: list[dict[str, Any]], grid: Grid) -> dict[str, NDArray[np.float64]]:
    """Give for each class its share of the part with data; classes in the order of the grid's table."""
    sizes = [len(numbers.get("frac", ())) for numbers in found]
    owner = np.repeat(np.arange(len(found)), sizes)
    if not len(owner):
        return {}
    values = np.concatenate([np.asarray(n["unique"]) for n in found if n]).astype(np.int64)
    shares = np.concatenate([np.asarray(n["frac"], dtype=float) for n in found if n])
    present, which = np.unique(values, return_inverse=True)
    names = [grid.classes.get(int(v), UNLABELLED) if grid.classes else str(int(v)) for v in present]
    order = list(dict.fromkeys([*grid.classes.values(), UNLABELLED] if grid.classes else names))
    columns = [name for name in order if name in names]
    position = np.array([columns.index(name) for name in names])
    table = np.zeros((len(found), len(columns)))
    np.add.at(table, (owner, position[which]), shares)
    table[np.array(sizes) == 0] = np.nan
    return {name: table[:, i] for i, name in enumerate(columns)}


def _share_columns(
    found: list[dict[str, Any]], with_data_m2: NDArray[np.float64], grid: Grid
) -> dict[str, NDArray[np.float64]]:
    columns: dict[str, NDArray[np.float64]] = {}
    for name, share in shares_of(found, grid).items():
        area_m2 = np.nan_to_num(share) * np.nan_to_num(with_data_m2)
        columns |= {f"share_{name}": share, f"area_m2_{name}": area_m2, f"mu_{name}": area_m2 / MU_M2}
    return columns
