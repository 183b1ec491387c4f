"""An order of nodes in which water only flows forward; water that comes back makes a ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def downstream_order(tail: NDArray[np.intp], head: NDArray[np.intp], count: int) -> tuple[list[int], NDArray[np.intp]]:
    """Order nodes so that water only flows forward.

    Parameters
    ----------
    tail, head
        Upper and lower node of each reach.
    count
        How many nodes there are.

    Returns
    -------
    order, ring
        Nodes, upper ones first; nodes of one ring of flow (water that comes back) stand together. For each node
        the smallest node of its ring; nodes of no ring stand alone.
    """
    ring = np.arange(count, dtype=np.intp)
    order = _peeled(tail, head, count)
    if len(order) == count:
        return order, ring
    rest = np.ones(count, dtype=bool)
    rest[order] = False
    inside = rest[tail] & rest[head]
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(zip(tail[inside].tolist(), head[inside].tolist(), strict=True))
    members: dict[int, list[int]] = {}
    for nodes in nx.strongly_connected_components(graph):
        first = min(nodes)
        ring[list(nodes)] = first
        members[first] = sorted(nodes)
    above, below = ring[tail], ring[head]
    between = above != below
    tops = np.flatnonzero(ring == np.arange(count))
    number = np.zeros(count, dtype=np.intp)
    number[tops] = np.arange(len(tops))
    folded = _peeled(number[above[between]], number[below[between]], len(tops))
    found = [node for i in folded for node in members.get(int(tops[i]), [int(tops[i])])]
    return found, ring


def _peeled(tail: NDArray[np.intp], head: NDArray[np.intp], count: int) -> list[int]:
    """Take nodes away from the top, each once all its inflows are gone; nodes in or below a ring stay."""
    waiting = np.bincount(head, minlength=count).tolist()
    start = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=count))]).tolist()
    target = head[np.argsort(tail, kind="stable")].tolist()
    order = [node for node in range(count) if not waiting[node]]
    for node in order:
        for i in range(start[node], start[node + 1]):
            waiting[target[i]] -= 1
            if not waiting[target[i]]:
                order.append(target[i])
    return order
