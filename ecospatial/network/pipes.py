"""A pipe layer put to the test: slopes against the flow, ends that lead nowhere, rain into sewage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.network._arrays import numbers, pick, shapes_of
from ecospatial.network.graph import build

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

PIPE_LABELS = {
    "adverse_slope": "逆坡",
    "step_up": "接口逆接",
    "dangling": "末端悬空",
    "misconnected": "雨污混接",
}
SNAP_M = 0.3
# Levels are surveyed to a centimetre; less is not a slope.
LEVEL_M = 0.01
# A pipe ends rightly this near to a plant, an outfall or a pump, metres.
OUTLET_M = 20.0
_COLUMNS = ["fault", "feature_id", "pipe_type", "onto", "value", "note", "geometry"]
# What may flow into what: into a combined pipe anything, out of it not into one for rain.
_WRONG = {("雨水", "污水"), ("污水", "雨水"), ("合流", "雨水")}


def check_pipes(
    pipes: gpd.GeoDataFrame,
    *,
    outlets: gpd.GeoDataFrame | None = None,
    snap_m: float = SNAP_M,
    outlet_m: float = OUTLET_M,
    min_slope: float = 0.0,
) -> gpd.GeoDataFrame:
    """List the faults of a layer of sewer pipes, drawn in the direction of flow.

    =============  ======================================================================================
    adverse_slope  the invert rises along the pipe, or falls by less than ``min_slope``; value: slope (m/m)
    step_up        the next pipe begins higher than this one ends; value: metres
    dangling       no pipe goes on, and no outlet is near; value: metres to the nearest other pipe
    misconnected   rain runs into a sewage pipe, or sewage (also combined) into a rain pipe
    =============  ======================================================================================

    Parameters
    ----------
    pipes
        Lines with ``pipe_type``, ``from_invert_m``, ``to_invert_m`` (invert level at the first and last vertex;
        empty: not tested), projected CRS in metres. Pipes that cross are not connected; ends are.
    outlets
        Plants, outfalls, pumps in the same CRS.
    snap_m
        Ends closer than this are one manhole, metres.
    outlet_m
        A pipe may end this near to an outlet, metres.
    min_slope
        Least fall, metres per metre.

    Returns
    -------
    GeoDataFrame
        ``fault``, ``feature_id``, ``pipe_type``, ``onto`` (id of the pipe it runs into), ``value``, ``note``,
        ``geometry`` (the pipe, or the point).

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (50, 0)]), shapely.LineString([(50, 0), (90, 0)])]
    >>> data = {"feature_id": ["Y1", "W1"], "pipe_type": ["雨水", "污水"], "from_invert_m": [3.0, 2.9],
    ...         "to_invert_m": [2.9, 3.1]}
    >>> found = check_pipes(gpd.GeoDataFrame(data, geometry=lines, crs=4549))
    >>> found[["fault", "feature_id", "onto"]].to_numpy().tolist()
    [['adverse_slope', 'W1', None], ['dangling', 'W1', None], ['misconnected', 'Y1', 'W1']]
    """
    network = build(pipes, snap_m=snap_m, crossings=False)
    upper, lower = _inverts(pipes, network)
    kind = pipes["pipe_type"].to_numpy(dtype=object)[network.reaches["row"]]
    ids = network.reaches["feature_id"].to_numpy(dtype=object)
    found = [
        _slopes(network, upper, lower, min_slope),
        _dangling(network, outlets, outlet_m),
        *_joints(network, upper, lower, kind),
    ]
    table = pd.concat(found, ignore_index=True)
    reach = table.pop("reach").to_numpy(dtype=np.intp)
    onto = table.pop("onto").to_numpy(dtype=np.intp)
    table["feature_id"], table["pipe_type"] = ids[reach], kind[reach]
    table["onto"] = pd.Series(pick(ids, onto), dtype=object)
    shapes = table.pop("geometry").to_numpy(dtype=object)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=pipes.crs)[_COLUMNS]


def _inverts(pipes: gpd.GeoDataFrame, network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the levels at both ends of each piece; a pipe cut where another one enters falls evenly."""
    row = network.reaches["row"].to_numpy(dtype=np.intp)
    ends = [numbers(pipes, column)[row] for column in ("from_invert_m", "to_invert_m")]
    whole = shapely.length(shapes_of(pipes))[row]
    fall = (ends[1] - ends[0]) / whole
    return (
        ends[0] + fall * np.minimum(network.reaches["start_m"].to_numpy(), whole),
        ends[0] + fall * np.minimum(network.reaches["end_m"].to_numpy(), whole),
    )


