"""``plan new``: a folder with a plan.yaml that is complete and claims nothing."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, PlanError, Problem
from ecospatial.model import KINDS
from ecospatial.plans import load
from ecospatial.plans._yaml_edit import scalar
from ecospatial.plans.import_layer import Imported, Provenance, import_layer

_README = """# {title}

一个规划文件夹：`plan.yaml` 写明每个图层是什么、来自哪里、覆盖到哪里、精度多少。

    ecospatial plan import 文件 --kind 种类 --plan 本文件夹
    ecospatial plan show 本文件夹
    ecospatial plan validate 本文件夹 --seal
"""


def new_plan(
    folder: str | os.PathLike[str],
    *,
    crs: str | int,
    title: str | None = None,
    packs: tuple[str, ...] = ("national",),
    district: str | os.PathLike[str] | None = None,
) -> tuple[str, ...]:
    """Make the folder of a new plan.

    Parameters
    ----------
    folder
        Must not exist, or be empty.
    crs
        Projected, in metres: ``EPSG:4549``, PROJ or WKT text.
    title
        What planners call it; the name of the folder when not given.
    packs
        Names of shipped rule packs.
    district
        A file with the outline of the district, imported as the layer ``district`` that covers its own extent.

    Returns
    -------
    tuple of str
        Lines for the screen: which layers the rules ask for, and what was done with the outline.

    Raises
    ------
    PlanError, CrsError, SiteError
        The folder is not empty, a pack is unknown, the CRS is not metric, the outline can not be used. Nothing
        is written then.
    """
    target = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise PlanError(Problem(target.name, None, "文件夹不是空的", "请给出一个新的或空的文件夹"))
    if not target.parent.is_dir():
        raise PlanError(Problem(target.parent.name, None, "上一级文件夹不存在", "请先建立"))
    name = target.name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", target.name) else "my-plan"
    with tempfile.TemporaryDirectory(prefix=".plan-", dir=target.parent) as scratch:
        made = Path(scratch) / "plan"
        made.mkdir()
        text = _text(name, title or target.name, _crs_text(crs), packs)
        (made / "plan.yaml").write_text(text, encoding="utf-8", newline="\n")
        readme = _README.format(title=(title or target.name).splitlines()[0])
        (made / "README.md").write_text(readme, encoding="utf-8", newline="\n")
        plan = load.open_plan(made)
        asked = dict.fromkeys(rule.layer for rule in plan.rules)
        done = None
        if district is not None:
            done = import_layer(district, made, "district", provenance=Provenance(coverage="extent"))
        if target.exists():
            target.rmdir()
        shutil.move(made, target)
    return (*_told(asked, done), f"规则 {len(plan.rule_versions())} 条，规则包：{'、'.join(packs)}")


def _crs_text(value: str | int) -> str:
    crs, shift = crs_.parse_crs(value)
    if shift is not None:
        fault = f"规划的坐标系不能是 {crs_.label(crs, shift)}"
        raise CrsError(Problem("", None, fault, "请使用以米为单位的投影坐标系，例如 EPSG:4549"))
    crs_.require_metric(crs)
    code = crs.to_epsg() if re.fullmatch(r"(?i)\s*(epsg:{1,2})?\d+\s*", str(value)) else None
    return f"EPSG:{code}" if code else " ".join(str(value).split())


def _text(name: str, title: str, crs: str, packs: tuple[str, ...]) -> str:
    listed = ", ".join(scalar(pack) for pack in packs)
    return (
        f"name: {scalar(name)}\n"
        f"title: {scalar(title)}\n"
        f"crs: {crs if re.fullmatch('EPSG:[0-9]+', crs) else scalar(crs)}\n"
        f"packs: [{listed}]\n"
        "review_number: null\n"
        "layers: []\n"
    )


def _told(asked: dict[str, None], district: Imported | None) -> list[str]:
    lines = [] if district is None else list(district.lines)
    if district is None:
        lines.append("没有给出行政区界（--district），请用 plan import --kind district 加入")
    kinds = "、".join(f"{kind}（{KINDS[kind].label}）" for kind in asked)
    return [*lines, f"规则需要的图层，请用 plan import 逐个加入：{kinds}"] if asked else lines
