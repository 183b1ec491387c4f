from __future__ import annotations

import hashlib
import zipfile
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from made_sites import PLAN, E, N, box, facts, frame, lonlat, problems, survey, table, texts

from ecospatial.errors import CrsError, EcospatialError, SiteError
from ecospatial.sites import from_wkt, read_sites

# ------------------------------------------------------------------------------------------ geometries


def test_every_unusable_geometry_is_listed_at_once_with_its_row():
    with np.errstate(invalid="ignore"):
        nan = shapely.from_wkt("POLYGON ((500000 3520000, 500100 nan, 500100 3520100, 500000 3520000))")
    flat = shapely.Polygon([(E, N), (E + 100, N), (E + 50, N)])
    mixed = shapely.GeometryCollection([box(), shapely.Point(E, N)])
    stub = shapely.LineString([(E, N), (E, N)])
    made = frame(box(), None, shapely.Polygon(), nan, flat, mixed, stub)
    found = problems(SiteError, lambda: read_sites(made, plan=PLAN))
    assert [p.row for p in found] == [2, 3, 4, 5, 6, 7]
    said = "".join(p.message for p in found)
    assert all(word in said for word in ("没有图形", "空的", "NaN", "面积为零", "几何集合", "长度为零"))
    sites = read_sites(made, plan=PLAN, skip_bad=True)
    assert sites.index.tolist() == ["1"]
    assert [s["site_id"] for s in sites.attrs["skipped"]] == ["2", "3", "4", "5", "6", "7"]
    assert sites.attrs["skipped"][0] == {"site_id": "2", "source": "内存数据，第 2 行", "problem": "没有图形"}
    assert read_sites(sites, plan=PLAN).attrs["skipped"] == sites.attrs["skipped"]


def test_all_sites_bad_leaves_an_empty_frame():
    sites = read_sites(frame(None, None), plan=PLAN, skip_bad=True)
    assert len(sites) == 0
    assert len(sites.attrs["skipped"]) == 2


def test_points_lines_and_heights():
    made = frame(shapely.Point(E, N, 5), shapely.LineString([(E, N, 1), (E + 10, N, 2)]), shapely.MultiPoint([(E, N)]))
    sites = read_sites(made, plan=PLAN)
    assert sites.geometry.geom_type.tolist() == ["Point", "LineString", "MultiPoint"]
    assert not sites.has_z.any()
    assert sites.repair.tolist() == ["", "", ""]


def test_repairs_are_said_with_the_change_of_area():
    hole_outside = shapely.Polygon(box().exterior, [shapely.box(E + 200, N, E + 210, N + 10).exterior])
    sites = read_sites(frame(hole_outside), plan=PLAN)
    assert sites.area.iloc[0] == pytest.approx(10000)
    assert sites.repair_area_m2.iloc[0] == pytest.approx(100)
    assert "外环之外" in sites.repair.iloc[0]


def test_repairs_in_degrees_are_in_square_metres():
    bow_tie = shapely.Polygon([(E, N), (E + 100, N + 100), (E + 100, N), (E, N + 100)])
    sites = read_sites(frame(lonlat(bow_tie), crs=4490))
    assert sites.crs.to_epsg() == 4490
    assert sites.repair_area_m2.iloc[0] == pytest.approx(5000, rel=1e-3)


# --------------------------------------------------------------------------------------------- sources


