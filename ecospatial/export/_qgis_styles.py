"""How QGIS shows the tables of a GeoPackage at once: its own table ``layer_styles`` with a style for each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pandas as pd

from ecospatial import model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ecospatial.model.verdicts import Headline, Verdict

# What is drawn above is first: conflicts over sites; column that gives the colour, opacity of the fill from 0 to 255.
_FILLS: Mapping[str, tuple[str, int]] = {"conflicts": ("verdict", 150), "sites": ("headline", 60)}
_VALUES: Mapping[str, Mapping[str, Verdict | Headline]] = {"verdict": model.VERDICTS, "headline": model.HEADLINES}
_NAMES: Mapping[str, str] = {"verdict": "判定", "headline": "结论"}


def _rgba(colour: str, opacity: int) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},{opacity}"


def _symbols(colour: str, opacity: int, name: str) -> str:
    """Give a fill symbol; QGIS takes the outline of it for lines."""
    options = {
        "color": _rgba(colour, opacity), "outline_color": _rgba(colour, 255), "outline_width": "0.6",
        "outline_width_unit": "MM", "outline_style": "solid", "style": "solid",
    }  # fmt: skip
    pairs = ((quoteattr(key), quoteattr(value)) for key, value in options.items())
    lines = "".join(f'<Option type="QString" name={key} value={value}/>' for key, value in pairs)
    return (
        f'<symbol type="fill" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="SimpleFill" '
        f'enabled="1" locked="0" pass="0"><Option type="Map">{lines}</Option></layer></symbol>'
    )


def _qml(column: str, opacity: int) -> str:
    """Give the style of a table with a column of verdicts or headlines: a colour and a letter for each value."""
    found = list(_VALUES[column].values())[::-1]
    categories = "".join(
        f'<category render="true" symbol="{number}" type="string" value={quoteattr(answer.value)} '
        f"label={quoteattr(f'{answer.letter} {answer.label}')}/>"
        for number, answer in enumerate(found)
    )
    symbols = "".join(_symbols(answer.colour, opacity, str(number)) for number, answer in enumerate(found))
    return (
        '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">'
        '<qgis version="3.22.0" styleCategories="Symbology">'
        f'<renderer-v2 type="categorizedSymbol" attr="{column}" enableorderby="0" forceraster="0" symbollevels="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2></qgis>"
    )


def layer_styles(stamp: str) -> pd.DataFrame:
    """Give the table; QGIS reads it when the file is opened.

    Parameters
    ----------
    stamp
        Time of change as ISO text, the same for the same input.
    """
    return pd.DataFrame(list(_rows(stamp)))


def _rows(stamp: str) -> Iterator[dict[str, object]]:
    for table, (column, opacity) in _FILLS.items():
        yield {
            "f_table_catalog": "", "f_table_schema": "", "f_table_name": table, "f_geometry_column": "geom",
            "styleName": _NAMES[column], "styleQML": _qml(column, opacity), "styleSLD": "", "useAsDefault": True,
            "description": f"按{_NAMES[column]}着色", "owner": "ecospatial", "ui": None,
            "update_time": pd.Timestamp(stamp).tz_convert("UTC"),
        }  # fmt: skip
