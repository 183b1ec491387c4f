"""The audit as an Excel file: figures first, then every line, then a ledger for each kind that adds up as printed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import xlsxwriter

from ecospatial.auditing.rows import CHECKS, SIZES, STATUSES
from ecospatial.auditing.texts import COLOURS, headline
from ecospatial.model import KINDS
from ecospatial.report.values import plain

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecospatial.auditing.result import Audit

# No cell is a formula or a link, whatever it begins with; a fixed creation time makes the same plan the same bytes.
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}
CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no zone
FONT = "Microsoft YaHei"
# Steps of 0.01 m2 need these decimals to be printed whole.
UNITS = (
    ("m2", "平方米", "#,##0.00"),
    ("ha", "公顷", "#,##0.000000"),
    ("km2", "平方千米", "#,##0.00000000"),
    ("mu", "亩", "#,##0.000000"),
)
METHODS = (("area", "投影面积"), ("area_ellipsoidal", "椭球面积"))
_WIDEST = 60
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
    book = xlsxwriter.Workbook(str(path), OPTIONS)
    book.set_properties({"title": clean(audit.meta["title"]), "created": CREATED})
    base: dict[str, Any] = {"font_name": FONT, "font_size": 10, "valign": "top", "border": 1, "border_color": "#d0d7de"}
    formats = {
        "text": book.add_format(base | {"text_wrap": True}),
        "head": book.add_format(base | {"bold": True, "bg_color": "#e8eef4", "text_wrap": True}),
        "title": book.add_format({"font_name": FONT, "font_size": 14, "bold": True}),
        "plain": book.add_format({"font_name": FONT, "font_size": 10}),
        "alarm": book.add_format({"font_name": FONT, "font_size": 10, "bold": True, "font_color": "#a4000f"}),
        "number": book.add_format(base | {"num_format": "#,##0.######"}),
        **{f"status_{name}": book.add_format(base | {"bg_color": colour}) for name, colour in COLOURS.items()},
        **{f"area_{name}": book.add_format(base | {"num_format": form}) for name, _, form in UNITS},
        **{f"sum_{name}": book.add_format(base | {"num_format": form, "bold": True}) for name, _, form in UNITS},
    }
    for name in SHEETS:
        _lines(book, formats, audit, name)
    _ledgers(book, formats, audit.ledger)
    _layers(book, formats, audit)
    book.close()


def clean(value: object) -> str:
    r"""Turn a cell into text that Excel can hold: no control characters, not longer than it allows.

    Examples
    --------
    >>> clean("a\x0bb"), clean(None)
    ('a b', '')
    """
    found = plain(value)
    text = "" if found is None else str(found)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)[:32767]


def _put(sheet: Any, row: int, column: int, value: object, form: Any) -> None:
    found = plain(value)
    if isinstance(found, int | float) and not isinstance(found, bool):
        sheet.write_number(row, column, found, form)
    elif found is None or found == "":
        sheet.write_blank(row, column, None, form)
    else:
        sheet.write_string(row, column, clean(found), form)


def _sheet(book: Any, formats: dict[str, Any], name: str, head: list[tuple[str, float]], *, top: list[str]) -> Any:
    """Begin a sheet: title, notices, header row that stays, widths."""
    sheet = book.add_worksheet(name)
    for row, line in enumerate(top):
        sheet.write_string(row, 0, clean(line), formats["title" if not row else "alarm" if row > 1 else "plain"])
    start = len(top) + (1 if top else 0)
    for column, (label, size) in enumerate(head):
        sheet.write_string(start, column, label, formats["head"])
        sheet.set_column(column, column, min(size, _WIDEST))
    sheet.freeze_panes(start + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(start)
    return sheet


def _top(audit: Audit, name: str) -> list[str]:
    meta = audit.meta
    told = f"核对日期 {meta['on']}；坐标系 {meta['crs']}；{meta['software']}；{headline(audit)}"
    return [f"{meta['title']}　{name}", told, *meta["notices"]]


def _lines(book: Any, formats: dict[str, Any], audit: Audit, sheet_name: str) -> None:
    """Write one sheet of lines: title, notices, header, a row each, a filter."""
    name, columns, chosen = SHEETS[sheet_name]
    top = _top(audit, name)
    sheet = _sheet(book, formats, sheet_name, [(label, size) for _, label, size in columns], top=top)
    figures = audit.frame["check"].isin(FIGURES)
    rows = audit.frame[figures if chosen else ~figures].to_dict("records")
    for number, row in enumerate(rows, len(top) + 2):
        for column, (key, _, _) in enumerate(columns):
            _cell(sheet, number, column, key, row, formats)
    if rows:
        sheet.autofilter(len(top) + 1, 0, len(top) + 1 + len(rows), len(columns) - 1)


def _cell(sheet: Any, row: int, column: int, key: str, values: dict[Any, Any], formats: dict[str, Any]) -> None:
    value = values[key]
    if key == "status":
        sheet.write_string(row, column, STATUSES[value], formats[f"status_{value}"])
    elif key == "check":
        sheet.write_string(row, column, CHECKS[value], formats["text"])
    elif key == "size_class":
        sheet.write_string(row, column, SIZES.get(value, ""), formats["text"])
    else:
        _put(sheet, row, column, value, formats["number" if isinstance(value, float) else "text"])


def _ledgers(book: Any, formats: dict[str, Any], ledger: pd.DataFrame) -> None:
    """Write a sheet for each kind: towns down, classes across, once in each unit and method."""
    for kind, table in ledger.groupby("kind", sort=False):
        classes = list(dict.fromkeys(table["class"]))
        units = list(dict.fromkeys(table["unit"]))
        head: list[tuple[str, float]] = [("街镇", 18), *((clean(name), 18.0) for name in classes)]
        label = KINDS[str(kind)].label
        sheet = _sheet(book, formats, f"台账 {label}"[:31], head, top=[f"{label}　面积台账（行、列之和即合计）"])
        row = 2
        for method, method_label in METHODS:
            for unit, unit_label, _ in UNITS:
                row += 1
                sheet.write_string(row, 0, f"{method_label}（{unit_label}）", formats["head"])
                for column in range(1, len(classes) + 1):
                    sheet.write_string(row, column, clean(classes[column - 1]), formats["head"])
                values = table.set_index(["unit", "class"])[f"{method}_{unit}"]
                for name in units:
                    row += 1
                    bold = name == units[-1]
                    sheet.write_string(row, 0, clean(name), formats["head" if bold else "text"])
                    for column, class_ in enumerate(classes, 1):
                        form = formats[f"{'sum' if bold or class_ == classes[-1] else 'area'}_{unit}"]
                        sheet.write_number(row, column, float(values[(name, class_)]), form)
                row += 1


def _layers(book: Any, formats: dict[str, Any], audit: Audit) -> None:
    sheet = _sheet(book, formats, "图层", [(label, 16.0) for label in LAYER_COLUMNS.values()], top=[])
    for number, row in enumerate(audit.layers.reset_index().to_dict("records"), 1):
        for column, key in enumerate(LAYER_COLUMNS):
            _put(sheet, number, column, row[key], formats["text"])
