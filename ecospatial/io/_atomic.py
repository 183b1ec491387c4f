"""Write files so that each is whole or not there, and tell what the user can mend from a fault of the program.

A file lies under a temporary name in its own folder until it is whole; then it takes its place in one step, so that
what fails after it, a page, a picture, the power, does not take it away again. Folders that a killed run left behind
are swept by the next one that writes there.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial.errors import EcospatialError, Problem, SiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

PREFIX = ".ecospatial-"
_LEAST_FREE = 1_000_000  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_CHECK_PLACE = "请检查输出位置是否可写、磁盘是否已满，或另选一个文件夹"
_OURS = re.compile(re.escape(PREFIX) + r"(\d+)-\w+")


@contextmanager
def open_scratch_folder(folder: str | PathLike[str]) -> Iterator[Path]:
    """Make a temporary folder inside a folder, which is made when absent; it goes at the end.

    It lies inside so that renaming does not cross a file system. Folders of runs that were killed are removed.

    Raises
    ------
    SiteError
        The folder can not be made or written to.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        sweep_stale_folders(target)
        scratch = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=target, ignore_cleanup_errors=True)
    except OSError as error:
        found = describe_write_error(error, target.name, target)
        reason = "磁盘已满，写不下" if is_full_disk(error, target) else "输出文件夹不能建立或写入"
        raise SiteError(Problem(target.name, None, reason, found.problems[0].hint)) from error
    with scratch:
        yield Path(scratch.name)


def sweep_stale_folders(folder: Path) -> None:
    """Remove the temporary folders in a folder whose process is gone.

    A folder of a process that still runs, here or under the same number elsewhere, stays.
    """
    for path in folder.glob(f"{PREFIX}*"):
        match = _OURS.fullmatch(path.name)
        if match and path.is_dir() and not path.is_symlink() and not _is_running(int(match.group(1))):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def move_into_place(source: Path, target: Path, *, require_ours: Callable[[Path], None] | None = None) -> Path:
    """Move a whole file or folder to its place, where one of that name is replaced.

    Parameters
    ----------
    source
        The whole file or folder, on the same file system.
    target
        Its place.
    require_ours
        Raises when a folder that lies there holds what nobody here wrote; folders are only replaced with it.

    Raises
    ------
    SiteError
        Another program holds the file.
    """
    try:
        if target.is_dir() and require_ours is not None:
            # No system replaces a folder that holds something: the old one goes the way of the scratch folder.
            require_ours(target)
            target.replace(source.with_name(f"{source.name}-old"))
        return source.replace(target)
    except OSError as error:
        raise SiteError(Problem(target.name, None, "文件被占用，不能替换", "请关闭正在打开它的程序后重试")) from error


def write_file(path: str | PathLike[str], content: bytes) -> Path:
    """Write one file; one of that name is replaced when the new one is whole and on the disk.

    Raises
    ------
    SiteError
        The place can not be written to, or the disk is full.
    """
    target = Path(path)
    with open_scratch_folder(target.parent) as scratch:
        whole = scratch / target.name
        try:
            with whole.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise describe_write_error(error, target.name, target.parent) from error
        return move_into_place(whole, target)


def is_full_disk(error: BaseException, folder: Path) -> bool:
    """Tell whether an error while writing into a folder comes from a disk that takes no more.

    Libraries that write files tell of a full disk in a hundred ways. So the causes of the error are looked through, and
    a file of a megabyte is written on trial.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause.errno in _FULL
        cause = cause.__cause__ or cause.__context__
    return not _takes_a_megabyte(folder)


def _takes_a_megabyte(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(_LEAST_FREE))
            trial.flush()
    except OSError as error:
        return error.errno not in _FULL
    return True


@contextmanager
def report_write_errors(file: str, folder: Path) -> Iterator[None]:
    """Raise what the user can mend of writing a file as an error that names the place.

    Raises
    ------
    SiteError
        The disk is full, the place is read-only, the memory is not enough. Everything else passes through.
    """
    try:
        yield
    except EcospatialError:
        raise
    except (OSError, MemoryError) as error:
        raise describe_write_error(error, file, folder) from error
    except RuntimeError as error:  # GDAL says of a full disk only that it could not write
        if is_full_disk(error, folder):
            raise describe_write_error(error, file, folder) from error
        raise


def describe_machine_error(error: BaseException) -> Problem | None:
    """Return the problem of an error that the machine caused and the user can mend; None for all others.

    Examples
    --------
    >>> describe_machine_error(OSError(errno.ENOSPC, "No space left", "/data/out")).message
    '磁盘已满，写不下'
    >>> describe_machine_error(MemoryError()).message
    '内存不足'
    >>> describe_machine_error(ValueError("x")) is None
    True
    """
    if isinstance(error, MemoryError) or "bad_alloc" in str(error):
        return Problem("", None, "内存不足", "请关闭其他程序，或减少地块后分批核查")
    if not isinstance(error, OSError):
        return None
    place = Path(str(error.filename)).name if error.filename is not None else ""
    if error.errno in _FULL:
        return Problem(place, None, "磁盘已满，写不下", "请腾出空间后重试，或另选一个文件夹")
    if error.errno in _READ_ONLY:
        return Problem(place, None, "没有权限，或该位置只读", "请检查权限，或另选一个文件夹")
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return Problem("", None, "没有可用的临时文件夹", "请腾出空间，或用环境变量 TMPDIR 指定一个可写的文件夹")
    return None


def describe_write_error(error: BaseException, file: str, folder: Path) -> EcospatialError:
    """Return the error that names the place and what the user can do about it.

    Parameters
    ----------
    error
        An ``OSError`` or ``MemoryError``, or any error of a library that writes when the disk is full.
    file
        Name of the file that could not be written.
    folder
        Where it was to lie.
    """
    if isinstance(error, MemoryError):
        return SiteError(Problem(file, None, "内存不足", "请关闭其他程序，或减少地块后分批核查"))
    if is_full_disk(error, folder):
        return SiteError(Problem(file, None, "磁盘已满，写不下", "请腾出空间后重试，或另选一个文件夹"))
    if isinstance(error, OSError) and error.errno in _READ_ONLY:
        return SiteError(Problem(file, None, "文件不能写入：没有写入权限，或该位置只读", _CHECK_PLACE))
    return SiteError(Problem(file, None, "文件不能写入", _CHECK_PLACE))
