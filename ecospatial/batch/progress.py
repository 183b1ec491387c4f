"""How far a long check is: done, rate, time left, in one line for a person."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """How far a run is; ``fresh`` sites were checked in this run, in ``seconds``; the others were there already."""

    parts_done: int
    parts: int
    sites_done: int
    sites: int
    fresh: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Sites a second in this run; None before the first part."""
        return self.fresh / self.seconds if self.fresh and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end at this rate; None before the first part."""
        return (self.sites - self.sites_done) / self.rate if self.rate else None

    def __str__(self) -> str:
        """Give the line.

        Examples
        --------
        >>> str(Progress(2, 8, 20_000, 80_000, 20_000, 10.0))
        '已核查 2/8 块，20,000/80,000 个地块，每秒 2,000 个，剩余约 30 秒'
        >>> str(Progress(2, 8, 20_000, 80_000, 0, 0.0))
        '已核查 2/8 块，20,000/80,000 个地块'
        """
        head = f"已核查 {self.parts_done}/{self.parts} 块，{self.sites_done:,}/{self.sites:,} 个地块"
        if self.rate is None or self.seconds_left is None:
            return head
        return f"{head}，每秒 {self.rate:,.0f} 个，剩余约 {lasting(self.seconds_left)}"


def lasting(seconds: float) -> str:
    """Say a time span.

    Examples
    --------
    >>> lasting(42), lasting(192), lasting(7320)
    ('42 秒', '3 分 12 秒', '2 小时 2 分')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} 秒"
    if whole < 3600:
        return f"{whole // 60} 分 {whole % 60} 秒"
    return f"{whole // 3600} 小时 {whole % 3600 // 60} 分"
