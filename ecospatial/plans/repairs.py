"""What had to be repaired in the shapes of a layer, so that nobody relies on what was made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.errors import Problem
from ecospatial.geometry import changed_much

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.geometry import Repaired


@dataclass(frozen=True, slots=True)
class LayerRepairs:
    """Features of a layer whose shape was repaired.

    ``row`` are the positions in the frame of those whose area changed by more than 1 % or 100 m2, and ``hull`` the
    convex hulls of their vertices as they stand in the file, in the plan's CRS: what was meant lies in there.
    ``every_row`` and ``note`` are of all that were repaired, with what was wrong and the area before and after.
    """

    row: NDArray[np.intp]
    hull: NDArray[Any]
    every_row: NDArray[np.intp]
    note: NDArray[Any]
    change_m2: NDArray[np.float64]

    def problems(self, file: str) -> list[Problem]:
        """List every shape that was repaired: its row, what was wrong, and both areas.

        Parameters
        ----------
        file
            Name of the file.
        """
        much = np.isin(self.every_row, self.row)
        way = "请更正图形"
        open_way = "面积变化超过 1 % 或 100 m²，涉及它的结论存疑，请更正图形"
        return [
            Problem(file, int(row) + 1, str(note), open_way if changed else way)
            for row, note, changed in zip(self.every_row, self.note, much, strict=True)
        ]

    def notice(self, label: str) -> str | None:
        """Return one sentence on the shapes that changed much; None when there is none.

        Parameters
        ----------
        label
            What the layer is called.
        """
        if not len(self.row):
            return None
        much = np.isin(self.every_row, self.row)
        worst = int(np.flatnonzero(much)[np.argmax(np.abs(self.change_m2[much]))])
        place = f"第 {self.every_row[worst] + 1} 行：{self.note[worst]}"
        return f"{label}图层有 {len(self.row)} 个图形无效，修复后面积变化较大，涉及它们的结论存疑；变化最大的是{place}"


def list_repairs(raw: NDArray[Any], mended: Repaired) -> LayerRepairs:
    """List what a repair did to the features of a layer.

    Parameters
    ----------
    raw
        The shapes as they stand in the file, in a metric CRS.
    mended
        What ``ecospatial.geometry.repair`` made of them.

    Examples
    --------
    >>> from ecospatial.geometry import repair
    >>> bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    >>> raw = np.array([shapely.box(0, 0, 9, 9), bow_tie])
    >>> found = list_repairs(raw, repair(raw))
    >>> found.row.tolist(), shapely.area(found.hull).tolist()
    ([1], [10000.0])
    """
    every = np.flatnonzero(np.asarray(mended.note, dtype=object) != "")
    change = mended.area_change_m2[every]
    much = every[changed_much(change, shapely.area(mended.geometry[every]))]
    return LayerRepairs(much, shapely.convex_hull(raw[much]), every, mended.note[every], change)
