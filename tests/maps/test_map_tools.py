"""The map in a real browser with the network off: coordinates, measuring, search, groups, labels, canvas, keyboard."""

from __future__ import annotations

import math
import re

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from browser_page import shown
from made_findings import CRS, HOSTILE, hostile_findings, made_findings, made_plan, square

from ecospatial import maps, model
from ecospatial.batch import map_run
from ecospatial.crs import cgcs2000_to_gcj02
from ecospatial.maps.recipes import find_recipe, read_recipe
from ecospatial.maps.web import page as page_room
from ecospatial.plans import data_folder

pytestmark = pytest.mark.browser
NASTY = "".join(HOSTILE)
RECIPES = sorted(path.name for path in data_folder("maps").glob("*.yaml") if path.name != "style.yaml")
OWN = "https://{s}.tiles.example.cn/{z}/{x}/{y}.png"


@pytest.fixture
def plan(tmp_path):
    folder = tmp_path / "plan"
    folder.mkdir()
    return made_plan(folder)


def map_of(what, tmp_path, **more):
    return maps.save(maps.draw(what, **more), tmp_path / "map.html")


def at(page, x, y):
    """Where a place of the plan stands in the window, in pixels."""
    lon, lat = pyproj.Transformer.from_crs(CRS, 4490, always_xy=True).transform(x, y)
    found = page.evaluate(
        "([lat, lon]) => { const p = map_ecospatial.latLngToContainerPoint(ecospatial.place(lat, lon)),"
        " b = map_ecospatial.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; }",
        [lat, lon],
    )
    return found[0], found[1]


def look(page, x, y, zoom):
    lon, lat = pyproj.Transformer.from_crs(CRS, 4490, always_xy=True).transform(x, y)
    page.evaluate("([lat, lon, z]) => map_ecospatial.setView([lat, lon], z, {animate: false})", [lat, lon, zoom])


def popup(page):
    return page.locator(".leaflet-popup-content").last.inner_text()


# ------------------------------------------------------------------------------- coordinates and measuring


def test_metres_under_the_pointer_are_those_of_proj(browser, plan, tmp_path):
    dice = np.random.default_rng(5)
    places = np.column_stack([dice.uniform(118, 122, 200), dice.uniform(18, 54, 200)])
    expected = np.column_stack(pyproj.Transformer.from_crs(4490, CRS, always_xy=True).transform(*places.T))
    with shown(browser, map_of(plan, tmp_path)) as (page, heard):
        found = page.evaluate("all => all.map(p => ecospatial.project(p[0], p[1]))", places.tolist())
        assert np.abs(np.array(found) - expected).max() < 0.001
        page.mouse.move(*at(page, 501_000, 3_520_000))
        text = page.locator(".es-place").inner_text()
        lon, lat, north, east = (float(number) for number in re.findall(r"\d+\.\d+", text))
        back = pyproj.Transformer.from_crs(4490, CRS, always_xy=True).transform(lon, lat)
        assert math.hypot(back[0] - east, back[1] - north) < 0.2  # six decimals of a degree are 0.1 m
        metres_per_pixel = 156543.034 * math.cos(math.radians(lat)) / 2 ** page.evaluate("map_ecospatial.getZoom()")
        assert math.hypot(east - 501_000, north - 3_520_000) < 2 * metres_per_pixel
        assert heard.nothing(), heard


def test_metres_are_those_of_the_grid_of_the_findings(browser, tmp_path):
    made = made_findings()
    for name in ("sites", "frame"):
        setattr(made, name, getattr(made, name).to_crs(4528))  # easting with the number of the zone, 40
    with shown(browser, map_of(made, tmp_path)) as (page, _):
        east, north = page.evaluate("ecospatial.project(120, 31.78)")
        assert (east, north) == (pytest.approx(40_500_000, abs=0.001), pytest.approx(3_517_457.759, abs=0.001))
        assert "40" in page.locator(".es-place").inner_text().split("东 Y")[1]
        assert "EPSG:4528" in page.locator(".es-place").get_attribute("title")


