"""Many maps at once: for each recipe, town or site; names, resuming, failures, the page that lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import docx
import openpyxl
import pytest
import yaml
from browser_page import shown
from made_findings import HOSTILE, made_plan

import ecospatial as es
from ecospatial import cli, maps
from ecospatial.batch import map_run
from ecospatial.batch.map_jobs import safe_names

pytestmark = pytest.mark.slow

EXAMPLES = "layers/changzhou-zhonglou/examples"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def recipes(tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    made = tmp_path / "made"
    made.mkdir()
    made_plan(made)
    for name in ("甲", "乙"):
        content = {"title": f"{name}图", "plan": "./../made", "layers": ["district", "basic_farmland"]}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_page_for_each_recipe_and_one_that_lists_them(recipes, tmp_path):
    out = tmp_path / "out"
    assert run("map", "--recipes", recipes, "--out", out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "maps.json", "乙.html", "甲.html"]
    # The same page as one drawn alone.
    assert (out / "甲.html").read_text("utf-8") == maps.to_html(es.draw(recipes / "甲.yaml"))
    index = (out / "index.html").read_text("utf-8")
    assert "甲图" in index
    assert "内部使用，未经审核，不得公开" in index
    assert "含示意图层" in index


def test_what_has_not_changed_is_kept_and_what_has_is_drawn_again(recipes, tmp_path, capsys):
    out = tmp_path / "out"
    run("map", "--recipes", recipes, "--out", out)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.html")}
    time.sleep(0.02)
    text = (recipes / "甲.yaml").read_text("utf-8")
    (recipes / "甲.yaml").write_text(text.replace("甲图", "新图"), encoding="utf-8")
    (out / "乙.html").unlink()
    capsys.readouterr()
    assert run("map", "--recipes", recipes, "--out", out) == 0
    assert "新作 2 份，未变 0 份" in capsys.readouterr().err
    assert run("map", "--recipes", recipes, "--out", out) == 0
    assert "新作 0 份，未变 2 份" in capsys.readouterr().err
    assert "新图" in (out / "甲.html").read_text("utf-8")
    assert (out / "甲.html").stat().st_mtime_ns != before["甲.html"]


def test_two_processes_give_the_same_files_as_one(recipes, tmp_path):
    run("map", "--recipes", recipes, "--out", tmp_path / "one")
    run("map", "--recipes", recipes, "--out", tmp_path / "two", "--jobs", "2")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_recipe_that_fails_does_not_hide_the_others(recipes, tmp_path, capsys):
    (recipes / "丙.yaml").write_text("title: 丙图\nplan: ./../nowhere\n", encoding="utf-8")
    out = tmp_path / "out"
    assert run("map", "--recipes", recipes, "--out", out) == 2
    assert {path.name for path in out.glob("?.html")} == {"甲.html", "乙.html"}
    error = capsys.readouterr().err
    assert "未能完成 丙.yaml" in error
    assert "Traceback" not in error
    assert "未能绘制 1 幅" in (out / "index.html").read_text("utf-8")


def test_a_map_for_each_site_with_its_own_findings(tmp_path):
    out = tmp_path / "out"
    arguments = ["map", "--plan", "changzhou-zhonglou", "--sites", f"{EXAMPLES}/sites.txt", "--on", "2026-11-20"]
    assert run(*arguments, "--out", out) == 0
    assert sorted(path.stem for path in out.glob("ZL-*.html")) == [f"ZL-0{n}" for n in range(1, 7)]
    page = (out / "ZL-03.html").read_text("utf-8")
    assert "ZL-03" in page
    assert "ZL-01" not in page


def test_a_report_for_each_site_and_one_book_of_all(tmp_path, capsys):
    call = ["check", f"{EXAMPLES}/sites.txt", "--plan", "changzhou-zhonglou", "--on", "2026-11-20", "--out", tmp_path]
    assert run(*call, "--each", "--format", "docx") == 0
    names = [f"ZL-0{n}.docx" for n in range(1, 7)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names, "findings.xlsx", "index.html", "maps.json"]
    words = "".join(paragraph.text for paragraph in docx.Document(str(tmp_path / "ZL-03.docx")).paragraphs)
    assert "ZL-03" in words
    assert "ZL-01" not in words
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")["结论汇总"]
    assert {f"ZL-0{n}" for n in range(1, 7)} <= {cell.value for cell in book["A"]}
    (tmp_path / "ZL-02.docx").unlink()
    assert run(*call, "--each", "--format", "docx") == 0
    assert "新作 1 份，未变 5 份" in capsys.readouterr().err


def test_a_sheet_for_each_town(tmp_path):
    out = tmp_path / "out"
    assert run("map", "--plan", "nanjing-gulou", "--each", "town", "--out", out, "--format", "png") == 0
    towns = es.open_plan("nanjing-gulou").frame("town")["feature_name"]
    assert {path.stem for path in out.glob("*.png")} == set(towns)


def killed(call, far_enough):
    """Start a command and kill it while it works."""
    command = [sys.executable, "-m", "ecospatial", *call]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.getcwd()})  # noqa: PTH109
    while not far_enough():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()


def test_stopped_by_a_kill_it_goes_on_where_it_was(recipes, tmp_path):
    for number in range(12):
        content = {"title": f"图{number}", "plan": "nanjing-gulou"}
        (recipes / f"r{number:02d}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    out = tmp_path / "out"
    killed(["map", "--recipes", recipes, "--out", out], lambda: len(list(out.glob("r*.html"))) >= 3)
    there = {path.name: path.stat().st_mtime_ns for path in out.glob("r*.html")}
    entries = json.loads((out / "maps.json").read_text("utf-8"))["items"]
    assert run("map", "--recipes", recipes, "--out", out) == 0
    assert len(list(out.glob("r*.html"))) == 12
    # What was written down as done was not drawn twice; at most the map in work was.
    again = {name for name, changed in there.items() if (out / name).stat().st_mtime_ns != changed}
    assert len(there) - len(again) >= len([name for name in entries if name.startswith("r")]) >= 2
    for path in out.glob("r*.html"):
        assert path.read_text("utf-8").rstrip().endswith("</html>")


def test_names_are_safe_and_unique():
    given = ["a/b", "a:b", "A_B", "CON", "nul.txt", "..", "", "index", "新孟河 1号", "x" * 200, *HOSTILE]
    names = safe_names(given)
    assert len({name.casefold() for name in names}) == len(given)
    assert not [name for name in names if set(name) & set('/\\:*?"<>|. ') or len(name) > 70]
    assert not {"con", "index"} & {name.casefold() for name in names}
    assert names[8] == "新孟河_1号"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--recipes", "empty", "--out", "o"], "没有配方"),
        (["--recipes", "empty"], "--out"),
        (["--recipes", "empty", "--plan", "changzhou-zhonglou", "--out", "o"], "取其一"),
        (["--recipes", "empty", "--out", "o.html"], "文件夹"),
        (["--plan", "changzhou-zhonglou", "--out", "o.gif"], ".gif"),
    ],
)
def test_wrong_calls_are_refused(arguments, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run("map", *arguments) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_one_map_as_a_picture_or_a_sheet(form, tmp_path):
    assert run("map", "changzhou-tianning.yaml", "--out", tmp_path / f"a.{form}", "--paper", "a3") == 0
    content = (tmp_path / f"a.{form}").read_bytes()
    assert content.startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[form])
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{form}"]


@pytest.mark.browser
def test_the_list_opens_without_a_network_and_finds_by_name(recipes, tmp_path, browser):
    content = {"title": "".join(HOSTILE), "plan": "./../made"}
    (recipes / "坏.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    map_run.render(*map_run.of_recipes(recipes), tmp_path / "out")
    with shown(browser, tmp_path / "out" / "index.html") as (page, heard):
        cards = page.locator(".cards li:visible")
        assert cards.count() == 3
        assert page.get_by_text("".join(HOSTILE)).count() == 1
        page.fill("#search", "甲")
        assert cards.count() == 1
        assert page.inner_text("#count") == "1 幅"
        page.fill("#search", "没有这幅")
        assert cards.count() == 0
    assert (heard.requests, heard.dialogs, heard.faults) == ([], [], [])


def test_reports_of_sites_killed_in_between_are_whole_and_go_on(tmp_path, capsys):
    call = ["check", f"{EXAMPLES}/sites.txt", "--plan", "changzhou-zhonglou", "--on", "2026-11-20", "--out", tmp_path]
    call += ["--each", "--format", "docx"]
    killed(call, lambda: len(list(tmp_path.glob("ZL-*.docx"))) >= 2)
    done = {path.name: path.read_bytes() for path in tmp_path.glob("ZL-*.docx")}
    for name in done:
        assert docx.Document(str(tmp_path / name)).paragraphs, name
    assert run(*call) == 0
    assert len(list(tmp_path.glob("ZL-*.docx"))) == 6
    for name, content in done.items():
        assert (tmp_path / name).read_bytes() == content, name
    assert "未变 0 份" not in capsys.readouterr().err
    # Nothing that was begun is left behind.
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".") or path.suffix == ".tmp"]
