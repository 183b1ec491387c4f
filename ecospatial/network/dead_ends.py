"""Where rivers end and where they do not connect: dead ends, separate parts, gaps worth closing, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.network._arrays import at_on, places_on, shapes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from ecospatial.network.graph import Network

# What the end of a river can be; only the last two are faults.
END_LABELS = {
    "edge": "图幅边缘",
    "mouth": "河口",
    "source": "源头",
    "dead_end": "断头浜",
    "no_outlet": "下游无出口",
}
# A main river does not begin in a blind arm: where its class says so, its upper end is a source.
SOURCE_CLASSES = ("干流", "骨干河道")
NEAR_M = 50.0
MAX_GAP_M = 300.0


def river_ends(
    network: Network,
    *,
    area: BaseGeometry | None = None,
    edge_m: float = NEAR_M,
    sources: gpd.GeoDataFrame | None = None,
    mouths: gpd.GeoDataFrame | None = None,
    source_classes: Sequence[str] = SOURCE_CLASSES,
) -> gpd.GeoDataFrame:
    """List the ends of rivers and say of each what it is.

    An end is a node that only one reach touches. The first line that holds:

    ==========  ===========================================================================================
    edge        outside ``area``, or within ``edge_m`` of its border: the river goes on, the data do not
    mouth       water flows to it, and it lies at one of ``mouths``
    source      water flows from it, and it lies at one of ``sources``, or its river is of a main class
    no_outlet   water flows to it: nothing takes the water on (下游无出口)
    dead_end    water flows from it, and nothing says that it comes from anywhere (断头浜)
    ==========  ===========================================================================================

    Parameters
    ----------
    network
        The river network.
    area
        Where the centrelines are complete, in the network's CRS; None: nothing is an edge.
    edge_m
        How near to its border, and to sources and mouths, counts, metres.
    sources, mouths
        Springs, hills, pumping stations that feed a river; lakes, large rivers, sluices that take it on: points,
        lines or areas in the network's CRS.
    source_classes
        ``river_class`` of rivers that begin in a source.

    Returns
    -------
    GeoDataFrame
        A row for each end, longest arm first: ``end`` (above), ``river``, ``river_class``, ``node``, ``reach``,
        ``arm_m`` (from the end to the first junction, metres), ``geometry`` (the point).

    Examples
    --------
    >>> from ecospatial.network import build
    >>> lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(50, 30), (50, 0)])]
    >>> frame = gpd.GeoDataFrame({"river": ["干", "浜"], "river_class": ["干流", "三级支浜"]}, geometry=lines, crs=4549)
    >>> ends = river_ends(build(frame), area=shapely.box(-20, -50, 100, 50), edge_m=5)
    >>> ends[["river", "end", "arm_m"]].to_numpy().tolist()
    [['干', 'source', 50.0], ['干', 'edge', 50.0], ['浜', 'dead_end', 30.0]]
    """
    degree = network.nodes["degree"].to_numpy()
    node = np.flatnonzero(degree == 1)
    only = np.zeros(len(network.nodes), dtype=np.intp)
    only[network.tail] = only[network.head] = np.arange(len(network.reaches))
    reach = only[node]
    into = network.head[reach] == node
    points = shapes_of(network.nodes)[node]
    edge = np.zeros(len(node), dtype=bool)
    if area is not None and not area.is_empty:
        shapely.prepare(area)
        edge = ~shapely.contains(area, points) | (shapely.distance(shapely.boundary(area), points) <= edge_m)
    classes = network.reaches["river_class"].to_numpy(dtype=object)[reach]
    source = _at(points, sources, edge_m) | np.isin(classes.astype(str), list(source_classes))
    kind = np.select(
        [edge, into & _at(points, mouths, edge_m), ~into & source, into],
        ["edge", "mouth", "source", "no_outlet"],
        "dead_end",
    ).astype(object)
    frame = gpd.GeoDataFrame(
        {
            "end": kind,
            "river": network.rivers[reach],
            "river_class": classes,
            "node": node,
            "reach": reach,
            "arm_m": arm_lengths(network, node),
        },
        geometry=points,
        crs=network.reaches.crs,
    )
    return frame.sort_values("arm_m", ascending=False, kind="stable").reset_index(drop=True)


def _at(points: NDArray[Any], things: gpd.GeoDataFrame | None, within_m: float) -> NDArray[np.bool_]:
    found = np.zeros(len(points), dtype=bool)
    if things is not None and len(things):
        hit, _ = shapely.STRtree(things.geometry.to_numpy()).query(points, predicate="dwithin", distance=within_m)
        found[hit] = True
    return found


def arm_lengths(network: Network, node: NDArray[np.intp]) -> NDArray[np.float64]:
    """Measure from ends to the first junction of three or more reaches, or to the other end, metres."""
    return np.array([network.river_m[arm].sum() for arm in arms(network, node)], dtype=np.float64)


def arms(network: Network, node: NDArray[np.intp]) -> list[list[int]]:
    """List the reaches from each end to the first junction."""
    start, incident = _incident(network)
    tail, head = network.tail.tolist(), network.head.tolist()
    found = []
    for end in node.tolist():
        arm: list[int] = []
        here, last = end, -1
        while True:
            onward = [i for i in incident[start[here] : start[here + 1]] if i != last]
            if (here != end and len(onward) != 1) or not onward or len(arm) > len(tail):
                break
            last = onward[0]
            arm.append(last)
            here = head[last] if tail[last] == here else tail[last]
        found.append(arm)
    return found


def _incident(network: Network) -> tuple[list[int], list[int]]:
    """List the reaches that touch each node, whichever way the water flows; one that returns stands twice."""
    both = np.concatenate([network.tail, network.head])
    start = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=len(network.nodes)))])
    return start.tolist(), (np.argsort(both, kind="stable") % len(network.reaches)).tolist()


def parts(network: Network) -> gpd.GeoDataFrame:
    """List the parts of the network that do not connect, longest first.

    Returns
    -------
    GeoDataFrame
        ``part`` (1 is the longest), ``reaches``, ``length_m``, ``share`` (of all length), ``rivers`` (their names,
        longest first), ``geometry`` (all lines of the part).
    """
    label = network.part[network.tail]
    table = pd.DataFrame({"label": label, "length_m": network.river_m, "river": network.rivers})
    total = table.groupby("label").agg(reaches=("length_m", "size"), length_m=("length_m", "sum"))
    total = total.sort_values(["length_m", "reaches"], ascending=False, kind="stable")
    named = table[table["river"].notna()].groupby(["label", "river"])["length_m"].sum().reset_index()
    named = named.sort_values("length_m", ascending=False, kind="stable")
    names = named.groupby("label", sort=False)["river"].agg("、".join)
    order = {label: number for number, label in enumerate(total.index)}
    number = np.array([order[name] for name in label.tolist()], dtype=np.intp)
    by = np.argsort(number, kind="stable")
    shapes = shapely.multilinestrings(network.lines[by], indices=number[by])
    return gpd.GeoDataFrame(
        {
            "part": np.arange(1, len(total) + 1),
            "reaches": total["reaches"].to_numpy(),
            "length_m": total["length_m"].to_numpy(),
            "share": (total["length_m"] / total["length_m"].sum()).to_numpy(),
            "rivers": names.reindex(total.index).fillna("").to_numpy(dtype=object),
        },
        geometry=np.asarray(shapes, dtype=object),
        crs=network.reaches.crs,
    )


def part_numbers(network: Network) -> NDArray[np.intp]:
    """Give for each reach the number of its part, as ``parts`` counts them."""
    label = network.part[network.tail]
    size = np.bincount(label, weights=network.river_m, minlength=len(network.nodes))
    reaches = np.bincount(label, minlength=len(network.nodes))
    tops = np.unique(label)
    tops = tops[np.lexsort((tops, -reaches[tops], -size[tops]))]
    number = np.zeros(len(network.nodes), dtype=np.intp)
    number[tops] = np.arange(1, len(tops) + 1)
    return np.asarray(number[label], dtype=np.intp)


def loops(network: Network) -> gpd.GeoDataFrame:
    """List the meshes of the network: areas that rivers enclose and no river divides, largest first.

    Returns
    -------
    GeoDataFrame
        ``area_m2``, ``length_m`` (around it), ``reaches``, ``rivers``, ``circling`` (water runs all the way round,
        which it does not do: a direction is wrong), ``geometry`` (the area).
    """
    faces = shapely.get_parts(shapely.polygonize(network.lines))
    shells = shapely.get_exterior_ring(faces)
    before, after = (places_on(network.lines, at, share=True) for at in (0.45, 0.55))
    reach, face = shapely.STRtree(shells).query(before, predicate="dwithin", distance=1e-6)
    begin, end = (at_on(shells[face], places[reach]) for places in (before, after))
    round_ = shapely.length(shells[face])
    table = pd.DataFrame(
        {
            "face": face,
            "length_m": network.length_m[reach],
            "river": network.rivers[reach],
            "with_it": (end - begin) % round_ < round_ / 2,
        }
    )
    by = table.groupby("face")
    names = table.dropna(subset=["river"]).groupby("face")["river"].agg(lambda found: "、".join(dict.fromkeys(found)))
    index = pd.RangeIndex(len(faces))
    around = by["with_it"].mean().reindex(index)
    frame = gpd.GeoDataFrame(
        {
            "area_m2": shapely.area(faces),
            "length_m": by["length_m"].sum().reindex(index).to_numpy(dtype=np.float64),
            "reaches": by.size().reindex(index, fill_value=0).to_numpy(dtype=np.int64),
            "rivers": names.reindex(index).fillna("").to_numpy(dtype=object),
            "circling": around.isin([0.0, 1.0]).to_numpy(),
        },
        geometry=faces,
        crs=network.reaches.crs,
    )
    return frame.sort_values("area_m2", ascending=False, kind="stable").reset_index(drop=True)
