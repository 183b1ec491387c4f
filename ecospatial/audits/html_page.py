"""The audit for people: one HTML file in Chinese that needs nothing else and prints on A4; the figures first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2

from ecospatial import model
from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.audits._text import COLOURS, counts, headline, number
from ecospatial.export import _format

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.audits.audit import Audit

# A page with more lines than this for one check is of no use; all of them stand in the other files.
SHOWN_LINES = 200
SHOWN_FEATURES = 6


def render(audit: Audit) -> str:
    """Render the whole page; the same audit gives the same text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"square_metres": _format.square_metres, "text": _format.text, "figure": number}
    rows = _format.records(audit.frame.drop(columns="geometry"))
    figures = [row for row in rows if row["check"] == "target"]
    return environment.get_template("audit.html").render(
        meta={"created": None, "review_number": None} | _format.plain(dict(audit.meta)),
        statuses=STATUSES,
        colours=COLOURS,
        sizes=SIZES,
        headline=headline(audit),
        figures=figures,
        tally=counts(audit, ("target",)),
        agreements=[row for row in rows if row["check"] == "figure"],
        checks=_checks(audit, rows),
        untold=[row | {"label": CHECKS[row["check"]]} for row in rows if _is_untold(row)],
        ledgers=_ledgers(audit),
        layers=_layers(audit),
        shown_lines=SHOWN_LINES,
    )


def save_html(audit: Audit, path: Path) -> None:
    """Write the page straight to ``path``."""
    path.write_text(render(audit), encoding="utf-8", newline="\n")


def _is_untold(row: dict[str, Any]) -> bool:
    return row["status"] == "cannot_tell" and row["check"] not in ("target", "figure")


def _checks(audit: Audit, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each check with its counts and the lines that somebody has to look at."""
    found = []
    for name, label in CHECKS.items():
        if name in ("target", "figure"):
            continue
        own = [row for row in rows if row["check"] == name]
        told = [row | {"features": _few(row["features"])} for row in own if row["status"] in ("fault", "note")]
        if own:
            found.append(
                {
                    "name": name,
                    "label": label,
                    "counts": counts(audit, (name,)),
                    "lines": told[:SHOWN_LINES],
                    "left_out": len(told) - len(told[:SHOWN_LINES]),
                    "met": [row for row in own if row["status"] == "met"],
                }
            )
    return found


def _few(features: str) -> str:
    codes = list(dict.fromkeys(features.split(";")))
    return ";".join(codes[:SHOWN_FEATURES]) + (f" 等 {len(codes)} 个" if len(codes) > SHOWN_FEATURES else "")


def _ledgers(audit: Audit) -> list[dict[str, Any]]:
    """Give each kind as a table of hectares, towns down and classes across, with the ellipsoidal total beside it."""
    found = []
    for kind, table in audit.ledger.groupby("kind", sort=False):
        classes = list(dict.fromkeys(table["class"]))
        cells = table.set_index(["unit", "class"])
        lines = [
            {
                "unit": unit,
                "hectares": [_hectares(cells.loc[(unit, name), "area_ha"]) for name in classes],
                "ellipsoidal": _hectares(cells.loc[(unit, classes[-1]), "area_ellipsoidal_ha"]),
            }
            for unit in dict.fromkeys(table["unit"])
        ]
        found.append({"label": model.KINDS[str(kind)].label, "classes": classes, "lines": lines})
    return found


def _hectares(value: float) -> str:
    # Six decimals are whole steps of 0.01 m2; an empty cell is easier to see as a plain nought.
    return f"{value:,.6f}" if value else "0"


def _layers(audit: Audit) -> list[dict[str, Any]]:
    rows = _format.records(audit.layers.reset_index())
    for row in rows:
        row["status_label"] = model.STATUS_LABELS.get(row["status"] or "", "")
        row["present_label"] = model.PRESENT_LABELS.get(row["present"] or "", row["present"])
    return rows
