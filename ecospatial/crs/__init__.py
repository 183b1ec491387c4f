"""Coordinate reference systems: reading them, going from one to another without a silent shift, finding out.

In memory x is always east and y north, whatever the axis order of the EPSG definition.
"""

from __future__ import annotations

from pyproj import network as _network

from ecospatial.crs.detect import Candidate, compass, diagnose, explain
from ecospatial.crs.evidence import Evidence, find_evidence
from ecospatial.crs.gcj02 import bd09_to_cgcs2000, cgcs2000_to_bd09, cgcs2000_to_gcj02, gcj02_to_cgcs2000
from ecospatial.crs.helmert import FourParams, Stated, stated
from ecospatial.crs.parse import (
    CGCS2000,
    SHIFT_LABELS,
    false_easting,
    gauss_kruger,
    label,
    parse_crs,
    require_metric,
    same,
)
from ecospatial.crs.transform import require_known_shift, transform, transform_points, undo_shift

# PROJ fetches grids when PROJ_NETWORK=ON is set on a machine; this package opens no socket.
_network.set_network_enabled(active=False)  # type: ignore[attr-defined]  # not declared as exported by pyproj

__all__ = [
    "CGCS2000",
    "SHIFT_LABELS",
    "Candidate",
    "Evidence",
    "FourParams",
    "Stated",
    "bd09_to_cgcs2000",
    "cgcs2000_to_bd09",
    "cgcs2000_to_gcj02",
    "compass",
    "diagnose",
    "explain",
    "false_easting",
    "find_evidence",
    "gauss_kruger",
    "gcj02_to_cgcs2000",
    "label",
    "parse_crs",
    "require_known_shift",
    "require_metric",
    "same",
    "stated",
    "transform",
    "transform_points",
    "undo_shift",
]
