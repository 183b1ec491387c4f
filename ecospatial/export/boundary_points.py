"""Corner coordinates of sites as survey papers list them: J1, J2, ... with X to the north and Y to the east."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

CGCS2000 = CRS.from_epsg(4490)
MOST = 300  # a report is read by people; the files hold all of them


@dataclass(frozen=True, slots=True)
class Corner:
    """A corner as it is written: metres with three decimals, degrees with eight (1 mm)."""

    name: str
    x: str
    y: str
    lon: str
    lat: str


@dataclass(frozen=True, slots=True)
class Ring:
    """One closed ring, one line or one point of a site."""

    title: str
    corners: list[Corner]


@dataclass(frozen=True, slots=True)
class Corners:
    """The rings of a site, and how many of its corners are not listed."""

    rings: list[Ring]
    total: int
    left_out: int


def _lines(geometry: Any) -> list[tuple[str, NDArray[np.float64]]]:
    """Name the rings of a geometry and give their corners, the closing one left out."""
    parts = shapely.get_parts(geometry)
    found = []
    for number, part in enumerate(parts, start=1):
        which = f"第 {number} 块，" if len(parts) > 1 else ""
        kind = int(shapely.get_type_id(part))
        if kind == 3:
            for ring, line in enumerate(shapely.get_rings(part), start=1):
                title = f"{which}{'外圈' if ring == 1 else '内圈（挖空）'}，圈号 {ring}"
                found.append((title, shapely.get_coordinates(line)[:-1]))
        elif kind in (0, 1):
            word = "线" if kind == 1 else "点"
            found.append((f"{word} {number}" if len(parts) > 1 else word, shapely.get_coordinates(part)))
        else:
            found += _lines(part)
    return found


def corners(sites: gpd.GeoDataFrame) -> list[Corners]:
    """List the corners of every site, in the order of the sites.

    Parameters
    ----------
    sites
        In a projected CRS; x is east and y is north, as everywhere in memory.

    Returns
    -------
    list of Corners
        Numbered J1, J2, ... through the whole site; rings are told apart. X is north and Y is east, in metres of
        the CRS of the sites; longitude and latitude are CGCS2000 degrees. At most 300 corners of a site.
    """
    lines = [_lines(shape) if shape is not None else [] for shape in sites.geometry]
    points = [points for own in lines for _, points in own]
    if not points:
        return [Corners([], 0, 0) for _ in lines]
    # To the millimetre, as it is written: a file in degrees then gives the same table.
    plane = np.round(np.concatenate(points), 3) + 0.0
    moved = crs_room.transform(np.asarray(shapely.points(plane), dtype=object), CRS(sites.crs), CGCS2000)
    degrees, start, result = shapely.get_coordinates(moved), 0, []
    for own in lines:
        rings, number = [], 0
        for title, ring in own:
            stop = start + len(ring)
            shown = min(len(ring), max(MOST - number, 0))
            listed = range(start, start + shown)
            named = [_corner(number + i, plane[row], degrees[row]) for i, row in enumerate(listed, start=1)]
            if named:
                rings.append(Ring(f"{title}（{len(ring)} 点）", named))
            number, start = number + len(ring), stop
        result.append(Corners(rings, number, max(number - MOST, 0)))
    return result


def _corner(number: int, plane: NDArray[np.float64], degrees: NDArray[np.float64]) -> Corner:
    (east, north), (lon, lat) = plane.tolist(), degrees.tolist()
    return Corner(f"J{number}", f"{north:.3f}", f"{east:.3f}", f"{lon:.8f}", f"{lat:.8f}")
