"""The nearest segment of an edge, for many shapes at once: whole neighbourhoods leave out what can not be nearest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.edges import firsts, runs, spread
from ecospatial.geometry.shapes import FINER, WIDE_M, Shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# So many pairs of a spot and a segment are measured in one go; they stay in the cache of a processor.
BLOCK = 1 << 15
# Metric coordinates of seven digits carry rounding of about 1e-9 m; a limit is reached when it is this close.
ROUNDING_M = 1e-6


@dataclass(frozen=True)
class Lists:
    """For each of some places a list of segments, and how far each is from the place, one list behind the other."""

    first: NDArray[np.intp]
    count: NDArray[np.intp]
    segment: NDArray[np.intp]
    distance_m: NDArray[np.float64]

    def of(self, place: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Give the positions of the entries of some places, and which of these places each is of."""
        return spread(self.first[place], self.count[place])


@dataclass(frozen=True)
class Edge:
    """The segments of polygons and lines, and points; asked often. ``owner`` is the geometry that each came from."""

    line: NDArray[Any]
    owner: NDArray[np.intp]

    @classmethod
    def of(cls, geometry: Any) -> Edge:
        """Take one geometry, or an array, of any dimension."""
        shapes = np.atleast_1d(np.asarray(geometry, dtype=object))
        parts, owner = shapely.get_parts(shapes, return_index=True)
        lines, of = runs(parts, segments=1)
        points = np.flatnonzero((shapely.get_dimensions(parts) == 0) & ~shapely.is_empty(parts))
        return cls(np.concatenate([lines, parts[points]]), owner[np.concatenate([of, points])])

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index over the segments."""
        return shapely.STRtree(self.line)

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        """Where each segment starts, how far it goes, and one over the square of its length (0 for a point)."""
        xy, of = shapely.get_coordinates(self.line, return_index=True)
        start = firsts(of)
        along = xy[np.append(start[1:], len(xy)) - 1] - xy[start]
        square = (along**2).sum(axis=1)
        per = np.divide(1.0, square, out=np.zeros(len(square)), where=square > 0)
        return np.ascontiguousarray(np.column_stack([xy[start], along, per]).T)

    def distance(self, xy: NDArray[np.float64], segment: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give the distance of each point to a segment; the arrays are broadcast."""
        x, y = self._away(xy[..., 0], xy[..., 1], segment)
        return np.asarray(np.sqrt(x * x + y * y))

    def _away(self, x: Any, y: Any, segment: NDArray[np.intp]) -> tuple[Any, Any]:
        """Give the way to each point from the spot of a segment that is nearest to it."""
        # In place: on so many numbers, new memory costs more than the arithmetic.
        start_x, start_y, along_x, along_y, share = self._table.take(segment, axis=1)
        x, y = x - start_x, y - start_y
        share = share * (x * along_x + y * along_y)
        np.maximum(share, 0.0, out=share)
        np.minimum(share, 1.0, out=share)
        x -= share * along_x
        y -= share * along_y
        return x, y

    def around(self, shapes: Shapes | NDArray[Any], some: NDArray[np.intp] | None = None) -> Around:
        """Find out which segments may be nearest to a spot of each shape.

        Parameters
        ----------
        shapes
            Geometries in the CRS of the edge.
        some
            Positions of those that are asked about; all of them when not given.
        """
        all_ = Shapes.of(shapes)
        asked = np.arange(len(all_)) if some is None else some
        middle, radius = (part[asked] for part in all_.circle)
        small = np.flatnonzero(radius <= WIDE_M)
        lists, place = self._neighbourhoods(all_, asked[small])
        own = self._left(middle[small], radius[small], lists, place)
        first, count = np.zeros(len(asked), dtype=np.intp), np.zeros(len(asked), dtype=np.intp)
        first[small], count[small] = own.first, own.count
        return Around(self, radius, Lists(first, count, own.segment, own.distance_m))

    def _neighbourhoods(self, shapes: Shapes, asked: NDArray[np.intp]) -> tuple[Lists, NDArray[np.intp]]:
        """Give lists of what may be nearest in neighbourhoods, and which of them is that of each shape."""
        everything = np.arange(len(self.line))
        lists = Lists(np.array([0]), np.array([len(everything)]), everything, np.zeros(len(everything)))
        position, place = np.zeros(1, dtype=np.intp), np.zeros(len(asked), dtype=np.intp)
        if len(asked) * len(everything) <= BLOCK:
            return lists, place
        for level in shapes.levels:
            if lists.count.max(initial=0) <= FINER:
                break
            inside, count = level.inside[asked], len(level.parent)
            cells = np.flatnonzero(np.bincount(inside, minlength=count))
            lists = self._left(level.middle[cells], level.radius[cells], lists, position[level.parent[cells]])
            position = np.full(count, -1, dtype=np.intp)
            position[cells] = np.arange(len(cells))
            place = position[inside]
        return lists, place

    def _left(
        self,
        xy: NDArray[np.float64],
        radius: NDArray[np.float64],
        lists: Lists,
        place: NDArray[np.intp],
    ) -> Lists:
        """Leave in the list of a place around each circle what may be nearest to some spot in the circle.

        Let t be nearest to the middle, T away in direction m, and some s be S away in direction n. From a spot v off
        the middle s is no nearer than S + n v, and t is at most T + m v + v v / 2 T away. So s is nowhere nearer where
        S - T is more than the radius r allows: r |n - m| + r r / 2 T, and never more than 2 r.
        """
        count = np.zeros(len(xy), dtype=np.intp)
        kept, far = [np.empty(0, dtype=np.intp)], [np.empty(0)]
        for rows in blocks(lists.count[place]):
            own = place[rows]
            first = np.cumsum(lists.count[own]) - lists.count[own]
            entry, of = lists.of(own)
            segment = lists.segment[entry]
            x, y = self._away(xy[rows, 0][of], xy[rows, 1][of], segment)
            square = x * x + y * y
            least, size = np.minimum.reduceat(square, first), radius[rows]
            nearest = np.sqrt(least)
            keep = np.flatnonzero(square <= ((nearest + 2 * size + ROUNDING_M) ** 2)[of])
            x, y, square, segment, of = x[keep], y[keep], square[keep], segment[keep], of[keep]
            best = np.flatnonzero(square == least[of])[::-1]
            to_x, to_y = np.empty(len(rows)), np.empty(len(rows))
            to_x[of[best]], to_y[of[best]] = x[best], y[best]
            distance = np.sqrt(square)
            # |n - m| squared is 2 - 2 n m.
            across = x * to_x[of] + y * to_y[of]
            across /= np.maximum(distance * nearest[of], ROUNDING_M**2)
            turn = np.sqrt(np.maximum(2.0 - 2.0 * across, 0.0))
            bend = nearest + size**2 / (2 * np.maximum(nearest, ROUNDING_M)) + ROUNDING_M
            keep = np.flatnonzero(distance <= size[of] * turn + bend[of])
            count[rows] = np.bincount(of[keep], minlength=len(rows))
            kept.append(segment[keep])
            far.append(distance[keep])
        return Lists(np.cumsum(count) - count, count, np.concatenate(kept), np.concatenate(far))


