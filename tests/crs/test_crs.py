from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod, Transformer

from ecospatial import crs
from ecospatial.errors import CrsError

GK120 = CRS.from_epsg(4549)
GRS80 = Geod(ellps="GRS80")
# Longitude, latitude, easting and northing in EPSG:4549, easting in 4528, easting and northing in 4548:
# computed once with PROJ 9.5 and kept as an oracle.
SAMPLES = [
    (119.80, 31.82, 481064.527, 3521910.517, 40481064.527, 765143.588, 3525310.671),
    (119.95, 31.79, 495264.606, 3518567.678, 40495264.606, 779443.579, 3522358.451),
    (120.00, 31.78, 500000.000, 3517457.759, 40500000.000, 784212.463, 3521378.666),
    (118.77, 32.07, 383857.903, 3550276.528, 40383857.903, 667137.353, 3550985.552),
]
PLACES = [(119.80, 31.82), (119.95, 31.79), (120.00, 31.78), (118.77, 32.07)]
AREA = shapely.box(480000, 3510000, 510000, 3530000)


def point(x, y):
    return np.array([shapely.Point(x, y)], dtype=object)


# ------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("text", [4549, "4549", "EPSG:4549", "epsg:4549", " 4549 ", "+init=epsg:4549", GK120])
def test_codes_are_read_as_people_write_them(text):
    found, shift = crs.parse_crs(text)
    assert found.to_epsg() == 4549
    assert shift is None


@pytest.mark.parametrize(
    ("text", "shift"),
    [("gcj02", "gcj02"), ("GCJ-02", "gcj02"), ("火星坐标系", "gcj02"), ("bd09", "bd09"), ("BD_09", "bd09")],
)
def test_shifted_frames_end_in_cgcs2000(text, shift):
    assert crs.parse_crs(text) == (crs.CGCS2000, shift)


def test_wkt_and_proj_text_are_read():
    assert crs.parse_crs(GK120.to_wkt())[0].to_epsg() == 4549
    assert crs.parse_crs("+proj=tmerc +lon_0=118.8333 +x_0=500000 +ellps=GRS80 +units=m")[0].is_projected


def test_a_compound_crs_gives_its_horizontal_part():
    assert crs.parse_crs("EPSG:4490+5737")[0].to_epsg() == 4490


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "EPSG:999999",
        True,
        None,
        "1e5",
        'LOCAL_CS["x"]',
        "EPSG:5773",
        "+proj=longlat +nadgrids=/etc/passwd",
    ],
)
def test_nonsense_is_refused_with_a_way_out(text):
    with pytest.raises(CrsError) as caught:
        crs.parse_crs(text)
    assert "EPSG:4549" in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "width", "prefixed", "code"),
    [
        (40, 3, False, 4549),
        (40, 3, True, 4528),
        (39, 3, False, 4548),
        (39, 3, True, 4527),
        (20, 6, True, 4498),
        (20, 6, False, 4509),
    ],
)
def test_zones_of_cgcs2000(zone, width, prefixed, code):
    found = crs.gauss_kruger(zone, width=width, prefixed=prefixed)
    assert found.to_epsg() == code
    assert f"zone {zone}" in found.name if prefixed else "CM" in found.name


@pytest.mark.parametrize(("zone", "width"), [(24, 3), (46, 3), (12, 6), (40, 6), (20, 3), (40, 5)])
def test_zones_outside_china_are_refused(zone, width):
    with pytest.raises(CrsError):
        crs.gauss_kruger(zone, width=width)


@pytest.mark.parametrize("code", [4549, 4528, 32651])
def test_metric_crs_is_accepted(code):
    crs.require_metric(CRS.from_epsg(code))


@pytest.mark.parametrize(("code", "word"), [(4490, "投影"), (3857, "实地"), (2222, "米"), (4326, "投影")])
def test_crs_that_does_not_measure_metres_is_refused(code, word):
    with pytest.raises(CrsError, match=word):
        crs.require_metric(CRS.from_epsg(code))


