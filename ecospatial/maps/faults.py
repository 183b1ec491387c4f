"""What may go wrong in the program while something is drawn, and how it is told where the picture should be.

A picture shows what was found; when it can not be drawn, what was found still stands.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import ParseError

from shapely.errors import ShapelyError

from ecospatial.errors import EcospatialError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

# Of GEOS, of matplotlib, and of our own code on shapes that nobody has drawn before.
FAULTS = (ShapelyError, ArithmeticError, AttributeError, LookupError, ParseError, RuntimeError, TypeError, ValueError)


def undrawn_text(fault: Exception) -> str:
    """Say why a picture is missing.

    Examples
    --------
    >>> undrawn_text(ZeroDivisionError("x"))
    '此图未能绘出：程序绘图时出错（ZeroDivisionError）。'
    """
    return f"此图未能绘出：程序绘图时出错（{type(fault).__name__}）。"


def draw_or_tell(what: str, make: Callable[[], list[T]], failed: list[str]) -> list[T]:
    """Draw a part of a map; when it fails its name is added to ``failed``, and nothing is given."""
    try:
        return make()
    except EcospatialError:  # what the user can mend
        raise
    except FAULTS as fault:
        tell_undrawn(what, fault)
        failed.append(what)
        return []


def tell_undrawn(what: str, fault: Exception) -> str:
    """Tell on standard error that a picture is missing, and give the text that stands in its place."""
    logger, text = logging.getLogger(__name__), undrawn_text(fault)
    logger.warning("%s：%s", what, text)
    logger.debug("%s", what, exc_info=fault)
    return text


def undrawn_notices(failed: Sequence[str]) -> list[str]:
    """Give what stands in red above a map that lacks some of its layers: nothing drawn must not read as nothing there.

    Examples
    --------
    >>> undrawn_notices(["水面"]), undrawn_notices([])
    (['此图未能绘出：水面。没有绘出不等于没有，结论以文字和数据文件为准'], [])
    """
    return [f"此图未能绘出：{'、'.join(failed)}。没有绘出不等于没有，结论以文字和数据文件为准"] if failed else []
