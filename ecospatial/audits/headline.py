"""How a plan stands after an audit: counts by status, and one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecospatial.audits._result_row import CHECKS, STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecospatial.results import Audit


def counts(audit: Audit, checks: Iterable[str] | None = None) -> dict[str, int]:
    """Count rows by status, in the order of their weight.

    Parameters
    ----------
    audit
        What ``audit`` returned.
    checks
        Only these.
    """
    frame = audit.frame if checks is None else audit.frame[audit.frame["check"].isin(list(checks))]
    found = frame["status"].value_counts()
    return {status: int(found.get(status, 0)) for status in STATUSES}


def headline(audit: Audit) -> str:
    """Say in one sentence how the plan stands.

    What could not be told stands beside what is right, so that it never reads as right.
    """
    figures = counts(audit, ("target",))
    rest = counts(audit, [check for check in CHECKS if check != "target"])
    absent = counts(audit, ("layer",))["cannot_tell"]
    told = f"公布指标：相符 {figures['met']} 项、不符 {figures['missed']} 项、无法判断 {figures['cannot_tell']} 项"
    told += f"；一致性：有误 {rest['fault']} 处、说明 {rest['note']} 处、无法判断 {rest['cannot_tell'] - absent} 项"
    return told + (f"；未取得的图层 {absent} 个" if absent else "")
