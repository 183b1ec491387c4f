"""What every command shares: the group, common options, exit codes, messages to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecospatial._version import __version__

if TYPE_CHECKING:
    from ecospatial.plans import Plan

OK, REACHED, WRONG_INPUT, PROGRAM_FAULT, STOPPED = 0, 1, 2, 3, 130
plan_option = click.option("--plan", "plan_name", required=True, metavar="NAME|DIR", help="规划名称或文件夹")
on_option = click.option("--on", metavar="DATE", help="以哪一天的规则和图层为准，YYYY-MM-DD，默认今天")


def say(*lines: str) -> None:
    """Write lines for the person at the screen to standard error."""
    for line in lines:
        click.echo(line, err=True)


def opened(name: str) -> Plan:
    """Open a plan by name or folder."""
    from ecospatial.plans import open_plan

    return open_plan(name)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="ecospatial %(version)s")
def cli() -> None:
    """空间管控符合性检查：地块是否触及管控区，依据哪一条，差多少，有多大把握。"""
