"""The shipped plans checked a second time by a slow, plain program that shares no code with the package.

It reads plan.yaml, the packs and the layers itself, loops over sites and rules, cuts whole geometries with shapely,
and measures on the ellipsoid with pyproj.Geod. Every verdict, distance and area must agree.
"""

from __future__ import annotations

import datetime as dt
import sys
from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml
from pyproj import Geod, Transformer
from shipped_plan import PLANS

import ecospatial as es
from ecospatial.checks.check import BLOCK
from ecospatial.plans import data_folder

pytestmark = pytest.mark.slow

LAYERS = data_folder("layers")
ON = dt.date(2026, 11, 20)
FACTS = (
    "discharges_to_water", "stores_hazardous", "new_outfall", "enlarges_aquaculture", "water_supply_works",
    "national_key_project", "linear_infrastructure", "harmless_crossing", "permitted_limited_activity",
)  # fmt: skip
# 用地用海分类指南, as far as the examples use names.
LAND_USE = {
    "城镇住宅用地": "0701", "设施农用地": "06", "坑塘水面": "1704", "商务金融用地": "0902", "水工设施用地": "13",
    "工业用地": "1001", "供水用地": "1301", "排水用地": "1302", "环卫用地": "13",
    "公园绿地": "1401", "公路用地": "1202", "商业用地": "0901", "教育用地": "0804", "河流水面": "1701", "湿地": "05",
}  # fmt: skip
TO_DEGREES = Transformer.from_crs(4549, 4490, always_xy=True)


SIDE_FILES = {".shx", ".dbf", ".prj", ".cpg"}


def example_sites(plan):
    folder = LAYERS / plan.name / "examples"
    files = sorted(path for path in folder.glob("sites.*") if path.suffix not in SIDE_FILES)
    facts = folder / "facts.csv"
    return es.read_sites(files, plan=plan, facts=facts if facts.exists() else None)


@cache
def plan_yaml(name):
    return yaml.safe_load((LAYERS / name / "plan.yaml").read_text(encoding="utf-8"))


@cache
def frame_of(name, path):
    return gpd.read_file(LAYERS / name / path).to_crs(4549)


def in_force(name):
    """The version of each rule that stands on the day, in pack order; None when there is none."""
    versions = {}
    for pack in plan_yaml(name)["packs"]:
        for rule in yaml.safe_load((LAYERS / "packs" / f"{pack}.yaml").read_text(encoding="utf-8")):
            standing = versions.setdefault(rule["id"], [])
            until = rule.get("until") or dt.date.max
            if rule["since"] <= ON <= until:
                standing.append(rule)
    return {id_: (standing[0] if standing else None) for id_, standing in versions.items()}


def known(value):
    return None if value is None or value != value or value == "" else value


def holds(condition, site):
    """True, False or None for unknown."""
    answers = []
    for key, wanted in condition.items():
        given = known(site.get(key))
        if key in FACTS:
            answers.append(None if given is None else bool(given) == wanted)
        elif key == "area_m2_at_least":
            answers.append(site["geometry"].area >= wanted)
        elif given is None:
            answers.append(None)
        elif key == "works":
            answers.append(given in wanted)
        else:
            codes = given.split(";") if key == "activity" else [LAND_USE.get(given, given)]
            hits = [code.startswith(w) for w in wanted for code in codes]
            vague = [w.startswith(code) for w in wanted for code in codes]
            answers.append(True if any(hits) else None if any(vague) else False)
    return False if False in answers else None if None in answers else True


def any_holds(conditions, site):
    items = conditions if isinstance(conditions, list) else [conditions]
    answers = [holds(item, site) for item in items]
    return True if True in answers else None if None in answers else False


