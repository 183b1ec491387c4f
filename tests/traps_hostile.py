"""Traps laid on purpose: addresses, recipes, pipes, links, bombs."""

from __future__ import annotations

import json
import os
import stat
import zipfile

from made_traps import BOX, Trap, archive, bad, frame, geojson, ok, then, vector, write, zipped
from traps_vector import KML_BOX, SHP, kml

from ecospatial.errors import SiteError

VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)
BOMB = '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
POINTS = json.dumps({"type": "MultiPoint", "coordinates": [[119.95, 31.79]] * 50})


def text(source):
    return lambda _: source


def fifo(name):
    def make(folder):
        os.mkfifo(folder / name)
        return folder / name

    return make


def linked(folder):
    """A folder with a file that only points elsewhere."""
    given = folder / "红线"
    given.mkdir()
    (given / "a.gpkg").symlink_to(vector("secret.gpkg")(folder))
    return given


def linked_part(folder):
    """A shapefile whose attributes are a file elsewhere."""
    given = folder / "红线"
    given.mkdir()
    path = SHP(given)
    (folder / "secret.dbf").write_bytes(path.with_suffix(".dbf").read_bytes())
    path.with_suffix(".dbf").unlink()
    path.with_suffix(".dbf").symlink_to(folder / "secret.dbf")
    return path


def linked_gdb(folder):
    path = vector("a.gdb", driver="OpenFileGDB")(folder)
    (folder / "secret").write_text("secret")
    (path / "secret").symlink_to(folder / "secret")
    return path


def link_of_my_own(folder):
    """A link that the caller gives is a file like any other."""
    (folder / "current.gpkg").symlink_to(vector("v3.gpkg")(folder))
    return folder / "current.gpkg"


def zip_with_link(folder):
    entry = zipfile.ZipInfo("a.shp")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return archive([(entry, "/etc/passwd")])(folder)


def encrypted(path):
    """Set the flag of a password in both headers of every entry."""
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(mark, at + 4)
    path.write_bytes(raw)


def bomb(folder):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.shp", bytes(90 * 1024**2))
    return folder / "a.zip"


def renamed(name):
    return then(vector("a.gpkg"), lambda path: path.rename(path.with_name(name)))


def sparse(folder):
    """A file that is large and takes no room."""
    path = folder / "a.kml"
    path.write_text("<kml/>")
    os.truncate(path, 129 * 1024**2)
    return path


def twice(folder):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return archive([("a.shp", b"1"), ("a.shp", b"2")])(folder)


ADDRESSES = [
    "http://127.0.0.1/a.geojson",
    "https://x/a.shp",
    "ftp://x/a.gpkg",
    "file:///etc/passwd",
    "/vsicurl/http://127.0.0.1/a.geojson",
    "/vsizip/a.zip/a.shp",
    "/vsistdin/",
    "/vsimem/a.geojson",
    "GPKG:a.gpkg:sites",
    "WFS:http://x/a.gml",
    "PG:dbname=x",
    "CSV:/etc/passwd",
    "GeoJSON:a.geojson",
    "zip://a.zip!a.shp",
]
INLINE = ['{"type": "Point", "coordinates": [1, 2]}', VRT, "POINT (1 2)", "", "   ", "a\0.gpkg", "x" * 5000 + ".gpkg"]

