"""From pixels to polygons, block by block, so that a grid of any size goes through little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.raster._compat import libraries
from ecospatial.raster.pixels import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ecospatial.raster.grid import Grid

BLOCK = 1024


def blocks(grid: Grid, bounds: NDArray[np.float64]) -> Iterator[Box]:
    """List the blocks of a grid that some boxes meet, row by row.

    Parameters
    ----------
    bounds
        West, south, east, north of each box, in the CRS of the grid, shape (n, 4).
    """
    if not len(bounds):
        return
    columns, rows = -(-grid.width // BLOCK), -(-grid.height // BLOCK)
    wanted = np.zeros((rows, columns), dtype=bool)
    size_x, size_y = BLOCK * grid.step_x, BLOCK * grid.step_y
    first = np.floor((bounds[:, [0]] - grid.west) / size_x).astype(int), np.floor((bounds[:, [2]] - grid.west) / size_x)
    above = np.floor((grid.north - bounds[:, [3]]) / size_y).astype(int)
    below = np.floor((grid.north - bounds[:, [1]]) / size_y).astype(int)
    west, east = np.clip(first[0], 0, columns).ravel(), np.clip(first[1].astype(int) + 1, 0, columns).ravel()
    north, south = np.clip(above, 0, rows).ravel(), np.clip(below + 1, 0, rows).ravel()
    for w, e, n, s in np.unique(np.column_stack([west, east, north, south]), axis=0):
        wanted[n:s, w:e] = True
    for row, column in np.argwhere(wanted):
        x, y = int(column) * BLOCK, int(row) * BLOCK
        yield Box(x, y, min(BLOCK, grid.width - x), min(BLOCK, grid.height - y))


def polygons(codes: NDArray[Any], mask: NDArray[np.bool_], grid: Grid, box: Box) -> tuple[NDArray[Any], NDArray[Any]]:
    """Outline the areas of equal code where the mask holds; pixels that only meet at a corner are apart.

    Returns
    -------
    tuple
        Polygons in the CRS of the grid, and the code of each.
    """
    if not mask.any():
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    west, north = grid.west + box.x * grid.step_x, grid.north - box.y * grid.step_y
    if mask.all() and (codes == codes.flat[0]).all():
        whole = shapely.box(west, north - box.ny * grid.step_y, west + box.nx * grid.step_x, north)
        return np.array([whole], dtype=object), np.array([int(codes.flat[0])])
    rasterio = libraries().rasterio
    found = list(rasterio.features.shapes(codes.astype(np.int32), mask=mask, connectivity=4))
    rings = [[np.array(ring, dtype=float) for ring in shape["coordinates"]] for shape, _ in found]
    # Outlined in whole pixels and placed here, so that neighbours share their corners to the last digit.
    shapes = [shapely.Polygon(parts[0], parts[1:]) for parts in rings]
    place = np.array([[grid.step_x, -grid.step_y]])
    start = np.array([[grid.west, grid.north]]) + np.array([[box.x, box.y]]) * place
    moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: start + xy * place)
    return shapely.orient_polygons(moved), np.array([int(code) for _, code in found])


def joined(shapes: NDArray[Any], codes: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
    """Join polygons of one code that a border between blocks cuts apart; in order of place, from the north-west."""
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    size = np.array([BLOCK * grid.step_x, BLOCK * grid.step_y])
    west_north = (bounds[:, [0, 3]] - [grid.west, grid.north]) / [size[0], -size[1]]
    east_south = (bounds[:, [2, 1]] - [grid.west, grid.north]) / [size[0], -size[1]]
    on_border = [np.abs(edge - np.round(edge)) < 1e-6 for edge in (west_north, east_south)]
    cut = np.asarray((on_border[0] | on_border[1]).any(axis=1), dtype=bool)
    parts, labels = [shapes[~cut]], [codes[~cut]]
    for code in np.unique(codes[cut]):
        whole = shapely.get_parts(shapely.union_all(shapes[cut & (codes == code)]))
        parts.append(whole)
        labels.append(np.full(len(whole), code))
    found, which = np.concatenate(parts), np.concatenate(labels)
    box = shapely.bounds(found).reshape(-1, 4)
    order = np.lexsort((which, box[:, 0], -box[:, 3]))
    return np.asarray(found[order], dtype=object), np.asarray(which[order])
