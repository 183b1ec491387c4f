"""Faults planted in a plan in which everything fits: each is found, with the area that arithmetic gives."""

from __future__ import annotations

import json

import geopandas as gpd
import made_audits
import numpy as np
import pytest
import shapely
from made_audits import EAST, FEATURE, NORTH, ON, SOUTH, SPACES, WEST, entry, sound, target, write
from pyproj import Transformer
from shapely import LineString, MultiPolygon, Polygon, box

import ecospatial as es
from ecospatial.audits import audit
from ecospatial.crs import cgcs2000_to_bd09, cgcs2000_to_gcj02

F1, F2 = FEATURE["basic_farmland"]
ECO, FARM, URBAN = FEATURE["territorial_space"]
IDS = {"feature_id": ["F1", "F2"]}
TO_DEGREES = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
TO_METRES = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True)


def found(folder, check, status="fault", **options):
    frame = audit(es.open_plan(folder), on=ON, **options).frame
    return frame[(frame["check"] == check) & (frame["status"] == status)]


def farmland(*more):
    shapes = [F1, F2, *more]
    return shapes, {"feature_id": [f"F{number}" for number in range(1, len(shapes) + 1)]}


def spaces(farm):
    return [ECO, farm, URBAN], {"space": SPACES}


def degrees(xy):
    return np.column_stack(TO_DEGREES.transform(xy[:, 0], xy[:, 1]))


def shifted(shapes, shift):
    def move(xy):
        lon, lat = TO_DEGREES.transform(xy[:, 0], xy[:, 1])
        return np.column_stack(TO_METRES.transform(*shift(lon, lat)))

    return [shapely.transform(shape, move) for shape in shapes]


def test_a_sound_plan_has_no_fault(tmp_path):
    frame = audit(es.open_plan(sound(tmp_path)), on=ON).frame
    assert frame[frame["status"] != "met"].empty
    assert set(frame["check"]) >= {"layer", "position", "shape", "overlap", "gap", "edge", "outside", "space", "water"}


# What is planted; the check and the status under which it is found; the area of each line.
AREAS = {
    "red line over farmland": ({"eco_redline": [box(500200, 3521000, 502300, 3523000)]}, "overlap", "fault", [2e5]),
    "farmland over urban boundary": (
        {"basic_farmland": ([F1, box(504200, 3521000, 506600, 3523000)], IDS)}, "overlap", "fault", [2e5],
    ),
    "red line over urban boundary": (
        {"eco_redline": [*FEATURE["eco_redline"], box(509400, 3523000, 509600, 3523500)]}, "overlap", "fault", [5e4],
    ),
    "only along a line": ({"eco_redline": [box(500200, 3521000, 502200, 3523000)]}, "overlap", "fault", []),
    "gap": (
        {"territorial_space": spaces(box(502100, SOUTH, 506000, NORTH))}, "gap", "fault", [1e6],
    ),
    "gap in the middle": (
        {"territorial_space": spaces(FARM - box(503000, 3524000, 503200, 3524100))},
        "gap", "fault", [2e4],
    ),
    "edge off by 1 mm": (
        {"territorial_space": spaces(box(502000.001, SOUTH, 506000, NORTH))}, "gap", "fault", [10],
    ),
    "edge off by 0.1 m": (
        {"territorial_space": spaces(box(502000.1, SOUTH, 506000, NORTH))}, "gap", "fault", [1e3],
    ),
    "edge off by 1 m": (
        {"territorial_space": spaces(box(502001, SOUTH, 506000, NORTH))}, "gap", "fault", [1e4],
    ),
    "edge over by 0.1 m": (
        {"territorial_space": spaces(box(501999.9, SOUTH, 506000, NORTH))},
        "overlap", "fault", [1e3],
    ),
    "missing class": (
        {"territorial_space": ([ECO, URBAN], {"space": ["生态空间", "城镇空间"]})}, "gap", "fault", [4e7],
    ),
    "feature outside the district": (
        {"basic_farmland": farmland(box(510100, 3521000, 510200, 3521100))}, "outside", "fault", [1e4],
    ),
    "feature half outside": ({"farmland": [box(509950, 3520900, 510050, 3521000)]}, "outside", "fault", [5e3]),
    "duplicate feature": ({"basic_farmland": farmland(F1)}, "duplicate", "fault", [4e6]),
    "nearly the same twice": (
        {"basic_farmland": farmland(box(502201, 3521000, 504201, 3523000))}, "duplicate", "fault", [1999 * 2000],
    ),
    "nested features": ({"basic_farmland": farmland(box(503000, 3522000, 503100, 3522100))}, "overlap", "fault", [1e4]),
    "two districts overlapping": (
        {"district": [box(WEST, SOUTH, 505100, NORTH), box(505000, SOUTH, EAST, NORTH)]}, "overlap", "fault", [1e6],
    ),
    "farmland in water": ({"water_body": ([box(503000, SOUTH, 503100, NORTH)], {"river": ["北河"]})}, "water", "fault",
                          [2e5, 2.2e5]),
    "red line outside of its space": (
        {"eco_redline": [box(501900, 3524000, 502150, 3524100)]}, "space", "fault", [15000],
    ),
    "level 1 sticks out of level 2": (
        {"water_source_zone": (
            [box(500900, 3526000, 501200, 3526300), box(500100, 3525800, 501100, 3526800)],
            {"source_name": ["甲", "甲"], "level": ["一级", "二级"]},
        )},
        "nesting", "fault", [3e4],
    ),
}  # fmt: skip


