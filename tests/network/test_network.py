"""Building a river network: what is connected, what is moved, which way the water flows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from made_rivers import CRS, EAST, NORTH, frame, line, local, point, rivers

from ecospatial.errors import CrsError, PlanError
from ecospatial.network import build, check_classes, class_ledger, corridors, locate, parts, section_totals, upstream_of
from ecospatial.network.components import label_components
from ecospatial.network.split import Cuts, cut_lines, substrings

ORIGIN = np.array([EAST, NORTH])


def shape_of(network):
    """Reaches as (river, from, to) on the local grid, sorted."""
    ends = [(r, *(local(g)[i] for i in (0, -1))) for r, g in zip(network.rivers, network.lines, strict=True)]
    return sorted(ends)


def did(network):
    return sorted((w, r, round(m, 6)) for w, r, m in network.repairs[["what", "river", "moved_m"]].to_numpy().tolist())


# ------------------------------------------------------------------------------------------ what connects


def test_rivers_that_cross_are_connected_where_they_cross():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((40, -30), (40, 50)))))
    assert shape_of(network) == [
        ("乙", (40, -30), (40, 0)),
        ("乙", (40, 0), (40, 50)),
        ("甲", (0, 0), (40, 0)),
        ("甲", (40, 0), (100, 0)),
    ]
    assert sorted(network.nodes["degree"]) == [1, 1, 1, 1, 4]
    assert network.repairs.empty


def test_crossings_can_be_left_alone():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((40, -30), (40, 50)))), crossings=False)
    assert len(network.reaches) == 2
    assert (network.nodes["degree"] == 1).all()


@pytest.mark.parametrize(
    ("end", "moved"),
    [((40, 0), []), ((40, 0.4), [("端点吸附", "乙", 0.4)]), ((40, -0.4), [("过短线段删去", "乙", 0.4)])],
    ids=["exact", "undershoot", "overshoot"],
)
def test_an_end_at_the_middle_of_another_river_is_joined(end, moved):
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((40, 50), end))))
    assert shape_of(network) == [
        ("乙", (40, 50), (40, 0)),
        ("甲", (0, 0), (40, 0)),
        ("甲", (40, 0), (100, 0)),
    ]
    assert [entry for entry in did(network) if entry[0] != "端点吸附" or end[1] > 0] == moved


def test_an_end_further_off_than_the_tolerance_is_not_joined():
    drawn = rivers(("甲", line((0, 0), (100, 0))), ("乙", line((40, 50), (40, 1.5))))
    assert len(build(drawn).reaches) == 2
    assert len(build(drawn, snap_m=1.5).reaches) == 3


def test_ends_that_nearly_meet_become_one_node_where_most_of_them_are():
    network = build(
        rivers(("甲", line((0, 0), (50, 0))), ("乙", line((50.6, 0), (100, 0))), ("丙", line((50.6, 0), (50.6, 40))))
    )
    assert shape_of(network)[2] == ("甲", (0, 0), (50.6, 0))
    assert did(network) == [("端点吸附", "甲", 0.6)]
    assert len(network.nodes) == 4


def test_a_river_drawn_twice_counts_once():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("甲", line((100, 0), (0, 0)))))
    assert shape_of(network) == [("甲", (0, 0), (100, 0))]
    assert did(network) == [("重复线段删去", "甲", 100)]


def test_rivers_that_run_along_each_other_are_cut_where_that_begins_and_ends():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((60, 0), (160, 0)))))
    assert [(a, b) for _, a, b in shape_of(network)] == [((100, 0), (160, 0)), ((0, 0), (60, 0)), ((60, 0), (100, 0))]


def test_a_river_that_crosses_itself_is_cut_there():
    network = build(rivers(("甲", line((0, 0), (100, 0), (100, 50), (50, 50), (50, -50)))))
    assert len(network.reaches) == 3
    assert sorted(network.length_m.round(6)) == [50, 50, 200]  # 200 m round the loop


def test_a_river_drawn_forth_and_back_counts_once():
    network = build(rivers(("甲", line((0, 0), (100, 0), (40, 0), (40, 70)))))
    assert sorted(network.length_m.round(6)) == [40, 60, 70]
    assert [(what, moved) for what, _, moved in did(network)] == [("重复线段删去", 60)]


def test_a_closed_ring_stays_one_reach_from_a_node_to_itself():
    network = build(rivers(("甲", line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0)))))
    assert network.tail.tolist() == network.head.tolist() == [0]
    assert network.length_m.tolist() == [400]


def test_parts_of_one_feature_go_on_counting_their_metres():
    whole = shapely.MultiLineString([line((0, 0), (100, 0)), line((100, 0), (160, 0))])
    network = build(rivers(("甲", whole)))
    assert network.reaches[["start_m", "end_m"]].to_numpy().tolist() == [[0, 100], [100, 160]]
    assert network.reaches["row"].tolist() == [0, 0]


def test_an_end_at_the_bank_of_a_wide_river_is_linked_with_its_centreline():
    network = build(rivers(("甲", line((0, 0), (1000, 0)), "干流", 60), ("乙", line((400, 500), (400, 30)), None, 10)))
    assert shape_of(network)[:2] == [("乙", (400, 30), (400, 0)), ("乙", (400, 500), (400, 30))]
    assert did(network) == [("河口连至中心线", "乙", 30)]
    assert network.river_m[network.rivers == "乙"].tolist() == [470, 0]
    begins = build(rivers(("甲", line((0, 0), (1000, 0)), "干流", 60), ("乙", line((400, 30), (400, 500)), None, 10)))
    own = begins.reaches[begins.reaches["river"] == "乙"]
    assert own[["length_m", "start_m", "link"]].to_numpy().tolist() == [[470, 0, False], [30, 0, True]]
    assert shape_of(begins)[0] == ("乙", (400, 0), (400, 30))
    outside = build(rivers(("甲", line((0, 0), (1000, 0)), "干流", 60), ("乙", line((400, 500), (400, 31)), None, 10)))
    assert len(outside.reaches) == 2


def test_links_carry_water_but_have_no_length_and_nothing_lies_on_them():
    drawn = rivers(
        ("江", line((0, 0), (1000, 0)), "干流", 1000),
        ("江", line((400, 500), (400, 0)), None, None),
        ("河", line((400, 900), (400, 500)), "一级支浜", 20),
        link=[False, True, None],
    )
    network = build(drawn)
    assert network.river_m.sum() == 1400
    assert parts(network)["length_m"].tolist() == [1400]
    assert class_ledger(network)["length_m"].to_dict() == {"干流": 1000, "一级支浜": 400}
    assert check_classes(network)["status"].tolist() == ["agrees", "agrees"]
    place = locate(network, frame(point(390, 300), river=["江"])).iloc[0]
    assert (place["along_m"], place["offset_m"]) == (390, 300)
    section = frame(point(700, 0), river=["江"])
    assert section_totals(network, section)["upstream_m"].tolist() == [700 + 400]
    found = upstream_of(network, section, {"outfall": frame(point(400, 800), river=["河"])})
    assert found["along_river_m"].tolist() == [300 + 500 + 300]
    assert len(corridors(network, 10)) == 2 * 3


def test_columns_of_the_input_come_along_and_the_input_stays_as_it_was():
    drawn = rivers(
        ("甲", line((0, 0), (100, 0)), "干流", 30), ("乙", line((40, 50), (40, 0.4))), feature_id=["R1", "R2"]
    )
    before = drawn.copy(deep=True)
    network = build(drawn)
    assert network.reaches["feature_id"].tolist() == ["R1", "R1", "R2"]
    assert network.reaches["river_class"].tolist() == ["干流", "干流", None]
    assert network.reaches["width_m"].tolist()[:2] == [30, 30]
    assert network.reaches["start_m"].tolist() == [0, 40, 0]
    assert network.reaches.crs == drawn.crs
    assert_geodataframe_equal(drawn, before)


def test_without_any_line_there_is_an_empty_network():
    network = build(rivers(("甲", line((0, 0), (1, 0)))).iloc[:0])
    assert (len(network.reaches), len(network.nodes), len(network.repairs)) == (0, 0, 0)


def test_what_can_not_be_built_is_refused():
    drawn = rivers(("甲", line((0, 0), (100, 0))))
    with pytest.raises(CrsError, match="投影坐标系"):
        build(drawn.to_crs(4490))
    with pytest.raises(PlanError, match="应为线") as fault:
        build(frame(point(0, 0), line((0, 0), (1, 0))), snap_m=-1, direction="uphill")
    assert len(fault.value.problems) == 3
    with pytest.raises(PlanError, match="from_level_m"):
        build(drawn, direction="elevation")
    with pytest.raises(PlanError, match="mouths"):
        build(drawn, direction="mouth")


def test_networkx_gets_nodes_edges_and_columns():
    graph = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((40, -30), (40, 0))))).graph()
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (4, 3)
    assert sum(length for *_, length in graph.edges(data="length_m")) == 130
    assert {river for *_, river in graph.edges(data="river")} == {"甲", "乙"}
    assert min(x for _, x in graph.nodes(data="x")) == EAST


# ------------------------------------------------------------------------------------------ directions


def test_levels_turn_rivers_that_were_drawn_upstream():
    drawn = rivers(
        ("甲", line((0, 0), (100, 0))),
        ("乙", line((40, 0), (40, 50))),
        ("丙", line((80, 0), (80, 50))),
        from_level_m=[3.0, 2.0, np.nan],
        to_level_m=[1.0, 2.5, 9.0],
    )
    network = build(drawn, direction="elevation")
    assert ("乙", (40, 50), (40, 0)) in shape_of(network)
    assert ("丙", (80, 0), (80, 50)) in shape_of(network)
    turned = network.reaches[network.reaches["reversed"]]
    assert turned[["river", "start_m", "end_m"]].to_numpy().tolist() == [["乙", 50, 0]]


def test_water_takes_the_shortest_way_to_a_mouth():
    drawn = rivers(
        ("甲", line((0, 0), (100, 0))),
        ("乙", line((40, 0), (40, 50))),
        ("丙", line((500, 0), (600, 0))),
    )
    network = build(drawn, direction="mouth", mouths=frame(point(-3, 0)))
    assert shape_of(network) == [
        ("丙", (500, 0), (600, 0)),
        ("乙", (40, 50), (40, 0)),
        ("甲", (40, 0), (0, 0)),
        ("甲", (100, 0), (40, 0)),
    ]


def test_all_nodes_in_a_lake_are_mouths():
    drawn = rivers(("甲", line((0, 0), (100, 0))), ("乙", line((100, 0), (200, 0))))
    lake = frame(shapely.box(EAST - 10, NORTH - 10, EAST + 10, NORTH + 10))
    assert build(drawn, direction="mouth", mouths=lake).reaches["reversed"].all()


# ------------------------------------------------------------------------------------- random, and arrays


@pytest.mark.parametrize("seed", range(8))
def test_random_lines_are_cut_as_a_second_program_cuts_them(seed):
    random = np.random.default_rng(seed)
    lines = shapely.linestrings(random.uniform(0, 1000, (25, 2, 2)) + ORIGIN)
    network = build(gpd.GeoDataFrame(geometry=lines, crs=CRS), snap_m=0)
    noded = shapely.get_parts(shapely.union_all(lines))
    assert len(network.reaches) == len(noded)
    assert sorted(network.length_m) == pytest.approx(sorted(shapely.length(noded)), abs=1e-6)
    assert len(network.nodes) == len(np.unique(shapely.get_coordinates(noded).round(5), axis=0))


@pytest.mark.parametrize("seed", range(4))
def test_every_reach_ends_exactly_where_its_nodes_are(seed):
    random = np.random.default_rng(seed)
    lines = shapely.linestrings(random.uniform(0, 60, (30, 4, 2)) + ORIGIN)
    network = build(gpd.GeoDataFrame(geometry=lines, crs=CRS), snap_m=2)
    nodes = network.nodes.geometry.to_numpy()
    assert shapely.equals(shapely.get_point(network.lines, 0), nodes[network.tail]).all()
    assert shapely.equals(shapely.get_point(network.lines, -1), nodes[network.head]).all()
    assert network.length_m == pytest.approx(shapely.length(network.lines))
    assert network.repairs.loc[network.repairs["what"] == "端点吸附", "moved_m"].min() > 0


def test_lines_cut_at_many_places_keep_their_length_and_their_vertices():
    random = np.random.default_rng(3)
    lines = shapely.linestrings(np.cumsum(random.uniform(1, 9, (40, 12, 2)), axis=1))
    which = random.integers(0, 40, 200)
    at = random.random(200) * shapely.length(lines)[which]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines[which], at))
    parts, owner, start = cut_lines(lines, Cuts(which, at, xy))
    assert len(parts) == 240
    assert np.bincount(owner, weights=shapely.length(parts)) == pytest.approx(shapely.length(lines))
    pieces = np.concatenate([np.sort(at[which == i]) for i in range(40)])
    assert start[start > 0] == pytest.approx(pieces)
    assert shapely.hausdorff_distance(shapely.union_all(parts), shapely.union_all(lines)) < 1e-6


def test_substrings_are_what_arithmetic_says():
    bent = np.array([line((0, 0), (10, 0), (10, 10)), line((0, 0), (8, 0)), line((0, 0), (8, 0))])
    found = substrings(bent, np.array([4.0, 2.0, 3.0]), np.array([13.0, 99.0, 3.0]))
    assert local(found[0]) == [(4, 0), (10, 0), (10, 3)]
    assert local(found[1]) == [(2, 0), (8, 0)]
    assert found[2] is None


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_the_connected_components(seed):
    import networkx as nx

    random = np.random.default_rng(seed)
    left, right = random.integers(0, 60, (2, 45))
    graph = nx.Graph(zip(left.tolist(), right.tolist(), strict=True))
    graph.add_nodes_from(range(60))
    wanted = np.empty(60, dtype=int)
    for members in nx.connected_components(graph):
        wanted[list(members)] = min(members)
    assert label_components(60, left, right).tolist() == wanted.tolist()
