"""Change of land cover between two dates: patches inside zones, and what became of what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import PlanError, Problem, SiteError
from ecospatial.geometry import areal_part, depth, ellipsoidal_area
from ecospatial.raster.align import BASE, WORDS, GridPair, confirmed, offset
from ecospatial.raster.grid import as_grid
from ecospatial.raster.pixels import Files
from ecospatial.raster.polygonize import blocks, joined, polygons
from ecospatial.raster.zonal_statistics import ask, ellipsoidal_of, operations, placed, valid_share

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from ecospatial.raster.grid import Grid

# 7 pixels of Sentinel-2; smaller patches are mostly mixed pixels that fell to the other side.
MIN_PATCH_M2 = 700.0
TOLERANCE_PX = 1
ENCROACHED, WATER_LOST, TREES_LOST, OTHER = "疑似侵占", "水面减少", "林木减少", "其他变化"
_SEALED = ("built", "bare")
PATCH_COLUMNS = [
    "zone", "patch", "from_cover", "to_cover", "concern", "area_m2", "patch_area_m2", "margin_m", "certain",
    "geometry",
]  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """What changed between two dates.

    ``patches``: a row for each patch and zone, geometry their common part. ``matrix``: a row for each zone and pair of
    classes. ``zones``: a row for each zone, on the caller's index. ``meta``: plain values, how it was found.
    ``indicators``: for each indicator its share of the plan's district on both dates, when a plan was looked at.
    """

    patches: gpd.GeoDataFrame
    matrix: pd.DataFrame
    zones: pd.DataFrame
    meta: dict[str, Any]
    indicators: pd.DataFrame = field(default_factory=pd.DataFrame)


def change(
    zones: gpd.GeoDataFrame,
    old: Grid | str | PathLike[str],
    new: Grid | str | PathLike[str],
    *,
    min_patch_m2: float = MIN_PATCH_M2,
    tolerance_px: int = TOLERANCE_PX,
    jobs: int = 1,
) -> Changes:
    """Find where land cover changed inside zones, leaving out what a shift of the picture or mixed pixels explain.

    Parameters
    ----------
    zones
        Polygons in a projected CRS in metres. A column ``accuracy_m`` says how far their lines may be off.
    old, new
        Land cover grids with classes. The newer may have other pixels or another CRS; it is then read at the centres
        of the older one's pixels, and the tolerance should be one pixel larger.
    min_patch_m2
        Smallest patch, pixels of the same change joined by their sides, square metres.
    tolerance_px
        By how many pixels the two pictures may be shifted against each other without raising an alarm.
    jobs
        Processes for the totals of the zones.

    Returns
    -------
    Changes
        ``patches``, a row for each patch and zone: ``zone`` (index label), ``patch`` (from 1, the same in every zone
        that it lies in), ``from_cover``, ``to_cover``, ``concern`` (疑似侵占: to built or bare;
        水面减少, 林木减少, 其他变化), ``area_m2`` in the zone (ellipsoid), ``patch_area_m2``, ``margin_m`` (how deep it
        lies in the zone) and ``certain`` (deeper than the accuracy of zone and grid together), largest first.
        ``matrix``: ``zone``, ``from_cover``, ``to_cover``, ``area_m2``; what is not a confirmed patch stays as it
        was, and the rows of a zone sum to what both dates saw of it. ``zones``: ``area_m2``, ``seen_m2`` (both
        dates), ``changed_m2`` (patches), ``dismissed_m2`` (differences put down to a shift, or too small).

    Raises
    ------
    PlanError
        A grid has no classes or can not be read.
    SiteError, CrsError
        The zones or the numbers can not be used.
    """
    pair = GridPair(as_grid(old), as_grid(new))
    _require(pair, zones, min_patch_m2, tolerance_px)
    on_grid = placed(zones, pair.grid)
    out = CRS(zones.crs)
    shapes, codes = _patches(pair, on_grid, tolerance_px)
    shapes = crs_.transform(shapes, pair.grid.crs, out)
    size = ellipsoidal_area(shapes, out)
    large = size >= min_patch_m2
    patches = _in_zones(zones, shapes[large], codes[large], size[large], _accuracy(pair))
    totals, matrix = _totals(zones, pair, on_grid, patches, jobs=jobs)
    meta = {
        "old": pair.old.name,
        "new": pair.new.name,
        "old_date": None if pair.old.date is None else pair.old.date.isoformat(),
        "new_date": None if pair.new.date is None else pair.new.date.isoformat(),
        "min_patch_m2": min_patch_m2,
        "tolerance_px": tolerance_px,
        "pixel_m": [round(metres, 3) for metres in pair.grid.pixel_m],
        "same_pixels": offset(pair.old, pair.new) is not None,
    }
    return Changes(patches, matrix, totals, meta)


def _require(pair: GridPair, zones: gpd.GeoDataFrame, min_patch_m2: float, tolerance_px: int) -> None:
    bare = [grid for grid in (pair.old, pair.new) if not grid.classes]
    if bare:
        raise PlanError(
            [Problem(g.path.name, None, "栅格没有分类表，不能比较", "请在 classes 写明像元值的含义") for g in bare]
        )
    if min_patch_m2 < 0 or not 0 <= tolerance_px <= 5:
        raise SiteError(Problem("", None, "最小图斑应不小于 0，配准容差应为 0 至 5 个像元", "请更正参数"))
    if not zones.index.is_unique:
        raise SiteError(Problem("", None, "统计区的编号（索引）有重复", "请给每个统计区不同的编号"))
    if zones.crs is not None:
        crs_.require_metric(CRS(zones.crs))


def _patches(pair: GridPair, on_grid: NDArray[Any], tolerance: int) -> tuple[NDArray[Any], NDArray[Any]]:
    found, codes = [np.empty(0, dtype=object)], [np.empty(0, dtype=np.int64)]
    margin = 2 * tolerance
    bounds = shapely.bounds(on_grid[~shapely.is_missing(on_grid)]).reshape(-1, 4)
    with Files() as files:
        for box in blocks(pair.grid, bounds):
            before, after = pair.codes(files, box.wider(margin))
            sure = confirmed(before, after, tolerance)
            inner = np.s_[margin : margin + box.ny, margin : margin + box.nx]
            both = (before.astype(np.int32) * BASE + after)[inner]
            shapes, kinds = polygons(both, sure[inner], pair.grid, box)
            found.append(shapes)
            codes.append(kinds)
    return joined(np.concatenate(found), np.concatenate(codes), pair.grid)


def _in_zones(
    zones: gpd.GeoDataFrame, shapes: NDArray[Any], codes: NDArray[Any], size: NDArray[np.float64], accuracy_m: float
) -> gpd.GeoDataFrame:
    """Cut patches by zones and say how deep each part lies in its zone; what is only a sliver of a pixel goes."""
    areas = zones.geometry.to_numpy()
    which, patch = shapely.STRtree(shapes).query(areas, predicate="intersects")
    parts = areal_part(shapely.intersection(areas[which], shapes[patch]))
    parts_m2 = ellipsoidal_area(parts, CRS(zones.crs))
    keep = parts_m2 > 0.01
    which, patch, parts, parts_m2 = which[keep], patch[keep], parts[keep], parts_m2[keep]
    margin = np.full(len(parts), np.nan)
    for zone in np.unique(which):
        rows = which == zone
        margin[rows] = depth(parts[rows], shapely.boundary(areas[zone]))
    own = zones["accuracy_m"] if "accuracy_m" in zones else pd.Series(0.0, index=zones.index)
    limit = pd.to_numeric(own).to_numpy(dtype=float)[which] + accuracy_m
    before, after = codes[patch] // BASE, codes[patch] % BASE
    frame = pd.DataFrame(
        {
            "zone": zones.index.to_numpy()[which],
            "patch": patch,
            "from_cover": [WORDS[code] for code in before],
            "to_cover": [WORDS[code] for code in after],
            "concern": [concern(WORDS[a], WORDS[b]) for a, b in zip(before, after, strict=True)],
            "area_m2": parts_m2,
            "patch_area_m2": size[patch],
            "margin_m": margin,
            # An accuracy that is not known makes nothing certain.
            "certain": margin > limit,
        }
    )
    found = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(parts, crs=zones.crs))[PATCH_COLUMNS]
    order = np.lexsort((patch, which, -parts_m2))
    return numbered(found.iloc[order].reset_index(drop=True))


def numbered(patches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Count patches anew from 1 in the order of their first rows; the rows of one patch keep one number."""
    return patches.assign(patch=pd.factorize(patches["patch"])[0].astype(np.int64) + 1)


