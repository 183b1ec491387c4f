"""One line of an audit, and the frame that lines are put into."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.model import KINDS, MU_M2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS

# What is looked at, in the order of the report.
CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "target": "公布指标",
        "figure": "指标之间",
        "layer": "图层状况",
        "position": "位置偏移",
        "shape": "图形",
        "duplicate": "重复图形",
        "overlap": "重叠",
        "gap": "缝隙",
        "edge": "界线不一致",
        "outside": "超出辖区",
        "coverage": "超出覆盖范围",
        "class": "分区类别",
        "space": "三区三线对应",
        "water": "耕地落入水面",
        "nesting": "保护区套合",
        "window": "开天窗",
    }
)
STATUSES: Mapping[str, str] = MappingProxyType(
    {"missed": "不符", "fault": "有误", "cannot_tell": "无法判断", "note": "说明", "met": "相符"}
)
# How large a fault is. Nowhere wider than the coordinates of the file are written, or than the limit for slivers: a
# matter of drawing, not of planning.
SIZES: Mapping[str, str] = MappingProxyType(
    {
        "rounding": "坐标取位",
        "sliver": "碎屑",
        "small": "不足 1 亩",
        "medium": "1 亩至 1 公顷",
        "large": "1 公顷以上",
    }
)
COLUMNS = (
    "check", "subject", "status", "value", "unit", "target", "difference", "area_m2", "layer", "reason", "title",
    "tolerance", "features", "size_class", "width_m", "x_m", "y_m", "cite",
)  # fmt: skip
NUMBERS = ("value", "target", "difference", "area_m2", "tolerance", "width_m", "x_m", "y_m")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line: what was looked at, of what, and what came out."""

    check: str
    subject: str
    status: str
    reason: str
    layer: str = ""
    features: str = ""
    title: str = ""
    value: float | None = None
    unit: str = ""
    target: float | None = None
    difference: float | None = None
    tolerance: float | None = None
    area_m2: float | None = None
    size_class: str = ""
    width_m: float | None = None
    cite: str = ""
    geometry: Any = None


def label(kind: str) -> str:
    """Chinese name of a kind."""
    return KINDS[kind].label


def areal_row(
    check: str,
    subject: str,
    shape: Any,
    *,
    reason: str,
    sliver_m: float,
    status: str = "fault",
    layer: str = "",
    features: str = "",
) -> AuditRow:
    """Give the line of a fault that has an area: how large, how wide, how severe."""
    area = float(shapely.area(shape))
    outline = float(shapely.length(shape))
    size = size_class(shape, sliver_m)
    # Of a strip much longer than wide, twice the area over the outline is the width.
    width = 2.0 * area / outline if outline > 0 else 0.0
    told = f"{reason}，{area_text(area)}" + (f"，宽约 {width:.3g} m，属碎屑" if size == "sliver" else "")
    return AuditRow(
        check, subject, status, told, layer, features, value=area, unit="m2", area_m2=area, size_class=size,
        width_m=width, geometry=shape,
    )  # fmt: skip


def size_class(shape: Any, sliver_m: float) -> str:
    """Tell slivers from conflicts by width, and conflicts by area.

    Examples
    --------
    >>> size_class(shapely.box(0, 0, 5000, 1), 2.0), size_class(shapely.box(0, 0, 100, 200), 2.0)
    ('sliver', 'large')
    """
    if shapely.buffer(shape, -sliver_m / 2.0, join_style="mitre").is_empty:
        return "sliver"
    return by_area(float(shapely.area(shape)))


def by_area(area_m2: float) -> str:
    """Give the size class of what is not a sliver.

    Examples
    --------
    >>> by_area(600.0), by_area(700.0), by_area(10_000.0)
    ('small', 'medium', 'large')
    """
    return "small" if area_m2 < MU_M2 else "medium" if area_m2 < 1e4 else "large"


def area_text(area_m2: float) -> str:
    """Write an area in square metres and 亩, large ones in hectares.

    Examples
    --------
    >>> area_text(0.05), area_text(20000)
    ('0.05 m²', '20,000.00 m²（2.0000 公顷，30.00 亩）')
    """
    if area_m2 < MU_M2:
        return f"{area_m2:,.2f} m²"
    return f"{area_m2:,.2f} m²（{area_m2 / 1e4:,.4f} 公顷，{area_m2 / MU_M2:,.2f} 亩）"


def as_frame(rows: Sequence[AuditRow], crs: CRS) -> gpd.GeoDataFrame:
    """Put lines into a frame: checks in the order of the report, worst first, the largest first."""
    order, severity = list(CHECKS), list(STATUSES)

    def key(row: AuditRow) -> tuple[int, int, float]:
        place = 0 if row.check in ("target", "figure") else severity.index(row.status)
        return order.index(row.check), place, -(row.area_m2 or 0.0) if row.check != "target" else 0.0

    lines = sorted(rows, key=key)
    shapes = [row.geometry if row.geometry is not None and not row.geometry.is_empty else None for row in lines]
    # A representative point, so that the place can be looked up by its coordinates.
    points = [None if shape is None else shapely.point_on_surface(shape) for shape in shapes]
    data: dict[str, Any] = {}
    for name in COLUMNS:
        if name in ("x_m", "y_m"):
            data[name] = [np.nan if p is None else round(float(getattr(p, name[0])), 3) for p in points]
        else:
            data[name] = [getattr(row, name) for row in lines]
    frame = pd.DataFrame(data, columns=list(COLUMNS))
    for name in COLUMNS:
        frame[name] = pd.to_numeric(frame[name]).astype(float) if name in NUMBERS else frame[name].astype(object)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)
