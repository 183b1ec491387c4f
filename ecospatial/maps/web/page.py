"""The page around a map: one file, nothing fetched, no script but ours, the same bytes every time.

Two habits of folium and branca are avoided on purpose. Their elements carry random ids; ours have names. And branca
compiles what an element rendered as a template once more, so that a name like ``{{7*7}}`` in a file would be run as
program text; what comes from data is therefore put into the page by ``_Text``, which is never compiled.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folium
import jinja2
from branca.element import Element, Figure

from ecospatial import crs as crs_room
from ecospatial import model
from ecospatial.maps.print.extent import crs_words
from ecospatial.maps.web.layer import script_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyproj import CRS

    from ecospatial.maps.web.basemaps import Basemap
    from ecospatial.maps.web.layer import MapLayer

MAP_ID = "ecospatial"
UNTOUCHED = "未触及"
SCRIPTS = ("map_data.js", "map.js", "map_tools.js")
CGCS2000_FLATTENING = 298.257222101  # its inverse; that of WGS 84 differs by 0.1 mm on the ground
# Beyond these a canvas draws faster than elements of the page, one for each shape.
CANVAS_FEATURES, CANVAS_VERTICES = 2000, 60_000
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_CSS_URL = re.compile(r"url\(images/([\w.-]+)\)")
_LEAFLET_LINK = re.compile(r'<a href="https://leafletjs\.com"[^>]*>')


class _Text(Element):
    """Text put into the page as it is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **kwargs: Any) -> str:  # noqa: ARG002 - branca's signature
        return self.text


def _to_script(element: Element, text: str) -> str:
    root: Any = element.get_root()
    root.script.add_child(_Text(text), name=element.get_name())
    return ""


class _Layer(Element):
    """A layer of ours: its data, read by map.js."""

    def __init__(self, layer: MapLayer) -> None:
        super().__init__()
        self._name, self._id, self.layer = "Layer", layer.key.replace("-", "_"), layer

    def render(self, **kwargs: Any) -> str:  # noqa: ARG002 - branca's signature
        return _to_script(self, f"ecospatial.layer(map_{MAP_ID}, {script_json(self.layer.data)});")


class _Call(Element):
    """A step of map.js: ``start`` before the layers, ``finish`` after them."""

    def __init__(self, step: str, data: Any) -> None:
        super().__init__()
        self._name, self._id, self.step, self.data = step.title(), "ecospatial", step, data

    def render(self, **kwargs: Any) -> str:  # noqa: ARG002 - branca's signature
        return _to_script(self, f"ecospatial.{self.step}(map_{MAP_ID}, {script_json(self.data)});")


class _Map(folium.Map):
    """A folium map that asks for none of folium's outside files."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - as folium has it
    default_css: list[tuple[str, str]] = []  # noqa: RUF012 - as folium has it


class _Page(Figure):
    """The whole page; sealed by a content security policy that names its scripts by their hash."""

    hosts: tuple[str, ...] = ()

    def render(self, **kwargs: Any) -> str:
        self.script._children.clear()  # noqa: SLF001 - folium adds some under random names each time it renders
        return sealed(super().render(**kwargs), self.hosts)


def sealed(page: str, hosts: Sequence[str] = ()) -> str:
    """Add the policy: the scripts that stand here may run, nothing else may run or be fetched but pictures of hosts."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in dict.fromkeys(_SCRIPT.findall(page))
    )
    pictures = " ".join(["data:", *hosts])
    policy = f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; script-src {hashes}"
    return page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@cache
def leaflet() -> tuple[str, str]:
    """Give the style sheet and the script of Leaflet as the XStatic package carries them, free of references.

    Raises
    ------
    OSError
        The package is damaged.
    """
    from xstatic.pkg import leaflet as package

    folder = Path(package.BASE_DIR)

    def inline(match: re.Match[str]) -> str:
        image = (folder / "images" / match.group(1)).read_bytes()
        return f"url(data:image/png;base64,{base64.b64encode(image).decode()})"

    css = _CSS_URL.sub(inline, _unix((folder / "leaflet.css").read_text(encoding="utf-8")))
    script = _unix((folder / "leaflet.js").read_text(encoding="utf-8"))
    # The attribution links to the home page of Leaflet; a link out of this page is a reference too.
    script = _LEAFLET_LINK.sub("<span>", script).partition("//# sourceMappingURL")[0]
    return css, script


def _template(name: str) -> str:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("ecospatial"), autoescape=False)  # noqa: S701 - our own files, no data
    return _unix(environment.get_template(name).render())


