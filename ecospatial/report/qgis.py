"""How QGIS shows the tables of a GeoPackage at once: its own table ``layer_styles`` with a style for each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pandas as pd

from ecospatial import model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What is drawn above is first: conflicts over sites; opacity of the fill from 0 to 255.
_FILLS: Mapping[str, int] = {"conflicts": 150, "sites": 60}


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


def _qml(opacity: int) -> str:
    """Give the style of a table with a column ``verdict``: a colour and a letter for each."""
    found = [model.VERDICTS[name] for name in reversed(model.VERDICTS)]
    categories = "".join(
        f'<category render="true" symbol="{number}" type="string" value={quoteattr(verdict.value)} '
        f"label={quoteattr(f'{verdict.letter} {verdict.label}')}/>"
        for number, verdict in enumerate(found)
    )
    symbols = "".join(_symbols(verdict.colour, opacity, str(number)) for number, verdict in enumerate(found))
    return (
        '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">'
        '<qgis version="3.22.0" styleCategories="Symbology">'
        '<renderer-v2 type="categorizedSymbol" attr="verdict" enableorderby="0" forceraster="0" symbollevels="0">'
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
    for table, opacity in _FILLS.items():
        yield {
            "f_table_catalog": "", "f_table_schema": "", "f_table_name": table, "f_geometry_column": "geom",
            "styleName": "判定", "styleQML": _qml(opacity), "styleSLD": "", "useAsDefault": True,
            "description": "按判定着色", "owner": "ecospatial", "ui": None,
            "update_time": pd.Timestamp(stamp).tz_convert("UTC"),
        }  # fmt: skip