# What follows from a fault and is true as well: check and areas. Anything else would be a false alarm.
ALSO = {
    "red line over farmland": {"space": [6e5]},  # 300 m of it lie in 农业空间
    "farmland over urban boundary": {"space": [12e5], "water": [2e5]},
    "red line over urban boundary": {"space": [1e5]},
    "only along a line": {"space": [4e5]},
    "missing class": {"class": [4e7], "space": [2e6, 4e6]},
    "feature outside the district": {"space": [1e4]},
    "nearly the same twice": {"overlap": [2000]},  # the copy reaches 1 m into F2
}


@pytest.mark.parametrize("name", AREAS)
def test_a_planted_fault_is_found_with_its_area_and_nothing_else_is(tmp_path, name):
    changes, check, status, areas = AREAS[name]
    folder = sound(tmp_path, **changes)
    rows = found(folder, check, status)
    assert sorted(rows["area_m2"]) == pytest.approx(sorted(areas), rel=1e-6)
    assert (rows.geometry.area.to_numpy() == pytest.approx(rows["area_m2"].to_numpy())) is True
    assert rows["reason"].str.len().gt(5).all()
    assert rows["x_m"].between(WEST - 1, EAST + 300).all()
    frame = audit(es.open_plan(folder), on=ON).frame
    rest = frame[(frame["status"] == "fault") & (frame["check"] != check)]
    others = {key: sorted(group) for key, group in rest.groupby("check", sort=False)["area_m2"]}
    assert others == {key: pytest.approx(sorted(value), rel=1e-6) for key, value in ALSO.get(name, {}).items()}


def test_slivers_are_told_from_conflicts_by_width(tmp_path):
    # 1.5 m and 2.5 m wide over 10 km: the second holds 2.5 hectares, the limit is 2 m.
    narrow = [ECO, box(502001.5, SOUTH, 505998.5, NORTH), box(506001, SOUTH, EAST, NORTH)]
    rows = found(sound(tmp_path, territorial_space=(narrow, {"space": SPACES})), "gap")
    assert dict(zip(rows["area_m2"].round(), rows["size_class"], strict=True)) == {25000.0: "large", 15000.0: "sliver"}
    assert rows["width_m"].round(2).tolist() == [2.5, 1.5]
    wider = found(tmp_path, "gap", sliver_m=3.0)
    assert wider["size_class"].tolist() == ["sliver", "sliver"]


