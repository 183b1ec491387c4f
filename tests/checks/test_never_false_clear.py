"""What is renamed, blanked, emptied, deleted or cut short never turns into "clear"."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_plans import CITE, SOURCE, district, layer, plan_folder, rule, sites

import ecospatial as es
from ecospatial.model import KINDS, NAME_COLUMNS
from ecospatial.plans import data_folder
from ecospatial.rules import read_pack

ON = dt.date(2026, 11, 20)
PACKS = sorted((data_folder("layers") / "packs").glob("*.yaml"))
GENTLE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BOX = shapely.box(499800, 3519800, 500200, 3520200)
FAR = shapely.box(505000, 3525000, 505300, 3525300)
SITE = shapely.box(499950, 3519950, 500050, 3520050)


def asked_with_where():
    """Every different question of shipped rules that names values of a column."""
    found = {}
    for path in PACKS:
        for one in read_pack(path):
            if one.where and one.in_force(ON):
                key = one.relation, one.layer, one.where, one.within_m, one.upstream_m, one.downstream_m
                found.setdefault(key, one)
    return list(found.values())


QUESTIONS = asked_with_where()
assert len(QUESTIONS) > 30


def shape_of(kind, box):
    shape = KINDS[kind].shape
    if shape == "point":
        return box.centroid
    if shape == "line":
        return shapely.LineString([(box.bounds[0], box.centroid.y), (box.bounds[2], box.centroid.y)])
    return box


def restated(one):
    """The rule as a pack would hold it, for everybody and verified."""
    made = {
        "relation": one.relation, "layer": one.layer, "within_m": one.within_m if one.relation == "near" else ...,
        "where": {column: [{"true": True, "false": False}.get(value, value) for value in values]
                  for column, values in one.where},
    }  # fmt: skip
    if one.relation == "along_river":
        made |= {"upstream_m": one.upstream_m, "downstream_m": one.downstream_m, "within_m": ...}
    return rule("Q", **made, cite=dict(CITE))


def filled(kind, first, others):
    """Columns of two features: what is given first, what is given for the other one, and what a kind must have."""
    columns = {}
    for column in KINDS[kind].columns:
        if column.name in first or column.name in others or column.required:
            rest = column.words[0] if column.words else "甲"
            columns[column.name] = [first.get(column.name, rest), others.get(column.name, rest)]
    return columns


def checked(folder, one, first, others):
    """Check a site on the first of two features, of which the other lies far away."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [shape_of(one.layer, BOX), shape_of(one.layer, FAR)]
    entries = [district(folder), layer(folder, one.layer, shapes, columns=filled(one.layer, first, others),
                                       coverage="district+5000")]  # fmt: skip
    if one.relation == "along_river":
        line = shapely.LineString([(500000, 3511000), (500000, 3529000)])
        bank = shapely.box(499990, 3511000, 500010, 3529000)
        for kind, shape in (("river_centreline", line), ("bank_line", bank)):
            river = matching(one).get("river", "甲")
            entries.append(layer(folder, kind, shape, columns={"river": [river]}, coverage="district+5000"))
    plan = es.open_plan(plan_folder(folder, entries, restated(one)))
    return es.check(sites(SITE), plan, on=ON).frame.iloc[0]


def matching(one):
    return {column: _value(values[0]) for column, values in one.where}


def _value(text):
    return {"true": True, "false": False}.get(text, text)


# How a value may be written, and whether the other feature of the layer carries the value as the rule writes it.
NAMES = [
    (lambda name: f"{name}常州段", True), (lambda name: f"{name}（城区段）", False), (lambda name: f"{name}支河", True),
    (lambda name: f" {name}段　", False), (lambda name: f"武进{name}", False), (lambda _: None, True),
    (lambda _: "另一个名字", False),
]  # fmt: skip
WORDS = [(lambda _: None, True), (lambda _: "词表以外的词", True), (lambda _: "词表以外的词", False)]


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one.id)
def test_a_value_written_otherwise_never_clears_what_it_hit(tmp_path, one):
    sure = checked(tmp_path / "sure", one, matching(one), matching(one))
    assert sure.verdict == ("clear" if one.relation == "outside" else "prohibited")
    for column, values in one.where:
        answers = KINDS[one.layer].column(column).type == "bool"
        changes = NAMES if column in NAME_COLUMNS else WORDS[:1] if answers else WORDS
        for number, (change, carried) in enumerate(changes):
            first = matching(one) | {column: change(values[0])}
            row = checked(tmp_path / f"{column}-{number}", one, first, matching(one) if carried else first)
            assert row.verdict != "clear", (column, first[column], row.reason)


@GENTLE
@given(
    prefix=st.text("上下东西常州武进", max_size=3),
    suffix=st.sampled_from(["", "段", "河段", "江段", "支河", "延伸段", "（钟楼段）"]),
    wide=st.booleans(), named=st.sampled_from(["京杭运河", "新孟河", "长江", "扁担河"]),
)  # fmt: skip
def test_a_river_with_anything_around_its_name_never_clears(tmp_path_factory, prefix, suffix, wide, named):
    written = f"{prefix}{named}{suffix}"
    written = written.replace("（", "(").replace("）", ")") if wide else written
    folder = tmp_path_factory.mktemp("named")
    bank = layer(folder, "bank_line", BOX, columns={"river": [written]}, coverage="district+5000")
    near = rule("N", where={"river": [named]}, within_m=100)
    found = es.check(sites(SITE), es.open_plan(plan_folder(folder, [district(folder), bank], near)), on=ON)
    assert found.frame.verdict.iloc[0] in ("prohibited", "needs_facts")
    assert found.summary.headline.iloc[0] in ("prohibited", "undecided")


