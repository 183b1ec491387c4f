"""Many sites: a GeoParquet source checked part by part, with progress, stopped and resumed, on as many hands as are."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from ecospatial import __version__, io
from ecospatial.batch.checkpoint import Checkpoint
from ecospatial.batch.executors import in_processes, in_turn, on_cluster
from ecospatial.batch.progress import Progress
from ecospatial.batch.task import PartRefusal, PartResult, Task, digest, glance, place, plan_files
from ecospatial.checks import day, read_rules, verdict_value
from ecospatial.checks._frame import header
from ecospatial.checks.scope import narrow_plan
from ecospatial.errors import CrsError, PlanError, Problem, SiteError
from ecospatial.export.parquet import part_name, require_pyarrow, run_text
from ecospatial.io.geoparquet import count_rows
from ecospatial.sites import Piece, piece_ids, site_files

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Iterable, Iterator

    from ecospatial.batch.executors import Results
    from ecospatial.plans import Plan

    Source = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = ["PartsRun", "check_parts"]

# So many findings at a time stay within some hundred megabytes.
_FINDINGS = 400_000
_LEAST_ROWS, _MOST_ROWS = 500, 50_000
_MOST_PROBLEMS = 200


@dataclass(frozen=True)
class PartsRun:
    """A check part by part that is whole.

    Attributes
    ----------
    folder
        Where ``part-*.parquet`` lie; ``es.read_findings`` reads it when it fits into memory.
    parts
        The files.
    sites, findings
        How many sites were checked, and how many findings are in the files.
    headlines, certainties
        How many sites have which headline, and of each headline how many have which certainty ("" for none).
    verdicts, decided
        How many sites have which worst verdict, and which worst of those that decide.
    plan_open, left_out
        As of ``Findings``.
    meta
        As of ``Findings``.
    """

    folder: Path
    parts: list[Path]
    sites: int
    findings: int
    headlines: dict[str, int]
    certainties: dict[str, dict[str, int]]
    verdicts: dict[str, int]
    decided: dict[str, int]
    meta: dict[str, Any]
    plan_open: list[dict[str, Any]]
    left_out: list[dict[str, Any]]


def check_parts(
    source: Source,
    plan: Plan,
    out: str | os.PathLike[str],
    *,
    on: dt.date | str | None = None,
    at_least: str | None = None,
    only: str | Iterable[str] | None = None,
    crs: str | int | CRS | None = None,
    activity: str | None = None,
    works: str | None = None,
    skip_bad: bool = False,
    allow_far: bool = False,
    part_rows: int | None = None,
    jobs: int = 1,
    client: Any = None,
    restart: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> PartsRun:
    """Check the sites of GeoParquet files part by part into ``out/findings/part-*.parquet``.

    Findings are those of ``check``. Memory does not grow with the number of sites. A run that was stopped, or killed,
    goes on with the same call: no finished part is checked again, and the files are the same, byte for byte, as those
    of a run that nothing disturbed.

    Parameters
    ----------
    source
        A GeoParquet file, a folder of them, or a list.
    plan
        The plan. Worker processes open it again from its folder.
    out
        Output folder. ``findings`` in it is replaced when it holds another finished run.
    on, at_least, only
        As for ``check``. A run that goes on past midnight keeps the day it began with.
    crs, activity, works, skip_bad, allow_far
        As for ``read_sites``. A CRS that the file does not say must be given.
    part_rows
        Sites of a part; chosen so that a part has about 400,000 findings when not given.
    jobs
        Processes of this machine.
    client
        A ``distributed.Client`` whose workers check instead (extra ``distributed``); they must reach the site files
        and the plan under the same path.
    restart
        Give up what an unfinished run left in ``out``.
    progress
        Called after each part.

    Raises
    ------
    SiteError, CrsError
        The source can not be used (nothing is left in ``out``), or ``out`` holds an unfinished run of other inputs.
    PlanError
        The plan was changed during the run.
    """
    require_pyarrow()
    paths = site_files(source)
    if paths is None:
        way = "请转为 GeoParquet（.parquet），或不分块核查"
        raise SiteError(Problem("", None, "分块核查只读取 GeoParquet 文件", way))
    kinds = None if only is None else [only] if isinstance(only, str) else list(only)
    plan = narrow_plan(plan, kinds)
    rows = part_rows or _rows_for(plan)
    pieces = _pieces(paths, rows)
    given = crs if crs is None or isinstance(crs, str | int) else CRS.from_user_input(crs).to_wkt()
    options: dict[str, Any] = {
        "on": day(on).isoformat(),
        "at_least": None if at_least is None else verdict_value(at_least),
        "only": kinds,
        "crs": None if given is None else str(given),
        "activity": activity,
        "works": works,
        "skip_bad": skip_bad,
        "allow_far": allow_far,
    }
    ticket = _ticket(paths, plan, options | {"part_rows": rows})
    store = Checkpoint(Path(out), made=not Path(out).exists())
    if restart:
        store.clear()
    if on is None:
        ticket = _same_day(ticket, store)
    options["on"] = ticket["options"]["on"]
    if not store.goes_on(ticket):
        _require_unique(pieces)
        store.begin(ticket)
    run = _Run(store, ticket, pieces, progress)
    given_kinds = None if kinds is None else tuple(kinds)
    held = tuple(glance(path) for path in paths)
    task = Task(place(plan), digest(ticket["plan"]), held=held, **options | {"only": given_kinds})
    if run.todo:
        run.go(_results(task, run.work(), jobs, client))
    return _finished(run, plan, paths)


def _results(task: Task, work: Any, jobs: int, client: Any) -> Results:
    if client is not None:
        return on_cluster(task, work, client)
    return in_turn(task, work) if jobs == 1 else in_processes(task, work, jobs)


def _rows_for(plan: Plan) -> int:
    return int(np.clip(_FINDINGS // max(len(plan.rule_versions()), 1), _LEAST_ROWS, _MOST_ROWS))


def _pieces(paths: list[Path], rows: int) -> list[Piece]:
    """Cut the files into parts: none holds sites of two files."""
    pieces, before = [], 0
    for path in paths:
        count = count_rows(path)
        if not count:
            raise SiteError(Problem(path.name, None, "没有地块", "请核对文件"))
        pieces += [Piece(path, first, min(rows, count - first), before) for first in range(0, count, rows)]
        before += count
    return pieces


def _ticket(paths: list[Path], plan: Plan, options: dict[str, Any]) -> dict[str, Any]:
    """Say what makes this run this run."""
    sites = [{"file": path.name, "sha256": io.sha256(path)} for path in paths]
    return {"software": f"ecospatial {__version__}", "sites": sites, "plan": plan_files(plan), "options": options}


def _same_day(ticket: dict[str, Any], store: Checkpoint) -> dict[str, Any]:
    """Keep the day of a run that began before midnight, when nobody names one."""
    before = store.told()
    if before.get("state") != "running":
        return ticket
    began = before.get("ticket", {}).get("options", {}).get("on")
    earlier = ticket | {"options": ticket["options"] | {"on": began}}
    return earlier if digest(earlier) == before.get("fingerprint") else ticket


def _require_unique(pieces: list[Piece]) -> None:
    """Make sure that no id occurs twice in all the files: 8 bytes a site are held.

    Raises
    ------
    SiteError
        Some do.
    """
    hashes = [pd.util.hash_array(piece_ids(piece).to_numpy(dtype=object)) for piece in pieces]
    values, counts = np.unique(np.concatenate(hashes), return_counts=True)
    twice = values[counts > 1]
    if not len(twice):
        return
    places: dict[str, list[str]] = {}
    for piece, known in zip(pieces, hashes, strict=True):
        hit = np.flatnonzero(np.isin(known, twice))
        if len(hit):
            ids = piece_ids(piece).to_numpy(dtype=object)
            for i in hit:
                places.setdefault(str(ids[i]), []).append(f"{piece.path.name} 第 {piece.first + i + 1} 行")
    way = "请使用不同的 site_id"
    problems = [
        Problem("", None, f"编号“{name[:100]}”重复：{'、'.join(where[:10])}", way)
        for name, where in list(places.items())[:_MOST_PROBLEMS]
    ]
    raise SiteError(problems)


class _Run:
    """The parts of a run that are finished, and those to do."""

    def __init__(
        self,
        store: Checkpoint,
        ticket: dict[str, Any],
        pieces: list[Piece],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.store, self.ticket, self.pieces, self.progress = store, ticket, pieces, progress
        self.receipts = {n: entry for n, entry in store.receipts().items() if n < len(pieces)}
        self.todo = [number for number in range(len(pieces)) if number not in self.receipts]
        self.refused: list[PartRefusal] = []

    def work(self) -> Iterator[tuple[int, Piece, bool]]:
        """Hand out what is to do; once sites were refused the rest is only read, to name every fault at once."""
        for number in self.todo:
            yield number, self.pieces[number], bool(self.refused)

    def go(self, results: Results) -> None:
        """Keep every part as it comes.

        Raises
        ------
        SiteError, CrsError
            All faults of the sites of all parts; then nothing is left.
        """
        began, fresh = time.monotonic(), 0
        with closing(results):
            self._tell(0, 0.0)
            for result in results:
                if isinstance(result, PartResult):
                    self.receipts[result.number] = self.store.keep(result)
                    fresh += self.pieces[result.number].rows
                    self._tell(fresh, time.monotonic() - began)
                else:
                    self.refused.append(result)
        if self.refused:
            self.store.leave_nothing()
            ordered = sorted(self.refused, key=lambda refused: refused.number)
            problems = list(dict.fromkeys(problem for refused in ordered for problem in refused.problems))
            of_crs = all(refused.of_crs for refused in ordered if refused.problems)
            raise (CrsError if of_crs else SiteError)(problems[:_MOST_PROBLEMS])

    def _tell(self, fresh: int, seconds: float) -> None:
        if self.progress is not None:
            done = sum(self.pieces[number].rows for number in self.receipts)
            total = sum(piece.rows for piece in self.pieces)
            self.progress(Progress(len(self.receipts), len(self.pieces), done, total, fresh, seconds))


def _finished(run: _Run, plan: Plan, paths: list[Path]) -> PartsRun:
    ticket, store = run.ticket, run.store
    if _ticket(paths, plan, ticket["options"]) != ticket:
        way = "请恢复原来的文件后用同样的命令继续，或加 --restart 重新核查"
        raise PlanError(Problem("", None, "规划或地块文件在核查期间被改动", way))
    receipts = [dict(run.receipts[number]) for number in sorted(run.receipts)]
    sites = gpd.GeoDataFrame()
    sites.attrs = {
        "inputs": ticket["sites"],
        "notices": list(dict.fromkeys(text for entry in receipts for text in entry["notices"])),
        "skipped": [skipped for entry in receipts for skipped in entry["skipped"]],
    }
    date = day(ticket["options"]["on"])
    meta = header(sites, plan, date)
    text = run_text(meta, read_rules(plan, on=date), plan.layer_table(), receipts)
    store.finish(text, ticket)
    told = store.told()
    keys = ("sites", "findings", "headlines", "certainties", "verdicts", "decided", "plan_open", "left_out")
    totals = {key: told[key] for key in keys}
    names = [store.home / part_name(number) for number in range(len(run.pieces))]
    return PartsRun(folder=store.home, parts=names, meta=meta, **totals)
