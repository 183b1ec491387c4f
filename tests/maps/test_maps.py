"""Maps as pages: what is on them, what is not, and that nothing reaches outside."""

from __future__ import annotations

import base64
import hashlib
import html
import re

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from made_findings import CRS, HOSTILE, empty_findings, hostile_findings, made_findings, made_plan, square
from read_page import call, column, findings_of, layers_of

from ecospatial import maps, model
from ecospatial.errors import EcospatialError, PlanError
from ecospatial.maps import style
from ecospatial.maps.style import Sign
from ecospatial.maps.web import layer as layer_
from ecospatial.maps.web import page

OUTSIDE = re.compile(r"""(?:src|href|srcset)\s*=\s*["']?\s*(?:https?:)?//|@import|url\(\s*["']?(?!#|data:)""")


@pytest.fixture
def plan(tmp_path):
    return made_plan(tmp_path)


@pytest.mark.parametrize("make", [made_findings, hostile_findings, empty_findings])
def test_page_reaches_nothing_outside(make, plan):
    for made in (make(), make(plan)):
        text = maps.to_html(maps.draw(made))
        assert not OUTSIDE.search(text)
        assert "<link" not in text


def test_folium_itself_is_left_as_it_was(plan):
    maps.draw(plan)
    assert folium.Map.default_js
    assert folium.Map.default_css


def test_only_the_scripts_of_the_page_may_run():
    text = maps.to_html(maps.draw(made_findings()))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert text.count("<script") == len(scripts)


def test_same_findings_same_page(plan):
    for made in (made_findings(plan), hostile_findings(plan)):
        assert maps.to_html(maps.draw(made)) == maps.to_html(maps.draw(made))
    one = maps.draw(plan)
    assert maps.to_html(one) == maps.to_html(one)


@pytest.mark.parametrize("nasty", HOSTILE)
def test_hostile_text_never_stands_as_markup_or_template(nasty, tmp_path):
    made = hostile_findings(made_plan(tmp_path, spoil="".join(HOSTILE)))
    text = maps.to_html(maps.draw(made))
    assert "<img" not in text.replace(page.leaflet()[1], "")
    assert "<script>alert" not in text
    assert "7*7" in text
    assert "49" not in re.sub(r"[\d.,\[\]-]+", "", text)
    sites = layers_of(text)["sites"]
    assert nasty in sites["features"][0].cells[1]  # as typed: the page makes text nodes of it
    assert nasty in findings_of(sites, 0)[0]["reason"]


def test_findings_show_sites_conflicts_and_the_plan(plan):
    made = made_findings(plan)
    found = layers_of(maps.to_html(maps.draw(made)))
    assert {"sites", "conflicts", "corridors"} < set(found)
    assert len(found["sites"]["features"]) == 5
    assert len(found["conflicts"]["features"]) == 5
    badges, order, words = found["sites"]["badges"], list(model.HEADLINES), list(model.CERTAINTIES)
    assert [order[i] for i in column(badges["h"], 5)] == [
        "prohibited", "undecided", "undecided", "undecided", "restricted",
    ]  # fmt: skip
    assert [words[i] if i >= 0 else None for i in column(badges["k"], 5)] == ["schematic", None, None, None, "marginal"]
    assert badges["t"][0] == "A-01 化工一厂"
    config = call(maps.to_html(maps.draw(made)), "start")
    for key, known in (("verdicts", model.VERDICTS), ("headlines", model.HEADLINES)):
        assert [v["letter"] + v["colour"] for v in config[key]] == [v.letter + v.colour for v in known.values()]
    assert [v["label"] for v in config["headlines"]] == [v.label for v in model.HEADLINES.values()]
    assert config["certainties"] == list(model.CERTAINTIES.values())
    assert "规则" not in found
    without = layers_of(maps.to_html(maps.draw(made_findings())))
    assert set(without) == {"sites", "conflicts"}