def test_survey_text(tmp_path):
    path = survey(tmp_path / "红线.txt", ("A-1", 0), ("A-2", 300))
    sites = read_sites(path, plan=PLAN)
    assert sites.index.tolist() == ["A-1", "A-2"]
    assert sites.geometry["A-1"].equals(box())
    assert sites.land_use.tolist() == ["0701", "0701"]
    assert sites.site_name.tolist() == ["厂房", "厂房"]
    assert sites.source["A-2"] == "红线.txt，第 13 行"
    assert sites.repair.tolist() == ["", ""]
    assert sites.attrs["inputs"] == [{"file": "红线.txt", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    assert read_sites(path).crs.to_epsg() == 4549


@pytest.mark.parametrize(
    ("zone", "east", "code"), [("40", 40_500_000, 4528), ("", 40_500_000, 4528), ("39", E, 4548), ("20", E, 4509)]
)
def test_the_zone_of_a_survey_text(tmp_path, zone, east, code):
    path = survey(tmp_path / "a.txt", zone=zone, east=east)
    text = path.read_text("utf-8")
    path.write_text(text.replace("几度分带=3", "几度分带=6") if zone == "20" else text, "utf-8")
    assert read_sites(path).crs.to_epsg() == code


def test_a_survey_text_that_names_no_zone_is_proven_by_the_plan(tmp_path):
    path = survey(tmp_path / "a.txt", zone="")
    assert read_sites(path, plan=PLAN).geometry.iloc[0].equals(box())
    assert "没有坐标系" in texts(CrsError, lambda: read_sites(path))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"datum": "1980西安坐标系"}, "1980西安坐标系"),
        ({"datum": "1954北京坐标系"}, "1954北京坐标系"),
        ({"datum": "常州城市坐标系"}, "地方坐标系"),
        ({"zone": "39", "east": 40_500_000}, "前缀是 40"),
        ({"zone": "20"}, "几度分带"),
        ({"zone": "99"}, "第 99 带"),
    ],
)
def test_a_survey_text_in_another_frame_is_refused_unless_the_caller_decides(tmp_path, changes, word):
    path = survey(tmp_path / "a.txt", **changes)
    assert word in texts(CrsError, lambda: read_sites(path, plan=PLAN))
    east = changes.get("east", E)
    sites = read_sites(path, plan=PLAN, crs=4528 if east > 1e7 else 4549)
    assert shapely.hausdorff_distance(sites.geometry.iloc[0], box()) < 1e-6
    assert word in sites.repair.iloc[0]


def test_swapped_columns_of_a_survey_text_are_said(tmp_path):
    path = survey(tmp_path / "a.txt")
    lines = path.read_text("utf-8").splitlines()
    turned = [
        ",".join([*line.split(",")[:2], *reversed(line.split(",")[2:])]) if line[0] == "J" else line for line in lines
    ]
    path.write_text("\n".join(turned), "utf-8")
    sites = read_sites(path, plan=PLAN)
    assert sites.geometry.iloc[0].equals(box())
    assert "标反" in sites.repair.iloc[0]


def test_a_city_grid_whose_numbers_tell_nothing(tmp_path):
    # Northings are counted from 3 500 km, eastings from the meridian: 20000 and 5000 could be either.
    grid = "+proj=tmerc +lon_0=120 +x_0=0 +y_0=-3500000 +ellps=GRS80 +units=m"
    lines = ["[地块坐标]", "4,,1,x,面,,,,@", "J1,1,20000,5000", "J2,1,20000,5100", "J3,1,20100,5100", "J4,1,20100,5000"]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines), "utf-8")
    narrow = SimpleNamespace(crs=PLAN.crs, area=shapely.box(504000, 3519000, 506000, 3521000), title="钟楼区")
    sites = read_sites(path, plan=narrow, crs=grid)
    assert sites.geometry.iloc[0].bounds == pytest.approx((505000, 3520000, 505100, 3520100))
    assert "看不出" in texts(CrsError, lambda: read_sites(path, crs=grid))
    assert "没有坐标系" in texts(CrsError, lambda: read_sites(path, plan=narrow))


def test_faults_of_one_parcel_can_be_skipped(tmp_path):
    path = survey(tmp_path / "a.txt", ("A-1", 0), ("A-2", 300))
    path.write_text(path.read_text("utf-8").replace("J3,1,3520100,500100", "J3,1,abc,500100"), "utf-8")
    found = problems(SiteError, lambda: read_sites(path, plan=PLAN))
    assert [(p.row, p.message) for p in found] == [(11, "坐标不是数字：“abc”")]
    sites = read_sites(path, plan=PLAN, skip_bad=True)
    assert sites.index.tolist() == ["A-2"]
    assert sites.attrs["skipped"][0]["site_id"] == "A-1"


