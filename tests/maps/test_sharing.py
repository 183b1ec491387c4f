"""What a map may tell of a layer that is not to be passed on: an outline, or nothing but the conflicts."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pytest
import shapely
from made_findings import CRS, made_findings, made_plan
from read_page import layers_of

from ecospatial import maps, plans
from ecospatial.errors import PlanError
from ecospatial.maps.disclosure import outline
from ecospatial.plans import disclosure_of

ACCURACY_M = 5.0


def zone(seed=1, count=240):
    """A ragged zone about the first site of the made findings, reaching out of the view of its map."""
    dice = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    far = 6000 + 150 * dice.normal(size=count)
    return shapely.Polygon(np.column_stack([501_000 + far * np.cos(angles), 3_521_000 + far * np.sin(angles)]))


def plan_of(folder, *, share=None, status="official", accuracy=ACCURACY_M):
    made_plan(folder)
    frame = gpd.GeoDataFrame({"feature_name": ["一片", "二片"]}, geometry=[zone(1), zone(2)], crs=CRS)
    frame.to_file(folder / "basic_farmland.gpkg", layer="basic_farmland", driver="GPKG", mode="w")
    text = (folder / "plan.yaml").read_text("utf-8")
    head, tail = text.split("- kind: basic_farmland", 1)
    entry, rest = tail.split("- kind: canal_zone", 1)
    entry = entry.replace("status: public", f"status: {status}" + (f"\n  share: {share}" if share else ""))
    entry = entry.replace("accuracy_m: 100", f"accuracy_m: {accuracy}")
    (folder / "plan.yaml").write_text(f"{head}- kind: basic_farmland{entry}- kind: canal_zone{rest}", "utf-8")
    return plans.open_plan(folder)


def farmland(text):
    return next((layer for layer in layers_of(text).values() if layer["name"] == "永久基本农田"), None)


def drawn_metres(layer):
    shapes = gpd.GeoSeries([feature.shape for feature in layer["features"]], crs=4490).to_crs(CRS)
    return shapes.to_numpy()


def nearest_m(original, drawn):
    """From each vertex of the original to the nearest vertex that is drawn."""
    tree = shapely.STRtree(shapely.points(shapely.get_coordinates(drawn)))
    _, far = tree.query_nearest(shapely.points(shapely.get_coordinates(original)), return_distance=True)
    return far


@pytest.mark.parametrize(
    ("share", "status", "expected"),
    [(None, "official", "outline"), (None, "public", "full"), (None, "schematic", "full"), ("full", "official", "full"),
     ("none", "public", "none"), ("outline", "schematic", "outline")],
)  # fmt: skip
def test_official_layers_are_outlines_unless_the_plan_says_otherwise(share, status, expected, tmp_path):
    assert disclosure_of(plan_of(tmp_path, share=share, status=status).layers["basic_farmland"]) == expected


def test_no_vertex_of_an_official_layer_is_in_the_page(tmp_path):
    plan = plan_of(tmp_path)
    text = maps.to_html(maps.draw(plan))
    original, drawn = plan.frame("basic_farmland").geometry.to_numpy(), drawn_metres(farmland(text))
    assert nearest_m(original, drawn).min() > 0.01
    inside = shapely.box(495_000, 3_515_000, 505_000, 3_526_000)  # the district; the page ends a little outside
    for shape, coarse in zip(original, drawn, strict=True):
        for one, other in ((shape, coarse), (coarse, shape)):
            here = shapely.intersection(shapely.points(shapely.get_coordinates(one)), inside)
            far = shapely.distance(here[~shapely.is_empty(here)], other.boundary)
            assert far.max() < ACCURACY_M  # true to its accuracy
    for number in np.round(shapely.get_coordinates(gpd.GeoSeries(original, crs=CRS).to_crs(4490)), 5).ravel():
        assert f"{number:.5f}" not in text


def test_a_layer_that_may_be_shared_is_drawn_as_it_is(tmp_path):
    plan = plan_of(tmp_path, share="full")
    drawn = drawn_metres(farmland(maps.to_html(maps.draw(plan))))
    assert nearest_m(plan.frame("basic_farmland").geometry.to_numpy(), drawn).max() < 0.02


def test_an_outline_ends_with_the_page(tmp_path):
    plan = plan_of(tmp_path)
    findings = made_findings(plan)
    drawn = drawn_metres(farmland(maps.to_html(maps.draw(findings))))
    west, south, east, north = findings.sites.total_bounds
    margin = max(0.06 * max(east - west, north - south), 300)
    page = (west - margin, south - margin, east + margin, north + margin)
    assert not shapely.within(plan.frame("basic_farmland").geometry.to_numpy(), shapely.box(*page)).any()
    assert shapely.within(drawn, shapely.box(*page).buffer(ACCURACY_M)).all()


def test_a_layer_that_may_not_be_told_shows_as_conflict_only(tmp_path):
    plan = plan_of(tmp_path, share="none")
    text = maps.to_html(maps.draw(made_findings(plan)))
    assert farmland(text) is None
    assert "一片" not in text
    assert "conflicts" in layers_of(text)
    assert re.search(r"不公开，只绘冲突：</strong>永久基本农田", text)
    assert farmland(maps.to_html(maps.draw(plan))) is None


@pytest.mark.parametrize("share", ["outline", "none"])
def test_the_strip_of_a_near_rule_does_not_give_the_line_away(share, tmp_path):
    made_plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text("utf-8")
    (tmp_path / "plan.yaml").write_text(text.replace("name: banks", f"name: banks\n  share: {share}"), "utf-8")
    layers = layers_of(maps.to_html(maps.draw(made_findings(plans.open_plan(tmp_path)))))
    if share == "none":
        assert "corridors" not in layers
        return
    drawn = drawn_metres(layers["corridors"])
    # The line is at 500000, the strip 1000 m to both sides; its accuracy is 100 m.
    east = drawn[0].bounds[2]
    assert 0.5 < abs(east - 501_000) < 100


@pytest.mark.parametrize(("accuracy", "most"), [(5, 5), (None, 10), (0, 1)])
def test_an_outline_is_as_good_as_the_layer_and_no_better(accuracy, most):
    shapes = np.array([zone(3)], dtype=object)
    coarse = outline(shapes, accuracy, None)
    assert 0.05 * most < shapely.hausdorff_distance(shapes[0].boundary, coarse[0].boundary) <= most


def test_neighbours_keep_their_border_in_an_outline():
    left = shapely.Polygon([(0, 0), (50.3, 0), (47.1, 20), (52.9, 41.7), (49, 60), (0, 60)])
    right = shapely.Polygon([(50.3, 0), (100, 0), (100, 60), (49, 60), (52.9, 41.7), (47.1, 20)])
    coarse = outline(np.array([left, right], dtype=object), 4, None)
    assert shapely.coverage_is_valid(coarse)
    assert shapely.length(shapely.intersection(*coarse)) > 50


def test_points_are_moved_onto_the_grid():
    moved = outline(np.array([shapely.Point(500_000, 3_520_000)], dtype=object), 10, None)
    assert 0.5 < shapely.distance(moved[0], shapely.Point(500_000, 3_520_000)) < 5


def test_another_word_is_refused(tmp_path):
    with pytest.raises(PlanError, match="share"):
        plan_of(tmp_path, share="secret")


@pytest.mark.parametrize(("share", "told"), [("full", True), ("outline", False)])
def test_a_printed_map_tells_no_more_than_a_page(share, told, tmp_path, monkeypatch):
    """Measured in millimetres of paper: of an outline no corner on the sheet lies on one of the original."""
    from ecospatial.maps.print import canvas, plan_sheet
    from ecospatial.maps.recipes import Recipe

    plan, drawn = plan_of(tmp_path, share=share, accuracy=40), []
    monkeypatch.setattr(canvas.Sheet, "shapes", lambda self, paper, *a, **k: drawn.append(paper))  # noqa: ARG005 - its form
    with canvas.house_settings():
        page = plan_sheet.recipe_sheet(Recipe("图", plan, layers=("basic_farmland",), labels=False))
    original = page.window.to_paper(plan.frame("basic_farmland").geometry.to_numpy(), page.layout.corner_mm)
    near = nearest_m(np.concatenate(drawn), original)
    assert bool((near < 1e-9).mean() > 0.8) is told
    assert told or near.min() > 1e-6


def test_a_strip_is_left_out_of_print_as_well(tmp_path):
    from ecospatial.maps.web import layers as layers_

    made_plan(tmp_path)
    text = (tmp_path / "plan.yaml").read_text("utf-8")
    (tmp_path / "plan.yaml").write_text(text.replace("name: banks", "name: banks\n  share: none"), "utf-8")
    plan = plans.open_plan(tmp_path)
    assert layers_.strips(made_findings(plan), plan).empty


def test_a_base_map_has_no_better_borders_than_the_layers_it_is_made_of(tmp_path):
    from ecospatial.maps.style import Sign
    from ecospatial.maps.web.overlay import Overlay, over_plan

    plan = plan_of(tmp_path)
    pieces = plan.frame("basic_farmland")
    for derived, nearest in ((False, (0, 0.02)), (True, (0.01, 10))):
        overlay = Overlay(
            "片", pieces, [("片", Sign())], np.zeros(2, dtype=np.intp), ["一", "二"], pane="area", derived=derived
        )
        text = maps.to_html(over_plan(plan, [overlay], group="图", title="图", subtitle="", notices=[]))
        near = nearest_m(drawn_metres(layers_of(text)["overlay-0"]), pieces.geometry.to_numpy())
        assert nearest[0] <= near.min() < nearest[1]
        assert [feature.title for feature in layers_of(text)["overlay-0"]["features"]] == ["一", "二"]
