from __future__ import annotations

import datetime as dt
import zipfile

import numpy as np
import openpyxl
import pytest
import shapely
from made_surveys import SQUARE, E, N, corners, faults_of, only, parcel, survey

from ecospatial.errors import SiteError
from ecospatial.io import plain_name, read_coordinates, read_survey, read_table, read_wkt

# ------------------------------------------------------------------------------------------- tables


def csv_file(folder, *lines, encoding="utf-8", name="a.csv"):
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def workbook(folder, *rows, name="a.xlsx"):
    path = folder / name
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_codes_stay_text(tmp_path, encoding, mark):
    lines = ["编号,行业,地类", '007,0412,="0701"', "1e5,, NA ", "true,1.0,0701"]
    path = csv_file(tmp_path, *[line.replace(",", mark) for line in lines], encoding=encoding)
    table = read_table(path, known={"编号"})
    assert table.index.tolist() == [2, 3, 4]
    assert table.to_numpy().tolist() == [["007", "0412", "0701"], ["1e5", None, "NA"], ["true", "1.0", "0701"]]


def test_lines_in_quotes_keep_the_number_of_the_row(tmp_path):
    table = read_table(csv_file(tmp_path, "编号,说明", '1,"a', 'b"', "", "2,c"), known=set())
    assert table.index.tolist() == [2, 5]
    assert table["说明"].tolist() == ["a\nb", "c"]


def test_the_header_is_found_below_a_title(tmp_path):
    lines = ["界址点坐标表,,,", "制表：测绘院,,日期：2026,", ",,,", "地块编号,点号,X,Y", "1,J1,2,3"]
    table = read_table(csv_file(tmp_path, *lines), known={"地块编号", "点号", "x", "y"})
    assert table.columns.tolist() == ["地块编号", "点号", "X", "Y"]
    assert table.index.tolist() == [5]


def test_a_header_of_two_merged_rows(tmp_path):
    path = workbook(tmp_path, ["地块编号", "圈号", "坐标", None], [None, None, "X(m)", "Y(m)"], ["1", 1, 2, 3])
    table = read_table(path, known={"地块编号", "圈号", "x", "y"})
    assert table.columns.tolist() == ["地块编号", "圈号", "X(m)", "Y(m)"]
    assert table.iloc[0].tolist() == ["1", 1, 2, 3]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["a,a", "1,2"], "出现两次"),
        (["a,b", "1,2,3"], "多于表头"),
        (["", ",,"], "空的"),
        (["a,b", '1,"2'], "引号"),
    ],
)
def test_bad_csv_is_our_error(tmp_path, lines, word):
    with pytest.raises(SiteError, match=word):
        read_table(csv_file(tmp_path, *lines), known={"a"})


def test_cells_of_a_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "代码", "日期", "面积", "是否", "空"])
    sheet.append(["0701", 701, dt.datetime(2026, 11, 20), 1.5, True, None])  # noqa: DTZ001 - Excel has no zones
    sheet["B2"].number_format = "0000"
    book.create_sheet("Sheet2")
    book.save(path)
    table = read_table(path, known={"编号"})
    assert table.iloc[0].tolist() == ["0701", "0701", "2026-11-20", 1.5, "true", None]
    assert table.index.tolist() == [2]


def test_formulas_never_computed_and_errors_are_named(tmp_path):
    with pytest.raises(SiteError) as caught:
        read_table(workbook(tmp_path, ["a", "b"], ["=1+1", 2], [1, "#REF!"]), known={"a"})
    text = str(caught.value)
    assert "A2 是没有计算结果的公式" in text
    assert "B3 是错误值 #REF!" in text


def test_two_filled_sheets_are_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.create_sheet("旧").append(["b"])
    book.save(path)
    with pytest.raises(SiteError, match="Sheet、旧"):
        read_table(path, known={"a"})


def test_a_sheet_that_lies_about_its_size_is_read_whole(tmp_path):
    path = workbook(tmp_path, ["a", "b"], ["1", "2"])
    whole = {}
    with zipfile.ZipFile(path) as book:
        whole = {name: book.read(name) for name in book.namelist()}
    sheet = whole["xl/worksheets/sheet1.xml"]
    assert b'ref="A1:B2"' in sheet
    whole["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:B2"', b'ref="A1"')
    with zipfile.ZipFile(path, "w") as book:
        for name, content in whole.items():
            book.writestr(name, content)
    assert read_table(path, known={"a"}).to_numpy().tolist() == [["1", "2"]]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_broken_workbook_is_our_error(tmp_path, share):
    path = workbook(tmp_path, ["a"], ["1"])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SiteError, match="损坏"):
        read_table(path, known={"a"})
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("x", "y")
    with pytest.raises(SiteError, match="损坏"):
        read_table(path, known={"a"})


def test_names_are_compared_plainly():
    assert plain_name("Ｘ 坐标（米）") == "x坐标"
    assert plain_name("Site_ID ") == "site_id"


