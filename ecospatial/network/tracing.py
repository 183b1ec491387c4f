"""Who lies upstream of a section, and what lies downstream of an accident: distances along the river, loads, hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem
from ecospatial.network._arrays import at_on, numbers, points_at, shapes_of
from ecospatial.network.flow import distances, upstream_totals
from ecospatial.network.referencing import LOCATE_WITHIN_M, locate
from ecospatial.network.split import substrings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

# Which column of a kind is its load; of other kinds none is known.
LOAD_COLUMNS: dict[str, str] = {
    "outfall": "flow_m3_d",
    "sewage_plant": "capacity_m3_d",
    "sewer_catchment": "flow_m3_d",
    "site": "flow_m3_d",
}
_UP = ["section", "kind", "thing", "river", "along_river_m", "offset_m", "load_m3_d", "load_share", "loads_unknown"]
_DOWN = ["start", "kind", "thing", "river", "along_river_m", "hours"]


def section_totals(network: Network, sections: gpd.GeoDataFrame, *, within_m: float = LOCATE_WITHIN_M) -> pd.DataFrame:
    """Count the reaches upstream of each section and add up their length.

    Parameters
    ----------
    network, sections
        The river network; points in its CRS.
    within_m
        Sections further from every river are on none, metres.

    Returns
    -------
    DataFrame
        On the caller's index: the columns of ``locate``, ``upstream_reaches`` (those partly upstream included, the
        section's own too) and ``upstream_m``; empty for a section on no river.
    """
    place = locate(network, sections, within_m=within_m)
    on = (place["reach"] >= 0).to_numpy()
    count, length = np.full(len(place), np.nan), np.full(len(place), np.nan)
    reach, along = place["reach"].to_numpy()[on], place["along_m"].to_numpy()[on]
    if on.any():
        count[on], length[on] = upstream_totals(network, reach, along)
    return place.assign(upstream_reaches=pd.array(count, dtype="Int64"), upstream_m=length)


def upstream_of(
    network: Network,
    sections: gpd.GeoDataFrame,
    things: Mapping[str, gpd.GeoDataFrame],
    *,
    within_m: float = LOCATE_WITHIN_M,
) -> pd.DataFrame:
    """List what lies upstream of each section, with its distance along the river and its share of the load.

    Parameters
    ----------
    network
        The river network.
    sections
        Points in its CRS; ``river`` names the river they are on.
    things
        Frames by kind (``outfall``, ``sewage_plant``, ``sewer_catchment``, ``site``, ...) in the same CRS. Each thing
        lies on the river that its column ``river`` names, else on the nearest one; an area where its centre lies
        nearest.
    within_m
        Things and sections further from the centreline are on no river, metres.

    Returns
    -------
    DataFrame
        Nearest first within a section and kind: ``section`` and ``thing`` (index labels), ``kind``, ``river``,
        ``along_river_m`` (from the thing down to the section, the shortest way), ``offset_m`` (from the centreline),
        ``load_m3_d`` (flow of outfalls, catchments and sites, capacity of plants), ``load_share`` (of what is known of
        that kind upstream of the section), ``loads_unknown`` (how many of that kind upstream have no load: then the
        share is an upper limit).
    """
    place = locate(network, sections, within_m=within_m)
    found = [pd.DataFrame(columns=_UP)]
    for kind, frame in things.items():
        spots = locate(network, centres(frame), within_m=within_m)
        load = _loads(frame, kind)
        for label, reach, along in zip(place.index, place["reach"], place["along_m"], strict=True):
            if reach >= 0:
                far = _above(network, int(reach), float(along), spots)
                found.append(_upstream_rows(label, kind, spots, far, load))
    return pd.concat([frame for frame in found if len(frame)] or found, ignore_index=True)


def centres(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Let a point inside stand for each area; points and lines stay."""
    shapes = shapes_of(frame).copy()
    areal = shapely.get_dimensions(shapes) == 2
    shapes[areal] = shapely.point_on_surface(shapes[areal])
    return frame.set_geometry(shapes, crs=frame.crs)


def _loads(frame: gpd.GeoDataFrame, kind: str) -> NDArray[np.float64]:
    return numbers(frame, LOAD_COLUMNS.get(kind, ""))


def _above(network: Network, reach: int, along_m: float, spots: pd.DataFrame) -> NDArray[np.float64]:
    """Give metres along the river from each spot down to a section; infinite for those not upstream."""
    node_m = np.full(len(network.nodes), np.inf)
    for node, far in distances(network, reach, along_m, upstream=True).items():
        node_m[node] = far
    at, own = spots["reach"].to_numpy(), spots["along_m"].to_numpy(dtype=np.float64)
    found = np.full(len(spots), np.inf)
    on = at >= 0
    found[on] = node_m[network.head[at[on]]] + network.length_m[at[on]] - own[on]
    same = on & (at == reach) & (own <= along_m)
    found[same] = np.minimum(found[same], along_m - own[same])
    return found


def _upstream_rows(
    section: Any, kind: str, spots: pd.DataFrame, far: NDArray[np.float64], load: NDArray[np.float64]
) -> pd.DataFrame:
    rows = np.flatnonzero(np.isfinite(far))
    rows = rows[np.argsort(far[rows], kind="stable")]
    own = load[rows]
    total = np.nansum(own)
    share = own / total if total > 0 else np.full(len(rows), np.nan)
    return pd.DataFrame(
        {
            "section": [section] * len(rows),
            "kind": kind,
            "thing": spots.index[rows],
            "river": spots["river"].to_numpy()[rows],
            "along_river_m": far[rows],
            "offset_m": spots["offset_m"].to_numpy()[rows],
            "load_m3_d": own,
            "load_share": share,
            "loads_unknown": int(np.isnan(own).sum()),
        },
        columns=_UP,
    )


