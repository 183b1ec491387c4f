"""Studies of the waters of a plan: tables, what is said of missing layers, files that open and stay the same."""

from __future__ import annotations

import sqlite3
import zipfile

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely
from made_plans import CRS, DISTRICT, SOURCE, layer, plan_folder
from made_waters import river_layers

import ecospatial as es
from ecospatial.errors import PlanError, SiteError

# Kind -> shapes and columns.


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("water") / "p"
    return es.open_plan(plan_folder(folder, river_layers(folder), []))


@pytest.fixture(scope="module")
def study(plan):
    return es.rivers(
        plan,
        speed_m_s=0.5,
        sites=es.read_sites(
            gpd.GeoDataFrame({"site_id": ["S1"]}, geometry=[shapely.box(498000, 3520020, 498100, 3520100)], crs=CRS)
        ),
    )


# ------------------------------------------------------------------------------------------ rivers


def test_the_tables_of_rivers_say_what_can_be_counted_by_eye(study):
    third = study.frame("reaches")["river"].tolist()[-1]
    assert study.frame("ends")[["river", "end"]].to_numpy().tolist() == [
        ["干河", "edge"], ["干河", "edge"], ["断浜", "dead_end"], [third, "dead_end"], [third, "no_outlet"],
    ]  # fmt: skip
    gap = study.frame("gaps").iloc[0]
    assert gap[["gap", "to_river", "gain_m", "gap_m"]].tolist() == ["reconnect", "干河", 2850, 150]
    assert study.frame("parts")["length_m"].tolist() == [34000, 2850]
    towns = study.frame("towns").set_index("town")
    assert towns["river_m"].to_dict() == {"西镇": 14000, "东镇": 12850}
    assert towns["water_share"].tolist() == [0.002, 0.002]
    section = study.frame("sections").iloc[0]
    assert section[["upstream_m", "upstream_reaches"]].tolist() == [23000 + 4000, 3]
    up = study.frame("upstream").set_index(["kind", "thing"])
    assert up.loc[("outfall", "1"), ["along_river_m", "load_share"]].tolist() == [14000, 0.75]
    assert up.loc[("outfall", "2"), ["along_river_m", "load_share"]].tolist() == [16000, 0.25]
    assert up.loc[("site", "S1"), "along_river_m"] == pytest.approx(10000, abs=100)
    down = study.frame("downstream").iloc[0]
    assert down["kind"] == "monitoring_section"
    assert down["hours"] == pytest.approx(down["along_river_m"] / 1800)
    breaks = study.frame("breaks")
    own = breaks[breaks["river"] == "干河"]
    assert own[["side", "length_m", "town"]].to_numpy().tolist() == [["左岸", 15000, "东镇、西镇"]]
    summary = study.frame("summary").set_index("item")["value"]
    assert summary[["断头浜", "断头浜长度", "互不连通的部分"]].tolist() == [2, 4 + 2.85, 2]


def test_what_is_missing_is_said_and_the_rest_is_done(tmp_path):
    folder = tmp_path / "p"
    entries = [entry for entry in river_layers(folder) if entry["kind"] in ("river_centreline", "outfall")]
    entries.append(
        {"kind": "monitoring_section", "present": "missing", "source": {"publisher": "某环境局", "title": "断面"}}
    )
    study = es.rivers(es.open_plan(plan_folder(folder, entries, [])))
    assert "towns" not in study.tables
    assert "sections" not in study.tables
    assert "考核断面图层未取得，请向某环境局取得：不能列出断面上游" in study.notices
    assert "街道、镇图层未取得，规划未列出该图层：不能按镇街统计" in study.notices
    with pytest.raises(PlanError, match="没有名为 towns 的表"):
        study.frame("towns")


