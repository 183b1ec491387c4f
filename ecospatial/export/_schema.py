"""Frames as they were before they were written: types, orders and indexes restored after reading a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial import model
from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Tables(TypedDict):
    """What a findings file holds, as ``checking.Findings`` has it; ``summary`` keeps the counts of the check."""

    frame: gpd.GeoDataFrame
    summary: pd.DataFrame
    sites: gpd.GeoDataFrame
    rules: pd.DataFrame
    layers: pd.DataFrame
    meta: dict[str, Any]
    plan_open: list[dict[str, Any]]
    left_out: list[dict[str, Any]]


FINDING_TEXT = (
    "site_id", "site_name", "rule_id", "rule_title", "instrument", "article", "feature_id", "feature_name", "layer",
    "layer_status", "layer_sha256", "reason",
)  # fmt: skip
FINDING_CATEGORIES = ("rule_id", "rule_title", "instrument", "article")
FINDING_NUMBERS = (
    "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m",
    "layer_accuracy_m",
)  # fmt: skip
BOOLS = frozenset({"certain", "verified", "in_force", "open_here", "overdue", "datum_open"})
# Yes, no, or not known.
ANSWERS = frozenset({*model.FACTS, "touched"})
FINDING_COLUMNS = (
    "site_id", "site_name", "rule_id", "rule_title", "instrument", "article", "verdict", "certain", "certainty",
    "touched", "open_by", "open_here", "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2",
    "overlap_share", "overlap_length_m", "feature_id", "feature_name", "features", "layer", "layer_status",
    "layer_accuracy_m", "layer_sha256", "reason", "verified", "due", "overdue",
)  # fmt: skip
COUNT_COLUMNS = tuple(f"n_{verdict}" for verdict in reversed(model.VERDICTS))
OPEN_COLUMNS = ("n_open", "n_missing")
SUMMARY_COLUMNS = (
    "site_name", "verdict", "decided", "headline", "certain", "certainty", "area_m2", "area_ellipsoidal_m2", "length_m",
    "repair", *COUNT_COLUMNS, *OPEN_COLUMNS,
)  # fmt: skip
SITE_COLUMNS = (
    "site_name", "activity", "works", "land_use", "accuracy_m", *model.FACTS, "repair", "repair_area_m2", "source",
    "datum_open",
)  # fmt: skip
RULE_TEXT = (
    "title", "effect", "relation", "layer", "since", "until", "instrument", "number", "article", "verified_on", "pack",
    "effect_unless", "due", "cite_text",
)  # fmt: skip
RULE_NESTED = ("where", "when", "unless", "yields_to", "not_stated", "settled")
RULE_NUMBERS = ("within_m", "upstream_m", "downstream_m", "above")
RULE_COLUMNS = (
    "title", "effect", "relation", "layer", "where", "within_m", "upstream_m", "downstream_m", "above", "when",
    "unless", "effect_unless", "since", "until", "in_force", "yields_to", "instrument", "number", "article", "verified",
    "verified_on", "cite_text", "not_stated", "settled", "due", "pack",
)  # fmt: skip
LAYER_TEXT = (
    "kind", "label", "present", "status", "coverage", "publisher", "title", "retrieved", "licence", "url", "sha256",
    "valid_from", "valid_to", "problem",
)  # fmt: skip
LAYER_COLUMNS = (*LAYER_TEXT[:5], "accuracy_m", *LAYER_TEXT[5:])
NUMBERS = frozenset(
    {*FINDING_NUMBERS, "area_m2", "area_ellipsoidal_m2", "length_m", "repair_area_m2", "accuracy_m", *RULE_NUMBERS}
)
WHOLE = frozenset({*COUNT_COLUMNS, *OPEN_COLUMNS, "features"})
ORDERS: Mapping[str, pd.CategoricalDtype] = {
    "verdict": model.VERDICT_DTYPE,
    "decided": model.VERDICT_DTYPE,
    "headline": model.HEADLINE_DTYPE,
    "certainty": model.CERTAINTY_DTYPE,
    "open_by": pd.CategoricalDtype(list(model.OPEN_BY)),
}


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    # Object, with None where unknown: no NaN among texts, whatever pandas would infer for the column.
    cells = [None if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)]
    return pd.Series(cells, index=values.index, dtype=object)


def _categories(values: pd.Series[Any]) -> pd.Series[Any]:
    """Give texts as categories in the order in which they occur, as a check does."""
    kinds = pd.CategoricalDtype(pd.Index(values.dropna().unique(), dtype=object))
    return values.astype(kinds)


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    if any(isinstance(value, bool | str) for value in values.astype(object)):
        raise ValueError("数字")
    return pd.to_numeric(values).astype("float64")


def _bools(values: pd.Series[Any]) -> pd.Series[Any]:
    if not all(isinstance(value, bool | np.bool_) for value in values.astype(object)):
        raise ValueError("是否")
    return values.astype(bool)


def _flags(values: pd.Series[Any]) -> pd.Series[Any]:
    return _bools(values.astype(object).where(values.notna(), False))


def _maybe(values: pd.Series[Any]) -> pd.Series[Any]:
    return _facts(values).astype("boolean")


def _facts(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series([model.fact_value(value) for value in values.astype(object)], index=values.index, dtype=object)


def _ordered(values: pd.Series[Any], *, empty: bool = False) -> pd.Series[Any]:
    """Give a column of ``ORDERS`` its categories; a value that is none of them is refused."""
    cells, dtype = _texts(values), ORDERS[str(values.name)]
    if not cells.dropna().isin(list(dtype.categories)).all() or (not empty and cells.isna().any()):
        raise ValueError(values.name)
    return cells.astype(dtype)


def _whole(values: pd.Series[Any]) -> pd.Series[Any]:
    return _numbers(values).fillna(0).astype("int64")


class _Reader:
    """Takes columns from one table, and keeps the faults until the end."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table, self.faults = table, list[str]()

    def take(self, columns: Sequence[str], convert: Any, **options: bool) -> dict[str, pd.Series[Any]]:
        taken = {}
        for column in columns:
            values = self.table[column] if column in self.table else pd.Series([None] * len(self.table), dtype=object)
            try:
                taken[column] = convert(values.reset_index(drop=True).rename(column), **options)
            except (ValueError, TypeError):
                self.faults.append(f"列 {column} 的值不对")
        return taken


