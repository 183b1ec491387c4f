"""Several files into one folder: what holds data first, and one that can not be made costs only itself.

A file lies under a temporary name until it is whole; then it takes its place at once, so that what fails after it, a
page, a picture, the power, does not take it away again.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from ecospatial.errors import EcospatialError, OutputError, Problem, SiteError
from ecospatial.maps.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

_LEAST_FREE = 1_000_000  # bytes; libraries that write files tell of a full disk in a hundred ways
_FULL = (errno.ENOSPC, errno.EDQUOT)
_WAY_OUT = "请检查输出位置是否可写、磁盘是否已满，或另选一个文件夹"


@dataclass(frozen=True, slots=True)
class Output:
    """A file of a folder: its name, what writes it to a path that does not exist yet, whether it holds data."""

    file: str
    save: Callable[[Path], None]
    data: bool = False


@contextmanager
def workroom(folder: Path) -> Iterator[Path]:
    """Give a temporary folder inside of a folder, which is made when absent.

    Raises
    ------
    SiteError
        The folder can not be made or written to.
    """
    # Inside the target folder, so that the renaming does not cross a file system.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = tempfile.TemporaryDirectory(prefix=".ecospatial-", dir=folder)
    except OSError as error:
        raise SiteError(Problem(folder.name, None, "输出文件夹不能建立或写入", _WAY_OUT)) from error
    with room:
        yield Path(room.name)


def put_in_place(source: Path, target: Path) -> Path:
    """Move a whole file, or a folder of parts, to its place, where one of that name is replaced.

    Raises
    ------
    SiteError
        Another program holds the file, or the folder there holds something else.
    """
    try:
        if target.is_dir():
            from ecospatial.export.parquet import refuse_foreign

            # No system replaces a folder that holds something: the old one goes the way of the workroom.
            refuse_foreign(target)
            target.replace(source.with_name(f"{source.name}-old"))
        return source.replace(target)
    except OSError as error:
        hint = "请关闭正在打开它的程序后重试"
        raise SiteError(Problem(target.name, None, "文件被占用，不能替换", hint)) from error


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
    >>> with tempfile.TemporaryDirectory() as room:
    ...     made = write_outputs(room, [Output("a.txt", lambda path: None if path.write_text("a") else None)])
    ...     [path.name for path in made]
    ['a.txt']
    """
    target = Path(folder)
    written: dict[str, Path] = {}
    failed: list[tuple[Output, Exception]] = []
    with workroom(target) as room:
        for output in sorted(outputs, key=lambda output: not output.data):
            try:
                output.save(room / output.file)
                written[output.file] = put_in_place(room / output.file, target / output.file)
            except (OSError, TemplateError, sqlite3.Error, *FAULTS) as error:
                failed.append((output, _named(error, output.file, target)))
    if failed:
        raise _told(failed, written, target)
    return [written[output.file] for output in outputs]


def _named(error: Exception, file: str, folder: Path) -> Exception:
    """Tell what the user can mend (a full disk, a folder that is read only) from a fault of the program."""
    if isinstance(error, EcospatialError):
        return error
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or _is_full(folder):
        found = SiteError(Problem(file, None, "磁盘已满，写不下", "请腾出空间后重试，或另选一个文件夹"))
    elif isinstance(error, OSError):
        found = SiteError(Problem(file, None, "文件不能写入", _WAY_OUT))
    else:
        return error
    found.__cause__ = error
    return found


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE
    except OSError:
        return False


def _told(failed: list[tuple[Output, Exception]], written: dict[str, Path], folder: Path) -> Exception:
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
