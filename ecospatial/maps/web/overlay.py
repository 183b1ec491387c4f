"""Frames of one's own over the layers of a plan: what an audit or a base map shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial import model
from ecospatial.maps.disclosure import Box, outline
from ecospatial.maps.faults import draw_or_tell, undrawn_notices
from ecospatial.maps.web import layers as layers_
from ecospatial.maps.web.layer import CGCS2000, Extras, MapLayer, drawn, plain_text
from ecospatial.plans import disclosure_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import folium
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.maps.style import Sign
    from ecospatial.plans import Plan

PRESENT_WORDS = {"missing": "未取得", "none": "本区不存在", "held": "不可用"}


@dataclass(frozen=True, slots=True)
class Overlay:
    """A frame to draw: its signs with their labels, the sign and the name of each row, what a click shows.

    The frame is in a projected CRS; ``columns`` are pairs of column and Chinese label. ``derived``: its borders are
    those of layers of the plan, and may tell no more than these (see ``sharing``).
    """

    name: str
    frame: gpd.GeoDataFrame
    signs: Sequence[tuple[str, Sign]]
    which: NDArray[np.intp]
    names: Sequence[str]
    columns: Sequence[tuple[str, str]] = ()
    pane: str = "conflicts"
    show: bool = True
    derived: bool = False


def over_plan(
    plan: Plan,
    overlays: Sequence[Overlay],
    *,
    group: str,
    title: str,
    subtitle: str,
    notices: Sequence[str],
    on: dt.date | None = None,
) -> folium.Map:
    """Draw frames over the layers of a plan, zoomed to its district.

    Parameters
    ----------
    plan
        The plan.
    overlays
        What is drawn over it, lowest first; empty ones are left out.
    group
        Heading of the overlays in the legend.
    title, subtitle, notices
        What stands above the map.
    on
        The day whose layers are drawn.

    Returns
    -------
    folium.Map
        Carries all it needs; every text from a file is shown as typed.
    """
    from ecospatial.maps.web.page import assemble

    page, corners = _bounds(plan)
    failed: list[str] = []
    layers = layers_.plan_layers(plan, on=on, page=page, failed=failed)
    for number, overlay in enumerate(overlays):
        if len(overlay.frame):
            make = partial(_overlay, overlay, plan, page, f"overlay-{number}", group)
            layers += draw_or_tell(plain_text(overlay.name), make, failed)
    heading: dict[str, Any] = {
        "title": plain_text(title),
        "subtitle": plain_text(subtitle),
        "notices": _told(layers, [*(plain_text(text) for text in notices), *undrawn_notices(failed)]),
        "absent": _absent(plan, on),
        "once": [],
    }
    return assemble(layers, corners, title=heading["title"], heading=heading, crs=plan.crs)


def _shown(overlay: Overlay, plan: Plan, page: Box | None) -> Overlay:
    kept = [layer for layer in plan.layers.values() if layer.present == "held" and disclosure_of(layer) != "full"]
    if not overlay.derived or not kept:
        return overlay
    known = [layer.accuracy_m for layer in kept if layer.accuracy_m is not None]
    shapes = outline(overlay.frame.geometry.to_numpy(), max(known) if known else None, page)
    # Of thousands of pieces those thinner than the grid would be a litter of points.
    left = np.flatnonzero(shapely.get_dimensions(shapes) == shapely.get_dimensions(overlay.frame.geometry.to_numpy()))
    left = left[~shapely.is_empty(shapes[left])]
    frame = overlay.frame.set_geometry(shapes, crs=overlay.frame.crs).iloc[left]
    return replace(overlay, frame=frame, which=overlay.which[left], names=[overlay.names[i] for i in left.tolist()])


def _overlay(overlay: Overlay, plan: Plan, page: Box | None, key: str, group: str) -> list[MapLayer]:
    shown = _shown(overlay, plan, page)
    return [_drawn(shown, key, group)] if len(shown.frame) else []


def _drawn(overlay: Overlay, key: str, group: str) -> MapLayer:
    return drawn(
        overlay.frame,
        key=key,
        name=overlay.name,
        group=group,
        pane=overlay.pane,
        signs=overlay.signs,
        which=overlay.which,
        columns=overlay.columns,
        extras=Extras(titles=[plain_text(name) for name in overlay.names]),
        show=overlay.show,
    )


def _told(layers: Sequence[MapLayer], notices: list[str]) -> list[str]:
    tolerance_m = max((layer.tolerance_m for layer in layers), default=0.0)
    coarse = [f"图形为显示作了简化（不超过 {tolerance_m:g} m），不可用于量算"] if tolerance_m else []
    return notices + [text for text in coarse if text not in notices]


def _absent(plan: Plan, on: dt.date | None) -> list[tuple[str, str]]:
    """Name what is not on the map and why: nothing drawn must not read as nothing there."""
    found: dict[str, list[str]] = {}
    for layer in plan.layers.values():
        if on is not None and not layer.valid_on(on):
            found.setdefault("当日不在有效期", []).append(layer.label)
        elif layer.present != "held" or plan.trouble(layer.name):
            found.setdefault(PRESENT_WORDS[layer.present], []).append(layer.label)
        elif disclosure_of(layer) == "none":
            found.setdefault("不公开，只绘冲突", []).append(layer.label)
        elif model.KINDS[layer.kind].shape == "raster":
            found.setdefault("栅格，未绘制", []).append(layer.label)
    return [(why, "、".join(dict.fromkeys(labels))) for why, labels in found.items()]


def _bounds(plan: Plan) -> tuple[tuple[float, float, float, float] | None, list[list[float]]]:
    if plan.area is None:
        return None, [[31.5, 118.4], [32.3, 120.3]]  # from 南京 to 常州
    west, south, east, north = plan.area.bounds
    margin_m = max(0.06 * max(east - west, north - south), 300.0)
    page = (west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    moved = crs_room.transform(np.array([shapely.box(*page)], dtype=object), CRS(plan.crs), CGCS2000)
    w, s, e, n = shapely.total_bounds(moved).round(6).tolist()
    return page, [[s, w], [n, e]]
