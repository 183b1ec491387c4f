"""Five hundred official zones and three hundred sites, spikes and needles among both, through every picture."""

from __future__ import annotations

import logging
from dataclasses import replace

import docx
import made_plans
import numpy as np
import pytest
import shapely
from PIL import Image

import ecospatial as es
from ecospatial import export, maps
from ecospatial.export import figures
from ecospatial.maps.print import canvas, site_map
from ecospatial.maps.print.plan_sheet import picture
from ecospatial.maps.recipes import Recipe
from ecospatial.maps.web import layers
from ecospatial.maps.web.thumbnail import thumbnail

WEST, SOUTH, EAST, NORTH = 496_000.0, 3_512_000.0, 506_000.0, 3_522_000.0
WIDTHS = np.array([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0])
ZONES, SITES, FIGURES = 500, 300, 12


def ragged(dice, x, y, size, *, corners=24):
    angles = np.sort(dice.uniform(0, 2 * np.pi, corners))
    far = size * dice.uniform(0.6, 1.0, corners)
    return np.column_stack([x + far * np.cos(angles), y + far * np.sin(angles)])


def spiked(dice, x, y, size):
    """A ragged shape with a spike of a hair's width, out of it or into it."""
    ring = ragged(dice, x, y, size)
    place, width = int(dice.integers(1, len(ring) - 1)), float(dice.choice(WIDTHS))
    foot = ring[place]
    away = (foot - (x, y)) / np.hypot(*(foot - (x, y))) * dice.choice([-0.8, 1.5, 4.0]) * size
    across = np.array([-away[1], away[0]]) / np.hypot(*away) * width
    spike = np.array([foot - across / 2, foot + away, foot + across / 2])
    return shapely.Polygon(np.concatenate([ring[:place], spike, ring[place + 1 :]]))


def needle(dice, x, y, size):
    width, turn = float(dice.choice(WIDTHS)), dice.uniform(0, np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]) * size, np.array([-np.sin(turn), np.cos(turn)]) * width
    return shapely.Polygon(np.array([x, y]) + np.array([0 * along, along, along + across, across]))


def doubled(dice, x, y, size):
    """Vertices in pairs, a millimetre and less apart."""
    ring = ragged(dice, x, y, size)
    again = ring + dice.normal(scale=float(dice.choice(WIDTHS[:4])), size=ring.shape)
    return shapely.Polygon(np.stack([ring, again], axis=1).reshape(-1, 2))


def touching(dice, x, y, size):
    """A hole that touches its shell, and one that touches the first."""
    low = float(dice.choice(WIDTHS))
    shell = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0.5)]
    holes = [[(0, 0.5), (0.4, 0.4), (0.4, 0.6)], [(0.4, 0.6), (0.7, 0.6), (0.7, 0.6 + low / size + 1e-9)]]
    return shapely.transform(shapely.Polygon(shell, holes), lambda xy: xy * size + (x, y))


def box(dice, x, y, size):
    return shapely.box(x, y, x + size * dice.uniform(0.02, 1), y + size * dice.uniform(0.02, 1))


def made(dice, count, sizes, *, least_m2=0.0):
    """Valid shapes of all sorts, one after the other."""
    makers, found = (spiked, needle, doubled, touching, box), []
    while len(found) < count:
        x, y, size = dice.uniform(WEST, EAST), dice.uniform(SOUTH, NORTH), dice.uniform(*sizes)
        shape = makers[len(found) % len(makers)](dice, x, y, size)
        if shape.is_valid and shape.area > least_m2:
            found.append(shape)
    return found


def tiles(dice, count):
    """Fields that share their borders, some of them hair-thin."""
    steps = np.cumsum(dice.choice([0.001, 0.3, 2.0, 9.0, 60.0, 150.0], size=count))
    edges = np.concatenate([[0], steps]) + WEST + 2000
    lean = dice.uniform(-40, 40, size=len(edges))
    return [
        shapely.Polygon([(a, SOUTH + 3000), (b, SOUTH + 3000), (b + q, SOUTH + 4000), (a + p, SOUTH + 4000)])
        for a, b, p, q in zip(edges[:-1], edges[1:], lean[:-1], lean[1:], strict=True)
        if a + p < b + q
    ]


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    dice = np.random.default_rng(20261130)
    folder = tmp_path_factory.mktemp("plan")
    shapes = made(dice, ZONES, (5.0, 400.0))
    parts = [shapes[number::4] for number in range(4)]
    lines = [shapely.LineString(ragged(dice, x, SOUTH + 5000, 3000, corners=60)) for x in (WEST, EAST)]
    fields = tiles(dice, 120)
    held = [
        ("district", [shapely.box(WEST - 5000, SOUTH - 5000, EAST + 5000, NORTH + 5000)], {}, 0),
        ("control_zone", parts[0], {"zone_type": ["清水通道维护区"] * len(parts[0])}, 10),
        ("eco_redline", parts[1], {}, None),
        ("farmland", parts[2], {}, 1),
        ("nature_reserve", parts[3], {"part": ["一般控制区"] * len(parts[3])}, 50),
        ("basic_farmland", fields, {}, 5),
        ("bank_line", lines, {"river": ["新孟河"] * 2}, 20),
    ]
    entries = [
        made_plans.layer(folder, kind, own, columns=columns, status="official", accuracy_m=accuracy,
                         coverage="extent" if kind == "district" else "district+5000")
        for kind, own, columns, accuracy in held
    ]  # fmt: skip
    rules = [made_plans.rule(f"R{number}", relation="overlaps", layer=kind)
             for number, (kind, *_) in enumerate(held[1:6])]  # fmt: skip
    rules += [made_plans.rule("N1", within_m=1000), made_plans.rule("N2", within_m=80, layer="eco_redline")]
    plan = es.open_plan(made_plans.plan_folder(folder, entries, rules))
    sites = es.read_sites(made_plans.sites(*made(dice, SITES, (10.0, 200.0), least_m2=0.1)), plan=plan)
    return es.check(sites, plan, on="2026-11-20")


