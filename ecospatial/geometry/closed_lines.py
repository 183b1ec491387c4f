"""Lines that are outlines: closed ones become areas, open ones that enclose something are found.

A red line is drawn as a line and means the area inside. Read as a line, a ring round a protected zone touches
nothing. An area holds its own outline, so taking a closed line for an area never hides what the line would touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.repair import is_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

# Ends of an outline that were meant to meet do so within the accuracy of digitising.
CLOSING_M = 0.1
_SAME_M = 1e-3
# An outline left open by a slip lacks little of its length; a road that turns back on itself encloses little.
_SLIP_M, _SLIP_SHARE, _BEND_SHARE = 1.0, 0.01, 0.1
# 4 pi area / length2: a circle is 1, a square 0.8, a road that leads 400 m out and 20 m beside it back 0.1.
_THIN = 0.05
# Outlines without their last side: of a square a third of what is drawn is missing.
_SIDE_SHARE, _ROUND = 0.4, 0.4
_NOTHING = 1e-6
_METRES_OF_A_DEGREE = 111_000.0
# Lines of one file that are put together to see what they enclose: a second of work.
_MOST = 20_000
_LINES = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class ClosedLines:
    """Geometries with closed lines as areas, and per geometry what was done ("" where nothing was)."""

    geometry: NDArray[Any]
    note: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Open lines that enclose something: their positions, what they are, and whether they are nothing but an outline.

    ``certain`` is False where lines enclose something on the way, as streets round a block do.
    """

    rows: tuple[int, ...]
    what: str
    certain: bool


def close_lines(geometry: NDArray[Any]) -> ClosedLines:
    """Make areas of closed lines; other geometries stay as they are.

    Parameters
    ----------
    geometry
        Geometries or None, in metres or degrees (told apart by their size). Of a geometry with several lines all
        must close, alone or end to end; a ring inside another is a hole. Ends up to 0.1 m apart meet.

    Returns
    -------
    ClosedLines
        Arrays as long as ``geometry``. An area may cross itself as its line does: repair it afterwards.

    Examples
    --------
    >>> ring = shapely.LineString([(0, 0), (900, 0), (900, 900), (0, 900), (0, 0)])
    >>> done = close_lines(np.array([ring, shapely.LineString([(0, 0), (900, 0)])]))
    >>> done.geometry[0].area, done.geometry[1].geom_type, done.note.tolist()
    (810000.0, 'LineString', ['闭合线已按面处理', ''])
    """
    made = np.array(geometry, dtype=object)
    note = np.full(len(made), "", dtype=object)
    lines = np.flatnonzero(np.isin(shapely.get_type_id(made), _LINES) & is_finite(made))
    if not len(lines):
        return ClosedLines(made, note)
    flat = shapely.force_2d(made[lines])
    unit = _unit_m(flat)
    parts, owner = shapely.get_parts(shapely.line_merge(flat), return_index=True)
    gap = _gap(parts) * unit
    meets = (gap <= CLOSING_M) & (shapely.get_num_coordinates(parts) >= 4)
    rings = np.full(len(parts), None, dtype=object)
    rings[meets] = _areas(parts[meets])
    # A line that goes out and comes back the same way is closed and encloses nothing.
    meets[meets] = _roundness(rings[meets], parts[meets]) > _NOTHING
    count = np.bincount(owner, minlength=len(lines))
    whole = (count > 0) & (np.bincount(owner, weights=meets, minlength=len(lines)) == count)
    widest = np.zeros(len(lines))
    np.maximum.at(widest, owner, np.where(gap > _SAME_M, gap, 0.0))
    single = whole & (count == 1)
    made[lines[single]] = rings[single[owner]]
    for i in np.flatnonzero(whole & (count > 1)):
        sound = shapely.make_valid(rings[owner == i], method="structure", keep_collapsed=False)
        made[lines[i]] = reduce(shapely.symmetric_difference, sound)
    for i in np.flatnonzero(whole):
        note[lines[i]] = "闭合线已按面处理" + (f"（首尾相距 {widest[i]:.3f} m，已闭合）" if widest[i] > 0 else "")
    return ClosedLines(made, note)


def find_enclosures(geometry: NDArray[Any]) -> list[Enclosure]:
    """Find lines that are not closed and enclose something all the same, alone or with others.

    Parameters
    ----------
    geometry
        Geometries or None, as ``close_lines`` left them.

    Examples
    --------
    >>> corner = shapely.LineString([(0, 0), (900, 0), (900, 900)]), shapely.LineString([(900, 900), (0, 900), (0, 0)])
    >>> find_enclosures(np.array(corner))
    [Enclosure(rows=(0, 1), what='首尾相接围成一个面', certain=True)]
    """
    rows = np.flatnonzero(np.isin(shapely.get_type_id(geometry), _LINES) & is_finite(geometry))
    if not len(rows):
        return []
    flat = shapely.force_2d(np.asarray(geometry, dtype=object)[rows])
    unit = _unit_m(flat)
    parts, owner = shapely.get_parts(shapely.line_merge(flat), return_index=True)
    if not len(parts):  # a line of no length merges to nothing
        return []
    together = _together(parts, rows[owner], unit) if len(parts) <= _MOST else []
    taken = {row for one in together for row in one.rows}
    return together + [one for one in _nearly_closed(parts, rows[owner], unit) if one.rows[0] not in taken]


def _unit_m(lines: NDArray[Any]) -> float:
    bounds = np.abs(shapely.bounds(lines))
    return _METRES_OF_A_DEGREE if float(np.nanmax(bounds, initial=0.0)) <= 360.0 else 1.0


