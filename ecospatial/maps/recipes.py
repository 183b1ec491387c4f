"""Map recipes: which layers of which plan, in which order, under which title."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecospatial.errors import EcospatialError, PlanError, Problem
from ecospatial.io.strict_yaml import Entry, Mapping, read_yaml
from ecospatial.model import KINDS
from ecospatial.plans import Plan, data_folder, open_plan

if TYPE_CHECKING:
    import datetime as dt
    from os import PathLike

    from geopandas import GeoDataFrame

    from ecospatial.checks import Findings

RECIPE_KEYS = ("title", "plan", "layers", "extent", "style", "labels", "sites", "facts", "on")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A map to be drawn.

    ``layers`` are kinds, the lowest first; none means all that are held, in the order of style.yaml. ``extent`` is a
    kind whose features fill the map, or one of them by its name or its river; ``style`` a file of signs that go before
    those of ``style.yaml``. A recipe with ``sites`` is a map of
    verdicts: whoever draws it checks them first, with ``facts``, ``on`` a day, and puts ``findings`` in.
    """

    title: str
    plan: Plan
    layers: tuple[str, ...] = ()
    extent: str = "district"
    labels: bool = True
    extent_name: str | None = None
    sites: Path | None = None
    facts: Path | None = None
    on: dt.date | None = None
    findings: Findings | None = None
    style: Path | None = None

    def extent_frame(self) -> GeoDataFrame | None:
        """Give the features that fill the map; None for the district as a whole.

        Raises
        ------
        PlanError
            The plan does not hold them, or has none of that name.
        """
        if self.extent == "district" and self.extent_name is None:
            return None
        frame = self.plan.frame(self.extent)
        if self.extent_name is None:
            return frame
        named = [frame[column] == self.extent_name for column in ("feature_name", "river") if column in frame]
        found = frame[np.logical_or.reduce(named)] if named else frame.iloc[:0]
        if found.empty:
            label = KINDS[self.extent].label
            known = [text for text in dict.fromkeys(frame.get("feature_name", [])) if isinstance(text, str) and text]
            hint = f"现有：{'、'.join(known[:20])}" if known else "请检查名称"
            raise PlanError(Problem(self.plan.name, "extent", f"{label}中没有“{self.extent_name}”", hint))
        return found

    def ready(self) -> None:
        """Refuse to be drawn with sites that nobody has checked.

        Raises
        ------
        EcospatialError
            There are ``sites`` and no ``findings``.
        """
        if self.sites is not None and self.findings is None:
            hint = "请用命令 ecospatial map 绘制，或先 es.check 再 es.draw"
            raise EcospatialError(Problem(self.sites.name, None, "配方中的地块还没有核查", hint))


def find_recipe(name: str | PathLike[str]) -> Path | None:
    """Give the file of a recipe: a path ending in .yaml, or the name of a shipped one; None when it is neither."""
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml") and path.name != "plan.yaml":
        if path.is_file():
            return path
        shipped = data_folder("maps") / path.name
        return shipped if path.parent == Path() and shipped.is_file() else None
    return None


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    PlanError
        The file is not understood, or names a plan or a kind that is not there; every fault is named.
    """
    content = read_yaml(path, PlanError)
    if not isinstance(content, Mapping):
        raise PlanError(Problem(path.name, None, "应为一组键和值", "至少写 title 和 plan"))
    entry = Entry(content, path.name, "")
    entry.closed(RECIPE_KEYS, ("title", "plan"))
    title, name = entry.text("title"), entry.text("plan")
    layers = entry.items("layers", lambda kind: kind if kind in KINDS else None)
    extent, extent_name = _extent(entry, content)
    labels = content.get("labels", True)
    if not isinstance(labels, bool):
        entry.fault("labels", "应为 true 或 false")
    for key, value in (("title", title), ("plan", name)):
        if value is None and key in content:
            entry.fault(key, "不能为空")
    files = {key: path.parent / found for key in ("sites", "facts", "style") if (found := entry.text(key))}
    on = entry.date("on")
    if "sites" not in content:
        for key in {"facts", "on"} & content.keys():
            entry.fault(key, "只与 sites 同用", "请同时写 sites，或删去")
    if entry.problems or title is None or name is None:
        raise PlanError(entry.problems)
    # A folder is meant from where the recipe lies, like every path in a file.
    plan = open_plan(path.parent / name if name.startswith("./") else name)
    sites, facts, style = (files.get(key) for key in ("sites", "facts", "style"))
    return Recipe(title, plan, layers, extent, labels, extent_name, sites, facts, on, style=style)


def _extent(entry: Entry, content: Mapping) -> tuple[str, str | None]:
    """Read ``extent``: a kind, or a mapping of one kind to the name of one of its features."""
    given = content.get("extent")
    if not isinstance(given, Mapping):
        return entry.choice("extent", tuple(KINDS)) or "district", None
    pairs = list(given.items())
    if len(pairs) != 1 or pairs[0][0] not in KINDS or not isinstance(pairs[0][1], str):
        entry.fault("extent", "应为一种图层，或“图层: 要素名称”一对")
        return "district", None
    return str(pairs[0][0]), str(pairs[0][1])
