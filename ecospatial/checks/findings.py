"""The answers: one row for each site and rule, a headline for each site, and the ways out of here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial.errors import Problem, SiteError
from ecospatial.model import CERTAINTIES, DECIDED, HEADLINE_DTYPE, HEADLINES, OPEN, OPEN_BY, VERDICT_DTYPE, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import folium
    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Plan


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Attributes
    ----------
    frame
        One row per site and rule (``docs/interface.md`` section 7), in ``plan.crs``.
    summary
        One row per site: ``headline`` with ``certain`` and ``certainty``, ``verdict`` (the worst), ``decided`` (the
        worst of those that decide) and counts.
    sites, rules, layers
        What was checked, and against what.
    meta
        Plan, day, CRS, software, input files with hashes, notices.
    plan
        The plan, or None when the findings were read again from a file.
    plan_open
        What is open wherever a site lies, once each: missing layers, values that no feature carries, rules whose basis
        is not settled. Keys ``what``, ``open_by``, ``ask``, ``rule_ids``.
    left_out
        What was not evaluated. Keys ``rules``, ``kinds``, ``because``, ``ask``, ``rule_ids``.
    """

    frame: gpd.GeoDataFrame
    summary: pd.DataFrame
    sites: gpd.GeoDataFrame
    rules: pd.DataFrame
    layers: pd.DataFrame
    meta: dict[str, Any]
    plan: Plan | None = None
    plan_open: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def table(self, site_id: str | None = None) -> pd.DataFrame:
        """Give the findings with Chinese headers, the worst first; of one site when its id is given."""
        from ecospatial import export

        return export.table(self, site_id)

    def write(self, folder: str | Path, *, formats: Sequence[str] | None = None, timestamp: bool = False) -> list[Path]:
        """Write the findings into a folder and return the paths.

        Parameters
        ----------
        folder
            Made when it does not exist; files of the same name are replaced, nothing else is touched.
        formats
            Of ``html``, ``map``, ``gpkg``, ``json`` (these when not given), ``xlsx``, ``docx``, ``pdf``, and for
            designers ``dxf``, ``shp``, ``txt``.
        timestamp
            Whether to note the time of writing; without it the same input gives the same bytes.

        Raises
        ------
        SiteError
            A format is not known, or the folder can not be written to.
        """
        from ecospatial import export

        return export.write(self, Path(folder), formats=formats, timestamp=timestamp)

    def map(self) -> folium.Map:
        """Draw the sites, the conflicts and, when the plan is known, its layers."""
        from ecospatial import maps

        return maps.draw(self)

    def remedies(self, *, within_m: float = 500.0) -> gpd.GeoDataFrame:
        """Find the free part of each site, and the smallest shift (metres) after which nothing is in the way."""
        from ecospatial.checks.remedies import remedies

        return remedies(self, within_m=within_m)

    def _repr_html_(self) -> str:
        from ecospatial import export

        return export.notebook_html(self)

    @property
    def open(self) -> pd.DataFrame:
        """List what is open, once each: ``what``, ``open_by``, ``ask``, ``rule_ids``, ``site_ids``.

        First what is open in the plan, which concerns every site (no ``site_ids``), then for each rule the sites at
        whose place it is open.
        """
        columns = ["what", "open_by", "ask", "rule_ids", "site_ids"]
        rows: list[list[Any]] = [
            [entry["what"], entry["open_by"], entry["ask"], list(entry["rule_ids"]), []] for entry in self.plan_open
        ]
        here = self.frame[self.frame["open_here"].to_numpy(dtype=bool)]
        grouped = here.groupby(["rule_id", "rule_title", "open_by"], observed=True, sort=False)["site_id"]
        rows += [[title, by, OPEN_BY[by], [rule_id], list(map(str, sites))] for (rule_id, title, by), sites in grouped]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def worst(self) -> str:
        """The worst headline of all sites; ``undecided`` when there is no site."""
        return "undecided" if self.summary.empty else str(self.summary["headline"].max())


@dataclass(frozen=True)
class SiteAnswers:
    """What all rules say of the sites of a check; sites x rules.

    ``verdict`` is a position in ``VERDICTS``, ``certainty`` one in ``CERTAINTIES``, -1 for none. ``open_here`` says
    what is open at the place of a site. ``prohibits`` says of each rule whether its effect is a prohibition,
    ``plan_open`` whether a layer that a rule in force reads is missing, or something is left out.
    """

    verdict: NDArray[np.int8]
    certainty: NDArray[np.int8]
    open_here: NDArray[np.bool_]
    prohibits: NDArray[np.bool_]
    plan_open: bool


