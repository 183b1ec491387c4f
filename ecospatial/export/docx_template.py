"""A bureau's own Word template, filled in by docxtpl (extra ``template``) in a sandbox."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from pyproj import CRS

from ecospatial import model
from ecospatial.errors import EcospatialError, Problem, SiteError
from ecospatial.export import _format
from ecospatial.export._context import (
    DECISIVE,
    layer_rows,
    left_out_rows,
    plan_open_rows,
    rule_rows,
    site_rows,
    skipped,
)
from ecospatial.export._docx import timeless
from ecospatial.export.advice import advice
from ecospatial.export.figures import pictures
from ecospatial.maps.print.extent import crs_words

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.checks import Findings

MAP_MM = 160
MOST_BYTES = 50_000_000


def _clean(value: Any) -> Any:
    """Give values with every text cleaned, lists and mappings included."""
    if isinstance(value, str):
        return _format.printable(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def context(findings: Findings) -> dict[str, Any]:
    """Give what a template can name.

    ``meta``, ``notices``, ``crs``, ``sites``, ``rules``, ``layers``, ``skipped``, ``verdicts``, ``headlines``,
    ``plan_open`` (what, who, rules) and ``left_out`` (what, because, who, rules). Each of ``sites`` has ``site_id``,
    ``site_name``, ``headline`` (with the word of certainty), ``waiting``, ``n_open``, ``n_missing``, ``area_m2``,
    ``area_text``, ``given`` (label and value), ``conflicts``, ``open`` and ``duties`` (findings with ``label``,
    ``rule_id``, ``rule_title``, ``instrument``, ``article``, ``reason``, ``certainty`` (a word), ``reliability`` (a
    sentence), ``open_by`` (a word), measures, ``advice``), ``ask`` (what, who) and ``corners`` (name, x, y, lon, lat).
    """
    rules = {row["rule_id"]: row for row in reversed(rule_rows(findings))}
    sites = []
    for site in site_rows(findings):
        every = [one for row in site["rows"] for one in (row["rules"] or [row])]
        rows = [_finding(row, rules) for row in every]
        sites.append(
            {key: value for key, value in site.items() if key not in ("rows", "passed", "corners", "of_plan")}
            | {
                "headline": site["answer"],
                "area_text": _format.square_metres(site["area_m2"]) if site["area_m2"] else "",
                "given": [{"label": label, "value": value} for label, value in site["given"]],
                "conflicts": [row for row in rows if row["verdict"] in DECISIVE],
                "open": [row for row in rows if row["verdict"] not in DECISIVE],
                "duties": [_finding(row, rules) for row in site["duties"]],
                "corners": [
                    {"name": corner.name, "x": corner.x, "y": corner.y, "lon": corner.lon, "lat": corner.lat}
                    for ring in site["corners"].rings
                    for corner in ring.corners
                ],
            }
        )
    meta = _format.plain(dict(findings.meta))
    found = {
        "meta": meta, "notices": list(meta.get("notices", [])), "crs": crs_words(CRS(findings.sites.crs)),
        "sites": sites, "rules": list(rules.values()), "layers": layer_rows(findings),
        "skipped": skipped(findings.meta), "verdicts": [verdict.label for verdict in model.VERDICTS.values()],
        "headlines": [headline.label for headline in model.HEADLINES.values()],
        "plan_open": plan_open_rows(findings), "left_out": left_out_rows(findings),
    }  # fmt: skip
    return dict(_clean(found))


def _finding(row: dict[str, Any], rules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give a finding with the words that a template shows."""
    return row | {
        "label": _format.verdict_label(row["verdict"]),
        "certainty": row["certainty_label"],
        "open_by": row["open_by_label"],
        "advice": advice(row, rules.get(row["rule_id"], {})),
    }


def fill(findings: Findings, template: Path, path: Path) -> None:
    """Fill a template and write it straight to ``path``; each of ``sites`` also has ``map``, a picture.

    Raises
    ------
    EcospatialError
        docxtpl is not installed.
    SiteError
        The template can not be read, names something unknown, or does what a template must not.
    """
    try:
        import docxtpl
    except ImportError as error:
        hint = '请安装：pip install "ecospatial[template]"'
        raise EcospatialError(Problem(template.name, None, "没有安装 docxtpl，不能使用模板", hint)) from error
    import jinja2
    from docx.shared import Mm
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = docxtpl.DocxTemplate(io.BytesIO(_read(template)))
    told, drawn = context(findings), pictures(findings)
    told["notices"] += drawn.notices
    for site in told["sites"]:
        found = drawn.pictures.get(site["site_id"])
        why = drawn.failed.get(site["site_id"], drawn.problem)
        site["map"] = docxtpl.InlineImage(made, io.BytesIO(found[0]), width=Mm(MAP_MM)) if found else why
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=jinja2.StrictUndefined)
    written = io.BytesIO()
    try:
        made.render(told, jinja_env=environment, autoescape=True)
        made.save(written)
    except jinja2.TemplateError as error:
        place = getattr(error, "lineno", None)
        hint = "请对照 docs 中模板可用的名称修改模板"
        raise SiteError(Problem(template.name, place, f"模板不能填写：{error}", hint)) from error
    path.write_bytes(timeless(written.getvalue()))


def _read(template: Path) -> bytes:
    wrong = Problem(template.name, None, "不是 Word 模板（.docx）", "请用 Word 另存为 .docx")
    try:
        content = template.read_bytes() if template.stat().st_size <= MOST_BYTES else b""
    except OSError as error:
        raise SiteError(Problem(template.name, None, "模板无法读取", "请检查路径和权限")) from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise SiteError(wrong) from error
    if "word/document.xml" not in sizes or sum(sizes.values()) > 4 * MOST_BYTES:
        raise SiteError(wrong)
    return content
