"""The faults of an audit over the layers of the plan."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.audits._text import headline
from ecospatial.maps.style import Sign, read_styles
from ecospatial.maps.web.overlay import Overlay, over_plan

if TYPE_CHECKING:
    import folium

    from ecospatial.audits.audit import Audit

DRAWN = ("fault", "note")
NEAR_M = 50_000.0
COLUMNS = (
    ("check_label", "核对"),
    ("status_label", "结论"),
    ("reason", "说明"),
    ("size", "大小"),
    ("layer", "图层"),
    ("features", "要素"),
)


def draw(audit: Audit) -> folium.Map:
    """Draw where faults and notes lie: their shapes, and a mark on each, as some are too small to see.

    Parameters
    ----------
    audit
        What ``audit`` returned.
    """
    frame = audit.frame
    shapes = frame.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    # What lies or reaches far outside of the plan (a wrong CRS) would only be in the way of everything else.
    if audit.plan.area is not None:
        west, south, east, north = audit.plan.area.buffer(NEAR_M).bounds
        low, high = np.split(shapely.bounds(shapes), 2, axis=1)
        there &= ((low >= (west, south)) & (high <= (east, north))).all(axis=1)
    shown = frame[there & frame["status"].isin(DRAWN).to_numpy()]
    shown = shown.assign(
        check_label=shown["check"].map(CHECKS),
        status_label=shown["status"].map(STATUSES),
        size=shown["size_class"].map(SIZES).fillna(""),
    )
    styles = read_styles().conflict
    signs = [("有误", styles["prohibited"]), ("说明", styles["other"])]
    extents = _parts(shown)
    wrong = (extents["status"] == "fault").to_numpy()
    # What goes on beyond the district is no fault, and filled it would lie over everything else: a click away.
    overlays = [
        _overlay("核对结果：有误的范围", extents[wrong], signs, pane="conflicts"),
        _overlay("核对结果：说明的范围", extents[~wrong], signs, pane="conflicts", show=False),
    ]
    points = shown.set_geometry(
        gpd.GeoSeries(shapely.point_on_surface(shown.geometry.to_numpy()), shown.index, frame.crs)
    )
    marks = [(name, Sign(stroke="#111111", fill=sign.fill, symbol="diamond", radius=6)) for name, sign in signs]
    overlays.append(_overlay("核对结果：位置", points, marks, pane="point"))
    return over_plan(
        audit.plan,
        overlays,
        group="核对结果",
        title=f"{audit.meta['title']}　规划一致性核对图",
        subtitle=f"核对日期 {audit.meta['on']}　{headline(audit)}　{audit.meta['software']}",
        notices=audit.meta["notices"],
        on=dt.date.fromisoformat(audit.meta["on"]),
    )


def _parts(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep shapes that have an extent; points are drawn as marks anyhow."""
    return frame[shapely.get_dimensions(frame.geometry.to_numpy()) > 0]


def _overlay(
    name: str, frame: gpd.GeoDataFrame, signs: list[tuple[str, Sign]], *, pane: str, show: bool = True
) -> Overlay:
    which = np.array([DRAWN.index(status) for status in frame["status"]], dtype=np.intp)
    return Overlay(name, frame, signs, which, frame["subject"].tolist(), COLUMNS, pane=pane, show=show)
