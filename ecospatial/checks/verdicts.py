"""One rule on all sites: the first line of docs/interface.md section 6 that holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.checks import reasons
from ecospatial.checks._measure import LOOK_BEYOND_M
from ecospatial.checks._reasons import ReasonTexts, concat, factorize
from ecospatial.checks.certainty import DOUBTFUL, MARGINAL, RELIABLE
from ecospatial.checks.certainty import NAMES as CERTAINTY_NAMES
from ecospatial.checks.conditions import NO, UNKNOWN, YES
from ecospatial.model import KINDS, OPEN_BY, VERDICTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecospatial.checks._features import LayerCache, LayerSet
    from ecospatial.checks._measure import Measurement, MeasurementCache, SiteArrays
    from ecospatial.checks.selection import FeatureSelection
    from ecospatial.plans import Layer
    from ecospatial.relations import Measures
    from ecospatial.rules import Rule

_NO_TEXTS: NDArray[Any] = np.empty(0, dtype=object)
CODE = {value: position for position, value in enumerate(VERDICTS)}


# What ``touched`` holds where it is not known whether a rule is touched.
UNTOLD = -1
APPLICANT, DATA_OWNER, RULE_KEEPER = range(len(OPEN_BY))


@dataclass
class RuleResult:
    """What one rule says of each site; a row of every array is a site.

    Where ``measured`` is false the measures say nothing. ``layer`` is the position in ``layers``, -1 for none.
    ``certainty`` is a position in ``CERTAINTIES``, -1 where there is nothing to rely on; ``touched`` is 1, 0, or
    ``UNTOLD``; ``open_by`` is a position in ``OPEN_BY``, -1 where nothing is open; ``open_here`` says whether what is
    open is a matter of this place.
    ``feature_ids`` and ``feature_names`` are those of all features that were asked about.
    ``said`` is the position in ``said_of`` of what is said of a site, -1 where ``format_reasons`` has to put it into
    words.
    ``noted`` is the position in ``notes`` of what is added to that, of which the first is nothing.
    """

    rule: Rule
    verdict: NDArray[np.int8]
    certain: NDArray[np.bool_]
    certainty: NDArray[np.int8]
    touched: NDArray[np.int8]
    open_by: NDArray[np.int8]
    open_here: NDArray[np.bool_]
    measures: Measures
    overlap_ellipsoidal_m2: NDArray[np.float64]
    measured: NDArray[np.bool_]
    layers: tuple[Layer, ...]
    layer: NDArray[np.int16]
    feature_ids: NDArray[Any]
    feature_names: NDArray[Any]
    said: NDArray[np.int32]
    said_of: list[str] = field(default_factory=list)
    format_reasons: Callable[[RuleResult, NDArray[np.intp]], tuple[NDArray[np.intp], ReasonTexts]] | None = None
    noted: NDArray[np.intp] | None = None
    notes: list[str] = field(default_factory=lambda: [""])

    def set_reason(self, rows: NDArray[np.intp] | slice, sentence: str) -> None:
        """Say the same of several sites."""
        self.said[rows] = len(self.said_of)
        self.said_of.append(sentence)

    def add_remark(self, rows: NDArray[np.intp], code: NDArray[np.intp], texts: list[str]) -> None:
        """Add one of these texts to what is said of each of some sites."""
        noted = np.zeros(len(self.verdict), dtype=np.intp) if self.noted is None else self.noted
        held = noted[rows]
        pair, first = factorize(held * len(texts) + code)
        noted[rows] = len(self.notes) + pair
        self.notes += [self.notes[held[row]] + texts[code[row]] for row in first]
        self.noted = noted

    def reasons(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], ReasonTexts]:
        """Give the reasons of some sites as positions among sentences; nothing is said of the others."""
        code, parts = self.said[rows].astype(np.intp), [ReasonTexts.plain(self.said_of)]
        open_ = np.flatnonzero(code < 0)
        if len(open_) and self.format_reasons is not None:
            own, told = self.format_reasons(self, rows[open_])
            code[open_] = len(parts[0]) + own
            parts.append(told)
        if self.noted is not None:
            said, some = concat(parts), np.flatnonzero(self.noted[rows])
            parts.append(said.ended(code[some], self.noted[rows[some]], self.notes))
            code[some] = len(said) + np.arange(len(some))
        return code, concat(parts)


def evaluate_all(
    rules: list[list[Rule]],
    measuring: MeasurementCache,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[RuleResult]:
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
    found: list[RuleResult | None] = [None] * len(rules)
    groups: dict[Any, list[int]] = {}
    for number, versions in enumerate(rules):
        rule = measuring.reading.in_force.get(versions[0].id)
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


def evaluate(versions: list[Rule], measuring: MeasurementCache) -> RuleResult:
    """Put one rule, in the version in force on the day, to all sites.

    Parameters
    ----------
    versions
        All versions of the rule id.
    measuring
        The sites and the layers, read for the day.
    """
    asked, reading = measuring.asked, measuring.reading
    rule = reading.in_force.get(versions[0].id)
    if rule is None:
        latest = max(versions, key=lambda version: version.since)
        out = _blank(latest, measuring)
        out.set_reason(slice(None), reasons.not_in_force(versions, reading.on))
        return out
    out = _blank(rule, measuring)
    group = asked.projects.group
    when = measuring.answers(rule)
    truth = np.array([answer.truth for answer in when], dtype=np.int8)[group]
    out.set_reason(slice(None), reasons.not_this_project(rule))
    rows = np.flatnonzero(truth != NO)
    if not len(rows):
        return out
    stock = reading.stock_for(rule)
    out.open_by[rows] = RULE_KEEPER if rule.unsettled else DATA_OWNER
    if stock.frame is None:
        _set_no_layer(out, rows, reading, stock)
        return out
    selection, found = reading.select(rule), measuring.measure(rule)
    if selection.unmatched:
        _set_unmatched(out, rows, selection, found)
        return out
    out.measures, out.measured[rows] = found.measures, True
    out.overlap_ellipsoidal_m2 = found.overlap_ellipsoidal_m2
    out.layers, out.layer[rows] = found.layers, found.layer[rows]
    out.feature_ids, out.feature_names = found.feature_ids, found.feature_names
    between = () if "distance" in rule.not_stated else _between_banks(rule, selection)
    unless = np.array([answer.truth == YES for answer in asked.projects.ask(rule.unless, default=NO)])[group]
    line = _first_line(rule, stock, found, unknown=truth == UNKNOWN, gap=bool(stock.gaps or between))
    _set_verdicts(out, rows, line, unless=unless)
    _set_certainty(out, rows, line, stock, selection, found, asked)
    _set_touched(out, rows, line, measuring, stock)
    _set_open(out, rows, line)
    beyond = out.measures.beyond[rows] & (line[rows] == CLEAR) & (out.certainty[rows] <= 0) & (not rule.unsettled)
    out.said[rows] = -1
    out.set_reason(rows[beyond], reasons.far(rule, stock))
    out.format_reasons = partial(
        _explain, stock=stock, selection=selection, gaps=stock.gaps + between, known=measuring.rule_ids, line=line,
        missing=[answer.missing for answer in when], asked=asked, edge=found.certainty.edge, on=reading.on,
    )  # fmt: skip
    return out


# The lines of the table in docs/interface.md section 6 that hold for a site whose layer can be read.
NO_LAYER, OUT_OF_REACH, POSSIBLE, ASKS, HIT, NOT_COVERED, CLEAR = 6, 8, 9, 10, 11, 12, 13


def _first_line(
    rule: Rule,
    stock: LayerSet,
    found: Measurement,
    *,
    unknown: NDArray[np.bool_],
    gap: bool,
) -> NDArray[np.int8]:
    """Give for each site the first line of the table, from the sixth on, that holds."""
    sure, possible = found.matched, found.possible
    touched = np.where(unknown, ASKS, HIT)
    if rule.relation == "outside":
        # What is missing may be what covers the site; beyond the coverage nobody knows.
        open_ = found.measures.uncovered & (gap | ~(sure | possible))
        line = np.where(open_, OUT_OF_REACH, np.where(possible, POSSIBLE, np.where(sure, touched, CLEAR)))
    else:
        miss = np.where(found.covered & (not gap), CLEAR, NOT_COVERED)
        line = np.where(possible, POSSIBLE, np.where(sure, touched, miss))
    if stock.only_none:
        # Known not to exist here, but only where that was said.
        line = np.where(found.covered, line, NO_LAYER)
    return line.astype(np.int8)


def _set_verdicts(
    out: RuleResult, rows: NDArray[np.intp], line: NDArray[np.int8], *, unless: NDArray[np.bool_]
) -> None:
    rule, here = out.rule, line[rows]
    hit = np.where(unless[rows], CODE[rule.effect_unless], CODE[rule.effect])
    asks = CODE["duty" if rule.effect == "duty" else "needs_facts"]
    verdict = np.full(len(rows), CODE["no_data"], dtype=np.int8)
    for at, code in ((POSSIBLE, CODE["needs_facts"]), (ASKS, asks), (HIT, hit), (CLEAR, CODE["clear"])):
        verdict = np.where(here == at, code, verdict)
    out.verdict[rows] = CODE["unsettled"] if rule.unsettled else verdict


def _set_certainty(
    out: RuleResult,
    rows: NDArray[np.intp],
    line: NDArray[np.int8],
    stock: LayerSet,
    selection: FeatureSelection,
    found: Measurement,
    asked: SiteArrays,
) -> None:
    here = line[rows]
    code = np.full(len(rows), -1, dtype=np.int8)
    hit, miss = (here == HIT) | (here == ASKS), here == CLEAR
    code[hit] = found.certainty.hit[rows][hit]
    code[miss] = found.certainty.miss[rows][miss]
    if selection.missing:
        code[miss] = np.maximum(code[miss], DOUBTFUL)
    code[here == POSSIBLE] = DOUBTFUL
    if not stock.only_none:
        repaired = asked.doubtful()[rows] & (code >= 0)
        code[repaired] = np.maximum(code[repaired], DOUBTFUL)
    code[asked.datum_doubtful()[rows] & (code == MARGINAL)] = DOUBTFUL
    if out.rule.unsettled:
        code[:] = -1
    out.certainty[rows] = code
    out.certain[rows] = code == RELIABLE


def _set_touched(
    out: RuleResult, rows: NDArray[np.intp], line: NDArray[np.int8], measuring: MeasurementCache, stock: LayerSet
) -> None:
    """Say where a rule is touched, where it is not, and leave the rest untold."""
    here = line[rows]
    touched = np.where((here == HIT) | (here == ASKS), 1, np.where(here == CLEAR, 0, UNTOLD))
    if "distance" in out.rule.not_stated:
        # Nobody knows how far the rule reaches: only what is in contact is touched, only what is far off is not.
        distance = out.measures.distance_m[rows]
        far = np.isnan(distance) | (distance > LOOK_BEYOND_M)
        known = measuring.covers(stock.whole, LOOK_BEYOND_M)[rows] & (not stock.gaps)
        touched = np.where(touched == 1, 1, np.where((touched == 0) & far & known, 0, UNTOLD))
    out.touched[rows] = touched


def _set_open(out: RuleResult, rows: NDArray[np.intp], line: NDArray[np.int8]) -> None:
    """Say who has to answer what is open, and whether it is open at this place or anywhere in the plan."""
    rule, here = out.rule, line[rows]
    if rule.unsettled:
        touched = out.touched[rows]
        out.open_here[rows] = (touched == 1) | ((touched == UNTOLD) & (rule.effect == "prohibited"))
        return
    by = np.full(len(rows), -1, dtype=np.int8)
    by[here == ASKS] = -1 if rule.effect == "duty" else APPLICANT
    by[np.isin(here, (NO_LAYER, OUT_OF_REACH, POSSIBLE, NOT_COVERED))] = DATA_OWNER
    out.open_by[rows] = by
    out.open_here[rows] = np.isin(here, (OUT_OF_REACH, POSSIBLE, NOT_COVERED)) | (by == APPLICANT)


def _set_unmatched(out: RuleResult, rows: NDArray[np.intp], selection: FeatureSelection, found: Measurement) -> None:
    """Say that no feature of the layer carries what the rule names: of this place where any of them is touched."""
    rule = out.rule
    out.certain[rows] = False
    out.verdict[rows] = CODE["unsettled" if rule.unsettled else "no_data"]
    with np.errstate(invalid="ignore"):
        met = found.measures.distance_m[rows] <= rule.within_m
    out.open_here[rows] = (rule.effect == "prohibited") if rule.unsettled else met
    text = reasons.describe_missing(rule, selection.missing)
    out.set_reason(rows, f"{reasons.unsettled(rule)}；{text}。" if rule.unsettled else f"{text}。")
    out.layers, out.layer[rows] = found.layers, found.layer[rows]


def _set_no_layer(out: RuleResult, rows: NDArray[np.intp], reading: LayerCache, stock: LayerSet) -> None:
    """Say that no layer of the kind can be used."""
    rule = out.rule
    out.certain[rows] = False
    out.verdict[rows] = CODE["unsettled" if rule.unsettled else "no_data"]
    out.open_here[rows] = stock.broken and not rule.unsettled
    gap = "；".join(stock.gaps)
    out.set_reason(rows, f"{reasons.unsettled(rule)}；{gap}" if rule.unsettled else gap)
    out.layers = tuple(reading.plan.of_kind(rule.layer)[:1])
    out.layer[rows] = 0 if out.layers else -1


def _between_banks(rule: Rule, selection: FeatureSelection) -> tuple[str, ...]:
    """Name the gap of a rule on the inside of a river whose banks are only lines."""
    if rule.relation != "near" or rule.within_m > 0 or KINDS[rule.layer].shape != "bank":
        return ()
    lines = (shapely.get_dimensions(selection.possible.geometry) == 1).any()
    return (reasons.between_banks(rule),) if lines else ()


def _blank(rule: Rule, measuring: MeasurementCache) -> RuleResult:
    count = len(measuring.asked)
    return RuleResult(
        rule=rule,
        verdict=np.full(count, CODE["not_applicable"], dtype=np.int8),
        certain=np.ones(count, dtype=bool),
        certainty=np.full(count, -1, dtype=np.int8),
        touched=np.full(count, UNTOLD, dtype=np.int8),
        open_by=np.full(count, -1, dtype=np.int8),
        open_here=np.zeros(count, dtype=bool),
        measures=measuring.nothing,
        overlap_ellipsoidal_m2=measuring.nothing.overlap_m2,
        measured=np.zeros(count, dtype=bool),
        layers=(),
        layer=np.full(count, -1, dtype=np.int16),
        feature_ids=_NO_TEXTS,
        feature_names=_NO_TEXTS,
        said=np.zeros(count, dtype=np.int32),
    )


def _explain(
    out: RuleResult,
    rows: NDArray[np.intp],
    *,
    stock: LayerSet,
    selection: FeatureSelection,
    gaps: tuple[str, ...],
    known: frozenset[str],
    line: NDArray[np.int8],
    missing: list[tuple[str, ...]],
    asked: SiteArrays,
    edge: NDArray[np.bool_],
    on: dt.date,
) -> tuple[NDArray[np.intp], ReasonTexts]:
    """Say of each site what was measured, what follows, and how far it can be relied on.

    Gives for each site the position of what is said of it, and all that is said.
    """
    rule, values, measures = out.rule, list(VERDICTS), out.measures
    group, blind = asked.projects.group, CODE["no_data"]
    # Why a feature only may be meant; the last place is that of no feature.
    distinct, doubt_of = np.unique(np.append(selection.doubts, "").astype(str), return_inverse=True)
    doubt = np.where(line == POSSIBLE, doubt_of.ravel()[measures.feature], len(distinct))
    doubts = [*distinct.tolist(), ""]

    def follows(row: int, why: tuple[str, ...]) -> str:
        return reasons.follows(
            rule,
            verdict=values[out.verdict[row]],
            touched=bool(measures.touched[row]) and line[row] in (ASKS, HIT),
            asks=line[row] == ASKS,
            project=asked.projects.projects[group[row]],
            missing=missing[group[row]],
            doubt=doubts[doubt[row]],
            gaps=why if line[row] in (NO_LAYER, OUT_OF_REACH, NOT_COVERED) else (),
            known=known,
            on=on,
        )

    def reliance(row: int) -> str:
        return reasons.reliance(
            rule,
            certain=bool(out.certain[row]),
            layer=out.layers[out.layer[row]] if out.layer[row] >= 0 else None,
            site_accuracy_m=np.nan if asked.doubtful()[row] else asked.accuracy_m[row],
        )

    def caution(row: int) -> str:
        if out.certainty[row] <= 0 or line[row] == POSSIBLE:
            return ""
        return reasons.caution(
            certainty=CERTAINTY_NAMES[out.certainty[row]],
            causes=_name_causes(stock, selection, asked, row, clear=line[row] == CLEAR),
            edge=bool(edge[row]) and line[row] == CLEAR,
        )

    # Of sites that are alike in all but what was measured the same is said: one of each kind is put into words.
    kind = asked.reliance_group[rows]
    for column, size in (
        (group, len(missing)), (out.layer + 1, len(out.layers) + 1), (out.verdict, len(values)), (line, CLEAR + 1),
        (out.certainty + 1, len(CERTAINTY_NAMES) + 1), (doubt, len(doubts)), (edge, 2),
    ):  # fmt: skip
        kind = kind * size + column[rows]
    kind, first = factorize(kind)
    first = rows[first]
    cautions = [caution(row) for row in first]
    seen = [follows(row, gaps) + reliance(row) for row in first]
    # Where nothing was measured all of a kind are told the same, but for what is said of a place that nobody knows.
    local = bool(stock.blind) and not gaps
    bare = (measures.feature[rows] < 0) & ~measures.touched[rows] & np.isnan(measures.margin_m[rows])
    bare &= (out.verdict[rows] != blind) | (not local)
    code, told = factorize(np.where(bare, kind, len(first) + np.arange(len(rows))))
    rows, kind = rows[told], kind[told]
    if local:
        unseen = np.flatnonzero(out.verdict[rows] == blind)
        said = [follows(row, stock.blindness(asked.geometry[row])) + reliance(row) for row in rows[unseen].tolist()]
        position = {text: len(seen) + number for number, text in enumerate(dict.fromkeys(said))}
        kind[unseen] = [position[text] for text in said]
        seen, cautions = [*seen, *position], cautions + [""] * len(position)
    # Where there is no feature its position is -1, the last.
    names = [*(name or "" for name in out.feature_names), ""]
    return code, reasons.told(rule, measures, rows, names, kind=kind, seen=seen, cautions=cautions)


def _name_causes(
    stock: LayerSet, selection: FeatureSelection, asked: SiteArrays, row: int, *, clear: bool
) -> list[str]:
    """Name what leaves the finding on a site in doubt."""
    causes = []
    if asked.doubtful()[row]:
        causes.append("地块图形经较大修复")
    if asked.datum_doubtful()[row]:
        causes.append("地块坐标的基准未经证实")
    if any(layer.accuracy_m is None for layer in selection.sources):
        causes.append("图层定位精度未知")
    if len(selection.features.hulls):
        causes.append("图层中有图形经较大修复")
    if clear and selection.missing:
        causes.append(f"图层中没有{reasons.list_missing(stock.kind, selection.missing)}，也未确认本区没有")
    if clear and selection.unlocated:
        causes.append("图层中有要素只知所在街道或镇")
    if clear and any(np.isnan(part.accuracy_m) for part in stock.parts):
        causes.append("覆盖范围的精度未知")
    return causes
