"""The columns of sites: found under their many names, read cell by cell, filled from the facts file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial import io
from ecospatial.errors import Problem, SiteError
from ecospatial.io._encoding import shown
from ecospatial.model import FACTS
from ecospatial.sites import readers
from ecospatial.sites.aliases import KNOWN, NAMES, UnreadableError, matching, read_cell

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ecospatial.sites.readers import SourcePart

    Places = Sequence[tuple[str, int | str | None]]

OURS = (*NAMES, "repair", "repair_area_m2", "datum_open", "source")
_STRICT = ("activity", "works", *FACTS)
# Of these a cell of text says what it says.
_PLAIN = ("site_id", "site_name")
_TABLES = (".csv", ".xlsx")


def normalise(parts: list[SourcePart], faults: list[Problem]) -> pd.DataFrame:
    """Read the columns of all parts into ours.

    Parameters
    ----------
    parts
        The parts of the source.
    faults
        Cells that can not be read are added here.

    Returns
    -------
    DataFrame
        One row per site in the order of the source: our columns, None where nothing is said, then the others.
    """
    raw = readers.stacked(parts)
    places = readers.Places(parts)
    found = matching([str(c) for c in raw.columns])
    data: dict[str, Any] = {}
    for target in NAMES:
        data[target] = _read(target, raw, found.get(target, []), places, faults)
    data |= _made_before(raw, parts)
    used = {names[0] for names in found.values()} | {"repair", "repair_area_m2"}
    used |= {"datum_open"} if all(part.made_before for part in parts) else set()
    for column in raw.columns:
        if column not in used and not (column == "source" and not parts[0].file):
            name = f"{column}_1" if column in OURS or column == "geometry" else column
            data[name] = raw[column]
    return pd.DataFrame(data, index=raw.index)


def _read(target: str, raw: pd.DataFrame, names: list[str], places: Places, faults: list[Problem]) -> pd.Series[Any]:
    """Read the cells of a column; where it is empty the next one of the same meaning counts."""
    result = pd.Series([None] * len(raw), index=raw.index, dtype=object)
    for column in names:
        cells = read_cells(target, raw[column], places, faults, column=column)
        both = cells.notna() & result.notna() & (cells != result)
        if target in _STRICT:
            for i in np.flatnonzero(both.to_numpy()):
                fault = f"“{shown(names[0])}”与“{shown(column)}”矛盾"
                file, row = places[int(i)]
                faults.append(Problem(file, row, fault, "请更正其中一列"))
        result = result.where(result.notna(), cells)
    return result.where(result.notna(), None)


def read_cells(
    target: str, cells: pd.Series[Any], places: Places, faults: list[Problem], *, column: str
) -> pd.Series[Any]:
    """Read the cells of one of our columns; those that mean nothing are added to ``faults``."""
    read: dict[Any, Any] = {}
    wrong: dict[Any, str] = {}
    values = cells.astype(object).tolist()
    types = set(map(type, values))
    if types == {str} and target in _PLAIN:
        return pd.Series([value.strip() or None for value in values], index=cells.index, dtype=object)
    # Of one type the texts tell them apart.
    texts = list(map(str, values))
    keys: list[Any] = texts if len(types) == 1 else list(zip(map(type, values), texts, strict=True))
    for key, value in dict(zip(keys, values, strict=True)).items():
        try:
            read[key] = read_cell(target, value)
        except UnreadableError as error:
            read[key], wrong[key] = None, str(error)
    for key, value, place in zip(keys, values, places, strict=True) if wrong else ():
        if key in wrong:
            faults.append(Problem(*place, f"{shown(column)}“{shown(value)}”无法识别", wrong[key]))
    return pd.Series(list(map(read.__getitem__, keys)), index=cells.index, dtype=object)


def _made_before(raw: pd.DataFrame, parts: list[SourcePart]) -> dict[str, Any]:
    """Keep what an earlier reading noted; the source is new for files and kept for frames."""
    both = {"repair", "repair_area_m2"} <= set(raw.columns)
    empty = pd.Series([None] * len(raw), index=raw.index, dtype=object)
    places = pd.Series([place for part in parts for place in part.places()], index=raw.index, dtype=object)
    if not parts[0].file and "source" in raw.columns:
        told = raw["source"].astype(object)
        places = told.where(told.notna() & (told != ""), places)
    area = pd.to_numeric(raw["repair_area_m2"], errors="coerce") if both else empty.astype(float)
    return {
        "repair": raw["repair"].astype(object) if both else empty,
        "repair_area_m2": area,
        "datum_open": _was_open(raw) if all(part.made_before for part in parts) else empty.notna(),
        "source": places,
    }


def _was_open(raw: pd.DataFrame) -> pd.Series[Any]:
    """Read whether an earlier reading left the datum open; its accuracy holds that already."""
    if "datum_open" not in raw.columns:
        return pd.Series(np.zeros(len(raw), dtype=bool), index=raw.index)
    return raw["datum_open"].map(lambda value: str(value).strip().lower() in ("true", "1", "1.0")).astype(bool)


def with_ids(table: pd.DataFrame, first: int = 1) -> pd.DataFrame:
    """Give the sites without an id the number of their place in the source, of which ``first`` is here the first."""
    numbers = pd.Series([str(i) for i in range(first, first + len(table))], index=table.index, dtype=object)
    return table.assign(site_id=table["site_id"].where(table["site_id"].notna(), numbers))


def with_defaults(table: pd.DataFrame) -> pd.DataFrame:
    """Fill what a source need not say: the name is the id, the accuracy 0."""
    return table.assign(
        site_name=table["site_name"].where(table["site_name"].notna(), table["site_id"]),
        accuracy_m=pd.to_numeric(table["accuracy_m"]).fillna(0.0).astype(float),
    )


def duplicates(ids: pd.Series[Any], places: Places) -> list[Problem]:
    """List ids that occur more than once, with all their rows."""
    problems = []
    for name, rows in ids[ids.duplicated(keep=False)].groupby(ids, sort=False):
        where = [places[int(str(i))] for i in rows.index]
        several = len({file for file, _ in where}) > 1
        listed = "、".join(f"{file} 第 {row} 行" if several else f"第 {row} 行" for file, row in where[:10])
        fault = f"编号“{shown(name)}”重复：{listed}"
        problems.append(Problem(where[0][0], None, fault, "请使用不同的 site_id"))
    return problems


# ------------------------------------------------------------------------------------------- the facts


def fill(table: pd.DataFrame, given: dict[str, Any]) -> pd.DataFrame:
    """Fill cells that are empty with one value for all."""
    filled = table.copy()
    for name, value in given.items():
        filled[name] = table[name].where(table[name].notna(), value)
    return filled


def fill_from(
    table: pd.DataFrame, path: str | os.PathLike[str], faults: list[Problem]
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Fill cells that are empty from a facts file.

    Parameters
    ----------
    table
        Our columns, with ids.
    path
        A CSV or XLSX with ``site_id`` and any of our columns.
    faults
        Contradictions, unknown ids and unreadable cells are added here.

    Returns
    -------
    tuple
        The filled table, the file's entry for ``inputs``, and notices.

    Raises
    ------
    SiteError
        The file can not be read or has no ids.
    """
    place = io.safe_path(path)
    if place.suffix.lower() not in _TABLES:
        raise SiteError(Problem(place.name, None, "项目情况应为 .csv 或 .xlsx", "请另存后重试"))
    raw = io.read_table(place, known=KNOWN)
    found = matching([str(c) for c in raw.columns])
    if "site_id" not in found:
        raise SiteError(Problem(place.name, None, "没有 site_id 列", "请加上 site_id（编号、地块编号）列"))
    places: Places = [(place.name, int(str(row))) for row in raw.index]
    ids = read_cells("site_id", raw[found["site_id"][0]], places, faults, column="site_id")
    rows = {name: i for i, name in enumerate(table["site_id"])}
    faults += _id_faults(ids, places, rows)
    filled = table.copy()
    for target, names in found.items():
        if target != "site_id":
            cells = _read(target, raw, names, places, faults)
            filled[target] = _merged(filled[target], ids, cells, places, rows, faults=faults, target=target)
    used = {name for names in found.values() for name in names}
    extra = [shown(column) for column in raw.columns if column not in used]
    notices = [f"{place.name}：未使用的列：{'、'.join(extra)}"] if extra else []
    return filled, {"file": place.name, "sha256": io.sha256(place)}, notices


