"""The report for people: one HTML file in Chinese that needs nothing else and prints on A4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup
from pyproj import CRS

from ecospatial import model
from ecospatial.export import _format
from ecospatial.export._context import (
    CERTAINTY_MEANINGS,
    layer_rows,
    left_out_rows,
    plan_open_rows,
    rule_rows,
    site_rows,
    skipped,
    tally,
)
from ecospatial.export.figures import MOST_MAPS, ReportFigures, drawings
from ecospatial.maps.print.extent import crs_words
from ecospatial.model.open_items import LEFT_OUT_TITLE, PLAN_OPEN_TITLE

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.checks import Findings


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "metres": _format.metres,
        "square_metres": _format.square_metres,
        "mu": _format.mu,
        "hectares": _format.hectares,
        "text": _format.text,
    }
    return environment


def _css_text(value: object) -> Markup:
    """Write a text as a CSS string that can not end the string, the style or the page."""
    found = _format.text(value)
    safe = (letter if letter.isalnum() else f"\\{ord(letter):x} " for letter in found[:60])
    return Markup('"{}"').format(Markup("".join(safe)))  # noqa: S704 - letters, digits and hexadecimal escapes only


def _notices(meta: dict[str, Any], drawn: ReportFigures) -> list[str]:
    """List what stands in red at the head of the report."""
    own = list(meta["notices"])
    return [*own, *drawn.notices]


def render(findings: Findings) -> str:
    """Render the whole page; the same findings give the same text."""
    template, drawn, rules = _environment().get_template("report.html"), drawings(findings), rule_rows(findings)
    meta = {"created": None, "review_number": None, "inputs": [], "notices": []} | _format.plain(dict(findings.meta))
    return template.render(
        meta=meta,
        notices=_notices(meta, drawn),
        running=_css_text(meta.get("title") or meta.get("plan")),
        crs_words=crs_words(CRS(findings.sites.crs)),
        drawn=drawn,
        most_maps=MOST_MAPS,
        verdicts={name: model.VERDICTS[name] for name in reversed(model.VERDICTS)},
        headlines={name: model.HEADLINES[name] for name in reversed(model.HEADLINES)},
        certainties=[(model.CERTAINTIES[name], meaning) for name, meaning in CERTAINTY_MEANINGS.items()],
        plan_open_title=PLAN_OPEN_TITLE,
        plan_open=plan_open_rows(findings),
        left_out_title=LEFT_OUT_TITLE,
        left_out=left_out_rows(findings),
        skipped=skipped(findings.meta),
        tally=tally(findings),
        sites=site_rows(findings),
        layers=layer_rows(findings),
        rules=rules,
        rule_numbers={rule["rule_id"]: number for number, rule in reversed(list(enumerate(rules, start=1)))},
    )


def save_html(findings: Findings, path: Path) -> None:
    """Write the page straight to ``path``; the door of this room does the renaming."""
    path.write_text(render(findings), encoding="utf-8", newline="\n")
