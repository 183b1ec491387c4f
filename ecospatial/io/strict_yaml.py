"""YAML that refuses what it does not understand: duplicate keys, codes read as numbers.

PyYAML reads ``0701`` as 449, a key ``on:`` as True, and keeps the last of two equal keys. Here a key is always
its text, and a scalar becomes a number, a date, a boolean or nothing only where that is beyond doubt.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from ecospatial.errors import EcospatialError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_BYTES = 5_000_000
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+]?[0-9]+)?")
_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A scalar that other YAML readers turn into something else than what stands there."""

    text: str


class Mapping(dict[str, Any]):
    """A mapping that knows the line of each key."""

    lines: dict[str, int]
    line: int


def read_yaml(path: Path, error: type[EcospatialError]) -> Any:
    """Read one YAML document from a UTF-8 file.

    Parameters
    ----------
    path
        The file.
    error
        The class of error to raise.

    Raises
    ------
    EcospatialError
        Of the given class: the file can not be read, is not UTF-8 or YAML, or holds duplicate keys, anchors
        or more than one document.
    """
    name = path.name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error(Problem(name, None, "文件过大", f"配置文件不得超过 {MAX_BYTES // 1_000_000} MB"))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise error(Problem(name, None, f"无法读取：{fault.strerror}", "请检查路径和权限")) from fault
    except UnicodeDecodeError as fault:
        raise error(Problem(name, None, "不是 UTF-8 编码", "请另存为 UTF-8 后重试")) from fault
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else None
        raise error(Problem(name, line, f"不是有效的 YAML：{fault.problem}", "请更正该行")) from fault
    except yaml.YAMLError as fault:
        raise error(Problem(name, None, "不是有效的 YAML：含有不允许的字符", "请更正后重试")) from fault
    if node is None:
        raise error(Problem(name, None, "文件是空的", "请填写内容"))
    problems: list[Problem] = []
    value = _build(node, name, problems, depth=0)
    if problems:
        raise error(problems)
    return value


def _build(node: Any, name: str, problems: list[Problem], *, depth: int) -> Any:
    line = node.start_mark.line + 1
    if depth > 20:
        problems.append(Problem(name, line, "嵌套过深", "请检查缩进和引用"))
        return None
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, name, problems, depth=depth + 1) for item in node.value]
    found = Mapping()
    found.line = line
    found.lines = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(name, key_line, "键必须是文字", "请更正该键"))
            continue
        key = str(key_node.value)
        if key in found:
            problems.append(Problem(name, key_line, f"键 {key} 重复", "同一处只能出现一次，请删去一个"))
        found[key] = _build(value_node, name, problems, depth=depth + 1)
        found.lines[key] = key_line
    return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    tag = node.tag.removeprefix(_PREFIX)
    if tag == "str":
        return text
    if tag == "null":
        return None
    if tag == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if tag == "int" and _DECIMAL.fullmatch(text):
        return int(text)
    if tag == "float" and _FLOAT.fullmatch(text):
        return float(text)
    if tag == "timestamp":
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return Doubtful(text)
    return Doubtful(text)


@dataclass
class Entry:
    """One mapping of a YAML file that is read key by key; every fault is collected.

    Parameters
    ----------
    values
        What stands in the file.
    file
        Bare name of the file, for messages.
    place
        What the mapping is of, for messages (a rule id, the name of a layer).
    """

    values: Mapping
    file: str
    place: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, key: str, problem: str, hint: str = "") -> None:
        """Note a fault of one key."""
        line = self.values.lines.get(key, self.values.line)
        where = f"{self.place} 的 {key}" if self.place else key
        self.problems.append(Problem(self.file, line, f"{where}：{problem}", hint))

    def closed(self, known: tuple[str, ...], required: tuple[str, ...] = ()) -> None:
        """Refuse keys that are not known; ask for those that are required."""
        for key in self.values:
            if key not in known:
                self.fault(key, "不认识的键", f"可用的键：{'、'.join(known)}")
        for key in required:
            if key not in self.values:
                self.fault(key, "缺少此键", "请补充")

    def text(self, key: str) -> str | None:
        """Read text; a number without quotes is refused, because others read it as another number."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            return value.strip() or None
        self.fault(key, f"应为文字，读到 {_shown(value)}", "请加引号")
        return None

    def number(self, key: str) -> float | None:
        """Read a finite number that is not negative."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            self.fault(key, f"应为不小于 0 的数字，读到 {_shown(value)}")
            return None
        return float(value)

    def date(self, key: str) -> dt.date | None:
        """Read a date of the form YYYY-MM-DD, quoted or not."""
        value = self.values.get(key)
        if value is None or isinstance(value, dt.date):
            return value
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        self.fault(key, f"应为日期 YYYY-MM-DD，读到 {_shown(value)}")
        return None

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """Read one of a closed list of words."""
        value = self.text(key)
        if value is not None and value not in allowed:
            self.fault(key, f"不能是 {value}", f"可选：{'、'.join(allowed)}")
            return None
        return value

    def mapping(self, key: str) -> Mapping | None:
        """Read a nested mapping."""
        value = self.values.get(key)
        if value is None or isinstance(value, Mapping):
            return value
        self.fault(key, f"应为一组键和值，读到 {_shown(value)}")
        return None

    def items(self, key: str, read: Callable[[Any], str | None] | None = None) -> tuple[str, ...]:
        """Read a list of texts; ``read`` turns each into the text that counts, or None to refuse it."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault(key, f"应为列表，读到 {_shown(value)}", "请写成 [甲, 乙]")
            return ()
        found = []
        for item in value:
            if not isinstance(item, str) or not item.strip():
                self.fault(key, f"应为文字，读到 {_shown(item)}", '编码请加引号，如 "0701"')
                continue
            text = item.strip() if read is None else read(item)
            if text is None:
                self.fault(key, f"不认识 {item}")
            else:
                found.append(text)
        return tuple(found)

    def booleans(self, key: str) -> tuple[str, ...]:
        """Read a list of true and false as texts."""
        value = self.values.get(key)
        if not isinstance(value, list) or not all(isinstance(item, bool) for item in value):
            self.fault(key, "应为 [true] 或 [false]")
            return ()
        return tuple(str(item).lower() for item in value)

    def nested(self, key: str) -> Entry | None:
        """Read a nested mapping as an entry whose faults are noted here too."""
        value = self.mapping(key)
        return None if value is None else Entry(value, self.file, f"{self.place} 的 {key}".strip(), self.problems)


def _shown(value: Any) -> str:
    if isinstance(value, Doubtful):
        return value.text
    if isinstance(value, dict):
        return "一组键和值"
    if isinstance(value, list):
        return "列表"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
