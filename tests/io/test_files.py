"""The door for files, and each kind of vector file behind it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
from made_files import NAMES, VRT, feature, frame, refused

from ecospatial import io
from ecospatial.errors import CrsError, SiteError

# -------------------------------------------------------------------------------------------- the door


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1/a.geojson",
        "https://x/a.shp",
        "file:///etc/passwd",
        "/vsicurl/http://127.0.0.1/a.geojson",
        "/vsizip/a.zip/a.shp",
        "/vsistdin/",
        "GPKG:a.gpkg:sites",
        "WFS:http://x",
        "PG:dbname=x",
        "zip://a.zip!a.shp",
    ],
)
def test_addresses_and_prefixes_are_refused(source):
    assert "网址" in refused(source)


@pytest.mark.parametrize(
    "source", ["", "nowhere.geojson", "a" * 5000 + ".shp", "a\0b.shp", '{"type": "Point"}', "<x/>"]
)
def test_what_is_not_there_is_refused(source):
    assert "不存在" in refused(source)


@pytest.mark.parametrize("source", [None, 3, b"a.shp"])
def test_what_is_no_path_is_refused(source):
    assert "路径" in refused(source)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a.dwg", "SHP"),
        ("a.xls", ".xlsx"),
        ("a.rar", ".zip"),
        ("a.vrt", "数据文件本身"),
        ("a.dbf", ".shp"),
        ("a.exe", "可读取"),
        ("a", "扩展名"),
    ],
)
def test_other_kinds_are_refused_with_a_way_out(tmp_path, name, word):
    (tmp_path / name).write_bytes(b"AC1032 something")
    assert word in refused(tmp_path / name)


@pytest.mark.parametrize(
    "suffix", [".geojson", ".gpkg", ".shp", ".zip", ".fgb", ".kml", ".gml", ".txt", ".csv", ".xlsx"]
)
def test_empty_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.touch()
    with pytest.raises(SiteError, match="空"):
        io.safe_path(path)


@pytest.mark.parametrize(
    "suffix", [".geojson", ".json", ".gpkg", ".shp", ".zip", ".fgb", ".kml", ".gml", ".txt", ".csv", ".xlsx"]
)
def test_content_must_fit_the_name(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x7fELF\x02\x01\x01\0\0\0")
    with pytest.raises(SiteError, match="内容不是"):
        io.safe_path(path)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".zip", ".kml", ".gml"])
def test_a_recipe_is_refused_under_any_name(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text(VRT)
    assert "内容不是" in refused(path)


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "b">]><kml/>',
        f"<!-- <kml> -->{VRT}",
        '<OGRVRTDataSource xmlns="http://www.opengis.net/kml/2.2"/>',
        "<!--" + "x" * 70000 + "--><kml/>",
    ],
)
def test_tricks_in_xml_are_refused(tmp_path, text):
    for suffix in (".kml", ".gml"):
        (tmp_path / f"a{suffix}").write_text(text)
        assert "内容不是" in refused(tmp_path / f"a{suffix}")


def test_drivers_that_fetch_or_follow_recipes_are_not_there():
    code = "import ecospatial.io, pyogrio; print(sorted(pyogrio.list_drivers()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'GPKG'" in done.stdout
    assert not any(name in done.stdout for name in ("'OGR_VRT'", "'WFS'", "'HTTP'", "'OAPIF'"))


def test_folders_and_pipes_are_refused(tmp_path):
    folder = tmp_path / "a.shp"
    folder.mkdir()
    assert "文件夹" in refused(folder)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "b.geojson")
        assert "普通文件" in refused(tmp_path / "b.geojson")
    (tmp_path / "c.gdb").mkdir()
    assert ".gdb" in refused(tmp_path / "c.gdb")


def test_text_kinds_pass_the_door_but_are_no_vector_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n")
    assert io.safe_path(str(path)) == path
    assert "矢量" in refused(path)


def test_hash_is_of_the_bytes(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    assert io.sha256(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(SiteError, match="无法读取"):
        io.sha256(tmp_path / "none")


# ------------------------------------------------------------------------------------------- the kinds


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".gdb", ".geojson", ".gml", ".shp"])
def test_each_kind_is_read_with_its_text_and_nothing_is_left_beside_it(tmp_path, suffix):
    inside = tmp_path / "in"
    inside.mkdir()
    path = inside / f"红线数据{suffix}"
    driver = {".gdb": "OpenFileGDB", ".gml": "GML"}.get(suffix)
    frame().to_file(path, driver=driver)
    (inside / "红线数据.xsd").unlink(missing_ok=True)
    before = {p: io.sha256(p) for p in inside.rglob("*") if p.is_file()}
    read = io.read_vector(path)
    assert {p: io.sha256(p) for p in inside.rglob("*") if p.is_file()} == before
    assert sorted(read["名称"]) == sorted(NAMES)
    assert sorted(read["code"]) == ["0701", "1001"]
    assert read.geometry.name == "geometry"
    assert read.crs.to_epsg() == 4549
    assert sorted(read.area.round(6)) == [10000, 10000]
    assert io.list_layers(path)[0][1].endswith("Polygon")


def test_kml_is_degrees_and_has_no_columns_of_the_driver(tmp_path):
    path = tmp_path / "a.kml"
    ring = "119.9,31.7 119.91,31.7 119.91,31.71 119.9,31.7"
    ring = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    polygon = f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    body = f"<Document><Placemark><name>新孟河</name>{polygon}</Placemark></Document>"
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">{body}</kml>')
    read = io.read_vector(path)
    assert read.crs.to_epsg() == 4326
    assert read.Name.tolist() == ["新孟河"]
    assert "tessellate" not in read.columns
    text = path.read_text().replace("UTF-8", "GB2312").encode("gbk")
    path.write_bytes(text)
    assert io.read_vector(path).Name.tolist() == ["新孟河"]
    path.write_bytes(text[:-20])
    assert "打开" in refused(path)


def test_a_geopackage_in_wal_mode_leaves_nothing_beside_it(tmp_path):
    sqlite3 = pytest.importorskip("sqlite3")
    path = tmp_path / "a.gpkg"
    frame().to_file(path)
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode=wal")
    connection.close()
    assert len(io.read_vector(path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_several_layers_have_to_be_named(tmp_path):
    path = tmp_path / "a.gpkg"
    frame().to_file(path, layer="红线")
    frame().iloc[:1].to_file(path, layer="旧红线", mode="a")
    assert "红线、旧红线" in refused(path)
    assert len(io.read_vector(path, layer="旧红线")) == 1
    assert io.list_layers(path) == [("红线", "Polygon"), ("旧红线", "Polygon")]
    with pytest.raises(SiteError, match="没有图层“x”"):
        io.read_vector(path, layer="x")


@pytest.mark.parametrize("part", ["a!b", "a b", "a'b", "a#b", "x!etc"])
def test_odd_file_and_folder_names_are_only_names(tmp_path, part):
    folder = tmp_path / part
    folder.mkdir()
    for suffix in (".shp", ".gpkg"):
        frame().to_file(tmp_path / f"x{suffix}", encoding="utf-8")
        for made in tmp_path.glob("x.*"):
            made.rename(folder / f"{part}{made.suffix}")
        assert len(io.read_vector(folder / f"{part}{suffix}")) == 2


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".geojson", ".gml"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_a_file_cut_off_is_our_error_or_whole(tmp_path, suffix, share):
    path = tmp_path / f"a{suffix}"
    frame().to_file(path, driver="GML" if suffix == ".gml" else None)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    try:
        read = io.read_vector(path)
    except SiteError:
        return
    assert suffix in (".gpkg", ".fgb")
    assert len(read) == 2
    assert read.area.tolist() == pytest.approx([10000, 10000])


# --------------------------------------------------------------------------------------------- GeoJSON


def geojson(folder, text, encoding="utf-8"):
    path = folder / "a.geojson"
    path.write_bytes(text.encode(encoding))
    return path


def test_geojson_in_metres_is_not_believed_to_be_degrees(tmp_path):
    read = io.read_vector(geojson(tmp_path, feature("[500000,3520000]")))
    assert read.crs is None
    assert read.geometry[0].x == 500000
    named = ',"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4549"}}'
    assert io.read_vector(geojson(tmp_path, feature("[500000,3520000]", named))).crs.to_epsg() == 4549
    wrong = ',"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    with pytest.raises(CrsError, match=r"EPSG:4326.*而坐标不是经纬度.*--crs"):
        io.read_vector(geojson(tmp_path, feature("[500000,3520000]", wrong)))


def test_geojson_in_degrees_is_wgs84(tmp_path):
    read = io.read_vector(geojson(tmp_path, "\ufeff" + feature("[119.9,31.7]")))
    assert read.crs.to_epsg() == 4326
    assert read["id"].tolist() == ["07"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (feature("[1,2]")[:-5], "不完整"),
        (feature("[NaN,2]"), "格式有误"),
        (feature("[1,2]").replace('"type":"Point",', '"type":"Point","type":"Point",'), "两个“type”"),
        ('{"a": 1}', "不是 GeoJSON"),
        ('{"type":"Topology","objects":{}}', "不是 GeoJSON"),
        ('{"type":' + "[" * 100000, "格式有误"),
        ("{", "格式有误"),
    ],
)
def test_bad_geojson_is_our_error(tmp_path, text, word):
    assert word in refused(geojson(tmp_path, text))


def test_geojson_in_gbk_is_refused_not_garbled(tmp_path):
    assert "UTF-8" in refused(geojson(tmp_path, feature("[1,2]").replace("07", "新孟河"), "gbk"))
