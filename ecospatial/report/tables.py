"""Findings as tables for a person: a frame with Chinese headers, plain text for the terminal, a cell of a notebook."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from ecospatial import model
from ecospatial.errors import Problem, SiteError
from ecospatial.report.values import counts, headline, records, text, unverified_counts, verdict_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecospatial.checking import Findings

_NOTEBOOK_SITES, _NOTEBOOK_FINDINGS = 20, 60
_WHOSE = ["地块编号", "地块名称"]
_CERTAIN = {True: "", False: "边界存疑，需现场核定"}


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort findings by verdict, worst first; equal ones keep their order."""
    return frame.sort_values("verdict", ascending=False, kind="stable")


def doubtful(frame: pd.DataFrame) -> pd.Series[bool]:
    """Tell which findings rest on a line that may be elsewhere: measured, but not certain."""
    measured = frame["margin_m"].notna() | frame["distance_m"].notna()
    asked = ~frame["verdict"].isin(["no_data", "not_applicable"])
    return measured & asked & ~frame["certain"].astype(bool)


def _chip(label: str) -> str:
    """Write a verdict with its colour and its letter; what is no verdict stays plain."""
    found = next((verdict for verdict in model.VERDICTS.values() if verdict.label == label), None)
    if found is None:
        return escape(label)
    return (
        f'<span style="background:{found.colour};color:#000;padding:0 .5em;white-space:nowrap">'
        f"<b>{found.letter}</b> {found.label}</span>"
    )


def _mark(label: str) -> str:
    if label != model.STATUS_LABELS["schematic"]:
        return escape(label)
    return f'<span style="border:1px solid;color:#6a3d9a;padding:0 .4em;white-space:nowrap">{label}</span>'


class Table(pd.DataFrame):
    """A table of findings: an ordinary frame that shows verdicts in their colours in a notebook.

    Whatever is made from it is an ordinary frame again.
    """

    def _repr_html_(self) -> str:
        shown = pd.DataFrame(self.head(_NOTEBOOK_FINDINGS))
        title, names = "", [str(name) for name in shown]
        if names[:2] == _WHOSE and len(set(self["地块编号"])) == 1:  # one site: said once, above
            title, names = "　".join(dict.fromkeys(escape(text(cell)) for cell in shown.iloc[0, :2])), names[2:]
        ways = {"判定": _chip, "图层状态": _mark}
        columns = [[ways.get(name, escape)(text(cell)) for cell in shown[name].astype(object)] for name in names]
        head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in names)
        cell = '<td style="text-align:left;vertical-align:top">'
        rows = "".join(
            f"<tr>{''.join(cell + found + '</td>' for found in row)}</tr>" for row in zip(*columns, strict=True)
        )
        rest = f"<p>其余 {len(self) - len(shown)} 条未显示</p>" if len(self) > len(shown) else ""
        heading = f"<p><b>{title}</b></p>" if title else ""
        return f"<div>{heading}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}</div>"


def table(findings: Findings, site_id: str | None = None) -> Table:
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
    shown = {
        "地块编号": frame["site_id"].astype(object),
        "地块名称": frame["site_name"].astype(object),
        "判定": frame["verdict"].astype(object).map(verdict_label),
        "存疑": doubtful(frame).map({True: _CERTAIN[False], False: _CERTAIN[True]}),
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
    return Table(pd.DataFrame(shown).reset_index(drop=True))


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
    """Write the answers as plain text for a terminal: one line per site, then the notices.

    Columns are aligned for Chinese characters; control characters in names become spaces.
    """
    waiting = unverified_counts(findings.frame)
    rows = [("地块", "名称", "最重判定", "结论")]
    for record in records(findings.summary.reset_index()):
        sentence = headline(counts(record), record["decided"], unverified=waiting.get(record["site_id"], 0))
        rows.append(
            (_one_line(record["site_id"]), _one_line(record["site_name"]), verdict_label(record["verdict"]), sentence)
        )
    meta = findings.meta
    head = f"{_one_line(meta.get('title') or meta.get('plan'))}，核查日期 {_one_line(meta.get('on'))}"
    notices = [f"注意：{_one_line(notice)}" for notice in _notices(findings)]
    return "\n".join([head, _aligned(rows), *notices])


def notebook_html(findings: Findings) -> str:
    """Show the answers in a notebook: headline, a small table, how to go on; every text escaped."""
    summary, waiting = findings.summary, unverified_counts(findings.frame)
    lines = []
    for record in records(summary.head(_NOTEBOOK_SITES).reset_index()):
        sentence = headline(counts(record), record["decided"], unverified=waiting.get(record["site_id"], 0))
        chips = (_chip(verdict_label(record["verdict"])), _chip(verdict_label(record["decided"])))
        cells = (escape(text(record["site_id"])), escape(text(record["site_name"])), *chips, sentence)
        lines.append("<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>")
    if len(summary) > _NOTEBOOK_SITES:
        lines.append(f'<tr><td colspan="5">其余 {len(summary) - _NOTEBOOK_SITES} 个地块见 .summary</td></tr>')
    meta = findings.meta
    title = f"{escape(text(meta.get('title') or meta.get('plan')))}，核查日期 {escape(text(meta.get('on')))}"
    notices = "".join(f'<p style="color:#b00020">{escape(text(notice))}</p>' for notice in _notices(findings))
    first = escape(repr(text(summary.index[0]))) if len(summary) else ""
    head = "".join(
        f'<th style="text-align:left">{name}</th>' for name in ("地块", "名称", "最重判定", "已判定", "结论")
    )
    return (
        f"<div><p><b>{title}</b>：{len(summary)} 个地块，{len(findings.rules)} 条规则</p>{notices}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        f"<p>逐条：<code>.table({first})</code>　地图：<code>.map()</code>　"
        f'写出：<code>.write("out")</code></p></div>'
    )