def test_a_spot_that_meets_several_rules_is_drawn_once_in_its_worst_verdict():
    made = made_findings()
    again = made.frame["rule_id"].eq("FM35") & made.frame["site_id"].eq("A-01")
    made.frame.loc[again, ["verdict", "overlap_m2"]] = ["restricted", 10000.0]
    made.frame.loc[again, "geometry"] = made.frame.geometry[0]
    found = layers_of(maps.to_html(maps.draw(made)))["conflicts"]["features"]
    assert len(found) == 5
    assert found[-1].title == "冲突：P 判定不通过"  # the worst lies on top
    site, area, _, rules, _ = found[-1].cells
    assert (site, area) == ("A-01", "10,000.00 m²（15.00 亩）")
    assert rules == (
        "P 新孟河岸线两侧1000米内禁止新建、扩建化工和医药生产项目　《太湖流域管理条例》第三十条第六项\n"
        "R 永久基本农田不得占用　《土地管理法》第三十五条"
    )


def test_corridor_is_the_strip_of_the_rule_that_touched(plan):
    strip = layers_of(maps.to_html(maps.draw(made_findings(plan))))["corridors"]["features"]
    assert len(strip) == 1
    assert strip[0].cells == ["新孟河岸线两侧 1000 m"]
    shape = gpd.GeoSeries([strip[0].shape], crs=4490).to_crs(CRS)
    west, _, east, _ = shape.total_bounds
    assert west == pytest.approx(499000, abs=0.1)
    assert east == pytest.approx(501000, abs=0.1)


def test_popup_holds_the_findings_worst_first_and_says_what_is_left_out():
    made = made_findings()
    sites = layers_of(maps.to_html(maps.draw(made)))["sites"]
    told = findings_of(sites, 0)
    order = list(model.VERDICTS)
    assert [order[row["verdict"]] for row in told] == ["prohibited", "duty", "clear", "clear"]
    assert told[0]["rule"] == ["TH30-6", made.rules.loc["TH30-6", "title"], "《太湖流域管理条例》第三十条第六项"]
    assert "距新孟河岸线 600.0 m" in told[0]["reason"]
    words = list(model.CERTAINTIES)
    assert [words[row["certainty"]] for row in told] == ["schematic", "reliable", "marginal", "reliable"]
    fourth = [(row["rule"][0], list(model.OPEN_BY)[row["open_by"]]) for row in findings_of(sites, 3)]
    assert fourth == [("FM35", "data_owner"), ("TH30-6", "applicant")]  # not the layer that is missing for everybody
    counts = sites["told"]["counts"][sites["told"]["counted"][0]]
    assert dict(zip([*order, "n_open", "n_missing"], counts, strict=True)) == {
        "prohibited": 1, "no_data": 1, "needs_facts": 0, "unsettled": 0, "restricted": 0, "duty": 1, "clear": 2,
        "not_applicable": 1, "n_open": 0, "n_missing": 1,
    }  # fmt: skip


def test_popup_of_a_site_with_many_findings_ends():
    made = made_findings()
    many = [made.frame.assign(rule_id=f"R-{i}") for i in range(10)]
    made.frame = pd.concat(many, ignore_index=True)
    sites = layers_of(maps.to_html(maps.draw(made)))["sites"]
    order = list(model.VERDICTS)
    told = [[order[row["verdict"]] for row in findings_of(sites, i)] for i in range(5)]
    assert told[0] == ["prohibited"] * 10 + ["duty"] * 10 + ["clear"] * 10
    assert told[3] == ["no_data"] * 6 + ["needs_facts"] * 10  # what was found is not hidden by the rest
    assert [len(row) for row in told] == [30, 30, 30, 16, 20]
    assert [row.count("no_data") for row in told] == [0, 0, 0, 6, 0]
    assert len(sites["told"]["rules"]) == 40  # each rule once, however many sites it met


def legend_of(text: str) -> str:
    return re.sub(r"\s+", " ", text.partition('id="es-legend"')[2].partition("</details>")[0])


def test_legend_names_only_what_is_on_the_map(plan):
    legend = legend_of(maps.to_html(maps.draw(plan)))
    assert re.search(r"<span>永久基本农田</span><b>3</b>", legend)
    assert re.search(r"<span>岸线</span><em>示意</em><b>1</b>", legend)
    assert "<span>生态保护红线" not in legend
    assert "判定" not in legend
    assert "<strong>未取得：</strong>大运河核心监控区" in legend
    assert "<strong>本区不存在：</strong>生态保护红线" in legend


