"""Vector files through GDAL, once they passed the door."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, Problem, SiteError
from ecospatial.io import _safe_xml, archives, declared_crs, geoparquet, mapinfo, shapefile
from ecospatial.io._validate import MAPINFO, PARQUETS, SEQUENCES, VECTOR_SUFFIXES, components, safe_path

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import geopandas as gpd
    from pyproj import CRS

# What GDAL's KML driver adds to every file and planners never filled in.
_KML_EXTRA: tuple[str, ...] = (
    "timestamp",
    "begin",
    "end",
    "altitudeMode",
    "tessellate",
    "extrude",
    "visibility",
)
_KML_EXTRA += ("drawOrder", "icon", "snippet")
# pyogrio takes these for borders between an archive, a file in it, and options.
_BORDERS = re.compile("[!;]")
_PACKED = (".zip", ".kmz")
_SURFACE_TYPE = re.compile(r"(?i)\btype (10|20|30)?1[567]\b")
_CURVED = re.compile("Curve|Surface|CircularString")


@dataclass(frozen=True, slots=True)
class _VectorPart:
    """One layer of one file, wherever it was unpacked to; ``member`` is the crs of a GeoJSON, False for none."""

    name: str
    path: Path
    layer: str
    shape: str
    member: Any = False


def list_layers(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """List the layers of a vector file that have a geometry.

    Parameters
    ----------
    path
        A file that passes ``safe_path``; in a zip each file inside counts as a layer.

    Returns
    -------
    list
        Name and geometry type of each.

    Raises
    ------
    SiteError
        The file may not be opened, or GDAL can not read it.
    """
    with _parts(_vector_path(path)) as parts:
        return [(part.name, part.shape) for part in parts]


def read_vector(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    crs: str | int | CRS | None = None,
    encoding: str | None = None,
    most_bytes: int | None = None,
    refuse_crs: bool = True,
) -> gpd.GeoDataFrame:
    """Read one layer of a vector file.

    Parameters
    ----------
    path
        A file that passes ``safe_path``.
    layer
        Name of the layer; needed when there is more than one.
    crs
        What the coordinates are in, whatever the file says; not ``gcj02`` or ``bd09``, which need undoing.
    encoding
        Of the text of a shapefile or MapInfo table; None: found out from the bytes.
    most_bytes
        How large the file, unpacked and with its companions, may be; None: no more than the door allows.
    refuse_crs
        Whether what the file says of its coordinates and can not be believed is an error (unless ``crs`` is given):
        a CRS that does not exist or that the numbers contradict, a name or a cell that says GCJ-02, 西安80 or
        ddd.mmss. Else it is left to the caller, in ``attrs["crs_fault"]``.

    Returns
    -------
    GeoDataFrame
        RangeIndex in the order of the file, geometry column ``geometry``, and ``crs`` None when the file does
        not say it. ``attrs["notes"]`` lists in Chinese what was done to geometries while reading,
        ``attrs["notices"]`` what else is worth knowing, ``attrs["layer"]`` names the layer. ``attrs["shift"]`` is
        ``gcj02`` or ``bd09`` where a column 坐标系 says so (the coordinates are not moved), else None;
        ``attrs["datum"]`` tells whether the file names CGCS2000 or WGS 84 without declaring a CRS;
        ``attrs["crs_fault"]`` is a ``Problem`` or None.

    Raises
    ------
    SiteError
        The file may not be opened, is broken, has several layers and none was named, or its text is in no
        known encoding.
    CrsError
        ``crs`` can not be read, or the file's own can not be believed (``refuse_crs``).
    """
    source = _vector_path(path)
    given = None if crs is None else _given(crs)
    with _parts(source, most_bytes) as parts:
        part = _chosen(parts, layer, source.name)
        frame, stopped = _read(part, source.name, encoding)
        curved = _CURVED.search(part.shape) is not None or _has_arcs(part.path)
        geometry = frame.geometry.to_numpy()
        found, fault = declared_crs.declared_crs(
            part.path, part.layer, frame.crs, geometry, member=part.member, name=source.name
        )
    fault = stopped or fault
    evidence = crs_.Evidence()
    if given is None and fault is None and not {"repair", "repair_area_m2", "source"} <= set(frame.columns):
        names = [part.name] if part.name != source.stem else []
        cells = frame.drop(columns="geometry")
        evidence = crs_.find_evidence(source.name, cells, geometry, names=names, declared=found)
        fault = evidence.fault
    if refuse_crs and given is None and (fault is not None or evidence.shift is not None):
        raise CrsError(fault or declared_crs.shifted(str(evidence.shift), source.name))
    notes = ["曲线已转为折线（偏差小于 1 mm）"] if curved else []
    notices = frame.attrs.get("notices", [])
    frame.attrs = {"notes": notes, "layer": part.name, "notices": notices, "crs_fault": fault}
    frame.attrs |= {"shift": evidence.shift, "datum": evidence.modern}
    own = given if given is not None else (found if found is not None else evidence.crs)
    return frame.set_crs(own, allow_override=True)


def _has_arcs(path: Path) -> bool:
    """Tell whether a GML file draws arcs: its driver makes lines of them without saying so."""
    return path.suffix.lower() == ".gml" and re.search(rb"<(\w+:)?(Arc|Circle)", path.read_bytes()) is not None


def _vector_path(path: str | os.PathLike[str]) -> Path:
    source = safe_path(path)
    if source.suffix.lower() not in VECTOR_SUFFIXES:
        raise SiteError(Problem(source.name, None, "不是矢量文件", f"可读取：{'、'.join(VECTOR_SUFFIXES)}"))
    return source


def _given(value: str | int | CRS) -> CRS:
    crs, shift = crs_.parse_crs(value)
    if shift is not None:
        fault = f"{crs_.label(crs, shift)} 的坐标须先反算"
        raise CrsError(Problem("", None, fault, "请给出 EPSG:4490 等坐标系，或作为红线读入"))
    return crs


# ------------------------------------------------------------------------------------- opening with GDAL


@contextmanager
def _parts(source: Path, most_bytes: int | None = None) -> Iterator[list[_VectorPart]]:
    """Give the layers of a file; what had to be unpacked or copied is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="ecospatial-") as folder:
        files = [(source.stem, source)]
        packed = source.suffix.lower() in _PACKED
        if packed:
            files = _inside(source, Path(folder))
        parts = []
        for name, path in files:
            _refuse_large(path, source.name, most_bytes)
            place, member = _working_copy(path, Path(folder), source.name)
            is_parquet = place.suffix.lower() in PARQUETS
            layers = [(path.stem, "Unknown")] if is_parquet else _gdal_layers(place, source.name)
            single = packed and len(layers) == 1
            parts += [
                _VectorPart(name if single else str(n), place, str(n), str(t), member)
                for n, t in layers
                if t is not None
            ]
        yield parts


