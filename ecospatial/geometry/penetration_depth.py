"""How deep a conflict lies in a zone: how far the zone's line would have to move to let it go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry._edges import firsts, runs
from ecospatial.geometry.overlay import subdivide
from ecospatial.geometry.segment_index import NearestCandidates, SegmentIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The depth is searched until what is left could add less than this share, but for lengths outside these bounds. The
# greater one makes whether a depth is more than some accuracy as good as eroding the features by it, within 0.1 m.
RELATIVE = 0.01
LEAST_M, MOST_M = 0.01, 0.1
# Where it is plain on which side of an accuracy a depth lies, this share of a large one will do.
PLAIN = 0.001
# So many cells are looked at in one go; the others wait.
BATCH = 1 << 17


def depth(conflict: NDArray[Any], edge: Any, limits_m: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Measure the largest distance of a point of each conflict to the edge of the features.

    Parameters
    ----------
    conflict
        Array of valid polygons, lines or points in a metric CRS.
    edge
        The edge as one geometry or an array of them, in the same CRS; empty: nothing to be measured from. Or what of
        it is around shapes that the conflicts are parts of.
    limits_m
        Conflicts x any number: the accuracies that each depth is to be compared with.

    Returns
    -------
    array of float
        Metres: a lower bound, less than the true value by at most 1 % and 0.1 m, or by 1 cm where that is more; with
        limits by 0.1 % of a depth over 100 m, if no limit lies between. NaN where there is no edge.

    Notes
    -----
    The distance to one segment is convex: on a triangle it is nowhere more than what its corners have, evenly
    interpolated. So the least of the distances to three segments is at most what the three interpolations allow, and
    where they allow it is a good place to look. Triangles in which that can not beat the best found so far are
    dropped, the others halved across their longest side; lines are halved likewise.

    Examples
    --------
    >>> zone = shapely.box(0, 0, 100, 40)
    >>> depth(np.array([zone, shapely.box(0, 0, 10, 40)]), zone.exterior).round(1).tolist()
    [20.0, 10.0]
    """
    shapes = np.asarray(conflict, dtype=object)
    if not len(shapes):
        return np.zeros(0)
    around = edge if isinstance(edge, NearestCandidates) else SegmentIndex.of(edge).around(shapes)
    if not len(around.edge):
        return np.full(len(shapes), np.nan)
    sought = _Sought(np.zeros(len(shapes)), limits_m)
    open_ = _from_vertices(shapes, around, sought)
    for corners, owner in _cells(shapes[open_]):
        _search(corners, open_[owner], around, sought)
    return sought.best