def test_measuring_gives_length_and_area(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        look(page, 500_650, 3_520_050, 18)
        page.locator(".es-measure button").click()
        corners = [(500_600, 3_520_000), (500_700, 3_520_000), (500_700, 3_520_100), (500_600, 3_520_100)]
        for x, y in corners:
            page.mouse.click(*at(page, x, y))
        told = page.locator(".es-measured").inner_text()
        assert page.locator(".leaflet-popup").count() == 0  # a click measures, and opens nothing
        length, area = float(re.search(r"长度 ([\d.]+) m", told)[1]), float(re.search(r"面积 ([\d.]+) m²", told)[1])
        assert length == pytest.approx(300, abs=3)  # a pixel is 0.5 m here
        assert area == pytest.approx(10_000, rel=0.02)
        assert float(re.search(r"([\d.]+) 亩", told)[1]) == pytest.approx(area * 0.0015, abs=0.01)
        page.keyboard.press("Escape")
        page.mouse.click(*at(page, 500_650, 3_520_050))
        assert "A-01" in popup(page)
        page.locator(".es-measure button").click()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.locator(".es-measure button").click()
        assert "长度" not in page.locator(".es-measured").inner_text()
        assert heard.nothing(), heard


# ------------------------------------------------------------------------------- search, groups, keyboard


def test_search_finds_by_name_and_opens_the_findings(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        page.get_by_label("按名称查找").fill("化工")
        assert page.locator(".es-search li").all_inner_texts() == ["A-01 化工一厂\nA-01　项目地块（按结论着色）"]
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert "《太湖流域管理条例》第三十条第六项" in popup(page)
        middle = page.evaluate("[map_ecospatial.getCenter().lng, map_ecospatial.getCenter().lat]")
        x, y = pyproj.Transformer.from_crs(4490, CRS, always_xy=True).transform(*middle)
        assert math.hypot(x - 500_650, y - 3_520_050) < 400
        page.get_by_label("按名称查找").fill("三片")
        page.keyboard.press("Enter")
        assert "三片" in popup(page)
        page.get_by_label("按名称查找").fill("没有这个")
        assert page.locator(".es-search li").inner_text() == "图上没有这个名称"
        assert heard.nothing(), heard


def test_search_shows_a_layer_that_was_off(browser, plan, tmp_path):
    with shown(browser, map_of(plan, tmp_path)) as (page, _):
        box = page.locator(".leaflet-control-layers-overlays label", has_text="永久基本农田")
        box.click()
        page.get_by_label("按名称查找").fill("一片")
        page.keyboard.press("Enter")
        assert box.locator("input").is_checked()
        assert page.locator(".es-legend [data-layer]", has_text="永久基本农田").is_visible()


def test_hostile_names_are_found_and_run_nothing(browser, tmp_path):
    folder = tmp_path / "hostile"
    folder.mkdir()
    made = hostile_findings(made_plan(folder, spoil=NASTY))
    with shown(browser, map_of(made, tmp_path)) as (page, heard):
        for text in HOSTILE:
            page.get_by_label("按名称查找").fill(text)
            assert page.locator(".es-search li button").count() > 0
            assert text in page.locator(".es-search li button").first.inner_text()
        page.locator(".es-search li button").first.hover()
        page.locator(".es-search li button").first.click()
        assert NASTY in popup(page)
        for button in page.locator(".es-group").all():
            button.click()
            button.click()
        assert page.locator("img[src=x]").count() == 0
        assert heard.nothing(), heard


def test_a_heading_switches_its_layers(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        headings = page.locator(".es-group").all_inner_texts()
        assert headings == ["行政区划", "三区三线", "水系与水源", "核查结果"]
        page.locator(".es-group", has_text="核查结果").click()
        assert page.locator(".es-badge").count() == 0
        assert page.locator(".leaflet-sites-pane path").count() == 0
        assert not page.locator(".es-legend h2", has_text="核查结果").is_visible()
        assert page.locator(".es-legend h2", has_text="水系与水源").is_visible()
        page.locator(".es-group", has_text="核查结果").click()
        assert page.locator(".es-badge").count() == 5
        assert page.locator(".es-legend h2", has_text="核查结果").is_visible()
        assert heard.nothing(), heard


def test_everything_is_reached_from_the_keyboard(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, _):
        reached, told = set(), set()
        for _ in range(60):
            page.keyboard.press("Tab")
            found = page.evaluate(
                "(e => [e.tagName, e.getAttribute('aria-label') || e.title || e.textContent])(document.activeElement)"
            )
            reached.add(found[0])
            told.add(found[1].strip())
            if found[1].startswith("A-01 化工一厂"):
                page.keyboard.press("Enter")
                assert "第三十条第六项" in popup(page)
                page.keyboard.press("Escape")
        assert {"INPUT", "BUTTON", "SUMMARY"} <= reached
        assert {
            "按名称查找图上的要素",
            "A-01 化工一厂，判定不通过·示意",
            "图例",
            "放大",
            "水系与水源：全部显示或隐藏",
        } <= told
        box = page.locator(".leaflet-control-layers-overlays input").first
        box.focus()
        page.keyboard.press("Space")
        assert not box.is_checked()


# ------------------------------------------------------------------------------- colours, labels, recipes


def test_sites_have_the_colour_and_the_letter_of_their_headline(browser, plan, tmp_path):
    made = made_findings(plan)
    with shown(browser, map_of(made, tmp_path)) as (page, _):
        marks = page.locator(".es-badge i").evaluate_all("all => all.map(e => [e.textContent, e.style.background])")
        expected = [model.HEADLINES[headline] for headline in made.summary["headline"].astype(str)]
        shown_colours = ["#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", c))) for _, c in marks]
        assert [letter for letter, _ in marks] == [headline.letter for headline in expected]
        assert shown_colours == [headline.colour.lower() for headline in expected]
        areas = page.locator(".leaflet-sites-pane path.leaflet-interactive").evaluate_all(
            "all => all.map(e => e.getAttribute('fill'))"
        )
        assert [fill.lower() for fill in areas if fill != "none"] == [
            expected[i].colour.lower() for i in (0, 1, 4)  # the others are a line and a point
        ]  # fmt: skip


