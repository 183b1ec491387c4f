"""Tables of a study as text: cells, columns that stand under each other, the whole study for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecospatial.export.summary import width
from ecospatial.model.plain_values import plain

if TYPE_CHECKING:
    import pandas as pd

    from ecospatial.results import WaterStudy

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


def format_cell(column: str, value: object) -> str:
    """Write a cell for a person; the end of the column's name tells the decimals.

    Examples
    --------
    >>> [format_cell(*one) for one in (("length_m", 1234.56), ("water_share", 0.0525), ("river", None))]
    ['1,234.6', '5.2%', '']
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


def format_study(study: WaterStudy, *, rows: int = 15) -> str:
    """Return the tables as plain text for a terminal, the first rows of each."""
    lines = [study.title]
    for table in study:
        lines += ["", f"【{table.title}】{len(table.frame)} 行", *align_columns(table.shown().head(rows))]
        if len(table.frame) > rows:
            lines.append(f"……其余 {len(table.frame) - rows} 行见 --out 写出的文件")
    return "\n".join([*lines, "", *(f"注意：{notice}" for notice in study.notices)])


def align_columns(frame: pd.DataFrame) -> list[str]:
    """Return the rows of a table as lines, with columns as wide as their widest cell."""
    if frame.empty:
        return ["（无）"]
    rows = [[str(name) for name in frame.columns], *([str(cell) for cell in row] for row in frame.to_numpy())]
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(cells).rstrip() for cells in padded]
