"""What a bureau decided in plan.yaml: ``settled`` where a text is open, ``scope`` of what it does not answer for."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ecospatial.io.strict_yaml import Entry, Mapping
from ecospatial.model import KINDS
from ecospatial.plans.plan import LeftOut, Settlement

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType
    from collections.abc import Sequence

    from ecospatial.rules import Rule

SETTLED_KEYS = ("within_m", "layer_holds_it", "decided_by", "on")
SCOPE_KEYS = ("rules", "kinds", "because", "ask")


def read_settled(entry: Entry, rules: Sequence[Rule]) -> MappingType[str, Settlement]:
    """Read what a plan decides where the text of a rule leaves a distance, a list or a range open.

    Parameters
    ----------
    entry
        The content of plan.yaml; faults are noted there.
    rules
        The rules of the plan.
    """
    inner = entry.nested("settled")
    if inner is None:
        return MappingProxyType({})
    versions: dict[str, list[Rule]] = {}
    for rule in rules:
        versions.setdefault(rule.id, []).append(rule)
    found = {}
    for rule_id in inner.values:
        one = inner.nested(rule_id)
        if one is None:
            if inner.values[rule_id] is None:
                inner.fault(rule_id, "不能为空", "请写 within_m 或 layer_holds_it，以及 decided_by、on")
            continue
        settlement = _settlement(one)
        if rule_id not in versions:
            inner.fault(rule_id, "规则包中没有这条规则", "请核对编号，用 rules list 查看")
        else:
            _require_open(inner, rule_id, one, versions[rule_id])
        if settlement is not None:
            found[rule_id] = settlement
    return MappingProxyType(found)


def _settlement(entry: Entry) -> Settlement | None:
    entry.closed(SETTLED_KEYS, ("decided_by", "on"))
    within_m, holds = entry.number("within_m"), entry.values.get("layer_holds_it")
    if "layer_holds_it" in entry.values and holds is not True:
        entry.fault("layer_holds_it", "只能写 true", "未确定的请删去此键")
    if "within_m" in entry.values and entry.values["within_m"] is None:
        entry.fault("within_m", "不能为空", "请写距离（米）")
    before = len(entry.problems)
    decided_by, on = entry.text("decided_by"), entry.date("on")
    for key, value in (("decided_by", decided_by), ("on", on)):
        if value is None and key in entry.values and len(entry.problems) == before:
            entry.fault(key, "不能为空", "请写明由谁、在哪天确定")
    if decided_by is None or on is None:
        return None
    return Settlement(within_m, holds is True, decided_by, on)


def _require_open(settled: Entry, rule_id: str, entry: Entry, versions: Sequence[Rule]) -> None:
    """Refuse to settle what the text states, and leave nothing open that it does not."""
    verified = [rule for rule in versions if rule.verified]
    if not verified:
        settled.fault(rule_id, "规则尚未核实，不能由规划确定", "请先核实原文（cite.verified）")
        return
    not_stated = {name for rule in verified for name in rule.not_stated}
    if not not_stated:
        settled.fault(rule_id, "原文已写明，不能由规划确定", "请删去这一条")
        return
    lists = not_stated & {"list", "range"}
    for key, needed, used in (
        ("within_m", "distance" in not_stated, "within_m" in entry.values),
        ("layer_holds_it", bool(lists), "layer_holds_it" in entry.values),
    ):
        if needed and not used:
            what = "距离" if key == "within_m" else "名录或范围"
            entry.fault(key, f"原文未写明{what}，需要此键", "请写 layer_holds_it: true" if lists else "请写距离（米）")
        if used and not needed:
            entry.fault(key, "原文已写明，不能由规划确定", "请删去此键")


def read_scope(entry: Entry, rules: Sequence[Rule]) -> tuple[LeftOut, ...]:
    """Read which rules, and kinds of layers with their rules, a bureau does not answer for.

    Parameters
    ----------
    entry
        The content of plan.yaml; faults are noted there.
    rules
        The rules of the plan.
    """
    content = entry.values.get("scope")
    if content is None:
        if "scope" in entry.values:
            entry.fault("scope", "不能为空", "没有不核的内容请删去此键")
        return ()
    if not isinstance(content, list):
        entry.fault("scope", "应为列表", "每一项以“- rules:”或“- kinds:”开头")
        return ()
    ids = {rule.id for rule in rules}
    found = []
    for number, item in enumerate(content, 1):
        if not isinstance(item, Mapping):
            entry.fault("scope", f"第 {number} 项应为一组键和值")
            continue
        inner = Entry(item, entry.file, f"scope 第 {number} 项", entry.problems)
        found.append(_left_out(inner, ids))
    return tuple(found)


def _left_out(entry: Entry, ids: set[str]) -> LeftOut:
    entry.closed(SCOPE_KEYS, ("because", "ask"))
    named, kinds = entry.items("rules"), entry.items("kinds")
    if ("rules" in entry.values) == ("kinds" in entry.values):
        entry.fault("rules", "rules 和 kinds 须写其中一个", "请写规则编号，或图层种类")
    for key, values in (("rules", named), ("kinds", kinds)):
        if key in entry.values and not values:
            entry.fault(key, "至少要有一个值")
    for value in named:
        if value not in ids:
            entry.fault("rules", f"规则包中没有规则 {value}", "请核对编号，用 rules list 查看")
    for value in kinds:
        if value not in KINDS:
            entry.fault("kinds", f"没有 {value} 这种图层", f"可选：{'、'.join(KINDS)}")
    before = len(entry.problems)
    because, ask = entry.text("because"), entry.text("ask")
    for key, text in (("because", because), ("ask", ask)):
        if text is None and key in entry.values and len(entry.problems) == before:
            entry.fault(key, "不能为空", "请写明为何不核、由谁答复")
    return LeftOut(named, kinds, because or "", ask or "")
