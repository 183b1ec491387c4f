"""A font with Chinese characters for printed maps, and what to do when there is none: say so, never draw boxes."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from matplotlib import font_manager

from ecospatial.errors import EcospatialError, Problem
from ecospatial.maps.web.layer import plain_text

# Sans faces before others, simplified Chinese before Japanese. Older matplotlib sees only the first face of a
# collection, which in Noto and Source Han is the Japanese one; it has the same characters.
FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Source Han Sans", "Hiragino Sans GB",
    "Heiti SC", "STHeiti", "DengXian", "Droid Sans Fallback", "Noto Serif CJK SC", "Noto Serif SC",
    "Source Han Serif SC", "SimSun", "Songti SC", "STSong", "Noto Serif CJK JP", "Arial Unicode MS",
)  # fmt: skip
OTHER = "DejaVu Sans"  # comes with matplotlib; has signs that a Chinese font may lack
NO_FONT = "本机没有中文字体，地图未绘制"
WAY_OUT = (
    "请安装中文字体后重新生成：Debian、Ubuntu 安装软件包 fonts-noto-cjk；"
    "Windows 自带微软雅黑（Microsoft YaHei），macOS 自带苹方（PingFang SC），缺失时请恢复"
)
# Stands for a character that no font here has, as in Chinese and Japanese typesetting.
GETA = "\u3013"
_LIKELY_FILE = re.compile(r"cjk|han|hei|yahei|msyh|simsun|pingfang|songti|wqy|deng|fallback", re.IGNORECASE)


def _held() -> set[str]:
    return {entry.name for entry in font_manager.fontManager.ttflist}


def _look_again() -> None:
    # matplotlib keeps the list of fonts that it made when it first ran; one installed since is not in it.
    known = {str(entry.fname) for entry in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known and _LIKELY_FILE.search(path):
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):  # not a font that matplotlib can read
                continue


def family() -> str | None:
    """Name the font family that Chinese is drawn with; None when this machine has none."""
    found = _first()
    if found is None:
        _look_again()
        found = _first()
    return found


def _first() -> str | None:
    held = _held()
    return next((name for name in FAMILIES if name in held), None)


def needed() -> str:
    """Name the font family that Chinese is drawn with.

    Raises
    ------
    EcospatialError
        This machine has none; the way out names the package.
    """
    found = family()
    if found is None:
        raise EcospatialError(Problem("", None, NO_FONT, WAY_OUT))
    return found


@cache
def _letters(name: str) -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=name)))
    return frozenset(font.get_charmap())


def drawable(value: object, name: str) -> str:
    """Turn a cell into one line that the font can draw; what it lacks becomes 〓, never an empty box.

    Parameters
    ----------
    value
        Text from a file, hostile or not.
    name
        Font family, as ``family`` gave it.
    """
    letters = _letters(name) | _letters(OTHER)
    line = []
    for letter in plain_text(value):
        category = unicodedata.category(letter)
        if category in ("Cc", "Zl", "Zp", "Zs"):
            line.append("　" if letter == "　" else " ")
        elif category != "Cf":  # signs that only steer the layout have no shape
            line.append(letter if ord(letter) in letters else GETA if ord(GETA) in letters else "?")
    return "".join(line).strip()
