"""The maps that go into a report: which sites get one, and what is said where there is none."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from ecospatial.checking import Findings

# A map takes about 0.2 s and 60 kB: sixty of them keep a report of many sites below 20 s and 10 MB.
MOST_MAPS = 60


@dataclass(frozen=True, slots=True)
class Drawings:
    """SVG by site id and its scale; the characters of all of them; why there is none; how many were left out."""

    bodies: dict[str, Markup] = field(default_factory=dict)
    scales: dict[str, int] = field(default_factory=dict)
    glyphs: Markup = field(default_factory=Markup)
    problem: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Pictures:
    """PNG and scale by site id; why there is none; how many sites were left out."""

    pictures: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    problem: str = ""
    left_out: int = 0


def _chosen(findings: Findings) -> tuple[list[str], int]:
    """Choose the sites to draw: all, or those with the worst answers when there are too many."""
    shapes = findings.sites.geometry
    drawable = findings.summary[(shapes.notna() & ~shapes.is_empty).to_numpy()]
    worst = drawable.sort_values(["headline", "verdict"], ascending=False, kind="stable", na_position="last")
    kept = set(worst.index[:MOST_MAPS])
    return [site_id for site_id in drawable.index if site_id in kept], max(len(drawable) - MOST_MAPS, 0)


def _problem() -> str:
    """Say, in a warning too, that nothing can be drawn without Chinese characters; empty when there are some."""
    from ecospatial.maps import fonts

    if fonts.family() is not None:
        return ""
    logging.getLogger(__name__).warning("%s。%s", fonts.NO_FONT, fonts.WAY_OUT)
    return f"{fonts.NO_FONT}。{fonts.WAY_OUT}。"


def drawings(findings: Findings) -> Drawings:
    """Draw the maps of a page.

    Without a font that has Chinese characters nothing is drawn, and both the report and a warning say which package
    to install.
    """
    from ecospatial.maps import printed
    from ecospatial.maps.sheet import SVG

    problem = _problem()
    if problem:
        return Drawings(problem=problem)
    chosen, left_out = _chosen(findings)
    made = printed.figures(findings, chosen)
    # Inside a page the elements need no namespace; nothing in a report may look like an address.
    bodies = {key: Markup(body.replace(f' xmlns="{SVG}"', "", 1)) for key, body in made.bodies.items()}  # noqa: S704 - our own drawing, its texts are outlines
    return Drawings(bodies, made.scales, Markup(made.glyphs), left_out=left_out)  # noqa: S704 - as above


def pictures(findings: Findings) -> Pictures:
    """Draw the maps of a document, of the same sites and under the same conditions as ``drawings``."""
    from ecospatial.maps import printed

    problem = _problem()
    if problem:
        return Pictures(problem=problem)
    chosen, left_out = _chosen(findings)
    return Pictures(printed.pictures(findings, chosen), left_out=left_out)
