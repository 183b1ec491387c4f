"""A map the size of a stamp, as SVG of a few kilobytes: which district, where in it, which colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from markupsafe import Markup

from ecospatial import model
from ecospatial.geometry.drawable import clip_shapes, simplify_shapes
from ecospatial.maps.print.plan_sheet import place_of
from ecospatial.maps.recipes import Recipe
from ecospatial.maps.style import Sign, styled
from ecospatial.maps.web import layers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks import Findings

WIDTH, HEIGHT = 240, 180
UNDRAWN = (  # a crossed frame
    f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="此图未能绘出">'
    f'<path d="M4 4H{WIDTH - 4}V{HEIGHT - 4}H4zL{WIDTH - 4} {HEIGHT - 4}M{WIDTH - 4} 4L4 {HEIGHT - 4}" fill="none" '
    'stroke="#a4000f" stroke-dasharray="6 4"/></svg>'
)
_TOLERANCE = 0.4  # pixels
_MOST = 4000  # vertices of a layer; more are not seen at this size


def thumbnail(what: Recipe | Findings) -> Markup:
    """Draw a recipe or findings as an SVG of 240 by 180 pixels, without any text."""
    with styled(what.style if isinstance(what, Recipe) else None):
        return _thumbnail(what)


def _thumbnail(what: Recipe | Findings) -> Markup:
    plan, kinds, bounds = place_of(what)
    scale = max((bounds[2] - bounds[0]) / WIDTH, (bounds[3] - bounds[1]) / HEIGHT)
    west = (bounds[0] + bounds[2] - WIDTH * scale) / 2
    north = (bounds[1] + bounds[3] + HEIGHT * scale) / 2
    window = (west, north - HEIGHT * scale, west + WIDTH * scale, north)

    def paths(shapes: NDArray[np.object_], sign: Sign) -> Markup:
        cut = simplify_shapes(clip_shapes(shapes, window), _TOLERANCE * scale)
        moved = shapely.transform(cut, lambda xy: (xy - (west, north)) / scale * (1, -1))
        return _path(moved[~shapely.is_empty(moved)], sign)

    drawn = Markup()
    if plan is not None:
        for ground in (whole.shown(window) for whole in layers.grounds(plan, kinds=kinds)):
            if ground.style.show or kinds:
                for number, (_, sign) in enumerate(ground.signs):
                    drawn += paths(ground.frame.geometry.to_numpy()[ground.which == number], sign)
    found = what.findings if isinstance(what, Recipe) else what
    if found is not None:
        shapes, answers = found.sites.geometry.to_numpy(), found.summary["headline"].astype(object).to_numpy()
        for name, headline in model.HEADLINES.items():
            sign = Sign(stroke="#111111", weight=1.2, fill=headline.colour, opacity=0.9)
            drawn += paths(np.asarray(shapes[answers == name], dtype=object), sign)
    return Markup('<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" aria-hidden="true">{body}</svg>').format(
        w=WIDTH, h=HEIGHT, body=drawn
    )


def _path(shapes: NDArray[np.object_], sign: Sign) -> Markup:
    """Write shapes as one path; points as small squares."""
    parts = shapely.get_parts(shapes)
    kinds = shapely.get_type_id(parts)
    rings: list[Any] = [*shapely.get_rings(parts[kinds == 3]), *parts[kinds == 1]]
    if sum(map(int, shapely.get_num_coordinates(rings))) > _MOST:
        rings = sorted(rings, key=shapely.length)[-_MOST // 8 :]
    areal = bool((kinds == 3).any())
    lines = "".join(_line(shapely.get_coordinates(ring), closed=areal) for ring in rings)
    lines += "".join(f"M{x - 1.5:.1f} {y - 1.5:.1f}h3v3h-3z" for x, y in shapely.get_coordinates(parts[kinds == 0]))
    if not lines:
        return Markup()
    fill = sign.fill if areal or (kinds == 0).any() else "none"
    return Markup('<path d="{}" fill="{}" fill-opacity="{}" stroke="{}" stroke-width="{:.1f}"/>').format(
        lines, fill, sign.opacity if areal else 1, sign.stroke, min(sign.weight, 2) * 0.5
    )


def _line(points: NDArray[np.float64], *, closed: bool) -> str:
    text = "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist())
    return f"M{text}{'z' if closed else ''}"
