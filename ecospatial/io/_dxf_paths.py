"""Turn entities of a drawing into vertices; lines stand for bulges and curves and are nowhere further off than 1 mm.

Arcs of polylines are computed here and not by ``ezdxf.path``, which makes them from Bezier curves: those miss a half
circle of 100 m radius by 27 mm and one of 1,000 m by 27 cm, however finely they are cut (ezdxf 1.4). An arc also has an
upper limit of vertices here, so that a hostile radius can not fill the memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.io.polygons import EAST, NORTH, kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CURVE_M = 0.001
_SAME_M = 1e-6
_FRAME_POINT = 16  # a vertex of the control frame of a smoothed polyline, not on it
_MESHES = 16 | 64  # a polyline that is a mesh in space
_MOST = 20_000  # vertices of one arc


@dataclass(frozen=True, slots=True)
class EntityPath:
    """An entity's vertices in units of the drawing, whether it is closed, and whether it had curves."""

    vertices: Floats
    closed: bool
    curved: bool


def plane(vertices: Floats) -> bool:
    """Tell whether all vertices are an easting and a northing of a Gauss-Kruger plane, in either order."""
    first, second = kind(vertices[:, 0]), kind(vertices[:, 1])
    wide = bool(len(vertices)) and bool((np.abs(vertices) >= 1e5).all())
    east = (first == EAST) & (second == NORTH)
    north = (first == NORTH) & (second == EAST)
    return wide and bool(east.all() or north.all())


def shape(entity: Any, *, step: float) -> EntityPath | None:
    """Give the outline of an entity; None when it has none.

    Parameters
    ----------
    entity
        A LWPOLYLINE, POLYLINE, LINE, ARC, CIRCLE, ELLIPSE, SPLINE or POINT of ezdxf.
    step
        Largest distance between a curve and the line that stands for it, in units of the drawing.
    """
    match entity.dxftype():
        case "LWPOLYLINE":
            corners = [(x, y, bulge) for x, y, bulge in entity.get_points("xyb")]
            return _bulged(corners, entity, closed=bool(entity.closed), step=step)
        case "POLYLINE":
            if entity.dxf.flags & _MESHES:
                return None
            held = [v for v in entity.vertices if not v.dxf.flags & _FRAME_POINT]
            corners = [(v.dxf.location.x, v.dxf.location.y, v.dxf.get("bulge", 0.0)) for v in held]
            return _bulged(corners, entity, closed=bool(entity.is_closed), step=step)
        case "LINE":
            return EntityPath(_flat([entity.dxf.start, entity.dxf.end]), closed=False, curved=False)
        case "POINT":
            return EntityPath(_flat([entity.dxf.location]), closed=False, curved=False)
        case "CIRCLE":
            return EntityPath(_flat(entity.flattening(step)), closed=True, curved=True)
        case "ELLIPSE":
            full = abs(abs(entity.dxf.end_param - entity.dxf.start_param) - 2.0 * math.pi) < 1e-9
            return EntityPath(_flat(entity.flattening(step)), closed=full, curved=True)
        case "SPLINE":
            return EntityPath(_flat(entity.flattening(step)), closed=bool(entity.closed), curved=True)
        case _:
            return EntityPath(_flat(entity.flattening(step)), closed=False, curved=True)


def _flat(points: Any) -> Floats:
    return np.array([(point.x, point.y) for point in points], dtype=np.float64).reshape(-1, 2)


def _bulged(corners: list[tuple[float, float, float]], entity: Any, *, closed: bool, step: float) -> EntityPath:
    points: list[tuple[float, float]] = []
    last = len(corners) - (0 if closed else 1)
    for i, (x, y, bulge) in enumerate(corners):
        points.append((x, y))
        if bulge and i < last:
            points += _arc((x, y), corners[(i + 1) % len(corners)][:2], bulge, step)
    vertices = np.array(points, dtype=np.float64).reshape(-1, 2)
    if entity.dxf.hasattr("extrusion") and entity.dxf.extrusion.z < 0.0:
        vertices = vertices * (-1.0, 1.0)  # drawn from below: the plane of the entity is mirrored
    return EntityPath(vertices, closed, curved=any(bulge for _, _, bulge in corners[:last]))


def _arc(start: tuple[float, float], end: tuple[float, float], bulge: float, step: float) -> list[tuple[float, float]]:
    """Give the vertices between the ends of an arc; its bulge is the tangent of a quarter of its angle."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    chord = math.hypot(dx, dy)
    if chord == 0.0 or not math.isfinite(chord * bulge):
        return []
    angle = 4.0 * math.atan(bulge)
    radius = chord * (1.0 + bulge * bulge) / (4.0 * abs(bulge))
    count = math.ceil(abs(angle) / (2.0 * math.acos(max(1.0 - step / radius, 0.0))))
    # The centre lies left of the chord for an arc that turns left by less than half a turn.
    offset = (1.0 - bulge * bulge) / (4.0 * bulge)
    cx, cy = (start[0] + end[0]) / 2.0 - offset * dy, (start[1] + end[1]) / 2.0 + offset * dx
    turns = np.arange(1, min(count, _MOST)) * angle / min(max(count, 1), _MOST)
    sx, sy = start[0] - cx, start[1] - cy
    xs = cx + sx * np.cos(turns) - sy * np.sin(turns)
    ys = cy + sx * np.sin(turns) + sy * np.cos(turns)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def outline(drawn: EntityPath, *, factor: float, closing: float) -> tuple[Any, float]:
    """Make a geometry in metres: an area when the ends meet or nearly so, else a line or a point.

    Parameters
    ----------
    drawn
        The outline, with at least one vertex.
    factor
        Metres of one unit of the drawing.
    closing
        How far apart ends may be that were meant to meet, in metres.

    Returns
    -------
    tuple
        The geometry, and the gap between the ends that was closed (0 when there was none), in metres.
    """
    vertices = drawn.vertices * factor
    if len(vertices) == 1:
        return shapely.points(vertices[0]), 0.0
    gap = float(np.hypot(*(vertices[0] - vertices[-1])))
    if len(vertices) >= 4 and not drawn.closed and gap <= closing:
        kept = vertices[:-1] if gap < _SAME_M else vertices
        return shapely.polygons(np.vstack([kept, kept[:1]])), gap if gap >= _SAME_M else 0.0
    if drawn.closed and len(vertices) >= 3:
        return shapely.polygons(np.vstack([vertices, vertices[:1]])), 0.0
    return shapely.linestrings(vertices), 0.0
