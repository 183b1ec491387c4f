"""The domain as plain data: kinds of layers, vocabularies, verdicts, facts.

One table serves validation, rule filters, labels and legends. Nothing here reads a file or computes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = Literal["polygon", "line", "point", "bank"]
ColumnType = Literal["text", "number", "bool", "date"]

NOTICE_INTERNAL = "内部使用，未经审核，不得公开"
NOTICE_SCHEMATIC = "含示意图层：位置为人工示意，不得作为审批依据"
MU_M2 = 10000 / 15  # 1 公顷 = 15 亩


# ------------------------------------------------------------------------------------------ verdicts


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the six possible answers for a site under a rule."""

    value: str
    label: str
    meaning: str
    who: str
    letter: str
    colour: str


# Mildest first. The colours are of the Okabe-Ito set (told apart with every kind of colour blindness);
# the letter stands beside the colour wherever it is used.
VERDICTS: MappingProxyType[str, Verdict] = MappingProxyType(
    {
        v.value: v
        for v in (
            Verdict("not_applicable", "不适用", "当日未生效，或不属于该条管控的项目", "无需处理", "N", "#8c8c8c"),
            Verdict("clear", "判定通过", "已量算，图层覆盖，未触及", "无需处理", "C", "#009e73"),
            Verdict("restricted", "受限准入", "触及；须满足条件或取得批准", "申请人", "R", "#e69f00"),
            Verdict(
                "needs_facts",
                "待补充信息",
                "触及而缺少项目信息，或规则尚未核实",
                "申请人；规则未核实的由规则维护方",
                "F",
                "#56b4e9",
            ),
            Verdict("no_data", "数据缺失", "图层缺失、被改动，或覆盖范围不足", "数据管理单位", "D", "#cc79a7"),
            Verdict("prohibited", "判定不通过", "触及且禁止", "申请人", "P", "#d55e00"),
        )
    }
)
VERDICT_DTYPE = pd.CategoricalDtype(list(VERDICTS), ordered=True)
DECIDED = ("clear", "restricted", "prohibited")


# --------------------------------------------------------------------------------------------- kinds


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a kind: its type, its Chinese label, its closed vocabulary, whether it may be empty."""

    name: str
    label: str
    type: ColumnType = "text"
    words: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What a layer is of. ``shape`` "bank" is a line or the polygon between the banks."""

    name: str
    label: str
    shape: Shape
    columns: tuple[Column, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((c for c in (*self.columns, *COMMON_COLUMNS) if c.name == name), None)


COMMON_COLUMNS = (Column("feature_id", "要素编号"), Column("feature_name", "名称"))
RIVER_CLASSES = ("干流", "骨干河道", "一级支浜", "二级支浜", "三级支浜", "小微水体")
_RIVER = Column("river", "河流", required=True)
_SIDE = Column("side", "岸别", words=("左岸", "右岸"))
_ADCODE = Column("adcode", "行政区划代码")

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        k.name: k
        for k in (
            Kind("district", "行政区", "polygon", (_ADCODE,)),
            Kind("town", "街道、镇", "polygon", (_ADCODE,)),
            Kind(
                "territorial_space",
                "三类空间",
                "polygon",
                (Column("space", "空间类型", words=("生态空间", "农业空间", "城镇空间"), required=True),),
            ),
            Kind("eco_redline", "生态保护红线", "polygon", (Column("core", "自然保护地核心保护区", "bool"),)),
            # 管控区类型 is an open list: 江苏省生态空间管控区域规划 names more types than are met here.
            Kind(
                "control_zone",
                "生态空间管控区域",
                "polygon",
                (Column("zone_type", "管控区类型", required=True),),
            ),
            Kind("basic_farmland", "永久基本农田", "polygon"),
            Kind("farmland", "耕地", "polygon"),
            Kind(
                "urban_boundary",
                "城镇开发边界",
                "polygon",
                (Column("part", "分区", words=("集中建设区", "弹性发展区", "特别用途区")),),
            ),
            Kind(
                "river_centreline",
                "河道中心线",
                "line",
                (
                    _RIVER,
                    Column("river_class", "河道等级", words=RIVER_CLASSES),
                    Column("width_m", "河宽（米）", "number"),
                ),
            ),
            Kind("bank_line", "岸线", "bank", (_RIVER, _SIDE)),
            Kind("water_body", "水面", "bank", (_RIVER, _SIDE)),
            Kind("canal_zone", "大运河核心监控区", "polygon", (Column("zone_type", "管控分区"),)),
            Kind(
                "water_source_zone",
                "饮用水水源保护区",
                "polygon",
                (
                    Column("source_name", "水源地", required=True),
                    Column("level", "级别", words=("一级", "二级", "准"), required=True),
                    Column("part", "水陆域", words=("水域", "陆域")),
                ),
            ),
            Kind(
                "intake",
                "取水口",
                "point",
                (Column("source_name", "水源地", required=True), Column("river", "河流")),
            ),
            Kind(
                "nature_reserve",
                "自然保护区",
                "polygon",
                (Column("part", "分区", words=("核心保护区", "一般控制区"), required=True),),
            ),
            Kind("forest_park", "森林公园", "polygon"),
            Kind(
                "river_management",
                "河道管理范围",
                "polygon",
                (_RIVER, Column("part", "部位", words=("水域", "滩地", "堤防", "护堤地"))),
            ),
            Kind(
                "outfall",
                "入河排污口",
                "point",
                (Column("river", "河流"), Column("outfall_type", "排污口类型")),
            ),
            Kind(
                "monitoring_section",
                "考核断面",
                "point",
                (_RIVER, Column("grade", "考核级别", words=("国考", "省考", "市考"))),
            ),
            Kind(
                "sewer_catchment",
                "排水片区",
                "polygon",
                (
                    Column("plant", "污水处理厂"),
                    Column("system", "排水体制", words=("分流", "合流", "混流")),
                    Column("meets_standard", "达标区", "bool"),
                    Column("population", "人口", "number"),
                ),
            ),
            Kind(
                "sewage_plant",
                "污水处理厂",
                "point",
                (
                    Column("plant", "污水处理厂", required=True),
                    Column("capacity_m3_d", "处理能力（立方米/日）", "number"),
                ),
            ),
            Kind(
                "contaminated_parcel",
                "污染地块",
                "polygon",
                (Column("listed_on", "列入名录日期", "date"), Column("removed_on", "移出名录日期", "date")),
            ),
        )
    }
)

