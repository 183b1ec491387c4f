"""A plan's own zones and grids: which picture counts, which zones are watched, what is inspected first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ecospatial.errors import EcospatialError, PlanError, Problem
from ecospatial.geometry import areal_part
from ecospatial.model import KINDS, NAME_COLUMNS, match_names
from ecospatial.raster._compat import available
from ecospatial.raster.cover_change import (
    ENCROACHED,
    MIN_PATCH_M2,
    OTHER,
    TOLERANCE_PX,
    TREES_LOST,
    WATER_LOST,
    change,
    numbered,
)
from ecospatial.raster.grid import grid_of
from ecospatial.raster.land_cover import INDICATORS, indicators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ecospatial.plans import Layer, Plan, Settlement
    from ecospatial.raster.cover_change import Changes
    from ecospatial.raster.grid import Grid
    from ecospatial.rules import Rule

# Areas whose ground may not change without leave; the district itself takes what lies in none of them.
WATCHED = tuple(kind.name for kind in sorted(KINDS.values(), key=attrgetter("order")) if kind.monitored)
SEVERITIES = ("prohibited", "restricted", "none")
_CONCERNS = (ENCROACHED, WATER_LOST, TREES_LOST, OTHER)


def pictures(plan: Plan, kind: str, *, on: dt.date | None = None) -> list[Layer]:
    """List the raster layers of a kind that are held, seen and valid by a day, oldest first."""
    day = on or dt.datetime.now().astimezone().date()
    held = [layer for layer in plan.of_kind(kind) if layer.present == "held" and layer.pixels is not None]
    dated = [(layer.pixels.date, layer) for layer in held if layer.pixels is not None and layer.valid_on(day)]
    known = [(seen, layer) for seen, layer in dated if seen is not None and seen <= day]
    return [layer for _, layer in sorted(known, key=lambda entry: (entry[0], entry[1].name))]


def faults(plan: Plan) -> list[Problem]:
    """Look at the header of every raster layer of a plan; nothing when the extra is not installed."""
    problems: list[Problem] = []
    if not available():
        return problems
    for layer in plan.layers.values():
        if layer.pixels is None or layer.present != "held" or plan.trouble(layer.name) is not None:
            continue
        try:
            grid = grid_of(plan, layer.name)
        except EcospatialError as fault:
            problems += fault.problems
            continue
        half = max(grid.pixel_m) / 2
        if layer.accuracy_m is not None and layer.accuracy_m < half:
            problem = f"accuracy_m 小于半个像元（{half:.1f} m）"
            problems.append(Problem("plan.yaml", f"图层 {layer.name}", problem, "像元边界的精度不会好于半个像元"))
    return problems


def zones_of(plan: Plan, kinds: Sequence[str]) -> gpd.GeoDataFrame:
    """Put the areas of some kinds below each other, as zones.

    Returns
    -------
    GeoDataFrame
        In ``plan.crs``, index ``<layer>:<feature_id>``, columns ``kind``, ``layer``, ``zone_name``, ``accuracy_m``,
        then the columns of the kinds. Kinds that are not held, and lines, are left out.

    Raises
    ------
    PlanError
        A kind is not known or has no areas at all in this plan.
    """
    frames = []
    for kind in kinds:
        if kind not in KINDS or KINDS[kind].shape not in ("polygon", "bank"):
            areal = "、".join(name for name, entry in KINDS.items() if entry.shape in ("polygon", "bank"))
            raise PlanError(Problem("", None, f"{kind} 不是面图层", f"可选：{areal}"))
        for layer in plan.of_kind(kind):
            if layer.present != "held" or plan.trouble(layer.name) is not None:
                continue
            frame = plan.layer_frame(layer.name)
            frame = frame[shapely.get_dimensions(frame.geometry.to_numpy()) == 2]
            names = frame["feature_name"].where(frame["feature_name"].notna(), KINDS[kind].label)
            about = {"kind": kind, "layer": layer.name, "zone_name": names, "accuracy_m": layer.accuracy_m}
            index = [f"{layer.name}:{feature}" for feature in frame["feature_id"]]
            frames.append(frame.assign(**about).set_axis(_unique(index), axis=0))
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        raise PlanError(Problem("", None, "规划没有可统计的面", f"没有持有：{'、'.join(kinds)}"))
    filled = [frame.astype({c: object for c in frame.columns if c != frame.geometry.name}) for frame in frames]
    return gpd.GeoDataFrame(pd.concat(filled), geometry="geometry", crs=plan.crs)


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return found


@dataclass(frozen=True, slots=True)
class Severity:
    """What the rules say to changes in a zone: the strictest effect, whether a settled rule has it, which rules."""

    effect: str
    verified: bool
    rules: tuple[str, ...]

    @property
    def order(self) -> int:
        """0 is inspected first."""
        return 2 * SEVERITIES.index(self.effect) + (0 if self.verified else 1)


def severity(
    rules: Sequence[Rule],
    kind: str,
    zone: pd.Series,
    *,
    settled: Mapping[str, Settlement] | None = None,
    confirmed: Mapping[str, frozenset[str]] | None = None,
) -> Severity:
    """Find the strictest rule that being in a zone of a kind touches, whoever the project is.

    Parameters
    ----------
    rules
        Those in force. A duty is no matter of a place and counts as none.
    kind, zone
        Kind and columns of the zone. A column that is empty may match, and so may a name that may mean the rule's.
    settled
        What the plan decided where the text of a rule leaves something open.
    confirmed
        By column the names of which the owner of the layer said that each means only itself.

    Notes
    -----
    A rule for the whole district that asks what the project is says nothing of a place, so it does not count.
    """
    touched = [rule for rule in rules if rule.layer == kind and rule.spec.watched]
    touched = [rule for rule in touched if rule.layer != "district" or not rule.when]
    own, decided = confirmed or {}, settled or {}
    touched = [
        rule
        for rule in touched
        if all(_may_match(column, zone.get(column), values, own.get(column)) for column, values in rule.where)
    ]
    for effect in ("prohibited", "restricted"):
        found = [rule for rule in touched if rule.effect == effect]
        if found:
            ids = tuple(dict.fromkeys(rule.id for rule in found))
            return Severity(effect, any(_is_settled(rule, decided) for rule in found), ids)
    return Severity("none", True, ())


def _is_settled(rule: Rule, decided: Mapping[str, Settlement]) -> bool:
    """Tell whether the text of a rule was read and leaves nothing open that the plan did not decide."""
    own = decided.get(rule.id)
    return rule.verified and all(
        own is not None and (own.within_m is not None if what == "distance" else bool(own.layer_holds_it))
        for what in rule.not_stated
    )


def _may_match(column: str, value: Any, wanted: tuple[str, ...], confirmed: frozenset[str] | None) -> bool:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return True
    text = str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
    if column in NAME_COLUMNS:
        return bool(match_names([text], wanted, confirmed=confirmed or frozenset())[1][0])
    return text in wanted


def two_dates(plan: Plan, old: str | None, new: str | None, *, on: dt.date | None = None) -> tuple[Grid, Grid]:
    """Choose the two land cover layers to compare: those named, else the latest two.

    Raises
    ------
    PlanError
        There are not two, or a name is not a raster layer of land cover.
    """
    dated = [layer.name for layer in pictures(plan, "land_cover", on=on)]
    for name in (old, new):
        if name is not None and (name not in plan.layers or plan.layers[name].kind != "land_cover"):
            raise PlanError(Problem("plan.yaml", None, f"没有名为 {name} 的土地覆盖图层", f"可选：{'、'.join(dated)}"))
    latest = new or (dated[-1] if dated else None)
    before = [name for name in dated if name != latest]
    earlier = old or (before[-1] if before else None)
    if latest is None or earlier is None:
        raise PlanError(Problem("plan.yaml", None, "规划没有两期土地覆盖图层，不能比较", "请补充另一日期的图层"))
    return grid_of(plan, earlier), grid_of(plan, latest)


def watch(
    plan: Plan,
    *,
    old: str | None = None,
    new: str | None = None,
    kinds: Sequence[str] | None = None,
    on: dt.date | None = None,
    min_patch_m2: float = MIN_PATCH_M2,
    tolerance_px: int = TOLERANCE_PX,
    jobs: int = 1,
) -> Changes:
    """Compare two land cover layers of a plan inside its zones, what to inspect first on top.

    Parameters
    ----------
    plan
        Holds two land cover layers or more.
    old, new
        Names of the layers; the latest two when left out.
    kinds
        Kinds of zones; all of ``WATCHED`` that are held, and the district, when left out.
    on
        The day whose rules count; today when left out.
    min_patch_m2, tolerance_px, jobs
        As in ``change``.

    Returns
    -------
    Changes
        As ``change`` gives it, for the parts of the zones inside the district. ``patches`` has also ``patch_id`` (1 is
        first; a row for each patch and zone), ``kind``, ``layer``, ``zone_name``, ``severity`` (prohibited, restricted,
        none), ``verified`` and ``rule_ids``. Losses come before other changes, then the strictest rules, then what is
        certain, then the largest. The district has only patches that no other zone has. ``indicators``: of the district
        on both dates.

    Raises
    ------
    PlanError
        The plan has not the layers that are needed.
    """
    day = on or dt.datetime.now().astimezone().date()
    before, after = two_dates(plan, old, new, on=day)
    held = [kind for kind in WATCHED if any(x.present == "held" for x in plan.of_kind(kind))]
    zones = _inside(plan, zones_of(plan, list(kinds) if kinds else [*held, "district"]))
    found = change(zones, before, after, min_patch_m2=min_patch_m2, tolerance_px=tolerance_px, jobs=jobs)
    rules = [rule for rule in plan.rules if rule.in_force(day) and not _is_left_out(rule, plan)]
    names = {layer.name: {c: layer.confirmed_names(c) for c in NAME_COLUMNS} for layer in plan.layers.values()}
    weights = {
        label: severity(rules, str(row["kind"]), row, settled=plan.settled, confirmed=names.get(str(row["layer"])))
        for label, row in zones.iterrows()
    }
    about = zones[["kind", "layer", "zone_name"]]
    patches = _ranked(found.patches.join(about, on="zone"), weights)
    meta = found.meta | {"plan": plan.name, "title": plan.title, "on": day.isoformat()}
    return replace(
        found,
        patches=patches,
        zones=about.join(found.zones),
        meta=meta,
        indicators=_of_district(plan, before, after, jobs=jobs),
    )


def _is_left_out(rule: Rule, plan: Plan) -> bool:
    return any(rule.id in entry.rules or rule.layer in entry.kinds for entry in plan.scope)


def _inside(plan: Plan, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut zones to the district, which is what a plan answers for; rivers are drawn far beyond it."""
    if plan.area is None:
        return zones
    cut = areal_part(shapely.intersection(zones.geometry.to_numpy(), plan.area))
    there = ~(shapely.is_missing(cut) | shapely.is_empty(cut))
    return zones.set_geometry(gpd.GeoSeries(cut, index=zones.index, crs=zones.crs))[there]


