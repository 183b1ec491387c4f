"""The ledger of rivers: length, class and water surface by town; the class against stream order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.geometry import Pieces, areal_part, cut
from ecospatial.model import RIVER_CLASSES
from ecospatial.network._arrays import shapes_of
from ecospatial.network.flow import stream_order

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.network.graph import Network

UNKNOWN = "未定"
# 干流 and 骨干河道 are named by function, 小微水体 by size; only the 支浜 are counted from what they join.
_COUNTED = [i for i, name in enumerate(RIVER_CLASSES) if name.endswith("支浜")]
# What a class may say of a river besides agreeing.
CLASS_LABELS = {"agrees": "相符", "too_high": "偏高", "too_low": "偏低", "inverted": "倒置", "unknown": UNKNOWN}


def lengths_by_area(network: Network, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Measure how much of each reach lies in each area.

    Where a river is the border, half of it counts on each side (界河各计一半): the lengths of areas that do not
    overlap add up to no more than the network.

    Returns
    -------
    DataFrame
        ``reach``, ``area`` (index label of ``areas``), ``length_m``; only pairs that share length.
    """
    shapes = shapes_of(areas)
    reach, area = shapely.STRtree(shapes).query(network.lines, predicate="intersects")
    reach, area = reach[~network.link[reach]], area[~network.link[reach]]
    lines = network.lines[reach]
    within = shapely.length(shapely.intersection(lines, shapes[area]))
    straddles = np.flatnonzero(~shapely.contains_properly(shapes[area], lines))
    border = np.zeros(len(reach))
    border[straddles] = shapely.length(
        shapely.intersection(lines[straddles], shapely.boundary(shapes[area[straddles]]))
    )
    length = within - border / 2
    keep = length > 0
    label = areas.index.to_numpy()[area[keep]]
    return pd.DataFrame({"reach": reach[keep], "area": label, "length_m": length[keep]})


def density(network: Network, towns: gpd.GeoDataFrame, *, water: gpd.GeoDataFrame | None = None) -> pd.DataFrame:
    """Measure the density of rivers and the share of water surface in each town.

    Parameters
    ----------
    network
        The river network.
    towns
        Areas in its CRS.
    water
        Water surface (``water_body``), or polygons between banks, in the same CRS; lines and None count for nothing,
        and then the surface is length times width, where every river's width is known (``estimated``).

    Returns
    -------
    DataFrame
        On the index of ``towns``: ``area_m2``, ``river_m``, ``density_km_km2`` (km of river in a km2), ``water_m2``,
        ``water_share``, ``estimated``. Unknown is empty.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from ecospatial.network import build
    >>> lines = [shapely.LineString([(0, 500), (1000, 500)])]
    >>> rivers = gpd.GeoDataFrame({"river": ["甲"], "width_m": [20.0]}, geometry=lines, crs=4549)
    >>> town = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1000, 1000)], index=["镇"], crs=4549)
    >>> density(build(rivers), town)[["density_km_km2", "water_share", "estimated"]].to_numpy().tolist()
    [[1.0, 0.02, True]]
    """
    shapes = shapes_of(towns)
    area = shapely.area(shapes)
    pairs = lengths_by_area(network, towns.reset_index(drop=True))
    surface: NDArray[np.float64]
    river = np.bincount(pairs["area"], weights=pairs["length_m"], minlength=len(towns))
    areal = None if water is None else _areal(water)
    if areal is not None and len(areal):
        surface = _surface(shapes, areal)
    else:
        # A width that is not known makes the sum unknown, not smaller.
        width = network.reaches["width_m"].to_numpy()[pairs["reach"]]
        flat = np.bincount(pairs["area"], weights=pairs["length_m"] * width, minlength=len(towns))
        surface = np.asarray(flat, dtype=np.float64)
    data = {
        "area_m2": area,
        "river_m": river,
        "density_km_km2": river / area * 1000,
        "water_m2": surface,
        "water_share": surface / area,
        "estimated": areal is None or not len(areal),
    }
    return pd.DataFrame(data, index=towns.index)


