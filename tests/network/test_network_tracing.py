"""Upstream of a section and downstream of an accident: distances, loads, hours, by mental arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from made_rivers import box, frame, line, point, rivers

from ecospatial.errors import PlanError
from ecospatial.network import build, downstream_of, upstream_of


@pytest.fixture(scope="module")
def network():
    return build(
        rivers(
            ("干", line((0, 0), (1000, 0))),
            ("支", line((400, 500), (400, 0))),
            ("分", line((800, 0), (800, -600))),
        )
    )


SECTION = frame(point(700, 0), river=["干"], index=["断面"])


def test_things_upstream_come_with_their_way_down_to_the_section(network):
    outfalls = frame(
        point(100, 5), point(400, 300), point(900, 5), point(690, -5),
        flow_m3_d=[100.0, 300.0, 999.0, np.nan], index=["a", "b", "c", "d"],
    )  # fmt: skip
    found = upstream_of(network, SECTION, {"outfall": outfalls})
    assert found[["thing", "river", "along_river_m", "offset_m"]].to_numpy().tolist() == [
        ["d", "干", 10, 5], ["a", "干", 600, 5], ["b", "支", 600, 0],
    ]  # fmt: skip
    assert found["load_share"].tolist()[1:] == [0.25, 0.75]
    assert np.isnan(found["load_share"].tolist()[0])
    assert found["loads_unknown"].tolist() == [1, 1, 1]


def test_kinds_have_their_own_loads_and_areas_lie_where_their_inside_is(network):
    things = {
        "sewage_plant": frame(point(50, 30), plant=["厂"], capacity_m3_d=[20000.0], index=["厂"]),
        "sewer_catchment": frame(
            box(100, 20, 300, 120), box(600, 300, 700, 400), flow_m3_d=[10.0, 30.0], river=["干", "支"]
        ),
        "site": frame(box(420, 90, 460, 110), index=["地块"]),
        "town": frame(point(0, 0)).iloc[:0],
    }
    found = upstream_of(network, SECTION, things).set_index(["kind", "thing"])
    assert found["along_river_m"].to_dict() == {
        ("sewage_plant", "厂"): 650, ("sewer_catchment", 0): 500, ("sewer_catchment", 1): 650, ("site", "地块"): 400,
    }  # fmt: skip
    assert found["load_share"].tolist()[:3] == [1, 0.25, 0.75]
    assert np.isnan(found["load_share"].tolist()[3])


def test_a_section_or_a_thing_on_no_river_is_left_out(network):
    far = frame(point(0, 5000), index=["far"])
    assert upstream_of(network, far, {"outfall": frame(point(100, 5))}).empty
    assert upstream_of(network, SECTION, {"outfall": far}).empty


def test_in_a_ring_of_flow_a_thing_below_the_section_is_also_above_it():
    ring = build(
        rivers(
            ("环", line((0, 0), (100, 0))),
            ("环", line((100, 0), (100, 100))),
            ("环", line((100, 100), (0, 100), (0, 0))),
        )
    )
    found = upstream_of(ring, frame(point(50, 0)), {"outfall": frame(point(70, 0), point(20, 0))})
    assert found[["thing", "along_river_m"]].to_numpy().tolist() == [[1, 30], [0, 380]]


def test_what_an_accident_reaches_and_when(network):
    things = {
        "monitoring_section": frame(point(700, 0), point(300, 0), index=["下", "上"]),
        "intake": frame(point(800, -350), index=["取水口"]),
        "water_source_zone": frame(box(750, -500, 850, -200), box(0, 600, 10, 700), index=["保护区", "别处"]),
    }
    start = frame(point(400, 200), index=["事故"])
    found = downstream_of(network, start, things, speed_m_s=0.25)
    assert found[["kind", "thing", "along_river_m", "hours"]].to_numpy().tolist() == [
        ["monitoring_section", "下", 500, 500 / 900],
        ["water_source_zone", "保护区", 800, 800 / 900],
        ["intake", "取水口", 950, 950 / 900],
    ]
    assert downstream_of(network, start, things)["hours"].isna().all()
    with pytest.raises(PlanError, match="流速"):
        downstream_of(network, start, things, speed_m_s=0)


def test_a_zone_is_entered_where_the_shortest_way_meets_it(network):
    zone = frame(box(750, -700, 850, 50), index=["区"])
    assert downstream_of(network, frame(point(600, 0)), {"water_source_zone": zone})["along_river_m"].tolist() == [150]
    inside = downstream_of(network, frame(point(780, 0)), {"water_source_zone": zone})
    assert inside["along_river_m"].tolist() == [0]


def test_below_the_last_reach_nothing_is_reached(network):
    end = frame(point(1000, 0))
    assert downstream_of(network, end, {"water_source_zone": frame(box(0, -10, 900, 10))}).empty
