from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
import shapely
from made_sites import EMPTY_PLAN, OURS, PLAN, E, N, box, facts, frame, lonlat, problems, table, texts
from pandas.testing import assert_frame_equal
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, SiteError
from ecospatial.model import FACTS
from ecospatial.sites import read_sites
from ecospatial.sites.aliases import matching

# ------------------------------------------------------------------------------------------ the frame


def test_the_frame_has_our_columns_first_and_then_the_others():
    sites = read_sites(frame(编号=["07", "08"], 备注=["x", "y"], n=[1, 2]), plan=PLAN)
    assert sites.index.name == "site_id"
    assert sites.index.tolist() == ["07", "08"]
    assert list(sites.columns) == [*OURS, "备注", "n", "geometry"]
    assert sites.crs == PLAN.crs
    assert sites.site_name.tolist() == ["07", "08"]
    assert sites.accuracy_m.tolist() == [0.0, 0.0]
    assert sites.repair.tolist() == ["", ""]
    assert sites.repair_area_m2.tolist() == [0.0, 0.0]
    assert sites.n.tolist() == [1, 2]
    for name in ("activity", "works", "land_use", *FACTS):
        assert all(value is None for value in sites[name])
    assert sites.attrs["inputs"] == []
    assert sites.attrs["skipped"] == []


def test_ids_are_numbers_of_the_rows_when_there_are_none():
    sites = read_sites(frame(name=["甲", None]))
    assert sites.index.tolist() == ["1", "2"]
    assert sites.site_name.tolist() == ["甲", "2"]


@pytest.mark.parametrize("ids", [[7, 8], [7.0, 8.0], ["7", " 8 "], [np.int32(7), 8]])
def test_ids_are_text(ids):
    assert read_sites(frame(id=ids)).index.tolist() == ["7", "8"]


@pytest.mark.parametrize(
    ("column", "target", "given", "read"),
    [
        ("项目编号", "site_id", "0701", "0701"),
        ("Name", "site_name", "甲", "甲"),
        ("项目名称", "site_name", " 甲 ", "甲"),
        ("项目名", "site_name", "甲", "甲"),
        ("行业代码", "activity", "c2614", "C2614"),
        ("行业类别", "activity", "医药制造业", "C27"),
        ("行业代", "activity", "2614", "C2614"),
        ("activity", "activity", "C26; 医药制造业；C26", "C26;C27"),
        ("activity", "activity", "C2614 有机化学原料制造", "C2614"),
        ("activity", "activity", 2614.0, "C2614"),
        ("activity", "activity", "0412", "A0412"),
        ("建设性质", "works", "技改", "alteration"),
        ("works", "works", "existing", "existing"),
        ("地类编码", "land_use", "0701", "0701"),
        ("地类编码", "land_use", 701, "0701"),
        ("用地性质", "land_use", "居住用地", "居住用地"),
        ("accuracy_m", "accuracy_m", "0.5", 0.5),
        ("Ａccuracy_m", "accuracy_m", 2, 2.0),
        ("向水体排污", "discharges_to_water", "是", True),
        ("discharges", "discharges_to_water", "False", False),
        ("向水体", "discharges_to_water", "无", False),
        ("linear_inf", "linear_infrastructure", "1", True),
        ("permitted_", "permitted_limited_activity", 0, False),
        ("无害化穿越", "harmless_crossing", True, True),
        ("危化品", "stores_hazardous", "未知", None),
        ("national_k", "national_key_project", math.nan, None),
    ],
)
def test_names_and_values_of_columns(column, target, given, read):
    values = [given, None] if target not in ("site_id", "accuracy_m") else [given, "9"]
    sites = read_sites(frame(**{column: values}))
    assert column not in sites.columns or column == target
    value = sites.index[0] if target == "site_id" else sites[target].iloc[0]
    assert value == read
    assert isinstance(value, type(read))


def test_names_cut_by_a_shapefile_do_not_collide():
    assert matching(["id", "编号"])["site_id"] == ["id", "编号"]
    assert matching(["地块编号", "地块名称", "地类编码"]) == {
        "site_id": ["地块编号"],
        "site_name": ["地块名称"],
        "land_use": ["地类编码"],
    }


