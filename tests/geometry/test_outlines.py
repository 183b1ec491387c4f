"""What an area is: closed lines in every format, outlines in pieces, several shapes in one file."""

from __future__ import annotations

import warnings

import made_plans
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_outlines import shoelace, stars, written
from made_plans import INSIDE, OVER, one, zone_plan
from made_sites import AREA, PLAN, E, N, box, frame

from ecospatial import read_sites
from ecospatial.errors import SiteError
from ecospatial.geometry import close_lines, find_enclosures

SQUARE = [(E, N), (E + 100, N), (E + 100, N + 100), (E, N + 100)]
FORMATS = ("geojson", "gpkg", "shp", "fgb", "kml", "gml", "mif", "tab", "parquet", "gdb", "csv", "dxf")


# -------------------------------------------------------------------------------------- closed lines


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corners=stars(), suffix=st.sampled_from(FORMATS), start=st.integers(0, 8), back=st.booleans())
def test_a_closed_line_is_the_area_it_encloses_in_every_format(corners, suffix, start, back, tmp_path_factory):
    start %= len(corners)
    ring = [*corners[start:], *corners[:start]]
    ring = [*(ring[::-1] if back else ring)]
    path = written(tmp_path_factory.mktemp("closed"), suffix, shapely.LineString([*ring, ring[0]]))
    sites = read_sites(path, plan=PLAN)
    assert set(sites.geom_type) == {"Polygon"}
    # KML, and MapInfo with its grid of integers, round corners; all others keep them.
    assert sites.area.sum() == pytest.approx(shoelace(corners), rel=1e-4, abs=1.0)
    if suffix != "dxf":
        assert "闭合线已按面处理" in sites["repair"].iloc[0]


@pytest.mark.parametrize("suffix", [name for name in FORMATS if name not in ("dxf", "kml")])
def test_a_ring_inside_a_ring_is_a_hole(suffix, tmp_path):
    outline = box().difference(box(20, 20, 50)).boundary  # 10000 - 2500
    assert read_sites(written(tmp_path, suffix, outline), plan=PLAN).area.sum() == pytest.approx(7500, abs=3)


@pytest.mark.parametrize("gap", [0.0, 0.0005, 0.05])
def test_ends_that_were_meant_to_meet_are_closed_and_it_is_said(gap, tmp_path):
    line = shapely.LineString([*SQUARE, (E, N + gap)])
    sites = read_sites(written(tmp_path, "gpkg", line), plan=PLAN)
    assert sites.area.sum() == pytest.approx(10_000, abs=6)
    assert ("首尾相距 0.050 m" in sites["repair"].iloc[0]) is (gap == 0.05)


def test_a_closed_line_that_crosses_itself_is_repaired_as_an_area(tmp_path):
    line = shapely.LineString([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]])
    sites = read_sites(written(tmp_path, "geojson", line), plan=PLAN)
    assert sites.area.sum() == pytest.approx(5000)  # two triangles of 100 m by 50 m
    assert "自相交" in sites["repair"].iloc[0]


def test_pieces_of_one_row_that_close_are_an_area(tmp_path):
    pieces = shapely.MultiLineString([SQUARE[:3], [*SQUARE[2:], SQUARE[0]]])
    assert read_sites(written(tmp_path, "gpkg", pieces), plan=PLAN).area.sum() == pytest.approx(10_000)


def test_a_ring_round_a_zone_touches_it(tmp_path):
    inner = shapely.box(495_440, 3_515_440, 495_460, 3_515_460)
    folder = zone_plan(tmp_path / "plan", [OVER], zone=inner)
    ring = INSIDE.boundary  # 100 m by 100 m round it
    assert one(folder, made_plans.sites(INSIDE, activity="C26", works="new")).overlap_m2 == pytest.approx(400)
    found = one(folder, made_plans.sites(ring, activity="C26", works="new"))
    assert found.overlap_m2 == pytest.approx(400)
    assert str(found.verdict) == "prohibited"


# --------------------------------------------------------------------------------------- open lines


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corners=stars(), data=st.data())
def test_an_outline_in_pieces_is_refused_with_its_rows(corners, data, tmp_path_factory):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(corners) - 1), min_size=2, max_size=4)))
    ring = [*corners, *corners]
    ends = [*cuts[1:], cuts[0] + len(corners)]
    pieces = [ring[a : b + 1] for a, b in zip(cuts, ends, strict=True)]
    pieces = [piece[::-1] if data.draw(st.booleans()) else piece for piece in data.draw(st.permutations(pieces))]
    path = written(tmp_path_factory.mktemp("pieces"), "gpkg", *map(shapely.LineString, pieces))
    with pytest.raises(SiteError) as caught:
        read_sites(path, plan=PLAN)
    assert len(caught.value.problems) == 1
    told = str(caught.value)
    assert f"第 {'、'.join(map(str, range(1, len(pieces) + 1)))} 行" in told
    assert "围成一个面" in told
    assert "图形类型" in told


def test_lines_that_the_file_calls_lines_stay_lines_and_are_named(tmp_path):
    pieces = [shapely.LineString(SQUARE[:3]), shapely.LineString([*SQUARE[2:], SQUARE[0]])]
    sites = read_sites(written(tmp_path, "shp", *pieces, 图形类型=["线", "线"]), plan=PLAN)
    assert sites.length.sum() == pytest.approx(400)
    assert any("第 1、2 行的线首尾相接围成一个面，按线处理" in text for text in sites.attrs["notices"])


