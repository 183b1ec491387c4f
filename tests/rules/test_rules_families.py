"""Every family of controls has a rule of the sort it needs: on the kind, at the place and distance, for the project."""

from __future__ import annotations

import pytest
from shipped_plan import PLANS

import ecospatial as es
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

RULES = [rule for path in sorted(data_folder("layers").glob("packs/*.yaml")) for rule in read_pack(path)]
# Family: a kind, and what at least one rule on it must have: values of where, a relation, a distance, a fact or an
# activity of when or unless.
FAMILIES = {
    "清水通道": ("control_zone", {"zone_type": "清水通道维护区"}),
    "清水通道两侧一公里": ("bank_line", {"river": "新孟河", "within_m": 1000}),
    "大运河核心监控区": ("canal_zone", {"zone_type": "核心监控区", "relation": "overlaps"}),
    "大运河拓展区": ("canal_zone", {"zone_type": "拓展区", "relation": "overlaps"}),
    "生态保护红线": ("eco_redline", {}),
    "有限人为活动": ("eco_redline", {"fact": "permitted_limited_activity"}),
    "生态空间管控区域": ("control_zone", {}),
    "饮用水一级": ("water_source_zone", {"level": "一级"}),
    "饮用水二级": ("water_source_zone", {"level": "二级"}),
    "饮用水准保护区": ("water_source_zone", {"level": "准"}),
    "饮用水沿河": ("intake", {"relation": "along_river"}),
    "江豚核心保护区，无害化穿越": ("nature_reserve", {"part": "核心保护区", "fact": "harmless_crossing"}),
    "江豚一般控制区": ("nature_reserve", {"part": "一般控制区"}),
    "森林公园": ("forest_park", {}),
    "永久基本农田": ("basic_farmland", {}),
    "耕地": ("farmland", {}),
    "城镇开发边界内": ("urban_boundary", {"relation": "overlaps"}),
    "城镇开发边界外": ("urban_boundary", {"relation": "outside"}),
    "优先保护单元": ("control_unit", {"unit_class": "优先保护"}),
    "重点管控单元": ("control_unit", {"unit_class": "重点管控"}),
    "一般管控单元": ("control_unit", {"unit_class": "一般管控"}),
    "长江一公里化工": ("bank_line", {"river": "长江", "within_m": 1000, "activity": "C26"}),
    "长江三公里尾矿库": ("bank_line", {"river": "长江", "within_m": 3000, "activity": "B"}),
    "岸线保护区": ("shoreline_zone", {"function": "岸线保护区"}),
    "岸线开发利用区": ("shoreline_zone", {"function": "岸线开发利用区"}),
    "太湖一级保护区": ("taihu_zone", {"level": "一级"}),
    "太湖二级保护区": ("taihu_zone", {"level": "二级"}),
    "河道管理范围": ("river_management", {}),
    "堤防和护堤地": ("river_management", {"part": "护堤地"}),
    "蓝线": ("blue_line", {}),
    "缓冲带": ("buffer_strip", {}),
    "排污口": ("district", {"fact": "new_outfall"}),
    "污染地块": ("contaminated_parcel", {}),
    "一住两公": ("contaminated_parcel", {"land_use": "07"}),
    "地下水分区": ("groundwater_zone", {"zone": "防控区"}),
    "地下水禁采区": ("groundwater_zone", {"zone": "禁采区"}),
    "声环境功能区": ("noise_zone", {}),
    "噪声敏感建筑物集中区": ("noise_sensitive_area", {}),
    "交通干线两侧": ("traffic_line", {"within_m": 50}),
    "水产禁养区": ("breeding_zone", {"subject": "水产", "zone": "禁养区"}),
    "水产限养区": ("breeding_zone", {"subject": "水产", "zone": "限养区"}),
    "畜禽禁养区": ("breeding_zone", {"subject": "畜禽", "zone": "禁养区"}),
    "国控站点5公里": ("monitoring_station", {"grade": "国控", "within_m": 5000}),
    "园区外化工": ("industrial_park", {"relation": "outside", "activity": "C26"}),
    "历史文化街区": ("historic_area", {}),
    "湿地": ("wetland", {}),
    "生态廊道": ("ecological_corridor", {}),
    "轨道站点500米": ("metro_station", {"within_m": 500}),
    "易涝点": ("flood_prone_point", {}),
    "地质灾害点": ("geological_hazard", {}),
}


def fits(rule, wanted):
    places = dict(rule.where)
    groups = (*rule.when, *rule.unless)
    checks = {
        "relation": lambda value: rule.relation == value,
        "within_m": lambda value: rule.within_m == value,
        "fact": lambda value: any(value in dict(group.facts) for group in groups),
        "activity": lambda value: any(value in group.activity for group in groups),
        "land_use": lambda value: any(value in group.land_use for group in groups),
    }
    # A column that a rule does not name is any value of it.
    return all(
        checks[key](value) if key in checks else key not in places or value in places[key]
        for key, value in wanted.items()
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_rule(family):
    kind, wanted = FAMILIES[family]
    assert [rule.id for rule in RULES if rule.layer == kind and fits(rule, wanted)]


def test_a_family_that_nothing_fits_is_found_out():
    assert not [
        r for r in RULES if r.layer == "bank_line" and fits(r, {"river": "长江", "within_m": 3000, "fact": "x"})
    ]
    assert not [r for r in RULES if r.layer == "monitoring_station" and fits(r, {"grade": "国控", "within_m": 4999})]


def test_the_canal_zone_is_a_polygon_and_never_a_buffer():
    canal = [rule for rule in RULES if "大运河" in rule.cite.instrument]
    assert canal and {(rule.relation, rule.layer) for rule in canal} == {("overlaps", "canal_zone")}
    assert not [rule for rule in RULES if rule.layer == "bank_line" and rule.within_m == 2000 and "运河" in rule.title]


@pytest.mark.parametrize("name", es.list_plans())
def test_every_kind_a_rule_needs_is_held_or_declared_with_whom_to_ask(name):
    plan = es.open_plan(name)
    for kind in {rule.layer for rule in plan.rules}:
        layers = plan.of_kind(kind)
        assert layers, kind
        for layer in layers:
            assert layer.source.publisher and layer.source.title, layer.name
            assert layer.present != "held" or layer.status in ("schematic", "public", "official")


def test_each_pack_is_there_and_each_district_has_its_own():
    packs = {path.stem for path in data_folder("layers").glob("packs/*.yaml")}
    assert packs == {"national", "taihu", "yangtze", "jiangsu", "changzhou", "nanjing", *PLANS}