def _frame(**values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("map_frame.html").render(**values)


def _grid(crs: CRS | None, bounds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Give the grid whose metres are told: that of the plan, else the zone of three degrees of the place."""
    # Of a place outside of China, as a wrong CRS makes it, the nearest zone there is.
    zone = crs_room.gauss_kruger(min(max(round((bounds[0][1] + bounds[1][1]) / 6), 25), 45))
    own = None if crs is None else crs.coordinate_operation
    if crs is None or own is None or own.method_name != "Transverse Mercator":
        return _grid(zone, bounds)
    values = {parameter.name: float(parameter.value) for parameter in own.params}
    meridian, east = values["Longitude of natural origin"], values["False easting"]
    off = abs(values["Latitude of natural origin"]) + abs(values["False northing"])
    off += abs(values["Scale factor at natural origin"] - 1)
    flattening = 0.0 if crs.ellipsoid is None else crs.ellipsoid.inverse_flattening
    if off > 0 or abs(flattening - CGCS2000_FLATTENING) > 1e-4:
        return _grid(zone, bounds)
    return {"meridian": meridian, "east": east, "label": crs_words(crs)}


def _config(layers: Sequence[MapLayer], grid: dict[str, Any], base: Basemap | None) -> dict[str, Any]:
    features, vertices = sum(layer.features for layer in layers), sum(layer.vertices for layer in layers)
    verdicts = [
        # Of one rule: "通过" is said of a site and its headline only.
        {"label": UNTOUCHED if v.value == "clear" else v.label, "letter": v.letter, "colour": v.colour}
        for v in model.VERDICTS.values()
    ]
    config: dict[str, Any] = {
        "verdicts": verdicts,
        "headlines": [{"label": h.label, "letter": h.letter, "colour": h.colour} for h in model.HEADLINES.values()],
        "certainties": list(model.CERTAINTIES.values()),
        "answerers": list(model.OPEN_BY.values()),
        "grid": grid,
        "canvas": features > CANVAS_FEATURES or vertices > CANVAS_VERTICES,
        "gcj02": base is not None and base.gcj02,
    }
    if base is not None:
        config["base"] = {
            "label": base.label, "urls": base.urls, "subdomains": base.subdomains, "most": base.most_zoom,
            "credit": base.credit,
        }  # fmt: skip
    return config


def assemble(
    layers: Sequence[MapLayer],
    bounds: Sequence[Sequence[float]],
    *,
    title: str,
    heading: dict[str, Any],
    crs: CRS | None = None,
    base: Basemap | None = None,
) -> folium.Map:
    """Put layers, heading, legend and assets together.

    Parameters
    ----------
    layers
        Lowest first.
    bounds
        South-west and north-east corner, latitude first, degrees.
    title
        Of the browser window.
    heading
        What ``map_frame.html`` shows besides the legend.
    crs
        Whose metres are told under the pointer.
    base
        The base map below.
    """
    page = _Page(title=html.escape(title))
    page.hosts = () if base is None else base.hosts
    css, script = leaflet()
    page.header.add_child(_Text(f"<style>{css}</style><style>{_template('map.css')}</style>"), name="ecospatial_css")
    scripts = [script, *map(_template, SCRIPTS)]
    page.header.add_child(_Text("".join(f"<script>{text}</script>" for text in scripts)), name="ecospatial_js")
    groups = list(dict.fromkeys(layer.group for layer in reversed(layers)))
    legend = [(group, [layer for layer in reversed(layers) if layer.group == group]) for group in groups]
    patterns = [pattern for layer in layers for pattern in layer.patterns]
    told = heading | {"credit": "" if base is None else base.credit}
    page.html.add_child(_Text(_frame(legend=legend, patterns=patterns, **told)), name="ecospatial_frame")
    centre = [(bounds[0][0] + bounds[1][0]) / 2, (bounds[0][1] + bounds[1][1]) / 2]
    drawing = _Map(
        location=centre, tiles=None, zoom_start=12, min_zoom=7, max_zoom=20, font_size="13px",
        zoom_snap=0.25, attribution_control=False, zoom_delta=0.5, wheel_px_per_zoom_level=90,
    )  # fmt: skip
    drawing._id = MAP_ID  # noqa: SLF001 - folium draws ids at random; the same input must give the same page
    page.add_child(drawing, name="ecospatial_map")
    drawing.add_child(_Call("start", _config(layers, _grid(crs, bounds), base)), name="ecospatial_start")
    for layer in layers:
        drawing.add_child(_Layer(layer), name=layer.key)
    drawing.add_child(_Call("finish", bounds), name="ecospatial_finish")
    return drawing
