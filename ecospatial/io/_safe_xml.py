"""JSON and XML looked through before GDAL sees them: what it would read wrongly without a word is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from ecospatial.errors import Problem, SiteError
from ecospatial.io._validate import SEQUENCES

if TYPE_CHECKING:
    from pathlib import Path

_JSON_TYPES = frozenset(
    {
        "FeatureCollection",
        "Feature",
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    }
)
# What Python needs for a list, an object, and a number or text of them, roughly; and how much may be needed.
_LIST, _OBJECT, _ITEM, _MEMORY = 80, 300, 40, 500 * 1024**2
_WAY = "请从 GIS 软件重新导出为 GeoJSON（UTF-8）"


def check_json(path: Path, name: str) -> Any:
    """Refuse JSON that is not UTF-8, has a key twice in one object, NaN, or is not GeoJSON.

    Returns
    -------
    object
        Its member ``crs``; False when there is none.

    Raises
    ------
    SiteError
        As said; or it is so large that it should not be JSON.
    """
    raw = path.read_bytes()
    need = raw.count(b"[") * _LIST + raw.count(b"{") * _OBJECT + raw.count(b",") * _ITEM
    if need > _MEMORY:
        raise SiteError(Problem(name, None, "GeoJSON 文件过大", "请转为 GeoPackage（.gpkg）"))
    try:
        text = raw.decode("utf-8-sig")
        if path.suffix.lower() in SEQUENCES:
            contents = [_parsed(line) for line in re.split("[\n\r\x1e]+", text) if line.strip()]
        else:
            contents = [_parsed(text)]
    except UnicodeDecodeError as error:
        raise SiteError(Problem(name, None, "GeoJSON 不是 UTF-8 编码", _WAY)) from error
    except _TwiceError as error:
        raise SiteError(Problem(name, None, f"GeoJSON 中同一处有两个“{error}”", _WAY)) from error
    except (ValueError, RecursionError) as error:
        raise SiteError(Problem(name, None, "GeoJSON 格式有误（文件不完整或不是 JSON）", _WAY)) from error
    if any(not isinstance(content, dict) or content.get("type") not in _JSON_TYPES for content in contents):
        raise SiteError(Problem(name, None, "这个 JSON 不是 GeoJSON", _WAY))
    return next((content["crs"] for content in contents if "crs" in content), False)


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)


class _TwiceError(Exception):
    """A key of a JSON object occurs twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1)[:40])
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(text)


class _DoctypeError(Exception):
    """An XML file declares a document type, and with it perhaps entities."""


def utf8_xml(path: Path, name: str) -> bytes:
    """Give the content of a well-formed XML file; a Chinese encoding, unknown to the parsers, becomes UTF-8.

    GDAL would read a file that is cut off as far as it goes, without a word.

    Raises
    ------
    SiteError
        It is not well-formed, or declares a document type, which no KML or GML needs.
    """
    content = path.read_bytes()
    form = rb"""\s*<\?xml[^>]*?encoding\s*=\s*["'](gb[\w-]*)["']"""
    declared = re.match(form, content[:200], re.IGNORECASE)
    try:
        if declared is not None:
            start, end = declared.span(1)
            text = content.decode("gb18030")
            content = (text[:start] + "UTF-8" + text[end:]).encode()
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.Parse(content, True)
    except _DoctypeError as error:
        raise SiteError(Problem(name, None, "XML 带有 DOCTYPE（实体定义），不予打开", "请从原软件重新导出")) from error
    except (ValueError, LookupError, expat.ExpatError) as error:
        raise SiteError(Problem(name, None, "XML 不完整或编码有误，无法打开", "请按 UTF-8 重新导出")) from error
    return content


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeError
