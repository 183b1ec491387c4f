"""Shapes of a page, read again: how far they are off at each zoom, that neighbours meet, how big the page is."""

from __future__ import annotations

import importlib.util
import itertools
import sys

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from made_findings import CRS, made_plan, square
from project_paths import SCRIPTS
from read_page import features, layers_of, numbers, signed

import ecospatial as es
from ecospatial import maps
from ecospatial.maps.web._delta import coded, number_text, zigzag

TO_DEGREES = pyproj.Transformer.from_crs(CRS, 4490, always_xy=True)


def pixels(geometry, zoom):
    """Degrees to pixels of a web map as PROJ's spherical Mercator has them."""
    merc = pyproj.Proj("+proj=merc +R=6378137")
    size = 256 * 2**zoom / (2 * np.pi * 6378137)

    def move(points):
        x, y = merc(points[:, 0], points[:, 1])
        return np.column_stack([x, y]) * size

    return shapely.transform(geometry, move)


def to_degrees(geometry):
    return shapely.transform(geometry, TO_DEGREES.transform, interleaved=False)


def lines_of(geometry):
    return shapely.boundary(geometry) if shapely.get_dimensions(geometry) == 2 else geometry


def worst(original, feature, zoom):
    """How far, in pixels, a shape in degrees and what is drawn of it are from each other, whichever is further."""
    there = lines_of(pixels(original, zoom))
    here = shapely.union_all([lines_of(part) for part in shapely.get_parts(pixels(feature.at(zoom), zoom))])
    dense = shapely.segmentize(
        there, max(4, shapely.length(there) / 3000)
    )  # Hausdorff looks at vertices: the middles of long edges count too
    return max(shapely.hausdorff_distance(dense, here), shapely.hausdorff_distance(here, there))


