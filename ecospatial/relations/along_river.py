"""Along a river: which sites lie in, or at the bank of, the stretch of river that belongs to an intake."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial import network
from ecospatial.geometry import ROUNDING_M, ShapeIndex
from ecospatial.model import KINDS, RELATION_SPECS
from ecospatial.relations._wording import ALONG, NOTHING, POINT, SHARES, SIZE, Form, Teller, join_values
from ecospatial.relations.base import Question, Relation, register_relation
from ecospatial.relations.layer_set import CoveragePart, LayerReader, LayerSet
from ecospatial.relations.overlaps import measure_overlaps
from ecospatial.relations.selection import FeatureSelection, select_features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.relations.measurement import Measures, Nearest, Target
    from ecospatial.rules import Rule

# An intake may lie this much further from the centreline than half the river and the errors of both layers.
BESIDE_M = 50.0
# What a stretch may reach beyond its length along the river: half of the widest one.
HALF_RIVER_M = 1000.0


@dataclasses.dataclass(frozen=True)
class Stretches:
    """The water of each intake as features, and how each was walked, in the order of the features."""

    stock: LayerSet
    selection: FeatureSelection
    rivers: network.Network | None
    walked: tuple[network.Stretch, ...]

    def along_m(self, feature: NDArray[np.intp], sites: NDArray[Any]) -> NDArray[np.float64]:
        """Give metres along the river from the intake to each site: positive upstream, negative downstream.

        ``feature`` is the row of the intake that touches the site.
        """
        if self.rivers is None:
            return np.full(len(sites), np.nan)
        pairs = zip(feature.tolist(), sites, strict=True)
        return np.array([network.along_from(self.rivers, self.walked[i], site) for i, site in pairs], dtype=np.float64)


def cut_stretches(reading: LayerReader, rule: Rule) -> Stretches:
    """Cut the stretch of every intake that a rule names out of the water.

    The network is built from ``river_centreline``, the water from ``bank_line`` and ``water_body``. An intake without
    a usable river leaves a hole in the coverage: sites around it can not be told, others can.
    """
    intakes = reading.stock(rule.layer)
    if intakes.frame is None or intakes.only_none:
        frame = reading.plan.frame_of(rule.layer, []) if intakes.frame is None else intakes.frame
        return Stretches(intakes, select_features(rule.layer, frame, layers=intakes.layers), None, ())
    centre = reading.stock("river_centreline")
    if centre.frame is None:
        gaps = (*intakes.gaps, *(f"不能沿河量算：{gap}" for gap in centre.gaps))
        nothing = select_features(rule.layer, reading.plan.frame_of(rule.layer, []), layers=intakes.layers)
        return Stretches(dataclasses.replace(intakes, frame=None, gaps=gaps), nothing, None, ())
    rivers = network.build(centre.frame)
    water = _water(reading, rivers)
    chosen = select_features(rule.layer, intakes.frame, rule.where, layers=intakes.layers)
    rows = chosen.possible_row
    limit = max(rule.upstream_m, rule.downstream_m)
    reach, along, blind = _places(rivers, intakes, centre, rows)
    found: list[tuple[int, BaseGeometry, network.Stretch]] = []
    certain = True
    for i in np.flatnonzero(reach >= 0).tolist():
        walked = network.stretch(
            rivers, int(reach[i]), float(along[i]), upstream_m=rule.upstream_m, downstream_m=rule.downstream_m
        )
        area, sure = network.stretch_area(rivers, walked, water)
        if area is None:
            blind[i] = "没有岸线，也不知道河宽"
            continue
        found.append((int(rows[i]), area, walked))
        certain = certain and sure
    frame = intakes.frame.iloc[[row for row, *_ in found]].reset_index(drop=True)
    frame = frame.set_geometry(gpd.GeoSeries([area for _, area, _ in found], crs=reading.plan.crs))
    names = _names(intakes.frame, rule.layer)
    discs = [(intakes.frame.geometry.iloc[rows[i]].buffer(limit + HALF_RIVER_M), f"{names[rows[i]]}{why}，不能沿河量算")
             for i, why in blind.items()]  # fmt: skip
    beside = [reading.stock(kind) for kind in ("water_body", "bank_line")]
    stock = _stock(intakes, [centre, *beside], frame, limit_m=limit, discs=discs, certain=certain)
    if stock.frame is None:
        raise AssertionError(rule.layer)
    selection = select_features(rule.layer, stock.frame, rule.where, layers=stock.layers)
    # An intake without a stretch is carried by the layer all the same.
    selection = dataclasses.replace(selection, missing=chosen.missing, unmatched=chosen.unmatched)
    return Stretches(stock, selection, rivers, tuple(walked for *_, walked in found))


def _names(frame: gpd.GeoDataFrame, kind: str) -> list[str]:
    """Name each intake: its name, else its source or river."""
    label = KINDS[kind].label
    columns = [frame[name].tolist() for name in ("feature_name", "source_name", "river") if name in frame]
    rows = zip(*columns, strict=True)
    names = [next((str(value) for value in row if isinstance(value, str) and value), "") for row in rows]
    return [name if label in name else f"{label}{name}" for name in names]


def _water(reading: LayerReader, rivers: network.Network) -> dict[str, BaseGeometry]:
    """Give the water between the banks by river; banks count before other water surface."""
    found: dict[str, BaseGeometry] = {}
    for kind in ("water_body", "bank_line"):
        frame = reading.stock(kind).frame
        if frame is not None and len(frame):
            found |= network.bank_areas(frame, rivers)
    return found


def _places(
    rivers: network.Network, intakes: LayerSet, centre: LayerSet, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64], dict[int, str]]:
    """Find the place of each intake on the network; and why there is none, by position."""
    if intakes.frame is None:
        raise AssertionError(intakes.kind)
    frame = intakes.frame.iloc[rows]
    place = network.locate(rivers, frame, within_m=np.inf)
    reach = place["reach"].to_numpy(dtype=np.intp).copy()
    errors = [sum(layer.accuracy_m or 0.0 for layer in stock.layers[:1]) for stock in (intakes, centre)]
    width = np.append(rivers.reaches["width_m"].to_numpy(), np.nan)[reach]
    near = place["offset_m"].to_numpy() <= np.nan_to_num(width) / 2 + sum(errors) + BESIDE_M
    blind: dict[int, str] = {}
    for i, (name, given) in enumerate(zip(place["river"], frame["river"], strict=True)):
        if reach[i] < 0:
            blind[i] = "附近没有河道中心线"
        elif isinstance(given, str) and given != name:
            blind[i] = f"所在的{given}不在河道中心线图层中"
        elif not near[i]:
            blind[i] = f"距最近的河道中心线 {place['offset_m'].iloc[i]:.0f} m，不在河道中"
    reach[list(blind)] = -1
    return reach, place["along_m"].to_numpy(dtype=np.float64), blind


def _stock(
    intakes: LayerSet,
    waters: list[LayerSet],
    frame: gpd.GeoDataFrame,
    *,
    limit_m: float,
    discs: list[tuple[BaseGeometry, str]],
    certain: bool,
) -> LayerSet:
    """Say how far the stretches can be relied on.

    The coverage of intakes and centrelines (the first of ``waters``) has to hold a site and ``limit_m`` around it: an
    intake that is not in the layer, or a branch that is not, could lie that far away. A stretch is as wrong as the
    intake and the worst of the layers that the water is taken from.
    """
    centre = waters[0]
    parts: tuple[CoveragePart, ...] = ()
    if intakes.whole is not None and centre.whole is not None:
        both = shapely.intersection(intakes.whole.area, centre.whole.area)
        area = shapely.difference(both.buffer(-limit_m, quad_segs=64), shapely.union_all([d for d, _ in discs]))
        edges = (*intakes.parts, *centre.parts)
        accuracy_m = float(np.max([part.accuracy_m for part in edges]))
        short_m = max(part.short_m for part in edges)
        if not area.is_empty:
            parts = (CoveragePart(area, short_m, accuracy_m, any(part.guessed for part in edges)),)
    layers = [layer for water in waters for layer in water.layers]
    errors = [layer.accuracy_m for layer in layers]
    river = None if not certain or None in errors else max((e for e in errors if e is not None), default=None)
    guessed = any(layer.basis == "guessed" for layer in layers)
    own = pd.to_numeric(frame["accuracy_m"]) if "accuracy_m" in frame else pd.Series(np.nan, index=frame.index)
    changed = {"accuracy_m": own + (np.nan if river is None else river)}
    changed |= {"accuracy_basis": ["guessed"] * len(frame)} if guessed else {}
    return dataclasses.replace(
        intakes,
        layers=tuple(
            dataclasses.replace(
                layer,
                accuracy_m=None if river is None or layer.accuracy_m is None else layer.accuracy_m + river,
                accuracy_basis="guessed" if guessed else layer.accuracy_basis,
            )
            for layer in intakes.layers
        ),
        frame=frame.assign(**changed),
        gaps=(*intakes.gaps, *(f"不能沿河量算：{gap}" for gap in centre.gaps)),
        parts=parts,
        blind=tuple(discs),
    )


def measure_along(
    target: Target, sites: ShapeIndex, nearest: Nearest, *, limits_m: NDArray[np.float64] | None = None
) -> Measures:
    """Ask which sites lie in, or at the bank of, the stretch of river that belongs to an intake.

    A stretch is the water so many metres up and down the river from the intake, measured along the centreline into
    every branch and cut square across, from bank to bank, where it ends (``network.stretch_area``). A site is touched
    when it shares area, length or a point with that water, or adjoins it: unlike in ``overlaps`` a shared edge, even a
    shared corner, is touched, because the bank is where a site meets the water.

    Parameters
    ----------
    target
        The stretches, polygons in a metric CRS.
    sites, nearest, limits_m
        As in ``overlaps``.

    Returns
    -------
    Measures
        As ``overlaps`` gives them. A site that only adjoins has margin 0 and the shared edge as its conflict.

    Examples
    --------
    >>> from ecospatial.geometry import ShapeIndex
    >>> from ecospatial.relations import Nearest, Target
    >>> water = Target(np.array([shapely.box(0, 0, 100, 20)], dtype=object))
    >>> boxes = [shapely.box(10, 20, 30, 40), shapely.box(10, 20.5, 30, 40), shapely.box(0, -5, 10, 5)]
    >>> sites = ShapeIndex(np.array(boxes))
    >>> found = measure_along(water, sites, Nearest.of(water, sites, 1000.0))
    >>> found.touched.tolist(), found.margin_m.round(1).tolist()
    ([True, False, True], [0.0, 0.5, 5.0])
    """
    found = measure_overlaps(target, sites, nearest, limits_m=limits_m)
    beside = np.flatnonzero(~found.touched & (found.distance_m <= ROUNDING_M))
    if len(beside):
        shape, water = sites.geometry[beside], target.geometry[found.feature[beside]]
        shared = np.asarray(shapely.intersection(shape, water), dtype=object)
        apart = shapely.is_empty(shared)
        shared[apart] = shapely.get_point(shapely.shortest_line(shape[apart], water[apart]), 0)
        found.touched[beside], found.margin_m[beside] = True, 0.0
        found.conflict[beside] = shared
        found.features[beside] = np.maximum(found.features[beside], 1)
    return found


def word_stretch(rule: Rule) -> str:
    """Say how far up and down the river a rule reaches."""
    return f"沿河上游 {rule.upstream_m:g} m 至下游 {rule.downstream_m:g} m"


def make_river_teller(rule: Rule) -> Teller:
    """Return what words the share of a stretch, and where along the river it is."""
    stretch = f"控制河段（{word_stretch(rule)}）"
    none = f"周边 1000 m 内没有{join_values(rule)}{KINDS[rule.layer].label}的{stretch}"
    sides: tuple[Form, ...] = ("处",), ("上游 ", ALONG, " m"), ("下游 ", ALONG, " m")

    def tell(name: str, case: int, side: int) -> Form:
        if case == NOTHING:
            return (none,)
        if case not in SHARES:
            return (f"未临{name}的{stretch}，最近 ", SIZE, " m")
        on = "紧临" if case == POINT else "占用"
        return (f"{on}{name}的{stretch}", *SHARES[case], "，沿河位于取水口", *sides[side])

    return tell


@dataclasses.dataclass(frozen=True)
class AlongRiver(Relation):
    """In, or at the bank of, the stretch of river that belongs to an intake."""

    def feature_key(self, rule: Rule) -> tuple[Any, ...]:
        """Return the lengths of the stretch."""
        return True, rule.upstream_m, rule.downstream_m

    def find_stretches(self, reader: LayerReader, rule: Rule) -> Stretches:
        """Return the stretches that a rule is about, cut once."""
        key = ("along_river", rule.layer, rule.where, rule.upstream_m, rule.downstream_m)
        found: Stretches = reader.remember(key, lambda: cut_stretches(reader, rule))
        return found

    def read_layers(self, reader: LayerReader, rule: Rule) -> LayerSet:
        """Return the stretches as a layer."""
        return self.find_stretches(reader, rule).stock

    def select_features(self, reader: LayerReader, rule: Rule) -> FeatureSelection:
        """Return the stretches as features."""
        return self.find_stretches(reader, rule).selection

    def measure(self, question: Question) -> Measures:
        """Measure what sites share with the water, or that they adjoin it."""
        return measure_along(question.target, question.sites, question.nearest, limits_m=question.limits_m)

    def add_measures(self, measures: Measures, reader: LayerReader, rule: Rule, sites: NDArray[Any]) -> None:
        """Add metres along the river."""
        hit = np.flatnonzero(measures.touched)
        measures.along_m[hit] = self.find_stretches(reader, rule).along_m(measures.feature[hit], sites[hit])

    def make_teller(self, rule: Rule) -> Teller:
        """Return what words the share of a stretch, and where along the river it is."""
        return make_river_teller(rule)

    def tell_far(self, rule: Rule) -> str:
        """Say that no stretch is within reach."""
        label = KINDS[rule.layer].label
        return f"周边 1000 m 内没有{join_values(rule)}{label}的控制河段（{word_stretch(rule)}）"

    def place_along(self, along_m: NDArray[np.float64]) -> NDArray[np.intp]:
        """Say whether each site lies at, above or below the intake."""
        return np.where(np.abs(along_m) < 0.05, 0, np.where(along_m > 0, 1, 2)).astype(np.intp)

    def advise(self, row: Mapping[str, Any], rule: Mapping[str, Any], size: Callable[[str], str], metres: Any) -> str:
        """Say that the outline has to leave the stretch."""
        return "把红线移出该取水口上下游的河段"


ALONG_RIVER = register_relation(
    AlongRiver(RELATION_SPECS["along_river"], overlay_group="along_river", touched_from_edge=True)
)
