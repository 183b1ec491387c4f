"""What a plan published against what its layers measure, and the published figures against each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ecospatial.audits._result_row import AuditRow
from ecospatial.audits._text import number, unit_text
from ecospatial.errors import PlanError
from ecospatial.indicators.measures import MeasuredFigure, measure
from ecospatial.indicators.units import UNITS, other_unit, unit_factor
from ecospatial.plans.targets import read_targets

if TYPE_CHECKING:
    from ecospatial.audits._context import AuditLayers
    from ecospatial.plans.targets import Target

# Numbers that were computed in floating point are equal when they are this close.
ROUNDING = 1e-9


def figure_rows(stock: AuditLayers) -> list[AuditRow]:
    """Compare every figure of targets.yaml; faults of that file are lines of their own."""
    try:
        targets = read_targets(stock.plan)
    except PlanError as fault:
        return [AuditRow("figure", "targets.yaml", "fault", str(problem)) for problem in fault.problems]
    rows = [compared(target, measure(target, stock.plan, stock.on)) for target in targets]
    by_id = {target.id: target for target in targets}
    return rows + [_agree(target, by_id[target.same_as]) for target in targets if target.same_as is not None]


def compared(target: Target, found: MeasuredFigure) -> AuditRow:
    """Say of one figure whether it is met, missed, or can not be told.

    Parameters
    ----------
    target
        What was published.
    found
        What was measured, in the same unit.
    """
    tolerance, doubt = _tolerance(target, found)
    status, reason = "cannot_tell", found.gap
    if found.value is not None:
        status, reason = _judged(target, found, tolerance, doubt)
    # What was measured in part is an end, not a value; the reason names it.
    part = found.least or found.most is not None
    value = None if part and status == "cannot_tell" else found.value
    told = [reason, "图层不全，量得的只是下限" if part and value is not None else ""]
    told += [found.method if found.value is not None else ""]
    told += [f"公布数的时点 {target.as_of}"] if target.as_of else []
    if found.schematic and found.value is not None:
        told.append("图层为示意，只说明图是照公布数绘制的，不证明实际")
    return AuditRow(
        check="target",
        subject=target.id,
        title=target.title,
        status=status,
        reason="；".join(text for text in told if text),
        layer=found.layers,
        value=value,
        unit=target.unit,
        target=target.value,
        difference=None if value is None else value - target.value,
        tolerance=tolerance if value is not None else None,
        area_m2=found.area_m2 if value is not None else None,
        cite=target.cite,
    )


def _tolerance(target: Target, found: MeasuredFigure) -> tuple[float | None, str]:
    """Give by how much the two may differ, and why that is not known."""
    if target.tolerance is not None:
        return target.tolerance, ""
    if found.tolerance is None:
        return None, "图层的定位精度未知，且没有给出容差"
    # A figure published as 5.1 says no more than 5.05 to 5.15.
    return found.tolerance + (target.half_step if target.compare == "=" and target.measure != "count" else 0.0), ""


def _judged(target: Target, found: MeasuredFigure, tolerance: float | None, doubt: str) -> tuple[str, str]:
    if tolerance is None:
        return "cannot_tell", f"{doubt}，请数据管理单位提供"
    low = found.value or 0.0
    # What is not held can only add to what was measured.
    high = math.inf if found.least else low if found.most is None else found.most
    slack = tolerance + ROUNDING * max(abs(low), abs(target.value), 1e-300)
    least, most = target.value - slack, target.value + slack
    right = {">=": low >= least, "<=": high <= most, "=": low >= least and high <= most}[target.compare]
    wrong = {">=": high < least, "<=": low > most, "=": low > most or high < least}[target.compare]
    if wrong:
        return "missed", _how_far(target, low if low > target.value else high, tolerance)
    if not right:
        return "cannot_tell", _partial(target, found)
    if target.tolerance is None and tolerance >= abs(target.value) > 0 and target.measure in UNITS:
        reason = f"图层精度太低：容差 {_said(tolerance, target)} 不小于公布数，任何结果都会相符，请提供更精确的图层"
        return "cannot_tell", reason
    beyond = {">=": low >= target.value, "<=": high <= target.value, "=": False}[target.compare]
    if beyond:
        return "met", "达到"
    return "met", f"在容差 {_said(tolerance, target)} 之内" if tolerance else "相等"


def _partial(target: Target, found: MeasuredFigure) -> str:
    """Say between which ends a figure lies that was measured in part only."""
    who = "" if "请" in found.gap else "，请数据管理单位补充"
    if found.least or found.most is None:
        return f"只量到一部分（{number(found.value, target.unit)}）：{found.gap}{who}"
    ends = f"{number(found.value, target.unit)} 与 {number(found.most, target.unit)}"
    return f"介于 {ends} 之间：{found.gap}{who}"


def _said(value: float, target: Target) -> str:
    return f"{value:.4g} {unit_text(target.unit)}".strip()


def _how_far(target: Target, value: float, tolerance: float) -> str:
    off = value - target.value
    share = f"（{off / target.value:+.2%}）" if target.value else ""
    reason = f"相差 {off:+.6g} {unit_text(target.unit)}{share}，超出容差 {_said(tolerance, target)}"
    unit = other_unit(target.measure, target.unit, value / target.value) if target.value else None
    return f"{reason}；若单位是“{unit}”则大致相符，请核对单位" if unit is not None else reason


def _agree(target: Target, other: Target) -> AuditRow:
    """Compare two figures that were published for the same thing."""
    own, theirs = unit_factor(target.measure, target.unit), unit_factor(other.measure, other.unit)
    subject = f"{target.id} = {other.id}"
    if own is None or theirs is None or target.measure != other.measure:
        return AuditRow(
            "figure", subject, "fault", "两项指标的单位或量法不同，无法比较，请更正 targets.yaml", cite=target.cite
        )
    first, second = target.value * own, other.value * theirs
    slack = target.half_step * own + other.half_step * theirs + ROUNDING * max(abs(first), abs(second))
    told = f"{number(target.value, target.unit)} 与 {number(other.value, other.unit)}"
    off = first - second
    if abs(off) <= slack:
        reason, status = f"{told} 相符（相差 {_said(abs(off) / own, target)}，在公布数的取位之内）", "met"
    else:
        unit = other_unit(target.measure, target.unit, second / first) if first else None
        hint = f"；若前者的单位是“{unit}”则相符，请核对单位" if unit is not None else "，请核对原文"
        reason, status = f"{told} 相差 {off / own:+.6g} {unit_text(target.unit)}{hint}", "fault"
    return AuditRow(
        "figure",
        subject,
        status,
        reason,
        value=target.value,
        unit=target.unit,
        target=second / own,
        difference=off / own,
        tolerance=slack / own,
        cite=target.cite,
        title=target.title,
    )
