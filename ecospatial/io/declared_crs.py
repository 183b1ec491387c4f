"""The CRS that a file declares: one that does not exist or that its numbers contradict is no CRS, and is said.

GDAL gives no CRS, or WGS 84, where it does not understand what stands there; a proof by position would then put
another CRS in the place of the one that somebody wrote down.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, Problem
from ecospatial.io import shapefile
from ecospatial.io._validate import SEQUENCES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

_WAY = "请核对文件的坐标系，用 --crs（crs=）指明"
# What formats write when nothing is said: MapInfo's plane of no earth, GeoPackage's numbers -1, 0 and 99999.
_UNSAID = re.compile(r"(?i)^(undefined|unknown|unnamed|nonearth|non-earth)")
_SRS_NAME = re.compile(rb"""srsName\s*=\s*["']([^"']{1,200})["']""")
_WGS84_NAMES = ("urn:ogc:def:crs:ogc:1.3:crs84", "urn:ogc:def:crs:ogc::crs84", "crs84", "ogc:crs84")


def declared_crs(
    path: Path, layer: str, found: Any, geometry: NDArray[Any], *, member: Any, name: str
) -> tuple[CRS | None, Problem | None]:
    """Give the CRS that a file declares, or why that can not be used.

    Parameters
    ----------
    path
        The file that was read.
    layer
        Its layer.
    found
        What GDAL made of the declaration, or None.
    geometry
        The geometries.
    member
        The ``crs`` of a GeoJSON: False when it has none, None when it says that none is known.
    name
        How the file is called in messages.

    Returns
    -------
    tuple
        The CRS, or None when the file says nothing; and the fault of what it says, or None.
    """
    suffix = path.suffix.lower()
    is_json = suffix in (".geojson", ".json", *SEQUENCES)
    if is_json and member is None:
        return None, None
    if is_json and member is not False:
        found, fault = _of_json(member, name)
        if fault is not None:
            return None, fault
    if found is None:
        text = _unread(path, layer, suffix)
        return None, None if text is None else _unknown(text, name)
    if _UNSAID.match(str(getattr(found, "name", ""))):
        return None, None
    try:
        crs, _ = crs_.parse_crs(found)
    except CrsError:
        return None, _unknown(str(getattr(found, "name", found)), name)
    vertices = shapely.get_coordinates(geometry)
    vertices = vertices[np.isfinite(vertices).all(axis=1)]
    if crs.is_geographic and (np.abs(vertices) > (180.0, 90.0)).any():
        # GDAL takes GeoJSON without a crs for WGS 84, whatever its numbers are.
        if is_json and member is False:
            return None, None
        text = f"文件声明 {crs_.label(crs)}（经纬度），而坐标不是经纬度"
        return None, Problem(name, None, text, _WAY)
    return crs, None


def unreadable(name: str) -> Problem:
    """Give the fault of a declaration that stops GDAL."""
    return Problem(name, None, "文件声明的坐标系无法识别（已损坏）", _WAY)


def shifted(shift: str, name: str) -> Problem:
    """Give the fault of coordinates that have to be undone first."""
    way = f"请用 --crs {shift} 指明，坐标将反算为 CGCS2000"
    return Problem(name, None, f"文件写明 {crs_.SHIFT_LABELS[shift]}，坐标偏移数百米", way)


def _unknown(text: str, name: str) -> Problem:
    shown = "".join(c if c.isprintable() else "?" for c in text.strip())[:60]
    return Problem(name, None, f"文件声明的坐标系“{shown}”不存在或无法识别", _WAY)


def _of_json(member: Any, name: str) -> tuple[Any, Problem | None]:
    properties = member.get("properties") if isinstance(member, dict) else None
    text = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(text, str):
        return None, _unknown(json.dumps(member, ensure_ascii=False), name)
    if text.strip().lower() in _WGS84_NAMES or re.search(r"(?i)crs84$", text.strip()):
        return "EPSG:4326", None
    code = re.fullmatch(r"(?i)(?:urn:ogc:def:crs:)?EPSG:[\d.]*:?(\d{4,6})", text.strip())
    try:
        crs, shift = crs_.parse_crs(code.group(1) if code else text)
    except CrsError:
        return None, _unknown(text, name)
    return (crs, None) if shift is None else (None, shifted(shift, name))


def _unread(path: Path, layer: str, suffix: str) -> str | None:
    """Give what a file declares where GDAL found no CRS; None when that is nothing."""
    if suffix == ".shp":
        companion = shapefile.companion(path, ".prj")
        text = "" if companion is None else companion.read_bytes()[:2000].decode("utf-8", errors="replace")
        return text.strip("\0 \t\r\n\ufeff") or None
    if suffix == ".gml":
        names = {text.decode("utf-8", errors="replace") for text in _SRS_NAME.findall(path.read_bytes())}
        return next(iter(sorted(names)), None)
    if suffix == ".gpkg":
        return _in_geopackage(path, layer)
    return None


def _in_geopackage(path: Path, layer: str) -> str | None:
    ask = (
        "select g.srs_id, s.srs_name from gpkg_geometry_columns g"
        " left join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id where g.table_name = ?"
    )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as book:
            row = book.execute(ask, (layer,)).fetchone()
    except sqlite3.Error:
        return None
    if row is None or row[0] in (0, -1) or _UNSAID.match(str(row[1] or "")):
        return None
    return f"{row[1] or 'srs_id'} {row[0]}"