def test_an_empty_cell_is_filled_from_the_next_name_of_the_column():
    sites = read_sites(frame(用地性质=[None, "工业"], 地类编码=["0701", "1001"]))
    assert sites.land_use.tolist() == ["0701", "工业"]
    assert sites["地类编码"].tolist() == ["0701", "1001"]


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("activity", "化工", "GB/T 4754"),
        ("activity", 412, "数字单元格"),
        ("建设性质", "拆除", "新建"),
        ("accuracy_m", "-1", "不小于 0"),
        ("accuracy_m", "很准", "米数"),
        ("危化品", "可能", "是、否"),
        ("危化品", "2", "是、否"),
    ],
)
def test_cells_that_mean_nothing_are_named_with_their_row(column, value, word):
    found = problems(SiteError, lambda: read_sites(frame(**{column: [None, value]})))
    assert [p.row for p in found] == [2]
    assert word in found[0].hint
    assert column in found[0].message


def test_two_columns_that_contradict_are_an_error():
    made = frame(危化品=["是", "是"], stores_hazardous=["是", "否"])
    assert [p.row for p in problems(SiteError, lambda: read_sites(made))] == [2]


def test_ids_that_come_twice_are_listed_with_their_rows():
    made = frame(box(), box(200), box(400), 编号=["a", "b", "a"])
    assert "编号“a”重复：第 1 行、第 3 行" in texts(SiteError, lambda: read_sites(made))


def test_hostile_names_are_kept_and_cut_in_messages():
    name = "<script>\x1b[31m" + "x" * 90
    assert read_sites(frame(name=[name, name])).site_name.tolist() == [name, name]
    text = texts(SiteError, lambda: read_sites(frame(id=[name, name])))
    assert "\x1b" not in text
    assert len(text) < 200


def test_columns_of_the_file_with_our_names_are_kept_beside(tmp_path):
    frame(source=["甲", "乙"], repair=["a", "b"]).to_file(tmp_path / "a.gpkg")
    sites = read_sites(tmp_path / "a.gpkg")
    assert sites.source.tolist() == ["a.gpkg，第 1 行", "a.gpkg，第 2 行"]
    assert sites.source_1.tolist() == ["甲", "乙"]
    assert sites.repair.tolist() == ["", ""]


def test_the_argument_is_not_altered():
    made = frame(编号=["1", "2"], activity=["C26", None])
    kept = made.copy()
    read_sites(made, plan=PLAN, works="新建")
    assert_frame_equal(made, kept)
    assert made.attrs == {}


# ---------------------------------------------------------------------------------------- idempotence


def test_its_own_output_comes_back_unchanged(tmp_path):
    bow_tie = shapely.Polygon([(E, N), (E + 100, N + 100), (E + 100, N), (E, N + 100)])
    made = frame(
        bow_tie, box(200), 编号=["1", "2"], activity=["C26", None], 危化品=["是", None], accuracy_m=["0.5", None]
    )
    made = made.assign(备注=["x", None])
    made.to_file(tmp_path / "a.gpkg")
    once = read_sites(tmp_path / "a.gpkg", plan=PLAN, works="new")
    again = read_sites(once, plan=PLAN)
    assert_frame_equal(once, again)
    assert once.attrs == again.attrs
    assert once.attrs["inputs"][0]["file"] == "a.gpkg"
    assert "自相交" in again.repair["1"]
    assert again.repair_area_m2["1"] == pytest.approx(5000)
    assert_frame_equal(once, read_sites(again))


def test_a_saved_frame_keeps_what_was_said(tmp_path):
    bow_tie = shapely.Polygon([(E, N), (E + 100, N + 100), (E + 100, N), (E, N + 100)])
    once = read_sites(frame(bow_tie, 危化品=["是"]), plan=PLAN)
    once.to_file(tmp_path / "saved.gpkg")
    again = read_sites(tmp_path / "saved.gpkg", plan=PLAN)
    assert again.index.tolist() == ["1"]
    assert again.repair.tolist() == once.repair.tolist()
    assert again.stores_hazardous["1"] is True
    assert again.discharges_to_water["1"] is None


def test_far_sites_that_were_allowed_once_stay_allowed():
    far = read_sites(frame(box(100_000)), plan=PLAN, allow_far=True)
    assert_frame_equal(read_sites(far, plan=PLAN), far)


# ------------------------------------------------------------------------------------------- the facts


