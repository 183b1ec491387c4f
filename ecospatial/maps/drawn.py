"""What is put on a map: one record per layer, its features as GeoJSON text and its legend rows.

Everything is moved to longitude and latitude, simplified and rounded here, for display only: no number shown is
computed from what this module returns. Texts are the raw ones; the page writes them as text, never as markup.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial.maps.style import legend_svg, line_options, path_options, pattern, point_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from markupsafe import Markup
    from numpy.typing import NDArray

    from ecospatial.maps.style import KindStyle, Sign

CGCS2000 = CRS.from_epsg(4490)
DECIMALS = 7  # about 1 cm
# A page of many layers stays a few megabytes, and Chromium draws it without a pause.
VERTEX_BUDGET = 40_000
_TOLERANCES_M = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
SHAPES = {0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "polygon", 6: "polygon"}


@dataclass(frozen=True, slots=True)
class LegendRow:
    """A sign, what it means and how many of it there are."""

    symbol: Markup
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One layer of the map, ready for the page."""

    key: str
    name: str
    group: str
    pane: str
    data: dict[str, Any]
    features: str
    legend: tuple[LegendRow, ...]
    schematic: bool = False
    show: bool = True
    patterns: tuple[Markup, ...] = ()
    tolerance_m: float = 0.0


@dataclass(slots=True)
class Extras:
    """What some features carry besides attributes: popup markup (escaped), badge, name by row; symbols by class."""

    popup: Sequence[str | None] | None = None
    badge: Sequence[dict[str, Any] | None] | None = None
    symbols: Sequence[Markup] | None = None
    names: Sequence[str] = field(default_factory=list)


def plain_text(value: object) -> str:
    """Turn a cell into text that UTF-8 can hold; unknown becomes empty."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).encode("utf-8", "replace").decode("utf-8")


def script_json(value: object) -> str:
    r"""Write a value as JSON that may stand inside a script element, Chinese left readable.

    Examples
    --------
    >>> script_json("</script>邹区")
    '"\\u003c/script\\u003e邹区"'
    """
    return script_safe(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def script_safe(text: str) -> str:
    """Escape JSON text for a script element: no tag, no comment, no line end that only JavaScript sees."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def simplified(geometry: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Drop vertices until the budget holds; the tolerance used is in metres of the geometry's CRS."""
    found = geometry
    for tolerance_m in _TOLERANCES_M:
        found = np.asarray(shapely.simplify(geometry, tolerance_m), dtype=object) if tolerance_m else geometry
        if shapely.get_num_coordinates(found).sum() <= VERTEX_BUDGET:
            return found, tolerance_m
    return found, _TOLERANCES_M[-1]


def degrees(geometry: NDArray[Any], source: CRS) -> NDArray[Any]:
    """Move geometries to CGCS2000 longitude and latitude, rounded for display."""
    moved = crs_room.transform(geometry, source, CGCS2000)
    return np.asarray(shapely.transform(shapely.force_2d(moved), lambda xy: np.round(xy, DECIMALS) + 0.0), dtype=object)


def anchor(geometry: NDArray[Any]) -> NDArray[Any]:
    """Give a point on each geometry where a label or a badge can stand: inside an area, half-way along a line."""
    points = np.asarray(shapely.point_on_surface(geometry), dtype=object)
    for i in np.flatnonzero(np.isin(shapely.get_type_id(geometry), (1, 5))):
        parts = shapely.get_parts(geometry[i])
        longest = parts[int(np.argmax(shapely.length(parts)))]
        points[i] = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    return points


def _lat_lon(points: NDArray[Any], source: CRS) -> list[list[float]]:
    moved = degrees(points, source)
    return np.column_stack([shapely.get_y(moved), shapely.get_x(moved)]).tolist()  # type: ignore[no-any-return]


def _labels(frame: gpd.GeoDataFrame, style: KindStyle) -> list[dict[str, Any]]:
    """Write each text once, on the largest feature that bears it."""
    if style.label is None or style.label not in frame:
        return []
    texts = frame[style.label].map(plain_text).reset_index(drop=True)
    shapes = frame.geometry.to_numpy()
    size = pd.Series(shapely.length(shapes))
    texts = texts[texts != ""]
    rows = size.loc[texts.index].groupby(texts, sort=False).idxmax().to_numpy()
    places = _lat_lon(anchor(shapes[rows]), CRS(frame.crs)) if len(rows) else []
    return [
        {"t": texts[row], "p": place, "z": style.label_zoom} for row, place in zip(rows.tolist(), places, strict=True)
    ]


