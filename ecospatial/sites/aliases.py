"""Under which names the columns of sites are met in files, and what their cells mean."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from ecospatial.io import plain_name
from ecospatial.model import FACTS, WORKS, activity_code, fact_value, works_value

# docs/interface.md section 4. 地块用途 is the name of the use beside its code in survey text.
NAMES: dict[str, tuple[str, ...]] = {
    "site_id": ("site_id", "id", "编号", "地块编号", "项目编号"),
    "site_name": ("site_name", "name", "名称", "地块名称", "项目名称"),
    "activity": ("activity", "行业代码", "行业类别"),
    "works": ("works", "建设性质"),
    "land_use": ("land_use", "用地性质", "地类编码", "地块用途"),
    "accuracy_m": ("accuracy_m",),
    **{fact.name: (fact.name, fact.label) for fact in FACTS.values()},
}
_FIELD_BYTES = 10  # what a shapefile keeps of the name of a column


def name_forms(name: str) -> set[str]:
    """Give the forms in which the name of a column is met, cut as shapefiles cut it.

    Examples
    --------
    >>> sorted(name_forms("图形类型"))
    ['图形类', '图形类型']
    """
    cut = {name.encode(e)[:_FIELD_BYTES].decode(e, errors="ignore") for e in ("gb18030", "utf-8")}
    return {plain_name(form) for form in {name, name[:_FIELD_BYTES], *cut}}


LOOKUP: dict[str, tuple[str, int]] = {}
for _target, _names in NAMES.items():
    for _rank, _name in enumerate(_names):
        for _form in sorted(name_forms(_name)):
            LOOKUP.setdefault(_form, (_target, _rank))
KNOWN = frozenset(LOOKUP)
SITE_ID_NAMES = frozenset(form for form, (target, _) in LOOKUP.items() if target == "site_id")


def matching(columns: list[str]) -> dict[str, list[str]]:
    """Give for each of our columns those of a file that mean it, the best name first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for column in columns:
        target, rank = LOOKUP.get(plain_name(column), ("", 0))
        if target:
            found.setdefault(target, []).append((rank, column))
    return {target: [column for _, column in sorted(ranked)] for target, ranked in found.items()}


def as_text(value: Any) -> str | None:
    """Give a cell as text; None when it is empty. A whole number has no decimal point.

    Examples
    --------
    >>> as_text(7.0), as_text(" 0701 "), as_text(float("nan")), as_text(np.int64(3))
    ('7', '0701', None, '3')
    """
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return None
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = str(value).strip()
    return text or None


def is_number(value: Any) -> bool:
    """Tell whether a cell is held as a number, which loses the zeros in front of a code."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


class UnreadableError(ValueError):
    """A cell means nothing in its column; the text says what would."""


def read_cell(target: str, value: Any) -> Any:
    """Read a cell of one of our columns.

    Parameters
    ----------
    target
        Our column.
    value
        The cell as it stands in the source.

    Returns
    -------
    object
        Text, a number or a bool; None when the cell is empty or says that it is not known.

    Raises
    ------
    UnreadableError
        The cell can not be read; the text of the error is the way out.

    Examples
    --------
    >>> read_cell("works", "新建;改变用途"), read_cell("activity", "2614；医药制造业")
    ('new;change_of_use', 'C2614;C27')
    >>> read_cell("stores_hazardous", "否")
    False
    """
    text = as_text(value)
    if text is None:
        return None
    if target in FACTS:
        return _fact(text)
    if target == "activity":
        return _activity(text, numeric=is_number(value))
    if target == "works":
        return _works(text)
    if target == "accuracy_m":
        return _accuracy(text)
    # Codes of land use have an even number of digits; an odd number lost its zero in a numeric cell.
    odd = target == "land_use" and is_number(value) and re.fullmatch(r"\d(\d\d){0,2}", text)
    return f"0{text}" if odd else text


def _fact(text: str) -> bool | None:
    try:
        return fact_value(text)
    except ValueError as error:
        raise UnreadableError("应为 是、否，不知道时留空") from error


def _activity(text: str, *, numeric: bool) -> str | None:
    if numeric and len(text) < 4:
        # 412 may be C412 or, its zero lost, A0412.
        raise UnreadableError("数字单元格会丢掉开头的 0，请写成带字母的代码，如 C26")
    codes = []
    for name in filter(None, (part.strip() for part in re.split("[;；]", text))):
        code = activity_code(name) or activity_code(name.split()[0])
        if code is None:
            raise UnreadableError("请写 GB/T 4754-2017 的代码或名称，如 C26；多个用分号隔开")
        codes.append(code)
    return ";".join(dict.fromkeys(codes)) or None


def _works(text: str) -> str | None:
    """Read what is built: several with a semicolon between, as 新建;改变用途."""
    found = []
    for name in filter(None, (part.strip() for part in re.split("[;；]", text))):
        works = works_value(name)
        if works is None:
            listed = "、".join(name for names in WORKS.values() for name in names)
            raise UnreadableError(f"应为{listed}；多个用分号隔开")
        found.append(works)
    return ";".join(dict.fromkeys(found)) or None


def _accuracy(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UnreadableError("应为米数，如 0.5") from error
    if not (math.isfinite(value) and value >= 0):
        raise UnreadableError("应为不小于 0 的米数")
    return value