# ---------------------------------------------------------------------------------- from one to another


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample_points_come_out_where_the_oracle_says(sample):
    lon, lat, east, north, prefixed, east_117, north_117 = sample
    for code, x, y in ((4549, east, north), (4528, prefixed, north), (4548, east_117, north_117)):
        there = crs.transform(point(lon, lat), crs.CGCS2000, CRS.from_epsg(code))[0]
        assert (there.x, there.y) == pytest.approx((x, y), abs=6e-4)
        back = crs.transform(point(x, y), CRS.from_epsg(code), crs.CGCS2000)[0]
        assert (back.x, back.y) == pytest.approx((lon, lat), abs=1e-8)


def test_wgs84_and_cgcs2000_count_as_equal():
    there = crs.transform(point(120, 31.78), CRS.from_epsg(4326), GK120)[0]
    assert (there.x, there.y) == pytest.approx((500000.0, 3517457.759), abs=6e-4)


@pytest.mark.parametrize(
    ("code", "name"),
    [(2437, "1954北京"), (2385, "1980西安"), (4214, "1954北京"), (4610, "1980西安"), (4555, "北京")],
)
@pytest.mark.parametrize("target", [4549, 4490, 4326])
def test_old_datums_are_refused_both_ways(code, name, target):
    with pytest.raises(CrsError, match=name):
        crs.transform(point(500000, 3517457), CRS.from_epsg(code), CRS.from_epsg(target))
    with pytest.raises(CrsError, match=name):
        crs.transform(point(500000, 3517457), CRS.from_epsg(target), CRS.from_epsg(code))


@pytest.mark.parametrize("ellipsoid", ["krass", "IAU76"])
def test_proj_text_on_an_old_ellipsoid_is_refused(ellipsoid):
    old = crs.parse_crs(f"+proj=tmerc +lon_0=120 +x_0=500000 +ellps={ellipsoid} +units=m")[0]
    with pytest.raises(CrsError, match="坐标系"):
        crs.transform(point(500000, 3517457), old, GK120)


def test_the_same_old_datum_needs_no_shift():
    moved = crs.transform(point(500000, 3517457), CRS.from_epsg(2385), CRS.from_epsg(2364))[0]
    assert moved.x == pytest.approx(40500000)


def test_parameters_given_by_the_surveyor_are_applied():
    # 100 m along the axis of the earth move the point north by 100 cos(latitude) metres; the
    # ellipsoid is the same on both sides.
    given = crs.parse_crs("+proj=tmerc +lon_0=120 +x_0=500000 +ellps=GRS80 +towgs84=0,0,100,0,0,0,0 +units=m")[0]
    moved = crs.transform(point(500000, 3517457.759), given, GK120)[0]
    assert moved.x == pytest.approx(500000, abs=1e-6)
    assert moved.y - 3517457.759 == pytest.approx(100 * math.cos(math.radians(31.78)), abs=0.2)
    back = crs.transform(np.array([moved]), GK120, given)[0]
    assert (back.x, back.y) == pytest.approx((500000, 3517457.759), abs=1e-3)


def test_a_city_grid_on_the_ellipsoid_of_cgcs2000_is_allowed():
    grid = crs.parse_crs("+proj=tmerc +lon_0=120 +x_0=100000 +ellps=GRS80 +units=m")[0]
    moved = crs.transform(point(100000, 3517457.759), grid, GK120)[0]
    assert (moved.x, moved.y) == pytest.approx((500000, 3517457.759), abs=1e-6)


def test_long_edges_get_vertices_before_they_are_moved():
    # An edge of one degree along a parallel bulges by about 106 m in the plane (pitfall measured with PROJ).
    edge = np.array([shapely.LineString([(119.5, 30), (120.5, 30)])], dtype=object)
    moved = crs.transform(edge, crs.CGCS2000, GK120)[0]
    true = crs.transform(point(120, 30), crs.CGCS2000, GK120)[0]
    assert shapely.distance(moved, true) < 0.02
    chord = shapely.LineString([moved.coords[0], moved.coords[-1]])
    assert 80 < shapely.distance(chord, true) < 130


