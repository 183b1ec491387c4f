"""Measure each question once: rules that ask the same of the same features share the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial.checking.conditions import NO
from ecospatial.geometry import Shapes, ellipsoidal_area
from ecospatial.relations import Covered, Measures, Nearest, Target, along_river, is_same, near, outside, overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checking.conditions import Answer, Projects
    from ecospatial.checking.reading import Reading, Selection, Stock
    from ecospatial.plans import Layer
    from ecospatial.rules import Rule

# How far beyond its own distance a rule looks, so that a near miss is seen as one (docs/interface.md 7).
LOOK_BEYOND_M = 1000.0
_AREAL = {"overlaps": overlaps, "raster_above": overlaps, "outside": outside, "along_river": along_river}


@dataclass
class Asked:
    """The sites of a check, as arrays."""

    geometry: NDArray[Any]
    accuracy_m: NDArray[np.float64]
    projects: Projects
    much_repaired: NDArray[np.bool_] | None = None

    def doubtful(self) -> NDArray[np.bool_]:
        """Say which sites a repair changed so much that nothing about them is certain."""
        return np.zeros(len(self), dtype=bool) if self.much_repaired is None else self.much_repaired

    @cached_property
    def reliance_group(self) -> NDArray[np.intp]:
        """Number the sites by how far their lines can be relied on."""
        return pd.factorize(np.where(self.doubtful(), -1.0, self.accuracy_m))[0].astype(np.intp)

    @cached_property
    def shapes(self) -> Shapes:
        """The sites, to be asked about many things."""
        return Shapes(self.geometry)

    def __len__(self) -> int:
        """Count the sites."""
        return len(self.geometry)


@dataclass(frozen=True)
class Measured:
    """What one question found for the sites that rules with it are about; shared by these, so never altered.

    ``possible`` marks sites touched only by features whose ``where`` column is empty. ``layer`` is for each site the
    position in ``layers`` of the layer that decides; ``feature_ids`` and ``feature_names`` are those of all features,
    of which ``measures.feature`` names one by its position.
    """

    measures: Measures
    overlap_ellipsoidal_m2: NDArray[np.float64]
    possible: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    feature_ids: NDArray[Any]
    feature_names: NDArray[Any]
    layers: tuple[Layer, ...]
    layer: NDArray[np.int16]


class Measuring:
    """Asks each question of all sites once; threads may ask at the same time of different features."""

    def __init__(self, asked: Asked, reading: Reading) -> None:
        self.asked = asked
        self.reading = reading
        self._lock = Lock()
        # Shared by all rules that ask nothing, so never altered.
        self.nothing = Measures.nothing(len(asked))
        self._found: dict[tuple[Any, ...], Measured] = {}
        self._nearest: dict[Any, Nearest] = {}
        self._answers: dict[Any, list[Answer]] = {}
        self._covered: dict[Any, Covered] = {}
        self._furthest = 0.0
        # Rules that ask of the same features look around together, as far as the one that looks furthest. What they ask
        # is asked only of the sites that some of them is about.
        self._selected: dict[tuple[Any, ...], int] = {}
        self._widest: dict[Any, float] = {}
        self._about: dict[Any, NDArray[np.bool_]] = {}
        rules = reading.plan.rule_versions()
        self.rule_ids = frozenset(rules)
        for rule in (rule for versions in rules.values() for rule in versions if rule.in_force(reading.on)):
            about = np.array([answer.truth != NO for answer in self.answers(rule)], dtype=bool)
            # Layers are read now, before threads ask, but none that no rule needs.
            if not about.any() or reading.stock_for(rule).frame is None:
                continue
            self._selected[_named(rule)] = id(reading.select(rule))
            features = self.features(rule)
            self._furthest = max(rule.within_m, self._furthest)
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

    def measure(self, rule: Rule) -> Measured:
        """Give what a rule's question found; its kind can be read."""
        key = self._question(rule)
        if key not in self._found:
            self._found[key] = self._measure(rule)
        return self._found[key]

    def _measure(self, rule: Rule) -> Measured:
        stock, selection = self.reading.stock_for(rule), self.reading.select(rule)
        layers = stock.layers or tuple(self.reading.plan.of_kind(stock.kind)[:1])
        layer = np.zeros(len(self.asked), dtype=np.int16)
        covered = self._covers(stock, rule.within_m)
        if not len(selection.all.geometry) and rule.relation != "outside":
            found = self.nothing
            return Measured(
                found, found.overlap_m2, found.touched, covered, selection.ids, selection.names, layers, layer
            )
        measures, possible = self._ask(rule, stock, selection)
        if rule.relation == "along_river":
            hit = np.flatnonzero(measures.touched)
            stretches = self.reading.stretches(rule)
            measures.along_m[hit] = stretches.along_m(measures.feature[hit], self.asked.geometry[hit])
        if len(layers) > 1:
            there = np.flatnonzero(measures.feature >= 0)
            position = {entry.name: number for number, entry in enumerate(layers)}
            layer[there] = selection.frame["layer"].map(position).to_numpy()[measures.feature[there]]
        ellipsoidal = np.zeros(len(self.asked))
        hit = np.flatnonzero(measures.overlap_m2 > 0)
        # A site that lies whole in a zone is measured once.
        whole = is_same(measures.conflict[hit], self.asked.geometry[hit])
        ellipsoidal[hit[whole]] = self.ellipsoidal_m2[hit[whole]]
        ellipsoidal[hit[~whole]] = ellipsoidal_area(measures.conflict[hit[~whole]], self.reading.plan.crs)
        return Measured(measures, ellipsoidal, possible, covered, selection.ids, selection.names, layers, layer)

    def _covers(self, stock: Stock, within_m: float) -> NDArray[np.bool_]:
        # Kinds share coverages, and so do the threads that ask.
        with self._lock:
            if stock.covers_as not in self._covered:
                self._covered[stock.covers_as] = Covered(stock.covering, self.asked.shapes, self._furthest)
            return self._covered[stock.covers_as].within(within_m)

    def _around(self, rule: Rule, which: str, target: Target, beyond_m: NDArray[np.float64]) -> Nearest:
        features = self.features(rule)
        if (features, which) not in self._nearest:
            reach = self._widest[features] + float(beyond_m.max(initial=0.0))
            about = self._about[features][self.asked.projects.group]
            self._nearest[features, which] = Nearest.of(target, self.asked.shapes, reach, asked=about)
        return self._nearest[features, which]

    def _ask(self, rule: Rule, stock: Stock, selection: Selection) -> tuple[Measures, NDArray[np.bool_]]:
        accuracy = max((layer.accuracy_m or 0.0 for layer in stock.layers), default=0.0)
        beyond = np.maximum(LOOK_BEYOND_M, accuracy + self.asked.accuracy_m)
        reach = rule.within_m + beyond
        sites = self.asked.shapes
        known = sorted({layer.accuracy_m for layer in stock.layers if layer.accuracy_m is not None})
        limits_m = self.asked.accuracy_m[:, None] + np.array(known)
        about = self._about[self._question(rule)][self.asked.projects.group]

        def ask(which: str) -> Measures:
            target = selection.sure if which == "sure" else selection.all
            nearest = self._around(rule, which, target, beyond).within(reach, asked=about)
            if rule.relation == "near":
                found = near(target, sites, nearest, within_m=rule.within_m)
            else:
                found = _AREAL[rule.relation](target, sites, nearest, limits_m=limits_m)
            position = selection.sure_row if which == "sure" else selection.all_row
            there = found.feature >= 0
            found.feature[there] = position[found.feature[there]]
            return found

        if selection.sure is selection.all:
            return ask("all"), np.zeros(len(sites), dtype=bool)
        # What a doubtful feature covers is only doubtfully outside, what it touches only doubtfully inside.
        wide, strict = ("sure", "all") if rule.relation == "outside" else ("all", "sure")
        found, certainly = ask(wide), ask(strict)
        possible = found.touched & ~certainly.touched
        found.take_from(certainly, certainly.touched)
        return found, possible


def _named(rule: Rule) -> tuple[Any, ...]:
    # The stretch of an intake and the part of a grid above a value are features of one question only.
    own = (rule.relation == "along_river", rule.upstream_m, rule.downstream_m, rule.above)
    return rule.layer, rule.where, own
