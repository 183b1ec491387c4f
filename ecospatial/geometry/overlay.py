"""The overlay kernel: who overlaps whom, by how much, without cutting what need not be cut.

Complex polygons are subdivided into pieces of bounded vertex count, and their edges indexed in short runs. A site that
meets no edge of a polygon is settled by a prepared test of one of its vertices; only the pairs that straddle an edge
are cut, each with the pieces near it.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry._edges import runs
from ecospatial.geometry._shapes import ShapeIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_VERTICES = 64
# Grid on which a cut is tried again where GEOS fails on the exact coordinates: 0.1 mm.
RETRY_GRID_M = 1e-4
_SEVERAL = (4, 5, 6, 7)


def subdivide(geometry: NDArray[Any], *, max_vertices: int = MAX_VERTICES) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Cut geometries into pieces of at most ``max_vertices`` vertices.

    Parameters
    ----------
    geometry
        Array of valid geometries in a metric CRS; multi-part ones are taken apart.
    max_vertices
        Pieces with more are halved across their longer side.

    Returns
    -------
    pieces, owner
        The pieces, and for each the position of the geometry it came from. Pieces of one geometry touch but
        do not overlap.

    Examples
    --------
    >>> pieces, owner = subdivide(np.array([shapely.Point(0, 0).buffer(10, quad_segs=64)]), max_vertices=32)
    >>> bool(shapely.get_num_coordinates(pieces).max() <= 32), round(float(shapely.area(pieces).sum()), 3)
    (True, 314.128)
    """
    parts, owner = shapely.get_parts(np.asarray(geometry, dtype=object), return_index=True)
    done: list[NDArray[Any]] = []
    owners: list[NDArray[np.intp]] = []
    while len(parts):
        small = shapely.get_num_coordinates(parts) <= max_vertices
        done.append(parts[small])
        owners.append(owner[small])
        parts, owner = _halved(parts[~small], owner[~small])
    if not done:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.intp)
    order = np.argsort(np.concatenate(owners), kind="stable")
    return np.concatenate(done)[order], np.concatenate(owners)[order]


