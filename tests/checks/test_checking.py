"""What is measured, and how findings of several layers, rules and sites come together."""

from __future__ import annotations

import datetime as dt
import gc
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from made_plans import (
    AWAY,
    BANK,
    INSIDE,
    OUT,
    OVER,
    TH30,
    ZONE,
    district,
    layer,
    one,
    plan_folder,
    rule,
    sites,
    square,
    worked_example,
    zone_plan,
)

import ecospatial as es
from ecospatial.checks import LayerCache

ON = "2026-11-20"


def empty(value):
    return value is None or pd.isna(value)


# ------------------------------------------------------------------------------------- touched, measures


@pytest.mark.parametrize(
    ("shape", "touched"),
    [
        (shapely.box(496000, 3515000, 496100, 3515100), False),  # a shared edge
        (shapely.box(495999.9999, 3515000, 496100, 3515099.9), False),  # 0.00999 m2
        (shapely.box(495999.9998, 3515000, 496100, 3515100), True),  # 0.02 m2
        (shapely.LineString([(495000, 3515000), (495500, 3515000)]), False),  # along the edge
        (shapely.LineString([(496000, 3515500), (496100, 3515500)]), False),  # ends on the edge
        (shapely.LineString([(495999.998, 3515500), (496100, 3515500)]), True),  # 2 mm inside
        (shapely.Point(496000, 3515500), True),  # on
        (shapely.Point(495500, 3515500), True),  # in
        (shapely.Point(496000.001, 3515500), False),
    ],
)
def test_touched_by_overlap(tmp_path, shape, touched):
    row = one(zone_plan(tmp_path, OVER), sites(shape))
    assert (row.verdict == "prohibited") is touched
    assert bool(row.features == 1) is touched
    assert (row.geometry is not None) is touched


@pytest.mark.parametrize(("d", "touched"), [(999.999, True), (1000, True), (1000.001, False)])
def test_near_at_the_exact_distance(tmp_path, d, touched):
    row = one(worked_example(tmp_path), sites(shapely.Point(500000 + d, 3520000), activity="C26", works="new"))
    assert (row.verdict == "prohibited") is touched
    assert row.distance_m == pytest.approx(d)


def test_a_point_inside_the_limit_but_outside_a_drawn_circle(tmp_path):
    # 998.9 m from a point feature lies outside a 64-gon of 1000 m; the distance decides.
    entry = layer(
        tmp_path,
        "sewage_plant",
        shapely.Point(500000, 3520000),
        columns={"plant": ["甲"]},
        coverage="district+5000",
    )
    folder = plan_folder(tmp_path, [district(tmp_path), entry], rule("N", layer="sewage_plant"))
    angle = np.pi / 64
    shape = shapely.Point(500000 + 998.9 * np.cos(angle), 3520000 + 998.9 * np.sin(angle))
    assert one(folder, sites(shape)).verdict == "prohibited"


def test_between_the_banks_the_distance_is_zero(tmp_path):
    water = shapely.box(499950, 3505000, 500050, 3535000)
    tmp_path.mkdir(exist_ok=True)
    entry = layer(tmp_path, "bank_line", water, columns={"river": ["新孟河"]}, coverage="district+5000")
    folder = plan_folder(tmp_path, [district(tmp_path), entry], TH30)
    row = one(folder, sites(shapely.box(499990, 3520000, 500010, 3520010), activity="C26", works="new"))
    assert (row.verdict, row.distance_m, row.margin_m) == ("prohibited", 0, 1000)
    assert row.overlap_m2 == pytest.approx(200)


def test_at_no_distance_the_part_inside_the_polygon_is_the_conflict(tmp_path):
    water = shapely.box(499950, 3505000, 500050, 3535000)
    entry = layer(tmp_path, "bank_line", water, columns={"river": ["新孟河"]}, coverage="district+5000")
    folder = plan_folder(tmp_path, [district(tmp_path), entry], rule("IN", within_m=0))
    row = one(folder, sites(shapely.box(500000, 3520000, 500100, 3520010)))
    assert row.verdict == "prohibited"
    assert row.overlap_m2 == pytest.approx(500)
    row = one(folder, sites(shapely.box(500050, 3520000, 500100, 3520010)))  # a shared edge is at distance 0
    assert (row.verdict, row.overlap_m2) == ("prohibited", 0)


