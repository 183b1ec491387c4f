"""Where the absence of a feature means absence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from ecospatial.geometry import ROUNDING_M, SegmentIndex, ShapeIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class Coverage:
    """Where the absence of a feature means absence; prepared once, to be asked often.

    ``area`` is a polygon, metric CRS, or None: unknown, holds nothing. ``short_m`` says by how much it may be short of
    the coverage it stands for (a round corner drawn straight).
    """

    area: BaseGeometry | None
    short_m: float = 0.0

    @cached_property
    def edge(self) -> SegmentIndex:
        """Its edge, indexed."""
        return SegmentIndex.of(self.area)

    @cached_property
    def line(self) -> BaseGeometry:
        """Its edge as one line, prepared."""
        edge: Any = shapely.boundary(self.area)
        shapely.prepare(edge)
        return cast("BaseGeometry", edge)


@dataclass(frozen=True)
class Covered:
    """What a coverage holds of some sites; asked for distances up to ``reach_m``."""

    coverage: Coverage
    sites: ShapeIndex
    reach_m: float

    def within(self, within_m: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which sites it holds with everything within a distance of them; one for all, or one for each."""
        if self.coverage.area is None or self.coverage.area.is_empty:
            return np.zeros(len(self.sites), dtype=bool)
        held = self._held.copy()
        least = np.broadcast_to(np.asarray(within_m, dtype=float), held.shape)
        least = least - self.coverage.short_m - ROUNDING_M
        if (least > 0).any():
            nearest, furthest = self._between
            beyond = least > 0
            held &= ~beyond | (furthest >= least)
            open_ = np.flatnonzero(held & beyond & (nearest < least))
            distances: Any = least[open_]
            held[open_] = ~np.asarray(shapely.dwithin(self.coverage.line, self.sites.geometry[open_], distances))
        return held

    @cached_property
    def _between(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.coverage.edge.around(self.sites, reach_m=np.full(len(self.sites), self.reach_m)).bounds_m

    @cached_property
    def _held(self) -> NDArray[np.bool_]:
        area, nearest = self.coverage.area, self._between[0]
        shapely.prepare(area)
        # Where the edge is not within the circle round a site, all of the circle is on one side of it.
        middle = self.sites.circle[0]
        held = np.asarray(shapely.intersects_xy(area, middle[:, 0], middle[:, 1]), dtype=bool)
        open_ = np.flatnonzero(nearest <= ROUNDING_M)
        held[open_] = shapely.covers(area, self.sites.geometry[open_])
        return held
