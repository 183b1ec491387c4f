"""Maps of plans and findings: one page that opens without internet (``web``), sheets of paper (``print``).

No tiles unless a base map is asked for, no outside file, every text from a file shown as typed. What is drawn is
simplified for the screen; no number comes from it.
"""

from __future__ import annotations

from ecospatial.maps.web.basemaps import Basemap, basemap
from ecospatial.maps.web.map import draw, figure, put, save, to_html

__all__ = ["Basemap", "basemap", "draw", "figure", "put", "save", "to_html"]