def test_inside_the_banks_can_not_be_told_from_lines(tmp_path):
    banks = [BANK, shapely.LineString([(500100, 3505000), (500100, 3535000)])]
    entry = layer(tmp_path, "bank_line", banks, columns={"river": ["新孟河"] * 2}, coverage="district+5000")
    folder = plan_folder(tmp_path, [district(tmp_path), entry], rule("IN", within_m=0))
    row = one(folder, sites(shapely.box(500040, 3520000, 500060, 3520010)))
    assert row.verdict == "no_data"
    assert "两岸之间" in row.reason


def test_overlapping_zones_count_each_spot_once(tmp_path):
    half = shapely.box(495450, 3515000, 496000, 3516000)
    columns = {"zone_type": ["清水通道维护区", "森林公园"], "feature_name": ["大", "小"]}
    row = one(zone_plan(tmp_path, OVER, zone=[ZONE, half], columns=columns), sites(INSIDE))
    assert row.overlap_m2 == pytest.approx(10000)
    assert row.overlap_share == pytest.approx(1)
    assert (row.features, row.feature_name) == (2, "大")


def test_the_deciding_feature_is_the_largest_overlap(tmp_path):
    west, east = shapely.box(495000, 3515000, 495430, 3516000), shapely.box(495430, 3515000, 496000, 3516000)
    columns = {"zone_type": ["清水通道维护区"] * 2, "feature_id": ["w", "e"]}
    row = one(zone_plan(tmp_path, OVER, zone=[west, east], columns=columns), sites(INSIDE))
    assert (row.feature_id, row.features) == ("e", 2)
    assert row.overlap_m2 == pytest.approx(10000)
    # The edge the two zones share is no way out: the depth is that of the two together.
    assert row.margin_m == pytest.approx(500, rel=0.01)


def test_near_names_the_largest_overlap_else_the_nearest(tmp_path):
    west, east = shapely.box(495000, 3515000, 495430, 3516000), shapely.box(495430, 3515000, 496000, 3516000)
    columns = {"zone_type": ["清水通道维护区"] * 2, "feature_id": ["w", "e"]}
    near = rule("N", relation="near", layer="control_zone", within_m=100)
    folder = zone_plan(tmp_path, near, zone=[west, east], columns=columns)
    row = one(folder, sites(INSIDE))  # 30 m of it in the west, 70 m in the east
    assert (row.feature_id, row.features, row.distance_m) == ("e", 2, 0)
    row = one(folder, sites(shapely.box(495300, 3516020, 495425, 3516060)))
    assert (row.feature_id, row.features, row.distance_m) == ("w", 2, 20)


def test_overlap_depth_is_the_margin_of_a_hit_and_distance_of_a_miss(tmp_path):
    folder = zone_plan(tmp_path, OVER, accuracy_m=30)
    row = one(folder, sites(shapely.box(495980, 3515500, 496080, 3515600)))  # 20 m deep
    assert row.margin_m == pytest.approx(20, rel=0.01)
    assert (row.verdict, row.certain) == ("prohibited", False)
    row = one(folder, sites(shapely.box(496040, 3515500, 496140, 3515600)))
    assert (row.verdict, row.certain, row.margin_m, row.distance_m) == ("clear", True, 40, 40)
    row = one(folder, sites(shapely.box(496040, 3515500, 496140, 3515600), accuracy_m=20))
    assert (row.verdict, row.certain) == ("clear", False)


def test_unknown_accuracy_is_never_certain(tmp_path):
    folder = zone_plan(tmp_path, OVER, accuracy_m=None)
    assert not one(folder, sites(INSIDE)).certain
    assert not one(folder, sites(AWAY)).certain


