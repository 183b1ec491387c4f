"""Where a grid exceeds a limit: areas that a rule can be put to, and the area in which it can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial.raster.pixels import Band, Files
from ecospatial.raster.polygonize import blocks, joined, polygons

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from ecospatial.raster.grid import Grid


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Areas of a grid above a limit, and where its pixels hold data; in the CRS that was asked for.

    Both are complete only within the reach of the sites that were asked about.
    """

    areas: NDArray[Any]
    seen: BaseGeometry


def exceeded(
    grid: Grid, sites: NDArray[Any], crs: CRS, *, above: float, reach_m: float = 0.0, band: int = 1
) -> Exceeded:
    """Outline the pixels near some sites whose value is above a limit.

    Parameters
    ----------
    grid
        A grid of values (slope, depth, index).
    sites
        Geometries in ``crs``.
    crs
        A projected CRS in metres; the result is in it.
    above
        The limit, in the unit of the grid; a pixel exactly at it is not above.
    reach_m
        How far around the sites to look, metres.
    band
        Band of the file, from 1.

    Returns
    -------
    Exceeded
        ``areas``: one polygon for each area of joined pixels, from the north-west. ``seen``: one geometry; what is
        outside of it can not be told.

    Raises
    ------
    PlanError
        The file is damaged.
    CrsError
        There is no known way between the two CRSs.
    """
    there = sites[~(shapely.is_missing(sites) | shapely.is_empty(sites))]
    west, south, east, north = shapely.bounds(there).reshape(-1, 4).T
    around = np.asarray(shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m), dtype=object)
    bounds = shapely.bounds(crs_.transform(around, crs, grid.crs)).reshape(-1, 4)
    shapes, codes = [np.empty(0, dtype=object)], [np.empty(0, dtype=np.int64)]
    with Files() as files:
        for box in blocks(grid, bounds):
            found = Band(grid, band).read(files, box)
            known = ~np.ma.getmaskarray(found)
            # 1 is above, 0 is known and not above.
            level = (np.ma.getdata(found) > above).astype(np.int32)
            outlined, code = polygons(level, known, grid, box)
            shapes.append(outlined)
            codes.append(code)
    whole, code = joined(np.concatenate(shapes), np.concatenate(codes), grid)
    areas = crs_.transform(whole[code == 1], grid.crs, crs)
    seen = crs_.transform(np.array([shapely.union_all(whole)], dtype=object), grid.crs, crs)[0]
    return Exceeded(areas, seen)
