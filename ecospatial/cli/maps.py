"""``ecospatial map``: a plan, or a recipe, as a page."""

from __future__ import annotations

from pathlib import Path

import click

from ecospatial.cli.root import OK, opened, say
from ecospatial.errors import Problem, SiteError


@click.command("map")
@click.argument("recipe", required=False, metavar="[RECIPE]")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="规划名称或文件夹；给出配方时不用")
@click.option("--sites", metavar="FILE", help="一并绘出的地块文件")
@click.option("--crs", metavar="CRS", help="地块文件的坐标系")
@click.option("--out", metavar="FILE.html", help="默认为规划或配方的名称")
def map_(recipe: str | None, plan_name: str | None, sites: str | None, crs: str | None, out: str | None) -> int:
    """把规划的图层，或配方（*.yaml）列出的图层，绘成一个不需要网络的网页地图。"""
    from ecospatial import maps
    from ecospatial.maps.recipes import find_recipe, read_recipe
    from ecospatial.sites import read_sites

    if (recipe is None) == (plan_name is None):
        raise click.UsageError("请给出配方（*.yaml），或用 --plan 给出规划（二者取一）")
    found = None if recipe is None else find_recipe(recipe)
    if recipe is not None and found is None:
        raise SiteError(Problem(Path(recipe).name, None, "没有这个配方", "请给出 .yaml 文件，或随软件的配方名"))
    plan = opened(plan_name) if found is None and plan_name is not None else read_recipe(Path(str(found))).plan
    target = Path(out or f"{plan.name if found is None else found.stem}.html")
    if target.suffix.lower() not in (".html", ".htm"):
        raise SiteError(Problem(target.name, None, "本版本的地图只能写成网页", "文件名请以 .html 结尾"))
    frame = None if sites is None else read_sites(sites, plan=plan, crs=crs)
    maps.save(maps.draw(plan if found is None else found, sites=frame), target)
    say(f"已写入 {target}")
    return OK


COMMANDS = (map_,)
