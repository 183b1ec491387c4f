"""Measure base map and audit on made plans, from a district to a province: ``python3 scripts/benchmarks/base_map.py``.

Makes the environment first when it is not there. Arguments are numbers of features, 30 to 3000 without any.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

CRS = "EPSG:4549"
WEST, SOUTH = 500_000.0, 3_500_000.0
SOURCE = {"publisher": "made", "title": "made", "retrieved": "2026-11-20", "licence": "Apache-2.0", "url": None}
CITE = {"instrument": "made", "number": None, "article": "1", "verified": "2026-11-20"}
RULES = (
    {"id": "A", "relation": "overlaps", "layer": "basic_farmland"},
    {"id": "B", "relation": "overlaps", "layer": "eco_redline"},
    {"id": "C", "relation": "overlaps", "layer": "control_zone"},
    {"id": "D", "relation": "outside", "layer": "urban_boundary", "when": {"activity": ["C"]}},
    {"id": "E", "relation": "near", "layer": "bank_line", "within_m": 1000, "when": {"activity": ["C26"]}},
    {"id": "F", "relation": "near", "layer": "bank_line", "within_m": 200},
)


def main() -> int:
    """Measure one plan after another, each in a temporary folder."""
    environment.enter()
    import ecospatial as es

    for count in [int(text) for text in sys.argv[1:]] or [30, 300, 3000]:
        with tempfile.TemporaryDirectory() as folder:
            across_m = make(Path(folder), count)
            start = time.monotonic()
            pieces = es.base_map(es.open_plan(folder), activity="C26", on="2026-11-20")
            laid_out = time.monotonic() - start
            start = time.monotonic()
            rows = len(es.audit(es.open_plan(folder), on="2026-11-20").frame)
            audited = time.monotonic() - start
        off = pieces["area_m2"].sum() / across_m**2 - 1
        print(f"{count} features, {across_m / 1000:.0f} km across, {len(pieces)} pieces, sum off by {off:.0e}:")
        print(f"  base map {laid_out:.1f} s, audit {audited:.1f} s ({rows} rows)", flush=True)
    return 0


def make(folder: Path, count: int) -> float:
    """Write a plan of about so many features, as dense as a district's; give how far it reaches."""
    import numpy as np
    import shapely
    import yaml

    draw = np.random.default_rng(1)
    across_m = float(10_000.0 * np.sqrt(count / 30.0))
    layers = {
        "district": [shapely.box(WEST, SOUTH, WEST + across_m, SOUTH + across_m)],
        "basic_farmland": list(blobs(draw, count // 2, 400.0, across_m)),
        "eco_redline": list(blobs(draw, count // 6, 600.0, across_m)),
        "control_zone": list(blobs(draw, count // 10, 900.0, across_m)),
        "urban_boundary": list(blobs(draw, count // 15, 1200.0, across_m)),
        "bank_line": list(rivers(draw, count // 6, across_m)),
    }
    rules = [
        rule | {"title": rule["id"], "effect": "prohibited", "since": "2020-01-01", "cite": CITE} for rule in RULES
    ]
    (folder / "own.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    entries = [entry(folder, kind, shapes) for kind, shapes in layers.items()]
    plan = {"name": "made", "title": "made", "crs": CRS, "packs": ["./own.yaml"], "layers": entries}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return across_m


def entry(folder: Path, kind: str, shapes: list[Any]) -> dict[str, Any]:
    """Write one layer and give its entry for plan.yaml."""
    import geopandas as gpd

    words = {"control_zone": {"zone_type": "清水通道维护区"}, "bank_line": {"river": "河"}}.get(kind, {})
    columns = {name: [word] * len(shapes) for name, word in words.items()}
    path = folder / f"{kind}.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_file(path, driver="GPKG")
    coverage = {"district": "extent", "bank_line": "district+5000"}.get(kind, "district")
    made = {"kind": kind, "path": path.name, "status": "official", "coverage": coverage, "accuracy_m": 10}
    return made | {"source": SOURCE, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def blobs(draw: np.random.Generator, count: int, size_m: float, across_m: float) -> Iterator[Any]:
    """Draw areas of 120 vertices anywhere in the district."""
    import numpy as np
    import shapely

    angle = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    for x, y in draw.uniform(0.0, across_m, (count, 2)):
        waves = 0.25 * np.sin(3 * angle + draw.uniform(0, 6)) + 0.1 * np.sin(9 * angle + draw.uniform(0, 6))
        radius = size_m * np.exp(draw.normal(0, 0.4)) * (1 + waves)
        yield shapely.Polygon(np.column_stack([WEST + x + radius * np.cos(angle), SOUTH + y + radius * np.sin(angle)]))


def rivers(draw: np.random.Generator, count: int, across_m: float) -> Iterator[Any]:
    """Draw winding lines of 20 km."""
    import numpy as np
    import shapely

    for x, y in draw.uniform(0.0, across_m, (count, 2)):
        heading = draw.uniform(0.0, 6.0) + np.cumsum(draw.normal(0.0, 0.15, 100))
        east, north = WEST + x + np.cumsum(200 * np.cos(heading)), SOUTH + y + np.cumsum(200 * np.sin(heading))
        yield shapely.LineString(np.column_stack([east, north]))


if __name__ == "__main__":
    sys.exit(main())
