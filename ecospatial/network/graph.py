"""The river network: reaches between nodes, each with its direction; built once, asked often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import shapely

from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.network._arrays import numbers, points_at, shapes_of
from ecospatial.network.cleaning import clean
from ecospatial.network.components import label_components
from ecospatial.network.flow_direction import by_level, by_mouth
from ecospatial.network.topological_order import downstream_order

if TYPE_CHECKING:
    import networkx as nx
    from numpy.typing import NDArray

Direction = Literal["drawn", "elevation", "mouth"]
SNAP_M = 1.0
_TEXT = ("feature_id", "feature_name", "river", "river_class", "system")
_KEPT = (*_TEXT, "width_m")


@dataclass(frozen=True)
class Network:
    """A directed river network.

    ``reaches``: GeoDataFrame, RangeIndex, lines drawn downstream: ``feature_id``, ``feature_name``, ``river``,
    ``river_class``, ``system``, ``width_m`` (as in the input), ``from_node``, ``to_node``, ``length_m``, ``start_m``
    and ``end_m`` (metres along the line of the input at the upper and the lower end), ``row`` (its position),
    ``reversed``, ``link`` (inside a wider river, only to connect: water passes, but it counts in no ledger and nothing
    lies on it).

    ``nodes``: GeoDataFrame of points, RangeIndex: ``inflows``, ``outflows``, ``degree``.

    ``repairs``: GeoDataFrame of points: ``what``, ``feature_id``, ``river``, ``moved_m``: all that building changed.
    """

    reaches: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    repairs: gpd.GeoDataFrame
    snap_m: float

    @cached_property
    def tail(self) -> NDArray[np.intp]:
        """Node at the upper end of each reach."""
        return np.asarray(self.reaches["from_node"], dtype=np.intp)

    @cached_property
    def head(self) -> NDArray[np.intp]:
        """Node at the lower end of each reach."""
        return np.asarray(self.reaches["to_node"], dtype=np.intp)

    @cached_property
    def length_m(self) -> NDArray[np.float64]:
        """Length of each reach, metres."""
        return np.asarray(self.reaches["length_m"], dtype=np.float64)

    @cached_property
    def link(self) -> NDArray[np.bool_]:
        """Whether each reach is only a link."""
        return np.asarray(self.reaches["link"], dtype=bool)

    @cached_property
    def river_m(self) -> NDArray[np.float64]:
        """Length of each reach as it counts in ledgers, metres: that of a link is 0."""
        return np.where(self.link, 0.0, self.length_m)

    @cached_property
    def lines(self) -> NDArray[Any]:
        """The reaches as lines."""
        return shapes_of(self.reaches)

    @cached_property
    def rivers(self) -> NDArray[Any]:
        """Name of the river of each reach."""
        return np.asarray(self.reaches["river"], dtype=object)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index over the reaches."""
        return shapely.STRtree(self.lines)

    @cached_property
    def part(self) -> NDArray[np.intp]:
        """For each node the smallest node that it is connected with, whichever way the water flows."""
        return label_components(len(self.nodes), self.tail, self.head)

    @cached_property
    def downstream_order(self) -> tuple[list[int], NDArray[np.intp]]:
        """The nodes in an order in which water only flows forward, and the ring of flow of each (``flow``)."""
        return downstream_order(self.tail, self.head, len(self.nodes))

    @cached_property
    def leaving(self) -> tuple[list[int], list[int]]:
        """The reaches that leave each node: those of node i are ``reach[start[i]:start[i + 1]]``."""
        return _by_node(self.tail, len(self.nodes))

    @cached_property
    def entering(self) -> tuple[list[int], list[int]]:
        """The reaches that enter each node, as ``leaving``."""
        return _by_node(self.head, len(self.nodes))

    def graph(self) -> nx.MultiDiGraph[int]:
        """Give the network to networkx: nodes with ``x`` and ``y``, edges keyed by reach with its columns."""
        import networkx as nx

        found: nx.MultiDiGraph[int] = nx.MultiDiGraph(crs=self.reaches.crs)
        points = self.nodes.geometry
        found.add_nodes_from((i, {"x": p.x, "y": p.y}) for i, p in points.items())
        columns = self.reaches.drop(columns=["geometry", "from_node", "to_node"]).to_dict("records")
        for i, values in enumerate(columns):
            found.add_edge(int(self.tail[i]), int(self.head[i]), key=i, **values)
        return found


