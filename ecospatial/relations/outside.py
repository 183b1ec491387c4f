"""Outside: which sites have a part that no feature covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry import (
    Cut,
    ShapeIndex,
    areal_part,
    depth,
    merged,
    safe_intersection,
)
from ecospatial.model import KINDS, RELATION_SPECS
from ecospatial.relations._conflict import (
    drop_specks,
    is_more_than_edge,
    is_same,
    name_deciding,
    record_conflict,
    take_rows,
)
from ecospatial.relations._wording import (
    NOTHING,
    SHARES,
    Teller,
    join_values,
)
from ecospatial.relations.base import Question, Relation, register_relation
from ecospatial.relations.measurement import Measures, Nearest, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ecospatial.geometry import ShapeIndex
    from ecospatial.relations._wording import Form, Teller
    from ecospatial.relations.base import Question
    from ecospatial.relations.measurement import Nearest, Target
    from ecospatial.rules import Rule


def measure_outside(
    target: Target,
    sites: ShapeIndex,
    nearest: Nearest,
    *,
    limits_m: NDArray[np.float64] | None = None,
    coverage: Any = None,
    held: NDArray[np.bool_] | None = None,
) -> Measures:
    """Ask which sites have a part that no feature covers.

    Parameters are those of ``overlaps``, and:

    coverage
        Polygon in which the absence of a feature means absence; None: it is known nowhere.
    held
        Which sites lie wholly in the coverage. Where it is not given, absence means absence everywhere.

    Returns
    -------
    Measures
        The conflict is the part inside the coverage that no feature covers; ``uncovered`` marks sites with such a
        part inside or outside of it.
    """
    found = Measures.around(nearest)
    parts = nearest.parts(target, sites)
    rest = drop_specks(_uncovered(target, sites, merged(parts, len(sites)), nearest.asked))
    found.uncovered = nearest.asked & is_more_than_edge(rest)
    if held is not None:
        open_ = np.flatnonzero(found.uncovered & ~held)
        known = shapely.Polygon() if coverage is None else coverage
        rest[open_] = drop_specks(_same_dimension(safe_intersection(rest[open_], _repeat(known, len(open_)))))
    found.touched = nearest.asked & is_more_than_edge(rest)
    hit = np.flatnonzero(found.touched)
    miss = np.flatnonzero(nearest.asked & ~found.uncovered)
    record_conflict(found, hit, rest[hit])
    found.margin_m = np.full(len(sites), np.nan)
    name_deciding(found, parts, np.arange(len(sites)))
    if len(target.geometry):
        if len(hit):
            found.margin_m[hit] = depth(rest[hit], nearest.edge(target, sites, hit), take_rows(limits_m, hit))
        if len(miss):
            around = nearest.edge(target, sites, miss)
            found.margin_m[miss], _ = around.nearest(sites.geometry[miss], np.arange(len(miss)))
    found.beyond = np.isnan(found.margin_m)
    return found


def _repeat(shape: Any, count: int) -> NDArray[Any]:
    found = np.empty(count, dtype=object)
    found[:] = shape
    return found


def _same_dimension(shapes: NDArray[Any]) -> NDArray[Any]:
    """Keep of collections the parts of the highest dimension: what else a cut leaves is edge and corner."""
    found = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(found) == 7):
        parts = shapely.get_parts(found[row])
        dimension = shapely.get_dimensions(parts)
        found[row] = shapely.union_all(parts[dimension == dimension.max(initial=-1)])
    return found


def _uncovered(target: Target, sites: ShapeIndex, inside: NDArray[Any], asked: NDArray[np.bool_]) -> NDArray[Any]:
    rest, dimension = sites.geometry.copy(), sites.dimension
    some = np.flatnonzero(~shapely.is_missing(inside))
    areal = some[dimension[some] == 2]
    whole = is_same(inside[areal], rest[areal])
    rest[areal[whole]] = shapely.Polygon()
    areal = areal[~whole]
    if len(areal):
        # The features are joined before they are taken away: the parts into which they were cut for the index leave
        # slivers along the cuts that would reach as deep as the feature.
        rest[areal] = areal_part(shapely.difference(rest[areal], _joined_around(target, rest[areal])))
    # Lines along an edge and points on it are covered, so they are compared with the features themselves.
    thin = np.flatnonzero(asked & (dimension < 2))
    if len(thin) and len(target.geometry):
        asked, piece = target.pieces.tree.query(rest[thin], predicate="intersects")
        for position in np.unique(asked):
            owners = np.unique(target.pieces.owner[piece[asked == position]])
            covers = shapely.union_all(target.geometry[owners])
            rest[thin[position]] = shapely.difference(rest[thin[position]], covers)
    return rest


def _joined_around(target: Target, shapes: NDArray[Any]) -> NDArray[Any]:
    """Give for each shape what lies around it of the features taken together."""
    parts, tree = target.joined_parts
    row, part = tree.query(shapes, predicate="intersects")
    west, south, east, north = shapely.bounds(shapes).T
    boxes = shapely.box(west - 1.0, south - 1.0, east + 1.0, north + 1.0)
    clipped = areal_part(safe_intersection(parts[part], boxes[row]))
    found = merged(Cut(row, part, clipped), len(shapes))
    found[shapely.is_missing(found)] = shapely.Polygon()
    return found


def make_outside_teller(rule: Rule) -> Teller:
    """Return what words the part of a site that no feature covers."""
    which = f"{join_values(rule)}{KINDS[rule.layer].label}"

    def tell_part(name: str, case: int, _: int) -> Form:
        if case in SHARES:
            return (*SHARES[case], f"位于{which}范围外")
        return (f"地块有部分不在已知的{which}范围内",) if case == NOTHING else (f"全部位于{name}范围内",)

    return tell_part


@dataclass(frozen=True)
class Outside(Relation):
    """Has a part that no feature covers."""

    def measure(self, question: Question) -> Measures:
        """Measure what no feature covers."""
        return measure_outside(
            question.target,
            question.sites,
            question.nearest,
            limits_m=question.limits_m,
            coverage=question.coverage,
            held=question.held(),
        )

    def make_teller(self, rule: Rule) -> Teller:
        """Return what words the part of a site that no feature covers."""
        return make_outside_teller(rule)

    def tell_far(self, rule: Rule) -> str:
        """Say that a site is wholly covered."""
        return f"地块全部位于{join_values(rule)}{KINDS[rule.layer].label}范围内"

    def advise(self, row: Mapping[str, Any], rule: Mapping[str, Any], size: Callable[[str], str], metres: Any) -> str:
        """Say that the outline has to be drawn in."""
        return f"把红线收到该范围之内{size('超出')}"

    def cover_forbidden(
        self, rule: Rule, pieces: NDArray[Any], window: Any, *, more_m: float, factor: float, from_edge: bool
    ) -> Any:
        """Return the part of a window that no feature covers."""
        held = shapely.union_all(pieces[shapely.get_dimensions(pieces) == 2])
        return shapely.difference(window, shapely.buffer(held, -more_m) if more_m else held)


OUTSIDE = register_relation(Outside(RELATION_SPECS["outside"], touched_by_absence=True))
