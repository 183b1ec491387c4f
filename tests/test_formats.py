from __future__ import annotations

import datetime as dt
import zipfile

import numpy as np
import openpyxl
import pytest
import shapely

from ecospatial.errors import SiteError
from ecospatial.formats import datum_of, plain_name, read_coordinates, read_survey, read_table, read_wkt

E, N = 500000, 3520000
HEAD = """[属性描述]
格式版本号=1.01
数据产生单位=测绘院
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=40
精度=0.001
转换参数=,,,,,,
"""
SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]


def corners(points, ring=1, *, prefix="J", east=E, swapped=False, start=1):
    lines = []
    for i, (x, y) in enumerate(points, start):
        pair = (f"{N + y:.3f}", f"{east + x:.3f}")
        lines.append(f"{prefix}{i},{ring},{','.join(reversed(pair) if swapped else pair)}")
    return lines


def parcel(*lines, count=None, area="1.0000", number="A-1", code=",0701", name="化工厂"):
    count = len(lines) if count is None else count
    return "\n".join([f"{count},{area},{number},{name},面,,工业用地{code},@", *lines])


def survey(folder, *parcels, head=HEAD, encoding="utf-8", title="[地块坐标]"):
    path = folder / "红线.txt"
    path.write_bytes("\n".join([head.rstrip("\n"), title, *parcels]).lstrip("\n").encode(encoding))
    return path


def only(drawing):
    assert drawing.faults == ((),)
    return drawing.geometry[0]


def faults_of(drawing):
    return [(p.row, p.problem) for found in drawing.faults for p in found]


# -------------------------------------------------------------------------------------- survey text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_plain_parcel_in_every_encoding(tmp_path, encoding):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE)), encoding=encoding))
    assert only(drawing).equals(shapely.box(E, N, E + 100, N + 100))
    row = drawing.attributes.iloc[0]
    assert (row["地块编号"], row["地块名称"], row["地块用途"], row["地类编码"]) == ("A-1", "化工厂", "工业用地", "0701")
    assert drawing.rows == (12,)
    assert (drawing.datum, drawing.zone, drawing.width, drawing.prefix) == ("cgcs2000", 40, 3, None)
    assert drawing.notes == ("",)
    assert drawing.notices == ()


@pytest.mark.parametrize(
    "lines",
    [
        corners(SQUARE),
        corners(SQUARE, prefix=""),
        [*corners(SQUARE), "J1,1,3520000.000,500000.000"],
        [*corners(SQUARE), "J5,1,3520000.000,500000.000"],
        [f" {line} " for line in corners(SQUARE)],
        [f"{line}," for line in corners(SQUARE)],
        [line.replace(",", "，") for line in corners(SQUARE)],
        [line.replace("J1,1", "J1,01") for line in corners(SQUARE)],
    ],
)
def test_variants_of_the_points(tmp_path, lines):
    drawing = read_survey(survey(tmp_path, parcel(*lines)))
    assert only(drawing).equals(shapely.box(E, N, E + 100, N + 100))
    assert drawing.notes == ("",)


@pytest.mark.parametrize(
    "head",
    [
        "",
        " " + HEAD,
        "\n\n" + HEAD,
        "坐标系=2000国家大地坐标系\n几度分带=3\n带号=40",
        HEAD.replace("带号=40", "带号="),
        HEAD.replace("=40", " = 40带").replace("=3\n", "=3度\n"),
        HEAD.replace("\n", "\r\n"),
    ],
)
def test_variants_of_the_head(tmp_path, head):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE)), head=head))
    assert only(drawing).area == 10000
    assert drawing.zone == (None if "带号=\n" in head or not head else 40)


@pytest.mark.parametrize("code", [",0701", "", ",", ",,"])
def test_a_parcel_line_with_eight_or_nine_fields(tmp_path, code):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE), code=code)))
    assert only(drawing).area == 10000
    assert drawing.attributes["地类编码"].tolist() == ["0701" if code == ",0701" else None]


@pytest.mark.parametrize(
    ("area", "fits"),
    [
        ("1.0000", True),
        ("1.0000公顷", True),
        ("15亩", True),
        ("", True),
        ("10000平方米", True),
        ("0.7655公顷", False),
        ("x", True),
    ],
)
def test_the_area_of_the_file_is_compared(tmp_path, area, fits):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE), area=area)))
    assert only(drawing).area == 10000
    assert (drawing.notices == ()) == fits
    if not fits:
        assert "7655 m²，按坐标为 10000 m²" in drawing.notices[0]


