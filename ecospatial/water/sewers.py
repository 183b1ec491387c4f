"""The sewers of a plan: who is served, by which plant, and what spills where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from ecospatial import network as nw
from ecospatial.errors import PlanError, Problem
from ecospatial.network.catchments import IGNORE_M2
from ecospatial.network.graph import SNAP_M
from ecospatial.water._layers import StudyLayers
from ecospatial.water.result import StudyTable, WaterStudy
from ecospatial.water.tables import made

if TYPE_CHECKING:
    import datetime as dt

    from ecospatial.network import Network
    from ecospatial.plans import Plan

KINDS = ("sewer_catchment", "sewage_plant", "outfall", "sewer_pipe")


def sewers(
    plan: Plan,
    *,
    on: dt.date | None = None,
    litres_per_head_d: float | None = None,
    snap_m: float = SNAP_M,
    min_slope: float = 0.0,
) -> WaterStudy:
    """Study the sewers of a plan.

    Parameters
    ----------
    plan
        A plan that holds at least one of ``sewer_catchment``, ``sewage_plant``, ``outfall`` and ``sewer_pipe``.
    on
        Only layers valid on that day; None: all.
    litres_per_head_d
        Sewage of one person and day, for catchments without a measured flow; None: their load is not known.
    snap_m
        Ends of rivers closer than this are joined, metres.
    min_slope
        Least fall of a pipe, metres per metre.

    Returns
    -------
    WaterStudy
        Tables ``summary``, ``plants``, ``shares``, ``coverage``, ``catchments``, ``outfalls``, ``overflows``,
        ``pipes``; those whose layers are missing are left out and said in ``notices``.

    Raises
    ------
    PlanError
        The plan holds nothing about sewers, or a parameter is not usable.
    """
    held = StudyLayers(plan, on)
    catchments, plants, outfalls, pipes = (held.frame(kind, needed_for=_LOST[kind]) for kind in KINDS)
    if catchments is None and plants is None and outfalls is None and pipes is None:
        problems = [Problem("plan.yaml", None, text, "请放入其中至少一个图层") for text in held.wanting]
        raise PlanError(problems)
    network = _network(held, snap_m)
    towns = held.frame("town")
    empty = plan.frame_of("sewer_catchment", [])
    areas = empty if catchments is None else catchments
    tables: dict[str, StudyTable] = {}
    if catchments is not None or plants is not None:
        works = plan.frame_of("sewage_plant", []) if plants is None else plants
        loads = nw.plant_loads(works, areas, litres_per_head_d=litres_per_head_d)
        tables["plants"] = made("plants", loads)
    summary: list[tuple[str, float, str]] = []
    if catchments is not None:
        tables |= _areas(catchments, held, towns, litres_per_head_d, summary)
    if outfalls is not None:
        tables |= _outfalls(outfalls, areas, network, held, summary)
    if pipes is not None:
        ends = held.together("sewage_plant", "outfall")
        tables["pipes"] = made("pipes", nw.check_pipes(pipes, outlets=ends, min_slope=min_slope))
        summary.append(("管道缺陷", len(tables["pipes"].frame), "处"))
    tables["summary"] = made("summary", pd.DataFrame(summary, columns=["item", "value", "unit"]))
    order = [name for name in _ORDER if name in tables and not (name == "summary" and not summary)]
    title = f"{plan.title}　排水分析"
    return WaterStudy("sewers", title, plan, {name: tables[name] for name in order}, held.notices())


_ORDER = ("summary", "plants", "shares", "coverage", "catchments", "outfalls", "overflows", "pipes")
_LOST = {
    "sewer_catchment": "不能判断管网覆盖、负荷和分流比例",
    "sewage_plant": "不知道处理能力",
    "outfall": "不能列出排污口和溢流口",
    "sewer_pipe": "未作管道检查",
}


def _network(held: StudyLayers, snap_m: float) -> Network | None:
    lines = held.frame("river_centreline", needed_for="排污口未对应河道")
    return None if lines is None else nw.build(lines, snap_m=snap_m)


def _areas(
    catchments: gpd.GeoDataFrame,
    held: StudyLayers,
    towns: gpd.GeoDataFrame | None,
    litres_per_head_d: float | None,
    summary: list[tuple[str, float, str]],
) -> dict[str, StudyTable]:
    flows = nw.catchment_flows(catchments, litres_per_head_d)
    listed = catchments.assign(
        name=nw.display_names(catchments), area_m2=catchments.area, load_m3_d=flows["flow_m3_d"], basis=flows["basis"]
    )
    by = "group" if catchments["group"].notna().any() else "plant"
    shares = nw.shares(catchments, by=by)
    built_up = _built_up(held, catchments)
    judged, blind_m2 = _judged(held, built_up)
    faults = nw.coverage(catchments, judged, towns=towns)
    whole, about = shares.iloc[-1], faults.attrs
    summary += [
        ("排水片区", len(catchments), "个"),
        ("片区面积", listed["area_m2"].sum() / 1e6, "平方千米"),
        ("分流制面积占比", whole["separate"] * 100, "%"),
        ("合流制面积占比", whole["combined"] * 100, "%"),
        ("混流面积占比", whole["mixed"] * 100, "%"),
        ("排水体制未知面积占比", whole["system_unknown"] * 100, "%"),
        ("达标区面积占比", whole["standard"] * 100, "%"),
        ("是否达标未知面积占比", whole["standard_unknown"] * 100, "%"),
        ("建成区面积（扣除水面）", built_up.area.sum() / 1e6, "平方千米"),
        ("其中片区图层覆盖范围外，不能判断", blind_m2 / 1e6, "平方千米"),
        ("管网空白区", about["blank_m2"] / 1e6, "平方千米"),
        ("片区重叠", about["overlap_m2"] / 1e6, "平方千米"),
    ]
    return {
        "catchments": made("catchments", listed),
        "shares": made("shares", shares),
        "coverage": made("coverage", faults),
    }


def _built_up(held: StudyLayers, catchments: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give the built-up area without water: 集中建设区, else the whole 城镇开发边界, else the district, said."""
    found, boundary = held.area(), held.frame("urban_boundary")
    if boundary is not None:
        dense = boundary[boundary["part"] == "集中建设区"]
        found = dense if len(dense) else boundary
    elif found is not None:
        held.wanting.append("城镇开发边界未取得，管网空白区以全区为范围")
    else:
        held.wanting.append("城镇开发边界和区界均未取得，不能判断管网空白区")
        found = catchments
    water = held.together("bank_line", "water_body")
    whole = shapely.union_all(found.geometry.to_numpy())
    if water is not None:
        areas = water.geometry.to_numpy()
        whole = shapely.difference(whole, shapely.union_all(areas[shapely.get_dimensions(areas) == 2]))
    return gpd.GeoDataFrame(geometry=[whole], crs=catchments.crs)