def test_an_altered_layer_is_named_as_not_usable(tmp_path):
    made_plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text("utf-8")
    text = text.replace("path: basic_farmland.gpkg", f"path: basic_farmland.gpkg\n  sha256: '{'0' * 64}'")
    (tmp_path / "plan.yaml").write_text(text, "utf-8")
    from ecospatial import plans

    legend = legend_of(maps.to_html(maps.draw(plans.open_plan(tmp_path))))
    assert "<span>永久基本农田" not in legend
    assert "<strong>不可用：</strong>永久基本农田" in legend


def test_a_layer_that_did_not_stand_on_the_day_is_not_drawn(tmp_path):
    made_plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text("utf-8")
    text = text.replace("  name: banks", "  name: banks\n  valid: {from: 2027-01-01, to: null}")
    (tmp_path / "plan.yaml").write_text(text, "utf-8")
    from ecospatial import plans

    page_text = maps.to_html(maps.draw(made_findings(plans.open_plan(tmp_path))))
    assert "<strong>当日不在有效期：</strong>岸线" in legend_of(page_text)
    assert "corridors" not in layers_of(page_text)


def head_of(text: str) -> str:
    return text.partition('<header class="es-head">')[2].partition("</header>")[0]


def test_notices_and_review_number(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    head = head_of(maps.to_html(maps.draw(made_plan(tmp_path / "a"))))
    assert model.NOTICE_INTERNAL in head
    assert model.NOTICE_SCHEMATIC in head
    reviewed = head_of(maps.to_html(maps.draw(made_plan(tmp_path / "b", review_number="苏S(2026)1号"))))
    assert "审图号：苏S(2026)1号" in reviewed
    assert model.NOTICE_INTERNAL not in reviewed
    assert model.NOTICE_SCHEMATIC in reviewed
    alone = head_of(maps.to_html(maps.draw(made_findings())))
    assert alone.count(model.NOTICE_INTERNAL) == 1


def bounds_of(text: str) -> list[list[float]]:
    return call(text, "finish")


def test_start_view_holds_the_sites_or_the_district(plan):
    made = made_findings(plan)
    degrees = made.sites.to_crs(4490).total_bounds
    (south, west), (north, east) = bounds_of(maps.to_html(maps.draw(made)))
    assert west < degrees[0] < degrees[2] < east
    assert south < degrees[1] < degrees[3] < north
    assert east - west < 0.05  # not the whole district, which is 0.1 degrees wide
    (south, west), (north, east) = bounds_of(maps.to_html(maps.draw(plan)))
    district = gpd.GeoSeries([plan.area], crs=CRS).to_crs(4490).total_bounds
    assert west < district[0] < district[2] < east
    assert south < district[1] < district[3] < north


def test_sites_can_be_drawn_on_a_plan(plan):
    sites = gpd.GeoDataFrame({"site_name": ["甲"]}, geometry=[square(500000, 3520000)], crs=CRS)
    there = layers_of(maps.to_html(maps.draw(plan, sites=sites.to_crs(4528))))["sites"]["features"]
    assert there[0].cells == ["0", "甲"]
    lon, lat = there[0].shape.exterior.coords[0]
    moved = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4490).to_crs(CRS)[0]
    assert shapely.distance(moved, sites.geometry.iloc[0].boundary) < 0.02


def test_big_layers_are_simplified_for_the_screen_and_it_is_said(tmp_path):
    made_plan(tmp_path)
    angles = np.linspace(0, 2 * np.pi, 60_000, endpoint=False)
    ring = np.column_stack([502000 + 1000 * np.cos(angles), 3520000 + 1000 * np.sin(angles)])
    frame = gpd.GeoDataFrame({"feature_name": ["圆"]}, geometry=[shapely.Polygon(ring)], crs=CRS)
    frame.to_file(tmp_path / "basic_farmland.gpkg", layer="basic_farmland", driver="GPKG", mode="w")
    from ecospatial import plans

    plan = plans.open_plan(tmp_path)
    text = maps.to_html(maps.draw(plan))
    field = next(layer for layer in layers_of(text).values() if layer["name"] == "永久基本农田")["features"][0]
    # A chord of a circle of 1 km that leaves the arc by half a pixel of zoom 18 spans 2 acos(1 - 0.25 / 1000).
    assert 100 < len(field.shape.exterior.coords) < 400
    assert "图形为显示作了简化（不超过 0.5 m），不可用于量算" in head_of(text)
    assert len(plan.frame("basic_farmland").geometry[0].exterior.coords) == 60_001


