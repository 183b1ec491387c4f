"""Write the hash of every layer into plan.yaml, leaving the rest of the text as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ecospatial import io
from ecospatial.errors import PlanError, Problem
from ecospatial.plans._yaml_edit import set_hashes
from ecospatial.plans.layers import inside

if TYPE_CHECKING:
    from pathlib import Path

    from ecospatial.plans.plan import Plan


def seal(plan: Plan) -> list[str]:
    """Write the sha256 of every layer that is held.

    Parameters
    ----------
    plan
        A plan of one's own; its plan.yaml is replaced in one step.

    Returns
    -------
    list of str
        Names of the layers whose entry changed.

    Raises
    ------
    PlanError
        A file of a layer is not there; nothing is written then.
    """
    path = plan.folder / "plan.yaml"
    text = path.read_text(encoding="utf-8-sig")
    held = [layer for layer in plan.layers.values() if layer.present == "held" and layer.path]
    paths = {layer.name: inside(plan.folder, layer.path or "") for layer in held}
    absent = [
        Problem(p.name, None, f"图层 {name} 的文件不存在", "请放入规划文件夹")
        for name, p in paths.items()
        if not p.exists()
    ]
    if absent:
        raise PlanError(absent)
    hashes = {name: io.sha256(path) for name, path in paths.items()}
    changed = {name: digest for name, digest in hashes.items() if plan.layers[name].sha256 != digest}
    _replace(path, set_hashes(text, changed))
    return list(changed)


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, path)  # noqa: PTH105 - one step, also over an existing file
