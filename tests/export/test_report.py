"""What is written about findings, and read again."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from importlib import resources

import geopandas as gpd
import jsonschema
import pandas as pd
import pyogrio
import pyproj
import pytest
from made_findings import HOSTILE, ON, RULE_IDS, SITE_IDS, Made, empty_findings, hostile_findings, made_findings
from page_outline import outline

from ecospatial import export, model
from ecospatial.errors import EcospatialError, OutputError, SiteError

SCHEMA = json.loads(resources.files("ecospatial").joinpath("findings.schema.json").read_text("utf-8"))


@pytest.fixture
def made() -> Made:
    return made_findings()


def refuse(name: str) -> float:
    raise AssertionError(name)


# ----------------------------------------------------------------------------------------------- JSON


@pytest.fixture
def document(made, tmp_path):
    path = export.write_json(made, tmp_path / "findings.json")
    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


@pytest.mark.parametrize("make", [made_findings, hostile_findings, empty_findings])
def test_json_is_valid_against_its_schema(make, tmp_path):
    path = export.write_json(make(), tmp_path / "findings.json")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(path.read_text("utf-8"), parse_constant=refuse), SCHEMA)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["findings"][0].pop("margin_m"),
        lambda d: d["findings"][0].update(verdict="fine"),
        lambda d: d["findings"][0].update(certain="True"),
        lambda d: d["sites"][0].update(decided="no_data"),
        lambda d: d["sites"][0]["facts"].update(new_outfall="否"),
        lambda d: d["sites"][0]["geometry"].update(coordinates=[[[500600.0, 3520000.0]]]),
        lambda d: d.update(version=1),
        lambda d: d["sites"][0].update(headline="no_data"),
        lambda d: d["sites"][0].update(certainty="certain"),
        lambda d: d["sites"][1]["open"][0].update(open_by="somebody"),
        lambda d: d["sites"][0].update(works="new"),
        lambda d: d["findings"][0].update(touched="yes"),
        lambda d: d["findings"][0].pop("due"),
        lambda d: d["plan_open"][0].pop("ask"),
        lambda d: d.pop("left_out"),
        lambda d: d.pop("reviews"),
    ],
)
def test_schema_refuses_what_it_should(document, spoil):
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_json_keys_are_those_of_the_interface(document, made):
    assert list(document) == [
        "format", "version", "meta", "sites", "rules", "layers", "plan_open", "left_out", "case", "reviews", "findings",
    ]  # fmt: skip
    assert (document["format"], document["version"]) == ("ecospatial-findings", 2)
    assert (document["case"], document["reviews"]) == (None, [])
    assert document["plan_open"] == made.plan_open
    assert document["left_out"] == made.left_out
    assert document["meta"]["created"] is None
    assert document["meta"]["on"] == ON
    assert document["meta"]["notices"] == [model.NOTICE_INTERNAL, model.NOTICE_SCHEMATIC]
    assert set(document["findings"][0]) == set(made.frame.columns)
    assert [row["site_id"] for row in document["sites"]] == SITE_IDS
    assert [row["rule_id"] for row in document["rules"]] == RULE_IDS
    assert document["layers"][1]["name"] == "banks_xinmeng"
    assert len(document["findings"]) == 30


def test_json_site_says_what_is_known_and_what_is_not(document):
    first, fourth = document["sites"][0], document["sites"][3]
    assert first["activity"] == ["C2614", "C27"]
    assert first["works"] == ["new"]
    assert document["sites"][1]["works"] == ["new", "change_of_use"]
    assert (first["headline"], first["certainty"], first["certain"]) == ("prohibited", "schematic", False)
    assert (first["open"], first["n_open"], first["n_missing"]) == ([], 0, 1)
    assert (fourth["headline"], fourth["certainty"]) == ("undecided", None)
    assert fourth["open"] == [
        {"rule_id": "TH30-6", "open_by": "applicant"}, {"rule_id": "FM35", "open_by": "data_owner"},
    ]  # fmt: skip
    assert first["land"] is None
    assert [site["datum_open"] for site in document["sites"]] == [False, True, False, False, False]
    assert first["facts"]["discharges_to_water"] is True
    assert first["facts"]["new_outfall"] is False
    assert first["facts"]["stores_hazardous"] is None
    assert first["counts"] == {"prohibited": 1, "no_data": 1, "duty": 1, "clear": 2, "not_applicable": 1}
    assert (fourth["activity"], fourth["works"], fourth["decided"]) == ([], [], None)
    assert document["sites"][1]["repair_area_m2"] == -2.5


def test_json_rounds_each_measure_as_agreed(tmp_path):
    made = made_findings()
    made.frame.loc[0, ["distance_m", "margin_m", "overlap_m2", "overlap_share"]] = [
        600.12345, -0.0001, 9999.98765, 0.123456789,
    ]  # fmt: skip
    row = json.loads(export.write_json(made, tmp_path / "a.json").read_text("utf-8"))["findings"][0]
    assert row["distance_m"] == 600.123
    assert math.copysign(1, row["margin_m"]) == 1  # no "-0.0"
    assert row["overlap_m2"] == 9999.99
    assert row["overlap_share"] == 0.123457
    assert row["overlap_length_m"] is None


def test_json_geometry_is_cgcs2000_lon_lat_with_nine_decimals(document):
    ring = document["findings"][0]["geometry"]["coordinates"][0]
    to_degrees = pyproj.Transformer.from_crs(4549, 4490, always_xy=True)
    corners = {to_degrees.transform(x, y) for x in (500600, 500700) for y in (3520000, 3520100)}
    for lon, lat in ring:
        assert min(math.hypot(lon - x, lat - y) for x, y in corners) < 1e-9
        assert round(lon, 9) == lon
        assert round(lat, 9) == lat
    assert {row["geometry"]["type"] for row in document["findings"] if row["geometry"]} == {
        "Polygon", "LineString", "Point", "MultiPolygon",
    }  # fmt: skip
    assert sum(row["geometry"] is None for row in document["findings"]) == 25


def test_json_names_the_area_once_for_each_site_and_nowhere_else(made, tmp_path):
    text = export.write_json(made, tmp_path / "a.json").read_text("utf-8")
    assert text.count('"area_m2"') == len(SITE_IDS)


def test_json_text_is_what_is_written(made, tmp_path):
    assert export.write_json(made, tmp_path / "a.json").read_text("utf-8") == export.json_text(made)
    assert json.loads(export.json_text(made, timestamp=True))["meta"]["created"].startswith("20")


def test_json_keeps_chinese_and_odd_letters(tmp_path):
    made = made_findings()
    odd = ["坏\ud800名", "\u2028", "", None, "a\x00b"]
    made.sites["land_use"] = pd.Series(odd, index=made.sites.index, dtype=object)
    text = export.write_json(made, tmp_path / "a.json").read_text("utf-8")
    assert "化工一厂" in text
    assert json.loads(text)["sites"][0]["land_use"] == "坏?名"


# ------------------------------------------------------------------------------------------ GeoPackage


def test_gpkg_has_the_tables_of_the_interface(made, tmp_path):
    path = export.write_gpkg(made, tmp_path / "findings.gpkg")
    layers = dict(pyogrio.list_layers(path))
    assert set(layers) == {"findings", "conflicts", "sites", "rules", "layers", "meta", "layer_styles"}
    assert {name for name, kind in layers.items() if kind is not None} == {"conflicts", "sites"}
    findings, conflicts = (gpd.read_file(path, layer=name) for name in ("findings", "conflicts"))
    assert len(findings) == 30
    assert "geometry" not in findings
    assert findings["certain"].dtype == bool
    assert findings["verified"].dtype == bool
    assert findings["distance_m"].dtype == float
    assert list(conflicts.columns) == list(made.frame.columns)
    assert sorted(conflicts.geom_type) == ["LineString", "MultiPolygon", "Point", "Polygon", "Polygon"]
    assert conflicts.crs == made.frame.crs
    sites = gpd.read_file(path, layer="sites")
    assert set(sites["verdict"]) == {"prohibited", "no_data", "needs_facts"}
    assert sites["headline"].tolist() == ["prohibited", "undecided", "undecided", "undecided", "restricted"]
    assert sites["certainty"].fillna("").tolist() == ["schematic", "", "", "", "marginal"]
    assert sites["n_clear"].tolist() == [2, 2, 2, 0, 1]
    assert sites["n_open"].tolist() == [0, 1, 1, 2, 0]
    meta = dict(gpd.read_file(path, layer="meta")[["key", "value"]].itertuples(index=False))
    assert (meta["plan"], meta["on"], meta["crs"]) == ("made", ON, "EPSG:4549")


def test_gpkg_without_a_conflict_still_has_the_layer(tmp_path):
    path = export.write_gpkg(empty_findings(), tmp_path / "findings.gpkg")
    conflicts = gpd.read_file(path, layer="conflicts")
    assert len(conflicts) == 0
    assert conflicts.crs.to_epsg() == 4549


def test_gdal_keeps_its_clock_afterwards(made, tmp_path):
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    export.write_gpkg(made, tmp_path / "findings.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == before


# --------------------------------------------------------------------------------------------- reading


def cells(frame):
    """Unknown is None whatever the type of the column."""
    plain = frame.astype(object)
    return plain.where(plain.notna(), None)


@pytest.mark.parametrize("name", ["findings.json", "findings.gpkg"])
@pytest.mark.parametrize("make", [made_findings, hostile_findings])
def test_findings_come_back_as_they_were(make, name, tmp_path):
    made = make()
    write = export.write_json if name.endswith("json") else export.write_gpkg
    found = export.read(write(made, tmp_path / name))
    exact = name.endswith("gpkg")
    frame = pd.DataFrame(found["frame"].drop(columns="geometry"))
    assert frame["verdict"].dtype == model.VERDICT_DTYPE
    for column in ("verdict", "certain", "certainty", "touched", "open_by", "open_here", "overdue"):
        assert frame[column].dtype == made.frame[column].dtype, column
    pd.testing.assert_frame_equal(cells(frame), cells(pd.DataFrame(made.frame.drop(columns="geometry"))))
    for key in ("frame", "sites"):
        before = getattr(made, key)
        assert found[key].crs == before.crs
        assert (found[key].geometry.isna() == before.geometry.isna()).all()
        there = before.geometry.notna()
        gap_m = found[key].geometry[there].hausdorff_distance(before.geometry[there]).max()
        assert gap_m == 0 if exact else gap_m < 0.001
    pd.testing.assert_frame_equal(cells(found["summary"]), cells(made.summary), atol=0.005, check_index_type=False)
    for column in ("verdict", "decided", "headline", "certain", "certainty", "n_open", "n_missing"):
        assert found["summary"][column].dtype == made.summary[column].dtype, column
    assert found["plan_open"] == made.plan_open
    assert found["left_out"] == made.left_out
    facts = list(model.FACTS)
    pd.testing.assert_frame_equal(cells(found["sites"][facts]), cells(made.sites[facts]), check_index_type=False)
    assert found["sites"]["activity"].tolist() == ["C2614;C27", "K7010", "G5720", None, "N7723"]
    assert found["sites"]["works"].tolist() == ["new", "new;change_of_use", "expansion", None, "existing"]
    assert found["sites"]["datum_open"].tolist() == [False, True, False, False, False]
    assert found["rules"].loc["ERL-1", "not_stated"] == ["list"]
    assert found["rules"].loc["LIST-1", "due"] == "2026-06-30"
    assert found["rules"].loc["TH30-6", "settled"] == made.rules.loc["TH30-6", "settled"]
    assert found["rules"]["cite_text"].tolist() == made.rules["cite_text"].tolist()
    assert found["sites"].attrs["inputs"] == made.meta["inputs"]
    assert found["meta"] == made.meta
    assert list(found["rules"].index) == RULE_IDS
    assert found["rules"].loc["TH30-6", "where"] == {"river": ["新孟河"]}
    assert found["rules"].loc["TH30-6", "within_m"] == 1000
    assert not found["rules"].loc["CANAL-1", "verified"]
    assert found["layers"]["problem"].tolist() == made.layers["problem"].tolist()
    assert math.isnan(found["layers"].loc["canal_zone", "accuracy_m"])


@pytest.mark.parametrize("name", ["findings.json", "findings.gpkg"])
def test_a_report_made_again_from_the_file_is_the_same(made, name, tmp_path):
    write = export.write_json if name.endswith("json") else export.write_gpkg
    again = Made(**export.read(write(made, tmp_path / name)))
    first = export.write_html(made, tmp_path / "a.html").read_bytes()
    assert export.write_html(again, tmp_path / "b.html").read_bytes() == first
    if name.endswith("gpkg"):
        assert export.json_text(again) == export.json_text(made)


def test_a_title_that_looks_like_a_list_stays_a_title(made, tmp_path):
    made.meta["title"] = "[1]"
    assert export.read(export.write_gpkg(made, tmp_path / "a.gpkg"))["meta"]["title"] == "[1]"


@pytest.mark.parametrize("name", ["findings.json", "findings.gpkg"])
def test_no_findings_come_back_as_none(name, tmp_path):
    write = export.write_json if name.endswith("json") else export.write_gpkg
    found = export.read(write(empty_findings(), tmp_path / name))
    assert len(found["frame"]) == 0
    assert list(found["summary"]["verdict"]) == ["no_data"]
    assert found["summary"]["decided"].isna().all()
    assert found["frame"].crs.to_epsg() == 4549


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"format": "ecospatial-findings", "version": 1}',
        b'{"format": "ecospatial-findings", "version": 3}',
        b'{"format": "ecospatial-findings", "version": 2, "meta": {"crs": "EPSG:4549"}, "sites": {}}',
        b'{"format": "ecospatial-findings", "version": 2, "meta": {"crs": "moon"}, "sites": [], "findings": []}',
        b'{"format": "ecospatial-findings", "version": 2, "meta": NaN}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["bad.json", "bad.gpkg"])
def test_other_files_are_refused_with_one_readable_line(content, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EcospatialError) as caught:
        export.read(path)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.problems[0].hint


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["findings"][0].update(verdict="fine"),
        lambda d: d["findings"][0].update(verdict=None),
        lambda d: d["findings"][0].update(certain="yes"),
        lambda d: d["findings"][0].update(distance_m="near"),
        lambda d: d["findings"][0].update(site_id="nobody"),
        lambda d: d["findings"][0].update(geometry={"type": "Polygon", "coordinates": "x"}),
        lambda d: d["findings"].append(d["findings"][0]),
        lambda d: d["sites"].append(d["sites"][0]),
        lambda d: d["sites"][0].update(facts={"new_outfall": "perhaps"}),
        lambda d: d["sites"][0].update(activity="C26"),
        lambda d: d["sites"][0].update(works="new"),
        lambda d: d["sites"][0].update(headline=None),
        lambda d: d["sites"][0].update(certainty="sure"),
        lambda d: d["findings"][0].update(open_by="somebody"),
        lambda d: d["findings"][0].update(touched="perhaps"),
        lambda d: d["findings"][0].update(open_here=None),
        lambda d: d.pop("plan_open"),
        lambda d: d.update(left_out=[{"rule_ids": "X"}]),
        lambda d: [row.pop("verdict") for row in d["findings"]],
        lambda d: [row.pop("site_id") for row in d["sites"]],
        lambda d: d.update(rules=[{"rule_id": "X", "verified": "maybe"}]),
        lambda d: d["meta"].update(notices="none"),
    ],
)
def test_a_damaged_document_is_refused(document, spoil, tmp_path):
    spoil(document)
    path = tmp_path / "findings.json"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(SiteError, match=r"findings\.json"):
        export.read(path)


def test_a_geopackage_of_something_else_is_refused(made, tmp_path):
    made.sites.to_file(tmp_path / "x.gpkg", driver="GPKG")
    with pytest.raises(SiteError, match=r"x\.gpkg"):
        export.read(tmp_path / "x.gpkg")


@pytest.mark.parametrize(
    ("layer", "columns"),
    [
        ("meta", {"key": ["format"], "value": ["other"]}),
        ("meta", {"name": ["x"]}),
        ("conflicts", {"x": [1]}),
        ("findings", {"site_id": ["A-01"]}),
    ],
)
def test_a_damaged_geopackage_is_refused(made, layer, columns, tmp_path):
    path = export.write_gpkg(made, tmp_path / "findings.gpkg")
    pyogrio.write_dataframe(pd.DataFrame(columns), path, layer=layer, driver="GPKG", layer_options={"OVERWRITE": "YES"})
    with pytest.raises(SiteError, match=r"findings\.gpkg"):
        export.read(path)


def test_a_missing_file_is_refused(tmp_path):
    for name in ("no.json", "no.gpkg"):
        with pytest.raises(SiteError, match="无法读取"):
            export.read(tmp_path / name)


# ---------------------------------------------------------------------------------------------- tables


def test_table_is_worst_first_with_chinese_headers(made):
    table = export.table(made)
    order = [verdict.label for verdict in reversed(model.VERDICTS.values())]
    ranks = [order.index(label) for label in table["判定"]]
    assert ranks == sorted(ranks)
    assert len(table) == 30
    first = table.iloc[0]
    assert (first["地块编号"], first["规则"], first["距离（米）"], first["重叠（亩）"]) == (
        "A-01",
        "TH30-6",
        600.0,
        15.0,
    )
    assert first["图层状态"] == "示意"
    assert (first["结论"], first["可靠性"]) == ("判定不通过·示意", "示意")
    assert table.loc[(table["地块编号"] == "A-05") & (table["规则"] == "FM35"), "可靠性"].item() == "临界"
    assert table.loc[(table["地块编号"] == "A-04") & (table["规则"] == "FM35"), "由谁答复"].item() == "数据管理单位"
    assert set(table.loc[table["地块编号"] == "A-02", "结论"]) == {"尚不能判定"}
    assert all(re.search(r"[\u4e00-\u9fff]", name) for name in table.columns)


def test_table_of_one_site(made):
    assert export.table(made, "A-03")["判定"].tolist() == [
        "待补充信息", "依据待定", "判定通过", "判定通过", "不适用", "不适用",
    ]  # fmt: skip
    with pytest.raises(SiteError, match="没有编号为“A-99”的地块"):
        export.table(made, "A-99")


def test_nothing_alters_the_findings(made, tmp_path):
    before = made_findings()
    export.table(made)
    export.summary_text(made)
    export.notebook_html(made)
    export.write(made, tmp_path, formats=["html", "gpkg", "json"])
    pd.testing.assert_frame_equal(pd.DataFrame(made.frame), pd.DataFrame(before.frame))
    pd.testing.assert_frame_equal(made.summary, before.summary)
    assert made.meta == before.meta


def test_summary_text_is_aligned_and_complete(made):
    lines = export.summary_text(made).splitlines()
    assert lines[0] == "示例规划，核查日期 2026-11-20"
    rows = lines[1:7]
    assert [row.split()[2:] for row in rows] == [
        ["结论", "未决", "缺图层、待定"], ["判定不通过·示意", "0", "1"], ["尚不能判定", "1", "1"],
        ["尚不能判定", "1", "1"], ["尚不能判定", "2", "1"], ["受限准入·临界", "0", "2"],
    ]  # fmt: skip
    answers = ["结论", "判定不通过", *["尚不能判定"] * 3, "受限准入"]
    assert lines[7:12] == [
        "缺少的图层与待定的依据：",
        "  图层：大运河核心监控区（CANAL-1）；找数据管理单位：常州市自然资源和规划局",
        "  原文未写明名录：ERL-1（ERL-1）；找规则维护方",
        "本局不核：",
        "  声环境功能区（NOISE-1、NOISE-2）：噪声由环评审查；由常州市生态环境局答复",
    ]

    def wide(text):
        return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)

    starts = {wide(row[: row.index(mark)]) for row, mark in zip(rows, answers, strict=True)}
    assert len(starts) == 1
    assert lines[-1] == f"注意：{model.NOTICE_SCHEMATIC}"


def test_summary_text_keeps_control_characters_off_the_terminal(made):
    made.summary["site_name"] = ["\x1b[31m红\n行", *["x"] * 4]
    text = export.summary_text(made)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 14


def test_notebook_html_is_escaped_and_capped():
    made = hostile_findings()
    found = outline(export.notebook_html(made))
    assert not found.tags & {"script", "img"}
    assert found.handlers == []
    assert "".join(HOSTILE) in found.text
    many = made_findings()
    many.summary = pd.concat([many.summary] * 5).set_axis(pd.Index([f"S{i}" for i in range(25)], name="site_id"))
    assert "其余 5 个地块" in export.notebook_html(many)


# ----------------------------------------------------------------------------------------------- write


def test_write_gives_the_files_of_the_interface(made, tmp_path):
    paths = export.write(made, tmp_path / "out")
    assert [path.name for path in paths] == ["report.html", "map.html", "findings.gpkg", "findings.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)


def test_write_twice_gives_the_same_bytes(tmp_path):
    for make in (made_findings, hostile_findings, empty_findings):
        first = {path.name: path.read_bytes() for path in export.write(make(), tmp_path / "a")}
        second = {path.name: path.read_bytes() for path in export.write(make(), tmp_path / "a")}
        assert first == second


def test_write_notes_the_time_only_when_asked(made, tmp_path):
    path = export.write(made, tmp_path, formats=["json", "gpkg", "html"], timestamp=True)[0]
    created = json.loads(path.read_text("utf-8"))["meta"]["created"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", created)
    assert made.meta["created"] is None
    assert created in (tmp_path / "report.html").read_text("utf-8")
    assert export.read(tmp_path / "findings.gpkg")["meta"]["created"] == created


@pytest.mark.parametrize("formats", [["json", "xls"], ["json", "doc"], ["json", "svg"]])
def test_write_refuses_other_formats_before_it_writes(made, tmp_path, formats):
    with pytest.raises(EcospatialError, match=formats[1]):
        export.write(made, tmp_path / "out", formats=formats)
    assert not (tmp_path / "out").exists()


def test_write_replaces_its_files_and_touches_nothing_else(made, tmp_path):
    (tmp_path / "findings.json").write_text("old", "utf-8")
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    export.write(made, tmp_path, formats=["json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.json", "mine.txt"]
    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"
    assert (tmp_path / "findings.json").read_text("utf-8") != "old"


def test_write_leaves_nothing_half_done(made, tmp_path):
    (tmp_path / "findings.json").write_text("old", "utf-8")
    made.layers = made.layers.drop(columns="label")  # the report needs it, the document does not
    with pytest.raises(OutputError, match=r"report\.html：未能写出，程序内部错误（KeyError）。已写入：findings\.json"):
        export.write(made, tmp_path, formats=["html", "json"])
    assert [path.name for path in tmp_path.iterdir()] == ["findings.json"]
    assert export.read_json(tmp_path / "findings.json")["meta"]["plan"] == made.meta["plan"]


def test_write_into_a_file_is_a_readable_error(made, tmp_path):
    (tmp_path / "out").write_text("a file", "utf-8")
    with pytest.raises(SiteError, match="输出文件夹不能建立"):
        export.write(made, tmp_path / "out")


@pytest.mark.parametrize("name", ["findings.json", "findings.gpkg", "findings"])
@pytest.mark.parametrize("version", [1, 3])
def test_another_version_is_refused_with_one_readable_error(made, name, version, tmp_path):
    form = {"findings.json": "json", "findings.gpkg": "gpkg", "findings": "parquet"}[name]
    export.write(made, tmp_path, formats=[form])
    path = tmp_path / name
    if form == "gpkg":
        with sqlite3.connect(path) as base:
            base.execute("UPDATE meta SET value = ? WHERE key = 'version'", (str(version),))
        base.close()
    else:
        text = path if form == "json" else path / "_run.json"
        content = json.loads(text.read_text("utf-8"))
        assert content["version"] == 2
        text.write_text(json.dumps(content | {"version": version}), "utf-8")
    with pytest.raises(SiteError, match=f"格式版本为 {version}，本软件只读版本 2") as caught:
        export.read(path)
    (problem,) = caught.value.problems
    assert ("升级" if version == 3 else "重新核查") in problem.hint
