"""Measure the check of many sites: ``python3 scripts/benchmarks/check.py [--plan P] [--counts 50000,100000,...]``.

Made data: L-shaped parcels of 15 to 120 m inside the district, always the same ones, with an activity and works each.
The rules are all packs of the plan.

- kernel: ``es.overlap`` of the same sites with what each ``layer`` and ``where`` of a rule names, summed; for rules on
  a distance with the corridor of the widest of them;
- check: ``es.check`` of the same sites, only what is restricted or worse, with one thread and with as many as there are
  cores, and complete;
- one site: a process that imports the package, opens the plan and checks one site; the same check again;
- growth: ``ecospatial check FILE --format parquet --at-least restricted`` for each count: seconds for 1,000 sites and
  peak memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

if TYPE_CHECKING:
    import geopandas as gpd

    from ecospatial.plans import Plan

ON = "2026-11-20"
ACTIVITIES = ("C26", "K70", "F52", "C2614", "H62", "P83", "N78", "A03")
WORKS = ("new", "expansion", "existing", "alteration")
COLD = f"""import sys, time
start = time.perf_counter()
import geopandas as gpd, ecospatial as es
site, plan = gpd.read_parquet(sys.argv[1]), es.open_plan(sys.argv[2])
es.check(site, plan, on={ON!r})
print(time.perf_counter() - start)
warm = []
for _ in range(20):
    start = time.perf_counter()
    es.check(site, plan, on={ON!r})
    warm.append(time.perf_counter() - start)
print(sorted(warm)[10])
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--plan", default="changzhou-zhonglou")
    parser.add_argument("--count", type=int, default=20_000, help="sites for the kernel and the check")
    parser.add_argument("--counts", default="50000,100000,200000,400000,800000", help="sites for the growth")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", default="benchmark_check.json")
    parser.add_argument("--of", help="only measure kernel and check of the sites in this file, and print JSON")
    given = parser.parse_args()
    environment.enter("benchmark")
    import ecospatial as es

    plan = es.open_plan(given.plan)
    if given.of:
        print(json.dumps(against_kernel(plan, Path(given.of))))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        today = dt.datetime.now().astimezone().date().isoformat()
        found: dict[str, Any] = {"date": today, "cores": os.cpu_count(), "plan": plan.name}
        found |= one_site(plan, folder)
        print(f"one site: cold {found['cold_s']:.2f} s, warm {found['warm_s'] * 1000:.0f} ms", flush=True)
        found |= from_file(plan, folder, given.count)
        told = "{count} sites: kernel {kernel_s:.2f} s, restricted {restricted_s:.2f} s ({rows} rows)"
        told += ", with {cores} threads {threads_s:.2f} s, complete {complete_s:.2f} s ({all_rows} rows)"
        print(told.format(**found), flush=True)
        growth = []
        for count in (int(text) for text in given.counts.split(",") if text):
            entry = grown(plan, folder, count, given.jobs)
            growth.append(entry)
            print(
                "{count:>9,} sites {seconds:8.1f} s {ms_each:6.3f} ms each {peak_mb:8.0f} MB".format(**entry),
                flush=True,
            )
    found["growth"] = growth
    Path(given.out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def made_sites(plan: Plan, count: int) -> gpd.GeoDataFrame:
    """Draw parcels in the district; what is known of their projects is drawn too."""
    import geopandas as gpd
    import numpy as np
    import shapely

    if plan.area is None:
        raise SystemExit(f"{plan.name} has no district")
    district = gpd.GeoDataFrame(geometry=[plan.area], crs=plan.crs)
    sites = peers.made_sites(district, 4 * count)
    shapely.prepare(plan.area)
    sites = sites[shapely.contains_properly(plan.area, sites.geometry.to_numpy())].head(count).reset_index(drop=True)
    dice = np.random.default_rng(peers.SEED)
    known = {
        "site_id": [f"P{number:07d}" for number in range(len(sites))],
        "activity": np.array(ACTIVITIES)[dice.integers(0, len(ACTIVITIES), len(sites))],
        "works": np.array(WORKS)[dice.integers(0, len(WORKS), len(sites))],
    }
    return sites.assign(**known)


def one_site(plan: Plan, folder: Path) -> dict[str, float]:
    """Time one site at the counter: the first check of a process, and the following ones; the middle of five."""
    made_sites(plan, 1).to_parquet(folder / "one.parquet")
    command = [sys.executable, "-c", COLD, str(folder / "one.parquet"), plan.name]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(5)]
    cold, warm = zip(*[(float(first), float(second)) for first, second in runs], strict=True)
    return {"cold_s": statistics.median(cold), "warm_s": statistics.median(warm)}


