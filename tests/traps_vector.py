"""Traps of vector files: formats, labels, missing parts, geometry."""

from __future__ import annotations

import json
import sqlite3
import struct
from contextlib import closing

import numpy as np
import pyogrio
import shapely
from made_traps import (
    BOX,
    SITE,
    E,
    N,
    bad,
    feature,
    frame,
    geojson,
    lonlat,
    ok,
    then,
    vector,
    write,
    zipped,
)

from ecospatial.errors import CrsError, SiteError

SECOND = shapely.box(E + 1000, N, E + 1100, N + 100)
with np.errstate(invalid="ignore"):
    NOT_FINITE = shapely.Polygon([(E, N), (np.nan, N), (E, N + 9)])
NAMES = {"名称": ["新孟河化工厂"]}
SHP = vector("a.shp", frame(**NAMES), encoding="gbk")


def labelled(label, ldid=None):
    """Give a shapefile another label (None: none) and another language byte."""

    def change(path):
        page = path.with_suffix(".cpg")
        page.unlink(missing_ok=True)
        if label is not None:
            page.write_text(label)
        if ldid is not None:
            table = bytearray(path.with_suffix(".dbf").read_bytes())
            table[29] = ldid
            path.with_suffix(".dbf").write_bytes(table)

    return change


def without(*suffixes):
    def change(path):
        for suffix in suffixes:
            path.with_suffix(suffix).unlink()

    return change


def cut(suffix, size):
    def change(path):
        part = path.with_suffix(suffix)
        part.write_bytes(part.read_bytes()[:size])

    return change


def lying_prj(path):
    """The .prj of the next zone: 284 km off, without an error anywhere."""
    from pyproj import CRS

    path.with_suffix(".prj").write_text(CRS.from_epsg(4548).to_wkt("WKT1_ESRI"))


def layers(folder):
    path = folder / "a.gpkg"
    for name, shape in (("红线", BOX), ("范围", SECOND)):
        pyogrio.write_dataframe(frame(shape), path, layer=name, driver="GPKG")
    return path


def mapinfo(suffix, *, charset="Neutral", text="gbk"):
    def make(folder):
        path = folder / f"a{suffix}"
        pyogrio.write_dataframe(frame(name=["xxxx"]), path, driver="MapInfo File")
        label = (
            path.read_bytes()
            .replace(b'"Neutral"', f'"{charset}"'.encode())
            .replace(b"!charset Neutral", f"!charset {charset}".encode())
        )
        path.write_bytes(label)
        data = path.with_suffix(".mid" if suffix == ".mif" else ".dat")
        data.write_bytes(data.read_bytes().replace(b"xxxx", "名称".encode(text).ljust(4)[:4]))
        return path

    return make


SURFACE = ("三维曲面（POLYHEDRALSURFACE、TIN）", "MultiPolygon")
CORNERS = [(E, N, 0.0), (E + 100, N, 0.0), (E + 100, N + 100, 0.0), (E, N, 0.0)]


def surface(kind, patches, patch):
    ring = " ".join(str(number) for corner in CORNERS for number in corner)
    return write(
        "a.gml",
        '<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:o="http://x">'
        f'<gml:featureMember><o:a gml:id="a"><o:g><gml:{kind} srsName="EPSG:4549" srsDimension="3"><gml:{patches}>'
        f"<gml:{patch}><gml:exterior><gml:LinearRing><gml:posList>{ring}</gml:posList></gml:LinearRing></gml:exterior>"
        f"</gml:{patch}></gml:{patches}></gml:{kind}></o:g></o:a></gml:featureMember></gml:FeatureCollection>",
    )