@pytest.fixture
def watched(monkeypatch):
    """Collect every shape that reaches a sheet or a page."""
    seen = []
    on_paper, on_page = canvas.Sheet.shapes, layers.drawn

    def shapes(self, geometry, *more, **how):
        seen.append(np.asarray(geometry, dtype=object))
        return on_paper(self, geometry, *more, **how)

    def drawn(frame, **how):
        seen.append(frame.geometry.to_numpy())
        return on_page(frame, **how)

    monkeypatch.setattr(canvas.Sheet, "shapes", shapes)
    monkeypatch.setattr(layers, "drawn", drawn)
    return seen


def assert_all_valid(seen, least):
    shapes = np.concatenate(seen)
    assert len(shapes) >= least
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()


def test_the_generated_shapes_are_what_they_should_be(findings):
    plan = findings.plan
    assert sum(len(plan.layer_frame(name)) for name in plan.layers) >= ZONES
    assert len(findings.sites) == SITES
    assert [name for name in plan.layers if plan.trouble(name)] == []


def of_some(findings, site_ids):
    """Give the findings of some sites."""
    return replace(
        findings, frame=findings.frame[findings.frame["site_id"].isin(site_ids)],
        summary=findings.summary.loc[site_ids], sites=findings.sites.loc[site_ids],
    )  # fmt: skip


def test_all_formats_are_written_and_no_figure_fails(findings, watched, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(figures, "MOST_MAPS", FIGURES)
    with caplog.at_level(logging.WARNING):
        paths = export.write(findings, tmp_path, formats=["html", "map", "json", "gpkg", "xlsx", "dxf", "shp", "txt"])
    assert len(paths) == 8
    assert caplog.text == ""
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count('<figure class="map">') == FIGURES
    assert "此图未能绘出" not in page + (tmp_path / "map.html").read_text("utf-8")
    assert_all_valid(watched, 1000)


def test_a_document_of_some_of_them_has_all_its_figures(findings, watched, tmp_path, caplog):
    some = of_some(findings, list(findings.sites.index[:300:25]))  # a Word document of 300 sites takes a minute
    with caplog.at_level(logging.WARNING):
        (path,) = export.write(some, tmp_path, formats=["docx"])
    assert caplog.text == ""
    assert len(docx.Document(str(path)).inline_shapes) == 12
    assert_all_valid(watched, 50)


def test_figures_of_needles_are_drawn(findings, watched):
    thin = findings.sites.geometry.area.sort_values(kind="stable").index[:6]
    made = site_map.figures(findings, list(thin))
    assert made.failed == {}
    assert all("本地块" not in body or body.startswith("<svg") for body in made.bodies.values())
    assert len(made.bodies) == 6
    assert maps.figure(findings, thin[0]).startswith("<svg")
    assert_all_valid(watched, 12)


def test_a_site_thinner_than_paper_is_still_in_its_legend(findings):
    thin = findings.sites.geometry.area.idxmin()
    with canvas.house_settings():
        made = site_map._made(site_map._share(findings), thin)
    assert any(row.label.startswith("本地块") for row in made.page.legend)


def test_sheets_are_drawn_as_png_and_pdf(findings, watched, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(findings, "png", dpi=60))
    with Image.open(tmp_path / "a.png") as image:
        assert image.size[0] > 500
    assert picture(Recipe("全区", findings.plan), "pdf", paper="a3").startswith(b"%PDF")
    assert str(thumbnail(findings)).startswith("<svg")
    assert_all_valid(watched, 500)


def test_the_page_of_the_plan_alone_is_drawn(findings, watched):
    page = maps.to_html(maps.draw(findings.plan))
    assert "此图未能绘出" not in page
    assert_all_valid(watched, ZONES)
