"""GeoParquet, when pyarrow is there to read it: whole, or some rows of a file too large for memory."""

from __future__ import annotations

import importlib.util
import io
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import shapely
from pyproj.exceptions import CRSError as ProjCrsError

from ecospatial.errors import CrsError, Problem, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

_ROWS = 5_000_000
_BATCH = 8192
_BUFFER = 1024 * 1024


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """Open a Parquet file with geometry; whatever is wrong with it ends as one readable fault."""
    if importlib.util.find_spec("pyarrow") is None:
        way = "请安装 pip install 'ecospatial[parquet]'，或转为 GeoPackage（.gpkg）"
        raise SiteError(Problem(name, None, "读取 GeoParquet 需要 pyarrow", way))
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            if b"geo" not in (file.metadata.metadata or {}):
                raise SiteError(Problem(name, None, "这个 Parquet 没有图形", "请用 GeoParquet 或 GeoPackage"))
            yield file
    except ProjCrsError as error:
        way = "请在原软件中设定坐标系后重新导出"
        raise CrsError(Problem(name, None, "文件声明的坐标系不存在或无法识别", way)) from error
    except (pa.ArrowException, shapely.GEOSException, ValueError, OSError, LookupError, TypeError) as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(name, None, "文件已损坏或格式有误，无法打开", "请从原软件重新导出")) from error


def read(path: Path, name: str) -> gpd.GeoDataFrame:
    """Read a GeoParquet file.

    Parameters
    ----------
    path
        The file.
    name
        How it is called in messages.

    Raises
    ------
    SiteError
        pyarrow is not installed, the file has no geometry, is too large, or can not be read.
    """
    import geopandas as gpd

    with _opened(path, name) as file:
        if file.metadata.num_rows > _ROWS:
            raise SiteError(Problem(name, None, f"超过 {_ROWS} 行", "请只导出需要的要素"))
        return _plain(gpd.read_parquet(path))


def count_rows(path: Path) -> int:
    """Count the rows of a GeoParquet file without reading them.

    Raises
    ------
    SiteError
        As for ``read``.
    """
    with _opened(path, path.name) as file:
        return int(file.metadata.num_rows)


def column_names(path: Path) -> list[str]:
    """Name the columns of a GeoParquet file.

    Raises
    ------
    SiteError
        As for ``read``.
    """
    with _opened(path, path.name) as file:
        return [str(name) for name in file.schema_arrow.names]


def read_columns(path: Path, columns: list[str], first: int, rows: int) -> pd.DataFrame:
    """Read some columns of some rows of a GeoParquet file; ``first`` counts from 0.

    Raises
    ------
    SiteError
        As for ``read``.
    """
    import pandas as pd

    with _opened(path, path.name) as file:
        if not columns:
            return pd.DataFrame(index=range(rows))
        frame: pd.DataFrame = _rows(file, first, rows, columns).to_pandas(ignore_metadata=True)
        return frame


def read_rows(path: Path, first: int, rows: int) -> gpd.GeoDataFrame:
    """Read some rows of a GeoParquet file, never holding much more of it; ``first`` counts from 0.

    Raises
    ------
    SiteError
        As for ``read``.
    """
    import geopandas as gpd
    from pyarrow import parquet as pq

    with _opened(path, path.name) as file:
        buffer = io.BytesIO()
        pq.write_table(_rows(file, first, rows), buffer, compression="none")
        return _plain(gpd.read_parquet(buffer))


def _rows(file: Any, first: int, rows: int, columns: list[str] | None = None) -> Any:
    import pyarrow as pa

    counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = list(accumulate(counts))
    last = first + rows
    groups = [i for i, end in enumerate(ends) if first < end and end - counts[i] < last]
    place = ends[groups[0]] - counts[groups[0]] if groups else 0
    taken = []
    for batch in file.iter_batches(batch_size=_BATCH, row_groups=groups, columns=columns):
        begin, end = max(first - place, 0), min(last - place, len(batch))
        place += len(batch)
        if begin < end:
            taken.append(batch.slice(begin, end - begin))
        if place >= last:
            break
    kept = file.schema_arrow if columns is None else pa.schema([file.schema_arrow.field(name) for name in columns])
    return pa.Table.from_batches(taken, schema=kept.with_metadata(file.schema_arrow.metadata))


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Leave one column of shapes, called geometry; an index that has a name is a column like others."""
    others = [c for c in frame.columns if str(frame[c].dtype) == "geometry" and c != frame.geometry.name]
    named = frame.index.name is not None and frame.index.name not in frame.columns
    plain = frame.drop(columns=others).reset_index(drop=not named)
    return plain if plain.geometry.name == "geometry" else plain.rename_geometry("geometry")
