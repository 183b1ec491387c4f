"""What a coordinate file or a drawing says of its CRS: its head, its columns, its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, Problem
from ecospatial.io.declared_crs import shifted

if TYPE_CHECKING:
    from pyproj import CRS

    from ecospatial.io import ParcelFile

_DATUMS = {"xian80": "1980西安坐标系", "beijing54": "1954北京坐标系", "local": "地方坐标系"}
_MODERN = ("cgcs2000", "wgs84")
_WAY = "请由测绘单位转换为 2000 国家大地坐标系，或用 --crs 与 --towgs84 给出七参数、用 --four-params 给出四参数"


def drawing_crs(drawing: ParcelFile, file: str) -> crs_.Evidence:
    """Give what a coordinate file says of its CRS.

    Parameters
    ----------
    drawing
        As read.
    file
        Its name.

    Returns
    -------
    Evidence
        ``crs`` and ``shift`` are what the file declares, ``fault`` why that can not be used, ``modern`` whether it
        names CGCS2000 or WGS 84, also where it leaves the zone open.
    """
    try:
        crs, shift = _declared(drawing, file)
    except CrsError as error:
        return crs_.Evidence(fault=error.problems[0]._replace(file=file))
    if shift is not None:
        return crs_.Evidence(crs=crs, shift=shift)
    found = crs_.find_evidence(
        file, drawing.attributes, drawing.geometry, names=drawing.headers, declared=crs, rows=drawing.rows
    )
    if found.shift is not None:
        return crs_.Evidence(crs=crs_.CGCS2000, shift=found.shift)
    own = crs if crs is not None else found.crs
    return crs_.Evidence(fault=found.fault, crs=own, modern=drawing.datum in _MODERN or found.modern)


def required_crs(drawing: ParcelFile, file: str) -> CRS | None:
    """Give the CRS that a coordinate file declares, None when it says nothing.

    Raises
    ------
    CrsError
        What it says can not be used as it is: an old or a local datum, GCJ-02, BD-09, a zone that is none.
    """
    said = drawing_crs(drawing, file)
    if said.shift is not None:
        raise CrsError(shifted(said.shift, file))
    if said.fault is not None:
        raise CrsError(said.fault)
    return said.crs


def _declared(drawing: ParcelFile, file: str) -> tuple[CRS | None, str | None]:
    """Turn what a coordinate file says of itself into a CRS; nothing said: None."""
    if drawing.crs is not None:
        return crs_.parse_crs(drawing.crs)
    if drawing.datum in _DATUMS:
        fault = f"坐标系为{_DATUMS[drawing.datum]}，到 2000 国家大地坐标系的转换参数未知，直接套用会有偏差"
        raise CrsError(Problem(file, None, fault, _WAY))
    zone, prefix = drawing.zone, drawing.prefix
    way = "请核对带号和分带，或用 --crs 指明坐标系"
    if zone is not None and prefix is not None and zone != prefix:
        raise CrsError(Problem(file, None, f"带号为 {zone}，而东坐标的前缀是 {prefix}", way))
    number = prefix if zone is None else zone
    if drawing.datum is None or _in_degrees(drawing):
        return (crs_.CGCS2000, None) if drawing.datum is not None else (None, None)
    if number is None:
        return None, None
    natural = 6 if number <= 23 else 3  # zones 13 to 23 are of 6 degrees, 25 to 45 of 3
    if drawing.width not in (None, natural):
        raise CrsError(Problem(file, None, f"几度分带为 {drawing.width}，与第 {number} 带不符", way))
    return crs_.gauss_kruger(number, width=natural, prefixed=prefix is not None), None


def _in_degrees(drawing: ParcelFile) -> bool:
    vertices = np.abs(shapely.get_coordinates(drawing.geometry))
    return len(vertices) > 0 and bool((vertices <= 180.0).all())
