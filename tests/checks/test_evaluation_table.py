"""Every row of the table of docs/interface.md section 6, headlines and words of certainty, on a metre grid."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import yaml
from made_plans import (
    AWAY,
    BANK,
    CITE,
    INSIDE,
    OUT,
    OVER,
    SOURCE,
    TH30,
    ZONE,
    district,
    layer,
    plan_folder,
    rule,
    sites,
    square,
    worked_example,
    zone_plan,
)

import ecospatial as es

ON = "2026-11-20"
UNVERIFIED = CITE | {"verified": False}
CHEMICAL = {"activity": ["C26"], "works": ["new"]}
MISSING = {"kind": "control_zone", "name": "gone", "present": "missing", "source": SOURCE}
NONE = {"kind": "control_zone", "name": "none", "present": "none", "coverage": "district", "source": SOURCE}


def check(folder, frame, **options):
    return es.check(frame, es.open_plan(folder), on=ON, **options)


def answer(found, row=0):
    """Verdict, touched, who has to answer, open at this place."""
    one_ = found.frame.iloc[row]
    touched = None if pd.isna(one_.touched) else bool(one_.touched)
    return one_.verdict, touched, None if pd.isna(one_.open_by) else one_.open_by, bool(one_.open_here)


def headline(found, row=0):
    summary = found.summary.iloc[row]
    return summary.headline, summary.certain, None if pd.isna(summary.certainty) else summary.certainty


# ---------------------------------------------------------------------------------------- section 10, by headline


@pytest.mark.parametrize(
    ("d", "activity", "on", "verified", "expected", "opens"),
    [
        (600, "C26", ON, True, ("prohibited", True, "reliable"), 0),
        (950, "C2614", ON, True, ("prohibited", False, "marginal"), 0),
        (1000, "C26", ON, True, ("prohibited", False, "marginal"), 0),
        (1400, "C26", ON, True, ("clear", True, "reliable"), 0),
        (600, "K70", ON, True, ("clear", True, "reliable"), 0),
        (600, None, ON, True, ("undecided", False, None), 1),
        (600, "C26", "2011-10-31", True, ("clear", True, "reliable"), 0),
        (600, "C26", ON, False, ("undecided", False, None), 1),
        (14500, "C26", ON, True, ("undecided", False, None), 1),
    ],
)
def test_worked_example_has_these_headlines(tmp_path, d, activity, on, verified, expected, opens):
    folder = worked_example(tmp_path, TH30 if verified else TH30 | {"cite": UNVERIFIED})
    found = es.check(sites(square(d), activity=activity, works="new"), es.open_plan(folder), on=on)
    assert headline(found) == expected
    assert found.summary.n_open.iloc[0] == opens


def test_worked_example_without_confirmed_absences(tmp_path):
    other = shapely.LineString([(504000, 3505000), (504000, 3535000)])
    folder = worked_example(tmp_path, absent={}, geometry=[BANK, other], columns={"river": ["新孟河", "漕河"]})
    found = check(folder, sites(square(1400), square(4600), activity="C26", works="new"))
    assert found.frame.verdict.tolist() == ["clear", "needs_facts"]
    assert found.frame.certainty.tolist() == ["doubtful", "doubtful"]


# ------------------------------------------------------------------------------------------- rows 1 and 2


def test_rows_1_and_2_are_not_applicable(tmp_path):
    ended = check(zone_plan(tmp_path / "a", OVER | {"until": "2026-11-19"}), sites(INSIDE))
    assert answer(ended) == ("not_applicable", None, None, False)
    other = check(zone_plan(tmp_path / "b", OVER | {"when": CHEMICAL}), sites(INSIDE, activity="K70", works="new"))
    assert answer(other) == ("not_applicable", None, None, False)
    assert headline(other) == ("clear", True, "reliable")


def test_row_1_a_past_due_does_not_end_a_rule(tmp_path):
    found = check(zone_plan(tmp_path, OVER | {"due": "2025-12-31"}), sites(INSIDE))
    row = found.frame.iloc[0]
    assert (row.verdict, row.due, bool(row.overdue)) == ("prohibited", "2025-12-31", True)
    assert "已逾期" in row.reason
    early = es.check(sites(INSIDE), es.open_plan(tmp_path), on="2025-12-31").frame.iloc[0]
    assert not early.overdue
    assert "2025-12-31" in early.reason
    assert "已逾期" not in early.reason


# --------------------------------------------------------------------------------------------------- row 3


@pytest.mark.parametrize(("shape", "touched", "here"), [(INSIDE, True, True), (AWAY, False, False)])
def test_row_3_an_unread_rule_is_unsettled_and_measured(tmp_path, shape, touched, here):
    found = check(zone_plan(tmp_path, OVER | {"cite": UNVERIFIED}), sites(shape))
    assert answer(found) == ("unsettled", touched, "rule_keeper", here)
    row = found.frame.iloc[0]
    assert not row.certain
    assert row.overlap_m2 == pytest.approx(10000 if touched else 0)
    assert headline(found)[0] == "undecided"


def test_row_3_goes_before_a_missing_layer_and_is_then_open_in_the_plan_only(tmp_path):
    found = check(zone_plan(tmp_path, OVER | {"cite": UNVERIFIED}, present="missing"), sites(INSIDE))
    assert answer(found) == ("unsettled", None, "rule_keeper", False)
    assert found.summary.iloc[0][["n_unsettled", "n_open", "n_missing"]].tolist() == [1, 0, 1]


@pytest.mark.parametrize(("d", "touched", "here"), [(0, True, True), (200, None, True), (1500, False, False)])
def test_row_3_a_distance_that_is_not_stated_is_touched_on_contact_only(tmp_path, d, touched, here):
    folder = tmp_path
    open_ = rule("D", not_stated=["distance"], within_m=...)
    zone = shapely.box(499000, 3505000, 500000, 3535000)
    entries = [district(folder), layer(folder, "bank_line", zone, columns={"river": ["x"]}, coverage="district+5000")]
    plan_folder(folder, entries, open_)
    found = check(folder, sites(square(d)))
    assert answer(found) == ("unsettled", touched, "rule_keeper", here)
    assert "原文未写明控制距离" in found.frame.reason.iloc[0]
    for path in found.write(folder / "out", formats=["html", "map"]):
        assert "未能绘出" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("d", "verdict"), [(40, "prohibited"), (60, "clear")])
def test_row_3_a_distance_that_the_plan_settled_decides(tmp_path, d, verdict):
    open_ = rule("D", not_stated=["distance"], within_m=...)
    bank = layer(tmp_path, "bank_line", BANK, columns={"river": ["x"]}, coverage="district+5000")
    entries = [district(tmp_path), bank]
    settled = {"D": {"within_m": 50, "decided_by": "某局", "on": "2026-10-01"}}
    found = check(plan_folder(tmp_path, entries, open_, settled=settled), sites(square(d)))
    row = found.frame.iloc[0]
    assert (row.verdict, row.margin_m) == (verdict, pytest.approx(10))
    assert "某局 2026-10-01 确定" in row.reason


def test_row_3_a_list_that_the_layer_holds_decides(tmp_path):
    settled = {"Z": {"layer_holds_it": True, "decided_by": "某局", "on": "2026-10-01"}}
    folder = zone_plan(tmp_path, OVER | {"not_stated": ["list"]})
    assert answer(check(folder, sites(INSIDE)))[0] == "unsettled"
    text = (folder / "plan.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text) | {"settled": settled}
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert answer(check(folder, sites(INSIDE)))[0] == "prohibited"


# --------------------------------------------------------------------------------------------------- row 4


@pytest.mark.parametrize("activity", ["C26", None])
def test_row_4_a_duty_of_the_whole_district_asks_for_no_fact(tmp_path, activity):
    duty = rule("DUTY", effect="duty", relation="overlaps", layer="district", when=CHEMICAL)
    folder = plan_folder(tmp_path, [district(tmp_path)], duty)
    found = check(folder, sites(INSIDE, activity=activity, works="new"))
    assert answer(found) == ("duty", True, None, False)
    assert ("如属" in found.frame.reason.iloc[0]) == (activity is None)
    assert headline(found) == ("clear", True, "reliable")
    assert found.summary.n_duty.iloc[0] == 1


# -------------------------------------------------------------------------------------------- rows 5 and 6


def test_row_5_what_does_not_exist_is_clear_or_outside_everywhere(tmp_path):
    folder = zone_plan(tmp_path, [OVER, OUT], present="none")
    found = check(folder, sites(INSIDE))
    assert answer(found) == ("clear", False, None, False)
    assert answer(found, 1) == ("prohibited", True, None, False)
    assert found.frame.certain.tolist() == [True, True]


def test_row_5_of_what_does_not_exist_no_value_has_to_be_confirmed(tmp_path):
    rules = [one | {"where": {"zone_type": ["洪水调蓄区"]}} for one in (OVER, OUT)]
    found = check(zone_plan(tmp_path, rules, present="none"), sites(INSIDE))
    assert found.frame.verdict.tolist() == ["clear", "prohibited"]
    assert found.frame.certain.tolist() == [True, True]
    assert found.plan_open == []


def test_row_5_beside_a_layer_that_is_held_none_counts_for_nothing(tmp_path):
    near = layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]}, coverage="unknown")
    folder = plan_folder(tmp_path, [district(tmp_path), near, NONE], OVER)
    assert answer(check(folder, sites(AWAY))) == ("no_data", None, "data_owner", True)


def test_row_6_beyond_the_place_where_nothing_exists_nothing_is_known(tmp_path):
    folder = zone_plan(tmp_path, [OVER, OUT], present="none")
    beyond = shapely.box(515000, 3515000, 515100, 3515100)
    assert [answer(check(folder, sites(beyond)), row)[0] for row in (0, 1)] == ["no_data", "no_data"]


@pytest.mark.parametrize("relation", [OVER, OUT])
def test_row_6_a_file_without_a_feature_is_no_layer(tmp_path, relation):
    folder = zone_plan(tmp_path, relation)
    frame = gpd.read_file(folder / "control_zone.gpkg").iloc[:0]
    frame.to_file(folder / "control_zone.gpkg", layer="control_zone", driver="GPKG")
    for shape in (INSIDE, AWAY):
        assert answer(check(folder, sites(shape))) == ("no_data", None, "data_owner", True)


def test_row_6_a_missing_layer_is_open_in_the_plan_and_not_at_the_place(tmp_path):
    found = check(zone_plan(tmp_path, OVER, present="missing"), sites(AWAY))
    assert answer(found) == ("no_data", None, "data_owner", False)
    assert headline(found)[0] == "undecided"
    assert found.plan_open == [
        {"what": found.plan_open[0]["what"], "open_by": "data_owner", "ask": "某局", "rule_ids": ["Z"]}
    ]
    assert "未取得" in found.plan_open[0]["what"]


# --------------------------------------------------------------------------------------------------- row 7


def test_row_7_a_value_that_no_feature_carries_clears_nobody(tmp_path):
    flood = OVER | {"where": {"zone_type": ["洪水调蓄区"]}}
    folder = zone_plan(tmp_path, flood)
    found = check(folder, sites(INSIDE, AWAY))
    assert answer(found) == ("no_data", None, "data_owner", True)
    assert answer(found, 1) == ("no_data", None, "data_owner", False)
    assert "洪水调蓄区" in found.frame.reason.iloc[1]


def test_row_7_a_value_confirmed_as_absent_clears(tmp_path):
    flood = OVER | {"where": {"zone_type": ["洪水调蓄区"]}}
    found = check(zone_plan(tmp_path, flood, absent={"zone_type": ["洪水调蓄区"]}), sites(INSIDE))
    assert answer(found) == ("clear", False, None, False)
    assert found.frame.certain.iloc[0]


# -------------------------------------------------------------------------------------------- rows 8 and 9

EAST = shapely.box(509900, 3515000, 510300, 3515100)  # 100 m of it in the district


def test_row_8_outside_is_open_where_another_layer_is_missing(tmp_path):
    zone = layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]})
    folder = plan_folder(tmp_path, [district(tmp_path), zone, MISSING], OUT)
    found = check(folder, sites(AWAY, INSIDE))
    assert answer(found) == ("no_data", None, "data_owner", True)
    assert answer(found, 1) == ("clear", False, None, False)


def test_row_8_beyond_the_coverage_nobody_is_outside(tmp_path):
    folder = zone_plan(tmp_path, OUT)
    beyond = shapely.box(510100, 3515000, 510200, 3515100)
    found = check(folder, sites(beyond, EAST))
    assert answer(found) == ("no_data", None, "data_owner", True)
    assert "全部位于" not in found.frame.reason.iloc[0]
    assert "地块有部分不在已知的" in found.frame.reason.iloc[0]
    assert answer(found, 1) == ("prohibited", True, None, False)
    assert found.frame.overlap_m2.iloc[1] == pytest.approx(10000)  # 100 m of it lie inside the coverage


def test_row_9_a_name_that_may_mean_the_river_asks_the_owner_of_the_data(tmp_path):
    river = rule("R", where={"river": ["京杭运河"]}, within_m=100)
    columns = {"river": ["京杭运河常州段"]}
    entries = [district(tmp_path), layer(tmp_path, "bank_line", BANK, columns=columns, coverage="district+5000")]
    folder = plan_folder(tmp_path, entries, river)
    found = check(folder, sites(square(50), square(500)))
    assert answer(found) == ("needs_facts", None, "data_owner", True)
    assert "京杭运河常州段" in found.frame.reason.iloc[0]
    assert [entry["rule_ids"] for entry in found.plan_open] == [["R"]]
    assert "相近的：京杭运河常州段" in found.plan_open[0]["what"]
    assert answer(found, 1)[0] == "clear"
    assert (found.frame.certainty.iloc[1], found.summary.headline.iloc[1]) == ("doubtful", "no_conflict")


def test_row_9_another_river_may_be_the_one_that_no_feature_is_called(tmp_path):
    river = rule("R", where={"river": ["新孟河", "望虞河"]}, within_m=100)
    banks = [BANK, shapely.LineString([(503000, 3505000), (503000, 3535000)])]
    keys = {"columns": {"river": ["新孟河", "采菱港"]}, "coverage": "district+5000"}
    places = sites(square(50), square(2950), square(1500))
    open_ = plan_folder(tmp_path / "a", [], river)
    entries = [district(open_), layer(open_, "bank_line", banks, **keys)]
    plan_folder(open_, entries, river)
    assert [answer(check(open_, places), row)[:3] for row in range(3)] == [
        ("prohibited", True, None),
        ("needs_facts", None, "data_owner"),
        ("clear", False, None),
    ]
    sure = plan_folder(tmp_path / "b", [], river)
    entries = [district(sure), layer(sure, "bank_line", banks, **keys, absent={"river": ["望虞河"]})]
    plan_folder(sure, entries, river)
    found = check(sure, places)
    assert [answer(found, row)[0] for row in range(3)] == ["prohibited", "clear", "clear"]
    assert found.frame.certain.all()


def test_row_9_a_name_that_vocabulary_maps_to_itself_means_only_itself(tmp_path):
    river = rule("R", where={"river": ["京杭运河"]}, within_m=100)
    keys = {
        "columns": {"river": ["京杭运河常州段"]}, "coverage": "district+5000",
        "vocabulary": {"river": {"京杭运河常州段": "京杭运河常州段"}}, "absent": {"river": ["京杭运河"]},
    }  # fmt: skip
    entries = [district(tmp_path), layer(tmp_path, "bank_line", BANK, **keys)]
    assert answer(check(plan_folder(tmp_path, entries, river), sites(square(50))))[0] == "clear"


def test_row_9_a_place_that_is_only_known_as_a_street_is_not_a_hit(tmp_path):
    folder = zone_plan(tmp_path, OVER, columns={"zone_type": ["清水通道维护区"], "located": [False]})
    found = check(folder, sites(INSIDE, AWAY))
    assert answer(found) == ("needs_facts", None, "data_owner", True)
    assert answer(found, 1)[0] == "clear"
    assert not found.frame.certain.any()


def test_row_9_possible_features_that_cover_a_site_leave_outside_open(tmp_path):
    core = OUT | {"where": {"zone_type": ["清水通道维护区"]}}
    zones = [shapely.box(495000, 3515000, 495500, 3516000), shapely.box(495500, 3515000, 496000, 3516000)]
    folder = zone_plan(tmp_path, core, zone=zones, columns={"zone_type": ["清水通道维护区", None]})
    both, neither = shapely.box(495400, 3515400, 495600, 3515500), shapely.box(495900, 3515400, 496100, 3515500)
    found = check(folder, sites(both, neither))
    assert answer(found) == ("needs_facts", None, "data_owner", True)
    assert answer(found, 1) == ("prohibited", True, None, False)


# ------------------------------------------------------------------------------------------- rows 10 to 13


def test_row_10_a_missing_fact_asks_the_applicant(tmp_path):
    found = check(zone_plan(tmp_path, OVER | {"when": CHEMICAL}), sites(INSIDE, works="new"))
    assert answer(found) == ("needs_facts", True, "applicant", True)
    assert headline(found) == ("undecided", False, None)


def test_row_11_an_exception_that_is_claimed(tmp_path):
    lenient = OVER | {"unless": {"linear_infrastructure": True}}
    found = check(zone_plan(tmp_path, lenient), sites(INSIDE, linear_infrastructure=True))
    assert answer(found) == ("restricted", True, None, False)
    assert headline(found) == ("restricted", True, "reliable")


def test_row_12_another_layer_that_is_missing_keeps_everybody_from_being_clear(tmp_path):
    zone = layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]})
    folder = plan_folder(tmp_path, [district(tmp_path), zone, MISSING], OVER)
    found = check(folder, sites(AWAY, INSIDE))
    assert answer(found) == ("no_data", None, "data_owner", True)
    assert answer(found, 1)[0] == "prohibited"


def test_row_13_a_far_miss_is_clear_and_certain(tmp_path):
    found = check(zone_plan(tmp_path, OVER), sites(AWAY))
    assert answer(found) == ("clear", False, None, False)
    assert headline(found) == ("clear", True, "reliable")


# ----------------------------------------------------------------------------------------------- headlines


def test_an_open_ban_goes_before_a_restriction(tmp_path):
    soft = rule("S", relation="overlaps", layer="control_zone", effect="restricted")
    ban = OVER | {"when": CHEMICAL}
    found = check(zone_plan(tmp_path, [soft, ban]), sites(INSIDE, works="new"))
    assert headline(found) == ("undecided", False, None)
    assert found.summary.decided.iloc[0] == "restricted"
    assert found.summary.iloc[0][["n_open", "n_missing"]].tolist() == [1, 0]


def test_a_missing_layer_leaves_no_conflict_and_is_told_once(tmp_path):
    gone = {"kind": "eco_redline", "present": "missing", "source": SOURCE | {"publisher": "某局"}}
    zone = layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]})
    red = rule("E", relation="overlaps", layer="eco_redline")
    folder = plan_folder(tmp_path, [district(tmp_path), zone, gone], [OVER, red])
    found = check(folder, sites(AWAY, INSIDE))
    assert found.summary.headline.tolist() == ["no_conflict", "prohibited"]
    assert found.summary.n_missing.tolist() == [1, 1]
    assert [entry["rule_ids"] for entry in found.plan_open] == [["E"]]
    assert found.open.iloc[0].ask == "某局"


def test_scope_leaves_rules_out_and_says_so(tmp_path):
    red = rule("E", relation="overlaps", layer="control_zone", effect="restricted")
    folder = zone_plan(tmp_path, [OVER, red])
    content = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    content["scope"] = [{"rules": ["Z"], "because": "不归本局", "ask": "水利局"}]
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    found = check(folder, sites(INSIDE, AWAY))
    assert found.frame.rule_id.unique().tolist() == ["E"]
    assert found.summary.headline.tolist() == ["restricted", "no_conflict"]
    assert found.left_out == [
        {"rules": ["Z"], "kinds": [], "because": "不归本局", "ask": "水利局", "rule_ids": ["Z"]}
    ]


def test_only_narrows_one_check(tmp_path):
    near = rule("N", relation="overlaps", layer="district", effect="duty")
    folder = zone_plan(tmp_path, [OVER, near])
    found = check(folder, sites(INSIDE), only=["district"])
    assert found.frame.rule_id.tolist() == ["N"]
    assert found.left_out[0]["rule_ids"] == ["Z"]
    assert found.summary.headline.iloc[0] == "no_conflict"
    with pytest.raises(es.SiteError, match="没有 zones"):
        check(folder, sites(INSIDE), only=["zones"])


def test_a_plan_without_rules_decides_nothing(tmp_path):
    folder = plan_folder(tmp_path, [district(tmp_path)], [])
    assert headline(check(folder, sites(INSIDE)))[0] == "undecided"


def test_an_official_layer_of_the_district_replaces_a_schematic_one(tmp_path):
    official = layer(tmp_path, "control_zone", ZONE, name="official", columns={"zone_type": ["清水通道维护区"]})
    drawn = layer(
        tmp_path, "control_zone", shapely.box(495300, 3516900, 495600, 3517200), name="drawn",
        columns={"zone_type": ["清水通道维护区"]}, status="schematic", accuracy_m=500,
    )  # fmt: skip
    folder = plan_folder(tmp_path, [district(tmp_path), official, drawn], OVER)
    found = check(folder, sites(AWAY))
    assert headline(found) == ("clear", True, "reliable")
    assert any("不参与判定" in notice for notice in found.meta["notices"])


# ------------------------------------------------------------------------------------------ works and sizes


def test_works_may_be_several_and_a_size_may_be_asked_for(tmp_path):
    big = rule("B", relation="overlaps", layer="control_zone", when={"area_m2_at_least": 10000})
    use = rule("U", relation="overlaps", layer="control_zone", when={"works": ["change_of_use"]})
    folder = zone_plan(tmp_path, [big, use])
    small = shapely.box(495400, 3515400, 495500, 3515499)
    frame = sites(INSIDE, small, works=["new;change_of_use", "new"])
    verdicts = check(folder, frame).frame.verdict.astype(str).tolist()
    assert verdicts == ["prohibited", "prohibited", "not_applicable", "not_applicable"]


# ----------------------------------------------------------------------------------------------- certainty


def test_the_accuracy_of_a_feature_goes_before_that_of_its_layer(tmp_path):
    zones = [ZONE, shapely.box(497000, 3515000, 498000, 3516000)]
    columns = {"zone_type": ["清水通道维护区"] * 2, "accuracy_m": [None, 400.0]}
    folder = zone_plan(tmp_path, OVER, zone=zones, columns=columns, accuracy_m=10)
    deep = [shapely.box(x + 250, 3515450, x + 350, 3515550) for x in (495000, 497000)]  # 350 m deep
    found = check(folder, sites(*deep))
    assert found.frame.certainty.tolist() == ["reliable", "marginal"]
    assert found.frame.layer_accuracy_m.tolist() == [10, 400]


def test_a_guess_is_never_certain(tmp_path):
    folder = zone_plan(tmp_path, OVER, accuracy_basis="guessed")
    found = check(folder, sites(INSIDE, AWAY))
    assert found.frame.verdict.tolist() == ["prohibited", "clear"]
    assert found.summary.certainty.tolist() == ["schematic", "schematic"]
    assert found.summary.headline.tolist() == ["prohibited", "no_conflict"]


def test_the_edge_of_a_coverage_has_the_accuracy_of_the_district(tmp_path):
    zone = layer(tmp_path, "control_zone", ZONE, columns={"zone_type": ["清水通道维护区"]}, accuracy_m=10)
    folder = plan_folder(tmp_path, [district(tmp_path, accuracy_m=100), zone], OVER)
    by_the_edge = [shapely.box(509800, y, x, y + 100) for x, y in ((509899, 3520000), (509901, 3521000))]
    found = check(folder, sites(*by_the_edge))
    assert found.frame.verdict.tolist() == ["clear", "clear"]
    assert found.frame.certainty.tolist() == ["reliable", "marginal"]
    assert "覆盖范围的边缘" in found.frame.reason.iloc[1]


def test_two_layers_side_by_side_do_not_make_a_deep_hit_of_a_seam(tmp_path):
    west, east = shapely.box(495000, 3515000, 495500, 3516000), shapely.box(495500, 3515000, 496000, 3516000)
    entries = [district(tmp_path)]
    for name, zone in (("west", west), ("east", east)):
        columns = {"zone_type": ["清水通道维护区"]}
        entries.append(layer(tmp_path, "control_zone", zone, name=name, columns=columns, accuracy_m=5))
    folder = plan_folder(tmp_path, entries, OVER)
    seam, inside = shapely.box(495498, 3515400, 495502, 3515404), shapely.box(495200, 3515400, 495300, 3515500)
    assert check(folder, sites(seam, inside)).frame.certainty.tolist() == ["marginal", "reliable"]


def test_a_repaired_zone_is_not_certain_within_its_hull(tmp_path):
    bow = shapely.Polygon([(495000, 3515000), (496000, 3516000), (496000, 3515000), (495000, 3516000)])
    folder = zone_plan(tmp_path, OVER, zone=bow)
    in_it, in_hull, beyond = (
        shapely.box(495950, 3515450, 495990, 3515550),
        shapely.box(495450, 3515900, 495550, 3515950),
        shapely.box(495450, 3516200, 495550, 3516300),
    )
    found = check(folder, sites(in_it, in_hull, beyond))
    assert found.frame.verdict.tolist() == ["prohibited", "clear", "clear"]
    assert found.frame.certainty.tolist() == ["doubtful", "doubtful", "reliable"]
    assert any("修复" in notice for notice in found.meta["notices"])


def test_outside_counts_no_slivers_and_measures_the_plain_difference(tmp_path):
    circle = shapely.Point(495500, 3515500).buffer(2000, quad_segs=200)
    folder = zone_plan(tmp_path, OUT, zone=circle)
    corners = [(x, y) for x in range(493000, 497800, 333) for y in range(3513200, 3517600, 307)]
    shapes = [shapely.box(x, y, x + 700, y + 500) for x, y in corners]
    found = check(folder, sites(*shapes)).frame
    for shape, row in zip(shapes, found.itertuples(), strict=True):
        rest = shapely.difference(shape, circle)
        if rest.area <= 0.01:
            assert row.verdict == "clear"
            continue
        along = shapely.points(shapely.get_coordinates(shapely.segmentize(rest, 5)))
        depth = float(shapely.distance(along, circle.exterior).max())
        assert row.verdict == "prohibited"
        assert row.margin_m <= depth + 0.1
        assert row.margin_m >= depth * 0.99 - 0.11
        assert row.overlap_m2 == pytest.approx(rest.area, abs=0.01)
