"""The six possible answers for a site under a rule, their order, labels, letters and colours."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the six possible answers for a site under a rule."""

    value: str
    label: str
    meaning: str
    who: str
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
            Verdict("restricted", "受限准入", "触及；须满足条件或取得批准", "申请人", "R", "#e69f00"),
            Verdict(
                "needs_facts",
                "待补充信息",
                "触及而缺少项目信息，或规则尚未核实",
                "申请人；规则未核实的由规则维护方",
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
