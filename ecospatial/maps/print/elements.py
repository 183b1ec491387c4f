"""What stands around a printed map: frame, coordinates, title, legend, scale bar, north arrow, notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial.geometry.drawable import simplify_shapes
from ecospatial.maps.print.canvas import INK, Sheet
from ecospatial.maps.print.extent import Window, crs_words, nice_length
from ecospatial.maps.style import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyproj import CRS

    from ecospatial.maps.print.layout import Layout

GRID_MM = 25.0  # crosses of the grid are at least that far apart
ROW_MM, LEAST_ROW_MM, OVERVIEW_MM = 5.2, 4.0, 34.0
SOFT, ALARM, SCHEMATIC = "#57606a", "#a4000f", "#6a3d9a"


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A row of the legend."""

    label: str
    sign: Sign
    shape: str
    schematic: bool = False
    wide: bool = False


def _grid(sheet: Sheet, window: Window, layout: Layout) -> None:
    """Draw small crosses at round coordinates and write them at the frame: X is north, Y is east."""
    step = nice_length(window, GRID_MM)
    step = step if step / window.metres_per_mm >= GRID_MM * 0.75 else nice_length(window, 2 * GRID_MM)
    west, south, east, north = window.bounds
    columns = np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step
    rows = np.arange(np.ceil(south / step), np.floor(north / step) + 1) * step
    xs = (columns - west) / window.metres_per_mm + layout.corner_mm[0]
    ys = (rows - south) / window.metres_per_mm + layout.corner_mm[1]
    crosses = [[(x - dx, y - dy), (x + dx, y + dy)] for x in xs for y in ys for dx, dy in ((1, 0), (0, 1))]
    ticks = [[(x, layout.corner_mm[1]), (x, layout.corner_mm[1] + 1.2)] for x in xs]
    ticks += [[(layout.corner_mm[0], y), (layout.corner_mm[0] + 1.2, y)] for y in ys]
    if crosses:
        sheet.lines(shapely.linestrings(crosses), edgecolor="#8a8f98", linewidth=0.35)
    if ticks:
        sheet.lines(shapely.linestrings(ticks), edgecolor=INK, linewidth=0.5)
    for x, value in zip(xs.tolist(), columns.tolist(), strict=True):
        if layout.corner_mm[0] + 6 < x < layout.east - 6:
            sheet.text((x, layout.corner_mm[1] - 3), f"{value:.0f}", 5.2, ha="center", color=SOFT)
    for y, value in zip(ys.tolist(), rows.tolist(), strict=True):
        if layout.corner_mm[1] + 6 < y < layout.north - 6:
            look = {"ha": "right", "va": "center", "rotation": 90, "color": SOFT}
            sheet.text((layout.corner_mm[0] - 1.2, y), f"{value:.0f}", 5.2, **look)


def _frame(sheet: Sheet, layout: Layout) -> None:
    sheet.rectangle(layout.corner_mm, layout.frame_mm, facecolor="none", edgecolor=INK, linewidth=1.1)


def _north(sheet: Sheet, layout: Layout) -> None:
    west, south, east, north = layout.arrow
    x = (west + east) / 2
    sheet.rectangle((west, south), (east - west, north - south), facecolor=(1, 1, 1, 0.8), edgecolor="none")
    tip, foot, notch = north - 5.2, south + 1.0, south + 2.8
    sheet.polygon([(x, tip), (x + 2.6, foot), (x, notch)], facecolor=INK, edgecolor=INK, linewidth=0.5)
    sheet.polygon([(x, tip), (x - 2.6, foot), (x, notch)], facecolor="white", edgecolor=INK, linewidth=0.5)
    sheet.text((x, north - 4.2), "北", 8, ha="center")


def _schematic(sheet: Sheet, layout: Layout) -> None:
    west, south, east, north = layout.mark
    look = {"facecolor": "#f8f3fd", "edgecolor": SCHEMATIC, "linewidth": 0.8}
    sheet.rectangle((west, south), (east - west, north - south), **look)
    sheet.text(((west + east) / 2, (south + north) / 2), "示意", 9, ha="center", va="center_baseline", color=SCHEMATIC)