def _refuse_large(path: Path, name: str, most_bytes: int | None) -> None:
    size = sum(part.stat().st_size for part in components(path))
    if most_bytes is not None and size > most_bytes:
        fault = f"文件过大（{size / 1024**2:.0f} MB，上限 {most_bytes / 1024**2:.0f} MB）"
        raise SiteError(Problem(name, None, fault, "请只导出需要核查的地块"))


def _inside(source: Path, folder: Path) -> list[tuple[str, Path]]:
    found = archives.unpack(source, folder / "zip")
    files: dict[Path, str] = {}
    for name, place in found:
        if "__MACOSX" in name or place.name.startswith("."):
            continue
        base = next((p for p in place.parents if p.suffix.lower() == ".gdb"), place)
        if base.suffix.lower() in VECTOR_SUFFIXES and base.suffix.lower() not in _PACKED:
            files[base] = Path(name).stem if base is place else base.stem
    if not files:
        raise SiteError(
            Problem(source.name, None, "压缩包内没有可读取的矢量文件", "请放入 .shp（连同 .shx、.dbf、.prj）")
        )
    stems = list(files.values())
    named = [
        (n if stems.count(n) == 1 else base.relative_to(folder / "zip").as_posix(), base) for base, n in files.items()
    ]
    for _, base in named:
        safe_path(base)
    return sorted(named)


def _working_copy(path: Path, folder: Path, name: str) -> tuple[Path, Any]:
    """Check a file further, and copy it where GDAL would leave files beside it or mistake its path.

    Gives the path and the crs of a GeoJSON, False for none.
    """
    suffix = path.suffix.lower()
    member: Any = False
    if suffix == ".shp":
        shapefile.check_parts(path, name)
    elif suffix in (".geojson", ".json", *SEQUENCES):
        member = _safe_xml.check_json(path, name)
    elif suffix in MAPINFO:
        number = sum(1 for _ in folder.glob("mapinfo*"))
        return mapinfo.neutral_copy(path, folder / f"mapinfo{number}", name), member
    copied = folder / "copy" / _BORDERS.sub("_", path.name)
    if suffix in (".kml", ".gml"):
        copied.parent.mkdir(exist_ok=True)
        copied.write_bytes(_safe_xml.utf8_xml(path, name))
        return copied, member
    if not _BORDERS.search(str(path)):
        return path, member
    copied.parent.mkdir(exist_ok=True)
    if path.is_dir():
        return Path(shutil.copytree(path, copied)), member
    for sibling in components(path):
        shutil.copy(sibling, copied.with_suffix(sibling.suffix))
    return copied, member


