"""The map and the report in a real browser with the network off: they say what they should, and run nothing else."""

from __future__ import annotations

import pytest
from browser_page import shown
from made_findings import HOSTILE, hostile_findings, made_findings, made_plan

from ecospatial import export, maps

pytestmark = pytest.mark.browser
NASTY = "".join(HOSTILE)


@pytest.fixture
def plan(tmp_path):
    folder = tmp_path / "plan"
    folder.mkdir()
    return made_plan(folder)


@pytest.fixture
def hostile_plan(tmp_path):
    folder = tmp_path / "hostile"
    folder.mkdir()
    return made_plan(folder, spoil=NASTY)


def map_of(what, tmp_path):
    return maps.save(maps.draw(what), tmp_path / "map.html")


def visible(page, selector):
    return [item.inner_text() for item in page.locator(selector).all() if item.is_visible()]


def test_map_opens_offline_with_everything_on_it(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        assert page.locator(".es-badge").count() == 5
        assert page.locator(".leaflet-control-scale-line").first.inner_text().endswith(("m", "km"))
        assert page.locator(".es-north").is_visible()
        assert "内部使用，未经审核，不得公开" in page.locator(".es-head").inner_text()
        names = page.locator(".leaflet-control-layers-overlays label").all_inner_texts()
        assert [name.strip() for name in names] == [
            "行政区", "永久基本农田", "岸线", "邻近规则的控制范围", "项目地块（按结论着色）", "冲突范围",
        ]  # fmt: skip
        boxes = page.locator(".es-badge i").evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())")
        assert all(0 < box["x"] < 1400 and 60 < box["y"] < 900 for box in boxes)
        assert heard.nothing(), heard