TRAPS: list[Trap] = [
    *(bad(f"address-{i}", text(source), SiteError, "网址或 GDAL 虚拟路径") for i, source in enumerate(ADDRESSES)),
    *(bad(f"inline-{i}", text(source), SiteError, "文件不存在") for i, source in enumerate(INLINE)),
    *(
        bad(f"vrt-as-{s[1:]}", write(f"a{s}", VRT), SiteError, "内容不是")
        for s in (".geojson", ".kml", ".gml", ".gpkg", ".fgb")
    ),
    bad("vrt", write("a.vrt", VRT), SiteError, "数据文件本身"),
    bad("vrt-in-zip", archive([("a.vrt", VRT)]), SiteError, "没有可读取的矢量文件"),
    bad("vrt-in-zip-as-json", archive([("a.json", VRT)]), SiteError, "内容不是"),
    bad("pipe", fifo("a.gpkg"), SiteError, "不是普通文件"),
    bad("device", text("/dev/zero"), SiteError, "没有扩展名"),
    bad(
        "link-to-device",
        then(lambda f: f / "a.geojson", lambda p: p.symlink_to("/dev/zero")),
        SiteError,
        "不是普通文件",
    ),
    bad("folder-as-file", then(lambda f: f / "a.gpkg", lambda p: p.mkdir()), SiteError, "没有可读取的文件"),
    bad("gdb-of-nothing", then(lambda f: f / "a.gdb", lambda p: p.mkdir()), SiteError, "文件地理数据库"),
    bad("link-out-of-folder", linked, SiteError, "文件夹以外的链接", "复制"),
    bad("part-is-a-link-out", linked_part, SiteError, "a.dbf", "文件夹以外的链接"),
    bad("gdb-holds-a-link-out", linked_gdb, SiteError, "secret", "文件夹以外的链接"),
    ok("my-own-link", link_of_my_own),
    bad("zip-slip", archive([("../a.shp", b"1")]), SiteError, "指向包外"),
    bad("zip-slip-windows", archive([("..\\a.shp", b"1")]), SiteError, "指向包外"),
    bad("zip-absolute", archive([("/etc/a.shp", b"1")]), SiteError, "指向包外"),
    bad("zip-drive", archive([("C:\\a.shp", b"1")]), SiteError, "指向包外"),
    bad("zip-link", zip_with_link, SiteError, "有链接"),
    bad("zip-same-name", twice, SiteError, "重名"),
    bad("zip-empty", archive([]), SiteError, "a.zip"),
    bad("zip-in-zip", archive([("b.zip", b"PK\x03\x04")]), SiteError, "没有可读取的矢量文件"),
    bad("zip-bomb", bomb, SiteError, "解压后过大"),
    bad("zip-many", archive([(f"{i}.txt", b"") for i in range(6000)]), SiteError, "解压后过大"),
    bad("zip-password", then(zipped(SHP), encrypted), SiteError, "密码"),
    bad("zip-cut-off", then(zipped(SHP), lambda p: p.write_bytes(p.read_bytes()[:-30]) and None), SiteError, "损坏"),
    bad("kmz-password", then(zipped(kml(KML_BOX), name="a.kmz"), encrypted), SiteError, "密码"),
    bad("kmz-bomb", zipped(kml(KML_BOX, head=BOMB), name="a.kmz"), SiteError, "内容不是 .kml"),
    bad("kml-entities", kml(KML_BOX, head=BOMB), SiteError, "a.kml"),
    bad("kml-outside-entity", kml(KML_BOX, head=OUTSIDE), SiteError, "a.kml"),
    bad(
        "kml-entities-utf16",
        kml(KML_BOX, head='<?xml version="1.0" encoding="utf-16"?>' + BOMB, encoding="utf-16"),
        SiteError,
        "a.kml",
    ),
    bad(
        "gml-entities",
        write(
            "a.gml",
            BOMB.replace("kml", "FeatureCollection") + '<FeatureCollection xmlns="http://www.opengis.net/gml"/>',
        ),
        SiteError,
        "a.gml",
    ),
    bad(
        "json-deep",
        write("a.geojson", '{"type": "FeatureCollection", "a": ' + "[" * 200_000 + "]" * 200_000 + "}"),
        SiteError,
        "格式有误",
    ),
    bad(
        "json-lists",
        write("a.geojson", '{"type": "FeatureCollection", "a": [' + "[]," * 7_000_000 + "[]]}"),
        SiteError,
        "过大",
        ".gpkg",
    ),
    bad(
        "over-max-vertices", write("a.geojson", POINTS), SiteError, "顶点超过 49 个", "--max-vertices", max_vertices=49
    ),
    bad(
        "over-max-vertices-together",
        lambda f: [geojson(BOX, crs=4549, name=n)(f) for n in ("a.json", "b.json")],
        SiteError,
        "顶点超过 9 个",
        max_vertices=9,
    ),
    bad("sparse-giant", sparse, SiteError, "过大"),
    bad("rar", write("a.rar", b"Rar!"), SiteError, "解压"),
    bad("mdb", write("a.mdb", b"\0\1"), SiteError, "GeoPackage"),
    bad("no-suffix", write("红线", "x"), SiteError, "没有扩展名", ".shp"),
    bad("shell", write("a.sh", "rm"), SiteError, "不读取 .sh"),
    ok("name-like-a-command", renamed("$(reboot);'a.gpkg")),
    ok("name-with-exclamation", renamed("a!b.gpkg")),
    ok("names-are-text", vector("a.gpkg", frame(名称=["<img src=x onerror=alert(1)>{{7*7}}"]))),
    ok(
        "gfs-stays-away",
        then(vector("a.gml", driver="GML"), lambda p: [q.unlink() for q in p.parent.iterdir() if q != p] and None),
    ),
]
