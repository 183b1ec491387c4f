"""Rule packs: one clause of law each, read from YAML, refused when not understood, looked through for slips."""

from __future__ import annotations

from ecospatial.rules.lint import Remark, implies, lint
from ecospatial.rules.packs import (
    CITE_TEXTS,
    DISTANCES,
    MEASURED_KINDS,
    NOT_STATED,
    RIVERSIDE_KINDS,
    RULE_KEYS,
    UNANSWERED,
    Cite,
    Condition,
    Rule,
    clashes,
    read_pack,
)

__all__ = [
    "CITE_TEXTS", "DISTANCES", "MEASURED_KINDS", "NOT_STATED", "RIVERSIDE_KINDS", "RULE_KEYS", "UNANSWERED", "Cite",
    "Condition", "Remark", "Rule", "clashes", "implies", "lint", "read_pack",
]  # fmt: skip
