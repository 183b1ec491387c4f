"""The report as one HTML page: what it says, where it leads, and that it reaches nothing outside."""

from __future__ import annotations

import logging
import math
import re

import pandas as pd
import pyproj
import pytest
import shapely
from made_findings import HOSTILE, SITE_IDS, Made, empty_findings, hostile_findings, made_findings, made_plan
from page_outline import outline

from ecospatial import export, maps, model
from ecospatial.export import boundary_points, figures
from ecospatial.export import html as page_room
from ecospatial.maps.print import fonts

ANSWERS = ["判定不通过·示意", "尚不能判定", "尚不能判定", "尚不能判定", "受限准入·临界"]


@pytest.fixture
def made() -> Made:
    return made_findings()


@pytest.fixture
def page(made, tmp_path):
    return export.write_html(made, tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("make", [made_findings, hostile_findings, empty_findings])
def test_html_reaches_nothing_outside_and_runs_nothing(make, tmp_path):
    page = export.write_html(make(), tmp_path / "report.html").read_text("utf-8")
    found = outline(page)
    assert not found.tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form"}
    assert found.reaching == []
    assert found.handlers == []
    assert re.findall(r"url\((?!#map\d+-)", page) == []
    assert "://" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_html_shows_hostile_names_as_typed(tmp_path):
    text = outline(export.write_html(hostile_findings(), tmp_path / "report.html").read_text("utf-8")).text
    nasty = "".join(HOSTILE)
    for field in ("rule_title", "instrument", "article", "feature_name", "reason", "land_use", "source", "repair",
                  "publisher", "licence", "problem", "title", "notice", "file"):  # fmt: skip
        assert f"{field}{nasty}" in text, field


def test_html_tells_the_headline_of_every_site_with_its_certainty(page):
    chips = re.findall(r'<span class="v"><i style="[^"]*">.</i>([^<]*)</span>', page)
    for number, answer in enumerate(ANSWERS, start=1):
        head = page.split(f'id="site-{number}"')[1].split("</header>")[0]
        assert f"</i>{answer}</span>" in head
        row = page.split(f"<td>2.{number}</td>")[1].split("</tr>")[0]
        assert f"</i>{answer}</span>" in row
    assert chips.count("判定不通过·示意") == 3  # how many sites, in the summary, and above the findings of the site
    assert "判定通过·" not in page


def test_html_colours_a_site_by_its_headline(page):
    colours = re.findall(r'<section class="site" id="site-(\d)">\s*<header style="border-left-color:(#\w+)">', page)
    headlines = ["prohibited", "undecided", "undecided", "undecided", "restricted"]
    assert colours == [(str(i), model.HEADLINES[v].colour) for i, v in enumerate(headlines, start=1)]


def test_html_says_once_what_is_open_in_the_plan_and_what_is_left_out(page):
    text = re.sub(r"\s", "", outline(page).text)
    for words in (
        "图层：大运河核心监控区数据管理单位：常州市自然资源和规划局CANAL-1",
        "原文未写明名录：ERL-1规则维护方ERL-1",
        "声环境功能区噪声由环评审查常州市生态环境局NOISE-1、NOISE-2",
    ):
        assert text.count(words) == 1
    for number in range(1, 6):
        own = page.split(f'id="site-{number}"')[1].split("</section>")[0]
        assert 'class="no_data"' not in own or number == 4  # the altered layer is open at that place
        assert "未取得，无法判断" not in own
        assert "CANAL-1" in own  # named as one that waits


def test_html_lists_duties_apart_from_conflicts(page):
    first = page.split('id="site-1"')[1].split('id="site-2"')[0]
    duties = first.split("一般要求")[1].split("</table>")[0]
    assert "LIST-1" in duties
    assert "期限 2026-06-30，已逾期" in duties
    assert "LIST-1" not in first.split("核查结果")[1].split("</table>")[0]


def test_html_lists_the_worst_first(page):
    first_site = page.split('id="site-1"')[1].split('id="site-2"')[0]
    verdicts = [name for name in re.findall(r'<tr class="(\w+)">', first_site) if name in model.VERDICTS]
    assert verdicts == ["prohibited", "duty", "clear", "clear"]
    assert "不适用 1 条：OLD-1" in first_site


def test_html_says_what_a_planner_needs(page):
    text = outline(page).text
    for words in (
        model.NOTICE_INTERNAL, model.NOTICE_SCHEMATIC, "核查日期2026-11-20", "EPSG:4549", "ecospatial 0.1.0",
        "C2614 有机化学原料制造；C27 医药制造业", "向水体排污是", "新设排污口否", "危化品未知",
        "10,000.00 m²1.0000 公顷，15.00 亩", "自相交，已修复（面积变化 -2.50 m²）",
        "距离 600.0 m", "重叠 10,000.00 m²合 1.0000 公顷合 15.00 亩", "占比 100.0%", "受限准入·临界",
        "缺少：行业代码申请人TH30-6", "缺少：建设性质申请人", "《太湖流域管理条例》",
        "图层：永久基本农田数据管理单位：本项目FM35", "建设性质新建、改变用途", "由申请人答复",
        "余量 400.0 m，大于定位误差 150.0 m，而位置为推测，示意", "余量 20.5 m，不大于定位误差 500.5 m，临界",
        "未决 2 条；缺图层或依据待定 1 条",
        "文件与登记的哈希不符", "全区及外围 5000 m", "未取得", "本区不存在", "未核实",
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    ):  # fmt: skip
        assert re.sub(r"\s", "", words) in re.sub(r"\s", "", text), words


def test_html_of_a_plan_without_rules_does_not_pass_anybody(tmp_path):
    text = outline(export.write_html(empty_findings(), tmp_path / "a.html").read_text("utf-8")).text
    assert "未作判定：没有可用的规则" in text
    assert "不表示通过" in text
    assert "结论?尚不能判定" in re.sub(r"\s", "", text)


def test_html_says_when_lighter_findings_were_left_out(made, tmp_path):
    made.frame = made.frame[made.frame["verdict"] >= "no_data"].reset_index(drop=True)
    text = outline(export.write_html(made, tmp_path / "a.html").read_text("utf-8")).text
    assert "另有 4 条较轻的结果未列出" in text
    assert "判定不通过·示意" in text
    assert "未决 1 条；缺图层或依据待定 1 条" in text  # counted, though not listed


def test_html_names_what_was_skipped(made, tmp_path):
    made.meta["skipped"] = [{"source": "红线.txt，第 7 行", "site_id": "A-09", "problem": "坐标不是数字"}]
    text = outline(export.write_html(made, tmp_path / "a.html").read_text("utf-8")).text
    assert "有 1 个图形因有误未纳入核查" in text
    assert "红线.txt，第 7 行，A-09，坐标不是数字" in text
    assert "下列 1 个图形因有误未纳入核查" in text
    for other in (export.summary_text(made), export.notebook_html(made), maps.to_html(maps.draw(made))):
        assert "有 1 个图形因有误未纳入核查，不表示通过" in other


def test_contents_and_links_lead_somewhere(page):
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'\shref="#([^"]+)"', page)
    assert set(targets) <= set(ids)
    assert {"summary", "sites", "basis", "rules", "layers", "inputs", "skipped", "limits"} < set(targets)
    assert {f"site-{number}" for number in range(1, 6)} < set(targets)