def test_notebook_cell_carries_the_whole_page(plan):
    cell = maps.draw(plan)._repr_html_()
    inner = html.unescape(re.search(r'srcdoc="([^"]*)"', cell).group(1))
    assert "L.map(" in inner
    assert not OUTSIDE.search(inner)
    assert inner == maps.to_html(maps.draw(plan))


def test_save_writes_the_page_and_nothing_else(tmp_path):
    target = tmp_path / "deep" / "map.html"
    drawing = maps.draw(made_findings())
    assert maps.save(drawing, target) == target
    assert target.read_text("utf-8") == maps.to_html(drawing)
    assert list(target.parent.iterdir()) == [target]
    assert "和润花园" in target.read_text("utf-8")  # readable, not \uXXXX
    target.unlink()
    target.mkdir()
    with pytest.raises(EcospatialError, match=r"map\.html"):
        maps.save(drawing, target)


def test_other_things_can_not_be_drawn():
    with pytest.raises(EcospatialError, match="int"):
        maps.draw(3)


# ---------------------------------------------------------------------------------------------- style


def test_every_kind_has_a_sign():
    assert set(style.read_styles().kinds) == {k for k, kind in model.KINDS.items() if kind.shape != "raster"}


def test_labels_name_columns_that_the_kind_has():
    for name, kind in style.read_styles().kinds.items():
        for shown in (kind.label, kind.by):
            assert shown is None or model.KINDS[name].column(shown), (name, shown)
        if kind.by:
            assert set(kind.signs) <= set(model.KINDS[name].column(kind.by).words)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kinds: {farmland: {colour: '#ffffff'}}", "不认识的键 colour"),
        ("kinds: {farmland: {fill: 'url(http://x)'}}", "写法不对"),
        ("kinds: {farmland: {weight: many}}", "不是可用的数字"),
        ("kinds: {farmland: {opacity: 2}}", "不是可用的数字"),
        ("kinds: {farmland: {symbol: star}}", "应为"),
        ("kinds: {farmland: {hatch: {spacing: x}}}", "不是可用的数字"),
        ("kinds: {marsh: {weight: 1}}", "没有 marsh 这种图层"),
        ("kinds: {farmland: {dash: '1;2'}}", "写法不对"),
        ("kinds: []", "应为一组键和值"),
        ("colours: {}", "不认识的键 colours"),
    ],
)
def test_style_refuses_what_it_does_not_understand(text, found, tmp_path, monkeypatch):
    (tmp_path / "style.yaml").write_text(text, "utf-8")
    monkeypatch.setattr(style, "data_folder", lambda name: tmp_path)  # noqa: ARG005 - the door's signature
    style._read.cache_clear()
    try:
        with pytest.raises(PlanError, match=r"style\.yaml") as caught:
            style.read_styles()
    finally:
        style._read.cache_clear()
    assert any(found in str(problem) for problem in caught.value.problems)


def test_classes_take_the_sign_of_their_value():
    frame = gpd.GeoDataFrame({"level": ["一级", None, "准", "五级"]}, geometry=[square(0, 0)] * 4, crs=CRS)
    signs, which = layer_.classes(frame, style.read_styles().of("water_source_zone"), "饮用水水源保护区")
    assert [signs[i][0] for i in which] == [
        "饮用水水源保护区（一级）", "饮用水水源保护区", "饮用水水源保护区（准）", "饮用水水源保护区",
    ]  # fmt: skip


def test_signs_escape_what_they_are_given():
    assert "<img" not in style.badge_svg("<img src=x>", "#ffffff")
    assert "&lt;img" in style.badge_svg("<img src=x>", "#ffffff")
    assert style.path_options(Sign(fill="none"), "x")["fill"] is False


