"""Kinds against each other: 三区三线, farmland and water, zones inside zones, windows left open."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.audits._context import MIN_AREA_M2, ids, spoken
from ecospatial.audits._result_row import AuditRow, area_text, areal_row, label
from ecospatial.audits.layer_metadata import uncovered
from ecospatial.audits.topology import narrow_gaps, shared
from ecospatial.model import KINDS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ecospatial.audits._context import AuditLayers

LINES = tuple(kind.name for kind in KINDS.values() if kind.space)
FARMLAND = tuple(kind.name for kind in KINDS.values() if kind.farmland)
WATER = ("water_body", "bank_line")
# From the inner to the outer: a level lies inside the next one.
LEVELS = ("一级", "二级", "准")


def between_kinds(stock: AuditLayers) -> list[AuditRow]:
    """Look at everything that two kinds say about the same ground."""
    rows = []
    for left, right in combinations(LINES, 2):
        rows += _apart(stock, left, right)
    rows += [row for kind in LINES for row in _space(stock, kind)]
    rows += [row for kind in FARMLAND for water in WATER for row in _water(stock, kind, water)]
    return rows + _nesting(stock) + _windows(stock)


def _gap_row(stock: AuditLayers, check: str, subject: str, kinds: tuple[str, ...]) -> AuditRow | None:
    """Say that a comparison can not be made because a kind can not be read."""
    gaps = [gap for kind in kinds if stock.kind(kind).frame is None for gap in stock.kind(kind).gaps]
    return AuditRow(check, subject, "cannot_tell", "；".join(dict.fromkeys(gaps))) if gaps else None


def _apart(stock: AuditLayers, left: str, right: str) -> list[AuditRow]:
    """Two of the three lines must not share ground; edges that nearly meet are pointed out."""
    subject = f"{label(left)} × {label(right)}"
    missing = _gap_row(stock, "overlap", subject, (left, right))
    if missing is not None:
        return [missing]
    first, second = stock.areal(left), stock.areal(right)
    if first is None or second is None:
        return []
    layer = ";".join(name for name in (stock.kind(left).names, stock.kind(right).names) if name)
    rows = [
        _pair_row(stock, "overlap", (left, first, pair.left), (right, second, pair.right), pair.shape, "两条控制线重叠")
        for pair in shared(first.geometry.to_numpy(), second.geometry.to_numpy())
    ]
    if not rows:
        rows.append(AuditRow("overlap", subject, "met", "互不重叠", layer))
    near = narrow_gaps(first.geometry.to_numpy(), second.geometry.to_numpy(), stock.sliver_m)
    for pair in near:
        reason = "界线几乎相接而留有窄缝，请核对是否应共用界线"
        ends = (left, first, pair.left), (right, second, pair.right)
        rows.append(_pair_row(stock, "edge", *ends, pair.shape, reason, status="note"))
    return rows


def _pair_row(
    stock: AuditLayers,
    check: str,
    left: tuple[str, gpd.GeoDataFrame, int],
    right: tuple[str, gpd.GeoDataFrame, int],
    shape: Any,
    reason: str,
    *,
    status: str = "fault",
) -> AuditRow:
    named, codes, layers = [], [], []
    for kind, frame, position in (left, right):
        row = frame.iloc[[position]]
        named.append(f"{label(kind)} {spoken(row)[0]}")
        codes.append(ids(row)[0])
        layers.append(str(row["layer"].iloc[0]))
    return areal_row(
        check,
        " × ".join(named),
        shape,
        reason=reason,
        sliver_m=stock.sliver_m,
        status=status,
        layer=";".join(layers),
        features=";".join(codes),
    )


def _space(stock: AuditLayers, kind: str) -> list[AuditRow]:
    """Each of the three lines lies in its own space."""
    word = KINDS[kind].space
    subject = f"{label(kind)} 在{word}内"
    missing = _gap_row(stock, "space", subject, (kind, "territorial_space"))
    if missing is not None:
        return [missing]
    frame, spaces = stock.areal(kind), stock.areal("territorial_space")
    if frame is None or spaces is None or frame.empty:
        return []
    own = spaces.geometry.to_numpy()[(spaces["space"] == word).to_numpy()]
    names, codes = spoken(frame), ids(frame)
    rows = [
        areal_row(
            "space",
            f"{label(kind)} {names[position]}",
            rest,
            reason=f"不在{word}内",
            sliver_m=stock.sliver_m,
            layer=str(frame["layer"].iloc[position]),
            features=codes[position],
        )
        for position, rest in uncovered(frame.geometry.to_numpy(), own)
    ]
    return rows or [AuditRow("space", subject, "met", f"全部位于{word}内", stock.kind(kind).names)]


def _water(stock: AuditLayers, kind: str, water: str) -> list[AuditRow]:
    """Fields do not lie in rivers and lakes."""
    first, second = stock.areal(kind), stock.areal(water)
    if first is None or second is None or first.empty or second.empty:
        return []
    rows = [
        _pair_row(stock, "water", (kind, first, pair.left), (water, second, pair.right), pair.shape, "耕地图形落入水面")
        for pair in shared(first.geometry.to_numpy(), second.geometry.to_numpy())
    ]
    layer = f"{stock.kind(kind).names};{stock.kind(water).names}"
    return rows or [AuditRow("water", f"{label(kind)} × {label(water)}", "met", "没有落入水面", layer)]


# ------------------------------------------------------------------------------------------------- nesting


def _nesting(stock: AuditLayers) -> list[AuditRow]:
    """Look whether each level of protection lies inside the next one, or is a core with the next one around it."""
    frame = stock.areal("water_source_zone")
    if frame is None or frame.empty:
        return []
    rows = []
    for source, zones in frame.groupby("source_name", sort=False):
        levels = [level for level in LEVELS if (zones["level"] == level).any()]
        for inner, outer in pairwise(levels):
            rows += _level(stock, str(source), zones, (inner, outer))
    return rows


def _level(stock: AuditLayers, source: str, zones: pd.DataFrame, levels: tuple[str, str]) -> list[AuditRow]:
    inner, outer = (zones.loc[zones["level"] == level, "geometry"].to_numpy() for level in levels)
    around = shapely.union_all(outer)
    # Drawn as a ring the outer level has a hole where the inner one lies.
    filled = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(around))))
    names, codes = spoken(zones), ids(zones)
    positions = np.flatnonzero((zones["level"] == levels[0]).to_numpy())
    rows = []
    for place, rest in uncovered(inner, np.array([filled], dtype=object)):
        position = positions[place]
        beside = shapely.intersection(inner[place], around)
        # Side by side along a river is a way to draw levels too; a level that overlaps the next and sticks out is none.
        adjoining = shapely.length(beside) > 0 and shapely.area(beside) <= MIN_AREA_M2
        reason = f"{levels[0]}保护区有一部分不在{levels[1]}保护区之内"
        if adjoining:
            reason = f"{levels[0]}与{levels[1]}保护区相邻而没有被包围，请核对划定文件"
        rows.append(
            areal_row(
                "nesting",
                f"{source} {names[position]}",
                rest,
                reason=reason,
                sliver_m=stock.sliver_m,
                status="note" if adjoining else "fault",
                layer=str(zones["layer"].iloc[position]),
                features=codes[position],
            )
        )
    subject = f"{source} {levels[0]}与{levels[1]}保护区"
    return rows or [
        AuditRow("nesting", subject, "met", f"{levels[0]}在{levels[1]}之内", stock.kind("water_source_zone").names)
    ]


# ------------------------------------------------------------------------------------------------- windows


def _windows(stock: AuditLayers) -> list[AuditRow]:
    """List the holes of the urban boundary; where farmland or a red line fills one, that is legal (开天窗)."""
    frame = stock.areal("urban_boundary")
    if frame is None or frame.empty:
        return []
    parts = shapely.get_parts(shapely.union_all(frame.geometry.to_numpy()))
    rings = [ring for part in parts for ring in part.interiors]
    if not rings:
        return []
    holes = np.asarray(shapely.polygons(rings), dtype=object)
    rows: list[AuditRow] = []
    inside = {kind: stock.shapes(kind) for kind in ("basic_farmland", "eco_redline")}
    for hole in holes[shapely.area(holes) > MIN_AREA_M2]:
        filled = {kind: _part_of(hole, shapes) for kind, shapes in inside.items()}
        told = "、".join(f"{label(kind)} {area_text(area)}" for kind, area in filled.items() if area > MIN_AREA_M2)
        reason = f"开天窗：其中{told}，合法" if told else "开发边界内的空洞，其中没有永久基本农田和生态保护红线，请核对"
        subject = f"{label('urban_boundary')} {'开天窗' if told else '空洞'} {len(rows) + 1}"
        layer = stock.kind("urban_boundary").names
        rows.append(
            areal_row("window", subject, hole, reason=reason, sliver_m=stock.sliver_m, status="note", layer=layer)
        )
    return rows


def _part_of(hole: Any, shapes: Any) -> float:
    near = shapes[shapely.intersects(shapes, hole)] if len(shapes) else shapes
    return float(shapely.area(shapely.intersection(shapely.union_all(near), hole))) if len(near) else 0.0
