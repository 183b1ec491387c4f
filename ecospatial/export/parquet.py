"""Findings as GeoParquet: ``findings/part-*.parquet``, written part by part and read again as one.

Every column has one type in all parts, so that any reader takes the folder for one table.

    findings/part-00000.parquet          one row per site and rule, in the CRS of the plan
    findings/_sites/part-00000.parquet   the sites of that part with their summary
    findings/_run.json                   what was checked against what, and the hash of each part
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ecospatial import model
from ecospatial.errors import Problem, SiteError
from ecospatial.export._format import plain, records
from ecospatial.export._schema import (
    ANSWERS,
    BOOLS,
    FINDING_CATEGORIES,
    FINDING_COLUMNS,
    NUMBERS,
    ORDERS,
    SITE_COLUMNS,
    SUMMARY_COLUMNS,
    WHOLE,
    Tables,
    as_tables,
)
from ecospatial.export.json import wrong_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ecospatial.checks import Findings

FORMAT, VERSION = "ecospatial-parts", 2
FOLDER, SITES, DONE, RUN = "findings", "_sites", "_done", "_run.json"
_OURS = re.compile(r"part-\d+\.parquet|\.part-.*")
_CATEGORIES = frozenset({*FINDING_CATEGORIES, "layer", "layer_status", "layer_sha256", "due"})
_SITE_COLUMNS = ("site_id", *SITE_COLUMNS, *(name for name in SUMMARY_COLUMNS if name not in SITE_COLUMNS))
_GROUP_ROWS = 131_072
# How sites are counted: the column, and its values, worst first.
_COUNTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "headlines": ("headline", tuple(reversed(model.HEADLINES))),
    "verdicts": ("verdict", tuple(reversed(model.VERDICTS))),
    "decided": ("decided", tuple(reversed(model.DECIDED))),
}


def part_name(number: int) -> str:
    """Name the file of a part.

    Examples
    --------
    >>> part_name(12)
    'part-00012.parquet'
    """
    return f"part-{number:05d}.parquet"


def require_pyarrow() -> None:
    """Make sure that Parquet can be written and read.

    Raises
    ------
    SiteError
        pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        way = "请安装 pip install 'ecospatial[parquet]'"
        raise SiteError(Problem("", None, "读写 Parquet 需要 pyarrow", way))


def refuse_foreign(folder: Path) -> None:
    """Make sure that a folder about to be replaced holds nothing but what a check left there.

    Raises
    ------
    SiteError
        It holds something else.
    """
    for path in sorted(folder.iterdir()):
        if path.name not in (SITES, DONE, RUN) and not _OURS.fullmatch(path.name):
            fault = f"文件夹中有别的文件 {path.name[:100]}"
            raise SiteError(Problem(folder.name, None, fault, "请另选一个输出文件夹，或把该文件移走"))


def _dictionary(values: pd.Series[Any], dtype: pd.CategoricalDtype | None = None) -> Any:
    import pyarrow as pa

    text = values.astype("category" if dtype is None else dtype)
    codes = pa.array(text.cat.codes.to_numpy().astype(np.int32), mask=text.isna().to_numpy())
    known = pa.array([str(value) for value in text.cat.categories], type=pa.string())
    return pa.DictionaryArray.from_arrays(codes, known, ordered=bool(text.cat.ordered))


def _column(name: str, values: pd.Series[Any]) -> Any:
    """Give a column the one Arrow type that its name has."""
    import pyarrow as pa

    if name in ORDERS:
        return _dictionary(values, ORDERS[name])
    if name in _CATEGORIES:
        return _dictionary(values)
    if name in ANSWERS:
        answers = [None if pd.isna(value) else bool(value) for value in values.astype(object)]
        return pa.array(answers, type=pa.bool_())
    if name in BOOLS:
        return pa.array(values.to_numpy(dtype=bool))
    if name in NUMBERS:
        return pa.array(pd.to_numeric(values).to_numpy(dtype=np.float64), from_pandas=True)
    if name in WHOLE:
        return pa.array(values.to_numpy(dtype=np.int64))
    return pa.array(values.astype(object).to_numpy(), type=pa.string(), from_pandas=True)


