"""One layer: its record, and its file read into our columns and the plan's CRS."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.geometry import repair
from ecospatial.model import COMMON_COLUMNS, KINDS, Column, Kind, fact_value
from ecospatial.plans.column_mapping import WORD_LENGTH, word_problem
from ecospatial.plans.repairs import LayerRepairs, list_repairs

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from pyproj import CRS

    from ecospatial.plans.raster_metadata import Pixels

# Column of a frame that names the words of the row that are in no vocabulary; their cells are empty.
UNKNOWN_WORDS = "unknown_words"
# More than twice round the earth, also with the number of the zone before the easting (40 500 000): no place.
LARGEST_M = 1e8


@dataclass(frozen=True, slots=True)
class Source:
    """Who published a layer, under which title, when it was fetched, under which licence."""

    publisher: str | None = None
    title: str | None = None
    retrieved: dt.date | None = None
    licence: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One entry of plan.yaml: features of one kind, with coverage, provenance, accuracy and hash.

    ``pixels`` is there for a raster layer and None for features.
    """

    name: str
    kind: str
    present: str = "held"
    path: str | None = None
    file_layer: str | None = None
    crs: str | None = None
    columns: MappingType[str, str] = field(default_factory=dict)
    vocabulary: MappingType[str, MappingType[str, str]] = field(default_factory=dict)
    status: str | None = None
    coverage: str = "unknown"
    accuracy_m: float | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    source: Source = field(default_factory=Source)
    sha256: str | None = None
    share: str | None = None
    pixels: Pixels | None = None
    accuracy_basis: str | None = None
    absent: MappingType[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Chinese label of the kind."""
        return KINDS[self.kind].label

    @property
    def basis(self) -> str:
        """What the accuracy rests on: ``measured``, ``stated`` or ``guessed``; the last by default when schematic."""
        return self.accuracy_basis or ("guessed" if self.status == "schematic" else "stated")

    def confirmed_names(self, column: str) -> frozenset[str]:
        """Return the names that ``vocabulary`` maps to themselves: each means only itself."""
        return frozenset(theirs for theirs, ours in self.vocabulary.get(column, {}).items() if theirs == ours)

    def valid_on(self, on: dt.date) -> bool:
        """Whether this version of the layer stood on that day; both ends are included."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


SHARES = ("full", "outline", "none")


def disclosure_of(layer: Layer) -> str:
    """Give how much of a layer a map may tell: ``full``, ``outline`` or ``none``; official layers an outline."""
    return layer.share or ("outline" if layer.status == "official" else "full")


def empty_frame(kind: Kind, crs: CRS) -> gpd.GeoDataFrame:
    """Give the frame of a kind that does not exist there: its columns, no row."""
    columns = [c.name for c in (*COMMON_COLUMNS, *kind.columns)]
    data: dict[str, Any] = {name: pd.Series(dtype=object) for name in (*columns, UNKNOWN_WORDS, "layer")}
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([], crs=crs), crs=crs)


def stacked(frames: list[gpd.GeoDataFrame], crs: CRS) -> gpd.GeoDataFrame:
    """Put the frames of several layers of a kind below each other."""
    filled = [frame.astype({c: object for c in frame.columns if c != frame.geometry.name}) for frame in frames]
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), geometry="geometry", crs=crs)


@dataclass(frozen=True, slots=True)
class Features:
    """What the file of a layer holds: its features, what was repaired, and words and cells that nobody can read."""

    frame: gpd.GeoDataFrame
    repairs: LayerRepairs
    words: tuple[Problem, ...] = ()


def read_layer(folder: Path, layer: Layer, crs: CRS) -> Features:
    """Read the file of a layer into our columns and the given CRS; its hash is checked first.

    Raises
    ------
    PlanError
        The layer has no file, the file was altered, or its rows do not fit the kind.
    CrsError
        The file has no CRS, or contradicts plan.yaml.
    """
    if layer.present != "held" or layer.path is None:
        raise PlanError(Problem("plan.yaml", None, f"图层 {layer.name} 没有文件", "请向主管部门取得"))
    if layer.pixels is not None:
        raise PlanError(Problem(layer.path, None, f"图层 {layer.name} 是栅格，没有要素", "请用 raster zonal 统计"))
    _require_hash(folder, layer, layer.path)
    return read_features(read_vector(folder, layer, layer.path, crs=crs, file_layer=layer.file_layer), layer)