def concern(before: str, after: str) -> str:
    """Name what a change means for an inspector.

    Examples
    --------
    >>> concern("crop", "built"), concern("water", "grass"), concern("tree", "grass"), concern("built", "tree")
    ('疑似侵占', '水面减少', '林木减少', '其他变化')
    """
    if after in _SEALED and before not in _SEALED:
        return ENCROACHED
    if before in ("water", "wetland"):
        return WATER_LOST
    if before in ("tree", "shrub") and after not in ("tree", "shrub"):
        return TREES_LOST
    return OTHER


def _accuracy(pair: GridPair) -> float:
    # Without a statement of its maker a picture may be off by a pixel.
    each = [max(grid.pixel_m) if grid.accuracy_m is None else grid.accuracy_m for grid in (pair.old, pair.new)]
    return max(each)


def _totals(
    zones: gpd.GeoDataFrame, pair: GridPair, on_grid: NDArray[Any], patches: gpd.GeoDataFrame, *, jobs: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = ask(on_grid, operations(["shares"], pair), pair.grid, jobs=jobs)
    area = ellipsoidal_of(zones)
    seen = area * np.nan_to_num(valid_share(found, on_grid, pair.grid))
    rows: list[tuple[Any, str, str, float]] = []
    differ = np.zeros(len(zones))
    moves = patches.groupby(["zone", "from_cover", "to_cover"], sort=True)["area_m2"].sum()
    moved_in = {zone: part.droplevel("zone") for zone, part in moves.groupby(level="zone")}
    nothing = moves.iloc[:0].droplevel("zone")
    for i, (label, numbers) in enumerate(zip(zones.index, found, strict=True)):
        codes = np.asarray(numbers.get("unique", ()), dtype=np.int64)
        shares = np.asarray(numbers.get("frac", ()), dtype=float) * seen[i]
        differ[i] = shares[codes // BASE != codes % BASE].sum()
        was = np.bincount(codes // BASE, weights=shares, minlength=len(WORDS)) if len(codes) else np.zeros(len(WORDS))
        moved = moved_in.get(label, nothing)
        for code in np.flatnonzero(was > 0):
            word = WORDS[code]
            gone = moved[moved.index.get_level_values(0) == word]
            rows.append((label, word, word, float(was[code] - gone.sum())))
            rows += [(label, word, str(to), float(m2)) for (_, to), m2 in gone.items()]
    matrix = pd.DataFrame(rows, columns=["zone", "from_cover", "to_cover", "area_m2"])
    changed = patches.groupby("zone")["area_m2"].sum().reindex(zones.index).fillna(0.0).to_numpy(dtype=float)
    totals = pd.DataFrame(
        {
            "area_m2": area,
            "seen_m2": seen,
            "changed_m2": changed,
            "dismissed_m2": np.maximum(differ - changed, 0.0),
        },
        index=zones.index,
    )
    return totals, matrix
