"""Centrelines as they were drawn -> reaches that meet in nodes, with a note of everything that was moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.network._arrays import at_on, first_of_each, places_on, points_at, xy_of
from ecospatial.network.components import label_components
from ecospatial.network.split import SAME_M, Cuts, cut_lines, ends_of, with_ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

SNAPPED, JOINED, STUB, DOUBLE = "端点吸附", "河口连至中心线", "过短线段删去", "重复线段删去"


@dataclass
class Notes:
    """What cleaning did: what, to which line of the input (its position), how far, where."""

    what: list[NDArray[Any]]
    line: list[NDArray[np.intp]]
    moved_m: list[NDArray[np.float64]]
    xy: list[NDArray[np.float64]]

    def add(self, what: str, line: NDArray[np.intp], moved_m: NDArray[np.float64], xy: NDArray[np.float64]) -> None:
        """Note one thing done to several lines."""
        self.what.append(np.full(len(line), what, dtype=object))
        self.line.append(np.asarray(line, dtype=np.intp))
        self.moved_m.append(np.asarray(moved_m, dtype=np.float64))
        self.xy.append(np.asarray(xy, dtype=np.float64).reshape(-1, 2))


@dataclass(frozen=True)
class Cleaned:
    """Reaches and nodes as arrays. ``row`` is the position of the line in the input, ``start_m`` metres along it.

    ``link`` marks what was drawn here, from a bank to a centreline; metres along it count from 0.
    """

    reach: NDArray[Any]
    row: NDArray[np.intp]
    start_m: NDArray[np.float64]
    link: NDArray[np.bool_]
    tail: NDArray[np.intp]
    head: NDArray[np.intp]
    node_xy: NDArray[np.float64]
    notes: Notes


def clean(geometry: NDArray[Any], *, snap_m: float, width_m: NDArray[np.float64], crossings: bool = True) -> Cleaned:
    """Turn lines into reaches that meet in nodes.

    Parameters
    ----------
    geometry
        Array of LineStrings or MultiLineStrings, metric CRS.
    snap_m
        Ends closer than this to another end or line are joined with it, metres.
    width_m
        Width of the water along each line; an end that lies inside another river's width is linked with its
        centreline. NaN or 0: not known.
    crossings
        Whether lines that cross are connected there.
    """
    notes = Notes([], [], [], [])
    lines, row = shapely.get_parts(geometry, return_index=True)
    whole = shapely.length(lines) > SAME_M
    lines, row = lines[whole], row[whole].astype(np.intp)
    base_m = _part_starts(lines, row)
    links, link_row, joints = _to_centrelines(lines, row, snap_m=snap_m, width_m=width_m, notes=notes)
    is_link = np.arange(len(lines) + len(links)) >= len(lines)
    base_m = np.concatenate([base_m, np.zeros(len(links))])
    lines, row = np.concatenate([lines, links]), np.concatenate([row, link_row])
    tree = shapely.STRtree(lines)
    crossed = _crossings(lines, tree) if crossings else Cuts.none()
    cuts = Cuts.joined(crossed, _touching_ends(lines, tree, snap_m), joints)
    parts, line, start_m = cut_lines(lines, cuts)
    first, last = ends_of(parts)
    node, node_xy = _nodes(np.concatenate([first, last]), max(snap_m, SAME_M))
    tail, head = node[: len(parts)], node[len(parts) :]
    moved = np.hypot(*(node_xy[node] - np.concatenate([first, last])).T)
    far = np.flatnonzero(moved > SAME_M)
    notes.add(SNAPPED, row[np.tile(line, 2)[far]], moved[far], node_xy[node[far]])
    # Inside a line nothing moves; only ends do, so that every reach ends exactly where its node is.
    keep = _proper(parts, tail, head, snap_m=snap_m, row=row[line], notes=notes)
    drawn = with_ends(parts[keep], node_xy[tail[keep]], node_xy[head[keep]])
    start_m = base_m[line] + start_m
    used, renumbered = np.unique(np.concatenate([tail[keep], head[keep]]), return_inverse=True)
    count = int(keep.sum())
    return Cleaned(
        drawn,
        row[line][keep],
        start_m[keep],
        is_link[line][keep],
        renumbered[:count],
        renumbered[count:],
        node_xy[used],
        notes,
    )


def _part_starts(lines: NDArray[Any], row: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give for each part of a multi-part line the metres before it."""
    lengths = shapely.length(lines)
    before = np.cumsum(lengths) - lengths
    if not len(row):
        return before
    first = np.flatnonzero(np.diff(row, prepend=-1))
    return np.asarray(before - before[first][np.cumsum(np.diff(row, prepend=-1) > 0) - 1], dtype=np.float64)


def _to_centrelines(
    lines: NDArray[Any],
    row: NDArray[np.intp],
    *,
    snap_m: float,
    width_m: NDArray[np.float64],
    notes: Notes,
) -> tuple[NDArray[Any], NDArray[np.intp], Cuts]:
    """Draw links from ends that lie in the water of another river to its centreline.

    Gives the links in the direction of their lines, the position of the line of each, and where the centrelines are
    met.
    """
    widths = np.nan_to_num(width_m)[row]
    reach = widths.max(initial=0.0) / 2
    if reach <= snap_m:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.intp), Cuts.none()
    points = points_at(np.concatenate(ends_of(lines)))
    own = np.tile(np.arange(len(lines)), 2)
    end, other = shapely.STRtree(lines).query(points, predicate="dwithin", distance=reach)
    foreign = row[own[end]] != row[other]
    end, other = end[foreign], other[foreign]
    distance = shapely.distance(points[end], lines[other])
    loose = np.ones(len(points), dtype=bool)
    loose[end[distance <= snap_m]] = False
    fits = loose[end] & (distance <= widths[other] / 2)
    end, other, distance = end[fits], other[fits], distance[fits]
    nearest = first_of_each(end, np.lexsort((other, distance, end)))
    end, other, distance = end[nearest], other[nearest], distance[nearest]
    at_m = at_on(lines[other], points[end])
    there, here = xy_of(places_on(lines[other], at_m)), xy_of(points[end])
    begins = (end < len(lines))[:, None]
    ends = np.stack([np.where(begins, there, here), np.where(begins, here, there)], axis=1)
    notes.add(JOINED, row[own[end]], distance, there)
    return np.asarray(shapely.linestrings(ends), dtype=object).reshape(-1), row[own[end]], Cuts(other, at_m, there)


