"""Both READMEs do what they say: every Python block and every ``ecospatial`` command runs, top to bottom.

A block is left out only by a comment right before it, ``<!-- not run: why -->``. A block of another kind with
the comment ``<!-- file: name -->`` is the content of that file.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project_paths import ROOT
from readme_blocks import blocks, commands

pytestmark = pytest.mark.slow

READMES = ("README.md", "README.zh.md")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
# What may be left out: the two commands that make an environment, and installing.
MAY_BE_LEFT_OUT = re.compile(r"(git clone|cd|python3 scripts/(demo|test)\.py|\S*python -m pip install)( |$)")


def bash_lines(name):
    return [line for block in blocks(name) if block.kind == "bash" for line in commands(block)]


def run_command(line, folder):
    program, *arguments = shlex.split(line, comments=True)
    assert program == "ecospatial", line
    path = shutil.which(program, path=str(Path(sys.executable).parent))
    assert path, "the package is not installed in this environment"
    command = [path, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
    assert result.stdout or "--out" in arguments, line
    assert "Warning" not in result.stderr, result.stderr


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder as a reader has it: the shipped examples where they are in a checkout, and an own layer."""
    import ecospatial as es

    examples = "layers/changzhou-zhonglou/examples"
    shutil.copytree(ROOT / examples, tmp_path / examples)
    plan = es.open_plan("changzhou-zhonglou")
    (tmp_path / "my-plan").mkdir()
    for kind in ("district", "control_zone"):
        plan.frame(kind).to_file(tmp_path / "my-plan" / f"{kind}.gpkg")
    zones = plan.frame("control_zone")[["feature_name", "zone_type", "geometry"]]
    zones.rename(columns={"feature_name": "名称", "zone_type": "类型"}).to_file(tmp_path / "管控区.shp", encoding="gbk")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", READMES)
def test_every_block_runs(name, folder):
    namespace = {"__name__": "readme"}
    ran = {"python": 0, "command": 0}
    for block in blocks(name):
        if block.word == "file":
            (folder / block.note).write_text(block.code, encoding="utf-8")
        elif block.word is None and block.kind == "python":
            code = "\n" * block.line + block.code  # so that a traceback names the line of the README
            exec(compile(code, str(ROOT / name), "exec"), namespace)  # noqa: S102 - our own page
            ran["python"] += 1
        elif block.word is None:
            assert block.kind in ("bash", "console"), f"{name}, line {block.line}: a block nobody runs"
            for line in commands(block):
                run_command(line, folder)
                ran["command"] += 1
    assert ran["python"] >= 1
    assert ran["command"] >= 4


@pytest.mark.parametrize("name", READMES)
def test_only_installing_is_left_out(name):
    left_out = [line for block in blocks(name) if block.word == "not run" for line in commands(block)]
    assert "python3 scripts/demo.py" in left_out
    assert [line for line in left_out if not MAY_BE_LEFT_OUT.match(line)] == []


def test_both_languages_show_the_same():
    english, chinese = ([(block.word, block.kind, block.note) for block in blocks(name)] for name in READMES)
    assert [entry[:2] for entry in english] == [entry[:2] for entry in chinese]
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in READMES]
    assert texts[0].count("\n## ") == texts[1].count("\n## ") >= 5
    assert bash_lines("README.md") == bash_lines("README.zh.md")


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_file_a_page_points_to_is_there(name):
    targets = LINK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []
    assert targets or name not in READMES


@pytest.mark.parametrize("name", ["map.png", "report.png"])
def test_the_pictures_are_small(name):
    assert 10_000 < (ROOT / "docs" / "img" / name).stat().st_size < 300_000
