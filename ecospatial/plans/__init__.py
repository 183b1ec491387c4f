"""Plans: a folder with plan.yaml becomes layers with their provenance, and the rules in force."""

from __future__ import annotations

from ecospatial.plans.create import new_plan
from ecospatial.plans.import_layer import Imported, Provenance, import_layer
from ecospatial.plans.layers import SHARES, Layer, Source, disclosure_of
from ecospatial.plans.load import data_folder, list_plans, open_plan
from ecospatial.plans.plan import LAYER_COLUMNS, LeftOut, Plan, Settlement
from ecospatial.plans.raster_metadata import BAND_TABLES, CLASS_TABLES, COVERS, Pixels
from ecospatial.plans.repairs import LayerRepairs
from ecospatial.plans.seal import seal
from ecospatial.plans.unmatched_values import UnmatchedValue, match_column, unmatched_problems, unmatched_values

__all__ = [
    "BAND_TABLES",
    "CLASS_TABLES",
    "COVERS",
    "LAYER_COLUMNS",
    "SHARES",
    "Imported",
    "Layer",
    "LayerRepairs",
    "LeftOut",
    "Pixels",
    "Plan",
    "Provenance",
    "Settlement",
    "Source",
    "UnmatchedValue",
    "data_folder",
    "disclosure_of",
    "import_layer",
    "list_plans",
    "match_column",
    "new_plan",
    "open_plan",
    "seal",
    "unmatched_problems",
    "unmatched_values",
]
