"""Columns of official data found under their usual Chinese names, and words of a vocabulary met in other forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecospatial.errors import Problem
from ecospatial.io import plain_name
from ecospatial.model import COMMON_COLUMNS, Column, Kind, fact_value, nearest_names
from ecospatial.model.names import fold_forms

if TYPE_CHECKING:
    from collections.abc import Iterable

# Chinese names as bureaus write them, and the field codes of the national data standards (XZQDM, BSM, ...). Only names
# that can speak of nothing else: 主导生态功能 is what a zone protects and not its type, 取水口名称 not its source.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "feature_id": ("要素编号", "编号", "标识码", "图斑编号", "管控单元编码", "BSM", "TBBH", "YSBH"),
    "feature_name": (
        "要素名称", "名称", "区域名称", "红线名称", "管控区名称", "保护区名称", "公园名称", "地块名称", "XZQMC",
        "HXMC", "MC", "NAME",
    ),
    "adcode": ("行政区划代码", "行政区代码", "区划代码", "XZQDM"),
    "space": ("空间类型", "三类空间", "空间名称", "功能空间"),
    "core": ("核心保护区", "是否核心保护区", "自然保护地核心保护区"),
    "zone_type": ("管控区类型", "类型", "管控类型", "管控分区", "分区", "类别", "区域类型", "GKQLX"),
    "part": ("分区", "分区类型", "功能分区", "分区名称", "水陆域", "部位", "边界类型", "GNFQ"),
    "river": ("河流", "河流名称", "河道名称", "河名", "所在河流", "水体名称", "所在水体", "受纳水体", "HLMC"),
    "side": ("岸别", "左右岸"),
    "river_class": ("河道等级", "河流等级", "等级", "级别"),
    "width_m": ("河宽", "河道宽度", "宽度"),
    "source_name": ("水源地", "水源地名称", "饮用水水源地", "SYDMC"),
    "level": ("级别", "保护区级别", "保护级别", "等级"),
    "unit_class": ("管控单元分类", "单元分类", "单元类别", "管控类别"),
    "function": ("功能区类型", "岸线功能区", "功能区", "功能区类别"),
    "outfall_type": ("排污口类型", "排污类型", "类型"),
    "grade": ("考核级别", "断面级别", "断面属性", "级别"),
    "plant": ("污水处理厂", "污水厂", "污水厂名称", "所属污水厂", "污水处理厂名称"),
    "system": ("排水体制", "体制"),
    "meets_standard": ("达标区", "是否达标", "是否达标区"),
    "population": ("人口", "服务人口", "人口数"),
    "capacity_m3_d": ("处理能力", "设计规模", "处理规模", "规模"),
    "listed_on": ("列入名录日期", "列入日期"),
    "removed_on": ("移出名录日期", "移出日期"),
}  # fmt: skip
# The name of a plant is that of the feature; 名称 of a catchment is its own.
_NAMES_OF_KIND = {("sewage_plant", "plant"): ("名称",)}
USUAL_WORDS: dict[str, str] = {
    "左": "左岸", "右": "右岸", "一级保护区": "一级", "二级保护区": "二级", "准保护区": "准", "准级": "准",
    "一级区": "一级", "二级区": "二级", "准保护": "准", "水域保护区": "水域", "陆域保护区": "陆域",
    "生态": "生态空间", "农业": "农业空间", "城镇": "城镇空间", "核心区": "核心保护区", "一般区": "一般控制区",
    "集中建设": "集中建设区", "弹性发展": "弹性发展区", "特别用途": "特别用途区", "雨污分流": "分流",
    "优先保护单元": "优先保护", "重点管控单元": "重点管控", "一般管控单元": "一般管控", "一级保护": "一级",
    "二级保护": "二级", "三级保护区": "三级", "保护区": "岸线保护区", "保留区": "岸线保留区",
    "控制利用区": "岸线控制利用区", "开发利用区": "岸线开发利用区",
    "实测": "measured", "资料注明": "stated", "估计": "guessed",
    "雨污合流": "合流", "分流制": "分流", "合流制": "合流", "国控": "国考", "省控": "省考", "市控": "市考",
}  # fmt: skip
_SELDOM = ("accuracy_m", "accuracy_basis", "located")  # columns of every kind that few files have
_FIELD_BYTES = 10  # what a shapefile keeps of the name of a column
_LISTED = 10
WORD_LENGTH = 40  # letters that are shown of a word from a file


def word_problem(file: str, column: Column, word: str, rows: list[int], hint: str) -> Problem:
    """Describe a word that is in no vocabulary, or an empty cell of a column that must not be empty.

    Parameters
    ----------
    file
        Name of the file.
    column
        The column.
    word
        The word; empty for an empty cell.
    rows
        Rows with it, counted from 1.
    hint
        Where the word can be explained.

    Examples
    --------
    >>> column = Column("level", "级别", words=("一级", "二级", "准"), required=True)
    >>> str(word_problem("a.shp", column, "二级区", [3], "请更正"))
    'a.shp，第 3 行：level（级别）不能是“二级区”。相近的：二级、一级；可选：一级、二级、准；请更正'
    """
    if not word:
        return Problem(file, list_rows(rows), f"{column.name}（{column.label}）为空，可能是任何一种", "请补充")
    near = nearest_names(word, column.words)
    shown = " ".join(word.split())[:WORD_LENGTH]
    ways = [f"相近的：{'、'.join(near)}"] if near else []
    ways += [f"可选：{'、'.join(column.words)}", hint]
    return Problem(file, list_rows(rows), f"{column.name}（{column.label}）不能是“{shown}”", "；".join(ways))


@dataclass(frozen=True, slots=True)
class Match:
    """Which of their columns is which of ours, and which of their words.

    What hinders is in ``faults``; ``words`` are words and empty cells that may mean anything until somebody says what.
    """

    columns: dict[str, str]
    vocabulary: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: tuple[Problem, ...] = ()
    words: tuple[Problem, ...] = ()

    def lines(self, kind: Kind, others: Iterable[str]) -> list[str]:
        """Say in lines what was matched, what was not, and what is carried along."""
        told = []
        for column in (*kind.columns, *COMMON_COLUMNS):
            theirs = self.columns.get(column.name)
            if theirs is None and column.name in _SELDOM:
                continue
            told.append(f"  {column.name}（{column.label}）← {theirs or '无，留空'}")
            told += [f"    {a} → {b}" for a, b in self.vocabulary.get(column.name, {}).items()]
        rest = [name for name in others if name not in self.columns.values()]
        return [*told, f"  未对应、原样保留的列：{'、'.join(rest)}"] if rest else told


def match(
    frame: pd.DataFrame,
    kind: Kind,
    *,
    given: dict[str, str],
    values: dict[str, dict[str, str]],
    file: str,
) -> Match:
    """Find our columns among those of a file.

    Parameters
    ----------
    frame
        Attributes as they stand in the file.
    kind
        Kind of the layer.
    given
        What the caller says: ours to theirs; counts before the table of usual names.
    values
        What the caller says of words: column to theirs to ours.
    file
        Name of the file, for messages.
    """
    faults = _call_faults(frame, kind, given=given, values=values, file=file)
    columns: dict[str, str] = {ours: theirs for ours, theirs in given.items() if theirs in frame.columns}
    for column in (*kind.columns, *COMMON_COLUMNS):
        taken = {columns[name] for name in columns}
        if column.name not in given:
            found = _usual(column, kind, [str(c) for c in frame.columns if c not in taken])
            columns |= {} if found is None else {column.name: found}
        if column.required and column.name not in columns and column.name not in given:
            known = "、".join(str(c)[:40] for c in list(frame.columns)[:30])
            fault = f"找不到列 {column.name}（{column.label}）；文件中的列：{known}"
            faults.append(Problem(file, None, fault, f"请用 --map {column.name}=列名 指明"))
    vocabulary: dict[str, dict[str, str]] = {}
    unread: list[Problem] = []
    for column in (*kind.columns, *COMMON_COLUMNS):
        if column.name in columns:
            said = values.get(column.name, {})
            words = _words(frame[columns[column.name]], column, said, file, faults=faults, unread=unread)
            vocabulary |= {column.name: words} if words else {}
    return Match(columns, vocabulary, tuple(faults), tuple(unread))


def _call_faults(
    frame: pd.DataFrame, kind: Kind, *, given: dict[str, str], values: dict[str, dict[str, str]], file: str
) -> list[Problem]:
    known = "、".join(c.name for c in (*kind.columns, *COMMON_COLUMNS))
    strange = [ours for ours in dict.fromkeys((*given, *values)) if kind.column(ours) is None]
    faults = [Problem(file, None, f"{kind.label}没有列 {ours}", f"可用的列：{known}") for ours in strange]
    for ours, theirs in given.items():
        if theirs not in frame.columns:
            listed = "、".join(str(c)[:40] for c in list(frame.columns)[:30])
            faults.append(Problem(file, None, f"文件中没有列 {theirs}（--map {ours}）", f"文件中的列：{listed}"))
    for ours, words in values.items():
        column = kind.column(ours)
        wrong = [word for word in words.values() if column is not None and column.words and word not in column.words]
        if column is not None and wrong:
            fault = f"{ours} 不能是 {'、'.join(wrong)}（--value）"
            faults.append(Problem(file, None, fault, f"可选：{'、'.join(column.words)}"))
    return faults


def _usual(column: Column, kind: Kind, theirs: list[str]) -> str | None:
    if column.name in theirs:
        return column.name
    plain = {plain_name(name): name for name in reversed(theirs)}
    usual = (*USUAL_NAMES.get(column.name, ()), *_NAMES_OF_KIND.get((kind.name, column.name), ()))
    for name in (column.name, column.label, *usual):
        cut = [name.encode(e)[:_FIELD_BYTES].decode(e, errors="ignore") for e in ("gb18030", "utf-8")]
        for form in (name, *cut):
            if plain_name(form) in plain:
                return plain[plain_name(form)]
    return None


def _words(
    cells: pd.Series[Any],
    column: Column,
    said: dict[str, str],
    file: str,
    *,
    faults: list[Problem],
    unread: list[Problem],
) -> dict[str, str]:
    """Match the words of a column, and list with their rows those that are not in its vocabulary."""
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(cells, 1):
        text = _text(value)
        rows.setdefault(text, []).append(row)
    found = {theirs: ours for theirs, ours in said.items() if theirs in rows}
    unused = [theirs for theirs in said if theirs not in rows]
    if unused:
        faults.append(Problem(file, None, f"{column.name} 中没有值 {'、'.join(unused)}（--value）", "请核对"))
    if column.required and "" in rows:
        unread.append(word_problem(file, column, "", rows[""], ""))
    for text, where in rows.items():
        if not text or text in found:
            continue
        if column.words and text not in column.words:
            word = _usual_word(text, column)
            if word is not None:
                found[text] = word
                continue
            way = f"请用 --value {column.name}:{text[:WORD_LENGTH]}=… 指明"
            unread.append(word_problem(file, column, text, where, way))
        elif column.type == "bool" and not _is_answer(text):
            way = f"应为 是、否 或留空（列 {column.label}）"
            faults.append(Problem(file, list_rows(where), f"{column.name} 不能是“{text[:40]}”", way))
    return found


def _usual_word(text: str, column: Column) -> str | None:
    """Find the word of a vocabulary that a text is in another form."""
    plain = fold_forms(text)
    for word in column.words:
        if fold_forms(word) == plain:
            return word
    usual = USUAL_WORDS.get(text) or USUAL_WORDS.get(plain)
    return usual if usual in column.words else None


def _is_answer(text: str) -> bool:
    try:
        fact_value(text)
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def list_rows(rows: list[int]) -> str:
    """Write row numbers for a message, the first ten of many."""
    return f"第 {'、'.join(map(str, rows[:_LISTED]))} 行" + (f"等 {len(rows)} 行" if len(rows) > _LISTED else "")