def summarise(answers: SiteAnswers, sites: gpd.GeoDataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """Give each site its headline and its counts.

    Parameters
    ----------
    answers
        What all rules say of the sites.
    sites
        The sites; index ``site_id``.
    measures
        ``area_m2``, ``area_ellipsoidal_m2``, ``length_m`` on the index of the sites.

    Returns
    -------
    DataFrame
        Index ``site_id``. A site without any finding is ``no_data`` and ``undecided``; ``decided`` is empty where
        nothing decides, ``certainty`` where the headline is ``undecided``.
    """
    codes = answers.verdict
    count, per_site = codes.shape
    order, heads = list(VERDICTS), list(HEADLINES)
    counts = {name: (codes == order.index(name)).sum(axis=1) for name in order}
    worst = codes.max(axis=1) if per_site else np.full(count, order.index("no_data"))
    decided = np.full(count, -1)
    for code in sorted(order.index(name) for name in DECIDED):
        decided[counts[order[code]] > 0] = code
    left_open = np.isin(codes, [order.index(name) for name in OPEN])
    open_here = answers.open_here & left_open
    n_open, n_missing = open_here.sum(axis=1), (left_open & ~open_here).sum(axis=1)
    clear = codes == order.index("clear")
    idle = (counts["not_applicable"] + counts["duty"] == per_site) & (per_site > 0)
    doubt = (clear & (answers.certainty != 0)).any(axis=1)
    headline = np.select(
        [
            counts["prohibited"] > 0,
            (open_here & answers.prohibits).any(axis=1) | ((decided < 0) & ~idle),
            counts["restricted"] > 0,
            (n_open + n_missing > 0) | answers.plan_open | doubt,
        ],
        [heads.index(name) for name in ("prohibited", "undecided", "restricted", "no_conflict")],
        heads.index("clear"),
    )
    certainty = _of_headline(answers, headline)
    data: dict[str, Any] = {
        "site_name": sites["site_name"].to_numpy(),
        "verdict": pd.Categorical.from_codes(worst, dtype=VERDICT_DTYPE),
        "decided": pd.Categorical.from_codes(decided, dtype=VERDICT_DTYPE),
        "headline": pd.Categorical.from_codes(headline, dtype=HEADLINE_DTYPE),
        "certain": certainty == 0,
        # Object, with None where nothing is decided: the same type whatever the sites are.
        "certainty": pd.Series(np.array([*CERTAINTIES, None], dtype=object)[certainty], sites.index, dtype=object),
        "area_m2": measures["area_m2"].to_numpy(),
        "area_ellipsoidal_m2": measures["area_ellipsoidal_m2"].to_numpy(),
        "length_m": measures["length_m"].to_numpy(),
        "repair": sites["repair"].to_numpy(),
    }
    data |= {f"n_{name}": counts[name] for name in reversed(order)}
    data |= {"n_open": n_open, "n_missing": n_missing}
    return pd.DataFrame(data, index=sites.index)


def _of_headline(answers: SiteAnswers, headline: NDArray[np.intp]) -> NDArray[np.int8]:
    """Give how far each headline can be relied on: a conflict as far as the surest, a clear as far as the least."""
    order, heads = list(VERDICTS), list(HEADLINES)
    found = np.full(len(headline), -1, dtype=np.int8)
    most, none = np.int8(len(CERTAINTIES)), np.int8(-1)
    for name in ("prohibited", "restricted"):
        own = np.where(answers.verdict == order.index(name), answers.certainty, most)
        best = own.min(axis=1, initial=most)
        found = np.where(headline == heads.index(name), best, found)
    of_clear = np.where(answers.verdict == order.index("clear"), answers.certainty, none).max(axis=1, initial=none)
    # Without any clear nothing is in doubt.
    mild = np.isin(headline, [heads.index("clear"), heads.index("no_conflict")])
    return np.where(mild, np.maximum(of_clear, 0), found).astype(np.int8)


def verdict_value(text: str) -> str:
    """Check the name of a verdict.

    Raises
    ------
    SiteError
        There is no such verdict.

    Examples
    --------
    >>> verdict_value("restricted")
    'restricted'
    """
    if text not in VERDICTS:
        raise SiteError(Problem("", None, f"没有 {text} 这种结论", f"可选：{'、'.join(VERDICTS)}"))
    return text
