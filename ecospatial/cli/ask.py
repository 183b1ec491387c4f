"""``ecospatial check --ask``: put to the person at the screen just the questions that can still change a verdict."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ecospatial.cli.root import say
from ecospatial.errors import Problem, SiteError
from ecospatial.model import FACTS, LAND_USES, WORKS, activity_label, fact_value, search_activities, works_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import pandas as pd

    from ecospatial.checks import Findings
    from ecospatial.checks.conditions import Projects
    from ecospatial.rules import Condition, Rule

# The order of asking: what decides of most rules comes first.
ORDER = ("works", "activity", "land_use", *FACTS)
QUESTIONS = {
    "works": f"建设性质（{'、'.join(names[0] for names in WORKS.values())}；多个用分号隔开）",
    "activity": "行业（GB/T 4754-2017 代码或名称，如 C26、化工；多个用分号隔开）",
    "land_use": "用地性质（用地用海分类的代码或名称，如 0701、工业用地）",
}


def ask(sites: gpd.GeoDataFrame, findings: Findings, rules: list[Rule]) -> gpd.GeoDataFrame:
    """Ask until nothing that is left could change a verdict, or the input ends.

    Parameters
    ----------
    sites
        The sites that were checked.
    findings
        What was found; a rule counts where the site touches it and the applicant can still change the verdict.
    rules
        The rules in force on the day of the check.

    Returns
    -------
    GeoDataFrame
        The sites with the answers; what was answered is said in ``attrs["notices"]``.
    """
    answered = sites.copy()
    answered.attrs = dict(sites.attrs)
    by_id = {rule.id: rule for rule in rules}
    notices: list[str] = []
    askable = _askable(findings)
    for site_id in answered.index:
        mine = askable & (findings.frame["site_id"] == site_id)
        touched = [by_id[rule] for rule in findings.frame.loc[mine, "rule_id"] if rule in by_id]
        skipped: set[str] = set()
        while True:
            key = next((key for key in _open(answered.loc[[site_id]], touched) if key not in skipped), None)
            if key is None:
                break
            try:
                answer = _answer(str(site_id), key)
            except EOFError:
                say("输入结束，其余问题不再提出")
                return _noted(answered, notices)
            if answer is None:
                skipped.add(key)
                continue
            answered[key] = answered[key].astype(object)
            answered.loc[site_id, key] = answer
            notices.append(f"{site_id} {_label(key)}：{_shown(key, answer)}")
    return _noted(answered, notices)


def _askable(findings: Findings) -> pd.Series[bool]:
    """Tell which findings an answer of the applicant can still change.

    Those that wait for it, and conflicts, of which an exception can be claimed. A duty changes with no answer; what
    the owner of a layer or the keeper of the rules has to settle is not asked of the applicant.
    """
    frame = findings.frame
    waiting = (frame["verdict"] == "needs_facts") & (frame["open_by"] == "applicant")
    touched = frame["touched"].fillna(False).astype(bool)
    found: pd.Series[bool] = waiting | (touched & frame["verdict"].isin(["prohibited", "restricted"]))
    return found


def _noted(sites: gpd.GeoDataFrame, notices: list[str]) -> gpd.GeoDataFrame:
    if notices:
        sites.attrs["notices"] = [*sites.attrs.get("notices", []), f"检查时由使用者回答：{'；'.join(notices)}"]
    return sites


def _open(site: gpd.GeoDataFrame, touched: list[Rule]) -> Iterator[str]:
    """Give the keys whose answer could still change what a touched rule says, in the order of asking."""
    from ecospatial.checks.conditions import NO, UNKNOWN, YES, Projects

    wanted: set[str] = set()
    projects = Projects(site)
    for rule in touched:
        when = projects.ask(rule.when)[0].truth
        unless = projects.ask(rule.unless, default=NO)[0].truth
        if when == NO or (unless == YES and rule.verified and rule.effect_unless == "not_applicable"):
            continue
        if when == UNKNOWN:
            wanted |= _missing(rule.when, projects)
        # An exception has to be claimed, so it is worth asking for; an unverified rule would not hear it.
        if unless == UNKNOWN and rule.verified and rule.effect != rule.effect_unless:
            wanted |= _missing(rule.unless, projects)
    return (key for key in ORDER if key in wanted)


def _missing(conditions: tuple[Condition, ...], projects: Projects) -> set[str]:
    """Give the keys that still matter: what one group asks besides another that then holds already does not."""
    from ecospatial.checks.conditions import UNKNOWN
    from ecospatial.rules import implies

    answers = [projects.ask((condition,))[0] for condition in conditions]
    parts = [
        (_part(condition, answer.missing), answer.missing)
        for condition, answer in zip(conditions, answers, strict=True)
        if answer.truth == UNKNOWN
    ]
    kept = [
        missing
        for number, (part, missing) in enumerate(parts)
        if not any(
            implies(part, other) and not (implies(other, part) and number < place)
            for place, (other, _) in enumerate(parts)
            if place != number
        )
    ]
    return {key for missing in kept for key in missing}


def _part(condition: Condition, keys: tuple[str, ...]) -> Condition:
    """Give of a condition only what it says of these keys."""
    from ecospatial.rules import Condition

    lists = {key: getattr(condition, key) for key in ("activity", "works", "land_use") if key in keys}
    return Condition(facts=tuple(fact for fact in condition.facts if fact[0] in keys), **lists)


def _answer(site_id: str, key: str) -> Any:
    """Ask one question until the answer can be read; None when it is not known."""
    question = QUESTIONS.get(key) or f"{FACTS[key].question}（是、否）"
    while True:
        say(f"地块 {site_id}：{question} 不知道请直接回车：")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        text = line.strip()
        if not text:
            return None
        try:
            return _read(key, text)
        except SiteError as fault:
            say(str(fault))


def _read(key: str, text: str) -> Any:
    if key == "activity":
        return activities(text)
    if key == "works":
        return _works(text)
    if key == "land_use":
        if not text[:1].isdigit() and text not in LAND_USES:
            raise SiteError(Problem("", None, f"用地用海分类中没有 {text}", "请写代码或标准名称"))
        return text
    try:
        return fact_value(text)
    except ValueError as fault:
        raise SiteError(Problem("", None, f"读不懂 {text}", "请回答 是 或 否")) from fault


def _works(text: str) -> str:
    names = [name for name in (part.strip() for part in text.replace("；", ";").replace("、", ";").split(";")) if name]
    found = [works_value(name) for name in names]
    for name, works in zip(names, found, strict=True):
        if works is None:
            raise SiteError(Problem("", None, f"不认识建设性质 {name}", QUESTIONS["works"]))
    return ";".join(dict.fromkeys(works for works in found if works is not None))


def _label(key: str) -> str:
    from ecospatial.checks.conditions import key_label

    return key_label(key)


def _shown(key: str, answer: Any) -> str:
    if key == "works":
        return "、".join(WORKS[works][0] for works in answer.split(";"))
    return str(answer) if key not in FACTS else "是" if answer else "否"


def activities(text: str) -> str:
    """Turn what a person calls one or more activities into codes joined with ";".

    Raises
    ------
    SiteError
        A name means nothing, or more than one activity; the candidates are named.

    Examples
    --------
    >>> activities("化工"), activities("C2614；住宅")
    ('C26', 'C2614;K701')
    """
    codes = []
    for name in filter(None, (part.strip() for part in text.replace("；", ";").split(";"))):
        found = search_activities(name)
        if not found:
            raise SiteError(Problem("", None, f"找不到行业 {name}", "请写 GB/T 4754-2017 的代码或名称，如 C26"))
        if len(found) > 1:
            candidates = "、".join(activity_label(code) for code in found[:12])
            raise SiteError(Problem("", None, f"行业 {name} 可能是：{candidates}", "请写其中的代码"))
        codes.append(found[0])
    return ";".join(dict.fromkeys(codes))
