"""The water between the banks of rivers, and the part of it that belongs to a stretch of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.network._arrays import shapes_of
from ecospatial.network.flow import distances
from ecospatial.network.referencing import cross_cuts, tangents
from ecospatial.network.split import SAME_M, substrings

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.network.graph import Network

# A cut is drawn this much beyond the banks, so that it surely divides the water.
BEYOND_M = 0.5
# A piece of centreline shorter than this outside the banks is rounding, metres.
OUTSIDE_M = 0.01
# A hole in the water larger than this share of it is not an island in the river.
MOAT = 0.5


@dataclass(frozen=True)
class Stretch:
    """Part of the network: reaches, and on each of them from where to where, metres from its upper end.

    ``signed_m`` is how far ``from_m`` lies along the river from the place the stretch was measured from: positive
    upstream of it, negative downstream.
    """

    reach: NDArray[np.intp]
    from_m: NDArray[np.float64]
    to_m: NDArray[np.float64]
    signed_m: NDArray[np.float64]


def bank_areas(banks: gpd.GeoDataFrame, network: Network) -> dict[str, BaseGeometry]:
    """Give the water between the banks of each river by name.

    Parameters
    ----------
    banks
        Layer ``bank_line`` or ``water_body``: polygons between the banks, or a left and a right bank as lines, which
        are closed to a polygon; a river with one bank only, or with banks in pieces, is left out.
    network
        Gives the direction of each river.
    """
    found: dict[str, BaseGeometry] = {}
    shapes = shapes_of(banks)
    names = banks["river"].to_numpy(dtype=object)
    areal = shapely.get_dimensions(shapes) == 2
    for name in dict.fromkeys(names.tolist()):
        own = names == name
        areas = shapes[own & areal]
        area = shapely.union_all(areas) if len(areas) else _closed(shapes[own & ~areal], name, network)
        if area is not None and not area.is_empty:
            found[str(name)] = area
    return found


def _closed(lines: NDArray[Any], name: Any, network: Network) -> BaseGeometry | None:
    """Close a left and a right bank to a polygon; None when it is not clear what lies between."""
    centre = network.lines[network.rivers == name]
    merged = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
    if len(merged) != 2 or not len(centre):
        return None
    tree = shapely.STRtree(centre)
    turned = []
    for line in merged:
        ends = [shapely.get_point(line, 0), shapely.get_point(line, -1)]
        middle = shapely.line_interpolate_point(line, 0.5, normalized=True)
        reach = centre[tree.query_nearest(middle, all_matches=False)[0]]
        at_m = np.array([shapely.line_locate_point(reach, middle)])
        forward = tangents(np.array([reach], dtype=object), at_m)[0]
        along = (shapely.get_coordinates(ends[1]) - shapely.get_coordinates(ends[0]))[0]
        xy = shapely.get_coordinates(line)
        turned.append(xy if along @ forward >= 0 else xy[::-1])
    area = shapely.Polygon(np.vstack([turned[0], turned[1][::-1]]))
    return area if area.is_valid else None


def stretch(network: Network, reach: int, along_m: float, *, upstream_m: float, downstream_m: float) -> Stretch:
    """Walk along the river from a place: so far against the water, so far with it, into every branch.

    Parameters
    ----------
    reach, along_m
        The place: a reach, and metres from its upper end.
    upstream_m, downstream_m
        How far to walk, metres along the centrelines.
    """
    length = float(network.length_m[reach])
    top = max(along_m - upstream_m, 0.0)
    rows = [(reach, top, along_m, along_m - top), (reach, along_m, min(along_m + downstream_m, length), 0.0)]
    for upstream, limit in ((True, upstream_m), (False, downstream_m)):
        start, reaches = network.entering if upstream else network.leaving
        for node, far in distances(network, reach, along_m, upstream=upstream, within_m=limit).items():
            for i in reaches[start[node] : start[node + 1]]:
                whole = float(network.length_m[i])
                part = min(whole, limit - far)
                low, high = (whole - part, whole) if upstream else (0.0, part)
                rows.append((i, low, high, far + part if upstream else -far))
    kept = np.array([row for row in rows if row[2] - row[1] > SAME_M], dtype=np.float64).reshape(-1, 4)
    return Stretch(kept[:, 0].astype(np.intp), kept[:, 1], kept[:, 2], kept[:, 3])


def along_from(network: Network, walked: Stretch, shape: BaseGeometry) -> float:
    """Say how many metres along the river a shape at its bank lies from where the walk began.

    Positive upstream, negative downstream. The corners of the shape are projected onto the centreline that is nearest
    to it, and the one nearest to the beginning counts; 0 where the shape lies on both sides of it.
    """
    parts = substrings(network.lines[walked.reach], walked.from_m, walked.to_m)
    distance = shapely.distance(parts, shape)
    near = np.flatnonzero(distance <= distance.min() + SAME_M)
    corners = shapely.points(shapely.get_coordinates(shape))
    signed = [walked.signed_m[i] - shapely.line_locate_point(parts[i], corners) for i in near]
    every = np.concatenate(signed)
    if every.min() < 0 < every.max():
        return 0.0
    return float(every[np.argmin(np.abs(every))])


def stretch_area(network: Network, walked: Stretch, banks: dict[str, BaseGeometry]) -> tuple[BaseGeometry | None, bool]:
    """Give the water of a stretch, cut square across the river from bank to bank where it begins and ends.

    Parameters
    ----------
    walked
        The stretch.
    banks
        Water between the banks by river, as ``bank_areas`` gives it.

    Returns
    -------
    area, certain
        Where a river has no banks the centreline with half its width to a side stands for them, and ``certain`` is
        False; without a width either, there is no area at all (None).
    """
    pieces: list[BaseGeometry] = []
    certain = True
    for name in dict.fromkeys(network.rivers[walked.reach].tolist()):
        own = network.rivers[walked.reach] == name
        reach, low, high = walked.reach[own], walked.from_m[own], walked.to_m[own]
        parts = substrings(network.lines[reach], low, high)
        centre = shapely.union_all(parts)
        water = banks.get(str(name))
        if water is not None:
            pieces.append(_between_cuts(network, reach, low, high, centre=centre, water=water))
        # Where the centreline is in no water, or there are no banks, the width has to do.
        bare = centre if water is None else _dry(centre, banks)
        if shapely.length(bare) > OUTSIDE_M:
            certain = False
            width = pd.Series(network.reaches["width_m"].to_numpy()[reach]).max()
            if np.isnan(width):
                if water is None:
                    return None, False
                continue
            pieces.append(shapely.buffer(bare, width / 2, cap_style="flat", quad_segs=64))
    return (shapely.union_all(pieces), certain) if pieces else (None, False)


def _dry(centre: BaseGeometry, banks: dict[str, BaseGeometry]) -> BaseGeometry:
    """Give the part of a centreline that lies between no banks; its mouth lies between those of another river."""
    for water in banks.values():
        if water.intersects(centre):
            centre = shapely.difference(centre, water)
    return centre


def _between_cuts(
    network: Network,
    reach: NDArray[np.intp],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    centre: BaseGeometry,
    water: BaseGeometry,
) -> BaseGeometry:
    """Cut the water of one river where the stretch begins or ends, and keep the pieces its centreline runs in."""
    where, at_m = _open_ends(network, reach, low, high)
    # Islands are water here: a cut goes from the outer bank to the outer bank, or it would divide nothing.
    filled = shapely.union_all([_without_islands(part) for part in shapely.get_parts(water)])
    cuts = cross_cuts(network.lines[where], at_m, np.full(len(where), filled, dtype=object))
    cuts = cuts[~shapely.is_missing(cuts)]
    if not len(cuts):
        return water
    xy = shapely.get_coordinates(cuts).reshape(-1, 2, 2)
    out = xy[:, 0] - xy[:, 1]
    out *= BEYOND_M / np.hypot(*out.T)[:, None]
    longer = np.asarray(shapely.linestrings(np.stack([xy[:, 0] + out, xy[:, 1] - out], axis=1)), dtype=object)
    edges = shapely.union_all([shapely.boundary(filled), *longer])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    faces = faces[shapely.contains(filled, shapely.point_on_surface(faces))]
    inside = shapely.length(shapely.intersection(faces, centre)) > OUTSIDE_M
    return shapely.intersection(shapely.union_all(faces[inside]), water)


def _without_islands(part: Any) -> Any:
    """Fill the islands of a river; a hole as large as its water is what a moat or two arms go round, and stays."""
    holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > part.area * MOAT]
    return shapely.Polygon(part.exterior, holes)


def _open_ends(
    network: Network, reach: NDArray[np.intp], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """List the places where the river goes on but the stretch does not: reach, and metres from its upper end."""
    name = network.rivers[reach[0]]
    length = network.length_m
    covered: dict[int, list[tuple[float, float]]] = {}
    for i, a, b in zip(reach.tolist(), low.tolist(), high.tolist(), strict=True):
        covered.setdefault(i, []).append((a, b))
    found: list[tuple[int, float]] = []
    for i, spans in covered.items():
        ends = {at for span in spans for at in span}
        inner = [at for at in ends if SAME_M < at < length[i] - SAME_M]
        # A place that ends one part and begins the next is no end.
        found += [(i, at) for at in inner if sum(a <= at <= b for a, b in spans) == 1]
    touched = {int(node) for i in covered for node in _ends_reached(network, i, covered[i])}
    own = np.flatnonzero(network.rivers == name)
    for i in own.tolist():
        for node, at in ((network.tail[i], 0.0), (network.head[i], length[i])):
            held = any(a - SAME_M <= at <= b + SAME_M for a, b in covered.get(i, []))
            if int(node) in touched and not held:
                found.append((i, at))
    where = np.array([i for i, _ in found], dtype=np.intp)
    return where, np.array([at for _, at in found], dtype=np.float64)


def _ends_reached(network: Network, reach: int, spans: list[tuple[float, float]]) -> list[int]:
    nodes = []
    if any(a <= SAME_M for a, _ in spans):
        nodes.append(int(network.tail[reach]))
    if any(b >= network.length_m[reach] - SAME_M for _, b in spans):
        nodes.append(int(network.head[reach]))
    return nodes