def test_outside_measures_the_part_not_covered(tmp_path):
    folder = zone_plan(tmp_path, OUT)
    row = one(folder, sites(shapely.box(495950, 3515000, 496050, 3515100)))
    assert (row.verdict, row.features) == ("prohibited", 1)
    assert row.overlap_m2 == pytest.approx(5000)
    assert row.margin_m == pytest.approx(50, rel=0.01)
    row = one(folder, sites(INSIDE))
    assert (row.verdict, row.margin_m, row.distance_m, row.overlap_m2) == ("clear", 400, 0, 0)
    row = one(folder, sites(shapely.box(505000, 3520000, 505100, 3520100)))
    assert row.verdict == "prohibited"
    assert row.overlap_m2 == pytest.approx(10000)
    assert empty(row.distance_m)
    assert one(folder, sites(shapely.LineString([(495100, 3515100), (495900, 3515100)]))).verdict == "clear"
    assert one(folder, sites(shapely.LineString([(495000, 3515000), (496000, 3515000)]))).verdict == "clear"
    assert one(folder, sites(shapely.LineString([(495900, 3515100), (496100, 3515100)]))).overlap_length_m == 100
    assert one(folder, sites(shapely.Point(496000, 3515000))).verdict == "clear"
    assert one(folder, sites(shapely.Point(496001, 3515000))).verdict == "prohibited"


def test_distance_is_searched_to_a_kilometre_past_the_limit(tmp_path):
    folder = worked_example(tmp_path)
    assert one(folder, sites(square(2000), activity="C26", works="new")).distance_m == 2000
    row = one(folder, sites(square(2000.5), activity="C26", works="new"))
    assert (row.verdict, row.certain, row.reason) == (
        "clear",
        True,
        "周边 2000 m 内没有新孟河、望虞河、太浦河岸线",
    )
    assert empty(row.distance_m)
    assert empty(row.margin_m)
    wide = worked_example(tmp_path / "wide", accuracy_m=3000)
    row = one(wide, sites(square(3500), activity="C26", works="new"))
    assert (row.distance_m, row.margin_m, row.certain) == (3500, 2500, False)


def test_lines_and_points_are_sites(tmp_path):
    pipe = shapely.LineString([(499000, 3520000), (504000, 3520000)])
    found = es.check(
        sites(pipe, BANK.interpolate(100), activity="C26", works="new"),
        es.open_plan(worked_example(tmp_path)),
        on=ON,
    )
    line, point = found.frame.iloc[0], found.frame.iloc[1]
    assert (line.verdict, line.distance_m) == ("prohibited", 0)
    assert line.overlap_length_m == pytest.approx(2000, abs=0.2)
    assert line.overlap_share == pytest.approx(0.4, abs=1e-3)
    assert found.summary.length_m.tolist() == [5000, 0]
    assert point.verdict == "prohibited"
    assert empty(point.overlap_length_m)


# -------------------------------------------------------------------------------------- several layers


def test_layers_of_a_kind_are_read_together(tmp_path):
    other = shapely.LineString([(503000, 3505000), (503000, 3535000)])
    entries = [
        district(tmp_path),
        layer(tmp_path, "bank_line", BANK, name="a", columns={"river": ["新孟河"]}, coverage="district+5000"),
        layer(
            tmp_path,
            "bank_line",
            other,
            name="b",
            columns={"river": ["望虞河"]},
            coverage="district+5000",
            accuracy_m=7,
        ),
    ]
    folder = plan_folder(tmp_path, entries, TH30)
    row = one(folder, sites(square(2500), activity="C26", works="new"))
    assert (row.layer, row.layer_accuracy_m, row.distance_m, row.feature_name) == ("b", 7, 400, "望虞河")
    assert one(folder, sites(square(600), activity="C26", works="new")).layer == "a"


def test_rules_that_name_the_same_features_by_other_words_share_answers(tmp_path):
    lines = [BANK, shapely.LineString([(502000, 3505000), (502000, 3535000)])]
    entry = layer(tmp_path, "bank_line", lines, columns={"river": ["新孟河", "漕河"]}, coverage="district+5000",
                  absent={"river": ["太湖"]})  # fmt: skip
    asked = [
        ("ALL", 1000, {}),
        ("ONE", 1000, {"river": ["新孟河"]}),
        ("SAME", 1000, {"river": ["新孟河", "太湖"]}),
        ("OTHER", 1000, {"river": ["漕河"]}),
        ("NEAR", 700, {"river": ["太湖", "新孟河"]}),
    ]
    rules = [rule(id_, within_m=within_m, **({"where": where} if where else {})) for id_, within_m, where in asked]
    plan = es.open_plan(plan_folder(tmp_path, [district(tmp_path), entry], rules))
    found = es.check(sites(square(1500)), plan, on=ON).frame.set_index("rule_id")
    assert found.distance_m.tolist() == [400, 1500, 1500, 400, 1500]
    assert found.margin_m.tolist() == [600, 500, 500, 600, 800]
    assert found.verdict.tolist() == ["prohibited", "clear", "clear", "prohibited", "clear"]
    reading = LayerCache.of(plan, dt.date.fromisoformat(ON))
    read = [id(reading.select(version).features) for versions in plan.rule_versions().values() for version in versions]
    assert read[1] == read[2] == read[4]
    assert len(set(read)) == 3


