"""Files of coordinates that no GIS reads: survey text, CASS points, coordinate tables, CAD drawings."""

from __future__ import annotations

from ecospatial.formats.cass import read_cass
from ecospatial.formats.drawing import Drawing
from ecospatial.formats.dxf import cad_layers, read_dxf
from ecospatial.formats.survey import datum_of, read_survey
from ecospatial.formats.table import plain_name, read_table
from ecospatial.formats.vertices import read_coordinates, read_wkt

__all__ = [
    "Drawing",
    "cad_layers",
    "datum_of",
    "plain_name",
    "read_cass",
    "read_coordinates",
    "read_dxf",
    "read_survey",
    "read_table",
    "read_wkt",
]
