"""Where things stand on a sheet: the frame of the map, the column beside it, arrow and mark; all in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

from ecospatial.maps.print.extent import FRAME_MM

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """A sheet: its size, the lower left corner and the size of the frame, the margin at the right.

    Left of the frame and below it stand the coordinates, above it the title, right of it the column with the legend.
    """

    size_mm: tuple[float, float]
    corner_mm: tuple[float, float]
    frame_mm: tuple[float, float]
    margin_mm: float = 0.0
    title_pt: float = 9.5
    text_pt: float = 5.8

    @property
    def east(self) -> float:
        """Right edge of the frame."""
        return self.corner_mm[0] + self.frame_mm[0]

    @property
    def north(self) -> float:
        """Upper edge of the frame."""
        return self.corner_mm[1] + self.frame_mm[1]

    @property
    def column(self) -> tuple[float, float]:
        """Left and right edge of the column.

        Examples
        --------
        >>> SITE.column
        (138.0, 180.0)
        """
        return self.east + 3.0, self.size_mm[0] - self.margin_mm

    @property
    def arrow(self) -> Box:
        """Place of the north arrow: west, south, east, north."""
        return self.east - 11.0, self.north - 17.0, self.east - 1.5, self.north - 1.5

    @property
    def mark(self) -> Box:
        """Place of the mark 示意."""
        return self.corner_mm[0] + 1.5, self.north - 7.5, self.corner_mm[0] + 13.5, self.north - 1.5


# The map of one site in a report, and whole sheets lying down.
SITE = Layout((180.0, 136.0), (5.0, 6.0), FRAME_MM)
PAPERS = {
    "a4": Layout((297.0, 210.0), (15.0, 17.0), (212.0, 178.0), margin_mm=9.0, title_pt=14.0, text_pt=6.4),
    "a3": Layout((420.0, 297.0), (15.0, 17.0), (330.0, 263.0), margin_mm=9.0, title_pt=18.0, text_pt=7.0),
}
