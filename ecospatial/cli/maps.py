"""``ecospatial map``: a plan, a recipe or sites as a page, a picture or a sheet; or many of them at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, WRONG_INPUT, on_option, opened, say
from ecospatial.cli.site_options import reading_options, sites_of
from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from ecospatial.batch.map_jobs import MapJob, MapRunSpec
    from ecospatial.maps import Basemap
    from ecospatial.maps.recipes import Recipe

EVERY_S = 2.0  # between two lines of progress
_PAGES, _PICTURES = (".html", ".htm"), (".png", ".pdf")


@click.command("map")
@click.argument("recipe", required=False, metavar="[RECIPE]")
@click.option("--plan", "plan_name", metavar="NAME|DIR", help="规划名称或文件夹；给出配方时不用")
@click.option("--recipes", metavar="DIR", help="文件夹中的每个配方（*.yaml）各出一幅图")
@click.option("--each", type=click.Choice(["district", "town"]), help="规划的全区或每个街道、镇各出一幅图")
@click.option("--sites", metavar="FILE", help="一并绘出的地块文件；--out 为文件夹时先核查，每个地块各出一幅图")
@reading_options()
@on_option
@click.option("--out", metavar="FILE|DIR", help="文件名以 .html、.png 或 .pdf 结尾；多幅图时为文件夹")
@click.option("--format", "form", type=click.Choice(["html", "png", "pdf"]), default="html", help="多幅图时的格式")
@click.option("--paper", type=click.Choice(["a4", "a3"]), default="a4", help="png 和 pdf 的纸张（横放）")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="多幅图时的进程数")
@click.option("--basemap", metavar="NAME|URL", help="网页的底图：tianditu、tianditu-image、osm 或瓦片地址；默认没有")
@click.option("--basemap-key", metavar="KEY", help="天地图密钥，只写进所绘的网页；也可用环境变量 TIANDITU_KEY")
@click.option("--gcj02", is_flag=True, help="瓦片地址是 GCJ-02 偏移坐标，图形随之偏移并注明")
def map_(recipe: str | None, plan_name: str | None, sites: str | None, out: str | None, **options: Any) -> int:
    """把规划的图层，或配方（*.yaml）列出的图层，绘成不需要网络的网页、图片或图纸。"""
    given = [recipe is not None, plan_name is not None, options["recipes"] is not None]
    if sum(given) != 1:
        raise click.UsageError("请给出配方（*.yaml），或用 --plan 给出规划，或用 --recipes 给出配方的文件夹（取其一）")
    target = None if out is None else Path(out)
    many = options["recipes"] is not None or options["each"] is not None
    if many or (sites is not None and target is not None and not target.suffix):
        if target is None or target.suffix.lower() in (*_PAGES, *_PICTURES):
            raise click.UsageError("多幅图请用 --out 给出文件夹")
        if recipe is not None:
            raise click.UsageError("多幅图请用 --plan 给出规划")
        if options["basemap"] is not None:
            raise click.UsageError("底图只用于单幅网页")
        items, scene = _items(plan_name, sites, options)
        how = {"form": options["form"], "paper": options["paper"], "jobs": options["jobs"]}
        return WRONG_INPUT if rendered(items, scene, target, **how) else OK
    found = _recipe(recipe, plan_name)
    target = target or Path(f"{found.plan.name if recipe is None else Path(recipe).stem}.html")
    _one(found, target, sites, options)
    say(f"已写入 {target}")
    return OK


def _recipe(recipe: str | None, plan_name: str | None) -> Recipe:
    from ecospatial.maps.recipes import Recipe, find_recipe, read_recipe

    if recipe is None:
        plan = opened(str(plan_name))
        return Recipe(plan.title, plan)
    found = find_recipe(recipe)
    if found is None:
        raise SiteError(Problem(Path(recipe).name, None, "没有这个配方", "请给出 .yaml 文件，或随软件的配方名"))
    return read_recipe(found)


def _one(recipe: Recipe, target: Path, sites: str | None, options: dict[str, Any]) -> None:
    from ecospatial import maps
    from ecospatial.batch import map_run
    from ecospatial.maps.print import plan_sheet

    form = target.suffix.lower()
    if form not in (*_PAGES, *_PICTURES):
        hint = "文件名请以 .html、.png 或 .pdf 结尾"
        raise SiteError(Problem(target.name, None, f"地图不能写成 {form or '没有后缀的文件'}", hint))
    frame = None if sites is None else sites_of(sites, recipe.plan, options)
    recipe = map_run.checked(recipe)
    if form in _PAGES:
        maps.save(maps.draw(recipe, sites=frame, basemap=_basemap(options)), target)
    elif options["basemap"] is not None:
        raise click.UsageError("底图只用于网页，不用于图片和图纸")
    else:
        maps.put(target, plan_sheet.picture(recipe, form.lstrip("."), paper=options["paper"], sites=frame))


def _basemap(options: dict[str, Any]) -> Basemap | None:
    from ecospatial import maps

    name, key, gcj02 = options["basemap"], options["basemap_key"], options["gcj02"]
    if name is None and (key is not None or gcj02):
        raise click.UsageError("--basemap-key 和 --gcj02 要与 --basemap 同用")
    if name is None:
        return None
    if name.startswith("tianditu"):
        say("网页中写有天地图密钥，转交他人前请注意；密钥不写入其他文件")
    return maps.basemap(name, key=key, gcj02=gcj02)


def _items(plan_name: str | None, sites: str | None, options: dict[str, Any]) -> tuple[list[MapJob], MapRunSpec]:
    from ecospatial import checks
    from ecospatial.batch import map_run

    if options["recipes"] is not None:
        return map_run.of_recipes(Path(options["recipes"]))
    plan = opened(str(plan_name))
    if options["each"] is not None:
        return map_run.of_plan(plan, options["each"])
    findings = checks.check_frame(sites_of(str(sites), plan, options), plan, on=options["on"])
    return map_run.of_sites(replace(findings, plan=plan))


def rendered(
    items: list[MapJob], scene: MapRunSpec, out: str | Path, *, form: str, jobs: int, paper: str = "a4"
) -> int:
    """Make a file for each item, telling how far it is; give how many failed."""
    from ecospatial.batch import map_run

    last = [0.0]

    def told(done: int, whole: int, seconds: float) -> None:
        if seconds - last[0] < EVERY_S and done < whole:
            return
        last[0] = seconds
        rate = done / max(seconds, 1e-9)
        left = (whole - done) / rate
        say(f"{done}/{whole}　{rate:.1f} 份/秒　还需 {int(left) // 60}:{int(left) % 60:02d}")

    found = map_run.render(items, scene, out, form=form, paper=paper, jobs=jobs, told=told)
    say(f"已写入 {out}：新作 {len(found.made)} 份，未变 {len(found.kept)} 份，目录见 index.html")
    for title, why in found.failed:
        say(f"错误：未能完成 {title}：{why}")
    return len(found.failed)


COMMANDS = (map_,)
