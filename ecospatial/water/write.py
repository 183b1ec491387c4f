"""A study as files: GeoPackage, Excel and a map page, each whole or not there, the same bytes every time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from ecospatial import crs, maps
from ecospatial.errors import Problem, SiteError
from ecospatial.export._format import plain, records
from ecospatial.export._outputs import Output, write_outputs
from ecospatial.export._xlsx import Column, workbook
from ecospatial.export.summary import width
from ecospatial.water.result import geometric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from ecospatial.water.result import StudyTable, WaterStudy

# A fixed time, so that the same plan gives the same bytes.
STAMP = "2000-01-01T00:00:00.000Z"
LONLAT_DECIMALS = 9  # 0.1 mm
_WIDEST = 48
_FORMATS = (
    ("_m3_d", "#,##0"), ("_m2", "#,##0.00"), ("_km2", "0.000"), ("_m", "#,##0.0"), ("share", "0.0%"),
    ("utilisation", "0.0%"), ("hours", "0.0"), ("separate", "0.0%"), ("combined", "0.0%"), ("mixed", "0.0%"),
    ("system_unknown", "0.0%"), ("standard", "0.0%"), ("standard_unknown", "0.0%"),
)  # fmt: skip


def write(study: WaterStudy, folder: str | PathLike[str], formats: Sequence[str] | None = None) -> list[Path]:
    """Write a study into a folder, data before the map; a format that can not be made costs only itself."""
    wanted = known(DEFAULT_FORMATS if formats is None else formats)
    outputs = [
        Output(f"{study.name}.{FORMATS[name][0]}", partial(FORMATS[name][1], study), data=name != "map")
        for name in wanted
    ]
    return write_outputs(folder, outputs)


def known(formats: Sequence[str]) -> list[str]:
    """Give the formats asked for, each once.

    Raises
    ------
    SiteError
        One of them is not known.
    """
    hint = f"可选：{'、'.join(FORMATS)}"
    problems = [Problem("", None, f"没有“{name}”这种输出格式", hint) for name in formats if name not in FORMATS]
    if problems:
        raise SiteError(problems)
    return list(dict.fromkeys(formats))


@contextmanager
def _clock() -> Iterator[None]:
    # GDAL writes the time of day into gpkg_contents.
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": STAMP})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def save_gpkg(study: WaterStudy, path: Path) -> None:
    """Write every table as a layer straight to ``path``: ASCII columns, codes in Chinese; and ``meta``."""
    with _clock():
        for table in study:
            cells = _storable(table)
            if geometric(table):
                shapes = table.frame.geometry.to_numpy()
                frame = gpd.GeoDataFrame(cells, geometry=shapes, crs=study.plan.crs)
                pyogrio.write_dataframe(frame, path, layer=table.name, driver="GPKG", geometry_type="Unknown")
            else:
                pyogrio.write_dataframe(cells, path, layer=table.name, driver="GPKG")
        pyogrio.write_dataframe(_meta(study), path, layer="meta", driver="GPKG")


def _about(study: WaterStudy) -> dict[str, str]:
    from ecospatial import __version__

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


def save_map(study: WaterStudy, path: Path) -> None:
    """Write the map page straight to ``path``."""
    path.write_text(maps.to_html(study.map()), encoding="utf-8", newline="\n")


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
    if geometric(table):
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


FORMATS: Mapping[str, tuple[str, Callable[[WaterStudy, Path], None]]] = {
    "gpkg": ("gpkg", save_gpkg),
    "xlsx": ("xlsx", save_xlsx),
    "map": ("html", save_map),
    "json": ("json", save_json),
}
DEFAULT_FORMATS = ("gpkg", "xlsx", "map")
