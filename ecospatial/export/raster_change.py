"""What grids say of the ground, as files: changes between two dates, and tables of zones."""

from __future__ import annotations

import io
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial import maps, model
from ecospatial.errors import Problem, SiteError
from ecospatial.export._outputs import Output, write_outputs
from ecospatial.maps.web.changes import draw_changes
from ecospatial.plans import COVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from ecospatial.plans import Plan
    from ecospatial.raster import Changes

CHANGE_FORMATS: dict[str, str] = {
    "html": "changes.html",
    "map": "changes_map.html",
    "gpkg": "changes.gpkg",
    "csv": "changes.csv",
    "json": "changes.json",
}
NOTICE_CLUE = "遥感疑似图斑，须现场核实，不构成违法认定"
SEVERITY_LABELS = {"prohibited": "禁止类", "restricted": "限制类", "none": "无对应规则"}
_CSV_COLUMNS = {
    "patch_id": "核查顺序", "patch": "图斑", "concern": "性质", "from_label": "前期", "to_label": "后期",
    "zone_name": "管控区", "kind_label": "管控区类型", "severity_label": "规则级别", "rule_ids": "规则",
    "area_m2": "区内面积（m²）", "mu": "区内面积（亩）", "patch_area_m2": "图斑面积（m²）",
    "margin_m": "距区界（m）", "certain_label": "确在区内", "lon": "经度", "lat": "纬度",
}  # fmt: skip


def notices_of(plan: Plan, names: Sequence[str]) -> list[str]:
    """List what must stand above anything made from layers of a plan."""
    own = [f"审图号：{plan.review_number}"] if plan.review_number else [model.NOTICE_INTERNAL]
    if any(plan.layers[name].status == "schematic" for name in names if name in plan.layers):
        own.append(model.NOTICE_SCHEMATIC)
    return own


def write_changes(
    changes: Changes, plan: Plan, folder: str | PathLike[str], *, formats: Sequence[str] | None = None
) -> list[Path]:
    """Write what ``raster.watch`` found into a folder, data before pages; what can not be made costs only itself.

    Parameters
    ----------
    changes
        What ``raster.watch`` returned.
    plan
        The plan it looked at.
    folder
        Made when absent; files of the same names are replaced.
    formats
        Any of ``html`` (changes.html), ``map`` (changes_map.html), ``gpkg`` (changes.gpkg: patches, matrix, zones,
        indicators, meta), ``csv`` and ``json``; all when left out.

    Returns
    -------
    list of Path
        The files, in the order of ``formats``.

    Raises
    ------
    SiteError
        A format is not known, or the folder can not be written to.
    OutputError
        Some formats could not be made; the others are written.
    """
    wanted = list(dict.fromkeys(CHANGE_FORMATS if formats is None else formats))
    unknown = [name for name in wanted if name not in CHANGE_FORMATS]
    if unknown:
        hint = f"可选：{'、'.join(CHANGE_FORMATS)}"
        raise SiteError([Problem("", None, f"没有“{name}”这种输出格式", hint) for name in unknown])
    used = [changes.meta["old"], changes.meta["new"], *changes.patches["layer"].unique()]
    told = [*notices_of(plan, used), NOTICE_CLUE]
    makers: dict[str, Callable[[], bytes]] = {
        "html": lambda: _page(changes, plan, told).encode(),
        "map": lambda: maps.to_html(draw_changes(changes, plan, notices=told)).encode(),
        "gpkg": lambda: _geopackage(changes),
        "csv": lambda: table_bytes(
            pd.DataFrame(_rows(changes), columns=list(_CSV_COLUMNS)).rename(columns=_CSV_COLUMNS)
        ),
        "json": lambda: changes_json(changes).encode(),
    }
    outputs = [
        Output(CHANGE_FORMATS[name], partial(_save, makers[name]), data=name not in ("html", "map")) for name in wanted
    ]
    return write_outputs(folder, outputs)


