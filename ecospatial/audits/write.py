"""An audit as files: Excel and GeoPackage, then HTML and a map; one that can not be made costs only itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio

from ecospatial import maps
from ecospatial.audits._result_row import NUMBERS
from ecospatial.audits.audit_map import draw
from ecospatial.audits.html_page import save_html
from ecospatial.audits.xlsx import save_xlsx
from ecospatial.export._format import plain
from ecospatial.export._outputs import Output, write_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from pathlib import Path

    from ecospatial.audits.audit import Audit

FORMAT, VERSION = "ecospatial-audit", 1


def write(audit: Audit, folder: str | PathLike[str], *, timestamp: bool = False) -> list[Path]:
    """Write an audit into a folder, data before pages; one that can not be made costs only itself.

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
    SiteError
        The folder can not be written to.
    OutputError
        Some files could not be made; the others are written.
    """
    if timestamp:
        now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        audit = dataclasses.replace(audit, meta={**audit.meta, "created": now})
    return write_outputs(
        folder,
        [Output(name, partial(save, audit), data=not name.endswith(".html")) for name, save in _WRITERS.items()],
    )


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
