"""Spatial control checks for planners in Chinese district bureaus.

Names are loaded when they are first used, so that a command starts without what it does not need.

>>> import ecospatial as es
>>> es.open_plan("changzhou-zhonglou").title
'常州市钟楼区'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecospatial.audits.audit import Audit as Audit
    from ecospatial.audits.audit import audit as audit
    from ecospatial.batch.chunked import PartsRun as PartsRun
    from ecospatial.batch.chunked import check_parts as check_parts
    from ecospatial.batch.map_run import draw as draw
    from ecospatial.checks.check import check as check
    from ecospatial.checks.check import read_findings as read_findings
    from ecospatial.checks.check import read_rules as read_rules
    from ecospatial.checks.compare import compare as compare
    from ecospatial.checks.control_overlay import base_map as base_map
    from ecospatial.checks.findings import Findings as Findings
    from ecospatial.errors import CrsError as CrsError
    from ecospatial.errors import EcospatialError as EcospatialError
    from ecospatial.errors import PlanError as PlanError
    from ecospatial.errors import RuleError as RuleError
    from ecospatial.errors import SiteError as SiteError
    from ecospatial.geometry.corridor import corridor as corridor
    from ecospatial.geometry.overlap import overlap as overlap
    from ecospatial.indicators.balance import land_balance as land_balance
    from ecospatial.plans.layers import Layer as Layer
    from ecospatial.plans.load import list_plans as list_plans
    from ecospatial.plans.load import open_plan as open_plan
    from ecospatial.plans.plan import Plan as Plan
    from ecospatial.sites.read import read_sites as read_sites
    from ecospatial.water.result import WaterStudy as WaterStudy
    from ecospatial.water.rivers import rivers as rivers
    from ecospatial.water.sewers import sewers as sewers

__version__ = "0.1.0"

_MODULE_OF = {
    "Audit": "audits.audit",
    "CrsError": "errors",
    "EcospatialError": "errors",
    "Findings": "checks.findings",
    "Layer": "plans.layers",
    "PartsRun": "batch.chunked",
    "Plan": "plans.plan",
    "PlanError": "errors",
    "RuleError": "errors",
    "SiteError": "errors",
    "WaterStudy": "water.result",
    "audit": "audits.audit",
    "base_map": "checks.control_overlay",
    "check": "checks.check",
    "check_parts": "batch.chunked",
    "compare": "checks.compare",
    "corridor": "geometry.corridor",
    "draw": "batch.map_run",
    "land_balance": "indicators.balance",
    "list_plans": "plans.load",
    "open_plan": "plans.load",
    "overlap": "geometry.overlap",
    "read_findings": "checks.check",
    "read_rules": "checks.check",
    "read_sites": "sites.read",
    "rivers": "water.rivers",
    "sewers": "water.sewers",
}
__all__ = [*_MODULE_OF, "__version__"]  # noqa: PLE0604 - the names are text


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ecospatial' has no attribute {name!r}")
    return getattr(import_module(f"ecospatial.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
