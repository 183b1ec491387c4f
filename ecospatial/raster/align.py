"""Two land cover grids looked at together, pixel by pixel of the older one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Transformer

from ecospatial import crs as crs_
from ecospatial.plans.raster_metadata import COVERS
from ecospatial.raster.pixels import Band, Box, Files, window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.raster.grid import Grid

    Codes = NDArray[np.int16]

WORDS = tuple(COVERS)
UNKNOWN = np.int16(-1)
# A pair of classes as one number: the older times this plus the newer.
BASE = 100
# Grids whose pixels lie this close to each other, in pixels, are the same grid.
_SAME_PIXEL = 1e-3


@dataclass(frozen=True, slots=True)
class GridPair:
    """The classes of two dates for each pixel of the older grid: older times ``BASE`` plus newer.

    The newer grid may have other pixels or another CRS: then the pixel that holds the centre of ours counts.
    """

    old: Grid
    new: Grid

    @property
    def grid(self) -> Grid:
        """The grid whose pixels answer."""
        return self.old

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        before, after = self.codes(files, box)
        both = (before != UNKNOWN) & (after != UNKNOWN)
        return np.ma.masked_array(np.where(both, before * BASE + after, 0).astype(np.int16), ~both)

    def codes(self, files: Files, box: Box) -> tuple[Codes, Codes]:
        """Give the classes of both dates for a window, as positions in ``WORDS``; -1 where not known."""
        before = _codes(self.old, *window(files, Band(self.old), box))
        shift = offset(self.old, self.new)
        if shift is not None:
            moved = Box(box.x + shift[0], box.y + shift[1], box.nx, box.ny)
            return before, _codes(self.new, *window(files, Band(self.new), moved))
        return before, _nearest(self.old, self.new, files, box)


def offset(old: Grid, new: Grid) -> tuple[int, int] | None:
    """Give the columns and rows by which the same pixel stands further on in the newer grid.

    None when the two do not share their pixels.
    """
    if not crs_.same(old.crs, new.crs):
        return None
    longest = max(old.width, old.height, new.width, new.height)
    for mine, theirs in ((old.step_x, new.step_x), (old.step_y, new.step_y)):
        if abs(mine - theirs) * longest > _SAME_PIXEL * mine:
            return None
    columns, rows = (old.west - new.west) / old.step_x, (new.north - old.north) / old.step_y
    if max(abs(columns - round(columns)), abs(rows - round(rows))) > _SAME_PIXEL:
        return None
    return round(columns), round(rows)


def _codes(grid: Grid, values: NDArray[Any], valid: NDArray[np.bool_]) -> Codes:
    known = np.array(sorted(grid.classes), dtype=np.int64)
    codes = np.array([WORDS.index(grid.classes[int(value)]) for value in known], dtype=np.int16)
    whole = values.astype(np.int64)
    at = np.minimum(np.searchsorted(known, whole), len(known) - 1)
    return np.where(valid & (known[at] == whole), codes[at], UNKNOWN).astype(np.int16)


def _nearest(old: Grid, new: Grid, files: Files, box: Box) -> Codes:
    x = old.west + (box.x + np.arange(box.nx) + 0.5) * old.step_x
    y = old.north - (box.y + np.arange(box.ny) + 0.5) * old.step_y
    xs, ys = np.meshgrid(x, y)
    if not crs_.same(old.crs, new.crs):
        crs_.require_known_shift(old.crs, new.crs)
        xs, ys = Transformer.from_crs(old.crs, new.crs, always_xy=True).transform(xs, ys)
    columns = np.floor((xs - new.west) / new.step_x)
    rows = np.floor((new.north - ys) / new.step_y)
    inside = (columns >= 0) & (columns < new.width) & (rows >= 0) & (rows < new.height)
    found = np.full(xs.shape, UNKNOWN, dtype=np.int16)
    if not inside.any():
        return found
    column, row = columns[inside].astype(np.int64), rows[inside].astype(np.int64)
    first = Box(int(column.min()), int(row.min()), int(np.ptp(column)) + 1, int(np.ptp(row)) + 1)
    codes = _codes(new, *window(files, Band(new), first))
    found[inside] = codes[row - first.y, column - first.x]
    return found


def confirmed(before: Codes, after: Codes, tolerance: int) -> NDArray[np.bool_]:
    """Tell which pixels changed in a way that a shift of the picture does not explain.

    A pixel that went from class a to class b is explained by a shift of up to ``tolerance`` pixels when the older
    date has b within that distance of it and the newer date has a (what is not known may be either). What is not
    explained is confirmed, and with it what is within the tolerance of it and changed in the same way.

    Parameters
    ----------
    before, after
        Classes of both dates, -1 where not known. Results within twice the tolerance of the edge of the arrays are
        not to be relied on.
    tolerance
        Pixels; 0 confirms every change.

    Examples
    --------
    >>> before = np.zeros((9, 9), dtype=np.int16)
    >>> before[:, 5:] = 1
    >>> shifted, grown = np.roll(before, 1, axis=1), before.copy()
    >>> shifted[:, 0] = 0
    >>> grown[3:6, 2:5] = 1
    >>> int(confirmed(before, shifted, 1).sum()), int(confirmed(before, grown, 1).sum())
    (0, 9)
    """
    changed: NDArray[np.bool_] = (before != after) & (before != UNKNOWN) & (after != UNKNOWN)
    if tolerance <= 0 or not changed.any():
        return changed
    new_was_near, old_is_near = np.zeros_like(changed), np.zeros_like(changed)
    for here, there in _shifts(changed.shape, tolerance):
        new_was_near[here] |= (before[there] == after[here]) | (before[there] == UNKNOWN)
        old_is_near[here] |= (after[there] == before[here]) | (after[there] == UNKNOWN)
    seeds = changed & ~(new_was_near & old_is_near)
    found = seeds.copy()
    for here, there in _shifts(changed.shape, tolerance):
        found[here] |= seeds[there] & (before[there] == before[here]) & (after[there] == after[here])
    return np.asarray(found & changed, dtype=bool)


def _shifts(shape: tuple[int, ...], by: int) -> list[tuple[Any, Any]]:
    """List pairs of slices that lay an array over itself, moved by up to so many pixels."""
    found = []
    for down in range(-by, by + 1):
        for right in range(-by, by + 1):
            here = np.s_[max(0, -down) : shape[0] - max(0, down), max(0, -right) : shape[1] - max(0, right)]
            there = np.s_[max(0, down) : shape[0] - max(0, -down), max(0, right) : shape[1] - max(0, -right)]
            found.append((here, there))
    return found
