"""A sheet of paper in millimetres that signs, lines and texts are put on, and its SVG: the same input, the same bytes.

Every text is drawn as outlines, so that it looks the same on a computer without Chinese fonts. The outlines of the
characters are handed out apart from the drawing: many maps on one page share them.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import shapely
from matplotlib import style
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

from ecospatial.geometry.drawable import intersect_shapes, unite_shapes
from ecospatial.maps.print.fonts import OTHER, drawable
from ecospatial.maps.web.layer import SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from ecospatial.maps.style import Hatch, Sign

PT = 72 / 25.4  # points in a millimetre
PIXEL_MM = 0.2  # a pixel of style.yaml on paper: lines a little finer than on the screen (0.26 mm)
INK = "#1f2328"
SVG = "http://www.w3.org/2000/svg"
_MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}
_OWN_ID = re.compile(r"[a-z][0-9a-f]{10}")  # what matplotlib names by a hash; other ids are those of characters
_NUMBER = re.compile(r"-?\d+\.\d+")
# A word of ASCII or one letter; no line ends with an opening bracket or begins with a closing one.
_PIECE = re.compile(r"[（《“]?(?:[!-~]{1,24} ?|.)[，。、；：）》”]*")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@cache
def _advance(family: str, letter: str) -> float:
    """Measure a character of one point, in points."""
    font = FontProperties(family=[family, OTHER], size=100)
    # Between two others, because a measured text ends at the ink of its last character.
    around, alone = (text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
                     for text in (f"|{letter}|", "||"))  # fmt: skip
    return float(around - alone) / 100


@dataclass(frozen=True, slots=True)
class SvgFragment:
    """An SVG element as text, and the characters it needs: id and outline."""

    body: str
    glyphs: Mapping[str, str]

    def standalone(self) -> str:
        """Give the SVG with its characters, for a file of its own."""
        return self.body.replace(">", f">{glyph_definitions(self.glyphs)}", 1)


def glyph_definitions(glyphs: Mapping[str, str]) -> str:
    """Write characters as the definitions of an SVG.

    Examples
    --------
    >>> glyph_definitions({"A-41": "M0 0L1 1z"})
    '<defs><path id="A-41" d="M0 0L1 1z" transform="scale(0.015625)"/></defs>'
    """
    paths = (f'<path id="{name}" d="{d}" transform="scale(0.015625)"/>' for name, d in sorted(glyphs.items()))
    return f"<defs>{''.join(paths)}</defs>"


def outline(geometry: NDArray[np.object_]) -> Path:
    """Turn polygons or lines into one path; holes run the other way round, so that they stay empty."""
    parts = shapely.get_parts(geometry)
    parts = parts[~shapely.is_empty(parts)]
    areal = shapely.get_type_id(parts) == 3
    rings = [shapely.get_rings(part) for part in shapely.orient_polygons(parts[areal])]
    lines = [*(ring for own in rings for ring in own), *parts[~areal]]
    vertices, codes = [], []
    for number, line in enumerate(lines):
        points = shapely.get_coordinates(line)
        code = np.full(len(points), Path.LINETO, dtype=Path.code_type)
        code[0] = Path.MOVETO
        if number < len(lines) - int((~areal).sum()):
            code[-1] = Path.CLOSEPOLY
        vertices.append(points)
        codes.append(code)
    if not vertices:
        return Path(np.empty((0, 2)))
    return Path(np.concatenate(vertices), np.concatenate(codes))


def hatch_lines(area: Any, hatch: Hatch) -> Any:
    """Give the lines of a hatch inside an area, both in millimetres of paper."""
    angle = np.radians(hatch.angle)  # clockwise from upright
    along, across = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])
    west, south, east, north = shapely.bounds(area)
    corners = np.array([(west, south), (west, north), (east, south), (east, north)])
    spacing = hatch.spacing * PIXEL_MM
    steps = np.arange(np.ceil((corners @ across).min() / spacing), np.floor((corners @ across).max() / spacing) + 1)
    first, last = (corners @ along).min(), (corners @ along).max()
    starts = steps[:, None] * spacing * across
    ends = np.stack([starts + first * along, starts + last * along], axis=1)
    return intersect_shapes(np.array([shapely.MultiLineString(list(ends))], dtype=object), area)[0]


def house_settings() -> AbstractContextManager[None]:
    """Give the settings of matplotlib to draw within: its own defaults, whatever the user has set, and ours."""
    ours: Any = {
        "svg.fonttype": "path", "svg.hashsalt": "ecospatial", "lines.scale_dashes": False, "path.simplify": False,
    }  # fmt: skip
    return style.context(["default", ours])


class Sheet:
    """Paper with its origin at the lower left, x to the right, y up, all in millimetres; later things lie on top."""

    def __init__(self, width_mm: float, height_mm: float, *, family: str) -> None:
        self.family = family
        self.figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), facecolor="none")
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width_mm), ylim=(0, height_mm))
        self.axes.set_axis_off()
        self._order = 0

    def _add(self, artist: Any, inside: Rectangle | None) -> None:
        self._order += 1
        artist.set_zorder(self._order)
        self.axes.add_artist(artist)
        if inside is not None:
            artist.set_clip_path(inside)

    def frame(self, corner_mm: tuple[float, float], size_mm: tuple[float, float]) -> Rectangle:
        """Give a rectangle that other things can be drawn inside of."""
        return Rectangle(corner_mm, *size_mm, transform=self.axes.transData)

    def rectangle(self, corner_mm: tuple[float, float], size_mm: tuple[float, float], **look: Any) -> None:
        """Draw a rectangle; ``look`` is matplotlib's."""
        self._add(Rectangle(corner_mm, *size_mm, **look), None)

    def polygon(self, points_mm: Sequence[tuple[float, float]], **look: Any) -> None:
        """Draw a filled polygon; ``look`` is matplotlib's."""
        closed = np.array([*points_mm, points_mm[0]])
        self._add(PathPatch(outline(np.array([shapely.Polygon(closed)])), **look), None)

    def shapes(self, geometry: NDArray[np.object_], sign: Sign, *, inside: Rectangle, wide: bool = False) -> None:
        """Draw geometries, in millimetres, with a sign of style.yaml.

        Parameters
        ----------
        geometry
            Points, lines and polygons; each kind is drawn in its own way.
        sign
            Colours, widths, dashes, hatch and symbol.
        inside
            What lies outside of it is cut off.
        wide
            Lines are drawn wide, in the colour of the area, as sites are.
        """
        parts = shapely.get_parts(geometry)
        kinds = np.array([SHAPES.get(number, "") for number in shapely.get_type_id(parts).tolist()], dtype=object)
        width = sign.weight * PIXEL_MM * PT
        dashes = [float(step) * PIXEL_MM * PT for step in sign.dash.split()]
        pattern: Any = (0, dashes) if dashes else "solid"
        if (kinds == "polygon").any():
            self._area(parts[kinds == "polygon"], sign, width, pattern, inside)
        if (kinds == "line").any():
            look: dict[str, Any] = {"edgecolor": sign.stroke, "linewidth": width, "linestyle": pattern}
            if wide:
                look = {"edgecolor": sign.fill, "linewidth": width + 4 * PIXEL_MM * PT, "alpha": 0.85}
            self._add(PathPatch(outline(parts[kinds == "line"]), facecolor="none", **look), inside)
        if (kinds == "point").any():
            self._points(shapely.get_coordinates(parts[kinds == "point"]), sign, inside)

    def _area(self, areas: NDArray[np.object_], sign: Sign, width: float, pattern: Any, inside: Rectangle) -> None:
        path = outline(areas)
        if sign.fill != "none":
            self._add(PathPatch(path, facecolor=to_rgba(sign.fill, sign.opacity), edgecolor="none"), inside)
        if sign.hatch is not None:
            lines = shapely.get_parts(shapely.get_parts(hatch_lines(unite_shapes(areas), sign.hatch)))
            lines = lines[shapely.get_type_id(lines) == 1]
            look = {"edgecolor": sign.hatch.colour, "linewidth": sign.hatch.width * PIXEL_MM * PT}
            self._add(PathPatch(outline(lines), facecolor="none", **look), inside)
        self._add(PathPatch(path, facecolor="none", edgecolor=sign.stroke, linewidth=width, linestyle=pattern), inside)

    def _points(self, points: NDArray[np.float64], sign: Sign, inside: Rectangle) -> None:
        made = self.axes.plot(
            points[:, 0], points[:, 1], linestyle="none", marker=_MARKERS[sign.symbol],
            markersize=2 * sign.radius * PIXEL_MM * PT * 0.85, markerfacecolor=sign.fill, markeredgecolor=sign.stroke,
            markeredgewidth=1.2 * PIXEL_MM * PT,
        )[0]  # fmt: skip
        self._order += 1
        made.set_zorder(self._order)
        made.set_clip_path(inside)

    def lines(self, geometry: NDArray[np.object_], *, inside: Rectangle | None = None, **look: Any) -> None:
        """Draw lines as they are; ``look`` is matplotlib's."""
        self._add(PathPatch(outline(geometry), facecolor="none", **look), inside)

    def clean(self, value: object) -> str:
        """Give a text as it will be drawn."""
        return drawable(value, self.family)

    def width(self, text: str, size: float) -> float:
        """Measure a text of that size (points) in millimetres."""
        return sum(_advance(self.family, letter) for letter in text) * size / PT

    def shortened(self, text: str, size: float, most_mm: float) -> str:
        """Cut a text that is too long for its place, and show by an ellipsis that it was cut."""
        if self.width(text, size) <= most_mm:
            return text
        text = text[:200]  # longer than any line on paper
        while text and self.width(text + "…", size) > most_mm:
            text = text[:-1]
        return text + "…"

    def wrapped(self, text: str, size: float, most_mm: float) -> list[str]:
        """Break a text into lines that fit: Chinese between any two characters, other words only when too long."""
        lines = [""]
        for piece in _PIECE.findall(text[:400]):
            if lines[-1] and self.width(lines[-1] + piece.rstrip(), size) > most_mm:
                lines.append("")
            for letter in piece:
                if lines[-1] and self.width(lines[-1] + letter, size) > most_mm:
                    lines.append("")
                lines[-1] += letter
        return [line.strip() for line in lines]

    def text(self, place_mm: tuple[float, float], text: str, size: float, **look: Any) -> None:
        """Write a clean text; nothing in it is read as mathematics."""
        # On the figure and not on the axes: it needs no clipping, and lies above all signs.
        self.figure.text(
            *place_mm, text, fontsize=size, family=[self.family, OTHER], parse_math=False,
            transform=self.axes.transData, **({"color": INK, "ha": "left", "va": "baseline"} | look),
        )  # fmt: skip

    def drawing(self, prefix: str, label: str) -> SvgFragment:
        """Give the SVG.

        Parameters
        ----------
        prefix
            ASCII; begins all ids of the drawing, so that several can stand on one page.
        label
            What a screen reader says.
        """
        written, nothing = io.StringIO(), {"Date": None, "Creator": None, "Format": None, "Type": None}
        self.figure.savefig(written, format="svg", metadata=nothing)
        return _tidied(written.getvalue(), prefix, label)

    def picture(self, form: str, *, dpi: int = 200) -> bytes:
        """Give the sheet as ``png`` (white where nothing is drawn) or ``pdf`` (vectors); no time stands in it."""
        written = io.BytesIO()
        nothing = {"Software": None} if form == "png" else {"Creator": None, "Producer": None, "CreationDate": None}
        self.figure.savefig(written, format=form, dpi=dpi, metadata=nothing, facecolor="white")
        return written.getvalue()