def _id_faults(ids: pd.Series[Any], places: Places, rows: dict[str, int]) -> list[Problem]:
    faults = []
    seen: set[str] = set()
    for name, place in zip(ids, places, strict=True):
        if name is None:
            faults.append(Problem(*place, "site_id 是空的", "请填写"))
        elif name in seen:
            faults.append(Problem(*place, f"site_id“{shown(name)}”重复", "每个地块只留一行"))
        elif name not in rows:
            known = "、".join(shown(r) for r in list(rows)[:10])
            faults.append(Problem(*place, f"没有编号为“{shown(name)}”的地块", f"红线中的编号：{known}"))
        seen.add(name)
    return faults


def _merged(
    column: pd.Series[Any],
    ids: pd.Series[Any],
    cells: pd.Series[Any],
    places: Places,
    rows: dict[str, int],
    *,
    faults: list[Problem],
    target: str,
) -> pd.Series[Any]:
    values = column.tolist()
    for name, cell, place in zip(ids, cells, places, strict=True):
        i = rows.get(name)
        if i is None or cell is None:
            continue
        default = values[i] is None or values[i] == {"site_name": name, "accuracy_m": 0.0}.get(target)
        if default:
            values[i] = cell
        elif values[i] != cell:
            fault = f"地块“{shown(name)}”的 {target} 与红线文件矛盾：{shown(cell)}，红线文件为 {shown(values[i])}"
            faults.append(Problem(*place, fault, "请更正其中一处"))
    return pd.Series(values, index=column.index, dtype=object)


def given(**values: str | None) -> dict[str, Any]:
    """Read what the caller fills in, before anything else, so that a slip shows at once."""
    faults: list[Problem] = []
    read = {}
    for name, value in values.items():
        cell = pd.Series([value], dtype=object)
        read[name] = read_cells(name, cell, [("", None)], faults, column=f"--{name} ")[0]
    if faults:
        raise SiteError(faults)
    return {name: value for name, value in read.items() if value is not None}
