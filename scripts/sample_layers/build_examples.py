"""Build the example sites of a plan: a survey TXT, a coordinate table, a zipped GBK shapefile and other forms.

The files are what planners really receive: a GB18030 survey text with X as northing, a table of corners, and
a shapefile without .cpg whose DBF does not say that it is GBK. All projects are invented. Called by
``build_layers.py``; the same input gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import struct
import zipfile
from typing import TYPE_CHECKING, Any

# With lxml installed openpyxl would write other bytes.
os.environ["OPENPYXL_LXML"] = "False"

import numpy as np
import openpyxl
import shapely
from drawing import smooth
from example_forms import degree_table, geopackage, placemarks
from example_vectors import flatgeobuf, gml
from shapely import LineString, Polygon
from shapely.ops import substring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from plan_drawing import Drawing
    from shapely import Geometry

    Site = tuple[Mapping[str, Any], Geometry]
    Sites = Sequence[Site]

NO_ATTRIBUTES = ("txt", "kml", "gml")  # what they have no place for stands in facts.csv
ZIP_TIME = (2026, 11, 20, 0, 0, 0)
ZONE_40 = 40_000_000  # eastings with the number of the zone in front, as in EPSG:4528
PRJ_4528 = (
    'PROJCS["CGCS2000_3_Degree_GK_Zone_40",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
    'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
COLUMNS = {
    "id": "地块编号",
    "name": "项目名称",
    "activity": "行业代码",
    "works": "建设性质",
    "land_use": "用地性质",
}
TXT_HEAD = """[属性描述]
格式版本号=1.01
数据产生单位=ecospatial 项目（虚构示例）
数据产生日期={day}
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=40
精度=0.001
转换参数=,,,,,,
[地块坐标]
"""


def build_examples(drawing: Drawing) -> dict[str, bytes]:
    """Build the example files of a plan: path below the plan's folder -> bytes."""
    examples = drawing.content["examples"]
    day = examples["day"].isoformat()
    sites: dict[str, list[Site]] = {}
    for site in examples["sites"]:
        sites.setdefault(site["file"], []).append((site, placed(drawing, site)))
    write: dict[str, Callable[[Sites], bytes]] = {
        "txt": lambda found: survey_txt(found, day),
        "xlsx": coordinate_table,
        "zip": gbk_shapefile,
        "gpkg": lambda found: geopackage(found, facts_of(found), drawing.crs, day),
        "csv": lambda found: degree_table(found, facts_of(found), drawing.crs),
        "kml": lambda found: placemarks(found, drawing.crs),
        "fgb": lambda found: flatgeobuf(found, facts_of(found), drawing.crs),
        "gml": lambda found: gml(found, drawing.crs),
    }
    files = {"examples/day.txt": f"{day}\n".encode()}
    files |= {f"examples/sites.{form}": write[form](found) for form, found in sites.items() if form != "shp"}
    files |= {f"examples/{name}": content for name, content in loose_shapefile(sites.get("shp", [])).items()}
    bare = [site for form in NO_ATTRIBUTES for site in sites.get(form, [])]
    return files | ({"examples/facts.csv": facts_csv(bare)} if bare else {})


def placed(drawing: Drawing, site: Mapping[str, Any]) -> Geometry:
    """Place a site's hand-drawn shape: at a place, along a line or a river, or at a distance from a river's bank."""
    if "spot" in site:
        return to_millimetres(drawing.point(site["spot"]))
    if "reach_m" in site:
        return to_millimetres(substring(drawing.centrelines[site["river"]], *site["reach_m"]))
    if "track" in site:
        return to_millimetres(LineString(smooth(drawing.xy(site["track"]))))
    if "course" in site:
        line = LineString(smooth(drawing.xy(site["course"])))
        return to_millimetres(line.buffer(site["width_m"] / 2, cap_style="flat", join_style="mitre"))
    shape = Polygon(site["corners"], [site["hole"]] if "hole" in site else None)
    if "at" in site:
        return to_millimetres(moved(shape, drawing.xy([site["at"]])[0]))
    bank = drawing.banks[site["river"]]
    line = drawing.centrelines[site["river"]]
    along = [site["along_m"], site["along_m"] + 50]
    here, ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    left = np.array([here[1] - ahead[1], ahead[0] - here[0]]) / np.hypot(*(ahead - here))
    left *= -1 if site.get("side") == "right" else 1
    shape = moved(shape, here + (site["distance_m"] + 250) * left)
    for _ in range(50):
        shape = moved(shape, (site["distance_m"] - shapely.distance(shape, bank)) * left)
    return to_millimetres(shape)


def moved(shape: Polygon, by: ArrayLike) -> Polygon:
    """Move a shape by east and north, metres."""
    by = np.asarray(by, dtype=float)
    return shapely.transform(shape, lambda c: c + by)


def to_millimetres(shape: Geometry) -> Geometry:
    """Round corners to the millimetre, as survey files hold them."""
    return shapely.transform(shapely.orient_polygons(shape, exterior_cw=True), lambda c: c.round(3))


def rings(shape: Polygon) -> list[NDArray[np.float64]]:
    """Give the closed rings of a polygon, the outer one first."""
    return [np.asarray(shapely.get_coordinates(ring)) for ring in (shape.exterior, *shape.interiors)]


