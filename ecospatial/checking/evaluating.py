"""One rule on all sites: the first line of docs/interface.md section 6 that holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.checking import reasons
from ecospatial.checking.conditions import NO, UNKNOWN, YES
from ecospatial.checking.sentences import Sentences, end_to_end, numbered
from ecospatial.model import KINDS, VERDICTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecospatial.checking.measuring import Asked, Measuring
    from ecospatial.checking.reading import Reading, Selection, Stock
    from ecospatial.plans import Layer
    from ecospatial.relations import Measures
    from ecospatial.rules import Rule

_NO_TEXTS: NDArray[Any] = np.empty(0, dtype=object)
CODE = {value: position for position, value in enumerate(VERDICTS)}


@dataclass
class Outcome:
    """What one rule says of each site; a row of every array is a site.

    Where ``measured`` is false the measures say nothing. ``layer`` is the position in ``layers``, -1 for none.
    ``feature_ids`` and ``feature_names`` are those of all features that were asked about.
    ``said`` is the position in ``said_of`` of what is said of a site, -1 where ``explain`` has to put it into words.
    ``noted`` is the position in ``notes`` of what is added to that, of which the first is nothing.
    """

    rule: Rule
    verdict: NDArray[np.int8]
    certain: NDArray[np.bool_]
    measures: Measures
    overlap_ellipsoidal_m2: NDArray[np.float64]
    measured: NDArray[np.bool_]
    layers: tuple[Layer, ...]
    layer: NDArray[np.int16]
    feature_ids: NDArray[Any]
    feature_names: NDArray[Any]
    said: NDArray[np.int32]
    said_of: list[str] = field(default_factory=list)
    explain: Callable[[Outcome, NDArray[np.intp]], tuple[NDArray[np.intp], Sentences]] | None = None
    noted: NDArray[np.intp] | None = None
    notes: list[str] = field(default_factory=lambda: [""])

    def say(self, rows: NDArray[np.intp] | slice, sentence: str) -> None:
        """Say the same of several sites."""
        self.said[rows] = len(self.said_of)
        self.said_of.append(sentence)

    def note(self, rows: NDArray[np.intp], code: NDArray[np.intp], texts: list[str]) -> None:
        """Add one of these texts to what is said of each of some sites."""
        noted = np.zeros(len(self.verdict), dtype=np.intp) if self.noted is None else self.noted
        held = noted[rows]
        pair, first = numbered(held * len(texts) + code)
        noted[rows] = len(self.notes) + pair
        self.notes += [self.notes[held[row]] + texts[code[row]] for row in first]
        self.noted = noted

    def reasons(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], Sentences]:
        """Give the reasons of some sites as positions among sentences; nothing is said of the others."""
        code, parts = self.said[rows].astype(np.intp), [Sentences.plain(self.said_of)]
        open_ = np.flatnonzero(code < 0)
        if len(open_) and self.explain is not None:
            own, told = self.explain(self, rows[open_])
            code[open_] = len(parts[0]) + own
            parts.append(told)
        if self.noted is not None:
            said, some = end_to_end(parts), np.flatnonzero(self.noted[rows])
            parts.append(said.ended(code[some], self.noted[rows[some]], self.notes))
            code[some] = len(said) + np.arange(len(some))
        return code, end_to_end(parts)


def evaluate_all(
    rules: list[list[Rule]],
    measuring: Measuring,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Put rules, each with all its versions, to all sites.

    Parameters
    ----------
    rules, measuring
        As for ``evaluate``.
    jobs
        Threads; rules on the same features are asked by the same one.
    progress
        Called with how many rules are done, and how many there are.
    """
    found: list[Outcome | None] = [None] * len(rules)
    groups: dict[Any, list[int]] = {}
    for number, versions in enumerate(rules):
        rule = _in_force(versions, measuring.reading.on)
        groups.setdefault(("", number) if rule is None else measuring.features(rule), []).append(number)
    done, telling = 0, Lock()

    def work(group: list[int]) -> None:
        nonlocal done
        for number in group:
            found[number] = evaluate(rules[number], measuring)
            with telling:
                done += 1
                if progress is not None:
                    progress(done, len(rules))

    if progress is not None:
        progress(0, len(rules))

    if jobs == 1:
        for group in groups.values():
            work(group)
    else:
        measuring.asked.shapes.ready()
        pool = ThreadPoolExecutor(jobs)
        try:
            list(pool.map(work, sorted(groups.values(), key=len, reverse=True)))
        finally:
            # Who stops the check waits for the questions that are being asked, not for all of them.
            pool.shutdown(cancel_futures=True)
    return [outcome for outcome in found if outcome is not None]