def space_package(declared, outer, *, inner=1003):
    """A GeoPackage whose one geometry is made by hand as WKB of this type."""

    def make(folder):
        path = vector("a.gpkg", frame(shapely.Polygon(CORNERS)))(folder)
        with closing(sqlite3.connect(path)) as package:
            ((held,),) = package.execute('SELECT geom FROM "a"').fetchall()
            ring = b"".join(struct.pack("<ddd", *corner) for corner in CORNERS)
            part = struct.pack("<BIII", 1, inner, 1, len(CORNERS)) + ring
            start = 8 + {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[held[3] >> 1 & 7]
            for (trigger,) in package.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                package.execute(f'DROP TRIGGER "{trigger}"')
            package.execute('UPDATE "a" SET geom = ?', (held[:start] + struct.pack("<BII", 1, outer, 1) + part,))
            package.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = ?, z = 2", (declared,))
            package.commit()
        return path

    return make


def curved(folder):
    """A circle of 50 m radius as a curve polygon, written by GDAL itself."""
    path = folder / "a.gml"
    ring = f"{E} {N + 50} {E + 50} {N + 100} {E + 100} {N + 50} {E + 50} {N} {E} {N + 50}"
    path.write_text(
        '<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml" xmlns:o="http://x"><gml:featureMember>'
        '<o:a gml:id="a"><o:g><gml:Surface srsName="http://www.opengis.net/gml/srs/epsg.xml#4549"><gml:patches><gml:PolygonPatch>'
        "<gml:exterior><gml:Ring><gml:curveMember><gml:Curve><gml:segments><gml:ArcString>"
        f"<gml:posList>{ring}</gml:posList></gml:ArcString></gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior>"
        "</gml:PolygonPatch></gml:patches></gml:Surface></o:g></o:a></gml:featureMember></gml:FeatureCollection>"
    )
    return path


def kml(body, *, head='<?xml version="1.0" encoding="UTF-8"?>', name="a.kml", encoding="utf-8"):
    text = f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>甲</name>{body}</Placemark></Document></kml>'
    return write(name, text, encoding=encoding)


RING = " ".join(f"{x:.9f},{y:.9f}" for x, y in lonlat(BOX).exterior.coords)
KML_BOX = (
    f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{RING}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
)
SEQUENCE = "\n".join(json.dumps(feature(shapely.geometry.mapping(lonlat(shape)))) for shape in (BOX, SECOND))

FORMATS = [
    ok("gpkg", vector("a.gpkg")),
    ok("geojson", geojson(lonlat(BOX)), SITE, tolerance=1.0),
    ok(
        "geojson-bom",
        then(geojson(lonlat(BOX)), lambda p: p.write_bytes(b"\xef\xbb\xbf" + p.read_bytes()) and None),
        SITE,
        tolerance=1.0,
    ),
    ok("geojson-old-crs", geojson(BOX, crs=4549)),
    ok("geojson-metres", geojson(BOX), SITE, "未声明坐标系", "EPSG:4549"),
    ok("geojson-sequence", write("a.geojsonl", SEQUENCE), 20000.0, count=2, tolerance=2.0),
    ok(
        "geojson-sequence-rs",
        write("a.geojsons", "\x1e" + SEQUENCE.replace("\n", "\n\x1e") + "\n"),
        20000.0,
        count=2,
        tolerance=2.0,
    ),
    ok("fgb", vector("a.fgb")),
    ok("kml", kml(KML_BOX), SITE, tolerance=1.0),
    ok("kml-gb2312", kml(KML_BOX, head='<?xml version="1.0" encoding="GB2312"?>', encoding="gbk"), SITE, tolerance=1.0),
    ok("kmz", zipped(kml(KML_BOX, name="doc.kml"), name="a.kmz"), SITE, tolerance=1.0),
    ok("gml", vector("a.gml", driver="GML")),
    ok("gml-curve", curved, 7853.98, "曲线已转为折线", tolerance=0.1),
    ok("gdb", vector("a.gdb", driver="OpenFileGDB"), kind="MultiPolygon"),
    ok("gdb-zip", zipped(vector("a.gdb", driver="OpenFileGDB")), kind="MultiPolygon"),
    ok("parquet", lambda folder: frame().to_parquet(folder / "a.parquet") or folder / "a.parquet"),
    ok("mif", mapinfo(".mif")),
    ok("mif-lying-charset", mapinfo(".mif", charset="WindowsLatin1")),
    ok("tab", mapinfo(".tab"), SITE, tolerance=5.0),
    ok("tab-utf8", mapinfo(".tab", text="utf-8"), SITE, tolerance=5.0),
    ok("several-layers-named", layers, layer="范围"),
    ok("heights-dropped", geojson(shapely.force_3d(lonlat(BOX), 7.0)), SITE, tolerance=1.0),
    ok("a-line", geojson(shapely.LineString([(E, N), (E + 9, N)]), crs=4549), 0.0, kind="LineString"),
    ok("a-point", geojson(shapely.Point(E, N), crs=4549), 0.0, kind="Point"),
]

SHAPEFILES = [
    ok("shp-no-cpg", then(SHP, labelled(None, 0)), SITE, "没有写明文字编码，按 GB18030 读取"),
    ok("shp-ldid-latin", then(SHP, labelled(None, 0x57)), SITE, "没有写明文字编码，按 GB18030 读取"),
    ok("shp-ldid-lies-big5", then(SHP, labelled(None, 0x4F)), SITE, "语言字节为 BIG5，与文字不符，按 GB18030 读取"),
    ok("shp-cpg-lies-utf8", then(SHP, labelled("UTF-8")), SITE, ".cpg 写明 UTF-8，与文字不符，按 GB18030 读取"),
    ok(
        "shp-cpg-lies-gbk",
        then(vector("a.shp", frame(**NAMES), encoding="utf-8"), labelled("GBK")),
        SITE,
        ".cpg 写明 GB18030，与文字不符，按 UTF-8 读取",
    ),
    ok("shp-cpg-oem", then(SHP, labelled("OEM", 0)), SITE, ".cpg 写明 OEM，与文字不符"),
    ok("shp-zip", zipped(SHP)),
    ok("shp-zip-nested", zipped(SHP, prefix="资料/2026/")),
    ok("shp-no-prj", then(SHP, without(".prj")), SITE, "未声明坐标系"),
    bad("shp-lying-prj", then(SHP, lying_prj), CrsError, "偏西", "274 km", "EPSG:4549 位于钟楼区内"),
    ok("shp-lying-prj-given", then(SHP, lying_prj), SITE, "文件声明 EPSG:4548", crs=4549),
    bad("shp-no-shx", then(SHP, without(".shx")), SiteError, ".shx", "一起提供"),
    bad("shp-no-dbf", then(SHP, without(".dbf")), SiteError, ".dbf", "一起提供"),
    bad("shp-cut-off", then(SHP, cut(".shp", 120)), SiteError, "不完整", "重新导出"),
    bad("shx-cut-off", then(SHP, cut(".shx", 100)), SiteError, "数量不一致"),
    bad("dbf-cut-off", then(SHP, cut(".dbf", 70)), SiteError, ".dbf 不完整"),
    bad(
        "shp-text-unknown",
        then(
            SHP,
            lambda p: (
                p.with_suffix(".dbf").write_bytes(
                    p.with_suffix(".dbf").read_bytes().replace("新".encode("gbk"), b"\xff\xff")
                )
                and None
            ),
        ),
        SiteError,
        "编码",
        ".cpg",
    ),
]

BROKEN = [
    bad("several-layers", layers, SiteError, "2 个图层", "红线", "范围", "--layer"),
    bad("no-such-layer", layers, SiteError, "没有图层“边界”", "红线", layer="边界"),
    bad(
        "zip-two-shapefiles",
        zipped(lambda folder: (SHP(folder), vector("b.shp")(folder))),
        SiteError,
        "2 个图层",
        "a、b",
    ),
    bad("mif-no-mid", then(mapinfo(".mif"), without(".mid")), SiteError, ".mid"),
    bad("tab-no-map", then(mapinfo(".tab"), without(".map")), SiteError, ".map", "一起提供"),
    bad(
        "tab-is-a-view",
        write("a.tab", '!table\n!version 300\ncreate view a as select * from "b"\n'),
        SiteError,
        "指向别的文件",
    ),
    bad(
        "tab-seamless",
        then(mapinfo(".tab"), lambda p: p.write_bytes(p.read_bytes() + b'"\\IsSeamless" = "TRUE"') and None),
        SiteError,
        "无缝表",
    ),
    bad(
        "tab-raster",
        write("a.tab", '!table\nDefinition Table\n  File "a.jpg"\n  Type "RASTER"\n'),
        SiteError,
        "指向别的文件",
    ),
    bad(
        "gpkg-cut-off",
        then(vector("a.gpkg"), lambda p: p.write_bytes(p.read_bytes()[:3000]) and None),
        SiteError,
        "a.gpkg",
    ),
    bad(
        "fgb-cut-off", then(vector("a.fgb"), lambda p: p.write_bytes(p.read_bytes()[:40]) and None), SiteError, "a.fgb"
    ),
    bad("parquet-cut-off", write("a.parquet", b"PAR1" + bytes(90)), SiteError, "损坏"),
    bad(
        "parquet-no-shapes",
        lambda f: frame().drop(columns="geometry").assign(a=1).to_parquet(f / "a.parquet") or f / "a.parquet",
        SiteError,
        "没有图形",
    ),
    bad(
        "geojson-cut-off",
        then(geojson(BOX), lambda p: p.write_bytes(p.read_bytes()[:-9]) and None),
        SiteError,
        "不完整",
    ),
    bad(
        "geojson-gbk",
        write("a.geojson", '{"type": "FeatureCollection", "name": "红线"}', encoding="gbk"),
        SiteError,
        "UTF-8",
    ),
    bad("geojson-nan", write("a.geojson", '{"type": "Point", "coordinates": [NaN, 1]}'), SiteError, "格式有误"),
    bad("geojson-other-json", write("a.json", '{"a": 1}'), SiteError, "不是 GeoJSON"),
    bad(
        "geojson-key-twice",
        write("a.geojson", '{"type": "Point", "coordinates": [1, 1], "coordinates": [2, 2]}'),
        SiteError,
        "两个“coordinates”",
    ),
    bad(
        "geojson-sequence-key-twice",
        write("a.geojsonl", SEQUENCE + '\n{"type": "Feature", "type": "Feature"}'),
        SiteError,
        "两个“type”",
    ),
    bad("kml-cut-off", write("a.kml", "<kml><Document>"), SiteError, "XML 不完整"),
    bad("kml-empty", write("a.kml", "<kml/>"), SiteError, "a.kml"),
    bad("gml-polyhedral", surface("PolyhedralSurface", "polygonPatches", "PolygonPatch"), SiteError, *SURFACE),
    bad("gml-tin", surface("TriangulatedSurface", "trianglePatches", "Triangle"), SiteError, *SURFACE),
    bad("gpkg-polyhedral", space_package("POLYHEDRALSURFACE", 1015), SiteError, *SURFACE),
    bad("gpkg-polyhedral-undeclared", space_package("GEOMETRY", 1015), SiteError, *SURFACE),
    bad("gpkg-tin-undeclared", space_package("GEOMETRY", 1016, inner=1017), SiteError, *SURFACE),
    bad("gml-is-svg", write("a.gml", "<svg/>"), SiteError, "内容不是 .gml"),
    bad("collection", geojson(shapely.GeometryCollection([BOX, shapely.Point(E, N)]), crs=4549), SiteError, "几何集合"),
    bad("no-geometry", geojson(None), SiteError, "没有图形", "--skip-bad"),
    bad("empty-geometry", vector("a.gpkg", frame(shapely.Polygon())), SiteError, "图形是空的"),
    bad("nan-vertex", vector("a.gpkg", frame(NOT_FINITE)), SiteError, "NaN"),
    bad("zero-area", geojson(shapely.Polygon([(E, N), (E + 9, N), (E, N)]), crs=4549), SiteError, "面积为零"),
    bad("huge-number", vector("a.gpkg", frame(shapely.Point(E, 1e300))), SiteError, "大得不可能"),
    bad("same-id", vector("a.gpkg", frame(BOX, SECOND, 编号=["7", "7"])), SiteError, "编号“7”重复", "第 1 行、第 2 行"),
    bad(
        "all-faults-at-once",
        vector("a.gpkg", frame(BOX, shapely.Polygon(), None, 编号=["7", "7", "8"])),
        SiteError,
        "重复",
        "空的",
        "没有图形",
    ),
    bad("no-feature", vector("a.gpkg", frame().iloc[:0]), SiteError, "没有地块"),
]

# The table of pitfalls 6: which area is the true one differs by fault, and so does the method that gives it.
OUTER = [(0, 0), (100, 0), (100, 100), (0, 100)]


def at(points):
    return [(E + x, N + y) for x, y in points]


def invalid(shell, *holes):
    return geojson(shapely.Polygon(at(shell), [at(hole) for hole in holes]), crs=4549)


def box_ring(x, y, w, h):
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def parts(*rings):
    return geojson(shapely.MultiPolygon([shapely.Polygon(at(ring)) for ring in rings]), crs=4549)


REPAIRS = [
    ok("hole-partly-outside", invalid(OUTER, box_ring(95, 0, 10, 100)), 9500.0, "自相交", "不确定"),
    ok("hole-outside", invalid(OUTER, box_ring(200, 200, 10, 10)), 10000.0, "洞在外环之外", "9900.00 → 10000.00"),
    ok("hole-in-hole", invalid(OUTER, box_ring(10, 10, 40, 40), box_ring(20, 20, 10, 10)), 8400.0, "洞互相嵌套"),
    ok("nested-shells", parts(OUTER, box_ring(40, 40, 20, 20)), 10000.0, "互相嵌套", "不确定"),
    ok("overlapping-shells", parts(OUTER, box_ring(50, 0, 100, 100)), 15000.0, "自相交", "20000.00 → 15000.00"),
    ok("shared-edge", parts(OUTER, box_ring(100, 0, 100, 100)), 20000.0, "自相交"),
    ok("bow-tie", invalid([(0, 0), (100, 100), (100, 0), (0, 100)]), 5000.0, "0.00 → 5000.00", kind="MultiPolygon"),
    ok("loop-drawn-twice", invalid([*OUTER, *OUTER]), 10000.0, "20000.00 → 10000.00"),
    ok("spike", invalid([(0, 0), (100, 0), (150, 0), (100, 0), (100, 100), (0, 100)]), 10000.0, "自相交"),
    ok("small-change-is-certain", invalid(OUTER, box_ring(99, 10, 2, 10)), 9990.0, "9980.00 → 9990.00"),
]

TRAPS = [*FORMATS, *SHAPEFILES, *BROKEN, *REPAIRS]
