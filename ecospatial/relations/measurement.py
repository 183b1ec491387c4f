"""What a question is about, what lies around the sites, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry import (
    ROUNDING_M,
    Cut,
    NearestCandidates,
    Pieces,
    SegmentIndex,
    ShapeIndex,
    cut,
    distinct,
    firsts,
    strip,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Measures:
    """What one question found for each site; a row of every array is a site.

    ``along_m`` is metres along a river, upstream positive; empty where nothing was measured so. ``uncovered`` marks
    sites that the features of an ``outside`` question do not cover wholly, wherever the rest of them lies.
    """

    touched: NDArray[np.bool_]
    distance_m: NDArray[np.float64]
    margin_m: NDArray[np.float64]
    overlap_m2: NDArray[np.float64]
    overlap_length_m: NDArray[np.float64]
    feature: NDArray[np.intp]
    features: NDArray[np.intp]
    conflict: NDArray[Any]
    beyond: NDArray[np.bool_]
    along_m: NDArray[np.float64]
    uncovered: NDArray[np.bool_]

    @classmethod
    def nothing(cls, count: int) -> Measures:
        """Nothing found anywhere: no feature is within reach of any site."""
        return cls(
            touched=np.zeros(count, dtype=bool),
            distance_m=np.full(count, np.nan),
            margin_m=np.full(count, np.nan),
            overlap_m2=np.zeros(count),
            overlap_length_m=np.zeros(count),
            feature=np.full(count, -1, dtype=np.intp),
            features=np.zeros(count, dtype=np.intp),
            conflict=np.full(count, None, dtype=object),
            beyond=np.ones(count, dtype=bool),
            along_m=np.full(count, np.nan),
            uncovered=np.zeros(count, dtype=bool),
        )

    @classmethod
    def around(cls, nearest: Nearest) -> Measures:
        """Nothing touched yet, but the distance to what is near each site."""
        found = cls.nothing(len(nearest.feature))
        found.distance_m, found.feature = nearest.distance_m.copy(), nearest.feature.copy()
        found.beyond = nearest.feature < 0
        return found

    def take_from(self, other: Measures, where: NDArray[np.bool_]) -> None:
        """Replace the rows of some sites by those of other measures of the same sites."""
        for entry in fields(self):
            getattr(self, entry.name)[where] = getattr(other, entry.name)[where]


@dataclass(frozen=True)
class Target:
    """The features that a question is about: prepared once, asked for all sites."""

    geometry: NDArray[Any]

    @cached_property
    def pieces(self) -> Pieces:
        """The features, subdivided and indexed."""
        return Pieces.of(self.geometry)

    @cached_property
    def outline(self) -> SegmentIndex:
        """The lines, edges of polygons and points of the features."""
        return SegmentIndex.of(self.geometry)

    @cached_property
    def edge(self) -> SegmentIndex:
        """The edge of all features together; edges that two features share are not part of it."""
        together = self.joined
        alone = float(shapely.length(self.geometry).sum())
        return self.outline if abs(shapely.length(together) - alone) <= ROUNDING_M else SegmentIndex.of(together)

    @cached_property
    def joined(self) -> Any:
        """The features as one geometry."""
        return shapely.union_all(self.geometry)

    @cached_property
    def joined_parts(self) -> tuple[NDArray[Any], shapely.STRtree]:
        """The connected parts of the features taken together, and an index over them."""
        parts = np.asarray(shapely.get_parts(self.joined), dtype=object)
        return parts, shapely.STRtree(parts)

    def drawn(self, within_m: float, piece: NDArray[np.intp]) -> Pieces:
        """Draw what lies within a distance of some pieces, none of it twice."""
        close = self.pieces.piece[piece]
        # At no distance a line has no strip, and a polygon is its own.
        shapes = strip(close, within_m) if within_m > 0 else close[shapely.get_dimensions(close) == 2]
        return Pieces.of(np.array([shapely.union_all(shapes)], dtype=object))

    def all_drawn(self, within_m: float) -> Pieces:
        """Draw what lies within a distance of any piece; it is kept."""
        if within_m not in self._drawn:
            self._drawn[within_m] = self.drawn(within_m, np.arange(len(self.pieces.piece)))
        return self._drawn[within_m]

    @cached_property
    def _drawn(self) -> dict[float, Pieces]:
        return {}


@dataclass(frozen=True)
class Nearest:
    """The feature nearest to each site and its distance in metres; -1 and NaN where none is within reach.

    ``close`` are the sites that an edge may cross: no edge comes into a circle round any other. Of these ``site`` lies
    whole in a feature, ``holder``. No spot of a site is further from an edge than ``most_m``.
    ``several`` are the sites that meet more than one feature. Only those that are ``asked`` about are in any of these;
    ``row`` is the position that each has in ``around``, -1 for the others.
    """

    asked: NDArray[np.bool_]
    row: NDArray[np.intp]
    distance_m: NDArray[np.float64]
    feature: NDArray[np.intp]
    close: NDArray[np.intp]
    site: NDArray[np.intp]
    holder: NDArray[np.intp]
    most_m: NDArray[np.float64]
    several: NDArray[np.intp]
    around: NearestCandidates | None

    @classmethod
    def of(
        cls, target: Target, sites: ShapeIndex, reach_m: float, *, asked: NDArray[np.bool_] | None = None
    ) -> Nearest:
        """Look around each site that is asked about, all of them when not given.

        What a site meets has no distance, to all else it is that between the outlines.
        """
        asked = np.ones(len(sites), dtype=bool) if asked is None else asked
        distance, most = np.full(len(sites), np.nan), np.full(len(sites), np.inf)
        feature, row = np.full(len(sites), -1, dtype=np.intp), np.full(len(sites), -1, dtype=np.intp)
        some, none = np.flatnonzero(asked), np.empty(0, dtype=np.intp)
        row[some] = np.arange(len(some))
        if not len(target.geometry) or not len(some):
            return cls(asked, row, distance, feature, none, none, none, most, none, None)
        pieces = target.pieces
        piece, whole = sites.middles.query(pieces.piece, predicate="intersects")
        reach = np.full(len(sites), reach_m)
        # Sites in a feature may be deep in it: that will be asked.
        reach[whole] = np.inf
        around = target.outline.around(sites, some, reach_m=reach[some])
        least, most[some] = around.bounds_m
        clear = np.zeros(len(sites), dtype=bool)
        clear[some] = least > ROUNDING_M
        held = clear[whole]
        count = len(target.geometry)
        inside = distinct(whole[held] * count + pieces.owner[piece[held]])
        site, holder = inside // count, inside % count
        close = some[~clear[some]]
        piece, place = shapely.STRtree(sites.geometry[close]).query(pieces.piece, predicate="intersects")
        pairs = distinct(np.append(inside, close[place] * count + pieces.owner[piece]))
        met, begin = pairs // count, firsts(pairs // count)
        feature[met[begin]], distance[met] = pairs[begin] % count, 0.0
        several = distinct(met[1:][met[1:] == met[:-1]])
        apart = some[feature[some] < 0]
        distance[apart], feature[apart] = around.nearest(sites.outline[apart], row[apart], reach_m)
        return cls(asked, row, distance, feature, close, site, holder, most, several, around)

    def within(self, reach_m: NDArray[np.float64], *, asked: NDArray[np.bool_]) -> Nearest:
        """Leave out what is beyond the reach of each site, metres, and sites that are not asked about."""
        reached, held = asked & (self.distance_m <= reach_m), asked[self.site]
        return replace(
            self,
            asked=asked,
            distance_m=np.where(reached, self.distance_m, np.nan),
            feature=np.where(reached, self.feature, -1),
            close=self.close[asked[self.close]],
            site=self.site[held],
            holder=self.holder[held],
            several=self.several[asked[self.several]],
        )

    def edge(self, target: Target, sites: ShapeIndex, some: NDArray[np.intp]) -> NearestCandidates:
        """Find out what of the edge of all features together may be nearest to some sites."""
        if self.around is None or target.edge is not target.outline:
            return target.edge.around(sites, some)
        around = self.around.of(self.row[some])
        far = np.flatnonzero(around.beyond)
        return around.with_(target.edge.around(sites, some[far]), far) if len(far) else around

    def parts(self, target: Target, sites: ShapeIndex) -> Cut:
        """Cut the sites with the features: only those that an edge may cross have to be."""
        across = cut(sites, target.pieces, some=self.close)
        site, owner = np.append(self.site, across.site), np.append(self.holder, across.owner)
        shapes = np.append(sites.geometry[self.site], across.geometry)
        order = np.lexsort((owner, site))
        return Cut(site[order], owner[order], shapes[order])
