"""docs/rivers-and-sewers.md does what it says: every command and every Python block runs, top to bottom."""

from __future__ import annotations

import shlex

import pytest
from project_paths import ROOT
from readme_blocks import blocks, commands

from ecospatial.cli import main

PAGE = "docs/rivers-and-sewers.md"


def test_the_python_blocks_run():
    known = {}
    python = [block for block in blocks(PAGE) if block.kind == "python"]
    assert len(python) >= 4
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


def test_every_district_has_its_example():
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for plan in ("changzhou-zhonglou", "changzhou-tianning", "nanjing-gulou"):
        assert f"ecospatial network --plan {plan}" in text
        assert f"ecospatial sewers --plan {plan}" in text
