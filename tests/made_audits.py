"""A small plan in which everything fits, to plant faults in; ten kilometres square, so areas are mental arithmetic."""

from __future__ import annotations

import hashlib

import geopandas as gpd
import made_plans
import shapely
import yaml
from shapely import box

CRS = made_plans.CRS
ON = "2026-11-20"
WEST, SOUTH, EAST, NORTH = 500000, 3520000, 510000, 3530000
DISTRICT = box(WEST, SOUTH, EAST, NORTH)  # 100 km2
SPACES = ["生态空间", "农业空间", "城镇空间"]
# kind: geometry, columns; each as a test may replace it
LAYERS = {
    "district": ([DISTRICT], {}),
    "town": ([box(WEST, SOUTH, 505000, NORTH), box(505000, SOUTH, EAST, NORTH)], {"feature_name": ["西镇", "东镇"]}),
    "territorial_space": (
        [box(WEST, SOUTH, 502000, NORTH), box(502000, SOUTH, 506000, NORTH), box(506000, SOUTH, EAST, NORTH)],
        {"space": SPACES},
    ),
    "eco_redline": ([box(500200, 3521000, 501200, 3523000)], {}),  # 2 km2
    "basic_farmland": (
        [box(502200, 3521000, 504200, 3523000), box(504200, 3521000, 505200, 3523000)],  # 4 km2 and 2 km2
        {"feature_id": ["F1", "F2"]},
    ),
    "farmland": ([box(502100, 3520900, 505300, 3523100)], {}),
    "urban_boundary": ([box(506500, 3521000, 509500, 3529000)], {"part": ["集中建设区"]}),  # 24 km2
    "water_body": ([box(505500, SOUTH, 505600, NORTH)], {"river": ["北河"]}),
    "water_source_zone": (
        [box(500300, 3526000, 500600, 3526300), box(500100, 3525800, 501100, 3526800)],
        {"source_name": ["甲", "甲"], "level": ["一级", "二级"]},
    ),
    "outfall": ([shapely.Point(505500, 3525000)], {"river": ["北河"]}),
}
KEYS = {"district": {"coverage": "extent", "accuracy_m": 0}}
FEATURE = {kind: shapes for kind, (shapes, _) in LAYERS.items()}


def sound(folder, *, targets=None, rules=(), without=(), more=(), **changes):
    """Write the plan; ``changes`` gives for a kind its geometry, (geometry, columns), or a dict of keys of its entry.

    ``more`` are entries of further layers, made by the caller in the same folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for kind, (shapes, columns) in LAYERS.items():
        if kind in without:
            continue
        keys = dict(KEYS.get(kind, {}))
        change = changes.get(kind)
        if isinstance(change, dict):
            keys |= change
            if "geometry" in keys:
                shapes = keys.pop("geometry")
            if "columns" in keys:
                columns = keys.pop("columns")
        elif isinstance(change, tuple):
            shapes, columns = change
        elif change is not None:
            shapes, columns = change, {}
        entries.append(made_plans.layer(folder, kind, list(shapes), columns=columns, **keys))
    for made in [*entries, *more]:
        if "path" in made:
            made.setdefault("sha256", hashlib.sha256((folder / made["path"]).read_bytes()).hexdigest())
    made_plans.plan_folder(folder, [*entries, *more], list(rules))
    if targets is not None:
        text = yaml.safe_dump(targets, allow_unicode=True, sort_keys=False)
        (folder / "targets.yaml").write_text(text, encoding="utf-8")
    return folder


def target(id_="T1", **keys):
    """One entry of targets.yaml: the urban boundary's 24 km2 unless told otherwise."""
    made = {
        "id": id_,
        "title": f"指标 {id_}",
        "measure": "area",
        "kind": "urban_boundary",
        "value": 24,
        "unit": "km2",
        "cite": {"instrument": "测试规划", "article": "第一章"},
    } | keys
    return {key: value for key, value in made.items() if value is not ...}


def write(folder, name, shapes, *, crs=CRS, **columns):
    """Write a GeoPackage beside the plan and return its name."""
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(folder / name, driver="GPKG")
    return name


def entry(kind, path, **keys):
    """An entry of plan.yaml for a file that the test wrote itself."""
    made = {"kind": kind, "path": path, "status": "official", "coverage": "district", "accuracy_m": 10}
    return made | {"source": dict(made_plans.SOURCE)} | keys