@pytest.mark.parametrize(("off", "faults"), [(0, 0), (0.1, 1)])
def test_what_is_narrower_than_the_coordinates_are_written_is_a_note(tmp_path, off, faults):
    # Degrees with 7 decimals are centimetres: corners that are the same in the plan come back up to 5 mm apart.
    # Long straight edges get more corners, as what is straight in degrees is bent in the plane.
    (tmp_path / "p").mkdir()
    shapes = shapely.segmentize([ECO, box(502000 + off, SOUTH, 506000, NORTH), URBAN], 200)
    frame = gpd.GeoDataFrame({"space": SPACES}, geometry=list(shapes), crs=made_audits.CRS)
    frame.to_crs(4490).to_file(tmp_path / "p" / "ts.geojson", driver="GeoJSON", COORDINATE_PRECISION=7)
    more = [entry("territorial_space", "ts.geojson")]
    told = audit(es.open_plan(sound(tmp_path / "p", without=["territorial_space"], more=more)), on=ON).frame
    assert (told["status"] == "fault").sum() == faults
    notes = told[told["size_class"] == "rounding"]
    assert set(notes["check"]) >= {"gap", "outside"}
    assert notes["width_m"].max() < 0.0112
    assert notes["reason"].str.contains("取位").all()
    if faults:
        row = told[told["status"] == "fault"].iloc[0]
        assert (row["check"], row["size_class"]) == ("gap", "sliver")
        assert row["area_m2"] == pytest.approx(1000, abs=100)  # 0.1 m over 10 km, each end within 1 cm


def test_features_that_share_only_an_edge_or_stand_apart_are_left_alone(tmp_path):
    plan = sound(tmp_path, eco_redline=[box(500200, 3521000, 502200, 3523000)])
    rows = found(plan, "overlap", "met")
    assert "生态保护红线 × 永久基本农田" in rows["subject"].tolist()


def test_a_narrow_gap_between_parcels_is_pointed_out(tmp_path):
    # 0.5 m between F1 and F2 over 2 km.
    parcels = ([F1, box(504200.5, 3521000, 505200, 3523000)], IDS)
    rows = found(sound(tmp_path, basic_farmland=parcels), "edge", "note")
    assert rows["area_m2"].tolist() == pytest.approx([1000.0])
    assert rows["features"].tolist() == ["basic_farmland:F1;basic_farmland:F2"]


def test_edges_that_do_not_match_are_listed_even_without_area(tmp_path):
    bent = Polygon([(502000, SOUTH), (506000, SOUTH), (506000, NORTH), (502000, NORTH), (502000, 3525000)])
    rows = found(sound(tmp_path, territorial_space=([ECO, bent, URBAN], {"space": SPACES})), "edge", "note")
    assert rows["value"].tolist() == pytest.approx([10000.0])


# ------------------------------------------------------------------------------------------- single shapes

BOW_TIE = Polygon([(502200, 3524000), (502400, 3524200), (502400, 3524000), (502200, 3524200)])
HOLE = box(502300, 3524300, 502350, 3524350)
SHELL = box(502200, 3524200, 502400, 3524400)
SHAPES = {
    # What the rings enclose as they stand, and after repair: 0 and 20 000.
    "self-crossing": (BOW_TIE, 20000, "自相交"),
    # 40 000 - 2 500 as it stands; a hole outside takes nothing away.
    "hole outside its shell": (Polygon(SHELL.exterior, [box(502500, 3524200, 502550, 3524250).exterior]), 2500, "洞"),
    # A ring inside a hole, drawn as another hole: 40 000 - 10 000 - 2 500 as it stands, the ring counted twice.
    "hole that is an island": (
        Polygon(SHELL.exterior, [box(*ring).exterior for ring in (
            (502250, 3524250, 502350, 3524350), (502275, 3524275, 502325, 3524325))]),
        2500, "洞",
    ),
    "spike": (
        Polygon([(502200, 3524000), (502400, 3524000), (502400, 3524200), (502301, 3524200), (502300.5, 3524300),
                 (502300, 3524200), (502200, 3524200)]),
        50, "尖刺",
    ),
    "tiny ring": (SHELL - box(502300, 3524300, 502301, 3524302), 2, "碎环"),
    "tiny part": (MultiPolygon([SHELL, box(502500, 3524200, 502502, 3524201)]), 2, "碎环"),
}  # fmt: skip


