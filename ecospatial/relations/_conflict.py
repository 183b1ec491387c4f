"""What sites share with features: which parts count, how large they are, which feature decides."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.geometry import (
        Cut,
    )
    from ecospatial.relations.measurement import Measures

# What counts as touched (docs/interface.md section 5): less is a shared edge or rounding.
MIN_AREA_M2 = 0.01
MIN_LENGTH_M = 0.001


def drop_specks(shapes: NDArray[Any]) -> NDArray[Any]:
    """Drop connected parts that are no more than a shared edge or rounding; a shape may be left empty.

    Parameters
    ----------
    shapes
        Geometries in a metric CRS, each of one dimension, or None.

    Examples
    --------
    >>> both = shapely.union(shapely.box(0, 0, 10, 10), shapely.box(20, 0, 20.0001, 10))
    >>> drop_specks(np.array([both], dtype=object))[0].bounds
    (0.0, 0.0, 10.0, 10.0)
    """
    several = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    if not len(several):
        return shapes
    parts, owner = shapely.get_parts(shapes[several], return_index=True)
    large = is_more_than_edge(parts)
    lost = np.unique(owner[~large])
    found = shapes.copy()
    for number in lost:
        kept = parts[(owner == number) & large]
        found[several[number]] = shapely.union_all(kept) if len(kept) else shapely.Polygon()
    return found


def take_rows(limits_m: NDArray[np.float64] | None, hit: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Return the limits of some sites; None stays None."""
    return None if limits_m is None else limits_m[hit]


def is_more_than_edge(shapes: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which shared parts are more than a shared edge or rounding; None is nothing."""
    dimension = shapely.get_dimensions(shapes)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    enough = np.where(dimension == 2, shapely.area(shapes) > MIN_AREA_M2, shapely.length(shapes) > MIN_LENGTH_M)
    return np.asarray(there & ((dimension == 0) | enough), dtype=bool)


def record_conflict(found: Measures, hit: NDArray[np.intp], conflict: NDArray[Any]) -> None:
    """Put the shared parts of some sites and their sizes into measures."""
    found.conflict[hit] = conflict
    dimension = shapely.get_dimensions(conflict)
    found.overlap_m2[hit] = np.where(dimension == 2, np.nan_to_num(shapely.area(conflict)), 0.0)
    found.overlap_length_m[hit] = np.where(dimension == 1, np.nan_to_num(shapely.length(conflict)), 0.0)


def name_deciding(found: Measures, parts: Cut, hit: NDArray[np.intp]) -> None:
    """Name for each site the feature with the largest share, and count those that are touched."""
    size = np.where(
        shapely.get_dimensions(parts.geometry) == 2,
        shapely.area(parts.geometry),
        shapely.length(parts.geometry),
    )
    if not len(size):
        return
    change = np.flatnonzero(np.diff(parts.site, prepend=-1) | np.diff(parts.owner, prepend=-1))
    site, owner = parts.site[change], parts.owner[change]
    total = np.add.reduceat(size, change)
    wanted = np.isin(site, hit)
    site, owner, total = site[wanted], owner[wanted], total[wanted]
    limit = np.where(shapely.get_dimensions(parts.geometry[change[wanted]]) == 2, MIN_AREA_M2, MIN_LENGTH_M)
    enough = (total > limit) | (shapely.get_dimensions(parts.geometry[change[wanted]]) == 0)
    order = np.lexsort((-owner, total, site))
    last = np.flatnonzero(np.diff(site[order], append=-1))
    found.feature[site[order][last]] = owner[order][last]
    np.add.at(found.features, site[enough], 1)


def is_same(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Say where two arrays hold the very same object: a site that lies whole in a zone is its own conflict."""
    return np.fromiter(map(operator.is_, left, right), dtype=bool, count=len(left))
