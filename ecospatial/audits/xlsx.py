"""The audit as an Excel file: figures first, then every line, then a ledger for each kind that adds up as printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecospatial.audits._result_row import CHECKS, SIZES, STATUSES
from ecospatial.audits._text import COLOURS, headline
from ecospatial.export._format import plain, records
from ecospatial.export._xlsx import HEAD, Column, Workbook, workbook
from ecospatial.model import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecospatial.audits.audit import Audit

# Steps of 0.01 m2 need these decimals to be printed whole.
UNITS = (
    ("m2", "平方米", "#,##0.00"),
    ("ha", "公顷", "#,##0.000000"),
    ("km2", "平方千米", "#,##0.00000000"),
    ("mu", "亩", "#,##0.000000"),
)
METHODS = (("area", "投影面积"), ("area_ellipsoidal", "椭球面积"))
_NUMBER = "#,##0.######"
_WORDS = {"status": STATUSES, "check": CHECKS, "size_class": SIZES}
FIGURES = ("target", "figure")
# Title, columns (key, label, width), and whether the sheet is that of the figures.
SHEETS: dict[str, tuple[str, tuple[tuple[str, str, float], ...], bool]] = {
    "公布指标": (
        "公布指标核对表",
        (
            ("subject", "编号", 14), ("title", "指标", 34), ("target", "公布数", 12), ("unit", "单位", 8),
            ("value", "量得", 14), ("difference", "相差", 14), ("tolerance", "容差", 12), ("status", "结论", 10),
            ("reason", "说明", 60), ("cite", "依据", 50), ("layer", "图层", 18),
        ),
        True,
    ),
    "一致性核对": (
        "一致性核对明细",
        (
            ("check", "核对", 12), ("status", "结论", 10), ("subject", "对象", 40), ("reason", "说明", 60),
            ("area_m2", "面积（平方米）", 16), ("size_class", "大小", 12), ("width_m", "宽（米）", 10),
            ("x_m", "横坐标（东，米）", 16), ("y_m", "纵坐标（北，米）", 16), ("layer", "图层", 24),
            ("features", "要素", 30),
        ),
        False,
    ),
}  # fmt: skip
LAYER_COLUMNS = {
    "label": "图层", "name": "名称", "present": "有无", "status": "状态", "coverage": "覆盖范围",
    "accuracy_m": "精度（米）", "publisher": "来源", "title": "标题", "retrieved": "获取日期", "licence": "许可",
    "sha256": "SHA-256", "valid_from": "有效期起", "valid_to": "有效期止", "problem": "问题",
}  # fmt: skip


def save_xlsx(audit: Audit, path: Path) -> None:
    """Write the workbook straight to ``path``."""
    with workbook(path, audit.meta["title"]) as book:
        for name in SHEETS:
            _lines(book, audit, name)
        _ledgers(book, audit.ledger)
        columns = [Column(key, label, 16) for key, label in LAYER_COLUMNS.items()]
        book.sheet("图层", columns, records(audit.layers.reset_index()))


def _lines(book: Workbook, audit: Audit, sheet_name: str) -> None:
    """Write one sheet of lines: title, notices, header, a row each, a filter."""
    name, columns, chosen = SHEETS[sheet_name]
    meta = audit.meta
    figures = audit.frame["check"].isin(FIGURES)
    wanted = audit.frame.loc[figures if chosen else ~figures, [key for key, _, _ in columns]]
    rows = [row | {key: words[row[key]] for key, words in _WORDS.items() if row.get(key)} for row in records(wanted)]
    book.sheet(
        sheet_name,
        [Column(key, label, size, _NUMBER) for key, label, size in columns],
        rows,
        top=[f"{meta['title']}　{name}", *meta["notices"]],
        about=f"核对日期 {meta['on']}；坐标系 {meta['crs']}；{meta['software']}；{headline(audit)}",
        colours={"status": {STATUSES[name]: colour for name, colour in COLOURS.items()}},
    )


def _ledgers(book: Workbook, ledger: pd.DataFrame) -> None:
    """Write a sheet for each kind: towns down, classes across, once in each unit and method."""
    for kind, table in ledger.groupby("kind", sort=False):
        classes = list(dict.fromkeys(table["class"]))
        units = list(dict.fromkeys(table["unit"]))
        head = [Column("", "街镇", 18), *(Column("", str(name), 18) for name in classes)]
        label = KINDS[str(kind)].label
        sheet, row = book.begin(f"台账 {label}", head, top=[f"{label}　面积台账（行、列之和即合计）"])
        for method, method_label in METHODS:
            for unit, unit_label, form in UNITS:
                row += 1
                for column, text in enumerate([f"{method_label}（{unit_label}）", *classes]):
                    book.put(sheet, (row, column), plain(text), "", HEAD)
                values = table.set_index(["unit", "class"])[f"{method}_{unit}"]
                for name in units:
                    row += 1
                    bold = name == units[-1]
                    book.put(sheet, (row, 0), plain(name), "", HEAD if bold else {})
                    for column, class_ in enumerate(classes, 1):
                        look = {"bold": True} if bold or class_ == classes[-1] else {}
                        book.put(sheet, (row, column), float(values[(name, class_)]), form, look)
                row += 1
