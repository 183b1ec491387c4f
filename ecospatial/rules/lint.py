"""What is wrong with rules although each can be read: rules that never decide, ids and values that nothing has."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ecospatial.model import FACTS, LAND_USES, NAME_COLUMNS, WORKS, match_names
from ecospatial.rules.packs import clashes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ecospatial.rules.packs import Condition, Rule


@dataclass(frozen=True, slots=True)
class Remark:
    """What was noticed of a rule; a fault must be mended, another remark may be meant."""

    rule_id: str
    pack: str
    fault: bool
    text: str


def lint(
    rules: Sequence[Rule],
    *,
    known: Collection[str] = (),
    kinds: Collection[str] | None = None,
    values: Mapping[tuple[str, str], Collection[str]] | None = None,
) -> list[Remark]:
    """Look through rules of one or more packs.

    Parameters
    ----------
    rules
        The rules, as ``read_pack`` gives them.
    known
        Ids of further rules that ``yields_to`` may name.
    kinds
        Kinds that some plan lists; None: not looked at.
    values
        For a kind and a column the values that some layer holds; what is not a key is not looked at.

    Returns
    -------
    list of Remark
        In the order of the rules; faults and what may be meant.

    Examples
    --------
    >>> from ecospatial.plans import data_folder
    >>> from ecospatial.rules import read_pack
    >>> pack = read_pack(data_folder("layers") / "packs" / "taihu.yaml")
    >>> [remark for remark in lint(pack, known=[rule.id for rule in pack]) if remark.fault]
    []
    """
    ids = {rule.id for rule in rules} | set(known)
    remarks = [_fault(rules, problem.row, problem.message) for problem in clashes(rules, "")]
    remarks += _gaps(rules)
    remarks += _twins(rules)
    for rule in rules:
        remarks += [Remark(rule.id, rule.pack, True, text) for text in _never(rule)]
        for other in rule.yields_to:
            if other == rule.id or other not in ids:
                remarks.append(Remark(rule.id, rule.pack, True, f"yields_to 所指的 {other} 不是其他任何规则"))
        if kinds is not None and rule.layer not in kinds:
            remarks.append(Remark(rule.id, rule.pack, True, f"没有一个规划列出 {rule.layer} 图层，永远只能是数据缺失"))
        for column, wanted in rule.where:
            held = (values or {}).get((rule.layer, column))
            absent = [] if held is None else [value for value in wanted if not _is_among(value, column, held)]
            if absent:
                text = f"现有 {rule.layer} 图层的 {column} 没有 {'、'.join(absent)}"
                remarks.append(Remark(rule.id, rule.pack, False, text))
    order = {rule.id: number for number, rule in enumerate(rules)}
    return sorted(remarks, key=lambda remark: order.get(remark.rule_id, -1))


def _is_among(value: str, column: str, held: Collection[str]) -> bool:
    """Tell whether a value of a rule is one of those that layers hold; names count by their meaning."""
    if column not in NAME_COLUMNS:
        return value in held
    return bool(match_names(sorted(held), (value,))[0].any())


def _fault(rules: Sequence[Rule], place: object, text: str) -> Remark:
    id_ = str(place).removeprefix("规则 ")
    pack = next((rule.pack for rule in rules if rule.id == id_), "")
    return Remark(id_, pack, True, text)


def _gaps(rules: Sequence[Rule]) -> Iterator[Remark]:
    """Name days on which no version of a rule stands although an earlier and a later one do."""
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.id, []).append(rule)
    for versions in by_id.values():
        for old, new in pairwise(sorted(versions, key=lambda rule: rule.since)):
            if old.until is not None and old.until + dt.timedelta(days=1) < new.since:
                text = f"{old.until} 之后到 {new.since} 之前没有任何版本有效"
                yield Remark(new.id, new.pack, False, text)


def _twins(rules: Sequence[Rule]) -> Iterator[Remark]:
    """Name rules that ask the same of the same with the same effect on a common day."""
    seen: dict[tuple[object, ...], list[Rule]] = {}
    for rule in rules:
        where = (rule.relation, rule.layer, rule.where, rule.within_m, rule.upstream_m, rule.downstream_m, rule.above)
        key = (rule.effect, *where, rule.when, rule.unless, rule.not_stated, rule.due, rule.cite)
        for other in seen.setdefault(key, []):
            last = min(r.until or dt.date.max for r in (rule, other))
            if rule.id != other.id and max(rule.since, other.since) <= last:
                yield Remark(rule.id, rule.pack, True, f"与 {other.id} 完全相同")
        seen[key].append(rule)


def _never(rule: Rule) -> Iterator[str]:
    """Name what can never decide, or can never be otherwise."""
    for number, condition in enumerate(rule.when):
        for other in rule.when[:number] + rule.when[number + 1 :]:
            if implies(condition, other) and condition != other:
                yield "when 中有一组条件已被另一组包含，永远不起作用"
        yield from _listed_twice(condition, "when")
        if len(condition.works) == len(WORKS):
            yield "when 的 works 列出了全部建设性质，等于没有限制却仍会追问"
    for exception in rule.unless:
        yield from _listed_twice(exception, "unless")
        if rule.when and all(_contradict(condition, exception) for condition in rule.when):
            yield "unless 与 when 矛盾，例外永远不会成立"
        if rule.when and all(implies(condition, exception) for condition in rule.when):
            yield "when 成立时 unless 必然成立，本条的 effect 永远不会出现"
    if rule.due is not None and rule.until is not None and rule.until < rule.due:
        yield f"due {rule.due} 晚于 until {rule.until}，永远不会逾期"
    if rule.unless and rule.effect == rule.effect_unless:
        yield "effect 与 effect_unless 相同，unless 不起作用"
    for condition in (*rule.when, *rule.unless):
        for use in condition.land_use:
            code = LAND_USES.get(use, use)
            if not any(code.startswith(known) or known.startswith(code) for known in LAND_USES.values()):
                yield f"用地用海分类中没有 {use}"


def _listed_twice(condition: Condition, key: str) -> Iterator[str]:
    for name in ("activity", "land_use"):
        codes: tuple[str, ...] = getattr(condition, name)
        for code in codes:
            if any(code != other and code.startswith(other) for other in codes):
                yield f"{key} 的 {name} 中 {code} 已被更短的代码包含"
        if len(set(codes)) < len(codes):
            yield f"{key} 的 {name} 有重复"


def implies(left: Condition, right: Condition) -> bool:
    """Tell whether a project of which the left holds is one of which the right holds too.

    Examples
    --------
    >>> from ecospatial.rules import Condition
    >>> implies(Condition(activity=("C2614",), works=("new",)), Condition(activity=("C26",)))
    True
    """
    if right.works and not (left.works and set(left.works) <= set(right.works)):
        return False
    if not set(right.facts) <= set(left.facts):
        return False
    if right.area_m2_at_least is not None and not (left.area_m2_at_least or 0.0) >= right.area_m2_at_least:
        return False
    pairs = ((left.activity, right.activity), (left.land_use, right.land_use))
    return all(
        not wanted or (bool(given) and all(any(code.startswith(w) for w in wanted) for code in given))
        for given, wanted in pairs
    )


def _contradict(left: Condition, right: Condition) -> bool:
    """Tell whether no project can have both; several activities, or a least area each, never contradict."""
    if left.works and right.works and not set(left.works) & set(right.works):
        return True
    answers = dict(left.facts)
    return any(name in answers and answers[name] != wanted for name, wanted in right.facts if name in FACTS)
