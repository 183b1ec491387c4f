"""The closed vocabulary of spatial questions: near, overlaps, outside, along a river; and whether a coverage reaches.

Distance decides, buffers only draw. Everything works on arrays: one entry for each site.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from ecospatial.geometry import Cut, Edge, Pieces, Shapes, areal_part, cut, depth, distinct, merged, strip

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

# What counts as touched (docs/interface.md section 5): less is a shared edge or rounding.
MIN_AREA_M2 = 0.01
MIN_LENGTH_M = 0.001
# Metric coordinates of seven digits carry rounding of about 1e-9 m; a limit is reached when it is this close.
ROUNDING_M = 1e-6


@dataclass
class Measures:
    """What one question found for each site; a row of every array is a site.

    ``along_m`` is metres along a river, upstream positive; empty where nothing was measured so.
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
    def outline(self) -> Edge:
        """The lines, edges of polygons and points of the features."""
        return Edge.of(self.geometry)

    @cached_property
    def edge(self) -> Edge:
        """The edge of all features together, indexed; edges that two features share are not part of it."""
        return Edge.of(shapely.union_all(self.geometry))


@dataclass(frozen=True)
class Nearest:
    """The feature nearest to each site and its distance in metres; -1 and NaN where none is within reach.

    ``close`` are the sites that an edge may cross: no edge comes into a circle round any other. Of these ``site`` lies
    whole in a feature, ``holder``. No spot of a site is further from an edge than ``most_m``.
    """

    distance_m: NDArray[np.float64]
    feature: NDArray[np.intp]
    close: NDArray[np.intp]
    site: NDArray[np.intp]
    holder: NDArray[np.intp]
    most_m: NDArray[np.float64]

    @classmethod
    def of(cls, target: Target, sites: Shapes, reach_m: float) -> Nearest:
        """Look around each site: what it meets has no distance, to all else it is that between the outlines."""
        distance, feature = np.full(len(sites), np.nan), np.full(len(sites), -1, dtype=np.intp)
        none = np.empty(0, dtype=np.intp)
        if not len(target.geometry) or not len(sites):
            return cls(distance, feature, none, none, none, np.full(len(sites), np.inf))
        pieces, around = target.pieces, target.outline.around(sites)
        least, most = around.bounds_m
        clear = least > ROUNDING_M
        piece, whole = sites.middles.query(pieces.piece, predicate="intersects")
        held = clear[whole]
        count = len(target.geometry)
        inside = distinct(whole[held] * count + pieces.owner[piece[held]])
        site, holder = inside // count, inside % count
        close = np.flatnonzero(~clear)
        piece, place = shapely.STRtree(sites.geometry[close]).query(pieces.piece, predicate="intersects")
        first = np.full(len(sites), count)
        np.minimum.at(first, np.append(site, close[place]), np.append(holder, pieces.owner[piece]))
        met = first < count
        feature[met], distance[met] = first[met], 0.0
        apart = np.flatnonzero(~met)
        distance[apart], line = around.nearest(sites.outline[apart], apart, reach_m)
        feature[apart] = np.where(line >= 0, target.outline.owner[line], -1)
        return cls(distance, feature, close, site, holder, most)

    def within(self, reach_m: NDArray[np.float64]) -> Nearest:
        """Leave out what is beyond the reach of each site, metres."""
        reached = self.distance_m <= reach_m
        distance_m, feature = np.where(reached, self.distance_m, np.nan), np.where(reached, self.feature, -1)
        return replace(self, distance_m=distance_m, feature=feature)

    def parts(self, target: Target, sites: Shapes, jobs: int) -> Cut:
        """Cut the sites with the features: only those that an edge may cross have to be."""
        across = cut(sites, target.pieces, some=self.close, jobs=jobs)
        site, owner = np.append(self.site, across.site), np.append(self.holder, across.owner)
        shapes = np.append(sites.geometry[self.site], across.geometry)
        order = np.lexsort((owner, site))
        return Cut(site[order], owner[order], shapes[order])


