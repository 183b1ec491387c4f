"""Geometry on arrays: repair, subdivision, the overlay kernel, areas, depths, corridors."""

from __future__ import annotations

from ecospatial.geometry.closing import ClosedLines, Enclosure, close_lines, find_enclosures
from ecospatial.geometry.corridors import corridor, strip
from ecospatial.geometry.depth import depth
from ecospatial.geometry.edges import firsts
from ecospatial.geometry.kernel import Cut, Pieces, areal_part, cut, distinct, merged, safe_intersection, subdivide
from ecospatial.geometry.measure import ellipsoidal_area
from ecospatial.geometry.nearest import ROUNDING_M, Around, Edge
from ecospatial.geometry.overlapping import overlap
from ecospatial.geometry.shapes import Shapes
from ecospatial.geometry.validity import Repaired, changed_much, repair

__all__ = [
    "ROUNDING_M",
    "Around",
    "ClosedLines",
    "Cut",
    "Edge",
    "Enclosure",
    "Pieces",
    "Repaired",
    "Shapes",
    "areal_part",
    "changed_much",
    "close_lines",
    "corridor",
    "cut",
    "depth",
    "distinct",
    "ellipsoidal_area",
    "find_enclosures",
    "firsts",
    "merged",
    "overlap",
    "repair",
    "safe_intersection",
    "strip",
    "subdivide",
]
