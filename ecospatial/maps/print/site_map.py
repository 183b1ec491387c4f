"""The map of one site on paper: drawn at a round scale, with frame, legend, scale bar, north arrow, CRS and day.

What is drawn is clipped and simplified to a fraction of a printed dot; no number shown is computed from it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial import model
from ecospatial.errors import EcospatialError, Problem
from ecospatial.geometry.drawable import round_shapes
from ecospatial.maps.faults import FAULTS, tell_undrawn
from ecospatial.maps.print import elements, fonts
from ecospatial.maps.print.builder import SheetBuilder
from ecospatial.maps.print.canvas import SvgFragment, glyph_definitions, house_settings
from ecospatial.maps.print.elements import LegendEntry
from ecospatial.maps.print.extent import fit
from ecospatial.maps.print.layout import SITE
from ecospatial.maps.style import Sign, read_styles
from ecospatial.maps.web import layers
from ecospatial.maps.web.layer import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.checks import Findings
    from ecospatial.maps.web.layers import DrawableLayer

MOST_LINES = 3
OTHER_SITES, NEAREST = "其他核查地块", "至最近要素的距离"
_NEAREST = {"edgecolor": "#8e0000", "linewidth": 0.7, "linestyle": (0, (3, 1.5))}


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """Maps for one page: SVG by site id, its scale, the characters that all share; why others could not be drawn."""

    bodies: dict[str, str]
    scales: dict[str, int]
    glyphs: str
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all maps of one check are drawn from."""

    findings: Findings
    family: str
    grounds: list[DrawableLayer]
    strips: gpd.GeoDataFrame | None
    sites: NDArray[np.object_]
    spots: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The shortest line from a site to a feature, and the distance that the check measured."""

    line: Any
    distance_m: float


def _exact(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    # To the millimetre: a findings file in degrees keeps a tenth of it, and must give the same map.
    return round_shapes(geometry, 3)


def _share(findings: Findings) -> _Shared:
    plan, found = findings.plan, layers.spots(findings)
    grounds, strips = [], None
    if plan is not None:
        on = dt.date.fromisoformat(findings.meta["on"])
        grounds, strips = layers.grounds(plan, on=on), layers.strips(findings, plan, on=on)
    if len(found):
        found = found.set_geometry(_exact(found.geometry.to_numpy()), crs=found.crs)
    sites = _exact(findings.sites.geometry.to_numpy())
    return _Shared(findings, fonts.needed(), grounds, strips, sites, found)


def _rows(shared: _Shared, site_id: str) -> pd.DataFrame:
    frame = shared.findings.frame
    return pd.DataFrame(frame[frame["site_id"] == site_id])


def _nearest(shared: _Shared, site: Any, rows: pd.DataFrame) -> list[_Nearest]:
    """Give the lines worth drawing: to what was touched from afar, else to the nearest feature of all."""
    known = {ground.layer.name: ground for ground in shared.grounds}
    away = rows[(rows["distance_m"] > 0) & rows["layer"].isin(list(known)) & rows["feature_id"].notna()]
    away = away.assign(touched=away["features"] > 0)
    away = away.sort_values(["touched", "verdict", "distance_m"], ascending=[False, False, True], kind="stable")
    away = away.drop_duplicates(["layer", "feature_id"])
    touched = away[away["touched"]].head(MOST_LINES)
    chosen = touched if len(touched) else away.sort_values("distance_m", kind="stable").head(1)
    found = []
    for row in chosen.itertuples():
        frame = known[str(row.layer)].frame
        shapes = frame.geometry.to_numpy()[(frame["feature_id"].astype(str) == str(row.feature_id)).to_numpy()]
        lines = shapely.shortest_line(site, shapes)
        if len(lines):
            found.append(_Nearest(lines[int(np.argmin(shapely.length(lines)))], float(row.distance_m)))  # type: ignore[arg-type]
    return found


class _Map:
    """One map in the making: what is drawn is written into the legend."""

    def __init__(self, shared: _Shared, site_id: str) -> None:
        self.shared, self.site_id, self.rows = shared, site_id, _rows(shared, site_id)
        self.place = list(shared.findings.sites.index).index(site_id)
        self.site = shared.sites[self.place]
        self.nearest = _nearest(shared, self.site, self.rows)
        self.window, held = fit(
            tuple(shapely.bounds(self.site).tolist()), [tuple(shapely.bounds(n.line).tolist()) for n in self.nearest]
        )
        self.left_out = [n for n, there in zip(self.nearest, held, strict=True) if not there]
        self.page = SheetBuilder(self.window, SITE, family=shared.family)

    def ground(self) -> None:
        """Draw the layers of the plan, lowest first; what is off on the web only where a rule met it."""
        met = set(self.rows.loc[self.rows["features"] > 0, "layer"].astype(str))
        for ground in self.shared.grounds:
            if not ground.style.show and ground.layer.name not in met:
                continue
            self.page.ground(ground)

    def strips(self) -> None:
        """Draw the strips of the near rules that touched this site."""
        strips = self.shared.strips
        if strips is None or strips.empty:
            return
        touched = set(self.rows.loc[self.rows["features"] > 0, "rule_id"].astype(str))
        for _, strip in strips[[bool(rules & touched) for rules in strips["rules"]]].iterrows():
            _, paper = self.page.paper(np.array([strip.geometry], dtype=object), np.zeros(1, dtype=np.intp))
            if len(paper):
                self.page.put(paper, read_styles().corridor, strip["range"])

    def sites(self) -> None:
        """Draw the other sites, then this one in the colour of its headline."""
        base, sites = read_styles().site, self.shared.findings.sites
        others = np.delete(np.arange(len(sites)), self.place)
        rows, paper = self.page.paper(self.shared.sites[others], others)
        if len(rows):
            grey = replace(base, stroke="#57606a", weight=1, fill="#9aa0a6", opacity=0.35)
            self.page.put(paper, grey, OTHER_SITES, wide=True)
            names = [(shape, str(sites.index[row]), "site") for row, shape in zip(rows, paper, strict=True)]
            self.page.labels.later(names)
        name, word = layers.site_headlines(self.shared.findings)[self.place]
        headline = model.HEADLINES[name]
        _, paper = self.page.paper(np.array([self.site], dtype=object), np.zeros(1, dtype=np.intp))
        if len(paper):
            label = f"本地块（{headline.letter} {model.headline_text(name, word)}）"
            self.page.put(paper, replace(base, fill=headline.colour), label, wide=True)
            self.page.labels.site(paper[0], self.site_id)

    def conflicts(self) -> None:
        """Draw where this site meets rules, the worst on top."""
        spots, styles = self.shared.spots, read_styles().conflict
        own = spots[spots["site_id"] == self.site_id]
        for verdict in [name for name in model.VERDICTS if (own["verdict"] == name).any()]:
            there = own[own["verdict"] == verdict]
            shapes = there.geometry.to_numpy()
            _, paper = self.page.paper(shapes, np.arange(len(shapes)))
            if len(paper):
                found = model.VERDICTS[verdict]
                schematic = bool((there["layer_status"] == "schematic").any())
                label = f"冲突：{found.letter} {found.label}"
                self.page.put(paper, styles.get(verdict, styles["other"]), label, schematic=schematic, wide=True)

    def lines(self) -> None:
        """Draw the distances to the features that decide."""
        for nearest in self.nearest:
            if nearest in self.left_out:
                continue
            line = self.window.to_paper(np.array([nearest.line], dtype=object), SITE.corner_mm)
            self.page.sheet.lines(line, inside=self.page.inside, **_NEAREST)
            self.page.labels.beside(line[0], f"{nearest.distance_m:,.1f} m")
        if len(self.nearest) > len(self.left_out):
            self.page.legend.append(LegendEntry(NEAREST, Sign(stroke="#8e0000", weight=1.2, dash="5 3"), "line"))

    def remarks(self) -> Iterator[str]:
        """Give what a reader must know to read the map."""
        if self.page.around:
            yield f"图幅全部位于{'、'.join(dict.fromkeys(self.page.around))}之内"
        if self.shared.findings.plan is None:
            yield "由结果文件绘制，不含规划图层"
        for nearest in self.left_out[:1]:
            yield f"最近的相关要素在图外，距离 {nearest.distance_m:,.1f} m"

    def notices(self) -> Iterator[str]:
        """Give the red lines at the foot."""
        number = self.shared.findings.meta.get("review_number")
        yield f"审图号：{plain_text(number)}" if number else model.NOTICE_INTERNAL
        if self.page.schematic:
            yield model.NOTICE_SCHEMATIC


def _made(shared: _Shared, site_id: str) -> _Map:
    drawing = _Map(shared, site_id)
    drawing.ground()
    drawing.strips()
    drawing.sites()
    drawing.conflicts()
    drawing.lines()
    drawing.page.labels.write()
    findings = shared.findings
    elements.furnish(
        drawing.page.sheet,
        drawing.window,
        SITE,
        legend=drawing.page.legend,
        remarks=[*elements.about(findings.sites.crs, *_told(findings)), *drawing.remarks()],
        notices=list(drawing.notices()),
        schematic=drawing.page.schematic,
        title=f"{_title(findings, site_id)}　位置与冲突图",
        subtitle=plain_text(findings.meta.get("title") or findings.meta.get("plan")),
        overview=_overview(findings, drawing.site),
    )
    return drawing


def _told(findings: Findings) -> tuple[str, str]:
    return plain_text(findings.meta.get("on")), plain_text(findings.meta.get("software"))


def _overview(findings: Findings, site: Any) -> tuple[Any, Any] | None:
    if findings.plan is None or findings.plan.area is None:
        return None
    return findings.plan.area, shapely.point_on_surface(site)


def _title(findings: Findings, site_id: str) -> str:
    name = plain_text(findings.summary.loc[site_id, "site_name"])
    own = plain_text(site_id)
    return f"{own}　{name}" if name and name != own else own


def _drawing(shared: _Shared, site_id: str) -> tuple[SvgFragment, int]:
    with house_settings():
        made = _made(shared, site_id)
        label = f"{_title(shared.findings, site_id)} 位置与冲突图，比例尺 1:{made.window.scale}"
        return made.page.sheet.drawing(f"map{made.place + 1}", made.page.sheet.clean(label)), made.window.scale


def figures(findings: Findings, site_ids: Sequence[str]) -> SiteFigures:
    """Draw the maps of some sites for one page; the characters stand once, for all of them.

    Parameters
    ----------
    findings
        What ``check`` returned. Read again from a file they hold no plan: sites and conflicts are drawn only.
    site_ids
        Sites of the findings, each with a geometry.

    Raises
    ------
    EcospatialError
        This machine has no font with Chinese characters, or a site is not known.
    """
    _known(findings, site_ids)
    shared = _share(findings)
    bodies, scales, glyphs, failed = {}, {}, dict[str, str](), dict[str, str]()
    for site_id in site_ids:
        try:
            drawing, scale = _drawing(shared, site_id)
        except EcospatialError:  # what the user can mend
            raise
        except FAULTS as fault:
            failed[site_id] = tell_undrawn(f"地块 {plain_text(site_id)}", fault)
        else:
            bodies[site_id], scales[site_id] = drawing.body, scale
            glyphs |= drawing.glyphs
    return SiteFigures(bodies, scales, glyph_definitions(glyphs), failed)


def pictures(
    findings: Findings, site_ids: Sequence[str], *, dpi: int = 200
) -> tuple[dict[str, tuple[bytes, int]], dict[str, str]]:
    """Draw the maps of some sites as PNG for a document: by site id the bytes and the scale, or why there is none.

    Parameters
    ----------
    findings
        What ``check`` returned.
    site_ids
        Sites of the findings, each with a geometry.
    dpi
        Dots per inch on a paper 180 mm wide.

    Raises
    ------
    EcospatialError
        This machine has no font with Chinese characters, or a site is not known.
    """
    _known(findings, site_ids)
    shared, found, failed = _share(findings), {}, dict[str, str]()
    for site_id in site_ids:
        try:
            with house_settings():
                made = _made(shared, site_id)
                found[site_id] = made.page.sheet.picture("png", dpi=dpi), made.window.scale
        except EcospatialError:  # what the user can mend
            raise
        except FAULTS as fault:
            failed[site_id] = tell_undrawn(f"地块 {plain_text(site_id)}", fault)
    return found, failed


def figure(findings: Findings, site_id: str) -> str:
    """Draw the map of one site as an SVG, 180 mm wide, that needs no font and no other file.

    Parameters
    ----------
    findings
        What ``check`` returned.
    site_id
        One of its sites.

    Returns
    -------
    str
        The SVG; the same findings give the same text on the same machine.

    Raises
    ------
    EcospatialError
        This machine has no font with Chinese characters, or there is no such site.
    """
    _known(findings, [site_id])
    return _drawing(_share(findings), site_id)[0].standalone()


def _known(findings: Findings, site_ids: Sequence[str]) -> None:
    shapes = findings.sites.geometry
    drawable = set(findings.sites.index[(shapes.notna() & ~shapes.is_empty).to_numpy()])
    for site_id in site_ids:
        if site_id not in drawable:
            raise EcospatialError(Problem("", None, f"没有编号为“{site_id}”的地块，或它没有图形", "请用 .summary 查看"))
