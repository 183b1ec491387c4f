"""From which zoom on each vertex is needed, so that a drawing is never more than a pixel off.

Lines are cut where they meet, and each piece is simplified once for all features that share it: neighbours keep a
common border at every zoom. The coverage simplifier of GEOS bounds the area of what it cuts off, not how far the line
moves (a long needle goes at once), and takes twenty times as long; Douglas and Peucker's bounds the distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_ZOOM = 6
TILE_PX = 256
# Each zoom is simplified from the next: 1/2 + 1/4 + 1/8 ... of its own pixel adds up to less than one.
TOLERANCE_PX = 0.48


def to_pixels(lon_lat: NDArray[np.float64], zoom: int) -> NDArray[np.float64]:
    """Give the pixels of web maps (spherical Mercator) at a zoom.

    Parameters
    ----------
    lon_lat
        Degrees, one row each.
    zoom
        The world is 256 pixels wide at zoom 0 and twice as wide at each further one.

    Examples
    --------
    >>> to_pixels(np.array([[0.0, 0.0], [180.0, 0.0]]), 0).tolist()
    [[128.0, 128.0], [256.0, 128.0]]
    """
    size = TILE_PX * 2.0**zoom
    y = np.arcsinh(np.tan(np.radians(lon_lat[:, 1]))) / np.pi
    return np.column_stack([(lon_lat[:, 0] / 360 + 0.5) * size, (0.5 - y / 2) * size])


def levels(
    pixels: NDArray[np.float64], ids: NDArray[np.intp], path: NDArray[np.intp], closed: NDArray[np.bool_], finest: int
) -> NDArray[np.intp]:
    """Give for each place the lowest zoom that needs it, and ``finest + 1`` for what no zoom needs.

    Parameters
    ----------
    pixels
        The different places, in pixels of the finest zoom.
    ids
        The vertices of all paths, as rows of ``pixels``; a closed path does not repeat its first vertex.
    path
        Number of the path of each vertex, ascending from 0.
    closed
        Whether each path is a ring.
    finest
        The zoom up to which the drawing is to be good.
    """
    found = np.full(len(pixels), finest + 1, dtype=np.intp)
    if not len(ids):
        return found
    vertices, piece = _pieces(ids, path, closed, len(pixels))
    corners = np.column_stack([pixels[vertices], vertices])
    lines = np.asarray(shapely.linestrings(corners, indices=piece), dtype=object)
    for zoom in range(finest, LEAST_ZOOM - 1, -1):
        lines = np.asarray(
            shapely.simplify(lines, TOLERANCE_PX * 2.0 ** (finest - zoom), preserve_topology=False), dtype=object
        )
        kept = shapely.get_coordinates(lines, include_z=True)[:, 2].astype(np.intp)
        found[kept] = zoom
        ended = shapely.get_num_coordinates(lines) <= 2
        # A piece of two ends stays as it is at every zoom.
        found[shapely.get_coordinates(lines[ended], include_z=True)[:, 2].astype(np.intp)] = LEAST_ZOOM
        lines = lines[~ended]
        if not len(lines):
            break
    return found


def _pieces(
    ids: NDArray[np.intp], path: NDArray[np.intp], closed: NDArray[np.bool_], places: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cut all paths where they meet others: the vertices of the pieces, and the number of the piece of each."""
    counts = np.bincount(path, minlength=len(closed))
    starts = np.cumsum(counts) - counts
    node = _nodes(ids, closed, starts, counts, places)
    ids, starts, counts = _turned(ids, closed & (counts > 1), starts, counts, node)
    inner = node[ids].copy()
    inner[starts] = inner[starts + counts - 1] = False
    twice = np.repeat(np.arange(len(ids)), 1 + inner)
    begins = np.zeros(len(twice), dtype=bool)
    begins[1:] = twice[1:] == twice[:-1]  # the second copy of a node begins the next piece
    begins |= np.isin(twice, starts) & ~np.concatenate([[False], twice[1:] == twice[:-1]])
    piece = np.cumsum(begins) - 1
    return _one_way(ids[twice], piece)


def _nodes(
    ids: NDArray[np.intp],
    closed: NDArray[np.bool_],
    starts: NDArray[np.intp],
    counts: NDArray[np.intp],
    places: int,
) -> NDArray[np.bool_]:
    """Find where paths meet, part or end; a ring that meets nothing has its place of the lowest number."""
    after = np.arange(len(ids)) + 1
    last = starts + counts - 1
    after[last] = starts
    joined = np.ones(len(ids), dtype=bool)
    joined[last[~closed]] = False
    here, there = ids[joined], ids[after[joined]]
    edges = np.unique(np.minimum(here, there).astype(np.int64) * places + np.maximum(here, there))
    degree = np.bincount(edges // places, minlength=places) + np.bincount(edges % places, minlength=places)
    node = degree != 2
    node[ids[starts[~closed]]] = node[ids[last[~closed]]] = True
    lonely = np.maximum.reduceat(node[ids].astype(np.int8), starts) == 0
    node[np.minimum.reduceat(ids, starts)[lonely]] = True
    return np.asarray(node, dtype=bool)


def _turned(
    ids: NDArray[np.intp],
    ring: NDArray[np.bool_],
    starts: NDArray[np.intp],
    counts: NDArray[np.intp],
    node: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Turn rings so that they begin at a node, and close them."""
    place = np.arange(len(ids))
    first = np.minimum.reduceat(np.where(node[ids], place, len(ids)), starts)
    shift = np.where(ring & (first < len(ids)), first - starts, 0)
    more = counts + ring
    begin = np.cumsum(more) - more
    owner = np.repeat(np.arange(len(counts)), more)
    step = np.arange(len(owner)) - begin[owner]
    return ids[starts[owner] + (step + shift[owner]) % counts[owner]], begin, more


def _one_way(ids: NDArray[np.intp], piece: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Turn every piece the same way round, whoever it was drawn by; a lone vertex becomes a piece of two."""
    counts = np.bincount(piece)
    starts = np.cumsum(counts) - counts
    last = starts + counts - 1
    near, far = ids[starts], ids[last]
    second, penultimate = ids[np.minimum(starts + 1, last)], ids[np.maximum(last - 1, starts)]
    back = (near > far) | ((near == far) & (second > penultimate))
    place = np.arange(len(ids))
    order = np.where(back[piece], starts[piece] + last[piece] - place, place)
    lone = np.repeat(order, 1 + (counts == 1)[piece])
    return ids[lone], np.repeat(piece, 1 + (counts == 1)[piece])
