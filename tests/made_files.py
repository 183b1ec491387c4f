"""Vector files made in code, and the error that a file is refused with."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import pytest
import shapely

from ecospatial import io
from ecospatial.errors import SiteError

E, N = 500000, 3520000
NAMES = ["新孟河化工厂", "京杭运河码头"]
VRT = "<OGRVRTLayer><SrcDataSource>/etc/hosts</SrcDataSource></OGRVRTLayer>"
VRT = f"<OGRVRTDataSource>{VRT}</OGRVRTDataSource>"


def frame(**columns):
    boxes = [shapely.box(E, N, E + 100, N + 100), shapely.box(E + 200, N, E + 300, N + 100)]
    return gpd.GeoDataFrame(columns or {"名称": NAMES, "code": ["0701", "1001"]}, geometry=boxes, crs=4549)


def shapefile(folder, name="a", *, text="gbk", cpg=None, made=None):
    """A shapefile whose text is in ``text`` and whose label says ``cpg`` (None: no label)."""
    path = folder / f"{name}.shp"
    (frame() if made is None else made).to_file(path, encoding=text)
    label = path.with_suffix(".cpg")
    label.unlink(missing_ok=True)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0x57
    path.with_suffix(".dbf").write_bytes(table)
    if cpg is not None:
        label.write_text(cpg)
    return path


def zipped(folder, archive, *, prefix="", names=None):
    with zipfile.ZipFile(archive, "w") as made:
        for part in sorted(folder.iterdir()):
            name = prefix + part.name
            made.writestr(name if names is None else names(name), part.read_bytes())
    return archive


def refused(source):
    with pytest.raises(SiteError) as caught:
        io.read_vector(source)
    problem = caught.value.problems[0]
    assert "/" not in problem.file
    assert "Traceback" not in str(caught.value)
    assert problem.hint
    return problem.message + problem.hint


def feature(coordinates, extra=""):
    head = '{"type":"FeatureCollection"' + extra + ',"features":[{"type":"Feature","properties":{"id":"07"},'
    return head + '"geometry":{"type":"Point","coordinates":' + coordinates + "}}]}"
