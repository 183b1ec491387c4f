"""Planar distances and areas against geodesics on the ellipsoid, which share nothing with the projection."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod, Transformer

from ecospatial.geometry import ShapeIndex, ellipsoidal_area
from ecospatial.relations import Nearest, Target, near

METRIC = CRS.from_epsg(4549)  # central meridian 120 E
GEOD = Geod(ellps="GRS80")
COUNT = 1000


def places(seed):
    """Points up to 1.5 degrees either side of the central meridian, in the latitudes of China north of 21 degrees.

    The scale there is 1 + (1.5 degrees in radians * cos latitude)^2 / 2, which is 1.0003 at 20.7 degrees.
    """
    dice = np.random.default_rng(seed)
    return 120 + dice.uniform(-1.5, 1.5, COUNT), dice.uniform(21, 53, COUNT), dice


def test_distances_against_geodesics_up_to_a_degree_and_a_half_from_the_central_meridian():
    lon, lat, dice = places(1)
    away = dice.uniform(50, 1000, COUNT)
    lon2, lat2, _ = GEOD.fwd(lon, lat, dice.uniform(0, 360, COUNT), away)
    to_plane = Transformer.from_crs(4490, METRIC, always_xy=True)
    sites = shapely.points(*to_plane.transform(lon, lat))
    features = shapely.points(*to_plane.transform(lon2, lat2))
    found = np.array(
        [
            near(target, site, Nearest.of(target, site, 2000.0), within_m=1000.0).distance_m[0]
            for target, site in ((Target(features[i : i + 1]), ShapeIndex(sites[i : i + 1])) for i in range(COUNT))
        ]
    )
    off = np.abs(found / away - 1)
    # The scale of the projection is 1 + (d cos(lat))^2 / 2, d from the central meridian in radians: at 1.5 degrees
    # that is 0.03 % at latitude 21.3 and 0.031 % at 18, the south of Hainan. Further north it is always less.
    assert off[lat >= 21.5].max() <= 3e-4
    assert off.max() <= 3.2e-4
    # At the rim of the zone a metre of the plane is not a metre of the ground: the test can tell them apart.
    assert off.max() > 1e-4


def test_ellipsoidal_areas_against_geodesic_polygons():
    lon, lat, dice = places(2)
    to_plane = Transformer.from_crs(4490, METRIC, always_xy=True)
    east, north = to_plane.transform(lon, lat)
    side = dice.uniform(30, 3000, COUNT)
    sites = shapely.box(east, north, east + side, north + side * dice.uniform(0.2, 1, COUNT))
    to_degrees = Transformer.from_crs(METRIC, 4490, always_xy=True)
    expected = []
    for site in sites:
        ring = shapely.get_coordinates(shapely.segmentize(site, 100))
        expected.append(abs(GEOD.polygon_area_perimeter(*to_degrees.transform(*ring.T))[0]))
    assert ellipsoidal_area(sites, METRIC) == pytest.approx(np.array(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("west", "east", "words"),
    [(118.3, 121.6, None), (117.0, 118.2, "EPSG:4548"), (121.9, 122.4, "EPSG:4550"), (118.0, 123.0, "分成几个规划")],
)
def test_a_plan_too_far_from_its_central_meridian_is_refused_and_told_which_fits(tmp_path, west, east, words):
    import geopandas as gpd

    import ecospatial as es

    district = gpd.GeoDataFrame({"feature_name": ["远"]}, geometry=[shapely.box(west, 31.0, east, 31.5)], crs=4490)
    district.to_crs(METRIC).to_file(tmp_path / "district.gpkg")
    source = "source: {publisher: a, title: b, retrieved: 2026-11-20, licence: c}"
    layer = f"  - {{kind: district, path: district.gpkg, status: public, coverage: extent, accuracy_m: 1, {source}}}\n"
    text = f"name: far\ntitle: 远\ncrs: EPSG:4549\npacks: []\nlayers:\n{layer}"
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    plan = es.open_plan(tmp_path)
    site = gpd.GeoDataFrame(geometry=[plan.area.representative_point().buffer(50)], crs=METRIC)
    if words is None:
        assert es.check(site, plan, on="2026-11-20").summary.index.tolist() == ["1"]
    else:
        with pytest.raises(es.PlanError, match=r"1\.75") as refused:
            es.check(site, plan, on="2026-11-20")
        assert words in str(refused.value)
