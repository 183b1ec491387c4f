"""Plans: a folder with plan.yaml becomes layers with their provenance, and the rules in force."""

from __future__ import annotations

from ecospatial.plans.importing import Imported, Provenance, import_layer
from ecospatial.plans.layers import SHARES, Layer, Source, share_of
from ecospatial.plans.making import new_plan
from ecospatial.plans.opening import data_folder, list_plans, open_plan
from ecospatial.plans.pixels import BAND_TABLES, CLASS_TABLES, COVERS, Pixels
from ecospatial.plans.plan import LAYER_COLUMNS, LeftOut, Plan, Settlement
from ecospatial.plans.repairs import LayerRepairs
from ecospatial.plans.sealing import seal
from ecospatial.plans.words import UnmatchedValue, match_column, unmatched_problems, unmatched_values

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
    "import_layer",
    "list_plans",
    "match_column",
    "new_plan",
    "open_plan",
    "seal",
    "share_of",
    "unmatched_problems",
    "unmatched_values",
]
