"""The layers one by one: there, unaltered, in force, not empty, filled in, inside what they say they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.audits._context import MIN_AREA_M2, ids, spoken
from ecospatial.audits._result_row import AuditRow, areal_row
from ecospatial.errors import EcospatialError, Problem
from ecospatial.geometry import Pieces, areal_part, cut, merged
from ecospatial.model import KINDS

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.audits._context import AuditLayers
    from ecospatial.plans import Layer


def layer_rows(stock: AuditLayers) -> list[AuditRow]:
    """Look at the state of every layer."""
    rows: list[AuditRow] = []
    for layer in stock.plan.layers.values():
        if layer.present == "missing":
            trouble = stock.plan.trouble(layer.name) or "图层未取得"
            rows.append(AuditRow("layer", layer.label, "cannot_tell", trouble, layer.name))
        elif layer.present == "held" and KINDS[layer.kind].shape != "raster":
            rows += _held(stock, layer)
    listed = {layer.kind for layer in stock.plan.layers.values()}
    for kind in (kind.name for kind in KINDS.values() if kind.expected):
        if kind not in listed:
            reason = "规划未列出该图层，与之有关的核对无法进行，请向主管部门取得"
            rows.append(AuditRow("layer", KINDS[kind].label, "cannot_tell", reason))
    return rows


def _held(stock: AuditLayers, layer: Layer) -> list[AuditRow]:
    def fault(reason: str, status: str = "fault", features: str = "") -> AuditRow:
        return AuditRow("layer", layer.label, status, reason, layer.name, features)

    rows = []
    if not layer.valid_on(stock.on):
        span = f"{layer.valid_from or '…'} 至 {layer.valid_to or '今'}"
        rows.append(fault(f"{stock.on} 不在图层的有效期内（{span}），请取得现行版本"))
    problems = _problems(stock, layer)
    for problem in problems:
        place = f"{layer.name}:{problem.row}" if isinstance(problem.row, int) else ""
        rows.append(fault(str(problem), features=place))
    if not problems:
        count = len(stock.plan.layer_frame(layer.name))
        if not count:
            rows.append(fault("图层没有要素；若本区确实不存在，请写 present: none，否则请补充数据"))
        blank = [key for key, value in (("accuracy_m", layer.accuracy_m), ("sha256", layer.sha256)) if value is None]
        blank += ["coverage"] if layer.coverage == "unknown" else []
        if blank:
            rows.append(fault(f"{'、'.join(blank)} 未填写，与之有关的结论不能确定，请补充", status="note"))
        for problem in stock.plan.layer_words(layer.name):
            place = f"{layer.name}:{problem.row}" if isinstance(problem.row, int) else ""
            rows.append(fault(str(problem), features=place))
        if not rows:
            rows.append(fault(f"可读，未改动，在有效期内，{count} 个要素", status="met"))
    return rows


def _problems(stock: AuditLayers, layer: Layer) -> list[Problem]:
    try:
        stock.plan.layer_frame(layer.name)
    except EcospatialError as fault:
        return fault.problems
    return []


# ------------------------------------------------------------------------------ outside of district or coverage


def extent_rows(stock: AuditLayers) -> list[AuditRow]:
    """Find features outside the district, or outside of what their layer says it covers."""
    rows = []
    for layer in stock.usable:
        if layer.kind == "district" or stock.district is None:
            continue
        frame = stock.plan.layer_frame(layer.name)
        if frame.empty:
            continue
        check, allowed, status = _allowed(stock, layer)
        found = _beyond(frame, allowed, check, layer, status=status, sliver_m=stock.sliver_m)
        where = "辖区" if check == "outside" else f"覆盖范围（{layer.coverage}）"
        if status == "note":
            # A sliver across the border is a matter of drawing, not a zone that goes on beyond it.
            found = [row for row in found if row.size_class != "sliver"]
            found = [_together(found, layer, where)] if found else []
        rows += found or [AuditRow(check, layer.label, "met", f"全部要素位于{where}内", layer.name)]
    return rows


def _together(found: list[AuditRow], layer: Layer, where: str) -> AuditRow:
    """Put what is no fault of a layer into one line."""
    areas = [row.area_m2 for row in found if row.area_m2 is not None]
    shape = shapely.union_all([row.geometry for row in found])
    reason = f"{len(found)} 个要素伸出{where}，请核对是否属于跨界"
    area = sum(areas) if areas else None
    return AuditRow(found[0].check, layer.label, "note", reason, layer.name, area_m2=area, geometry=shape)


def _allowed(stock: AuditLayers, layer: Layer) -> tuple[str, Any, str]:
    area = None
    if layer.coverage not in ("district", "extent", "unknown"):
        try:
            area = stock.plan.coverage(layer.name)
        except EcospatialError:
            # A coverage that can not be read is named by plan validate; the district is what is left to ask.
            area = None
    if area is not None:
        # Rivers go on beyond what a layer vouches for; areas that somebody drew do not.
        return "coverage", area, "fault" if KINDS[layer.kind].shape == "polygon" else "note"
    points = KINDS[layer.kind].shape == "point" and layer.coverage == "district"
    return "outside", stock.district, "fault" if KINDS[layer.kind].within_district or points else "note"


def _beyond(
    frame: gpd.GeoDataFrame, allowed: Any, check: str, layer: Layer, *, status: str, sliver_m: float
) -> list[AuditRow]:
    shapes = frame.geometry.to_numpy()
    names, codes = spoken(frame), ids(frame)
    reason = "位于行政区之外" if check == "outside" else f"位于图层声明的覆盖范围（{layer.coverage}）之外"
    rows = []
    for position, rest in uncovered(shapes, np.array([allowed], dtype=object)):
        subject = f"{layer.label} {names[position]}"
        if shapely.get_dimensions(rest) == 2:
            rows.append(
                areal_row(
                    check,
                    subject,
                    rest,
                    reason=reason,
                    sliver_m=sliver_m,
                    status=status,
                    layer=layer.name,
                    features=codes[position],
                )
            )
            continue
        length = float(shapely.length(rest))
        told = f"{reason}，长 {length:,.1f} m" if length > 0 else reason
        rows.append(
            AuditRow(
                check,
                subject,
                status,
                told,
                layer.name,
                codes[position],
                value=length or None,
                unit="m" if length > 0 else "",
                geometry=rest,
            )
        )
    return rows


def uncovered(shapes: NDArray[Any], covers: NDArray[Any]) -> list[tuple[int, Any]]:
    """Give what of each shape none of the polygons covers: position and the rest, only where it is more than rounding.

    Parameters
    ----------
    shapes
        Valid geometries of any dimension, metric CRS.
    covers
        Polygons.
    """
    union = shapely.union_all(covers) if len(covers) else shapely.Polygon()
    shapely.prepare(union)
    open_ = np.flatnonzero(~shapely.covers(union, shapes))
    dimension = shapely.get_dimensions(shapes[open_])
    rest = shapes[open_].copy()
    areal = np.flatnonzero(dimension == 2)
    if len(areal) and not union.is_empty:
        inside = merged(cut(rest[areal], Pieces.of(np.array([union], dtype=object))), len(areal))
        touched = np.flatnonzero(~shapely.is_missing(inside))
        rest[areal[touched]] = areal_part(_difference(rest[areal[touched]], inside[touched]))
    lines = np.flatnonzero(dimension == 1)
    rest[lines] = shapely.difference(rest[lines], union)
    size = np.where(dimension == 2, shapely.area(rest) > MIN_AREA_M2, shapely.length(rest) > 0.001)
    keep = np.flatnonzero(((dimension == 0) | size) & ~shapely.is_empty(rest))
    return [(int(open_[k]), rest[k]) for k in keep]


def _difference(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    try:
        return np.asarray(shapely.difference(left, right), dtype=object)
    except shapely.GEOSException:
        return np.asarray(shapely.difference(left, right, grid_size=1e-4), dtype=object)
