"""The plan against itself and against the figures it published."""

from __future__ import annotations

from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.audits.audit import SLIVER_M, audit
from ecospatial.audits.headline import headline
from ecospatial.results import Audit

__all__ = ["CHECKS", "SIZES", "SLIVER_M", "STATUSES", "Audit", "audit", "headline"]
