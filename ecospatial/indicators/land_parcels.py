"""What a plan holds of a kind on a day, and what is missing from whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS
from ecospatial.plans import match_column

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Layer, Plan
    from ecospatial.plans.targets import TargetPart

# What a coverage may be short of the district: edges of two files that mean the same line differ by rounding.
SHORT_SHARE = 1e-6


@dataclass(frozen=True)
class KindOnDay:
    """A kind on a day.

    ``frame`` is None when nothing of it can be read; ``gaps`` says why, or what else is missing; ``whole`` whether its
    coverage holds the district, so that what is not there does not exist.
    """

    kind: str
    frame: gpd.GeoDataFrame | None
    layers: tuple[Layer, ...]
    gaps: tuple[str, ...]
    whole: bool

    @property
    def names(self) -> str:
        """Names of the layers that were read."""
        return ";".join(layer.name for layer in self.layers)

    @property
    def accuracy_m(self) -> float | None:
        """Of the worst layer; None when any is unknown."""
        known = [layer.accuracy_m for layer in self.layers]
        return None if any(value is None for value in known) else max((x for x in known if x is not None), default=0.0)

    @property
    def schematic(self) -> bool:
        """Whether any of the layers is drawn by hand."""
        return any(layer.status == "schematic" for layer in self.layers)

    def chosen(self, part: TargetPart) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Give the features that a ``where`` names, and these with those of which it can not be told."""
        if self.frame is None:
            raise AssertionError(self.kind)
        sure = np.ones(len(self.frame), dtype=bool)
        possible = np.ones(len(self.frame), dtype=bool)
        for column, values in part.where:
            means, may = match_column(self.frame, column, values, self.layers)
            sure &= means
            possible &= may
        return self.frame[sure], self.frame[possible]


def holding(plan: Plan, kind: str, on: dt.date) -> KindOnDay:
    """Read a kind as it stands on a day.

    Parameters
    ----------
    plan
        The plan.
    kind
        One of ``ecospatial.model.KINDS``.
    on
        The day.
    """
    listed = plan.of_kind(kind)
    standing = [layer for layer in listed if layer.valid_on(on)]
    gaps = []
    if not listed:
        gaps.append(f"{KINDS[kind].label}图层未取得，规划未列出该图层，请向主管部门取得")
    elif not standing:
        gaps.append(f"{KINDS[kind].label}图层在 {on} 不在有效期内，请向{_publishers(listed)}取得现行版本")
    usable = []
    for layer in standing:
        trouble = plan.trouble(layer.name)
        if trouble is None:
            usable.append(layer)
        else:
            gaps.append(trouble if "请" in trouble else f"{trouble}，请向{_publishers([layer])}核实")
    held = [layer for layer in usable if layer.present == "held"]
    frame = _standing(plan.frame_of(kind, [layer.name for layer in held]), on) if usable else None
    whole = frame is not None and _whole(plan, usable)
    return KindOnDay(kind, frame, tuple(held), tuple(gaps), whole and not gaps)


def _publishers(layers: list[Layer]) -> str:
    names = dict.fromkeys(layer.source.publisher for layer in layers if layer.source.publisher)
    return "、".join(str(name) for name in names) or "主管部门"


def _standing(frame: gpd.GeoDataFrame, on: dt.date) -> gpd.GeoDataFrame:
    # A parcel counts from the day it was listed to the day before it was removed; ISO dates compare as text.
    if "listed_on" not in frame:
        return frame
    day = on.isoformat()
    late = frame["removed_on"].fillna("9999-12-31") <= day
    return frame[~((frame["listed_on"].fillna("") > day) | late)].reset_index(drop=True)


def _whole(plan: Plan, layers: list[Layer]) -> bool:
    if plan.area is None:
        return False
    areas: list[Any] = []
    for layer in layers:
        if layer.kind == "district":
            return True
        try:
            areas.append(plan.coverage(layer.name))
        except EcospatialError:
            # A coverage that can not be read holds nothing; plan validate names the fault.
            continue
    covered = shapely.union_all([area for area in areas if area is not None])
    return bool(shapely.difference(plan.area, covered).area <= SHORT_SHARE * plan.area.area)


def united(frame: gpd.GeoDataFrame) -> Any:
    """Join all features to one geometry, each spot once."""
    shapes: NDArray[Any] = frame.geometry.to_numpy()
    return shapely.union_all(shapes)
