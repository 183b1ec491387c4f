"""One rule on all sites: the first line of docs/interface.md section 6 that holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.checking import reasons
from ecospatial.checking.conditions import NO, UNKNOWN, YES
from ecospatial.model import KINDS, VERDICTS
from ecospatial.relations import Measures, near, outside, overlaps
from ecospatial.rules import UNANSWERED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checking.conditions import Projects
    from ecospatial.checking.reading import Reading, Selection, Stock
    from ecospatial.plans import Layer
    from ecospatial.rules import Rule

CODE = {value: position for position, value in enumerate(VERDICTS)}
# How far beyond its own distance a rule looks, so that a near miss is seen as one (docs/interface.md 7).
LOOK_BEYOND_M = 1000.0


@dataclass
class Asked:
    """The sites of a check, as arrays."""

    geometry: NDArray[Any]
    accuracy_m: NDArray[np.float64]
    projects: Projects

    def __len__(self) -> int:
        """Count the sites."""
        return len(self.geometry)


@dataclass
class Outcome:
    """What one rule says of each site; a row of every array is a site."""

    rule: Rule
    verdict: NDArray[np.int8]
    certain: NDArray[np.bool_]
    measures: Measures
    measured: NDArray[np.bool_]
    layer: list[Layer | None]
    sha256: list[str | None]
    feature_id: NDArray[Any]
    feature_name: NDArray[Any]
    reason: NDArray[Any]


def evaluate(versions: list[Rule], asked: Asked, reading: Reading, *, jobs: int = 1) -> Outcome:
    """Put one rule, in the version in force on the day, to all sites.

    Parameters
    ----------
    versions
        All versions of the rule id.
    asked
        The sites.
    reading
        The layers, read for the day.
    jobs
        Threads for the overlay.
    """
    rule = next((version for version in versions if version.in_force(reading.on)), None)
    if rule is None:
        latest = max(versions, key=lambda version: version.since)
        out = _blank(latest, asked)
        out.reason[:] = reasons.not_in_force(versions, reading.on)
        return out
    out = _blank(rule, asked)
    group = asked.projects.group
    when = asked.projects.ask(rule.when)
    truth = np.array([answer.truth for answer in when], dtype=np.int8)[group]
    out.reason[:] = reasons.not_this_project(rule)
    open_ = np.flatnonzero(truth != NO)
    if not len(open_):
        return out
    stock = reading.stock(rule.layer)
    if stock.frame is None or rule.relation in UNANSWERED:
        gap = reasons.unanswered(rule) if rule.relation in UNANSWERED else "；".join(stock.gaps)
        _no_data(out, open_, stock, reading, gap)
        return out
    selection = reading.select(rule)
    gaps = stock.gaps + _between_banks(rule, selection)
    possible = _measure(out, open_, selection, stock, asked, jobs=jobs)
    _features(out, open_, selection, stock, reading)
    covered = np.zeros(len(asked), dtype=bool)
    covered[open_] = stock.covers(asked.geometry[open_], rule.within_m)
    unless = np.array([answer.truth == YES for answer in asked.projects.ask(rule.unless, default=NO)])[group]
    _decide(
        out,
        open_,
        stock=stock,
        gaps=gaps,
        covered=covered,
        unknown=(truth == UNKNOWN) | possible,
        unless=unless,
    )
    _certain(out, open_, stock, asked)
    missing = [answer.missing for answer in when]
    known = frozenset(reading.plan.rule_versions())
    _explain(out, open_, stock=stock, gaps=gaps, known=known, possible=possible, missing=missing, asked=asked)
    return out


def _between_banks(rule: Rule, selection: Selection) -> tuple[str, ...]:
    """Name the gap of a rule on the inside of a river whose banks are only lines."""
    if rule.relation != "near" or rule.within_m > 0 or KINDS[rule.layer].shape != "bank":
        return ()
    lines = (shapely.get_dimensions(selection.all.geometry) == 1).any()
    return (reasons.between_banks(rule),) if lines else ()


def _blank(rule: Rule, asked: Asked) -> Outcome:
    count = len(asked)
    return Outcome(
        rule=rule,
        verdict=np.full(count, CODE["not_applicable"], dtype=np.int8),
        certain=np.ones(count, dtype=bool),
        measures=Measures.nothing(count),
        measured=np.zeros(count, dtype=bool),
        layer=[None] * count,
        sha256=[None] * count,
        feature_id=np.full(count, None, dtype=object),
        feature_name=np.full(count, None, dtype=object),
        reason=np.full(count, "", dtype=object),
    )


def _no_data(out: Outcome, rows: NDArray[np.intp], stock: Stock, reading: Reading, gap: str) -> None:
    out.verdict[rows] = CODE["no_data"]
    out.certain[rows] = False
    out.reason[rows] = gap
    listed = reading.plan.of_kind(stock.kind)
    if listed:
        _put_layer(out, rows, listed[0], reading)


def _put_layer(out: Outcome, rows: NDArray[np.intp], layer: Layer, reading: Reading) -> None:
    sha256 = reading.sha256(layer)
    for row in rows:
        out.layer[row] = layer
        out.sha256[row] = sha256


def _measure(
    out: Outcome, rows: NDArray[np.intp], selection: Selection, stock: Stock, asked: Asked, *, jobs: int
) -> NDArray[np.bool_]:
    """Measure, and say which sites are touched only by features whose ``where`` column is empty."""
    rule = out.rule
    sites = asked.geometry[rows]
    layer_accuracy = max((layer.accuracy_m or 0.0 for layer in stock.layers), default=0.0)
    reach = rule.within_m + np.maximum(LOOK_BEYOND_M, layer_accuracy + asked.accuracy_m[rows])

    def ask(which: str) -> Measures:
        target = selection.sure if which == "sure" else selection.all
        if rule.relation == "near":
            found = near(target, sites, reach, within_m=rule.within_m)
        elif rule.relation == "overlaps":
            found = overlaps(target, sites, reach, jobs=jobs)
        else:
            found = outside(target, sites, reach, jobs=jobs)
        position = selection.sure_row if which == "sure" else selection.all_row
        there = found.feature >= 0
        found.feature[there] = position[found.feature[there]]
        return found

    possible = np.zeros(len(rows), dtype=bool)
    if selection.sure is selection.all:
        found = ask("all")
    elif rule.relation == "outside":
        # What a doubtful feature covers is only doubtfully outside.
        found, strict = ask("sure"), ask("all")
        possible = found.touched & ~strict.touched
        found.take_from(strict, strict.touched)
    else:
        found, strict = ask("all"), ask("sure")
        possible = found.touched & ~strict.touched
        found.take_from(strict, strict.touched)
    spread = np.zeros(len(asked), dtype=bool)
    spread[rows] = possible
    for name in Measures.__dataclass_fields__:
        getattr(out.measures, name)[rows] = getattr(found, name)
    out.measured[rows] = True
    return spread


def _features(out: Outcome, rows: NDArray[np.intp], selection: Selection, stock: Stock, reading: Reading) -> None:
    frame = selection.frame
    by_name = {layer.name: layer for layer in stock.layers}
    only = stock.layers[0] if stock.layers else next(iter(reading.plan.of_kind(stock.kind)), None)
    if only is not None:
        _put_layer(out, rows, only, reading)
    named = rows[out.measures.feature[rows] >= 0]
    feature = out.measures.feature[named]
    ids = frame["feature_id"].to_numpy(dtype=object)
    names = reasons.feature_names(frame, stock.kind)
    out.feature_id[named] = ids[feature]
    out.feature_name[named] = names[feature]
    if len(by_name) > 1:
        layers = frame["layer"].to_numpy(dtype=object)[feature]
        for row, name in zip(named, layers, strict=True):
            out.layer[row] = by_name[name]
            out.sha256[row] = reading.sha256(by_name[name])


def _decide(
    out: Outcome,
    rows: NDArray[np.intp],
    *,
    stock: Stock,
    gaps: tuple[str, ...],
    covered: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    unless: NDArray[np.bool_],
) -> None:
    rule = out.rule
    touched, held = out.measures.touched[rows], covered[rows]
    open_facts = unknown[rows] | (not rule.verified)
    hit = np.where(unless[rows], CODE[rule.effect_unless], CODE[rule.effect])
    hit = np.where(open_facts, CODE["needs_facts"], hit)
    miss = np.where(held, CODE["clear" if rule.verified else "needs_facts"], CODE["no_data"])
    if gaps:
        miss[:] = CODE["no_data"]
        if rule.relation == "outside":
            # What is missing may be what covers the site.
            hit[:] = CODE["no_data"]
    if stock.only_none:
        # Known not to exist here: nothing can be touched, and everything is outside of it.
        miss = np.where(held, CODE["clear"], CODE["no_data"])
        hit = np.where(held, hit, CODE["no_data"])
    out.verdict[rows] = np.where(touched, hit, miss)


def _certain(out: Outcome, rows: NDArray[np.intp], stock: Stock, asked: Asked) -> None:
    touched = out.measures.touched[rows]
    accuracies = [layer.accuracy_m for layer in stock.layers]
    unknown = any(value is None for value in accuracies)
    worst = max((value for value in accuracies if value is not None), default=0.0)
    own = np.array([np.nan if x is None or x.accuracy_m is None else x.accuracy_m for x in _layers(out, rows)])
    # A hit is as good as the layer it is on; a miss is as good as the worst layer that could have hit.
    limit = np.where(touched, own, np.nan if unknown else worst) + asked.accuracy_m[rows]
    margin = out.measures.margin_m[rows]
    certain = np.where(np.isnan(margin), True, margin > limit) & ~np.isnan(limit)
    if stock.only_none:
        certain[:] = True
    out.certain[rows] = certain & (out.verdict[rows] != CODE["no_data"])


def _layers(out: Outcome, rows: NDArray[np.intp]) -> list[Layer | None]:
    return [out.layer[row] for row in rows]


def _explain(
    out: Outcome,
    rows: NDArray[np.intp],
    *,
    stock: Stock,
    gaps: tuple[str, ...],
    known: frozenset[str],
    possible: NDArray[np.bool_],
    missing: list[tuple[str, ...]],
    asked: Asked,
) -> None:
    rule = out.rule
    beyond = out.measures.beyond[rows] & ~out.measures.touched[rows] & (out.verdict[rows] == CODE["clear"])
    out.reason[rows[beyond]] = reasons.far(rule, stock)
    group = asked.projects.group
    for row in rows[~beyond]:
        out.reason[row] = reasons.measured(
            rule,
            verdict=list(VERDICTS)[out.verdict[row]],
            certain=bool(out.certain[row]),
            measures=out.measures,
            row=row,
            feature=out.feature_name[row] or "",
            layer=out.layer[row],
            site_accuracy_m=float(asked.accuracy_m[row]),
            project=asked.projects.projects[group[row]],
            missing=missing[group[row]],
            doubtful=bool(possible[row]),
            gaps=gaps,
            known=known,
        )
