"""Divide an area into many small ones of about the same size, as sewer catchments divide a town."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely import Geometry

GOLDEN = 0.6180339887  # multiples of it, without their whole part, are spread without a pattern
ROUNDS = 12  # moving each seed to the middle of its cell so often makes the cells about equal
GRID_M = 0.001
STEP_M, BEND_M, BEND_WAVES_M = 25.0, 7.0, (190.0, 230.0)


def cells(area: Geometry, count: int) -> list[Geometry]:
    """Divide an area into so many cells without gaps and overlaps.

    Parameters
    ----------
    area
        One polygon or several, metres.
    count
        How many cells; each hangs together, or is what an arm of the area leaves of one.

    Returns
    -------
        From west to east.
    """
    if count == 1:
        return [area]
    seeds = _spread(area, count)
    for _ in range(ROUNDS):
        seeds = shapely.point_on_surface(_around(seeds, area))
    found = _whole(_around(seeds, area))
    return sorted(found, key=lambda cell: (round(cell.centroid.x), round(cell.centroid.y)))


def shared_out(total: int | None, parts: list[Geometry]) -> list[int | None]:
    """Share a number of people out by area, without losing one."""
    if total is None:
        return [None] * len(parts)
    share = np.array([part.area for part in parts])
    share = share / share.sum() * total
    found = np.floor(share).astype(int)
    order = np.argsort(found - share, kind="stable")
    found[order[: total - found.sum()]] += 1
    return [int(number) for number in found]


def divided(about: dict[str, Any], area: Geometry, item: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Geometry]]:
    """Divide a drawn area into ``cells`` and number them by ``cell_name``, ``{number}`` beginning at ``cells_from``."""
    parts = cells(area, item["cells"])
    people = shared_out(about.get("population"), parts)
    first = item.get("cells_from", 1)
    for number, (part, own) in enumerate(zip(parts, people, strict=True), first):
        name = item["cell_name"].format(number=number)
        yield about | {"feature_name": name, "population": own}, part


def _spread(area: Geometry, count: int) -> NDArray[Any]:
    """Place seeds evenly over the box of an area and keep those inside, as many as asked."""
    west, south, east, north = area.bounds
    tries = int(4 * count * (east - west) * (north - south) / area.area) + 50
    number = np.arange(tries)
    x = west + (east - west) * (number + 0.5) / tries
    y = south + (north - south) * (number * GOLDEN % 1)
    inside = np.flatnonzero(shapely.contains_xy(area, x, y))
    chosen = inside[(np.arange(count) * len(inside) / count).astype(int)]
    return np.asarray(shapely.points(x[chosen], y[chosen]), dtype=object)


def _around(seeds: NDArray[Any], area: Geometry) -> NDArray[Any]:
    """Give each seed the part of the area that is about nearest to it; edges bend as streets do."""
    cells_ = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=area, ordered=True))
    # Neighbours have the same edges, cut at the same places and moved by the same rule: they stay neighbours.
    edges = shapely.transform(shapely.segmentize(cells_, STEP_M), _bent)
    return np.asarray(shapely.intersection(edges, area), dtype=object)


def _bent(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    east, north = 2 * np.pi * xy.T / np.array(BEND_WAVES_M)[:, None]
    return xy + BEND_M * np.column_stack([np.sin(north) + np.sin(0.61 * east), np.sin(east) - np.sin(0.53 * north)])


def _whole(found: NDArray[Any]) -> list[Geometry]:
    """Let each cell keep its largest part; the others go to the cell they share most of their edge with."""
    parts = [sorted(shapely.get_parts(cell), key=lambda part: -part.area) for cell in found]
    held = [[own[0]] for own in parts]
    for crumb in (part for own in parts for part in own[1:]):
        edge = [shapely.length(shapely.intersection(crumb.boundary, own[0].boundary)) for own in held]
        if max(edge) > GRID_M:
            held[int(np.argmax(edge))].append(crumb)
        else:  # an arm of its own, cut off by water: it stays with the nearest
            held[int(np.argmin([crumb.distance(own[0]) for own in held]))].append(crumb)
    return [shapely.union_all(own) for own in held]