STATUS_LABELS: Mapping[str, str] = MappingProxyType(
    {"official": "正式数据", "public": "公开数据（非正式）", "schematic": "示意"}
)
PRESENT_LABELS: Mapping[str, str] = MappingProxyType({"held": "持有", "none": "本区不存在", "missing": "未取得"})


# --------------------------------------------------------------------------------------------- rules

RELATIONS: Mapping[str, str] = MappingProxyType(
    {
        "overlaps": "占用",
        "near": "邻近",
        "outside": "位于范围外",
        "along_river": "沿河",
        "raster_above": "栅格超限",
    }
)
EFFECTS = ("prohibited", "restricted")


# --------------------------------------------------------------------------------------------- sites


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
    }
)

# 国民经济行业分类 GB/T 4754-2017: the codes that rules and examples need so far, with their names. Any code
# of the right form is accepted from a file; this table only turns names into codes and codes into labels.
ACTIVITIES: Mapping[str, str] = MappingProxyType(
    {
        "A01": "农业",
        "A02": "林业",
        "A03": "畜牧业",
        "A031": "牲畜饲养",
        "A032": "家禽饲养",
        "A04": "渔业",
        "A05": "农、林、牧、渔专业及辅助性活动",
        "A041": "水产养殖",
        "A0412": "内陆养殖",
        "B": "采矿业",
        "C13": "农副食品加工业",
        "C1391": "淀粉及淀粉制品制造",
        "C15": "酒、饮料和精制茶制造业",
        "C151": "酒的制造",
        "C1511": "酒精制造",
        "C17": "纺织业",
        "C1713": "棉印染精加工",
        "C1723": "毛染整精加工",
        "C1733": "麻染整精加工",
        "C1743": "丝印染精加工",
        "C1752": "化纤织物染整精加工",
        "C1762": "针织或钩针编织物印染精加工",
        "C19": "皮革、毛皮、羽毛及其制品和制鞋业",
        "C191": "皮革鞣制加工",
        "C1910": "皮革鞣制加工",
        "C22": "造纸和纸制品业",
        "C221": "纸浆制造",
        "C222": "造纸",
        "C26": "化学原料和化学制品制造业",
        "C261": "基础化学原料制造",
        "C2614": "有机化学原料制造",
        "C2631": "化学农药制造",
        "C264": "涂料、油墨、颜料及类似产品制造",
        "C27": "医药制造业",
        "C2710": "化学药品原料药制造",
        "C303": "砖瓦、石材等建筑材料制造",
        "C31": "黑色金属冶炼和压延加工业",
        "C32": "有色金属冶炼和压延加工业",
        "C336": "金属表面处理及热处理加工",
        "C3360": "金属表面处理及热处理加工",
        "C387": "照明器具制造",
        "C42": "废弃资源综合利用业",
        "D44": "电力、热力生产和供应业",
        "D46": "水的生产和供应业",
        "D4610": "自来水生产和供应",
        "D4620": "污水处理及其再生利用",
        "E47": "房屋建筑业",
        "E48": "土木工程建筑业",
        "F51": "批发业",
        "F5191": "再生物资回收与批发",
        "G54": "道路运输业",
        "G55": "水上运输业",
        "G57": "管道运输业",
        "G5720": "陆地管道运输",
        "G59": "装卸搬运和仓储业",
        "G594": "危险品仓储",
        "G5942": "危险化学品仓储",
        "H61": "住宿业",
        "H62": "餐饮业",
        "I65": "软件和信息技术服务业",
        "K70": "房地产业",
        "K7010": "房地产开发经营",
        "N76": "水利管理业",
        "N77": "生态保护和环境治理业",
        "N7723": "固体废物治理",
        "N7724": "危险废物治理",
        "N78": "公共设施管理业",
        "N782": "环境卫生管理",
        "N7820": "环境卫生管理",
        "P83": "教育",
        "Q84": "卫生",
        "R892": "体育场地设施管理",
        "R8929": "其他体育场地设施管理",
    }
)
# 国土空间调查、规划、用途管制用地用海分类指南: names that files carry, with the code rules speak of. Names whose
# number differs between the editions of 2020 and 2023 stand with the first two digits only.
LAND_USES: Mapping[str, str] = MappingProxyType(
    {
        "耕地": "01", "园地": "02", "林地": "03", "草地": "04", "湿地": "05", "农业设施建设用地": "06",
        "设施农用地": "06", "种植设施建设用地": "06", "畜禽养殖设施建设用地": "06", "水产养殖设施建设用地": "06",
        "居住用地": "07", "城镇住宅用地": "0701", "城镇社区服务设施用地": "0702", "农村宅基地": "0703",
        "农村社区服务设施用地": "0704", "公共管理与公共服务用地": "08", "机关团体用地": "0801", "科研用地": "0802",
        "文化用地": "0803", "教育用地": "0804", "体育用地": "0805", "医疗卫生用地": "0806", "社会福利用地": "0807",
        "商业服务业用地": "09", "商业用地": "0901", "商务金融用地": "0902", "娱乐用地": "0903", "工矿用地": "10",
        "工业用地": "1001", "采矿用地": "1002", "仓储用地": "11", "物流仓储用地": "1101", "储备库用地": "1102",
        "交通运输用地": "12", "铁路用地": "1201", "公路用地": "1202", "机场用地": "1203", "港口码头用地": "1204",
        "管道运输用地": "1205", "城市轨道交通用地": "1206", "公用设施用地": "13", "供水用地": "1301",
        "排水用地": "1302", "供电用地": "1303", "供燃气用地": "1304", "环卫用地": "13", "水工设施用地": "13",
        "绿地与开敞空间用地": "14", "公园绿地": "1401", "防护绿地": "1402", "广场用地": "1403", "特殊用地": "15",
        "留白用地": "16", "陆地水域": "17", "河流水面": "1701", "湖泊水面": "1702", "水库水面": "1703",
        "坑塘水面": "1704", "沟渠": "1705",
    }
)  # fmt: skip
ACTIVITY_FORM = re.compile(r"[A-T](\d{2,4})?")
_SECTION_ENDS = (
    ("A", 5), ("B", 12), ("C", 43), ("D", 46), ("E", 50), ("F", 52), ("G", 60), ("H", 62), ("I", 65),
    ("J", 69), ("K", 70), ("L", 72), ("M", 75), ("N", 79), ("O", 82), ("P", 83), ("Q", 85), ("R", 90),
    ("S", 96), ("T", 97),
)  # fmt: skip


