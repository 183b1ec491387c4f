"""The shipped rules put to the cases of tests/cases/<pack>.yaml: the law stated a second time, apart from the packs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import random
import re
import sys

import made_cases
import pytest
import yaml
from made_cases import FOLDER, KEYS, TODAY, Pack, run, unnoticed, wrong
from made_plans import CRS, SOURCE, sites
from project_paths import ROOT

import ecospatial as es
from ecospatial.model import KINDS, WORKS
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

PACKS = sorted(data_folder("layers").glob("packs/*.yaml"), key=lambda path: path.stem)
WITH_CASES = [path for path in PACKS if (FOLDER / path.name).is_file()]


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    """Each pack with its cases, drawn once."""
    made = {}

    def give(path):
        if path.stem not in made:
            folder = tmp_path_factory.mktemp("cases")
            made[path.stem] = Pack(FOLDER / path.name, read_pack(path), folder)
        return made[path.stem]

    return give


def test_every_pack_has_cases_and_every_case_file_a_pack():
    assert {path.name for path in PACKS} == {path.name for path in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize("path", WITH_CASES, ids=lambda path: path.stem)
def test_every_rule_is_stated_whole(path, packs):
    pack = packs(path)
    assert pack.unmatched == [], "a rule without a statement, or a statement without a rule"
    for line in pack.lines:
        content, rule = line.content, line.rule
        assert set(content) <= KEYS, line.row
        assert set(content) >= {"rule", "law", "verdict", "days", "read"}, line.row
        assert len(content["law"]) > 8, line.row
        open_words = content.get("not_stated", [])
        assert tuple(open_words) == rule.not_stated and (not open_words or content["read"]), rule.id
        assert ("within_m" in content) == (rule.relation == "near" and "distance" not in open_words), rule.id
        lengths = {"upstream_m", "downstream_m"}
        assert lengths & set(content) == (lengths if rule.relation == "along_river" else set()), rule.id
        assert bool(content.get("projects")) == bool(rule.when), rule.id
        assert bool(content.get("places")) == bool(rule.where), rule.id
        open_columns = [name for name in content.get("places", {}) if not words_of(rule.layer, name)]
        assert set(open_columns) <= set(content.get("not_places", {})), f"{rule.id} needs not_places"


def words_of(kind, column):
    found = KINDS[kind].column(column)
    return found.words or found.type == "bool"


@pytest.mark.parametrize("path", WITH_CASES, ids=lambda path: path.stem)
def test_every_rule_has_a_case_of_each_sort(path, packs):
    for line in packs(path).lines:
        sorts = {case.sort for case in line.cases}
        needed = {"hit", "miss", "missing layer", "first day", "exact"}
        needed |= {"minus 1 mm", "plus 1 mm"} if line.rule.relation == "near" else set()
        if line.rule.relation == "along_river":
            needed |= {f"{sign} 1 mm {way}stream" for sign in ("minus", "plus") for way in ("up", "down")}
        needed |= {"wrong project", "missing fact"} if line.rule.when else set()
        needed |= {"last day"} if line.rule.until else set()
        needed |= {"other place"} if line.rule.where else set()
        needed |= {"on it", "far"} if "distance" in line.rule.not_stated else set()
        needed |= {"as if read"} if line.rule.not_stated or not line.rule.verified else set()
        assert needed <= sorts, (line.rule.id, needed - sorts)
        verdicts = {case.verdict for case in line.cases}
        assert line.verdict in verdicts, line.rule.id


@pytest.mark.parametrize("path", WITH_CASES, ids=lambda path: path.stem)
def test_the_rules_say_what_the_law_says(path, packs):
    pack = packs(path)
    cases = [case for line in pack.lines for case in line.cases]
    missed = wrong(cases, run(pack, cases))
    shown = [
        f"{c.line.rule.id} {c.day} {c.sort} {c.project}: {c.verdict} {c.touched}, found {got}" for c, got in missed
    ]
    assert shown[:20] == []


def map_plan(folder, content):
    """The plan that the free sites of a case file lie on."""
    import geopandas as gpd
    import shapely

    folder.mkdir()
    cover = shapely.box(480000, 3500000, 520000, 3540000)
    gpd.GeoDataFrame(geometry=[cover], crs=CRS).to_file(folder / "cover.gpkg", driver="GPKG")
    entries = []
    for kind, rows in content.get("map", {}).items():
        names = [c.name for c in KINDS[kind].columns]
        names += sorted({name for row in rows for name in row} - {*names, "wkt"})
        frame = gpd.GeoDataFrame([{n: row.get(n) for n in names} for row in rows], columns=names)
        frame = gpd.GeoDataFrame(frame, geometry=shapely.from_wkt([row["wkt"] for row in rows]), crs=CRS)
        frame.to_file(folder / f"{kind}.gpkg", layer=kind, driver="GPKG")
        about = {"status": "official", "coverage": "cover.gpkg", "accuracy_m": 1, "source": dict(SOURCE)}
        about |= {"absent": content["absent"][kind]} if kind in content.get("absent", {}) else {}
        entries.append({"kind": kind, "path": f"{kind}.gpkg", **about})
    plan = {"name": "map", "title": "案例", "crs": CRS, "packs": content.get("packs", []), "layers": entries}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True), encoding="utf-8")
    return es.open_plan(folder)


@pytest.mark.parametrize("path", WITH_CASES, ids=lambda path: path.stem)
def test_free_cases(path, tmp_path):
    import shapely

    content = yaml.safe_load((FOLDER / path.name).read_text(encoding="utf-8"))
    content.setdefault("packs", [path.stem])
    plan = map_plan(tmp_path / "map", content)
    for case in content.get("sites", []):
        assert set(case) <= {"site", "wkt", "project", "day", "expect", "why"} and case["why"], case
        site = sites(shapely.from_wkt(case["wkt"]), **case.get("project", {}))
        frame = es.check(site, plan, on=case.get("day", TODAY)).frame.set_index("rule_id")
        found = {rule: str(frame.verdict[rule]) for rule in case["expect"]}
        assert found == case["expect"], case["site"]


# --------------------------------------------------------------------------------------------- law of a day


def rules_on(day):
    return {rule.id: rule for path in PACKS for rule in read_pack(path) if rule.in_force(dt.date.fromisoformat(day))}


def test_the_law_of_a_day_is_the_law_of_that_day():
    then, now = rules_on("2024-06-01"), rules_on("2026-11-20")
    assert then["EMA"].cite.number == "苏政发〔2020〕1号" and now["EMA"].cite.number == "苏政办规〔2026〕1号"
    for id_, law in (("DW1", "水污染防治法"), ("SP61", "土壤污染防治法"), ("NS35", "噪声污染防治法")):
        assert then[id_].cite.instrument == law and then[id_].verified
        assert now[id_].cite.instrument == "生态环境法典" and now[id_].verified
    assert then["NR1"].cite.number == "2017年10月7日修订" and now["NR1"].cite.number == "国务院令第830号"
    assert "FM-L17" not in then and now["FM-L17"].cite.number.endswith("令第17号")
    assert "UB-OUT" not in then and "UB-OUT" in now


def test_the_code_took_over_from_one_day_to_the_next():
    before, after = rules_on("2026-08-14"), rules_on("2026-08-15")
    of_the_code = {id_ for id_, rule in after.items() if rule.cite.instrument == "生态环境法典"}
    replaced = {id_ for id_ in of_the_code if not id_.startswith(("JS-U", "SP66"))}
    assert {"DW-P", "DW1", "DW1T", "DW2", "DW3", "SP59", "SP61", "NS35"} <= replaced
    assert all(before[id_].verified for id_ in replaced if not id_.startswith("GL-"))
    assert all(after[id_].verified for id_ in replaced)


def test_there_are_enough_rules():
    assert len({rule.id for path in PACKS for rule in read_pack(path)}) > 80


def test_special_law_that_goes_first_is_shipped():
    rules = [rule for path in PACKS for rule in read_pack(path)]
    ids = {rule.id for rule in rules}
    named = {other for rule in rules for other in rule.yields_to}
    assert named <= ids and {"TH30-6", "FM35"} <= named


def test_the_logic_of_statements_is_right():
    wanted = {"activity": ["C26"], "works": "new"}
    assert made_cases.holds(wanted, {"activity": "C2614", "works": "new"}) is True
    assert made_cases.holds(wanted, {"activity": "C", "works": "new"}) is None
    assert made_cases.holds(wanted, {"activity": "K70"}) is False
    assert set(made_cases.others("works", "new", ["new"])) == set(WORKS) - {"new"}
    assert {"C25", "C27", "C"} <= set(made_cases.others("activity", "C26", ["C26"]))


# ------------------------------------------------------------------------------- are the cases strong enough

# Packs whose cases are drawn fast; together they have every sort of alteration that a sample should meet.
SAMPLED = ("changzhou", "jiangsu", "nanjing")


@pytest.fixture(scope="module")
def mutate_rules():
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("mutate_rules", ROOT / "scripts" / "mutate_rules.py")
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_a_rule_that_is_not_altered_is_never_noticed(packs):
    for path in (path for path in WITH_CASES if path.stem in SAMPLED[:2]):
        pack = packs(path)
        left = unnoticed(pack, {line.row: [line.rule] for line in pack.lines})
        assert sorted(left) == [line.row for line in pack.lines]


def test_a_sample_of_alterations_is_noticed(packs, mutate_rules):
    drawn = random.Random(20261121)  # noqa: S311 - the same sample each time is wanted
    tried = 0
    for path in (path for path in WITH_CASES if path.stem in SAMPLED):
        pack = packs(path)
        rules = {line.row: line for line in pack.lines}
        words = [(row, *mutant) for row, line in rules.items() for mutant in mutate_rules.mutants(line.rule)]
        sample = drawn.sample(words, min(len(words), 12))
        tried += len(sample)
        variants = {row: [rule for r, _, rule in sample if r == row] for row in rules}
        left = [rule for found in unnoticed(pack, variants).values() for rule in found]
        assert [word for _, word, rule in sample if any(rule is x for x in left)] == []
    assert tried >= 25


def test_every_sort_of_detail_is_altered(mutate_rules):
    rules = [rule for path in PACKS for rule in read_pack(path)]
    words = {word.split()[0] for rule in rules for word, _ in mutate_rules.mutants(rule)}
    details = {"effect", "within_m", "since", "until", "where", "when", "unless", "effect_unless"}
    assert words >= details | {"upstream_m", "downstream_m", "relation", "verified", "not_stated"}
    assert all(rule != mutant for rule in rules for _, mutant in mutate_rules.mutants(rule))


def test_an_alteration_that_no_case_notices_is_told(packs):
    # The title is no detail that a verdict hangs on.
    pack = packs(data_folder("layers") / "packs" / "changzhou.yaml")
    retold = {line.row: [dataclasses.replace(line.rule, title="别的标题")] for line in pack.lines}
    assert unnoticed(pack, retold) == retold


def test_the_mutation_score_is_written_and_enough():
    text = (data_folder("layers") / "packs" / "COVERAGE.md").read_text(encoding="utf-8")
    pattern = r"(?m)^Mutation score \((\d{4}-\d\d-\d\d)\): ([\d.]+)%, (\d+) of (\d+) alterations noticed\.$"
    ((day, percent, noticed, tried),) = re.findall(pattern, text)
    assert dt.date.fromisoformat(day) >= dt.date(2026, 11, 20)
    assert float(percent) >= 95 and abs(100 * int(noticed) / int(tried) - float(percent)) < 0.1
    # Each rule is altered in many details.
    assert int(tried) > 5 * sum(len(read_pack(path)) for path in PACKS)
