"""Spatial relations, one object each: near, overlaps, outside, along a river, above a value; and where a layer reaches.

Distance decides, buffers only draw. Everything works on arrays: one entry for each site.
"""

from __future__ import annotations

from ecospatial.relations import along_river, near, outside, overlaps, raster_above
from ecospatial.relations._conflict import MIN_AREA_M2, is_same
from ecospatial.relations.base import LOOK_BEYOND_M, RELATIONS, Question, Relation, get_relation, register_relation
from ecospatial.relations.completeness import Coverage, Covered
from ecospatial.relations.measurement import Measures, Nearest, Target

__all__ = [
    "LOOK_BEYOND_M",
    "MIN_AREA_M2",
    "RELATIONS",
    "Coverage",
    "Covered",
    "Measures",
    "Nearest",
    "Question",
    "Relation",
    "Target",
    "along_river",
    "get_relation",
    "is_same",
    "near",
    "outside",
    "overlaps",
    "raster_above",
    "register_relation",
]