def test_a_gap_beside_a_held_layer_never_clears_but_still_hits(tmp_path):
    missing = {"kind": "bank_line", "name": "rest", "present": "missing", "source": {"publisher": "水利局"}}
    entries = [
        district(tmp_path),
        layer(tmp_path, "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000"),
        missing,
    ]
    folder = plan_folder(tmp_path, entries, TH30)
    assert one(folder, sites(square(600), activity="C26", works="new")).verdict == "prohibited"
    row = one(folder, sites(square(3000), activity="C26", works="new"))
    assert row.verdict == "no_data"
    assert "水利局" in row.reason


def test_only_the_version_of_a_layer_that_stands_on_the_day_counts(tmp_path):
    old = layer(
        tmp_path,
        "control_zone",
        ZONE,
        name="old",
        columns={"zone_type": ["x"]},
        valid={"from": None, "to": "2025-12-31"},
    )
    new = layer(
        tmp_path, "control_zone", shapely.box(498000, 3515000, 499000, 3516000), name="new",
        columns={"zone_type": ["x"]}, valid={"from": "2026-01-01", "to": None},
    )  # fmt: skip
    folder = plan_folder(tmp_path, [district(tmp_path), old, new], OVER)
    assert one(folder, sites(INSIDE), on="2025-12-31").verdict == "prohibited"
    assert one(folder, sites(INSIDE), on="2026-01-01").verdict == "clear"


@pytest.mark.parametrize(
    ("listed", "removed", "verdict"),
    [
        (None, None, "prohibited"),
        ("2026-11-20", None, "prohibited"),
        ("2026-11-21", None, "clear"),
        (None, "2026-11-21", "prohibited"),
        (None, "2026-11-20", "clear"),
    ],
)
def test_a_parcel_counts_while_it_is_listed(tmp_path, listed, removed, verdict):
    columns = {"listed_on": [listed], "removed_on": [removed]}
    entry = layer(tmp_path, "contaminated_parcel", ZONE, columns=columns)
    folder = plan_folder(tmp_path, [district(tmp_path), entry], OVER | {"layer": "contaminated_parcel"})
    assert one(folder, sites(INSIDE)).verdict == verdict


def test_the_reason_names_the_special_law(tmp_path):
    rules = [OVER | {"yields_to": ["TH30-6", "GONE"]}, TH30]
    (tmp_path / "x").mkdir()
    entries = [
        district(tmp_path / "x"),
        layer(tmp_path / "x", "control_zone", ZONE, columns={"zone_type": ["x"]}),
        layer(tmp_path / "x", "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000"),
    ]
    folder = plan_folder(tmp_path / "x", entries, rules)
    found = es.check(sites(INSIDE), es.open_plan(folder), on=ON).frame
    assert found.verdict.tolist() == ["prohibited", "clear"]
    assert "TH30-6" in found.reason[0]
    assert "GONE" not in found.reason[0]


# --------------------------------------------------------------------------------- frame and summary

COLUMNS = [
    "site_id", "site_name", "rule_id", "rule_title", "instrument", "article", "verdict", "certain", "certainty",
    "touched", "open_by", "open_here", "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2",
    "overlap_share", "overlap_length_m", "feature_id", "feature_name", "features", "layer", "layer_status",
    "layer_accuracy_m", "layer_sha256", "reason", "verified", "due", "overdue", "geometry",
]  # fmt: skip


@pytest.fixture(name="plan")
def _plan(tmp_path):
    rules = [
        TH30,
        rule("R2", effect="restricted", within_m=100),
        rule("C", layer="canal_zone", relation="overlaps"),
    ]
    return es.open_plan(worked_example(tmp_path, rules))


