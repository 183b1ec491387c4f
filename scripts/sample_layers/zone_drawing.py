"""Draw what hugs a river: reaches of a great river with both banks, zones along it, points spread on its banks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from drawing import smooth
from shapely import LineString, Polygon
from shapely.ops import substring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike
    from plan_drawing import Drawing
    from shapely import Geometry, Point

    Features = Iterator[tuple[dict[str, object], Geometry]]

JOIN_M = 10.0
GOLDEN = 0.6180339887  # multiples of it, without their whole part, are spread without a pattern


def between_banks(left: ArrayLike, right: ArrayLike) -> Polygon:
    """Draw a great river from control points of both its banks, shape (n, 2), metres, drawn downstream."""
    return Polygon(np.vstack([smooth(left), smooth(right)[::-1]]))


def branch(area: Polygon, rivers: list[Polygon]) -> Polygon:
    """End a great river where the water of rivers drawn before it begins; they overlap by ``JOIN_M``."""
    own = shapely.difference(area, shapely.union_all(shapely.buffer(np.asarray(rivers, dtype=object), -JOIN_M)))
    return max(shapely.get_parts(own), key=lambda part: float(part.area))


def reach(area: Geometry, line: LineString, from_m: float, to_m: float, *, half_m: float) -> Geometry:
    """Cut the part of an area along a river that lies between two straight lines across.

    Parameters
    ----------
    area
        The river or a strip along it.
    line
        The river's centreline.
    from_m, to_m
        Where the lines cross it, metres along the line.
    half_m
        How far the area reaches from the centreline at most, metres; the river should not bend more sharply.
    """
    along = substring(line, max(from_m, 0.0), min(to_m, line.length))
    return shapely.intersection(area, shapely.buffer(along, half_m, cap_style="flat"))


def draw_reaches(drawing: Drawing, kind: str) -> Features:
    """Draw zones that are a reach of a river or a strip beside it; a spot belongs to the first that holds it.

    "around" is a place and "up_m" and "down_m" are counted from it along the river; without it "from_m" and "to_m"
    are counted from the river's beginning. "beside_m" is how far a strip reaches from the bank; "half_m": see
    ``reach``.
    """
    done: list[Geometry] = []
    for number, zone in enumerate(drawing.content["reaches"][kind], 1):
        line, area = drawing.centrelines[zone["river"]], drawing.banks[zone["river"]]
        start, end = zone.get("from_m", 0.0), zone.get("to_m", line.length)
        if "around" in zone:
            middle = line.project(drawing.point(zone["around"]))
            start, end = middle - zone["up_m"], middle + zone["down_m"]
        if "beside_m" in zone:
            water = shapely.union_all(list(drawing.banks.values()))
            area = shapely.difference(shapely.buffer(area, zone["beside_m"]), water)
        cut = reach(area, line, start, end, half_m=zone["half_m"])
        found = shapely.difference(cut, shapely.union_all(done))
        done.append(found)
        how = ("river", "around", "up_m", "down_m", "from_m", "to_m", "half_m", "beside_m")
        about = {key: value for key, value in zone.items() if key not in how}
        yield {"feature_id": f"{kind[0].upper()}{number:02d}", **about}, found


def draw_unions(drawing: Drawing, kind: str) -> Features:
    """Draw zones that are made of what other layers hold, inside the district."""
    for number, zone in enumerate(drawing.content["unions"][kind], 1):
        taken = [
            geometry
            for other, wanted in zone["of"].items()
            for properties, geometry in drawing.features(other)
            if all(properties[key] in values for key, values in wanted.items())
        ]
        area = shapely.intersection(shapely.union_all(taken), drawing.outline)
        about = {key: value for key, value in zone.items() if key != "of"}
        yield {"feature_id": f"{kind[0].upper()}{number:02d}", **about}, area


def draw_spread(drawing: Drawing, kind: str) -> Features:
    """Spread points along banks inside the district: evenly, each a little off its place, always the same."""
    number = itertools.count(1)
    for part in drawing.content["spread"][kind]:
        places = spread(drawing, part["rivers"], part["count"])
        types = [name for name, share in part["types"].items() for _ in range(share)]
        for i, (river, place) in enumerate(places):
            n = next(number)
            name = part["name"].format(number=n)
            about = {"feature_id": f"{kind[0].upper()}{n:03d}", "feature_name": name, "river": river}
            yield about | {"outfall_type": types[int(i * GOLDEN % 1 * len(types))]}, place


def spread(drawing: Drawing, rivers: list[dict[str, Any]], count: int) -> list[tuple[str, Point]]:
    """Place points on the banks of rivers, each of which has its share by length."""
    stretches: list[tuple[str, LineString]] = []
    for river in rivers:
        others = shapely.union_all([area for name, area in drawing.banks.items() if name != river["name"]])
        edge = shapely.difference(drawing.banks[river["name"]].exterior, others)
        edge = shapely.intersection(edge, shapely.buffer(drawing.outline, -river.get("inside_m", 0)))
        edge = shapely.difference(
            edge, shapely.union_all([g for k in river.get("keep_off", []) for g in drawing.taken(k)])
        )
        lines = shapely.get_parts(shapely.line_merge(edge))
        stretches += [(river["name"], line) for line in lines if line.length > river.get("least_m", 0)]
    ends = np.cumsum([line.length for _, line in stretches])
    found = []
    for i in range(count):
        at = (i + 0.5 + 1.6 * (i * i * GOLDEN % 1 - 0.5)) / count * ends[-1]
        which = int(np.searchsorted(ends, at))
        name, line = stretches[which]
        found.append((drawing.rivers[name]["river"], line.interpolate(at - (ends[which] - line.length))))
    return found