def _bar(sheet: Sheet, window: Window, layout: Layout, top: float) -> float:
    """Draw the scale and its bar; give where it ends."""
    west, length_m = layout.column[0], nice_length(window)
    length_mm = length_m / window.metres_per_mm
    sheet.text((west, top - 3), f"比例尺 1:{window.scale}", 8)
    y = top - 9.6
    for i in range(4):
        look = {"facecolor": INK if i % 2 == 0 else "white", "edgecolor": INK, "linewidth": 0.5}
        sheet.rectangle((west + i * length_mm / 4, y), (length_mm / 4, 1.4), **look)
    unit, size = ("km", length_m / 1000) if length_m >= 2000 else ("m", length_m)
    sheet.text((west, y + 2), "0", 5.8)
    sheet.text((west + length_mm / 2, y + 2), f"{size / 2:g}", 5.8, ha="center")
    sheet.text((west + length_mm, y + 2), f"{size:g} {unit}", 5.8, ha="right" if length_mm > 30 else "center")
    return y


def _line(layout: Layout) -> float:
    return layout.text_pt / 2


def _paragraph(sheet: Sheet, text: str, layout: Layout, top: float, **look: Any) -> float:
    size = layout.text_pt
    for line in sheet.wrapped(sheet.clean(text), size, layout.column[1] - layout.column[0]):
        sheet.text((layout.column[0], top - 0.36 * size), line, size, **look)
        top -= _line(layout)
    return top - 0.6


def _symbol(sheet: Sheet, row: LegendEntry, west: float, y: float) -> None:
    around = sheet.frame((west - 1, y - 3), (12, 6))
    around.set(facecolor="none", edgecolor="none")
    sheet.axes.add_patch(around)
    shape: Any = shapely.box(west + 0.3, y - 1.6, west + 8, y + 1.6)
    if row.shape == "line":
        shape = shapely.LineString([(west, y), (west + 8.3, y)])
    elif row.shape == "point":
        shape = shapely.Point(west + 4.2, y)
    sheet.shapes(np.array([shape], dtype=object), row.sign, inside=around, wide=row.wide)


def _two_lines(sheet: Sheet, label: str, room: float) -> list[tuple[str, float, float]]:
    """Set a label into its row: one line, else two smaller ones, else cut; line, height above the middle, size."""
    text = sheet.clean(label)
    if sheet.width(text, 6.4) <= room:
        return [(text, 0.0, 6.4)]
    lines = sheet.wrapped(text, 5.4, room)
    if len(lines) == 1:
        return [(lines[0], 0.0, 5.4)]
    second = lines[1] if len(lines) == 2 else sheet.shortened(lines[1] + lines[2], 5.4, room)
    return [(lines[0], 1.1, 5.4), (second, -1.1, 5.4)]


def _legend(sheet: Sheet, legend: Sequence[LegendEntry], layout: Layout, bottom: float) -> None:
    west, east = layout.column
    sheet.text((west, layout.north - 3.4), "图例", 8.5)
    top, rows = layout.north - 6.0, list(reversed(legend))
    most = int((top - bottom) / LEAST_ROW_MM)
    shown = rows if len(rows) <= most else rows[: most - 1]
    height = min(ROW_MM, (top - bottom) / max(len(shown) + (len(shown) < len(rows)), 1))
    for number, row in enumerate(shown):
        y = top - (number + 0.5) * height
        _symbol(sheet, row, west, y)
        room = east - west - 10 - (6.5 if row.schematic else 0)
        for line, x, size in _two_lines(sheet, row.label, room):
            sheet.text((west + 10, y + x), line, size, va="center_baseline")
        if row.schematic:
            sheet.text((east, y), "示意", 5.4, ha="right", va="center_baseline", color=SCHEMATIC)
    if len(shown) < len(rows):
        y = top - (len(shown) + 0.5) * height
        rest = f"其余 {len(rows) - len(shown)} 类见网页地图的图例"
        sheet.text((west, y), rest, 5.8, va="center_baseline", color=SOFT)


