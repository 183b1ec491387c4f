"""Point files of the drawing program CASS (.dat): 点号,编码,东坐标,北坐标,高程 - east before north."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import number, short_lines, shown
from ecospatial.io.point_numbers import Corner
from ecospatial.io.polygons import Outline, ParcelFile, draw

if TYPE_CHECKING:
    from pathlib import Path

_WAY = "每行应为：点号,编码,东坐标,北坐标,高程"
_LEAST_PLANE = 1e5  # eastings and northings on a Gauss-Kruger plane are larger, heights and codes are not


def read_cass(path: Path) -> ParcelFile:
    """Read a CASS point file: points of one 编码 that follow each other are the corners of one site.

    A site of one point is a point, of three or more an area, in the order of the file. The first line may be
    the number of points, as old versions write it; the 编码 or the height may be left out.

    Parameters
    ----------
    path
        The file, in UTF-8 or GB18030.

    Raises
    ------
    SiteError
        The file has no points, or a line is none. Faults of single sites are in the result.
    """
    rows = [(row, line) for row, line in short_lines(path) if line.upper() != "END"]
    told = int(rows[0][1]) if rows and re.fullmatch(r"[0-9]{1,7}", rows[0][1]) else None
    rows = rows if told is None else rows[1:]
    faults: list[Problem] = []
    points = [point for row, line in rows if (point := _point(row, line, path.name, faults)) is not None]
    if not rows:
        faults.append(Problem(path.name, None, "没有点", _WAY))
    if told is not None and told != len(rows):
        way = "文件可能不完整，请核对或重新导出"
        faults.append(Problem(path.name, 1, f"首行写 {told} 个点，实际 {len(rows)} 个", way))
    if faults:
        raise SiteError(faults)
    outlines = _outlines(points, path.name)
    areas = sum(outline.shape == "面" for outline in outlines)
    notices = (f"{path.name}：点按文件中的顺序连成 {areas} 个面，请核对点序",) if areas else ()
    return draw(outlines, file=path.name, naming="east_north", notices=notices)


def _point(row: int, line: str, file: str, faults: list[Problem]) -> tuple[str, Corner] | None:
    """Read one line as 编码 and corner."""
    fields = [part.strip() for part in line.replace("，", ",").split(",")]
    while len(fields) > 5 and not fields[-1]:
        fields = fields[:-1]
    numbers = [number(field) for field in fields]
    # 点号,东,北 and 点号,东,北,高 leave the code out: then two large numbers follow the name of the point.
    bare = len(fields) in (3, 4) and all(value is not None and value >= _LEAST_PLANE for value in numbers[1:3])
    start = 1 if bare else 2
    if not (bare or 4 <= len(fields) <= 5):
        faults.append(Problem(file, row, f"读不懂“{shown(line)}”", _WAY))
        return None
    first, second = numbers[start : start + 2]
    if first is None or second is None:
        wrong = fields[start] if first is None else fields[start + 1]
        faults.append(Problem(file, row, f"坐标不是数字：“{shown(wrong)}”", _WAY))
        return None
    return ("" if bare else fields[1]), Corner(row, "1", fields[0], first, second)


def _outlines(points: list[tuple[str, Corner]], file: str) -> list[Outline]:
    outlines: list[Outline] = []
    seen: dict[str, int] = {}
    for code, run in groupby(points, key=lambda point: point[0]):
        corners = [corner for _, corner in run]
        row = corners[0].row
        outline = Outline(row, "点" if len(corners) == 1 else "面", {"名称": code or None}, corners)
        if code in seen:
            way = "请把同一地块的点放在一起，不同地块用不同编码"
            fault = f"编码“{shown(code)}”与第 {seen[code]} 行重复而不相连"
            outline.faults.append(Problem(file, row, fault, way))
        seen.setdefault(code, row)
        outlines.append(outline)
    return outlines
