"""What names and cells of a file say of its coordinates, in whatever format: GCJ-02, 西安80, 度分秒, a code."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.crs.parse import SHIFT_LABELS, label, parse_crs, same
from ecospatial.crs.transform import old_datum
from ecospatial.errors import CrsError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

# What the frames are called. A number alone (80, 54, 2000) is a year or a house; in a column that is called 坐标系
# it is a datum.
_FRAMES = (
    ("gcj02", re.compile(r"(?<![a-z])gcj(?:[-_ ]?0?2(?!\d)|(?![a-z]))|火星坐标|火星系|国测局坐标")),
    ("bd09", re.compile(r"bd[-_ ]?0?9(?![\d-])|百度坐标|百度经纬度")),
    ("xian80", re.compile(r"(?:19)?80\s*西安|西安\s*(?:19)?80|xi'?an[-_ ]?(?:19)?80|80坐标系|西安坐标系|80系")),
    ("beijing54", re.compile(r"(?:19)?54\s*北京|北京\s*(?:19)?54|beijing[-_ ]?(?:19)?54|54坐标系|北京坐标系|54系")),
    ("dms", re.compile(r"d{2,3}\.?mm\.?ss|度\.分\.?秒|度分秒|(?<![a-z])dms(?![a-z])")),
    ("local", re.compile(r"城市坐标|地方坐标|独立坐标|城建坐标|施工坐标")),
)
_WEB_MAPS = (("gcj02", re.compile(r"高德|腾讯|amap|gaode")), ("bd09", re.compile(r"百度|baidu")))
_MODERN = re.compile(r"cgcs[-_ ]?2000|2000\s*(?:国家|中国)?大地|国家\s*2000|大地\s*2000|2000坐标系|wgs[-_ ]?(?:19)?84")
_IN_COLUMN = (
    ("xian80", re.compile(r"^(?:19)?80(?:坐标)?$")),
    ("beijing54", re.compile(r"^(?:19)?54(?:坐标)?$")),
)
_CONVERTED = re.compile(r"转换?[为成到至]?|改为|->|→|_to_|-to-|(?<=[\d_-])2(?=wgs|cgcs|gcj|bd)")
_LABELS = {
    **SHIFT_LABELS,
    "xian80": "1980西安坐标系",
    "beijing54": "1954北京坐标系",
    "dms": "度分秒（ddd.mmss）",
    "local": "地方坐标系",
}
# Columns that are about coordinates; those of them that may hold a code of EPSG; those that tell where data is from.
_CODE_COLUMNS = frozenset(("坐标系", "坐标系统", "坐标系名称", "空间参考", "投影坐标系", "crs", "epsg", "srs", "srid"))
_CRS_COLUMNS = _CODE_COLUMNS | {
    *("坐标系类型", "坐标", "坐标类型", "坐标格式", "坐标来源", "坐标基准", "大地基准", "基准面", "投影", "datum"),
    *("coordsys", "coord_sys", "coordtype", "coord_type", "coordinate_system", "projection"),
}
_ORIGIN_COLUMNS = frozenset(
    ("来源", "数据来源", "底图", "底图来源", "data_source", "datasource", "备注", "说明", "remark", "remarks", "note")
)
_NAMED_COLUMNS = re.compile(r"编号|名称|^id$|_id$|name|代码|code")
_COORDINATE = re.compile(r"坐标|经度|纬度|lng|lon|lat|coord")
_CODE = re.compile(r"(?i)(?:epsg[:： ]*)?(\d{4,6})(?:\.0)?")
_OLD_WAY = "请由测绘单位转换为 2000 国家大地坐标系，或用 --crs 与 --towgs84 给出七参数、用 --four-params 给出四参数"
# A column of web map longitudes beside the geometry: its numbers are those of the geometry, or 200 to 700 m off.
_BESIDE_DEG, _NEAR_DEG = 5e-4, 0.05
_MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file says of its coordinates besides its CRS.

    ``fault`` says why they can not be used as they are; ``shift`` is ``gcj02`` or ``bd09`` where a column of
    coordinate systems says so in all rows; ``crs`` is what such a column says; ``modern`` tells whether CGCS2000 or
    WGS 84 is named.
    """

    fault: Problem | None = None
    shift: str | None = None
    crs: CRS | None = None
    modern: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    frame: str
    where: str
    row: int | str | None = None