def _halved(parts: NDArray[Any], owner: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Cut polygons across their longer side, and lines in the middle of their vertices."""
    if not len(parts):
        return parts, owner
    flat = np.flatnonzero(shapely.get_dimensions(parts) == 2)
    thin = np.flatnonzero(shapely.get_dimensions(parts) < 2)
    halves = np.concatenate([_clipped(parts[flat]), _split(parts[thin])])
    position = np.concatenate([np.repeat(flat, 2), np.repeat(thin, 2)])
    pieces, index = shapely.get_parts(halves, return_index=True)
    # A cut along a vertex leaves points and lines behind; only pieces of the dimension of their part count.
    keep = (shapely.get_dimensions(pieces) == shapely.get_dimensions(parts[position])[index]) & ~shapely.is_empty(
        pieces
    )
    return pieces[keep], owner[position][index][keep]


def _clipped(parts: NDArray[Any]) -> NDArray[Any]:
    west, south, east, north = shapely.bounds(parts).T
    wide = (east - west) >= (north - south)
    middle_x = np.where(wide, (west + east) / 2, east)
    middle_y = np.where(wide, north, (south + north) / 2)
    low = np.column_stack([west, south, middle_x, middle_y])
    high = np.column_stack([np.where(wide, middle_x, west), np.where(wide, south, middle_y), east, north])
    boxes = np.stack([low, high], axis=1).reshape(-1, 4)
    twice = np.repeat(parts, 2)
    halves = np.array([_clip(part, box) for part, box in zip(twice, boxes.tolist(), strict=True)], dtype=object)
    # Clipping by a rectangle is ten times as fast as cutting, but promises nothing where rings touch the cut.
    area = shapely.area(parts)
    lost = np.abs(shapely.area(halves).reshape(-1, 2).sum(axis=1) - area) > 1e-9 * area
    doubtful = np.repeat(lost, 2) | ~shapely.is_valid(halves)
    halves[doubtful] = safe_intersection(twice[doubtful], shapely.box(*boxes[doubtful].T))
    return halves


def _clip(part: Any, box: list[float]) -> Any:
    """Clip by a rectangle; None where GEOS makes a ring of too few points of a thin tip."""
    try:
        return shapely.clip_by_rect(part, *box)
    except shapely.GEOSException:
        return None


def _split(lines: NDArray[Any]) -> NDArray[Any]:
    halves = []
    for line in lines:
        xy = shapely.get_coordinates(line)
        middle = len(xy) // 2
        halves += [shapely.linestrings(xy[: middle + 1]), shapely.linestrings(xy[middle:])]
    return np.array(halves, dtype=object)


def safe_intersection(left: NDArray[Any], right: NDArray[Any], *, jobs: int = 1) -> NDArray[Any]:
    """Intersect pairwise; a pair on which GEOS fails is tried again on a grid of 0.1 mm, and a warning says so."""
    if jobs > 1 and len(left) >= 1000 * jobs:
        cuts = [np.array_split(side, jobs) for side in (left, right)]
        with ThreadPoolExecutor(jobs) as pool:
            return np.concatenate(list(pool.map(safe_intersection, *cuts)))
    try:
        return np.asarray(shapely.intersection(left, right), dtype=object)
    except shapely.GEOSException:
        if len(left) == 1:
            where = shapely.get_coordinates(shapely.centroid(left))[0].round(1).tolist()
            warnings.warn(f"图形在 {where} 附近无法按原坐标求交，已在 0.1 毫米格网上重算", stacklevel=2)
            return np.asarray(shapely.intersection(left, right, grid_size=RETRY_GRID_M), dtype=object)
        half = len(left) // 2
        return np.concatenate(
            [safe_intersection(left[:half], right[:half]), safe_intersection(left[half:], right[half:])]
        )


@dataclass(frozen=True)
class Pieces:
    """Geometries taken apart once, with an index, to be asked often.

    ``whole`` are the geometries as they came; ``owner`` gives for each piece the position of its geometry.
    """

    whole: NDArray[Any]
    piece: NDArray[Any]
    owner: NDArray[np.intp]

    @classmethod
    def of(cls, geometry: NDArray[Any]) -> Pieces:
        """Take an array of valid geometries apart."""
        whole = np.asarray(geometry, dtype=object)
        piece, owner = subdivide(whole)
        shapely.prepare(piece)
        return cls(whole, piece, owner)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index over the pieces."""
        return shapely.STRtree(self.piece)

    @cached_property
    def some_vertex(self) -> NDArray[np.float64]:
        """A vertex of each piece, from the middle of its vertices."""
        xy, index = shapely.get_coordinates(self.piece, return_index=True)
        count = np.bincount(index, minlength=len(self.piece))
        return np.asarray(xy[np.cumsum(count) - count + count // 2])

    @cached_property
    def edges(self) -> tuple[shapely.STRtree, NDArray[np.intp]]:
        """Index over the edges of the whole geometries in short runs, and for each run the position of its geometry."""
        lines, owner = runs(self.whole)
        return shapely.STRtree(lines), owner


@dataclass(frozen=True, slots=True)
class Cut:
    """Shared parts of sites and polygons, sorted by site and owner.

    ``geometry`` is the shared part: the site itself where a piece holds it whole. A pair of a site and an
    owner may have several parts; they touch but do not overlap.
    """

    site: NDArray[np.intp]
    owner: NDArray[np.intp]
    geometry: NDArray[Any]


def cut(sites: ShapeIndex | NDArray[Any], pieces: Pieces, *, some: NDArray[np.intp] | None = None) -> Cut:
    """Cut sites with polygons.

    Parameters
    ----------
    sites
        Valid geometries in the CRS of the pieces: polygons, lines or points.
    pieces
        Polygons, subdivided.
    some
        Positions of the sites that are asked about; all of them when not given.

    Returns
    -------
    Cut
        Shared area of polygons, length of lines inside (not along the edge), points on or in.
    """
    shapes = ShapeIndex.of(sites)
    asked = np.arange(len(shapes)) if some is None else some
    dimension = shapes.dimension[asked]
    areal, thin = asked[dimension == 2], asked[dimension < 2]
    found = [_cut_polygons(shapes, areal, pieces)]
    if len(thin):
        found.append(_cut_thin(shapes, thin, pieces))
    site, owner, parts = (np.concatenate([getattr(c, name) for c in found]) for name in Cut.__slots__)
    order = np.lexsort((owner, site))
    return Cut(site[order], owner[order], parts[order])


def _cut_polygons(sites: ShapeIndex, asked: NDArray[np.intp], pieces: Pieces) -> Cut:
    inside, across = settled(sites, asked, pieces)
    site, piece = across
    shape, other = sites.geometry[site], pieces.piece[piece]
    parts = areal_part(safe_intersection(shape, other))
    keep = ~shapely.is_empty(parts)
    return _joined(inside, sites, Cut(site[keep], pieces.owner[piece[keep]], parts[keep]))


def _cut_thin(sites: ShapeIndex, asked: NDArray[np.intp], pieces: Pieces) -> Cut:
    inside, (site, piece) = settled(sites, asked, pieces)
    # Lines and points are cut with the whole polygon: along the cut between two pieces they would count twice.
    pairs = np.unique(np.column_stack([site, pieces.owner[piece]]), axis=0).astype(np.intp).reshape(-1, 2)
    site, owner = pairs[:, 0], pairs[:, 1]
    shape, other = sites.geometry[site], pieces.whole[owner]
    parts = shape.copy()
    # A point that meets a piece is the shared part; cutting it with the whole polygon would cost all its vertices.
    several = np.flatnonzero(shapely.get_type_id(shape) != 0)
    parts[several] = safe_intersection(shape[several], other[several])
    lines = np.flatnonzero(shapely.get_dimensions(shape) == 1)
    parts[lines] = shapely.difference(parts[lines], shapely.boundary(other[lines]))
    keep = ~shapely.is_empty(parts)
    keep[lines] &= shapely.length(parts[lines]) > 0
    return _joined(inside, sites, Cut(site[keep], owner[keep], parts[keep]))


_Pairs = tuple["NDArray[np.intp]", "NDArray[np.intp]"]


def settled(sites: ShapeIndex, asked: NDArray[np.intp], pieces: Pieces) -> tuple[_Pairs, _Pairs]:
    """Tell which sites lie whole in which polygons, and which must be cut with which pieces.

    Parameters
    ----------
    sites
        Valid geometries in the CRS of the pieces.
    asked
        Positions of the sites that are asked about.
    pieces
        Polygons, subdivided.

    Returns
    -------
    inside, across
        Positions of sites and of the polygons that hold them whole; positions of sites and of pieces that may share
        a part.

    Notes
    -----
    A site in one part that meets no edge of a polygon is all inside or all outside of it, as is its first vertex.
    """
    shapes, count = sites.geometry[asked], max(len(pieces.whole), 1)
    edges, of = pieces.edges
    site, run = edges.query(shapes, predicate="intersects")
    crossing = distinct(site * count + of[run])
    site, piece = pieces.tree.query(shapes)
    pair = site * count + pieces.owner[piece]
    several = np.isin(shapely.get_type_id(shapes), _SEVERAL)[site]
    across = np.isin(pair, crossing) | several
    first = sites.first_vertex[asked[site[~across]]]
    within = shapely.intersects_xy(pieces.piece[piece[~across]], first[:, 0], first[:, 1])
    inside = distinct(pair[~across][within])
    return (asked[inside // count], inside % count), (asked[site[across]], piece[across])


def distinct(numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give whole numbers sorted, each once; on many, numpy's ``unique`` takes ten times as long."""
    ordered = np.sort(numbers)
    changes: NDArray[np.intp] = ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]
    return changes


def _joined(inside: _Pairs, sites: ShapeIndex, cuts: Cut) -> Cut:
    site, owner = inside
    return Cut(
        np.concatenate([site, cuts.site]),
        np.concatenate([owner, cuts.owner]),
        np.concatenate([sites.geometry[site], cuts.geometry]),
    )


def areal_part(geometry: NDArray[Any]) -> NDArray[Any]:
    """Keep the polygons of each geometry; a shared edge or corner leaves an empty polygon."""
    found = np.asarray(geometry, dtype=object).copy()
    found[shapely.get_dimensions(found) != 2] = shapely.Polygon()
    for position in np.flatnonzero(shapely.get_type_id(found) == 7):
        parts = shapely.get_parts(found[position])
        found[position] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return found


def merged(cut_: Cut, count: int) -> NDArray[Any]:
    """Join the parts of each site to one geometry, each spot once; None for sites without a part."""
    found = np.full(count, None, dtype=object)
    first = np.searchsorted(cut_.site, np.arange(count), side="left")
    parts = np.searchsorted(cut_.site, np.arange(count), side="right") - first
    single = np.flatnonzero(parts == 1)
    found[single] = cut_.geometry[first[single]]
    several = np.flatnonzero(parts > 1)
    if len(several):
        mask = parts[cut_.site] > 1
        position = np.searchsorted(several, cut_.site[mask])
        grouped = shapely.geometrycollections(cut_.geometry[mask], indices=position)
        found[several] = shapely.union_all(np.asarray(grouped, dtype=object).reshape(-1, 1), axis=1)
    return found
