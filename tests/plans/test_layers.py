"""The layers of the shipped plans, looked at with other means than those that built them.

What holds for every plan is asked of every plan; the rest is about changzhou-zhonglou.
"""

import datetime as dt
import hashlib
import importlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pyogrio
import pytest
import shapely
import yaml
from click.testing import CliRunner
from project_paths import SCRIPTS
from pyproj import CRS
from shipped_plan import (
    ALL_PLANS,
    CONTENT,
    HELD,
    HELD_OF_ALL,
    LAYERS,
    PLAN,
    PLANS,
    ROOT,
    SEVEN_RIVERS,
    SOURCES,
    area_km2,
    by_river,
    features,
    in_metres,
    metres,
    shipped,
)

from ecospatial import model
from ecospatial.cli.root import cli


@pytest.fixture(scope="module")
def district():
    ((_, geometry),) = in_metres("district")
    return geometry


# ------------------------------------------------------------------------------------------- the district


def outline(plan, name, key, value):
    found = json.loads((SOURCES / name).read_text(encoding="utf-8"))["features"]
    (geometry,) = [f["geometry"] for f in found if f["properties"][key] == value]
    return plan.metres(shapely.from_geojson(json.dumps(geometry)))


def best_shift(moving, fixed):
    """Move one outline over the other until they agree best, halving the step: east and north, metres."""
    at = np.zeros(2)

    def agreement(shift):
        return shapely.area(shapely.intersection(shapely.transform(moving, lambda c: c + shift), fixed))

    for step in (160, 80, 40, 20, 10, 5):
        while True:
            tries = [at + np.array(d) * step for d in itertools.product((-1, 0, 1), repeat=2)]
            best = max(tries, key=agreement)
            if agreement(best) <= agreement(at):
                break
            at = best
    return at


@pytest.mark.parametrize("name", PLANS)
def test_the_district_lies_where_it_should(name):
    plan = shipped(name)
    ((properties, _),) = plan.features("district")
    code = properties["adcode"]
    district, coarse = plan.district(), outline(plan, "districts_tianditu_cgcs2000.geojson", "gb", f"156{code}")
    assert np.hypot(*best_shift(district, coarse)) < 50
    assert district.intersection(coarse).area / district.union(coarse).area >= 0.92
    left_alone = outline(plan, "districts_amap_gcj02.geojson", "adcode", code)
    assert np.hypot(*best_shift(left_alone, coarse)) > 400  # what this test is there to find


PUBLISHED_KM2 = {"changzhou-tianning": 154.84, "changzhou-zhonglou": 132.93, "nanjing-gulou": 54.18}


@pytest.mark.parametrize("name", PLANS)
def test_the_district_is_as_large_as_published(name):
    ((properties, geometry),) = shipped(name).features("district")
    assert area_km2(geometry) == pytest.approx(PUBLISHED_KM2[name], rel=0.02)
    assert properties["adcode"] == {"zhonglou": "320404", "tianning": "320402", "gulou": "320106"}[name.split("-")[1]]


# --------------------------------------------------------------------------------------------- plan.yaml


def test_plan_yaml_says_what_the_plan_is():
    assert CONTENT["name"] == "changzhou-zhonglou"
    assert CONTENT["crs"] == "EPSG:4549"
    assert {"national", "taihu", "yangtze", "changzhou-zhonglou"} <= set(CONTENT["packs"])
    assert all(kind in model.KINDS for kind in LAYERS)
    assert {
        "district", "town", "river_centreline", "bank_line", "control_zone", "sewage_plant", "outfall",
        "monitoring_section", "contaminated_parcel", "basic_farmland", "urban_boundary", "sewer_catchment",
    } == set(HELD)  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), HELD_OF_ALL)
def test_a_held_layer_has_its_hash_and_its_provenance(name, kind):
    plan = shipped(name)
    layer = plan.layers[kind]
    assert hashlib.sha256((plan.folder / layer["path"]).read_bytes()).hexdigest() == layer["sha256"]
    assert layer["coverage"] in ("extent", "district", "district+5000", "unknown", layer["path"])
    assert layer["source"]["retrieved"] == dt.date(2026, 11, 20)
    assert all(layer["source"][key] for key in ("publisher", "title", "licence"))


