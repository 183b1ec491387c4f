"""What a report says, as plain values: sites with their findings worst first, rules, layers, counts, whom to ask.

The page and the Word document tell the same from here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial import model
from ecospatial.export import _format
from ecospatial.export.boundary_points import corners
from ecospatial.export.summary import of_plan, worst_first
from ecospatial.model.open_items import left_out_subject, rules_text, who_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecospatial.checks import Findings

_FACT_WORDS = {True: "是", False: "否", None: "未知"}
_GEOMETRY_WORDS = {"Point": "点", "LineString": "线", "Polygon": "面"}
EFFECT_LABELS = {"prohibited": "禁止", "restricted": "受限", "duty": "要求"}
CERTAINTY_MEANINGS: Mapping[str, str] = {
    "reliable": "余量大于图层与地块的定位误差之和",
    "marginal": "余量不大于定位误差：须现场核定边界",
    "doubtful": "图形经修复、坐标系未证实或名称未确认：疑点见说明",
    "schematic": "位置为推测：结论不得作为审批依据",
}
DECISIVE = ("prohibited", "restricted")


def _finding_rows(findings: Findings, rules: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Give the findings of each site, worst first, with the words the page shows."""
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    frame = worst_first(frame.assign(of_plan=of_plan(frame)))
    rows: dict[str, list[dict[str, Any]]] = {str(site_id): [] for site_id in findings.summary.index}
    accuracy = {str(site_id): _format.plain(found) for site_id, found in findings.sites["accuracy_m"].items()}
    for row in _format.records(frame):
        row["status_label"] = model.STATUS_LABELS.get(row["layer_status"] or "", "")
        row["layer_label"] = findings.layers["label"].get(row["layer"]) or ""
        row["number"] = rules.get(row["rule_id"], {}).get("number")
        row["certainty_label"] = _format.certainty_label(row["certainty"])
        row["open_by_label"] = _format.open_by_label(row["open_by"])
        row["reliability"] = _format.reliability(row, accuracy.get(row["site_id"]))
        rows.setdefault(row["site_id"], []).append(row)
    return rows


def _grouped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rules that were not measured, for the same reason, into one row: ``rules`` lists them, else it is empty."""
    result: list[dict[str, Any]] = []
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        measures = (row["distance_m"], row["margin_m"], row["overlap_m2"] or None, row["overlap_length_m"] or None)
        key = (row["verdict"], row["reason"], row["reliability"])
        if any(found is not None for found in measures):
            result.append(row | {"rules": []})
        elif key in groups:
            groups[key]["rules"].append(row)
        else:
            groups[key] = row | {"rules": [row]}
            result.append(groups[key])
    return result


def _missing(rule_when: object, project: dict[str, Any]) -> list[str]:
    """Name what the conditions of a rule ask about the project and nobody has told."""
    conditions = rule_when if isinstance(rule_when, list) else [rule_when]
    asked = [key for condition in conditions if isinstance(condition, dict) for key in condition]
    words = {"activity": "行业代码", "works": "建设性质", "land_use": "用地性质"}
    words |= {name: f"{fact.label}（{fact.question}）" for name, fact in model.FACTS.items()}
    return [f"缺少：{words[key]}" for key in dict.fromkeys(asked) if key in words and project.get(key) is None]


def _current(findings: Findings) -> dict[str, dict[str, Any]]:
    """Give each rule once: the version in force on the day, where there are several."""
    found: dict[str, dict[str, Any]] = {}
    for row in _format.records(findings.rules.reset_index()):
        if row["rule_id"] not in found or row.get("in_force"):
            found[row["rule_id"]] = row
    return found


def _holders(findings: Findings) -> dict[str, list[str]]:
    """Name who publishes the layers of a kind, and a layer by its name."""
    found: dict[str, list[str]] = {}
    for row in _format.records(findings.layers.reset_index()):
        for key in {row["kind"], f"layer {row['name']}"}:
            found.setdefault(key, []).extend([row["publisher"]] if row["publisher"] else [])
    return found


def _whom_to_ask(
    rows: list[dict[str, Any]],
    project: dict[str, Any],
    *,
    rules: dict[str, dict[str, Any]],
    holders: dict[str, list[str]],
) -> list[dict[str, Any]]:
    """Say for each finding that is open at this place who can close it; same answer, one line."""
    asked: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if not row["open_here"]:
            continue
        rule, whose = rules.get(row["rule_id"], {}), None
        told = [row["reason"]]
        if row["open_by"] == "data_owner":
            kind = rule.get("layer") or ""
            whose = "、".join(dict.fromkeys(holders.get(kind, []) + holders.get(f"layer {row['layer']}", [])))
            if row["verdict"] == "no_data":
                told = [f"图层：{model.KINDS[kind].label if kind in model.KINDS else _format.text(kind)}"]
        elif row["open_by"] == "applicant":
            told = _missing(rule.get("when"), project) or told
        for what in told:
            asked.setdefault((what, who_answers(row["open_by"], whose)), []).append(row["rule_id"])
    return [{"what": what, "who": who, "rules": ids} for (what, who), ids in asked.items()]


def _given(site: dict[str, Any]) -> list[tuple[str, str]]:
    """List the project facts as given; unknown is said, never left out."""
    codes = [code for code in (site.get("activity") or "").split(";") if code]
    works = [model.WORKS[name][0] for name in (site.get("works") or "").split(";") if name in model.WORKS]
    pairs = [
        ("行业", "；".join(model.activity_label(code) for code in codes) or "未知"),
        ("建设性质", "、".join(works) or "未知"),
        ("用地性质", site.get("land_use") or "未知"),
    ]
    return pairs + [(fact.label, _FACT_WORDS[site.get(name)]) for name, fact in model.FACTS.items()]


def site_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give each site with its facts, findings worst first, what is undecided and whom to ask, and its corners."""
    rules, holders = _current(findings), _holders(findings)
    rows = _finding_rows(findings, rules)
    shapes = findings.sites.geometry.geom_type.str.removeprefix("Multi").map(_GEOMETRY_WORDS).fillna("图形")
    given = _format.records(pd.DataFrame(findings.sites.drop(columns="geometry")).assign(shape=shapes))
    result = []
    told, rings = _format.records(findings.summary.reset_index()), corners(findings.sites)
    for number, (site, project) in enumerate(zip(told, given, strict=True), start=1):
        own, counts = rows[site["site_id"]], _format.counts(site)
        result.append(
            site
            | {
                "number": number,
                "shape": project["shape"],
                "source": project.get("source"),
                "accuracy_m": project.get("accuracy_m"),
                "repair_area_m2": project.get("repair_area_m2"),
                "given": _given(project),
                "counts": counts,
                "answer": _format.answer(site),
                "waiting": _format.waiting(site),
                "corners": rings[number - 1],
                "rows": _grouped([row for row in own if row["verdict"] in DECISIVE or row["open_here"]]),
                "duties": [row for row in own if row["verdict"] == "duty"],
                "of_plan": [row["rule_id"] for row in own if row["of_plan"]],
                "passed": _grouped([row for row in own if row["verdict"] == "clear"]),
                "not_applicable": [row for row in own if row["verdict"] == "not_applicable"],
                "ask": _whom_to_ask(own, project, rules=rules, holders=holders),
                "left_out": sum(counts.values()) - len(own),
            }
        )
    return result


