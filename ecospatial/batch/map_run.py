"""A map for each recipe, district, town or site, or a report for each site, and a page that lists them.

What was finished stays when the run is stopped; the next run makes only what is missing or has changed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecospatial import maps
from ecospatial.batch.map_index import index_page
from ecospatial.batch.map_jobs import MapJob, MapRunSpec, checked, of_plan, of_recipes, of_sites
from ecospatial.errors import EcospatialError, Problem
from ecospatial.maps.faults import FAULTS, tell_undrawn
from ecospatial.maps.recipes import Recipe, find_recipe, read_recipe

if TYPE_CHECKING:
    import folium

    from ecospatial.checks import Findings
    from ecospatial.plans import Plan

__all__ = ["MapJob", "MapRunResult", "MapRunSpec", "checked", "draw", "of_plan", "of_recipes", "of_sites", "render"]

MANIFEST, INDEX = "maps.json", "index.html"
FORMS = ("html", "png", "pdf")
DOCUMENTS = ("html", "docx", "pdf", "xlsx")
Told = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class MapRunResult:
    """What a run did: names of the files made now, those that were there already, and what failed and why."""

    made: list[str]
    kept: list[str]
    failed: list[tuple[str, str]]


_SCENE: list[MapRunSpec] = []


def _enter(scene: MapRunSpec) -> None:
    _SCENE[:] = [scene]


def _work(item: MapJob, folder: str, form: str, paper: str) -> tuple[str, str]:
    """Make one file, in a process of its own or here; give its thumbnail and why it failed."""
    try:
        content, thumbnail = _SCENE[0].make(item, form, paper)
        maps.put(Path(folder, f"{item.name}.{form}"), content)
    except EcospatialError as error:
        return "", "；".join(str(problem) for problem in error.problems)
    except FAULTS as fault:
        return "", tell_undrawn(item.title, fault)
    return thumbnail, ""


def _known(folder: Path) -> dict[str, dict[str, str]]:
    """Read what an earlier run left; nothing when it left nothing that can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    items = found.get("items") if isinstance(found, dict) else None
    return items if isinstance(items, dict) and all(isinstance(entry, dict) for entry in items.values()) else {}


def draw(what: Plan | Recipe | Findings | str | PathLike[str], **how: Any) -> folium.Map:
    """Draw a plan, a recipe or findings as a Folium map; the sites of a recipe of verdicts are checked first.

    Parameters
    ----------
    what
        A plan, its name or its folder; a recipe or its file; findings.
    how
        As for ``maps.draw``: ``sites`` to draw on a plan, and what stands under the map.

    Returns
    -------
    folium.Map
        Carries all it needs: shown in a notebook or saved, it fetches nothing.

    Raises
    ------
    EcospatialError
        ``what`` is none of these, or can not be read.
    """
    if isinstance(what, str | PathLike):
        found = find_recipe(what)
        if found is not None:
            what = read_recipe(found)
    return maps.draw(checked(what) if isinstance(what, Recipe) else what, **how)


def render(
    items: Sequence[MapJob],
    scene: MapRunSpec,
    folder: str | PathLike[str],
    *,
    form: str = "html",
    paper: str = "a4",
    jobs: int = 1,
    told: Told | None = None,
) -> MapRunResult:
    """Make a file for each item, and ``index.html``, which lists and searches them.

    Parameters
    ----------
    items, scene
        From ``of_recipes``, ``of_plan`` or ``of_sites``.
    folder
        Made when absent. ``maps.json`` in it says what each file was made of: what has not changed is kept.
    form
        ``html``, ``png`` or ``pdf``; of documents ``html``, ``docx``, ``pdf`` or ``xlsx``.
    paper
        ``a4`` or ``a3``, of png and pdf.
    jobs
        Processes.
    told
        Called after each item with the number done, the number of all, and the seconds so far.

    Returns
    -------
    Outcome
        An item that fails does not keep the others from being made.

    Raises
    ------
    EcospatialError
        No such form, the folder can not be written to, or a process was killed from outside.
    """
    forms = DOCUMENTS if scene.kind == "report" else FORMS
    if form not in forms:
        raise EcospatialError(Problem("", None, f"不能逐个写成“{form}”", f"可选：{'、'.join(forms)}"))
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EcospatialError(Problem(place.name, None, "输出文件夹不能建立", "请检查输出位置是否可写")) from error
    keys = {item.name: scene.key(item, form, paper) for item in items}
    before = _known(place)
    entries = {
        item.name: before[item.name]
        for item in items
        if before.get(item.name, {}).get("key") == keys[item.name] and (place / f"{item.name}.{form}").is_file()
    }
    kept, start, failed, made = list(entries), time.monotonic(), [], []
    todo = [item for item in items if item.name not in entries]
    for number, (item, thumbnail, problem) in enumerate(_results(todo, scene, place, (form, paper, jobs)), start=1):
        if problem:
            failed.append((item.title, problem))
        else:
            made.append(item.name)
            entries[item.name] = {"key": keys[item.name], "thumbnail": thumbnail}
            _save(place, entries)
        if told is not None:
            told(number, len(todo), time.monotonic() - start)
    _save(place, entries)
    there = [item for item in items if item.name in entries]
    listed = [(item, f"{item.name}.{form}", entries[item.name].get("thumbnail", "")) for item in there]
    maps.put(place / INDEX, index_page(scene.title, listed, scene.notices, failed).encode())
    order = [item.name for item in items]
    return MapRunResult(sorted(made, key=order.index), kept, sorted(failed))


def _save(folder: Path, entries: dict[str, dict[str, str]]) -> None:
    told = {"format": "ecospatial-maps", "version": 1, "items": dict(sorted(entries.items()))}
    maps.put(folder / MANIFEST, (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode())


def _results(
    items: Sequence[MapJob], scene: MapRunSpec, folder: Path, how: tuple[str, str, int]
) -> Iterator[tuple[MapJob, str, str]]:
    form, paper, jobs = how
    if jobs == 1 or len(items) < 2:
        _enter(scene)
        for item in items:
            yield item, *_work(item, str(folder), form, paper)
        return
    pool = ProcessPoolExecutor(min(jobs, len(items)), get_context("spawn"), _enter, (scene,))
    try:
        futures: dict[Future[tuple[str, str]], MapJob] = {
            pool.submit(_work, item, str(folder), form, paper): item for item in items
        }
        for future in as_completed(futures):
            yield futures[future], *future.result()
    except BrokenProcessPool as error:
        hint = "已完成的地图保留在文件夹中；内存不足时减少 --jobs，再运行一次即可继续"
        raise EcospatialError(Problem(folder.name, None, "绘图进程被系统中止", hint)) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
