"""Three-valued logic over what is known of a project: yes, no, and unknown, which is never no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ecospatial.model import FACTS, LAND_USES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.rules import Condition

# Ordered, so that "all" is the minimum and "any" the maximum.
NO, UNKNOWN, YES = -1, 0, 1

# Half of what is printed of an area: a site of just the size is of that size.
SAME_AREA_M2 = 0.005

KEY_LABELS = {"activity": "行业", "works": "建设性质", "land_use": "用地性质", "area_m2_at_least": "用地面积"}


class Project(NamedTuple):
    """What is known of one or more sites: the part of a row that conditions read."""

    activity: tuple[str, ...]
    works: tuple[str, ...]
    land_use: str | None
    facts: tuple[bool | None, ...]
    # Of the sizes that rules ask about the largest that the sites reach; None where their size is not known.
    area_m2: float | None = None


class Answer(NamedTuple):
    """Whether conditions hold, and which keys would have to be known to tell."""

    truth: int
    missing: tuple[str, ...]


class Projects:
    """The sites of a check, grouped by what is known of them, so that each group is asked once.

    Parameters
    ----------
    sites
        A site frame (``docs/interface.md`` section 4).
    area_m2, sizes_m2
        The area of each site, and the sizes that rules ask about.
    """

    def __init__(
        self,
        sites: gpd.GeoDataFrame,
        *,
        area_m2: NDArray[np.float64] | None = None,
        sizes_m2: Sequence[float] = (),
    ) -> None:
        columns = ["activity", "works", "land_use", *FACTS]
        known = {name: sites[name].to_numpy(dtype=object) for name in columns}
        group = np.zeros(len(sites), dtype=np.intp)
        for values in known.values():
            code, kept = pd.factorize(values)
            # Numbered anew after each column, so that the numbers stay small however many columns there are.
            group, _ = pd.factorize(group * (len(kept) + 1) + code + 1)
        reached = np.full(len(sites), np.nan)
        if area_m2 is not None and len(sizes_m2):
            steps = np.array([0.0, *sorted(sizes_m2)])
            reached = steps[np.searchsorted(steps, area_m2 + SAME_AREA_M2, side="right") - 1]
            code, kept = pd.factorize(reached)
            group, _ = pd.factorize(group * (len(kept) + 1) + code + 1)
        self.group: NDArray[np.intp] = group
        _, first = np.unique(self.group, return_index=True)
        self.projects = [
            _project({name: values[place] for name, values in known.items()}, reached[place]) for place in first
        ]

    def ask(self, conditions: Sequence[Condition], *, default: int = YES) -> list[Answer]:
        """Answer for each group; without conditions the answer is ``default``."""
        if not conditions:
            return [Answer(default, ())] * len(self.projects)
        return [_any(conditions, project) for project in self.projects]


def _empty(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) or value == ""


def _project(row: Mapping[str, Any], area_m2: float) -> Project:
    activity = "" if _empty(row["activity"]) else str(row["activity"])
    works = "" if _empty(row["works"]) else str(row["works"])
    return Project(
        activity=tuple(code.strip() for code in activity.split(";") if code.strip()),
        works=tuple(name.strip() for name in works.split(";") if name.strip()),
        land_use=None if _empty(row["land_use"]) else str(row["land_use"]),
        facts=tuple(None if _empty(row[name]) else bool(row[name]) for name in FACTS),
        area_m2=None if np.isnan(area_m2) else float(area_m2),
    )


def _any(conditions: Sequence[Condition], project: Project) -> Answer:
    answers = [_all(condition, project) for condition in conditions]
    truth = max(answer.truth for answer in answers)
    if truth != UNKNOWN:
        return Answer(truth, ())
    missing = [key for answer in answers if answer.truth == UNKNOWN for key in answer.missing]
    return Answer(UNKNOWN, tuple(dict.fromkeys(missing)))


def _all(condition: Condition, project: Project) -> Answer:
    parts = {}
    if condition.activity:
        parts["activity"] = _codes(condition.activity, project.activity)
    if condition.works:
        parts["works"] = _truth(bool(set(project.works) & set(condition.works))) if project.works else UNKNOWN
    if condition.land_use:
        parts["land_use"] = _land_use(condition.land_use, project.land_use)
    known = dict(zip(FACTS, project.facts, strict=True))
    for name, wanted in condition.facts:
        answer = known[name]
        parts[name] = UNKNOWN if answer is None else _truth(answer is wanted)
    if condition.area_m2_at_least is not None:
        reached = project.area_m2
        parts["area_m2_at_least"] = UNKNOWN if reached is None else _truth(reached >= condition.area_m2_at_least)
    return Answer(min(parts.values()), tuple(key for key, truth in parts.items() if truth == UNKNOWN))


def _truth(value: bool) -> int:
    return YES if value else NO


def _codes(wanted: tuple[str, ...], given: tuple[str, ...]) -> int:
    if not given:
        return UNKNOWN
    return max(_code(rule, site) for rule in wanted for site in given)


def _code(rule: str, site: str) -> int:
    if site.startswith(rule):
        return YES
    # A site known only as "C" may or may not be of C26.
    return UNKNOWN if rule.startswith(site) else NO


def _land_use(wanted: tuple[str, ...], given: str | None) -> int:
    if given is None:
        return UNKNOWN
    if given in wanted:
        return YES
    code = LAND_USES.get(given, given)
    if not code[:1].isdigit():
        # A name that is on no list can not be compared with a code, so it is not known to be different.
        return UNKNOWN if any(text[:1].isdigit() for text in wanted) else NO
    return max(_code(rule, code) for rule in wanted)


def key_label(key: str) -> str:
    """Name a key for a planner.

    Examples
    --------
    >>> key_label("works"), key_label("new_outfall")
    ('建设性质', '新设排污口')
    """
    return KEY_LABELS[key] if key in KEY_LABELS else FACTS[key].label
