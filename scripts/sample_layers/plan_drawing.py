"""Turn what was written down for one plan (``drawn/*.yaml``) into features in its metric CRS."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from cell_drawing import divided
from drawing import banks, between, cut_across, divide, rounded, smooth, strip, take_away
from pyproj import CRS
from shapely import LineString, MultiPolygon, Point, Polygon
from space_drawing import draw_spaces, space_shapes, with_corners
from zone_drawing import between_banks, branch, draw_reaches, draw_spread, draw_unions

from ecospatial import crs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from shapely import Geometry

    Place = str | list[float]  # the name of a node, or longitude and latitude in CGCS2000
    Feature = tuple[dict[str, object], Geometry]
    Features = Iterator[Feature]

SOURCES = Path(__file__).resolve().parent / "sources"
CGCS2000 = CRS.from_epsg(4490)
DECIMALS = 7  # of a degree: about 1 cm
SAME_PLACE_M = 0.01


@dataclass
class Drawing:
    """One plan: its rivers and outline as geometry, and the features of each kind."""

    content: dict[str, Any]
    _features: dict[str, list[Feature]] = field(default_factory=dict)

    @cached_property
    def crs(self) -> CRS:
        """The plan's metric CRS."""
        return crs.parse_crs(self.content["crs"])[0]

    @cached_property
    def outline(self) -> Polygon | MultiPolygon:
        """The district's outline; where spaces are drawn, with a corner wherever one of them ends at it."""
        if not self.content.get("spaces"):
            return self.real_outline
        plain = Drawing(self.content | {"spaces": []})
        return with_corners(plain, space_shapes(plain, self.content["spaces"]))

    @cached_property
    def real_outline(self) -> Polygon | MultiPolygon:
        """The district: read as GCJ-02, turned into CGCS2000, in metres; one that does not exist from its corners."""
        if "corners" in self.content["district"]:
            return Polygon(self.xy(self.content["district"]["corners"]))
        source = json.loads((SOURCES / "districts_amap_gcj02.geojson").read_text(encoding="utf-8"))
        wanted = self.content["district"]["adcode"]
        (found,) = [f["geometry"] for f in source["features"] if f["properties"]["adcode"] == wanted]
        shifted = np.array([shapely.from_geojson(json.dumps(found))], dtype=object)
        lonlat = shapely.transform(crs.undo_shift(shifted, "gcj02"), lambda c: c.round(DECIMALS))
        parts = list(shapely.get_parts(crs.transform(lonlat, CGCS2000, self.crs)))
        return parts[0] if len(parts) == 1 else MultiPolygon(parts)

    def xy(self, places: Iterable[Place]) -> NDArray[np.float64]:
        """Give places in metres, shape (n, 2); with an "origin" they are written in metres east and north of it."""
        written = [self.content["nodes"][place] if isinstance(place, str) else place for place in places]
        if "origin" not in self.content:
            return self.in_metres(written)
        return np.asarray(written, dtype=float) + self.in_metres([self.content["origin"]]).round()

    def in_metres(self, lonlat: list[list[float]]) -> NDArray[np.float64]:
        """Turn longitude and latitude in CGCS2000 into metres, shape (n, 2)."""
        points = np.asarray(shapely.points(lonlat), dtype=object)
        return np.asarray(shapely.get_coordinates(crs.transform(points, CGCS2000, self.crs)))

    def point(self, place: Place) -> Point:
        """Give a place as a point in metres."""
        return Point(self.xy([place])[0])

    @cached_property
    def rivers(self) -> dict[str, dict[str, Any]]:
        """What was written of the rivers by name; a branch has a name of its own beside the river's."""
        return {r.get("name", r["river"]): r for r in self.content["rivers"]}

    @cached_property
    def centrelines(self) -> dict[str, LineString]:
        """The rivers' centrelines by name, drawn downstream."""
        return {name: LineString(smooth(self.xy(r["course"]))) for name, r in self.rivers.items()}

    @cached_property
    def banks(self) -> dict[str, Polygon]:
        """The polygons between the banks by the rivers' names; a line inside another river has none."""
        found = {}
        for name, river in self.rivers.items():
            if "left" in river:
                area = between_banks(self.xy(river["left"]), self.xy(river["right"]))
                found[name] = branch(area, list(found.values()))
            elif river["width_m"] is not None:
                found[name] = banks(shapely.get_coordinates(self.centrelines[name]), river["width_m"])
        return found

    def features(self, kind: str) -> list[Feature]:
        """Draw the features of a kind: properties and geometry in metres."""
        if kind not in self._features:
            drawn = [draw for part, draw in DRAW_PART.items() if kind in self.content.get(part, {})]
            self._features[kind] = list(DRAW.get(kind, *drawn or [draw_points])(self, kind))
        return self._features[kind]

    def taken(self, name: str) -> list[Geometry]:
        """Give what areas keep off: a kind's features, the bands of that name (lanes, villages, green), a river."""
        bands = self.content.get("bands", {})
        if name in self.banks:
            return [self.banks[name]]
        if name not in bands:
            return [geometry for _, geometry in self.features(name)]
        return [self.band(band) for band in bands[name]]

    def band(self, band: dict[str, Any]) -> Polygon:
        """Draw a band of a mean width along a river or along its own course, or a whole area."""
        if "corners" in band:
            return rounded(self.xy(band["corners"]))
        if "river" in band:
            return banks(shapely.get_coordinates(self.centrelines[band["river"]]), band["width_m"])
        return banks(smooth(self.xy(band["course"])), band["width_m"])

    def border(self, place: Place) -> NDArray[np.float64]:
        """Give the corner of the district's outline that is nearest to a place."""
        corners = np.asarray(shapely.get_coordinates(self.outline))
        return np.asarray(corners[np.argmin(np.hypot(*(corners - self.xy([place])[0]).T))])

    def dividing_line(self, items: list[Any]) -> LineString:
        """Draw a dividing line from places, corners of the outline and stretches of rivers."""
        pieces: list[NDArray[np.float64]] = []
        curve: list[NDArray[np.float64]] = []
        for item in items:
            if isinstance(item, dict) and "along" in item:
                ends = self.point(item["from"]), self.point(item["to"])
                stretch = between(self.centrelines[item["along"]], *ends)
                pieces += [smooth([*curve, stretch[0]]) if curve else stretch[:1], stretch[1:]]
                curve = [stretch[-1]]
            else:
                curve.append(self.border(item["border"]) if isinstance(item, dict) else self.xy([item])[0])
        if len(curve) > 1:
            pieces.append(smooth(curve))
        vertices = np.vstack(pieces)
        moved = np.hypot(*np.diff(vertices, axis=0).T) > SAME_PLACE_M
        return LineString(vertices[np.concatenate([[True], moved])])


