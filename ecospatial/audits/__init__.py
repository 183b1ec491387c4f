"""The plan against itself and against the figures it published."""

from __future__ import annotations

from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.audits._text import headline
from ecospatial.audits.audit import SLIVER_M, Audit, audit

__all__ = ["CHECKS", "SIZES", "SLIVER_M", "STATUSES", "Audit", "audit", "headline"]
