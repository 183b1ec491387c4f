"""Cut an area by the edges of polygons into pieces that fit: nothing twice, nothing left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Edges closer than this are one edge. Coordinates of seven digits carry rounding of about 1e-9 m; without a grid each
# such difference between two layers would become a piece of its own.
GRID_M = 1e-5


def partition(area: Any, polygons: NDArray[Any], *, grid_m: float = GRID_M) -> NDArray[Any]:
    """Cut an area by the edges of polygons.

    Parameters
    ----------
    area
        One polygon, metric CRS.
    polygons
        Array of polygons in the same CRS; they may overlap, and reach beyond the area.
    grid_m
        Grid that all edges are noded on, metres.

    Returns
    -------
    array
        Polygons that do not overlap and make up the area, in the order of their south-west corners. No edge runs
        through any of them, so what holds for an inner point holds for the whole piece.

    Examples
    --------
    >>> pieces = partition(shapely.box(0, 0, 10, 10), np.array([shapely.box(4, 4, 20, 6)]))
    >>> shapely.area(pieces).tolist()
    [88.0, 12.0]
    """
    near = np.asarray(polygons, dtype=object)
    near = near[shapely.intersects(near, area)] if len(near) else near
    edges = shapely.boundary(near)
    west, south, east, north = shapely.bounds(area)
    # What lies outside is cut off by a frame; the loose ends there bound no piece of the area.
    edges = shapely.clip_by_rect(edges, west - 1.0, south - 1.0, east + 1.0, north + 1.0)
    lines = np.append(np.asarray(edges, dtype=object), shapely.boundary(area))
    noded = shapely.union_all(lines[~shapely.is_empty(lines)], grid_size=grid_m)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    shapely.prepare(area)
    faces = faces[shapely.contains(area, shapely.point_on_surface(faces))]
    bounds = np.round(shapely.bounds(faces), 3)
    return np.asarray(faces[np.lexsort((shapely.area(faces), bounds[:, 1], bounds[:, 0]))], dtype=object)


def holders(pieces: NDArray[Any], polygons: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find which polygons hold which pieces of their partition.

    Parameters
    ----------
    pieces
        What ``partition`` gave.
    polygons
        The polygons that it was cut by, or some of them.

    Returns
    -------
    piece, polygon
        Positions of each pair, sorted by piece.

    Examples
    --------
    >>> cut = np.array([shapely.box(4, 4, 20, 6)])
    >>> holders(partition(shapely.box(0, 0, 10, 10), cut), cut)
    (array([1]), array([0]))
    """
    if not len(pieces) or not len(polygons):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    tree = shapely.STRtree(shapely.point_on_surface(pieces))
    shapely.prepare(polygons)
    polygon, piece = tree.query(polygons, predicate="contains")
    order = np.lexsort((polygon, piece))
    return piece[order], polygon[order]
