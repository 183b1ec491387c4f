"""Values that rules look for and no feature carries: the words of a rule held against those of the layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecospatial.errors import Problem
from ecospatial.model import KINDS, NAME_COLUMNS, match_names, nearest_names

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans.layers import Layer
    from ecospatial.plans.plan import Plan


@dataclass(frozen=True, slots=True)
class UnmatchedValue:
    """A value of a rule that no feature carries and that nobody confirmed as absent.

    ``possible`` are names in the layers that may mean it, ``nearest`` those most like it.
    """

    rule_ids: tuple[str, ...]
    kind: str
    column: str
    value: str
    nearest: tuple[str, ...]
    possible: tuple[str, ...]


def unmatched_values(plan: Plan, on: dt.date, *, kind: str | None = None) -> list[UnmatchedValue]:
    """List the values that rules in force look for, that no feature carries and that are not confirmed absent.

    Kinds of which no feature is held, or of which a layer can not be read, are left out: their rules have no data.

    Parameters
    ----------
    plan
        The plan.
    on
        The day on which rules and layers stand.
    kind
        Only values of this kind.

    Returns
    -------
    list of UnmatchedValue
        In the order of the rules.

    Examples
    --------
    >>> import datetime as dt
    >>> from ecospatial.plans import open_plan, unmatched_values
    >>> found = unmatched_values(open_plan("changzhou-zhonglou"), dt.date(2026, 11, 20), kind="eco_redline")
    >>> all(value.kind == "eco_redline" for value in found)
    True
    """
    wanted: dict[tuple[str, str, str], list[str]] = {}
    for rule in plan.rules:
        if rule.in_force(on) and kind in (None, rule.layer):
            for column, values in rule.where:
                for value in values:
                    wanted.setdefault((rule.layer, column, value), []).append(rule.id)
    held: dict[str, list[Layer] | None] = {}
    found = []
    for (layer_kind, column, value), rule_ids in wanted.items():
        if layer_kind not in held:
            held[layer_kind] = _held(plan, layer_kind, on)
        layers = held[layer_kind]
        if layers is None or all(_is_absent(layer, column, value) for layer in layers):
            continue
        carried, possible, others = _look_for(plan, layers, column, value)
        if not carried:
            nearest = nearest_names(value, others)
            ids = tuple(dict.fromkeys(rule_ids))
            found.append(UnmatchedValue(ids, layer_kind, column, value, tuple(nearest), tuple(possible)))
    return found


def unmatched_problems(values: Sequence[UnmatchedValue]) -> list[Problem]:
    """Say in sentences which values no feature carries, and how the owner of the data can answer.

    Parameters
    ----------
    values
        As from ``unmatched_values``.
    """
    return [_problem(value) for value in values]


def _problem(value: UnmatchedValue) -> Problem:
    column = KINDS[value.kind].column(value.column)
    label = value.column if column is None else f"{value.column}（{column.label}）"
    rules = "、".join(value.rule_ids[:5]) + (f" 等 {len(value.rule_ids)} 条" if len(value.rule_ids) > 5 else "")
    text = f"没有要素的 {label} 是“{value.value}”（规则 {rules}）"
    text += f"，可能是它的：{_listed(value.possible)}" if value.possible else ""
    nearest = [name for name in value.nearest if name not in value.possible]
    text += f"，相近的：{_listed(nearest)}" if nearest else ""
    way = f"名称写法不同的，请在 vocabulary 的 {value.column} 写明对应；本区没有的，请写 "
    return Problem("plan.yaml", f"图层 {value.kind}", text, f"{way}absent: {{{value.column}: [{value.value}]}}")


def _listed(names: Sequence[str]) -> str:
    shown = "、".join(" ".join(name.split())[:40] for name in names[:5])
    return shown + (f" 等 {len(names)} 个" if len(names) > 5 else "")


def _held(plan: Plan, kind: str, on: dt.date) -> list[Layer] | None:
    """Return the layers of a kind that are held on a day; None when there is none or one can not be used."""
    held = [x for x in plan.of_kind(kind) if x.valid_on(on) and x.present == "held" and x.pixels is None]
    return held if held and all(plan.trouble(layer.name) is None for layer in held) else None


def _is_absent(layer: Layer, column: str, value: str) -> bool:
    """Tell whether the owner of a layer confirmed that no feature with a value exists."""
    listed = layer.absent.get(column, ())
    if column in NAME_COLUMNS:
        return bool(match_names(listed, (value,))[0].any())
    return value in listed


def _look_for(plan: Plan, layers: Sequence[Layer], column: str, value: str) -> tuple[bool, list[str], list[str]]:
    """Tell whether a feature carries a value; list the names that may mean it, and all names there are."""
    carried = False
    possible: dict[str, None] = {}
    others: dict[str, None] = {}
    for layer in layers:
        texts = _texts(plan, layer, column)
        means, may = match_values(column, texts, (value,), confirmed=layer.confirmed_names(column))
        carried = carried or bool(means.any())
        possible |= dict.fromkeys(text for text, might in zip(texts, may & ~means, strict=True) if might)
        others |= dict.fromkeys(texts)
    return carried, list(possible), list(others)


def match_values(
    column: str, texts: Sequence[str], wanted: tuple[str, ...], *, confirmed: frozenset[str] = frozenset()
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which texts of a column are one of the wanted values, and which may be.

    Names are compared by meaning, everything else letter by letter.
    """
    if column in NAME_COLUMNS:
        return match_names(texts, wanted, confirmed=confirmed)
    equal = np.array([text in wanted for text in texts], dtype=bool)
    return equal, equal


def match_column(
    frame: gpd.GeoDataFrame, column: str, wanted: tuple[str, ...], layers: Sequence[Layer]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which features have one of the wanted values in a column, and which may have one.

    Parameters
    ----------
    frame
        Features of a kind, with the column ``layer``. An empty cell may be anything.
    column
        Name of the column.
    wanted
        Values as rules write them.
    layers
        The layers of the frame, for the names their owners confirmed.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> names = ["京杭运河（常州段）", "京杭运河常州段", None, "采菱港"]
    >>> frame = gpd.GeoDataFrame({"river": names, "layer": "a"}, geometry=[shapely.Point(0, 0)] * 4)
    >>> means, may = match_column(frame, "river", ("京杭运河",), [])
    >>> means.tolist(), may.tolist()
    ([True, False, False, False], [True, True, True, False])
    """
    means = np.zeros(len(frame), dtype=bool)
    may = frame[column].isna().to_numpy(dtype=bool).copy()
    of_layer = frame["layer"].to_numpy(dtype=object)
    known = ~may
    confirmed = {layer.name: layer.confirmed_names(column) for layer in layers}
    for name in dict.fromkeys(of_layer[known]):
        own = np.flatnonzero(known & (of_layer == name))
        code, distinct = pd.factorize(np.array([_text(cell) for cell in frame[column].iloc[own]], dtype=object))
        sure, possible = match_values(column, list(distinct), wanted, confirmed=confirmed.get(name, frozenset()))
        means[own], may[own] = sure[code], possible[code]
    return means, may


def _texts(plan: Plan, layer: Layer, column: str) -> list[str]:
    """List each text of a column once; answers as rules write them."""
    return [_text(cell) for cell in plan.layer_frame(layer.name)[column].dropna().unique()]


def _text(cell: object) -> str:
    return str(cell).lower() if isinstance(cell, bool | np.bool_) else str(cell)
