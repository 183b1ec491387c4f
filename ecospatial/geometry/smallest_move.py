"""How far a footprint has to be moved until it touches nothing: the translations that obstacles forbid.

A footprint S moved by v meets an obstacle O just when v lies in the Minkowski sum of O and -S (Lozano-Perez, Spatial
Planning: A Configuration Space Approach, 1983). The sum of convex parts is the hull of the sums of their vertices, so
both are taken apart into triangles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pairs of parts that are summed; above it outlines are drawn coarser, always to the outside.
MOST_PAIRS = 20_000
_COARSER_M = (0.0, 0.1, 0.5, 2.0)
_QUARTER_SEGMENTS = 64


def smallest_shift(site: Any, obstacles: Any, within_m: float) -> tuple[float, float] | None:
    """Find the shortest translation after which a footprint shares no inner point with obstacles.

    Parameters
    ----------
    site
        Footprint, of any dimension, metric CRS.
    obstacles
        Polygon or MultiPolygon, at least as far as ``within_m`` around the footprint.
    within_m
        How far it may be moved, metres.

    Returns
    -------
    tuple or None
        Metres east and metres north; None when there is none within the limit. Of outlines with very many vertices
        it may be up to a few metres longer than the shortest, never too short.

    Examples
    --------
    >>> x, y = smallest_shift(shapely.box(0, 0, 10, 10), shapely.box(-50, -50, 4, 60), 100)
    >>> round(x, 6), round(y, 6)
    (4.0, 0.0)
    """
    origin = shapely.Point(0.0, 0.0)
    centre = shapely.centroid(site)
    near = shapely.affinity.translate(site, -centre.x, -centre.y)
    around = shapely.affinity.translate(obstacles, -centre.x, -centre.y)
    forbidden = _sum(_triangles(around), -_parts(near), around, near)
    reach = shapely.buffer(origin, within_m, quad_segs=_QUARTER_SEGMENTS)
    free = shapely.difference(reach, forbidden)
    if shapely.is_empty(free):
        return None
    end = shapely.get_coordinates(shapely.shortest_line(origin, free))[-1]
    return float(end[0]), float(end[1])


def _sum(obstacles: NDArray[np.float64], site: NDArray[np.float64], around: Any, near: Any) -> Any:
    """Sum two sets of convex parts (rows of vertices), coarser ones when they are too many."""
    for tolerance in _COARSER_M[1:]:
        if len(obstacles) * len(site) <= MOST_PAIRS:
            break
        obstacles, site = _triangles(_coarser(around, tolerance)), -_parts(_coarser(near, tolerance))
    if len(obstacles) * len(site) > MOST_PAIRS:
        site = -_parts(shapely.convex_hull(near))
    if not len(obstacles):
        return shapely.Polygon()
    vertices = obstacles[:, None, :, None, :] + site[None, :, None, :, :]
    pairs, each = len(obstacles) * len(site), obstacles.shape[1] * site.shape[1]
    points = shapely.multipoints(vertices.reshape(-1, 2), indices=np.repeat(np.arange(pairs), each))
    hulls = np.asarray(shapely.convex_hull(points), dtype=object)
    return shapely.union_all(hulls[shapely.get_dimensions(hulls) == 2])


def _coarser(shape: Any, tolerance: float) -> Any:
    return shapely.simplify(shapely.buffer(shape, 2 * tolerance), tolerance)


def _triangles(shape: Any) -> NDArray[np.float64]:
    """Take polygons apart: triangles as rows of three vertices."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(shapely.get_parts(shape)))
    parts = shapely.get_parts(parts)
    rings = shapely.get_coordinates(shapely.get_exterior_ring(parts))
    return np.asarray(rings.reshape(-1, 4, 2)[:, :3], dtype=np.float64)


def _parts(shape: Any) -> NDArray[np.float64]:
    """Take a footprint apart into convex parts, rows of vertices: the whole when it is convex."""
    dimension = shapely.get_dimensions(shape)
    if dimension == 2:
        hull = shapely.convex_hull(shape)
        if shapely.area(hull) <= shapely.area(shape) * (1 + 1e-9):
            return np.asarray(shapely.get_coordinates(hull)[None, :-1], dtype=np.float64)
        return _triangles(shape)
    if dimension == 1:
        lines = [shapely.get_coordinates(line) for line in shapely.get_parts(shape)]
        return np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in lines])
    return np.asarray(shapely.get_coordinates(shape)[:, None], dtype=np.float64)
