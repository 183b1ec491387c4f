"""The package as it is handed on: what the wheel holds, and the main job from a wheel and in place.

Both installs go into an environment of their own, outside the checkout, with nothing in it but what setup.cfg
asks for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from project_paths import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "layers" / "changzhou-zhonglou" / "examples"
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", ".*_cache", "__pycache__", ".hypothesis", ".coverage*"),
    *("*.egg-info", "build", "dist", "out"),
)
BIN = "Scripts" if os.name == "nt" else "bin"


def run(*command, cwd):
    """Run a command as if from a fresh console: not in the checkout, and nothing of it on Python's path."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "COV_"))}
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("tree") / "ecospatial-copy", ignore=NOT_COPIED))


@pytest.fixture(scope="module")
def built(tree, tmp_path_factory):
    """Folder with the sdist and the wheel that was built from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "build", "--outdir", folder, tree, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Folder of the programs of an environment that holds the wheel, what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    run(folder / BIN / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return folder / BIN


def install(environment, *what):
    run(environment / "python", "-m", "pip", "install", "--quiet", "--no-deps", *what, cwd=environment)


def where_imported(environment, cwd):
    code = "import ecospatial; print(ecospatial.__file__)"
    return Path(run(environment / "python", "-c", code, cwd=cwd).strip()).resolve()


def main_job(environment, cwd):
    """Check the example sites in a folder that holds nothing else; give the document and the files."""
    for name in ("sites.txt", "facts.csv"):
        shutil.copy(EXAMPLES / name, cwd)
    day = (EXAMPLES / "day.txt").read_text(encoding="utf-8").strip()
    command = [environment / "ecospatial", "check", "sites.txt", "--facts", "facts.csv", "--on", day]
    options = ["--plan", "changzhou-zhonglou", "--out", "result", "--format", "html,map,gpkg,json"]
    run(*command, *options, cwd=cwd)
    written = {path.name: path.stat().st_size for path in (cwd / "result").iterdir()}
    return json.loads((cwd / "result" / "findings.json").read_text(encoding="utf-8")), written


def check_result(document, written):
    assert set(written) == {"report.html", "map.html", "findings.gpkg", "findings.json"}
    assert min(written.values()) > 1000
    assert document["meta"]["plan"] == "changzhou-zhonglou"
    assert "sites.txt" in [entry["file"] for entry in document["meta"]["inputs"]]
    rule_ids = {finding["rule_id"] for finding in document["findings"]}
    assert len(document["findings"]) == len(document["sites"]) * len(rule_ids)
    # The layers came along and are intact: something was measured and decided.
    assert {"prohibited", "clear"} <= {finding["verdict"] for finding in document["findings"]}


def in_wheel(path):
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def expected_in_wheel(tree):
    """Every file of the package, of layers/ and of maps/, and nothing else."""
    places = {"ecospatial": "ecospatial", "layers": "ecospatial/data/layers", "maps": "ecospatial/data/maps"}
    return {
        (PurePosixPath(place) / path.relative_to(tree / folder).as_posix()).as_posix()
        for folder, place in places.items()
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }


def test_the_wheel_holds_the_package_the_layers_and_the_maps_only(wheel, tree):
    names = in_wheel(wheel)
    assert names == expected_in_wheel(tree)
    assert {
        "ecospatial/py.typed",
        "ecospatial/findings.schema.json",
        "ecospatial/data/layers/packs/taihu.yaml",
        "ecospatial/data/layers/changzhou-zhonglou/plan.yaml",
        "ecospatial/data/layers/changzhou-zhonglou/examples/sites.zip",
    } <= names


def test_a_wheel_from_the_checkout_is_the_same_as_one_from_the_sdist(wheel, tree, tmp_path):
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, tree, cwd=tmp_path)
    (direct,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(direct) as ours, zipfile.ZipFile(wheel) as theirs:
        names = in_wheel(direct)
        assert names == in_wheel(wheel)
        assert [name for name in sorted(names) if ours.read(name) != theirs.read(name)] == []


def test_the_sdist_holds_what_is_needed_to_work_on_it(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "LICENSE", "README.md", "README.zh.md", "CHANGELOG.md", "docs/interface.md"} <= names
    assert {"scripts/test.py", "tests/repository/test_install.py", "layers/packs/taihu.yaml"} <= names


def test_a_wheel_in_an_empty_environment_does_the_main_job(environment, wheel, tmp_path):
    install(environment, "--force-reinstall", wheel)
    assert environment.parent.resolve() in where_imported(environment, tmp_path).parents
    check_result(*main_job(environment, tmp_path))


def test_an_editable_install_does_the_main_job(environment, tree, tmp_path):
    install(environment, "--editable", tree)
    assert where_imported(environment, tmp_path) == (tree / "ecospatial" / "__init__.py").resolve()
    check_result(*main_job(environment, tmp_path))
