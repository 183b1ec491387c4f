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
    from ecospatial.auditing import Audit as Audit
    from ecospatial.auditing import audit as audit
    from ecospatial.batch import PartsRun as PartsRun
    from ecospatial.batch import check_parts as check_parts
    from ecospatial.checking import Findings as Findings
    from ecospatial.checking import check as check
    from ecospatial.checking import read_findings as read_findings
    from ecospatial.checking import read_rules as read_rules
    from ecospatial.checking.comparing import compare as compare
    from ecospatial.checking.composite import base_map as base_map
    from ecospatial.errors import CrsError as CrsError
    from ecospatial.errors import EcospatialError as EcospatialError
    from ecospatial.errors import PlanError as PlanError
    from ecospatial.errors import RuleError as RuleError
    from ecospatial.errors import SiteError as SiteError
    from ecospatial.gallery import draw as draw
    from ecospatial.geometry import corridor as corridor
    from ecospatial.geometry import overlap as overlap
    from ecospatial.indicators import land_balance as land_balance
    from ecospatial.plans import Layer as Layer
    from ecospatial.plans import Plan as Plan
    from ecospatial.plans import list_plans as list_plans
    from ecospatial.plans import open_plan as open_plan
    from ecospatial.sites import read_sites as read_sites
    from ecospatial.water import WaterStudy as WaterStudy
    from ecospatial.water import rivers as rivers
    from ecospatial.water import sewers as sewers

__version__ = "0.1.0"

_ROOMS = {
    "auditing": ("Audit", "audit"),
    "batch": ("PartsRun", "check_parts"),
    "checking": ("Findings", "check", "read_findings", "read_rules"),
    "checking.comparing": ("compare",),
    "checking.composite": ("base_map",),
    "errors": ("CrsError", "EcospatialError", "PlanError", "RuleError", "SiteError"),
    "gallery": ("draw",),
    "geometry": ("corridor", "overlap"),
    "indicators": ("land_balance",),
    "plans": ("Layer", "Plan", "list_plans", "open_plan"),
    "sites": ("read_sites",),
    "water": ("WaterStudy", "rivers", "sewers"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
__all__ = [*sorted(_ROOM_OF), "__version__"]  # noqa: PLE0604 - the names are text


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'ecospatial' has no attribute {name!r}")
    return getattr(import_module(f"ecospatial.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