# ------------------------------------------------------------------------------- coordinate tables


def corner_rows(*columns, points=SQUARE, number="1", ring=None):
    rows = []
    for x, y in points:
        place = {"X": N + y, "Y": E + x, "east": E + x, "north": N + y, "lon": 119.9 + x / 1e5, "lat": 31.8 + y / 1e5}
        rows.append([{"id": number, "ring": ring}.get(c, place.get(c, c)) for c in columns])
    return rows


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        (["地块编号", "X", "Y"], ["id", "X", "Y"]),
        (["site_id", "x", "y"], ["id", "east", "north"]),
        (["项目编号", "X坐标(m)", "Y坐标(m)"], ["id", "X", "Y"]),
        (["地块编号", "东坐标", "北坐标"], ["id", "east", "north"]),
        (["地块编号", "北坐标X", "东坐标Y"], ["id", "north", "east"]),
        (["编号", "纵坐标", "横坐标"], ["id", "north", "east"]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_usual_names_of_coordinates(tmp_path, head, columns, kind):
    rows = corner_rows(*columns)
    if kind == "csv":
        path = csv_file(tmp_path, ",".join(head), *[",".join(map(str, row)) for row in rows])
    else:
        path = workbook(tmp_path, head, *rows)
    drawing = read_coordinates(path)
    assert only(drawing).equals(shapely.box(E, N, E + 100, N + 100))
    assert drawing.notes == ("",)
    assert drawing.attributes.iloc[0, 0] == "1"
    assert drawing.rows == (2,)


def test_columns_named_the_wrong_way_are_turned_and_said(tmp_path):
    path = workbook(tmp_path, ["地块编号", "东坐标", "北坐标"], *corner_rows("id", "north", "east"))
    drawing = read_coordinates(path)
    assert only(drawing).equals(shapely.box(E, N, E + 100, N + 100))
    assert "标反" in drawing.notes[0]
    path = workbook(tmp_path, ["地块编号", "经度", "纬度"], *corner_rows("id", "lat", "lon"))
    drawing = read_coordinates(path)
    assert only(drawing).bounds == pytest.approx((119.9, 31.8, 119.901, 31.801))
    assert "标反" in drawing.notes[0]


def test_names_decide_where_numbers_can_not(tmp_path):
    square = [["1", *pair] for pair in SQUARE]
    named = read_coordinates(workbook(tmp_path, ["地块编号", "北坐标", "东坐标"], ["1", 0, 50], *square[1:]))
    assert named.ordered
    assert only(named).bounds == (0, 0, 100, 100)
    assert not read_coordinates(workbook(tmp_path, ["地块编号", "X", "Y"], *square)).ordered


def test_rings_sites_and_attributes(tmp_path):
    hole = [(10, 10), (10, 30), (30, 30), (30, 10)]
    head = ["地块编号", "圈号", "点号", "X", "Y", "建设性质", "边长"]
    rows = [[*row, f"{i}"] for i, row in enumerate(corner_rows("id", "ring", "J", "X", "Y", "新建", ring=1))]
    rows += [[*row, None] for row in corner_rows("id", "ring", "J", "X", "Y", "新建", points=hole, ring=2)]
    rows += [[*row, None] for row in corner_rows("id", "ring", "J", "X", "Y", "扩建", number="2", ring=1)]
    for i, row in enumerate(rows):
        row[2] = f"J{i}"
        if i not in (0, 8):
            row[0] = None
    drawing = read_coordinates(workbook(tmp_path, head, *rows), known={"建设性质"})
    assert [shape.area for shape in drawing.geometry] == [9600, 10000]
    assert drawing.attributes["地块编号"].tolist() == ["1", "2"]
    assert drawing.attributes["建设性质"].tolist() == ["新建", "扩建"]
    assert drawing.attributes["边长"].tolist() == [None, None]
    assert drawing.rows == (2, 10)


def test_contradictory_attributes_of_one_site_are_named(tmp_path):
    rows = corner_rows("id", "X", "Y", "新建")
    rows[2][3] = "扩建"
    drawing = read_coordinates(workbook(tmp_path, ["地块编号", "X", "Y", "建设性质"], *rows), known={"建设性质"})
    assert "不一致：新建、扩建" in faults_of(drawing)[0][1]


def test_one_row_per_site_is_a_point(tmp_path):
    path = csv_file(tmp_path, "项目名称,经度,纬度", "甲,119.9,31.8", "乙,119.8,31.7")
    drawing = read_coordinates(path)
    assert [shape.geom_type for shape in drawing.geometry] == ["Point", "Point"]
    assert drawing.geometry[1].equals(shapely.Point(119.8, 31.7))
    assert drawing.attributes["项目名称"].tolist() == ["甲", "乙"]


def test_one_row_among_sites_with_many_is_an_error(tmp_path):
    rows = [*corner_rows("id", "X", "Y"), ["2", N, E]]
    assert "只有 1 个点" in faults_of(read_coordinates(workbook(tmp_path, ["地块编号", "X", "Y"], *rows)))[0][1]


def test_numbered_corners_are_not_taken_for_sites(tmp_path):
    rows = [[i, *row] for i, row in enumerate(corner_rows("X", "Y"), 1)]
    with pytest.raises(SiteError, match="点号"):
        read_coordinates(workbook(tmp_path, ["编号", "X", "Y"], *rows))
    drawing = read_coordinates(workbook(tmp_path, ["点号", "X", "Y"], *rows))
    assert only(drawing).area == 10000


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([["1", "abc", 2]], "不是数字：“abc”"),
        ([["1", None, 2]], "空的"),
        ([["1", N, E], ["1", E, N], ["1", N + 1, E], ["1", N, E + 1]], "位数或顺序"),
    ],
)
def test_bad_corners_are_named(tmp_path, rows, word):
    found = faults_of(read_coordinates(workbook(tmp_path, ["地块编号", "X", "Y"], *rows)))
    assert any(word in text for _, text in found)


