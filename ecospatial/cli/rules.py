"""``ecospatial rules``: list, show."""

from __future__ import annotations

from typing import Any

import click

from ecospatial.cli.root import OK, on_option, opened
from ecospatial.errors import Problem, RuleError


@click.group()
def rules() -> None:
    """规则：列出、查看。"""


@rules.command("list")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="只列该规划的规则")
@on_option
def rules_list(plan_name: str | None, on: str | None) -> int:
    """列出规则；不给规划时列出随软件的全部规则包。"""
    from ecospatial.checking import day

    date = day(on)
    for rule in _all_rules(plan_name):
        if rule.in_force(date):
            state = "" if rule.verified else "（未核实）"
            click.echo(f"{rule.id:<10} {rule.title}{state}  [{rule.cite.instrument} {rule.cite.article or ''}]")
    return OK


@rules.command("show")
@click.argument("rule_id", metavar="ID")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="在该规划的规则中查找")
def rules_show(rule_id: str, plan_name: str | None) -> int:
    """查看一条规则的各个版本。"""
    from ecospatial.checking.framing import rule_row

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


def _all_rules(plan_name: str | None) -> list[Any]:
    from ecospatial.plans import data_folder
    from ecospatial.rules import read_pack

    if plan_name is not None:
        return list(opened(plan_name).rules)
    return [rule for path in sorted((data_folder("layers") / "packs").glob("*.yaml")) for rule in read_pack(path)]


COMMANDS = (rules,)
