"""The two commands: the environment they make, enter and reuse, and when the test command fails.

The environment is made for real, in a folder with copies of the programs and a package that needs nothing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project_paths import SCRIPTS

pytestmark = pytest.mark.slow

SETUP = "[metadata]\nname = tiny\nversion = 1\n[options]\npy_modules = tiny\n[options.extras_require]\ntest =\n"
PYPROJECT = '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
PROBE = """
import json, sys, environment
environment.enter(sys.argv[1])
import tiny
print(json.dumps({"prefix": sys.prefix, "arguments": sys.argv[1:], "tiny": tiny.__file__, "sign": "岸线"}))
"""


def checkout(folder):
    """Write the least that the programs need around them."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPTS / "environment.py", folder / "scripts")
    (folder / "scripts" / "probe.py").write_text(PROBE, encoding="utf-8")
    (folder / "setup.cfg").write_text(SETUP, encoding="utf-8")
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "tiny.py").write_text("", encoding="utf-8")
    return folder


def start(folder, *arguments, cwd):
    """Start the probe as a console does that knows no UTF-8."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env |= {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, folder / "scripts" / "probe.py", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False)


def answer(result):
    """Give what the probe saw, and whether something was installed before."""
    assert result.returncode == 0, result.stdout + result.stderr
    *before, last = result.stdout.splitlines()
    return json.loads(last), any("Installing" in line for line in before)


def test_it_is_made_once_entered_and_filled_again_when_the_requirements_change(tmp_path):
    folder = checkout(tmp_path / "a folder, 规划")
    seen, installed = answer(start(folder, "test", "-k", "two words", cwd=tmp_path))
    assert installed
    assert Path(seen["prefix"]) == folder / ".venv"
    assert Path(seen["tiny"]) == folder / "tiny.py"  # editable: the checkout itself
    assert seen["arguments"] == ["test", "-k", "two words"]
    assert seen["sign"] == "岸线"

    assert [answer(start(folder, extra, cwd=folder))[1] for extra in ("test", "")] == [False, False]

    (folder / "setup.cfg").write_text(SETUP + "notebook =\n", encoding="utf-8")
    assert [answer(start(folder, "", cwd=tmp_path))[1] for _ in range(2)] == [True, False]
    assert answer(start(folder, "test", cwd=tmp_path))[1]  # an extra that is new under these requirements


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    folder = checkout(tmp_path / "checkout")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "mine.txt").write_text("keep", encoding="utf-8")
    result = start(folder, "", cwd=tmp_path)
    assert result.returncode == 1
    assert "no virtual environment" in result.stderr
    assert (folder / ".venv" / "mine.txt").read_text(encoding="utf-8") == "keep"


@pytest.fixture
def command(monkeypatch):
    """Load scripts/test.py as a module."""
    monkeypatch.syspath_prepend(SCRIPTS)
    spec = importlib.util.spec_from_file_location("test_command", SCRIPTS / "test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RESULTS = '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>'


def test_the_results_are_counted(command, tmp_path):
    path = tmp_path / "results.xml"
    assert command.counts(path) == (0, 0, 0)
    path.write_text(RESULTS, encoding="utf-8")
    assert command.counts(path) == (3, 3, 3)


@pytest.mark.parametrize(
    ("ruff", "counted", "in_ci", "code", "last"),
    [
        (True, (5, 0, 0), False, 0, "5 passed, 0 failed, 0 skipped"),
        (True, (5, 0, 2), False, 0, "5 passed, 0 failed, 2 skipped"),
        (True, (5, 0, 2), True, 1, "5 passed, 0 failed, 2 skipped"),  # in CI nothing is skipped
        (True, (5, 0, 0), True, 0, "5 passed, 0 failed, 0 skipped"),
        (False, (5, 0, 0), False, 1, "5 passed, 0 failed, 0 skipped"),
        (True, (0, 0, 0), False, 1, "0 passed, 0 failed, 0 skipped"),  # nothing ran
    ],
)
def test_the_command_fails_when_a_check_does(command, capsys, monkeypatch, ruff, counted, in_ci, code, last):
    monkeypatch.setattr(command, "IN_CI", in_ci)
    passed, failed, skipped = counted
    times = {"ruff": (ruff, 0.1), "pytest": (True, 2.0)}
    assert command.report(times, passed=passed, failed=failed, skipped=skipped) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert ("Failed: ruff" in lines) == (not ruff)


def test_quick_runs_the_folders_that_a_change_touches(command, monkeypatch):
    monkeypatch.chdir(SCRIPTS.parent)
    changed = ["ecospatial/network/flow.py", "layers/packs/taihu.yaml", "tests/io/test_fuzz.py", "docs/maps.md"]
    assert command.list_folders(changed) == ["tests/io/test_fuzz.py", "tests/network", "tests/rules"]
    assert command.list_folders(["tests/io/test_fuzz.py", "ecospatial/io/dxf.py"]) == ["tests/io"]
    assert command.list_folders(["ecospatial/errors.py", "README.md", "ecospatial/gone/x.py"]) == []
