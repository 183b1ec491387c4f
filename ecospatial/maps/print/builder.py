"""A printed map in the making: what is put on the sheet is cut, simplified and written into the legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.drawable import clip_shapes, simplify_shapes
from ecospatial.maps.print.canvas import Sheet
from ecospatial.maps.print.elements import LegendEntry
from ecospatial.maps.print.labels import Labels, layer_labels
from ecospatial.maps.web.layer import SHAPES

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.maps.print.extent import Window
    from ecospatial.maps.print.layout import Layout
    from ecospatial.maps.style import Sign
    from ecospatial.maps.web.layers import DrawableLayer

DOT_MM = 0.03  # a third of a dot at 300 dots per inch


class SheetBuilder:
    """The sheet with its frame, its legend and its labels so far."""

    def __init__(self, window: Window, layout: Layout, *, family: str) -> None:
        self.window, self.layout = window, layout
        self.sheet = Sheet(*layout.size_mm, family=family)
        self.inside = self.sheet.frame(layout.corner_mm, layout.frame_mm)
        self.sheet.axes.add_patch(self.inside)
        self.inside.set(facecolor="white", edgecolor="none")
        self.legend: list[LegendEntry] = []
        self.around: list[str] = []
        self.schematic = False
        self.labels = Labels(self.sheet, layout)

    def cut(self, frame: gpd.GeoDataFrame) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
        """Give the rows that reach into the window and their shapes on paper, with a little beyond the frame."""
        rows = np.sort(frame.sindex.query(shapely.box(*self.window.grown(3))))
        return self.paper(frame.geometry.to_numpy()[rows], rows)

    def paper(
        self, shapes: NDArray[np.object_], rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
        """Give shapes as they lie on paper, in millimetres, and the rows of those that do."""
        clipped = clip_shapes(shapes, self.window.grown(3))
        paper = simplify_shapes(self.window.to_paper(clipped, self.layout.corner_mm), DOT_MM)
        there = ~(shapely.is_empty(paper) | shapely.is_missing(paper))
        return rows[there], np.asarray(paper[there], dtype=object)

    def put(self, paper: NDArray[np.object_], sign: Sign, label: str, **more: Any) -> None:
        """Draw shapes on paper with a sign and write them into the legend; ``more`` is that of a row of it."""
        wide, self.schematic = bool(more.get("wide")), self.schematic or bool(more.get("schematic"))
        self.sheet.shapes(paper, sign, inside=self.inside, wide=wide)
        self.legend.append(LegendEntry(label, sign, _shape(paper), **more))

    def _crossed(self, paper: NDArray[np.object_]) -> bool:
        """Tell whether any outline runs through the frame; an area without fill is not seen where none does."""
        areal = np.isin(shapely.get_type_id(paper), (3, 6))
        lines = np.concatenate([shapely.boundary(paper[areal]), paper[~areal]])
        frame = shapely.box(*self.layout.corner_mm, self.layout.east, self.layout.north)
        return bool(shapely.intersects(lines, frame).any())

    def ground(self, ground: DrawableLayer, *, labels: bool = True) -> None:
        """Draw a layer of the plan, a row of the legend for each of its classes that is in the window."""
        ground = ground.shown(self.window.grown(3))
        rows, paper = self.cut(ground.frame)
        which, schematic = ground.which[rows], ground.layer.status == "schematic"
        for i, (label, sign) in enumerate(ground.signs):
            own = paper[which == i]
            if len(own) and sign.fill == "none" and not self._crossed(own):
                self.around += [] if ground.style.label else [label]  # a name on the map says as much
                self.schematic |= schematic
            elif len(own):
                self.put(own, sign, label, schematic=schematic)
        if labels:
            self.labels.later(layer_labels(ground, rows, paper))


def _shape(paper: NDArray[np.object_]) -> str:
    kinds = {SHAPES.get(number, "polygon") for number in shapely.get_type_id(paper).tolist()}
    return "polygon" if "polygon" in kinds else min(kinds)
