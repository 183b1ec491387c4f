"""An audit as tables for a person: a frame with Chinese headers, plain text for the terminal, a cell of a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.errors import EcospatialError, Problem
from ecospatial.export._format import plain, text
from ecospatial.export.summary import width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ecospatial.audits.audit import Audit

COLOURS = {"missed": "#d55e00", "fault": "#d55e00", "cannot_tell": "#cc79a7", "note": "#8c8c8c", "met": "#009e73"}
_TOLD_LINES = 40


def number(value: object, unit: str = "") -> str:
    """Write a figure with as many digits as mean something, and its unit; unknown is empty.

    Examples
    --------
    >>> number(85.9876, "km2"), number(219.0, "个"), number(300000.0), number(None), number(0.000926)
    ('85.9876 km²', '219 个', '300,000', '', '0.000926')
    """
    found = plain(value)
    if found is None:
        return ""
    size = abs(found)
    decimals = 0 if found == round(found) else 4 if size >= 0.1 else 6
    written = f"{found:,.{decimals}f}"
    if decimals:
        written = written.rstrip("0").rstrip(".")
    return f"{written} {unit_text(unit)}".strip()


def unit_text(unit: str) -> str:
    """Write a unit as it is printed; the unit of a plain ratio is none.

    Examples
    --------
    >>> unit_text("km2"), unit_text("万m3/d"), unit_text("m2/人"), unit_text("1")
    ('km²', '万 m³/d', 'm²/人', '')
    """
    shown = "" if unit == "1" else unit.replace("m2", "m²").replace("m3", "m³")
    return f"万 {shown[1:]}" if shown.startswith("万m") else shown


def counts(audit: Audit, checks: Iterable[str] | None = None) -> dict[str, int]:
    """Count rows by status, in the order of their weight.

    Parameters
    ----------
    audit
        What ``audit`` returned.
    checks
        Only these.
    """
    frame = audit.frame if checks is None else audit.frame[audit.frame["check"].isin(list(checks))]
    found = frame["status"].value_counts()
    return {status: int(found.get(status, 0)) for status in STATUSES}


def headline(audit: Audit) -> str:
    """Say in one sentence how the plan stands.

    What could not be told stands beside what is right, so that it never reads as right.
    """
    figures = counts(audit, ("target",))
    rest = counts(audit, [check for check in CHECKS if check != "target"])
    absent = counts(audit, ("layer",))["cannot_tell"]
    told = f"公布指标：相符 {figures['met']} 项、不符 {figures['missed']} 项、无法判断 {figures['cannot_tell']} 项"
    told += f"；一致性：有误 {rest['fault']} 处、说明 {rest['note']} 处、无法判断 {rest['cannot_tell'] - absent} 项"
    return told + (f"；未取得的图层 {absent} 个" if absent else "")


def table(audit: Audit, check: str | None = None) -> pd.DataFrame:
    """Show the rows of an audit with Chinese headers.

    Parameters
    ----------
    audit
        What ``audit`` returned.
    check
        Only the rows of this check, by its name in ``CHECKS``.

    Raises
    ------
    EcospatialError
        There is no such check.
    """
    if check is not None and check not in CHECKS:
        raise EcospatialError(Problem("", None, f"没有 {check} 这项核对", f"可选：{'、'.join(CHECKS)}"))
    frame = pd.DataFrame(audit.frame.drop(columns="geometry"))
    frame = frame if check is None else frame[frame["check"] == check]
    shown = {
        "核对": frame["check"].map(CHECKS),
        "对象": frame["subject"],
        "名称": frame["title"],
        "结论": frame["status"].map(STATUSES),
        "数值": frame["value"],
        "单位": frame["unit"],
        "公布数": frame["target"],
        "相差": frame["difference"],
        "容差": frame["tolerance"],
        "面积（平方米）": frame["area_m2"],
        "大小": frame["size_class"].map(SIZES).fillna(""),
        "图层": frame["layer"],
        "要素": frame["features"],
        "横坐标（东）": frame["x_m"],
        "纵坐标（北）": frame["y_m"],
        "说明": frame["reason"],
        "依据": frame["cite"],
    }
    return pd.DataFrame(shown).reset_index(drop=True)


def summary_text(audit: Audit) -> str:
    """Write an audit as plain text for a terminal: the figures, then what is wrong, then what can not be told."""
    frame, meta = audit.frame, audit.meta
    lines = [f"{_one_line(meta['title'])}，核对日期 {meta['on']}", headline(audit), ""]
    figures = frame[frame["check"] == "target"]
    rows = [("指标", "名称", "公布数", "量得", "结论")]
    for row in figures.to_dict("records"):
        published, measured = number(row["target"], row["unit"]), number(row["value"], row["unit"])
        rows.append((row["subject"], _one_line(row["title"]), published, measured, STATUSES[row["status"]]))
    lines += [_aligned(rows), ""] if len(rows) > 1 else []
    open_ = figures[figures["status"].isin(["missed", "cannot_tell"])].to_dict("records")
    lines += [f"  {row['subject']} {STATUSES[row['status']]}：{_one_line(row['reason'])}" for row in open_]
    lines += [""] if open_ else []
    others = frame[frame["check"] != "target"]
    for status in ("fault", "cannot_tell"):
        found = others[others["status"] == status]
        if len(found):
            lines.append(f"{STATUSES[status]}：")
            told = found.head(_TOLD_LINES).to_dict("records")
            lines += [f"  [{CHECKS[r['check']]}] {_one_line(r['subject'])}：{_one_line(r['reason'])}" for r in told]
            lines += [f"  另有 {len(found) - _TOLD_LINES} 处，见 --out 的报告"] if len(found) > _TOLD_LINES else []
    return "\n".join([*lines, *(f"注意：{_one_line(notice)}" for notice in meta["notices"])])


def notebook_html(audit: Audit) -> str:
    """Show an audit in a notebook: headline, figures, what is wrong, how to go on; every text escaped."""
    frame, meta = audit.frame, audit.meta
    figures = frame[frame["check"] == "target"].to_dict("records")
    wrong = frame[(frame["check"] != "target") & (frame["status"] == "fault")].head(20).to_dict("records")
    head = _row("th", ("指标", "公布数", "量得", "结论", "说明"))
    body = [
        _row(
            "td",
            (
                escape(text(row["title"])),
                number(row["target"], escape(row["unit"])),
                number(row["value"], escape(row["unit"])),
                _chip(row["status"]),
                escape(text(row["reason"])),
            ),
        )
        for row in figures
    ]
    faults = [
        _row(
            "td",
            (CHECKS[row["check"]], escape(text(row["subject"])), _chip(row["status"]), escape(text(row["reason"]))),
        )
        for row in wrong
    ]
    notices = "".join(f'<p style="color:#b00020">{escape(text(notice))}</p>' for notice in meta["notices"])
    title = f"{escape(text(meta['title']))}，核对日期 {escape(text(meta['on']))}"
    below = f"<table><tbody>{''.join(faults)}</tbody></table>" if faults else ""
    return (
        f"<div><p><b>{title}</b>：{headline(audit)}</p>{notices}"
        f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>{below}"
        f"<p>全部：<code>.frame</code>、<code>.table()</code>　台账：<code>.ledger</code>　地图：<code>.map()</code>　"
        f'写出：<code>.write("out")</code></p></div>'
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f'<{tag} style="text-align:left">{cell}</{tag}>' for cell in cells) + "</tr>"


def _chip(status: str) -> str:
    colour = COLOURS[status]
    return f'<span style="background:{colour};color:#000;padding:0 .5em;white-space:nowrap">{STATUSES[status]}</span>'


def _one_line(value: Any) -> str:
    # A terminal obeys control characters, and a name from a file may hold some.
    return "".join(letter if letter.isprintable() else " " for letter in text(value))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
