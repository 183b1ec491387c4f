"""Errors a caller may catch: one base, one class for each thing that can be wrong with the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Problem(NamedTuple):
    """One fault of an input: where it is, what it is, and what to do about it."""

    file: str
    row: int | str | None
    message: str
    hint: str

    def __str__(self) -> str:
        """Give the fault as one readable line."""
        place = "，".join(part for part in (self.file, _row_text(self.row)) if part)
        text = f"{place}：{self.message}" if place else self.message
        return f"{text}。{self.hint}" if self.hint else text


def _row_text(row: int | str | None) -> str:
    if row is None or row == "":
        return ""
    return f"第 {row} 行" if isinstance(row, int) else row


class EcospatialError(ValueError):
    """Base of all errors of bad input; every fault found is in ``problems``.

    Parameters
    ----------
    problems
        One ``Problem``, or all that were found in one go.

    Examples
    --------
    >>> str(SiteError(Problem("红线.txt", 7, "坐标不是数字", "请更正后重试")))
    '红线.txt，第 7 行：坐标不是数字。请更正后重试'
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: list[Problem] = found
        super().__init__("\n".join(str(problem) for problem in found))

    def __reduce__(self) -> tuple[type[EcospatialError], tuple[list[Problem]]]:
        """Come whole out of another process."""
        return type(self), (self.problems,)


class SiteError(EcospatialError):
    """A site file, or a fact about a project, is wrong."""


class CrsError(EcospatialError):
    """A coordinate reference system is missing, unknown, contradicted or unsafe to convert from."""


class PlanError(EcospatialError):
    """A plan folder, or one of its layers, is wrong."""


class RuleError(EcospatialError):
    """A rule pack is wrong."""


class OutputError(EcospatialError):
    """Some files of a folder could not be made; the others are there.

    Parameters
    ----------
    problems
        One for each file that is missing.
    written
        The files that are there.
    fault
        The first fault of the program itself; None when all of it is for the user to mend.
    """

    def __init__(
        self, problems: Problem | Iterable[Problem], written: Iterable[Path] = (), *, fault: Exception | None = None
    ) -> None:
        super().__init__(problems)
        self.written, self.fault = list(written), fault

    def __reduce__(self) -> tuple[type[EcospatialError], tuple[list[Problem], list[Path]]]:  # type: ignore[override]
        """Come whole out of another process, but for the fault."""
        return type(self), (self.problems, self.written)
