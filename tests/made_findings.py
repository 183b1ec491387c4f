"""Findings made by hand for the tests of what is written and drawn; nothing here is computed by the package.

Five sites and five rules on the local metre grid. Every verdict occurs, every kind of geometry occurs, every field
that may be unknown is unknown somewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, MultiPolygon, Point, box

from ecospatial import model

CRS = "EPSG:4549"
ON = "2026-11-20"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "${alert(3)}`'\"",
    "=1+1",
    "{{7*7}}{% raw %}{#",
    "a&amp;b",
)
FACTS = list(model.FACTS)
SITE_IDS = ["A-01", "A-02", "A-03", "A-04", "A-05"]
RULE_IDS = ["TH30-6", "FM35", "CANAL-1", "ERL-1", "OLD-1", "LIST-1"]
RULE_COLUMNS = [
    "title", "effect", "relation", "layer", "where", "within_m", "upstream_m", "downstream_m", "above", "when",
    "unless", "effect_unless", "since", "until", "in_force", "yields_to", "instrument", "number", "article", "verified",
    "verified_on", "cite_text", "not_stated", "settled", "due", "pack",
]  # fmt: skip


@dataclass
class Made:
    """The attributes of ``checking.Findings`` that report and maps read."""

    frame: gpd.GeoDataFrame
    summary: pd.DataFrame
    sites: gpd.GeoDataFrame
    rules: pd.DataFrame
    layers: pd.DataFrame
    meta: dict[str, Any] = field(default_factory=dict)
    plan: Any = None
    plan_open: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)


def square(x: float, y: float, side: float = 100) -> Any:
    return box(x, y, x + side, y + side)


def made_sites() -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {
            "site_name": ["化工一厂", "和润花园", "给水管线", "排口", "堆场"],
            "activity": ["C2614;C27", "K7010", "G5720", None, "N7723"],
            "works": ["new", "new;change_of_use", "expansion", None, "existing"],
            "land_use": ["1001", None, None, None, "二类工业用地"],
            "accuracy_m": [0.0, 0.5, 0.0, 0.0, 0.0],
            **{name: pd.Series([None] * 5, dtype=object).to_numpy() for name in FACTS},
            "repair": ["", "自相交，已修复", "", "", ""],
            "repair_area_m2": [0.0, -2.5, 0.0, 0.0, 0.0],
            "source": ["红线.txt，第 1 块", "红线.txt，第 2 块", "管线.zip，第 1 行", "管线.zip，第 2 行", "堆场.xlsx"],
            "datum_open": [False, True, False, False, False],
        },
        index=pd.Index(SITE_IDS, name="site_id"),
        geometry=[
            square(500600, 3520000),
            square(502000, 3520000),
            LineString([(500200, 3521000), (500500, 3521400), (501000, 3521400)]),
            Point(500300, 3522000),
            MultiPolygon([square(500100, 3523000), square(500300, 3523000)]),
        ],
        crs=CRS,
    )
    frame.loc["A-01", "discharges_to_water"] = True
    frame.loc["A-01", "new_outfall"] = False
    frame.attrs["inputs"] = [{"file": "红线.txt", "sha256": hashlib.sha256(b"a").hexdigest()}]
    return frame


def made_summary() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "site_name": ["化工一厂", "和润花园", "给水管线", "排口", "堆场"],
            "verdict": ["prohibited", "no_data", "needs_facts", "no_data", "no_data"],
            "decided": ["prohibited", "clear", "clear", None, "restricted"],
            "headline": ["prohibited", "undecided", "undecided", "undecided", "restricted"],
            "certain": [False, False, False, False, False],
            "certainty": ["schematic", None, None, None, "marginal"],
            "area_m2": [10000.0, 10000.0, 0.0, 0.0, 20000.0],
            "area_ellipsoidal_m2": [10000.126, 10000.126, 0.0, 0.0, 20000.25],
            "length_m": [0.0, 0.0, 1000.0, 0.0, 0.0],
            "repair": ["", "自相交，已修复", "", "", ""],
            "n_prohibited": [1, 0, 0, 0, 0],
            "n_no_data": [1, 1, 0, 2, 1],
            "n_needs_facts": [0, 1, 1, 1, 0],
            "n_unsettled": [0, 0, 1, 0, 1],
            "n_restricted": [0, 0, 0, 0, 1],
            "n_duty": [1, 0, 0, 0, 0],
            "n_clear": [2, 2, 2, 0, 1],
            "n_not_applicable": [1, 2, 2, 3, 2],
            "n_open": [0, 1, 1, 2, 0],
            "n_missing": [1, 1, 1, 1, 2],
        },
        index=pd.Index(SITE_IDS, name="site_id"),
    )
    for column in ("verdict", "decided"):
        frame[column] = pd.Categorical(frame[column], dtype=model.VERDICT_DTYPE)
    frame["headline"] = pd.Categorical(frame["headline"], dtype=model.HEADLINE_DTYPE)
    frame["certainty"] = frame["certainty"].astype(object).where(frame["certainty"].notna(), None)
    return frame


def made_rules() -> pd.DataFrame:
    nothing: list[Any] = [None] * 6
    frame = pd.DataFrame(
        {
            "title": [
                "新孟河岸线两侧1000米内禁止新建、扩建化工和医药生产项目",
                "永久基本农田不得占用",
                "大运河核心监控区按准入清单管理",
                "生态保护红线内禁止开发性、生产性建设",
                "旧条例：已经废止的一条",
                "化工企业应当制定应急预案并备案",
            ],
            "effect": ["prohibited", "prohibited", "restricted", "prohibited", "restricted", "duty"],
            "relation": ["near", *["overlaps"] * 5],
            "layer": ["bank_line", "basic_farmland", "canal_zone", "eco_redline", "control_zone", "district"],
            "where": pd.Series([{"river": ["新孟河"]}, *[None] * 5], dtype=object).to_numpy(),
            "within_m": [1000.0, *[np.nan] * 5],
            **{name: [np.nan] * 6 for name in ("upstream_m", "downstream_m", "above")},
            "since": ["2011-11-01", "2020-01-01", "2022-09-06", "2022-08-16", "2013-01-01", "2024-01-01"],
            "until": [None, None, None, None, "2020-01-07", None],
            "instrument": ["太湖流域管理条例", "土地管理法", "大运河管控细则", "红线管理通知", "旧条例", "应急条例"],
            "number": ["国务院令第604号", "主席令第32号", "常政发〔2022〕73号", "自然资发〔2022〕142号", None, None],
            "article": ["第三十条第六项", "第三十五条", "第二章", "第一条", "第一条", "第九条"],
            "in_force": [True, True, True, True, False, True],
            "verified": [True, True, False, True, True, True],
            "verified_on": ["2026-11-20", "2026-11-20", None, "2026-11-20", "2026-11-20", "2026-11-20"],
            "pack": ["taihu", "national", "changzhou-zhonglou", "national", "jiangsu", "national"],
            "when": pd.Series(
                [[{"activity": ["C26", "C27"], "works": ["new", "expansion"]}], *[None] * 5], dtype=object
            ).to_numpy(),
            "unless": nothing,
            "effect_unless": ["restricted"] * 6,
            "yields_to": pd.Series([[] for _ in range(6)], dtype=object).to_numpy(),
            "not_stated": pd.Series([[], [], [], ["list"], [], []], dtype=object).to_numpy(),
            "due": [None, None, None, None, None, "2026-06-30"],
            "cite_text": ["whole", "whole", "none", "excerpt", "whole", "whole"],
            "settled": pd.Series(
                [{"within_m": 1000.0, "layer_holds_it": None, "decided_by": "某局", "on": ON}, *[None] * 5],
                dtype=object,
            ).to_numpy(),
        },
        index=pd.Index(RULE_IDS, name="rule_id"),
    )
    return frame[RULE_COLUMNS]


def made_layers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": ["district", "bank_line", "basic_farmland", "canal_zone", "eco_redline"],
            "label": ["行政区", "岸线", "永久基本农田", "大运河核心监控区", "生态保护红线"],
            "present": ["held", "held", "held", "missing", "none"],
            "status": ["public", "schematic", "schematic", None, None],
            "coverage": ["extent", "district+5000", "district+5000", "unknown", "district"],
            "accuracy_m": [100.0, 150.0, 500.0, np.nan, np.nan],
            "publisher": ["示例发布方", "本项目", "本项目", "常州市自然资源和规划局", "钟楼区人民政府"],
            "title": ["区界", "示意岸线", "示意基本农田", "大运河核心监控区", "生态文明建设规划"],
            "retrieved": [ON, ON, ON, None, ON],
            "licence": ["MIT", "Apache-2.0", "Apache-2.0", None, None],
            "url": pd.Series([None] * 5, dtype=object).to_numpy(),
            "sha256": [hashlib.sha256(c.encode()).hexdigest() if c else None for c in ("d", "b", "f", "", "")],
            "valid_from": [None, "2021-01-01", None, None, None],
            "valid_to": pd.Series([None] * 5, dtype=object).to_numpy(),
            "problem": ["", "", "文件与登记的哈希不符", "", ""],
        },
        index=pd.Index(["district", "banks_xinmeng", "basic_farmland", "canal_zone", "eco_redline"], name="name"),
    )


# verdict, certainty, margin_m, distance_m, overlap_m2, share, length, feature_id, reason, geometry
_BEYOND = "控制范围之外，未触及"
_NOT_APPLICABLE = "该条已废止，不适用"
_NO_CANAL = "图层“大运河核心监控区”未取得，无法判断"
NAN = float("nan")
_ANSWERS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("A-01", "TH30-6"): (
        "prohibited", "schematic", 400.0, 600.0, 10000.0, 1.0, NAN, "b1",
        "距新孟河岸线 600.0 m，控制距离 1000 m；新建化工项目，禁止。岸线为示意数据，定位精度 ±150 m",
        square(500600, 3520000),
    ),
    ("A-01", "FM35"): ("clear", "marginal", 120.0, 120.0, 0.0, 0.0, NAN, "f1", "未占用永久基本农田", None),
    ("A-01", "CANAL-1"): ("no_data", None, NAN, NAN, NAN, NAN, NAN, "", _NO_CANAL, None),
    ("A-01", "ERL-1"): ("clear", "reliable", NAN, NAN, 0.0, 0.0, NAN, "", "本区没有生态保护红线", None),
    ("A-02", "TH30-6"): ("clear", "schematic", NAN, NAN, 0.0, 0.0, NAN, "", _BEYOND, None),
    ("A-02", "FM35"): (
        "needs_facts", "marginal", 20.5, 0.0, 2500.0, 0.25, NAN, "f1", "占用永久基本农田，缺少：是否国家重点项目",
        box(502000, 3520000, 502025, 3520100),
    ),
    ("A-02", "CANAL-1"): ("no_data", None, NAN, NAN, NAN, NAN, NAN, "", _NO_CANAL, None),
    ("A-02", "ERL-1"): ("clear", "reliable", NAN, NAN, 0.0, 0.0, NAN, "", "本区没有生态保护红线", None),
    ("A-03", "TH30-6"): ("clear", "doubtful", NAN, NAN, 0.0, 0.0, NAN, "", _BEYOND, None),
    ("A-03", "FM35"): (
        "needs_facts", "schematic", 300.0, 0.0, 0.0, 0.5, 500.0, "f1", "穿越永久基本农田，缺少：是否线性工程",
        LineString([(500500, 3521400), (501000, 3521400)]),
    ),
    ("A-03", "CANAL-1"): ("unsettled", None, NAN, NAN, 0.0, 0.0, NAN, "", "规则尚未核实", None),
    ("A-03", "ERL-1"): ("clear", "reliable", NAN, NAN, 0.0, 0.0, NAN, "", "本区没有生态保护红线", None),
    ("A-04", "TH30-6"): (
        "needs_facts", "schematic", 700.0, 300.0, 0.0, NAN, NAN, "b1", "触及控制范围，缺少：行业代码",
        Point(500300, 3522000),
    ),
    ("A-04", "FM35"): ("no_data", None, NAN, NAN, NAN, NAN, NAN, "", "图层被改动，无法判断", None),
    ("A-04", "CANAL-1"): ("no_data", None, NAN, NAN, NAN, NAN, NAN, "", _NO_CANAL, None),
    ("A-04", "ERL-1"): ("not_applicable", None, NAN, NAN, NAN, NAN, NAN, "", _NOT_APPLICABLE, None),
    ("A-05", "TH30-6"): ("clear", "schematic", NAN, NAN, 0.0, 0.0, NAN, "", _BEYOND, None),
    ("A-05", "FM35"): (
        "restricted", "marginal", 50.0, 0.0, 20000.0, 1.0, NAN, "f2", "占用永久基本农田；有限准入，须经批准",
        MultiPolygon([square(500100, 3523000), square(500300, 3523000)]),
    ),
    ("A-05", "CANAL-1"): ("no_data", None, NAN, NAN, NAN, NAN, NAN, "", _NO_CANAL, None),
    ("A-05", "ERL-1"): ("unsettled", None, 900.0, 900.0, 0.0, 0.0, NAN, "e1", "规则尚未核实", None),
    ("A-01", "LIST-1"): (
        "duty", "reliable", NAN, NAN, NAN, NAN, NAN, "", "化工企业，应当制定应急预案；期限 2026-06-30，已逾期", None,
    ),
}  # fmt: skip
# Who has to answer what is open, and what of it is open at the place itself.
_OPEN_BY = {
    ("A-02", "FM35"): "applicant", ("A-03", "FM35"): "applicant", ("A-04", "TH30-6"): "applicant",
    ("A-04", "FM35"): "data_owner", ("A-03", "CANAL-1"): "rule_keeper", ("A-05", "ERL-1"): "rule_keeper",
    **{(site_id, "CANAL-1"): "data_owner" for site_id in ("A-01", "A-02", "A-04", "A-05")},
}  # fmt: skip
_OPEN_HERE = {("A-02", "FM35"), ("A-03", "FM35"), ("A-04", "TH30-6"), ("A-04", "FM35")}


_TOUCHED = {"clear": False, "duty": True, "not_applicable": None}


def made_frame() -> gpd.GeoDataFrame:
    sites, rules, layers = made_sites(), made_rules(), made_layers()
    rows: list[dict[str, Any]] = []
    for site_id in SITE_IDS:
        for rule_id in RULE_IDS:
            answer = _ANSWERS.get(
                (site_id, rule_id),
                ("not_applicable", None, NAN, NAN, NAN, NAN, NAN, "", _NOT_APPLICABLE, None),
            )
            verdict, certainty, margin, distance, overlap, share, length, feature, reason, geometry = answer
            held = layers[layers["kind"] == rules.loc[rule_id, "layer"]]
            rows.append(
                {
                    "site_id": site_id,
                    "site_name": sites.loc[site_id, "site_name"],
                    "rule_id": rule_id,
                    "rule_title": rules.loc[rule_id, "title"],
                    "instrument": rules.loc[rule_id, "instrument"],
                    "article": rules.loc[rule_id, "article"],
                    "verdict": verdict,
                    "certain": certainty == "reliable" or verdict == "not_applicable",
                    "certainty": certainty,
                    "touched": _TOUCHED.get(verdict, True if geometry is not None else None),
                    "open_by": _OPEN_BY.get((site_id, rule_id)),
                    "open_here": (site_id, rule_id) in _OPEN_HERE,
                    "margin_m": margin,
                    "distance_m": distance,
                    "overlap_m2": overlap,
                    "overlap_ellipsoidal_m2": overlap,
                    "overlap_share": share,
                    "overlap_length_m": length,
                    "feature_id": feature,
                    "feature_name": {"b1": "新孟河东岸", "f1": "邹区一片", "f2": "邹区二片"}.get(feature, ""),
                    "features": int(bool(feature) and geometry is not None),
                    "layer": held.index[0] if len(held) else "",
                    "layer_status": held["status"].iloc[0] if len(held) else None,
                    "layer_accuracy_m": held["accuracy_m"].iloc[0] if len(held) else NAN,
                    "layer_sha256": held["sha256"].iloc[0] if len(held) else None,
                    "reason": reason,
                    "verified": not (site_id in {"A-03", "A-05"} and reason == "规则尚未核实"),
                    "due": rules.loc[rule_id, "due"],
                    "overdue": verdict == "duty",
                    "geometry": geometry,
                }
            )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    frame["verdict"] = pd.Categorical(frame["verdict"], dtype=model.VERDICT_DTYPE)
    for column in ("rule_id", "rule_title", "instrument", "article", "due"):
        frame[column] = pd.Categorical(frame[column])
    frame["certainty"] = pd.Categorical(frame["certainty"], dtype=model.CERTAINTY_DTYPE)
    frame["open_by"] = pd.Categorical(frame["open_by"], categories=list(model.OPEN_BY))
    frame["touched"] = frame["touched"].astype("boolean")
    return frame


def made_meta() -> dict[str, Any]:
    return {
        "plan": "made",
        "title": "示例规划",
        "crs": CRS,
        "on": ON,
        "software": "ecospatial 0.1.0",
        "created": None,
        "inputs": [{"file": "红线.txt", "sha256": hashlib.sha256(b"a").hexdigest()}],
        "notices": [model.NOTICE_INTERNAL, model.NOTICE_SCHEMATIC],
        "review_number": None,
    }


def made_plan_open() -> list[dict[str, Any]]:
    return [
        {
            "what": "图层：大运河核心监控区", "open_by": "data_owner", "ask": "常州市自然资源和规划局",
            "rule_ids": ["CANAL-1"],
        },
        {"what": "原文未写明名录：ERL-1", "open_by": "rule_keeper", "ask": "规则维护方", "rule_ids": ["ERL-1"]},
    ]  # fmt: skip


def made_left_out() -> list[dict[str, Any]]:
    return [
        {
            "rules": [], "kinds": ["noise_zone"], "because": "噪声由环评审查", "ask": "常州市生态环境局",
            "rule_ids": ["NOISE-1", "NOISE-2"],
        }
    ]  # fmt: skip


def made_findings(plan: Any = None) -> Made:
    tables = made_frame(), made_summary(), made_sites(), made_rules(), made_layers(), made_meta()
    return Made(*tables, plan, made_plan_open(), made_left_out())


def hostile_findings(plan: Any = None) -> Made:
    """The same findings with every text that comes from a file replaced by something nasty."""
    made = made_findings(plan)
    nasty = "".join(HOSTILE)

    def spoil(frame: Any, columns: list[str]) -> None:
        for column in columns:
            frame[column] = [f"{column}{nasty}"] * len(frame)

    spoil(made.sites, ["site_name", "land_use", "source", "repair"])
    spoil(made.summary, ["site_name", "repair"])
    spoil(made.frame, ["site_name", "rule_title", "instrument", "article", "feature_id", "feature_name", "reason"])
    spoil(made.rules, ["title", "instrument", "number", "article", "pack"])
    spoil(made.layers, ["label", "coverage", "publisher", "title", "licence", "url", "problem"])
    made.layers["url"] = "javascript:alert(4)"
    for entry in (*made.plan_open, *made.left_out):
        entry |= {key: f"{key}{nasty}" for key in ("what", "because", "ask") if key in entry}
    ids = {site_id: f"{site_id}{nasty}" for site_id in SITE_IDS}
    made.sites.index = pd.Index([ids[i] for i in SITE_IDS], name="site_id")
    made.summary.index = made.sites.index.copy()
    made.frame["site_id"] = [ids[i] for i in made.frame["site_id"]]
    made.meta |= {
        "plan": f"plan{nasty}",
        "title": f"title{nasty}",
        "inputs": [{"file": f"file{nasty}", "sha256": "00" * 32}],
        "notices": [f"notice{nasty}"],
    }
    return made


def empty_findings(plan: Any = None) -> Made:
    """A plan without rules: one site, no finding."""
    made = made_findings(plan)
    made.frame = made.frame.iloc[:0].copy()
    made.sites = made.sites.iloc[:1].copy()
    made.summary = made.summary.iloc[:1].copy()
    counts = [column for column in made.summary.columns if column.startswith("n_")]
    made.summary[counts] = 0
    made.summary["verdict"] = pd.Categorical(["no_data"], dtype=model.VERDICT_DTYPE)
    made.summary["decided"] = pd.Categorical([None], dtype=model.VERDICT_DTYPE)
    made.summary["headline"] = pd.Categorical(["undecided"], dtype=model.HEADLINE_DTYPE)
    made.summary["certainty"] = pd.Series([None], index=made.summary.index, dtype=object)
    made.rules = made.rules.iloc[:0].copy()
    made.plan_open, made.left_out = [], []
    return made


def made_plan(folder: Any, *, review_number: str | None = None, spoil: str = "") -> Any:
    """Write a small plan and open it: a district, a schematic bank line, farmland, and two layers not held."""
    import yaml

    from ecospatial import plans

    def layer(kind: str, shapes: list[Any], **columns: list[Any]) -> None:
        frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)
        frame.to_file(folder / f"{kind}.gpkg", layer=kind, driver="GPKG")

    layer("district", [box(495000, 3515000, 505000, 3526000)], feature_name=[f"示例区{spoil}"])
    bank = LineString([(500000, 3514000), (500000, 3527000)])
    layer("bank_line", [bank], river=["新孟河"], feature_name=[f"东岸{spoil}"])
    fields = [square(502000, 3520000), square(500100, 3523000), square(503000, 3521000, 400)]
    layer("basic_farmland", fields, feature_name=[f"{n}{spoil}" for n in ("一片", "二片", "三片")])
    source = {"publisher": f"示例发布方{spoil}", "title": "示例", "retrieved": ON, "licence": "MIT"}

    def entry(kind: str, status: str, **more: Any) -> dict[str, Any]:
        path = {"path": f"{kind}.gpkg", "status": status, "coverage": "extent", "accuracy_m": 100}
        return {"kind": kind, **path, "source": source, **more}

    layers = [
        entry("district", "public"),
        entry("bank_line", "schematic", name=f"banks{spoil}"),
        entry("basic_farmland", "public"),
        {"kind": "canal_zone", "present": "missing", "source": {"publisher": "某局"}},
        {"kind": "eco_redline", "present": "none", "coverage": "district", "source": source},
    ]
    content = {
        "name": "made", "title": f"示例规划{spoil}", "crs": CRS, "packs": [], "review_number": review_number,
        "layers": layers,
    }  # fmt: skip
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    (folder / "plan.yaml").write_text(text.replace(f"'{ON}'", ON), encoding="utf-8")
    return plans.open_plan(folder)
