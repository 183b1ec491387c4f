"""The rivers of a plan: connected or not, where they end, what would connect them, who lies upstream of whom."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial import network as nw
from ecospatial.errors import PlanError, Problem
from ecospatial.model import KINDS
from ecospatial.network.dead_ends import MAX_GAP_M
from ecospatial.network.graph import SNAP_M
from ecospatial.results import StudyTable, WaterStudy
from ecospatial.water._layers import StudyLayers
from ecospatial.water.tables import made

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from ecospatial.network import Network
    from ecospatial.plans import Plan

# Drawn for the eye and for areas; no rule stands behind these widths.
CORRIDOR_M = 50.0
BREAK_M = 100.0
GREEN_KINDS, UPSTREAM_KINDS, DOWNSTREAM_KINDS = (
    tuple(kind.name for kind in sorted(KINDS.values(), key=attrgetter("order")) if kind.river_role == role)
    for role in ("green", "discharges", "receives")
)


def rivers(
    plan: Plan,
    *,
    on: dt.date | None = None,
    snap_m: float = SNAP_M,
    max_gap_m: float = MAX_GAP_M,
    corridor_m: float = CORRIDOR_M,
    break_m: float = BREAK_M,
    sites: gpd.GeoDataFrame | None = None,
    accident: gpd.GeoDataFrame | None = None,
    speed_m_s: float | None = None,
) -> WaterStudy:
    """Study the rivers of a plan.

    Parameters
    ----------
    plan
        A plan that holds ``river_centreline``; other layers are used where they are held.
    on
        Only layers valid on that day; None: all.
    snap_m
        Ends closer than this are joined, metres (``network.build``).
    max_gap_m
        Longest missing piece that is considered, metres.
    corridor_m, break_m
        Width of the corridor on each bank, and breaks of green longer than what are listed, metres.
    sites
        Sites in ``plan.crs`` that also count upstream of sections, and whose spills are followed downstream.
    accident
        Places in ``plan.crs`` whose spills are followed instead of those of the sites.
    speed_m_s
        Mean speed of the water; None: no hours.

    Returns
    -------
    WaterStudy
        Tables ``summary``, ``rivers``, ``systems``, ``classes``, ``towns``, ``ends``, ``parts``, ``gaps``, ``loops``,
        ``sections``, ``upstream``, ``downstream``, ``corridors``, ``breaks``, ``repairs``, ``reaches``; those whose
        layers are missing are left out and said in ``notices``.

    Raises
    ------
    PlanError
        The plan holds no ``river_centreline``, or a parameter is not usable.

    Examples
    --------
    >>> import ecospatial as es
    >>> study = rivers(es.open_plan("changzhou-zhonglou"))
    >>> study.frame("parts")["part"].tolist()
    [1]
    """
    if not max_gap_m > 0:
        raise PlanError(Problem("", None, f"最长缺口 {max_gap_m} 不可用", "请给出大于 0 的米数"))
    held = StudyLayers(plan, on)
    lines = held.frame("river_centreline", needed_for="不能建立河网")
    if lines is None:
        raise PlanError(Problem("plan.yaml", None, held.wanting[0], "请放入河道中心线图层"))
    network = nw.build(lines, snap_m=snap_m)
    district = held.area()
    towns = held.frame("town", needed_for="不能按镇街统计")
    ends = _ends(network, held, district)
    classes = nw.class_ledger(network, towns).reset_index()
    tables = {
        "rivers": made("rivers", _rivers(network, district)),
        "classes": made("classes", classes, extra=[str(c) for c in classes.columns[5:]]),
        "ends": made("ends", ends),
        "parts": made("parts", nw.parts(network)),
        "gaps": made("gaps", nw.gaps(network, max_gap_m=max_gap_m, dead_ends=_blind(ends))),
        "loops": made("loops", nw.loops(network)),
        "repairs": made("repairs", network.repairs),
        "reaches": made("reaches", network.reaches.assign(order=nw.stream_order(network))),
    }
    if network.reaches["system"].notna().any():
        tables["systems"] = made("systems", _systems(network, district))
    tables |= _surface(network, held, towns)
    tables |= _along(network, held, sites=sites, accident=accident, speed_m_s=speed_m_s)
    tables |= _beside(lines, held, district, towns, corridor_m=corridor_m, break_m=break_m, snap_m=snap_m)
    tables["summary"] = made("summary", _summary(network, ends, tables))
    order = [name for name in _ORDER if name in tables]
    title = f"{plan.title}　河网分析"
    return WaterStudy("network", title, plan, {name: tables[name] for name in order}, held.notices())


_ORDER = (
    "summary", "rivers", "systems", "classes", "towns", "ends", "parts", "gaps", "loops", "sections", "upstream",
    "downstream", "corridors", "breaks", "repairs", "reaches",
)  # fmt: skip


def _ends(network: Network, held: StudyLayers, district: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Tell the ends inside the district; lakes give water and take it."""
    area = None if district is None else district.geometry.iloc[0]
    sources = held.together("river_source", "water_body")
    return nw.river_ends(network, area=area, sources=sources, mouths=held.frame("water_body"))


