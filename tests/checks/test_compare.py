"""Whose verdict changes when a layer is replaced; areas by mental arithmetic."""

from __future__ import annotations

import math

import pytest
from made_plans import ZONE, district, layer, plan_folder, rule, sites, worked_example
from shapely import box
from shapely.affinity import translate

import ecospatial as es

ON = "2026-11-20"
OVERLAP = rule("O1", relation="overlaps", layer="eco_redline")


def red(folder, zone, *, rules=(OVERLAP,), **keys):
    folder.mkdir(parents=True)
    missing = {"kind": "eco_redline", "present": "missing", "source": {"publisher": "甲局"}}
    entries = [district(folder)]
    entries += [missing] if zone is None else [layer(folder, "eco_redline", zone)]
    return es.open_plan(plan_folder(folder, entries, list(rules), **keys))


@pytest.fixture(name="plans")
def _plans(tmp_path):
    """The red line 495000..496000 moves 200 m to the east."""
    return red(tmp_path / "old", ZONE), red(tmp_path / "new", translate(ZONE, 200))


def test_only_sites_whose_verdict_changes_are_told(plans):
    asked = sites(
        box(495050, 3515100, 495150, 3515200),  # in the old zone alone: freed, -10000
        box(495500, 3515100, 495600, 3515200),  # in both
        box(496050, 3515100, 496150, 3515200),  # in the new zone alone: caught, +10000
        box(496180, 3515100, 496280, 3515200),  # 20 m of it in the new zone: +2000
        box(499000, 3515100, 499100, 3515200),  # in none
        ids=["freed", "both", "caught", "edge", "none"],
    )
    found = es.compare(*plans, asked, on=ON)
    assert found["site_id"].tolist() == ["freed", "caught", "edge"]
    assert found["rule_id"].tolist() == ["O1"] * 3
    assert found["verdict_old"].tolist() == ["prohibited", "clear", "clear"]
    assert found["verdict_new"].tolist() == ["clear", "prohibited", "prohibited"]
    assert found["change_m2"].tolist() == pytest.approx([-10000, 10000, 2000])
    assert found.geometry.iloc[2].equals(asked.geometry.iloc[3])
    assert found.crs == plans[1].crs
    assert bool((found["verdict_new"] > found["verdict_old"]).iloc[1])


def test_an_area_alone_is_no_change_of_verdict(plans):
    found = es.compare(*plans, sites(box(495150, 3515100, 495300, 3515200)), on=ON)
    assert found.empty  # 15000 m2 before, 10000 after: prohibited both times
    assert {"site_id", "rule_id", "verdict_old", "verdict_new", "change_m2", "geometry"} <= set(found.columns)


def test_what_was_not_measured_has_no_change_of_area(tmp_path):
    old, new = red(tmp_path / "old", None), red(tmp_path / "new", ZONE)
    row = es.compare(old, new, sites(box(495050, 3515100, 495150, 3515200)), on=ON).iloc[0]
    assert (row.verdict_old, row.verdict_new) == ("no_data", "prohibited")
    assert math.isnan(row.change_m2)
    assert "未取得" in row.reason_old


def test_rules_of_one_plan_alone_stand_against_nothing(tmp_path):
    more = rule("O2", relation="overlaps", layer="eco_redline", effect="restricted")
    old = red(tmp_path / "old", ZONE, rules=(more, OVERLAP))
    new = red(tmp_path / "new", ZONE, rules=(OVERLAP, rule("O3", relation="overlaps", layer="eco_redline")))
    found = es.compare(old, new, sites(box(495050, 3515100, 495150, 3515200)), on=ON)
    assert found["rule_id"].tolist() == ["O3", "O2"]
    assert found["verdict_old"].isna().tolist() == [True, False]
    assert found["verdict_new"].isna().tolist() == [False, True]
    assert found["rule_title"].tolist() == ["规则 O3", "规则 O2"]


def test_near_rules_change_with_their_line(tmp_path):
    old = es.open_plan(worked_example(tmp_path / "old", rule(within_m=1000)))
    new = es.open_plan(worked_example(tmp_path / "new", rule(within_m=500)))
    asked = sites(box(500700, 3520000, 500800, 3520100), box(500300, 3520000, 500400, 3520100), ids=["a", "b"])
    before = asked.copy()
    found = es.compare(old, new, asked, on=ON)
    assert found[["site_id", "change_m2"]].to_numpy().tolist() == [["a", -10000.0]]
    assert asked.equals(before)


def test_sites_from_a_file(plans, tmp_path):
    sites(box(495050, 3515100, 495150, 3515200), ids=["甲"]).to_file(tmp_path / "s.gpkg")
    assert es.compare(*plans, tmp_path / "s.gpkg", on=ON)["site_id"].tolist() == ["甲"]
