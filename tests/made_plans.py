"""Small plans on a local metre grid, so that the expected numbers are mental arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely
import yaml

import ecospatial as es

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4549"
SOURCE = {
    "publisher": "测试",
    "title": "测试图层",
    "retrieved": "2026-11-20",
    "licence": "Apache-2.0",
    "url": None,
}
DISTRICT = shapely.box(490000, 3510000, 510000, 3530000)
BANK = shapely.LineString([(500000, 3505000), (500000, 3535000)])
CITE = {"instrument": "测试条例", "number": "第1号", "article": "第一条", "verified": "2026-11-20"}


def rule(id_="R1", **keys):
    made = {
        "id": id_,
        "title": f"规则 {id_}",
        "effect": "prohibited",
        "relation": "near",
        "layer": "bank_line",
        "since": "2011-11-01",
        "cite": dict(CITE),
    }
    made |= keys
    if made["relation"] == "near":
        made.setdefault("within_m", 1000)
    return {key: value for key, value in made.items() if value is not ...}


TH30 = rule(
    "TH30-6",
    where={"river": ["新孟河", "望虞河", "太浦河"]},
    when={"activity": ["C26", "C27"], "works": ["new", "expansion"]},
)


def layer(folder: Path, kind: str, geometry, *, name=None, columns=None, **keys):
    """Write a GeoPackage in EPSG:4549 and return its entry for plan.yaml."""
    name = name or kind
    shapes = list(geometry) if isinstance(geometry, list | tuple) else [geometry]
    frame = gpd.GeoDataFrame(columns or {}, geometry=shapes, crs=CRS)
    frame.to_file(folder / f"{name}.gpkg", layer=name, driver="GPKG")
    entry = {
        "kind": kind,
        "name": name,
        "path": f"{name}.gpkg",
        "status": "official",
        "coverage": "district",
        "accuracy_m": 10,
        "source": dict(SOURCE),
    }
    return entry | keys


def plan_folder(folder: Path, layers, rules, **keys) -> Path:
    """Write plan.yaml and one pack beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    own = rules if isinstance(rules, list) else [rules]
    dump = {"allow_unicode": True, "sort_keys": False}
    (folder / "own.yaml").write_text(yaml.safe_dump(own, **dump), encoding="utf-8")
    content = {
        "name": "made",
        "title": "测试规划",
        "crs": CRS,
        "packs": ["./own.yaml"] if own else [],
        "layers": layers,
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(content | keys, **dump), encoding="utf-8")
    return folder


def district(folder: Path, **keys):
    return layer(folder, "district", DISTRICT, **({"coverage": "extent", "accuracy_m": 0} | keys))


def worked_example(folder: Path, rules=None, **bank) -> Path:
    """The plan of docs/interface.md section 10."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"coverage": "district+5000", "accuracy_m": 150, "columns": {"river": ["新孟河"]}}
    keys |= {"absent": {"river": ["望虞河", "太浦河"]}} | bank
    entries = [district(folder), layer(folder, "bank_line", keys.pop("geometry", BANK), **keys)]
    return plan_folder(folder, entries, TH30 if rules is None else rules)


def sites(*shapes, ids=None, **columns):
    """A frame of sites in EPSG:4549; a column may be one value for all."""
    data = {"site_id": ids or [str(number) for number in range(1, len(shapes) + 1)]}
    for key, value in columns.items():
        data[key] = value if isinstance(value, list) else [value] * len(shapes)
    return gpd.GeoDataFrame(data, geometry=list(shapes), crs=CRS)


def square(d, *, y=3520000, size=100):
    """A box whose west edge lies d metres east of the bank line."""
    return shapely.box(500000 + d, y, 500000 + d + size, y + size)


def one(folder, site, on="2026-11-20"):
    """Check one site against one rule and give its finding."""
    found = es.check(site, es.open_plan(folder), on=on)
    assert len(found.frame) == 1
    return found.frame.iloc[0]


ZONE = shapely.box(495000, 3515000, 496000, 3516000)


def zone_plan(folder, rules, *, present=None, **keys):
    """A plan with one control zone, or with the entry that says there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    if present is None:
        columns = keys.pop("columns", {"zone_type": ["清水通道维护区"]})
        entry = layer(folder, "control_zone", keys.pop("zone", ZONE), columns=columns, **keys)
    else:
        source = {"publisher": "某局", "title": "管控区", "retrieved": None}
        entry = {"kind": "control_zone", "present": present, "coverage": "district", "source": source}
    return plan_folder(folder, [district(folder), entry], rules)


INSIDE = shapely.box(495400, 3515400, 495500, 3515500)
AWAY = shapely.box(495400, 3517000, 495500, 3517100)
OVER = rule("Z", relation="overlaps", layer="control_zone")
OUT = rule("O", relation="outside", layer="control_zone")
