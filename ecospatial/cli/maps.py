"""``ecospatial map``: a plan as a page."""

from __future__ import annotations

from pathlib import Path

import click

from ecospatial.cli.root import OK, opened, plan_option, say
from ecospatial.errors import Problem, SiteError


@click.command("map")
@plan_option
@click.option("--sites", metavar="FILE", help="一并绘出的地块文件")
@click.option("--crs", metavar="CRS", help="地块文件的坐标系")
@click.option("--out", metavar="FILE.html", help="默认 <规划名称>.html")
def map_(plan_name: str, sites: str | None, crs: str | None, out: str | None) -> int:
    """把规划的图层绘成一个不需要网络的网页地图。"""
    from ecospatial import maps
    from ecospatial.sites import read_sites

    plan = opened(plan_name)
    target = Path(out or f"{plan.name}.html")
    if target.suffix.lower() not in (".html", ".htm"):
        raise SiteError(Problem(target.name, None, "本版本的地图只能写成网页", "文件名请以 .html 结尾"))
    frame = None if sites is None else read_sites(sites, plan=plan, crs=crs)
    maps.save(maps.draw(plan, sites=frame), target)
    say(f"已写入 {target}")
    return OK


COMMANDS = (map_,)
