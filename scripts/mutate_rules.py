"""Alter the shipped rules one detail at a time and count how often a case of tests/cases notices.

    python scripts/mutate_rules.py             print the score and what nobody noticed
    python scripts/mutate_rules.py taihu       one pack only
    python scripts/mutate_rules.py --write     put the score into layers/packs/COVERAGE.md too

A detail is a distance (1 m more or less), a relation, an effect, an entry of ``works`` or ``activity``, a fact, a
value of ``where``, a first or last day (a day earlier or later), an exception, whether the text was read, whether it
leaves something open. Exit 1 below 95 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures")]

from made_cases import FOLDER, Pack, others, run, unnoticed, wrong  # noqa: E402 - the path has to be set first

from ecospatial.model import ACTIVITIES, EFFECTS, KINDS, WORKS  # noqa: E402
from ecospatial.plans import data_folder  # noqa: E402
from ecospatial.rules import Condition, Rule, read_pack  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

ENOUGH = 0.95
DAY = dt.timedelta(days=1)
SCORE = re.compile(r"(?m)^Mutation score .*$")
Mutant = tuple[str, Rule]


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Give every rule that differs from this one in a single detail, with a word for the detail."""
    change = dataclasses.replace
    for effect in EFFECTS:
        if effect != rule.effect and not (effect == "duty" and rule.unless):
            yield f"effect {effect}", change(rule, effect=effect)
    if rule.not_stated:
        yield "not_stated", change(rule, not_stated=())
    read = None if rule.verified else dt.date(2026, 11, 20)
    yield "verified", change(rule, cite=change(rule.cite, verified=read))
    yield from _distances(rule)
    for step in (-DAY, DAY):
        yield f"since {rule.since + step}", change(rule, since=rule.since + step)
        if rule.until is not None:
            yield f"until {rule.until + step}", change(rule, until=rule.until + step)
    for word, where in _places(rule):
        yield word, change(rule, where=where)
    for key in ("when", "unless"):
        groups: tuple[Condition, ...] = getattr(rule, key)
        for number, condition in enumerate(groups):
            for word, other in _conditions(condition):
                if rule.effect == "duty" and _same_codes(condition, other):
                    continue  # a duty is answered alike for a code that is too broad
                yield f"{key} {word}", change(rule, **{key: (*groups[:number], other, *groups[number + 1 :])})
            rest = (*groups[:number], *groups[number + 1 :])
            yield f"{key} without group {number + 1}", change(rule, **{key: rest})
    if rule.unless:
        other_effect = "restricted" if rule.effect_unless == "not_applicable" else "not_applicable"
        yield "effect_unless", change(rule, effect_unless=other_effect)


def _same_codes(condition: Condition, other: Condition) -> bool:
    """Tell whether two conditions that differ in codes hold for the same ones of those that are known."""
    if condition.activity == other.activity:
        return False
    narrow = [code for code in ACTIVITIES if len(code) > 1]
    hits = [[any(code.startswith(wanted) for wanted in c.activity) for code in narrow] for c in (condition, other)]
    return hits[0] == hits[1]


def _distances(rule: Rule) -> Iterator[Mutant]:
    change = dataclasses.replace
    if rule.relation == "near" and "distance" not in rule.not_stated:
        for within in (rule.within_m + 1, rule.within_m - 1, 0.0) if rule.within_m else (1.0,):
            yield f"within_m {within:g}", change(rule, within_m=within)
    if rule.relation == "along_river":
        for key in ("upstream_m", "downstream_m"):
            for step in (1, -1):
                yield f"{key} by {step:+} m", change(rule, **{key: getattr(rule, key) + step})
    other_relations = {"overlaps": ("near", "outside"), "outside": ("overlaps",), "near": ("overlaps", "outside")}
    if KINDS[rule.layer].shape == "polygon":
        for relation in other_relations.get(rule.relation, ()):
            yield f"relation {relation}", change(rule, relation=relation)


