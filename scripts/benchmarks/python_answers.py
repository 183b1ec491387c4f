"""What the Python door of ecospatial answers about one plan, as digests; for hash_outputs.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import made_inputs
import shapely

import ecospatial as es

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    from digests import Digests

ON = "2026-11-20"
FORMATS = ["html", "map", "gpkg", "json", "xlsx", "dxf", "shp", "txt", "parquet"]  # docx: command_answers.py
LAYER = ("kind", "name", "path", "status", "coverage", "accuracy_m", "sha256", "source")
BY_COLUMN = {"frame", "summary", "sites"}
NEIGHBOURS = {"changzhou-zhonglou": "changzhou-tianning", "made": "made-changed"}


def hash_python(plan: es.Plan, count: int, folder: Path, digests: Digests) -> dict[str, dict[str, int]]:
    """Add the digests of what Python answers about a plan; return how often each verdict and headline came up."""
    sites = made_inputs.draw_sites(plan, count)
    digests.add("sites", sites)
    counts = _hash_check(plan, sites, digests)
    _hash_plan(plan, digests)
    _hash_variants(plan, sites, folder, digests)
    _hash_geometry(plan, sites.head(300), digests)
    _hash_studies(plan, sites.head(30), digests)
    _hash_few_sites(plan, sites.head(50), folder, digests)
    _hash_readers(plan, folder, digests)
    return counts


def attempt(digests: Digests, key: str, answer: Callable[[], Any], *, by_column: bool = False) -> Any:
    """Add the digest of an answer, or of the error that stands in its place, and return the answer or None."""
    try:
        value = answer()
    except (es.EcospatialError, ValueError) as error:
        digests.add(f"{key}!error", f"{type(error).__name__}: {error}")
        return None
    digests.add(key, value, by_column=by_column)
    return value


def add_findings(digests: Digests, key: str, findings: es.Findings, *, by_column: bool = False) -> None:
    """Add the digests of every public table and list of findings."""
    for name in ("frame", "summary", "sites", "rules", "layers", "meta", "plan_open", "left_out", "open"):
        digests.add(f"{key}/{name}", getattr(findings, name), by_column=by_column and name in BY_COLUMN)


def _hash_check(plan: es.Plan, sites: gpd.GeoDataFrame, digests: Digests) -> dict[str, dict[str, int]]:
    """Add the check of all sites, column by column, and return its counts."""
    findings = es.check(sites, plan, on=ON, jobs=1)
    add_findings(digests, "check", findings, by_column=True)
    return {
        "verdicts": findings.frame["verdict"].value_counts(sort=False).to_dict(),
        "certainties": findings.frame["certainty"].value_counts(sort=False).to_dict(),
        "headlines": findings.summary["headline"].value_counts(sort=False).to_dict(),
        "sites": {"all": len(sites), "repaired": int((findings.sites["repair"] != "").sum())},
    }


def _hash_plan(plan: es.Plan, digests: Digests) -> None:
    """Add the plan itself: its layers, the frame of each kind, and its rules on some days."""
    digests.add("plan/identity", [plan.name, plan.title, plan.crs.to_wkt()])
    described = {name: {key: getattr(layer, key) for key in LAYER} for name, layer in plan.layers.items()}
    digests.add("plan/layers", repr(described))
    for kind in sorted({layer.kind for layer in plan.layers.values()}):
        attempt(digests, f"plan/frame/{kind}", lambda kind=kind: plan.frame(kind))
    for on in (ON, "2020-01-01"):
        digests.add(f"plan/rules/{on}", es.read_rules(plan, on=on))


def _hash_variants(plan: es.Plan, sites: gpd.GeoDataFrame, folder: Path, digests: Digests) -> None:
    """Add the check with other days, options, systems and file types, in parts, and against another plan."""
    few = sites.head(150)
    for on in ("2019-06-30", "2030-01-01"):
        add_findings(digests, f"check-on-{on}", es.check(few, plan, on=on))
    add_findings(digests, "check-restricted", es.check(few, plan, on=ON, at_least="restricted"))
    add_findings(digests, "check-only", es.check(few, plan, on=ON, only=["eco_redline", "basic_farmland", "bank_line"]))
    add_findings(digests, "check-threads", es.check(few, plan, on=ON, jobs=2))
    add_findings(digests, "check-degrees", es.check(few.to_crs(4490), plan, on=ON))
    bare = few[["site_id", few.geometry.name]]
    add_findings(digests, "check-bare", es.check(bare, plan, on=ON))
    attempt(digests, "check-empty!", lambda: es.check(few.head(0), plan, on=ON).summary)
    attempt(digests, "check-no-crs!", lambda: es.check(bare.set_crs(None, allow_override=True), plan, on=ON).summary)
    attempt(digests, "check-twice!", lambda: es.check(bare.assign(site_id="same"), plan, on=ON).summary)
    source = folder / "parts.parquet"
    sites.head(1200).to_parquet(source)
    run = es.check_parts(source, plan, folder / "parts", on=ON, part_rows=500, jobs=1)
    named = ("sites", "findings", "headlines", "certainties", "verdicts", "decided", "meta", "plan_open", "left_out")
    for name in named:
        digests.add(f"parts/{name}", getattr(run, name))
    digests.add_folder("parts/files", folder / "parts")
    again = es.read_findings(folder / "parts")
    add_findings(digests, "parts/read", again)
    other = folder.parent / "made-changed" if plan.name == "made" else None
    if other is not None:
        made_inputs.write_plan(other, name="made-changed", shift=70)
    neighbour = es.open_plan(other or NEIGHBOURS.get(plan.name, "changzhou-zhonglou"))
    attempt(digests, "compare", lambda: es.compare(plan, neighbour, few, on=ON), by_column=True)


def _hash_geometry(plan: es.Plan, sites: gpd.GeoDataFrame, digests: Digests) -> None:
    """Add shared areas, corridors and land balances with the plan's own layers."""
    areas = sites[shapely.get_dimensions(sites.geometry.to_numpy()) == 2].set_index("site_id")
    areas = areas[areas.is_valid]
    held = sorted({layer.kind for layer in plan.layers.values()})
    for kind in ("control_zone", "basic_farmland", "urban_boundary", "town"):
        if kind in held:
            attempt(digests, f"overlap/{kind}", lambda kind=kind: es.overlap(areas, plan.frame(kind)))
    for kind in ("river_centreline", "bank_line"):
        for side in ("both", "left"):
            key = f"corridor/{kind}/{side}"
            attempt(digests, key, lambda kind=kind, side=side: es.corridor(plan.frame(kind), 150, side=side))
    for kind in ("territorial_space", "town", "urban_boundary"):
        if kind in held:
            _hash_balance(plan, kind, digests)


