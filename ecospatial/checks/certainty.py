"""How far an answer can be relied on: margins against the accuracy of features, sites and edges of coverages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ecospatial.model import CERTAINTIES
from ecospatial.relations import Nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks._features import LayerSet
    from ecospatial.checks._measure import MeasurementCache
    from ecospatial.checks.selection import FeatureGroup, FeatureSelection
    from ecospatial.relations import Measures, Target
    from ecospatial.rules import Rule

# Ordered: of several reasons the worst counts.
RELIABLE, MARGINAL, DOUBTFUL, SCHEMATIC = range(4)
NAMES = tuple(CERTAINTIES)


@dataclass(frozen=True)
class Certainty:
    """How far a hit and a miss of each site could be relied on, as positions in ``CERTAINTIES``.

    That of a hit is as good as the best of the features that would make it alone; that of a miss as bad as the worst
    that could have hit, and as the edge of the coverage; ``edge`` marks misses that only this edge leaves in doubt.
    """

    hit: NDArray[np.int8]
    miss: NDArray[np.int8]
    edge: NDArray[np.bool_]


def judge_certainty(
    rule: Rule,
    measuring: MeasurementCache,
    stock: LayerSet,
    selection: FeatureSelection,
    measures: Measures,
    sure: NDArray[np.bool_],
) -> Certainty:
    """Compare the margin of each site with the accuracies that it depends on.

    Features of one layer with one accuracy would move together, those of another layer by themselves: each of these
    groups is asked alone, so that a hit on the seam of two layers is not taken for a deep one.

    Parameters
    ----------
    rule
        The rule, with its distance.
    measuring
        The sites and the layers.
    stock, selection
        The kind as it stands, and the features that the rule is about.
    measures, sure
        What was found of all features, and where features touch that the rule names.
    """
    groups = selection.features.groups
    guessed = any(layer.basis == "guessed" for layer in stock.layers) or any(group.guessed for group in groups)
    outside = rule.relation == "outside"
    edge = np.zeros(len(measuring.asked), dtype=bool)
    if outside:
        hit = _uncovered(measuring, stock, groups, measures, guessed=guessed)
        miss = _covered(rule, measuring, stock, groups, measures)
    else:
        hit = _touched(rule, measuring, stock, groups, measures, sure)
        miss = _missed(rule, measuring, stock, groups, measures, guessed=guessed)
        by_edge = judge_coverage(measuring, stock, rule.within_m)
        edge = by_edge > miss
        miss = np.maximum(miss, by_edge)
        if selection.unlocated:
            miss = np.maximum(miss, DOUBTFUL)
    hulls = selection.features.hulls
    if len(hulls):
        # What a repaired feature covers may have been anything within its hull.
        reach = measuring.asked.accuracy_m + rule.within_m + _worst_m(groups)
        near = np.zeros(len(measuring.asked), dtype=bool)
        near[np.unique(shapely.STRtree(hulls).query(measuring.asked.geometry, "dwithin", distance=reach)[0])] = True
        miss = np.where(near, np.maximum(miss, DOUBTFUL), miss)
        if outside:
            hit = np.where(near, np.maximum(hit, DOUBTFUL), hit)
    return Certainty(hit.astype(np.int8), miss.astype(np.int8), edge)


def judge_coverage(measuring: MeasurementCache, stock: LayerSet, within_m: float) -> NDArray[np.int8]:
    """Say how far it can be relied on that the coverage of some layer holds each site and what is around it."""
    accuracy = measuring.asked.accuracy_m
    found = np.full(len(measuring.asked), MARGINAL, dtype=np.int8)
    deep = np.zeros(len(found), dtype=bool)
    for part in stock.parts:
        if part.guessed:
            found[measuring.covers(part, within_m)] = SCHEMATIC
        elif np.isnan(part.accuracy_m):
            held = measuring.covers(part, within_m) & (found != SCHEMATIC)
            found[held] = DOUBTFUL
        else:
            deep |= measuring.covers(part, within_m + part.accuracy_m + accuracy)
    found[deep] = RELIABLE
    return found


def _judge(margin: NDArray[np.float64], group: FeatureGroup, accuracy: NDArray[np.float64]) -> NDArray[np.int8]:
    """Compare margins with the accuracy of a group; an empty margin is beyond reach."""
    found = np.full(len(margin), MARGINAL, dtype=np.int8)
    if group.guessed:
        found[:] = SCHEMATIC
    elif group.repaired or np.isnan(group.accuracy_m):
        found[:] = DOUBTFUL
    else:
        found[np.isnan(margin) | (margin > group.accuracy_m + accuracy)] = RELIABLE
    return found


def _touched(
    rule: Rule,
    measuring: MeasurementCache,
    stock: LayerSet,
    groups: tuple[FeatureGroup, ...],
    measures: Measures,
    sure: NDArray[np.bool_],
) -> NDArray[np.int8]:
    accuracy = measuring.asked.accuracy_m
    if len(groups) == 1:
        return _judge(measures.margin_m, groups[0], accuracy)
    rest = SCHEMATIC if any(group.guessed for group in groups) else DOUBTFUL
    if not any(_can_be_reliable(group) for group in groups) or not sure.any():
        return np.full(len(accuracy), rest, dtype=np.int8)
    best = np.full(len(accuracy), SCHEMATIC + 1, dtype=np.int8)
    for group in groups:
        if not len(group.matched.geometry):
            continue
        own = _ask_alone(rule, measuring, stock, group.matched, group, sure)
        best = np.where(own.touched, np.minimum(best, _judge(own.margin_m, group, accuracy)), best)
    # Touched by all of them together and by none alone, as a line a hair's breadth in each.
    return np.where(best > SCHEMATIC, MARGINAL if rest == DOUBTFUL else rest, best)


def _missed(
    rule: Rule,
    measuring: MeasurementCache,
    stock: LayerSet,
    groups: tuple[FeatureGroup, ...],
    measures: Measures,
    *,
    guessed: bool,
) -> NDArray[np.int8]:
    accuracy = measuring.asked.accuracy_m
    found = np.full(len(accuracy), SCHEMATIC if guessed else RELIABLE, dtype=np.int8)
    if guessed:
        return found
    if any(layer.accuracy_m is None for layer in stock.layers):
        found[:] = DOUBTFUL
        return found
    plain = [group for group in groups if not group.repaired]
    if len(groups) == 1 and plain:
        return np.asarray(np.where(measures.touched, DOUBTFUL, _judge(measures.margin_m, plain[0], accuracy)))
    some = ~measures.touched
    for group in plain:
        own = _ask_alone(rule, measuring, stock, group.possible, group, some)
        found = np.maximum(found, _judge(own.margin_m, group, accuracy))
    return found


def _uncovered(
    measuring: MeasurementCache, stock: LayerSet, groups: tuple[FeatureGroup, ...], measures: Measures, *, guessed: bool
) -> NDArray[np.int8]:
    """Judge what no feature covers: it rests on all of them, and on the coverage."""
    accuracy = measuring.asked.accuracy_m
    found = np.full(len(accuracy), RELIABLE, dtype=np.int8)
    if guessed:
        found[:] = SCHEMATIC
    elif any(layer.accuracy_m is None for layer in stock.layers):
        found[:] = DOUBTFUL
    for group in groups:
        found = np.maximum(found, _judge(measures.margin_m, group, accuracy))
    return np.maximum(found, judge_coverage(measuring, stock, 0.0))


def _covered(
    rule: Rule, measuring: MeasurementCache, stock: LayerSet, groups: tuple[FeatureGroup, ...], measures: Measures
) -> NDArray[np.int8]:
    """Judge what features cover wholly: the best of those that do it alone counts."""
    accuracy = measuring.asked.accuracy_m
    if len(groups) == 1:
        return _judge(measures.margin_m, groups[0], accuracy)
    rest = SCHEMATIC if any(group.guessed for group in groups) else MARGINAL
    best = np.full(len(accuracy), rest, dtype=np.int8)
    some = ~measures.uncovered
    for group in groups:
        if not _can_be_reliable(group) or not some.any():
            continue
        own = _ask_alone(rule, measuring, stock, group.matched, group, some)
        best = np.where(some & ~own.uncovered, np.minimum(best, _judge(own.margin_m, group, accuracy)), best)
    return best


def _can_be_reliable(group: FeatureGroup) -> bool:
    return not (group.guessed or group.repaired or np.isnan(group.accuracy_m))


def _ask_alone(
    rule: Rule,
    measuring: MeasurementCache,
    stock: LayerSet,
    target: Target,
    group: FeatureGroup,
    some: NDArray[np.bool_],
) -> Measures:
    """Ask the question of a rule of one group of features, for some sites."""
    sites = measuring.asked.shapes
    about = measuring.about(rule) & some
    accuracy_m = 0.0 if np.isnan(group.accuracy_m) else group.accuracy_m
    reach = rule.within_m + measuring.beyond_m(accuracy_m)
    nearest = Nearest.of(target, sites, float(reach.max(initial=0.0)), asked=about).within(reach, asked=about)
    limits_m = measuring.asked.accuracy_m[:, None] + accuracy_m
    return measuring.relate(rule, stock, target, nearest, limits_m)


def _worst_m(groups: tuple[FeatureGroup, ...]) -> float:
    known = [group.accuracy_m for group in groups if not np.isnan(group.accuracy_m)]
    return max(known, default=0.0)
