"""Sites that can not be: wider than anything a plan or a projection holds, or of an area that the plane folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import Geod, Proj, Transformer

from ecospatial.crs import label
from ecospatial.io._encoding import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

# One zone of 3 degrees is some 290 km wide in China. Nothing wider can be measured in one plane, no project of a
# district is.
_ZONE_M, _ZONE_DEG = 300_000.0, 3.0
# An area is a project in a district: wider than three districts side by side, and than 100 km, it is a slip.
_DISTRICTS, _LEAST_LIMIT_M = 3.0, 100_000.0
_METRES_OF_A_DEGREE = 111_320.0
# Beside the projection the plane and the ellipsoid agree; edges are densified and rings rounded to far less.
_UNEXPLAINED = 1e-3
# A zone of 3 degrees changes areas by 0.05 % at its edge, one of 6 degrees by 0.2 %.
_DISTORTED = 1e-3
_SMALL_M = 5000.0
_CELL_M = 10_000.0
_SAMPLED = 500
_LISTED = 5


def too_large(geometry: NDArray[Any], crs: CRS, plan_area: Any = None) -> NDArray[Any]:
    """Say of each geometry why it is too large to be a site; "" when it is not.

    Parameters
    ----------
    geometry
        Geometries in the CRS of their source, or None.
    crs
        That CRS.
    plan_area
        Area of the plan in metres, when there is one.

    Examples
    --------
    >>> from pyproj import CRS
    >>> world, parcel = shapely.box(-180, -80, 180, 80), shapely.box(119.9, 31.7, 119.91, 31.71)
    >>> too_large(np.array([world, parcel]), CRS.from_epsg(4490)).tolist()
    ['图形东西跨 360.0 度，超过一个 3 度带，不可能是一个地块', '']
    """
    texts = np.full(len(geometry), "", dtype=object)
    bounds = np.asarray(shapely.bounds(geometry), dtype=np.float64).reshape(-1, 4)
    width, height = bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]
    if crs.is_geographic:
        degrees = (np.abs(bounds) <= 360.0).all(axis=1)  # what is no degree is refused as such
        width, height = np.where(degrees, width, 0.0), np.where(degrees, height, 0.0)
        for i in np.flatnonzero((width > _ZONE_DEG) | (height > _ZONE_DEG)):
            way, most = ("东西", width[i]) if width[i] >= height[i] else ("南北", height[i])
            texts[i] = f"图形{way}跨 {most:.1f} 度，超过一个 3 度带，不可能是一个地块"
        middle = np.radians(np.clip((bounds[:, 1] + bounds[:, 3]) / 2.0, -89.0, 89.0))
        size = np.fmax(width * np.cos(middle), height) * _METRES_OF_A_DEGREE
    else:
        factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
        size = np.fmax(width, height) * factor
    limit = np.full(len(geometry), _ZONE_M)
    if plan_area is not None:
        west, south, east, north = shapely.bounds(plan_area)
        areal = shapely.get_dimensions(geometry) == 2
        own = _DISTRICTS * max(east - west, north - south)
        limit[areal] = min(max(own, _LEAST_LIMIT_M), _ZONE_M)
    for i in np.flatnonzero((size > limit) & (texts == "")):
        reason = "一个 3 度带" if limit[i] == _ZONE_M else f"{limit[i] / 1000:.0f} km（规划范围的三倍或 100 km）"
        texts[i] = f"图形宽 {size[i] / 1000:.0f} km，超过{reason}，不可能是一个地块"
    return texts


def compare_areas(geometry: NDArray[Any], crs: CRS, ids: Sequence[str]) -> tuple[NDArray[Any], list[str]]:
    """Compare areas on the plane with those on the ellipsoid.

    Parameters
    ----------
    geometry
        Valid geometries, or None.
    crs
        Their CRS; of one that is not projected nothing is said.
    ids
        Their ``site_id``.

    Returns
    -------
    tuple
        Of each geometry why its area can not be ("" when it can): it differs from the ellipsoid by more than the
        areal scale of the projection there. And a notice when the projection itself changes areas by more than
        0.1 %, which it does outside its own zone.
    """
    faults = np.full(len(geometry), "", dtype=object)
    flat = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    there = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    if not flat.is_projected or not len(there) or flat.geodetic_crs is None:
        return faults, []
    shapes = np.asarray(geometry, dtype=object)[there]
    bounds = shapely.bounds(shapes)
    middle = np.column_stack([bounds[:, 0] + bounds[:, 2], bounds[:, 1] + bounds[:, 3]]) / 2.0
    scale = _areal_scale(middle, flat)
    faults[there[~np.isfinite(scale)]] = _beyond(crs)
    for k in np.flatnonzero(np.fmax(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) > _SMALL_M):
        faults[there[k]] = faults[there[k]] or _unexplained(shapes[k], flat)
    odd = np.flatnonzero(np.isfinite(scale) & (np.abs(scale - 1.0) > _DISTORTED) & (faults[there] == ""))
    if not len(odd):
        return faults, []
    most = float(scale[odd][np.argmax(np.abs(scale[odd] - 1.0))])
    listed = "、".join(shown(ids[int(there[k])]) for k in odd[:_LISTED])
    listed += f"等 {len(odd)} 个" if len(odd) > _LISTED else ""
    told = f"地块 {listed} 远离 {label(crs)} 的中央经线，平面面积与椭球面积相差达 {abs(most - 1.0):.2%}"
    return faults, [f"{told}，请以椭球面积为准"]


def _beyond(crs: CRS) -> str:
    return f"坐标超出 {label(crs)} 的范围，面积无法核实"


def _areal_scale(points: NDArray[np.float64], crs: CRS) -> NDArray[np.float64]:
    """Give the areal scale of a projection near points, one value for each 10 km."""
    cell, inverse = np.unique(np.floor(points / _CELL_M), axis=0, return_inverse=True)
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_degrees.transform(*((cell + 0.5) * _CELL_M).T)
    found = np.asarray(Proj(crs).get_factors(lon, lat).areal_scale, dtype=np.float64)
    return found[np.ravel(inverse)]


def _unexplained(shape: Any, crs: CRS) -> str:
    dense = shapely.segmentize(shape, 1000.0)
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    degrees = shapely.transform(dense, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))
    vertices = shapely.get_coordinates(degrees)
    if not np.isfinite(vertices).all():
        return _beyond(crs)
    ellipsoid = abs(float(Geod(ellps="GRS80").geometry_area_perimeter(shapely.orient_polygons(degrees))[0]))
    step = max(1, len(vertices) // _SAMPLED)
    inner = shapely.get_coordinates(shapely.point_on_surface(degrees))
    some = np.vstack([vertices[::step], inner, shapely.get_coordinates(shapely.centroid(degrees))])
    scale = np.asarray(Proj(crs).get_factors(some[:, 0], some[:, 1]).areal_scale, dtype=np.float64)
    plane = shape.area * crs.axis_info[0].unit_conversion_factor ** 2
    ratio = plane / ellipsoid if ellipsoid > 0 else np.inf
    if scale.min() - _UNEXPLAINED <= ratio <= scale.max() + _UNEXPLAINED:
        return ""
    return (
        f"平面面积 {plane / 1e6:.3f} km² 与椭球面积 {ellipsoid / 1e6:.3f} km² 相差 {abs(ratio - 1.0):.2%}，"
        "超出投影变形所能解释的范围"
    )
