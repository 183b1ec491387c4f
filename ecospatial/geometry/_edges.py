"""The edges of polygons as short runs of segments, so that an index can tell near from far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray


def runs(geometry: NDArray[Any], *, segments: int = 16) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Take rings and lines apart into runs of segments.

    Parameters
    ----------
    geometry
        Array of polygons or lines, single or multi-part; None and empty ones have no run.
    segments
        No run has more.

    Returns
    -------
    lines, owner
        Lines that together are the edge, and for each the position of the geometry it came from.

    Examples
    --------
    >>> lines, owner = runs(np.array([shapely.box(0, 0, 3, 3)]), segments=3)
    >>> shapely.length(lines).tolist(), owner.tolist()
    ([9.0, 3.0], [0, 0])
    """
    xy, first, count, owner = chains(geometry)
    # Each run starts with the last vertex of the run before.
    pieces = np.where(count > 1, (count + segments - 2) // segments, 0)
    number, of = spread(np.zeros_like(pieces), pieces)
    start = first[of] + number * segments
    size = np.minimum(start + segments, first[of] + count[of] - 1) - start + 1
    vertex, run = spread(start, size)
    made = shapely.linestrings(xy[vertex], indices=run) if len(of) else np.empty(0, dtype=object)
    return np.asarray(made, dtype=object), owner[of]


def chains(
    geometry: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Give the vertices of rings, lines and points, where each chain of them starts, how many it has, and its owner.

    The owner is the position of the geometry that a ring, line or point came from.
    """
    parts, owner = shapely.get_parts(np.asarray(geometry, dtype=object), return_index=True)
    flat = shapely.get_dimensions(parts) == 2
    rings, index = shapely.get_rings(parts[flat], return_index=True)
    xy, line = shapely.get_coordinates(np.concatenate([rings, parts[~flat]]), return_index=True)
    count = np.bincount(line, minlength=len(rings) + int((~flat).sum())).astype(np.intp)
    return xy, np.cumsum(count) - count, count, np.concatenate([owner[flat][index], owner[~flat]]).astype(np.intp)


def spread(start: NDArray[np.intp], count: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List ``count[i]`` positions from ``start[i]`` for each i, and which i each is of."""
    of = np.repeat(np.arange(len(count)), count)
    return np.arange(len(of)) + np.repeat(start - (np.cumsum(count) - count), count), of


def firsts(of: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give where each run of the same number starts."""
    return np.flatnonzero(np.diff(of, prepend=-1))
