"""Single features as they stand in the file: invalid, spiked, with rings of nearly no area, not closed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.audits._result_row import AuditRow, area_text
from ecospatial.geometry import repair
from ecospatial.model import KINDS

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.audits._context import AuditLayers
    from ecospatial.plans import Layer

# No zone of a plan is that small: a ring under 10 m2 is left over from drawing, and no corner of a zone is that sharp.
TINY_RING_M2 = 10.0
SPIKE_DEGREES = 2.0
SPIKE_ARM_M = 0.5
_PLACE = re.compile(r"\[\s*(-?[\d.]+(?:e[+-]?\d+)?) (-?[\d.]+(?:e[+-]?\d+)?)")


def shape_rows(stock: AuditLayers) -> list[AuditRow]:
    """Look at the geometry of every feature of every layer that is held."""
    rows = []
    for layer in stock.held:
        frame = stock.raw(layer)
        if frame is None or frame.empty:
            continue
        shapes = frame.geometry.to_numpy()
        there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
        areal = np.flatnonzero(there & (shapely.get_dimensions(shapes) == 2))
        found = _invalid(layer, frame, areal)
        sound = areal[shapely.is_valid(shapes[areal])]
        found += _spikes(layer, frame, sound) + _tiny(layer, frame, sound)
        if KINDS[layer.kind].shape == "polygon":
            found += _open(layer, frame, np.flatnonzero(there & (shapely.get_dimensions(shapes) == 1)))
        if not found and len(areal):
            found = [AuditRow("shape", layer.label, "met", f"{len(areal)} 个图形有效，无尖刺、无碎环", layer.name)]
        rows += found
    return rows


def _names(layer: Layer, frame: gpd.GeoDataFrame, position: int) -> tuple[str, str]:
    column = layer.columns.get("feature_id", "feature_id")
    id_ = frame[column].iloc[position] if column in frame else None
    text = str(position + 1) if id_ is None or id_ != id_ else str(id_)
    return f"{layer.label} {text} 号", f"{layer.name}:{text}"


def _invalid(layer: Layer, frame: gpd.GeoDataFrame, areal: NDArray[np.intp]) -> list[AuditRow]:
    shapes = frame.geometry.to_numpy()
    rows = []
    for position in areal[~shapely.is_valid(shapes[areal])]:
        mended = repair(shapes[[position]])
        change = float(mended.area_change_m2[0])
        match = _PLACE.search(str(shapely.is_valid_reason(shapes[position])))
        place = shapely.Point(float(match[1]), float(match[2])) if match else shapely.get_point(shapes[position], 0)
        subject, code = _names(layer, frame, int(position))
        reason = str(mended.note[0]) or "图形无效"
        rows.append(
            AuditRow(
                "shape",
                subject,
                "fault",
                f"{reason}；请在源数据中更正",
                layer.name,
                code,
                value=change,
                unit="m2",
                area_m2=abs(change),
                geometry=place,
            )
        )
    return rows


def _spikes(layer: Layer, frame: gpd.GeoDataFrame, areal: NDArray[np.intp]) -> list[AuditRow]:
    """Find corners under 2 degrees; the area is that of the triangle up to the end of the shorter arm."""
    rings, owner = _rings(frame.geometry.to_numpy()[areal])
    rows = []
    for tip, before, after, ring in _sharp(rings):
        arm = min(np.hypot(*(before - tip)), np.hypot(*(after - tip)))
        if arm < SPIKE_ARM_M:
            continue
        ends = [tip + (end - tip) * (arm / np.hypot(*(end - tip))) for end in (before, after)]
        triangle = shapely.Polygon([tip, *ends])
        subject, code = _names(layer, frame, int(areal[owner[ring]]))
        area = float(triangle.area)
        reason = f"界线有尖刺，夹角小于 {SPIKE_DEGREES:g}°，长 {arm:,.1f} m，{area_text(area)}"
        width = 2.0 * area / float(arm)
        rows.append(
            AuditRow(
                "shape",
                subject,
                "fault",
                reason,
                layer.name,
                code,
                value=area,
                unit="m2",
                area_m2=area,
                size_class="sliver",
                width_m=width,
                geometry=triangle,
            )
        )
    return rows


def _rings(shapes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    parts, part_owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    return np.asarray(rings, dtype=object), np.asarray(part_owner[ring_part], dtype=np.intp)


def _sharp(rings: NDArray[Any]) -> list[tuple[Any, Any, Any, int]]:
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    found: list[tuple[Any, Any, Any, int]] = []
    if not len(xy):
        return found
    start = np.flatnonzero(np.diff(ring, prepend=-1))
    stop = np.append(start[1:], len(xy)) - 1
    # A ring ends where it began: the corner there lies between its last and its second vertex.
    before, after = np.arange(len(xy)) - 1, np.arange(len(xy)) + 1
    before[start] = stop - 1
    after[stop] = start + 1
    back, forth = xy[before] - xy, xy[after % len(xy)] - xy
    lengths = np.hypot(*back.T) * np.hypot(*forth.T)
    dot = np.einsum("ij,ij->i", back, forth)
    sharp = (lengths > 0) & (dot > np.cos(np.radians(SPIKE_DEGREES)) * lengths)
    sharp[stop] = False
    return [(xy[i], xy[before[i]], xy[after[i]], int(ring[i])) for i in np.flatnonzero(sharp)]


def _tiny(layer: Layer, frame: gpd.GeoDataFrame, areal: NDArray[np.intp]) -> list[AuditRow]:
    rings, owner = _rings(frame.geometry.to_numpy()[areal])
    if not len(rings):
        return []
    filled = np.asarray(shapely.polygons(rings), dtype=object)
    area = np.asarray(shapely.area(filled), dtype=float)
    rows = []
    for number in np.flatnonzero(area < TINY_RING_M2):
        subject, code = _names(layer, frame, int(areal[owner[number]]))
        size = float(area[number])
        reason = f"有不足 {TINY_RING_M2:g} m² 的碎环，{area_text(size)}"
        rows.append(
            AuditRow(
                "shape",
                subject,
                "fault",
                reason,
                layer.name,
                code,
                value=size,
                unit="m2",
                area_m2=size,
                size_class="sliver",
                geometry=filled[number],
            )
        )
    return rows


def _open(layer: Layer, frame: gpd.GeoDataFrame, lines: NDArray[np.intp]) -> list[AuditRow]:
    """Measure how far the outline of an area that came as a line is from closed."""
    rows = []
    for position in lines:
        subject, code = _names(layer, frame, int(position))
        shape = shapely.line_merge(frame.geometry.to_numpy()[position])
        ends = shapely.get_parts(shapely.boundary(shape))
        if len(ends) == 2:
            gap = float(shapely.distance(ends[0], ends[1]))
            bridge = shapely.LineString([ends[0], ends[1]])
            reason = f"应为面而是未闭合的界线，首尾相距 {gap:,.2f} m；请闭合后转为面"
        else:
            gap, bridge = 0.0, shape
            reason = (
                "应为面而是线；请转为面"
                if not len(ends)
                else f"应为面而是断开的界线，有 {len(ends)} 个端点；请连接后转为面"
            )
        rows.append(AuditRow("shape", subject, "fault", reason, layer.name, code, value=gap, unit="m", geometry=bridge))
    return rows