@pytest.mark.parametrize(("name", "kind"), [held for held in HELD_OF_ALL if held[1] != "district"])
def test_a_drawn_layer_says_that_it_is_drawn(name, kind):
    layer = shipped(name).layers[kind]
    assert (layer["status"], layer["accuracy_basis"]) == ("schematic", "guessed")
    assert 150 <= layer["accuracy_m"] <= 2000
    assert "示意" in layer["source"]["title"]
    assert layer["source"]["publisher"] == "ecospatial 项目"


@pytest.mark.parametrize("name", PLANS)
def test_only_the_district_is_public(name):
    plan = shipped(name)
    assert [layer["kind"] for layer in plan.content["layers"] if layer.get("status") == "public"] == ["district"]
    assert "GCJ-02" in plan.layers["district"]["source"]["title"]
    assert plan.layers["district"]["accuracy_basis"] == "stated"


@pytest.mark.parametrize("name", PLANS)
def test_what_is_confirmed_as_absent_is_named_by_a_rule_and_not_drawn(name):
    plan = shipped(name)
    packs = [ROOT / "layers" / "packs" / f"{pack}.yaml" for pack in plan.content["packs"]]
    rules = [rule for pack in packs for rule in yaml.safe_load(pack.read_text(encoding="utf-8"))]
    confirmed = [(kind, layer["absent"]) for kind, layer in plan.layers.items() if "absent" in layer]
    assert confirmed
    for kind, absent in confirmed:
        for column, values in absent.items():
            drawn = {properties[column] for properties, _ in plan.features(kind)}
            named = {v for r in rules if r["layer"] == kind for v in r.get("where", {}).get(column, [])}
            assert set(values) <= named - drawn, kind


def test_only_waters_that_are_far_away_are_confirmed_as_absent():
    """By points on their banks, from general maps: none of them comes near the ground that the layer answers for."""
    nearest = {
        "长江": (120.15, 31.945), "太湖": (120.02, 31.52), "新孟河": (119.74, 31.80), "望虞河": (120.55, 31.50),
        "太浦河": (120.65, 31.00), "淀山湖": (120.92, 31.10), "固城湖": (118.92, 31.28),
        "滁河": (118.73, 32.22), "水阳江": (118.90, 31.25), "石臼湖": (118.88, 31.45),
    }  # fmt: skip
    for name in PLANS:
        plan = shipped(name)
        for water in plan.layers["bank_line"]["absent"]["river"]:
            place = plan.metres(shapely.Point(nearest[water]))
            assert place.distance(plan.district()) > 7000, (name, water)
    # There, though not drawn under that name: 外秦淮河's upper course, and the two halves of 金川河.
    assert not {"秦淮河", "内金川河", "外金川河"} & set(shipped("nanjing-gulou").layers["bank_line"]["absent"]["river"])


@pytest.mark.parametrize("name", PLANS)
def test_what_is_absent_names_whom_to_ask(name):
    plan = shipped(name)
    assert plan.content["name"] == name
    assert all(kind in model.KINDS for kind in plan.layers)
    for kind, layer in plan.layers.items():
        if "path" not in layer:
            assert layer["source"]["publisher"]
            assert layer.get("coverage") == {"none": "district", "missing": None}[layer["present"]], kind


def test_what_is_not_held_is_said():
    absent = {kind: layer["present"] for kind, layer in LAYERS.items() if "path" not in layer}
    assert {kind for kind, present in absent.items() if present == "none"} == {
        "eco_redline",
        "water_source_zone",
    }
    assert set(absent.values()) == {"none", "missing"}
    assert {"canal_zone", "river_management", "farmland", "territorial_space"} <= absent.keys()
    for kind, present in absent.items():
        assert LAYERS[kind]["source"]["publisher"]
        assert LAYERS[kind].get("coverage") == ("district" if present == "none" else None)


