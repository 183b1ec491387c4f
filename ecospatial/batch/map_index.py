"""The page that lists the maps: thumbnails, a search field, what failed; one file, nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from ecospatial.maps.web.page import sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecospatial.batch.map_jobs import MapJob


def index_page(
    title: str, listed: Sequence[tuple[MapJob, str, str]], notices: Sequence[str], failed: Sequence[tuple[str, str]]
) -> str:
    """Write the page.

    Parameters
    ----------
    title
        Heading.
    listed
        Items with the name of their file and their thumbnail, an SVG of ours.
    notices
        Red lines at the top.
    failed
        Title and reason of what could not be drawn.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecospatial"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    cards = [
        {"title": item.title, "href": f"./{quote(file)}", "picture": Markup(picture)}  # noqa: S704 - drawn by us, no text
        for item, file, picture in listed
    ]
    page = environment.get_template("gallery.html").render(title=title, cards=cards, notices=notices, failed=failed)
    return sealed(page)
