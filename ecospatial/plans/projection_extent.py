"""How far a plan may lie from the central meridian of its projection before distances are no longer what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import PlanError, Problem

if TYPE_CHECKING:
    from ecospatial.plans.plan import Plan

# A zone of three degrees reaches 1.5 degrees; there a metre of the plane is 0.025 % long at 31 degrees of latitude.
FARTHEST_DEG = 1.75


def require_reach(plan: Plan) -> None:
    """Refuse a plan that reaches further than 1.75 degrees from its central meridian.

    Other projections than transverse Mercator are left alone.

    Raises
    ------
    PlanError
        It reaches further; the way out names the zone that fits, or says that none does.
    """
    operation, area = plan.crs.coordinate_operation, plan.area
    if area is None or operation is None or operation.method_name != "Transverse Mercator":
        return
    meridian = next(float(p.value) for p in operation.params if p.name == "Longitude of natural origin")
    rim = np.array([shapely.segmentize(shapely.box(*area.bounds), 50_000.0)], dtype=object)
    lon = shapely.get_coordinates(crs_.transform(rim, CRS(plan.crs), crs_.CGCS2000))[:, 0]
    lon = lon[np.isfinite(lon)]
    far = float(np.abs(lon - meridian).max(initial=0.0))
    if far <= FARTHEST_DEG:
        return
    middle = float(lon.min() + lon.max()) / 2
    zone = round(middle / 3)
    hint = "请检查坐标系"
    if 25 <= zone <= 45:
        hint = f"请用 {crs_.label(crs_.gauss_kruger(zone))}（中央经线 {zone * 3}°）"
    if max(lon.max() - zone * 3, zone * 3 - lon.min()) > FARTHEST_DEG:
        hint = "没有一个三度带装得下，请按三度带分成几个规划"
    told = f"规划伸到距中央经线 {meridian:g}° 的 {far:.2f}°，超过 {FARTHEST_DEG}°，投影后的距离不可靠"
    raise PlanError(Problem("plan.yaml", "crs", told, hint))
