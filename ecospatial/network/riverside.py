"""Beside the river: corridors on both banks, reach by reach, and where the green along them breaks off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem
from ecospatial.geometry import areal_part, strip
from ecospatial.network._arrays import at_on, places_on, points_at, shapes_of
from ecospatial.network.referencing import cross_cuts, tangents
from ecospatial.network.split import substrings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.network.graph import Network

SIDES = ("左岸", "右岸")
# Green is projected onto the centreline from points no further apart than this, metres.
STEP_M = 5.0
# Banks swell between the places where the width is measured; what is looked at is this much wider.
WIDER = 1.2
_CORRIDOR = ["reach", "river", "side", "within_m", "source", "certain", "area_m2"]
_BREAK = ["river", "side", "from_m", "to_m", "length_m", "town", "owner"]


def corridors(network: Network, within_m: float, *, banks: dict[str, BaseGeometry] | None = None) -> gpd.GeoDataFrame:
    """Draw the corridor on each bank of each reach: the land within a distance of the water.

    Parameters
    ----------
    network
        The river network.
    within_m
        Width of the corridor, metres from the bank.
    banks
        Water between the banks by river (``bank_areas``). Where a river has none, the centreline with half its width
        stands for the bank, and ``certain`` is False; without a width either, the centreline itself.

    Returns
    -------
    GeoDataFrame
        Two rows for each reach that is no link: ``reach``, ``river``, ``side`` (左岸, 右岸 as seen downstream),
        ``within_m``, ``source`` (bank, width, centreline), ``certain``, ``area_m2``, ``geometry`` (without the
        water). Drawn for areas and maps; whether a site lies within a distance of a bank is decided by distance.

    Raises
    ------
    PlanError
        The width is not positive.

    Examples
    --------
    >>> from ecospatial.network import build
    >>> line = shapely.LineString([(0, 0), (100, 0)])
    >>> rivers = gpd.GeoDataFrame({"river": ["甲河"], "width_m": [20.0]}, geometry=[line], crs=4549)
    >>> corridors(build(rivers), 30)[["side", "source", "certain", "area_m2"]].round(6).to_numpy().tolist()
    [['左岸', 'width', False, 3000.0], ['右岸', 'width', False, 3000.0]]
    """
    if not within_m > 0:
        raise PlanError(Problem("", None, f"廊道宽度 {within_m} 不可用", "请给出大于 0 的米数"))
    rows: list[dict[str, Any]] = []
    shapes: list[BaseGeometry] = []
    width = np.nan_to_num(network.reaches["width_m"].to_numpy())
    for i in np.flatnonzero(~network.link).tolist():
        river, line = network.rivers[i], network.lines[i]
        water = (banks or {}).get(str(river))
        source = "bank" if water is not None else ("width" if width[i] > 0 else "centreline")
        for side, area in zip(SIDES, _both(line, water, width[i] / 2, within_m), strict=True):
            rows.append(
                {
                    "reach": i,
                    "river": river,
                    "side": side,
                    "within_m": within_m,
                    "source": source,
                    "certain": source == "bank",
                    "area_m2": area.area,
                }
            )
            shapes.append(area)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=_CORRIDOR), geometry=shapes, crs=network.reaches.crs)


def _both(line: Any, water: BaseGeometry | None, half_m: float, within_m: float) -> list[BaseGeometry]:
    """Draw the left and the right corridor of one line."""
    if water is None:
        edge: BaseGeometry = shapely.buffer(line, half_m, cap_style="flat", quad_segs=64) if half_m > 0 else line
    else:
        half_m = _half_width(line, water, half_m)
        edge = shapely.intersection(water, shapely.buffer(line, half_m + within_m))
    beside = strip(np.array([edge], dtype=object), within_m)[0]
    dry = [shapely.difference(shapely.intersection(beside, side), edge) for side in _sides(line, half_m + within_m)]
    return [areal_part(np.array([shape], dtype=object))[0] for shape in dry]


def _half_width(line: Any, water: BaseGeometry, guess_m: float) -> float:
    """Measure how far the banks lie from a centreline at most, at places along it."""
    at = np.linspace(0.02, 0.98, 25) * shapely.length(line)
    cuts = cross_cuts(np.full(len(at), line, dtype=object), at, np.full(len(at), water, dtype=object))
    cuts = cuts[~shapely.is_missing(cuts)]
    ends = shapely.get_point(np.repeat(cuts, 2), np.tile([0, -1], len(cuts)))
    return float(max(shapely.distance(ends, line).max(initial=0.0) * WIDER, guess_m))


def _sides(line: Any, width_m: float) -> list[BaseGeometry]:
    """Divide what lies within a distance of a line into its left and its right; nothing lies beyond its ends."""
    around = shapely.buffer(line, width_m, cap_style="flat", quad_segs=64)
    lines = np.array([line, line], dtype=object)
    ends = np.array([0.0, shapely.length(line)])
    step = tangents(lines, ends) * np.array([[-0.5], [0.5]])
    xy = shapely.get_coordinates(line)
    longer = shapely.LineString(np.vstack([xy[0] + step[0], xy, xy[-1] + step[1]]))
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([shapely.boundary(around), longer])]))
    inner = shapely.point_on_surface(faces)
    faces, inner = faces[shapely.contains(around, inner)], inner[shapely.contains(around, inner)]
    owner = np.full(len(faces), line, dtype=object)
    at = at_on(owner, inner)
    here = shapely.get_coordinates(places_on(owner, at))
    forward, out = tangents(owner, at), shapely.get_coordinates(inner) - here
    left = forward[:, 0] * out[:, 1] - forward[:, 1] * out[:, 0] > 0
    return [shapely.union_all(faces[left]), shapely.union_all(faces[~left])]


def green_breaks(
    network: Network,
    green: gpd.GeoDataFrame,
    *,
    within_m: float,
    longer_than_m: float,
    banks: dict[str, BaseGeometry] | None = None,
    towns: gpd.GeoDataFrame | None = None,
    owners: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Find where the green beside rivers breaks off for longer than a length, where that is and whose.

    A bank is green at a place when, square to the river, green lies within ``within_m`` of it.

    Parameters
    ----------
    network
        The river network; reaches of one river that continue each other are one line.
    green
        Areas of green in its CRS.
    within_m
        How far from the bank green still counts, metres.
    longer_than_m
        Shorter breaks (a bridge, a gate) do not count, metres.
    banks
        As in ``corridors``.
    towns, owners
        Areas whose ``feature_name`` says in whose town, and ``owner`` on whose land, a break lies.

    Returns
    -------
    GeoDataFrame
        Longest first: ``river``, ``side``, ``from_m``, ``to_m`` (along the river's line, downstream), ``length_m``,
        ``town``, ``owner`` (longest part first; empty: not known), ``geometry`` (the break, drawn on the bank's side).

    Examples
    --------
    >>> from ecospatial.network import build
    >>> line = shapely.LineString([(0, 0), (1000, 0)])
    >>> rivers = gpd.GeoDataFrame({"river": ["甲河"], "width_m": [20.0]}, geometry=[line], crs=4549)
    >>> green = gpd.GeoDataFrame(geometry=[shapely.box(0, 12, 400, 30), shapely.box(700, 12, 1000, 30)], crs=4549)
    >>> found = green_breaks(build(rivers), green, within_m=30, longer_than_m=100)
    >>> found[["side", "from_m", "to_m", "length_m"]].to_numpy().tolist()
    [['右岸', 0.0, 1000.0, 1000.0], ['左岸', 400.0, 700.0, 300.0]]
    """
    areas = shapes_of(green)
    tree = shapely.STRtree(areas)
    rows: list[dict[str, Any]] = []
    shapes: list[BaseGeometry] = []
    for river, line, half_m in _long_lines(network):
        water = (banks or {}).get(str(river))
        for number, corridor in enumerate(_both(line, water, half_m, within_m)):
            near = areas[tree.query(corridor, predicate="intersects")]
            for low, high in _missing(line, _spans(line, shapely.intersection(near, corridor)), longer_than_m):
                values = (river, SIDES[number], low, high, high - low)
                rows.append(dict(zip(_BREAK, values, strict=False)))
                shapes.append(_beside(line, low, high, (1 - 2 * number) * (half_m + within_m / 2)))
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=_BREAK[:5]), geometry=shapes, crs=network.reaches.crs)
    frame["town"] = _whose(frame, towns, "feature_name")
    frame["owner"] = _whose(frame, owners, "owner")
    frame = frame.sort_values("length_m", ascending=False, kind="stable").reset_index(drop=True)
    return frame[[*_BREAK, "geometry"]]


