"""Measure the code of ``ecospatial/``: ``python3 scripts/measure_code.py [--write]``.

Prints names, prose, size, and how many files a check enters, and compares them with ``tests/code_measures.json``, which
``--write`` renews. A test fails when a measure falls back; only the number of lines may grow.

- function names: methods and nested functions included, properties and dunders left out, leading and trailing ``_``
  stripped; one word when no ``_`` is left; a participle when the name is one of a list or begins with one;
- prose: lines of docstrings and of comments for each line of code (no blank line, comment or docstring);
- branches on a relation: comparisons with an attribute ``relation`` outside ``relations/``;
- files entered: modules whose functions run in ``ecospatial check --format json`` of one site.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ecospatial"
KEPT = ROOT / "tests" / "code_measures.json"
PARTICIPLES = frozenset(
    """
    told laid held asked said drawn made given taken found kept joined written seen shown named known sorted
    counted measured merged placed moved opened closed shared coded overlaid printed shifted finished wanted
    rendered selected standing stacked listed outlined located settled proven
    """.split()  # noqa: SIM905 - a list of words
)
# Shares of names and branches may not rise, shares of prose may not fall.
MAY_NOT_RISE = ("one_word_names", "participle_names", "relation_branches", "files_entered")
MAY_NOT_FALL = ("docstring_lines_per_code_line", "comment_lines_per_code_line")
ENTER = """
import contextlib, io, sys, threading
from pathlib import Path
root, seen = Path(sys.argv[1]), set()
def note(frame, event, _):
    if event == "call" and frame.f_code.co_flags & 1:  # functions, not bodies of modules and classes
        seen.add(frame.f_code.co_filename)
from ecospatial.cli import main
threading.setprofile(note)
sys.setprofile(note)
site = "POLYGON ((119.93 31.78, 119.94 31.78, 119.94 31.79, 119.93 31.79, 119.93 31.78))"
plan = ["--plan", "changzhou-zhonglou", "--on", "2026-11-20", "--format", "json"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main(["check", "--wkt", site, "--crs", "EPSG:4490", *plan])
sys.setprofile(None)
print(len([name for name in seen if Path(name).is_relative_to(root)]))
"""


def main() -> int:
    """Print the measures beside those that are kept, and say which fell back."""
    found, before = measure(), read_kept()
    for name, value in found.items():
        print(f"{name:>32} {value!s:>8} {before.get(name, '')!s:>8}")
    if "--write" in sys.argv[1:]:
        KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    worse = find_worse(found, before)
    print(*(f"worse: {name}" for name in worse), sep="\n")
    return 1 if worse else 0


def read_kept() -> dict[str, Any]:
    """Return the measures that are kept."""
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.exists() else {}


def find_worse(found: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return the names of the measures that fell back."""
    risen = [name for name in MAY_NOT_RISE if name in before and found[name] > before[name]]
    return risen + [name for name in MAY_NOT_FALL if name in before and found[name] < before[name]]


def measure(*, enter: bool = True) -> dict[str, Any]:
    """Return all measures; without the files entered when ``enter`` is false, as that runs a check."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    names = [name for tree in trees.values() for name in list_names(tree)]
    lines = [count_lines(path, tree) for path, tree in trees.items()]
    code, docstring, comment = (sum(column) for column in zip(*lines, strict=True))
    found: dict[str, Any] = {
        "files": len(trees),
        "code_lines": code,
        "functions": len(names),
        "one_word_names": round(sum("_" not in name for name in names) / len(names), 3),
        "participle_names": round(sum(name.split("_")[0] in PARTICIPLES for name in names) / len(names), 3),
        "docstring_lines_per_code_line": round(docstring / code, 3),
        "comment_lines_per_code_line": round(comment / code, 3),
        "relation_branches": sum(
            count_branches(tree) for path, tree in trees.items() if path.parent.name != "relations"
        ),
    }
    return found | ({"files_entered": count_entered()} if enter else {})


def list_names(tree: ast.Module) -> list[str]:
    """Return the names of functions and methods without properties and dunders."""
    names = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("__"):
            continue
        decorators = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
        if not decorators & {"property", "cached_property", "setter"}:
            names.append(node.name.strip("_"))
    return [name for name in names if name]


def count_lines(path: Path, tree: ast.Module) -> tuple[int, int, int]:
    """Return the lines of code, of docstrings and of comments of a file."""
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            docstrings.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    source = path.read_text(encoding="utf-8")
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    code: set[int] = set()
    comments = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in skipped:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings), len(docstrings), len(comments - code)


def count_branches(tree: ast.Module) -> int:
    """Return the number of comparisons with an attribute ``relation``."""
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            found += any(isinstance(part, ast.Attribute) and part.attr == "relation" for part in parts)
    return found


def count_entered() -> int:
    """Return how many files of the package a check of one site enters."""
    command = [sys.executable, "-c", ENTER, str(PACKAGE)]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
