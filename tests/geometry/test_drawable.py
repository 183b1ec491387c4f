"""Shapes for drawing: valid after every step, of their own dimension, and not far from what they were."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ecospatial.geometry import drawable
from ecospatial.maps.disclosure import outline

PLACE = np.array([501_000.0, 3_520_000.0])


def needle(width, *, length=40.0, at=0.37, angle=0.3):
    """A square with a spike of a width on one side."""
    spike = [(10, at * 10), (10 + length * np.cos(angle), at * 10 + length * np.sin(angle)), (10, at * 10 + width)]
    return shapely.Polygon([(0, 0), (10, 0), *spike, (10, 10), (0, 10)])


def dent(width):
    """A square with a slit of a width from one side nearly to the other."""
    return shapely.Polygon([(0, 0), (10, 0), (10, 4.9), (0.01, 4.9 + width / 2), (10, 4.9 + width), (10, 10), (0, 10)])


def doubled(step):
    """A circle whose vertices come in pairs a step apart."""
    angles = np.sort(np.concatenate([np.linspace(0, 6.2, 40), np.linspace(0, 6.2, 40) + step / 20]))
    return shapely.Polygon(np.column_stack([10 * np.cos(angles), 10 * np.sin(angles)]))


def touching(size):
    """A square with a hole that touches its shell in a point, and another that touches the first hole."""
    hole = [(0, 5), (size, 5 - size / 3), (size, 5 + size / 3)]
    second = [(size, 5 + size / 3), (size + 3, 5), (size + 3, 6)]
    return shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 5)], [hole, second])


def bowl(gap):
    """A ring that nearly closes: its two ends are a gap apart."""
    return shapely.Polygon([(0, 0), (10, 0), (10, 10), (5 + gap, 10), (5 + gap, 9), (9, 9), (9, 1), (1, 1), (1, 9),
                            (5, 9), (5, 10), (0, 10)])  # fmt: skip


WIDTHS = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]
SHAPES = [make(width) for make in (needle, dent, doubled, touching, bowl) for width in WIDTHS]
SHAPES += [shapely.LineString([(0, 0), (width, 0), (5, width)]) for width in WIDTHS]
SHAPES += [shapely.MultiPolygon([shapely.box(0, 0, 5, 5), shapely.box(5 + width, 0, 9, 5)]) for width in WIDTHS]


def put(shapes, shift=(0.0, 0.0), turn=0.0):
    c, s = np.cos(turn), np.sin(turn)
    moved = shapely.transform(
        np.array(shapes, dtype=object), lambda xy: xy @ np.array([[c, s], [-s, c]]) + PLACE + np.asarray(shift)
    )
    return moved[shapely.is_valid(moved)]


def assert_drawable(drawn, like):
    there = ~shapely.is_empty(drawn)
    assert shapely.is_valid(drawn).all()
    found, wanted = shapely.get_dimensions(drawn[there]), shapely.get_dimensions(like[there])
    assert np.isin(found, [0, 1, 2]).all()
    assert ((found == wanted) | (found == 0)).all()
    assert not (shapely.get_type_id(drawn) == 7).any()


def test_the_made_shapes_are_valid_before():
    wrong = [shape for shape in SHAPES if not shape.is_valid]
    assert [shapely.is_valid_reason(shape) for shape in wrong] == []


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.floats(0, 10), st.floats(0, 10)), st.floats(0, 3.2), st.sampled_from([0.01, 0.03, 0.1, 0.4, 1.0, 5.0])
)
def test_every_step_leaves_valid_shapes(shift, turn, size):
    shapes = put(SHAPES, shift, turn)
    west, south = PLACE + shift
    for drawn in (
        drawable.simplify_shapes(shapes, size),
        drawable.simplify_coverage(shapes, size),
        drawable.snap_shapes(shapes, size),
        drawable.round_shapes(shapes, 1),
        drawable.clip_shapes(shapes, (west + 2, south + 2, west + 8 + size, south + 4.95)),
        drawable.simplify_shapes(shapely.transform(shapes, lambda xy: (xy - PLACE) / 500), size / 10),
    ):
        assert len(drawn) == len(shapes)
        assert_drawable(drawn, shapes)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 10), st.floats(0, 10), st.floats(0.1, 60), st.floats(0.1, 60), st.sampled_from([1.0, 3.0, 10.0]))
def test_the_outline_of_a_box_at_any_offset_is_valid_and_on_its_grid(x, y, wide, high, accuracy):
    box = shapely.transform(shapely.box(x, y, x + wide, y + high), lambda xy: xy + PLACE)
    (drawn,) = outline(np.array([box], dtype=object), accuracy, None)
    assert drawn.is_valid
    assert not drawn.is_empty
    cells = shapely.get_coordinates(drawn) / (accuracy / 2) - 0.5
    assert np.abs(cells - np.round(cells)).max() < 1e-6
    if drawn.geom_type != "Point":  # moved by half of the diagonal of a cell at most; what is thinner has vanished
        assert shapely.hausdorff_distance(drawn, box) <= accuracy / 2 * np.sqrt(0.5) + accuracy / 2 + 1e-6


def test_boxes_at_every_offset_of_the_grid_are_as_large_as_cells_tell():
    """A box of w x h cells whose corners are moved apart: its area is that of the cells of its corners."""
    for left, low in itertools.product(np.arange(0, 5, 0.25), repeat=2):
        box = shapely.box(left, low, left + 25, low + 40)
        (drawn,) = outline(np.array([shapely.transform(box, lambda xy: xy + PLACE)], dtype=object), 10, None)
        assert drawn.is_valid
        assert drawn.area == 25 * 40  # 5 and 8 cells of 5 m, wherever it lies


def test_outlines_of_spikes_are_valid_and_hold_no_vertex_of_the_original():
    for turn, page in itertools.product(np.linspace(0, 3, 25), (None, (*(PLACE - 3), *(PLACE + 6)))):
        shapes = put(SHAPES, (0.123, 0.456), turn)
        drawn = outline(shapes, 2.0, page)
        assert_drawable(drawn, shapes)
        cells = shapely.get_coordinates(drawn) - 0.5
        assert np.abs(cells - np.round(cells)).max() < 1e-6


def test_a_zone_smaller_than_the_grid_is_a_point_and_not_nothing():
    small = shapely.box(500_001, 3_520_001, 500_001.5, 3_520_001.2)
    (drawn,) = outline(np.array([small], dtype=object), 10, None)
    assert drawn.equals(shapely.Point(500_002.5, 3_520_002.5))
    (gone,) = outline(np.array([small], dtype=object), 10, (500_100, 3_520_100, 500_200, 3_520_200))
    assert gone.is_empty


def test_valid_shapes_stay_the_same_objects_of_geometry():
    shapes = np.array([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.Point(3, 3), None])
    assert shapely.equals_identical(drawable.make_drawable(shapes)[:3], shapes[:3]).all()
    assert drawable.make_drawable(shapes)[3] is None


def test_of_a_mixed_collection_only_parts_of_the_own_dimension_stay():
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(5, 5), (6, 6)])])
    (found,) = drawable.make_drawable(np.array([mixed], dtype=object), like=np.array([shapely.box(0, 0, 9, 9)]))
    assert found.equals(shapely.box(0, 0, 1, 1))
    (line,) = drawable.make_drawable(np.array([shapely.LineString([(1, 1), (1, 1)])], dtype=object))
    assert line.is_empty


def test_a_bow_tie_keeps_both_halves():
    tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    (found,) = drawable.make_drawable(np.array([tie], dtype=object))
    assert found.is_valid
    assert found.area == pytest.approx(50)


def test_a_vertex_that_is_no_number_leaves_nothing():
    whole = shapely.Polygon([(0, 0), (9, 0), (5, 5)])
    broken = shapely.transform(whole, lambda xy: np.where(xy == 5, np.inf, xy))
    (found,) = drawable.make_drawable(np.array([broken], dtype=object))
    assert found.is_empty


@pytest.mark.parametrize("name", ["clip_by_rect", "simplify", "union_all", "intersection", "coverage_simplify",
                                  "set_precision", "make_valid"])  # fmt: skip
def test_a_shape_on_which_geos_fails_costs_no_other(name, monkeypatch):
    good = [shapely.box(0, 0, 4, 4), shapely.box(4, 0, 8, 4)]
    bad = shapely.box(20, 20, 21, 21.5)
    honest = getattr(shapely, name)

    def failing(shapes, *more, **how):
        if how.get("grid_size") is None and bad in np.atleast_1d(np.asarray(shapes, dtype=object)).tolist():
            raise shapely.GEOSException("made")
        return honest(shapes, *more, **how)

    monkeypatch.setattr(shapely, name, failing)
    shapes = np.array([*good, bad], dtype=object)
    for drawn in (
        drawable.clip_shapes(shapes, (0, 0, 30, 30)), drawable.simplify_shapes(shapes, 0.1),
        drawable.simplify_coverage(shapes, 0.1), drawable.intersect_shapes(shapes, shapely.box(-1, -1, 40, 40)),
    ):  # fmt: skip
        assert shapely.area(drawn)[:2].tolist() == [16.0, 16.0]
        assert shapely.is_valid(drawn).all()
    assert drawable.unite_shapes(shapes).area == pytest.approx(33.5, rel=1e-3)
