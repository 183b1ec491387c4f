"""The commands, and how they end: docs/interface.md section 9."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, NoReturn

import click

from ecospatial.cli import audit as _audit
from ecospatial.cli import check as _check
from ecospatial.cli import maps as _maps
from ecospatial.cli import network as _network
from ecospatial.cli import plans as _plans
from ecospatial.cli import raster as _raster
from ecospatial.cli import report as _report
from ecospatial.cli import rules as _rules
from ecospatial.cli.root import OK, PROGRAM_FAULT, STOPPED, WRONG_INPUT, cli, say
from ecospatial.errors import EcospatialError, OutputError
from ecospatial.io._atomic import describe_machine_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

for _room in (_audit, _check, _maps, _network, _plans, _raster, _report, _rules):
    for _command in _room.COMMANDS:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with _Faults():
        code = cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
        sys.exit(code if isinstance(code, int) else OK)


class _Faults:
    """Turn whatever ends a command into a readable line and the right exit code."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End with the code that fits the fault."""
        if fault is None or isinstance(fault, SystemExit):
            return
        if isinstance(fault, OutputError):
            say(*(f"已写入 {path}" for path in fault.written))
        if isinstance(fault, OutputError) and fault.fault is not None:
            say(*(f"错误：{problem}" for problem in fault.problems))
            _report_fault(fault.fault)
        if isinstance(fault, EcospatialError):
            say(*(f"错误：{problem}" for problem in fault.problems))
            raise SystemExit(WRONG_INPUT) from None
        if isinstance(fault, click.exceptions.Exit):
            raise SystemExit(fault.exit_code) from None
        if isinstance(fault, click.Abort | KeyboardInterrupt):
            say("已停止")
            raise SystemExit(STOPPED) from None
        if isinstance(fault, click.ClickException):
            say(f"错误：用法不对：{fault.format_message()}", "用 --help 查看用法")
            raise SystemExit(WRONG_INPUT) from None
        if isinstance(fault, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(OK) from None
        if isinstance(fault, Exception):
            problem = describe_machine_error(fault)
            if problem is not None:
                say(f"错误：{problem}")
                raise SystemExit(WRONG_INPUT) from None
            _report_fault(fault)


def _report_fault(fault: Exception) -> NoReturn:
    """Write a fault of the program into a file, name it, and end with its code."""
    details = "".join(traceback.format_exception(fault))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="ecospatial-fault-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(details)
        where = f"详情见 {file.name}，请反馈"
    except OSError:  # no room for it either
        where = "请反馈"
    say(f"程序内部错误（{type(fault).__name__}），不是您的数据的问题；{where}")
    raise SystemExit(PROGRAM_FAULT) from None