def _crossings(lines: NDArray[Any], tree: shapely.STRtree) -> Cuts:
    """Find where lines cross or touch each other, and where one runs along another begins and ends."""
    left, right = tree.query(lines, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    shared = shapely.intersection(lines[left], lines[right])
    parts, pair = shapely.get_parts(shared, return_index=True)
    # Where lines run along each other, both are cut at the ends of what they share.
    thin = shapely.get_dimensions(parts) == 1
    points = np.concatenate([parts[~thin], shapely.get_point(parts[thin], 0), shapely.get_point(parts[thin], -1)])
    pair = np.concatenate([pair[~thin], pair[thin], pair[thin]])
    line = np.concatenate([left[pair], right[pair]])
    at_m = at_on(lines[line], np.tile(points, 2))
    return Cuts.joined(Cuts(line, at_m, np.tile(xy_of(points), (2, 1))), _own_crossings(lines))


def _own_crossings(lines: NDArray[Any]) -> Cuts:
    """Find where a line crosses itself or runs back along itself; a ring that only closes does neither."""
    found = [Cuts.none()]
    for i in np.flatnonzero(~shapely.is_simple(lines)):
        xy = shapely.get_coordinates(lines[i])
        pieces = np.asarray(shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)), dtype=object)
        lengths = shapely.length(pieces)
        before = np.cumsum(lengths) - lengths
        left, right = shapely.STRtree(pieces).query(pieces, predicate="intersects")
        shared = shapely.intersection(pieces[left], pieces[right])
        thin = (shapely.get_dimensions(shared) == 1) & (left != right)
        apart = np.abs(left - right) > 1
        own = np.concatenate([left[apart & ~thin], left[thin], left[thin]])
        points = np.concatenate([shared[apart & ~thin], *(shapely.get_point(shared[thin], k) for k in (0, -1))])
        at_m = before[own] + at_on(pieces[own], points)
        found.append(Cuts(np.full(len(at_m), i, dtype=np.intp), at_m, xy_of(points)))
    return Cuts.joined(*found)


def _touching_ends(lines: NDArray[Any], tree: shapely.STRtree, snap_m: float) -> Cuts:
    """Find where ends lie on, or within the tolerance of, the middle of a line: the nearest one of each end."""
    points = points_at(np.concatenate(ends_of(lines)))
    own = np.tile(np.arange(len(lines)), 2)
    end, other = tree.query(points, predicate="dwithin", distance=max(snap_m, SAME_M))
    lengths = shapely.length(lines)
    at_m = at_on(lines[other], points[end])
    margin = max(snap_m, SAME_M)
    middle = (at_m > margin) & (at_m < lengths[other] - margin) & (own[end] != other)
    end, other, at_m = end[middle], other[middle], at_m[middle]
    distance = shapely.distance(points[end], lines[other])
    nearest = first_of_each(end, np.lexsort((other, distance, end)))
    return Cuts(other[nearest], at_m[nearest], xy_of(places_on(lines[other[nearest]], at_m[nearest])))


def _nodes(xy: NDArray[np.float64], snap_m: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Make one node of ends that lie closer together than the tolerance.

    The node lies where most ends lie already; among equals where the first of them lies.
    """
    distinct, first, place, counts = np.unique(xy, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    distinct, counts, place = distinct[order], counts[order], rank[place.ravel()]
    points = points_at(distinct)
    left, right = shapely.STRtree(points).query(points, predicate="dwithin", distance=snap_m)
    once = left < right
    label = label_components(len(distinct), left[once], right[once])
    chosen = first_of_each(label, np.lexsort((np.arange(len(label)), -counts, label)))
    number = np.cumsum(label == np.arange(len(label))) - 1
    return number[label][place], distinct[chosen]


def _proper(
    parts: NDArray[Any],
    tail: NDArray[np.intp],
    head: NDArray[np.intp],
    *,
    snap_m: float,
    row: NDArray[np.intp],
    notes: Notes,
) -> NDArray[np.bool_]:
    """Tell which reaches stay: not those that shrank to a node, nor those drawn twice."""
    lengths = shapely.length(parts)
    middle = xy_of(places_on(parts, 0.5, share=True))
    stub = (tail == head) & (lengths <= 2 * max(snap_m, SAME_M))
    key = np.column_stack([np.minimum(tail, head), np.maximum(tail, head), lengths.round(3), middle.round(3)])
    _, first = np.unique(key, axis=0, return_index=True)
    double = np.ones(len(parts), dtype=bool)
    double[first] = False
    double &= ~stub
    for what, those in ((STUB, stub), (DOUBLE, double)):
        notes.add(what, row[those], lengths[those], middle[those])
    return np.asarray(~(stub | double), dtype=bool)
