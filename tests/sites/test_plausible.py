"""Sites that can not be, areas that the plane folds, and points out of the order of their numbers."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from made_outlines import shoelace, stars
from made_sites import PLAN, E, N, box, frame, lonlat
from pyproj import CRS, Geod

from ecospatial import read_sites
from ecospatial.errors import SiteError
from ecospatial.sites import plausible
from ecospatial.sites.plausible import compare_areas

# ------------------------------------------------------------------------------------------- too large


@settings(max_examples=30, deadline=None)
@given(width=st.floats(3.01, 360), height=st.floats(0.01, 100))
def test_a_site_wider_than_a_zone_is_refused_with_its_row(width, height):
    wide = shapely.box(120 - width / 2, 31.8 - height / 2, 120 + width / 2, min(31.8 + height / 2, 89))
    with pytest.raises(SiteError, match=r"第 2 行：图形.*不可能是一个地块"):
        read_sites(frame(lonlat(box()), wide, crs=4490), plan=PLAN)
    with pytest.raises(SiteError, match=r"第 2 行：图形.*不可能是一个地块"):
        read_sites(frame(lonlat(box()), wide, crs=4490))


def test_such_a_site_may_be_skipped():
    sites = read_sites(frame(lonlat(box()), shapely.box(-180, -80, 180, 80), crs=4490), plan=PLAN, skip_bad=True)
    assert sites.index.tolist() == ["1"]
    assert "360.0 度" in sites.attrs["skipped"][0]["problem"]


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        (shapely.box(E - 49_000, N - 9000, E + 49_000, N + 9000), True),  # 98 km: a reservoir may be so wide
        (shapely.box(E - 51_000, N - 9000, E + 51_000, N + 9000), False),  # the plan is 20 km wide
        (shapely.LineString([(E - 140_000, N), (E + 140_000, N)]), True),  # a motorway crosses districts
        (shapely.LineString([(E - 151_000, N), (E + 151_000, N)]), False),
    ],
)
def test_the_limit_is_three_districts_and_a_zone(shape, fits):
    if fits:
        assert len(read_sites(frame(shape), plan=PLAN)) == 1
    else:
        with pytest.raises(SiteError, match="不可能是一个地块"):
            read_sites(frame(shape), plan=PLAN)


# ---------------------------------------------------------------------------------- plane and ellipsoid


def test_a_site_far_from_the_meridian_is_told_by_how_much_its_area_is_wrong():
    # 150 km west of the meridian lengths grow by x2 / 2 R2, areas by twice that: 0.055 %; 250 km: 0.154 %.
    for west, told in ((150_000, False), (250_000, True)):
        sites = read_sites(frame(box(-west)), plan=PLAN, allow_far=True)
        assert any("椭球面积" in text for text in sites.attrs["notices"]) is told
    share = 250_000**2 / 6_371_000**2
    assert f"{share:.2%}" in next(text for text in sites.attrs["notices"] if "椭球面积" in text)


@pytest.mark.parametrize("size", [6000, 30_000, 90_000])
def test_large_sites_that_the_projection_explains_are_read(size):
    sites = read_sites(frame(box(-size / 2, -size / 2, size)), plan=PLAN)
    assert sites.area.sum() == pytest.approx(size**2)


def test_eastings_beyond_the_projection_are_a_fault():
    # Eastings with the number of the zone, in the CRS that has none: the plane gives an area all the same.
    with pytest.raises(SiteError, match=r"第 2 行：坐标超出 EPSG:4549 的范围"):
        read_sites(frame(box(), box(40_000_000)))


def test_an_area_that_the_scale_does_not_explain_is_a_fault(monkeypatch):
    class Shrunk:
        def __init__(self, ellps):
            self.geod = Geod(ellps=ellps)

        def geometry_area_perimeter(self, shape):
            area, length = self.geod.geometry_area_perimeter(shape)
            return area / 1.01, length

    shape = np.array([box(0, 0, 8000)])
    faults, told = compare_areas(shape, CRS.from_epsg(4549), ["A"])
    assert (faults.tolist(), told) == ([""], [])
    monkeypatch.setattr(plausible, "Geod", Shrunk)
    faults, _ = compare_areas(shape, CRS.from_epsg(4549), ["A"])
    assert "相差 1.00%" in faults[0]


# --------------------------------------------------------------------------------- numbers of points


def survey(path, rows):
    head = "[属性描述] 坐标系=2000国家大地坐标系 几度分带=3 投影类型=高斯克吕格 计量单位=米 带号=40 [地块坐标]"
    lines = head.split()
    lines.append(f"{len(rows)},,A-1,厂房,面,,工业用地,0701,@")
    lines += [f"J{number},1,{y:.3f},{x:.3f}" for number, (x, y) in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def table_of(path, rows):
    lines = ["点号,X,Y", *(f"{number},{y:.3f},{x:.3f}" for number, (x, y) in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corners=stars(), data=st.data(), write=st.sampled_from([(survey, "a.txt"), (table_of, "a.csv")]))
def test_rows_in_any_order_give_the_ring_of_their_numbers(corners, data, write, tmp_path_factory):
    corners = [(round(x, 3), round(y, 3)) for x, y in corners]
    assume(shapely.Polygon(corners).is_valid)
    rows = data.draw(st.permutations(list(enumerate(corners, 1))))
    make, name = write
    sites = read_sites(make(tmp_path_factory.mktemp("order") / name, rows), plan=PLAN, crs=4549)
    assert sites.area.sum() == pytest.approx(shoelace(corners), abs=0.01)
    numbers = [number for number, _ in rows]
    turns = [(b - a) % len(rows) for a, b in zip(numbers, [*numbers[1:], numbers[0]], strict=True)]
    in_order = set(turns) in ({1 % len(rows)}, {len(rows) - 1})
    assert ("点号不按顺序，已按点号连线" in sites["repair"].iloc[0]) is (not in_order)


def test_numbers_that_can_not_be_joined_are_refused_with_the_row(tmp_path):
    # As they stand the points are a square; by their numbers they cross.
    rows = list(zip([1, 3, 2, 4], [(E, N), (E + 100, N), (E + 100, N + 100), (E, N + 100)], strict=True))
    with pytest.raises(SiteError, match=r"a\.txt，第 10 行：点号不按顺序（J1、J3、J2、J4）.*请按界址点的连接顺序"):
        read_sites(survey(tmp_path / "a.txt", rows), plan=PLAN)


@pytest.mark.parametrize("numbers", [[3, 4, 1, 2], [4, 3, 2, 1], [5, 6, 3, 2], [11, 12, 27, 14], ["a", "c", "b", "d"]])
def test_numbers_shared_with_neighbours_leave_a_simple_ring_as_it_stands(numbers, tmp_path):
    rows = list(zip(numbers, [(E, N), (E + 100, N), (E + 100, N + 100), (E, N + 100)], strict=True))
    sites = read_sites(survey(tmp_path / "a.txt", rows), plan=PLAN)
    assert sites.area.sum() == pytest.approx(10_000)
    assert sites["repair"].tolist() == [""]


def test_a_closing_point_is_no_point_out_of_order(tmp_path):
    square = [(E, N), (E + 100, N), (E + 100, N + 100), (E, N + 100)]
    rows = [*enumerate(square, 1), (1, square[0])]
    sites = read_sites(survey(tmp_path / "a.txt", rows), plan=PLAN)
    assert sites.area.sum() == pytest.approx(10_000)
    rows = [rows[0], rows[2], rows[1], rows[3], rows[4]]
    sites = read_sites(survey(tmp_path / "b.txt", rows), plan=PLAN)
    assert sites.area.sum() == pytest.approx(10_000)
    assert "已按点号连线" in sites["repair"].iloc[0]


# --------------------------------------------------------------------------------------- several works


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("新建;改变用途", "new;change_of_use"),
        ("扩建；技改；扩建", "expansion;alteration"),
        ("new", "new"),
        ("用途变更", "change_of_use"),
    ],
)
def test_a_project_may_have_several_works(text, read, tmp_path):
    assert read_sites(frame(box(), 建设性质=[text]))["works"].tolist() == [read]
    assert read_sites(frame(box()), works=text)["works"].tolist() == [read]
    with pytest.raises(SiteError, match=r"建设性质.*拆除.*分号"):
        read_sites(frame(box(), 建设性质=["新建;拆除"]))
    gpd.GeoDataFrame({"建设性质": [text]}, geometry=[box()], crs=4549).to_file(tmp_path / "a.gpkg")
    assert read_sites(tmp_path / "a.gpkg")["works"].tolist() == [read]
    assert math.isclose(box().area, 10_000)
