"""Plans: a folder with plan.yaml becomes layers with their provenance, and the rules in force."""

from __future__ import annotations

from ecospatial.plans.layers import Layer, Source
from ecospatial.plans.opening import data_folder, list_plans, open_plan
from ecospatial.plans.plan import LAYER_COLUMNS, Plan
from ecospatial.plans.sealing import seal

__all__ = ["LAYER_COLUMNS", "Layer", "Plan", "Source", "data_folder", "list_plans", "open_plan", "seal"]
