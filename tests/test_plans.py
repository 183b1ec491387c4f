"""plan.yaml, lazy layers, hashes, coverage, our columns."""

from __future__ import annotations

import hashlib
import re
import shutil

import geopandas as gpd
import pytest
import shapely
import yaml
from made_plans import BANK, CRS, DISTRICT, SOURCE, TH30, district, layer, plan_folder, worked_example

import ecospatial as es
from ecospatial.plans import seal


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
        ({"river": [None]}, ["第 1 行", "river", "为空"]),
        ({}, ["river", "缺少列"]),
        ({"river": ["甲"], "side": ["中"]}, ["第 1 行", "side", "左岸"]),
    ],
)
def test_rows_that_do_not_fit_the_kind(tmp_path, columns, words):
    plan = es.open_plan(worked_example(tmp_path, columns=columns))
    with pytest.raises(es.PlanError) as caught:
        plan.frame("bank_line")
    for word in words:
        assert word in str(caught.value)


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
    seal(es.open_plan(worked_example(tmp_path / "whole")))
    assert es.open_plan(tmp_path / "whole").validate() == []


def test_a_plan_shows_itself_and_escapes_names(tmp_path):
    missing = {"kind": "canal_zone", "present": "missing", "source": {"publisher": "<script>alert(1)</script>"}}
    plan = es.open_plan(plan_folder(tmp_path, [district(tmp_path), missing], TH30, title="<b>规划</b>"))
    shown = plan._repr_html_()
    assert "<script>" not in shown
    assert "<b>规划</b>" not in shown
    assert "&lt;script&gt;" in shown
    assert "行政区" in shown


@pytest.mark.parametrize("name", es.list_plans())
def test_shipped_plans_open_and_validate(name):
    plan = es.open_plan(name)
    assert plan.name == name
    assert plan.validate() == []
    for layer_ in plan.layers.values():
        assert layer_.source.publisher
        assert layer_.present == "missing" or layer_.source.retrieved
