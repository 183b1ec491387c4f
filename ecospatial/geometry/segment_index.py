"""Find the nearest segment for many shapes at once; neighbourhoods leave out what can not be nearest.

Against an STRtree over single segments, in one run (``scripts/benchmarks/segment_index.py``, distances of sites and of
their corners, shapely 2.1): with the 1,169 segments of a district it is 3.7 times as fast for 200 sites, 4.1 for 2,000,
8.5 for 20,000 and 8.4 for 200,000; with 18,115 segments, one every 5 m, as fast for 200 and 2,000 sites, 4.3 times for
20,000 and 4.1 for 200,000. The tree won nowhere, so this index serves all counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry._edges import chains, firsts, spread
from ecospatial.geometry._ragged import BLOCK, Circles, RaggedDistances, blocks, no_lists
from ecospatial.geometry._shapes import WIDE_M, ShapeIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So many segments that follow each other are looked at as one where all is far.
RUN = 16
# Short runs have so many: they are what is indexed, and what distances are measured to.
SHORT = 4
# Where more segments may be nearest in a neighbourhood, an index is faster than lists.
DENSE = 1000
# Metric coordinates of seven digits carry rounding of about 1e-9 m; a limit is reached when it is this close.
ROUNDING_M = 1e-6


@dataclass(frozen=True)
class SegmentIndex:
    """The segments of polygons and lines, and points, which are segments of no length; asked often.

    ``owner`` is the geometry that each came from. Segments that follow each other make runs: a run starts with segment
    ``run_first`` and has ``run_count`` of them.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    owner: NDArray[np.intp]
    run_first: NDArray[np.intp]
    run_count: NDArray[np.intp]

    @classmethod
    def of(cls, geometry: Any) -> SegmentIndex:
        """Take one geometry, or an array, of any dimension."""
        xy, first, count, owner = chains(np.atleast_1d(np.asarray(geometry, dtype=object)))
        size = np.where(count > 1, count - 1, count)
        vertex, of = spread(first, size)
        number, chain = spread(np.zeros_like(size), (size + RUN - 1) // RUN)
        run_first = (np.cumsum(size) - size)[chain] + number * RUN
        run_count = np.minimum(size[chain] - number * RUN, RUN)
        return cls(xy[vertex], xy[vertex + (count[of] > 1)], owner[of], run_first, run_count)

    def __len__(self) -> int:
        """Count the segments."""
        return len(self.owner)

    @cached_property
    def short(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The first segment of each short run, and how many it has."""
        number, run = spread(np.zeros_like(self.run_count), (self.run_count + SHORT - 1) // SHORT)
        return self.run_first[run] + number * SHORT, np.minimum(self.run_count[run] - number * SHORT, SHORT)

    @cached_property
    def short_of(self) -> NDArray[np.intp]:
        """The short run that each segment is in."""
        count = self.short[1]
        return np.repeat(np.arange(len(count)), count)

    def lines(self, run: NDArray[np.intp]) -> NDArray[Any]:
        """Give short runs as lines; made when they are first asked for."""
        made: NDArray[Any] = self._made[run]
        missing = np.unique(run[shapely.is_missing(made)])
        if len(missing):
            first, count = (part[missing] for part in self.short)
            vertex, of = spread(first, count + 1)
            last = vertex == (first + count)[of]
            xy = np.where(last[:, None], self.end[vertex - last], self.start[vertex - last])
            self._made[missing] = shapely.linestrings(xy, indices=of)
            made = self._made[run]
        return made

    @cached_property
    def _made(self) -> NDArray[Any]:
        return np.full(len(self.short[0]), None, dtype=object)

    @cached_property
    def index(self) -> shapely.STRtree:
        """Index over the short runs."""
        return shapely.STRtree(self.lines(np.arange(len(self.short[0]))))

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        """Where each segment starts, how far it goes, and one over the square of its length (0 for a point)."""
        along = self.end - self.start
        square = (along**2).sum(axis=1)
        per = np.divide(1.0, square, out=np.zeros(len(square)), where=square > 0)
        return np.ascontiguousarray(np.column_stack([self.start, along, per]).T)

    @cached_property
    def _runs(self) -> NDArray[np.float64]:
        """A vertex of each run, and how far from it the run goes."""
        spot = self.start[self.run_first + self.run_count // 2]
        segment, of = spread(self.run_first, self.run_count)
        far = [np.hypot(*(side[segment] - spot[of]).T) for side in (self.start, self.end)]
        most = np.maximum.reduceat(np.maximum(*far), np.cumsum(self.run_count) - self.run_count)
        return np.ascontiguousarray(np.column_stack([spot, most]).T)

    def distance(self, xy: NDArray[np.float64], segment: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give the distance of each point to a segment; the arrays are broadcast."""
        x, y = self._away(xy[..., 0], xy[..., 1], segment)
        return np.asarray(np.sqrt(x * x + y * y))

    def least(
        self, xy: NDArray[np.float64], segment: NDArray[np.intp], spot: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Give the least distance of each spot to the segments listed for it, and which of them it is to."""
        far = self.distance(xy[spot], segment)
        distance = np.minimum.reduceat(far, firsts(spot))
        best = np.flatnonzero(far == distance[spot])
        return distance, segment[best[firsts(spot[best])]]

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

    def around(
        self,
        shapes: ShapeIndex | NDArray[Any],
        some: NDArray[np.intp] | None = None,
        *,
        reach_m: NDArray[np.float64] | None = None,
    ) -> NearestCandidates:
        """Find out which segments may be nearest to a spot of each shape.

        Parameters
        ----------
        shapes
            Geometries in the CRS of the edge.
        some
            Positions of those that are asked about; all of them when not given.
        reach_m
            How far to look around each of them; without it, as far as need be.
        """
        all_ = ShapeIndex.of(shapes)
        asked = np.arange(len(all_)) if some is None else some
        middle, radius = (part[asked] for part in all_.circle)
        small = np.flatnonzero(radius <= WIDE_M)
        reach = np.full(len(asked), np.inf) if reach_m is None else reach_m
        own = self._listed(all_, asked[small], Circles(middle[small], radius[small], reach[small]))
        lists, beyond = no_lists(len(asked)), np.zeros(len(asked), dtype=bool)
        if own is not None:
            beyond[small] = own.count == 0
            lists.first[small], lists.count[small] = own.first, own.count
            lists = replace(lists, segment=own.segment, distance_m=own.distance_m)
        return NearestCandidates(self, radius, lists, beyond)

    def _listed(self, shapes: ShapeIndex, asked: NDArray[np.intp], circles: Circles) -> RaggedDistances | None:
        """List for shapes in these circles what may be nearest: runs for whole neighbourhoods, then their segments.

        What is out of reach has an empty list. None where lists would be too long.
        """
        if not len(asked) or not len(self):
            return None
        everything = np.arange(len(self.run_first))
        lists = RaggedDistances(np.array([0]), np.array([len(everything)]), everything, np.zeros(len(everything)))
        position, place = np.zeros(1, dtype=np.intp), np.zeros(len(asked), dtype=np.intp)
        levels = shapes.levels if len(asked) * len(everything) > BLOCK else []
        for level in levels:
            inside, count = level.inside[asked], len(level.parent)
            cells = np.flatnonzero(np.bincount(inside, minlength=count))
            reach = np.zeros(count)
            np.maximum.at(reach, inside, circles.reach_m)
            around = Circles(level.middle[cells], level.radius[cells], reach[cells])
            lists = self._runs_left(around, lists, position[level.parent[cells]])
            if level is levels[-1]:
                if self.run_count[lists.segment].sum() > DENSE * np.count_nonzero(lists.count):
                    return None
                lists = self._left(around, self._opened(lists), np.arange(len(cells)))
            position = np.full(count, -1, dtype=np.intp)
            position[cells] = np.arange(len(cells))
            place = position[inside]
        if not levels:
            lists = self._opened(self._runs_left(circles, lists, place))
            place = np.arange(len(asked))
        return self._left(circles, lists, place)

    def _opened(self, lists: RaggedDistances) -> RaggedDistances:
        """Give the segments of the runs in lists."""
        size = self.run_count[lists.segment]
        segment, _ = spread(self.run_first[lists.segment], size)
        total = np.append(0, np.cumsum(size))
        first = total[lists.first]
        return RaggedDistances(first, total[lists.first + lists.count] - first, segment, np.empty(0))

    def _runs_left(self, circles: Circles, lists: RaggedDistances, place: NDArray[np.intp]) -> RaggedDistances:
        """Leave in the list of a place around each circle the runs that may be nearest to some spot in the circle."""
        count = np.zeros(len(circles), dtype=np.intp)
        kept = [np.empty(0, dtype=np.intp)]
        for rows in blocks(lists.count[place]):
            own = place[rows]
            entry, of = lists.of(own)
            run = lists.segment[entry]
            x, y, most = self._runs.take(run, axis=1)
            x -= circles.middle[rows, 0][of]
            y -= circles.middle[rows, 1][of]
            distance = np.sqrt(x * x + y * y)
            # To the vertex it is so far at most; no spot of the run is nearer than that less its size.
            least, first = distance - most, np.cumsum(lists.count[own]) - lists.count[own]
            size = circles.radius[rows]
            limit = np.minimum.reduceat(distance, first) + 2 * size + ROUNDING_M
            limit[np.minimum.reduceat(least, first) > circles.reach_m[rows] + size + ROUNDING_M] = -np.inf
            keep = np.flatnonzero(least <= limit[of])
            count[rows] = np.bincount(of[keep], minlength=len(rows))
            kept.append(run[keep])
        return RaggedDistances(np.cumsum(count) - count, count, np.concatenate(kept), np.empty(0))

    def _left(self, circles: Circles, lists: RaggedDistances, place: NDArray[np.intp]) -> RaggedDistances:
        """Leave in the list of a place around each circle what may be nearest to some spot in the circle.

        Let t be nearest to the middle, T away in direction m, and some s be S away in direction n. From a spot v off
        the middle s is no nearer than S + n v, and t is at most T + m v + v v / 2 T away. So s is nowhere nearer where
        S - T is more than the radius r allows: r |n - m| + r r / 2 T, and never more than 2 r.
        """
        count = np.zeros(len(circles), dtype=np.intp)
        kept, far = [np.empty(0, dtype=np.intp)], [np.empty(0)]
        for rows in blocks(lists.count[place]):
            own = place[rows]
            first = np.cumsum(lists.count[own]) - lists.count[own]
            entry, of = lists.of(own)
            segment = lists.segment[entry]
            x, y = self._away(circles.middle[rows, 0][of], circles.middle[rows, 1][of], segment)
            square = x * x + y * y
            least, size = np.minimum.reduceat(square, first), circles.radius[rows]
            nearest = np.sqrt(least)
            limit = (nearest + 2 * size + ROUNDING_M) ** 2
            limit[nearest > circles.reach_m[rows] + size + ROUNDING_M] = -np.inf
            keep = np.flatnonzero(square <= limit[of])
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
        return RaggedDistances(np.cumsum(count) - count, count, np.concatenate(kept), np.concatenate(far))


@dataclass(frozen=True)
class NearestCandidates:
    """What may be nearest to shapes; wide ones, and all where edges are dense, have no list: the index is asked.

    Of those ``beyond`` nothing is known but that the edge is out of reach.
    """

    edge: SegmentIndex
    radius: NDArray[np.float64]
    lists: RaggedDistances
    beyond: NDArray[np.bool_]

    def of(self, some: NDArray[np.intp]) -> NearestCandidates:
        """Give what may be nearest to some of the shapes."""
        lists = replace(self.lists, first=self.lists.first[some], count=self.lists.count[some])
        return NearestCandidates(self.edge, self.radius[some], lists, self.beyond[some])

    def with_(self, other: NearestCandidates, some: NDArray[np.intp]) -> NearestCandidates:
        """Put in what may be nearest to some of the shapes, found out anew."""
        lists, new, beyond = self.lists, other.lists, self.beyond.copy()
        first, count = lists.first.copy(), lists.count.copy()
        first[some], count[some], beyond[some] = new.first + len(lists.segment), new.count, other.beyond
        listed = np.append(lists.segment, new.segment), np.append(lists.distance_m, new.distance_m)
        return NearestCandidates(self.edge, self.radius, RaggedDistances(first, count, *listed), beyond)

    @cached_property
    def bounds_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the greatest distance to the edge that a spot of each shape may have; 0, infinite: unknown.

        The least is infinite for what is out of reach.
        """
        least, most = np.where(self.beyond, np.inf, 0.0), np.full(len(self.radius), np.inf)
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
            _, run = self.edge.index.query_nearest(shapely.points(xy[wide]), all_matches=False)
            listed, spot = spread(*(part[run] for part in self.edge.short))
            distance[wide], segment[wide] = self.edge.least(xy[wide], listed, spot)
        for rows in blocks(count):
            entry, spot = self.lists.of(of[rows])
            distance[rows], segment[rows] = self.edge.least(xy[rows], self.lists.segment[entry], spot)
        return distance, segment

    def nearest(
        self, shapes: NDArray[Any], of: NDArray[np.intp], reach_m: float = np.inf
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Give the distance to the edge of shapes, and whose edge is so near; NaN and -1 out of reach.

        ``of`` is for each of them the shape that it is, or is a part of.
        """
        edge, of_run = self.edge, self.edge.owner[self.edge.short[0]]
        distance, owner = np.full(len(shapes), np.nan), np.full(len(shapes), -1, dtype=np.intp)
        count = self.lists.count[of]
        wide = np.flatnonzero((count == 0) & ~self.beyond[of])
        if len(wide):
            limit = None if np.isinf(reach_m) else reach_m + ROUNDING_M
            (asked, run), far = edge.index.query_nearest(
                shapes[wide], max_distance=limit, return_distance=True, all_matches=False
            )
            distance[wide[asked]], owner[wide[asked]] = far, of_run[run]
        rows = np.flatnonzero((count > 0) & (self.bounds_m[0][of] <= reach_m + ROUNDING_M))
        if not len(rows):
            return distance, owner
        entry, shape = self.lists.of(of[rows])
        far, run = self.lists.distance_m[entry], edge.short_of[self.lists.segment[entry]]
        # What is nearest to the middle is near; whatever is nearer to the shape is nearer to the middle than this:
        best = np.flatnonzero(far == np.minimum.reduceat(far, firsts(shape))[shape])
        guess = run[best[firsts(shape[best])]]
        near = shapely.distance(shapes[rows], edge.lines(guess))
        other = np.flatnonzero((far <= (near + self.radius[of[rows]] + ROUNDING_M)[shape]) & (run != guess[shape]))
        shape, run = shape[other], run[other]
        change = np.diff(shape, prepend=-1) | np.diff(run, prepend=-1)
        shape, run = shape[change != 0], run[change != 0]
        found = np.append(near, shapely.distance(shapes[rows[shape]], edge.lines(run)))
        shape, run = np.append(np.arange(len(rows)), shape), np.append(guess, run)
        order = np.lexsort((run, found, shape))
        order = order[firsts(shape[order])]
        reached = found[order] <= reach_m + ROUNDING_M
        distance[rows[reached]] = found[order][reached]
        owner[rows[reached]] = of_run[run[order][reached]]
        return distance, owner
