"""Thirty faults planted in one copy of a plan: one report names each of them, with its area."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from made_audits import CRS, FEATURE, NORTH, ON, SOUTH, SPACES, WEST, entry, sound, target, write
from pyproj import Transformer
from shapely import LineString, Polygon, box

import ecospatial as es
from ecospatial.crs import cgcs2000_to_gcj02

TO_DEGREES = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
TO_METRES = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True)
F1, F2 = FEATURE["basic_farmland"]
ECO, FARM, URBAN = FEATURE["territorial_space"]
SQUARE = box(502200, 3526000, 502400, 3526200)  # 40 000 m2 of 农业空间
# Farmland by number, each a fault of its own or in conflict with something else.
FARMS = [
    F1, F2,
    F1,  # 3: the same as 1
    box(503000, 3522000, 503100, 3522100),  # 4: inside 1
    box(510100, 3521000, 510200, 3521100),  # 5: outside the district
    Polygon([(502200, 3524000), (502400, 3524200), (502400, 3524000), (502200, 3524200)]),  # 6: crosses itself
    Polygon(SQUARE.exterior, [box(502500, 3526000, 502550, 3526050).exterior]),  # 7: a hole outside
    Polygon(box(502800, 3526000, 503000, 3526200).exterior, [box(*ring).exterior for ring in (
        (502850, 3526050, 502950, 3526150), (502875, 3526075, 502925, 3526125))]),  # 8: an island drawn as a hole
    Polygon([(503200, 3526000), (503400, 3526000), (503400, 3526200), (503301, 3526200), (503300.5, 3526300),
             (503300, 3526200), (503200, 3526200)]),  # 9: a spike of 50 m2
    box(503600, 3526000, 503800, 3526200) - box(503700, 3526100, 503701, 3526102),  # 10: a ring of 2 m2
    box(505450, 3527000, 505550, 3527100),  # 11: half of it in the river
    box(506400, 3522000, 506600, 3522100),  # 12: half of it over the urban boundary
    box(501100, 3522000, 501300, 3522100),  # 13: half of it over the red line
]  # fmt: skip
# check, what its subject or layer names, area in m2 (None: it has none)
PLANTED = [
    ("overlap", "生态保护红线 1 号 × 永久基本农田 13", 1e4),
    ("overlap", "永久基本农田 12 号 × 城镇开发边界", 1e4),
    ("overlap", "生态保护红线 2 号 × 城镇开发边界", 5e4),
    ("overlap", "三类空间 2 号 × 3 号", 1e4),  # 1 m over 10 km
    ("overlap", "永久基本农田 1 号 × 4 号", 1e4),
    ("gap", "三类空间 缝隙 1", 1e6),  # what the missing strip along the west leaves
    ("gap", "三类空间 缝隙 2", 2e4),
    ("gap", "三类空间 缝隙 3", 1e3),  # 0.1 m over 10 km
    ("duplicate", "永久基本农田 1 号 × 3 号", 4e6),
    ("outside", "永久基本农田 5", 1e4),
    ("shape", "永久基本农田 6", 2e4),
    ("shape", "永久基本农田 7", 2500),
    ("shape", "永久基本农田 8", 2500),
    ("shape", "永久基本农田 9", 50),
    ("shape", "永久基本农田 10", 2),
    ("shape", "公园绿地 1", None),  # not closed by 5 m
    ("water", "永久基本农田 11 号 × 水面", 5e3),
    ("nesting", "甲", 3e4),
    ("space", "生态保护红线 2", 1e5),
    ("coverage", "耕地 1", 1000 * 2200),
    ("layer", "wetland", None),  # empty
    ("layer", "contaminated_parcel", None),  # a row without geometry
    ("layer", "control_unit", None),  # a word that is none
    ("layer", "forest_park", None),  # a changed file
    ("layer", "ecological_corridor", None),  # no longer valid
    ("position", "nature_reserve", 1e6),  # another zone under the label
    ("position", "sewer_catchment", 1e6),  # X and Y changed over
    ("position", "town", None),  # the shift of GCJ-02
    ("target", "MORE", None),  # off by one and a half tolerances
    ("target", "UNIT", None),
    ("figure", "A = B", None),
]


def shifted(shape):
    def move(xy):
        lon, lat = TO_DEGREES.transform(xy[:, 0], xy[:, 1])
        return np.column_stack(TO_METRES.transform(*cgcs2000_to_gcj02(lon, lat)))

    return shapely.transform(shape, move)


def files(folder):
    """Layers that the test writes itself, with their entries."""
    folder.mkdir()
    square = box(504000, 3526000, 505000, 3527000)
    ring = LineString([(505000, 3526000), (505200, 3526000), (505200, 3526200), (505000, 3526005)])
    write(folder, "park.gpkg", [ring])
    write(folder, "wetland.gpkg", [])
    write(folder, "parcel.gpkg", [square, None])
    write(folder, "zone.gpkg", [box(500300, 3524000, 500400, 3524100)], unit_class=["特别管控"])
    write(folder, "forest.gpkg", [box(500300, 3524200, 500400, 3524300)])
    write(folder, "corridor.gpkg", [box(507000, 3524200, 507100, 3524300)])
    write(folder, "reserve.gpkg", [square], crs="EPSG:4548", part=["核心保护区"])
    write(folder, "sewer.gpkg", [shapely.transform(square, lambda xy: xy[:, ::-1])], plant=["甲厂"])
    cover = shapely.transform(box(WEST, SOUTH, 504300, NORTH).segmentize(100), lambda xy: np.column_stack(
        TO_DEGREES.transform(xy[:, 0], xy[:, 1])))  # fmt: skip
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(cover)}
    (folder / "cover.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    expired = {"valid": {"from": "2020-01-01", "to": "2026-11-19"}}
    return [
        entry("park", "park.gpkg"), entry("wetland", "wetland.gpkg"), entry("contaminated_parcel", "parcel.gpkg"),
        entry("control_unit", "zone.gpkg"), entry("forest_park", "forest.gpkg", sha256="0" * 64),
        entry("ecological_corridor", "corridor.gpkg", **expired), entry("nature_reserve", "reserve.gpkg"),
        entry("sewer_catchment", "sewer.gpkg"),
    ]  # fmt: skip


def planted(folder):
    """Write the plan with all the faults."""
    more = files(folder)
    targets = [
        target("HALF", value=24.11), target("MORE", value=24.33), target("UNIT", value=24, unit="ha"),
        target("A", kind=..., value=24, same_as="B"), target("B", kind=..., value=3.6, unit="亩"),
    ]  # fmt: skip
    space = [
        box(500100, SOUTH, 502000, NORTH),
        box(502000.1, SOUTH, 506001, NORTH) - box(503000, 3524000, 503200, 3524100),
        URBAN,
    ]
    towns = [shifted(shape) for shape in FEATURE["town"]]
    return sound(
        folder, more=more, targets=targets,
        basic_farmland=(FARMS, {"feature_id": [str(number) for number in range(1, len(FARMS) + 1)]}),
        eco_redline=[*FEATURE["eco_redline"], box(509400, 3523000, 509600, 3523500)],
        territorial_space=(space, {"space": SPACES}),
        town=(towns, {"feature_name": ["西镇", "东镇"]}),
        farmland={"coverage": "cover.geojson"},
        water_source_zone=(
            [box(500900, 3526000, 501200, 3526300), box(500100, 3525800, 501100, 3526800)],
            {"source_name": ["甲", "甲"], "level": ["一级", "二级"]},
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return es.audit(es.open_plan(planted(tmp_path_factory.mktemp("together") / "p")), on=ON).frame


@pytest.mark.parametrize("fault", PLANTED, ids=[f"{check} {what}" for check, what, _ in PLANTED])
def test_each_is_in_the_one_report(frame, fault):
    check, what, area = fault
    rows = frame[(frame["check"] == check) & frame["status"].isin(["fault", "missed"])]
    named = rows["subject"].str.startswith(what) | (rows["layer"] == what)
    assert named.sum() == 1, rows[["subject", "layer", "area_m2"]]
    if area is not None:
        # Zones and strips cut from degrees are as right as their file is.
        rel = 1e-6 if check not in ("coverage", "position") else 0.005
        assert rows.loc[named, "area_m2"].iloc[0] == pytest.approx(area, rel=rel)


def test_thirty_at_least_and_what_is_right_stays_right(frame):
    assert len(PLANTED) >= 30
    assert frame.crs == CRS
    assert frame.loc[frame["subject"] == "HALF", "status"].tolist() == ["met"]
    # Nothing is said against layers that no fault was planted in and that nothing planted touches.
    wrong = frame[frame["status"] == "fault"]
    assert not wrong["layer"].isin(["outfall", "urban_boundary", "district", "water_body"]).any()
    assert wrong[["x_m", "y_m"]].notna().all(axis=1).sum() > 20
    sized = wrong[wrong["area_m2"].notna()]
    assert sized["size_class"].isin(["sliver", "small", "medium", "large"]).all()
    assert sized["features"].ne("").sum() > 15
