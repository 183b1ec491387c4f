"""Sentences of many findings: forms of words that they share, and the numbers that each of them puts in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class Slot(NamedTuple):
    """A number that a form leaves open: the column that holds it, and its decimals."""

    column: int
    digits: int


# A distance, length or area, a margin, metres along a river, an area in 亩.
SIZE, MARGIN, ALONG, MU = SLOTS = Slot(0, 1), Slot(1, 1), Slot(2, 1), Slot(3, 3)
Form = tuple[str | Slot, ...]


def form(*parts: str | Slot) -> Form:
    """Put texts and slots together; what says the same is the same form.

    Examples
    --------
    >>> form("距", "", "大运河 ", SIZE, " m", "。")
    ('距大运河 ', Slot(column=0, digits=1), ' m。')
    """
    found: list[str | Slot] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


@dataclass(frozen=True)
class ReasonTexts:
    """Sentences, not yet written: only those that are told apart ever are.

    Attributes
    ----------
    forms
        Forms of words.
    form
        For each sentence the position of its form.
    number
        Sentences x ``SLOTS``: what is put in, in units of its last decimal; 0 where the form leaves nothing open.
    """

    forms: list[Form]
    form: NDArray[np.intp]
    number: NDArray[np.int64]

    @classmethod
    def of(cls, forms: list[Form], form: NDArray[np.intp], values: Mapping[Slot, NDArray[np.float64]]) -> ReasonTexts:
        """Put values, one for each sentence, into those that leave them open; they are rounded as text would be."""
        number = np.zeros((len(form), len(SLOTS)), dtype=np.int64)
        for slot, value in values.items():
            rows = np.flatnonzero(np.array([slot in one for one in forms], dtype=bool)[form])
            number[rows, slot.column] = _whole(value[rows], slot.digits)
        return cls(forms, form, number)

    @classmethod
    def plain(cls, texts: Sequence[str]) -> ReasonTexts:
        """Take texts that leave nothing open."""
        return cls.of([form(text) for text in texts], np.arange(len(texts)), {})

    def __len__(self) -> int:
        """Count the sentences."""
        return len(self.form)

    def some(self, wanted: NDArray[Any]) -> ReasonTexts:
        """Give some of the sentences: a mask, or positions."""
        return ReasonTexts(self.forms, self.form[wanted], self.number[wanted])

    def ended(self, some: NDArray[np.intp], ending: NDArray[np.intp], texts: Sequence[str]) -> ReasonTexts:
        """Give some of the sentences, each with one of these texts behind it."""
        pair, first = factorize(self.form[some] * len(texts) + ending)
        forms = [form(*self.forms[self.form[some[row]]], texts[ending[row]]) for row in first]
        return ReasonTexts(forms, pair, self.number[some])

    def distinct(self) -> tuple[NDArray[np.intp], ReasonTexts]:
        """Give for each sentence its place among those that are told apart, and these."""
        code, many = self.form, len(self.forms)
        for column in self.number.T:
            count = int(column.max(initial=0)) + 1
            if many * count > np.iinfo(np.int64).max:
                code, first = factorize(code)
                many = len(first)
            code, many = code * count + column, many * count
        code, first = factorize(code)
        return code, self.some(first)

    def texts(self) -> NDArray[Any]:
        """Write the sentences."""
        found = np.empty(len(self), dtype=object)
        number = [_shown(column, slot.digits) for slot, column in zip(SLOTS, self.number.T, strict=True)]
        order = np.argsort(self.form, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(self.form[order])) + 1) if len(order) else ():
            parts = self.forms[self.form[rows[0]]]
            columns = [
                repeat(part, len(rows)) if isinstance(part, str) else number[part.column][rows] for part in parts
            ]
            found[rows] = list(map("".join, zip(*columns, strict=True)))
        return found


def concat(parts: Sequence[ReasonTexts]) -> ReasonTexts:
    """Put sentences behind each other; each form is held once."""
    known: dict[Form, int] = {}
    own = [np.array([known.setdefault(one, len(known)) for one in part.forms], dtype=np.intp) for part in parts]
    of = [number[part.form] for number, part in zip(own, parts, strict=True)]
    nothing = ReasonTexts.plain([])
    number = np.concatenate([nothing.number, *(part.number for part in parts)])
    return ReasonTexts(list(known), np.concatenate([nothing.form, *of]), number)


def factorize(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give distinct values a number, from 0; the second array says where each of them comes first."""
    code, kept = pd.factorize(values)
    first = np.empty(len(kept), dtype=np.intp)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return code, first


def _whole(values: NDArray[np.float64], digits: int) -> NDArray[np.int64]:
    """Round to so many decimals, and give the units of the last one."""
    scaled = values * 10**digits
    whole: NDArray[np.int64] = np.rint(scaled).astype(np.int64)
    # What looks like half a unit may be less or more: only its own digits tell.
    half = np.abs(scaled - np.floor(scaled) - 0.5) <= 1e-6 + 1e-15 * scaled
    for row in np.flatnonzero(half):
        whole[row] = int(f"{values[row]:.{digits}f}".replace(".", ""))
    return whole


def _shown(whole: NDArray[np.int64], digits: int) -> NDArray[Any]:
    code, kept = pd.factorize(whole)
    unit = 10**digits
    return np.array([f"{one // unit}.{one % unit:0{digits}d}" for one in kept.tolist()], dtype=object)[code]