def draw_district(drawing: Drawing, _kind: str) -> Features:
    """Give the district's outline."""
    district = drawing.content["district"]
    code = district["adcode"]
    yield {"feature_id": code or "D01", "feature_name": district["name"], "adcode": code}, drawing.outline


def draw_towns(drawing: Drawing, _kind: str) -> Features:
    """Divide the district along the written lines."""
    towns = drawing.content["towns"]
    labels = {name: drawing.point(place) for name, place in towns["labels"].items()}
    lines = [drawing.dividing_line(items) for items in towns["lines"]]
    for number, (name, area) in enumerate(divide(drawing.outline, lines, labels).items(), 1):
        yield {"feature_id": f"T{number:02d}", "feature_name": name, "adcode": None}, area


def draw_divisions(drawing: Drawing, kind: str) -> Features:
    """Divide the district along the written lines into pieces with attributes."""
    division = drawing.content["divisions"][kind]
    labels = {piece["feature_name"]: drawing.point(piece["at"]) for piece in division["pieces"]}
    lines = [drawing.dividing_line(items) for items in division["lines"]]
    pieces = divide(drawing.outline, lines, labels)
    for number, piece in enumerate(division["pieces"], 1):
        about = {key: value for key, value in piece.items() if key != "at"}
        yield {"feature_id": f"{kind[0].upper()}{number:02d}", **about}, pieces[piece["feature_name"]]