def _long_lines(network: Network) -> list[tuple[Any, Any, float]]:
    """Join the reaches of each river that continue each other; with the river's half width (0: not known)."""
    found = []
    width = network.reaches["width_m"].to_numpy()
    for river in dict.fromkeys(network.rivers.tolist()):
        own = (network.rivers == river) & ~network.link
        if not own.any():
            continue
        half = np.nanmax(np.nan_to_num(width[own])) / 2
        merged = shapely.line_merge(shapely.multilinestrings(network.lines[own]), directed=True)
        found += [(river, line, float(half)) for line in shapely.get_parts(merged)]
    return found


def _spans(line: Any, green: NDArray[Any]) -> list[tuple[float, float]]:
    """Give for each connected piece of green from where to where it lies along a line."""
    pieces = shapely.get_parts(areal_part(green))
    pieces = pieces[~shapely.is_empty(pieces)]
    points, owner = shapely.get_coordinates(shapely.segmentize(pieces, STEP_M), return_index=True)
    at = at_on(np.full(len(points), line, dtype=object), points_at(points))
    by = pd.Series(at).groupby(owner)
    return sorted(zip(by.min().tolist(), by.max().tolist(), strict=True))


def _missing(line: Any, spans: list[tuple[float, float]], longer_than_m: float) -> list[tuple[float, float]]:
    """List what sorted spans leave of a line, when it is longer than a length."""
    found, at = [], 0.0
    for low, high in [*spans, (line.length, line.length)]:
        if low - at > longer_than_m:
            found.append((at, low))
        at = max(at, high)
    return found


def _beside(line: Any, from_m: float, to_m: float, offset_m: float) -> BaseGeometry:
    """Draw part of a line on the side where the break is; on the line itself where it bends too much for that."""
    part = substrings(np.array([line], dtype=object), np.array([from_m]), np.array([to_m]))[0]
    moved: BaseGeometry = shapely.offset_curve(part, offset_m)
    usable = not moved.is_empty and moved.geom_type == "LineString" and moved.length > part.length / 2
    return moved if usable else part


def _whose(breaks: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, column: str) -> list[str | None]:
    """Name the areas that each break runs through, the longest part first."""
    if areas is None or column not in areas or breaks.empty:
        return [None] * len(breaks)
    shapes, lines = shapes_of(areas), shapes_of(breaks)
    row, area = shapely.STRtree(shapes).query(lines, predicate="intersects")
    length = shapely.length(shapely.intersection(lines[row], shapes[area]))
    names = areas[column].to_numpy(dtype=object)
    order = np.lexsort((area, -length, row))
    found: list[list[str]] = [[] for _ in range(len(breaks))]
    for i in order.tolist():
        name = names[area[i]]
        if isinstance(name, str) and length[i] > 0 and name not in found[row[i]]:
            found[row[i]].append(name)
    return ["、".join(names) or None for names in found]