def _blind(ends: gpd.GeoDataFrame) -> list[int]:
    return [int(node) for node in ends.loc[ends["end"].isin(["dead_end", "no_outlet"]), "node"]]


def _inside(network: Network, district: gpd.GeoDataFrame | None) -> NDArray[np.float64]:
    """Give the length of each reach in the district; unknown without an outline."""
    if district is None:
        return np.full(len(network.reaches), np.nan)
    pairs = nw.lengths_by_area(network, district)
    found = np.bincount(pairs["reach"], weights=pairs["length_m"], minlength=len(network.reaches))
    return np.where(network.link, np.nan, found)


def _rivers(network: Network, district: gpd.GeoDataFrame | None) -> pd.DataFrame:
    found = nw.check_classes(network)
    reaches = network.reaches.assign(district_m=_inside(network, district))[~network.link]
    reaches["river_class"] = reaches["river_class"].fillna("")
    by = reaches.groupby(["river", "river_class"])
    key = pd.MultiIndex.from_arrays([found["river"], found["river_class"].fillna("")])
    inside, width = by["district_m"].sum(min_count=1), by["width_m"].max()
    return found.assign(district_m=inside.reindex(key).to_numpy(), width_m=width.reindex(key).to_numpy())


def _systems(network: Network, district: gpd.GeoDataFrame | None) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "system": network.reaches["system"].fillna("未归入水系"),
            "river": network.rivers,
            "length_m": network.length_m,
            "district_m": _inside(network, district),
        }
    )[~network.link]
    by = table.groupby("system", sort=False)
    return pd.DataFrame(
        {
            "system": list(by.groups),
            "rivers": by["river"].agg(lambda names: "、".join(dict.fromkeys(str(name) for name in names))).to_numpy(),
            "length_m": by["length_m"].sum().to_numpy(),
            "district_m": by["district_m"].sum(min_count=1).to_numpy(),
        }
    )


def _surface(network: Network, held: StudyLayers, towns: gpd.GeoDataFrame | None) -> dict[str, StudyTable]:
    if towns is None:
        return {}
    found = nw.density(network, towns, water=held.together("bank_line", "water_body"))
    found.insert(0, "town", towns["feature_name"])
    return {"towns": made("towns", found)}


def _along(
    network: Network,
    held: StudyLayers,
    *,
    sites: gpd.GeoDataFrame | None,
    accident: gpd.GeoDataFrame | None,
    speed_m_s: float | None,
) -> dict[str, StudyTable]:
    found: dict[str, StudyTable] = {}
    sections = held.frame("monitoring_section", needed_for="不能列出断面上游")
    if sections is not None:
        named = sections.set_axis(_names(sections))
        totals = nw.section_totals(network, named)
        grade = named["grade"].to_numpy(dtype=object)
        found["sections"] = made("sections", totals.assign(grade=grade).reset_index(names="section"))
        things = {kind: held.frame(kind, needed_for="断面上游未列入") for kind in UPSTREAM_KINDS}
        known = {kind: frame.set_axis(_names(frame)) for kind, frame in things.items() if frame is not None}
        if sites is not None:
            known["site"] = sites
        found["upstream"] = made("upstream", nw.upstream_of(network, named, known))
    starts = accident if accident is not None else sites
    if starts is not None:
        reached = {kind: held.frame(kind, needed_for="下游影响未列入") for kind in DOWNSTREAM_KINDS}
        known = {kind: frame.set_axis(_names(frame)) for kind, frame in reached.items() if frame is not None}
        found["downstream"] = made("downstream", nw.downstream_of(network, starts, known, speed_m_s=speed_m_s))
    return found


