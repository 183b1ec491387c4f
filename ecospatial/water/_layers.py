"""The layers of a plan as a study needs them: read where they can be, named with whom to ask where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from ecospatial.errors import EcospatialError
from ecospatial.model import KINDS, NOTICE_INTERNAL, NOTICE_SCHEMATIC

if TYPE_CHECKING:
    import datetime as dt

    from shapely.geometry.base import BaseGeometry

    from ecospatial.plans import Plan


class StudyLayers:
    """Reads layers that stand on a day and keeps note of those that could not be read."""

    def __init__(self, plan: Plan, on: dt.date | None = None) -> None:
        self.plan = plan
        self.on = on
        self.used: dict[str, bool] = {}
        self.wanting: list[str] = []

    def frame(self, kind: str, *, needed_for: str | None = None) -> gpd.GeoDataFrame | None:
        """Give the features of a kind; None when nothing of it can be read.

        ``needed_for`` names what then can not be told; without it the want goes unsaid.
        """
        standing = [x for x in self.plan.of_kind(kind) if self.on is None or x.valid_on(self.on)]
        held = [x for x in standing if x.present == "held" and self.plan.trouble(x.name) is None]
        troubles = [text for x in standing if (text := self.plan.trouble(x.name)) is not None]
        if not held:
            none = any(x.present == "none" for x in standing)
            if needed_for is not None:
                label = KINDS[kind].label
                why = f"本区不存在{label}" if none else "；".join(troubles) or f"{label}图层未取得，规划未列出该图层"
                self.wanting.append(f"{why}：{needed_for}")
            return None
        for layer in held:
            self.used[layer.name] = layer.status == "schematic"
        self.wanting += [text for text in troubles if text not in self.wanting]
        return self.plan.frame_of(kind, [layer.name for layer in held])

    def together(self, *kinds: str) -> gpd.GeoDataFrame | None:
        """Give the features of several kinds below each other, those that can be read."""
        frames = [frame for kind in kinds if (frame := self.frame(kind)) is not None and len(frame)]
        if not frames:
            return None
        return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=self.plan.crs)

    def coverage(self, kind: str) -> BaseGeometry | None:
        """Give the area in which the layers of a kind are complete; None when none says so."""
        areas = []
        for layer in self.plan.of_kind(kind):
            if layer.name in self.used:
                try:
                    area = self.plan.coverage(layer.name)
                except EcospatialError:
                    # A coverage that can not be read holds nothing; plan validate names the fault.
                    continue
                areas += [] if area is None else [area]
        return shapely.union_all(areas) if areas else None

    def area(self) -> gpd.GeoDataFrame | None:
        """Give the district as one area; None when the plan has no outline."""
        try:
            district = self.plan.frame("district")
        except EcospatialError:
            return None
        return None if district.empty else district.dissolve().reset_index(drop=True)

    def notices(self) -> tuple[str, ...]:
        """List what must stand above everything made from what was read."""
        own = f"审图号：{self.plan.review_number}" if self.plan.review_number else NOTICE_INTERNAL
        schematic = (NOTICE_SCHEMATIC,) if any(self.used.values()) else ()
        return (own, *schematic, *self.wanting)
