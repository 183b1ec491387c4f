"""``plan import``: a bureau's file becomes a layer, with nothing claimed that was not said."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.model import KINDS, STATUS_LABELS
from ecospatial.plans import _yaml_edit, column_mapping, load
from ecospatial.plans._copy import save_features
from ecospatial.plans.layers import Layer, read_features
from ecospatial.plans.unmatched_values import unmatched_problems, unmatched_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from pyproj import CRS

    from ecospatial.model import Kind
    from ecospatial.plans.layers import Features
    from ecospatial.plans.plan import Plan

_FAR_M = 20_000.0
_EMPTY_WAY = {
    "coverage": "coverage 未填写：可以判定触及，但不会判定通过",
    "accuracy_m": "accuracy_m 未填写：结论都不确定",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the caller says about a layer; None is written empty."""

    coverage: str | None = None
    accuracy_m: float | None = None
    status: str | None = None
    publisher: str | None = None
    title: str | None = None
    retrieved: str | None = None
    licence: str | None = None
    valid_from: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The name of the new layer, what was done in lines for the screen, and which keys are empty."""

    name: str
    lines: tuple[str, ...]
    empty: tuple[str, ...] = field(default_factory=tuple)


def import_layer(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    kind: str,
    *,
    name: str | None = None,
    file_layer: str | None = None,
    columns: dict[str, str] | None = None,
    values: dict[str, dict[str, str]] | None = None,
    crs: str | int | CRS | None = None,
    provenance: Provenance | None = None,
    replace: bool = False,
) -> Imported:
    """Copy a file into a plan as ``<name>.gpkg``, in its own CRS, and add its entry to plan.yaml.

    Parameters
    ----------
    source
        A vector file, a drawing or a coordinate table.
    folder
        Folder of a plan of one's own.
    kind
        One of ``ecospatial.model.KINDS`` that is not a raster.
    name
        Name of the layer; the kind when not given.
    file_layer
        Layer of the file, when it has several.
    columns
        Ours to theirs, where the usual names do not tell.
    values
        Column to theirs to ours, for words that are not in the vocabulary.
    crs
        What the file is in; counts before what it says itself.
    provenance
        Source, coverage, accuracy, status. What is not given is written empty.
    replace
        Whether a layer of that name may be replaced.

    Returns
    -------
    Imported
        What was done, to be shown.

    Raises
    ------
    SiteError, CrsError, PlanError
        The file can not be read or placed, does not fit the kind, or the plan can not take it. Nothing is
        written then.
    """
    plan = own_plan(folder)
    said = provenance or Provenance()
    wanted = _wanted_kind(kind)
    layer_name = free_name(plan, name or kind, replace=replace)
    frame, notices = _read(source, file_layer, crs, plan)
    file = Path(source).name
    matched = column_mapping.match(
        pd.DataFrame(frame.drop(columns="geometry")), wanted, given=columns or {}, values=values or {}, file=file
    )
    faults = [*matched.faults, *said_faults(said)]
    if faults:
        raise PlanError(faults)
    renamed = {ours: theirs for ours, theirs in matched.columns.items() if ours != theirs}
    features = _fit(frame, plan, Layer(layer_name, kind, path=file, columns=renamed, vocabulary=matched.vocabulary))
    entry = _entry(kind, layer_name, said, columns=renamed, vocabulary=matched.vocabulary)
    old = plan.layers.get(layer_name)
    put(plan, entry, lambda path: save_features(frame, path, layer_name), replaced=None if old is None else layer_name)
    empty = tuple(empty_keys(said))
    others = [str(c) for c in frame.columns if c != "geometry"]
    told = [f"{file} → {layer_name}.gpkg，{len(frame)} 个要素，{frame.crs.to_string()[:60]}"]
    told += notices + matched.lines(wanted, others)
    told += [f"注意：{problem}" for problem in (*matched.words, *features.repairs.problems(file))]
    told += _unmatched(folder, kind)
    if old is not None and old.path and old.path != f"{layer_name}.gpkg":
        told.append(f"图层 {layer_name} 已替换；原文件 {old.path} 仍在文件夹中，不再使用")
    return Imported(layer_name, (*told, *empty_lines(empty)), empty)


def _unmatched(folder: str | os.PathLike[str], kind: str) -> list[str]:
    """Say which values of rules in force today no feature of the kind carries."""
    today = dt.datetime.now().astimezone().date()
    found = unmatched_values(load.open_plan(Path(folder)), today, kind=kind)
    return [f"注意：{problem}" for problem in unmatched_problems(found)]


def empty_lines(empty: Sequence[str]) -> list[str]:
    """Say which keys are empty and what follows."""
    told = [f"未填写，请在 plan.yaml 中补充：{'、'.join(empty)}"] if empty else []
    return told + [f"  {_EMPTY_WAY[key]}" for key in empty if key in _EMPTY_WAY]


def own_plan(folder: str | os.PathLike[str]) -> Plan:
    """Open a plan that may be written to: a folder, never the name of a shipped plan.

    Raises
    ------
    PlanError
        The folder has no plan.yaml.
    """
    if not (Path(folder) / "plan.yaml").is_file():
        way = "请用 plan new 新建，或先把随软件的规划复制为自己的文件夹"
        raise PlanError(Problem(Path(folder).name, None, "这不是规划文件夹（没有 plan.yaml）", way))
    return load.open_plan(Path(folder))


def _wanted_kind(kind: str) -> Kind:
    features = [k.name for k in KINDS.values() if k.shape != "raster"]
    if kind not in features:
        what = "是栅格，不能导入" if kind in KINDS else "不是图层种类"
        listed = "、".join(f"{name}（{KINDS[name].label}）" for name in features)
        raise PlanError(Problem("", None, f"{kind} {what}", f"可选：{listed}"))
    return KINDS[kind]


def free_name(plan: Plan, name: str, *, replace: bool) -> str:
    """Accept the name of a new layer.

    Raises
    ------
    PlanError
        It can not be a name, or a layer has it and may not be replaced.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise PlanError(Problem("", None, f"图层名 {name[:40]} 不可用", "只能用英文字母、数字和 . _ -"))
    old = plan.layers.get(name)
    if old is not None and old.present != "missing" and not replace:
        way = "要替换请加 --replace；同类的另一个图层请用 --name 取名"
        raise PlanError(Problem("plan.yaml", None, f"图层 {name} 已存在", way))
    return name


