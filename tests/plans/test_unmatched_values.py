"""Values that rules look for and no feature carries: each is listed until the owner of the data answers."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_plans import BANK, ZONE, district, layer, plan_folder, rule, worked_example, zone_plan

import ecospatial as es
from ecospatial import cli
from ecospatial.plans import unmatched_problems, unmatched_values

DAY = dt.date(2026, 11, 20)


def values(folder, on=DAY, **keys):
    return unmatched_values(es.open_plan(folder), on, **keys)


def test_each_value_is_listed_once_with_its_rules_and_the_nearest_names(tmp_path):
    rules = [rule(id_, where={"river": ["京杭运河", "采菱港"]}) for id_ in ("R1", "R2")]
    rules.append(rule("R3", where={"river": ["望虞河"]}, until="2026-11-19"))
    columns = {"river": ["京杭运河常州段", "采菱港（武进）"]}
    (found,) = values(worked_example(tmp_path, rules, geometry=[BANK, BANK], columns=columns))
    assert (found.rule_ids, found.kind, found.column, found.value) == (("R1", "R2"), "bank_line", "river", "京杭运河")
    assert found.nearest[0] == "京杭运河常州段"
    assert found.possible == ("京杭运河常州段",)
    (problem,) = unmatched_problems([found])
    assert "规则 R1、R2" in problem.message
    assert "absent: {river: [京杭运河]}" in problem.hint


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({}, ["望虞河", "太浦河"]),
        ({"absent": {"river": ["望虞河"]}}, ["太浦河"]),
        ({"absent": {"river": ["望虞河", "太浦河"]}}, []),
        ({"columns": {"river": ["望虞"]}, "vocabulary": {"river": {"望虞": "望虞河"}}}, ["新孟河", "太浦河"]),
    ],
)
def test_owner_answers_with_vocabulary_or_absent(tmp_path, answer, left):
    assert [found.value for found in values(worked_example(tmp_path, **{"absent": {}} | answer))] == left


def test_name_mapped_to_itself_means_nothing_else(tmp_path):
    columns = {"river": ["新孟河支河"]}
    only = {"vocabulary": {"river": {"新孟河支河": "新孟河支河"}}}
    assert values(worked_example(tmp_path / "a", columns=columns))[0].possible == ("新孟河支河",)
    assert values(worked_example(tmp_path / "b", columns=columns, **only))[0].possible == ()


def test_value_has_to_be_absent_in_every_layer_of_the_kind(tmp_path):
    near = rule("R1", where={"river": ["望虞河"]})
    columns = {"river": ["新孟河"]}
    first = layer(tmp_path, "bank_line", BANK, name="a", columns=columns, absent={"river": ["望虞河"]})
    second = layer(tmp_path, "bank_line", BANK, name="b", columns=columns)
    assert [x.value for x in values(plan_folder(tmp_path, [district(tmp_path), first, second], near))] == ["望虞河"]
    second["absent"] = {"river": ["望虞河"]}
    assert values(plan_folder(tmp_path, [district(tmp_path), first, second], near)) == []


def test_types_and_answers_are_compared_letter_by_letter(tmp_path):
    over = rule("Z", relation="overlaps", layer="control_zone", where={"zone_type": ["湿地公园", "重要湿地"]})
    (found,) = values(zone_plan(tmp_path / "a", over, columns={"zone_type": ["湿地公园"]}))
    assert (found.value, found.possible) == ("重要湿地", ())
    core = rule("C", relation="overlaps", layer="eco_redline", where={"core": [True]})
    entry = layer(tmp_path, "eco_redline", [ZONE, ZONE], columns={"core": ["否", None]})
    assert [x.value for x in values(plan_folder(tmp_path, [entry], core))] == ["true"]
    entry["absent"] = {"core": [True]}
    assert values(plan_folder(tmp_path, [entry], core)) == []
    entry = layer(tmp_path, "eco_redline", [ZONE, ZONE], columns={"core": ["是", None]})
    assert values(plan_folder(tmp_path, [entry], core)) == []


def test_kinds_without_a_usable_layer_are_left_out(tmp_path):
    over = rule("Z", relation="overlaps", layer="control_zone", where={"zone_type": ["重要湿地"]})
    assert values(zone_plan(tmp_path / "a", over, present="missing")) == []
    assert values(zone_plan(tmp_path / "b", over, present="none")) == []
    folder = zone_plan(tmp_path / "c", over)
    assert len(values(folder)) == 1
    assert values(folder, kind="bank_line") == []
    (folder / "control_zone.gpkg").unlink()
    assert values(folder) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["望虞河", "望虞河支河", "太浦河", "采菱港", "无名"]), min_size=1, max_size=4))
def test_only_values_without_a_feature_are_listed(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("p")
    found = values(worked_example(folder, geometry=[BANK] * len(names), columns={"river": names}, absent={}))
    assert [x.value for x in found] == [x for x in ("新孟河", "望虞河", "太浦河") if x not in names]
    possible = {x.value: x.possible for x in found}
    assert possible["新孟河"] == ()
    if "望虞河" in possible:
        assert possible["望虞河"] == (("望虞河支河",) if "望虞河支河" in names else ())


@pytest.mark.parametrize(
    ("call", "code"), [(["plan", "validate"], 2), (["rules", "coverage", "--on", "2026-11-20", "--plan"], 0)]
)
def test_validate_and_coverage_print_them(tmp_path, capsys, call, code):
    with pytest.raises(SystemExit) as end:
        cli.main([*call, str(worked_example(tmp_path, absent={}))])
    assert end.value.code == code
    output = capsys.readouterr().out
    assert "“望虞河”（规则 TH30-6）" in output
    assert "absent: {river: [望虞河]}" in output
