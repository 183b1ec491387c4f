"""``ecospatial raster``: tables on the screen, files in a folder, exit codes."""

from __future__ import annotations

import csv
import json
import sqlite3

import geopandas as gpd
import numpy as np
import pytest
import shapely
from made_plans import CITE, SOURCE, plan_folder, rule
from made_plans import layer as vector
from made_rasters import BUILT, CROP, TREE, WATER, WEST, pixels, write

from ecospatial.cli import main

NAMES = {"1": "tree", "2": "grass", "3": "crop", "4": "built", "5": "water"}
HOSTILE = "<script>alert(1)</script>{{7*7}}"
WATCH = rule("W1", relation="overlaps", layer="control_zone", title=HOSTILE, where={"zone_type": ["重要水源涵养区"]})
MAYBE = rule("W2", relation="overlaps", layer="eco_redline", cite=dict(CITE) | {"verified": False})
LIMIT = rule("W3", relation="overlaps", layer="district", effect="restricted")
PROJECTS = rule("W4", relation="overlaps", layer="district", when={"works": ["new"]})


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def cover(folder, name, date, values, **keys):
    write(folder / f"{name}.tif", values.astype(np.uint8), nodata=0)
    return {
        "kind": "land_cover", "name": name, "path": f"{name}.tif", "date": date, "classes": dict(NAMES),
        "status": "official", "coverage": "district", "accuracy_m": 10, "source": dict(SOURCE),
    } | keys  # fmt: skip


@pytest.fixture
def plan(tmp_path):
    """A district of 600 m by 600 m; three changes: in a control zone, in a red line, and elsewhere."""
    folder = tmp_path / "plan"
    folder.mkdir()
    before = np.full((60, 60), CROP)
    before[:6], before[50:] = TREE, WATER
    after = before.copy()
    after[10:20, 10:20] = BUILT  # 10 000 m2 in the control zone
    after[30:35, 10:20] = BUILT  # 5000 m2 in the red line
    after[30:40, 40:50] = TREE  # 10 000 m2 in neither
    zones = [
        vector(folder, "district", pixels(0, 0, 60, 60), coverage="extent", accuracy_m=0),
        vector(
            folder, "control_zone", pixels(0, 8, 30, 14), accuracy_m=5,
            columns={"feature_name": [HOSTILE], "zone_type": ["重要水源涵养区"]},
        ),
        vector(folder, "eco_redline", pixels(0, 28, 30, 10), accuracy_m=500, columns={"feature_name": ["=1+1"]}),
    ]  # fmt: skip
    rasters = [
        cover(folder, "cover_old", "2020-06-01", before),
        cover(folder, "cover_new", "2024-06-01", after, status="schematic"),
    ]
    slope = cover(folder, "slope", "2024-06-01", before) | {"kind": "slope"}
    write(folder / "slope.tif", np.arange(3600, dtype=np.float32).reshape(60, 60))
    del slope["classes"]
    return plan_folder(folder, [*zones, *rasters, slope], [WATCH, MAYBE, LIMIT, PROJECTS])


# -------------------------------------------------------------------------------------------------- change


def test_change_on_the_screen(plan, capsys):
    assert run("raster", "change", "--plan", plan, "--on", "2026-11-20") == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0] == "测试规划　2020-06-01 至 2024-06-01，3 处变化图斑"
    assert lines[1].split()[:3] == ["1", "疑似侵占", "耕地→建设用地"]
    assert "10,000 m²（15.00 亩）" in lines[1]
    assert "禁止类（W1）" in lines[1]
    assert "禁止类（W2），边界存疑" in lines[2]
    assert "限制类（W3）" in lines[3]
    assert "须现场核实" in shown.err