def _by_node(node: NDArray[np.intp], count: int) -> tuple[list[int], list[int]]:
    start = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=count))])
    return start.tolist(), np.argsort(node, kind="stable").tolist()


def build(
    lines: gpd.GeoDataFrame,
    *,
    snap_m: float = SNAP_M,
    direction: Direction = "drawn",
    mouths: gpd.GeoDataFrame | None = None,
    crossings: bool = True,
) -> Network:
    """Build a network from the centrelines of rivers.

    Parameters
    ----------
    lines
        Frame of lines in a projected CRS in metres; columns ``river``, ``river_class``, ``width_m`` and
        ``feature_id`` are used when they are there.
    snap_m
        Ends closer than this to another end or line are joined; every move is in ``repairs``. Ends that lie inside the
        width of another river are linked with its centreline, however far that is.
    direction
        Where water flows: as ``drawn``; by ``elevation``, from the columns ``from_level_m`` and ``to_level_m``
        (bed or water level at the first and the last vertex; equal or empty: as drawn); towards the ``mouth``,
        on the shortest way to one of ``mouths`` (parts without a mouth, and ties: as drawn).
    mouths
        Points or areas where the water leaves.
    crossings
        Whether lines that cross are connected there; else only ends connect (pipes, canals on bridges).

    Returns
    -------
    Network
        Reaches from node to node.

    Raises
    ------
    CrsError
        The CRS is missing or not projected.
    PlanError
        A geometry is no line, a parameter is not usable, or what the direction needs is missing.

    Examples
    --------
    >>> main = shapely.LineString([(0, 0), (100, 0)])
    >>> branch = shapely.LineString([(50, 80), (50, 0.4)])
    >>> rivers = gpd.GeoDataFrame({"river": ["干", "支"]}, geometry=[main, branch], crs=4549)
    >>> found = build(rivers)
    >>> found.reaches[["river", "from_node", "to_node"]].to_numpy().tolist()
    [['干', 0, 1], ['干', 1, 3], ['支', 2, 1]]
    >>> found.repairs[["what", "river", "moved_m"]].round(1).to_numpy().tolist()
    [['端点吸附', '支', 0.4]]
    """
    _refuse(lines, snap_m, direction, mouths)
    width = numbers(lines, "width_m")
    found = clean(lines.geometry.to_numpy(), snap_m=snap_m, width_m=width, crossings=crossings)
    backwards = np.zeros(len(found.reach), dtype=bool)
    if direction == "elevation":
        backwards = by_level(numbers(lines, "from_level_m"), numbers(lines, "to_level_m"))[found.row]
    elif mouths is not None:
        lengths = shapely.length(found.reach)
        mouth = _mouth_nodes(found.node_xy, mouths, snap_m)
        backwards = by_mouth(found.tail, found.head, lengths, mouth)
    reaches = _reaches(lines, found.reach, found.row, backwards)
    length = reaches["length_m"].to_numpy()
    start = np.where(backwards, found.start_m + length, found.start_m)
    end = np.where(backwards, found.start_m, found.start_m + length)
    tail = np.where(backwards, found.head, found.tail)
    head = np.where(backwards, found.tail, found.head)
    link = found.link | _links(lines)[found.row]
    reaches = reaches.assign(from_node=tail, to_node=head, start_m=start, end_m=end, link=link)
    inflows = np.bincount(head, minlength=len(found.node_xy))
    outflows = np.bincount(tail, minlength=len(found.node_xy))
    nodes = gpd.GeoDataFrame(
        {"inflows": inflows, "outflows": outflows, "degree": inflows + outflows},
        geometry=shapely.points(found.node_xy),
        crs=lines.crs,
    )
    return Network(reaches, nodes, _repairs(lines, found.notes), snap_m)


