"""Time the shares of land cover classes in many zones against exactextract by itself and against rasterstats.

    python scripts/benchmarks/raster.py [--side 10000] [--zones 10000] [--repeat 3] [--wait 0] [--without-rasterstats]

A seeded grid of bytes (tiled, compressed) and seeded polygons are made in a temporary folder. Each way is timed
``--repeat`` times in turn, and the fastest counts, because other programs on the machine only ever make a run slower.
How much of the processors others used meanwhile is printed with every run (Linux); with ``--wait`` a run that lost
more than 5 % to others is repeated after a pause, so many times. Beside the seconds stand the processor seconds of
the process that worked longest: what the run takes on a machine with nothing else to do. rasterstats runs once; it is
no dependency of the project and is left out when it is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from exactextract import exact_extract

from ecospatial import raster

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_M, BLOCK, QUIET = 10, 400, 0.05
WEST, NORTH = 450_000, 3_600_000
VALUES = np.array([10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100], dtype=np.uint8)
LIMITS = {"one": 1.1, "two": 0.75, "rasterstats": 5.0, "difference": 1e-6}


def make_grid(path: Path, side: int, rng: np.random.Generator) -> None:
    """Write land cover in squares of 400 m with one pixel in twenty of another class."""
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint8", "nodata": 255,
        "crs": "EPSG:4549", "transform": Affine(STEP_M, 0, WEST, 0, -STEP_M, NORTH), "tiled": True,
        "blockxsize": 512, "blockysize": 512, "compress": "deflate",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for start in range(0, side, BLOCK):
            rows = min(BLOCK, side - start)
            squares = rng.integers(0, len(VALUES), (-(-rows // 40), -(-side // 40)))
            block = VALUES[np.kron(squares, np.ones((40, 40), dtype=np.int64))][:rows, :side]
            block[rng.random(block.shape) < 0.05] = 50
            file.write(block, 1, window=((start, start + rows), (0, side)))


def make_zones(count: int, side: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Draw polygons of 24 corners, about half a square kilometre each, anywhere on the grid."""
    margin = 800
    x = WEST + rng.uniform(margin, side * STEP_M - margin, (count, 1))
    y = NORTH - rng.uniform(margin, side * STEP_M - margin, (count, 1))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    far = rng.uniform(250, 550, (count, 1)) * rng.uniform(0.8, 1.2, (count, 24))
    corners = np.stack([x + far * np.cos(angle), y + far * np.sin(angle)], axis=-1)
    return gpd.GeoDataFrame({"number": np.arange(count)}, geometry=shapely.polygons(corners), crs="EPSG:4549")


