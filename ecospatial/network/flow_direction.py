"""Which way water flows in a reach: from levels, or from where it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def by_level(from_m: NDArray[np.float64], to_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which lines run against the water: those whose end is drawn higher than their beginning.

    Parameters
    ----------
    from_m, to_m
        Bed or water level at the first and the last vertex, metres; NaN: not known, the line stays as drawn.

    Examples
    --------
    >>> by_level(np.array([3.0, 2.0, np.nan]), np.array([2.5, 2.6, 1.0])).tolist()
    [False, True, False]
    """
    return np.asarray(from_m < to_m, dtype=bool)


def by_mouth(
    tail: NDArray[np.intp], head: NDArray[np.intp], length_m: NDArray[np.float64], mouth: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Tell which reaches run against the water, when it takes the shortest way to a mouth.

    Parameters
    ----------
    tail, head, length_m
        First node, last node and length of each reach as drawn.
    mouth
        Nodes where the water leaves.

    Returns
    -------
    array of bool
        True where the last node lies further from the mouths than the first. Where no mouth can be reached, and
        where both ends lie equally far, the reach stays as drawn.

    Examples
    --------
    >>> by_mouth(np.array([0, 1]), np.array([1, 2]), np.array([5.0, 5.0]), np.array([0])).tolist()
    [True, True]
    """
    if not len(tail):
        return np.empty(0, dtype=bool)
    order = np.argsort(-length_m, kind="stable")
    graph: nx.Graph[int] = nx.Graph()
    # Of reaches between the same two nodes the shortest is written last and stays.
    edges = zip(tail[order].tolist(), head[order].tolist(), length_m[order].tolist(), strict=True)
    graph.add_weighted_edges_from(edges, weight="length_m")
    graph.add_nodes_from(mouth.tolist())
    far = nx.multi_source_dijkstra_path_length(graph, set(mouth.tolist()), weight="length_m")
    away = np.array([far.get(node, np.inf) for node in range(int(max(tail.max(), head.max())) + 1)])
    with np.errstate(invalid="ignore"):
        return np.asarray(away[head] > away[tail], dtype=bool)
