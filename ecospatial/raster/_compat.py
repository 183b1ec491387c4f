"""The one place that knows whether rasterio and exactextract are there."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from ecospatial.errors import EcospatialError, Problem

EXTRA = 'pip install "ecospatial[raster]"'


class Libraries(NamedTuple):
    """The two libraries behind this room."""

    rasterio: Any
    exactextract: Any


def available() -> bool:
    """Tell whether grids can be read on this machine."""
    try:
        libraries()
    except EcospatialError:
        return False
    return True


def libraries() -> Libraries:
    """Load rasterio and exactextract.

    Raises
    ------
    EcospatialError
        They are not installed; the message names the extra.
    """
    try:
        return _loaded()
    except ImportError as error:
        problem = "读取栅格需要 rasterio 和 exactextract，尚未安装"
        raise EcospatialError(Problem("", None, problem, f"请运行 {EXTRA}")) from error


@cache
def _loaded() -> Libraries:
    import_module("rasterio.features")
    import_module("rasterio.warp")
    return Libraries(import_module("rasterio"), import_module("exactextract"))