def test_invalid_polygons_are_moved_as_they_stand():
    # shapely.segmentize would leave one wing of a bow-tie only.
    bow_tie = shapely.Polygon([(500000, 3517000), (503000, 3520000), (503000, 3517000), (500000, 3520000)])
    parts = shapely.MultiPolygon([bow_tie, shapely.box(500100, 3517100, 500200, 3517200)])
    moved = crs.transform(np.array([bow_tie, parts], dtype=object), GK120, crs.CGCS2000)
    back = crs.transform(moved, crs.CGCS2000, GK120)
    assert not shapely.is_valid(back).any()
    assert shapely.get_num_coordinates(back[0]) > 5
    for shape, given in zip(back, [bow_tie, parts], strict=True):
        assert shapely.hausdorff_distance(shape, given) < 0.1
        assert [p.exterior.length for p in shapely.get_parts(shape)] == pytest.approx(
            [p.exterior.length for p in shapely.get_parts(given)]
        )


def test_short_edges_keep_their_vertices():
    box = np.array([shapely.box(500000, 3517000, 500900, 3517900)], dtype=object)
    assert shapely.get_num_coordinates(crs.transform(box, GK120, crs.CGCS2000)[0]) == 5


def test_the_argument_is_not_altered_and_nothing_is_left_of_heights():
    given = np.array([shapely.Point(500000, 3517457, 5), None, shapely.Point()], dtype=object)
    kept = given.copy()
    moved = crs.transform(given, GK120, crs.CGCS2000)
    assert [a is b for a, b in zip(given, kept, strict=True)] == [True] * 3
    assert not moved[0].has_z
    assert moved[1] is None
    assert moved[2].is_empty
    assert not crs.transform(given, GK120, GK120)[0].has_z


def test_numbers_with_a_zone_prefix_read_without_are_an_error():
    with pytest.raises(CrsError, match="带号"):
        crs.transform(point(40495264, 3518567), GK120, crs.CGCS2000)


# ----------------------------------------------------------------------- the frames of Chinese web maps


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_shifts_have_the_size_and_direction_measured_elsewhere(lon, lat):
    bearing, _, metres = GRS80.inv(lon, lat, *map(float, crs.cgcs2000_to_gcj02(lon, lat)))
    assert 495 < metres < 562
    assert 110 < bearing < 120
    bearing, _, metres = GRS80.inv(lon, lat, *map(float, crs.cgcs2000_to_bd09(lon, lat)))
    assert 1130 < metres < 1200
    assert 64 < bearing < 71


@pytest.mark.parametrize(
    ("forward", "inverse"),
    [(crs.cgcs2000_to_gcj02, crs.gcj02_to_cgcs2000), (crs.cgcs2000_to_bd09, crs.bd09_to_cgcs2000)],
)
def test_the_inverse_agrees_with_the_forward_formula(forward, inverse):
    lon, lat = np.meshgrid(np.linspace(75, 134, 60), np.linspace(5, 52, 48))
    back_lon, back_lat = inverse(*forward(lon, lat))
    assert np.abs(back_lon - lon).max() < 3e-10
    assert np.abs(back_lat - lat).max() < 3e-10


def test_one_step_of_the_inverse_would_not_be_enough():
    lon, lat = 119.95, 31.79
    there = crs.cgcs2000_to_gcj02(lon, lat)
    twice = crs.cgcs2000_to_gcj02(*there)
    _, _, left = GRS80.inv(lon, lat, 2 * there[0] - twice[0], 2 * there[1] - twice[1])
    assert 0.3 < left < 3.0


def test_known_pair_of_the_published_formula():
    # Tiananmen in WGS-84, with GCJ-02 and BD-09 as every public implementation gives them.
    lon, lat = crs.cgcs2000_to_gcj02(116.404, 39.915)
    assert (float(lon), float(lat)) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    assert tuple(map(float, crs.gcj02_to_cgcs2000(lon, lat))) == pytest.approx((116.404, 39.915), abs=2e-10)


def test_nothing_is_moved_outside_china_and_nan_stays():
    lon, lat = crs.gcj02_to_cgcs2000(np.array([2.35, np.nan]), np.array([48.85, np.nan]))
    assert (lon[0], lat[0]) == (2.35, 48.85)
    assert np.isnan(lon[1])
    assert np.isnan(lat[1])


def test_undo_shift_moves_geometries_and_refuses_metres():
    lon, lat = crs.cgcs2000_to_gcj02(np.array([119.95, 119.96]), np.array([31.79, 31.80]))
    line = np.array([shapely.LineString(np.column_stack([lon, lat])), None], dtype=object)
    back = crs.undo_shift(line, "gcj02")
    assert back[1] is None
    assert back[0].coords[0] == pytest.approx((119.95, 31.79), abs=3e-10)
    assert back[0].coords[-1] == pytest.approx((119.96, 31.80), abs=3e-10)
    with pytest.raises(CrsError, match="GCJ-02"):
        crs.undo_shift(point(500000, 3517000), "gcj02")


