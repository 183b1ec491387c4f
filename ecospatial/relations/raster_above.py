"""Raster above: which sites lie where the latest grid of a kind exceeds a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from ecospatial import raster
from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS, RELATION_SPECS
from ecospatial.relations._wording import AREA, LENGTH, MU, NOTHING, POINT, SIZE, Form, Teller
from ecospatial.relations.base import LOOK_BEYOND_M, Question, Relation, register_relation
from ecospatial.relations.layer_set import CoveragePart, LayerReader, LayerSet
from ecospatial.relations.overlaps import measure_overlaps
from ecospatial.relations.selection import select_features

if TYPE_CHECKING:
    import datetime as dt

    from shapely.geometry.base import BaseGeometry

    from ecospatial.plans import Layer
    from ecospatial.relations.measurement import Measures
    from ecospatial.relations.selection import FeatureSelection
    from ecospatial.rules import Rule


def outline_exceeded(reading: LayerReader, rule: Rule) -> tuple[LayerSet, FeatureSelection]:
    """Give the areas above a rule's limit as features, and the pixels with data as their coverage.

    The latest picture of the kind that was taken by the day and is valid on it counts; several of one day are read
    together. Where a pixel holds no data nothing is covered.
    """
    plan, kind = reading.plan, rule.layer
    standing = [layer for layer in plan.of_kind(kind) if layer.valid_on(reading.on)]
    held = [layer for layer in standing if layer.present == "held"]
    latest = _latest(reading, kind)
    gaps = [text for layer in standing if layer.present == "missing" and (text := plan.trouble(layer.name))]
    if not plan.of_kind(kind):
        gaps.append(f"{KINDS[kind].label}图层未取得，规划未列出该图层")
    elif not standing:
        gaps.append(f"{KINDS[kind].label}图层在 {reading.on} 不在有效期内")
    elif held and not latest:
        gaps.append(grid_unseen(kind, reading.on))
    none = [layer for layer in standing if layer.present == "none"]
    used, frames, broken = [], [plan.frame_of(kind, [])], False
    seen: list[CoveragePart] = []
    for layer in latest:
        try:
            areas, coverage = _outlined(reading, rule, layer)
        except EcospatialError as fault:
            gaps.append(plan.trouble(layer.name) or grid_trouble(kind, str(fault.problems[0])))
            broken = True
            continue
        used.append(layer)
        frames.append(areas)
        if coverage is not None and not coverage.is_empty:
            accuracy_m, guessed = reading.edge_accuracy(layer)
            seen.append(CoveragePart(coverage, plan.coverage_short_m(layer.name), accuracy_m, guessed))
    frame = _stacked(frames, plan.crs)
    only_none = bool(none) and len(none) == len(standing)
    there = frame if used or only_none else None
    parts = reading.coverage_parts(none) if only_none else tuple(seen)
    stock = LayerSet(kind, tuple(used), there, tuple(gaps), only_none, parts, broken=broken)
    return stock, select_features(kind, frame, layers=used)


def _latest(reading: LayerReader, kind: str) -> list[Layer]:
    taken = raster.pictures(reading.plan, kind, on=reading.on)
    last = taken[-1].pixels.date if taken and taken[-1].pixels is not None else None
    return [layer for layer in taken if layer.pixels is not None and layer.pixels.date == last]


def _outlined(reading: LayerReader, rule: Rule, layer: Layer) -> tuple[gpd.GeoDataFrame, BaseGeometry | None]:
    plan = reading.plan
    reach_m = LOOK_BEYOND_M + reading.site_accuracy_m + (layer.accuracy_m or 0.0)
    grid = raster.grid_of(plan, layer.name)
    found = raster.exceeded(grid, reading.sites, plan.crs, above=rule.above, reach_m=reach_m)
    count = len(found.areas)
    blank: dict[str, Any] = {name: np.full(count, None, dtype=object) for name in ("feature_id", "feature_name")}
    frame = gpd.GeoDataFrame(blank | {"layer": [layer.name] * count}, geometry=found.areas, crs=plan.crs)
    if layer.coverage == "extent":
        return frame, found.seen
    declared = plan.coverage(layer.name)
    return frame, None if declared is None else shapely.intersection(declared, found.seen)


def _stacked(frames: list[gpd.GeoDataFrame], crs: Any) -> gpd.GeoDataFrame:
    parts = [frame for frame in frames[1:] if len(frame)]
    if not parts:
        return frames[0]
    data = {name: np.concatenate([p[name].to_numpy(dtype=object) for p in parts]) for name in
            ("feature_id", "feature_name", "layer")}  # fmt: skip
    return gpd.GeoDataFrame(data, geometry=np.concatenate([p.geometry.to_numpy() for p in parts]), crs=crs)


def grid_unseen(kind: str, on: dt.date) -> str:
    """Say that no picture of a kind was taken by the day."""
    return f"{KINDS[kind].label}栅格没有 {on} 或以前的数据"


def grid_trouble(kind: str, problem: str) -> str:
    """Say why a grid can not be used."""
    return f"{KINDS[kind].label}图层不可用：{problem}"


def word_limit(rule: Rule) -> str:
    """Say what is above which value."""
    kind = KINDS[rule.layer]
    return f"{kind.label}大于 {rule.above:g}{' ' if kind.unit.isalpha() else ''}{kind.unit}"


def make_grid_teller(rule: Rule) -> Teller:
    """Return what words the part of a site above the limit."""
    limit = word_limit(rule)
    none = f"周边 1000 m 内没有{limit}的区域"
    parts: dict[int, Form] = {AREA: (SIZE, " m²（", MU, " 亩）"), LENGTH: (SIZE, " m"), POINT: ("所在位置",)}

    def tell(_: str, case: int, __: int) -> Form:
        if case in parts:
            return (*parts[case], limit)
        return (none,) if case == NOTHING else (f"地块内没有{limit}的区域，最近处相距 ", SIZE, " m")

    return tell


@dataclass(frozen=True)
class RasterAbove(Relation):
    """Where the latest grid of a kind is above a value."""

    def feature_key(self, rule: Rule) -> tuple[Any, ...]:
        """Return the value."""
        return (rule.above,)

    def _read(self, reader: LayerReader, rule: Rule) -> tuple[LayerSet, FeatureSelection]:
        key = ("raster_above", rule.layer, rule.above)
        found: tuple[LayerSet, FeatureSelection] = reader.remember(
            key, lambda: outline_exceeded(reader, rule), around_sites=True
        )
        return found

    def read_layers(self, reader: LayerReader, rule: Rule) -> LayerSet:
        """Return the areas above the value as a layer."""
        return self._read(reader, rule)[0]

    def select_features(self, reader: LayerReader, rule: Rule) -> FeatureSelection:
        """Return the areas above the value as features."""
        return self._read(reader, rule)[1]

    def measure(self, question: Question) -> Measures:
        """Measure what sites share with the areas above the value."""
        return measure_overlaps(question.target, question.sites, question.nearest, limits_m=question.limits_m)

    def make_teller(self, rule: Rule) -> Teller:
        """Return what words the part of a site above the limit."""
        return make_grid_teller(rule)

    def tell_far(self, rule: Rule) -> str:
        """Say that no area above the limit is within reach."""
        return f"周边 1000 m 内没有{word_limit(rule)}的区域"


RASTER_ABOVE = register_relation(RasterAbove(RELATION_SPECS["raster_above"], overlay_group="raster_above"))
