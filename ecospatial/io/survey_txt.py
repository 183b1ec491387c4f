"""Survey text of land approval (报批、勘测定界): a head, then parcels with their boundary points.

There is no standard for it; the variants met in practice are read, anything else is refused with its line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import number, short_lines, shown
from ecospatial.io.point_numbers import Corner
from ecospatial.io.polygons import Outline, ParcelFile, draw

if TYPE_CHECKING:
    from pathlib import Path

_HEAD, _BODY = "[属性描述]", "[地块坐标]"
_FIELDS = ("界址点数", "地块面积", "地块编号", "地块名称", "记录图形属性", "图幅号", "地块用途", "地类编码")
_SHAPES = ("点", "线", "面")
_HEAD_WAY = "地块行应为：界址点数,地块面积,地块编号,地块名称,面,图幅号,地块用途,地类编码,@"
_POINT_WAY = "界址点行应为：点号,地块圈号,X,Y"
_DATUMS = (
    ("cgcs2000", r"2000|cgcs"),
    ("xian80", r"西安|xi.?an|1980|^80"),
    ("beijing54", r"北京|beijing|1954|^54"),
    ("wgs84", r"wgs"),
)
_UNITS_M2 = {"": 10000.0, "公顷": 10000.0, "平方米": 1.0, "㎡": 1.0, "m2": 1.0, "m²": 1.0, "亩": 10000 / 15}


def datum_of(text: str) -> str | None:
    """Tell the datum that a file names.

    Parameters
    ----------
    text
        What stands after 坐标系, e.g. 2000国家大地坐标系.

    Returns
    -------
    str or None
        ``cgcs2000``, ``xian80``, ``beijing54``, ``wgs84``; ``local`` for anything else; None for nothing.

    Examples
    --------
    >>> datum_of("2000国家大地坐标系"), datum_of("1980西安坐标系"), datum_of("常州城市坐标系"), datum_of(" ")
    ('cgcs2000', 'xian80', 'local', None)
    """
    cleaned = text.strip().lower()
    if not cleaned:
        return None
    return next((name for name, form in _DATUMS if re.search(form, cleaned)), "local")


def read_survey(path: Path) -> ParcelFile:
    """Read a survey text.

    Parameters
    ----------
    path
        The file, in UTF-8 or GB18030.

    Returns
    -------
    Drawing
        Parcels in the order of the file, x east and y north; attributes are the fields of the parcel's line,
        as text.

    Raises
    ------
    SiteError
        The file is no survey text, or its head is wrong. Faults of single parcels are in the result.
    """
    lines = short_lines(path)
    start = next((k for k, (_, line) in enumerate(lines) if line == _BODY), None)
    if start is None:
        way = "应为报批、勘测定界格式；坐标表请另存为 .csv 或 .xlsx"
        raise SiteError(Problem(path.name, None, f"不是勘测定界文本：没有 {_BODY}", way))
    head, faults = _head(lines[:start], path.name)
    outlines, more = _outlines(lines[start + 1 :], path.name)
    faults += more
    if not outlines and not faults:
        faults.append(Problem(path.name, None, "没有地块", _HEAD_WAY))
    zone, width = (_digits(head, key, path.name, faults) for key in ("带号", "几度分带"))
    faults += _unread(head, path.name)
    if faults:
        raise SiteError(faults)
    texts = tuple(f"{key}={value}" for key, value in head.items() if key != "坐标系")
    said = {"datum": datum_of(head.get("坐标系", "")), "zone": zone, "width": width, "headers": texts}
    drawing = draw(outlines, file=path.name, naming="north_east", notices=(), **said)
    return _with_notices(drawing, outlines)


# --------------------------------------------------------------------------------------------- the head


def _head(lines: list[tuple[int, str]], file: str) -> tuple[dict[str, str], list[Problem]]:
    head: dict[str, str] = {}
    faults = []
    for row, line in lines:
        if line == _HEAD:
            continue
        key, sign, value = line.replace("＝", "=").partition("=")
        key, value = key.strip(), value.strip()
        if not sign:
            faults.append(Problem(file, row, f"读不懂“{shown(line)}”", "属性描述应为：名称=值"))
        elif head.get(key, value) != value:
            faults.append(Problem(file, row, f"“{shown(key)}”有两个不同的值", "请只留一个"))
        else:
            head[key] = value
    return head, faults


def _digits(head: dict[str, str], key: str, file: str, faults: list[Problem]) -> int | None:
    text = head.get(key, "")
    found = re.fullmatch(r"(?:第)?(\d{1,2})\s*(?:度|带|度带|度分带)?", text)
    if text and found is None:
        faults.append(Problem(file, None, f"{key}“{shown(text)}”不是数字", "请写成数字或留空"))
    return int(found.group(1)) if found else None


def _unread(head: dict[str, str], file: str) -> list[Problem]:
    """Refuse units and projections other than the ones the numbers are taken for."""
    unit, projection = head.get("计量单位", ""), head.get("投影类型", "")
    faults = []
    if unit and unit.lower() not in ("米", "m", "度"):
        faults.append(Problem(file, None, f"计量单位“{shown(unit)}”不读取", "请换算为米"))
    if projection and not re.search(r"高斯|gauss", projection.lower()):
        faults.append(Problem(file, None, f"投影类型“{shown(projection)}”不读取", "请换算为高斯克吕格投影"))
    return faults


# -------------------------------------------------------------------------------------------- the body


def _outlines(lines: list[tuple[int, str]], file: str) -> tuple[list[Outline], list[Problem]]:
    outlines: list[Outline] = []
    faults: list[Problem] = []
    for row, line in lines:
        if line.startswith("["):
            faults.append(Problem(file, row, f"未知的段落 {shown(line)}", f"只读取 {_HEAD} 和 {_BODY}"))
            continue
        fields = [part.strip() for part in (line if "," in line else line.replace("，", ",")).split(",")]
        if "@" in fields or len(fields) >= 7:
            outlines.append(_parcel(row, fields, file))
        elif not outlines:
            faults.append(Problem(file, row, "界址点之前没有地块行", _HEAD_WAY))
        else:
            _add_corner(outlines[-1], row, fields, file)
    for outline in outlines:
        _check_count(outline, file)
    return outlines, faults


def _parcel(row: int, fields: list[str], file: str) -> Outline:
    content = fields[: fields.index("@")] if "@" in fields else fields
    while len(content) > len(_FIELDS) and not content[-1]:
        content = content[:-1]
    attributes = dict.fromkeys(_FIELDS) | {k: v or None for k, v in zip(_FIELDS, content, strict=False)}
    outline = Outline(row, attributes["记录图形属性"] or "面", attributes)
    if not len(_FIELDS) - 1 <= len(content) <= len(_FIELDS):
        outline.faults.append(Problem(file, row, f"地块行有 {len(content)} 个字段（不计 @）", _HEAD_WAY))
    elif outline.shape not in _SHAPES:
        fault = f"记录图形属性“{shown(outline.shape)}”不是点、线、面"
        outline.faults.append(Problem(file, row, fault, _HEAD_WAY))
    return outline


def _add_corner(outline: Outline, row: int, fields: list[str], file: str) -> None:
    while len(fields) > 4 and not fields[-1]:
        fields = fields[:-1]
    if len(fields) != 4:
        outline.faults.append(Problem(file, row, f"界址点行有 {len(fields)} 个字段", _POINT_WAY))
        return
    point, ring, *numbers = fields
    first, second = map(number, numbers)
    if first is None or second is None:
        wrong = numbers[0] if first is None else numbers[1]
        outline.faults.append(Problem(file, row, f"坐标不是数字：“{shown(wrong)}”", _POINT_WAY))
    elif not re.fullmatch(r"\d{1,6}", ring):
        outline.faults.append(Problem(file, row, f"圈号不是数字：“{shown(ring)}”", _POINT_WAY))
    else:
        outline.corners.append(Corner(row, str(int(ring)), point, first, second))


def _check_count(outline: Outline, file: str) -> None:
    """Compare with the number that the parcel's line gives: a file cut off must not pass as a smaller parcel."""
    if outline.faults:
        return
    listed = len(outline.corners)
    if listed == 0:
        outline.faults.append(Problem(file, outline.row, "地块没有界址点", _POINT_WAY))
        return
    given = outline.attributes["界址点数"]
    if given is None:
        return
    rings: dict[str, list[Corner]] = {}
    for corner in outline.corners:
        rings.setdefault(corner.ring, []).append(corner)
    # Programs count the repeated closing points or not, and the holes or not.
    open_counts = [len({(c.first, c.second) for c in ring}) for ring in rings.values()]
    first = len(next(iter(rings.values())))
    fitting = {listed, sum(open_counts), sum(open_counts) + len(rings), first, open_counts[0], open_counts[0] + 1}
    if number(given) not in fitting:
        fault = f"界址点数写 {shown(given)}，实际 {listed} 个"
        outline.faults.append(Problem(file, outline.row, fault, "文件可能不完整，请核对或重新导出"))


def _with_notices(drawing: ParcelFile, outlines: list[Outline]) -> ParcelFile:
    """Note parcels whose area is not the one the file gives (公顷 unless it says otherwise)."""
    from dataclasses import replace

    notices = []
    for shape, outline in zip(drawing.geometry, outlines, strict=True):
        found = re.fullmatch(r"([\d.]+)\s*(\D*)", outline.attributes["地块面积"] or "")
        area = None if found is None else number(found.group(1))
        if shape is None or found is None or area is None or shape.area < 1.0:
            continue
        given = area * _UNITS_M2.get(found.group(2).strip(), float("nan"))
        if abs(given - shape.area) > max(0.01 * shape.area, 10.0):
            name = shown(outline.attributes["地块编号"] or outline.row)
            notices.append(f"地块 {name}：文件所载面积 {given:.0f} m²，按坐标为 {shape.area:.0f} m²")
    return replace(drawing, notices=tuple(notices))
