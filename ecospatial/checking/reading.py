"""What a rule reads: the features of a kind that its ``where`` names, and how far they can be relied on."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from ecospatial import files
from ecospatial.checking.reasons import feature_names
from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS
from ecospatial.relations import Coverage, Target

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.checking.rivers import Stretches
    from ecospatial.plans import Layer, Plan
    from ecospatial.rules import Rule

Where = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Stock:
    """A kind as a plan holds it on a day.

    ``frame`` is None when nothing of the kind can be read. ``gaps`` are sentences, one for each layer of the
    kind that is missing, altered or unreadable: a hit still counts, but nothing is clear. ``blind`` are places that the
    coverage leaves out, and why.
    """

    kind: str
    layers: tuple[Layer, ...]
    frame: gpd.GeoDataFrame | None
    gaps: tuple[str, ...]
    only_none: bool
    coverage: BaseGeometry | None
    short_m: float
    blind: tuple[tuple[BaseGeometry, str], ...] = ()

    def blindness(self, site: Any) -> tuple[str, ...]:
        """Say why nothing can be told at a site, where that is known."""
        return tuple(why for place, why in self.blind if place.intersects(site))

    @cached_property
    def covers_as(self) -> tuple[bytes | None, float]:
        """What tells coverages apart: kinds with the same one cover the same sites."""
        return None if self.coverage is None else self.coverage.wkb, self.short_m

    @cached_property
    def covering(self) -> Coverage:
        """The coverage, prepared."""
        return Coverage(self.coverage, self.short_m)


@dataclass(frozen=True)
class Selection:
    """Features that a ``where`` names: ``sure`` match; ``all`` adds those whose column is empty."""

    kind: str
    frame: gpd.GeoDataFrame
    sure: Target
    sure_row: NDArray[np.intp]
    all: Target
    all_row: NDArray[np.intp]

    @cached_property
    def ids(self) -> NDArray[Any]:
        """The id of each feature."""
        return np.asarray(self.frame["feature_id"], dtype=object)

    @cached_property
    def names(self) -> NDArray[Any]:
        """Name each feature for a sentence; empty text where there is no name."""
        return feature_names(self.frame, self.kind)


class Reading:
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
        self._grids: dict[tuple[str, float], tuple[Stock, Selection]] = {}
        self._stocks: dict[str, Stock] = {}
        self._selections: dict[tuple[str, Where], Selection] = {}
        self._same: dict[tuple[str, bytes, bytes], Selection] = {}
        self._hashes: dict[str, str | None] = {}

    @classmethod
    def of(cls, plan: Plan, on: dt.date) -> Reading:
        """Give what was read for an earlier check of the plan on the day; only the latest day is kept."""
        held = plan.kept.get("reading")
        if held is None or held.on != on:
            held = plan.kept["reading"] = cls(plan, on)
        return cast("Reading", held)

    def around(self, sites: NDArray[Any], site_accuracy_m: float) -> Reading:
        """Give the same layers for other sites: all that was read is shared, but for grids, read around sites."""
        other = copy(self)
        other.sites, other.site_accuracy_m, other._grids = sites, site_accuracy_m, {}  # noqa: SLF001 - of this class
        return other

    def stock(self, kind: str) -> Stock:
        """Give a kind as it stands on the day."""
        if kind not in self._stocks:
            self._stocks[kind] = self._stock(kind)
        return self._stocks[kind]

    def stock_for(self, rule: Rule) -> Stock:
        """Give what a rule reads as it stands on the day."""
        if rule.relation == "along_river":
            return self.stretches(rule).stock
        return self._grid(rule)[0] if rule.relation == "raster_above" else self.stock(rule.layer)

    def stretches(self, rule: Rule) -> Stretches:
        """Give the stretches of river that an ``along_river`` rule is about."""
        from ecospatial.checking.rivers import stretches

        key = (rule.layer, rule.where, rule.upstream_m, rule.downstream_m)
        if key not in self._stretches:
            self._stretches[key] = stretches(self, rule)
        return self._stretches[key]

    def _grid(self, rule: Rule) -> tuple[Stock, Selection]:
        from ecospatial.checking.grids import above

        key = (rule.layer, rule.above)
        if key not in self._grids:
            self._grids[key] = above(self, rule)
        return self._grids[key]

    def select(self, rule: Rule) -> Selection:
        """Give the features that a rule is about; its kind can be read."""
        if rule.relation == "raster_above":
            return self._grid(rule)[1]
        if rule.relation == "along_river":
            return self.stretches(rule).selection
        key = (rule.layer, rule.where)
        if key not in self._selections:
            frame = self.stock(rule.layer).frame
            if frame is None:
                raise AssertionError(rule.layer)
            found = selected(rule.layer, frame, rule.where)
            # Other words may name the same features: they are taken apart and indexed once.
            rows = rule.layer, found.sure_row.tobytes(), found.all_row.tobytes()
            self._selections[key] = self._same.setdefault(rows, found)
        return self._selections[key]

    def sha256(self, layer: Layer) -> str | None:
        """Give the hash of the file as it is now; None without a file."""
        if layer.name not in self._hashes:
            path = None if layer.path is None else self.plan.folder / layer.path
            there = path is not None and path.is_file()
            self._hashes[layer.name] = files.sha256(path) if path is not None and there else layer.sha256
        return self._hashes[layer.name]

    def _stock(self, kind: str) -> Stock:
        label = KINDS[kind].label
        listed = self.plan.of_kind(kind)
        standing = [layer for layer in listed if layer.valid_on(self.on)]
        gaps = []
        if not listed:
            gaps.append(f"{label}图层未取得，规划未列出该图层")
        elif not standing:
            gaps.append(f"{label}图层在 {self.on} 不在有效期内")
        held, none = [], []
        for layer in standing:
            trouble = self.plan.trouble(layer.name)
            if trouble is not None:
                gaps.append(trouble)
            elif layer.present == "none":
                none.append(layer)
            else:
                held.append(layer)
        usable = [*held, *none]
        frame = None
        if usable:
            frame = _standing(self.plan.frame_of(kind, [layer.name for layer in held]), self.on)
        coverage, short_m = self._coverage(usable)
        return Stock(kind, tuple(held), frame, tuple(gaps), bool(none) and not held and not gaps, coverage, short_m)

    def _coverage(self, layers: list[Layer]) -> tuple[BaseGeometry | None, float]:
        areas, short = [], 0.0
        for layer in layers:
            try:
                area = self.plan.coverage(layer.name)
            except EcospatialError:
                # A coverage that can not be read holds nothing; plan validate names the fault.
                continue
            if area is not None:
                areas.append(area)
                short = max(short, self.plan.coverage_short_m(layer.name))
        return (shapely.union_all(areas), short) if areas else (None, 0.0)


def _standing(frame: gpd.GeoDataFrame, on: dt.date) -> gpd.GeoDataFrame:
    """Leave out what was not yet, or no longer, on the list that day (ISO dates compare as text)."""
    if "listed_on" not in frame:
        return frame
    day = on.isoformat()
    early = frame["listed_on"].fillna("") > day
    late = frame["removed_on"].fillna("9999-12-31") <= day
    return frame[~(early | late)].reset_index(drop=True)


def selected(kind: str, frame: gpd.GeoDataFrame, where: Where = ()) -> Selection:
    """Choose the features that a ``where`` names; all of them without one."""
    sure = np.ones(len(frame), dtype=bool)
    possible = np.ones(len(frame), dtype=bool)
    for column, values in where:
        known = frame[column].notna().to_numpy() if column in frame else np.zeros(len(frame), dtype=bool)
        match = np.zeros(len(frame), dtype=bool)
        if column in frame:
            match = frame[column].map(_text).isin(values).to_numpy()
        sure &= known & match
        possible &= ~known | match
    geometry = frame.geometry.to_numpy()
    sure_row, all_row = np.flatnonzero(sure), np.flatnonzero(possible)
    first = Target(geometry[sure_row])
    second = first if len(sure_row) == len(all_row) else Target(geometry[all_row])
    return Selection(kind, frame, first, sure_row, second, all_row)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
