"""docs/audit.md does what it says: every command and every Python block runs, top to bottom."""

from __future__ import annotations

import re
import shlex

import pytest
from project_paths import ROOT
from readme_blocks import blocks, commands

from ecospatial.audits import CHECKS, STATUSES
from ecospatial.cli import main

PAGE = "docs/audit.md"


def test_the_python_blocks_run():
    known = {}
    python = [block for block in blocks(PAGE) if block.kind == "python"]
    assert len(python) >= 8
    for block in python:
        exec(compile(block.code, f"{PAGE}:{block.line}", "exec"), known)  # noqa: S102 - our own page


@pytest.mark.parametrize("line", [line for b in blocks(PAGE) if b.kind == "bash" for line in commands(b)])
def test_the_commands_run(line, capsys):
    program, *arguments = shlex.split(line)
    assert program == "ecospatial"
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0, capsys.readouterr().err
    assert "注意：含示意图层" in capsys.readouterr().out


def test_every_check_and_every_status_is_explained():
    named = set(re.findall(r"`([a-z_]+)`", (ROOT / PAGE).read_text(encoding="utf-8")))
    assert {*CHECKS, *STATUSES} <= named
