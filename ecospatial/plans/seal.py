"""Write the hash of every layer into plan.yaml, leaving the rest of the text as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml

from ecospatial import io
from ecospatial.errors import PlanError, Problem
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
    edits: list[tuple[int, int, str]] = []
    changed = []
    for node in _entries(yaml.compose(text, Loader=yaml.SafeLoader)):
        name = _value(node, "name") or _value(node, "kind") or ""
        if name not in paths:
            continue
        digest = io.sha256(paths[name])
        if plan.layers[name].sha256 != digest:
            edits.append(_edit(node, digest))
            changed.append(name)
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    _replace(path, text)
    return changed


def _entries(root: Any) -> list[Any]:
    layers = next(value for key, value in root.value if key.value == "layers")
    return list(layers.value)


def _value(node: Any, wanted: str) -> str | None:
    return next((str(value.value) for key, value in node.value if key.value == wanted), None)


def _edit(node: Any, digest: str) -> tuple[int, int, str]:
    for key, value in node.value:
        if key.value == "sha256":
            gap = "" if value.start_mark.index > key.end_mark.index + 1 else " "
            return value.start_mark.index, value.end_mark.index, gap + digest
    key, value = next((k, v) for k, v in node.value if k.value == "path")
    joint = ", " if node.flow_style else "\n" + " " * key.start_mark.column
    return value.end_mark.index, value.end_mark.index, f"{joint}sha256: {digest}"


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, path)  # noqa: PTH105 - one step, also over an existing file
