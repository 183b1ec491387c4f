"""What grids say of the ground, as files: changes between two dates, and tables of zones."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial import model
from ecospatial.export.registry import list_formats, write_result
from ecospatial.io._geopackage import format_stamp, write_tables
from ecospatial.maps.web.changes import draw_changes
from ecospatial.maps.web.map import to_html
from ecospatial.plans import COVERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from ecospatial.plans import Plan
    from ecospatial.raster import Changes

CHANGE_FORMATS = list_formats("ChangeResult")
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


@dataclass(frozen=True)
class ChangeResult:
    """What ``raster.watch`` found, the plan it looked at, and what must stand above it."""

    changes: Changes
    plan: Plan
    notices: list[str]


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
    used = [changes.meta["old"], changes.meta["new"], *changes.patches["layer"].unique()]
    result = ChangeResult(changes, plan, [*notices_of(plan, used), NOTICE_CLUE])
    return write_result(result, folder, formats=formats)


def save_html(result: ChangeResult, path: Path) -> None:
    """Write the page straight to ``path``."""
    path.write_bytes(_page(result.changes, result.plan, result.notices).encode())


def save_map(result: ChangeResult, path: Path) -> None:
    """Write the map page straight to ``path``."""
    path.write_bytes(to_html(draw_changes(result.changes, result.plan, notices=result.notices)).encode())


def save_csv(result: ChangeResult, path: Path) -> None:
    """Write the table of patches straight to ``path``."""
    path.write_bytes(table_bytes(_chinese(result.changes)))


def save_json(result: ChangeResult, path: Path) -> None:
    """Write the JSON document straight to ``path``."""
    path.write_bytes(changes_json(result.changes).encode())


def save_gpkg(result: ChangeResult, path: Path) -> None:
    """Write the GeoPackage straight to ``path``: patches, matrix, zones, indicators, meta."""
    changes = result.changes
    tables: dict[str, pd.DataFrame] = {
        "patches": gpd.GeoDataFrame(changes.patches, geometry="geometry", crs=changes.patches.crs),
        "matrix": changes.matrix,
        "zones": changes.zones.reset_index(names="zone"),
        "indicators": changes.indicators.reset_index(names="indicator"),
        "meta": pd.DataFrame({"key": list(changes.meta), "value": [str(value) for value in changes.meta.values()]}),
    }
    patches = {"geometry_type": "MultiPolygon", "promote_to_multi": True}
    write_tables(path, tables, stamp=format_stamp(changes.meta["on"]), options={"patches": patches})


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
    from ecospatial._version import __version__

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