def from_file(plan: Plan, folder: Path, count: int) -> dict[str, Any]:
    """Measure in a process that has only read the sites: what was made before them would lie between them."""
    path = folder / "sites.parquet"
    made_sites(plan, count).to_parquet(path)
    command = [sys.executable, __file__, "--plan", plan.name, "--of", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def against_kernel(plan: Plan, path: Path) -> dict[str, Any]:
    """Time the kernel on what the rules are about, and the check, in turn; the best of three each."""
    import geopandas as gpd

    import ecospatial as es

    sites, targets = gpd.read_parquet(path), asked_of(plan)
    cores = os.cpu_count() or 1
    runs = [
        {
            "kernel_s": sum(timed(lambda zones=zones: es.overlap(sites, zones))[0] for zones in targets),
            "restricted_s": timed(lambda: es.check(sites, plan, on=ON, at_least="restricted"))[0],
            "threads_s": timed(lambda: es.check(sites, plan, on=ON, at_least="restricted", jobs=cores))[0],
            "complete_s": timed(lambda: es.check(sites, plan, on=ON))[0],
        }
        for _ in range(3)
    ]
    found: dict[str, Any] = {name: min(run[name] for run in runs) for name in runs[0]}
    found |= {"count": len(sites), "targets": len(targets)}
    found["rows"] = len(es.check(sites, plan, on=ON, at_least="restricted").frame)
    found["all_rows"] = len(sites) * len(plan.rule_versions())
    return found


def asked_of(plan: Plan) -> list[gpd.GeoDataFrame]:
    """Give what the rules on each layer and where cut sites with, as polygons.

    For rules on a distance that is the corridor of the widest of them; an intake's is its stretch of river, a grid's
    the area above the value.
    """
    import geopandas as gpd
    import shapely

    from ecospatial import geometry
    from ecospatial.checks._features import LayerCache

    reading = LayerCache(plan, dt.date.fromisoformat(ON)).for_extent(
        shapely.points([[*plan.area.centroid.coords[0]]]), 0.0
    )
    widest: dict[Any, Any] = {}
    for rule in plan.rules:
        if rule.in_force(reading.on) and reading.stock_for(rule).frame is not None:
            key = (rule.layer, rule.where)
            widest[key] = max(widest.get(key, rule), rule, key=lambda one: one.within_m)
    found = []
    for rule in widest.values():
        shapes = reading.select(rule).possible.geometry
        if rule.within_m:
            shapes = geometry.strip(shapes, rule.within_m)
        shapes = shapes[shapely.get_dimensions(shapes) == 2]
        if len(shapes):
            found.append(gpd.GeoDataFrame(geometry=shapes, crs=plan.crs))
    return found


def timed(work: Any) -> tuple[float, Any]:
    """Give the seconds a call takes, and what it gives."""
    start = time.perf_counter()
    given = work()
    return time.perf_counter() - start, given


def grown(plan: Plan, folder: Path, count: int, jobs: int) -> dict[str, Any]:
    """Check so many sites from a file, in parts."""
    path, out = folder / f"{count}.parquet", folder / f"out{count}"
    made_sites(plan, count).to_parquet(path)
    command = [sys.executable, "-m", "ecospatial", "check", str(path), "--plan", plan.name, "--out", str(out)]
    command += ["--on", ON, "--format", "parquet", "--at-least", "restricted", "--jobs", str(jobs)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, held_mb(process.pid))
        time.sleep(0.1)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"the check of {count} sites ended with {process.returncode}")
    path.unlink()
    return {"count": count, "seconds": seconds, "ms_each": seconds / count * 1000, "peak_mb": peak}


def held_mb(process: int) -> float:
    """Give the memory that a process and those it started hold now; 0 where the system does not tell."""
    folder = Path(f"/proc/{process}")
    try:
        children = (folder / f"task/{process}/children").read_text(encoding="ascii").split()
        held = [
            line for line in (folder / "status").read_text(encoding="ascii").splitlines() if line.startswith("VmRSS")
        ]
    except OSError:  # ended meanwhile
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in held) + sum(held_mb(int(child)) for child in children)


if __name__ == "__main__":
    sys.exit(main())
