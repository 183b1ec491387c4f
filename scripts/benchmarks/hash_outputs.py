"""Fingerprint all answers: ``python3 scripts/benchmarks/hash_outputs.py --compare tests/fingerprints.json``.

A large restructuring proves with it that a user sees no difference. Each shipped plan, and a made one with official
layers, sewers and grids, gets 20,000 made sites of every shape; tables are hashed column by column, files and screens
one by one. Only the names in ``ecospatial.__all__``, what they return, and ``python -m ecospatial`` are used, so inner
modules may move freely.

    --write FILE      keep the digests (and the versions of the libraries) in a file
    --compare FILE    list every digest that differs from the file; exit 1 when one does
    --base PATH       run the checkout at PATH too, first, and list every digest that differs between the two
    --tree PATH       run the checkout at PATH instead of this one
    --quick           500 sites, the plan changzhou-zhonglou only

There is no test that compares with ``tests/fingerprints.json``: another version of a library (GEOS above all) moves the
last digit of a coordinate, and with it the digest, without being wrong. The file holds for the versions in its head;
with other versions compare two checkouts on one machine with ``--base``. The versions are listed when they differ.

It runs in the Python it is started with when that has the libraries, so that two checkouts are compared with the same
ones, else in ``.venv`` (see scripts/environment.py).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
ON = "2026-11-20"
PLANS = ("nanjing-gulou", "changzhou-tianning", "changzhou-zhonglou", "example-district")
PARTS = ("python", "commands")
QUICK = ("changzhou-zhonglou", 500)


def main() -> int:
    """Run, print what was covered, and write or compare."""
    given = read_arguments()
    if importlib.util.find_spec("geopandas") is None:
        sys.path.insert(0, str(ROOT / "scripts"))
        import environment

        environment.enter("test")
    if given.task:
        run_task(given.task, given.count, Path(given.tree), Path(given.out))
        return 0
    if given.quick:
        given.plans, given.count = QUICK
    plans = given.plans.split(",") if given.plans else [*PLANS, "made"]
    result = run_tree(Path(given.tree).resolve(), plans, given.count, shared=not given.plans)
    differences = 0
    if given.base:
        base = run_tree(Path(given.base).resolve(), plans, given.count, shared=not given.plans)
        differences += list_differences(base, result, "--base")
    if given.compare:
        stored = json.loads(Path(given.compare).read_text(encoding="utf-8"))
        differences += list_differences(stored, result, given.compare)
    if given.write:
        text = json.dumps(result, ensure_ascii=False, indent=0, sort_keys=True)
        Path(given.write).write_text(text + "\n", encoding="utf-8")
    return int(differences > 0)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--plans", help="comma-separated, 'made' is one; none: all, and what belongs to no plan")
    parser.add_argument("--count", type=int, default=20_000, help="sites for each plan")
    parser.add_argument("--tree", default=str(ROOT), help="the checkout to run")
    parser.add_argument("--base", help="another checkout to run and compare with")
    parser.add_argument("--write", help="file to write the digests to")
    parser.add_argument("--compare", help="file to compare the digests with")
    parser.add_argument("--quick", action="store_true", help="{1} sites of {0}".format(*QUICK))
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser.parse_args()


def run_tree(tree: Path, plans: list[str], count: int, *, shared: bool) -> dict[str, Any]:
    """Run all tasks of a checkout, two processes at once, and return the digests with the versions used."""
    start = time.perf_counter()
    tasks = [f"{plan}:{part}" for part in PARTS for plan in plans]
    tasks = [*tasks[: len(plans)], *(["shared:commands"] if shared else []), *tasks[len(plans) :]]
    digests: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        answers = pool.map(lambda task: start_task(task, count, tree, folder), tasks)
        for task, answer in zip(tasks, answers, strict=True):
            print(
                "{0}: {1} digests, {seconds:.0f} s ({cpu:.0f} s of a core)".format(
                    task, len(answer["digests"]), **answer
                )
            )
            for title, counts in answer["counts"].items():
                print(f"    {title}: {', '.join(f'{key} {number}' for key, number in counts.items())}", flush=True)
            digests |= {f"{task.partition(':')[0]}/{key}": value for key, value in answer["digests"].items()}
    print(f"{tree}: {len(digests)} digests in {time.perf_counter() - start:.0f} s", flush=True)
    return {"on": ON, "count": count, "versions": list_versions(), "digests": digests}


def start_task(task: str, count: int, tree: Path, folder: Path) -> dict[str, Any]:
    """Run one task in a process of its own that sees the package of the checkout."""
    out = folder / f"{task.replace(':', '-')}.json"
    command = [sys.executable, __file__, "--task", task, "--count", str(count), "--tree", str(tree), "--out", str(out)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(tree)})
    answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return answer


def run_task(task: str, count: int, tree: Path, out: Path) -> None:
    """Hash what Python or the command line answers about one plan, and write the digests to a file."""
    import command_answers
    import digests
    import made_inputs
    import python_answers

    import ecospatial as es

    if Path(es.__file__ or "").resolve().parent.parent != tree:
        raise SystemExit(f"{es.__file__} is not of {tree}")
    start = time.perf_counter()
    name, _, part = task.partition(":")
    counts: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        entries = digests.Digests({"folder": folder, "tree": tree})
        if name == "shared":
            command_answers.hash_shared(folder, tree, entries)
        else:
            known_as = str(made_inputs.write_plan(folder / "made")) if name == "made" else name
            plan = es.open_plan(known_as)
            if part == "python":
                (folder / "python").mkdir()
                counts = python_answers.hash_python(plan, count, folder / "python", entries)
            else:
                command_answers.hash_commands(plan, known_as, folder / "commands", entries)
    entries_of_part = {f"{part}/{key}": value for key, value in entries.entries.items()}
    spent = os.times()
    answer = {
        "seconds": time.perf_counter() - start,
        "cpu": sum(spent[:4]),
        "counts": counts,
        "digests": entries_of_part,
    }
    out.write_text(json.dumps(answer), encoding="utf-8")


def list_versions() -> dict[str, str]:
    """List the versions on which the digests depend."""
    import geopandas as gpd
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    import pyogrio
    import pyproj
    import shapely

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "shapely": shapely.__version__,
        "GEOS": shapely.geos_version_string,
        "geopandas": gpd.__version__,
        "pyproj": pyproj.__version__,
        "PROJ": pyproj.proj_version_str,
        "GDAL": pyogrio.__gdal_version_string__,
        "matplotlib": mpl.__version__,
    }


def list_differences(old: dict[str, Any], new: dict[str, Any], title: str) -> int:
    """Print every key whose digest is not the same on both sides, of the plans that were run; return their number."""
    if (old["on"], old["count"]) != (new["on"], new["count"]):
        raise SystemExit(f"{title} is of {old['count']} sites on {old['on']}, not of {new['count']} on {new['on']}")
    for library, version in new["versions"].items():
        if old["versions"].get(library) != version:
            print(f"note: {library} was {old['versions'].get(library)}, is {version}: digests may differ for it")
    ran = {key.partition("/")[0] for key in new["digests"]}
    before = {key: value for key, value in old["digests"].items() if key.partition("/")[0] in ran}
    changed = 0
    for key in sorted(before.keys() | new["digests"].keys()):
        if before.get(key) == new["digests"].get(key):
            continue
        changed += 1
        how = "new" if key not in before else "gone" if key not in new["digests"] else "differs"
        print(f"{how}: {key}")
    print(f"{changed} of {len(before)} digests differ from {title}")
    return changed


if __name__ == "__main__":
    sys.exit(main())