def _judged(held: StudyLayers, built_up: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, float]:
    """Give the part of the built-up area where no catchment means none, and the m2 where it means nothing."""
    whole = built_up.geometry.iloc[0]
    seen = held.coverage("sewer_catchment")
    told = shapely.Polygon() if seen is None else shapely.intersection(whole, seen)
    blind_m2 = float(whole.area - told.area)
    if blind_m2 > IGNORE_M2:
        held.wanting.append(f"排水片区图层的覆盖范围外有建成区 {blind_m2 / 1e6:.2f} 平方千米，不能判断是否空白")
    return built_up.set_geometry([told], crs=built_up.crs), blind_m2


def _outfalls(
    outfalls: gpd.GeoDataFrame,
    catchments: gpd.GeoDataFrame,
    network: Network | None,
    held: StudyLayers,
    summary: list[tuple[str, float, str]],
) -> dict[str, StudyTable]:
    named = outfalls.set_index(pd.Index(nw.display_names(outfalls), dtype=object))
    matched = nw.match_outfalls(named.reset_index(drop=True), catchments, network)
    kept = named[["outfall_type", "flow_m3_d"]].reset_index(names="outfall")
    listed = gpd.GeoDataFrame(kept.join(matched), geometry=outfalls.geometry.to_numpy(), crs=outfalls.crs)
    if network is None:
        listed = listed.assign(river=outfalls["river"].to_numpy(), along_m=float("nan"), side=None)
    found: dict[str, Any] = {"outfalls": made("outfalls", listed)}
    spills = outfalls["outfall_type"].fillna("").str.contains("溢流").sum()
    summary += [("排污口", len(outfalls), "个"), ("其中溢流口", int(spills), "个")]
    sections = held.frame("monitoring_section")
    if network is not None and sections is not None and spills:
        at = sections.set_index(pd.Index(nw.display_names(sections), dtype=object))
        found["overflows"] = made("overflows", nw.rank_overflows(network, at, named, catchments))
    return found
