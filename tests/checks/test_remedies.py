"""Ways out: the free part and the smallest shift, by mental arithmetic, and checked by checking again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from made_plans import district, layer, plan_folder, rule, sites, square, worked_example
from shapely import box
from shapely.affinity import translate

import ecospatial as es
from ecospatial.geometry.smallest_move import smallest_shift

ON = "2026-11-20"
# Just clear of a zone nothing is touched, but not by more than the zone may be wrong.
PASSED = ("clear", "no_conflict")
OVERLAP = rule("O1", relation="overlaps", layer="eco_redline")


def moved(frame, remedies):
    bearing = np.radians(remedies["shift_bearing_deg"].fillna(0.0))
    east, north = remedies["shift_m"] * np.sin(bearing), remedies["shift_m"] * np.cos(bearing)
    return frame.assign(geometry=[translate(g, x, y) for g, x, y in zip(frame.geometry, east, north, strict=True)])


@pytest.fixture(name="near")
def _near(tmp_path):
    """Nothing within 1000 m of the line x = 500000."""
    return es.open_plan(worked_example(tmp_path / "near", rule(), accuracy_m=0))


@pytest.fixture(name="zones")
def _zones(tmp_path):
    """Three zones of 1000 m x 1000 m: the second beside the first, the third 150 m north of the first."""
    folder = tmp_path / "zones"
    folder.mkdir()
    first = box(495000, 3515000, 496000, 3516000)
    shapes = [first, translate(first, 1000), translate(first, 0, 1150)]
    return es.open_plan(plan_folder(folder, [district(folder), layer(folder, "eco_redline", shapes)], [OVERLAP]))


def test_away_from_a_line(near):
    frame = sites(square(950), square(600), square(1400), ids=["half", "all", "none"])
    found = es.check(frame, near, on=ON).remedies()
    assert found.index.tolist() == ["half", "all", "none"]
    assert found["free_m2"].tolist() == pytest.approx([5000, 0, 10000], abs=0.01)
    assert found["free_share"].tolist() == pytest.approx([0.5, 0, 1], abs=1e-6)
    assert found["shift_m"].tolist() == pytest.approx([50, 400, 0], abs=1e-4)
    assert found["shift_bearing_deg"].tolist()[:2] == pytest.approx([90, 90], abs=1e-6)
    assert math.isnan(found["shift_bearing_deg"].iloc[2])
    again = es.check(moved(frame, found), near, on=ON)
    assert again.summary["verdict"].tolist() == ["clear"] * 3
    free = frame.assign(geometry=found.geometry.to_numpy()).iloc[[0, 2]]
    assert es.check(free, near, on=ON).summary["verdict"].tolist() == ["clear"] * 2


def test_none_within_the_limit(near):
    found = es.check(sites(square(600), square(640)), near, on=ON).remedies(within_m=380)
    assert math.isnan(found["shift_m"].iloc[0])
    assert math.isnan(found["shift_bearing_deg"].iloc[0])
    assert found["shift_m"].iloc[1] == pytest.approx(360, abs=1e-4)


def test_the_shorter_way_between_zones(zones):
    # 30 m into the first zone from the west: back to the west. In the middle of the edge that two zones share, 200 m
    # from their north edge: the gap of 150 m there holds the site of 100 m. In the gap, but 20 m too far north.
    frame = sites(
        box(494930, 3515400, 495030, 3515500),
        box(495950, 3515800, 496050, 3515900),
        box(495400, 3516070, 495500, 3516170),
        ids=["west", "both", "gap"],
    )
    found = es.check(frame, zones, on=ON).remedies()
    assert found["shift_m"].tolist() == pytest.approx([30, 200, 20], abs=1e-6)
    assert found["shift_bearing_deg"].tolist() == pytest.approx([270, 0, 180], abs=1e-6)
    assert found["free_m2"].tolist() == pytest.approx([7000, 0, 8000], abs=0.01)
    assert es.check(moved(frame, found), zones, on=ON).worst in PASSED


def test_a_hollow_site_straddles_what_fits_into_it(tmp_path):
    """A U around a small zone: it is clear when the zone lies between its arms, which its hull would deny."""
    folder = tmp_path / "u"
    folder.mkdir()
    zone = box(495000, 3515000, 495040, 3515040)
    plan = es.open_plan(plan_folder(folder, [district(folder), layer(folder, "eco_redline", zone)], [OVERLAP]))
    # Arms 20 m wide, 50 m apart, open to the north, the floor at y = 15: 15 m of the zone lie below the notch.
    shape = box(494975, 3514965, 495065, 3515065).difference(box(494995, 3515015, 495045, 3515065))
    found = es.check(sites(shape), plan, on=ON).remedies().iloc[0]
    assert (found.shift_m, found.shift_bearing_deg) == pytest.approx((15, 180), abs=1e-6)
    # 40 m x 15 m of the zone lie in the floor.
    assert found.free_m2 == pytest.approx(90 * 100 - 50 * 50 - 40 * 15, abs=0.01)


def test_around_a_corner_the_true_distance_counts(tmp_path):
    """The end of a line: the limit is an arc, and a drawn arc is short of it."""
    folder = tmp_path / "arc"
    folder.mkdir()
    bank = shapely.LineString([(500000, 3510500), (500000, 3520000)])
    entries = [district(folder), layer(folder, "bank_line", bank, columns={"river": ["新孟河"]})]
    plan = es.open_plan(plan_folder(folder, entries, rule()))
    # Its nearest corner lies 640 m east and 480 m north of the end: 800 m away, so 200 m are missing.
    frame = sites(box(500640, 3520480, 500740, 3520580))
    found = es.check(frame, plan, on=ON).remedies().iloc[0]
    assert found.shift_m == pytest.approx(200, abs=0.15)
    assert found.shift_m >= 200
    assert found.shift_bearing_deg == pytest.approx(math.degrees(math.atan2(640, 480)), abs=2)
    assert es.check(moved(frame, es.check(frame, plan, on=ON).remedies()), plan, on=ON).worst in PASSED
    # A site across the arc: what is left of it is clear for the rule.
    frame = sites(box(500560, 3520760, 500660, 3520860))
    free = es.check(frame, plan, on=ON).remedies()
    assert 0 < free["free_share"].iloc[0] < 1
    assert es.check(frame.assign(geometry=free.geometry.to_numpy()), plan, on=ON).worst in PASSED


def test_lines_and_points(zones):
    line = shapely.LineString([(494900, 3515500), (495100, 3515500)])
    found = es.check(sites(line, shapely.Point(495010, 3515500), ids=["line", "point"]), zones, on=ON).remedies()
    assert found["free_share"].tolist() == pytest.approx([0.5, 0.0], abs=1e-6)
    assert found["free_m2"].tolist() == [0, 0]
    assert found["shift_m"].tolist() == pytest.approx([100, 10], abs=1e-3)
    assert found["shift_bearing_deg"].tolist() == pytest.approx([270, 270], abs=1e-3)


def test_outside_rules_pull_in(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    area = box(495000, 3515000, 496000, 3516000)
    within = rule("I1", relation="outside", layer="urban_boundary")
    entries = [district(folder), layer(folder, "urban_boundary", area, columns={"part": ["集中建设区"]})]
    plan = es.open_plan(plan_folder(folder, entries, [within]))
    found = es.check(sites(box(495960, 3515980, 496060, 3516080)), plan, on=ON).remedies().iloc[0]
    # 60 m to the west and 80 m to the south: 100 m in all; inside already: 40 m x 20 m.
    assert found.shift_m == pytest.approx(100, abs=1e-6)
    assert found.shift_bearing_deg == pytest.approx(180 + math.degrees(math.atan2(60, 80)), abs=1e-4)
    assert found.free_m2 == pytest.approx(800, abs=0.01)


def test_a_shift_does_not_leave_what_is_known(tmp_path):
    """The zone reaches to 30 m from the border of the district: outwards nothing is known, so it goes back inside."""
    folder = tmp_path / "edge"
    folder.mkdir()
    zone = box(509800, 3515000, 509970, 3529999)
    plan = es.open_plan(plan_folder(folder, [district(folder), layer(folder, "eco_redline", zone)], [OVERLAP]))
    # 20 m are left to the east edge of the zone, 150 m + 100 m to the west one.
    frame = sites(box(509850, 3520000, 509950, 3520100))
    found = es.check(frame, plan, on=ON).remedies()
    assert found["shift_m"].tolist() == pytest.approx([150], abs=1e-6)
    assert found["shift_bearing_deg"].tolist() == pytest.approx([270], abs=1e-6)
    assert es.check(moved(frame, found), plan, on=ON).worst in PASSED


def test_what_waits_for_facts_is_not_a_matter_of_moving(tmp_path):
    """A rule over the whole district that waits for facts does not hide the way out of the zone, nor is run into."""
    folder = tmp_path / "facts"
    folder.mkdir()
    zone, other = box(495000, 3515000, 496000, 3516000), box(494800, 3515000, 494990, 3516000)
    everywhere = rule("F1", relation="overlaps", layer="district", when={"new_outfall": True})
    somewhere = rule("F2", relation="overlaps", layer="forest_park", when={"new_outfall": True})
    entries = [district(folder, coverage="district+1000"), layer(folder, "eco_redline", zone)]
    entries.append(layer(folder, "forest_park", other))
    plan = es.open_plan(plan_folder(folder, entries, [OVERLAP, everywhere, somewhere]))
    frame = sites(box(495010, 3515100, 495110, 3515200), ids=["1"])
    found = es.check(frame, plan, on=ON).remedies(within_m=2000).iloc[0]
    # West by 110 m it would lie in the park, whose rule was clear before: 110 + 200 m, or south by 200 m.
    assert (found.shift_m, found.shift_bearing_deg) == pytest.approx((200, 180), abs=1e-6)
    waiting = sites(box(499000, 3515100, 499100, 3515200))
    assert es.check(waiting, plan, on=ON).remedies()["shift_m"].tolist() == [0]


def test_filtered_findings_know_all_that_is_in_the_way(zones):
    frame = sites(box(494930, 3515400, 495030, 3515500))
    whole = es.check(frame, zones, on=ON).remedies()
    assert es.check(frame, zones, on=ON, at_least="prohibited").remedies().equals(whole)


def test_findings_without_a_plan_and_a_limit_that_is_none(near, tmp_path):
    found = es.check(sites(square(950)), near, on=ON)
    found.write(tmp_path, formats=["json"])
    with pytest.raises(es.PlanError, match="没有规划"):
        es.read_findings(tmp_path / "findings.json").remedies()
    with pytest.raises(es.SiteError, match="within_m"):
        found.remedies(within_m=0)


def test_the_shift_is_the_smallest_of_all_directions():
    """Brute force: no direction out of 720 leads out sooner."""
    random = np.random.default_rng(3)
    for _ in range(8):
        zone = shapely.convex_hull(shapely.MultiPoint(random.uniform(-100, 100, (8, 2))))
        site = shapely.MultiPoint(random.uniform(-30, 30, (5, 2))).convex_hull
        site = site.difference(box(-5, -5, 50, 50)) if random.random() < 0.5 else site
        shift = smallest_shift(site, zone, 500)
        length = math.hypot(*shift)
        assert translate(site, *shift).intersection(zone).area < 1e-6
        for angle in np.linspace(0, 2 * math.pi, 720, endpoint=False):
            sooner = translate(site, 0.995 * length * math.cos(angle), 0.995 * length * math.sin(angle))
            assert sooner.intersection(zone).area > 0


def test_outlines_with_very_many_vertices_stay_on_the_safe_side():
    zone = shapely.Point(0, 0).buffer(200, quad_segs=2000)
    site = shapely.Point(150, 0).buffer(40, quad_segs=50).difference(shapely.Point(150, 0).buffer(20, quad_segs=50))
    shift = smallest_shift(site, zone, 500)
    # The ring leaves the disc when its centre is 240 m away: 90 m, at most some metres more.
    assert 90 - 0.01 <= math.hypot(*shift) <= 95
    assert translate(site, *shift).intersection(zone).area < 1e-6
