"""Sheets of an Excel file: numbers are numbers, no cell is a formula or a link, the header stays, columns filter."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xlsxwriter

from ecospatial.export._format import plain, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# No cell is a formula or a link, whatever it begins with.
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}
CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no zone; a fixed one makes the same input the same bytes
FONT = "Microsoft YaHei"
_A4, _A3 = 9, 8  # as Excel numbers papers
_READABLE = 180  # characters across A4
_BASE = {"font_name": FONT, "font_size": 10, "valign": "top"}
HEAD: dict[str, Any] = {"bold": True, "bg_color": "#dce9f5", "border": 1, "text_wrap": True}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: key of the row, header, width in characters, number format (numbers only)."""

    key: str
    label: str
    width: float = 14
    form: str = "#,##0.###"


class Workbook:
    """A workbook in the making."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, **look: Any) -> Any:
        """Give a cell format, made once; ``look`` is xlsxwriter's."""
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(_BASE | look)
        return self._formats[key]

    def sheet(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        top: Sequence[object] = (),
        about: object = "",
        colours: Mapping[str, Mapping[object, str]] | None = None,
    ) -> None:
        """Write a sheet of rows.

        Parameters
        ----------
        name
            Cut to the 31 letters that Excel allows.
        columns
            What is shown, in order.
        rows
            Values by key; unknown stays empty, true and false are 是 and 否.
        top
            Lines above the header: the title, then notices in red.
        about
            A line below the title.
        colours
            By key and value the colour (``#rrggbb``) of a cell.
        """
        sheet, head = self.begin(name, columns, top=top, about=about)
        for place, column in enumerate(columns):
            shades = (colours or {}).get(column.key, {})
            for number, cells in enumerate(rows, head + 1):
                value = plain(cells.get(column.key))
                fill = shades.get(value)
                self.put(sheet, (number, place), value, column.form, {} if fill is None else {"bg_color": fill})
        if rows:
            sheet.autofilter(head, 0, head + len(rows), len(columns) - 1)

    def begin(
        self, name: str, columns: Sequence[Column], *, top: Sequence[object] = (), about: object = ""
    ) -> tuple[Any, int]:
        """Begin a sheet with its lines above and its header; give it, and the row of the header."""
        sheet = self.book.add_worksheet(name[:31])
        alarm = {"bold": True, "font_color": "#a4000f"}
        above = [(line, alarm if row else {"bold": True, "font_size": 14}) for row, line in enumerate(top)]
        for row, (line, look) in enumerate([*above[:1], *([(about, {})] if about else []), *above[1:]]):
            sheet.write_string(row, 0, printable(line), self.format(**look))
        head = len(top) + bool(about)
        for place, column in enumerate(columns):
            sheet.write_string(head, place, printable(column.label), self.format(**HEAD))
            sheet.set_column(place, place, column.width)
        sheet.freeze_panes(head + 1, 0)
        sheet.set_landscape()
        width = sum(column.width for column in columns)
        # A sheet too wide to be read on one page of A4 is printed on A3, across several pages.
        sheet.set_paper(_A4 if width <= _READABLE else _A3)
        sheet.fit_to_pages(max(1, round(width / (1.4 * _READABLE))), 0)
        sheet.repeat_rows(head)
        return sheet, head

    def put(self, sheet: Any, place: tuple[int, int], value: Any, form: str, look: Mapping[str, Any]) -> None:
        """Write a plain value; ``form`` is the format of a number, ``look`` xlsxwriter's."""
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_string(*place, "是" if value else "否", self.format(**look))
        elif isinstance(value, int | float):
            sheet.write_number(*place, value, self.format(num_format=_shown_by(form, value), **look))
        else:
            sheet.write_string(*place, printable(value), self.format(**{"text_wrap": True, **look}))


def _shown_by(form: str, value: float) -> str:
    """Give the format of a number: Excel shows the point of a whole number whose decimals are optional."""
    whole, _, decimals = form.partition(".")
    optional = decimals and not decimals.strip("#")
    return whole if optional and round(value, len(decimals)) == round(value) else form


@contextmanager
def workbook(path: Path, title: object) -> Iterator[Workbook]:
    """Open a new Excel file at ``path``; it is whole when the block ends."""
    book = xlsxwriter.Workbook(str(path), OPTIONS)
    book.set_properties({"title": printable(title)[:255], "created": CREATED})
    yield Workbook(book)
    book.close()
