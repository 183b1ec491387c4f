"""Text and numbers of files made in Chinese offices: encodings tried strictly, never guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING

from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from pathlib import Path

# A corner takes some 40 bytes: far more than any file of red lines has, and read within a second.
_BYTES, _LINES, _LINE = 32 * 1024**2, 500_000, 4000
_LARGEST = 1e12  # nothing measured on a map is larger
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_PART = r"([0-9]{1,3}(?:\.[0-9]*)?)"
_DMS = (
    re.compile(rf"{_PART}[°度](?:{_PART}['′’‘分])?(?:{_PART}(?:[\"″”“秒]|''|′′|’’))?"),
    re.compile(rf"{_PART}[-:\s]{_PART}[-:\s]{_PART}"),
)
_PACKED_HEAD = re.compile(r"d{2,3}\.?mm\.?ss|度\.分\.?秒|度分秒|(?<![a-z])dms(?![a-z])")
_COMPASS = re.compile(r"(?i)^(?:[EN]|东经|北纬|[经纬]度)[:：\s]*|\s*[EN]$")


def read_text(path: Path, *, most_lines: int = _LINES) -> str:
    """Read a text file: by its byte order mark, else strict UTF-8, else strict GB18030.

    Parameters
    ----------
    path
        The file.
    most_lines
        How many lines it may have.

    Raises
    ------
    SiteError
        It is too large, in neither encoding, or holds bytes that text does not have.
    """
    way = "请另存为 UTF-8 编码的文本"
    large = Problem(path.name, None, "文件过大", "请核对文件，必要时拆分后分别读入")
    try:
        if path.stat().st_size > _BYTES:
            raise SiteError(large)
        raw = path.read_bytes()
    except OSError as error:
        raise SiteError(Problem(path.name, None, "文件无法读取", "请核对文件是否存在、是否有权限")) from error
    if raw.count(b"\n") + raw.count(b"\r") > 2 * most_lines:
        raise SiteError(large)
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


def short_lines(path: Path) -> list[tuple[int, str]]:
    """Read the lines of a text file that are not blank, with their numbers; a line is one point or one parcel.

    Raises
    ------
    SiteError
        As for ``read_text``, or a line is longer than any of a survey file is.
    """
    found = enumerate(lines(read_text(path)), 1)
    kept = [(row, line.strip().strip("\ufeff\u3000 ")) for row, line in found]
    for row, line in kept:
        if len(line) > _LINE:
            raise SiteError(Problem(path.name, row, "这一行过长", "请核对文件，每个点、每个地块各占一行"))
    return [(row, line) for row, line in kept if line]


def lines(text: str) -> list[str]:
    r"""Split text where a line ends, and nowhere else (``str.splitlines`` also splits at rarer characters).

    Examples
    --------
    >>> lines("a\r\nb\rc\n")
    ['a', 'b', 'c', '']
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def degrees(text: object) -> float | None:
    """Read an angle in degrees, minutes and seconds (度分秒); None when the text is anything else.

    Minutes and seconds are below 60, and only the last part may have decimals.

    Examples
    --------
    >>> degrees("119°57′36″"), degrees("E119度57分36.0秒"), degrees("31-47-24"), degrees("31°47.4′")
    (119.96, 119.96, 31.79, 31.79)
    >>> degrees("31°60′00″"), degrees("119.95")
    (None, None)
    """
    cleaned = _COMPASS.sub("", unicodedata.normalize("NFKC", str(text).replace("º", "°")).strip())
    cleaned = re.sub(r"\s*([°度'′’‘分\"″”“秒])\s*", r"\1", cleaned)
    found = next(filter(None, (form.fullmatch(cleaned) for form in _DMS)), None)
    if found is None:
        return None
    parts = [part for part in found.groups() if part is not None]
    if found.group(2) is None and found.group(3) is not None:
        return None
    values = [float(part) for part in parts]
    if any("." in part for part in parts[:-1]) or any(value >= 60.0 for value in values[1:]) or values[0] > 180.0:
        return None
    # To 1e-12 degree, so that 57'36" is 0.96 and not a digit beside it.
    return round(sum(value / 60.0**i for i, value in enumerate(values)), 12)


def is_packed(text: object) -> bool:
    """Tell whether a head says that numbers are degrees, minutes and seconds in one (119.5736 is 119°57′36″).

    Examples
    --------
    >>> is_packed("经度(ddd.mmss)"), is_packed("经度（度.分秒）"), is_packed("经度(度)")
    (True, True, False)
    """
    return _PACKED_HEAD.search(unicodedata.normalize("NFKC", str(text)).lower()) is not None


def packed_degrees(text: object) -> float | None:
    """Read an angle written as ddd.mmss; None when minutes or seconds are 60 or more, or it is no number.

    Examples
    --------
    >>> packed_degrees("119.5736"), packed_degrees(119.573), packed_degrees("31.47240"), packed_degrees("119.6100")
    (119.96, 119.958333333333, 31.79, None)
    """
    value = number(text)
    if value is None:
        return None
    # What Excel holds as a number has digits of rounding behind the hundred thousandths of a second.
    whole, _, rest = f"{abs(value):.9f}".partition(".")
    minutes, seconds = int(rest[:2]), int(rest[2:]) / 1e5
    if minutes >= 60 or seconds >= 60.0 or int(whole) > 180:
        return None
    return (-1.0 if value < 0 else 1.0) * round(int(whole) + minutes / 60.0 + seconds / 3600.0, 12)


def shown(text: object) -> str:
    """Cut text from a file down to what may stand in a message."""
    printable = "".join(c if c.isprintable() else "?" for c in str(text).strip())
    return printable if len(printable) <= 40 else printable[:40] + "…"
