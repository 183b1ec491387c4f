"""What an audit gives: the frame, the files, the page, the commands."""

from __future__ import annotations

import importlib
import re
import sqlite3
import warnings
import zipfile

import made_audits
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from browser_page import shown
from made_audits import CRS, ON, sound, target
from made_plans import rule
from project_paths import ROOT
from shapely import box

import ecospatial as es
from ecospatial.audits import CHECKS, SIZES, STATUSES
from ecospatial.audits._text import summary_text, table
from ecospatial.audits.html_page import render
from ecospatial.cli import main
from ecospatial.errors import EcospatialError, SiteError
from ecospatial.maps import to_html

PROMISED = [
    "check", "subject", "status", "value", "unit", "target", "difference", "area_m2", "layer", "reason", "geometry",
]  # fmt: skip
FILES = ["audit.html", "audit.xlsx", "audit.gpkg", "audit_map.html"]
HOSTILE = '<img src=x onerror=alert(1)>{{7*7}}=1+1"'
TARGETS = [
    target("MET"),
    target("MISSED", value=30, title=HOSTILE),
    target("CANNOT", kind=..., ask="市园林局", title="绿化覆盖率", measure="share", value=43, unit="%"),
]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A plan with a conflict, a sliver, a bad shape and a hostile name."""
    folder = tmp_path_factory.mktemp("faulty")
    bow_tie = shapely.Polygon([(502200, 3524000), (502400, 3524200), (502400, 3524000), (502200, 3524200)])
    farms = [*made_audits.FEATURE["basic_farmland"], bow_tie]
    names = {"feature_id": ["F1", "F2", HOSTILE], "feature_name": ["甲片", HOSTILE, "\x0b\x07"]}
    sound(
        folder, targets=TARGETS, basic_farmland=(farms, names),
        eco_redline=[box(500200, 3521000, 502300, 3523000)],
        town=([box(500000, 3520000, 505000, 3530000), box(505000.5, 3520000, 510000, 3530000)],
              {"feature_name": ["西镇", HOSTILE]}),
    )  # fmt: skip
    return es.open_plan(folder)


@pytest.fixture(scope="module")
def audit(faulty):
    return es.audit(faulty, on=ON)


def test_the_columns_that_are_promised(audit):
    frame = audit.frame
    assert set(PROMISED) <= set(frame.columns)
    assert frame.crs == CRS
    assert set(frame["status"]) <= set(STATUSES) == {"met", "missed", "cannot_tell", "fault", "note"}
    assert set(frame["check"]) <= set(CHECKS)
    assert set(frame["size_class"]) <= {"", *SIZES}
    assert frame[["value", "target", "difference", "area_m2"]].dtypes.astype(str).tolist() == ["float64"] * 4
    assert frame["reason"].str.len().gt(0).all()
    assert frame.index.equals(pd.RangeIndex(len(frame)))


def test_targets_come_first_in_the_order_of_the_file(audit):
    assert audit.frame["subject"].tolist()[:3] == ["MET", "MISSED", "CANNOT"]
    assert audit.frame["status"].tolist()[:3] == ["met", "missed", "cannot_tell"]


def test_each_fault_says_place_area_features_and_size(audit):
    faults = audit.frame[(audit.frame["check"] == "overlap") & (audit.frame["status"] == "fault")]
    row = faults[faults["area_m2"].round() == 2e5].iloc[0]
    assert (row["x_m"], row["y_m"]) == pytest.approx((502250, 3522000), abs=1000)
    assert row["features"] == "eco_redline:1;basic_farmland:F1"
    assert row["size_class"] == "large"
    assert row["layer"] == "eco_redline;basic_farmland"
    assert "甲片" in row["subject"]
    sliver = audit.frame[(audit.frame["check"] == "gap") & (audit.frame["status"] == "fault")].iloc[0]
    assert (sliver["area_m2"], sliver["size_class"]) == (pytest.approx(5000), "sliver")


def test_the_audit_changes_nothing_it_was_given(faulty):
    before = faulty.frame("basic_farmland").to_wkb()
    es.audit(faulty, on=ON)
    assert faulty.frame("basic_farmland").to_wkb().equals(before)


def test_what_is_refused(faulty, audit):
    for options in ({"on": "soon"}, {"sliver_m": 0}, {"sliver_m": float("nan")}):
        with pytest.raises(EcospatialError):
            es.audit(faulty, **options)
    with pytest.raises(EcospatialError, match="topology"):
        audit.table("topology")


def test_a_plan_without_anything_can_not_be_told(tmp_path):
    frame = es.audit(es.open_plan(sound(tmp_path, without=list(made_audits.LAYERS))), on=ON).frame
    assert set(frame["status"]) == {"cannot_tell"}
    assert es.audit(es.open_plan(tmp_path), on=ON).ledger.empty


SQUARE = box(503000, 3524000, 503200, 3524200)
ODD = {
    "heights": [shapely.force_3d(SQUARE, 5.0)],
    "collection": [shapely.GeometryCollection([SQUARE, shapely.Point(503000, 3524000)])],
    "points": [shapely.Point(503000, 3524000)],
    "mixed": [SQUARE, shapely.LineString([(503000, 3524000), (503100, 3524000)])],
    "empty": [shapely.Polygon(), SQUARE],
    "null": [None, SQUARE],
    "far": [box(1e7, 1e7, 1e7 + 10, 1e7 + 10)],
    "huge": [box(-1e9, -1e9, 1e9, 1e9)],
    "no area": [shapely.Polygon([(503000, 3524000), (503100, 3524000), (503000, 3524000)])],
    "infinite": [shapely.Polygon([(503000, 3524000), (np.inf, 3524000), (503100, 3524100)])],
}


@pytest.mark.parametrize("kind", ["district", "eco_redline"])
@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
def test_whatever_a_file_holds_there_is_an_audit(tmp_path, odd, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # writing such a file warns
        folder = sound(tmp_path, **{kind: odd})
    found = es.audit(es.open_plan(folder), on=ON)
    wrong = found.frame[found.frame["status"] == "fault"]
    assert odd is ODD["heights"] or kind in set(wrong["layer"])
    assert found.ledger is not None
    assert "规划一致性核对图" in to_html(found.map())


# ------------------------------------------------------------------------------------------- for people


def test_a_page_stays_short_where_many_features_share_a_remark():
    # 49 pairs of catchments whose edges differ by rounding are one line, and their ids do not fill the page.
    page = render(es.audit(es.open_plan("nanjing-gulou"), on=ON))
    assert max(len(text) for text in re.findall(r"<span class=\"soft\">([^<]*)", page)) < 400
    assert re.search(r" 等 \d+ 个</span>", page)


def test_the_terminal_gets_the_headline_first_and_no_control_characters(audit):
    text = summary_text(audit)
    assert "公布指标：相符 1 项、不符 1 项、无法判断 1 项" in text
    assert "市园林局" in text
    assert "\x0b" not in text
    assert "\x07" not in text


def test_a_table_has_chinese_headers(audit):
    shown = table(audit, "gap")
    assert {"核对", "对象", "结论", "面积（平方米）", "说明"} <= set(shown.columns)
    assert set(shown["核对"]) == {"缝隙"}
    assert len(table(audit)) == len(audit.frame)


def test_in_a_notebook_names_are_text(audit):
    page = audit._repr_html_()
    assert "<img" not in page
    assert "&lt;img" in page
    assert "不符" in page


def test_the_map_draws_the_faults_and_no_markup_of_theirs(audit):
    page = to_html(audit.map())
    assert "规划一致性核对图" in page
    assert "<img src=x" not in page
    assert "核对结果" in page


# ------------------------------------------------------------------------------------------- files


@pytest.fixture(scope="module")
def written(audit, tmp_path_factory):
    return audit.write(tmp_path_factory.mktemp("out"))


def test_the_same_plan_gives_the_same_bytes(faulty, written, tmp_path):
    again = es.audit(es.open_plan(faulty.folder), on=ON).write(tmp_path)
    assert [path.name for path in written] == FILES
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_nothing_else_in_the_folder_is_touched(audit, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "audit.html").write_text("old", encoding="utf-8")
    audit.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "mine.txt"])
    assert "old" not in (tmp_path / "audit.html").read_text(encoding="utf-8")[:10]


def test_a_folder_that_can_not_be_written_to(audit, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SiteError, match="输出文件夹"):
        audit.write(tmp_path / "file")


def test_the_time_is_noted_only_when_asked(audit, written, tmp_path):
    stamped = audit.write(tmp_path, timestamp=True)
    assert "生成于" not in written[0].read_text(encoding="utf-8")
    assert "生成于" in stamped[0].read_text(encoding="utf-8")


def test_the_page_shows_figures_first_fetches_nothing_and_escapes(written):
    page = written[0].read_text(encoding="utf-8")
    assert page.index("一、公布指标核对") < page.index("二、一致性核对") < page.index("三、面积台账")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;img" in page
    assert re.findall(r"<[^>]*\b(?:src|href)=", page) == []
    assert "内部使用，未经审核，不得公开" in page
    assert "碎屑" in page


def test_the_workbook_holds_text_as_text_and_numbers_as_numbers(written):
    book = openpyxl.load_workbook(written[1])
    assert book.sheetnames[:2] == ["公布指标", "一致性核对"]
    sheet = book["公布指标"]
    head = next(row for row in sheet.iter_rows() if row[0].value == "编号")[0].row
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=head + 1)}
    assert rows["MISSED"][1].value == HOSTILE
    assert [rows["MISSED"][column].data_type for column in (1, 2, 4)] == ["s", "n", "n"]
    assert rows["MISSED"][2].value == 30
    assert rows["CANNOT"][4].value is None
    assert sheet.freeze_panes == f"A{head + 1}"
    with zipfile.ZipFile(written[1]) as parts:
        assert not any(b"<f>" in parts.read(name) or b"hyperlink" in parts.read(name) for name in parts.namelist())


def test_the_ledger_in_the_workbook_adds_up_as_printed(written):
    book = openpyxl.load_workbook(written[1])
    sheet = book["台账 三类空间"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    start = next(n for n, row in enumerate(rows) if row[0] == "投影面积（平方米）")
    block = rows[start + 1 : start + 5]
    assert [row[0] for row in block] == ["西镇", HOSTILE, "未划入街镇", "合计"]
    cents = [[round(value * 100) for value in row[1:]] for row in block]
    assert [sum(column) for column in zip(*cents[:-1], strict=True)] == cents[-1]
    assert all(sum(row[:-1]) == row[-1] for row in cents)
    assert cents[-1][-1] == 100_000_000_00
    assert sheet.cell(start + 2, 2).number_format == "#,##0.00"


def test_the_geopackage_holds_every_row_and_the_places(written, audit):
    with sqlite3.connect(written[2]) as base:
        meta = dict(base.execute("select key, value from meta"))
        dates = {row[0] for row in base.execute("select last_change from gpkg_contents")}
    count = {name: len(pyogrio.read_dataframe(written[2], layer=name)) for name in ("audit", "faults", "ledger")}
    assert count["audit"] == len(audit.frame)
    assert 0 < count["faults"] < count["audit"]
    assert count["ledger"] == len(audit.ledger)
    assert meta["format"] == "ecospatial-audit"
    assert dates == {f"{ON}T00:00:00.000Z"}


@pytest.mark.browser
def test_page_and_map_open_without_a_network(written, browser):
    for path in (written[0], written[3]):
        with shown(browser, path) as (page, heard):
            assert "核对" in page.title()
            assert "onerror" in page.content()  # the hostile name is there, as text
        assert heard.nothing(), heard


# ------------------------------------------------------------------------------------------- commands


@pytest.fixture(name="run")
def _run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out = capsys.readouterr()
        return ended.value.code, out.out, out.err

    return run


def test_the_command_prints_and_writes(run, faulty, tmp_path):
    code, out, err = run("audit", "--plan", faulty.folder, "--on", ON, "--out", tmp_path / "out")
    assert code == 0, err
    assert "不符 1 项" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    assert "已写入" in err


def test_without_out_nothing_is_written(run, faulty, tmp_path):
    before = sorted(path.name for path in faulty.folder.iterdir())
    code, _, err = run("audit", "--plan", faulty.folder, "--on", ON, "--sliver", "0.1")
    assert code == 0, err
    assert sorted(path.name for path in faulty.folder.iterdir()) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("audit", "--plan", "atlantis"), ("audit", "--plan", "changzhou-zhonglou", "--on", "soon"),
                  ("base-map", "--plan", "changzhou-zhonglou", "--activity", "魔法"),
                  ("base-map", "--plan", "changzhou-zhonglou", "--fact", "new_outfall=maybe")],
)  # fmt: skip
def test_a_wrong_call_ends_with_two_and_one_readable_line(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    assert "错误" in err
    assert "Traceback" not in err


def test_the_base_map_command(run, tmp_path):
    folder = sound(tmp_path / "p", rules=[rule("FARM", relation="overlaps", layer="basic_farmland")])
    place = tmp_path / "out"
    options = ("--on", ON, "--activity", "化工", "--fact", "new_outfall=否", "--out", place)
    code, out, err = run("base-map", "--plan", folder, *options)
    assert code == 0, err
    assert "判定不通过：600.0000 公顷（6.00%，1 片）" in out
    assert sorted(path.name for path in place.iterdir()) == ["base_map.gpkg", "base_map.html"]


def test_the_demo_audits_the_plans(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    demo, environment = importlib.import_module("demo"), importlib.import_module("environment")
    monkeypatch.setattr(environment, "enter", lambda *_: None)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(es, "list_plans", lambda: ["changzhou-zhonglou"])
    assert demo.main() == 0
    assert "规划一致性核对：公布指标：相符" in capsys.readouterr().out
    assert {*FILES, "report.html"} <= {path.name for path in (tmp_path / "out" / "changzhou-zhonglou").iterdir()}
