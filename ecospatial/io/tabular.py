"""Tables in CSV and XLSX, with text left as text: a code such as 0701 never becomes a number."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import read_text, shown
from ecospatial.io.xlsx import ROWS, cell_text, sheet_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COLUMNS, _CELL, _NAME = 500, 20_000_000, 200
_HEAD_ROWS = 20


def plain_name(name: object) -> str:
    """Bring the name of a column into the form it is looked up by: no width, case, blanks or unit.

    Examples
    --------
    >>> plain_name(" Ｘ坐标（m）"), plain_name("Site_ID")
    ('x坐标', 'site_id')
    """
    text = unicodedata.normalize("NFKC", str(name)[:_NAME]).lower()  # cells are looked up too, however long
    return re.sub(r"\(.*?\)|\[.*?\]|\s|\ufeff", "", text)


def read_table(path: Path, *, known: Iterable[str], sheet: str | None = None) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path
        A .csv or .xlsx file. CSV in UTF-8 or GB18030, separated by commas, tabs or semicolons; of a workbook the
        one sheet that is not empty, or the one that is named.
    known
        Names of columns as from ``plain_name``; the row among the first twenty with most of them is the header.
    sheet
        The sheet of a workbook that has several.

    Returns
    -------
    DataFrame
        Indexed by the row in the file. Cells are text, or None when empty; only what Excel itself holds as a
        number is a number. ``attrs["titles"]`` are the texts above the header.

    Raises
    ------
    SiteError
        The file is broken or too large, has several filled sheets, formulas that were never computed, a name
        of a column twice, or cells beyond the header.
    """
    known = frozenset(known)
    rows = _csv_rows(path, known) if path.suffix.lower() == ".csv" else sheet_rows(path, sheet=sheet)
    filled = [(row, cells) for row, cells in rows if any(cell is not None for cell in cells)]
    if not filled:
        raise SiteError(Problem(path.name, None, "表格是空的", "请核对文件"))
    headers = [_names(filled, i) for i in range(min(len(filled), _HEAD_ROWS))]
    matches = [len({plain_name(name) for name in names} & known) for names in headers]
    head = matches.index(max(matches))
    names = headers[head]
    faults = _name_faults(names, path.name, filled[head][0])
    width = len(names)
    for row, cells in filled[head + 1 :]:
        if any(cell is not None for cell in cells[width:]):
            faults.append(Problem(path.name, row, "这一行的单元格多于表头", "请核对逗号或补全表头"))
    if faults:
        raise SiteError(faults)
    body = [[*cells[:width], *[None] * (width - len(cells))] for _, cells in filled[head + 1 :]]
    index = pd.Index([row for row, _ in filled[head + 1 :]], name="row")
    frame = pd.DataFrame(body, columns=pd.Index(names, dtype=object), index=index, dtype=object)
    kept = frame[[name for name in names if name]]
    kept.attrs["titles"] = [str(cell) for _, cells in filled[:head] for cell in cells if isinstance(cell, str)]
    return kept


def _names(filled: list[tuple[int, list[Any]]], head: int) -> list[str]:
    """Read the header; a cell merged with the row above has its text there."""
    above = filled[head - 1][1] if head else []
    cells = filled[head][1]
    last = max(i for i, cell in enumerate(cells) if cell is not None)
    span = range(max(last + 1, len(above) if _is_head(above) else 0))
    upper = above if _is_head(above) else []
    found = [_at(cells, i) if _at(cells, i) is not None else _at(upper, i) for i in span]
    return ["" if name is None else str(name) for name in found]


def _is_head(cells: list[Any]) -> bool:
    # A title over the table is one cell; the upper row of a double header has several.
    return sum(cell is not None for cell in cells) > 1


def _at(cells: list[Any], i: int) -> Any:
    return cells[i] if i < len(cells) else None


def _name_faults(names: list[str], file: str, row: int) -> list[Problem]:
    filled = [name for name in names if name]
    twice = sorted({name for name in filled if filled.count(name) > 1})
    faults = [Problem(file, row, f"列名“{shown(name)}”出现两次", "请改名或删去一列") for name in twice]
    if len(names) > _COLUMNS:
        faults.append(Problem(file, row, "列数过多", f"最多 {_COLUMNS} 列"))
    return faults


# ------------------------------------------------------------------------------------------------ CSV


def _csv_rows(path: Path, known: frozenset[str]) -> list[tuple[int, list[Any]]]:
    text = read_text(path)
    start = text[:20000].splitlines()[:_HEAD_ROWS]
    mark = max(",\t;", key=lambda sign: (_most_known(start, sign, known), sum(line.count(sign) for line in start)))
    rows: list[tuple[int, list[Any]]] = []
    usual = csv.field_size_limit(_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        begin = 1
        for cells in reader:
            rows.append((begin, [cell_text(cell) for cell in cells]))
            begin = reader.line_num + 1
            if len(rows) > ROWS:
                raise SiteError(Problem(path.name, None, "行数过多", f"最多 {ROWS} 行，请拆分"))
    except csv.Error as error:
        raise SiteError(Problem(path.name, len(rows) + 1, "CSV 格式有误（引号不成对）", "请重新导出")) from error
    finally:
        csv.field_size_limit(usual)
    return rows


def _most_known(lines: list[str], mark: str, known: frozenset[str]) -> int:
    found = (len({plain_name(cell.strip('"')) for cell in line.split(mark)} & known) for line in lines)
    return max(found, default=0)
