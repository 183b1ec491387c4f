"""The law of a day: what acts of 2025 and 2026 replaced ends on its day, successors begin, verified only where read."""

from __future__ import annotations

import datetime as dt

import pytest
from made_plans import sites

import ecospatial as es
from ecospatial import cli
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

RULES = [rule for path in sorted(data_folder("layers").glob("packs/*.yaml")) for rule in read_pack(path)]
DAY = dt.timedelta(days=1)
# Acts of 2025 and 2026, the day they came into force, rules that stood before under another act, rules they brought.
ACTS = [
    ("生态环境法典", "2026-08-15", ("DW-P", "DW1", "DW1T", "DW2", "DW3", "SP59", "SP61", "NS35"), ()),
    ("江苏省生态空间管控区域管理办法", "2026-03-01", ("EMA",), ()),
    ("自然保护区条例", "2026-03-15", ("NR1", "NR2"), ()),
    ("永久基本农田保护红线管理办法", "2025-10-01", (), ("FM-L17", "FM-K17")),
    ("城镇开发边界管理办法（试行）", "2026-02-28", (), ("UB-OUT",)),
    ("关于全面推进美丽南京建设的实施方案", "2025-02-13", (), ("NJ-FM", "NJ-AX", "NJ-PK")),
]
# Read in full, or in full as far as the cited articles go; of everything else only copies or reports were had.
READ = {
    "土地管理法", "基本农田保护条例", "关于加强生态保护红线管理的通知（试行）", "河道管理条例", "防洪法",
    "土壤污染防治法", "水污染防治法", "噪声污染防治法", "风景名胜区条例", "长江保护法", "太湖流域管理条例",
    "江苏省生态空间管控区域管理办法", "关于全面推进美丽南京建设的实施方案",
    "江苏省太湖水污染防治条例", "常州市水生态环境保护条例", "江苏省水利工程管理条例", "江苏省河道管理条例",
    "江苏省人民代表大会常务委员会关于促进大运河文化带建设的决定", "生态环境法典", "江苏省土壤污染防治条例",
    "江苏省人民代表大会常务委员会关于加强饮用水水源地保护的决定", "江苏省水污染防治条例", "江苏省生态环境保护条例",
    "江苏省湿地保护条例", "江苏省文物保护条例", "南京市长江岸线保护条例", "江苏省湖泊保护条例",
    "南京市长江桥梁隧道条例", "南京市人民代表大会常务委员会关于加强长江江豚保护的决定",
    "江苏省人民代表大会常务委员会关于促进和保障长江流域禁捕工作若干问题的决定",
    "南京市鼓楼区生态文明建设规划（2024-2030）", "鼓楼区2024年政府工作报告",
    "常州市钟楼区生态文明建设规划（2023-2030）", "常州市天宁区国家生态文明建设示范区规划（修编）（2024-2030年）",
}  # fmt: skip


def standing(day):
    found = [rule for rule in RULES if rule.in_force(day)]
    assert len({rule.id for rule in found}) == len(found)
    return {rule.id: rule for rule in found}


@pytest.mark.parametrize(("act", "since", "replaced", "brought"), ACTS, ids=[act for act, *_ in ACTS])
def test_what_an_act_replaced_ends_on_its_day(act, since, replaced, brought):
    day = dt.date.fromisoformat(since)
    before, after = standing(day - DAY), standing(day)
    for id_ in replaced:
        old, new = before[id_], after[id_]
        assert old.until == day - DAY and new.since == day
        assert (new.cite.instrument, new.cite.number) != (old.cite.instrument, old.cite.number)
        assert new.cite.instrument == act
    for id_ in brought:
        assert id_ not in before and after[id_].cite.instrument == act
    assert all(rule.since >= day for rule in RULES if rule.cite.instrument == act and rule.id not in replaced)


def test_verified_only_where_the_text_was_read():
    assert {rule.cite.instrument for rule in RULES if rule.verified} <= READ
    # The day of reading is after the act came into force and before the packs were shipped.
    assert all(rule.cite.verified >= dt.date(2026, 11, 1) for rule in RULES if rule.verified)


def test_a_rule_without_a_stated_width_decides_nothing():
    unstated = [rule for rule in RULES if any(word in rule.title for word in ("未载明", "待核实", "待取得"))]
    assert len(unstated) > 30
    assert [rule.id for rule in unstated if rule.verified and not rule.not_stated] == []


def test_what_a_text_leaves_open_has_no_invented_figure():
    left_open = [rule for rule in RULES if rule.not_stated]
    assert len(left_open) >= 22 and all(rule.verified for rule in left_open)
    assert [rule.id for rule in left_open if rule.within_m] == []
    assert all(rule.relation == "near" for rule in left_open if "distance" in rule.not_stated)
    # Sentences of plans, of a city's programme, and of acts whose text was at hand.
    words = ("规划", "方案", "条例")
    assert all(any(word in rule.cite.instrument for word in words) for rule in left_open)


def test_a_ban_is_no_duty():
    duties = [rule for rule in RULES if rule.effect == "duty"]
    assert len(duties) >= 30 and all(rule.verified and not rule.unless for rule in duties)
    words = ("禁止", "不得", "严禁", "禁设", "不予", "不再", "准入", "选址")
    assert [rule.id for rule in duties if any(word in rule.title for word in words)] == []
    # A duty holds wherever one builds, or wherever that trade belongs: never for a protected zone or a strip.
    assert {rule.layer for rule in duties} <= {"district", "urban_boundary", "industrial_park"}
    assert {rule.relation for rule in duties} == {"overlaps"}


def test_a_check_on_a_day_uses_the_law_of_that_day():
    plan = es.open_plan("nanjing-gulou")
    inside = plan.frame("contaminated_parcel").geometry.iloc[0].representative_point().buffer(5)
    site = sites(inside, activity="K70", works="new", land_use="0701").set_crs(plan.crs, allow_override=True)
    found = {}
    for day in ("2018-12-31", "2024-06-01", "2026-08-14", "2026-08-15"):
        frame = es.check(site, plan, on=day).frame.set_index("rule_id")
        found[day] = (str(frame.verdict["SP61"]), frame.instrument["SP61"], str(frame.verdict["NJ-TR"]))
    # NJ-TR: 宁政发〔2025〕16号 of 13 February 2025.
    assert found["2018-12-31"][0] == "not_applicable"
    assert found["2024-06-01"] == ("prohibited", "土壤污染防治法", "not_applicable")
    assert found["2026-08-14"] == ("prohibited", "土壤污染防治法", "prohibited")
    assert found["2026-08-15"] == ("prohibited", "生态环境法典", "prohibited")


def listed(capsys, day):
    with pytest.raises(SystemExit) as end:
        cli.main(["rules", "list", "--on", day])
    assert end.value.code == 0
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_rules_list_gives_the_law_of_the_day(capsys):
    then, now = listed(capsys, "2024-06-01"), listed(capsys, "2026-11-20")
    assert "水污染防治法" in then["DW1"] and "未核实" not in then["DW1"]
    assert "生态环境法典" in now["DW1"] and "未核实" not in now["DW1"]
    assert "UB-OUT" not in then and "UB-OUT" in now
    assert "江苏省生态空间管控区域规划" in then["EMA"] and "江苏省生态空间管控区域管理办法" in now["EMA"]