@dataclass(frozen=True)
class Around:
    """What may be nearest to shapes; the lists of wide ones are empty, for them the index is asked."""

    edge: Edge
    radius: NDArray[np.float64]
    lists: Lists

    def of(self, some: NDArray[np.intp]) -> Around:
        """Give what may be nearest to some of the shapes."""
        lists = self.lists
        return Around(self.edge, self.radius[some], replace(lists, first=lists.first[some], count=lists.count[some]))

    @cached_property
    def bounds_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the greatest distance to the edge that a spot of each shape may have; 0, infinite: unknown."""
        least, most = np.zeros(len(self.radius)), np.full(len(self.radius), np.inf)
        there = np.flatnonzero(self.lists.count)
        if len(there):
            middle = np.minimum.reduceat(self.lists.distance_m, self.lists.first[there])
            least[there] = np.maximum(middle - self.radius[there], 0.0)
            most[there] = middle + self.radius[there]
        return least, most

    def nearest_to(self, xy: NDArray[np.float64], of: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Give the distance to the edge of each spot, and the segment that is so near; ``of`` is the shape it is of."""
        distance, segment = np.full(len(xy), np.inf), np.full(len(xy), -1, dtype=np.intp)
        count = self.lists.count[of]
        wide = np.flatnonzero(count == 0)
        if len(wide):
            (asked, found), far = self.edge.tree.query_nearest(
                shapely.points(xy[wide]), return_distance=True, all_matches=False
            )
            distance[wide[asked]], segment[wide[asked]] = far, found
        for rows in blocks(count):
            entry, spot = self.lists.of(of[rows])
            listed = self.lists.segment[entry]
            far = self.edge.distance(xy[rows][spot], listed)
            distance[rows] = np.minimum.reduceat(far, firsts(spot))
            best = np.flatnonzero(far == distance[rows][spot])
            segment[rows] = listed[best[firsts(spot[best])]]
        return distance, segment

    def nearest(
        self, shapes: NDArray[Any], of: NDArray[np.intp], reach_m: float = np.inf
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Give the distance to the edge of shapes, and the segment that is so near; NaN and -1 out of reach.

        ``of`` is for each of them the shape that it is, or is a part of.
        """
        distance, segment = np.full(len(shapes), np.nan), np.full(len(shapes), -1, dtype=np.intp)
        count = self.lists.count[of]
        wide = np.flatnonzero(count == 0)
        if len(wide):
            limit = None if np.isinf(reach_m) else reach_m + ROUNDING_M
            (asked, found), far = self.edge.tree.query_nearest(
                shapes[wide], max_distance=limit, return_distance=True, all_matches=False
            )
            distance[wide[asked]], segment[wide[asked]] = far, found
        rows = np.flatnonzero((count > 0) & (self.bounds_m[0][of] <= reach_m + ROUNDING_M))
        if not len(rows):
            return distance, segment
        entry, shape = self.lists.of(of[rows])
        far, listed = self.lists.distance_m[entry], self.lists.segment[entry]
        # What is nearest to the middle is near; whatever is nearer to the shape is nearer to the middle than this:
        best = np.flatnonzero(far == np.minimum.reduceat(far, firsts(shape))[shape])
        guess = best[firsts(shape[best])]
        near = shapely.distance(shapes[rows], self.edge.line[listed[guess]])
        open_ = far <= (near + self.radius[of[rows]] + ROUNDING_M)[shape]
        open_[guess] = False
        other = np.flatnonzero(open_)
        others = shapely.distance(shapes[rows[shape[other]]], self.edge.line[listed[other]])
        entry, found = np.append(guess, other), np.append(near, others)
        shape = np.append(np.arange(len(rows)), shape[other])
        order = np.lexsort((listed[entry], found, shape))
        order = order[firsts(shape[order])]
        reached = found[order] <= reach_m + ROUNDING_M
        distance[rows[reached]], segment[rows[reached]] = found[order][reached], listed[entry[order]][reached]
        return distance, segment


def blocks(count: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Take places with a list apart so that each part has about ``BLOCK`` entries; those without are left out."""
    there = np.flatnonzero(count)
    if len(there):
        part = np.cumsum(count[there]) // BLOCK
        yield from np.split(there, np.flatnonzero(np.diff(part)) + 1)
