"""From a plan or from findings to the layers of a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd
import shapely

from ecospatial import model
from ecospatial.geometry import strip
from ecospatial.maps.drawn import SHAPES, Drawn, Extras, badge_places, classes, drawn, labelled, plain_text
from ecospatial.maps.style import badge_svg, read_styles

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecospatial.checking import Findings
    from ecospatial.maps.style import KindStyle, Sign
    from ecospatial.plans import Layer, Plan

PLAN_GROUP, SITE_GROUP = "规划图层", "核查结果"
STRIP = "邻近规则的控制范围"
POPUP_FINDINGS = 30
_PANES = {"polygon": "area", "line": "line", "point": "point"}
_TOUCHED = ("restricted", "needs_facts", "prohibited")


def _pane(frame: gpd.GeoDataFrame) -> str:
    kinds = {SHAPES.get(number, "polygon") for number in shapely.get_type_id(frame.geometry.to_numpy()).tolist()}
    return _PANES["polygon" if "polygon" in kinds else min(kinds)]


def _usable(plan: Plan, on: dt.date | None) -> list[Layer]:
    held = (layer for layer in plan.layers.values() if layer.present == "held" and (on is None or layer.valid_on(on)))
    # A raster has no features to draw.
    return [layer for layer in held if layer.pixels is None and plan.trouble(layer.name) is None]


@dataclass(frozen=True, slots=True)
class Ground:
    """A layer of a plan that can be drawn: its features, and the class and the sign of each."""

    layer: Layer
    frame: gpd.GeoDataFrame
    style: KindStyle
    label: str
    signs: list[tuple[str, Sign]]
    which: NDArray[np.intp]


def grounds(plan: Plan, *, on: dt.date | None = None, kinds: tuple[str, ...] = ()) -> list[Ground]:
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
        result.append(Ground(layer, frame, style, label, signs, which))
    return result


def plan_layers(
    plan: Plan, *, on: dt.date | None = None, kinds: tuple[str, ...] = (), labels: bool = True
) -> list[Drawn]:
    """Draw every layer of a plan that is held, readable and valid on the day; ``kinds`` as for ``grounds``."""
    result = []
    for number, ground in enumerate(grounds(plan, on=on, kinds=kinds)):
        kind, frame = model.KINDS[ground.layer.kind], ground.frame
        known = [("feature_name", "名称"), *((column.name, column.label) for column in kind.columns)]
        shown = [(name, text) for name, text in known if name in frame and frame[name].notna().any()]
        result.append(
            drawn(
                frame,
                key=f"layer-{number}",
                name=ground.label,
                group=PLAN_GROUP,
                pane="ground" if kind.name == "district" else _pane(frame),
                signs=ground.signs,
                which=ground.which,
                columns=shown,
                extras=Extras(names=[ground.label] * len(frame)),
                labels=labelled(frame, ground.style) if labels else None,
                schematic=ground.layer.status == "schematic",
                show=ground.style.show or bool(kinds),
            )
        )
    return result


def plain_sites(sites: gpd.GeoDataFrame) -> list[Drawn]:
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
            extras=Extras(names=["项目地块"] * len(named)),
        )
    ]


def _popups(findings: Findings) -> list[str]:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    template = environment.get_template("map_popup.html")
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    frame = frame[frame["verdict"] != "not_applicable"].sort_values("verdict", ascending=False, kind="stable")
    shown = ["site_id", "verdict", "certain", "rule_id", "rule_title", "instrument", "article", "reason"]
    texts = {name: [plain_text(cell) for cell in frame[name].astype(object)] for name in shown}
    measured = (frame["margin_m"].notna() | frame["distance_m"].notna()).tolist()
    by_site: dict[str, list[dict[str, Any]]] = {}
    for i in range(len(frame)):
        row: dict[str, Any] = {name: cells[i] for name, cells in texts.items()}
        row["doubtful"] = measured[i] and row["certain"] == "否" and row["verdict"] != "no_data"
        by_site.setdefault(row["site_id"], []).append(row)
    result = []
    for site_id, told in findings.summary.iterrows():
        own = by_site.get(plain_text(site_id), [])
        counts = {v: int(told[f"n_{v}"]) for v in reversed(model.VERDICTS) if told[f"n_{v}"]}
        text = template.render(
            site_id=plain_text(site_id),
            site_name=plain_text(told["site_name"]),
            verdict=plain_text(told["verdict"]),
            decided=plain_text(told["decided"]),
            counts=counts,
            rows=own[:POPUP_FINDINGS],
            rest=sum(counts.values()) - counts.get("not_applicable", 0) - len(own[:POPUP_FINDINGS]),
            verdicts=model.VERDICTS,
        )
        result.append(text)
    return result


def _badge(row: Any, place: list[float]) -> dict[str, Any]:
    verdict = model.VERDICTS[row["verdict"]]
    badge: dict[str, Any] = {"p": place, "l": verdict.letter, "c": verdict.colour, "t": plain_text(row.name)}
    name = plain_text(row["site_name"])
    if name and name != badge["t"]:
        badge["t"] = f"{badge['t']} {name}"
    decided = plain_text(row["decided"])
    if decided and decided != verdict.value:
        badge |= {"l2": model.VERDICTS[decided].letter, "c2": model.VERDICTS[decided].colour}
    return badge


def checked_sites(findings: Findings) -> list[Drawn]:
    """Draw the sites in the colour and with the letter of their worst verdict; the popup holds the findings."""
    if findings.sites.empty:
        return []
    base, order = read_styles().site, [model.VERDICTS[name] for name in reversed(model.VERDICTS)]
    signs = [(v.label, replace(base, fill=v.colour)) for v in order]
    frame = findings.sites.reset_index(names="site_id")
    verdicts = findings.summary["verdict"].astype(object).tolist()
    which = np.array([[v.value for v in order].index(verdict) for verdict in verdicts], dtype=np.intp)
    rows = [row for _, row in findings.summary.iterrows()]
    badges = [_badge(row, place) for row, place in zip(rows, badge_places(frame), strict=True)]
    return [
        drawn(
            frame,
            key="sites",
            name="项目地块（按最重判定着色）",
            group=SITE_GROUP,
            pane="sites",
            signs=signs,
            which=which,
            columns=[("site_id", "编号"), ("site_name", "名称")],
            extras=Extras(
                popup=_popups(findings),
                badge=badges,
                symbols=[badge_svg(v.letter, v.colour) for v in order],
                names=[b["t"] for b in badges],
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


def conflicts(findings: Findings) -> list[Drawn]:
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
            extras=Extras(names=[signs[i][0] for i in which]),
        )
    ]


def _matching(frame: gpd.GeoDataFrame, where: Mapping[str, Any]) -> gpd.GeoDataFrame:
    keep = np.ones(len(frame), dtype=bool)
    for column, values in where.items():
        if column in frame:
            keep &= frame[column].isin(list(values)).to_numpy()
    return frame[keep]


def strips(findings: Findings, plan: Plan, *, on: dt.date | None = None) -> gpd.GeoDataFrame:
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
        if rule["relation"] != "near" or str(rule_id) not in touched:
            continue
        where = rule["where"] if isinstance(rule["where"], dict) else {}
        detail = "、".join(plain_text(value) for values in where.values() for value in values)
        around = f"两侧 {rule['within_m']:g} m" if rule["within_m"] else "范围内"
        text = f"{detail}{model.KINDS[rule['layer']].label}{around}"
        rules.setdefault(text, set()).add(str(rule_id))
        if text in found:
            continue
        names = [layer.name for layer in _usable(plan, on) if layer.kind == rule["layer"]]
        shapes = [_matching(plan.layer_frame(name), where).geometry.to_numpy() for name in names]
        united = shapely.union_all(np.concatenate(shapes)) if shapes else None
        if united is not None and not united.is_empty:
            found[text] = strip(np.array([united], dtype=object), float(rule["within_m"]))[0]
    made = np.array(list(found.values()), dtype=object)
    columns = {"range": list(found), "rules": [rules[text] for text in found]}
    return gpd.GeoDataFrame(columns, geometry=made, crs=plan.crs)


def corridors(findings: Findings, plan: Plan, *, on: dt.date | None = None) -> list[Drawn]:
    """Draw the strips of ``strips``."""
    table = strips(findings, plan, on=on)
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
            extras=Extras(names=table["range"].tolist()),
        )
    ]
