"""What was done to a site on the way in stands in its findings: a large repair, parameters, what was skipped."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from made_plans import INSIDE, OVER, sites, zone_plan

import ecospatial as es
from ecospatial.cli.root import cli
from ecospatial.sites import much_repaired, read_sites

X, Y = 495400, 3515400


def square_with_ear(width):
    """A square of 100 m inside the zone, with a box of width x 100 m that is drawn twice."""
    ear = shapely.box(X + 100 - width, Y, X + 100, Y + 100)
    return shapely.MultiPolygon([shapely.box(X, Y, X + 100, Y + 100), ear])


@pytest.mark.parametrize(("width", "certain"), [(0.5, True), (0.99, True), (1.01, False), (30.0, False)])
def test_a_repair_over_one_percent_or_100_m2_makes_the_site_uncertain(tmp_path, width, certain):
    plan = es.open_plan(zone_plan(tmp_path, [OVER]))
    frame = read_sites(sites(square_with_ear(width)), plan=plan)
    assert frame.repair_area_m2.iloc[0] == pytest.approx(-100 * width)
    assert ("结论均不确定" in frame.repair.iloc[0]) is not certain
    found = es.check(frame, plan, on="2026-11-20")
    row = found.frame.iloc[0]
    assert (row.verdict, bool(row.certain)) == ("prohibited", certain)
    assert ("较大修复" in row.reason) is not certain
    again = es.check(found.sites, plan, on="2026-11-20").frame.iloc[0]
    assert bool(again.certain) is certain


def test_small_sites_count_by_share(tmp_path):
    plan = es.open_plan(zone_plan(tmp_path, [OVER]))
    small = shapely.transform(square_with_ear(2.0), lambda v: (v - np.array([X, Y])) / 10 + np.array([X, Y]))
    assert much_repaired(read_sites(sites(small, INSIDE), plan=plan)).tolist() == [True, False]


def test_parameters_stand_in_the_report(tmp_path):
    plan = zone_plan(tmp_path / "p", [OVER])
    call = ["check", "--wkt", "POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0))", "--plan", str(plan), "--format", "json"]
    done = CliRunner().invoke(cli, [*call, "--four-params", f"{X},{Y},0,1"], catch_exceptions=False)
    content = json.loads(done.stdout)
    assert any(f"{X}, {Y}, 0, 1" in notice and "四参数" in notice for notice in content["meta"]["notices"])
    assert content["findings"][0]["verdict"] == "prohibited"
    assert content["findings"][0]["overlap_m2"] == 10000.0


def test_skipped_sites_are_undecided_not_clear(tmp_path):
    plan = zone_plan(tmp_path / "p", [OVER])
    features = [
        {"type": "Feature", "properties": {"编号": name}, "geometry": shape}
        for name, shape in (("好", shapely.geometry.mapping(INSIDE)), ("坏", None))
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    call = ["check", str(path), "--plan", str(plan), "--format", "json", "--on", "2026-11-20"]
    done = CliRunner().invoke(cli, [*call, "--skip-bad"], catch_exceptions=False)
    content = json.loads(done.stdout)
    assert [site["site_id"] for site in content["sites"]] == ["好"]
    assert [(s["site_id"], s["problem"]) for s in content["meta"]["skipped"]] == [("坏", "没有图形")]
    assert "未作判定" in done.stderr
