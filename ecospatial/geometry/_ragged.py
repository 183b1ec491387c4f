"""Lists of segments, one behind the other: what may be nearest to each of many places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecospatial.geometry._edges import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# So many pairs of a spot and a segment are measured in one go; they stay in the cache of a processor.
BLOCK = 1 << 15


@dataclass(frozen=True)
class Circles:
    """Circles, and how far from each to look; metres."""

    middle: NDArray[np.float64]
    radius: NDArray[np.float64]
    reach_m: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the circles."""
        return len(self.radius)


@dataclass(frozen=True)
class RaggedDistances:
    """For each of some places a list of segments, and how far each is from the place, one list behind the other."""

    first: NDArray[np.intp]
    count: NDArray[np.intp]
    segment: NDArray[np.intp]
    distance_m: NDArray[np.float64]

    def of(self, place: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Give the positions of the entries of some places, and which of these places each is of."""
        return spread(self.first[place], self.count[place])


def no_lists(count: int) -> RaggedDistances:
    """Give places whose lists are empty."""
    first, lengths = np.zeros((2, count), dtype=np.intp)
    return RaggedDistances(first, lengths, first[:0], np.empty(0))


def blocks(count: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Take places with a list apart so that each part has about ``BLOCK`` entries; those without are left out."""
    there = np.flatnonzero(count)
    if len(there):
        part = np.cumsum(count[there]) // BLOCK
        yield from np.split(there, np.flatnonzero(np.diff(part)) + 1)
