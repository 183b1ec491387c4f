"""Dead ends, separate parts, gaps worth closing, loops and the ledger, on networks countable by eye."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from made_rivers import box, frame, line, local, point, rivers

from ecospatial.network import (
    build,
    check_classes,
    class_ledger,
    density,
    gaps,
    lengths_by_area,
    loops,
    parts,
    river_ends,
)

MAIN = ("干", line((0, 0), (1000, 0)), "干流", 40)


def ends(network, **options):
    found = river_ends(network, **options)
    return {
        (river, *local(shape)[0]): end for river, end, shape in zip(found.river, found.end, found.geometry, strict=True)
    }


# ------------------------------------------------------------------------------------------ ends


def test_a_dead_end_is_told_from_a_source_an_edge_and_a_mouth():
    network = build(
        rivers(
            MAIN,
            ("浜", line((300, 200), (300, 0)), "三级支浜", 8),
            ("溪", line((500, 300), (500, 0)), "二级支浜", 8),
            ("港", line((700, 0), (700, 180)), "二级支浜", 8),
            ("出", line((800, 0), (800, -150)), "一级支浜", 8),
            ("边", line((900, 390), (900, 0)), "一级支浜", 8),
        )
    )
    found = ends(
        network,
        area=box(-100, -400, 980, 400),
        edge_m=30,
        sources=frame(box(450, 290, 550, 350)),
        mouths=frame(point(800, -160)),
    )
    assert found == {
        ("干", 0, 0): "source",
        ("干", 1000, 0): "edge",
        ("浜", 300, 200): "dead_end",
        ("溪", 500, 300): "source",
        ("港", 700, 180): "no_outlet",
        ("出", 800, -150): "mouth",
        ("边", 900, 390): "edge",
    }


def test_without_any_evidence_only_main_rivers_have_sources():
    network = build(rivers(("干", line((0, 0), (100, 0)), "骨干河道"), ("无", line((0, 50), (100, 50)), None)))
    assert ends(network) == {
        ("干", 0, 0): "source",
        ("干", 100, 0): "no_outlet",
        ("无", 0, 50): "dead_end",
        ("无", 100, 50): "no_outlet",
    }
    assert ends(network, source_classes=())[("干", 0, 0)] == "dead_end"


def test_an_arm_ends_at_the_first_junction_however_many_lines_it_is_drawn_in():
    network = build(
        rivers(MAIN, ("浜", line((300, 0), (300, 100)), "三级支浜"), ("浜尾", line((300, 100), (380, 100)), "三级支浜"))
    )
    found = river_ends(network).set_index("river")
    assert found.loc["浜尾", "arm_m"] == 180
    assert found.loc["干", "arm_m"].tolist() == [700, 300]


def test_an_arm_round_a_ring_comes_to_an_end():
    network = build(rivers(("环", line((0, 0), (100, 0), (100, 100), (0, 0))), ("柄", line((-80, 0), (0, 0)))))
    assert river_ends(network)["arm_m"].tolist() == [80]


# ------------------------------------------------------------------------------------------ parts and gaps


def test_parts_are_listed_longest_first():
    network = build(
        rivers(
            MAIN,
            ("支", line((300, 0), (300, 100))),
            ("孤", line((0, 500), (150, 500))),
            ("岛", line((0, 900), (20, 900))),
        )
    )
    found = parts(network)
    assert found["length_m"].tolist() == [1100, 150, 20]
    assert found["reaches"].tolist() == [3, 1, 1]
    assert found["rivers"].tolist() == ["干、支", "孤", "岛"]
    assert found["share"].sum() == pytest.approx(1)
    assert shapely.length(found.geometry).tolist() == [1100, 150, 20]


def test_the_gap_that_reconnects_most_comes_first():
    network = build(
        rivers(
            MAIN,
            ("孤", line((200, 300), (200, 60))),  # 240 m long, 60 m from the main river
            ("长", line((600, 500), (600, 90))),  # 410 m long, 90 m away
            ("远", line((900, 900), (900, 400))),  # too far
        )
    )
    found = gaps(network, max_gap_m=100)
    assert found[["gap", "river", "to_river", "gain_m", "gap_m"]].to_numpy().tolist() == [
        ["reconnect", "长", "干", 410, 90],
        ["reconnect", "孤", "干", 240, 60],
    ]
    assert [local(shape) for shape in found.geometry] == [[(600, 90), (600, 0)], [(200, 60), (200, 0)]]
    assert found[["part", "to_part"]].to_numpy().tolist() == [[3, 1], [4, 1]]


def test_between_two_parts_only_the_shortest_piece_is_drawn_and_the_smaller_part_is_gained():
    network = build(rivers(("甲", line((0, 0), (500, 0))), ("乙", line((0, 40), (300, 20)))))
    found = gaps(network, max_gap_m=100)
    assert found["gain_m"].tolist() == [pytest.approx(np.hypot(300, 20))]
    assert found["gap_m"].tolist() == [20]


def test_a_dead_end_is_carried_on_to_the_next_river_and_not_back_to_its_own():
    network = build(
        rivers(
            MAIN,
            ("北", line((0, 500), (1000, 500))),
            ("连", line((1000, 0), (1000, 500))),
            ("浜", line((300, 0), (300, 420)), "三级支浜"),
            ("短", line((600, 0), (600, 30)), "三级支浜"),
        )
    )
    dead = river_ends(network)
    dead = dead.loc[dead["river"].isin(["浜", "短"]), "node"]
    found = gaps(network, max_gap_m=100, dead_ends=dead)
    assert found[["gap", "river", "to_river", "gain_m", "gap_m"]].to_numpy().tolist() == [
        ["open_end", "浜", "北", 420, 80]
    ]


def test_a_missing_piece_does_not_lead_across_another_river():
    network = build(
        rivers(
            ("干", line((0, 0), (400, 0))),
            ("浜", line((200, 0), (200, 100))),
            ("横", line((0, 0), (0, 130), (400, 130))),
            ("远", line((400, 0), (400, 160), (0, 160))),
        )
    )
    dead = river_ends(network)
    found = gaps(network, max_gap_m=100, dead_ends=dead.loc[dead["river"] == "浜", "node"])
    assert found[["to_river", "gap_m"]].to_numpy().tolist() == [["横", 30]]


@pytest.mark.parametrize("seed", range(6))
def test_gaps_between_parts_agree_with_brute_force(seed):
    random = np.random.default_rng(seed)
    lines = [line(*(xy + random.uniform(-60, 60, 2) for _ in range(2))) for xy in random.uniform(0, 900, (30, 2))]
    network = build(rivers(*((str(i), shape) for i, shape in enumerate(lines))), snap_m=0)
    found = gaps(network, max_gap_m=150, dead_ends=[])
    label = network.part[network.tail]
    wanted = []
    for a in np.unique(label):
        for b in np.unique(label):
            one, two = (shapely.union_all(network.lines[label == part]) for part in (a, b))
            if a < b and one.distance(two) <= 150:
                wanted.append((min(one.length, two.length), one.distance(two)))
    wanted.sort(key=lambda pair: (-pair[0], pair[1]))
    assert found["gain_m"].tolist() == pytest.approx([gain for gain, _ in wanted])
    assert sorted(found["gap_m"]) == pytest.approx(sorted(gap for _, gap in wanted))


# ------------------------------------------------------------------------------------------ loops


def test_meshes_and_what_runs_round_them():
    network = build(
        rivers(
            ("南", line((0, 0), (300, 0))),
            ("北", line((0, 100), (300, 100))),
            ("西", line((0, 0), (0, 100))),
            ("中", line((100, 0), (100, 100))),
            ("东", line((300, 0), (300, 100))),
            ("浜", line((200, 0), (200, 40))),
        )
    )
    found = loops(network)
    assert found["area_m2"].tolist() == [20000, 10000]
    assert found["length_m"].tolist() == [600, 400]
    assert found["circling"].tolist() == [False, False]
    assert set(found.loc[1, "rivers"].split("、")) == {"南", "北", "西", "中"}
    ring = build(rivers(("环", line((0, 0), (100, 0), (100, 100))), ("回", line((100, 100), (0, 0)))))
    assert loops(ring)["circling"].tolist() == [True]


@pytest.mark.parametrize("seed", range(5))
def test_there_are_as_many_meshes_as_the_graph_has_independent_rings(seed):
    random = np.random.default_rng(seed)
    lines = [line(*random.uniform(0, 500, (2, 2))) for _ in range(14)]
    network = build(rivers(*((str(i), shape) for i, shape in enumerate(lines))), snap_m=0)
    graph = nx.Graph(network.graph())
    wanted = graph.number_of_edges() - graph.number_of_nodes() + nx.number_connected_components(graph)
    assert len(loops(network)) == wanted


def test_a_tree_has_no_loops():
    assert loops(build(rivers(MAIN, ("支", line((300, 0), (300, 100)))))).empty


# ------------------------------------------------------------------------------------------ ledger

TOWNS = frame(box(0, -500, 500, 500), box(500, -500, 1000, 500), feature_name=["西镇", "东镇"])


def test_a_river_on_the_border_counts_half_on_each_side():
    network = build(
        rivers(
            MAIN,
            ("界", line((500, 0), (500, 400)), "一级支浜", 10),
            ("外", line((1000, -200), (1000, 0)), "一级支浜", 10),
        )
    )
    found = density(network, TOWNS)
    assert found["river_m"].tolist() == [500 + 200, 500 + 200 + 100]
    assert found["density_km_km2"].tolist() == [1.4, 1.6]
    assert found["water_m2"].tolist() == [500 * 40 + 200 * 10, 500 * 40 + 300 * 10]
    assert found["estimated"].all()


def test_water_surface_is_measured_where_there_are_polygons_each_spot_once():
    network = build(rivers(MAIN))
    water = frame(box(0, -10, 600, 10), box(400, -10, 1000, 10), line((0, 0), (9, 9)))
    found = density(network, TOWNS, water=water)
    assert found["water_m2"].tolist() == [10000, 10000]
    assert found["water_share"].tolist() == [0.02, 0.02]
    assert not found["estimated"].any()


def test_an_unknown_width_makes_the_surface_unknown_where_that_river_runs():
    network = build(rivers(MAIN, ("支", line((700, 0), (700, 100)))))
    found = density(network, TOWNS)
    assert found["water_m2"].tolist()[0] == 20000
    assert np.isnan(found["water_m2"].tolist()[1])


@pytest.mark.parametrize("seed", range(4))
def test_lengths_of_towns_add_up_to_the_network(seed):
    random = np.random.default_rng(seed)
    tiles = frame(*(box(x, y, x + 250, y + 250) for x in range(0, 1000, 250) for y in range(0, 1000, 250)))
    lines = [line(*(random.integers(1, 8, (3, 2)) * 125)) for _ in range(12)]
    lines = [shape for shape in lines if shape.length > 0]
    network = build(rivers(*((str(i), shape) for i, shape in enumerate(lines))), snap_m=0)
    pairs = lengths_by_area(network, tiles)
    assert pairs["length_m"].sum() == pytest.approx(network.length_m.sum())
    assert pairs.groupby("reach")["length_m"].sum().to_numpy() == pytest.approx(network.length_m)


def test_the_ledger_adds_up_by_class_and_town():
    network = build(
        rivers(
            MAIN,
            ("一", line((100, 0), (100, 100)), "一级支浜", 10),
            ("二", line((700, 0), (700, 300)), "一级支浜", 20),
            ("三", line((900, 0), (900, -600)), None, None),
        )
    )
    found = class_ledger(network, TOWNS)
    assert found.index.tolist() == ["干流", "一级支浜", "未定"]
    assert found["rivers"].tolist() == [1, 2, 1]
    assert found["reaches"].tolist() == [4, 2, 1]
    assert found["length_m"].tolist() == [1000, 400, 600]
    assert found["mean_width_m"].tolist()[:2] == [40, 17.5]
    assert np.isnan(found["mean_width_m"].tolist()[2])
    assert found[["西镇", "东镇", "区外"]].to_numpy().tolist() == [[500, 500, 0], [100, 300, 0], [0, 500, 100]]


def test_classes_are_counted_from_the_river_they_join():
    network = build(
        rivers(
            MAIN,
            ("骨", line((200, 300), (200, 0)), "骨干河道"),
            ("一", line((100, 200), (200, 200)), "一级支浜"),
            ("二", line((100, 280), (100, 200)), "二级支浜"),
            ("低", line((400, 200), (400, 0)), "三级支浜"),
            ("高", line((150, 240), (150, 200)), "一级支浜"),
            ("无", line((800, 90), (800, 0)), None),
            ("孤", line((0, 900), (90, 900)), "二级支浜"),
            ("倒", line((600, 300), (600, 200)), "骨干河道"),
            ("浜", line((600, 200), (600, 0)), "一级支浜"),
        )
    )
    found = check_classes(network).set_index("river")
    assert found["status"].to_dict() == {
        "干": "agrees", "骨": "agrees", "一": "agrees", "二": "agrees", "低": "too_low", "高": "too_high",
        "无": "unknown", "孤": "unknown", "倒": "inverted", "浜": "agrees",
    }  # fmt: skip
    assert found.loc["低", ["joins", "expected"]].tolist() == ["干流", "一级支浜"]
    assert found.loc["二", "expected"] == "二级支浜"
    assert found.loc["干", "order"] == 2
    assert pd.isna(found.loc["孤", "joins"])


def test_parts_of_a_river_with_several_classes_are_tested_apart():
    network = build(
        rivers(
            MAIN,
            ("川", line((300, 600), (300, 300)), "一级支浜"),
            ("川", line((300, 300), (300, 0)), "骨干河道"),
            ("沟", line((500, 400), (300, 400)), "二级支浜"),
            ("渠", line((500, 200), (300, 200)), "二级支浜"),
        )
    )
    found = check_classes(network)
    assert found[["river", "river_class", "status"]].to_numpy().tolist() == [
        ["干", "干流", "agrees"], ["川", "一级支浜", "agrees"], ["川", "骨干河道", "agrees"],
        ["沟", "二级支浜", "agrees"], ["渠", "二级支浜", "too_low"],
    ]  # fmt: skip
