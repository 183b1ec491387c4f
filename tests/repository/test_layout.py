"""The folders and setup.cfg agree with each other; the rows of imports are import-linter's business."""

from __future__ import annotations

import ast
import configparser
import re
import runpy

import pytest
from project_paths import ROOT

PACKAGE = ROOT / "ecospatial"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROGRAMS = [*MODULES, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
OPENS_SOCKETS = {"ftplib", "http.client", "httpx", "requests", "socket", "urllib.request", "urllib3"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_setup_py_finds_every_package_there_is(monkeypatch):
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **settings: given.update(settings))
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert sorted(given["packages"]) == sorted(there | {"ecospatial.data.layers", "ecospatial.data.maps"})


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in MODULES}
    assert PACKAGE in folders
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_layers_and_maps_hold_no_python():
    assert list((ROOT / "layers").rglob("*.py*")) + list((ROOT / "maps").rglob("*.py*")) == []


def test_layers_are_kept_byte_for_byte():
    assert "layers/** -text" in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_short_and_named_for_what_it_does(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600
    assert path.stem not in {"utils", "util", "common", "helpers", "helper", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_package_opens_no_socket(path):
    assert sorted(OPENS_SOCKETS.intersection(imported(path))) == []


def test_the_ci_command_is_the_test_command_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split("\n")
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec python3 scripts/test.py"]


def test_every_case_of_a_parametrised_test_exists():
    # An empty list of cases skips a test without a word: pytest is told to fail instead.
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["tool:pytest"]["empty_parameter_set_mark"] == "fail_at_collect"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/developers.md"])
def test_a_page_names_files_that_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    roots = ("docs", "ecospatial", "layers", "maps", "scripts", "tests")
    named = re.findall(rf"`((?:{'|'.join(roots)})/[\w./-]*)`", text) + re.findall(r"python3 (scripts/[\w/]+\.py)", text)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
