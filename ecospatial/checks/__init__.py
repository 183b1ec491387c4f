"""Rules of a plan put to sites: findings, remedies, the overlay of all controls, comparison of two plans."""

from __future__ import annotations

from ecospatial.checks._features import LayerCache
from ecospatial.checks.check import check, check_frame, check_on_layers, day, read_rules
from ecospatial.checks.headline import verdict_value
from ecospatial.results import Findings

__all__ = [
    "Findings",
    "LayerCache",
    "check",
    "check_frame",
    "check_on_layers",
    "day",
    "read_rules",
    "verdict_value",
]
