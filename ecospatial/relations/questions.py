"""Near, overlaps, outside, along a river."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry import (
    ROUNDING_M,
    Cut,
    ShapeIndex,
    areal_part,
    cut,
    depth,
    distinct,
    merged,
    safe_intersection,
)
from ecospatial.relations.measurement import Measures, Nearest, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What counts as touched (docs/interface.md section 5): less is a shared edge or rounding.
MIN_AREA_M2 = 0.01
MIN_LENGTH_M = 0.001
# For so many sites everything within a distance of the features is drawn.
MANY = 1000


def near(target: Target, sites: ShapeIndex, nearest: Nearest, *, within_m: float) -> Measures:
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
    if len(nearest.several) and (shapely.get_dimensions(target.geometry) == 2).all():
        _deciding(found, cut(sites, target.pieces, some=nearest.several), nearest.several)
    conflict, count = np.full(len(sites), None, dtype=object), len(target.geometry)
    # A site of which no spot is out of reach is its own conflict.
    whole = found.touched & (nearest.most_m <= within_m)
    whole[nearest.site] = True
    conflict[whole] = sites.geometry[whole]
    piece, site = _close_pairs(target, sites, within_m + ROUNDING_M)
    site, piece = site[found.touched[site]], piece[found.touched[site]]
    rest = np.flatnonzero(found.touched & ~whole)
    # Few sites are near few pieces; what many of them are near is drawn once for all that are asked after them.
    drawn = target.all_drawn(within_m) if len(rest) >= MANY else target.drawn(within_m, distinct(piece))
    conflict[rest] = merged(cut(sites, drawn, some=rest), len(sites))[rest]
    _measure_conflict(found, hit, conflict[hit])
    # The nearest feature is known to be reached; the others have to be asked.
    other = target.pieces.owner[piece] != found.feature[site]
    pairs = _reached(target, sites, site[other], piece[other], within_m + ROUNDING_M)
    found.features = found.touched + np.bincount(pairs // count, minlength=len(sites))
    # A site whose nearest point only reaches the limit shares no area with the strip: that point is shown.
    bare = hit[[shape is None for shape in found.conflict[hit]]]
    if len(bare):
        line = shapely.shortest_line(sites.geometry[bare], _nearest_piece(target, sites.geometry[bare]))
        found.conflict[bare] = shapely.get_point(line, 0)
    return found


def overlaps(
    target: Target, sites: ShapeIndex, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None
) -> Measures:
    """Ask which sites share area, length or a point with a feature; a shared edge is not touched.

    Parameters are those of ``near``; the features are polygons. ``limits_m`` are for each site the accuracies that
    margins will be compared with (see ``depth``).
    """
    found = Measures.around(nearest)
    if not len(target.geometry):
        return found
    parts = nearest.parts(target, sites)
    conflict = drop_specks(merged(parts, len(sites)))
    found.touched = _counts(conflict)
    hit = np.flatnonzero(found.touched)
    _measure_conflict(found, hit, conflict[hit])
    found.margin_m = np.where(found.touched, np.nan, found.distance_m)
    if len(hit):
        found.margin_m[hit] = depth(conflict[hit], nearest.edge(target, sites, hit), _of(limits_m, hit))
        _deciding(found, parts, hit)
        found.features[hit] = np.maximum(found.features[hit], 1)
    return found


def outside(
    target: Target,
    sites: ShapeIndex,
    nearest: Nearest,
    *,
    limits_m: NDArray[np.float64] | None = None,
    coverage: Any = None,
    held: NDArray[np.bool_] | None = None,
) -> Measures:
    """Ask which sites have a part that no feature covers.

    Parameters are those of ``overlaps``, and:

    coverage
        Polygon in which the absence of a feature means absence; None: it is known nowhere.
    held
        Which sites lie wholly in the coverage. Where it is not given, absence means absence everywhere.

    Returns
    -------
    Measures
        The conflict is the part inside the coverage that no feature covers; ``uncovered`` marks sites with such a
        part inside or outside of it.
    """
    found = Measures.around(nearest)
    parts = nearest.parts(target, sites)
    rest = drop_specks(_uncovered(target, sites, merged(parts, len(sites)), nearest.asked))
    found.uncovered = nearest.asked & _counts(rest)
    if held is not None:
        open_ = np.flatnonzero(found.uncovered & ~held)
        known = shapely.Polygon() if coverage is None else coverage
        rest[open_] = drop_specks(_same_dimension(safe_intersection(rest[open_], _repeat(known, len(open_)))))
    found.touched = nearest.asked & _counts(rest)
    hit = np.flatnonzero(found.touched)
    miss = np.flatnonzero(nearest.asked & ~found.uncovered)
    _measure_conflict(found, hit, rest[hit])
    found.margin_m = np.full(len(sites), np.nan)
    _deciding(found, parts, np.arange(len(sites)))
    if len(target.geometry):
        if len(hit):
            found.margin_m[hit] = depth(rest[hit], nearest.edge(target, sites, hit), _of(limits_m, hit))
        if len(miss):
            around = nearest.edge(target, sites, miss)
            found.margin_m[miss], _ = around.nearest(sites.geometry[miss], np.arange(len(miss)))
    found.beyond = np.isnan(found.margin_m)
    return found


def _repeat(shape: Any, count: int) -> NDArray[Any]:
    found = np.empty(count, dtype=object)
    found[:] = shape
    return found


def _same_dimension(shapes: NDArray[Any]) -> NDArray[Any]:
    """Keep of collections the parts of the highest dimension: what else a cut leaves is edge and corner."""
    found = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(found) == 7):
        parts = shapely.get_parts(found[row])
        dimension = shapely.get_dimensions(parts)
        found[row] = shapely.union_all(parts[dimension == dimension.max(initial=-1)])
    return found


def drop_specks(shapes: NDArray[Any]) -> NDArray[Any]:
    """Drop connected parts that are no more than a shared edge or rounding; a shape may be left empty.

    Parameters
    ----------
    shapes
        Geometries in a metric CRS, each of one dimension, or None.

    Examples
    --------
    >>> both = shapely.union(shapely.box(0, 0, 10, 10), shapely.box(20, 0, 20.0001, 10))
    >>> drop_specks(np.array([both], dtype=object))[0].bounds
    (0.0, 0.0, 10.0, 10.0)
    """
    several = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    if not len(several):
        return shapes
    parts, owner = shapely.get_parts(shapes[several], return_index=True)
    large = _counts(parts)
    lost = np.unique(owner[~large])
    found = shapes.copy()
    for number in lost:
        kept = parts[(owner == number) & large]
        found[several[number]] = shapely.union_all(kept) if len(kept) else shapely.Polygon()
    return found


def along_river(
    target: Target, sites: ShapeIndex, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None
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
    sites, nearest, limits_m
        As in ``overlaps``.

    Returns
    -------
    Measures
        As ``overlaps`` gives them. A site that only adjoins has margin 0 and the shared edge as its conflict.

    Examples
    --------
    >>> water = Target(np.array([shapely.box(0, 0, 100, 20)], dtype=object))
    >>> boxes = [shapely.box(10, 20, 30, 40), shapely.box(10, 20.5, 30, 40), shapely.box(0, -5, 10, 5)]
    >>> sites = ShapeIndex(np.array(boxes))
    >>> found = along_river(water, sites, Nearest.of(water, sites, 1000.0))
    >>> found.touched.tolist(), found.margin_m.round(1).tolist()
    ([True, False, True], [0.0, 0.5, 5.0])
    """
    found = overlaps(target, sites, nearest, limits_m=limits_m)
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


