"""The comparison with the peers, in small: every peer that is there finds the same pairs and the same area."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from project_paths import SCRIPTS

sys.path.insert(0, str(SCRIPTS / "benchmarks"))
import check as benchmark_check
import peers

import ecospatial as es


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("peers")
    given = type("Given", (), {"zones": None, "sites": None, "vertices": 20_000, "count": 300})
    zones, sites = peers.data(given)
    assert zones.is_valid.all()
    zones.to_parquet(made / "zones.parquet")
    sites.to_parquet(made / "sites.parquet")
    return made


def test_every_peer_finds_the_same_area(folder):
    pytest.importorskip("duckdb_extension_spatial")
    found = {peer: peers.answer(peer, folder) for peer in ("ecospatial", "overlay", "strtree", "duckdb")}
    expected = found["strtree"]
    assert expected["pairs"] > 100
    for peer, entry in found.items():
        assert entry["area_m2"] == pytest.approx(expected["area_m2"], rel=1e-9), peer
        assert entry["pairs"] == pytest.approx(expected["pairs"], abs=1), peer
        assert entry["seconds"] > 0, peer


def test_the_same_seed_makes_the_same_data(folder):
    again = peers.made_sites(gpd.read_parquet(folder / "zones.parquet"), 300)
    assert again.geom_equals(gpd.read_parquet(folder / "sites.parquet")).mean() > 0.99


def test_the_table_says_who_did_not_run():
    entries = [
        {"peer": "ecospatial", "seconds": 2.0, "peak_mb": 10.0, "pairs": 3, "area_m2": 4.0},
        {"peer": "overlay", "seconds": 30.0, "peak_mb": 10.0, "pairs": 3, "area_m2": 4.0},
        {"peer": "postgis", "absent": "PostGIS is not installed"},
    ]
    peers.compared(entries)
    assert entries[1]["ratio"] == 15.0
    lines = peers.table(entries)
    assert "15.0" in lines[3]
    assert "not run: PostGIS is not installed" in lines[4]


def test_the_check_of_many_sites_is_measured(tmp_path):
    plan = es.open_plan("changzhou-zhonglou")
    sites = benchmark_check.made_sites(plan, 40)
    assert len(sites) == 40
    assert shapely.within(sites.geometry.to_numpy(), plan.area).all()
    zones = benchmark_check.asked_of(plan)
    assert all(set(frame.geom_type) <= {"Polygon", "MultiPolygon"} for frame in zones)
    sites.to_parquet(tmp_path / "sites.parquet")
    found = benchmark_check.against_kernel(plan, tmp_path / "sites.parquet")
    assert found["all_rows"] == 40 * len(plan.rule_versions()) > found["rows"] > 0
    assert min(found["kernel_s"], found["restricted_s"], found["complete_s"]) > 0
    grown = benchmark_check.grown(plan, tmp_path, 40, 1)
    assert grown["ms_each"] == pytest.approx(grown["seconds"] * 1000 / 40)
    assert (tmp_path / "out40" / "findings").is_dir()
    if Path("/proc/self/status").exists():
        assert 50 < grown["peak_mb"] < 4000
        assert benchmark_check.held_mb(os.getpid()) > 50
