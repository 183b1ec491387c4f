"""The example sites of the shipped plan changzhou-zhonglou, read with other means than the package's own."""

import csv
import io
import struct
import zipfile

import openpyxl
import pyogrio
import pytest
import shapely
from shipped_plan import EXAMPLES, by_river, in_metres

from ecospatial import model


@pytest.fixture(scope="module")
def district():
    ((_, geometry),) = in_metres("district")
    return geometry


def txt_sites():
    """Read the survey text by its layout alone."""
    text = (EXAMPLES / "sites.txt").read_bytes().decode("gb18030")
    head, body = text.split("[地块坐标]\r\n")
    assert "带号=40\r\n" in head
    sites, rings = {}, {}
    for line in body.splitlines():
        parts = line.split(",")
        if parts[-1] == "@":
            name, rings = parts[2], {}
            sites[name] = (int(parts[0]), float(parts[1]), rings)
        else:
            assert parts[0][0] == "J"
            rings.setdefault(int(parts[1]), []).append((float(parts[3]), float(parts[2])))
    found = {}
    for name, (count, hectares, ring) in sites.items():
        assert count == sum(map(len, ring.values()))
        assert all(points[0] == points[-1] for points in ring.values())
        found[name] = shapely.Polygon(ring[1], [points for number, points in ring.items() if number > 1])
        assert found[name].area == pytest.approx(hectares * 10_000, abs=1)
    return found


def table_rows():
    sheet = openpyxl.load_workbook(EXAMPLES / "sites.xlsx").active
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def xlsx_sites():
    rings = {}
    for row in table_rows():
        rings.setdefault(row["地块编号"], {}).setdefault(row["圈号"], []).append((row["Y"], row["X"]))
    return {name: shapely.Polygon(found[1]) for name, found in rings.items()}


def shapefile():
    with zipfile.ZipFile(EXAMPLES / "sites.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_sites(folder):
    for name, content in shapefile().items():
        (folder / name).write_bytes(content)
    frame = pyogrio.read_dataframe(folder / "sites.shp", encoding="GBK")
    assert frame.crs.to_epsg() == 4528
    shapes = [shapely.transform(shape, lambda c: c - [40_000_000, 0]) for shape in frame.geometry]
    return dict(zip(frame["地块编号"], shapes, strict=True)), frame


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    found = [txt_sites(), xlsx_sites(), zip_sites(tmp_path_factory.mktemp("zip"))[0]]
    merged = {name: shape for part in found for name, shape in part.items()}
    assert len(merged) == sum(map(len, found)) >= 10
    return merged


def test_example_sites_are_sound_and_in_the_district(sites, district):
    for name, shape in sites.items():
        assert shape.is_valid, name
        assert district.contains(shape), name
        assert shape.area > 5000, name


@pytest.mark.parametrize(
    ("name", "distance"),
    [
        ("ZL-01", 600),
        ("ZL-02", 950),
        ("ZL-03", 1400),
        ("ZL-04", 600),
        ("ZL-07", 600),
        ("ZL-08", 600),
        ("ZL-09", 600),
    ],
)
def test_example_sites_are_as_far_from_the_bank_as_they_say(sites, name, distance):
    assert sites[name].distance(by_river("bank_line")["新孟河"]) == pytest.approx(distance, abs=0.05)


def test_example_sites_lie_where_they_show_something(sites):
    bank = by_river("bank_line")["新孟河"]
    farmland = shapely.union_all([geometry for _, geometry in in_metres("basic_farmland")])
    assert all(sites[name].distance(bank) < 900 for name in ("ZL-06", "ZL-10"))
    assert sites["ZL-05"].intersects(bank)
    assert sites["ZL-05"].area < 0.2 * sites["ZL-05"].minimum_rotated_rectangle.area  # long and thin
    assert len(sites["ZL-06"].interiors) == 1
    assert all(farmland.contains(sites[name]) for name in ("ZL-11", "ZL-13"))
    assert all(farmland.distance(shape) > 0 for name, shape in sites.items() if name not in ("ZL-11", "ZL-13"))
    assert sites["ZL-12"].distance(bank) > 5000


def test_the_survey_text_is_gb18030_with_x_as_northing():
    raw = (EXAMPLES / "sites.txt").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    corners = [line.split(",") for line in raw.decode("gb18030").splitlines() if line.startswith("J")]
    assert all(len(x.split(".")[0]) == 7 and len(y.split(".")[0]) == 6 for _, _, x, y in corners)


def test_facts_name_the_sites_of_the_survey_text():
    rows = list(csv.DictReader(io.StringIO((EXAMPLES / "facts.csv").read_text(encoding="utf-8"))))
    assert [row["site_id"] for row in rows] == list(txt_sites())
    assert rows[0].keys() <= {"site_id", "activity", "works", *model.FACTS}
    assert {row["works"] for row in rows} == {"new", "existing"}
    assert all(model.activity_code(row["activity"]) == row["activity"] for row in rows)
    (pipeline,) = [row for row in rows if row["activity"] == "G5720"]
    assert model.fact_value(pipeline["stores_hazardous"]) is True


def test_the_table_leaves_one_discharge_unknown():
    about = {row["地块编号"]: row for row in table_rows()}
    housing = [row for row in about.values() if row["行业代码"] == "K7010"]
    assert [model.fact_value(row["向水体排污"]) for row in housing] == [None, False, True]
    assert all(model.works_value(row["建设性质"]) == "new" for row in about.values())
    assert all(model.activity_code(row["行业代码"]) for row in about.values())


def test_the_shapefile_does_not_say_that_it_is_gbk(tmp_path):
    members = shapefile()
    assert sorted(members) == ["sites.dbf", "sites.prj", "sites.shp", "sites.shx"]
    assert members["sites.dbf"][29] == 0  # language driver: not stated
    assert struct.unpack(">i", members["sites.shp"][24:28])[0] * 2 == len(members["sites.shp"])
    _, frame = zip_sites(tmp_path)
    assert {"地块编号", "项目名称", "行业代码", "建设性质", "国家重点", "向水体排污"} <= set(frame.columns)
    assert frame.set_index("地块编号")["行业代码"].to_dict() == {
        "ZL-11": "A0412",
        "ZL-12": "I65",
        "ZL-13": "N76",
        "ZL-14": "C387",
    }
    assert [model.fact_value(v) for v in frame["国家重点"]] == [False, False, True, False]
    garbled = pyogrio.read_dataframe(tmp_path / "sites.shp")
    assert "项目名称" not in garbled.columns


def test_examples_are_small_and_carry_no_clock():
    assert (EXAMPLES / "day.txt").read_text(encoding="utf-8").strip() == "2026-11-20"
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 60_000
    for name in ("sites.xlsx", "sites.zip"):
        with zipfile.ZipFile(io.BytesIO((EXAMPLES / name).read_bytes())) as archive:
            assert {member.date_time for member in archive.infolist()} == {(2026, 11, 20, 0, 0, 0)}
