"""Pictures of the ground below a map, on request only: they come from a server, and the page asks it.

A page has no base map unless one is named. With one, its policy lets it fetch pictures from the hosts of that map and
from nowhere else.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ecospatial.errors import EcospatialError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_VARIABLE = "TIANDITU_KEY"
_KEY = re.compile(r"[0-9A-Za-z]{8,64}")
_HOST = re.compile(r"(\{s\}|[A-Za-z0-9])[A-Za-z0-9.{}s-]*(:\d{1,5})?")
_ADDRESS = re.compile(r"[!#$%&'()*+,./:;=?@\[\]_~{}A-Za-z0-9-]+")
# 天地图 offers its tiles in degrees (c) and in spherical Mercator (w); both are CGCS2000. Mercator keeps the shape of
# things on the screen, and CGCS2000 degrees are drawn on it where they belong.
_TIANDITU = (
    "https://t{{s}}.tianditu.gov.cn/{0}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={0}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={1}"
)
_SHEETS = {"tianditu": ("天地图矢量", "vec", "cva"), "tianditu-image": ("天地图影像", "img", "cia")}
NAMES = (*_SHEETS, "osm")
_OWN_CREDIT = "底图由用户指定，其审图号与使用许可由用户负责"


@dataclass(frozen=True, slots=True)
class Basemap:
    """A base map made of picture tiles: its sheets, lowest first, with ``{z}``, ``{x}``, ``{y}`` and maybe ``{s}``.

    ``gcj02`` tells that its ground is shifted (GCJ-02); what is drawn over it is then shifted alike, in the page only.
    """

    label: str
    urls: tuple[str, ...] = field(repr=False)  # a key may stand in them
    credit: str
    subdomains: str = ""
    most_zoom: int = 18
    gcj02: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers that the page may ask for pictures.

        Examples
        --------
        >>> basemap("https://{s}.example.org/{z}/{x}/{y}.png").hosts
        ('https://a.example.org', 'https://b.example.org', 'https://c.example.org')
        """
        found: dict[str, None] = {}
        for url in self.urls:
            parts = urlsplit(url)
            names = [parts.netloc.replace("{s}", letter) for letter in self.subdomains or " "]
            found |= dict.fromkeys(f"{parts.scheme}://{name}" for name in names)
        return tuple(found)


def basemap(name: str | Basemap, *, key: str | None = None, gcj02: bool = False) -> Basemap:
    """Give a base map by its name or address.

    Parameters
    ----------
    name
        ``tianditu`` (天地图, vector), ``tianditu-image`` (天地图, imagery), both with names, ``osm``, or the address of
        tiles with ``{z}``, ``{x}``, ``{y}``.
    key
        Of 天地图, asked for at its site; without it the environment variable ``TIANDITU_KEY``. It is written into the
        page, whose reader can see it, and nowhere else.
    gcj02
        The tiles of an own address lie in GCJ-02.

    Raises
    ------
    EcospatialError
        There is no such base map, the key is missing, or the address is not one of tiles.

    Examples
    --------
    >>> basemap("osm").hosts
    ('https://tile.openstreetmap.org',)
    """
    if isinstance(name, Basemap):
        return name
    if name in NAMES and gcj02:
        hint = "只有自己的瓦片地址可以声明 GCJ-02"
        raise EcospatialError(Problem(name, None, "该底图没有 GCJ-02 偏移", hint))
    if name in _SHEETS:
        label, *sheets = _SHEETS[name]
        urls = tuple(_TIANDITU.format(sheet, _key(key)) for sheet in sheets)
        return Basemap(label, urls, "底图：天地图（国家地理信息公共服务平台）", "01234567")
    if name == "osm":
        tiles = ("https://tile.openstreetmap.org/{z}/{x}/{y}.png",)
        return Basemap("OpenStreetMap", tiles, "底图：© OpenStreetMap contributors，ODbL", "", 19)
    return _own(name, gcj02=gcj02)


def _key(given: str | None) -> str:
    key = given or os.environ.get(KEY_VARIABLE, "")
    if not key:
        hint = f"请在 https://console.tianditu.gov.cn 申请，用 --basemap-key 或环境变量 {KEY_VARIABLE} 给出"
        raise EcospatialError(Problem("天地图", None, "没有给出密钥", hint))
    if not _KEY.fullmatch(key):
        raise EcospatialError(Problem("天地图", None, "密钥应为字母和数字", "请核对密钥"))
    return key


def _own(address: str, *, gcj02: bool) -> Basemap:
    parts = urlsplit(address)
    sound = parts.scheme in ("https", "http") and _HOST.fullmatch(parts.netloc) and _ADDRESS.fullmatch(address)
    if not sound or not all(mark in address for mark in ("{z}", "{x}", "{y}")):
        listed: Sequence[str] = NAMES
        hint = f"可选：{'、'.join(listed)}，或含 {{z}} {{x}} {{y}} 的 https 瓦片地址"
        raise EcospatialError(Problem("底图", None, "不认识这个底图", hint))
    return Basemap("自备底图", (address,), _OWN_CREDIT, "abc" if "{s}" in parts.netloc else "", 20, gcj02)
