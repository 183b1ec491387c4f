"""A kind is one row with its traits: no list of kind names stands elsewhere, and a new kind goes through everything."""

from __future__ import annotations

import dataclasses
import sys

import pytest
import shapely
from made_plans import district, layer, plan_folder, rule, sites

import ecospatial as es
from ecospatial.model import KINDS, Kind, kinds

AREAS = [kind for kind in KINDS.values() if kind.shape in ("polygon", "bank")]


@pytest.mark.parametrize("kind", AREAS, ids=lambda kind: kind.name)
def test_a_kind_of_areas_states_its_traits(kind):
    stated = {name: getattr(kind, name) for name in ("may_overlap", "within_district", "monitored")}
    assert all(isinstance(value, bool) for value in stated.values()), stated


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=lambda kind: kind.name)
def test_traits_name_what_there_is(kind):
    assert set(kind.apart_from) <= set(KINDS)
    for column in (kind.class_column, kind.level_column):
        assert not column or kind.column(column) is not None
    assert kind.name not in kind.apart_from
    if kind.monitored or kind.tiles_district or kind.space:
        assert kind.shape in ("polygon", "bank")


def test_the_three_lines_may_not_lie_on_each_other():
    lines = {kind.name: kind for kind in KINDS.values() if kind.space}
    assert {kind.space for kind in lines.values()} == {"生态空间", "农业空间", "城镇空间"}
    for name, kind in lines.items():
        assert set(lines) - {name} <= set(kind.apart_from)


def test_a_new_kind_is_one_row(monkeypatch, tmp_path):
    new = Kind("quiet_area", "安静区", "polygon", may_overlap=False, within_district=True, monitored=False)
    widened = dict(KINDS) | {"quiet_area": new}
    for module in [m for m in sys.modules.values() if getattr(m, "KINDS", None) is KINDS]:
        monkeypatch.setattr(module, "KINDS", widened)
    assert kinds.KINDS is widened
    folder = tmp_path / "plan"
    folder.mkdir()
    one, other = shapely.box(499000, 3519000, 500000, 3520000), shapely.box(499500, 3519000, 500500, 3520000)
    entries = [district(folder), layer(folder, "quiet_area", [one, other])]
    place = plan_folder(folder, entries, rule("Q", relation="overlaps", layer="quiet_area"))
    plan = es.open_plan(place)
    found = es.check(sites(shapely.box(499100, 3519100, 499200, 3519200)), plan, on="2026-11-20")
    assert found.frame["verdict"].tolist() == ["prohibited"]
    assert "安静区" in found.frame["reason"].iloc[0]
    assert "安静区" in es.draw(plan).get_root().render()
    audited = es.audit(plan, on="2026-11-20").frame
    # The two lie on each other over 500 m x 1000 m, which a kind that may not overlap reports as a fault.
    overlap = audited[(audited["check"] == "overlap") & (audited["layer"] == "quiet_area")]
    assert overlap["status"].tolist() == ["fault"]
    assert overlap["area_m2"].tolist() == [pytest.approx(500_000.0)]
    may = dataclasses.replace(new, may_overlap=True)
    widened["quiet_area"] = may
    audited = es.audit(plan, on="2026-11-20").frame
    overlap = audited[(audited["check"] == "overlap") & (audited["layer"] == "quiet_area")]
    assert "fault" not in overlap["status"].tolist()
