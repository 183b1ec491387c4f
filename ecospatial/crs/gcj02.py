"""The shifted frames of Chinese web maps, GCJ-02 and BD-09, and the way back.

They are undone here for data that was received in them; converting survey-grade data into them may be
restricted by law and is offered for display only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecospatial.errors import CrsError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]
    Forward = Callable[[Floats, Floats], Pair]

# Constants and box as in coordTransform_utils.py of wandergis/coordTransform_py (commit 39e54c64); the first
# two are the ellipsoid of Krassowsky.
_A, _EE = 6378245.0, 0.00669342162296594323
_BD_LON, _BD_LAT, _BD_PI = 0.0065, 0.006, np.pi * 3000.0 / 180.0
_BOX = (73.66, 3.86, 135.05, 53.55)
_AGREE_DEG, _ROUNDS = 1e-10, 60


def cgcs2000_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift CGCS2000 coordinates into GCJ-02, for display.

    Parameters
    ----------
    lon, lat
        Degrees in CGCS2000 (EPSG:4490). Outside the box of China the formula moves nothing.

    Returns
    -------
    tuple
        Degrees in GCJ-02, 500 to 560 m off towards the east-south-east in Changzhou and Nanjing.

    Examples
    --------
    >>> lon, lat = cgcs2000_to_gcj02(119.95, 31.79)
    >>> float(lon) > 119.95, float(lat) < 31.79
    (True, True)
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    u, v = x - 105.0, y - 35.0
    common = (20.0 * np.sin(6.0 * u * np.pi) + 20.0 * np.sin(2.0 * u * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * u + 3.0 * v + 0.2 * v * v + 0.1 * u * v + 0.2 * np.sqrt(np.abs(u)) + common
    north = north + (20.0 * np.sin(v * np.pi) + 40.0 * np.sin(v / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(v / 12.0 * np.pi) + 320.0 * np.sin(v * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + u + 2.0 * v + 0.1 * u * u + 0.1 * u * v + 0.1 * np.sqrt(np.abs(u)) + common
    east = east + (20.0 * np.sin(u * np.pi) + 40.0 * np.sin(u / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(u / 12.0 * np.pi) + 300.0 * np.sin(u / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(y)
    magic = 1.0 - _EE * np.sin(phi) ** 2
    meridian = _A * (1.0 - _EE) / (magic * np.sqrt(magic))
    parallel = _A / np.sqrt(magic) * np.cos(phi)
    west, south, east_end, north_end = _BOX
    inside = (x >= west) & (x <= east_end) & (y >= south) & (y <= north_end)
    shift_x, shift_y = np.degrees(east / parallel), np.degrees(north / meridian)
    return np.where(inside, x + shift_x, x), np.where(inside, y + shift_y, y)


def cgcs2000_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift CGCS2000 coordinates into BD-09, for display.

    Parameters
    ----------
    lon, lat
        Degrees in CGCS2000 (EPSG:4490).

    Returns
    -------
    tuple
        Degrees in BD-09, 1.1 to 1.2 km off towards the east-north-east in Changzhou and Nanjing.

    Examples
    --------
    >>> lon, lat = cgcs2000_to_bd09(119.95, 31.79)
    >>> float(lon) > 119.96, float(lat) > 31.79
    (True, True)
    """
    x, y = cgcs2000_to_gcj02(lon, lat)
    reach = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_PI)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_PI)
    return reach * np.cos(angle) + _BD_LON, reach * np.sin(angle) + _BD_LAT


def gcj02_to_cgcs2000(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Undo the shift of GCJ-02, iterating until the forward formula agrees to 1e-10 degree (0.01 mm).

    Parameters
    ----------
    lon, lat
        Degrees in GCJ-02.

    Returns
    -------
    tuple
        Degrees in CGCS2000 (EPSG:4490).

    Raises
    ------
    CrsError
        The iteration does not settle (at the very edge of the box of China).

    Examples
    --------
    >>> lon, lat = gcj02_to_cgcs2000(*cgcs2000_to_gcj02(119.95, 31.79))
    >>> round(float(lon), 9), round(float(lat), 9)
    (119.95, 31.79)
    """
    return _inverse(cgcs2000_to_gcj02, lon, lat)


def bd09_to_cgcs2000(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Undo the shift of BD-09, iterating until the forward formula agrees to 1e-10 degree (0.01 mm).

    Parameters
    ----------
    lon, lat
        Degrees in BD-09.

    Returns
    -------
    tuple
        Degrees in CGCS2000 (EPSG:4490).

    Raises
    ------
    CrsError
        The iteration does not settle (at the very edge of the box of China).

    Examples
    --------
    >>> lon, lat = bd09_to_cgcs2000(*cgcs2000_to_bd09(119.95, 31.79))
    >>> round(float(lon), 9), round(float(lat), 9)
    (119.95, 31.79)
    """
    return _inverse(cgcs2000_to_bd09, lon, lat)


def _inverse(forward: Forward, lon: ArrayLike, lat: ArrayLike) -> Pair:
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    guess_x, guess_y = x.copy(), y.copy()
    for _ in range(_ROUNDS):
        there_x, there_y = forward(guess_x, guess_y)
        off_x, off_y = x - there_x, y - there_y
        if not ((np.abs(off_x) > _AGREE_DEG) | (np.abs(off_y) > _AGREE_DEG)).any():
            return guess_x, guess_y
        guess_x, guess_y = guess_x + off_x, guess_y + off_y
    raise CrsError(Problem("", None, "GCJ-02、BD-09 坐标无法反算", "请核对坐标是否在中国境内"))
