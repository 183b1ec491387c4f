"""What an area is: the one step of all readers that makes areas of closed lines and names outlines that are open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.errors import Problem
from ecospatial.geometry import close_lines, find_enclosures
from ecospatial.geometry.repair import is_finite
from ecospatial.io import plain_name
from ecospatial.sites.aliases import name_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecospatial.geometry import Enclosure
    from ecospatial.sites.readers import SourcePart

# A column that says of a row what its shape is. It settles what open lines are; a closed line is an area all the same.
_SHAPE_NAMES = frozenset(form for name in ("记录图形属性", "图形属性", "图形类型") for form in name_forms(name))
_LINE_WORDS = ("线", "线状", "line", "linestring", "polyline")
_WAY = "请连成一条闭合的线或面后重新导出；确为线状项目，请在 SHP、GeoPackage 等的属性中加一列“图形类型”写“线”"
_LISTED = 10


def listed_rows(rows: Sequence[int | str]) -> str:
    """List rows for a message: some of them, then how many there are.

    Examples
    --------
    >>> listed_rows([1, 2, 5]), listed_rows(range(1, 13))
    ('第 1、2、5 行', '第 1、2、3、4、5、6、7、8、9、10 行等 12 行')
    """
    some = "、".join(str(row) for row in rows[:_LISTED])
    return f"第 {some} 行" + (f"等 {len(rows)} 行" if len(rows) > _LISTED else "")


def close_outlines(part: SourcePart) -> SourcePart:
    """Make areas of the closed lines of a part, and find open lines that enclose something.

    Parameters
    ----------
    part
        As read.

    Returns
    -------
    Part
        With areas for closed lines (said in ``notes``). Lines that are an outline but for a gap or their pieces are
        ``faults``; lines that may be one, and lines that the source itself calls lines, are ``notices``.
    """
    closed = close_lines(part.geometry)
    changed = closed.note != ""
    found = [] if part.made_before else find_enclosures(closed.geometry)
    if not changed.any() and not found:
        return part
    notes = [*part.notes] if part.notes else [""] * len(part.rows)
    notes = ["；".join(filter(None, both)) for both in zip(notes, closed.note, strict=True)]
    stated = _stated_lines(part)
    wrong = [one for one in found if one.certain and not all(stated[i] for i in one.rows)]
    faults = [list(own) for own in part.faults] if part.faults else [[] for _ in part.rows]
    for one in wrong:
        fault = _fault(part, one)
        for i in one.rows:
            faults[i].append(fault)
    notices = _notices(part, [one for one in found if one not in wrong])
    return replace(
        part,
        geometry=closed.geometry,
        notes=tuple(notes),
        faults=tuple(tuple(own) for own in faults) if wrong or part.faults else part.faults,
        notices=(*part.notices, *notices),
    )


def _stated_lines(part: SourcePart) -> NDArray[np.bool_]:
    said = np.zeros(len(part.rows), dtype=bool)
    for column in part.attributes.columns:
        if plain_name(column) in _SHAPE_NAMES:
            words = part.attributes[column].astype(object)
            said |= words.map(lambda word: str(word).strip().lower() in _LINE_WORDS).to_numpy(dtype=bool)
    return said


def _fault(part: SourcePart, one: Enclosure) -> Problem:
    rows = [part.rows[i] for i in one.rows]
    if len(rows) == 1:
        return Problem(part.file, rows[0], f"线{one.what}", _WAY)
    return Problem(part.file, listed_rows(rows), f"这些线{one.what}", _WAY)


def _notices(part: SourcePart, found: list[Enclosure]) -> list[str]:
    name = f"{part.file}：" if part.file else ""
    told = [f"{name}{listed_rows([part.rows[i] for i in one.rows])}的线{one.what}，按线处理" for one in found]
    more = len(told) - _LISTED
    told = told[:_LISTED] + ([f"{name}另有 {more} 处的线围成面，按线处理"] if more > 0 else [])
    return [f"{text}；若为红线范围，请闭合后重新核查" for text in told]


def describe_shapes(part: SourcePart, geometry: NDArray[Any]) -> list[str]:
    """Tell when a file holds points, lines and areas together.

    Parameters
    ----------
    part
        The file, or a layer of it.
    geometry
        Its geometries as they are checked, None where there is none.
    """
    size = shapely.get_dimensions(geometry)
    size[~is_finite(geometry)] = -1
    kinds = [(label, np.flatnonzero(size == number)) for number, label in ((2, "面"), (1, "线"), (0, "点"))]
    there = [(label, rows) for label, rows in kinds if len(rows)]
    if len(there) < 2:
        return []
    most = max(len(rows) for _, rows in there)
    counts = "、".join(
        f"{label} {len(rows)} 个" + ("" if len(rows) == most else f"（{listed_rows([part.rows[i] for i in rows])}）")
        for label, rows in there
    )
    name = f"{part.file}：" if part.file else ""
    return [f"{name}同一文件中既有{'又有'.join(label for label, _ in there)}：{counts}，请核对是否都是红线"]