def _hash_balance(plan: es.Plan, kind: str, digests: Digests) -> None:
    """Add the balance of a kind against itself 60 m further east, by the name of the class."""
    try:
        old = plan.frame(kind)
    except es.PlanError:
        return
    new = old.set_geometry(old.geometry.translate(60, 0))
    by = {"territorial_space": "space", "town": "feature_name", "urban_boundary": "feature_id"}[kind]
    for given in (by, None):
        try:
            balance = es.land_balance(old, new, by=given, kind=kind)
        except es.EcospatialError as error:
            digests.add(f"balance/{kind}/{given}!error", str(error))
            continue
        for name in ("matrix", "pieces", "moved"):
            digests.add(f"balance/{kind}/{given}/{name}", getattr(balance, name))


def _hash_studies(plan: es.Plan, few: gpd.GeoDataFrame, digests: Digests) -> None:
    """Add the audit, base maps, rivers and sewers; their files: command_answers.py."""
    audit = es.audit(plan, on=ON)
    for name in ("frame", "ledger", "layers", "meta"):
        digests.add(f"audit/{name}", getattr(audit, name), by_column=name in {"frame", "ledger"})
    for check in (None, "overlap", "figure"):
        attempt(digests, f"audit/table/{check}", lambda check=check: _show(audit.table(check)))
    digests.add("audit/map", _render(audit.map()))
    projects: dict[str, dict[str, Any]] = {
        "any": {},
        "chemical": {"activity": "C26", "works": "new", "land_use": "1001", "facts": {"discharges_to_water": True}},
    }
    for name, project in projects.items():
        attempt(digests, f"base-map/{name}", lambda given=project: es.base_map(plan, on=ON, **given), by_column=True)
    _hash_study("rivers", lambda: es.rivers(plan, on=ON, sites=few), digests)
    accident = few.head(1)
    attempt(digests, "rivers-accident", lambda: es.rivers(plan, on=ON, accident=accident, speed_m_s=0.4).json())
    _hash_study("sewers", lambda: es.sewers(plan, on=ON, litres_per_head_d=150, min_slope=0.001), digests)


