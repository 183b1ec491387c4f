"""The ten lines of design.md in a notebook, on the shipped examples, executed by a real kernel."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from project_paths import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "layers" / "changzhou-zhonglou" / "examples"
CELLS = {
    "plan": 'import ecospatial as es\nplan = es.open_plan("changzhou-zhonglou"); plan',
    "layer": 'plan.frame("control_zone").explore()',
    "sites": 'sites = es.read_sites("红线.txt", plan=plan, facts="项目情况.csv"); sites',
    "findings": 'f = es.check(sites, plan, on="2026-11-20"); f',
    "summary": 'f.summary[["verdict", "decided", "n_no_data"]]',
    "table": "f.table(sites.index[0])",
    "hits": 'f.frame[f.frame.verdict >= "restricted"].explore("rule_id")',
    "overlap": 'es.overlap(sites, plan.frame("control_zone"))',
    "map": "f.map()",
    "write": 'f.write("out", formats=["html", "map", "gpkg", "json"])',
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Execute the notebook once, in a folder that holds only the files of the project."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copy(EXAMPLES / "sites.txt", folder / "红线.txt")
    shutil.copy(EXAMPLES / "facts.csv", folder / "项目情况.csv")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS.values()])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    cells = dict(zip(CELLS, notebook.cells, strict=True))
    return {"folder": folder} | {name: shown(cell) for name, cell in cells.items()}


def shown(cell):
    """Give what stands below a cell as its result, by kind; a cell may say nothing else."""
    assert [entry.output_type for entry in cell.outputs] == ["execute_result"], cell.outputs
    return cell.outputs[0].data


def test_a_plan_shows_itself(outputs):
    page = outputs["plan"]["text/html"]
    assert "钟楼" in page
    assert "control_zone" in page or "生态空间管控区域" in page
    assert "未取得" in page  # what is missing is said


def test_findings_show_themselves(outputs):
    page = outputs["findings"]["text/html"]
    assert "判定不通过" in page
    assert "缺少的图层与待定的依据" in page


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("summary", ["verdict", "decided", "n_no_data", "prohibited"]),
        ("table", ["判定", "规则", "依据", "条款", "说明"]),
        ("overlap", ["left_id", "right_id", "area_m2", "share_left"]),
        ("sites", ["activity", "works"]),
    ],
)
def test_tables_are_shown_with_their_columns(outputs, cell, words):
    page = outputs[cell]["text/html"]
    assert [word for word in words if word not in page] == []


@pytest.mark.parametrize("cell", ["layer", "hits", "map"])
def test_maps_are_shown(outputs, cell):
    assert "leaflet" in outputs[cell]["text/html"].lower()


def test_files_are_written(outputs):
    names = {path.name for path in (outputs["folder"] / "out").iterdir()}
    assert names == {"report.html", "map.html", "findings.gpkg", "findings.json"}
    assert "findings.json" in outputs["write"]["text/plain"]


def test_a_long_check_shows_a_bar_and_a_short_one_does_not(tmp_path):
    cells = [
        'import ecospatial as es\nplan = es.open_plan("changzhou-zhonglou")\nfrom ecospatial.checks import _progress',
        "import geopandas as gpd\nshape = plan.area.representative_point().buffer(50)",
        'site = gpd.GeoDataFrame(geometry=[shape], crs=plan.crs)\nshort = es.check(site, plan, on="2026-11-20")',
        '_progress.AFTER_S = 0.0\nlong = es.check(site, plan, on="2026-11-20")',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[2].outputs == []
    shown = [output.data["text/html"] for output in notebook.cells[3].outputs]
    assert len(shown) == 1
    found = re.search(r"max='(\d+)' value='(\d+)'", shown[0])
    assert found is not None
    assert found[1] == found[2] != "0"  # at its end