@pytest.mark.parametrize("planted", SHAPES.values(), ids=list(SHAPES))
def test_a_bad_shape_is_found(tmp_path, planted):
    shape, area, word = planted
    frame = audit(es.open_plan(sound(tmp_path, basic_farmland=farmland(shape))), on=ON).frame
    rows = frame[frame["status"] == "fault"]
    assert rows["check"].tolist() == ["shape"]
    assert word in rows["reason"].iloc[0]
    assert rows["features"].iloc[0] == "basic_farmland:F3"
    assert rows["area_m2"].iloc[0] == pytest.approx(area, rel=1e-6)
    assert shapely.distance(rows.geometry.iloc[0], shape) < 1


def test_an_outline_that_is_not_closed_says_by_how_much(tmp_path):
    ring = LineString([(WEST, SOUTH), (EAST, SOUTH), (EAST, NORTH), (WEST, NORTH), (WEST, SOUTH + 5)])
    rows = found(sound(tmp_path, district=[ring]), "shape")
    assert rows["value"].tolist() == pytest.approx([5.0])
    assert "未闭合" in rows["reason"].iloc[0]


def test_without_a_district_the_tilings_can_not_be_told(tmp_path):
    ring = LineString([(WEST, SOUTH), (EAST, SOUTH), (EAST, NORTH)])
    frame = audit(es.open_plan(sound(tmp_path, district=[ring])), on=ON).frame
    told = frame[(frame["check"] == "gap")]
    assert set(told["status"]) == {"cannot_tell"}
    assert told["reason"].str.contains("行政区").all()


# ------------------------------------------------------------------------------------------- layers


def test_an_empty_layer_is_not_the_same_as_none(tmp_path):
    rows = found(sound(tmp_path, eco_redline=[]), "layer")
    assert rows["layer"].tolist() == ["eco_redline"]
    assert "present: none" in rows["reason"].iloc[0]


def test_a_row_without_geometry(tmp_path):
    folder = sound(tmp_path, without=["basic_farmland"])
    frame = gpd.GeoDataFrame({"feature_id": ["F1", "F2"]}, geometry=[F1, None], crs=made_audits.CRS)
    frame.to_file(folder / "bf.gpkg", driver="GPKG")
    folder = sound(tmp_path, without=["basic_farmland"], more=[entry("basic_farmland", "bf.gpkg")])
    rows = found(folder, "layer")
    assert "没有图形" in rows["reason"].iloc[0]
    assert rows["features"].tolist() == ["basic_farmland:2"]
    assert "永久基本农田" in " ".join(found(folder, "overlap", "cannot_tell")["reason"])


def test_a_wrong_word(tmp_path):
    spaces = ([ECO, FARM, URBAN], {"space": ["生态空间", "耕作空间", "城镇空间"]})
    rows = found(sound(tmp_path, territorial_space=spaces), "layer")
    assert "耕作空间" in rows["reason"].iloc[0]


def test_a_changed_file(tmp_path):
    rows = found(sound(tmp_path, urban_boundary={"sha256": "0" * 64}), "layer")
    assert rows["layer"].tolist() == ["urban_boundary"]
    assert "sha256" in rows["reason"].iloc[0]


def test_an_expired_layer(tmp_path):
    folder = sound(tmp_path, eco_redline={"valid": {"from": "2020-01-01", "to": "2026-11-19"}})
    assert found(folder, "layer")["layer"].tolist() == ["eco_redline"]
    assert found(folder, "overlap", "cannot_tell")["subject"].tolist() == [
        "生态保护红线 × 永久基本农田", "生态保护红线 × 城镇开发边界",
    ]  # fmt: skip


def test_a_missing_layer_names_whom_to_ask(tmp_path):
    absent = {"kind": "eco_redline", "present": "missing", "source": {"publisher": "省自然资源厅"}}
    rows = found(sound(tmp_path, without=["eco_redline"], more=[absent]), "layer", "cannot_tell")
    assert rows["reason"].str.contains("省自然资源厅").tolist() == [True]


