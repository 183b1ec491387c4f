"""The commands, and how they end: docs/interface.md section 9."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecospatial import __version__
from ecospatial.errors import EcospatialError, Problem, RuleError, SiteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from ecospatial.checking import Findings
    from ecospatial.plans import Plan

OK, REACHED, WRONG_INPUT, PROGRAM_FAULT, STOPPED = 0, 1, 2, 3, 130
plan_option = click.option("--plan", "plan_name", required=True, metavar="NAME|DIR", help="规划名称或文件夹")
on_option = click.option("--on", metavar="DATE", help="以哪一天的规则和图层为准，YYYY-MM-DD，默认今天")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with _Faults():
        code = cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
        sys.exit(code if isinstance(code, int) else OK)


class _Faults:
    """Turn whatever ends a command into a readable line and the right exit code."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End with the code that fits the fault."""
        if fault is None or isinstance(fault, SystemExit):
            return
        if isinstance(fault, EcospatialError):
            _say(*(f"错误：{problem}" for problem in fault.problems))
            raise SystemExit(WRONG_INPUT) from None
        if isinstance(fault, click.exceptions.Exit):
            raise SystemExit(fault.exit_code) from None
        if isinstance(fault, click.Abort | KeyboardInterrupt):
            _say("已停止")
            raise SystemExit(STOPPED) from None
        if isinstance(fault, click.ClickException):
            _say(f"错误：用法不对：{fault.format_message()}", "用 --help 查看用法")
            raise SystemExit(WRONG_INPUT) from None
        if isinstance(fault, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(OK) from None
        if isinstance(fault, Exception):
            details = "".join(traceback.format_exception(kind, fault, trace))
            with tempfile.NamedTemporaryFile(
                "w", prefix="ecospatial-fault-", suffix=".txt", delete=False, encoding="utf-8"
            ) as file:
                file.write(details)
            _say(f"程序内部错误（{type(fault).__name__}），不是您的数据的问题；详情见 {file.name}，请反馈")
            raise SystemExit(PROGRAM_FAULT) from None


def _say(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="ecospatial %(version)s")
def cli() -> None:
    """空间管控符合性检查：地块是否触及管控区，依据哪一条，差多少，有多大把握。"""


# --------------------------------------------------------------------------------------------- check


@cli.command()
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
    plan = _open(plan_name)
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
        _say(f"已跳过，未作判定：{skipped['source']}（{skipped['site_id']}）：{skipped['problem']}")
    for site_id, repair in frame["repair"].items():
        if repair:
            _say(f"地块 {site_id}：{repair}")
    return frame


def _hand_over(findings: Findings, out: str | None, formats: list[str] | None, *, timestamp: bool) -> None:
    from ecospatial import report

    if out is None and formats == ["json"]:
        click.echo(report.json_text(findings, timestamp=timestamp))
        return
    click.echo(report.summary_text(findings))
    if out is not None:
        for path in findings.write(out, formats=formats, timestamp=timestamp):
            _say(f"已写入 {path}")


def _open(name: str) -> Plan:
    from ecospatial.plans import open_plan

    return open_plan(name)


# ----------------------------------------------------------------------------------------------- map


@cli.command("map")
@plan_option
@click.option("--sites", metavar="FILE", help="一并绘出的地块文件")
@click.option("--crs", metavar="CRS", help="地块文件的坐标系")
@click.option("--out", metavar="FILE.html", help="默认 <规划名称>.html")
def map_(plan_name: str, sites: str | None, crs: str | None, out: str | None) -> int:
    """把规划的图层绘成一个不需要网络的网页地图。"""
    from ecospatial import maps
    from ecospatial.sites import read_sites

    plan = _open(plan_name)
    target = Path(out or f"{plan.name}.html")
    if target.suffix.lower() not in (".html", ".htm"):
        raise SiteError(Problem(target.name, None, "本版本的地图只能写成网页", "文件名请以 .html 结尾"))
    frame = None if sites is None else read_sites(sites, plan=plan, crs=crs)
    maps.save(maps.draw(plan, sites=frame), target)
    _say(f"已写入 {target}")
    return OK


# ---------------------------------------------------------------------------------------------- plan


@cli.group()
def plan() -> None:
    """规划：列出、查看、核对。"""


@plan.command("list")
def plan_list() -> int:
    """列出随软件提供的规划。"""
    from ecospatial.plans import list_plans

    for name in list_plans():
        click.echo(f"{name}  {_open(name).title}")
    return OK


@plan.command("show")
@click.argument("name", metavar="PLAN")
def plan_show(name: str) -> int:
    """列出规划持有、不存在和未取得的图层，以及应向谁取得。"""
    shown = _open(name)
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

    opened = _open(folder)
    if seal:
        for name in plans.seal(opened):
            _say(f"已登记 {name}")
        opened = _open(folder)
    problems = opened.validate()
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{opened.name}：{len(problems)} 个问题" if problems else f"{opened.name}：没有问题")
    return WRONG_INPUT if problems else OK


# --------------------------------------------------------------------------------------------- rules


@cli.group()
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
        return list(_open(plan_name).rules)
    return [rule for path in sorted((data_folder("layers") / "packs").glob("*.yaml")) for rule in read_pack(path)]


if __name__ == "__main__":
    main()
