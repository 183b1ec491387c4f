"""Map recipes: what they draw, and that what is not understood is refused."""

from __future__ import annotations

import pytest
from made_plans import worked_example

import ecospatial as es
from ecospatial.cli import main
from ecospatial.maps import to_html
from ecospatial.plans import data_folder

SHIPPED = sorted(path.name for path in data_folder("maps").glob("*.yaml") if path.name != "style.yaml")


def recipe(folder, text):
    path = folder / "图.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_plan_has_a_recipe():
    assert {f"{name}.yaml" for name in es.list_plans()} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_draws_every_layer_it_lists(name):
    page = to_html(es.draw(name))
    text = (data_folder("maps") / name).read_text(encoding="utf-8")
    title = text.split("title: ")[1].splitlines()[0]
    assert f"<title>{title}" in page
    plan = es.open_plan(text.split("plan: ")[1].splitlines()[0])
    for kind in text.split("layers: [")[1].split("]")[0].split(", "):
        assert not plan.frame(kind).empty
        assert plan.of_kind(kind)[0].label in page


def test_a_recipe_with_sites_is_a_map_of_verdicts():
    page = to_html(es.draw("zhonglou-verdicts.yaml"))
    assert "<title>常州市钟楼区示例地块空间管控核查图" in page
    for words in ("ZL-01", "判定不通过", "新孟河岸线两侧", "内部使用，未经审核，不得公开"):
        assert words in page


def test_a_recipe_may_bring_signs_of_its_own(tmp_path):
    worked_example(tmp_path / "p")
    (tmp_path / "own.yaml").write_text('kinds: {bank_line: {stroke: "#123456", weight: 3}}\n', encoding="utf-8")
    path = recipe(tmp_path, "title: x\nplan: ./p\nlayers: [bank_line]\nstyle: ./own.yaml\n")
    assert "#123456" in to_html(es.draw(path))
    assert "#123456" not in to_html(es.draw(recipe(tmp_path, "title: x\nplan: ./p\nlayers: [bank_line]\n")))
    (tmp_path / "own.yaml").write_text('kinds: {bank_line: {stroke: "#654321"}}\n', encoding="utf-8")
    path = recipe(tmp_path, "title: x\nplan: ./p\nlayers: [bank_line]\nstyle: ./own.yaml\n")
    assert "#654321" in to_html(es.draw(path))
    (tmp_path / "own.yaml").write_text("kinds: {no_such_kind: {}}\n", encoding="utf-8")
    with pytest.raises(es.PlanError, match=r"own\.yaml.*no_such_kind"):
        es.draw(path)


def test_a_recipe_with_sites_is_never_drawn_unchecked():
    from ecospatial import maps

    with pytest.raises(es.EcospatialError, match="没有核查"):
        maps.draw("zhonglou-verdicts.yaml")


def test_only_what_is_listed_is_drawn_under_the_title(tmp_path):
    worked_example(tmp_path / "p")
    page = to_html(
        es.draw(recipe(tmp_path, "title: 只有岸线 <b>\nplan: ./p\nlayers: [bank_line]\nextent: bank_line\n"))
    )
    assert "<title>只有岸线 &lt;b&gt;" in page
    assert "岸线" in page
    assert "行政区" not in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: x", ["plan", "缺少"]),
        ("title: x\nplan: nowhere", ["nowhere"]),
        ("title: x\nplan: ./p\nlayers: [banks]", ["layers", "banks"]),
        ("title: x\nplan: ./p\nextent: everywhere", ["extent", "everywhere"]),
        ("title: x\nplan: ./p\nlabels: often", ["labels"]),
        ("title: x\nplan: ./p\nextent: {bank_line: 无此河}", ["无此河"]),
        ("title: x\nplan: ./p\nextent: {bank_line: a, town: b}", ["extent"]),
        ("title: x\nplan: ./p\non: 2026-11-20", ["on", "sites"]),
        ("title: x\nplan: ./p\nlayer: []", ["layer", "不认识"]),
        ("- x", ["键和值"]),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, text, words):
    worked_example(tmp_path / "p")
    with pytest.raises(es.PlanError) as caught:
        es.draw(recipe(tmp_path, text))
    for word in words:
        assert word in str(caught.value)


def test_the_command_takes_a_recipe(tmp_path, monkeypatch, capsys):
    worked_example(tmp_path / "p")
    path = recipe(tmp_path, "title: 我的图\nplan: ./p\n")
    monkeypatch.chdir(tmp_path)
    for arguments, code in (
        (["map", str(path)], 0),
        (["map", "none.yaml"], 2),
        (["map"], 2),
        (["map", str(path), "--plan", "x"], 2),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == code, capsys.readouterr().err
    assert "我的图" in (tmp_path / "图.html").read_text(encoding="utf-8")
