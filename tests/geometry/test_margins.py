"""How far a line must be wrong to turn a verdict: what is measured, against erosion and plain distances."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from made_plans import OVER, layer, plan_folder, rule, sites, zone_plan
from shapely import affinity

import ecospatial as es
from ecospatial.geometry import depth

ON = "2026-11-20"
NEAR = rule("N", layer="control_zone", where={"zone_type": ["清水通道维护区"]}, within_m=300)
OUT = rule("O", relation="outside", layer="control_zone")
X, Y = 496000.0, 3516000.0


def star(x, y, radius, *, seed, vertices):
    """A ragged polygon round a point."""
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, vertices))
    reach = radius * random.uniform(0.5, 1.0, vertices)
    return shapely.buffer(shapely.Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])), 0)


def turned(shape, degrees=31):
    return affinity.rotate(shape, degrees, origin=(X, Y))


ZONES = {
    "square": shapely.box(X, Y, X + 100, Y + 100),
    "ragged": star(X, Y, 300, seed=1, vertices=200),
    "few corners": star(X, Y, 300, seed=2, vertices=7),
    "strip of half a metre": turned(shapely.box(X, Y, X + 1000, Y + 0.5)),
    "channel": turned(shapely.box(X, Y, X + 2000, Y + 24)),
    "with a hole": shapely.box(X, Y, X + 200, Y + 200) - shapely.Point(X + 90, Y + 110).buffer(40),
    "in two parts": shapely.union(shapely.box(X, Y, X + 60, Y + 60), shapely.box(X + 80, Y, X + 240, Y + 90)),
}
SITES = {
    "inside": shapely.box(X + 20, Y + 20, X + 40, Y + 35),
    "swallows the zone": shapely.box(X - 3000, Y - 3000, X + 3000, Y + 3000),
    "across the edge": star(X + 60, Y + 3, 70, seed=4, vertices=30),
    "round": shapely.Point(X + 100, Y + 40).buffer(90),
    "a strip": turned(shapely.box(X - 50, Y + 10, X + 700, Y + 10.4)),
    "two parts": shapely.union(shapely.box(X + 5, Y + 5, X + 15, Y + 15), shapely.box(X + 85, Y + 20, X + 99, Y + 80)),
    "with a hole": shapely.box(X - 20, Y - 20, X + 120, Y + 120) - shapely.box(X + 10, Y + 10, X + 90, Y + 90),
    "line": shapely.LineString([(X - 100, Y - 40), (X + 40, Y + 50), (X + 300, Y + 60)]),
    "point": shapely.Point(X + 33, Y + 21),
}


def eroded_depth(site, zone):
    """Find by bisection how far a zone can be eroded before the site is out of it.

    An erosion that leaves less than a few millimetres of a zone leaves nothing, so this may be so much less.
    """
    low, high = 0.0, 3000.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        inner = shapely.buffer(zone, -middle, quad_segs=64)
        low, high = (middle, high) if shapely.intersects(inner, site) else (low, middle)
    return low


def allowed(expected):
    """How much less than the truth a margin may be."""
    # Round an inward corner the erosion follows chords of a circle: 64 to a quarter leave 8e-5 of the radius.
    return np.clip(0.01 * expected, 0.01, 0.1) + 1e-4 * expected + 1e-3


@pytest.mark.parametrize("name", ZONES)
def test_overlap_margins_are_the_erosion_that_lets_go(tmp_path, name):
    zone = ZONES[name]
    plan = es.open_plan(zone_plan(tmp_path, OVER, zone=zone))
    found = es.check(sites(*SITES.values()), plan, on=ON).frame
    told = 0
    for row, site in zip(found.itertuples(), SITES.values(), strict=True):
        if row.verdict == "prohibited":
            expected = eroded_depth(site, zone)
            assert expected - allowed(expected) <= row.margin_m <= expected * (1 + 1e-4) + 5e-3
            told += 1
        else:
            assert row.margin_m == pytest.approx(shapely.distance(site, zone), abs=1e-6)
    assert told >= 4


@pytest.mark.parametrize("name", ZONES)
def test_margins_of_what_lies_outside(tmp_path, name):
    zone = ZONES[name]
    plan = es.open_plan(zone_plan(tmp_path, OUT, zone=zone))
    found = es.check(sites(*SITES.values()), plan, on=ON).frame
    for row, site in zip(found.itertuples(), SITES.values(), strict=True):
        rest = shapely.difference(site, zone)
        if row.verdict == "prohibited":
            # Points of the part outside, close together, instead of an erosion of everything that is no zone.
            if rest.area:
                assert row.overlap_m2 == pytest.approx(rest.area, rel=1e-9)
            dense = shapely.get_coordinates(shapely.segmentize(rest, 0.5))
            expected = shapely.distance(shapely.points(dense), zone).max()
            assert row.margin_m >= expected - allowed(expected)
            # Nothing outside a zone is further from it than the furthest point of the hull.
            assert row.margin_m <= shapely.hausdorff_distance(rest, zone) + 1e-6
        else:
            assert row.margin_m == pytest.approx(shapely.distance(site, zone.boundary), abs=1e-6)


@pytest.mark.parametrize("name", ZONES)
def test_near_margins_are_the_way_to_the_limit(tmp_path, name):
    zone = ZONES[name]
    plan = es.open_plan(zone_plan(tmp_path, NEAR, zone=zone))
    moved = [affinity.translate(site, dx, -dx / 3) for site in SITES.values() for dx in (0, 250, 320, 700)]
    found = es.check(sites(*moved), plan, on=ON).frame
    assert set(found.verdict) == {"prohibited", "clear"}
    for row, site in zip(found.itertuples(), moved, strict=True):
        distance = shapely.distance(site, zone)
        assert (row.verdict == "prohibited") == (distance <= 300)
        assert row.distance_m == pytest.approx(distance, abs=1e-6)
        assert row.margin_m == pytest.approx(abs(300 - distance), abs=1e-6)


@pytest.mark.parametrize("name", ZONES)
def test_certain_is_told_by_erosion_within_ten_centimetres(tmp_path, name):
    zone = ZONES[name]
    held = [site for site in SITES.values() if shapely.intersection(site, zone).area > 1]
    deep = np.array([eroded_depth(site, zone) for site in held])
    layer_m = 0.2
    # The layer and the site together are wrong by a centimetre more, and by a tenth of a metre less, than can be borne.
    too_much = deep - layer_m + 0.01
    little = deep - layer_m - allowed(deep)
    plan = es.open_plan(zone_plan(tmp_path, OVER, zone=zone, accuracy_m=layer_m))
    below = es.check(sites(*held, accuracy_m=too_much.tolist()), plan, on=ON).frame
    above = es.check(sites(*held, accuracy_m=np.maximum(little, 0.0).tolist()), plan, on=ON).frame
    assert (below.verdict == "prohibited").all()
    assert not below.certain.any()
    assert above.certain[little >= 0].all()
    assert (little >= 0).sum() >= 3 or deep.max() < 1


def test_touching_zones_have_no_edge_between_them(tmp_path):
    halves = [shapely.box(X, Y, X + 500, Y + 300), shapely.box(X + 500, Y, X + 1000, Y + 300)]
    plan = es.open_plan(zone_plan(tmp_path, OVER, zone=halves, columns={"zone_type": ["清水通道维护区"] * 2}))
    row = es.check(sites(shapely.box(X + 480, Y + 140, X + 520, Y + 160)), plan, on=ON).frame.iloc[0]
    assert 150 - 0.1 <= row.margin_m <= 150


def test_depth_of_random_conflicts_against_erosion():
    random = np.random.default_rng(8)
    for seed in range(12):
        zone = star(X, Y, 250, seed=seed, vertices=int(random.integers(5, 150)))
        if seed % 3 == 0:
            zone -= star(X + 20, Y, 40, seed=seed + 1, vertices=9)
        places = random.uniform(-200, 200, (10, 2))
        radius = 10 ** random.uniform(1.0, 2.4, len(places))
        made = [star(X + x, Y + y, r, seed=int(r * 100), vertices=25) for (x, y), r in zip(places, radius, strict=True)]
        conflicts = shapely.intersection(np.array(made), zone)
        conflicts = conflicts[shapely.area(conflicts) > 0.01]
        found = depth(conflicts, shapely.boundary(zone))
        expected = np.array([eroded_depth(conflict, zone) for conflict in conflicts])
        assert (found >= expected - allowed(expected)).all()
        assert (found <= expected * (1 + 1e-4) + 5e-3).all()


def test_great_depths_are_told_from_accuracies_within_ten_centimetres():
    """Beyond 100 m a thousandth will do, but not where an accuracy lies in it."""
    random = np.random.default_rng(11)
    zone = star(X, Y, 4000, seed=3, vertices=90)
    places = random.uniform(-1500, 1500, (60, 2))
    made = [star(X + x, Y + y, 60, seed=number, vertices=9) for number, (x, y) in enumerate(places)]
    conflicts = shapely.intersection(np.array(made), zone)
    conflicts = conflicts[shapely.area(conflicts) > 1]
    # The deepest of points 2 m apart is at most 2 m less deep than the deepest of all.
    dense = [shapely.get_coordinates(shapely.segmentize(conflict.boundary, 2.0)) for conflict in conflicts]
    reached = np.array([shapely.distance(shapely.points(xy), zone.boundary).max() for xy in dense])
    exact = depth(conflicts, zone.boundary)
    assert (exact >= reached - 0.1).all()
    assert (exact > 200).sum() > 20
    for off in (-3.0, -0.3, -0.11, 0.0, 0.11, 0.3, 3.0):
        limits = exact + off
        found = depth(conflicts, zone.boundary, np.column_stack([limits, np.full(len(limits), 7.5)]))
        assert (found >= np.minimum(exact - 0.1, exact * 0.999) - 1e-6).all()
        assert (found <= exact + 0.1 + 1e-6).all()
        if abs(off) > 0.1:
            assert ((found > limits) == (exact > limits)).all()


def test_depth_of_many_points_is_that_of_the_deepest():
    zone = shapely.box(0, 0, 100, 40)
    spread = shapely.MultiPoint([(x, y) for x in range(5, 100, 10) for y in (3, 11, 26, 38)])
    assert depth(np.array([spread]), zone.exterior)[0] == pytest.approx(14)  # (15..85, 26): 40 - 26
    assert np.isnan(depth(np.array([spread]), shapely.Polygon())[0])


def test_coverage_must_reach_the_whole_distance_round_an_inward_corner(tmp_path):
    """A site 997 m from what is not covered, in whatever direction, is not clear of a kilometre."""
    corner = (X, Y)
    area = shapely.box(X - 9000, Y - 9000, X + 9000, Y + 9000) - shapely.box(*corner, X + 9000, Y + 9000)
    bank = shapely.LineString([(X - 8000, Y - 9000), (X - 8000, Y + 9000)])
    entries = [
        layer(tmp_path, "district", area, coverage="extent", accuracy_m=0),
        layer(tmp_path, "bank_line", bank, columns={"river": ["新孟河"]}),
    ]
    plan = es.open_plan(plan_folder(tmp_path, entries, rule("B", within_m=1000)))
    angle = np.linspace(np.pi, 1.5 * np.pi, 91)
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    for distance, verdict in ((997.0, "no_data"), (1000.5, "clear")):
        places = shapely.points(np.array(corner) + distance * direction)
        assert set(es.check(sites(*places), plan, on=ON).frame.verdict) == {verdict}
