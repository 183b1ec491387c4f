"""The domain as plain data: kinds of layers, vocabularies, verdicts, facts.

One table serves validation, rule filters, labels and legends. Nothing here reads a file or computes.
"""

from __future__ import annotations

from ecospatial.model.activities import (
    ACTIVITIES,
    ACTIVITY_FORM,
    EVERYDAY_NAMES,
    activity_code,
    activity_label,
    search_activities,
)
from ecospatial.model.facts import FACT_FALSE, FACT_TRUE, FACT_UNKNOWN, FACTS, WORKS, Fact, fact_value, works_value
from ecospatial.model.kind import ACCURACY_BASES, COMMON_COLUMNS, Column, ColumnType, Kind, Shape
from ecospatial.model.kinds import KINDS, PRESENT_LABELS, RIVER_CLASSES, STATUS_LABELS
from ecospatial.model.land_uses import LAND_USES
from ecospatial.model.names import NAME_COLUMNS, match_names, nearest_names
from ecospatial.model.relations import RELATION_SPECS, Parameter, RelationSpec
from ecospatial.model.verdicts import (
    CERTAINTIES,
    CERTAINTY_DTYPE,
    DECIDED,
    HEADLINE_DTYPE,
    HEADLINES,
    OPEN,
    OPEN_BY,
    VERDICT_DTYPE,
    VERDICTS,
    Headline,
    Verdict,
    headline_text,
)

__all__ = [
    "ACCURACY_BASES",
    "ACTIVITIES",
    "ACTIVITY_FORM",
    "CERTAINTIES",
    "CERTAINTY_DTYPE",
    "COMMON_COLUMNS",
    "DECIDED",
    "EFFECTS",
    "EVERYDAY_NAMES",
    "FACTS",
    "FACT_FALSE",
    "FACT_TRUE",
    "FACT_UNKNOWN",
    "HEADLINES",
    "HEADLINE_DTYPE",
    "KINDS",
    "LAND_USES",
    "MU_M2",
    "NAME_COLUMNS",
    "NOTICE_INTERNAL",
    "NOTICE_SCHEMATIC",
    "OPEN",
    "OPEN_BY",
    "PRESENT_LABELS",
    "RELATION_SPECS",
    "RIVER_CLASSES",
    "STATUS_LABELS",
    "VERDICTS",
    "VERDICT_DTYPE",
    "WORKS",
    "Column",
    "ColumnType",
    "Fact",
    "Headline",
    "Kind",
    "Parameter",
    "RelationSpec",
    "Shape",
    "Verdict",
    "activity_code",
    "activity_label",
    "fact_value",
    "headline_text",
    "match_names",
    "nearest_names",
    "search_activities",
    "works_value",
]  # fmt: skip

NOTICE_INTERNAL = "内部使用，未经审核，不得公开"
NOTICE_SCHEMATIC = "含示意图层：位置为人工示意，不得作为审批依据"
MU_M2 = 10000 / 15  # 1 公顷 = 15 亩

EFFECTS = ("prohibited", "restricted", "duty")
