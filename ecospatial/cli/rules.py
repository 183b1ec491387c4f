"""``ecospatial rules``: list, show, lint, coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, WRONG_INPUT, on_option, opened, plan_option, say
from ecospatial.errors import EcospatialError, Problem, RuleError

if TYPE_CHECKING:
    import datetime as dt

    from ecospatial.plans import Plan
    from ecospatial.rules import Rule


@click.group()
def rules() -> None:
    """规则：列出、查看、检查，以及一个规划能回答多少。"""


@rules.command("list")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="只列该规划的规则")
@on_option
def rules_list(plan_name: str | None, on: str | None) -> int:
    """列出规则；不给规划时列出随软件的全部规则包。"""
    from ecospatial.checks import day

    date = day(on)
    for rule in _all_rules(plan_name):
        if rule.in_force(date):
            state = _told(rule)
            click.echo(f"{rule.id:<10} {rule.title}{state}  [{rule.cite.instrument} {rule.cite.article or ''}]")
    return OK


def _told(rule: Rule) -> str:
    """Say what of a rule is open, and by which day it has to be done."""
    from ecospatial.rules import NOT_STATED

    parts = [] if rule.verified else ["未核实"]
    if rule.not_stated:
        parts.append(f"未写明{'、'.join(NOT_STATED[name] for name in rule.not_stated)}")
    if rule.effect == "duty":
        parts.append("一般要求")
    if rule.due is not None:
        parts.append(f"限 {rule.due}")
    return f"（{'，'.join(parts)}）" if parts else ""


@rules.command("show")
@click.argument("rule_id", metavar="ID")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="在该规划的规则中查找")
def rules_show(rule_id: str, plan_name: str | None) -> int:
    """查看一条规则的各个版本。"""
    from ecospatial.checks._frame import rule_row

    found = [rule for rule in _all_rules(plan_name) if rule.id == rule_id]
    if not found:
        raise RuleError(Problem("", None, f"没有规则 {rule_id}", "用 rules list 查看全部规则"))
    for number, rule in enumerate(found):
        if number:
            click.echo("")
        for key, value in rule_row(rule, rule.since).items():
            if key != "in_force" and value not in (None, [], {}):
                click.echo(f"{key}: {value}")
    return OK


@rules.command("lint")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="只检查该规划的规则，图层以它为准")
def rules_lint(plan_name: str | None) -> int:
    """检查规则包：永远不起作用的、日期重叠的、所指不存在的。"""
    from ecospatial.plans import list_plans
    from ecospatial.rules import lint

    shipped, problems = _shipped()
    plans = [opened(name) for name in ([plan_name] if plan_name else list_plans())]
    found = list(plans[0].rules) if plan_name else shipped
    kinds = {layer.kind for plan in plans for layer in plan.layers.values()}
    remarks = lint(found, known=[rule.id for rule in shipped], kinds=kinds, values=_values(found, plans))
    for problem in problems:
        click.echo(f"错误  {problem}")
    for remark in remarks:
        click.echo(f"{'错误' if remark.fault else '提示'}  {remark.pack} {remark.rule_id}：{remark.text}")
    faults = len(problems) + sum(remark.fault for remark in remarks)
    click.echo(f"共 {len(found)} 条（含各版本），错误 {faults} 处，提示 {len(remarks) + len(problems) - faults} 处")
    return WRONG_INPUT if faults else OK


@rules.command("coverage")
@plan_option
@on_option
def rules_coverage(plan_name: str, on: str | None) -> int:
    """一个规划现有的图层能回答哪些规则，缺哪些数据、向谁取得。"""
    from ecospatial.checks import day
    from ecospatial.plans import unmatched_problems, unmatched_values

    plan, date = opened(plan_name), day(on)
    standing = [rule for rule in plan.rules if rule.in_force(date)]
    by_state: dict[str, list[Rule]] = {}
    for rule in standing:
        by_state.setdefault(_state(plan, rule, date), []).append(rule)
    click.echo(f"{plan.title}，{date}：有效规则 {len(standing)} 条")
    for state in STATES:
        found = by_state.get(state, [])
        click.echo(f"{state} {len(found)} 条：{'、'.join(rule.id for rule in found) or '无'}")
    missing = [rule for state in ("数据缺失", "数据缺失且未核实") for rule in by_state.get(state, [])]
    for publisher, wanted in _whom(plan, missing, date).items():
        click.echo(f"向{publisher}取得：")
        for what, ids in wanted.items():
            click.echo(f"  {what}（{'、'.join(ids)}）")
    unmatched = unmatched_problems(unmatched_values(plan, date))
    if unmatched:
        click.echo(f"规则写明而图层中没有要素对应的 {len(unmatched)} 个：")
    for problem in unmatched:
        click.echo(f"  {problem}")
    return OK


STATES = ("可以判定", "尚不能计算", "规则未核实", "数据缺失", "数据缺失且未核实")


def _state(plan: Plan, rule: Rule, date: dt.date) -> str:
    from ecospatial.rules import UNANSWERED

    if _wanting(plan, rule.layer, date):
        return "数据缺失" if rule.verified else "数据缺失且未核实"
    if rule.relation in UNANSWERED:
        return "尚不能计算"
    return "可以判定" if rule.verified else "规则未核实"


def _wanting(plan: Plan, kind: str, date: dt.date) -> bool:
    """Tell whether a layer of the kind is missing or can not be used, so that its rules never clear."""
    standing = [layer for layer in plan.of_kind(kind) if layer.valid_on(date)]
    return not standing or any(plan.trouble(layer.name) is not None for layer in standing)


def _whom(plan: Plan, missing: list[Rule], date: dt.date) -> dict[str, dict[str, list[str]]]:
    """Group what is missing by whom to ask, with the rules that wait for it."""
    from ecospatial.model import KINDS

    found: dict[str, dict[str, list[str]]] = {}
    for rule in missing:
        listed = [x for x in plan.of_kind(rule.layer) if not x.valid_on(date) or plan.trouble(x.name) is not None]
        label = KINDS[rule.layer].label
        places = [(x.source.publisher or "主管部门", f"{label}：{x.source.title or x.name}") for x in listed]
        for publisher, what in places or [("主管部门", f"{label}（规划未列出）")]:
            found.setdefault(publisher, {}).setdefault(what, []).append(rule.id)
    return found


def _values(found: list[Rule], plans: list[Plan]) -> dict[tuple[str, str], set[str]]:
    """Collect what the layers held by plans have in the columns that rules name."""
    values: dict[tuple[str, str], set[str]] = {}
    for kind, column in {(rule.layer, column) for rule in found for column, _ in rule.where}:
        for plan in plans:
            if not any(layer.present == "held" for layer in plan.of_kind(kind)):
                continue
            try:
                frame = plan.frame(kind)
            except EcospatialError as fault:
                say(f"{plan.name}：{fault}")
                continue
            there = frame[column].dropna() if column in frame else []
            values.setdefault((kind, column), set()).update(
                str(value).lower() if isinstance(value, bool) else str(value) for value in there
            )
    return values


def _shipped() -> tuple[list[Rule], list[Problem]]:
    from ecospatial.plans import data_folder
    from ecospatial.rules import read_pack

    found: list[Rule] = []
    problems: list[Problem] = []
    for path in sorted((data_folder("layers") / "packs").glob("*.yaml")):
        try:
            found += read_pack(path)
        except RuleError as fault:
            problems += fault.problems
    return found, problems


def _all_rules(plan_name: str | None) -> list[Any]:
    if plan_name is not None:
        return list(opened(plan_name).rules)
    found, problems = _shipped()
    if problems:
        raise RuleError(problems)
    return found


COMMANDS = (rules,)
