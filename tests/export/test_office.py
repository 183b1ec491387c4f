"""The findings as Word, Excel, PDF, and as files for designers; every number against the findings made by hand."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from xml.etree import ElementTree as ET

import docx
import ezdxf
import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pypdf
import pytest
import shapely
from made_findings import HOSTILE, SITE_IDS, Made, empty_findings, hostile_findings, made_findings
from shapely.geometry import box

import ecospatial as es
from ecospatial import cli, export, model
from ecospatial.export import pdf
from ecospatial.export._xlsx import Column, workbook
from ecospatial.export.advice import advice

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
OFFICE = ["docx", "xlsx", "dxf", "shp", "txt"]


@pytest.fixture(scope="module")
def made() -> Made:
    return made_findings()


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    export.write(made, folder, formats=OFFICE)
    return folder


def words(path) -> str:
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


# ---------------------------------------------------------------------------------------------- Word


def test_word_tells_each_conflict_with_clause_measures_margin_and_what_to_do(written):
    tables = docx.Document(str(written / "report.docx")).tables
    told = [{row.cells[0].text: row.cells[1].text for row in table.rows} for table in tables if len(table.columns) == 2]
    first = next(rows for rows in told if "TH30-6" in rows.get("规则与依据", ""))
    assert "《太湖流域管理条例》（国务院令第604号）第三十条第六项" in first["规则与依据"]
    # 100 m by 100 m: 1 ha, 15 mu
    assert first["量算"] == "距离 600.0 m；重叠 10,000.00 m²，合 1.0000 公顷，合 15.00 亩；占地块 100.0%"
    assert first["判定"] == "P　判定不通过·示意"
    assert first["余量与可靠性"] == "余量 400.0 m，大于定位误差 150.0 m，而位置为推测，示意"
    assert "移到距该要素 1,000.0 m 以外（现为 600.0 m，还差 400.0 m）" in first["处理建议"]
    assert "示意" in first["处理建议"]


def test_word_has_every_part_of_the_report_and_all_sites(written):
    text = words(written / "report.docx")
    for part in (
        "建设项目选址空间管控符合性分析报告", "1　项目情况", "2　分析依据", "3　结论汇总", "未决事项及应找谁",
        "界址点坐标", "3.1　缺少的图层与待定的依据", "3.2　本局不核", "一般要求（不是本地块位置上的冲突）",
        "结论：P　判定不通过·示意", "结论：?　尚不能判定", "结论：R　受限准入·临界", "6　判定用语与使用限制",
        "内部使用，未经审核，不得公开", "常州市自然资源和规划局",
    ):  # fmt: skip
        assert part in text, part
    assert all(site_id in text for site_id in SITE_IDS)
    assert re.search(r"3520000\.000\n500600\.000", text)  # X is north
    pictures = [name for name in zipfile.ZipFile(written / "report.docx").namelist() if name.endswith(".png")]
    assert len(pictures) == len(SITE_IDS)


def test_word_names_chinese_fonts_and_no_theme_font_wins_over_them(written):
    archive = zipfile.ZipFile(written / "report.docx")
    styles = ET.fromstring(archive.read("word/styles.xml"))  # noqa: S314 - our own
    for style in styles.iter(f"{W}style"):
        if style.get(f"{W}styleId") in {"Normal", "Title", "Heading1", "Heading2", "Heading3", "Caption"}:
            fonts = style.find(f"{W}rPr/{W}rFonts")
            assert fonts.get(f"{W}eastAsia") in {"SimSun", "Microsoft YaHei"}, style.get(f"{W}styleId")
            assert not [key for key in fonts.attrib if key.endswith("Theme")]
    defaults = styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}rFonts")
    assert defaults.get(f"{W}eastAsia") == "SimSun"
    assert f"{W}eastAsiaTheme" not in defaults.attrib
    # Without it Word underlines Chinese as misspelt English.
    assert [mark.get(f"{W}eastAsia") for mark in styles.find(f"{W}docDefaults").iter(f"{W}lang")] == ["zh-CN"]


@pytest.mark.parametrize("make", [hostile_findings, empty_findings])
def test_word_and_excel_are_made_of_hostile_and_of_empty_findings(make, tmp_path):
    made = make()
    cells = ["a\x00b\x0bc\ud800"] * len(made.sites)
    made.sites["source"] = pd.Series(cells, index=made.sites.index, dtype=object)
    export.write(made, tmp_path, formats=OFFICE)
    text = words(tmp_path / "report.docx")
    assert "\x0b" not in text
    if make is hostile_findings:
        assert all(nasty in text for nasty in HOSTILE)
    else:
        assert "没有可用的规则" in text


@pytest.mark.parametrize("form", OFFICE)
def test_the_same_findings_give_the_same_bytes(form, made, written, tmp_path):
    (path,) = export.write(made, tmp_path, formats=[form])
    assert path.read_bytes() == (written / path.name).read_bytes()


# --------------------------------------------------------------------------------------------- Excel


@pytest.fixture(scope="module")
def book(written):
    return openpyxl.load_workbook(written / "findings.xlsx")


def rows_of(sheet, key: str) -> list[dict[str, object]]:
    """Give the rows below the header that has this label."""
    lines = list(sheet.iter_rows(values_only=True))
    head = next(number for number, line in enumerate(lines) if key in line)
    return [dict(zip(lines[head], line, strict=True)) for line in lines[head + 1 :]]


def test_excel_has_its_sheets_and_numbers_are_numbers(book):
    assert book.sheetnames == [
        "结论汇总", "核查结果", "一般要求", "缺少的图层与待定的依据", "本局不核", "面积", "图形修复", "规则",
        "图层", "说明",
    ]  # fmt: skip
    answers = rows_of(book["结论汇总"], "地块编号")
    assert [(row["结论"], row["未决"], row["缺图层、待定"]) for row in answers] == [
        ("判定不通过·示意", 0, 1), ("尚不能判定", 1, 1), ("尚不能判定", 1, 1), ("尚不能判定", 2, 1),
        ("受限准入·临界", 0, 2),
    ]  # fmt: skip
    findings = rows_of(book["核查结果"], "规则")
    assert len(findings) == 30 - 1 - 6  # a duty; and what waits for the plan, said once
    (duty,) = rows_of(book["一般要求"], "规则")
    assert (duty["地块编号"], duty["规则"], duty["期限"]) == ("A-01", "LIST-1", "2026-06-30")
    waiting = rows_of(book["缺少的图层与待定的依据"], "应找谁")
    assert [row["应找谁"] for row in waiting] == ["数据管理单位：常州市自然资源和规划局", "规则维护方"]
    (left_out,) = rows_of(book["本局不核"], "原因")
    assert (left_out["不核的内容"], left_out["由谁答复"]) == ("声环境功能区", "常州市生态环境局")
    asked = {(row["地块编号"], row["规则"]): row["由谁答复"] for row in findings if row["由谁答复"]}
    assert asked == {
        ("A-02", "FM35"): "申请人", ("A-03", "FM35"): "申请人", ("A-04", "TH30-6"): "申请人",
        ("A-04", "FM35"): "数据管理单位",
    }  # fmt: skip
    hit = next(row for row in findings if row["地块编号"] == "A-01" and row["规则"] == "TH30-6")
    assert (hit["距离（m）"], hit["重叠（m²）"], hit["占地块"]) == (600, 10000, 1)
    assert hit["重叠（亩）"] == pytest.approx(15)
    areas = rows_of(book["面积"], "项目")
    whole = next(row for row in areas if row["地块编号"] == "A-05" and row["项目"] == "地块")
    assert (whole["投影面积（m²）"], whole["投影面积（公顷）"]) == (20000, 2)
    assert whole["投影面积（亩）"] == pytest.approx(30)
    repairs = rows_of(book["图形修复"], "图形修复")
    assert [(row["地块编号"], row["面积变化（m²）"]) for row in repairs] == [("A-02", -2.5)]


def test_excel_filters_keeps_its_header_and_warns(book):
    sheet = book["结论汇总"]
    assert "内部使用，未经审核，不得公开" in [cell.value for cell in sheet["A"]]
    head = next(cell.row for cell in sheet["A"] if cell.value == "地块编号")
    assert sheet.freeze_panes == f"A{head + 1}"
    assert sheet.auto_filter.ref.startswith(f"A{head}:")
    assert sheet.auto_filter.ref.endswith(str(head + len(SITE_IDS)))


def test_excel_makes_no_formula_and_no_link_from_a_name(tmp_path):
    made = hostile_findings()
    made.sites["source"] = '=HYPERLINK("http://x")'
    made.summary["site_name"] = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx\x0b"]
    (path,) = export.write(made, tmp_path, formats=["xlsx"])
    sheets = openpyxl.load_workbook(path).worksheets
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert {cell.value for cell in cells} >= {"=1+1", "+1", "-1", "@SUM(A1)"}
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    parts = zipfile.ZipFile(path)
    assert not [name for name in parts.namelist() if b"<f>" in parts.read(name)]


# --------------------------------------------------------------------------------------------- QGIS


def test_geopackage_brings_its_styles_for_qgis(made, tmp_path):
    (path,) = export.write(made, tmp_path, formats=["gpkg"])
    styles = pyogrio.read_dataframe(path, layer="layer_styles")
    assert set(styles["f_table_name"]) == {"conflicts", "sites"}
    assert styles["useAsDefault"].all()
    known = {"conflicts": ("verdict", model.VERDICTS), "sites": ("headline", model.HEADLINES)}
    for name, text in styles[["f_table_name", "styleQML"]].itertuples(index=False):
        column, values = known[name]
        renderer = ET.fromstring(text.partition(">")[2]).find("renderer-v2")  # noqa: S314 - our own
        assert renderer.get("attr") == column
        shown = {item.get("value"): item.get("symbol") for item in renderer.iter("category")}
        assert set(shown) == set(values)
        colours = {
            item.get("name"): next(o.get("value") for o in item.iter("Option") if o.get("name") == "outline_color")
            for item in renderer.iter("symbol")
        }
        assert colours[shown["prohibited"]] == "213,94,0,255"  # vermillion of the Okabe-Ito set


# ----------------------------------------------------------------------------------------- designers


def test_shapefile_of_conflicts_is_gbk_with_its_cpg_and_true_areas(written, tmp_path):
    with zipfile.ZipFile(written / "conflicts.zip") as archive:
        assert archive.read("conflicts_polygon.cpg").strip() == b"GBK"
        archive.extractall(tmp_path)
        assert "化工一厂".encode("gbk") in archive.read("conflicts_polygon.dbf")
    found = gpd.read_file(tmp_path / "conflicts_polygon.shp").set_index("conflict")
    assert set(found["of_site"]) == {"A-01", "A-05"}  # what is undecided is no conflict
    assert found.loc["A-01-1", "result"] == "判定不通过"
    assert found.geometry.area.round(3).to_dict() == {"A-01-1": 10000.0, "A-05-1": 20000.0}
    assert found.loc["A-05-1", "area_mu"] == pytest.approx(30)


def test_shapefile_of_points_lines_and_characters_that_gbk_has_not(tmp_path):
    made = made_findings()
    made.frame.loc[made.frame["verdict"] == "needs_facts", "verdict"] = "restricted"
    made.frame["feature_name"] = "𠮷"
    (path,) = export.write(made, tmp_path, formats=["shp"])
    with zipfile.ZipFile(path) as archive:
        names = {name.partition(".")[0] for name in archive.namelist()}
    assert names == {"conflicts_polygon", "conflicts_line", "conflicts_point"}
    line = gpd.read_file(f"zip://{path}!conflicts_line.shp")
    assert line.geometry.length.tolist() == [500.0]
    assert line["feature"].tolist() == ["〓"]


def test_dxf_has_the_outlines_and_a_layer_for_each_verdict(written):
    document = ezdxf.readfile(written / "conflicts.dxf")
    assert document.units == 6
    by_layer: dict[str, list] = {}
    for entity in document.modelspace().query("LWPOLYLINE"):
        by_layer.setdefault(entity.dxf.layer, []).append(entity)
    assert set(by_layer) == {"红线", "冲突_判定不通过", "冲突_受限准入"}
    (hit,) = by_layer["冲突_判定不通过"]
    assert hit.closed
    assert shapely.Polygon([(x, y) for x, y, *_ in hit.get_points()]).equals(box(500600, 3520000, 500700, 3520100))
    assert sum(shapely.Polygon(list(e.vertices())).area for e in by_layer["冲突_受限准入"]) == 20000


def test_survey_text_of_conflicts_is_read_again_as_the_same_parcels(written):
    text = (written / "conflicts.txt").read_bytes().decode("gb18030")
    assert "带号=40" in text
    assert "J1,1,3520000.000,500700.000" in text or "J1,1,3520000.000,500600.000" in text
    assert "5,1.0000,A-01-1,A-01 TH30-6 判定不通过,面,,冲突范围,,@" in text
    sites = es.read_sites(written / "conflicts.txt", crs="EPSG:4549")
    assert sites.geometry.area.round(3).to_dict() == {"A-01-1": 10000.0, "A-05-1": 20000.0}


def test_survey_text_is_refused_outside_a_three_degree_zone(tmp_path):
    made = made_findings()
    made.frame, made.sites = made.frame.to_crs("EPSG:32651"), made.sites.to_crs("EPSG:32651")
    with pytest.raises(es.SiteError, match="三度带"):
        export.write(made, tmp_path, formats=["txt"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(es.EcospatialError, match=r"conflicts\.txt.*三度带.*已写入：findings\.xlsx"):
        export.write(made, tmp_path, formats=["txt", "xlsx"])
    assert [path.name for path in tmp_path.iterdir()] == ["findings.xlsx"]


@pytest.mark.parametrize(
    ("row", "rule", "told"),
    [
        ({"verdict": "clear"}, {"relation": "overlaps"}, ""),
        ({"verdict": "prohibited", "overlap_m2": 20000.0}, {"relation": "overlaps"}, "重叠 20,000.00 m²，合 30.00 亩"),
        ({"verdict": "prohibited", "overlap_m2": 1.0}, {"relation": "outside"}, "收到该范围之内（超出 1.00 m²"),
        ({"verdict": "restricted", "overlap_length_m": 12.0}, {"relation": "overlaps"}, "满足条文所列条件或取得批准"),
        ({"verdict": "prohibited", "certainty": "marginal"}, {"relation": "along_river"}, "现场核定边界"),
        ({"verdict": "prohibited", "certainty": "doubtful"}, {"relation": "overlaps"}, "先核实说明中所列的疑点"),
        ({"verdict": "restricted", "certainty": "schematic"}, {"relation": "overlaps"}, "不得作为审批依据"),
        ({"verdict": "prohibited"}, {"unless": [{"linear_infrastructure": True}]}, "例外（线性工程）"),
    ],
)
def test_advice_follows_from_rule_and_measures(row, rule, told):
    found = "".join(advice(row, rule))
    assert told in found
    assert bool(found) == bool(told)


# ----------------------------------------------------------------------------------------------- PDF


def printed(path) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


@pytest.mark.skipif(pdf.program(pdf.BROWSERS) is None, reason="no Chromium, Chrome or Edge on this machine")
def test_pdf_is_printed_from_the_page(made, tmp_path):
    (path,) = export.write(made, tmp_path, formats=["pdf"])
    assert path.name == "report.pdf"
    text = printed(path)
    assert "空间管控核查报告" in text
    assert "新孟河岸线两侧" in text
    assert not [name for name in tmp_path.iterdir() if name.name != "report.pdf"]


def test_without_a_program_pdf_is_refused_and_the_others_stand(made, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "program", lambda _: None)
    with pytest.raises(es.EcospatialError, match="LibreOffice"):
        export.write(made, tmp_path, formats=["pdf"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(es.EcospatialError, match=r"report\.pdf：.*LibreOffice.*已写入：findings\.json、report\.docx"):
        export.write(made, tmp_path, formats=["pdf", "docx", "json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.json", "report.docx"]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not on this machine")
def test_libreoffice_opens_word_and_excel_and_prints_without_a_browser(made, written, tmp_path, monkeypatch):
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"

    def convert(form: str, name: str) -> None:
        call = [shutil.which("soffice"), "--headless", profile, "--convert-to", form, "--outdir", tmp_path]
        subprocess.run([*call, written / name], capture_output=True, check=True, timeout=180)

    convert("pdf", "report.docx")
    assert "建设项目选址空间管控符合性分析报告" in printed(tmp_path / "report.pdf")
    convert("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2", "findings.xlsx")
    (table,) = tmp_path.glob("*.csv")
    assert "TH30-6" in table.read_text("utf-8")
    assert "Err:" not in table.read_text("utf-8")
    monkeypatch.setattr(pdf, "BROWSERS", ())
    (path,) = export.write(made, tmp_path / "out", formats=["pdf"])
    text = printed(path)
    assert "建设项目选址空间管控符合性分析报告" in text


# ---------------------------------------------------------------------------------- report, templates


def template(path, text: str) -> None:
    document = docx.Document()
    for line in text.split("\n"):
        document.add_paragraph(line)
    document.save(str(path))


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def kept(made, tmp_path):
    return export.write_json(made, tmp_path / "findings.json")


def test_report_is_made_again_from_a_findings_file_alone(kept, written, tmp_path, capsys):
    assert run("report", kept, "--out", tmp_path / "again", "--format", "docx,xlsx,txt") == 0
    made = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert made == ["conflicts.txt", "findings.xlsx", "report.docx"]
    assert (tmp_path / "again/findings.xlsx").read_bytes() == (written / "findings.xlsx").read_bytes()
    assert "已写入" in capsys.readouterr().err


def test_report_refuses_another_plan_than_that_of_the_check(kept, tmp_path, capsys):
    assert run("report", kept, "--plan", "nanjing-gulou", "--out", tmp_path / "again", "--format", "docx") == 2
    assert "规划与核查结果不符" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()


def test_a_template_of_ones_own_is_filled_in(kept, tmp_path):
    lines = [
        "{{ meta.title }}，{{ crs }}",
        "{% for site in sites %}{{ site.site_id }}：{{ site.headline }}；{% endfor %}",
        "{% for row in sites[0].conflicts %}{{ row.rule_id }} {{ row.overlap_m2 }}{% endfor %}",
        "{{ sites[0].map }}",
    ]
    template(tmp_path / "own.docx", "\n".join(lines))
    assert run("report", kept, "--out", tmp_path / "out", "--template", tmp_path / "own.docx") == 0
    lines = [paragraph.text for paragraph in docx.Document(str(tmp_path / "out/report.docx")).paragraphs]
    assert lines[0].startswith("示例规划，")
    assert (
        lines[1] == "A-01：判定不通过·示意；A-02：尚不能判定；A-03：尚不能判定；A-04：尚不能判定；A-05：受限准入·临界；"
    )
    assert lines[2] == "TH30-6 10000.0"
    assert any(name.endswith(".png") for name in zipfile.ZipFile(tmp_path / "out/report.docx").namelist())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ nothing_of_that_name }}", "不能填写"),
        ("{{ sites.__class__.__mro__ }}", "不能填写"),
        ("{% for x in %}", "不能填写"),
        ("{{ sites.append(1) }}", "不能填写"),
    ],
)
def test_a_template_that_names_the_unknown_or_reaches_out_is_refused(text, told, kept, tmp_path, capsys):
    template(tmp_path / "own.docx", text)
    assert run("report", kept, "--out", tmp_path / "out", "--template", tmp_path / "own.docx") == 2
    error = capsys.readouterr().err
    assert told in error
    assert "own.docx" in error
    assert not list((tmp_path / "out").iterdir())


def test_a_template_that_is_no_word_file_is_refused(kept, tmp_path, capsys):
    (tmp_path / "own.docx").write_bytes(b"PK\x03\x04 not a zip")
    assert run("report", kept, "--out", tmp_path / "out", "--template", tmp_path / "own.docx") == 2
    assert "不是 Word 模板" in capsys.readouterr().err


def test_hostile_names_stay_text_in_a_template(tmp_path):
    made = hostile_findings()
    template(tmp_path / "own.docx", "{{ sites[0].site_name }}")
    export.write(made, tmp_path / "out", formats=["docx"], template=tmp_path / "own.docx")
    shown = docx.Document(str(tmp_path / "out/report.docx")).paragraphs[0].text
    assert shown == "site_name" + "".join(HOSTILE)
    assert io.BytesIO((tmp_path / "out/report.docx").read_bytes()).read(2) == b"PK"


def test_a_number_has_the_decimals_it_needs_and_no_more(tmp_path):
    values = [5, 5.0, 1234567.25, 4.9996, 0.125, -2.0]
    with workbook(tmp_path / "book.xlsx", "数") as book:
        columns = [Column("free", "可有", form="#,##0.###"), Column("fixed", "固定", form="0.00")]
        book.sheet("表", columns, [{"free": value, "fixed": value} for value in values], top=["题", "注"], about="说明")
    rows = list(openpyxl.load_workbook(tmp_path / "book.xlsx")["表"].iter_rows())
    assert [row[0].value for row in rows[:4]] == ["题", "说明", "注", "可有"]
    assert [row[0].value for row in rows[4:]] == values
    shown = [row[0].number_format for row in rows[4:]]
    # Excel would write 5 with three optional decimals as 5., and 4.9996 as 5. too.
    assert shown == ["#,##0", "#,##0", "#,##0.###", "#,##0", "#,##0.###", "#,##0"]
    assert {row[1].number_format for row in rows[4:]} == {"0.00"}