def _save(make: Callable[[], bytes], path: Path) -> None:
    path.write_bytes(make())


def write_files(folder: str | PathLike[str], contents: Mapping[str, bytes]) -> list[Path]:
    """Write files of data into a folder, each under another name first.

    Raises
    ------
    SiteError
        The folder can not be written to.
    OutputError
        Some files could not be written; the others are.
    """
    outputs = [Output(name, partial(_save, partial(bytes, content)), data=True) for name, content in contents.items()]
    return write_outputs(folder, outputs)


def table_bytes(frame: pd.DataFrame) -> bytes:
    """Write a table as CSV that Excel reads as UTF-8; a text that would be a formula there is made plain."""
    cells = frame.map(lambda cell: f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell)
    return ("\ufeff" + cells.to_csv(index=False, lineterminator="\r\n", float_format="%.6g")).encode()


def _rows(changes: Changes) -> list[dict[str, Any]]:
    frame = changes.patches
    points = np.asarray(shapely.point_on_surface(frame.geometry.to_numpy()), dtype=object)
    lonlat = shapely.get_coordinates(crs_.transform(points, CRS(frame.crs), crs_.CGCS2000))
    rows = []
    for (lon, lat), (_, row) in zip(lonlat, pd.DataFrame(frame.drop(columns="geometry")).iterrows(), strict=True):
        found: dict[str, Any] = {str(name): value for name, value in row.items()}
        found |= {
            "from_label": COVERS[row["from_cover"]],
            "to_label": COVERS[row["to_cover"]],
            "kind_label": model.KINDS[row["kind"]].label,
            "severity_label": SEVERITY_LABELS[row["severity"]],
            "certain_label": "是" if row["certain"] else "边界存疑",
            "mu": row["area_m2"] / model.MU_M2,
            "lon": round(float(lon), 7),
            "lat": round(float(lat), 7),
        }
        rows.append(found)
    return rows


def _chinese(changes: Changes) -> pd.DataFrame:
    return pd.DataFrame(_rows(changes), columns=list(_CSV_COLUMNS)).rename(columns=_CSV_COLUMNS)


def _matrices(changes: Changes) -> list[dict[str, Any]]:
    """Lay out the matrix of the district; without one, of every zone."""
    zones = changes.zones
    district = zones.index[zones["kind"] == "district"]
    result = []
    for zone in district if len(district) else zones.index:
        table = changes.matrix[changes.matrix["zone"] == zone].pivot_table(
            index="from_cover", columns="to_cover", values="area_m2", aggfunc="sum", fill_value=0.0
        )
        words = [word for word in COVERS if word in table.index or word in table.columns]
        table = table.reindex(index=words, columns=words, fill_value=0.0)
        lines = [
            {"label": COVERS[word], "cells": row.tolist(), "total": float(row.sum())} for word, row in table.iterrows()
        ]
        result.append(
            {"name": zones.loc[zone, "zone_name"], "columns": [COVERS[word] for word in words], "rows": lines}
        )
    return result


def _page(changes: Changes, plan: Plan, notices: Sequence[str]) -> str:
    from ecospatial import __version__

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    zones = changes.zones.assign(
        kind_label=[model.KINDS[kind].label for kind in changes.zones["kind"]],
        seen_share=changes.zones["seen_m2"] / changes.zones["area_m2"],
    )
    pictures = [plan.layers[name] for name in (changes.meta["old"], changes.meta["new"])]
    return environment.get_template("changes.html").render(
        meta=changes.meta | {"software": f"ecospatial {__version__}"},
        notices=notices,
        layers=[
            {
                "date": layer.pixels.date if layer.pixels else "",
                "title": layer.source.title or layer.name,
                "publisher": layer.source.publisher or "来源未填写",
                "status": model.STATUS_LABELS.get(layer.status or "", ""),
                "sha256": layer.sha256 or "",
            }
            for layer in pictures
        ],
        patches=_rows(changes),
        zones=zones.to_dict("records"),
        matrices=_matrices(changes),
        indicators=changes.indicators.to_dict("records"),
    )


