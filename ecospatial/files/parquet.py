"""GeoParquet, when pyarrow is there to read it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import shapely

from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

_ROWS = 5_000_000


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

    if importlib.util.find_spec("pyarrow") is None:
        way = "请安装 pip install 'ecospatial[parquet]'，或转为 GeoPackage（.gpkg）"
        raise SiteError(Problem(name, None, "读取 GeoParquet 需要 pyarrow", way))
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > _ROWS:
                raise SiteError(Problem(name, None, f"超过 {_ROWS} 行", "请只导出需要的要素"))
            if b"geo" not in (file.metadata.metadata or {}):
                raise SiteError(Problem(name, None, "这个 Parquet 没有图形", "请用 GeoParquet 或 GeoPackage"))
        frame = gpd.read_parquet(path)
    except (pa.ArrowException, shapely.GEOSException, ValueError, OSError, LookupError, TypeError) as error:
        if isinstance(error, SiteError):
            raise
        raise SiteError(Problem(name, None, "文件已损坏或格式有误，无法打开", "请从原软件重新导出")) from error
    others = [c for c in frame.columns if str(frame[c].dtype) == "geometry" and c != frame.geometry.name]
    plain = frame.drop(columns=others).reset_index(drop=True)
    return plain if plain.geometry.name == "geometry" else plain.rename_geometry("geometry")
