"""How deep a conflict lies in a zone: how far the zone's line would have to move to let it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.edges import runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The depth is searched until what is left could add less than this share, or this length in metres.
RELATIVE = 0.01
ABSOLUTE_M = 0.01
MAX_CELLS = 400_000


def depth(conflict: NDArray[Any], edge: Any) -> NDArray[np.float64]:
    """Measure the largest distance of a point of each conflict to the edge of the features.

    Parameters
    ----------
    conflict
        Array of polygons, lines or points in a metric CRS.
    edge
        The edge as one geometry or an array of lines in the same CRS; empty: nothing to be measured from.

    Returns
    -------
    array of float
        Metres: a lower bound within 1 % of the true value; NaN where there is no edge.

    Notes
    -----
    Distance changes by at most a metre per metre, so a square cell whose centre lies d from the edge holds no
    point further away than d plus half its diagonal. Cells that can not beat the best found so far are
    dropped, the others quartered.

    Examples
    --------
    >>> zone = shapely.box(0, 0, 100, 40)
    >>> depth(np.array([zone, shapely.box(0, 0, 10, 40)]), zone.exterior).round(1).tolist()
    [20.0, 10.0]
    """
    shapes = np.asarray(conflict, dtype=object)
    lines = shapely.get_parts(np.atleast_1d(np.asarray(edge, dtype=object)))
    lines, _ = runs(lines, segments=32)
    if not len(lines) or not len(shapes):
        return np.full(len(shapes), np.nan)
    tree = shapely.STRtree(lines)
    best = _at_vertices(shapes, tree)
    polygons = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    shapely.prepare(shapes[polygons])
    west, south, east, north = shapely.bounds(shapes[polygons]).T
    half = np.maximum(np.maximum(east - west, north - south) / 2, 1e-6)
    x, y, owner = (west + east) / 2, (south + north) / 2, polygons
    while len(owner):
        far = _distance(tree, shapely.points(x, y))
        inside = shapely.contains_xy(shapes[owner], x, y)
        np.maximum.at(best, owner[inside], far[inside])
        reach = far + half * np.sqrt(2)
        open_ = reach > np.maximum(best[owner] * (1 + RELATIVE), best[owner] + ABSOLUTE_M)
        x, y, half, owner = x[open_], y[open_], half[open_], owner[open_]
        if not len(owner) or len(owner) * 4 > MAX_CELLS:
            break
        half = np.repeat(half / 2, 4)
        owner = np.repeat(owner, 4)
        x = np.repeat(x, 4) + half * np.tile([-1, 1, -1, 1], len(x))
        y = np.repeat(y, 4) + half * np.tile([-1, -1, 1, 1], len(y))
        meets = shapely.intersects(shapes[owner], shapely.box(x - half, y - half, x + half, y + half))
        x, y, half, owner = x[meets], y[meets], half[meets], owner[meets]
    return best


def _at_vertices(shapes: NDArray[Any], tree: shapely.STRtree) -> NDArray[np.float64]:
    # A line may be furthest from the edge between its vertices: 200 more points on it bound the loss.
    lengths = np.where(shapely.get_dimensions(shapes) == 1, shapely.length(shapes), 0.0)
    dense = shapes.copy()
    lines = np.flatnonzero(lengths > 0)
    dense[lines] = shapely.segmentize(shapes[lines], np.maximum(lengths[lines] / 200, ABSOLUTE_M))
    points, owner = shapely.get_coordinates(dense, return_index=True)
    best = np.zeros(len(shapes))
    np.maximum.at(best, owner, _distance(tree, shapely.points(points)))
    return best


def _distance(tree: shapely.STRtree, points: Any) -> NDArray[np.float64]:
    (asked, _), found = tree.query_nearest(points, return_distance=True, all_matches=False)
    distance = np.empty(len(points))
    distance[asked] = found
    return distance
