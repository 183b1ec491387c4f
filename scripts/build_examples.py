"""Build the example sites of a plan: a survey TXT with facts.csv, a coordinate table, a zipped GBK shapefile.

The files are what planners really receive: a GB18030 survey text with X as northing, a table of corners, and
a shapefile without .cpg whose DBF does not say that it is GBK. All projects are invented. Called by
``build_layers.py``; the same input gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import shapely
from drawing import smooth
from shapely import LineString, Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from plan_drawing import Drawing

    Site = tuple[Mapping[str, Any], Polygon]
    Sites = Sequence[Site]

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
    sites: dict[str, list[Site]] = {"txt": [], "xlsx": [], "zip": []}
    for site in examples["sites"]:
        sites[site["file"]].append((site, placed(drawing, site)))
    day = examples["day"].isoformat()
    return {
        "examples/day.txt": f"{day}\n".encode(),
        "examples/sites.txt": survey_txt(sites["txt"], day),
        "examples/facts.csv": facts_csv(sites["txt"]),
        "examples/sites.xlsx": coordinate_table(sites["xlsx"]),
        "examples/sites.zip": gbk_shapefile(sites["zip"]),
    }


def placed(drawing: Drawing, site: Mapping[str, Any]) -> Polygon:
    """Place a site's hand-drawn shape: at a place, along a line, or at a distance from a river's bank."""
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
    shape = moved(shape, here + (site["distance_m"] + 250) * left)
    for _ in range(50):
        shape = moved(shape, (site["distance_m"] - shapely.distance(shape, bank)) * left)
    return to_millimetres(shape)


def moved(shape: Polygon, by: ArrayLike) -> Polygon:
    """Move a shape by east and north, metres."""
    by = np.asarray(by, dtype=float)
    return shapely.transform(shape, lambda c: c + by)


def to_millimetres(shape: Polygon) -> Polygon:
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
    """Write what a survey text has no place for."""
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


def dbf(names: Sequence[str], table: Sequence[Sequence[str]]) -> bytes:
    """Write a dBASE table of texts in GBK that does not say so (language driver 0)."""
    cells = [[str(value).encode("gbk") for value in row] for row in table]
    widths = [max(len(row[i]) for row in cells) or 1 for i in range(len(names))]
    day = dt.date(*ZIP_TIME[:3])
    head = struct.pack(
        "<4BIHH20x", 3, day.year - 1900, day.month, day.day, len(cells), 33 + 32 * len(names), 1 + sum(widths)
    )
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode("gbk"), b"C", width, 0)
        for name, width in zip(names, widths, strict=True)
    )
    rows = b"".join(b" " + b"".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return head + fields + b"\r" + rows + b"\x1a"
