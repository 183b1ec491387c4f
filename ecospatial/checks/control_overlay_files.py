"""A base map drawn, and written to files."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyogrio

from ecospatial import maps
from ecospatial.checks.control_overlay import area_by_verdict
from ecospatial.export._outputs import Output, write_outputs
from ecospatial.maps.style import Hatch, Sign
from ecospatial.maps.web.overlay import Overlay, over_plan
from ecospatial.model import DECIDED, VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    import folium
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Plan

_ORDER = [VERDICTS[name] for name in reversed(list(VERDICTS))]


_COLUMNS = (
    ("decided_label", "已判定"),
    ("verdict_label", "最重判定"),
    ("rules", "触及规则"),
    ("reason", "说明"),
    ("hectares", "投影面积"),
)


def _solid(colour: str) -> Sign:
    return Sign(stroke="#333333", weight=0.6, fill=colour, opacity=0.6)


def _decided(pieces: gpd.GeoDataFrame) -> tuple[list[tuple[str, Sign]], NDArray[np.intp]]:
    """Give the signs of what is decided; hatched where something is still open, which must not read as passed."""
    signs: list[tuple[str, Sign]] = []
    places: dict[tuple[str, bool], int] = {}
    for name in reversed(DECIDED):
        verdict = VERDICTS[name]
        for open_ in (False, True) if name != "prohibited" else (False,):
            places[name, open_] = len(signs)
            hatch = Hatch(colour=verdict.colour, angle=45, spacing=9, width=2.5)
            striped = Sign(stroke="#333333", weight=0.6, fill="#ffffff", opacity=0.5, hatch=hatch)
            label = f"{verdict.label}（尚有未决）" if open_ else verdict.label
            signs.append((label, striped if open_ else _solid(verdict.colour)))
    signs.append(("未决", _solid("#ffffff")))
    found = []
    for decided, worst in zip(pieces["decided"].astype(object), pieces["verdict"].astype(object), strict=True):
        open_ = worst in ("no_data", "needs_facts")
        found.append(places.get((decided, open_), len(signs) - 1) if decided == decided else len(signs) - 1)
    return signs, np.array(found, dtype=np.intp)


def _measured(
    signs: list[tuple[str, Sign]], which: NDArray[np.intp], area: NDArray[np.float64]
) -> list[tuple[str, Sign]]:
    """Write into the legend how much of the district each sign takes."""
    sums = np.bincount(which, weights=area, minlength=len(signs))
    whole = max(float(area.sum()), 1e-9)
    return [
        (f"{label} {size / 1e4:,.2f} 公顷（{size / whole:.1%}）", sign)
        for (label, sign), size in zip(signs, sums, strict=True)
    ]


def draw_base_map(pieces: gpd.GeoDataFrame, plan: Plan) -> folium.Map:
    """Draw a base map: what is decided, what is open, and the layers of the plan below.

    Parameters
    ----------
    pieces
        What ``base_map`` gave of the plan.
    plan
        The plan.
    """
    shown = pieces.assign(
        verdict_label=[VERDICTS[str(v)].label for v in pieces["verdict"]],
        decided_label=["未决" if v != v else VERDICTS[str(v)].label for v in pieces["decided"]],
        hectares=[f"{area / 1e4:,.4f} 公顷" for area in pieces["area_m2"]],
        rules=pieces["rule_ids"].str.replace(";", "、"),
    )
    names = [f"{piece} 号" for piece in pieces["piece_id"]]
    worst = [(verdict.label, _solid(verdict.colour)) for verdict in _ORDER]
    place = {verdict.value: number for number, verdict in enumerate(_ORDER)}
    which = np.array([place[str(verdict)] for verdict in pieces["verdict"]], dtype=np.intp)
    signs, decided = _decided(pieces)
    area = pieces["area_m2"].to_numpy(dtype=float)
    worst, signs = _measured(worst, which, area), _measured(signs, decided, area)
    overlays = [
        Overlay("一张底图：最重判定", shown, worst, which, names, _COLUMNS, pane="area", show=False, derived=True),
        Overlay("一张底图：已判定", shown, signs, decided, names, _COLUMNS, pane="area", derived=True),
    ]
    return over_plan(
        plan,
        overlays,
        group="一张底图",
        title=f"{plan.title}　一张底图",
        subtitle=f"{pieces.attrs.get('project', '')}　{pieces.attrs.get('on', '')}　{len(pieces)} 片",
        notices=pieces.attrs.get("notices", []),
        on=dt.date.fromisoformat(pieces.attrs["on"]) if "on" in pieces.attrs else None,
    )


def write_base_map(pieces: gpd.GeoDataFrame, plan: Plan, folder: Path) -> list[Path]:
    """Write ``base_map.html`` and ``base_map.gpkg`` (tables ``pieces``, ``areas``, ``meta``).

    Parameters
    ----------
    pieces
        What ``base_map`` gave of the plan.
    plan
        The plan.
    folder
        Made when it does not exist; files of the same name are replaced, nothing else is touched.

    Raises
    ------
    SiteError
        The folder can not be written to.
    OutputError
        One of them could not be made; the other is written.
    """

    def save_page(path: Path) -> None:
        path.write_text(maps.to_html(draw_base_map(pieces, plan)), encoding="utf-8", newline="\n")

    outputs = [Output("base_map.html", save_page), Output("base_map.gpkg", partial(_save_gpkg, pieces), data=True)]
    return write_outputs(folder, outputs)


def _save_gpkg(pieces: gpd.GeoDataFrame, path: Path) -> None:
    meta = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in pieces.attrs.items()
    }
    areas = pd.concat([_areas(pieces, column) for column in ("verdict", "decided")], ignore_index=True)
    plain = pieces.assign(verdict=pieces["verdict"].astype(object), decided=_text(pieces["decided"]))
    plain.attrs = {}
    # GDAL writes the time of day into gpkg_contents; the same plan must give the same bytes.
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{pieces.attrs['on']}T00:00:00.000Z"})
    try:
        pyogrio.write_dataframe(plain, path, layer="pieces", driver="GPKG", geometry_type="Unknown")
        pyogrio.write_dataframe(areas, path, layer="areas", driver="GPKG")
        pairs = pd.DataFrame({"key": list(meta), "value": list(meta.values())}, dtype=object)
        pyogrio.write_dataframe(pairs, path, layer="meta", driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _areas(pieces: gpd.GeoDataFrame, column: str) -> pd.DataFrame:
    table = area_by_verdict(pieces, column=column)
    table.insert(0, "headline", column)
    return table.reset_index(names="verdict")


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), None)
