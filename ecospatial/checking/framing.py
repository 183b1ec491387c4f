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

    Parameters
    ----------
    keep
        Which findings have a row, sites x rules.
    """

    def __init__(self, keep: NDArray[np.bool_]) -> None:
        self.site, self.rule = np.nonzero(keep)
        place = np.cumsum(keep.ravel()).reshape(keep.shape) - 1
        self.of_rule = [np.flatnonzero(kept) for kept in keep.T]
        self.place = [place[rows, rule] for rule, rows in enumerate(self.of_rule)]

    def laid(self, parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
        """Lay out an array for each rule, with a value for each site."""
        return self.placed((part[rows] for part, rows in zip(parts, self.of_rule, strict=True)), dtype)

    def placed(self, parts: Iterable[NDArray[Any]], dtype: Any) -> NDArray[Any]:
        """Lay out an array for each rule, with a value for each site that has a row."""
        found = np.empty(len(self.site), dtype=dtype)
        for part, place in zip(parts, self.place, strict=True):
            found[place] = part
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
        number: dict[str, int] = {}
        same = np.array([number.setdefault(text, len(number)) for text in texts], dtype=np.intp)
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
    line, size = _sizes(measures)
    numbers = [_numbers(out, own, line, size) for out, own in zip(outcomes, rows.of_rule, strict=True)]
    texts = [_texts(outcome.rule) for outcome in outcomes]
    layers = _Layers(outcomes, reading)
    code = rows.laid([layers.code(outcome) for outcome in outcomes], np.intp)
    verdict = rows.laid([outcome.verdict for outcome in outcomes], np.int8)
    verified = np.array([outcome.rule.verified for outcome in outcomes], dtype=bool)
    data: dict[str, Any] = {
        "site_id": _coded(sites.index.to_numpy(dtype=object), rows.site),
        "site_name": _coded(sites["site_name"].to_numpy(dtype=object), rows.site),
        **{name: _coded([text[name] for text in texts], rows.rule) for name in _TEXTS},
        "verdict": pd.Categorical.from_codes(verdict, dtype=VERDICT_DTYPE),
        "certain": rows.laid([outcome.certain for outcome in outcomes], bool),
        **{name: rows.placed([part[name] for part in numbers], float) for name in _NUMBERS},
        "feature_id": _coded(rows.laid([outcome.feature_id for outcome in outcomes], object)),
        "feature_name": _coded(rows.laid([outcome.feature_name for outcome in outcomes], object)),
        "features": rows.laid((np.where(o.measured, o.measures.features, 0) for o in outcomes), np.int64),
        "layer": layers.text("name", code),
        "layer_status": layers.text("status", code),
        "layer_accuracy_m": layers.accuracy_m[code],
        "layer_sha256": layers.text("sha256", code),
        "reason": rows.reasons(outcomes),
        "verified": verified[rows.rule],
    }
    conflicts = (_conflict(out, own) for out, own in zip(outcomes, rows.of_rule, strict=True))
    shapes = gpd.GeoSeries(rows.placed(conflicts, object), crs=reading.plan.crs)
    return gpd.GeoDataFrame(data, geometry=shapes, crs=reading.plan.crs)


def _coded(values: Any, rows: NDArray[np.intp] | None = None) -> pd.Categorical:
    """Make a column of few texts, each held once; ``rows`` says for each row which of the values it has."""
    codes, held = pd.factorize(np.asarray(values, dtype=object))
    chosen = codes if rows is None else codes[rows]
    return pd.Categorical.from_codes(chosen, categories=pd.Index(held, dtype=object))


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

    def code(self, outcome: Outcome) -> NDArray[np.intp]:
        """Give the number of the layer of each site."""
        places = np.array([*(self.position[layer.name] for layer in outcome.layers), -1], dtype=np.intp)
        return places[outcome.layer]

    def text(self, what: str, code: NDArray[np.intp]) -> pd.Categorical:
        """Give a text of each layer as a column."""
        texts = self.sha256 if what == "sha256" else [getattr(layer, what) for layer in self.layers]
        codes, values = pd.factorize(np.array(texts, dtype=object))
        places = np.append(codes, -1)
        return pd.Categorical.from_codes(places[code], categories=pd.Index(values, dtype=object))


def _texts(rule: Rule) -> dict[str, str | None]:
    cite = rule.cite
    return {"rule_id": rule.id, "rule_title": rule.title, "instrument": cite.instrument, "article": cite.article}


def _conflict(out: Outcome, rows: NDArray[np.intp]) -> NDArray[Any]:
    shapes = out.measures.conflict[rows]
    shapes[~(out.measured[rows] & out.measures.touched[rows])] = None
    return shapes


def _sizes(measures: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Say which sites are lines, and how long or large each site is."""
    length, area = measures["length_m"].to_numpy(dtype=float), measures["area_m2"].to_numpy(dtype=float)
    line = length > 0
    return line, np.where(line, length, area)


def _numbers(
    out: Outcome, rows: NDArray[np.intp], line: NDArray[np.bool_], size: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Give the numbers of the sites that have a row."""
    found, line, size, measured = out.measures, line[rows], size[rows], out.measured[rows]
    if not measured.any():
        return dict.fromkeys(_NUMBERS, np.full(len(rows), np.nan))
    overlap, length = found.overlap_m2[rows], found.overlap_length_m[rows]
    part = np.where(line, length, overlap)
    share = np.minimum(np.divide(part, size, out=np.zeros(len(size)), where=size > 0), 1.0)
    values = {
        "margin_m": found.margin_m[rows],
        "distance_m": found.distance_m[rows],
        "overlap_m2": overlap,
        "overlap_ellipsoidal_m2": out.overlap_ellipsoidal_m2[rows],
        "overlap_share": share,
        "overlap_length_m": np.where(line, length, np.nan),
    }
    return {name: np.where(measured, value, np.nan) for name, value in values.items()}


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