def downstream_of(
    network: Network,
    starts: gpd.GeoDataFrame,
    things: Mapping[str, gpd.GeoDataFrame],
    *,
    speed_m_s: float | None = None,
    within_m: float = LOCATE_WITHIN_M,
) -> pd.DataFrame:
    """List what the water of a place reaches: how far along the river, and after how many hours.

    Parameters
    ----------
    network
        The river network.
    starts
        Sites or places of accidents in its CRS; each spills into the nearest river (or the one its column ``river``
        names).
    things
        Frames by kind. Points (sections, intakes) are reached at their place on the river; areas (protection zones)
        where the river first enters them.
    speed_m_s
        Mean speed of the water, metres per second; None: no hours.
    within_m
        Starts and points further from the centreline are on no river, metres.

    Returns
    -------
    DataFrame
        Nearest first: ``start`` and ``thing`` (index labels), ``kind``, ``river``, ``along_river_m``, ``hours``.

    Raises
    ------
    PlanError
        The speed is not positive.
    """
    if speed_m_s is not None and not speed_m_s > 0:
        raise PlanError(Problem("", None, f"流速 {speed_m_s} 不可用", "请给出大于 0 的数，单位米/秒"))
    place = locate(network, starts, within_m=within_m)
    spots = {kind: _points_on(network, frame, within_m) for kind, frame in things.items()}
    rows: list[dict[str, Any]] = []
    for label, reach, along in zip(place.index, place["reach"], place["along_m"], strict=True):
        if reach < 0:
            continue
        node_m = np.full(len(network.nodes), np.inf)
        for node, far in distances(network, int(reach), float(along), upstream=False).items():
            node_m[node] = far
        own = []
        for kind, frame in things.items():
            entered = _entered(network, frame, int(reach), float(along), node_m=node_m, spots=spots[kind])
            own += [{"start": label, "kind": kind} | entry for entry in entered]
        rows += sorted(own, key=lambda entry: entry["along_river_m"])
    found = pd.DataFrame(rows, columns=_DOWN[:-1])
    hours = np.nan if speed_m_s is None else found["along_river_m"].astype(np.float64) / speed_m_s / 3600
    return found.assign(hours=hours)


def _points_on(network: Network, frame: gpd.GeoDataFrame, within_m: float) -> pd.DataFrame:
    thin = frame[shapely.get_dimensions(frame.geometry.to_numpy()) < 2]
    return locate(network, thin, within_m=within_m)


def _entered(
    network: Network,
    frame: gpd.GeoDataFrame,
    reach: int,
    along_m: float,
    *,
    node_m: NDArray[np.float64],
    spots: pd.DataFrame,
) -> list[dict[str, Any]]:
    """Say where the water first meets each thing."""
    at, own = spots["reach"].to_numpy(), spots["along_m"].to_numpy(dtype=np.float64)
    far = np.full(len(spots), np.inf)
    on = at >= 0
    far[on] = node_m[network.tail[at[on]]] + own[on]
    same = on & (at == reach) & (own >= along_m)
    far[same] = np.minimum(far[same], own[same] - along_m)
    found = [
        {"thing": label, "river": river, "along_river_m": float(metres)}
        for label, river, metres in zip(spots.index, spots["river"], far, strict=True)
        if np.isfinite(metres)
    ]
    return found + _areas_entered(network, frame, reach, along_m, node_m)


def _areas_entered(
    network: Network, frame: gpd.GeoDataFrame, reach: int, along_m: float, node_m: NDArray[np.float64]
) -> list[dict[str, Any]]:
    areas = frame[shapely.get_dimensions(frame.geometry.to_numpy()) == 2]
    if areas.empty:
        return []
    wet = np.flatnonzero(np.isfinite(node_m[network.tail]))
    lines = np.concatenate([network.lines[wet], _rest(network, reach, along_m)])
    begin = np.concatenate([node_m[network.tail[wet]], np.zeros(len(lines) - len(wet))])
    number = np.concatenate([wet, np.full(len(lines) - len(wet), reach)])
    shapes = shapes_of(areas)
    line, area = shapely.STRtree(shapes).query(lines, predicate="intersects")
    shared = shapely.intersection(lines[line], shapes[area])
    points, owner = shapely.get_coordinates(shared, return_index=True)
    first = at_on(lines[line[owner]], points_at(points))
    entry = np.full(len(line), np.inf)
    np.minimum.at(entry, owner, first)
    table = pd.DataFrame({"area": area, "reach": number[line], "far": begin[line] + entry})
    nearest = table.sort_values(["area", "far", "reach"]).drop_duplicates("area")
    return [
        {"thing": areas.index[a], "river": network.rivers[r], "along_river_m": float(far)}
        for a, r, far in nearest.itertuples(index=False)
    ]


def _rest(network: Network, reach: int, along_m: float) -> NDArray[Any]:
    """Give the part of a reach below a place; an empty array at its lower end."""
    length = network.length_m[reach : reach + 1]
    part = substrings(network.lines[reach : reach + 1], np.array([along_m]), length)
    return np.asarray(part[~shapely.is_missing(part)], dtype=object)
