"""A study as files: GeoPackage, Excel and a map page, each whole or not there, the same bytes every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs
from ecospatial.export._xlsx import Column, workbook
from ecospatial.export.summary import width
from ecospatial.io._geopackage import write_tables
from ecospatial.model.plain_values import plain, records

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.results import StudyTable, WaterStudy

LONLAT_DECIMALS = 9  # 0.1 mm
_WIDEST = 48
_FORMATS = (
    ("_m3_d", "#,##0"), ("_m2", "#,##0.00"), ("_km2", "0.000"), ("_m", "#,##0.0"), ("share", "0.0%"),
    ("utilisation", "0.0%"), ("hours", "0.0"), ("separate", "0.0%"), ("combined", "0.0%"), ("mixed", "0.0%"),
    ("system_unknown", "0.0%"), ("standard", "0.0%"), ("standard_unknown", "0.0%"),
)  # fmt: skip


def save_gpkg(study: WaterStudy, path: Path) -> None:
    """Write every table as a layer straight to ``path``: ASCII columns, codes in Chinese; and ``meta``."""
    tables: dict[str, pd.DataFrame] = {}
    for table in study:
        cells = _storable(table)
        if table.is_spatial:
            cells = gpd.GeoDataFrame(cells, geometry=table.frame.geometry.to_numpy(), crs=study.plan.crs)
        tables[table.name] = cells
    write_tables(path, tables | {"meta": _meta(study)})


def _about(study: WaterStudy) -> dict[str, str]:
    from ecospatial._version import __version__

    return {
        "plan": study.plan.name,
        "title": study.title,
        "crs": study.plan.crs.to_string(),
        "software": f"ecospatial {__version__}",
    }


def _meta(study: WaterStudy) -> pd.DataFrame:
    rows = {"format": f"ecospatial-{study.name}", "version": "1"} | _about(study)
    told = [*rows.items(), *(("notice", notice) for notice in study.notices)]
    return pd.DataFrame(told, columns=["key", "value"], dtype=object)


def save_json(study: WaterStudy, path: Path) -> None:
    """Write the JSON document straight to ``path``."""
    path.write_text(json_text(study), encoding="utf-8", newline="\n")


def json_text(study: WaterStudy) -> str:
    """Give all tables as one JSON document: codes as they are, geometries as CGCS2000 longitude and latitude."""
    document = {
        "format": f"ecospatial-{study.name}",
        "version": 1,
        "meta": _about(study) | {"notices": list(study.notices)},
        "tables": {table.name: _rows(table) for table in study},
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _rows(table: StudyTable) -> list[dict[str, Any]]:
    columns = [name for name in table.frame.columns if name != "geometry"]
    rows = records(pd.DataFrame(table.frame)[columns])
    if table.is_spatial:
        moved = crs.transform(table.frame.geometry.to_numpy(), CRS(table.frame.crs), crs.CGCS2000)
        round_ = np.asarray(shapely.transform(moved, lambda xy: np.round(xy, LONLAT_DECIMALS) + 0.0), dtype=object)
        for row, text in zip(rows, shapely.to_geojson(round_), strict=True):
            row["geometry"] = None if text is None else json.loads(text)
    return rows


def _storable(table: StudyTable) -> pd.DataFrame:
    """Give every column a type that GeoPackage has: numbers, true and false, or text; unknown stays null."""
    columns: dict[str, Any] = {}
    for name, values in table.spoken().items():
        cells = [plain(value) for value in values]
        known = [cell for cell in cells if cell is not None]
        if known and all(isinstance(cell, bool) for cell in known):
            columns[str(name)] = pd.array(cells, dtype="boolean")
        elif known and all(isinstance(cell, int) for cell in known):
            columns[str(name)] = pd.array(cells, dtype="Int64")
        elif known and all(isinstance(cell, int | float) for cell in known):
            columns[str(name)] = pd.to_numeric(pd.Series(cells)).to_numpy(dtype="float64", na_value=float("nan"))
        else:
            columns[str(name)] = pd.Series([None if cell is None else str(cell) for cell in cells], dtype=object)
    return pd.DataFrame(columns)


def save_xlsx(study: WaterStudy, path: Path) -> None:
    """Write every table as a sheet straight to ``path``: numbers are numbers, the header stays, columns filter."""
    with workbook(path, study.title) as book:
        for table in study:
            spoken = table.spoken()
            cells = zip(*(spoken[name] for name in table.labels), strict=True)
            rows = [dict(zip(table.labels, row, strict=True)) for row in cells]
            book.sheet(table.title, _columns(table), rows, top=[f"{study.title}：{table.title}", *study.notices])


def _columns(table: StudyTable) -> list[Column]:
    shown, found = table.shown(), []
    for place, (name, label) in enumerate(table.labels.items()):
        widest = max(width(text) for text in (label, *shown.iloc[:200, place].tolist()))
        form = next((form for ending, form in _FORMATS if name.endswith(ending)), "#,##0.##")
        found.append(Column(name, label, min(widest, _WIDEST) + 2, form))
    return found
