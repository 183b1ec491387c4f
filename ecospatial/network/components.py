"""Which of many things belong together, by pairs: connected groups in arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def groups(count: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.intp]:
    """Label things that pairs connect.

    Parameters
    ----------
    count
        How many things there are; they are numbered from 0.
    left, right
        Pairs of numbers that belong together.

    Returns
    -------
    array of int
        For each thing the smallest number of its group.

    Notes
    -----
    Every round hooks the larger of two labels onto the smaller one and shortens all chains; the rounds needed
    grow with the logarithm of the longest chain.

    Examples
    --------
    >>> groups(5, np.array([4, 1]), np.array([3, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    label = np.arange(count, dtype=np.intp)
    while True:
        a, b = label[left], label[right]
        apart = a != b
        if not apart.any():
            return label
        left, right = left[apart], right[apart]
        low, high = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
        np.minimum.at(label, high, low)
        while True:
            shorter = label[label]
            if (shorter == label).all():
                break
            label = shorter
