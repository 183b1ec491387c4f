"""What is put on a map: one record per layer, its features as short text and its legend rows.

Everything is moved to longitude and latitude, simplified and rounded here, for display only: no number shown is
computed from what this module returns. Texts are the raw ones; the page writes them as text, never as markup.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial.maps.style import hatch_options, legend_svg, line_options, path_options, pattern, point_svg
from ecospatial.maps.web._delta import CGCS2000, coded, degrees, places_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from markupsafe import Markup
    from numpy.typing import NDArray

    from ecospatial.maps.style import KindStyle, Sign

__all__ = ["CGCS2000", "SHAPES", "Extras", "LegendRow", "MapLayer", "drawn"]

# How far a line may be moved, said in the notices, by the zoom up to which a layer is good; at 20 it is 6 cm.
_TOLERANCE_M = {20: 0.0, 18: 0.5, 16: 1.0}
WIDE = ("sites", "conflicts")  # panes whose lines are drawn wide, in the colour of their areas
SHAPES = {0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "polygon", 6: "polygon"}


@dataclass(frozen=True, slots=True)
class LegendRow:
    """A sign, what it means and how many of it there are."""

    symbol: Markup
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class MapLayer:
    """One layer of the map, ready for the page: ``data`` is what the script reads (see map.js)."""

    key: str
    name: str
    group: str
    pane: str
    data: dict[str, Any]
    legend: tuple[LegendRow, ...]
    schematic: bool = False
    show: bool = True
    patterns: tuple[Markup, ...] = ()
    tolerance_m: float = 0.0
    vertices: int = 0

    @property
    def features(self) -> int:
        """How many features it has."""
        return int(self.data["shapes"]["n"])


@dataclass(slots=True)
class Extras:
    """What features carry besides attributes: a title each or for all, findings, badges; symbols by class.

    ``badges`` holds by feature the place of its headline in ``model.HEADLINES``, of its certainty in
    ``model.CERTAINTIES`` and its text; ``told`` the findings of each (see ``popups.findings_data``).
    """

    titles: Sequence[str] | str = ""
    badges: dict[str, Any] | None = None
    told: dict[str, Any] | None = None
    symbols: Sequence[Markup] | None = None


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


def anchor(geometry: NDArray[Any]) -> NDArray[Any]:
    """Give a point on each geometry where a label or a badge can stand: inside an area, half-way along a line."""
    points = np.asarray(shapely.point_on_surface(geometry), dtype=object)
    for i in np.flatnonzero(np.isin(shapely.get_type_id(geometry), (1, 5))):
        parts = shapely.get_parts(geometry[i])
        longest = parts[int(np.argmax(shapely.length(parts)))]
        points[i] = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    return points


def _lat_lon(points: NDArray[Any], source: CRS) -> list[list[float]]:
    moved = degrees(shapely.get_coordinates(points), source).round(7)
    return moved[:, ::-1].tolist()  # type: ignore[no-any-return]


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


def column_data(values: Sequence[Any]) -> Any:
    """Write a column: as it is, as one value where all are the same, or as different values and their places.

    Examples
    --------
    >>> column_data(["a", "b"]), column_data(["a", "a"]), column_data(["a", "a", "b", "a", "b"])
    (['a', 'b'], 'a', {'u': ['a', 'b'], 'i': [0, 0, 1, 0, 1]})
    """
    different = {value: place for place, value in enumerate(dict.fromkeys(values))}
    if len(different) == 1:
        return next(iter(different))
    if 2 * len(different) < len(values):
        return {"u": list(different), "i": [different[value] for value in values]}
    return list(values)


def _sign_data(sign: Sign, name: str, *, wide: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "path": path_options(sign, name), "line": line_options(sign, wide=wide), "icon": str(point_svg(sign)),
        "size": 2 * sign.radius + 4, "spot": [sign.radius, sign.stroke, sign.fill],
    }  # fmt: skip
    return data if sign.hatch is None else data | {"hatch": hatch_options(sign)}


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
) -> MapLayer:
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
    shapes = frame.geometry.to_numpy()
    text = coded(shapes, CRS(frame.crs))
    shape = SHAPES.get(int(np.max(shapely.get_type_id(shapes), initial=0)), "polygon")
    ids = [f"{key}-{i}" for i in range(len(signs))]
    used = [i for i in range(len(signs)) if (which == i).any()]
    data: dict[str, Any] = {
        "key": key, "name": name, "group": group, "pane": pane, "show": show,
        "columns": [label for _, label in columns],
        "values": [column_data(frame[column].map(plain_text).tolist()) for column, _ in columns],
        "titles": extras.titles if isinstance(extras.titles, str) else column_data(extras.titles),
        "signs": [_sign_data(sign, ids[i], wide=pane in WIDE) for i, (_, sign) in enumerate(signs)],
        "which": column_data(which.tolist()),
        "labels": labels or [],
        "shapes": {"n": len(frame), "z": text.zoom, "e": text.decimals, "p": text.parts, "c": text.vertices},
    }  # fmt: skip
    if extras.badges is not None:
        data["badges"] = extras.badges | {"c": places_text(degrees(_anchors(shapes), CRS(frame.crs)))}
    if extras.told is not None:
        data["told"] = extras.told
    return MapLayer(
        key=key,
        name=name,
        group=group,
        pane=pane,
        data=data,
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
        tolerance_m=_TOLERANCE_M[text.zoom],
        vertices=text.count,
    )


def _anchors(shapes: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(anchor(shapes)))


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
