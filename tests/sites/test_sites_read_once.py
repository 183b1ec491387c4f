"""One check reads its sites once, whichever door they come through."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from made_plans import INSIDE, ZONE, rule, sites, zone_plan

import ecospatial as es
from ecospatial.checks import check_frame
from ecospatial.cli import main


@pytest.fixture
def readings(monkeypatch):
    """Count how often sites are put into their frame."""
    module = sys.modules["ecospatial.sites.read"]
    whole, seen = module.read_sites, []

    def counted(source, **options):
        seen.append(source)
        return whole(source, **options)

    for name, holder in list(sys.modules.items()):
        if name.startswith("ecospatial") and getattr(holder, "read_sites", None) is whole:
            monkeypatch.setattr(holder, "read_sites", counted)
    return seen


@pytest.fixture
def plan(tmp_path):
    return es.open_plan(zone_plan(tmp_path / "plan", rule(relation="overlaps", layer="control_zone")))


@pytest.fixture
def site_file(tmp_path):
    path = tmp_path / "sites.gpkg"
    sites(INSIDE, ZONE).to_file(path)
    return str(path)


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return stopped.value.code


def test_a_check_reads_the_frame_once(plan, readings):
    es.check(sites(INSIDE, ZONE), plan)
    assert len(readings) == 1


def test_the_command_reads_the_file_once(plan, site_file, readings, tmp_path):
    assert run("check", site_file, "--plan", str(plan.folder), "--out", str(tmp_path / "out"), "--format", "json") == 0
    assert len(readings) == 1
    assert (tmp_path / "out" / "findings.json").exists()


def test_sites_that_were_read_are_checked_without_reading(plan, site_file, readings):
    frame = es.read_sites(site_file, plan=plan)
    count = len(readings)
    found = check_frame(frame, plan, on="2026-11-20")
    assert len(readings) == count
    assert found.summary.equals(es.check(frame, plan, on="2026-11-20").summary)


def test_a_plan_made_from_another_begins_with_an_empty_cache(plan):
    es.check(sites(INSIDE), plan)
    assert plan.cache.layers is not None
    assert dataclasses.replace(plan).cache.layers is None
