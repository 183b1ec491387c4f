"""Write ``docs/commands.md`` from the commands themselves: ``python3 scripts/docs/build_docs.py [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

PAGE = environment.ROOT / "docs" / "commands.md"
HEAD = """# 命令

由命令自带的说明生成。每条命令加 `--help` 看到的就是这些。

退出码：0 做完了，不论结论；1 有地块达到 `--fail-on`；2 输入或用法不对，或有一种输出写不出（别的都在，消息写明）；
3 程序自身的故障，已写出的数据文件仍在；
130 被中止，做完的保留。
"""


def commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    """List the commands below a group, each with its full name."""
    import click

    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}", command


def section(name: str, command: click.Command) -> str:
    """Write one command: its use, what it does, its options."""
    import click

    context = click.Context(command, info_name=name)
    use = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {name}", "", f"```text\n{name} {use}\n```", "", (command.help or "").strip(), ""]
    options = [found for found in command.params if isinstance(found, click.Option)]
    if options:
        lines += ["| 选项 | 说明 |", "|---|---|"]
        for option in options:
            label, told = option.get_help_record(context) or ("", "")
            # A bar would end the cell.
            lines.append(f"| `{label.replace('|', '/')}` | {told.replace('|', '/').replace('<', '&lt;')} |")
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """Write the page."""
    from ecospatial.cli import cli

    return HEAD + "\n" + "\n".join(section(name, command) for name, command in commands(cli, "ecospatial"))


def main() -> int:
    """Write the page, or with ``--check`` say whether it is as it should be."""
    environment.enter()
    made = page()
    if "--check" not in sys.argv:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
        return 0
    if PAGE.read_text(encoding="utf-8") == made:
        return 0
    print("docs/commands.md is not up to date: run python3 scripts/docs/build_docs.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
