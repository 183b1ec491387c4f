"""Shapes for drawing: cut, simplified, moved onto a grid or rounded, and valid after each of these steps.

A needle thinner than the step, two vertices closer than it, or a hole that touches its shell comes out of every such
step crossing itself now and then, and GEOS refuses to go on with it. Nothing here is measured: a shape may lose what
is thinner than the step, and keeps only parts of its own dimension. One that vanishes is empty, or its point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.repair import is_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Step = Callable[[NDArray[Any]], Any]

_RETRY = 1e-6  # share of the size of what is drawn: the grid on which a failed overlay is tried again
_EMPTY = (shapely.Point(), shapely.LineString(), shapely.Polygon())


def make_drawable(geometry: NDArray[Any], *, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Make shapes valid and keep only parts of their own dimension; valid shapes stay as they are.

    Parameters
    ----------
    geometry
        Any shapes; None stays.
    like
        The shapes they were made from, which give the dimension; themselves when not given.

    Returns
    -------
    array
        As long as ``geometry``. A shape of which nothing of its dimension is left, or with a vertex that is no
        number, is empty.

    Examples
    --------
    >>> needle = shapely.Polygon([(0, 0), (9, 0), (9, 5), (9, 0), (0, 0), (0, -4), (9, -4), (9, 0)])
    >>> bool(shapely.is_valid(needle)), shapely.is_valid(make_drawable(np.array([needle]))).tolist()
    (False, [True])
    """
    shapes = np.array(geometry, dtype=object)
    wanted = shapely.get_dimensions(shapes if like is None else np.asarray(like, dtype=object))
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    # What is cut away comes as an empty collection.
    for i in np.flatnonzero(shapely.is_empty(shapes) & (shapely.get_type_id(shapes) == 7)):
        shapes[i] = _EMPTY[max(wanted[i], 0)]
    odd = there & (shapely.get_dimensions(shapes) != wanted)
    odd |= there & (shapely.get_type_id(shapes) == 7)
    wrong = np.flatnonzero(there & (odd | ~shapely.is_valid(shapes)))
    if len(wrong):
        finite = is_finite(shapes[wrong])
        lost, wrong = wrong[~finite], wrong[finite]
        shapes[lost] = [_EMPTY[max(number, 0)] for number in wanted[lost].tolist()]
        shapes[wrong] = [_mended(shape, number) for shape, number in zip(shapes[wrong], wanted[wrong], strict=True)]
    return shapes


def _mended(shape: Any, dimension: int) -> Any:
    """Make one shape valid and keep its parts of a dimension."""
    if dimension < 2:
        parts = _parts(shape, dimension)
        parts = parts[shapely.is_valid(parts)]
        return _joined(parts, dimension)
    try:
        parts = _parts(shapely.make_valid(shape, method="structure", keep_collapsed=False), dimension)
        # It may leave parts that share an edge, which a valid multipolygon must not have.
        whole = _joined(parts, dimension)
        whole = whole if shapely.is_valid(whole) else shapely.union_all(parts)
    except shapely.GEOSException:
        return _EMPTY[dimension]
    return whole if shapely.is_valid(whole) else _EMPTY[dimension]


def _parts(shape: Any, dimension: int) -> NDArray[Any]:
    parts = shapely.get_parts(np.array([shape], dtype=object))
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)], dtype=object)


def _joined(parts: NDArray[Any], dimension: int) -> Any:
    if len(parts) < 2:
        return parts[0] if len(parts) else _EMPTY[max(dimension, 0)]
    return (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimension](parts)


