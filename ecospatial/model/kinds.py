"""The kinds of layers: what a layer is of, with its shape and columns. One more kind is one more entry here."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

RiverRole = Literal["", "green", "discharges", "receives"]
Shape = Literal["polygon", "line", "point", "bank", "raster"]
ColumnType = Literal["text", "number", "bool", "date"]


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
    """What a layer is of.

    ``shape`` "bank" is a line or the polygon between the banks; "raster" a grid of pixels, whose values are in
    ``unit``. A new kind is one row; everything that treats kinds differently asks their traits.

    Attributes
    ----------
    may_overlap
        Whether its features may lie on each other by law or by nature.
    within_district
        Whether a district draws it for itself and within itself; others may go on beyond its border.
    monitored
        Whether its ground may not change without leave, so that imagery is compared there.
    tiles_district
        Whether its features make up the whole district, without gap or overlap.
    class_column, level_column
        The column that its ledger is by, and the one of levels of protection that lie inside each other.
    counted
        Whether it has a ledger of areas.
    expected
        Whether every plan should list it.
    space
        The word of 三类空间 that the line of 三区三线 is drawn in.
    apart_from
        Kinds that it may not lie on.
    farmland
        Whether it may not lie on water.
    river_role
        Whether it counts as green beside rivers, or is listed above or below a section.
    order
        Its place where the kinds with one of these traits are listed.
    """

    name: str
    label: str
    shape: Shape
    columns: tuple[Column, ...] = ()
    unit: str = ""
    # Traits. Kinds of areas state each of the first three; a test fails when one does not.
    may_overlap: bool | None = None
    within_district: bool | None = None
    monitored: bool | None = None
    tiles_district: bool = False
    class_column: str = ""
    level_column: str = ""
    counted: bool = True
    expected: bool = False
    space: str = ""
    apart_from: tuple[str, ...] = ()
    farmland: bool = False
    river_role: RiverRole = ""
    order: int = 0

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((c for c in (*self.columns, *COMMON_COLUMNS) if c.name == name), None)


ACCURACY_BASES: Mapping[str, str] = MappingProxyType({"measured": "实测", "stated": "资料注明", "guessed": "估计"})
COMMON_COLUMNS = (
    Column("feature_id", "要素编号"),
    Column("feature_name", "名称"),
    Column("accuracy_m", "定位精度（米）", "number"),
    Column("accuracy_basis", "精度依据", words=tuple(ACCURACY_BASES)),
    # False: the place is known only as the street or town that the shape shows.
    Column("located", "位置已确定", "bool"),
)
# The types of 江苏省生态空间管控区域规划（苏政发〔2020〕1号）.
ZONE_TYPES = (
    "自然保护区", "风景名胜区", "森林公园", "地质遗迹保护区", "湿地公园", "饮用水水源保护区", "海洋特别保护区",
    "洪水调蓄区", "重要水源涵养区", "重要渔业水域", "重要湿地", "清水通道维护区", "生态公益林",
    "太湖重要保护区", "特殊物种保护区",
)  # fmt: skip
RIVER_CLASSES = ("干流", "骨干河道", "一级支浜", "二级支浜", "三级支浜", "小微水体")
_RIVER = Column("river", "河流", required=True)
_SIDE = Column("side", "岸别", words=("左岸", "右岸"))
_ADCODE = Column("adcode", "行政区划代码")

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        k.name: k
        for k in (
            Kind(
                "district",
                "行政区",
                "polygon",
                (_ADCODE,),
                may_overlap=False,
                within_district=False,
                monitored=False,
                counted=False,
                expected=True,
            ),
            Kind(
                "town",
                "街道、镇",
                "polygon",
                (_ADCODE,),
                may_overlap=False,
                within_district=True,
                monitored=False,
                tiles_district=True,
                counted=False,
            ),
            Kind(
                "territorial_space",
                "三类空间",
                "polygon",
                (Column("space", "空间类型", words=("生态空间", "农业空间", "城镇空间"), required=True),),
                may_overlap=False,
                within_district=True,
                monitored=False,
                tiles_district=True,
                class_column="space",
                expected=True,
            ),
            Kind(
                "eco_redline",
                "生态保护红线",
                "polygon",
                (Column("core", "自然保护地核心保护区", "bool"),),
                may_overlap=False,
                within_district=True,
                monitored=True,
                expected=True,
                space="生态空间",
                apart_from=("basic_farmland", "urban_boundary"),
                order=1,
            ),
            Kind(
                "control_zone",
                "生态空间管控区域",
                "polygon",
                (Column("zone_type", "管控区类型", words=ZONE_TYPES, required=True),),
                may_overlap=True,
                within_district=True,
                monitored=True,
                class_column="zone_type",
                order=5,
            ),
            Kind(
                "basic_farmland",
                "永久基本农田",
                "polygon",
                may_overlap=False,
                within_district=True,
                monitored=True,
                expected=True,
                space="农业空间",
                apart_from=("eco_redline", "urban_boundary", "water_body", "bank_line"),
                farmland=True,
                order=4,
            ),
            Kind(
                "farmland",
                "耕地",
                "polygon",
                may_overlap=False,
                within_district=True,
                monitored=False,
                apart_from=("water_body", "bank_line"),
                farmland=True,
            ),
            Kind(
                "urban_boundary",
                "城镇开发边界",
                "polygon",
                (Column("part", "分区", words=("集中建设区", "弹性发展区", "特别用途区")),),
                may_overlap=False,
                within_district=True,
                monitored=False,
                class_column="part",
                expected=True,
                space="城镇空间",
                apart_from=("eco_redline", "basic_farmland"),
            ),
            Kind(
                "river_centreline",
                "河道中心线",
                "line",
                (
                    _RIVER,
                    Column("river_class", "河道等级", words=RIVER_CLASSES),
                    Column("width_m", "河宽（米）", "number"),
                    Column("system", "水系"),
                    # Drawn inside a wider river, only so that the network connects: no length, nothing lies on it.
                    Column("link", "仅为连通", "bool"),
                    Column("from_level_m", "起点高程（米）", "number"),
                    Column("to_level_m", "终点高程（米）", "number"),
                ),
            ),
            # Where a river really begins: a spring, a hill stream, a pumping station that feeds it.
            Kind("river_source", "河道源头、引水口", "point", (Column("river", "河流"),)),
            Kind(
                "bank_line",
                "岸线",
                "bank",
                (_RIVER, _SIDE),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=17,
            ),
            Kind(
                "water_body",
                "水面",
                "bank",
                (_RIVER, _SIDE),
                may_overlap=False,
                within_district=False,
                monitored=True,
                apart_from=("farmland", "basic_farmland"),
                order=18,
            ),
            Kind(
                "canal_zone",
                "大运河核心监控区",
                "polygon",
                (
                    Column(
                        "zone_type",
                        "管控分区",
                        words=("核心监控区", "滨河生态空间", "建成区", "核心监控区其他区域", "拓展区"),
                    ),
                ),
                may_overlap=True,
                within_district=False,
                monitored=True,
                class_column="zone_type",
                order=16,
            ),
            Kind(
                "water_source_zone",
                "饮用水水源保护区",
                "polygon",
                (
                    Column("source_name", "水源地", required=True),
                    Column("level", "级别", words=("一级", "二级", "准"), required=True),
                    Column("part", "水陆域", words=("水域", "陆域")),
                ),
                may_overlap=True,
                within_district=False,
                monitored=True,
                class_column="level",
                level_column="level",
                river_role="receives",
                order=3,
            ),
            Kind(
                "intake",
                "取水口",
                "point",
                (Column("source_name", "水源地", required=True), Column("river", "河流")),
                river_role="receives",
                order=2,
            ),
            Kind(
                "nature_reserve",
                "自然保护区",
                "polygon",
                (Column("part", "分区", words=("核心保护区", "一般控制区"), required=True),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                class_column="part",
                order=2,
            ),
            Kind(
                "forest_park", "森林公园", "polygon", may_overlap=True, within_district=False, monitored=True, order=6
            ),
            Kind(
                "river_management",
                "河道管理范围",
                "polygon",
                (_RIVER, Column("part", "部位", words=("水域", "滩地", "堤防", "护堤地"))),
                may_overlap=True,
                within_district=False,
                monitored=True,
                class_column="part",
                order=7,
            ),
            Kind(
                "outfall",
                "入河排污口",
                "point",
                (
                    Column("river", "河流"),
                    Column("outfall_type", "排污口类型"),
                    Column("flow_m3_d", "排放量（立方米/日）", "number"),
                    Column("catchment", "所属排水片区"),
                ),
                river_role="discharges",
                order=1,
            ),
            Kind(
                "monitoring_section",
                "考核断面",
                "point",
                (_RIVER, Column("grade", "考核级别", words=("国考", "省考", "市考"))),
                river_role="receives",
                order=1,
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
                    Column("group", "分组"),
                    Column("river", "受纳河道"),
                    Column("flow_m3_d", "污水量（立方米/日）", "number"),
                ),
                may_overlap=False,
                within_district=False,
                monitored=False,
                class_column="plant",
                river_role="discharges",
                order=3,
            ),
            Kind(
                "sewer_pipe",
                "排水管道",
                "line",
                (
                    Column("pipe_type", "管道类别", words=("雨水", "污水", "合流"), required=True),
                    Column("from_invert_m", "起点管内底高程（米）", "number"),
                    Column("to_invert_m", "终点管内底高程（米）", "number"),
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
                river_role="discharges",
                order=2,
            ),
            Kind(
                "contaminated_parcel",
                "污染地块",
                "polygon",
                (Column("listed_on", "列入名录日期", "date"), Column("removed_on", "移出名录日期", "date")),
                may_overlap=True,
                within_district=True,
                monitored=False,
            ),
            Kind(
                "control_unit",
                "生态环境管控单元",
                "polygon",
                (Column("unit_class", "单元类别", words=("优先保护", "重点管控", "一般管控"), required=True),),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "taihu_zone",
                "太湖流域三级保护区",
                "polygon",
                (Column("level", "级别", words=("一级", "二级", "三级"), required=True),),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "shoreline_zone",
                "岸线功能区",
                "polygon",
                (
                    _RIVER,
                    Column(
                        "function",
                        "岸线功能",
                        words=("岸线保护区", "岸线保留区", "岸线控制利用区", "岸线开发利用区"),
                        required=True,
                    ),
                ),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=8,
            ),
            Kind(
                "blue_line",
                "城市蓝线",
                "polygon",
                (Column("river", "河流"),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=9,
            ),
            Kind(
                "buffer_strip",
                "生态缓冲带",
                "polygon",
                (Column("river", "河流"),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                river_role="green",
                order=10,
            ),
            Kind(
                "ecological_corridor",
                "生态廊道",
                "polygon",
                (Column("corridor_type", "廊道类型"),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                river_role="green",
                order=11,
            ),
            Kind(
                "wetland",
                "湿地",
                "polygon",
                (Column("grade", "湿地级别"),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=12,
            ),
            Kind(
                "scenic_area",
                "风景名胜区",
                "polygon",
                (Column("part", "分区", words=("核心景区", "其他区域")),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=13,
            ),
            Kind(
                "aquatic_reserve",
                "水产种质资源保护区",
                "polygon",
                (Column("part", "分区", words=("核心区", "实验区")),),
                may_overlap=False,
                within_district=False,
                monitored=True,
                order=14,
            ),
            Kind(
                "park",
                "公园绿地",
                "polygon",
                (Column("park_type", "公园类型"),),
                may_overlap=False,
                within_district=True,
                monitored=True,
                river_role="green",
                order=15,
            ),
            Kind(
                "noise_zone",
                "声环境功能区",
                "polygon",
                (Column("noise_class", "类别", words=("0类", "1类", "2类", "3类", "4a类", "4b类"), required=True),),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "noise_sensitive_area",
                "噪声敏感建筑物集中区域",
                "polygon",
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            # The edge of the road or railway, where strips beside it begin; never its centreline.
            Kind(
                "traffic_line",
                "交通干线边界线",
                "line",
                (
                    Column(
                        "line_class",
                        "交通干线类别",
                        words=(
                            "铁路干线",
                            "高速公路",
                            "一级公路",
                            "二级公路",
                            "城市快速路",
                            "城市主干路",
                            "城市次干路",
                            "轨道交通地面段",
                            "内河航道",
                        ),
                        required=True,
                    ),
                ),
            ),
            Kind(
                "breeding_zone",
                "养殖分区",
                "polygon",
                (
                    Column("subject", "养殖类别", words=("畜禽", "水产"), required=True),
                    Column("zone", "分区", words=("禁养区", "限养区", "养殖区"), required=True),
                ),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "groundwater_zone",
                "地下水分区",
                "polygon",
                (
                    Column(
                        "zone",
                        "分区",
                        words=("保护区", "防控区", "治理区", "一般区", "禁采区", "限采区"),
                        required=True,
                    ),
                ),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "industrial_park",
                "产业园区",
                "polygon",
                (Column("park_type", "园区类型", words=("化工园区", "其他园区"), required=True),),
                may_overlap=False,
                within_district=True,
                monitored=False,
            ),
            Kind(
                "historic_area",
                "历史文化保护范围",
                "polygon",
                (
                    Column("protected", "保护对象"),
                    Column("part", "分区", words=("核心保护范围", "保护范围", "建设控制地带")),
                ),
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind(
                "monitoring_station",
                "环境空气监测站点",
                "point",
                (Column("grade", "站点级别", words=("国控", "省控", "市控")),),
            ),
            Kind(
                "crossing_zone",
                "桥梁隧道安全保护区",
                "polygon",
                may_overlap=False,
                within_district=False,
                monitored=False,
            ),
            Kind("metro_station", "轨道交通站点", "point", (Column("metro_line", "线路"),)),
            Kind("flood_prone_point", "易涝点", "point"),
            Kind("geological_hazard", "地质灾害点", "point", (Column("hazard_type", "灾害类型"),)),
            Kind("land_cover", "土地覆盖", "raster"),
            Kind("imagery", "多光谱影像", "raster"),
            Kind("dem", "地面高程", "raster", unit="m"),
            Kind("slope", "坡度", "raster", unit="°"),
            Kind("flood_depth", "淹没深度", "raster", unit="m"),
            Kind("ndvi", "植被指数（NDVI）", "raster"),
        )
    }
)

STATUS_LABELS: Mapping[str, str] = MappingProxyType(
    {"official": "正式数据", "public": "公开数据（非正式）", "schematic": "示意"}
)
PRESENT_LABELS: Mapping[str, str] = MappingProxyType({"held": "持有", "none": "本区不存在", "missing": "未取得"})
