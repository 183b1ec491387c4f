"""What the pixels of a raster layer mean: the day they were seen, their classes, their bands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ecospatial.model import KINDS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping as MappingType

    from ecospatial.io.strict_yaml import Entry

PIXEL_KEYS = ("date", "resolution_m", "classes", "bands")
# The words a class table may use, so that grids of different makers can be compared.
COVERS: MappingType[str, str] = MappingProxyType(
    {
        "tree": "林木",
        "shrub": "灌丛",
        "grass": "草地",
        "crop": "耕地",
        "built": "建设用地",
        "bare": "裸地",
        "snow": "冰雪",
        "water": "水面",
        "wetland": "湿地",
        "moss": "苔藓地衣",
        "vegetation": "植被（未细分）",
    }
)
# Values as their makers publish them: ESA WorldCover 10 m v200, Product User Manual, table of map classes;
# Sentinel-2 Level-2A scene classification (SCL), Products Specification Document. SCL values that say nothing of
# the ground (no data, cloud, shadow, unclassified) are left out, and a pixel without a class clears nothing.
CLASS_TABLES: MappingType[str, MappingType[int, str]] = MappingProxyType(
    {
        "worldcover": MappingProxyType(
            {
                10: "tree", 20: "shrub", 30: "grass", 40: "crop", 50: "built", 60: "bare", 70: "snow", 80: "water",
                90: "wetland", 95: "tree", 100: "moss",
            }
        ),
        "sentinel2_scl": MappingProxyType({4: "vegetation", 5: "bare", 6: "water", 11: "snow"}),
    }
)  # fmt: skip
# Bands by what they see, numbered from 1: the four 10 m bands of Sentinel-2 (B02, B03, B04, B08), and all twelve
# of Level-2A in the order of their names (B01 ... B08, B8A, B09, B11, B12).
BAND_ROLES = ("blue", "green", "red", "nir", "swir")
BAND_TABLES: MappingType[str, MappingType[str, int]] = MappingProxyType(
    {
        "sentinel2_10m": MappingProxyType({"blue": 1, "green": 2, "red": 3, "nir": 4}),
        "sentinel2_l2a": MappingProxyType({"blue": 2, "green": 3, "red": 4, "nir": 8, "swir": 11}),
    }
)


@dataclass(frozen=True, slots=True)
class Pixels:
    """What plan.yaml says of the pixels of a raster layer.

    ``classes`` gives the word of ``COVERS`` for a value of the file, ``bands`` the number of the band that sees
    blue, green, red, near or short-wave infrared.
    """

    date: dt.date | None = None
    resolution_m: float | None = None
    classes: MappingType[int, str] = field(default_factory=dict)
    bands: MappingType[str, int] = field(default_factory=dict)


def read_pixels(entry: Entry, kind: str, *, held: bool) -> Pixels | None:
    """Read the keys of a raster layer from its entry in plan.yaml; None for a kind that is no raster."""
    if KINDS[kind].shape != "raster":
        return None
    if held and entry.values.get("date") is None:
        entry.fault("date", "栅格图层需要此键", "请写影像或数据所代表的日期 YYYY-MM-DD")
    for key, kinds in (("classes", ("land_cover",)), ("bands", ("imagery",))):
        if kind in kinds and held and entry.values.get(key) is None:
            entry.fault(key, f"{kind} 需要此键", "请写明像元值或波段的含义，见 docs/interface.md 第 2 节")
        if kind not in kinds and entry.values.get(key) is not None:
            entry.fault(key, f"{kind} 不用此键", "请删去")
    return Pixels(entry.date("date"), entry.number("resolution_m"), _classes(entry), _bands(entry))


def _classes(entry: Entry) -> dict[int, str]:
    value = entry.values.get("classes")
    if value is None:
        return {}
    if isinstance(value, str):
        if value not in CLASS_TABLES:
            entry.fault("classes", f"没有分类表 {value}", f"可选：{'、'.join(CLASS_TABLES)}；或写成 {{像元值: 类别}}")
        return dict(CLASS_TABLES.get(value, {}))
    inner = entry.nested("classes")
    found = {}
    for key in () if inner is None else inner.values:
        word = inner.choice(key, tuple(COVERS)) if inner is not None else None
        if inner is not None and not re.fullmatch(r"-?\d{1,9}", key):
            inner.fault(key, "像元值应为整数")
        elif word is not None:
            found[int(key)] = word
    if inner is not None and not inner.values:
        entry.fault("classes", "至少要有一个类别")
    return found


def _bands(entry: Entry) -> dict[str, int]:
    value = entry.values.get("bands")
    if value is None:
        return {}
    if isinstance(value, str):
        if value not in BAND_TABLES:
            known = "、".join(BAND_TABLES)
            entry.fault("bands", f"没有波段表 {value}", f"可选：{known}；或写成 {{red: 3, nir: 4}}")
        return dict(BAND_TABLES.get(value, {}))
    inner = entry.nested("bands")
    if inner is None:
        return {}
    inner.closed(BAND_ROLES)
    found = {}
    for role, number in inner.values.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 999:
            inner.fault(role, "应为波段序号，从 1 起")
        else:
            found[role] = number
    return found
