"""The plan against itself and against the figures it published."""

from __future__ import annotations

from ecospatial.auditing.result import SLIVER_M, Audit, audit
from ecospatial.auditing.rows import CHECKS, SIZES, STATUSES
from ecospatial.auditing.texts import headline

__all__ = ["CHECKS", "SIZES", "SLIVER_M", "STATUSES", "Audit", "audit", "headline"]
