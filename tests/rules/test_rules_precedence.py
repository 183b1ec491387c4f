"""yields_to: where special law applies to the same site, both rules say which gives way; verdicts stay."""

from __future__ import annotations

import json

import pytest
from made_plans import BANK, TH30, district, layer, plan_folder, rule, sites, square

import ecospatial as es

ON = "2026-11-20"
ZONE, NEAR, FAR = square(600).buffer(3000), square(600), square(2500)
OVER = rule("EMA", relation="overlaps", layer="control_zone", effect="restricted", yields_to=["TH30-6", "GONE"])
UNREAD = {"instrument": "条例", "number": None, "article": None, "verified": False}
WAY, FIRST = "TH30-6已适用，本条让位", "本条优先于EMA适用"


@pytest.fixture
def reasons(tmp_path):
    def give(site, *rules, on=ON):
        entries = [
            district(tmp_path),
            layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]}),
            layer(tmp_path, "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000",
                  absent={"river": ["望虞河", "太浦河"]}),
        ]
        plan = es.open_plan(plan_folder(tmp_path, entries, list(rules)))
        frame = es.check(site, plan, on=on).frame.set_index("rule_id")
        return frame.verdict.astype(str).to_dict(), frame.reason.to_dict()

    return give


def test_both_rules_say_which_gives_way_and_verdicts_stay(reasons):
    verdicts, texts = reasons(sites(NEAR, activity="C26", works="new"), OVER, TH30)
    assert verdicts == {"EMA": "restricted", "TH30-6": "prohibited"}
    assert WAY in texts["EMA"] and FIRST in texts["TH30-6"]
    assert "GONE" not in texts["EMA"]


@pytest.mark.parametrize(
    ("site", "special", "on", "verdict"),
    [
        (sites(FAR, activity="C26", works="new"), TH30, ON, "clear"),
        (sites(NEAR, activity="K70", works="new"), TH30, ON, "not_applicable"),
        (sites(NEAR, works="new"), TH30, ON, "needs_facts"),
        (sites(NEAR, activity="C26", works="new"), TH30 | {"cite": UNREAD}, ON, "unsettled"),
        (sites(NEAR, activity="C26", works="new"), TH30 | {"since": "2026-11-21"}, ON, "not_applicable"),
    ],
    ids=["out of reach", "not this project", "waits for an answer", "not read", "not in force"],
)
def test_nothing_gives_way_to_what_does_not_apply(reasons, site, special, on, verdict):
    verdicts, texts = reasons(site, OVER, special, on=on)
    assert verdicts == {"EMA": "restricted", "TH30-6": verdict}
    assert "让位" not in texts["EMA"] and "优先于" not in texts["TH30-6"]


def test_the_general_rule_that_does_not_reach_the_site_gives_no_way(reasons):
    other = OVER | {"where": {"zone_type": ["洪水调蓄区"]}}
    verdicts, texts = reasons(sites(NEAR, activity="C26", works="new"), other, TH30)
    assert verdicts == {"EMA": "no_data", "TH30-6": "prohibited"}
    assert "优先于" not in texts["TH30-6"]


def test_the_report_of_a_shipped_plan_says_which_rule_gave_way(tmp_path):
    plan = es.open_plan("changzhou-zhonglou")
    river = plan.frame("control_zone").geometry.iloc[0].representative_point().buffer(30)
    site = sites(river, activity="C26", works="new", stores_hazardous=True)
    findings = es.check(site.set_crs(plan.crs, allow_override=True), plan, on=ON)
    findings.write(tmp_path / "out", formats=("json", "html"))
    written = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    texts = {row["rule_id"]: row["reason"] for row in written["findings"]}
    assert "TH30-6" in texts["EMA"] and "本条让位" in texts["EMA"]
    assert "本条优先于EMA" in texts["TH30-6"]
    (page,) = (tmp_path / "out").glob("*.html")
    assert "本条让位" in page.read_text(encoding="utf-8")