def _ends(parts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, last = shapely.get_point(parts, 0), shapely.get_point(parts, -1)
    return (
        np.column_stack([shapely.get_x(first), shapely.get_y(first)]),
        np.column_stack([shapely.get_x(last), shapely.get_y(last)]),
    )


def _gap(parts: NDArray[Any]) -> NDArray[np.float64]:
    first, last = _ends(parts)
    return np.asarray(np.hypot(*(first - last).T), dtype=np.float64)


def _areas(parts: NDArray[Any]) -> NDArray[Any]:
    """Make the areas that lines enclose when their ends are joined."""
    xy, index = shapely.get_coordinates(parts, return_index=True)
    rings: Any = shapely.linearrings(xy, indices=index) if len(xy) else np.array([], dtype=object)
    return np.asarray(shapely.polygons(rings), dtype=object)


def _roundness(areas: NDArray[Any], parts: NDArray[Any]) -> NDArray[np.float64]:
    size = shapely.area(areas)
    crossed = np.flatnonzero(~shapely.is_valid(areas))
    size[crossed] = shapely.area(shapely.make_valid(areas[crossed], method="structure", keep_collapsed=False))
    length = shapely.length(parts)
    return np.asarray(np.divide(4.0 * np.pi * size, length**2, out=np.zeros_like(size), where=length > 0))


def _nearly_closed(parts: NDArray[Any], rows: Ints, unit: float) -> list[Enclosure]:
    gap, length = _gap(parts), shapely.length(parts)
    near = (gap > 0) & (gap <= _SIDE_SHARE * length) & (shapely.get_num_coordinates(parts) >= 4)
    candidates = np.flatnonzero(near)
    areas = _areas(parts[candidates])
    roundness = np.zeros(len(parts))
    roundness[candidates] = _roundness(areas, shapely.boundary(areas))
    slip = (gap <= np.maximum(_SLIP_SHARE * length, _SLIP_M / unit)) & (roundness > _THIN)
    bend = ((gap <= _BEND_SHARE * length) & (roundness > _THIN)) | (roundness > _ROUND)
    return [
        Enclosure((int(rows[i]),), f"首尾相距 {gap[i] * unit:.2f} m，像没有闭合的红线", bool(slip[i]))
        for i in np.flatnonzero(near & (slip | bend))
    ]


def _together(parts: NDArray[Any], rows: Ints, unit: float) -> list[Enclosure]:
    """Find sets of lines that enclose something: end to end without an end left over, or crossing each other."""
    node = _nodes(parts, CLOSING_M / unit)
    kept = np.ones(len(parts), dtype=bool)
    while True:  # what ends nowhere encloses nothing
        degree = np.bincount(node[kept].ravel(), minlength=len(parts) * 2)
        loose = kept & (degree[node] < 2).any(axis=1)
        if not loose.any():
            break
        kept[loose] = False
    group = _groups(node)
    found = []
    for label in np.unique(group[kept]):
        members = group == label
        clean = bool(kept[members].all())
        listed = tuple(sorted(set(rows[members & kept].tolist())))
        if _encloses(parts[members & kept], CLOSING_M / unit):
            found.append(Enclosure(listed, "首尾相接围成一个面" if len(listed) > 1 else "各段围成一个面", clean))
    taken = {row for one in found for row in one.rows}
    rest = np.flatnonzero(~np.isin(rows, sorted(taken)))
    return found + _crossing(parts[rest], rows[rest])


def _crossing(parts: NDArray[Any], rows: Ints) -> list[Enclosure]:
    """Find lines that cross themselves or each other and enclose something between the crossings."""
    if not len(parts):
        return []
    noded = shapely.get_parts(shapely.node(shapely.multilinestrings(parts)))
    faces = shapely.get_parts(shapely.polygonize(noded))
    faces = faces[_roundness(faces, shapely.boundary(faces)) > _NOTHING] if len(faces) else faces
    found = []
    for block in shapely.get_parts(shapely.union_all(faces)) if len(faces) else ():
        edge = shapely.boundary(block)
        shared = shapely.length(shapely.intersection(parts, edge))
        members = shared > 1e-9 * shapely.length(edge)
        listed = tuple(sorted(set(rows[members].tolist())))
        if listed:
            used = float(shared[members].sum()) >= 0.9 * float(shapely.length(parts[members]).sum())
            found.append(Enclosure(listed, "相交围成一个面", used))
    return found


def _encloses(parts: NDArray[Any], near: float) -> bool:
    """Tell whether lines that meet end to end have anything between them: a road out and back has not."""
    grown = shapely.buffer(shapely.union_all(parts), near)
    return bool((shapely.get_num_interior_rings(shapely.get_parts(grown)) > 0).any())


def _nodes(parts: NDArray[Any], near: float) -> NDArray[np.intp]:
    """Give the ends of lines numbers, the same where they meet."""
    first, last = _ends(parts)
    points: Any = shapely.points(np.vstack([first, last]))
    left, right = shapely.STRtree(points).query(points, predicate="dwithin", distance=near)
    label = np.arange(len(points))
    while True:
        lower = label.copy()
        np.minimum.at(lower, left, label[right])
        if (lower == label).all():
            return label.reshape(2, -1).T
        label = lower


def _groups(node: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give lines numbers, the same where they hang together."""
    label = np.arange(int(node.max()) + 1)
    while True:
        lower = label.copy()
        least = label[node].min(axis=1)
        np.minimum.at(lower, node[:, 0], least)
        np.minimum.at(lower, node[:, 1], least)
        lower = lower[lower]
        if (lower == label).all():
            return np.asarray(label[node[:, 0]])
        label = lower
