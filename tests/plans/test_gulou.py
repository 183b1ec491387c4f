"""The shipped plan nanjing-gulou: its layers with other means than those that built them, and its rules."""

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shipped_plan import GEOD, area_km2, shipped

import ecospatial as es

PLAN = shipped("nanjing-gulou")


def by_name(kind, *, metric=True):
    return {p["feature_name"]: g for p, g in (PLAN.in_metres(kind) if metric else PLAN.features(kind))}


def bank(name):
    return by_name("bank_line")[f"{name}（两岸之间）"]


def of(kind, **wanted):
    """Unite the features of a kind that have these values."""
    found = [g for p, g in PLAN.in_metres(kind) if all(p[key] == value for key, value in wanted.items())]
    assert found
    return shapely.union_all(found)


def length_km(lonlat):
    return GEOD.geometry_length(lonlat) / 1000


@pytest.fixture(scope="module")
def district():
    return PLAN.district()


# --------------------------------------------------------------------------------------------- plan.yaml


def test_plan_yaml_says_what_is_held_and_what_is_not():
    assert PLAN.content["crs"] == "EPSG:4549"
    assert {"national", "jiangsu", "yangtze", "nanjing-gulou"} <= set(PLAN.content["packs"])
    assert "taihu" not in PLAN.content["packs"]  # outside its basin
    assert {
        "district", "town", "river_centreline", "bank_line", "water_source_zone", "intake", "nature_reserve",
        "forest_park", "eco_redline", "sewage_plant", "sewer_catchment", "outfall", "monitoring_section",
        "contaminated_parcel",
    } <= set(PLAN.held)  # fmt: skip
    others = [kind for kind in PLAN.layers if kind not in PLAN.held and kind != "land_cover"]
    absent = {kind: PLAN.layers[kind].get("present") for kind in others}
    assert set(absent.values()) == {"missing"}  # the plan calls nothing absent, not even farmland
    assert {"control_zone", "urban_boundary", "basic_farmland", "farmland", "river_management"} <= absent.keys()


def test_what_the_plan_does_not_list_in_full_is_complete_only_where_it_is():
    coverage = {kind: layer.get("coverage") for kind, layer in PLAN.layers.items()}
    assert coverage["contaminated_parcel"] == coverage["water_body"] == "extent"
    assert coverage["sewer_catchment"] == "sewer_catchment.geojson"  # only where it has something
    assert PLAN.layers["bank_line"]["coverage"] == PLAN.layers["river_centreline"]["coverage"] == "district+5000"


# ----------------------------------------------------------------------------------------------- rivers


def test_lengths_are_the_published_ones():
    ((_, district),) = PLAN.features("district")
    rivers, banks = by_name("river_centreline", metric=False), by_name("bank_line", metric=False)
    assert length_km(rivers["夹江"].intersection(district)) == pytest.approx(2.8, rel=0.01)
    assert length_km(rivers["外秦淮河"].intersection(district)) == pytest.approx(5.3, rel=0.01)
    water = banks["长江（两岸之间）"].union(banks["夹江（两岸之间）"])
    shores = shapely.get_parts(shapely.line_merge(water.boundary.intersection(district)))
    right_bank = max(shores, key=lambda line: line.length)
    assert length_km(right_bank) == pytest.approx(12.2, rel=0.01)
    assert all(length_km(line) < 3 for line in shores if line is not right_bank)  # what is left is the island's


def test_the_rivers_of_the_plan_are_there_and_downstream(district):
    lines = by_name("river_centreline")
    assert {
        "长江", "夹江", "外秦淮河", "外金川河", "内金川河", "内金川河东支", "城北护城河", "西北护城河", "惠民河",
        "里圩河", "南十里长沟", "清江河", "干河沿", "内秦淮河",
    } <= lines.keys()  # fmt: skip
    assert {p["river"] for p, _ in PLAN.features("bank_line")} >= {"长江", "夹江", "外秦淮河", "金川河", "西北护城河"}
    assert lines["长江"].coords[-1][1] > lines["长江"].coords[0][1] + 20_000  # to the north-east
    assert lines["外秦淮河"].coords[-1][1] > lines["外秦淮河"].coords[0][1]
    edge = district.buffer(5000).exterior

    def crossings(name):
        return len(shapely.get_parts(shapely.line_merge(bank(name).intersection(edge))))

    assert crossings("长江") == 2
    assert all(crossings(name) == 1 for name in ("夹江", "外秦淮河", "长江八卦洲左汊"))


