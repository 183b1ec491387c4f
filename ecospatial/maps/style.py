"""Signs of the map: style.yaml read strictly, and each sign as SVG for the legend and the map."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ecospatial.errors import PlanError, Problem
from ecospatial.io.strict_yaml import read_yaml
from ecospatial.model import KINDS
from ecospatial.plans import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "style.yaml"
SYMBOLS = ("circle", "square", "triangle", "diamond")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|none")
_DASH = re.compile(r"\d+(\.\d+)?( \d+(\.\d+)?)*")


@dataclass(frozen=True, slots=True)
class Hatch:
    """Parallel lines over an area: angle in degrees clockwise from upright, spacing and width in pixels."""

    colour: str = "#000000"
    angle: float = 45
    spacing: float = 8
    width: float = 1


@dataclass(frozen=True, slots=True)
class Sign:
    """How one thing is drawn; lengths in pixels, opacity of the area from 0 to 1."""

    stroke: str = "#616161"
    weight: float = 1.5
    dash: str = ""
    fill: str = "none"
    opacity: float = 0.3
    hatch: Hatch | None = None
    symbol: str = "circle"
    radius: float = 6


@dataclass(frozen=True, slots=True)
class KindStyle:
    """How a kind is drawn: its sign, other signs by value of the column ``by``, its label, shown at first or not."""

    sign: Sign = field(default_factory=Sign)
    by: str | None = None
    signs: Mapping[str, Sign] = field(default_factory=dict)
    label: str | None = None
    label_zoom: float = 0
    show: bool = True
    order: int = 0


@dataclass(frozen=True, slots=True)
class Styles:
    """All of style.yaml."""

    kinds: Mapping[str, KindStyle]
    other: KindStyle
    corridor: Sign
    site: Sign
    conflict: Mapping[str, Sign]
    groups: Mapping[str, str] = field(default_factory=dict)

    def group_of(self, kind: str) -> str | None:
        """Give the heading below which a kind stands in legend and layer control."""
        return self.groups.get(kind)

    def of(self, kind: str) -> KindStyle:
        """Give the style of a kind, or that of any other."""
        return self.kinds.get(kind, self.other)


_SIGN_KEYS = frozenset(f.name for f in fields(Sign))
_HATCH_KEYS = frozenset(f.name for f in fields(Hatch))
_KIND_KEYS = frozenset({"by", "values", "label", "label_zoom", "show"})


class _Faults(list[Problem]):
    """Collects what is wrong, with the place in the file."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def say(self, place: str, problem: str) -> None:
        self.append(Problem(self.file, place, problem, "可用的键和值见该文件开头的说明"))

    def entry(self, value: Any, place: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return dict(value)
        self.say(place, "应为一组键和值")
        return {}

    def number(self, value: Any, place: str, most: float) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
            self.say(place, f"{value!r} 不是可用的数字")

    def match(self, value: Any, place: str, form: re.Pattern[str]) -> None:
        if not isinstance(value, str) or not form.fullmatch(value):
            self.say(place, f"{value!r} 的写法不对")


def _checked(given: dict[str, Any], allowed: frozenset[str], place: str, faults: _Faults) -> dict[str, Any]:
    """Refuse keys that are not known and values that may not enter a page."""
    for key in given.keys() - allowed:
        faults.say(place, f"不认识的键 {key}")
    kept = {key: value for key, value in given.items() if key in allowed}
    for key, value in kept.items():
        spot = f"{place}.{key}"
        if key in ("stroke", "fill", "colour"):
            faults.match(value, spot, _COLOUR)
        elif key == "dash":
            faults.match(value, spot, _DASH)
        elif key in ("weight", "opacity", "radius", "angle", "spacing", "width"):
            faults.number(value, spot, {"opacity": 1, "angle": 360}.get(key, 50))
        elif key == "symbol" and value not in SYMBOLS:
            faults.say(spot, f"应为 {'、'.join(SYMBOLS)} 之一")
    return kept


def _sign(given: Any, base: Sign, place: str, faults: _Faults) -> Sign:
    values = _checked(faults.entry(given, place), _SIGN_KEYS, place, faults)
    if "hatch" in values:
        spot = f"{place}.hatch"
        values["hatch"] = Hatch(**_checked(faults.entry(values["hatch"], spot), _HATCH_KEYS, spot, faults))
    return replace(base, **values)


def _kind(given: Any, place: str, order: int, faults: _Faults) -> KindStyle:
    entry = faults.entry(given, place)
    own = {key: entry.pop(key) for key in _KIND_KEYS & entry.keys()}
    sign = _sign(entry, Sign(), place, faults)
    if not isinstance(own.get("show", True), bool):
        faults.say(f"{place}.show", "应为 true 或 false")
    faults.number(own.get("label_zoom", 0), f"{place}.label_zoom", 30)
    classes = faults.entry(own.pop("values", {}), f"{place}.values")
    signs = {str(name): _sign(value, sign, f"{place}.values.{name}", faults) for name, value in classes.items()}
    return KindStyle(sign=sign, signs=signs, order=order, **own)


_OWN: ContextVar[Path | None] = ContextVar("style of a recipe", default=None)


@contextmanager
def styled(own: Path | None) -> Iterator[None]:
    """Draw within: what the file ``own`` says of a kind, of sites, conflicts or strips goes before ``style.yaml``.

    Raises
    ------
    PlanError
        A key, a kind or a value of it is not understood; all of them at once.
    """
    before = _OWN.set(own)
    try:
        read_styles()
        yield
    finally:
        _OWN.reset(before)


def read_styles() -> Styles:
    """Read ``maps/style.yaml``, and what the recipe being drawn says of its own.

    Raises
    ------
    PlanError
        A key, a kind or a value is not understood; all of them at once.
    """
    own = _OWN.get()
    # A file that was changed is read again.
    return _read(own, own.stat().st_mtime_ns if own is not None and own.is_file() else 0)


@cache
def _read(own: Path | None, _changed: int) -> Styles:
    content = read_yaml(data_folder("maps") / FILE, PlanError)
    faults = _Faults(FILE if own is None else own.name)
    given = faults.entry(content, "")
    kinds = faults.entry(given.get("kinds"), "kinds")
    if own is not None:
        more = faults.entry(read_yaml(own, PlanError), "")
        kinds |= faults.entry(more.pop("kinds", {}), "kinds")
        conflict = faults.entry(given.get("conflict"), "conflict") | faults.entry(more.pop("conflict", {}), "conflict")
        given |= more | {"conflict": conflict}
    for name in [name for name in kinds if name not in KINDS]:
        faults.say("kinds", f"没有 {name} 这种图层")
    known = {"kinds", "groups", "other", "corridor", "site", "conflict"}
    for name in given.keys() ^ known:
        faults.say("", f"{'缺少' if name in known else '不认识的'}键 {name}")
    styles = Styles(
        kinds={name: _kind(kinds[name], f"kinds.{name}", i, faults) for i, name in enumerate(kinds)},
        other=_kind(given.get("other"), "other", len(kinds), faults),
        corridor=_sign(given.get("corridor"), Sign(), "corridor", faults),
        site=_sign(given.get("site"), Sign(), "site", faults),
        conflict={
            str(name): _sign(value, Sign(), f"conflict.{name}", faults)
            for name, value in faults.entry(given.get("conflict"), "conflict").items()
        },
        groups=_groups(given.get("groups"), faults),
    )
    if faults:
        raise PlanError(faults)
    return styles


def _groups(given: Any, faults: _Faults) -> dict[str, str]:
    """Turn heading -> kinds into kind -> heading."""
    found: dict[str, str] = {}
    for heading, kinds in faults.entry(given, "groups").items():
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if kind not in KINDS or kind in found:
                faults.say(f"groups.{heading}", f"{kind} 不是图层种类，或出现两次")
            else:
                found[kind] = str(heading)
    return found


# ----------------------------------------------------------------------------------------------- SVG


def pattern(sign: Sign, name: str) -> Markup:
    """Give the SVG pattern of a hatched area; nothing for a plain one."""
    hatch = sign.hatch
    if hatch is None:
        return Markup()
    ground = Markup()
    if sign.fill != "none":
        ground = Markup('<rect width="{0}" height="{0}" fill="{1}" fill-opacity="{2}"/>').format(
            hatch.spacing, sign.fill, sign.opacity
        )
    return Markup(
        '<pattern id="{name}" width="{s}" height="{s}" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate({angle})">{ground}'
        '<path d="M{x} 0V{s}" stroke="{colour}" stroke-width="{width}"/></pattern>'
    ).format(
        name=name, s=hatch.spacing, angle=hatch.angle, ground=ground, x=hatch.spacing / 2, colour=hatch.colour,
        width=hatch.width,
    )  # fmt: skip


def hatch_options(sign: Sign) -> dict[str, Any]:
    """Give the hatch of a sign for a canvas, where patterns are drawn by the page."""
    hatch = sign.hatch or Hatch()
    ground = None if sign.fill == "none" else sign.fill
    return {
        "colour": hatch.colour, "angle": hatch.angle, "spacing": hatch.spacing, "width": hatch.width,
        "fill": ground, "opacity": sign.opacity,
    }  # fmt: skip


def path_options(sign: Sign, name: str) -> dict[str, Any]:
    """Give the sign as Leaflet path options; ``name`` is the id of its pattern."""
    line = line_options(sign)
    if sign.hatch is not None:
        return line | {"fill": True, "fillColor": f"url(#{name})", "fillOpacity": 1}
    if sign.fill != "none":
        return line | {"fill": True, "fillColor": sign.fill, "fillOpacity": sign.opacity}
    return line


def line_options(sign: Sign, *, wide: bool = False) -> dict[str, Any]:
    """Give the sign for a line; a site or conflict that is a line is drawn wide, in the colour of its area."""
    if wide:
        return {"color": sign.fill, "weight": sign.weight + 4, "dashArray": None, "opacity": 0.85, "fill": False}
    dash = sign.dash or None
    return {"color": sign.stroke, "weight": sign.weight, "dashArray": dash, "opacity": 1, "fill": False}


_OUTLINES = {
    "circle": "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    "square": "M-.9-.9H.9V.9H-.9z",
    "triangle": "M0-1.1L1 .8H-1z",
    "diamond": "M0-1.15L1 0L0 1.15L-1 0z",
}


def point_svg(sign: Sign) -> Markup:
    """Draw the sign of a point."""
    size = 2 * sign.radius + 4
    return Markup(
        '<svg width="{w}" height="{w}" viewBox="{v} {v} {w} {w}" aria-hidden="true">'
        '<path transform="scale({r})" d="{d}" fill="{fill}" stroke="{stroke}" stroke-width="1.5" '
        'vector-effect="non-scaling-stroke"/></svg>'
    ).format(w=size, v=-size / 2, r=sign.radius, d=_OUTLINES[sign.symbol], fill=sign.fill, stroke=sign.stroke)


def badge_svg(letter: str, colour: str) -> Markup:
    """Draw the round badge of a verdict."""
    return Markup(
        '<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8.5" fill="{}" '
        'stroke="#111" stroke-width="1.5"/><text x="10" y="14" font-family="Arial, sans-serif" font-size="11" '
        'font-weight="700" text-anchor="middle">{}</text></svg>'
    ).format(colour, letter)


def legend_svg(sign: Sign, name: str, shape: str) -> Markup:
    """Draw the sign as it stands in the legend; ``shape`` is polygon, line or point."""
    if shape == "point":
        return point_svg(sign)
    dash = sign.dash or "none"
    if shape == "line":
        return Markup(
            '<svg width="30" height="18" aria-hidden="true">'
            '<path d="M1 9H29" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/></svg>'
        ).format(sign.stroke, max(sign.weight, 1.5), dash)
    options = path_options(sign, name)
    return Markup(
        '<svg width="30" height="18" aria-hidden="true"><rect x="2" y="2" width="26" height="14" fill="{}" '
        'fill-opacity="{}" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/></svg>'
    ).format(options.get("fillColor", "none"), options.get("fillOpacity", 0), sign.stroke, min(sign.weight, 2), dash)
