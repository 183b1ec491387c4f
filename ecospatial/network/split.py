"""Lines cut at many places at once, as flat arrays of vertices: no loop over features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.network._arrays import places_on, xy_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Two places on a line closer than this are one: metric coordinates of seven digits carry 1e-9 m of rounding.
SAME_M = 1e-6


@dataclass(frozen=True)
class Cuts:
    """Places where lines are to be cut: position of the line, metres along it, and the point itself."""

    line: NDArray[np.intp]
    at_m: NDArray[np.float64]
    xy: NDArray[np.float64]

    @classmethod
    def none(cls) -> Cuts:
        """No place at all."""
        return cls(np.empty(0, dtype=np.intp), np.empty(0), np.empty((0, 2)))

    @classmethod
    def joined(cls, *several: Cuts) -> Cuts:
        """Put several sets of places together."""
        return cls(
            np.concatenate([cuts.line for cuts in several]),
            np.concatenate([cuts.at_m for cuts in several]),
            np.concatenate([cuts.xy for cuts in several]),
        )


def cut_lines(lines: NDArray[Any], cuts: Cuts) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.float64]]:
    """Cut lines; a place at the end of a line, or given twice, cuts once or not at all.

    Parameters
    ----------
    lines
        Array of LineStrings in a metric CRS, none of length 0.
    cuts
        Where to cut. The point given becomes a vertex of both parts, so that lines cut at one point share it.

    Returns
    -------
    parts, owner, start_m
        The parts in the order of the lines and along each of them; the position of the line each came from;
        metres along that line where the part begins.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (10, 0)])])
    >>> places = Cuts(np.array([0, 0]), np.array([4.0, 10.0]), np.array([[4.0, 0.0], [10.0, 0.0]]))
    >>> parts, owner, start_m = cut_lines(line, places)
    >>> shapely.length(parts).tolist(), owner.tolist(), start_m.tolist()
    ([4.0, 6.0], [0, 0], [0.0, 4.0])
    """
    if not len(lines):
        return lines, np.empty(0, dtype=np.intp), np.empty(0)
    xy, owner, at_m = along(lines)
    lengths = shapely.length(lines)
    inner = (cuts.at_m > SAME_M) & (cuts.at_m < lengths[cuts.line] - SAME_M)
    every_owner = np.concatenate([owner, cuts.line[inner]])
    every_at = np.concatenate([at_m, cuts.at_m[inner]])
    every_xy = np.concatenate([xy, cuts.xy[inner]])
    is_cut = np.concatenate([np.zeros(len(xy), dtype=bool), np.ones(int(inner.sum()), dtype=bool)])
    order = np.lexsort((is_cut, every_at, every_owner))
    every_owner, every_at, every_xy, is_cut = (
        every_owner[order], every_at[order], every_xy[order], is_cut[order],
    )  # fmt: skip
    keep = _distinct(every_owner, every_at, is_cut)
    every_owner, every_at, every_xy, is_cut = every_owner[keep], every_at[keep], every_xy[keep], is_cut[keep]
    twice = np.where(is_cut, 2, 1)
    copies = np.repeat(np.arange(len(is_cut)), twice)
    second = np.zeros(len(copies), dtype=bool)
    second[1:] = copies[1:] == copies[:-1]
    part = every_owner[copies] + np.cumsum(second)
    parts = np.asarray(shapely.linestrings(every_xy[copies], indices=part), dtype=object)
    first = np.flatnonzero(np.diff(part, prepend=-1))
    return parts, every_owner[copies][first], every_at[copies][first]


def along(lines: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Give the vertices of all lines, the position of the line of each, and metres along it."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    step[first] = 0.0
    total = np.cumsum(step)
    return xy, owner.astype(np.intp), total - total[first][np.cumsum(np.diff(owner, prepend=-1) > 0) - 1]


def _distinct(owner: NDArray[np.intp], at_m: NDArray[np.float64], is_cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out vertices where a cut lies, and cuts where another one lies; the ends of lines stay."""
    close = (np.diff(owner) == 0) & (np.diff(at_m) <= SAME_M)
    end = np.ones(len(owner), dtype=bool)
    end[1:-1] = (np.diff(owner)[:-1] != 0) | (np.diff(owner)[1:] != 0)
    keep = np.ones(len(owner), dtype=bool)
    keep[1:] &= ~(close & is_cut[:-1] & is_cut[1:])
    for here, there in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        keep[here] &= ~(close & is_cut[there] & ~is_cut[here] & ~end[here])
    return keep


def with_ends(lines: NDArray[Any], first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[Any]:
    """Move the first and the last vertex of each line to given points, shape (n, 2)."""
    if not len(lines):
        return lines
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = np.append(begins[1:], len(xy)) - 1
    xy[begins], xy[ends] = first, last
    return np.asarray(shapely.linestrings(xy, indices=owner), dtype=object)


def ends_of(lines: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the first and the last vertex of each line, each of shape (n, 2)."""
    return (
        xy_of(shapely.get_point(lines, 0)),
        xy_of(shapely.get_point(lines, -1)),
    )


def substrings(lines: NDArray[Any], from_m: NDArray[np.float64], to_m: NDArray[np.float64]) -> NDArray[Any]:
    """Take the part of each line between two places on it; a part of no length is None.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (10, 0), (10, 10)])])
    >>> substrings(line, np.array([5.0]), np.array([12.0]))[0].wkt
    'LINESTRING (5 0, 10 0, 10 2)'
    """
    found = np.full(len(lines), None, dtype=object)
    whole = shapely.length(lines)
    low, high = np.clip(from_m, 0.0, whole), np.clip(to_m, 0.0, whole)
    rows = np.flatnonzero(high - low > SAME_M)
    if not len(rows):
        return found
    both = np.concatenate([low[rows], high[rows]])
    line = np.tile(np.arange(len(rows)), 2)
    xy = xy_of(places_on(lines[rows][line], both))
    parts, owner, start_m = cut_lines(lines[rows], Cuts(line.astype(np.intp), both, xy))
    middle = start_m + shapely.length(parts) / 2
    wanted = (middle > low[rows][owner]) & (middle < high[rows][owner])
    found[rows[owner[wanted]]] = parts[wanted]
    return found