def test_legend_follows_the_layer_control(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        assert any("永久基本农田" in text for text in visible(page, ".es-legend [data-layer]"))
        shapes = page.locator(".leaflet-area-pane path").count()
        switch = page.locator(".leaflet-control-layers-overlays label", has_text="永久基本农田")
        switch.click()
        assert not any("永久基本农田" in text for text in visible(page, ".es-legend [data-layer]"))
        assert any("岸线" in text for text in visible(page, ".es-legend [data-layer]"))
        assert page.locator(".leaflet-area-pane path").count() == shapes - 3
        switch.click()
        assert any("永久基本农田" in text for text in visible(page, ".es-legend [data-layer]"))
        assert heard.nothing(), heard


def test_heading_of_the_legend_goes_with_its_last_layer(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, _):
        assert {"行政区划", "三区三线", "水系与水源"} < set(visible(page, ".es-legend h2"))
        for name in ("行政区", "永久基本农田", "岸线"):
            page.locator(".leaflet-control-layers-overlays label", has_text=name).click()
        assert visible(page, ".es-legend h2") == ["核查结果"]


def test_popup_tells_the_headline_and_the_findings_of_the_place(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        page.locator(".es-badge", has_text="A-02").locator("i").click()
        text = page.locator(".leaflet-popup-content").inner_text()
        assert text.index("尚不能判定") < text.index("未决 1 条，缺图层、待定 1 条") < text.index("由申请人答复")
        assert "未取得" not in text  # what is missing for everybody stands in the legend
        assert "通过" not in text
        assert "临界" in text
        page.keyboard.press("Escape")
        page.locator(".es-badge", has_text="A-01").locator("i").click()
        assert "判定不通过·示意" in page.locator(".leaflet-popup-content", has_text="A-01").inner_text()
        page.locator(".es-once summary", has_text="缺少的图层与待定的依据").click()
        assert "大运河核心监控区" in page.locator(".es-once").first.inner_text()
        assert heard.nothing(), heard


def test_conflicts_are_hatched(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, _):
        fills = page.locator(".leaflet-conflicts-pane path").evaluate_all(
            "all => all.map(e => e.getAttribute('fill')).filter(f => f && f.startsWith('url'))"
        )
        assert len(fills) == 3  # the areas; the line and the point are drawn in full colour
        for fill in fills:
            assert page.locator(f"pattern{fill[4:-1]}").count() == 1


def test_hostile_names_are_shown_as_typed_and_run_nothing(browser, hostile_plan, tmp_path):
    with shown(browser, map_of(hostile_findings(hostile_plan), tmp_path)) as (page, heard):
        assert f"title{NASTY}" in page.locator(".es-head").inner_text()
        assert f"岸线（banks{NASTY}）" not in page.locator(".es-legend").inner_text()  # one layer of the kind: no name
        for badge in page.locator(".es-badge i").all():
            # To the mark itself, wherever the map has moved it meanwhile: a click on its place may meet a panel.
            badge.dispatch_event("mouseover")
            page.wait_for_timeout(50)
            badge.dispatch_event("click")
            popup = page.locator(".leaflet-popup-content").last
            for name in ("site_name", "rule_title", "instrument", "article", "reason"):
                assert f"{name}{NASTY}" in popup.inner_text(), name
            page.keyboard.press("Escape")
        for pane in ("conflicts", "area", "line", "corridor"):
            shape = page.locator(f".leaflet-{pane}-pane path").first
            shape.dispatch_event("mouseover")
            shape.dispatch_event("click")
            page.wait_for_timeout(100)
        for shape in page.locator(".leaflet-area-pane path").all():
            box = shape.bounding_box()
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_timeout(50)
        for label in page.locator(".leaflet-control-layers-overlays label").all():
            label.click()
            label.click()
        assert page.locator("img[src=x]").count() == 0
        assert heard.nothing(), heard


def test_feature_names_are_shown_as_typed(browser, hostile_plan, tmp_path):
    with shown(browser, map_of(hostile_plan, tmp_path)) as (page, heard):
        fields = page.locator(".leaflet-area-pane path")
        assert fields.count() == 3
        box = fields.nth(2).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(100)
        assert page.locator(".leaflet-tooltip").inner_text() == f"永久基本农田\n三片{NASTY}"
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(300)
        assert f"三片{NASTY}" in page.locator(".leaflet-popup-content").inner_text()
        assert f"示例规划{NASTY}" in page.title()
        assert heard.nothing(), heard


def test_layers_of_one_kind_are_told_apart_by_their_hostile_names(browser, tmp_path):
    made_plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text("utf-8")
    entry = text[text.index("- kind: bank_line") : text.index("- kind: basic_farmland")]
    other = entry.replace("name: banks", "name: '" + NASTY.replace("'", "''") + "'")
    (tmp_path / "plan.yaml").write_text(text.replace(entry, entry + other), "utf-8")
    from ecospatial import plans

    with shown(browser, map_of(plans.open_plan(tmp_path), tmp_path)) as (page, heard):
        names = [text.strip() for text in page.locator(".leaflet-control-layers-overlays label").all_inner_texts()]
        assert f"岸线（{NASTY}）" in names
        assert f"岸线（{NASTY}）" in page.locator(".es-legend").inner_text()
        assert heard.nothing(), heard


def test_injected_markup_would_not_run_either(browser, tmp_path):
    """The second wall: were a text ever written as markup, the policy of the page would stop it."""
    with shown(browser, map_of(made_findings(), tmp_path)) as (page, heard):
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b onclick=alert(2) id=b>b</b>')")
        page.locator("#b").dispatch_event("click")
        page.wait_for_timeout(200)
        assert heard.dialogs == []
        assert heard.requests == []
        assert any("Content Security Policy" in fault for fault in heard.faults)


def test_narrow_window_folds_the_panels(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path), width=480, height=700) as (page, heard):
        assert not page.locator(".es-legend-body").is_visible()
        assert not page.locator(".leaflet-control-layers-list").is_visible()
        assert page.locator(".leaflet-control-layers-toggle").is_visible()
        page.locator(".es-legend summary").first.click()
        assert page.locator(".es-legend-body").is_visible()
        assert heard.nothing(), heard


def test_notebook_cell_shows_the_map(browser, plan, tmp_path):
    cell = tmp_path / "cell.html"
    cell.write_text(f"<!DOCTYPE html><meta charset=utf-8>{maps.draw(made_findings(plan))._repr_html_()}", "utf-8")
    with shown(browser, cell) as (page, heard):
        assert page.frame_locator("iframe").locator(".es-badge").count() == 5
        assert heard.nothing(), heard


@pytest.mark.parametrize("make", [made_findings, hostile_findings])
def test_report_opens_offline_and_runs_nothing(browser, make, hostile_plan, tmp_path):
    with shown(browser, export.write_html(make(hostile_plan), tmp_path / "report.html")) as (page, heard):
        page.locator("summary").first.click()
        text = page.locator("body").inner_text()
        assert "空间管控核查报告" in text
        if make is hostile_findings:
            for name in ("title", "notice", "site_name", "rule_title", "reason", "publisher", "url"):
                assert (f"{name}{NASTY}" if name != "url" else "javascript:alert(4)") in text, name
        page.locator("table a").first.click()
        assert page.locator("#site-1").is_visible()
        assert page.locator("#site-1").bounding_box()["y"] < 5
        assert heard.nothing(), heard


@pytest.mark.parametrize("media", ["screen", "print"])
def test_report_does_not_run_off_the_page(browser, media, tmp_path):
    with shown(browser, export.write_html(hostile_findings(), tmp_path / "a.html"), width=794, height=1123) as (
        page,
        _,
    ):
        page.emulate_media(media=media)
        assert page.evaluate("document.documentElement.scrollWidth") <= 794


def test_printed_maps_have_their_size_on_paper(browser, plan, tmp_path):
    path = export.write_html(made_findings(plan), tmp_path / "a.html")
    with shown(browser, path, width=794, height=1123) as (page, heard):
        page.emulate_media(media="print")
        sizes = page.locator("figure.map svg").evaluate_all(
            "all => all.map(e => [e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
        )
        assert len(sizes) == 5
        for width, height in sizes:  # CSS has 96 pixels in an inch, hence 180 mm are 680.3
            assert width == pytest.approx(180 / 25.4 * 96, abs=0.1)
            assert height == pytest.approx(136 / 25.4 * 96, abs=0.1)
        # A4 less the margins of 13 mm: what is wider would make the browser shrink the page, and the scale with it.
        assert max(width for width, _ in sizes) < (210 - 2 * 13) / 25.4 * 96
        assert heard.nothing(), heard


def test_printed_tables_are_not_cut_off(browser, plan, tmp_path):
    path = export.write_html(hostile_findings(plan), tmp_path / "a.html")
    width = int((210 - 2 * 13) / 25.4 * 96)
    with shown(browser, path, width=width, height=1000) as (page, _):
        page.emulate_media(media="print")
        right = page.locator("table, td, th, figure, dl, li").evaluate_all(
            "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
        )
        assert right <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.locator("td, th").evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")
        assert wide == 0


def test_characters_of_maps_are_drawn_though_no_font_is_there(browser, tmp_path):
    """The outlines stand once at the head of the page; each map refers to them."""
    with shown(browser, export.write_html(made_findings(), tmp_path / "a.html")) as (page, heard):
        boxes = (
            page.locator("figure.map svg").first.locator("use").evaluate_all("all => all.map(e => e.getBBox().width)")
        )
        assert len(boxes) > 100
        assert sum(width > 0 for width in boxes) > 0.9 * len(boxes)  # a blank has no outline
        assert heard.nothing(), heard
