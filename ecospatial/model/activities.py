"""国民经济行业分类 GB/T 4754-2017 as data: all sections and divisions, the groups that rules need, everyday names."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# One line a section: its letter and name, then its divisions (two digits) and those groups and classes (three and
# four) that rules, examples or everyday names need. Any code of the right form is accepted from a file; the table
# turns names into codes and codes into labels.
_TABLE = """
A 农、林、牧、渔业
01 农业  015 水果种植  016 坚果、含油果、香料和饮料作物种植
02 林业  021 林木育种和育苗  03 畜牧业  031 牲畜饲养  0313 猪的饲养  032 家禽饲养  04 渔业  041 水产养殖
0411 海水养殖  0412 内陆养殖  042 水产捕捞  0422 内陆捕捞  05 农、林、牧、渔专业及辅助性活动
B 采矿业
06 煤炭开采和洗选业  07 石油和天然气开采业  08 黑色金属矿采选业  0810 铁矿采选  09 有色金属矿采选业
10 非金属矿采选业  101 土砂石开采  1019 粘土及其他土砂石开采  11 开采专业及辅助性活动  12 其他采矿业
C 制造业
13 农副食品加工业  1351 牲畜屠宰  1352 禽类屠宰  1391 淀粉及淀粉制品制造  14 食品制造业
1462 酱油、食醋及类似制品制造  15 酒、饮料和精制茶制造业  151 酒的制造  1511 酒精制造
1512 白酒制造  1513 啤酒制造  152 饮料制造  16 烟草制品业  17 纺织业  1713 棉印染精加工  1723 毛染整精加工
1733 麻染整精加工  1743 丝印染精加工  1752 化纤织物染整精加工  1762 针织或钩针编织物印染精加工  18 纺织服装、服饰业
19 皮革、毛皮、羽毛及其制品和制鞋业  191 皮革鞣制加工  1910 皮革鞣制加工  20 木材加工和木、竹、藤、棕、草制品业
21 家具制造业  22 造纸和纸制品业  221 纸浆制造  222 造纸  2221 机制纸及纸板制造  23 印刷和记录媒介复制业
24 文教、工美、体育和娱乐用品制造业  25 石油、煤炭及其他燃料加工业  251 精炼石油产品制造  2511 原油加工及石油制品制造
252 煤炭加工  2521 炼焦  253 核燃料加工  254 生物质燃料加工  26 化学原料和化学制品制造业  261 基础化学原料制造
2611 无机酸制造  2612 无机碱制造  2613 无机盐制造  2614 有机化学原料制造  2619 其他基础化学原料制造  262 肥料制造
263 农药制造  2631 化学农药制造  2632 生物化学农药及微生物农药制造  264 涂料、油墨、颜料及类似产品制造  2641 涂料制造
2645 染料制造  265 合成材料制造  266 专用化学产品制造  267 炸药、火工及焰火产品制造  268 日用化学产品制造
2681 肥皂及洗涤剂制造  27 医药制造业  271 化学药品原料药制造  2710 化学药品原料药制造  272 化学药品制剂制造
273 中药饮片加工  274 中成药生产  275 兽用药品制造  276 生物药品制品制造  277 卫生材料及医药用品制造
278 药用辅料及包装材料  28 化学纤维制造业  29 橡胶和塑料制品业  30 非金属矿物制品业  301 水泥、石灰和石膏制造
3011 水泥制造  303 砖瓦、石材等建筑材料制造  304 玻璃制造  305 玻璃制品制造
307 陶瓷制品制造  3081 石棉制品制造  31 黑色金属冶炼和压延加工业  311 炼铁  312 炼钢
313 钢压延加工  32 有色金属冶炼和压延加工业  321 常用有色金属冶炼
322 贵金属冶炼  323 稀有稀土金属冶炼  33 金属制品业  336 金属表面处理及热处理加工
3360 金属表面处理及热处理加工  339 铸造及其他金属制品制造  34 通用设备制造业  35 专用设备制造业  36 汽车制造业
37 铁路、船舶、航空航天和其他运输设备制造业  373 船舶及相关装置制造  38 电气机械和器材制造业  384 电池制造
387 照明器具制造
39 计算机、通信和其他电子设备制造业  3982 电子电路制造  40 仪器仪表制造业  41 其他制造业  42 废弃资源综合利用业
421 金属废料和碎屑加工处理  422 非金属废料和碎屑加工处理  43 金属制品、机械和设备修理业
4342 船舶修理
D 电力、热力、燃气及水生产和供应业
44 电力、热力生产和供应业  441 电力生产  4411 火力发电  4412 热电联产  442 电力供应  443 热力生产和供应
45 燃气生产和供应业  46 水的生产和供应业  461 自来水生产和供应  4610 自来水生产和供应  462 污水处理及其再生利用
4620 污水处理及其再生利用
E 建筑业
47 房屋建筑业  48 土木工程建筑业  481 铁路、道路、隧道和桥梁工程建筑  482 水利和水运工程建筑
485 架线和管道工程建筑  49 建筑安装业  50 建筑装饰、装修和其他建筑业
F 批发和零售业
51 批发业  516 矿产品、建材及化工产品批发  5191 再生物资回收与批发  52 零售业  5265 机动车燃油零售
G 交通运输、仓储和邮政业
53 铁路运输业  54 道路运输业  543 道路货物运输  55 水上运输业  553 水上运输辅助活动  5531 客运港口  5532 货运港口
56 航空运输业  57 管道运输业  572 陆地管道运输  5720 陆地管道运输  58 多式联运和运输代理业  59 装卸搬运和仓储业
594 危险品仓储  5941 油气仓储  5942 危险化学品仓储  60 邮政业
H 住宿和餐饮业
61 住宿业  62 餐饮业
I 信息传输、软件和信息技术服务业
63 电信、广播电视和卫星传输服务  64 互联网和相关服务  65 软件和信息技术服务业
J 金融业
66 货币金融服务  67 资本市场服务  68 保险业  69 其他金融业
K 房地产业
70 房地产业  701 房地产开发经营  7010 房地产开发经营
L 租赁和商务服务业
71 租赁业  72 商务服务业
M 科学研究和技术服务业
73 研究和试验发展  74 专业技术服务业  75 科技推广和应用服务业
N 水利、环境和公共设施管理业
76 水利管理业  77 生态保护和环境治理业  771 生态保护  772 环境治理业  7721 水污染治理  7723 固体废物治理
7724 危险废物治理  7726 土壤污染治理与修复服务  78 公共设施管理业  781 市政设施管理  782 环境卫生管理
7820 环境卫生管理  784 绿化管理  785 城市公园管理  786 游览景区管理  79 土地管理业
O 居民服务、修理和其他服务业
80 居民服务业  808 殡葬服务  81 机动车、电子产品和日用产品修理业  811 汽车、摩托车等修理与维护  82 其他服务业
P 教育
83 教育  831 学前教育  832 初等教育  833 中等教育  834 高等教育
Q 卫生和社会工作
84 卫生  841 医院  842 基层医疗卫生服务  85 社会工作  851 提供住宿社会工作
R 文化、体育和娱乐业
86 新闻和出版业  87 广播、电视、电影和录音制作业  88 文化艺术业  89 体育  892 体育场地设施管理
8929 其他体育场地设施管理  90 娱乐业  901 室内娱乐活动  902 游乐园
S 公共管理、社会保障和社会组织
91 中国共产党机关  92 国家机构  93 人民政协、民主党派  94 社会保障  95 群众团体、社会团体和其他成员组织
96 基层群众自治组织及其他组织
T 国际组织
97 国际组织
"""


def _read(table: str) -> dict[str, str]:
    found: dict[str, str] = {}
    letter = ""
    for code, name in re.findall(r"(?m)(?:^|  )([A-T]|\d{2,4}) (\S+)", table):
        letter = code if code.isalpha() else letter
        found[code if code.isalpha() else letter + code] = name
    return found


ACTIVITIES: Mapping[str, str] = MappingProxyType(_read(_TABLE))

# What people call an activity, with what it may be; one code: it is meant, several: they are shown to choose from.
EVERYDAY_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "化工": ("C26",), "化工厂": ("C26",), "化工项目": ("C26",), "精细化工": ("C26",), "化学工业": ("C26",),
        "农药": ("C263",), "涂料": ("C2641",), "染料": ("C2645",), "洗涤剂": ("C2681",), "石化": ("C25", "C26"),
        "炼油": ("C2511",), "焦化": ("C2521",), "医药": ("C27",), "制药": ("C27",), "药厂": ("C27",),
        "印染": ("C1713", "C1723", "C1733", "C1743", "C1752", "C1762"), "纺织": ("C17",), "制革": ("C191",),
        "酒精": ("C1511",), "淀粉": ("C1391",), "酿造": ("C151", "C14"), "造纸": ("C222", "C221"),
        "电镀": ("C336",), "冶金": ("C31", "C32"), "钢铁": ("C31",), "铸造": ("C339",), "水泥": ("C301",),
        "砖厂": ("C303",), "灯具": ("C387",), "照明": ("C387",), "电池": ("C384",),
        "废品回收": ("C42", "F5191"), "废旧物资回收": ("C42", "F5191"), "再生资源": ("C42", "F5191"),
        "火电厂": ("D4411",), "热电厂": ("D4412",), "自来水厂": ("D461",), "水厂": ("D461",),
        "污水处理厂": ("D462",), "污水处理": ("D462",), "养殖": ("A03", "A041"), "畜禽养殖": ("A03",),
        "养猪": ("A0313",), "养猪场": ("A0313",), "养鸡": ("A032",), "水产": ("A041",), "鱼塘": ("A0412",),
        "林果": ("A02", "A01"), "采石": ("B101",), "采砂": ("B101",), "采矿": ("B",), "住宅": ("K701",),
        "小区": ("K701",), "楼盘": ("K701",), "房地产": ("K70",), "房地产开发": ("K701",), "铁路": ("E481", "G53"),
        "公路": ("E481", "G54"), "道路": ("E481",), "管道": ("E485", "G57"), "码头": ("G553",), "港口": ("G553",),
        "物流": ("G59", "G54"), "仓储": ("G59",), "仓库": ("G59",), "危化品仓库": ("G5942",), "危化品": ("G5942",),
        "油库": ("G5941",), "加油站": ("F5265",), "饭店": ("H62", "H61"), "餐饮": ("H62",), "酒店": ("H61",),
        "宾馆": ("H61",), "软件园": ("I65",), "垃圾场": ("N782",), "垃圾填埋场": ("N782",), "垃圾处理": ("N782",),
        "垃圾转运站": ("N782",), "危废处置": ("N7724",), "固废处置": ("N7723",), "高尔夫球场": ("R8929",),
        "体育场": ("R892",), "学校": ("P83",), "幼儿园": ("P831",), "小学": ("P832",), "中学": ("P833",),
        "大学": ("P834",), "医院": ("Q841",), "养老院": ("Q851",), "汽修": ("O811",), "殡仪馆": ("O808",),
        "公墓": ("O808",), "水利": ("N76", "E482"), "公园": ("N785",), "景区": ("N786",), "游乐园": ("R902",),
        "歌舞厅": ("R901",),
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

    A code written without its letter ("2614") gets it from its division. Of a name that a section and its only
    division share, the division is given.

    Examples
    --------
    >>> activity_code("c2614"), activity_code("2614"), activity_code("医药制造业"), activity_code("化工")
    ('C2614', 'C2614', 'C27', None)
    >>> activity_code("教育")
    'P83'
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
    named = [code for code, name in ACTIVITIES.items() if name == text.strip()]
    return min(named, key=lambda code: (len(code) == 1, len(code)), default=None)


def activity_label(code: str) -> str:
    """Give a code with its name, or with the name of the nearest group above it.

    Examples
    --------
    >>> activity_label("C2616"), activity_label("T97")
    ('C2616 基础化学原料制造', 'T97 国际组织')
    """
    for length in range(len(code), 0, -1):
        if code[:length] in ACTIVITIES:
            return f"{code} {ACTIVITIES[code[:length]]}"
    return code


def search_activities(text: str) -> tuple[str, ...]:
    """Find what an activity may be: by code, by name, by everyday name, else by a part of a name.

    Parameters
    ----------
    text
        What a person types, such as 化工 or C26.

    Returns
    -------
    tuple of str
        One code when it is clear, several when it is not, none when nothing is found. Of codes found by a part of a
        name those inside another that was found are left out.

    Examples
    --------
    >>> search_activities("化工"), search_activities("C2614"), search_activities("养殖")
    (('C26',), ('C2614',), ('A03', 'A041'))
    >>> search_activities("仪器"), search_activities("没有这种")
    (('C40',), ())
    """
    cleaned = text.strip()
    code = activity_code(cleaned)
    if code is not None:
        return (code,)
    if cleaned in EVERYDAY_NAMES:
        return EVERYDAY_NAMES[cleaned]
    if len(cleaned) < 2:
        return ()
    found = [code for code, name in ACTIVITIES.items() if cleaned in name]
    return tuple(code for code in found if not any(code != other and code.startswith(other) for other in found))
