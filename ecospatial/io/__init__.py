"""Readers of files, one per format, behind one check of what may be opened at all.

Vector files go through GDAL; survey text, CASS points, coordinate tables and CAD drawings, which no GIS reads, have
readers of their own.
"""

from __future__ import annotations

from ecospatial.io._validate import DRAWN_SUFFIXES, RASTER_SUFFIXES, VECTOR_SUFFIXES, components, safe_path, sha256
from ecospatial.io.cass_dat import read_cass
from ecospatial.io.coordinate_table import read_coordinates, read_wkt
from ecospatial.io.crs_hints import drawing_crs, required_crs
from ecospatial.io.dxf import cad_layers, read_dxf
from ecospatial.io.polygons import ParcelFile
from ecospatial.io.survey_txt import datum_of, read_survey
from ecospatial.io.tabular import plain_name, read_table
from ecospatial.io.vector import list_layers, read_vector

__all__ = [
    "DRAWN_SUFFIXES",
    "RASTER_SUFFIXES",
    "VECTOR_SUFFIXES",
    "ParcelFile",
    "cad_layers",
    "components",
    "datum_of",
    "drawing_crs",
    "list_layers",
    "plain_name",
    "read_cass",
    "read_coordinates",
    "read_dxf",
    "read_survey",
    "read_table",
    "read_vector",
    "read_wkt",
    "required_crs",
    "safe_path",
    "sha256",
]
