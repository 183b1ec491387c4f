"""Compare the river network with a plain networkx way: ``python scripts/benchmarks/network.py [--reaches N]``.

Made data: a lattice of small rivers with missing pieces and random directions, so that there are dead ends, separate
parts, braids and rings. Both ways get the same reaches and answer the same questions:

- build: from lines to a graph (ours also looks for crossings and gaps between ends; the plain way only matches ends);
- dead ends: all nodes that one reach touches;
- upstream: number and length of reaches upstream of 1,000 sections;
- members: the reaches upstream of 10 of them.

The answers are compared before the times are printed. Growth is shown from an eighth of the size up to the size itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from ecospatial import network as nw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEED = 20261120
SECTIONS, MEMBERS = 1000, 10
KEPT = 0.75  # of the lattice; below about a half it falls apart
STEPS = ("build", "dead ends", "upstream", "members")


def made(reaches: int) -> gpd.GeoDataFrame:
    """Draw about so many reaches; most run south or east, a few against it."""
    random = np.random.default_rng(SEED)
    side = int(np.sqrt(reaches / KEPT / 2)) + 1
    x, y = np.meshgrid(np.arange(side) * 100.0, np.arange(side) * -100.0)
    place = np.stack([x, y], -1) + random.uniform(-25, 25, (side, side, 2)) + [500000.0, 3520000.0]
    east = np.stack([place[:, :-1], place[:, 1:]], 2).reshape(-1, 2, 2)
    south = np.stack([place[:-1], place[1:]], 2).reshape(-1, 2, 2)
    ends = np.concatenate([east, south])
    ends = ends[random.random(len(ends)) < KEPT]
    against = random.random(len(ends)) < 0.02
    ends[against] = ends[against][:, ::-1]
    middle = ends.mean(axis=1, keepdims=True) + random.uniform(-5, 5, (len(ends), 1, 2))
    lines = shapely.linestrings(np.concatenate([ends[:, :1], middle, ends[:, 1:]], axis=1))
    return gpd.GeoDataFrame(geometry=lines, crs="EPSG:4549")


class Plain:
    """The way without this package: a networkx graph keyed by rounded coordinates, and its own functions."""

    def __init__(self, lines: gpd.GeoDataFrame) -> None:
        self.graph = nx.MultiDiGraph()
        self.ends = []
        for i, line in enumerate(lines.geometry):
            first, last = (tuple(round(c, 3) for c in line.coords[k]) for k in (0, -1))
            self.graph.add_edge(first, last, key=i, length=line.length)
            self.ends.append((first, last))

    def dead_ends(self) -> int:
        """Count the nodes that one reach touches."""
        return sum(degree == 1 for _, degree in self.graph.degree())

    def upstream(self, reach: int) -> set[int]:
        """List the reaches upstream of one, itself included."""
        above = nx.ancestors(self.graph, self.ends[reach][0]) | {self.ends[reach][0]}
        return {reach} | {key for *_, key in self.graph.in_edges(above, keys=True)}


def timed(seconds: dict[str, float], step: str, call: Callable[[], Any]) -> Any:
    """Call, and note how long it took."""
    begin = time.perf_counter()
    found = call()
    seconds[step] = time.perf_counter() - begin
    return found


def ours(lines: gpd.GeoDataFrame, sections: NDArray[np.intp]) -> tuple[dict[str, float], Any]:
    """Answer with this package."""
    seconds: dict[str, float] = {}
    network = timed(seconds, "build", lambda: nw.build(lines))
    ends = timed(seconds, "dead ends", lambda: len(nw.river_ends(network)))
    along = network.length_m[sections]
    totals = timed(seconds, "upstream", lambda: nw.upstream_totals(network, sections, along))
    members = timed(seconds, "members", lambda: nw.upstream_members(network, sections[:MEMBERS]))
    return seconds, (ends, totals[0], totals[1], [set(found.tolist()) for found in members])


def plain(lines: gpd.GeoDataFrame, sections: NDArray[np.intp], asked: int) -> tuple[dict[str, float], Any]:
    """Answer with networkx; only so many sections are asked, and the time is scaled up."""
    seconds: dict[str, float] = {}
    graph = timed(seconds, "build", lambda: Plain(lines))
    ends = timed(seconds, "dead ends", graph.dead_ends)
    length = shapely.length(lines.geometry.to_numpy())

    def totals() -> list[tuple[int, float]]:
        found = [graph.upstream(int(i)) for i in sections[:asked]]
        return [(len(one), float(length[list(one)].sum())) for one in found]

    answered = timed(seconds, "upstream", totals)
    seconds["upstream"] *= len(sections) / asked
    members = timed(seconds, "members", lambda: [graph.upstream(int(i)) for i in sections[:MEMBERS]])
    return seconds, (ends, answered, members)


def agree(one: Any, other: Any) -> bool:
    """Compare the answers of both."""
    ends, count, length, members = one
    plain_ends, answered, plain_members = other
    asked = len(answered)
    same = [int(c) for c in count[:asked]] == [c for c, _ in answered]
    near = np.allclose(length[:asked], [metres for _, metres in answered])
    return bool(ends == plain_ends and same and near and members == plain_members)


def main(arguments: list[str] | None = None) -> int:
    """Run both ways and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--reaches", type=int, default=100_000, help="size of the network (default 100,000)")
    parser.add_argument("--asked", type=int, default=50, help="sections that networkx is asked (default 50 of 1,000)")
    options = parser.parse_args(arguments)
    print(
        f"{'reaches':>9}  " + "".join(f"{step + ' s':>14}" for step in STEPS) + f"{'all s':>10}  microseconds a reach"
    )
    for share in (8, 4, 2, 1):
        lines = made(options.reaches // share)
        sections = np.random.default_rng(SEED).integers(0, len(lines), SECTIONS)
        seconds, answers = ours(lines, sections)
        total = sum(seconds.values())
        row = "".join(f"{seconds[step]:14.3f}" for step in STEPS)
        print(f"{len(lines):9d}  {row}{total:10.3f}  {total / len(lines) * 1e6:.0f}")
    asked = min(max(options.asked, MEMBERS), SECTIONS)
    other, plain_answers = plain(lines, sections, asked)
    if not agree(answers, plain_answers):
        print("the two ways do not agree", file=sys.stderr)
        return 1
    print(f"{'networkx':>9}  " + "".join(f"{other[step]:14.3f}" for step in STEPS) + f"{sum(other.values()):10.3f}")
    print(f"{'ratio':>9}  " + "".join(f"{other[step] / seconds[step]:14.1f}" for step in STEPS), end="")
    print(f"{sum(other.values()) / total:10.1f}  (networkx over ours; its upstream scaled up from {asked} sections)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