def _refuse(lines: gpd.GeoDataFrame, snap_m: float, direction: str, mouths: gpd.GeoDataFrame | None) -> None:
    if lines.crs is None or not lines.crs.is_projected:
        raise CrsError(Problem("", None, "河网需要投影坐标系（米）", "请先 to_crs，如 EPSG:4549"))
    problems = []
    types = shapely.get_type_id(lines.geometry.to_numpy())
    wrong = np.flatnonzero(~np.isin(types, (1, 5)))
    problems += [Problem("", int(row) + 1, "河道中心线应为线", "请删去该行或换成线") for row in wrong]
    if not snap_m >= 0:
        problems.append(Problem("", None, f"吸附距离 {snap_m} 不可用", "请给出不小于 0 的米数"))
    if direction not in ("drawn", "elevation", "mouth"):
        problems.append(Problem("", None, f"没有 {direction} 这种定向方法", "可选：drawn、elevation、mouth"))
    if direction == "mouth" and (mouths is None or mouths.empty):
        problems.append(Problem("", None, "按河口定向需要 mouths", "请给出河口的点或水面"))
    missing = {"from_level_m", "to_level_m"} - set(lines.columns)
    if direction == "elevation" and missing:
        names = "、".join(sorted(missing))
        problems.append(Problem("", None, f"按高程定向缺少列 {names}", "请补充起点和终点的河底高程或水位（米）"))
    if problems:
        raise PlanError(problems)


def _reaches(
    lines: gpd.GeoDataFrame, reach: NDArray[Any], row: NDArray[np.intp], backwards: NDArray[np.bool_]
) -> gpd.GeoDataFrame:
    shapes = reach.copy()
    shapes[backwards] = shapely.reverse(reach[backwards])
    data: dict[str, Any] = {}
    for name in _KEPT:
        if name == "width_m":
            data[name] = numbers(lines, name)[row]
        elif name in lines:
            data[name] = lines[name].to_numpy(dtype=object)[row]
        else:
            data[name] = np.array([str(i + 1) for i in row], dtype=object) if name == "feature_id" else None
    data |= {"length_m": shapely.length(shapes), "row": row, "reversed": backwards}
    frame = gpd.GeoDataFrame(data, geometry=shapes, crs=lines.crs)
    for name in _TEXT:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


def _links(lines: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    given = lines["link"].tolist() if "link" in lines else [None] * len(lines)
    return np.array([value is True for value in given], dtype=bool)


def _mouth_nodes(xy: NDArray[np.float64], mouths: gpd.GeoDataFrame, snap_m: float) -> NDArray[np.intp]:
    """Find the nodes at the mouths: all inside or at an area; for a point away from every node the nearest."""
    points = points_at(xy)
    tree = shapely.STRtree(points)
    shapes = shapes_of(mouths)
    asked, near = tree.query(shapes, predicate="dwithin", distance=max(snap_m, 1e-6))
    alone = np.setdiff1d(np.arange(len(shapes)), asked)
    alone = alone[shapely.get_dimensions(shapes[alone]) == 0]
    _, nearest = tree.query_nearest(shapes[alone], all_matches=False)
    return np.unique(np.concatenate([near, nearest])).astype(np.intp)


def _repairs(lines: gpd.GeoDataFrame, notes: Any) -> gpd.GeoDataFrame:
    row = np.concatenate(notes.line)
    ids = lines["feature_id"].to_numpy(dtype=object) if "feature_id" in lines else None
    river = lines["river"].to_numpy(dtype=object) if "river" in lines else np.full(len(lines), None, dtype=object)
    return gpd.GeoDataFrame(
        {
            "what": np.concatenate(notes.what).astype(object),
            "feature_id": np.array([str(i + 1) for i in row], dtype=object) if ids is None else ids[row],
            "river": river[row],
            "moved_m": np.concatenate(notes.moved_m),
        },
        geometry=shapely.points(np.concatenate(notes.xy)),
        crs=lines.crs,
    )
