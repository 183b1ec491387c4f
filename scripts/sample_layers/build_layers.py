"""Build the shipped plans under ``layers/`` from real outlines and hand-written control points.

    python scripts/sample_layers/build_layers.py            write every layer, plan.yaml and the examples
    python scripts/sample_layers/build_layers.py --check    write nothing; fail when a file is not what would be written
    python scripts/sample_layers/build_layers.py nanjing-gulou    only this plan, also with --check

Input is ``sources/`` beside this file (outlines, with origin and licence) and ``drawn/<plan>.yaml`` (what was drawn).
One more district is one more YAML file. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import shapely
import yaml
from build_examples import build_examples
from cover_drawing import land_covers, same_pixels
from plan_drawing import CGCS2000, DECIMALS, Drawing

from ecospatial import crs

if TYPE_CHECKING:
    from plan_drawing import Feature
    from pyproj import CRS
    from shapely import Geometry

HERE = Path(__file__).resolve().parent
LAYERS = HERE.parent.parent / "layers"
SAME_DEG = 2e-7  # two versions of GEOS may differ in the last decimals; --check lets 2 cm pass
PUBLISHER = "ecospatial 项目"
PLAN_HEAD = (
    "# Written by scripts/sample_layers/build_layers.py from its drawn/{name}.yaml: change it there, not here.\n"
)


# ---------------------------------------------------------------------------------------------- writing


def lonlat_geojson(geometry: Geometry, metric: CRS) -> dict[str, Any]:
    """Turn a geometry in metres into GeoJSON in CGCS2000, rounded, rings the way RFC 7946 wants them."""
    turned = crs.transform(np.array([geometry], dtype=object), metric, CGCS2000)[0]
    shape = shapely.transform(turned, lambda c: c.round(DECIMALS))
    if not shape.is_valid:  # rounding made narrow places touch
        shape = shapely.transform(shapely.set_precision(turned, 10.0**-DECIMALS), lambda c: c.round(DECIMALS))
    if shapely.get_type_id(shape) in (3, 6):
        shape = shapely.orient_polygons(shapely.normalize(shape))
    if not shape.is_valid or shape.is_empty:
        raise ValueError(f"a drawn shape is not valid: {shapely.is_valid_reason(shape)}")
    found: dict[str, Any] = json.loads(shapely.to_geojson(shape))
    return found


def geojson(name: str, features: list[Feature], metric: CRS) -> bytes:
    """Write features as GeoJSON, one a line."""
    lines = [
        json.dumps(
            {"type": "Feature", "properties": properties, "geometry": lonlat_geojson(geometry, metric)},
            ensure_ascii=False,
            separators=(",", ":"),
            default=str,  # dates
        )
        for properties, geometry in features
    ]
    crs_member = json.dumps({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}})
    head = f'{{"type":"FeatureCollection","name":"{name}",\n"crs":{crs_member},\n"features":[\n'
    return (head + ",\n".join(lines) + "\n]}\n").encode()


class PlainDumper(yaml.SafeDumper):
    """YAML without anchors, which plan.yaml may not hold."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write everything out."""
        return True


def plan_yaml(content: dict[str, Any], hashes: dict[str, str]) -> bytes:
    """Write plan.yaml with the hash of every layer."""
    layers = []
    for layer in content["layers"]:
        entry = dict(layer)
        if entry.get("present", "held") == "held":
            kind = entry["kind"]
            path = entry.get("path", f"{kind}.geojson")
            source = entry.pop("source")
            if isinstance(source, str):
                publisher = content.get("publisher", PUBLISHER)
                source = {"publisher": publisher, "title": source, "retrieved": content["retrieved"]}
                source |= {"licence": "Apache-2.0", "url": None}
            entry = {"kind": kind, "path": path, "status": content.get("status", "schematic"), **entry}
            # A position that was drawn by hand is a guess; the figure beside an outline that was taken over is stated.
            entry.setdefault("accuracy_basis", "guessed" if entry["status"] == "schematic" else "stated")
            entry |= {"source": source, "sha256": hashes[path]}
        layers.append(entry)
    plan = {k: content[k] for k in ("name", "title", "crs", "packs", "review_number")} | {"layers": layers}
    text = yaml.dump(plan, Dumper=PlainDumper, allow_unicode=True, sort_keys=False, width=110)
    return (PLAN_HEAD.format(name=content["name"]) + text).encode()


