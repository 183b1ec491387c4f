"""Shifts that only the owner of a local system knows: seven parameters between datums, four between planes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation

from ecospatial.crs.parse import label, parse_crs
from ecospatial.errors import CrsError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Shifts between datums in use in China are a few hundred metres, rotations some seconds, scales some ppm.
_MOST_SHIFT_M, _MOST_ROTATION_S, _MOST_SCALE_PPM = 1000.0, 60.0, 100.0
_LEAST_SCALE, _MOST_SCALE = 0.9, 1.1


@dataclass(frozen=True, slots=True)
class FourParams:
    """A turn, a scale and a shift in the plane, applied in this order: x east, y north, angle counter-clockwise."""

    dx: float
    dy: float
    angle_deg: float
    scale: float

    def apply(self, geometry: NDArray[Any]) -> NDArray[Any]:
        """Move geometries from the local plane into the target plane; heights are dropped.

        Examples
        --------
        >>> turned = FourParams(1000.0, 2000.0, 90.0, 2.0).apply(np.array([shapely.Point(10, 0)]))
        >>> round(turned[0].x, 6), round(turned[0].y, 6)
        (1000.0, 2020.0)
        """
        cos, sin = math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))

        def move(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
            x, y = pairs[:, 0], pairs[:, 1]
            east = self.dx + self.scale * (x * cos - y * sin)
            return np.column_stack([east, self.dy + self.scale * (x * sin + y * cos)])

        return np.asarray(shapely.transform(shapely.force_2d(geometry), move))


@dataclass(frozen=True, slots=True)
class Stated:
    """What the caller says of the coordinates: CRS and shift, or four parameters into that CRS (or the plan's).

    ``told`` says the parameters in words, for the report; "" when there are none.
    """

    crs: CRS | None
    shift: str | None = None
    four: FourParams | None = None
    told: str = ""


def stated(crs: str | int | CRS | None, *, towgs84: str | None = None, four_params: str | None = None) -> Stated | None:
    """Read what the caller says of the coordinates; None when that is nothing.

    Parameters
    ----------
    crs
        As for ``parse_crs``.
    towgs84
        ``dx,dy,dz,rx,ry,rz,ppm``: metres, seconds of arc (Position Vector rotation, as ``+towgs84`` of PROJ) and
        parts per million, from the datum of ``crs`` to CGCS2000.
    four_params
        ``dx,dy,angle,scale``: metres, degrees counter-clockwise, factor. East = dx + scale (x cos - y sin), north =
        dy + scale (x sin + y cos), with x east and y north of the local plane; the result is in ``crs``, or in the
        CRS of the plan.

    Raises
    ------
    CrsError
        A text means nothing, both are given, or ``towgs84`` stands without a CRS.

    Examples
    --------
    >>> stated(None, four_params="10,20,0,1").four
    FourParams(dx=10.0, dy=20.0, angle_deg=0.0, scale=1.0)
    """
    if towgs84 is not None and four_params is not None:
        raise CrsError(Problem("", None, "七参数与四参数不能同时给出", "请只用 --towgs84 或 --four-params 之一"))
    parsed, shift = (None, None) if crs is None else parse_crs(crs)
    if towgs84 is not None:
        return _bound(parsed, shift, towgs84)
    if four_params is not None:
        if shift is not None:
            raise CrsError(Problem("", None, "四参数的结果不能是 GCJ-02、BD-09", "请用 --crs 写明目标平面坐标系"))
        return _plane(parsed, four_params)
    return None if parsed is None else Stated(parsed, shift)


def _numbers(text: str, count: int, option: str, form: str) -> list[float]:
    parts = [part.strip() for part in re.split("[,，]", text)]
    try:
        found = [float(part) for part in parts]
    except ValueError:
        found = []
    if len(found) != count or not all(math.isfinite(value) for value in found):
        raise CrsError(Problem("", None, f"{option} “{text[:60]}”应为 {count} 个数字", f"请写成 {form}"))
    return found


def _bound(crs: CRS | None, shift: str | None, text: str) -> Stated:
    form = "dx,dy,dz,rx,ry,rz,尺度（米、角秒、百万分之一）"
    seven = _numbers(text, 7, "--towgs84", form)
    if crs is None or shift is not None:
        way = "例如 --crs EPSG:2385（1980 西安，3 度带 120°）"
        raise CrsError(Problem("", None, "--towgs84 须同时用 --crs 指明原坐标系", way))
    if crs.is_bound or crs.geodetic_crs is None:
        raise CrsError(Problem("", None, f"{label(crs)} 已带转换参数", "请去掉 --towgs84"))
    limits = [_MOST_SHIFT_M] * 3 + [_MOST_ROTATION_S] * 3 + [_MOST_SCALE_PPM]
    if any(abs(value) > most for value, most in zip(seven, limits, strict=True)):
        fault = "七参数大得不可能（平移应小于 1000 m，旋转小于 60″，尺度小于 100 ppm）"
        raise CrsError(Problem("", None, fault, f"请核对单位：{form}"))
    made = BoundCRS(crs, CRS.from_epsg(4326), ToWGS84Transformation(crs.geodetic_crs, *seven))
    return Stated(made, told=f"坐标系 {label(crs)}，七参数（布尔沙，位置矢量法）：{_listed(seven)}")


def _plane(crs: CRS | None, text: str) -> Stated:
    form = "dx,dy,angle,scale（米、度、比例）"
    dx, dy, angle, scale = _numbers(text, 4, "--four-params", form)
    if not _LEAST_SCALE <= scale <= _MOST_SCALE or abs(angle) > 360.0:
        fault = f"四参数不可能：角度 {angle:g}°，比例 {scale:g}"
        raise CrsError(Problem("", None, fault, f"比例应接近 1，请写成 {form}"))
    target = "规划坐标系" if crs is None else label(crs)
    told = f"四参数（先东后北，逆时针角度）换算到{target}：{_listed([dx, dy, angle, scale])}"
    return Stated(crs, four=FourParams(dx, dy, angle, scale), told=told)


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.12g}" for value in values)
