"""SHA-256 of tables, values and files for hash_outputs.py, free of folders and of the version of the software.

A digest here is the first 16 hex digits of a SHA-256. What differs between two runs of the same program is left out of
the content that is hashed: the folder of the run, the checkout, the version, and in GeoPackages the time of the last
change and the arrangement of pages (their tables are hashed row by row instead). Members of ZIP, XLSX and DOCX files
are hashed unpacked, in their order, because the packed bytes would change with the length of the version.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = re.compile(rb"(ecospatial(?:[ -]| version |, version ))\d+\.\d+\.\d+[0-9a-z.+]*")
PACKED = {".xlsx", ".docx", ".zip"}


class Digests:
    """Digests by key, of one run in one folder."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.entries: dict[str, str] = {}
        self._folders = sorted(
            ((str(path).encode(), f"<{name}>".encode()) for name, path in folders.items()),
            key=lambda pair: -len(pair[0]),
        )

    def add_bytes(self, key: str, content: bytes) -> None:
        """Add the digest of some bytes under a key that is new."""
        if key in self.entries:
            raise KeyError(f"{key} is hashed twice")
        self.entries[key] = hashlib.sha256(self.clean(content)).hexdigest()[:16]

    def add(self, key: str, value: Any, *, by_column: bool = False) -> None:
        """Add the digest of any answer: a table (or each of its columns), a text, or lists and mappings of them."""
        if isinstance(value, pd.DataFrame):
            columns = dict(_list_columns(value))
            if by_column:
                for name, content in columns.items():
                    self.add_bytes(f"{key}.{name}", content)
            else:
                self.add_bytes(key, b"\0".join(f"{name}\0".encode() + content for name, content in columns.items()))
        elif isinstance(value, bytes):
            self.add_bytes(key, value)
        elif isinstance(value, str):
            self.add_bytes(key, value.encode())
        else:
            self.add_bytes(key, write_plain(value))

    def add_folder(self, key: str, folder: Path) -> None:
        """Add the digests of all files under a folder, and one of the list of their names."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.add(f"{key}/(names)", [path.relative_to(folder).as_posix() for path in paths])
        for path in paths:
            self.add_file(f"{key}/{path.relative_to(folder).as_posix()}", path)

    def add_file(self, key: str, path: Path) -> None:
        """Add the digest of a file; of a GeoPackage one for each table."""
        if path.suffix == ".gpkg":
            for table, content in _list_tables(path):
                self.add_bytes(f"{key}:{table}", content)
        elif path.suffix in PACKED:
            with zipfile.ZipFile(path) as packed:
                members = [(repr((m.filename, m.date_time)).encode(), packed.read(m)) for m in packed.infolist()]
            self.add_bytes(key, b"\0".join(name + b"\0" + self.clean(content) for name, content in members))
        else:
            self.add_bytes(key, path.read_bytes())

    def clean(self, content: bytes) -> bytes:
        """Return content without the version of the software and without the folders of this run."""
        for path, name in self._folders:
            content = content.replace(path, name)
        return VERSION.sub(rb"\1VERSION", content)


def write_plain(value: Any) -> bytes:
    """Write lists, mappings and records as JSON, shapes as WKB; refuse what shows its address in memory."""
    text = json.dumps(_to_plain(value), ensure_ascii=False, default=repr)
    if re.search(r" at 0x[0-9a-f]+", text):
        raise TypeError(f"no digest for {text[:300]}")
    return text.encode()


def _to_plain(value: Any) -> Any:
    """Turn a value into what JSON can write, keys in their order."""
    if isinstance(value, enum.Enum):
        return _to_plain(value.value)
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(value, hex=True, include_srid=False)
    if isinstance(value, pd.DataFrame):
        return {name: hashlib.sha256(content).hexdigest() for name, content in _list_columns(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(_to_plain(entry)) for entry in value)
    if isinstance(value, np.ndarray):
        return [str(value.dtype), _to_plain(value.tolist())]
    return value.item() if isinstance(value, np.generic) else value


def _list_columns(frame: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield for each column its name and its values, for the index too, then types, categories, CRS and attrs."""
    yield "(index)", _write_values(frame.index.to_series())
    types = [["(index)", str(frame.index.dtype), str(frame.index.name), type(frame.index).__name__]]
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        kind = [str(name), "category" if isinstance(column.dtype, pd.CategoricalDtype) else str(column.dtype)]
        if isinstance(column.dtype, pd.CategoricalDtype):
            kind += [str(column.dtype.ordered), *map(repr, column.dtype.categories)]
        types.append(kind)
        yield str(name), _write_values(column)
    crs = frame.crs.to_wkt() if isinstance(frame, gpd.GeoDataFrame) and frame.crs else None
    yield "(types)", write_plain([types, crs, frame.attrs])


def _write_values(column: pd.Series[Any]) -> bytes:
    """Write the values of a column, so that equal bytes mean equal values in equal order."""
    if isinstance(column.dtype, gpd.array.GeometryDtype):
        shapes = np.asarray(column.array, dtype=object)
        rows = np.flatnonzero(shapes != None)  # noqa: E711 - element by element
        blobs = shapely.to_wkb(shapes[rows], include_srid=False)
        return rows.astype("<i8").tobytes() + b"".join(len(blob).to_bytes(4, "little") + blob for blob in blobs)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        order, uniques = pd.factorize(codes)
        words = [None if code < 0 else column.cat.categories[code] for code in uniques]
        return order.astype("<i4").tobytes() + write_plain(words)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        return _write_numbers(column.to_numpy())
    if isinstance(column.dtype, pd.BooleanDtype):
        return _write_numbers(column.to_numpy(dtype="float64", na_value=np.nan))
    if isinstance(column.dtype, pd.StringDtype):
        order, texts = pd.factorize(column)
        return order.astype("<i4").tobytes() + write_plain([str(text) for text in texts])
    return b"\0".join(write_plain(value) for value in column.tolist())


def _write_numbers(values: NDArray[Any]) -> bytes:
    """Write numbers as bytes of one order; every NaN alike."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values)
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def _list_tables(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the tables of a GeoPackage with how they were made and their rows; no spatial index, no clock."""
    with closing(sqlite3.connect(path)) as base:
        query = "select name, sql from sqlite_master where type = 'table' order by name"
        for table, sql in base.execute(query).fetchall():
            if table.startswith(("rtree_", "sqlite_")):
                continue
            cursor = base.execute(f'select * from "{table}"')  # noqa: S608 - a name from the file itself
            names = [entry[0] for entry in cursor.description]
            clock = names.index("last_change") if "last_change" in names else None
            rows = [[cell for place, cell in enumerate(row) if place != clock] for row in cursor]
            yield table, repr((sql, names, rows)).encode()
