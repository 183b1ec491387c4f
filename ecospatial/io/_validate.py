"""What may be opened at all: a regular file of a known kind whose first bytes fit its name.

GDAL opens far more than files: addresses, inline text, devices, and recipes (VRT) that name other files and
servers, whatever the recipe is called. So nothing reaches it that did not pass here.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ecospatial.errors import Problem, SiteError

# Drivers that fetch from a network or follow a recipe to other files. GDAL reads the variable when pyogrio is
# imported, which therefore happens inside the functions of this room. The first bytes are checked as well.
_SKIPPED = (
    "OGR_VRT,HTTP,WFS,OAPIF,MVT,PMTiles,CSW,EEDA,PLSCENES,NGW,AmigoCloud,Carto,Elasticsearch,GDALG,ADBC,OSM,GPSBabel"
)
# A child process inherits the list: said twice, GDAL would warn of every driver it no longer knows.
_ALREADY = os.environ.get("OGR_SKIP", "").split(",")
os.environ["OGR_SKIP"] = ",".join(dict.fromkeys(filter(None, [*_ALREADY, *_SKIPPED.split(",")])))

SEQUENCES = (".geojsonl", ".geojsons", ".jsonl", ".ndjson")
PARQUETS = (".parquet", ".geoparquet")
MAPINFO = (".tab", ".mif")
VECTOR_SUFFIXES = (
    ".geojson", ".json", *SEQUENCES, ".gpkg", ".shp", ".zip", ".fgb", *PARQUETS, ".kml", ".kmz", ".gml", *MAPINFO,
    ".gdb",
)  # fmt: skip
DRAWN_SUFFIXES = (".txt", ".dat", ".csv", ".xlsx", ".dxf")
RASTER_SUFFIXES = (".tif", ".tiff")
_SIDECARS = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg"),
    ".tab": (".dat", ".map", ".id", ".ind"),
    ".mif": (".mid",),
}
_WAYS_OUT = {
    ".dwg": "请在 CAD 中另存为 DXF（文本格式），或导出为 SHP",
    ".dxf": "请在 CAD 中另存为文本格式的 DXF",
    ".xls": "请另存为 .xlsx",
    ".rar": "请解压，或改用 .zip",
    ".7z": "请解压，或改用 .zip",
    ".mdb": "请导出为 GeoPackage 或 SHP",
    ".vrt": "请给出数据文件本身",
    ".img": "请另存为 GeoTIFF（.tif）",
    ".xlsx": "请在 Excel 中去掉密码，另存为 .xlsx",
    ".dat": "CASS 坐标文件应为文本；MapInfo 数据请给出同名的 .tab",
    **dict.fromkeys(_SIDECARS[".shp"], "请给出同名的 .shp"),
    **dict.fromkeys((".map", ".id", ".ind"), "请给出同名的 .tab"),
    ".mid": "请给出同名的 .mif",
}
# No file that comes to a counter is larger, and no reader sees the bytes of one that is. Text is read into
# memory and is checked more closely there.
_MOST = 2 * 1024**3
_MOST_TEXT = dict.fromkeys((".kml", ".gml", ".mif"), 128 * 1024**2) | dict.fromkeys(
    (".geojson", ".json", *SEQUENCES), 256 * 1024**2
)
_HEAD = 65536
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")
_GPKG_IDS = (b"GPKG", b"GP10", b"GP11", b"\0\0\0\0")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_OTHER_FILE = re.compile(r"[A-Za-z][A-Za-z0-9+_.-]+:")


def safe_path(source: str | os.PathLike[str], *, raster: bool = False) -> Path:
    """Accept a file that this package may open.

    Parameters
    ----------
    source
        Path of a regular file, or of a .gdb folder.
    raster
        Whether a GeoTIFF is wanted (and nothing else) instead of features.

    Returns
    -------
    Path
        The absolute path.

    Raises
    ------
    SiteError
        It is an address, a GDAL prefix or virtual path, missing, empty, a folder, a pipe or a device, of a
        kind that is not read, or its content is not what its name says.

    Examples
    --------
    >>> safe_path("https://example.org/a.geojson")
    Traceback (most recent call last):
        ...
    ecospatial.errors.SiteError: a.geojson：不接受网址或 GDAL 虚拟路径。请先下载为本地文件
    """
    if not isinstance(source, (str, os.PathLike)):
        raise SiteError(Problem("", None, "这不是文件路径", "请给出文件路径的文字"))
    text = os.fspath(source)
    name = re.split(r"[\\/]", text)[-1][:100]
    if "://" in text or text.startswith(("/vsi", "\\vsi")) or _OTHER_FILE.match(text):
        raise SiteError(Problem(name, None, "不接受网址或 GDAL 虚拟路径", "请先下载为本地文件"))
    path = Path(text).absolute()
    suffix = path.suffix.lower()
    if not text.strip() or not _exists(path):
        raise SiteError(Problem(name, None, "文件不存在", "请核对文件名和所在文件夹"))
    if path.is_dir() and suffix != ".gdb":
        raise SiteError(Problem(name, None, "这是文件夹，不是文件", "请给出文件夹中的文件"))
    accepted = RASTER_SUFFIXES if raster else (*VECTOR_SUFFIXES, *DRAWN_SUFFIXES)
    if suffix not in accepted:
        known = "、".join(accepted)
        kind = f"不读取 {suffix} 文件" if suffix else "文件没有扩展名"
        raise SiteError(Problem(name, None, kind, _WAYS_OUT.get(suffix, f"可读取：{known}")))
    fault = _fault(path, suffix)
    if fault:
        raise SiteError(Problem(name, None, fault, _WAYS_OUT.get(suffix, "请核对文件，必要时重新导出")))
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


def _fault(path: Path, suffix: str) -> str:
    """Say what is wrong with a path of an accepted suffix."""
    if suffix == ".gdb":
        held = path.is_dir() and any(path.glob("a*.gdbtable"))
        return _outward(path) if held else "不是文件地理数据库（.gdb 文件夹）"
    if not path.is_file():
        return "不是普通文件"
    if _outward(path):
        return _outward(path)
    try:
        if path.stat().st_size > _MOST_TEXT.get(suffix, _MOST):
            return "文件过大"
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return "文件无法读取（没有权限或正被占用）"
    if not head:
        return "文件是空的"
    if suffix == ".xlsx" and head.startswith(_OLE):
        return "工作簿有打开密码，或其实是旧格式 .xls"
    return "" if _fits(head, suffix) else f"文件内容不是 {suffix}"


def _outward(path: Path) -> str:
    """Refuse what a delivered folder only pretends to hold: parts that are links to files elsewhere."""
    home = path.resolve() if path.is_dir() else path.parent.resolve()
    parts = [part for part in (path.rglob("*") if path.is_dir() else components(path)[1:]) if part.is_symlink()]
    outside = [part for part in parts if not part.resolve().is_relative_to(home)]
    return f"其中的 {outside[0].name[:60]} 是指向文件夹以外的链接" if outside else ""


def _fits(head: bytes, suffix: str) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    match suffix:
        case ".geojson" | ".json":
            return start.startswith(b"{")
        case _ if suffix in SEQUENCES:
            return start.startswith((b"{", b"\x1e"))
        case _ if suffix in PARQUETS:
            return head.startswith(b"PAR1")
        case ".tab":
            return start[:7].lower().startswith(b"!table")
        case ".mif":
            return start[:7].lower().startswith(b"version")
        case ".gpkg":
            return head.startswith(b"SQLite format 3\0") and head[68:72] in _GPKG_IDS
        case ".shp":
            return head.startswith(b"\x00\x00\x27\x0a")
        case ".zip" | ".kmz" | ".xlsx":
            return head.startswith(b"PK\x03\x04")
        case ".tif" | ".tiff":
            return head.startswith(_TIFF_STARTS)
        case ".fgb":
            return head.startswith(b"fgb\x03fgb")
        case ".kml":
            return _xml_root(head) == "kml"
        case ".gml":
            return b"opengis.net/" in head and re.fullmatch(r"\w*Collection", _xml_root(head)) is not None
        case _:
            return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head


def _xml_root(head: bytes) -> str:
    """Give the local name of the first element; "" when there is a DTD, which no KML or GML needs."""
    wide = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(head[:2], "latin-1")
    text = head.decode(wide, errors="replace")
    text = re.sub(r"<!--.*?-->|<\?.*?\?>", "", text, flags=re.DOTALL)
    first = re.search(r"<\s*(!?)(?:[\w.-]+:)?([\w.-]+)", text)
    return "" if first is None or first.group(1) else first.group(2)


def components(path: Path) -> list[Path]:
    """List the files a source consists of: a shapefile or MapInfo table and its companions, the content of a .gdb.

    Examples
    --------
    >>> [part.name for part in components(Path("somewhere/a.gpkg"))]
    ['a.gpkg']
    """
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file())
    suffixes = _SIDECARS.get(path.suffix.lower(), ())
    if not suffixes or not path.parent.is_dir():
        return [path]
    found = (p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in suffixes)
    return [path, *sorted(found)]


def sha256(path: str | os.PathLike[str]) -> str:
    """Give the SHA-256 of a file's bytes in hex; of a .gdb folder, that of the names and bytes of its files.

    Raises
    ------
    SiteError
        The file can not be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = Path(folder, "a.txt")
    ...     _ = made.write_bytes(b"abc")
    ...     sha256(made)[:8]
    'ba7816bf'
    """
    place = Path(path)
    total = hashlib.sha256()
    try:
        if place.is_dir():
            for part in components(place):
                total.update(part.relative_to(place).as_posix().encode())
                total.update(bytes.fromhex(sha256(part)))
            return total.hexdigest()
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SiteError(Problem(place.name, None, "文件无法读取", "请核对文件是否存在、是否有权限")) from error
