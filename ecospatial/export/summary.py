"""Findings as tables for a person: a frame with Chinese headers, plain text for the terminal, a cell of a notebook."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from ecospatial import model
from ecospatial.errors import Problem, SiteError
from ecospatial.export._format import answer, certainty_label, open_by_label, records, text, verdict_label
from ecospatial.model.open_items import LEFT_OUT_TITLE, PLAN_OPEN_TITLE, left_out_line, plan_open_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecospatial.batch import PartsRun
    from ecospatial.checks import Findings
    from ecospatial.model.verdicts import Headline, Verdict

_NOTEBOOK_SITES, _NOTEBOOK_FINDINGS = 20, 60
_WHOSE = ["地块编号", "地块名称", "结论"]
_CHIPS: tuple[Headline | Verdict, ...] = (*model.HEADLINES.values(), *model.VERDICTS.values())
# So many rules are named in a line of the screen.
_MOST_RULES = 6


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort findings by verdict, worst first; equal ones keep their order."""
    return frame.sort_values("verdict", ascending=False, kind="stable")


def of_plan(frame: pd.DataFrame) -> pd.Series[bool]:
    """Tell which findings are open for want of a layer or of a rule's text: said once for the plan, not per site."""
    return frame["verdict"].isin(model.OPEN) & ~frame["open_here"].astype(bool)


def _chip(label: str) -> str:
    """Write a verdict, or a headline with its certainty, in its colour and with its letter; others stay plain."""
    own = label.partition("·")[0]
    found = next((known for known in _CHIPS if known.label == own), None)
    if found is None:
        return escape(label)
    return (
        f'<span style="background:{found.colour};color:#000;padding:0 .5em;white-space:nowrap">'
        f"<b>{found.letter}</b> {escape(label)}</span>"
    )


def _mark(label: str) -> str:
    if label != model.STATUS_LABELS["schematic"]:
        return escape(label)
    return f'<span style="border:1px solid;color:#6a3d9a;padding:0 .4em;white-space:nowrap">{label}</span>'


class FindingsTable(pd.DataFrame):
    """A table of findings: an ordinary frame that shows verdicts in their colours in a notebook.

    Whatever is made from it is an ordinary frame again.
    """

    def _repr_html_(self) -> str:
        shown = pd.DataFrame(self.head(_NOTEBOOK_FINDINGS))
        title, names = "", [str(name) for name in shown]
        ways = {"结论": _chip, "判定": _chip, "图层状态": _mark}
        if names[:3] == _WHOSE and len(set(self["地块编号"])) == 1:  # one site: said once, above
            cells = [ways.get(name, escape)(text(cell)) for name, cell in zip(_WHOSE, shown.iloc[0, :3], strict=True)]
            title, names = "　".join(dict.fromkeys(cells)), names[3:]
        columns = [[ways.get(name, escape)(text(cell)) for cell in shown[name].astype(object)] for name in names]
        head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in names)
        cell = '<td style="text-align:left;vertical-align:top">'
        rows = "".join(
            f"<tr>{''.join(cell + found + '</td>' for found in row)}</tr>" for row in zip(*columns, strict=True)
        )
        rest = f"<p>其余 {len(self) - len(shown)} 条未显示</p>" if len(self) > len(shown) else ""
        heading = f"<p><b>{title}</b></p>" if title else ""
        return f"<div>{heading}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}</div>"


def table(findings: Findings, site_id: str | None = None) -> FindingsTable:
    """Show findings with Chinese headers, worst first.

    Parameters
    ----------
    findings
        What ``check`` returned.
    site_id
        One site; all of them when left out.

    Returns
    -------
    Table
        A DataFrame, one row per finding. Lengths in metres, areas in square metres and 亩.

    Raises
    ------
    SiteError
        There is no such site.
    """
    frame = findings.frame
    if site_id is not None:
        if site_id not in findings.summary.index:
            known = "、".join(str(name) for name in findings.summary.index[:10])
            raise SiteError(Problem("", None, f"没有编号为“{site_id}”的地块", f"现有：{known}"))
        frame = frame[frame["site_id"] == site_id]
    frame = worst_first(pd.DataFrame(frame.drop(columns="geometry")))
    status = frame["layer_status"].astype(object).map(lambda value: model.STATUS_LABELS.get(text(value), ""))
    name = frame["feature_name"].astype(object).fillna("")
    answers = {row["site_id"]: answer(row) for row in records(findings.summary.reset_index())}
    shown = {
        "地块编号": frame["site_id"].astype(object),
        "地块名称": frame["site_name"].astype(object),
        "结论": frame["site_id"].astype(object).map(answers),
        "判定": frame["verdict"].astype(object).map(verdict_label),
        "可靠性": frame["certainty"].astype(object).map(certainty_label),
        "由谁答复": frame["open_by"].astype(object).map(open_by_label),
        "规则": frame["rule_id"].astype(object),
        "管控要求": frame["rule_title"].astype(object),
        "依据": frame["instrument"].astype(object),
        "条款": frame["article"].astype(object),
        "距离（米）": frame["distance_m"].round(1),
        "余量（米）": frame["margin_m"].round(1),
        "重叠（平方米）": frame["overlap_m2"].round(2),
        "重叠（亩）": (frame["overlap_m2"] / model.MU_M2).round(2),
        "要素": name.where(name != "", frame["feature_id"].astype(object)),
        "图层": frame["layer"].astype(object),
        "图层状态": status,
        "说明": frame["reason"].astype(object),
    }
    return FindingsTable(pd.DataFrame(shown).reset_index(drop=True))


