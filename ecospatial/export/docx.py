"""建设项目选址空间管控符合性分析报告: the findings as a Word document, told from the same rows as the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyproj import CRS

from ecospatial import model
from ecospatial.export import _format
from ecospatial.export._context import (
    CERTAINTY_MEANINGS,
    DECISIVE,
    layer_rows,
    left_out_rows,
    plan_open_rows,
    rule_rows,
    site_rows,
    skipped,
)
from ecospatial.export._docx import SOFT, WordDocument
from ecospatial.export.advice import advice
from ecospatial.export.figures import MOST_MAPS, Pictures, pictures
from ecospatial.maps.print.extent import crs_words
from ecospatial.model.open_items import LEFT_OUT_TITLE, PLAN_OPEN_TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ecospatial.checks import Findings

TITLE = "建设项目选址空间管控符合性分析报告"
LIMITS = (
    "本报告按所列图层和规则逐条量算，只对所列图层、规则和核查日期有效；未列入的法律、规划和图层没有核查。",
    "数据缺失、依据待定、待补充信息都不是通过。图层标“示意”的，位置由人工示意，结论不得作为审批依据。",
    "余量是使“触及与否”改变所需的图层误差；定位误差为图层精度与地块精度之和。大于的可靠；不大于的临界，须现场核定边界；位置为推测的一律示意，另有疑点的存疑。",
    "邻近以距离判定，重叠以面积判定（大于 0.01 m²）；只共用边界不算触及。面积以投影面积为准，同时列出椭球面积。",
    "附图为显示作了裁剪和简化，图上量取的数值不作为依据；面积、距离以文字和表格为准。1 公顷 = 10000 m² = 15 亩。",
    "管控要求用本项目自己的话概括，以法律文件原文为准；最终结论由主管部门作出。",
)
_UNKNOWN = "未登记"
# Of one rule: "通过" is a word of the headline of a site.
_UNTOUCHED = f"{model.VERDICTS['clear'].letter}　未触及"


def _named(site: Mapping[str, Any]) -> str:
    name = site["site_name"]
    return f"{site['site_id']}　{name}" if name and name != site["site_id"] else str(site["site_id"])


def _verdict(name: str | None) -> str:
    return "无" if name is None else f"{model.VERDICTS[name].letter}　{model.VERDICTS[name].label}"


def _answer(site: Mapping[str, Any]) -> str:
    return f"{model.HEADLINES[site['headline']].letter}　{site['answer']}"


def _explained(row: Mapping[str, Any]) -> str:
    whose = f"由{row['open_by_label']}答复" if row["open_here"] and row["open_by_label"] else ""
    return "\n".join(part for part in (row["reason"], row["reliability"] if row["certainty"] else "", whose) if part)


def _colour(name: str | None) -> str | None:
    return None if name is None else model.VERDICTS[name].colour


def _area(site: Mapping[str, Any], key: str = "area_m2") -> str:
    if site[key]:
        return "\n".join(made(site[key]) for made in (_format.square_metres, _format.hectares, _format.mu))
    return _format.metres(site["length_m"]) if site["length_m"] else "点"


def _cited(row: Mapping[str, Any]) -> str:
    number = f"（{row['number']}）" if row.get("number") else ""
    return f"《{row['instrument']}》{number}{row['article'] or ''}"


def _measured(row: Mapping[str, Any]) -> Iterator[str]:
    if row["distance_m"] is not None:
        yield f"距离 {_format.metres(row['distance_m'])}"
    if row["overlap_m2"]:
        sizes = (made(row["overlap_m2"]) for made in (_format.square_metres, _format.hectares, _format.mu))
        yield f"重叠 {'，合 '.join(sizes)}"
    if row["overlap_length_m"]:
        yield f"重叠长度 {_format.metres(row['overlap_length_m'])}"
    if row["overlap_share"]:
        yield f"占地块 {row['overlap_share'] * 100:.1f}%"


class _Report:
    """The document in the making."""

    def __init__(self, findings: Findings) -> None:
        meta: dict[str, Any] = {"created": None, "review_number": None, "inputs": [], "notices": []}
        self.findings, self.meta = findings, meta | _format.plain(dict(findings.meta))
        self.sites, self.layers, self.rules = site_rows(findings), layer_rows(findings), rule_rows(findings)
        self.rule = {row["rule_id"]: row for row in reversed(self.rules)}
        self.drawn: Pictures = pictures(findings)
        self.skipped = skipped(findings.meta)
        self.subject = str(self.meta.get("title") or self.meta.get("plan") or "")
        self.paper = WordDocument(TITLE, running=f"{TITLE}　{self.subject}", day=str(self.meta["on"]))

    def made(self) -> WordDocument:
        """Write everything, from the cover to the limits of use."""
        self.cover()
        self.project()
        self.basis()
        self.results()
        for site in self.sites:
            self.site(site)
        self.files()
        self.limits()
        return self.paper

    def notices(self) -> list[str]:
        told = [*self.meta["notices"], *self.drawn.notices]
        if self.skipped:
            told.append(f"有 {len(self.skipped)} 个图形因有误未纳入核查，不表示通过；见第 6 节")
        return told

    def cover(self) -> None:
        paper, sites = self.paper, self.sites
        which = _named(sites[0]) if len(sites) == 1 else f"{len(sites)} 个地块"
        paper.title(TITLE, [self.subject, which])
        paper.notices(self.notices())
        told = [
            ("规划数据", self.meta.get("plan") or _UNKNOWN), ("核查日期", self.meta.get("on") or _UNKNOWN),
            ("审图号", self.meta.get("review_number") or "无"), ("软件版本", self.meta.get("software") or _UNKNOWN),
            *([("生成时间", self.meta["created"])] if self.meta["created"] else []),
            ("量算坐标系", crs_words(CRS(self.findings.sites.crs))),
        ]  # fmt: skip
        paper.table([], told, [1, 3], size=10)
        paper.table([], [("编制单位", "", "编制人", ""), ("校核人", "", "日期", "")], [1, 2, 1, 2], size=10)
        paper.heading("目录", 3)
        paper.contents(list(self.headings()))

    def headings(self) -> Iterator[tuple[int, str]]:
        for number, text in enumerate(("项目情况", "分析依据", "结论汇总", "逐地块分析"), start=1):
            yield 1, f"{number}　{text}"
        for site in self.sites:
            yield 2, f"4.{site['number']}　{_named(site)}"
        yield 1, "5　输入文件与图层文件"
        yield 1, "6　判定用语与使用限制"

    def project(self) -> None:
        self.paper.heading("1　项目情况", new_page=True)
        self.paper.text("下列情况按报送内容填写，未知的列为未知，不作推断。")
        rows = []
        for site in self.sites:
            given = "\n".join(f"{label}：{value}" for label, value in site["given"] if value != "未知")
            unknown = "、".join(label for label, value in site["given"] if value == "未知")
            told = "\n".join(part for part in (given, f"未知：{unknown}" if unknown else "") if part)
            rows.append((_named(site), _area(site), told, site["repair"] or "无"))
        self.paper.table(["地块", "面积或长度", "项目情况", "图形修复"], rows, [3, 3, 7, 3])

    def basis(self) -> None:
        self.paper.heading("2　分析依据")
        self.paper.heading("2.1　规则", 2)
        frame = self.findings.frame
        met = set(frame.loc[frame["verdict"] != "not_applicable", "rule_id"].astype(str))
        rows = [
            (
                row["rule_id"], row["title"], _cited(row),
                f"{row['since'] or ''} 起" + (f"\n至 {row['until']}" if row["until"] else ""),
                (f"已核实 {row['verified_on'] or ''}" if row["verified"] else "未核实")
                + ("" if row["in_force"] else "\n当日不施行"),
            )
            for row in self.rules if row["rule_id"] in met
        ]  # fmt: skip
        self.paper.table(["编号", "管控要求", "依据", "施行", "核实"], rows, [3, 6, 7, 3, 3], size=8)
        others = [row["rule_id"] for row in self.rules if row["rule_id"] not in met]
        if others:
            told = f"另有 {len(others)} 条规则对所列地块均不适用：{'、'.join(dict.fromkeys(others))}。"
            self.paper.text(told, size=8, colour=SOFT)
        self.paper.heading("2.2　图层", 2)
        rows = [
            (
                f"{row['label']}\n{row['name']}", row["present_label"] or "",
                row["status_label"] or _UNKNOWN, _format.metres(row["accuracy_m"]) or "未知",
                "，".join(str(row[key]) for key in ("publisher", "title", "retrieved") if row[key]) or _UNKNOWN,
            )
            for row in self.layers
        ]  # fmt: skip
        self.paper.table(["图层", "有无", "状态", "精度", "来源、名称、日期"], rows, [5, 2, 2, 2.6, 7], size=8)

    def once(self) -> None:
        """Write what is open in the plan and what is left out, once for the document."""
        self.paper.heading(f"3.1　{PLAN_OPEN_TITLE}", 2)
        rows = [(item["what"], item["who"], item["rules"]) for item in plan_open_rows(self.findings)]
        if rows:
            self.paper.table(["缺少或待定的内容", "应找谁", "涉及规则"], rows, [6, 5, 4], size=9)
        else:
            self.paper.text("无。")
        left = [(item["what"], item["because"], item["who"], item["rules"]) for item in left_out_rows(self.findings)]
        if left:
            self.paper.heading(f"3.2　{LEFT_OUT_TITLE}", 2)
            self.paper.table(["不核的内容", "原因", "由谁答复", "涉及规则"], left, [4, 5, 4, 4], size=9)

    def results(self) -> None:
        self.paper.heading("3　结论汇总", new_page=True)
        rows = [
            (_answer(site), _named(site), str(site["n_open"]), str(site["n_missing"]), _area(site))
            for site in self.sites
        ]
        self.paper.table(
            ["结论", "地块", "未决", "缺图层、待定", "面积或长度"], rows, [5, 5, 2, 3, 4],
            fills=[model.HEADLINES[site["headline"]].colour for site in self.sites],
        )  # fmt: skip
        told = "结论后的词见第 6 节。“未决”须由申请人、数据管理单位或规则维护方答复；“缺图层、待定”见 3.1。"
        self.paper.text(told, size=9, colour=SOFT)
        self.once()
        self.paper.heading("4　逐地块分析", new_page=True)

    def site(self, site: Mapping[str, Any]) -> None:
        """Write the section of one site."""
        paper, number = self.paper, f"4.{site['number']}"
        paper.heading(f"{number}　{_named(site)}", 2, new_page=site["number"] > 1)
        paper.text(f"结论：{_answer(site)}", bold=True)
        paper.text(site["waiting"])
        self.picture(site)
        hits = [row for row in site["rows"] if row["verdict"] in DECISIVE]
        for place, row in enumerate(hits, start=1):
            self.conflict(f"{number}.{place}", row)
        rest = [row for row in site["rows"] if row["verdict"] not in DECISIVE]
        self.others("未决的规则", rest)
        if site["ask"]:
            paper.heading("未决事项及应找谁", 3)
            rows = [(item["what"], item["who"], "、".join(item["rules"])) for item in site["ask"]]
            paper.table(["未决事项", "应找谁", "涉及规则"], rows, [5, 4, 3])
        self.duties(site["duties"])
        self.others("未触及的规则", site["passed"])
        if site["of_plan"]:
            told = f"另有 {len(site['of_plan'])} 条因缺少图层或依据待定未核，见 3.1：{'、'.join(site['of_plan'])}"
            paper.text(told, size=9, colour=SOFT)
        if site["not_applicable"]:
            paper.text(f"不适用：{'、'.join(row['rule_id'] for row in site['not_applicable'])}", size=9, colour=SOFT)
        if site["left_out"] > 0:
            told = f"另有 {site['left_out']} 条较轻的结果未列出，条数已计入上面的结论。"
            paper.text(told, size=9, colour=SOFT)
        self.corners(site)

    def picture(self, site: Mapping[str, Any]) -> None:
        found = self.drawn.pictures.get(site["site_id"])
        if found is not None:
            caption = f"图 4.{site['number']}　位置与冲突图，比例尺 1:{found[1]}（图宽 180 mm 时）。仅供查看。"
            self.paper.picture(found[0], caption)
        elif site["site_id"] in self.drawn.failed or self.drawn.problem:
            why = self.drawn.failed.get(site["site_id"], self.drawn.problem)
            self.paper.framed(f"此处应有地图。{why}文字结论不受影响。")
        elif self.drawn.left_out:
            self.paper.text(f"本地块未绘图：只为结论最重的 {MOST_MAPS} 个地块绘图。", colour=SOFT)
        else:
            self.paper.text("本地块没有可绘制的图形。", colour=SOFT)

    def conflict(self, number: str, row: Mapping[str, Any]) -> None:
        """Write the section of one conflict: clause, measures, margin, what to do."""
        self.paper.heading(f"{number}　{row['rule_title']}", 3)
        feature = row["feature_name"] or row["feature_id"] or ""
        status = row["status_label"] or "状态未登记"
        layer = f"{row['layer_label']}（{row['layer']}，{status}）" if row["layer"] else "无图层"
        told = [
            ("判定", f"{_verdict(row['verdict'])}{'·' if row['certainty_label'] else ''}{row['certainty_label']}"),
            ("规则与依据", f"{row['rule_id']}　{_cited(row)}{'' if row['verified'] else '（规则未核实）'}"),
            ("触及的要素", f"{feature}　{layer}".strip()),
            ("量算", "；".join(_measured(row)) or "未触及"),
            ("余量与可靠性", row["reliability"]),
            ("说明", row["reason"]),
            ("处理建议", "\n".join(advice(row, self.rule.get(row["rule_id"], {})))),
        ]
        self.paper.table([], told, [1, 5], fills=[_colour(row["verdict"]), *[None] * 6], together=True)

    def duties(self, rows: list[dict[str, Any]]) -> None:
        """List what has to be done whatever the place: no conflicts."""
        if rows:
            self.paper.heading("一般要求（不是本地块位置上的冲突）", 3)
            cells = [(f"{row['rule_id']}　{row['rule_title']}\n{_cited(row)}", row["reason"]) for row in rows]
            self.paper.table(["要求与依据", "说明"], cells, [8, 8], size=8)

    def others(self, title: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self.paper.heading(title, 3)
        cells = []
        for row in rows:
            own = row["rules"] or [row]
            cells.append(
                (
                    _UNTOUCHED if row["verdict"] == "clear" else _verdict(row["verdict"]),
                    "\n".join(f"{rule['rule_id']}　{rule['rule_title']}" for rule in own),
                    "；".join(_measured(row)),
                    _explained(row),
                )
            )
        fills = [_colour(row["verdict"]) for row in rows]
        self.paper.table(["判定", "规则", "量算", "说明与可靠性"], cells, [3, 6, 3.4, 7], size=8, fills=fills)

    def corners(self, site: Mapping[str, Any]) -> None:
        found = site["corners"]
        if not found.rings:
            return
        self.paper.heading("界址点坐标", 3)
        rows: list[tuple[str, ...]] = []
        for ring in found.rings:
            rows.append((ring.title, "", "", "", ""))
            rows += [(corner.name, corner.x, corner.y, corner.lon, corner.lat) for corner in ring.corners]
        head = ["点号", "X（北，m）", "Y（东，m）", "经度（°）", "纬度（°）"]
        self.paper.table(head, rows, [3, 4, 4, 4, 4], size=8, numbers=(1, 2, 3, 4))
        told = f"X、Y：{crs_words(CRS(self.findings.sites.crs))}；经纬度：2000国家大地坐标系。终点不重复列出。"
        if found.left_out:
            told += f"共 {found.total} 点，此处未列 {found.left_out} 点，全部坐标见 findings.gpkg。"
        self.paper.text(told, size=9, colour=SOFT)

    def files(self) -> None:
        self.paper.heading("5　输入文件与图层文件", new_page=True)
        rows = [(item["file"], item["sha256"]) for item in self.meta["inputs"]]
        rows += [(f"图层 {row['name']}", row["sha256"]) for row in self.layers if row["sha256"]]
        if rows:
            self.paper.table(["文件", "SHA-256"], rows, [2, 3], size=7.5)
        else:
            self.paper.text("未登记（图形由程序直接给出）。")

    def limits(self) -> None:
        self.paper.heading("6　判定用语与使用限制")
        headlines = [model.HEADLINES[name] for name in reversed(model.HEADLINES)]
        told = [(f"{headline.letter}　{headline.label}", headline.meaning) for headline in headlines]
        self.paper.table(["结论", "含义"], told, [4, 10], fills=[headline.colour for headline in headlines])
        words = [(model.CERTAINTIES[name], meaning) for name, meaning in CERTAINTY_MEANINGS.items()]
        self.paper.table(["结论后的词", "含义"], words, [4, 10])
        verdicts = [model.VERDICTS[name] for name in reversed(model.VERDICTS)]
        rows = [(f"{verdict.letter}　{verdict.label}", verdict.meaning, verdict.who) for verdict in verdicts]
        fills = [verdict.colour for verdict in verdicts]
        self.paper.table(["判定", "含义", "由谁处理"], rows, [3, 7, 4], fills=fills)
        for line in LIMITS:
            self.paper.text(line, style="List Bullet")
        if self.skipped:
            self.paper.heading("未纳入核查的图形", 2)
            self.paper.text(f"下列 {len(self.skipped)} 个图形因有误未纳入核查，不表示通过：")
            for item in self.skipped:
                self.paper.text(item, style="List Bullet")


def save_docx(findings: Findings, path: Path) -> None:
    """Write the document straight to ``path``; the door of this room does the renaming."""
    _Report(findings).made().save(path)
