"""``ecospatial report``: documents made again from a findings file, the plan not needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecospatial.cli.root import opened, say
from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from ecospatial.checks import Findings


@click.command()
@click.argument("findings", metavar="FINDINGS")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="核查时的规划；给出时图上也画规划图层")
@click.option("--template", metavar="FILE.docx", help="本单位的 Word 模板，用来写 report.docx")
@click.option("--out", required=True, metavar="DIR", help="结果写入的文件夹")
@click.option("--format", "formats", metavar="LIST", help="html,map,gpkg,json（默认这四种）,xlsx,docx,pdf,dxf,shp,txt")
@click.option("--timestamp", is_flag=True, help="在结果中写入生成时间")
def report(
    findings: str, plan_name: str | None, template: str | None, out: str, formats: str | None, *, timestamp: bool
) -> None:
    """由 findings.json 或 findings.gpkg 重新生成报告、地图、表格。"""
    from ecospatial import checks
    from ecospatial import export as room

    found = checks.read_findings(findings)
    if plan_name is not None:
        found = _with_plan(found, plan_name)
    wanted = None if formats is None else [name.strip() for name in formats.split(",") if name.strip()]
    if template is not None and wanted is None:
        wanted = ["docx"]
    for path in room.write(
        found, out, formats=wanted, timestamp=timestamp, template=None if template is None else Path(template)
    ):
        say(f"已写入 {path}")


def _with_plan(found: Findings, name: str) -> Findings:
    """Join findings with their plan; one whose layers differ from those of the check is refused."""
    plan = opened(name)
    now, then = plan.layer_table()["sha256"], found.layers["sha256"]
    differ = [layer for layer in then.index if layer not in now.index or (now[layer] or "") != (then[layer] or "")]
    if plan.name != found.meta.get("plan") or differ:
        what = f"图层 {'、'.join(map(str, differ))} 不同" if differ else f"核查时用的是 {found.meta.get('plan')}"
        hint = "请给出核查时的规划，或不写 --plan，或重新核查"
        raise SiteError(Problem(name, None, f"规划与核查结果不符：{what}", hint))
    return replace(found, plan=plan)


COMMANDS = (report,)
