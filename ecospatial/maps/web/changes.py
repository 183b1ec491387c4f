"""Changes of land cover on a map: what to inspect first lies on top."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from ecospatial import model
from ecospatial.maps.style import read_styles
from ecospatial.maps.web.overlay import Overlay, over_plan
from ecospatial.plans import COVERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import folium

    from ecospatial.plans import Plan
    from ecospatial.raster import Changes

_SIGNS = {
    "prohibited": "变化图斑：触及禁止类规则",
    "restricted": "变化图斑：触及限制类规则",
    "none": "变化图斑：无对应规则",
}
_COLUMNS = (
    ("patch_id", "核查顺序"), ("patch", "图斑"), ("concern", "性质"), ("change", "变化"), ("area", "区内面积"),
    ("zone_name", "管控区"), ("rule_ids", "规则"), ("sure", "确在区内"),
)  # fmt: skip


def draw_changes(changes: Changes, plan: Plan, *, notices: Sequence[str] = ()) -> folium.Map:
    """Draw the patches of ``raster.watch`` over the layers of their plan.

    Parameters
    ----------
    changes
        What ``raster.watch`` returned.
    plan
        The plan it looked at; its layers of the day are drawn below.
    notices
        What stands in red above the map.

    Returns
    -------
    folium.Map
        Carries all it needs, as every map of this package.
    """
    meta = changes.meta
    # The last is drawn on top.
    frame = changes.patches.iloc[::-1].reset_index(drop=True)
    conflict = read_styles().conflict
    words = frame.assign(
        change=[f"{COVERS[a]} → {COVERS[b]}" for a, b in zip(frame["from_cover"], frame["to_cover"], strict=True)],
        area=[f"{m2:,.0f} m²（{m2 / model.MU_M2:,.2f} 亩）" for m2 in frame["area_m2"]],
        sure=["是" if sure else "边界存疑，需现场核定" for sure in frame["certain"]],
    )
    overlay = Overlay(
        name="变化图斑",
        frame=words,
        signs=[(label, conflict.get(name, conflict["other"])) for name, label in _SIGNS.items()],
        which=np.array([list(_SIGNS).index(name) for name in frame["severity"]], dtype=np.intp),
        names=[f"{n}　{c}" for n, c in zip(frame["patch_id"], frame["concern"], strict=True)],
        columns=_COLUMNS,
    )
    limits = f"最小图斑 {meta['min_patch_m2']:g} m²，配准容差 {meta['tolerance_px']} 个像元"
    return over_plan(
        plan,
        [overlay],
        group="土地覆盖变化",
        title=f"{plan.title}　土地覆盖变化图",
        subtitle=f"{meta['old_date']} 至 {meta['new_date']}　{frame['patch'].nunique()} 处图斑　{limits}",
        notices=notices,
        on=dt.date.fromisoformat(meta["on"]),
    )
