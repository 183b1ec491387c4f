"""Shapefiles and archives: parts, labels, text."""

from __future__ import annotations

import stat
import struct
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_files import NAMES, VRT, feature, frame, refused, shapefile, zipped
from made_sites import E, N

from ecospatial import io, read_sites
from ecospatial.errors import CrsError, SiteError

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
    read = io.read_vector(shapefile(tmp_path, text=text, cpg=cpg, made=made))
    assert list(read.columns) == ["名称", "kind", "geometry"]
    assert read["名称"].tolist() == NAMES
    assert read.kind.tolist() == ["化工", "housing"]
    right = cpg is not None and cpg.lower() == text
    assert bool(read.attrs["notices"]) is not right
    assert all(text.upper().replace("GBK", "GB18030") in told for told in read.attrs["notices"])


def test_a_short_gbk_word_that_passes_as_utf8_is_chinese(tmp_path):
    # The bytes of these two characters are also two letters of another script in UTF-8.
    word = bytes([0xC4, 0xA3, 0xCA, 0xBD]).decode("gbk")
    assert bytes([0xC4, 0xA3, 0xCA, 0xBD]).decode("utf-8")
    read = io.read_vector(shapefile(tmp_path, made=frame(a=[word, word])))
    assert read.a.tolist() == [word, word]


def test_a_character_cut_by_the_width_of_the_field_is_left_out(tmp_path):
    path = shapefile(tmp_path, made=frame(abcdefghij=["x" * 254, "河"]))
    table = path.with_suffix(".dbf").read_bytes()
    half = "河".encode("gbk")[:1]
    table = table.replace(b"x" * 254, b"x" * 253 + half).replace(b"abcdefghij", b"abcdefghi" + half)
    path.with_suffix(".dbf").write_bytes(table)
    read = io.read_vector(path)
    assert read["abcdefghi"].tolist() == ["x" * 253, "河"]


def test_unreadable_text_is_asked_for_not_garbled(tmp_path):
    path = shapefile(tmp_path, text="ISO-8859-1", made=frame(a=["é è", "à"]))
    assert "编码" in refused(path)
    assert io.read_vector(path, encoding="ISO-8859-1").a.tolist() == ["é è", "à"]
    with pytest.raises(SiteError, match="不是 utf-8"):
        io.read_vector(path, encoding="utf-8")
    path.with_suffix(".cpg").write_text("ISO-8859-1")
    assert io.read_vector(path).a.tolist() == ["é è", "à"]


def test_an_unknown_encoding_is_our_error(tmp_path):
    with pytest.raises(SiteError, match="编码"):
        io.read_vector(shapefile(tmp_path), encoding="klingon")


def test_numbers_and_gaps_survive_the_decoding(tmp_path):
    path = shapefile(tmp_path, made=frame(名=["河", None], n=[1.5, np.nan], k=[7, 8]))
    read = io.read_vector(path)
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
    assert io.read_vector(path.with_suffix(".SHP"))["名称"].tolist() == NAMES


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
    assert len(io.read_vector(shapefile(tmp_path, made=frame().iloc[:0]))) == 0


def test_without_prj_the_crs_is_unknown_and_a_given_one_counts(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    assert io.read_vector(path).crs is None
    assert io.read_vector(path, crs=4528).crs.to_epsg() == 4528
    with pytest.raises(CrsError, match="GCJ-02"):
        io.read_vector(path, crs="gcj02")
    path.with_suffix(".prj").write_text('LOCAL_CS["unknown",UNIT["metre",1]]')
    assert io.read_vector(path).crs is None


def test_companions_belong_to_the_file(tmp_path):
    shapefile(tmp_path)
    assert [p.name for p in io.components(tmp_path / "a.shp")] == ["a.shp", "a.dbf", "a.prj", "a.shx"]


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
        read = io.read_vector(path)
        assert read["名称"].tolist() == NAMES
        assert io.list_layers(path) == [("红线", "Polygon")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "b.zip", "in"]


def test_several_files_in_a_zip_are_layers(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    shapefile(inside, "甲")
    shapefile(inside, "乙", made=frame().iloc[:1])
    archive = zipped(inside, tmp_path / "a.zip")
    assert "乙、甲" in refused(archive)
    assert len(io.read_vector(archive, layer="乙")) == 1


def test_a_zipped_geodatabase_is_read(tmp_path):
    frame().to_file(tmp_path / "a.gdb", driver="OpenFileGDB")
    archive = zipped(tmp_path / "a.gdb", tmp_path / "a.zip", prefix="数据/a.gdb/")
    assert len(io.read_vector(archive)) == 2


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


def _with_index(path, order):
    """Rewrite the .shx so that its entries point to the records in another order; .shp and .dbf stay."""
    index = path.with_suffix(".shx")
    raw = index.read_bytes()
    entries = [raw[100 + 8 * i : 108 + 8 * i] for i in range((len(raw) - 100) // 8)]
    index.write_bytes(raw[:100] + b"".join(entries[i] for i in order))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_an_index_in_another_order_than_the_rows_is_refused(order, tmp_path):
    path = tmp_path / "红线.shp"
    boxes = [shapely.box(E + 200 * i, N, E + 200 * i + 100, N + 100) for i in range(5)]
    gpd.GeoDataFrame({"site_id": list("ABCDE")}, geometry=boxes, crs=4549).to_file(path, encoding="utf-8")
    _with_index(path, order)
    if list(order) == list(range(5)):
        assert read_sites(path).geometry["C"].equals(boxes[2])
    else:
        with pytest.raises(SiteError, match=r"红线.shp：.shx 的第 .*记录号.*重新导出"):
            read_sites(path)


def test_records_moved_by_an_editor_keep_their_rows(tmp_path):
    path = tmp_path / "a.shp"
    boxes = [shapely.box(E + 200 * i, N, E + 200 * i + 100, N + 100) for i in range(3)]
    gpd.GeoDataFrame({"site_id": list("ABC")}, geometry=boxes, crs=4549).to_file(path, encoding="utf-8")
    # An editor that lengthens record 1 appends it at the end of the file, with its number.
    raw, index = path.read_bytes(), path.with_suffix(".shx").read_bytes()
    start, words = (int.from_bytes(index[100 + k : 104 + k], "big") for k in (0, 4))
    record = raw[2 * start : 2 * start + 8 + 2 * words]
    longer = raw + record
    path.write_bytes(longer[:24] + (len(longer) // 2).to_bytes(4, "big") + longer[28:])
    path.with_suffix(".shx").write_bytes(index[:100] + (len(raw) // 2).to_bytes(4, "big") + index[104:])
    assert [read_sites(path).geometry[name].equals(box) for name, box in zip("ABC", boxes, strict=True)] == [True] * 3
