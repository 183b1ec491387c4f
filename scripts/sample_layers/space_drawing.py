"""Divide a district among its spaces without gaps and overlaps, to the last decimal that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from drawing import CRUMB_M2
from shapely import MultiPolygon, Polygon

from ecospatial import crs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plan_drawing import Drawing
    from shapely import Geometry

    Features = Iterator[tuple[dict[str, object], Geometry]]

DECIMALS = 7  # of a degree, as plan_drawing writes
GRID_M = 0.001
SAME_CORNER_M = 0.1  # farther than a crossing at a small angle moves when it is rounded to DECIMALS
NOTHING_M2 = 1e-3


def draw_spaces(drawing: Drawing, _kind: str) -> Features:
    """Divide the district among its spaces: the first that holds a spot has it, the last takes what is left."""
    spaces = drawing.content["spaces"]
    areas = classify(drawing.outline, space_shapes(drawing, spaces))
    for number, (space, area) in enumerate(zip(spaces, areas, strict=True), 1):
        about = {key: space[key] for key in ("feature_name", "space")}
        yield {"feature_id": f"S{number:02d}", **about}, area


def space_shapes(drawing: Drawing, spaces: Sequence[dict[str, Any]]) -> list[Geometry]:
    """Give the shapes of all spaces but the last."""
    taken = [[geometry for name in space["of"] for geometry in drawing.taken(name)] for space in spaces[:-1]]
    return [shapely.union_all(geometries) for geometries in taken]


def with_corners(drawing: Drawing, shapes: Sequence[Geometry]) -> Polygon:
    """Give the district's outline a corner wherever the edge of a shape meets it.

    The new corners are rounded as they will be written, so that whatever ends there shares them exactly; the
    outline moves by less than a centimetre.
    """
    if not isinstance(drawing.outline, Polygon):
        raise TypeError("only a district of one piece can be divided among spaces")
    ring = drawing.outline.exterior
    met = shapely.points(shapely.get_coordinates(noded(drawing.outline, shapes)))
    met = met[shapely.dwithin(ring, met, 2 * GRID_M)]
    lonlat = crs.transform(met, drawing.crs, crs.CGCS2000)
    written = shapely.points(shapely.get_coordinates(lonlat).round(DECIMALS))
    ends = shapely.get_coordinates(crs.transform(written, crs.CGCS2000, drawing.crs))
    corners = shapely.get_coordinates(ring)[:-1]
    apart = shapely.distance(shapely.multipoints(corners), shapely.points(ends)) > SAME_CORNER_M
    ends = np.unique(ends[apart], axis=0)
    steps = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps), shapely.line_locate_point(ring, shapely.points(ends))])
    return Polygon(np.vstack([corners, ends])[np.argsort(along, kind="stable")])


def classify(outline: Geometry, shapes: Sequence[Geometry]) -> list[Polygon | MultiPolygon]:
    """Divide an area among shapes without gaps and overlaps.

    Parameters
    ----------
    outline
        The area.
    shapes
        A spot belongs to the first shape that holds it.

    Returns
    -------
        What each shape has, and last what none has. Crumbs under a hectare go to the neighbour they share most
        of their edge with.
    """
    faces = shapely.get_parts(shapely.polygonize([noded(outline, shapes)]))
    faces = shapely.transform(faces, lambda c: on_corners(c, shapely.get_coordinates(outline)))
    faces = faces[shapely.area(faces) > NOTHING_M2]
    faces = shapely.remove_repeated_points(faces)
    spots = shapely.point_on_surface(faces)
    faces, spots = (found[shapely.contains(outline, spots)] for found in (faces, spots))
    held = np.array([*(shapely.contains(shape, spots) for shape in shapes), np.ones(len(faces), dtype=bool)])
    owner = held.argmax(axis=0)
    while True:
        pieces = [shapely.get_parts(shapely.coverage_union_all(faces[owner == i])) for i in range(len(held))]
        crumbs = [(i, part) for i, parts in enumerate(pieces) for part in parts if part.area < CRUMB_M2]
        if not crumbs:
            return [parts[0] if len(parts) == 1 else MultiPolygon(list(parts)) for parts in pieces]
        owner = given_away(*min(crumbs, key=lambda pair: pair[1].area), pieces, owner, spots)


def noded(outline: Geometry, shapes: Sequence[Geometry]) -> Geometry:
    """Give all edges, cut where they meet."""
    edges = [part for shape in (outline, *shapes) for part in shapely.get_parts(shapely.boundary(shape))]
    return shapely.union_all(edges, grid_size=GRID_M)


def given_away(i: int, crumb: Polygon, pieces: list[Any], owner: Any, spots: Any) -> Any:
    """Give a crumb of owner ``i`` to the neighbour it shares most of its edge with: the owners of all faces."""
    near = [parts[shapely.dwithin(parts, crumb, GRID_M)] for parts in pieces]
    shared = [shapely.length(shapely.intersection(crumb, shapely.union_all(parts))) for parts in near]
    shared[i] = -1.0
    return np.where(shapely.contains(crumb, spots), int(np.argmax(shared)), owner)


def on_corners(coordinates: Any, corners: Any) -> Any:
    """Move coordinates that are a corner but for rounding onto that corner."""
    tree = shapely.STRtree(shapely.points(corners))
    which, nearest = tree.query_nearest(shapely.points(coordinates), max_distance=SAME_CORNER_M, all_matches=False)
    moved = coordinates.copy()
    moved[which] = corners[nearest]
    return moved
