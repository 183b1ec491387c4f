"""Which part of a bank is natural: the cover of a strip beside it, stretch by stretch."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import Problem, SiteError
from ecospatial.raster.grid import as_grid
from ecospatial.raster.land_cover import ECOLOGICAL, members, share_of
from ecospatial.raster.zonal_statistics import placed

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.raster.grid import Grid

    Shares = NDArray[np.float64]

SHORTEST_M = 1.0
ALL_WATER = 0.05


def ecological_bank(
    banks: gpd.GeoDataFrame,
    raster: Grid | str | PathLike[str],
    *,
    within_m: float = 30.0,
    stretch_m: float = 100.0,
    at_least: float = 0.5,
    inside: BaseGeometry | None = None,
    jobs: int = 1,
) -> gpd.GeoDataFrame:
    """Measure the natural part (生态岸线) of banks by length.

    Each bank is cut into stretches; a stretch is natural when enough of the land beside it, in a strip along it, is
    trees, shrubs, grass or wetland. No national text fixes the strip, the stretch or the share, so all three are
    parameters and belong beside the number.

    Parameters
    ----------
    banks
        The polygons between the banks (then the strip lies on land) or bank lines (then on both sides; water does
        not count), in a projected CRS in metres.
    raster
        A land cover grid with classes.
    within_m
        Width of the strip, metres.
    stretch_m
        Length of a stretch, metres.
    at_least
        Share of the strip's land that must be natural, 0 to 1.
    inside
        Only banks inside this area (same CRS) are looked at.
    jobs
        Processes.

    Returns
    -------
    GeoDataFrame
        On the caller's index, geometry the bank lines: ``length_m``, ``known_m`` (stretches with data), ``share``
        (natural part of the known length, 0 to 1), ``share_low`` and ``share_high`` (of the whole length: stretches
        too close to the limit or without data counted as none and as all).

    Raises
    ------
    SiteError
        A parameter is not possible.
    CrsError
        The banks are not in metres.
    PlanError
        The grid can not be used.
    """
    grid = as_grid(raster)
    if within_m <= 0 or stretch_m <= 0 or not 0 < at_least <= 1:
        raise SiteError(Problem("", None, "岸带宽度、分段长度应大于 0，比例应在 0 与 1 之间", "请更正参数"))
    if banks.crs is None:
        raise SiteError(Problem("", None, "岸线没有坐标系", "请先写明坐标系（set_crs）"))
    crs_.require_metric(CRS(banks.crs))
    shapes = banks.geometry.to_numpy()
    lines = _bank_lines(shapes, inside)
    stretches, owner = _stretches(lines, stretch_m)
    areas = shapes[shapely.get_dimensions(shapes) == 2]
    strips = np.asarray(shapely.buffer(stretches, within_m, cap_style="flat"), dtype=object)
    if len(areas):
        strips = np.asarray(shapely.difference(strips, shapely.union_all(areas)), dtype=object)
    strips[shapely.is_empty(strips)] = None
    low, value, high, known = _natural(gpd.GeoSeries(strips, crs=banks.crs), grid, jobs=jobs)
    surely = known & (low >= at_least)
    never = known & (high < at_least)
    middle = known & (value >= at_least)
    length = shapely.length(stretches)
    total = {name: np.bincount(owner, weights=length * which, minlength=len(banks)) for name, which in (
        ("all", np.ones(len(length))), ("known", known), ("middle", middle), ("surely", surely), ("never", never),
    )}  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        share = total["middle"] / total["known"]
        # Sums of the same lengths in another order may differ in their last digit.
        lowest = np.fmin(total["surely"] / total["all"], share)
        highest = np.fmax(1 - total["never"] / total["all"], share)
    data = {"length_m": total["all"], "known_m": total["known"], "share": share}
    frame = pd.DataFrame(data | {"share_low": lowest, "share_high": highest}, index=banks.index)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(lines, index=banks.index, crs=banks.crs))


def _bank_lines(shapes: NDArray[Any], inside: BaseGeometry | None) -> NDArray[Any]:
    """Give the banks as lines; the ends of a polygon, where a neighbour joins it, lie inside that neighbour."""
    areal = shapely.get_dimensions(shapes) == 2
    lines = np.asarray(np.where(areal, shapely.boundary(shapes), shapes), dtype=object)
    for row in np.flatnonzero(areal):
        near = shapes[areal & shapely.intersects(shapes, shapes[row])]
        others = near[[shape is not shapes[row] for shape in near]]
        if len(others):
            lines[row] = shapely.difference(lines[row], shapely.union_all(others))
    return lines if inside is None else np.asarray(shapely.intersection(lines, inside), dtype=object)


def _stretches(lines: NDArray[Any], stretch_m: float) -> tuple[NDArray[Any], NDArray[np.intp]]:
    from shapely.ops import substring

    parts, owner = shapely.get_parts(lines, return_index=True)
    runs = shapely.get_type_id(parts) == 1
    found: list[Any] = []
    which: list[int] = []
    for part, bank in zip(parts[runs], owner[runs], strict=True):
        count = max(1, round(part.length / stretch_m))
        cuts = np.linspace(0.0, part.length, count + 1)
        if part.length >= SHORTEST_M:
            found += [substring(part, start, end) for start, end in pairwise(cuts)]
            which += [int(bank)] * count
    return np.array(found, dtype=object), np.array(which, dtype=np.intp)


def _natural(strips: gpd.GeoSeries, grid: Grid, *, jobs: int) -> tuple[Shares, Shares, Shares, NDArray[np.bool_]]:
    """Give the natural share of the land in each strip, lowest, as drawn and highest, and where anything is known."""
    on_grid = placed(strips, grid)
    low, value, high, _ = share_of(on_grid, members(grid, ECOLOGICAL), jobs=jobs)
    land = members(grid, [word for word in grid.classes.values() if word != "water"])
    _, dry, _, valid = share_of(on_grid, land, jobs=jobs)
    dry = np.nan_to_num(dry)
    # A strip that is all water, or half of it unknown, tells nothing.
    known = (dry > ALL_WATER) & (np.nan_to_num(valid) > 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = dry * np.nan_to_num(valid)
        found = [np.clip(share, 0.0, 1.0) for share in (low / whole, value / dry, high / whole)]
    return found[0], found[1], found[2], known
