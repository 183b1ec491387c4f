"""``ecospatial network`` and ``ecospatial sewers`` as they are called."""

from __future__ import annotations

import json

import geopandas as gpd
import pyogrio
import pytest
from made_plans import district, plan_folder
from made_waters import river_layers
from shipped_plan import PLANS

from ecospatial.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cli") / "p"
    return plan_folder(made, river_layers(made), [])


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_network_prints_tables_and_writes_nothing(folder, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "network", "--plan", folder)
    assert code == 0
    assert err == ""
    for title in ("概况", "河道与等级校核", "镇街河网密度与水面率", "河道端点", "缺口排序", "断面上游清单", "绿廊断点"):
        assert f"【{title}】" in out
    assert "断头浜" in out
    assert "注意：内部使用，未经审核，不得公开" in out
    assert list(tmp_path.iterdir()) == []


def test_network_writes_three_files(folder, capsys, tmp_path):
    code, _, err = run(capsys, "network", "--plan", folder, "--out", tmp_path / "out", "--corridor", 30, "--break", 500)
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["network.gpkg", "network.html", "network.xlsx"]
    assert err.count("已写入") == 3
    corridors = gpd.read_file(tmp_path / "out" / "network.gpkg", layer="corridors")
    assert corridors["within_m"].unique().tolist() == [30]


def test_an_accident_is_followed_downstream(folder, capsys):
    code, out, _ = run(capsys, "network", "--plan", folder, "--from", "500000,3520000", "--speed", "0.5")
    assert code == 0
    section = next(line for line in out.splitlines() if line.startswith("事故地点"))
    assert section.split() == ["事故地点", "考核断面", "1", "干河", "8,000.0", "4.4"]
    # The same place in degrees: the central meridian 120°E is x = 500000.
    _, degrees, _ = run(capsys, "network", "--plan", folder, "--from", "120,31.80293", "--speed", "0.5")
    assert next(line for line in degrees.splitlines() if line.startswith("事故地点")).split()[3:] == [
        "干河",
        "8,000.0",
        "4.4",
    ]


def test_sites_are_listed_upstream(folder, capsys, tmp_path):
    frame = gpd.GeoDataFrame({"site_id": ["A-1"]}, geometry=gpd.points_from_xy([495010], [3521000]), crs="EPSG:4549")
    frame.to_file(tmp_path / "sites.gpkg", driver="GPKG")
    code, out, _ = run(capsys, "network", "--plan", folder, "--sites", tmp_path / "sites.gpkg")
    assert code == 0
    assert any("项目地块" in line and "A-1" in line and "14,000.0" in line for line in out.splitlines())


def test_sewers_prints_and_writes(folder, capsys, tmp_path):
    code, out, _ = run(capsys, "sewers", "--plan", folder, "--litres-per-head", 200, "--out", tmp_path)
    assert code == 0
    assert "超负荷" in out
    assert "管网空白区" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sewers.gpkg", "sewers.html", "sewers.xlsx"]
    assert "pipes" in {name for name, _ in pyogrio.list_layers(tmp_path / "sewers.gpkg")}


def test_json_goes_to_standard_output_or_into_the_folder(folder, capsys, tmp_path):
    code, out, _ = run(capsys, "network", "--plan", folder, "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert (document["format"], document["version"]) == ("ecospatial-network", 1)
    gap = document["tables"]["gaps"][0]
    assert (gap["gap"], gap["gain_m"]) == ("reconnect", 2850)
    lon, lat = gap["geometry"]["coordinates"][0]
    assert (round(lon, 2), round(lat, 2)) == (120.05, 31.8)
    run(capsys, "sewers", "--plan", folder, "--format", "json,xlsx", "--out", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sewers.json", "sewers.xlsx"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["network", "--plan", "没有这个规划"], "没有这个规划"),
        (["network"], "--plan"),
        (["network", "--plan", "{folder}", "--snap", "-1"], "--snap"),
        (["network", "--plan", "{folder}", "--max-gap", "0"], "--max-gap"),
        (["network", "--plan", "{folder}", "--from", "这里"], "地点 这里 不可用"),
        (["network", "--plan", "{folder}", "--from", "nan,3"], "地点 nan,3 不可用"),
        (["network", "--plan", "{folder}", "--on", "昨天"], "日期"),
        (["sewers", "--plan", "{folder}", "--litres-per-head", "0"], "--litres-per-head"),
        (["sewers", "--plan", "{folder}", "--format", "xlsx"], "--format json"),
        (["sewers", "--plan", "{folder}", "--out", "x", "--format", "docx"], "没有“docx”这种输出格式"),
    ],
)
def test_wrong_calls_end_with_2_and_a_readable_line(folder, capsys, arguments, said):
    code, out, err = run(capsys, *(argument.format(folder=folder) for argument in arguments))
    assert code == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_a_plan_without_rivers_ends_with_2(tmp_path, capsys):
    made = tmp_path / "p"
    made.mkdir()
    bare = plan_folder(made, [district(made)], [])
    code, _, err = run(capsys, "network", "--plan", bare, "--out", tmp_path / "out")
    assert code == 2
    assert "河道中心线图层未取得" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", PLANS)
def test_every_shipped_district_can_be_studied(name, capsys):
    code, out, _ = run(capsys, "network", "--plan", name)
    assert code == 0
    assert "【河道端点】" in out
    code, out, _ = run(capsys, "sewers", "--plan", name)
    assert code == 0
    assert "【污水处理厂负荷】" in out