def _places(rule: Rule) -> Iterator[tuple[str, Any]]:
    for number, (column, values) in enumerate(rule.where):
        found = KINDS[rule.layer].column(column)
        words = ("true", "false") if found is not None and found.type == "bool" else found.words if found else ()
        strange = next((word for word in words if word not in values), values[0] + "？")
        changed = [(f"{column} without {v}", tuple(x for x in values if x != v)) for v in values if len(values) > 1]
        changed += [(f"{column} {v} is {strange}", tuple(strange if x == v else x for x in values)) for v in values]
        changed += [(f"{column} with {word}", (*values, word)) for word in words if word not in values]
        for text, new in changed:
            yield f"where {text}", (*rule.where[:number], (column, new), *rule.where[number + 1 :])
        yield f"where without {column}", (*rule.where[:number], *rule.where[number + 1 :])


def _conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    change = dataclasses.replace
    for works in condition.works:
        if len(condition.works) > 1:
            yield f"works without {works}", change(condition, works=tuple(w for w in condition.works if w != works))
    for works in WORKS:
        if condition.works and works not in condition.works:
            yield f"works with {works}", change(condition, works=(*condition.works, works))
    for key in ("activity", "land_use"):
        codes: tuple[str, ...] = getattr(condition, key)
        for code in codes:
            rest = tuple(c for c in codes if c != code)
            if rest:
                yield f"{key} without {code}", change(condition, **{key: rest})
            for other in others(key, code, codes):
                if other not in codes:
                    yield f"{key} {code} is {other}", change(condition, **{key: (other, *rest)})
    if condition.area_m2_at_least is not None:
        for step in (1, -1):
            yield f"area by {step:+} m2", change(condition, area_m2_at_least=condition.area_m2_at_least + step)
    for name, wanted in condition.facts:
        facts = tuple((n, not w if n == name else w) for n, w in condition.facts)
        yield f"{name} is {not wanted}", change(condition, facts=facts)
        if len(condition.facts) > 1 or condition.works or condition.activity or condition.land_use:
            yield f"without {name}", change(condition, facts=tuple(f for f in condition.facts if f[0] != name))


def try_pack(path: Path) -> tuple[int, list[str]]:
    """Try all mutants of a pack; give their number and those that nobody noticed."""
    with tempfile.TemporaryDirectory() as folder:
        pack = Pack(FOLDER / path.name, read_pack(path), Path(folder))
        cases = [case for line in pack.lines for case in line.cases]
        if pack.unmatched or wrong(cases, run(pack, cases)):
            raise SystemExit(f"{path.stem}: the cases are not green (tests/rules/test_cases.py)")
        words = {line.row: list(mutants(line.rule)) for line in pack.lines}
        left = unnoticed(pack, {row: [rule for _, rule in found] for row, found in words.items()})
        survivors = [
            f"{path.stem} {line.rule.id} of {line.rule.since}: {word}"
            for line in pack.lines
            for word, mutant in words[line.row]
            if any(mutant is rule for rule in left.get(line.row, ()))
        ]
        return sum(len(found) for found in words.values()), survivors


def main(arguments: list[str] | None = None) -> int:
    """Try all mutants, print the score and the survivors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("packs", nargs="*", help="packs, all when none is given")
    parser.add_argument("--write", action="store_true", help="put the score into layers/packs/COVERAGE.md")
    options = parser.parse_args(arguments)
    if options.write and options.packs:
        parser.error("--write is for the score over all packs")
    paths = [p for p in (data_folder("layers") / "packs").glob("*.yaml") if (FOLDER / p.name).is_file()]
    paths = [path for path in paths if not options.packs or path.stem in options.packs]
    # The longest first, so that two processes end at about the same time.
    paths.sort(key=lambda path: -path.stat().st_size)
    tried = missed = 0
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for path, (count, survivors) in zip(paths, pool.map(try_pack, paths), strict=True):
            print(f"{path.stem}: {count} mutants", *(f"  nobody noticed {text}" for text in survivors), sep="\n")
            tried, missed = tried + count, missed + len(survivors)
    score = 1 - missed / tried if tried else 0.0
    print(f"score {score:.1%}: {tried - missed} of {tried} noticed")
    if options.write:
        today = dt.datetime.now(tz=dt.UTC).date()
        text = f"Mutation score ({today}): {score:.1%}, {tried - missed} of {tried} alterations noticed."
        coverage = data_folder("layers") / "packs" / "COVERAGE.md"
        coverage.write_text(SCORE.sub(text, coverage.read_text(encoding="utf-8")), encoding="utf-8")
    return 0 if score >= ENOUGH else 1


if __name__ == "__main__":
    raise SystemExit(main())
