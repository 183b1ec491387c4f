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


def certainty_label(certainty: object) -> str:
    """Give the word of a certainty; empty where nothing was decided.

    Examples
    --------
    >>> certainty_label("schematic"), certainty_label(None)
    ('示意', '')
    """
    return model.CERTAINTIES.get(text(certainty), "")


def reliability(row: Mapping[str, Any], site_accuracy_m: float | None = None) -> str:
    """Say in words how far the lines may be wrong before the answer changes, and how far it can be relied on.

    Parameters
    ----------
    row
        A finding: ``certainty``, ``margin_m`` and ``layer_accuracy_m``, unknown as None.
    site_accuracy_m
        Position error of the site itself.

    Returns
    -------
    str
        Ends in the word of the certainty where there is one.

    Examples
    --------
    >>> reliability({"certainty": "reliable", "margin_m": 400.0, "layer_accuracy_m": 150.0}, 0.5)
    '余量 400.0 m，大于定位误差 150.5 m，可靠'
    >>> reliability({"certainty": "marginal", "margin_m": 50.0, "layer_accuracy_m": 150.0})
    '余量 50.0 m，不大于定位误差 150.0 m，临界'
    >>> reliability({"certainty": "reliable", "margin_m": None, "layer_accuracy_m": None})
    '搜索范围内没有要素，可靠'
    >>> reliability({"certainty": "schematic", "margin_m": 400.0, "layer_accuracy_m": 150.0})
    '余量 400.0 m，大于定位误差 150.0 m，而位置为推测，示意'
    >>> reliability({"certainty": None, "margin_m": None, "layer_accuracy_m": None})
    '未能判定，无从判断'
    """
    margin, accuracy, word = row["margin_m"], row["layer_accuracy_m"], certainty_label(row["certainty"])
    error_m = None if accuracy is None else accuracy + (site_accuracy_m or 0.0)
    if margin is None:
        told = "搜索范围内没有要素" if word else "未能判定"
    elif error_m is None:
        told = f"余量 {metres(margin)}，图层精度未知"
    else:
        told = f"余量 {metres(margin)}，{'大于' if margin > error_m else '不大于'}定位误差 {metres(error_m)}"
    if not word:
        return f"{told}，无从判断" if margin is None else told
    beyond = margin is None or (error_m is not None and margin > error_m)
    why = {"schematic": "位置为推测", "doubtful": "另有疑点，见说明", "marginal": "距覆盖范围的边界不足其精度"}
    cause = why.get(row["certainty"], "") if beyond or row["certainty"] in ("schematic", "doubtful") else ""
    return "，".join(part for part in (told, f"而{cause}" if cause else "", word) if part)


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


def answer(row: Mapping[str, Any]) -> str:
    """Give the headline of a site with the word of its certainty, from its row of the summary.

    Examples
    --------
    >>> answer({"headline": "prohibited", "certainty": "schematic"}), answer({"headline": "undecided"})
    ('判定不通过·示意', '尚不能判定')
    """
    return model.headline_text(row["headline"], plain(row.get("certainty")))


def waiting(row: Mapping[str, Any]) -> str:
    """Say how much of a site is still open, from its row of the summary.

    Examples
    --------
    >>> waiting({"n_open": 2, "n_missing": 3}), waiting({"n_open": 0, "n_missing": 0})
    ('未决 2 条；缺图层或依据待定 3 条', '未作判定：没有可用的规则')
    >>> waiting({"n_open": 0, "n_missing": 0, "n_clear": 3})
    '没有未决的规则'
    """
    if not any(counts(row).values()) and not row["n_open"] + row["n_missing"]:
        return "未作判定：没有可用的规则"
    told = [f"未决 {row['n_open']} 条"] if row["n_open"] else []
    told += [f"缺图层或依据待定 {row['n_missing']} 条"] if row["n_missing"] else []
    return "；".join(told) or "没有未决的规则"


def open_by_label(open_by: object) -> str:
    """Give the word for who has to answer; empty where nothing is open.

    Examples
    --------
    >>> open_by_label("data_owner"), open_by_label(None)
    ('数据管理单位', '')
    """
    return model.OPEN_BY.get(text(open_by), "")
