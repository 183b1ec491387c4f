"""targets.yaml -> the figures a plan published, each with its document and clause, refusing what is not understood."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecospatial.errors import PlanError, Problem
from ecospatial.io.strict_yaml import Entry, Mapping, read_yaml
from ecospatial.model import KINDS, Kind

if TYPE_CHECKING:
    from ecospatial.plans.plan import Plan

FILE = "targets.yaml"
TARGET_KEYS = (
    "id", "title", "measure", "kind", "where", "of", "column", "within_m", "compare", "value", "unit", "tolerance",
    "area", "extent", "same_as", "as_of", "ask", "cite",
)  # fmt: skip
CITE_KEYS = ("instrument", "number", "article", "url", "retrieved", "verified")
MEASURES = ("area", "length", "count", "share", "value")
COMPARISONS = (">=", "<=", "=")
AREA_METHODS = ("ellipsoidal", "planar")
EXTENTS = ("district", "all")

Where = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class TargetPart:
    """Features of a kind that a ``where`` names."""

    kind: str
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One published figure: what is measured, how it compares, and where it stands.

    ``part`` is None when no kind of layer holds what the figure is about; ``ask`` then says who does. ``of`` is what a
    share is of, the district when None. ``within_m`` maps the least area of a feature (m2) to the distance (m) it
    serves. ``extent`` "all" measures features where they lie, also beyond the district. ``decimals`` is how finely the
    figure was published.
    """

    id: str
    title: str
    measure: str
    value: float
    unit: str
    instrument: str
    article: str | None
    compare: str = "="
    part: TargetPart | None = None
    of: TargetPart | None = None
    column: str | None = None
    within_m: tuple[tuple[float, float], ...] = ()
    tolerance: float | None = None
    area: str = "ellipsoidal"
    extent: str = "district"
    same_as: str | None = None
    as_of: str | None = None
    ask: str | None = None
    number: str | None = None
    decimals: int = 0

    @property
    def half_step(self) -> float:
        """Half of the last digit that was published, in the unit of the figure; none at all is exact."""
        return 0.5 * 10.0**-self.decimals if self.value else 0.0

    @property
    def cite(self) -> str:
        """Document and clause as one text."""
        number = f"（{self.number}）" if self.number else ""
        return f"《{self.instrument}》{number}{self.article or ''}"


def read_targets(plan: Plan) -> list[Target]:
    """Read the published figures of a plan.

    Parameters
    ----------
    plan
        The plan; ``targets.yaml`` lies beside its ``plan.yaml``.

    Returns
    -------
    list of Target
        In the order of the file; empty without a file.

    Raises
    ------
    PlanError
        Anything in the file is not understood; every fault is named with line, figure and key.
    """
    path = plan.folder / FILE
    if not path.is_file():
        return []
    content = read_yaml(path, PlanError)
    if not isinstance(content, list):
        raise PlanError(Problem(FILE, None, "应为指标的列表", "每项以“- id:”开头"))
    problems: list[Problem] = []
    found = [target for number, item in enumerate(content, 1) if (target := _target(item, number, problems))]
    ids = [target.id for target in found]
    twice = dict.fromkeys(id_ for id_ in ids if ids.count(id_) > 1)
    problems += [Problem(FILE, f"指标 {id_}", "id 重复", "请改名") for id_ in twice]
    for target in found:
        if target.same_as is not None and (target.same_as not in ids or target.same_as == target.id):
            fault = f"same_as 指向的 {target.same_as} 不存在"
            problems.append(Problem(FILE, f"指标 {target.id}", fault, "请写另一项的 id"))
    if problems:
        raise PlanError(problems)
    return found


def _target(item: Any, number: int, problems: list[Problem]) -> Target | None:
    if not isinstance(item, Mapping):
        problems.append(Problem(FILE, f"第 {number} 项", "应为一组键和值", "以“- id:”开头"))
        return None
    raw = item.get("id")
    entry = Entry(item, FILE, f"指标 {raw}" if isinstance(raw, str) else f"第 {number} 项")
    entry.closed(TARGET_KEYS, ("id", "title", "measure", "value", "cite"))
    for key in ("id", "title", "measure", "value", "cite"):
        if key in item and item[key] is None:
            entry.fault(key, "不能为空", "请补充")
    measure = entry.choice("measure", MEASURES)
    kind = entry.choice("kind", tuple(KINDS))
    value = entry.number("value")
    unit = _unit(entry, measure)
    instrument, number_, article = _cite(entry)
    column = _column(entry, None if kind is None else KINDS[kind], measure)
    target = Target(
        id=entry.text("id") or "",
        title=entry.text("title") or "",
        measure=measure or "value",
        value=value or 0.0,
        unit=unit,
        instrument=instrument,
        article=article,
        compare=entry.choice("compare", COMPARISONS) or "=",
        part=None if kind is None else TargetPart(kind, _where(entry, KINDS[kind])),
        of=_of(entry, measure),
        column=column,
        within_m=_within(entry),
        tolerance=entry.number("tolerance"),
        area=entry.choice("area", AREA_METHODS) or "ellipsoidal",
        extent=entry.choice("extent", EXTENTS) or "district",
        same_as=entry.text("same_as"),
        as_of=_as_of(entry),
        ask=entry.text("ask"),
        number=number_,
        decimals=_decimals(value),
    )
    _shape_fits(entry, target)
    problems += entry.problems
    return None if entry.problems else target