def find_evidence(
    file: str,
    attributes: pd.DataFrame,
    geometry: NDArray[Any],
    *,
    names: Sequence[str] = (),
    declared: CRS | None = None,
    rows: Sequence[int | str | None] | None = None,
) -> Evidence:
    """Look through names and cells of a file for what they say of its coordinates.

    Parameters
    ----------
    file
        Its name, for messages; counts as a name too.
    attributes
        Its columns.
    geometry
        Its geometries as they stand in the file.
    names
        Further names: of the layer, heads of the file.
    declared
        The CRS that the file declares.
    rows
        Where the rows stand in the file; 1, 2, ... when not given.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"坐标系": ["西安80"]})
    >>> find_evidence("红线.shp", cells, np.array([shapely.Point(5e5, 3.52e6)])).fault.message
    '列“坐标系”写“西安80”（1980西安坐标系），到 2000 国家大地坐标系的转换参数未知，直接套用会有偏差'
    """
    vertices = shapely.get_coordinates(geometry)
    finite = vertices[np.isfinite(vertices).all(axis=1)]
    degrees = len(finite) > 0 and bool((np.abs(finite) <= 360.0).all())
    places = list(rows) if rows is not None else list(range(1, len(attributes) + 1))
    stem = re.sub(r"\.[A-Za-z0-9]{1,10}$", "", file)
    said = [*_in_names([stem], "文件名", degrees), *_in_names(names, "", degrees)]
    modern = any(_MODERN.search(_plain(name)) for name in (stem, *names))
    shift, crs = None, None
    for column in attributes.columns:
        plain = re.sub(r"\s", "", _plain(column))
        found = _in_names([str(column)], "列名", degrees and _COORDINATE.search(plain) is not None)
        cells = attributes[column]
        said += [one for one in found if not _is_beside(cells, geometry, one.frame, degrees=degrees)]
        words = _words(cells)
        if plain in _CRS_COLUMNS:
            own, problem = _in_crs_column(file, str(column), words, places, codes=plain in _CODE_COLUMNS)
            if problem is not None:
                return Evidence(fault=problem)
            modern = modern or own.modern
            shift, crs = own.shift or shift, own.crs if own.crs is not None else crs
            said += _in_cells(words, str(column), places, degrees, own_column=True)
        elif plain in _ORIGIN_COLUMNS:
            said += _in_cells(words, str(column), places, degrees, own_column=False)
        elif not _NAMED_COLUMNS.search(plain) and len(words) <= _MOST_WORDS:
            # A cell that is nothing but the name of a frame.
            whole = {word: row for word, row in words.items() if len(word) <= 12}
            said += _in_cells(whole, str(column), places, degrees=False, own_column=False)
    said = [one for one in said if not _is_declared(one.frame, declared)]
    if shift is not None and not {one.frame for one in said} - {shift}:
        if declared is None or declared.is_geographic:
            return Evidence(shift=shift, modern=False)
        fault = f"列中写 {SHIFT_LABELS[shift]}，而文件声明 {label(declared)}"
        return Evidence(fault=Problem(file, None, fault, "请核对坐标系，用 --crs 指明"))
    if said:
        return Evidence(fault=_fault(file, said[0], declared))
    if crs is not None and declared is not None and not same(crs, declared):
        fault = f"列中写 {label(crs)}，而文件声明 {label(declared)}"
        return Evidence(fault=Problem(file, None, fault, "请核对坐标系，用 --crs 指明"))
    return Evidence(crs=crs, modern=modern)


def _plain(text: object) -> str:
    return unicodedata.normalize("NFKC", str(text)[:200]).lower()


def _frames(text: object, *, web: bool) -> list[str]:
    """Name the frames a text speaks of; of one that tells of a conversion, those it leads to."""
    plain = _plain(text)
    last = _CONVERTED.split(plain)[-1]
    told = _MODERN.search(last) or last.strip().startswith("2000") or any(form.search(last) for _, form in _FRAMES)
    plain = last if last != plain and told else plain
    forms = (*_FRAMES, *_WEB_MAPS) if web else _FRAMES
    return list(dict.fromkeys(name for name, form in forms if form.search(plain)))


def _in_names(names: Iterable[str], what: str, degrees: bool) -> list[_Said]:
    return [_Said(frame, f"{what}“{_cut(name)}”") for name in names if name for frame in _frames(name, web=degrees)]


def _in_cells(
    words: dict[str, int], column: str, places: Sequence[int | str | None], degrees: bool, *, own_column: bool
) -> list[_Said]:
    found = []
    for word, at in words.items():
        frames = _frames(word, web=degrees)
        frames += [name for name, form in _IN_COLUMN if own_column and form.search(_plain(word))]
        found += [_Said(frame, f"列“{_cut(column)}”写“{_cut(word)}”", places[at]) for frame in frames]
    return found


