"""What piece of ground a printed map shows, and at which scale: arithmetic of paper and ground, nothing drawn.

Paper is in millimetres, ground in metres; 1 mm at 1:5000 is 5 m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

# The scales of Chinese base maps, and the two in between that planners print.
SCALES = (
    500, 1000, 2000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 25_000_000, 50_000_000,
)  # fmt: skip
FRAME_MM = (130.0, 120.0)
AROUND_SITE_MM = 22.0  # the ground around a site tells where it lies
AROUND_ALL_MM = 8.0
FARTHEST_SCALE = 25_000  # features far away do not push the scale beyond this one
SMALLEST_SITE_MM = 3.0  # nor make the site smaller than this
BAR_MM = 40.0
_SHEET_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)  # round scales of sheets, times a power of ten

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of ground drawn at a scale: ``west``, ``south`` in metres of the CRS, the size of the frame on paper."""

    scale: int
    west: float
    south: float
    width_mm: float = FRAME_MM[0]
    height_mm: float = FRAME_MM[1]

    @property
    def metres_per_mm(self) -> float:
        """Ground below one millimetre of paper."""
        return self.scale / 1000

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in metres.

        Examples
        --------
        >>> Window(1000, 0.0, 0.0).bounds
        (0.0, 0.0, 130.0, 120.0)
        """
        east = self.west + self.width_mm * self.metres_per_mm
        return self.west, self.south, east, self.south + self.height_mm * self.metres_per_mm

    def grown(self, around_mm: float) -> Bounds:
        """Give the bounds with a margin of paper around them, in metres."""
        west, south, east, north = self.bounds
        around_m = around_mm * self.metres_per_mm
        return west - around_m, south - around_m, east + around_m, north + around_m

    def to_paper(self, geometry: NDArray[np.object_], corner_mm: tuple[float, float]) -> NDArray[np.object_]:
        """Move geometries from the ground to the paper; ``corner_mm`` is the lower left corner of the frame."""

        def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
            return (points - (self.west, self.south)) / self.metres_per_mm + corner_mm

        return np.asarray(shapely.transform(geometry, move), dtype=object)


def _scale(bounds: Bounds, around_mm: float) -> int:
    """Give the smallest scale number at which the bounds and a margin fit into the frame."""
    sizes_m = (bounds[2] - bounds[0], bounds[3] - bounds[1])
    needed = max(
        1000 * size / (frame - 2 * around_mm) for size, frame in zip(sizes_m, FRAME_MM, strict=True)
    )  # fmt: skip
    return next((scale for scale in SCALES if needed <= scale), SCALES[-1])


def _union(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def fit(site: Bounds, wanted: Sequence[Bounds] = ()) -> tuple[Window, list[bool]]:
    """Choose the window of a site: the smallest round scale that holds it and what is wanted near it.

    Parameters
    ----------
    site
        West, south, east, north of the site in metres; always held.
    wanted
        Bounds of other things, the most important first. One that would make the site smaller than 3 mm (or the
        scale coarser than 1:25000) is left out.

    Returns
    -------
    tuple
        The window, and for each thing wanted whether it is held.

    Examples
    --------
    >>> window, held = fit((0, 0, 100, 100), [(600, 50, 600, 50), (90_000, 0, 90_000, 0)])
    >>> window.scale, held
    (10000, [True, False])
    """
    held_bounds, scale = site, _scale(site, AROUND_SITE_MM)
    size_m = max(site[2] - site[0], site[3] - site[1])
    most = max(scale, min(FARTHEST_SCALE, max(1000 * size_m / SMALLEST_SITE_MM, 10_000)))
    held = []
    for bounds in wanted:
        both = _union(held_bounds, bounds)
        needed = max(scale, _scale(both, AROUND_ALL_MM))
        held.append(needed <= most)
        if held[-1]:
            held_bounds, scale = both, needed
    west, south, east, north = held_bounds
    half = np.array(FRAME_MM) * scale / 2000
    corner = np.array([(west + east) / 2, (south + north) / 2]) - half
    # Whole millimetres of ground: the same window comes from a file that keeps nine decimals of a degree.
    x, y = np.round(corner, 3).tolist()
    return Window(scale, x, y), held


def fit_sheet(bounds: Bounds, frame_mm: tuple[float, float], *, around_mm: float = 5.0) -> Window:
    """Choose the window of a whole sheet: the largest round scale at which the bounds fill it, centred.

    Examples
    --------
    >>> window = fit_sheet((0, 0, 20_000, 10_000), (210.0, 180.0))
    >>> window.scale, window.west, window.south
    (100000, -500.0, -4000.0)
    """
    sizes_m = (bounds[2] - bounds[0], bounds[3] - bounds[1])
    needed = max(1000 * size / (frame - 2 * around_mm) for size, frame in zip(sizes_m, frame_mm, strict=True))
    needed = max(needed, SCALES[0])
    power = 10.0 ** np.floor(np.log10(needed))
    scale = int(next(step * power for step in _SHEET_STEPS if step * power >= needed))
    middle = np.array([bounds[0] + bounds[2], bounds[1] + bounds[3]]) / 2
    x, y = np.round(middle - np.array(frame_mm) * scale / 2000, 3).tolist()
    return Window(scale, x, y, *frame_mm)


def nice_length(window: Window, most_mm: float = BAR_MM) -> float:
    """Give the longest of 1, 2 or 5 times a power of ten metres that a scale bar of this size can show.

    Examples
    --------
    >>> nice_length(Window(5000, 0, 0)), nice_length(Window(500, 0, 0))
    (200.0, 20.0)
    """
    most_m = most_mm * window.metres_per_mm
    power = 10.0 ** np.floor(np.log10(most_m))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most_m + 1e-9))


def crs_words(crs: CRS) -> str:
    """Say a CRS as Chinese survey papers do, with its EPSG code when it has one.

    Examples
    --------
    >>> from pyproj import CRS
    >>> crs_words(CRS.from_epsg(4549))
    '2000国家大地坐标系，高斯-克吕格投影，中央经线 120°，Y 加常数 500000 m（EPSG:4549）'
    """
    code = crs.to_epsg()
    known = f"（EPSG:{code}）" if code else ""
    datum = crs.geodetic_crs.name if crs.geodetic_crs is not None else ""
    operation = crs.coordinate_operation
    if datum == "China Geodetic Coordinate System 2000" and operation is not None:
        values = {parameter.name: parameter.value for parameter in operation.params}
        meridian, east = values.get("Longitude of natural origin"), values.get("False easting")
        if operation.method_name == "Transverse Mercator" and meridian is not None and east is not None:
            return f"2000国家大地坐标系，高斯-克吕格投影，中央经线 {meridian:g}°，Y 加常数 {east:.0f} m{known}"
    return f"{crs.name}{known}"
