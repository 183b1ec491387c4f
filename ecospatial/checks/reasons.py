"""Sentences a planner would sign: one for each finding, in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecospatial.checks._reasons import ReasonTexts, factorize, form
from ecospatial.checks.conditions import Project, key_label
from ecospatial.model import ACTIVITIES, CERTAINTIES, FACTS, KINDS, MU_M2, WORKS, activity_label
from ecospatial.relations import get_relation
from ecospatial.relations._wording import (
    ADJOINING,
    ALONG,
    APART,
    AREA,
    LENGTH,
    MARGIN,
    MU,
    NOTHING,
    POINT,
    SIZE,
    join_values,
)
from ecospatial.relations.base import name_feature

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecospatial.plans import Layer
    from ecospatial.relations import Measures
    from ecospatial.relations.layer_set import LayerSet
    from ecospatial.rules import Condition, Rule

EFFECT_WORDS = {
    "prohibited": "禁止",
    "restricted": "须满足条件或取得批准",
    "duty": "属一般要求，不是本地块位置上的冲突",
    "not_applicable": "不适用本条",
}
NOT_STATED_WORDS = {"distance": "控制距离", "list": "名录", "range": "范围"}


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
    if condition.area_m2_at_least is not None:
        parts.append(f"面积不小于 {condition.area_m2_at_least:g} m²")
    return "，".join(parts)


def unsettled(rule: Rule) -> str:
    """Say why a rule can not decide: its text was not read, or leaves something open."""
    if not rule.verified:
        return "本条原文尚未核实，不能据以判定"
    left = "、".join(NOT_STATED_WORDS[what] for what in rule.not_stated)
    return f"原文未写明{left}，本规划也未确定，不能据以判定"


def far(rule: Rule, stock: LayerSet) -> str:
    """Say that nothing is within reach; the same text for all sites of a rule."""
    if stock.only_none:
        return f"本区不存在{join_values(rule)}{KINDS[rule.layer].label}"
    return get_relation(rule).tell_far(rule)


def list_missing(kind: str, missing: Sequence[tuple[str, str]]) -> str:
    """List columns of ``where`` with their values.

    Examples
    --------
    >>> list_missing("bank_line", [("river", "望虞河"), ("river", "太浦河"), ("side", "左岸")])
    '河流为望虞河、太浦河，岸别为左岸的要素'
    """
    of_column: dict[str, list[str]] = {}
    for name, value in missing:
        of_column.setdefault(name, []).append({"true": "是", "false": "否"}.get(value, value))
    parts = []
    for name, values in of_column.items():
        column = KINDS[kind].column(name)
        parts.append(f"{name if column is None else column.label}为{'、'.join(values)}")
    return f"{'，'.join(parts)}的要素"


def describe_missing(rule: Rule, missing: Sequence[tuple[str, str]]) -> str:
    """Say that no feature carries what a rule names, and what the owner of the layer can do."""
    label = KINDS[rule.layer].label
    pairs = missing or [(column, value) for column, values in rule.where for value in values]
    which = list_missing(rule.layer, pairs)
    return f"{label}图层中没有{which}，也未确认本区没有（名称或类型写法不同时请写 vocabulary，确实没有请写 absent）"


def caution(*, certainty: str, causes: list[str], edge: bool) -> str:
    """Say in what way a finding is not reliable; the margin is put behind it.

    Examples
    --------
    >>> caution(certainty="marginal", causes=[], edge=False)
    '临界：边界存疑，需现场核定'
    """
    word = CERTAINTIES[certainty]
    if certainty == "schematic":
        return f"{word}：须以正式图层核定"
    if certainty == "doubtful":
        return f"{word}：{'；'.join(causes) or '边界存疑'}，需核实"
    return f"{word}：地块接近图层覆盖范围的边缘，在其精度以内，需核实" if edge else f"{word}：边界存疑，需现场核定"


def between_banks(rule: Rule) -> str:
    """Say that lines do not tell what lies between them."""
    return f"{KINDS[rule.layer].label}图层是线，不能判断地块是否位于两岸之间，须换成两岸之间的面"


def format_measures(
    rule: Rule,
    measures: Measures,
    rows: NDArray[np.intp],
    names: list[str],
    *,
    kind: NDArray[np.intp],
    seen: list[str],
    cautions: list[str],
) -> ReasonTexts:
    """Say what was measured at some sites, and what is said of their kind.

    Parameters
    ----------
    rule, measures, rows
        What was asked, what was found, and the positions of the sites.
    names
        Those of the features that ``measures`` names by position; of -1 the last.
    kind
        For each of the sites the kind that it is of.
    seen, cautions
        What is said of each kind, and in what way it is not reliable: then the margin of a site is said too.
    """
    touched, distance, area = measures.touched[rows], measures.distance_m[rows], measures.overlap_m2[rows]
    length, along, margin = measures.overlap_length_m[rows], measures.along_m[rows], measures.margin_m[rows]
    apart = np.where(np.isnan(distance), NOTHING, np.where(distance > 0, APART, ADJOINING))
    share = np.where(area > 0, AREA, np.where(length > 0, LENGTH, POINT))
    relation = get_relation(rule)
    near = relation.tells_distance
    if relation.touched_by_absence:  # what no feature covers beyond the coverage is neither touched nor inside
        apart = np.where(measures.uncovered[rows], NOTHING, APART)
    case = apart if near else np.where(touched, share, apart)
    size = distance if near else np.where(touched, np.where(area > 0, area, length), distance)
    side = relation.place_along(along)
    doubt = np.array([text != "" for text in cautions], dtype=bool)
    border = doubt[kind] & (margin >= 0)
    feature = measures.feature[rows]
    alike = feature + 1
    for column, count in ((case, NOTHING + 1), (side, 3), (kind, len(seen)), (border, 2)):
        alike = alike * count + column
    code, first = factorize(alike)
    tell, name = relation.make_teller(rule), name_feature(rule)
    forms = []
    for row in first:
        fact = tell(name(names[feature[row]]), int(case[row]), int(side[row]))
        how = cautions[kind[row]]
        behind = (f"{how}（距判定界线 ", MARGIN, " m）。") if border[row] else ()
        unsaid = (f"{how}。",) if how and not border[row] else ()
        forms.append(form(*fact, seen[kind[row]], *behind, *unsaid))
    return ReasonTexts.of(forms, code, {SIZE: size, MU: area / MU_M2, ALONG: np.abs(along), MARGIN: margin})


def follows(
    rule: Rule,
    *,
    verdict: str,
    touched: bool,
    asks: bool,
    project: Project,
    missing: tuple[str, ...],
    doubt: str,
    gaps: tuple[str, ...],
    known: frozenset[str],
    on: dt.date,
) -> str:
    """Say what follows from what was measured; text to be put behind it.

    Parameters
    ----------
    rule
        The rule.
    verdict
        The verdict of the site.
    touched, asks
        Whether features that the rule names touch the site, and whether facts of the project are missing.
    project, missing
        What is known of the project, and which keys are not.
    doubt
        Why the feature only may be meant; empty where it is not in doubt.
    gaps
        Why the layer is not complete.
    known
        Ids of the rules of the plan.
    on
        The day.
    """
    parts = []
    if verdict == "unsettled":
        parts += [unsettled(rule), doubt]
    elif verdict == "no_data":
        parts.append("；".join(gaps) if gaps else _not_covered(rule))
    elif verdict == "needs_facts":
        parts.append(doubt or f"缺少项目信息：{'、'.join(key_label(key) for key in missing)}")
    elif touched:
        effect = EFFECT_WORDS.get(_effect(rule, verdict), "")
        if asks:
            whom = "；".join(condition_text(condition) for condition in rule.when)
            parts.append(f"如属{whom}，{effect}")
        else:
            parts.append(f"{_project_text(project)}{effect}")
    if touched and rule.due is not None:
        parts.append(f"应于 {rule.due} 前完成" + ("，已逾期" if on > rule.due else ""))
    special = [other for other in rule.yields_to if other in known]
    if touched and special:
        parts.append(f"应先适用特别规定（{'、'.join(special)}）")
    return "".join(f"；{part}" for part in parts if part) + "。"


def _effect(rule: Rule, verdict: str) -> str:
    return verdict if verdict in EFFECT_WORDS else rule.effect


def _not_covered(rule: Rule) -> str:
    within = max(rule.within_m, rule.upstream_m, rule.downstream_m)
    around = f"及其周边 {within:g} m" if within else ""
    return f"图层覆盖范围不足以判断（需覆盖地块{around}）"


def _project_text(project: Project) -> str:
    works = "、".join(WORKS[name][0] for name in project.works)
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
