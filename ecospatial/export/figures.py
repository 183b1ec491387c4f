"""The maps that go into a report: which sites get one, and what is said where there is none."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from ecospatial.errors import EcospatialError
from ecospatial.maps.faults import FAULTS, tell_undrawn
from ecospatial.maps.web.layer import plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecospatial.checks import Findings

# A map takes about 0.2 s and 60 kB: sixty of them keep a report of many sites below 20 s and 10 MB.
MOST_MAPS = 60
NAMED = 5  # of the sites whose map failed


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """SVG by site id, its scale; the characters of all; why there is none; how many left out; which failed and why."""

    bodies: dict[str, Markup] = field(default_factory=dict)
    scales: dict[str, int] = field(default_factory=dict)
    glyphs: Markup = field(default_factory=Markup)
    problem: str = ""
    left_out: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def notices(self) -> list[str]:
        """What stands at the head of the document."""
        return _notices(self.problem, self.failed)


@dataclass(frozen=True, slots=True)
class Pictures:
    """PNG and scale by site id; why there is none; how many sites were left out; which failed and why."""

    pictures: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    problem: str = ""
    left_out: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def notices(self) -> list[str]:
        """What stands at the head of the document."""
        return _notices(self.problem, self.failed)


def _notices(problem: str, failed: Mapping[str, str]) -> list[str]:
    told = [problem] if problem else []
    if failed:  # told here too: a reader of the first page need not find the gap
        named = "、".join(plain_text(site_id) for site_id in list(failed)[:NAMED])
        others = " 等" if len(failed) > NAMED else ""
        told.append(f"有 {len(failed)} 幅图未能绘出（地块 {named}{others}），文字、表格和数据文件不受影响")
    return told


def _chosen(findings: Findings) -> tuple[list[str], int]:
    """Choose the sites to draw: all, or those with the worst answers when there are too many."""
    shapes = findings.sites.geometry
    drawable = findings.summary[(shapes.notna() & ~shapes.is_empty).to_numpy()]
    worst = drawable.sort_values(["headline", "verdict"], ascending=False, kind="stable", na_position="last")
    kept = set(worst.index[:MOST_MAPS])
    return [site_id for site_id in drawable.index if site_id in kept], max(len(drawable) - MOST_MAPS, 0)


def _problem() -> str:
    """Say, in a warning too, that nothing can be drawn without Chinese characters; empty when there are some."""
    from ecospatial.maps.print import fonts

    if fonts.family() is not None:
        return ""
    logging.getLogger(__name__).warning("%s。%s", fonts.NO_FONT, fonts.WAY_OUT)
    return f"{fonts.NO_FONT}。{fonts.WAY_OUT}。"


def drawings(findings: Findings) -> ReportFigures:
    """Draw the maps of a page.

    Without a font that has Chinese characters nothing is drawn, and both the report and a warning say which package
    to install.
    """
    from ecospatial.maps.print import site_map
    from ecospatial.maps.print.canvas import SVG

    problem = _problem()
    if problem:
        return ReportFigures(problem=problem)
    chosen, left_out = _chosen(findings)
    try:
        made = site_map.figures(findings, chosen)
    except EcospatialError:  # what the user can mend
        raise
    except FAULTS as fault:  # of what all of them are drawn from
        return ReportFigures(problem=tell_undrawn("全部附图", fault), left_out=left_out)
    # Inside a page the elements need no namespace; nothing in a report may look like an address.
    bodies = {key: Markup(body.replace(f' xmlns="{SVG}"', "", 1)) for key, body in made.bodies.items()}  # noqa: S704 - our own drawing, its texts are outlines
    return ReportFigures(bodies, made.scales, Markup(made.glyphs), left_out=left_out, failed=made.failed)  # noqa: S704 - as above


def pictures(findings: Findings) -> Pictures:
    """Draw the maps of a document, of the same sites and under the same conditions as ``drawings``."""
    from ecospatial.maps.print import site_map

    problem = _problem()
    if problem:
        return Pictures(problem=problem)
    chosen, left_out = _chosen(findings)
    try:
        made, failed = site_map.pictures(findings, chosen)
    except EcospatialError:  # what the user can mend
        raise
    except FAULTS as fault:
        return Pictures(problem=tell_undrawn("全部附图", fault), left_out=left_out)
    return Pictures(made, left_out=left_out, failed=failed)
