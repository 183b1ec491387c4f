"""Ledgers that add up, what moved between two versions, who is served: by arithmetic."""

from __future__ import annotations

import geopandas as gpd
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import shapely
from made_audits import CRS, EAST, NORTH, ON, SOUTH, WEST, sound
from shapely import Point, box

import ecospatial as es
from ecospatial.audits import audit
from ecospatial.errors import CrsError, PlanError
from ecospatial.geometry import ellipsoidal_area
from ecospatial.geometry.partition import holders, partition
from ecospatial.indicators import land_balance, ledger, other_unit, service_coverage, unit_factor


def frame(*shapes, crs=CRS, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


# ------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("measure", "unit", "factor"),
    [
        ("area", "km2", 1e6), ("area", "平方千米", 1e6), ("area", "ha", 1e4), ("area", "公顷", 1e4),
        ("area", "亩", 10000 / 15), ("area", "万亩", 1e8 / 15), ("length", "km", 1e3), ("length", "公里", 1e3),
        ("share", "%", 0.01), ("share", "1", 1), ("value", "万m3/d", 1e4), ("value", "人", 1), ("count", "个", 1),
        ("area", "km", None), ("length", "ha", None),
    ],
)  # fmt: skip
def test_units(measure, unit, factor):
    assert unit_factor(measure, unit) == (None if factor is None else pytest.approx(factor, rel=1e-15))


def test_a_figure_in_the_wrong_unit_fits_another():
    assert other_unit("area", "km2", 0.01) == "ha"
    assert other_unit("area", "亩", 15.0) == "ha"
    assert other_unit("length", "km", 0.001) == "m"
    assert other_unit("area", "km2", 1.05) is None


# ------------------------------------------------------------------------------------------- partition


def test_pieces_of_a_partition_fit():
    area = box(0, 0, 100, 100) - box(40, 40, 60, 60)
    zones = np.array([box(20, 20, 50, 80), box(45, 30, 130, 50), box(20, 20, 50, 80)])
    pieces = partition(area, zones)
    assert pieces.size == 4  # the first only, the second only, both, neither
    assert shapely.area(pieces).sum() == pytest.approx(10000 - 400, abs=1e-6)
    assert shapely.union_all(pieces).symmetric_difference(area).area < 1e-6
    piece, zone = holders(pieces, zones)
    for number in range(len(zones)):
        inside = zones[number].intersection(area).area
        assert shapely.area(pieces[piece[zone == number]]).sum() == pytest.approx(inside, abs=1e-6)


# Shapes are drawn to the millimetre, as layers are.
boxes = st.builds(
    lambda x, y, w, h: box(round(x, 3), round(y, 3), round(x + w, 3), round(y + h, 3)),
    st.floats(-50, 150), st.floats(-50, 150), st.floats(0.5, 120), st.floats(0.5, 120),
)  # fmt: skip


@hypothesis.given(st.lists(boxes, max_size=12))
@hypothesis.settings(max_examples=60, deadline=None)
def test_whatever_is_laid_over_it_the_pieces_make_up_the_area(zones):
    area = Point(50, 50).buffer(60, quad_segs=24)
    pieces = partition(area, np.array(zones, dtype=object))
    assert shapely.area(pieces).sum() == pytest.approx(area.area, rel=1e-6)
    left, right = shapely.STRtree(pieces).query(pieces, predicate="intersects")
    pairs = left < right
    assert shapely.area(shapely.intersection(pieces[left[pairs]], pieces[right[pairs]])).sum() < 1e-3


# ------------------------------------------------------------------------------------------- ledger

TOWNS = frame(box(500000, 0, 501000, 1000), box(501000, 0, 502000, 1000), feature_name=["西镇", "东镇"])
LAND = frame(
    box(500000, 0, 500600, 1000), box(500600, 0, 501500, 500), box(501500, 0, 502500, 500), use=["耕地", "林地", None]
)


def cells(table, column):
    return table.set_index(["unit", "class"])[column]


def test_a_ledger_by_arithmetic():
    table = ledger(LAND, TOWNS, by="use", label="不明")
    area = cells(table, "area_m2")
    assert area["西镇"].to_dict() == {"耕地": 600000, "林地": 200000, "不明": 0, "未覆盖": 200000, "合计": 1000000}
    assert area["东镇"].to_dict() == {"耕地": 0, "林地": 250000, "不明": 250000, "未覆盖": 500000, "合计": 1000000}
    assert area["合计"].to_dict() == {"耕地": 600000, "林地": 450000, "不明": 250000, "未覆盖": 700000, "合计": 2000000}
    assert cells(table, "area_ha")["合计", "耕地"] == 60
    assert cells(table, "area_km2")["合计", "耕地"] == 0.6
    assert cells(table, "area_mu")["合计", "耕地"] == 900