def test_both_banks_of_the_great_river_hold_the_district_s_west_side(district):
    outline = shapely.points(shapely.get_coordinates(district))
    west = outline[(shapely.get_x(outline) < 383_000) & (shapely.get_y(outline) > 3_550_500)]
    assert len(west) > 5
    assert shapely.intersects(bank("长江"), west).all()


def test_rivers_bend_gently():
    for name, line in by_name("river_centreline").items():
        vertices = shapely.get_coordinates(line)
        steps = np.diff(vertices, axis=0)
        bearing = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.degrees(np.abs(np.diff(bearing))).max() < 30, name
        assert np.hypot(*steps.T).max() < 80, name
        assert line.length > 1.001 * np.hypot(*(vertices[-1] - vertices[0])), name


def test_rivers_are_one_network_and_only_springs_are_loose(district):
    lines = by_name("river_centreline")
    around = district.buffer(5000)
    loose = set()
    for name, line in lines.items():
        others = [other for n, other in lines.items() if n != name]
        for at, end in (("head", shapely.get_point(line, 0)), ("mouth", shapely.get_point(line, -1))):
            if around.contains(end) and min(end.distance(other) for other in others) > 0.02:
                loose.add((name, at))
    assert loose == {(n, "head") for n in (
        "内金川河", "内金川河东支", "城北护城河", "里圩河", "南十里长沟", "清江河", "干河沿", "内秦淮河",
    )}  # fmt: skip
    lake = of("water_body")
    for name in ("城北护城河", "内秦淮河"):
        assert shapely.get_point(lines[name], 0).distance(lake) < 100
    reached, todo = {0}, [0]
    every = list(lines.values())
    while todo:
        here = todo.pop()
        near = {i for i, line in enumerate(every) if line.distance(every[here]) < 0.02} - reached
        reached |= near
        todo += near
    assert len(reached) == len(every)


def test_mouths_lie_on_the_bank_and_are_joined_to_the_middle_inside_the_water():
    lines, water = by_name("river_centreline"), bank("长江")
    for name, joint in (("外秦淮河", "外秦淮河入江连线"), ("惠民河", "惠民河入江连线"), ("外金川河", "金川河入江连线")):
        mouth = shapely.get_point(lines[name], -1)
        assert mouth.distance(water.exterior) < 60
        assert shapely.get_point(lines[joint], 0).distance(mouth) < 0.02
        assert lines[joint].difference(water.buffer(60)).length < 0.1
        assert bank(name).intersection(water).area > 10
        assert bank(name).difference(water).area > 0.9 * bank(name).area
        assert f"{joint}（两岸之间）" not in by_name("bank_line")


def test_banks_hold_their_river():
    width = {p["feature_name"]: p["width_m"] for p, _ in PLAN.features("river_centreline")}
    for name, line in by_name("river_centreline").items():
        if width[name] is not None:
            own = bank(name).union(bank("长江"))  # a branch begins and ends inside it
            assert line.difference(own.buffer(1)).length < 0.01 * line.length, name
            assert bank(name).area / line.intersection(bank(name)).length == pytest.approx(width[name], rel=0.1), name


# ------------------------------------------------------------------------------------------------ zones


def test_the_water_source_has_three_levels_along_its_river():
    zones = {(p["level"], p["part"]): g for p, g in PLAN.in_metres("water_source_zone")}
    assert set(zones) == set(itertools.product(("一级", "二级", "准"), ("水域", "陆域")))
    assert {p["source_name"] for kind in ("water_source_zone", "intake") for p, _ in PLAN.features(kind)} == {
        "夹江北河口"
    }
    assert all(a.intersection(b).area < 1 for a, b in itertools.combinations(zones.values(), 2))
    river, line = bank("夹江"), by_name("river_centreline")["夹江"]
    ((_, intake),) = PLAN.in_metres("intake")
    assert zones["一级", "水域"].contains(intake)
    at = line.project(intake)
    reaches = {"一级": (500, 500), "二级": (2000, 1000), "准": (4000, 2000)}
    levels = list(reaches)
    for i, (level, (up, down)) in enumerate(reaches.items()):
        assert zones[level, "水域"].difference(river.buffer(0.05)).area < 1
        land = zones[level, "陆域"]
        assert land.intersection(river).area < 1
        assert shapely.distance(river, shapely.points(shapely.get_coordinates(land))).max() < 150.1
        held = shapely.union_all([zones[inner, "水域"] for inner in levels[: i + 1]]).buffer(0.1)
        assert line.intersection(held).length == pytest.approx(up + down, abs=1)
        assert held.contains(line.interpolate(at - up + 1))
        assert held.contains(line.interpolate(at + down - 1))


