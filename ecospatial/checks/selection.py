"""Which features of a kind a rule is about: those that its ``where`` names, and those that it may name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial.checks.reasons import feature_names
from ecospatial.model.names import NAME_COLUMNS, UNNAMED, fold_forms, fold_name, match_names
from ecospatial.relations import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Layer

Where = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class FeatureGroup:
    """Features that would move together if their layer were wrong: of one layer, with one accuracy.

    ``accuracy_m`` is NaN where it is unknown. ``guessed`` says that the position is a guess, ``repaired`` that a
    repair changed the features much. ``matched`` are those that the rule names, ``possible`` adds those that it may
    name.
    """

    accuracy_m: float
    guessed: bool
    repaired: bool
    matched: Target
    possible: Target


class FeatureSet:
    """The features of one selection, indexed once and shared by all rules that select the same ones.

    Parameters
    ----------
    frame
        All features of the kind, in the CRS of the plan.
    matched_row, possible_row
        Positions of the features that are named, and of these with those that may be.
    sources
        For each accuracy the layer, with that accuracy.
    source
        For each feature of the frame its position in ``sources``.
    hulls
        For each feature of the frame the convex hull of its shape as it was read where a repair changed it much,
        else None.
    """

    def __init__(
        self,
        frame: gpd.GeoDataFrame,
        matched_row: NDArray[np.intp],
        possible_row: NDArray[np.intp],
        *,
        sources: tuple[Layer, ...],
        source: NDArray[np.intp],
        hulls: NDArray[Any],
    ) -> None:
        self._geometry = frame.geometry.to_numpy()
        self.matched_row, self.possible_row = matched_row, possible_row
        self._sources, self._source, self._hulls = sources, source, hulls
        self.matched = Target(self._geometry[matched_row])
        self.possible = self.matched if len(matched_row) == len(possible_row) else Target(self._geometry[possible_row])

    @cached_property
    def groups(self) -> tuple[FeatureGroup, ...]:
        """The features by layer and accuracy."""
        rows, found = self.possible_row, []
        repaired = ~shapely.is_missing(self._hulls)
        key = self._source[rows] * 2 + repaired[rows]
        single = len(np.unique(key)) == 1
        for value in np.unique(key):
            own = rows[key == value]
            layer = self._sources[value // 2]
            named = np.intersect1d(own, self.matched_row, assume_unique=True)
            everything = self.possible if single else Target(self._geometry[own])
            sure = everything if len(named) == len(own) else Target(self._geometry[named])
            found.append(
                FeatureGroup(
                    accuracy_m=np.nan if layer.accuracy_m is None else layer.accuracy_m,
                    guessed=layer.basis == "guessed",
                    repaired=bool(value % 2),
                    matched=self.matched if single else sure,
                    possible=everything,
                )
            )
        return tuple(found)

    @cached_property
    def hulls(self) -> NDArray[Any]:
        """Convex hulls of the selected features that a repair changed much."""
        own = self._hulls[self.possible_row]
        return np.asarray(own[~shapely.is_missing(own)], dtype=object)


@dataclass(frozen=True)
class FeatureSelection:
    """The features that a rule is about, and what is not known of them.

    ``doubts`` says for each feature of ``frame`` why it only may be meant; empty text where it is not in doubt.
    ``missing`` are the values of ``where``, with their column, that no feature carries and nobody confirmed as absent.
    ``unmatched`` says that no feature fulfils ``where`` and nobody confirmed that there is none: nothing can be told,
    and ``features`` are then all features of the kind, none of them sure.
    """

    kind: str
    frame: gpd.GeoDataFrame
    features: FeatureSet
    doubts: NDArray[Any]
    missing: tuple[tuple[str, str], ...]
    unmatched: bool
    unlocated: bool
    sources: tuple[Layer, ...]
    source: NDArray[np.intp]

    @property
    def matched(self) -> Target:
        """The features that ``where`` names."""
        return self.features.matched

    @property
    def possible(self) -> Target:
        """The features that ``where`` names or may name."""
        return self.features.possible

    @property
    def matched_row(self) -> NDArray[np.intp]:
        """Positions in ``frame`` of the features that ``where`` names."""
        return self.features.matched_row

    @property
    def possible_row(self) -> NDArray[np.intp]:
        """Positions in ``frame`` of the features that ``where`` names or may name."""
        return self.features.possible_row

    @cached_property
    def ids(self) -> NDArray[Any]:
        """The id of each feature."""
        return np.asarray(self.frame["feature_id"], dtype=object)

    @cached_property
    def names(self) -> NDArray[Any]:
        """Name each feature for a sentence; empty text where there is no name."""
        return feature_names(self.frame, self.kind)


@dataclass(frozen=True)
class _Column:
    """How one column of ``where`` matches: for each feature, and what of its values is missing."""

    match: NDArray[np.bool_]
    may: NDArray[np.bool_]
    other_name: NDArray[np.bool_]
    doubts: NDArray[Any]
    missing: tuple[str, ...]
    all_absent: bool


def select_features(
    kind: str,
    frame: gpd.GeoDataFrame,
    where: Where = (),
    *,
    layers: Sequence[Layer] = (),
    hulls: NDArray[Any] | None = None,
    share: Callable[[FeatureSet], FeatureSet] = lambda found: found,
) -> FeatureSelection:
    """Choose the features that a ``where`` names; all of them without one.

    Parameters
    ----------
    kind
        The kind of the layer.
    frame
        Its features, with the column ``layer``.
    where
        Columns and their values; a feature has to have one of the values of every column.
    layers
        The layers of the frame, for their accuracy, confirmed names and confirmed absences.
    hulls
        For each feature the convex hull of what was read where a repair changed it much, else None.
    share
        Gives the features that were indexed before for an equal selection.
    """
    count = len(frame)
    columns = {name: _match_column(frame, name, values, layers) for name, values in where}
    match, may = np.ones(count, dtype=bool), np.ones(count, dtype=bool)
    for column in columns.values():
        match &= column.match
        may &= column.match | column.may
    missing = tuple((name, value) for name, column in columns.items() for value in column.missing)
    unmatched = bool(where) and not may.any() and not any(column.all_absent for column in columns.values())
    doubts = np.full(count, "", dtype=object)
    for column in columns.values():
        doubts = np.where((doubts == "") & ~column.match, column.doubts, doubts)
    other = np.zeros(count, dtype=bool)
    for name, column in columns.items():
        if name in NAME_COLUMNS and column.missing:
            rest = [one.match | one.may for key, one in columns.items() if key != name]
            other |= column.other_name & np.logical_and.reduce(rest) if rest else column.other_name
    located = _located(frame)
    doubts = np.where((doubts == "") & ~located, "只知所在街道或镇，具体位置未定，须核实", doubts)
    possible = may | other
    sources, source = _by_accuracy(frame, layers)
    matched_row = np.empty(0, dtype=np.intp) if unmatched else np.flatnonzero(match & located)
    possible_row = np.arange(count) if unmatched else np.flatnonzero(possible)
    none = np.full(count, None, dtype=object)
    features = FeatureSet(
        frame, matched_row, possible_row, sources=sources, source=source, hulls=none if hulls is None else hulls
    )
    return FeatureSelection(
        kind=kind,
        frame=frame,
        features=share(features),
        doubts=doubts,
        missing=missing,
        unmatched=unmatched,
        unlocated=bool((possible & ~located).any()),
        sources=sources,
        source=source,
    )


def _located(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    if "located" not in frame:
        return np.ones(len(frame), dtype=bool)
    return np.array([value is not False and value is not np.False_ for value in frame["located"]], dtype=bool)


def _match_column(frame: gpd.GeoDataFrame, name: str, values: tuple[str, ...], layers: Sequence[Layer]) -> _Column:
    """Match one column; cells are compared once for each distinct value and layer."""
    count = len(frame)
    cells = frame[name].to_numpy(dtype=object) if name in frame else np.full(count, None, dtype=object)
    empty = np.asarray(pd.isna(cells), dtype=bool)
    pairs = zip(cells, empty, strict=True)
    texts = np.array(["" if gone else _format_cell(cell) for cell, gone in pairs], dtype=object)
    unknown = frame["unknown_words"].to_numpy(dtype=object) if "unknown_words" in frame else np.full(count, "", object)
    names = name in NAME_COLUMNS
    match, may, other = np.zeros(count, dtype=bool), empty.copy(), np.zeros(count, dtype=bool)
    carried = dict.fromkeys(values, False)
    if not names:
        match = np.isin(texts, list(values)) & ~empty
        carried = {value: bool((texts == value).any()) for value in values}
    else:
        of_layer = frame["layer"].to_numpy(dtype=object) if "layer" in frame else np.full(count, None, dtype=object)
        confirmed = {layer.name: layer.confirmed_names(name) for layer in layers}
        for layer_name in dict.fromkeys(of_layer):
            own = np.flatnonzero((of_layer == layer_name) & ~empty)
            code, distinct = pd.factorize(texts[own])
            only = confirmed.get(layer_name, frozenset())
            means, may_mean = match_names(list(distinct), values, confirmed=only)
            alone = {fold_forms(text) for text in only}
            free = np.array([fold_forms(x) not in alone and fold_name(x) != UNNAMED for x in distinct], dtype=bool)
            match[own], may[own] = means[code], may_mean[code]
            other[own] = (free & ~means & ~may_mean)[code]
            for value in values:
                carried[value] |= bool(match_names(list(distinct), (value,), confirmed=only)[0].any())
    absent = {value: bool(layers) and all(_is_absent(layer, name, value) for layer in layers) for value in values}
    label = "、".join(values)
    doubts = np.full(count, "", dtype=object)
    for row in np.flatnonzero(~match):
        if empty[row]:
            word = next((part for part in str(unknown[row] or "").split(";") if part.startswith(f"{name}=")), "")
            given = f"“{word.partition('=')[2]}”不在词表中" if word else "为空"
            doubts[row] = f"图层该要素的 {name} {given}，须核实是否属于{label}"
        elif may[row]:
            doubts[row] = f"图层该要素的 {name}“{texts[row]}”可能就是{label}，须核实"
        elif other[row]:
            gone = "、".join(value for value in values if not carried[value] and not absent[value])
            doubts[row] = f"图层中没有{gone}，也未确认本区没有，须核实“{texts[row]}”是否就是{gone}"
    missing = tuple(value for value in values if not carried[value] and not absent[value])
    return _Column(match, may, other, doubts, missing, all(absent.values()))


def _is_absent(layer: Layer, column: str, value: str) -> bool:
    """Return whether a layer confirms that no feature with a value exists."""
    listed = layer.absent.get(column, ())
    if value in listed:
        return True
    return column in NAME_COLUMNS and bool(match_names(list(listed), (value,))[0].any())


def _format_cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _by_accuracy(frame: gpd.GeoDataFrame, layers: Sequence[Layer]) -> tuple[tuple[Layer, ...], NDArray[np.intp]]:
    """Give each feature its layer, with the accuracy and basis of its own where it has them."""
    found = list(layers)
    position = {layer.name: number for number, layer in enumerate(layers)}
    if "layer" not in frame or not layers:
        return tuple(found), np.zeros(len(frame), dtype=np.intp)
    source = np.array([position.get(name, 0) for name in frame["layer"]], dtype=np.intp)
    if "accuracy_m" not in frame and "accuracy_basis" not in frame:
        return tuple(found), source
    blank = [None] * len(frame)
    accuracy = pd.to_numeric(frame["accuracy_m"] if "accuracy_m" in frame else pd.Series(blank, dtype=float))
    basis = frame["accuracy_basis"] if "accuracy_basis" in frame else pd.Series(blank, dtype=object)
    known: dict[tuple[int, Any, Any], int] = {}
    for row in np.flatnonzero(accuracy.notna().to_numpy() | basis.notna().to_numpy()):
        own_m = None if pd.isna(accuracy.iloc[row]) else float(accuracy.iloc[row])
        own_basis = None if pd.isna(basis.iloc[row]) else str(basis.iloc[row])
        key = int(source[row]), own_m, own_basis
        if key not in known:
            layer = layers[key[0]]
            changed = replace(
                layer,
                accuracy_m=layer.accuracy_m if own_m is None else own_m,
                accuracy_basis=layer.accuracy_basis if own_basis is None else own_basis,
            )
            known[key] = key[0] if changed == layer else len(found)
            found += [] if changed == layer else [changed]
        source[row] = known[key]
    return tuple(found), source