def build(drawn: Path) -> dict[str, bytes]:
    """Build all files of one plan: path below the plan's folder -> bytes."""
    drawing = Drawing(yaml.safe_load(drawn.read_text(encoding="utf-8")))
    held = [layer for layer in drawing.content["layers"] if layer.get("present", "held") == "held"]
    kinds = [layer["kind"] for layer in held if "path" not in layer]
    files = {f"{kind}.geojson": geojson(kind, drawing.features(kind), drawing.crs) for kind in kinds}
    files |= land_covers(drawing)
    hashes = {name: hashlib.sha256(found).hexdigest() for name, found in files.items()}
    files["plan.yaml"] = plan_yaml(drawing.content, hashes)
    return files | build_examples(drawing)


# -------------------------------------------------------------------------------------------- the command


def rows(package: bytes) -> list[Any]:
    """Give the rows of all layers of a GeoPackage."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(package)
        names = [name for (name,) in database.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
        return [(name, database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names]  # noqa: S608 - ours


def as_built(path: Path, content: bytes) -> bool:
    """Tell whether a file is what would be written; coordinates may differ by ``SAME_DEG``."""
    if not path.is_file():
        return False
    old = path.read_bytes()
    if path.suffix == ".gpkg":  # SQLite writes its own version into the file
        return rows(old) == rows(content)
    if path.suffix == ".fgb":  # the CRS stands in it in the words of the PROJ that wrote it
        frames = [pyogrio.read_dataframe(io.BytesIO(found)) for found in (old, content)]
        return bool(frames[0].equals(frames[1]))
    if path.suffix == ".tif":
        return same_pixels(old, content)
    if old == content or path.suffix not in (".yaml", ".geojson"):
        return old == content
    if path.suffix == ".yaml":
        plans = [yaml.safe_load(text) for text in (old, content)]
        for layer in plans[1]["layers"]:
            if "sha256" in layer and (path.parent / layer["path"]).is_file():
                layer["sha256"] = hashlib.sha256((path.parent / layer["path"]).read_bytes()).hexdigest()
        return bool(plans[0] == plans[1])
    before, after = (json.loads(text)["features"] for text in (old, content))
    if [f["properties"] for f in before] != [f["properties"] for f in after]:
        return False
    shapes = [shapely.from_geojson([json.dumps(f["geometry"]) for f in fs]) for fs in (before, after)]
    return bool((shapely.hausdorff_distance(*shapes) < SAME_DEG).all())


def main(arguments: list[str] | None = None) -> int:
    """Write all plans, or tell which files are not what would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file differs")
    parser.add_argument("plans", nargs="*", help="names of plans (default: all)")
    parser.add_argument("--out", type=Path, default=LAYERS, help="folder of the plans (default: layers)")
    options = parser.parse_args(arguments)
    wrong = []
    drawings = {drawn.stem: drawn for drawn in sorted((HERE / "drawn").glob("*.yaml"))}
    unknown = sorted(set(options.plans) - set(drawings))
    if unknown:
        parser.error(f"no drawing of {', '.join(unknown)}; there is {', '.join(drawings)}")
    for drawn in (path for name, path in drawings.items() if not options.plans or name in options.plans):
        folder = options.out / drawn.stem
        for name, content in build(drawn).items():
            path = folder / name
            if options.check:
                wrong += [] if as_built(path, content) else [f"{drawn.stem}/{name}"]
                continue
            if path.is_file() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_bytes(content)
            fresh.replace(path)
            print(f"{drawn.stem}/{name}: {len(content):,} bytes")
    if wrong:
        print("not what scripts/sample_layers/build_layers.py would write:", *wrong, sep="\n  ", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