def _bytes(table: pd.DataFrame, columns: Sequence[str], geometry: Any, crs: Any) -> bytes:
    """Give a table as the bytes of a GeoParquet file; the same table, the same bytes."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    held = [name for name in columns if name in table]
    arrays = [_column(name, table[name]) for name in held]
    arrays.append(pa.array(shapely.to_wkb(geometry, flavor="iso"), type=pa.binary(), from_pandas=True))
    outlines = {"encoding": "WKB", "geometry_types": [], "crs": CRS(crs).to_json_dict()}
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": outlines}}
    made = pa.table(arrays, names=[*held, "geometry"])
    made = made.replace_schema_metadata({"geo": json.dumps(geo, ensure_ascii=False)})
    buffer = io.BytesIO()
    pq.write_table(made, buffer, compression="zstd", row_group_size=_GROUP_ROWS)
    return buffer.getvalue()


def part_bytes(findings: Findings) -> tuple[bytes, bytes]:
    """Give findings as two GeoParquet files: one row per site and rule, one row per site.

    Parameters
    ----------
    findings
        What ``check`` returned, of all sites or of some.

    Returns
    -------
    tuple
        The bytes of ``part-*.parquet`` and of ``_sites/part-*.parquet``.

    Raises
    ------
    SiteError
        pyarrow is not installed.
    """
    require_pyarrow()
    frame, sites, summary = findings.frame, findings.sites, findings.summary
    own = [name for name in SITE_COLUMNS if name in sites.columns]
    extra = [name for name in SUMMARY_COLUMNS if name not in own]
    both = pd.DataFrame(sites)[own].join(summary[extra]).reset_index()
    rows = _bytes(pd.DataFrame(frame.drop(columns="geometry")), FINDING_COLUMNS, frame.geometry.to_numpy(), frame.crs)
    return rows, _bytes(both, _SITE_COLUMNS, sites.geometry.to_numpy(), sites.crs)


def counted(findings: Findings) -> dict[str, Any]:
    """Count what one part holds: sites, findings, sites by headline, by worst and by decided verdict; what is open."""
    counts: dict[str, Any] = {"sites": len(findings.summary), "findings": len(findings.frame)}
    for key, (column, names) in _COUNTED.items():
        found = findings.summary[column].value_counts().to_dict()
        counts[key] = {name: int(found.get(name, 0)) for name in names}
    counts["certainties"] = _count_certainties(findings.summary)
    return counts | {"plan_open": plain(list(findings.plan_open)), "left_out": plain(list(findings.left_out))}


def _count_certainties(summary: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count sites by headline and certainty, both worst first; "" stands for no certainty."""
    certainty = summary["certainty"].astype(object).where(summary["certainty"].notna(), "")
    found = pd.Series(1, index=summary.index).groupby([summary["headline"].astype(object), certainty]).sum().to_dict()
    return {
        name: {word: int(found.get((name, word), 0)) for word in (*model.CERTAINTIES, "")}
        for name in reversed(model.HEADLINES)
    }


