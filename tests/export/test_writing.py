"""What is written when something fails: data first and there to stay, a picture costs only itself."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import docx
import pyogrio
import pytest
import shapely
from made_findings import SITE_IDS, made_findings, made_plan
from made_plans import square, worked_example
from page_outline import outline

import ecospatial as es
from ecospatial import cli, export, maps, plans
from ecospatial.batch import map_jobs, map_run
from ecospatial.errors import EcospatialError, OutputError, Problem, SiteError
from ecospatial.export import docx as docx_
from ecospatial.export import figures, pdf
from ecospatial.export._outputs import Output, write_outputs
from ecospatial.maps.print import site_map
from ecospatial.maps.web import layers, thumbnail


def text_output(name, data, *, log=None):
    def save(path):
        path.write_text(name, "utf-8")
        if log is not None:
            log.append(name)

    return Output(name, save, data=data)


def failing(name, fault, data=False):
    def save(path):
        path.write_text("half", "utf-8")
        raise fault

    return Output(name, save, data=data)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


GEOS = shapely.GEOSException("TopologyException: side location conflict at 501000 3520000")


# ------------------------------------------------------------------------------------------ the files


def test_data_is_written_first_and_paths_come_in_the_order_asked(tmp_path):
    log = []
    outputs = [
        text_output(name, data, log=log) for name, data in (("p.html", False), ("a.json", True), ("b.gpkg", True))
    ]
    made = write_outputs(tmp_path, outputs)
    assert log == ["a.json", "b.gpkg", "p.html"]
    assert [path.name for path in made] == ["p.html", "a.json", "b.gpkg"]
    assert names(tmp_path) == ["a.json", "b.gpkg", "p.html"]


@pytest.mark.parametrize(
    "fault", [GEOS, KeyError("x"), ZeroDivisionError(), RuntimeError(), TypeError(), ValueError("v")]
)
def test_a_fault_costs_only_its_own_file(fault, tmp_path):
    outputs = [failing("p.html", fault), text_output("a.json", True), text_output("m.html", False)]
    with pytest.raises(OutputError) as caught:
        write_outputs(tmp_path, outputs)
    assert names(tmp_path) == ["a.json", "m.html"]
    (problem,) = caught.value.problems
    assert problem.file == "p.html"
    assert type(fault).__name__ in problem.message
    assert problem.hint == "已写入：a.json、m.html"
    assert caught.value.fault is fault
    assert [path.name for path in caught.value.written] == ["a.json", "m.html"]


def test_what_failed_for_a_reason_of_the_user_is_no_fault_of_the_program(tmp_path):
    wrong = SiteError(Problem("report.pdf", None, "本机没有能打印 PDF 的程序", "请安装浏览器"))
    with pytest.raises(OutputError) as caught:
        write_outputs(tmp_path, [failing("report.pdf", wrong), text_output("a.json", True)])
    assert caught.value.fault is None
    assert str(caught.value) == "report.pdf：未能写出，本机没有能打印 PDF 的程序。请安装浏览器。已写入：a.json"


def test_an_older_file_of_that_name_is_named_as_old(tmp_path):
    (tmp_path / "p.html").write_text("old", "utf-8")
    with pytest.raises(OutputError, match=r"原有的 p\.html 是以前的结果"):
        write_outputs(tmp_path, [failing("p.html", GEOS), text_output("a.json", True)])
    assert (tmp_path / "p.html").read_text("utf-8") == "old"


def test_the_only_file_raises_its_own_error(tmp_path):
    with pytest.raises(shapely.GEOSException, match="side location"):
        write_outputs(tmp_path, [failing("p.html", GEOS)])
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_the_users_to_mend(number, tmp_path):
    full = OSError(number, "full")
    with pytest.raises(SiteError, match="磁盘已满") as caught:
        write_outputs(tmp_path, [failing("a.json", full, True), failing("p.html", full)])
    assert not isinstance(caught.value, OutputError)
    assert names(tmp_path) == []
    with pytest.raises(OutputError, match="磁盘已满") as caught:
        write_outputs(tmp_path, [text_output("a.json", True), failing("p.html", full)])
    assert caught.value.fault is None
    assert names(tmp_path) == ["a.json"]


def test_a_disk_that_is_full_tells_so_whatever_the_library_says(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(SiteError, match="磁盘已满"):
        write_outputs(tmp_path, [failing("a.gpkg", pyogrio.errors.DataSourceError("sqlite3_exec failed"), True)])


def test_a_folder_that_is_read_only_is_the_users_to_mend(tmp_path):
    with pytest.raises(SiteError, match="文件不能写入"):
        write_outputs(tmp_path, [failing("a.json", PermissionError(errno.EACCES, "no"), True)])
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SiteError, match="输出文件夹不能建立或写入"):
        write_outputs(tmp_path / "file", [text_output("a.json", True)])


def test_the_error_comes_whole_out_of_another_process(tmp_path):
    error = OutputError([Problem("a", 1, "b", "c")], [tmp_path / "x"], fault=KeyError("k"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert (again.problems, again.written, again.fault) == (error.problems, error.written, None)


# ------------------------------------------------------------------------------------ findings, figures


@pytest.fixture
def broken_figure(monkeypatch):
    """Let the drawing of one figure fail as GEOS does."""
    honest = site_map._Map.conflicts

    def conflicts(self):
        if self.site_id == "A-02":
            raise GEOS
        honest(self)

    monkeypatch.setattr(site_map._Map, "conflicts", conflicts)


SENTENCE = "此图未能绘出：程序绘图时出错（GEOSException）。"


@pytest.mark.usefixtures("broken_figure")
def test_a_figure_that_fails_is_a_framed_sentence_in_the_page(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        made = export.write(made_findings(), tmp_path, formats=["html", "json", "gpkg"])
    assert names(tmp_path) == ["findings.gpkg", "findings.json", "report.html"]
    page = made[0].read_text("utf-8")
    assert len(re.findall('<figure class="map">', page)) == len(SITE_IDS) - 1
    frames = re.findall(r'<p class="nomap">(.*?)</p>', page)
    assert frames == [f"<b>此处应有地图。</b>{SENTENCE}文字结论不受影响。"]
    assert "有 1 幅图未能绘出（地块 A-02），文字、表格和数据文件不受影响" in outline(page).text
    assert f"地块 A-02：{SENTENCE}" in caplog.text


@pytest.mark.usefixtures("broken_figure")
def test_a_figure_that_fails_is_a_framed_sentence_in_the_document(tmp_path, caplog):
    export.write(made_findings(), tmp_path, formats=["docx"])
    document = docx.Document(str(tmp_path / "report.docx"))
    (found,) = [paragraph for paragraph in document.paragraphs if SENTENCE in paragraph.text]
    assert found._p.pPr.find(docx.oxml.ns.qn("w:pBdr")) is not None
    assert len(document.inline_shapes) == len(SITE_IDS) - 1
    assert any("有 1 幅图未能绘出（地块 A-02）" in paragraph.text for paragraph in document.paragraphs)
    assert f"地块 A-02：{SENTENCE}" in caplog.text


def test_all_figures_may_fail_and_the_report_stands(tmp_path, monkeypatch):
    monkeypatch.setattr(site_map, "_share", lambda _: (_ for _ in ()).throw(GEOS))
    made = export.write(made_findings(), tmp_path, formats=["html", "docx"])
    page = made[0].read_text("utf-8")
    assert page.count(f"<b>此处应有地图。</b>{SENTENCE}") == len(SITE_IDS)
    document = docx.Document(str(made[1]))
    assert sum(SENTENCE in paragraph.text for paragraph in document.paragraphs) == len(SITE_IDS) + 1


def test_what_the_user_can_mend_is_not_hidden_as_a_missing_figure(tmp_path, monkeypatch):
    wrong = EcospatialError(Problem("style.yaml", 3, "颜色不对", "请更正"))
    monkeypatch.setattr(site_map, "_share", lambda _: (_ for _ in ()).throw(wrong))
    with pytest.raises(EcospatialError, match="颜色不对"):
        export.write(made_findings(), tmp_path, formats=["html"])


@pytest.mark.parametrize("form", ["html", "map", "docx"])
def test_data_is_there_when_a_document_fails_as_a_whole(form, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise GEOS

    monkeypatch.setattr(figures, "_chosen", fail)
    monkeypatch.setattr(maps, "draw", fail)
    with pytest.raises(OutputError, match="程序内部错误（GEOSException）") as caught:
        export.write(made_findings(), tmp_path, formats=[form, "json", "gpkg", "xlsx"])
    assert names(tmp_path) == ["findings.gpkg", "findings.json", "findings.xlsx"]
    assert "已写入：findings.json、findings.gpkg、findings.xlsx" in str(caught.value)
    assert list(export.read_gpkg(tmp_path / "findings.gpkg")["sites"].index) == SITE_IDS


def test_without_a_program_for_pdf_every_other_format_stands(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "program", lambda _: None)
    others = [form for form in export.FORMATS if form not in ("pdf", "parquet")]
    with pytest.raises(OutputError, match=r"report\.pdf：未能写出，本机没有能打印 PDF 的程序") as caught:
        export.write(made_findings(), tmp_path, formats=["pdf", *others])
    assert caught.value.fault is None
    assert len(caught.value.written) == len(others) == len(names(tmp_path))


# --------------------------------------------------------------------------------------------- the map


def broken_layer(monkeypatch, label):
    honest = layers.drawn

    def drawn(frame, **how):
        if how["name"].startswith(label):
            raise GEOS
        return honest(frame, **how)

    monkeypatch.setattr(layers, "drawn", drawn)


@pytest.mark.parametrize("label", ["永久基本农田", "冲突范围", layers.STRIP])
def test_a_layer_that_can_not_be_drawn_costs_no_other(label, tmp_path, monkeypatch, caplog):
    made_plan(tmp_path)
    broken_layer(monkeypatch, label)
    page = maps.to_html(maps.draw(made_findings(plans.open_plan(tmp_path))))
    assert f"此图未能绘出：{label}" in outline(page).text
    assert "项目地块（按结论着色）" in page
    assert f"{label}：{SENTENCE}" in caplog.text


def test_a_layer_of_a_plan_that_can_not_be_drawn_is_said_on_its_map(tmp_path, monkeypatch):
    made_plan(tmp_path)
    broken_layer(monkeypatch, "永久基本农田")
    page = maps.to_html(maps.draw(plans.open_plan(tmp_path)))
    assert "此图未能绘出：永久基本农田。没有绘出不等于没有" in outline(page).text


# ---------------------------------------------------------------------------- gallery, audit, base map


def test_a_thumbnail_that_fails_costs_no_map(tmp_path, monkeypatch):
    (tmp_path / "plan").mkdir()
    made_plan(tmp_path / "plan")
    monkeypatch.setattr(map_jobs, "thumbnail", lambda _: (_ for _ in ()).throw(GEOS))
    items, scene = map_run.of_plan(plans.open_plan(tmp_path / "plan"), "district")
    found = map_run.render(items, scene, tmp_path / "out")
    assert found.failed == []
    assert thumbnail.UNDRAWN in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_a_map_that_fails_costs_no_other_of_the_gallery(tmp_path, monkeypatch):
    (tmp_path / "plan").mkdir()
    made_plan(tmp_path / "plan")
    monkeypatch.setattr(maps, "draw", lambda _: (_ for _ in ()).throw(GEOS))
    items, scene = map_run.of_plan(plans.open_plan(tmp_path / "plan"), "district")
    found = map_run.render(items, scene, tmp_path / "out")
    assert [why for _, why in found.failed] == [SENTENCE]
    assert SENTENCE in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_the_tables_of_an_audit_stand_when_its_map_fails(tmp_path, monkeypatch):
    (tmp_path / "plan").mkdir()
    made_plan(tmp_path / "plan")
    audit = es.audit(es.open_plan(tmp_path / "plan"))
    monkeypatch.setattr("ecospatial.audits.write.draw", lambda _: (_ for _ in ()).throw(GEOS))
    with pytest.raises(OutputError, match=r"audit_map\.html"):
        audit.write(tmp_path / "out")
    assert names(tmp_path / "out") == ["audit.gpkg", "audit.html", "audit.xlsx"]


def test_the_pieces_of_a_base_map_stand_when_its_page_fails(tmp_path, monkeypatch):
    (tmp_path / "plan").mkdir()
    made_plan(tmp_path / "plan")
    plan = es.open_plan(tmp_path / "plan")
    pieces = es.base_map(plan, works="new")
    monkeypatch.setattr("ecospatial.checks.control_overlay_files.draw_base_map", lambda *_: (_ for _ in ()).throw(GEOS))
    from ecospatial.checks.control_overlay_files import write_base_map

    with pytest.raises(OutputError, match=r"base_map\.html"):
        write_base_map(pieces, plan, tmp_path / "out")
    assert names(tmp_path / "out") == ["base_map.gpkg"]


# ----------------------------------------------------------------------------------------- the command


def command(tmp_path, formats):
    folder = worked_example(tmp_path / "plan")
    shape = square(600)
    call = ["check", "--wkt", shape.wkt, "--crs", "EPSG:4549", "--plan", str(folder), "--out", str(tmp_path / "out"),
            "--format", formats]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        cli.main(call)
    return ended.value.code


def test_the_command_ends_with_3_names_what_failed_and_leaves_the_data(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures, "_chosen", lambda _: (_ for _ in ()).throw(GEOS))
    assert command(tmp_path, "html,json,gpkg") == 3
    assert names(tmp_path / "out") == ["findings.gpkg", "findings.json"]
    told = capsys.readouterr().err
    assert "错误：report.html：未能写出，程序内部错误（GEOSException）。已写入：findings.json、findings.gpkg" in told
    assert f"已写入 {tmp_path / 'out' / 'findings.json'}" in told
    assert "Traceback" not in told
    assert json.loads((tmp_path / "out" / "findings.json").read_text("utf-8"))["format"] == "ecospatial-findings"
    Path(re.search(r"详情见 (\S+?)，", told).group(1)).unlink()


def test_the_command_ends_with_2_without_a_program_for_pdf(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pdf, "program", lambda _: None)
    assert command(tmp_path, "pdf,json") == 2
    assert names(tmp_path / "out") == ["findings.json"]
    assert "本机没有能打印 PDF 的程序" in capsys.readouterr().err


def test_the_command_ends_with_2_on_a_full_disk(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(docx_, "save_docx", full)
    assert command(tmp_path, "docx,json") == 2
    assert names(tmp_path / "out") == ["findings.json"]
    assert "磁盘已满" in capsys.readouterr().err


def test_a_figure_that_fails_ends_with_0_and_a_line_on_standard_error(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(site_map._Map, "conflicts", lambda _: (_ for _ in ()).throw(GEOS))
    assert command(tmp_path, "html,json") == 0
    assert names(tmp_path / "out") == ["findings.json", "report.html"]
    assert SENTENCE in caplog.text


WRITTEN = """import sys
import shapely
import ecospatial as es
plan = es.open_plan("changzhou-zhonglou")
zone = plan.frame("control_zone").geometry.iloc[0].representative_point()
shapes = [zone.buffer(60), zone.buffer(300).boundary, zone]
import geopandas as gpd
sites = gpd.GeoDataFrame({"activity": ["C26"] * 3, "works": ["new"] * 3}, geometry=shapes, crs=plan.crs)
found = es.check(sites, plan, on="2026-11-20")
found.write(sys.argv[1], formats=["html", "map", "gpkg", "json", "xlsx", "docx", "dxf", "shp", "txt"])
"""


def test_files_do_not_depend_on_the_order_of_sets(tmp_path):
    digests = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", WRITTEN, str(folder)], check=True, env=environment, timeout=120)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())})
    assert len(digests[0]) == 9
    assert digests[0] == digests[1]