def raster_path(folder: Path, layer: Layer) -> Path:
    """Give the file of a raster layer, found to be a TIFF and to have the hash that plan.yaml says.

    Raises
    ------
    PlanError
        The layer is not a raster, has no file, or its file was altered.
    SiteError
        The file may not be opened.
    """
    if layer.present != "held" or layer.path is None or layer.pixels is None:
        raise PlanError(Problem("plan.yaml", None, f"图层 {layer.name} 没有栅格文件", "请用 plan show 查看"))
    path = io.safe_path(inside(folder, layer.path), raster=True)
    _require_hash(folder, layer, layer.path)
    return path


def _require_hash(folder: Path, layer: Layer, name: str) -> None:
    path = inside(folder, name)
    if layer.sha256 is not None and path.is_file() and io.sha256(path) != layer.sha256:
        problem = "文件内容与登记的 sha256 不符，可能被改动"
        raise PlanError(Problem(name, None, problem, "确认无误后用 plan validate --seal 重新登记"))


def read_vector(folder: Path, layer: Layer, path: str, *, crs: CRS, file_layer: str | None = None) -> gpd.GeoDataFrame:
    """Read a file of the plan and bring it into the given CRS."""
    # What plan.yaml says of the layer's CRS counts before what the file says.
    refuse_crs = layer.crs is None or path != layer.path
    frame = io.read_vector(inside(folder, path), layer=file_layer, refuse_crs=refuse_crs)
    source = frame.crs
    if layer.crs is not None and path == layer.path:
        declared, shift = crs_.parse_crs(layer.crs)
        if shift is not None:
            raise CrsError(Problem(path, None, f"图层 {layer.name} 不能是 {layer.crs}", "请先换算到 CGCS2000"))
        if source is not None and not source.equals(declared, ignore_axis_order=True):
            given = f"plan.yaml 写 {layer.crs}，文件是 {source.to_string()}"
            raise CrsError(Problem(path, None, f"坐标系矛盾：{given}", "文件自带坐标系时请删去 crs"))
        source = declared
    if source is None:
        raise CrsError(Problem(path, None, "文件没有坐标系", f"请在图层 {layer.name} 写 crs"))
    geometry = crs_.transform(frame.geometry.to_numpy(), source, crs)
    return frame.set_geometry(gpd.GeoSeries(geometry, index=frame.index, crs=crs))


def inside(folder: Path, path: str) -> Path:
    """Resolve a path of plan.yaml; it must stay inside the folder of the plan."""
    target = (folder / path).resolve()
    if Path(path).is_absolute() or not target.is_relative_to(folder.resolve()):
        raise PlanError(
            Problem("plan.yaml", None, f"路径 {Path(path).name} 不在规划文件夹内", "请把文件放进规划文件夹")
        )
    return target


def read_features(raw: gpd.GeoDataFrame, layer: Layer) -> Features:
    """Bring a frame in the plan's CRS into the columns of a layer; every row that does not fit is a fault.

    A word that is in no vocabulary leaves its cell empty, and so does an empty cell of a column that must not be
    empty: such a feature may have any value. Both are listed.

    Raises
    ------
    PlanError
        All faults, with their rows.
    """
    kind = KINDS[layer.kind]
    file = layer.path or ""
    geometry = raw.geometry.to_numpy()
    problems = _bare_faults(geometry, file) + _shape_faults(geometry, kind, file)
    unread = _Unread(file)
    data: dict[str, Any] = {}
    for column in (*COMMON_COLUMNS, *kind.columns):
        theirs = layer.columns.get(column.name, column.name)
        if theirs not in raw.columns:
            if column.name in layer.columns:
                known = "、".join(str(c) for c in raw.columns if c != raw.geometry.name)
                problems.append(Problem(file, None, f"没有列 {theirs}", f"文件中的列：{known}"))
            elif column.required:
                problems.append(
                    Problem(file, None, f"缺少列 {column.name}（{column.label}）", "请在 columns 写明对应的列")
                )
            data[column.name] = [None] * len(raw)
            continue
        data[column.name] = _cells(raw[theirs], column, layer, problems, unread)
    if problems:
        raise PlanError(problems)
    mended = repair(geometry)
    lost = np.flatnonzero(shapely.is_empty(mended.geometry))
    if len(lost):
        raise PlanError([Problem(file, int(row) + 1, "图形没有面积", "请更正或删去该行") for row in lost])
    ids = data["feature_id"]
    data["feature_id"] = [value or str(row) for row, value in enumerate(ids, 1)]
    used = {layer.columns.get(c, c) for c in data} | {raw.geometry.name}
    made = {*data, UNKNOWN_WORDS, "layer"}
    others = {c: raw[c] for c in raw.columns if c not in used and c not in made}
    data[UNKNOWN_WORDS] = unread.by_row(len(raw))
    data["layer"] = [layer.name] * len(raw)
    index = pd.RangeIndex(len(raw))
    frame = gpd.GeoDataFrame({**data, **others}, geometry=mended.geometry, index=index, crs=raw.crs)
    return Features(frame, list_repairs(geometry, mended), unread.problems())


