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
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(zip(tail.tolist(), head.tolist(), strict=True))
    rings = [sorted(nodes) for nodes in nx.strongly_connected_components(graph)]
    ring = np.arange(count, dtype=np.intp)
    for nodes in rings:
        ring[nodes] = nodes[0]
    order = nx.topological_sort(nx.condensation(graph, scc=rings))
    return [node for number in order for node in rings[number]], ring
