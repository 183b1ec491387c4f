"""CAD drawings in DXF: closed polylines become areas, by CAD layer, in metres.

A drawing says nothing of its coordinate system and often the wrong unit: templates are in millimetres while
survey drawings are in metres. The numbers decide, as everywhere in this room.
"""

from __future__ import annotations

import io
import re
import struct
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import Problem, SiteError
from ecospatial.io import _dxf_paths
from ecospatial.io._encoding import read_text, shown
from ecospatial.io.polygons import ParcelFile, settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CLOSING_M = 0.1  # ends of an outline that were meant to meet do so within the accuracy of digitising
_ENTITIES = 40_000  # some seconds of reading
_INSERTED = 8_000  # each is copied and moved
_DEPTH = 8
_LINES = 16 * 1024**2  # what the cap on bytes allows
_UNITS_M = {1: 0.0254, 2: 0.3048, 4: 0.001, 5: 0.01, 6: 1.0, 7: 1000.0, 14: 0.1}
_UNIT_LABELS = {1: "英寸", 2: "英尺", 4: "毫米", 5: "厘米", 7: "千米", 14: "分米"}
_DRAWN = frozenset({"LWPOLYLINE", "POLYLINE", "LINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE", "POINT"})
_TEXTS = frozenset({"TEXT", "MTEXT", "ATTDEF", "ATTRIB", "DIMENSION", "LEADER", "MULTILEADER", "VIEWPORT"})
_WRITTEN = frozenset({"TEXT", "MTEXT", "ATTRIB"})
_RECORD = re.compile(r"\n[ \t]*0[ \t]*\n")
_WAY = "请在 CAD 中用 DXF 2000 或更高版本（文本格式）另存"
# What ezdxf and the geometry in it raise on drawings that are not what they should be.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, struct.error, OSError)


@dataclass(slots=True)
class _Found:
    """What the entities of a drawing are, with their layers; and counts of what was left out."""

    drawn: list[_dxf_paths.EntityPath] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    hidden: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)
    inserted: int = 0


def cad_layers(path: Path) -> list[str]:
    """List the CAD layers of a drawing that hold something to read.

    Raises
    ------
    SiteError
        As for ``read_dxf``.
    """
    return sorted(set(_scanned(path)[0].layers))


def read_dxf(path: Path, *, layer: str | None = None) -> ParcelFile:
    """Read the outlines, lines and points of a drawing.

    Parameters
    ----------
    path
        A .dxf file (text form).
    layer
        The CAD layer; needed when more than one holds something. Layers that are off or frozen are left out.

    Returns
    -------
    Drawing
        In the order of the drawing, x east and y north, in metres; bulges, arcs and splines as lines that are
        less than 1 mm off. ``rows`` count from 1.

    Raises
    ------
    SiteError
        The file is no drawing, has several layers and none was named, holds nothing, or its unit is unclear.
    """
    found, unit = _scanned(path)
    names = sorted(set(found.layers))
    listed = "、".join(shown(name) for name in names[:20])
    if not names:
        seen = "、".join(f"{shown(name)}（{count}）" for name, count in (found.hidden + found.others).most_common(5))
        fault = "图中没有可用的多段线、线或点" + (f"；未读取：{seen}" if seen else "")
        raise SiteError(Problem(path.name, None, fault, "请用多段线（PLINE）画红线，并打开、解冻其图层"))
    if layer is not None and layer not in names:
        raise SiteError(Problem(path.name, None, f"没有图层“{shown(layer)}”", f"图中的图层：{listed}"))
    if layer is None and len(names) > 1:
        fault = f"图中有 {len(names)} 个图层：{listed}"
        raise SiteError(Problem(path.name, None, fault, "请用 --layer（layer=）指明红线所在的图层"))
    kept = [i for i, name in enumerate(found.layers) if layer is None or name == layer]
    return _drawing(path, found, kept, unit)


def _drawing(path: Path, found: _Found, kept: list[int], unit: int) -> ParcelFile:
    drawn = [found.drawn[i] for i in kept]
    factor, notices = _factor(np.vstack([one.vertices for one in drawn]), unit, path.name)
    made = [_dxf_paths.outline(one, factor=factor, closing=CLOSING_M) for one in drawn]
    shapes = np.empty(len(kept), dtype=object)
    shapes[:] = [shape for shape, _ in made]
    drawing = settled(shapes, naming="east_north")
    notes = [_note(gap, curved=one.curved) for one, (_, gap) in zip(drawn, made, strict=True)]
    joined = tuple("；".join(filter(None, [own, *drawing.notes[k : k + 1]])) for k, own in enumerate(notes))
    open_lines = int((shapely.get_dimensions(drawing.geometry) == 1).sum())
    if open_lines:
        notices.append(f"{path.name}：{open_lines} 条线不闭合（首尾相距超过 {CLOSING_M:g} m），按线状项目处理")
    notices += [f"{path.name}：图层“{shown(n)}”已关闭或冻结，未读取 {c} 个图形" for n, c in found.hidden.items()]
    if found.others:
        kinds = "、".join(f"{shown(name)} {count} 个" for name, count in found.others.most_common(5))
        notices.append(f"{path.name}：未读取的图形：{kinds}")
    return replace(
        drawing,
        attributes=pd.DataFrame({"CAD图层": [found.layers[i] for i in kept]}, dtype=object),
        rows=tuple(range(1, len(kept) + 1)),
        notes=joined,
        notices=tuple(notices),
        headers=tuple(dict.fromkeys(found.texts)),
    )


