"""What a kind of layers is: its shape, its columns and its traits."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

RiverRole = Literal["", "green", "discharges", "receives"]
Shape = Literal["polygon", "line", "point", "bank", "raster"]
ColumnType = Literal["text", "number", "bool", "date"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a kind: its type, its Chinese label, its closed vocabulary, whether it may be empty."""

    name: str
    label: str
    type: ColumnType = "text"
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What a layer is of.

    ``shape`` "bank" is a line or the polygon between the banks; "raster" a grid of pixels, whose values are in
    ``unit``. A new kind is one row; everything that treats kinds differently asks their traits.

    Attributes
    ----------
    may_overlap
        Whether its features may lie on each other by law or by nature.
    within_district
        Whether a district draws it for itself and within itself; others may go on beyond its border.
    monitored
        Whether its ground may not change without leave, so that imagery is compared there.
    tiles_district
        Whether its features make up the whole district, without gap or overlap.
    class_column, level_column
        The column that its ledger is by, and the one of levels of protection that lie inside each other.
    counted
        Whether it has a ledger of areas.
    expected
        Whether every plan should list it.
    space
        The word of 三类空间 that the line of 三区三线 is drawn in.
    apart_from
        Kinds that it may not lie on.
    farmland
        Whether it may not lie on water.
    river_role
        Whether it counts as green beside rivers, or is listed above or below a section.
    order
        Its place where the kinds with one of these traits are listed.
    """

    name: str
    label: str
    shape: Shape
    columns: tuple[Column, ...] = ()
    unit: str = ""
    # Traits. Kinds of areas state each of the first three; a test fails when one does not.
    may_overlap: bool | None = None
    within_district: bool | None = None
    monitored: bool | None = None
    tiles_district: bool = False
    class_column: str = ""
    level_column: str = ""
    counted: bool = True
    expected: bool = False
    space: str = ""
    apart_from: tuple[str, ...] = ()
    farmland: bool = False
    river_role: RiverRole = ""
    order: int = 0

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((c for c in (*self.columns, *COMMON_COLUMNS) if c.name == name), None)


ACCURACY_BASES: Mapping[str, str] = MappingProxyType({"measured": "实测", "stated": "资料注明", "guessed": "估计"})
COMMON_COLUMNS = (
    Column("feature_id", "要素编号"),
    Column("feature_name", "名称"),
    Column("accuracy_m", "定位精度（米）", "number"),
    Column("accuracy_basis", "精度依据", words=tuple(ACCURACY_BASES)),
    # False: the place is known only as the street or town that the shape shows.
    Column("located", "位置已确定", "bool"),
)
