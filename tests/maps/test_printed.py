"""Maps on paper: the scale is what it says, everything is on the sheet, the same input gives the same bytes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from made_findings import HOSTILE, SITE_IDS, empty_findings, hostile_findings, made_findings, made_plan, square
from matplotlib.text import Text
from pyproj import CRS

from ecospatial import maps, model
from ecospatial.errors import EcospatialError
from ecospatial.maps.print import canvas, elements, extent, fonts, layout, site_map
from ecospatial.maps.style import Hatch, Sign

MM = 72 / 25.4  # SVG units (points) in a millimetre
MATHS = "$x^2$ \\alpha $"


@pytest.fixture
def plan(tmp_path):
    return made_plan(tmp_path)


def texts(findings, site_id="A-01"):
    """Give every text on the map as matplotlib was told to draw it."""
    with canvas.house_settings():
        made = site_map._made(site_map._share(findings), site_id)
    return [found for found in made.page.sheet.figure.findobj(Text) if found.get_text()]


def words(findings, site_id="A-01"):
    return [text.get_text() for text in texts(findings, site_id)]


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def boxes(svg):
    """Give the bounds of each straight path in millimetres: west, top, width, height."""
    found = []
    for element in parsed(svg).iter():
        d = element.get("d", "")
        if d and not re.search("[CQ]", d) and "scale" not in element.get("transform", ""):
            points = np.array(re.findall(r"-?[\d.]+", d), dtype=float).reshape(-1, 2) / MM
            found.append((*points.min(axis=0), *np.ptp(points, axis=0)))
    return np.array(found)


def of_size(svg, width, height):
    found = boxes(svg)
    return found[np.abs(found[:, 2:] - (width, height)).max(axis=1) < 0.01]


# ---------------------------------------------------------------------------------------------- scale


@pytest.mark.parametrize(
    ("width_m", "height_m", "scale"),
    [
        (10, 10, 500),
        (43, 38, 500),  # the room for a site alone is 86 mm by 76 mm
        (43, 38.1, 1000),
        (43.1, 38, 1000),
        (100, 100, 2000),
        (190, 190, 2500),
        (190.1, 190.1, 5000),
        (0, 0, 500),
        (7600, 7600, 100_000),
        (7601, 7601, 250_000),
    ],
)
def test_scale_is_the_smallest_round_one_that_holds_the_site(width_m, height_m, scale):
    found, _ = extent.fit((500000, 3520000, 500000 + width_m, 3520000 + height_m))
    assert found.scale == scale
    west, south, east, north = found.bounds
    assert (east - west, north - south) == pytest.approx((130 * scale / 1000, 120 * scale / 1000))
    assert (west + east) / 2 == pytest.approx(500000 + width_m / 2, abs=0.001)
    assert (south + north) / 2 == pytest.approx(3520000 + height_m / 2, abs=0.001)


@pytest.mark.parametrize(
    ("place", "scale", "held"),
    [
        ((100, 50), 2000, True),  # on the site
        ((1000, 50), 10_000, True),  # 1000 m in 114 mm: 1:8772
        ((1140, 50), 10_000, True),
        ((1141, 50), 25_000, True),
        ((2850, 50), 25_000, True),
        ((2851, 50), 2000, False),  # would need 1:50000
    ],
)
def test_what_lies_near_is_held_within_reason(place, scale, held):
    found, kept = extent.fit((0, 0, 100, 100), [(*place, *place)])
    assert (found.scale, kept) == (scale, [held])


def test_a_far_feature_does_not_make_a_small_site_a_dot():
    near, kept = extent.fit((0, 0, 20, 20), [(1100, 0, 1100, 0), (2000, 0, 2000, 0)])
    assert (near.scale, kept) == (10_000, [True, False])


@pytest.mark.parametrize(("site_id", "scale", "size_mm"), [("A-01", 2000, 50), ("A-02", 2000, 50), ("A-05", 5000, 20)])
def test_a_hundred_metres_are_drawn_as_the_scale_says(site_id, scale, size_mm):
    svg = site_map.figure(made_findings(), site_id)
    assert f"比例尺 1:{scale}" in svg
    frame, *_ = of_size(svg, 130, 120)
    width = 3 * size_mm if site_id == "A-05" else size_mm  # two squares with a gap of one
    (west, top, _, _), *_ = of_size(svg, width, size_mm)
    assert west + width / 2 == pytest.approx(frame[0] + 65, abs=0.01)
    assert top + size_mm / 2 == pytest.approx(frame[1] + 60, abs=0.01)


def test_svg_has_the_size_of_the_sheet():
    root = parsed(site_map.figure(made_findings(), "A-01"))
    assert (root.get("width"), root.get("height")) == ("180mm", "136mm")
    view = [float(number) for number in root.get("viewBox").split()]
    assert view == pytest.approx([0, 0, 180 * MM, 136 * MM], abs=1e-3)


@pytest.mark.parametrize(
    ("scale", "length_m"),
    [(500, 20), (1000, 20), (2000, 50), (2500, 100), (5000, 200), (10_000, 200), (25_000, 1000), (50_000, 2000)],
)
def test_scale_bar_is_as_long_as_it_says(scale, length_m):
    assert extent.nice_length(extent.Window(scale, 0, 0)) == length_m


def test_scale_bar_is_drawn_to_scale():
    svg = site_map.figure(made_findings(), "A-01")  # 1:2000: 50 m are 25 mm, in four parts
    parts = of_size(svg, 6.25, 1.4)
    assert len(parts) >= 4
    assert np.ptp(parts[:, 0]) + 6.25 == pytest.approx(25, abs=0.01)
    assert {"0", "25", "50 m", "比例尺 1:2000"} < set(words(made_findings()))


def test_grid_is_written_where_it_is():
    shown = texts(made_findings())
    numbers = {text.get_text(): text.get_position() for text in shown if re.fullmatch(r"\d{6,7}", text.get_text())}
    assert numbers
    # The window of 260 m by 240 m around (500650, 3520050) begins at 500520 and 3519930.
    for label, (x, y) in numbers.items():
        if len(label) == 6:
            assert x == pytest.approx(5 + (int(label) - 500520) / 2)
        else:
            assert y == pytest.approx(6 + (int(label) - 3519930) / 2)


# ---------------------------------------------------------------------------------- what is on a sheet


def test_sheet_says_what_a_map_must_say():
    shown = "".join(words(made_findings()))
    for word in (
        "A-01　化工一厂　位置与冲突图", "示例规划", "图例", "北", "比例尺 1:2000", "2000国家大地坐标系",
        "中央经线 120°", "EPSG:4549", "核查日期 2026-11-20", "ecospatial 0.1.0", "内部使用，未经审核，不得公开",
        "冲突：P 判定不通过", "本地块（P 判定不通过·示意）", "由结果文件绘制，不含规划图层", "示意",
    ):  # fmt: skip
        assert word in shown, word


def test_conflict_is_hatched_in_the_colours_of_the_style():
    svg = site_map.figure(made_findings(), "A-01")
    assert "#d55e00" in svg
    lines = re.findall(r'd="((?:M[\d. ]+L[\d. ]+)+)"[^>]*stroke: #8e0000', svg)
    assert max(line.count("M") for line in lines) > 20


def test_nearest_feature_is_held_and_its_distance_written(plan):
    made = made_findings(plan)
    made.frame[["layer", "feature_id"]] = made.frame[["layer", "feature_id"]].astype(object)
    made.frame.loc[0, ["layer", "feature_id"]] = ["banks", "1"]
    shown = words(made)
    assert "600.0 m" in shown
    assert "比例尺 1:10000" in shown  # 700 m in 114 mm: 1:6140
    assert "岸线" in shown
    assert site_map.NEAREST in shown


def test_only_what_lies_in_the_window_is_drawn_and_in_the_legend(plan):
    far = words(made_findings(plan), "A-01")
    assert "永久基本农田" not in far
    near = words(made_findings(plan), "A-02")
    assert "永久基本农田" in near
    assert "岸线" not in near


def test_schematic_layers_are_marked_on_the_face_of_the_map(plan):
    made = made_findings(plan)
    made.frame["layer_status"] = "public"
    away = words(made, "A-02")
    assert "示意" not in away
    assert model.NOTICE_SCHEMATIC not in "".join(away)
    made.sites = made.sites.set_geometry([square(499950, 3520000), *made.sites.geometry[1:]], crs=made.sites.crs)
    there = words(made, "A-01")  # the schematic bank line runs through it
    assert there.count("示意") == 2
    assert model.NOTICE_SCHEMATIC in "".join(there)


def test_conflict_with_a_schematic_layer_is_marked_without_the_plan():
    made = made_findings()
    assert "示意" in words(made, "A-01")
    made.frame["layer_status"] = "official"
    assert "示意" not in words(made, "A-01")


def test_review_number_takes_the_place_of_the_notice():
    made = made_findings()
    made.meta["review_number"] = "苏S(2026)1号"
    shown = "".join(words(made))
    assert "审图号：苏S(2026)1号" in shown
    assert model.NOTICE_INTERNAL not in shown


def test_other_sites_within_the_window_are_shown():
    made = made_findings()
    shapes = [*made.sites.geometry]
    shapes[1] = square(500720, 3520000)
    made.sites = made.sites.set_geometry(shapes, crs=made.sites.crs)
    shown = words(made, "A-01")
    assert "A-02" in shown
    assert site_map.OTHER_SITES in shown
    assert "A-03" not in shown


def test_place_in_the_plan_is_shown_where_there_is_room(plan):
    assert "地块在规划区内的位置" in words(made_findings(plan), "A-02")
    assert "地块在规划区内的位置" not in words(made_findings(), "A-02")


@pytest.mark.parametrize("site_id", SITE_IDS)
def test_every_kind_of_site_is_drawn(site_id, plan):
    assert site_id in words(made_findings(plan), site_id)
    assert site_id in words(empty_findings(), "A-01") or site_id != "A-01"


def test_labels_do_not_lie_on_each_other(plan):
    with canvas.house_settings():
        made = site_map._made(site_map._share(made_findings(plan)), "A-02")
    taken = made.page.labels.taken[2:]
    shapes = shapely.box(*np.array(taken).T)
    left, right = np.triu_indices(len(shapes), k=1)
    assert shapely.area(shapely.intersection(shapes[left], shapes[right])).max(initial=0) == 0


# ---------------------------------------------------------------------------------------------- texts


def test_hostile_names_are_drawn_as_they_are():
    made = hostile_findings()
    name = f"A-01{''.join(HOSTILE)}"
    made.meta["title"] = MATHS
    made.sites = made.sites.rename(index={name: MATHS})
    made.summary = made.summary.rename(index={name: MATHS})
    made.frame["site_id"] = made.frame["site_id"].replace({name: MATHS})
    shown = texts(made, MATHS)
    assert [text.get_text() for text in shown].count(MATHS.strip()) >= 2  # the plan's title, and beside the site
    assert any(text.get_text().startswith(f"{MATHS}　") for text in shown)
    assert not any(text.get_parse_math() for text in shown)
    svg = site_map.figure(made, MATHS)
    root = parsed(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "defs", "g", "path", "use", "clipPath", "rect"}


ODD = ["\x1b[31m", "a\nb\u2028c", "\u202eabc", "坏\ud800", "\U0001f600", "\u0378"]


@pytest.mark.parametrize("nasty", [*HOSTILE, *ODD])
def test_any_name_gives_a_map_without_a_box(nasty):
    made = made_findings()
    made.summary["site_name"] = made.summary["site_name"].astype(object)
    made.summary.loc["A-01", "site_name"] = nasty
    assert parsed(site_map.figure(made, "A-01")) is not None  # a missing glyph is a warning, hence an error


def test_long_names_are_cut_and_it_is_shown():
    made = made_findings()
    made.summary["site_name"] = "长" * 5000
    title = next(text for text in texts(made) if text.get_text().startswith("A-01　"))
    assert title.get_text().endswith("长…")
    assert len(title.get_text()) < 60


def test_a_letter_that_no_font_has_becomes_a_mark():
    family = fonts.needed()
    assert fonts.drawable("甲\u0378乙\U0010fffd", family) == "甲〓乙〓"
    assert fonts.drawable(" a\tb\x00c\u200bd ", family) == "a b cd"
    assert fonts.drawable(None, family) == ""
    assert fonts.drawable("100 m²，±5°", family) == "100 m²，±5°"


def test_first_family_of_the_list_that_is_there_is_taken(monkeypatch):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font", "DejaVu Serif", "DejaVu Sans"))
    assert fonts.family() == "DejaVu Serif"


def test_without_a_chinese_font_there_is_no_map_but_a_way_out(monkeypatch):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font",))
    assert fonts.family() is None
    with pytest.raises(EcospatialError, match="fonts-noto-cjk"):
        maps.figure(made_findings(), "A-01")


def test_a_font_installed_since_is_found(monkeypatch):
    monkeypatch.setattr(fonts, "_LIKELY_FILE", re.compile("DejaVuSansMono"))
    monkeypatch.setattr(fonts, "FAMILIES", ("DejaVu Sans Mono",))
    manager = mpl.font_manager.fontManager
    kept = [entry for entry in manager.ttflist if entry.name != "DejaVu Sans Mono"]
    path = next(entry.fname for entry in manager.ttflist if entry.name == "DejaVu Sans Mono")
    monkeypatch.setattr(manager, "ttflist", kept)
    monkeypatch.setattr(mpl.font_manager, "findSystemFonts", lambda: [path, "/no/such/DejaVuSansMono.ttf"])
    assert fonts.family() == "DejaVu Sans Mono"


# ------------------------------------------------------------------------------------------------ SVG


def test_same_findings_same_bytes_whatever_the_user_has_set(plan):
    for made in (made_findings(plan), hostile_findings(plan)):
        first = site_map.figures(made, list(made.sites.index))
        theirs = {"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "none", "lines.scale_dashes": True}
        with mpl.rc_context(theirs):
            assert site_map.figures(made, list(made.sites.index)) == first


def test_a_map_does_not_depend_on_what_is_drawn_beside_it():
    made = made_findings()
    together, alone = site_map.figures(made, SITE_IDS), site_map.figures(made, ["A-03"])
    assert together.bodies["A-03"] == alone.bodies["A-03"]


def test_settings_of_the_user_are_left_as_they_were():
    before = dict(mpl.rcParams)
    site_map.figure(made_findings(), "A-01")
    assert dict(mpl.rcParams) == before


def test_nothing_reaches_outside_and_every_reference_is_there(plan):
    svg = site_map.figure(made_findings(plan), "A-02")
    assert svg.count("://") == 1  # the name of the SVG language itself
    ids = re.findall(r'\sid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert used == set(ids)
    assert "<style" not in svg
    assert "<!--" not in svg


def test_maps_on_one_page_share_characters_and_no_other_id():
    made = site_map.figures(made_findings(), SITE_IDS)
    ids = [re.findall(r'\sid="([^"]+)"', body) for body in made.bodies.values()]
    flat = [name for own in ids for name in own] + re.findall(r'\sid="([^"]+)"', made.glyphs)
    assert len(flat) == len(set(flat))
    for number, own in enumerate(ids, start=1):
        assert all(name.startswith(f"map{number}-") for name in own)
    used = {name for body in made.bodies.values() for name in re.findall(r'href="#([^"]+)"', body)}
    assert used <= set(flat)
    assert made.scales == {"A-01": 2000, "A-02": 2000, "A-03": 10_000, "A-04": 500, "A-05": 5000}


def test_vertices_that_paper_can_not_show_are_not_written(plan):
    made = made_findings(plan)
    ring = shapely.Point(500650, 3520050).buffer(50, quad_segs=20_000)
    made.sites = made.sites.set_geometry([ring, *made.sites.geometry[1:]], crs=made.sites.crs)
    assert len(site_map.figure(made, "A-01")) < 250_000


def test_unknown_sites_and_sites_without_a_shape_are_refused():
    made = made_findings()
    with pytest.raises(EcospatialError, match="没有编号为“B-01”的地块"):
        site_map.figure(made, "B-01")
    made.sites = made.sites.set_geometry([None, *made.sites.geometry[1:]], crs=made.sites.crs)
    with pytest.raises(EcospatialError, match="A-01"):
        site_map.figures(made, SITE_IDS)


def test_nothing_alters_the_findings(plan):
    made, before = made_findings(plan), made_findings(plan)
    site_map.figures(made, SITE_IDS)
    assert made.frame.equals(before.frame)
    assert made.sites.equals(before.sites)
    assert made.meta == before.meta


# ---------------------------------------------------------------------------------------------- parts


@pytest.mark.parametrize(("angle", "slope"), [(0, None), (90, 0.0), (45, 1.0), (-45, -1.0)])
def test_hatch_runs_as_the_style_says(angle, slope):
    lines = shapely.get_parts(canvas.hatch_lines(shapely.box(0, 0, 10, 10), Hatch(angle=angle, spacing=5)))
    lines = lines[shapely.length(lines) > 1e-9]
    for line in lines:
        (x1, y1), (x2, y2) = shapely.get_coordinates(line).tolist()
        if slope is None:
            assert x1 == pytest.approx(x2)
        else:
            assert (y2 - y1) / (x2 - x1) == pytest.approx(slope, abs=1e-9)
    # One millimetre (five pixels) apart: nine to eleven lines across ten millimetres, more along the diagonal.
    assert 9 <= len(lines) <= (11 if slope in (None, 0.0) else 15)


def test_holes_run_the_other_way_round():
    ring = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    outer, inner = canvas.outline(np.array([ring])).to_polygons(closed_only=False)

    def turns(points):
        x, y = points.T
        return np.sign(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))

    assert turns(outer) == -turns(inner) != 0


def test_numbers_are_short_and_never_minus_nothing():
    assert canvas._compact("M 1.254999 2.0 \nL -0.001 3.14159 \nz\n", decimals=2) == "M1.25 2L0 3.14z"
    assert canvas._compact("M 100.4 -0.4\nQ 1 2 3.6 4\nz", decimals=0) == "M100 0Q1 2 4 4z"


def test_lines_break_between_characters_and_not_within_words():
    paper = canvas.Sheet(100, 100, family=fonts.needed())
    lines = paper.wrapped("中央经线（EPSG:4549）之内，完", 10, 26)
    assert "".join(lines) == "中央经线（EPSG:4549）之内，完"
    assert any("EPSG:4549" in line for line in lines)
    assert not any(line.endswith("（") or line.startswith(("，", "）")) for line in lines)
    assert all(paper.width(line, 10) <= 26 for line in lines)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (4549, "2000国家大地坐标系，高斯-克吕格投影，中央经线 120°，Y 加常数 500000 m（EPSG:4549）"),
        (4528, "2000国家大地坐标系，高斯-克吕格投影，中央经线 120°，Y 加常数 40500000 m（EPSG:4528）"),
        (32650, "WGS 84 / UTM zone 50N（EPSG:32650）"),
        ("+proj=tmerc +lon_0=118.83 +x_0=500000 +ellps=GRS80 +type=crs", "unknown"),
    ],
)
def test_crs_is_said_as_survey_papers_do(code, said):
    assert extent.crs_words(CRS(code)) == said


def test_a_long_legend_is_cut_and_it_is_said():
    paper = canvas.Sheet(*layout.SITE.size_mm, family=fonts.needed())
    rows = [elements.LegendEntry(f"图层 {n}", Sign(), "polygon") for n in range(60)]
    elements._legend(paper, rows, layout.SITE, 40)
    shown = [text.get_text() for text in paper.figure.findobj(Text) if text.get_text()]
    # 80 mm of room, 4 mm a row: 19 rows and the rest in words
    assert shown[-1] == "其余 41 类见网页地图的图例"
    assert shown[1] == "图层 59"  # what lies on top is named first


def test_a_patch_smaller_than_its_hatch_is_drawn():
    """No line of the hatch may cross it: what is left of them is an empty line."""
    nothing = shapely.LineString()
    assert len(canvas.outline(np.array([nothing, shapely.LineString([(0, 0), (1, 1)])])).vertices) == 2
    assert len(canvas.outline(np.array([nothing])).vertices) == 0