def test_a_coordinate_table(tmp_path):
    ring = [(0, 0), (100, 0), (100, 100), (0, 100)]
    rows = [["07", N + y, E + x, "C2614" if i == 0 else None, 1] for i, (x, y) in enumerate(ring)]
    path = table(tmp_path / "坐标.xlsx", ["地块编号", "X", "Y", "行业代码", "户数"], *rows)
    sites = read_sites(path, plan=PLAN)
    assert sites.geometry["07"].equals(box())
    assert sites.activity["07"] == "C2614"
    assert sites["户数"].tolist() == [1]
    assert sites.repair["07"] == ""
    assert "EPSG:4549" in sites.attrs["notices"][-1]
    assert read_sites(path, plan=PLAN, crs=4549).attrs["notices"] == []


def test_a_table_that_says_its_crs(tmp_path):
    path = table(tmp_path / "a.xlsx", ["wkt", "crs"], [box().wkt, "EPSG:4549"])
    assert read_sites(path).crs.to_epsg() == 4549
    path = table(tmp_path / "b.xlsx", ["wkt", "坐标系"], [box().wkt, "1980西安坐标系"])
    assert "1980西安" in texts(CrsError, lambda: read_sites(path, plan=PLAN))
    path = table(tmp_path / "c.xlsx", ["wkt", "坐标系"], [lonlat(box()).wkt, "gcj02"])
    assert "GCJ-02" in read_sites(path, plan=PLAN).repair.iloc[0]


def test_a_zipped_gbk_shapefile(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    frame(项目名称=["化工厂", "码头"], 建设性质=["新建", "现状"]).to_file(inside / "红线.shp", encoding="gbk")
    (inside / "红线.cpg").unlink()
    with zipfile.ZipFile(tmp_path / "红线.zip", "w") as archive:
        for part in inside.iterdir():
            archive.write(part, f"报批/{part.name}")
    sites = read_sites(tmp_path / "红线.zip", plan=PLAN)
    assert sites.site_name.tolist() == ["化工厂", "码头"]
    assert sites.works.tolist() == ["new", "existing"]
    assert sites.source.tolist() == ["红线.zip，第 1 行", "红线.zip，第 2 行"]
    assert sites.attrs["inputs"][0]["file"] == "红线.zip"


def test_all_files_of_a_shapefile_are_hashed(tmp_path):
    frame().to_file(tmp_path / "a.shp")
    entries = read_sites(tmp_path / "a.shp").attrs["inputs"]
    assert [entry["file"] for entry in entries] == ["a.shp", "a.cpg", "a.dbf", "a.prj", "a.shx"]
    assert entries[2]["sha256"] == hashlib.sha256((tmp_path / "a.dbf").read_bytes()).hexdigest()


def test_booleans_with_gaps_come_back_from_files(tmp_path):
    made = frame(stores_hazardous=pd.Series([True, None], dtype=object))
    for suffix in (".gpkg", ".geojson"):
        made.to_file(tmp_path / f"a{suffix}")
        assert read_sites(tmp_path / f"a{suffix}").stores_hazardous.tolist() == [True, None]


def test_the_layer_is_part_of_the_source(tmp_path):
    frame().to_file(tmp_path / "a.gpkg", layer="红线")
    assert read_sites(tmp_path / "a.gpkg").source.iloc[1] == "a.gpkg，红线，第 2 行"
    frame().to_file(tmp_path / "a.gpkg", layer="旧")
    assert "旧" in texts(SiteError, lambda: read_sites(tmp_path / "a.gpkg"))


def test_lists_and_values_of_json_do_no_harm(tmp_path):
    path = tmp_path / "a.geojson"
    shape = shapely.to_geojson(lonlat(box()))
    properties = '{"id": ["a", 1], "name": {"x": 1}, "n": [1, 2], "t": "2026-11-20T10:00:00Z"}'
    path.write_text('{"type":"Feature","properties":' + properties + ',"geometry":' + shape + "}")
    assert len(read_sites(path, plan=PLAN)) == 1


# ----------------------------------------------------------------------------------- several sources


def test_several_files_with_different_crs_end_in_the_crs_of_the_plan(tmp_path):
    first = survey(tmp_path / "a.txt")
    frame(lonlat(box(500)), crs=4490, 编号=["B"]).to_file(tmp_path / "b.gpkg")
    sites = read_sites([first, tmp_path / "b.gpkg"], plan=PLAN)
    assert sites.index.tolist() == ["A-1", "B"]
    assert shapely.hausdorff_distance(sites.geometry["B"], box(500)) < 1e-6
    assert sites.crs == PLAN.crs
    alone = read_sites([first, tmp_path / "b.gpkg"])
    assert alone.crs.to_epsg() == 4490
    assert shapely.hausdorff_distance(alone.geometry["B"], lonlat(box(500))) < 1e-10
    assert [entry["file"] for entry in sites.attrs["inputs"]] == ["a.txt", "b.gpkg"]
    assert read_sites([first]).crs.to_epsg() == 4549


def test_ids_go_on_over_several_files_and_must_not_repeat(tmp_path):
    frame().to_file(tmp_path / "a.gpkg")
    frame(box(300)).to_file(tmp_path / "b.gpkg")
    assert read_sites([tmp_path / "a.gpkg", tmp_path / "b.gpkg"]).index.tolist() == ["1", "2", "3"]
    frame(box(300), 编号=["1"]).to_file(tmp_path / "b.gpkg")
    text = texts(SiteError, lambda: read_sites([tmp_path / "a.gpkg", tmp_path / "b.gpkg"]))
    assert "a.gpkg 第 1 行、b.gpkg 第 1 行" in text


def test_a_folder_is_read_without_what_is_no_site(tmp_path):
    survey(tmp_path / "a.txt")
    frame(box(500), 编号=["B"]).to_file(tmp_path / "b.shp", encoding="utf-8")
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "~$a.xlsx").write_text("x")
    path = facts(tmp_path / "facts.csv", "site_id,危化品", "B,是")
    sites = read_sites(tmp_path, plan=PLAN, facts=path)
    assert sites.index.tolist() == ["A-1", "B"]
    assert sites.stores_hazardous.tolist() == [None, True]
    (tmp_path / "c.dwg").write_bytes(b"AC1032")
    assert "c.dwg" in texts(SiteError, lambda: read_sites(tmp_path, plan=PLAN, facts=path))


