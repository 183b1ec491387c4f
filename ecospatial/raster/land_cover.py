"""Indicators of the ground from a land cover grid or from bands, each with how far it can be relied on.

A border between two classes lies somewhere within half a pixel of where the grid draws it. An indicator is therefore
given with the lowest and the highest share that this leaves open, and what holds no data may be either. How well its
maker told the classes apart is not in it: no grid says so by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem, SiteError
from ecospatial.raster.grid import as_grid
from ecospatial.raster.pixels import Border, Greener, Member, Ndvi
from ecospatial.raster.zonal_statistics import ask, ellipsoidal_of, operations, placed, valid_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.raster.grid import Grid

# 国家森林资源连续清查技术规定 counts a wood from 0.0667 ha (1 亩) of connected area.
FOREST_M2 = 666.7
ECOLOGICAL = ("tree", "shrub", "grass", "wetland", "moss", "vegetation")


@dataclass(frozen=True, slots=True)
class Indicator:
    """A share of classes: what it is called, which classes count, how large a patch must be to count."""

    label: str
    covers: tuple[str, ...]
    least_m2: float = 0.0


INDICATORS: Mapping[str, Indicator] = MappingProxyType(
    {
        "tree_cover": Indicator("林木覆盖率", ("tree", "shrub")),
        "forest_cover": Indicator("森林覆盖率", ("tree",), FOREST_M2),
        "green_cover": Indicator("绿化覆盖率", ("tree", "shrub", "grass", "vegetation")),
        "water_share": Indicator("水面率", ("water",)),
        "impervious_share": Indicator("不透水面比例", ("built",)),
        "natural_share": Indicator("自然覆盖比例", (*ECOLOGICAL, "water")),
    }
)


def indicators(
    zones: gpd.GeoDataFrame,
    raster: Grid | str | PathLike[str],
    names: Sequence[str] | None = None,
    *,
    jobs: int = 1,
) -> pd.DataFrame:
    """Measure indicators of zones on a land cover grid.

    Parameters
    ----------
    zones
        Polygons in any CRS. 绿化覆盖率 is defined for the built-up area: give that as the zone.
    raster
        A grid with classes (``read_grid(..., classes=...)`` or ``grid_of``).
    names
        Any of ``INDICATORS``; all that the grid's classes allow when left out.
    jobs
        Processes.

    Returns
    -------
    DataFrame
        On the caller's index: ``area_m2`` (ellipsoid), ``valid_share``, and for each indicator ``<name>`` (share of
        the part with known classes, 0 to 1) with ``<name>_low`` and ``<name>_high`` (of the whole zone): borders off
        by half a pixel all in one direction, and what is not known counted as none and as all.

    Raises
    ------
    SiteError
        An indicator is not known, or a zone is not a polygon.
    PlanError
        The grid has no classes, or none that the indicator is about.
    CrsError
        The zones have no CRS.
    """
    grid = as_grid(raster)
    wanted = _wanted(grid, names)
    on_grid, area_m2 = placed(zones, grid), ellipsoidal_of(zones)
    frame = pd.DataFrame({"area_m2": area_m2}, index=zones.index)
    for name in wanted:
        indicator = INDICATORS[name]
        low, value, high, valid = share_of(on_grid, members(grid, indicator.covers, indicator.least_m2), jobs=jobs)
        if "valid_share" not in frame:
            frame["valid_share"] = valid
        frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = value, low, high
    return frame


def _wanted(grid: Grid, names: Sequence[str] | None) -> list[str]:
    if not grid.classes:
        raise PlanError(Problem(grid.path.name, None, "栅格没有分类表", "请在 classes 写明像元值的含义"))
    held = set(grid.classes.values())
    able = [name for name, indicator in INDICATORS.items() if held & set(indicator.covers)]
    problems: list[Problem] = []
    for name in names or able:
        if name not in INDICATORS:
            problems.append(Problem("", None, f"没有指标 {name}", f"可选：{'、'.join(INDICATORS)}"))
        elif name not in able:
            label = INDICATORS[name].label
            problems.append(Problem(grid.path.name, None, f"分类表没有{label}所需的类别", f"可算：{'、'.join(able)}"))
    if problems:
        raise SiteError(problems)
    return list(dict.fromkeys(names or able))


def members(grid: Grid, covers: Sequence[str], least_m2: float = 0.0) -> Member:
    """Ask whether pixels are of some classes, in patches of at least some area."""
    values = tuple(value for value, word in grid.classes.items() if word in covers)
    east, north = grid.pixel_m
    # Just short of a pixel more: 7 pixels of 100 m2 are the first to hold 667 m2.
    return Member(grid, values, max(1, int(np.ceil(least_m2 / (east * north) - 1e-6))))


def share_of(
    on_grid: NDArray[Any], member: Member | Greener, *, jobs: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of members in zones: lowest, as drawn, highest, and the part with data.

    The border inside a zone is counted in pixel sides, each seen from both pixels; moved by half a pixel, each side
    sweeps half a pixel.
    """
    grid = member.grid
    asked = [*operations(["mean"], member), *operations(["sum"], Border(member))[1:]]
    found = ask(on_grid, asked, grid, jobs=jobs)
    valid = valid_share(found, on_grid, grid)
    value = np.array([_number(numbers.get("mean")) for numbers in found])
    sides = np.array([_number(numbers.get("sum")) for numbers in found])
    pixels = shapely.area(on_grid) / (grid.step_x * grid.step_y)
    with np.errstate(divide="ignore", invalid="ignore"):
        swept = np.nan_to_num(sides / 2 * 0.5 / pixels)
    part = np.nan_to_num(valid)
    within = np.nan_to_num(value) * part
    low = np.clip(within - swept, 0.0, 1.0)
    high = np.clip(within + swept + (1.0 - part), 0.0, 1.0)
    return low, value, high, valid