def survey_txt(sites: Sites, day: str) -> bytes:
    """Write the survey text of land applications: GB18030, X is northing, rings are closed."""
    lines = TXT_HEAD.format(day=day).splitlines()
    for site, shape in sites:
        corners = [
            f"J{1 + point % (len(vertices) - 1)},{ring},{north:.3f},{east:.3f}"
            for ring, vertices in enumerate(rings(shape), 1)
            for point, (east, north) in enumerate(vertices)
        ]
        hectares = f"{shape.area / 10_000:.4f}"
        about = [site["id"], site["name"], "面", "", site["land_use"], site["code"], "@"]
        lines += [",".join([str(len(corners)), hectares, *about]), *corners]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def facts_csv(sites: Sites) -> bytes:
    """Write what a survey text or a KML has no place for."""
    facts = facts_of(sites)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["site_id", "activity", "works", *facts])
    for site, _ in sites:
        answers = [site.get("facts", {}).get(fact, "") for fact in facts]
        writer.writerow([site["id"], site["activity"], site["works"], *answers])
    return out.getvalue().encode()


def facts_of(sites: Sites) -> list[str]:
    """Name the facts that are answered for any of the sites."""
    return list(dict.fromkeys(fact for site, _ in sites for fact in site.get("facts", {})))


def coordinate_table(sites: Sites) -> bytes:
    """Write a table of corner points as XLSX: one row a corner, X is northing."""
    facts = facts_of(sites)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("界址点")
    sheet.append([*COLUMNS.values(), *facts, "圈号", "点号", "X", "Y"])
    for site, shape in sites:
        about = [site[key] for key in COLUMNS] + [site.get("facts", {}).get(fact) for fact in facts]
        for ring, vertices in enumerate(rings(shape), 1):
            for point, (east, north) in enumerate(vertices[:-1].tolist(), 1):
                sheet.append([*about, ring, f"J{point}", round(north, 3), round(east, 3)])
    out = io.BytesIO()
    book.save(out)
    return fixed_times(out.getvalue())


def fixed_times(archive: bytes) -> bytes:
    """Give an Office file the same bytes every time: fixed times, nothing compressed (zlib differs)."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for name in sorted(file.namelist()):
            content = file.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-11-20T00:00:00Z", content)
            if name == "docProps/app.xml":
                content = re.sub(rb"<AppVersion>[^<]*</AppVersion>", b"", content)
            members[name] = content
    return zipped(members)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Zip without compression and with a fixed time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.create_system = 0
            file.writestr(info, content)
    return out.getvalue()


# ------------------------------------------------------------------------------------ a shapefile as received
# GDAL always writes down the code page, which is just what such files lack; so these few records are written
# here (ESRI Shapefile Technical Description, 1998; dBASE III header).


def gbk_shapefile(sites: Sites) -> bytes:
    """Write a zipped shapefile: GBK without .cpg, eastings with the number of the zone."""
    facts = facts_of(sites)
    table = [
        [*(site[key] for key in COLUMNS), *(site.get("facts", {}).get(fact, "") for fact in facts)] for site, _ in sites
    ]
    shp, shx = shp_and_shx([moved(shape, [ZONE_40, 0]) for _, shape in sites])
    attributes = dbf([*COLUMNS.values(), *facts], table)
    return zipped({"sites.shp": shp, "sites.shx": shx, "sites.dbf": attributes, "sites.prj": PRJ_4528.encode()})


def loose_shapefile(sites: Sites) -> dict[str, bytes]:
    """Write a shapefile that is not zipped: UTF-8, as its .cpg says, and the names of columns cut to ten letters."""
    if not sites:
        return {}
    facts = facts_of(sites)
    columns = {"id": "site_id", "name": "site_name"} | {key: key for key in ("activity", "works", "land_use")}
    table = [[*(s[key] for key in columns), *(s.get("facts", {}).get(fact, "") for fact in facts)] for s, _ in sites]
    shp, shx = shp_and_shx([shape for _, shape in sites])
    names = [name[:10] for name in (*columns.values(), *facts)]
    attributes = dbf(names, table, encoding="utf-8")
    prj = PRJ_4528.replace("Zone_40", "CM_120E").replace("40500000.0", "500000.0")
    parts = {"shp": shp, "shx": shx, "dbf": attributes, "prj": prj.encode(), "cpg": b"UTF-8"}
    return {f"sites.{suffix}": content for suffix, content in parts.items()}


def shp_and_shx(shapes: Sequence[Polygon]) -> tuple[bytes, bytes]:
    """Write polygons and their index."""
    records, index, at = b"", b"", 50
    for number, shape in enumerate(shapes, 1):
        parts = rings(shape)
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        content = struct.pack("<i4d2i", 5, *shape.bounds, len(parts), sum(map(len, parts)))
        content += starts.astype("<i4").tobytes() + np.vstack(parts).astype("<f8").tobytes()
        index += struct.pack(">2i", at, len(content) // 2)
        records += struct.pack(">2i", number, len(content) // 2) + content
        at += 4 + len(content) // 2
    box = struct.pack("<2i8d", 1000, 5, *shapely.total_bounds(np.asarray(shapes, dtype=object)), 0, 0, 0, 0)
    heads = [struct.pack(">7i", 9994, 0, 0, 0, 0, 0, 50 + len(body) // 2) + box for body in (records, index)]
    return heads[0] + records, heads[1] + index


def dbf(names: Sequence[str], table: Sequence[Sequence[str]], *, encoding: str = "gbk") -> bytes:
    """Write a dBASE table of texts that does not say in which encoding (language driver 0)."""
    cells = [[str(value).encode(encoding) for value in row] for row in table]
    widths = [max(len(row[i]) for row in cells) or 1 for i in range(len(names))]
    day = dt.date(*ZIP_TIME[:3])
    head = struct.pack(
        "<4BIHH20x", 3, day.year - 1900, day.month, day.day, len(cells), 33 + 32 * len(names), 1 + sum(widths)
    )
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(encoding), b"C", width, 0)
        for name, width in zip(names, widths, strict=True)
    )
    rows = b"".join(b" " + b"".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return head + fields + b"\r" + rows + b"\x1a"
