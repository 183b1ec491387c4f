"""Pieces of river that are missing: which of them, if dug, would connect the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.network._arrays import first_of_each, places_on, shapes_of
from ecospatial.network.dead_ends import MAX_GAP_M, arms, part_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

GAP_LABELS = {"reconnect": "连通分离水系", "open_end": "打通断头浜"}
_COLUMNS = ["gap", "gain_m", "gap_m", "river", "to_river", "part", "to_part", "geometry"]
# Closer than this to its end a missing piece may touch another reach: it begins and ends on one.
_TOUCH_M = 1e-3


def gaps(network: Network, *, max_gap_m: float = MAX_GAP_M, dead_ends: Sequence[int] | None = None) -> gpd.GeoDataFrame:
    """Rank the missing pieces that would reconnect the most length of river.

    Two kinds: ``reconnect`` joins two parts of the network that do not connect, by the shortest way between them, and
    gains the length of the smaller part; ``open_end`` carries a dead end on to the nearest other river of the same
    part, and gains the length of the blind arm, through which water then flows. Each is measured as if it alone were
    dug.

    Parameters
    ----------
    network
        The river network.
    max_gap_m
        Longer pieces are not considered, metres.
    dead_ends
        Nodes to carry on (``node`` of ``river_ends``, those with ``end`` dead_end or no_outlet); None: every end of
        the network.

    Returns
    -------
    GeoDataFrame
        Most gain first, then the shorter piece: ``gap``, ``gain_m``, ``gap_m`` (length of the missing piece),
        ``river`` and ``part`` it begins at, ``to_river`` and ``to_part`` it leads to, ``geometry`` (the piece,
        a straight line).

    Examples
    --------
    >>> from ecospatial.network import build
    >>> lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(50, 60), (50, 20)])]
    >>> rivers = gpd.GeoDataFrame({"river": ["干", "浜"]}, geometry=lines, crs=4549)
    >>> found = gaps(build(rivers), max_gap_m=25)
    >>> found[["gap", "river", "to_river", "gain_m", "gap_m"]].to_numpy().tolist()
    [['reconnect', '浜', '干', 40.0, 20.0]]
    """
    degree = network.nodes["degree"].to_numpy()
    node = np.flatnonzero(degree == 1) if dead_ends is None else np.asarray(dead_ends, dtype=np.intp)
    part = part_numbers(network)
    found = pd.concat([_between(network, part, max_gap_m), _onward(network, part, node, max_gap_m)])
    found = found.sort_values(["gain_m", "gap_m"], ascending=[False, True], kind="stable").reset_index(drop=True)
    geometry = found.pop("geometry").to_numpy(dtype=object)
    return gpd.GeoDataFrame(found, geometry=geometry, crs=network.reaches.crs)[_COLUMNS]


def _between(network: Network, part: NDArray[np.intp], max_gap_m: float) -> pd.DataFrame:
    """Find the shortest way between every two parts that lie near each other."""
    size = np.bincount(part, weights=network.river_m)
    # Every pair of parts has one that is not the largest, and those are what is searched around.
    small = np.flatnonzero(part > 1)
    asked, other = network.tree.query(network.lines[small], predicate="dwithin", distance=max_gap_m)
    own = small[asked]
    apart = part[own] > part[other]
    own, other = own[apart], other[apart]
    distance = shapely.distance(network.lines[own], network.lines[other])
    order = np.lexsort((other, own, distance, part[other], part[own]))
    pair = np.column_stack([part[own], part[other]])[order]
    first = order[np.flatnonzero((np.diff(pair, axis=0, prepend=-1) != 0).any(axis=1))]
    own, other = own[first], other[first]
    missing = shapely.shortest_line(network.lines[own], network.lines[other])
    return _rows(network, "reconnect", own=own, other=other, part=part, gain=size[part[own]], missing=missing)


def _onward(network: Network, part: NDArray[np.intp], node: NDArray[np.intp], max_gap_m: float) -> pd.DataFrame:
    """Find where dead ends could be carried on to: another river of their part, not the one they come from."""
    found = arms(network, node)
    points = shapes_of(network.nodes)[node]
    asked, other = network.tree.query(points, predicate="dwithin", distance=max_gap_m)
    near = [_excluded(network, arm, int(end)) for arm, end in zip(found, node.tolist(), strict=True)]
    last = np.array([arm[0] if arm else -1 for arm in found], dtype=np.intp)
    keep = np.array([i not in near[a] for a, i in zip(asked.tolist(), other.tolist(), strict=True)], dtype=bool)
    keep &= part[last[asked]] == part[other]
    asked, other = asked[keep], other[keep]
    missing = shapely.shortest_line(points[asked], network.lines[other])
    free = ~_crosses(network, missing)
    asked, other, missing = asked[free], other[free], missing[free]
    first = first_of_each(asked, np.lexsort((other, shapely.length(missing), asked)))
    asked, other, missing = asked[first], other[first], missing[first]
    gain = np.array([network.river_m[found[a]].sum() for a in asked.tolist()], dtype=np.float64)
    return _rows(network, "open_end", own=last[asked], other=other, part=part, gain=gain, missing=missing)


def _excluded(network: Network, arm: list[int], end: int) -> set[int]:
    """Give the arm itself and the reaches it joins: to be led back to them is no connection."""
    nodes = {int(n) for i in arm for n in (network.tail[i], network.head[i])} - {end}
    around = set(arm)
    for start, reaches in (network.leaving, network.entering):
        for n in nodes:
            around.update(reaches[start[n] : start[n + 1]])
    return around


def _crosses(network: Network, missing: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pieces would cross a river on their way."""
    length = shapely.length(missing)
    middle = np.array(missing, dtype=object)
    long = np.flatnonzero(length > 2 * _TOUCH_M)
    inner = np.column_stack([np.full(len(long), _TOUCH_M), length[long] - _TOUCH_M]).ravel()
    ends = places_on(np.repeat(missing[long], 2), inner)
    xy = shapely.get_coordinates(ends).reshape(-1, 2, 2)
    middle[long] = shapely.linestrings(xy)
    crossed = np.zeros(len(missing), dtype=bool)
    hit, _ = network.tree.query(middle[long], predicate="intersects")
    crossed[long[hit]] = True
    return crossed


def _rows(
    network: Network,
    gap: str,
    *,
    own: NDArray[np.intp],
    other: NDArray[np.intp],
    part: NDArray[np.intp],
    gain: NDArray[np.float64],
    missing: NDArray[Any],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gap": np.full(len(own), gap, dtype=object),
            "gain_m": np.asarray(gain, dtype=np.float64),
            "gap_m": shapely.length(missing),
            "river": network.rivers[own],
            "to_river": network.rivers[other],
            "part": part[own],
            "to_part": part[other],
            "geometry": pd.Series(list(missing), dtype=object),
        }
    )
