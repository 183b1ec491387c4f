"""plan.yaml -> Plan, refusing what is not understood; and where the shipped plans lie."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, PlanError, Problem, RuleError
from ecospatial.io.strict_yaml import Entry, Mapping, read_yaml
from ecospatial.model import ACCURACY_BASES, COMMON_COLUMNS, KINDS, STATUS_LABELS, Kind, nearest_names
from ecospatial.plans.decisions import read_scope, read_settled
from ecospatial.plans.layers import SHARES, Layer, Source, inside
from ecospatial.plans.plan import DISTRICT_AROUND, Plan
from ecospatial.plans.raster_metadata import PIXEL_KEYS, read_pixels
from ecospatial.rules import Rule, clashes, read_pack

if TYPE_CHECKING:
    from pyproj import CRS

PLAN_KEYS = ("name", "title", "crs", "packs", "review_number", "layers", "settled", "scope")
LAYER_KEYS = (
    "kind", "name", "present", "path", "file_layer", "crs", "columns", "vocabulary", "status", "coverage",
    "accuracy_m", "accuracy_basis", "absent", "valid", "source", "sha256", "share",
)  # fmt: skip
FEATURE_KEYS = ("file_layer", "columns", "vocabulary", "absent")
SOURCE_KEYS = ("publisher", "title", "retrieved", "licence", "url")


def data_folder(name: str) -> Path:
    """Give the folder ``layers`` or ``maps`` that came with the package.

    In an installed wheel it lies inside the package, in a checkout beside it.

    Raises
    ------
    PlanError
        The package was installed without its data.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "data" / name, package.parent / name):
        if folder.is_dir() and (folder.parent == package / "data" or (package.parent / "setup.cfg").is_file()):
            return folder
    raise PlanError(Problem("", None, f"安装不完整，缺少 {name} 数据", "请重新安装 ecospatial"))


def list_plans() -> list[str]:
    """List the names of the shipped plans.

    Examples
    --------
    >>> "changzhou-zhonglou" in list_plans()
    True
    """
    return sorted(p.parent.name for p in data_folder("layers").glob("*/plan.yaml") if p.parent.name != "packs")


def open_plan(name_or_folder: str | Path) -> Plan:
    """Open a shipped plan by name, or a plan of one's own by folder.

    Layers are not read yet; ``plan.frame`` does that, and ``plan.validate`` reads everything.

    Parameters
    ----------
    name_or_folder
        A name of ``list_plans()``, or a folder that holds ``plan.yaml``.

    Raises
    ------
    PlanError
        There is no such plan, or its plan.yaml is not understood; every fault is named.
    RuleError
        A rule pack is not understood.

    Examples
    --------
    >>> open_plan("changzhou-zhonglou").crs.to_string()
    'EPSG:4549'
    """
    folder = Path(name_or_folder)
    if not (folder / "plan.yaml").is_file():
        shipped = list_plans()
        if str(name_or_folder) not in shipped:
            hint = f"可用的规划：{'、'.join(shipped)}；或给出含 plan.yaml 的文件夹"
            raise PlanError(Problem("", None, f"没有名为 {folder.name} 的规划", hint))
        folder = data_folder("layers") / str(name_or_folder)
    return read_plan(folder, folder / "plan.yaml")


def read_plan(folder: Path, path: Path) -> Plan:
    """Read a plan.yaml, wherever it lies, as that of a folder.

    Raises
    ------
    PlanError, RuleError
        As for ``open_plan``.
    """
    content = read_yaml(path, PlanError)
    if not isinstance(content, Mapping):
        raise PlanError(Problem("plan.yaml", None, "应为一组键和值", "见 docs/interface.md 第 2 节"))
    entry = Entry(content, "plan.yaml", "")
    entry.closed(PLAN_KEYS, ("name", "crs", "packs", "layers"))
    name = entry.text("name")
    if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        entry.fault("name", f"只能用英文字母、数字和 . _ -，读到 {name}")
    metric = _plan_crs(entry)
    packs = entry.items("packs")
    layers = _layers(entry)
    rules = _rules(entry, packs, folder)
    settled, scope = read_settled(entry, rules), read_scope(entry, rules)
    if entry.problems or metric is None:
        raise PlanError(entry.problems)
    return Plan(
        name=name or "",
        title=entry.text("title") or name or "",
        crs=metric,
        folder=folder,
        layers=MappingProxyType(layers),
        rules=tuple(rules),
        packs=packs,
        review_number=entry.text("review_number"),
        settled=settled,
        scope=scope,
    )


