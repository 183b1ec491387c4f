"""A shift of GCJ-02 or BD-09 that was left in a layer, told by what the layer has to fit.

An area can not show it: a layer that is off by half a kilometre keeps its size. What shows it is that the layer fits
once the shift is undone: the district, the space of its own, the other lines, the water, the banks of its rivers. A
feature that merely sticks out fits after many moves, a layer that was shifted after one; so the same distance is tried
in other directions too, and where one of them does as well, it is no more than a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial.audits._context import TILINGS
from ecospatial.audits._result_row import AuditRow
from ecospatial.geometry import areal_part
from ecospatial.model import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecospatial.audits._context import AuditLayers
    from ecospatial.plans import Layer

SHIFTS = {"gcj02": "GCJ-02（火星坐标）", "bd09": "BD-09（百度坐标）"}
# A shift explains a misfit when undoing it takes away nine tenths of it.
EXPLAINED = 0.1
# Smaller misfits than this, as a share of the layer, are no shift.
MISFIT = 0.01
# So many features of a layer show as well as all of them whether it is shifted.
SAMPLE = 200
# What lies further from a feature than this can not come under it when it is moved (BD-09 is off by 1.2 km at most).
AROUND_M = 2000.0
# The other directions that the same distance is tried in.
TURNS = np.radians([45, 90, 135, 180, 225, 270, 315])


@dataclass(frozen=True)
class _Fit:
    """What of a layer can be moved, how large it is, and how badly it fits where it is moved to (m2, or m of lines)."""

    shapes: NDArray[Any]
    size: float
    misfit: Callable[[NDArray[Any]], float]
    wrong: Callable[[NDArray[Any]], Any]


def shifted(stock: AuditLayers, layer: Layer, shapes: NDArray[Any]) -> AuditRow | None:
    """Undo the two shifts in turn and see whether the layer then fits what it has to fit.

    Parameters
    ----------
    stock
        The layers of the plan.
    layer
        The layer that is looked at.
    shapes
        Its features as they stand in the file.

    Returns
    -------
    Row or None
        A fault, or a note where the layer would fit after other moves as well; None when it is not shifted.
    """
    fit = _fit(stock, layer, shapes, most=SAMPLE)
    if fit is None or not len(fit.shapes):
        return None
    now = fit.misfit(fit.shapes)
    if now < MISFIT * fit.size:
        return None
    for shift in SHIFTS:
        moved = _undone(stock, fit.shapes, shift)
        if fit.misfit(moved) <= EXPLAINED * now:
            whole = _fit(stock, layer, shapes, most=len(shapes)) or fit
            return _row(layer, whole, _offset(fit.shapes, moved), shift=shift, sure=_only(fit, moved, now))
    return None


def tells(stock: AuditLayers, layer: Layer, shapes: NDArray[Any]) -> bool:
    """Whether it would show if the layer were shifted: a layer far from everything it has to fit keeps fitting.

    Parameters
    ----------
    stock
        The layers of the plan.
    layer
        A layer that fits.
    shapes
        Its features as they stand in the file.
    """
    fit = _fit(stock, layer, shapes, most=SAMPLE)
    if fit is None or not len(fit.shapes):
        return False
    step = _offset(fit.shapes, _undone(stock, fit.shapes, "gcj02"))
    return fit.misfit(_stepped(fit.shapes, step)) >= MISFIT * fit.size


def _row(layer: Layer, fit: _Fit, offset: NDArray[np.float64], *, shift: str, sure: bool) -> AuditRow:
    name, distance = SHIFTS[shift], float(np.hypot(*offset))
    reason = f"图层整体偏{crs_.compass(*offset)} {distance:,.0f} m，与 {name} 的偏移一致，面积不变而位置错误；"
    reason += f"请按 {shift} 反算后重新登记"
    if not sure:
        reason = f"若按 {name} 反算（移动 {distance:,.0f} m），图层便与规划相合；但朝别的方向移动也相合，"
        reason += "只是线索，请核对坐标系"
    wrong = fit.wrong(fit.shapes)
    area = float(shapely.area(wrong))
    status = "fault" if sure else "note"
    return AuditRow("position", layer.label, status, reason, layer.name, value=distance, unit="m", area_m2=area or None,
               geometry=wrong)  # fmt: skip


def _only(fit: _Fit, moved: NDArray[Any], now: float) -> bool:
    """Whether the layer fits after this move only, and not after one as far in another direction."""
    east, north = -_offset(fit.shapes, moved)
    for turn in TURNS:
        step = np.array([east * np.cos(turn) - north * np.sin(turn), east * np.sin(turn) + north * np.cos(turn)])
        if fit.misfit(_stepped(fit.shapes, step)) <= EXPLAINED * now:
            return False
    return True


# ------------------------------------------------------------------------------------------- what it has to fit


def _fit(stock: AuditLayers, layer: Layer, shapes: NDArray[Any], *, most: int) -> _Fit | None:
    if layer.kind in ("bank_line", "river_centreline"):
        return _river_fit(stock, layer)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    areal = shapes[finite & (shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes)]
    if not len(areal) or KINDS[layer.kind].shape != "polygon":
        return None
    reference = _reference(stock, layer)
    if reference is None:
        return None
    tiled = layer.kind in (*TILINGS, "district")
    if not tiled and len(areal) > most:
        areal = areal[np.linspace(0, len(areal) - 1, most).astype(np.intp)]
    foes = _union([_near(stock.shapes(kind), areal) for kind in KINDS[layer.kind].apart_from])

    def wrong(moved: NDArray[Any]) -> Any:
        union = shapely.union_all(moved)
        parts = [shapely.difference(union, reference), shapely.intersection(union, foes)]
        return areal_part(np.array([shapely.union_all(parts)], dtype=object))[0]

    def misfit(moved: NDArray[Any]) -> float:
        short = shapely.area(shapely.difference(reference, shapely.union_all(moved))) if tiled else 0.0
        return float(shapely.area(wrong(moved)) + short)

    return _Fit(areal, float(shapely.area(areal).sum()), misfit, wrong)


def _reference(stock: AuditLayers, layer: Layer) -> Any:
    """Give what a layer has to lie in: its own space, else the district; of the district, what tiles it."""
    if layer.kind == "district":
        tilings = _union([stock.shapes(kind) for kind in TILINGS])
        return None if tilings.is_empty else tilings
    word = KINDS[layer.kind].space or None
    spaces = stock.areal("territorial_space") if word is not None else None
    if spaces is not None and not spaces.empty:
        own = spaces.geometry.to_numpy()[(spaces["space"] == word).to_numpy()]
        return shapely.union_all(own) if len(own) else None
    return stock.district


def _river_fit(stock: AuditLayers, layer: Layer) -> _Fit | None:
    """Fit the centrelines and the banks of the same rivers to each other: a river runs between its banks."""
    banks, centres = stock.areal("bank_line"), stock.kind("river_centreline").frame
    if banks is None or centres is None:
        return None
    both = set(banks["river"].dropna()) & set(centres["river"].dropna())
    water, lines = (x.loc[x["river"].isin(both)] for x in (banks, centres))
    own = (water if layer.kind == "bank_line" else lines)["layer"] == layer.name
    moves = (water if layer.kind == "bank_line" else lines).geometry.to_numpy()[own.to_numpy()]
    if not len(moves):
        return None
    still = shapely.union_all((lines if layer.kind == "bank_line" else water).geometry.to_numpy())

    def wrong(moved: NDArray[Any]) -> Any:
        pair = shapely.union_all(moved), still
        line, area = pair[::-1] if layer.kind == "bank_line" else pair
        return shapely.difference(line, area)

    def misfit(moved: NDArray[Any]) -> float:
        return float(shapely.length(wrong(moved)))

    length = float(shapely.length(still) if layer.kind == "bank_line" else shapely.length(moves).sum())
    return _Fit(np.asarray(moves, dtype=object), length, misfit, wrong)


def _near(others: NDArray[Any], shapes: NDArray[Any]) -> NDArray[Any]:
    found = shapely.STRtree(others).query(shapes, predicate="dwithin", distance=AROUND_M)[1]
    return np.asarray(others[np.unique(found)], dtype=object)


def _union(groups: list[NDArray[Any]]) -> Any:
    shapes = [shape for group in groups for shape in group]
    return shapely.union_all(shapes) if shapes else shapely.Polygon()


# ------------------------------------------------------------------------------------------- the move


def _stepped(shapes: NDArray[Any], step: NDArray[np.float64]) -> NDArray[Any]:
    return np.asarray(shapely.transform(shapes, lambda xy: xy + step), dtype=object)


def _undone(stock: AuditLayers, shapes: NDArray[Any], shift: str) -> NDArray[Any]:
    degrees = crs_.transform(shapes, stock.plan.crs, crs_.CGCS2000)
    return crs_.transform(crs_.undo_shift(degrees, shift), crs_.CGCS2000, stock.plan.crs)


def _offset(shapes: NDArray[Any], moved: NDArray[Any]) -> NDArray[np.float64]:
    was, now = shapely.centroid(shapes), shapely.centroid(moved)
    return np.array(
        [np.median(shapely.get_x(was) - shapely.get_x(now)), np.median(shapely.get_y(was) - shapely.get_y(now))]
    )
