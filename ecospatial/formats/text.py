"""Text and numbers of files made in Chinese offices: encodings tried strictly, never guessed."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 200 * 1024**2
_LARGEST = 1e12  # nothing measured on a map is larger
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")


def read_text(path: Path) -> str:
    """Read a text file: by its byte order mark, else strict UTF-8, else strict GB18030.

    Raises
    ------
    SiteError
        It is too large, in neither encoding, or holds bytes that text does not have.
    """
    way = "请另存为 UTF-8 编码的文本"
    try:
        if path.stat().st_size > _BYTES:
            raise SiteError(Problem(path.name, None, "文件过大", "请拆分后分别读入"))
        raw = path.read_bytes()
    except OSError as error:
        raise SiteError(Problem(path.name, None, "文件无法读取", "请核对文件是否存在、是否有权限")) from error
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise SiteError(Problem(path.name, None, "文字编码无法识别", way))


def number(text: object) -> float | None:
    """Read a plain number of a size that occurs; None when the text is anything else.

    Examples
    --------
    >>> number("3518567.678"), number("nan"), number("1_000"), number("1e400")
    (3518567.678, None, None, None)
    """
    cleaned = str(text).strip()
    value = float(cleaned) if _NUMBER.fullmatch(cleaned) else math.inf
    return value if abs(value) < _LARGEST else None


def shown(text: object) -> str:
    """Cut text from a file down to what may stand in a message."""
    printable = "".join(c if c.isprintable() else "?" for c in str(text).strip())
    return printable if len(printable) <= 40 else printable[:40] + "…"
