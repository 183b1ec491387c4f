"""What lies upstream and how far: by eye, and against brute force on random networks with and without rings."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from made_rivers import CRS, frame, line, point, rivers

from ecospatial.network import build, locate, section_totals, stream_order, upstream_members, upstream_totals
from ecospatial.network.flow import AT_ONCE, distances


def braid():
    """A main river along y=0 that parts at 100 and meets itself at 300, with a branch into each arm."""
    return build(
        rivers(
            ("干", line((0, 0), (100, 0))),
            ("干", line((100, 0), (300, 0))),
            ("汊", line((100, 0), (100, 50), (300, 50), (300, 0))),
            ("干", line((300, 0), (500, 0))),
            ("支", line((200, 90), (200, 50))),
            ("小", line((400, -60), (400, 0))),
        )
    )


def test_each_reach_above_a_braid_counts_once():
    sections = frame(point(450, 0), point(350, 0), point(200, 0), point(250, 50), index=["a", "b", "c", "d"])
    found = section_totals(braid(), sections)
    # 100 + 200 + (50+100+100+50) + 100 + 40, and below the junction 60 + 50 more
    assert found["upstream_m"].to_dict() == {"a": 100 + 200 + 300 + 100 + 40 + 60 + 50, "b": 690, "c": 200, "d": 340}
    assert found["upstream_reaches"].to_dict() == {"a": 8, "b": 6, "c": 2, "d": 4}


def test_a_section_far_from_every_river_has_no_totals():
    found = section_totals(braid(), frame(point(0, 5000)), within_m=100)
    assert found["upstream_m"].isna().all()
    assert found["upstream_reaches"].isna().all()
    assert found["note"].tolist() == ["100 m 内没有河道"]


def test_in_a_ring_of_flow_everything_is_upstream_of_everything():
    ring = build(
        rivers(
            ("环", line((0, 0), (100, 0))),
            ("环", line((100, 0), (100, 100))),
            ("环", line((100, 100), (0, 0))),
            ("入", line((-50, 0), (0, 0))),
            ("出", line((100, 100), (200, 100))),
        )
    )
    count, length = upstream_totals(ring, np.array([0, 3, 4]), np.array([10.0, 10.0, 10.0]))
    around = 200 + 100 * np.sqrt(2)
    assert count.tolist() == [4, 1, 5]
    assert length == pytest.approx([around + 50, 10, around + 60])


def random_network(seed, nodes=30, edges=55):
    """Straight lines between random points that connect only at their ends: rings, doubles and islands occur."""
    random = np.random.default_rng(seed)
    places = random.uniform(0, 1000, (nodes, 2))
    pairs = random.integers(0, nodes, (edges, 2))
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    lines = shapely.linestrings(places[pairs])
    drawn = gpd.GeoDataFrame(geometry=lines, crs=CRS)
    return build(drawn, snap_m=0, crossings=False), random


@pytest.mark.parametrize("seed", range(25))
def test_upstream_agrees_with_brute_force(seed):
    network, random = random_network(seed)
    graph = nx.DiGraph(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    above = {node: nx.ancestors(graph, node) | {node} for node in graph}
    reach = random.integers(0, len(network.reaches), 12)
    along = random.random(12) * network.length_m[reach]
    count, length = upstream_totals(network, reach, along)
    members = upstream_members(network, reach)
    for k, (own, at) in enumerate(zip(reach.tolist(), along.tolist(), strict=True)):
        wanted = {i for i, head in enumerate(network.head.tolist()) if head in above[network.tail[own]]} | {own}
        round_ = network.head[own] in above[network.tail[own]]
        metres = sum(network.length_m[i] for i in wanted if i != own)
        assert set(members[k].tolist()) == wanted
        assert count[k] == len(wanted)
        assert length[k] == pytest.approx(metres + (network.length_m[own] if round_ else at))


def test_more_sections_than_are_carried_at_once():
    network, random = random_network(3)
    reach = random.integers(0, len(network.reaches), AT_ONCE + 37)
    count, _ = upstream_totals(network, reach, np.zeros(len(reach)))
    members = upstream_members(network, reach)
    assert count.tolist() == [len(found) for found in members]
    single = [len(upstream_members(network, np.array([own]))[0]) for own in reach[-40:].tolist()]
    assert count[-40:].tolist() == single


@pytest.mark.parametrize("seed", range(10))
def test_distances_agree_with_brute_force(seed):
    network, random = random_network(seed)
    own = int(random.integers(len(network.reaches)))
    at = 0.3 * network.length_m[own]
    graph = network.graph()
    for upstream, start, rest in (
        (True, network.tail[own], at),
        (False, network.head[own], network.length_m[own] - at),
    ):
        walked = graph.reverse() if upstream else graph
        wanted = nx.single_source_dijkstra_path_length(walked, int(start), weight="length_m")
        found = distances(network, own, at, upstream=upstream)
        assert found == pytest.approx({node: far + rest for node, far in wanted.items()})
        near = distances(network, own, at, upstream=upstream, within_m=400)
        assert near == {node: far for node, far in found.items() if far <= 400}


@pytest.mark.parametrize("seed", range(10))
def test_water_only_flows_forward_in_the_order(seed):
    network, _ = random_network(seed)
    order, ring = network.downstream_order
    assert sorted(order) == list(range(len(network.nodes)))
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    between = ring[network.tail] != ring[network.head]
    assert (place[network.tail] < place[network.head])[between].all()
    graph = nx.DiGraph(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    wanted = {node: min(members) for members in nx.strongly_connected_components(graph) for node in members}
    assert [ring[node] for node in wanted] == list(wanted.values())
    for members in nx.strongly_connected_components(graph):
        assert np.ptp(place[list(members)]) == len(members) - 1


# ------------------------------------------------------------------------------------------ stream order


def test_order_rises_where_two_equal_streams_meet():
    network = build(
        rivers(
            ("一", line((0, 100), (100, 0))),
            ("二", line((0, -100), (100, 0))),
            ("三", line((100, 0), (200, 0))),
            ("四", line((200, 100), (200, 0))),
            ("五", line((200, 0), (300, 0))),
        )
    )
    assert dict(zip(network.rivers, stream_order(network).tolist(), strict=True)) == {
        "一": 1, "二": 1, "三": 2, "四": 1, "五": 2,
    }  # fmt: skip


def test_branches_of_one_river_that_meet_again_do_not_raise_the_order():
    network = braid()
    order = stream_order(network)
    # The arm begins again with 1, is raised by its branch to 2, and meets the main arm of order 1.
    assert order[network.rivers == "干"].tolist() == [1, 1, 2, 2]
    assert order[(network.rivers == "汊")].tolist() == [1, 2]


def test_there_is_no_order_in_and_below_a_ring_of_flow():
    network = build(
        rivers(
            ("环", line((0, 0), (100, 0))),
            ("环", line((100, 0), (100, 100), (0, 0))),
            ("入", line((-50, 0), (0, 0))),
            ("出", line((100, 0), (200, 0))),
        )
    )
    assert dict(zip(network.rivers, stream_order(network).tolist(), strict=True)) == {"环": 0, "入": 1, "出": 0}


@pytest.mark.parametrize("seed", range(10))
def test_order_of_random_trees_agrees_with_the_definition(seed):
    random = np.random.default_rng(seed)
    count = 60
    below = [-1, *(int(random.integers(0, i)) for i in range(1, count))]
    places = random.uniform(0, 1000, (count, 2))
    lines = [shapely.LineString([places[i], places[below[i]]]) for i in range(1, count)]
    network = build(gpd.GeoDataFrame(geometry=lines, crs=CRS), snap_m=0, crossings=False)

    def strahler(node):
        above = sorted((strahler(i) for i in range(1, count) if below[i] == node), reverse=True)
        if not above:
            return 1
        return above[0] + (len(above) > 1 and above[1] == above[0])

    assert stream_order(network).tolist() == [strahler(i) for i in range(1, count)]


# ------------------------------------------------------------------------------------ linear referencing


def test_a_place_on_a_bent_river_is_what_arithmetic_says():
    network = build(rivers(("甲", line((0, 0), (100, 0), (100, 100))), ("乙", line((60, -40), (60, 0)))))
    things = frame(point(30, 4), point(80, -5), point(93, 50), point(105, 50), point(60, -20), index=list("abcde"))
    found = locate(network, things)
    assert found["river"].tolist() == ["甲", "甲", "甲", "甲", "乙"]
    assert found["along_m"].tolist() == [30, 20, 90, 90, 20]
    assert found["chainage_m"].tolist() == [30, 80, 150, 150, 20]
    assert found["offset_m"].tolist() == [4, 5, 7, 5, 0]
    assert found["side"].tolist()[:4] == ["左岸", "右岸", "左岸", "右岸"]
    assert found["side"].isna().tolist()[4]
    assert network.lines[found.loc["c", "reach"]].length == 140


def test_the_named_river_counts_and_not_the_nearest():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("乙", line((0, 100), (100, 100)))))
    things = frame(point(50, 20), point(50, 20), point(50, 20), river=["乙", "丙", None])
    found = locate(network, things)
    assert found["river"].tolist() == ["乙", "甲", "甲"]
    assert found["offset_m"].tolist() == [80, 20, 20]
    assert found["note"].tolist() == ["", "河网中没有该河，按最近河道", ""]
    assert locate(network, things, within_m=70)["reach"].tolist() == [-1, 0, 0]


def test_areas_and_lines_have_a_place_too():
    network = build(rivers(("甲", line((0, 0), (100, 0)))))
    found = locate(network, frame(shapely.box(500020, 3520010, 500040, 3520030), line((70, -9), (70, 9))))
    assert found["offset_m"].tolist() == [10, 0]
    assert found["along_m"].iloc[1] == 70


def test_chainage_runs_backwards_on_a_reach_that_was_turned():
    drawn = rivers(("甲", line((0, 0), (100, 0))), from_level_m=[1.0], to_level_m=[2.0])
    found = locate(build(drawn, direction="elevation"), frame(point(30, 4)))
    assert found[["along_m", "chainage_m", "side"]].to_numpy().tolist() == [[70, 30, "右岸"]]


def test_where_two_reaches_meet_the_first_is_taken():
    network = build(rivers(("甲", line((0, 0), (100, 0))), ("甲", line((100, 0), (200, 0)))))
    assert locate(network, frame(point(100, 5)))[["reach", "along_m"]].to_numpy().tolist() == [[0, 100]]
