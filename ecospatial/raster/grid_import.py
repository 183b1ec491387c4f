"""``plan import`` of a grid: a GeoTIFF becomes a layer of a plan, with nothing claimed that was not said."""

from __future__ import annotations

import datetime as dt
import math
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.errors import CrsError, EcospatialError, PlanError, Problem
from ecospatial.model import KINDS
from ecospatial.plans import BAND_TABLES, CLASS_TABLES, Imported, Provenance
from ecospatial.plans.import_layer import empty_keys, empty_lines, free_name, own_plan, put, said_faults
from ecospatial.raster.grid import read_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from ecospatial.plans import Plan
    from ecospatial.raster.grid import Grid

FAR_M = 20_000.0


def import_grid(
    source: str | PathLike[str],
    folder: str | PathLike[str],
    kind: str,
    *,
    date: str | None,
    name: str | None = None,
    classes: str | Mapping[int, str] | None = None,
    bands: str | Mapping[str, int] | None = None,
    crs: str | None = None,
    provenance: Provenance | None = None,
    replace: bool = False,
) -> Imported:
    """Copy a GeoTIFF into a plan as ``<name>.tif`` and add its entry to plan.yaml.

    Parameters
    ----------
    source
        A ``.tif`` or ``.tiff`` file; it is copied byte for byte.
    folder
        Folder of a plan of one's own.
    kind
        A kind of grid.
    date
        The day the picture stands for, YYYY-MM-DD; nothing else can say.
    name
        Name of the layer; kind and date when not given.
    classes, bands
        A table by name, or what the numbers and bands mean (land cover, imagery).
    crs
        What the file is in, only when it can not say.
    provenance
        Source, coverage, accuracy, status. What is not given is written empty.
    replace
        Whether a layer of that name may be replaced.

    Raises
    ------
    EcospatialError
        The file can not be read or placed, lies somewhere else, or the plan can not take it. Nothing is written
        then.
    """
    plan, said = own_plan(folder), provenance or Provenance()
    if kind not in KINDS or KINDS[kind].shape != "raster":
        grids = "、".join(f"{k.name}（{k.label}）" for k in KINDS.values() if k.shape == "raster")
        raise PlanError(Problem("", None, f"{kind} 不是栅格图层种类", f"可选：{grids}"))
    faults = [*_date_faults(date), *_kind_faults(kind, classes, bands), *said_faults(said)]
    if faults:
        raise PlanError(faults)
    layer_name = free_name(plan, name or f"{kind}_{date}", replace=replace)
    path = io.safe_path(source, raster=True)
    grid = read_grid(path, crs=crs, classes=classes, bands=bands)
    _require_near(grid, plan)
    old = plan.layers.get(layer_name)
    entry = _entry(kind, layer_name, grid, said) | {"date": date}
    entry |= {key: _plain(value) for key, value in (("classes", classes), ("bands", bands), ("crs", crs)) if value}
    put(plan, entry, lambda target: shutil.copyfile(path, target), replaced=None if old is None else layer_name)
    empty = tuple(empty_keys(said))
    east, north = grid.pixel_m
    told = (
        f"{path.name} → {layer_name}.tif，{grid.width} × {grid.height} 像元，"
        f"{east:.4g} × {north:.4g} m，{crs_.label(grid.crs)}"
    )
    return Imported(layer_name, (told, *empty_lines(empty)), empty)


def _entry(kind: str, name: str, grid: Grid, said: Provenance) -> dict[str, Any]:
    east, north = grid.pixel_m
    entry: dict[str, Any] = {"kind": kind, "name": name, "path": f"{name}.tif"}
    entry |= {"resolution_m": float(f"{math.sqrt(east * north):.3g}")}
    entry |= {"status": said.status, "coverage": said.coverage, "accuracy_m": said.accuracy_m}
    entry |= {"valid": {"from": said.valid_from, "to": None}} if said.valid_from is not None else {}
    keys = ("publisher", "title", "retrieved", "licence")
    return entry | {"source": {key: getattr(said, key) for key in keys} | {"url": None}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else {str(key): entry for key, entry in value.items()}


def _date_faults(date: str | None) -> list[Problem]:
    try:
        if date is not None and dt.date.fromisoformat(date).isoformat() == date:
            return []
    except ValueError:
        pass
    what = "没有写明栅格的日期" if date is None else f"--date {date} 不是日期"
    return [Problem("", None, what, "请用 --date 写明影像或数据所代表的日期 YYYY-MM-DD")]


def _kind_faults(kind: str, classes: Any, bands: Any) -> list[Problem]:
    faults = []
    for option, given, wanted, tables in (
        ("--classes", classes, kind == "land_cover", CLASS_TABLES),
        ("--bands", bands, kind == "imagery", BAND_TABLES),
    ):
        listed = "、".join(tables)
        if wanted and not given:
            faults.append(Problem("", None, f"{kind} 需要 {option}", f"可选：{listed}；或写明对应，如 1=tree、red=3"))
        elif given and not wanted:
            faults.append(Problem("", None, f"{kind} 不用 {option}", "请删去"))
        elif isinstance(given, str) and given not in tables:
            faults.append(Problem("", None, f"{option} 没有 {given} 这个表", f"可选：{listed}"))
    return faults


def _require_near(grid: Grid, plan: Plan) -> None:
    """Refuse a grid that lies somewhere else: a wrong label reads like a distant place."""
    try:
        box = crs_.transform(np.array([shapely.box(*grid.bounds)], dtype=object), grid.crs, plan.crs)[0]
    except CrsError as fault:
        raise CrsError([problem._replace(file=grid.path.name) for problem in fault.problems]) from fault
    if plan.area is not None and shapely.distance(box, plan.area) > FAR_M:
        far = shapely.distance(box, plan.area) / 1000
        problem = f"栅格距{plan.title} 20 km 以上（{far:.0f} km）"
        raise EcospatialError(Problem(grid.path.name, None, problem, "请核对文件的坐标系"))
