"""Check the example sites of every shipped plan and audit the plan itself: ``python3 scripts/demo.py``.

Makes the environment first when it is not there. Leaves reports, maps and data of both in ``out/<plan>/`` and prints
the verdicts. The day is the one in the plan's examples, so that the result stays the same.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import environment

if TYPE_CHECKING:
    from ecospatial.checks import Findings
    from ecospatial.plans import Plan

# Files that lie beside a shapefile and are read with it.
SIDE_FILES = (".shx", ".dbf", ".prj", ".cpg")


def main() -> int:
    """Check the examples of every plan, audit the plan, and write what a planner would get."""
    environment.enter()
    import ecospatial as es
    from ecospatial.audits import headline
    from ecospatial.export import summary_text

    for name in es.list_plans():
        plan = es.open_plan(name)
        findings = check_examples(plan)
        folder = environment.ROOT / "out" / name
        audit = es.audit(plan, on=findings.meta["on"])
        paths = findings.write(folder) + audit.write(folder)
        print(summary_text(findings))
        print(f"规划一致性核对：{headline(audit)}", end="\n\n")
        print(*(path.relative_to(environment.ROOT).as_posix() for path in paths), sep="\n", end="\n\n")
    return 0


def check_examples(plan: Plan) -> Findings:
    """Read all example files of a plan together and check them on the day its examples name."""
    import ecospatial as es

    examples = Path(plan.folder) / "examples"
    day = (examples / "day.txt").read_text(encoding="utf-8").strip()
    files = sorted(path for path in examples.glob("sites.*") if path.suffix not in SIDE_FILES)
    facts = examples / "facts.csv"
    sites = es.read_sites(files, plan=plan, facts=facts if facts.exists() else None)
    return es.check(sites, plan, on=day)


if __name__ == "__main__":
    sys.exit(main())