def test_one_row_for_every_site_and_rule_in_order(plan):
    found = es.check(
        sites(square(600), square(50), square(5000), ids=["乙", "甲", "丙"], activity="C26", works="new"),
        plan,
        on=ON,
    )
    frame = found.frame
    assert list(frame.columns[: len(COLUMNS)]) == COLUMNS
    assert frame.site_id.tolist() == ["乙"] * 3 + ["甲"] * 3 + ["丙"] * 3
    assert frame.rule_id.tolist() == ["TH30-6", "R2", "C"] * 3
    assert frame.index.equals(pd.RangeIndex(9))
    assert frame.crs == plan.crs
    order = ["not_applicable", "clear", "duty", "restricted", "unsettled", "needs_facts", "no_data", "prohibited"]
    assert frame.verdict.cat.ordered
    assert frame.verdict.cat.categories.tolist() == order
    assert (frame.verdict >= "restricted").sum() == 6
    assert frame.certain.dtype == bool
    assert frame.verified.dtype == bool


def test_summary_headlines_and_counts(plan):
    shapes = [square(600), square(5000), square(50)]
    summary = es.check(sites(*shapes, activity=["C26", "C26", "K70"], works="new"), plan, on=ON).summary
    assert summary.verdict.tolist() == ["prohibited", "no_data", "no_data"]
    assert summary.decided.tolist() == ["prohibited", "clear", "restricted"]
    assert summary.headline.tolist() == ["prohibited", "no_conflict", "restricted"]
    assert summary.certain.tolist() == [True, True, False]
    assert summary.certainty.tolist() == ["reliable", "reliable", "marginal"]
    assert summary[["n_open", "n_missing", "n_duty", "n_unsettled"]].to_numpy().tolist() == [[0, 1, 0, 0]] * 3
    counts = ["n_prohibited", "n_no_data", "n_needs_facts", "n_restricted", "n_clear", "n_not_applicable"]
    assert summary[counts].to_numpy().tolist() == [[1, 1, 0, 0, 1, 0], [0, 1, 0, 0, 2, 0], [0, 1, 0, 1, 0, 1]]
    assert summary.area_m2.tolist() == pytest.approx([10000] * 3)
    assert summary.area_ellipsoidal_m2.tolist() == pytest.approx([10000] * 3, rel=1e-4)
    assert summary.index.name == "site_id"


def test_at_least_keeps_the_counts(plan):
    kept = es.check(sites(square(600), activity="C26", works="new"), plan, on=ON, at_least="no_data")
    assert kept.frame.verdict.tolist() == ["prohibited", "no_data"]
    assert kept.frame.index.equals(pd.RangeIndex(2))
    assert kept.summary.n_clear.tolist() == [1]


def test_a_plan_without_rules_is_no_data(tmp_path):
    found = es.check(sites(square(600)), es.open_plan(worked_example(tmp_path, [])), on=ON)
    assert found.frame.empty
    assert found.summary.verdict.tolist() == ["no_data"]
    assert found.summary.decided.isna().all()


def test_arguments_are_not_changed_and_any_frame_will_do(plan):
    given = sites(square(600), activity="C26", works="new").to_crs(4490)
    before = given.copy(deep=True)
    found = es.check(given, plan, on=dt.date(2026, 11, 20))
    assert given.equals(before)
    assert found.frame.verdict[0] == "prohibited"
    assert found.frame.distance_m[0] == pytest.approx(600, abs=1e-3)
    with pytest.raises(es.CrsError):
        es.check(given.set_crs(None, allow_override=True), plan, on=ON)


@pytest.mark.parametrize("keys", [{"on": "2026-13-01"}, {"on": "20261120"}, {"at_least": "bad"}])
def test_bad_options(plan, keys):
    with pytest.raises(es.SiteError):
        es.check(sites(square(600)), plan, **keys)


def test_read_rules(plan):
    table = es.read_rules(plan, on=ON)
    assert table.index.tolist() == ["TH30-6", "R2", "C"]
    assert table.loc["TH30-6", ["within_m", "article", "verified"]].tolist() == [1000, "第一条", True]
    assert table.in_force.all()
    assert not es.read_rules(plan, on="2011-10-31").in_force.any()