def test_what_is_known_not_to_exist_can_not_overlap(tmp_path):
    absent = {"kind": "eco_redline", "present": "none", "coverage": "district", "source": {"publisher": "区政府"}}
    folder = sound(tmp_path, without=["eco_redline"], more=[absent])
    assert found(folder, "overlap", "cannot_tell").empty
    assert "生态保护红线 × 永久基本农田" in found(folder, "overlap", "met")["subject"].tolist()


def test_a_coverage_smaller_than_its_features(tmp_path):
    west = shapely.transform(box(WEST, SOUTH, 504000, NORTH).segmentize(100), degrees)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(west)}
    cover = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "cover.geojson").write_text(json.dumps(cover), encoding="utf-8")
    rows = found(sound(tmp_path, basic_farmland={"coverage": "cover.geojson"}), "coverage")
    assert sorted(rows["area_m2"]) == pytest.approx([200 * 2000, 1000 * 2000], rel=1e-4)


# ------------------------------------------------------------------------------------------- wrong places


def planted_file(folder, shapes, crs, **columns):
    sound(folder, without=["basic_farmland"])
    path = write(folder, "moved.gpkg", shapes, crs=crs, **columns)
    return sound(folder, without=["basic_farmland"], more=[entry("basic_farmland", path)])


def test_a_wrong_crs_label(tmp_path):
    rows = found(planted_file(tmp_path, [F1, F2], "EPSG:4548"), "position")
    assert "EPSG:4549" in rows["reason"].iloc[0]
    assert "坐标系写错" in rows["reason"].iloc[0]
    assert rows["area_m2"].iloc[0] == pytest.approx(6e6, rel=0.005)  # another zone, another scale


def test_x_and_y_swapped(tmp_path):
    swapped = [shapely.transform(shape, lambda xy: xy[:, ::-1]) for shape in (F1, F2)]
    rows = found(planted_file(tmp_path, swapped, "EPSG:4549"), "position")
    assert "X、Y 写反" in rows["reason"].iloc[0]
    assert rows["area_m2"].iloc[0] == pytest.approx(6e6)


@pytest.mark.parametrize(("shift", "name"), [(cgcs2000_to_gcj02, "GCJ-02"), (cgcs2000_to_bd09, "BD-09")])
def test_a_shift_that_was_left_in(tmp_path, shift, name):
    lon, lat = TO_DEGREES.transform(505000, 3525000)
    x, y = TO_METRES.transform(*shift(lon, lat))
    dx, dy = abs(x - 505000), abs(y - 3525000)
    moved = (shifted([ECO, FARM, URBAN], shift), {"space": SPACES})
    rows = found(sound(tmp_path, territorial_space=moved), "position")
    rows = rows[rows["layer"] == "territorial_space"]
    assert name in rows["reason"].iloc[0]
    assert rows["value"].iloc[0] == pytest.approx(np.hypot(dx, dy), rel=0.02)
    assert rows["area_m2"].iloc[0] == pytest.approx(10000 * dx + 10000 * dy - dx * dy, rel=0.03)


def test_a_shift_of_a_line_is_seen_by_the_space_it_belongs_to(tmp_path):
    # Red lines along all edges of their space: 500 m off, they stick out, and no other move makes them fit.
    red = [box(500010, 3520010, 501990, 3521000), box(500010, 3528000, 501990, 3529990)]
    rows = found(sound(tmp_path, eco_redline=shifted(red, cgcs2000_to_gcj02)), "position")
    assert rows["layer"].tolist() == ["eco_redline"]
    assert "GCJ-02" in rows["reason"].iloc[0]


def test_what_also_fits_after_other_moves_is_a_hint_only(tmp_path):
    # Only up to the eastern edge of its space: pushed back anywhere to the west it would fit.
    red = [box(500700, 3521000, 501990, 3523000)]
    folder = sound(tmp_path, eco_redline=shifted(red, cgcs2000_to_gcj02))
    assert found(folder, "position").empty
    assert "只是线索" in found(folder, "position", "note")["reason"].iloc[0]
    assert len(found(folder, "space")) == 1


