"""Which rules of a plan a check puts to sites, and with which distance: what is left out, what a bureau settled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ecospatial.errors import Problem, SiteError
from ecospatial.model import KINDS
from ecospatial.plans import LeftOut

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from ecospatial.plans import Plan
    from ecospatial.rules import Rule


def rules_in_scope(plan: Plan) -> dict[str, list[Rule]]:
    """Return the versions of each rule that the plan does not leave out, in pack order."""
    if not plan.scope:
        return plan.rule_versions()
    return {
        id_: versions
        for id_, versions in plan.rule_versions().items()
        if not any(_leaves_out(entry, id_, versions) for entry in plan.scope)
    }


def rule_in_force(versions: list[Rule], plan: Plan, on: dt.date) -> Rule | None:
    """Return the version of a rule that stands on a day, with what the plan settled; None where none stands."""
    rule = next((version for version in versions if version.in_force(on)), None)
    return None if rule is None else settle_rule(rule, plan)


def settle_rule(rule: Rule, plan: Plan) -> Rule:
    """Return a rule with the distance that the plan decided on, and without what it settled.

    What the text of an unverified rule leaves open can not be settled.
    """
    decided = plan.settled.get(rule.id)
    if decided is None or not rule.not_stated or not rule.verified:
        return rule
    left = tuple(
        what
        for what in rule.not_stated
        if not (decided.within_m is not None if what == "distance" else decided.layer_holds_it)
    )
    within_m = rule.within_m
    if "distance" in rule.not_stated and decided.within_m is not None:
        within_m = decided.within_m
    by = f"{decided.decided_by} {decided.on.isoformat()} 确定"
    return replace(rule, not_stated=left, within_m=within_m, settled_by=by)


def describe_left_out(plan: Plan, on: dt.date) -> list[dict[str, Any]]:
    """List what is not evaluated, each entry of the scope once, with the ids of the rules in force it concerns."""
    found = []
    for entry in plan.scope:
        ids = [
            id_
            for id_, versions in plan.rule_versions().items()
            if _leaves_out(entry, id_, versions) and any(version.in_force(on) for version in versions)
        ]
        found.append(
            {
                "rules": list(entry.rules),
                "kinds": list(entry.kinds),
                "because": entry.because,
                "ask": entry.ask,
                "rule_ids": ids,
            }
        )
    return found


def narrow_plan(plan: Plan, only: Iterable[str] | None) -> Plan:
    """Return a plan whose rules on other kinds of layers are left out.

    Raises
    ------
    SiteError
        A kind is not known, or none is given.
    """
    if only is None:
        return plan
    kinds = [only] if isinstance(only, str) else list(only)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        read = dict.fromkeys(rule.layer for rule in plan.rules)
        listed = "、".join(f"{name}（{KINDS[name].label}）" for name in read)
        text = f"没有 {'、'.join(unknown)} 这种图层" if unknown else "没有写出图层种类"
        raise SiteError(Problem("", None, text, f"本规划的规则读取：{listed}"))
    others = tuple(kind for kind in dict.fromkeys(rule.layer for rule in plan.rules) if kind not in kinds)
    if not others:
        return plan
    because = f"本次只核{'、'.join(KINDS[kind].label for kind in kinds)}"
    return replace(plan, scope=(*plan.scope, LeftOut((), others, because, "本次核查的委托人")))


def _leaves_out(entry: LeftOut, id_: str, versions: list[Rule]) -> bool:
    return id_ in entry.rules or any(version.layer in entry.kinds for version in versions)
