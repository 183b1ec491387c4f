"""Every rule on every site: sites x rules -> findings."""

from __future__ import annotations

import datetime as dt
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ecospatial import export
from ecospatial.checks._columns import findings_frame
from ecospatial.checks._features import LayerCache
from ecospatial.checks._frame import findings_columns, header, rule_columns, rule_row
from ecospatial.checks._measure import MeasurementCache, SiteArrays
from ecospatial.checks._progress import notebook_bar
from ecospatial.checks.conditions import Projects
from ecospatial.checks.findings import Findings, SiteAnswers, summarise, verdict_value
from ecospatial.checks.precedence import apply_precedence
from ecospatial.checks.questions import lacks_layer, list_layer_notices, list_plan_open
from ecospatial.checks.scope import describe_left_out, narrow_plan, rule_in_force, rules_in_scope
from ecospatial.checks.verdicts import evaluate_all
from ecospatial.errors import Problem, SiteError
from ecospatial.model import VERDICTS
from ecospatial.plans.projection_extent import require_reach
from ecospatial.sites import much_repaired, read_sites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Plan

__all__ = ["check", "check_frame", "check_on_layers", "day", "read_findings", "read_rules"]

# Sites are checked so many at a time: more is held in no cache, and less costs more rounds than it saves.
BLOCK = 40_000


