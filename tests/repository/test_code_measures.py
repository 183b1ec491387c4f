"""The measures of the code do not fall back: names, prose, branches on relations, files that a check enters."""

from __future__ import annotations

import ast
import importlib.util

import pytest
from project_paths import SCRIPTS


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("measure_code", SCRIPTS / "measure_code.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_measure_falls_back(program):
    kept = program.read_kept()
    assert set(program.MAY_NOT_RISE) | set(program.MAY_NOT_FALL) <= set(kept)
    assert program.find_worse(program.measure(), kept) == []


def test_a_measure_that_falls_back_is_named(program):
    kept = dict.fromkeys((*program.MAY_NOT_RISE, *program.MAY_NOT_FALL), 0.5)
    assert program.find_worse(dict(kept), kept) == []
    assert program.find_worse(kept | {"one_word_names": 0.6}, kept) == ["one_word_names"]
    assert program.find_worse(kept | {"comment_lines_per_code_line": 0.4}, kept) == ["comment_lines_per_code_line"]


SOURCE = '''"""A module.

Two lines more.
"""

# A comment.
LIMIT = 3  # behind code


class Reader:
    """Read."""

    @property
    def told(self):
        return self.rule.relation == "near"

    def read(self):
        def told_again():
            return 1

        return told_again()
'''


def test_what_is_counted(program, tmp_path):
    path, tree = tmp_path / "a.py", ast.parse(SOURCE)
    path.write_text(SOURCE, encoding="utf-8")
    assert program.list_names(tree) == ["read", "told_again"]
    # LIMIT, class, @property, def told, return, def read, def told_again, return 1, return; docstrings of 4 and 1.
    assert program.count_lines(path, tree) == (9, 5, 1)
    assert program.count_branches(tree) == 1
