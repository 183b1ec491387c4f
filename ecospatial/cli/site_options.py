"""How a file of sites is to be read: the same options and the same words wherever a command takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import say

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from ecospatial.plans import Plan

_OPTIONS: dict[str, dict[str, Any]] = {
    "crs": {"metavar": "CRS", "help": "地块文件的坐标系，如 EPSG:4549、gcj02；文件自带时不必写"},
    "layer": {"metavar": "NAME", "help": "地块文件中的图层、CAD 图层或工作表（有几个时）"},
    "towgs84": {"metavar": "PARAMS", "help": "七参数 dx,dy,dz,rx,ry,rz,ppm（米、角秒、ppm），与 --crs 同用"},
    "four_params": {"metavar": "PARAMS", "help": "四参数 dx,dy,angle,scale（米、度、比例），地方坐标到规划坐标"},
    "skip_bad": {"is_flag": True, "help": "跳过无法使用的地块并列出"},
    "allow_far": {"is_flag": True, "help": "允许地块远离规划范围"},
    "max_vertices": {"type": click.IntRange(min=1), "metavar": "N", "help": "顶点总数上限，默认五百万"},
}


def reading_options(
    *, without: tuple[str, ...] = (), layer: str = "--layer"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options that say how its sites are read; ``sites_of`` takes them.

    Parameters
    ----------
    without
        Names of options that have no meaning for this command.
    layer
        How the option for the layer of the file is called where ``--layer`` means something else.

    Returns
    -------
    Callable
        Adds the options to a command; in its arguments they are ``crs``, ``file_layer``, ``towgs84``,
        ``four_params``, ``skip_bad``, ``allow_far`` and ``max_vertices``.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, about in reversed(_OPTIONS.items()):
            if name in without:
                continue
            words = (layer, "file_layer") if name == "layer" else (f"--{name.replace('_', '-')}", name)
            command = click.option(*words, **about)(command)
        return command

    return add


def sites_of(source: str | list[str], plan: Plan, options: dict[str, Any], **more: Any) -> gpd.GeoDataFrame:
    """Read a file of sites the way the options say, and tell what was changed and skipped.

    Parameters
    ----------
    source
        What ``read_sites`` takes.
    plan
        The plan.
    options
        Those of ``reading_options``; others are left alone.
    **more
        What else ``read_sites`` is given.
    """
    from ecospatial.sites import read_sites

    return told(read_sites(source, plan=plan, **reading(options), **more))


def reading(options: dict[str, Any]) -> dict[str, Any]:
    """Give those of a command's options that ``read_sites`` takes."""
    names = {"file_layer" if name == "layer" else name: name for name in _OPTIONS}
    return {ours: options[name] for name, ours in names.items() if options.get(name) not in (None, False)}


def told(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Tell at the screen what was skipped, noticed and repaired."""
    for skipped in sites.attrs.get("skipped", []):
        say(f"已跳过，未作判定：{skipped['source']}（{skipped['site_id']}）：{skipped['problem']}")
    say(*sites.attrs.get("notices", []))
    for site_id, repair in sites["repair"].items():
        if repair:
            say(f"地块 {site_id}：{repair}")
    return sites
