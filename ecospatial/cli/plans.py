"""``ecospatial plan``: list, show, validate."""

from __future__ import annotations

from typing import Any

import click

from ecospatial.cli.root import OK, WRONG_INPUT, opened, say


@click.group()
def plan() -> None:
    """规划：列出、查看、核对。"""


@plan.command("list")
def plan_list() -> int:
    """列出随软件提供的规划。"""
    from ecospatial.plans import list_plans

    for name in list_plans():
        click.echo(f"{name}  {opened(name).title}")
    return OK


@plan.command("show")
@click.argument("name", metavar="PLAN")
def plan_show(name: str) -> int:
    """列出规划持有、不存在和未取得的图层，以及应向谁取得。"""
    shown = opened(name)
    table = shown.layer_table()
    click.echo(f"{shown.title}（{shown.name}），{shown.crs.to_string()}，规则 {len(shown.rule_versions())} 条")
    for present, heading in (("held", "持有"), ("none", "本区不存在"), ("missing", "未取得")):
        rows = table[table["present"] == present]
        if len(rows):
            click.echo(f"\n{heading}：")
        for layer, row in rows.iterrows():
            click.echo("  " + _layer_line(str(layer), {str(key): value for key, value in row.items()}))
    return OK


def _layer_line(name: str, row: dict[str, Any]) -> str:
    from ecospatial.model import STATUS_LABELS

    if row["present"] == "missing":
        return f"{row['label']}（{row['kind']}）：请向{row['publisher'] or '主管部门'}取得"
    parts = [f"{row['label']}（{name}）"]
    if row["present"] == "held":
        accuracy = row["accuracy_m"]
        parts += [
            STATUS_LABELS.get(row["status"], ""),
            "精度未知" if accuracy != accuracy else f"±{accuracy:g} m",
        ]
    parts += [f"覆盖 {row['coverage']}", f"来源 {row['publisher'] or '未填写'}"]
    if row["problem"]:
        parts.append(f"不可用：{row['problem']}")
    return "，".join(parts)


@plan.command("validate")
@click.argument("folder", metavar="DIR")
@click.option("--seal", is_flag=True, help="登记每个图层文件的 sha256")
def plan_validate(folder: str, *, seal: bool) -> int:
    """核对规划文件夹：缺什么、错什么，逐条列出。"""
    from ecospatial import plans

    checked = opened(folder)
    if seal:
        for name in plans.seal(checked):
            say(f"已登记 {name}")
        checked = opened(folder)
    problems = checked.validate()
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{checked.name}：{len(problems)} 个问题" if problems else f"{checked.name}：没有问题")
    return WRONG_INPUT if problems else OK


COMMANDS = (plan,)
