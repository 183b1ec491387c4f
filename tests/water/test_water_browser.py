"""The maps of rivers and sewers in a real browser with the network off."""

from __future__ import annotations

import pytest
from browser_page import shown
from made_plans import plan_folder
from made_waters import river_layers

import ecospatial as es

pytestmark = pytest.mark.browser


def test_the_maps_say_what_they_should_and_ask_for_nothing(browser, tmp_path):
    folder = tmp_path / "p"
    plan = es.open_plan(plan_folder(folder, river_layers(folder), []))
    es.rivers(plan).write(tmp_path)
    es.sewers(plan).write(tmp_path)
    told = {"network": ("断头浜", "缺口排序", "河段（1 级）"), "sewers": ("排水片区（合流）", "管网空白区")}
    for name, words in told.items():
        with shown(browser, tmp_path / f"{name}.html") as (page, heard):
            text = page.inner_text("body")
            assert all(word in text for word in words), name
            assert "内部使用，未经审核，不得公开" in text
            assert page.locator(".leaflet-interactive").count() > 3
            assert heard.nothing(), heard
