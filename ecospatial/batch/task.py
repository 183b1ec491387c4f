"""What a worker gets and gives back: one part, checked by itself, wherever that is."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecospatial import __version__, io
from ecospatial.checks import LayerCache, check_on_layers, day
from ecospatial.checks.scope import narrow_plan
from ecospatial.errors import CrsError, EcospatialError, PlanError, Problem, SiteError
from ecospatial.export.parquet import counted, part_bytes
from ecospatial.plans import data_folder, list_plans, open_plan
from ecospatial.sites import Piece, read_piece

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.plans import Plan

_TAIL = 64 * 1024


@dataclass(frozen=True)
class Task:
    """What all parts of a run have in common: small, and the same in every process.

    ``held`` says of each site file its size and the hash of its last 64 KB, where Parquet keeps its table of contents.
    """

    plan: str
    plan_sha256: str
    on: str
    at_least: str | None
    only: tuple[str, ...] | None
    crs: str | None
    activity: str | None
    works: str | None
    skip_bad: bool
    allow_far: bool
    held: tuple[tuple[str, int, str], ...]
    software: str = __version__


@dataclass(frozen=True)
class PartResult:
    """A part that was checked: the bytes of its two files and what they hold."""

    number: int
    files: tuple[bytes, bytes]
    counts: dict[str, Any]
    notices: list[str] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class PartRefusal:
    """A part whose sites can not be used, or were only read because those of another part can not."""

    number: int
    problems: list[Problem]
    of_crs: bool = False


class _Bench(threading.local):
    """The layers of the plan as this thread has read them; kept from part to part."""

    task: Task | None = None
    reading: LayerCache | None = None


_bench = _Bench()


def check_part(task: Task, number: int, piece: Piece, *, read_only: bool = False) -> PartResult | PartRefusal:
    """Check the sites of one part.

    Parameters
    ----------
    task
        What all parts have in common.
    number
        Of the part, from 0.
    piece
        Which sites.
    read_only
        Only find out what is wrong with the sites.

    Raises
    ------
    SiteError
        The site file is not the one that the run began with.
    PlanError
        The plan is not.
    """
    _require_same(task, piece.path)
    reading = _reading(task)
    options = {"crs": task.crs, "activity": task.activity, "works": task.works}
    try:
        sites = read_piece(piece, plan=reading.plan, skip_bad=task.skip_bad, allow_far=task.allow_far, **options)
    except EcospatialError as error:
        return PartRefusal(number, error.problems, of_crs=isinstance(error, CrsError))
    if read_only:
        return PartRefusal(number, [])
    found = check_on_layers(sites, reading, at_least=task.at_least)
    attrs = sites.attrs
    return PartResult(number, part_bytes(found), counted(found), list(found.meta["notices"]), list(attrs["skipped"]))


def forget() -> None:
    """Let go of the layers that this thread has read."""
    _bench.task = _bench.reading = None


def _reading(task: Task) -> LayerCache:
    if _bench.task != task or _bench.reading is None:
        if task.software != __version__:
            fault = f"计算进程的 ecospatial 是 {__version__}，发起核查的是 {task.software}"
            raise PlanError(Problem("", None, fault, "请在各台机器上安装同一版本"))
        plan = open_plan(task.plan)
        if digest(plan_files(plan)) != task.plan_sha256:
            way = "请不要在核查时改动规划；多台机器须用同一份规划"
            raise PlanError(Problem("plan.yaml", None, "规划与核查开始时不同", way))
        _bench.task, _bench.reading = task, LayerCache(narrow_plan(plan, task.only), day(task.on))
    return _bench.reading


def glance(path: Path) -> tuple[str, int, str]:
    """Give what tells a site file from another at once: name, size, hash of its end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _TAIL, 0))
        return path.name, size, hashlib.sha256(file.read()).hexdigest()


def _require_same(task: Task, path: Path) -> None:
    if not path.is_file() or glance(path) not in task.held:
        raise SiteError(Problem(path.name, None, "地块文件在核查期间被改动或移走", "请恢复该文件后继续，或重新核查"))


def place(plan: Plan) -> str:
    """Say where another process, perhaps on another machine, finds a plan: a shipped one by name."""
    folder = plan.folder.resolve()
    shipped = folder.name in list_plans() and folder == (data_folder("layers") / folder.name).resolve()
    return folder.name if shipped else str(folder)


def plan_files(plan: Plan) -> list[dict[str, str]]:
    """List every file that a plan is made of, with its hash: plan.yaml, packs, layers, coverages."""
    paths = [plan.folder / "plan.yaml"]
    for pack in plan.packs:
        own = pack.startswith("./")
        paths.append(plan.folder / pack if own else data_folder("layers") / "packs" / f"{pack}.yaml")
    for layer in plan.layers.values():
        for name in (layer.path, layer.coverage):
            # A coverage is a word, or a file of the plan.
            if name is not None and (plan.folder / name).is_file():
                paths += io.components(plan.folder / name)
    return [{"file": path.name, "sha256": io.sha256(path)} for path in dict.fromkeys(paths)]


def digest(content: Any) -> str:
    """Give the hash of plain values."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