def activity_code(text: str) -> str | None:
    """Turn a GB/T 4754-2017 code or name, as found in a file, into a code; None when it is neither.

    A code written without its letter ("2614") gets it from its division.

    Examples
    --------
    >>> activity_code("c2614"), activity_code("2614"), activity_code("医药制造业"), activity_code("化工")
    ('C2614', 'C2614', 'C27', None)
    """
    cleaned = text.strip().upper()
    if re.fullmatch(r"\d{2,4}", cleaned):
        division = int(cleaned[:2])
        letter = next((name for name, last in _SECTION_ENDS if 1 <= division <= last), None)
        return None if letter is None else letter + cleaned
    if ACTIVITY_FORM.fullmatch(cleaned):
        if len(cleaned) == 1:
            return cleaned
        return cleaned if activity_code(cleaned[1:]) == cleaned else None
    return next((code for code, name in ACTIVITIES.items() if name == text.strip()), None)


def activity_label(code: str) -> str:
    """Give a code with its name, or with the name of the nearest group above it.

    Examples
    --------
    >>> activity_label("C2619"), activity_label("T97")
    ('C2619 基础化学原料制造', 'T97')
    """
    for length in range(len(code), 0, -1):
        if code[:length] in ACTIVITIES:
            return f"{code} {ACTIVITIES[code[:length]]}"
    return code


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