def draw_centrelines(drawing: Drawing, _kind: str) -> Features:
    """Give the rivers' centrelines, drawn downstream."""
    for number, (name, river) in enumerate(drawing.rivers.items(), 1):
        about = {"feature_id": f"R{number:02d}", "feature_name": name, "river": river["river"]}
        about |= {key: river[key] for key in ("river_class", "width_m")}
        more = [key for key in ("system", "link") if any(key in other for other in drawing.rivers.values())]
        yield about | {key: river.get(key) for key in more}, drawing.centrelines[name]


def draw_banks(drawing: Drawing, _kind: str) -> Features:
    """Give the polygons between the banks."""
    for number, (name, area) in enumerate(drawing.banks.items(), 1):
        about = {"feature_id": f"B{number:02d}", "feature_name": f"{name}（两岸之间）"}
        yield about | {"river": drawing.rivers[name]["river"], "side": None}, area


def draw_strips(drawing: Drawing, kind: str) -> Features:
    """Draw zones that are a strip along a river."""
    for number, zone in enumerate(drawing.content["strips"][kind], 1):
        line = drawing.centrelines[zone["river"]]
        area = strip(
            drawing.banks[zone["river"]],
            zone["within_m"],
            inside=drawing.outline,
            cuts=[cut_across(line, cut["at_m"], cut["offsets"]) for cut in zone["cuts"]],
            holds=drawing.point(zone["holds"]),
        )
        about = {key: zone[key] for key in ("feature_name", "zone_type")}
        yield {"feature_id": f"Z{number:02d}", **about}, area


def draw_areas(drawing: Drawing, kind: str) -> Features:
    """Draw areas from their corners, inside the district or beyond it, off the named kinds and off each other."""
    others: list[Geometry] = []
    for number, item in enumerate(drawing.content["areas"][kind], 1):
        off = [geometry for other in item.get("keep_off", []) for geometry in drawing.taken(other)]
        drawn = rounded(drawing.xy(item["corners"]))
        if not item.get("beyond"):
            drawn = shapely.intersection(drawn, drawing.outline)
        if "within" in item:
            drawn = shapely.intersection(drawn, shapely.union_all(drawing.taken(item["within"])))
        area = take_away(drawn, [*off, *others], item.get("gap_m", 25))
        others.append(area)
        how = ("corners", "keep_off", "gap_m", "within", "beyond", "cells", "cells_from", "cell_name")
        about = {key: value for key, value in item.items() if key not in how}
        id_ = f"{kind[0].upper()}{number:02d}"
        if "cells" not in item:
            yield {"feature_id": id_, **about}, area
            continue
        for n, (own, cell) in enumerate(divided(about, area, item), 1):
            yield {"feature_id": f"{id_}-{n:02d}", **own}, cell


def draw_points(drawing: Drawing, kind: str) -> Features:
    """Place points, where asked on the nearest bank or centreline."""
    for number, item in enumerate(drawing.content["points"][kind], 1):
        place = drawing.point(item["at"])
        if "snap" in item:
            river = item.get("branch", item["river"])
            line = drawing.centrelines[river] if item["snap"] == "centreline" else drawing.banks[river].exterior
            place = line.interpolate(line.project(place))
        about = {key: value for key, value in item.items() if key not in ("at", "snap", "branch")}
        yield {"feature_id": f"{kind[0].upper()}{number:02d}", **about}, place


DRAW = {
    "district": draw_district,
    "town": draw_towns,
    "river_centreline": draw_centrelines,
    "bank_line": draw_banks,
    "territorial_space": draw_spaces,
}
DRAW_PART = {
    "areas": draw_areas,
    "divisions": draw_divisions,
    "reaches": draw_reaches,
    "spread": draw_spread,
    "strips": draw_strips,
    "unions": draw_unions,
}