def test_change_as_files(plan, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("raster", "change", "--plan", plan, "--on", "2026-11-20", "--out", out) == 0
    names = ["changes.csv", "changes.gpkg", "changes.html", "changes.json", "changes_map.html"]
    assert sorted(path.name for path in out.iterdir()) == names
    patches = gpd.read_file(out / "changes.gpkg", layer="patches")
    assert patches.crs.to_epsg() == 4549
    assert patches["area_m2"].round().tolist() == [10000, 5000, 10000]
    assert patches["patch_id"].tolist() == [1, 2, 3]
    assert patches.geometry.area.round().tolist() == [10000, 5000, 10000]
    tables = {row[0] for row in sqlite3.connect(out / "changes.gpkg").execute("SELECT table_name FROM gpkg_contents")}
    assert tables == {"patches", "matrix", "zones", "indicators", "meta"}
    document = json.loads((out / "changes.json").read_text(encoding="utf-8"))
    assert document["meta"]["old_date"] == "2020-06-01"
    assert [row["severity"] for row in document["patches"]] == ["prohibited", "prohibited", "restricted"]
    assert [row["verified"] for row in document["patches"]] == [True, False, True]
    lon, lat = np.mean(shapely.get_coordinates(shapely.geometry.shape(document["patches"][0]["geometry"])), axis=0)
    assert (lon, lat) == pytest.approx((120.0016, 31.8025), abs=5e-4)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run("raster", "change", "--plan", plan, "--on", "2026-11-20", "--out", out) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    capsys.readouterr()


def test_names_from_files_stay_text(plan, tmp_path, capsys):
    assert run("raster", "change", "--plan", plan, "--on", "2026-11-20", "--out", tmp_path / "out") == 0
    for name in ("changes.html", "changes_map.html"):
        page = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "<script>alert(1)" not in page
        assert "{{7*7}}" in page  # not compiled
    assert "://" not in (tmp_path / "out" / "changes.html").read_text(encoding="utf-8")
    with (tmp_path / "out" / "changes.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["管控区"] == "'=1+1"  # no formula
    assert (rows[0]["前期"], rows[0]["后期"], rows[0]["确在区内"]) == ("耕地", "建设用地", "是")
    capsys.readouterr()


def test_limits_layers_and_zones_can_be_chosen(plan, capsys):
    common = ("raster", "change", "--plan", plan, "--on", "2026-11-20", "--format", "json")
    assert run(*common, "--zones", "eco_redline", "--min-patch", "4000") == 0
    assert [p["zone"] for p in json.loads(capsys.readouterr().out)["patches"]] == ["eco_redline:1"]
    assert run(*common, "--min-patch", "6000") == 0
    assert [p["patch_area_m2"] for p in json.loads(capsys.readouterr().out)["patches"]] == [10000, 10000]
    assert run(*common, "--old", "cover_new", "--new", "cover_old", "--tolerance", "0") == 0
    turned = json.loads(capsys.readouterr().out)
    assert {(p["from_cover"], p["to_cover"]) for p in turned["patches"]} == {("built", "crop"), ("tree", "crop")}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--old", "slope"], "没有名为 slope 的土地覆盖图层"),
        (["--zones", "river_centreline"], "不是面图层"),
        (["--zones", "forest_park"], "没有持有"),
        (["--format", "html"], "没有 --out"),
        (["--out", "x", "--format", "pdf"], "没有“pdf”"),
        (["--on", "2022-01-01"], "没有两期"),
        (["--tolerance", "9"], "用法不对"),
    ],
)
def test_what_can_not_be_compared_ends_with_2(plan, arguments, word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("raster", "change", "--plan", plan, *arguments) == 2
    assert word in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


# --------------------------------------------------------------------------------------------------- zonal


def test_zonal_of_the_latest_land_cover(plan, tmp_path, capsys):
    target = ["--target", "tree_cover>=10%", "--target", "water_share<=0.3"]
    assert run("raster", "zonal", "--plan", plan, "--on", "2026-11-20", *target, "--out", tmp_path / "out") == 0
    (row,) = json.loads((tmp_path / "out" / "zonal.json").read_text(encoding="utf-8"))["zones"]
    assert row["share_tree"] == pytest.approx(0.1 + 100 / 3600, abs=1e-6)
    assert row["area_m2_built"] == pytest.approx(15000, rel=1e-4)
    assert row["mu_built"] == pytest.approx(22.5, rel=1e-4)
    # 0.128 with 600 m and 400 m of border: 5000 m2 of 360 000 either way.
    assert row["tree_cover_low"] == pytest.approx(row["tree_cover"] - 5000 / 360000, abs=1e-6)
    assert (row["tree_cover_status"], row["water_share_status"]) == ("met", "met")
    assert run("raster", "zonal", "--plan", plan, "--target", "tree_cover>=12%") == 0
    shown = capsys.readouterr()
    assert "不能判断" in shown.out
    assert "12.8%（11.4%～14.2%）" in shown.out
    assert "含示意图层" in shown.err  # the newer picture is schematic
    assert (tmp_path / "out" / "zonal.csv").read_bytes().startswith("\ufeff编号,名称,图层类型,面积（m²）".encode())


def test_zonal_of_another_layer_zones_and_numbers(plan, capsys):
    chosen = ("--layer", "slope", "--zones", "control_zone,eco_redline", "--stats", "min,max,count", "--format", "json")
    assert run("raster", "zonal", "--plan", plan, *chosen) == 0
    rows = json.loads(capsys.readouterr().out)["zones"]
    assert [(row["min"], row["max"], row["count"]) for row in rows] == [(480, 1289, 420), (1680, 2249, 300)]
    assert [row["zone"] for row in rows] == ["control_zone:1", "eco_redline:1"]


def test_zonal_of_zones_from_a_file(plan, tmp_path, capsys):
    shapes = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.box(WEST, 3520000, WEST + 20, 3520020)], crs=4549)
    shapes.to_file(tmp_path / "mine.gpkg")
    assert run("raster", "zonal", "--plan", plan, "--file", tmp_path / "mine.gpkg", "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)["zones"]
    assert (row["zone"], row["zone_name"], row["share_crop"], row["area_m2"]) == ("1", "甲", 1, 400)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--layer", "district"], "可选：cover_old、cover_new、slope"),
        (["--target", "tree_cover=10%"], "看不懂目标"),
        (["--target", "houses>=10%"], "没有指标 houses"),
        (["--stats", "average"], "没有统计量 average"),
        (["--zones", "district", "--file", "x.gpkg"], "只能用一个"),
        (["--on", "2019-01-01"], "没有可用的土地覆盖图层"),
    ],
)
def test_what_can_not_be_measured_ends_with_2(plan, arguments, word, capsys):
    assert run("raster", "zonal", "--plan", plan, *arguments) == 2
    assert word in capsys.readouterr().err


def test_a_shipped_plan_works_out_of_the_box(tmp_path, capsys):
    assert run("raster", "zonal", "--plan", "changzhou-zhonglou", "--on", "2026-11-20") == 0
    assert "邹区镇" in capsys.readouterr().out
    out = tmp_path / "out"
    assert run("raster", "change", "--plan", "changzhou-zhonglou", "--on", "2026-11-20", "--out", out) == 0
    assert "疑似侵占" in capsys.readouterr().out
    assert "虚构" in (out / "changes.html").read_text(encoding="utf-8")