def test_a_name_is_written_once_on_its_largest_feature():
    line = shapely.LineString([(500000, 3520000), (500000, 3521000)])
    short = shapely.LineString([(510000, 3520000), (510000, 3520100)])
    frame = gpd.GeoDataFrame({"river": ["甲河", None, "甲河", "乙河"]}, geometry=[short, line, line, short], crs=CRS)
    labels = layer_.labelled(frame, style.read_styles().of("river_centreline"))
    assert [label["t"] for label in labels] == ["甲河", "乙河"]
    lat, lon = labels[0]["p"]
    middle = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4490).to_crs(CRS)[0]
    assert (middle.x, middle.y) == (pytest.approx(500000, abs=0.02), pytest.approx(3520500, abs=0.02))
    assert layer_.labelled(frame, style.read_styles().of("bank_line")) == []


def test_nothing_to_draw_is_a_map_all_the_same():
    made = empty_findings()
    for name in ("sites", "summary"):
        setattr(made, name, getattr(made, name).iloc[:0])
    assert layers_of(maps.to_html(maps.draw(made))) == {}


def test_label_points_lie_on_their_feature():
    ring = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(1, 1), (9, 1), (9, 9), (1, 9)]])
    line = shapely.LineString([(0, 0), (0, 10), (10, 10)])
    points = layer_.anchor(np.array([ring, line], dtype=object))
    assert shapely.intersects(ring, points[0])
    assert (points[1].x, points[1].y) == (0, 10)  # half-way: 10 m of 20 m


def test_an_audit_draws_itself(plan):
    import ecospatial as es

    audit = es.audit(plan, on="2026-11-20")
    assert maps.to_html(es.draw(audit)) == maps.to_html(audit.map())
    with pytest.raises(EcospatialError, match="Audit"):
        es.draw(audit, basemap="osm")


def hue(colour: str) -> float:
    import colorsys

    return colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0] * 360


def test_the_usual_signs():
    styles = style.read_styles()
    redline, farmland = styles.of("eco_redline").sign, styles.of("basic_farmland").sign
    assert hue(redline.hatch.colour) < 15 or hue(redline.hatch.colour) > 345  # red hatch
    assert 50 < hue(farmland.fill) < 75  # yellow
    boundary = styles.of("urban_boundary").sign
    assert (boundary.fill, bool(boundary.dash)) == ("none", True)
    assert styles.of("control_zone").sign.hatch is not None
    levels = styles.of("water_source_zone").signs
    assert len({(sign.fill, sign.opacity) for sign in levels.values()}) == len(levels) == 3
    assert 0 < styles.corridor.opacity <= 0.25  # what lies below is seen
    order = list(styles.kinds)
    assert order.index("bank_line") < min(map(order.index, ("water_source_zone", "eco_redline", "nature_reserve")))


def test_every_kind_stands_below_one_heading():
    kinds = {name for name, kind in model.KINDS.items() if kind.shape != "raster"}
    assert set(style.read_styles().groups) == kinds


# Red-blind and green-blind sight of linear RGB: Viénot, Brettel and Mollon (1999), Color Research & Application 24(4).
RED_BLIND = [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
GREEN_BLIND = [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]  # IEC 61966-2-1, white D65


def lab(colour, sight):
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(np.array(sight) @ linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", [np.eye(3), RED_BLIND, GREEN_BLIND])
@pytest.mark.parametrize("known", [model.VERDICTS, model.HEADLINES], ids=["verdicts", "headlines"])
def test_verdicts_are_told_apart_by_colour_blind_readers(sight, known):
    seen = [lab(answer.colour, sight) for answer in known.values()]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[i + 1 :]]
    assert min(apart) > 7  # 2.3 is just noticeable
    assert len({answer.letter for answer in known.values()}) == len(known)


def test_map_says_once_what_is_open_in_the_plan_and_what_is_left_out():
    text = maps.to_html(maps.draw(made_findings()))
    for line in (
        "图层：大运河核心监控区（CANAL-1）；找数据管理单位：常州市自然资源和规划局",
        "声环境功能区（NOISE-1、NOISE-2）：噪声由环评审查；由常州市生态环境局答复",
    ):
        assert text.count(line) == 1
    legend = re.findall(r"<span>([^<]*)</span>(?:<em>[^<]*</em>)?<b>(\d+)</b>", text)
    assert [entry for entry in legend if "冲突" not in entry[0]] == [
        ("判定不通过·示意", "1"), ("尚不能判定", "3"), ("受限准入·临界", "1"),
    ]  # fmt: skip
