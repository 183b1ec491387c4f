"""Conflicts back to the designer: DXF, zipped shapefile (GBK) and survey text of the conflict polygons."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from ezdxf import options as dxf_options  # type: ignore[attr-defined]
from ezdxf.document import Drawing
from pyproj import CRS

from ecospatial import crs as crs_room
from ecospatial import model
from ecospatial.errors import Problem, SiteError
from ecospatial.export import _format
from ecospatial.export._docx import timeless

if TYPE_CHECKING:
    from ecospatial.checks import Findings

_OUTLINE = "红线"
_COLUMNS = {
    "conflict": "conflict", "site_id": "of_site", "site_name": "site_name", "rule_id": "rule_id",
    "rule_title": "rule", "verdict": "verdict",
    "label": "result", "overlap_m2": "area_m2", "mu": "area_mu", "distance_m": "dist_m", "margin_m": "margin_m",
    "layer": "layer", "status": "status", "feature_name": "feature",
}  # fmt: skip
_KINDS = {"polygon": (3, 6), "line": (1, 5), "point": (0, 4)}
_METRES_IN_DXF = 6  # $INSUNITS
_TEXT_M = 5.0


def conflicts(findings: Findings) -> gpd.GeoDataFrame:
    """Give the conflicts of verdicts that decide against a site, each with its label; polygons, lines and points."""
    frame = findings.frame
    there = frame.geometry.notna() & ~frame.geometry.is_empty & frame["verdict"].isin(["prohibited", "restricted"])
    found = frame[there]
    number = found.groupby("site_id", sort=False, observed=True).cumcount() + 1
    return found.assign(
        conflict=found["site_id"].astype(str) + "-" + number.astype(str),
        label=found["verdict"].astype(object).map(_format.verdict_label),
        mu=found["overlap_m2"] / model.MU_M2,
        status=found["layer_status"].astype(object).map(lambda key: model.STATUS_LABELS.get(_format.text(key), "")),
    )


# ----------------------------------------------------------------------------------------------- DXF


def save_dxf(findings: Findings, path: Path) -> None:
    """Write outlines of the sites and conflicts as DXF in metres of the plan, a CAD layer for each verdict."""
    before = dxf_options.write_fixed_meta_data_for_testing
    dxf_options.write_fixed_meta_data_for_testing = True  # no time of day and no random id in the file
    try:
        drawing = Drawing.new("R2010")
        drawing.units = _METRES_IN_DXF
        drawing.layers.add(_OUTLINE, true_color=0xC80000)
        space = drawing.modelspace()
        for site_id, shape in zip(findings.sites.index, findings.sites.geometry, strict=True):
            _draw(space, shape, _OUTLINE, _format.printable(site_id))
        for row in conflicts(findings).itertuples():
            layer = f"冲突_{row.label}"
            if layer not in drawing.layers:
                colour = model.VERDICTS[str(row.verdict)].colour.lstrip("#")
                drawing.layers.add(layer, true_color=int(colour, 16))
            _draw(space, row.geometry, layer, f"{_format.printable(row.site_id)} {row.rule_id}")
        for dxftype in sorted(drawing.entitydb.dxf_types_in_use()):  # ezdxf itself adds them in the order of a set
            drawing.classes.add_class(dxftype)
        written = io.StringIO()
        drawing.write(written)
    finally:
        dxf_options.write_fixed_meta_data_for_testing = before
    path.write_text(written.getvalue(), encoding="utf-8", newline="\r\n")


def _draw(space: Any, shape: Any, layer: str, text: str) -> None:
    if shape is None or shape.is_empty:
        return
    look = {"layer": layer}
    parts = shapely.get_parts(shape)
    for part in parts:
        kind = int(shapely.get_type_id(part))
        if kind == 3:
            for ring in shapely.get_rings(part):
                space.add_lwpolyline(shapely.get_coordinates(ring)[:-1].tolist(), close=True, dxfattribs=look)
        elif kind == 1:
            space.add_lwpolyline(shapely.get_coordinates(part).tolist(), dxfattribs=look)
        elif kind == 0:
            space.add_point(tuple(shapely.get_coordinates(part)[0].tolist()), dxfattribs=look)
    place = shapely.point_on_surface(shape)
    # In a text of DXF a line end ends the value and "%%" begins a code.
    clean = text.replace("\n", " ").replace("%%", "% %").replace("^", "^ ")[:200]
    space.add_text(clean, height=_TEXT_M, dxfattribs=look).set_placement((place.x, place.y))


# ----------------------------------------------------------------------------------------- shapefile


def _gbk(value: object) -> str:
    """Give a text that GBK has; other characters become the geta mark."""
    text = _format.printable(value).replace("\n", " ")
    return "".join(letter if letter.encode("gbk", "ignore") else "〓" for letter in text)


def save_shapefile(findings: Findings, path: Path) -> None:
    """Write the conflicts as zipped shapefiles, one for polygons, lines and points each; GBK with its ``.cpg``.

    An empty set of polygons is written where there is no conflict at all.
    """
    found, packed = conflicts(findings), io.BytesIO()
    kinds = shapely.get_type_id(found.geometry.to_numpy())
    with tempfile.TemporaryDirectory(prefix="ecospatial-") as room, zipfile.ZipFile(packed, "w") as archive:
        for name, numbers in _KINDS.items():
            own = found[np.isin(kinds, numbers)]
            if len(own) or (name == "polygon" and not len(found)):
                _one_shapefile(own, Path(room, f"conflicts_{name}.shp"), name, str(findings.meta["on"]))
        for part in sorted(Path(room).iterdir()):
            archive.write(part, part.name)
    path.write_bytes(timeless(packed.getvalue()))


def _one_shapefile(found: gpd.GeoDataFrame, path: Path, kind: str, day: str) -> None:
    columns: dict[str, Any] = {}
    for ours, theirs in _COLUMNS.items():
        cells = found[ours]
        if pd.api.types.is_float_dtype(cells):
            columns[theirs] = cells.to_numpy()
        else:
            columns[theirs] = pd.Series([_gbk(cell) for cell in cells.astype(object)], index=found.index, dtype=object)
    frame = gpd.GeoDataFrame(columns, geometry=found.geometry.to_numpy(), crs=found.crs)
    many = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "MultiPoint"}[kind]
    pyogrio.write_dataframe(
        frame, path, driver="ESRI Shapefile", encoding="GBK", geometry_type=many, promote_to_multi=True,
        DBF_DATE_LAST_UPDATE=day,
    )  # fmt: skip


# --------------------------------------------------------------------------------------- survey text


def _zone(crs: CRS) -> int:
    """Give the number of the three-degree zone.

    Raises
    ------
    SiteError
        The CRS is not a three-degree Gauss-Krueger zone of CGCS2000, which such a file needs.
    """
    for zone in range(25, 46):
        for prefixed in (False, True):
            if crs_room.same(crs, crs_room.gauss_kruger(zone, prefixed=prefixed)):
                return zone
    hint = "请改用 dxf 或 shp，或用三度带坐标系的规划"
    raise SiteError(Problem("", None, f"{crs_room.label(crs)} 不是 CGCS2000 三度带，不能写勘测定界文本", hint))


def save_survey(findings: Findings, path: Path) -> None:
    """Write the conflict polygons as survey text (报批格式), GB18030, X north first; one parcel for each conflict."""
    crs = CRS(findings.frame.crs)
    head = {
        "格式版本号": "1.01版本", "数据产生单位": "ecospatial", "数据产生日期": str(findings.meta["on"]),
        "坐标系": "2000国家大地坐标系", "几度分带": "3", "投影类型": "高斯克吕格", "计量单位": "米",
        "带号": str(_zone(crs)), "精度": "0.001", "转换参数": "0,0,0,0,0,0,0",
    }  # fmt: skip
    lines = ["[属性描述]", *(f"{key}={value}" for key, value in head.items()), "[地块坐标]"]
    found = conflicts(findings)
    areal = found[np.isin(shapely.get_type_id(found.geometry.to_numpy()), (3, 6))]
    for row in areal.itertuples():
        lines += _parcel(row)
    text = "\n".join([*lines, ""])
    path.write_bytes(text.encode("gb18030"))


def _parcel(row: Any) -> list[str]:
    """Write one conflict: the line of the parcel, then its rings, each closed by its first point."""
    rings = [ring for part in shapely.get_parts(row.geometry) for ring in shapely.get_rings(part)]
    points, count = [], 0
    for ring_number, ring in enumerate(rings, start=1):
        corners = np.round(shapely.get_coordinates(ring), 3)[:-1].tolist()
        named = [f"J{count + i}" for i in range(1, len(corners) + 1)]
        for name, (east, north) in zip([*named, named[0]], [*corners, corners[0]], strict=True):
            points.append(f"{name},{ring_number},{north:.3f},{east:.3f}")
        count += len(corners)
    told = (row.conflict, f"{row.site_id} {row.rule_id} {row.label}")
    numbered, name = (_format.printable(text).replace(",", "，").replace("\n", " ") for text in told)
    area = f"{row.overlap_m2 / 10000:.4f}"
    return [f"{len(points)},{area},{numbered},{name},面,,冲突范围,,@", *points]
