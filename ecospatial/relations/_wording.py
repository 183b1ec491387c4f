"""Forms of words for what was measured: texts with slots that numbers are put into."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ecospatial.model import KINDS

if TYPE_CHECKING:
    from ecospatial.rules import Rule


class Slot(NamedTuple):
    """A number that a form leaves open: the column that holds it, and its decimals."""

    column: int
    digits: int


# A distance, length or area, a margin, metres along a river, an area in 亩.
SIZE, MARGIN, ALONG, MU = SLOTS = Slot(0, 1), Slot(1, 1), Slot(2, 1), Slot(3, 3)
Form = tuple[str | Slot, ...]
# What a site shares with what it is on: area, length or a point; else how it lies to what is nearest.
AREA, LENGTH, POINT, APART, ADJOINING, NOTHING = range(6)
SHARES: dict[int, Form] = {AREA: (" ", SIZE, " m²（", MU, " 亩）"), LENGTH: (" ", SIZE, " m "), POINT: ()}
# Words what was measured: takes the name of the feature, one of the cases above, and where along a river the site lies.
Teller = Callable[[str, int, int], Form]


def join_values(rule: Rule) -> str:
    """Return the values of ``where`` as text."""
    return "、".join(value for _, values in rule.where for value in values)


def tell_none_near(rule: Rule) -> str:
    """Say that no feature is within reach."""
    return f"周边 {rule.within_m + 1000:g} m 内没有{join_values(rule)}{KINDS[rule.layer].label}"
