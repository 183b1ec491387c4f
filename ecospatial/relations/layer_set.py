"""The layers of a kind as a plan holds them on a day, and what relations ask of the reader of layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import shapely

from ecospatial.relations.completeness import Coverage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.plans import Layer, Plan
    from ecospatial.relations.selection import FeatureSelection
    from ecospatial.rules import Rule


@dataclass(frozen=True)
class CoveragePart:
    """Where one layer is complete, and how wrong the edge of that area may be.

    ``accuracy_m`` is NaN where it is unknown; ``guessed`` says that the edge rests on a guess; ``short_m`` by how much
    the polygon may be short of the coverage it stands for.
    """

    area: BaseGeometry
    short_m: float
    accuracy_m: float
    guessed: bool

    @cached_property
    def covers_as(self) -> tuple[bytes, float]:
        """What tells coverages apart: kinds with the same one cover the same sites."""
        return self.area.wkb, self.short_m

    @cached_property
    def covering(self) -> Coverage:
        """The coverage, prepared."""
        return Coverage(self.area, self.short_m)


@dataclass(frozen=True)
class LayerSet:
    """A kind as a plan holds it on a day.

    ``frame`` is None when nothing of the kind can be read. ``gaps`` are sentences, one for each layer of the
    kind that is missing, altered, unreadable or empty: a hit still counts, but nothing is clear. ``broken`` says that
    the plan holds a layer that can not be used. ``blind`` are places that the coverage leaves out, and why.
    ``replaced`` are schematic layers that an official one stands in for.
    """

    kind: str
    layers: tuple[Layer, ...]
    frame: gpd.GeoDataFrame | None
    gaps: tuple[str, ...]
    only_none: bool
    parts: tuple[CoveragePart, ...]
    broken: bool = False
    blind: tuple[tuple[BaseGeometry, str], ...] = ()
    replaced: tuple[Layer, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether some layer of the kind can be read, or the plan says that there is none."""
        return self.frame is not None

    def blindness(self, site: Any) -> tuple[str, ...]:
        """Say why nothing can be told at a site, where that is known."""
        return tuple(why for place, why in self.blind if place.intersects(site))

    @cached_property
    def coverage(self) -> BaseGeometry | None:
        """Where the absence of a feature means absence: all coverages together; None where none is known."""
        areas = [part.area for part in self.parts]
        if not areas:
            return None
        return areas[0] if len(areas) == 1 else shapely.union_all(areas)

    @cached_property
    def whole(self) -> CoveragePart | None:
        """All coverages as one."""
        if self.coverage is None:
            return None
        if len(self.parts) == 1:
            return self.parts[0]
        return CoveragePart(self.coverage, max(part.short_m for part in self.parts), np.nan, False)


class LayerReader(Protocol):
    """Reads the layers of a plan on a day, each once."""

    plan: Plan
    on: dt.date
    sites: NDArray[Any]
    site_accuracy_m: float

    def stock(self, kind: str) -> LayerSet:
        """Return a kind as it stands on the day."""

    def select_where(self, rule: Rule) -> FeatureSelection:
        """Return the features of the kind of a rule that its ``where`` names."""

    def remember(self, key: tuple[Any, ...], make: Callable[[], Any], *, around_sites: bool = False) -> Any:
        """Return what was made under a key before, for these sites where it depends on them, or make it."""

    def coverage_parts(self, layers: Iterable[Layer]) -> tuple[CoveragePart, ...]:
        """Return the coverage of each layer that has one."""

    def edge_accuracy(self, layer: Layer) -> tuple[float, bool]:
        """Return the accuracy of the edge of the coverage of a layer, and whether it is a guess."""
