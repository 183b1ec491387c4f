"""``ecospatial raster``: zones on a grid, and what changed between two dates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, on_option, opened, plan_option, say
from ecospatial.cli.site_options import reading_options, sites_of
from ecospatial.errors import PlanError, Problem, SiteError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from ecospatial.plans import Plan

_STATUS = {"met": "达标", "missed": "未达标", "cannot_tell": "不能判断"}
_STAT_LABELS = {
    "count": "像元数", "sum": "合计", "mean": "平均", "min": "最小", "max": "最大", "stdev": "标准差",
    "variance": "方差", "median": "中位数", "majority": "最多的值", "minority": "最少的值", "variety": "值的个数",
    "valid_share": "有数据的比例", "area_m2": "面积（m²）", "zone": "编号", "zone_name": "名称", "kind": "图层类型",
    "ndvi": "NDVI 平均", "ndvi_low": "NDVI 下限", "ndvi_high": "NDVI 上限", "ndvi_stdev": "NDVI 标准差",
}  # fmt: skip
_TARGET = re.compile(r"\s*(\w+)\s*(>=|<=)\s*(\d+(?:\.\d+)?)\s*(%?)\s*")
jobs_option = click.option("--jobs", type=click.IntRange(min=1), default=1, help="进程数")
zones_option = click.option("--zones", metavar="KIND,...", help="统计区的图层类型，逗号分隔")
out_option = click.option("--out", metavar="DIR", help="结果写入的文件夹；不写则只在屏幕显示")


@click.group()
def raster() -> None:
    """栅格：分区统计、指标、两期变化（需另装 ecospatial[raster]）。"""


@raster.command("zonal")
@plan_option
@on_option
@click.option("--layer", metavar="NAME", help="栅格图层的名称，默认最近一期土地覆盖")
@zones_option
@click.option("--file", "file", metavar="FILE", help="用这个文件里的面作统计区，代替规划的图层")
@reading_options(without=("allow_far",), layer="--file-layer")
@click.option("--stats", metavar="LIST", help="mean,min,max,p95,...；土地覆盖默认各类占比和指标")
@click.option("--target", "targets", metavar="NAME>=VALUE", multiple=True, help="如 tree_cover>=26.91%，可多次")
@click.option("--band", type=click.IntRange(min=1), default=1, help="波段，从 1 起")
@jobs_option
@out_option
@click.option("--format", "formats", metavar="LIST", help="csv,json；默认两种")
def zonal(plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """统计各区内的像元：类别占比和面积、指标及其可能范围、数值统计。"""
    from ecospatial.export import raster_change

    wanted = _formats(formats, ("csv", "json"), out)
    plan = opened(plan_name)
    zones = _zones(plan, options)
    layer, found = _measured(plan, zones, options)
    found = _judged(found, options["targets"])
    table = found.reset_index(names="zone")
    notices = raster_change.notices_of(plan, [layer, *dict.fromkeys(zones["layer"])])
    document = {
        "format": "ecospatial-zonal",
        "version": 1,
        "meta": {"plan": plan.name, "title": plan.title, "layer": layer, "notices": notices},
        "zones": raster_change.plain_rows(table),
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    if out is None:
        click.echo(text if wanted == ["json"] else _screen(table), nl=False)
    else:
        csv = raster_change.table_bytes(_labelled(table))
        contents = {"csv": ("zonal.csv", csv), "json": ("zonal.json", text.encode())}
        for path in raster_change.write_files(out, dict(contents[name] for name in wanted)):
            say(f"已写入 {path}")
    say(*notices)
    return OK


@raster.command("change")
@plan_option
@on_option
@click.option("--old", metavar="NAME", help="前期土地覆盖图层，默认倒数第二期")
@click.option("--new", metavar="NAME", help="后期土地覆盖图层，默认最近一期")
@zones_option
@click.option("--min-patch", type=click.FloatRange(min=0), default=None, help="最小图斑，平方米，默认 700")
@click.option("--tolerance", type=click.IntRange(0, 5), default=None, help="配准容差，像元，默认 1")
@jobs_option
@out_option
@click.option("--format", "formats", metavar="LIST", help="html,map,gpkg,csv,json；默认五种")
def change(plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """比较两期土地覆盖，列出各管控区内的变化图斑，按规则的严厉程度排序。"""
    from ecospatial import checks
    from ecospatial import raster as room
    from ecospatial.export import raster_change

    wanted = _formats(formats, tuple(raster_change.CHANGE_FORMATS), out)
    plan = opened(plan_name)
    limits = {"min_patch_m2": options["min_patch"], "tolerance_px": options["tolerance"]}
    found = room.watch(
        plan,
        old=options["old"],
        new=options["new"],
        kinds=_listed(options["zones"]),
        on=checks.day(options["on"]),
        jobs=options["jobs"],
        **{name: value for name, value in limits.items() if value is not None},
    )
    if out is not None:
        for path in raster_change.write_changes(found, plan, out, formats=wanted):
            say(f"已写入 {path}")
        click.echo(raster_change.changes_text(found))
    elif wanted == ["json"]:
        click.echo(raster_change.changes_json(found), nl=False)
    else:
        click.echo(raster_change.changes_text(found))
    say(*raster_change.notices_of(plan, [found.meta["old"], found.meta["new"]]), raster_change.NOTICE_CLUE)
    return OK


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _formats(text: str | None, known: tuple[str, ...], out: str | None) -> list[str]:
    wanted = _listed(text)
    if out is None and wanted not in (None, ["json"]):
        raise click.UsageError("没有 --out 时只能用 --format json")
    unknown = [name for name in wanted or () if name not in known]
    if unknown:
        hint = f"可选：{'、'.join(known)}"
        raise SiteError([Problem("", None, f"没有“{name}”这种输出格式", hint) for name in unknown])
    return list(known) if wanted is None else wanted


def _zones(plan: Plan, options: dict[str, Any]) -> gpd.GeoDataFrame:
    from ecospatial import raster as room

    kinds = _listed(options["zones"])
    if options["file"] is None:
        return room.zones_of(plan, kinds or ["district", "town"])
    if kinds is not None:
        raise click.UsageError("--zones 和 --file 只能用一个")
    sites = sites_of(options["file"], plan, options, allow_far=True)
    about = {"kind": "file", "layer": Path(options["file"]).name, "zone_name": sites["site_name"]}
    return sites.assign(**about)


def _measured(plan: Plan, zones: gpd.GeoDataFrame, options: dict[str, Any]) -> tuple[str, pd.DataFrame]:
    from ecospatial import checks
    from ecospatial import raster as room

    taken = room.pictures(plan, "land_cover", on=checks.day(options["on"]))
    name = options["layer"] or (taken[-1].name if taken else None)
    if name is None or name not in plan.layers or plan.layers[name].pixels is None:
        rasters = "、".join(x.name for x in plan.layers.values() if x.pixels is not None and x.present == "held")
        problem = f"没有名为 {name} 的栅格图层" if name else "规划没有可用的土地覆盖图层"
        raise PlanError(Problem("plan.yaml", None, problem, f"可选：{rasters or '无'}；用 --layer 指明"))
    grid, stats = room.grid_of(plan, name), _listed(options["stats"])
    found = zones[["zone_name", "kind"]]
    common: dict[str, Any] = {"jobs": options["jobs"]}
    if stats is not None or not (grid.classes or grid.bands):
        plain = room.zonal(zones, grid, stats or ["mean", "min", "max", "p5", "p95"], band=options["band"], **common)
        return name, found.join(plain)
    if grid.bands:
        return name, found.join(room.ndvi(zones, grid, **common))
    shares = room.zonal(zones, grid, band=options["band"], **common)
    both = room.indicators(zones, grid, **common).drop(columns=["area_m2", "valid_share"])
    return name, found.join(shares).join(both)


def _judged(found: pd.DataFrame, targets: tuple[str, ...]) -> pd.DataFrame:
    from ecospatial import raster as room

    for text in targets:
        match = _TARGET.fullmatch(text)
        if match is None:
            raise SiteError(Problem("", None, f"看不懂目标 {text}", "如 tree_cover>=26.91% 或 tree_cover>=0.2691"))
        name, compare, number, percent = match.groups()
        if f"{name}_low" not in found:
            known = "、".join(n.removesuffix("_low") for n in map(str, found) if n.endswith("_low"))
            raise SiteError(Problem("", None, f"没有指标 {name}", f"可选：{known or '无'}"))
        value = float(number) / (100 if percent else 1)
        status = room.judge(found[f"{name}_low"], found[f"{name}_high"], compare, value)
        found = found.assign(**{f"{name}_status": status})
    return found


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table Chinese headers and words."""
    from ecospatial.model import KINDS

    words = table.rename(columns=str)
    words = words.assign(kind=[KINDS[kind].label if kind in KINDS else "文件" for kind in table["kind"]])
    for column in [name for name in words if str(name).endswith("_status")]:
        words[column] = words[column].map(_STATUS)
    return words.rename(columns={name: _header(str(name)) for name in words})