def features_of(name, rule):
    """The features of the rule's kind that match ``where``; None when the kind is not held."""
    entries = [e for e in plan_yaml(name)["layers"] if e["kind"] == rule["layer"]]
    if any(e.get("present") == "missing" for e in entries) or not entries:
        return None, None
    area = district(name)
    coverage = entries[0].get("coverage", "unknown")
    around = float(coverage.split("+")[1]) if "+" in coverage else 0.0
    if entries[0].get("present") == "none":
        return gpd.GeoDataFrame(geometry=[], crs=4549), area.buffer(around)
    frame = frame_of(name, entries[0]["path"])
    for column, values in rule.get("where", {}).items():
        texts = ["true", "True"] if values == [True] else values
        frame = frame[frame[column].astype(str).isin(texts)]
    if "listed_on" in frame:
        day = ON.isoformat()
        removed = frame["removed_on"].map(lambda day: str(known(day) or "9999")[:10])
        listed = frame["listed_on"].map(lambda day: str(known(day) or "")[:10])
        frame = frame[(listed <= day) & (removed > day)]
    if coverage == entries[0]["path"]:
        return frame, shapely.union_all(frame_of(name, coverage).geometry.to_numpy())
    reach = frame_of(name, entries[0]["path"]).total_bounds if coverage == "extent" else None
    return frame, shapely.box(*reach) if reach is not None else area.buffer(around, quad_segs=256)


@cache
def district(name):
    entry = next(e for e in plan_yaml(name)["layers"] if e["kind"] == "district")
    return shapely.union_all(frame_of(name, entry["path"]).geometry.to_numpy())


def none_or_confirmed(name, rule):
    """Whether the kind does not exist there, or each value of the rule was confirmed as not being there."""
    (entry,) = [e for e in plan_yaml(name)["layers"] if e["kind"] == rule["layer"]]
    absent = entry.get("absent", {})
    where = rule.get("where", {})
    confirmed = bool(where) and all(set(values) <= set(absent.get(c, [])) for c, values in where.items())
    return entry.get("present") == "none" or confirmed


def name_is_open(name, rule):
    """Whether the rule names a river that the layer neither has nor is confirmed not to have."""
    wanted = set(rule.get("where", {}).get("river", []))
    for entry in plan_yaml(name)["layers"]:
        if entry["kind"] == rule["layer"] and entry.get("present", "held") == "held" and wanted:
            carried = set(frame_of(name, entry["path"])["river"])
            return bool(wanted - carried - set(entry.get("absent", {}).get("river", [])))
    return False


def expected(name, rule, site):
    """Verdict, distance and conflict of one site under one rule, the plain way."""
    if rule is None:
        return "not_applicable", None, None
    when = any_holds(rule["when"], site) if "when" in rule else True
    if when is False:
        return "not_applicable", None, None
    frame, coverage = features_of(name, rule)
    if frame is None:
        open_text = not rule["cite"]["verified"] or rule.get("not_stated")
        return "unsettled" if open_text else "no_data", None, None
    within, blind = float(rule.get("within_m", 0)), False
    shape = site["geometry"]
    distance = min((shapely.distance(shape, g) for g in frame.geometry), default=np.inf)
    together = shapely.union_all(frame.geometry.to_numpy())
    if rule["relation"] == "near":
        touched = distance <= within
        conflict = shape.intersection(together.buffer(within, quad_segs=256)) if touched and within else None
    else:
        conflict = shape.intersection(together) if rule["relation"] == "overlaps" else shape.difference(together)
        size = (
            conflict.area > 0.01 if shape.area else conflict.length > 0.001 if shape.length else not conflict.is_empty
        )
        touched = bool(size)
        if rule["relation"] == "outside" and touched:
            conflict = conflict.intersection(coverage)  # beyond the coverage nobody is outside
            touched, blind = conflict.area > 0.01, conflict.area <= 0.01
    covered = coverage.covers(shape) and shapely.distance(shape, coverage.boundary) >= within - 0.05
    duty = rule["effect"] == "duty"
    if not rule["cite"]["verified"] or rule.get("not_stated"):
        verdict = "unsettled"
    elif not touched and not len(frame) and not none_or_confirmed(name, rule):
        verdict = "no_data"
    elif not touched:
        verdict = "clear" if covered and not blind else "no_data"
    elif when is None and not duty:
        verdict = "needs_facts"
    elif "unless" in rule and any_holds(rule["unless"], site) is True:
        verdict = rule.get("effect_unless", "restricted")
    else:
        verdict = rule["effect"]
    return verdict, distance, conflict if touched else None


