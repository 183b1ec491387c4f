"""Figures of a plan: areas, shares, lengths, who is served, ledgers and balances."""

from __future__ import annotations

from ecospatial.indicators.balance import LandBalance, land_balance
from ecospatial.indicators.ledgers import ledger, ledger_of
from ecospatial.indicators.service_area import service_coverage
from ecospatial.indicators.units import other_unit, unit_factor

__all__ = [
    "LandBalance",
    "land_balance",
    "ledger",
    "ledger_of",
    "other_unit",
    "service_coverage",
    "unit_factor",
]
