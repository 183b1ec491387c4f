"""From a path, several, a folder or a frame to parts: geometries and attributes as they stand in the source."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from ecospatial import crs as crs_
from ecospatial import io
from ecospatial.errors import CrsError, EcospatialError, Problem, SiteError
from ecospatial.sites.aliases import KNOWN, SITE_ID_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pyproj import CRS

    from ecospatial.io import ParcelFile

_IN_MEMORY = "内存数据"
_LEFT_OUT = (".dwg", ".xls", ".rar", ".7z", ".mdb", ".vrt")
# Red lines are far below this; what is read into memory stays within a gigabyte.
_BYTES = 128 * 1024**2
MAX_VERTICES = 5_000_000


@dataclass(frozen=True, slots=True)
class SourcePart:
    """One layer of one source.

    ``crs`` and ``shift`` are what the source declares; ``refusal`` says why that can not be used; ``ordered``
    is False when it is open which coordinate is the northing. ``faults`` are those of single rows. ``datum`` tells
    whether the source names CGCS2000 or WGS 84, also where it leaves the zone open.
    """

    file: str
    layer: str
    rows: tuple[int, ...]
    geometry: NDArray[Any]
    attributes: pd.DataFrame
    crs: CRS | None = None
    shift: str | None = None
    refusal: Problem | None = None
    ordered: bool = True
    faults: tuple[tuple[Problem, ...], ...] = ()
    notes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    datum: bool = False

    @property
    def made_before(self) -> bool:
        """Whether ``read_sites`` made it: what there was to say of it has been said."""
        return {"repair", "repair_area_m2", "source"} <= set(self.attributes.columns)

    def places(self) -> list[str]:
        """Say of each row where it is from: file, layer, row."""
        before = "，".join(filter(None, [self.file or _IN_MEMORY, self.layer, "第 "]))
        return [f"{before}{row} 行" for row in self.rows]


@dataclass(frozen=True)
class Places(Sequence[tuple[str, "int | str | None"]]):
    """File and row of every site of the parts of a source; written out when one is asked for, that is for a fault."""

    parts: list[SourcePart]

    @cached_property
    def _all(self) -> list[tuple[str, int | str | None]]:
        return [(part.file, row) for part in self.parts for row in part.rows]

    def __getitem__(self, place: Any) -> Any:
        """Give one, or a slice."""
        return self._all[place]

    def __len__(self) -> int:
        """Count the sites."""
        return sum(len(part.rows) for part in self.parts)


def read_parts(
    source: Any,
    *,
    without: str | os.PathLike[str] | None,
    layer: str | None = None,
    max_vertices: int = MAX_VERTICES,
) -> tuple[list[SourcePart], dict[str, Any]]:
    """Read a source.

    Parameters
    ----------
    source
        Path, paths, folder or GeoDataFrame.
    without
        A file that is no source of sites even when it lies in the folder (the facts).
    layer
        The layer, CAD layer or sheet to read of files that have several.
    max_vertices
        How many vertices all files together may have.

    Returns
    -------
    tuple
        The parts, and the ``attrs`` of the frame to be made.

    Raises
    ------
    SiteError, CrsError
        All faults of all files.
    """
    if isinstance(source, gpd.GeoDataFrame):
        return [_frame_part(source)], {"inputs": []} | dict(source.attrs)
    if isinstance(source, pd.DataFrame):
        way = "请用 geopandas.GeoDataFrame，并写明坐标系"
        raise SiteError(Problem("", None, "数据框没有几何列", way))
    parts, problems, inputs = [], [], []
    wrong: list[EcospatialError] = []
    for path in listed(source, without):
        try:
            place = io.safe_path(path)
            parts += _file_parts(place, layer)
            if sum(int(shapely.get_num_coordinates(part.geometry).sum()) for part in parts) > max_vertices:
                way = "请只保留需要核查的地块，或用 --max-vertices 放宽"
                raise SiteError(Problem(place.name, None, f"顶点超过 {max_vertices} 个", way))
            inputs += [{"file": p.name, "sha256": io.sha256(p)} for p in _hashed(place)]
        except EcospatialError as error:
            wrong.append(error)
            problems += error.problems
    if wrong:
        raise (CrsError if all(isinstance(error, CrsError) for error in wrong) else SiteError)(problems)
    return parts, {"inputs": inputs}


def _hashed(place: Path) -> list[Path]:
    return [place] if place.is_dir() else io.components(place)


def listed(source: Any, without: str | os.PathLike[str] | None = None) -> list[Any]:
    """List the files that a path, a folder, a pattern or several of them mean, in the order they are read."""
    single = isinstance(source, (str, bytes, os.PathLike)) or not hasattr(source, "__iter__")
    found: list[Any] = []
    for entry in [source] if single else list(source):
        text = entry if isinstance(entry, (str, os.PathLike)) else ""
        known = str(text).strip() and "\0" not in str(text) and len(str(text)) < 4096
        folder = Path(text) if known else None
        if folder is not None and folder.suffix.lower() != ".gdb" and folder.is_dir():
            found += _in_folder(folder, without)
        elif folder is not None and re.search(r"[*?\[]", folder.name) and folder.parent.is_dir():
            found += _matching(folder) or [entry]
        else:
            found.append(entry)
    if not found:
        raise SiteError(Problem("", None, "没有给出文件", "请给出红线文件"))
    return found


def _matching(pattern: Path) -> list[Path]:
    """List the files that a pattern such as ``*.shp`` means, unless a file is called just that."""
    if pattern.exists():
        return [pattern]
    return sorted(p for p in pattern.parent.glob(pattern.name) if not p.name.startswith((".", "~$")))


def _in_folder(folder: Path, without: str | os.PathLike[str] | None) -> list[Path]:
    facts = None if without is None else Path(without).absolute()
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "~$")) and p.absolute() != facts)
    # The .dat beside a MapInfo table belongs to it.
    tables = {p.stem for p in entries if p.suffix.lower() == ".tab"}
    entries = [p for p in entries if not (p.suffix.lower() == ".dat" and p.stem in tables)]
    for path in entries:
        if path.suffix.lower() in _LEFT_OUT:
            io.safe_path(path)
    known = (*io.VECTOR_SUFFIXES, *io.DRAWN_SUFFIXES)
    found = [p for p in entries if p.suffix.lower() in known and (p.is_file() or p.suffix.lower() == ".gdb")]
    outside = [p for p in found if p.is_symlink() and not p.resolve().is_relative_to(folder.resolve())]
    if outside:
        way = "请直接给出该文件，或把它复制到文件夹中"
        raise SiteError([Problem(p.name, None, "这是指向文件夹以外的链接", way) for p in outside])
    if not found:
        raise SiteError(Problem(folder.name, None, "文件夹中没有可读取的文件", f"可读取：{'、'.join(known)}"))
    return found


# ------------------------------------------------------------------------------------- one kind each


def _file_parts(path: Path, layer: str | None) -> list[SourcePart]:
    """Read one file; eastings with the numbers of several zones make several parts."""
    drawing = _drawing(path, layer)
    if drawing is None:
        return [_vector_part(path, layer)]
    zones = list(dict.fromkeys(drawing.prefixes))
    if len(zones) < 2:
        return [_drawn_part(drawing, path.name)]
    return [_drawn_part(_of_zone(drawing, zone, first=zone == zones[0]), path.name) for zone in zones]


def _drawing(path: Path, layer: str | None) -> ParcelFile | None:
    match path.suffix.lower():
        case ".txt":
            return io.read_survey(path)
        case ".dat":
            return io.read_cass(path)
        case ".dxf":
            return io.read_dxf(path, layer=layer)
        case ".csv" | ".xlsx":
            return io.read_coordinates(path, known=KNOWN, sheet=layer)
        case _:
            return None


def _of_zone(drawing: ParcelFile, zone: int | None, *, first: bool) -> ParcelFile:
    kept = [i for i, prefix in enumerate(drawing.prefixes) if prefix == zone]
    return replace(
        drawing,
        geometry=drawing.geometry[kept],
        attributes=drawing.attributes.iloc[kept].reset_index(drop=True),
        rows=tuple(drawing.rows[i] for i in kept),
        faults=tuple(drawing.faults[i] for i in kept),
        notes=tuple(drawing.notes[i] for i in kept),
        notices=drawing.notices if first else (),
        prefixes=(zone,) * len(kept),
        # The head of the file names one zone; the numbers of the others name their own.
        zone=drawing.zone if zone is None or zone == drawing.zone else None,
    )


def _vector_part(path: Path, layer: str | None) -> SourcePart:
    frame = io.read_vector(path, layer=layer, most_bytes=_BYTES, refuse_crs=False)
    name = str(frame.attrs.get("layer", ""))
    notes = "；".join(frame.attrs.get("notes", []))
    return SourcePart(
        file=path.name,
        layer="" if name == path.stem else name,
        rows=tuple(range(1, len(frame) + 1)),
        geometry=frame.geometry.to_numpy(),
        attributes=pd.DataFrame(frame.drop(columns="geometry")),
        crs=crs_.CGCS2000 if frame.attrs["shift"] else frame.crs,
        shift=frame.attrs["shift"],
        refusal=frame.attrs["crs_fault"],
        notes=(notes,) * len(frame),
        notices=tuple(frame.attrs.get("notices", [])),
        datum=frame.attrs["datum"],
    )


def wkt_part(text: str, *, max_vertices: int = MAX_VERTICES) -> SourcePart:
    """Make a part of one WKT text."""
    # A vertex takes at least four characters: longer text is refused before it is read.
    if len(text) > 100_000 + 60 * max_vertices or len(text) > _BYTES:
        raise SiteError(Problem("WKT", None, "文本过长", "请改用文件"))
    part = _drawn_part(io.read_wkt(text), "WKT")
    if int(shapely.get_num_coordinates(part.geometry).sum()) > max_vertices:
        raise SiteError(Problem("WKT", None, f"顶点超过 {max_vertices} 个", "请用 --max-vertices 放宽"))
    return part


def with_evidence(part: SourcePart) -> SourcePart:
    """Add to a part what its names and cells say of its coordinates; nothing where ``read_sites`` made it."""
    if part.made_before:
        return part
    found = crs_.find_evidence(part.file, part.attributes, part.geometry, declared=part.crs, rows=part.rows)
    if found.shift is not None:
        return replace(part, crs=crs_.CGCS2000, shift=found.shift)
    return replace(part, refusal=found.fault, crs=part.crs if part.crs is not None else found.crs)


def _drawn_part(drawing: ParcelFile, file: str) -> SourcePart:
    said = io.drawing_crs(drawing, file)
    return SourcePart(
        file=file,
        layer="",
        rows=drawing.rows,
        geometry=drawing.geometry,
        attributes=drawing.attributes.apply(_uniform) if len(drawing.attributes.columns) else drawing.attributes,
        ordered=drawing.ordered,
        faults=drawing.faults,
        notes=drawing.notes,
        notices=drawing.notices,
        crs=said.crs,
        shift=said.shift,
        refusal=said.fault,
        datum=said.modern,
    )


def _uniform(values: pd.Series[Any]) -> pd.Series[Any]:
    """Make a column text unless Excel holds numbers in all of it."""
    mixed = values.map(lambda value: isinstance(value, str)).any()
    return values.map(lambda v: str(v) if v is not None and not isinstance(v, str) else v) if mixed else values


def _frame_part(frame: gpd.GeoDataFrame) -> SourcePart:
    if not frame.columns.is_unique:
        raise SiteError(Problem("", None, "数据框中有重名的列", "请改名"))
    try:
        geometry = frame.geometry
    except AttributeError as error:
        raise SiteError(Problem("", None, "数据框没有几何列", "请用 set_geometry 指定")) from error
    others = [c for c in frame.columns if c != geometry.name and str(frame[c].dtype) != "geometry"]
    attributes = pd.DataFrame(frame[others]).reset_index(drop=True)
    attributes.columns = pd.Index([str(c) for c in others], dtype=object)
    name = frame.index.name
    if name is not None and io.plain_name(name) in SITE_ID_NAMES and "site_id" not in attributes:
        attributes.insert(0, "site_id", frame.index.to_numpy(dtype=object))
    crs, _ = (None, None) if frame.crs is None else crs_.parse_crs(frame.crs)
    part = SourcePart(
        file="",
        layer="",
        rows=tuple(range(1, len(frame) + 1)),
        geometry=geometry.to_numpy(),
        attributes=attributes,
        crs=crs,
    )
    return with_evidence(part)


def stacked(parts: Iterable[SourcePart]) -> pd.DataFrame:
    """Put the attributes of all parts below each other; columns that a part lacks are empty there."""
    frames = [part.attributes.rename(columns=str) for part in parts]
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    return pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
