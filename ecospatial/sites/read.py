"""Any site file -> the normalised frame of sites, with everything that was changed said in words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial import crs as crs_
from ecospatial.sites import columns, frame, readers, repair

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from ecospatial.plans import Plan

    Path = str | os.PathLike[str]

__all__ = ["from_wkt", "much_repaired", "read_sites"]


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
    layer: str | None = None,
    towgs84: str | None = None,
    four_params: str | None = None,
    max_vertices: int = readers.MAX_VERTICES,
) -> gpd.GeoDataFrame:
    """Read the sites of a file, of several, or of a frame into the form that checks work on.

    Its own output comes back unchanged.

    Parameters
    ----------
    source
        A file (``docs/files.md`` lists what is read), a folder of such files, a pattern such as ``*.shp``, a list
        of paths, or a GeoDataFrame.
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
    layer
        Layer, CAD layer or sheet to read of files that have several.
    towgs84
        ``dx,dy,dz,rx,ry,rz,ppm`` from the datum of ``crs`` to CGCS2000, as ``+towgs84`` of PROJ.
    four_params
        ``dx,dy,angle,scale`` from a local plane to ``crs``, or to the CRS of the plan: metres, degrees
        counter-clockwise, factor.
    max_vertices
        Refuse input with more vertices.

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
    given = columns.given(activity=activity, works=works)
    parsed = crs_.stated(crs, towgs84=towgs84, four_params=four_params)
    parts, attrs = readers.read_parts(source, without=facts, layer=layer, max_vertices=max_vertices)
    attrs |= {"allow_far": True} if allow_far else {}
    return frame.assemble(parts, attrs, plan=plan, crs=parsed, facts=facts, given=given, skip_bad=skip_bad)


def much_repaired(sites: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which sites a repair changed by more than 1 % of their area or 100 m2: of them nothing is certain.

    Parameters
    ----------
    sites
        As from ``read_sites``.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> bow_tie = shapely.Polygon([(500000, 3520000), (500100, 3520100), (500100, 3520000), (500000, 3520100)])
    >>> both = read_sites(gpd.GeoDataFrame(geometry=[bow_tie, shapely.box(500000, 3520000, 500100, 3520100)], crs=4549))
    >>> much_repaired(both).tolist()
    [True, False]
    """
    if sites.crs is None:
        return np.zeros(len(sites), dtype=bool)
    change = sites["repair_area_m2"].to_numpy(dtype=np.float64)
    return repair.doubtful(change, sites.geometry.to_numpy(), sites.crs)


def from_wkt(
    text: str,
    *,
    plan: Plan | None = None,
    crs: str | int | CRS | None = None,
    activity: str | None = None,
    works: str | None = None,
    allow_far: bool = False,
    towgs84: str | None = None,
    four_params: str | None = None,
    max_vertices: int = readers.MAX_VERTICES,
) -> gpd.GeoDataFrame:
    """Make a frame of one site from WKT (or EWKT) text, x before y.

    Parameters
    ----------
    text
        The geometry, e.g. ``POLYGON ((500000 3520000, ...))``.
    plan, crs, activity, works, allow_far, towgs84, four_params, max_vertices
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
    given = columns.given(activity=activity, works=works)
    parsed = crs_.stated(crs, towgs84=towgs84, four_params=four_params)
    part = readers.wkt_part(text, max_vertices=max_vertices)
    attrs: dict[str, Any] = {"inputs": [{"file": part.file, "sha256": hashlib.sha256(text.encode()).hexdigest()}]}
    attrs |= {"allow_far": True} if allow_far else {}
    return frame.assemble([part], attrs, plan=plan, crs=parsed, facts=None, given=given, skip_bad=False)
