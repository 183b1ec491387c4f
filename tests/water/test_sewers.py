"""Sewer catchments, plants, outfalls, overflows and pipes, by mental arithmetic and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from made_rivers import box, frame, line, local, point, rivers

from ecospatial.errors import PlanError
from ecospatial.network import (
    build,
    catchment_flows,
    check_pipes,
    coverage,
    match_outfalls,
    plant_loads,
    rank_overflows,
    shares,
)

TOWN = frame(box(0, 0, 1000, 1000))


# ------------------------------------------------------------------------------------------ coverage


def test_blanks_and_overlaps_of_the_built_up_area_are_found_with_their_town():
    sewers = frame(
        box(0, 0, 600, 1000), box(500, 0, 900, 1000), box(900, 500, 1500, 1000), feature_name=["一", "二", None],
        feature_id=["P1", "P2", "P3"],
    )  # fmt: skip
    towns = frame(box(0, 0, 700, 1000), box(700, 0, 1000, 1000), feature_name=["西街道", "东街道"])
    found = coverage(sewers, TOWN, towns=towns)
    assert found[["fault", "catchments", "town", "area_m2"]].to_numpy().tolist() == [
        ["overlap", "一、二", "西街道", 100000],
        ["blank", "", "东街道", 50000],
    ]
    assert found.geometry[1].symmetric_difference(box(900, 0, 1000, 500)).area < 1e-6
    assert found.attrs == {"built_up_m2": 1e6, "covered_m2": 950000, "blank_m2": 50000, "overlap_m2": 100000}


def test_a_tiling_has_no_faults_and_shared_edges_are_none():
    tiles = frame(*(box(x, y, x + 250, y + 500) for x in range(0, 1000, 250) for y in (0, 500)))
    assert coverage(tiles, TOWN).empty
    shaved = frame(box(0, 0, 1000, 999.9995))
    assert coverage(shaved, TOWN).empty
    assert coverage(shaved, TOWN, ignore_m2=0.1).empty
    assert coverage(shaved, TOWN, ignore_m2=0.1, sliver_m=0)["area_m2"].round(3).tolist() == [0.5]
    narrow = frame(box(0, 0, 1000, 999.95), box(0, 999.85, 1000, 1000), feature_name=["南", "北"])
    assert coverage(narrow, TOWN, sliver_m=0.05)["fault"].tolist() == ["overlap"]
    assert coverage(narrow, TOWN, sliver_m=0.15).empty


def test_three_that_overlap_are_three_pairs_and_each_spot_once():
    sewers = frame(*(box(0, 0, 1000, 1000) for _ in range(3)), feature_name=["一", "二", "三"])
    found = coverage(sewers, TOWN)
    assert sorted(found["catchments"]) == ["一、三", "一、二", "二、三"]
    assert found.attrs["overlap_m2"] == 1e6


@pytest.mark.parametrize("seed", range(5))
def test_coverage_agrees_with_counting_points(seed):
    random = np.random.default_rng(seed)
    corners = random.integers(0, 900, (8, 2))
    sewers = frame(
        *(box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, random.integers(50, 500, (8, 2)), strict=True))
    )
    found = coverage(sewers, TOWN, ignore_m2=0, sliver_m=0)
    grid = np.stack(np.meshgrid(np.arange(0.5, 1000), np.arange(0.5, 1000)), -1).reshape(-1, 2)
    count = np.zeros(len(grid), dtype=int)
    for shape in sewers.geometry:
        west, south, east, north = np.array(shape.bounds) - [500000, 3520000, 500000, 3520000]
        count += (grid[:, 0] > west) & (grid[:, 0] < east) & (grid[:, 1] > south) & (grid[:, 1] < north)
    assert found.attrs["blank_m2"] == pytest.approx((count == 0).sum())
    assert found.attrs["overlap_m2"] == pytest.approx((count > 1).sum())
    assert found.loc[found["fault"] == "blank", "area_m2"].sum() == pytest.approx((count == 0).sum())
    assert found.loc[found["fault"] == "overlap", "area_m2"].sum() == pytest.approx((count * (count - 1) // 2).sum())


# ------------------------------------------------------------------------------------------ plants


def test_the_flow_counts_before_people_and_nothing_is_made_up():
    sewers = frame(
        box(0, 0, 1, 1), box(0, 0, 1, 1), box(0, 0, 1, 1), flow_m3_d=[500.0, np.nan, np.nan], population=[9, 1000, None]
    )
    told = catchment_flows(sewers, 200)
    assert told["flow_m3_d"].tolist()[:2] == [500, 200]
    assert told["basis"].tolist()[:2] == ["流量", "人口定额"]
    assert told["flow_m3_d"].isna().tolist() == [False, False, True]
    assert catchment_flows(sewers)["flow_m3_d"].isna().tolist() == [False, True, True]
    with pytest.raises(PlanError, match="人均污水量"):
        catchment_flows(sewers, 0)


def test_the_load_of_each_plant_stands_against_its_capacity():
    plants = frame(
        *(point(0, 0) for _ in range(4)), plant=["甲", "乙", "丙", "丁"], capacity_m3_d=[1000, 1000, 1000, None]
    )
    sewers = frame(
        *(box(0, 0, 100, 10) for _ in range(8)),
        plant=["甲", "甲", "乙", "乙", "丙", "丁", "戊", None],
        flow_m3_d=[400.0, 500.0, 1200.0, np.nan, np.nan, 10.0, 20.0, 30.0],
        population=[1, 2, 3, 4, 5, 6, 7, 8],
    )
    found = plant_loads(plants, sewers).set_index("plant")
    assert found.index.tolist() == ["甲", "乙", "丙", "丁", "戊", "未定"]
    assert found["status"].tolist() == ["within", "over", "cannot_tell", "cannot_tell", "cannot_tell", "cannot_tell"]
    assert found["unknown"].tolist() == [0, 1, 1, 0, 0, 0]
    assert found["load_m3_d"].tolist()[:2] == [900, 1200]
    assert found["load_m3_d"].isna().tolist() == [False, False, True, False, False, False]
    assert found.loc["甲", "utilisation"] == 0.9
    assert found["utilisation"].isna().sum() == 5
    assert found["area_m2"].tolist() == [2000, 2000, 1000, 1000, 1000, 1000]
    assert found["population"].tolist() == [3, 7, 5, 6, 7, 8]


def test_a_plant_without_any_catchment_can_not_be_told():
    plants = frame(point(0, 0), plant=["甲"], capacity_m3_d=[1000])
    sewers = frame(box(0, 0, 1, 1), plant=[None]).iloc[:0]
    assert plant_loads(plants, sewers)[["catchments", "status"]].to_numpy().tolist() == [[0, "cannot_tell"]]


def test_shares_are_by_area_and_unknown_is_its_own():
    sewers = frame(
        box(0, 0, 60, 10), box(0, 0, 20, 10), box(0, 0, 10, 10), box(0, 0, 10, 10),
        system=["分流", "合流", "混流", None], meets_standard=[True, False, None, True], group=["甲", "甲", "乙", None],
    )  # fmt: skip
    found = shares(sewers, by="group").set_index("group")
    assert found.index.tolist() == ["甲", "乙", "未定", "合计"]
    whole = found.loc["合计"]
    assert whole[["catchments", "area_m2"]].tolist() == [4, 1000]
    assert whole[["separate", "combined", "mixed", "system_unknown"]].tolist() == [0.6, 0.2, 0.1, 0.1]
    assert whole[["standard", "standard_unknown"]].tolist() == [0.7, 0.1]
    assert found.loc["甲", ["separate", "combined", "standard"]].tolist() == [0.75, 0.25, 0.75]
    assert found.loc["未定", ["separate", "standard", "system_unknown"]].isna().tolist() == [True, False, False]
    assert shares(sewers)["group"].tolist() == ["合计"]


# ------------------------------------------------------------------------------------------ outfalls

NETWORK = build(rivers(("干", line((0, 0), (1000, 0))), ("支", line((400, 500), (400, 0)))))
SEWERS = frame(
    box(0, 20, 390, 500), box(410, 20, 1000, 500), feature_id=["P1", "P2"], feature_name=["一片", "二片"],
    system=["合流", "分流"],
)  # fmt: skip


def test_outfalls_belong_to_the_catchment_that_is_written_that_holds_them_or_that_is_nearest():
    outfalls = frame(
        point(100, 10), point(500, 100), point(500, 10), point(500, 10), point(500, -3000),
        catchment=[None, None, "P1", "没有", None], river=["干", "支", None, None, None],
    )  # fmt: skip
    found = match_outfalls(outfalls, SEWERS, NETWORK)
    assert found["catchment_name"].tolist()[:4] == ["一片", "二片", "一片", "二片"]
    assert found["how"].tolist() == ["最近", "位于其中", "标注", "最近", ""]
    assert found["distance_m"].tolist()[:4] == pytest.approx([10, 0, np.hypot(110, 10), 10])
    assert found["river"].tolist()[:4] == ["干", "支", "干", "干"]
    assert found["along_m"].tolist()[0] == 100
    assert found["catchment"].tolist()[4] == found["reach"].tolist()[4] == -1
    assert "river" not in match_outfalls(outfalls, SEWERS)


def test_without_catchments_outfalls_belong_to_none():
    assert match_outfalls(frame(point(1, 1)), SEWERS.iloc[:0])["catchment"].tolist() == [-1]


def test_overflows_upstream_are_ranked_by_flow_then_system_then_distance():
    outfalls = frame(
        point(100, 5), point(405, 300), point(700, 5), point(395, 100), point(600, 5), point(950, 5),
        outfall_type=["溢流口", "溢流口", "合流制溢流口", "截流溢流口", "工业排污口", "溢流口"],
        flow_m3_d=[np.nan, np.nan, 50.0, np.nan, 900.0, 900.0], index=list("abcdef"),
    )  # fmt: skip
    sections = frame(point(900, 0), point(300, 0), river=["干", "干"], index=["下", "上"])
    found = rank_overflows(NETWORK, sections, outfalls, SEWERS)
    assert found[["section", "rank", "thing"]].to_numpy().tolist() == [
        ["下", 1, "c"], ["下", 2, "d"], ["下", 3, "a"], ["下", 4, "b"], ["上", 1, "a"],
    ]  # fmt: skip
    assert found["along_river_m"].tolist() == [200, 600, 800, 800, 200]
    assert found["system"].tolist() == ["分流", "合流", "合流", "分流", "合流"]


# ------------------------------------------------------------------------------------------ pipes


def pipes(*drawn):
    ids, types, lines, above, below = zip(*drawn, strict=True)
    return frame(
        *lines, feature_id=list(ids), pipe_type=list(types), from_invert_m=list(above), to_invert_m=list(below)
    )


def faults(found):
    return sorted(
        (f, i, o if isinstance(o, str) else "")
        for f, i, o in found[["fault", "feature_id", "onto"]].to_numpy().tolist()
    )


def test_a_sound_line_of_pipes_down_to_the_plant_has_no_faults():
    drawn = pipes(
        ("W1", "污水", line((0, 0), (50, 0)), 3.0, 2.8),
        ("W2", "污水", line((50, 0.2), (100, 0)), 2.8, 2.6),
        ("W3", "污水", line((50, 80), (50, 0)), 3.1, 2.8),
    )
    assert check_pipes(drawn, outlets=frame(point(110, 0))).empty


def test_every_fault_of_pipes_is_found_where_it_is():
    drawn = pipes(
        ("W1", "污水", line((0, 0), (50, 0)), 3.0, 2.8),
        ("W2", "污水", line((50, 0), (100, 0)), 2.9, 2.95),
        ("Y1", "雨水", line((50, 80), (50, 0)), None, None),
        ("W4", "污水", line((200, 0), (240, 0)), 3.0, 2.9),
        ("H1", "合流", line((300, 0), (340, 0)), 3.0, 2.9),
        ("Y2", "雨水", line((340, 0), (400, 0)), 2.9, 2.8),
    )
    found = check_pipes(drawn, outlets=frame(point(100, 5), point(400, 0)))
    assert faults(found) == [
        ("adverse_slope", "W2", ""),
        ("dangling", "W4", ""),
        ("misconnected", "H1", "Y2"),
        ("misconnected", "Y1", "W2"),
        ("step_up", "W1", "W2"),
    ]
    by = found.set_index("fault")
    assert by.loc["adverse_slope", "value"] == pytest.approx(-0.05 / 50)
    assert by.loc["step_up", "value"] == pytest.approx(0.1)
    assert by.loc["dangling", "value"] == 60
    assert by.loc["dangling", "note"] == "距最近的其他管道 60.0 m"
    assert local(by.loc["dangling", "geometry"]) == [(240, 0)]
    assert sorted(by.loc["misconnected", "note"]) == ["合流接入雨水管", "雨水接入污水管"]


def test_pipes_that_cross_are_not_connected_and_ends_on_pipes_are():
    drawn = pipes(
        ("W1", "污水", line((0, 0), (100, 0)), 3.0, 2.0),
        ("Y1", "雨水", line((30, -50), (30, 50)), 5.0, 4.0),
        ("W2", "污水", line((60, 50), (60, 0)), 2.6, 2.3),
    )
    found = check_pipes(drawn, outlets=frame(point(100, 0), point(30, 50)))
    # W1 lies at 3.0 - 0.6 = 2.4 where W2 ends at 2.3: the water would have to climb.
    assert faults(found) == [("step_up", "W2", "W1")]
    assert found["value"].tolist() == [pytest.approx(0.1)]


def test_a_pipe_may_have_to_fall_by_more_than_nothing():
    drawn = pipes(("W1", "污水", line((0, 0), (100, 0)), 3.0, 2.9), ("W2", "污水", line((100, 0), (200, 0)), 2.9, 2.6))
    outlet = frame(point(200, 0))
    assert check_pipes(drawn, outlets=outlet).empty
    strict = check_pipes(drawn, outlets=outlet, min_slope=0.002)
    assert faults(strict) == [("adverse_slope", "W1", "")]
    assert shapely.equals(strict.geometry[0], drawn.geometry[0])
