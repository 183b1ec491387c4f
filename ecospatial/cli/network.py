"""``ecospatial network`` and ``ecospatial sewers``: the waters of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, on_option, opened, plan_option, say
from ecospatial.cli.site_options import reading_options, sites_of
from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    import geopandas as gpd

    from ecospatial.plans import Plan
    from ecospatial.water import WaterStudy

out_option = click.option("--out", metavar="DIR", help="写入 GeoPackage、Excel 和网页地图的文件夹；不写则只在屏幕显示")
format_option = click.option("--format", "formats", metavar="LIST", help="gpkg,xlsx,map,json；默认前三种")
snap_option = click.option("--snap", type=click.FloatRange(min=0), default=None, help="端点吸附距离，米，默认 1")
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("network")
@plan_option
@on_option
@snap_option
@click.option("--max-gap", type=_POSITIVE, default=None, help="考虑打通的最长缺口，米，默认 300")
@click.option("--corridor", type=_POSITIVE, default=None, help="两岸廊道宽度，米，默认 50")
@click.option("--break", "break_", type=_POSITIVE, default=None, help="列出长于此的绿廊断点，米，默认 100")
@click.option("--sites", metavar="FILE", help="一并列入断面上游、并追踪下游影响的地块文件")
@reading_options()
@click.option("--from", "place", metavar="X,Y", help="事故地点：经度,纬度（CGCS2000），或规划坐标系的东,北（米）")
@click.option("--speed", type=_POSITIVE, default=None, help="平均流速，米/秒，用于计算到达时间")
@out_option
@format_option
def network(plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """河网：是否连通、断头浜、缺口、环、密度、断面上游、下游影响、两岸廊道。"""
    from ecospatial import checks, water

    wanted = _formats(formats, out)
    plan = opened(plan_name)
    given = {
        "snap_m": options["snap"],
        "max_gap_m": options["max_gap"],
        "corridor_m": options["corridor"],
        "break_m": options["break_"],
        "speed_m_s": options["speed"],
    }
    study = water.rivers(
        plan,
        on=None if options["on"] is None else checks.day(options["on"]),
        sites=None if options["sites"] is None else sites_of(options["sites"], plan, options),
        accident=_accident(options["place"], plan),
        **{name: value for name, value in given.items() if value is not None},
    )
    return _hand_over(study, out, wanted)


@click.command("sewers")
@plan_option
@on_option
@snap_option
@click.option("--litres-per-head", type=_POSITIVE, default=None, help="人均污水量，升/（人·日）；不给则只用实测水量")
@click.option("--min-slope", type=click.FloatRange(min=0), default=0.0, help="管道最小坡度，米/米，默认 0")
@out_option
@format_option
def sewers(plan_name: str, out: str | None, formats: str | None, **options: Any) -> int:
    """排水：管网空白区和重叠、污水厂负荷、分流和达标占比、排污口和溢流口、管道缺陷。"""
    from ecospatial import checks, water

    wanted = _formats(formats, out)
    snap = {} if options["snap"] is None else {"snap_m": options["snap"]}
    study = water.sewers(
        opened(plan_name),
        on=None if options["on"] is None else checks.day(options["on"]),
        litres_per_head_d=options["litres_per_head"],
        min_slope=options["min_slope"],
        **snap,
    )
    return _hand_over(study, out, wanted)


def _formats(text: str | None, out: str | None) -> list[str] | None:
    from ecospatial.water.write import known

    wanted = None if text is None else known([part.strip() for part in text.split(",") if part.strip()])
    if out is None and wanted not in (None, ["json"]):
        raise click.UsageError("没有 --out 时只能用 --format json")
    return wanted


def _hand_over(study: WaterStudy, out: str | None, formats: list[str] | None) -> int:
    if out is None and formats == ["json"]:
        click.echo(study.json(), nl=False)
        return OK
    click.echo(study.text())
    if out is not None:
        for path in study.write(out, formats=formats):
            say(f"已写入 {path}")
    return OK


def _accident(text: str | None, plan: Plan) -> gpd.GeoDataFrame | None:
    """Read a place: degrees where both numbers can be longitude and latitude, else metres of the plan."""
    if text is None:
        return None
    import geopandas as gpd
    import numpy as np
    import shapely

    from ecospatial import crs

    parts = text.replace("，", ",").split(",")
    try:
        x, y = (float(part) for part in parts)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise ValueError(text)
    except ValueError as fault:
        raise SiteError(
            Problem("", None, f"地点 {text} 不可用", "请写成 经度,纬度 或 东,北，如 119.85,31.80")
        ) from fault
    point = np.array([shapely.Point(x, y)], dtype=object)
    if abs(x) <= 180 and abs(y) <= 90:
        point = crs.transform(point, crs.CGCS2000, plan.crs)
    return gpd.GeoDataFrame(geometry=point, index=["事故地点"], crs=plan.crs)


COMMANDS = (network, sewers)