def width(line: str) -> int:
    """Count the columns a text takes in a terminal; Chinese characters take two.

    Examples
    --------
    >>> width("A-01"), width("判定通过")
    (4, 8)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def _one_line(value: object) -> str:
    # A terminal obeys control characters, and a name from a file may hold some.
    return "".join(letter if letter.isprintable() else " " for letter in text(value))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _notices(findings: Findings) -> list[str]:
    left_out = len(findings.meta.get("skipped") or [])
    own = [f"有 {left_out} 个图形因有误未纳入核查，不表示通过"] if left_out else []
    return [*own, *(text(notice) for notice in findings.meta.get("notices", []))]


def summary_text(findings: Findings) -> str:
    """Write the answers as plain text for a terminal: one line per site, what is open in the plan, the notices.

    Columns are aligned for Chinese characters; control characters in names become spaces.
    """
    rows = [("地块", "名称", "结论", "未决", "缺图层、待定")]
    for record in records(findings.summary.reset_index()):
        whose = _one_line(record["site_id"]), _one_line(record["site_name"])
        rows.append((*whose, answer(record), str(record["n_open"]), str(record["n_missing"])))
    meta = findings.meta
    head = f"{_one_line(meta.get('title') or meta.get('plan'))}，核查日期 {_one_line(meta.get('on'))}"
    notices = [f"注意：{_one_line(notice)}" for notice in _notices(findings)]
    return "\n".join([head, _aligned(rows), *plan_lines(findings), *notices])


def plan_lines(findings: Findings | PartsRun) -> list[str]:
    """Write what is open in the plan, and what is left out, once: a heading and a line each, without controls."""
    lines: list[str] = []
    for title, entries, line in (
        (PLAN_OPEN_TITLE, findings.plan_open, plan_open_line),
        (LEFT_OUT_TITLE, findings.left_out, left_out_line),
    ):
        if entries:
            lines += [f"{title}：", *(f"  {_one_line(line(entry, _MOST_RULES))}" for entry in entries)]
    return lines


def notebook_html(findings: Findings) -> str:
    """Show the answers in a notebook: headline, a small table, how to go on; every text escaped."""
    summary = findings.summary
    lines = []
    for record in records(summary.head(_NOTEBOOK_SITES).reset_index()):
        counts = (str(record["n_open"]), str(record["n_missing"]))
        cells = (escape(text(record["site_id"])), escape(text(record["site_name"])), _chip(answer(record)), *counts)
        lines.append("<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>")
    if len(summary) > _NOTEBOOK_SITES:
        lines.append(f'<tr><td colspan="5">其余 {len(summary) - _NOTEBOOK_SITES} 个地块见 .summary</td></tr>')
    meta = findings.meta
    title = f"{escape(text(meta.get('title') or meta.get('plan')))}，核查日期 {escape(text(meta.get('on')))}"
    notices = "".join(f'<p style="color:#b00020">{escape(text(notice))}</p>' for notice in _notices(findings))
    once = "".join(f"<p>{escape(line)}</p>" for line in plan_lines(findings))
    first = escape(repr(text(summary.index[0]))) if len(summary) else ""
    head = "".join(
        f'<th style="text-align:left">{name}</th>' for name in ("地块", "名称", "结论", "未决", "缺图层、待定")
    )
    return (
        f"<div><p><b>{title}</b>：{len(summary)} 个地块，{len(findings.rules)} 条规则</p>{notices}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>{once}"
        f"<p>逐条：<code>.table({first})</code>　地图：<code>.map()</code>　"
        f'写出：<code>.write("out")</code></p></div>'
    )
