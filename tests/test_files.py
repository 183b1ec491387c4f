from __future__ import annotations

import hashlib
import os
import stat
import struct
import subprocess
import sys
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ecospatial import files
from ecospatial.errors import CrsError, SiteError

E, N = 500000, 3520000
NAMES = ["新孟河化工厂", "京杭运河码头"]


def frame(**columns):
    boxes = [shapely.box(E, N, E + 100, N + 100), shapely.box(E + 200, N, E + 300, N + 100)]
    return gpd.GeoDataFrame(columns or {"名称": NAMES, "code": ["0701", "1001"]}, geometry=boxes, crs=4549)


def shapefile(folder, name="a", *, text="gbk", cpg=None, made=None):
    """A shapefile whose text is in ``text`` and whose label says ``cpg`` (None: no label)."""
    path = folder / f"{name}.shp"
    (frame() if made is None else made).to_file(path, encoding=text)
    label = path.with_suffix(".cpg")
    label.unlink(missing_ok=True)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0x57
    path.with_suffix(".dbf").write_bytes(table)
    if cpg is not None:
        label.write_text(cpg)
    return path


def zipped(folder, archive, *, prefix="", names=None):
    with zipfile.ZipFile(archive, "w") as made:
        for part in sorted(folder.iterdir()):
            name = prefix + part.name
            made.writestr(name if names is None else names(name), part.read_bytes())
    return archive


def refused(source):
    with pytest.raises(SiteError) as caught:
        files.read_vector(source)
    problem = caught.value.problems[0]
    assert "/" not in problem.file
    assert "Traceback" not in str(caught.value)
    assert problem.way_out
    return problem.problem + problem.way_out


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
        files.safe_path(path)


