"""The one safe door for files: what is accepted, what is refused and why, and vector files through GDAL."""

from __future__ import annotations

from ecospatial.files.coordinates import drawing_crs, required_crs
from ecospatial.files.door import DRAWN_SUFFIXES, RASTER_SUFFIXES, VECTOR_SUFFIXES, components, safe_path, sha256
from ecospatial.files.vector import list_layers, read_vector

__all__ = [
    "DRAWN_SUFFIXES",
    "RASTER_SUFFIXES",
    "VECTOR_SUFFIXES",
    "components",
    "drawing_crs",
    "list_layers",
    "read_vector",
    "required_crs",
    "safe_path",
    "sha256",
]
