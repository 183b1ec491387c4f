"""What lies nearest to many shapes, and what a coverage holds of them, against asking every pair."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import shapely
from shapely import affinity

from ecospatial.geometry import SegmentIndex, ShapeIndex
from ecospatial.relations import Coverage, Covered, Nearest, Target

X, Y = 496000.0, 3516000.0  # what survey coordinates look like: rounding is part of the question


def star(random, radius, vertices):
    """A ragged polygon round a random point of a district 8 km wide."""
    x, y = random.uniform(0, 8000, 2)
    angle = np.sort(random.uniform(0, 2 * np.pi, vertices))
    reach = radius * random.uniform(0.4, 1.0, vertices)
    return shapely.Polygon(np.column_stack([X + x + reach * np.cos(angle), Y + y + reach * np.sin(angle)])).buffer(0)


def road(random, length):
    """A crooked line."""
    start = np.array([X, Y]) + random.uniform(0, 8000, 2)
    return shapely.LineString(start + np.cumsum(random.uniform(-length, length, (6, 2)), axis=0))


def made(seed):
    """Parcels, roads, wells and a few very large sites."""
    random = np.random.default_rng(seed)
    shapes = [star(random, random.uniform(10, 90), int(random.integers(4, 12))) for _ in range(2500)]
    shapes += [
        shapely.MultiPolygon([p, affinity.translate(p, 70, 40)]) for p in shapes[:50] if p.geom_type == "Polygon"
    ]
    shapes += [road(random, 40) for _ in range(200)] + [
        shapely.Point(X + x, Y + y) for x, y in random.uniform(0, 8000, (200, 2))
    ]
    shapes += [star(random, 1500, 40) for _ in range(10)] + [road(random, 900) for _ in range(10)]
    # In heaps, as parcels are, and far from everything else.
    shapes += [affinity.translate(shape, 3000, -9000) for shape in shapes[:100]]
    return np.array([shape for shape in shapes if not shape.is_empty], dtype=object)


FEATURES = {
    "rivers": lambda random: [road(random, 1500) for _ in range(30)],
    "zones": lambda random: [star(random, 600, 60) for _ in range(15)],
    "one zone with a fine edge": lambda _: [shapely.Point(X + 4000, Y + 4000).buffer(2500, quad_segs=700)],
    "wells": lambda random: [shapely.Point(X + x, Y + y) for x, y in random.uniform(0, 8000, (300, 2))],
    "one well": lambda _: [shapely.Point(X + 4000, Y + 3000)],
    "of all kinds": lambda random: [star(random, 500, 30), road(random, 800), shapely.Point(X, Y)],
}


@pytest.fixture(scope="module")
def shapes():
    return made(1)


@pytest.fixture(autouse=True, params=["lists", "index"])
def way(request, monkeypatch):
    """Where edges are dense an index is asked; here also where they are not."""
    if request.param == "index":
        monkeypatch.setattr(importlib.import_module("ecospatial.geometry.segment_index"), "DENSE", 0)


@pytest.fixture(params=FEATURES)
def features(request):
    return np.array(FEATURES[request.param](np.random.default_rng(7)), dtype=object)


def outlines(features):
    """The edges of polygons; all else as it is."""
    return np.array([f.boundary if f.geom_type.endswith("Polygon") else f for f in features], dtype=object)


def test_the_nearest_segment_of_every_vertex_is_as_near_as_any(shapes, features):
    edge = SegmentIndex.of(features)
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    distance, segment = edge.around(shapes).nearest_to(xy, of)
    points = shapely.points(xy)
    expected = shapely.distance(points[:, None], outlines(features)).min(axis=1)
    assert distance == pytest.approx(expected, abs=1e-7)
    lines = shapely.linestrings(np.stack([edge.start[segment], edge.end[segment]], axis=1))
    assert shapely.distance(points, lines) == pytest.approx(expected, abs=1e-7)


def test_the_distance_of_every_shape_is_that_to_the_nearest_feature(shapes, features):
    parts = ShapeIndex(shapes)
    for reach_m in (np.inf, 700.0, 3.0):
        found = Nearest.of(Target(features), parts, reach_m)
        distance = shapely.distance(shapes[:, None], features)
        expected = distance.min(axis=1)
        within = expected <= reach_m
        assert within.any() or reach_m < 10
        assert (found.feature >= 0).tolist() == within.tolist()
        assert found.distance_m[within] == pytest.approx(expected[within], abs=1e-9)
        assert np.isnan(found.distance_m[~within]).all()
        # The feature named is one that is so near.
        rows = np.flatnonzero(within)
        assert distance[rows, found.feature[rows]] == pytest.approx(expected[rows], abs=1e-9)


def test_the_edge_is_known_around_what_is_out_of_reach_too(shapes, features):
    target, parts = Target(features), ShapeIndex(shapes)
    found = Nearest.of(target, parts, 3.0)
    some = np.arange(0, len(shapes), 7)
    xy, of = shapely.get_coordinates(shapes[some], return_index=True)
    distance, _ = found.edge(target, parts, some).nearest_to(xy, of)
    together = outlines(shapely.get_parts(shapely.union_all(features)))
    expected = shapely.distance(shapely.points(xy)[:, None], together).min(axis=1)
    assert np.isnan(found.distance_m[some]).any()
    assert distance == pytest.approx(expected, abs=1e-7)


def test_what_no_edge_comes_near_is_told_apart_rightly(shapes, features):
    found = Nearest.of(Target(features), ShapeIndex(shapes), np.inf)
    edges = outlines(features)
    far = np.setdiff1d(np.arange(len(shapes)), found.close)
    distance = shapely.distance(shapes[far][:, None], edges)
    assert (distance > 0).all()
    held = shapely.contains_properly(features[found.holder], shapes[found.site])
    assert held.all()
    expected = np.argwhere(shapely.contains_properly(features, shapes[far][:, None]))
    assert sorted(zip(found.site.tolist(), found.holder.tolist(), strict=True)) == sorted(
        (int(far[row]), int(feature)) for row, feature in expected
    )
    vertex, of = shapely.get_coordinates(shapes, return_index=True)
    furthest = np.zeros(len(shapes))
    np.maximum.at(furthest, of, shapely.distance(shapely.points(vertex)[:, None], edges).min(axis=1))
    assert (furthest <= found.most_m + 1e-6).all()


@pytest.mark.parametrize("within_m", [0.0, 5.0, 100.0, 1000.0, 6000.0])
def test_a_coverage_holds_what_lies_far_enough_from_its_edge(shapes, within_m):
    random = np.random.default_rng(3)
    hole = shapely.box(X + 3000, Y + 3000, X + 3600, Y + 3900)
    ragged = shapely.union_all([star(random, 4000, 90) for _ in range(3)] + [shapely.box(X, Y, X + 6000, Y + 6000)])
    for area in (ragged, shapely.difference(ragged, hole), shapely.box(X + 100, Y - 500, X + 9000, Y + 9000)):
        held = Covered(Coverage(area), ShapeIndex(shapes), within_m).within(within_m)
        assert Covered(Coverage(area), ShapeIndex(shapes), 6000.0).within(within_m).tolist() == held.tolist()
        reached = shapely.distance(shapes, area.boundary)
        expected = shapely.covers(area, shapes) & (reached >= within_m)
        plain = np.abs(reached - within_m) > 1e-5
        assert held[plain].tolist() == expected[plain].tolist()
        assert within_m > 1000 or 0 < held.sum() < len(shapes)


def test_a_coverage_that_may_be_short_holds_that_much_more():
    area = Coverage(shapely.box(X, Y, X + 2000, Y + 2000), short_m=0.5)
    sites = ShapeIndex(np.array([shapely.Point(X + 999.4, Y + 1000), shapely.Point(X + 999.6, Y + 1000)]))
    assert Covered(area, sites, 1000.0).within(1000.0).tolist() == [False, True]
    assert not Covered(Coverage(None), sites, 0.0).within(0.0).any()
