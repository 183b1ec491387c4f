"""The JSON document of findings: written as interface.md section 7 says, and read again.

Geometries are GeoJSON longitude, latitude in CGCS2000 with 9 decimals (0.1 mm); lengths have 3 decimals, areas 2,
shares 6.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial import model
from ecospatial.errors import Problem, SiteError
from ecospatial.export._format import counts, plain, records
from ecospatial.export._schema import Tables, as_tables

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ecospatial.checks import Findings

FORMAT, VERSION = "ecospatial-findings", 2
CGCS2000 = CRS.from_epsg(4490)
_DECIMALS = {
    "margin_m": 3,
    "distance_m": 3,
    "overlap_length_m": 3,
    "layer_accuracy_m": 3,
    "accuracy_m": 3,
    "within_m": 3,
    "upstream_m": 3,
    "downstream_m": 3,
    "length_m": 3,
    "overlap_m2": 2,
    "overlap_ellipsoidal_m2": 2,
    "area_m2": 2,
    "area_ellipsoidal_m2": 2,
    "repair_area_m2": 2,
    "overlap_share": 6,
}
_GEOMETRY_DECIMALS = 9


def rounded(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows with measures as the files hold them: lengths 3 decimals, areas 2, shares 6."""

    def cell(name: str, value: Any) -> Any:
        return round(value, _DECIMALS[name]) + 0.0 if name in _DECIMALS and value is not None else value

    return [{name: cell(name, value) for name, value in row.items()} for row in records(frame)]


def geojson(geometry: gpd.GeoSeries) -> list[dict[str, Any] | None]:
    """Turn geometries into GeoJSON objects in CGCS2000, None where there is none.

    Parameters
    ----------
    geometry
        Geometries in any CRS that ``crs.transform`` takes; the series must have one.

    Returns
    -------
    list
        Dicts with coordinates in degrees, longitude first, 9 decimals; in the order given.
    """
    values = geometry.to_numpy()
    found = np.array([item is not None and not item.is_empty for item in values], dtype=bool)
    result: list[dict[str, Any] | None] = [None] * len(values)
    if not found.any():
        return result
    moved = crs_room.transform(np.asarray(values[found], dtype=object), CRS(geometry.crs), CGCS2000)
    rounded = shapely.transform(shapely.force_2d(moved), lambda points: np.round(points, _GEOMETRY_DECIMALS) + 0.0)
    for place, written in zip(np.flatnonzero(found), shapely.to_geojson(rounded), strict=True):
        result[int(place)] = json.loads(written)
    return result


def _site_records(findings: Findings) -> list[dict[str, Any]]:
    summary, sites = findings.summary, findings.sites
    open_here: dict[str, list[dict[str, Any]]] = {}
    waiting = findings.frame.loc[findings.frame["open_here"].astype(bool), ["site_id", "rule_id", "open_by"]]
    for site_id, rule_id, open_by in waiting.astype(object).itertuples(index=False):
        open_here.setdefault(site_id, []).append({"rule_id": plain(rule_id), "open_by": plain(open_by)})
    records = []
    rows = zip(rounded(summary.reset_index()), rounded(sites.drop(columns="geometry").reset_index()), strict=True)
    for (row, given), shape in zip(rows, geojson(sites.geometry), strict=True):
        activity, works = given.get("activity"), given.get("works")
        records.append(
            {
                "site_id": row["site_id"],
                "site_name": row["site_name"],
                "verdict": row["verdict"],
                "decided": row["decided"],
                "headline": row["headline"],
                "certain": row["certain"],
                "certainty": row["certainty"],
                "open": open_here.get(row["site_id"], []),
                "n_open": row["n_open"],
                "n_missing": row["n_missing"],
                "area_m2": row["area_m2"],
                "area_ellipsoidal_m2": row["area_ellipsoidal_m2"],
                "length_m": row["length_m"],
                "activity": activity.split(";") if activity else [],
                "works": works.split(";") if works else [],
                "land_use": given.get("land_use"),
                "facts": {name: given.get(name) for name in model.FACTS},
                "counts": {verdict: number for verdict, number in counts(row).items() if number},
                "repair": row["repair"] or "",
                "repair_area_m2": given.get("repair_area_m2"),
                "accuracy_m": given.get("accuracy_m"),
                "source": given.get("source"),
                "datum_open": bool(given.get("datum_open")),
                "land": None,
                "geometry": shape,
            }
        )
    return records


def as_document(findings: Findings) -> dict[str, Any]:
    """Give the whole document as plain Python values, ready for ``json.dumps``."""
    frame = findings.frame
    rows = rounded(pd.DataFrame(frame.drop(columns="geometry")))
    return {
        "format": FORMAT,
        "version": VERSION,
        "meta": {"created": None, "review_number": None} | plain(dict(findings.meta)),
        "sites": _site_records(findings),
        "rules": rounded(findings.rules.reset_index()),
        "layers": rounded(findings.layers.reset_index()),
        "plan_open": plain(list(findings.plan_open)),
        "left_out": plain(list(findings.left_out)),
        "case": None,
        "reviews": [],
        "findings": [row | {"geometry": shape} for row, shape in zip(rows, geojson(frame.geometry), strict=True)],
    }


