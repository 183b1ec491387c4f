"""From a plan or from findings to the layers of a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial import model
from ecospatial.geometry import strip
from ecospatial.geometry.drawable import unite_shapes
from ecospatial.maps.disclosure import Box, outline, told
from ecospatial.maps.faults import draw_or_tell
from ecospatial.maps.style import badge_svg, read_styles
from ecospatial.maps.web.layer import SHAPES, Extras, MapLayer, classes, drawn, labelled, plain_text
from ecospatial.maps.web.popups import badges_data, findings_data
from ecospatial.plans import disclosure_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.checks import Findings
    from ecospatial.maps.style import KindStyle, Sign
    from ecospatial.plans import Layer, Plan

PLAN_GROUP, SITE_GROUP = "规划图层", "核查结果"
STRIP = "邻近规则的控制范围"
_PANES = {"polygon": "area", "line": "line", "point": "point"}
# A duty is no conflict of a place.
_TOUCHED = ("restricted", "unsettled", "needs_facts", "prohibited")


def _pane(frame: gpd.GeoDataFrame) -> str:
    kinds = {SHAPES.get(number, "polygon") for number in shapely.get_type_id(frame.geometry.to_numpy()).tolist()}
    return _PANES["polygon" if "polygon" in kinds else min(kinds)]


def _usable(plan: Plan, on: dt.date | None) -> list[Layer]:
    held = (layer for layer in plan.layers.values() if layer.present == "held" and (on is None or layer.valid_on(on)))
    # A raster has no features to draw.
    return [layer for layer in held if layer.pixels is None and plan.trouble(layer.name) is None]


@dataclass(frozen=True, slots=True)
class DrawableLayer:
    """A layer of a plan that can be drawn: its features, and the class and the sign of each."""

    layer: Layer
    frame: gpd.GeoDataFrame
    style: KindStyle
    label: str
    signs: list[tuple[str, Sign]]
    which: NDArray[np.intp]

    def shown(self, page: Box | None) -> DrawableLayer:
        """Give what a map of this page (west, south, east, north) may show of it; see ``sharing``."""
        frame = told(self.frame, self.layer, page)
        if frame is self.frame:
            return self
        return replace(self, frame=frame.reset_index(drop=True), which=self.which[frame.index.to_numpy()])


def grounds(plan: Plan, *, on: dt.date | None = None, kinds: tuple[str, ...] = ()) -> list[DrawableLayer]:
    """List every layer of a plan that is held, readable and valid on the day, lowest first.

    Of the given kinds only, and in their order, when there are any.
    """
    styles = read_styles()
    held = _usable(plan, on)
    if kinds:
        held = sorted((x for x in held if x.kind in kinds), key=lambda layer: kinds.index(layer.kind))
    else:
        held.sort(key=lambda layer: styles.of(layer.kind).order)
    result = []
    for layer in held:
        frame = plan.layer_frame(layer.name)
        if frame.empty:
            continue
        style = styles.of(layer.kind)
        several = sum(other.kind == layer.kind for other in held) > 1
        label = f"{layer.label}（{layer.name}）" if several else layer.label
        signs, which = classes(frame, style, label)
        result.append(DrawableLayer(layer, frame, style, label, signs, which))
    return result


def plan_layers(
    plan: Plan,
    *,
    on: dt.date | None = None,
    kinds: tuple[str, ...] = (),
    labels: bool = True,
    page: Box | None = None,
    failed: list[str] | None = None,
) -> list[MapLayer]:
    """Draw every layer of a plan that is held, readable and valid on the day; ``kinds`` as for ``grounds``.

    One that can not be drawn costs no other: its label is added to ``failed``.

    Of a layer that may not be shared only what may be told is drawn, cut to ``page`` (west, south, east, north in the
    CRS of the plan).
    """
    result: list[MapLayer] = []
    undrawn: list[str] = [] if failed is None else failed
    for number, whole in enumerate(grounds(plan, on=on, kinds=kinds)):
        make = partial(_plan_layer, whole, f"layer-{number}", page, labels=labels, show=bool(kinds))
        result += draw_or_tell(whole.label, make, undrawn)
    return result


def _plan_layer(whole: DrawableLayer, key: str, page: Box | None, *, labels: bool, show: bool) -> list[MapLayer]:
    ground = whole.shown(page)
    kind, frame = model.KINDS[ground.layer.kind], ground.frame
    if frame.empty:
        return []
    known = [("feature_name", "名称"), *((column.name, column.label) for column in kind.columns)]
    shown = [(name, text) for name, text in known if name in frame and frame[name].notna().any()]
    return [
        drawn(
            frame,
            key=key,
            name=ground.label,
            group=read_styles().group_of(kind.name) or PLAN_GROUP,
            pane="ground" if kind.name == "district" else _pane(frame),
            signs=ground.signs,
            which=ground.which,
            columns=shown,
            extras=Extras(titles=ground.label),
            labels=labelled(frame, ground.style) if labels else None,
            schematic=ground.layer.status == "schematic",
            show=ground.style.show or show,
        )
    ]


def plain_sites(sites: gpd.GeoDataFrame) -> list[MapLayer]:
    """Draw sites that have not been checked."""
    if sites.empty:
        return []
    sign = read_styles().site
    named = sites.reset_index(names="site_id")
    shown = [(c, t) for c, t in (("site_id", "编号"), ("site_name", "名称")) if c in named]
    return [
        drawn(
            named,
            key="sites",
            name="项目地块",
            group="项目地块",
            pane="sites",
            signs=[("项目地块", sign)],
            which=np.zeros(len(named), dtype=np.intp),
            columns=shown,
            extras=Extras(titles="项目地块"),
        )
    ]


def headline_classes() -> list[tuple[str, str]]:
    """List every headline with every certainty, worst first; no certainty is an empty text."""
    return [(name, word) for name in reversed(model.HEADLINES) for word in (*model.CERTAINTIES, "")]


def site_headlines(findings: Findings) -> list[tuple[str, str]]:
    """Give headline and certainty of each site."""
    columns = (findings.summary[name].astype(object) for name in ("headline", "certainty"))
    return [(name, word if isinstance(word, str) else "") for name, word in zip(*columns, strict=True)]


def checked_sites(findings: Findings) -> list[MapLayer]:
    """Draw the sites in the colour and with the letter of their headline; the popup holds the findings."""
    if findings.sites.empty:
        return []
    base, known = read_styles().site, headline_classes()
    signs = [
        (model.headline_text(name, word), replace(base, fill=model.HEADLINES[name].colour)) for name, word in known
    ]
    frame = findings.sites.reset_index(names="site_id")
    which = np.array([known.index(pair) for pair in site_headlines(findings)], dtype=np.intp)
    badges = badges_data(findings)
    return [
        drawn(
            frame,
            key="sites",
            name="项目地块（按结论着色）",
            group=SITE_GROUP,
            pane="sites",
            signs=signs,
            which=which,
            columns=[("site_id", "编号"), ("site_name", "名称")],
            extras=Extras(
                titles=badges["t"],
                badges=badges,
                told=findings_data(findings),
                symbols=[badge_svg(model.HEADLINES[n].letter, model.HEADLINES[n].colour) for n, _ in known],
            ),
        )
    ]


def spots(findings: Findings) -> gpd.GeoDataFrame:
    """Give each spot of a site once, with its worst verdict, and below it every rule that it meets."""
    frame = findings.frame
    shapes = frame.geometry
    frame = frame[shapes.notna() & ~shapes.is_empty & frame["verdict"].isin(_TOUCHED)]
    frame = frame.sort_values("verdict", ascending=False, kind="stable")
    letters = frame["verdict"].astype(object).map(lambda verdict: model.VERDICTS[verdict].letter)
    rules = [
        f"{letter} {plain_text(title)}　《{plain_text(instrument)}》{plain_text(article)}"
        for letter, title, instrument, article in zip(
            letters, frame["rule_title"], frame["instrument"], frame["article"], strict=True
        )
    ]
    keys = [frame["site_id"].astype(object).to_numpy(), shapely.to_wkb(frame.geometry.to_numpy())]
    listed = pd.Series(rules, index=frame.index, dtype=object).groupby(keys, sort=False).agg("\n".join)
    first = frame[~pd.MultiIndex.from_arrays(keys).duplicated()]
    # The worst is drawn last and lies on top.
    return first.assign(rules=listed.to_numpy()).iloc[::-1]


def conflicts(findings: Findings) -> list[MapLayer]:
    """Draw where sites meet rules; what is only near shows the nearest point of the site."""
    frame = spots(findings)
    if frame.empty:
        return []
    styles = read_styles().conflict
    order = [v for v in reversed(model.VERDICTS) if v in _TOUCHED]
    signs = [
        (f"冲突：{model.VERDICTS[v].letter} {model.VERDICTS[v].label}", styles.get(v, styles["other"])) for v in order
    ]
    which = np.array([order.index(v) for v in frame["verdict"].astype(object)], dtype=np.intp)
    area = frame["overlap_m2"].map(lambda m2: f"{m2:,.2f} m²（{m2 / model.MU_M2:,.2f} 亩）" if m2 > 0 else None)
    length = frame["overlap_length_m"].map(lambda m: f"{m:,.1f} m" if m > 0 else None)
    columns = [
        ("site_id", "地块"),
        ("area", "重叠面积"),
        ("length", "重叠长度"),
        ("rules", "管控要求"),
        ("reason", "说明"),
    ]
    return [
        drawn(
            frame.assign(area=area, length=length),
            key="conflicts",
            name="冲突范围",
            group=SITE_GROUP,
            pane="conflicts",
            signs=signs,
            which=which,
            columns=columns,
            extras=Extras(titles=[signs[i][0] for i in which]),
        )
    ]


def _matching(frame: gpd.GeoDataFrame, where: Mapping[str, Any]) -> gpd.GeoDataFrame:
    keep = np.ones(len(frame), dtype=bool)
    for column, values in where.items():
        if column in frame:
            keep &= frame[column].isin(list(values)).to_numpy()
    return frame[keep]


def strips(findings: Findings, plan: Plan, *, on: dt.date | None = None, page: Box | None = None) -> gpd.GeoDataFrame:
    """Give the strip of each verified near rule that touched a site; drawn only, distance decided.

    Returns
    -------
    GeoDataFrame
        ``range`` (what it says), ``rules`` (a set of rule ids), geometry in the CRS of the plan.
    """
    frame = findings.frame
    hit = frame["verdict"].isin(_TOUCHED) & frame["distance_m"].notna() & frame["verified"].astype(bool)
    touched = set(frame.loc[hit, "rule_id"].astype(str))
    found: dict[str, Any] = {}
    rules: dict[str, set[str]] = {}
    for rule_id, rule in findings.rules.iterrows():
        # A distance that the text does not state and nobody settled has no strip.
        if rule["relation"] != "near" or str(rule_id) not in touched or pd.isna(rule["within_m"]):
            continue
        where = rule["where"] if isinstance(rule["where"], dict) else {}
        detail = "、".join(plain_text(value) for values in where.values() for value in values)
        around = f"两侧 {rule['within_m']:g} m" if rule["within_m"] else "范围内"
        text = f"{detail}{model.KINDS[rule['layer']].label}{around}"
        rules.setdefault(text, set()).add(str(rule_id))
        if text in found:
            continue
        layers = [layer for layer in _usable(plan, on) if layer.kind == rule["layer"]]
        around_m = _strip(plan, layers, where, float(rule["within_m"]), page)
        if around_m is not None:
            found[text] = around_m
    made = np.array(list(found.values()), dtype=object)
    columns = {"range": list(found), "rules": [rules[text] for text in found]}
    return gpd.GeoDataFrame(columns, geometry=made, crs=plan.crs)


def _strip(
    plan: Plan, layers: list[Layer], where: Mapping[str, Any], within_m: float, page: Box | None
) -> BaseGeometry | None:
    """Lay a strip around layers; from its edge their lines could be drawn again, so it tells no more than these."""
    shares = {disclosure_of(layer) for layer in layers}
    if not layers or "none" in shares:
        return None
    shapes = [_matching(plan.layer_frame(layer.name), where).geometry.to_numpy() for layer in layers]
    united = unite_shapes(np.concatenate(shapes))
    if united.is_empty:
        return None
    made = strip(np.array([united], dtype=object), within_m)
    if shares != {"full"}:
        known = [layer.accuracy_m for layer in layers if layer.accuracy_m is not None]
        made = outline(made, max(known) if known else None, page)
    whole: BaseGeometry = made[0]
    return None if whole.is_empty else whole


def corridors(findings: Findings, plan: Plan, *, on: dt.date | None = None, page: Box | None = None) -> list[MapLayer]:
    """Draw the strips of ``strips``."""
    table = strips(findings, plan, on=on, page=page)
    if table.empty:
        return []
    return [
        drawn(
            table,
            key="corridors",
            name=STRIP,
            group=SITE_GROUP,
            pane="corridor",
            signs=[(STRIP, read_styles().corridor)],
            which=np.zeros(len(table), dtype=np.intp),
            columns=[("range", "范围")],
            extras=Extras(titles=table["range"].tolist()),
        )
    ]
