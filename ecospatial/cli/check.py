"""``ecospatial check``: sites against the rules of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, REACHED, WRONG_INPUT, on_option, opened, plan_option, say
from ecospatial.cli.site_options import reading, reading_options, sites_of, told

if TYPE_CHECKING:
    from ecospatial.checks import Findings
    from ecospatial.plans import Plan


@click.command()
@click.argument("sites", nargs=-1, metavar="SITES...")
@click.option("--wkt", metavar="TEXT", help="直接给出一个地块的 WKT，代替文件")
@plan_option
@on_option
@reading_options()
@click.option("--facts", metavar="FILE", help="项目情况表（CSV 或 XLSX）")
@click.option("--activity", metavar="CODE", help="行业代码或名称（如 C26、化工），填入文件中空缺处")
@click.option("--works", metavar="KIND", help="建设性质 new、expansion、alteration、existing，填入空缺处")
@click.option("--out", metavar="DIR", help="结果写入的文件夹；不写则只在屏幕显示")
@click.option(
    "--format", "formats", metavar="LIST", help="html,map,gpkg,json（默认这四种）,xlsx,docx,pdf,dxf,shp,txt,parquet"
)
@click.option("--each", is_flag=True, help="每个地块各写一份（html、docx、pdf 或 xlsx），另写一本总表 findings.xlsx")
@click.option("--fail-on", metavar="HEADLINE", help="有地块的结论达到该值时以 1 退出")
@click.option("--at-least", metavar="VERDICT", help="只保留该判定及更重的")
@click.option("--only", metavar="KIND,...", help="只核这些图层种类的规则，如 eco_redline,basic_farmland")
@click.option("--ask", "asking", is_flag=True, help="逐条询问仍会改变结论的项目情况，直接回车表示不知道")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="线程数；分块核查时为进程数")
@click.option("--dask", metavar="ADDRESS", help="分块核查：由 Dask 集群的计算进程完成，如 tcp://10.0.0.1:8786")
@click.option("--part-rows", type=click.IntRange(min=1), metavar="N", help="分块核查：每块的地块数，不写则自动")
@click.option("--restart", is_flag=True, help="分块核查：放弃上次未完成的结果，从头开始")
@click.option("--timestamp", is_flag=True, help="在结果中写入生成时间")
def check(sites: tuple[str, ...], plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """检查地块是否触及规划中的管控要求。"""
    from ecospatial import checks
    from ecospatial.cli import chunked

    fail_on = options["fail_on"]
    if fail_on is not None:
        _require_headline(fail_on)
    if options["at_least"] is not None:
        checks.verdict_value(options["at_least"])
    options["only"] = _kinds(options["only"])
    wanted = None if formats is None else [name.strip() for name in formats.split(",") if name.strip()]
    if out is None and (options["each"] or wanted not in (None, ["json"])):
        raise click.UsageError("没有 --out 时只能用 --format json")
    in_parts = chunked.wanted_in_parts(sites, out, wanted, options)
    plan = opened(plan_name)
    if in_parts and out is not None:
        return chunked.check_in_parts(sites, plan, out, options | {"activity": _activity(options["activity"])})
    frame = _sites(sites, plan, options)
    if options["asking"]:
        frame = _asked(frame, plan, options)
    common = {name: options[name] for name in ("on", "at_least", "only", "jobs")}
    with chunked.rule_meter() as meter:
        findings = checks.check_frame(frame, plan, progress=meter.rules, **common)
    if options["each"] and out is not None:
        failed = _each(findings, out, wanted or ["docx"], options)
        if failed:
            return WRONG_INPUT
    else:
        _hand_over(findings, out, wanted, timestamp=options["timestamp"])
    reached = fail_on is not None and bool((findings.summary["headline"] >= fail_on).any())
    return REACHED if reached or (fail_on is not None and findings.meta["skipped"]) else OK


def _require_headline(text: str) -> None:
    """Refuse what is no headline.

    Raises
    ------
    SiteError
        There is no such headline; those that are there are named.
    """
    from ecospatial.errors import Problem, SiteError
    from ecospatial.model import HEADLINES

    if text not in HEADLINES:
        known = "、".join(f"{headline.value}（{headline.label}）" for headline in HEADLINES.values())
        raise SiteError(Problem("", "--fail-on", f"没有 {text[:60]} 这种结论", f"可选：{known}"))


def _kinds(text: str | None) -> list[str] | None:
    """Read the kinds of layers of ``--only``; the check itself refuses those that are not there."""
    return None if text is None else [name.strip() for name in text.replace("，", ",").split(",") if name.strip()]


def _asked(frame: Any, plan: Plan, options: dict[str, Any]) -> Any:
    from ecospatial import checks
    from ecospatial.cli.ask import ask
    from ecospatial.sites import read_sites

    date = checks.day(options["on"])
    found = checks.check_frame(frame, plan, on=date, only=options["only"], jobs=options["jobs"])
    answered = ask(found.sites, found, [rule for rule in plan.rules if rule.in_force(date)])
    return read_sites(answered, plan=plan, allow_far=True)


def _activity(text: str | None) -> str | None:
    """Turn what was given as --activity into codes, and say what it was taken for."""
    from ecospatial.cli.ask import activities
    from ecospatial.model import activity_label

    if text is None:
        return None
    codes = activities(text)
    if codes != text.strip():
        say(f"行业 {text} 按 {'、'.join(activity_label(code) for code in codes.split(';'))} 处理")
    return codes


def _sites(sources: tuple[str, ...], plan: Plan, options: dict[str, Any]) -> Any:
    from ecospatial.sites import from_wkt

    if (options["wkt"] is None) == (not sources):
        raise click.UsageError("请给出地块文件，或用 --wkt 给出一个地块（二者取一）")
    filled = {"activity": _activity(options["activity"]), "works": options["works"]}
    if options["wkt"] is None:
        source = sources[0] if len(sources) == 1 else list(sources)
        return sites_of(source, plan, options, facts=options["facts"], **filled)
    given = {name: value for name, value in reading(options).items() if name not in ("layer", "skip_bad")}
    return told(from_wkt(options["wkt"], plan=plan, **given, **filled))


def _hand_over(findings: Findings, out: str | None, formats: list[str] | None, *, timestamp: bool) -> None:
    from ecospatial import export

    if out is None and formats == ["json"]:
        click.echo(export.json_text(findings, timestamp=timestamp))
        return
    click.echo(export.summary_text(findings))
    if out is not None:
        for path in findings.write(out, formats=formats, timestamp=timestamp):
            say(f"已写入 {path}")


def _each(findings: Findings, out: str, formats: list[str], options: dict[str, Any]) -> int:
    """Write a document for each site and one book of all; give how many failed."""
    from ecospatial import export
    from ecospatial.batch import map_run
    from ecospatial.cli.maps import rendered

    click.echo(export.summary_text(findings))
    items, scene = map_run.of_sites(findings, documents=True)
    # The book first: it holds the answer, whatever becomes of a document.
    for path in findings.write(out, formats=["xlsx"]):
        say(f"已写入 {path}")
    return sum(rendered(items, scene, out, form=form, jobs=options["jobs"]) for form in formats)


COMMANDS = (check,)
