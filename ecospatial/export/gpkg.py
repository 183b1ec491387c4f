"""The GeoPackage of findings: tables findings, conflicts, sites, rules, layers and meta; written and read again.

Geometries keep the CRS of the plan and every digit. Lists and mappings stand as JSON text.
"""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio

from ecospatial import crs as crs_room
from ecospatial.errors import Problem, SiteError
from ecospatial.export._format import plain
from ecospatial.export._qgis_styles import layer_styles
from ecospatial.export._schema import (
    ANSWERS,
    BOOLS,
    NUMBERS,
    RULE_NESTED,
    SITE_COLUMNS,
    SUMMARY_COLUMNS,
    WHOLE,
    Tables,
    as_tables,
)
from ecospatial.export.json import FORMAT, VERSION, wrong_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ecospatial.checks import Findings

_TABLES = ("findings", "conflicts", "sites", "rules", "layers", "meta")
META_LISTS = ("inputs", "notices", "skipped")
_PLAN_LISTS = ("plan_open", "left_out")
_MAGIC = b"SQLite format 3\x00"


@contextmanager
def _clock(stamp: str) -> Iterator[None]:
    # GDAL writes the time of day into gpkg_contents; the same input must give the same bytes.
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _text_cell(value: object) -> str | None:
    found = plain(value)
    if found is None or isinstance(found, str):
        return found
    return json.dumps(found, ensure_ascii=False, allow_nan=False)


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every column a type that GeoPackage has; unknown answers stay null."""
    columns: dict[str, pd.Series[Any]] = {}
    for name in frame.columns:
        values = frame[name]
        if name in ANSWERS:
            columns[name] = values.astype("boolean")
        elif name in BOOLS:
            columns[name] = values.astype(bool)
        elif name in NUMBERS:
            columns[name] = pd.to_numeric(values).astype("float64")
        elif name in WHOLE:
            columns[name] = values.astype("int64")
        else:
            cells = [_text_cell(value) for value in values.astype(object)]
            columns[name] = pd.Series(cells, values.index, dtype=object)
    return pd.DataFrame(columns, index=frame.index)


def _sites(findings: Findings) -> gpd.GeoDataFrame:
    sites, summary = findings.sites, findings.summary
    own = [name for name in SITE_COLUMNS if name in sites.columns]
    extra = [name for name in SUMMARY_COLUMNS if name not in own]
    both = pd.DataFrame(sites)[own].join(summary[extra]).reset_index()
    return gpd.GeoDataFrame(_storable(both), geometry=sites.geometry.to_numpy(), crs=sites.crs)


def _meta(findings: Findings) -> pd.DataFrame:
    meta = {"format": FORMAT, "version": VERSION, "created": None} | dict(findings.meta)
    meta |= {"plan_open": list(findings.plan_open), "left_out": list(findings.left_out)}
    return pd.DataFrame({"key": list(meta), "value": [_text_cell(value) for value in meta.values()]}, dtype=object)


def save_gpkg(findings: Findings, path: Path) -> None:
    """Write the GeoPackage straight to ``path``, which must not exist; the same findings give the same bytes.

    The change date of the tables is the day of the check, or the creation time when ``meta`` has one.
    """
    frame = findings.frame
    rows = _storable(pd.DataFrame(frame.drop(columns="geometry")))
    held = (frame.geometry.notna() & ~frame.geometry.is_empty).to_numpy()
    conflicts = gpd.GeoDataFrame(rows[held], geometry=frame.geometry[held].to_numpy(), crs=frame.crs)
    stamp = f"{findings.meta['on']}T00:00:00.000Z"
    if findings.meta.get("created"):
        written = dt.datetime.fromisoformat(findings.meta["created"])
        stamp = written.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    tables = {
        "findings": rows,
        "conflicts": conflicts,
        "sites": _sites(findings),
        "rules": _storable(findings.rules.reset_index()),
        "layers": _storable(findings.layers.reset_index()),
        "meta": _meta(findings),
    }
    with _clock(stamp):
        for name, table in tables.items():
            options = {"geometry_type": "Unknown"} if isinstance(table, gpd.GeoDataFrame) else {}
            pyogrio.write_dataframe(table, path, layer=name, driver="GPKG", **options)
        pyogrio.write_dataframe(layer_styles(stamp), path, layer="layer_styles", driver="GPKG", FID="id")


# ------------------------------------------------------------------------------------------- reading


def _read_tables(path: Path) -> dict[str, Any]:
    wrong = Problem(path.name, None, "不是本软件写出的核查结果（GeoPackage）", "请选用 findings.gpkg 或 findings.json")
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise SiteError(Problem(path.name, None, "文件无法读取", "请检查路径和权限")) from error
    if magic != _MAGIC or path.suffix.lower() != ".gpkg":
        raise SiteError(wrong)
    try:
        names = {str(name) for name, _ in pyogrio.list_layers(path)}
        if not names.issuperset(_TABLES):
            raise SiteError(wrong)
        return {name: pyogrio.read_dataframe(path, layer=name) for name in _TABLES}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as error:
        raise SiteError(wrong) from error


def _from_json(value: object) -> Any:
    if not isinstance(value, str) or value[:1] not in "[{":
        return value if isinstance(value, str) else None
    try:
        return json.loads(value)
    except ValueError:
        return value


def _with_conflicts(findings: pd.DataFrame, conflicts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    keys = pd.MultiIndex.from_frame(findings[["site_id", "rule_id"]])
    shapes = pd.Series(
        conflicts.geometry.to_numpy(), index=pd.MultiIndex.from_frame(conflicts[["site_id", "rule_id"]]), dtype=object
    )
    placed = shapes[~shapes.index.duplicated()].reindex(keys)
    values = placed.astype(object).where(placed.notna(), None).to_numpy()
    return gpd.GeoDataFrame(findings, geometry=values, crs=conflicts.crs)


def load_gpkg(path: Path) -> Tables:
    """Read a GeoPackage of findings again.

    Parameters
    ----------
    path
        A ``findings.gpkg``.

    Returns
    -------
    Tables
        The same frames as ``load_json`` gives, geometries in the CRS of the plan.

    Raises
    ------
    SiteError
        The file is not such a GeoPackage, or is damaged.
    """
    tables = _read_tables(path)
    pairs = tables["meta"]
    if not {"key", "value"}.issubset(pairs.columns):
        raise SiteError(Problem(path.name, "meta", "缺少列 key、value", "文件可能已损坏，请重新核查并写出"))
    meta: dict[str, Any] = {str(key): plain(value) for key, value in zip(pairs["key"], pairs["value"], strict=True)}
    # Only these: a title that happens to be "[1]" is a title.
    meta |= {key: _from_json(meta[key]) for key in META_LISTS if key in meta}
    kind, version = meta.pop("format", None), meta.pop("version", None)
    if kind != FORMAT:
        hint = "请选用 findings.gpkg 或 findings.json"
        raise SiteError(Problem(path.name, "meta", "不是本软件写出的核查结果（GeoPackage）", hint))
    if version != str(VERSION):
        raise SiteError(wrong_version(path.name, version))
    lists = {key: _from_json(meta.pop(key, None)) for key in _PLAN_LISTS}
    target, _ = crs_room.parse_crs(str(meta.get("crs")))
    for name in RULE_NESTED:
        if name in tables["rules"]:
            tables["rules"][name] = [_from_json(value) for value in tables["rules"][name]]
    try:
        findings = _with_conflicts(tables["findings"], tables["conflicts"]).set_crs(target, allow_override=True)
    except (KeyError, AttributeError) as error:
        raise SiteError(Problem(path.name, "conflicts", "缺少列", "文件可能已损坏，请重新核查并写出")) from error
    sites = tables["sites"].set_crs(target, allow_override=True)
    raw = {"findings": findings, "sites": sites, "rules": tables["rules"], "layers": tables["layers"]}
    raw |= lists
    return as_tables(raw, meta, path.name)