# ----------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize(("name", "kind"), HELD_OF_ALL)
def test_features_are_valid_and_are_what_their_kind_wants(name, kind):
    wanted = {"polygon": "Polygon", "bank": "Polygon", "line": "LineString", "point": "Point"}
    columns = model.KINDS[kind].columns
    found = shipped(name).features(kind)
    assert found
    for properties, geometry in found:
        assert geometry.is_valid
        assert not geometry.is_empty
        assert geometry.geom_type.removeprefix("Multi") == wanted[model.KINDS[kind].shape]
        assert (shapely.get_coordinates(geometry).round(7) == shapely.get_coordinates(geometry)).all()
        for column in columns:
            value = properties.get(column.name)
            assert value is None or not column.words or value in column.words
            assert value is not None or not column.required
    ids = [properties["feature_id"] for properties, _ in found]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("name", "kind"), HELD_OF_ALL)
def test_files_are_read_as_cgcs2000(name, kind):
    plan = shipped(name)
    info = pyogrio.read_info(plan.folder / plan.layers[kind]["path"])
    assert CRS.from_user_input(info["crs"]).to_epsg() == 4490
    assert info["features"] == len(plan.features(kind))


AREAS = [
    (name, kind)
    for name, kind in HELD_OF_ALL
    if model.KINDS[kind].shape == "polygon" and kind not in ("district", "territorial_space")
]


@pytest.mark.parametrize(("name", "kind"), AREAS)
def test_nothing_is_a_box(name, kind):
    for _, geometry in shipped(name).in_metres(kind):
        for part in shapely.get_parts(geometry):
            assert len(shapely.get_coordinates(part)) > 12
            assert part.area < 0.97 * part.minimum_rotated_rectangle.area


def test_towns_tile_the_district(district):
    towns = in_metres("town")
    assert {properties["feature_name"] for properties, _ in towns} == {
        "邹区镇", "新闸街道", "五星街道", "永红街道", "西林街道", "北港街道", "南大街街道", "荷花池街道",
    }  # fmt: skip
    areas = [geometry for _, geometry in towns]
    assert all(a.intersection(b).area < 0.01 for a, b in itertools.combinations(areas, 2))
    assert shapely.union_all(areas).symmetric_difference(district).area < 0.01


# ----------------------------------------------------------------------------------------------- rivers


def test_the_rivers_of_the_plan_are_there():
    assert SEVEN_RIVERS | {"向阳河", "岳溪河", "岳津河"} <= by_river("bank_line").keys()
    assert by_river("bank_line").keys() == by_river("river_centreline").keys()


def test_rivers_bend_gently():
    for river, line in by_river("river_centreline").items():
        vertices = shapely.get_coordinates(line)
        steps = np.diff(vertices, axis=0)
        bearing = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.degrees(np.abs(np.diff(bearing))).max() < 25, river
        assert line.length > 1.001 * np.hypot(*(vertices[-1] - vertices[0])), river
        assert np.hypot(*steps.T).max() < 80, river


def test_rivers_meet_in_the_same_point_and_their_banks_overlap(district):
    lines, banks = by_river("river_centreline"), by_river("bank_line")
    around = district.buffer(5000)
    loose = []
    for river, line in lines.items():
        others = {name: other for name, other in lines.items() if name != river}
        for end, at in ((shapely.get_point(line, 0), "head"), (shapely.get_point(line, -1), "mouth")):
            if not around.contains(end):
                continue
            touching = [name for name, other in others.items() if other.distance(end) < 0.02]
            if not touching:
                loose.append((river, at))
            assert all(banks[river].intersection(banks[name]).area > 10 for name in touching)
    assert loose == [("岳津河", "head")]  # a creek begins somewhere


def test_all_rivers_are_one_network():
    lines = list(by_river("river_centreline").values())
    reached, todo = {0}, [0]
    while todo:
        here = todo.pop()
        near = {i for i, line in enumerate(lines) if line.distance(lines[here]) < 0.02} - reached
        reached |= near
        todo += near
    assert len(reached) == len(lines)