def _feature_text(shapes: NDArray[Any], signs: NDArray[np.intp], attributes: list[list[str]], extras: Extras) -> str:
    lines = []
    for i, written in enumerate(shapely.to_geojson(shapes)):
        properties: dict[str, Any] = {"s": int(signs[i]), "v": attributes[i]}
        if extras.names:
            properties["n"] = extras.names[i]
        if extras.popup is not None and extras.popup[i]:
            properties["h"] = extras.popup[i]
        if extras.badge is not None and extras.badge[i]:
            properties["b"] = extras.badge[i]
        lines.append(f'{{"type":"Feature","properties":{script_json(properties)},"geometry":{written}}}')
    return "[" + ",\n".join(lines) + "]"


def drawn(
    frame: gpd.GeoDataFrame,
    *,
    key: str,
    name: str,
    group: str,
    pane: str,
    signs: Sequence[tuple[str, Sign]],
    which: NDArray[np.intp],
    columns: Sequence[tuple[str, str]] = (),
    extras: Extras | None = None,
    labels: list[dict[str, Any]] | None = None,
    schematic: bool = False,
    show: bool = True,
) -> Drawn:
    """Turn a frame into one layer of the map.

    Parameters
    ----------
    frame
        Features with geometry, in a projected CRS in metres.
    key
        ASCII name, unique on the map.
    name, group, pane
        Name in the layer control, heading in the legend, Leaflet pane.
    signs
        Label and sign of each class; ``which`` gives the class of each row.
    columns
        Column and Chinese label of what is shown of a feature.
    """
    extras = extras or Extras()
    shapes, tolerance_m = simplified(frame.geometry.to_numpy())
    cells = [frame[column].map(plain_text).tolist() for column, _ in columns]
    attributes = [list(row) for row in zip(*cells, strict=True)] if cells else [[] for _ in range(len(frame))]
    shape = SHAPES.get(int(np.max(shapely.get_type_id(shapes), initial=0)), "polygon")
    ids = [f"{key}-{i}" for i in range(len(signs))]
    used = [i for i in range(len(signs)) if (which == i).any()]
    return Drawn(
        key=key,
        name=name,
        group=group,
        pane=pane,
        data={
            "key": key,
            "pane": pane,
            "columns": [label for _, label in columns],
            "signs": [
                {
                    "path": path_options(sign, ids[i]),
                    "line": line_options(sign, wide=pane in ("sites", "conflicts")),
                    "icon": str(point_svg(sign)),
                    "size": 2 * sign.radius + 4,
                }
                for i, (_, sign) in enumerate(signs)
            ],
            "labels": labels or [],
        },
        features=_feature_text(degrees(shapes, CRS(frame.crs)), which, attributes, extras),
        legend=tuple(
            LegendRow(
                extras.symbols[i] if extras.symbols else legend_svg(signs[i][1], ids[i], shape),
                signs[i][0],
                int((which == i).sum()),
            )
            for i in used
        ),
        schematic=schematic,
        show=show,
        patterns=tuple(pattern(signs[i][1], ids[i]) for i in used if signs[i][1].hatch),
        tolerance_m=tolerance_m,
    )


def classes(frame: gpd.GeoDataFrame, style: KindStyle, label: str) -> tuple[list[tuple[str, Sign]], NDArray[np.intp]]:
    """Sort features into the classes of their kind; without a class they get the sign of the kind itself."""
    signs = [(f"{label}（{value}）", sign) for value, sign in style.signs.items()]
    signs.append((label, style.sign))
    which = np.full(len(frame), len(signs) - 1, dtype=np.intp)
    if style.by is not None and style.by in frame:
        texts = frame[style.by].map(plain_text).to_numpy()
        for i, value in enumerate(style.signs):
            which[texts == value] = i
    return signs, which


def labelled(frame: gpd.GeoDataFrame, style: KindStyle) -> list[dict[str, Any]]:
    """Give the texts that stand on the map for a kind."""
    return _labels(frame, style)


def badge_places(frame: gpd.GeoDataFrame) -> list[list[float]]:
    """Give latitude and longitude of a point on each feature."""
    return _lat_lon(anchor(frame.geometry.to_numpy()), CRS(frame.crs))
