"""Who is served: the share of area or people within a distance of facilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem
from ecospatial.geometry import areal_part, strip
from ecospatial.indicators.ledgers import require_same_crs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def service_coverage(
    facilities: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    within_m: float | Mapping[float, float],
    *,
    people: str | None = None,
) -> gpd.GeoDataFrame:
    """Measure how much of each demand lies within a distance of a facility, straight from its edge.

    Parameters
    ----------
    facilities
        Parks, stations, monitors: polygons, lines or points, in the CRS of the demand.
    demand
        What is to be served: polygons (residential land) or points (counts of people), in a projected CRS in metres.
    within_m
        Distance in metres; or, by size class, the least area of a facility in m2 and the distance it serves. For
        "5000 m2 serves 500 m, 2000 m2 serves 300 m": ``{5000: 500, 2000: 300}``. A facility counts with the largest
        class that it reaches; those below the smallest do not count.
    people
        Column of the demand with numbers of people. Polygons: spread evenly over the area. Without it area counts, and
        each point counts as one.

    Returns
    -------
    GeoDataFrame
        On the index of the demand: ``demand`` and ``served`` (m2, or people), ``share`` (0 to 1), ``nearest_m`` (to the
        nearest facility that counts; empty without one); the geometry is the part not served, None where there is none.
        The whole is ``frame.served.sum() / frame.demand.sum()``.

    Raises
    ------
    CrsError
        A CRS is missing or not projected, or the two differ.
    PlanError
        A distance is not positive, or a number of people is empty or negative.

    Notes
    -----
    Points are decided by distance; areas by strips with 64 segments to a quarter circle, which stay within 0.01 % of
    the distance.

    Examples
    --------
    >>> park = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100)], crs=4549)
    >>> homes = gpd.GeoDataFrame({"people": [300]}, geometry=[shapely.box(100, 0, 1100, 100)], crs=4549)
    >>> round(float(service_coverage(park, homes, 500).share.iloc[0]), 3)
    0.5
    >>> round(float(service_coverage(park, homes, 500, people="people").served.sum()))
    150
    """
    require_same_crs(facilities, demand)
    wanted = _people(demand, people)
    shapes = demand.geometry.to_numpy()
    usable, distance = _serving(facilities.geometry.to_numpy(), within_m)
    areal = shapely.get_dimensions(shapes) == 2
    size = np.where(areal, shapely.area(shapes), 1.0)
    served = np.zeros(len(shapes))
    rest = shapes.copy()
    nearest = np.full(len(shapes), np.nan)
    if len(usable) and len(shapes):
        tree = shapely.STRtree(usable)
        (asked, _), found = tree.query_nearest(shapes, return_distance=True, all_matches=False)
        nearest[asked] = found
        points = np.flatnonzero(~areal)
        served[points] = _reached(shapes[points], usable, distance)
        rest[points[served[points] > 0]] = None
        polygons = np.flatnonzero(areal)
        rest[polygons] = _beyond(shapes[polygons], usable, distance)
        left = shapely.area(rest[polygons])
        served[polygons] = 1.0 - np.divide(left, size[polygons], out=np.ones_like(left), where=size[polygons] > 0)
        rest[polygons[left == 0]] = None
    data = {"demand": wanted * size if people is None else wanted, "share": served, "nearest_m": nearest}
    frame = pd.DataFrame(data, index=demand.index)
    frame.insert(1, "served", frame["demand"] * frame["share"])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(rest, index=demand.index, crs=demand.crs), crs=demand.crs)


def _people(demand: gpd.GeoDataFrame, people: str | None) -> NDArray[np.float64]:
    if people is None:
        return np.ones(len(demand))
    if people not in demand:
        raise PlanError(Problem("", None, f"没有列 {people}", "请写人口所在的列"))
    numbers = pd.to_numeric(demand[people]).to_numpy(dtype=float)
    bad = ~(np.isfinite(numbers) & (numbers >= 0))
    if bad.any():
        rows = "、".join(str(label) for label in demand.index[bad][:5])
        problem = f"列 {people} 有 {int(bad.sum())} 个值为空或为负：{rows}"
        raise PlanError(Problem("", None, problem, "未知不等于 0，请补充"))
    return np.asarray(numbers, dtype=float)


def _serving(shapes: NDArray[Any], within_m: float | Mapping[float, float]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Give the facilities that count, and the distance of each."""
    classes = {0.0: float(within_m)} if isinstance(within_m, int | float) else dict(within_m)
    if not classes or not all(distance > 0 for distance in classes.values()):
        raise PlanError(Problem("", None, f"within_m={within_m} 不可用", "距离须为正数（米）"))
    area = shapely.area(shapes)
    distance = np.zeros(len(shapes))
    for least in sorted(classes):
        distance[area >= least] = classes[least]
    counts = (distance > 0) & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    return shapes[counts], distance[counts]


def _reached(points: NDArray[Any], usable: NDArray[Any], distance: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.zeros(len(points))
    for within in np.unique(distance):
        tree = shapely.STRtree(usable[distance == within])
        found[np.unique(tree.query(points, predicate="dwithin", distance=within)[0])] = 1.0
    return found


def _beyond(polygons: NDArray[Any], usable: NDArray[Any], distance: NDArray[np.float64]) -> NDArray[Any]:
    strips = np.empty(len(usable), dtype=object)
    for within in np.unique(distance):
        chosen = distance == within
        strips[chosen] = strip(usable[chosen], float(within))
    tree = shapely.STRtree(strips)
    asked, near = tree.query(polygons, predicate="intersects")
    rest = polygons.copy()
    for position in np.unique(asked):
        reach = shapely.union_all(strips[near[asked == position]])
        rest[position] = shapely.difference(polygons[position], reach)
    return areal_part(rest) if len(rest) else rest
