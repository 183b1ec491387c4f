"""Finding out what frame bare coordinates are in, by where they would lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from ecospatial.crs.parse import CGCS2000, gauss_kruger, label, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROUND = ("东", "东北", "北", "西北", "西", "西南", "南", "东南")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where coordinates would lie if they were in this CRS: how deep in the plan, or how far from it and where.

    ``distance_km`` is that of their median point to the edge of the area, to the nearest of it in either case;
    in the plan 0 when that point is not.
    """

    crs: CRS
    swapped: bool
    inside: bool
    distance_km: float
    direction: str

    @property
    def label(self) -> str:
        """Name of the CRS as the caller would give it, and whether X and Y change places."""
        return label(self.crs) + ("（X、Y 对调）" if self.swapped else "")


def diagnose(x: Floats, y: Floats, area: shapely.Geometry, crs: CRS) -> list[Candidate]:
    """Try the frames in use in China on bare coordinates and see which of them puts them in the plan.

    Tried are the plan's own CRS, the 3 degree zone of the plan and its neighbours with and without the number
    of the zone, and degrees; each also with X and Y changed.

    Parameters
    ----------
    x, y
        The two coordinates of each vertex, as they stand in the file.
    area
        Area of the plan, in ``crs``.
    crs
        CRS of the plan, projected, in metres.

    Returns
    -------
    list
        Candidates that can be computed, those in the plan first, the deepest before the others, then the nearest.
        In the plan: half of the vertices or more lie in the area.

    Examples
    --------
    >>> changzhou = shapely.box(480000, 3510000, 510000, 3530000)
    >>> found = diagnose(np.array([495264.606]), np.array([3518567.678]), changzhou, CRS.from_epsg(4549))
    >>> [(c.label, c.inside, c.direction) for c in found[:2]]
    [('EPSG:4549', True, ''), ('EPSG:4548', False, '西')]
    >>> round(found[0].distance_km, 1)  # 3518567.678 - 3510000, the nearest edge
    8.6
    """
    step = max(1, len(x) // 1000)
    some_x, some_y = np.asarray(x, dtype=np.float64)[::step], np.asarray(y, dtype=np.float64)[::step]
    shapely.prepare(area)
    found = []
    for candidate in _frames(area, crs):
        change = _between(candidate, crs)
        for swapped in (False, True):
            east, north = change.transform(some_y, some_x) if swapped else change.transform(some_x, some_y)
            if len(some_x) and np.isfinite(east).all() and np.isfinite(north).all():
                found.append(_candidate(candidate, shapely.points(east, north), area, swapped=swapped))
    return sorted(found, key=lambda c: (not c.inside, -c.distance_km if c.inside else c.distance_km))


@lru_cache(maxsize=64)
def _between(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _frames(area: shapely.Geometry, crs: CRS) -> list[CRS]:
    centre = shapely.centroid(area)
    lon, _ = _between(crs, CGCS2000).transform(centre.x, centre.y)
    home = min(max(round(lon / 3.0), 26), 44) if np.isfinite(lon) else 40
    frames = [crs]
    for zone in (home, home - 1, home + 1):
        frames += [gauss_kruger(zone), gauss_kruger(zone, prefixed=True)]
    frames.append(CGCS2000)
    return [frame for i, frame in enumerate(frames) if not any(same(frame, other) for other in frames[:i])]


def _candidate(crs: CRS, points: NDArray[Any], area: shapely.Geometry, *, swapped: bool) -> Candidate:
    centre = shapely.centroid(area)
    middle = shapely.Point(float(np.median(shapely.get_x(points))), float(np.median(shapely.get_y(points))))
    if np.mean(shapely.intersects(area, points)) >= 0.5:
        depth = float(shapely.distance(shapely.boundary(area), middle)) / 1000.0
        return Candidate(
            crs, swapped, inside=True, distance_km=depth if shapely.intersects(area, middle) else 0.0, direction=""
        )
    distance = float(shapely.distance(area, middle)) / 1000.0
    word = compass(middle.x - centre.x, middle.y - centre.y)
    return Candidate(crs, swapped, inside=False, distance_km=distance, direction=word)


def compass(east: float, north: float) -> str:
    """Name the direction of a vector, one of eight.

    Examples
    --------
    >>> compass(-284, 3), compass(1, 1)
    ('西', '东北')
    """
    return _ROUND[round(np.degrees(np.arctan2(north, east)) / 45.0) % 8]


def explain(candidates: list[Candidate], title: str, *, most: int = 4) -> str:
    """Say in one line where coordinates would lie under each candidate.

    Parameters
    ----------
    candidates
        As from ``diagnose``.
    title
        Name of the plan.
    most
        How many candidates are named.

    Examples
    --------
    >>> changzhou = shapely.box(480000, 3510000, 510000, 3530000)
    >>> found = diagnose(np.array([495264.606]), np.array([3518567.678]), changzhou, CRS.from_epsg(4549))
    >>> explain(found, "钟楼区", most=1)
    '按 EPSG:4549 位于钟楼区内 8.6 km'
    """
    # Beyond 3000 km a reading is no candidate but nonsense.
    near = [c for c in candidates if c.inside or c.distance_km < 3000.0][:most]
    places = (
        f"位于{title}内 {c.distance_km:.1f} km" if c.inside else f"偏{c.direction} {c.distance_km:.0f} km" for c in near
    )
    return "；".join(f"按 {c.label} {place}" for c, place in zip(near, places, strict=True))
