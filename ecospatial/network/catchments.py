"""Sewer catchments: who is served by none or by two, what the plants can take, where outfalls belong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem
from ecospatial.geometry import areal_part
from ecospatial.network._arrays import first_of_each, numbers, pick, shapes_of, texts
from ecospatial.network.referencing import LOCATE_WITHIN_M, locate
from ecospatial.network.tracing import upstream_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

SYSTEMS = ("分流", "合流", "混流")
_SHARES = ("separate", "combined", "mixed")
# Where rain and sewage share a pipe, an overflow is worse: the order in which equal overflows are ranked.
OVERFLOW_ORDER = ("合流", "混流", "分流")
# Outfalls are overflow points when their type says so.
OVERFLOW = "溢流"
UNKNOWN = "未定"
COVERAGE_LABELS = {"blank": "管网空白区", "overlap": "片区重叠"}
LOAD_LABELS = {"within": "有余量", "over": "超负荷", "cannot_tell": "不能判断"}
# Less is a shared edge drawn twice, not a gap or an overlap: m2, and metres across.
IGNORE_M2 = 1.0
SLIVER_M = 0.1


def coverage(
    catchments: gpd.GeoDataFrame,
    built_up: gpd.GeoDataFrame,
    *,
    towns: gpd.GeoDataFrame | None = None,
    ignore_m2: float = IGNORE_M2,
    sliver_m: float = SLIVER_M,
) -> gpd.GeoDataFrame:
    """Find where the built-up area is in no catchment, or in more than one.

    Parameters
    ----------
    catchments
        Areas with ``feature_id`` and ``feature_name``, projected CRS in metres.
    built_up
        Areas in the same CRS.
    towns
        Areas whose ``feature_name`` says where a fault lies.
    ignore_m2, sliver_m
        Smaller pieces, m2, and narrower ones (twice the area over the length of the edge), metres, are left out.

    Returns
    -------
    GeoDataFrame
        Largest first: ``fault`` (blank, overlap), ``catchments`` (the two that overlap), ``town`` (what is in no
        catchment is cut at the borders of towns), ``area_m2``, ``geometry``. ``attrs`` holds ``built_up_m2``,
        ``covered_m2`` (in at least one catchment), ``blank_m2``, ``overlap_m2`` (in more than one; each spot once).

    Examples
    --------
    >>> town = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100)], crs=4549)
    >>> areas = [shapely.box(0, 0, 60, 100), shapely.box(50, 0, 90, 100)]
    >>> sewers = gpd.GeoDataFrame({"feature_name": ["一", "二"]}, geometry=areas, crs=4549)
    >>> coverage(sewers, town)[["fault", "catchments", "area_m2"]].to_numpy().tolist()
    [['blank', '', 1000.0], ['overlap', '一、二', 1000.0]]
    """
    whole = shapely.union_all(shapes_of(built_up))
    shapes = areal_part(shapely.intersection(shapes_of(catchments), whole))
    names = display_names(catchments)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    shared = areal_part(shapely.intersection(shapes[left], shapes[right]))
    served = shapely.union_all(shapes)
    bare = np.array([shapely.difference(whole, served)], dtype=object)
    blank, blank_town = _by_town(areal_part(bare), towns)
    pairs = np.array([f"{names[a]}、{names[b]}" for a, b in zip(left, right, strict=True)], dtype=object)
    geometry = np.concatenate([blank, shared])
    found = gpd.GeoDataFrame(
        {
            "fault": np.repeat(np.array(["blank", "overlap"], dtype=object), [len(blank), len(shared)]),
            "catchments": np.concatenate([np.full(len(blank), "", dtype=object), pairs]),
            "town": [*blank_town, *_town_of(shared, towns)],
            "area_m2": shapely.area(geometry),
        },
        geometry=geometry,
        crs=catchments.crs,
    )
    width = 2 * found["area_m2"] / found.length.where(found.length > 0)
    found = found[(found["area_m2"] > ignore_m2) & (width > sliver_m)]
    found = found.sort_values("area_m2", ascending=False, kind="stable").reset_index(drop=True)
    found.attrs = {
        "built_up_m2": whole.area,
        "covered_m2": served.area,
        "blank_m2": float(shapely.area(bare).sum()),
        "overlap_m2": shapely.union_all(shared).area,
    }
    return found


def _by_town(bare: NDArray[Any], towns: gpd.GeoDataFrame | None) -> tuple[NDArray[Any], list[str | None]]:
    """Take what is in no catchment apart: at the borders of towns, and where it does not hang together."""
    if towns is None:
        parts = shapely.get_parts(bare)
        return parts, [None] * len(parts)
    areas, names = shapes_of(towns), texts(towns, "feature_name")
    outside = shapely.difference(bare, shapely.union_all(areas))
    cut = areal_part(np.concatenate([shapely.intersection(bare, areas), outside]))
    parts, owner = shapely.get_parts(cut, return_index=True)
    return parts, pick(names, np.where(owner < len(names), owner, -1)).tolist()


def _town_of(geometry: NDArray[Any], towns: gpd.GeoDataFrame | None) -> list[str | None]:
    """Name the town that holds a point inside of each geometry."""
    if towns is None or not len(geometry):
        return [None] * len(geometry)
    inside = shapely.point_on_surface(geometry)
    place, town = shapely.STRtree(shapes_of(towns)).query(inside, predicate="intersects")
    names = texts(towns, "feature_name")
    found: list[str | None] = [None] * len(geometry)
    for i, j in zip(place[::-1].tolist(), town[::-1].tolist(), strict=True):
        found[i] = names[j]
    return found


def display_names(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    """Name each feature: its name, else its id, else its row."""
    names = np.array([str(i + 1) for i in range(len(frame))], dtype=object)
    for column in ("feature_id", "feature_name"):
        given = texts(frame, column)
        names = np.where([value is not None for value in given], given, names)
    return np.asarray(names, dtype=object)


def catchment_flows(catchments: gpd.GeoDataFrame, litres_per_head_d: float | None = None) -> pd.DataFrame:
    """Give the sewage of each catchment: its measured flow, else people times litres a head.

    Returns
    -------
    DataFrame
        On the caller's index: ``flow_m3_d``, ``basis`` (流量, 人口定额, empty: not known).

    Raises
    ------
    PlanError
        The litres are not positive.
    """
    if litres_per_head_d is not None and not litres_per_head_d > 0:
        problem = f"人均污水量 {litres_per_head_d} 不可用"
        raise PlanError(Problem("", None, problem, "请给出大于 0 的数，单位升/（人·日）"))
    flow, people = (numbers(catchments, name) for name in ("flow_m3_d", "population"))
    counted = people * (np.nan if litres_per_head_d is None else litres_per_head_d / 1000)
    basis = np.full(len(flow), None, dtype=object)
    basis[~np.isnan(counted)] = "人口定额"
    basis[~np.isnan(flow)] = "流量"
    return pd.DataFrame({"flow_m3_d": np.where(np.isnan(flow), counted, flow), "basis": basis}, index=catchments.index)


def plant_loads(
    plants: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame, *, litres_per_head_d: float | None = None
) -> pd.DataFrame:
    """Put the sewage that reaches each plant against what it can take.

    Parameters
    ----------
    plants
        Points with ``plant`` and ``capacity_m3_d``.
    catchments
        Areas with ``plant``, and ``flow_m3_d`` or ``population``.
    litres_per_head_d
        Sewage of one person and day, where only people are known; None: then the load is not known.

    Returns
    -------
    DataFrame
        A row for each plant named by either; last 未定, the catchments without a plant: ``plant``,
        ``capacity_m3_d``, ``catchments`` (number), ``area_m2``, ``population``, ``load_m3_d`` (of the catchments
        whose load is known), ``unknown`` (number of those whose load is not), ``utilisation`` (load over capacity;
        empty while a load is unknown), ``status`` (within, over, cannot_tell).

    Examples
    --------
    >>> works = gpd.GeoDataFrame({"plant": ["甲厂"], "capacity_m3_d": [1000.0]}, geometry=[shapely.Point(0, 0)])
    >>> area = {"plant": ["甲厂", "甲厂"], "population": [3000, 1500]}
    >>> sewers = gpd.GeoDataFrame(area, geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    >>> plant_loads(works, sewers, litres_per_head_d=200)[["load_m3_d", "utilisation", "status"]].to_numpy().tolist()
    [[900.0, 0.9, 'within']]
    """
    flows = catchment_flows(catchments, litres_per_head_d)["flow_m3_d"].to_numpy()
    own = np.array([name or UNKNOWN for name in texts(catchments, "plant")], dtype=object)
    capacity = dict(zip(plants["plant"], numbers(plants, "capacity_m3_d"), strict=True))
    people, area = numbers(catchments, "population"), shapely.area(catchments.geometry.to_numpy())
    order = [*capacity, *(name for name in dict.fromkeys(own.tolist()) if name not in capacity and name != UNKNOWN)]
    rows = []
    for name in [*order, *([UNKNOWN] if UNKNOWN in own else [])]:
        mine = own == name
        load, unknown = float(np.nansum(flows[mine])), int(np.isnan(flows[mine]).sum())
        limit = float(capacity.get(name, np.nan))
        told = bool(mine.any()) and unknown == 0 and not np.isnan(limit)
        rows.append(
            {
                "plant": name,
                "capacity_m3_d": limit,
                "catchments": int(mine.sum()),
                "area_m2": float(area[mine].sum()),
                "population": np.nan if np.isnan(people[mine]).any() or not mine.any() else float(people[mine].sum()),
                "load_m3_d": np.nan if unknown == mine.sum() else load,
                "unknown": unknown,
                "utilisation": load / limit if told and limit > 0 else np.nan,
                # What is known may already be too much; it is never enough to say that there is room.
                "status": "over" if load > limit else ("within" if told else "cannot_tell"),
            }
        )
    return pd.DataFrame(rows)


def shares(catchments: gpd.GeoDataFrame, *, by: str | None = None) -> pd.DataFrame:
    """Measure the shares of 分流, 合流 and 混流, and of 达标区, by area.

    Parameters
    ----------
    catchments
        Areas with ``system`` and ``meets_standard``.
    by
        Column to group by (``group``, ``plant``, ``river``); None: all together.

    Returns
    -------
    DataFrame
        A row for each group, and last 合计: ``catchments`` (number), ``area_m2``, ``separate``, ``combined``, ``mixed``
        and ``system_unknown`` (shares of the area, 0 to 1, adding up to 1), ``standard`` (share that meets the
        standard), ``standard_unknown``. Where all of a group is unknown, its shares are empty.
    """
    area = shapely.area(catchments.geometry.to_numpy())
    system = catchments["system"].to_numpy(dtype=object)
    standard = catchments["meets_standard"].to_numpy(dtype=object)
    group = np.full(len(catchments), "", dtype=object)
    if by is not None and by in catchments:
        group = np.array([name or UNKNOWN for name in texts(catchments, by)], dtype=object)
    rows = []
    for name in [*([] if by is None else dict.fromkeys(group.tolist())), "合计"]:
        own = np.ones(len(group), dtype=bool) if name == "合计" else group == name
        total = float(area[own].sum())

        def share(which: NDArray[np.bool_], own: NDArray[np.bool_] = own, total: float = total) -> float:
            return float(area[own & which].sum() / total) if total > 0 else np.nan

        row: dict[str, Any] = {"group": name, "catchments": int(own.sum()), "area_m2": total}
        row |= {column: share(system == word) for column, word in zip(_SHARES, SYSTEMS, strict=True)}
        row["system_unknown"] = share(~np.isin(system.astype(str), SYSTEMS))
        row["standard"] = share(np.array([value is True for value in standard], dtype=bool))
        row["standard_unknown"] = share(np.array([value not in (True, False) for value in standard], dtype=bool))
        # Where nothing is known of a group there is no share, not a share of nothing.
        if row["system_unknown"] == 1:
            row |= dict.fromkeys(_SHARES, np.nan)
        if row["standard_unknown"] == 1:
            row["standard"] = np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def match_outfalls(
    outfalls: gpd.GeoDataFrame,
    catchments: gpd.GeoDataFrame,
    network: Network | None = None,
    *,
    within_m: float = LOCATE_WITHIN_M,
) -> pd.DataFrame:
    """Say for each outfall which catchment it drains and which river it enters.

    Parameters
    ----------
    outfalls
        Points; ``catchment`` (id or name of a catchment) and ``river`` count where they are filled in.
    catchments
        Areas with ``feature_id``, ``feature_name``.
    network
        The river network; None: rivers are not looked for.
    within_m
        How far the nearest catchment or river may be, metres.

    Returns
    -------
    DataFrame
        On the index of ``outfalls``: ``catchment`` (row in ``catchments``, -1: none), ``catchment_name``, ``how``
        (标注, 位于其中, 最近, empty), ``distance_m`` (to the catchment), and the columns of ``locate``.
    """
    shapes, points = shapes_of(catchments), shapes_of(outfalls)
    found = np.full(len(points), -1, dtype=np.intp)
    how = np.full(len(points), "", dtype=object)
    if len(shapes):
        asked, near = shapely.STRtree(shapes).query_nearest(points, max_distance=within_m, all_matches=True)
        first = first_of_each(asked, np.lexsort((near, asked)))
        found[asked[first]] = near[first]
    columns = ("feature_name", "feature_id")
    rows = {name: i for column in columns for i, name in enumerate(texts(catchments, column)) if name is not None}
    said = np.array([rows.get(name, -1) for name in texts(outfalls, "catchment")], dtype=np.intp)
    found = np.where(said >= 0, said, found)
    on = np.flatnonzero(found >= 0)
    distance = np.full(len(points), np.nan)
    distance[on] = shapely.distance(points[on], shapes[found[on]])
    how[on] = np.where(distance[on] == 0, "位于其中", "最近")
    how[said >= 0] = "标注"
    names = pick(display_names(catchments), found)
    data = {"catchment": found, "catchment_name": names, "how": how, "distance_m": distance}
    table = pd.DataFrame(data, index=outfalls.index)
    return table if network is None else table.join(locate(network, outfalls, within_m=within_m))


def rank_overflows(
    network: Network,
    sections: gpd.GeoDataFrame,
    outfalls: gpd.GeoDataFrame,
    catchments: gpd.GeoDataFrame,
    *,
    within_m: float = LOCATE_WITHIN_M,
) -> pd.DataFrame:
    """Rank the overflow points upstream of each section.

    An outfall is an overflow point when its ``outfall_type`` speaks of 溢流. The larger flow goes first (unknown ones
    last), then the catchment where rain and sewage share pipes (合流, 混流, 分流), then the shorter way to the section.

    Returns
    -------
    DataFrame
        ``section`` and ``thing`` (index labels), ``rank`` (1 first, by section), ``flow_m3_d``, ``catchment_name``,
        ``system``, ``along_river_m``, ``river``.
    """
    kinds = texts(outfalls, "outfall_type")
    spills = outfalls[np.array([kind is not None and OVERFLOW in kind for kind in kinds], dtype=bool)]
    found = upstream_of(network, sections, {"outfall": spills}, within_m=within_m)
    matched = match_outfalls(spills, catchments, within_m=within_m)
    row = matched["catchment"].reindex(found["thing"]).to_numpy(dtype=np.intp)
    system = pick(texts(catchments, "system"), row)
    table = pd.DataFrame(
        {
            "section": found["section"],
            "thing": found["thing"],
            "flow_m3_d": found["load_m3_d"],
            "catchment_name": matched["catchment_name"].reindex(found["thing"]).to_numpy(dtype=object),
            "system": system,
            "along_river_m": found["along_river_m"],
            "river": found["river"],
        }
    )
    table["order"] = [OVERFLOW_ORDER.index(s) if s in OVERFLOW_ORDER else len(OVERFLOW_ORDER) for s in system]
    table["place"] = table["section"].map({label: i for i, label in enumerate(sections.index)})
    by, up = ["place", "flow_m3_d", "order", "along_river_m"], [True, False, True, True]
    table = table.sort_values(by, ascending=up, kind="stable", na_position="last").reset_index(drop=True)
    table.insert(2, "rank", table.groupby("place").cumcount() + 1)
    return table.drop(columns=["order", "place"])
