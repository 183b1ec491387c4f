"""Rule packs: one clause of law each, read from YAML, refused when not understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ecospatial.errors import Problem, RuleError
from ecospatial.io.strict_yaml import Entry, Mapping, read_yaml
from ecospatial.model import EFFECTS, FACTS, KINDS, RELATIONS, WORKS, Kind, activity_code

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping as MappingType
    from collections.abc import Sequence
    from pathlib import Path

RULE_KEYS = (
    "id", "title", "effect", "relation", "layer", "where", "within_m", "upstream_m", "downstream_m",
    "above", "not_stated", "when", "unless", "effect_unless", "since", "until", "due", "yields_to", "cite",
)  # fmt: skip
NOT_STATED: MappingType[str, str] = MappingProxyType({"distance": "距离", "list": "名录", "range": "范围"})
CITE_TEXTS: MappingType[str, str] = MappingProxyType({"whole": "全文", "excerpt": "节录", "none": "无原文"})
DISTANCES: MappingType[str, tuple[str, ...]] = MappingProxyType(
    {"near": ("within_m",), "along_river": ("upstream_m", "downstream_m"), "raster_above": ("above",)}
)
# Kinds of grids whose values can be above a limit; classes and bands can not.
MEASURED_KINDS = ("dem", "slope", "flood_depth", "ndvi")
# Points that lie on a river, from which a stretch upstream and downstream can be measured.
RIVERSIDE_KINDS = tuple(kind.name for kind in KINDS.values() if kind.shape == "point" and kind.column("river"))
# Relations that the vocabulary names but no room answers yet; their rules end in no_data and never in clear.
UNANSWERED: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cite:
    """Where a rule stands. ``verified`` is the day its text was read, None when it was not."""

    instrument: str
    number: str | None
    article: str | None
    verified: dt.date | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be so of a project: every key given, any value of a key."""

    activity: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    land_use: tuple[str, ...] = ()
    facts: tuple[tuple[str, bool], ...] = ()
    area_m2_at_least: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One clause for one span of time: where, how far, for whom, since when, with what effect.

    ``not_stated`` names what the text leaves open (``distance``, ``list``, ``range``), ``settled_by`` who decided on
    it for a plan and when; ``due`` is the day by which something has to be done, after which the effect stays.
    """

    id: str
    title: str
    effect: str
    relation: str
    layer: str
    cite: Cite
    since: dt.date
    until: dt.date | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    within_m: float = 0.0
    upstream_m: float = 0.0
    downstream_m: float = 0.0
    above: float = 0.0
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    effect_unless: str = "restricted"
    yields_to: tuple[str, ...] = ()
    pack: str = ""
    not_stated: tuple[str, ...] = ()
    settled_by: str = ""
    due: dt.date | None = None

    @property
    def verified(self) -> bool:
        """Whether the text of the clause was read by the keeper of the rules."""
        return self.cite.verified is not None

    @property
    def unsettled(self) -> bool:
        """Whether nobody has read the text, or the text leaves something open that nobody decided."""
        return not self.verified or bool(self.not_stated)

    def in_force(self, on: dt.date) -> bool:
        """Whether the rule stands on that day; the first and the last day are included."""
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass
class _Reading:
    file: str
    pack: str
    problems: list[Problem] = field(default_factory=list)


def read_pack(path: Path) -> list[Rule]:
    """Read a rule pack.

    Parameters
    ----------
    path
        A YAML file with a list of rules (``docs/interface.md`` section 5).

    Returns
    -------
    list of Rule
        In the order of the file.

    Raises
    ------
    RuleError
        Anything in the file is not understood; every fault is named with line, rule and key.
    """
    content = read_yaml(path, RuleError)
    if not isinstance(content, list):
        raise RuleError(Problem(path.name, None, "应为规则的列表", "每条规则以“- id:”开头"))
    reading = _Reading(path.name, path.stem)
    found = [_rule(item, number, reading) for number, item in enumerate(content, 1)]
    rules = [rule for rule in found if rule is not None]
    reading.problems += clashes(rules, path.name)
    if reading.problems:
        raise RuleError(sorted(reading.problems, key=lambda p: p.row if isinstance(p.row, int) else 0))
    return rules


def clashes(rules: Sequence[Rule], file: str) -> list[Problem]:
    """Find ids that stand twice for the same day."""
    problems = []
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.id, []).append(rule)
    for id_, versions in by_id.items():
        ordered = sorted(versions, key=lambda r: r.since)
        for old, new in pairwise(ordered):
            if old.until is None or old.until >= new.since:
                hint = "旧条请写 until（末日），新条的 since 须在其后"
                problems.append(Problem(file, f"规则 {id_}", f"{new.since} 有两条同时有效", hint))
    return problems


def _rule(item: Any, number: int, reading: _Reading) -> Rule | None:
    if not isinstance(item, Mapping):
        reading.problems.append(Problem(reading.file, f"第 {number} 条", "应为一组键和值", "以“- id:”开头"))
        return None
    raw = item.get("id")
    place = f"规则 {raw}" if isinstance(raw, str) else f"第 {number} 条规则"
    entry = Entry(item, reading.file, place)
    entry.closed(RULE_KEYS, ("id", "title", "effect", "relation", "layer", "since", "cite"))
    values = _values(entry)
    if not entry.problems:
        for key in ("id", "title", "effect", "relation", "layer", "since", "cite"):
            if values.get(key) is None:
                entry.fault(key, "不能为空", "请补充")
    if entry.problems:
        reading.problems += entry.problems
        return None
    return Rule(pack=reading.pack, **values)


def _values(entry: Entry) -> dict[str, Any]:
    relation = entry.choice("relation", tuple(RELATIONS))
    layer = entry.choice("layer", tuple(KINDS))
    kind = None if layer is None else KINDS[layer]
    since, until = entry.date("since"), entry.date("until")
    if since is not None and until is not None and until < since:
        entry.fault("until", f"{until} 早于 since {since}")
    if relation in ("overlaps", "outside") and kind is not None and kind.shape not in ("polygon", "raster"):
        entry.fault("layer", f"{relation} 只能用于面图层，{kind.name} 不是", "请改用 near")
    if relation is not None and kind is not None:
        _grid_relation(entry, relation, kind)
    if relation == "along_river" and kind is not None and kind.name not in RIVERSIDE_KINDS:
        entry.fault("layer", f"along_river 不能用于 {kind.name}", f"可选：{'、'.join(RIVERSIDE_KINDS)}")
    effect, not_stated = entry.choice("effect", EFFECTS), _not_stated(entry, relation)
    if effect == "duty":
        for name in ("unless", "effect_unless"):
            if name in entry.values:
                entry.fault(name, "effect: duty 不用此键", "请删去")
    due = entry.date("due")
    if due is not None and since is not None and due < since:
        entry.fault("due", f"{due} 早于 since {since}")
    distances = {name: entry.number(name) for name in ("within_m", "upstream_m", "downstream_m", "above")}
    needed = () if "distance" in not_stated else DISTANCES.get(relation or "", ())
    for name, value in distances.items():
        if name in needed and value is None:
            entry.fault(name, f"{relation} 需要此键", "请写限值" if name == "above" else "请写距离（米）")
        if name not in needed and value is not None and relation is not None:
            why = "not_stated 说原文没有写明距离" if "distance" in not_stated else f"{relation} 不用此键"
            entry.fault(name, why, "请删去")
    return {
        "id": entry.text("id"),
        "title": entry.text("title"),
        "effect": effect,
        "relation": relation,
        "layer": layer,
        "where": () if kind is None else _where(entry, kind),
        "when": _conditions(entry, "when"),
        "unless": _conditions(entry, "unless"),
        "effect_unless": entry.choice("effect_unless", ("restricted", "not_applicable")) or "restricted",
        "since": since,
        "until": until,
        "yields_to": entry.items("yields_to"),
        "cite": _cite(entry),
        "not_stated": not_stated,
        "due": due,
        **{name: value or 0.0 for name, value in distances.items()},
    }


def _not_stated(entry: Entry, relation: str | None) -> tuple[str, ...]:
    """Read what the text leaves open."""
    found = entry.items("not_stated", lambda text: text if text in NOT_STATED else None)
    if "not_stated" in entry.values and not entry.values["not_stated"]:
        entry.fault("not_stated", "至少要有一个值", f"可选：{'、'.join(NOT_STATED)}；都已写明的请删去此键")
    if len(set(found)) < len(found):
        entry.fault("not_stated", "有重复", "请删去一个")
    if "distance" in found and relation not in (None, "near"):
        entry.fault("not_stated", f"distance 只能用于 near，{relation} 没有距离", "请改用 near，或删去 distance")
    return found


def _grid_relation(entry: Entry, relation: str, kind: Kind) -> None:
    if relation == "raster_above" and kind.name not in MEASURED_KINDS:
        entry.fault("layer", f"raster_above 不能用于 {kind.name}", f"可选：{'、'.join(MEASURED_KINDS)}")
    if relation != "raster_above" and kind.shape == "raster":
        entry.fault("layer", f"{kind.name} 是栅格，不能用 {relation}", "请改用 raster_above")
    if kind.shape == "raster" and entry.values.get("where") is not None:
        entry.fault("where", "栅格没有列", "请删去")


def _where(entry: Entry, kind: Kind) -> tuple[tuple[str, tuple[str, ...]], ...]:
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
        if column.type == "bool":
            values = inner.booleans(key)
        elif column.type == "text":
            values = inner.items(key)
            for value in values:
                if column.words and value not in column.words:
                    inner.fault(key, f"{kind.name} 不会有 {value}", f"可选：{'、'.join(column.words)}")
        else:
            inner.fault(key, "数字和日期列不能用于 where")
            continue
        if not values:
            inner.fault(key, "至少要有一个值")
        found.append((key, values))
    return tuple(found)


def _conditions(entry: Entry, key: str) -> tuple[Condition, ...]:
    value = entry.values.get(key)
    if value is None:
        if key in entry.values:
            entry.fault(key, "不能为空", "请填写，或删去此键")
        return ()
    items = value if isinstance(value, list) else [value]
    if not items:
        entry.fault(key, "至少要有一组条件")
    found = []
    for item in items:
        if not isinstance(item, Mapping) or not item:
            entry.fault(key, "应为一组条件，或条件的列表")
            continue
        found.append(_condition(Entry(item, entry.file, f"{entry.place} 的 {key}", entry.problems)))
    return tuple(found)


def _condition(entry: Entry) -> Condition:
    entry.closed(("activity", "works", "land_use", "area_m2_at_least", *FACTS))
    area_m2 = entry.number("area_m2_at_least")
    if "area_m2_at_least" in entry.values and (entry.values["area_m2_at_least"] is None or area_m2 == 0):
        entry.fault("area_m2_at_least", "应为大于 0 的平方米数")
    facts = []
    for name in FACTS:
        if name in entry.values:
            answer = entry.values[name]
            if isinstance(answer, bool):
                facts.append((name, answer))
            else:
                entry.fault(name, "应为 true 或 false")
    for key in ("activity", "works", "land_use"):
        if key in entry.values and not entry.values[key]:
            entry.fault(key, "至少要有一个值")
    return Condition(
        activity=entry.items("activity", activity_code),
        works=entry.items("works", lambda text: text if text in WORKS else None),
        land_use=entry.items("land_use"),
        facts=tuple(facts),
        area_m2_at_least=area_m2,
    )


def _cite(entry: Entry) -> Cite | None:
    inner = entry.nested("cite")
    if inner is None:
        return None
    inner.closed(("instrument", "number", "article", "verified", "text"), ("instrument", "verified"))
    instrument = inner.text("instrument")
    if instrument is None and "instrument" in inner.values:
        inner.fault("instrument", "不能为空", "请写文件名称")
    verified = None
    if inner.values.get("verified") is True:
        inner.fault("verified", "应为核实的日期，未核实写 false")
    elif inner.values.get("verified") is None and "verified" in inner.values:
        inner.fault("verified", "不能为空", "未核实写 false")
    elif inner.values.get("verified") is not False:
        verified = inner.date("verified")
    text = inner.choice("text", tuple(CITE_TEXTS))
    return Cite(instrument or "", inner.text("number"), inner.text("article"), verified, text)
