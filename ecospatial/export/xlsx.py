"""The findings as an Excel file: answers, findings, duties, what is open in the plan, areas, repairs, layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial import model
from ecospatial.export import _format
from ecospatial.export._context import CERTAINTY_MEANINGS, layer_rows, left_out_rows, plan_open_rows, rule_rows, skipped
from ecospatial.export._xlsx import Column, workbook
from ecospatial.export.advice import advice
from ecospatial.export.json import rounded
from ecospatial.export.summary import of_plan, worst_first
from ecospatial.model.open_items import LEFT_OUT_TITLE, PLAN_OPEN_TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ecospatial.checks import Findings

_COLOURS: dict[object, str] = {verdict.label: verdict.colour for verdict in model.VERDICTS.values()}
_ANSWER_COLOURS: dict[object, str] = {
    model.headline_text(name, word): headline.colour
    for name, headline in model.HEADLINES.items()
    for word in (*model.CERTAINTIES, None)
}
_METRES, _AREA, _HECTARES, _SHARE = "#,##0.000", "#,##0.00", "#,##0.0000", "0.0%"
_WHOSE = (Column("site_id", "地块编号", 16), Column("site_name", "地块名称", 24))
_SUMMARY = (
    *_WHOSE, Column("answer", "结论", 24), Column("n_open", "未决", 10, "0"),
    Column("n_missing", "缺图层、待定", 14, "0"),
    *(Column(f"n_{name}", model.VERDICTS[name].label, 10, "0") for name in reversed(model.VERDICTS)),
    Column("area_m2", "投影面积（m²）", 16, _AREA), Column("area_mu", "投影面积（亩）", 14, _AREA),
    Column("length_m", "长度（m）", 14, _METRES),
)  # fmt: skip
_FINDINGS = (
    *_WHOSE, Column("answer", "结论", 20), Column("verdict", "判定", 12), Column("certainty", "可靠性", 8),
    Column("open_by", "由谁答复", 14),
    Column("rule_id", "规则", 14),
    Column("rule_title", "管控要求", 40), Column("instrument", "依据", 30), Column("article", "条款", 22),
    Column("verified", "规则已核实", 10), Column("distance_m", "距离（m）", 12, _METRES),
    Column("margin_m", "余量（m）", 12, _METRES), Column("overlap_m2", "重叠（m²）", 14, _AREA),
    Column("overlap_mu", "重叠（亩）", 12, _AREA), Column("overlap_share", "占地块", 9, _SHARE),
    Column("overlap_length_m", "重叠长度（m）", 13, _METRES), Column("feature_id", "要素编号", 12),
    Column("feature_name", "要素", 18), Column("features", "触及要素数", 10, "0"), Column("layer", "图层", 18),
    Column("layer_status", "图层状态", 10), Column("layer_accuracy_m", "图层精度（m）", 12, _METRES),
    Column("reason", "说明", 60), Column("advice", "处理建议", 50),
)  # fmt: skip
_DUTIES = (
    *_WHOSE, Column("rule_id", "规则", 14), Column("rule_title", "要求", 40), Column("instrument", "依据", 30),
    Column("article", "条款", 22), Column("due", "期限", 12), Column("overdue", "已逾期", 9),
    Column("reason", "说明", 60),
)  # fmt: skip
_PLAN_OPEN = (Column("what", "缺少或待定的内容", 50), Column("who", "应找谁", 36), Column("rules", "涉及规则", 40))
_LEFT_OUT = (
    Column("what", "不核的内容", 36), Column("because", "原因", 40), Column("who", "由谁答复", 30),
    Column("rules", "涉及规则", 40),
)  # fmt: skip
_AREAS = (
    *_WHOSE, Column("what", "项目", 40), Column("area_m2", "投影面积（m²）", 16, _AREA),
    Column("area_ha", "投影面积（公顷）", 16, _HECTARES), Column("area_mu", "投影面积（亩）", 14, _AREA),
    Column("area_ellipsoidal_m2", "椭球面积（m²）", 16, _AREA),
    Column("area_ellipsoidal_ha", "椭球面积（公顷）", 16, _HECTARES),
    Column("area_ellipsoidal_mu", "椭球面积（亩）", 14, _AREA), Column("share", "占地块", 9, _SHARE),
)  # fmt: skip
_REPAIRS = (
    *_WHOSE, Column("repair", "图形修复", 60), Column("repair_area_m2", "面积变化（m²）", 16, _AREA),
    Column("source", "来源", 40),
)  # fmt: skip
_RULES = (
    Column("rule_id", "编号", 14), Column("title", "管控要求", 44), Column("effect_label", "效果", 8),
    Column("relation_label", "关系", 10), Column("kind_label", "对象", 18),
    Column("within_m", "范围（m）", 10, "#,##0.###"), Column("instrument", "依据", 36), Column("number", "文号", 24),
    Column("article", "条款", 24), Column("since", "施行", 12), Column("until", "止于", 12),
    Column("in_force", "当日施行", 9), Column("verified", "已核实", 8), Column("verified_on", "核实日期", 12),
    Column("pack", "规则包", 18),
)  # fmt: skip
_LAYERS = (
    Column("label", "图层", 20), Column("name", "名称", 20), Column("present_label", "有无", 10),
    Column("status_label", "状态", 10), Column("coverage_label", "覆盖范围", 18),
    Column("accuracy_m", "精度（m）", 10, "#,##0.##"), Column("publisher", "发布单位", 30), Column("title", "标题", 40),
    Column("retrieved", "获取日期", 12), Column("licence", "许可", 20), Column("sha256", "SHA-256", 30),
    Column("problem", "问题", 40),
)  # fmt: skip
_TOLD = (Column("key", "项目", 18), Column("value", "内容", 90))


def _label(value: object) -> str:
    return _format.verdict_label(value)


def _summary(findings: Findings) -> Iterator[dict[str, Any]]:
    for row in rounded(findings.summary.reset_index()):
        yield row | {"answer": _format.answer(row), "area_mu": _mu(row["area_m2"])}


def _mu(area_m2: float | None) -> float | None:
    return None if area_m2 is None else area_m2 / model.MU_M2


def _rows(findings: Findings) -> Iterator[dict[str, Any]]:
    """Give the findings of places; duties, and what is open in the plan, have sheets of their own."""
    rules = {row["rule_id"]: row for row in reversed(_format.records(findings.rules.reset_index()))}
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    frame = frame[(frame["verdict"] != "duty") & ~of_plan(frame)]
    answers = {row["site_id"]: _format.answer(row) for row in _format.records(findings.summary.reset_index())}
    for row in rounded(worst_first(frame)):
        yield row | {
            "answer": answers[row["site_id"]],
            "advice": "\n".join(advice(row, rules.get(row["rule_id"], {}))),
            "verdict": _label(row["verdict"]),
            "certainty": _format.certainty_label(row["certainty"]),
            "open_by": _format.open_by_label(row["open_by"]) if row["open_here"] else "",
            "layer_status": model.STATUS_LABELS.get(row["layer_status"] or "", ""),
            "overlap_mu": _mu(row["overlap_m2"]),
        }


def _duties(findings: Findings) -> list[dict[str, Any]]:
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    return rounded(frame[frame["verdict"] == "duty"])


def _areas(findings: Findings) -> Iterator[dict[str, Any]]:
    """Give the area of each site, then of each of its conflicts."""
    touched = (findings.frame["overlap_m2"] > 0) & (findings.frame["verdict"] != "duty")
    conflicts = findings.frame[touched]
    by_site = {key: rounded(pd.DataFrame(own)) for key, own in conflicts.groupby("site_id", sort=False, observed=True)}
    for site in rounded(findings.summary.reset_index()):
        whose = {name: site[name] for name in ("site_id", "site_name")}
        yield whose | {"what": "地块"} | _units(site["area_m2"], site["area_ellipsoidal_m2"])
        for row in by_site.get(site["site_id"], []):
            told = {"what": f"{row['rule_id']}　{row['rule_title']}", "share": row["overlap_share"]}
            yield whose | told | _units(row["overlap_m2"], row["overlap_ellipsoidal_m2"])


def _units(area_m2: float | None, ellipsoidal_m2: float | None) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, area in (("area", area_m2), ("area_ellipsoidal", ellipsoidal_m2)):
        found |= {f"{name}_m2": area, f"{name}_ha": None if area is None else area / 10000, f"{name}_mu": _mu(area)}
    return found


def _repairs(findings: Findings) -> Iterator[dict[str, Any]]:
    sites = pd.DataFrame(findings.sites.drop(columns="geometry"))
    for row in rounded(sites.reset_index(names="site_id")):
        if row["repair"]:
            yield row
    for told in skipped(findings.meta):
        yield {"repair": f"未纳入核查，不表示通过：{told}"}


def _told(findings: Findings) -> Iterator[dict[str, Any]]:
    meta = _format.plain(dict(findings.meta))
    for key, label in (
        ("title", "规划"), ("plan", "规划数据"), ("on", "核查日期"), ("crs", "坐标系"), ("software", "软件版本"),
        ("review_number", "审图号"), ("created", "生成时间"),
    ):  # fmt: skip
        if meta.get(key):
            yield {"key": label, "value": meta[key]}
    for notice in meta.get("notices", []):
        yield {"key": "注意", "value": notice}
    for headline in reversed(list(model.HEADLINES.values())):
        yield {"key": f"结论 {headline.letter}　{headline.label}", "value": headline.meaning}
    for name, meaning in CERTAINTY_MEANINGS.items():
        yield {"key": f"结论后的词　{model.CERTAINTIES[name]}", "value": meaning}
    for verdict in reversed(list(model.VERDICTS.values())):
        yield {"key": f"{verdict.letter}　{verdict.label}", "value": f"{verdict.meaning}；由谁处理：{verdict.who}"}
    for item in meta.get("inputs", []):
        yield {"key": f"文件 {item['file']}", "value": item["sha256"]}


def save_xlsx(findings: Findings, path: Path) -> None:
    """Write the workbook straight to ``path``; the door of this room does the renaming."""
    meta = findings.meta
    top = [f"{_format.text(meta.get('title') or meta.get('plan'))}　空间管控核查　{_format.text(meta.get('on'))}"]
    top += [_format.text(notice) for notice in meta.get("notices", [])]
    layers, rules = layer_rows(findings), rule_rows(findings)
    colours = {"verdict": _COLOURS, "answer": _ANSWER_COLOURS}
    with workbook(path, top[0]) as book:
        book.sheet("结论汇总", _SUMMARY, list(_summary(findings)), top=top, colours=colours)
        book.sheet("核查结果", _FINDINGS, list(_rows(findings)), top=top, colours=colours)
        book.sheet("一般要求", _DUTIES, _duties(findings), top=top)
        book.sheet(PLAN_OPEN_TITLE, _PLAN_OPEN, plan_open_rows(findings))
        book.sheet(LEFT_OUT_TITLE, _LEFT_OUT, left_out_rows(findings))
        book.sheet("面积", _AREAS, list(_areas(findings)), top=top)
        book.sheet("图形修复", _REPAIRS, list(_repairs(findings)))
        book.sheet("规则", _RULES, rules)
        book.sheet("图层", _LAYERS, layers)
        book.sheet("说明", _TOLD, list(_told(findings)))
