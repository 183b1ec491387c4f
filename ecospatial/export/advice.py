"""What a planner can do about a finding: one or two sentences made from the rule and the measures, never a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecospatial import model
from ecospatial.export import _format

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGAIN = "，移动后重新核查"


def exceptions(unless: object) -> list[str]:
    """Name the exceptions that a rule knows, by the labels of the facts they ask for.

    Examples
    --------
    >>> exceptions([{"national_key_project": True}])
    ['国家重点']
    """
    alternatives = unless if isinstance(unless, list) else [unless]
    names = [name for one in alternatives if isinstance(one, dict) for name in one]
    return [model.FACTS[name].label for name in dict.fromkeys(names) if name in model.FACTS]


def _move(row: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """Say how the outline would have to change for the rule not to be touched."""
    relation, distance, within = rule.get("relation"), row.get("distance_m"), rule.get("within_m")
    if relation == "near" and within and distance is not None and distance < within:
        return (
            f"把红线移到距该要素 {_format.metres(within)} 以外（现为 {_format.metres(distance)}，"
            f"还差 {_format.metres(within - distance)}）{_AGAIN}"
        )
    if relation == "outside":
        return f"把红线收到该范围之内{_size(row, '超出')}{_AGAIN}"
    if relation == "along_river":
        return f"把红线移出该取水口上下游的河段{_AGAIN}"
    return f"把红线移出冲突范围{_size(row, '重叠')}{_AGAIN}"


def _size(row: Mapping[str, Any], word: str) -> str:
    if row.get("overlap_m2"):
        return f"（{word} {_format.square_metres(row['overlap_m2'])}，合 {_format.mu(row['overlap_m2'])}）"
    if row.get("overlap_length_m"):
        return f"（{word} {_format.metres(row['overlap_length_m'])}）"
    return ""


def advice(row: Mapping[str, Any], rule: Mapping[str, Any]) -> list[str]:
    """Say what to do about a finding that is prohibited or restricted.

    Parameters
    ----------
    row
        A finding with ``verdict``, the measures, ``certainty`` and ``layer_status``.
    rule
        Its rule, as ``findings.rules`` has it; may be empty.

    Returns
    -------
    list of str
        Sentences; none for other verdicts.

    Examples
    --------
    >>> advice({"verdict": "prohibited", "distance_m": 400.0}, {"relation": "near", "within_m": 1000.0})
    ['把红线移到距该要素 1,000.0 m 以外（现为 400.0 m，还差 600.0 m），移动后重新核查。']
    """
    verdict, told = row.get("verdict"), []
    if verdict == "prohibited":
        told.append(_move(row, rule))
        known = exceptions(rule.get("unless"))
        if known:
            told.append(f"条文有例外（{'、'.join(known)}）：确属其中的，补交证明，由主管部门认定")
    elif verdict == "restricted":
        told.append("满足条文所列条件或取得批准后方可实施，条件以原文为准；不能满足的，" + _move(row, rule))
    certainty = row.get("certainty")
    if told and certainty == "marginal":
        told.append("余量不大于定位误差：先请图层发布单位现场核定边界，再作结论")
    if told and certainty == "doubtful":
        told.append("结论存疑：先核实说明中所列的疑点，再作结论")
    if told and "schematic" in (certainty, row.get("layer_status")):
        told.append("所用图层为示意：以正式图层替换后重新核查，本条不得作为审批依据")
    return [f"{sentence}。" for sentence in told]
