"""What a report says, as plain values: sites with their findings worst first, rules, layers, counts, whom to ask.

The page and the Word document tell the same from here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial import model
from ecospatial.report import values
from ecospatial.report.corners import corners
from ecospatial.report.tables import doubtful, worst_first

if TYPE_CHECKING:
    from ecospatial.checking import Findings

_FACT_WORDS = {True: "是", False: "否", None: "未知"}
_GEOMETRY_WORDS = {"Point": "点", "LineString": "线", "Polygon": "面"}
_KEEPER = "规则维护方（核对条文后登记核实日期）"
_APPLICANT = "申请人（补充项目信息）"


def _finding_rows(findings: Findings, rules: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Give the findings of each site, worst first, with the words the page shows."""
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    frame = worst_first(frame.assign(doubtful=doubtful(frame)))
    rows: dict[str, list[dict[str, Any]]] = {str(site_id): [] for site_id in findings.summary.index}
    accuracy = {str(site_id): values.plain(found) for site_id, found in findings.sites["accuracy_m"].items()}
    for row in values.records(frame):
        row["status_label"] = model.STATUS_LABELS.get(row["layer_status"] or "", "")
        row["layer_label"] = findings.layers["label"].get(row["layer"]) or ""
        row["number"] = rules.get(row["rule_id"], {}).get("number")
        row["certainty"] = values.certainty(row, accuracy.get(row["site_id"]))
        rows.setdefault(row["site_id"], []).append(row)
    return rows


def _grouped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rules that were not measured, for the same reason, into one row: ``rules`` lists them, else it is empty."""
    result: list[dict[str, Any]] = []
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        measures = (row["distance_m"], row["margin_m"], row["overlap_m2"] or None, row["overlap_length_m"] or None)
        key = (row["verdict"], row["reason"], row["certainty"])
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
    for row in values.records(findings.rules.reset_index()):
        if row["rule_id"] not in found or row.get("in_force"):
            found[row["rule_id"]] = row
    return found


def _holders(findings: Findings) -> dict[str, list[str]]:
    """Name who publishes the layers of a kind, and a layer by its name."""
    found: dict[str, list[str]] = {}
    for row in values.records(findings.layers.reset_index()):
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
    """Say for each open finding who can close it; same answer, one line."""
    asked: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        keys: list[tuple[str, str]] = []
        if row["verdict"] == "no_data":
            kind = rules.get(row["rule_id"], {}).get("layer") or ""
            who = "、".join(dict.fromkeys(holders.get(kind, []) + holders.get(f"layer {row['layer']}", [])))
            label = model.KINDS[kind].label if kind in model.KINDS else values.text(kind)
            keys = [(f"图层：{label}", who or "规划数据中未登记来源，请向主管部门索取")]
        elif row["verdict"] == "needs_facts" and not row["verified"]:
            keys = [("规则尚未核实", _KEEPER)]
        elif row["verdict"] == "needs_facts":
            when = rules.get(row["rule_id"], {}).get("when")
            keys = [(what, _APPLICANT) for what in _missing(when, project) or [row["reason"]]]
        for key in keys:
            asked.setdefault(key, []).append(row["rule_id"])
    return [{"what": what, "who": who, "rules": ids} for (what, who), ids in asked.items()]


def _given(site: dict[str, Any]) -> list[tuple[str, str]]:
    """List the project facts as given; unknown is said, never left out."""
    codes = [code for code in (site.get("activity") or "").split(";") if code]
    works = model.WORKS.get(site.get("works") or "", ())
    pairs = [
        ("行业", "；".join(model.activity_label(code) for code in codes) or "未知"),
        ("建设性质", "、".join(works) or "未知"),
        ("用地性质", site.get("land_use") or "未知"),
    ]
    return pairs + [(fact.label, _FACT_WORDS[site.get(name)]) for name, fact in model.FACTS.items()]


def site_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give each site with its facts, findings worst first, what is undecided and whom to ask, and its corners."""
    rules, holders = _current(findings), _holders(findings)
    rows, waiting = _finding_rows(findings, rules), values.unverified_counts(findings.frame)
    shapes = findings.sites.geometry.geom_type.str.removeprefix("Multi").map(_GEOMETRY_WORDS).fillna("图形")
    given = values.records(pd.DataFrame(findings.sites.drop(columns="geometry")).assign(shape=shapes))
    result = []
    told, rings = values.records(findings.summary.reset_index()), corners(findings.sites)
    for number, (site, project) in enumerate(zip(told, given, strict=True), start=1):
        own, counts = rows[site["site_id"]], values.counts(site)
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
                "headline": values.headline(counts, site["decided"], unverified=waiting.get(site["site_id"], 0)),
                "corners": rings[number - 1],
                "rows": _grouped([row for row in own if row["verdict"] not in ("not_applicable", "clear")]),
                "passed": _grouped([row for row in own if row["verdict"] == "clear"]),
                "not_applicable": [row for row in own if row["verdict"] == "not_applicable"],
                "ask": _whom_to_ask(own, project, rules=rules, holders=holders),
                "left_out": sum(counts.values()) - len(own),
            }
        )
    return result


def _coverage(value: object) -> str:
    """Say a coverage in words; what is not one of ours (a file) stays as it is."""
    found = values.text(value)
    around = re.fullmatch(r"district\+(\d+(?:\.\d+)?)", found)
    if around:
        return f"全区及外围 {float(around.group(1)):g} m"
    return {"district": "全区", "extent": "要素外框", "unknown": "未知（不能判定通过）", "": "未知"}.get(found, found)


def skipped(meta: dict[str, Any]) -> list[str]:
    """List what was left out of the check, one text each."""
    items = values.plain(meta.get("skipped") or [])
    return ["，".join(str(part) for part in item.values() if part) for item in items if isinstance(item, dict)]


def layer_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give the layers with their Chinese words."""
    rows = values.records(findings.layers.reset_index())
    for row in rows:
        row["status_label"] = model.STATUS_LABELS.get(row["status"] or "", "")
        row["coverage_label"] = _coverage(row["coverage"])
        row["present_label"] = model.PRESENT_LABELS.get(row["present"] or "", row["present"])
    return rows


def rule_rows(findings: Findings) -> list[dict[str, Any]]:
    """Give the rules, all versions, with the Chinese words of kind and relation."""
    rows = values.records(findings.rules.reset_index())
    for row in rows:
        kind = model.KINDS.get(row["layer"] or "")
        row["kind_label"] = kind.label if kind else row["layer"]
        row["relation_label"] = model.RELATIONS.get(row["relation"] or "", row["relation"])
    return rows


def tally(findings: Findings) -> list[dict[str, Any]]:
    """Count the sites by verdict, worst first: as the worst of a site, and as what is decided."""
    worst = findings.summary["verdict"].value_counts()
    decided = findings.summary["decided"].value_counts()
    return [
        {"verdict": name, "worst": int(worst.get(name, 0)), "decided": int(decided.get(name, 0))}
        for name in reversed(model.VERDICTS)
        if worst.get(name, 0) or decided.get(name, 0)
    ]