def _overview(sheet: Sheet, where: tuple[Any, Any], layout: Layout, bottom: float) -> None:
    """Draw where in the plan the site lies; both geometries in metres."""
    area, place = where
    west, south, east, north = shapely.bounds(area)
    room = (layout.column[1] - layout.column[0], OVERVIEW_MM - 5.0)
    scale = max((east - west) / room[0], (north - south) / room[1], 1e-9)
    corner = (layout.column[0], bottom)
    around = sheet.frame((corner[0] - 1, corner[1] - 1), (room[0] + 1, room[1] + 2))
    around.set(facecolor="none", edgecolor="none")
    sheet.axes.add_patch(around)
    moved = shapely.transform(np.array([area, place]), lambda points: (points - (west, south)) / scale + corner)
    look = Sign(stroke="#6b4f3a", weight=1.5, fill="#f1ede4", opacity=1)
    sheet.shapes(simplify_shapes(moved[:1], 0.1), look, inside=around)
    sheet.shapes(moved[1:], Sign(stroke="#111111", fill="#d7191c", symbol="circle", radius=5), inside=around)
    sheet.text((corner[0], bottom + OVERVIEW_MM - 3.4), "地块在规划区内的位置", 6.4)


def furnish(
    sheet: Sheet,
    window: Window,
    layout: Layout,
    *,
    legend: Sequence[LegendEntry],
    remarks: Sequence[str],
    notices: Sequence[str],
    schematic: bool,
    title: str,
    subtitle: str,
    overview: tuple[Any, Any] | None = None,
) -> None:
    """Draw everything around the map onto the sheet.

    Parameters
    ----------
    legend
        What is on the map, lowest first; written highest first.
    remarks, notices
        Grey and red lines at the foot of the column.
    schematic
        Whether anything shown is 示意: said on the face of the map.
    overview
        Outline of the plan and place of the site, in metres; drawn where the legend leaves room.
    """
    _grid(sheet, window, layout)
    _frame(sheet, layout)
    _north(sheet, layout)
    if schematic:
        _schematic(sheet, layout)
    size = layout.title_pt
    own = sheet.shortened(sheet.clean(title), size, layout.frame_mm[0] - 12)
    sheet.text((layout.corner_mm[0], layout.north + 2.8), own, size)
    plan = sheet.shortened(sheet.clean(subtitle), 6.4, layout.size_mm[0] - layout.column[0])
    sheet.text((layout.column[1], layout.north + 2.8), plan, 6.4, ha="right", color=SOFT)
    width = layout.column[1] - layout.column[0]
    lines = sum(len(sheet.wrapped(sheet.clean(text), layout.text_pt, width)) for text in [*remarks, *notices])
    top = layout.corner_mm[1] + _line(layout) * lines + 0.6 * (len(remarks) + len(notices)) + 12
    room = layout.north - 6.0 - (top + 1.5)
    if overview is not None and len(legend) * LEAST_ROW_MM + OVERVIEW_MM <= room:
        _overview(sheet, overview, layout, top + 2.5)
        _legend(sheet, legend, layout, top + 1.5 + OVERVIEW_MM)
    else:
        _legend(sheet, legend, layout, top + 1.5)
    y = _bar(sheet, window, layout, top) - 1.8
    for text in remarks:
        y = _paragraph(sheet, text, layout, y, color=SOFT)
    for text in notices:
        y = _paragraph(sheet, text, layout, y, color=ALARM)


def about(crs: CRS, day: str, software: str) -> list[str]:
    """Give the first remarks of every map: the CRS in words, the day, the software."""
    return [crs_words(crs), f"核查日期 {day}　{software}"]
