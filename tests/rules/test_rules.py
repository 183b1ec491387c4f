"""Rule packs: what is understood, and that everything else is refused with file, rule and key."""

from __future__ import annotations

import datetime as dt
import re

import pytest

import ecospatial as es
from ecospatial.model import KINDS
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

GOOD = """\
- id: TH30-6
  title: 示例
  effect: prohibited
  relation: near
  layer: bank_line
  where: {river: [新孟河]}
  within_m: 1000
  when: [{activity: [C26, "2710"], works: [new]}, {stores_hazardous: true}]
  unless: {national_key_project: true}
  since: 2011-11-01
  until: "2030-12-31"
  cite: {instrument: 条例, number: 第604号, article: 第三十条, verified: 2026-11-20}
"""


def read(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return read_pack(path)


def test_a_rule_is_read_whole(tmp_path):
    (rule,) = read(tmp_path, GOOD)
    assert (rule.id, rule.effect, rule.relation, rule.layer, rule.within_m) == (
        "TH30-6", "prohibited", "near", "bank_line", 1000,
    )  # fmt: skip
    assert rule.where == (("river", ("新孟河",)),)
    assert rule.when[0].activity == ("C26", "C2710")
    assert rule.when[1].facts == (("stores_hazardous", True),)
    assert rule.effect_unless == "restricted"
    assert (rule.since, rule.until) == (dt.date(2011, 11, 1), dt.date(2030, 12, 31))
    assert rule.cite.verified == dt.date(2026, 11, 20)
    assert rule.pack == "own"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: 示例", "title: 示例\n  titel: x", ["titel", "不认识的键", "TH30-6"]),
        ("title: 示例", "title: 示例\n  title: 又", ["title", "重复"]),
        ("effect: prohibited", "effect: forbidden", ["effect", "forbidden", "restricted"]),
        ("relation: near", "relation: touches", ["relation", "touches"]),
        ("relation: near", "relation: overlaps", ["overlaps", "面图层"]),
        ("layer: bank_line", "layer: banks", ["layer", "banks"]),
        ("river: [新孟河]", "rivers: [新孟河]", ["rivers", "没有这一列", "river"]),
        ("river: [新孟河]", "side: [中]", ["side", "左岸"]),
        ("river: [新孟河]", "river: []", ["至少要有一个值"]),
        ("  within_m: 1000\n", "", ["within_m", "需要"]),
        ("within_m: 1000", "within_m: -5", ["within_m", "-5"]),
        ("within_m: 1000", "within_m: .inf", ["within_m"]),
        ("within_m: 1000", "within_m: 1000\n  upstream_m: 5", ["upstream_m", "不用此键"]),
        ("works: [new]", "works: [newer]", ["works", "newer"]),
        ("works: [new]", "land_use: [0701]", ["land_use", "0701", "引号"]),
        ("works: [new]", "land_use: [1001]", ["land_use", "1001", "引号"]),
        ("activity: [C26", "activity: [Z99", ["activity", "Z99"]),
        ("stores_hazardous: true", 'stores_hazardous: "False"', ["stores_hazardous", "true"]),
        ("stores_hazardous: true", "stores_hazardous: yes", ["stores_hazardous", "true"]),
        ("stores_hazardous: true", "on: true", ["on", "不认识的键"]),
        ("{stores_hazardous: true}", "{}", ["when"]),
        ("since: 2011-11-01", "since: 2011-13-01", ["since", "2011-13-01"]),
        ("since: 2011-11-01", "since: 20111101", ["since", "YYYY-MM-DD"]),
        ('until: "2030-12-31"', 'until: "2010-12-31"', ["until", "早于"]),
        (
            "  cite: {instrument: 条例, number: 第604号, article: 第三十条, verified: 2026-11-20}\n",
            "",
            ["cite", "缺少"],
        ),
        ("verified: 2026-11-20", "verified: true", ["verified", "日期"]),
        (", verified: 2026-11-20", "", ["verified", "缺少"]),
        ("instrument: 条例, ", "", ["instrument", "缺少"]),
        ("title: 示例", "title:", ["title", "不能为空"]),
        ("id: TH30-6", "id: 306", ["id", "引号"]),
        ("effect: prohibited", "effect: duty", ["unless", "duty 不用此键"]),
        (
            "  unless: {national_key_project: true}\n",
            "  not_stated: []\n",
            ["not_stated", "至少要有一个值", "distance"],
        ),
        ("within_m: 1000", "within_m: 1000\n  not_stated: [distance]", ["within_m", "没有写明距离"]),
        ("within_m: 1000", "within_m: 1000\n  not_stated: [width]", ["not_stated", "不认识 width"]),
        ("within_m: 1000", "within_m: 1000\n  not_stated: [list, list]", ["not_stated", "重复"]),
        (
            "relation: near\n  layer: bank_line\n  where: {river: [新孟河]}\n  within_m: 1000",
            "relation: overlaps\n  layer: blue_line\n  not_stated: [distance]",
            ["not_stated", "distance 只能用于 near"],
        ),
        ("since: 2011-11-01", "since: 2011-11-01\n  due: 2011-10-31", ["due", "早于"]),
        ("since: 2011-11-01", "since: 2011-11-01\n  due: soon", ["due", "YYYY-MM-DD"]),
        ("works: [new]", "area_m2_at_least: 0", ["area_m2_at_least", "大于 0"]),
        ("works: [new]", "area_m2_at_least: -1", ["area_m2_at_least", "-1"]),
        ("works: [new]", "area_m2_at_least: 5公顷", ["area_m2_at_least", "5公顷"]),
        ("verified: 2026-11-20", "verified: 2026-11-20, text: some", ["text", "some", "excerpt"]),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(es.RuleError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert message.startswith("own.yaml")
    for word in words:
        assert word in message
    assert all(problem.file == "own.yaml" and problem.message for problem in caught.value.problems)


DUTY = """\
- id: D1
  title: 示例
  effect: duty
  relation: near
  layer: bank_line
  not_stated: [distance, list]
  when: {area_m2_at_least: 20000, works: [change_of_use]}
  since: 2011-11-01
  due: 2027-06-30
  cite: {instrument: 条例, article: 第一条, verified: 2026-11-20, text: excerpt}
"""


def test_duty_with_an_open_distance_is_read(tmp_path):
    (rule,) = read(tmp_path, DUTY)
    assert (rule.effect, rule.not_stated, rule.within_m, rule.due) == (
        "duty", ("distance", "list"), 0.0, dt.date(2027, 6, 30),
    )  # fmt: skip
    assert (rule.when[0].area_m2_at_least, rule.when[0].works) == (20000.0, ("change_of_use",))
    assert rule.cite.text == "excerpt"
    (plain,) = read(tmp_path, GOOD)
    assert (plain.not_stated, plain.due, plain.cite.text, plain.when[0].area_m2_at_least) == ((), None, None, None)


@pytest.mark.parametrize("key", ["unless: {works: [existing]}", "effect_unless: restricted"])
def test_duty_takes_no_exception(tmp_path, key):
    with pytest.raises(es.RuleError, match="duty 不用此键"):
        read(tmp_path, DUTY + f"  {key}\n")


@pytest.mark.parametrize("layer", [kind.name for kind in KINDS.values()])
def test_along_river_takes_every_point_that_lies_on_a_river(tmp_path, layer):
    text = GOOD.replace("relation: near", "relation: along_river").replace("  where: {river: [新孟河]}\n", "")
    text = text.replace("within_m: 1000", "upstream_m: 1000\n  downstream_m: 100").replace("bank_line", layer)
    if layer in ("intake", "outfall", "monitoring_section", "river_source"):
        (rule,) = read(tmp_path, text)
        assert (rule.upstream_m, rule.downstream_m) == (1000, 100)
    else:
        with pytest.raises(es.RuleError, match=r"along_river|raster_above"):
            read(tmp_path, text)


def test_all_faults_are_said_at_once_with_their_lines(tmp_path):
    broken = GOOD.replace("effect: prohibited", "effect: x").replace("layer: bank_line", "layer: y")
    with pytest.raises(es.RuleError) as caught:
        read(tmp_path, broken)
    assert [problem.row for problem in caught.value.problems] == [3, 5]


@pytest.mark.parametrize("text", ["", "a: 1", "- 5", "- [", "- id: *x", "a\x00b", "--- 1\n--- 2"])
def test_files_that_are_no_pack(tmp_path, text):
    with pytest.raises(es.RuleError):
        read(tmp_path, text)


def test_a_pack_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(es.RuleError, match="无法读取"):
        read_pack(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("标题".encode("gbk"))
    with pytest.raises(es.RuleError, match="UTF-8"):
        read_pack(tmp_path / "gbk.yaml")


def test_one_id_twice_for_the_same_day(tmp_path):
    later = GOOD.replace("since: 2011-11-01", "since: 2030-12-31").replace('  until: "2030-12-31"\n', "")
    with pytest.raises(es.RuleError, match="2030-12-31 有两条同时有效"):
        read(tmp_path, GOOD + later)
    assert len(read(tmp_path, GOOD + later.replace("2030-12-31", "2031-01-01"))) == 2


@pytest.mark.parametrize("path", sorted(data_folder("layers").glob("packs/*.yaml")), ids=lambda path: path.stem)
def test_shipped_packs(path):
    rules = read_pack(path)
    assert rules
    for rule in rules:
        assert rule.cite.instrument
        assert not re.search(r"[\r\n]", rule.title)
        # A clause that was read can be pointed to.
        assert not rule.verified or rule.cite.article