def _screen(table: pd.DataFrame) -> str:
    """Give what fits on a screen: of an indicator its share with the possible range, not the areas of classes."""
    from ecospatial.export import raster_change

    short = table[[name for name in table if not str(name).startswith(("share_", "area_m2_", "mu_"))]].copy()
    for name in [n.removesuffix("_low") for n in map(str, table) if n.endswith("_low")]:
        if not name.startswith("ndvi"):
            ranges = zip(short[name], short[f"{name}_low"], short[f"{name}_high"], strict=True)
            short[name] = ["" if v != v else f"{v:.1%}（{low:.1%}～{high:.1%}）" for v, low, high in ranges]
            short = short.drop(columns=[f"{name}_low", f"{name}_high"])
    return raster_change.frame_text(_labelled(short.drop(columns="zone"))) + "\n"


def _header(name: str) -> str:
    from ecospatial import raster as room
    from ecospatial.plans import COVERS

    if name in _STAT_LABELS:
        return _STAT_LABELS[name]
    for start, label in (("share_", "占比"), ("area_m2_", "面积（m²）"), ("mu_", "面积（亩）")):
        if name.startswith(start):
            word = name.removeprefix(start)
            return f"{COVERS.get(word, '未定义类别' if word == 'unlabelled' else word)}{label}"
    for end, label in (("_low", "下限"), ("_high", "上限"), ("_status", "达标情况"), ("", "")):
        indicator = room.INDICATORS.get(name.removesuffix(end) if end else name)
        if indicator is not None and name.endswith(end):
            return f"{indicator.label}{label}"
    return name


COMMANDS = (raster,)
