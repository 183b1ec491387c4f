"""A study on the map: its lines, points and areas over the layers of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from ecospatial.maps.style import Hatch, Sign
from ecospatial.maps.web.overlay import Overlay, over_plan
from ecospatial.water.result import geometric

if TYPE_CHECKING:
    from collections.abc import Mapping

    import folium

    from ecospatial.water.result import StudyTable, WaterStudy

_RED, _AMBER, _BLUE, _GREEN, _GREY = "#c62828", "#ef6c00", "#1565c0", "#2e7d32", "#616161"


def _line(colour: str, weight: float, dash: str = "") -> Sign:
    return Sign(stroke=colour, weight=weight, dash=dash)


def _point(colour: str, symbol: str, radius: float = 7) -> Sign:
    return Sign(stroke="#111111", fill=colour, symbol=symbol, radius=radius)


def _area(colour: str, opacity: float, *, hatched: bool = False) -> Sign:
    hatch = Hatch(colour=colour, angle=45, spacing=7, width=1.2) if hatched else None
    return Sign(stroke=colour, weight=1.2, fill=colour, opacity=opacity, hatch=hatch)


# Drawn from the first to the last: which tables, by which column, with which sign for each of its codes.
_SIGNS: Mapping[str, tuple[str | None, Mapping[object, Sign]]] = {
    "corridors": ("certain", {True: _area(_GREEN, 0.18), False: _area("#9e9d24", 0.18, hatched=True)}),
    "loops": ("circling", {False: _area("#26a69a", 0.08), True: _area(_RED, 0.2, hatched=True)}),
    "catchments": (
        "system",
        {
            "分流": _area("#1e88e5", 0.3),
            "合流": _area(_RED, 0.35, hatched=True),
            "混流": _area(_AMBER, 0.35, hatched=True),
            None: _area(_GREY, 0.25),
        },
    ),
    "coverage": ("fault", {"blank": _area(_RED, 0.2, hatched=True), "overlap": _area("#6a1b9a", 0.35, hatched=True)}),
    "reaches": ("order", {1: _line(_BLUE, 2), 2: _line(_BLUE, 3.5), 3: _line(_BLUE, 5), None: _line(_GREY, 2.5)}),
    "parts": ("part", {1: _line("#0d47a1", 1), None: _line(_RED, 3.5)}),
    "breaks": (None, {None: _line(_AMBER, 4)}),
    "gaps": ("gap", {"reconnect": _line(_RED, 4, "8 5"), "open_end": _line("#ad1457", 4, "3 4")}),
    "ends": (
        "end",
        {
            "dead_end": _point(_RED, "square"),
            "no_outlet": _point(_AMBER, "square"),
            "source": _point(_GREEN, "triangle", 6),
            "mouth": _point(_BLUE, "diamond", 6),
            "edge": _point("#bdbdbd", "circle", 4),
        },
    ),
    "outfalls": (None, {None: _point("#ff8a65", "triangle", 5)}),
    "pipes": (
        "fault",
        {
            "adverse_slope": _line(_RED, 4),
            "step_up": _point(_RED, "diamond"),
            "dangling": _point(_AMBER, "square"),
            "misconnected": _point("#6a1b9a", "triangle"),
        },
    ),
    "repairs": (None, {None: _point("#90a4ae", "circle", 3)}),
}
# Too much for the first look: there, but switched off.
_OFF = {"corridors", "parts", "repairs", "loops", "outfalls"}
_WORDS: Mapping[tuple[str, object], str] = {
    ("corridors", True): "两岸廊道（自岸线）", ("corridors", False): "两岸廊道（自中心线加河宽，存疑）",
    ("loops", False): "水网环", ("loops", True): "流向成环", ("reaches", None): "河段（未分级）",
    ("parts", 1): "连通的主体", ("parts", None): "与主体不连通",
}  # fmt: skip


def draw(study: WaterStudy) -> folium.Map:
    """Draw a study; every text from a file is shown as typed."""
    overlays = []
    for name in _SIGNS:
        table = study.tables.get(name)
        if table is not None and geometric(table) and len(table.frame):
            overlays.append(_overlay(table))
    return over_plan(
        study.plan,
        overlays,
        group=study.title.rpartition("　")[2],
        title=study.title,
        subtitle=f"坐标系 {study.plan.crs.to_string()}",
        notices=study.notices,
    )


def _overlay(table: StudyTable) -> Overlay:
    column, signs = _SIGNS[table.name]
    codes = list(signs)
    frame = table.frame
    values = [None] * len(frame) if column is None else frame[column].tolist()
    last = len(codes) - 1
    place = {code: number for number, code in enumerate(codes)}
    top = max((code for code in codes if isinstance(code, int) and not isinstance(code, bool)), default=None)
    which = [_which(value, place, last, top if table.name == "reaches" else None) for value in values]
    shown = table.shown()
    labels = [_label(table, column, code, top) for code in codes]
    return Overlay(
        name=table.title,
        frame=gpd.GeoDataFrame(shown, geometry=frame.geometry.to_numpy(), crs=frame.crs),
        signs=[(label, signs[code]) for label, code in zip(labels, codes, strict=True)],
        which=np.array(which, dtype=np.intp),
        names=[labels[number] for number in which],
        columns=[(label, label) for label in table.labels.values()],
        pane="conflicts",
        show=table.name not in _OFF,
    )


def _which(value: object, place: Mapping[object, int], last: int, top: int | None) -> int:
    """Find the class of a value; orders above the highest that has a sign share it."""
    if top is not None and isinstance(value, int) and value > top:
        return place[top]
    return place.get(value, last)


def _label(table: StudyTable, column: str | None, code: object, top: int | None) -> str:
    if (table.name, code) in _WORDS:
        return _WORDS[table.name, code]
    if column is None:
        return table.title
    if table.name == "reaches":
        return f"河段（{code} 级{'及以上' if code == top else ''}）"
    words = table.words.get(column, {})
    return f"{table.title}（{words.get(code, '未知' if code is None else code)}）"