def keep_as_points(geometry: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Draw what has vanished as a point: a vertex from the middle of what it was.

    Parameters
    ----------
    geometry
        Shapes for drawing.
    like
        The shapes they were made from.

    Examples
    --------
    >>> keep_as_points(np.array([shapely.Polygon()]), np.array([shapely.box(0, 0, 2, 1)])).tolist()
    [<POINT (0 1)>]
    """
    shapes = np.array(geometry, dtype=object)
    before = np.asarray(like, dtype=object)
    for i in np.flatnonzero(shapely.is_empty(shapes) & is_finite(before)):
        vertices = shapely.get_coordinates(before[i])
        shapes[i] = shapely.Point(vertices[len(vertices) // 2])
    return shapes


def _apply(step: Step, shapes: NDArray[Any], otherwise: Step) -> NDArray[Any]:
    """Take a step on all shapes at once; where GEOS fails on one, that one goes the other way."""
    try:
        return np.asarray(step(shapes), dtype=object)
    except shapely.GEOSException:
        if len(shapes) == 1:
            return np.asarray(otherwise(shapes), dtype=object)
        half = len(shapes) // 2
        return np.concatenate([_apply(step, part, otherwise) for part in (shapes[:half], shapes[half:])])


def clip_shapes(geometry: NDArray[Any], page: tuple[float, float, float, float]) -> NDArray[Any]:
    """Cut shapes to a rectangle: west, south, east, north.

    Examples
    --------
    >>> clip_shapes(np.array([shapely.box(0, 0, 10, 10)]), (5, 5, 20, 20))[0].bounds
    (5.0, 5.0, 10.0, 10.0)
    """
    shapes = np.asarray(geometry, dtype=object)
    box = shapely.box(*page)

    def cut(some: NDArray[Any]) -> Any:
        # GEOS makes a ring of too few points of a thin tip.
        return make_drawable(intersect_shapes(make_drawable(some), box), like=some)

    return make_drawable(_apply(lambda some: shapely.clip_by_rect(some, *page), shapes, cut), like=shapes)


def simplify_shapes(geometry: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """Simplify shapes; one that would vanish stays as it was, and is a point where it can not be drawn at all.

    Examples
    --------
    >>> line = shapely.LineString([(0, 0), (50, 1), (100, 0)])
    >>> simplify_shapes(np.array([line]), 2.0).tolist()
    [<LINESTRING (0 0, 100 0)>]
    """
    before = np.asarray(geometry, dtype=object)
    shapes = make_drawable(
        _apply(lambda some: shapely.simplify(some, tolerance), before, lambda some: some), like=before
    )
    gone = np.flatnonzero(shapely.is_empty(shapes) & ~shapely.is_empty(before))
    shapes[gone] = make_drawable(before[gone])
    return keep_as_points(shapes, before)


def simplify_coverage(geometry: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """Simplify shapes so that neighbours keep their border, where all of them are areas that do not overlap."""
    shapes = np.asarray(geometry, dtype=object)
    try:
        if np.isin(shapely.get_type_id(shapes), (3, 6)).all() and shapely.coverage_is_valid(shapes):
            return make_drawable(shapely.coverage_simplify(shapes, tolerance), like=shapes)
    except shapely.GEOSException:
        pass  # each on its own then
    return simplify_shapes(shapes, tolerance)


def snap_shapes(geometry: NDArray[Any], cell_m: float) -> NDArray[Any]:
    """Move every vertex to the middle of its cell of a grid.

    Areas that would cross themselves there are snapped edge by edge: all their vertices are on the grid too. A shape
    smaller than the grid vanishes.

    Parameters
    ----------
    geometry
        Valid shapes.
    cell_m
        Size of a cell; cells begin at the origin.

    Examples
    --------
    >>> snap_shapes(np.array([shapely.LineString([(0, 0), (9, 1)])]), 2.0).tolist()
    [<LINESTRING (1 1, 9 1)>]
    """
    before = np.asarray(geometry, dtype=object)
    # In cells, whose middles are whole numbers: the same sum for every vertex, so that neighbours still meet.
    cells = shapely.transform(before, lambda points: points / cell_m - 0.5)
    middles = np.asarray(shapely.transform(cells, lambda points: np.floor(points + 0.5)), dtype=object)
    areal = shapely.get_dimensions(before) == 2
    wrong = np.flatnonzero(areal & ~shapely.is_valid(middles))
    if len(wrong):
        middles[wrong] = _apply(
            lambda some: shapely.set_precision(some, 1.0), make_drawable(cells[wrong]),
            lambda some: np.full(len(some), _EMPTY[2]),
        )  # fmt: skip
        middles[wrong] = shapely.set_precision(middles[wrong], 0.0)
    moved = shapely.transform(middles, lambda points: (points + 0.5) * cell_m)
    return make_drawable(moved, like=before)


def round_shapes(geometry: NDArray[Any], decimals: int) -> NDArray[Any]:
    """Round every vertex; a shape that vanishes becomes a point.

    Examples
    --------
    >>> round_shapes(np.array([shapely.Point(1.00049, 2)]), 3).tolist()
    [<POINT (1 2)>]
    """
    before = np.asarray(geometry, dtype=object)
    rounded = np.asarray(shapely.transform(before, lambda points: np.round(points, decimals) + 0.0), dtype=object)
    return keep_as_points(make_drawable(rounded, like=before), rounded)


def unite_shapes(geometry: NDArray[Any]) -> Any:
    """Unite shapes; on which GEOS fails, they are made valid and united on a fine grid."""
    shapes = np.asarray(geometry, dtype=object)
    try:
        return shapely.union_all(shapes)
    except shapely.GEOSException:
        return shapely.union_all(make_drawable(shapes), grid_size=_grid(shapes))


def intersect_shapes(geometry: NDArray[Any], other: Any) -> NDArray[Any]:
    """Intersect shapes with one other; where GEOS fails it is done again on a fine grid."""
    shapes = np.asarray(geometry, dtype=object)
    grid = _grid(np.array([other], dtype=object))
    return _apply(
        lambda some: shapely.intersection(some, other), shapes,
        lambda some: shapely.intersection(some, other, grid_size=grid),
    )  # fmt: skip


def _grid(shapes: NDArray[Any]) -> float:
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return float(max(east - west, north - south, 1e-6) * _RETRY)
