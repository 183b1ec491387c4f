"""Cross-cuts, stretches cut from bank to bank, corridors and breaks of green, all by mental arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from made_rivers import box, frame, line, local, point, rivers

from ecospatial.errors import PlanError
from ecospatial.network import (
    along_from,
    bank_areas,
    build,
    corridors,
    cross_cuts,
    green_breaks,
    locate,
    stretch,
    stretch_area,
)

RIVER = ("甲河", line((0, 0), (1000, 0)), "干流", 40)
BANKS = frame(box(0, -20, 1000, 20), river=["甲河"])


def cut(shape, at, water):
    return cross_cuts(np.array([shape], dtype=object), np.array([at]), np.array([water], dtype=object))[0]


def area_of(network, banks, x, up, down, *, river="甲河"):
    place = locate(network, frame(point(x, 0), river=[river])).iloc[0]
    walked = stretch(network, int(place["reach"]), float(place["along_m"]), upstream_m=up, downstream_m=down)
    return walked, *stretch_area(network, walked, bank_areas(banks, network))


# ------------------------------------------------------------------------------------------ cross-cuts


def test_a_cut_runs_square_from_the_left_bank_to_the_right():
    water = box(0, -8, 100, 12)
    assert local(cut(line((0, 0), (100, 0)), 30.0, water)) == [(30, 12), (30, -8)]
    assert local(cut(line((100, 0), (0, 0)), 30.0, water)) == [(70, -8), (70, 12)]


def test_a_cut_is_square_to_a_slanting_river():
    found = cut(line((0, 0), (100, 100)), 50 * np.sqrt(2), box(-1000, -1000, 1000, 1000))
    middle = shapely.line_interpolate_point(found, 0.5, normalized=True)
    assert local(middle) == [(50, 50)]
    (x1, y1), (x2, y2) = local(found)
    assert (x2 - x1) + (y2 - y1) == pytest.approx(0)
    assert (x1, y1) == (-900, 1000)


def test_of_several_pieces_of_water_the_one_that_holds_the_place_is_cut():
    both = shapely.union_all([box(0, -8, 100, 12), box(0, 40, 100, 60)])
    assert local(cut(line((0, 0), (100, 0)), 30.0, both)) == [(30, 12), (30, -8)]
    assert cut(line((0, 30), (100, 30)), 30.0, both) is None
    assert cut(line((0, 0), (100, 0)), 30.0, None) is None


# ------------------------------------------------------------------------------------------ banks


def test_two_bank_lines_are_closed_to_the_water_between_them():
    network = build(rivers(RIVER))
    lines = frame(line((0, 20), (1000, 20)), line((1000, -20), (0, -20)), river=["甲河", "甲河"])
    assert shapely.equals(bank_areas(lines, network)["甲河"], box(0, -20, 1000, 20))
    pieces = frame(
        line((0, 20), (400, 20)), line((400, 20), (1000, 20)), line((0, -20), (1000, -20)), river=["甲河"] * 3
    )
    assert bank_areas(pieces, network)["甲河"].area == 40000
    assert bank_areas(lines.iloc[:1], network) == {}


def test_polygons_of_one_river_are_one_water():
    network = build(rivers(RIVER))
    both = frame(box(0, -20, 600, 20), box(500, -20, 1000, 20), river=["甲河", "甲河"])
    assert bank_areas(both, network)["甲河"].area == 40000


# ------------------------------------------------------------------------------------------ stretches


def test_a_stretch_is_cut_from_bank_to_bank_so_far_up_and_so_far_down():
    _, area, certain = area_of(build(rivers(RIVER)), BANKS, 500, 300, 100)
    assert certain
    assert shapely.equals(shapely.normalize(area.simplify(1e-6)), shapely.normalize(box(200, -20, 600, 20)))


def test_a_stretch_goes_up_every_branch_and_down_every_branch_but_not_up_those_below():
    network = build(
        rivers(
            RIVER,
            ("支", line((350, 400), (350, 0)), None, 10),
            ("下支", line((550, 400), (550, 0)), None, 10),
            ("分", line((580, 0), (580, -300)), None, 10),
        )
    )
    banks = frame(
        box(0, -20, 1000, 20), box(345, 0, 355, 400), box(545, 0, 555, 400), box(575, -300, 585, 0),
        river=["甲河", "支", "下支", "分"],
    )  # fmt: skip
    walked, area, certain = area_of(network, banks, 500, 300, 100)
    assert certain
    # 支 joins 150 m above the intake: 150 m of it remain; 分 leaves 80 m below it: 20 m of it remain.
    wanted = shapely.union_all([box(200, -20, 600, 20), box(345, 0, 355, 150), box(575, -20, 585, 0)])
    assert area.symmetric_difference(wanted).area < 1e-6
    lengths = {}
    for name, metres in zip(network.rivers[walked.reach], walked.to_m - walked.from_m, strict=True):
        lengths[name] = lengths.get(name, 0) + metres
    assert lengths == pytest.approx({"甲河": 400, "支": 150, "分": 20})


def test_a_stretch_may_end_exactly_at_a_node():
    network = build(rivers(("甲河", line((0, 0), (400, 0)), None, 40), ("甲河", line((400, 0), (1000, 0)), None, 40)))
    _, area, _ = area_of(network, BANKS, 500, 100, 50)
    assert area.symmetric_difference(box(400, -20, 550, 20)).area < 1e-6


def test_an_island_belongs_to_the_stretch_on_both_sides():
    island = box(100, -5, 900, 5)
    water = frame(box(0, -40, 1000, 20).difference(island), river=["甲河"])
    network = build(rivers(("甲河", line((0, 10), (1000, 10)), None, 40)))
    _, area, _ = area_of(network, water, 500, 100, 100)
    assert area.symmetric_difference(box(400, -40, 600, 20).difference(island)).area < 1e-6


def test_without_banks_half_the_width_stands_for_them_and_the_answer_is_not_certain():
    network = build(rivers(RIVER))
    _, area, certain = area_of(network, BANKS.iloc[:0], 500, 300, 100)
    assert not certain
    assert area.symmetric_difference(box(200, -20, 600, 20)).area < 1e-6
    short = frame(box(0, -20, 550, 20), river=["甲河"])
    _, area, certain = area_of(network, short, 500, 300, 100)
    assert not certain
    assert area.symmetric_difference(box(200, -20, 600, 20)).area < 1e-6
    bare = build(rivers(("甲河", line((0, 0), (1000, 0)))))
    assert area_of(bare, BANKS.iloc[:0], 500, 300, 100)[1:] == (None, False)


def test_metres_along_the_river_are_positive_upstream():
    network = build(rivers(RIVER, ("支", line((350, 400), (350, 0)), None, 10)))
    walked, *_ = area_of(network, BANKS, 500, 300, 100)
    found = [
        along_from(network, walked, shape) for shape in (point(420, 60), point(560, -30), point(340, 90), point(500, 9))
    ]
    assert found == pytest.approx([80, -60, 240, 0])


# ------------------------------------------------------------------------------------------ corridors


def test_corridors_lie_on_both_banks_of_each_reach():
    network = build(rivers(RIVER, ("支", line((400, 300), (400, 0)))))
    found = corridors(network, 50, banks=bank_areas(BANKS, network))
    assert len(found) == 2 * len(network.reaches)
    own = found[found["river"] == "甲河"]
    assert own["source"].unique().tolist() == ["bank"]
    assert own["certain"].all()
    assert own.set_index(["reach", "side"])["area_m2"].round(3).to_dict() == {
        (0, "左岸"): 400 * 50, (0, "右岸"): 400 * 50, (1, "左岸"): 600 * 50, (1, "右岸"): 600 * 50,
    }  # fmt: skip
    left = own[own["side"] == "左岸"].geometry.iloc[0]
    assert left.symmetric_difference(box(0, 20, 400, 70)).area < 0.01
    branch = found[found["river"] == "支"]
    assert branch["source"].unique().tolist() == ["centreline"]
    assert not branch["certain"].any()
    assert branch["area_m2"].round(3).tolist() == [300 * 50, 300 * 50]


def test_the_bank_counts_and_not_the_width():
    network = build(rivers(("甲河", line((0, 0), (1000, 0)), None, 40)))
    lopsided = bank_areas(frame(box(-30, -10, 1030, 60), river=["甲河"]), network)
    found = corridors(network, 50, banks=lopsided).set_index("side").geometry
    assert found["左岸"].symmetric_difference(box(0, 60, 1000, 110)).area < 0.01
    assert found["右岸"].symmetric_difference(box(0, -60, 1000, -10)).area < 0.01
    with pytest.raises(PlanError, match="廊道宽度"):
        corridors(network, 0)


def test_left_stays_left_round_a_bend():
    network = build(rivers(("弯", line((0, 0), (500, 0), (500, 500)), None, 20)))
    found = corridors(network, 30).set_index("side").geometry
    assert found["左岸"].contains(point(250, 25))
    assert found["右岸"].contains(point(525, 250))
    # Inside the bend the two strips share a corner; outside it is rounded.
    assert found["左岸"].area == pytest.approx(2 * 490 * 30 - 30 * 30)
    assert found["右岸"].area == pytest.approx(2 * 500 * 30 + np.pi / 4 * (40**2 - 10**2), rel=1e-3)


# ------------------------------------------------------------------------------------------ green


def test_breaks_longer_than_a_length_are_found_on_each_bank_with_town_and_owner():
    network = build(rivers(RIVER))
    green = frame(
        box(0, 25, 300, 40), box(420, 25, 700, 40), box(760, 25, 1000, 40), box(0, -60, 1000, -30),
    )  # fmt: skip
    towns = frame(box(0, -500, 340, 500), box(340, -500, 1000, 500), feature_name=["西镇", "东镇"])
    owners = frame(box(0, 0, 1000, 500), owner=["甲单位"])
    found = green_breaks(
        network, green, within_m=50, longer_than_m=100, banks=bank_areas(BANKS, network), towns=towns, owners=owners
    )
    assert found[["side", "from_m", "to_m", "length_m", "town", "owner"]].to_numpy().tolist() == [
        ["左岸", 300, 420, 120, "东镇、西镇", "甲单位"]
    ]
    shorter = green_breaks(network, green, within_m=50, longer_than_m=50, banks=bank_areas(BANKS, network))
    assert shorter["length_m"].round(6).tolist() == [120, 60]
    narrow = green_breaks(network, green, within_m=8, longer_than_m=100, banks=bank_areas(BANKS, network))
    assert narrow[["side", "length_m"]].to_numpy().tolist() == [["右岸", 1000], ["左岸", 120]]


def test_a_break_across_the_joint_of_two_reaches_is_one():
    network = build(rivers(RIVER, ("支", line((500, 300), (500, 0)), None, 10)))
    green = frame(box(0, 25, 450, 40), box(560, 25, 1000, 40), box(0, -40, 1000, -25))
    found = green_breaks(network, green, within_m=50, longer_than_m=100, banks=bank_areas(BANKS, network))
    assert found.loc[found["river"] == "甲河", ["from_m", "to_m"]].to_numpy().tolist() == [[450, 560]]


def test_green_without_any_gap_has_no_breaks():
    network = build(rivers(RIVER))
    found = green_breaks(network, frame(box(-10, -60, 1010, 60)), within_m=20, longer_than_m=10)
    assert found.empty
    assert list(found.columns) == ["river", "side", "from_m", "to_m", "length_m", "town", "owner", "geometry"]