def test_the_ellipsoid_differs_from_the_plane_as_pyproj_says():
    table = ledger(LAND, TOWNS, by="use", label="不明")
    plane, round_ = cells(table, "area_m2"), cells(table, "area_ellipsoidal_m2")
    expected = ellipsoidal_area(TOWNS.geometry.to_numpy(), TOWNS.crs)
    assert [round_["西镇", "合计"], round_["东镇", "合计"]] == pytest.approx(expected, abs=0.01)
    assert round_["合计", "合计"] != plane["合计", "合计"]


def adds_up(table):
    for unit in ("m2", "ha", "km2", "mu"):
        for method in ("area", "area_ellipsoidal"):
            # In whole steps, so that not even the last printed digit is off.
            step = {"m2": 100, "ha": 1e6, "km2": 1e8, "mu": 1e6}[unit]
            grid = cells(table, f"{method}_{unit}").unstack(sort=False)
            whole = np.round(grid.to_numpy() * step).astype(np.int64)
            assert np.abs(grid.to_numpy() * step - whole).max() < 1e-3
            assert (whole[:-1].sum(axis=0) == whole[-1]).all()
            assert (whole[:, :-1].sum(axis=1) == whole[:, -1]).all()


@hypothesis.given(st.lists(boxes, min_size=1, max_size=8), st.integers(1, 3))
@hypothesis.settings(max_examples=40, deadline=None)
def test_rows_and_columns_add_up_whatever_the_shapes(shapes, classes):
    towns = frame(box(0, 0, 37.3, 91.7), box(37.3, 0, 100, 91.7), feature_name=["甲", "乙"])
    land = frame(*shapes, use=[f"类{number % classes}" for number in range(len(shapes))])
    table = ledger(land, towns, by="use")
    adds_up(table)
    assert cells(table, "area_m2")["合计", "合计"] == pytest.approx(9170, abs=0.01)


def test_what_lies_twice_stands_in_a_column_of_its_own():
    twice = frame(box(500000, 0, 500600, 1000), box(500500, 0, 501000, 1000), use=["耕地", "林地"])
    area = cells(ledger(twice, TOWNS, by="use"), "area_m2")
    assert area["西镇"].to_dict() == {"耕地": 500000, "林地": 400000, "重叠": 100000, "未覆盖": 0, "合计": 1000000}


def test_same_features_twice_count_once():
    twice = frame(box(500000, 0, 500600, 1000), box(500500, 0, 501000, 1000), use=["耕地", "耕地"])
    assert cells(ledger(twice, TOWNS, by="use"), "area_m2")["西镇", "耕地"] == 1000000


def test_a_ledger_refuses_what_it_can_not_measure():
    with pytest.raises(CrsError):
        ledger(LAND.to_crs(4490), TOWNS)
    with pytest.raises(CrsError):
        ledger(LAND.to_crs(4548), TOWNS)
    with pytest.raises(PlanError, match="用途"):
        ledger(LAND, TOWNS, by="用途")


def test_the_ledger_of_a_plan(tmp_path):
    table = audit(es.open_plan(sound(tmp_path)), on=ON).ledger
    adds_up(table[table["kind"] == "territorial_space"])
    space = cells(table[table["kind"] == "territorial_space"], "area_km2")
    assert space["西镇"].to_dict() == {"生态空间": 20, "农业空间": 30, "城镇空间": 0, "未覆盖": 0, "合计": 50}
    assert space["东镇"].to_dict() == {"生态空间": 0, "农业空间": 10, "城镇空间": 40, "未覆盖": 0, "合计": 50}
    urban = cells(table[table["kind"] == "urban_boundary"], "area_mu")
    assert urban["东镇", "集中建设区"] == pytest.approx(36000)
    totals = table[(table["unit"] == "合计") & (table["class"] == "合计")]["area_ellipsoidal_m2"]
    assert totals.nunique() == 1


# ------------------------------------------------------------------------------------------- balance


def spaces(*shapes, names=("农业空间", "城镇空间")):
    return frame(*shapes, space=list(names)[: len(shapes)])


def test_what_moved_as_a_matrix_and_as_pieces():
    old = spaces(box(0, 0, 600, 1000), box(600, 0, 1000, 1000))
    new = spaces(box(0, 0, 450, 1000), box(450, 0, 1100, 1000))
    found = land_balance(old, new)
    matrix = found.matrix
    assert matrix.loc["农业空间"].to_dict() == {"农业空间": 450000, "城镇空间": 150000, "合计": 600000}
    assert matrix.loc["城镇空间"].to_dict() == {"农业空间": 0, "城镇空间": 400000, "合计": 400000}
    assert matrix.loc["未覆盖"].to_dict() == {"农业空间": 0, "城镇空间": 100000, "合计": 100000}
    assert matrix.loc["合计", "合计"] == 1100000
    moved = found.moved
    assert moved[["from_class", "to_class", "area_m2"]].values.tolist() == [
        ["农业空间", "城镇空间", 150000], ["未覆盖", "城镇空间", 100000],
    ]  # fmt: skip
    assert moved.geometry.iloc[0].equals(box(450, 0, 600, 1000))
    assert found.pieces["area_m2"].sum() == pytest.approx(1100000)


