"""What is open wherever a site lies: missing layers, names that no feature carries, rules without a settled basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecospatial.checks import reasons
from ecospatial.model import OPEN_BY, nearest_names

if TYPE_CHECKING:
    from ecospatial.checks._features import LayerCache
    from ecospatial.checks.selection import FeatureSelection
    from ecospatial.plans import Plan


def list_plan_open(reading: LayerCache) -> list[dict[str, Any]]:
    """List what is open in a plan on a day, once each, with whom to ask and the ids of the rules that wait for it.

    Parameters
    ----------
    reading
        The layers of the plan on the day.

    Returns
    -------
    list of dict
        ``what`` (a Chinese sentence), ``open_by`` (a key of ``OPEN_BY``), ``ask``, ``rule_ids``: missing layers, then
        values of rules that no feature carries, then rules whose basis is not settled.
    """
    layers: dict[tuple[str, str, str], list[str]] = {}
    names: dict[tuple[str, str, str], list[str]] = {}
    rules: dict[tuple[str, str, str], list[str]] = {}
    for rule in reading.rules_in_force:
        stock = reading.stock_for(rule)
        ask = name_owner(reading.plan, rule.layer)
        for gap in stock.gaps:
            layers.setdefault((gap, "data_owner", ask), []).append(rule.id)
        selection = None if stock.frame is None else reading.select(rule)
        if selection is not None and selection.missing:
            text = reasons.describe_missing(rule, selection.missing) + _list_nearest(selection)
            names.setdefault((text, "data_owner", ask), []).append(rule.id)
        if rule.unsettled:
            key = (f"依据待定：{reasons.unsettled(rule)}", "rule_keeper", OPEN_BY["rule_keeper"])
            rules.setdefault(key, []).append(rule.id)
    return [
        {"what": what, "open_by": by, "ask": ask, "rule_ids": ids}
        for found in (layers, names, rules)
        for (what, by, ask), ids in found.items()
    ]


def _list_nearest(selection: FeatureSelection) -> str:
    """List the texts of the layer that are most like the values that no feature carries."""
    found: dict[str, None] = {}
    for column, value in selection.missing:
        if column in selection.frame:
            known = (text for text in selection.frame[column].dropna().unique() if isinstance(text, str))
            found |= dict.fromkeys(nearest_names(value, known))
    return f"；图层中相近的：{'、'.join(found)}" if found else ""


def lacks_layer(reading: LayerCache) -> bool:
    """Return whether a layer that a rule in force reads is missing or can not be used."""
    return any(reading.stock_for(rule).gaps for rule in reading.rules_in_force)


def list_layer_notices(reading: LayerCache) -> list[str]:
    """List what has to be said of the layers that rules in force read: replaced ones, repaired ones."""
    found: dict[str, None] = {}
    for rule in reading.rules_in_force:
        stock = reading.stock_for(rule)
        for layer in stock.replaced:
            found[f"{layer.label}：已有覆盖全区的正式图层，示意图层 {layer.name} 不参与判定"] = None
        for layer in stock.layers:
            if layer.pixels is None and (text := reading.plan.layer_repairs(layer.name).notice(layer.label)):
                found[text] = None
    return list(found)


def name_owner(plan: Plan, kind: str) -> str:
    """Name who has a kind of layer."""
    publishers = sorted({x.source.publisher for x in plan.of_kind(kind) if x.source.publisher})
    return "、".join(publishers) or "主管部门"
