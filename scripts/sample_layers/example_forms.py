"""Write example sites as a GeoPackage, as a table of corners in degrees, and as KML. The same input, the same bytes."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from ecospatial import crs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely import Polygon

    Site = tuple[Mapping[str, Any], Polygon]
    Sites = Sequence[Site]

DECIMALS = 8  # of a degree: about 1 mm
KML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2">
<Document><name>{name}</name>
"""


def geopackage(sites: Sites, facts: Sequence[str], metric: CRS, day: str) -> bytes:
    """Write a GeoPackage with attributes in the plan's CRS; an answer that is not known stays empty."""
    columns = ("id", "name", "activity", "works", "land_use")
    table = {("site_" + c if c in ("id", "name") else c): [site.get(c) for site, _ in sites] for c in columns}
    table |= {fact: [site.get("facts", {}).get(fact) for site, _ in sites] for fact in facts}
    frame = gpd.GeoDataFrame(table, geometry=[shape for _, shape in sites], crs=metric)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{day}T00:00:00.000Z"})
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "sites.gpkg")
            pyogrio.write_dataframe(frame, path, layer="项目红线", driver="GPKG", geometry_type="Polygon")
            return path.read_bytes()
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def degree_table(sites: Sites, facts: Sequence[str], metric: CRS) -> bytes:
    """Write a table of corners in degrees as CSV: one row a corner, attributes only on the first of each site."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    about = {"地块编号": "id", "项目名称": "name", "行业代码": "activity", "建设性质": "works", "用地性质": "land_use"}
    writer.writerow([*about, *facts, "坐标系", "圈号", "点号", "经度", "纬度"])
    for site, shape in sites:
        cells = [*(site[key] for key in about.values()), *(site.get("facts", {}).get(fact, "") for fact in facts)]
        for ring, vertices in enumerate(degrees(shape, metric), 1):
            for point, (lon, lat) in enumerate(vertices[:-1].tolist(), 1):
                row = cells if (ring, point) == (1, 1) else [site["id"], *[""] * (len(cells) - 1)]
                writer.writerow([*row, "CGCS2000", ring, f"J{point}", f"{lon:.{DECIMALS}f}", f"{lat:.{DECIMALS}f}"])
    return out.getvalue().encode("utf-8-sig")


def placemarks(sites: Sites, metric: CRS) -> bytes:
    """Write KML as a mapping app saves it: names and outlines, and no attributes."""
    lines = [KML_HEAD.format(name="示例项目（虚构）")]
    for site, shape in sites:
        outer, *inner = (
            "<LinearRing><coordinates>"
            + " ".join(f"{lon:.{DECIMALS}f},{lat:.{DECIMALS}f}" for lon, lat in ring.tolist())
            + "</coordinates></LinearRing>"
            for ring in degrees(shape, metric)
        )
        holes = "".join(f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner)
        lines.append(
            f"<Placemark id={quoteattr(site['id'])}><name>{escape(site['name'])}</name>\n"
            f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon></Placemark>\n"
        )
    return "".join([*lines, "</Document></kml>\n"]).encode()


def degrees(shape: Polygon, metric: CRS) -> list[NDArray[np.float64]]:
    """Give the closed rings in CGCS2000 longitude and latitude, the outer one first and counter-clockwise."""
    turned = crs.transform(np.array([shape], dtype=object), metric, crs.CGCS2000)[0]
    lonlat = shapely.orient_polygons(turned)
    return [np.asarray(shapely.get_coordinates(ring)) for ring in (lonlat.exterior, *lonlat.interiors)]