def _plan_crs(entry: Entry) -> CRS | None:
    value = entry.values.get("crs")
    if "crs" not in entry.values:
        return None
    if value is None or not isinstance(value, str | int) or isinstance(value, bool):
        entry.fault("crs", "应为 EPSG:n、PROJ 或 WKT 文字")
        return None
    try:
        found, shift = crs_.parse_crs(value)
    except CrsError as fault:
        entry.fault("crs", fault.problems[0].message, fault.problems[0].hint)
        return None
    metres = found.is_projected and all(axis.unit_conversion_factor == 1 for axis in found.axis_info[:2])
    if shift is not None or not metres:
        entry.fault("crs", f"{value} 不是以米为单位的投影坐标系", "如 EPSG:4549（CGCS2000 三度带 120°E）")
        return None
    return found


def _layers(entry: Entry) -> dict[str, Layer]:
    content = entry.values.get("layers")
    if content is None:
        if "layers" in entry.values:
            entry.fault("layers", "不能为空", "没有图层请写 []")
        return {}
    if not isinstance(content, list):
        entry.fault("layers", "应为图层的列表", "每个图层以“- kind:”开头")
        return {}
    found: dict[str, Layer] = {}
    for number, item in enumerate(content, 1):
        if not isinstance(item, Mapping):
            entry.fault("layers", f"第 {number} 个图层应为一组键和值")
            continue
        name = item.get("name") or item.get("kind") or f"第 {number} 个"
        inner = Entry(item, entry.file, f"图层 {name}", entry.problems)
        layer = _layer(inner)
        if layer is None:
            continue
        if layer.name in found:
            inner.fault("name", f"图层名 {layer.name} 重复", "请给同类图层不同的 name")
        found[layer.name] = layer
    return found


def _layer(entry: Entry) -> Layer | None:
    present = entry.choice("present", ("held", "none", "missing")) or "held"
    held = present == "held"
    kind = entry.choice("kind", tuple(KINDS))
    known: tuple[str, ...] = LAYER_KEYS
    if kind is not None and KINDS[kind].shape == "raster":
        known = (*(key for key in LAYER_KEYS if key not in FEATURE_KEYS), *PIXEL_KEYS)
    entry.closed(known, ("kind", "path", "status", "source") if held else ("kind", "source"))
    if kind is None:
        return None
    for key in ("path", "file_layer", "columns", "vocabulary", "crs", "sha256", "absent", "accuracy_basis"):
        if not held and entry.values.get(key) is not None:
            entry.fault(key, f"present: {present} 的图层没有文件", "请删去此键")
    if held and "path" in entry.values and entry.values["path"] is None:
        entry.fault("path", "不能为空", "请写文件名")
    valid = entry.nested("valid")
    if valid is not None:
        valid.closed(("from", "to"))
    source = entry.nested("source")
    if source is not None:
        source.closed(SOURCE_KEYS)
    crs_text = entry.values.get("crs")
    return Layer(
        name=entry.text("name") or kind,
        kind=kind,
        present=present,
        path=entry.text("path"),
        file_layer=entry.text("file_layer"),
        crs=str(crs_text) if isinstance(crs_text, int) else entry.text("crs"),
        columns=_columns(entry, KINDS[kind]),
        vocabulary=_vocabulary(entry, KINDS[kind]),
        status=entry.choice("status", tuple(STATUS_LABELS)),
        coverage=_coverage_text(entry),
        accuracy_m=entry.number("accuracy_m"),
        accuracy_basis=entry.choice("accuracy_basis", tuple(ACCURACY_BASES)),
        absent=_absent(entry, KINDS[kind]) if held else {},
        valid_from=None if valid is None else valid.date("from"),
        valid_to=None if valid is None else valid.date("to"),
        source=Source() if source is None else _source(source),
        sha256=_hash_text(entry),
        share=entry.choice("share", SHARES),
        pixels=read_pixels(entry, kind, held=held),
    )


