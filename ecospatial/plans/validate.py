"""What is wrong with a plan or not filled in, layer by layer, and words that rules and layers do not share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecospatial.errors import EcospatialError, Problem
from ecospatial.plans.unmatched_values import unmatched_problems, unmatched_values

if TYPE_CHECKING:
    import datetime as dt

    from ecospatial.plans.layers import Layer
    from ecospatial.plans.plan import Plan


def layer_faults(plan: Plan, layer: Layer) -> list[Problem]:
    """List what is wrong with one layer or not filled in."""
    problems = _empty_keys(layer)
    if layer.present == "missing":
        return problems
    if layer.present == "held":
        try:
            plan.require_usable(layer)
        except EcospatialError as fault:
            return problems + fault.problems
        if layer.pixels is None:
            repairs = plan.layer_repairs(layer.name)
            problems += [*plan.layer_words(layer.name), *repairs.problems(layer.path or "")]
    by_pixels = layer.coverage == "extent" and layer.pixels is not None
    try:
        if layer.coverage != "unknown" and not by_pixels and plan.coverage(layer.name) is None:
            text = f"coverage {layer.coverage} 无法得出"
            problems.append(Problem("plan.yaml", _place(layer), text, "请检查 district 图层"))
    except EcospatialError as fault:
        problems += fault.problems
    return problems


def word_faults(plan: Plan, on: dt.date) -> list[Problem]:
    """List the values of rules in force that no feature carries and nobody confirmed as absent."""
    return unmatched_problems(unmatched_values(plan, on))


def _place(layer: Layer) -> str:
    return f"图层 {layer.name}"


def _empty_keys(layer: Layer) -> list[Problem]:
    source = layer.source
    wanted: list[tuple[str, object]] = [("publisher", source.publisher)]
    if layer.present != "missing":
        wanted += [("title", source.title), ("retrieved", source.retrieved)]
    if layer.present == "held":
        wanted += [("licence", source.licence)]
    empty = [key for key, value in wanted if value is None]
    problems = [Problem("plan.yaml", _place(layer), f"source.{key} 未填写", "请补充来源") for key in empty]
    if layer.present == "missing":
        return problems
    others = [(layer.coverage == "unknown", "coverage 未填写，永远不会判定通过", "请写明覆盖范围")]
    if layer.present == "held":
        others += [
            (layer.status is None, "status 未填写，是否正式图层不明", "请写明 official、public 或 schematic"),
            (layer.accuracy_m is None, "accuracy_m 未填写，结论都不确定", "请写明定位精度"),
            (layer.sha256 is None, "sha256 未登记", "plan validate --seal 可写入"),
        ]
    return problems + [Problem("plan.yaml", _place(layer), text, way) for missing, text, way in others if missing]
