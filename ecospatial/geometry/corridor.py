"""Corridors beside lines: to draw and to measure area with, never to decide with."""

from __future__ import annotations

from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely

from ecospatial.errors import CrsError, Problem, SiteError

# With 64 segments to a quarter circle a polygon round 1000 m stays within 0.08 m of the true distance.
QUARTER_SEGMENTS = 64


def strip(geometry: Any, within_m: float) -> Any:
    """Draw the area within a distance of each geometry (metres, the geometry's CRS); eroded when it is negative."""
    return shapely.buffer(geometry, within_m, quad_segs=QUARTER_SEGMENTS)


def corridor(
    lines: gpd.GeoDataFrame, within_m: float = 1000, *, side: Literal["both", "left", "right"] = "both"
) -> gpd.GeoDataFrame:
    """Draw the corridor beside each line.

    Parameters
    ----------
    lines
        Frame of lines, or polygons between banks, in a projected CRS in metres.
    within_m
        Width on a side, metres.
    side
        Both sides, or the left or right one as seen along the line; one-sided corridors need lines.

    Returns
    -------
    GeoDataFrame
        One polygon per row on the caller's index; the other columns as they were. With 64 segments to a
        quarter circle: decide by distance, draw with this.

    Raises
    ------
    CrsError
        The CRS is missing or not projected.
    SiteError
        ``side`` is unknown or does not go with the geometry, or ``within_m`` is not positive.

    Examples
    --------
    >>> line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (0, 100)])], crs=4549)
    >>> float(corridor(line, 10, side="right").area.iloc[0])
    1000.0
    """
    if lines.crs is None or not lines.crs.is_projected:
        raise CrsError(Problem("", None, "corridor 需要投影坐标系（米）", "请先 to_crs，如 EPSG:4549"))
    if side not in ("both", "left", "right") or not within_m > 0:
        raise SiteError(
            Problem(
                "",
                None,
                f"side={side}、within_m={within_m} 不可用",
                "side 可选 both、left、right，宽度为正数",
            )
        )
    shapes = lines.geometry.to_numpy()
    if side == "both":
        drawn = strip(shapes, within_m)
    else:
        if not np.isin(shapely.get_type_id(shapes), (1, 5)).all():
            raise SiteError(Problem("", None, "单侧廊道只能由线得出", "请用河道中心线或岸线"))
        width = within_m if side == "left" else -within_m
        drawn = np.asarray(
            shapely.buffer(shapes, width, quad_segs=QUARTER_SEGMENTS, single_sided=True, cap_style="flat"),
            dtype=object,
        )
    return lines.set_geometry(gpd.GeoSeries(drawn, index=lines.index, crs=lines.crs))
