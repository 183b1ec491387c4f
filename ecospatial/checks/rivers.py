"""What an ``along_river`` rule reads: the stretch of river that belongs to each intake, and where it can not tell."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial import network
from ecospatial.checks._features import CoveragePart, LayerCache, LayerSet
from ecospatial.checks.selection import FeatureSelection, select_features
from ecospatial.model import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

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


def stretches(reading: LayerCache, rule: Rule) -> Stretches:
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


def _water(reading: LayerCache, rivers: network.Network) -> dict[str, BaseGeometry]:
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
