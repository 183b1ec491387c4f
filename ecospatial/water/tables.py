"""The tables of a study: title, columns in their order with Chinese headers, codes in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecospatial.model import KINDS
from ecospatial.network import CLASS_LABELS, COVERAGE_LABELS, END_LABELS, GAP_LABELS, LOAD_LABELS, PIPE_LABELS
from ecospatial.water.result import StudyTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

_KIND = {name: kind.label for name, kind in KINDS.items()} | {"site": "项目地块"}
_SOURCE = {"bank": "岸线", "width": "中心线加河宽", "centreline": "中心线"}
_RIVER, _LENGTH = {"river": "河流"}, {"length_m": "长度（米）"}
_TITLES = {
    "summary": "概况", "rivers": "河道与等级校核", "systems": "水系", "classes": "河道等级台账",
    "towns": "镇街河网密度与水面率", "ends": "河道端点", "parts": "互不连通的部分", "gaps": "缺口排序",
    "loops": "水网环", "sections": "断面与上游河道", "upstream": "断面上游清单", "downstream": "下游影响",
    "corridors": "两岸廊道", "breaks": "绿廊断点", "repairs": "图形处理", "reaches": "河段",
    "plants": "污水处理厂负荷", "shares": "排水体制与达标区", "coverage": "管网空白区与重叠",
    "catchments": "排水片区", "outfalls": "排污口对应", "overflows": "断面上游溢流口排序", "pipes": "管道检查",
}  # fmt: skip
_LABELS: Mapping[str, Mapping[str, str]] = {
    "summary": {"item": "项目", "value": "数值", "unit": "单位"},
    "rivers": _RIVER | {
        "river_class": "等级", "length_m": "长度（米）", "district_m": "区内（米）", "width_m": "河宽（米）",
        "order": "河流分级（Strahler）", "joins": "汇入的最高等级", "expected": "应为等级", "status": "校核",
    },
    "systems": {"system": "水系", "rivers": "河流", "length_m": "长度（米）", "district_m": "区内（米）"},
    "classes": {
        "river_class": "等级", "rivers": "河道数", "reaches": "河段数", "length_m": "长度（米）",
        "mean_width_m": "平均河宽（米）",
    },
    "towns": {
        "town": "镇街", "area_m2": "面积（平方米）", "river_m": "河长（米）",
        "density_km_km2": "河网密度（千米/平方千米）", "water_m2": "水面（平方米）", "water_share": "水面率",
        "estimated": "由河宽估算",
    },
    "ends": _RIVER | {"river_class": "等级", "end": "端点", "arm_m": "至首个交汇（米）"},
    "parts": {
        "part": "部分", "length_m": "长度（米）", "share": "占比", "reaches": "河段数", "rivers": "河流",
    },
    "gaps": {
        "gap": "性质", "river": "从", "to_river": "至", "gain_m": "可连通（米）", "gap_m": "缺口（米）",
        "part": "部分", "to_part": "连至部分",
    },
    "loops": {
        "rivers": "围成的河流", "length_m": "周长（米）", "area_m2": "面积（平方米）", "reaches": "河段数",
        "circling": "流向成环",
    },
    "sections": {
        "section": "断面", "grade": "级别", "river": "河流", "chainage_m": "桩号（米）", "offset_m": "距中心线（米）",
        "upstream_reaches": "上游河段数", "upstream_m": "上游河长（米）", "note": "说明",
    },
    "upstream": {
        "section": "断面", "kind": "类别", "thing": "名称", "river": "河流", "along_river_m": "沿河距离（米）",
        "offset_m": "距中心线（米）", "load_m3_d": "水量（立方米/日）", "load_share": "占同类已知水量",
        "loads_unknown": "同类水量未知（个）",
    },
    "downstream": {
        "start": "起点", "kind": "类别", "thing": "名称", "river": "河流", "along_river_m": "沿河距离（米）",
        "hours": "到达（小时）",
    },
    "corridors": _RIVER | {
        "reach": "河段", "side": "岸别", "within_m": "宽度（米）", "source": "起算线", "certain": "自岸线起算",
        "area_m2": "面积（平方米）",
    },
    "breaks": _RIVER | {
        "side": "岸别", "from_m": "起（米）", "to_m": "止（米）", "length_m": "断开（米）", "town": "镇街",
        "owner": "管护单位",
    },
    "repairs": {"what": "处理", "feature_id": "要素", "river": "河流", "moved_m": "移动或长度（米）"},
    "reaches": _RIVER | {
        "feature_id": "要素", "river_class": "等级", "system": "水系", "width_m": "河宽（米）",
        "length_m": "长度（米）", "start_m": "起点桩号（米）", "end_m": "终点桩号（米）",
        "order": "河流分级（Strahler）", "reversed": "已反向",
    },
    "plants": {
        "plant": "污水处理厂", "capacity_m3_d": "处理能力（立方米/日）", "catchments": "片区数",
        "area_m2": "片区面积（平方米）", "population": "人口", "load_m3_d": "已知污水量（立方米/日）",
        "unknown": "水量未知片区", "utilisation": "负荷率", "status": "判断",
    },
    "shares": {
        "group": "分组", "catchments": "片区数", "area_m2": "面积（平方米）", "separate": "分流占比",
        "combined": "合流占比", "mixed": "混流占比", "system_unknown": "体制未知占比", "standard": "达标区占比",
        "standard_unknown": "达标未知占比",
    },
    "coverage": {"fault": "问题", "catchments": "片区", "town": "镇街", "area_m2": "面积（平方米）"},
    "catchments": {
        "name": "片区", "group": "分组", "plant": "污水处理厂", "system": "排水体制", "meets_standard": "达标区",
        "river": "受纳河道", "area_m2": "面积（平方米）", "population": "人口", "load_m3_d": "污水量（立方米/日）",
        "basis": "水量依据",
    },
    "outfalls": {
        "outfall": "排污口", "outfall_type": "类型", "flow_m3_d": "排放量（立方米/日）", "catchment_name": "排水片区",
        "how": "依据", "distance_m": "距片区（米）", "river": "河流", "along_m": "沿河段（米）", "side": "岸别",
    },
    "overflows": {
        "section": "断面", "rank": "名次", "thing": "溢流口", "flow_m3_d": "排放量（立方米/日）",
        "catchment_name": "排水片区", "system": "排水体制", "along_river_m": "沿河距离（米）", "river": "河流",
    },
    "pipes": {
        "fault": "问题", "feature_id": "管道", "pipe_type": "类别", "onto": "接入管道", "value": "数值",
        "note": "说明",
    },
}  # fmt: skip
_WORDS: Mapping[str, Mapping[str, Mapping[Any, str]]] = {
    "rivers": {"status": CLASS_LABELS},
    "ends": {"end": END_LABELS},
    "gaps": {"gap": GAP_LABELS},
    "upstream": {"kind": _KIND},
    "downstream": {"kind": _KIND},
    "corridors": {"source": _SOURCE},
    "plants": {"status": LOAD_LABELS},
    "coverage": {"fault": COVERAGE_LABELS},
    "pipes": {"fault": PIPE_LABELS},
}


def made(name: str, frame: pd.DataFrame, *, extra: Sequence[str] = ()) -> StudyTable:
    """Give a frame its title and headers; ``extra`` columns are named after what they hold (towns)."""
    labels = dict(_LABELS[name]) | {column: column for column in extra}
    return StudyTable(name, _TITLES[name], frame, labels, _WORDS.get(name, {}))