def test_facts_fill_empty_cells_and_are_hashed(tmp_path):
    path = facts(
        tmp_path / "facts.csv", "编号,向水体排污,activity,works,name,accuracy_m,备注", "2,是,C2614,扩建,乙厂,3,x"
    )
    sites = read_sites(frame(works=["新建", None]), facts=path)
    assert sites.discharges_to_water.tolist() == [None, True]
    assert sites.activity.tolist() == [None, "C2614"]
    assert sites.works.tolist() == ["new", "expansion"]
    assert sites.site_name.tolist() == ["1", "乙厂"]
    assert sites.accuracy_m.tolist() == [0.0, 3.0]
    entry = {"file": "facts.csv", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert sites.attrs["inputs"] == [entry]
    assert "备注" in sites.attrs["notices"][0]


def test_facts_as_a_workbook(tmp_path):
    path = table(tmp_path / "f.xlsx", ["site_id", "危化品"], [1, "是"], [2, None])
    assert read_sites(frame(), facts=path).stores_hazardous.tolist() == [True, None]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("1,否", "矛盾"),
        ("9,是", "没有编号为“9”的地块"),
        ("2,是\n2,否", "重复"),
        (",是", "空的"),
        ("2,可能", "无法识别"),
    ],
)
def test_facts_that_do_not_fit_are_an_error_with_file_and_row(tmp_path, row, word):
    path = facts(tmp_path / "facts.csv", "site_id,危化品", row)
    found = problems(SiteError, lambda: read_sites(frame(危化品=["是", None]), facts=path))
    assert found[0].file == "facts.csv"
    assert found[0].row in (2, 3)
    assert word in found[0].message


def test_facts_of_the_wrong_kind(tmp_path):
    assert "site_id" in texts(SiteError, lambda: read_sites(frame(), facts=facts(tmp_path / "f.csv", "危化品", "是")))
    assert ".csv" in texts(SiteError, lambda: read_sites(frame(), facts=facts(tmp_path / "f.txt", "site_id", "1")))
    assert "不存在" in texts(SiteError, lambda: read_sites(frame(), facts=tmp_path / "none.csv"))


def test_activity_and_works_fill_what_is_still_empty():
    sites = read_sites(frame(activity=["K70", None], works=[None, "现有"]), activity="C2614;医药制造业", works="新建")
    assert sites.activity.tolist() == ["K70", "C2614;C27"]
    assert sites.works.tolist() == ["new", "existing"]
    for wrong in ({"activity": "化工"}, {"works": "拆"}):
        assert next(iter(wrong)) in texts(SiteError, lambda: read_sites("nowhere.shp", **wrong))  # noqa: B023 - called now


# -------------------------------------------------------------------------------------------- the CRS


def test_a_frame_without_a_crs_needs_one():
    made = frame(crs=None)
    assert "数据框没有坐标系" in texts(CrsError, lambda: read_sites(made, plan=PLAN))
    assert read_sites(made, plan=PLAN, crs=4549).geometry.iloc[0].equals(box())
    assert read_sites(made, crs="EPSG:4549").crs.to_epsg() == 4549


def test_the_crs_of_the_source_is_brought_into_that_of_the_plan():
    for code in (4490, 4326, 4528):
        shape = crs_.transform(np.array([box()], dtype=object), PLAN.crs, CRS.from_epsg(code))[0]
        sites = read_sites(frame(shape, crs=code), plan=PLAN)
        assert sites.crs == PLAN.crs
        assert shapely.hausdorff_distance(sites.geometry.iloc[0], box()) < 1e-6
        assert sites.repair.tolist() == [""]
        assert read_sites(frame(shape, crs=code)).crs.to_epsg() == code


def test_the_given_crs_counts_and_is_said():
    sites = read_sites(frame(crs=4548), plan=PLAN, crs=4549)
    assert sites.geometry.iloc[0].equals(box())
    assert "文件声明 EPSG:4548，按指定的 EPSG:4549 处理" in sites.repair.iloc[0]
    assert read_sites(frame(), plan=PLAN, crs=4549).repair.tolist() == ["", ""]


@pytest.mark.parametrize(("shift", "forward"), [("gcj02", crs_.cgcs2000_to_gcj02), ("bd09", crs_.cgcs2000_to_bd09)])
def test_shifted_frames_are_undone_and_said(tmp_path, shift, forward):
    there = shapely.transform(lonlat(box()), forward, interleaved=False)
    frame(there, crs=4326).to_file(tmp_path / "a.geojson", COORDINATE_PRECISION=15)
    sites = read_sites(tmp_path / "a.geojson", plan=PLAN, crs=shift)
    assert shapely.hausdorff_distance(sites.geometry.iloc[0], box()) < 1e-4
    assert "反算" in sites.repair.iloc[0]
    wrong = read_sites(tmp_path / "a.geojson", plan=PLAN)
    assert shapely.distance(wrong.geometry.iloc[0], box()) > 300
    assert read_sites(tmp_path / "a.geojson", crs=shift).crs.to_epsg() == 4490


