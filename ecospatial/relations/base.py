"""What every spatial relation can do; each relation is one object in a file of its own.

Checking, base map, remedies, reports, maps, linting and monitoring ask the object; nobody else compares
``rule.relation`` with a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.model import KINDS, RELATION_SPECS, RelationSpec
from ecospatial.relations._wording import APART, NOTHING, SHARES, SIZE, Form, Teller, tell_none_near

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ecospatial.geometry import ShapeIndex
    from ecospatial.relations.layer_set import LayerReader, LayerSet
    from ecospatial.relations.measurement import Measures, Nearest, Target
    from ecospatial.relations.selection import FeatureSelection
    from ecospatial.rules import Rule

# How far beyond its own distance a rule looks, so that a near miss is seen as one (docs/interface.md 7).
LOOK_BEYOND_M = 1000.0
# So much further off, a shape is clear of what it must not touch, whatever rounding does.
CLEAR_OF_M = 1e-5


@dataclass(frozen=True)
class Question:
    """What a rule asks of some features, for all sites of a check.

    Attributes
    ----------
    rule
        The rule, with the parameters of its relation.
    target, sites, nearest
        The features, the sites, and what lies around each site within the reach of the rule.
    limits_m
        For each site the accuracies that margins will be compared with, metres; None: exact margins.
    coverage, held
        Where the absence of a feature means absence, and which sites lie wholly in it.
    """

    rule: Rule
    target: Target
    sites: ShapeIndex
    nearest: Nearest
    limits_m: NDArray[np.float64] | None
    coverage: Any
    held: Callable[[], NDArray[np.bool_]]


@dataclass(frozen=True)
class Relation:
    """A spatial relation: how it is measured, worded, drawn, and what would resolve a conflict.

    Attributes
    ----------
    spec
        Name, label, parameters and allowed kinds.
    touched_by_absence
        Whether a site is touched where no feature is, so that a missing layer proves nothing.
    tells_distance
        Whether a reason tells the distance also of a site that is touched.
    draws_strip
        Whether maps draw the strip of its distance around features, and a base map cuts along it.
    overlay_group
        Rules of relations of one group on the same features are cut along the same edges of a base map.
    touched_from_edge
        Whether a site that only adjoins is touched.
    """

    spec: RelationSpec
    touched_by_absence: bool = False
    tells_distance: bool = False
    draws_strip: bool = False
    overlay_group: str = ""
    touched_from_edge: bool = False

    # ------------------------------------------------------------------------------------------ reading

    def feature_key(self, rule: Rule) -> tuple[Any, ...]:
        """Return what tells its features apart from others of the same kind and ``where``; empty: nothing."""
        return ()

    def read_layers(self, reader: LayerReader, rule: Rule) -> LayerSet:
        """Return what a rule reads as it stands on the day."""
        return reader.stock(rule.layer)

    def select_features(self, reader: LayerReader, rule: Rule) -> FeatureSelection:
        """Return the features that a rule is about; its kind can be read."""
        return reader.select_where(rule)

    def asks_between_banks(self, rule: Rule) -> bool:
        """Say whether a rule asks for the water between banks, which lines can not answer."""
        return False

    # ---------------------------------------------------------------------------------------- measuring

    def measure(self, question: Question) -> Measures:
        """Measure which sites are touched, how far off the others are, and by how much a decision could be wrong."""
        raise NotImplementedError

    def add_measures(self, measures: Measures, reader: LayerReader, rule: Rule, sites: NDArray[Any]) -> None:
        """Add what only this relation measures of the sites that are touched."""

    # ------------------------------------------------------------------------------------------ wording

    def make_teller(self, rule: Rule) -> Teller:
        """Return what words the measures of a site."""
        return make_overlap_teller(rule)

    def tell_far(self, rule: Rule) -> str:
        """Say that nothing is within reach; the same text for all sites of a rule."""
        return tell_none_near(rule)

    def place_along(self, along_m: NDArray[np.float64]) -> NDArray[np.intp]:
        """Say where along a river each site lies: 0 at, 1 above, 2 below the place of the feature."""
        return np.zeros(len(along_m), dtype=np.intp)

    def advise(self, row: Mapping[str, Any], rule: Mapping[str, Any], size: Callable[[str], str], metres: Any) -> str:
        """Say how the outline would have to change for the rule not to be touched.

        Parameters
        ----------
        row, rule
            The finding and its rule as plain values.
        size
            Words the size of the conflict after a word such as 重叠.
        metres
            Words a length.
        """
        return f"把红线移出冲突范围{size('重叠')}"

    # ------------------------------------------------------------------------------------------ drawing

    def list_edges(self, rule: Rule, features: NDArray[Any]) -> list[Any]:
        """Return the polygons along whose edges a base map is cut."""
        return list(features)

    def cover_forbidden(
        self, rule: Rule, pieces: NDArray[Any], window: Any, *, more_m: float, factor: float, from_edge: bool
    ) -> Any:
        """Return the part of a window that a site must not reach.

        Parameters
        ----------
        rule
            The rule.
        pieces
            Its features around the window.
        window
            The polygon looked at.
        more_m, factor
            What is added to the limits, so that a result lies clearly beyond them.
        from_edge
            Whether what lies on the edge of a feature counts as in it.
        """
        held = shapely.union_all(pieces[shapely.get_dimensions(pieces) == 2])
        more_m += CLEAR_OF_M if from_edge else 0.0
        return shapely.intersection(shapely.buffer(held, more_m) if more_m else held, window)


def make_overlap_teller(rule: Rule) -> Teller:
    """Return what words the share of a feature that a site takes."""
    none = tell_none_near(rule)

    def tell(name: str, case: int, _: int) -> Form:
        if case in SHARES:
            return (f"占用{name}", *SHARES[case])
        if case == NOTHING:
            return (none,)
        return (f"未占用{name}，最近 ", SIZE, " m") if case == APART else (f"与{name}相接而未占用",)

    return tell


def name_feature(rule: Rule) -> Callable[[str], str]:
    """Return what names a feature of a rule in a sentence: its own name, beside its kind where that says more."""
    label, areal = KINDS[rule.layer].label, KINDS[rule.layer].shape == "polygon"
    # A zone named 新孟河清水通道维护区 says more than its kind; a river needs the kind beside it.
    return lambda feature: feature if feature and (areal or label in feature) else f"{feature}{label}"


# ------------------------------------------------------------------------------------------------ registry

RELATIONS: dict[str, Relation] = {}


def register_relation(relation: Relation) -> Relation:
    """Make a relation known to rule packs and to everything that puts rules to sites.

    Returns
    -------
    Relation
        The same object.
    """
    RELATION_SPECS[relation.spec.name] = relation.spec
    RELATIONS[relation.spec.name] = relation
    return relation


def get_relation(rule: Rule) -> Relation:
    """Return the relation of a rule."""
    return RELATIONS[rule.relation]


def draws_strip(name: object) -> bool:
    """Say whether maps draw a strip for rules with the relation of that name."""
    found = RELATIONS.get(str(name))
    return found is not None and found.draws_strip
