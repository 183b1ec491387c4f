"""Findings as files and tables: pages, documents, books, data; GeoPackage and JSON are read again.

Everything written lies under a temporary name until all of it is whole.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial import maps
from ecospatial.errors import Problem, SiteError
from ecospatial.report.document import document_text, load_json, save_json
from ecospatial.report.frames import Tables
from ecospatial.report.geopackage import load_gpkg, save_gpkg
from ecospatial.report.page import save_html
from ecospatial.report.tables import notebook_html, summary_text, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike
    from typing import Protocol

    from ecospatial.checking import Findings

    class Saver(Protocol):
        """Writes findings to a path that does not exist yet."""

        def __call__(self, findings: Findings, path: Path, /) -> None: ...


__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "Tables",
    "json_text",
    "notebook_html",
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
        getattr(import_module(f"ecospatial.report.{module}"), name)(findings, path)

    return save


_WRITERS: Mapping[str, tuple[str, Saver]] = {
    "html": ("report.html", save_html),
    "map": ("map.html", _save_map),
    "gpkg": ("findings.gpkg", save_gpkg),
    "json": ("findings.json", save_json),
    "xlsx": ("findings.xlsx", _later("workbook", "save_xlsx")),
    "docx": ("report.docx", _later("word", "save_docx")),
    "pdf": ("report.pdf", _later("printing", "save_pdf")),
    "dxf": ("conflicts.dxf", _later("designer", "save_dxf")),
    "shp": ("conflicts.zip", _later("designer", "save_shapefile")),
    "txt": ("conflicts.txt", _later("designer", "save_survey")),
    "parquet": ("findings", _later("parts", "save_parts")),
}
FORMATS = tuple(_WRITERS)


@contextmanager
def _workroom(folder: Path) -> Iterator[Path]:
    # Inside the target folder, so that the renaming does not cross a file system.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = tempfile.TemporaryDirectory(prefix=".ecospatial-", dir=folder)
    except OSError as error:
        way_out = "请检查输出位置是否可写，或另选一个文件夹"
        raise SiteError(Problem(folder.name, None, "输出文件夹不能建立或写入", way_out)) from error
    with room:
        yield Path(room.name)


def _put(source: Path, target: Path) -> Path:
    try:
        if target.is_dir():
            from ecospatial.report.parts import refuse_foreign

            # No system replaces a folder that holds something: the old one goes the way of the workroom.
            refuse_foreign(target)
            target.replace(source.with_name(f"{source.name}-old"))
        return source.replace(target)
    except OSError as error:
        way_out = "请关闭正在打开它的程序后重试"
        raise SiteError(Problem(target.name, None, "文件被占用，不能替换", way_out)) from error


def _write_one(findings: Findings, path: str | PathLike[str], save: Saver) -> Path:
    target = Path(path)
    with _workroom(target.parent) as room:
        save(findings, room / target.name)
        return _put(room / target.name, target)


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
        from ecospatial.report.parts import load_parts

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
    """Write findings into a folder: all of the formats asked for, or none.

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
    EcospatialError
        ``pdf``: no program here can print one.
    """
    asked = _known(DEFAULT_FORMATS if formats is None else [formats] if isinstance(formats, str) else formats)
    target = Path(folder)
    if timestamp:
        findings = _stamped(findings)
    with _workroom(target) as room:
        for name in asked:
            file, save = _WRITERS[name]
            if name == "docx" and template is not None:
                from ecospatial.report.template import fill

                fill(findings, template, room / file)
            else:
                save(findings, room / file)
        put = [_put(room / _WRITERS[name][0], target / _WRITERS[name][0]) for name in asked]
    return [file for path in put for file in (sorted(path.glob("part-*.parquet")) if path.is_dir() else [path])]
