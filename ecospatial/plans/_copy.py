"""Features of a bureau copied into a GeoPackage of the plan, byte for byte the same for the same input."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd


def save_features(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write features as a GeoPackage with the columns they have; the same features give the same bytes.

    Parameters
    ----------
    frame
        The features, in their own CRS.
    path
        Where the file goes.
    layer
        Name of the layer in it.
    """
    import pyogrio

    # Names that no column of a file has, so that a column called fid or geom stays what it is.
    options = {"FID": "ecospatial_row", "GEOMETRY_NAME": "ecospatial_shape"}
    plain = frame.rename(columns=_distinct([str(c) for c in frame.columns if c != "geometry"]))
    with _clock():
        pyogrio.write_dataframe(plain, path, layer=layer, driver="GPKG", geometry_type="Unknown", layer_options=options)


def _distinct(names: list[str]) -> dict[str, str]:
    """Rename columns that differ only in upper and lower case, which a GeoPackage can not hold apart."""
    seen: dict[str, str] = {}
    changed: dict[str, str] = {}
    for name in names:
        new, number = name, 1
        while new.lower() in seen:
            number += 1
            new = f"{name}_{number}"
        seen[new.lower()] = name
        changed |= {} if new == name else {name: new}
    return changed


@contextmanager
def _clock() -> Iterator[None]:
    """Write no time of day into the file: the same input gives the same bytes."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