def random_sites(plan, count, dice):
    """Squares all over the district and beyond, of projects of several kinds."""
    west, south, east, north = plan.area.bounds
    x, y = dice.uniform(west, east, count), dice.uniform(south, north, count)
    size = dice.uniform(5, 400, count)
    known = {
        "activity": dice.choice(["C26", "K70", "A03", "H62", None], count),
        "works": dice.choice(["new", "expansion", "existing", None], count),
    }
    return gpd.GeoDataFrame(known, geometry=shapely.box(x, y, x + size, y + size), crs=plan.crs)


@pytest.mark.parametrize("name", es.list_plans())
@pytest.mark.parametrize("at_least", [None, "restricted"])
def test_sites_are_checked_some_at_a_time_and_laid_out_as_one(name, at_least, monkeypatch):
    plan = es.open_plan(name)
    asked = random_sites(plan, 130, np.random.default_rng(8))
    whole = es.check(asked, plan, on=ON, at_least=at_least)
    monkeypatch.setattr(sys.modules["ecospatial.checks.check"], "BLOCK", 29)
    told = []
    parts = es.check(asked, plan, on=ON, at_least=at_least, progress=lambda *state: told.append(state))
    pd.testing.assert_frame_equal(parts.summary, whole.summary)
    assert parts.frame.dtypes.astype(str).tolist() == whole.frame.dtypes.astype(str).tolist()
    plain = [pd.DataFrame(found.frame.drop(columns="geometry")) for found in (parts, whole)]
    pd.testing.assert_frame_equal(*plain, rtol=1e-9, check_categorical=False)
    areas = [found.frame.geometry.area.fillna(-1.0) for found in (parts, whole)]
    assert areas[0].tolist() == pytest.approx(areas[1].tolist(), rel=1e-9, abs=1e-6)
    rules = len(plan.rule_versions())
    assert {total for _, total in told} == {rules}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert (told[0][0], told[-1][0]) == (0, rules)


@pytest.mark.parametrize("name", es.list_plans())
def test_a_finding_does_not_depend_on_which_projects_are_asked_about_with_it(name):
    """A question is only asked of the sites that some rule with it is about; those of one project are asked alone."""
    plan = es.open_plan(name)
    asked = random_sites(plan, 90, np.random.default_rng(9)).assign(site_id=[f"S{i}" for i in range(90)])
    together = es.check(asked, plan, on=ON).frame.set_index(["site_id", "rule_id"])
    kinds = asked.assign(activity=asked.activity.fillna(""), works=asked.works.fillna(""))
    columns = ["verdict", "certain", "features", "feature_id", "reason"]
    numbers = ["margin_m", "distance_m", "overlap_m2", "overlap_length_m"]
    for _, rows in kinds.groupby(["activity", "works"]):
        alone = es.check(asked.loc[rows.index], plan, on=ON).frame.set_index(["site_id", "rule_id"])
        same = together.loc[alone.index]
        for column in columns:
            assert alone[column].tolist() == pytest.approx(same[column].tolist(), nan_ok=True), column
        assert alone[numbers].to_numpy() == pytest.approx(same[numbers].to_numpy(), rel=1e-9, abs=1e-6, nan_ok=True)


def test_the_collector_of_cycles_is_left_as_it_was(plan):
    def stop(done, _):
        assert not gc.isenabled()
        if done:
            raise KeyboardInterrupt

    assert gc.isenabled()
    es.check(sites(square(600)), plan, on=ON)
    assert gc.isenabled()
    with pytest.raises(KeyboardInterrupt):
        es.check(sites(square(600)), plan, on=ON, progress=stop)
    assert gc.isenabled()
    gc.disable()
    try:
        es.check(sites(square(600)), plan, on=ON)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("name", es.list_plans())
def test_threads_change_nothing(name):
    """Opened anew each time, so that what threads share is made while they ask."""
    dice = np.random.default_rng(5)
    for _ in range(3):
        plan = es.open_plan(name)
        west, south, east, north = plan.area.bounds
        x, y = dice.uniform(west, east, 500), dice.uniform(south, north, 500)
        size = dice.uniform(5, 400, 500)
        asked = gpd.GeoDataFrame({"works": ["new"] * 500}, geometry=shapely.box(x, y, x + size, y + size), crs=plan.crs)
        several = es.check(asked, plan, on=ON, jobs=3)
        one = es.check(asked, es.open_plan(name), on=ON)
        pd.testing.assert_frame_equal(several.summary, one.summary)
        for column in one.frame:
            assert several.frame[column].equals(one.frame[column]), column
