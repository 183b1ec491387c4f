"""A base map as files: a map page, and a GeoPackage with its pieces and areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ecospatial.checks.control_overlay import area_by_verdict
from ecospatial.export.registry import write_result
from ecospatial.io._geopackage import format_stamp, tabulate_pairs, write_tables
from ecospatial.maps.web.control_overlay import draw_base_map
from ecospatial.maps.web.map import to_html

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from ecospatial.plans import Plan


@dataclass(frozen=True)
class BaseMapResult:
    """The pieces that ``base_map`` made of a plan, and the plan."""

    pieces: gpd.GeoDataFrame
    plan: Plan


def write_base_map(pieces: gpd.GeoDataFrame, plan: Plan, folder: Path) -> list[Path]:
    """Write ``base_map.html`` and ``base_map.gpkg`` (tables ``pieces``, ``areas``, ``meta``).

    Parameters
    ----------
    pieces
        What ``base_map`` gave of the plan.
    plan
        The plan.
    folder
        Made when it does not exist; files of the same name are replaced, nothing else is touched.

    Raises
    ------
    SiteError
        The folder can not be written to.
    OutputError
        One of them could not be made; the other is written.
    """
    return write_result(BaseMapResult(pieces, plan), folder)


def save_html(result: BaseMapResult, path: Path) -> None:
    """Write the map page straight to ``path``."""
    path.write_text(to_html(draw_base_map(result.pieces, result.plan)), encoding="utf-8", newline="\n")


def save_gpkg(result: BaseMapResult, path: Path) -> None:
    """Write the GeoPackage straight to ``path``."""
    pieces = result.pieces
    areas = pd.concat([_areas(pieces, column) for column in ("verdict", "decided")], ignore_index=True)
    plain = pieces.assign(verdict=pieces["verdict"].astype(object), decided=_text(pieces["decided"]))
    plain.attrs = {}
    tables = {"pieces": plain, "areas": areas, "meta": tabulate_pairs(pieces.attrs)}
    write_tables(path, tables, stamp=format_stamp(pieces.attrs["on"]))


def _areas(pieces: gpd.GeoDataFrame, column: str) -> pd.DataFrame:
    table = area_by_verdict(pieces, column=column)
    table.insert(0, "headline", column)
    return table.reset_index(names="verdict")


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), None)
