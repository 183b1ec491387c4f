"""What is to be drawn: an item for each map, and the scene they share, small enough to send to another process."""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from ecospatial import export, maps, model
from ecospatial.checks import check_frame
from ecospatial.errors import EcospatialError, PlanError, Problem
from ecospatial.maps.faults import FAULTS, tell_undrawn
from ecospatial.maps.print.plan_sheet import picture
from ecospatial.maps.recipes import Recipe, read_recipe
from ecospatial.maps.web.thumbnail import UNDRAWN, thumbnail
from ecospatial.plans import Plan, data_folder, open_plan
from ecospatial.sites import read_sites

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecospatial.checks import Findings

LONGEST = 60
# Windows refuses these as names of files, whatever follows the dot.
RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)), "index"}


@dataclass(frozen=True, slots=True)
class MapJob:
    """One map: the name of its file without ending, its title, and what it shows."""

    name: str
    title: str
    what: str  # file of a recipe, name of a feature, or id of a site


def safe_names(texts: Iterable[object]) -> list[str]:
    """Turn texts into names of files: letters, digits, ``-`` and ``_``; unique whatever the case.

    Examples
    --------
    >>> safe_names(["地块/1", "地块:1", "CON", "..", "a"])
    ['地块_1', '地块_1-2', 'CON_', 'map', 'a']
    """
    taken: set[str] = set()
    names = []
    for text in texts:
        plain = unicodedata.normalize("NFC", str(text))
        name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in plain)[:LONGEST].strip("_")
        name = f"{name}_" if name.casefold() in RESERVED else name or "map"
        found, number = name, 1
        while found.casefold() in taken:
            number += 1
            found = f"{name}-{number}"
        taken.add(found.casefold())
        names.append(found)
    return names


@dataclass(frozen=True)
class MapRunSpec:
    """What all of one run is made from; ``kind``: recipe, feature, site (a map each) or report (a document each)."""

    kind: str
    title: str
    plan: str = ""  # name or folder
    feature_kind: str = ""
    findings: Findings | None = None  # without its plan
    notices: tuple[str, ...] = (model.NOTICE_INTERNAL,)

    @cached_property
    def _plan(self) -> Plan:
        return open_plan(self.plan)

    def _what(self, item: MapJob) -> Recipe | Findings:
        if self.kind == "recipe":
            return checked(read_recipe(Path(item.what)))
        if self.kind == "feature":
            whole = self.feature_kind == "district"
            return Recipe(item.title, self._plan, extent=self.feature_kind, extent_name=None if whole else item.what)
        return replace(_of_site(self.findings, item.what), plan=self._plan)

    def make(self, item: MapJob, form: str, paper: str) -> tuple[bytes, str]:
        """Make one: the content of its file, and its thumbnail as SVG.

        Raises
        ------
        EcospatialError
            What it needs is not there.
        """
        what = self._what(item)
        if self.kind == "report":
            content = _document(what, form)
        elif form == "html":
            content = maps.to_html(maps.draw(what)).encode()
        else:
            content = picture(what, form, paper=paper)
        try:
            small = str(thumbnail(what))
        except FAULTS as fault:  # the index can do without it
            tell_undrawn(f"缩略图 {item.title}", fault)
            small = UNDRAWN
        return content, small

    def key(self, item: MapJob, form: str, paper: str) -> str:
        """Give a hash of all that the map is made of."""
        from ecospatial import __version__

        parts = [__version__, self.kind, form, paper, item.title, item.what]
        told = hashlib.sha256("\0".join(parts).encode())
        told.update((data_folder("maps") / "style.yaml").read_bytes())
        if self.kind == "recipe":
            told.update(Path(item.what).read_bytes())
            try:
                recipe = read_recipe(Path(item.what))
            except EcospatialError:
                return told.hexdigest()  # said when it is drawn
            plans = [recipe.plan]
            for path in (recipe.sites, recipe.facts, recipe.style):
                told.update(path.read_bytes() if path is not None and path.is_file() else b"")
        else:
            plans = [self._plan]
        for plan in plans:
            told.update(_plan_bytes(plan))
        if self.findings is not None:
            own = _of_site(self.findings, item.what)
            told.update(pd.DataFrame(own.frame.drop(columns="geometry")).to_json(default_handler=str).encode())
            told.update(shapely.to_wkb(own.sites.geometry.iloc[0]) or b"")
        return told.hexdigest()


def checked(recipe: Recipe) -> Recipe:
    """Check the sites of a recipe, when it has any, so that it can be drawn.

    Raises
    ------
    SiteError
        The sites can not be read.
    """
    if recipe.sites is None or recipe.findings is not None:
        return recipe
    sites = read_sites(recipe.sites, plan=recipe.plan, facts=recipe.facts)
    return replace(recipe, findings=check_frame(sites, recipe.plan, on=recipe.on))


