"""Published figures measured on the layers of a plan, with how far off the measure may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.geometry import areal_part, ellipsoidal_area, strip
from ecospatial.indicators.land_parcels import KindOnDay, holding, united
from ecospatial.indicators.units import unit_factor
from ecospatial.model import KINDS

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Plan
    from ecospatial.plans.targets import Target

AREA_LABELS = {"ellipsoidal": "椭球面积", "planar": "投影面积"}


@dataclass(frozen=True, slots=True)
class MeasuredFigure:
    """A figure as measured, in the unit it was published in.

    ``value`` is None when it can not be measured; ``gap`` says why and whom to ask, or what may be missing where
    ``least`` says that there may be more than was measured. ``most`` is the value if all features count of which it is
    not known whether they belong to it. ``tolerance`` comes from the accuracy of the layers and is None when that is
    unknown; ``method`` says how was measured.
    """

    value: float | None
    tolerance: float | None
    method: str
    layers: str
    schematic: bool = False
    least: bool = False
    gap: str = ""
    area_m2: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class _FigureQuery:
    """One figure, and the features that it is about."""

    target: Target
    plan: Plan
    area: Any
    held: KindOnDay
    features: gpd.GeoDataFrame
    on: dt.date

    @property
    def shapes(self) -> NDArray[Any]:
        return np.asarray(self.features.geometry.to_numpy(), dtype=object)


def measure(target: Target, plan: Plan, on: dt.date) -> MeasuredFigure:
    """Measure a published figure.

    Parameters
    ----------
    target
        What was published.
    plan
        The plan whose layers are measured; areas and lengths inside its district.
    on
        The day whose layers count.
    """
    factor = unit_factor(target.measure, target.unit)
    if factor is None:
        return _untold(f"不认识单位 {target.unit}，请更正 targets.yaml")
    if target.part is None:
        who = f"，请向{target.ask}取得" if target.ask else "，请向主管部门取得"
        return _untold(f"没有可量算的图层{who}")
    held = holding(plan, target.part.kind, on)
    if held.frame is None:
        who = f"（{target.ask}）" if target.ask else ""
        return _untold("；".join(held.gaps) + who)
    features, possible = held.chosen(target.part)
    area = plan.area
    if target.extent == "all":
        # What the figure is about is there or not; how far the layer reaches beyond it is of no matter.
        held = replace(held, whole=not held.gaps)
        area = shapely.envelope(united(held.frame)).buffer(1.0)
    if area is None:
        return _untold("没有行政区图层，不知道量算到哪里为止", held)
    asked = _FigureQuery(target, plan, area, held, features, on)
    found = _MEASURES[target.measure](asked)
    if len(possible) > len(features):
        more = _MEASURES[target.measure](replace(asked, features=possible))
        found = _bounded(asked, found, more, doubtful=len(possible) - len(features))
    if found.value is None:
        return found
    tolerance = None if found.tolerance is None else found.tolerance / factor
    most = None if found.most is None else found.most / factor
    return replace(found, value=found.value / factor, tolerance=tolerance, most=most)


def _bounded(asked: _FigureQuery, low: MeasuredFigure, high: MeasuredFigure, *, doubtful: int) -> MeasuredFigure:
    """Put the value without and with the doubtful features together; neither alone is the answer."""
    where = () if asked.target.part is None else asked.target.part.where
    labels = "、".join(_column_label(asked.held.kind, column) for column, _ in where)
    gap = f"有 {doubtful} 个要素的“{labels}”为空或名称有待核实，请数据管理单位补充"
    if low.value is None or high.value is None or high.value < low.value:
        return _untold(gap, asked.held)
    spreads = (low.tolerance, high.tolerance)
    tolerance = None if None in spreads else max(x for x in spreads if x is not None)
    return replace(low, most=high.value, tolerance=tolerance, gap="；".join(x for x in (gap, low.gap) if x))


def _column_label(kind: str, name: str) -> str:
    column = KINDS[kind].column(name)
    return name if column is None else column.label


def _untold(gap: str, held: KindOnDay | None = None) -> MeasuredFigure:
    return MeasuredFigure(None, None, "", "" if held is None else held.names, gap=gap)


def _told(
    asked: _FigureQuery, value: float, spread: float | None, method: str, *, area_m2: float | None = None
) -> MeasuredFigure:
    held = asked.held
    tolerance = None if spread is None or held.accuracy_m is None else spread * held.accuracy_m
    if spread == 0.0:
        tolerance = 0.0
    gap = "" if held.whole else "；".join(held.gaps) or "图层的覆盖范围没有包括全区"
    return MeasuredFigure(value, tolerance, method, held.names, held.schematic, not held.whole, gap, area_m2)


def _size(shape: Any, asked: _FigureQuery) -> float:
    if asked.target.area == "planar":
        return float(shapely.area(shape))
    return float(ellipsoidal_area(np.array([shape], dtype=object), asked.plan.crs)[0])


def _inside(frame: gpd.GeoDataFrame, area: Any) -> Any:
    """Give what of polygons lies in the district, each spot once."""
    return areal_part(np.array([shapely.intersection(united(frame), area)], dtype=object))[0]


def _lines(shapes: NDArray[Any], area: Any) -> Any:
    """Give lines, and the outlines of polygons between banks, inside the district."""
    areal = shapely.get_dimensions(shapes) == 2
    if not areal.any():
        return shapely.intersection(shapely.union_all(shapes), area)
    edge = shapely.boundary(shapely.union_all(shapes[areal]))
    # Where a river was cut off at the district's border there is no bank.
    return shapely.difference(shapely.intersection(shapely.union_all([*shapes[~areal], edge]), area), area.boundary)


def _area(asked: _FigureQuery) -> MeasuredFigure:
    if (shapely.get_dimensions(asked.shapes) == 1).any():
        return _untold("图层是线，没有面积，请换成两岸之间的面", asked.held)
    shape = _inside(asked.features, asked.area)
    # Were the whole outline off by the accuracy in one direction, the area would be off by that much.
    spread = 0.0 if shape.is_empty else float(shapely.length(shapely.boundary(shape)))
    method = AREA_LABELS[asked.target.area]
    return _told(asked, _size(shape, asked), spread, method, area_m2=float(shapely.area(shape)))


def _length(asked: _FigureQuery) -> MeasuredFigure:
    # Lines of features that lie on each other count once, outlines of areas that meet end where they meet.
    line = _lines(asked.shapes, asked.area)
    # Either end of every stretch may be off by the accuracy.
    ends = 0.0 if line.is_empty else 2.0 * len(shapely.get_parts(shapely.line_merge(line)))
    return _told(asked, float(shapely.length(line)), ends, "投影长度")


def _meets(asked: _FigureQuery) -> NDArray[np.bool_]:
    meets = shapely.intersects(asked.area, asked.shapes)
    # A neighbour's area that only shares the border is not ours.
    thick = np.flatnonzero(meets & (shapely.get_dimensions(asked.shapes) > 0))
    meets[thick] = ~shapely.touches(asked.shapes[thick], asked.area)
    return np.asarray(meets, dtype=bool)


def _count(asked: _FigureQuery) -> MeasuredFigure:
    there = asked.features[_meets(asked)]
    column = asked.target.column
    if column is None:
        return _told(asked, float(len(there)), 0.0, "要素个数")
    values = there[column]
    if values.isna().any():
        return _untold(_empty(asked, int(values.isna().sum())), asked.held)
    return _told(asked, float(values.nunique()), 0.0, f"不同“{_column_label(asked.held.kind, column)}”的个数")


def _value(asked: _FigureQuery) -> MeasuredFigure:
    there = asked.features[_meets(asked)]
    numbers = pd.to_numeric(there[asked.target.column]).to_numpy(dtype=float)
    empty = int(np.isnan(numbers).sum())
    if empty or not len(numbers):
        return _untold(_empty(asked, empty) if empty else "区内没有这样的要素，请数据管理单位补充", asked.held)
    return _told(asked, float(numbers.sum()), 0.0, f"“{_column_label(asked.held.kind, asked.target.column or '')}”合计")


def _empty(asked: _FigureQuery, count: int) -> str:
    label = _column_label(asked.held.kind, asked.target.column or "")
    return f"有 {count} 个要素的“{label}”为空，请数据管理单位补充"


def _share(asked: _FigureQuery) -> MeasuredFigure:
    base, gap = _base(asked)
    if base is None:
        return _untold(gap, asked.held)
    shape, reach = _served(asked)
    lines = shapely.get_dimensions(base) == 1
    part = shapely.intersection(shape, base)
    if lines:
        whole, size, area_m2 = float(shapely.length(base)), float(shapely.length(part)), None
        spread = 2.0 * len(shapely.get_parts(part))
    else:
        part = areal_part(np.array([part], dtype=object))[0]
        whole, size, area_m2 = _size(base, asked), _size(part, asked), float(shapely.area(part))
        edge = shapely.LineString() if shape.is_empty else shapely.boundary(shape)
        spread = float(shapely.length(shapely.intersection(edge, base)))
    if whole <= 0:
        return _untold("区内没有所占的对象，算不出比例", asked.held)
    method = "长度之比" if lines else f"{AREA_LABELS[asked.target.area]}之比"
    if reach > 0:
        method += f"，服务半径至 {reach:g} m（直线，自设施边界起）"
    found = _told(asked, size / whole, spread / whole, method, area_m2=area_m2)
    # Facilities beyond the district serve it too, so the layer has to reach further than the district.
    if reach > 0 and not found.least and not _reaches(asked, reach):
        return replace(found, least=True, gap=f"图层没有覆盖全区外围 {reach:g} m，区外设施未计")
    return found


def _base(asked: _FigureQuery) -> tuple[Any, str]:
    """Give what a share is of, or why that is not known."""
    of = asked.target.of
    if of is not None:
        other = holding(asked.plan, of.kind, asked.on)
        label = KINDS[of.kind].label
        if other.frame is None:
            return None, "；".join(other.gaps)
        if not other.whole:
            return None, f"{label}图层没有覆盖全区，请数据管理单位补充"
        chosen, possible = other.chosen(of)
        doubtful = len(possible) - len(chosen)
        if doubtful:
            return None, f"{label}有 {doubtful} 个要素的分类为空，请数据管理单位补充"
        return _extent(chosen, asked.area), ""
    if len(asked.features) and (shapely.get_dimensions(asked.shapes) == 1).all() and not asked.target.within_m:
        return _extent(asked.held.frame, asked.area), ""
    return asked.area, ""


def _extent(frame: gpd.GeoDataFrame | None, area: Any) -> Any:
    if frame is None:
        return None
    shapes = frame.geometry.to_numpy()
    return _inside(frame, area) if (shapely.get_dimensions(shapes) == 2).any() else _lines(shapes, area)


def _served(asked: _FigureQuery) -> tuple[Any, float]:
    """Give the area that counts as served, or the features themselves, and the longest distance."""
    if not asked.target.within_m:
        return united(asked.features), 0.0
    distance = np.zeros(len(asked.shapes))
    for least, within in asked.target.within_m:
        distance[shapely.area(asked.shapes) >= least] = within
    strips = [strip(asked.shapes[distance == within], float(within)) for within in np.unique(distance[distance > 0])]
    served = shapely.union_all(np.concatenate(strips)) if strips else shapely.Polygon()
    return served, max(within for _, within in asked.target.within_m)


def _reaches(asked: _FigureQuery, within_m: float) -> bool:
    known = [asked.plan.coverage(layer.name) for layer in asked.held.layers]
    covered = shapely.union_all([area for area in known if area is not None])
    around = asked.area.buffer(within_m)
    return bool(shapely.difference(around, covered).area <= 1e-4 * around.area)


_MEASURES = {"area": _area, "length": _length, "count": _count, "share": _share, "value": _value}
