"""Rivers drawn by hand on a local metre grid, so that everything about them can be counted by eye."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

CRS = "EPSG:4549"
EAST, NORTH = 500000.0, 3520000.0


def line(*xy):
    return shapely.LineString([(EAST + x, NORTH + y) for x, y in xy])


def point(x, y):
    return shapely.Point(EAST + x, NORTH + y)


def box(west, south, east, north):
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def local(geometry):
    """Coordinates on the local grid, rounded to a micrometre."""
    return [tuple(xy) for xy in (shapely.get_coordinates(geometry) - [EAST, NORTH]).round(6).tolist()]


def rivers(*drawn, **columns):
    """A frame of (name, line) or (name, line, class, width)."""
    full = [(*item, None, None)[:4] for item in drawn]
    names, lines, classes, widths = zip(*full, strict=True)
    data = {"river": list(names), "river_class": list(classes), "width_m": [np.nan if w is None else w for w in widths]}
    return gpd.GeoDataFrame(data | columns, geometry=list(lines), crs=CRS)


def frame(*shapes, index=None, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), index=index, crs=CRS)