def test_rivers_are_drawn_to_five_kilometres_beyond_the_district(district):
    assert LAYERS["bank_line"]["coverage"] == LAYERS["river_centreline"]["coverage"] == "district+5000"
    edge = district.buffer(5000).exterior
    crossings = {
        river: len(shapely.get_parts(bank.intersection(edge))) for river, bank in by_river("bank_line").items()
    }
    assert crossings["新孟河"] == 2
    assert all(crossings[r] == 1 for r in ("京杭运河", "新运河", "老运河", "扁担河", "德胜河", "武宜运河"))


def test_banks_are_as_wide_as_the_river_and_hold_its_centreline():
    width = {properties["river"]: properties["width_m"] for properties, _ in features("river_centreline")}
    for river, bank in by_river("bank_line").items():
        line = by_river("river_centreline")[river]
        assert bank.area / line.length == pytest.approx(width[river], rel=0.05)
        assert line.difference(bank.buffer(0.05)).length < 0.1
        across = np.array([bank.exterior.distance(shapely.get_point(line, i)) for i in range(5, len(line.coords) - 5)])
        assert across.max() > 1.08 * across.min()  # not everywhere the same


def test_xinmeng_is_drawn_downstream_from_north_to_south():
    line = by_river("river_centreline")["新孟河"]
    assert line.coords[0][1] > line.coords[-1][1] + 20_000


# ------------------------------------------------------------------------------------------------ zones


def test_the_control_zone_is_the_strip_along_the_river(district):
    ((properties, lonlat),) = features("control_zone")
    assert properties["zone_type"] == "清水通道维护区"
    assert properties["feature_name"] == "新孟河（钟楼区）清水通道维护区"
    assert area_km2(lonlat) == pytest.approx(5.1, rel=0.01)
    zone, bank = metres(lonlat), by_river("bank_line")["新孟河"]
    distance = shapely.distance(shapely.points(shapely.get_coordinates(zone)), bank)
    assert distance.max() <= 1000.1
    assert distance.max() > 999
    assert zone.difference(district.buffer(0.05)).area < 1
    # West of the river all of the district within reach is in it, down to where it ends.
    assert zone.intersection(bank).area > 0.9 * bank.intersection(zone.envelope).intersection(district).area


def test_farmland_and_urban_land_keep_off_each_other_and_off_the_water(district):
    farmland = [geometry for _, geometry in in_metres("basic_farmland")]
    urban = [geometry for _, geometry in in_metres("urban_boundary")]
    water = shapely.union_all([geometry for _, geometry in in_metres("bank_line")])
    assert len(farmland) >= 5
    assert all(a.intersection(b).area == 0 for a, b in itertools.combinations(farmland + urban, 2))
    assert all(a.intersection(water).area == 0 for a in farmland)
    assert shapely.union_all(farmland + urban).difference(district.buffer(0.05)).area < 1
    assert {properties["part"] for properties, _ in features("urban_boundary")} == {
        "集中建设区",
        "弹性发展区",
        "特别用途区",
    }


@pytest.mark.parametrize("kind", ["basic_farmland", "urban_boundary", "outfall", "contaminated_parcel"])
def test_what_is_invented_says_so_in_its_name(kind):
    assert all("虚构" in properties["feature_name"] for properties, _ in features(kind))


def test_points_lie_in_the_district_on_their_river(district):
    banks, lines = by_river("bank_line"), by_river("river_centreline")
    plants, outfalls, sections = (in_metres(k) for k in ("sewage_plant", "outfall", "monitoring_section"))
    assert [p["plant"] for p, _ in plants] == ["邹区污水处理厂", "殷村污水处理厂"]
    assert len(outfalls) == 12
    assert [(p["feature_name"], p["grade"]) for p, _ in sections] == [
        (f"省考断面（示意{i}）", "省考") for i in (1, 2, 3)
    ]
    assert all(district.contains(point) for _, point in plants + outfalls + sections)
    assert all(banks[p["river"]].exterior.distance(point) < 0.02 for p, point in outfalls)
    assert all(lines[p["river"]].distance(point) < 0.02 for p, point in sections)