_SHAPES = {"polygon": (3, 6), "line": (1, 2, 5), "point": (0, 4), "bank": (1, 2, 5, 3, 6)}
_SHAPE_LABELS = {"polygon": "面", "line": "线", "point": "点", "bank": "线或面"}


def _bare_faults(geometry: Any, file: str) -> list[Problem]:
    bare = np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    broken = np.unique(owner[~(np.abs(xy) <= LARGEST_M).all(axis=1)])
    found = [Problem(file, int(row) + 1, "没有图形", "请补充图形或删去该行") for row in bare]
    return found + [Problem(file, int(row) + 1, "坐标不是数或大得不可能", "请更正或删去该行") for row in broken]


def _shape_faults(geometry: Any, kind: Kind, file: str) -> list[Problem]:
    types = shapely.get_type_id(geometry)
    wrong = ~np.isin(types, _SHAPES[kind.shape]) & ~shapely.is_missing(geometry)
    return [
        Problem(
            file,
            int(row) + 1,
            f"{kind.label}应为{_SHAPE_LABELS[kind.shape]}图层，该行是 {geometry[row].geom_type}",
            "",
        )
        for row in np.flatnonzero(wrong)
    ]


@dataclass
class _Unread:
    """Words outside a vocabulary and empty cells of required columns, with their rows."""

    file: str
    rows: dict[tuple[Column, str], list[int]] = field(default_factory=dict)

    def add(self, column: Column, word: str, row: int) -> None:
        """Note a word, or an empty cell, of a row counted from 1."""
        shown = " ".join(word.replace(";", "；").split())[:WORD_LENGTH]
        self.rows.setdefault((column, shown), []).append(row)

    def by_row(self, count: int) -> list[str]:
        """Return for each row its unknown words as ``column=word``, with ";" between several."""
        found: list[list[str]] = [[] for _ in range(count)]
        for (column, word), rows in self.rows.items():
            for row in rows if word else ():
                found[row - 1].append(f"{column.name}={word}")
        return [";".join(words) for words in found]

    def problems(self) -> tuple[Problem, ...]:
        """List each word once with its rows."""
        return tuple(
            word_problem(self.file, column, word, rows, f"请在 vocabulary 的 {column.name} 写明对应")
            for (column, word), rows in self.rows.items()
        )


def _cells(values: pd.Series, column: Column, layer: Layer, problems: list[Problem], unread: _Unread) -> list[Any]:
    words = layer.vocabulary.get(column.name, {})
    found: list[Any] = []
    for row, value in enumerate(values, 1):
        try:
            cell = _cell(value, column, words)
        except ValueError as fault:
            fault_text = f"{column.name}（{column.label}）不能是 {fault}"
            problems.append(Problem(layer.path or "", row, fault_text, "请更正"))
            cell = None
        else:
            if cell is None and column.required:
                unread.add(column, "", row)
            elif column.words and cell is not None and cell not in column.words:
                unread.add(column, cell, row)
                cell = None
        found.append(cell)
    return found


def _cell(value: Any, column: Column, words: MappingType[str, str]) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if column.type == "bool":
        return fact_value(value)
    if column.type == "number":
        number = float(str(value))
        if not np.isfinite(number) or (column.name == "accuracy_m" and number < 0):
            raise ValueError(str(value))
        return number
    if column.type == "date":
        return dt.date.fromisoformat(str(value)[:10].replace("/", "-")).isoformat()
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return words.get(text, text) or None
