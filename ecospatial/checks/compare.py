"""Whose verdict changes when a layer is replaced: the same sites under two plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ecospatial.checks import check, day
from ecospatial.errors import Problem, SiteError
from ecospatial.model import VERDICT_DTYPE

if TYPE_CHECKING:
    import datetime as dt

    from ecospatial.checks import Findings
    from ecospatial.plans import Plan

_KEYS = ["site_id", "rule_id"]


def compare(
    old: Plan, new: Plan, sites: gpd.GeoDataFrame, *, on: dt.date | str | None = None, jobs: int = 1
) -> gpd.GeoDataFrame:
    """Tell whose verdict changes from one plan to another: a layer replaced, a rule added, a boundary moved.

    Parameters
    ----------
    old, new
        The plans; the same one before and after, or two.
    sites
        What ``read_sites`` returns, any frame with a CRS, or a file.
    on
        The day whose law and layers count in both; today when not given.
    jobs
        Threads; the answer is the same.

    Returns
    -------
    GeoDataFrame
        In the CRS of ``new``, RangeIndex; one row for each site and rule whose verdict differs, or that is touched in
        one plan only while its basis is not settled, sites in input order,
        rules in the order of ``new``, then those that only ``old`` has: ``site_id``, ``site_name``, ``rule_id``,
        ``rule_title``, ``verdict_old`` and ``verdict_new`` (ordered categories, empty where the plan has no such
        rule), ``certain_old``, ``certain_new``, ``change_m2`` (conflict area, new minus old, square metres; empty where
        one of them was not measured), ``reason_old``, ``reason_new``, and the site as geometry.

    Raises
    ------
    SiteError, CrsError
        As for ``check``; the two plans do not keep the same sites.

    Examples
    --------
    >>> import geopandas
    >>> import ecospatial as es
    >>> plan = es.open_plan("changzhou-zhonglou")
    >>> site = geopandas.GeoDataFrame(geometry=[plan.area.representative_point().buffer(50)], crs=plan.crs)
    >>> len(compare(plan, plan, site, on="2026-11-20"))
    0
    """
    date = day(on)
    before, after = (check(sites, plan, on=date, jobs=jobs) for plan in (old, new))
    if before.sites.index.tolist() != after.sites.index.tolist():
        raise SiteError(Problem("", None, "两个规划下的地块不一致", "请核对坐标系"))
    both = _side(after, "new").merge(_side(before, "old"), on=_KEYS, how="outer", sort=False)
    place = {site_id: number for number, site_id in enumerate(after.sites.index)}
    rules = list(dict.fromkeys([*after.rules.index, *before.rules.index]))
    order = np.lexsort((both["rule_id"].map(rules.index).to_numpy(), both["site_id"].map(place).to_numpy()))
    both = both.iloc[order]
    codes = {side: both[f"verdict_{side}"].cat.codes.to_numpy() for side in ("old", "new")}
    # Of rules whose basis is not settled it matters whether they are touched.
    open_ = both["verdict_old"].eq("unsettled") & both["verdict_new"].eq("unsettled")
    turned = both["touched_old"].fillna(value=False) != both["touched_new"].fillna(value=False)
    differs = (codes["old"] != codes["new"]) | (open_ & turned).to_numpy(dtype=bool)
    changed = both[differs].reset_index(drop=True)
    rows = changed["site_id"].map(place).to_numpy(dtype=int)
    geometry = after.sites.geometry.to_numpy()[rows]
    return gpd.GeoDataFrame(_columns(changed, after, rows), geometry=geometry, crs=new.crs)


def _side(found: Findings, side: str) -> pd.DataFrame:
    frame = pd.DataFrame(found.frame.drop(columns="geometry"))
    names = ["rule_title", "verdict", "certain", "touched", "overlap_m2", "reason"]
    kept = frame[[*_KEYS, *names]].rename(columns={name: f"{name}_{side}" for name in names})
    return kept.astype({"rule_id": object, f"rule_title_{side}": object, f"certain_{side}": "boolean"})


def _columns(changed: pd.DataFrame, after: Findings, rows: Any) -> dict[str, Any]:
    title = changed["rule_title_new"].where(changed["rule_title_new"].notna(), changed["rule_title_old"])
    return {
        "site_id": changed["site_id"],
        "site_name": after.sites["site_name"].to_numpy(dtype=object)[rows],
        "rule_id": changed["rule_id"],
        "rule_title": title,
        "verdict_old": changed["verdict_old"].astype(VERDICT_DTYPE),
        "verdict_new": changed["verdict_new"].astype(VERDICT_DTYPE),
        "certain_old": changed["certain_old"],
        "certain_new": changed["certain_new"],
        "change_m2": changed["overlap_m2_new"] - changed["overlap_m2_old"],
        "reason_old": changed["reason_old"],
        "reason_new": changed["reason_new"],
    }
