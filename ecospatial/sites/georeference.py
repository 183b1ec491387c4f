"""Where sites lie: which CRS counts, and whether that puts them where the plan is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, Problem
from ecospatial.sites import plausible

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from ecospatial.plans import Plan
    from ecospatial.sites.readers import SourcePart

FAR_M = 20_000.0
# 1954北京 and 1980西安 lie 50 to 150 m from CGCS2000, with numbers of the same size.
DATUM_OPEN_M = 150.0
_DATUM_OPEN = (
    f"基准面未证实（1954北京、1980西安与 CGCS2000 从数字上分不出，相差数十至一百多米），精度另加 {DATUM_OPEN_M:.0f} m，"
    "请核实后用 --crs 指明"
)
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Placed:
    """The geometries of a part in one CRS, what was changed on the way, and sites that lie too far away.

    ``notice`` says which CRS was taken where none is declared: no change, but to be known. ``datum_open`` tells
    whether that rests on the position alone, under which 1954北京, 1980西安 and CGCS2000 look alike. ``too_large`` are
    the sites that no plane holds, with the reason.
    """

    geometry: NDArray[Any]
    crs: CRS
    note: str
    far: Problem | None = None
    fits_elsewhere: bool = False
    notice: str = ""
    datum_open: bool = False
    too_large: tuple[tuple[int, str], ...] = ()


def place(
    part: SourcePart,
    geometry: NDArray[Any],
    *,
    plan: Plan | None,
    given: crs_.Stated | None,
    allow_far: bool,
) -> Placed:
    """Bring the geometries of a part into the CRS of the plan, or into their own without a plan.

    Parameters
    ----------
    part
        The part.
    geometry
        Its geometries, None where they can not be used.
    plan
        The plan.
    given
        What the caller says of the coordinates; counts before what the source declares.
    allow_far
        Whether sites may lie more than 20 km outside the plan.

    Raises
    ------
    CrsError
        No CRS counts, or it can not be converted from.
    """
    area = None if plan is None else plan.area
    geometry = geometry if given is None or given.four is None else given.four.apply(geometry)
    vertices = shapely.get_coordinates(geometry)
    found: list[crs_.Candidate] = []
    if plan is not None and area is not None:
        found = crs_.diagnose(vertices[:, 0], vertices[:, 1], area, plan.crs)
    told = "" if plan is None else crs_.explain(found, plan.title)
    try:
        crs, shift, swapped, note = _counting(part, vertices, found, plan=plan, given=given)
        if part.file and not swapped and shift is None:
            _refuse_contradiction(vertices, crs, part.file)
        moved = _flipped(geometry) if swapped else geometry
        large = plausible.too_large(moved, crs, area)
        moved = moved.copy()
        moved[large != ""] = None
        if shift is not None:
            moved = crs_.undo_shift(moved, shift)
        moved = crs_.transform(moved, crs, crs if plan is None else plan.crs)
    except CrsError as error:
        raise CrsError([_with(problem, part.file, told) for problem in error.problems]) from error
    far = None if plan is None or area is None or allow_far else _far(part, moved, plan, area, told=told)
    elsewhere = any(candidate.inside for candidate in found)
    notice = ""
    proven = given is None and part.crs is None and note != ""
    if proven:
        open_ = "" if part.datum else f"；{_DATUM_OPEN}"
        notice, note = f"{part.file}：{note}{open_}", "X、Y 已对调" if swapped else ""
    return Placed(
        moved,
        crs if plan is None else plan.crs,
        note,
        far,
        fits_elsewhere=elsewhere,
        notice=notice,
        datum_open=proven and not part.datum,
        too_large=tuple((int(i), str(large[i])) for i in np.flatnonzero(large != "")),
    )


def _with(problem: Problem, file: str, told: str) -> Problem:
    way = f"{told}。{problem.hint}" if told and told not in problem.message else problem.hint
    return problem._replace(file=problem.file or file, hint=way)


def _flipped(geometry: NDArray[Any]) -> NDArray[Any]:
    return shapely.transform(geometry, lambda vertices: vertices[:, ::-1])


# --------------------------------------------------------------------------------------- which one counts


def _counting(
    part: SourcePart,
    vertices: NDArray[Any],
    found: list[crs_.Candidate],
    *,
    plan: Plan | None,
    given: crs_.Stated | None,
) -> tuple[CRS, str | None, bool, str]:
    """Decide: the caller's, the source's, the one proven by the plan. Gives CRS, shift, swapped, note."""
    if given is None and part.refusal is not None:
        raise CrsError(part.refusal)
    if given is not None and given.four is not None:
        return _after_four(part, given, plan)
    if given is not None and given.crs is not None:
        crs, shift = given.crs, given.shift
    elif part.crs is not None:
        crs, shift = part.crs, part.shift
    else:
        return _proven(part, vertices, found, plan)
    swapped = False if part.ordered or len(vertices) == 0 else _settled(part, vertices, crs, plan)
    notes = [] if given is None else [_difference(part, crs, shift)]
    notes += [f"由 {crs_.label(crs, shift)} 反算为 CGCS2000"] if shift is not None else []
    notes += ["X、Y 已对调"] if swapped else []
    return crs, shift, swapped, "；".join(filter(None, notes))


def _after_four(part: SourcePart, given: crs_.Stated, plan: Plan | None) -> tuple[CRS, str | None, bool, str]:
    """Say in which CRS coordinates are once the four parameters moved them."""
    target = given.crs if given.crs is not None else (None if plan is None else plan.crs)
    if target is None:
        way = "请用 --crs 写明换算后的坐标系，例如 EPSG:4549"
        raise CrsError(Problem(part.file, None, "四参数换算到哪个坐标系不明", way))
    crs_.require_metric(target)
    return target, None, False, "已按四参数由地方坐标换算"


def _refuse_contradiction(vertices: NDArray[Any], crs: CRS, file: str) -> None:
    """Refuse numbers that can not be in the CRS, whoever says so."""
    finite = vertices[np.isfinite(vertices).all(axis=1)]
    if len(finite) == 0:
        return
    way = f"请核对坐标系，用 --crs 指明，可能是 {_by_size(finite)}"
    fault = ""
    if crs.is_geographic:
        if (np.abs(finite) > (180.0, 90.0)).any():
            fault = f"坐标不是经纬度，不可能是 {crs_.label(crs)}"
    else:
        east = crs_.false_easting(crs)
        if east is not None and _degrees(finite):
            fault = f"坐标是经纬度，不是 {crs_.label(crs)} 的米"
        elif east is not None and (finite[:, 0] >= 1e7).all() and east < 1e6:
            fault = f"东坐标带有带号前缀，而 {crs_.label(crs)} 没有"
        elif east is not None and (finite[:, 0] < 1e6).all() and (finite[:, 0] > 1e5).all() and east > 1e6:
            fault = f"东坐标没有带号前缀，而 {crs_.label(crs)} 有"
    if fault:
        raise CrsError(Problem(file, None, fault, way))


def _degrees(vertices: NDArray[Any]) -> bool:
    """Tell whether all vertices are a longitude and a latitude in China, in either order."""
    for pairs in (vertices, vertices[:, ::-1]):
        if bool(((pairs >= (73.0, 3.0)) & (pairs <= (136.0, 54.0))).all()):
            return True
    return False


def _difference(part: SourcePart, crs: CRS, shift: str | None) -> str:
    used = crs_.label(crs, shift)
    if part.refusal is not None:
        return f"{part.refusal.message}；按指定的 {used} 处理"
    if part.crs is None or (shift == part.shift and crs_.same(part.crs, crs)):
        return ""
    return f"文件声明 {crs_.label(part.crs, part.shift)}，按指定的 {used} 处理"


def _settled(part: SourcePart, vertices: NDArray[Any], crs: CRS, plan: Plan | None) -> bool:
    """Settle by the plan which coordinate is the northing when the numbers do not tell."""
    fitting = []
    if plan is not None and plan.area is not None:
        for swapped in (False, True):
            points = shapely.multipoints(vertices[:, ::-1] if swapped else vertices)
            moved = crs_.transform(np.array([points], dtype=object), crs, plan.crs)
            fitting += [swapped] if shapely.intersects(moved[0], plan.area) else []
    if len(fitting) == 1:
        return fitting[0]
    way = "请用列名“东坐标”“北坐标”的 CSV 或 XLSX 提供"
    raise CrsError(Problem(part.file, None, "从数字看不出哪一列是北坐标", way))


def _proven(
    part: SourcePart, vertices: NDArray[Any], found: list[crs_.Candidate], plan: Plan | None
) -> tuple[CRS, str | None, bool, str]:
    """Take the one CRS under which the coordinates lie in the plan."""
    if len(vertices) == 0 and part.rows:
        return (crs_.CGCS2000 if plan is None else plan.crs), None, False, ""
    if plan is None or not found or not part.file:
        what = "没有坐标系" if part.file else "数据框没有坐标系"
        raise CrsError(Problem(part.file, None, what, f"请用 --crs（crs=）指明，可能是 {_by_size(vertices)}"))
    inside = [candidate for candidate in found if candidate.inside]
    if len(inside) != 1:
        number = "没有一种" if not inside else "有几种"
        told = crs_.explain(found, plan.title) or _by_size(vertices)
        fault = f"没有坐标系，{number}常用坐标系能使其位于{plan.title}内（{told}）"
        raise CrsError(Problem(part.file, None, fault, "请用 --crs 指明"))
    best = inside[0]
    degrees = "；若来自高德、百度地图请指明 gcj02、bd09" if best.crs.is_geographic else ""
    note = f"未声明坐标系，按 {best.label} 位于{plan.title}内，据此采用{degrees}"
    return best.crs, None, best.swapped, note


def _by_size(vertices: NDArray[Any]) -> str:
    """Name the CRSs that numbers of this size can be in."""
    largest = float(np.abs(vertices).max()) if len(vertices) else 0.0
    if largest <= 180.0:
        return "EPSG:4490（经纬度），或 gcj02、bd09"
    zones = {int(x // 1e6) for x in vertices.ravel() if 13e6 <= x < 46e6}
    try:
        named = [crs_.label(crs_.gauss_kruger(z, width=6 if z <= 23 else 3, prefixed=True)) for z in sorted(zones)]
    except CrsError:
        named = []
    return "、".join(named) or "EPSG:4549（3 度带，中央经线 120°）、EPSG:4548（117°）"


# ------------------------------------------------------------------------------------------- too far away


def _far(part: SourcePart, geometry: NDArray[Any], plan: Plan, area: Any, *, told: str) -> Problem | None:
    distance = shapely.distance(geometry, area)
    far = np.flatnonzero(distance > FAR_M)  # NaN, where there is no geometry, is not far
    if len(far) == 0:
        return None
    west, south, east, north = shapely.total_bounds(geometry[far])
    centre = shapely.centroid(area)
    word = crs_.compass((west + east) / 2 - centre.x, (south + north) / 2 - centre.y)
    listed = "、".join(str(part.rows[i]) for i in far[:_LISTED]) + ("等" if len(far) > _LISTED else "")
    fault = f"{len(far)} 个地块距{plan.title} 20 km 以上（偏{word}，最近 {distance[far].min() / 1000:.0f} km）"
    way = f"{told}。请核对坐标系；位置无误时加 --allow-far" if told else "请核对坐标系；位置无误时加 --allow-far"
    return Problem(part.file, f"第 {listed} 行", fault, way)
