"""Zipped vector files: unpacked into a temporary folder, with limits, never beside the archive."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ecospatial.errors import Problem, SiteError

# A district's data is far below these; they only stop archives that are made to fill a disk.
_MEMBERS, _BYTES, _RATIO, _RATIO_FROM = 5000, 1024**3, 200, 50 * 1024**2
_CHUNK = 1024**2
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def unpack(path: Path, into: Path) -> list[tuple[str, Path]]:
    """Unpack an archive into an empty folder.

    Parameters
    ----------
    path
        The archive.
    into
        An empty folder that the caller removes.

    Returns
    -------
    list
        Name inside the archive (decoded) and place on disk of every file.

    Raises
    ------
    SiteError
        The archive is broken, encrypted, too large, or holds links, paths out of itself or a name twice.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            names = [_decoded(info) for info in members]
            _refuse(path.name, members, names)
            left, found = _BYTES, []
            for info, name in zip(members, names, strict=True):
                target = into.joinpath(*map(_harmless, PurePosixPath(name).parts))
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _write(archive, info, target, left)
                found.append((name, target))
            return found
    except _BROKEN as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(path.name, None, "压缩包已损坏或无法解压", "请重新压缩为普通 .zip")) from error


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    with archive.open(info) as source, target.open("xb") as sink:
        while block := source.read(_CHUNK):
            written += len(block)
            if written > left:  # the sizes in the directory of the archive may lie
                raise zipfile.BadZipFile
            sink.write(block)
    return written


def _decoded(info: zipfile.ZipInfo) -> str:
    """Decode a name; without the UTF-8 flag Chinese programs write GBK, which Python reads as cp437."""
    name = info.filename
    if not info.flag_bits & 0x800:
        raw = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                return raw.decode(encoding).replace("\\", "/")
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _harmless(part: str) -> str:
    # Upper and lower case stay: GDAL looks for the companions of a shapefile by name.
    return re.sub(r'[<>:"|?*!\x00-\x1f]', "_", part)[-120:]


def _refuse(file: str, members: list[zipfile.ZipInfo], names: list[str]) -> None:
    size = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    paths = [PurePosixPath(name) for name in names]
    fault = ""
    if not members:
        fault = "压缩包是空的"
    elif any(info.flag_bits & 1 for info in members):
        fault = "压缩包有密码"
    elif any(stat.S_ISLNK(info.external_attr >> 16) for info in members):
        fault = "压缩包内有链接"
    elif any(p.is_absolute() or ".." in p.parts or re.match(r"[A-Za-z]:", str(p)) for p in paths):
        fault = "压缩包内的路径指向包外"
    elif len({str(p).lower() for p in paths}) < len(paths):
        fault = "压缩包内有重名文件"
    elif len(members) > _MEMBERS or size > _BYTES or (size > _RATIO_FROM and size > _RATIO * max(packed, 1)):
        fault = "压缩包解压后过大"
    if fault:
        raise SiteError(Problem(file, None, fault, "请解压后直接使用其中的文件，或重新压缩"))
