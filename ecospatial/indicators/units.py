"""Units that published figures are in, as factors to square metres, metres, shares and plain numbers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ecospatial.model import MU_M2

if TYPE_CHECKING:
    from collections.abc import Mapping

_AREA: Mapping[str, float] = MappingProxyType({"m2": 1.0, "ha": 1e4, "km2": 1e6, "亩": MU_M2, "万亩": MU_M2 * 1e4})
_LENGTH: Mapping[str, float] = MappingProxyType({"m": 1.0, "km": 1e3})
_SHARE: Mapping[str, float] = MappingProxyType({"1": 1.0, "%": 0.01, "‰": 0.001})
# Other ways to write the same unit.
_SAME: Mapping[str, str] = MappingProxyType(
    {
        "m²": "m2", "平方米": "m2", "㎡": "m2", "公顷": "ha", "hm2": "ha", "hm²": "ha", "km²": "km2", "平方公里": "km2",
        "平方千米": "km2", "米": "m", "公里": "km", "千米": "km", "": "1", "倍": "1", "百分比": "%",
    }
)  # fmt: skip
UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType({"area": _AREA, "length": _LENGTH, "share": _SHARE})


def unit_factor(measure: str, unit: str) -> float | None:
    """Give what a figure has to be multiplied with to be in m2, m, a share, or a plain number.

    Parameters
    ----------
    measure
        ``area``, ``length``, ``share``, ``count`` or ``value``.
    unit
        As published; for counts and values any text, where a leading 万 means ten thousand.

    Returns
    -------
    float or None
        None: not a unit of that measure.

    Examples
    --------
    >>> unit_factor("area", "km2"), unit_factor("share", "%"), unit_factor("value", "万人"), unit_factor("area", "km")
    (1000000.0, 0.01, 10000.0, None)
    """
    if measure in UNITS:
        return UNITS[measure].get(_SAME.get(unit, unit))
    return 1e4 if unit.startswith("万") else 1.0


def other_unit(measure: str, unit: str, ratio: float, *, within: float = 0.02) -> str | None:
    """Name the unit in which a figure would fit that is off by a factor.

    Parameters
    ----------
    measure
        As in ``unit_factor``.
    unit
        The unit it is said to be in.
    ratio
        Measured over published, both in the same unit.
    within
        How far the ratio may be from that of two units, as a share.

    Examples
    --------
    >>> other_unit("area", "km2", 1 / 1500), other_unit("share", "%", 100.0), other_unit("area", "km2", 2.0)
    ('亩', '1', None)
    """
    own = unit_factor(measure, unit)
    if own is None or measure not in UNITS:
        return None
    for name, factor in UNITS[measure].items():
        if factor != own and abs(ratio * own / factor - 1.0) <= within:
            return name
    return None
