"""What a rule reads: the features of a kind that its ``where`` names, and how far they can be relied on."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import io
from ecospatial.checks.scope import rule_in_force, rules_in_scope
from ecospatial.checks.selection import FeatureSelection, FeatureSet, Where, select_features
from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS
from ecospatial.relations import Coverage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.checks.rivers import Stretches
    from ecospatial.plans import Layer, Plan
    from ecospatial.rules import Rule

# A coverage that ends with the district holds it, but for rounding.
SAME_EDGE_M = 1e-3


@dataclass(frozen=True)
class CoveragePart:
    """Where one layer is complete, and how wrong the edge of that area may be.

    ``accuracy_m`` is NaN where it is unknown; ``guessed`` says that the edge rests on a guess; ``short_m`` by how much
    the polygon may be short of the coverage it stands for.
    """

    area: BaseGeometry
    short_m: float
    accuracy_m: float
    guessed: bool

    @cached_property
    def covers_as(self) -> tuple[bytes, float]:
        """What tells coverages apart: kinds with the same one cover the same sites."""
        return self.area.wkb, self.short_m

    @cached_property
    def covering(self) -> Coverage:
        """The coverage, prepared."""
        return Coverage(self.area, self.short_m)


@dataclass(frozen=True)
class LayerSet:
    """A kind as a plan holds it on a day.

    ``frame`` is None when nothing of the kind can be read. ``gaps`` are sentences, one for each layer of the
    kind that is missing, altered, unreadable or empty: a hit still counts, but nothing is clear. ``broken`` says that
    the plan holds a layer that can not be used. ``blind`` are places that the coverage leaves out, and why.
    ``replaced`` are schematic layers that an official one stands in for.
    """

    kind: str
    layers: tuple[Layer, ...]
    frame: gpd.GeoDataFrame | None
    gaps: tuple[str, ...]
    only_none: bool
    parts: tuple[CoveragePart, ...]
    broken: bool = False
    blind: tuple[tuple[BaseGeometry, str], ...] = ()
    replaced: tuple[Layer, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether some layer of the kind can be read, or the plan says that there is none."""
        return self.frame is not None

    def blindness(self, site: Any) -> tuple[str, ...]:
        """Say why nothing can be told at a site, where that is known."""
        return tuple(why for place, why in self.blind if place.intersects(site))

    @cached_property
    def coverage(self) -> BaseGeometry | None:
        """Where the absence of a feature means absence: all coverages together; None where none is known."""
        areas = [part.area for part in self.parts]
        if not areas:
            return None
        return areas[0] if len(areas) == 1 else shapely.union_all(areas)

    @cached_property
    def whole(self) -> CoveragePart | None:
        """All coverages as one."""
        if self.coverage is None:
            return None
        if len(self.parts) == 1:
            return self.parts[0]
        return CoveragePart(self.coverage, max(part.short_m for part in self.parts), np.nan, False)


