"""Compare ``es.overlap`` with its peers: ``python3 scripts/benchmarks/peers.py [--zones FILE --sites FILE]``.

Without files, 190 zones with some 400,000 vertices are made from the outlines that are shipped, and 200,000 sites among
them, always the same ones. Every peer answers the same question, the shared area of each pair of a site and a zone, in
a process of its own; reading its input is not counted, its index is. PostGIS takes part where Debian's packages are
installed (``apt-get install postgresql postgresql-postgis``). Prints a table and writes ``benchmark.json``.

Other parts are measured by base_map.py, check.py, maps.py, network.py and
raster.py.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import maps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

SEED = 20261120
PEERS = ("ecospatial", "overlay", "strtree", "duckdb", "postgis", "postgis-subdivide")
TITLES = {
    "ecospatial": "ecospatial overlap",
    "overlay": "geopandas.overlay",
    "strtree": "STRtree + intersection",
    "duckdb": "DuckDB spatial",
    "postgis": "PostGIS",
    "postgis-subdivide": "PostGIS, ST_Subdivide",
}


def main() -> int:
    """Make the data, let every peer answer, and print what a reader can compare."""
    given = arguments()
    environment.enter("benchmark")
    if given.one:
        print(json.dumps(answer(given.one, Path(given.folder))))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zones, sites = data(given)
        zones.to_parquet(folder / "zones.parquet")
        sites.to_parquet(folder / "sites.parquet")
        size = {"sites": len(sites), "zones": len(zones), "vertices": int(zones.geometry.count_coordinates().sum())}
        print("{sites} sites, {zones} zones with {vertices} vertices".format(**size), flush=True)
        found = [run(peer, folder) for peer in given.peers.split(",")]
    compared(found)
    made = dt.datetime.now().astimezone().date().isoformat()
    result = {"date": made, "cores": os.cpu_count(), **size, "seed": SEED, "peers": found}
    Path(given.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table(found)))
    areas = [entry["area_m2"] for entry in found if "area_m2" in entry]
    return int(not areas or max(areas) - min(areas) > 1e-6 * max(areas))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--zones", help="polygons in a metric CRS, instead of made ones")
    parser.add_argument("--sites", help="polygons in the same CRS")
    parser.add_argument("--count", type=int, default=200_000, help="sites to make")
    parser.add_argument("--vertices", type=int, default=maps.VERTICES, help="vertices of the zones to make")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated")
    parser.add_argument("--out", default="benchmark.json")
    parser.add_argument("--one", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if bool(given.zones) != bool(given.sites):
        parser.error("--zones and --sites belong together")
    if unknown := set(given.peers.split(",")) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    return given


def data(given: argparse.Namespace) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Read or make zones and sites; all of them valid."""
    import geopandas as gpd
    import shapely

    if given.zones:
        zones = gpd.read_file(given.zones)[["geometry"]]
        sites = gpd.read_file(given.sites)[["geometry"]].to_crs(zones.crs)
    else:
        zones = maps.made_zones(vertices=given.vertices)[["geometry"]]
        sites = made_sites(zones, given.count)
    for frame in (zones, sites):
        frame["geometry"] = shapely.make_valid(frame.geometry.to_numpy(), method="structure", keep_collapsed=False)
    return zones, sites


def made_sites(zones: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    """Draw L-shaped parcels of 15 to 120 m around the zones, turned at random."""
    import geopandas as gpd
    import numpy as np
    import shapely

    dice = np.random.default_rng(SEED)
    west, south, east, north = zones.bounds.to_numpy()[dice.integers(0, len(zones), count)].T
    middle = np.column_stack([dice.uniform(west - 200, east + 200), dice.uniform(south - 200, north + 200)])
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.1], [0.2, 0.1], [0.2, 0.5], [-0.5, 0.5]])
    shape = corners * dice.uniform(15, 120, (count, 1, 2))
    turn = dice.uniform(0, np.pi / 2, count)
    spin = np.stack([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)], axis=1).reshape(-1, 2, 2)
    return gpd.GeoDataFrame(geometry=shapely.polygons(middle[:, None] + shape @ spin), crs=zones.crs)


def run(peer: str, folder: Path) -> dict[str, Any]:
    """Let one peer answer in a process of its own; what it can not do is said, not hidden."""
    command = [sys.executable, __file__, "--one", peer, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {"peer": peer, "absent": why}
    return {"peer": peer, **json.loads(done.stdout.strip().splitlines()[-1])}


def answer(peer: str, folder: Path) -> dict[str, Any]:
    """Answer as one peer, and measure it."""
    import geopandas as gpd

    zones, sites = gpd.read_parquet(folder / "zones.parquet"), gpd.read_parquet(folder / "sites.parquet")
    if peer.startswith("postgis"):
        return postgis(zones, sites, subdivide=peer.endswith("subdivide"))
    ways = {"ecospatial": with_ours, "overlay": with_overlay, "strtree": with_strtree, "duckdb": with_duckdb}
    work = ways[peer](zones, sites)
    start = time.perf_counter()
    pairs, area = work()
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), "peak_mb": peak_mb(), "pairs": pairs, "area_m2": area}


def peak_mb() -> float | None:
    """Give the peak memory of this process; None where the system does not tell."""
    # What getrusage tells also counts the process this one was started from.
    held = Path("/proc/self/status")
    if not held.exists():
        return None
    line = next(text for text in held.read_text(encoding="ascii").splitlines() if text.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024, 1)


