"""What the table of traps is made of: one record a row, and small files made in code.

The district is the box from (490000, 3510000) to (510000, 3530000) in EPSG:4549; a site is 100 m by 100 m in it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import shapely
from pyproj import CRS

from ecospatial import crs as crs_

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

E, N = 500000, 3520000
AREA = shapely.box(490000, 3510000, 510000, 3530000)
PLAN = SimpleNamespace(crs=CRS.from_epsg(4549), area=AREA, title="钟楼区")
SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]
BOX = shapely.box(E, N, E + 100, N + 100)
SITE = 10000.0


@dataclass(frozen=True)
class Trap:
    """One file and what must become of it: an area with its notes, or an error with its words."""

    name: str
    make: Callable[[Path], Any]
    area: float | None = None
    error: type[Exception] | None = None
    words: tuple[str, ...] = ()
    count: int = 1
    kind: str = "Polygon"
    told: tuple[str, ...] = ()
    tolerance: float = 0.01
    options: dict[str, Any] = field(default_factory=dict)


def ok(name, make, area=SITE, *told, **more):
    """A file that is read; every word of ``told`` stands in ``repair`` or in the notices."""
    known = {key: more.pop(key) for key in ("count", "kind", "tolerance") if key in more}
    return Trap(name, make, area=area, told=told, options=more, **known)


def bad(name, make, error, *words, **more):
    """A file that is refused; every word stands in the message."""
    return Trap(name, make, error=error, words=words, options=more)


# ------------------------------------------------------------------------------------------ text


HEAD = """[属性描述]
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=40
精度=0.001
转换参数=,,,,,,
"""


def write(name, content, *, encoding="utf-8"):
    """A maker of a file with this content."""

    def make(folder):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return make


def corners(points=SQUARE, ring=1, *, east=E, mark="J{},{},{:.3f},{:.3f}", swap=False):
    rows = []
    for i, (x, y) in enumerate(points, 1):
        pair = (N + y, east + x)
        rows.append(mark.format(i, ring, *(pair[::-1] if swap else pair)))
    return rows


def parcel(*lines, number="A-1", count=None, area="1.0", shape="面"):
    count = len(lines) if count is None else count
    return [f"{count},{area},{number},厂房,{shape},,工业用地,0701,@", *lines]


def survey(*parcels, head=HEAD, encoding="utf-8", joint="\n"):
    parcels = parcels or (parcel(*corners()),)
    lines = [*head.strip("\n").split("\n"), "[地块坐标]", *(line for one in parcels for line in one)]
    return write("红线.txt", joint.join(lines), encoding=encoding)


def changed(old, new):
    """The head of a survey text with one line changed."""
    assert old in HEAD
    return HEAD.replace(old, new)


def csv(*rows, encoding="utf-8", mark=","):
    return write("坐标.csv", "\n".join(mark.join(str(c) for c in row) for row in rows), encoding=encoding)


def table_rows(points=SQUARE, *, number="A-1", ring=None, east=E):
    return [[number, *([] if ring is None else [ring]), i, N + y, east + x] for i, (x, y) in enumerate(points, 1)]


def book(*rows, merge=(), sheets=None, formats=None):
    """A maker of a workbook with these rows; ``sheets``: name to rows of further sheets."""

    def make(folder):
        path = folder / "坐标.xlsx"
        made = openpyxl.Workbook()
        first = made.active
        for row in rows:
            first.append(row)
        for span in merge:
            first.merge_cells(span)
        for cell, form in (formats or {}).items():
            first[cell].number_format = form
        for name, more in (sheets or {}).items():
            other = made.create_sheet(name)
            for row in more:
                other.append(row)
        made.save(path)
        return path

    return make


# ---------------------------------------------------------------------------------------- vectors


def lonlat(shape):
    return crs_.transform(np.array([shape], dtype=object), PLAN.crs, crs_.CGCS2000)[0]


def frame(*shapes, crs=4549, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes or [BOX]), crs=crs)


def vector(name, made=None, **options):
    """A maker of a vector file from a frame."""

    def make(folder):
        path = folder / name
        (frame() if made is None else made).to_file(path, **options)
        return path

    return make


def geojson(geometry, *, crs=None, name="a.geojson", **properties):
    """A maker of GeoJSON with one geometry, written as it stands."""
    shape = geometry if isinstance(geometry, dict | None) else shapely.geometry.mapping(geometry)
    content = {"type": "FeatureCollection", "features": [feature(shape, **properties)]}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs}"}}
    return write(name, json.dumps(content))


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def then(make, change):
    """A maker that changes what another made; ``change`` may return another path."""

    def both(folder):
        path = make(folder)
        return change(path) or path

    return both


def zipped(make, *, prefix="", name="a.zip", rename=None):
    """A maker that puts all files of another maker into an archive."""

    def pack(folder):
        inner = folder / "in"
        inner.mkdir()
        make(inner)
        with zipfile.ZipFile(folder / name, "w") as archive:
            for part in sorted(p for p in inner.rglob("*") if p.is_file()):
                inside = prefix + part.relative_to(inner).as_posix()
                archive.writestr(inside if rename is None else rename(inside), part.read_bytes())
        return folder / name

    return pack


def archive(entries, *, name="a.zip"):
    """A maker of an archive with these entries, as they stand."""

    def make(folder):
        with zipfile.ZipFile(folder / name, "w") as made:
            for entry, content in entries:
                made.writestr(entry, content)
        return folder / name

    return make
