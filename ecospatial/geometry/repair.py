"""Repair of invalid polygons, said in words and in square metres.

The usual repairs differ in the area they leave: ``buffer(0)`` halves a bow-tie, the line-work method of
``make_valid`` counts overlapping parts out and turns holes outside the shell into land. Here every spot
that a ring encloses counts once, holes are cut out where they lie inside, and holes outside are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

# GEOS's reasons, in the order in which they are looked for.
_REASONS = (
    ("Hole lies outside shell", "洞在外环之外"),
    ("nested", "洞互相嵌套"),
    ("Nested shells", "各部分互相嵌套"),
    ("Self-intersection", "边界自相交或各环相交"),
    ("Interior is disconnected", "洞把内部隔断"),
    ("Duplicate", "环重复"),
    ("Too few points", "顶点不足"),
    ("not closed", "环未闭合"),
)
_POLYGONAL = (3, 6)
# From here a repair has changed a shape so much that nobody knows what was meant.
_CHANGE_SHARE, _CHANGE_M2 = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class Repaired:
    """Repaired geometries, and per geometry what was done and what it did to the area.

    ``note`` is "" and ``area_change_m2`` 0 where nothing was changed; the change is after minus before, where
    before is what the rings enclose as they stand (a bow-tie: 0).
    """

    geometry: NDArray[Any]
    note: NDArray[Any]
    area_change_m2: NDArray[np.float64]


def is_finite(geometry: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which geometries are there, not empty, and have no NaN or infinity in any vertex.

    Parameters
    ----------
    geometry
        Geometries or None.

    Examples
    --------
    >>> is_finite(np.array([shapely.Point(1, 2), shapely.Point(), None, shapely.Point(1, np.inf)])).tolist()
    [True, False, False, False]
    """
    vertices, owner = shapely.get_coordinates(geometry, return_index=True)
    finite = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    finite[owner[~np.isfinite(vertices).all(axis=1)]] = False
    return np.asarray(finite)


def repair(geometry: NDArray[Any], *, unit_m2: float | NDArray[np.float64] = 1.0) -> Repaired:
    """Make invalid polygons valid and say what was done; valid geometries, lines and points stay as they are.

    Parameters
    ----------
    geometry
        Geometries in any CRS; None, empty and non-finite ones are left alone. Heights and measures are
        dropped.
    unit_m2
        Square metres of one square unit of the CRS: 1 for a metric CRS, for degrees what holds at the place
        of each geometry.

    Returns
    -------
    Repaired
        Arrays as long as ``geometry``. A polygon of which nothing is left is empty.

    Examples
    --------
    >>> bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    >>> done = repair(np.array([bow_tie]))
    >>> done.geometry[0].area, float(done.area_change_m2[0])
    (5000.0, 5000.0)
    >>> done.note[0]
    '边界自相交或各环相交，已修复（面积 0.00 → 5000.00 m²）'
    """
    flat = np.array(geometry, dtype=object)
    high = shapely.has_z(flat) | shapely.has_m(flat)
    flat[high] = shapely.force_2d(flat[high])
    notes = np.full(flat.shape, "", dtype=object)
    change = np.zeros(flat.shape, dtype=np.float64)
    unit = np.broadcast_to(np.asarray(unit_m2, dtype=np.float64), flat.shape)
    wrong = np.flatnonzero(np.isin(shapely.get_type_id(flat), _POLYGONAL) & ~shapely.is_valid(flat))
    for i in wrong[is_finite(flat[wrong])]:
        before, why = flat[i], _why(flat[i])
        flat[i] = _repaired(before)
        old, new = before.area * unit[i], flat[i].area * unit[i]
        change[i] = new - old
        notes[i] = f"{why}，已修复（面积 {old:.2f} → {new:.2f} m²）"
    return Repaired(flat, notes, change)


def changed_much(change_m2: NDArray[np.float64], area_m2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which repairs changed the area by more than 1 % or 100 m2.

    Parameters
    ----------
    change_m2
        Area after minus before; NaN counts as no change.
    area_m2
        Area after.

    Examples
    --------
    >>> changed_much(np.array([99.0, 101.0, -200.0, -2.0]), np.array([10000.0, 10000.0, 1e6, 100.0])).tolist()
    [False, True, True, True]
    """
    change = np.abs(np.nan_to_num(np.asarray(change_m2, dtype=np.float64)))
    return np.asarray((change > _CHANGE_M2) | (change > _CHANGE_SHARE * np.nan_to_num(area_m2)))


def _why(polygon: shapely.Geometry) -> str:
    reason = str(shapely.is_valid_reason(polygon))
    return next((text for name, text in _REASONS if name in reason), "图形无效")


def _repaired(polygon: shapely.Geometry) -> shapely.Geometry:
    parts = [_without_outer_holes(part) for part in shapely.get_parts(polygon)]
    whole = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    return _polygonal(_made_valid(whole))


def _without_outer_holes(part: shapely.Polygon) -> shapely.Polygon:
    holes = shapely.polygons(np.asarray(part.interiors, dtype=object))
    shell = _made_valid(shapely.polygons(part.exterior))
    inside = shapely.area(shapely.intersection(_made_valid(holes), shell)) > 0.0
    kept = [ring for ring, held in zip(part.interiors, inside, strict=True) if held]
    return shapely.Polygon(part.exterior, kept)


def _made_valid(geometry: Any) -> Any:
    return shapely.make_valid(geometry, method="structure", keep_collapsed=False)


def _polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    areas = parts[shapely.get_dimensions(parts) == 2]
    # make_valid may leave parts that share an edge, which a valid multipolygon must not have.
    whole: shapely.Geometry = shapely.union_all(areas) if len(areas) else shapely.Polygon()
    return whole
