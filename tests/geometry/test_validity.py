from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ecospatial.geometry.repair import is_finite, repair

E, N = 500000, 3520000


def ring(west, south, east, north):
    return [(E + x, N + y) for x, y in [(west, south), (east, south), (east, north), (west, north)]]


def shape(*points):
    return shapely.Polygon([(E + x, N + y) for x, y in points])


SQUARE = ring(0, 0, 100, 100)
HOLE_PARTLY_OUTSIDE = shapely.Polygon(SQUARE, [ring(90, 20, 110, 70)])
HOLE_OUTSIDE = shapely.Polygon(SQUARE, [ring(200, 0, 210, 10)])
NESTED_SHELLS = shapely.MultiPolygon([shapely.Polygon(SQUARE), shapely.Polygon(ring(10, 10, 30, 30))])
# The ring runs over a strip of 20 m x 60 m a second time: 12 000 m2 as it stands, 10 800 on the ground.
SELF_OVERLAP = shape((0, 0), (120, 0), (120, 60), (60, 60), (60, -20), (80, -20), (80, 100), (0, 100))
BOW_TIE = shape((0, 0), (100, 100), (100, 0), (0, 100))


@pytest.mark.parametrize(
    ("polygon", "as_it_stands", "true"),
    [
        (HOLE_PARTLY_OUTSIDE, 9000, 9500),
        (HOLE_OUTSIDE, 9900, 10000),
        (NESTED_SHELLS, 10400, 10000),
        (SELF_OVERLAP, 12000, 10800),
        (BOW_TIE, 0, 5000),
        (shapely.Polygon(SQUARE, [ring(10, 10, 90, 90), ring(20, 20, 30, 30)]), 3500, 3600),
        (shapely.Polygon(SQUARE, [ring(100, 0, 110, 10)]), 9900, 10000),
        (
            shapely.MultiPolygon([shapely.Polygon(SQUARE), shapely.Polygon(ring(50, 0, 150, 100))]),
            20000,
            15000,
        ),
        (shape((0, 0), (100, 0), (100, 100), (100, 150), (100, 100), (0, 100)), 10000, 10000),
    ],
)
def test_every_enclosed_spot_counts_once(polygon, as_it_stands, true):
    assert polygon.area == as_it_stands
    done = repair(np.array([polygon], dtype=object))
    assert done.geometry[0].is_valid
    assert done.geometry[0].area == pytest.approx(true, abs=1e-6)
    assert done.area_change_m2[0] == pytest.approx(true - as_it_stands, abs=1e-6)
    assert f"{as_it_stands:.2f} → {true:.2f}" in done.note[0]


@pytest.mark.parametrize(
    ("polygon", "word"),
    [(HOLE_OUTSIDE, "外环之外"), (NESTED_SHELLS, "嵌套"), (BOW_TIE, "自相交"), (HOLE_PARTLY_OUTSIDE, "相交")],
)
def test_the_note_says_what_was_wrong(polygon, word):
    assert word in repair(np.array([polygon], dtype=object)).note[0]


def test_what_is_valid_stays_and_nothing_is_said():
    valid = np.array(
        [shapely.Polygon(SQUARE), shapely.Point(E, N), shapely.LineString(SQUARE), None, shapely.Polygon()],
        dtype=object,
    )
    done = repair(valid)
    assert [a is None if b is None else shapely.equals_exact(a, b) for a, b in zip(done.geometry, valid, strict=True)]
    assert shapely.equals(done.geometry[:3], valid[:3]).all()
    assert done.geometry[3] is None
    assert done.note.tolist() == [""] * 5
    assert done.area_change_m2.tolist() == [0.0] * 5


def test_heights_are_dropped_without_a_word():
    done = repair(np.array([shapely.Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)])], dtype=object))
    assert not done.geometry[0].has_z
    assert done.note[0] == ""


def test_what_can_not_be_repaired_is_left_to_the_caller():
    with np.errstate(invalid="ignore"):
        broken = shapely.from_wkt("POLYGON ((0 0, 1 0, nan 1, 0 0))")
    done = repair(np.array([broken], dtype=object))
    assert done.geometry[0] is not None
    assert done.note[0] == ""


def test_a_collapsed_polygon_becomes_empty():
    done = repair(np.array([shape((0, 0), (100, 0), (50, 0))], dtype=object))
    assert done.geometry[0].is_empty
    assert done.note[0] != ""


def test_the_argument_is_not_altered():
    given_array = np.array([BOW_TIE], dtype=object)
    repair(given_array)
    assert given_array[0] is BOW_TIE


def test_degrees_are_told_in_square_metres():
    done = repair(np.array([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], dtype=object), unit_m2=np.array([1e6]))
    assert done.area_change_m2[0] == pytest.approx(0.5e6)


def test_finite_looks_at_every_vertex():
    odd = np.array([shapely.LineString([(0, 0), (np.inf, 1), (1, 1)]), shapely.box(0, 0, 1, 1)], dtype=object)
    assert is_finite(odd).tolist() == [False, True]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=9))
def test_any_ring_ends_valid_and_a_second_repair_finds_nothing(points):
    first = repair(np.array([shapely.Polygon(points)], dtype=object))
    assert shapely.is_valid(first.geometry[0])
    second = repair(first.geometry)
    assert second.note[0] == ""
    assert shapely.equals(second.geometry[0], first.geometry[0])
