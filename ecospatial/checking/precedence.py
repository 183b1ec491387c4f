"""Which rule gives way: where special law that goes first applies to the same site, both rules say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecospatial.model import VERDICTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checking.evaluating import Outcome

_CODE = {value: position for position, value in enumerate(VERDICTS)}


def give_way(outcomes: list[Outcome]) -> None:
    """Add to the reasons which rule gives way to which; verdicts stay.

    Special law that is not in force, does not reach the site or is not about the project makes nothing give way, and
    neither does one that was not read or still waits for an answer.

    Parameters
    ----------
    outcomes
        What each rule says of each site; their ``notes`` are lengthened.
    """
    by_id = {outcome.rule.id: outcome for outcome in outcomes}
    first: dict[tuple[str, int], list[str]] = {}
    for general in outcomes:
        ways: dict[int, list[str]] = {}
        for special in (by_id[id_] for id_ in general.rule.yields_to if id_ in by_id):
            for row in np.flatnonzero(_said(general, doubtful=True) & _said(special, doubtful=False)).tolist():
                ways.setdefault(row, []).append(special.rule.id)
                first.setdefault((special.rule.id, row), []).append(general.rule.id)
        for place, ids in ways.items():
            _note(general, place, f"本地块上{'、'.join(ids)}已适用，本条让位。")
    for (id_, place), ids in first.items():
        _note(by_id[id_], place, f"本条优先于{'、'.join(ids)}适用。")


def _note(outcome: Outcome, place: int, sentence: str) -> None:
    outcome.notes[place] = outcome.notes.get(place, "") + sentence


def _said(outcome: Outcome, *, doubtful: bool) -> NDArray[np.bool_]:
    """Tell for each site whether the rule is touched and says something of it."""
    words = ["restricted", "prohibited", *(["needs_facts"] if doubtful else [])]
    said: NDArray[np.bool_] = np.isin(outcome.verdict, [_CODE[word] for word in words])
    return said & outcome.measured & outcome.measures.touched
