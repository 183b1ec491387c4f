"""layers/packs/COVERAGE.md: every id it names exists, every rule and target is in it, every row has its answer."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml
from shipped_plan import PLANS

import ecospatial as es
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

LAYERS = data_folder("layers")
TEXT = (LAYERS / "packs" / "COVERAGE.md").read_text(encoding="utf-8")
RULES = {rule.id: rule for path in LAYERS.glob("packs/*.yaml") for rule in read_pack(path)}
TARGETS = {
    target["id"]
    for path in LAYERS.glob("*/targets.yaml")
    for target in yaml.safe_load(path.read_text(encoding="utf-8"))
}
# The answer is the last cell: ids, or why there is none.
ANSWER = re.compile(r"`[\w-]+`(, `[\w-]+`)*|(not spatial|missing): \S.*")


def sections():
    parts = re.split(r"(?m)^## (.+)$", TEXT)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(section):
    for line in section.splitlines():
        if line.startswith("|") and not re.fullmatch(r"\|[-| ]+\|", line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0] not in ("clause", "条款"):
                yield cells


ROWS = [(name, cells) for name, section in sections().items() for cells in rows(section)]
NAMED = Counter(id_ for _, cells in ROWS for id_ in re.findall(r"`([\w-]+)`", cells[-1]) if ":" not in cells[-1])


@pytest.mark.parametrize("name", list(sections()))
def test_every_document_has_its_rows(name):
    assert len([1 for section, _ in ROWS if section == name]) >= 10, name


def test_there_are_several_hundred_rows():
    assert len(ROWS) >= 300


def test_every_row_has_a_clause_what_it_controls_and_an_answer():
    wrong = [cells for _, cells in ROWS if len(cells) != 3 or not all(cells) or not ANSWER.fullmatch(cells[2])]
    assert wrong == []


def test_every_id_exists():
    assert sorted(set(NAMED) - set(RULES) - TARGETS) == []


def test_every_rule_is_in_it():
    assert sorted(set(RULES) - set(NAMED)) == []


def test_every_target_is_in_it():
    assert sorted(TARGETS - set(NAMED)) == []


@pytest.mark.parametrize("name", PLANS)
def test_an_example_site_of_each_district_has_20_rules_answered(name):
    plan = es.open_plan(name)
    folder = LAYERS / name / "examples"
    side = {".shx", ".dbf", ".prj", ".cpg"}
    files = sorted(path for path in folder.glob("sites.*") if path.suffix not in side)
    facts = folder / "facts.csv"
    sites = es.read_sites(files, plan=plan, facts=facts if facts.exists() else None)
    summary = es.check(sites, plan, on="2026-11-20").summary
    settled = summary[["n_clear", "n_duty", "n_restricted", "n_prohibited"]].sum(axis=1)
    assert settled.max() >= 20, settled.to_dict()


@pytest.mark.parametrize("name", es.list_plans())
def test_every_kind_that_a_rule_reads_is_listed_with_whom_to_ask(name):
    plan = es.open_plan(name)
    read = {rule.layer for rule in plan.rules}
    assert sorted(read - {layer.kind for layer in plan.layers.values()}) == []
    assert all(layer.source.publisher for layer in plan.layers.values() if layer.present == "missing")
