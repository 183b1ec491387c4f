"""The overlay kernel against arithmetic and against plain shapely."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

import ecospatial as es
from ecospatial.geometry import Pieces, cut, depth, ellipsoidal_area, merged, subdivide

CRS_TEXT = "EPSG:4549"


def frame(shapes, index=None):
    return gpd.GeoDataFrame(geometry=list(shapes), index=index, crs=CRS_TEXT)


def blob(x, y, radius, waves, vertices):
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    r = radius * (1 + 0.3 * np.sin(waves * angle))
    return shapely.Polygon(np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)]))


def test_overlap_is_arithmetic_and_keeps_labels():
    left = frame([shapely.box(0, 0, 10, 10), shapely.box(100, 0, 110, 10)], ["甲", "乙"])
    right = frame([shapely.box(5, 0, 105, 4), shapely.box(10, 0, 20, 10)], [7, 8])
    found = es.overlap(left, right)
    assert found.to_dict("records") == [
        {"left_id": "甲", "right_id": 7, "area_m2": 20.0, "share_left": 0.2},
        {"left_id": "乙", "right_id": 7, "area_m2": 20.0, "share_left": 0.2},
    ]


def test_a_shared_edge_is_no_overlap():
    assert es.overlap(frame([shapely.box(0, 0, 10, 10)]), frame([shapely.box(10, 0, 20, 10)])).empty


def test_holes_and_swallowed_zones_count_right():
    holed = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(40, 40), (60, 40), (60, 60), (40, 60)]])
    assert es.overlap(frame([shapely.box(30, 30, 70, 70)]), frame([holed])).area_m2.tolist() == [1600 - 400]
    assert es.overlap(frame([holed]), frame([shapely.box(10, 10, 20, 20)])).area_m2.tolist() == [100]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (frame([shapely.box(0, 0, 1, 1)]).to_crs(4490), frame([shapely.box(0, 0, 1, 1)])),
        (
            frame([shapely.box(0, 0, 1, 1)]).set_crs(4548, allow_override=True),
            frame([shapely.box(0, 0, 1, 1)]),
        ),
        (gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]), frame([shapely.box(0, 0, 1, 1)])),
    ],
)
def test_overlap_refuses_missing_geographic_or_different_crs(left, right):
    with pytest.raises(es.CrsError):
        es.overlap(left, right)


def test_overlap_refuses_invalid_polygons():
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(es.SiteError, match="不是有效的面"):
        es.overlap(frame([bow_tie]), frame([shapely.box(0, 0, 1, 1)]))


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-150, 150), y=st.floats(-150, 150), radius=st.floats(5, 120), waves=st.integers(2, 9),
    vertices=st.integers(8, 900),
)  # fmt: skip
def test_overlap_agrees_with_plain_intersection(x, y, radius, waves, vertices):
    zone = blob(0, 0, 100, 5, 1200)
    site = blob(x, y, radius, waves, vertices)
    expected = shapely.intersection(site, zone).area
    found = es.overlap(frame([site]), frame([zone])).area_m2.sum()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_pieces_are_small_do_not_overlap_and_sum_to_the_whole():
    shape = blob(500000, 3520000, 5000, 7, 5000)
    pieces, owner = subdivide(np.array([shape, shapely.box(0, 0, 1, 1)]))
    assert shapely.get_num_coordinates(pieces).max() <= 64
    assert shapely.area(pieces[owner == 0]).sum() == pytest.approx(shape.area, rel=1e-12)
    assert (owner == 1).sum() == 1


def test_rings_that_touch_the_cut_are_subdivided_right():
    # Holes that touch each other exactly where the polygon is halved.
    holes = [
        [(x, y), (x + 50, y + 50), (x, y + 100), (x - 50, y + 50)] for x in range(100, 1000, 100) for y in (100, 500)
    ]
    shape = shapely.Polygon([(0, 0), (1000, 0), (1000, 1000), (0, 1000)], holes)
    assert shape.is_valid
    pieces, _ = subdivide(np.array([shape]), max_vertices=8)
    assert shapely.is_valid(pieces).all()
    assert shapely.area(pieces).sum() == pytest.approx(1000 * 1000 - 18 * 5000, rel=1e-12)
    assert shapely.union_all(pieces).symmetric_difference(shape).area == pytest.approx(0, abs=1e-6)


def test_long_lines_are_subdivided_without_loss():
    line = shapely.LineString(np.column_stack([np.zeros(1000), np.arange(1000.0)]))
    pieces, owner = subdivide(np.array([line]), max_vertices=10)
    assert shapely.get_num_coordinates(pieces).max() <= 10
    assert shapely.length(pieces).sum() == pytest.approx(999)
    assert set(owner) == {0}


def test_lines_are_cut_once_and_not_along_the_edge():
    zone = blob(0, 0, 1000, 3, 2000)
    inside = shapely.LineString([(-100, 0), (100, 0)])
    straddling = shapely.LineString([(0, 0), (5000, 0)])
    edge = shapely.LineString([(0, 0), (10, 0)])
    found = cut(np.array([inside, straddling]), Pieces.of(np.array([zone])))
    parts = merged(found, 2)
    assert parts[0].length == pytest.approx(200)
    assert parts[1].length == pytest.approx(shapely.intersection(straddling, zone).length, rel=1e-9)
    box = Pieces.of(np.array([shapely.box(0, 0, 10, 10)]))
    assert len(cut(np.array([edge]), box).site) == 0


def test_jobs_change_nothing():
    left = frame([blob(x * 30, 0, 20, 3, 60) for x in range(40)])
    right = frame([blob(600, 0, 400, 9, 3000)])
    one, two = es.overlap(left, right, jobs=1), es.overlap(left, right, jobs=2)
    assert one.equals(two)


@pytest.mark.parametrize(
    ("conflict", "zone", "expected"),
    [
        (shapely.box(0, 0, 100, 40), shapely.box(0, 0, 100, 40), 20.0),  # the zone itself: half its width
        (shapely.box(0, 0, 10, 40), shapely.box(0, 0, 100, 40), 10.0),  # a strip at the west edge
        (
            shapely.box(45, 15, 55, 25),
            shapely.box(0, 0, 100, 40),
            20.0,
        ),  # the ridge runs through the conflict
        (shapely.box(0, 0, 1000, 0.5), shapely.box(0, 0, 1000, 0.5), 0.25),  # a narrow strip
        (shapely.Point(30, 5), shapely.box(0, 0, 100, 40), 5.0),
        (shapely.LineString([(0, 20), (100, 20)]), shapely.box(0, 0, 100, 40), 20.0),
    ],
)
def test_depth_is_the_largest_distance_to_the_edge(conflict, zone, expected):
    found = depth(np.array([conflict]), zone.exterior)[0]
    assert expected * 0.99 - 0.01 <= found <= expected + 1e-9


def test_depth_against_a_grid_of_points():
    zone, site = blob(0, 0, 100, 5, 200), blob(60, 40, 50, 3, 100)
    conflict = shapely.intersection(zone, site)
    west, south, east, north = conflict.bounds
    x, y = np.meshgrid(np.linspace(west, east, 300), np.linspace(south, north, 300))
    inside = shapely.contains_xy(conflict, x, y)
    brute = shapely.distance(shapely.points(x[inside], y[inside]), zone.exterior).max()
    found = depth(np.array([conflict]), shapely.boundary(zone))[0]
    assert brute * 0.99 <= found <= brute + 0.3


def test_ellipsoidal_area_against_geod():
    to_degrees = Transformer.from_crs(4549, 4490, always_xy=True)
    for shape in (blob(380000, 3550000, 500, 5, 300), blob(500000, 3520000, 6000, 5, 4000)):
        dense = shapely.segmentize(shape, 50)
        lon, lat = to_degrees.transform(*shapely.get_coordinates(dense).T)
        expected = abs(Geod(ellps="GRS80").polygon_area_perimeter(lon, lat)[0])
        found = ellipsoidal_area(np.array([shape]), CRS.from_epsg(4549))[0]
        assert found == pytest.approx(expected, rel=1e-5)


def test_ellipsoidal_area_of_what_has_none():
    shapes = np.array([None, shapely.Point(500000, 3520000), shapely.Polygon()], dtype=object)
    assert ellipsoidal_area(shapes, CRS.from_epsg(4549)).tolist() == [0, 0, 0]


def test_corridor_sides_and_index():
    line = gpd.GeoDataFrame(
        {"river": ["甲"]}, geometry=[shapely.LineString([(0, 0), (0, 1000)])], index=["a"], crs=4549
    )
    left, right = es.corridor(line, 100, side="left"), es.corridor(line, 100, side="right")
    assert left.total_bounds.tolist() == [-100, 0, 0, 1000]
    assert right.total_bounds.tolist() == [0, 0, 100, 1000]
    both = es.corridor(line, 100)
    assert both.index.tolist() == ["a"]
    assert both.river.tolist() == ["甲"]
    assert both.area.iloc[0] == pytest.approx(200 * 1000 + np.pi * 100**2, rel=1e-4)
    assert line.geom_type.tolist() == ["LineString"]


@pytest.mark.parametrize("keys", [{"side": "up"}, {"within_m": 0}, {"within_m": -5}])
def test_corridor_refuses_what_makes_no_sense(keys):
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (0, 1)])], crs=4549)
    with pytest.raises(es.SiteError):
        es.corridor(line, **keys)
    with pytest.raises(es.CrsError):
        es.corridor(line.to_crs(4490))


def stars(count, seed):
    """Draw stars of 4 to 40 corners, every third with a hole, at coordinates as surveys have them."""
    dice = np.random.default_rng(seed)
    shapes = []
    for number in range(count):
        corners = int(dice.integers(4, 40))
        angle = np.sort(dice.uniform(0, 2 * np.pi, corners))
        r = dice.uniform(20, 120, corners)
        middle = np.array([500_000, 3_520_000]) + dice.uniform(0, 60, 2)
        star = shapely.Polygon(middle + np.column_stack([r * np.cos(angle), r * np.sin(angle)]))
        star = shapely.make_valid(star, method="structure", keep_collapsed=False)
        shapes.append(star.difference(middle_square(middle)) if number % 3 == 0 else star)
    return np.array(shapes, dtype=object)


def middle_square(middle):
    x, y = middle
    return shapely.box(x - 12, y - 12, x + 12, y + 12)


def test_ten_thousand_random_pairs_agree_with_plain_intersection():
    left, right = stars(10_000, 1), stars(10_000, 2)
    # Far apart from each other, so that each meets only its partner.
    away = np.column_stack([np.arange(10_000) % 100, np.arange(10_000) // 100]) * 500.0
    left, right = (
        shapely.transform(shapes, lambda xy, of=shapes: xy + np.repeat(away, shapely.get_num_coordinates(of), axis=0))
        for shapes in (left, right)
    )
    kept = np.isin(shapely.get_type_id(left), (3, 6)) & np.isin(shapely.get_type_id(right), (3, 6))
    left, right = left[kept], right[kept]
    expected = shapely.area(shapely.intersection(left, right))
    found = es.overlap(frame(left), frame(right))
    assert (found.left_id == found.right_id).all()
    assert len(found) == (expected > 0).sum() > 9_000
    areas = np.zeros(len(left))
    areas[found.left_id] = found.area_m2
    # Below 1 cm2 plain intersection has lost digits of its own.
    np.testing.assert_allclose(areas, expected, rtol=1e-9, atol=1e-9)


def test_real_district_outlines_agree_with_plain_intersection():
    outlines = [es.open_plan(name).area for name in es.list_plans()]
    for outline in outlines:
        shifted = [
            shapely.transform(outline, lambda xy, d=d: xy + np.array(d)) for d in ((137, 41), (2500, -900), (0.3, 0))
        ]
        zones = [*outlines, *shifted]
        expected = shapely.area(shapely.intersection(outline, np.array(zones)))
        found = es.overlap(frame([outline]), frame(zones)).set_index("right_id").area_m2
        np.testing.assert_allclose(found.reindex(range(len(zones)), fill_value=0), expected, rtol=1e-9, atol=1e-6)
        # The other way round the outline is the one that is taken apart.
        found = es.overlap(frame(zones), frame([outline])).set_index("left_id").area_m2
        np.testing.assert_allclose(found.reindex(range(len(zones)), fill_value=0), expected, rtol=1e-9, atol=1e-6)


def test_zones_in_a_grid_share_out_a_site_without_loss():
    # Site edges run along the edges of the zones, through their corners and between them.
    cells = [shapely.box(x, y, x + 10, y + 10) for x in range(0, 100, 10) for y in range(0, 100, 10)]
    sites = [
        shapely.box(10, 10, 30, 20),
        shapely.Polygon([(0, 0), (40, 40), (80, 0)]),
        shapely.Polygon([(5, 0), (95, 0), (95, 5), (50, 5), (50, 95), (45, 95), (45, 5), (5, 5)]),
        shapely.box(-50, -50, 150, 150),
    ]
    found = es.overlap(frame(sites), frame(cells)).groupby("left_id").area_m2
    assert found.sum().tolist() == pytest.approx([200, 1600, 900, 10_000], rel=1e-12)
    # The triangle takes 8, 6, 4, 2 cells of the rows; the T ten of the lowest row and ten of a column, one both.
    assert found.count().tolist() == [2, 20, 19, 100]


def test_a_cut_that_fails_is_made_again_on_a_grid_and_said(monkeypatch):
    # What GEOS fails on changes with its version, so the failure is played: everything but a cut on a grid fails.
    plain = shapely.intersection

    def failing(left, right, grid_size=None, **rest):
        if grid_size is None and len(left):
            raise shapely.GEOSException("TopologyException: side location conflict")
        return plain(left, right, grid_size=grid_size, **rest)

    monkeypatch.setattr(shapely, "intersection", failing)
    x, y = 500_000, 3_520_000
    zone = frame([shapely.box(x, y, x + 100, y + 100)])
    with pytest.warns(UserWarning, match="0.1 毫米"):
        found = es.overlap(frame([shapely.box(x - 9.75, y, x + 0.25, y + 10)]), zone)
    assert found.area_m2.tolist() == [2.5]


def test_a_needle_that_clipping_fails_on_is_subdivided_without_loss():
    # GEOS makes a ring of three points of the tip of this one, a metre west of the middle, and gives up.
    west, north, east = 501389.8615583132, 3523123.4296656493, 503508.21531121584
    needle = [(502643.4304513503, 3521026.199267807), (502448.03459879814, 3521006.954456079)]
    needle.append((502654.865595379, 3521027.32553119))
    body = [(east, 3522500.0), (east, north), (west, north), (west, 3522500.0), (502500.0, 3522500.0)]
    polygon = shapely.Polygon([*body, *needle])
    assert polygon.is_valid
    pieces, _ = subdivide(np.array([polygon]), max_vertices=8)
    assert len(pieces) > 1
    assert shapely.area(pieces).sum() == pytest.approx(polygon.area, rel=1e-12)
