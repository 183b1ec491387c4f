"""Shapefiles: are their parts there and of one length, and in which encoding is their text.

GDAL believes the label (.cpg, language byte) and reads Chinese text as mojibake when the label is missing or
lies; and it reads as many records as the shortest part has. Both are settled here from the bytes.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

# Every byte is a character of this one and comes back as the same byte.
RAW = "ISO-8859-1"
_LABELS = {"936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "big5": "big5", "950": "big5", "65001": "utf-8"}
# Language bytes of the .dbf that name an encoding of Chinese text; 0 and 0x57 say nothing.
_LANGUAGES = {0x4D: "gb18030", 0x4F: "big5", 0x7A: "gb18030", 0x78: "big5"}
_SILENT = (0x00, 0x57)


def companion(path: Path, suffix: str) -> Path | None:
    """Find the companion of a shapefile, in whatever case its suffix is written."""
    found = (p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() == suffix)
    return next(iter(sorted(found)), None)


def check_parts(path: Path, name: str) -> None:
    """Refuse a shapefile whose parts are missing, cut off or contradict each other.

    Parameters
    ----------
    path
        The .shp.
    name
        How it is called in messages.

    Raises
    ------
    SiteError
        All faults found.
    """
    index, table = companion(path, ".shx"), companion(path, ".dbf")
    missing = [suffix for suffix, part in ((".shx", index), (".dbf", table)) if part is None]
    if index is None or table is None:
        fault = f"缺少同名的 {'、'.join(missing)}"
        raise SiteError(Problem(name, None, fault, "请连同 .shp、.shx、.dbf、.prj 一起提供"))
    fault = _fault(path.read_bytes(), index.read_bytes(), table)
    if fault:
        raise SiteError(Problem(name, None, fault, "请从原软件重新导出"))


def _fault(shapes: bytes, index: bytes, table: Path) -> str:
    if len(shapes) < 100 or len(index) < 100 or int.from_bytes(shapes[24:28], "big") * 2 > len(shapes):
        return ".shp 或 .shx 不完整"
    entries = np.frombuffer(index[100 : 100 + (len(index) - 100) // 8 * 8], dtype=">i4").reshape(-1, 2)
    starts, lengths = entries.astype(np.int64).T * 2
    if ((starts < 100) | (lengths < 4) | (starts + 8 + lengths > len(shapes)) | (starts % 4 != 0)).any():
        return ".shx 与 .shp 不一致"
    words = np.frombuffer(shapes[: len(shapes) // 4 * 4], dtype=">i4")
    if (words[starts // 4 + 1].astype(np.int64) * 2 != lengths).any():
        return ".shx 与 .shp 不一致"
    numbers = words[starts // 4].astype(np.int64)
    if not _in_order(numbers, starts):
        first = int(np.flatnonzero(numbers != np.arange(1, len(numbers) + 1))[0])
        return (
            f".shx 的第 {first + 1} 条指向 .shp 中记录号为 {numbers[first]} 的图形，"
            "图形与 .dbf 的属性对不上（.shx 顺序被改动）"
        )
    with table.open("rb") as file:
        head = file.read(12)
    rows, start, width = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    if len(head) < 12 or table.stat().st_size < start + rows * width:
        return ".dbf 不完整"
    if rows != len(entries):
        return f".dbf 有 {rows} 条记录，.shp 有 {len(entries)} 个图形，数量不一致"
    return ""


def _in_order(numbers: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> bool:
    """Tell whether the index gives the records of the .shp in the order of the rows of the .dbf.

    Each record holds the number of its row. Programs that edit in place append a record at the end and number it
    right; some number from 0, leave gaps, or write no numbers: then the records must follow each other.
    """
    if (numbers == np.arange(1, len(numbers) + 1)).all():
        return True
    follow = bool((np.diff(starts) > 0).all())
    return follow and (bool((np.diff(numbers) > 0).all()) or len(np.unique(numbers)) == 1)


def decode(frame: gpd.GeoDataFrame, path: Path, *, name: str, encoding: str | None) -> gpd.GeoDataFrame:
    """Decode names and text of a shapefile that was read with the encoding ``RAW``.

    Parameters
    ----------
    frame
        As read.
    path
        The .shp.
    name
        How it is called in messages.
    encoding
        What the caller says; None: strict UTF-8, then strict GB18030, then the label.

    Returns
    -------
    GeoDataFrame
        A new frame; ``attrs["notices"]`` says the encoding of a .shp where its label is missing or lies.

    Raises
    ------
    SiteError
        The text is in none of them.
    """
    widths = _widths(path)
    columns = [c for c in frame.columns if c != frame.geometry.name]
    texts = {c: frame[c].to_numpy(dtype=object) for c in columns if not np.issubdtype(_kind(frame[c]), np.number)}
    words = {(str(c).encode(RAW), 10) for c in columns}
    for column, values in texts.items():
        width = widths.get(str(column), 254)
        words |= {(str(value).encode(RAW), width) for value in values if isinstance(value, str)}
    odd = {word for word in words if not word[0].isascii()}
    chosen = encoding or _encoding(odd, path)
    if chosen is None or not _all_decode(odd, chosen):
        fault = "文字编码无法识别" if encoding is None else f"文字不是 {encoding} 编码"
        raise SiteError(Problem(name, None, fault, "请在原软件中按 UTF-8 导出，或在 .cpg 文件中写明编码"))
    result = frame.copy()
    for column, values in texts.items():
        width = widths.get(str(column), 254)
        result[column] = [_decoded(v.encode(RAW), width, chosen) if isinstance(v, str) else v for v in values]
    told = "" if encoding is not None or not odd or path.suffix.lower() != ".shp" else _told(path, chosen)
    result.attrs["notices"] = [f"{name}：{told}"] if told else []
    return result.rename(columns={c: _decoded(str(c).encode(RAW), 10, chosen) for c in columns})


def _kind(values: Any) -> Any:
    return values.dtype if isinstance(values.dtype, np.dtype) else np.dtype(object)


def _widths(path: Path) -> dict[str, int]:
    table = companion(path, ".dbf")
    raw = b"" if table is None else table.read_bytes()[:65536]
    fields = range(32, min(int.from_bytes(raw[8:10], "little"), len(raw)) - 31, 32)
    return {raw[i : i + 11].split(b"\0")[0].decode(RAW): raw[i + 16] for i in fields}


def _encoding(words: set[tuple[bytes, int]], path: Path) -> str | None:
    if _all_decode(words, "utf-8") and not _rather_chinese(words):
        return "utf-8"
    if _all_decode(words, "gb18030"):
        return "gb18030"
    label = _label(path)
    return label if label and _all_decode(words, label) else None


def _label(path: Path) -> str:
    """Give what the .cpg says, in the words of Python where they are known."""
    page = companion(path, ".cpg")
    label = "" if page is None else page.read_bytes()[:40].decode("ascii", errors="replace").strip().lower()
    return _LABELS.get(label.removeprefix("cp").removeprefix("ansi ").strip(), label)


def _told(path: Path, chosen: str) -> str:
    """Say which encoding was taken, where the label is missing or says another one."""
    table = companion(path, ".dbf")
    language = 0 if table is None else table.read_bytes()[29:30][0]
    label, spoken = _label(path), _LANGUAGES.get(language, "" if language in _SILENT else f"0x{language:02x}")
    if label:
        return "" if _one(label, chosen) else f".cpg 写明 {label.upper()}，与文字不符，按 {chosen.upper()} 读取"
    if spoken:
        return "" if spoken == chosen else f".dbf 的语言字节为 {spoken.upper()}，与文字不符，按 {chosen.upper()} 读取"
    return f"没有写明文字编码，按 {chosen.upper()} 读取"


def _one(label: str, chosen: str) -> bool:
    try:
        return codecs.lookup(label).name == codecs.lookup(chosen).name
    except LookupError:
        return False


def _rather_chinese(words: set[tuple[bytes, int]]) -> bool:
    """Tell whether text that passes as UTF-8 is GBK: no Chinese character as UTF-8, nothing else as GBK."""
    if not words or not _all_decode(words, "gb18030"):
        return False
    as_utf8 = "".join(_decoded(*word, "utf-8") for word in words)
    as_gbk = "".join(_decoded(*word, "gb18030") for word in words)
    return max(as_utf8) < "\u0800" and all(c.isascii() or "\u4e00" <= c <= "\u9fff" for c in as_gbk)


def _all_decode(words: set[tuple[bytes, int]], encoding: str) -> bool:
    try:
        for word, width in words:
            _decoded(word, width, encoding)
        codecs.lookup(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _decoded(word: bytes, width: int, encoding: str) -> str:
    """Decode strictly; only a character that the end of the field cuts in two is left out."""
    try:
        return word.decode(encoding)
    except UnicodeDecodeError as error:
        if len(word) >= width and error.start >= len(word) - 3:
            return word[: error.start].decode(encoding)
        raise
