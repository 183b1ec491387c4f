"""From the parts of a source to the one frame of sites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, Problem, SiteError
from ecospatial.sites import columns, georeference, outlines, peers, plausible, readers
from ecospatial.sites import repair as repair_

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray
    from pyproj import CRS

    from ecospatial.geometry.repair import Repaired
    from ecospatial.plans import Plan
    from ecospatial.sites.readers import SourcePart

_SEPARATOR = "；"


@dataclass(frozen=True, slots=True)
class _Faults:
    """All faults found on the way: of sites, of the CRS, and of single rows (by number in the whole source)."""

    sites: list[Problem] = field(default_factory=list)
    crs: list[Problem] = field(default_factory=list)
    rows: dict[int, list[Problem]] = field(default_factory=dict)

    def raise_(self, *, skip_bad: bool) -> None:
        """Raise everything at once; faulty rows are no error when they may be skipped."""
        rows = [] if skip_bad else [problem for row in sorted(self.rows) for problem in self.rows[row]]
        if self.sites or rows:
            raise SiteError(dict.fromkeys([*self.crs, *self.sites, *rows]))
        if self.crs:
            raise CrsError(dict.fromkeys(self.crs))


@dataclass(frozen=True, slots=True)
class _Located:
    """The geometries of all parts in one CRS, with a note each on what was changed."""

    geometry: NDArray[Any]
    crs: CRS
    notes: list[str]
    notices: list[str]
    datum_open: NDArray[np.bool_]


def assemble(
    parts: list[SourcePart],
    attrs: dict[str, Any],
    *,
    plan: Plan | None,
    crs: crs_.Stated | None,
    facts: str | os.PathLike[str] | None,
    given: dict[str, Any],
    skip_bad: bool,
    first: int = 1,
    whole: bool = True,
) -> gpd.GeoDataFrame:
    """Make the frame of sites of the parts of a source.

    Parameters
    ----------
    parts, attrs
        As read; ``attrs`` go to the frame.
    plan, crs, facts, skip_bad
        As for ``read_sites``, ``crs`` as from ``crs.stated``.
    given
        Our columns with the value that fills their empty cells.
    first
        Place of the first site in the whole source, when this is a piece of it.
    whole
        Whether all sites of the source are there, to be compared with each other.

    Raises
    ------
    SiteError, CrsError
        All faults of all parts.
    """
    faults = _Faults()
    parts = [outlines.close_outlines(part) for part in parts]
    places = readers.Places(parts)
    table, attrs = _table(parts, attrs, facts=facts, given=given, faults=faults, first=first)
    _find_bad_rows(parts, faults)
    located = _located(parts, faults, plan=plan, crs=crs, allow_far=bool(attrs.get("allow_far")))
    done, empty = repair_.repaired(located.geometry, located.crs)
    folded, distorted = plausible.compare_areas(done.geometry, located.crs, table["site_id"].tolist())
    if not (faults.crs or faults.sites):  # in a wrong CRS every area is wrong: that one fault says it
        empty = np.where(empty == "", folded, empty)
    for i in np.flatnonzero(empty != ""):
        file, row = places[int(i)]
        faults.rows[int(i)] = [Problem(file, row, str(empty[i]), repair_.WAY)]
    faults.raise_(skip_bad=skip_bad)
    frame = _frame(table, done, located)
    if faults.rows:
        frame = frame.iloc[[i for i in range(len(table)) if i not in faults.rows]]
    told = [crs.told] if crs is not None and crs.told else []
    beside = _beside(parts, table, done.geometry, located.crs) if whole else []
    attrs |= {"notices": [*attrs["notices"], *told, *located.notices, *distorted, *beside]}
    frame.attrs = attrs | {"skipped": [*attrs.get("skipped", []), *_skipped(table, faults)]}
    return frame


def _beside(parts: list[SourcePart], table: pd.DataFrame, geometry: NDArray[Any], crs: CRS) -> list[str]:
    """Tell what the sites of each file are beside each other: of several shapes, the same, overlapping."""
    ids, unit = table["site_id"].tolist(), repair_.unit_m2(geometry, crs)
    notices, start = [], 0
    for part in parts:
        own = slice(start, start + len(part.rows))
        start = own.stop
        if not part.made_before:
            notices += outlines.describe_shapes(part, geometry[own])
            notices += peers.describe_peers(part.file, geometry[own], ids[own], unit[own])
    return notices


def _table(
    parts: list[SourcePart],
    attrs: dict[str, Any],
    *,
    facts: str | os.PathLike[str] | None,
    given: dict[str, Any],
    faults: _Faults,
    first: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read and fill the columns; the entries for ``attrs`` grow with what was read."""
    for part in parts:
        if part.file and not part.rows:
            faults.sites.append(Problem(part.file, None, "没有地块", "请核对文件"))
    places = readers.Places(parts)
    table = columns.with_ids(columns.normalise(parts, faults.sites), first)
    faults.sites.extend(columns.duplicates(table["site_id"], places))
    notices = [*attrs.get("notices", []), *(notice for part in parts for notice in part.notices)]
    inputs = list(attrs.get("inputs", []))
    if facts is not None:
        table, entry, more = columns.fill_from(table, facts, faults.sites)
        notices += more
        inputs.append(entry)
    table = columns.with_defaults(columns.fill(table, given))
    return table, attrs | {"inputs": inputs, "notices": notices}