def test_the_reserve_is_the_water_of_the_river_in_two_parts():
    core, rest = of("nature_reserve", part="核心保护区"), of("nature_reserve", part="一般控制区")
    assert core.intersection(rest).area < 1
    assert core.union(rest).difference(bank("长江").buffer(0.05)).area < 1


def test_the_red_line_is_the_three_named_regions_inside_the_district(district):
    zones = of("water_source_zone", level="一级").union(of("water_source_zone", level="二级"))
    wanted = shapely.union_all([of("forest_park"), zones, of("nature_reserve")]).intersection(district)
    assert of("eco_redline").symmetric_difference(wanted).area < 10
    core = of("nature_reserve", part="核心保护区").intersection(district)
    assert of("eco_redline", core=True).symmetric_difference(core).area < 10
    assert core.area > 100_000
    text = "".join(by_name("eco_redline"))
    assert all(name in text for name in ("幕燕省级森林公园", "夹江饮用水水源保护区", "江豚省级自然保护区"))


def test_the_forest_park_lies_on_the_hill_off_the_water(district):
    park = of("forest_park")
    assert park.difference(district.buffer(0.05)).area < 1
    assert park.distance(bank("长江")) == pytest.approx(60, abs=1)
    assert of("town", feature_name="幕府山街道").contains(park.buffer(-0.1))


def test_towns_tile_the_district(district):
    towns = by_name("town")
    names = "宁海路 华侨路 湖南路 中央门 挹江门 江东 凤凰 下关 热河南路 幕府山 建宁路 宝塔桥 小市"
    assert towns.keys() == {f"{name}街道" for name in names.split()}
    assert all(a.intersection(b).area < 0.01 for a, b in itertools.combinations(towns.values(), 2))
    assert shapely.union_all(list(towns.values())).symmetric_difference(district).area < 0.01


def test_the_plant_and_its_catchments_add_up():
    ((plant, _),) = PLAN.features("sewage_plant")
    assert (plant["plant"], plant["capacity_m3_d"]) == ("城北污水处理厂", 300_000)
    # The plan gives 38 km2 and 760,000 people for what the plant serves; other groups are drawn without one.
    found = [(p, g) for p, g in PLAN.features("sewer_catchment") if p["plant"]]
    assert sum(area_km2(g) for _, g in found) == pytest.approx(38, rel=0.01)
    assert sum(p["population"] for p, _ in found) == 760_000
    assert {p["plant"] for p, _ in found} == {"城北污水处理厂"}
    areas = [g for _, g in PLAN.in_metres("sewer_catchment")]
    assert all(a.intersection(b).area < 10 for a, b in itertools.combinations(areas, 2))
    assert all(a.intersection(bank("长江")).area < 10 for a in areas)


def test_catchments_are_as_many_in_each_group_as_the_plan_says():
    found = [p for p, _ in PLAN.features("sewer_catchment")]
    groups = [p["group"] for p in found]
    published = {"金川河流域": 59, "秦淮河流域": 30, "干河沿暗涵流域": 57, "河西北部": 67, "南十里长沟流域": 28}
    assert {name: groups.count(name) for name in published} == published
    assert set(groups) - set(published) == {"惠民河流域", "金川河流域（玄武区部分）"}
    assert len({p["feature_name"] for p in found}) == len(found)
    unknown = [p for p in found if p["plant"] is None]
    assert {p["group"] for p in unknown} == {"秦淮河流域", "河西北部"}
    assert all(p["population"] is None for p in unknown)


