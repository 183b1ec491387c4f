"""Values of frames as plain Python values: what JSON knows, unknown as None."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def plain(value: object) -> Any:
    """Turn a cell into what JSON knows; NaN, NaT, NA and infinity become None.

    Examples
    --------
    >>> plain(np.float64("nan")), plain(np.int64(3)), plain({"a": (1, np.nan)}), plain("七")
    (None, 3, {'a': [1, None]}, '七')
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value + 0.0 if np.isfinite(value) else None  # + 0.0: no "-0.0" in a file
    if isinstance(value, bool | int):
        return value
    # A lone surrogate (a name decoded badly) has no UTF-8 form and would stop every writer.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into one plain dict per row; the index is left out.

    Examples
    --------
    >>> records(pd.DataFrame({"a": [1, 2], "b": [0.5, None]}))
    [{'a': 1, 'b': 0.5}, {'a': 2, 'b': None}]
    """
    # By column: a row of mixed types taken as a series would turn integers and booleans into floats.
    columns = {str(name): [plain(cell) for cell in frame[name].astype(object)] for name in frame.columns}
    return [{name: cells[i] for name, cells in columns.items()} for i in range(len(frame))]