def read_again(geometry, crs=CRS):
    text = coded(np.asarray(geometry, dtype=object), pyproj.CRS(crs))
    shapes = {"n": len(geometry), "z": text.zoom, "e": text.decimals, "p": text.parts, "c": text.vertices}
    return features({"shapes": shapes, "titles": "", "which": 0, "values": []}), text


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("benchmark_maps", SCRIPTS / "benchmarks" / "maps.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


@pytest.fixture(scope="module")
def plan(benchmark, tmp_path_factory):
    return es.open_plan(benchmark.made_plan(tmp_path_factory.mktemp("zones"), benchmark.made_zones()))


@pytest.fixture(scope="module")
def zones(plan):
    return plan.frame("basic_farmland")  # crossing edges mended, as everybody gets them


@pytest.fixture(scope="module")
def page(plan):
    return maps.to_html(es.draw(plan))


def test_the_page_of_the_benchmark_is_small(zones, page):
    assert (len(zones), zones.geometry.count_coordinates().sum() >= 386_000) == (190, True)
    assert len(page.encode()) <= 1.2e6
    assert "L.map(" in page


@pytest.mark.parametrize("zoom", [15, 13, 9])
def test_the_zones_of_the_benchmark_are_never_a_pixel_off(zones, page, zoom):
    drawn = layers_of(page)["layer-0"]["features"]
    original = shapely.boundary(pixels(to_degrees(zones.geometry.to_numpy()), zoom))
    for i in range(len(drawn)):
        here = shapely.union_all([lines_of(part) for part in shapely.get_parts(pixels(drawn[i].at(zoom), zoom))])
        shapely.prepare(here)
        assert shapely.dwithin(here, shapely.points(shapely.get_coordinates(original[i])), 1.0).all(), i
        shapely.prepare(original[i])
        assert shapely.dwithin(original[i], shapely.points(shapely.get_coordinates(here)), 1.0).all(), i


def ragged(seed, count=400, x=500_000, y=3_520_000):
    dice = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    far = 800 + 60 * dice.normal(size=count)
    return shapely.Polygon(np.column_stack([x + far * np.cos(angles), y + far * np.sin(angles)]))


@pytest.mark.parametrize("seed", range(3))
def test_any_shape_is_within_a_pixel_at_every_zoom(seed):
    area = ragged(seed)
    shapes = [
        shapely.difference(area, shapely.affinity.scale(ragged(seed + 10), 0.4, 0.4)),
        shapely.LineString(shapely.get_coordinates(area)),
        shapely.MultiPolygon([ragged(seed + 20, x=504_000), ragged(seed + 30, x=509_000)]),
        shapely.LineString([(480_000, 3_500_000), (520_000, 3_540_000)]),  # long and straight: a curve on the page
        square(500_000, 3_530_000, 3),
    ]
    again, _ = read_again(shapes)
    original = to_degrees(shapely.segmentize(np.array(shapes, dtype=object), 500))
    for zoom in (6, 9, 11, 13, 15, 18, 20):
        for shape, feature in zip(original, again, strict=True):
            assert worst(shape, feature, zoom) < 1, zoom


def test_lower_zooms_need_fewer_vertices():
    again, _ = read_again([ragged(1, 4000)])
    counts = [len(shapely.get_coordinates(again[0].at(zoom))) for zoom in (8, 11, 14, 17, 20)]
    assert counts == sorted(counts)
    assert counts[0] < 100
    assert counts[-1] > 3500


def test_neighbours_keep_their_common_border_at_every_zoom():
    towns = es.open_plan("changzhou-zhonglou").frame("town")
    assert shapely.coverage_is_valid(towns.geometry.to_numpy())
    again, _ = read_again(towns.geometry.to_numpy(), towns.crs)
    for zoom in range(9, 21):
        drawn = np.array([feature.at(zoom) for feature in again], dtype=object)
        edges: dict[tuple, int] = {}
        for ring in shapely.get_rings(np.concatenate([shapely.get_parts(shape) for shape in drawn])):
            corners = [tuple(corner) for corner in shapely.get_coordinates(ring).tolist()]
            for a, b in itertools.pairwise(corners):
                edges[min(a, b), max(a, b)] = edges.get((min(a, b), max(a, b)), 0) + 1
        assert set(edges.values()) == {1, 2}
        # What is drawn once is the outline of all together: it holds just what the towns hold, no gap between them.
        outline = shapely.MultiLineString([edge for edge, times in edges.items() if times == 1])
        assert shapely.area(drawn).sum() == pytest.approx(shapely.area(shapely.build_area(outline)), rel=1e-9)


def test_a_ring_inside_another_feature_is_drawn_alike_in_both():
    hole = ragged(3)
    outer = shapely.Polygon(square(497_000, 3_517_000, 6000).exterior.coords, [list(hole.exterior.coords)[::-1]])
    turned = shapely.Polygon(np.roll(shapely.get_coordinates(hole)[:-1], 77, axis=0))  # begins elsewhere
    again, _ = read_again([outer, turned])
    for zoom in (10, 13, 16):
        around = {tuple(point) for point in shapely.get_coordinates(again[0].at(zoom))}
        assert {tuple(point) for point in shapely.get_coordinates(again[1].at(zoom))} <= around


def test_every_feature_is_drawn_at_every_zoom():
    shapes = [square(500_000, 3_520_000, 1), shapely.LineString([(0, 0), (1, 0)]), shapely.Point(500_000, 3_520_000)]
    shapes[1] = shapely.affinity.translate(shapes[1], 500_000, 3_520_100)
    again, _ = read_again([*shapes, shapely.GeometryCollection(shapes), shapely.MultiPoint([(500_000, 3_520_000)] * 2)])
    for feature in again:
        assert not shapely.is_empty(feature.at(6))
    assert [kind for kind, _ in again[3].parts] == [2, 1, 0]
    assert len(again[4].parts) == 2


def test_what_is_empty_has_no_part():
    again, text = read_again([shapely.Polygon(), square(500_000, 3_520_000)])
    assert again[0].parts == []
    assert len(again[1].parts) == 1
    assert text.count == 4
    assert read_again([shapely.Polygon()])[1].count == 0


def test_numbers_are_read_as_they_were_written():
    values = np.array([0, 1, 31, 32, 1023, 1024, 32767, 123_456_789_012])
    assert numbers(number_text(values)) == values.tolist()
    steps = np.array([0, -1, 1, -5_000_000_000, 5_000_000_000])
    assert [signed(value) for value in numbers(number_text(zigzag(steps)))] == steps.tolist()
    assert number_text(np.array([], dtype=np.int64)) == ""


def test_small_layers_are_true_to_the_centimetre(tmp_path):
    small = made_plan(tmp_path)
    drawn = next(
        layer for layer in layers_of(maps.to_html(maps.draw(small))).values() if layer["name"] == "永久基本农田"
    )
    back = gpd.GeoSeries([feature.shape for feature in drawn["features"]], crs=4490).to_crs(CRS)
    for was, now in zip(small.frame("basic_farmland").geometry, back, strict=True):
        assert shapely.hausdorff_distance(was, now) < 0.012


def test_properties_are_cut_to_what_is_shown(tmp_path):
    made_plan(tmp_path)
    frame = gpd.read_file(tmp_path / "basic_farmland.gpkg").assign(remark="只在文件里的列")
    frame.to_file(tmp_path / "basic_farmland.gpkg", layer="basic_farmland", driver="GPKG")
    page = maps.to_html(maps.draw(es.open_plan(tmp_path)))
    assert "一片" in page
    assert "只在文件里的列" not in page
    assert "remark" not in page
