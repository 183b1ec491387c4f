"""What the marks and the popups of checked sites tell: headlines, findings, who has to answer; each text once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial import model
from ecospatial.maps.web.layer import column_data, plain_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks import Findings

POPUP_FINDINGS = 30
POPUP_NO_DATA = 6  # a plan with few layers has dozens, and what was found stands behind them


def _lists(findings: Findings, frame: pd.DataFrame, rows: NDArray[np.intp]) -> list[list[int]]:
    """Give for each site the numbers of its findings, worst first, as many as a popup shows."""
    order = {plain_text(site_id): place for place, site_id in enumerate(findings.summary.index)}
    place = frame["site_id"].map(plain_text).map(order).to_numpy()
    sorted_rows = rows[np.argsort(place, kind="stable")]
    ends = np.cumsum(np.bincount(place.astype(np.intp), minlength=len(order)))
    return [part[:POPUP_FINDINGS].tolist() for part in np.split(sorted_rows, ends[:-1])] if len(ends) else []


def findings_data(findings: Findings) -> dict[str, Any]:
    """Give what the popups of the sites tell, each text once.

    Returns
    -------
    dict
        ``rules``: id, title, clause. ``rows``: verdict (its place in ``model.VERDICTS``), rule, certainty (its place
        in ``model.CERTAINTIES``, -1 for none), reason, who has to answer (its place in ``model.OPEN_BY``, -1 when
        nothing is open). ``lists``: numbers of rows, worst first; ``of``: the list of each site. ``counts``: by site
        how many findings of each verdict, how many are open there, and how many for want of a layer or a text.

    Notes
    -----
    What is open for want of a layer or of a rule's text stands once on the map, not with each site.
    """
    frame = pd.DataFrame(findings.frame.drop(columns="geometry"))
    of_place = (frame["verdict"] != "not_applicable") & (
        ~frame["verdict"].isin(model.OPEN) | frame["open_here"].astype(bool)
    )
    frame = frame[of_place].sort_values("verdict", ascending=False, kind="stable")
    number = frame.groupby(["site_id", "verdict"], sort=False, observed=True).cumcount()
    frame = frame[(frame["verdict"] != "no_data") | (number < POPUP_NO_DATA)]
    verdict = frame["verdict"].astype(object)
    certainty = _places(frame["certainty"], list(model.CERTAINTIES))
    open_by = np.where(frame["open_here"].astype(bool), _places(frame["open_by"], list(model.OPEN_BY)), -1)
    names = ["rule_id", "rule_title", "instrument", "article"]
    texts = [frame[name].astype(object).map(plain_text) for name in names]
    rule, rules = pd.factorize(pd.MultiIndex.from_arrays(texts))
    reasons = frame["reason"].map(plain_text)
    order = list(model.VERDICTS)
    row, different = pd.factorize(
        pd.MultiIndex.from_arrays([verdict.map(order.index).astype(int), rule, certainty, reasons, open_by])
    )
    lists = _lists(findings, frame, row.astype(np.intp))
    unique = {part: number for number, part in enumerate(dict.fromkeys(map(tuple, lists)))}
    counts = findings.summary[[*(f"n_{name}" for name in order), "n_open", "n_missing"]].to_numpy(dtype=int)
    shown = dict.fromkeys(map(tuple, counts.tolist()))
    places = {count: number for number, count in enumerate(shown)}
    return {
        "rules": [[rule_id, title, f"《{instrument}》{article}"] for rule_id, title, instrument, article in rules],
        "rows": [[int(v), int(r), int(c), text, int(who)] for v, r, c, text, who in different],
        "lists": [list(part) for part in unique],
        "of": [unique[tuple(part)] for part in lists],
        "counts": [list(count) for count in shown],
        "counted": [places[tuple(count)] for count in counts.tolist()],
        "most": POPUP_FINDINGS,
    }


def _places(values: pd.Series[Any], order: list[str]) -> NDArray[np.intp]:
    """Give the place of each value in an order; -1 where there is none."""
    return np.array([order.index(v) if isinstance(v, str) else -1 for v in values.astype(object)], dtype=np.intp)


def badges_data(findings: Findings) -> dict[str, Any]:
    """Give headline, certainty (-1: none) and the text of the mark on each site."""
    told_ = findings.summary
    names = [(plain_text(site), plain_text(name)) for site, name in zip(told_.index, told_["site_name"], strict=True)]
    return {
        "h": column_data(_places(told_["headline"], list(model.HEADLINES)).tolist()),
        "k": column_data(_places(told_["certainty"], list(model.CERTAINTIES)).tolist()),
        "t": [f"{site} {name}" if name and name != site else site for site, name in names],
    }