@dataclass(frozen=True)
class _Sought:
    """The greatest depths found so far, and the limits they are compared with."""

    best: NDArray[np.float64]
    limits_m: NDArray[np.float64] | None

    def enough(self, shape: NDArray[np.intp], most: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say where the depth of shapes, at most so much, need not be known better."""
        best = self.best[shape]
        enough = most <= best + np.clip(best * RELATIVE, LEAST_M, MOST_M)
        if self.limits_m is not None:
            limit = self.limits_m[shape]
            between = ((limit >= best[:, None]) & (limit < most[:, None])).any(axis=1)
            enough |= (most <= best * (1 + PLAIN)) & ~between
        return np.asarray(enough)


def _from_vertices(shapes: NDArray[Any], around: NearestCandidates, sought: _Sought) -> NDArray[np.intp]:
    """Measure from few vertices; give the shapes for which that is not enough."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    best, most = sought.best, np.full(len(shapes), np.inf)
    chosen = firsts(owner)
    open_ = owner[chosen]
    for _ in range(3):
        far, segment = around.nearest_to(xy[chosen], open_)
        best[open_] = np.maximum(best[open_], far)
        # No point of a shape is further from a segment than its furthest vertex: that one is asked next.
        position = np.searchsorted(open_, owner)
        reach = around.edge.distance(xy, segment[position])
        furthest = np.maximum.reduceat(reach, firsts(owner))
        most[open_] = np.minimum(most[open_], furthest)
        next_ = np.flatnonzero(reach == furthest[position])
        next_ = next_[firsts(owner[next_])]
        still = ~sought.enough(open_, most[open_])
        kept = still[position]
        chosen = (np.cumsum(kept) - 1)[next_[still]]
        xy, owner, open_ = xy[kept], owner[kept], open_[still]
        if not len(open_):
            break
    return open_


def _cells(shapes: NDArray[Any]) -> list[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Take shapes apart: polygons into triangles, lines into segments; the corners and the position of the shape."""
    pieces, owner = subdivide(shapes)
    dimension = shapely.get_dimensions(pieces)
    points = shapely.get_coordinates(pieces[dimension == 0])[:, None]
    lines, of = runs(pieces[dimension == 1], segments=1)
    segments = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    triangles, index = shapely.get_parts(
        shapely.constrained_delaunay_triangles(pieces[dimension == 2]), return_index=True
    )
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    return [
        (points, owner[dimension == 0]),
        (segments, owner[dimension == 1][of]),
        (corners, owner[dimension == 2][index]),
    ]


def _search(corners: NDArray[np.float64], owner: NDArray[np.intp], around: NearestCandidates, sought: _Sought) -> None:
    """Raise what was found to the depth of the cells; ``corners`` is cells x 1, 2 or 3 x 2."""
    if not len(owner):
        return
    best = sought.best
    count, sides = corners.shape[:2]
    far, segment = around.nearest_to(corners.reshape(-1, 2), np.repeat(owner, sides))
    waiting = [(corners, owner, far.reshape(count, sides), segment.reshape(count, sides))]
    while waiting:
        corners, owner, far, segment = waiting.pop()
        if len(owner) > BATCH:
            waiting += [(corners[p], owner[p], far[p], segment[p]) for p in np.array_split(np.arange(len(owner)), 2)]
            continue
        np.maximum.at(best, owner, far.max(axis=1))
        reach = around.edge.distance(corners[:, :, None], segment[:, None, :])  # cell x corner x segment
        # No point of a cell is further from a segment than its furthest corner.
        most = reach.max(axis=1).min(axis=1)
        open_ = np.flatnonzero(~sought.enough(owner, most))
        corners, owner, far, segment = corners[open_], owner[open_], far[open_], segment[open_]
        most, place = _most(corners, reach[open_])
        open_ = np.flatnonzero(~sought.enough(owner, most))
        if len(open_):
            np.maximum.at(best, owner[open_], around.nearest_to(place[open_], owner[open_])[0])
            open_ = open_[~sought.enough(owner[open_], most[open_])]
        if len(open_):
            waiting.append(_halved(corners[open_], owner[open_], far[open_], segment[open_], around))


def _most(corners: NDArray[np.float64], reach: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound the distance to the edge in each cell by the segments nearest to its corners, and say where it may be.

    ``reach`` are the distances of each corner of a cell to these segments.
    """
    count, sides = reach.shape[:2]
    pairs = [(a, b) for a in range(sides) for b in range(a)]
    # The least of some even slopes is highest at a corner, on a side where two are equal, or where three are.
    weights = [np.broadcast_to(weight, (count, sides)) for weight in np.eye(sides)]
    for one, other in pairs:
        apart = reach[:, :, one] - reach[:, :, other]
        for i, j in pairs:
            across = apart[:, i] * apart[:, j] < 0
            share = np.where(across, apart[:, i] / np.where(across, apart[:, i] - apart[:, j], 1.0), 0.0)
            weight = np.zeros((count, sides))
            weight[:, i], weight[:, j] = 1 - share, share
            weights.append(weight)
    if sides == 3:
        weight = np.cross(reach[:, :, 0] - reach[:, :, 1], reach[:, :, 1] - reach[:, :, 2])
        total = weight.sum(axis=1, keepdims=True)
        weight = np.divide(weight, total, out=np.zeros_like(weight), where=total != 0)
        inside = (weight >= 0).all(axis=1, keepdims=True) & (total != 0)
        weights.append(np.where(inside, weight, np.eye(sides)[0]))
    tried = np.stack(weights)  # place x cell x corner
    least = np.einsum("pcs,csk->pck", tried, reach).min(axis=2)
    highest = least.argmax(axis=0), np.arange(count)
    return least[highest], np.einsum("cs,csx->cx", tried[highest], corners)


def _halved(
    corners: NDArray[np.float64],
    owner: NDArray[np.intp],
    far: NDArray[np.float64],
    segment: NDArray[np.intp],
    around: NearestCandidates,
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Halve cells across their longest side."""
    cells, sides = np.arange(len(owner)), corners.shape[1]
    length = np.hypot(*np.moveaxis(corners - np.roll(corners, -1, axis=1), -1, 0))
    start = length.argmax(axis=1)
    end = (start + 1) % sides
    middle = (corners[cells, start] + corners[cells, end]) / 2
    middle_far, middle_segment = around.nearest_to(middle, owner)
    halves = []
    for replaced in (end, start):
        parts = corners.copy(), far.copy(), segment.copy()
        for part, value in zip(parts, (middle, middle_far, middle_segment), strict=True):
            part[cells, replaced] = value
        halves.append(parts)
    joined = [np.concatenate(pair) for pair in zip(*halves, strict=True)]
    return joined[0], np.concatenate([owner, owner]), joined[1], joined[2]
