"""A GeoParquet source too large for memory, piece by piece: each piece as ``read_sites`` would read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.errors import CrsError, Problem, SiteError
from ecospatial.io import geoparquet
from ecospatial.io._validate import PARQUETS
from ecospatial.sites import columns, readers
from ecospatial.sites import frame as frame_
from ecospatial.sites.aliases import matching

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from pyproj import CRS

    from ecospatial.plans import Plan


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one file: ``first`` counts from 0 in the file, ``before`` is how many sites earlier files hold."""

    path: Path
    first: int
    rows: int
    before: int


def site_files(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path] | None:
    """List the GeoParquet files of a source; None when it is, or holds, anything else.

    Raises
    ------
    SiteError
        A folder holds no file that is read, a file may not be opened.
    """
    found = readers.listed(source)
    if not all(isinstance(path, (str, Path)) and Path(path).suffix.lower() in PARQUETS for path in found):
        return None
    return [io.safe_path(path) for path in found]


def _raw(frame: pd.DataFrame, piece: Piece, geometry: Any, crs: CRS | None) -> readers.SourcePart:
    rows = tuple(range(piece.first + 1, piece.first + 1 + len(frame)))
    return readers.SourcePart(file=piece.path.name, layer="", rows=rows, geometry=geometry, attributes=frame, crs=crs)


def piece_ids(piece: Piece) -> pd.Series[Any]:
    """Read nothing but the ids of a piece, as the sites will have them.

    Parameters
    ----------
    piece
        Which rows of which file.

    Raises
    ------
    SiteError
        The file can not be read, an id is not text.
    """
    names = matching(geoparquet.column_names(piece.path)).get("site_id", [])
    frame = geoparquet.read_columns(piece.path, names, piece.first, piece.rows)
    faults: list[Problem] = []
    part = _raw(frame, piece, np.full(len(frame), None, dtype=object), None)
    table = columns.with_ids(columns.normalise([part], faults), piece.before + piece.first + 1)
    if faults:
        raise SiteError(faults)
    return table["site_id"]


def read_piece(
    piece: Piece,
    *,
    plan: Plan | None = None,
    crs: str | int | CRS | None = None,
    activity: str | None = None,
    works: str | None = None,
    skip_bad: bool = False,
    allow_far: bool = False,
) -> gpd.GeoDataFrame:
    """Read some rows of a GeoParquet file as ``read_sites`` would read them among all others.

    Parameters
    ----------
    piece
        Which rows of which file.
    plan, crs, activity, works, skip_bad, allow_far
        As for ``read_sites``. A CRS that neither the file nor the caller says is not looked for: some rows do not
        prove what all of them do.

    Raises
    ------
    SiteError, CrsError
        As for ``read_sites``.
    """
    given = columns.given(activity=activity, works=works)
    stated = crs_.stated(crs)
    frame = geoparquet.read_rows(piece.path, piece.first, piece.rows)
    if frame.crs is None and stated is None:
        raise CrsError(Problem(piece.path.name, None, "没有坐标系", "请用 --crs（crs=）指明"))
    declared = None if frame.crs is None else crs_.parse_crs(frame.crs)[0]
    plain = frame.drop(columns="geometry")
    part = readers.with_evidence(_raw(plain, piece, frame.geometry.to_numpy(), declared))
    attrs: dict[str, Any] = {"inputs": []} | ({"allow_far": True} if allow_far else {})
    first = piece.before + piece.first + 1
    return frame_.assemble(
        [part], attrs, plan=plan, crs=stated, facts=None, given=given, skip_bad=skip_bad, first=first, whole=False
    )