def _plan_bytes(plan: Plan) -> bytes:
    """Give the bytes that say whether a plan has changed: its description, and size and time of its files."""
    folder = Path(plan.folder)
    told = (folder / "plan.yaml").read_bytes()
    for layer in plan.layers.values():
        path = folder / layer.path if layer.path else None
        if path is not None and path.exists():
            stat = path.stat()
            told += f"{layer.name} {stat.st_size} {stat.st_mtime_ns}".encode()
    return told


def _of_site(findings: Findings | None, site_id: str) -> Findings:
    """Give the findings of one site."""
    if findings is None:
        raise EcospatialError(Problem("", None, "没有核查结果", "请先核查"))
    return replace(
        findings, frame=findings.frame[findings.frame["site_id"] == site_id],
        summary=findings.summary.loc[[site_id]], sites=findings.sites.loc[[site_id]],
    )  # fmt: skip


def of_recipes(folder: Path) -> tuple[list[MapJob], MapRunSpec]:
    """List the recipes of a folder, by name.

    Raises
    ------
    PlanError
        There is none.
    """
    paths = sorted(folder.glob("*.y*ml"))
    found = [path for path in paths if path.suffix in (".yaml", ".yml") and path.name != "style.yaml"]
    if not found:
        raise PlanError(Problem(folder.name, None, "文件夹中没有配方（*.yaml）", "请给出放有配方的文件夹，如 maps"))
    names, titles, notices = safe_names(path.stem for path in found), [], dict[str, None]()
    for path in found:
        try:
            recipe = read_recipe(path)
        except EcospatialError:  # said when it is drawn
            titles.append(path.name)
        else:
            titles.append(recipe.title)
            notices |= dict.fromkeys(_notices(recipe.plan))
    items = [MapJob(name, title, str(path)) for name, title, path in zip(names, titles, found, strict=True)]
    return items, MapRunSpec("recipe", "地图", notices=tuple(notices))


def _notices(plan: Plan) -> tuple[str, ...]:
    own = f"审图号：{plan.review_number}" if plan.review_number else model.NOTICE_INTERNAL
    schematic = any(layer.status == "schematic" for layer in plan.layers.values())
    return (own, model.NOTICE_SCHEMATIC) if schematic else (own,)


def of_plan(plan: Plan, kind: str) -> tuple[list[MapJob], MapRunSpec]:
    """List the features of a kind that are maps of their own: ``town``, or ``district`` for the whole.

    Raises
    ------
    PlanError
        The plan does not hold the kind.
    """
    if kind == "district":
        items = [MapJob(safe_names([plan.name])[0], plan.title, "")]
        return items, MapRunSpec("feature", plan.title, _where(plan), kind, notices=_notices(plan))
    frame = plan.frame(kind)
    texts = frame.get("feature_name", [])
    found = list(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
    if not found:
        label = model.KINDS[kind].label
        raise PlanError(Problem(plan.name, kind, f"{label}没有名称，不能逐个出图", "请填写 feature_name"))
    items = [MapJob(name, f"{plan.title}　{text}", text) for name, text in zip(safe_names(found), found, strict=True)]
    return items, MapRunSpec("feature", plan.title, _where(plan), kind, notices=_notices(plan))


def _document(what: Recipe | Findings, form: str) -> bytes:
    """Write the findings of one site as a document."""
    if isinstance(what, Recipe):
        raise EcospatialError(Problem("", None, "配方没有核查结果", "请给出地块"))
    with tempfile.TemporaryDirectory(prefix="ecospatial-") as room:
        (path,) = export.write(what, room, formats=[form])
        return path.read_bytes()


def of_sites(findings: Findings, *, documents: bool = False) -> tuple[list[MapJob], MapRunSpec]:
    """List the sites of a check; each map shows one of them with its findings, each document tells of one.

    Raises
    ------
    EcospatialError
        The findings have no plan.
    """
    if findings.plan is None:
        raise EcospatialError(Problem("", None, "核查结果没有规划，不能逐个出图", "请由地块文件核查后出图"))
    ids = [str(key) for key in findings.sites.index]
    pairs = zip(ids, findings.summary["site_name"].astype(object), strict=True)
    titles = [f"{key}　{name}" if isinstance(name, str) and name not in ("", key) else key for key, name in pairs]
    items = [MapJob(safe, title, key) for safe, title, key in zip(safe_names(ids), titles, ids, strict=True)]
    title = f"{findings.plan.title}　空间管控{'核查报告' if documents else '核查图'}"
    notices = tuple(str(text) for text in findings.meta.get("notices", []))
    bare = replace(findings, plan=None)
    kind = "report" if documents else "site"
    return items, MapRunSpec(kind, title, _where(findings.plan), findings=bare, notices=notices)


def _where(plan: Plan) -> str:
    return str(plan.folder)
