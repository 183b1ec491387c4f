"""一张底图: all controls laid over each other into one seamless partition of the district, each piece with its answer.

The answer of a piece comes from the same evaluation as that of a site: an inner point of the piece is put to every
rule. No edge of a control runs through a piece, so what holds for the point holds for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.checks import day
from ecospatial.checks._features import LayerCache
from ecospatial.checks._measure import MeasurementCache, SiteArrays
from ecospatial.checks.conditions import NO, Projects
from ecospatial.checks.verdicts import CODE, evaluate_all
from ecospatial.errors import PlanError, Problem, SiteError
from ecospatial.geometry import ellipsoidal_area
from ecospatial.geometry.partition import partition
from ecospatial.model import (
    DECIDED,
    FACTS,
    KINDS,
    NOTICE_INTERNAL,
    NOTICE_SCHEMATIC,
    VERDICT_DTYPE,
    VERDICTS,
    WORKS,
    activity_code,
    activity_label,
    works_value,
)
from ecospatial.relations import get_relation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ecospatial.checks.verdicts import RuleResult
    from ecospatial.plans import Plan
    from ecospatial.rules import Rule

# Relations whose controls have edges that can be drawn; any other could be asked of a site, but not laid out on a map.
STRIP_NOTICE = (
    "邻近规则按廊道绘制（圆角以每四分之一圆 64 段直线代替，比真实距离短不超过万分之一）；界线附近的地块请单独检查"
)
_ORDER = list(VERDICTS)
_NAMED = ("prohibited", "restricted", "unsettled", "needs_facts", "no_data")


@dataclass(frozen=True)
class _Project:
    """The project that is asked for, as one row of a site frame."""

    activity: str | None
    works: str | None
    land_use: str | None
    facts: Mapping[str, bool]

    def frame(self, count: int) -> pd.DataFrame:
        values = {"activity": self.activity, "works": self.works, "land_use": self.land_use}
        values |= {name: self.facts.get(name) for name in FACTS}  # type: ignore[misc]  # facts are True, False or None
        return pd.DataFrame({name: np.full(count, value, dtype=object) for name, value in values.items()})

    @property
    def text(self) -> str:
        parts = ["、".join(WORKS[name][0] for name in (self.works or "").split(";") if name)] if self.works else []
        parts += [activity_label(code) for code in (self.activity or "").split(";") if code] or ["行业不限"]
        parts += [] if self.land_use is None else [f"用地 {self.land_use}"]
        parts += [f"{FACTS[name].label}：{'是' if answer else '否'}" for name, answer in self.facts.items()]
        return "，".join(parts)


def base_map(
    plan: Plan,
    *,
    activity: str | Iterable[str] | None = None,
    works: str | None = "new",
    on: dt.date | str | None = None,
    land_use: str | None = None,
    facts: Mapping[str, bool] | None = None,
    jobs: int = 1,
) -> gpd.GeoDataFrame:
    """Lay all controls of a plan over each other and say of every piece of the district what holds there.

    Parameters
    ----------
    plan
        The plan; its district is what is divided up.
    activity
        Code or name of GB/T 4754-2017, or several; without it, rules that ask for it stay open (``needs_facts``).
    works
        ``new``, ``expansion``, ``alteration``, ``existing`` or ``change_of_use``, or the Chinese word; several with
        ``;``.
    on
        The day whose law and layers count; today when not given.
    land_use
        Code or name of the use of the land.
    facts
        What else is known of the project, by the names of ``model.FACTS``.
    jobs
        Threads; the pieces are the same.

    Returns
    -------
    GeoDataFrame
        In ``plan.crs``, worst first: ``piece_id``, ``verdict`` (the worst), ``decided`` (the worst of clear,
        restricted, prohibited; empty where nothing decides), ``rule_ids`` (rules that the piece touches, joined with
        ``;``), ``reason``, ``area_m2``, ``area_ellipsoidal_m2``. The pieces do not overlap and make up the district.
        ``attrs`` says for what project and on which day, with ``notices``.

    Raises
    ------
    PlanError
        The plan has no district.
    SiteError
        The day, the activity, the works or a fact is not understood.

    Notes
    -----
    Near rules are laid out as the strip within their distance (``geometry.strip``, 64 segments to a quarter circle):
    pieces end up to 0.1 m per kilometre short of the true distance. A site is decided by its distance, not by this map.

    Examples
    --------
    >>> import ecospatial as es
    >>> plan = es.open_plan("changzhou-zhonglou")
    >>> pieces = base_map(plan, activity="C26", on="2026-11-20")
    >>> bool(abs(pieces.area_m2.sum() / plan.area.area - 1) < 1e-6)
    True
    """
    date = day(on)
    if plan.area is None:
        raise PlanError(
            Problem("plan.yaml", None, "规划没有可用的行政区图层，不知道底图到哪里为止", "请补充 district 图层")
        )
    project = _project(activity, works, land_use, facts or {})
    # Grids are read around what is asked about: here the whole district.
    reading = LayerCache(plan, date, np.array([plan.area], dtype=object))
    one = Projects(gpd.GeoDataFrame(project.frame(1)))
    asked_of = [rule for rule in reading.rules_in_force if one.ask(rule.when)[0].truth != NO]
    pieces = partition(plan.area, _edges(asked_of, reading))
    points = np.asarray(shapely.point_on_surface(pieces), dtype=object)
    asked = SiteArrays(points, np.zeros(len(points)), Projects(gpd.GeoDataFrame(project.frame(len(points)))))
    outcomes = evaluate_all(list(reading.versions.values()), MeasurementCache(asked, reading), jobs=jobs)
    frame = _joined(pieces, outcomes, plan)
    notices = [f"审图号：{plan.review_number}" if plan.review_number else NOTICE_INTERNAL]
    notices += [NOTICE_SCHEMATIC] if any(x.status == "schematic" for x in plan.layers.values()) else []
    notices += [STRIP_NOTICE] if any(get_relation(rule).draws_strip for rule in asked_of) else []
    frame.attrs = {"plan": plan.name, "on": date.isoformat(), "project": project.text, "notices": notices}
    return frame


def _project(
    activity: str | Iterable[str] | None, works: str | None, land_use: str | None, facts: Mapping[str, bool]
) -> _Project:
    given = [] if activity is None else activity.split(";") if isinstance(activity, str) else list(activity)
    problems = []
    codes = []
    for text in given:
        code = activity_code(text)
        if code is None:
            problems.append(Problem("", None, f"不认识行业 {text}", "请写 GB/T 4754-2017 的代码，如 C26"))
        else:
            codes.append(code)
    kinds = []
    for text in (works or "").split(";") if works is not None else []:
        value = works_value(text)
        if value is None:
            problems.append(Problem("", None, f"不认识建设性质 {text}", f"可选：{'、'.join(WORKS)}"))
        else:
            kinds.append(value)
    for name, answer in facts.items():
        if name not in FACTS or not isinstance(answer, bool):
            problems.append(
                Problem("", None, f"不认识项目情况 {name}={answer}", f"可选：{'、'.join(FACTS)}，值为真或假")
            )
    if problems:
        raise SiteError(problems)
    return _Project(";".join(codes) or None, ";".join(kinds) or None, land_use, dict(facts))


def _edges(rules: list[Rule], reading: LayerCache) -> NDArray[Any]:
    """Give the polygons whose edges part one answer from another; the same question is drawn once."""
    found: dict[Any, list[Any]] = {}
    for rule in rules:
        own = get_relation(rule).overlay_group
        distances = (rule.within_m, rule.upstream_m, rule.downstream_m, rule.above, rule.parameters)
        key = (own, rule.layer, rule.where, *distances)
        if key in found:
            continue
        stock = reading.stock_for(rule)
        if stock.frame is None:
            continue
        selection = reading.select(rule)
        targets = [selection.possible.geometry]
        if selection.matched is not selection.possible:
            targets.append(selection.matched.geometry)
        found[key] = [shape for target in targets for shape in get_relation(rule).list_edges(rule, target)]
        found[key] += _reach(stock.coverage, rule.within_m)
    return np.array([shape for shapes in found.values() for shape in shapes], dtype=object)


def _reach(coverage: Any, within_m: float) -> list[Any]:
    """Give the area in which a rule can be decided: that from which the coverage holds everything within reach."""
    if coverage is None:
        return []
    inner = coverage.buffer(-within_m, quad_segs=64) if within_m > 0 else coverage
    return [] if inner.is_empty else [inner]


def _joined(pieces: NDArray[Any], outcomes: list[RuleResult], plan: Plan) -> gpd.GeoDataFrame:
    """Join neighbours with the same answer under every rule."""
    verdicts = np.column_stack([outcome.verdict for outcome in outcomes] or [np.empty((len(pieces), 0), dtype=np.int8)])
    touched = np.column_stack([_touched(outcome) for outcome in outcomes] or [np.empty((len(pieces), 0), dtype=bool)])
    both = np.concatenate([verdicts, touched.astype(np.int8)], axis=1)
    _, first, group = np.unique(both, axis=0, return_index=True, return_inverse=True)
    group = np.asarray(group).ravel()
    order = np.argsort(group, kind="stable")
    parts: list[Any] = []
    answers: list[int] = []
    for number, members in enumerate(np.split(order, np.flatnonzero(np.diff(group[order])) + 1)):
        joined = shapely.get_parts(shapely.coverage_union_all(pieces[members]))
        parts += list(joined)
        answers += [int(first[number])] * len(joined)
    shapes = np.array(parts, dtype=object)
    texts = {row: _answer(verdicts[row], touched[row], outcomes) for row in dict.fromkeys(answers)}
    worst = np.array([texts[row][0] for row in answers], dtype=np.int8)
    area = shapely.area(shapes)
    place = np.round(shapely.bounds(shapes), 3)
    # Of pieces on which rules without a settled basis are the worst, those that they touch come first.
    unsettled = (verdicts == CODE["unsettled"]) & touched
    met = np.array([worst[i] == CODE["unsettled"] and unsettled[row].any() for i, row in enumerate(answers)], dtype=int)
    ranked = np.lexsort((place[:, 1], place[:, 0], -area, -met, -worst))
    rows = [texts[answers[position]] for position in ranked]
    data: dict[str, Any] = {
        "piece_id": [str(number) for number in range(1, len(ranked) + 1)],
        "verdict": pd.Categorical.from_codes([row[0] for row in rows], dtype=VERDICT_DTYPE),
        "decided": pd.Categorical.from_codes([row[1] for row in rows], dtype=VERDICT_DTYPE),
        "rule_ids": [row[2] for row in rows],
        "reason": [row[3] for row in rows],
        "area_m2": area[ranked],
        "area_ellipsoidal_m2": ellipsoidal_area(shapes[ranked], plan.crs),
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes[ranked], crs=plan.crs), crs=plan.crs)


def _touched(outcome: RuleResult) -> NDArray[np.bool_]:
    applies = outcome.verdict != CODE["not_applicable"]
    return np.asarray(outcome.measured & outcome.measures.touched & applies, dtype=bool)


def _answer(
    verdicts: NDArray[np.int8], touched: NDArray[np.bool_], outcomes: list[RuleResult]
) -> tuple[int, int, str, str]:
    """Give the worst verdict, the worst that decides, the rules on the piece, and one Chinese sentence."""
    rules = [outcome.rule for outcome in outcomes]
    decides = [int(code) for code in verdicts if _ORDER[code] in DECIDED]
    on_it = sorted(np.flatnonzero(touched), key=lambda position: -int(verdicts[position]))
    worst = int(verdicts.max()) if len(verdicts) else CODE["no_data"]
    told = []
    for name in sorted(_NAMED, key=_ORDER.index, reverse=True):
        group = [rules[position] for position in np.flatnonzero(verdicts == CODE[name])]
        if group:
            told.append(f"{VERDICTS[name].label}：{_named(name, group)}")
    if not told:
        told = ["未触及任何适用的管控要求" if rules else "没有可用的规则，未作判定"]
    return worst, max(decides, default=-1), ";".join(rules[p].id for p in on_it), "；".join(told)


def _named(verdict: str, rules: list[Rule]) -> str:
    if verdict == "no_data":
        labels = dict.fromkeys(KINDS[rule.layer].label for rule in rules)
        return f"{'、'.join(labels)}（{len(rules)} 条）"
    if verdict in ("needs_facts", "unsettled"):
        return "、".join(rule.id for rule in rules)
    return "、".join(f"{rule.id} {rule.title}" for rule in rules)


def area_by_verdict(pieces: gpd.GeoDataFrame, *, column: str = "verdict") -> pd.DataFrame:
    """Sum a base map by verdict, worst first.

    Parameters
    ----------
    pieces
        What ``base_map`` gave.
    column
        ``verdict`` or ``decided``.

    Returns
    -------
    DataFrame
        Index verdict (未决 where nothing decides): ``pieces``, ``area_m2``, ``share``.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"verdict": pd.Categorical(["clear"], dtype=VERDICT_DTYPE), "area_m2": [5.0]})
    >>> area_by_verdict(frame).reset_index().values.tolist()
    [['clear', 1, 5.0, 1.0]]
    """
    labels = pieces[column].astype(object).where(pieces[column].notna(), "undecided")
    sums = pd.DataFrame(pieces[["area_m2"]]).groupby(labels.to_numpy())["area_m2"].agg(["size", "sum"])
    sums = sums.reindex([name for name in [*reversed(_ORDER), "undecided"] if name in sums.index])
    sums.columns = pd.Index(["pieces", "area_m2"])
    sums.index.name = column
    return sums.assign(share=sums["area_m2"] / pieces["area_m2"].sum())
