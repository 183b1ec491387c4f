"""Which rule gives way: where special law that goes first applies to the same site, both rules say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecospatial.model import VERDICTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks.verdicts import RuleResult

_CODE = {value: position for position, value in enumerate(VERDICTS)}


def apply_precedence(outcomes: list[RuleResult]) -> None:
    """Add to the reasons which rule gives way to which; verdicts stay.

    Special law that is not in force, does not reach the site or is not about the project makes nothing give way, and
    neither does one that was not read or still waits for an answer.

    Parameters
    ----------
    outcomes
        What each rule says of each site; their ``notes`` are lengthened.
    """
    by_id = {outcome.rule.id: outcome for outcome in outcomes}
    first: dict[str, list[tuple[str, NDArray[np.bool_]]]] = {}
    for general in outcomes:
        ways = []
        for special in (by_id[id_] for id_ in general.rule.yields_to if id_ in by_id):
            both = _said(general, doubtful=True) & _said(special, doubtful=False)
            if both.any():
                ways.append((special.rule.id, both))
                first.setdefault(special.rule.id, []).append((general.rule.id, both))
        _note(general, ways, "本地块上{}已适用，本条让位。")
    for id_, ways in first.items():
        _note(by_id[id_], ways, "本条优先于{}适用。")


def _note(outcome: RuleResult, ways: list[tuple[str, NDArray[np.bool_]]], sentence: str) -> None:
    """Add a sentence about the rules that are meant at each site; sites at which they are the same are told at once."""
    if not ways:
        return
    rows = np.flatnonzero(np.logical_or.reduce([both for _, both in ways]))
    kinds, kind = np.unique(np.column_stack([both[rows] for _, both in ways]), axis=0, return_inverse=True)
    ids = [[id_ for (id_, _), one in zip(ways, meant, strict=True) if one] for meant in kinds]
    texts = [sentence.format("、".join(meant)) for meant in ids]
    outcome.add_remark(rows, kind.ravel(), texts)


def _said(outcome: RuleResult, *, doubtful: bool) -> NDArray[np.bool_]:
    """Tell for each site whether the rule is touched and says something of it."""
    verdict = outcome.verdict
    said = (verdict == _CODE["restricted"]) | (verdict == _CODE["prohibited"])
    if doubtful:
        said |= (verdict == _CODE["needs_facts"]) | (verdict == _CODE["duty"])
    found: NDArray[np.bool_] = said & outcome.measured & outcome.measures.touched
    return found
