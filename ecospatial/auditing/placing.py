"""Layers in the wrong place: a wrong CRS, X and Y changed over, the shift of GCJ-02 or BD-09 left in.

An area can not show it: a layer that is off by half a kilometre keeps its size. Position is asked of what the layer has
to fit, the district or the space it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial import files
from ecospatial.auditing.crossing import SPACES
from ecospatial.auditing.rows import Row
from ecospatial.auditing.stock import TILINGS
from ecospatial.errors import EcospatialError
from ecospatial.geometry import areal_part
from ecospatial.model import KINDS
from ecospatial.plans.layers import inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.auditing.stock import Stock
    from ecospatial.plans import Layer

# A layer is elsewhere when less than this share of its vertices lies in or near the district.
THERE = 0.2
# How far around the district still counts as near it: layers of rivers reach some kilometres beyond.
NEAR_M = 20_000.0
# A shift explains a misfit when undoing it takes away nine tenths of it.
EXPLAINED = 0.1
# Smaller misfits than this, as a share of the layer, are no shift.
MISFIT = 0.01
SHIFTS = {"gcj02": "GCJ-02（火星坐标）", "bd09": "BD-09（百度坐标）"}


def position_rows(stock: Stock) -> list[Row]:
    """Look whether every layer lies where it has to."""
    rows = []
    if stock.district is None:
        return [Row("position", "全部图层", "cannot_tell", "没有可用的行政区图层，无法核对位置，请向主管部门取得")]
    for layer in stock.held:
        frame = stock.raw(layer)
        if layer.kind == "district" or frame is None or frame.empty:
            continue
        shapes = frame.geometry.to_numpy()
        row = _elsewhere(stock, layer, shapes) or _shifted(stock, layer, shapes)
        rows.append(row or Row("position", layer.label, "met", "位置与行政区相合", layer.name))
    return rows


def _elsewhere(stock: Stock, layer: Layer, shapes: NDArray[Any]) -> Row | None:
    around = stock.district.buffer(NEAR_M)
    shapely.prepare(around)
    xy = shapely.get_coordinates(shapes)
    finite = np.isfinite(xy).all(axis=1)
    near = np.zeros(len(xy), dtype=bool)
    near[finite] = shapely.contains_xy(around, xy[finite])
    if len(xy) and near.mean() >= THERE:
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
    return Row("position", layer.label, "fault", reason, layer.name, area_m2=area or None, geometry=_all(shapes))


def _candidates(stock: Stock, layer: Layer) -> list[crs_.Candidate]:
    """Try the usual frames on the numbers as they stand in the file."""
    try:
        raw = files.read_vector(inside(stock.plan.folder, layer.path or ""), layer=layer.file_layer)
    except EcospatialError:
        return []
    xy = shapely.get_coordinates(raw.geometry.to_numpy())
    xy = xy[np.isfinite(xy).all(axis=1)]
    return crs_.diagnose(xy[:, 0], xy[:, 1], stock.district, stock.plan.crs) if len(xy) else []


def _all(shapes: NDArray[Any]) -> Any:
    finite = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    return shapely.geometrycollections(finite) if len(finite) else None


# ------------------------------------------------------------------------------------------ a shift left in


def _shifted(stock: Stock, layer: Layer, shapes: NDArray[Any]) -> Row | None:
    """Undo the two shifts in turn and see whether the layer then fits what it has to fit."""
    areal = shapes[(shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes)]
    reference = _reference(stock, layer)
    if not len(areal) or reference is None or KINDS[layer.kind].shape != "polygon":
        return None
    tiled = layer.kind in TILINGS
    misfit = _misfit(areal, reference, tiled=tiled)
    total = float(shapely.area(areal).sum())
    if misfit < MISFIT * total:
        return None
    for shift, name in SHIFTS.items():
        moved = _undone(stock, areal, shift)
        if _misfit(moved, reference, tiled=tiled) <= EXPLAINED * misfit:
            offset = _offset(areal, moved)
            reason = (
                f"图层整体偏{crs_.compass(*offset)} {np.hypot(*offset):,.0f} m，与 {name} 的偏移一致，"
                f"面积不变而位置错误；请按 {shift} 反算后重新登记"
            )
            beyond = areal_part(np.array([shapely.difference(shapely.union_all(areal), reference)], dtype=object))[0]
            area = float(beyond.area)
            return Row("position", layer.label, "fault", reason, layer.name, value=float(np.hypot(*offset)), unit="m",
                       area_m2=area, geometry=beyond)  # fmt: skip
    return None


def _reference(stock: Stock, layer: Layer) -> Any:
    """Give what a layer has to lie in: the space of its own, else the district."""
    word = SPACES.get(layer.kind)
    spaces = stock.areal("territorial_space") if word is not None else None
    if spaces is not None and not spaces.empty:
        own = spaces.geometry.to_numpy()[(spaces["space"] == word).to_numpy()]
        return shapely.union_all(own) if len(own) else None
    return stock.district


def _misfit(shapes: NDArray[Any], reference: Any, *, tiled: bool) -> float:
    union = shapely.union_all(shapes)
    outside = shapely.area(shapely.difference(union, reference))
    return float(outside + (shapely.area(shapely.difference(reference, union)) if tiled else 0.0))


def _undone(stock: Stock, shapes: NDArray[Any], shift: str) -> NDArray[Any]:
    degrees = crs_.transform(shapes, stock.plan.crs, crs_.CGCS2000)
    return crs_.transform(crs_.undo_shift(degrees, shift), crs_.CGCS2000, stock.plan.crs)


def _offset(shapes: NDArray[Any], moved: NDArray[Any]) -> NDArray[np.float64]:
    was, now = shapely.centroid(shapes), shapely.centroid(moved)
    return np.array(
        [np.median(shapely.get_x(was) - shapely.get_x(now)), np.median(shapely.get_y(was) - shapely.get_y(now))]
    )
