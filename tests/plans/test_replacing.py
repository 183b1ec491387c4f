"""The section of docs/files.md on replacing a schematic layer does what it says, command by command."""

from __future__ import annotations

import re
import shlex
import shutil
import warnings
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from made_plans import DISTRICT
from made_traps import HEAD, corners, parcel
from project_paths import DOCS

import ecospatial as es
from ecospatial.cli.root import cli
from ecospatial.sites import read_sites

PAGE = DOCS / "files.md"
# The site is the box from (500000, 3520000), 100 m wide. The zone drawn by hand covers all of it, the official
# one begins 30 m further east.
DRAWN = shapely.box(499900, 3519000, 502000, 3521000)
OFFICIAL = shapely.box(500030, 3519000, 502000, 3521000)


def commands():
    block = re.search(r"### Replacing a schematic.*?```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = block.group(1).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.strip()]


@pytest.fixture
def _files(tmp_path, monkeypatch):
    def shapefile(name, shape, **columns):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gpd.GeoDataFrame(columns, geometry=[shape], crs=4549).to_file(tmp_path / name, encoding="gbk")

    shapefile("区界.shp", DISTRICT, XZQMC=["钟楼区"])
    shapefile("管控区.shp", OFFICIAL, 管控区类型=["清水通道维护区"], 名称=["新孟河"])
    drawn = gpd.GeoDataFrame({"类型": ["清水通道维护区"]}, geometry=[DRAWN], crs=4549)
    drawn.to_file(tmp_path / "示意管控区.geojson", driver="GeoJSON")
    text = "\n".join([HEAD.strip(), "[地块坐标]", *parcel(*corners())])
    (tmp_path / "红线.txt").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def overlap():
    plan = es.open_plan("zhonglou")
    found = es.check(read_sites("红线.txt", plan=plan), plan, on="2026-11-20").frame
    zone = found[(found["layer"] == "control_zone") & (found["overlap_m2"] > 0)].iloc[0]
    return round(zone.overlap_m2, 3), zone.layer_status, bool(zone.certain)


@pytest.mark.usefixtures("_files")
def test_the_section_runs_and_the_numbers_change():
    lines = commands()
    assert len(lines) == 7
    told = []
    for program, *arguments in lines:
        assert program == "ecospatial"
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
        assert done.return_value == 0, done.output
        told.append((arguments[:2], done.output))
        if arguments[0] == "check" and len(told) == 4:
            # All of the site, and 100 m from the edge of a zone that may be 300 m off.
            assert overlap() == (10000.0, "schematic", False)
    assert "zone_type（管控区类型）← 管控区类型" in told[4][1]
    assert "没有问题" in told[5][1]
    assert overlap() == (7000.0, "official", True)
    layer = es.open_plan("zhonglou").layers["control_zone"]
    assert (layer.status, layer.accuracy_m, str(layer.valid_from)) == ("official", 1, "2026-01-01")


# What the bureau's file of each README holds: the columns by their usual names.
FILES = {
    "changzhou-zhonglou": {"管控区类型": ["清水通道维护区"], "名称": ["新孟河"]},
    "changzhou-tianning": {"名称": ["永久基本农田"]},
    "nanjing-gulou": {"水源地": ["北河口"], "级别": ["一级"]},
}


@pytest.mark.parametrize("name", FILES)
def test_the_readme_of_a_plan_tells_how_to_replace_a_layer(name, tmp_path, monkeypatch):
    folder = Path(es.open_plan(name).folder)
    block = re.search(r"## Putting.*?```bash\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [shlex.split(line) for line in block.group(1).replace("\\\n", " ").splitlines() if line.strip()]
    shutil.copytree(folder, tmp_path / "own")
    inside = es.open_plan(name).area.centroid.buffer(500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame(FILES[name], geometry=[inside], crs=4549).to_file(tmp_path / lines[0][3], encoding="gbk")
    monkeypatch.chdir(tmp_path)
    for _, *arguments in lines:
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
        if arguments[:2] == ["plan", "validate"]:
            # Values that are there but not drawn, or that the bureau has yet to confirm as absent, are listed.
            assert all("没有要素的" in line for line in done.output.splitlines()[:-1]), done.output
            continue
        assert done.return_value == 0, done.output
    kind = lines[0][lines[0].index("--kind") + 1]
    layer = es.open_plan("own").layers[kind]
    assert (layer.status, layer.accuracy_m) == ("official", 1)
    assert len(es.open_plan("own").frame(kind)) == 1
