"""Measure each question once: rules that ask the same of the same features share the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial.checks.certainty import Certainty, judge_certainty
from ecospatial.checks.conditions import NO
from ecospatial.geometry import ShapeIndex, ellipsoidal_area
from ecospatial.relations import Covered, Measures, Nearest, Target, along_river, is_same, near, outside, overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks._features import CoveragePart, LayerCache, LayerSet
    from ecospatial.checks.conditions import Answer, Projects
    from ecospatial.checks.selection import FeatureSelection
    from ecospatial.plans import Layer
    from ecospatial.rules import Rule

# How far beyond its own distance a rule looks, so that a near miss is seen as one (docs/interface.md 7).
LOOK_BEYOND_M = 1000.0
_AREAL = {"overlaps": overlaps, "raster_above": overlaps, "along_river": along_river}


@dataclass
class SiteArrays:
    """The sites of a check, as arrays."""

    geometry: NDArray[Any]
    accuracy_m: NDArray[np.float64]
    projects: Projects
    much_repaired: NDArray[np.bool_] | None = None
    datum_open: NDArray[np.bool_] | None = None

    def doubtful(self) -> NDArray[np.bool_]:
        """Say which sites a repair changed so much that nothing about them is certain."""
        return np.zeros(len(self), dtype=bool) if self.much_repaired is None else self.much_repaired

    def datum_doubtful(self) -> NDArray[np.bool_]:
        """Say of which sites the datum is not proven: their accuracy already allows for that."""
        return np.zeros(len(self), dtype=bool) if self.datum_open is None else self.datum_open

    @cached_property
    def reliance_group(self) -> NDArray[np.intp]:
        """Number the sites by how far their lines can be relied on."""
        accuracy = np.where(self.doubtful(), -1.0, self.accuracy_m)
        return pd.factorize(np.where(self.datum_doubtful(), -accuracy - 2.0, accuracy))[0].astype(np.intp)

    @cached_property
    def shapes(self) -> ShapeIndex:
        """The sites, to be asked about many things."""
        return ShapeIndex(self.geometry)

    def __len__(self) -> int:
        """Count the sites."""
        return len(self.geometry)


@dataclass(frozen=True)
class Measurement:
    """What one question found for the sites that rules with it are about; shared by these, so never altered.

    ``matched`` marks sites touched by features that the rule names, ``possible`` those touched only by features that it
    may name. ``covered`` are sites that the coverage holds with everything within the distance of the rule. ``layer``
    is for each site the position in ``layers`` of the layer that decides; ``feature_ids`` and ``feature_names`` are
    those of all features, of which ``measures.feature`` names one by its position. ``certainty`` says how far a hit
    and a miss can be relied on.
    """

    measures: Measures
    overlap_ellipsoidal_m2: NDArray[np.float64]
    matched: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    feature_ids: NDArray[Any]
    feature_names: NDArray[Any]
    layers: tuple[Layer, ...]
    layer: NDArray[np.int16]
    certainty: Certainty


class MeasurementCache:
    """Asks each question of all sites once; threads may ask at the same time of different features."""

    def __init__(self, asked: SiteArrays, reading: LayerCache) -> None:
        self.asked = asked
        self.reading = reading
        self._lock = Lock()
        # Shared by all rules that ask nothing, so never altered.
        self.nothing = Measures.nothing(len(asked))
        self._found: dict[tuple[Any, ...], Measurement] = {}
        self._nearest: dict[Any, Nearest] = {}
        self._answers: dict[Any, list[Answer]] = {}
        self._covered: dict[Any, Covered] = {}
        self._furthest = 0.0
        # Rules that ask of the same features look around together, as far as the one that looks furthest. What they ask
        # is asked only of the sites that some of them is about.
        self._selected: dict[tuple[Any, ...], Any] = {}
        self._widest: dict[Any, float] = {}
        self._about: dict[Any, NDArray[np.bool_]] = {}
        self.rule_ids = frozenset(reading.versions)
        site_m = float(asked.accuracy_m.max(initial=0.0))
        for rule in reading.rules_in_force:
            about = np.array([answer.truth != NO for answer in self.answers(rule)], dtype=bool)
            # Layers are read now, before threads ask, but none that no rule needs.
            stock = reading.stock_for(rule) if about.any() else None
            if stock is None or stock.frame is None:
                continue
            selection = reading.select(rule)
            self._selected[_named(rule)] = id(selection.features)
            features = self.features(rule)
            around = max(rule.within_m, LOOK_BEYOND_M if "distance" in rule.not_stated else 0.0)
            edge_m = max((part.accuracy_m for part in stock.parts if part.accuracy_m == part.accuracy_m), default=0.0)
            self._furthest = max(around + edge_m + site_m, self._furthest)
            self._widest[features] = max(rule.within_m, self._widest.get(features, 0.0))
            for key in (self._question(rule), features):
                self._about[key] = about | self._about.get(key, False)

    def features(self, rule: Rule) -> Any:
        """Tell the features apart that rules are about, by whatever names."""
        return self._selected.get(_named(rule), _named(rule))

    def _question(self, rule: Rule) -> tuple[Any, ...]:
        return rule.relation, rule.within_m, self.features(rule)

    def answers(self, rule: Rule) -> list[Answer]:
        """Say for each group of projects whether a rule is about it."""
        if rule.when not in self._answers:
            self._answers[rule.when] = self.asked.projects.ask(rule.when)
        return self._answers[rule.when]

    @cached_property
    def ellipsoidal_m2(self) -> NDArray[np.float64]:
        """The area of each site on the ellipsoid."""
        return ellipsoidal_area(self.asked.geometry, self.reading.plan.crs)

    def measure(self, rule: Rule) -> Measurement:
        """Give what a rule's question found; its kind can be read."""
        key = self._question(rule)
        # Threads ask of different features, so two of them never measure the same.
        if key not in self._found:
            self._found[key] = self._measure(rule)
        return self._found[key]

    def _measure(self, rule: Rule) -> Measurement:
        stock, selection = self.reading.stock_for(rule), self.reading.select(rule)
        layers = selection.sources or tuple(self.reading.plan.of_kind(stock.kind)[:1])
        layer = np.zeros(len(self.asked), dtype=np.int16)
        covered = self.covers(stock.whole, rule.within_m)
        if not len(selection.possible.geometry) and rule.relation != "outside":
            measures = self.nothing
            sure = possible = measures.touched
            ellipsoidal = measures.overlap_m2
        else:
            measures, sure, possible = self._ask(rule, stock, selection)
            if rule.relation == "along_river":
                hit = np.flatnonzero(measures.touched)
                stretches = self.reading.stretches(rule)
                measures.along_m[hit] = stretches.along_m(measures.feature[hit], self.asked.geometry[hit])
            if len(layers) > 1:
                there = np.flatnonzero(measures.feature >= 0)
                layer[there] = selection.source[measures.feature[there]]
            ellipsoidal = self._ellipsoidal(measures)
        certainty = judge_certainty(rule, self, stock, selection, measures, sure)
        return Measurement(
            measures, ellipsoidal, sure, possible, covered, selection.ids, selection.names, layers, layer, certainty
        )

    def _ellipsoidal(self, measures: Measures) -> NDArray[np.float64]:
        """Measure the conflicts on the ellipsoid."""
        found = np.zeros(len(self.asked))
        hit = np.flatnonzero(measures.overlap_m2 > 0)
        # A site that lies whole in a zone is measured once.
        whole = is_same(measures.conflict[hit], self.asked.geometry[hit])
        found[hit[whole]] = self.ellipsoidal_m2[hit[whole]]
        found[hit[~whole]] = ellipsoidal_area(measures.conflict[hit[~whole]], self.reading.plan.crs)
        return found

    def covers(self, part: CoveragePart | None, within_m: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which sites a coverage holds with everything within a distance of them."""
        if part is None:
            return np.zeros(len(self.asked), dtype=bool)
        # Kinds share coverages, and so do the threads that ask.
        with self._lock:
            if part.covers_as not in self._covered:
                self._covered[part.covers_as] = Covered(part.covering, self.asked.shapes, self._furthest)
            return self._covered[part.covers_as].within(within_m)

    def _around(self, rule: Rule, which: str, target: Target, beyond_m: NDArray[np.float64]) -> Nearest:
        features = self.features(rule)
        if (features, which) not in self._nearest:
            reach = self._widest[features] + float(beyond_m.max(initial=0.0))
            about = self._about[features][self.asked.projects.group]
            self._nearest[features, which] = Nearest.of(target, self.asked.shapes, reach, asked=about)
        return self._nearest[features, which]

    def about(self, rule: Rule) -> NDArray[np.bool_]:
        """Say which sites some rule with the same question is about."""
        return self._about[self._question(rule)][self.asked.projects.group]

    def beyond_m(self, accuracy_m: float) -> NDArray[np.float64]:
        """Give how far beyond its own distance a rule looks around each site."""
        return np.maximum(LOOK_BEYOND_M, accuracy_m + self.asked.accuracy_m)

    def relate(
        self, rule: Rule, stock: LayerSet, target: Target, nearest: Nearest, limits_m: NDArray[np.float64] | None
    ) -> Measures:
        """Ask the question of a rule of some features."""
        sites = self.asked.shapes
        if rule.relation == "near":
            return near(target, sites, nearest, within_m=rule.within_m)
        if rule.relation == "outside":
            held = self.covers(stock.whole, 0.0)
            return outside(target, sites, nearest, limits_m=limits_m, coverage=stock.coverage, held=held)
        return _AREAL[rule.relation](target, sites, nearest, limits_m=limits_m)

    def _ask(
        self, rule: Rule, stock: LayerSet, selection: FeatureSelection
    ) -> tuple[Measures, NDArray[np.bool_], NDArray[np.bool_]]:
        """Ask of the features that a rule names and of those that it may name: measures, sure hits, possible hits."""
        known = sorted({layer.accuracy_m for layer in selection.sources if layer.accuracy_m is not None})
        beyond = self.beyond_m(max(known, default=0.0))
        reach = rule.within_m + beyond
        limits_m = self.asked.accuracy_m[:, None] + np.array(known)
        about = self.about(rule)

        def ask(which: str) -> Measures:
            target = selection.matched if which == "sure" else selection.possible
            nearest = self._around(rule, which, target, beyond).within(reach, asked=about)
            found = self.relate(rule, stock, target, nearest, limits_m)
            position = selection.matched_row if which == "sure" else selection.possible_row
            there = found.feature >= 0
            found.feature[there] = position[found.feature[there]]
            return found

        if selection.matched is selection.possible:
            found = ask("all")
            return found, found.touched, np.zeros(len(self.asked), dtype=bool)
        # What a doubtful feature covers is only doubtfully outside, what it touches only doubtfully inside.
        wide, strict = ("sure", "all") if rule.relation == "outside" else ("all", "sure")
        found, certainly = ask(wide), ask(strict)
        possible = found.touched & ~certainly.touched
        if rule.relation == "outside":
            # Where possible features leave a part uncovered too, but none inside the coverage, nothing is said.
            possible &= ~certainly.uncovered
            found.touched &= certainly.touched | possible
        found.take_from(certainly, certainly.touched)
        return found, certainly.touched, possible


def _named(rule: Rule) -> tuple[Any, ...]:
    # The stretch of an intake and the part of a grid above a value are features of one question only.
    own = (rule.relation == "along_river", rule.upstream_m, rule.downstream_m, rule.above)
    return rule.layer, rule.where, own
