"""Files of coordinates that no GIS reads: survey text, coordinate tables in CSV and XLSX."""

from __future__ import annotations

from ecospatial.formats.drawing import Drawing
from ecospatial.formats.survey import datum_of, read_survey
from ecospatial.formats.table import plain_name, read_table
from ecospatial.formats.vertices import read_coordinates, read_wkt

__all__ = ["Drawing", "datum_of", "plain_name", "read_coordinates", "read_survey", "read_table", "read_wkt"]