def test_the_protected_function_read_as_the_type_of_a_zone_never_clears(tmp_path):
    wanted = rule("Z", relation="overlaps", layer="control_zone", where={"zone_type": ["清水通道维护区"]})
    zone = layer(tmp_path, "control_zone", BOX, columns={"zone_type": ["水源水质保护"]})
    found = es.check(sites(SITE, FAR), es.open_plan(plan_folder(tmp_path, [district(tmp_path), zone], wanted)), on=ON)
    assert found.frame.verdict.tolist() == ["needs_facts", "clear"]
    assert found.frame.certain.tolist() == [False, False]
    assert "水源水质保护" in found.frame.reason.iloc[0]
    assert found.summary.headline.tolist() == ["undecided", "no_conflict"]


# -------------------------------------------------------------------------------------- layers of shipped plans

DISTRICTS = ["changzhou-tianning", "changzhou-zhonglou", "nanjing-gulou"]


def spread(plan, count=40):
    """Sites all over a district, of chemical works."""
    west, south, east, north = plan.area.bounds
    random = np.random.default_rng(3)
    corners = random.uniform((west, south), (east, north), (count, 2))
    return gpd.GeoDataFrame(
        {"site_id": [str(i) for i in range(count)], "activity": "C26", "works": "new"},
        geometry=[shapely.box(x, y, x + 100, y + 100) for x, y in corners], crs=plan.crs,
    )  # fmt: skip


def delete(folder, entry):
    (folder / entry["path"]).unlink()


def empty(folder, entry):
    path = folder / entry["path"]
    if path.suffix == ".geojson":
        content = json.loads(path.read_text(encoding="utf-8")) | {"features": []}
        path.write_text(json.dumps(content), encoding="utf-8")
        entry["sha256"] = None
    else:
        path.write_bytes(b"")


def cut(_, entry):
    entry["coverage"] = "unknown"


@pytest.mark.parametrize("name", DISTRICTS)
@pytest.mark.parametrize("damage", [delete, empty, cut], ids=lambda damage: damage.__name__)
def test_layers_deleted_emptied_or_without_coverage_clear_nobody(tmp_path, name, damage):
    folder = tmp_path / name
    shutil.copytree(data_folder("layers") / name, folder)
    content = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    touched = set()
    for entry in content["layers"]:
        if entry.get("present", "held") == "held" and entry["kind"] != "district":
            damage(folder, entry)
            touched.add(entry["kind"])
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    plan = es.open_plan(folder)
    found = es.check(spread(plan), plan, on=ON)
    # What features cover wholly is not outside of them, however far the layer is complete.
    passed = "outside" if damage is cut else None
    read = {one.id: one.layer for one in plan.rules if one.in_force(ON) and one.relation != passed}
    concerned = found.frame[found.frame.rule_id.map(read).isin(touched).to_numpy()]
    assert len(concerned) > 100
    assert not (concerned.verdict == "clear").any()
    assert not found.summary.headline.isin(["clear"]).any()
    whole = es.check(spread(plan), es.open_plan(name), on=ON).frame
    hit = whole.verdict.isin(["prohibited", "restricted"]).to_numpy()
    now = found.frame.verdict[hit]
    assert not (now == "clear").any()


def test_a_coverage_cut_short_takes_the_clear_away(tmp_path):
    zone = layer(tmp_path, "control_zone", BOX, columns={"zone_type": ["清水通道维护区"]}, coverage="extent")
    over = rule("Z", relation="overlaps", layer="control_zone")
    folder = plan_folder(tmp_path, [district(tmp_path), zone], over)
    assert es.check(sites(FAR), es.open_plan(folder), on=ON).frame.verdict.iloc[0] == "no_data"


def test_a_red_line_without_facts_inside_a_ban_never_reads_as_passed(tmp_path):
    ban = rule("Z", relation="overlaps", layer="control_zone", when={"activity": ["C26"], "works": ["new"]})
    soft = rule("S", relation="overlaps", layer="district", effect="restricted")
    zone = layer(tmp_path, "control_zone", BOX, columns={"zone_type": ["清水通道维护区"]})
    gone = {"kind": "eco_redline", "present": "none", "coverage": "district", "source": SOURCE}
    folder = plan_folder(tmp_path, [district(tmp_path), zone, gone], [ban, soft])
    found = es.check(sites(SITE), es.open_plan(folder), on=ON)
    assert found.summary.headline.iloc[0] == "undecided"
    paths = found.write(tmp_path / "out", formats=["json", "html", "map", "xlsx"])
    written = json.loads(next(p for p in paths if p.suffix == ".json").read_text(encoding="utf-8"))
    assert written["sites"][0]["headline"] == "undecided"
    assert written["sites"][0]["open"] == [{"rule_id": "Z", "open_by": "applicant"}]
    for path in paths:
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            assert "尚不能判定" in text
            assert "尚不能判定·" not in text
