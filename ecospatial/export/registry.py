"""One registry of what is written: findings, audits, studies, base maps and changes, each format with its writer.

Files that hold data are written before documents and pictures, and one that can not be made costs only itself. A new
format is one row of ``WRITERS`` and a function that writes a result to a path.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from ecospatial.errors import EcospatialError, OutputError, Problem, SiteError
from ecospatial.io._atomic import describe_write_error, is_full_disk, move_into_place, open_scratch_folder
from ecospatial.maps.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike


@dataclass(frozen=True, slots=True)
class Writer:
    """How one format of a result is written.

    Attributes
    ----------
    file
        Name of the file, or of the folder of parts; ``{name}`` is the name of a study.
    module, function
        Where the function lies; it is imported when it is used, takes the result and a path that does not exist yet,
        and writes straight to it.
    data
        Whether the file holds data; the others are documents and pictures, which are written after all data.
    default
        Whether the format is written when none is asked for.
    """

    file: str
    module: str
    function: str
    data: bool
    default: bool = True


# By the class of the result and the name of the format; formats are offered in this order.
WRITERS: dict[tuple[str, str], Writer] = {
    ("Findings", "html"): Writer("report.html", "ecospatial.export.html", "save_html", data=False),
    ("Findings", "map"): Writer("map.html", "ecospatial.maps.web.map", "save_findings_map", data=False),
    ("Findings", "gpkg"): Writer("findings.gpkg", "ecospatial.export.gpkg", "save_gpkg", data=True),
    ("Findings", "json"): Writer("findings.json", "ecospatial.export.json", "save_json", data=True),
    ("Findings", "xlsx"): Writer("findings.xlsx", "ecospatial.export.xlsx", "save_xlsx", data=True, default=False),
    ("Findings", "docx"): Writer("report.docx", "ecospatial.export.docx", "save_docx", data=False, default=False),
    ("Findings", "pdf"): Writer("report.pdf", "ecospatial.export.pdf", "save_pdf", data=False, default=False),
    ("Findings", "dxf"): Writer("conflicts.dxf", "ecospatial.export.cad", "save_dxf", data=True, default=False),
    ("Findings", "shp"): Writer("conflicts.zip", "ecospatial.export.cad", "save_shapefile", data=True, default=False),
    ("Findings", "txt"): Writer("conflicts.txt", "ecospatial.export.cad", "save_survey", data=True, default=False),
    ("Findings", "parquet"): Writer("findings", "ecospatial.export.parquet", "save_parts", data=True, default=False),
    ("Audit", "html"): Writer("audit.html", "ecospatial.export.audit_html", "save_html", data=False),
    ("Audit", "xlsx"): Writer("audit.xlsx", "ecospatial.export.audit_xlsx", "save_xlsx", data=True),
    ("Audit", "gpkg"): Writer("audit.gpkg", "ecospatial.export.audit", "save_gpkg", data=True),
    ("Audit", "map"): Writer("audit_map.html", "ecospatial.maps.web.audit", "save_audit_map", data=False),
    ("WaterStudy", "gpkg"): Writer("{name}.gpkg", "ecospatial.export.study", "save_gpkg", data=True),
    ("WaterStudy", "xlsx"): Writer("{name}.xlsx", "ecospatial.export.study", "save_xlsx", data=True),
    ("WaterStudy", "map"): Writer("{name}.html", "ecospatial.maps.web.study", "save_study_map", data=False),
    ("WaterStudy", "json"): Writer("{name}.json", "ecospatial.export.study", "save_json", data=True, default=False),
    ("BaseMapResult", "html"): Writer("base_map.html", "ecospatial.export.base_map", "save_html", data=False),
    ("BaseMapResult", "gpkg"): Writer("base_map.gpkg", "ecospatial.export.base_map", "save_gpkg", data=True),
    ("ChangeResult", "html"): Writer("changes.html", "ecospatial.export.raster_change", "save_html", data=False),
    ("ChangeResult", "map"): Writer("changes_map.html", "ecospatial.export.raster_change", "save_map", data=False),
    ("ChangeResult", "gpkg"): Writer("changes.gpkg", "ecospatial.export.raster_change", "save_gpkg", data=True),
    ("ChangeResult", "csv"): Writer("changes.csv", "ecospatial.export.raster_change", "save_csv", data=True),
    ("ChangeResult", "json"): Writer("changes.json", "ecospatial.export.raster_change", "save_json", data=True),
}


def list_formats(result: str) -> tuple[str, ...]:
    """Return the formats that results of a class can be written in.

    Examples
    --------
    >>> list_formats("Audit")
    ('html', 'xlsx', 'gpkg', 'map')
    """
    return tuple(name for kind, name in WRITERS if kind == result)


def require_formats(result: str, formats: Sequence[str] | str | None) -> list[str]:
    """Return the formats asked for, each once; those of the registry's default when none is.

    Raises
    ------
    SiteError
        One of them is not known.
    """
    known = list_formats(result)
    if formats is None:
        return [name for name in known if WRITERS[result, name].default]
    asked = list(dict.fromkeys([formats] if isinstance(formats, str) else formats))
    hint = f"可选：{'、'.join(known)}"
    problems = [Problem("", None, f"没有“{name}”这种输出格式", hint) for name in asked if name not in known]
    if problems:
        raise SiteError(problems)
    return asked


def write_result(
    result: Any,
    folder: str | PathLike[str],
    *,
    formats: Sequence[str] | str | None = None,
    timestamp: bool = False,
    template: Path | None = None,
) -> list[Path]:
    """Write a result into a folder, data before documents; a format that can not be made costs only itself.

    Parameters
    ----------
    result
        ``Findings``, ``Audit``, ``WaterStudy``, or what this package makes of a base map and of changes.
    folder
        Made when absent. Files of the same names are replaced; nothing else in it is touched.
    formats
        Names of formats, see ``list_formats``; the usual ones when left out.
    timestamp
        Whether to note the time of writing; without it the same result gives the same bytes, but for ``pdf``.
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
        Some formats could not be made; the others are written.
    """
    kind = _name_kind(result)
    asked = require_formats(kind, formats)
    if timestamp:
        result = add_timestamp(result)
    outputs = []
    for name in asked:
        writer = WRITERS[kind, name]
        save = partial(_save, writer, result)
        if name == "docx" and template is not None:
            save = partial(_fill_template, result, template)
        outputs.append(Output(writer.file.format(name=getattr(result, "name", "")), save, data=writer.data))
    written = write_outputs(folder, outputs)
    return [file for path in written for file in (sorted(path.glob("part-*.parquet")) if path.is_dir() else [path])]


def write_format(result: Any, path: str | PathLike[str], name: str) -> Path:
    """Write one format of a result to a path; a file of that name is replaced when the new one is whole.

    Raises
    ------
    SiteError
        The place can not be written to.
    """
    target = Path(path)
    writer = WRITERS[_name_kind(result), name]
    return write_outputs(target.parent, [Output(target.name, partial(_save, writer, result))])[0]


def add_timestamp(result: Any) -> Any:
    """Return a result whose ``meta`` notes the time."""
    now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    return dataclasses.replace(result, meta={**result.meta, "created": now})


def _name_kind(result: Any) -> str:
    """Return the name of the class under which the formats of a result are listed."""
    listed = {kind for kind, _ in WRITERS}
    return next(kind.__name__ for kind in type(result).__mro__ if kind.__name__ in listed)


def _save(writer: Writer, result: Any, path: Path) -> None:
    getattr(import_module(writer.module), writer.function)(result, path)


def _fill_template(findings: Any, template: Path, path: Path) -> None:
    from ecospatial.export.docx_template import fill

    fill(findings, template, path)


# ------------------------------------------------------------------------------------------ several files


@dataclass(frozen=True, slots=True)
class Output:
    """A file of a folder: its name, what writes it to a path that does not exist yet, whether it holds data."""

    file: str
    save: Callable[[Path], None]
    data: bool = False


def write_outputs(folder: str | PathLike[str], outputs: Sequence[Output]) -> list[Path]:
    """Write files into a folder, those with data first; each takes its place as soon as it is whole.

    Parameters
    ----------
    folder
        Made when absent. Files of the same names are replaced, nothing else in it is touched.
    outputs
        The files.

    Returns
    -------
    list of Path
        The files, in the order of ``outputs``.

    Raises
    ------
    SiteError
        The folder can not be written to.
    OutputError
        Some files could not be made; the others are there, and the error names both. When the only file, or every
        one, fails, the error of the first is raised as it is.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as room:
    ...     made = write_outputs(room, [Output("a.txt", lambda path: None if path.write_text("a") else None)])
    ...     [path.name for path in made]
    ['a.txt']
    """
    target = Path(folder)
    written: dict[str, Path] = {}
    failed: list[tuple[Output, Exception]] = []
    with open_scratch_folder(target) as scratch:
        for output in sorted(outputs, key=lambda output: not output.data):
            try:
                output.save(scratch / output.file)
                place = target / output.file
                written[output.file] = move_into_place(scratch / output.file, place, require_ours=_refuse_foreign)
            except (OSError, MemoryError, TemplateError, sqlite3.Error, *FAULTS) as error:
                failed.append((output, _name_error(error, output.file, target)))
    if failed:
        raise _join_errors(failed, written, target)
    return [written[output.file] for output in outputs]


def write_contents(folder: str | PathLike[str], contents: dict[str, bytes]) -> list[Path]:
    """Write files of data whose bytes are known.

    Raises
    ------
    SiteError, OutputError
        As ``write_outputs``.
    """

    def save(content: bytes, path: Path) -> None:
        path.write_bytes(content)

    outputs = [Output(name, partial(save, content), data=True) for name, content in contents.items()]
    return write_outputs(folder, outputs)


def _refuse_foreign(folder: Path) -> None:
    from ecospatial.export.parquet import refuse_foreign

    refuse_foreign(folder)


def _name_error(error: Exception, file: str, folder: Path) -> Exception:
    """Tell what the user can mend (a full disk, a folder that is read only) from a fault of the program."""
    if isinstance(error, EcospatialError):
        return error
    if isinstance(error, OSError | MemoryError) or is_full_disk(error, folder):
        found = describe_write_error(error, file, folder)
        found.__cause__ = error
        return found
    return error


def _join_errors(failed: list[tuple[Output, Exception]], written: dict[str, Path], folder: Path) -> Exception:
    """Make one error of all: what failed and why, what is there, what is there from before."""
    first = failed[0][1]
    if not written and (len(failed) == 1 or isinstance(first, EcospatialError)):
        return first
    stays = f"已写入：{'、'.join(written)}" if written else "没有写入任何文件"
    problems = []
    for output, error in failed:
        old = f"；文件夹中原有的 {output.file} 是以前的结果，未更新" if (folder / output.file).exists() else ""
        if isinstance(error, EcospatialError):
            own = error.problems[0]
            why, hint = "；".join(problem.message for problem in error.problems), own.hint
            problems.append(Problem(output.file, own.row, f"未能写出，{why}", f"{hint}。{stays}{old}"))
        else:
            why = f"未能写出，程序内部错误（{type(error).__name__}）"
            problems.append(Problem(output.file, None, why, f"{stays}{old}"))
    fault = next((error for _, error in failed if not isinstance(error, EcospatialError)), None)
    raised = OutputError(problems, list(written.values()), fault=fault)
    raised.__cause__ = fault or first
    return raised
