"""Arrays of geometries and columns of numbers, as the rest of this room wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray


def points_at(xy: NDArray[np.float64]) -> NDArray[Any]:
    """Make points of coordinates, shape (n, 2)."""
    return np.asarray(shapely.points(xy), dtype=object)


def places_on(lines: NDArray[Any], at_m: NDArray[np.float64] | float, *, share: bool = False) -> NDArray[Any]:
    """Give the point of each line at a distance along it, metres or (``share``) a part of its length."""
    return np.asarray(shapely.line_interpolate_point(lines, at_m, normalized=share), dtype=object)


def xy_of(points: NDArray[Any]) -> NDArray[np.float64]:
    """Give the coordinates of points, shape (n, 2)."""
    return shapely.get_coordinates(points).reshape(-1, 2)


def at_on(lines: NDArray[Any], points: NDArray[Any]) -> NDArray[np.float64]:
    """Give for each point the metres along its line of the place nearest to it."""
    return np.asarray(shapely.line_locate_point(lines, points), dtype=np.float64)


def shapes_of(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    """Give the geometries of a frame."""
    return np.asarray(frame.geometry.to_numpy(), dtype=object)


def numbers(frame: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    """Give a column as numbers; unknown, and a column that is not there, is NaN."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[column]).to_numpy(dtype=np.float64, na_value=np.nan))


def texts(frame: gpd.GeoDataFrame, column: str) -> NDArray[Any]:
    """Give a column as texts; unknown, empty, and a column that is not there, is None."""
    given = frame[column].tolist() if column in frame else [None] * len(frame)
    return np.array([value if isinstance(value, str) and value else None for value in given], dtype=object)


def pick(values: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    """Take values by row; row -1 is None."""
    none = np.array([None], dtype=object)
    return np.concatenate([values.astype(object), none])[rows]


def first_of_each(keys: NDArray[Any], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the first row of each key, when rows are taken in an order that keeps equal keys together."""
    return np.asarray(order[np.flatnonzero(np.diff(keys[order], prepend=-1))], dtype=np.intp)