def test_pieces_may_be_skipped(tmp_path):
    pieces = [shapely.LineString(SQUARE[:3]), shapely.LineString([*SQUARE[2:], SQUARE[0]])]
    road = shapely.LineString([(E - 900, N + 500), (E + 900, N + 500)])
    sites = read_sites(written(tmp_path, "gpkg", *pieces, road), plan=PLAN, skip_bad=True)
    assert sites.index.tolist() == ["3"]
    assert [entry["site_id"] for entry in sites.attrs["skipped"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ([*SQUARE, (E, N + 0.8)], True),  # 0.8 m are missing
        ([*SQUARE, (E, N + 3)], True),  # 3 of 397 m
        ([(E - 5, N), *SQUARE[1:], (E, N - 5)], True),  # the ends run over each other
        ([*SQUARE, (E, N + 30)], False),
        (SQUARE, False),  # the last side is missing
    ],
)
def test_an_outline_that_is_nearly_closed_is_never_read_without_a_word(line, refused, tmp_path):
    path = written(tmp_path, "gpkg", shapely.LineString(line))
    if refused:
        with pytest.raises(SiteError, match=r"a\.gpkg，第 1 行：线.*请连成一条闭合的线或面"):
            read_sites(path, plan=PLAN)
    else:
        sites = read_sites(path, plan=PLAN)
        assert sites.geom_type.tolist() == ["LineString"]
        assert any("像没有闭合的红线" in text for text in sites.attrs["notices"])


@pytest.mark.parametrize(
    "roads",
    [
        [[(E, N), (E + 900, N)]],
        [[(E, N), (E + 900, N), (E + 900, N + 8), (E, N + 8)]],  # out, and back on the other side
        [[(E, N), (E + 500, N), (E, N)]],
        [[(E, N), (E + 900, N)], [(E + 900, N), (E + 900, N + 900)]],
        [[(E, N), (E + 900, N)], [(E + 450, N - 400), (E + 450, N + 400)]],
        [[(E, N), (E + 300, N), (E + 300, N + 300)], [(E + 300, N + 300), (E + 600, N + 900), (E + 900, N + 900)]],
    ],
)
def test_roads_stay_lines_without_a_word(roads, tmp_path):
    sites = read_sites(written(tmp_path, "gpkg", *map(shapely.LineString, roads)), plan=PLAN)
    assert set(sites.geom_type) == {"LineString"}
    assert sites.attrs["notices"] == []


def test_streets_round_a_block_are_named_and_stay_lines(tmp_path):
    east = [shapely.LineString([(E - 300, N + y), (E + 900, N + y)]) for y in (0, 500)]
    north = [shapely.LineString([(E + x, N - 300), (E + x, N + 900)]) for x in (0, 500)]
    sites = read_sites(written(tmp_path, "gpkg", *east, *north), plan=PLAN)
    assert set(sites.geom_type) == {"LineString"}
    assert any("第 1、2、3、4 行的线相交围成一个面" in text for text in sites.attrs["notices"])


def test_lines_that_are_broken_are_left_to_their_own_fault():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        broken = shapely.LineString([(0, 0), (np.nan, 1), (0, 0)])
        still = shapely.LineString([(E, N), (E, N)])
        shapes = np.array([broken, None, shapely.LineString(), still], dtype=object)
        done = close_lines(shapes)
    assert done.note.tolist() == ["", "", "", ""]
    assert find_enclosures(done.geometry) == []
    assert find_enclosures(shapes[3:]) == []


# --------------------------------------------------------------------------- several shapes in one file


def notices(*shapes, **columns):
    return "\n".join(read_sites(frame(*shapes, **columns), plan=PLAN).attrs["notices"])


def test_points_lines_and_areas_in_one_file_are_named():
    told = notices(box(), box(300), shapely.Point(E + 800, N), shapely.LineString([(E, N - 50), (E + 900, N - 50)]))
    assert "既有面又有线又有点" in told
    assert "线 1 个（第 4 行）" in told
    assert "点 1 个（第 3 行）" in told


@pytest.mark.parametrize(
    "again", [box(), shapely.Polygon(SQUARE[2:] + SQUARE[:2]), box().reverse(), box().segmentize(30)]
)
def test_equal_shapes_are_named_wherever_their_corners_begin(again):
    assert "图形相同的地块：甲 与 丙" in notices(box(), box(300), again, site_id=["甲", "乙", "丙"])


@settings(max_examples=30, deadline=None)
@given(dx=st.integers(-150, 150), dy=st.integers(-150, 150))
def test_sites_that_overlap_are_named_with_the_area(dx, dy):
    shared = max(0, 100 - abs(dx)) * max(0, 100 - abs(dy))
    told = notices(box(), box(dx, dy), site_id=["甲", "乙"])
    if shared == 10_000:
        assert "图形相同" in told
    else:
        assert (f"互相重叠的地块：甲 与 乙（{shared} m²）" in told) is (shared > 1)


def test_many_overlaps_are_counted_and_a_few_named():
    told = notices(*[box(i, 0) for i in range(12)])
    assert "等 66 对" in told  # 12 * 11 / 2
    assert told.count("与") == 5


def test_the_same_file_read_again_says_nothing_twice(tmp_path):
    sites = read_sites(frame(box(), box(50)), plan=PLAN)
    assert read_sites(sites, plan=PLAN).attrs["notices"] == sites.attrs["notices"]
    sites.to_file(tmp_path / "again.gpkg")
    assert read_sites(tmp_path / "again.gpkg", plan=PLAN).attrs["notices"] == []


def test_neighbours_that_share_an_edge_say_nothing():
    assert notices(box(), box(100), box(0, 100)) == ""
    assert AREA.contains(box(100))
