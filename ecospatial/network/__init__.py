"""What follows water: rivers as a network, places along them, what lies upstream and downstream; sewers.

>>> import geopandas as gpd
>>> import shapely
>>> lines = [shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(400, 300), (400, 0)])]
>>> rivers = gpd.GeoDataFrame({"river": ["干河", "支浜"]}, geometry=lines, crs=4549)
>>> network = build(rivers)
>>> section = gpd.GeoDataFrame({"river": ["干河"]}, geometry=[shapely.Point(600, 0)], crs=4549)
>>> section_totals(network, section)[["upstream_reaches", "upstream_m"]].to_numpy().tolist()
[[3, 900.0]]
"""

from __future__ import annotations

from ecospatial.network.banks import Stretch, along_from, bank_areas, stretch, stretch_area
from ecospatial.network.catchments import (
    COVERAGE_LABELS,
    LOAD_LABELS,
    catchment_flows,
    coverage,
    display_names,
    match_outfalls,
    plant_loads,
    rank_overflows,
    shares,
)
from ecospatial.network.dead_ends import END_LABELS, loops, parts, river_ends
from ecospatial.network.flow import stream_order, upstream_members, upstream_totals
from ecospatial.network.gaps import GAP_LABELS, gaps
from ecospatial.network.graph import Network, build
from ecospatial.network.pipes import PIPE_LABELS, check_pipes
from ecospatial.network.referencing import cross_cuts, locate
from ecospatial.network.riverside import corridors, green_breaks
from ecospatial.network.summary import CLASS_LABELS, check_classes, class_ledger, density, lengths_by_area
from ecospatial.network.tracing import downstream_of, section_totals, upstream_of

__all__ = [
    "CLASS_LABELS",
    "COVERAGE_LABELS",
    "END_LABELS",
    "GAP_LABELS",
    "LOAD_LABELS",
    "PIPE_LABELS",
    "Network",
    "Stretch",
    "along_from",
    "bank_areas",
    "build",
    "catchment_flows",
    "check_classes",
    "check_pipes",
    "class_ledger",
    "corridors",
    "coverage",
    "cross_cuts",
    "density",
    "display_names",
    "downstream_of",
    "gaps",
    "green_breaks",
    "lengths_by_area",
    "locate",
    "loops",
    "match_outfalls",
    "parts",
    "plant_loads",
    "rank_overflows",
    "river_ends",
    "section_totals",
    "shares",
    "stream_order",
    "stretch",
    "stretch_area",
    "upstream_members",
    "upstream_of",
    "upstream_totals",
]