OVERLAPS = """() => {
  const seen = [...document.querySelectorAll('.es-label')].filter(e => !e.hidden);
  const boxes = seen.map(e => e.getBoundingClientRect()), found = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, k) => {
    const apart = a.left >= b.right || a.right <= b.left || a.top >= b.bottom || a.bottom <= b.top;
    if (!apart) found.push([seen[i].textContent, seen[i + 1 + k].textContent]);
  }));
  return [boxes.length, found];
}"""


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_works_offline(name, browser, tmp_path):
    recipe = map_run.checked(read_recipe(find_recipe(name)))
    with shown(browser, map_of(recipe, tmp_path)) as (page, heard):
        count, overlapping = page.evaluate(OVERLAPS)
        assert overlapping == []
        assert (count > 0) is recipe.labels
        rows = page.locator(".es-legend [data-layer]").count()
        boxes = page.locator(".leaflet-control-layers-overlays label")
        assert boxes.count() >= rows > 0
        on = page.locator(".leaflet-control-layers-overlays input:checked").count()
        assert len([row for row in page.locator(".es-legend [data-layer]").all() if row.is_visible()]) == on
        boxes.last.click()
        assert page.locator(".leaflet-control-layers-overlays input:checked").count() in (on - 1, on + 1)
        boxes.last.click()
        wanted = page.evaluate("ecospatial.state.layers.map(d => ecospatial.name(d, 0)).filter(t => t)[0]")
        page.get_by_label("按名称查找").fill(wanted)
        page.keyboard.press("Enter")
        assert wanted in popup(page)
        page.keyboard.press("Escape")
        page.locator(".es-measure button").click()
        for x, y in ((600, 500), (700, 560)):
            page.mouse.click(x, y)
        assert re.search(r"长度 [\d.]+ k?m", page.locator(".es-measured").inner_text())
        assert "内部使用，未经审核，不得公开" in page.locator(".es-head").inner_text()
        assert heard.nothing(), heard


# ------------------------------------------------------------------------------- canvas, base maps


def test_many_features_are_drawn_on_a_canvas_and_work_alike(browser, plan, tmp_path, monkeypatch):
    monkeypatch.setattr(page_room, "CANVAS_FEATURES", 3)
    with shown(browser, map_of(made_findings(plan), tmp_path)) as (page, heard):
        assert page.locator("canvas").count() == 1
        assert page.locator(".leaflet-pane path").count() == 0
        page.mouse.click(*at(page, 500_650, 3_520_050))
        assert "P 判定不通过" in popup(page)  # the conflict lies on top of the site
        page.keyboard.press("Escape")
        page.locator(".leaflet-control-layers-overlays label", has_text="冲突范围").click()
        page.mouse.click(*at(page, 500_650, 3_520_050))
        assert "《太湖流域管理条例》第三十条第六项" in popup(page)
        page.keyboard.press("Escape")
        for label in page.locator(".leaflet-control-layers-overlays label").all():
            label.click()
            label.click()
        page.mouse.click(*at(page, 503_200, 3_521_200))
        assert "三片" in popup(page)
        assert heard.nothing(), heard