def said_faults(said: Provenance) -> list[Problem]:
    """List what of the provenance can not be so."""
    faults = []
    for label, day in (("--retrieved", said.retrieved), ("--valid-from", said.valid_from)):
        try:
            if day is not None:
                dt.date.fromisoformat(day)
        except ValueError:
            faults.append(Problem("", None, f"{label} {day} 不是日期", "请写成 YYYY-MM-DD"))
    if said.status is not None and said.status not in STATUS_LABELS:
        listed = "、".join(f"{name}（{label}）" for name, label in STATUS_LABELS.items())
        faults.append(Problem("", None, f"--status 不能是 {said.status}", f"可选：{listed}"))
    accuracy = said.accuracy_m
    if accuracy is not None and not 0 <= accuracy < 1e9:
        faults.append(Problem("", None, f"--accuracy 不能是 {accuracy}", "应为不小于 0 的米数"))
    return faults


def empty_keys(said: Provenance) -> list[str]:
    """Name the keys of plan.yaml that were not given."""
    return [
        key
        for key, value in (
            ("coverage", said.coverage),
            ("accuracy_m", said.accuracy_m),
            ("status", said.status),
            ("source.publisher", said.publisher),
            ("source.title", said.title),
            ("source.retrieved", said.retrieved),
            ("source.licence", said.licence),
        )
        if value is None
    ]


# ------------------------------------------------------------------------------------------ the file


