"""From one coordinate reference system to another, without a silent shift."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from ecospatial.crs.gcj02 import bd09_to_cgcs2000, gcj02_to_cgcs2000
from ecospatial.crs.parse import CGCS2000, SHIFT_LABELS, label, same
from ecospatial.errors import CrsError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Datums that differ by less than a metre in China. PROJ text cannot name CGCS2000; a city grid is therefore
# written with its ellipsoid (+ellps=GRS80, the same figures) and has an "unknown" datum on it.
_MODERN = re.compile(
    r"(?i)china 2000|china geodetic coordinate system 2000|world geodetic system 1984|wgs.?(19)?84"
    r"|unknown based on (grs ?(19)?80|wgs ?84|cgcs2000) ellipsoid"
)
_OLD = {
    "1954北京坐标系": re.compile(r"(?i)beijing|krassovsky|krassowsky"),
    "1980西安坐标系": re.compile(r"(?i)xian|iau 1976|iag 1975"),
}
_WGS84 = CRS.from_epsg(4326)
_EDGE_M, _EDGE_DEG = 1000.0, 0.01


def transform(geometry: NDArray[Any], source: CRS, target: CRS) -> NDArray[Any]:
    """Bring geometries from one CRS into another; heights are dropped.

    Edges longer than about 1 km get vertices first, because a straight edge in one CRS is a curve in the
    other (26 m off in the middle of an edge of half a degree at 30 degrees north).

    Parameters
    ----------
    geometry
        Geometries with x east and y north; None stays None.
    source, target
        CRS before and after. WGS 84 and CGCS2000 are treated as equal (they agree to a metre).

    Raises
    ------
    CrsError
        There is no known shift between the datums (1954北京, 1980西安), or coordinates lie outside the domain
        of the projection.

    Examples
    --------
    >>> point = transform(np.array([shapely.Point(120, 31.78)]), CGCS2000, CRS.from_epsg(4549))[0]
    >>> round(point.x, 3), round(point.y, 3)
    (500000.0, 3517457.759)
    """
    if same(source, target):
        flat = np.array(geometry, dtype=object)
        high = shapely.has_z(flat) | shapely.has_m(flat)
        flat[high] = shapely.force_2d(flat[high])
        return flat
    require_known_shift(source, target)
    finite = _finite(geometry)
    moved = _densified(geometry, finite, _EDGE_DEG if source.is_geographic else _EDGE_M)
    for before, after in _steps(source, target):
        change: Any = Transformer.from_crs(before, after, always_xy=True)
        moved = shapely.transform(moved, change.transform, interleaved=False)
    if not _finite(moved)[finite].all():
        fault = f"坐标超出 {label(source)} 的范围，无法转换到 {label(target)}"
        raise CrsError(Problem("", None, fault, "请核对坐标系、带号前缀和 X、Y 的顺序，用 --crs 指明坐标系"))
    return moved


def transform_points(points: NDArray[np.float64], source: CRS, target: CRS) -> NDArray[np.float64]:
    """Bring points from one CRS into another, for display: as ``transform``, without its checks.

    Parameters
    ----------
    points
        x east and y north, one row each.
    source, target
        CRS before and after.

    Raises
    ------
    CrsError
        There is no known shift between the datums (1954北京, 1980西安).

    Examples
    --------
    >>> transform_points(np.array([[500000.0, 3517457.759]]), CRS.from_epsg(4549), CGCS2000).round(6).tolist()
    [[120.0, 31.78]]
    """
    if same(source, target):
        return points
    require_known_shift(source, target)
    x, y = points[:, 0], points[:, 1]
    for before, after in _steps(source, target):
        x, y = Transformer.from_crs(before, after, always_xy=True).transform(x, y)
    return np.column_stack([x, y])


def _steps(source: CRS, target: CRS) -> list[tuple[CRS, CRS]]:
    # PROJ drops +towgs84 on the way to CGCS2000 and applies it on the way to WGS 84, which is taken as equal.
    if source.is_bound:
        return [(source, _WGS84), *_steps(CGCS2000, target)]
    return [(source, CGCS2000), (_WGS84, target)] if target.is_bound else [(source, target)]


def _densified(geometry: NDArray[Any], finite: NDArray[np.bool_], step: float) -> NDArray[Any]:
    dense = np.asarray(geometry, dtype=object).copy()
    # GEOS repairs invalid polygons while it segmentises them, and half of a bow-tie is gone without a word.
    sound = finite & shapely.is_valid(dense)
    dense[sound] = shapely.segmentize(dense[sound], step)
    for i in np.flatnonzero(finite & ~sound):
        dense[i] = _as_it_stands(dense[i], step)
    return dense


def _as_it_stands(shape: Any, step: float) -> Any:
    if shape.length == 0.0:  # GEOS refuses a line whose vertices are all the same
        return shape
    if shape.geom_type == "Polygon":
        rings = [_as_it_stands(ring, step) for ring in (shape.exterior, *shape.interiors)]
        return shapely.Polygon(rings[0], rings[1:])
    if shape.geom_type == "MultiPolygon":
        return shapely.MultiPolygon([_as_it_stands(part, step) for part in shape.geoms])
    if hasattr(shape, "geoms"):
        return type(shape)([_as_it_stands(part, step) for part in shape.geoms])
    return shapely.segmentize(shape, step)


def _finite(geometry: NDArray[Any]) -> NDArray[np.bool_]:
    # Not by the bounds: they leave a NaN vertex out.
    vertices, owner = shapely.get_coordinates(geometry, return_index=True)
    finite = np.asarray(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    finite[owner[~np.isfinite(vertices).all(axis=1)]] = False
    return finite


def require_known_shift(source: CRS, target: CRS) -> None:
    """Refuse to go between two datums when the shift is not known.

    Raises
    ------
    CrsError
        PROJ would take the shift for zero without a word (really 50 to 150 m for 1954北京 and 1980西安).

    Examples
    --------
    >>> require_known_shift(CRS.from_epsg(4326), CRS.from_epsg(4549))
    """
    unknown = [crs for crs in (source, target) if not (crs.is_bound or _MODERN.match(_datum(crs)))]
    if not unknown or _datum(source) == _datum(target):
        return
    name = _datum(unknown[0])
    old = next((text for text, form in _OLD.items() if form.search(name)), name)
    raise CrsError(
        Problem(
            "",
            None,
            f"{label(source)} 到 {label(target)} 的基准面转换参数未知（{old}），直接套用会偏差数十至一百多米",
            "请由测绘单位转换为 2000 国家大地坐标系，或用 --crs 和 --towgs84（或 PROJ 文本的 +towgs84）给出七参数",
        )
    )


def old_datum(crs: CRS) -> str | None:
    """Name the datum of a CRS when it is one of the two from before CGCS2000.

    Examples
    --------
    >>> old_datum(CRS.from_epsg(2385)), old_datum(CRS.from_epsg(4549))
    ('1980西安坐标系', None)
    """
    return next((name for name, form in _OLD.items() if form.search(_datum(crs))), None)


def _datum(crs: CRS) -> str:
    geodetic = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    datum = geodetic.datum
    return geodetic.name if datum is None else datum.name


def undo_shift(geometry: NDArray[Any], shift: str) -> NDArray[Any]:
    """Bring geometries from GCJ-02 or BD-09 into CGCS2000 (EPSG:4490); heights are dropped.

    Parameters
    ----------
    geometry
        Geometries in degrees of the shifted frame; None stays None.
    shift
        ``"gcj02"`` or ``"bd09"``.

    Raises
    ------
    CrsError
        The coordinates are not degrees.

    Examples
    --------
    >>> moved = undo_shift(np.array([shapely.Point(119.95470133, 31.787903801)]), "gcj02")
    >>> round(moved[0].x, 8), round(moved[0].y, 8)
    (119.95, 31.79)
    """
    inverse: Any = {"gcj02": gcj02_to_cgcs2000, "bd09": bd09_to_cgcs2000}[shift]
    finite = _finite(geometry)
    bounds = shapely.bounds(geometry)[finite]
    if (np.abs(bounds) > np.array([180.0, 90.0, 180.0, 90.0])).any():
        fault = f"坐标不是经纬度，不可能是 {SHIFT_LABELS[shift]}"
        raise CrsError(Problem("", None, fault, "请核对 --crs"))
    return shapely.transform(_densified(geometry, finite, _EDGE_DEG), inverse, interleaved=False)
