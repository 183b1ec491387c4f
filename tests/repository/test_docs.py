"""The documentation does what it says: every block runs, every link leads somewhere, every command is described."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from project_paths import ROOT, SCRIPTS
from readme_blocks import blocks, commands

from ecospatial.cli import cli, main

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.glob("*.md"))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
# These have tests of their own, or are made from the code.
ELSEWHERE = {"docs/audit.md", "docs/rivers-and-sewers.md", "docs/files.md", "docs/commands.md", "docs/interface.md"}
DATA = {"text", "", "yaml", "json"}  # not run; a block of bash or Python always is
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
LEFT_OUT = re.compile(r"python -m pip install|python3 scripts/test\.py|ecospatial check .* --ask")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder of a reader: the shipped examples, two layers of the bureau, a shapefile with one red line."""
    import ecospatial as es

    examples = "layers/changzhou-zhonglou/examples"
    shutil.copytree(ROOT / examples, tmp_path / examples)
    shutil.copytree(ROOT / "maps", tmp_path / "maps")
    # The recipes name files beside the folder of the maps.
    plan = es.open_plan("changzhou-zhonglou")
    for kind in ("district", "control_zone"):
        plan.frame(kind).to_file(tmp_path / f"{kind}.gpkg")
    sites = es.read_sites(tmp_path / examples / "sites.txt", plan=plan)
    sites[["site_name", "geometry"]].iloc[[0]].reset_index().to_file(tmp_path / "hongxian.shp", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_every_block_of_a_page_runs(name, folder, capsys):
    namespace: dict[str, object] = {"__name__": "docs"}
    for block in blocks(name):
        if block.word == "file":
            (folder / block.note).write_text(block.code, encoding="utf-8")
        elif block.word == "not run":
            assert all(LEFT_OUT.search(line) for line in commands(block)), f"{name}, line {block.line}"
        elif block.kind == "python":
            exec(compile("\n" * block.line + block.code, name, "exec"), namespace)  # noqa: S102 - our own page
        elif block.kind == "bash":
            for line in commands(block):
                program, *arguments = shlex.split(line, comments=True)
                assert program == "ecospatial", line
                with pytest.raises(SystemExit) as ended:
                    main(arguments)
                assert ended.value.code == 0, f"{line}\n{capsys.readouterr().err}"
        else:
            assert block.kind in DATA, f"{name}, line {block.line}: a block nobody runs"


def test_the_first_page_leaves_a_report(folder):
    for block in blocks("docs/index.md"):
        for line in commands(block) if block.kind == "bash" and block.word is None else []:
            with pytest.raises(SystemExit):
                main(shlex.split(line, comments=True)[1:])
    made = {path.name for path in (folder / "result").iterdir()}
    assert made == {"report.html", "map.html", "report.docx", "findings.xlsx"}


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for found in LINK.finditer(text):
        target, _, anchor = found["target"].partition("#")
        assert not target.startswith("http"), f"{name}: {target}"  # nobody can check it here
        place = (DOCS / target) if target else ROOT / name
        assert place.exists(), f"{name}: {target}"
        if anchor and place.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [name for name in PAGES if f": {Path(name).name}" not in text] == []


def test_every_command_and_option_is_described():
    sys.path.insert(0, str(SCRIPTS / "docs"))
    try:
        made = import_module("build_docs")
    finally:
        sys.path.remove(str(SCRIPTS / "docs"))
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == made.page()
    names = [name for name, _ in made.commands(cli, "ecospatial")]
    assert len(names) >= 15
    assert all(f"\n## {name}\n" in made.page() for name in names)


def test_the_site_is_built_without_a_warning(tmp_path):
    shutil.copytree(DOCS, tmp_path / "docs")
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("paths: [.]", f"paths: ['{ROOT.as_posix()}']")
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    call = [Path(sys.executable).parent / "zensical", "build", "--strict"]
    result = subprocess.run(call, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    api = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    assert "Parameters" in api or "参数" in api
    assert 'id="ecospatial.checks.check.check"' in api
    pages = list((tmp_path / "site").rglob("*.html"))
    outside = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:)?//')
    assert [path.name for path in pages if outside.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path):
    shutil.copytree(ROOT / "layers" / "changzhou-zhonglou" / "examples", tmp_path / "examples")
    notebook = nbformat.read(path, as_version=4)
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 4
    assert any(output.get("data") for cell in code for output in cell.outputs)
    assert notebook.cells[0].cell_type == "markdown"


def test_there_are_the_six_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]
