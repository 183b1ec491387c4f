"""Zones on a grid through exactextract, which weighs every pixel by the exact share of it that a zone covers.

This module is what a worker process loads; it knows of arrays and files only. It needs the extra ``raster``.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial.raster._compat import libraries
from ecospatial.raster.pixels import Band, Box, Files, PixelQuery, plain_nodata, scaled, window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ecospatial.raster.grid import Grid

# So many pixels are held at once: with values, weights and shares about 150 MB for each process.
MAX_CELLS = 8_000_000
# A process is given its zones in several portions, so that none waits long for the last one.
PORTIONS = 8
_ee = libraries().exactextract
_RasterSource: Any = _ee.raster.RasterSource
_Feature: Any = _ee.feature.Feature
_FeatureSource: Any = _ee.feature.FeatureSource


@dataclass(frozen=True, slots=True)
class Operation:
    """One number, or array of numbers, wanted of each zone, in the terms of exactextract."""

    name: str
    stat: str
    of: PixelQuery
    weights: PixelQuery | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class _Source(_RasterSource):  # type: ignore[misc] # its library is loaded by name
    """A question as exactextract wants to see it."""

    def __init__(self, question: PixelQuery, files: Files, name: str) -> None:
        super().__init__()
        # exactextract tells sources apart by their names alone.
        self.set_name(name)
        self.question, self.files = question, files
        dataset = files.dataset(question.grid)
        whole = isinstance(question, Band) and not scaled(dataset, question)
        self.nodata = plain_nodata(dataset, question) if isinstance(question, Band) and whole else None

    def res(self) -> tuple[float, float]:
        return self.question.grid.step_x, self.question.grid.step_y

    def extent(self) -> tuple[float, float, float, float]:
        return self.question.grid.bounds

    def nodata_value(self) -> int | None:
        return self.nodata

    def srs_wkt(self) -> None:
        return None

    def read_window(self, x: int, y: int, nx: int, ny: int) -> Any:
        box = Box(x, y, nx, ny)
        if isinstance(self.question, Band) and self.nodata is not None:
            return window(self.files, self.question, box)[0]
        found = self.question.read(self.files, box)
        return found if np.ma.getmaskarray(found).any() else np.ma.getdata(found)


class _Zone(_Feature):  # type: ignore[misc] # as above
    """A zone as exactextract wants to see it."""

    def __init__(self, wkb: bytes) -> None:
        super().__init__()
        self.wkb = wkb

    def geometry(self) -> bytes:
        return self.wkb

    def fields(self) -> list[str]:
        return []


class _Zones(_FeatureSource):  # type: ignore[misc] # as above
    def __init__(self, wkb: Sequence[bytes]) -> None:
        super().__init__()
        self.wkb = wkb

    def count(self) -> int:
        return len(self.wkb)

    def __iter__(self) -> Iterator[_Zone]:
        return map(_Zone, self.wkb)

    def srs_wkt(self) -> None:
        return None


def extract(wkb: Sequence[bytes], operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Answer the operations for zones, in this process.

    Parameters
    ----------
    wkb
        Polygons in the CRS of the grids, as WKB; none of them empty.
    operations
        What is wanted; their grids have the same CRS.

    Returns
    -------
    list of dict
        For each zone its numbers by the names of the operations.
    """
    with Files() as files:
        sources: dict[int, _Source] = {}

        def source(question: PixelQuery | None) -> _Source | None:
            if question is None:
                return None
            if id(question) not in sources:
                sources[id(question)] = _Source(question, files, f"source{len(sources)}")
            return sources[id(question)]

        wanted = [_ee.Operation(o.stat, o.name, source(o.of), source(o.weights), dict(o.options)) for o in operations]
        found = _ee.exact_extract(None, _Zones(wkb), wanted, max_cells_in_memory=MAX_CELLS)
    return [zone["properties"] for zone in found]


def extract_in_parts(wkb: Sequence[bytes], operations: Sequence[Operation], *, jobs: int = 1) -> list[dict[str, Any]]:
    """Answer the operations for zones, in several processes; exactextract lets only one thread work.

    This process works too: it takes the portions that no other has begun, from the end.
    """
    if jobs <= 1 or len(wkb) < 2 * jobs:
        return extract(wkb, operations)
    cuts = np.linspace(0, len(wkb), jobs * PORTIONS + 1).astype(int)
    portions = [wkb[start:end] for start, end in pairwise(cuts)]
    results: list[list[dict[str, Any]]] = []
    # Not forked: neither GDAL nor the threads of this process survive that.
    with ProcessPoolExecutor(jobs - 1, mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(extract, portion, operations) for portion in portions]
        for portion, future in zip(reversed(portions), reversed(pending), strict=True):
            results.append(extract(portion, operations) if future.cancel() else future.result())
    return [zone for portion in reversed(results) for zone in portion]


def grids_of(operations: Sequence[Operation]) -> list[Grid]:
    """List the grids that operations read."""
    asked = [q for o in operations for q in (o.of, o.weights) if q is not None]
    return list({question.grid.path: question.grid for question in asked}.values())