def _unit(entry: Entry, measure: str | None) -> str:
    value = entry.values.get("unit")
    if value is None:
        if measure in ("area", "length"):
            entry.fault("unit", "缺少单位", "如 km2、ha、亩、km")
        return {"share": "1", "count": "个"}.get(measure or "", "")
    if isinstance(value, int) and not isinstance(value, bool) and value == 1:
        return "1"
    return entry.text("unit") or ""


def _shape_fits(entry: Entry, target: Target) -> None:
    """Refuse a measure that the kind's geometry does not have."""
    if target.part is None:
        return
    kind = KINDS[target.part.kind]
    if target.measure == "area" and kind.shape in ("line", "point"):
        entry.fault("measure", f"{kind.name} 不是面图层，没有面积", "请改用 length 或 count")
    if target.measure == "length" and kind.shape in ("polygon", "point"):
        entry.fault("measure", f"{kind.name} 不是线图层，没有长度", "请改用 area 或 count")
    if kind.shape == "raster":
        entry.fault("kind", "栅格图层没有要素，不能量算", "请用 raster zonal 统计")


def _where(entry: Entry, kind: Kind) -> Where:
    inner = entry.nested("where")
    if inner is None:
        return ()
    found = []
    for key in inner.values:
        column = kind.column(key)
        if column is None:
            known = "、".join(c.name for c in kind.columns) or "无"
            inner.fault(key, f"{kind.name} 没有这一列", f"可用的列：{known}")
            continue
        values = _booleans(inner, key) if column.type == "bool" else inner.items(key)
        for value in values:
            if column.words and value not in column.words:
                inner.fault(key, f"{kind.name} 不会有 {value}", f"可选：{'、'.join(column.words)}")
        if not values:
            inner.fault(key, "至少要有一个值")
        found.append((key, values))
    return tuple(found)


def _booleans(entry: Entry, key: str) -> tuple[str, ...]:
    value = entry.values[key]
    if not isinstance(value, list) or not all(isinstance(item, bool) for item in value):
        entry.fault(key, "应为 [true] 或 [false]")
        return ()
    return tuple(str(item).lower() for item in value)


def _of(entry: Entry, measure: str | None) -> TargetPart | None:
    inner = entry.nested("of")
    if inner is None:
        return None
    if measure not in (None, "share"):
        entry.fault("of", f"{measure} 不用此键", "请删去")
    inner.closed(("kind", "where"), ("kind",))
    kind = inner.choice("kind", tuple(KINDS))
    return None if kind is None else TargetPart(kind, _where(inner, KINDS[kind]))


def _column(entry: Entry, kind: Kind | None, measure: str | None) -> str | None:
    name = entry.text("column")
    column = None if kind is None or name is None else kind.column(name)
    if name is not None and kind is not None and column is None:
        entry.fault("column", f"{kind.name} 没有列 {name}", f"可用的列：{'、'.join(c.name for c in kind.columns)}")
    if measure == "value" and kind is not None:
        if name is None and "column" not in entry.values:
            entry.fault("column", "value 需要此键", "请写把哪一列相加")
        elif column is not None and column.type != "number":
            entry.fault("column", f"{name} 不是数字列，不能相加")
    if name is not None and measure not in (None, "value", "count"):
        entry.fault("column", f"{measure} 不用此键", "请删去")
    return name


def _within(entry: Entry) -> tuple[tuple[float, float], ...]:
    value = entry.values.get("within_m")
    if value is None:
        return ()
    if isinstance(value, Mapping):
        inner = Entry(value, entry.file, f"{entry.place} 的 within_m", entry.problems)
        pairs = [(float(key), inner.number(key) or 0.0) for key in value if key.replace(".", "", 1).isdigit()]
        if len(pairs) != len(value):
            entry.fault("within_m", "键应为最小面积（平方米），值为距离（米）", "如 {5000: 500, 2000: 300}")
        return tuple(sorted(pairs))
    number = entry.number("within_m")
    return () if number is None else ((0.0, number),)


def _as_of(entry: Entry) -> str | None:
    value = entry.values.get("as_of")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None if value is None else str(value) if not isinstance(value, str) else entry.text("as_of")


def _cite(entry: Entry) -> tuple[str, str | None, str | None]:
    value = entry.values.get("cite")
    if isinstance(value, str):
        return value.strip(), None, None
    inner = entry.nested("cite")
    if inner is None:
        return "", None, None
    inner.closed(CITE_KEYS, ("instrument",))
    instrument = inner.text("instrument")
    if instrument is None and "instrument" in inner.values:
        inner.fault("instrument", "不能为空", "请写文件名称")
    return instrument or "", inner.text("number"), inner.text("article")


def _decimals(value: float | None) -> int:
    """Count the decimals of a figure as it was written.

    >>> _decimals(85.9876), _decimals(90.0), _decimals(300000.0)
    (4, 0, 0)
    """
    if value is None or not math.isfinite(value):
        return 0
    text = repr(float(value))
    return 0 if "e" in text or text.endswith(".0") else len(text.partition(".")[2])