def _words(cells: pd.Series[Any]) -> dict[str, int]:
    """List the different texts and whole numbers of a column, with the position of the first of each."""
    found: dict[str, int] = {}
    for at, value in enumerate(cells.tolist()):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, str) or (whole and not isinstance(value, bool)):
            found.setdefault(value.strip() if isinstance(value, str) else str(int(value)), at)
            if len(found) > _MOST_WORDS:
                break
    return {word: at for word, at in found.items() if word}


def _in_crs_column(
    file: str, column: str, words: dict[str, int], places: Sequence[int | str | None], *, codes: bool
) -> tuple[Evidence, Problem | None]:
    """Read a column that is called 坐标系: one frame for all rows."""
    meanings: dict[str, str] = {}
    found = Evidence()
    for word in words:
        frames = _frames(word, web=False)
        code = _CODE.fullmatch(word) if codes else None
        if code is not None:
            try:
                found = Evidence(crs=parse_crs(code.group(1))[0], modern=True)
            except CrsError as error:
                row = places[words[word]]
                return found, error.problems[0]._replace(file=file, row=row)
            meanings.setdefault(str(int(code.group(1))), word)
        elif len(frames) == 1 and frames[0] in SHIFT_LABELS:
            found = Evidence(shift=frames[0])
            meanings.setdefault(frames[0], word)
        elif not frames and _MODERN.search(_plain(word)):
            found = Evidence(modern=True)
            meanings.setdefault("modern", word)
        elif frames:
            meanings.setdefault(frames[0], word)
    if len(meanings) > 1:
        listed = "、".join(_cut(word) for word in list(meanings.values())[:5])
        fault = f"列“{_cut(column)}”的坐标系不一致：{listed}"
        return found, Problem(file, None, fault, "请按坐标系拆分为几个文件")
    return found, None


def _is_beside(cells: pd.Series[Any], geometry: NDArray[Any], frame: str, *, degrees: bool) -> bool:
    """Tell whether a column whose name speaks of a frame holds other coordinates than those of the geometry.

    The numbers of a column 高德经度 are those of the geometry, or, beside a geometry in another frame, some hundred
    metres off; a column of angles in text says nothing of the geometry.
    """
    import pandas as pd

    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    if np.isfinite(numbers).sum() < max(1.0, 0.5 * len(cells)):
        return frame == "dms"
    if not degrees:
        return bool((np.abs(numbers[np.isfinite(numbers)]) <= 180.0).all())
    bounds = shapely.bounds(geometry)
    off = np.full(len(numbers), np.inf)
    for low, high in ((bounds[:, 0], bounds[:, 2]), (bounds[:, 1], bounds[:, 3])):
        off = np.fmin(off, np.maximum(np.maximum(low - numbers, numbers - high), 0.0))
    far = float(np.nanmedian(off[np.isfinite(numbers)]))
    return _BESIDE_DEG < far < _NEAR_DEG


def _is_declared(frame: str, declared: CRS | None) -> bool:
    """Whether a named datum is the one the file declares, so that there is nothing to hold against it."""
    return declared is not None and frame in ("xian80", "beijing54") and old_datum(declared) == _LABELS[frame]


def _fault(file: str, said: _Said, declared: CRS | None) -> Problem:
    name = _LABELS[said.frame]
    where = said.where if "”（" in said.where else f"{said.where}（{name}）"
    against = "" if declared is None else f"，而文件声明 {label(declared)}"
    if said.frame in SHIFT_LABELS:
        way = f"确为 {name} 请用 --crs {said.frame}；已换算的请用 --crs 指明实际坐标系，例如 --crs EPSG:4490"
        return Problem(file, said.row, f"{where}，坐标可能偏移数百米{against}", way)
    if said.frame == "dms":
        way = "请换算为十进制度后重新导出，或在坐标表中写成 119°57′36″；已是十进制度的请用 --crs 指明坐标系"
        return Problem(file, said.row, f"{where}，119.5736 表示 119°57′36″，不是十进制度", way)
    if said.frame == "local":
        return Problem(file, said.row, f"{where}，到 2000 国家大地坐标系的转换参数未知{against}", _OLD_WAY)
    fault = f"{where}，到 2000 国家大地坐标系的转换参数未知，直接套用会有偏差{against}"
    return Problem(file, said.row, fault, _OLD_WAY)


def _cut(text: object) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in str(text).strip())
    return printable if len(printable) <= 40 else printable[:40] + "…"
