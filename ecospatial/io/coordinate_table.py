"""Coordinate tables: one row per corner, one row per point, or a column of WKT."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import degrees, is_packed, number, packed_degrees, shown
from ecospatial.io.point_numbers import Corner
from ecospatial.io.polygons import Naming, Outline, ParcelFile, draw
from ecospatial.io.survey_txt import datum_of
from ecospatial.io.tabular import plain_name, read_table

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_ROLES: dict[str, tuple[str, ...]] = {
    "wkt": ("wkt", "geometry", "geom", "the_geom", "几何", "图形wkt"),
    "east": ("东坐标", "东坐标y", "y东坐标", "横坐标", "横坐标y", "y横坐标", "easting", "east"),
    "north": ("北坐标", "北坐标x", "x北坐标", "纵坐标", "纵坐标x", "x纵坐标", "northing", "north"),
    "x": ("x", "x坐标", "坐标x", "x_coord", "coord_x", "point_x"),
    "y": ("y", "y坐标", "坐标y", "y_coord", "coord_y", "point_y"),
    "lon": ("经度", "东经", "lon", "lng", "longitude"),
    "lat": ("纬度", "北纬", "lat", "latitude"),
    "ring": ("圈号", "地块圈号", "环号", "ring"),
    "point": ("点号", "界址点号", "顶点号", "序号", "point"),
    "shape": ("记录图形属性", "图形属性", "图形类型"),
    "crs": ("crs", "epsg", "坐标系", "坐标系统"),
}
_KEYS = ("site_id", "地块编号", "项目编号", "编号", "id")
_NAMES = ("site_name", "地块名称", "项目名称", "名称", "name")
_PAIRS: tuple[tuple[str, str, Naming], ...] = (
    ("east", "north", "east_north"),
    ("lon", "lat", "east_north"),
    ("x", "y", "unnamed"),
)
_SHAPES = {"点": "点", "线": "线", "面": "面", "point": "点", "line": "线", "polygon": "面"}
_PACKED = "坐标按度分秒（ddd.mmss）换算为度"
_WAY = "坐标列应为 X、Y，或 东坐标、北坐标，或 经度、纬度，或 WKT"
# No point, line or area needs more brackets in a row; GEOS takes minutes for a hundred thousand.
_NESTED = re.compile(r"(?i)(\(\s*){5}|collection.*collection")
# GEOS writes all of these and can measure none of them.
_NO_PLANE = re.compile(
    r"(?i)\b(circularstring|compoundcurve|curvepolygon|multicurve|multisurface|polyhedralsurface|tin|triangle)\b"
)
_SRID = re.compile(r"(?i)\s*srid\s*=\s*(\d{4,6})\s*;")


def read_coordinates(path: Path, *, known: Collection[str] = (), sheet: str | None = None) -> ParcelFile:
    """Read a coordinate table.

    Parameters
    ----------
    path
        A .csv or .xlsx file. Either one row per corner (地块编号, 圈号 and two coordinates; an empty 地块编号
        repeats the one above), or one row per site with a point or a column of WKT.
    known
        Further names of columns, as from ``plain_name``, that hold one value per site.
    sheet
        The sheet of a workbook that has several.

    Returns
    -------
    Drawing
        Sites in the order of the file; the other columns are their attributes.

    Raises
    ------
    SiteError
        There are no coordinates, or more than one set of them, or the table can not be read. Faults of single
        sites are in the result.
    """
    names = {name for names in _ROLES.values() for name in names} | {*_KEYS, *_NAMES}
    table = read_table(path, known=names | set(known), sheet=sheet)
    roles = _roles(table, path.name)
    if table.empty:
        raise SiteError(Problem(path.name, None, "表格只有表头，没有数据", "请核对文件"))
    titles = [text for text in table.attrs["titles"] if text not in table.columns]
    said = _said_crs(table, roles, path.name)
    if "wkt" in roles:
        rest = table.drop(columns=[roles["wkt"], *([roles["crs"]] if "crs" in roles else [])])
        heads = [*titles, roles["wkt"]]
        return replace(_wkt_drawing(table[roles["wkt"]], rest, path.name, said), headers=tuple(heads))
    first, second, _ = _pair(roles)
    heads = [*titles, roles[first], roles[second]]
    packed = any(is_packed(head) for head in heads)
    # What is read as it says of itself is no evidence against it.
    said |= {"headers": tuple(head for head in heads if not (packed and is_packed(head)))}
    drawing = _corner_drawing(table, roles, path.name, known=set(known), said=said, packed=packed)
    notes = tuple("；".join(filter(None, [own, _PACKED])) for own in drawing.notes)
    return replace(drawing, notes=notes) if packed else drawing


def _pair(roles: dict[str, str]) -> tuple[str, str, Naming]:
    return next((a, b, naming) for a, b, naming in _PAIRS if a in roles and b in roles)


def _roles(table: pd.DataFrame, file: str) -> dict[str, str]:
    plain = {plain_name(column): str(column) for column in table.columns}
    roles = {}
    for role, names in _ROLES.items():
        found = [plain[name] for name in names if name in plain]
        if found:
            roles[role] = found[0]
    held = [pair for pair in _PAIRS if pair[0] in roles and pair[1] in roles]
    sets = [f"{roles[a]}、{roles[b]}" for a, b, _ in held] + ([roles["wkt"]] if "wkt" in roles else [])
    if not sets:
        columns = "、".join(shown(column) for column in list(table.columns)[:20])
        raise SiteError(Problem(file, None, f"找不到坐标列；现有列：{columns}", _WAY))
    if len(sets) > 1:
        raise SiteError(Problem(file, None, f"有几套坐标：{'；'.join(map(shown, sets))}", "请只保留一套"))
    return roles


def _said_crs(table: pd.DataFrame, roles: dict[str, str], file: str) -> dict[str, Any]:
    """Read what the table itself says about its CRS."""
    if "crs" not in roles:
        return {}
    values = sorted({str(value) for value in table[roles["crs"]] if value is not None})
    if len(values) > 1:
        listed = "、".join(shown(value) for value in values[:5])
        raise SiteError(Problem(file, None, f"坐标系不一致：{listed}", "请按坐标系拆分为几个文件"))
    if not values:
        return {}
    code = re.fullmatch(r"(?i)(epsg:)?\d{4,6}|gcj-?02|bd-?09", values[0].strip())
    return {"crs": values[0].strip()} if code else {"datum": datum_of(values[0])}


# -------------------------------------------------------------------------------------- one row per corner


def _corner_drawing(
    table: pd.DataFrame,
    roles: dict[str, str],
    file: str,
    *,
    known: set[str],
    said: dict[str, Any],
    packed: bool,
) -> ParcelFile:
    first, second, naming = _pair(roles)
    plain = {plain_name(column): str(column) for column in table.columns}
    key = next((plain[name] for name in (*_KEYS, *_NAMES) if name in plain), None)
    # The shape stays an attribute: it settles what open lines are.
    others = [str(c) for c in table.columns if c not in roles.values() or c == roles.get("shape")]
    groups = _groups(table, key, file)
    single = all(len(rows) == 1 for rows in groups)
    if single and len(groups) > 2 and key is not None and plain_name(key) in ("编号", "id") and others == [key]:
        way = "若是同一地块的界址点，请把列名改为“点号”；若是点状项目，请改为“site_id”"
        raise SiteError(Problem(file, None, f"每个“{shown(key)}”只有一个点", way))
    outlines = []
    for rows in groups:
        part = table.loc[rows]
        outline = _outline(part, [c for c in others if c != key], roles, file=file, known=known, single=single)
        outline.attributes = ({} if key is None else {key: part[key].iloc[0]}) | outline.attributes
        _add_corners(outline, part, (roles[first], roles[second]), roles, file, packed=packed)
        outlines.append(outline)
    return draw(outlines, file=file, naming=naming, **said)


def _groups(table: pd.DataFrame, key: str | None, file: str) -> list[list[int]]:
    """Collect the rows of each site; an empty key repeats the one above it."""
    if key is None:
        return [list(table.index)]
    values = table[key].ffill()
    faults = [Problem(file, int(row), f"“{shown(key)}”是空的", "请填写") for row in values.index[values.isna()]]
    groups: dict[str, list[int]] = {}
    last = None
    for row, value in values.items():
        name = str(value)
        if name in groups and name != last:
            fault = f"“{shown(name)}”与第 {groups[name][0]} 行重复而不相连"
            faults.append(Problem(file, int(str(row)), fault, "请把同一地块的行放在一起，不同地块用不同编号"))
        groups.setdefault(name, []).append(int(str(row)))
        last = name
    if faults:
        raise SiteError(faults)
    return list(groups.values())


def _outline(
    part: pd.DataFrame, others: list[str], roles: dict[str, str], *, file: str, known: set[str], single: bool
) -> Outline:
    row = int(part.index[0])
    faults, attributes = [], {}
    for column in others:
        values = list(dict.fromkeys(value for value in part[column] if value is not None))
        if len(values) > 1 and plain_name(column) in known:
            fault = f"同一地块的“{shown(column)}”不一致：{'、'.join(shown(v) for v in values[:3])}"
            faults.append(Problem(file, row, fault, "请统一"))
        # A column that differs from corner to corner (边长, 高程) says nothing about the site.
        attributes[column] = values[0] if len(values) == 1 else None
    shape = ""
    if "shape" in roles:
        said = next((str(v) for v in part[roles["shape"]] if v is not None), "")
        shape = _SHAPES.get(said.strip().lower(), "")
        if said and not shape:
            faults.append(Problem(file, row, f"“{shown(said)}”不是点、线、面", "请更正"))
    if not shape:
        shape = "点" if single and len(part) == 1 and "ring" not in roles else "面"
    return Outline(row, shape, attributes, faults=faults)


def _add_corners(
    outline: Outline, part: pd.DataFrame, pair: tuple[str, str], roles: dict[str, str], file: str, *, packed: bool
) -> None:
    ring, none = "1", [None] * len(part)
    rings = part[roles["ring"]] if "ring" in roles else none
    points = part[roles["point"]] if "point" in roles else none
    for row, mark, point, a, b in zip(part.index, rings, points, part[pair[0]], part[pair[1]], strict=True):
        ring = ring if mark is None else str(mark)
        first, second = (_coordinate(cell, packed=packed) for cell in (a, b))
        if first is None or second is None:
            wrong = a if first is None else b
            fault = "坐标是空的" if wrong is None else f"坐标不是数字：“{shown(wrong)}”"
            if packed and number(wrong) is not None:
                fault = f"坐标不是度分秒 ddd.mmss（分、秒应小于 60）：“{shown(wrong)}”"
            outline.faults.append(Problem(file, int(row), fault, "请填写数字，或 119°57′36″ 这样的度分秒"))
        else:
            outline.corners.append(Corner(int(row), ring, "" if point is None else str(point), first, second))


def _coordinate(cell: Any, *, packed: bool) -> float | None:
    value = number(cell)
    if value is None:
        return degrees(cell)
    return packed_degrees(cell) if packed else value


# ------------------------------------------------------------------------------------------------- WKT


def read_wkt(text: str) -> ParcelFile:
    """Read one WKT or EWKT text, x before y.

    Raises
    ------
    SiteError
        It is not WKT.

    Examples
    --------
    >>> drawing = read_wkt("SRID=4549;POINT (500000 3520000)")
    >>> drawing.geometry[0].x, drawing.crs
    (500000.0, '4549')
    """
    drawing = _wkt_drawing(pd.Series([text], index=[1], dtype=object), pd.DataFrame(index=[1]), "WKT", {})
    if drawing.faults[0]:
        raise SiteError(drawing.faults[0])
    return drawing


def _wkt_drawing(texts: pd.Series[Any], rest: pd.DataFrame, file: str, said: dict[str, Any]) -> ParcelFile:
    rows = [int(row) for row in texts.index]
    cells = ["" if value is None else str(value).strip() for value in texts]
    heads = [_SRID.match(cell) for cell in cells]
    codes = sorted({head.group(1) for head in heads if head is not None})
    if len(codes) > 1 or (codes and None in heads and any(cells)):
        raise SiteError(Problem(file, None, "各行的 SRID 不一致", "请按坐标系拆分为几个文件"))
    odd = [_NESTED.search(cell) or _NO_PLANE.search(cell) for cell in cells]
    bare = [None if no else _SRID.sub("", cell, count=1) or None for cell, no in zip(cells, odd, strict=True)]
    with np.errstate(over="ignore"):  # a number such as 1E310 is a fault of its row, not a warning
        shapes = shapely.from_wkt(bare, on_invalid="ignore")
    faults = [
        (_wkt_fault(file, row, cell),) if cell and shape is None else ()
        for row, cell, shape in zip(rows, cells, shapes, strict=True)
    ]
    return ParcelFile(
        geometry=np.asarray(shapes, dtype=object),
        attributes=rest.reset_index(drop=True),
        rows=tuple(rows),
        faults=tuple(faults),
        notes=("",) * len(rows),
        **({"crs": codes[0]} if codes else said),
    )


def _wkt_fault(file: str, row: int, cell: str) -> Problem:
    kind = _NO_PLANE.search(cell)
    if kind is None:
        way = "请写成 POLYGON ((x y, x y, ...))，先东后北，首尾闭合"
        return Problem(file, row, f"不是完整的 WKT：“{shown(cell)}”", way)
    way = "请转为折线和多边形（LINESTRING、POLYGON、MULTIPOLYGON）后给出"
    return Problem(file, row, f"WKT 中有曲线或曲面（{kind.group(1).upper()}），无法直接量算", way)
