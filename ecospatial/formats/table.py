"""Tables in CSV and XLSX, with text left as text: a code such as 0701 never becomes a number."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import struct
import unicodedata
import warnings
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial.errors import Problem, SiteError
from ecospatial.formats.text import read_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ROWS, _COLUMNS, _CELL, _UNPACKED = 200_000, 500, 20_000_000, 400 * 1024**2
_HEAD_ROWS = 20
# What openpyxl raises on files that are not what they should be.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    SyntaxError,
    ArithmeticError,
    RuntimeError,
)


def plain_name(name: object) -> str:
    """Bring the name of a column into the form it is looked up by: no width, case, blanks or unit.

    Examples
    --------
    >>> plain_name(" Ｘ坐标（m）"), plain_name("Site_ID")
    ('x坐标', 'site_id')
    """
    text = unicodedata.normalize("NFKC", str(name)).lower()
    return re.sub(r"\(.*?\)|\[.*?\]|\s|\ufeff", "", text)


def read_table(path: Path, *, known: Iterable[str]) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path
        A .csv or .xlsx file. CSV in UTF-8 or GB18030, separated by commas, tabs or semicolons; of a workbook the
        one sheet that is not empty.
    known
        Names of columns as from ``plain_name``; the row among the first twenty with most of them is the header.

    Returns
    -------
    DataFrame
        Indexed by the row in the file. Cells are text, or None when empty; only what Excel itself holds as a
        number is a number.

    Raises
    ------
    SiteError
        The file is broken or too large, has several filled sheets, formulas that were never computed, a name
        of a column twice, or cells beyond the header.
    """
    known = frozenset(known)
    rows = _csv_rows(path, known) if path.suffix.lower() == ".csv" else _xlsx_rows(path)
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
    return frame[[name for name in names if name]]


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


def _text(value: str) -> str | None:
    # ="0701" is how a code is kept as text in a CSV that Excel opens.
    quoted = re.fullmatch(r'="(.*)"', value.strip())
    return (quoted.group(1) if quoted else value.strip()) or None


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
            rows.append((begin, [_text(cell) for cell in cells]))
            begin = reader.line_num + 1
            if len(rows) > _ROWS:
                raise SiteError(Problem(path.name, None, "行数过多", f"最多 {_ROWS} 行，请拆分"))
    except csv.Error as error:
        raise SiteError(Problem(path.name, len(rows) + 1, "CSV 格式有误（引号不成对）", "请重新导出")) from error
    finally:
        csv.field_size_limit(usual)
    return rows


def _most_known(lines: list[str], mark: str, known: frozenset[str]) -> int:
    found = (len({plain_name(cell.strip('"')) for cell in line.split(mark)} & known) for line in lines)
    return max(found, default=0)


# ----------------------------------------------------------------------------------------------- XLSX


def _xlsx_rows(path: Path) -> list[tuple[int, list[Any]]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _refuse_bomb(path)
            return _sheet_rows(path)
    except _BROKEN as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(path.name, None, "工作簿已损坏或格式有误", "请在 Excel 中另存为 .xlsx")) from error


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > _UNPACKED:
            raise SiteError(Problem(path.name, None, "工作簿过大", "请拆分后分别读入"))


def _sheet_rows(path: Path) -> list[tuple[int, list[Any]]]:
    import openpyxl

    found: dict[str, list[tuple[int, list[Any]]]] = {}
    faults: list[Problem] = []
    # From memory: openpyxl leaves a file open when it fails on it.
    content = path.read_bytes()
    values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    try:
        for sheet, source in zip(values.worksheets, formulas.worksheets, strict=True):
            for part in (sheet, source):
                part.reset_dimensions()  # the range that a file declares for itself is often wrong
            rows: list[tuple[int, list[Any]]] = []
            for row, (cells, written) in enumerate(zip(sheet.iter_rows(), source.iter_rows(), strict=False), 1):
                _refuse_formulas(cells, written, path.name, faults)
                rows.append((row, [_cell(cell) for cell in cells]))
                if row > _ROWS:
                    raise SiteError(Problem(path.name, None, "行数过多", f"最多 {_ROWS} 行，请拆分"))
            if any(cell is not None for _, cells in rows for cell in cells):
                found[sheet.title] = rows
    finally:
        values.close()
        formulas.close()
    if len(found) > 1:
        listed = "、".join(shown(name) for name in found)
        faults.append(Problem(path.name, None, f"有 {len(found)} 张非空工作表：{listed}", "请只保留一张"))
    if faults:
        raise SiteError(faults)
    return next(iter(found.values()), [])


def _refuse_formulas(cells: Iterable[Any], written: Iterable[Any], file: str, faults: list[Problem]) -> None:
    for cell, source in zip(cells, written, strict=False):
        if source.data_type == "f" and cell.value is None:
            way = "请在 Excel 中打开并保存，或粘贴为数值"
            faults.append(Problem(file, cell.row, f"{cell.coordinate} 是没有计算结果的公式", way))
        elif cell.data_type == "e":
            fault = f"{cell.coordinate} 是错误值 {shown(cell.value)}"
            faults.append(Problem(file, cell.row, fault, "请更正"))


def _cell(cell: Any) -> Any:
    value = cell.value
    if value is None or isinstance(value, str):
        return None if value is None else _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, (int, float)):
        zeros = re.fullmatch("0{2,}", cell.number_format or "")
        whole = int(value) if float(value).is_integer() else value
        # A code shown with leading zeros by its format is meant with them.
        return str(whole).zfill(len(zeros.group())) if zeros and isinstance(whole, int) else whole
    return str(value)