def test_two_plans_draw_the_rivers_that_they_share_on_one_course():
    here, there = (by_river("river_centreline"), shipped("changzhou-tianning").by_river("river_centreline"))
    shared = {"老运河", "新运河", "南运河", "童子河", "武宜运河"}
    assert shared <= here.keys() & there.keys()
    assert all(shapely.hausdorff_distance(here[name], there[name]) < 0.05 for name in shared)


# -------------------------------------------------------------------------------------------- the builder


def build(*arguments, seed="0"):
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPTS / "sample_layers" / "build_layers.py"), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    done = build("--out", folder, seed="1")
    assert done.returncode == 0, done.stderr
    return folder


def test_without_a_folder_the_shipped_plans_are_meant(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS / "sample_layers"))
    module = importlib.import_module("build_layers")
    assert module.LAYERS == ROOT / "layers"
    assert sorted(path.stem for path in (module.HERE / "drawn").glob("*.yaml")) == ALL_PLANS


def test_the_shipped_plans_are_what_is_built(built, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS / "sample_layers"))
    as_built = importlib.import_module("build_layers").as_built
    for name in ALL_PLANS:
        plan = shipped(name)
        files = contents(built / name)
        assert all(as_built(plan.folder / file, content) for file, content in files.items())
        assert files.keys() - plan.paths - {"plan.yaml", "examples/day.txt", "examples/facts.csv"} == {
            path.relative_to(plan.folder).as_posix() for path in plan.folder.glob("examples/sites.*")
        }
        assert plan.paths <= files.keys()


def test_building_twice_gives_the_same_bytes(built, tmp_path):
    done = build("nanjing-gulou", "--out", tmp_path, seed="2")
    assert done.returncode == 0, done.stderr
    again = contents(tmp_path)
    assert again == {name: found for name, found in contents(built).items() if name.startswith("nanjing-gulou/")}
    assert len(again) > 20


def test_check_finds_a_file_that_was_changed(built, tmp_path):
    shutil.copytree(built / PLAN.name, tmp_path / PLAN.name)
    changed = tmp_path / PLAN.name / "outfall.geojson"
    changed.write_text(changed.read_text(encoding="utf-8").replace("排污口01", "排污口99"), encoding="utf-8")
    before = contents(tmp_path)
    done = build(PLAN.name, "--check", "--out", tmp_path)
    assert done.returncode == 1
    assert done.stderr.split()[-1] == "changzhou-zhonglou/outfall.geojson"
    assert contents(tmp_path) == before
    assert build("nowhere", "--check", "--out", tmp_path).returncode == 2


@pytest.mark.parametrize("name", ALL_PLANS)
def test_plan_show_lists_what_is_held_what_is_none_and_whom_to_ask_for_the_rest(name):
    told = CliRunner().invoke(cli, ["plan", "show", name], catch_exceptions=False).output
    head, *sections = re.split(r"\n(持有|本区不存在|未取得)：\n", told)
    listed = {heading: lines.strip().splitlines() for heading, lines in zip(sections[::2], sections[1::2], strict=True)}
    assert name in head
    for heading, present in (("持有", "held"), ("本区不存在", "none"), ("未取得", "missing")):
        entries = [x for x in shipped(name).content["layers"] if x.get("present", "held") == present]
        wanted = {x.get("name", x["kind"]): x for x in entries}
        lines = listed.get(heading, [])
        assert len(lines) == len(wanted)
        for layer, about in wanted.items():
            (line,) = [line for line in lines if f"（{layer}）" in line]
            assert about["source"]["publisher"] in line
            assert ("请向" in line) is (present == "missing")
            assert "不可用" not in line


def test_the_folders_say_what_they_are():
    first = (ROOT / "layers" / "README.md").read_text(encoding="utf-8").splitlines()[0]
    assert "ecospatial.plans" in first


@pytest.mark.parametrize("name", ALL_PLANS)
def test_the_readme_of_a_plan_says_what_is_held_and_what_is_missing(name):
    plan = shipped(name)
    assert "invented" in (plan.folder / "examples" / "README.md").read_text(encoding="utf-8")
    about = (plan.folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{plan.layers[kind]['path']}`" in about for kind in plan.held)
    assert all(f"`{kind}`" in about for kind in plan.layers if plan.layers[kind].get("present") == "missing")
