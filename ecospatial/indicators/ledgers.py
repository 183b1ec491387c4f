"""Areas of every class in every unit, in all units of measurement, so that rows and columns add up exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.geometry import ellipsoidal_area
from ecospatial.geometry.partition import holders, partition

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

TOTAL = "合计"
UNCOVERED = "未覆盖"
OVERLAPPED = "重叠"
NO_UNIT = "未划入"
# Everything is counted in whole steps of 0.01 m2, so that sums of what is printed are what is printed.
STEP_M2 = 0.01
_PER_M2 = {"m2": 1.0, "ha": 1e-4, "km2": 1e-6, "mu": 0.0015}
LEDGER_COLUMNS = ("unit", "class", *(f"area_{name}" for name in _PER_M2), *(f"area_ellipsoidal_{n}" for n in _PER_M2))


def ledger(
    features: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    by: str | None = None,
    name: str = "feature_name",
    label: str = "有",
) -> pd.DataFrame:
    """Measure how much of every unit each class of features takes.

    Parameters
    ----------
    features
        Polygons, in the CRS of the units; each spot counts once.
    units
        Polygons of towns or other units, in a projected CRS in metres.
    by
        Column of the features that holds the class; without it all are of one class, ``label``.
    name
        Column of the units that holds their name; units without a name get their index label.
    label
        Name of the class when there is no ``by``, and of features whose class is empty.

    Returns
    -------
    DataFrame
        ``unit``, ``class`` and the area in m2, ha, km2 and 亩 (``mu``), planar and ellipsoidal: a row for each unit and
        class, with ``未覆盖`` (no feature), ``重叠`` (features of several classes) and ``合计``. All are whole steps of
        0.01 m2, and every total is the sum of its parts.

    Raises
    ------
    CrsError
        A CRS is missing or not projected, or the two differ.
    PlanError
        A column is not there.

    Examples
    --------
    >>> import geopandas as gpd
    >>> town = gpd.GeoDataFrame({"feature_name": ["甲镇"]}, geometry=[shapely.box(0, 0, 100, 100)], crs=4549)
    >>> farmland = gpd.GeoDataFrame(geometry=[shapely.box(50, 0, 200, 100)], crs=4549)
    >>> table = ledger(farmland, town, label="耕地")
    >>> table[table.unit == "甲镇"][["class", "area_m2", "area_mu"]].values.tolist()
    [['耕地', 5000.0, 7.5], ['未覆盖', 5000.0, 7.5], ['合计', 10000.0, 15.0]]
    """
    require_same_crs(features, units)
    for frame, column in ((features, by), (units, name if name != "feature_name" else None)):
        if column is not None and column not in frame:
            raise PlanError(Problem("", None, f"没有列 {column}", f"可用的列：{'、'.join(map(str, frame.columns))}"))
    area = shapely.union_all(units.geometry.to_numpy())
    unit_names = _names(units, name)
    classes = class_names(features, by, label)
    return ledger_of(
        area,
        _dissolved(units, unit_names),
        _dissolved(features, classes),
        crs=units.crs,
    )


def ledger_of(
    area: Any, units: dict[str, Any], classes: dict[str, Any], *, crs: CRS, no_unit: str = NO_UNIT
) -> pd.DataFrame:
    """Measure classes in units; both are given as one geometry for each name.

    Parameters
    ----------
    area
        What is divided up.
    units, classes
        Geometry by name, in the order that the ledger is to have.
    crs
        CRS of all of them.
    no_unit
        Name of what lies in no unit.
    """
    shapes = np.array([*units.values(), *classes.values()], dtype=object)
    pieces = partition(area, shapes)
    unit_of = _held_by(pieces, list(units.values()), list(units), none=no_unit)
    class_of = _held_by(pieces, list(classes.values()), list(classes), none=UNCOVERED)
    rows = [*units, *(extra for extra in (OVERLAPPED, no_unit) if (unit_of == extra).any())]
    columns = [*classes, *(extra for extra in (OVERLAPPED,) if (class_of == extra).any()), UNCOVERED]
    cells = {}
    whole = np.array([units.get(row) for row in rows], dtype=object)
    for key, measured, sizes in (
        ("area", shapely.area(whole), shapely.area(pieces)),
        ("area_ellipsoidal", ellipsoidal_area(whole, crs), ellipsoidal_area(pieces, crs)),
    ):
        sums = pd.Series(sizes).groupby([unit_of, class_of]).sum()
        grid = sums.reindex(pd.MultiIndex.from_product([rows, columns]), fill_value=0.0)
        cells[key] = with_totals(balanced(grid.to_numpy().reshape(len(rows), len(columns)), measured))
    index = pd.MultiIndex.from_product([[*rows, TOTAL], [*columns, TOTAL]], names=["unit", "class"])
    data = {
        f"{key}_{unit}": np.round(steps.ravel() * STEP_M2 * factor, 10)
        for key, steps in cells.items()
        for unit, factor in _PER_M2.items()
    }
    return pd.DataFrame(data, index=index).reset_index()[list(LEDGER_COLUMNS)]


def in_steps(areas: NDArray[Any], total: float | None = None) -> NDArray[np.int64]:
    """Round areas to whole steps of 0.01 m2 so that their sum is the rounded total, their own sum when not given.

    Examples
    --------
    >>> in_steps(np.array([0.004, 0.004, 0.004])).tolist()
    [1, 0, 0]
    """
    exact = np.asarray(areas, dtype=float) / STEP_M2
    steps = np.floor(exact + 1e-6).astype(np.int64)
    missing = round(float(exact.sum()) if total is None else total / STEP_M2) - int(steps.sum())
    if missing:
        order = np.argsort(-(exact - steps) if missing > 0 else -steps, kind="stable")
        np.add.at(steps, np.resize(order[: max(1, min(abs(missing), len(order)))], abs(missing)), np.sign(missing))
    return steps


def balanced(grid: NDArray[Any], measured: NDArray[Any]) -> NDArray[np.int64]:
    """Round the cells of each unit so that they make up what was measured of the unit as a whole.

    Pieces measured one by one differ from the whole by rounding (1e-9); with the whole as control the total of a town
    is the same in every ledger. Where the pieces are not the unit, because units overlap, their own sum stands.
    """
    control = grid.sum(axis=1)
    known = np.nan_to_num(np.asarray(measured, dtype=float))
    same = np.abs(known - control) <= 1e-6 * np.maximum(control, 1.0)
    control = np.where(same, known, control)
    scale = np.divide(control, grid.sum(axis=1), out=np.ones_like(control), where=control > 0)
    rows = [in_steps(row * factor, total) for row, factor, total in zip(grid, scale, control, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(grid.shape)


def with_totals(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add a last row and column of sums."""
    wide = np.column_stack([steps, steps.sum(axis=1)])
    return np.vstack([wide, wide.sum(axis=0)])