def _rows(
    fault: str,
    reach: NDArray[np.intp],
    *,
    value: NDArray[np.float64],
    note: list[str],
    geometry: NDArray[Any],
    onto: NDArray[np.intp] | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fault": np.full(len(reach), fault, dtype=object),
            "reach": np.asarray(reach, dtype=np.intp),
            "onto": np.full(len(reach), -1, dtype=np.intp) if onto is None else onto,
            "value": np.asarray(value, dtype=np.float64),
            "note": np.array(note, dtype=object),
            "geometry": pd.Series(list(geometry), dtype=object),
        }
    )


def _slopes(network: Network, upper: NDArray[np.float64], lower: NDArray[np.float64], min_slope: float) -> pd.DataFrame:
    slope = (upper - lower) / network.length_m
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero((lower - upper > LEVEL_M) | (slope < min_slope - LEVEL_M / network.length_m))
    note = [f"坡度 {value * 1000:.2f}‰" for value in slope[wrong]]
    return _rows("adverse_slope", wrong, value=slope[wrong], note=note, geometry=network.lines[wrong])


def _dangling(network: Network, outlets: gpd.GeoDataFrame | None, outlet_m: float) -> pd.DataFrame:
    last = np.flatnonzero(network.nodes["outflows"].to_numpy()[network.head] == 0)
    points = shapes_of(network.nodes)[network.head[last]]
    near = np.zeros(len(last), dtype=bool)
    if outlets is not None and len(outlets):
        tree = shapely.STRtree(outlets.geometry.to_numpy())
        near[tree.query(points, predicate="dwithin", distance=outlet_m)[0]] = True
    last, points = last[~near], points[~near]
    far = _to_others(network, last, points)
    note = [f"距最近的其他管道 {value:.1f} m" if np.isfinite(value) else "附近没有其他管道" for value in far]
    return _rows("dangling", last, value=np.where(np.isfinite(far), far, np.nan), note=note, geometry=points)


def _to_others(network: Network, last: NDArray[np.intp], points: NDArray[Any]) -> NDArray[np.float64]:
    """Measure from ends of pipes to the nearest pipe that does not lead to the same end."""
    far = np.full(len(last), np.inf)
    asked, other = network.tree.query(points, predicate="dwithin", distance=100.0)
    foreign = network.head[other] != network.head[last[asked]]
    asked, other = asked[foreign], other[foreign]
    np.minimum.at(far, asked, shapely.distance(points[asked], network.lines[other]))
    return far


def _joints(
    network: Network, upper: NDArray[np.float64], lower: NDArray[np.float64], kind: NDArray[Any]
) -> list[pd.DataFrame]:
    start, leaving = network.leaving
    into = [(i, j) for i, node in enumerate(network.head.tolist()) for j in leaving[start[node] : start[node + 1]]]
    pairs = np.array([pair for pair in into if pair[0] != pair[1]], dtype=np.intp).reshape(-1, 2)
    above, below = pairs[:, 0], pairs[:, 1]
    points = shapes_of(network.nodes)[network.head[above]]
    step = upper[below] - lower[above]
    with np.errstate(invalid="ignore"):
        up = np.flatnonzero(step > LEVEL_M)
    wrong = np.flatnonzero([(a, b) in _WRONG for a, b in zip(kind[above], kind[below], strict=True)])
    note = [f"下游管起点高出 {value:.2f} m" for value in step[up]]
    words = [f"{a}接入{b}管" for a, b in zip(kind[above[wrong]], kind[below[wrong]], strict=True)]
    return [
        _rows("step_up", above[up], value=step[up], note=note, geometry=points[up], onto=below[up]),
        _rows(
            "misconnected",
            above[wrong],
            value=np.full(len(wrong), np.nan),
            note=words,
            geometry=points[wrong],
            onto=below[wrong],
        ),
    ]
