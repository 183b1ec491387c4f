"""The answers: one row for each site and rule, a headline for each site, and the ways out of here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecospatial.errors import Problem, SiteError
from ecospatial.model import DECIDED, VERDICT_DTYPE, VERDICTS

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
        One row per site: ``verdict`` (the worst), ``decided`` (the worst of those that decide) and counts.
    sites, rules, layers
        What was checked, and against what.
    meta
        Plan, day, CRS, software, input files with hashes, notices.
    plan
        The plan, or None when the findings were read again from a file.
    """

    frame: gpd.GeoDataFrame
    summary: pd.DataFrame
    sites: gpd.GeoDataFrame
    rules: pd.DataFrame
    layers: pd.DataFrame
    meta: dict[str, Any]
    plan: Plan | None = None

    def table(self, site_id: str | None = None) -> pd.DataFrame:
        """Give the findings with Chinese headers, the worst first; of one site when its id is given."""
        from ecospatial import report

        return report.table(self, site_id)

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
        from ecospatial import report

        return report.write(self, Path(folder), formats=formats, timestamp=timestamp)

    def map(self) -> folium.Map:
        """Draw the sites, the conflicts and, when the plan is known, its layers."""
        from ecospatial import maps

        return maps.draw(self)

    def remedies(self, *, within_m: float = 500.0) -> gpd.GeoDataFrame:
        """Find the free part of each site, and the smallest shift (metres) after which nothing is in the way."""
        from ecospatial.checking.remedies import remedies

        return remedies(self, within_m=within_m)

    def _repr_html_(self) -> str:
        from ecospatial import report

        return report.notebook_html(self)

    @cached_property
    def worst(self) -> str:
        """The worst verdict of all sites; ``no_data`` when there is no site."""
        return "no_data" if self.summary.empty else str(self.summary["verdict"].max())


def summarise(
    codes: NDArray[np.int8], certain: NDArray[np.bool_], sites: gpd.GeoDataFrame, measures: pd.DataFrame
) -> pd.DataFrame:
    """Give each site its two headlines and its counts.

    Parameters
    ----------
    codes, certain
        The verdict of each site under each rule as its position in ``VERDICTS``, and whether it is certain; sites x
        rules.
    sites
        The sites; index ``site_id``.
    measures
        ``area_m2``, ``area_ellipsoidal_m2``, ``length_m`` on the index of the sites.

    Returns
    -------
    DataFrame
        Index ``site_id``. A site without any finding is ``no_data``; ``decided`` is empty where nothing
        decides.
    """
    count, per_site = codes.shape
    order = list(VERDICTS)
    counts = {name: (codes == order.index(name)).sum(axis=1) for name in order}
    worst = codes.max(axis=1) if per_site else np.full(count, order.index("no_data"))
    decided = np.full(count, -1)
    for code in sorted(order.index(name) for name in DECIDED):
        decided[counts[order[code]] > 0] = code
    at_worst = codes == worst[:, None]
    any_ = (at_worst & certain).any(axis=1)
    all_ = (certain | ~at_worst).all(axis=1) & at_worst.any(axis=1)
    hit = np.isin(worst, [order.index("restricted"), order.index("prohibited")])
    data: dict[str, Any] = {
        "site_name": sites["site_name"].to_numpy(),
        "verdict": pd.Categorical.from_codes(worst, dtype=VERDICT_DTYPE),
        "decided": pd.Categorical.from_codes(decided, dtype=VERDICT_DTYPE),
        "certain": np.where(hit, any_, all_),
        "area_m2": measures["area_m2"].to_numpy(),
        "area_ellipsoidal_m2": measures["area_ellipsoidal_m2"].to_numpy(),
        "length_m": measures["length_m"].to_numpy(),
        "repair": sites["repair"].to_numpy(),
    }
    data |= {f"n_{name}": counts[name] for name in reversed(order)}
    return pd.DataFrame(data, index=sites.index)


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