def test_holes_are_numbered_anew_or_onwards(tmp_path):
    hole = [(10, 10), (10, 30), (30, 30), (30, 10)]
    for start in (1, 5):
        lines = [*corners(SQUARE), *corners(hole, 2, start=start)]
        drawing = read_survey(survey(tmp_path, parcel(*lines)))
        assert only(drawing).area == 10000 - 400
        assert len(only(drawing).interiors) == 1


def test_a_ring_outside_is_a_part_and_one_in_a_hole_an_island(tmp_path):
    rings = [
        (SQUARE, 1),
        ([(10, 10), (10, 50), (50, 50), (50, 10)], 2),
        ([(200, 0), (250, 0), (250, 50), (200, 50)], 3),
        ([(20, 20), (20, 30), (30, 30), (30, 20)], 4),
    ]
    lines = [line for ring, number in rings for line in corners(ring, number)]
    shape = only(read_survey(survey(tmp_path, parcel(*lines))))
    assert shape.is_valid
    assert shape.area == 10000 - 1600 + 2500 + 100


def test_several_parcels_keep_their_order_and_lines(tmp_path):
    far = [(x + 300, y) for x, y in SQUARE]
    parcels = [parcel(*corners(SQUARE)), parcel(*corners(far), number="A-2")]
    drawing = read_survey(survey(tmp_path, *parcels))
    assert drawing.rows == (12, 17)
    assert drawing.attributes["地块编号"].tolist() == ["A-1", "A-2"]
    assert [shape.area for shape in drawing.geometry] == [10000, 10000]


def test_eastings_with_the_number_of_the_zone(tmp_path):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE, east=40500000))))
    assert drawing.prefix == 40
    assert only(drawing).bounds == (40500000, N, 40500100, N + 100)


@pytest.mark.parametrize("east", [E, 40500000])
def test_swapped_columns_are_proven_by_their_digits_and_said(tmp_path, east):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE, east=east, swapped=True))))
    assert only(drawing).bounds == (east, N, east + 100, N + 100)
    assert "标反" in drawing.notes[0]
    assert drawing.ordered


def test_degrees_are_told_apart_too(tmp_path):
    lines = [f"J{i},1,{31.8 + y / 1e5},{119.9 + x / 1e5}" for i, (x, y) in enumerate(SQUARE, 1)]
    shape = only(read_survey(survey(tmp_path, parcel(*lines))))
    assert shape.bounds == pytest.approx((119.9, 31.8, 119.901, 31.801))


def test_numbers_that_tell_nothing_are_not_guessed(tmp_path):
    lines = [f"J{i},1,{y + 500},{x + 700}" for i, (x, y) in enumerate(SQUARE, 1)]
    drawing = read_survey(survey(tmp_path, parcel(*lines)))
    assert not drawing.ordered


def test_points_and_lines(tmp_path):
    line = parcel(*corners(SQUARE[:2]), area="").replace(",面,", ",线,")
    point = parcel(*corners(SQUARE[:1]), number="A-2", area="").replace(",面,", ",点,")
    drawing = read_survey(survey(tmp_path, line, point))
    assert drawing.geometry[0].equals(shapely.LineString([(E, N), (E + 100, N)]))
    assert drawing.geometry[1].equals(shapely.Point(E, N))


def test_the_writer_that_closes_with_the_northing_twice(tmp_path):
    lines = [*corners(SQUARE), "J1,1,3520000.000,3520000.000"]
    drawing = read_survey(survey(tmp_path, parcel(*lines)))
    assert only(drawing).area == 10000
    assert "闭合点" in drawing.notes[0]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("J3,1,3520000.000", "3 个字段"),
        ("J3,1,3520000.000,500000.000,7", "5 个字段"),
        ("J3,1,abc,500000.000", "不是数字：“abc”"),
        ("J3,1,3520000.0,nan", "不是数字：“nan”"),
        ("J3,1,3520000.0," + "9" * 400, "不是数字"),
        ("J3,外,3520000.0,500000.0", "圈号不是数字"),
        ("J3,1,500000.0,3520000.0", "位数或顺序"),
        ("J3,1,3520000.0,5.0", "位数或顺序"),
        ("[其他]", "未知的段落"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, word):
    lines = corners(SQUARE)
    lines[2:2] = [line]
    path = survey(tmp_path, parcel(*lines))
    try:
        found = faults_of(read_survey(path))
    except SiteError as error:
        found = [(p.row, p.problem) for p in error.problems]
    assert [row for row, text in found if word in text] == [15]


