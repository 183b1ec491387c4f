"""What is read from grids, window by window: a band, class membership, class borders, NDVI, two dates at once.

Each question is a small record that can be sent to another process; ``read`` answers it for one window.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import numpy as np

from ecospatial.raster._compat import libraries
from ecospatial.raster.grid import Grid, opened, readable

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

Values = tuple["NDArray[Any]", "NDArray[np.bool_]"]


class Box(NamedTuple):
    """A window of a grid in pixels: first column and row, columns and rows; it may reach past the grid."""

    x: int
    y: int
    nx: int
    ny: int

    def wider(self, by: int) -> Box:
        """Add pixels on every side."""
        return Box(self.x - by, self.y - by, self.nx + 2 * by, self.ny + 2 * by)


class Files:
    """The files of some grids, each opened once."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._open: dict[Any, Any] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all files; a fault of reading becomes ours."""
        self._stack.__exit__(kind, fault, trace)

    def dataset(self, grid: Grid) -> Any:
        """Give the open file of a grid."""
        if grid.path not in self._open:
            self._open[grid.path] = self._stack.enter_context(opened(grid.path))
        return self._open[grid.path]


class PixelQuery(Protocol):
    """Something that a grid answers for each pixel."""

    @property
    def grid(self) -> Grid:
        """The grid whose pixels answer."""

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window; what can not be told is masked."""


@dataclass(frozen=True, slots=True)
class Band:
    """The values of a band, in the unit of the file: its scale and offset are applied."""

    grid: Grid
    number: int = 1

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        values, valid = window(files, self, box)
        return np.ma.masked_array(values, ~valid)


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a pixel is of some classes: 1 or 0, masked where the class is not known.

    With ``least`` only patches of at least so many pixels (joined by their sides) count.
    """

    grid: Grid
    values: tuple[int, ...]
    least: int = 1

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        # A patch that is too small and touches the window lies wholly within the margin.
        margin = self.least if self.least > 1 else 0
        values, valid = window(files, Band(self.grid), box.wider(margin))
        inside = valid & np.isin(values, self.values)
        if margin:
            sieve = libraries().rasterio.features.sieve
            inside &= sieve(inside.astype(np.uint8), self.least, connectivity=4).astype(bool)
        known = valid & np.isin(values, list(self.grid.classes)) if self.grid.classes else valid
        return _inner(inside.astype(np.uint8), known, margin)


@dataclass(frozen=True, slots=True)
class Border:
    """How many of the four sides of a pixel are a border between members and others; masked like the members."""

    member: Member | Greener

    @property
    def grid(self) -> Grid:
        """The grid whose pixels answer."""
        return self.member.grid

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        found = self.member.read(files, box.wider(1))
        inside, known = found.filled(0).astype(bool), ~np.ma.getmaskarray(found)
        sides = np.zeros(inside.shape, dtype=np.uint8)
        for axis in (0, 1):
            first, second = _halves(inside, axis), _halves(known, axis)
            differ = (first[0] != first[1]) & second[0] & second[1]
            for half in _halves(sides, axis):
                half += differ
        return _inner(sides, known, 1)


