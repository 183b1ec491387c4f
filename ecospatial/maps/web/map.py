"""Plans and findings as a Folium map, one page that opens with a double click without internet; sites on paper as SVG.

No tiles unless a base map is asked for, no outside file, every text from a file shown as typed. What is drawn is
simplified for the screen; no number comes from it.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial import model
from ecospatial.errors import EcospatialError, Problem
from ecospatial.maps.faults import draw_or_tell, undrawn_notices
from ecospatial.maps.recipes import Recipe, find_recipe, read_recipe
from ecospatial.maps.style import styled
from ecospatial.maps.web import basemaps
from ecospatial.maps.web import layers as layers_
from ecospatial.maps.web.layer import CGCS2000, MapLayer, plain_text
from ecospatial.model.open_items import LEFT_OUT_TITLE, PLAN_OPEN_TITLE, left_out_line, plan_open_line
from ecospatial.plans import Plan, disclosure_of, open_plan

if TYPE_CHECKING:
    from os import PathLike

    import folium
    import geopandas as gpd

    from ecospatial.audits import Audit
    from ecospatial.checks import Findings
    from ecospatial.maps.web.basemaps import Basemap

__all__ = ["draw", "figure", "put", "save", "to_html"]

NOTICE_GCJ02 = "底图为 GCJ-02 偏移坐标，图形已随底图偏移，不可用于量算和定位"
_CHANGZHOU = [[31.70, 119.75], [31.90, 120.05]]  # shown when there is nothing to show


@dataclass(frozen=True, slots=True)
class _View:
    """What the page shows at first: in metres of a CRS, and as corners in degrees, latitude first."""

    metres: tuple[float, float, float, float] | None
    corners: list[list[float]]


def _view(*frames: gpd.GeoDataFrame | gpd.GeoSeries | None) -> _View:
    """Give the surroundings of the first frame that has any geometry."""
    for frame in frames:
        if frame is None or not len(frame) or frame.geometry.is_empty.all():
            continue
        west, south, east, north = frame.geometry.total_bounds.tolist()
        margin_m = max(0.06 * max(east - west, north - south), 300.0)
        metres = (west - margin_m, south - margin_m, east + margin_m, north + margin_m)
        moved = crs_room.transform(np.array([shapely.box(*metres)], dtype=object), CRS(frame.crs), CGCS2000)
        w, s, e, n = shapely.total_bounds(moved).round(6).tolist()
        return _View(metres, [[s, w], [n, e]])
    return _View(None, _CHANGZHOU)


def _district(plan: Plan | None) -> gpd.GeoSeries | None:
    import geopandas as gpd

    return None if plan is None or plan.area is None else gpd.GeoSeries([plan.area], crs=plan.crs)


def _notices(
    layers: list[MapLayer], review_number: str | None, more: list[str], base: Basemap | None = None
) -> list[str]:
    own = [f"审图号：{review_number}"] if review_number else [model.NOTICE_INTERNAL]
    if any(layer.schematic for layer in layers):
        own.append(model.NOTICE_SCHEMATIC)
    tolerance_m = max((layer.tolerance_m for layer in layers), default=0.0)
    if tolerance_m:
        own.append(f"图形为显示作了简化（不超过 {tolerance_m:g} m），不可用于量算")
    if base is not None and base.gcj02:
        own.append(NOTICE_GCJ02)
    extra = [text for text in more if text not in own and not (review_number and text == model.NOTICE_INTERNAL)]
    return own + extra


def _absent(plan: Plan, on: dt.date | None) -> list[tuple[str, str]]:
    """Name what is not on the map and why: nothing drawn must not read as nothing there."""
    words = {"missing": "未取得", "none": "本区不存在", "held": "不可用"}
    found: dict[str, list[str]] = {}
    for layer in plan.layers.values():
        if on is not None and not layer.valid_on(on):
            found.setdefault("当日不在有效期", []).append(layer.label)
        elif layer.present != "held" or plan.trouble(layer.name):
            found.setdefault(words[layer.present], []).append(layer.label)
        elif disclosure_of(layer) == "none":
            found.setdefault("不公开，只绘冲突", []).append(layer.label)
        elif layer.pixels is not None:
            found.setdefault("栅格，未绘制", []).append(layer.label)
    return [(why, "、".join(dict.fromkeys(labels))) for why, labels in found.items()]


def _draw_plan(recipe: Recipe, sites: gpd.GeoDataFrame | None, base: Basemap | None) -> folium.Map:
    from ecospatial.maps.web.page import assemble

    plan = recipe.plan
    if sites is not None and sites.crs is not None and not crs_room.same(CRS(sites.crs), plan.crs):
        moved = crs_room.transform(sites.geometry.to_numpy(), CRS(sites.crs), plan.crs)
        sites = sites.set_geometry(moved, crs=plan.crs)
    view = _view(recipe.extent_frame(), _district(plan))
    failed: list[str] = []
    layers = layers_.plan_layers(plan, kinds=recipe.layers, labels=recipe.labels, page=view.metres, failed=failed)
    layers += [] if sites is None else layers_.plain_sites(sites)
    heading: dict[str, Any] = {
        "title": recipe.title,
        "subtitle": f"规划数据 {plan.name}　坐标系 {plan.crs.to_string()}",
        "notices": _notices(layers, plan.review_number, undrawn_notices(failed), base),
        "absent": _absent(plan, None),
        "once": [],
    }
    return assemble(layers, view.corners, title=recipe.title, heading=heading, crs=plan.crs, base=base)


def _draw_recipe(recipe: Recipe, sites: gpd.GeoDataFrame | None, base: Basemap | None) -> folium.Map:
    recipe.ready()
    with styled(recipe.style):
        if recipe.findings is None:
            return _draw_plan(recipe, sites, base)
        return _draw_findings(recipe.findings, base, recipe)


def _once(findings: Findings) -> list[tuple[str, list[str]]]:
    """Put into lines what is open in the plan and what is left out: once on the map, not with every site."""
    lists = (
        (PLAN_OPEN_TITLE, [plain_text(plan_open_line(entry)) for entry in findings.plan_open]),
        (LEFT_OUT_TITLE, [plain_text(left_out_line(entry)) for entry in findings.left_out]),
    )
    return [(title, lines) for title, lines in lists if lines]


def _draw_findings(findings: Findings, base: Basemap | None, recipe: Recipe | None = None) -> folium.Map:
    from ecospatial.maps.web.page import assemble

    plan, meta = findings.plan, findings.meta
    left_out = len(meta.get("skipped") or [])
    more = [f"有 {left_out} 个图形因有误未纳入核查，不表示通过"] if left_out else []
    more += [plain_text(text) for text in meta.get("notices", [])]
    view = _view(None if recipe is None else recipe.extent_frame(), findings.sites, _district(plan))
    layers: list[MapLayer] = []
    failed: list[str] = []
    absent = [("未绘制", "规划图层（结果文件不含规划图层）")]
    if plan is not None:
        on = dt.date.fromisoformat(meta["on"])
        wanted: dict[str, Any] = {} if recipe is None else {"kinds": recipe.layers, "labels": recipe.labels}
        layers = layers_.plan_layers(plan, on=on, page=view.metres, failed=failed, **wanted)
        strips = partial(layers_.corridors, findings, plan, on=on, page=view.metres)
        layers += draw_or_tell(layers_.STRIP, strips, failed)
        absent = _absent(plan, on)
    layers += layers_.checked_sites(findings)
    layers += draw_or_tell("冲突范围", partial(layers_.conflicts, findings), failed)
    more += undrawn_notices(failed)
    title = plain_text(meta.get("title") or meta.get("plan"))
    heading: dict[str, Any] = {
        "title": f"{title}　空间管控核查图" if recipe is None else recipe.title,
        "subtitle": "　".join(
            [f"核查日期 {meta.get('on')}", f"{len(findings.summary)} 个地块", str(meta.get("software"))]
        ),
        "notices": _notices(layers, meta.get("review_number"), more, base),
        "absent": absent,
        "once": _once(findings),
    }
    crs = None if findings.sites.crs is None else CRS(findings.sites.crs)
    return assemble(layers, view.corners, title=heading["title"], heading=heading, crs=crs, base=base)


def draw(
    what: Plan | Recipe | Findings | Audit | str | PathLike[str],
    *,
    sites: gpd.GeoDataFrame | None = None,
    basemap: str | Basemap | None = None,
) -> folium.Map:
    """Draw a plan, the findings of a check, or an audit, as a Folium map.

    Parameters
    ----------
    what
        A plan, or its name or folder: its layers, zoomed to the district. A recipe (``*.yaml``, or the name of one
        in ``maps/``): what it lists. Findings: sites by verdict, conflicts,
        corridors, and the plan's layers when the findings hold the plan, zoomed to the sites. An audit: its faults
        over the plan, without sites and base map.
    sites
        Sites to draw on a plan, any projected CRS; findings have their own.
    basemap
        ``tianditu``, ``tianditu-image``, ``osm``, an address of tiles, or what ``maps.basemap`` gave. None, the
        default: the page fetches nothing.

    Returns
    -------
    folium.Map
        Carries all it needs: shown in a notebook or saved, it fetches nothing but the pictures of a base map.

    Raises
    ------
    PlanError
        There is no such plan, or ``maps/style.yaml`` is not understood.
    EcospatialError
        ``what`` is neither, or there is no such base map.

    Examples
    --------
    >>> page = to_html(draw("nanjing-gulou.yaml"))
    >>> "内部使用，未经审核，不得公开" in page
    True
    """
    base = None if basemap is None else basemaps.basemap(basemap)
    if isinstance(what, str | os.PathLike):
        recipe = find_recipe(what)
        if recipe is not None:
            return _draw_recipe(read_recipe(recipe), sites, base)
        what = open_plan(Path(what) if isinstance(what, os.PathLike) else what)
    if isinstance(what, Plan):
        what = Recipe(what.title, what)
    if isinstance(what, Recipe):
        return _draw_recipe(what, sites, base)
    if hasattr(type(what), "ledger") and sites is None and base is None:
        return what.map()
    if not hasattr(what, "summary"):
        hint = "请给出规划、核查结果或一致性核对结果；核对结果自带图形，不加地块和底图"
        raise EcospatialError(Problem("", None, f"不能绘制 {type(what).__name__}", hint))
    findings: Any = what
    return _draw_findings(findings, base)


def figure(findings: Findings, site_id: str) -> str:
    """Draw the map of one site for paper, as an SVG of 180 mm by 136 mm at a round scale.

    Parameters
    ----------
    findings
        What ``check`` returned.
    site_id
        One of its sites.

    Raises
    ------
    EcospatialError
        This machine has no font with Chinese characters, or there is no such site.
    """
    from ecospatial.maps.print import site_map

    return site_map.figure(findings, site_id)


def to_html(drawing: folium.Map) -> str:
    """Give the whole page as text; the same map gives the same text."""
    return str(drawing.get_root().render())


def save(drawing: folium.Map, path: str | PathLike[str]) -> Path:
    """Write a map as one HTML file; a file of that name is replaced when the new one is whole.

    Raises
    ------
    EcospatialError
        The place can not be written to.
    """
    return put(path, to_html(drawing).encode())


def put(path: str | PathLike[str], content: bytes) -> Path:
    """Write a file of a map; one of that name is replaced when the new one is whole.

    Raises
    ------
    EcospatialError
        The place can not be written to.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".ecospatial-", dir=target.parent) as room:
            whole = Path(room) / target.name
            whole.write_bytes(content)
            return whole.replace(target)
    except OSError as error:
        hint = "请检查输出位置，或关闭正在打开它的程序"
        raise EcospatialError(Problem(target.name, None, "文件不能写入", hint)) from error
