"""The options that say how a file of sites is to be read: the same wherever a command takes one."""

from __future__ import annotations

import warnings

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from made_plans import worked_example

from ecospatial.cli.root import cli
from ecospatial.errors import EcospatialError

E, N = 500_600, 3_520_000
BOX = shapely.box(E, N, E + 100, N + 100)
COMMON = ["--crs", "--towgs84", "--four-params", "--skip-bad", "--max-vertices"]


@pytest.fixture
def plan(tmp_path):
    return str(worked_example(tmp_path))


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=True)


def way_to_read(command, plan, source, *options):
    if command == "check":
        return run("check", source, "--plan", plan, *options)
    return run(command, "--plan", plan, "--sites", source, *options)


@pytest.mark.parametrize(
    ("command", "layer"),
    [(["check"], "--layer"), (["map"], "--layer"), (["network"], "--layer"), (["raster", "zonal"], "--file-layer")],
)
def test_every_command_that_reads_sites_has_the_same_options(command, layer):
    told = run(*command, "--help").output
    assert [name for name in (*COMMON, layer) if name not in told] == []


@pytest.mark.parametrize("command", ["check", "map", "network"])
def test_four_parameters_move_a_city_grid(command, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A city grid that begins in the corner of the plan: 600 m and 20 km from it lies the site.
    local = shapely.transform(BOX, lambda xy: xy - (490_000, 3_510_000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame(geometry=[local]).to_file(tmp_path / "a.shp")
    assert "坐标系" in failed(way_to_read(command, plan, "a.shp"))
    done = way_to_read(command, plan, "a.shp", "--four-params", "490000,3510000,0,1")
    assert read(done)
    assert "已按四参数由地方坐标换算" in done.output


@pytest.mark.parametrize("command", ["check", "map", "network"])
def test_a_layer_is_named_and_a_bad_site_skipped(command, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flat = shapely.Polygon([(E, N), (E + 9, N), (E, N)])
    for name, shapes in (("红线", [BOX, flat]), ("范围", [BOX.buffer(50)])):
        gpd.GeoDataFrame(geometry=shapes, crs=4549).to_file(tmp_path / "a.gpkg", layer=name)
    assert "红线" in failed(way_to_read(command, plan, "a.gpkg"))
    assert "第 2 行" in failed(way_to_read(command, plan, "a.gpkg", "--layer", "红线"))
    done = way_to_read(command, plan, "a.gpkg", "--layer", "红线", "--skip-bad")
    assert read(done)
    assert "已跳过，未作判定：a.gpkg" in done.output


@pytest.mark.parametrize("command", ["check", "map", "network"])
def test_an_old_datum_needs_its_parameters_and_a_far_site_a_word(command, plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame(geometry=[BOX], crs=2385).to_file(tmp_path / "a.shp")  # Xian 80, 120 E
        gpd.GeoDataFrame(geometry=[shapely.box(E, N + 50_000, E + 9, N + 50_009)], crs=4549).to_file(tmp_path / "b.shp")
    assert "--towgs84" in failed(way_to_read(command, plan, "a.shp"))
    assert read(way_to_read(command, plan, "a.shp", "--crs", "2385", "--towgs84", "0,0,0,0,0,0,0"))
    assert "--allow-far" in failed(way_to_read(command, plan, "b.shp"))
    assert read(way_to_read(command, plan, "b.shp", "--allow-far"))
    assert "--max-vertices" in failed(way_to_read(command, plan, "b.shp", "--allow-far", "--max-vertices", "4"))


def test_the_zones_of_a_grid_are_read_with_the_same_options(tmp_path):
    for name in ("甲", "乙"):
        zone = gpd.GeoDataFrame(geometry=[shapely.box(491_000, 3_515_000, 491_500, 3_515_500)], crs=4549)
        zone.to_file(tmp_path / "zones.gpkg", layer=name)
    asked = ("raster", "zonal", "--plan", "changzhou-zhonglou", "--on", "2026-11-20", "--file", tmp_path / "zones.gpkg")
    assert "--layer" in failed(run(*asked))
    done = run(*asked, "--file-layer", "乙", "--format", "json")
    assert done.exit_code == 0, done.output


def read(done):
    """Tell whether the sites were read; this plan has no river, which the network asks for afterwards."""
    return done.exit_code == 0 or "不能建立河网" in failed(done)


def failed(done):
    assert isinstance(done.exception, EcospatialError), done.output
    return str(done.exception)
