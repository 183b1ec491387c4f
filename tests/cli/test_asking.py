"""check --ask and --activity: names of activities, and just the questions that can still change a verdict."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import random

import geopandas as gpd
import made_cases
import pytest
from made_plans import TH30, district, layer, plan_folder, rule, square, worked_example

from ecospatial import cli
from ecospatial.cli import ask
from ecospatial.model import ACTIVITIES, EVERYDAY_NAMES, FACTS, LAND_USES, WORKS, activity_code, search_activities
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

ON = "2026-11-20"
RULES = [rule for path in sorted(data_folder("layers").glob("packs/*.yaml")) for rule in read_pack(path)]
NEAR, FAR = square(600), square(4000)


@pytest.fixture
def check(capsys, monkeypatch):
    def call(folder, site, *options, answers=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        with pytest.raises(SystemExit) as end:
            cli.main([
                "check", "--wkt", site.wkt, "--crs", "EPSG:4549", "--plan", str(folder), "--on", ON,
                "--format", "json", *options,
            ])  # fmt: skip
        out, err = capsys.readouterr()
        found = json.loads(out) if out else None
        verdicts = {f["rule_id"]: f["verdict"] for f in found["findings"]} if found else {}
        return end.value.code, verdicts, err, found

    return call


def questions(err):
    return [line for line in err.splitlines() if line.startswith("地块")]


def test_divisions_and_sections_are_complete():
    divisions = sorted(code[1:] for code in ACTIVITIES if len(code) == 3)
    assert divisions == [f"{number:02d}" for number in range(1, 98)]
    assert sorted(code for code in ACTIVITIES if len(code) == 1) == list("ABCDEFGHIJKLMNOPQRST")
    assert all(activity_code(code) == code for code in ACTIVITIES)
    # A group stands under the division it begins with.
    assert all(code[:3] in ACTIVITIES for code in ACTIVITIES if len(code) > 3)
    assert ACTIVITIES["C26"] == "化学原料和化学制品制造业" and ACTIVITIES["T97"] == "国际组织"
    assert all(code in ACTIVITIES for codes in EVERYDAY_NAMES.values() for code in codes)


def test_every_code_that_a_rule_names_has_a_name():
    conditions = [condition for one in RULES for condition in (*one.when, *one.unless)]
    assert {code for condition in conditions for code in condition.activity} <= set(ACTIVITIES)
    uses = {use for condition in conditions for use in condition.land_use}
    assert uses and uses <= set(LAND_USES.values()) | set(LAND_USES)


def test_land_uses_have_codes_of_two_or_four_digits():
    assert all(code.isdigit() and len(code) in (2, 4) for code in LAND_USES.values())
    assert {code[:2] for code in LAND_USES.values()} == {f"{number:02d}" for number in range(1, 25)}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("化工", ("C26",)),
        ("C2614", ("C2614",)),
        ("2614", ("C2614",)),
        ("医药制造业", ("C27",)),
        ("养殖", ("A03", "A041")),
        ("屠宰", ("C1351", "C1352")),
        ("占卜", ()),
        ("业", ()),
        ("橡胶", ("C29",)),
        ("房地产业", ("K70",)),
    ],
)
def test_what_people_call_an_activity(text, codes):
    assert search_activities(text) == codes


def test_activity_by_everyday_name(check, tmp_path):
    folder = worked_example(tmp_path / "p")
    code, verdicts, err, _ = check(folder, NEAR, "--activity", "化工", "--works", "new")
    assert code == 0 and verdicts == {"TH30-6": "prohibited"}
    assert "C26 化学原料和化学制品制造业" in err
    assert check(folder, NEAR, "--activity", "C26", "--works", "new")[2].count("处理") == 0
    assert check(folder, NEAR, "--activity", "住宅；化工", "--works", "new")[1] == {"TH30-6": "prohibited"}


@pytest.mark.parametrize(("name", "words"), [("养殖", ["A03 畜牧业", "A041 水产养殖"]), ("炼丹", ["炼丹", "C26"])])
def test_an_activity_that_is_not_clear_is_refused_with_candidates(check, tmp_path, name, words):
    code, verdicts, err, _ = check(worked_example(tmp_path / "p"), NEAR, "--activity", name)
    assert code == 2 and not verdicts
    for word in words:
        assert word in err


def test_answers_decide(check, tmp_path):
    folder = worked_example(tmp_path / "p")
    code, verdicts, err, found = check(folder, NEAR, "--ask", answers="新建\n化工\n")
    assert code == 0 and verdicts == {"TH30-6": "prohibited"}
    assert len(questions(err)) == 2
    assert found["sites"][0]["activity"] == ["C26"] and found["sites"][0]["works"] == ["new"]
    assert any("由使用者回答" in notice and "新建" in notice for notice in found["meta"]["notices"])


def test_an_answer_that_settles_it_ends_the_questions(check, tmp_path):
    _, verdicts, err, _ = check(worked_example(tmp_path / "p"), NEAR, "--ask", answers="现有\n")
    assert verdicts == {"TH30-6": "not_applicable"} and len(questions(err)) == 1


def test_nothing_is_asked_where_nothing_is_touched_or_open(check, tmp_path):
    folder = worked_example(tmp_path / "p")
    assert questions(check(folder, FAR, "--ask")[2]) == []
    assert questions(check(folder, NEAR, "--ask", "--activity", "C26", "--works", "new")[2]) == []


def test_the_end_of_the_input_stops_asking(check, tmp_path):
    code, verdicts, err, found = check(worked_example(tmp_path / "p"), NEAR, "--ask")
    assert code == 0 and verdicts == {"TH30-6": "needs_facts"}
    assert len(questions(err)) == 1 and "不再提出" in err
    assert not any("回答" in notice for notice in found["meta"]["notices"])


def test_not_known_and_not_understood(check, tmp_path):
    folder = worked_example(tmp_path / "p")
    _, verdicts, err, _ = check(folder, NEAR, "--ask", answers="\n养殖\n没有\nC26\n")
    assert verdicts == {"TH30-6": "needs_facts"}
    assert "A03 畜牧业" in err and "找不到行业 没有" in err


def exception_plan(folder, **keys):
    return worked_example(folder, [rule("R", unless={"national_key_project": True}, **keys), TH30])


def test_an_exception_is_asked_for_because_it_has_to_be_claimed(check, tmp_path):
    folder = exception_plan(tmp_path / "p", when={"works": ["new"]})
    options = ("--ask", "--works", "new", "--activity", "K70")
    assert check(folder, NEAR, *options, answers="是\n")[1] == {"R": "restricted", "TH30-6": "not_applicable"}
    assert check(folder, NEAR, *options, answers="也许\n否\n")[1]["R"] == "prohibited"
    assert check(folder, NEAR, *options, answers="\n")[1]["R"] == "prohibited"


def test_land_use_is_asked_for_and_each_site_by_itself(check, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    zone = layer(folder, "contaminated_parcel", NEAR.buffer(50), columns={"listed_on": ["2020-01-01"]})
    own = rule("S", relation="overlaps", layer="contaminated_parcel", when={"land_use": ["07"]})
    plan_folder(folder, [district(folder), zone], own)
    assert check(folder, NEAR, "--ask", answers="没有这种用地\n城镇住宅用地\n")[1] == {"S": "prohibited"}
    assert check(folder, NEAR, "--ask", answers="1001\n")[1] == {"S": "not_applicable"}


# ------------------------------------------------------- just the questions that can still change a verdict, by trying

KEYS = ("activity", "works", "land_use", *FACTS)


def wanted(conditions):
    """The groups of a rule as tests/fixtures/made_cases.py reads them, with logic of its own."""
    for condition in conditions:
        values = {"activity": condition.activity, "works": condition.works, "land_use": condition.land_use}
        yield {key: list(found) for key, found in values.items() if found} | dict(condition.facts)


def verdict(rule, project):
    if rule.when and made_cases.any_holds(list(wanted(rule.when)), project) is False:
        return "not_applicable"
    if not rule.verified:
        return "needs_facts"
    if rule.unless and made_cases.any_holds(list(wanted(rule.unless)), project):
        return rule.effect_unless
    return rule.effect


def values_of(rule):
    """For each key that a rule names, the values it names and one beside them."""
    found = {}
    for group in (*wanted(rule.when), *wanted(rule.unless)):
        for key, value in group.items():
            found.setdefault(key, set()).update(value if isinstance(value, list) else [value, not value])
    beside = {"activity": ["T97"], "works": list(WORKS), "land_use": ["16"]}
    return {key: sorted({*values, *beside.get(key, [])}) for key, values in found.items()}


def can_change(rule, known):
    """The unknown keys of which one answer and another, all else the same, give another verdict."""
    options = {key: [known[key]] if key in known else values for key, values in values_of(rule).items()}
    keys, found = [key for key in options if key not in known], set()
    for key in keys:
        others = [name for name in options if name != key]
        for fixed in itertools.product(*(options[name] for name in others)):
            base = dict(zip(others, fixed, strict=True))
            if len({verdict(rule, base | {key: value}) for value in options[key]}) > 1:
                found.add(key)
                break
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_questions_are_those_whose_answer_can_change_a_verdict(seed):
    drawn = random.Random(seed)  # noqa: S311 - the same sample each time is wanted
    asked = 0
    for shipped in drawn.sample(RULES, 40):
        # Long lists of sections and uses say the same as their first ones.
        short = [dataclasses.replace(c, activity=c.activity[:3], land_use=c.land_use[:2]) for c in shipped.when]
        one = dataclasses.replace(shipped, when=tuple(short))
        options = values_of(one)
        known = {key: drawn.choice(values) for key, values in options.items() if drawn.random() < 0.4}
        row = {key: known.get(key) for key in KEYS}
        site = gpd.GeoDataFrame([row], geometry=[NEAR], crs="EPSG:4549").astype(dict.fromkeys(KEYS, object))
        found = set(ask._open(site, [one]))
        assert found == can_change(one, known), (one.id, known)
        asked += len(found)
    assert asked >= 10


def test_of_several_rules_the_questions_are_asked_once_each(check, tmp_path):
    more = [TH30, rule("B", when={"works": ["new"], "new_outfall": True}), rule("C", when={"works": ["existing"]})]
    folder = worked_example(tmp_path / "p", more)
    code, verdicts, err, _ = check(folder, NEAR, "--ask", answers="新建\n住宅\n否\n")
    assert code == 0 and len(questions(err)) == 3
    assert set(verdicts.values()) == {"not_applicable"}


def test_of_a_duty_no_fact_is_asked(check, tmp_path):
    duty = rule("D", effect="duty", relation="overlaps", layer="district", when={"activity": ["C26"]})
    _, verdicts, err, _ = check(worked_example(tmp_path / "p", duty), NEAR, "--ask", answers="化工\n")
    assert verdicts == {"D": "duty"} and questions(err) == []


@pytest.mark.parametrize("name", ["新孟河延伸段", "新孟河支河"])
def test_what_the_owner_of_a_layer_has_to_say_is_not_asked_of_the_applicant(check, tmp_path, name):
    one = rule("R", where={"river": ["新孟河"]}, when={"activity": ["C26"]})
    folder = worked_example(tmp_path / "p", one, columns={"river": [name]}, absent={})
    _, verdicts, err, found = check(folder, NEAR, "--ask", answers="化工\n")
    assert verdicts == {"R": "needs_facts"} and questions(err) == []
    assert found["findings"][0]["open_by"] == "data_owner"


def test_an_unread_rule_asks_nothing(check, tmp_path):
    unread = rule("U", cite={**TH30["cite"], "verified": False}, when={"activity": ["C26"]})
    _, verdicts, err, _ = check(worked_example(tmp_path / "p", unread), NEAR, "--ask", answers="化工\n")
    assert verdicts == {"U": "unsettled"} and questions(err) == []


def test_several_kinds_of_works_are_one_answer(check, tmp_path):
    folder = worked_example(tmp_path / "p")
    _, verdicts, _, found = check(folder, NEAR, "--ask", answers="改建；扩建；拆除\n改建；扩建\n化工\n")
    assert verdicts == {"TH30-6": "prohibited"}
    assert found["sites"][0]["works"] == ["alteration", "expansion"]
    assert any("改建、扩建" in notice for notice in found["meta"]["notices"])
