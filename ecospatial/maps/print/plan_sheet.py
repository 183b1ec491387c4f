"""A whole sheet for the wall or the file: the map of a recipe, a plan or a check, as PNG or as vector PDF, A4 or A3."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import model
from ecospatial.errors import EcospatialError, Problem
from ecospatial.maps.print import elements, fonts
from ecospatial.maps.print.builder import SheetBuilder
from ecospatial.maps.print.canvas import house_settings
from ecospatial.maps.print.extent import Bounds, crs_words, fit_sheet
from ecospatial.maps.print.layout import PAPERS
from ecospatial.maps.recipes import Recipe
from ecospatial.maps.style import read_styles, styled
from ecospatial.maps.web import layers
from ecospatial.maps.web.layer import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.checks import Findings
    from ecospatial.plans import Plan

FORMS = ("png", "pdf")
DPI = 200


def _layout(paper: str) -> Any:
    if paper not in PAPERS:
        raise EcospatialError(Problem("", None, f"没有 {paper} 这种纸张", f"可选：{'、'.join(PAPERS)}"))
    return PAPERS[paper]


def _bounds(plan: Plan | None, *frames: gpd.GeoDataFrame | None) -> Bounds:
    """Give the bounds of the first frame that has any geometry, else of the plan."""
    for frame in frames:
        if frame is not None and len(frame) and not frame.geometry.is_empty.all():
            west, south, east, north = frame.geometry.total_bounds.tolist()
            margin = max(0.05 * max(east - west, north - south), 200.0)
            return west - margin, south - margin, east + margin, north + margin
    if plan is not None and plan.area is not None:
        west, south, east, north = shapely.bounds(plan.area).tolist()
        return west, south, east, north
    raise EcospatialError(Problem("", None, "没有可绘制的图形", "请检查规划是否有图层，或地块是否有图形"))


def place_of(what: Recipe | Findings) -> tuple[Plan | None, tuple[str, ...], Bounds]:
    """Give the plan below a map, the kinds drawn of it (none: all that style.yaml shows), and the ground it shows."""
    if isinstance(what, Recipe):
        sites = None if what.findings is None else what.findings.sites
        return what.plan, what.layers, _bounds(what.plan, what.extent_frame(), sites)
    return what.plan, (), _bounds(what.plan, what.sites)


def _sources(grounds: Sequence[layers.DrawableLayer]) -> str:
    """Name where the layers drawn come from, each publisher once."""
    found = dict.fromkeys(plain_text(ground.layer.source.publisher) for ground in grounds)
    named = [text for text in found if text]
    return f"资料来源：{'、'.join(named) or '未登记'}"


def _notices(review_number: object, *, schematic: bool, more: Sequence[str] = ()) -> list[str]:
    own = [f"审图号：{plain_text(review_number)}" if review_number else model.NOTICE_INTERNAL]
    own += [model.NOTICE_SCHEMATIC] if schematic else []
    return own + [text for text in more if text not in own and text != model.NOTICE_INTERNAL]


def _sites(
    page: SheetBuilder, shapes: NDArray[np.object_], names: Sequence[object], colour: str | None, label: str
) -> None:
    sign = read_styles().site
    rows, paper = page.paper(shapes, np.arange(len(shapes)))
    if len(rows):
        page.put(paper, sign if colour is None else replace(sign, fill=colour), label, wide=True)
        page.labels.later([(shape, plain_text(names[row]), "site") for row, shape in zip(rows, paper, strict=True)])


def recipe_sheet(recipe: Recipe, *, paper: str = "a4", sites: gpd.GeoDataFrame | None = None) -> SheetBuilder:
    """Draw a recipe (a plan is one with all its layers) onto a sheet; ``sites`` in the CRS of the plan, not checked.

    Raises
    ------
    EcospatialError
        There is nothing to draw, no such paper, or no font with Chinese characters on this machine.
    """
    recipe.ready()
    if recipe.findings is not None:
        return findings_sheet(recipe.findings, paper=paper, recipe=recipe)
    layout, plan = _layout(paper), recipe.plan
    page = SheetBuilder(fit_sheet(place_of(recipe)[2], layout.frame_mm), layout, family=fonts.needed())
    grounds = [g for g in layers.grounds(plan, kinds=recipe.layers) if g.style.show or recipe.layers]
    for ground in grounds:
        page.ground(ground, labels=recipe.labels)
    if sites is not None and len(sites):
        _sites(page, sites.geometry.to_numpy(), list(sites.index), None, "项目地块（未核查）")
    days = [ground.layer.source.retrieved for ground in grounds if ground.layer.source.retrieved]
    remarks = [crs_words(plan.crs), _sources(grounds)]
    remarks += [f"资料日期：{max(map(str, days))}"] if days else []
    notices = _notices(plan.review_number, schematic=page.schematic)
    return _finished(page, recipe.title, f"规划数据 {plan.name}", remarks, notices)


def findings_sheet(findings: Findings, *, paper: str = "a4", recipe: Recipe | None = None) -> SheetBuilder:
    """Draw the findings of a check onto a sheet: sites by their headline, and the plan below them.

    A recipe chooses the layers, the extent and the title.

    Raises
    ------
    EcospatialError
        There is nothing to draw, no such paper, or no font with Chinese characters on this machine.
    """
    layout, plan, meta = _layout(paper), findings.plan, findings.meta
    page = SheetBuilder(fit_sheet(place_of(recipe or findings)[2], layout.frame_mm), layout, family=fonts.needed())
    grounds: list[layers.DrawableLayer] = []
    if plan is not None:
        on = dt.date.fromisoformat(meta["on"])
        kinds, labels = (recipe.layers, recipe.labels) if recipe is not None else ((), True)
        grounds = [g for g in layers.grounds(plan, on=on, kinds=kinds) if g.style.show or kinds]
        for ground in grounds:
            page.ground(ground, labels=labels)
        for _, strip in layers.strips(findings, plan, on=on).iterrows():
            _, shapes = page.paper(np.array([strip.geometry], dtype=object), np.zeros(1, dtype=np.intp))
            if len(shapes):
                page.put(shapes, read_styles().corridor, strip["range"])
    answers = layers.site_headlines(findings)
    for name, word in reversed(layers.headline_classes()):  # the worst on top
        rows = np.flatnonzero([answer == (name, word) for answer in answers])
        if len(rows):
            headline = model.HEADLINES[name]
            label = f"{headline.letter} {model.headline_text(name, word)}"
            names = [f"{headline.letter} {findings.sites.index[row]}" for row in rows]
            _sites(page, findings.sites.geometry.to_numpy()[rows], names, headline.colour, label)
    subject = plain_text(meta.get("title") or meta.get("plan"))
    remarks = [*elements.about(findings.sites.crs, plain_text(meta.get("on")), plain_text(meta.get("software")))]
    remarks += [_sources(grounds)] if plan is not None else ["由结果文件绘制，不含规划图层"]
    left_out = len(meta.get("skipped") or [])
    more = [f"有 {left_out} 个图形因有误未纳入核查，不表示通过"] if left_out else []
    more += [plain_text(text) for text in meta.get("notices", [])]
    notices = _notices(meta.get("review_number"), schematic=page.schematic, more=more)
    title = f"{subject}　空间管控核查图" if recipe is None else recipe.title
    return _finished(page, title, subject, remarks, notices)


def _finished(page: SheetBuilder, title: str, subtitle: str, remarks: list[str], notices: list[str]) -> SheetBuilder:
    page.labels.write()
    if page.around:
        remarks = [*remarks, f"图幅全部位于{'、'.join(dict.fromkeys(page.around))}之内"]
    elements.furnish(
        page.sheet, page.window, page.layout, legend=page.legend, remarks=remarks, notices=notices,
        schematic=page.schematic, title=plain_text(title), subtitle=plain_text(subtitle),
    )  # fmt: skip
    return page


def picture(what: Recipe | Findings, form: str, *, paper: str = "a4", dpi: int = DPI, sites: Any = None) -> bytes:
    """Draw a recipe or findings as ``png`` or ``pdf``; the same input gives the same bytes on the same machine.

    Parameters
    ----------
    what
        What to draw; a plan is ``Recipe(plan.title, plan)``.
    form
        ``png`` or ``pdf`` (vectors, characters as outlines of the font).
    paper
        ``a4`` or ``a3``, lying down.
    dpi
        Dots per inch of a PNG.
    sites
        Sites to draw on a recipe, in the CRS of its plan, not checked.

    Raises
    ------
    EcospatialError
        There is nothing to draw, no such paper, or no font with Chinese characters on this machine.
    """
    with house_settings(), styled(what.style if isinstance(what, Recipe) else None):
        if isinstance(what, Recipe):
            made = recipe_sheet(what, paper=paper, sites=sites)
        else:
            made = findings_sheet(what, paper=paper)
        return made.sheet.picture(form, dpi=dpi)
