"""Columns of findings as they are laid out for some sites, and the frame that all of them make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial.checks._reasons import ReasonTexts, concat
from ecospatial.model import CERTAINTY_DTYPE, OPEN_BY, VERDICT_DTYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class CategoryColumn:
    """Rows of a column of few values; ``code`` says which of those held each row has, -1 none."""

    held: Any
    code: NDArray[Any]

    def used(self) -> CategoryColumn:
        """Hold only values that are there."""
        seen = np.zeros(len(self.held) + 1, dtype=bool)
        seen[self.code] = True
        number = np.where(seen, np.cumsum(seen) - 1, -1).astype(np.int32)
        number[-1] = -1
        held = self.held.some(seen[:-1]) if isinstance(self.held, ReasonTexts) else list(compress(self.held, seen[:-1]))
        return CategoryColumn(held, number[self.code])


@dataclass(frozen=True)
class SparseColumn:
    """Rows of a column that is empty but for some places."""

    place: NDArray[np.intp]
    held: NDArray[Any]
    empty: Any


# Arrays, Coded or Sparse; all have the same length.
Columns = dict[str, Any]


def findings_frame(parts: list[Columns], crs: Any, *, jobs: int = 1) -> gpd.GeoDataFrame:
    """Put what was laid out for some sites after the other into one frame; ``jobs`` are threads."""
    ends = np.cumsum([len(part["verdict"]) for part in parts])

    def laid(name: str) -> Any:
        # Of many rows each column is let go of when it is in place.
        columns: list[Any] = [part.pop(name) for part in parts]
        if isinstance(columns[0], CategoryColumn):
            return _picked(columns)
        if not isinstance(columns[0], SparseColumn):
            return np.concatenate(columns)
        whole = np.full(ends[-1], columns[0].empty, dtype=columns[0].held.dtype)
        for part, rows in zip(columns, np.split(whole, ends[:-1]), strict=True):
            rows[part.place] = part.held
        return whole

    names = list(parts[0])
    # The reasons take longest.
    order = sorted(names, key=lambda name: name != "reason")
    found = dict(zip(order, each(laid, order, jobs=jobs), strict=True))
    data = {name: found.pop(name) for name in names}
    data["verdict"] = pd.Categorical.from_codes(data["verdict"], dtype=VERDICT_DTYPE)
    data["certainty"] = pd.Categorical.from_codes(data["certainty"], dtype=CERTAINTY_DTYPE)
    data["open_by"] = pd.Categorical.from_codes(data["open_by"], dtype=pd.CategoricalDtype(list(OPEN_BY)))
    touched = data["touched"]
    data["touched"] = pd.arrays.BooleanArray(touched == 1, touched < 0)
    data["geometry"] = gpd.array.GeometryArray(data["geometry"], crs=crs)
    # Nothing else holds these columns, so they need not be copied.
    return gpd.GeoDataFrame(pd.DataFrame(data, copy=False), geometry="geometry", copy=False)


def _picked(parts: list[CategoryColumn]) -> pd.Categorical | NDArray[Any]:
    """Give the values of a column of few values; of texts each is held once, in the order in which it first comes."""
    tables: list[Any] = [part.held for part in parts]
    if isinstance(tables[0], ReasonTexts):
        texts, code = _written(concat(tables))
    elif isinstance(tables[0], list):
        held, code = _distinct(chain.from_iterable(tables))
        texts = pd.Index(held, dtype=object)
    else:
        return _looked_up(tables, parts)
    # Codes as small as they may be: there are many rows.
    code = code.astype(np.min_scalar_type(-len(texts) - 1))
    own = np.split(code, np.cumsum([len(held) for held in tables])[:-1])
    rows = _looked_up([np.append(codes, code.dtype.type(-1)) for codes in own], parts)
    return pd.Categorical.from_codes(rows, categories=texts)


def _written(sentences: ReasonTexts) -> tuple[pd.Index[Any], NDArray[Any]]:
    """Write each sentence once, and give for each its place among these."""
    code, said = sentences.distinct()
    texts = pd.Index(said.texts(), dtype=object)
    if texts.is_unique:
        return texts, code
    # Two forms may come to the same words.
    held, own = _distinct(texts)
    return pd.Index(held, dtype=object), own[code]


def _looked_up(tables: list[NDArray[Any]], parts: list[CategoryColumn]) -> NDArray[Any]:
    """Look the codes of each part up in its table; the last place of a table stands for none."""
    ends = np.cumsum([len(part.code) for part in parts])
    rows = np.empty(ends[-1], dtype=tables[0].dtype)
    for table, part, place in zip(tables, parts, np.split(rows, ends[:-1]), strict=True):
        place[:] = table[part.code]
    return rows


def _distinct(texts: Iterable[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give each text once, and for each its place among these; -1 where there is none."""
    # On long texts a dictionary is many times as fast as pandas' own way to tell them apart.
    number: dict[Any, int] = {}
    code = np.array([number.setdefault(text, len(number)) for text in texts], dtype=np.intp)
    values = np.array([*number, None], dtype=object)[:-1]
    missing = pd.isna(values)
    if missing.any():
        code = np.where(missing, -1, np.cumsum(~missing) - 1)[code]
        values = values[~missing]
    return values, code


def each(do: Callable[..., Any], *given: Iterable[Any], jobs: int) -> list[Any]:
    """Do the same for each, with so many threads."""
    if jobs == 1:
        return list(map(do, *given))
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(do, *given))
