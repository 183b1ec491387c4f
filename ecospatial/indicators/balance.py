"""What moved from which class to which between two versions of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import PlanError, Problem
from ecospatial.geometry import ellipsoidal_area
from ecospatial.geometry.partition import holders, partition
from ecospatial.indicators.ledgers import (
    OVERLAPPED,
    STEP_M2,
    TOTAL,
    UNCOVERED,
    dissolved,
    in_steps,
    require_same_crs,
    with_totals,
)
from ecospatial.model import COMMON_COLUMNS, KINDS
from ecospatial.plans import Plan
from ecospatial.results import LandBalance

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

_COMMON = {column.name for column in COMMON_COLUMNS}
_CLASS_COLUMNS = tuple(
    dict.fromkeys(c.name for kind in KINDS.values() for c in kind.columns if c.type == "text" and c.name not in _COMMON)
)




def land_balance(
    old: gpd.GeoDataFrame | Plan,
    new: gpd.GeoDataFrame | Plan,
    *,
    by: str | None = None,
    kind: str = "territorial_space",
) -> LandBalance:
    """Measure what moved from which class to which.

    Parameters
    ----------
    old, new
        Polygons with a class, in the same projected CRS in metres; or two plans, of which ``kind`` is read.
    by
        Column that holds the class. When left out: the one describing column that both have; without one, each version
        counts as a single class.
    kind
        Which kind to read of plans.

    Returns
    -------
    LandBalance
        As a matrix and as pieces. What only one version covers counts as ``未覆盖`` in the other; where features of
        several classes lie on each other, as ``重叠``.

    Raises
    ------
    CrsError
        A CRS is missing or not projected, or the two differ.
    PlanError
        The column is not there, or it is not clear which one is meant; a plan does not hold the kind.

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100)
    >>> old = gpd.GeoDataFrame({"space": ["农业空间"]}, geometry=[square], crs=4549)
    >>> halves = [shapely.box(0, 0, 60, 100), shapely.box(60, 0, 100, 100)]
    >>> new = gpd.GeoDataFrame({"space": ["农业空间", "城镇空间"]}, geometry=halves, crs=4549)
    >>> float(land_balance(old, new).matrix.loc["农业空间", "城镇空间"])
    4000.0
    """
    before = old.frame(kind) if isinstance(old, Plan) else old
    after = new.frame(kind) if isinstance(new, Plan) else new
    require_same_crs(before, after)
    column = _class_column(before, after) if by is None else by
    for frame, version in ((before, "原"), (after, "新")):
        if column is not None and column not in frame:
            raise PlanError(Problem("", None, f"{version}数据没有列 {column}", "请用 by 指明分类所在的列"))
    label = "有" if column is None else "未分类"
    was, now = dissolved(before, column, label), dissolved(after, column, label)
    area = shapely.union_all([*was.values(), *now.values()])
    cut = partition(area, np.array([*was.values(), *now.values()], dtype=object))
    from_class, to_class = _classes(cut, was), _classes(cut, now)
    pieces = _joined(cut, from_class, to_class, before.crs)
    return LandBalance(_matrix(pieces, [*was], [*now]), pieces)


def _class_column(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> str | None:
    shared = [name for name in _CLASS_COLUMNS if name in old and name in new]
    shared = [name for name in shared if old[name].notna().any() or new[name].notna().any()]
    if len(shared) > 1:
        raise PlanError(Problem("", None, f"不清楚按哪一列分类：{'、'.join(shared)}", "请用 by 指明"))
    return shared[0] if shared else None


def _classes(pieces: NDArray[Any], shapes: dict[str, Any]) -> NDArray[Any]:
    found = np.full(len(pieces), UNCOVERED, dtype=object)
    if shapes:
        piece, holder = holders(pieces, np.array(list(shapes.values()), dtype=object))
        found[piece] = np.array(list(shapes), dtype=object)[holder]
        found[np.flatnonzero(np.bincount(piece, minlength=len(pieces)) > 1)] = OVERLAPPED
    return found


def _joined(cut: NDArray[Any], was: NDArray[Any], now: NDArray[Any], crs: Any) -> gpd.GeoDataFrame:
    """Join neighbours that moved the same way."""
    rows = []
    for key in sorted({*zip(was, now, strict=True)}):
        same = cut[(was == key[0]) & (now == key[1])]
        rows += [(*key, part) for part in shapely.get_parts(shapely.coverage_union_all(same))]
    shapes = np.array([row[2] for row in rows], dtype=object)
    data = {
        "from_class": [row[0] for row in rows],
        "to_class": [row[1] for row in rows],
        "area_m2": shapely.area(shapes),
        "area_ellipsoidal_m2": ellipsoidal_area(shapes, crs),
    }
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs)


def _matrix(pieces: gpd.GeoDataFrame, was: list[str], now: list[str]) -> pd.DataFrame:
    rows = [*was, *(x for x in (OVERLAPPED, UNCOVERED) if (pieces["from_class"] == x).any() and x not in was)]
    columns = [*now, *(x for x in (OVERLAPPED, UNCOVERED) if (pieces["to_class"] == x).any() and x not in now)]
    sums = pieces.groupby(["from_class", "to_class"])["area_m2"].sum()
    grid = sums.reindex(pd.MultiIndex.from_product([rows, columns]), fill_value=0.0)
    steps = with_totals(in_steps(grid.to_numpy()).reshape(len(rows), len(columns)))
    return pd.DataFrame(
        np.round(steps * STEP_M2, 2),
        index=pd.Index([*rows, TOTAL], name="from"),
        columns=pd.Index([*columns, TOTAL], name="to"),
    )
