"""Features of one kind against each other: twice the same, overlapping, with gaps, with edges that do not fit."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from ecospatial.audits._context import MIN_AREA_M2, TILINGS, ids, spoken
from ecospatial.audits._result_row import AuditRow, areal_row, label
from ecospatial.geometry import Pieces, cut
from ecospatial.model import KINDS

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.audits._context import AuditLayers

# Two features that share this much of both are the same one twice.
SAME_SHARE = 0.99


class FeaturePair(NamedTuple):
    """Two features, by their positions, and what they share."""

    left: int
    right: int
    shape: Any


def within_kinds(stock: AuditLayers) -> list[AuditRow]:
    """Look at every kind of polygons: duplicates and overlaps; the tilings also for gaps and edges."""
    rows = []
    for kind in dict.fromkeys(layer.kind for layer in stock.usable):
        frame = stock.areal(kind)
        if frame is None or frame.empty or KINDS[kind].shape not in ("polygon", "bank"):
            continue
        if KINDS[kind].shape == "polygon":
            rows += _pairs(stock, kind, frame)
        rows += _tiling(stock, kind, frame) if kind in TILINGS else _near_edges(stock, kind, frame)
    return rows


def shared(left: NDArray[Any], right: NDArray[Any] | None = None) -> list[FeaturePair]:
    """Find the pairs of polygons that share area, more than rounding.

    Parameters
    ----------
    left, right
        Valid polygons, metric CRS; without ``right`` those of one array among themselves, each pair once.

    Examples
    --------
    >>> squares = np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2), shapely.box(3, 0, 4, 2)])
    >>> [(pair.left, pair.right, pair.shape.area) for pair in shared(squares)]
    [(0, 1, 2.0)]
    """
    other = left if right is None else right
    if not len(left) or not len(other):
        return []
    found = cut(left, Pieces.of(other))
    keep = np.ones(len(found.site), dtype=bool) if right is not None else found.site < found.owner
    site, owner, parts = found.site[keep], found.owner[keep], found.geometry[keep]
    ends = np.flatnonzero(np.append((np.diff(site) != 0) | (np.diff(owner) != 0), len(site) > 0)) + 1
    pairs = []
    for start, stop in pairwise([0, *ends.tolist()]):
        shape = parts[start] if stop - start == 1 else shapely.union_all(parts[start:stop])
        if shape.area > MIN_AREA_M2:
            pairs.append(FeaturePair(int(site[start]), int(owner[start]), shape))
    return pairs


def _pairs(stock: AuditLayers, kind: str, frame: gpd.GeoDataFrame) -> list[AuditRow]:
    shapes, names, codes = frame.geometry.to_numpy(), spoken(frame), ids(frame)
    layers = frame["layer"].to_numpy(dtype=object)
    area = shapely.area(shapes)
    rows = []
    levels = frame[KINDS[kind].level_column].to_numpy(dtype=object) if KINDS[kind].level_column else None
    for left, right, shape in shared(shapes):
        if levels is not None and levels[left] != levels[right]:
            continue
        small = min(area[left], area[right])
        same = shape.area >= SAME_SHARE * max(area[left], area[right])
        nested = not same and shape.area >= SAME_SHARE * small
        check, status = "overlap", "note" if KINDS[kind].may_overlap else "fault"
        inner, outer = (left, right) if area[left] <= area[right] else (right, left)
        reason = "两个要素重叠"
        if same:
            exact = shape.area >= (1 - 1e-9) * max(area[left], area[right])
            check, status, reason = "duplicate", "fault", "同一图形出现两次" if exact else "两个图形几乎相同"
        elif nested:
            reason = f"{names[inner]}完全位于{names[outer]}之内，应挖空或删去"
        if KINDS[kind].may_overlap and not same:
            reason += "（这类区域可以重叠，请核对是否有意）"
        rows.append(
            areal_row(
                check,
                f"{label(kind)} {names[left]} × {names[right]}",
                shape,
                reason=reason,
                sliver_m=stock.sliver_m,
                status=status,
                layer=";".join(dict.fromkeys([layers[left], layers[right]])),
                features=f"{codes[left]};{codes[right]}",
            )
        )
    if not rows:
        held = ";".join(dict.fromkeys(layers))
        rows.append(AuditRow("overlap", label(kind), "met", f"{len(frame)} 个要素互不重叠，没有重复", held))
    return rows


# ------------------------------------------------------------------------------------------------- tilings


def _tiling(stock: AuditLayers, kind: str, frame: gpd.GeoDataFrame) -> list[AuditRow]:
    if stock.district is None:
        return [
            AuditRow("gap", label(kind), "cannot_tell", "没有可用的行政区图层，不知道应铺满到哪里，请向主管部门取得")
        ]
    shapes = frame.geometry.to_numpy()
    layer = stock.kind(kind).names
    rows = []
    parts = gaps(stock.district, shapes)
    for number, part in enumerate(parts, 1):
        reason = "行政区内没有任何要素覆盖"
        subject = f"{label(kind)} 缝隙 {number}"
        rows.append(areal_row("gap", subject, part, reason=reason, sliver_m=stock.sliver_m, layer=layer))
    if not rows:
        rows.append(AuditRow("gap", label(kind), "met", "铺满行政区，没有缝隙", layer))
    rows += _classes(kind, frame, layer, gap_m2=sum(float(part.area) for part in parts))
    return rows + _edges(kind, shapes, layer, stock.sliver_m)


def gaps(area: Any, shapes: NDArray[Any]) -> list[Any]:
    """Give what of an area no polygon covers, each connected part, the largest first; rounding is left out."""
    union = shapely.union_all(shapes)
    try:
        rest = shapely.difference(area, union)
    except shapely.GEOSException:
        rest = shapely.difference(area, union, grid_size=1e-4)
    parts = [part for part in shapely.get_parts(rest) if shapely.area(part) > MIN_AREA_M2]
    return sorted(parts, key=lambda part: -part.area)


def _classes(kind: str, frame: gpd.GeoDataFrame, layer: str, *, gap_m2: float) -> list[AuditRow]:
    """Say which of the classes that a tiling may have does not occur."""
    rows = []
    for column in KINDS[kind].columns:
        absent = [word for word in column.words if not (frame[column.name] == word).any()]
        for word in absent if column.required else []:
            status = "fault" if gap_m2 > MIN_AREA_M2 else "note"
            reason = f"没有一个{word}的要素" + (
                "，而铺设有缝隙，可能漏了这一类" if gap_m2 > MIN_AREA_M2 else "，请确认本区没有"
            )
            area = gap_m2 if gap_m2 > MIN_AREA_M2 else None
            rows.append(AuditRow("class", f"{label(kind)} {word}", status, reason, layer, area_m2=area))
    return rows


def _edges(kind: str, shapes: NDArray[Any], layer: str, sliver_m: float) -> list[AuditRow]:
    if shapely.coverage_is_valid(shapes, gap_width=sliver_m):
        return [AuditRow("edge", label(kind), "met", "相邻要素共用同一条界线", layer)]
    wrong = shapely.union_all(shapely.coverage_invalid_edges(shapes, gap_width=sliver_m))
    length = float(shapely.length(wrong))
    reason = f"相邻要素的界线不一致（有缝、有叠，或结点不重合），共 {length:,.1f} m；面积见缝隙和重叠"
    return [AuditRow("edge", label(kind), "note", reason, layer, value=length, unit="m", geometry=wrong)]


def _near_edges(stock: AuditLayers, kind: str, frame: gpd.GeoDataFrame) -> list[AuditRow]:
    shapes, names, codes = frame.geometry.to_numpy(), spoken(frame), ids(frame)
    return [
        areal_row(
            "edge",
            f"{label(kind)} {names[left]} × {names[right]}",
            shape,
            reason="界线几乎相接而留有窄缝，请核对是否应共用界线",
            sliver_m=stock.sliver_m,
            status="note",
            layer=stock.kind(kind).names,
            features=f"{codes[left]};{codes[right]}",
        )
        for left, right, shape in narrow_gaps(shapes, shapes, stock.sliver_m)
        if left < right
    ]


def narrow_gaps(left: NDArray[Any], right: NDArray[Any], width_m: float) -> list[FeaturePair]:
    """Find pairs of polygons that nearly meet, and what lies between them.

    Parameters
    ----------
    left, right
        Valid polygons, metric CRS.
    width_m
        Gaps narrower than this count.

    Examples
    --------
    >>> squares = np.array([shapely.box(0, 0, 100, 100), shapely.box(100.5, 0, 200, 100)])
    >>> [(pair.left, pair.right, round(pair.shape.area, 6)) for pair in narrow_gaps(squares[:1], squares[1:], 2.0)]
    [(0, 0, 50.0)]
    """
    if not len(left) or not len(right):
        return []
    asked, near = shapely.STRtree(right).query(left, predicate="dwithin", distance=width_m)
    apart = shapely.disjoint(left[asked], right[near])
    pairs = []
    for i, j in zip(asked[apart], near[apart], strict=True):
        # Widened and narrowed again, two shapes grow together where the gap is narrower than twice the widening.
        both = shapely.union_all([left[i], right[j]])
        closed = both.buffer(width_m / 2, join_style="mitre").buffer(-width_m / 2, join_style="mitre")
        gap = shapely.difference(closed, both)
        if gap.area > MIN_AREA_M2:
            pairs.append(FeaturePair(int(i), int(j), gap))
    return pairs
