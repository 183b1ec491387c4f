"""Everything that is written: findings, audits, studies, base maps and changes, through one registry of formats.

Names are loaded when they are first used, so that a check that writes JSON loads no Word, no Excel and no map.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecospatial.export._schema import Tables as Tables
    from ecospatial.export.findings import DEFAULT_FORMATS as DEFAULT_FORMATS
    from ecospatial.export.findings import FORMATS as FORMATS
    from ecospatial.export.findings import json_text as json_text
    from ecospatial.export.findings import read as read
    from ecospatial.export.findings import read_findings as read_findings
    from ecospatial.export.findings import read_gpkg as read_gpkg
    from ecospatial.export.findings import read_json as read_json
    from ecospatial.export.findings import write as write
    from ecospatial.export.findings import write_gpkg as write_gpkg
    from ecospatial.export.findings import write_html as write_html
    from ecospatial.export.findings import write_json as write_json
    from ecospatial.export.registry import write_result as write_result
    from ecospatial.export.summary import notebook_html as notebook_html
    from ecospatial.export.summary import plan_lines as plan_lines
    from ecospatial.export.summary import summary_text as summary_text
    from ecospatial.export.summary import table as table

_MODULE_OF = {
    "DEFAULT_FORMATS": "findings",
    "FORMATS": "findings",
    "Tables": "_schema",
    "json_text": "findings",
    "notebook_html": "summary",
    "plan_lines": "summary",
    "read": "findings",
    "read_findings": "findings",
    "read_gpkg": "findings",
    "read_json": "findings",
    "summary_text": "summary",
    "table": "summary",
    "write": "findings",
    "write_gpkg": "findings",
    "write_html": "findings",
    "write_json": "findings",
    "write_result": "registry",
}
__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - the names are text


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ecospatial.export' has no attribute {name!r}")
    return getattr(import_module(f"ecospatial.export.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