def test_without_centrelines_there_is_nothing_to_study(tmp_path):
    folder = tmp_path / "p"
    entries = [entry for entry in river_layers(folder) if entry["kind"] == "district"]
    made = es.open_plan(plan_folder(folder, entries, []))
    with pytest.raises(PlanError, match="河道中心线图层未取得"):
        es.rivers(made)
    with pytest.raises(PlanError) as fault:
        es.sewers(made)
    assert len(fault.value.problems) == 4


def test_wrong_parameters_are_refused(plan):
    for wrong in ({"max_gap_m": 0}, {"corridor_m": -1}, {"snap_m": -1}):
        with pytest.raises(PlanError):
            es.rivers(plan, **wrong)
    with pytest.raises(PlanError, match="人均污水量"):
        es.sewers(plan, litres_per_head_d=0)


def test_a_layer_not_yet_valid_does_not_count(tmp_path):
    folder = tmp_path / "p"
    entries = river_layers(folder)
    for entry in entries:
        if entry["kind"] == "outfall":
            entry["valid"] = {"from": "2025-01-01", "to": None}
    made = es.open_plan(plan_folder(folder, entries, []))
    import datetime as dt

    assert (es.rivers(made, on=dt.date(2024, 6, 1)).frame("upstream")["kind"] == "outfall").sum() == 0
    assert (es.rivers(made, on=dt.date(2025, 6, 1)).frame("upstream")["kind"] == "outfall").sum() == 2


def test_green_space_of_the_plan_stands_for_layers_of_green(tmp_path):
    folder = tmp_path / "p"
    entries = [entry for entry in river_layers(folder) if entry["kind"] != "buffer_strip"]
    spaces = layer(folder, "territorial_space", DISTRICT, columns={"space": ["生态空间"]})
    study = es.rivers(es.open_plan(plan_folder(folder, [*entries, spaces], [])))
    assert study.frame("breaks").empty
    assert "没有沿河绿地图层，绿廊断点以三类空间中的生态空间代替" in study.notices
    bare = es.rivers(es.open_plan(plan_folder(folder, entries, [])))
    assert "breaks" not in bare.tables


# ------------------------------------------------------------------------------------------ sewers


def test_the_tables_of_sewers_say_what_can_be_counted_by_eye(plan):
    study = es.sewers(plan, litres_per_head_d=200)
    plants = study.frame("plants").iloc[0]
    assert plants[["load_m3_d", "capacity_m3_d", "status"]].tolist() == [1000, 900, "over"]
    assert study.frame("coverage")[["fault", "town", "area_m2"]].to_numpy().tolist() == [
        ["blank", "东镇", 10000 * 1000]
    ]
    shares = study.frame("shares").set_index("group")
    assert shares.index.tolist() == ["北组", "合计"]
    assert shares.loc["合计", "combined"] == pytest.approx(9980 / (9980 + 8980))
    outfalls = study.frame("outfalls")
    assert outfalls[["catchment_name", "river", "how"]].to_numpy().tolist() == [
        ["一片", "干河", "位于其中"],
        ["一片", "断浜", "位于其中"],
    ]
    overflows = study.frame("overflows")
    assert overflows[["rank", "thing", "flow_m3_d", "system"]].to_numpy().tolist() == [[1, "1", 300, "合流"]]
    pipes = study.frame("pipes")
    assert pipes[["fault", "note"]].to_numpy().tolist() == [["adverse_slope", "坡度 -1.01‰"]]
    assert es.sewers(plan).frame("plants")["status"].tolist() == ["cannot_tell"]


def test_without_boundary_the_district_stands_for_what_is_built_up(tmp_path):
    folder = tmp_path / "p"
    kinds = ("district", "sewer_catchment")
    entries = [entry for entry in river_layers(folder) if entry["kind"] in kinds]
    study = es.sewers(es.open_plan(plan_folder(folder, entries, [])))
    assert "城镇开发边界未取得，管网空白区以全区为范围" in study.notices
    assert study.frame("coverage")["area_m2"].sum() == pytest.approx(4e8 - 1e4 * (9980 + 8980))
    assert set(study.tables) == {"summary", "plants", "shares", "coverage", "catchments"}