@pytest.mark.parametrize("line", ["", " ", "\u3000"])
def test_blank_lines_are_nothing(tmp_path, line):
    lines = corners(SQUARE)
    lines[2:2] = [line]
    assert only(read_survey(survey(tmp_path, parcel(*lines, count=4)))).area == 10000


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (corners(SQUARE[:2]), "只有 2 个点"),
        ([], "没有界址点"),
        ([*corners(SQUARE), *corners(SQUARE, 2), *corners(SQUARE)], "分成了几段"),
        ([*corners(SQUARE), *corners(SQUARE)], "已经闭合"),
        ([*corners(SQUARE), "J1,1,3520050.0,500300.0"], "与首点同号"),
    ],
)
def test_a_wrong_ring_is_named(tmp_path, lines, word):
    found = faults_of(read_survey(survey(tmp_path, parcel(*lines, count=""))))
    assert any(word in text for _, text in found)


@pytest.mark.parametrize(("count", "fits"), [(4, True), (5, True), (3, False), (12, False), ("x", False), ("", True)])
def test_a_parcel_cut_off_is_noticed(tmp_path, count, fits):
    drawing = read_survey(survey(tmp_path, parcel(*corners(SQUARE), count=count)))
    assert (drawing.faults == ((),)) == fits


@pytest.mark.parametrize(("shape", "word"), [(",圆,", "不是点、线、面"), (",面,,x,y,z,", "个字段"), (",@,", "个字段")])
def test_a_wrong_parcel_line_is_named(tmp_path, shape, word):
    text = parcel(*corners(SQUARE)).replace(",面,", shape, 1)
    found = faults_of(read_survey(survey(tmp_path, text)))
    assert found[0][0] == 12
    assert word in found[0][1]


def test_all_faults_are_collected(tmp_path):
    bad = corners(SQUARE)
    bad[0] = "J1,1,abc,500000"
    bad[2] = "J3,1,3520100,xyz"
    drawing = read_survey(survey(tmp_path, parcel(*bad), parcel(*corners(SQUARE), number="A-2")))
    assert [row for row, _ in faults_of(drawing)] == [13, 15]
    assert drawing.geometry[0] is None
    assert drawing.geometry[1].area == 10000


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (HEAD.replace("=40", "=四十"), "不是数字"),
        (HEAD + "带号=39\n", "两个不同的值"),
        (HEAD.replace("计量单位=米", "计量单位=英尺"), "计量单位"),
        (HEAD.replace("高斯克吕格", "UTM"), "投影类型"),
        (HEAD + "随便写的一行\n", "读不懂"),
    ],
)
def test_a_wrong_head_is_refused(tmp_path, head, word):
    with pytest.raises(SiteError, match=word):
        read_survey(survey(tmp_path, parcel(*corners(SQUARE)), head=head))


@pytest.mark.parametrize("text", ["hello", "[属性描述]\n", "1,2,3", "\n\n"])
def test_other_text_is_refused(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(SiteError, match="地块坐标"):
        read_survey(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "a.txt"
    for content in (b"\xff\x81\xff\x30\x81", "[地块坐标]".encode() + b"\0\0", "é".encode("latin-1") + b"\xff"):
        path.write_bytes(content)
        with pytest.raises(SiteError, match="编码"):
            read_survey(path)
    with pytest.raises(SiteError, match="没有地块"):
        read_survey(survey(tmp_path))


def test_mixed_zone_prefixes_are_refused(tmp_path):
    parcels = [parcel(*corners(SQUARE, east=e), number=str(e)) for e in (40500000, 39500000)]
    found = faults_of(read_survey(survey(tmp_path, *parcels)))
    assert "39、40" in found[0][1]


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("2000国家大地坐标系", "cgcs2000"),
        ("CGCS2000", "cgcs2000"),
        ("1980西安坐标系", "xian80"),
        ("80西安", "xian80"),
        ("1954北京坐标系", "beijing54"),
        ("WGS84", "wgs84"),
        ("常州独立坐标系", "local"),
        ("", None),
    ],
)
def test_datums(text, datum):
    assert datum_of(text) == datum


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
