"""The ledger of a plan: every class of every kind of areas, per town."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from ecospatial.audits._context import AuditLayers
from ecospatial.indicators.ledgers import LEDGER_COLUMNS, dissolved, ledger_of
from ecospatial.model import KINDS

if TYPE_CHECKING:
    from ecospatial.results import Audit

NO_TOWN = "未划入街镇"


def ledger_of_audit(audit: Audit) -> pd.DataFrame:
    """Return the ledger of the plan of an audit, with its day and its width of slivers."""
    meta = audit.meta
    return plan_ledger(AuditLayers(audit.plan, dt.date.fromisoformat(meta["on"]), meta["sliver_m"]))


def plan_ledger(stock: AuditLayers) -> pd.DataFrame:
    """Give the ledger of all kinds of areas that a plan holds.

    Parameters
    ----------
    stock
        The layers, read for a day; the district and its towns are what is divided up.

    Returns
    -------
    DataFrame
        ``kind`` and the columns of ``indicators.ledger``; empty without a district.
    """
    columns = ["kind", *LEDGER_COLUMNS]
    if stock.district is None:
        return pd.DataFrame(columns=columns)
    towns = stock.areal("town")
    units = {} if towns is None or towns.empty else dissolved(towns, "feature_name", "无名街镇")
    tables = []
    for kind in dict.fromkeys(layer.kind for layer in stock.usable):
        frame = stock.areal(kind)
        if not KINDS[kind].counted or frame is None or frame.empty or KINDS[kind].shape not in ("polygon", "bank"):
            continue
        by = KINDS[kind].class_column or None
        classes = dissolved(frame, by, "未分类" if by is not None else KINDS[kind].label)
        if by is not None and list(classes) == ["未分类"]:
            classes = {KINDS[kind].label: classes["未分类"]}
        none = NO_TOWN if units else "全区"
        table = ledger_of(stock.district, units, classes, crs=stock.plan.crs, no_unit=none)
        table.insert(0, "kind", kind)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