def _find_bad_rows(parts: list[SourcePart], faults: _Faults) -> None:
    """Collect the rows that can not be used as they stand in the source."""
    before = 0
    for part in parts:
        unusable = repair_.unusable(part.geometry)
        told = [i for i, known in enumerate(part.faults) if known]
        for i in sorted({*told, *np.flatnonzero(unusable != "").tolist()}):
            known = list(part.faults[i]) if part.faults else []
            faults.rows[before + i] = known or [Problem(part.file, part.rows[i], str(unusable[i]), repair_.WAY)]
        before += len(part.rows)


def _located(
    parts: list[SourcePart],
    faults: _Faults,
    *,
    plan: Plan | None,
    crs: crs_.Stated | None,
    allow_far: bool,
) -> _Located:
    """Bring all parts into the CRS of the plan, or into one without a plan."""
    geometries: list[tuple[NDArray[Any], CRS]] = []
    notes: list[str] = []
    notices: list[str] = []
    datum_open: list[bool] = []
    start = 0
    for part in parts:
        geometry = part.geometry.copy()
        geometry[[row - start for row in faults.rows if start <= row < start + len(part.rows)]] = None
        before = start
        start += len(part.rows)
        note, is_open = "", False
        try:
            placed = georeference.place(part, geometry, plan=plan, given=crs, allow_far=allow_far)
        except CrsError as error:
            faults.crs.extend(error.problems)
            geometries.append((np.full(len(geometry), None, dtype=object), crs_.CGCS2000))
        else:
            geometries.append((placed.geometry, placed.crs))
            note, is_open = placed.note, placed.datum_open
            for i, text in placed.too_large:
                faults.rows.setdefault(before + i, []).append(Problem(part.file, part.rows[i], text, repair_.WAY))
            notices += [placed.notice] if placed.notice else []
            if placed.far is not None:
                (faults.crs if placed.fits_elsewhere else faults.sites).append(placed.far)
        notes += [_joined(own, note) for own in part.notes] if part.notes else [note] * len(part.rows)
        datum_open += [is_open] * len(part.rows)
    shapes_, one = _in_one(geometries, faults)
    return _Located(shapes_, one, notes, notices, np.array(datum_open, dtype=bool))


def _in_one(geometries: list[tuple[NDArray[Any], CRS]], faults: _Faults) -> tuple[NDArray[Any], CRS]:
    first = geometries[0][1]
    if all(crs_.same(crs, first) for _, crs in geometries):
        return np.concatenate([shapes_ for shapes_, _ in geometries]), first
    moved = []
    for shapes_, crs in geometries:
        try:
            moved.append(crs_.transform(shapes_, crs, crs_.CGCS2000))
        except CrsError as error:
            faults.crs.extend(error.problems)
            moved.append(np.full(len(shapes_), None, dtype=object))
    return np.concatenate(moved), crs_.CGCS2000


def _frame(table: pd.DataFrame, done: Repaired, located: _Located) -> gpd.GeoDataFrame:
    told = np.array([text if isinstance(text, str) else "" for text in table["repair"]], dtype=object)
    before = table["repair_area_m2"].fillna(0.0).to_numpy(dtype=np.float64)
    now = repair_.doubtful(done.area_change_m2, done.geometry, located.crs)
    notes = [told, np.array(located.notes, dtype=object), done.note, np.where(now, repair_.DOUBTFUL, "").astype(object)]
    repair = np.full(len(table), "", dtype=object)
    for row in np.flatnonzero(np.logical_or.reduce([texts != "" for texts in notes])):
        repair[row] = _joined(*(texts[row] for texts in notes))
    known = table["datum_open"].to_numpy(dtype=bool)
    accuracy = table["accuracy_m"].to_numpy(dtype=np.float64)
    ours = table.assign(
        repair=repair,
        repair_area_m2=before + done.area_change_m2,
        datum_open=known | located.datum_open,
        accuracy_m=accuracy + np.where(located.datum_open & ~known, georeference.DATUM_OPEN_M, 0.0),
    )
    first = [name for name in columns.OURS if name != "site_id"]
    others = [name for name in ours.columns if name not in first and name != "site_id"]
    index = pd.Index(ours["site_id"].to_numpy(dtype=object), dtype=object, name="site_id")
    data = ours[[*first, *others]].set_axis(index, axis=0)
    geometry = gpd.GeoSeries(done.geometry, index=index, crs=located.crs)
    return gpd.GeoDataFrame(data, geometry=geometry, crs=located.crs)


def _joined(*texts: str) -> str:
    return _SEPARATOR.join(filter(None, texts))


def _skipped(table: pd.DataFrame, faults: _Faults) -> list[dict[str, str]]:
    return [
        {
            "site_id": str(table["site_id"].iloc[row]),
            "source": str(table["source"].iloc[row]),
            "problem": _SEPARATOR.join(problem.message for problem in faults.rows[row]),
        }
        for row in sorted(faults.rows)
    ]
