"""Which geometries can be used as sites, and their repair in square metres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.repair import changed_much, is_finite, repair

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from ecospatial.geometry.repair import Repaired

_USABLE = (0, 1, 2, 3, 4, 5, 6)  # points, lines, polygons and their multiples
_LARGEST = 1e9  # eastings with the number of the zone have eight digits
_LEAST_M2 = 0.01  # below this no overlap counts
_LEAST_M = 0.001
DOUBTFUL = "面积变化超过 1 % 或 100 m²，本地块的结论均不确定，请核对图形"
WAY = "请更正图形，或加 --skip-bad 跳过"


def unusable(geometry: NDArray[Any]) -> NDArray[Any]:
    """Say of each geometry as it stands in the source why it can not be used; "" when it can."""
    faults = np.full(len(geometry), "", dtype=object)
    finite = is_finite(geometry)
    faults[~finite] = "坐标含有 NaN 或无穷大"
    faults[finite & (np.abs(shapely.bounds(geometry)) > _LARGEST).any(axis=1)] = "坐标大得不可能"
    faults[~np.isin(shapely.get_type_id(geometry), _USABLE)] = "图形是几何集合，请拆分为点、线或面"
    faults[shapely.is_empty(geometry)] = "图形是空的"
    faults[shapely.is_missing(geometry)] = "没有图形"
    return faults


def repaired(geometry: NDArray[Any], crs: CRS) -> tuple[Repaired, NDArray[Any]]:
    """Repair geometries in the CRS they end in.

    Returns
    -------
    tuple
        The repaired geometries with notes and change of area in m2, and of each geometry why nothing is left of
        it ("" when something is).
    """
    unit = unit_m2(geometry, crs)
    done = repair(geometry, unit_m2=unit)
    there = ~shapely.is_missing(done.geometry)
    size = shapely.get_dimensions(done.geometry)
    faults = np.full(len(geometry), "", dtype=object)
    areal = np.isin(shapely.get_type_id(geometry), (3, 6))
    faults[there & areal & ~(shapely.area(done.geometry) * unit >= _LEAST_M2)] = "面积为零"
    faults[there & (size == 1) & ~(shapely.length(done.geometry) * np.sqrt(unit) >= _LEAST_M)] = "长度为零"
    return done, faults


def doubtful(change_m2: NDArray[np.float64], geometry: NDArray[Any], crs: CRS) -> NDArray[np.bool_]:
    """Tell which repairs changed the area by more than 1 % or 100 m2: of those sites nothing is certain.

    Parameters
    ----------
    change_m2
        Area after minus before, as in ``repair_area_m2``; NaN counts as no change.
    geometry
        The repaired geometries.
    crs
        Their CRS.

    Examples
    --------
    >>> from pyproj import CRS
    >>> square = np.array([shapely.box(0, 0, 100, 100)] * 3)
    >>> doubtful(np.array([99.0, 101.0, -200.0]), square, CRS.from_epsg(4549)).tolist()
    [False, True, True]
    """
    return changed_much(change_m2, shapely.area(geometry) * unit_m2(geometry, crs))


def unit_m2(geometry: NDArray[Any], crs: CRS) -> NDArray[np.float64]:
    """Give the square metres of one square unit of the CRS at the place of each geometry."""
    if not crs.is_geographic:
        factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
        return np.full(len(geometry), float(factor) ** 2)
    latitude = np.nan_to_num(shapely.bounds(geometry)[:, 1])
    phi = np.radians(np.clip(latitude, -89.0, 89.0))
    # Radii of curvature of GRS80 (a = 6378137 m, e2 = 0.00669438002290).
    w2 = 1.0 - 0.00669438002290 * np.sin(phi) ** 2
    north = 6378137.0 * (1.0 - 0.00669438002290) / w2**1.5
    east = 6378137.0 / np.sqrt(w2) * np.cos(phi)
    return np.asarray(north * east * np.radians(1.0) ** 2)
