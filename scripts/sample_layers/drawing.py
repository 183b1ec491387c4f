"""Turn a few hand-written control points into lines and areas as a person would draw them.

Everything here is plain geometry in a metric CRS: coordinates in metres, x east, y north. Where things lie is
written in ``scripts/sample_layers/drawn/*.yaml``; which file a layer becomes is decided in ``build_layers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely import Geometry, Point

    Points = NDArray[np.float64]

# A river is never equally wide; these two wavelengths, in metres, make its width swell and shrink gently.
WIDTH_WAVES_M = (610.0, 1730.0)
WIDTH_SWING = 0.07
CRUMB_M2 = 10_000
ARC_SEGMENTS = 64  # per quarter circle: the polygon stays within 0.08 m of a true 1000 m arc


def smooth(points: ArrayLike, *, step_m: float = 50.0) -> Points:
    """Bend a line through its control points (centripetal Catmull-Rom spline, which makes no loops).

    Parameters
    ----------
    points
        Control points, shape (n, 2), metres. Each of them is kept as a vertex, exactly: lines that share a
        control point meet there.
    step_m
        Rough length of the pieces, metres.

    Returns
    -------
        Vertices, shape (m, 2), metres.
    """
    p = np.asarray(points, dtype=float)
    if len(p) < 3:
        return p
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.hypot(*np.diff(padded, axis=0).T)))])
    pieces = []
    for i in range(len(p) - 1):
        p0, p1, p2, p3 = padded[i : i + 4]
        t0, t1, t2, t3 = knots[i : i + 4]
        count = max(1, round(float(np.hypot(*(p2 - p1))) / step_m))
        t = np.linspace(t1, t2, count + 1)[1:-1, None]
        a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
        a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
        a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces += [p1[None, :], (t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2]
    return np.vstack([*pieces, p[-1:]])


def rounded(corners: ArrayLike, *, cut_m: float = 40.0) -> Polygon:
    """Draw a closed area with its corners softened and its edges left straight.

    Parameters
    ----------
    corners
        Shape (n, 2), metres, not closed.
    cut_m
        How far from a corner the softening begins, metres; less on short edges.
    """
    p = np.asarray(corners, dtype=float)
    for distance in (cut_m, cut_m / 3):
        edge = np.roll(p, -1, axis=0) - p
        share = np.minimum(0.3, distance / np.hypot(*edge.T))[:, None]
        p = np.stack([p + share * edge, p + (1 - share) * edge], axis=1).reshape(-1, 2)
    return Polygon(p)


def banks(centreline: ArrayLike, width_m: float) -> Polygon:
    """Draw the polygon between the two banks of a river.

    Parameters
    ----------
    centreline
        Vertices, shape (n, 2), metres.
    width_m
        Mean width from bank to bank, metres; the drawn width swings by at most twice ``WIDTH_SWING`` of it.
        Both ends reach half of it further than the line, so that rivers that meet end to end overlap.
    """
    p = np.asarray(centreline, dtype=float)
    ends = np.array([p[0] - p[1], p[-1] - p[-2]])
    ends *= width_m / 2 / np.hypot(*ends.T)[:, None]
    p = np.vstack([p[:1] + ends[0], p, p[-1:] + ends[1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    tangent = np.gradient(p, along, axis=0)
    tangent /= np.hypot(*tangent.T)[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    waves = np.sin(2 * np.pi * (along[:, None] + width_m * 10) / np.array(WIDTH_WAVES_M)).sum(axis=1, keepdims=True)
    half = width_m / 2 * (1 + WIDTH_SWING * waves)
    return Polygon(np.vstack([p + half * normal, (p - half * normal)[::-1]]))


def between(line: LineString, start: Point, end: Point) -> Points:
    """Cut the part of a line from one point on it to another; backwards when they lie that way round."""
    a, b = shapely.line_locate_point(line, start), shapely.line_locate_point(line, end)
    vertices = shapely.get_coordinates(line)
    at = shapely.line_locate_point(line, shapely.points(vertices))
    low, high = min(a, b), max(a, b)
    inner = vertices[(at > low + 0.01) & (at < high - 0.01)]
    if a > b:
        inner = inner[::-1]
    return np.vstack([shapely.get_coordinates(start), inner, shapely.get_coordinates(end)])


def cut_across(line: LineString, at_m: float, offsets: ArrayLike) -> LineString:
    """Draw a bending line across a river.

    Parameters
    ----------
    line
        The river's centreline.
    at_m
        Where to cross it, metres along the line.
    offsets
        Shape (n, 2): metres to the left of the river (negative: to the right), metres downstream of ``at_m``.
    """
    here = shapely.get_coordinates(shapely.line_interpolate_point(line, [at_m - 50, at_m, at_m + 50]))
    forward = (here[2] - here[0]) / np.hypot(*(here[2] - here[0]))
    left = np.array([-forward[1], forward[0]])
    across, down = np.asarray(offsets, dtype=float).T[:, :, None]
    return LineString(smooth(here[1] + across * left + down * forward))


def strip(along: Geometry, within_m: float, *, inside: Geometry, cuts: Sequence[LineString], holds: Point) -> Polygon:
    """Draw the strip along a river.

    Parameters
    ----------
    along
        The polygon between the banks.
    within_m
        How far the strip reaches from the banks, metres.
    inside
        The area the strip is cut to.
    cuts
        Lines across, where the strip ends.
    holds
        A point of the piece that is wanted.
    """
    whole = shapely.intersection(shapely.buffer(along, within_m, quad_segs=ARC_SEGMENTS), inside)
    rings = shapely.union_all([*shapely.get_parts(shapely.boundary(whole)), *cuts])
    faces = shapely.get_parts(shapely.polygonize([rings]))
    (found,) = faces[shapely.contains(faces, holds)]
    return Polygon(found)


def divide(outline: Geometry, lines: Sequence[LineString], labels: Mapping[str, Point]) -> dict[str, Polygon]:
    """Divide an area by lines into one named piece for each label, without gaps and overlaps.

    Raises
    ------
    ValueError
        A piece has no label or several, or a line does not end on another one.
    """
    rings = shapely.union_all([*shapely.get_parts(shapely.boundary(outline)), *lines])
    faces, _, dangles, _ = shapely.polygonize_full([rings])
    if not shapely.is_empty(dangles):
        place = shapely.get_coordinates(dangles).round().tolist()
        raise ValueError(f"a dividing line ends in nothing: {place}")
    found: dict[str, Polygon] = {}
    for face in shapely.get_parts(faces):
        names = [name for name, label in labels.items() if shapely.contains(face, label)]
        if len(names) != 1:
            place = shapely.get_coordinates(shapely.point_on_surface(face)).round().tolist()
            raise ValueError(f"the piece at {place} has the labels {names}, and should have one")
        found[names[0]] = face
    return {name: found[name] for name in labels}


def take_away(area: Geometry, others: Sequence[Geometry], gap_m: float) -> Polygon | MultiPolygon:
    """Take other areas out of one, with a gap between them; crumbs under a hectare are dropped."""
    if len(others):
        around = shapely.union_all(shapely.buffer(np.asarray(others, dtype=object), gap_m, quad_segs=4))
        area = shapely.difference(area, around)
    parts = [part for part in shapely.get_parts(area) if part.area >= CRUMB_M2]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
