"""What checks, audits and studies found: data, with thin methods that call the packages above.

A method imports what it calls inside itself; this is the one place where imports may go up, and setup.cfg lists them
one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ecospatial.errors import PlanError, Problem
from ecospatial.model import OPEN_BY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    import folium

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
        from ecospatial.export.summary import table

        return table(self, site_id)

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
        from ecospatial.export.registry import write_result

        return write_result(self, folder, formats=formats, timestamp=timestamp)

    def map(self) -> folium.Map:
        """Draw the sites, the conflicts and, when the plan is known, its layers."""
        from ecospatial.maps.web.map import draw

        return draw(self)

    def remedies(self, *, within_m: float = 500.0) -> gpd.GeoDataFrame:
        """Find the free part of each site, and the smallest shift (metres) after which nothing is in the way."""
        from ecospatial.checks.remedies import remedies

        return remedies(self, within_m=within_m)

    def _repr_html_(self) -> str:
        from ecospatial.export.summary import notebook_html

        return notebook_html(self)

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
        from ecospatial.audits.area_ledger import ledger_of_audit

        return ledger_of_audit(self)

    def table(self, check: str | None = None) -> pd.DataFrame:
        """Give the rows with Chinese headers; of one check when its name is given."""
        from ecospatial.export.audit_text import table

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
        from ecospatial.export.registry import write_result

        return write_result(self, folder, timestamp=timestamp)

    def map(self) -> folium.Map:
        """Draw the faults over the layers of the plan."""
        from ecospatial.maps.web.audit import draw_audit

        return draw_audit(self)

    def _repr_html_(self) -> str:
        from ecospatial.export.audit_text import notebook_html

        return notebook_html(self)


@dataclass(frozen=True)
class StudyTable:
    """One table: ``frame`` with ASCII columns and plain values, ``labels`` its columns in Chinese in their order.

    ``words`` translates the codes of a column. A frame with geometry is also a layer of the GeoPackage.
    """

    name: str
    title: str
    frame: pd.DataFrame
    labels: Mapping[str, str]
    words: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)

    @property
    def is_spatial(self) -> bool:
        """Tell whether the table has a place on the map."""
        return isinstance(self.frame, gpd.GeoDataFrame)

    def spoken(self) -> pd.DataFrame:
        """Give the columns that have a label, with codes in Chinese; without geometry."""
        found = pd.DataFrame({name: self.frame[name].astype(object) for name in self.labels})
        for column, words in self.words.items():
            found[column] = [words.get(value, value) for value in found[column]]
        return found

    def shown(self) -> pd.DataFrame:
        """Give the table as it is read: Chinese headers, numbers as text with their decimals, unknown empty."""
        from ecospatial.export.study_text import format_cell

        spoken = self.spoken()
        cells = {self.labels[name]: [format_cell(name, value) for value in spoken[name]] for name in self.labels}
        return pd.DataFrame(cells)


@dataclass(frozen=True)
class WaterStudy:
    """Tables about the rivers or the sewers of a plan.

    ``tables`` by name; ``notices`` what must stand above everything made from them, and what could not be told.
    """

    name: str
    title: str
    plan: Plan
    tables: Mapping[str, StudyTable]
    notices: tuple[str, ...]

    def frame(self, name: str) -> pd.DataFrame:
        """Give a table by name, ASCII columns, in ``plan.crs`` where it has geometry.

        Raises
        ------
        PlanError
            There is no such table, because its layer is missing or it has another name.
        """
        if name not in self.tables:
            known = "、".join(self.tables)
            raise PlanError(Problem("", None, f"没有名为 {name} 的表", f"现有：{known}；其余因缺少图层未作"))
        return self.tables[name].frame.copy()

    def __iter__(self) -> Iterator[StudyTable]:
        """Go through the tables in their order."""
        return iter(self.tables.values())

    def text(self, *, rows: int = 15) -> str:
        """Write the tables as plain text for a terminal, the first rows of each."""
        from ecospatial.export.study_text import format_study

        return format_study(self, rows=rows)

    def map(self) -> folium.Map:
        """Draw what has a place over the layers of the plan."""
        from ecospatial.maps.web.study import draw_study

        return draw_study(self)

    def write(self, folder: str | PathLike[str], *, formats: Sequence[str] | None = None) -> list[Path]:
        """Write the study into a folder.

        Parameters
        ----------
        folder
            Made when absent; files of the same names are replaced when the new ones are whole.
        formats
            Any of ``gpkg`` (``<name>.gpkg``), ``xlsx``, ``map`` (``<name>.html``), ``json``; the first three when left
            out.

        Returns
        -------
        list of Path
            The files. The same plan gives the same bytes.

        Raises
        ------
        SiteError
            A format is not known, or the folder can not be written to.
        """
        from ecospatial.export.registry import write_result

        return write_result(self, folder, formats=formats)

    def json(self) -> str:
        """Give all tables as one JSON document."""
        from ecospatial.export.study import json_text

        return json_text(self)

    def _repr_html_(self) -> str:
        parts = [f"<h3>{escape(self.title)}</h3>"]
        parts += [f'<p style="color:#b00020">{escape(notice)}</p>' for notice in self.notices]
        for table in self:
            head = table.shown().head(10)
            more = f"（{len(table.frame)} 行，全表：<code>.frame({escape(repr(table.name))})</code>）"
            parts.append(f"<h4>{escape(table.title)}{more}</h4>{head.to_html(index=False, escape=True)}")
        return f"<div>{''.join(parts)}</div>"


@dataclass(frozen=True)
class LandBalance:
    """What moved between two versions.

    Attributes
    ----------
    matrix
        Square metres, old classes down, new classes across, with sums (``合计``); whole steps of 0.01 m2.
    pieces
        Where it happened: ``from_class``, ``to_class``, ``area_m2``, ``area_ellipsoidal_m2``, polygons in the CRS of
        the old version; what stayed in its class is there too.
    """

    matrix: pd.DataFrame
    pieces: gpd.GeoDataFrame

    @property
    def moved(self) -> gpd.GeoDataFrame:
        """Only the pieces whose class changed, the largest first."""
        changed = self.pieces[self.pieces["from_class"] != self.pieces["to_class"]]
        return changed.sort_values("area_m2", ascending=False, kind="stable").reset_index(drop=True)

    def _repr_html_(self) -> str:
        shown = self.matrix.rename(index=escape, columns=escape)
        return f"<p>由行（原）到列（新），平方米</p>{shown.to_html(escape=False)}"


@dataclass(frozen=True)
class PartsRun:
    """A check part by part that is whole.

    Attributes
    ----------
    folder
        Where ``part-*.parquet`` lie; ``es.read_findings`` reads it when it fits into memory.
    parts
        The files.
    sites, findings
        How many sites were checked, and how many findings are in the files.
    headlines, certainties
        How many sites have which headline, and of each headline how many have which certainty ("" for none).
    verdicts, decided
        How many sites have which worst verdict, and which worst of those that decide.
    plan_open, left_out
        As of ``Findings``.
    meta
        As of ``Findings``.
    """

    folder: Path
    parts: list[Path]
    sites: int
    findings: int
    headlines: dict[str, int]
    certainties: dict[str, dict[str, int]]
    verdicts: dict[str, int]
    decided: dict[str, int]
    meta: dict[str, Any]
    plan_open: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
