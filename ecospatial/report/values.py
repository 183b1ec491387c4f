"""Values as they stand in outputs: plain ones for programs, Chinese ones for people.

The unit of an argument is in its name. Unknown stays unknown: None for programs, an empty text for people. Measures are
first rounded to what the files hold (a millimetre, 0.01 m2), so that a report made again from a file is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial import model

if TYPE_CHECKING:
    from collections.abc import Mapping


def plain(value: object) -> Any:
    """Turn a cell into what JSON knows; NaN, NaT, NA and infinity become None.

    Examples
    --------
    >>> plain(np.float64("nan")), plain(np.int64(3)), plain({"a": (1, np.nan)}), plain("七")
    (None, 3, {'a': [1, None]}, '七')
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value + 0.0 if np.isfinite(value) else None  # + 0.0: no "-0.0" in a file
    if isinstance(value, bool | int):
        return value
    # A lone surrogate (a name decoded badly) has no UTF-8 form and would stop every writer.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into one plain dict per row; the index is left out.

    Examples
    --------
    >>> records(pd.DataFrame({"a": [1, 2], "b": [0.5, None]}))
    [{'a': 1, 'b': 0.5}, {'a': 2, 'b': None}]
    """
    # By column: a row of mixed types taken as a series would turn integers and booleans into floats.
    columns = {str(name): [plain(cell) for cell in frame[name].astype(object)] for name in frame.columns}
    return [{name: cells[i] for name, cells in columns.items()} for i in range(len(frame))]


def text(value: object) -> str:
    """Turn a cell into text; unknown becomes the empty text.

    Examples
    --------
    >>> text(None), text(float("nan")), text(12), text("新孟河")
    ('', '', '12', '新孟河')
    """
    found = plain(value)
    return "" if found is None else str(found)


def printable(value: object, *, longest: int = 32767) -> str:
    r"""Turn a cell into text that Word and Excel can hold: no control characters, not longer than a cell of Excel.

    Examples
    --------
    >>> printable("a\x0bb"), printable(None), printable("一\n二")
    ('a b', '', '一\n二')
    """
    return "".join(letter if letter.isprintable() or letter in "\n\u3000" else " " for letter in text(value))[:longest]


def metres(length_m: object) -> str:
    """Write a length with one decimal; unknown is empty.

    Examples
    --------
    >>> metres(1612.44), metres(0.0), metres(None)
    ('1,612.4 m', '0.0 m', '')
    """
    found = plain(length_m)
    return "" if found is None else f"{round(found, 3):,.1f} m"


def square_metres(area_m2: object) -> str:
    """Write an area in square metres with two decimals; unknown is empty.

    Examples
    --------
    >>> square_metres(12345.678), square_metres(float("nan"))
    ('12,345.68 m²', '')
    """
    found = plain(area_m2)
    return "" if found is None else f"{found:,.2f} m²"


def mu(area_m2: object) -> str:
    """Write an area in 亩; 1 公顷 = 15 亩, hence 1 亩 = 10000/15 m2.

    Examples
    --------
    >>> mu(10000.0), mu(None)
    ('15.00 亩', '')
    """
    found = plain(area_m2)
    return "" if found is None else f"{round(found, 2) / model.MU_M2:,.2f} 亩"


def hectares(area_m2: object) -> str:
    """Write an area in 公顷 with four decimals, as parcel papers do.

    Examples
    --------
    >>> hectares(12345.6)
    '1.2346 公顷'
    """
    found = plain(area_m2)
    return "" if found is None else f"{round(found, 2) / 10000:,.4f} 公顷"


def certainty(row: Mapping[str, Any], site_accuracy_m: float | None = None) -> str:
    """Say in words how far the lines may be wrong before the answer changes, and whether they may.

    Parameters
    ----------
    row
        A finding: ``verdict``, ``certain``, ``margin_m`` and ``layer_accuracy_m``, unknown as None.
    site_accuracy_m
        Position error of the site itself.

    Examples
    --------
    >>> certainty({"verdict": "prohibited", "certain": True, "margin_m": 400.0, "layer_accuracy_m": 150.0}, 0.5)
    '余量 400.0 m，大于定位误差 150.5 m，可靠'
    >>> certainty({"verdict": "clear", "certain": False, "margin_m": 50.0, "layer_accuracy_m": 150.0})
    '余量 50.0 m，不大于定位误差 150.0 m，存疑'
    >>> certainty({"verdict": "clear", "certain": True, "margin_m": None, "layer_accuracy_m": None})
    '搜索范围内没有要素，可靠'
    """
    margin, accuracy = row["margin_m"], row["layer_accuracy_m"]
    if row["verdict"] == "no_data":
        return "未能量算，无从判断"
    if margin is None:
        if row["certain"]:
            return "搜索范围内没有要素，可靠"
        return "图层精度未知，存疑" if accuracy is None else "地块图形经较大修复，存疑"
    if accuracy is None:
        return f"余量 {metres(margin)}，图层精度未知，存疑"
    error = metres(accuracy + (site_accuracy_m or 0.0))
    if row["certain"]:
        return f"余量 {metres(margin)}，大于定位误差 {error}，可靠"
    if margin > accuracy + (site_accuracy_m or 0.0):
        return f"余量 {metres(margin)}，大于定位误差 {error}，而地块图形经较大修复，存疑"
    return f"余量 {metres(margin)}，不大于定位误差 {error}，存疑"


def verdict_label(verdict: object) -> str:
    """Give the Chinese word of a verdict; nothing decided is 未决.

    Examples
    --------
    >>> verdict_label("clear"), verdict_label(None)
    ('判定通过', '未决')
    """
    found = plain(verdict)
    return "未决" if found is None else model.VERDICTS[found].label


def counts(row: Mapping[str, Any]) -> dict[str, int]:
    """Count a site's findings by verdict, worst first, from its row of the summary.

    Examples
    --------
    >>> counts({"n_clear": 2, "n_prohibited": 1})["clear"]
    2
    """
    return {verdict: int(row.get(f"n_{verdict}", 0)) for verdict in reversed(model.VERDICTS)}


def headline(found: Mapping[str, int], decided: str | None, *, unverified: int = 0) -> str:
    """Say in one sentence what is decided and what is not; the second never hides behind the first.

    Parameters
    ----------
    found
        Number of findings by verdict.
    decided
        Worst of clear, restricted and prohibited, or None.
    unverified
        How many of the ``needs_facts`` are so because the rule itself is not verified.

    Examples
    --------
    >>> headline({"clear": 24, "no_data": 3, "needs_facts": 4}, "clear", unverified=4)
    '已判定：判定通过（24 条）；未决：数据缺失 3 条、规则未核实 4 条'
    >>> headline({"not_applicable": 2}, None)
    '已判定：无；未决：无'
    >>> headline({}, None)
    '未作判定：没有可用的规则'
    """
    if not sum(found.values()):
        return "未作判定：没有可用的规则"
    told = "无" if decided is None else f"{verdict_label(decided)}（{found.get(decided, 0)} 条）"
    open_ones = {
        "数据缺失": found.get("no_data", 0),
        "规则未核实": unverified,
        "待补充信息": found.get("needs_facts", 0) - unverified,
    }
    waiting = "、".join(f"{name} {number} 条" for name, number in open_ones.items() if number > 0)
    return f"已判定：{told}；未决：{waiting or '无'}"


def unverified_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Count, per site, the findings that wait for a rule to be verified."""
    waiting = frame[(frame["verdict"] == "needs_facts") & ~frame["verified"].astype(bool)]
    return {str(key): int(number) for key, number in waiting["site_id"].value_counts().items()}
