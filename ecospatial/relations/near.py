"""Near: which sites lie within a distance of a feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry import (
    ROUNDING_M,
    ShapeIndex,
    cut,
    distinct,
    merged,
    strip,
)
from ecospatial.model import KINDS, RELATION_SPECS
from ecospatial.relations._conflict import (
    name_deciding,
    record_conflict,
)
from ecospatial.relations._wording import (
    APART,
    NOTHING,
    SIZE,
    Form,
    Teller,
    tell_none_near,
)
from ecospatial.relations.base import CLEAR_OF_M, Question, Relation, register_relation
from ecospatial.relations.measurement import Measures, Nearest, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ecospatial.relations._wording import Form, Teller
    from ecospatial.relations.base import Question
    from ecospatial.relations.measurement import Nearest, Target
    from ecospatial.rules import Rule

# For so many sites everything within a distance of the features is drawn.
MANY = 1000


def measure_near(target: Target, sites: ShapeIndex, nearest: Nearest, *, within_m: float) -> Measures:
    """Ask which sites lie within a distance of a feature.

    Parameters
    ----------
    target
        The features, any dimension, metric CRS.
    sites
        Geometries in the same CRS.
    nearest
        What lies around the sites; of features beyond its reach nothing is said.
    within_m
        The limit, no more than the reach; a site exactly at it is touched.
    """
    found = Measures.around(nearest)
    found.touched = found.distance_m <= within_m + ROUNDING_M
    found.margin_m = np.abs(within_m - found.distance_m)
    hit = np.flatnonzero(found.touched)
    if not len(hit):
        return found
    if len(nearest.several) and (shapely.get_dimensions(target.geometry) == 2).all():
        name_deciding(found, cut(sites, target.pieces, some=nearest.several), nearest.several)
    conflict, count = np.full(len(sites), None, dtype=object), len(target.geometry)
    # A site of which no spot is out of reach is its own conflict.
    whole = found.touched & (nearest.most_m <= within_m)
    whole[nearest.site] = True
    conflict[whole] = sites.geometry[whole]
    piece, site = _close_pairs(target, sites, within_m + ROUNDING_M)
    site, piece = site[found.touched[site]], piece[found.touched[site]]
    rest = np.flatnonzero(found.touched & ~whole)
    # Few sites are near few pieces; what many of them are near is drawn once for all that are asked after them.
    drawn = target.all_drawn(within_m) if len(rest) >= MANY else target.drawn(within_m, distinct(piece))
    conflict[rest] = merged(cut(sites, drawn, some=rest), len(sites))[rest]
    record_conflict(found, hit, conflict[hit])
    # The nearest feature is known to be reached; the others have to be asked.
    other = target.pieces.owner[piece] != found.feature[site]
    pairs = _reached(target, sites, site[other], piece[other], within_m + ROUNDING_M)
    found.features = found.touched + np.bincount(pairs // count, minlength=len(sites))
    # A site whose nearest point only reaches the limit shares no area with the strip: that point is shown.
    bare = hit[[shape is None for shape in found.conflict[hit]]]
    if len(bare):
        line = shapely.shortest_line(sites.geometry[bare], _nearest_piece(target, sites.geometry[bare]))
        found.conflict[bare] = shapely.get_point(line, 0)
    return found


def _close_pairs(target: Target, sites: ShapeIndex, within_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair pieces of the features and sites that may lie within a distance of each other, by their boxes."""
    west, south, east, north = shapely.bounds(target.pieces.piece).T
    boxes = shapely.box(west - within_m, south - within_m, east + within_m, north + within_m)
    piece, site = sites.tree.query(boxes)
    return piece, site


def _reached(
    target: Target, sites: ShapeIndex, site: NDArray[np.intp], piece: NDArray[np.intp], within_m: float
) -> NDArray[np.intp]:
    """Give the pairs of a site and a feature of which some piece is within a distance, as one number each."""
    pieces = target.pieces
    pair = site * len(target.geometry) + pieces.owner[piece]
    # Two spots tell that it is, two circles that it is not; what they leave open is measured.
    (middle, radius), (of_piece, size) = sites.circle, ShapeIndex(pieces.piece).circle
    spot, of_site = pieces.some_vertex[piece], sites.first_vertex[site]
    sure = np.hypot(*(spot - of_site).T) <= within_m
    apart = np.hypot(*(of_piece[piece] - middle[site]).T) > within_m + size[piece] + radius[site]
    found = distinct(pair[sure])
    open_ = np.flatnonzero(~sure & ~apart & ~np.isin(pair, found))
    reached = shapely.dwithin(pieces.piece[piece[open_]], sites.geometry[site[open_]], within_m)
    return distinct(np.append(found, pair[open_[reached]]))


def _nearest_piece(target: Target, sites: NDArray[Any]) -> NDArray[Any]:
    _, piece = target.pieces.tree.query_nearest(sites, all_matches=False)
    return np.asarray(target.pieces.piece[piece], dtype=object)


def make_near_teller(rule: Rule) -> Teller:
    """Return what words the distance of a site."""
    none, limit = tell_none_near(rule), f"控制距离 {rule.within_m:g} m"
    if "distance" in rule.not_stated:
        limit = "原文未写明控制距离"
    elif rule.settled_by:
        limit += f"（{rule.settled_by}）"

    def tell(name: str, case: int, _: int) -> Form:
        if case == NOTHING:
            return (none,)
        return (f"距{name} ", SIZE, f" m，{limit}") if case == APART else (f"位于{name}内，{limit}",)

    return tell


@dataclass(frozen=True)
class Near(Relation):
    """Within a distance of a feature; 0 m is on it."""

    def asks_between_banks(self, rule: Rule) -> bool:
        """Say whether a rule asks for the water between banks, which lines can not answer."""
        return rule.within_m <= 0 and KINDS[rule.layer].shape == "bank"

    def measure(self, question: Question) -> Measures:
        """Measure distances."""
        within_m = question.rule.within_m
        return measure_near(question.target, question.sites, question.nearest, within_m=within_m)

    def make_teller(self, rule: Rule) -> Teller:
        """Return what words the distance of a site."""
        return make_near_teller(rule)

    def advise(self, row: Mapping[str, Any], rule: Mapping[str, Any], size: Callable[[str], str], metres: Any) -> str:
        """Say how far the outline has to be moved away."""
        distance, within = row.get("distance_m"), rule.get("within_m")
        if within and distance is not None and distance < within:
            return (
                f"把红线移到距该要素 {metres(within)} 以外（现为 {metres(distance)}，还差 {metres(within - distance)}）"
            )
        return super().advise(row, rule, size, metres)

    def list_edges(self, rule: Rule, features: NDArray[Any]) -> list[Any]:
        """Return the strip within the distance of the features."""
        if not len(features):
            return []
        if rule.within_m <= 0:
            return list(features[shapely.get_dimensions(features) == 2])
        return [shapely.union_all(strip(features, rule.within_m))]

    def cover_forbidden(
        self, rule: Rule, pieces: NDArray[Any], window: Any, *, more_m: float, factor: float, from_edge: bool
    ) -> Any:
        """Return the part of a window within the distance of the features."""
        limit = rule.within_m * factor + CLEAR_OF_M + more_m
        return shapely.intersection(shapely.union_all(strip(pieces, limit)), window)


NEAR = register_relation(Near(RELATION_SPECS["near"], tells_distance=True, draws_strip=True, overlay_group="near"))