def with_ours(zones: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Callable[[], tuple[int, float]]:
    """Prepare this package."""
    import ecospatial as es

    es.overlap(sites[:1], zones[:1])  # imports are not counted for anyone

    def work() -> tuple[int, float]:
        found = es.overlap(sites, zones)
        return len(found), float(found["area_m2"].sum())

    return work


def with_overlay(zones: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Callable[[], tuple[int, float]]:
    """Prepare geopandas.overlay."""
    import geopandas as gpd

    def work() -> tuple[int, float]:
        found = gpd.overlay(sites, zones, keep_geom_type=True)
        return len(found), float(found.area.sum())

    return work


def with_strtree(zones: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Callable[[], tuple[int, float]]:
    """Prepare the plain way of shapely: an index, then all pairs cut."""
    import shapely

    left, right = sites.geometry.to_numpy(), zones.geometry.to_numpy()

    def work() -> tuple[int, float]:
        zone, site = shapely.STRtree(left).query(right, predicate="intersects")
        area = shapely.area(shapely.intersection(left[site], right[zone]))
        return int((area > 0).sum()), float(area.sum())

    return work


def with_duckdb(zones: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Callable[[], tuple[int, float]]:
    """Prepare DuckDB with its spatial extension out of a wheel; nothing is fetched."""
    import duckdb
    import duckdb_extension_spatial
    import pandas as pd

    extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("spatial.duckdb_extension"))
    base = duckdb.connect()
    base.execute(f"load '{extension.as_posix()}'")
    for name, frame in (("zones", zones), ("sites", sites)):
        base.register("given", pd.DataFrame({"wkb": frame.geometry.to_wkb()}))
        base.execute(f"create table {name} as select ST_GeomFromWKB(wkb) as g from given")  # noqa: S608 - two names of our own
        base.unregister("given")
    sql = """select count(*), sum(a) from (select ST_Area(ST_Intersection(s.g, z.g)) as a from sites s join zones z
        on ST_Intersects(s.g, z.g)) where a > 0"""

    def work() -> tuple[int, float]:
        pairs, area = base.execute(sql).fetchall()[0]
        return int(pairs), float(area or 0)

    return work


def postgis(zones: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, *, subdivide: bool) -> dict[str, Any]:
    """Answer with a server started for this only, reached by a Unix socket; indexes and subdivision are counted."""
    controls = sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"), key=lambda p: int(p.parts[4]))
    if not controls:
        sys.exit("PostGIS is not installed")
    programs = Path("/usr/lib/postgresql") / controls[-1].parts[4] / "bin"
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    # initdb refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")

    def call(program: str, *rest: str, text: str | None = None) -> str:
        command = [*user, str(programs / program), *rest]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            sys.exit(f"{program}: {done.stderr or done.stdout}")
        return done.stdout

    def sql(text: str) -> str:
        return call("psql", "-h", str(folder), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtF", "|", text=text)

    call("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c jit=off -c shared_buffers=512MB -c work_mem=256MB"
    try:
        call("pg_ctl", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "-t", "60", "start")
        sql("create extension postgis")
        for name, frame in (("zones", zones), ("sites", sites)):
            lines = [f"{number}\t{text}" for number, text in enumerate(frame.geometry.to_wkb(hex=True))]
            sql("\n".join([f"create table {name} (id int, g geometry); copy {name} from stdin;", *lines, "\\.\n"]))
        start = time.perf_counter()
        if subdivide:
            sql("create table pieces as select id, ST_Subdivide(g, 64) as g from zones; drop table zones")
            sql("alter table pieces rename to zones")
        sql("create index on zones using gist (g); create index on sites using gist (g); analyze zones; analyze sites")
        said = sql(
            """select count(*), sum(a) from (select sum(case when ST_Covers(z.g, s.g) then ST_Area(s.g)
            else ST_Area(ST_Intersection(s.g, z.g)) end) as a from sites s join zones z on ST_Intersects(s.g, z.g)
            group by s.id, z.id) as found where a > 0"""
        )
        seconds = time.perf_counter() - start
    finally:
        subprocess.run(
            [*user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop"],
            capture_output=True,
            check=False,
        )
        shutil.rmtree(folder, ignore_errors=True)
    pairs, area = said.strip().split("|")
    # The memory is the server's, not this process's.
    return {"seconds": round(seconds, 3), "peak_mb": None, "pairs": int(pairs), "area_m2": float(area or 0)}


def compared(found: list[dict[str, Any]]) -> None:
    """Say how many times as long as this package each peer took."""
    ours = next((entry["seconds"] for entry in found if entry["peer"] == "ecospatial" and "seconds" in entry), None)
    for entry in found:
        if ours and "seconds" in entry:
            entry["ratio"] = round(entry["seconds"] / ours, 2)


def table(found: list[dict[str, Any]]) -> list[str]:
    """Lay the results out as a Markdown table."""
    lines = ["| | seconds | peak MB | pairs | area m2 | ratio |", "|---|---:|---:|---:|---:|---:|"]
    for entry in found:
        title = TITLES[entry["peer"]]
        if "absent" in entry:
            lines.append(f"| {title} | not run: {entry['absent']} | | | | |")
            continue
        peak = "" if entry["peak_mb"] is None else f"{entry['peak_mb']:.0f}"
        ratio = f"{entry['ratio']:.1f}" if "ratio" in entry else ""
        row = f"| {title} | {entry['seconds']:.2f} | {peak} | {entry['pairs']} | {entry['area_m2']:.3f} | {ratio} |"
        lines.append(row)
    return lines


if __name__ == "__main__":
    sys.exit(main())
