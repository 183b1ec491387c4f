"""Geometry on arrays: repair, subdivision, the overlay kernel, areas, depths, corridors."""

from __future__ import annotations

from ecospatial.geometry._edges import firsts
from ecospatial.geometry._shapes import ShapeIndex
from ecospatial.geometry.closed_lines import ClosedLines, Enclosure, close_lines, find_enclosures
from ecospatial.geometry.corridor import corridor, strip
from ecospatial.geometry.ellipsoid import ellipsoidal_area
from ecospatial.geometry.overlap import overlap
from ecospatial.geometry.overlay import Cut, Pieces, areal_part, cut, distinct, merged, safe_intersection, subdivide
from ecospatial.geometry.penetration_depth import depth
from ecospatial.geometry.repair import Repaired, changed_much, repair
from ecospatial.geometry.segment_index import ROUNDING_M, NearestCandidates, SegmentIndex

__all__ = [
    "ROUNDING_M",
    "ClosedLines",
    "Cut",
    "Enclosure",
    "NearestCandidates",
    "Pieces",
    "Repaired",
    "SegmentIndex",
    "ShapeIndex",
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