def test_outfalls_alone_are_still_matched_to_nothing(tmp_path):
    folder = tmp_path / "p"
    entries = [entry for entry in river_layers(folder) if entry["kind"] in ("district", "outfall")]
    study = es.sewers(es.open_plan(plan_folder(folder, entries, [])))
    assert study.frame("outfalls")["river"].tolist() == ["干河", "断浜"]
    assert study.frame("outfalls")["catchment"].tolist() == [-1, -1]


# ------------------------------------------------------------------------------------------ files


@pytest.fixture(scope="module")
def written(study, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    (folder / "other.txt").write_text("stays", encoding="utf-8")
    paths = study.write(folder) + es.sewers(plan, litres_per_head_d=200).write(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*(path.name for path in paths), "other.txt"])
    return folder


def test_the_geopackage_holds_every_table(written, study):
    names = {name for name, _ in pyogrio.list_layers(written / "network.gpkg")}
    assert names == {*study.tables, "meta"}
    ends = gpd.read_file(written / "network.gpkg", layer="ends")
    assert ends["end"].tolist()[2] == "断头浜"
    assert ends.crs == CRS
    assert ends.geometry[2].equals(shapely.Point(495000, 3524000))
    reaches = gpd.read_file(written / "network.gpkg", layer="reaches")
    assert reaches["length_m"].sum() == pytest.approx(36850)
    meta = gpd.read_file(written / "network.gpkg", layer="meta", ignore_geometry=True).set_index("key")["value"]
    assert meta["format"] == "ecospatial-network"
    assert meta["crs"] == CRS


def test_the_workbook_has_numbers_and_no_formula(written, study):
    book = openpyxl.load_workbook(written / "network.xlsx")
    assert book.sheetnames == [table.title for table in study]
    sheet = book["缺口排序"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(row for row in rows if row[0] == "性质")
    first = dict(zip(head, rows[rows.index(head) + 1], strict=True))
    assert first["性质"] == "连通分离水系"
    assert first["可连通（米）"] == 2850
    assert first["从"].startswith("=1+1")
    assert all(cell.data_type != "f" for page in book for row in page.iter_rows() for cell in row)
    assert sheet.freeze_panes is not None
    assert any("内部使用" in str(row[0]) for row in rows[:3])


def test_the_map_holds_names_as_typed(written):
    page = (written / "network.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "断头浜" in page
    assert "内部使用，未经审核，不得公开" in page


def test_the_same_plan_gives_the_same_bytes(written, study, plan, tmp_path):
    again = study.write(tmp_path) + es.sewers(plan, litres_per_head_d=200).write(tmp_path)
    for path in again:
        assert path.read_bytes() == (written / path.name).read_bytes(), path.name
    with zipfile.ZipFile(tmp_path / "sewers.xlsx") as book:
        assert {member.date_time for member in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with sqlite3.connect(tmp_path / "sewers.gpkg") as base:
        assert {row[0] for row in base.execute("select last_change from gpkg_contents")} == {"2000-01-01T00:00:00.000Z"}


def test_a_place_that_can_not_be_written_to_is_said(study, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SiteError, match="输出文件夹不能建立或写入"):
        study.write(tmp_path / "file")


def test_a_study_shows_itself_in_a_notebook(study):
    shown = study._repr_html_()
    assert "测试规划　河网分析" in shown
    assert "<script>" not in shown
    assert "断头浜" in study.text()
    assert "\x0b" not in study.text()


def test_source_and_schematic_layers_are_named_above_everything(tmp_path):
    folder = tmp_path / "p"
    entries = river_layers(folder)
    for entry in entries:
        entry["status"] = "schematic"
    made = es.open_plan(plan_folder(folder, entries, [], review_number="苏S(2026)1号"))
    assert es.rivers(made).notices[:2] == ("审图号：苏S(2026)1号", "含示意图层：位置为人工示意，不得作为审批依据")
    assert SOURCE["publisher"] == "测试"