def busy_seconds() -> tuple[float, float]:
    """Give the processor seconds of this program with its finished children, and of the machine (0: not known)."""
    own = sum(os.times()[:4])
    try:
        fields = [int(text) for text in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    except OSError:
        return own, 0.0
    return own, (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


class Timed(NamedTuple):
    """What a run took."""

    seconds: float
    longest: float
    others: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, processor {self.longest:.2f} s, others used {self.others:.0%}"


def timed(run: Callable[[], Any]) -> tuple[Timed, Any]:
    """Run something; give its seconds, those of the longest working process, the share others used, and the result.

    With two processes the longest is this one or its only child.
    """
    own, everybody = busy_seconds()
    before, start = os.times(), time.perf_counter()
    found = run()
    seconds, after = time.perf_counter() - start, os.times()
    own_after, everybody_after = busy_seconds()
    others = (everybody_after - everybody) - (own_after - own) if everybody else 0.0
    spent = [b - a for a, b in zip(before, after, strict=True)]
    longest = max(spent[0] + spent[1], spent[2] + spent[3])
    return Timed(seconds, longest, max(0.0, others) / seconds / (os.cpu_count() or 1)), found


def fastest(ways: dict[str, Callable[[], Any]], repeat: int, wait: int) -> tuple[dict[str, Timed], dict[str, Any]]:
    """Run each way in turn, so that what disturbs the machine disturbs all of them."""
    times: dict[str, Timed] = {}
    results: dict[str, Any] = {}
    for number in range(repeat):
        for name, run in ways.items():
            for attempt in range(wait + 1):
                spent, results[name] = timed(run)
                print(f"  run {number + 1}: {name}: {spent}", flush=True)
                least = times.get(name, spent)
                times[name] = Timed(*map(min, spent, least))
                if spent.others < QUIET or attempt == wait:
                    break
                time.sleep(20)
    return times, results


def difference(ours: Any, theirs: Any) -> float:
    """Give the largest difference of a share between our frame and that of exactextract."""
    worst = 0.0
    for value in VALUES:
        column = np.zeros(len(ours))
        for row, (values, shares) in enumerate(zip(theirs["unique"], theirs["frac"], strict=True)):
            column[row] = shares[values == value].sum()
        worst = max(worst, float(np.abs(ours[f"share_{value}"].to_numpy() - column).max()))
    return worst


def main(arguments: list[str] | None = None) -> int:
    """Make the data, time the ways, print the ratios; 1 when one of them misses its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--side", type=int, default=10_000, help="pixels on a side")
    parser.add_argument("--zones", type=int, default=10_000, help="polygons")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way")
    parser.add_argument("--wait", type=int, default=0, help="how often to repeat a run that others disturbed")
    parser.add_argument("--without-rasterstats", action="store_true", help="leave the slow one out")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cover.tif")
        make_grid(path, options.side, rng)
        zones = make_zones(options.zones, options.side, rng)
        pixels = zones.area.sum() / STEP_M**2
        print(f"{options.zones:,} polygons, {options.side:,} x {options.side:,} pixels, {pixels:,.0f} pixels in zones")
        ways: dict[str, Callable[[], Any]] = {
            "exactextract": lambda: exact_extract(str(path), zones, ["unique", "frac"], output="pandas"),
            "ecospatial, 1 process": lambda: raster.zonal(zones, path),
            "ecospatial, 2 processes": lambda: raster.zonal(zones, path, jobs=2),
        }
        times, results = fastest(ways, options.repeat, options.wait)
        slow = None if options.without_rasterstats else rasterstats_seconds(zones, path)
        worst = difference(results["ecospatial, 1 process"], results["exactextract"])
        same = results["ecospatial, 1 process"].equals(results["ecospatial, 2 processes"])
    return report(times, slow, worst, same=same)


def rasterstats_seconds(zones: gpd.GeoDataFrame, path: Path) -> Timed | None:
    """Time the counts of classes by rasterstats, which takes a pixel or leaves it; None when it is not installed."""
    try:
        from rasterstats import zonal_stats
    except ImportError:
        print("  rasterstats is not installed")
        return None
    spent, _ = timed(lambda: zonal_stats(zones, str(path), categorical=True, stats=[]))
    print(f"  rasterstats: {spent}", flush=True)
    return spent


def report(times: dict[str, Timed], slow: Timed | None, worst: float, *, same: bool) -> int:
    """Print the table and say which limits hold; the clock decides."""
    alone, one, two = times.values()
    print("\n| way | seconds | processor seconds |\n|---|--:|--:|")
    for name, spent in (times | ({"rasterstats": slow} if slow is not None else {})).items():
        print(f"| {name} | {spent.seconds:.2f} | {spent.longest:.2f} |")
    checks = [
        ("1 process / exactextract", one, alone, "<=", LIMITS["one"]),
        ("2 processes / exactextract", two, alone, "<=", LIMITS["two"]),
    ]
    if slow is not None:
        checks.append(("rasterstats / 1 process", slow, one, ">=", LIMITS["rasterstats"]))
    print("\n| ratio | by the clock | by the processor | limit | holds |\n|---|--:|--:|--:|---|")
    held = [worst <= LIMITS["difference"], same]
    for name, upper, lower, compare, limit in checks:
        clock, processor = upper.seconds / lower.seconds, upper.longest / lower.longest
        held.append(clock <= limit if compare == "<=" else clock >= limit)
        print(f"| {name} | {clock:.3g} | {processor:.3g} | {compare} {limit:g} | {'yes' if held[-1] else 'NO'} |")
    print(f"\nlargest difference of a share from exactextract: {worst:.3g} (limit {LIMITS['difference']:g})")
    print(f"one and two processes give the same frame: {'yes' if same else 'NO'}")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