def _close_pairs(target: Target, sites: ShapeIndex, within_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair pieces of the features and sites that may lie within a distance of each other, by their boxes."""
    west, south, east, north = shapely.bounds(target.pieces.piece).T
    boxes = shapely.box(west - within_m, south - within_m, east + within_m, north + within_m)
    piece, site = sites.tree.query(boxes)
    return piece, site


def _reached(
    target: Target, sites: ShapeIndex, site: NDArray[np.intp], piece: NDArray[np.intp], within_m: float
) -> NDArray[np.intp]:
    """Give the pairs of a site and a feature of which some piece is within a distance, as one number each."""
    pieces = target.pieces
    pair = site * len(target.geometry) + pieces.owner[piece]
    # Two spots tell that it is, two circles that it is not; what they leave open is measured.
    (middle, radius), (of_piece, size) = sites.circle, ShapeIndex(pieces.piece).circle
    spot, of_site = pieces.some_vertex[piece], sites.first_vertex[site]
    sure = np.hypot(*(spot - of_site).T) <= within_m
    apart = np.hypot(*(of_piece[piece] - middle[site]).T) > within_m + size[piece] + radius[site]
    found = distinct(pair[sure])
    open_ = np.flatnonzero(~sure & ~apart & ~np.isin(pair, found))
    reached = shapely.dwithin(pieces.piece[piece[open_]], sites.geometry[site[open_]], within_m)
    return distinct(np.append(found, pair[open_[reached]]))


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


def _uncovered(target: Target, sites: ShapeIndex, inside: NDArray[Any], asked: NDArray[np.bool_]) -> NDArray[Any]:
    rest, dimension = sites.geometry.copy(), sites.dimension
    some = np.flatnonzero(~shapely.is_missing(inside))
    areal = some[dimension[some] == 2]
    whole = is_same(inside[areal], rest[areal])
    rest[areal[whole]] = shapely.Polygon()
    areal = areal[~whole]
    if len(areal):
        # The features are joined before they are taken away: the parts into which they were cut for the index leave
        # slivers along the cuts that would reach as deep as the feature.
        rest[areal] = areal_part(shapely.difference(rest[areal], _joined_around(target, rest[areal])))
    # Lines along an edge and points on it are covered, so they are compared with the features themselves.
    thin = np.flatnonzero(asked & (dimension < 2))
    if len(thin) and len(target.geometry):
        asked, piece = target.pieces.tree.query(rest[thin], predicate="intersects")
        for position in np.unique(asked):
            owners = np.unique(target.pieces.owner[piece[asked == position]])
            covers = shapely.union_all(target.geometry[owners])
            rest[thin[position]] = shapely.difference(rest[thin[position]], covers)
    return rest


def _joined_around(target: Target, shapes: NDArray[Any]) -> NDArray[Any]:
    """Give for each shape what lies around it of the features taken together."""
    parts, tree = target.joined_parts
    row, part = tree.query(shapes, predicate="intersects")
    west, south, east, north = shapely.bounds(shapes).T
    boxes = shapely.box(west - 1.0, south - 1.0, east + 1.0, north + 1.0)
    clipped = areal_part(safe_intersection(parts[part], boxes[row]))
    found = merged(Cut(row, part, clipped), len(shapes))
    found[shapely.is_missing(found)] = shapely.Polygon()
    return found


def is_same(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Say where two arrays hold the very same object: a site that lies whole in a zone is its own conflict."""
    return np.fromiter(map(operator.is_, left, right), dtype=bool, count=len(left))
