"""What was found out about the waters of a plan: tables with Chinese headers, to print, to write, to draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ecospatial.errors import PlanError, Problem
from ecospatial.export._format import plain
from ecospatial.export.summary import width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    import folium

    from ecospatial.plans import Plan

# How a number is written, by the end of its column's name: decimals, factor, what follows it.
_FORMS: tuple[tuple[str, int, float, str], ...] = (
    ("_m3_d", 0, 1.0, ""),
    ("_m2", 0, 1.0, ""),
    ("_km2", 3, 1.0, ""),
    ("_m", 1, 1.0, ""),
    ("share", 1, 100.0, "%"),
    ("utilisation", 1, 100.0, "%"),
    *(
        (name, 1, 100.0, "%")
        for name in ("separate", "combined", "mixed", "system_unknown", "standard", "standard_unknown")
    ),
    ("hours", 1, 1.0, ""),
)


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

    def spoken(self) -> pd.DataFrame:
        """Give the columns that have a label, with codes in Chinese; without geometry."""
        found = pd.DataFrame({name: self.frame[name].astype(object) for name in self.labels})
        for column, words in self.words.items():
            found[column] = [words.get(value, value) for value in found[column]]
        return found

    def shown(self) -> pd.DataFrame:
        """Give the table as it is read: Chinese headers, numbers as text with their decimals, unknown empty."""
        spoken = self.spoken()
        cells = {self.labels[name]: [said(name, value) for value in spoken[name]] for name in self.labels}
        return pd.DataFrame(cells)


def said(column: str, value: object) -> str:
    """Write a cell for a person; the end of the column's name tells the decimals.

    Examples
    --------
    >>> said("length_m", 1234.56), said("water_share", 0.0525), said("river", None), said("certain", True)
    ('1,234.6', '5.2%', '', '是')
    """
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "是" if found else "否"
    if isinstance(found, int | float):
        form = next((f for f in _FORMS if column.endswith(f[0])), None)
        if form is None:
            return f"{found:,.2f}".rstrip("0").rstrip(".")
        return f"{found * form[2]:,.{form[1]}f}{form[3]}"
    return "".join(letter if letter.isprintable() else " " for letter in str(found))


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
        lines = [self.title]
        for table in self:
            lines += ["", f"【{table.title}】{len(table.frame)} 行", *_aligned(table.shown().head(rows))]
            if len(table.frame) > rows:
                lines.append(f"……其余 {len(table.frame) - rows} 行见 --out 写出的文件")
        return "\n".join([*lines, "", *(f"注意：{notice}" for notice in self.notices)])

    def map(self) -> folium.Map:
        """Draw what has a place over the layers of the plan."""
        from ecospatial.water.study_map import draw

        return draw(self)

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
        from ecospatial.water.write import write

        return write(self, folder, formats)

    def json(self) -> str:
        """Give all tables as one JSON document."""
        from ecospatial.water.write import json_text

        return json_text(self)

    def _repr_html_(self) -> str:
        parts = [f"<h3>{escape(self.title)}</h3>"]
        parts += [f'<p style="color:#b00020">{escape(notice)}</p>' for notice in self.notices]
        for table in self:
            head = table.shown().head(10)
            more = f"（{len(table.frame)} 行，全表：<code>.frame({escape(repr(table.name))})</code>）"
            parts.append(f"<h4>{escape(table.title)}{more}</h4>{head.to_html(index=False, escape=True)}")
        return f"<div>{''.join(parts)}</div>"


def _aligned(frame: pd.DataFrame) -> list[str]:
    if frame.empty:
        return ["（无）"]
    rows = [[str(name) for name in frame.columns], *([str(cell) for cell in row] for row in frame.to_numpy())]
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(cells).rstrip() for cells in padded]


def geometric(table: StudyTable) -> bool:
    """Tell whether a table has a place on the map."""
    return isinstance(table.frame, gpd.GeoDataFrame)
