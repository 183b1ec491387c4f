"""Read the shipped plan changzhou-zhonglou with other means than the package's own."""

import json
from pathlib import Path

import numpy as np
import shapely
import yaml
from pyproj import Geod, Transformer

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "layers" / "changzhou-zhonglou"
EXAMPLES = PLAN / "examples"
SOURCES = ROOT / "scripts" / "sources"
GEOD = Geod(ellps="GRS80")
METRES = Transformer.from_crs("OGC:CRS84", "EPSG:4549", always_xy=True)

CONTENT = yaml.safe_load((PLAN / "plan.yaml").read_text(encoding="utf-8"))
LAYERS = {layer["kind"]: layer for layer in CONTENT["layers"]}
HELD = [kind for kind, layer in LAYERS.items() if "path" in layer]
SCHEMATIC = [kind for kind in HELD if kind != "district"]
SEVEN_RIVERS = {"新孟河", "京杭运河", "老运河", "新运河", "南运河", "童子河", "扁担河"}


def features(kind):
    found = json.loads((PLAN / LAYERS[kind]["path"]).read_text(encoding="utf-8"))["features"]
    return [(f["properties"], shapely.from_geojson(json.dumps(f["geometry"]))) for f in found]


def metres(lonlat):
    return shapely.transform(lonlat, lambda c: np.column_stack(METRES.transform(c[:, 0], c[:, 1])))


def in_metres(kind):
    return [(properties, metres(geometry)) for properties, geometry in features(kind)]


def by_river(kind):
    return {properties["river"]: geometry for properties, geometry in in_metres(kind)}


def area_km2(lonlat):
    return abs(GEOD.geometry_area_perimeter(lonlat)[0]) / 1e6
