"""The plan of a district that does not exist: nobody can take it for a real one, and it shows every headline."""

import csv
import re

import pytest
import shapely
import yaml
from shipped_plan import ALL_PLANS, MADE_UP, PLANS, ROOT, shipped

import ecospatial as es
from ecospatial.model import CERTAINTIES, HEADLINES

PLAN = shipped(MADE_UP)
EXAMPLES = PLAN.folder / "examples"
RULES = yaml.safe_load((PLAN.folder / "rules.yaml").read_text(encoding="utf-8"))
DAY = (EXAMPLES / "day.txt").read_text(encoding="utf-8").strip()
FACTS = EXAMPLES / "facts.csv"


def stated():
    """What the README of the examples says of each site: the headline and its word of certainty."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| SL-")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: (*row[3].split("·"), "")[:2] for row in rows}


@pytest.fixture(scope="module")
def findings():
    plan = es.open_plan(MADE_UP)
    return es.check(es.read_sites(EXAMPLES / "sites.txt", plan=plan, facts=FACTS), plan, on=DAY)


# ------------------------------------------------------------------------------------ nobody takes it for real


def test_everything_in_it_says_that_it_is_made_up():
    assert "虚构" in PLAN.content["title"] and "不存在" in PLAN.content["title"]
    for kind, layer in PLAN.layers.items():
        assert "虚构" in layer["source"]["publisher"] and "虚构" in layer["source"]["title"], kind
        named = [properties["feature_name"] for properties, _ in PLAN.features(kind)]
        # The water between two banks is named after the river.
        assert kind == "bank_line" or all("虚构" in name for name in named), kind
    for rule in RULES:
        assert "虚构" in rule["title"] and "虚构" in rule["cite"]["instrument"], rule["id"]
    for about in (PLAN.folder / "README.md", EXAMPLES / "README.md"):
        assert "not exist" in about.read_text(encoding="utf-8"), about
    assert "虚构" in (EXAMPLES / "sites.txt").read_bytes().decode("gb18030")


def test_it_lies_in_the_open_sea_far_from_every_real_district():
    (west, south, east, north) = PLAN.features("bank_line")[0][1].union(PLAN.features("district")[0][1]).bounds
    # The coast between 连云港 and 射阳 runs from 119.3 E to 120.6 E at these latitudes.
    assert 121.2 < west < east < 121.75 and 34.3 < south < north < 34.9
    assert all(PLAN.district().distance(shipped(name).district()) > 200_000 for name in PLANS)


def test_its_rules_stand_in_no_pack():
    packs = (ROOT / "layers" / "packs").glob("*.yaml")
    shared = {rule["id"] for path in packs for rule in yaml.safe_load(path.read_text(encoding="utf-8"))}
    assert not {rule["id"] for rule in RULES} & shared
    assert PLAN.content["packs"] == ["./rules.yaml"]
    acts = {rule["cite"]["instrument"] for rule in RULES}
    assert acts == {"示例条例（虚构）"}


# ---------------------------------------------------------------------------------------- a plan that is complete


def test_no_layer_is_missing_and_none_is_drawn_by_hand():
    assert set(PLAN.held) == set(PLAN.layers) == {rule["layer"] for rule in RULES}
    for kind, layer in PLAN.layers.items():
        assert layer["status"] == "official" and 1 <= layer["accuracy_m"] <= 5, kind
        assert layer["accuracy_basis"] in ("measured", "stated"), kind
    assert es.open_plan(MADE_UP).validate() == []


def test_every_rule_is_read_and_leaves_nothing_open():
    assert 8 <= len(RULES) <= 12
    assert all(rule["cite"]["verified"] and "not_stated" not in rule for rule in RULES)
    assert {rule["effect"] for rule in RULES} == {"prohibited", "restricted", "duty"}
    values = {(r["layer"], c, v) for r in RULES for c, vs in r.get("where", {}).items() for v in vs}
    assert all(v in {p[c] for p, _ in PLAN.features(layer)} for layer, c, v in values)


def test_the_zones_keep_apart():
    parts = [
        (kind, geometry)
        for kind in ("eco_redline", "basic_farmland", "urban_boundary", "control_zone", "water_source_zone")
        for _, geometry in PLAN.in_metres(kind)
    ]
    for n, (kind, area) in enumerate(parts):
        assert PLAN.district().contains(area), kind
        assert all(area.intersection(other).area < 1 for _, other in parts[n + 1 :]), kind


def test_the_river_is_complete_as_far_as_its_layer_says():
    assert PLAN.layers["bank_line"]["coverage"] == "district+2000"
    ((_, water),) = PLAN.in_metres("bank_line")
    ends = [shapely.box(*water.bounds).bounds[side] for side in (0, 2)]
    west, _, east, _ = PLAN.district().bounds
    assert ends[0] < west - 2000 and ends[1] > east + 2000


@pytest.mark.parametrize(("name", "distance"), [("SL-01", 200), ("SL-02", 497), ("SL-03", 503)])
def test_sites_are_as_far_from_the_bank_as_they_say(name, distance):
    plan = es.open_plan(MADE_UP)
    sites = es.read_sites(EXAMPLES / "sites.txt", plan=plan, facts=FACTS)
    ((_, water),) = PLAN.in_metres("bank_line")
    assert sites.geometry[name].distance(water) == pytest.approx(distance, abs=0.05)


def test_one_question_is_left_unanswered():
    with FACTS.open(encoding="utf-8") as file:
        asked = [row["site_id"] for row in csv.DictReader(file) if row["discharges_to_water"] == ""]
    assert asked == ["SL-09"]


# ------------------------------------------------------------------------------------------- what it shows


def test_the_examples_read_as_their_readme_says(findings):
    summary = findings.summary
    shown = {
        site: (HEADLINES[row.headline].label, CERTAINTIES.get(row.certainty, "")) for site, row in summary.iterrows()
    }
    assert shown == {site: (label, word) for site, (label, word) in stated().items()}


def test_every_headline_is_shown_and_what_can_be_relied_on(findings):
    words = {tuple(words) for words in stated().values()}
    assert {label for label, _ in words} == {headline.label for headline in HEADLINES.values()}
    assert {("判定通过", "可靠"), ("判定不通过", "可靠"), ("判定不通过", "临界"), ("受限准入", "可靠")} <= words
    assert set(findings.summary.index) == set(stated())
    assert (findings.summary.n_missing == 0).all() and (findings.summary.n_unsettled == 0).all()
    assert (findings.summary.n_duty == 1).all()
    assert findings.summary.n_open.to_dict() == {site: int(site == "SL-09") for site in stated()}


def test_hits_and_misses_are_certain_where_the_margin_exceeds_the_accuracy(findings):
    frame = findings.frame.set_index(["site_id", "rule_id"])
    assert {site: str(frame.certainty[(site, "SL-HG")]) for site in ("SL-01", "SL-02", "SL-03")} == {
        "SL-01": "reliable", "SL-02": "marginal", "SL-03": "marginal",
    }  # fmt: skip
    assert frame.margin_m[("SL-02", "SL-HG")] == pytest.approx(3, abs=0.05)


def test_the_demo_takes_it_with_the_others():
    assert MADE_UP in es.list_plans() and es.list_plans() == ALL_PLANS
    text = (ROOT / "layers" / "README.md").read_text(encoding="utf-8")
    assert re.search(r"example-district/.*虚构", text)