def document_text(findings: Findings) -> str:
    """Write the document as text: one line per site, rule, layer and finding, so that two runs can be compared.

    The same findings give the same text.
    """

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))

    parts = []
    for key, value in as_document(findings).items():
        if isinstance(value, list) and value:
            body = ",\n".join("  " + line(item) for item in value)
            parts.append(f' "{key}": [\n{body}\n ]')
        else:
            parts.append(f' "{key}": {line(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def save_json(findings: Findings, path: Path) -> None:
    """Write the document straight to ``path``; the door of this room does the renaming."""
    path.write_text(document_text(findings), encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------------------- reading


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _load(path: Path) -> dict[str, Any]:
    wrong = Problem(path.name, None, "不是本软件写出的核查结果（JSON）", "请选用 findings.json 或 findings.gpkg")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except OSError as error:
        raise SiteError(Problem(path.name, None, "文件无法读取", "请检查路径和权限")) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, NaN
        raise SiteError(wrong) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SiteError(wrong)
    if document.get("version") != VERSION:
        raise SiteError(wrong_version(path.name, document.get("version")))
    return document


def wrong_version(file: str, found: object) -> Problem:
    """Say that a file of findings has another version than this program reads, and what can be done."""
    told = str(plain(found))[:20]
    newer = told.isdigit() and int(told) > VERSION
    hint = "请升级软件" if newer else "请用原来的地块和规划重新核查"
    return Problem(file, None, f"核查结果的格式版本为 {told}，本软件只读版本 {VERSION}", hint)


def _section(document: dict[str, Any], key: str, file: str) -> list[dict[str, Any]]:
    items = document.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SiteError(Problem(file, key, "缺少该部分或形式不对", "请重新核查并写出"))
    return items


def _shapes(items: list[dict[str, Any]], target: CRS, file: str) -> NDArray[np.object_]:
    written = [None if item.get("geometry") is None else json.dumps(item["geometry"]) for item in items]
    result: NDArray[np.object_] = np.full(len(items), None, dtype=object)
    found = np.array([item is not None for item in written], dtype=bool)
    if not found.any():
        return result
    try:
        shapes = shapely.from_geojson([item for item in written if item is not None])
    except shapely.GEOSException as error:
        raise SiteError(Problem(file, None, "图形无法读取", "文件可能已损坏，请重新核查并写出")) from error
    result[found] = crs_room.transform(np.asarray(shapes, dtype=object), CGCS2000, target)
    return result


def load_json(path: Path) -> Tables:
    """Read a document again.

    Parameters
    ----------
    path
        A ``findings.json`` of this format and version.

    Returns
    -------
    Tables
        The same frames as ``load_gpkg`` gives, geometries in the CRS of the plan.

    Raises
    ------
    SiteError
        The file is not such a document, or is damaged.
    """
    document = _load(path)
    meta = document.get("meta")
    if not isinstance(meta, dict):
        raise SiteError(Problem(path.name, "meta", "缺少该部分或形式不对", "请重新核查并写出"))
    target, _ = crs_room.parse_crs(str(meta.get("crs")))
    sites, rows = _section(document, "sites", path.name), _section(document, "findings", path.name)
    site_shapes, shapes = _shapes(sites, target, path.name), _shapes(rows, target, path.name)
    for item in sites:
        facts, found = item.pop("facts", {}), item.pop("counts", {})
        several = {name: item.get(name) for name in ("activity", "works")}
        lists = all(isinstance(value, list) for value in several.values())
        if not isinstance(facts, dict) or not isinstance(found, dict) or not lists:
            raise SiteError(Problem(path.name, "sites", "形式不对", "请重新核查并写出"))
        item |= {name: ";".join(str(code) for code in value or []) or None for name, value in several.items()}
        item.update({name: facts.get(name) for name in model.FACTS})
        item.update({f"n_{verdict}": found.get(verdict, 0) for verdict in model.VERDICTS})
    findings, given = (pd.DataFrame(items).drop(columns="geometry", errors="ignore") for items in (rows, sites))
    return as_tables(
        {
            "findings": gpd.GeoDataFrame(findings, geometry=shapes, crs=target),
            "sites": gpd.GeoDataFrame(given, geometry=site_shapes, crs=target),
            "rules": pd.DataFrame(_section(document, "rules", path.name)),
            "layers": pd.DataFrame(_section(document, "layers", path.name)),
            "plan_open": _section(document, "plan_open", path.name),
            "left_out": _section(document, "left_out", path.name),
        },
        meta,
        path.name,
    )
