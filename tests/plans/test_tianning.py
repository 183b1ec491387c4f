"""The shipped plan changzhou-tianning: its layers and examples, read with other means than the package's own."""

import csv
import io
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
import yaml
from shipped_plan import ROOT, area_km2, shipped

import ecospatial as es
from ecospatial import model

TN = shipped("changzhou-tianning")
EXAMPLES = TN.folder / "examples"
PACK = yaml.safe_load((ROOT / "layers" / "packs" / "changzhou-tianning.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def district():
    return TN.district()


def together(kind, **where):
    found = [g for p, g in TN.in_metres(kind) if all(p[key] == value for key, value in where.items())]
    return shapely.union_all(found)


# ------------------------------------------------------------------------------------------ published figures


@pytest.mark.parametrize(("kind", "published_km2"), [("urban_boundary", 85.9876), ("farmland", 18.0955)])
def test_areas_are_as_published(kind, published_km2):
    assert sum(area_km2(geometry) for _, geometry in TN.features(kind)) == pytest.approx(published_km2, rel=0.01)


def test_the_published_figure_is_of_farmland_and_basic_farmland_is_a_part_of_it():
    fields, basic = together("farmland"), together("basic_farmland")
    assert basic.difference(fields).area < 5
    assert 0.4 * fields.area < basic.area < 0.9 * fields.area
    assert "18.0955" in TN.layers["farmland"]["source"]["title"]
    assert "耕地之内" in TN.layers["basic_farmland"]["source"]["title"]
    assert "未公布面积" in TN.layers["basic_farmland"]["source"]["title"]


def test_the_plan_says_what_does_not_exist_and_what_is_missing():
    absent = {kind: layer["present"] for kind, layer in TN.layers.items() if "path" not in layer}
    assert {kind for kind, present in absent.items() if present == "none"} == {
        "eco_redline", "control_zone", "nature_reserve",
    }  # fmt: skip
    assert {
        "water_source_zone", "intake", "canal_zone", "river_management", "forest_park", "outfall",
        "breeding_zone",
    } <= absent.keys()  # fmt: skip
    assert TN.content["packs"] == ["national", "jiangsu", "taihu", "yangtze", "changzhou", "changzhou-tianning"]


# ------------------------------------------------------------------------------------------------- tilings


@pytest.mark.parametrize("kind", ["territorial_space", "town", "sewer_catchment"])
def test_the_district_is_tiled_without_gap_or_overlap(kind, district):
    areas = [geometry for _, geometry in TN.in_metres(kind)]
    assert shapely.coverage_is_valid(areas)
    assert shapely.coverage_is_valid([geometry for _, geometry in TN.features(kind)])
    assert max(a.intersection(b).area for a, b in itertools.combinations(areas, 2)) < 0.01
    assert shapely.union_all(areas).symmetric_difference(district).area < 0.01


def test_the_towns_are_those_of_the_plan():
    assert {properties["feature_name"] for properties, _ in TN.features("town")} == {
        "郑陆镇", "雕庄街道", "青龙街道", "茶山街道", "红梅街道", "天宁街道", "兰陵街道",
    }  # fmt: skip


def test_the_spaces_follow_the_boundary_the_rivers_and_the_hills(district):
    assert {properties["space"] for properties, _ in TN.features("territorial_space")} == {
        "生态空间", "农业空间", "城镇空间",
    }  # fmt: skip
    urban = together("territorial_space", space="城镇空间")
    assert urban.symmetric_difference(together("urban_boundary")).area < 20_000  # crumbs under a hectare
    green = together("territorial_space", space="生态空间")
    water = together("bank_line").intersection(district)
    assert water.difference(green).area < 0.02 * water.area
    assert together("water_body").difference(green).area < 1
    names = {properties["feature_name"] for properties, _ in TN.features("territorial_space")}
    assert any("黄天荡" in name for name in names)
    assert any("舜过山" in name for name in names)
    fields = together("farmland")
    assert fields.difference(together("territorial_space", space="农业空间")).area < 10  # rounding to 1 cm
    assert fields.intersection(together("urban_boundary")).area < 1


# -------------------------------------------------------------------------------------------------- rivers


def test_the_rivers_of_the_plan_are_there():
    named = {
        "老运河", "新运河", "京杭运河", "关河", "北塘河", "横塘河", "采菱港", "丁塘港", "三山港", "新沟河", "永武河",
        "宁河", "隆兴浜", "草塘浜", "芦苇港",
    }  # fmt: skip
    lines = TN.by_river("river_centreline")
    assert named <= lines.keys()
    assert lines.keys() == TN.by_river("bank_line").keys()


def test_rivers_bend_gently():
    for river, line in TN.by_river("river_centreline").items():
        vertices = shapely.get_coordinates(line)
        steps = np.diff(vertices, axis=0)
        bearing = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.degrees(np.abs(np.diff(bearing))).max() < 25, river
        assert line.length > 1.001 * np.hypot(*(vertices[-1] - vertices[0])), river


def test_rivers_are_one_network_and_meet_in_points(district):
    lines, banks = TN.by_river("river_centreline"), TN.by_river("bank_line")
    around = district.buffer(5000)
    loose = []
    for river, line in lines.items():
        others = {name: other for name, other in lines.items() if name != river}
        for end, at in ((shapely.get_point(line, 0), "head"), (shapely.get_point(line, -1), "mouth")):
            touching = [name for name, other in others.items() if other.distance(end) < 0.02]
            assert all(banks[river].intersection(banks[name]).area > 10 for name in touching)
            if around.contains(end) and not touching:
                loose.append((river, at))
    assert loose == [("芦苇港", "head"), ("朝阳河", "head")]  # 朝阳河 still ends blind, 草塘浜 lies 200 m further
    assert 150 < shapely.get_point(lines["朝阳河"], 0).distance(lines["草塘浜"]) < 300
    assert together("water_body").contains(shapely.get_point(lines["芦苇港"], 0))  # it begins in 黄天荡
    reached, todo = {"老运河"}, ["老运河"]
    while todo:
        here = lines[todo.pop()]
        todo += (near := {name for name, line in lines.items() if line.distance(here) < 0.02} - reached)
        reached |= near
    assert reached == lines.keys()


def test_rivers_are_drawn_to_five_kilometres_beyond_the_district(district):
    assert TN.layers["bank_line"]["coverage"] == TN.layers["river_centreline"]["coverage"] == "district+5000"
    edge = district.buffer(5000).exterior
    crossings = {
        river: len(shapely.get_parts(bank.intersection(edge))) for river, bank in TN.by_river("bank_line").items()
    }
    out = ("老运河", "新运河", "京杭运河", "采菱港", "三山港", "新沟河", "漕河", "澡港河", "武宜运河")
    assert all(crossings[river] == 1 for river in out), crossings


def test_banks_are_as_wide_as_the_river_and_hold_its_centreline():
    width = {properties["river"]: properties["width_m"] for properties, _ in TN.features("river_centreline")}
    lines = TN.by_river("river_centreline")
    for river, bank in TN.by_river("bank_line").items():
        assert bank.area / lines[river].length == pytest.approx(width[river], rel=0.05), river
        assert lines[river].difference(bank.buffer(0.05)).length < 0.1, river


def test_the_north_flows_to_the_yangtze():
    lines = TN.by_river("river_centreline")
    for river in ("新沟河", "丁塘港", "三山港", "澡港河"):
        vertices = shapely.get_coordinates(lines[river])
        assert vertices[-1, 1] > vertices[0, 1] + 3000, river
    beitang = shapely.get_coordinates(lines["北塘河"])
    assert beitang[-1, 0] > beitang[0, 0] + 10_000
    assert lines["新沟河"].distance(shapely.Point(beitang[-1])) < 0.02


# ------------------------------------------------------------------------------------------ points, areas


def test_sections_plant_and_parcels_are_in_place(district):
    sections, lines = TN.in_metres("monitoring_section"), TN.by_river("river_centreline")
    names = {re.sub("（.*", "", p["feature_name"]): (p["river"], p["grade"]) for p, _ in sections}
    assert names["青洋桥"] == ("北塘河", "省考")
    assert names["粮庄桥"] == ("新沟河", "省考")
    assert names["横方桥"][1] == names["张墅桥"][1] == "市考"
    assert all(lines[p["river"]].distance(point) < 0.02 for p, point in sections)
    ((plant, at),) = TN.in_metres("sewage_plant")
    assert plant["plant"] == "郑陆污水处理厂"
    (catchment,) = [g for p, g in TN.in_metres("sewer_catchment") if p["plant"] == "郑陆污水处理厂"]
    assert catchment.contains(at)
    parcels = TN.in_metres("contaminated_parcel")
    assert all(district.contains(shape) for _, shape in parcels)
    assert [p["removed_on"] is None for p, _ in parcels] == [True, True, False]


def test_the_five_industrial_areas_are_named_by_the_plan_and_drawn_on_urban_land():
    parks = TN.in_metres("industrial_park")
    names = [re.sub("（.*", "", p["feature_name"]) for p, _ in parks]
    assert names == ["和平西区", "花园南区", "施家巷东区", "三河口片区", "武澄工业园"]
    urban, water = together("urban_boundary"), together("bank_line")
    assert all(shape.difference(urban.buffer(0.05)).area < 1 for _, shape in parks)
    assert all(shape.intersection(water).area < 1 for _, shape in parks)
    assert TN.layers["industrial_park"]["coverage"] == "industrial_park.geojson"
    assert "索取" in TN.layers["industrial_park"]["source"]["title"]


DRAWN_BY_HAND = ["farmland", "basic_farmland", "urban_boundary", "contaminated_parcel", "industrial_park"]


@pytest.mark.parametrize("kind", DRAWN_BY_HAND)
def test_what_is_invented_says_so_in_its_name(kind):
    assert all("虚构" in properties["feature_name"] for properties, _ in TN.features(kind))


def test_fields_are_blocks_off_the_water():
    water = together("bank_line")
    parts = [part for _, area in TN.in_metres("farmland") for part in shapely.get_parts(area)]
    assert len(parts) > 50
    assert all(part.area < 0.8e6 for part in parts)
    assert all(part.intersection(water).area == 0 for part in parts)


# ------------------------------------------------------------------------------------------------- the pack


def test_the_pack_cites_the_plan():
    assert {rule["id"] for rule in PACK} >= {"TN-GD", "TN-ST", "TN-AX", "TN-WR", "TN-TL", "TN-JY", "TN-GK"}
    for rule in PACK:
        assert "天宁区国家生态文明建设示范区规划" in rule["cite"]["instrument"]
        # What cannot be decided says in its title what the plan does not state.
        assert bool(rule.get("not_stated")) <= ("未载明" in rule["title"]), rule["id"]
        decides = rule["cite"]["verified"] and not rule.get("not_stated")
        assert bool(decides) == ("未载明" not in rule["title"]), rule["id"]
        assert rule["layer"] in TN.layers


# -------------------------------------------------------------------------------------------- the examples


def package_sites():
    frame = pyogrio.read_dataframe(EXAMPLES / "sites.gpkg")
    assert frame.crs.to_epsg() == 4549
    return dict(zip(frame["site_id"], frame.geometry, strict=True)), frame


def table_sites():
    text = (EXAMPLES / "sites.csv").read_bytes().decode("utf-8-sig")
    rings = {}
    for row in csv.DictReader(io.StringIO(text)):
        place = (float(row["经度"]), float(row["纬度"]))
        rings.setdefault(row["地块编号"], {}).setdefault(row["圈号"], []).append(place)
    return {name: TN.metres(shapely.Polygon(found["1"])) for name, found in rings.items()}


def placemark_sites():
    space = {"k": "http://www.opengis.net/kml/2.2"}
    found = {}
    for mark in ET.parse(EXAMPLES / "sites.kml").getroot().iter("{http://www.opengis.net/kml/2.2}Placemark"):  # noqa: S314 - ours
        outer, *inner = (
            [[float(v) for v in pair.split(",")] for pair in ring.text.split()]
            for ring in mark.findall(".//k:coordinates", space)
        )
        found[mark.get("id")] = TN.metres(shapely.Polygon(outer, inner))
    return found


@pytest.fixture(scope="module")
def sites():
    return package_sites()[0] | table_sites() | placemark_sites()


def test_example_sites_are_sound_and_in_the_district(sites, district):
    assert list(sites) == [f"TN-{number:02d}" for number in range(1, 18)]
    for name, shape in sites.items():
        assert shape.is_valid, name
        assert district.contains(shape), name
        assert shape.area > 5000, name


def test_example_sites_lie_where_they_show_something(sites):
    basic, fields, urban = together("basic_farmland"), together("farmland"), together("urban_boundary")
    on_basic = {"TN-09", "TN-12", "TN-13", "TN-15"}
    assert {name for name, shape in sites.items() if shape.intersects(basic)} == on_basic
    assert all(basic.contains(sites[name]) for name in on_basic)
    assert {name for name, shape in sites.items() if shape.intersects(fields)} == on_basic | {"TN-16"}
    assert all(urban.contains(sites[name]) for name in ("TN-06", "TN-07", "TN-08", "TN-10", "TN-11", "TN-14", "TN-17"))
    banks = TN.by_river("bank_line")
    assert all(sites[name].intersects(banks["北塘河"]) for name in ("TN-02", "TN-03"))
    assert sites["TN-04"].intersects(banks["隆兴浜"])
    assert len(sites["TN-13"].interiors) == 1
    parcels = [shape for _, shape in TN.in_metres("contaminated_parcel")]
    assert sites["TN-11"].intersects(parcels[0])
    assert sites["TN-17"].contains(parcels[2])


def test_names_say_what_is_guessed_and_what_is_invented():
    _, frame = package_sites()
    assert frame["site_name"].str.contains("为估计").all()
    text = (EXAMPLES / "sites.csv").read_bytes().decode("utf-8-sig")
    named = [row["项目名称"] for row in csv.DictReader(io.StringIO(text)) if row["项目名称"]]
    named += re.findall("<Placemark [^>]*><name>(.*?)</name>", (EXAMPLES / "sites.kml").read_text(encoding="utf-8"))
    assert len(named) == 11
    assert all("虚构" in name for name in named)


def test_facts_belong_to_the_placemarks():
    rows = list(csv.DictReader(io.StringIO((EXAMPLES / "facts.csv").read_text(encoding="utf-8"))))
    assert [row["site_id"] for row in rows] == list(placemark_sites())
    assert rows[0].keys() <= {"site_id", "activity", "works", *model.FACTS}
    assert (EXAMPLES / "day.txt").read_text(encoding="utf-8").strip() == "2026-11-20"


def test_the_examples_give_every_verdict():
    plan = es.open_plan("changzhou-tianning")
    files = [EXAMPLES / name for name in ("sites.gpkg", "sites.csv", "sites.kml")]
    sites = es.read_sites(files, plan=plan, facts=EXAMPLES / "facts.csv")
    findings = es.check(sites, plan, on="2026-11-20")
    assert set(findings.frame.verdict) == set(model.VERDICTS)
    assert set(findings.summary.decided.dropna()) == {"clear", "restricted", "prohibited"}
    found = findings.frame.set_index(["site_id", "rule_id"]).verdict
    expected = {
        ("TN-02", "TN-AX"): "restricted", ("TN-05", "TN-ST"): "restricted", ("TN-06", "TN-ST"): "clear",
        ("TN-07", "TH28"): "restricted", ("TN-08", "TH28"): "needs_facts", ("TN-09", "FM35"): "prohibited",
        ("TN-09", "UB-OUT"): "unsettled", ("TN-10", "TN-TL"): "restricted", ("TN-11", "TN-WR"): "prohibited",
        ("TN-11", "SP61"): "prohibited", ("TN-12", "FM37"): "prohibited", ("TN-13", "FM17"): "prohibited",
        ("TN-15", "FM35"): "restricted", ("TN-16", "FM37"): "clear", ("TN-16", "TN-GD"): "restricted",
        ("TN-17", "TN-WR"): "clear", ("TN-14", "ERL"): "clear", ("TN-01", "CZ-DYH"): "unsettled",
        ("TN-12", "TN-JY"): "no_data",
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert (findings.frame[findings.frame.rule_id.isin(["ERL", "EMA"])].verdict.isin(["clear", "not_applicable"])).all()
