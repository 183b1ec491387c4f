"""Outcomes -> the frame of findings, with what is needed to make a report again from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial import files
from ecospatial.geometry import ellipsoidal_area
from ecospatial.model import NOTICE_INTERNAL, NOTICE_SCHEMATIC, VERDICT_DTYPE
from ecospatial.plans import Plan, data_folder

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from ecospatial.checking.evaluating import Outcome
    from ecospatial.rules import Condition, Rule

TEXT_COLUMNS = ("rule_id", "rule_title", "instrument", "article", "layer", "layer_status", "layer_sha256")
FLOAT_COLUMNS = (
    "margin_m", "distance_m", "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m",
    "layer_accuracy_m",
)  # fmt: skip


def rule_columns() -> tuple[str, ...]:
    """Name the columns of a table of rules."""
    return (
        "rule_id", "title", "effect", "relation", "layer", "where", "within_m", "when", "unless",
        "effect_unless", "since", "until", "in_force", "yields_to", "instrument", "number", "article",
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


def findings_frame(
    sites: gpd.GeoDataFrame, measures: pd.DataFrame, outcomes: list[Outcome], plan: Plan
) -> gpd.GeoDataFrame:
    """Put the outcomes of all rules into one frame: sites in input order, rules in pack order."""
    per_rule = [_columns(outcome, measures, plan) for outcome in outcomes]
    names = list(_columns_in_order())
    data: dict[str, Any] = {
        "site_id": np.repeat(sites.index.to_numpy(dtype=object), len(outcomes)),
        "site_name": np.repeat(sites["site_name"].to_numpy(dtype=object), len(outcomes)),
    }
    for name in names:
        stacked = [columns[name] for columns in per_rule]
        data[name] = np.column_stack(stacked).ravel() if stacked else np.empty(0, dtype=object)
    geometry = data.pop("geometry")
    data["verdict"] = pd.Categorical.from_codes(data["verdict"].astype(np.int8), dtype=VERDICT_DTYPE)
    data["certain"] = data["certain"].astype(bool)
    data["verified"] = data["verified"].astype(bool)
    data["features"] = data["features"].astype(np.int64)
    for name in FLOAT_COLUMNS:
        data[name] = data[name].astype(float)
    for name in TEXT_COLUMNS:
        data[name] = pd.Categorical(data[name])
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(geometry, crs=plan.crs), crs=plan.crs)


def _columns_in_order() -> tuple[str, ...]:
    return (
        "rule_id", "rule_title", "instrument", "article", "verdict", "certain", "margin_m", "distance_m",
        "overlap_m2", "overlap_ellipsoidal_m2", "overlap_share", "overlap_length_m", "feature_id",
        "feature_name", "features", "layer", "layer_status", "layer_accuracy_m", "layer_sha256", "reason",
        "verified", "geometry",
    )  # fmt: skip


def _columns(out: Outcome, measures: pd.DataFrame, plan: Plan) -> dict[str, NDArray[Any]]:
    count = len(out.verdict)
    found, rule = out.measures, out.rule
    measured = out.measured
    conflict = found.conflict.copy()
    conflict[~(measured & found.touched)] = None
    area = np.where(measured, found.overlap_m2, np.nan)
    size = np.where(measures["length_m"] > 0, measures["length_m"], measures["area_m2"])
    part = np.where(measures["length_m"] > 0, found.overlap_length_m, found.overlap_m2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(measured & (size > 0), part / size, np.where(measured, 0.0, np.nan))
    ellipsoidal = np.where(measured, 0.0, np.nan)
    there = np.flatnonzero(measured & (found.overlap_m2 > 0))
    ellipsoidal[there] = ellipsoidal_area(conflict[there], plan.crs)
    lines = (measures["length_m"] > 0).to_numpy() & measured

    def same(value: Any) -> NDArray[Any]:
        return np.full(count, value, dtype=object)

    return {
        "rule_id": same(rule.id),
        "rule_title": same(rule.title),
        "instrument": same(rule.cite.instrument),
        "article": same(rule.cite.article),
        "verdict": out.verdict,
        "certain": out.certain,
        "margin_m": np.where(measured, found.margin_m, np.nan),
        "distance_m": np.where(measured, found.distance_m, np.nan),
        "overlap_m2": area,
        "overlap_ellipsoidal_m2": ellipsoidal,
        "overlap_share": np.minimum(share, 1.0),
        "overlap_length_m": np.where(lines, found.overlap_length_m, np.nan),
        "feature_id": out.feature_id,
        "feature_name": out.feature_name,
        "features": np.where(measured, found.features, 0),
        "layer": np.array([None if x is None else x.name for x in out.layer], dtype=object),
        "layer_status": np.array([None if x is None else x.status for x in out.layer], dtype=object),
        "layer_accuracy_m": np.array([_accuracy(x) for x in out.layer], dtype=float),
        "layer_sha256": np.array(out.sha256, dtype=object),
        "reason": out.reason,
        "verified": same(rule.verified),
        "geometry": conflict,
    }


def _accuracy(layer: Any) -> float:
    return np.nan if layer is None or layer.accuracy_m is None else float(layer.accuracy_m)


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
