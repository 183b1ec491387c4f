"""MapInfo tables: only those that hold their own data, and text that is decoded from its bytes."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from ecospatial.errors import Problem, SiteError
from ecospatial.io._validate import components

if TYPE_CHECKING:
    from pathlib import Path

_LABEL = re.compile(rb'(?i)(!charset[ \t]+)\S+|(\bcharset[ \t]+")[^"\r\n]*(")')
_NEEDED = {".tab": (".dat", ".map", ".id"), ".mif": (".mid",)}
_HEAD = 65536


def neutral_copy(path: Path, folder: Path, name: str) -> Path:
    """Copy a table into a folder, with its label of the encoding taken off.

    GDAL believes the label, which is often that of the computer and not of the text.

    Parameters
    ----------
    path
        A .tab or .mif file.
    folder
        Where the copy goes.
    name
        How the file is called in messages.

    Raises
    ------
    SiteError
        It is a view on, or a link to, other tables; or a companion is missing.
    """
    suffix = path.suffix.lower()
    parts = components(path)
    missing = [s for s in _NEEDED[suffix] if s not in {part.suffix.lower() for part in parts}]
    content = path.read_bytes()
    if suffix == ".tab":
        kind = re.search(rb"(?im)^[ \t]*type[ \t]+(\w+)", content)
        seamless = re.search(rb'(?i)isseamless"?[ \t]*=[ \t]*"?true', content)
        if kind is None or kind.group(1).upper() != b"NATIVE" or seamless or b"create view" in content.lower():
            fault = "这个 .tab 指向别的文件（视图、无缝表、栅格或链接表）"
            raise SiteError(Problem(name, None, fault, "请在 MapInfo 中另存为普通表，或导出为 SHP"))
    if missing:
        fault = f"缺少同名的 {'、'.join(missing)}"
        raise SiteError(Problem(name, None, fault, f"请连同 {'、'.join(_NEEDED[suffix])} 一起提供"))
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts[1:]:
        shutil.copyfile(part, folder / f"table{part.suffix.lower()}")
    head = _LABEL.sub(lambda m: (m.group(1) + b"Neutral") if m.group(1) else m.group(2) + b"Neutral" + m.group(3),
                      content[:_HEAD])  # fmt: skip
    copied = folder / f"table{suffix}"
    copied.write_bytes(head + content[_HEAD:])
    return copied