class LayerCache:
    """Layers of a plan on a day, read once for all rules that need them."""

    def __init__(
        self, plan: Plan, on: dt.date, sites: NDArray[Any] | None = None, site_accuracy_m: float = 0.0
    ) -> None:
        self.plan = plan
        self.on = on
        # A grid is only looked at around these.
        self.sites = np.empty(0, dtype=object) if sites is None else sites
        self.site_accuracy_m = site_accuracy_m
        self._stretches: dict[tuple[Any, ...], Stretches] = {}
        self._grids: dict[tuple[str, float], tuple[LayerSet, FeatureSelection]] = {}
        self._stocks: dict[str, LayerSet] = {}
        self._selections: dict[tuple[str, Where], FeatureSelection] = {}
        self._same: dict[tuple[str, bytes, bytes], FeatureSet] = {}
        self._hashes: dict[str, str | None] = {}

    @classmethod
    def of(cls, plan: Plan, on: dt.date) -> LayerCache:
        """Give what was read for an earlier check of the plan on the day; only the latest day is kept."""
        kept = plan.cache.layers
        if not isinstance(kept, cls) or kept.on != on:
            kept = plan.cache.layers = cls(plan, on)
        return kept

    def for_extent(self, sites: NDArray[Any], site_accuracy_m: float) -> LayerCache:
        """Give the same layers for other sites: all that was read is shared, but for grids, read around sites."""
        other = copy(self)
        other.sites, other.site_accuracy_m, other._grids = sites, site_accuracy_m, {}  # noqa: SLF001 - of this class
        return other

    @cached_property
    def versions(self) -> dict[str, list[Rule]]:
        """The versions of each rule that the plan does not leave out, in pack order."""
        return rules_in_scope(self.plan)

    @cached_property
    def in_force(self) -> dict[str, Rule]:
        """The version of each rule that stands on the day, with what the plan settled."""
        found = {id_: rule_in_force(versions, self.plan, self.on) for id_, versions in self.versions.items()}
        return {id_: rule for id_, rule in found.items() if rule is not None}

    @property
    def rules_in_force(self) -> list[Rule]:
        """The rules that stand on the day."""
        return list(self.in_force.values())

    def stock(self, kind: str) -> LayerSet:
        """Give a kind as it stands on the day."""
        if kind not in self._stocks:
            self._stocks[kind] = self._stock(kind)
        return self._stocks[kind]

    def stock_for(self, rule: Rule) -> LayerSet:
        """Give what a rule reads as it stands on the day."""
        if rule.relation == "along_river":
            return self.stretches(rule).stock
        return self._grid(rule)[0] if rule.relation == "raster_above" else self.stock(rule.layer)

    def stretches(self, rule: Rule) -> Stretches:
        """Give the stretches of river that an ``along_river`` rule is about."""
        from ecospatial.checks.rivers import stretches

        key = (rule.layer, rule.where, rule.upstream_m, rule.downstream_m)
        if key not in self._stretches:
            self._stretches[key] = stretches(self, rule)
        return self._stretches[key]

    def _grid(self, rule: Rule) -> tuple[LayerSet, FeatureSelection]:
        from ecospatial.checks.grids import above

        key = (rule.layer, rule.above)
        if key not in self._grids:
            self._grids[key] = above(self, rule)
        return self._grids[key]

    def select(self, rule: Rule) -> FeatureSelection:
        """Give the features that a rule is about; its kind can be read."""
        if rule.relation == "raster_above":
            return self._grid(rule)[1]
        if rule.relation == "along_river":
            return self.stretches(rule).selection
        key = (rule.layer, rule.where)
        if key not in self._selections:
            stock = self.stock(rule.layer)
            frame = stock.frame
            if frame is None:
                raise AssertionError(rule.layer)
            # Where nothing of the kind exists, no value of it does: there is none to be confirmed.
            where = () if stock.only_none else rule.where
            self._selections[key] = select_features(
                rule.layer,
                frame,
                where,
                layers=stock.layers,
                hulls=self._hulls(rule.layer, frame),
                share=partial(self._share, rule.layer),
            )
        return self._selections[key]

    def _share(self, kind: str, found: FeatureSet) -> FeatureSet:
        """Give the same features once: other words may name them, but they are taken apart and indexed once."""
        rows = kind, found.matched_row.tobytes(), found.possible_row.tobytes()
        return self._same.setdefault(rows, found)

    def _hulls(self, kind: str, frame: gpd.GeoDataFrame) -> NDArray[Any]:
        """Give for each feature the hull of its shape as it was read where a repair changed it much, else None."""
        hulls = np.full(len(frame), None, dtype=object)
        for layer in self.stock(kind).layers:
            repairs = self.plan.layer_repairs(layer.name)
            if len(repairs.row):
                # Features that are not on the list that day are not in the frame; the others keep their order.
                ids = self.plan.layer_frame(layer.name)["feature_id"].iloc[repairs.row]
                by_id = dict(zip(ids, repairs.hull, strict=True))
                own = np.flatnonzero(frame["layer"].to_numpy() == layer.name)
                hulls[own] = [by_id.get(id_) for id_ in frame["feature_id"].iloc[own]]
        return hulls

    def sha256(self, layer: Layer) -> str | None:
        """Give the hash of the file as it is now; None without a file."""
        if layer.name not in self._hashes:
            path = None if layer.path is None else self.plan.folder / layer.path
            there = path is not None and path.is_file()
            self._hashes[layer.name] = io.sha256(path) if path is not None and there else layer.sha256
        return self._hashes[layer.name]

    def _stock(self, kind: str) -> LayerSet:
        label = KINDS[kind].label
        listed = self.plan.of_kind(kind)
        standing = [layer for layer in listed if layer.valid_on(self.on)]
        gaps = []
        if not listed:
            gaps.append(f"{label}图层未取得，规划未列出该图层")
        elif not standing:
            gaps.append(f"{label}图层在 {self.on} 不在有效期内")
        usable: list[Layer] = []
        troubles: dict[str, str] = {}
        for layer in standing:
            trouble = self.plan.trouble(layer.name)
            if trouble is None and layer.present == "held" and self.plan.layer_frame(layer.name).empty:
                trouble = f"{label}图层 {layer.name} 的文件中没有要素；若本区确实没有，请写 present: none"
            if trouble is not None:
                troubles[layer.name] = trouble
            elif layer.present == "held":
                usable.append(layer)
        replaced = self._replaced(kind, standing, usable)
        usable = [layer for layer in usable if layer not in replaced]
        gaps += [text for name, text in troubles.items() if self.plan.layers[name] not in replaced]
        broken = any(layer.present == "held" and layer.name in troubles and layer not in replaced for layer in standing)
        none = [layer for layer in standing if layer.present == "none"]
        only_none = bool(none) and len(none) == len(standing)
        frame = None
        if usable or only_none:
            frame = _standing(self.plan.frame_of(kind, [layer.name for layer in usable]), self.on)
        return LayerSet(
            kind,
            tuple(usable),
            frame,
            tuple(gaps),
            only_none,
            self.coverage_parts(usable or (none if only_none else [])),
            broken=broken,
            replaced=tuple(replaced),
        )

    def _replaced(self, kind: str, standing: list[Layer], usable: list[Layer]) -> list[Layer]:
        """List the schematic layers that an official layer, complete in all of the district, stands in for."""
        schematic = [layer for layer in standing if layer.present == "held" and layer.status == "schematic"]
        if not schematic or kind == "district":
            return []
        district = self.plan.district_area
        if district is None:
            return []
        for layer in usable:
            if layer.status != "official":
                continue
            for part in self.coverage_parts([layer]):
                if part.area.buffer(part.short_m + SAME_EDGE_M).covers(district):
                    return schematic
        return []

    def coverage_parts(self, layers: Iterable[Layer]) -> tuple[CoveragePart, ...]:
        """Give the coverage of each layer that has one, with the accuracy of its edge."""
        found = []
        for layer in layers:
            try:
                area = self.plan.coverage(layer.name)
            except EcospatialError:
                # A coverage that can not be read holds nothing; plan validate names the fault.
                continue
            if area is not None and not area.is_empty:
                accuracy_m, guessed = self.edge_accuracy(layer)
                found.append(CoveragePart(area, self.plan.coverage_short_m(layer.name), accuracy_m, guessed))
        return tuple(found)

    def edge_accuracy(self, layer: Layer) -> tuple[float, bool]:
        """Give the accuracy of the edge of a layer's coverage, NaN where it is unknown, and whether it is a guess."""
        by_district = layer.coverage.startswith("district") and layer.kind != "district"
        of = [entry for entry in self.plan.of_kind("district") if entry.present == "held"] if by_district else [layer]
        known = [np.nan if entry.accuracy_m is None else entry.accuracy_m for entry in of]
        return float(np.max(known, initial=0.0)), any(entry.basis == "guessed" for entry in of)


def _standing(frame: gpd.GeoDataFrame, on: dt.date) -> gpd.GeoDataFrame:
    """Leave out what was not yet, or no longer, on the list that day (ISO dates compare as text)."""
    if "listed_on" not in frame:
        return frame
    day = on.isoformat()
    early = frame["listed_on"].fillna("") > day
    late = frame["removed_on"].fillna("9999-12-31") <= day
    return frame[~(early | late)].reset_index(drop=True)
