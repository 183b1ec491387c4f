"""Rules of a plan put to sites: findings, remedies, the overlay of all controls, comparison of two plans."""

from __future__ import annotations

from ecospatial.checks._features import LayerCache
from ecospatial.checks.check import check, check_frame, check_on_layers, day, read_findings, read_rules
from ecospatial.checks.findings import Findings, verdict_value

__all__ = [
    "Findings",
    "LayerCache",
    "check",
    "check_frame",
    "check_on_layers",
    "day",
    "read_findings",
    "read_rules",
    "verdict_value",
]
