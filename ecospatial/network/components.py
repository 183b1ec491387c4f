"""Connected components of an undirected graph that is given by pairs of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_components(count: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.intp]:
    """Label the nodes of a graph by the component they belong to.

    Parameters
    ----------
    count
        Number of nodes; they are numbered from 0.
    left, right
        The two ends of each edge.

    Returns
    -------
    array of int, shape (count,)
        For each node the smallest number of its component.

    Examples
    --------
    >>> label_components(5, np.array([4, 1]), np.array([3, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    graph = coo_array((np.ones(len(left), dtype=bool), (left, right)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return np.asarray(first[component], dtype=np.intp)