def join_entries(lists: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join what is open, or left out, in several parts: the same thing once, with the rules of all parts.

    Examples
    --------
    >>> join_entries([[{"what": "图层", "rule_ids": ["A"]}], [{"what": "图层", "rule_ids": ["B", "A"]}]])
    [{'what': '图层', 'rule_ids': ['A', 'B']}]
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in (entry for entries in lists for entry in entries):
        key = json.dumps({name: value for name, value in entry.items() if name != "rule_ids"}, ensure_ascii=False)
        held = found.setdefault(key, entry | {"rule_ids": []})
        held["rule_ids"] = list(dict.fromkeys([*held["rule_ids"], *entry["rule_ids"]]))
    return list(found.values())


def receipt(number: int, files: tuple[bytes, bytes], counts: dict[str, Any]) -> dict[str, Any]:
    """Say what a finished part is: its name, what it holds, the hash of its files."""
    hashes = [hashlib.sha256(content).hexdigest() for content in files]
    return {"part": part_name(number), **counts, "sha256": hashes[0], "sites_sha256": hashes[1]}


def run_text(meta: dict[str, Any], rules: pd.DataFrame, layers: pd.DataFrame, receipts: list[dict[str, Any]]) -> str:
    """Give the text of ``_run.json`` of findings that are whole."""
    totals: dict[str, Any] = {key: sum(part[key] for part in receipts) for key in ("sites", "findings")}
    for key, (_, names) in _COUNTED.items():
        totals[key] = {name: sum(part[key][name] for part in receipts) for name in names}
    totals["certainties"] = {
        name: {word: sum(part["certainties"][name][word] for part in receipts) for word in (*model.CERTAINTIES, "")}
        for name in reversed(model.HEADLINES)
    }
    lists = {key: join_entries(part[key] for part in receipts) for key in ("plan_open", "left_out")}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "state": "done",
        **totals,
        **lists,
        "meta": meta,
        "rules": records(rules.reset_index()),
        "layers": records(layers.reset_index()),
        "parts": receipts,
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def save_parts(findings: Findings, folder: Path) -> None:
    """Write findings as one part, in the form in which a check part by part leaves them."""
    files = part_bytes(findings)
    (folder / SITES).mkdir(parents=True)
    (folder / part_name(0)).write_bytes(files[0])
    (folder / SITES / part_name(0)).write_bytes(files[1])
    text = run_text(findings.meta, findings.rules, findings.layers, [receipt(0, files, counted(findings))])
    (folder / RUN).write_text(text, encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------------------------- reading


def load_run(folder: Path) -> dict[str, Any]:
    """Read ``_run.json`` of a folder of parts, or of the folder above it.

    Raises
    ------
    SiteError
        There is none, or it is not one.
    """
    place = next((p for p in (folder / RUN, folder / FOLDER / RUN) if p.is_file()), None)
    wrong = Problem(folder.name, None, "文件夹中没有分块的核查结果", f"应有 {FOLDER}/part-*.parquet 和 {RUN}")
    if place is None:
        raise SiteError(wrong)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SiteError(wrong._replace(file=RUN, message="文件已损坏")) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SiteError(wrong._replace(file=RUN, message="不是分块的核查结果"))
    if content.get("version") != VERSION:
        raise SiteError(wrong_version(RUN, content.get("version")))
    return content | {"folder": place.parent}


def load_parts(folder: Path) -> Tables:
    """Read the parts of a check as one, geometries in the CRS of the plan.

    Raises
    ------
    SiteError
        The folder holds no such parts, not all of them, or one was altered.
    """
    require_pyarrow()
    run = load_run(folder)
    if run.get("state") != "done":
        raise SiteError(Problem(RUN, None, "核查尚未完成", "请用同样的命令继续，完成后再读取"))
    home, problems = run["folder"], []
    names = [str(part["part"]) for part in run["parts"]]
    for part in run["parts"]:
        for path, known in ((home / part["part"], "sha256"), (home / SITES / part["part"], "sites_sha256")):
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != part[known]:
                problems.append(Problem(path.name, None, "缺少或已被改动", "请重新核查"))
    if problems:
        raise SiteError(problems)
    raw = {
        "findings": _together([home / name for name in names], run["meta"]["crs"]),
        "sites": _together([home / SITES / name for name in names], run["meta"]["crs"]),
        "rules": pd.DataFrame(run["rules"]),
        "layers": pd.DataFrame(run["layers"]),
        "plan_open": run.get("plan_open"),
        "left_out": run.get("left_out"),
    }
    return as_tables(raw, run["meta"], folder.name)


def _together(paths: list[Path], crs: str) -> gpd.GeoDataFrame:
    frames = [gpd.read_parquet(path) for path in paths]
    plain = pd.concat([frame.drop(columns="geometry").astype(object) for frame in frames], ignore_index=True)
    shapes = np.concatenate([frame.geometry.to_numpy() for frame in frames])
    return gpd.GeoDataFrame(plain, geometry=shapes, crs=frames[0].crs if frames else crs)
