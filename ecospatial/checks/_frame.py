"""Outcomes -> the frame of findings, with what is needed to make a report again from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecospatial import io
from ecospatial.checks._columns import CategoryColumn, Columns, SparseColumn, each
from ecospatial.checks._reasons import concat
from ecospatial.model import NOTICE_INTERNAL, NOTICE_SCHEMATIC
from ecospatial.plans import Plan, data_folder

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from ecospatial.checks._features import LayerCache
    from ecospatial.checks.verdicts import RuleResult
    from ecospatial.plans import Layer, Settlement
    from ecospatial.rules import Condition, Rule


def rule_columns() -> tuple[str, ...]:
    """Name the columns of a table of rules."""
    return (
        "rule_id", "title", "effect", "relation", "layer", "where", "within_m", "upstream_m", "downstream_m", "above",
        "when", "unless", "effect_unless", "since", "until", "in_force", "yields_to", "instrument", "number", "article",
        "verified", "verified_on", "cite_text", "not_stated", "settled", "due", "pack",
    )  # fmt: skip


def rule_row(rule: Rule, on: dt.date, decided: Settlement | None = None) -> dict[str, Any]:
    """Give one version of a rule as plain values, with what the plan decided for it."""
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "effect": rule.effect,
        "relation": rule.relation,
        "layer": rule.layer,
        "where": {column: list(values) for column, values in rule.where},
        "within_m": rule.within_m if rule.relation == "near" and "distance" not in rule.not_stated else None,
        "upstream_m": rule.upstream_m if rule.relation == "along_river" else None,
        "downstream_m": rule.downstream_m if rule.relation == "along_river" else None,
        "above": rule.above if rule.relation == "raster_above" else None,
        "when": [_condition(condition) for condition in rule.when],
        "unless": [_condition(condition) for condition in rule.unless],
        "effect_unless": rule.effect_unless if rule.unless else None,
        "since": rule.since.isoformat(),
        "until": None if rule.until is None else rule.until.isoformat(),
        "in_force": rule.in_force(on),
        "yields_to": list(rule.yields_to),
        "instrument": rule.cite.instrument,
        "number": rule.cite.number,
        "article": rule.cite.article,
        "verified": rule.verified,
        "verified_on": None if rule.cite.verified is None else rule.cite.verified.isoformat(),
        "cite_text": rule.cite.text,
        "not_stated": list(rule.not_stated),
        "settled": None if decided is None else _settlement(decided),
        "due": None if rule.due is None else rule.due.isoformat(),
        "pack": rule.pack,
    }


def _settlement(decided: Settlement) -> dict[str, Any]:
    return {
        "within_m": decided.within_m,
        "layer_holds_it": decided.layer_holds_it,
        "decided_by": decided.decided_by,
        "on": decided.on.isoformat(),
    }


def _condition(condition: Condition) -> dict[str, Any]:
    listed = {key: list(getattr(condition, key)) for key in ("activity", "works", "land_use")}
    size = {} if condition.area_m2_at_least is None else {"area_m2_at_least": condition.area_m2_at_least}
    return {key: values for key, values in listed.items() if values} | size | dict(condition.facts)


class FindingRows:
    """The rows of a frame of findings: sites in input order, of each site its rules in pack order.

    ``of_rule`` are for each rule the sites that have a row, ``place`` the rows that they have; ``site`` and ``rule``
    are those of each row.

    Parameters
    ----------
    outcomes
        What each rule says of each site.
    count
        How many sites there are.
    least
        Findings from this verdict up have a row.
    """

    def __init__(self, outcomes: list[RuleResult], count: int, least: int) -> None:
        self.of_rule = [np.flatnonzero(outcome.verdict >= least) for outcome in outcomes]
        each = np.zeros(count, dtype=np.intp)
        for rows in self.of_rule:
            each[rows] += 1
        self.site = np.repeat(np.arange(count, dtype=np.int32), each)
        free = np.cumsum(each) - each
        self.place = []
        for rows in self.of_rule:
            self.place.append(free[rows])
            free[rows] += 1
        self.rule = np.empty(len(self.site), dtype=np.int16)
        for number, place in enumerate(self.place):
            self.rule[place] = number

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.site)

    def laid(self, parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
        """Lay out an array for each rule, with a value for each site."""
        found = np.empty(len(self), dtype=dtype)
        for part, rows, place in zip(parts, self.of_rule, self.place, strict=True):
            found[place] = part[rows]
        return found

    def measured(self, outcomes: list[RuleResult]) -> list[tuple[RuleResult, NDArray[np.intp], NDArray[np.intp]]]:
        """Give of each rule the sites for which something was measured, and the rows that they have."""
        found = []
        for outcome, rows, place in zip(outcomes, self.of_rule, self.place, strict=True):
            known = np.flatnonzero(outcome.measured[rows])
            if len(known):
                found.append((outcome, rows[known], place[known]))
        return found


def findings_columns(
    sites: gpd.GeoDataFrame,
    measures: pd.DataFrame,
    outcomes: list[RuleResult],
    *,
    least: int,
    reading: LayerCache,
    jobs: int = 1,
) -> Columns:
    """Lay out what rules say of some sites: sites in input order, rules in pack order, from a verdict up.

    Parameters
    ----------
    sites, measures
        The sites, and their lengths and areas in metres.
    outcomes
        What each rule says of them.
    least
        The position of a verdict in ``VERDICTS``.
    reading
        The layers, for the day.
    jobs
        Threads.

    Returns
    -------
    dict
        The columns of the frame of findings; all have the same length.
    """
    rows = FindingRows(outcomes, len(sites), least)
    measured = rows.measured(outcomes)
    texts = [_texts(outcome.rule) for outcome in outcomes]
    layers = _Layers(outcomes, reading)
    code = layers.codes(rows, outcomes)
    verified = np.array([outcome.rule.verified for outcome in outcomes], dtype=bool)
    last = [outcome.rule.due for outcome in outcomes]
    overdue = np.array([day is not None and reading.on > day for day in last], dtype=bool)
    numbers = _numbers(measured, measures)
    return {
        "site_id": CategoryColumn(sites.index.tolist(), rows.site),
        "site_name": CategoryColumn(sites["site_name"].tolist(), rows.site),
        **{name: CategoryColumn([text[name] for text in texts], rows.rule) for name in _TEXTS},
        "verdict": rows.laid([outcome.verdict for outcome in outcomes], np.int8),
        "certain": rows.laid([outcome.certain for outcome in outcomes], bool),
        "certainty": rows.laid([outcome.certainty for outcome in outcomes], np.int8),
        "touched": rows.laid([outcome.touched for outcome in outcomes], np.int8),
        "open_by": rows.laid([outcome.open_by for outcome in outcomes], np.int8),
        "open_here": rows.laid([outcome.open_here for outcome in outcomes], bool),
        **{name: numbers[name] for name in _NUMBERS},
        **_deciding(measured, len(rows)),
        "features": numbers["features"],
        "layer": CategoryColumn([layer.name for layer in layers.layers], code),
        "layer_status": CategoryColumn([layer.status for layer in layers.layers], code),
        "layer_accuracy_m": CategoryColumn(layers.accuracy_m, code),
        "layer_sha256": CategoryColumn(layers.sha256, code),
        "reason": _reasons(rows, outcomes, jobs),
        "verified": verified[rows.rule],
        "due": CategoryColumn([text["due"] for text in texts], rows.rule),
        "overdue": overdue[rows.rule],
        "geometry": numbers["geometry"],
    }


def _reasons(rows: FindingRows, outcomes: list[RuleResult], jobs: int) -> CategoryColumn:
    """Put the reasons of these findings into words, and of no others."""
    code, count = np.empty(len(rows), dtype=np.int32), 0
    parts = []
    told = each(lambda outcome, sites: outcome.reasons(sites), outcomes, rows.of_rule, jobs=jobs)
    for (own, said), place in zip(told, rows.place, strict=True):
        code[place] = own + count
        count += len(said)
        parts.append(said)
    return CategoryColumn(concat(parts), code).used()


def _deciding(
    measured: list[tuple[RuleResult, NDArray[np.intp], NDArray[np.intp]]], count: int
) -> dict[str, CategoryColumn]:
    """Name the features that decide; those of one kind are the same for all of its rules."""
    code, start = np.full(count, -1, dtype=np.int32), {}
    ids: list[Any] = []
    names: list[Any] = []
    for outcome, rows, place in measured:
        key = id(outcome.feature_ids), id(outcome.feature_names)
        if key not in start:
            start[key] = len(ids)
            ids += outcome.feature_ids.tolist()
            names += outcome.feature_names.tolist()
        feature = outcome.measures.feature[rows]
        code[place] = np.where(feature >= 0, start[key] + feature, -1)
    return {"feature_id": CategoryColumn(ids, code).used(), "feature_name": CategoryColumn(names, code).used()}


_TEXTS = ("rule_id", "rule_title", "instrument", "article")
_NUMBERS = (
    "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m",
)  # fmt: skip


def _name_source(layer: Layer) -> tuple[str, float | None]:
    return layer.name, layer.accuracy_m


class _Layers:
    """The layers that outcomes name, numbered over all rules; the last place stands for none."""

    def __init__(self, outcomes: list[RuleResult], reading: LayerCache) -> None:
        # A layer stands here once for each accuracy that features of it have.
        named = {_name_source(layer): layer for outcome in outcomes for layer in outcome.layers}
        self.layers = list(named.values())
        self.position = {name: number for number, name in enumerate(named)}
        self.sha256 = [reading.sha256(layer) for layer in self.layers]
        known = [np.nan if layer.accuracy_m is None else layer.accuracy_m for layer in self.layers]
        self.accuracy_m = np.array([*known, np.nan], dtype=float)

    def codes(self, rows: FindingRows, outcomes: list[RuleResult]) -> NDArray[np.int16]:
        """Give the number of the layer of each row."""
        found = np.full(len(rows), -1, dtype=np.int16)
        for outcome, sites, place in zip(outcomes, rows.of_rule, rows.place, strict=True):
            if outcome.layers:
                places = np.array([*(self.position[_name_source(x)] for x in outcome.layers), -1], dtype=np.int16)
                found[place] = places[outcome.layer[sites]]
        return found


def _texts(rule: Rule) -> dict[str, str | None]:
    cite = rule.cite
    due = None if rule.due is None else rule.due.isoformat()
    texts = {"rule_id": rule.id, "rule_title": rule.title, "instrument": cite.instrument, "article": cite.article}
    return texts | {"due": due}


def _numbers(
    measured: list[tuple[RuleResult, NDArray[np.intp], NDArray[np.intp]]], measures: pd.DataFrame
) -> dict[str, SparseColumn]:
    """Give the columns of what was measured, and the shapes of what is touched."""
    length, area = measures["length_m"].to_numpy(dtype=float), measures["area_m2"].to_numpy(dtype=float)
    line = length > 0
    size = np.where(line, length, area)
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in (*_NUMBERS, "features", "geometry")}
    for outcome, rows, _ in measured:
        one = outcome.measures
        overlap, along = one.overlap_m2[rows], one.overlap_length_m[rows]
        part = np.where(line[rows], along, overlap)
        share = np.divide(part, size[rows], out=np.zeros(len(rows)), where=size[rows] > 0)
        found["margin_m"].append(one.margin_m[rows])
        found["distance_m"].append(one.distance_m[rows])
        found["overlap_m2"].append(overlap)
        found["overlap_ellipsoidal_m2"].append(outcome.overlap_ellipsoidal_m2[rows])
        found["overlap_share"].append(np.minimum(share, 1.0))
        found["overlap_length_m"].append(np.where(line[rows], along, np.nan))
        found["features"].append(one.features[rows])
        shapes = one.conflict[rows]
        shapes[~one.touched[rows]] = None
        found["geometry"].append(shapes)
    place = _end_to_end([place for _, _, place in measured], np.intp)
    empty = {"features": (0, np.int64), "geometry": (None, object)}
    columns = {}
    for name, parts in found.items():
        nothing, dtype = empty.get(name, (np.nan, float))
        columns[name] = SparseColumn(place, _end_to_end(parts, dtype), nothing)
    return columns


def _end_to_end(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype=dtype), *parts], dtype=dtype)


def header(sites: gpd.GeoDataFrame, plan: Plan, on: dt.date, notices_of_layers: Sequence[str] = ()) -> dict[str, Any]:
    """Say what was checked, against what, on which day, with which software, and what has to be said of it."""
    from ecospatial import __version__

    notices = [f"审图号：{plan.review_number}" if plan.review_number else NOTICE_INTERNAL]
    if any(layer.status == "schematic" for layer in plan.layers.values()):
        notices.append(NOTICE_SCHEMATIC)
    more = [*sites.attrs.get("notices", []), *notices_of_layers]
    notices += [text for text in dict.fromkeys(more) if text not in notices]
    return {
        "plan": plan.name,
        "title": plan.title,
        "crs": plan.crs.to_string(),
        "on": on.isoformat(),
        "software": f"ecospatial {__version__}",
        "created": None,
        "review_number": plan.review_number,
        "inputs": [*sites.attrs.get("inputs", []), *_plan_files(plan)],
        "skipped": list(sites.attrs.get("skipped", [])),
        "notices": notices,
    }


def _plan_files(plan: Plan) -> list[dict[str, str]]:
    paths = [plan.folder / "plan.yaml"]
    for pack in plan.packs:
        own = pack.startswith("./")
        paths.append(plan.folder / pack if own else data_folder("layers") / "packs" / f"{pack}.yaml")
    return [{"file": path.name, "sha256": io.sha256(path)} for path in paths]
