"""Reading and naming coordinate reference systems."""

from __future__ import annotations

import re
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError
from pyproj.exceptions import ProjError

from ecospatial.errors import CrsError, Problem

CGCS2000 = CRS.from_epsg(4490)
_SHIFTED = {"gcj02": "gcj02", "火星坐标系": "gcj02", "火星坐标": "gcj02", "bd09": "bd09", "百度坐标": "bd09"}
_ALIASES = {"cgcs2000": 4490, "2000国家大地坐标系": 4490}
SHIFT_LABELS = {"gcj02": "GCJ-02", "bd09": "BD-09"}
_WEB_METHODS = ("pseudo mercator", "mercator (variant", "equidistant cylindrical", "plate carr")
# EPSG numbers the zones of CGCS2000 in four unbroken series: first and last zone, code of the first.
_SERIES = {
    (3, True): (25, 45, 4513),
    (3, False): (25, 45, 4534),
    (6, True): (13, 23, 4491),
    (6, False): (13, 23, 4502),
}


def parse_crs(value: str | int | CRS) -> tuple[CRS, str | None]:
    """Read a CRS as a person writes it.

    Parameters
    ----------
    value
        ``4549``, ``"4549"``, ``"EPSG:4549"``, PROJ or WKT text, ``"gcj02"``, ``"bd09"``, or a ``pyproj.CRS``.

    Returns
    -------
    tuple
        The CRS and the shift to undo: ``"gcj02"``, ``"bd09"`` or None. With a shift the CRS is EPSG:4490, the
        one the coordinates are in once the shift is undone.

    Raises
    ------
    CrsError
        The text means nothing, or is not a geographic or projected CRS.

    Examples
    --------
    >>> crs, shift = parse_crs("4549")
    >>> crs.to_epsg(), shift
    (4549, None)
    >>> parse_crs("GCJ-02")[1]
    'gcj02'
    """
    if isinstance(value, CRS):
        return _flat(value), None
    text = str(value).strip()
    plain = re.sub(r"[\s_-]", "", text).lower()
    if plain in _SHIFTED:
        return CGCS2000, _SHIFTED[plain]
    code = re.fullmatch(r"(?:\+?init=)?(?:epsg:{1,2})?(\d{4,6})", plain)
    meant: Any = int(code.group(1)) if code else _ALIASES.get(plain, text)
    try:
        if not text or isinstance(value, bool) or re.search(r"(?i)\binit=|grids=", str(meant)):
            raise ProjCrsError("not accepted")
        return _flat(CRS.from_user_input(meant)), None
    except (ProjCrsError, ProjError) as error:
        way = "请写 EPSG:4549 这样的代码、gcj02、bd09，或完整的 PROJ、WKT 文本"
        raise CrsError(Problem("", None, f"无法识别的坐标系“{text[:60]}”", way)) from error


def _flat(crs: CRS) -> CRS:
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    if flat.geodetic_crs is None or not (flat.is_projected or flat.is_geographic):
        way = "请给出地理坐标系或投影坐标系，例如 EPSG:4490、EPSG:4549"
        raise CrsError(Problem("", None, f"“{crs.name}”不是可以定位的坐标系", way))
    return flat


def gauss_kruger(zone: int, *, width: int = 3, prefixed: bool = False) -> CRS:
    """Give the CGCS2000 Gauss-Kruger zone of that number.

    Parameters
    ----------
    zone
        25 to 45 for zones of 3 degrees, 13 to 23 for zones of 6 degrees.
    width
        Width of the zone in degrees, 3 or 6.
    prefixed
        Whether eastings begin with the number of the zone (false easting 40 500 000 instead of 500 000).

    Raises
    ------
    CrsError
        China has no such zone.

    Examples
    --------
    >>> gauss_kruger(40).to_epsg(), gauss_kruger(40, prefixed=True).to_epsg()
    (4549, 4528)
    """
    first, last, code = _SERIES.get((width, prefixed), (1, 0, 0))
    if not first <= zone <= last:
        way = "3 度带为 25 至 45，6 度带为 13 至 23"
        raise CrsError(Problem("", None, f"没有 {width} 度分带的第 {zone} 带", way))
    return CRS.from_epsg(code + zone - first)


def label(crs: CRS, shift: str | None = None) -> str:
    """Name a CRS for a message.

    Examples
    --------
    >>> label(CRS.from_epsg(4549)), label(CGCS2000, "gcj02")
    ('EPSG:4549', 'GCJ-02')
    """
    if shift is not None:
        return SHIFT_LABELS[shift]
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else f"“{crs.name}”"


def false_easting(crs: CRS) -> float | None:
    """Give what a Gauss-Kruger zone adds to its eastings: 500 000, or that with the number of the zone in front.

    Examples
    --------
    >>> false_easting(CRS.from_epsg(4549)), false_easting(CRS.from_epsg(4528)), false_easting(CRS.from_epsg(3857))
    (500000.0, 40500000.0, None)
    """
    operation = crs.coordinate_operation
    if operation is None or "transverse mercator" not in operation.method_name.lower():
        return None
    found = [float(p.value) for p in operation.params if p.name == "False easting"]
    return found[0] if found and found[0] % 1e6 == 5e5 else None


def same(left: CRS, right: CRS) -> bool:
    """Tell whether two CRSs give the same coordinates, whatever their axis order and label.

    Examples
    --------
    >>> same(CRS.from_epsg(4549), CRS.from_epsg(4549)), same(CRS.from_epsg(4549), CRS.from_epsg(4528))
    (True, False)
    """
    if left == right or left.equals(right, ignore_axis_order=True):
        return True
    code = left.to_epsg()
    return code is not None and code == right.to_epsg()


def require_metric(crs: CRS) -> None:
    """Refuse a CRS in which lengths and areas are not metres on the ground.

    Raises
    ------
    CrsError
        It is geographic, not in metres, or one of the web map projections, in which 1000 m are 850 m on the
        ground at Changzhou.

    Examples
    --------
    >>> require_metric(CRS.from_epsg(4549))
    """
    way = "请使用以米为单位的投影坐标系，例如 EPSG:4549"
    operation = crs.coordinate_operation
    method = "" if operation is None else operation.method_name.lower()
    fault = ""
    if not crs.is_projected:
        fault = f"{label(crs)} 不是投影坐标系"
    elif any(axis.unit_conversion_factor != 1.0 for axis in crs.axis_info[:2]):
        fault = f"{label(crs)} 的单位不是米"
    elif any(name in method for name in _WEB_METHODS):
        fault = f"{label(crs)} 的长度和面积与实地不符，不能用于量算"
    if fault:
        raise CrsError(Problem("", None, fault, way))
