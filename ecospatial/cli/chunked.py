"""``ecospatial check`` of many sites: GeoParquet in, parts out, with progress; and progress of any long check."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, REACHED, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from ecospatial.batch import PartsRun, Progress
    from ecospatial.plans import Plan

# A log gets a line now and then, a screen one that changes.
_QUIET_S, _LOG_S, _SCREEN_S = 2.0, 10.0, 0.2
_NOT_IN_PARTS = ("facts", "file_layer", "towgs84", "four_params", "wkt", "asking", "timestamp")
_ONLY_IN_PARTS = ("dask", "part_rows", "restart")
_WIDTH = 100


class Meter:
    """Says on standard error how far a check is: on a screen one line that changes, in a log a line now and then."""

    def __init__(self, *, quiet_s: float = 0.0) -> None:
        self.screen = sys.stderr.isatty()
        self.last, self.quiet_until, self.shown = 0.0, time.monotonic() + quiet_s, False

    def tell(self, text: str, *, last: bool = False) -> None:
        """Say it, unless something was just said."""
        now = time.monotonic()
        pause = _SCREEN_S if self.screen else _LOG_S
        if now < self.quiet_until or (self.shown and not last and now - self.last < pause):
            return
        self.last, self.shown = now, True
        click.echo(f"\r{text:<{_WIDTH}}" if self.screen else text, err=True, nl=not self.screen)

    def parts(self, progress: Progress) -> None:
        """Say how far a check part by part is."""
        self.tell(str(progress), last=progress.parts_done == progress.parts)

    def rules(self, done: int, count: int) -> None:
        """Say how far a check in memory is."""
        from ecospatial.batch import lasting

        began = self.quiet_until - _QUIET_S
        left = (time.monotonic() - began) / done * (count - done) if done else 0.0
        self.tell(f"已核查 {done}/{count} 条规则" + (f"，剩余约 {lasting(left)}" if done else ""))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line on the screen."""
        if self.screen and self.shown:
            click.echo(err=True)


def rule_meter() -> Meter:
    """Give the meter of a check in memory, which says nothing of one that is short."""
    return Meter(quiet_s=_QUIET_S)


def wanted_in_parts(
    sources: tuple[str, ...], out: str | None, formats: list[str] | None, options: dict[str, Any]
) -> bool:
    """Say whether a check is done part by part: GeoParquet in, nothing but Parquet out."""
    asked = [name for name in _ONLY_IN_PARTS if options[name]]
    against = [name for name in _NOT_IN_PARTS if options[name]]
    fits = bool(sources) and out is not None and formats == ["parquet"] and not against
    if fits:
        from ecospatial.sites import site_files

        fits = site_files(list(sources)) is not None
    if asked and not fits:
        names = "、".join(f"--{name.replace('_', '-')}" for name in asked)
        raise click.UsageError(f"{names} 用于分块核查：输入为 GeoParquet，并写明 --out DIR --format parquet")
    return fits


def check_in_parts(sources: tuple[str, ...], plan: Plan, out: str, options: dict[str, Any]) -> int:
    """Check part by part, and say what came of it."""
    from ecospatial import batch

    names = (
        "on", "at_least", "only", "crs", "activity", "works", "skip_bad", "allow_far", "part_rows", "jobs", "restart",
    )  # fmt: skip
    common = {name: options[name] for name in names}
    with _connected(options["dask"]) as client, Meter() as meter:
        try:
            run = batch.check_parts(list(sources), plan, out, client=client, progress=meter.parts, **common)
        except KeyboardInterrupt:
            say("", "已完成的部分都已保存，用同样的命令继续")
            raise
    _show(run, plan)
    fail_on = options["fail_on"]
    reached = fail_on is not None and (_reaches(run.headlines, fail_on) or bool(run.meta["skipped"]))
    return REACHED if reached else OK


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise click.UsageError("--dask 需要安装 pip install 'ecospatial[distributed]'") from error
    try:
        client = Client(address, timeout=20)
    except (OSError, ValueError) as error:
        raise click.UsageError("连接不上 --dask 给出的调度程序，请核对地址，如 tcp://10.0.0.1:8786") from error
    with client:
        yield client


def _reaches(headlines: dict[str, int], least: str) -> bool:
    from ecospatial.model import HEADLINES

    order = list(HEADLINES)
    return any(count and order.index(name) >= order.index(least) for name, count in headlines.items())


def _show(run: PartsRun, plan: Plan) -> None:
    from ecospatial import export
    from ecospatial.model import headline_text

    click.echo(f"{plan.title}，核查日期 {run.meta['on']}：{run.sites:,} 个地块，写出 {run.findings:,} 条结果")
    for name, words in run.certainties.items():
        for word, count in words.items():
            if count:
                click.echo(f"结论　{headline_text(name, word)}：{count:,} 个地块")
    for line in export.plan_lines(run):
        click.echo(line)
    skipped = run.meta["skipped"]
    if skipped:
        click.echo(f"有 {len(skipped)} 个图形因有误未纳入核查，不表示通过")
    for notice in run.meta["notices"]:
        click.echo(f"注意：{notice}")
    say(f"已写入 {run.folder}")
