"""What is open in a plan and what a bureau leaves out, put into words that stand once in every output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecospatial.model.kinds import KINDS
from ecospatial.model.verdicts import OPEN_BY

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN_OPEN_TITLE = "缺少的图层与待定的依据"
LEFT_OUT_TITLE = "本局不核"


def rules_text(rule_ids: list[str], most: int | None = None) -> str:
    """List ids of rules, as many as asked for.

    Examples
    --------
    >>> rules_text(["A", "B"]), rules_text(["A", "B", "C"], most=2), rules_text([])
    ('A、B', 'A、B 等 3 条', '')
    """
    if most is None or len(rule_ids) <= most:
        return "、".join(map(str, rule_ids))
    return f"{'、'.join(map(str, rule_ids[:most]))} 等 {len(rule_ids)} 条"


def who_answers(open_by: str | None, ask: str | None) -> str:
    """Say who has to answer: the part they have, and the name when it is known.

    Examples
    --------
    >>> who_answers("data_owner", "某市自然资源局"), who_answers("applicant", None)
    ('数据管理单位：某市自然资源局', '申请人')
    """
    part = OPEN_BY.get(open_by or "", "")
    if not ask or ask == part:
        return part
    return f"{part}：{ask}" if part else str(ask)


def left_out_subject(entry: Mapping[str, Any]) -> str:
    """Name what an entry of ``left_out`` leaves out: kinds by their label, rules by their id.

    Examples
    --------
    >>> left_out_subject({"kinds": ["noise_zone"], "rules": ["A-1"]})
    '声环境功能区、A-1'
    """
    kinds = [KINDS[kind].label if kind in KINDS else str(kind) for kind in entry.get("kinds") or []]
    return "、".join([*kinds, *map(str, entry.get("rules") or [])])


def plan_open_line(entry: Mapping[str, Any], most: int | None = None) -> str:
    """Put an entry of ``plan_open`` into one line: what, which rules, whom to ask.

    Examples
    --------
    >>> plan_open_line({"what": "图层：岸线", "open_by": "data_owner", "ask": "某局", "rule_ids": ["A-1"]})
    '图层：岸线（A-1）；找数据管理单位：某局'
    """
    rules = rules_text(list(entry.get("rule_ids") or []), most)
    what, ask = str(entry.get("what") or ""), entry.get("ask")
    who = who_answers(entry.get("open_by"), None if ask and ask in what else ask)
    return f"{what}{f'（{rules}）' if rules else ''}{f'；找{who}' if who else ''}"


def left_out_line(entry: Mapping[str, Any], most: int | None = None) -> str:
    """Put an entry of ``left_out`` into one line: what, which rules, why, who answers for it.

    Examples
    --------
    >>> left_out_line({"kinds": ["noise_zone"], "because": "由环评审查", "ask": "某局", "rule_ids": ["A-1"]})
    '声环境功能区（A-1）：由环评审查；由某局答复'
    """
    subject, ids = left_out_subject(entry), list(entry.get("rule_ids") or [])
    rules = "" if ids == list(entry.get("rules") or []) else rules_text(ids, most)
    told = f"{subject}{f'（{rules}）' if rules else ''}"
    told += f"：{entry['because']}" if entry.get("because") else ""
    return told + (f"；由{entry['ask']}答复" if entry.get("ask") else "")
