"""Sites and a plan for hash_outputs.py: always the same ones, drawn from a seed and from arithmetic alone.

Coordinates come from additions, rotations and rounding to a millimetre, never from a geometry library, so that another
version of GEOS gives the same sites. Files are GeoJSON, CSV and GeoTIFF: formats without a clock in them.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

import ecospatial as es

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SEED = 20261120
SHAPES = {"box": 30, "bend": 19, "triangle": 10, "strip": 10, "parts": 8, "ring": 8, "line": 6, "point": 5, "star": 4}
ACTIVITIES = (
    "C26", "C2614", "C27", "C303", "C32", "C336", "C42", "C13", "C", "A02", "A03", "A041", "A0412", "B", "D4610",
    "D462", "E47", "E48", "F5191", "F5265", "G53", "G5720", "G594", "H61", "H62", "I65", "K70", "K7010", "N7723",
    "N7724", "N76", "N782", "N785", "N786", "O811", "P83", "Q84", "R8929", "R90", "S91",
)  # fmt: skip
WORKS = ("new", "new", "new", "expansion", "alteration", "existing", "change_of_use", "new;expansion")
LAND_USES = ("07", "0701", "0703", "08", "0803", "0804", "0806", "0807", "09", "1001", "11", "1207", "14", "0601")
FACTS = (
    "discharges_to_water", "stores_hazardous", "new_outfall", "enlarges_aquaculture", "water_supply_works",
    "national_key_project", "linear_infrastructure", "harmless_crossing", "permitted_limited_activity",
    "chemical_project", "takes_groundwater", "nutrient_offset",
)  # fmt: skip


def draw_sites(plan: es.Plan, count: int) -> gpd.GeoDataFrame:
    """Draw sites of every shape in, across and beyond the district of a plan, many of them at the edge of a layer.

    Returns a frame in ``plan.crs`` with the columns a file of sites can have; about a third of the sites say
    everything that rules ask for, the others leave gaps.
    """
    dice = np.random.default_rng([SEED, zlib.crc32(plan.name.encode())])
    centres = _draw_centres(plan, count, dice)
    sizes = np.exp(dice.uniform(np.log(8), np.log(400), count))
    extreme = dice.random(count)
    sizes = np.where(extreme < 0.02, dice.uniform(0.3, 2, count), sizes)
    sizes = np.where(extreme > 0.993, dice.uniform(1000, 4000, count), sizes)
    turns = dice.uniform(0, 2 * np.pi, count)
    kinds = dice.choice(list(SHAPES), count, p=np.array(list(SHAPES.values())) / 100)
    seeds = dice.random((count, 24))
    shapes = [
        _draw_shape(kind, centre, size, turn, own)
        for kind, centre, size, turn, own in zip(kinds, centres, sizes, turns, seeds, strict=True)
    ]
    return gpd.GeoDataFrame(_draw_columns(count, dice), geometry=shapes, crs=plan.crs)


def _draw_centres(plan: es.Plan, count: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """Draw where sites lie: half anywhere in the box of the district, most others at a vertex of some layer."""
    west, south, east, north = plan.frame("district").total_bounds
    span = np.array([east - west, north - south])
    anywhere = np.array([west, south]) + dice.uniform(-0.03, 1.03, (count, 2)) * span
    anchors = []
    for kind in sorted({layer.kind for layer in plan.layers.values()}):
        try:
            anchors.append(shapely.get_coordinates(plan.frame(kind).geometry.to_numpy()))
        except es.PlanError:  # a layer that is missing, or a grid
            continue
    anchors = [points for points in anchors if len(points)]
    which = dice.integers(0, len(anchors), count)
    place = dice.random(count)
    at_edge = np.array([anchors[one][int(share * len(anchors[one]))] for one, share in zip(which, place, strict=True)])
    at_edge += dice.normal(0, 1, (count, 2)) * np.exp(dice.uniform(np.log(1), np.log(900), (count, 1)))
    angle = dice.uniform(0, 2 * np.pi, count)
    outside = np.array([west, south]) + span / 2
    outside = outside + np.column_stack([np.cos(angle), np.sin(angle)]) * dice.uniform(0.4, 1.2, (count, 1)) * span
    choice = dice.random((count, 1))
    return np.where(choice < 0.45, anywhere, np.where(choice < 0.93, at_edge, outside))


def _draw_shape(
    kind: str, centre: NDArray[np.float64], size: float, turn: float, own: NDArray[np.float64]
) -> shapely.Geometry:
    """Draw one site of about a size (m) around a centre; ``own`` holds its 24 random numbers from 0 to 1."""
    half, other = size / 2, size / 2 * (0.3 + 0.7 * own[0])

    def place(*points: tuple[float, float]) -> list[tuple[float, float]]:
        local = np.array(points)
        cos, sin = np.cos(turn), np.sin(turn)
        turned = np.column_stack([local[:, 0] * cos - local[:, 1] * sin, local[:, 0] * sin + local[:, 1] * cos])
        return [(round(float(x), 3), round(float(y), 3)) for x, y in turned + centre]

    def box(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
        return place((west, south), (east, south), (east, north), (west, north))

    if kind == "point":
        return shapely.Point(place((0, 0))[0])
    if kind == "line":
        return shapely.LineString(place((-half, 0), (-half * own[1], other), (half * own[2], -other), (half, 0)))
    if kind == "triangle":
        return shapely.Polygon(place((-half, -other), (half, -other * own[1]), (half * (own[2] - 0.5), other)))
    if kind == "strip":
        return shapely.Polygon(box(-4 * half, -half * 0.05 - 0.1, 4 * half, half * 0.05 + 0.1))
    if kind == "bend":
        inner = (-half + 2 * half * (0.2 + 0.5 * own[1]), -other + 2 * other * (0.2 + 0.5 * own[2]))
        corners = [(-half, -other), (half, -other), (half, inner[1]), inner, (inner[0], other), (-half, other)]
        return shapely.Polygon(place(*corners))
    if kind == "parts":
        gap = 0.05 + own[1]
        parts = [box(-half, -other, 0, other), box(half * gap, -other, half * (gap + 0.7), other)]
        return shapely.MultiPolygon([shapely.Polygon(part) for part in parts])
    if kind == "ring":
        share = 0.2 + 0.7 * own[1]
        return shapely.Polygon(
            box(-half, -other, half, other), [box(-half * share, -other * share, half * share, other * share)]
        )
    if kind == "star":  # a wild outline around its centre; half of them typed with two corners exchanged
        angles = np.linspace(0, 2 * np.pi, len(own), endpoint=False)
        reach = half * (0.3 + own)
        points = list(zip(reach * np.cos(angles), reach * np.sin(angles), strict=True))
        if own[3] < 0.5:
            points[5], points[6] = points[6], points[5]
        return shapely.Polygon(place(*points))
    return shapely.Polygon(box(-half, -other, half, other))


def _draw_columns(count: int, dice: np.random.Generator) -> dict[str, Any]:
    """Draw what is known of the projects: all of it for a third of them, nothing for a tenth."""
    known = dice.random(count)
    complete, silent = known < 0.35, known > 0.9

    def choose(values: Sequence[str], gaps: float) -> list[str | None]:
        drawn = np.array(values, dtype=object)[dice.integers(0, len(values), count)]
        return np.where(silent | (~complete & (dice.random(count) < gaps)), None, drawn).tolist()

    first, second = choose(ACTIVITIES, 0.15), choose(ACTIVITIES, 0.9)
    several = dice.random(count) < 0.15
    columns: dict[str, Any] = {
        "site_id": [f"P{number:06d}" for number in range(count)],
        "site_name": [None if number % 7 == 3 else f"地块{number}号" for number in range(count)],
        "activity": [
            ";".join(dict.fromkeys(code for code in pair if code)) or None if both else pair[0]
            for pair, both in zip(zip(first, second, strict=True), several, strict=True)
        ],
        "works": choose(WORKS, 0.12),
        "land_use": choose(LAND_USES, 0.4),
        "accuracy_m": dice.choice([0.0, 0.0, 0.0, 0.5, 5.0, 60.0], count),
    }
    for fact in FACTS:
        yes = dice.random(count) < 0.22
        unknown = silent | (~complete & (dice.random(count) < 0.45))
        columns[fact] = np.where(unknown, None, yes.astype(object)).tolist()
    return columns


# ------------------------------------------------------------------------------------------ a plan of our own

CRS = "EPSG:4549"
EAST, NORTH = 500000, 3520000  # the south-west corner; on the central meridian of EPSG:4549
SOURCE = {"publisher": "测试局", "title": "测试图层", "retrieved": "2026-11-20", "licence": "Apache-2.0", "url": None}
CITE = {"instrument": "测试条例", "number": "第1号", "article": "第一条", "verified": "2026-11-20"}
COVER = {1: "tree", 2: "grass", 3: "crop", 4: "built", 5: "water"}


def write_plan(folder: Path, *, name: str = "made", shift: float = 0.0) -> Path:
    """Write a plan with exact official layers, rivers, sewers and grids; ``shift`` moves its zones east (m)."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = [
        _write_layer(folder, kind, features, shift if kind in {"eco_redline", "control_zone"} else 0.0)
        for kind, features in _list_features().items()
    ]
    layers += _write_grids(folder)
    layers += [
        {"kind": "canal_zone", "present": "missing", "source": SOURCE},
        {"kind": "wetland", "present": "none", "coverage": "district", "source": SOURCE},
    ]
    plan = {
        "name": name, "title": "测试规划", "crs": CRS, "packs": ["./own.yaml"],
        "settled": {"M-OPEN": {"within_m": 40, "decided_by": "测试局", "on": "2026-10-01"}},
        "scope": [{"kinds": ["noise_zone"], "because": "由生态环境局负责", "ask": "某市生态环境局"}],
        "layers": layers,
    }  # fmt: skip
    (folder / "own.yaml").write_text(json.dumps(_list_rules(), ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "plan.yaml").write_text(json.dumps(plan, ensure_ascii=False, indent=1), encoding="utf-8")
    targets = [
        {"id": "T1", "title": "红线面积", "measure": "area", "kind": "eco_redline", "value": 0.8, "unit": "km2"},
        {"id": "T2", "title": "河道长度", "measure": "length", "kind": "river_centreline", "value": 12, "unit": "km"},
        {"id": "T3", "title": "街道数", "measure": "count", "kind": "town", "value": 4},
    ]
    targets = [target | {"cite": "测试规划表1"} for target in targets]
    (folder / "targets.yaml").write_text(json.dumps(targets, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def _write_layer(folder: Path, kind: str, features: list[tuple[shapely.Geometry, dict[str, Any]]], shift: float) -> Any:
    """Write the features of a kind as GeoJSON in the plan's CRS, and return the entry of plan.yaml."""
    origin = np.array([EAST + shift, NORTH])
    content = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{CRS.replace(':', '::')}"}},
        "features": [
            {
                "type": "Feature",
                "properties": {"feature_id": f"{kind[:2].upper()}{number}"} | columns,
                "geometry": shapely.geometry.mapping(shapely.transform(shape, lambda local: local + origin)),
            }
            for number, (shape, columns) in enumerate(features, start=1)
        ],
    }
    (folder / f"{kind}.geojson").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    entry = {"kind": kind, "path": f"{kind}.geojson", "status": "official", "accuracy_m": 2, "source": SOURCE}
    entry["coverage"] = "extent" if kind == "district" else "district+1500"
    return entry | ({"absent": {"river": ["望虞河"]}} if kind == "bank_line" else {})


def _list_features() -> dict[str, list[tuple[shapely.Geometry, dict[str, Any]]]]:
    """List what lies in the made district: 4 km by 3 km, a main river from west to east, tributaries, four towns."""
    box, line, point = shapely.box, shapely.LineString, shapely.Point
    towns = [box(x, y, x + 2000, y + 1500) for x in (0, 2000) for y in (0, 1500)]
    names = ["西南街道", "西北街道", "东南街道", "东北镇"]
    return {
        "district": [(box(0, 0, 4000, 3000), {"feature_name": "测试区", "adcode": "320499"})],
        "town": [(shape, {"feature_name": name}) for shape, name in zip(towns, names, strict=True)],
        "territorial_space": [
            (box(0, 2000, 4000, 3000), {"space": "生态空间"}),
            (box(0, 0, 1500, 2000), {"space": "农业空间"}),
            (box(1500, 0, 4000, 2000), {"space": "城镇空间"}),
        ],
        "eco_redline": [(box(300, 2200, 1300, 3000), {"feature_name": "北山红线", "core": False})],
        "control_zone": [
            (box(200, 2100, 1500, 3000), {"feature_name": "北山涵养区", "zone_type": "重要水源涵养区"}),
            (box(2600, 2300, 3300, 2800), {"feature_name": "东湖湿地", "zone_type": "湿地公园"}),
        ],
        "basic_farmland": [(box(100, 100, 1200, 900), {"feature_name": "西片"})],
        "urban_boundary": [(box(1600, 50, 3900, 1900), {"feature_name": "中心城区", "part": "集中建设区"})],
        "river_centreline": [
            (line([(-500, 1500), (1500, 1500), (4500, 1400)]), {"river": "大河", "river_class": "干流", "width_m": 60}),
            (line([(1000, 2900), (1000, 1500)]), {"river": "北浜", "river_class": "一级支浜", "width_m": 12}),
            (line([(2500, 300), (2500, 1466.667)]), {"river": "南浜", "river_class": "一级支浜", "width_m": 12}),
            (line([(2500, 600), (3200, 600), (3200, 1443.333)]), {"river": "环浜", "river_class": "二级支浜"}),
            (line([(600, 1050), (600, 1450)]), {"river": "断浜", "river_class": "二级支浜", "width_m": 8}),
        ],
        "river_source": [(point(1000, 2900), {"river": "北浜"})],
        "bank_line": [
            (line([(-500, 1530), (1500, 1530), (4500, 1430)]), {"river": "大河", "side": "左岸"}),
            (line([(-500, 1470), (1500, 1470), (4500, 1370)]), {"river": "大河", "side": "右岸"}),
        ],
        "intake": [(point(1800, 1490), {"source_name": "大河水源地", "river": "大河"})],
        "water_source_zone": [
            (box(1500, 1450, 2000, 1560), {"source_name": "大河水源地", "level": "一级"}),
            (box(1200, 1400, 2300, 1700), {"source_name": "大河水源地", "level": "二级"}),
        ],
        "outfall": [
            (point(3000, 1350), {"river": "大河", "outfall_type": "雨水溢流", "flow_m3_d": 300}),
            (point(1010, 2000), {"river": "北浜", "outfall_type": "工业", "flow_m3_d": 120}),
        ],
        "monitoring_section": [(point(3600, 1430), {"river": "大河", "grade": "省考"})],
        "sewer_catchment": [
            (box(1600, 50, 2600, 1400), {"plant": "东厂", "system": "分流", "population": 9000}),
            (box(2550, 50, 3900, 1400), {"plant": "东厂", "system": "合流", "flow_m3_d": 4000}),
        ],
        "sewage_plant": [(point(3700, 200), {"plant": "东厂", "capacity_m3_d": 5000})],
        "sewer_pipe": [
            (line([(1700, 200), (2700, 200)]), {"pipe_type": "污水", "from_invert_m": 3.0, "to_invert_m": 2.0}),
            (line([(2700, 200), (3700, 200)]), {"pipe_type": "污水", "from_invert_m": 2.5, "to_invert_m": 2.8}),
            (line([(2700, 500), (2700, 200)]), {"pipe_type": "雨水", "from_invert_m": 2.9, "to_invert_m": 2.2}),
        ],
        "contaminated_parcel": [(box(2000, 900, 2150, 1050), {"listed_on": "2020-01-01", "removed_on": None})],
        "traffic_line": [(line([(1500, -500), (1500, 3500)]), {"line_class": "高速公路"})],
        "noise_zone": [(box(0, 0, 4000, 3000), {"noise_class": "2类"})],
        "park": [(box(2100, 1560, 2900, 1660), {"feature_name": "滨河公园"})],
    }


def _list_rules() -> list[dict[str, Any]]:
    """List a rule for each relation, effect and key that can change a verdict."""
    building = {"works": ["new", "expansion", "alteration"]}
    rules: list[dict[str, Any]] = [
        {"id": "M-RED", "relation": "overlaps", "layer": "eco_redline", "when": building,
         "unless": {"permitted_limited_activity": True}},
        {"id": "M-FARM", "relation": "overlaps", "layer": "basic_farmland", "unless": {"national_key_project": True},
         "effect_unless": "not_applicable", "yields_to": ["M-RED"]},
        {"id": "M-HYD", "effect": "restricted", "relation": "overlaps", "layer": "control_zone",
         "where": {"zone_type": ["重要水源涵养区", "湿地公园"]}},
        {"id": "M-NEAR", "relation": "near", "layer": "bank_line", "within_m": 200,
         "where": {"river": ["大河", "望虞河"]},
         "when": {"activity": ["C26", "C27", "C30"], "works": ["new", "expansion"]}},
        {"id": "M-OPEN", "effect": "restricted", "relation": "near", "layer": "traffic_line",
         "not_stated": ["distance"]},
        {"id": "M-LIST", "relation": "overlaps", "layer": "water_source_zone", "where": {"level": ["二级"]},
         "not_stated": ["list"], "when": {"discharges_to_water": True}},
        {"id": "M-OUT", "effect": "restricted", "relation": "outside", "layer": "urban_boundary",
         "when": [{"activity": ["K70", "P83"]}, {"area_m2_at_least": 5000, "works": ["new"]}]},
        {"id": "M-INTAKE", "relation": "along_river", "layer": "intake", "upstream_m": 500, "downstream_m": 100},
        {"id": "M-STEEP", "effect": "restricted", "relation": "raster_above", "layer": "slope", "above": 25},
        {"id": "M-SOIL", "relation": "overlaps", "layer": "contaminated_parcel", "when": {"land_use": ["07", "08"]}},
        {"id": "M-DUTY", "effect": "duty", "relation": "overlaps", "layer": "district", "due": "2025-12-31"},
        {"id": "M-ASK", "effect": "duty", "relation": "overlaps", "layer": "urban_boundary",
         "when": {"stores_hazardous": True}},
        {"id": "M-CANAL", "effect": "restricted", "relation": "overlaps", "layer": "canal_zone",
         "when": {"takes_groundwater": True}},
        {"id": "M-WET", "relation": "overlaps", "layer": "wetland"},
        {"id": "M-NOISE", "effect": "restricted", "relation": "overlaps", "layer": "noise_zone"},
        {"id": "M-OLD", "relation": "overlaps", "layer": "eco_redline", "until": "2024-12-31"},
        {"id": "M-UNREAD", "relation": "overlaps", "layer": "park", "cite": CITE | {"verified": False}},
    ]  # fmt: skip
    given = {"effect": "prohibited", "since": "2011-11-01", "cite": CITE}
    return [{"title": f"规则 {rule['id']}"} | given | rule for rule in rules]


def _write_grids(folder: Path) -> list[dict[str, Any]]:
    """Write land cover of two dates and a slope, 10 m to a pixel, and return their entries."""
    rows, columns = np.indices((300, 400))
    before = np.where(rows < 90, 1, np.where(columns < 150, 3, 4)).astype(np.uint8)
    before[145:152] = 5
    after = before.copy()
    after[20:50, 50:70] = 4
    after[200:212, 20:40] = 1
    after[60:64, 300:330] = 2
    slope = np.hypot(rows - 40, columns - 80).astype(np.float32)
    slope = np.where(slope < 60, 60 - slope, 0).astype(np.float32)
    slope[250:, :50] = -1
    entries = []
    for name, kind, values, nodata in (
        ("land_cover_2020", "land_cover", before, 0),
        ("land_cover_2025", "land_cover", after, 0),
        ("slope", "slope", slope, -1),
    ):
        write_grid(folder / f"{name}.tif", values, nodata)
        entry = {"kind": kind, "name": name, "path": f"{name}.tif", "status": "official", "coverage": "extent"}
        entry |= {"date": f"{name[-4:]}-06-01" if kind == "land_cover" else "2024-06-01", "accuracy_m": 10}
        entry |= {"classes": {str(number): word for number, word in COVER.items()}} if kind == "land_cover" else {}
        entries.append(entry | {"source": SOURCE})
    return entries


def write_grid(path: Path, values: NDArray[Any], nodata: float) -> Path:
    """Write an array, rows from the north, as a GeoTIFF of 10 m pixels over the made district."""
    import rasterio
    from rasterio.transform import from_origin

    profile = {"driver": "GTiff", "count": 1, "height": values.shape[0], "width": values.shape[1], "crs": CRS}
    transform = from_origin(EAST, NORTH + 10 * values.shape[0], 10, 10)
    with rasterio.open(path, "w", **profile, dtype=values.dtype, transform=transform, nodata=nodata) as raster:
        raster.write(values, 1)
    return path
