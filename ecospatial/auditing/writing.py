"""An audit as files: HTML, Excel, GeoPackage and a map; all of them or none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio

from ecospatial import maps
from ecospatial.auditing.drawing import draw
from ecospatial.auditing.page import save_html
from ecospatial.auditing.rows import NUMBERS
from ecospatial.auditing.workbook import save_xlsx
from ecospatial.errors import PlanError, Problem
from ecospatial.report.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from ecospatial.auditing.result import Audit

FORMAT, VERSION = "ecospatial-audit", 1


def write(audit: Audit, folder: str | PathLike[str], *, timestamp: bool = False) -> list[Path]:
    """Write an audit into a folder: all files or none.

    Parameters
    ----------
    audit
        What ``audit`` returned.
    folder
        Made when absent; files of the same names are replaced, nothing else in it is touched.
    timestamp
        Whether to note the time of writing; without it the same plan gives the same bytes.

    Raises
    ------
    PlanError
        The folder can not be written to.
    """
    if timestamp:
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        audit = dataclasses.replace(audit, meta={**audit.meta, "created": now})
    target = Path(folder)
    with _workroom(target) as room:
        for name, save in _WRITERS.items():
            save(audit, room / name)
        return [_put(room / name, target / name) for name in _WRITERS]


def _save_map(audit: Audit, path: Path) -> None:
    path.write_text(maps.to_html(draw(audit)), encoding="utf-8", newline="\n")


def save_gpkg(audit: Audit, path: Path) -> None:
    """Write the GeoPackage: ``audit`` (all rows), ``faults`` (rows with a place), ``ledger``, ``layers``, ``meta``."""
    frame = audit.frame
    rows = _storable(pd.DataFrame(frame.drop(columns="geometry")))
    held = (frame.geometry.notna() & ~frame.geometry.is_empty).to_numpy()
    meta = {"format": FORMAT, "version": VERSION} | dict(audit.meta)
    pairs = pd.DataFrame({"key": list(meta), "value": [_text(value) for value in meta.values()]}, dtype=object)
    tables: dict[str, pd.DataFrame] = {
        "audit": rows,
        "faults": gpd.GeoDataFrame(rows[held], geometry=frame.geometry[held].to_numpy(), crs=frame.crs),
        "ledger": _storable(audit.ledger),
        "layers": _storable(audit.layers.reset_index()),
        "meta": pairs,
    }
    with _clock(audit.meta):
        for name, table in tables.items():
            options = {"geometry_type": "Unknown"} if isinstance(table, gpd.GeoDataFrame) else {}
            pyogrio.write_dataframe(table, path, layer=name, driver="GPKG", **options)


_WRITERS: dict[str, Callable[[Audit, Path], None]] = {
    "audit.html": save_html,
    "audit.xlsx": save_xlsx,
    "audit.gpkg": save_gpkg,
    "audit_map.html": _save_map,
}


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if name in NUMBERS or name == "accuracy_m" or str(name).startswith("area_"):
            columns[name] = pd.to_numeric(frame[name]).astype(float)
        else:
            columns[name] = pd.Series([_text(value) for value in frame[name].astype(object)], frame.index, dtype=object)
    return pd.DataFrame(columns, index=frame.index)


def _text(value: object) -> str | None:
    found = plain(value)
    if found is None or isinstance(found, str):
        return found
    return json.dumps(found, ensure_ascii=False, allow_nan=False)


@contextmanager
def _clock(meta: dict[str, Any]) -> Iterator[None]:
    # GDAL writes the time of day into gpkg_contents; the same plan must give the same bytes.
    stamp = f"{meta['on']}T00:00:00.000Z"
    if meta.get("created"):
        written = dt.datetime.fromisoformat(meta["created"])
        stamp = written.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


@contextmanager
def _workroom(folder: Path) -> Iterator[Path]:
    # Inside the target folder, so that the renaming does not cross a file system.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = tempfile.TemporaryDirectory(prefix=".ecospatial-", dir=folder)
    except OSError as error:
        way_out = "请检查输出位置是否可写，或另选一个文件夹"
        raise PlanError(Problem(folder.name, None, "输出文件夹不能建立或写入", way_out)) from error
    with room:
        yield Path(room.name)


def _put(source: Path, target: Path) -> Path:
    try:
        return source.replace(target)
    except OSError as error:
        raise PlanError(Problem(target.name, None, "文件被占用，不能替换", "请关闭正在打开它的程序后重试")) from error
