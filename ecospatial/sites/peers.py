"""Sites of one file beside each other: the same shape twice, and sites that overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.overlay import safe_intersection
from ecospatial.geometry.overlay_area import shared_area
from ecospatial.geometry.repair import is_finite
from ecospatial.io._encoding import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LISTED = 5
_LEAST_M2 = 1.0  # neighbours digitised one by one overlap by less
_SAME_SHARE = 0.999
# Pairs of boxes that meet: some seconds of work, which no file of red lines comes near.
_MOST_PAIRS = 500_000
# Products of vertices up to which summing edge against edge is faster than cutting.
_SUMMED = 100_000


def describe_peers(file: str, geometry: NDArray[Any], ids: Sequence[str], unit_m2: NDArray[np.float64]) -> list[str]:
    """Tell which sites of one file have the same shape or overlap.

    Parameters
    ----------
    file
        Its name, "" for a frame.
    geometry
        Valid geometries in one CRS; None where there is none.
    ids
        Their ``site_id``.
    unit_m2
        Square metres of one square unit of the CRS, for each.

    Examples
    --------
    >>> square, beside = shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10)
    >>> describe_peers("红线.shp", np.array([square, square, beside]), ["A", "B", "C"], np.ones(3))[0]
    '红线.shp：图形相同的地块：A 与 B，请核对是否重复'
    """
    there = np.flatnonzero(is_finite(geometry))
    if len(there) < 2:
        return []
    shapes, unit = np.asarray(geometry, dtype=object)[there], unit_m2[there]
    equal = _equal(shapes)
    pairs = _overlapping(shapes, unit)
    name = f"{file}：" if file else ""
    if pairs is None:
        return [f"{name}地块过多且互相靠近，未逐对核对是否重叠"]
    same = {*equal, *((i, j) for i, j, _, share in pairs if share >= _SAME_SHARE)}
    others = [(i, j, area) for i, j, area, _ in pairs if (i, j) not in same]
    label = [shown(ids[int(k)]) for k in there]
    told = []
    if same:
        some = [f"{label[i]} 与 {label[j]}" for i, j in sorted(same)[:_LISTED]]
        told.append(f"{name}图形相同的地块：{_listed(some, len(same))}，请核对是否重复")
    if others:
        some = [f"{label[i]} 与 {label[j]}（{area:.0f} m²）" for i, j, area in others[:_LISTED]]
        told.append(f"{name}互相重叠的地块：{_listed(some, len(others))}，请核对；各地块分别核查，面积不能相加")
    return told


def _listed(some: list[str], count: int) -> str:
    return "、".join(some) + (f"等 {count} 对" if count > len(some) else "")


def _equal(shapes: NDArray[Any]) -> set[tuple[int, int]]:
    """Pair each shape with the first one before it that has the same vertices, wherever they begin."""
    keys = shapely.to_wkb(shapely.normalize(shapely.force_2d(shapes)))
    first: dict[bytes, int] = {}
    return {(first[key], i) for i, key in enumerate(keys) if first.setdefault(key, i) != i}


def _overlapping(shapes: NDArray[Any], unit: NDArray[np.float64]) -> list[tuple[int, int, float, float]] | None:
    """List the pairs of areas that share more than 1 m2: that area, and its share of the larger one."""
    areal = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    polygons = shapes[areal]
    if len(polygons) < 2:
        return []
    left, right = _meeting_boxes(shapely.bounds(polygons))
    if len(left) > _MOST_PAIRS:
        return None
    if not len(left):
        return []
    count = shapely.get_num_coordinates(polygons).astype(np.int64)
    few = np.flatnonzero(count[left] * count[right] <= _SUMMED)
    area, cut = np.empty(len(left)), np.ones(len(left), dtype=bool)
    area[few], cut[few] = shared_area(polygons, polygons, (left[few], right[few]))
    again = np.flatnonzero(cut)
    area[again] = shapely.area(safe_intersection(polygons[left[again]], polygons[right[again]]))
    size = shapely.area(polygons)
    share = area / np.maximum(size[left], size[right])
    area = area * unit[areal[left]]
    kept = np.flatnonzero(area > _LEAST_M2)
    return [(int(areal[left[k]]), int(areal[right[k]]), float(area[k]), float(share[k])) for k in kept]


def _meeting_boxes(bounds: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair the boxes that share area; when there are too many pairs, some more than that."""
    boxes: Any = shapely.box(*bounds.T)
    tree = shapely.STRtree(boxes)
    west, south, east, north = bounds.T
    found, count = [np.empty((2, 0), dtype=np.intp)], 0
    step = max(1, 5_000_000 // len(boxes))  # all of them may meet all others
    for start in range(0, len(boxes), step):
        left, right = tree.query(boxes[start : start + step])
        left = left + start
        width = np.minimum(east[left], east[right]) - np.maximum(west[left], west[right])
        height = np.minimum(north[left], north[right]) - np.maximum(south[left], south[right])
        kept = (left < right) & (width > 0) & (height > 0)
        found.append(np.vstack([left[kept], right[kept]]))
        count += int(kept.sum())
        if count > _MOST_PAIRS:
            break
    left, right = np.hstack(found)
    order = np.lexsort((right, left))
    return left[order], right[order]
