from __future__ import annotations

import pytest
import shapely
from made_surveys import HEAD, SQUARE, E, N, corners, faults_of, only, parcel, survey

from ecospatial.errors import SiteError
from ecospatial.io import datum_of, read_survey

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
        found = [(p.row, p.message) for p in error.problems]
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


def test_mixed_zone_prefixes_in_one_parcel_are_refused(tmp_path):
    lines = [*corners(SQUARE[:2], east=40500000), *corners(SQUARE[2:], east=39500000, start=3)]
    found = faults_of(read_survey(survey(tmp_path, parcel(*lines))))
    assert "39、40" in found[0][1]


def test_parcels_of_several_zones_keep_their_own(tmp_path):
    parcels = [parcel(*corners(SQUARE, east=e), number=str(e)) for e in (40500000, 39500000)]
    drawing = read_survey(survey(tmp_path, *parcels))
    assert faults_of(drawing) == []
    assert (drawing.prefixes, drawing.prefix) == ((40, 39), None)


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
