"""plan.yaml, lazy layers, hashes, coverage, our columns."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil

import geopandas as gpd
import pytest
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_plans import (
    BANK,
    CRS,
    DISTRICT,
    OVER,
    SOURCE,
    TH30,
    ZONE,
    district,
    layer,
    plan_folder,
    rule,
    worked_example,
    zone_plan,
)

import ecospatial as es
from ecospatial.model.kinds import ZONE_TYPES
from ecospatial.plans import Layer, seal
from ecospatial.plans.layers import read_features
from ecospatial.plans.plan import LeftOut, Settlement


def rewrite(folder, change):
    path = folder / "plan.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def test_a_plan_by_folder(tmp_path):
    plan = es.open_plan(worked_example(tmp_path))
    assert (plan.name, plan.title, plan.crs.to_epsg()) == ("made", "测试规划", 4549)
    bank = plan.layers["bank_line"]
    assert (bank.kind, bank.status, bank.coverage, bank.accuracy_m) == ("bank_line", "official", "district+5000", 150)
    assert bank.source.publisher == "测试"
    assert list(plan.layers) == ["district", "bank_line"]
    assert [rule.id for rule in plan.rules] == ["TH30-6"]
    assert plan.area.equals(DISTRICT)


def test_frame_has_our_columns_in_the_plans_crs(tmp_path):
    frame = gpd.GeoDataFrame({"河流名称": ["新孟河"], "岸": ["L"], "备注": ["<b>"]}, geometry=[BANK], crs=CRS).to_crs(
        4490
    )
    frame.to_file(tmp_path / "banks.geojson", driver="GeoJSON")
    entry = {
        "kind": "bank_line", "path": "banks.geojson", "status": "official", "coverage": "district", "accuracy_m": 1,
        "columns": {"river": "河流名称", "side": "岸"}, "vocabulary": {"side": {"L": "左岸"}}, "source": SOURCE,
    }  # fmt: skip
    plan = es.open_plan(plan_folder(tmp_path, [district(tmp_path), entry], TH30))
    banks = plan.frame("bank_line")
    row = banks.iloc[0]
    assert (row.feature_id, row.river, row.side, row.layer, row["备注"]) == ("1", "新孟河", "左岸", "bank_line", "<b>")
    assert banks.crs == plan.crs
    assert shapely.hausdorff_distance(row.geometry, BANK) < 0.01
    banks["river"] = "x"
    assert plan.frame("bank_line").river.tolist() == ["新孟河"]


def test_missing_none_and_unknown_kinds(tmp_path):
    none = {"kind": "eco_redline", "present": "none", "coverage": "district", "source": SOURCE}
    missing = {"kind": "canal_zone", "present": "missing", "source": SOURCE | {"publisher": "规划局"}}
    plan = es.open_plan(plan_folder(tmp_path, [district(tmp_path), none, missing], []))
    assert plan.frame("eco_redline").empty
    assert plan.frame("eco_redline").crs == plan.crs
    for kind, word in (("canal_zone", "规划局"), ("bank_line", "岸线"), ("banks", "可选")):
        with pytest.raises(es.PlanError, match=word):
            plan.frame(kind)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("crs"), ["crs", "缺少"]),
        (lambda c: c.pop("name"), ["name", "缺少"]),
        (lambda c: c.update(crs="EPSG:4490"), ["crs", "投影"]),
        (lambda c: c.update(crs="EPSG:999999"), ["crs"]),
        (lambda c: c.update(name="规划"), ["name", "英文"]),
        (lambda c: c.update(extra=1), ["extra", "不认识"]),
        (lambda c: c.update(layers=5), ["layers", "列表"]),
        (lambda c: c.update(packs=["nope"]), ["packs", "nope", "national"]),
        (lambda c: c.update(packs=["../own.yaml"]), ["packs"]),
        (lambda c: c["layers"][1].update(kind="banks"), ["kind", "banks"]),
        (lambda c: c["layers"][1].pop("path"), ["bank_line", "path", "缺少"]),
        (lambda c: c["layers"][1].pop("source"), ["bank_line", "source", "缺少"]),
        (lambda c: c["layers"][1].update(status="real"), ["bank_line", "status", "schematic"]),
        (lambda c: c["layers"][1].update(coverage="all"), ["bank_line", "coverage", "all"]),
        (lambda c: c["layers"][1].update(accuracy_m=-1), ["bank_line", "accuracy_m"]),
        (lambda c: c["layers"][1].update(accuracy_m="150"), ["bank_line", "accuracy_m"]),
        (lambda c: c["layers"][1].update(accuracy=1), ["bank_line", "accuracy", "不认识"]),
        (lambda c: c["layers"][1].update(sha256="12"), ["bank_line", "sha256"]),
        (lambda c: c["layers"][1].update(name="district"), ["district", "重复"]),
        (lambda c: c["layers"][1].update(columns={"rivers": "x"}), ["rivers"]),
        (lambda c: c["layers"][1].update(vocabulary={"side": {"L": "左"}}), ["side", "左岸"]),
        (lambda c: c["layers"][1].update(valid={"since": "2020-01-01"}), ["valid", "since"]),
        (lambda c: c["layers"][1]["source"].update(date="x"), ["source", "date"]),
        (lambda c: c["layers"][1].update(present="none"), ["path", "present"]),
    ],
)
def test_faults_of_plan_yaml_name_file_layer_and_key(tmp_path, change, words):
    folder = rewrite(worked_example(tmp_path), change)
    with pytest.raises(es.PlanError) as caught:
        es.open_plan(folder)
    message = str(caught.value)
    assert message.startswith("plan.yaml")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ({"name": ["甲"]}, ["absent", "name", "river"]),
        ({"side": ["左"]}, ["side", "不会有 左", "左岸"]),
        ({"river": []}, ["至少要有一个值"]),
        ({"river": "望虞河"}, ["应为列表"]),
        ({"accuracy_m": [1]}, ["数字和日期列不能用于 absent"]),
        ({"located": ["否"]}, ["[true] 或 [false]"]),
    ],
)
def test_absent_takes_only_columns_and_words_of_the_kind(tmp_path, absent, words):
    with pytest.raises(es.PlanError) as caught:
        es.open_plan(worked_example(tmp_path, absent=absent))
    for word in words:
        assert word in str(caught.value)


def test_keys_of_a_held_layer_are_refused_elsewhere(tmp_path):
    for key, value in (("absent", {"river": ["甲"]}), ("accuracy_basis", "measured")):
        entry = {"kind": "bank_line", "present": "none", "source": {}, key: value}
        with pytest.raises(es.PlanError, match=f"{key}：present: none"):
            es.open_plan(plan_folder(tmp_path, [entry], []))


def test_absent_and_accuracy_basis_are_read(tmp_path):
    absent = {"river": ["望虞河", "太浦河"], "located": [False]}
    bank = es.open_plan(worked_example(tmp_path, absent=absent, accuracy_basis="measured")).layers["bank_line"]
    assert dict(bank.absent) == {"river": ("望虞河", "太浦河"), "located": ("false",)}
    assert (bank.accuracy_basis, bank.basis) == ("measured", "measured")
    assert es.open_plan(worked_example(tmp_path / "b")).layers["bank_line"].basis == "stated"
    guessed = es.open_plan(worked_example(tmp_path / "c", status="schematic")).layers["bank_line"]
    assert guessed.basis == "guessed"
    with pytest.raises(es.PlanError, match="accuracy_basis：不能是 sure"):
        es.open_plan(worked_example(tmp_path / "d", accuracy_basis="sure"))


OPEN_DISTANCE = rule("D", not_stated=["distance"], within_m=...)
OPEN_LIST = rule("L", layer="district", relation="overlaps", not_stated=["list"])
OPEN_BOTH = rule("B", not_stated=["distance", "range"], within_m=...)
UNREAD = rule("U", cite={"instrument": "测试条例", "verified": False}, not_stated=["list"])
DECIDED = {"decided_by": "某局", "on": "2026-12-01"}


def settled_plan(tmp_path, settled):
    return plan_folder(tmp_path, [], [TH30, OPEN_DISTANCE, OPEN_LIST, OPEN_BOTH, UNREAD], settled=settled)


def test_what_a_text_leaves_open_is_settled(tmp_path):
    settled = {
        "D": DECIDED | {"within_m": 50},
        "L": DECIDED | {"layer_holds_it": True},
        "B": DECIDED | {"within_m": 30, "layer_holds_it": True},
    }
    plan = es.open_plan(settled_plan(tmp_path, settled))
    day = dt.date(2026, 12, 1)
    assert dict(plan.settled) == {
        "D": Settlement(50.0, False, "某局", day),
        "L": Settlement(None, True, "某局", day),
        "B": Settlement(30.0, True, "某局", day),
    }


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        ({"TH30-6": DECIDED | {"within_m": 50}}, ["TH30-6", "原文已写明"]),
        ({"U": DECIDED | {"layer_holds_it": True}}, ["U", "尚未核实"]),
        ({"X-1": DECIDED | {"within_m": 50}}, ["X-1", "没有这条规则"]),
        ({"D": DECIDED}, ["within_m", "需要此键"]),
        ({"D": DECIDED | {"layer_holds_it": True, "within_m": 5}}, ["layer_holds_it", "原文已写明"]),
        ({"L": DECIDED | {"within_m": 50, "layer_holds_it": True}}, ["within_m", "原文已写明"]),
        ({"L": DECIDED | {"layer_holds_it": False}}, ["只能写 true"]),
        ({"B": DECIDED | {"within_m": 30}}, ["layer_holds_it", "需要此键"]),
        ({"D": {"within_m": 50, "on": "2026-12-01"}}, ["decided_by", "缺少此键"]),
        ({"D": {"within_m": 50, "decided_by": "某局"}}, ["on", "缺少此键"]),
        ({"D": DECIDED | {"within_m": 50, "decided_by": ""}}, ["decided_by", "不能为空"]),
        ({"D": DECIDED | {"within_m": None}}, ["within_m", "不能为空"]),
        ({"D": DECIDED | {"within_m": -1}}, ["within_m", "不小于 0"]),
        ({"D": DECIDED | {"within_m": 50, "note": "x"}}, ["note", "不认识的键"]),
        ({"D": None}, ["D", "不能为空"]),
        ([], ["settled", "应为一组键和值"]),
    ],
)
def test_what_may_not_be_settled_is_refused(tmp_path, settled, words):
    with pytest.raises(es.PlanError) as caught:
        es.open_plan(settled_plan(tmp_path, settled))
    for word in words:
        assert word in str(caught.value)


def test_scope_is_read(tmp_path):
    scope = [
        {"rules": ["TH30-6"], "because": "由水利部门核", "ask": "水利局"},
        {"kinds": ["eco_redline", "canal_zone"], "because": "不在本局职责", "ask": "资规局"},
    ]
    plan = es.open_plan(plan_folder(tmp_path, [], TH30, scope=scope))
    assert plan.scope == (
        LeftOut(("TH30-6",), (), "由水利部门核", "水利局"),
        LeftOut((), ("eco_redline", "canal_zone"), "不在本局职责", "资规局"),
    )
    assert es.open_plan(plan_folder(tmp_path / "all", [], TH30)).scope == ()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ([{"rules": ["X"], "because": "a", "ask": "b"}], ["scope 第 1 项", "没有规则 X"]),
        ([{"kinds": ["river"], "because": "a", "ask": "b"}], ["没有 river 这种图层"]),
        ([{"because": "a", "ask": "b"}], ["须写其中一个"]),
        ([{"rules": ["TH30-6"], "kinds": ["district"], "because": "a", "ask": "b"}], ["须写其中一个"]),
        ([{"rules": [], "because": "a", "ask": "b"}], ["至少要有一个值"]),
        ([{"rules": ["TH30-6"], "ask": "b"}], ["because", "缺少此键"]),
        ([{"rules": ["TH30-6"], "because": "", "ask": "b"}], ["because", "不能为空"]),
        ([{"rules": ["TH30-6"], "because": "a", "ask": "b", "until": "2027-01-01"}], ["until", "不认识的键"]),
        (["TH30-6"], ["第 1 项应为一组键和值"]),
        ({"rules": ["TH30-6"]}, ["应为列表"]),
        (None, ["不能为空"]),
    ],
)
def test_faults_of_scope_are_named(tmp_path, scope, words):
    with pytest.raises(es.PlanError) as caught:
        es.open_plan(plan_folder(tmp_path, [], TH30, scope=scope))
    for word in words:
        assert word in str(caught.value)


def test_duplicate_keys_are_refused(tmp_path):
    folder = worked_example(tmp_path)
    with (folder / "plan.yaml").open("a", encoding="utf-8") as file:
        file.write("title: 又一个\n")
    with pytest.raises(es.PlanError, match="title 重复"):
        es.open_plan(folder)


def test_unknown_plan_names_those_there_are(tmp_path):
    with pytest.raises(es.PlanError, match="changzhou-zhonglou"):
        es.open_plan("changzhou-nowhere")
    with pytest.raises(es.PlanError):
        es.open_plan(tmp_path)
    with pytest.raises(es.PlanError):
        es.open_plan("packs")


def test_a_path_out_of_the_folder_is_not_followed(tmp_path):
    folder = worked_example(tmp_path / "plan")
    shutil.move(folder / "bank_line.gpkg", tmp_path / "bank_line.gpkg")
    plan = es.open_plan(rewrite(folder, lambda c: c["layers"][1].update(path="../bank_line.gpkg")))
    with pytest.raises(es.PlanError, match="不在规划文件夹内"):
        plan.frame("bank_line")
    (folder / "bank_line.gpkg").symlink_to(tmp_path / "bank_line.gpkg")
    linked = es.open_plan(rewrite(folder, lambda c: c["layers"][1].update(path="bank_line.gpkg")))
    with pytest.raises(es.PlanError, match="不在规划文件夹内"):
        linked.frame("bank_line")


def test_layers_are_read_late_and_hashes_checked_on_reading(tmp_path):
    folder = worked_example(tmp_path)
    assert seal(es.open_plan(folder)) == ["district", "bank_line"]
    path = folder / "bank_line.gpkg"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert es.open_plan(folder).layers["bank_line"].sha256 == expected
    assert seal(es.open_plan(folder)) == []
    path.write_bytes(path.read_bytes() + b"\0")
    plan = es.open_plan(folder)
    with pytest.raises(es.PlanError, match="sha256"):
        plan.frame("bank_line")
    assert len(plan.frame("district")) == 1


def test_seal_leaves_the_rest_of_the_text(tmp_path):
    folder = worked_example(tmp_path)
    source = "{publisher: 甲, title: 乙, retrieved: 2026-11-20, licence: MIT}"
    text = f"""\
