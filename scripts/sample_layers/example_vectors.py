"""Write example sites of mixed shapes as FlatGeobuf and as GML. The same input, the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from ecospatial import crs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS
    from shapely import Geometry

    Site = tuple[Mapping[str, Any], Geometry]
    Sites = Sequence[Site]

COLUMNS = {
    "id": "项目编号",
    "name": "项目名称",
    "activity": "行业代码",
    "works": "建设性质",
    "land_use": "用地性质",
}
GML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml" xmlns:p="urn:example:sites">
"""


def flatgeobuf(sites: Sites, facts: Sequence[str], metric: CRS) -> bytes:
    """Write a FlatGeobuf in CGCS2000 degrees: points and lines in one file, answers as 是 and 否."""
    table = {column: [site.get(key) for site, _ in sites] for key, column in COLUMNS.items()}
    table |= {fact: [site.get("facts", {}).get(fact) for site, _ in sites] for fact in facts}
    shapes = np.array([shape for _, shape in sites], dtype=object)
    frame = gpd.GeoDataFrame(table, geometry=crs.transform(shapes, metric, crs.CGCS2000), crs=crs.CGCS2000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sites.fgb")
        options = {"driver": "FlatGeobuf", "geometry_type": "Unknown", "SPATIAL_INDEX": "NO"}  # an index reorders
        pyogrio.write_dataframe(frame, path, layer="sites", **options)
        return path.read_bytes()


def gml(sites: Sites, metric: CRS) -> bytes:
    """Write GML in the plan's CRS, so with the northing first, as its definition wants; no trades and no facts."""
    srs = f"urn:ogc:def:crs:EPSG::{metric.to_epsg()}"
    lines = [GML_HEAD]
    for site, shape in sites:
        shell, *holes = [
            "<gml:LinearRing><gml:posList>"
            + " ".join(f"{north:.3f} {east:.3f}" for east, north in shapely.get_coordinates(ring).tolist())
            + "</gml:posList></gml:LinearRing>"
            for ring in (shape.exterior, *shape.interiors)
        ]
        inner = "".join(f"<gml:interior>{ring}</gml:interior>" for ring in holes)
        lines.append(
            f"<gml:featureMember><p:sites><p:site_id>{escape(site['id'])}</p:site_id>"
            f"<p:site_name>{escape(site['name'])}</p:site_name><p:land_use>{escape(site['land_use'])}</p:land_use>\n"
            f'<p:geometry><gml:Polygon srsName="{srs}"><gml:exterior>{shell}</gml:exterior>{inner}</gml:Polygon>'
            "</p:geometry></p:sites></gml:featureMember>\n"
        )
    return "".join([*lines, "</gml:FeatureCollection>\n"]).encode()