def _hash_text(entry: Entry) -> str | None:
    value = entry.text("sha256")
    if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        entry.fault("sha256", "应为 64 位十六进制数", "plan validate --seal 可写入")
        return None
    return None if value is None else value.lower()


def _source(entry: Entry) -> Source:
    return Source(
        publisher=entry.text("publisher"),
        title=entry.text("title"),
        retrieved=entry.date("retrieved"),
        licence=entry.text("licence"),
        url=entry.text("url"),
    )


def _coverage_text(entry: Entry) -> str:
    value = entry.text("coverage")
    if value is None or value in ("unknown", "extent", "district") or DISTRICT_AROUND.fullmatch(value):
        return value or "unknown"
    if not Path(value).suffix:
        entry.fault("coverage", f"不认识 {value}", "可选：district、district+N、extent、unknown，或一个面文件")
        return "unknown"
    return value


def _columns(entry: Entry, kind: Kind) -> dict[str, str]:
    inner = entry.nested("columns")
    if inner is None:
        return {}
    found = {}
    for ours in inner.values:
        if kind.column(ours) is None:
            known = "、".join(c.name for c in (*kind.columns, *COMMON_COLUMNS))
            inner.fault(ours, f"{kind.name} 没有这一列", f"可用的列：{known}")
        theirs = inner.text(ours)
        if theirs is not None:
            found[ours] = theirs
    return found


def _vocabulary(entry: Entry, kind: Kind) -> dict[str, dict[str, str]]:
    inner = entry.nested("vocabulary")
    if inner is None:
        return {}
    found: dict[str, dict[str, str]] = {}
    for name in inner.values:
        column = kind.column(name)
        words = inner.nested(name)
        if column is None:
            inner.fault(name, f"{kind.name} 没有这一列")
        if column is None or words is None:
            continue
        found[name] = {}
        for theirs in words.values:
            ours = words.text(theirs)
            if ours is not None and column.words and ours not in column.words:
                words.fault(theirs, f"{name} 不能是 {ours}", f"可选：{'、'.join(column.words)}")
            if ours is not None:
                found[name][theirs] = ours
    return found


def _absent(entry: Entry, kind: Kind) -> dict[str, tuple[str, ...]]:
    """Read which values of columns no feature has although the layer is whole."""
    inner = entry.nested("absent")
    if inner is None:
        return {}
    found = {}
    for name in inner.values:
        column = kind.column(name)
        if column is None:
            known = "、".join(c.name for c in kind.columns) or "无"
            inner.fault(name, f"{kind.name} 没有这一列", f"可用的列：{known}")
            continue
        if column.type == "bool":
            values = inner.booleans(name)
        elif column.type == "text":
            values = inner.items(name)
            for value in values:
                if column.words and value not in column.words:
                    near = "、".join(nearest_names(value, column.words))
                    inner.fault(name, f"{kind.name} 不会有 {value}", f"相近的：{near}；可选：{'、'.join(column.words)}")
        else:
            inner.fault(name, "数字和日期列不能用于 absent")
            continue
        if not values:
            inner.fault(name, "至少要有一个值")
        found[name] = values
    return found


def _rules(entry: Entry, packs: tuple[str, ...], folder: Path) -> list[Rule]:
    rules: list[Rule] = []
    for pack in packs:
        if pack.startswith("./"):
            path = inside(folder, pack)
        elif re.fullmatch(r"[A-Za-z0-9_-]+", pack):
            path = data_folder("layers") / "packs" / f"{pack}.yaml"
        else:
            entry.fault("packs", f"规则包 {pack} 的写法不对", "随软件的写名称；自己的写 ./文件名")
            continue
        if not path.is_file():
            shipped = sorted(p.stem for p in (data_folder("layers") / "packs").glob("*.yaml"))
            entry.fault("packs", f"没有规则包 {pack}", f"随软件的：{'、'.join(shipped)}；自己的写 ./文件名")
            continue
        rules += read_pack(path)
    problems = clashes(rules, "plan.yaml")
    if problems:
        raise RuleError(problems)
    return rules