def check(
    sites: gpd.GeoDataFrame,
    plan: Plan,
    *,
    on: dt.date | str | None = None,
    at_least: str | None = None,
    only: str | Iterable[str] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Findings:
    """Put every rule of a plan to every site.

    Parameters
    ----------
    sites
        What ``read_sites`` returns, or any frame with a CRS.
    plan
        The plan whose layers and rules count.
    on
        The day whose law and layers count; today when not given.
    at_least
        Keep only findings from this verdict up; the counts of the summary stay complete.
    only
        Kinds of layers: rules on other kinds are left out, which the findings say.
    jobs
        Threads; the findings are the same.
    progress
        Called with how many rules are done, and how many there are; in a notebook a bar is shown when not given.

    Returns
    -------
    Findings
        One row per site and rule id, sites in input order, rules in pack order.

    Raises
    ------
    SiteError, CrsError
        The sites can not be used, the day, the verdict or a kind is not understood.
    PlanError
        The plan reaches further than 1.75 degrees from the central meridian of its projection.

    Examples
    --------
    >>> import geopandas
    >>> import ecospatial as es
    >>> plan = es.open_plan("changzhou-zhonglou")
    >>> point = plan.area.representative_point()
    >>> shape = {"geometry": [point.buffer(50)], "activity": ["C26"], "works": ["new"]}
    >>> site = geopandas.GeoDataFrame(shape, crs=plan.crs)
    >>> bool((check(site, plan, on="2026-11-20").frame.site_id == "1").all())
    True
    """
    date = day(on)
    if at_least is not None:
        verdict_value(at_least)
    plan = narrow_plan(plan, only)
    frame = read_sites(sites, plan=plan, allow_far=True)
    return check_frame(frame, plan, on=date, at_least=at_least, jobs=jobs, progress=progress)


def check_frame(
    frame: gpd.GeoDataFrame,
    plan: Plan,
    *,
    on: dt.date | str | None = None,
    at_least: str | None = None,
    only: str | Iterable[str] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Findings:
    """Put every rule of a plan to sites that ``read_sites`` has read for it; they are not read again.

    Parameters
    ----------
    frame
        What ``read_sites(..., plan=plan)`` returned, unchanged.
    plan, on, at_least, only, jobs, progress
        As for ``check``.
    """
    date = day(on)
    least = None if at_least is None else verdict_value(at_least)
    layers = LayerCache.of(narrow_plan(plan, only), date)
    return check_on_layers(frame, layers, at_least=least, jobs=jobs, progress=progress or notebook_bar())


def check_on_layers(
    frame: gpd.GeoDataFrame,
    reading: LayerCache,
    *,
    at_least: str | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Findings:
    """Put every rule to sites, with layers that an earlier check may have read already.

    Parameters
    ----------
    frame
        What ``read_sites`` returned for the plan.
    reading
        The layers of the plan on the day; what it reads it keeps.
    at_least, jobs, progress
        As for ``check``.
    """
    plan, date = reading.plan, reading.on
    require_reach(plan)
    accuracy_m = frame["accuracy_m"].fillna(0.0).to_numpy(dtype=float)
    reading = reading.for_extent(frame.geometry.to_numpy(), float(accuracy_m.max(initial=0.0)))
    least = 0 if at_least is None else list(VERDICTS).index(at_least)
    starts = range(0, max(len(frame), 1), BLOCK)
    columns, summaries = [], []
    for number, start in enumerate(starts):
        told = None if progress is None else _overall(progress, number, len(starts))
        with gc_disabled():
            found, summary = _check_block(frame.iloc[start : start + BLOCK], reading, least, jobs=jobs, progress=told)
        columns.append(found)
        summaries.append(summary)
    return Findings(
        frame=findings_frame(columns, plan.crs, jobs=jobs),
        summary=pd.concat(summaries).set_axis(frame.index, axis=0),
        sites=frame,
        rules=read_rules(plan, on=date),
        layers=plan.layer_table(),
        meta=header(frame, plan, date, list_layer_notices(reading)),
        plan=plan,
        plan_open=list_plan_open(reading),
        left_out=describe_left_out(plan, date),
    )


def _check_block(
    frame: gpd.GeoDataFrame,
    reading: LayerCache,
    least: int,
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Give the columns of the findings on some sites, and their summary."""
    geometry = frame.geometry.to_numpy()
    accuracy_m = frame["accuracy_m"].fillna(0.0).to_numpy(dtype=float)
    sizes = [c.area_m2_at_least for rule in reading.rules_in_force for c in (*rule.when, *rule.unless)]
    known = sorted({size for size in sizes if size is not None})
    projects = Projects(frame, area_m2=shapely.area(geometry), sizes_m2=known)
    datum_open = frame["datum_open"].to_numpy(dtype=bool) if "datum_open" in frame else None
    measuring = MeasurementCache(SiteArrays(geometry, accuracy_m, projects, much_repaired(frame), datum_open), reading)
    rules = list(reading.versions.values())
    outcomes = evaluate_all(rules, measuring, jobs=jobs, progress=progress)
    apply_precedence(outcomes)
    areal = shapely.get_dimensions(geometry) == 2
    measures = pd.DataFrame(
        {
            "area_m2": shapely.area(geometry),
            "area_ellipsoidal_m2": measuring.ellipsoidal_m2,
            "length_m": np.where(areal, 0.0, shapely.length(geometry)),
        },
        index=frame.index,
    )
    shape = (len(frame), len(outcomes))

    def table(name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(outcome, name) for outcome in outcomes], dtype=dtype).reshape(shape[::-1]).T

    answers = SiteAnswers(
        verdict=table("verdict", np.int8),
        certainty=table("certainty", np.int8),
        open_here=table("open_here", bool),
        prohibits=np.array([outcome.rule.effect == "prohibited" for outcome in outcomes], dtype=bool),
        plan_open=lacks_layer(reading) or bool(reading.plan.scope),
    )
    columns = findings_columns(frame, measures, outcomes, least=least, reading=reading, jobs=jobs)
    return columns, summarise(answers, frame, measures)


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Leave the collector of cycles alone: shapes have none, but so many of them set it off again and again."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


def _overall(progress: Callable[[int, int], None], number: int, blocks: int) -> Callable[[int, int], None]:
    """Tell how far all sites are when the rules are put to one block of them after the other."""

    def told(done: int, total: int) -> None:
        progress((number * total + done) // blocks, total)

    return told


def day(on: dt.date | str | None) -> dt.date:
    """Understand a day: a date, text YYYY-MM-DD, or None for today.

    Raises
    ------
    SiteError
        The text is no such day.

    Examples
    --------
    >>> day("2026-11-20")
    datetime.date(2026, 11, 20)
    """
    if on is None:
        return dt.datetime.now().astimezone().date()
    if isinstance(on, dt.datetime):
        return on.date()
    if isinstance(on, dt.date):
        return on
    try:
        return dt.datetime.strptime(on, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except (ValueError, TypeError) as fault:
        raise SiteError(Problem("", None, f"日期 {on} 不可用", "请写成 YYYY-MM-DD，如 2026-11-20")) from fault


def read_rules(plan: Plan, *, on: dt.date | str | None = None) -> pd.DataFrame:
    """List the rules of a plan.

    Parameters
    ----------
    plan
        The plan.
    on
        The version in force on that day is listed, today when not given; of other rules the latest.

    Returns
    -------
    DataFrame
        Index ``rule_id``, in pack order; ``in_force`` says whether the version stands on the day.
    """
    date = day(on)
    kept = plan.cache.rules_table
    if kept is None or kept[0] != date:
        rows = []
        for id_, versions in rules_in_scope(plan).items():
            latest = max(versions, key=lambda version: version.since)
            rows.append(rule_row(rule_in_force(versions, plan, date) or latest, date, plan.settled.get(id_)))
        columns = list(rule_columns())
        kept = plan.cache.rules_table = date, pd.DataFrame(rows, columns=columns, dtype=object).set_index("rule_id")
    return kept[1].copy()


def read_findings(path: str | Path) -> Findings:
    """Read findings again: ``findings.json``, ``findings.gpkg``, or a folder of Parquet parts; without the plan.

    Raises
    ------
    SiteError
        The file is not one that ``Findings.write`` left.
    """
    return Findings(**export.read(path), plan=None)
