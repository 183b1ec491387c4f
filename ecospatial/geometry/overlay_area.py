"""How much area polygons share, summed edge against edge: no shape is made where only its size is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry._edges import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pairs of edges looked at in one go: what is held of them fits in the cache of a processor.
CHUNK = 2**20
# Two ways to the same area differ by the rounding of the coordinates (half of 2**-53 of their size) along the edges. An
# area so small that this could be more than 1e-9 of it is called in doubt.
_ROUNDING = 2.0**-54 * 1e9


@dataclass(frozen=True)
class Edges:
    """The vertices of polygons in the order of their rings, interior to the left.

    ``x``, ``y`` are a vertex, ``to`` is the position of the next one in its ring and ``back`` of the one before;
    ``sign`` is -1 where the ring came the other way round. Polygon p has ``count[p]`` vertices from ``start[p]``.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    to: NDArray[np.intp]
    back: NDArray[np.intp]
    sign: NDArray[np.float64]
    start: NDArray[np.intp]
    count: NDArray[np.intp]

    @classmethod
    def of(cls, polygons: NDArray[Any]) -> Edges:
        """Take valid polygons, single or multi-part, apart."""
        parts, owner = shapely.get_parts(polygons, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        shell = np.diff(part, prepend=-1) != 0
        sign = np.where(shapely.is_ccw(rings) == shell, 1.0, -1.0)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        last = np.diff(ring, append=-1) != 0  # a ring repeats its first vertex at its end
        xy, ring = xy[~last], ring[~last]
        size = np.bincount(ring, minlength=len(rings))
        first = np.cumsum(size) - size
        here = np.arange(len(ring))
        to, back = here + 1, here - 1
        to[(first + size - 1)[size > 0]] = first[size > 0]
        back[first[size > 0]] = (first + size - 1)[size > 0]
        count = np.bincount(owner[part[ring]], minlength=len(polygons))
        return cls(xy[:, 0].copy(), xy[:, 1].copy(), to, back, sign[ring], np.cumsum(count) - count, count)


def shared_area(
    left: NDArray[Any], right: NDArray[Any], pairs: tuple[NDArray[np.intp], NDArray[np.intp]], *, jobs: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Measure the area that pairs of polygons share.

    Parameters
    ----------
    left, right
        Arrays of valid polygons in the same metric CRS. The work grows with the product of their vertices, so
        subdivide the large ones.
    pairs
        Positions in ``left`` and in ``right``.
    jobs
        Threads.

    Returns
    -------
    area, doubtful
        Square metres for each pair, and whether rounding may be more than 1e-9 of it: then cut the pair.

    Notes
    -----
    A polygon is the sum of the strips under its edges down to a base line, those of edges that run back taken
    off. So the area two polygons share is the sum, over each edge of one and each of the other, of the area under
    both. Edges above the whole of the left polygon count only by where they begin and end; where two of them meet,
    these cancel.

    Examples
    --------
    >>> area, doubtful = shared_area(
    ...     np.array([shapely.box(0, 0, 10, 10)]),
    ...     np.array([shapely.box(5, -5, 50, 50)]),
    ...     (np.array([0]), np.array([0])),
    ... )
    >>> area.tolist(), doubtful.tolist()
    ([50.0], [False])
    """
    one, other = np.asarray(pairs[0], dtype=np.intp), np.asarray(pairs[1], dtype=np.intp)
    asked = np.zeros(len(left), dtype=bool)
    asked[one] = True
    used, one = np.flatnonzero(asked), (np.cumsum(asked) - 1)[one]
    left = np.asarray(left, dtype=object)[used]
    bounds = shapely.bounds(left)
    mine, theirs = Edges.of(left), Edges.of(np.asarray(right, dtype=object))
    strips = _strips(mine, bounds)

    def measured(part: slice) -> NDArray[np.float64]:
        return _of_chunk(strips, bounds[one[part]], theirs, one[part], other[part])

    work = np.cumsum(mine.count[one] * theirs.count[other]) // CHUNK
    starts = np.flatnonzero(np.diff(work, prepend=-1))
    parts = [slice(at, to) for at, to in pairwise([*starts.tolist(), len(one)])]
    if jobs > 1 and len(parts) > 1:
        with ThreadPoolExecutor(jobs) as pool:
            found = list(pool.map(measured, parts))
    else:
        found = [measured(part) for part in parts]
    area = np.concatenate([np.empty(0), *found])
    size = np.abs(bounds).max(axis=1, initial=0) * shapely.length(left)
    return area, area < _ROUNDING * size[one]


@dataclass(frozen=True, slots=True)
class _Strips:
    """The edges of polygons from left to right, relative to the lower left corner of their polygon."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    at_low: NDArray[np.float64]
    slope: NDArray[np.float64]
    sign: NDArray[np.float64]
    start: NDArray[np.intp]
    count: NDArray[np.intp]


def _strips(edges: Edges, bounds: NDArray[np.float64]) -> _Strips:
    owner = np.repeat(np.arange(len(edges.count)), edges.count)
    corner = bounds[owner]
    x, y = edges.x - corner[:, 0], edges.y - corner[:, 1]
    low, high, at_low, slope, sign = _upright(x, y, x[edges.to], y[edges.to], edges.sign)
    return _Strips(low, high, at_low, slope, sign, edges.start, edges.count)


def _upright(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    to_x: NDArray[np.float64],
    to_y: NDArray[np.float64],
    sign: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Turn directed edges from left to right: the strip under one that ran to the left counts, others are taken off."""
    back = to_x < x
    low, high = np.where(back, to_x, x), np.where(back, x, to_x)
    at_low, at_high = np.where(back, to_y, y), np.where(back, y, to_y)
    width = high - low
    slope = np.divide(at_high - at_low, width, out=np.zeros_like(width), where=width > 0)
    return low, high, at_low, slope, np.where(back, sign, -sign)


def _of_chunk(
    strips: _Strips,
    bounds: NDArray[np.float64],
    theirs: Edges,
    one: NDArray[np.intp],
    other: NDArray[np.intp],
) -> NDArray[np.float64]:
    vertex, pair = spread(theirs.start[other], theirs.count[other])
    west, south, east, north = (np.ascontiguousarray(side) for side in bounds.T)
    to, back = theirs.to[vertex], theirs.back[vertex]
    x, y, to_x, to_y = theirs.x[vertex], theirs.y[vertex], theirs.x[to], theirs.y[to]
    top, bottom = north[pair], south[pair]
    high_here, high_next, high_before = y >= top, to_y >= top, theirs.y[back] >= top
    # An edge matters where it passes through or under the polygon's box, not where it lies beside or below it.
    keep = ~(high_here & high_next) & ((y > bottom) | (to_y > bottom))
    keep &= (np.minimum(x, to_x) < east[pair]) & (np.maximum(x, to_x) > west[pair])
    edge = np.flatnonzero(keep)
    turn = np.flatnonzero(high_here & (high_next != high_before) & (x > west[pair]))
    of = np.concatenate([pair[edge], pair[turn]])
    x0, y0 = west[of], south[of]
    sign = theirs.sign[vertex]
    # Of a run of edges above the box only the ends are left: a level edge from the box's west side to each.
    level = north[pair[turn]]
    begins = np.concatenate([x[edge], np.where(high_next[turn], x[turn], west[pair[turn]])])
    ends = np.concatenate([to_x[edge], np.where(high_next[turn], west[pair[turn]], x[turn])])
    low, high, at_low, slope, weight = _upright(
        begins - x0,
        np.concatenate([y[edge], level]) - y0,
        ends - x0,
        np.concatenate([to_y[edge], level]) - y0,
        np.concatenate([sign[edge], sign[turn]]),
    )
    strip, row = spread(strips.start[one[of]], strips.count[one[of]])
    starts, first = np.maximum(strips.low[strip], low[row]), strips.low[strip]
    width = np.minimum(strips.high[strip], high[row]) - starts
    met = np.flatnonzero(width > 0)
    strip, row, starts, first, width = strip[met], row[met], starts[met], first[met], width[met]
    # Heights of both edges where their common width begins, and how they change along it.
    under = strips.at_low[strip] + strips.slope[strip] * (starts - first)
    rise = strips.slope[strip] * width
    over = at_low[row] + slope[row] * (starts - low[row])
    climb = slope[row] * width
    shared = _positive(over, over + climb) - _positive(over - under, over + climb - under - rise)
    weights = shared * width * strips.sign[strip] * weight[row]
    return np.bincount(of[row], weights=weights, minlength=len(one)).astype(np.float64)


def _positive(begin: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the mean of the positive part of a value that changes evenly from ``begin`` to ``end``."""
    up, down = np.maximum(begin, 0), np.maximum(end, 0)
    total = up + down
    mixed = np.flatnonzero((begin > 0) != (end > 0))
    found: NDArray[np.float64] = total / 2
    whole = np.abs(begin[mixed]) + np.abs(end[mixed])
    found[mixed] = np.divide(total[mixed] ** 2, 2 * whole, out=np.zeros_like(whole), where=whole > 0)
    return found
