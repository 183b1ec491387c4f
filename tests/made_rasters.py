"""Small GeoTIFF files on a local metre grid, so that the expected numbers are mental arithmetic."""

from __future__ import annotations

import numpy as np
import rasterio
import shapely
from affine import Affine

WEST, NORTH, STEP = 500000, 3520100, 10  # on the central meridian of EPSG:4549: plane and ellipsoid agree to 1e-7
COVER = {1: "tree", 2: "grass", 3: "crop", 4: "built", 5: "water", 6: "bare"}
TREE, GRASS, CROP, BUILT, WATER, BARE = COVER


def write(
    path, values, *, crs="EPSG:4549", west=WEST, north=NORTH, step=STEP, mask=None, scale=None, turn=None, **keys
):
    """Write an array (rows from the north, or bands of them) as a GeoTIFF with square pixels."""
    bands = np.asarray(values)
    bands = bands[None] if bands.ndim == 2 else bands
    transform = turn or Affine(step, 0, west, 0, -step, north)
    profile = {
        "driver": "GTiff",
        "count": bands.shape[0],
        "height": bands.shape[1],
        "width": bands.shape[2],
        "dtype": bands.dtype,
        "crs": crs,
        "transform": transform,
    }
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **(profile | keys)) as raster:
        raster.write(bands)
        if mask is not None:
            raster.write_mask(np.asarray(mask, dtype=bool))
        if scale is not None:
            raster.scales, raster.offsets = [scale[0]] * bands.shape[0], [scale[1]] * bands.shape[0]
    return path


def pixels(column, row, columns=1, rows=1):
    """Give the box of some pixels, counted from the north-west."""
    return shapely.box(
        WEST + column * STEP, NORTH - (row + rows) * STEP, WEST + (column + columns) * STEP, NORTH - row * STEP
    )


def rotated(degrees=30):
    """Give the transform of a grid that is turned."""
    across, down = STEP * np.cos(np.radians(degrees)), STEP * np.sin(np.radians(degrees))
    return Affine(across, down, WEST, down, -across, NORTH)


def star(rng, x, y, radius):
    """Draw a polygon with a wild edge around a place."""
    angle = np.linspace(0, 2 * np.pi, 17, endpoint=False)
    far = radius * rng.uniform(0.4, 1.0, 17)
    return shapely.Polygon(np.column_stack([x + far * np.cos(angle), y + far * np.sin(angle)]))


def brute_force(zone, values, valid=None):
    """Cut a zone by every pixel as a polygon: area of each pixel in the zone, and the values."""
    rows, columns = np.indices(values.shape)
    west, north = WEST + columns * STEP, NORTH - rows * STEP
    boxes = shapely.box(west, north - STEP, west + STEP, north)
    area = shapely.area(shapely.intersection(boxes, zone))
    keep = np.ones(values.shape, dtype=bool) if valid is None else valid
    return area[keep], values[keep]
