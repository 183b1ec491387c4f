"""Rule packs: what is understood, and that everything else is refused with file, rule and key."""

from __future__ import annotations

import datetime as dt
import re

import pytest

import ecospatial as es
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
    assert all(problem.file == "own.yaml" and problem.problem for problem in caught.value.problems)


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