def test_an_empty_folder_and_an_empty_list(tmp_path):
    assert "没有可读取" in texts(SiteError, lambda: read_sites(tmp_path))
    assert "没有给出" in texts(SiteError, lambda: read_sites([]))


def test_faults_of_all_files_are_raised_at_once(tmp_path):
    (tmp_path / "empty.gpkg").touch()
    text = texts(SiteError, lambda: read_sites([tmp_path / "empty.gpkg", tmp_path / "nowhere.shp", "https://x/a.shp"]))
    assert all(word in text for word in ("empty.gpkg", "nowhere.shp", "网址"))


@pytest.mark.parametrize(
    "source",
    [None, 3, "", b"x", [None], pd.DataFrame({"a": [1]}), gpd.GeoDataFrame({"a": [1]}), "a\0b", {"type": "Point"}],
)
def test_what_is_no_source_is_our_error(source):
    assert texts(EcospatialError, lambda: read_sites(source))


def test_an_empty_layer_has_no_sites(tmp_path):
    frame().iloc[:0].to_file(tmp_path / "a.gpkg")
    assert "没有地块" in texts(SiteError, lambda: read_sites(tmp_path / "a.gpkg", plan=PLAN))


# ----------------------------------------------------------------------------------------------- WKT


def test_one_site_from_text():
    sites = from_wkt(box().wkt, plan=PLAN, activity="C2614", works="新建")
    assert sites.index.tolist() == ["1"]
    assert sites.geometry["1"].equals(box())
    assert (sites.activity["1"], sites.works["1"], sites.source["1"]) == ("C2614", "new", "WKT，第 1 行")
    assert len(sites.attrs["inputs"][0]["sha256"]) == 64
    assert from_wkt(f"SRID=4549;{box().wkt}").crs.to_epsg() == 4549


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "没有图形"),
        ("hello", "WKT"),
        ("POLYGON EMPTY", "空的"),
        ("GEOMETRYCOLLECTION (POINT (500000 3520000))", "几何集合"),
        ("POINT (600000 3520000)", "20 km"),
    ],
)
def test_bad_text(text, word):
    assert word in texts(EcospatialError, lambda: from_wkt(text, plan=PLAN, crs=4549))


def test_far_text_can_be_allowed():
    assert len(from_wkt("POINT (600000 3520000)", plan=PLAN, crs=4549, allow_far=True)) == 1