@pytest.mark.parametrize(
    "suffix", [".geojson", ".json", ".gpkg", ".shp", ".zip", ".fgb", ".kml", ".gml", ".txt", ".csv", ".xlsx"]
)
def test_content_must_fit_the_name(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x7fELF\x02\x01\x01\0\0\0")
    with pytest.raises(SiteError, match="内容不是"):
        files.safe_path(path)


VRT = "<OGRVRTLayer><SrcDataSource>/etc/hosts</SrcDataSource></OGRVRTLayer>"
VRT = f"<OGRVRTDataSource>{VRT}</OGRVRTDataSource>"


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
    code = "import ecospatial.files, pyogrio; print(sorted(pyogrio.list_drivers()))"
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
    assert files.safe_path(str(path)) == path
    assert "矢量" in refused(path)


def test_hash_is_of_the_bytes(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    assert files.sha256(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(SiteError, match="无法读取"):
        files.sha256(tmp_path / "none")


# ------------------------------------------------------------------------------------------- the kinds


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".gdb", ".geojson", ".gml", ".shp"])
def test_each_kind_is_read_with_its_text_and_nothing_is_left_beside_it(tmp_path, suffix):
    inside = tmp_path / "in"
    inside.mkdir()
    path = inside / f"红线数据{suffix}"
    driver = {".gdb": "OpenFileGDB", ".gml": "GML"}.get(suffix)
    frame().to_file(path, driver=driver)
    (inside / "红线数据.xsd").unlink(missing_ok=True)
    before = {p: files.sha256(p) for p in inside.rglob("*") if p.is_file()}
    read = files.read_vector(path)
    assert {p: files.sha256(p) for p in inside.rglob("*") if p.is_file()} == before
    assert sorted(read["名称"]) == sorted(NAMES)
    assert sorted(read["code"]) == ["0701", "1001"]
    assert read.geometry.name == "geometry"
    assert read.crs.to_epsg() == 4549
    assert sorted(read.area.round(6)) == [10000, 10000]
    assert files.list_layers(path)[0][1].endswith("Polygon")


def test_kml_is_degrees_and_has_no_columns_of_the_driver(tmp_path):
    path = tmp_path / "a.kml"
    ring = "119.9,31.7 119.91,31.7 119.91,31.71 119.9,31.7"
    ring = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    polygon = f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    body = f"<Document><Placemark><name>新孟河</name>{polygon}</Placemark></Document>"
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">{body}</kml>')
    read = files.read_vector(path)
    assert read.crs.to_epsg() == 4326
    assert read.Name.tolist() == ["新孟河"]
    assert "tessellate" not in read.columns
    text = path.read_text().replace("UTF-8", "GB2312").encode("gbk")
    path.write_bytes(text)
    assert files.read_vector(path).Name.tolist() == ["新孟河"]
    path.write_bytes(text[:-20])
    assert "打开" in refused(path)


def test_a_geopackage_in_wal_mode_leaves_nothing_beside_it(tmp_path):
    sqlite3 = pytest.importorskip("sqlite3")
    path = tmp_path / "a.gpkg"
    frame().to_file(path)
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode=wal")
    connection.close()
    assert len(files.read_vector(path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_several_layers_have_to_be_named(tmp_path):
    path = tmp_path / "a.gpkg"
    frame().to_file(path, layer="红线")
    frame().iloc[:1].to_file(path, layer="旧红线", mode="a")
    assert "红线、旧红线" in refused(path)
    assert len(files.read_vector(path, layer="旧红线")) == 1
    assert files.list_layers(path) == [("红线", "Polygon"), ("旧红线", "Polygon")]
    with pytest.raises(SiteError, match="没有图层“x”"):
        files.read_vector(path, layer="x")


@pytest.mark.parametrize("part", ["a!b", "a b", "a'b", "a#b", "x!etc"])
def test_odd_file_and_folder_names_are_only_names(tmp_path, part):
    folder = tmp_path / part
    folder.mkdir()
    for suffix in (".shp", ".gpkg"):
        frame().to_file(tmp_path / f"x{suffix}", encoding="utf-8")
        for made in tmp_path.glob("x.*"):
            made.rename(folder / f"{part}{made.suffix}")
        assert len(files.read_vector(folder / f"{part}{suffix}")) == 2


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".geojson", ".gml"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_a_file_cut_off_is_our_error_or_whole(tmp_path, suffix, share):
    path = tmp_path / f"a{suffix}"
    frame().to_file(path, driver="GML" if suffix == ".gml" else None)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    try:
        read = files.read_vector(path)
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


def feature(coordinates, extra=""):
    head = '{"type":"FeatureCollection"' + extra + ',"features":[{"type":"Feature","properties":{"id":"07"},'
    return head + '"geometry":{"type":"Point","coordinates":' + coordinates + "}}]}"


def test_geojson_in_metres_is_not_believed_to_be_degrees(tmp_path):
    read = files.read_vector(geojson(tmp_path, feature("[500000,3520000]")))
    assert read.crs is None
    assert read.geometry[0].x == 500000
    named = ',"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4549"}}'
    assert files.read_vector(geojson(tmp_path, feature("[500000,3520000]", named))).crs.to_epsg() == 4549
    wrong = ',"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    assert files.read_vector(geojson(tmp_path, feature("[500000,3520000]", wrong))).crs is None


def test_geojson_in_degrees_is_wgs84(tmp_path):
    read = files.read_vector(geojson(tmp_path, "\ufeff" + feature("[119.9,31.7]")))
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


# ------------------------------------------------------------------------------------------ shapefiles


@pytest.mark.parametrize(
    ("text", "cpg"),
    [
        ("gbk", None),
        ("gbk", "GBK"),
        ("gbk", "UTF-8"),
        ("gbk", "OEM"),
        ("gbk", ""),
        ("utf-8", None),
        ("utf-8", "UTF-8"),
        ("utf-8", "GBK"),
        ("utf-8", "ISO-8859-1"),
    ],
)
def test_text_is_right_whatever_the_label_says(tmp_path, text, cpg):
    made = frame(名称=NAMES, kind=["化工", "housing"])
    read = files.read_vector(shapefile(tmp_path, text=text, cpg=cpg, made=made))
    assert list(read.columns) == ["名称", "kind", "geometry"]
    assert read["名称"].tolist() == NAMES
    assert read.kind.tolist() == ["化工", "housing"]


def test_a_short_gbk_word_that_passes_as_utf8_is_chinese(tmp_path):
    # The bytes of these two characters are also two letters of another script in UTF-8.
    word = bytes([0xC4, 0xA3, 0xCA, 0xBD]).decode("gbk")
    assert bytes([0xC4, 0xA3, 0xCA, 0xBD]).decode("utf-8")
    read = files.read_vector(shapefile(tmp_path, made=frame(a=[word, word])))
    assert read.a.tolist() == [word, word]


def test_a_character_cut_by_the_width_of_the_field_is_left_out(tmp_path):
    path = shapefile(tmp_path, made=frame(abcdefghij=["x" * 254, "河"]))
    table = path.with_suffix(".dbf").read_bytes()
    half = "河".encode("gbk")[:1]
    table = table.replace(b"x" * 254, b"x" * 253 + half).replace(b"abcdefghij", b"abcdefghi" + half)
    path.with_suffix(".dbf").write_bytes(table)
    read = files.read_vector(path)
    assert read["abcdefghi"].tolist() == ["x" * 253, "河"]


def test_unreadable_text_is_asked_for_not_garbled(tmp_path):
    path = shapefile(tmp_path, text="ISO-8859-1", made=frame(a=["é è", "à"]))
    assert "编码" in refused(path)
    assert files.read_vector(path, encoding="ISO-8859-1").a.tolist() == ["é è", "à"]
    with pytest.raises(SiteError, match="不是 utf-8"):
        files.read_vector(path, encoding="utf-8")
    path.with_suffix(".cpg").write_text("ISO-8859-1")
    assert files.read_vector(path).a.tolist() == ["é è", "à"]


def test_an_unknown_encoding_is_our_error(tmp_path):
    with pytest.raises(SiteError, match="编码"):
        files.read_vector(shapefile(tmp_path), encoding="klingon")


def test_numbers_and_gaps_survive_the_decoding(tmp_path):
    path = shapefile(tmp_path, made=frame(名=["河", None], n=[1.5, np.nan], k=[7, 8]))
    read = files.read_vector(path)
    assert read.k.tolist() == [7, 8]
    assert read.n[0] == 1.5
    assert np.isnan(read.n[1])
    assert read["名"].isna().tolist() == [False, True]


def test_a_name_of_a_field_that_comes_twice_is_refused(tmp_path):
    path = shapefile(tmp_path, made=frame(aa=["1", "2"], ab=["1", "2"]))
    table = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(table.replace(b"ab\0", b"aa\0"))
    assert "字段名重复：aa" in refused(path)


@pytest.mark.parametrize("suffix", [".dbf", ".shx"])
def test_missing_parts_are_named(tmp_path, suffix):
    path = shapefile(tmp_path)
    path.with_suffix(suffix).unlink()
    assert f"缺少同名的 {suffix}" in refused(path)


def test_parts_in_capitals_are_found(tmp_path):
    path = shapefile(tmp_path)
    for part in list(tmp_path.iterdir()):
        part.rename(part.with_suffix(part.suffix.upper()))
    assert files.read_vector(path.with_suffix(".SHP"))["名称"].tolist() == NAMES


def test_parts_of_different_length_are_refused(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    long, short = shapefile(one), shapefile(two, made=frame().iloc[:1])
    long.with_suffix(".dbf").write_bytes(short.with_suffix(".dbf").read_bytes())
    assert ".dbf 有 1 条记录，.shp 有 2 个图形" in refused(long)


def test_a_lying_index_is_refused(tmp_path):
    path = shapefile(tmp_path)
    index = bytearray(path.with_suffix(".shx").read_bytes())
    for offset in (51, 54, 900000, -4):
        index[108:112] = struct.pack(">i", offset)
        path.with_suffix(".shx").write_bytes(index)
        assert "不一致" in refused(path)


def test_a_table_cut_off_is_refused(tmp_path):
    path = shapefile(tmp_path)
    table = path.with_suffix(".dbf").read_bytes()
    for length in (0, 5, 30, len(table) - 60):
        path.with_suffix(".dbf").write_bytes(table[:length])
        assert "不完整" in refused(path)


def test_an_empty_shapefile_is_empty(tmp_path):
    assert len(files.read_vector(shapefile(tmp_path, made=frame().iloc[:0]))) == 0


def test_without_prj_the_crs_is_unknown_and_a_given_one_counts(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    assert files.read_vector(path).crs is None
    assert files.read_vector(path, crs=4528).crs.to_epsg() == 4528
    with pytest.raises(CrsError, match="GCJ-02"):
        files.read_vector(path, crs="gcj02")
    path.with_suffix(".prj").write_text('LOCAL_CS["unknown",UNIT["metre",1]]')
    assert files.read_vector(path).crs is None


def test_companions_belong_to_the_file(tmp_path):
    shapefile(tmp_path)
    assert [p.name for p in files.components(tmp_path / "a.shp")] == ["a.shp", "a.dbf", "a.prj", "a.shx"]


# ---------------------------------------------------------------------------------------------- zips


def test_zipped_shapefile_in_nested_folders_with_gbk_names(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    shapefile(inside, "红线")
    archive = zipped(inside, tmp_path / "a.zip", prefix="报批/2026/")
    raw = archive.read_bytes()
    # The same archive as a Chinese program writes it: names in GBK, and the flag for UTF-8 not set.
    old = "报批/2026/红线".encode(), "报批/2026/红线".encode("gbk")
    made = tmp_path / "b.zip"
    with zipfile.ZipFile(made, "w") as target:
        for part in sorted(inside.iterdir()):
            info = zipfile.ZipInfo("x" * len(old[1]) + part.suffix)
            target.writestr(info, part.read_bytes())
    made.write_bytes(made.read_bytes().replace(b"x" * len(old[1]), old[1]))
    assert old[0] in raw
    for path in (archive, made):
        read = files.read_vector(path)
        assert read["名称"].tolist() == NAMES
        assert files.list_layers(path) == [("红线", "Polygon")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "b.zip", "in"]


def test_several_files_in_a_zip_are_layers(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    shapefile(inside, "甲")
    shapefile(inside, "乙", made=frame().iloc[:1])
    archive = zipped(inside, tmp_path / "a.zip")
    assert "乙、甲" in refused(archive)
    assert len(files.read_vector(archive, layer="乙")) == 1


def test_a_zipped_geodatabase_is_read(tmp_path):
    frame().to_file(tmp_path / "a.gdb", driver="OpenFileGDB")
    archive = zipped(tmp_path / "a.gdb", tmp_path / "a.zip", prefix="数据/a.gdb/")
    assert len(files.read_vector(archive)) == 2


def made_zip(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_paths_out_of_the_zip_are_refused_and_nothing_is_written(tmp_path):
    for name in ("../out.shp", "/out.shp", "a/../../out.shp", "..\\out.shp", "C:\\out.shp"):
        path = made_zip(tmp_path / "a.zip", **{name: b"x"})
        assert "包外" in refused(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_links_passwords_doubles_and_bombs_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(link, "/etc/passwd")
    assert "链接" in refused(path)

    raw = bytearray(made_zip(path, **{"a.shp": b"x" * 50}).read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert "密码" in refused(path)

    assert "重名" in refused(made_zip(path, **{"a.shp": b"x", "A.shp": b"y"}))
    assert "过大" in refused(made_zip(path, **{"a.shp": b"\0" * 80_000_000}))


def test_broken_and_strange_zips_are_our_error(tmp_path):
    path = made_zip(tmp_path / "a.zip", **{"a.geojson": feature("[1,2]") * 50})
    whole = path.read_bytes()
    for content in (whole[:60], whole[:-30], whole[:40] + b"\xff" * 20 + whole[60:]):
        path.write_bytes(content)
        assert "损坏" in refused(path)
    assert "没有可读取" in refused(made_zip(path, **{"a.txt": b"x", "b/c.zip": b"PK\x03\x04"}))
    assert "内容不是" in refused(made_zip(path, **{"a.geojson": VRT}))
    path.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    assert "内容不是" in refused(path)