def _of_district(plan: Plan, old: Grid, new: Grid, *, jobs: int) -> pd.DataFrame:
    """Give the indicators of the district on both dates, a row each; nothing when no district is held."""
    if not any(layer.present == "held" for layer in plan.of_kind("district")) or plan.area is None:
        return pd.DataFrame()
    whole = gpd.GeoDataFrame(geometry=[plan.area], crs=plan.crs)
    rows: dict[str, dict[str, Any]] = {}
    for when, grid in (("old", old), ("new", new)):
        found = indicators(whole, grid, jobs=jobs).iloc[0]
        for name in (name for name in INDICATORS if name in found):
            row = rows.setdefault(name, {"label": INDICATORS[name].label})
            row |= {when: found[name], f"{when}_low": found[f"{name}_low"], f"{when}_high": found[f"{name}_high"]}
    return pd.DataFrame.from_dict(rows, orient="index")


def _ranked(patches: gpd.GeoDataFrame, weights: dict[Any, Severity]) -> gpd.GeoDataFrame:
    listed = [weights[zone] for zone in patches["zone"]]
    frame = patches.assign(
        severity=[entry.effect for entry in listed],
        verified=[entry.verified for entry in listed],
        rule_ids=["、".join(entry.rules) for entry in listed],
        _order=[entry.order for entry in listed],
        _concern=[_CONCERNS.index(word) for word in patches["concern"]],
    )
    shapes = frame.geometry.to_numpy()
    loose = (frame["kind"] == "district").to_numpy()
    tree = shapely.STRtree(shapes[~loose])
    taken = np.zeros(len(frame), dtype=bool)
    hit, other = tree.query(shapes[loose])
    shared = shapely.area(shapely.intersection(shapes[loose][hit], shapes[~loose][other])) > 0.01
    taken[np.flatnonzero(loose)[np.unique(hit[shared])]] = True
    frame = frame[~taken]
    order = np.lexsort(
        (
            -frame["area_m2"].to_numpy(),
            ~frame["certain"].to_numpy(),
            frame["_concern"].to_numpy(),
            frame["_order"].to_numpy(),
            (frame["concern"] == OTHER).to_numpy(),
        )
    )
    frame = frame.iloc[order].drop(columns=["_order", "_concern"]).reset_index(drop=True)
    frame.insert(0, "patch_id", np.arange(1, len(frame) + 1))
    return numbered(frame)