def class_names(frame: gpd.GeoDataFrame, by: str | None, label: str) -> list[str]:
    """Give the class of every feature as text."""
    if by is None:
        return [label] * len(frame)
    return [label if value is None or value != value or value == "" else str(value) for value in frame[by]]


def dissolved(frame: gpd.GeoDataFrame, by: str | None, label: str) -> dict[str, Any]:
    """Give one geometry for each class, in the order of their first feature."""
    return _dissolved(frame, class_names(frame, by, label))


def require_same_crs(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame) -> None:
    """Refuse frames that can not be measured together.

    Raises
    ------
    CrsError
        A CRS is missing or not projected, or the two differ.
    """
    for frame in (left, right):
        if frame.crs is None or not frame.crs.is_projected:
            raise CrsError(Problem("", None, "量算面积需要投影坐标系（米）", "请先 to_crs，如 EPSG:4549"))
    if not left.crs.equals(right.crs, ignore_axis_order=True):
        given = f"{left.crs.to_string()} 与 {right.crs.to_string()}"
        raise CrsError(Problem("", None, f"两个图层的坐标系不同：{given}", "请先 to_crs 到同一坐标系"))


def _names(units: gpd.GeoDataFrame, name: str) -> list[str]:
    given = units[name] if name in units else [None] * len(units)
    pairs = zip(given, units.index, strict=True)
    return [str(label) if value is None or value != value else str(value) for value, label in pairs]


def _dissolved(frame: gpd.GeoDataFrame, names: list[str]) -> dict[str, Any]:
    shapes, labels = frame.geometry.to_numpy(), np.array(names, dtype=object)
    return {name: shapely.union_all(shapes[labels == name]) for name in dict.fromkeys(names)}


def _held_by(pieces: NDArray[Any], shapes: list[Any], names: list[str], *, none: str) -> NDArray[Any]:
    found = np.full(len(pieces), none, dtype=object)
    piece, holder = holders(pieces, np.array(shapes, dtype=object))
    found[piece] = np.array(names, dtype=object)[holder] if len(names) else none
    found[np.flatnonzero(np.bincount(piece, minlength=len(pieces)) > 1)] = OVERLAPPED
    return found