# -------------------------------------------------------------------------------- finding out by position


@pytest.mark.parametrize(
    ("x", "y", "best"),
    [
        (495264.606, 3518567.678, "EPSG:4549"),
        (3518567.678, 495264.606, "EPSG:4549（X、Y 对调）"),
        (40495264.606, 3518567.678, "EPSG:4528"),
        (3518567.678, 40495264.606, "EPSG:4528（X、Y 对调）"),
        (779443.579, 3522358.451, "EPSG:4548"),
        (119.95, 31.79, "EPSG:4490"),
        (31.79, 119.95, "EPSG:4490（X、Y 对调）"),
    ],
)
def test_only_one_frame_puts_the_coordinates_in_the_plan(x, y, best):
    found = crs.diagnose(np.array([x]), np.array([y]), AREA, GK120)
    assert [c.label for c in found if c.inside] == [best]


def test_the_others_say_where_they_would_lie():
    found = crs.diagnose(np.array([495264.606]), np.array([3518567.678]), AREA, GK120)
    west = next(c for c in found if c.label == "EPSG:4548")
    # Three degrees of longitude are 284 km at this latitude; the area reaches 15 km to the west of the point.
    assert west.direction == "西"
    assert west.distance_km == pytest.approx(284 - 15, abs=3)
    # The nearest edge of AREA is the southern one, 3518567.678 - 3510000 m away.
    assert "按 EPSG:4549 位于钟楼区内 8.6 km；按 EPSG:4548 偏西 2" in crs.explain(found, "钟楼区")


def test_of_several_that_fit_the_deepest_is_named_first():
    square = shapely.box(480000, 480000, 520000, 520000)
    found = crs.diagnose(np.array([490000.0]), np.array([515000.0]), square, GK120)
    inside = [(c.label, c.distance_km) for c in found if c.inside]
    assert inside[:2] == [("EPSG:4549", pytest.approx(5.0)), ("EPSG:4549（X、Y 对调）", pytest.approx(5.0))]
    assert [c.distance_km for c in found if c.inside] == sorted(
        (c.distance_km for c in found if c.inside), reverse=True
    )


def test_nothing_fits_numbers_from_nowhere():
    assert not any(c.inside for c in crs.diagnose(np.array([12.0]), np.array([7.0]), AREA, GK120))
    assert crs.diagnose(np.array([]), np.array([]), AREA, GK120) == []


@pytest.mark.parametrize(
    ("east", "north", "word"),
    [(1, 0, "东"), (0, 1, "北"), (-1, 0, "西"), (0, -1, "南"), (-1, -1, "西南"), (1, -1, "东南")],
)
def test_directions(east, north, word):
    assert crs.compass(east, north) == word


SPOT = shapely.LineString([(119.9, 31.8), (119.9, 31.8)])


@pytest.mark.parametrize(
    "shape",
    [
        SPOT,
        shapely.MultiLineString([SPOT, shapely.LineString([(119.9, 31.8), (119.95, 31.8)])]),
        shapely.GeometryCollection([SPOT, shapely.Point(119.9, 31.8)]),
        shapely.Polygon([(119.9, 31.8), (119.95, 31.8), (119.9, 31.8)]),
        shapely.MultiPolygon([shapely.Polygon([(119.9, 31.8), (119.9, 31.8), (119.9, 31.8)])]),
    ],
    ids=["line", "lines", "collection", "polygon without area", "polygon in one spot"],
)
def test_a_shape_that_shrank_to_a_spot_is_moved_like_any_other(shape):
    # A conflict narrower than 0.1 mm is such a shape once it was written to JSON with 9 decimals.
    there = crs.transform(np.array([shape], dtype=object), CRS.from_epsg(4490), CRS.from_epsg(4549))
    wanted = Transformer.from_crs(4490, 4549, always_xy=True).transform(119.9, 31.8)
    assert shapely.get_coordinates(there[0])[0] == pytest.approx(wanted, abs=1e-6)
    assert there[0].geom_type == shape.geom_type
