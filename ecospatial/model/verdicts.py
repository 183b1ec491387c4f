"""The possible answers for a site: verdicts under one rule, the headline of a site, and words of certainty."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the possible answers for a site under a rule."""

    value: str
    label: str
    meaning: str
    who: str
    letter: str
    colour: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the possible answers for a site under all rules of a plan."""

    value: str
    label: str
    meaning: str
    letter: str
    colour: str


# Mildest first. The colours are of the Okabe-Ito set (told apart with every kind of colour blindness);
# the letter stands beside the colour wherever it is used.
VERDICTS: MappingProxyType[str, Verdict] = MappingProxyType(
    {
        v.value: v
        for v in (
            Verdict("not_applicable", "不适用", "当日未生效，或不属于该条管控的项目", "无需处理", "N", "#8c8c8c"),
            Verdict("clear", "判定通过", "已量算，图层覆盖，未触及", "无需处理", "C", "#009e73"),
            Verdict("duty", "一般要求", "适用，但不是本地块位置上的冲突", "申请人知悉", "G", "#b5c7c7"),
            Verdict("restricted", "受限准入", "触及；须满足条件或取得批准", "申请人", "R", "#e69f00"),
            Verdict(
                "unsettled",
                "依据待定",
                "原文尚未核实，或原文未写明距离、名录或范围而规划也未确定",
                "规则维护方",
                "U",
                "#f0e442",
            ),
            Verdict(
                "needs_facts",
                "待补充信息",
                "触及或可能触及，缺少项目信息，或图层的名称、类型有待核实",
                "申请人；图层的名称、类型由数据管理单位",
                "F",
                "#56b4e9",
            ),
            Verdict("no_data", "数据缺失", "图层缺失、被改动，或覆盖范围不足", "数据管理单位", "D", "#cc79a7"),
            Verdict("prohibited", "判定不通过", "触及且禁止", "申请人", "P", "#d55e00"),
        )
    }
)
VERDICT_DTYPE = pd.CategoricalDtype(list(VERDICTS), ordered=True)
DECIDED = ("clear", "restricted", "prohibited")
# Verdicts that leave a question open; who can answer it is in the column ``open_by``.
OPEN = ("unsettled", "needs_facts", "no_data")

# Mildest first.
HEADLINES: MappingProxyType[str, Headline] = MappingProxyType(
    {
        h.value: h
        for h in (
            Headline("clear", "判定通过", "全部规则已判定，均未触及，且可靠", "C", "#009e73"),
            Headline(
                "no_conflict",
                "已核规则未见冲突",
                "已核的规则均未触及；尚有图层缺失、依据待定、不核的内容或不可靠之处",
                "K",
                "#0072b2",
            ),
            Headline("restricted", "受限准入", "触及；须满足条件或取得批准", "R", "#e69f00"),
            Headline("undecided", "尚不能判定", "有禁止性规定在本地块上尚无法判定", "?", "#cc79a7"),
            Headline("prohibited", "判定不通过", "触及且禁止", "P", "#d55e00"),
        )
    }
)
HEADLINE_DTYPE = pd.CategoricalDtype(list(HEADLINES), ordered=True)

# How far a finding can be relied on; most reliable first.
CERTAINTIES: MappingProxyType[str, str] = MappingProxyType(
    {"reliable": "可靠", "marginal": "临界", "doubtful": "存疑", "schematic": "示意"}
)
CERTAINTY_DTYPE = pd.CategoricalDtype(list(CERTAINTIES), ordered=True)

OPEN_BY: MappingProxyType[str, str] = MappingProxyType(
    {"applicant": "申请人", "data_owner": "数据管理单位", "rule_keeper": "规则维护方"}
)


def headline_text(headline: str, certainty: str | None) -> str:
    """Return the label of a headline with the word of its certainty.

    Parameters
    ----------
    headline
        A key of ``HEADLINES``.
    certainty
        A key of ``CERTAINTIES``; None where nothing is decided.

    Examples
    --------
    >>> headline_text("prohibited", "schematic"), headline_text("undecided", None)
    ('判定不通过·示意', '尚不能判定')
    """
    word = CERTAINTIES.get(certainty or "", "")
    return f"{HEADLINES[headline].label}·{word}" if word else HEADLINES[headline].label
