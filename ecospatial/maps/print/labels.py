"""Names on a printed map: each once, none on another, the site's own first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.maps.web.layer import anchor, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ecospatial.maps.print.canvas import Sheet
    from ecospatial.maps.print.layout import Layout
    from ecospatial.maps.web.layers import DrawableLayer

SIZE = {"site": 7.0, "line": 6.5, "area": 6.5, "distance": 7.0}
COLOURS = {"site": "#111111", "line": "#1f5f9f", "area": "#3d4650", "distance": "#8e0000"}
MOST = 40
LONGEST_MM = 36.0
_BACK = {"boxstyle": "square,pad=0.12", "facecolor": (1, 1, 1, 0.72), "edgecolor": "none"}
Label = tuple[Any, str, str]


def layer_labels(ground: DrawableLayer, rows: NDArray[np.intp], paper: NDArray[np.object_]) -> list[Label]:
    """Give the names of a layer, each on its largest piece within the window."""
    column = ground.style.label
    if column is None or column not in ground.frame or not len(rows):
        return []
    texts = ground.frame[column].iloc[rows].map(plain_text).reset_index(drop=True)
    texts = texts[texts != ""]
    if texts.empty:
        return []
    size = pd.Series(shapely.area(paper) + shapely.length(paper)).loc[texts.index]
    best = size.groupby(texts, sort=False).idxmax()
    kinds = shapely.get_type_id(paper)
    return [
        (paper[row], texts[row], "line" if kinds[row] in (1, 5) else "area") for row in best.sort_index().to_numpy()
    ]


class Labels:
    """Places labels on the sheet; what finds no room is left out."""

    def __init__(self, sheet: Sheet, layout: Layout) -> None:
        self.sheet = sheet
        self.frame = (*layout.corner_mm, layout.east, layout.north)
        self.taken: list[tuple[float, float, float, float]] = [layout.arrow, layout.mark]
        self.first: list[tuple[str, str, list[tuple[float, float]]]] = []
        self.rest: list[Label] = []

    def later(self, labels: Iterable[Label]) -> None:
        """Keep labels for when those of the site have their place; what is drawn later comes first."""
        self.rest = [*labels, *self.rest]

    def site(self, shape: Any, text: str) -> None:
        """Write the id of the site above it, or below, or on it."""
        west, south, east, north = shapely.bounds(shape)
        middle = (west + east) / 2
        places = [(middle, north + 2.4), (middle, south - 2.4), (east + 8, (south + north) / 2)]
        self.first.append((text, "site", [*places, tuple(shapely.get_coordinates(shapely.point_on_surface(shape))[0])]))
        # The box of a long strip is mostly not the site.
        if shapely.area(shape) > 0.3 * (east - west) * (north - south):
            self.taken.append((west, south, east, north))

    def beside(self, line: Any, text: str) -> None:
        """Write a distance beside the middle of its line."""
        places = [tuple(shapely.get_coordinates(shapely.line_interpolate_point(line, share, normalized=True))[0])
                  for share in (0.5, 0.35, 0.65)]  # fmt: skip
        self.first.append((text, "distance", places))

    def _fits(self, place: tuple[float, float], text: str, size: float, *, over: bool) -> bool:
        half, high = self.sheet.width(text, size) / 2 + 0.6, size * 0.2 + 0.4
        box = (place[0] - half, place[1] - high, place[0] + half, place[1] + high)
        west, south, east, north = self.frame
        if box[0] < west or box[1] < south or box[2] > east or box[3] > north:
            return False
        if not over and any(box[0] < t[2] and box[2] > t[0] and box[1] < t[3] and box[3] > t[1] for t in self.taken):
            return False
        self.taken.append(box)
        return True

    def _write(self, text: str, kind: str, places: list[tuple[float, float]], *, own: bool = False) -> bool:
        size = SIZE[kind]
        line = self.sheet.shortened(self.sheet.clean(text), size, LONGEST_MM)
        last = len(places) - 1
        for number, place in enumerate(places):
            if line and self._fits(place, line, size, over=own and number == last):
                look = {"ha": "center", "va": "center_baseline", "color": COLOURS[kind], "bbox": _BACK}
                self.sheet.text(place, line, size, **look)
                return True
        return False

    def write(self) -> None:
        """Write all labels that find room."""
        for text, kind, places in self.first:
            self._write(text, kind, places, own=kind == "site")
        written = 0
        for shape, text, kind in self.rest:
            if written < MOST:
                written += self._write(text, kind, _places(shape))


def _places(shape: Any) -> list[tuple[float, float]]:
    """Give where a name can stand: half-way along a line and a little before and after; in an area, around a point."""
    parts = shapely.get_parts(shape)
    if shapely.get_type_id(parts[0]) == 1:
        longest = parts[int(np.argmax(shapely.length(parts)))]
        points = shapely.line_interpolate_point(longest, [0.5, 0.3, 0.7, 0.15, 0.85], normalized=True)
        return [tuple(point) for point in shapely.get_coordinates(points).tolist()]
    x, y = shapely.get_coordinates(anchor(np.array([shape], dtype=object)))[0].tolist()
    if shapely.get_type_id(parts[0]) == 0:
        return [(x, y + 3), (x, y - 3)]
    return [(x, y), (x, y + 5), (x, y - 5)]
