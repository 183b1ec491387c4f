"""Findings as files: write them in any format, read them again from GeoPackage, JSON or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial.export.gpkg import load_gpkg
from ecospatial.export.json import document_text, load_json
from ecospatial.export.registry import add_timestamp, list_formats, require_formats, write_format, write_result
from ecospatial.results import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from ecospatial.export._schema import Tables

DEFAULT_FORMATS = tuple(require_formats("Findings", None))
FORMATS = list_formats("Findings")


def json_text(findings: Findings, *, timestamp: bool = False) -> str:
    """Give the JSON document as text: one line per site, rule, layer and finding.

    Parameters
    ----------
    findings
        What ``check`` returned.
    timestamp
        Whether to note the time; without it the same findings give the same text.
    """
    return document_text(add_timestamp(findings) if timestamp else findings)


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
    return write_format(findings, path, "html")


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
    return write_format(findings, path, "json")


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
    return write_format(findings, path, "gpkg")


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
        ``frame``, ``summary``, ``sites``, ``rules``, ``layers`` and ``meta``, as ``Findings`` has them.

    Raises
    ------
    SiteError
        The file is not such a file, or is damaged.
    """
    if Path(path).is_dir():
        from ecospatial.export.parquet import load_parts

        return load_parts(Path(path))
    return read_gpkg(path) if Path(path).suffix.lower() == ".gpkg" else read_json(path)


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
    return write_result(findings, folder, formats=formats, timestamp=timestamp, template=template)


def read_findings(path: str | PathLike[str]) -> Findings:
    """Read findings again: ``findings.json``, ``findings.gpkg``, or a folder of Parquet parts; without the plan.

    Raises
    ------
    SiteError
        The file is not one that ``Findings.write`` left.
    """
    return Findings(**read(path), plan=None)