@pytest.mark.parametrize(
    ("head", "row", "word"),
    [
        (["编号", "名称"], ["1", "a"], "找不到坐标列；现有列：编号、名称"),
        (["X", "Y", "经度", "纬度"], [N, E, 119.9, 31.8], "几套坐标"),
        (["wkt", "X", "Y"], ["POINT (1 2)", N, E], "几套坐标"),
        (["地块编号", "X", "Y"], [None, N, E], "空的"),
        (["X", "Y"], [], "没有数据"),
    ],
)
def test_bad_tables_are_our_error(tmp_path, head, row, word):
    with pytest.raises(SiteError, match=word):
        read_coordinates(workbook(tmp_path, head, row))


def test_a_number_that_comes_again_is_refused(tmp_path):
    rows = [*corner_rows("id", "X", "Y"), *corner_rows("id", "X", "Y", number="2"), *corner_rows("id", "X", "Y")]
    with pytest.raises(SiteError, match="重复而不相连"):
        read_coordinates(workbook(tmp_path, ["地块编号", "X", "Y"], *rows))


def test_what_the_table_says_of_its_crs(tmp_path):
    head = ["地块编号", "X", "Y", "坐标系"]
    said = {
        "EPSG:4549": ("EPSG:4549", None),
        "2000国家大地坐标系": (None, "cgcs2000"),
        "1980西安坐标系": (None, "xian80"),
    }
    for text, (crs, datum) in said.items():
        drawing = read_coordinates(workbook(tmp_path, head, *corner_rows("id", "X", "Y", text)))
        assert (drawing.crs, drawing.datum) == (crs, datum)
    rows = [*corner_rows("id", "X", "Y", "EPSG:4549"), ["2", N, E, "EPSG:4528"]]
    with pytest.raises(SiteError, match="不一致"):
        read_coordinates(workbook(tmp_path, head, *rows))


# ---------------------------------------------------------------------------------------------- WKT


def test_a_column_of_wkt(tmp_path):
    box = shapely.box(E, N, E + 100, N + 100)
    long = shapely.Point(E, N).buffer(500, quad_segs=4000)
    path = csv_file(
        tmp_path, "编号\twkt\tactivity", f"1\t{box.wkt}\tC26", f'2\t"{long.wkt}"\t', "3\t\t", "4\tPOLYGON ((1 2\t"
    )
    assert len(long.wkt) > 200_000
    drawing = read_coordinates(path)
    assert drawing.geometry[0].equals(box)
    assert drawing.geometry[1].area == pytest.approx(long.area)
    assert drawing.geometry[2] is None
    assert faults_of(drawing) == [(5, "不是完整的 WKT：“POLYGON ((1 2”")]
    assert drawing.attributes["activity"].tolist() == ["C26", None, None, None]
    assert drawing.rows == (2, 3, 4, 5)


def test_extended_wkt_says_its_crs(tmp_path):
    drawing = read_wkt("srid=4549; POINT (500000 3520000)")
    assert drawing.crs == "4549"
    assert drawing.geometry[0].equals(shapely.Point(E, N))
    path = csv_file(tmp_path, "wkt", '"SRID=4549;POINT (1 2)"', '"POINT (1 2)"')
    with pytest.raises(SiteError, match="SRID"):
        read_coordinates(path)


@pytest.mark.parametrize(
    "text", ["", "hello", "POLYGON ((0 0, 1 0, 1 1))", "POINT (a b)", "SRID=4549", "POINT EMPTY EMPTY"]
)
def test_bad_wkt(text):
    if text == "":
        assert read_wkt(text).geometry[0] is None
        return
    with pytest.raises(SiteError, match="WKT"):
        read_wkt(text)


def test_the_result_holds_plain_arrays(tmp_path):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE))))
    assert isinstance(drawing.geometry, np.ndarray)
    assert drawing.geometry.dtype == object