def geodesic_area(shape):
    total = 0.0
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon":
            continue
        for number, ring in enumerate((part.exterior, *part.interiors)):
            lon, lat = TO_DEGREES.transform(*shapely.get_coordinates(shapely.segmentize(ring, 100)).T)
            area = abs(Geod(ellps="GRS80").polygon_area_perimeter(lon, lat)[0])
            total += -area if number else area
    return total


@pytest.mark.parametrize(("name", "block"), [*((name, BLOCK) for name in PLANS), ("nanjing-gulou", 4)])
def test_every_verdict_distance_and_area_of_the_examples(name, block, monkeypatch):
    """All sites at once, and few at a time."""
    monkeypatch.setattr(sys.modules["ecospatial.checks.check"], "BLOCK", block)
    plan = es.open_plan(name)
    sites = example_sites(plan)
    assert len(sites) >= 10
    frame = es.check(sites, plan, on=ON).frame.set_index(["site_id", "rule_id"])
    rules = in_force(name)
    assert len(frame) == len(sites) * len(rules)
    seen = set()
    for site_id, row in sites.iterrows():
        for rule_id, rule in rules.items():
            if rule and rule["relation"] == "along_river":
                continue  # what lies along a river is measured another way in tests/relations/test_along_river.py
            found = frame.loc[(site_id, rule_id)]
            verdict, distance, conflict = expected(name, rule, row)
            where = f"{site_id} {rule_id}"
            assert found.verdict == verdict, where
            seen.add(verdict)
            if rule and name_is_open(name, rule):
                continue  # a river of another name may be it, and is measured too
            if distance is None or distance > float(rule.get("within_m", 0)) + 1000:
                assert rule is None or not found.distance_m <= float(rule.get("within_m", 0)) + 1000, where
            else:
                assert found.distance_m == pytest.approx(distance, abs=1e-3), where
            if conflict is not None and conflict.area > 1:
                assert found.overlap_m2 == pytest.approx(conflict.area, rel=2e-4), where
                assert found.overlap_ellipsoidal_m2 == pytest.approx(geodesic_area(conflict), rel=3e-4), where
                assert found.overlap_share == pytest.approx(conflict.area / row.geometry.area, abs=2e-4), where
    assert seen >= {"not_applicable", "clear", "unsettled", "no_data", "prohibited"}


@pytest.mark.parametrize("name", PLANS)
def test_areas_of_the_examples_on_the_ellipsoid(name):
    plan = es.open_plan(name)
    sites = example_sites(plan)
    summary = es.check(sites, plan, on=ON).summary
    for site_id, shape in sites.geometry.items():
        assert summary.area_ellipsoidal_m2[site_id] == pytest.approx(geodesic_area(shape), rel=1e-5, abs=0.01)
        assert summary.area_m2[site_id] == pytest.approx(shape.area)


@pytest.mark.parametrize("name", PLANS)
def test_no_near_rule_whose_layer_is_held_lacks_coverage_inside_the_district(name):
    plan = es.open_plan(name)
    west, south, east, north = district(name).bounds
    x, y = np.meshgrid(np.arange(west, east, 200.0), np.arange(south, north, 200.0))
    inside = shapely.contains_xy(district(name), x, y)
    grid = gpd.GeoDataFrame(geometry=shapely.points(x[inside], y[inside]), crs=4549)
    grid["activity"], grid["works"] = "B;C26;A03;H62", "new"
    assert len(grid) > 1000
    frame = es.check(grid, plan, on=ON).frame
    # A layer whose coverage is its extent says of itself that more may be missing: elsewhere nothing can be told.
    whole = [e for e in plan_yaml(name)["layers"] if e.get("present", "held") == "held" and e["coverage"] != "extent"]
    held = [e["kind"] for e in whole]
    near = [id_ for id_, r in in_force(name).items() if r and r["relation"] == "near" and r["layer"] in held]
    assert near
    asked = frame[frame.rule_id.isin(near)]
    assert set(asked.rule_id.unique()) == set(near)
    assert (asked.verdict != "no_data").all(), asked[asked.verdict == "no_data"].rule_id.value_counts().to_dict()
