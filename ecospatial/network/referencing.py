"""Linear referencing: where on the network a thing lies, and lines cut across the water from bank to bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.network._arrays import at_on, first_of_each, places_on, shapes_of, texts, xy_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

# How far from a centreline a thing may lie and still be taken to lie on that river, unless the caller says so.
LOCATE_WITHIN_M = 1000.0
# The direction of a river at a place is that of this much of it up and down, so that a kink does not turn the cut.
TANGENT_M = 10.0
# A cut across reaches this far to a side; no water of the plans is wider (长江 at 鼓楼 is about 1.5 km).
ACROSS_M = 5000.0


def locate(
    network: Network, things: gpd.GeoDataFrame, *, within_m: float = LOCATE_WITHIN_M, column: str = "river"
) -> pd.DataFrame:
    """Find the place on the network that is nearest to each thing.

    Parameters
    ----------
    network
        The river network.
    things
        Points, lines or areas in the network's CRS. Where the column ``column`` names a river of the network, the
        nearest place on that river counts, else the nearest one on any. Nothing lies on links.
    within_m
        Things further away from the centreline are on no river, metres.

    Returns
    -------
    DataFrame
        On the caller's index: ``reach`` (row of ``network.reaches``, -1: none), ``river``, ``along_m`` (metres from
        the upper end of the reach), ``chainage_m`` (metres along the line as it was drawn), ``offset_m`` (to the
        centreline), ``side`` (左岸, 右岸 as seen downstream; empty for things across the line), ``note``.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from ecospatial.network import build
    >>> river = gpd.GeoDataFrame({"river": ["甲河"]}, geometry=[shapely.LineString([(0, 0), (100, 0)])], crs=4549)
    >>> place = locate(build(river), gpd.GeoDataFrame(geometry=[shapely.Point(30, 4)], crs=4549))
    >>> place[["reach", "along_m", "offset_m", "side"]].to_numpy().tolist()
    [[0, 30.0, 4.0, '左岸']]
    """
    shapes, names = shapes_of(things), texts(things, column)
    reach = np.full(len(shapes), -1, dtype=np.intp)
    note = np.full(len(shapes), "", dtype=object)
    rivers = set(network.rivers[~network.link].tolist())
    known = np.array([name is not None and name in rivers for name in names], dtype=bool)
    for name in dict.fromkeys(names[known].tolist()):
        own = np.flatnonzero((network.rivers == name) & ~network.link)
        rows = np.flatnonzero(known & (names == name))
        _nearest(reach, rows, shapes, own, shapely.STRtree(network.lines[own]), within_m)
    own = np.flatnonzero(~network.link)
    if len(own):
        _nearest(reach, np.flatnonzero(~known), shapes, own, shapely.STRtree(network.lines[own]), within_m)
    given = np.array([name is not None for name in names], dtype=bool)
    note[given & ~known] = "河网中没有该河，按最近河道"
    note[reach < 0] = f"{within_m:g} m 内没有河道"
    return _places(network, things, shapes, reach=reach, note=note)


def _nearest(
    reach: NDArray[np.intp],
    rows: NDArray[np.intp],
    shapes: NDArray[Any],
    own: NDArray[np.intp],
    tree: shapely.STRtree,
    within_m: float,
) -> None:
    if not len(rows):
        return
    asked, found = tree.query_nearest(shapes[rows], max_distance=within_m, all_matches=True)
    # Where two reaches meet both are nearest; the first of them is taken, whatever the index gives first.
    first = first_of_each(asked, np.lexsort((own[found], asked)))
    reach[rows[asked[first]]] = own[found[first]]


def _places(
    network: Network, things: gpd.GeoDataFrame, shapes: NDArray[Any], *, reach: NDArray[np.intp], note: NDArray[Any]
) -> pd.DataFrame:
    on = np.flatnonzero(reach >= 0)
    along, offset, chainage = (np.full(len(shapes), np.nan) for _ in range(3))
    side = np.full(len(shapes), None, dtype=object)
    river = np.full(len(shapes), None, dtype=object)
    lines = network.lines[reach[on]]
    foot = shapely.shortest_line(lines, shapes[on])
    here, there = (shapely.get_point(foot, i) for i in (0, -1))
    along[on] = at_on(lines, here)
    offset[on] = shapely.length(foot)
    start = network.reaches["start_m"].to_numpy()[reach[on]]
    end = network.reaches["end_m"].to_numpy()[reach[on]]
    chainage[on] = start + np.sign(end - start) * along[on]
    across = xy_of(there) - xy_of(here)
    forward = tangents(lines, along[on])
    turn = forward[:, 0] * across[:, 1] - forward[:, 1] * across[:, 0]
    side[on[turn > 0]], side[on[turn < 0]] = "左岸", "右岸"
    river[on] = network.rivers[reach[on]]
    data = {"reach": reach, "river": river, "along_m": along, "chainage_m": chainage, "offset_m": offset}
    return pd.DataFrame({**data, "side": side, "note": note}, index=things.index)


def tangents(lines: NDArray[Any], along_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the direction of lines at places on them as unit vectors, shape (n, 2)."""
    length = shapely.length(lines)
    ahead = places_on(lines, np.minimum(along_m + TANGENT_M, length))
    behind = places_on(lines, np.maximum(along_m - TANGENT_M, 0.0))
    step = xy_of(ahead) - xy_of(behind)
    size = np.hypot(*step.T)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(size > 0, step / size, [1.0, 0.0]), dtype=np.float64)


def cross_cuts(lines: NDArray[Any], along_m: NDArray[np.float64], water: NDArray[Any]) -> NDArray[Any]:
    """Draw the line across the water, from bank to bank, at places on centrelines.

    Parameters
    ----------
    lines, along_m
        Centrelines, and metres along each of them.
    water
        The polygon between the banks at each place, or None.

    Returns
    -------
    array of LineString
        Square to the river, from the left bank to the right one; of several pieces of water that the line meets the
        one that holds the place. None where the place does not lie in the water.

    Examples
    --------
    >>> cut = cross_cuts(np.array([shapely.LineString([(0, 0), (100, 0)])]), np.array([30.0]),
    ...                  np.array([shapely.box(0, -8, 100, 12)]))[0]
    >>> cut.wkt
    'LINESTRING (30 12, 30 -8)'
    """
    found = np.full(len(lines), None, dtype=object)
    centre = places_on(lines, along_m)
    forward = tangents(lines, along_m)
    left = np.column_stack([-forward[:, 1], forward[:, 0]])
    xy = xy_of(centre)
    ends = np.stack([xy + ACROSS_M * left, xy - ACROSS_M * left], axis=1)
    whole = np.asarray(shapely.linestrings(ends), dtype=object)
    there = np.flatnonzero(~shapely.is_missing(water))
    parts, owner = shapely.get_parts(shapely.intersection(whole[there], water[there]), return_index=True)
    lines_only = shapely.get_dimensions(parts) == 1
    parts, owner = parts[lines_only], owner[lines_only]
    # The part that holds the place is the nearest one; the intersection is only exact to rounding.
    distance = shapely.distance(parts, centre[there[owner]])
    first = first_of_each(owner, np.lexsort((distance, owner)))
    first = first[distance[first] <= 1e-6]
    row = there[owner[first]]
    ends = shapely.get_coordinates(parts[first]).reshape(-1, 2, 2)
    turned = ((ends[:, 0] - xy[row]) * left[row]).sum(axis=1) < 0
    ends[turned] = ends[turned][:, ::-1]
    found[row] = shapely.linestrings(ends)
    return found
