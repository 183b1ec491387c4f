"""What the command line of ecospatial answers, on screen and in files, as digests; for hash_outputs.py."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import made_inputs
import numpy as np

import ecospatial as es

if TYPE_CHECKING:
    from pathlib import Path

    from digests import Digests

ON = "2026-11-20"
EVERY_OPTION = {"changzhou-zhonglou", "made"}
HELP = (
    "", "check", "report", "map", "audit", "base-map", "network", "sewers", "raster", "raster zonal", "raster change",
    "plan", "plan list", "plan show", "plan validate", "plan new", "plan import", "rules", "rules list", "rules show",
    "rules lint", "rules coverage",
)  # fmt: skip


class Shell:
    """The command line, run in one folder; every run adds what it prints and the code it ends with."""

    def __init__(self, folder: Path, digests: Digests) -> None:
        self.folder = folder
        self.digests = digests
        dropped = {"TIANDITU_KEY", "NO_COLOR", "FORCE_COLOR"}
        self._environment = {name: value for name, value in os.environ.items() if name not in dropped}
        self._environment |= {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}

    def run(self, key: str, *arguments: str | Path, answers: str = "", out: str = "") -> None:
        """Run a command; with ``out``, the name of a new folder, it writes there and its files are hashed too."""
        words = [str(word) for word in arguments] + (["--out", str(self.folder / out)] if out else [])
        ended = subprocess.run(
            [sys.executable, "-m", "ecospatial", *words],
            input=answers.encode(),
            capture_output=True,
            check=False,
            env=self._environment,
            cwd=self.folder,
        )
        if b"Traceback" in ended.stderr:
            raise RuntimeError(f"{words}\n{ended.stderr.decode()}")
        self.digests.add(f"{key}/(code)", str(ended.returncode))
        self.digests.add(f"{key}/(stdout)", ended.stdout)
        self.digests.add(f"{key}/(stderr)", ended.stderr)
        target = self.folder / out
        if out and target.is_dir():
            self.digests.add_folder(key, target)
        elif out and target.is_file():
            self.digests.add_file(f"{key}/{out}", target)


def hash_commands(plan: es.Plan, name: str, folder: Path, digests: Digests) -> None:
    """Add what each command answers about a plan; ``name`` is what the command line knows it by."""
    folder.mkdir()
    shell = Shell(folder, digests)
    sites = made_inputs.draw_sites(plan, 1200)
    sites.head(30).to_file(folder / "sites.geojson", driver="GeoJSON")
    sites.head(10).to_file(folder / "ten.geojson", driver="GeoJSON")
    sites.iloc[30:34].to_file(folder / "four.geojson", driver="GeoJSON")
    sites.head(700).to_parquet(folder / "first.parquet")
    sites.tail(500).to_parquet(folder / "second.parquet")
    facts = "site_id,stores_hazardous,national_key_project\nP000040,是,否\nP000041,,是\n"
    (folder / "facts.csv").write_text(facts, encoding="utf-8")
    sites.iloc[40:44][["site_id", "geometry"]].to_file(folder / "bare.geojson", driver="GeoJSON")
    _hash_checks(shell, name)
    _hash_studies(shell, name)
    if plan.name in EVERY_OPTION:
        _hash_options(shell, name)
    if any(layer.kind == "land_cover" for layer in plan.layers.values()):
        _hash_grids(shell, name, made=plan.name == "made")


def _hash_checks(shell: Shell, name: str) -> None:
    """Add checks on screen, into files of every format and in parts, and a page of the plan."""
    given = ("check", "--plan", name, "--on", ON)
    shell.run("check", *given, "sites.geojson")
    formats = "html,map,gpkg,json,xlsx,dxf,shp,txt"
    shell.run("check-files", *given, "ten.geojson", "--format", formats, out="check-files")
    parts = ("first.parquet", "second.parquet", "--format", "parquet", "--part-rows", "500")
    shell.run("check-parts", *given, *parts, out="check-parts")
    shell.run("check-four", *given, "four.geojson", "--format", "json,gpkg,docx", out="four")
    shell.run("map-page", "map", "--plan", name, "--sites", "sites.geojson", out="page.html")
    shell.run("map-towns", "map", "--plan", name, "--each", "town", "--format", "html", out="towns")


def _hash_options(shell: Shell, name: str) -> None:
    """Add checks with other options and answers typed in, reports written again, sheets, and maps of sites."""
    given = ("check", "--plan", name, "--on", ON)
    shell.run("check-json", *given, "sites.geojson", "--format", "json")
    shell.run("check-worst", *given, "first.parquet", "--format", "parquet", "--at-least", "restricted", out="worst")
    shell.run("check-each", *given, "four.geojson", "--each", "--format", "html", out="check-each")
    options = ("--activity", "化工", "--works", "new", "--facts", "facts.csv", "--fail-on", "restricted")
    shell.run("check-options", *given, "bare.geojson", *options)
    shell.run("check-ask", *given, "bare.geojson", "--ask", answers="C26\nnew\n是\n\n否\n" * 4)
    shell.run("report", "report", "four/findings.json", "--plan", name, "--format", "html,map,xlsx,docx", out="r1")
    shell.run("report-alone", "report", "four/findings.gpkg", "--format", "html,json", out="r2")
    _write_template(shell.folder / "template.docx")
    template = ("--template", "template.docx", "--format", "docx")
    shell.run("report-template", "report", "four/findings.json", *template, out="r3")
    shell.run("map-sheet", "map", "--plan", name, "--paper", "a4", out="sheet.png")
    shell.run("map-sites", "map", "--plan", name, "--on", ON, "--sites", "four.geojson", out="site-maps")


def _hash_studies(shell: Shell, name: str) -> None:
    """Add the audit, base maps, rivers, sewers, and what is said of the plan and its rules."""
    shell.run("audit", "audit", "--plan", name, "--on", ON, out="audit")
    project = ("--activity", "C26", "--works", "new", "--fact", "discharges_to_water=是")
    shell.run("base-map", "base-map", "--plan", name, "--on", ON, *project, out="base-map")
    formats = ("--format", "gpkg,xlsx,map,json")
    shell.run("network", "network", "--plan", name, "--on", ON, "--sites", "four.geojson", *formats, out="network")
    sewers = ("--litres-per-head", "160", "--min-slope", "0.001")
    shell.run("sewers", "sewers", "--plan", name, "--on", ON, *sewers, *formats, out="sewers")
    shell.run("plan-show", "plan", "show", name)
    shell.run("rules-list", "rules", "list", "--plan", name, "--on", ON)
    shell.run("rules-lint", "rules", "lint", "--plan", name)
    shell.run("rules-coverage", "rules", "coverage", "--plan", name)
    if "/" in name:
        shell.run("plan-validate", "plan", "validate", name)


def _hash_grids(shell: Shell, name: str, *, made: bool) -> None:
    """Add statistics of zones and changes between two dates; of the made plan also of a slope."""
    given = ("--plan", name, "--on", ON)
    shell.run("raster-zonal", "raster", "zonal", *given, "--target", "tree_cover>=20%", out="zonal")
    shell.run("raster-change", "raster", "change", *given, "--format", "html,map,gpkg,csv,json", out="changes")
    if made:
        shell.run("raster-slope", "raster", "zonal", *given, "--layer", "slope", "--zones", "town,eco_redline")
        shell.run("raster-file", "raster", "zonal", *given, "--file", "four.geojson", "--skip-bad", out="zonal-file")
        shell.run("raster-small", "raster", "change", *given, "--min-patch", "100", "--tolerance", "0")


def hash_shared(folder: Path, tree: Path, digests: Digests) -> None:
    """Add what belongs to no plan: help, packs, recipes, a plan that is made and filled, and refused calls."""
    shell = Shell(folder, digests)
    digests.add("names", sorted(es.__all__))
    for words in HELP:
        shell.run(f"help/{words}", *words.split(), "--help")
    shell.run("plan-list", "plan", "list")
    shell.run("rules-list", "rules", "list", "--on", ON)
    shell.run("rules-lint", "rules", "lint")
    for rule in ("TH30-6", "FM35", "NO-SUCH"):
        shell.run(f"rules-show/{rule}", "rules", "show", rule)
    recipes = tree / "maps"
    shell.run("gallery", "map", "--recipes", recipes, "--format", "html", out="gallery")
    shell.run("recipe-page", "map", recipes / "zhonglou-verdicts.yaml", out="recipe.html")
    shell.run("recipe-sheet", "map", recipes / "zhonglou-verdicts.yaml", "--paper", "a4", out="recipe.png")
    for name in es.list_plans():
        plan, examples = tree / "layers" / name, tree / "layers" / name / "examples"
        shell.run(f"validate/{name}", "plan", "validate", plan)
        options = ("--plan", name, "--on", ON, "--facts", examples / "facts.csv", "--format", "map,json,gpkg")
        for file in ("sites.txt", "sites.xlsx", "sites.zip"):
            if (examples / file).exists():
                shell.run(f"examples/{name}/{file}", "check", examples / file, *options, out=f"{name}-{file[6:]}")
    _hash_import(shell)
    _hash_refusals(shell)


def _hash_import(shell: Shell) -> None:
    """Add the plan that ``plan new`` and ``plan import`` make, file by file."""
    source, target = made_inputs.write_plan(shell.folder / "source"), shell.folder / "new"
    district = ("--district", source / "district.geojson")
    shell.run("plan-new", "plan", "new", target, "--crs", "EPSG:4549", "--title", "新规划", *district)
    source_words = ("--publisher", "测试局", "--title", "测试", "--retrieved", ON, "--licence", "Apache-2.0")
    known = ("--coverage", "district", "--accuracy", "5", "--status", "official", *source_words)
    for kind in ("control_zone", "bank_line", "urban_boundary"):
        file = source / f"{kind}.geojson"
        shell.run(f"import/{kind}", "plan", "import", file, "--kind", kind, "--plan", target, *known)
    bare = ("plan", "import", source / "eco_redline.geojson", "--kind", "eco_redline", "--plan", target)
    shell.run("import/bare", *bare)
    shell.run("import/again", *bare)
    grid = made_inputs.write_grid(shell.folder / "slope.tif", np.arange(1200, dtype=np.float32).reshape(30, 40), -1)
    dated = ("--kind", "slope", "--plan", target, "--date", "2025-06-01")
    shell.run("import/grid", "plan", "import", grid, *dated, *known)
    shell.run("import/seal", "plan", "validate", target, "--seal")
    shell.run("import/show", "plan", "show", target)
    square = "POLYGON((500300 3522200,500500 3522200,500500 3522400,500300 3522400,500300 3522200))"
    project = ("--plan", target, "--on", ON, "--activity", "K70", "--works", "new")
    shell.run("import/check", "check", "--wkt", square, *project)
    shell.digests.add_folder("import/files", target)


def _hash_refusals(shell: Shell) -> None:
    """Add what is said of calls and files that can not be used."""
    folder, plan = shell.folder, ("--plan", "changzhou-zhonglou", "--on", ON)
    (folder / "empty.csv").write_text("site_id,wkt\n", encoding="utf-8")
    (folder / "text.csv").write_text("site_id,wkt\n1,POLYGON((1 2\n2,\n", encoding="utf-8")
    (folder / "broken.geojson").write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    calls: dict[str, tuple[str | Path, ...]] = {
        "no-plan": ("check", "empty.csv", "--plan", "no-such-plan"),
        "no-file": ("check", "no-such.txt", *plan),
        "empty": ("check", "empty.csv", *plan),
        "text": ("check", "text.csv", *plan),
        "broken": ("check", "broken.geojson", *plan),
        "wkt": ("check", "--wkt", "POLYGON((0 0", *plan),
        "far": ("check", "--wkt", "POLYGON((0 0,1 0,1 1,0 0))", *plan),
        "activity": ("check", "--wkt", "POINT(480000 3518000)", *plan, "--activity", "制造"),
        "day": ("check", "--wkt", "POINT(480000 3518000)", "--plan", "changzhou-zhonglou", "--on", "2026-13-40"),
        "format": ("check", "--wkt", "POINT(480000 3518000)", *plan, "--format", "psd"),
        "point": ("check", "--wkt", "POINT(480000 3518000)", *plan, "--activity", "C26", "--works", "new"),
        "command": ("chek",),
        "option": ("audit", "--plan", "changzhou-zhonglou", "--no-such-option"),
        "report": ("report", "broken.geojson", "--out", "nowhere"),
        "recipe": ("map", "no-such.yaml"),
        "version": ("--version",),
    }
    for key, words in calls.items():
        shell.run(f"refused/{key}", *words)


def _write_template(path: Path) -> None:
    """Write a Word template that names what a bureau's report can show."""
    import docx

    document = docx.Document()
    document.add_paragraph("{{ meta.title }} {{ meta.on }} {{ crs }} {{ notices|join('；') }}")
    document.add_paragraph(
        "{% for site in sites %}{{ site.site_id }} {{ site.headline }} {{ site.waiting }} {{ site.n_open }}"
        " {{ site.area_text }}{% for one in site.conflicts %} {{ one.label }} {{ one.certainty }} {{ one.advice }}"
        "{% endfor %}{% for one in site.open %} {{ one.label }} {{ one.open_by }}{% endfor %};{% endfor %}"
    )
    document.add_paragraph("{% for entry in plan_open %}{{ entry.what }} {{ entry.who }};{% endfor %}")
    document.save(str(path))
