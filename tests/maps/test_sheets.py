"""Whole sheets: places and colours by arithmetic, PNG against PDF, and what stands around the map."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2
import pytest
from made_findings import made_findings, made_plan
from matplotlib.text import Text
from PIL import Image

import ecospatial as es
from ecospatial import model
from ecospatial.maps.print import extent, layout, plan_sheet
from ecospatial.maps.print.canvas import house_settings
from ecospatial.maps.recipes import Recipe, find_recipe, read_recipe
from ecospatial.maps.style import read_styles

DPI = 100


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return made_plan(tmp_path_factory.mktemp("made"))


def image(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=float)


def texts(made) -> list[str]:
    return [found.get_text() for found in made.sheet.figure.findobj(Text) if found.get_text()]


@pytest.mark.parametrize(("paper", "size_mm"), [("a4", (297, 210)), ("a3", (420, 297))])
def test_a_sheet_has_the_size_of_its_paper(plan, paper, size_mm):
    shown = Image.open(io.BytesIO(plan_sheet.picture(Recipe("图", plan), "png", paper=paper, dpi=DPI)))
    assert shown.size == pytest.approx([side / 25.4 * DPI for side in size_mm], abs=1)
    pdf = pypdfium2.PdfDocument(plan_sheet.picture(Recipe("图", plan), "pdf", paper=paper))
    assert pdf[0].get_size() == pytest.approx([side / 25.4 * 72 for side in size_mm], abs=0.5)


def test_a_field_lies_where_arithmetic_puts_it_and_has_its_colour(plan):
    # The district is 10 by 11 km; in a frame of 178 mm less 10 mm that needs 1:65,476, so 1:80,000 is the next scale.
    recipe = Recipe("图", plan, layers=("basic_farmland",), labels=False)
    with house_settings():
        page = plan_sheet.recipe_sheet(recipe)
    assert page.window.scale == 80_000
    shown = image(plan_sheet.picture(recipe, "png", dpi=DPI))
    left, bottom = layout.PAPERS["a4"].corner_mm
    frame = layout.PAPERS["a4"].frame_mm
    middle = (500_000, 3_520_500)  # of the district

    def pixel(x: float, y: float) -> np.ndarray:
        across = left + frame[0] / 2 + (x - middle[0]) / 80
        up = bottom + frame[1] / 2 + (y - middle[1]) / 80
        return shown[round((210 - up) / 25.4 * DPI), round(across / 25.4 * DPI)]

    sign = read_styles().of("basic_farmland").sign
    # The field of 400 m is 5 mm wide: somewhere in it is the colour of its area or of its hatch, beside it is paper.
    inside = np.array([pixel(503_000 + dx, 3_521_000 + dy) for dx in range(80, 330, 30) for dy in range(80, 330, 30)])
    fill = np.array([int(sign.fill[place : place + 2], 16) for place in (1, 3, 5)])
    ground = 255 + (fill - 255) * sign.opacity
    assert np.abs(inside - ground).max(axis=1).min() < 6
    assert (pixel(503_200, 3_521_700) == 255).all()


def test_png_and_pdf_show_the_same_map():
    recipe = read_recipe(find_recipe("nanjing-gulou.yaml"))
    png = image(plan_sheet.picture(recipe, "png", dpi=DPI))
    page = pypdfium2.PdfDocument(plan_sheet.picture(recipe, "pdf"))[0]
    pdf = np.asarray(page.render(scale=DPI / 72).to_pil().convert("RGB").resize(png.shape[1::-1]), dtype=float)
    assert np.abs(png - pdf).mean() < 5  # of 255: edges and hatches are smoothed in another way
    blank = np.full_like(png, 255)
    assert np.abs(png - blank).mean() > 12


def test_pdf_is_made_of_vectors_and_holds_its_words():
    recipe = read_recipe(find_recipe("changzhou-tianning.yaml"))
    page = pypdfium2.PdfDocument(plan_sheet.picture(recipe, "pdf"))[0]
    kinds = {found.type for found in page.get_objects()}
    assert 3 not in kinds  # FPDF_PAGEOBJ_IMAGE
    words = page.get_textpage().get_text_range()
    assert "图例" in words
    assert "常州市天宁区" in words


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_the_same_recipe_gives_the_same_bytes(plan, form):
    recipe = Recipe("图", plan)
    assert plan_sheet.picture(recipe, form, dpi=50) == plan_sheet.picture(recipe, form, dpi=50)


def test_everything_that_belongs_around_a_map_is_there(plan):
    with house_settings():
        told = "\n".join(texts(plan_sheet.recipe_sheet(Recipe("示例图", plan))))
    for part in ("示例图", "图例", "比例尺 1:80000", "北", "示意", "2000国家大地坐标系", "资料来源", "示例发布方",
                 "资料日期：2026-11-20", model.NOTICE_INTERNAL):  # fmt: skip
        assert part in told.replace("\n", "") or part in told, part


def test_a_review_number_takes_the_place_of_the_notice(tmp_path):
    reviewed = made_plan(tmp_path, review_number="苏S(2026)001号")
    with house_settings():
        told = "".join(texts(plan_sheet.recipe_sheet(Recipe("图", reviewed))))
    assert "审图号：苏S(2026)001号" in told
    assert model.NOTICE_INTERNAL not in told


def test_findings_are_drawn_with_a_letter_beside_the_colour(plan):
    with house_settings():
        told = texts(plan_sheet.findings_sheet(made_findings(plan)))
    assert "P A-01" in told
    assert any("P 判定不通过" in text for text in told)
    assert any("结果文件" in text for text in texts(plan_sheet.findings_sheet(made_findings())))


@pytest.mark.parametrize("spoil", ["$x^2$", "<b>", "\x0b\x00", "{{7*7}}"])
def test_hostile_names_are_drawn_as_text(tmp_path, spoil):
    hostile = made_plan(tmp_path, spoil=spoil)
    content = plan_sheet.picture(Recipe(f"图{spoil}", hostile), "png", dpi=40)
    assert content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("size_m", "scale"), [((20_000, 10_000), 100_000), ((4_000, 100), 20_000), ((100, 100), 600), ((1, 1), 500)]
)
def test_the_scale_is_round_and_everything_fits(size_m, scale):
    found = extent.fit_sheet((0, 0, *size_m), (210, 180))
    assert found.scale == scale
    west, south, east, north = found.bounds
    assert west <= 0
    assert south <= 0
    assert east >= size_m[0]
    assert north >= size_m[1]


def test_no_such_paper_and_no_such_extent(plan):
    with pytest.raises(es.EcospatialError, match="a4、a3"):
        plan_sheet.picture(Recipe("图", plan), "png", paper="a5")
    with pytest.raises(es.PlanError, match="没有“别处”"):
        plan_sheet.picture(Recipe("图", plan, extent="basic_farmland", extent_name="别处"), "png")


def test_a_map_of_one_feature_shows_it_and_not_the_district(plan):
    # 三片 is a square of 400 m with 200 m around it: 800 m in 168 mm needs 1:4762.
    page = plan_sheet.recipe_sheet(Recipe("图", plan, extent="basic_farmland", extent_name="三片"))
    assert page.window.scale == 5000
