"""Workbooks (.xlsx): looked through before they are read, then the one sheet that counts."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Rows = list[tuple[int, list[Any]]]

ROWS = 100_000
_UNPACKED, _CELLS, _WORDS, _MERGES = 100 * 1024**2, 1_000_000, 200_000, 20_000
_COLUMNS = 1000
_CHUNK, _OVERLAP = 1024**2, 64
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_SHEETS = "xl/worksheets/"
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
    expat.ExpatError,
)


@dataclass(slots=True)
class _Look:
    """What a workbook holds, counted in its bytes: before a reader makes objects of all of it."""

    rows: int = 0
    cells: int = 0
    words: int = 0
    formulas: bool = False
    merges: dict[str, list[tuple[str, int, str, int]]] = field(default_factory=dict)


def sheet_rows(path: Path, *, sheet: str | None) -> Rows:
    """Read the sheet of a workbook that is not empty, or the one that is named.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Its name, needed when several sheets hold something.

    Returns
    -------
    list
        Number and cells of each row that is not empty; a cell merged over several rows stands in each of them.

    Raises
    ------
    SiteError
        The workbook is broken, too large, or has formulas that were never computed; which sheet counts is open.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(path, _looked(path), sheet)
    except _BROKEN as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(path.name, None, "工作簿已损坏或格式有误", "请在 Excel 中另存为 .xlsx")) from error


# ------------------------------------------------------------------------------------ before it is read


def _looked(path: Path) -> _Look:
    look = _Look()
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(info.file_size for info in members) > _UNPACKED or len(members) > 2000:
            raise SiteError(Problem(path.name, None, "工作簿过大", "请拆分后分别读入"))
        left = _UNPACKED
        for info in members:
            if info.filename.endswith((".xml", ".rels")):
                left -= _look_at(archive, info.filename, look, left)
                if left < 0:  # the sizes in the directory of the archive may lie
                    raise SiteError(Problem(path.name, None, "工作簿过大", "请拆分后分别读入"))
    if look.rows > ROWS:
        way = "请选中数据下方的空行，整行删除后另存"
        raise SiteError(Problem(path.name, None, f"工作表有 {look.rows} 行，最多 {ROWS} 行", way))
    if look.cells > _CELLS or look.words > _WORDS:
        raise SiteError(Problem(path.name, None, "工作簿过大", "请拆分后分别读入"))
    return look


def _look_at(archive: zipfile.ZipFile, name: str, look: _Look, left: int) -> int:
    """Count in one member; a document type, which no workbook needs, makes it a broken one."""
    size, tail, merges = 0, b"", []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda *_: state.append(True)
    state: list[bool] = []
    with archive.open(name) as file:
        while block := file.read(_CHUNK):
            if not state:  # only what stands before the first element can be a document type
                parser.Parse(block[:_CHUNK], False)
            size += len(block)
            if size > left:
                break
            part = tail + block
            if name.startswith(_SHEETS):
                fresh = len(tail)
                look.rows += _count(part, b"<row", fresh)
                look.cells += _count(part, b"<c ", fresh)
                look.formulas = look.formulas or b"<f>" in part or b"<f " in part
                merges += [found.groups() for found in _MERGED.finditer(part) if found.end() > fresh]
            look.words += _count(part, b"<si>", len(tail)) if name.endswith("sharedStrings.xml") else 0
            tail = part[-_OVERLAP:]
    look.merges[name] = [
        (first.decode(), int(top), last.decode(), int(bottom)) for first, top, last, bottom in merges[:_MERGES]
    ]
    return size


def _count(part: bytes, mark: bytes, fresh: int) -> int:
    # What lies wholly in the bytes kept from the block before was counted there.
    return part.count(mark) - part[:fresh].count(mark)


def _refuse(*_: object) -> None:
    raise ValueError("DOCTYPE")


# --------------------------------------------------------------------------------------------- reading


