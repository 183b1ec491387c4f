"""Questions that read a grid: what lies inside zones, indicators of the ground, change between two dates.

It needs the extra ``raster`` (rasterio, exactextract), which is loaded when a grid is first opened. Names are loaded
when they are first used, so that a worker process starts without what it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecospatial.raster._compat import EXTRA as EXTRA
    from ecospatial.raster._compat import available as available
    from ecospatial.raster.cover_change import Changes as Changes
    from ecospatial.raster.cover_change import change as change
    from ecospatial.raster.grid import Grid as Grid
    from ecospatial.raster.grid import grid_of as grid_of
    from ecospatial.raster.grid import read_grid as read_grid
    from ecospatial.raster.grid_import import import_grid as import_grid
    from ecospatial.raster.land_cover import INDICATORS as INDICATORS
    from ecospatial.raster.land_cover import indicators as indicators
    from ecospatial.raster.land_cover import judge as judge
    from ecospatial.raster.land_cover import ndvi as ndvi
    from ecospatial.raster.monitor import SEVERITIES as SEVERITIES
    from ecospatial.raster.monitor import WATCHED as WATCHED
    from ecospatial.raster.monitor import faults as faults
    from ecospatial.raster.monitor import pictures as pictures
    from ecospatial.raster.monitor import two_dates as two_dates
    from ecospatial.raster.monitor import watch as watch
    from ecospatial.raster.monitor import zones_of as zones_of
    from ecospatial.raster.riparian import ecological_bank as ecological_bank
    from ecospatial.raster.threshold import Exceeded as Exceeded
    from ecospatial.raster.threshold import exceeded as exceeded
    from ecospatial.raster.zonal_statistics import SHARES as SHARES
    from ecospatial.raster.zonal_statistics import zonal as zonal

_FILES = {
    "riparian": ("ecological_bank",),
    "cover_change": ("Changes", "change"),
    "land_cover": ("INDICATORS", "indicators", "judge", "ndvi"),
    "_compat": ("EXTRA", "available"),
    "grid": ("Grid", "grid_of", "read_grid"),
    "grid_import": ("import_grid",),
    "threshold": ("Exceeded", "exceeded"),
    "monitor": ("SEVERITIES", "WATCHED", "faults", "pictures", "two_dates", "watch", "zones_of"),
    "zonal_statistics": ("SHARES", "zonal"),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}
__all__ = sorted(_FILE_OF)  # noqa: PLE0605 - the names are text


def __getattr__(name: str) -> Any:
    if name not in _FILE_OF:
        raise AttributeError(f"module 'ecospatial.raster' has no attribute {name!r}")
    return getattr(import_module(f"ecospatial.raster.{_FILE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