def test_a_shift_of_the_district_itself_is_told_by_what_tiles_it(tmp_path):
    rows = found(sound(tmp_path, district=shifted([made_audits.DISTRICT], cgcs2000_to_gcj02)), "position")
    assert rows["layer"].tolist() == ["district"]
    assert "GCJ-02" in rows["reason"].iloc[0]


@pytest.mark.parametrize("kind", ["bank_line", "river_centreline"])
def test_a_shift_of_a_river_is_told_by_its_banks(tmp_path, kind):
    # A bent river 80 m wide, drawn between its banks and along its middle; one of the two is shifted.
    middle = LineString([(501000, 3521000), (503000, 3524000), (507000, 3524500), (509000, 3529000)])
    shapes = {"bank_line": [middle.buffer(40, cap_style="flat")], "river_centreline": [middle]}
    shapes[kind] = shifted(shapes[kind], cgcs2000_to_gcj02)
    more = []
    (tmp_path / "p").mkdir()
    for name, made in shapes.items():
        write(tmp_path / "p", f"{name}.gpkg", made, river=["甲河"])
        more.append(entry(name, f"{name}.gpkg"))
    rows = found(sound(tmp_path / "p", more=more), "position")
    assert rows["layer"].tolist() == [kind]


def test_where_a_shift_would_not_show_that_is_said(tmp_path):
    # The towns tile the district; the water source zones and the outfall stand far from everything they have to fit.
    rows = found(sound(tmp_path), "position", "met").set_index("layer")["reason"]
    assert "相合" in rows["town"]
    assert "看不出来" in rows["outfall"]
    assert "看不出来" in rows["water_source_zone"]


def test_a_layer_that_is_merely_wrong_is_not_called_shifted(tmp_path):
    other = ([ECO, FARM, box(506000, SOUTH, 510500, NORTH)], {"space": SPACES})
    assert found(sound(tmp_path, territorial_space=other), "position").empty


# ------------------------------------------------------------------------------------------- windows


def test_a_window_is_legal_and_listed(tmp_path):
    window = box(507000, 3522000, 507100, 3522100)
    empty = box(508000, 3522000, 508100, 3522200)
    changes = {
        "urban_boundary": ([FEATURE["urban_boundary"][0] - window - empty], {"part": ["集中建设区"]}),
        "basic_farmland": farmland(window),
    }
    rows = found(sound(tmp_path, **changes), "window", "note")
    assert rows["area_m2"].tolist() == pytest.approx([2e4, 1e4])
    assert ["合法" in reason for reason in rows["reason"]] == [False, True]
    assert found(tmp_path, "overlap").empty


def test_targets_off_by_half_and_by_one_and_a_half_tolerances(tmp_path):
    # 24 km2 with an outline of 22 km, off by 10 m at most: 0.22 km2, and half of the last digit published.
    targets = [target("half", value=24.11), target("more", value=24.33)]
    frame = audit(es.open_plan(sound(tmp_path, targets=targets)), on=ON).frame.set_index("subject")
    assert frame.loc[["half", "more"], "status"].tolist() == ["met", "missed"]
    assert frame.loc["half", "tolerance"] == pytest.approx(0.22 + 0.005)
    assert frame.loc["more", "difference"] == pytest.approx(-0.33, abs=0.002)


def test_a_wrong_unit_is_suspected(tmp_path):
    targets = [
        target("unit", value=24, unit="ha"),
        target("a", value=24, same_as="b"),
        target("b", value=3.6, unit="亩"),
    ]
    frame = audit(es.open_plan(sound(tmp_path, targets=targets)), on=ON).frame.set_index("subject")
    assert frame.loc["unit", "status"] == "missed"
    assert "km2" in frame.loc["unit", "reason"]
    assert frame.loc["a = b", "status"] == "fault"
    assert "单位" in frame.loc["b", "reason"]
