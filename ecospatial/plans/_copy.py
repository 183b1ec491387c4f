"""Features of a bureau copied into a GeoPackage of the plan, byte for byte the same for the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecospatial.io._geopackage import write_tables

if TYPE_CHECKING:
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
    # Names that no column of a file has, so that a column called fid or geom stays what it is.
    options = {"FID": "ecospatial_row", "GEOMETRY_NAME": "ecospatial_shape"}
    plain = frame.rename(columns=_distinct([str(c) for c in frame.columns if c != "geometry"]))
    write_tables(path, {layer: plain}, options={layer: {"layer_options": options}})


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