def _gdal_layers(path: Path, name: str) -> list[tuple[str, str | None]]:
    import pyogrio

    # Else codes without a schema become numbers and lose their zeros. A tenth of a degree of an arc is less than
    # 1 mm off up to a radius of 2.6 km.
    pyogrio.set_gdal_config_options({"GML_FIELDTYPES": "ALWAYS_STRING", "OGR_ARC_STEPSIZE": "0.1"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [(str(n), t) for n, t in pyogrio.list_layers(str(path))]
    except pyogrio.errors.GeometryError as error:
        raise _surface(name) from error
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise SiteError(Problem(name, None, "文件已损坏或格式有误，无法打开", "请从原软件重新导出")) from error


def _chosen(parts: list[_VectorPart], layer: str | None, name: str) -> _VectorPart:
    listed = "、".join(part.name for part in parts)
    if not parts:
        raise SiteError(Problem(name, None, "文件中没有带图形的图层", "请核对文件"))
    if layer is None:
        if len(parts) > 1:
            way = "请用 --layer（layer=）指明图层名"
            raise SiteError(Problem(name, None, f"文件中有 {len(parts)} 个图层：{listed}", way))
        return parts[0]
    found = [part for part in parts if layer in (part.name, part.layer)]
    if len(found) != 1:
        raise SiteError(Problem(name, None, f"没有图层“{layer}”", f"文件中的图层：{listed}"))
    return found[0]


def _read(part: _VectorPart, name: str, encoding: str | None) -> tuple[gpd.GeoDataFrame, Problem | None]:
    """Read a layer; the second is the fault of a declared CRS that stops GDAL."""
    import pyogrio

    try:
        return _read_layer(part, name, encoding), None
    except pyogrio.errors.CRSError as error:
        fault = declared_crs.unreadable(name)
        if part.path.suffix.lower() != ".shp":
            raise CrsError(fault) from error
    with tempfile.TemporaryDirectory(prefix="ecospatial-") as folder:
        for sibling in components(part.path):
            if sibling.suffix.lower() != ".prj":
                shutil.copy(sibling, Path(folder) / f"shape{sibling.suffix.lower()}")
        bare = replace(part, path=Path(folder) / "shape.shp", layer="shape")
        return _read_layer(bare, name, encoding), fault


def _read_layer(part: _VectorPart, name: str, encoding: str | None) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import pyogrio

    suffix = part.path.suffix.lower()
    if suffix in PARQUETS:
        return geoparquet.read(part.path, name)
    raw = suffix in (".shp", *MAPINFO)
    options: dict[str, Any] = {"encoding": shapefile.RAW} if raw else {}
    options |= {"DOWNLOAD_SCHEMA": "NO"} if suffix == ".gml" else {}
    broken = (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        shapely.GEOSException,
        ValueError,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = pyogrio.read_dataframe(str(part.path), layer=part.layer, **options)
    except pyogrio.errors.CRSError:
        raise
    except pyogrio.errors.GeometryError as error:
        raise _surface(name) from error
    except broken as error:
        if _SURFACE_TYPE.search(str(error)):  # from GEOS, where the layer does not say what it holds
            raise _surface(name) from error
        raise SiteError(Problem(name, None, f"图层“{part.name}”无法读取", "请核对文件，必要时重新导出")) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SiteError(Problem(name, None, f"图层“{part.name}”没有图形", "请核对文件"))
    _refuse_twins(frame, name)
    if raw:
        frame = shapefile.decode(frame, part.path, name=name, encoding=encoding)
    if suffix == ".kml":
        frame = frame.drop(columns=[c for c in frame.columns if c in _KML_EXTRA])
    _refuse_twins(frame, name)
    return frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")


def _surface(name: str) -> SiteError:
    """Give the fault of a file with surfaces in space, which no area on the ground can be told from."""
    fault = "图形是三维曲面（POLYHEDRALSURFACE、TIN），不是平面上的面"
    return SiteError(Problem(name, None, fault, "请在原软件中转为多边形（Polygon、MultiPolygon）后导出"))


def _refuse_twins(frame: gpd.GeoDataFrame, name: str) -> None:
    twice = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]})
    if twice:
        raise SiteError(Problem(name, None, f"字段名重复：{'、'.join(twice[:5])}", "请在原软件中改名后重新导出"))
