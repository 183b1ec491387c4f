"""``ecospatial audit``, ``ecospatial base-map``: the plan against itself, and what may go where."""

from __future__ import annotations

from pathlib import Path

import click

from ecospatial.cli.root import OK, on_option, opened, plan_option, say
from ecospatial.errors import Problem, SiteError
from ecospatial.model import FACTS, fact_value


@click.command("audit")
@plan_option
@on_option
@click.option("--out", metavar="DIR", help="结果写入的文件夹；不写则只在屏幕显示")
@click.option("--sliver", "sliver_m", type=float, metavar="M", help="任何一处都不宽于此数（米）的记为碎屑，默认 2")
@click.option("--timestamp", is_flag=True, help="在结果中写入生成时间")
def audit(plan_name: str, on: str | None, out: str | None, sliver_m: float | None, *, timestamp: bool) -> int:
    """核对规划本身：拓扑、位置、公布的指标，并给出面积台账。"""
    from ecospatial import audits
    from ecospatial.audits._text import summary_text

    width = audits.SLIVER_M if sliver_m is None else sliver_m
    found = audits.audit(opened(plan_name), on=on, sliver_m=width)
    click.echo(summary_text(found))
    if out is not None:
        for path in found.write(out, timestamp=timestamp):
            say(f"已写入 {path}")
    return OK


@click.command("base-map")
@plan_option
@on_option
@click.option("--activity", metavar="CODE", help="行业代码或名称（如 C26、化工）；不写则与行业有关的规则都待补充信息")
@click.option("--works", metavar="KIND", default="new", show_default=True, help="建设性质")
@click.option("--land-use", metavar="CODE", help="用地性质")
@click.option("--fact", "facts", multiple=True, metavar="NAME=是|否", help=f"项目情况，可多次：{'、'.join(FACTS)}")
@click.option("--out", metavar="DIR", help="写入 base_map.html 和 base_map.gpkg 的文件夹")
def base_map(
    plan_name: str, on: str | None, activity: str | None, works: str, land_use: str | None, facts: tuple[str, ...],
    out: str | None,
) -> int:  # fmt: skip
    """一张底图：把全部管控叠在一起，说明某类项目在区内何处能不能建，各有多少面积。"""
    from ecospatial.checks import control_overlay, control_overlay_files
    from ecospatial.cli.ask import activities
    from ecospatial.model import VERDICTS

    plan = opened(plan_name)
    codes = None if activity is None else activities(activity)
    pieces = control_overlay.base_map(plan, activity=codes, works=works, on=on, land_use=land_use, facts=_facts(facts))
    click.echo(f"{plan.title}　{pieces.attrs['project']}　{pieces.attrs['on']}　共 {len(pieces)} 片")
    for column, label in (("decided", "已判定"), ("verdict", "最重判定")):
        for name, row in control_overlay.area_by_verdict(pieces, column=column).iterrows():
            verdict = VERDICTS[str(name)].label if name in VERDICTS else "未决"
            click.echo(
                f"{label}　{verdict}：{row['area_m2'] / 1e4:,.4f} 公顷（{row['share']:.2%}，{row['pieces']:g} 片）"
            )
    for notice in pieces.attrs["notices"]:
        click.echo(f"注意：{notice}")
    if out is not None:
        for path in control_overlay_files.write_base_map(pieces, plan, Path(out)):
            say(f"已写入 {path}")
    return OK


def _facts(given: tuple[str, ...]) -> dict[str, bool]:
    found, problems = {}, []
    for text in given:
        name, _, answer = text.partition("=")
        try:
            value = fact_value(answer)
        except ValueError:
            value = None
        if name not in FACTS or value is None:
            problems.append(Problem("", None, f"不认识 --fact {text}", f"如 new_outfall=是；可选：{'、'.join(FACTS)}"))
        else:
            found[name] = value
    if problems:
        raise SiteError(problems)
    return found


COMMANDS = (audit, base_map)
