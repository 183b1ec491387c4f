"""Write GeoPackages through GDAL: the same tables give the same bytes."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# For files that belong to no day.
NO_DAY = "2000-01-01T00:00:00.000Z"


def format_stamp(on: str, created: str | None = None) -> str:
    """Return the change date of the tables: the time of writing where it is noted, else the day.

    Examples
    --------
    >>> format_stamp("2026-11-20"), format_stamp("2026-11-20", "2026-11-21T08:00:00+08:00")
    ('2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z')
    """
    if created is None:
        return f"{on}T00:00:00.000Z"
    return dt.datetime.fromisoformat(created).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@contextmanager
def fixed_clock(stamp: str = NO_DAY) -> Iterator[None]:
    """Let GDAL write this time into ``gpkg_contents`` instead of the time of day."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def write_tables(
    path: Path, tables: Mapping[str, pd.DataFrame], *, stamp: str = NO_DAY, options: Mapping[str, Any] | None = None
) -> None:
    """Write tables as layers of one GeoPackage.

    Parameters
    ----------
    path
        A file that does not exist, ending in ``.gpkg``.
    tables
        Frames by layer name, in their order; GeoDataFrames keep their CRS and may hold any geometry.
    stamp
        The time that stands in the file.
    options
        For layers by name, what ``pyogrio.write_dataframe`` takes beside them.
    """
    import pyogrio

    with fixed_clock(stamp):
        for name, table in tables.items():
            own = {"geometry_type": "Unknown"} if isinstance(table, gpd.GeoDataFrame) else {}
            own |= (options or {}).get(name, {})
            pyogrio.write_dataframe(table, path, layer=name, driver="GPKG", **own)


def tabulate_pairs(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table ``key``, ``value`` of plain values; lists and mappings as JSON text."""
    cells = [format_cell(value) for value in values.values()]
    return pd.DataFrame({"key": list(values), "value": cells}, dtype=object)


def format_cell(value: Any) -> str | None:
    """Return a plain value as the text of a cell; None stays null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
