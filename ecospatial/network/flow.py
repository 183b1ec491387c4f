"""What lies upstream and downstream: sets of reaches carried along the water, distances, stream order."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

# So many sections are carried at once: one bit each, and the memory stays below 128 bytes a node.
AT_ONCE = 1024
CHUNK = 8192


def upstream_bits(network: Network, reach: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Carry one bit per section against the water.

    Parameters
    ----------
    reach
        The reach each section lies on.

    Returns
    -------
    array of uint8
        Shape (nodes, ceil(sections / 8)), little endian bits: whether the water of a node reaches the upper end
        of the section's reach.
    """
    order, ring = network.downstream_order
    own = [0] * len(network.reaches)
    for number, i in enumerate(reach.tolist()):
        own[i] |= 1 << number
    held = [0] * len(network.nodes)
    start, leaving = network.leaving
    head = network.head.tolist()
    together = ring.tolist()
    position = len(order)
    while position:
        # All nodes of a ring hold the same; they stand together in the order.
        end, top = position, together[order[position - 1]]
        while position and together[order[position - 1]] == top:
            position -= 1
        bits = 0
        for node in order[position:end]:
            for i in leaving[start[node] : start[node + 1]]:
                bits |= own[i] | held[head[i]]
        for node in order[position:end]:
            held[node] = bits
    width = (len(reach) + 7) // 8
    packed = b"".join(bits.to_bytes(width, "little") for bits in held)
    return np.frombuffer(packed, dtype=np.uint8).reshape(len(held), width)


def upstream_totals(
    network: Network, reach: NDArray[np.intp], along_m: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count and measure what lies upstream of sections.

    Parameters
    ----------
    reach, along_m
        The reach each section lies on, and metres from the upper end of that reach.

    Returns
    -------
    count, length_m
        Reaches wholly or partly upstream, the section's own included; their length, of the own reach the part above
        the section (all of it where the water comes round in a ring).
    """
    count = np.zeros(len(reach), dtype=np.int64)
    length = np.zeros(len(reach))
    for first in range(0, len(reach), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        held = upstream_bits(network, reach[some])
        number = len(reach[some])
        for low in range(0, len(network.reaches), CHUNK):
            rows = held[network.head[low : low + CHUNK]]
            bits = np.unpackbits(rows, axis=1, bitorder="little", count=number)
            count[some] += bits.sum(axis=0, dtype=np.int64)
            length[some] += network.river_m[low : low + CHUNK] @ bits.astype(np.float64)
        own = np.arange(number)
        below = held[network.head[reach[some]], own // 8] >> (own % 8) & 1
        count[some] += 1 - below
        length[some] += np.where(below == 1, 0.0, along_m[some])
    return count, length


def upstream_members(network: Network, reach: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """List the reaches upstream of each of a few sections, the section's own included, in order of number."""
    found: list[NDArray[np.intp]] = []
    for first in range(0, len(reach), AT_ONCE):
        some = reach[first : first + AT_ONCE]
        held = upstream_bits(network, some)
        for number, own in enumerate(some.tolist()):
            above = (held[network.head, number // 8] >> (number % 8)) & 1
            above[own] = 1
            found.append(np.flatnonzero(above))
    return found


def distances(
    network: Network, reach: int, along_m: float, *, upstream: bool, within_m: float = np.inf
) -> dict[int, float]:
    """Measure how far the nodes lie along the river, against the water or with it.

    Parameters
    ----------
    reach, along_m
        The place: a reach, and metres from its upper end.
    upstream
        Against the water; else with it.
    within_m
        How far to look, metres.

    Returns
    -------
    dict
        Node -> metres along the shortest way, in order of distance.
    """
    (start, reaches), other = (network.entering, network.tail) if upstream else (network.leaving, network.head)
    first = network.tail[reach] if upstream else network.head[reach]
    rest = along_m if upstream else network.length_m[reach] - along_m
    found: dict[int, float] = {}
    heap = [(float(rest), int(first))]
    while heap:
        far, node = heapq.heappop(heap)
        if node in found or far > within_m:
            continue
        found[node] = far
        for i in reaches[start[node] : start[node + 1]]:
            beyond = int(other[i])
            if beyond not in found:
                heapq.heappush(heap, (far + float(network.length_m[i]), beyond))
    return found


def stream_order(network: Network) -> NDArray[np.int64]:
    """Give each reach its order after Strahler; 0 inside and below a ring of flow, where there is none.

    Where a river parts, the branch of the same name carries the order on (without one: the widest, then the first)
    and the others begin again with 1, so that branches that meet again do not raise it.
    """
    order, ring = network.downstream_order
    found = [0] * len(network.reaches)
    entering, leaving = network.entering, network.leaving
    alone = np.bincount(ring, minlength=len(ring))[ring] == 1
    loops = set(network.tail[network.tail == network.head].tolist())
    lost = ~alone
    lost[list(loops)] = True
    head = network.head.tolist()
    for node in order:
        out = leaving[1][leaving[0][node] : leaving[0][node + 1]]
        into = entering[1][entering[0][node] : entering[0][node + 1]]
        if lost[node]:
            for i in out:
                lost[head[i]] = True
            continue
        most = max((found[i] for i in into), default=1)
        rise = sum(found[i] == most for i in into) > 1
        carrier = _carrier(network, into, out, found)
        for i in out:
            found[i] = most + rise if i == carrier else 1
    return np.array(found, dtype=np.int64)


def _carrier(network: Network, into: list[int], out: list[int], order: list[int]) -> int:
    if len(out) < 2:
        return out[0] if out else -1
    if not into:
        return out[0]
    largest = max(into, key=lambda i: (order[i], -i))
    width = network.reaches["width_m"].to_numpy()
    name = network.rivers[largest]
    return min(out, key=lambda i: (network.rivers[i] != name or name is None, -np.nan_to_num(width[i]), i))
