"""The plan: layers read when they are first needed, their coverage, the rules in force."""

from __future__ import annotations

import datetime as dt
import html
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from ecospatial.errors import EcospatialError, PlanError, Problem
from ecospatial.model import KINDS, PRESENT_LABELS, STATUS_LABELS
from ecospatial.plans.layers import Features, Layer, empty_frame, raster_path, read_layer, read_vector, stacked
from ecospatial.plans.validate import layer_faults, word_faults

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType
    from pathlib import Path

    import geopandas as gpd
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from ecospatial.plans.repairs import LayerRepairs
    from ecospatial.rules import Rule

# Segments of a quarter circle around a coverage; how short the polygon then is of the true distance is known
# and allowed for where coverage is asked.
COVERAGE_SEGMENTS = 256
DISTRICT_AROUND = re.compile(r"district\+(\d+(\.\d+)?)")
LAYER_COLUMNS = [
    "name", "kind", "label", "present", "status", "coverage", "accuracy_m", "publisher", "title", "retrieved",
    "licence", "url", "sha256", "valid_from", "valid_to", "problem",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a bureau decided where the text of a rule leaves a distance, a list or a range open."""

    within_m: float | None
    layer_holds_it: bool
    decided_by: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rules, or kinds of layers whose rules, a bureau does not answer for."""

    rules: tuple[str, ...]
    kinds: tuple[str, ...]
    because: str
    ask: str


@dataclass(slots=True)
class PlanCache:
    """What one check of a plan leaves for the next, so that nothing is read or made twice.

    Attributes
    ----------
    widened_district
        The district widened by so many metres; None where there is no district.
    rules_table
        The day and its table of rules.
    layers
        What checks have read of the layers; its type belongs to the package ``checks``.
    """

    widened_district: dict[float, BaseGeometry | None] = field(default_factory=dict)
    rules_table: tuple[dt.date, pd.DataFrame] | None = None
    layers: object | None = None


@dataclass(frozen=True)
class Plan:
    """A folder of layers, the rules in force, one metric CRS.

    ``settled`` maps the id of a rule to what the plan decided for it; ``scope`` lists what is left out.
    Layers are read when they are first needed; the hash of the file is checked then.
    """

    name: str
    title: str
    crs: CRS
    folder: Path
    layers: MappingType[str, Layer]
    rules: tuple[Rule, ...]
    packs: tuple[str, ...]
    review_number: str | None = None
    settled: MappingType[str, Settlement] = field(default_factory=dict)
    scope: tuple[LeftOut, ...] = ()
    _features: dict[str, Features] = field(default_factory=dict, repr=False, compare=False)
    _rasters: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)
    _troubles: dict[str, str | None] = field(default_factory=dict, repr=False, compare=False)

    def frame(self, kind: str) -> gpd.GeoDataFrame:
        """Read all layers of a kind.

        Parameters
        ----------
        kind
            One of ``ecospatial.model.KINDS``.

        Returns
        -------
        GeoDataFrame
            Our columns, a column ``layer`` with the name in the plan, and the file's other columns; in
            ``plan.crs``. Without rows when the plan says that the kind does not exist there.

        Raises
        ------
        PlanError
            The kind is unknown or missing, or a layer can not be read or was altered.
        """
        if kind not in KINDS:
            raise PlanError(Problem("plan.yaml", None, f"没有 {kind} 这种图层", f"可选：{'、'.join(KINDS)}"))
        held = [layer for layer in self.of_kind(kind) if layer.present == "held"]
        if not held:
            if any(layer.present == "none" for layer in self.of_kind(kind)):
                return empty_frame(KINDS[kind], self.crs)
            raise PlanError(Problem("plan.yaml", None, f"规划没有{KINDS[kind].label}（{kind}）图层", self._whom(kind)))
        return self.frame_of(kind, [layer.name for layer in held])

    def frame_of(self, kind: str, names: list[str]) -> gpd.GeoDataFrame:
        """Read some layers of a kind below each other; no name: a frame without rows."""
        if not names:
            return empty_frame(KINDS[kind], self.crs)
        frames = [self.layer_frame(name) for name in names]
        return frames[0] if len(frames) == 1 else stacked(frames, self.crs)

    def layer_frame(self, name: str) -> gpd.GeoDataFrame:
        """Read one layer, in our columns and in ``plan.crs``.

        Raises
        ------
        PlanError
            The layer is not held, can not be read, was altered, or does not fit its kind.
        """
        return self._read(name).frame.copy()

    def layer_repairs(self, name: str) -> LayerRepairs:
        """Return which features of a layer had to be repaired, and within which hulls nothing is sure.

        Raises
        ------
        PlanError
            As for ``layer_frame``.
        """
        return self._read(name).repairs

    def layer_words(self, name: str) -> tuple[Problem, ...]:
        """List the words of a layer that are in no vocabulary, and its empty cells that should not be empty.

        Raises
        ------
        PlanError
            As for ``layer_frame``.
        """
        return self._read(name).words

    def _read(self, name: str) -> Features:
        if name not in self.layers:
            raise PlanError(Problem("plan.yaml", None, f"没有名为 {name} 的图层", "请用 plan show 查看"))
        if name not in self._features:
            self._features[name] = read_layer(self.folder, self.layers[name], self.crs)
        return self._features[name]

    def raster_path(self, name: str) -> Path:
        """Give the file of a raster layer; its hash is checked when it is first asked for.

        Raises
        ------
        PlanError
            There is no such raster layer, it is not held, or was altered.
        SiteError
            The file may not be opened.
        """
        if name not in self.layers:
            raise PlanError(Problem("plan.yaml", None, f"没有名为 {name} 的图层", "请用 plan show 查看"))
        if name not in self._rasters:
            self._rasters[name] = raster_path(self.folder, self.layers[name])
        return self._rasters[name]

    def of_kind(self, kind: str) -> list[Layer]:
        """List the layers of a kind, in the order of plan.yaml."""
        return [layer for layer in self.layers.values() if layer.kind == kind]

    def trouble(self, name: str) -> str | None:
        """Say in one sentence why a layer can not be used; None when it can."""
        if name not in self._troubles:
            self._troubles[name] = self._look(self.layers[name])
        return self._troubles[name]

    def _look(self, layer: Layer) -> str | None:
        if layer.present == "none":
            return None
        if layer.present == "missing":
            return f"{layer.label}图层未取得，{self._whom(layer.kind)}"
        try:
            self.require_usable(layer)
        except EcospatialError as fault:
            problem = fault.problems[0]
            return f"{layer.label}图层不可用：{problem.message}"
        return None

    def require_usable(self, layer: Layer) -> None:
        """Read a layer of features, or look at the file of a raster (its pixels are read elsewhere).

        Raises
        ------
        PlanError
            It can not be read, or has no feature: an empty file says nothing about what is there.
        """
        if layer.pixels is not None:
            self.raster_path(layer.name)
        elif self._read(layer.name).frame.empty:
            hint = f"请放入完整的文件；若本区确实没有{layer.label}，请写 present: none"
            raise PlanError(Problem(layer.path or "", None, "文件中没有要素", hint))

    def coverage(self, name: str) -> BaseGeometry | None:
        """Give the area in which absence of a feature of this layer means absence; None when unknown.

        The polygon is in ``plan.crs``. A raster with ``coverage: extent`` has none here: its pixels say.
        """
        layer = self.layers[name]
        if layer.coverage == "unknown" or (layer.coverage == "extent" and layer.pixels is not None):
            return None
        if layer.coverage == "extent":
            frame = self.layer_frame(name)
            return None if frame.empty else shapely.box(*frame.total_bounds)
        if layer.coverage == "district":
            return self._district
        match = DISTRICT_AROUND.fullmatch(layer.coverage)
        if match:
            return self._district_around(float(match.group(1)))
        frame = read_vector(self.folder, layer, layer.coverage, crs=self.crs)
        return shapely.union_all(frame.geometry.to_numpy())

    def _district_around(self, around_m: float) -> BaseGeometry | None:
        widened = self.cache.widened_district
        if around_m not in widened:
            area = self._district
            widened[around_m] = None if area is None else area.buffer(around_m, quad_segs=COVERAGE_SEGMENTS)
        return widened[around_m]

    def coverage_short_m(self, name: str) -> float:
        """Say by how many metres the polygon of ``coverage`` may be short of it at a rounded corner."""
        half_segment = math.pi / 4 / COVERAGE_SEGMENTS
        return (self._around(self.layers[name]) or 0.0) * (1 - math.cos(half_segment))

    @staticmethod
    def _around(layer: Layer) -> float | None:
        match = DISTRICT_AROUND.fullmatch(layer.coverage)
        return float(match.group(1)) if match else None

    @cached_property
    def cache(self) -> PlanCache:
        """What one check of this plan leaves for the next; a plan made from this one begins with an empty cache."""
        return PlanCache()

    @cached_property
    def _district(self) -> BaseGeometry | None:
        try:
            frame = self.frame("district")
        except EcospatialError:
            return None
        return None if frame.empty else shapely.union_all(frame.geometry.to_numpy())

    @property
    def district_area(self) -> BaseGeometry | None:
        """The district as one polygon in ``plan.crs``; None where no layer of it can be used."""
        return self._district

    @cached_property
    def area(self) -> BaseGeometry | None:
        """Where the plan is: the district, else the box around all layers held; in ``plan.crs``."""
        if self._district is not None:
            return self._district
        boxes = []
        for layer in self.layers.values():
            if layer.present == "held" and layer.pixels is None and self.trouble(layer.name) is None:
                frame = self.layer_frame(layer.name)
                if not frame.empty:
                    boxes.append(shapely.box(*frame.total_bounds))
        return shapely.box(*shapely.total_bounds(boxes)) if boxes else None

    def rule_versions(self) -> dict[str, list[Rule]]:
        """Group the rules by id, in pack order."""
        return {id_: list(versions) for id_, versions in self._versions.items()}

    @cached_property
    def _versions(self) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            found.setdefault(rule.id, []).append(rule)
        return found

    def layer_table(self) -> pd.DataFrame:
        """List the layers with their provenance: a row each, index ``name``."""
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = [self._provenance(layer) for layer in self.layers.values()]
        frame = pd.DataFrame(rows, columns=LAYER_COLUMNS, dtype=object).set_index("name")
        return frame.assign(accuracy_m=pd.to_numeric(frame["accuracy_m"]))

    def _provenance(self, layer: Layer) -> dict[str, object]:
        return {
            "name": layer.name,
            "kind": layer.kind,
            "label": layer.label,
            "present": layer.present,
            "status": layer.status,
            "coverage": layer.coverage,
            "accuracy_m": layer.accuracy_m,
            "publisher": layer.source.publisher,
            "title": layer.source.title,
            "retrieved": _iso(layer.source.retrieved),
            "licence": layer.source.licence,
            "url": layer.source.url,
            "sha256": layer.sha256,
            "valid_from": _iso(layer.valid_from),
            "valid_to": _iso(layer.valid_to),
            "problem": self.trouble(layer.name) or "",
        }

    def validate(self, on: dt.date | None = None) -> list[Problem]:
        """Read every layer and rule and list what is wrong or not filled in.

        Parameters
        ----------
        on
            The day whose rules are looked at; today when not given.
        """
        problems = []
        for layer in self.layers.values():
            problems += layer_faults(self, layer)
        return problems + word_faults(self, on or dt.datetime.now().astimezone().date())

    def _whom(self, kind: str) -> str:
        publishers = {x.source.publisher for x in self.of_kind(kind) if x.source.publisher}
        return f"请向{'、'.join(sorted(publishers))}取得" if publishers else "请向主管部门取得"

    def _repr_html_(self) -> str:
        table = self.layer_table().reset_index()
        shown = pd.DataFrame(
            {
                "图层": table["label"],
                "名称": table["name"],
                "状态": [_state(p, s) for p, s in zip(table["present"], table["status"], strict=True)],
                "精度（米）": ["" if pd.isna(x) else f"±{x:g}" for x in table["accuracy_m"]],
                "来源": table["publisher"].fillna(""),
                "问题": [p if s == "held" else "" for p, s in zip(table["problem"], table["present"], strict=True)],
            }
        )
        crs = html.escape(self.crs.to_string())
        head = f"<b>{html.escape(self.title)}</b>（{html.escape(self.name)}），{crs}"
        rules = f"规则 {len(self.rule_versions())} 条，规则包：{html.escape('、'.join(self.packs))}"
        missing = [f"{x.label}：{self._whom(x.kind)}" for x in self.layers.values() if x.present == "missing"]
        todo = f"<br>未取得：{html.escape('；'.join(missing))}" if missing else ""
        return f"<p>{head}<br>{rules}{todo}</p>{shown.to_html(index=False, escape=True)}"


def _state(present: str, status: str | None) -> str:
    return PRESENT_LABELS[present] if present != "held" else STATUS_LABELS.get(status or "", "")


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
