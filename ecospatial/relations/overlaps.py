"""Overlaps: which sites share area, length or a point with a feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecospatial.geometry import (
    ShapeIndex,
    depth,
    merged,
)
from ecospatial.model import RELATION_SPECS
from ecospatial.relations._conflict import (
    drop_specks,
    is_more_than_edge,
    name_deciding,
    record_conflict,
    take_rows,
)
from ecospatial.relations.base import Question, Relation, register_relation
from ecospatial.relations.measurement import Measures, Nearest, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.geometry import ShapeIndex
    from ecospatial.relations.base import Question
    from ecospatial.relations.measurement import Nearest, Target


def measure_overlaps(
    target: Target, sites: ShapeIndex, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None
) -> Measures:
    """Ask which sites share area, length or a point with a feature; a shared edge is not touched.

    Parameters are those of ``near``; the features are polygons. ``limits_m`` are for each site the accuracies that
    margins will be compared with (see ``depth``).
    """
    found = Measures.around(nearest)
    if not len(target.geometry):
        return found
    parts = nearest.parts(target, sites)
    conflict = drop_specks(merged(parts, len(sites)))
    found.touched = is_more_than_edge(conflict)
    hit = np.flatnonzero(found.touched)
    record_conflict(found, hit, conflict[hit])
    found.margin_m = np.where(found.touched, np.nan, found.distance_m)
    if len(hit):
        found.margin_m[hit] = depth(conflict[hit], nearest.edge(target, sites, hit), take_rows(limits_m, hit))
        name_deciding(found, parts, hit)
        found.features[hit] = np.maximum(found.features[hit], 1)
    return found


@dataclass(frozen=True)
class Overlaps(Relation):
    """Shares area, length or a point with a feature; a shared edge is not touched."""

    def measure(self, question: Question) -> Measures:
        """Measure shared parts and their depth."""
        return measure_overlaps(question.target, question.sites, question.nearest, limits_m=question.limits_m)


OVERLAPS = register_relation(Overlaps(RELATION_SPECS["overlaps"]))
