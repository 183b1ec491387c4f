"""From corners to geometries: which of two numbers is the northing, which ring is a hole.

Official coordinates are X = northing and Y = easting, GIS tables have it the other way round, and some programs
write the columns under each other's name. In Jiangsu a number of seven digits is a northing, one of six digits,
or of eight with the number of the zone in front, an easting; that decides, and where it can not the caller is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from ecospatial.errors import Problem
from ecospatial.io._encoding import shown
from ecospatial.io.point_numbers import Corner, in_number_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# How the two columns are named in the file.
Naming = Literal["north_east", "east_north", "unnamed"]
NORTH, EAST, _OTHER = 1, 2, 0
_CLOSED_M = 1e-3  # 精度=0.001 in the head of survey files
_BAD_CLOSING = "闭合点两个坐标写成了同一个数，已按首点闭合"
_ASK = "请核对坐标列：北坐标为 7 位，东坐标为 6 位（带带号为 8 位）"


@dataclass(slots=True)
class Outline:
    """One parcel as it stands in the file, with the faults found while reading it."""

    row: int
    shape: str
    attributes: dict[str, Any]
    corners: list[Corner] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ParcelFile:
    """The parcels of one file and what the file says about its coordinates.

    ``geometry`` has x east and y north and is None where the parcel has ``faults`` (same position in the list).
    ``rows`` are lines of the file, ``notes`` what was changed in each parcel, ``notices`` what is worth knowing
    about the file. ``datum`` is as from ``datum_of``; ``prefixes`` are, for each parcel, the number of the zone
    that its eastings begin with (None: no such number); ``ordered`` tells whether it is settled which number is
    the northing. ``headers`` are texts of the file that may speak of its coordinates: heads of columns, titles.
    """

    geometry: NDArray[Any]
    attributes: pd.DataFrame
    rows: tuple[int, ...]
    faults: tuple[tuple[Problem, ...], ...]
    notes: tuple[str, ...]
    notices: tuple[str, ...] = ()
    datum: str | None = None
    zone: int | None = None
    width: int | None = None
    prefixes: tuple[int | None, ...] = ()
    crs: str | None = None
    ordered: bool = True
    headers: tuple[str, ...] = ()

    @property
    def prefix(self) -> int | None:
        """The number of the zone that all eastings begin with; None when there is none or several."""
        found = set(self.prefixes)
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Order:
    north_first: bool
    proven: bool
    note: str
    odd: NDArray[np.bool_]


def draw(outlines: list[Outline], *, file: str, naming: Naming, **said: Any) -> ParcelFile:
    """Build the geometries of all parcels of a file.

    Parameters
    ----------
    outlines
        The parcels.
    file
        Name of the file, for messages.
    naming
        What the file calls the two numbers of a corner.
    **said
        Further fields of the ``ParcelFile``.
    """
    import pandas as pd

    kept = [_without_bad_closing(outline.corners) for outline in outlines]
    corners = [corner for found in kept for corner in found]
    first = np.array([corner.first for corner in corners], dtype=np.float64)
    second = np.array([corner.second for corner in corners], dtype=np.float64)
    order = _order(first, second, naming)
    odd_rows = {corner.row for corner, odd in zip(corners, order.odd, strict=True) if odd}
    geometry, faults, notes, prefixes = [], [], [], []
    for outline, corners_ in zip(outlines, kept, strict=True):
        found = list(outline.faults)
        own, sorted_ = corners_, ""
        if not found and (outline.shape or "面") == "面":
            own, sorted_ = in_number_order(corners_, found, file)
        wrong = "坐标与其他点的位数或顺序不同"
        found += [Problem(file, corner.row, wrong, _ASK) for corner in own if corner.row in odd_rows]
        prefix = _prefix(own, order, found, file=file, row=outline.row)
        shape = None if found else _shape(own, outline.shape or "面", order, found, file=file)
        note = "；".join(filter(None, [_BAD_CLOSING if len(corners_) < len(outline.corners) else "", sorted_]))
        geometry.append(None if found else shape)
        faults.append(tuple(found))
        notes.append("；".join(filter(None, [order.note, note])))
        prefixes.append(prefix)
    return ParcelFile(
        geometry=_objects(geometry),
        attributes=pd.DataFrame([outline.attributes for outline in outlines], dtype=object),
        rows=tuple(outline.row for outline in outlines),
        faults=tuple(faults),
        notes=tuple(notes),
        prefixes=tuple(prefixes),
        ordered=order.proven,
        **said,
    )


def settled(geometry: NDArray[Any], *, naming: Naming) -> ParcelFile:
    """Settle for geometries that are already built which coordinate is the northing.

    Parameters
    ----------
    geometry
        Geometries with the two coordinates as they stand in the file, or None.
    naming
        What the file calls them.
    """
    import pandas as pd

    vertices, owner = shapely.get_coordinates(geometry, return_index=True)
    order = _order(vertices[:, 0], vertices[:, 1], naming)
    turned = geometry
    if order.north_first and order.proven:
        turned = shapely.transform(geometry, lambda pairs: pairs[:, ::-1])
    east = vertices[:, 1] if order.north_first else vertices[:, 0]
    zone = np.where(east >= 1e7, east // 1e6, 0).astype(np.int64)
    least, most = np.full(len(geometry), 99), np.zeros(len(geometry), dtype=np.int64)
    np.minimum.at(least, owner, zone)
    np.maximum.at(most, owner, zone)
    prefixes = [int(high) or None if low == high else None for low, high in zip(least, most, strict=True)]
    return ParcelFile(
        geometry=turned,
        attributes=pd.DataFrame(index=range(len(geometry))),
        rows=tuple(range(1, len(geometry) + 1)),
        faults=((),) * len(geometry),
        notes=(order.note,) * len(geometry),
        prefixes=tuple(prefixes),
        ordered=order.proven or naming == "east_north",
    )


def _objects(items: list[Any]) -> NDArray[Any]:
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made


# ------------------------------------------------------------------------------- which is the northing


def _order(first: Floats, second: Floats, naming: Naming) -> _Order:
    north = (kind(first) == NORTH) & (kind(second) == EAST)
    east = (kind(first) == EAST) & (kind(second) == NORTH)
    if not (north.any() or east.any()):
        # Nothing can be told from the numbers. Columns called 东、北 or 经、纬 say it themselves; X and Y do not.
        return _Order(naming != "east_north", naming == "east_north", "", np.zeros(len(first), dtype=bool))
    north_first = bool(north.sum() > east.sum())
    swapped = naming == ("east_north" if north_first else "north_east")
    note = "坐标两列标反，已按北坐标 7 位、东坐标 6 或 8 位（经纬度按中国范围）对调" if swapped else ""
    return _Order(north_first, True, note, ~(north if north_first else east))


def kind(values: Floats) -> NDArray[np.int64]:
    """Tell by its size whether a number is a northing, an easting, or neither."""
    zone = values // 1e6
    eight = (values >= 1e7) & (((zone >= 13) & (zone <= 23)) | ((zone >= 25) & (zone <= 45)))
    six = (values >= 1e5) & (values < 1e6)
    seven = (values >= 1e6) & (values < 1e7)
    lon, lat = (values >= 73) & (values <= 136), (values >= 3) & (values <= 54)  # degrees, in China
    return np.select([seven | lat, eight | six | lon], [NORTH, EAST], _OTHER)


def _prefix(corners: list[Corner], order: _Order, faults: list[Problem], *, file: str, row: int) -> int | None:
    """Give the zone in front of the eastings of one parcel, which must be the same at every corner."""
    east = [corner.second if order.north_first else corner.first for corner in corners]
    found = sorted({int(value // 1e6) if value >= 1e7 else 0 for value in east if value >= 1e5})
    if len(found) > 1 and not faults:
        listed = "、".join(map(str, found))
        fault = f"同一地块的东坐标带号前缀不一致：{listed}（0 为无前缀）"
        faults.append(Problem(file, row, fault, "请统一到同一分带"))
    return found[0] or None if len(found) == 1 else None


# ------------------------------------------------------------------------------------- building shapes


def _without_bad_closing(corners: list[Corner]) -> list[Corner]:
    """Leave out closing corners that have one number in both columns, as a program in use writes them."""
    left = []
    for _, run in groupby(corners, key=lambda corner: corner.ring):
        ring = list(run)
        start, last = ring[0], ring[-1]
        twice = last.first == last.second and last.first in (start.first, start.second)
        closing = len(ring) > 3 and last.point == start.point != "" and twice
        left += ring[:-1] if closing else ring
    return left


def _shape(corners: list[Corner], kind: str, order: _Order, faults: list[Problem], *, file: str) -> Any:
    """Build one parcel; what hinders it is added to ``faults``."""
    if kind == "点":
        return shapely.union_all(shapely.points([_xy(corner, order) for corner in corners]))
    runs = [list(run) for _, run in groupby(corners, key=lambda corner: corner.ring)]
    numbers = [run[0].ring for run in runs]
    paths = []
    for i, run in enumerate(runs):
        if numbers[i] in numbers[:i]:
            way = "请把同一圈的点放在一起，不同的圈用不同圈号"
            faults.append(Problem(file, run[0].row, f"圈号 {shown(numbers[i])} 分成了几段", way))
        path = _open_ring(run, faults, file) if kind == "面" else run
        if len(path) < (3 if kind == "面" else 2):
            way = "请补齐界址点；点状项目请写明“点”"
            faults.append(Problem(file, run[0].row, f"只有 {len(path)} 个点，不能构成{kind}", way))
        paths.append([_xy(corner, order) for corner in path])
    if faults:
        return None
    if kind == "线":
        return shapely.union_all([shapely.LineString(path) for path in paths])
    return _polygon(paths)


def _xy(corner: Corner, order: _Order) -> tuple[float, float]:
    return (corner.second, corner.first) if order.north_first else (corner.first, corner.second)


def _open_ring(run: list[Corner], faults: list[Problem], file: str) -> list[Corner]:
    """Drop the closing corner of a ring, which files repeat or leave out."""
    start, last = run[0], run[-1]
    closing = [i for i, corner in enumerate(run) if i > 2 and _meet(start, corner)]
    if closing:
        if closing[0] < len(run) - 1:
            way = "请给每一圈不同的圈号"
            faults.append(Problem(file, run[closing[0] + 1].row, "这一圈已经闭合，后面又有点", way))
        return run[: closing[0]]
    if len(run) > 3 and last.point and last.point == start.point:
        fault = f"点号 {shown(last.point)} 与首点同号而坐标不同"
        faults.append(Problem(file, last.row, fault, "请核对首尾两点的坐标"))
    return run


def _meet(one: Corner, other: Corner) -> bool:
    # Degrees are told apart from metres by their size: a millimetre is 1e-8 of a degree.
    near = _CLOSED_M if max(abs(one.first), abs(one.second)) > 360 else 1e-8
    return abs(one.first - other.first) <= near and abs(one.second - other.second) <= near


def _polygon(rings: Iterable[list[tuple[float, float]]]) -> Any:
    """Make one area of rings: a ring inside what is there so far is a hole, one outside or in a hole a part."""
    parts: list[tuple[Any, list[Any], Any]] = []
    for ring in rings:
        shell = shapely.Polygon(ring)
        area = shapely.make_valid(shell, method="structure", keep_collapsed=False)
        shared = [shapely.intersection(area, left).area for _, _, left in parts]
        if not shared or max(shared) <= 1e-9 * max(area.area, 1e-12):
            parts.append((shell, [], area))
            continue
        i = int(np.argmax(shared))
        outer, holes, left = parts[i]
        parts[i] = (outer, [*holes, ring], shapely.difference(left, area))
    made = [shapely.Polygon(outer.exterior, holes) for outer, holes, _ in parts]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)
