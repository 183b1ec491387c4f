"""How much of a layer a map may tell: all of it, an outline, or nothing but the conflicts.

The exact line of an official layer (生态保护红线, 永久基本农田) does not belong into a file that is passed on. An
outline is cut to the page, simplified to the accuracy of the layer and moved onto a grid: no vertex of the original
stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ecospatial.geometry.drawable import clip_shapes, keep_as_points, simplify_coverage, snap_shapes
from ecospatial.plans import disclosure_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Layer

Box = tuple[float, float, float, float]
UNKNOWN_ACCURACY_M = 10.0
LEAST_M = 1.0  # a layer said to be better than this is drawn no better


def told(frame: gpd.GeoDataFrame, layer: Layer, page: Box | None) -> gpd.GeoDataFrame:
    """Give what a map may show of a layer: the same rows, or fewer.

    Parameters
    ----------
    frame
        The features of the layer, in metres.
    layer
        Its record; ``share`` decides.
    page
        West, south, east, north of the page in the CRS of the frame.
    """
    share = disclosure_of(layer)
    if share == "none":
        return frame.iloc[:0]
    if share == "full" or frame.empty:
        return frame
    if page is not None:
        frame = frame.iloc[np.sort(frame.sindex.query(shapely.box(*page)))]
    shapes = outline(frame.geometry.to_numpy(), layer.accuracy_m, page)
    left = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
    return frame.set_geometry(shapes, crs=frame.crs)[left]


def outline(geometry: NDArray[np.object_], accuracy_m: float | None, page: Box | None) -> NDArray[np.object_]:
    """Cut shapes to the page and draw them no better than their accuracy; points are moved onto the grid as well.

    All of them are valid; one smaller than the grid is drawn as its point.

    Parameters
    ----------
    geometry
        Shapes in metres.
    accuracy_m
        Position error of their lines; 10 m when it is not known, 1 m at least.
    page
        West, south, east, north; None: not cut.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (50, 1), (100, 0)])], dtype=object)
    >>> shapely.to_wkt(outline(line, 10, None)[0], trim=True)
    'LINESTRING (2.5 2.5, 102.5 2.5)'
    """
    accuracy = max(UNKNOWN_ACCURACY_M if accuracy_m is None else accuracy_m, LEAST_M)
    cell = accuracy / 2
    cut = np.asarray(geometry if page is None else clip_shapes(geometry, page), dtype=object)
    # To the middle of a cell: surveyed points often lie on whole metres, where the corners of cells would be.
    snapped = snap_shapes(simplify_coverage(cut, accuracy / 2), cell)
    gone = shapely.is_empty(snapped)
    # A small zone must not read as none: its point, on the grid as well.
    snapped[gone] = snap_shapes(keep_as_points(snapped[gone], cut[gone]), cell)
    return snapped
