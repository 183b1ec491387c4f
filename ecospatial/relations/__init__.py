"""The closed vocabulary of spatial questions: near, overlaps, outside, along a river; and whether a coverage reaches.

Distance decides, buffers only draw. Everything works on arrays: one entry for each site.
"""

from __future__ import annotations

from ecospatial.relations.completeness import Coverage, Covered
from ecospatial.relations.measurement import Measures, Nearest, Target
from ecospatial.relations.questions import MIN_AREA_M2, along_river, is_same, near, outside, overlaps

__all__ = [
    "MIN_AREA_M2",
    "Coverage",
    "Covered",
    "Measures",
    "Nearest",
    "Target",
    "along_river",
    "is_same",
    "near",
    "outside",
    "overlaps",
]