# 我的规划
name: made   # 名称
crs: EPSG:4549
packs: []
layers:
  - {{kind: district, path: district.gpkg, status: public, coverage: extent, accuracy_m: 1, source: {source}}}
  - kind: bank_line
    path: bank_line.gpkg   # 岸线
    status: official
    sha256:
    source: {source}
"""
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    assert seal(es.open_plan(folder)) == ["district", "bank_line"]
    sealed = (folder / "plan.yaml").read_text(encoding="utf-8")
    assert re.sub(r",? ?sha256: ?[0-9a-f]{64}", "", sealed) == re.sub(r" ?sha256:(?=\n)", "", text)
    for name in ("district", "bank_line"):
        digest = hashlib.sha256((folder / f"{name}.gpkg").read_bytes()).hexdigest()
        assert es.open_plan(folder).layers[name].sha256 == digest


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, ["river", "缺少列"]),
        ({"river": ["甲"], "accuracy_m": ["约十米"]}, ["第 1 行", "accuracy_m", "约十米"]),
        ({"river": ["甲"], "accuracy_m": [-1.0]}, ["第 1 行", "accuracy_m", "-1"]),
        ({"river": ["甲"], "located": ["大概"]}, ["第 1 行", "located", "大概"]),
    ],
)
def test_rows_that_do_not_fit_the_kind(tmp_path, columns, words):
    plan = es.open_plan(worked_example(tmp_path, columns=columns))
    with pytest.raises(es.PlanError) as caught:
        plan.frame("bank_line")
    for word in words:
        assert word in str(caught.value)


def validated(plan):
    return "\n".join(str(problem) for problem in plan.validate(dt.date(2026, 11, 20)))


@pytest.mark.parametrize(
    ("columns", "cell", "unknown", "words"),
    [
        ({"river": ["新孟河"] * 2, "side": ["左岸", "中间"]}, "side", "side=中间", ["第 2 行", "side", "中间", "左岸"]),
        ({"river": ["新孟河", None]}, "river", "", ["第 2 行", "river", "为空"]),
        ({"river": ["新孟河", "  "]}, "river", "", ["第 2 行", "river", "为空"]),
    ],
)
def test_word_that_is_not_known_leaves_the_cell_empty_and_the_layer_usable(tmp_path, columns, cell, unknown, words):
    plan = es.open_plan(worked_example(tmp_path, geometry=[BANK, BANK], columns=columns))
    frame = plan.frame("bank_line")
    assert frame[cell].isna().tolist() == [False, True]
    assert frame.unknown_words.tolist() == ["", unknown]
    assert plan.trouble("bank_line") is None
    said = validated(plan)
    for word in words:
        assert word in said


@given(st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and text.isprintable()))
def test_no_word_outside_the_types_of_zones_is_read_as_a_type(word):
    raw = gpd.GeoDataFrame({"zone_type": [word, "清水通道维护区"]}, geometry=[ZONE, ZONE], crs=CRS)
    done = read_features(raw, Layer("z", "control_zone", path="z.gpkg"))
    types = done.frame.zone_type.fillna("").tolist()
    if word.strip() in ZONE_TYPES:
        assert types[0] == word.strip()
        assert not done.words
    else:
        assert types == ["", "清水通道维护区"]
        assert done.frame.unknown_words[0].startswith("zone_type=")
        assert [problem.row for problem in done.words] == ["第 1 行"]


def test_every_frame_has_the_common_columns(tmp_path):
    plan = es.open_plan(
        plan_folder(tmp_path, [district(tmp_path), {"kind": "blue_line", "present": "none", "source": {}}], [])
    )
    for kind in ("district", "blue_line"):
        frame = plan.frame(kind)
        for name in ("accuracy_m", "accuracy_basis", "located", "unknown_words"):
            assert name in frame
        assert frame.accuracy_m.isna().all()
    columns = {"accuracy_m": [5, None], "accuracy_basis": ["measured", "guess"], "located": ["否", None]}
    entry = layer(tmp_path, "blue_line", [ZONE, ZONE], columns=columns)
    frame = es.open_plan(plan_folder(tmp_path, [entry], [])).frame("blue_line")
    assert frame.accuracy_m.tolist()[0] == 5.0
    assert frame.accuracy_basis.fillna("").tolist() == ["measured", ""]
    assert frame.located.tolist() == [False, None]
    assert frame.unknown_words.tolist() == ["", "accuracy_basis=guess"]


def test_file_without_a_feature_is_not_usable(tmp_path):
    folder = zone_plan(tmp_path, [OVER])
    frame = gpd.read_file(folder / "control_zone.gpkg")
    frame.iloc[:0].to_file(folder / "control_zone.gpkg", layer="control_zone", driver="GPKG")
    plan = es.open_plan(folder)
    assert "没有要素" in plan.trouble("control_zone")
    assert "present: none" in validated(plan)


def test_repaired_zone_is_reported_with_its_row_and_both_areas(tmp_path):
    # Two triangles of 100 m base and 50 m height: the crossing rings enclose nothing, the repair 5000 m2.
    bow_tie = shapely.Polygon([(495000, 3515000), (495100, 3515100), (495100, 3515000), (495000, 3515100)])
    # A hole of 0.01 m2 outside its shell is dropped: less than 1 % and less than 100 m2.
    speck = shapely.Polygon(ZONE.exterior, [shapely.box(497000, 3515000, 497000.1, 3515000.1).exterior])
    columns = {"zone_type": ["清水通道维护区"] * 3}
    plan = es.open_plan(zone_plan(tmp_path, [OVER], zone=[ZONE, speck, bow_tie], columns=columns))
    found = plan.layer_repairs("control_zone")
    assert found.row.tolist() == [2]
    assert found.every_row.tolist() == [1, 2]
    assert found.hull[0].equals(shapely.box(495000, 3515000, 495100, 3515100))
    said = validated(plan)
    assert "第 3 行" in said
    assert "0.00 → 5000.00 m²" in said
    assert "第 2 行" in said
    assert "有 1 个图形" in found.notice("生态空间管控区域")
    assert "第 3 行" in found.notice("生态空间管控区域")
    sound = es.open_plan(zone_plan(tmp_path / "sound", [OVER])).layer_repairs("control_zone")
    assert sound.notice("生态空间管控区域") is None
    assert not len(sound.every_row)


def test_geometry_must_fit_the_kind(tmp_path):
    entry = layer(tmp_path, "control_zone", [BANK], columns={"zone_type": ["x"]})
    plan = es.open_plan(plan_folder(tmp_path, [entry], []))
    with pytest.raises(es.PlanError, match=r"第 1 行.*应为面"):
        plan.frame("control_zone")


def test_a_file_with_several_layers_needs_file_layer(tmp_path):
    folder = worked_example(tmp_path)
    gpd.GeoDataFrame({"river": ["乙"]}, geometry=[BANK], crs=CRS).to_file(folder / "bank_line.gpkg", layer="other")
    with pytest.raises(es.EcospatialError, match="other"):
        es.open_plan(folder).frame("bank_line")
    rewrite(folder, lambda c: c["layers"][1].update(file_layer="other"))
    assert es.open_plan(folder).frame("bank_line").river.tolist() == ["乙"]


def test_crs_given_only_when_the_file_can_not_say(tmp_path):
    folder = worked_example(tmp_path)
    rewrite(folder, lambda c: c["layers"][1].update(crs="EPSG:4548"))
    with pytest.raises(es.CrsError, match="坐标系矛盾"):
        es.open_plan(folder).frame("bank_line")
    bare = gpd.GeoDataFrame({"river": ["新孟河"]}, geometry=[BANK])
    with pytest.warns(UserWarning, match="crs"):
        bare.to_file(folder / "bare.gpkg", driver="GPKG")
    rewrite(folder, lambda c: c["layers"][1].update(path="bare.gpkg", crs=None))
    with pytest.raises(es.CrsError, match="没有坐标系"):
        es.open_plan(folder).frame("bank_line")
    rewrite(folder, lambda c: c["layers"][1].update(crs="EPSG:4549"))
    assert es.open_plan(folder).frame("bank_line").geometry[0].equals(BANK)


def test_coverage(tmp_path):
    plan = es.open_plan(worked_example(tmp_path))
    around = plan.coverage("bank_line")
    assert around.bounds == pytest.approx((485000, 3505000, 515000, 3535000))
    # Four sides of 20 km by 5 km and four quarter circles around the square of 20 km.
    assert around.area == pytest.approx(20000**2 + 4 * 20000 * 5000 + 3.14159265 * 5000**2, rel=1e-6)
    assert plan.coverage("district").equals(DISTRICT)
    unknown = es.open_plan(worked_example(tmp_path / "u", coverage="unknown"))
    assert unknown.coverage("bank_line") is None


def test_validate_lists_what_is_not_filled_in(tmp_path):
    folder = worked_example(tmp_path, status=None, coverage=None, accuracy_m=None, source={"publisher": None})
    said = "\n".join(str(problem) for problem in es.open_plan(folder).validate())
    for word in ("status 未填写", "coverage", "accuracy_m", "sha256", "publisher", "licence", "retrieved"):
        assert word in said
    absent = {"river": ["望虞河", "太浦河"]}
    seal(es.open_plan(worked_example(tmp_path / "whole", absent=absent)))
    assert es.open_plan(tmp_path / "whole").validate() == []


def test_a_plan_shows_itself_and_escapes_names(tmp_path):
    missing = {"kind": "canal_zone", "present": "missing", "source": {"publisher": "<script>alert(1)</script>"}}
    plan = es.open_plan(plan_folder(tmp_path, [district(tmp_path), missing], TH30, title="<b>规划</b>"))
    shown = plan._repr_html_()
    assert "<script>" not in shown
    assert "<b>规划</b>" not in shown
    assert "&lt;script&gt;" in shown
    assert "行政区" in shown


# Values that no feature carries and that nobody may confirm as absent: they are there or may be, and were not drawn.
NOT_DRAWN = {
    "changzhou-zhonglou": {("monitoring_section", "国考")},
    "nanjing-gulou": {("bank_line", name) for name in ("秦淮河", "内金川河", "外金川河")}
    | {("sewer_catchment", "合流"), ("intake", "长江")},
}


@pytest.mark.parametrize("name", es.list_plans())
def test_shipped_plans_open_and_validate(name):
    plan = es.open_plan(name)
    assert plan.name == name
    on = dt.date(2026, 11, 20)
    unmatched = es.plans.unmatched_values(plan, on)
    assert {(found.kind, found.value) for found in unmatched} == NOT_DRAWN.get(name, set())
    assert plan.validate(on) == es.plans.unmatched_problems(unmatched)
    for layer_ in plan.layers.values():
        assert layer_.source.publisher
        assert layer_.present == "missing" or layer_.source.retrieved
