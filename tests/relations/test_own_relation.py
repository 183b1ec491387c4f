"""A relation that the package does not know, defined here alone, goes through everything; and so does each it knows."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass

import docx
import numpy as np
import pandas as pd
import pytest
import shapely
from made_plans import SOURCE, district, layer, plan_folder, rule, sites
from made_rasters import write
from project_paths import ROOT

import ecospatial as es
from ecospatial import rules
from ecospatial.model import RELATION_SPECS, Parameter, RelationSpec
from ecospatial.raster.monitor import severity
from ecospatial.relations import RELATIONS, Measures, Question, Relation, register_relation
from ecospatial.relations._wording import LENGTH, SIZE

ZONE = shapely.box(499000, 3519000, 500000, 3520000)
BESIDE = shapely.box(500000, 3519100, 500100, 3519400)  # shares an edge of 300 m with the zone
SHORT = shapely.box(500000, 3519600, 500100, 3519650)  # shares one of 50 m
APART = shapely.box(500200, 3519600, 500300, 3519700)


@dataclass(frozen=True)
class LongEdge(Relation):
    """Shares an edge of more than some metres with a feature."""

    def measure(self, question: Question) -> Measures:
        """Measure the shared edge with each feature."""
        found = Measures.around(question.nearest)
        limit = question.rule.parameter("longer_than_m")
        site, piece = question.target.pieces.tree.query(question.sites.geometry, predicate="intersects")
        pairs = {(row, question.target.pieces.owner[at]) for row, at in zip(site, piece, strict=True)}
        for row, feature in sorted(pairs):
            site_edge, zone_edge = question.sites.geometry[row].boundary, question.target.geometry[feature].boundary
            edge = shapely.line_merge(shapely.intersection(site_edge, zone_edge))
            found.margin_m[row] = abs(edge.length - limit)
            if edge.length > limit:
                found.touched[row], found.feature[row], found.features[row] = True, feature, 1
                found.conflict[row], found.overlap_length_m[row] = edge, edge.length
        return found

    def make_teller(self, rule):
        """Word the edge."""
        limit = rule.parameter("longer_than_m")

        def tell(name, case, _):
            edge = ("共边 ", SIZE, " m，") if case == LENGTH else ()
            return (f"与{name}", *edge, f"共边限 {limit:g} m")

        return tell

    def advise(self, row, rule, size, metres):  # noqa: ARG002 - what every relation is asked
        """Say what to do."""
        return f"缩短与该范围的共边{size('共边')}"


@pytest.fixture
def own():
    spec = RelationSpec("long_edge", "长共边", (Parameter("longer_than_m"),), areas_only=True)
    yield register_relation(LongEdge(spec, overlay_group="long_edge"))
    del RELATIONS["long_edge"], RELATION_SPECS["long_edge"]


@pytest.fixture
def folder(own, tmp_path):

    place = tmp_path / "plan"
    place.mkdir()
    entries = [district(place), layer(place, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]})]
    limit = rule("LE", relation="long_edge", layer="control_zone", longer_than_m=100)
    assert own.spec.name == "long_edge"
    return plan_folder(place, entries, limit)


def test_a_pack_has_to_state_its_parameter_and_no_other_relation_may(own, tmp_path):
    assert own is RELATIONS["long_edge"]
    base = rule("LE", relation="long_edge", layer="control_zone")
    for keys, told in (({}, "long_edge 需要此键"), ({"longer_than_m": 5, "within_m": 3}, "long_edge 不用此键")):
        place = plan_folder(tmp_path / str(len(keys)), [], base | keys)
        with pytest.raises(es.RuleError, match=told):
            rules.read_pack(place / "own.yaml")
    place = plan_folder(tmp_path / "near", [], rule("N", longer_than_m=5))
    with pytest.raises(es.RuleError, match="near 不用此键"):
        rules.read_pack(place / "own.yaml")
    line = rule("L", relation="long_edge", layer="bank_line", longer_than_m=5)
    with pytest.raises(es.RuleError, match="long_edge 只能用于面图层"):
        rules.read_pack(plan_folder(tmp_path / "line", [], line) / "own.yaml")


def test_a_relation_of_ones_own_goes_through_everything(folder, tmp_path):
    plan = es.open_plan(folder)
    made = sites(BESIDE, SHORT, APART, ids=["long", "short", "apart"])
    found = es.check(made, plan, on="2026-11-20")
    assert found.frame["verdict"].tolist() == ["prohibited", "clear", "clear"]
    # |300 - 100| and |50 - 100| metres of edge.
    assert found.frame["margin_m"].tolist()[:2] == [200.0, 50.0]
    assert "共边 300.0 m，共边限 100 m" in found.frame["reason"].iloc[0]
    files = {path.name: path for path in found.write(tmp_path / "out", formats=["html", "docx", "json", "map", "xlsx"])}
    assert "长共边" in files["report.html"].read_text(encoding="utf-8")
    assert any("缩短与该范围的共边" in p.text for p in docx.Document(files["report.docx"]).paragraphs) or any(
        "缩短与该范围的共边" in cell.text
        for table in docx.Document(files["report.docx"]).tables
        for row in table.rows
        for cell in row.cells
    )
    assert json.loads(files["findings.json"].read_text(encoding="utf-8"))["rules"][0]["relation"] == "long_edge"
    assert es.read_findings(files["findings.json"]).frame["verdict"].tolist() == found.frame["verdict"].tolist()
    pieces = es.base_map(plan, activity="C26", on="2026-11-20")
    assert pieces["area_m2"].sum() == pytest.approx(plan.area.area, rel=1e-9)
    ways = found.remedies()
    assert ways.loc["short", "shift_m"] == 0.0
    assert len(es.compare(plan, plan, made, on="2026-11-20")) == 0
    assert rules.lint(plan.rules) is not None
    assert len(es.draw(found).get_root().render()) > 1000


# ------------------------------------------------------------------------------------ each one of the package

BANK = shapely.LineString([(500000, 3510000), (500000, 3530000)])
INSIDE, FAR = shapely.box(499400, 3519400, 499500, 3519500), shapely.box(503000, 3519400, 503100, 3519500)
HIT = {
    "near": INSIDE,
    "overlaps": INSIDE,
    "outside": FAR,
    "along_river": shapely.box(499400, 3519990, 499500, 3520090),  # in the river, 500 m above the intake
    "raster_above": shapely.box(500120, 3520000, 500140, 3520020),  # where the slope is 30 degrees
}
CLEAR = {
    "near": FAR,
    "overlaps": FAR,
    "outside": INSIDE,
    "along_river": shapely.box(499400, 3521000, 499500, 3521100),
    "raster_above": shapely.box(500020, 3520000, 500040, 3520020),  # where it is 10 degrees
}


def plan_with(name, folder):
    """A plan with one rule of a relation."""
    folder.mkdir(parents=True)
    zone = {"columns": {"zone_type": ["清水通道维护区"]}, "coverage": "district+5000"}
    wide = {"coverage": "district+5000"}
    if name == "near":
        entries, keys = [layer(folder, "bank_line", BANK, columns={"river": ["甲河"]}, **wide)], {"layer": "bank_line"}
    elif name == "along_river":
        river = shapely.LineString([(492000, 3520000), (508000, 3520000)])
        water = shapely.box(492000, 3519980, 508000, 3520020)
        intake = {"source_name": ["水厂"], "river": ["甲河"]}
        entries = [
            layer(folder, "intake", shapely.Point(500000, 3520015), columns=intake, **wide),
            layer(folder, "river_centreline", river, columns={"river": ["甲河"], "width_m": [40]}, **wide),
            layer(folder, "bank_line", water, columns={"river": ["甲河"]}, **wide),
        ]
        keys = {"layer": "intake", "upstream_m": 1000, "downstream_m": 100}
    elif name == "raster_above":
        values = np.full((20, 20), 10.0, dtype=np.float32)
        values[:, 10:] = 30.0  # east of x = 500100
        path = write(folder / "slope.tif", values, nodata=-9999)
        entries = [
            {"kind": "slope", "name": "slope", "path": path.name, "date": "2024-05-01", "status": "official",
             "coverage": "extent", "accuracy_m": 10, "source": dict(SOURCE)},
        ]  # fmt: skip
        keys = {"layer": "slope", "above": 25}
    else:
        entries, keys = [layer(folder, "control_zone", ZONE, **zone)], {"layer": "control_zone"}
    return plan_folder(folder, [district(folder), *entries], rule("R", relation=name, **keys))


@pytest.mark.parametrize("name", list(HIT))
def test_every_relation_goes_through_check_map_report_base_map_remedies_and_compare(name, tmp_path):
    plan = es.open_plan(plan_with(name, tmp_path / "plan"))
    made = sites(HIT[name], CLEAR[name], ids=["hit", "clear"])
    found = es.check(made, plan, on="2026-11-20")
    assert found.frame["verdict"].tolist() == ["prohibited", "clear"]
    files = {path.name: path for path in found.write(tmp_path / "out", formats=["html", "docx", "json", "gpkg", "map"])}
    label = RELATION_SPECS[name].label
    assert label in files["report.html"].read_text(encoding="utf-8")
    for file in ("findings.gpkg", "findings.json"):
        assert es.read_findings(files[file]).frame["verdict"].tolist() == ["prohibited", "clear"]
    pieces = es.base_map(plan, activity="C26", on="2026-11-20")
    assert pieces["area_m2"].sum() == pytest.approx(plan.area.area, rel=1e-9)
    assert "prohibited" in set(pieces["verdict"])
    here = pieces[pieces.contains(found.frame.geometry.iloc[0].representative_point())]
    assert here["rule_ids"].tolist() == ["R"]
    ways = found.remedies()
    assert ways.loc["hit", "free_m2"] < HIT[name].area
    assert ways.loc["clear", "shift_m"] == 0.0
    assert len(es.compare(plan, plan, made, on="2026-11-20")) == 0


@pytest.mark.parametrize("name", list(HIT))
def test_monitoring_counts_rules_of_the_relations_that_are_watched(name, tmp_path):
    plan = es.open_plan(plan_with(name, tmp_path / "plan"))
    kind = plan.rules[0].layer
    found = severity(plan.rules, kind, pd.Series({"zone_type": "清水通道维护区", "river": "甲河"}))
    assert (found.effect == "prohibited") is RELATION_SPECS[name].watched
    assert RELATION_SPECS[name].watched is (name in ("near", "overlaps"))


def test_every_relation_is_registered_with_its_entry():
    assert set(RELATIONS) == set(RELATION_SPECS) == {"overlaps", "near", "outside", "along_river", "raster_above"}
    assert all(relation.spec is RELATION_SPECS[name] for name, relation in RELATIONS.items())
    assert len({relation.spec.label for relation in RELATIONS.values()}) == len(RELATIONS)


def test_nobody_else_compares_the_relation_of_a_rule_with_a_text():
    places = []
    for path in sorted((ROOT / "ecospatial").rglob("*.py")):
        if path.parent.name == "relations":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                parts = [node.left, *node.comparators]
                if any(isinstance(part, ast.Attribute) and part.attr == "relation" for part in parts):
                    places.append(f"{path.name}:{node.lineno}")
    assert places == []


def test_what_no_picture_of_ones_own_measures_stays_untouched(own):
    assert isinstance(own, LongEdge)
    assert np.array_equal(own.place_along(np.array([5.0, -5.0])), [0, 0])