@pytest.mark.parametrize("code", [2437, 2385, 4610])
def test_old_datums_are_refused(code):
    assert "转换参数未知" in texts(CrsError, lambda: read_sites(frame(crs=code), plan=PLAN))


@pytest.mark.parametrize(
    ("east", "north", "label"),
    [(E, N, "EPSG:4549"), (N, E, "EPSG:4549（X、Y 对调）"), (E + 40_000_000, N, "EPSG:4528")],
)
def test_a_missing_crs_is_proven_by_the_plan_and_said(tmp_path, east, north, label):
    frame(shapely.box(east, north, east + 100, north + 100)).to_file(tmp_path / "a.shp", encoding="utf-8")
    (tmp_path / "a.prj").unlink()
    sites = read_sites(tmp_path / "a.shp", plan=PLAN)
    assert shapely.hausdorff_distance(sites.geometry.iloc[0], box()) < 1e-6
    assert f"a.shp：未声明坐标系，按 {label} 位于钟楼区内" in sites.attrs["notices"][-1]
    assert sites.repair.iloc[0] == ("X、Y 已对调" if "对调" in label else "")
    assert "没有坐标系" in texts(CrsError, lambda: read_sites(tmp_path / "a.shp"))
    assert "没有坐标系" in texts(CrsError, lambda: read_sites(tmp_path / "a.shp", plan=EMPTY_PLAN))


def test_degrees_without_a_crs_warn_of_web_maps(tmp_path):
    shape = lonlat(box())
    path = table(tmp_path / "a.xlsx", ["site_id", "wkt"], ["1", shape.wkt])
    sites = read_sites(path, plan=PLAN)
    assert shapely.hausdorff_distance(sites.geometry.iloc[0], box()) < 1e-4
    assert "gcj02" in sites.attrs["notices"][-1]
    assert "gcj02" in texts(CrsError, lambda: read_sites(path))


def test_a_crs_that_can_not_be_proven_lists_the_candidates(tmp_path):
    path = table(tmp_path / "a.xlsx", ["site_id", "wkt"], ["1", shapely.Point(E + 51_000, N).wkt])
    text = texts(CrsError, lambda: read_sites(path, plan=PLAN))
    assert "按 EPSG:4549 偏东 41 km" in text
    assert "EPSG:4528" in texts(CrsError, lambda: read_sites(table(path, ["wkt"], ["POINT (40500000 3520000)"])))


def test_a_geojson_in_metres_is_proven_not_believed(tmp_path):
    path = tmp_path / "a.geojson"
    text = shapely.to_geojson(box())
    path.write_text('{"type":"Feature","properties":{},"geometry":' + text + "}")
    assert read_sites(path, plan=PLAN).geometry.iloc[0].equals(box())
    assert "没有坐标系" in texts(CrsError, lambda: read_sites(path))


def test_far_sites_are_an_error_with_a_diagnosis():
    west = frame(box(), box(-40_000), box(-50_000))
    text = texts(SiteError, lambda: read_sites(west, plan=PLAN))
    assert "第 2、3 行：2 个地块距钟楼区 20 km 以上（偏西，最近 30 km）" in text
    assert "--allow-far" in text
    assert len(read_sites(west, plan=PLAN, allow_far=True)) == 3
    assert len(read_sites(west, plan=EMPTY_PLAN)) == 3
    assert len(read_sites(frame(box(9_900), box(29_800)), plan=PLAN)) == 2


@pytest.mark.parametrize(
    ("shape", "code", "word"),
    [
        (box(), 4548, "按 EPSG:4549 位于钟楼区内"),
        (shapely.box(N, E, N + 100, E + 100), 4549, "按 EPSG:4549（X、Y 对调） 位于钟楼区内"),
        (shapely.box(40_500_000, N, 40_500_100, N + 100), 4549, "按 EPSG:4528 位于钟楼区内"),
        (box(), 4528, "按 EPSG:4549 位于钟楼区内"),
    ],
)
def test_a_wrong_crs_is_told_with_the_right_one(shape, code, word):
    assert word in texts(CrsError, lambda: read_sites(frame(shape, crs=code), plan=PLAN))
