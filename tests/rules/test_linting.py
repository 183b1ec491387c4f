"""rules lint and rules coverage: rules that can be read and still are wrong, and what a plan can answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_plans import BANK, district, layer, plan_folder, rule
from shipped_plan import PLANS

from ecospatial import cli
from ecospatial.plans import data_folder
from ecospatial.rules import Condition, implies, lint, read_pack

NEW = {"works": ["new"]}


@pytest.fixture
def run(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


def linted(tmp_path, *rules, **options):
    import yaml

    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(list(rules), allow_unicode=True), encoding="utf-8")
    return lint(read_pack(path), **options)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"when": [{"activity": ["C26"]}, {"activity": ["C2614"], "works": ["new"]}]}, "永远不起作用"),
        ({"when": {"activity": ["C26", "C2614"]}}, "C2614 已被更短的代码包含"),
        ({"when": {"activity": ["C26", "C26"]}}, "重复"),
        ({"when": {"works": ["new", "expansion", "alteration", "existing", "change_of_use"]}}, "全部建设性质"),
        ({"when": NEW, "unless": {"works": ["existing"]}}, "例外永远不会成立"),
        ({"when": {"new_outfall": True}, "unless": {"new_outfall": False}}, "例外永远不会成立"),
        ({"when": NEW, "unless": {"works": ["new", "expansion"]}}, "effect 永远不会出现"),
        ({"effect": "restricted", "unless": {"new_outfall": True}}, "unless 不起作用"),
        ({"when": {"land_use": ["99"]}}, "没有 99"),
        ({"when": [{"works": ["new"]}, {"works": ["new"], "area_m2_at_least": 5000}]}, "永远不起作用"),
        ({"when": [{"area_m2_at_least": 100}, {"area_m2_at_least": 5000}]}, "永远不起作用"),
        ({"when": {"area_m2_at_least": 5000}, "unless": {"area_m2_at_least": 100}}, "effect 永远不会出现"),
        ({"effect": "duty", "due": "2031-01-01", "until": "2030-12-31"}, "永远不会逾期"),
        ({"yields_to": ["NONE"]}, "NONE"),
        ({"yields_to": ["R1"]}, "R1"),
    ],
)
def test_what_never_decides_is_a_fault(tmp_path, keys, words):
    (remark,) = linted(tmp_path, rule("R1", **keys))
    assert remark.fault and remark.rule_id == "R1" and words in remark.text


@pytest.mark.parametrize(
    "keys",
    [
        {"when": [{"activity": ["C26"], "works": ["new"]}, {"stores_hazardous": True}]},
        {"when": NEW, "unless": {"national_key_project": True}},
        {"when": {"activity": ["C26"]}, "unless": {"activity": ["C2614"]}},
        {"when": {"land_use": ["07", "0801", "工业用地"]}},
        {"when": [{"works": ["new"]}, {"area_m2_at_least": 5000}]},
        {"when": {"area_m2_at_least": 100}, "unless": {"area_m2_at_least": 5000}},
        {"effect": "duty", "due": "2030-12-31", "until": "2030-12-31"},
        {"not_stated": ["distance"], "within_m": ...},
    ],
)
def test_what_decides_is_none(tmp_path, keys):
    assert linted(tmp_path, rule("R1", **keys)) == []


def test_the_same_rule_twice_and_a_gap_between_versions(tmp_path):
    (twin,) = linted(tmp_path, rule("R1"), rule("R2"))
    assert twin.fault and "R1" in twin.text and twin.rule_id == "R2"
    assert linted(tmp_path, rule("R1", until="2012-01-01"), rule("R2", since="2012-01-02")) == []
    assert linted(tmp_path, rule("R1", not_stated=["list"]), rule("R2")) == []
    assert linted(tmp_path, rule("R1", due="2030-01-01"), rule("R2", due="2031-01-01")) == []
    (twin,) = linted(tmp_path, rule("R1", due="2030-01-01"), rule("R2", due="2030-01-01"))
    assert twin.fault
    (gap,) = linted(tmp_path, rule("R1", until="2012-01-01"), rule("R1", since="2012-01-03"))
    assert not gap.fault and "2012-01-01" in gap.text


def test_two_packs_with_one_id_on_one_day(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    found = linted(tmp_path / "a", rule("R1")), linted(tmp_path / "b", rule("R1", title="又"))
    assert found == ([], [])
    both = [*read_pack(tmp_path / "a" / "own.yaml"), *read_pack(tmp_path / "b" / "own.yaml")]
    assert [remark.fault for remark in lint(both)] == [True]


def test_kinds_and_values_that_nothing_has(tmp_path):
    near = rule("R1", where={"river": ["新孟河", "新盂河"]})
    remarks = linted(tmp_path, near, kinds={"district"}, values={("bank_line", "river"): {"新孟河"}})
    assert [(remark.fault, "新盂河" in remark.text) for remark in remarks] == [(True, False), (False, True)]


def test_names_that_layers_hold_count_by_their_meaning(tmp_path):
    near = rule("R1", where={"river": ["京杭运河", "新孟河"]})
    (remark,) = linted(tmp_path, near, values={("bank_line", "river"): {"京杭运河（常州段）", "新孟河支河"}})
    assert "没有 新孟河" in remark.text


AREAS = st.one_of(st.none(), st.floats(1, 1e6))


@given(AREAS, AREAS, st.floats(1, 1e6))
def test_least_area_that_implies_another_holds_of_every_site_of_which_it_holds(left, right, area_m2):
    holds = [limit is None or area_m2 >= limit for limit in (left, right)]
    if implies(Condition(area_m2_at_least=left), Condition(area_m2_at_least=right)):
        assert holds[1] or not holds[0]
    else:
        assert right is not None
        assert left is None or left < right


def test_an_unless_with_no_code_is_not_implied():
    assert not implies(Condition(works=("new",)), Condition(activity=("C26",)))
    assert implies(Condition(activity=("C2614",), works=("new",)), Condition(activity=("C26",)))


def test_shipped_packs_have_no_fault():
    rules = [rule for path in sorted(data_folder("layers").glob("packs/*.yaml")) for rule in read_pack(path)]
    assert [remark for remark in lint(rules) if remark.fault] == []


def test_lint_command(run, tmp_path):
    code, out, _ = run("rules", "lint")
    assert code == (2 if "错误  " in out else 0)
    assert "提示" in out and "共 " in out
    folder = plan_folder(tmp_path / "p", [district_of(tmp_path)], [rule("OWN", yields_to=["TH30-6"])])
    code, out, _ = run("rules", "lint", "--plan", folder)
    assert code == 2 and "OWN" in out and "bank_line" in out and "TH30-6" not in out


def district_of(folder):
    (folder / "p").mkdir(exist_ok=True)
    return district(folder / "p")


def test_coverage_command(run, tmp_path):
    folder = tmp_path / "p"
    entries = [district_of(tmp_path), layer(folder, "bank_line", BANK, columns={"river": ["新孟河"]})]
    entries.append({"kind": "control_zone", "present": "missing", "source": {"publisher": "某局", "title": "管控区"}})
    cite = {"instrument": "条例", "number": None, "article": None, "verified": False}
    rules = [
        rule("HELD"),
        rule("GUESS", within_m=5, cite=cite),
        rule("ZONE", relation="overlaps", layer="control_zone"),
        rule("NOWHERE", relation="overlaps", layer="farmland"),
        rule("OLD", until="2012-01-01", within_m=7),
    ]
    plan_folder(folder, entries, rules)
    code, out, _ = run("rules", "coverage", "--plan", folder, "--on", "2026-11-20")
    lines = out.splitlines()
    assert code == 0
    assert "有效规则 4 条" in lines[0]
    assert "可以判定 1 条：HELD" in lines and "规则未核实 1 条：GUESS" in lines
    assert "数据缺失 2 条：ZONE、NOWHERE" in lines
    assert lines[lines.index("向某局取得：") + 1].strip() == "生态空间管控区域：管控区（ZONE）"
    assert "向主管部门取得：" in lines


@pytest.mark.parametrize("name", PLANS)
def test_coverage_of_shipped_plans(run, name):
    code, out, _ = run("rules", "coverage", "--plan", name, "--on", "2026-11-20")
    assert code == 0 and "可以判定" in out and "取得：" in out