def _in_force(versions: list[Rule], on: dt.date) -> Rule | None:
    return next((version for version in versions if version.in_force(on)), None)


def evaluate(versions: list[Rule], measuring: Measuring) -> Outcome:
    """Put one rule, in the version in force on the day, to all sites.

    Parameters
    ----------
    versions
        All versions of the rule id.
    measuring
        The sites and the layers, read for the day.
    """
    asked, reading = measuring.asked, measuring.reading
    rule = _in_force(versions, reading.on)
    if rule is None:
        latest = max(versions, key=lambda version: version.since)
        out = _blank(latest, measuring)
        out.say(slice(None), reasons.not_in_force(versions, reading.on))
        return out
    out = _blank(rule, measuring)
    group = asked.projects.group
    when = measuring.answers(rule)
    truth = np.array([answer.truth for answer in when], dtype=np.int8)[group]
    out.say(slice(None), reasons.not_this_project(rule))
    open_ = np.flatnonzero(truth != NO)
    if not len(open_):
        return out
    stock = reading.stock_for(rule)
    if stock.frame is None:
        _no_data(out, open_, reading, "；".join(stock.gaps))
        return out
    found = measuring.measure(rule)
    out.measures, out.measured[open_] = found.measures, True
    out.overlap_ellipsoidal_m2 = found.overlap_ellipsoidal_m2
    out.layers, out.layer[open_] = found.layers, found.layer[open_]
    out.feature_ids, out.feature_names = found.feature_ids, found.feature_names
    gaps = stock.gaps + _between_banks(rule, reading.select(rule))
    unless = np.array([answer.truth == YES for answer in asked.projects.ask(rule.unless, default=NO)])[group]
    unknown = (truth == UNKNOWN) | found.possible
    _decide(out, open_, stock=stock, gaps=gaps, covered=found.covered, unknown=unknown, unless=unless)
    _certain(out, open_, stock, asked)
    missing = [answer.missing for answer in when]
    known = measuring.rule_ids
    beyond = out.measures.beyond[open_] & ~out.measures.touched[open_] & (out.verdict[open_] == CODE["clear"])
    out.said[open_] = -1
    out.say(open_[beyond], reasons.far(rule, stock))
    out.explain = partial(
        _explain, stock=stock, gaps=gaps, known=known, possible=found.possible, missing=missing, asked=asked
    )
    return out


def _between_banks(rule: Rule, selection: Selection) -> tuple[str, ...]:
    """Name the gap of a rule on the inside of a river whose banks are only lines."""
    if rule.relation != "near" or rule.within_m > 0 or KINDS[rule.layer].shape != "bank":
        return ()
    lines = (shapely.get_dimensions(selection.all.geometry) == 1).any()
    return (reasons.between_banks(rule),) if lines else ()


def _blank(rule: Rule, measuring: Measuring) -> Outcome:
    count = len(measuring.asked)
    return Outcome(
        rule=rule,
        verdict=np.full(count, CODE["not_applicable"], dtype=np.int8),
        certain=np.ones(count, dtype=bool),
        measures=measuring.nothing,
        overlap_ellipsoidal_m2=measuring.nothing.overlap_m2,
        measured=np.zeros(count, dtype=bool),
        layers=(),
        layer=np.full(count, -1, dtype=np.int16),
        feature_ids=_NO_TEXTS,
        feature_names=_NO_TEXTS,
        said=np.zeros(count, dtype=np.int32),
    )