def test_nothing_moved():
    old = spaces(box(0, 0, 600, 1000), box(600, 0, 1000, 1000))
    assert land_balance(old, old).moved.empty


def test_a_balance_of_two_plans(tmp_path):
    old = es.open_plan(sound(tmp_path / "old"))
    halves = [box(WEST, SOUTH, 502000, NORTH), box(502000, SOUTH, 505000, NORTH), box(505000, SOUTH, EAST, NORTH)]
    new = es.open_plan(
        sound(tmp_path / "new", territorial_space=(halves, {"space": ["生态空间", "农业空间", "城镇空间"]}))
    )
    matrix = es.land_balance(old, new).matrix
    assert matrix.loc["农业空间", "城镇空间"] == 1e7
    assert matrix.loc["合计", "合计"] == 1e8


def test_a_balance_asks_when_the_class_is_not_clear():
    old = spaces(box(0, 0, 600, 1000)).assign(part="集中建设区")
    with pytest.raises(PlanError, match="by"):
        land_balance(old, old)
    assert land_balance(old, old, by="part").matrix.loc["集中建设区", "集中建设区"] == 600000
    with pytest.raises(PlanError, match="用途"):
        land_balance(old, old, by="用途")


def test_a_balance_shows_itself_with_names_escaped():
    old = frame(box(0, 0, 10, 10), space=["<b>"])
    assert "<b>" not in land_balance(old, old)._repr_html_().replace("<b>由", "")


# ------------------------------------------------------------------------------------------- coverage


def test_the_share_of_area_within_a_distance():
    park = frame(box(0, 0, 100, 100))
    homes = frame(box(100, 0, 1100, 100), box(5000, 0, 5100, 100))
    found = service_coverage(park, homes, 500)
    assert found["demand"].tolist() == [100000, 10000]
    assert found["served"].tolist() == pytest.approx([50000, 0])
    assert found["share"].tolist() == pytest.approx([0.5, 0])
    assert found["nearest_m"].tolist() == pytest.approx([0, 4900])
    assert found.geometry.iloc[0].area == pytest.approx(50000)
    assert found["served"].sum() / found["demand"].sum() == pytest.approx(5 / 11)


def test_parks_serve_by_their_size():
    # 5000 m2 serve 500 m, 2000 m2 serve 300 m, smaller ones nobody.
    parks = frame(box(0, 0, 100, 60), box(10000, 0, 10050, 50), box(20000, 0, 20010, 10))
    homes = frame(*(box(x + reach, 0, x + reach + 10, 10) for x, reach in (
        (100, 480), (100, 495), (10050, 280), (10050, 295), (20010, 10))))  # fmt: skip
    found = service_coverage(parks, homes, {5000: 500, 2000: 300})
    assert found["share"].tolist() == pytest.approx([1, 0.5, 1, 0.5, 0])


def test_people_live_evenly_in_areas_and_points_are_served_or_not():
    station = frame(Point(0, 0))
    homes = frame(box(400, -1, 600, 1), Point(499.999, 0), Point(500.001, 0), people=[100, 30, 40])
    found = service_coverage(station, homes, 500, people="people")
    assert found["served"].tolist() == pytest.approx([50, 30, 0], abs=0.2)
    assert found.geometry.isna().tolist() == [False, True, False]


@pytest.mark.parametrize("within_m", [300, 500, 5000])
def test_the_circle_of_a_station_or_monitor(within_m):
    # A whole circle in a large field; 64 chords to a quarter fall short of it by 1 part in 10 000.
    found = service_coverage(frame(Point(0, 0)), frame(box(-6000, -6000, 6000, 6000)), within_m)
    circle = np.pi * within_m**2
    assert found["served"].iloc[0] == pytest.approx(circle, rel=2e-4)
    assert found["served"].iloc[0] < circle
    assert found["share"].iloc[0] == pytest.approx(circle / 12000**2, rel=2e-4)


def test_without_facilities_nobody_is_served():
    homes = frame(box(0, 0, 10, 10), people=[5])
    found = service_coverage(frame(crs=CRS), homes, 500, people="people")
    assert found["served"].tolist() == [0]
    assert found["nearest_m"].isna().all()


def test_coverage_keeps_the_index_and_refuses_what_it_can_not_read():
    homes = frame(box(0, 0, 10, 10), people=[5.0]).set_axis(["甲"])
    park = frame(box(0, 0, 1, 1))
    assert service_coverage(park, homes, 5).index.tolist() == ["甲"]
    for bad in (0, -5, {}, {100: 0}):
        with pytest.raises(PlanError, match="within_m"):
            service_coverage(park, homes, bad)
    with pytest.raises(PlanError, match="未知不等于 0"):
        service_coverage(park, homes.assign(people=[np.nan]), 5, people="people")
    with pytest.raises(CrsError):
        service_coverage(park.to_crs(4490), homes, 5)
