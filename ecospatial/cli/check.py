"""``ecospatial check``: sites against the rules of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, REACHED, on_option, opened, plan_option, say

if TYPE_CHECKING:
    from ecospatial.checking import Findings
    from ecospatial.plans import Plan


@click.command()
@click.argument("sites", nargs=-1, metavar="SITES...")
@click.option("--wkt", metavar="TEXT", help="直接给出一个地块的 WKT，代替文件")
@plan_option
@on_option
@click.option("--crs", metavar="CRS", help="地块文件的坐标系，如 EPSG:4549、gcj02；文件自带时不必写")
@click.option("--facts", metavar="FILE", help="项目情况表（CSV 或 XLSX）")
@click.option("--activity", metavar="CODE", help="行业代码，填入文件中空缺处")
@click.option("--works", metavar="KIND", help="建设性质 new、expansion、alteration、existing，填入空缺处")
@click.option("--out", metavar="DIR", help="结果写入的文件夹；不写则只在屏幕显示")
@click.option("--format", "formats", metavar="LIST", help="html,map,gpkg,json；默认四种")
@click.option("--fail-on", metavar="VERDICT", help="有地块达到该结论时以 1 退出")
@click.option("--at-least", metavar="VERDICT", help="只保留该结论及更重的")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="叠加计算的线程数")
@click.option("--skip-bad", is_flag=True, help="跳过无法使用的地块并列出")
@click.option("--allow-far", is_flag=True, help="允许地块远离规划范围")
@click.option("--timestamp", is_flag=True, help="在结果中写入生成时间")
def check(sites: tuple[str, ...], plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """检查地块是否触及规划中的管控要求。"""
    from ecospatial import checking

    fail_on = options["fail_on"]
    for verdict in (fail_on, options["at_least"]):
        if verdict is not None:
            checking.verdict_value(verdict)
    wanted = None if formats is None else [name.strip() for name in formats.split(",") if name.strip()]
    if out is None and wanted not in (None, ["json"]):
        raise click.UsageError("没有 --out 时只能用 --format json")
    plan = opened(plan_name)
    frame = _sites(sites, plan, options)
    findings = checking.check(frame, plan, on=options["on"], at_least=options["at_least"], jobs=options["jobs"])
    _hand_over(findings, out, wanted, timestamp=options["timestamp"])
    reached = fail_on is not None and bool((findings.summary["verdict"] >= fail_on).any())
    return REACHED if reached or (fail_on is not None and findings.meta["skipped"]) else OK


def _sites(sources: tuple[str, ...], plan: Plan, options: dict[str, Any]) -> Any:
    from ecospatial.sites import from_wkt, read_sites

    if (options["wkt"] is None) == (not sources):
        raise click.UsageError("请给出地块文件，或用 --wkt 给出一个地块（二者取一）")
    common = {name: options[name] for name in ("crs", "activity", "works")}
    if options["wkt"] is not None:
        frame = from_wkt(options["wkt"], plan=plan, allow_far=options["allow_far"], **common)
    else:
        source: Any = sources[0] if len(sources) == 1 else list(sources)
        more = {name: options[name] for name in ("facts", "skip_bad", "allow_far")}
        frame = read_sites(source, plan=plan, **common, **more)
    for skipped in frame.attrs.get("skipped", []):
        say(f"已跳过，未作判定：{skipped['source']}（{skipped['site_id']}）：{skipped['problem']}")
    say(*frame.attrs.get("notices", []))
    for site_id, repair in frame["repair"].items():
        if repair:
            say(f"地块 {site_id}：{repair}")
    return frame


def _hand_over(findings: Findings, out: str | None, formats: list[str] | None, *, timestamp: bool) -> None:
    from ecospatial import report

    if out is None and formats == ["json"]:
        click.echo(report.json_text(findings, timestamp=timestamp))
        return
    click.echo(report.summary_text(findings))
    if out is not None:
        for path in findings.write(out, formats=formats, timestamp=timestamp):
            say(f"已写入 {path}")


COMMANDS = (check,)
