"""Areas on the ellipsoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import Geod, Proj, Transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

# Under this extent the areal scale at the centre stands for the whole polygon: in a 3-degree zone it changes
# by less than 2e-5 from one end to the other.
SMALL_M = 5000.0


def ellipsoidal_area(geometry: NDArray[Any], crs: CRS) -> NDArray[np.float64]:
    """Measure polygons on the ellipsoid of their CRS.

    Parameters
    ----------
    geometry
        Array of polygons in a projected CRS in metres; None, points and lines have no area.
    crs
        Their CRS.

    Returns
    -------
    array of float
        Square metres. Polygons under 5 km across: plane area over the areal scale of the projection at their
        centre; larger ones: geodesic area (``pyproj.Geod``) of their densified rings.

    Examples
    --------
    >>> from pyproj import CRS
    >>> square = shapely.box(500000, 3520000, 501000, 3521000)  # on the central meridian
    >>> round(float(ellipsoidal_area(np.array([square]), CRS.from_epsg(4549))[0]))
    1000000
    """
    shapes = np.asarray(geometry, dtype=object)
    area = np.asarray(shapely.area(shapes), dtype=float).copy()
    there = np.flatnonzero(np.isfinite(area) & (area > 0))
    if not len(there):
        return np.asarray(np.nan_to_num(area), dtype=float)
    bounds = shapely.bounds(shapes[there])
    extent = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    small = there[extent <= SMALL_M]
    if len(small):
        centre = shapely.centroid(shapes[small])
        to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
        lon, lat = to_degrees.transform(shapely.get_x(centre), shapely.get_y(centre))
        scale = np.asarray(Proj(crs).get_factors(lon, lat).areal_scale, dtype=float)
        area[small] = area[small] / scale
    for position in there[extent > SMALL_M]:
        area[position] = _geodesic(shapes[position], crs)
    return np.asarray(np.nan_to_num(area), dtype=float)


def _geodesic(shape: Any, crs: CRS) -> float:
    dense = shapely.segmentize(shape, 500.0)
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    degrees = shapely.transform(dense, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))
    area, _ = Geod(ellps="GRS80").geometry_area_perimeter(shapely.orient_polygons(degrees))
    return abs(float(area))