def _tidied(written: str, prefix: str, label: str) -> SvgFragment:
    """Keep what is needed of matplotlib's SVG: no comments, styles, unused ids, line ends or needless decimals."""
    root = ET.fromstring(written)  # noqa: S314 - what matplotlib wrote a moment ago
    glyphs: dict[str, str] = {}
    used = set(_REFERENCE.findall(written)) | set(re.findall(r'href="#([^"]+)"', written))
    for parent in list(root.iter()):
        for child in list(parent):
            name = child.get("id", "")
            if child.tag == f"{{{SVG}}}style" or child.tag.endswith("metadata"):
                parent.remove(child)
            elif parent.tag == f"{{{SVG}}}defs" and name and not _OWN_ID.fullmatch(name):
                glyphs[f"g-{name}"] = _compact(child.get("d", ""), decimals=0)
                parent.remove(child)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}defs" and len(child) == 0:
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        element.text = element.tail = None
        _rename(element, prefix, used)
    width, height = (float(root.get(side, "0pt").removesuffix("pt")) / PT for side in ("width", "height"))
    root.attrib = {
        "xmlns": SVG, "width": f"{width:.6g}mm", "height": f"{height:.6g}mm", "viewBox": root.get("viewBox", ""),
        "role": "img", "aria-label": label, "style": "stroke-linejoin:round;stroke-linecap:butt",
    }  # fmt: skip
    return SvgFragment(ET.tostring(root, encoding="unicode"), glyphs)


def _rename(element: ET.Element, prefix: str, used: set[str]) -> None:
    name = element.attrib.pop("id", None)
    if name is not None and name in used:
        element.set("id", f"{prefix}-{name}")
    for key in list(element.attrib):
        value = element.attrib[key]
        if key.endswith("href"):
            del element.attrib[key]
            name = value.removeprefix("#")
            element.set("href", f"#{prefix}-{name}" if _OWN_ID.fullmatch(name) else f"#g-{name}")
        elif key == "d":
            element.set(key, _compact(value, decimals=2))
        else:
            element.set(key, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _compact(d: str, *, decimals: int) -> str:
    def shorter(match: re.Match[str]) -> str:
        number = f"{round(float(match.group()), decimals) + 0.0:.{decimals}f}"  # + 0.0: no "-0"
        return number.rstrip("0").rstrip(".") if "." in number else number

    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(_NUMBER.sub(shorter, d).split()))
