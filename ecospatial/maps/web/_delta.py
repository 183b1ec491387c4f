"""Geometry as short text: whole numbers, each as its step from the one before, six bits to a character.

The page reads it back (``unpack`` in map_data.js). One text holds how the parts lie (for each ring, line or point: the
step to its feature, twice its type plus one where a part begins, how many vertices), the other each vertex (step east,
step north, how many zooms below the finest it is first needed). A step is written like a signed number of Protocol
Buffers: zigzag, then five bits to a character, the lowest first, the sixth bit where more follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial.maps.web._simplify import levels, to_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

CGCS2000 = CRS.from_epsg(4490)
ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)
POINT, LINE, RING = 0, 1, 2
LONGEST_EDGE_M = 1000.0  # a straight edge of a plan is a curve on a web map: 1 cm off in the middle of 1 km
# (zoom, most vertices of a layer): a small layer is true to the centimetre, a large one to the pixel of zoom 16.
FINEST = ((20, 20_000), (18, 100_000), (16, None))
DECIMALS = {20: 7, 18: 6, 16: 6}


@dataclass(frozen=True, slots=True)
class EncodedShapes:
    """Shapes of one layer: two texts, the zoom up to which they are good, decimals of a degree, places drawn."""

    parts: str
    vertices: str
    zoom: int
    decimals: int
    count: int


@dataclass(frozen=True, slots=True)
class Paths:
    """Rings, lines and points of all features one after the other."""

    points: NDArray[np.float64]
    path: NDArray[np.intp]
    kind: NDArray[np.intp]
    feature: NDArray[np.intp]
    begins: NDArray[np.bool_]


def number_text(values: NDArray[np.integer]) -> str:
    """Write whole numbers that are not negative.

    Examples
    --------
    >>> number_text(np.array([0, 31, 32, 1000]))
    'AfgBof'
    """
    rest = np.asarray(values, dtype=np.int64).ravel().copy()
    size = np.ones(len(rest), dtype=np.intp)
    more = rest >> 5
    while more.any():
        size += more > 0
        more >>= 5
    ends = np.cumsum(size)
    places = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    left, at = np.arange(len(rest)), ends - size
    while len(left):
        goes_on = rest[left] > 31
        places[at[left]] = (rest[left] & 31) | (goes_on << 5)
        rest[left] >>= 5
        left = left[goes_on]
        at[left] += 1
    return ALPHABET[places].tobytes().decode("ascii")


def zigzag(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fold signed numbers onto those from 0 up: 0, -1, 1, -2, 2.

    Examples
    --------
    >>> zigzag(np.array([0, -1, 1, -2, 2])).tolist()
    [0, 1, 2, 3, 4]
    """
    return (steps << 1) ^ (steps >> 63)


def _steps(places: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    whole = np.round(places * 10.0**decimals).astype(np.int64)
    return zigzag(np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)))


def places_text(places: NDArray[np.float64]) -> str:
    """Write longitudes and latitudes to the centimetre, each as the step from the one before."""
    return number_text(_steps(places, DECIMALS[FINEST[0][0]]))


def paths(geometry: NDArray[np.object_]) -> Paths:
    """Lay out the rings, lines and points of shapes; a ring does not repeat its first vertex."""
    parts, owner = _simple(geometry)
    types = shapely.get_type_id(parts)
    polygon = types == 3
    rings, ring_part = shapely.get_rings(parts[polygon], return_index=True)
    pieces = np.concatenate([rings, parts[~polygon]])
    part = np.concatenate([np.flatnonzero(polygon)[ring_part], np.flatnonzero(~polygon)])
    order = np.argsort(part, kind="stable")
    pieces, part = pieces[order], part[order]
    kind = np.where(types[part] == 3, RING, np.where(types[part] == 0, POINT, LINE))
    points, path = shapely.get_coordinates(pieces, return_index=True)
    steps = np.hypot(*np.diff(points, axis=0).T)
    long = np.unique(path[1:][(steps > LONGEST_EDGE_M) & (path[1:] == path[:-1])])
    if len(long):
        pieces[long] = shapely.segmentize(pieces[long], LONGEST_EDGE_M)
        points, path = shapely.get_coordinates(pieces, return_index=True)
    last = np.append(path[1:] != path[:-1], True) if len(path) else np.zeros(0, dtype=bool)
    stays = ~(last & (kind[path] == RING))
    begins = np.append(True, part[1:] != part[:-1]) if len(part) else np.zeros(0, dtype=bool)
    return Paths(points[stays], path[stays], kind, owner[part], begins)


def _simple(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    parts, owner = shapely.get_parts(geometry, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    kept = ~shapely.is_empty(parts)
    return parts[kept], owner[kept]


def degrees(points: NDArray[np.float64], source: CRS) -> NDArray[np.float64]:
    """Move places to CGCS2000 longitude and latitude."""
    return crs_room.transform_points(points, source, CGCS2000) if len(points) else np.zeros((0, 2))


def coded(geometry: NDArray[np.object_], source: CRS) -> EncodedShapes:
    """Write shapes as text, with what each zoom needs.

    Parameters
    ----------
    geometry
        Any shapes, in metres of ``source``.
    source
        Their CRS.
    """
    laid = paths(geometry)
    ids, different = pd.factorize(laid.points[:, 0] + 1j * laid.points[:, 1])
    places = degrees(np.column_stack([different.real, different.imag]), source)
    drawn = laid.kind[laid.path] != POINT
    zoom = next(zoom for zoom, most in FINEST if most is None or drawn.sum() <= most)
    level = np.full(len(places), zoom, dtype=np.intp)
    if drawn.any():
        used, path = np.unique(laid.path[drawn], return_inverse=True)
        level = levels(to_pixels(places, zoom), ids[drawn], path, laid.kind[used] == RING, zoom)
    level[ids[~drawn]] = np.minimum(level[ids[~drawn]], zoom)
    stays = level[ids] <= zoom
    counts = np.bincount(laid.path[stays], minlength=len(laid.kind))
    vertices = np.column_stack([_steps(places[ids[stays]], DECIMALS[zoom]), zoom - level[ids[stays]]])
    feature = np.diff(laid.feature, prepend=0)
    parts = np.column_stack([feature, 2 * laid.kind + laid.begins, counts])
    return EncodedShapes(number_text(parts), number_text(vertices), zoom, DECIMALS[zoom], int(stays.sum()))
