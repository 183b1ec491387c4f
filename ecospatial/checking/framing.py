"""Outcomes -> the frame of findings, with what is needed to make a report again from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial import files
from ecospatial.model import NOTICE_INTERNAL, NOTICE_SCHEMATIC, VERDICT_DTYPE
from ecospatial.plans import Plan, data_folder

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ecospatial.checking.evaluating import Outcome
    from ecospatial.checking.reading import Reading
    from ecospatial.rules import Condition, Rule


def rule_columns() -> tuple[str, ...]:
    """Name the columns of a table of rules."""
    return (
        "rule_id", "title", "effect", "relation", "layer", "where", "within_m", "upstream_m", "downstream_m", "above",
        "when", "unless", "effect_unless", "since", "until", "in_force", "yields_to", "instrument", "number", "article",
        "verified", "verified_on", "pack",
    )  # fmt: skip


def rule_row(rule: Rule, on: dt.date) -> dict[str, Any]:
    """Give one version of a rule as plain values."""
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "effect": rule.effect,
        "relation": rule.relation,
        "layer": rule.layer,
        "where": {column: list(values) for column, values in rule.where},
        "within_m": rule.within_m if rule.relation == "near" else None,
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
        "pack": rule.pack,
    }


def _condition(condition: Condition) -> dict[str, Any]:
    listed = {key: list(getattr(condition, key)) for key in ("activity", "works", "land_use")}
    return {key: values for key, values in listed.items() if values} | dict(condition.facts)


class Rows:
    """The rows of a frame of findings: sites in input order, of each site its rules in pack order.

    ``of_rule`` are for each rule the sites that have a row, ``place`` the rows that they have.

    Parameters
    ----------
    keep
        Which findings have a row, sites x rules.
    """

    def __init__(self, keep: NDArray[np.bool_]) -> None:
        self.site, self.rule = np.nonzero(keep)
        order = np.argsort(self.rule.astype(np.min_scalar_type(keep.shape[1])), kind="stable")
        ends = np.cumsum(np.bincount(self.rule, minlength=keep.shape[1]))[:-1]
        self.place = np.split(order, ends)[: keep.shape[1]]
        self.of_rule = np.split(self.site[order], ends)[: keep.shape[1]]

    def laid(self, parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
        """Lay out an array for each rule, with a value for each site."""
        found = np.empty(len(self.site), dtype=dtype)
        for part, rows, place in zip(parts, self.of_rule, self.place, strict=True):
            found[place] = part[rows]
        return found

    def measured(self, outcomes: list[Outcome]) -> list[tuple[Outcome, NDArray[np.intp], NDArray[np.intp]]]:
        """Give of each rule the sites for which something was measured, and the rows that they have."""
        found = []
        for outcome, rows, place in zip(outcomes, self.of_rule, self.place, strict=True):
            known = np.flatnonzero(outcome.measured[rows])
            if len(known):
                found.append((outcome, rows[known], place[known]))
        return found

    def reasons(self, outcomes: list[Outcome]) -> pd.Categorical:
        """Put the reasons of these findings into words, and of no others."""
        code = np.empty(len(self.site), dtype=np.intp)
        texts: list[str] = []
        for outcome, rows, place in zip(outcomes, self.of_rule, self.place, strict=True):
            own, said = outcome.reasons(rows)
            code[place] = own + len(texts)
            texts += said
        # On long texts a dictionary is many times as fast as pandas' own way to tell them apart.
        number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        same = np.fromiter(map(number.__getitem__, texts), dtype=np.intp, count=len(texts))
        values, code = np.array(list(number), dtype=object), same[code]
        used = np.zeros(len(values), dtype=bool)
        used[code] = True
        code = (np.cumsum(used) - 1)[code]
        return pd.Categorical.from_codes(code, categories=pd.Index(values[used], dtype=object))


def findings_frame(
    sites: gpd.GeoDataFrame,
    measures: pd.DataFrame,
    outcomes: list[Outcome],
    *,
    keep: NDArray[np.bool_],
    reading: Reading,
) -> gpd.GeoDataFrame:
    """Put outcomes into one frame: sites in input order, rules in pack order, only those that ``keep`` names."""
    rows = Rows(keep)
    measured = rows.measured(outcomes)
    texts = [_texts(outcome.rule) for outcome in outcomes]
    layers = _Layers(outcomes, reading)
    code = layers.codes(rows, outcomes)
    verdict = rows.laid([outcome.verdict for outcome in outcomes], np.int8)
    verified = np.array([outcome.rule.verified for outcome in outcomes], dtype=bool)
    features = np.zeros(len(rows.site), dtype=np.int64)
    shapes = np.full(len(rows.site), None, dtype=object)
    for outcome, sites_, place in measured:
        features[place] = outcome.measures.features[sites_]
        touched = outcome.measures.touched[sites_]
        shapes[place[touched]] = outcome.measures.conflict[sites_[touched]]
    data: dict[str, Any] = {
        "site_id": _coded(sites.index.to_numpy(dtype=object), rows.site),
        "site_name": _coded(sites["site_name"].to_numpy(dtype=object), rows.site),
        **{name: _coded([text[name] for text in texts], rows.rule) for name in _TEXTS},
        "verdict": pd.Categorical.from_codes(verdict, dtype=VERDICT_DTYPE),
        "certain": rows.laid([outcome.certain for outcome in outcomes], bool),
        **_numbers(measured, len(rows.site), measures),
        **_deciding(measured, len(rows.site)),
        "features": features,
        "layer": layers.text("name", code),
        "layer_status": layers.text("status", code),
        "layer_accuracy_m": layers.accuracy_m[code],
        "layer_sha256": layers.text("sha256", code),
        "reason": rows.reasons(outcomes),
        "verified": verified[rows.rule],
    }
    data["geometry"] = gpd.array.GeometryArray(shapes, crs=reading.plan.crs)
    # Nothing else holds these columns, so they need not be copied.
    return gpd.GeoDataFrame(pd.DataFrame(data, copy=False), geometry="geometry")


def _coded(values: Any, rows: NDArray[np.intp]) -> pd.Categorical:
    """Make a column of few texts, each held once; ``rows`` says for each row which of the values it has, -1 none."""
    codes, held = pd.factorize(np.asarray(values, dtype=object))
    return pd.Categorical.from_codes(np.append(codes, -1)[rows], categories=pd.Index(held, dtype=object))


def _deciding(
    measured: list[tuple[Outcome, NDArray[np.intp], NDArray[np.intp]]], count: int
) -> dict[str, pd.Categorical]:
    """Name the features that decide; those of one kind are the same for all of its rules."""
    code, offset, start = np.full(count, -1, dtype=np.intp), 0, {}
    ids: list[NDArray[Any]] = []
    names: list[NDArray[Any]] = []
    for outcome, rows, place in measured:
        key = id(outcome.feature_ids), id(outcome.feature_names)
        if key not in start:
            start[key] = offset
            offset += len(outcome.feature_ids)
            ids.append(outcome.feature_ids)
            names.append(outcome.feature_names)
        feature = outcome.measures.feature[rows]
        code[place] = np.where(feature >= 0, start[key] + feature, -1)
    none = np.empty(0, dtype=object)
    return {
        "feature_id": _used(np.concatenate([none, *ids]), code),
        "feature_name": _used(np.concatenate([none, *names]), code),
    }


def _used(values: NDArray[Any], rows: NDArray[np.intp]) -> pd.Categorical:
    """Make a column of texts, and hold only those that are there."""
    seen = np.zeros(len(values) + 1, dtype=bool)
    seen[rows] = True
    return _coded(values[seen[:-1]], np.append(np.cumsum(seen[:-1]) - 1, -1)[rows])


_TEXTS = ("rule_id", "rule_title", "instrument", "article")
_NUMBERS = (
    "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m",
)  # fmt: skip


class _Layers:
    """The layers that outcomes name, numbered over all rules; the last place stands for none."""

    def __init__(self, outcomes: list[Outcome], reading: Reading) -> None:
        self.layers = list({layer.name: layer for outcome in outcomes for layer in outcome.layers}.values())
        self.position = {layer.name: number for number, layer in enumerate(self.layers)}
        self.sha256 = [reading.sha256(layer) for layer in self.layers]
        known = [np.nan if layer.accuracy_m is None else layer.accuracy_m for layer in self.layers]
        self.accuracy_m = np.array([*known, np.nan], dtype=float)

    def codes(self, rows: Rows, outcomes: list[Outcome]) -> NDArray[np.intp]:
        """Give the number of the layer of each row."""
        found = np.full(len(rows.site), -1, dtype=np.intp)
        for outcome, sites, place in zip(outcomes, rows.of_rule, rows.place, strict=True):
            if outcome.layers:
                places = np.array([*(self.position[layer.name] for layer in outcome.layers), -1], dtype=np.intp)
                found[place] = places[outcome.layer[sites]]
        return found

    def text(self, what: str, code: NDArray[np.intp]) -> pd.Categorical:
        """Give a text of each layer as a column."""
        texts = self.sha256 if what == "sha256" else [getattr(layer, what) for layer in self.layers]
        codes, values = pd.factorize(np.array(texts, dtype=object))
        places = np.append(codes, -1)
        return pd.Categorical.from_codes(places[code], categories=pd.Index(values, dtype=object))


def _texts(rule: Rule) -> dict[str, str | None]:
    cite = rule.cite
    return {"rule_id": rule.id, "rule_title": rule.title, "instrument": cite.instrument, "article": cite.article}


def _numbers(
    measured: list[tuple[Outcome, NDArray[np.intp], NDArray[np.intp]]], count: int, measures: pd.DataFrame
) -> dict[str, NDArray[np.float64]]:
    """Give the columns of numbers; empty where nothing was measured."""
    length, area = measures["length_m"].to_numpy(dtype=float), measures["area_m2"].to_numpy(dtype=float)
    line = length > 0
    size = np.where(line, length, area)
    columns = {name: np.full(count, np.nan) for name in _NUMBERS}
    for outcome, rows, place in measured:
        found = outcome.measures
        overlap, along = found.overlap_m2[rows], found.overlap_length_m[rows]
        part = np.where(line[rows], along, overlap)
        share = np.divide(part, size[rows], out=np.zeros(len(rows)), where=size[rows] > 0)
        columns["margin_m"][place] = found.margin_m[rows]
        columns["distance_m"][place] = found.distance_m[rows]
        columns["overlap_m2"][place] = overlap
        columns["overlap_ellipsoidal_m2"][place] = outcome.overlap_ellipsoidal_m2[rows]
        columns["overlap_share"][place] = np.minimum(share, 1.0)
        columns["overlap_length_m"][place] = np.where(line[rows], along, np.nan)
    return columns


def header(sites: gpd.GeoDataFrame, plan: Plan, on: dt.date) -> dict[str, Any]:
    """Say what was checked, against what, on which day, with which software."""
    from ecospatial import __version__

    notices = [f"审图号：{plan.review_number}" if plan.review_number else NOTICE_INTERNAL]
    if any(layer.status == "schematic" for layer in plan.layers.values()):
        notices.append(NOTICE_SCHEMATIC)
    notices += [text for text in sites.attrs.get("notices", []) if text not in notices]
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
    return [{"file": path.name, "sha256": files.sha256(path)} for path in paths]
