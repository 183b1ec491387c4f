"""Certain findings stay what they are when layers lie elsewhere within their accuracy; and certainty says something."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import yaml
from made_plans import CRS, DISTRICT, layer, plan_folder, rule, sites

import ecospatial as es

ON = "2026-11-20"
COUNT = 400
ORIGIN = np.array([490000, 3510000])  # the south-west corner of the district
MOVES = 12
RULES = [
    rule("NEAR", where={"river": ["新孟河", "采菱港"]}, within_m=300),
    rule("OVER", relation="overlaps", layer="control_zone"),
    rule("OUT", relation="outside", layer="urban_boundary"),
    rule("REST", relation="overlaps", layer="eco_redline", effect="restricted"),
]
TOUCHED = {"prohibited": True, "restricted": True, "clear": False}


def star(random, x, y, size):
    """A polygon without holes or self-intersections, of 5 to 12 corners."""
    angle = np.sort(random.uniform(0, 2 * np.pi, random.integers(5, 13)))
    radius = size * random.uniform(0.4, 1, len(angle))
    corners = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
    return shapely.make_valid(shapely.Polygon(corners))


def stars(random, count, size):
    places = random.uniform(1000, 19000, (count, 2)) + ORIGIN
    shapes = [star(random, *place, size) for place in places]
    return [max(shapely.get_parts(shape), key=shapely.area) for shape in shapes]


def drawn(random):
    """What each layer of the plan holds, with its accuracy; two layers of one kind among them."""
    banks = [shapely.LineString(np.column_stack([500000 + 3000 * k + random.normal(0, 300, 31).cumsum() / 4,
             np.linspace(3505000, 3535000, 31)])) for k in (-1, 1)]  # fmt: skip
    return {
        "bank_line": (banks, {"river": ["新孟河", "采菱港"]}, "district+5000"),
        "zone_a": (stars(random, 25, 900), {"zone_type": ["清水通道维护区"] * 25}, "district"),
        "zone_b": (stars(random, 25, 900), {"zone_type": ["清水通道维护区"] * 25}, "district"),
        "urban_boundary": (stars(random, 12, 3500), {}, "district"),
        "eco_redline": (stars(random, 30, 700), {}, "extent"),
    }


KIND = {"zone_a": "control_zone", "zone_b": "control_zone"}


def made(folder, layers, accuracy, moved, district):
    folder.mkdir(parents=True, exist_ok=True)
    entries = [layer(folder, "district", district, coverage="extent", accuracy_m=accuracy["district"])]
    for name, (shapes, columns, coverage) in layers.items():
        dx, dy = moved.get(name, (0.0, 0.0))
        places = [shapely.affinity.translate(shape, dx, dy) for shape in shapes]
        entries.append(layer(folder, KIND.get(name, name), places, name=name, columns=dict(columns), coverage=coverage,
                             accuracy_m=accuracy[name]))  # fmt: skip
    return es.open_plan(plan_folder(folder, entries, RULES))


def push(random, most):
    angle, length = random.uniform(0, 2 * np.pi), most * np.sqrt(random.uniform())
    return float(length * np.cos(angle)), float(length * np.sin(angle))


@pytest.mark.parametrize("seed", [20261130, 7])
def test_certain_findings_never_flip_when_layers_move_within_their_accuracy(tmp_path, seed):
    random = np.random.default_rng(seed)
    layers = drawn(random)
    accuracy = {"bank_line": 150, "zone_a": 40, "zone_b": 120, "urban_boundary": 200, "eco_redline": 60}
    accuracy["district"] = 100
    corners = random.uniform(-300, 20300, (COUNT, 2)) + ORIGIN
    sizes = random.uniform(5, 400, (COUNT, 2))
    shapes = [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]
    # Half of the sites lie where lines are.
    features = [shape for drawn_, *_ in layers.values() for shape in drawn_]
    edges = [shape if shape.geom_type == "LineString" else shape.exterior for shape in features]
    for i in range(0, COUNT, 2):
        spot = edges[random.integers(len(edges))].interpolate(random.uniform(), normalized=True)
        dx, dy = random.normal(0, 150, 2)
        shapes[i] = shapely.affinity.translate(shapely.box(0, 0, *random.uniform(5, 200, 2)), spot.x + dx, spot.y + dy)
    before = es.check(sites(*shapes), made(tmp_path / "0", layers, accuracy, {}, DISTRICT), on=ON).frame
    certain = before.certain.to_numpy() & before.verdict.isin(list(TOUCHED)).to_numpy()
    assert certain.sum() > 200
    for number in range(MOVES):
        moved = {name: push(random, most) for name, most in accuracy.items()}
        district = shapely.affinity.translate(DISTRICT, *moved["district"])
        plan = made(tmp_path / f"{number + 1}", layers, accuracy, moved, district)
        after = es.check(sites(*shapes), plan, on=ON).frame
        hit = before.verdict.map(TOUCHED).to_numpy(), after.verdict.map(TOUCHED).to_numpy()
        flipped = certain & (hit[0] != hit[1])
        shown = before[flipped][["site_id", "rule_id", "verdict", "margin_m"]]
        assert not flipped.any(), shown.assign(now=after.verdict[flipped])


def test_certainty_says_something_of_layers_of_five_metres(tmp_path):
    random = np.random.default_rng(11)
    layers = drawn(random)
    accuracy = dict.fromkeys([*layers, "district"], 5)
    corners = random.uniform(200, 19600, (COUNT, 2)) + ORIGIN
    shapes = [shapely.box(x, y, x + 60, y + 40) for x, y in corners]
    found = es.check(sites(*shapes), made(tmp_path, layers, accuracy, {}, DISTRICT), on=ON).frame
    hits = found[found.verdict.isin(["prohibited", "restricted"])]
    near_misses = found[(found.verdict == "clear") & found.distance_m.notna()]
    assert len(hits) > 100
    assert len(near_misses) > 100
    assert hits.certain.mean() >= 0.8
    assert near_misses.certain.mean() >= 0.8


def test_a_site_400_m_inside_an_official_zone_is_prohibited_and_certain(tmp_path):
    zone = shapely.box(495000, 3515000, 496000, 3516000)
    entries = [layer(tmp_path, "district", DISTRICT, coverage="extent", accuracy_m=5)]
    entries.append(layer(tmp_path, "control_zone", zone, columns={"zone_type": ["清水通道维护区"]}, accuracy_m=5))
    folder = plan_folder(tmp_path, entries, RULES[1])
    found = es.check(sites(shapely.box(495400, 3515400, 495600, 3515600)), es.open_plan(folder), on=ON)
    row, summary = found.frame.iloc[0], found.summary.iloc[0]
    assert (row.verdict, row.certainty, row.margin_m) == ("prohibited", "reliable", pytest.approx(500, abs=0.6))
    assert (summary.headline, summary.certain) == ("prohibited", True)
    assert yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))["crs"] == CRS


def test_a_sure_and_an_ambiguous_reach_together_stay_prohibited(tmp_path):
    banks = [shapely.LineString([(500000 + d, 3505000), (500000 + d, 3535000)]) for d in (0, 40)]
    columns = {"river": ["新孟河", "新孟河延伸段"]}
    entries = [layer(tmp_path, "district", DISTRICT, coverage="extent", accuracy_m=5)]
    entries.append(layer(tmp_path, "bank_line", banks, columns=columns, coverage="district+5000", accuracy_m=5))
    folder = plan_folder(tmp_path, entries, rule("N", where={"river": ["新孟河"]}, within_m=300))
    found = es.check(sites(shapely.box(500050, 3520000, 500080, 3520030)), es.open_plan(folder), on=ON).frame.iloc[0]
    assert (found.verdict, found.certain, found.distance_m) == ("prohibited", True, pytest.approx(50))
