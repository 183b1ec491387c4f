"""What an audit found: one frame, a ledger, and the ways out of here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import shapely

from ecospatial import io
from ecospatial.audits._context import AuditLayers
from ecospatial.audits._result_row import AuditRow, as_frame, by_area
from ecospatial.audits.cross_layer import between_kinds
from ecospatial.audits.geometry_validity import shape_rows
from ecospatial.audits.georeference import position_rows
from ecospatial.audits.layer_metadata import extent_rows, layer_rows
from ecospatial.audits.targets import figure_rows
from ecospatial.audits.topology import within_kinds
from ecospatial.errors import EcospatialError, Problem
from ecospatial.model import NOTICE_INTERNAL, NOTICE_SCHEMATIC

if TYPE_CHECKING:
    from pathlib import Path

    import folium
    import geopandas as gpd
    import pandas as pd

    from ecospatial.plans import Plan

# Of two lines that mean the same border: 0.2 mm, the width of a pen, on a map of 1:10,000.
SLIVER_M = 2.0


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    frame
        One row for each thing looked at (``docs/interface.md`` section 8), targets first, in ``plan.crs``.
    layers
        The layers with their provenance.
    meta
        Plan, day, CRS, software, width under which a conflict is a sliver, notices.
    plan
        The plan.
    """

    frame: gpd.GeoDataFrame
    layers: pd.DataFrame
    meta: dict[str, Any]
    plan: Plan

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Area of every class of every kind per town, in m2, ha, km2 and 亩, planar and ellipsoidal; sums add up."""
        from ecospatial.audits.area_ledger import plan_ledger

        return plan_ledger(AuditLayers(self.plan, dt.date.fromisoformat(self.meta["on"]), self.meta["sliver_m"]))

    def table(self, check: str | None = None) -> pd.DataFrame:
        """Give the rows with Chinese headers; of one check when its name is given."""
        from ecospatial.audits._text import table

        return table(self, check)

    def write(self, folder: str | Path, *, timestamp: bool = False) -> list[Path]:
        """Write ``audit.html``, ``audit.xlsx``, ``audit.gpkg``, ``audit_map.html`` into a folder.

        Parameters
        ----------
        folder
            Made when it does not exist; files of the same name are replaced, nothing else is touched.
        timestamp
            Whether to note the time of writing; without it the same plan gives the same bytes.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        SiteError
            The folder can not be written to.
        OutputError
            Some files could not be made; the others are written.
        """
        from ecospatial.audits.write import write

        return write(self, folder, timestamp=timestamp)

    def map(self) -> folium.Map:
        """Draw the faults over the layers of the plan."""
        from ecospatial.audits.audit_map import draw

        return draw(self)

    def _repr_html_(self) -> str:
        from ecospatial.audits._text import notebook_html

        return notebook_html(self)


def audit(plan: Plan, *, on: dt.date | str | None = None, sliver_m: float = SLIVER_M) -> Audit:
    """Put a plan to the test: against itself, and against the figures it published.

    Looked at are the state and the place of every layer, the geometry of every feature, overlaps of the three lines
    and within kinds, gaps of what has to cover the district, features outside of it, levels of protection inside each
    other, and every figure of ``targets.yaml``.

    Parameters
    ----------
    plan
        The plan.
    on
        The day whose layers count; today when not given.
    sliver_m
        A conflict that is nowhere wider than this is a sliver: a matter of drawing.

    Returns
    -------
    Audit
        Its ``frame`` has a row for each thing looked at: ``met``, ``missed``, ``fault``, ``cannot_tell`` or ``note``.
        What can not be measured is ``cannot_tell``, with the reason and whom to ask.

    Raises
    ------
    EcospatialError
        The day is not one, or ``sliver_m`` is not a positive number.

    Examples
    --------
    >>> import ecospatial as es
    >>> found = audit(es.open_plan("changzhou-zhonglou"), on="2026-11-20").frame
    >>> found[found.subject == "ZL-AREA"][["status", "unit", "target"]].values.tolist()
    [['met', 'km2', 132.93]]
    """
    date = _day(on)
    if not sliver_m > 0:
        raise EcospatialError(Problem("", None, f"sliver_m={sliver_m} 不可用", "请给出正数（米）"))
    stock = AuditLayers(plan, date, float(sliver_m))
    rows = figure_rows(stock) + layer_rows(stock) + position_rows(stock) + shape_rows(stock)
    rows += within_kinds(stock) + between_kinds(stock) + extent_rows(stock)
    rows = _together([_sized(_rounded(row, stock)) for row in rows])
    return Audit(as_frame(rows, plan.crs), plan.layer_table(), _header(plan, date, float(sliver_m)), plan)


def _rounded(row: AuditRow, stock: AuditLayers) -> AuditRow:
    """Tell what is narrower than the coordinates are written: no fault but a note, and on the list all the same."""
    if row.status not in ("fault", "note") or row.width_m is None or row.size_class != "sliver":
        return row
    names = [*row.layer.split(";"), *(layer.name for layer in stock.plan.of_kind("district"))]
    written = max((stock.written_m(name) for name in names if name in stock.plan.layers), default=0.0)
    if row.width_m > written:
        return row
    reason = f"{row.reason}；不宽于图层坐标的取位（{written:.3f} m），属取位误差"
    return replace(row, status="note", size_class="rounding", reason=reason)


def _sized(row: AuditRow) -> AuditRow:
    if row.status != "fault" or row.size_class or row.area_m2 is None:
        return row
    return replace(row, size_class=by_area(row.area_m2))


def _together(rows: list[AuditRow]) -> list[AuditRow]:
    """Put what only rounding shows into one line for each check and layer."""
    groups: dict[tuple[str, str], list[AuditRow]] = {}
    for row in rows:
        if row.size_class == "rounding":
            groups.setdefault((row.check, row.layer), []).append(row)
    found = [row for row in rows if row.size_class != "rounding"]
    for group in groups.values():
        first = group[0]
        if len(group) == 1:
            found.append(first)
            continue
        area = sum(row.area_m2 or 0.0 for row in group)
        what = first.reason.partition("，")[0]
        reason = f"{len(group)} 处{what}，都不宽于图层坐标的取位，属取位误差，合计 {area:,.2f} m²"
        found.append(
            AuditRow(
                first.check,
                f"{first.subject} 等 {len(group)} 处",
                "note",
                reason,
                first.layer,
                ";".join(row.features for row in group),
                value=area,
                unit="m2",
                area_m2=area,
                size_class="rounding",
                width_m=max(row.width_m or 0.0 for row in group),
                geometry=shapely.geometrycollections([row.geometry for row in group]),
            )
        )
    return found


def _day(on: dt.date | str | None) -> dt.date:
    if on is None:
        return dt.datetime.now().astimezone().date()
    if isinstance(on, dt.datetime):
        return on.date()
    if isinstance(on, dt.date):
        return on
    try:
        return dt.date.fromisoformat(on)
    except (ValueError, TypeError) as fault:
        hint = "请写成 YYYY-MM-DD，如 2026-11-20"
        raise EcospatialError(Problem("", None, f"日期 {on} 不可用", hint)) from fault


def _header(plan: Plan, on: dt.date, sliver_m: float) -> dict[str, Any]:
    from ecospatial import __version__

    notices = [f"审图号：{plan.review_number}" if plan.review_number else NOTICE_INTERNAL]
    if any(layer.status == "schematic" for layer in plan.layers.values()):
        notices.append(NOTICE_SCHEMATIC)
    paths = [path for name in ("plan.yaml", "targets.yaml") if (path := plan.folder / name).is_file()]
    return {
        "plan": plan.name,
        "title": plan.title,
        "crs": plan.crs.to_string(),
        "on": on.isoformat(),
        "software": f"ecospatial {__version__}",
        "created": None,
        "review_number": plan.review_number,
        "sliver_m": sliver_m,
        "inputs": [{"file": path.name, "sha256": io.sha256(path)} for path in paths],
        "notices": notices,
    }