def _frame(columns: Mapping[str, Any], order: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in order if name in columns})


def _findings(reader: _Reader) -> pd.DataFrame:
    columns = reader.take(FINDING_TEXT, _texts) | reader.take(FINDING_NUMBERS, _numbers)
    columns |= reader.take(["certain", "open_here", "verified", "overdue"], _bools) | reader.take(["features"], _whole)
    columns |= reader.take(["verdict"], _ordered) | reader.take(["certainty", "open_by"], _ordered, empty=True)
    columns |= reader.take(["touched"], _maybe) | reader.take(["due"], _texts)
    columns["reason"] = columns["reason"].fillna("")
    for name in (*FINDING_TEXT, "due"):
        columns[name] = _categories(columns[name])
    return _frame(columns, FINDING_COLUMNS)


def _summary(reader: _Reader) -> pd.DataFrame:
    columns = reader.take(["site_id", "site_name", "repair"], _texts) | reader.take(["certain"], _bools)
    columns |= reader.take(["verdict", "headline"], _ordered)
    columns |= reader.take(["decided", "certainty"], _ordered, empty=True)
    columns |= reader.take(["area_m2", "area_ellipsoidal_m2", "length_m"], _numbers)
    # Plain text, as a check gives it.
    columns["certainty"] = _texts(columns["certainty"])
    columns |= reader.take([*COUNT_COLUMNS, *OPEN_COLUMNS], _whole)
    return _frame(columns, ("site_id", *SUMMARY_COLUMNS)).set_index("site_id")


def _sites(reader: _Reader) -> pd.DataFrame:
    columns = reader.take(["site_id", "site_name", "activity", "works", "land_use", "repair", "source"], _texts)
    columns |= reader.take(["accuracy_m", "repair_area_m2"], _numbers) | reader.take(list(model.FACTS), _facts)
    columns |= reader.take(["datum_open"], _flags)
    columns["repair"] = columns["repair"].fillna("")
    return _frame(columns, ("site_id", *SITE_COLUMNS)).set_index("site_id")