def _names(frame: gpd.GeoDataFrame) -> list[Any]:
    return list(nw.display_names(frame))


def _beside(
    lines: gpd.GeoDataFrame,
    held: StudyLayers,
    district: gpd.GeoDataFrame | None,
    towns: gpd.GeoDataFrame | None,
    *,
    corridor_m: float,
    break_m: float,
    snap_m: float,
) -> dict[str, StudyTable]:
    """Draw corridors and list breaks of green, inside the district, where the layers of green are complete."""
    inner = lines
    if district is not None:
        cut = shapely.intersection(lines.geometry.to_numpy(), district.geometry.iloc[0])
        wet = shapely.get_dimensions(cut) == 1
        inner = lines[wet].set_geometry(gpd.GeoSeries(_lines_only(cut[wet]), index=lines.index[wet], crs=lines.crs))
    network = nw.build(inner, snap_m=snap_m)
    banks = held.together("water_body", "bank_line")
    water = {} if banks is None else nw.bank_areas(banks[banks["river"].notna()], network)
    found = {"corridors": made("corridors", nw.corridors(network, corridor_m, banks=water))}
    green = _green(held)
    if green is None:
        held.wanting.append("沿河绿地、缓冲带、生态廊道图层均未取得：不能判断绿廊断点")
        return found
    breaks = nw.green_breaks(
        network, green, within_m=corridor_m, longer_than_m=break_m, banks=water, towns=towns, owners=green
    )
    return found | {"breaks": made("breaks", breaks)}


def _lines_only(shapes: Any) -> list[Any]:
    return [shapely.multilinestrings([p for p in shapely.get_parts(s) if p.geom_type == "LineString"]) for s in shapes]


def _green(held: StudyLayers) -> gpd.GeoDataFrame | None:
    """Give what is green beside rivers; without layers of its own the 生态空间 of the plan stands for it."""
    green = held.together(*GREEN_KINDS)
    if green is not None:
        return green
    spaces = held.frame("territorial_space")
    if spaces is None or not (spaces["space"] == "生态空间").any():
        return None
    held.wanting.append("没有沿河绿地图层，绿廊断点以三类空间中的生态空间代替")
    return spaces[spaces["space"] == "生态空间"].reset_index(drop=True)


def _summary(network: Network, ends: gpd.GeoDataFrame, tables: dict[str, StudyTable]) -> pd.DataFrame:
    moved = network.repairs.loc[network.repairs["what"] != "重复线段删去", "moved_m"]
    kinds = ends.groupby("end")["arm_m"]
    loops = tables["loops"].frame
    rows: list[tuple[str, float, str]] = [
        ("河道", len(set(network.rivers[~network.link].tolist()) - {None}), "条"),
        ("河段", int((~network.link).sum()), "段"),
        ("总长", network.river_m.sum() / 1000, "千米"),
        ("吸附容差", network.snap_m, "米"),
        ("移动的端点、延长和删去的线段", len(network.repairs), "处"),
        ("最大移动", moved.max() if len(moved) else 0.0, "米"),
        ("互不连通的部分", len(tables["parts"].frame), "个"),
        ("断头浜", len(kinds.groups.get("dead_end", [])), "处"),
        ("断头浜长度", kinds.sum().get("dead_end", 0.0) / 1000, "千米"),
        ("下游无出口", len(kinds.groups.get("no_outlet", [])), "处"),
        ("可打通的缺口", len(tables["gaps"].frame), "处"),
        ("水网环", len(loops), "个"),
        ("流向成环（方向有误）", int(loops["circling"].sum()), "个"),
        ("等级存疑的河道", int((~tables["rivers"].frame["status"].isin(["agrees", "unknown"])).sum()), "条"),
    ]
    return pd.DataFrame(rows, columns=["item", "value", "unit"])