def _number(value: Any) -> float:
    return np.nan if value is None or value is np.ma.masked else float(value)


def judge(low: Any, high: Any, compare: str, target: float) -> NDArray[Any]:
    """Say whether shares meet a target: ``met``, ``missed``, or ``cannot_tell`` when both are possible.

    Parameters
    ----------
    low, high
        Lowest and highest share that is possible.
    compare
        ``">="`` or ``"<="``.
    target
        The share asked for, 0 to 1.

    Raises
    ------
    SiteError
        The comparison is not known.

    Examples
    --------
    >>> judge([0.28, 0.25, 0.20], [0.30, 0.29, 0.26], ">=", 0.2691).tolist()
    ['met', 'cannot_tell', 'missed']
    """
    least, most = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if compare not in (">=", "<="):
        raise SiteError(Problem("", None, f"不认识的比较 {compare}", "可选：>=、<="))
    surely = least >= target if compare == ">=" else most <= target
    never = most < target if compare == ">=" else least > target
    return np.select([surely, never], ["met", "missed"], "cannot_tell").astype(object)


def ndvi(
    zones: gpd.GeoDataFrame,
    raster: Grid | str | PathLike[str],
    *,
    above: float | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Measure the vegetation index of zones from the red and the near infrared band.

    Parameters
    ----------
    zones
        Polygons in any CRS.
    raster
        A grid whose ``bands`` name ``red`` and ``nir``. The scale and offset written in the file are applied;
        Sentinel-2 products since 25 January 2022 have an offset of -1000, without which the index is wrong.
    above
        Also give the share of pixels above this index, with its lowest and highest value.
    jobs
        Processes.

    Returns
    -------
    DataFrame
        On the caller's index: ``area_m2``, ``valid_share``, ``ndvi`` (mean), ``ndvi_low`` and ``ndvi_high`` (the edge
        of the zone moved in and out by half a pixel), ``ndvi_stdev``; with ``above`` also ``green_share``,
        ``green_share_low`` and ``green_share_high``.

    Raises
    ------
    PlanError
        The grid does not say which bands are red and near infrared.
    SiteError, CrsError
        The zones can not be used.
    """
    grid = as_grid(raster)
    if not {"red", "nir"} <= set(grid.bands):
        raise PlanError(Problem(grid.path.name, None, "没有写明红光和近红外波段", "请在 bands 写明 red 和 nir"))
    on_grid = placed(zones, grid)
    asked = operations(["mean", "stdev"], Ndvi(grid))
    found = ask(on_grid, asked, grid, jobs=jobs)
    frame = pd.DataFrame({"area_m2": ellipsoidal_of(zones)}, index=zones.index)
    frame["valid_share"] = valid_share(found, on_grid, grid)
    middle = np.array([_number(numbers.get("mean")) for numbers in found])
    half = min(grid.step_x, grid.step_y) / 2
    moved = [middle]
    for by in (-half, half):
        other = np.asarray(shapely.buffer(on_grid, by, join_style="mitre"), dtype=object)
        other[shapely.is_empty(other)] = None
        moved.append(np.array([_number(numbers.get("mean")) for numbers in ask(other, asked, grid, jobs=jobs)]))
    frame["ndvi"] = middle
    frame["ndvi_low"], frame["ndvi_high"] = np.fmin.reduce(moved), np.fmax.reduce(moved)
    frame["ndvi_stdev"] = np.array([_number(numbers.get("stdev")) for numbers in found])
    if above is not None:
        low, value, high, _ = share_of(on_grid, Greener(Ndvi(grid), above), jobs=jobs)
        frame["green_share"], frame["green_share_low"], frame["green_share_high"] = value, low, high
    return frame