def _hash_study(name: str, answer: Callable[[], es.WaterStudy], digests: Digests) -> None:
    """Add the tables, texts and map of a study, or why there is none."""
    try:
        study = answer()
    except es.EcospatialError as error:
        digests.add(f"{name}!error", str(error))
        return
    for table in study.tables.values():
        digests.add(f"{name}/{table.name}", study.frame(table.name))
        digests.add(f"{name}/{table.name}/shown", [table.title, table.labels, _show(table.shown())])
    digests.add(f"{name}/texts", [study.name, study.title, study.notices, study.text(), study.text(rows=3)])
    digests.add(f"{name}/json", study.json())
    digests.add(f"{name}/map", _render(study.map()))


def _hash_few_sites(plan: es.Plan, few: gpd.GeoDataFrame, folder: Path, digests: Digests) -> None:
    """Add what is drawn and written for single sites: remedies, tables, notebooks, maps, every format, and readers."""
    attempt(digests, "remedies", lambda: es.check(few, plan, on=ON).remedies(within_m=300), by_column=True)
    findings = es.check(few.head(30), plan, on=ON)
    digests.add("few/table", _show(findings.table()))
    for site in few["site_id"].head(5):
        digests.add(f"few/table/{site}", _show(findings.table(site)))
    digests.add("few/notebook", findings._repr_html_())
    digests.add("few/map", _render(findings.map()))
    digests.add("draw/plan", _render(es.draw(plan)))
    digests.add("draw/findings", _render(es.draw(findings)))
    digests.add("draw/sites", _render(es.draw(plan, sites=findings.sites)))
    written = findings.write(folder / "few", formats=FORMATS)
    digests.add("few/written", [path.name for path in written])
    digests.add_folder("few/files", folder / "few")
    for name in ("findings.json", "findings.gpkg", "findings"):
        again = es.read_findings(folder / "few" / name)
        add_findings(digests, f"few/read/{name}", again)
        attempt(digests, f"few/read/{name}/remedies", again.remedies)


def _hash_readers(plan: es.Plan, folder: Path, digests: Digests) -> None:
    """Add sites read again from files of several formats."""
    few = made_inputs.draw_sites(plan, 60)
    few = few[few.geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & few.is_valid]
    files = folder / "readers"
    files.mkdir()
    few.to_file(files / "own.geojson", driver="GeoJSON")
    few.to_crs(4490).to_file(files / "degrees.geojson", driver="GeoJSON")
    few[["site_id", "site_name", "works", "geometry"]].to_file(files / "cut.shp", encoding="utf-8")
    few.to_parquet(files / "own.parquet")
    few.assign(wkt=few.to_wkt()["geometry"]).drop(columns="geometry").to_csv(files / "text.csv", index=False)
    for path in ("own.geojson", "degrees.geojson", "cut.shp", "own.parquet", "text.csv"):
        attempt(digests, f"read/{path}", lambda path=path: es.read_sites(files / path, plan=plan))
    attempt(digests, "read/alone", lambda: es.read_sites(files / "own.geojson"))
    attempt(digests, "read/gcj02", lambda: es.read_sites(files / "degrees.geojson", plan=plan, crs="gcj02"))
    attempt(digests, "read/filled", lambda: es.read_sites(files / "cut.shp", plan=plan, activity="C26", works="new"))
    shift = "12.5,-8.0,0.02,1.00001"
    attempt(digests, "read/shifted", lambda: es.read_sites(files / "cut.shp", plan=plan, four_params=shift))


def _show(table: Any) -> Any:
    """Return what a table shows: its frame, its own HTML, or itself."""
    import pandas as pd

    if isinstance(table, pd.DataFrame | list | tuple | str):
        return table
    return {name: getattr(table, name)() for name in ("_repr_html_", "__str__") if hasattr(table, name)}


def _render(drawing: Any) -> str:
    """Return the page of a folium map."""
    return str(drawing.get_root().render())