def _rules(reader: _Reader) -> pd.DataFrame:
    columns = reader.take(["rule_id", *RULE_TEXT], _texts) | reader.take(RULE_NUMBERS, _numbers)
    columns |= reader.take(["verified", "in_force"], _bools)
    for name in RULE_NESTED:
        if name in reader.table:
            cells = reader.table[name].astype(object).tolist()
            columns[name] = pd.Series([cell if isinstance(cell, dict | list) else None for cell in cells], dtype=object)
    return _frame(columns, ("rule_id", *RULE_COLUMNS)).set_index("rule_id")


def _layers(reader: _Reader) -> pd.DataFrame:
    columns = reader.take(["name", *LAYER_TEXT], _texts) | reader.take(["accuracy_m"], _numbers)
    columns["problem"] = columns["problem"].fillna("")
    return _frame(columns, ("name", *LAYER_COLUMNS)).set_index("name")


def _plain_entries(entries: object) -> bool:
    """Tell whether something is a list of what ``plan_open`` and ``left_out`` hold: mappings with lists of rule ids."""
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("rule_ids"), list) for entry in entries
    )


def _check_ids(tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any]) -> list[str]:
    faults = []
    sites = tables["sites"].index
    if sites.has_duplicates or sites.isna().any():
        faults.append("地块编号重复或为空")
    frame = tables["findings"]
    if not frame["site_id"].isin(sites).all():
        faults.append("有核查结果找不到对应的地块")
    if frame.duplicated(["site_id", "rule_id"]).any():
        faults.append("同一地块、同一规则有多条结果")
    if not isinstance(meta.get("notices", []), list) or not isinstance(meta.get("inputs", []), list):
        faults.append("meta 中 notices、inputs 应为列表")
    return faults


def as_tables(raw: Mapping[str, Any], meta: Mapping[str, Any], file: str) -> Tables:
    """Give tables read from a file their types again.

    Parameters
    ----------
    raw
        ``findings`` and ``sites`` as GeoDataFrames in the plan's CRS, ``rules`` and ``layers`` as DataFrames;
        ``plan_open`` and ``left_out`` as lists.
    meta
        The header.
    file
        Bare file name, for messages.

    Raises
    ------
    SiteError
        A column is missing or holds what it can not hold; all faults of the file at once.
    """
    makers = {"findings": _findings, "sites": _sites, "summary": _summary, "rules": _rules, "layers": _layers}
    made: dict[str, pd.DataFrame] = {}
    problems = []
    for name, make in makers.items():
        reader = _Reader(pd.DataFrame(raw["sites" if name == "summary" else name]))
        try:
            made[name] = make(reader)
        except KeyError as error:  # a column whose values were refused is needed further on
            reader.faults = reader.faults or [f"缺少列 {error.args[0]}"]
        problems += [Problem(file, name, fault, "文件可能已损坏，请重新核查并写出") for fault in reader.faults]
    if not problems:
        faults = _check_ids(made, meta)
        faults += [f"{name} 的形式不对" for name in ("plan_open", "left_out") if not _plain_entries(raw.get(name))]
        problems = [Problem(file, None, fault, "文件可能已损坏，请重新核查并写出") for fault in faults]
    if problems:
        raise SiteError(problems)
    shapes, outlines = raw["findings"], raw["sites"]
    made["sites"].attrs["inputs"] = list(meta.get("inputs", []))
    return {
        "frame": gpd.GeoDataFrame(made["findings"], geometry=shapes.geometry.to_numpy(), crs=shapes.crs),
        "summary": made["summary"],
        "sites": gpd.GeoDataFrame(made["sites"], geometry=outlines.geometry.to_numpy(), crs=outlines.crs),
        "rules": made["rules"],
        "layers": made["layers"],
        "meta": dict(meta),
        "plan_open": list(raw["plan_open"]),
        "left_out": list(raw["left_out"]),
    }
