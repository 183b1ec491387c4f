"""The vocabulary of spatial relations: names, labels, parameters, and which kinds of layers each is for.

This is the plain part, which rule packs are read with; ``ecospatial.relations`` holds what each relation does. A
relation of one's own is registered there, which adds its entry here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecospatial.model.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecospatial.model.kind import Kind


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that rules with a relation state.

    Attributes
    ----------
    key
        Its key in a rule pack.
    hint
        What the keeper of a pack is told when it is missing.
    """

    key: str
    hint: str = "请写距离（米）"


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """What a rule pack has to know of a relation.

    Attributes
    ----------
    name, label
        The value of ``relation`` in a pack, and its Chinese label.
    parameters
        The numbers that a rule has to state.
    areas_only
        Whether layers of lines and points are refused.
    reads_grid
        Whether the layer is a raster; other relations refuse one.
    kinds
        The only kinds it is for; empty: all that the other fields allow.
    distance_may_be_open
        Whether a rule may say that its text states no distance.
    watched
        Whether monitoring counts rules with it for a zone that changed.
    """

    name: str
    label: str
    parameters: tuple[Parameter, ...] = ()
    areas_only: bool = False
    reads_grid: bool = False
    kinds: tuple[str, ...] = ()
    distance_may_be_open: bool = False
    watched: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the parameters."""
        return tuple(parameter.key for parameter in self.parameters)

    def find_faults(self, kind: Kind) -> Iterator[tuple[str, str]]:
        """Say why a rule with this relation can not be on a kind, each with what to do."""
        raster = kind.shape == "raster"
        if self.areas_only and not raster and kind.shape != "polygon":
            yield f"{self.name} 只能用于面图层，{kind.name} 不是", "请改用 near"
        if raster and not self.reads_grid:
            yield f"{kind.name} 是栅格，不能用 {self.name}", "请改用 raster_above"
        if self.kinds and kind.name not in self.kinds:
            yield f"{self.name} 不能用于 {kind.name}", f"可选：{'、'.join(self.kinds)}"


# Kinds of grids whose values can be above a limit; classes and bands can not.
MEASURED_KINDS = ("dem", "slope", "flood_depth", "ndvi")
# Points that lie on a river, from which a stretch upstream and downstream can be measured.
RIVERSIDE_KINDS = tuple(kind.name for kind in KINDS.values() if kind.shape == "point" and kind.column("river"))

RELATION_SPECS: dict[str, RelationSpec] = {
    spec.name: spec
    for spec in (
        RelationSpec("overlaps", "占用", areas_only=True, watched=True),
        RelationSpec("near", "邻近", (Parameter("within_m"),), distance_may_be_open=True, watched=True),
        RelationSpec("outside", "位于范围外", areas_only=True),
        RelationSpec(
            "along_river", "沿河", (Parameter("upstream_m"), Parameter("downstream_m")), kinds=RIVERSIDE_KINDS
        ),
        RelationSpec(
            "raster_above", "栅格超限", (Parameter("above", "请写限值"),), reads_grid=True, kinds=MEASURED_KINDS
        ),
    )
}
