"""Boundary points by their numbers: J1, J3, J2 is an outline out of order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ecospatial.errors import Problem
from ecospatial.io._encoding import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERED = re.compile(r"(\D*)(\d{1,9})")
_WAY = "请按界址点的连接顺序重新编号或排列；点号没有先后含义的，请清空点号列"


@dataclass(frozen=True, slots=True)
class Corner:
    """One vertex as it stands in the file."""

    row: int
    ring: str
    point: str
    first: float
    second: float


def in_number_order(corners: list[Corner], faults: list[Problem], file: str) -> tuple[list[Corner], str]:
    """Put the corners of rings into the order of their numbers where they stand in another one.

    Neighbouring parcels share points, so the numbers of a ring need not rise from corner to corner: a ring that
    is simple as it stands and whose numbers have gaps, or do not begin with 1, stays. A ring numbered without gaps,
    or one that crosses itself, is sorted when that makes it simple; else its order is not known, and it is refused.

    Parameters
    ----------
    corners
        Of one parcel, ring by ring.
    faults
        What can not be settled is added here.
    file
        Name of the file, for messages.

    Returns
    -------
    tuple
        The corners, and what was done in words.

    Examples
    --------
    >>> square = [("J1", 0, 0), ("J3", 9, 9), ("J2", 9, 0), ("J4", 0, 9)]
    >>> corners = [Corner(row, "1", name, x, y) for row, (name, x, y) in enumerate(square, 1)]
    >>> sorted_, note = in_number_order(corners, [], "红线.txt")
    >>> [corner.point for corner in sorted_], note
    (['J1', 'J2', 'J3', 'J4'], '第 1 圈的点号不按顺序，已按点号连线')
    """
    found: list[Corner] = []
    notes = []
    for name, run in groupby(corners, key=lambda corner: corner.ring):
        ring = list(run)
        made = _ring_in_order(ring, faults, file)
        notes += [f"第 {shown(name)} 圈的点号不按顺序，已按点号连线"] if made is not ring else []
        found += made
    return found, "；".join(notes)


def _ring_in_order(ring: list[Corner], faults: list[Problem], file: str) -> list[Corner]:
    distinct = list({(corner.point, corner.first, corner.second): corner for corner in ring}.values())
    numbers = _numbers(distinct)
    if numbers is None or _is_cyclic(numbers):
        return ring
    ordered = [distinct[i] for i in np.argsort(numbers)]
    stands, ordered_stands = _is_simple(distinct), _is_simple(ordered)
    without_gaps = max(numbers) - min(numbers) + 1 == len(numbers)
    if ordered_stands and (without_gaps or not stands):
        return ordered
    if stands and not (without_gaps and min(numbers) == 1):
        return ring
    here = next(k for k in range(1, len(numbers)) if abs(numbers[k] - numbers[k - 1]) != 1)
    names = "、".join(shown(corner.point) for corner in distinct[:6]) + ("…" if len(distinct) > 6 else "")
    fault = f"点号不按顺序（{names}），按点号排列后边界仍自相交，无法确定怎样连线"
    faults.append(Problem(file, distinct[here].row, fault, _WAY))
    return ring


def _numbers(corners: Sequence[Corner]) -> list[int] | None:
    """Read the numbers of corners; None when they are not all different numbers after the same letters."""
    found = [_NUMBERED.fullmatch(corner.point.strip().removesuffix(".0")) for corner in corners]
    if len(corners) < 4 or not all(found):
        return None
    parts = [one.groups() for one in found if one is not None]
    numbers = [int(number) for _, number in parts]
    return numbers if len({letters for letters, _ in parts}) == 1 and len(set(numbers)) == len(numbers) else None


def _is_cyclic(numbers: list[int]) -> bool:
    """Tell whether numbers rise or fall all the way round, wherever they begin."""
    steps = np.diff([*numbers, numbers[0]])
    return int((steps < 0).sum()) == 1 or int((steps > 0).sum()) == 1


def _is_simple(corners: Sequence[Corner]) -> bool:
    return bool(shapely.Polygon([(corner.first, corner.second) for corner in corners]).is_valid)
