"""Read the shipped plans with other means than the package's own; what has no plan's name is 钟楼区's."""

import json
from functools import cache
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


class Shipped:
    """One shipped plan: what plan.yaml says, and its vector layers in metres."""

    def __init__(self, name):
        self.name = name
        self.folder = ROOT / "layers" / name
        self.content = yaml.safe_load((self.folder / "plan.yaml").read_text(encoding="utf-8"))
        self.paths = {layer["path"] for layer in self.content["layers"] if "path" in layer}
        self.layers = {layer["kind"]: layer for layer in self.content["layers"]}
        self.held = [kind for kind, layer in self.layers.items() if layer.get("path", "").endswith(".geojson")]
        self.metric = Transformer.from_crs("OGC:CRS84", self.content["crs"], always_xy=True)

    def features(self, kind):
        found = json.loads((self.folder / self.layers[kind]["path"]).read_text(encoding="utf-8"))["features"]
        return [(f["properties"], shapely.from_geojson(json.dumps(f["geometry"]))) for f in found]

    def metres(self, lonlat):
        return shapely.transform(lonlat, lambda c: np.column_stack(self.metric.transform(c[:, 0], c[:, 1])))

    def in_metres(self, kind):
        return [(properties, self.metres(geometry)) for properties, geometry in self.features(kind)]

    def by_river(self, kind):
        return {properties["river"]: geometry for properties, geometry in self.in_metres(kind)}

    def district(self):
        ((_, geometry),) = self.in_metres("district")
        return geometry


@cache
def shipped(name):
    return Shipped(name)


ALL_PLANS = sorted(path.parent.name for path in (ROOT / "layers").glob("*/plan.yaml"))
MADE_UP = "example-district"  # a district that does not exist
PLANS = [name for name in ALL_PLANS if name != MADE_UP]
HELD_OF_ALL = [(name, kind) for name in PLANS for kind in shipped(name).held]
CONTENT = yaml.safe_load((PLAN / "plan.yaml").read_text(encoding="utf-8"))
LAYERS = {layer["kind"]: layer for layer in CONTENT["layers"]}
HELD = [kind for kind, layer in LAYERS.items() if layer.get("path", "").endswith(".geojson")]
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