def test_marks_stand_where_they_can_be_told_apart(browser, plan, tmp_path):
    sites = gpd.GeoDataFrame(
        {"site_name": [str(i) for i in range(2500)]},
        geometry=[square(500_000 + 150 * (i % 50), 3_516_000 + 150 * (i // 50)) for i in range(2500)],
        crs=CRS,
    )
    with shown(browser, map_of(plan, tmp_path, sites=sites)) as (page, heard):
        assert page.evaluate("ecospatial.state.config.canvas")
        page.get_by_label("按名称查找").fill("1234")
        page.keyboard.press("Enter")
        assert "1234" in popup(page)
        assert heard.nothing(), heard


def test_lower_zooms_draw_fewer_vertices(browser, tmp_path):
    made_plan(tmp_path)
    angles = np.linspace(0, 2 * np.pi, 3000, endpoint=False)
    ring = np.column_stack([502_000 + 1000 * np.cos(angles), 3_520_000 + 1000 * np.sin(angles)])
    frame = gpd.GeoDataFrame({"feature_name": ["圆"]}, geometry=[shapely.Polygon(ring)], crs=CRS)
    frame.to_file(tmp_path / "basic_farmland.gpkg", layer="basic_farmland", driver="GPKG", mode="w")
    from ecospatial import plans

    counts = []
    with shown(browser, map_of(plans.open_plan(tmp_path), tmp_path)) as (page, _):
        for zoom in (9, 12, 15):
            look(page, 502_000, 3_520_000, zoom)
            counts.append(page.locator(".leaflet-area-pane path").first.get_attribute("d").count("L"))
    # A chord that leaves an arc of r pixels by 0.48 pixels spans 2 acos(1 - 0.48 / r); levels may add one half more.
    for zoom, count in zip((9, 12, 15), counts, strict=True):
        r = 1000 / (156543.034 * math.cos(math.radians(31.8)) / 2**zoom)
        least = math.pi / math.acos(1 - min(0.96 / r, 1))
        assert 0.9 * least < count < 5 * least


def test_a_base_map_asks_its_hosts_and_nobody_else(browser, plan, tmp_path):
    with shown(browser, map_of(made_findings(plan), tmp_path, basemap=OWN)) as (page, heard):
        assert heard.requests
        assert all(re.fullmatch(r"https://[abc]\.tiles\.example\.cn/\d+/\d+/\d+\.png", url) for url in heard.requests)
        assert "部分图片未能取得" in page.locator("#es-credit").inner_text()
        before = len(heard.requests)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=https://elsewhere.example/x.png>')")
        page.wait_for_timeout(200)
        assert heard.requests[before:] == []
        page.locator(".leaflet-control-layers-base label", has_text="无底图").click()
        assert page.locator(".leaflet-tile").count() == 0
        assert page.locator(".es-badge").count() == 5


def test_on_a_gcj02_base_map_the_drawing_is_shifted_and_coordinates_are_not(browser, plan, tmp_path):
    base = maps.basemap(OWN, gcj02=True)
    with shown(browser, map_of(made_findings(plan), tmp_path, basemap=base)) as (page, _):
        dice = np.random.default_rng(3)
        lon, lat = dice.uniform(100, 122, 50), dice.uniform(20, 45, 50)
        found = page.evaluate(
            "all => all.map(p => ecospatial.shifted(p[1], p[0]))", np.column_stack([lon, lat]).tolist()
        )
        expected = np.column_stack(cgcs2000_to_gcj02(lon, lat))[:, ::-1]
        assert np.abs(np.array(found) - expected).max() < 1e-9
        site = pyproj.Transformer.from_crs(CRS, 4490, always_xy=True).transform(500_600, 3_520_000)
        drawn = page.evaluate(
            "ecospatial.state.layers.find(d => d.key === 'sites')"
            ".leaves[0][0].getLatLngs()[0][0].map(p => [p.lng, p.lat])"
        )
        shifted = np.array([float(value) for value in cgcs2000_to_gcj02(*site)])
        assert np.abs(np.array(drawn) - shifted).max(axis=1).min() < 2e-7
        page.mouse.move(*at(page, 501_500, 3_521_000))  # at() shifts; what is told is not
        text = page.locator(".es-place").inner_text()
        _, _, north, east = (float(number) for number in re.findall(r"\d+\.\d+", text))
        assert math.hypot(east - 501_500, north - 3_521_000) < 20  # a shift would be 500 m
        assert "GCJ-02" in page.locator(".es-head").inner_text()