def _read(path: Path, look: _Look, wanted: str | None) -> Rows:
    import openpyxl

    # From memory: openpyxl leaves a file open when it fails on it.
    content = path.read_bytes()
    values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    formulas = None
    if look.formulas:
        formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    found: dict[str, Rows] = {}
    faults: dict[str, list[Problem]] = {}
    try:
        sheets = values.worksheets
        sources = sheets if formulas is None else formulas.worksheets
        for sheet, source in zip(sheets, sources, strict=True):
            faults[sheet.title] = []
            rows = _sheet(sheet, source, path.name, faults[sheet.title])
            if rows:
                place = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
                _fill_merged(rows, look.merges.get(place, []))
                found[sheet.title] = rows
    finally:
        values.close()
        if formulas is not None:
            formulas.close()
    return _chosen(found, faults, wanted, path.name)


def _chosen(found: dict[str, Rows], faults: dict[str, list[Problem]], wanted: str | None, file: str) -> Rows:
    listed = "、".join(shown(name) for name in found)
    several = len(found) > 1
    if wanted is not None and several and wanted not in found:
        raise SiteError(Problem(file, None, f"没有工作表“{shown(wanted)}”", f"非空的工作表：{listed}"))
    name = wanted if wanted in found else next(iter(found), None)
    wrong = [problem for title, own in faults.items() for problem in own if title == name or wanted is None]
    if several and wanted is None:
        way = "请用 --layer（layer=）指明一张，或只保留一张"
        wrong.append(Problem(file, None, f"有 {len(found)} 张非空工作表：{listed}", way))
    if wrong:
        raise SiteError(wrong)
    return [] if name is None else found[name]


def _sheet(sheet: Any, source: Any, file: str, faults: list[Problem]) -> Rows:
    for part in {id(sheet): sheet, id(source): source}.values():
        part.reset_dimensions()  # the range that a file declares for itself is often wrong
    rows: Rows = []
    pairs = ((c, c) for c in sheet.iter_rows()) if sheet is source else zip(
        sheet.iter_rows(), source.iter_rows(), strict=False
    )  # fmt: skip
    for row, (cells, written) in enumerate(pairs, 1):
        if not cells:
            continue
        if len(cells) > _COLUMNS:
            raise SiteError(Problem(file, row, "列数过多", f"最多 {_COLUMNS} 列"))
        _refuse_formulas(cells, written, file, faults)
        read = [_cell(cell) for cell in cells]
        if any(cell is not None for cell in read):
            rows.append((row, read))
    return rows


def _fill_merged(rows: Rows, merges: list[tuple[str, int, str, int]]) -> None:
    """Repeat a cell that is merged over several rows in each row; one merged over columns stays in the first."""
    at = dict(rows)
    for first, top, _, bottom in merges:
        column = sum((ord(letter) - 64) * 26**i for i, letter in enumerate(reversed(first))) - 1
        if top not in at or column >= len(at[top]) or at[top][column] is None:
            continue
        for row in range(top + 1, min(bottom, rows[-1][0]) + 1):
            if row in at:
                at[row].extend([None] * (column + 1 - len(at[row])))
                at[row][column] = at[top][column]


def _refuse_formulas(cells: Iterable[Any], written: Iterable[Any], file: str, faults: list[Problem]) -> None:
    for cell, source in zip(cells, written, strict=False):
        if source.data_type == "f" and cell.value is None:
            way = "请在 Excel 中打开并保存，或粘贴为数值"
            faults.append(Problem(file, cell.row, f"{cell.coordinate} 是没有计算结果的公式", way))
        elif cell.data_type == "e":
            fault = f"{cell.coordinate} 是错误值 {shown(cell.value)}"
            faults.append(Problem(file, cell.row, fault, "请更正"))


def cell_text(value: str) -> str | None:
    """Give text of a cell without what only keeps it text; None when nothing is left."""
    # ="0701" is how a code is kept as text in a CSV that Excel opens.
    quoted = re.fullmatch(r'="(.*)"', value.strip())
    return (quoted.group(1) if quoted else value.strip()) or None


def _cell(cell: Any) -> Any:
    value = cell.value
    if value is None or isinstance(value, str):
        return None if value is None else cell_text(value)
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