def test_links_are_those_inside_the_great_river():
    links = {p["feature_name"] for p, _ in PLAN.features("river_centreline") if p["link"]}
    assert links == {"外秦淮河入江连线", "惠民河入江连线", "金川河入江连线"}


def test_219_outfalls_lie_on_the_banks_and_say_that_they_are_invented(district):
    found = PLAN.in_metres("outfall")
    assert len(found) == 219
    assert all("虚构" in p["feature_name"] for p, _ in found)
    assert len({p["feature_name"] for p, _ in found}) == 219
    assert {p["river"] for p, _ in found} == {"长江", "外秦淮河"}
    places = np.array([g for _, g in found])
    edges = {river: bank(river).exterior for river in ("长江", "外秦淮河")}
    assert all(edges[p["river"]].distance(g) < 0.02 for p, g in found)
    assert shapely.contains(district.buffer(0.05), places).all()
    assert shapely.area(shapely.intersection(shapely.buffer(places, 0.5), of("water_source_zone"))).sum() == 0
    gaps = np.array([shapely.distance(place, np.delete(places, i)).min() for i, place in enumerate(places)])
    assert gaps.min() > 1


def test_sections_and_parcels_are_those_of_the_plan():
    sections = PLAN.in_metres("monitoring_section")
    assert [p["feature_name"] for p, _ in sections] == ["宝塔桥断面", "省考断面（示意2）", "省考断面（示意3）"]
    assert {p["grade"] for p, _ in sections} == {"省考"}
    assert by_name("river_centreline")["外金川河"].distance(sections[0][1]) < 0.02
    parcels = PLAN.in_metres("contaminated_parcel")
    assert [p["feature_name"] for p, _ in parcels] == [f"中央北路95号{c}地块（位置示意）" for c in "AC"]
    assert all(p["listed_on"] is None and p["removed_on"] is None for p, _ in parcels)
    assert all(of("town", feature_name="小市街道").contains(g) for _, g in parcels)


def test_positions_were_not_taken_from_the_shifted_outline(district):
    # Moved back by what GCJ-02 adds, the rivers would no longer hold the west side.
    shifted = shapely.transform(district, lambda c: c + np.array([500, -220]))
    corner = shapely.points(shapely.get_coordinates(shifted))
    assert not shapely.intersects(bank("长江"), corner[shapely.get_y(corner) > 3_550_500]).all()


# ------------------------------------------------------------------------------------------------ rules


def test_the_zones_of_the_approval_that_was_not_had_decide_nothing():
    rules = es.read_rules(es.open_plan("nanjing-gulou"), on="2026-11-20")
    water = rules[rules.layer.isin(["water_source_zone", "intake"])]
    assert {"GL-YS", "NJ-JJ1", "JS-YS1"} <= set(water.index)
    assert not water.verified[["NJ-JJ1"]].any()


def test_rules_of_the_district_s_plan_stand_in_it():
    rules = es.read_rules(es.open_plan("nanjing-gulou"))
    ours = rules[rules.index.str.startswith("GL-")]
    assert len(ours) >= 8
    assert set(ours.instrument) == {"南京市鼓楼区生态文明建设规划（2024-2030）", "长江保护法", "南京市长江岸线保护条例"}


def test_no_near_rule_is_undecided_for_want_of_coverage(district):
    plan = es.open_plan("nanjing-gulou")
    left, bottom, right, top = district.bounds
    east, north = np.meshgrid(np.arange(left, right, 200), np.arange(bottom, top, 200))
    places = shapely.points(east.ravel(), north.ravel())
    places = places[shapely.contains(district, places)]
    about = {"activity": ["C26"] * len(places), "works": ["new"] * len(places)}
    sites = gpd.GeoDataFrame(about, geometry=places, crs=PLAN.content["crs"])
    found = es.check(sites, plan, on="2026-11-20").frame
    rules = es.read_rules(plan, on="2026-11-20")
    near = rules.index[(rules.relation == "near") & rules.layer.isin(["bank_line"])]
    assert {"CJ26-1", "GL-AX", "GL-CJ26"} <= set(near)
    assert len(places) > 1000
    assert not (found.verdict[found.rule_id.isin(near)] == "no_data").any()