def _geopackage(changes: Changes) -> bytes:
    meta = pd.DataFrame({"key": list(changes.meta), "value": [str(value) for value in changes.meta.values()]})
    tables = {
        "matrix": changes.matrix,
        "zones": changes.zones.reset_index(names="zone"),
        "indicators": changes.indicators.reset_index(names="indicator"),
        "meta": meta,
    }
    # GDAL writes the time of day into gpkg_contents; the same input must give the same bytes.
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{changes.meta['on']}T00:00:00.000Z"})
    try:
        with tempfile.TemporaryDirectory(prefix="ecospatial-") as room:
            path = Path(room, "changes.gpkg")
            patches = gpd.GeoDataFrame(changes.patches, geometry="geometry", crs=changes.patches.crs)
            pyogrio.write_dataframe(patches, path, layer="patches", geometry_type="MultiPolygon", promote_to_multi=True)
            for name, table in tables.items():
                pyogrio.write_dataframe(table, path, layer=name, append=True)
            return path.read_bytes()
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def changes_json(changes: Changes) -> str:
    """Give the changes as a JSON document: geometries in CGCS2000, lengths 3 decimals, areas 2, shares 6."""
    frame = changes.patches
    moved = crs_.transform(frame.geometry.to_numpy(), CRS(frame.crs), crs_.CGCS2000)
    shapes = [json.loads(text) for text in shapely.to_geojson(shapely.transform(moved, lambda xy: xy.round(9)))]
    patches = plain_rows(pd.DataFrame(frame.drop(columns="geometry")))
    document = {
        "format": "ecospatial-changes",
        "version": 1,
        "meta": changes.meta,
        "zones": plain_rows(changes.zones.reset_index(names="zone")),
        "indicators": plain_rows(changes.indicators.reset_index(names="indicator")),
        "matrix": plain_rows(changes.matrix),
        "patches": [row | {"geometry": shape} for row, shape in zip(patches, shapes, strict=True)],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as plain values for JSON: unknown is null, numbers are rounded by what they are."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", force_ascii=False, double_precision=15))
    for row in rows:
        for name, value in row.items():
            if isinstance(value, float):
                row[name] = round(
                    value, 2 if "_m2" in name or name.startswith("mu") else 3 if name.endswith("_m") else 6
                )
    return rows


def frame_text(frame: pd.DataFrame) -> str:
    """Give a small table as text for the screen."""
    out = io.StringIO()
    frame.to_string(out, index=False, na_rep="", float_format=lambda value: f"{value:,.4g}")
    return out.getvalue()


def changes_text(changes: Changes) -> str:
    """Give the patches as text for the screen, what to inspect first on top."""
    meta = changes.meta
    several = "（涉及几个管控区的分列）" if changes.patches["patch"].duplicated().any() else ""
    count = changes.patches["patch"].nunique()
    lines = [f"{meta['title']}　{meta['old_date']} 至 {meta['new_date']}，{count} 处变化图斑{several}"]
    for row in _rows(changes):
        sure = "" if row["certain"] else "，边界存疑"
        rules = f"（{row['rule_ids']}）" if row["rule_ids"] else ""
        lines.append(
            f"{row['patch_id']:>3}  {row['concern']}  {row['from_label']}→{row['to_label']}  "
            f"{row['area_m2']:,.0f} m²（{row['mu']:,.2f} 亩）  {row['zone_name']}  {row['severity_label']}{rules}{sure}"
        )
    seen, whole = changes.zones["seen_m2"], changes.zones["area_m2"]
    blind = changes.zones["zone_name"][seen < 0.999 * whole]
    if len(blind):
        lines.append(f"部分没有数据，未能比较：{'、'.join(dict.fromkeys(blind))}")
    return "\n".join(lines)
