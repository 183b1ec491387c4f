"""Questions that read a grid: what lies inside zones, indicators of the ground, change between two dates.

It needs the extra ``raster`` (rasterio, exactextract), which is loaded when a grid is first opened. Names are loaded
when they are first used, so that a worker process starts without what it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecospatial.raster.banks import ecological_bank as ecological_bank
    from ecospatial.raster.comparing import Changes as Changes
    from ecospatial.raster.comparing import change as change
    from ecospatial.raster.covering import INDICATORS as INDICATORS
    from ecospatial.raster.covering import indicators as indicators
    from ecospatial.raster.covering import judge as judge
    from ecospatial.raster.covering import ndvi as ndvi
    from ecospatial.raster.extra import EXTRA as EXTRA
    from ecospatial.raster.extra import available as available
    from ecospatial.raster.grid import Grid as Grid
    from ecospatial.raster.grid import grid_of as grid_of
    from ecospatial.raster.grid import read_grid as read_grid
    from ecospatial.raster.importing import import_grid as import_grid
    from ecospatial.raster.limits import Exceeded as Exceeded
    from ecospatial.raster.limits import exceeded as exceeded
    from ecospatial.raster.watching import SEVERITIES as SEVERITIES
    from ecospatial.raster.watching import WATCHED as WATCHED
    from ecospatial.raster.watching import faults as faults
    from ecospatial.raster.watching import pictures as pictures
    from ecospatial.raster.watching import two_dates as two_dates
    from ecospatial.raster.watching import watch as watch
    from ecospatial.raster.watching import zones_of as zones_of
    from ecospatial.raster.zoning import SHARES as SHARES
    from ecospatial.raster.zoning import zonal as zonal

_FILES = {
    "banks": ("ecological_bank",),
    "comparing": ("Changes", "change"),
    "covering": ("INDICATORS", "indicators", "judge", "ndvi"),
    "extra": ("EXTRA", "available"),
    "grid": ("Grid", "grid_of", "read_grid"),
    "importing": ("import_grid",),
    "limits": ("Exceeded", "exceeded"),
    "watching": ("SEVERITIES", "WATCHED", "faults", "pictures", "two_dates", "watch", "zones_of"),
    "zoning": ("SHARES", "zonal"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}
__all__ = sorted(_FILE_OF)  # noqa: PLE0605 - the names are text


def __getattr__(name: str) -> Any:
    if name not in _FILE_OF:
        raise AttributeError(f"module 'ecospatial.raster' has no attribute {name!r}")
    return getattr(import_module(f"ecospatial.raster.{_FILE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
