"""Map recipes: which layers of which plan, in which order, under which title."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial.errors import PlanError, Problem
from ecospatial.model import KINDS
from ecospatial.plans import Plan, data_folder, open_plan
from ecospatial.strict_yaml import Entry, Mapping, read_yaml

if TYPE_CHECKING:
    from os import PathLike

RECIPE_KEYS = ("title", "plan", "layers", "extent", "labels")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A map to be drawn.

    ``layers`` are kinds, the lowest first; none means all that are held, in the order of style.yaml. ``extent`` is a
    kind whose features fill the map.
    """

    title: str
    plan: Plan
    layers: tuple[str, ...] = ()
    extent: str = "district"
    labels: bool = True


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
    extent = entry.choice("extent", tuple(KINDS)) or "district"
    labels = content.get("labels", True)
    if not isinstance(labels, bool):
        entry.fault("labels", "应为 true 或 false")
    for key, value in (("title", title), ("plan", name)):
        if value is None and key in content:
            entry.fault(key, "不能为空")
    if entry.problems or title is None or name is None:
        raise PlanError(entry.problems)
    # A folder is meant from where the recipe lies, like every path in a file.
    plan = open_plan(path.parent / name if name.startswith("./") else name)
    return Recipe(title, plan, layers, extent, labels)
