"""Findings as files and tables: pages, documents, books, data; GeoPackage and JSON are read again.

Everything written lies under a temporary name until all of it is whole.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial import maps
from ecospatial.errors import Problem, SiteError
from ecospatial.export._outputs import Output, write_outputs
from ecospatial.export._schema import Tables
from ecospatial.export.gpkg import load_gpkg, save_gpkg
from ecospatial.export.html import save_html
from ecospatial.export.json import document_text, load_json, save_json
from ecospatial.export.summary import notebook_html, plan_lines, summary_text, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Protocol

    from ecospatial.checks import Findings

    class Saver(Protocol):
        """Writes findings to a path that does not exist yet."""

        def __call__(self, findings: Findings, path: Path, /) -> None: ...


__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "Tables",
    "json_text",
    "notebook_html",
    "plan_lines",
    "read",
    "read_gpkg",
    "read_json",
    "summary_text",
    "table",
    "write",
    "write_gpkg",
    "write_html",
    "write_json",
]

DEFAULT_FORMATS = ("html", "map", "gpkg", "json")


def _save_map(findings: Findings, path: Path) -> None:
    path.write_text(maps.to_html(maps.draw(findings)), encoding="utf-8", newline="\n")


def _later(module: str, name: str) -> Saver:
    """Give a writer whose libraries are loaded when it is used, so that a check without it starts at once."""

    def save(findings: Findings, path: Path, /) -> None:
        getattr(import_module(f"ecospatial.export.{module}"), name)(findings, path)

    return save


_WRITERS: Mapping[str, tuple[str, Saver]] = {
    "html": ("report.html", save_html),
    "map": ("map.html", _save_map),
    "gpkg": ("findings.gpkg", save_gpkg),
    "json": ("findings.json", save_json),
    "xlsx": ("findings.xlsx", _later("xlsx", "save_xlsx")),
    "docx": ("report.docx", _later("docx", "save_docx")),
    "pdf": ("report.pdf", _later("pdf", "save_pdf")),
    "dxf": ("conflicts.dxf", _later("cad", "save_dxf")),
    "shp": ("conflicts.zip", _later("cad", "save_shapefile")),
    "txt": ("conflicts.txt", _later("cad", "save_survey")),
    "parquet": ("findings", _later("parquet", "save_parts")),
}
FORMATS = tuple(_WRITERS)
DOCUMENTS = ("html", "map", "docx", "pdf")  # made of texts and pictures; the others hold data


def _write_one(findings: Findings, path: str | PathLike[str], save: Saver) -> Path:
    target = Path(path)
    return write_outputs(target.parent, [Output(target.name, partial(save, findings))])[0]


def _stamped(findings: Findings) -> Findings:
    now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    return dataclasses.replace(findings, meta={**findings.meta, "created": now})


def json_text(findings: Findings, *, timestamp: bool = False) -> str:
    """Give the JSON document as text: one line per site, rule, layer and finding.

    Parameters
    ----------
    findings
        What ``check`` returned.
    timestamp
        Whether to note the time; without it the same findings give the same text.
    """
    return document_text(_stamped(findings) if timestamp else findings)


def write_html(findings: Findings, path: str | PathLike[str]) -> Path:
    """Write the Chinese report as one HTML file without any outside reference.

    Parameters
    ----------
    findings
        What ``check`` returned.
    path
        File to write; one of that name is replaced when the new one is whole.

    Raises
    ------
    SiteError
        The place can not be written to.
    """
    return _write_one(findings, path, save_html)


def write_json(findings: Findings, path: str | PathLike[str]) -> Path:
    """Write the JSON document: CGCS2000 longitude, latitude; metres and square metres.

    Parameters
    ----------
    findings
        What ``check`` returned.
    path
        File to write; one of that name is replaced when the new one is whole.

    Raises
    ------
    SiteError
        The place can not be written to.
    """
    return _write_one(findings, path, save_json)


def write_gpkg(findings: Findings, path: str | PathLike[str]) -> Path:
    """Write the GeoPackage with findings, conflicts, sites, rules, layers and meta, in the CRS of the plan.

    Parameters
    ----------
    findings
        What ``check`` returned.
    path
        File to write, ending in ``.gpkg``; one of that name is replaced when the new one is whole.

    Raises
    ------
    SiteError
        The place can not be written to.
    """
    return _write_one(findings, path, save_gpkg)


def read_json(path: str | PathLike[str]) -> Tables:
    """Read a ``findings.json`` into frames, geometries in the CRS of the plan.

    Raises
    ------
    SiteError
        The file is not such a document, or is damaged.
    """
    return load_json(Path(path))


def read_gpkg(path: str | PathLike[str]) -> Tables:
    """Read a ``findings.gpkg`` into frames, geometries in the CRS of the plan.

    Raises
    ------
    SiteError
        The file is not such a GeoPackage, or is damaged.
    """
    return load_gpkg(Path(path))


def read(path: str | PathLike[str]) -> Tables:
    """Read findings again from a ``.gpkg`` or ``.json`` file, or from a folder of Parquet parts.

    Parameters
    ----------
    path
        What ``write_gpkg`` or ``write_json`` left, or the folder of ``findings/part-*.parquet``.

    Returns
    -------
    Tables
        ``frame``, ``summary``, ``sites``, ``rules``, ``layers`` and ``meta``, as ``checking.Findings`` has them.

    Raises
    ------
    SiteError
        The file is not such a file, or is damaged.
    """
    if Path(path).is_dir():
        from ecospatial.export.parquet import load_parts

        return load_parts(Path(path))
    return read_gpkg(path) if Path(path).suffix.lower() == ".gpkg" else read_json(path)


def _known(formats: Sequence[str]) -> list[str]:
    asked = list(dict.fromkeys(formats))
    known = f"可选：{'、'.join(FORMATS)}"
    problems = [Problem("", None, f"没有“{name}”这种输出格式", known) for name in asked if name not in _WRITERS]
    if problems:
        raise SiteError(problems)
    return asked


def write(
    findings: Findings,
    folder: str | PathLike[str],
    *,
    formats: Sequence[str] | None = None,
    timestamp: bool = False,
    template: Path | None = None,
) -> list[Path]:
    """Write findings into a folder, data before documents; a format that can not be made costs only itself.

    Parameters
    ----------
    findings
        What ``check`` returned.
    folder
        Made when absent. Files of the same names are replaced; nothing else in it is touched.
    formats
        Any of ``html`` (report.html), ``map`` (map.html), ``gpkg`` (findings.gpkg), ``json`` (findings.json), these
        four when left out; ``xlsx`` (findings.xlsx), ``docx`` (report.docx), ``pdf`` (report.pdf, printed by a
        browser or LibreOffice of this machine); for designers ``dxf``, ``shp`` (zipped) and ``txt``: conflicts.*;
        ``parquet`` (findings/part-*.parquet; the folder of that name is replaced).
    timestamp
        Whether to note the time of writing; without it the same findings give the same bytes, but for ``pdf``.
    template
        A Word template of your own that ``docx`` is written from (extra ``template``).

    Returns
    -------
    list of Path
        The files, in the order of ``formats``.

    Raises
    ------
    SiteError
        A format is not known (nothing is written), or the folder can not be written to.
    OutputError
        Some formats could not be made (``pdf``: no program here can print one); the others are written.
    """
    asked = _known(DEFAULT_FORMATS if formats is None else [formats] if isinstance(formats, str) else formats)
    if timestamp:
        findings = _stamped(findings)
    outputs = []
    for name in asked:
        file, save = _WRITERS[name]
        made = partial(save, findings)
        if name == "docx" and template is not None:
            made = partial(_fill, findings, template)
        outputs.append(Output(file, made, data=name not in DOCUMENTS))
    put = write_outputs(folder, outputs)
    return [file for path in put for file in (sorted(path.glob("part-*.parquet")) if path.is_dir() else [path])]


def _fill(findings: Findings, template: Path, path: Path) -> None:
    from ecospatial.export.docx_template import fill

    fill(findings, template, path)