def near(target: Target, sites: Shapes, nearest: Nearest, *, within_m: float) -> Measures:
    """Ask which sites lie within a distance of a feature.

    Parameters
    ----------
    target
        The features, any dimension, metric CRS.
    sites
        Geometries in the same CRS.
    nearest
        What lies around the sites; of features beyond its reach nothing is said.
    within_m
        The limit, no more than the reach; a site exactly at it is touched.
    """
    found = Measures.around(nearest)
    found.touched = found.distance_m <= within_m + ROUNDING_M
    found.margin_m = np.abs(within_m - found.distance_m)
    hit = np.flatnonzero(found.touched)
    if not len(hit):
        return found
    conflict, count = np.full(len(sites), None, dtype=object), len(target.geometry)
    # A site of which no spot is out of reach is its own conflict.
    whole = found.touched & (nearest.most_m <= within_m)
    whole[nearest.site] = True
    conflict[whole] = sites.geometry[whole]
    piece, site = _close_pairs(target, sites, within_m + ROUNDING_M)
    site, piece = site[found.touched[site]], piece[found.touched[site]]
    # At no distance a line has no strip, and a polygon is its own.
    close = target.pieces.piece[distinct(piece)]
    within = strip(close, within_m) if within_m > 0 else close[shapely.get_dimensions(close) == 2]
    drawn = Pieces.of(np.array([shapely.union_all(within)], dtype=object))
    rest = np.flatnonzero(found.touched & ~whole)
    conflict[rest] = merged(cut(sites, drawn, some=rest), len(sites))[rest]
    _measure_conflict(found, hit, conflict[hit])
    # The nearest feature is known to be reached; the others have to be asked.
    other = target.pieces.owner[piece] != found.feature[site]
    site, piece = site[other], piece[other]
    reached = shapely.dwithin(target.pieces.piece[piece], sites.geometry[site], within_m + ROUNDING_M)
    pairs = distinct(site[reached] * count + target.pieces.owner[piece[reached]])
    found.features = found.touched + np.bincount(pairs // count, minlength=len(sites))
    # A site whose nearest point only reaches the limit shares no area with the strip: that point is shown.
    bare = hit[[shape is None for shape in found.conflict[hit]]]
    if len(bare):
        line = shapely.shortest_line(sites.geometry[bare], _nearest_piece(target, sites.geometry[bare]))
        found.conflict[bare] = shapely.get_point(line, 0)
    return found


def overlaps(
    target: Target, sites: Shapes, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None, jobs: int = 1
) -> Measures:
    """Ask which sites share area, length or a point with a feature; a shared edge is not touched.

    Parameters are those of ``near``; the features are polygons. ``limits_m`` are for each site the accuracies that
    margins will be compared with (see ``depth``).
    """
    found = Measures.around(nearest)
    if not len(target.geometry):
        return found
    parts = nearest.parts(target, sites, jobs)
    conflict = merged(parts, len(sites))
    found.touched = _counts(conflict)
    hit = np.flatnonzero(found.touched)
    _measure_conflict(found, hit, conflict[hit])
    found.margin_m = np.where(found.touched, np.nan, found.distance_m)
    if len(hit):
        found.margin_m[hit] = depth(conflict[hit], target.edge.around(sites, hit), _of(limits_m, hit))
        _deciding(found, parts, hit)
        found.features[hit] = np.maximum(found.features[hit], 1)
    return found


def outside(
    target: Target, sites: Shapes, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None, jobs: int = 1
) -> Measures:
    """Ask which sites have a part that no feature covers.

    Parameters are those of ``overlaps``. The conflict is the part not covered.
    """
    found = Measures.around(nearest)
    parts = nearest.parts(target, sites, jobs)
    rest = _uncovered(target, sites, merged(parts, len(sites)))
    found.touched = _counts(rest)
    hit, miss = np.flatnonzero(found.touched), np.flatnonzero(~found.touched)
    _measure_conflict(found, hit, rest[hit])
    found.margin_m = np.full(len(sites), np.nan)
    _deciding(found, parts, np.arange(len(sites)))
    if len(target.geometry):
        if len(hit):
            found.margin_m[hit] = depth(rest[hit], target.edge.around(sites, hit), _of(limits_m, hit))
        if len(miss):
            found.margin_m[miss] = target.edge.around(sites, miss).nearest(sites.geometry[miss], np.arange(len(miss)))[0]
    found.beyond = np.isnan(found.margin_m)
    return found


def along_river(
    target: Target, sites: Shapes, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None, jobs: int = 1
) -> Measures:
    """Ask which sites lie in, or at the bank of, the stretch of river that belongs to an intake.

    A stretch is the water so many metres up and down the river from the intake, measured along the centreline into
    every branch and cut square across, from bank to bank, where it ends (``network.stretch_area``). A site is touched
    when it shares area, length or a point with that water, or adjoins it: unlike in ``overlaps`` a shared edge, even a
    shared corner, is touched, because the bank is where a site meets the water.

    Parameters
    ----------
    target
        The stretches, polygons in a metric CRS.
    sites, nearest, limits_m, jobs
        As in ``overlaps``.

    Returns
    -------
    Measures
        As ``overlaps`` gives them. A site that only adjoins has margin 0 and the shared edge as its conflict.

    Examples
    --------
    >>> water = Target(np.array([shapely.box(0, 0, 100, 20)], dtype=object))
    >>> boxes = [shapely.box(10, 20, 30, 40), shapely.box(10, 20.5, 30, 40), shapely.box(0, -5, 10, 5)]
    >>> sites = Shapes(np.array(boxes))
    >>> found = along_river(water, sites, Nearest.of(water, sites, 1000.0))
    >>> found.touched.tolist(), found.margin_m.round(1).tolist()
    ([True, False, True], [0.0, 0.5, 5.0])
    """
    found = overlaps(target, sites, nearest, limits_m=limits_m, jobs=jobs)
    beside = np.flatnonzero(~found.touched & (found.distance_m <= ROUNDING_M))
    if len(beside):
        shape, water = sites.geometry[beside], target.geometry[found.feature[beside]]
        shared = np.asarray(shapely.intersection(shape, water), dtype=object)
        apart = shapely.is_empty(shared)
        shared[apart] = shapely.get_point(shapely.shortest_line(shape[apart], water[apart]), 0)
        found.touched[beside], found.margin_m[beside] = True, 0.0
        found.conflict[beside] = shared
        found.features[beside] = np.maximum(found.features[beside], 1)
    return found


@dataclass(frozen=True)
class Coverage:
    """Where the absence of a feature means absence; prepared once, to be asked often.

    ``area`` is a polygon, metric CRS, or None: unknown, holds nothing. ``short_m`` says by how much it may be short of
    the coverage it stands for (a round corner drawn straight).
    """

    area: BaseGeometry | None
    short_m: float = 0.0

    @cached_property
    def edge(self) -> Edge:
        """Its edge, indexed."""
        return Edge.of(self.area)

    @cached_property
    def line(self) -> BaseGeometry:
        """Its edge as one line, prepared."""
        edge: Any = shapely.boundary(self.area)
        shapely.prepare(edge)
        return cast("BaseGeometry", edge)


@dataclass(frozen=True)
class Covered:
    """What a coverage holds of some sites."""

    coverage: Coverage
    sites: Shapes

    def within(self, within_m: float) -> NDArray[np.bool_]:
        """Say which sites it holds with everything within a distance of them."""
        if self.coverage.area is None or self.coverage.area.is_empty:
            return np.zeros(len(self.sites), dtype=bool)
        held = self._held.copy()
        least = within_m - self.coverage.short_m - ROUNDING_M
        if least > 0:
            nearest, furthest = self._between
            held &= furthest >= least
            open_ = np.flatnonzero(held & (nearest < least))
            held[open_] = ~shapely.dwithin(self.coverage.line, self.sites.geometry[open_], least)
        return held

    @cached_property
    def _between(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.coverage.edge.around(self.sites).bounds_m

    @cached_property
    def _held(self) -> NDArray[np.bool_]:
        area, nearest = self.coverage.area, self._between[0]
        shapely.prepare(area)
        # Where the edge is not within the circle round a site, all of the circle is on one side of it.
        middle = self.sites.circle[0]
        held = np.asarray(shapely.intersects_xy(area, middle[:, 0], middle[:, 1]), dtype=bool)
        open_ = np.flatnonzero(nearest <= ROUNDING_M)
        held[open_] = shapely.covers(area, self.sites.geometry[open_])
        return held


def _close_pairs(target: Target, sites: Shapes, within_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair pieces of the features and sites that may lie within a distance of each other, by their boxes."""
    west, south, east, north = shapely.bounds(target.pieces.piece).T
    boxes = shapely.box(west - within_m, south - within_m, east + within_m, north + within_m)
    piece, site = sites.tree.query(boxes)
    return piece, site


def _of(limits_m: NDArray[np.float64] | None, hit: NDArray[np.intp]) -> NDArray[np.float64] | None:
    return None if limits_m is None else limits_m[hit]


def _nearest_piece(target: Target, sites: NDArray[Any]) -> NDArray[Any]:
    _, piece = target.pieces.tree.query_nearest(sites, all_matches=False)
    return np.asarray(target.pieces.piece[piece], dtype=object)


def _counts(shapes: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which shared parts are more than a shared edge or rounding; None is nothing."""
    dimension = shapely.get_dimensions(shapes)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    enough = np.where(dimension == 2, shapely.area(shapes) > MIN_AREA_M2, shapely.length(shapes) > MIN_LENGTH_M)
    return np.asarray(there & ((dimension == 0) | enough), dtype=bool)


def _measure_conflict(found: Measures, hit: NDArray[np.intp], conflict: NDArray[Any]) -> None:
    found.conflict[hit] = conflict
    dimension = shapely.get_dimensions(conflict)
    found.overlap_m2[hit] = np.where(dimension == 2, np.nan_to_num(shapely.area(conflict)), 0.0)
    found.overlap_length_m[hit] = np.where(dimension == 1, np.nan_to_num(shapely.length(conflict)), 0.0)


def _deciding(found: Measures, parts: Cut, hit: NDArray[np.intp]) -> None:
    """Name for each site the feature with the largest share, and count those that are touched."""
    size = np.where(
        shapely.get_dimensions(parts.geometry) == 2,
        shapely.area(parts.geometry),
        shapely.length(parts.geometry),
    )
    if not len(size):
        return
    change = np.flatnonzero(np.diff(parts.site, prepend=-1) | np.diff(parts.owner, prepend=-1))
    site, owner = parts.site[change], parts.owner[change]
    total = np.add.reduceat(size, change)
    wanted = np.isin(site, hit)
    site, owner, total = site[wanted], owner[wanted], total[wanted]
    limit = np.where(shapely.get_dimensions(parts.geometry[change[wanted]]) == 2, MIN_AREA_M2, MIN_LENGTH_M)
    enough = (total > limit) | (shapely.get_dimensions(parts.geometry[change[wanted]]) == 0)
    order = np.lexsort((-owner, total, site))
    last = np.flatnonzero(np.diff(site[order], append=-1))
    found.feature[site[order][last]] = owner[order][last]
    np.add.at(found.features, site[enough], 1)


def _uncovered(target: Target, sites: Shapes, inside: NDArray[Any]) -> NDArray[Any]:
    rest, dimension = sites.geometry.copy(), sites.dimension
    some = np.flatnonzero(~shapely.is_missing(inside))
    areal = some[dimension[some] == 2]
    whole = is_same(inside[areal], rest[areal])
    rest[areal[whole]] = shapely.Polygon()
    areal = areal[~whole]
    rest[areal] = areal_part(shapely.difference(rest[areal], inside[areal]))
    # Lines along an edge and points on it are covered, so they are compared with the features themselves.
    thin = np.flatnonzero(dimension < 2)
    if len(thin) and len(target.geometry):
        asked, piece = target.pieces.tree.query(rest[thin], predicate="intersects")
        for position in np.unique(asked):
            owners = np.unique(target.pieces.owner[piece[asked == position]])
            covers = shapely.union_all(target.geometry[owners])
            rest[thin[position]] = shapely.difference(rest[thin[position]], covers)
    return rest


def is_same(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Say where two arrays hold the very same object: a site that lies whole in a zone is its own conflict."""
    return np.fromiter(map(operator.is_, left, right), dtype=bool, count=len(left))
