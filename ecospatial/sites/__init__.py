"""Any site file -> the normalised frame of sites, with everything that was changed said in words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial import crs as crs_
from ecospatial.errors import Problem, SiteError
from ecospatial.sites import assembling, columns, sources

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import geopandas as gpd
    from pyproj import CRS

    from ecospatial.plans import Plan

    Path = str | os.PathLike[str]

__all__ = ["from_wkt", "read_sites"]


def read_sites(
    source: Path | Iterable[Path] | gpd.GeoDataFrame,
    *,
    plan: Plan | None = None,
    crs: str | int | CRS | None = None,
    facts: Path | None = None,
    activity: str | None = None,
    works: str | None = None,
    skip_bad: bool = False,
    allow_far: bool = False,
) -> gpd.GeoDataFrame:
    """Read the sites of a file, of several, or of a frame into the form that checks work on.

    Its own output comes back unchanged.

    Parameters
    ----------
    source
        A file (survey TXT, CSV, XLSX, SHP, ZIP, GeoPackage, GeoJSON, KML, GML, FlatGeobuf, .gdb), a folder of
        such files, a list of paths, or a GeoDataFrame.
    plan
        The plan in whose CRS the sites are wanted; also proves a CRS that no file says.
    crs
        What the coordinates are in, as ``EPSG:4549``, ``gcj02``, ``bd09``, PROJ or WKT text; counts before
        what the file says.
    facts
        A CSV or XLSX with ``site_id`` and what is known of the projects; fills empty cells.
    activity, works
        Fill what is still empty: codes of GB/T 4754-2017 with ``;`` between, 建设性质.
    skip_bad
        Leave sites without a usable geometry out and list them in ``attrs["skipped"]`` instead of raising.
    allow_far
        Accept sites more than 20 km outside the plan.

    Returns
    -------
    GeoDataFrame
        Index ``site_id`` (text, unique), the columns of ``docs/interface.md`` section 4, then those of the
        file. In ``plan.crs``; without a plan in the CRS the source is in (EPSG:4490 when there are several).
        ``attrs``: ``inputs`` (file and SHA-256), ``skipped``, ``notices``.

    Raises
    ------
    SiteError
        All faults of the input, with file and row.
    CrsError
        The CRS is missing, contradicted, or can not be converted from.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> box = shapely.box(500000, 3520000, 500100, 3520100)
    >>> sites = read_sites(gpd.GeoDataFrame({"编号": ["07"]}, geometry=[box], crs=4549), works="新建")
    >>> sites.index.tolist(), sites.works["07"]
    (['07'], 'new')
    """
    given = _given(activity=activity, works=works)
    parsed = None if crs is None else crs_.parse_crs(crs)
    parts, attrs = sources.read_parts(source, without=facts)
    attrs |= {"allow_far": True} if allow_far else {}
    return assembling.assemble(parts, attrs, plan=plan, crs=parsed, facts=facts, given=given, skip_bad=skip_bad)


def from_wkt(
    text: str,
    *,
    plan: Plan | None = None,
    crs: str | int | CRS | None = None,
    activity: str | None = None,
    works: str | None = None,
    allow_far: bool = False,
) -> gpd.GeoDataFrame:
    """Make a frame of one site from WKT (or EWKT) text, x before y.

    Parameters
    ----------
    text
        The geometry, e.g. ``POLYGON ((500000 3520000, ...))``.
    plan, crs, activity, works, allow_far
        As for ``read_sites``.

    Returns
    -------
    GeoDataFrame
        As from ``read_sites``, with the one ``site_id`` "1".

    Raises
    ------
    SiteError
        The text is not WKT, or its geometry can not be used.
    CrsError
        As for ``read_sites``.

    Examples
    --------
    >>> from_wkt("POINT (119.95 31.79)", crs=4490).geometry["1"].x
    119.95
    """
    given = _given(activity=activity, works=works)
    parsed = None if crs is None else crs_.parse_crs(crs)
    part = sources.wkt_part(text)
    attrs: dict[str, Any] = {"inputs": [{"file": part.file, "sha256": hashlib.sha256(text.encode()).hexdigest()}]}
    attrs |= {"allow_far": True} if allow_far else {}
    return assembling.assemble([part], attrs, plan=plan, crs=parsed, facts=None, given=given, skip_bad=False)


def _given(**values: str | None) -> dict[str, Any]:
    """Read what the caller fills in, before anything else, so that a slip shows at once."""
    faults: list[Problem] = []
    given = {}
    for name, value in values.items():
        cell = pd.Series([value], dtype=object)
        given[name] = columns.read_cells(name, cell, [("", None)], faults, column=f"--{name} ")[0]
    if faults:
        raise SiteError(faults)
    return {name: value for name, value in given.items() if value is not None}
