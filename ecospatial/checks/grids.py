"""What a ``raster_above`` rule reads: where the latest grid of a kind exceeds the limit, and where it can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from ecospatial import raster
from ecospatial.checks import reasons
from ecospatial.checks._features import CoveragePart, LayerCache, LayerSet
from ecospatial.checks._measure import LOOK_BEYOND_M
from ecospatial.checks.selection import select_features
from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from ecospatial.checks.selection import FeatureSelection
    from ecospatial.plans import Layer
    from ecospatial.rules import Rule


def above(reading: LayerCache, rule: Rule) -> tuple[LayerSet, FeatureSelection]:
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
        gaps.append(reasons.grid_unseen(kind, reading.on))
    none = [layer for layer in standing if layer.present == "none"]
    used, frames, broken = [], [plan.frame_of(kind, [])], False
    seen: list[CoveragePart] = []
    for layer in latest:
        try:
            areas, coverage = _outlined(reading, rule, layer)
        except EcospatialError as fault:
            gaps.append(plan.trouble(layer.name) or reasons.grid_trouble(kind, str(fault.problems[0])))
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


def _latest(reading: LayerCache, kind: str) -> list[Layer]:
    taken = raster.pictures(reading.plan, kind, on=reading.on)
    last = taken[-1].pixels.date if taken and taken[-1].pixels is not None else None
    return [layer for layer in taken if layer.pixels is not None and layer.pixels.date == last]


def _outlined(reading: LayerCache, rule: Rule, layer: Layer) -> tuple[gpd.GeoDataFrame, BaseGeometry | None]:
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