def _note(gap: float, *, curved: bool) -> str:
    parts = ["曲线已转为折线（偏差小于 1 mm）"] if curved else []
    parts += [f"首尾相距 {gap:.3f} m，已闭合"] if gap > 0.0 else []
    return "；".join(parts)


def _factor(vertices: NDArray[np.float64], unit: int, file: str) -> tuple[float, list[str]]:
    """Give the metres of one unit; the header is believed only where the numbers do not contradict it."""
    factor = _UNITS_M.get(unit)
    if unit == 0 or factor == 1.0:
        return 1.0, []
    name = _UNIT_LABELS.get(unit, f"第 {unit} 种")
    if _dxf_paths.plane(vertices):
        return 1.0, [f"{file}：图纸单位写{name}，而坐标是米，按米处理"]
    if factor is not None and _dxf_paths.plane(vertices * factor):
        return factor, [f"{file}：图纸单位为{name}，已换算为米"]
    way = "请在 CAD 中把单位（UNITS）设为米后另存"
    raise SiteError(Problem(file, None, f"图纸单位为{name}，从坐标看不出是否应换算为米", way))


# ------------------------------------------------------------------------------------------- the drawing


def _scanned(path: Path) -> tuple[_Found, int]:
    """Collect the shapes of a drawing, in its own unit, and the number of that unit."""
    import ezdxf
    from ezdxf.lldxf.const import DXFError

    text = read_text(path, most_lines=_LINES).replace("\r\n", "\n")
    if not re.search(r"\n\s*0\s*\r?\n\s*EOF\s*$", text[-200:]):
        raise SiteError(Problem(path.name, None, "DXF 不完整（没有结尾的 EOF）", _WAY))
    if len(_RECORD.findall(text)) > _ENTITIES:
        raise SiteError(_too_many(path.name))
    found = _Found()
    try:
        document: Any = ezdxf.read(io.StringIO(text))  # type: ignore[attr-defined]  # not declared as exported
        unit = int(document.header.get("$INSUNITS", 0))
        # In units of the drawing: for small units finer than needed, should they turn out to be metres after all.
        step = _dxf_paths.CURVE_M / max(_UNITS_M.get(unit, 1.0), 1.0)
        hidden = {e.dxf.name.lower() for e in document.layers if e.is_off() or e.is_frozen()}
        _collect(document.modelspace(), found, hidden=hidden, step=step, file=path.name)
    except (DXFError, *_BROKEN) as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(path.name, None, "DXF 已损坏或格式有误，无法打开", _WAY)) from error
    return found, unit


def _collect(entities: Iterable[Any], found: _Found, *, hidden: set[str], step: float, file: str) -> None:
    for entity, layer in _exploded(entities, found, depth=0, above="0", file=file):
        kind = entity.dxftype()
        if kind in _WRITTEN and len(found.texts) < _ENTITIES:
            found.texts.append(str(entity.text if kind == "MTEXT" else entity.dxf.get("text", ""))[:200])
        if layer.lower() == "defpoints" or kind in _TEXTS or entity.dxf.get("invisible", 0):
            continue
        if layer.lower() in hidden:
            found.hidden[layer] += 1
            continue
        made = _dxf_paths.shape(entity, step=step) if kind in _DRAWN else None
        if made is None:
            found.others[kind] += 1
            continue
        if len(made.vertices):
            found.drawn.append(made)
            found.layers.append(layer)


def _exploded(
    entities: Iterable[Any], found: _Found, *, depth: int, above: str, file: str
) -> Iterator[tuple[Any, str]]:
    """Give entities with their layer; those of blocks where they are inserted, layer 0 being that of the block."""
    for entity in entities:
        layer = _name(entity.dxf.layer)
        layer = above if depth and layer == "0" else layer
        found.inserted += 1 if depth else 0
        if found.inserted > _INSERTED:
            raise SiteError(_too_many(file, _INSERTED))
        if entity.dxftype() != "INSERT":
            yield entity, layer
        elif depth >= _DEPTH:
            found.others["INSERT"] += 1
        else:
            for one in entity.multi_insert() if entity.mcount > 1 else [entity]:
                yield from _exploded(one.virtual_entities(), found, depth=depth + 1, above=layer, file=file)


def _too_many(file: str, most: int = _ENTITIES) -> Problem:
    return Problem(file, None, f"图形超过 {most} 个", "请只保留红线所在的图层，用 WBLOCK 另存为单独的 DXF")


def _name(layer: str) -> str:
    r"""Give the name of a layer; old versions write characters as \U+4E2D."""
    return re.sub(r"\\U\+([0-9A-Fa-f]{4})", lambda found: chr(int(found.group(1), 16)), str(layer))