def test_sections_are_numbered_without_a_gap(page):
    heads = re.findall(r"<h[234][^>]*>([\d.]+)　", page)
    assert [head for head in heads if "." not in head] == ["1", "2", "3", "4", "5", "6"]
    assert [head for head in heads if re.fullmatch(r"2\.\d", head)] == [f"2.{n}" for n in range(1, 6)]
    for site in range(1, 6):
        own = [head for head in heads if head.startswith(f"2.{site}.")]
        assert own == [f"2.{site}.{n}" for n in range(1, len(own) + 1)]
        assert len(own) >= 5


def test_areas_stand_in_three_units_by_arithmetic(page):
    text = re.sub(r"\s", "", outline(page).text)
    # two squares of 100 m: 20 000 m2 = 2 ha = 30 mu
    assert "20,000.00m²2.0000公顷，30.00亩" in text
    # 25 m x 100 m of farmland: 2 500 m2 = 0.25 ha = 3.75 mu
    assert "重叠2,500.00m²合0.2500公顷合3.75亩占比25.0%" in text


def test_running_head_can_not_end_the_style_sheet(tmp_path):
    page = export.write_html(hostile_findings(), tmp_path / "a.html").read_text("utf-8")
    style = page.partition("<style>")[2].partition("</style>")[0]
    (running,) = re.findall(r"@top-right \{ content: \"([^\"]*)\"; \} \}", style)
    assert re.fullmatch(r"(\w|\\[0-9a-f]+ )*", running)
    assert running.startswith("title\\3c img\\20 src\\3d x")
    assert page.count("</style>") == 1


# ------------------------------------------------------------------------------------------- corners


def reshape(made, shape):
    """Give the first site another shape."""
    shapes = made.sites.geometry.to_numpy().copy()
    shapes[0] = shape
    made.sites = made.sites.set_geometry(shapes, crs=made.sites.crs)


def table_of(page: str, number: int) -> list[list[str]]:
    part = page.split(f'id="site-{number}"')[1].split("</section>", maxsplit=1)[0].split("corners")[1]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part, re.DOTALL)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]


def test_corners_are_those_of_the_input_x_to_the_north(page):
    head, ring, *rows = table_of(page, 1)
    assert head == ["点号", "X（北，m）", "Y（东，m）", "经度（°）", "纬度（°）"]
    assert ring == ["外圈，圈号 1（4 点）"]
    assert [row[:3] for row in rows] == [
        ["J1", "3520000.000", "500700.000"],
        ["J2", "3520100.000", "500700.000"],
        ["J3", "3520100.000", "500600.000"],
        ["J4", "3520000.000", "500600.000"],
    ]
    to_degrees = pyproj.Transformer.from_crs(4549, 4490, always_xy=True)
    for _, north, east, lon, lat in rows:
        there = to_degrees.transform(float(east), float(north))
        assert math.hypot(float(lon) - there[0], float(lat) - there[1]) < 1.5e-8
        assert len(lon.partition(".")[2]) == len(lat.partition(".")[2]) == 8


def test_corners_of_lines_points_and_parts_are_told_apart(page):
    line, point, parts = table_of(page, 3), table_of(page, 4), table_of(page, 5)
    assert [row[0] for row in line[1:]] == ["线（3 点）", "J1", "J2", "J3"]
    assert point[1:] == [["点（1 点）"], ["J1", "3522000.000", "500300.000", *point[2][3:]]]
    names = [row[0] for row in parts[1:]]
    first, second = (f"第 {number} 块，外圈，圈号 1（4 点）" for number in (1, 2))
    assert names == [first, "J1", "J2", "J3", "J4", second, "J5", "J6", "J7", "J8"]


def test_holes_are_rings_of_their_own(made):
    holes = [[(1, 1), (2, 1), (2, 2)], [(5, 5), (6, 5), (6, 6)]]
    reshape(made, shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], holes))
    rings = boundary_points.corners(made.sites)[0].rings
    assert [ring.title for ring in rings] == [
        "外圈，圈号 1（4 点）", "内圈（挖空），圈号 2（3 点）", "内圈（挖空），圈号 3（3 点）",
    ]  # fmt: skip
    assert [corner.name for corner in rings[2].corners] == ["J8", "J9", "J10"]
    assert [(corner.x, corner.y) for corner in rings[1].corners] == [
        ("1.000", "1.000"), ("1.000", "2.000"), ("2.000", "2.000"),
    ]  # fmt: skip


def test_many_corners_are_cut_and_it_is_said(made, tmp_path):
    reshape(made, shapely.Point(500650, 3520050).buffer(50, quad_segs=100))  # 400 corners
    found = boundary_points.corners(made.sites)
    assert (found[0].total, found[0].left_out) == (400, 100)
    assert sum(len(ring.corners) for ring in found[0].rings) == 300
    assert found[1].rings[0].corners[0].y == "502100.000"  # the next site still has its own
    text = outline(export.write_html(made, tmp_path / "a.html").read_text("utf-8")).text
    assert "共 400 点，此处未列 100 点，全部坐标见 findings.gpkg" in text