@dataclass(frozen=True, slots=True)
class Ndvi:
    """(near infrared - red) / (near infrared + red) of a grid with these bands."""

    grid: Grid

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        red, seen = window(files, Band(self.grid, self.grid.bands["red"]), box)
        infrared, also = window(files, Band(self.grid, self.grid.bands["nir"]), box)
        red, infrared = red.astype(np.float64), infrared.astype(np.float64)
        total = infrared + red
        valid = seen & also & (total > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.ma.masked_array((infrared - red) / total, ~valid)


@dataclass(frozen=True, slots=True)
class Greener:
    """Whether an answer is above a limit: 1 or 0."""

    of: Ndvi | Band
    above: float

    @property
    def grid(self) -> Grid:
        """The grid whose pixels answer."""
        return self.of.grid

    def read(self, files: Files, box: Box) -> np.ma.MaskedArray[Any, Any]:
        """Answer for a window."""
        found = self.of.read(files, box)
        mask = np.ma.getmaskarray(found)
        return np.ma.masked_array((found.filled(0) > self.above).astype(np.uint8) * ~mask, mask)


def window(files: Files, band: Band, box: Box) -> Values:
    """Read a window of a band: its values, and which of them hold data; nothing holds data beyond the grid."""
    grid, dataset = band.grid, files.dataset(band.grid)
    west, north = max(box.x, 0), max(box.y, 0)
    east, south = min(box.x + box.nx, grid.width), min(box.y + box.ny, grid.height)
    scale, offset = dataset.scales[band.number - 1], dataset.offsets[band.number - 1]
    dtype = np.dtype(np.float64) if scaled(dataset, band) else np.dtype(dataset.dtypes[band.number - 1])
    values = np.zeros((box.ny, box.nx), dtype=dtype)
    valid = np.zeros((box.ny, box.nx), dtype=bool)
    if east <= west or south <= north:
        return values, valid
    part = ((north, south), (west, east))
    with readable(grid.path):
        raw = dataset.read(band.number, window=part)
    place = np.s_[north - box.y : south - box.y, west - box.x : east - box.x]
    values[place] = raw * scale + offset if scaled(dataset, band) else raw
    valid[place] = _valid(raw, dataset, band, part)
    return values, valid


def _valid(raw: NDArray[Any], dataset: Any, band: Band, part: Any) -> NDArray[np.bool_]:
    finite = np.isfinite(raw) if raw.dtype.kind == "f" else np.ones(raw.shape, dtype=bool)
    if whole_file(dataset, band):
        return finite
    nodata = plain_nodata(dataset, band)
    if nodata is not None:
        return np.asarray(raw != nodata, dtype=bool)
    return np.asarray(finite & (dataset.read_masks(band.number, window=part) > 0), dtype=bool)


def scaled(dataset: Any, band: Band) -> bool:
    """Whether the file holds other numbers than it means."""
    return (dataset.scales[band.number - 1], dataset.offsets[band.number - 1]) != (1.0, 0.0)


def whole_file(dataset: Any, band: Band) -> bool:
    """Whether the file says that every pixel of a band holds data."""
    flags = {flag.name for flag in dataset.mask_flag_enums[band.number - 1]}
    nodata = dataset.nodatavals[band.number - 1]
    kind = np.dtype(dataset.dtypes[band.number - 1])
    # -9999 in a file of bytes stands for nothing, and must not be taken for a byte.
    impossible = kind.kind in "iu" and nodata is not None and not _holds(kind, nodata)
    return flags == {"all_valid"} or (flags <= {"nodata", "all_valid"} and impossible)


def plain_nodata(dataset: Any, band: Band) -> int | None:
    """Give the one whole number that says no data; None when it is said otherwise or not at all."""
    flags = {flag.name for flag in dataset.mask_flag_enums[band.number - 1]}
    nodata = dataset.nodatavals[band.number - 1]
    kind = np.dtype(dataset.dtypes[band.number - 1])
    plain = flags == {"nodata"} and nodata is not None and kind.kind in "iu"
    return int(nodata) if plain and _holds(kind, nodata) else None


def _holds(kind: np.dtype[Any], number: float) -> bool:
    limits = np.iinfo(kind)
    return float(number).is_integer() and limits.min <= number <= limits.max


def _inner(values: NDArray[Any], known: NDArray[np.bool_], margin: int) -> np.ma.MaskedArray[Any, Any]:
    cut = np.s_[margin : values.shape[0] - margin, margin : values.shape[1] - margin]
    return np.ma.masked_array(values[cut], ~known[cut])


def _halves(array: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    return (array[:-1], array[1:]) if axis == 0 else (array[:, :-1], array[:, 1:])
