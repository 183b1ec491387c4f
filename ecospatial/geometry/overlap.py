"""``es.overlap``: by how much the polygons of two frames overlap, as numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import CrsError, Problem, SiteError
from ecospatial.geometry._shapes import ShapeIndex
from ecospatial.geometry.overlay import MAX_VERTICES, Pieces, areal_part, safe_intersection, settled
from ecospatial.geometry.overlay_area import shared_area

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_POLYGONS = (3, 6)


def overlap(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, *, jobs: int = 1) -> pd.DataFrame:
    """Measure by how much the polygons of two frames overlap.

    Parameters
    ----------
    left, right
        Frames of valid polygons in the same projected CRS.
    jobs
        Threads for the cutting.

    Returns
    -------
    DataFrame
        ``left_id`` and ``right_id`` (index labels), ``area_m2``, ``share_left`` (of the area of the left one,
        0 to 1): a row for each pair that shares area, in the order of the frames.

    Raises
    ------
    CrsError
        A CRS is missing or not projected, or the two differ.

    Examples
    --------
    >>> import geopandas as gpd
    >>> site = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)], index=["A"], crs=4549)
    >>> zone = gpd.GeoDataFrame(geometry=[shapely.box(5, 0, 50, 50)], index=["Z"], crs=4549)
    >>> overlap(site, zone)
      left_id right_id  area_m2  share_left
    0       A        Z     50.0         0.5
    """
    for frame in (left, right):
        if frame.crs is None or not frame.crs.is_projected:
            raise CrsError(Problem("", None, "overlap 需要投影坐标系（米）", "请先 to_crs，如 EPSG:4549"))
    if not left.crs.equals(right.crs, ignore_axis_order=True):
        given = f"{left.crs.to_string()} 与 {right.crs.to_string()}"
        raise CrsError(Problem("", None, f"两个图层的坐标系不同：{given}", "请先 to_crs 到同一坐标系"))
    shapes = _polygons(left, "left")
    site, owner, area = _shared(shapes, Pieces.of(_polygons(right, "right")), jobs=jobs)
    return pd.DataFrame(
        {
            "left_id": left.index.take(site),
            "right_id": right.index.take(owner),
            "area_m2": area,
            "share_left": area / shapely.area(shapes)[site],
        }
    )


def _shared(
    shapes: NDArray[Any], pieces: Pieces, *, jobs: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Give the pairs of positions that share area, sorted, and how much."""
    inside, (site, piece) = settled(ShapeIndex(shapes), np.arange(len(shapes)), pieces)
    # Summing edge against edge is slow where both have many, and what rounding could change by more than 1e-9 of it is
    # cut too: whether a shared edge is shared area is told exactly.
    few = np.flatnonzero(shapely.get_num_coordinates(shapes)[site] <= MAX_VERTICES)
    area, cut = np.empty(len(site)), np.ones(len(site), dtype=bool)
    area[few], cut[few] = shared_area(shapes, pieces.piece, (site[few], piece[few]), jobs=jobs)
    again = np.flatnonzero(cut)
    parts = areal_part(safe_intersection(shapes[site[again]], pieces.piece[piece[again]], jobs=jobs))
    area[again] = shapely.area(parts)
    count = max(len(pieces.whole), 1)
    pair = np.concatenate([inside[0] * count + inside[1], site * count + pieces.owner[piece]])
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    area = np.concatenate([shapely.area(shapes[inside[0]]), area])[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    total = np.add.reduceat(area, first) if len(first) else area
    kept = total > 0
    pair = pair[first][kept]
    return pair // count, pair % count, total[kept]


def _polygons(frame: gpd.GeoDataFrame, side: str) -> NDArray[Any]:
    geometry = frame.geometry.to_numpy()
    bad = ~np.isin(shapely.get_type_id(geometry), _POLYGONS) | ~shapely.is_valid(geometry)
    if bad.any():
        rows = "、".join(str(label) for label in frame.index[bad][:5])
        problem = f"{side} 有 {int(bad.sum())} 个要素不是有效的面：{rows}"
        raise SiteError(Problem("", None, problem, "请先修复（read_sites 会修复并说明）"))
    return np.asarray(geometry, dtype=object)