def _coverage(value: object) -> str:
    """Say a coverage in words; what is not one of ours (a file) stays as it is."""
    found = _format.text(value)
    around = re.fullmatch(r"district\+(\d+(?:\.\d+)?)", found)
    if around:
        return f"全区及外围 {float(around.group(1)):g} m"
    return {"district": "全区", "extent": "要素外框", "unknown": "未知（不能判定通过）", "": "未知"}.get(found, found)


def skipped(meta: dict[str, Any]) -> list[str]:
    """List what was left out of the check, one text each."""
    items = _format.plain(meta.get("skipped") or [])
    return ["，".join(str(part) for part in item.values() if part) for item in items if isinstance(item, dict)]


def layer_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give the layers with their Chinese words."""
    rows = _format.records(findings.layers.reset_index())
    for row in rows:
        row["status_label"] = model.STATUS_LABELS.get(row["status"] or "", "")
        row["coverage_label"] = _coverage(row["coverage"])
        row["present_label"] = model.PRESENT_LABELS.get(row["present"] or "", row["present"])
    return rows


def rule_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give the rules, all versions, with the Chinese words of kind and relation."""
    rows = _format.records(findings.rules.reset_index())
    for row in rows:
        kind = model.KINDS.get(row["layer"] or "")
        row["kind_label"] = kind.label if kind else row["layer"]
        row["effect_label"] = EFFECT_LABELS.get(row["effect"] or "", row["effect"])
        row["relation_label"] = model.RELATIONS.get(row["relation"] or "", row["relation"])
    return rows


def tally(findings: Findings) -> list[dict[str, Any]]:
    """Count the sites by headline and certainty, worst first and the most reliable first."""
    counts: dict[tuple[str, str], int] = {}
    for row in _format.records(findings.summary[["headline", "certainty"]]):
        key = row["headline"], row["certainty"] or ""
        counts[key] = counts.get(key, 0) + 1
    return [
        {"headline": name, "certainty": word, "answer": model.headline_text(name, word), "sites": counts[name, word]}
        for name in reversed(model.HEADLINES)
        for word in (*model.CERTAINTIES, "")
        if (name, word) in counts
    ]


def plan_open_rows(findings: Findings) -> list[dict[str, str]]:
    """Give what is open in the plan as rows: what, who has to answer, which rules wait for it."""
    return [
        {
            "what": _format.text(entry.get("what")),
            "who": who_answers(entry.get("open_by"), entry.get("ask")),
            "rules": rules_text(list(entry.get("rule_ids") or [])),
        }
        for entry in _format.plain(list(findings.plan_open))
    ]


def left_out_rows(findings: Findings) -> list[dict[str, str]]:
    """Give what the bureau leaves out as rows: what, why, who answers for it, which rules."""
    return [
        {
            "what": left_out_subject(entry),
            "because": _format.text(entry.get("because")),
            "who": _format.text(entry.get("ask")),
            "rules": rules_text(list(entry.get("rule_ids") or [])),
        }
        for entry in _format.plain(list(findings.left_out))
    ]
