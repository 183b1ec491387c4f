"""The GeoPackage of an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ecospatial.audits._result_row import NUMBERS
from ecospatial.io._geopackage import format_cell, format_stamp, tabulate_pairs, write_tables
from ecospatial.model.plain_values import plain

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.results import Audit

FORMAT, VERSION = "ecospatial-audit", 1


def save_gpkg(audit: Audit, path: Path) -> None:
    """Write the GeoPackage: ``audit`` (all rows), ``faults`` (rows with a place), ``ledger``, ``layers``, ``meta``."""
    frame = audit.frame
    rows = _storable(pd.DataFrame(frame.drop(columns="geometry")))
    held = (frame.geometry.notna() & ~frame.geometry.is_empty).to_numpy()
    meta = {"format": FORMAT, "version": VERSION} | dict(audit.meta)
    pairs = tabulate_pairs({key: plain(value) for key, value in meta.items()})
    tables: dict[str, pd.DataFrame] = {
        "audit": rows,
        "faults": gpd.GeoDataFrame(rows[held], geometry=frame.geometry[held].to_numpy(), crs=frame.crs),
        "ledger": _storable(audit.ledger),
        "layers": _storable(audit.layers.reset_index()),
        "meta": pairs,
    }
    write_tables(path, tables, stamp=format_stamp(audit.meta["on"], audit.meta.get("created")))


def _storable(frame: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if name in NUMBERS or name == "accuracy_m" or str(name).startswith("area_"):
            columns[name] = pd.to_numeric(frame[name]).astype(float)
        else:
            columns[name] = pd.Series([_text(value) for value in frame[name].astype(object)], frame.index, dtype=object)
    return pd.DataFrame(columns, index=frame.index)


def _text(value: object) -> str | None:
    return format_cell(plain(value))