def _areal(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    shapes = shapes_of(frame)
    return np.asarray(shapes[shapely.get_dimensions(shapes) == 2], dtype=object)


def _surface(towns: NDArray[Any], water: NDArray[Any]) -> NDArray[np.float64]:
    """Measure the water in each town, each spot once."""
    whole = shapely.union_all(water)
    parts = cut(towns, Pieces.of(areal_part(np.array([whole], dtype=object))))
    found = np.bincount(parts.site, weights=shapely.area(parts.geometry), minlength=len(towns))
    return np.asarray(found, dtype=np.float64)


def class_ledger(
    network: Network, towns: gpd.GeoDataFrame | None = None, *, name: str = "feature_name"
) -> pd.DataFrame:
    """Add up rivers, reaches and length by class.

    Parameters
    ----------
    network
        The river network.
    towns
        Areas with a column ``name``: a column of metres for each, and what lies in none of them.

    Returns
    -------
    DataFrame
        Index ``river_class`` (the order of ``model.RIVER_CLASSES``, then others, then 未定): ``rivers`` (names),
        ``reaches``, ``length_m``, ``mean_width_m`` (by length), and a column per town.
    """
    classes = network.reaches["river_class"].astype(object).where(network.reaches["river_class"].notna(), UNKNOWN)
    width = network.reaches["width_m"]
    table = pd.DataFrame(
        {
            "river_class": classes.to_numpy(),
            "river": network.rivers,
            "length_m": network.length_m,
            "known_m": np.where(width.isna(), 0.0, network.length_m),
            "width": width.fillna(0.0).to_numpy() * network.length_m,
        }
    )[~network.link]
    by = table.groupby("river_class")
    found = by.agg(rivers=("river", "nunique"), reaches=("length_m", "size"), length_m=("length_m", "sum"))
    found["mean_width_m"] = (by["width"].sum() / by["known_m"].sum()).where(by["known_m"].sum() > 0)
    if towns is not None:
        pairs = lengths_by_area(network, towns.set_index(name))
        pairs["river_class"] = classes.to_numpy()[pairs["reach"]]
        wide = pairs.pivot_table(index="river_class", columns="area", values="length_m", aggfunc="sum", fill_value=0.0)
        wide = wide.reindex(index=found.index, columns=towns[name].tolist(), fill_value=0.0)
        found = found.join(wide).assign(区外=(found["length_m"] - wide.sum(axis=1)).clip(lower=0.0))
    known = [c for c in RIVER_CLASSES if c in found.index]
    other = sorted(c for c in found.index if c not in (*RIVER_CLASSES, UNKNOWN))
    return found.loc[[*known, *other, *([UNKNOWN] if UNKNOWN in found.index else [])]]


def check_classes(network: Network) -> pd.DataFrame:
    """Put the class of every river to the test: against the rivers it joins, and against stream order.

    A 一级支浜 joins a 骨干河道 or a 干流, a 二级支浜 a 一级支浜, and so on: the class expected of a 支浜 is one below
    the highest class it joins. A river of a higher class than the one its water flows into is ``inverted``.

    Returns
    -------
    DataFrame
        A row for each river, several where its parts have several classes: ``river``, ``river_class``, ``order``
        (highest stream order after Strahler; empty where the water runs in a ring), ``joins`` (highest class it
        joins), ``expected`` (of a 支浜), ``status`` (agrees, too_high, too_low, inverted, unknown), ``length_m``.
    """
    order = stream_order(network)
    unit = _units(network)
    meets, below = _joined(network, unit)
    found = []
    for number in dict.fromkeys(unit[(unit >= 0) & ~network.link].tolist()):
        rows = np.flatnonzero((unit == number) & ~network.link)
        first = int(rows[0])
        level = {other: _level(network, other) for other in {*meets.get(number, ()), *below.get(number, ())}}
        best = min((level[other] for other in meets.get(number, ()) if level[other] >= 0), default=-1)
        onward = [level[other] for other in below.get(number, ()) if level[other] >= 0]
        mine, expected = _level(network, first), _expected(best)
        found.append(
            {
                "river": network.rivers[first],
                "river_class": RIVER_CLASSES[mine] if mine >= 0 else None,
                "order": float(order[rows].max()) if order[rows].min() > 0 else np.nan,
                "joins": RIVER_CLASSES[best] if best >= 0 else None,
                "expected": RIVER_CLASSES[expected] if expected >= 0 and mine in _COUNTED else None,
                "status": _status(mine, best, expected, onward),
                "length_m": float(network.length_m[rows].sum()),
            }
        )
    columns = ["river", "river_class", "order", "joins", "expected", "status", "length_m"]
    return pd.DataFrame(found, columns=columns)


def _units(network: Network) -> NDArray[np.intp]:
    """Give for each reach the first reach of its river and class; -1 without a name.

    A link belongs to the highest class of its river.
    """
    classes = network.reaches["river_class"].to_numpy(dtype=object)
    found = np.full(len(network.reaches), -1, dtype=np.intp)
    first: dict[tuple[str, object], int] = {}
    highest: dict[str, int] = {}
    for i in np.flatnonzero(~network.link).tolist():
        name = network.rivers[i]
        if name is None:
            continue
        found[i] = first.setdefault((name, classes[i]), i)
        known = highest.setdefault(name, int(found[i]))
        if 0 <= _level(network, i) < _level(network, known) or _level(network, known) < 0:
            highest[name] = int(found[i])
    for i in np.flatnonzero(network.link).tolist():
        found[i] = highest.get(network.rivers[i], -1)
    return found


def _level(network: Network, reach: int) -> int:
    """Give the position of a reach's class; -1 where it has none."""
    name = network.reaches["river_class"].iloc[reach]
    return RIVER_CLASSES.index(name) if name in RIVER_CLASSES else -1


def _expected(best: int) -> int:
    """Give the class of a 支浜 that joins a river of a class; -1: not known."""
    return -1 if best < 0 else min(max(best + 1, _COUNTED[0]), _COUNTED[-1])


def _status(mine: int, best: int, expected: int, onward: list[int]) -> str:
    if mine < 0:
        return "unknown"
    if onward and min(onward) > mine:
        return "inverted"
    if mine not in _COUNTED:
        return "agrees"
    if best < 0:
        return "unknown"
    return "agrees" if mine == expected else ("too_high" if mine < expected else "too_low")


def _joined(network: Network, unit: NDArray[np.intp]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """List the rivers that each river touches, and those that take its water on."""
    meets: dict[int, set[int]] = {}
    below: dict[int, set[int]] = {}
    own = unit.tolist()
    (out_start, leaving), (in_start, entering) = network.leaving, network.entering
    for node in range(len(network.nodes)):
        out = {own[i] for i in leaving[out_start[node] : out_start[node + 1]]} - {-1}
        into = {own[i] for i in entering[in_start[node] : in_start[node + 1]]} - {-1}
        if len(out | into) < 2:
            continue
        for number in out | into:
            meets.setdefault(number, set()).update((out | into) - {number})
            # Where it goes on itself, it does not end in what leaves beside it.
            if number in into and number not in out:
                below.setdefault(number, set()).update(out)
    return meets, below
