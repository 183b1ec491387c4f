"""Sentences a planner would sign: one for each finding, in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial.checking.conditions import Project, key_label
from ecospatial.model import ACTIVITIES, FACTS, KINDS, MU_M2, WORKS, activity_label

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.checking.reading import Stock
    from ecospatial.plans import Layer
    from ecospatial.relations import Measures
    from ecospatial.rules import Condition, Rule

EFFECT_WORDS = {"prohibited": "禁止", "restricted": "须满足条件或取得批准", "not_applicable": "不适用本条"}


def not_in_force(versions: list[Rule], on: dt.date) -> str:
    """Say that no version of a rule stands on the day."""
    spans = "；".join(f"{v.since} 起" + (f"至 {v.until} 止" if v.until else "") for v in versions)
    return f"{on} 本条未生效（有效期：{spans}）"


def not_this_project(rule: Rule) -> str:
    """Say whom a rule is for."""
    whom = "；".join(condition_text(condition) for condition in rule.when)
    return f"不属于本条管控的项目（适用于：{whom}）"


def condition_text(condition: Condition) -> str:
    """Describe a condition.

    Examples
    --------
    >>> from ecospatial.rules import Condition
    >>> condition_text(Condition(activity=("C26",), works=("new",)))
    '新建，C26 化学原料和化学制品制造业'
    """
    parts = []
    if condition.works:
        parts.append("、".join(WORKS[name][0] for name in condition.works))
    if condition.activity:
        parts.append("、".join(activity_label(code) for code in condition.activity))
    if condition.land_use:
        parts.append("用地 " + "、".join(condition.land_use))
    parts += [f"{FACTS[name].label}：{'是' if wanted else '否'}" for name, wanted in condition.facts]
    return "，".join(parts)


def grid_unseen(kind: str, on: dt.date) -> str:
    """Say that no picture of a kind was taken by the day."""
    return f"{KINDS[kind].label}栅格没有 {on} 或以前的数据"


def grid_trouble(kind: str, problem: str) -> str:
    """Say why a grid can not be used."""
    return f"{KINDS[kind].label}图层不可用：{problem}"


def _limit(rule: Rule) -> str:
    kind = KINDS[rule.layer]
    return f"{kind.label}大于 {rule.above:g}{' ' if kind.unit.isalpha() else ''}{kind.unit}"


def between_banks(rule: Rule) -> str:
    """Say that lines do not tell what lies between them."""
    return f"{KINDS[rule.layer].label}图层是线，不能判断地块是否位于两岸之间，须换成两岸之间的面"


def far(rule: Rule, stock: Stock) -> str:
    """Say that nothing is within reach; the same text for all sites of a rule."""
    label = KINDS[rule.layer].label
    which = _which(rule)
    if rule.relation == "raster_above" and not stock.only_none:
        return f"周边 1000 m 内没有{_limit(rule)}的区域"
    if stock.only_none:
        return f"本区不存在{which}{label}"
    if rule.relation == "along_river":
        return f"周边 1000 m 内没有{which}{label}的控制河段（{_stretch(rule)}）"
    if rule.relation == "outside":
        return f"地块全部位于{which}{label}范围内"
    return f"周边 {rule.within_m + 1000:g} m 内没有{which}{label}"


def feature_names(frame: gpd.GeoDataFrame, kind: str) -> NDArray[Any]:
    """Name each feature: its name, else its first describing text; empty text where there is none."""
    names = np.full(len(frame), "", dtype=object)
    columns = [c.name for c in KINDS[kind].columns if c.type == "text"]
    for column in ("feature_name", *columns):
        if column in frame:
            values = frame[column].to_numpy(dtype=object)
            there = np.array([isinstance(value, str) and value != "" for value in values], dtype=bool)
            names = np.where((names == "") & there, values, names)
    return names


def facts(rule: Rule, measures: Measures, rows: NDArray[np.intp], features: list[str]) -> list[str]:
    """Say what was measured at some sites; ``features`` names the feature that decides at each of them."""
    name = _named(rule)
    names = {feature: name(feature) for feature in set(features)}
    columns = (measures.touched, measures.distance_m, measures.overlap_m2, measures.overlap_length_m, measures.along_m)
    told = _TELLERS[rule.relation](rule)
    return told([names[feature] for feature in features], *(column[rows].tolist() for column in columns))


def follows(
    rule: Rule,
    *,
    verdict: str,
    touched: bool,
    project: Project,
    missing: tuple[str, ...],
    doubtful: bool,
    gaps: tuple[str, ...],
    known: frozenset[str],
) -> str:
    """Say what follows from what was measured; text to be put behind it."""
    parts = []
    if verdict == "no_data":
        parts.append("；".join(gaps) if gaps else _not_covered(rule))
    elif verdict == "needs_facts":
        parts.append(_open(rule, missing=missing if touched else (), doubtful=doubtful))
    elif touched:
        parts.append(f"{_project_text(project)}{EFFECT_WORDS.get(_effect(rule, verdict), '')}")
    special = [other for other in rule.yields_to if other in known]
    if touched and special:
        parts.append(f"应先适用特别规定（{'、'.join(special)}）")
    return "".join(f"；{part}" for part in parts if part) + "。"


def _effect(rule: Rule, verdict: str) -> str:
    return verdict if verdict in EFFECT_WORDS else rule.effect


Floats = list[float]
# Names, touched, distances, areas, lengths, metres along a river: one each for every site.
Teller = Callable[[list[str], list[bool], Floats, Floats, Floats, Floats], list[str]]


def _named(rule: Rule) -> Callable[[str], str]:
    label, areal = KINDS[rule.layer].label, KINDS[rule.layer].shape == "polygon"
    # A zone named 新孟河清水通道维护区 says more than its kind; a river needs the kind beside it.
    return lambda feature: feature if feature and (areal or label in feature) else f"{feature}{label}"


def _none_near(rule: Rule) -> str:
    return f"周边 {rule.within_m + 1000:g} m 内没有{_which(rule)}{KINDS[rule.layer].label}"


def _tell_near(rule: Rule) -> Teller:
    none, limit = _none_near(rule), f"控制距离 {rule.within_m:g} m"

    def tell(names: list[str], _: list[bool], distances: Floats, *__: Floats) -> list[str]:
        return [
            (f"距{name} {distance:.1f} m，{limit}" if distance else f"位于{name}内，{limit}") if distance >= 0 else none
            for name, distance in zip(names, distances, strict=True)
        ]

    return tell


def _tell_overlap(rule: Rule) -> Teller:
    none = _none_near(rule)

    def tell(
        names: list[str], touched: list[bool], distances: Floats, areas: Floats, lengths: Floats, _: Floats
    ) -> list[str]:
        return [
            f"占用{name}{_share(area, length)}"
            if hit
            else (f"未占用{name}，最近 {distance:.1f} m" if distance else f"与{name}相接而未占用")
            if distance >= 0
            else none
            for name, hit, distance, area, length in zip(names, touched, distances, areas, lengths, strict=True)
        ]

    return tell


def _tell_outside(rule: Rule) -> Teller:
    of = f"位于{_which(rule)}{KINDS[rule.layer].label}范围外"

    def tell(names: list[str], touched: list[bool], _: Floats, areas: Floats, lengths: Floats, __: Floats) -> list[str]:
        return [
            f"{_share(area, length)}{of}" if hit else f"全部位于{name}范围内"
            for name, hit, area, length in zip(names, touched, areas, lengths, strict=True)
        ]

    return tell


def _tell_grid(rule: Rule) -> Teller:
    limit = _limit(rule)

    def tell_one(touched: bool, distance: float, area: float, length: float) -> str:
        if touched:
            return f"{_share(area, length).strip() or '所在位置'}{limit}"
        if isnan(distance):
            return f"周边 1000 m 内没有{limit}的区域"
        return f"地块内没有{limit}的区域，最近处相距 {distance:.1f} m"

    return lambda _, *columns: [tell_one(*row[:-1]) for row in zip(*columns, strict=True)]


def _tell_river(rule: Rule) -> Teller:
    stretch = f"控制河段（{_stretch(rule)}）"

    def tell_one(name: str, touched: bool, distance: float, area: float, length: float, along: float) -> str:
        if not touched and isnan(distance):
            return f"周边 1000 m 内没有{_which(rule)}{KINDS[rule.layer].label}的{stretch}"
        if not touched:
            return f"未临{name}的{stretch}，最近 {distance:.1f} m"
        where = "处" if abs(along) < 0.05 else f"{'上游' if along > 0 else '下游'} {abs(along):.1f} m"
        share = _share(area, length)
        return f"{'占用' if share else '紧临'}{name}的{stretch}{share}，沿河位于取水口{where}"

    return lambda *columns: [tell_one(*row) for row in zip(*columns, strict=True)]


_TELLERS: dict[str, Callable[[Rule], Teller]] = {
    "near": _tell_near,
    "overlaps": _tell_overlap,
    "outside": _tell_outside,
    "raster_above": _tell_grid,
    "along_river": _tell_river,
}


def _stretch(rule: Rule) -> str:
    return f"沿河上游 {rule.upstream_m:g} m 至下游 {rule.downstream_m:g} m"


def _share(area: float, length: float) -> str:
    if area > 0:
        return f" {area:.1f} m²（{area / MU_M2:.3f} 亩）"
    return f" {length:.1f} m " if length > 0 else ""


def _which(rule: Rule) -> str:
    return "、".join(value for _, values in rule.where for value in values)


def _not_covered(rule: Rule) -> str:
    within = max(rule.within_m, rule.upstream_m, rule.downstream_m)
    around = f"及其周边 {within:g} m" if within else ""
    return f"图层覆盖范围不足以判断（需覆盖地块{around}）"


def _open(rule: Rule, *, missing: tuple[str, ...], doubtful: bool) -> str:
    parts = []
    if missing:
        parts.append(f"缺少项目信息：{'、'.join(key_label(key) for key in missing)}")
    if doubtful:
        columns = "、".join(column for column, _ in rule.where)
        parts.append(f"图层该要素的 {columns} 为空，须核实是否属于{_which(rule)}")
    if not rule.verified:
        parts.append("本条原文尚未核实，不能据以判定")
    return "；".join(parts)


def _project_text(project: Project) -> str:
    works = "" if project.works is None else WORKS[project.works][0]
    names = [ACTIVITIES.get(code, code) for code in project.activity]
    return f"{works}{'、'.join(names)}项目，" if works or names else ""


def reliance(rule: Rule, *, certain: bool, layer: Layer | None, site_accuracy_m: float) -> str:
    """Say how far a layer can be relied on; NaN stands for a site that was much repaired."""
    if layer is None or layer.present != "held":
        return ""
    label, accuracy = KINDS[rule.layer].label, layer.accuracy_m
    known = "定位精度未知" if accuracy is None else f"定位精度 ±{accuracy:g} m"
    if np.isnan(site_accuracy_m):
        known += "，地块图形经较大修复"
    elif site_accuracy_m:
        known += f"，地块 ±{site_accuracy_m:g} m"
    return {
        "schematic": f"{label}为示意数据，{known}。",
        "public": f"{label}为公开数据（非正式），{known}。",
    }.get(layer.status or "", f"{label}{known}。" if not certain else "")


def joined(facts: list[str], kind: list[int], seen: list[str], doubt: list[bool], margins: list[float]) -> list[str]:
    """Put what was measured and what is said of its kind together; of kinds in doubt, how near the border is."""
    if not any(doubt):
        return [fact + seen[number] for fact, number in zip(facts, kind, strict=True)]
    open_ = "边界存疑，需现场核定"
    unsaid = [f"{said}{open_}。" if doubtful else said for said, doubtful in zip(seen, doubt, strict=True)]
    return [
        f"{fact}{seen[number]}{open_}（距判定界线 {margin:.1f} m）。"
        if doubt[number] and margin >= 0
        else fact + unsaid[number]
        for fact, number, margin in zip(facts, kind, margins, strict=True)
    ]