# ---------------------------------------------------------------------------------------------- maps


def test_every_site_has_its_map_and_its_scale(page):
    # 100 m in 76 mm of height: 1:1316 -> 1:2000; 800 m in 86 mm: 1:9302 -> 1:10000; 300 m in 86 mm -> 1:5000
    assert re.findall(r"比例尺 1:(\d+)（A4", page) == ["2000", "2000", "10000", "500", "5000"]
    assert page.count('<svg width="180mm" height="136mm"') == 5
    assert page.count("<svg") == 6  # and the characters, once


def test_too_many_sites_the_worst_are_drawn_and_the_rest_is_said(made, monkeypatch, tmp_path):
    monkeypatch.setattr(figures, "MOST_MAPS", 2)
    monkeypatch.setattr(page_room, "MOST_MAPS", 2)
    page = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    drawn = [n for n in range(1, 6) if "<figure" in page.split(f'id="site-{n}"')[1].split("</section>")[0]]
    assert drawn == [1, 2]  # prohibited; then undecided, those without data first
    text = outline(page).text
    assert "本报告只为结论最重的 2 个地块绘图，其余 3 个地块未绘图" in text
    assert text.count("本地块未绘图") == 3


def test_without_a_chinese_font_the_report_is_written_and_names_the_package(made, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font",))
    with caplog.at_level(logging.WARNING):
        page = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    assert [record.message for record in caplog.records] == [f"{fonts.NO_FONT}。{fonts.WAY_OUT}"]
    text = outline(page).text
    assert "<svg" not in page
    assert text.count("fonts-noto-cjk") == 6  # at the head, and where each map would be
    assert text.count("此处应有地图") == 5
    assert "判定不通过·示意" in text


def test_a_report_with_the_plan_draws_its_layers(tmp_path):
    made = made_findings(made_plan(tmp_path))
    with_plan = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    without = export.write_html(made_findings(), tmp_path / "b.html").read_text("utf-8")
    assert "#eef08a" in with_plan  # the farmland's own colour, as on the web map
    assert "#eef08a" not in without


def test_a_site_without_a_shape_has_no_map_and_no_corners(made, tmp_path):
    reshape(made, None)
    page = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    first = page.split('id="site-1"')[1].split("</section>")[0]
    assert "本地块没有可绘制的图形" in first
    assert "界址点坐标" not in first
    assert page.count("<figure") == len(SITE_IDS) - 1


def test_rules_not_measured_for_the_same_reason_stand_in_one_row(made, tmp_path):
    again = made.frame["site_id"].eq("A-04") & made.frame["rule_id"].isin(["FM35", "CANAL-1"])
    made.frame.loc[again, "reason"] = "两个图层都被改动"
    made.frame.loc[again, "open_here"] = True
    page = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    fourth = page.split('id="site-4"')[1].split("</section>")[0]
    assert fourth.count("两个图层都被改动") == 1
    (row,) = re.findall(r'<tr class="no_data">(.*?)</tr>', fourth, re.DOTALL)
    assert "2 条" in row
    assert row.index("FM35") < row.index("永久基本农田不得占用") < row.index("CANAL-1")
    first = page.split('id="site-1"')[1].split("</section>")[0]
    assert first.count('<tr class="clear">') == 2  # measured, and beyond reach: never put together


def test_of_several_versions_of_a_rule_the_one_in_force_is_cited(made, tmp_path):
    ended = made.rules.loc[["TH30-6"]].assign(number="旧文号", until="2011-10-31", in_force=False)
    ended.at["TH30-6", "when"] = [{"land_use": ["0701"]}]  # noqa: PD008 - a list is one cell
    made.rules = pd.concat([ended, made.rules, ended])
    page = export.write_html(made, tmp_path / "a.html").read_text("utf-8")
    first = page.split('id="site-1"')[1].split("</section>")[0]
    assert "国务院令第604号" in first
    assert "旧文号" not in first
    assert "缺少：用地性质" not in page
    assert page.count("当日不施行") == 3  # the two old versions, and OLD-1
    assert page.count('id="rule-') == 6
