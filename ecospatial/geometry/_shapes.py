"""Shapes that are asked about many things: what the questions need of them is found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry._edges import firsts

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A neighbourhood is this many times as wide as those it is taken apart into.
FINER = 2
# Neighbourhoods are taken apart as long as one holds so many shapes in the mean: smaller ones cost more than they save.
FEWEST = 16
# Larger shapes are in no neighbourhood.
WIDE_M = 400.0


@dataclass(frozen=True)
class Level:
    """Neighbourhoods of one size: circles that hold all of the shapes in them.

    ``inside`` is for each shape its neighbourhood, -1 for wide ones; ``parent`` the one of the next coarser level.
    """

    middle: NDArray[np.float64]
    radius: NDArray[np.float64]
    parent: NDArray[np.intp]
    inside: NDArray[np.intp]


@dataclass(frozen=True)
class ShapeIndex:
    """An array of valid geometries in a metric CRS, none of them missing or empty."""

    geometry: NDArray[Any]

    @classmethod
    def of(cls, shapes: ShapeIndex | NDArray[Any]) -> ShapeIndex:
        """Take an array, or what was made of one before."""
        return shapes if isinstance(shapes, ShapeIndex) else cls(np.asarray(shapes, dtype=object))

    def __len__(self) -> int:
        """Count the shapes."""
        return len(self.geometry)

    def ready(self) -> None:
        """Find everything now, before several threads ask: an index is only built when it is first asked."""
        for tree in (self.tree, self.middles):
            tree.query(shapely.Point(0, 0))
        _ = self.dimension, self.outline, self.first_vertex, self.levels

    @cached_property
    def dimension(self) -> NDArray[np.int32]:
        """2 for polygons, 1 for lines, 0 for points."""
        return np.asarray(shapely.get_dimensions(self.geometry))

    @cached_property
    def outline(self) -> NDArray[Any]:
        """The edges of polygons; lines and points as they are."""
        shapes = self.geometry.copy()
        areal = np.flatnonzero(self.dimension == 2)
        shapes[areal] = shapely.boundary(self.geometry[areal])
        return shapes

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index over the shapes: many of them are asked fastest by the few that they are compared with."""
        return shapely.STRtree(self.geometry)

    @cached_property
    def first_vertex(self) -> NDArray[np.float64]:
        """The first vertex of each."""
        xy, index = shapely.get_coordinates(self.geometry, return_index=True)
        found = np.full((len(self), 2), np.nan)
        change = firsts(index)
        found[index[change]] = xy[change]
        return found

    @cached_property
    def circle(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The middle and the radius of a circle that holds each."""
        bounds = np.asarray(shapely.bounds(self.geometry)).reshape(-1, 4)
        size = bounds[:, 2:] - bounds[:, :2]
        return (bounds[:, :2] + bounds[:, 2:]) / 2, np.hypot(size[:, 0], size[:, 1]) / 2

    @cached_property
    def middles(self) -> shapely.STRtree:
        """Index over the middles."""
        middles: Any = shapely.points(self.circle[0])
        return shapely.STRtree(middles)

    @cached_property
    def levels(self) -> list[Level]:
        """Neighbourhoods, coarse ones first, as long as they hold several shapes."""
        xy, radius = self.circle
        small = np.flatnonzero(radius <= WIDE_M)
        levels: list[Level] = []
        if not len(small):
            return levels
        xy, radius = xy[small], radius[small]
        origin = xy.min(axis=0)
        size = float((xy.max(axis=0) - origin).max())
        finest = max(2 * float(np.median(radius)), 1.0)
        count, place = 1, np.zeros(len(small), dtype=np.intp)
        while count * FEWEST < len(small) and size > finest:
            size /= FINER
            cell = np.floor((xy - origin) / size).astype(np.intp)
            code, some, within = np.unique(cell[:, 0] << 32 | cell[:, 1], return_index=True, return_inverse=True)
            count = len(code)
            largest = np.zeros(count)
            np.maximum.at(largest, within, radius)
            inside = np.full(len(self), -1, dtype=np.intp)
            inside[small] = within
            middle = origin + (cell[some] + 0.5) * size
            levels.append(Level(middle, size * np.sqrt(0.5) + largest, place[some], inside))
            place = within
        return levels