def _no_data(out: Outcome, rows: NDArray[np.intp], reading: Reading, gap: str) -> None:
    out.verdict[rows] = CODE["no_data"]
    out.certain[rows] = False
    out.say(rows, gap)
    out.layers = tuple(reading.plan.of_kind(out.rule.layer)[:1])
    out.layer[rows] = 0 if out.layers else -1


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
    of_layer = np.array([*(np.nan if x.accuracy_m is None else x.accuracy_m for x in out.layers), np.nan])
    own = of_layer[out.layer[rows]]
    # A hit is as good as the layer it is on; a miss is as good as the worst layer that could have hit.
    limit = np.where(touched, own, np.nan if unknown else worst) + asked.accuracy_m[rows]
    margin = out.measures.margin_m[rows]
    certain = np.where(np.isnan(margin), True, margin > limit) & ~np.isnan(limit) & ~asked.doubtful()[rows]
    if stock.only_none:
        certain[:] = True
    out.certain[rows] = certain & (out.verdict[rows] != CODE["no_data"])


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
) -> tuple[NDArray[np.intp], Sentences]:
    """Say of each site what was measured, what follows, how far it can be relied on, and whether it is in doubt.

    Gives for each site the position of what is said of it, and all that is said.
    """
    rule, values = out.rule, list(VERDICTS)
    group, blind = asked.projects.group, CODE["no_data"]

    def follows(row: int, why: tuple[str, ...]) -> str:
        touched = bool(out.measures.touched[row])
        return reasons.follows(
            rule,
            verdict=values[out.verdict[row]],
            touched=touched,
            project=asked.projects.projects[group[row]],
            missing=missing[group[row]],
            doubtful=bool(possible[row]),
            gaps=why,
            known=known,
        )

    def reliance(row: int) -> str:
        return reasons.reliance(
            rule,
            certain=bool(out.certain[row]),
            layer=out.layers[out.layer[row]] if out.layer[row] >= 0 else None,
            site_accuracy_m=np.nan if asked.doubtful()[row] else asked.accuracy_m[row],
        )

    # Of sites that are alike in all but what was measured the same is said: one of each kind is put into words.
    measures = out.measures
    kind = asked.reliance_group[rows]
    for column, size in (
        (group, len(missing)), (out.layer + 1, len(out.layers) + 1), (out.verdict, len(values)),
        (measures.touched, 2), (possible, 2), (out.certain, 2),
    ):  # fmt: skip
        kind = kind * size + column[rows]
    kind, first = numbered(kind)
    first = rows[first]
    held = np.array([*(layer.present == "held" for layer in out.layers), False])
    doubt = ~out.certain[first] & (out.verdict[first] != blind) & held[out.layer[first]]
    seen = [follows(row, gaps) + reliance(row) for row in first]
    # Where nothing was measured all of a kind are told the same, but for what is said of a place that nobody knows.
    local = bool(stock.blind) and not gaps
    bare = (measures.feature[rows] < 0) & ~measures.touched[rows] & np.isnan(measures.margin_m[rows])
    bare &= (out.verdict[rows] != blind) | (not local)
    code, told = numbered(np.where(bare, kind, len(first) + np.arange(len(rows))))
    rows, kind = rows[told], kind[told]
    if local:
        unseen = np.flatnonzero(out.verdict[rows] == blind)
        said = [follows(row, stock.blindness(asked.geometry[row])) + reliance(row) for row in rows[unseen].tolist()]
        position = {text: len(seen) + number for number, text in enumerate(dict.fromkeys(said))}
        kind[unseen] = [position[text] for text in said]
        seen, doubt = [*seen, *position], np.append(doubt, np.zeros(len(position), dtype=bool))
    # Where there is no feature its position is -1, the last.
    names = [*(name or "" for name in out.feature_names), ""]
    return code, reasons.told(rule, measures, rows, names, kind=kind, seen=seen, doubt=doubt)
