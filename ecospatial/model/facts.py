"""What is asked of a project: the closed list of facts, 建设性质, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fact:
    """A yes/no/unknown question about a project."""

    name: str
    label: str
    question: str


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        f.name: f
        for f in (
            Fact("discharges_to_water", "向水体排污", "项目是否向水体排放污染物？"),
            Fact("stores_hazardous", "危化品", "项目是否贮存或输送剧毒物质、危险化学品？"),
            Fact("new_outfall", "新设排污口", "项目是否新设或扩大入河排污口（污水集中处理设施排污口除外）？"),
            Fact("enlarges_aquaculture", "扩大养殖", "项目是否扩大水产养殖规模？"),
            Fact("water_supply_works", "供水设施", "项目是否为供水设施或保护水源的项目？"),
            Fact(
                "national_key_project",
                "国家重点",
                "项目是否为确实难以避让的国家能源、交通、水利、军事等重点建设项目？",
            ),
            Fact("linear_infrastructure", "线性工程", "项目是否为线性基础设施？"),
            Fact("harmless_crossing", "无害化穿越", "项目是否以地下、水下或架空方式无害化穿越？"),
            Fact("permitted_limited_activity", "有限活动", "项目是否属于生态保护红线内允许的有限人为活动？"),
            Fact("chemical_project", "化工项目认定", "项目是否被认定为化工项目？"),
            Fact("takes_groundwater", "取用地下水", "项目是否取用地下水？"),
            Fact(
                "nutrient_offset",
                "磷氮减量替代",
                "项目是否属于工业集聚区内的战略性新兴产业项目、印染改建，"
                "或者现有企业不增产能、提升环保标准的技术改造，并落实磷、氮排放减量替代？",
            ),
        )
    }
)
FACT_TRUE = frozenset({"true", "1", "yes", "y", "是", "有"})
FACT_FALSE = frozenset({"false", "0", "no", "n", "否", "无"})
FACT_UNKNOWN = frozenset({"", "未知", "不详"})

WORKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "new": ("新建",),
        "expansion": ("扩建",),
        "alteration": ("改建", "技改"),
        "existing": ("现有", "现状"),
        "change_of_use": ("改变用途", "用途变更"),
    }
)


def works_value(text: str) -> str | None:
    """Turn 建设性质 in either language into ours; None when it is not known.

    Examples
    --------
    >>> works_value("技改"), works_value("new"), works_value("拆除")
    ('alteration', 'new', None)
    """
    cleaned = text.strip()
    return next((k for k, names in WORKS.items() if cleaned.lower() == k or cleaned in names), None)


def fact_value(value: object) -> bool | None:
    """Read an answer; unknown is None and never False.

    Raises
    ------
    ValueError
        The text is none of the words that are read as yes, no or unknown.

    Examples
    --------
    >>> fact_value("是"), fact_value("False"), fact_value("未知"), fact_value(float("nan"))
    (True, False, None, None)
    """
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    text = str(value).strip().lower()
    text = {"1.0": "1", "0.0": "0", "nan": "", "<na>": "", "none": ""}.get(text, text)
    if text in FACT_TRUE:
        return True
    if text in FACT_FALSE:
        return False
    if text in FACT_UNKNOWN:
        return None
    raise ValueError(str(value))
