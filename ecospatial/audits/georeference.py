"""Layers in the wrong place: a wrong CRS, X and Y changed over, the shift of GCJ-02 or BD-09 left in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.audits._result_row import AuditRow
from ecospatial.audits.gcj02_offset import shifted, tells
from ecospatial.errors import EcospatialError
from ecospatial.plans.layers import inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.audits._context import AuditLayers
    from ecospatial.plans import Layer

# A layer is elsewhere when less than this share of its vertices lies in or near the district.
THERE = 0.2
# How far around the district still counts as near it: layers of rivers reach some kilometres beyond.
NEAR_M = 20_000.0


def position_rows(stock: AuditLayers) -> list[AuditRow]:
    """Look whether every layer lies where it has to."""
    if stock.district is None:
        return [AuditRow("position", "全部图层", "cannot_tell", "没有可用的行政区图层，无法核对位置，请向主管部门取得")]
    rows: list[AuditRow] = []
    near = 0
    for layer in stock.held:
        frame = stock.raw(layer)
        if frame is None or frame.empty:
            continue
        shapes = frame.geometry.to_numpy()
        if layer.kind == "district":
            # All others are asked where they lie in it; what can be said of the district is whether it is shifted.
            row = shifted(stock, layer, shapes)
            rows += [] if row is None else [row]
            continue
        row = _elsewhere(stock, layer, shapes)
        near += row is None
        rows.append(row or shifted(stock, layer, shapes) or _in_place(stock, layer, shapes))
    if len(rows) > 1 and not near:
        rows.insert(0, _misplaced_district(stock, len(rows)))
    return rows


def _in_place(stock: AuditLayers, layer: Layer, shapes: NDArray[Any]) -> AuditRow:
    reason = "位置与行政区和相关图层相合"
    if not tells(stock, layer, shapes):
        reason = "位于规划区内；附近没有可对照的图层，整体偏移几百米也看不出来，请用影像或已知点抽查"
    return AuditRow("position", layer.label, "met", reason, layer.name)


def _misplaced_district(stock: AuditLayers, others: int) -> AuditRow:
    layer = stock.kind("district").layers[0]
    reason = f"其余 {others} 个图层都不在行政区内，多半是行政区图层自己的坐标系写错了，请先核对行政区"
    return AuditRow("position", layer.label, "fault", reason, layer.name, geometry=stock.district)


def _elsewhere(stock: AuditLayers, layer: Layer, shapes: NDArray[Any]) -> AuditRow | None:
    around = stock.district.buffer(NEAR_M)
    shapely.prepare(around)
    xy = shapely.get_coordinates(shapes)
    if not len(xy):
        return None
    finite = np.isfinite(xy).all(axis=1)
    near = np.zeros(len(xy), dtype=bool)
    near[finite] = shapely.contains_xy(around, xy[finite])
    if near.mean() >= THERE:
        return None
    found = _candidates(stock, layer)
    best = next((c for c in found if c.inside), None)
    reason = "图层不在规划区内"
    if finite.any():
        centre = stock.district.centroid
        offset = np.median(xy[finite], axis=0) - [centre.x, centre.y]
        reason += f"，偏{crs_.compass(*offset)} {np.hypot(*offset) / 1000:,.0f} km"
    if best is not None:
        what = "X、Y 写反了" if best.swapped else "坐标系写错了"
        reason += f"；按 {best.label} 则位于区内，可能{what}，请核对后改正"
    else:
        reason += "；没有一种常用坐标系能使它落入区内，请数据提供单位核实坐标系"
    area = float(np.nansum(shapely.area(shapes[shapely.get_dimensions(shapes) == 2])))
    return AuditRow("position", layer.label, "fault", reason, layer.name, area_m2=area or None, geometry=_all(shapes))


def _candidates(stock: AuditLayers, layer: Layer) -> list[crs_.Candidate]:
    """Try the usual frames on the numbers as they stand in the file."""
    try:
        raw = io.read_vector(inside(stock.plan.folder, layer.path or ""), layer=layer.file_layer)
        xy = shapely.get_coordinates(raw.geometry.to_numpy())
        xy = xy[np.isfinite(xy).all(axis=1)]
        return crs_.diagnose(xy[:, 0], xy[:, 1], stock.district, stock.plan.crs) if len(xy) else []
    except EcospatialError:
        # No frame to try: the file can not be read, or the district itself lies where no zone of China is.
        return []


def _all(shapes: NDArray[Any]) -> Any:
    finite = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    return shapely.geometrycollections(finite) if len(finite) else None