def _read(
    source: str | os.PathLike[str], file_layer: str | None, crs: str | int | CRS | None, plan: Plan
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the file with the CRS that counts: the caller's, the file's, or the one the plan proves."""
    import geopandas as gpd

    path = io.safe_path(source)
    if path.suffix.lower() in io.VECTOR_SUFFIXES:
        frame = io.read_vector(path, layer=file_layer, refuse_crs=crs is None)
    else:
        drawing = _drawing(path, file_layer)
        faults = [problem for found in drawing.faults for problem in found]
        if faults:
            raise PlanError(faults)
        declared = io.required_crs(drawing, path.name) if crs is None else None
        frame = gpd.GeoDataFrame(drawing.attributes, geometry=drawing.geometry, crs=declared)
    given, shift = (None, None) if crs is None else crs_.parse_crs(crs)
    notices = []
    if shift is not None:
        frame = frame.set_geometry(crs_.undo_shift(frame.geometry.to_numpy(), shift), crs=None)
        notices.append(f"由 {crs_.label(crs_.CGCS2000, shift)} 反算为 CGCS2000（近似）")
    if given is not None and frame.crs is not None and not crs_.same(frame.crs, given):
        notices.append(f"文件声明 {crs_.label(frame.crs)}，按指定的 {crs_.label(given, shift)} 处理")
    own = given if given is not None else frame.crs
    if own is None:
        own = _proven(frame, plan, path.name)
        notices.append(f"文件没有坐标系，按 {crs_.label(own)} 位于{plan.title}内，据此采用")
    placed = frame.set_crs(own, allow_override=True)
    if own.is_bound:
        moved = crs_.transform(placed.geometry.to_numpy(), own, plan.crs)
        placed = placed.set_geometry(gpd.GeoSeries(moved, index=placed.index, crs=plan.crs))
        notices.append(f"已按给出的转换参数换算到 {crs_.label(plan.crs)}")
    return placed, notices + list(frame.attrs.get("notes", []))


def _drawing(path: Path, layer: str | None) -> io.ParcelFile:
    match path.suffix.lower():
        case ".txt":
            return io.read_survey(path)
        case ".dat":
            return io.read_cass(path)
        case ".dxf":
            return io.read_dxf(path, layer=layer)
        case _:
            return io.read_coordinates(path, known=_known_names(), sheet=layer)


def _known_names() -> frozenset[str]:
    usual = (name for names in column_mapping.USUAL_NAMES.values() for name in names)
    return frozenset(io.plain_name(name) for name in (*usual, *column_mapping.USUAL_NAMES))


def _proven(frame: gpd.GeoDataFrame, plan: Plan, file: str) -> CRS:
    vertices = shapely.get_coordinates(frame.geometry.to_numpy())
    found = [] if plan.area is None else crs_.diagnose(vertices[:, 0], vertices[:, 1], plan.area, plan.crs)
    inside = [candidate for candidate in found if candidate.inside and not candidate.swapped]
    if len(inside) != 1:
        told = crs_.explain(found, plan.title)
        raise CrsError(Problem(file, None, "文件没有坐标系" + (f"（{told}）" if told else ""), "请用 --crs 指明"))
    return inside[0].crs


def _fit(frame: gpd.GeoDataFrame, plan: Plan, layer: Layer) -> Features:
    """Refuse a file that the plan could not read as this kind, or that lies somewhere else."""
    file = layer.path or ""
    geometry = frame.geometry.to_numpy()
    if len(frame) == 0:
        raise PlanError(Problem(file, None, "文件中没有要素", f"若本区确实没有{layer.label}，请写 present: none"))
    try:
        moved = crs_.transform(geometry, frame.crs, plan.crs)
    except CrsError as error:
        raise CrsError([problem._replace(file=file) for problem in error.problems]) from error
    features = read_features(frame.set_geometry(moved, crs=plan.crs), layer)
    area = plan.area
    distance = np.array([]) if area is None else shapely.distance(moved, area)
    if area is not None and np.nanmin(distance) > _FAR_M:
        vertices = shapely.get_coordinates(geometry)
        told = crs_.explain(crs_.diagnose(vertices[:, 0], vertices[:, 1], area, plan.crs), plan.title)
        fault = f"全部要素距{plan.title} 20 km 以上（最近 {np.nanmin(distance) / 1000:.0f} km）"
        raise CrsError(Problem(file, None, fault, f"{told}。请核对坐标系，用 --crs 指明"))
    return features


# ------------------------------------------------------------------------------------------ writing


def _entry(
    kind: str, name: str, said: Provenance, *, columns: dict[str, str], vocabulary: dict[str, dict[str, str]]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": kind}
    entry |= {} if name == kind else {"name": name}
    entry |= {"path": f"{name}.gpkg"}
    entry |= {"columns": columns} if columns else {}
    entry |= {"vocabulary": vocabulary} if vocabulary else {}
    entry |= {"status": said.status, "coverage": said.coverage, "accuracy_m": said.accuracy_m}
    entry |= {"valid": {"from": said.valid_from, "to": None}} if said.valid_from is not None else {}
    keys = ("publisher", "title", "retrieved", "licence")
    return entry | {"source": {key: getattr(said, key) for key in keys} | {"url": None}}


def put(plan: Plan, entry: dict[str, Any], save: Callable[[Path], object], *, replaced: str | None) -> None:
    """Write file and entry under other names, open the result, and only then put both in their places.

    Parameters
    ----------
    entry
        The new entry of plan.yaml without its hash; ``path`` names the file.
    save
        Writes the file to the path it is given.
    replaced
        Name of the layer whose place it takes.

    Raises
    ------
    PlanError
        A file of that name is in the folder and belongs to another layer, or the plan would not open.
    """
    target = plan.folder / entry["path"]
    old = plan.folder / "plan.yaml"
    users = {layer.name for layer in plan.layers.values() if layer.path == target.name}
    if users - {replaced} or (target.exists() and not users):
        way = "请移走该文件，或用 --name 取另一个名字"
        raise PlanError(Problem(target.name, None, "规划文件夹中已有这个文件，不属于要替换的图层", way))
    with tempfile.TemporaryDirectory(prefix=".import-", dir=plan.folder) as scratch:
        made, text = Path(scratch) / target.name, Path(scratch) / "plan.yaml"
        save(made)
        sealed = entry | {"sha256": io.sha256(made)}
        changed = _yaml_edit.put_layer(old.read_text(encoding="utf-8-sig"), sealed, replaced=replaced)
        text.write_text(changed, encoding="utf-8", newline="\n")
        load.read_plan(plan.folder, text)
        os.replace(made, target)  # noqa: PTH105 - one step, also over an existing file
        os.replace(text, old)  # noqa: PTH105
