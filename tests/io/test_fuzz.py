"""Whatever stands in a file, only our own errors come out of our own parsers."""

from __future__ import annotations

import io
import math
import zipfile

import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_traps import HEAD, corners, parcel

from ecospatial import io as io_
from ecospatial.crs import stated
from ecospatial.errors import CrsError, SiteError
from ecospatial.io._encoding import degrees, number
from ecospatial.sites import read_sites

BOUNDED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
SURVEY = HEAD + "[地块坐标]\n" + "\n".join(parcel(*corners()))
CSV = "地块编号,圈号,点号,X,Y\n" + "\n".join(f"A,1,{i},{3520000 + i},{500000 + i * i}" for i in range(5))
CASS = "\n".join(f"{i},,{500000 + i * i},{3520000 + i},4.5" for i in range(5))
DXF = (
    "0 SECTION 2 ENTITIES 0 LWPOLYLINE 8 红线 90 3 70 1 10 500000 20 3520000 10 500100 20 3520000 10 500100 20 3520100 "
    "0 ENDSEC 0 EOF "
).replace(" ", "\n")
RING = "[[119.95, 31.79], [119.96, 31.79], [119.96, 31.8], [119.95, 31.79]]"
JSON = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": 1}, '
    f'"geometry": {{"type": "Polygon", "coordinates": [{RING}]}}}}]}}'
)
WKT = "SRID=4549;POLYGON ((500000 3520000, 500100 3520000, 500100 3520100, 500000 3520000))"
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["nan", "1e999", "-", "\0", "\ufeff", ",,,,", "@", "J1,1,", '"', "40500000", "\n\n", "=", "°", "′", "[", "面"]
    ),
)


@st.composite
def mangled(draw, text):
    """Text with some places cut out, doubled or replaced."""
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(PIECES) + text[end:]
    encoding = draw(st.sampled_from(["utf-8", "gb18030", "utf-16"]))
    return text.encode(encoding, errors="replace")


def checked(drawing):
    """What is read has one fault list, note and row for each geometry, and no number that is none."""
    assert len(drawing.geometry) == len(drawing.rows) == len(drawing.faults) == len(drawing.notes)
    for shape, faults in zip(drawing.geometry, drawing.faults, strict=True):
        assert shape is None or not faults
        assert shape is None or all(map(math.isfinite, shapely.get_coordinates(shape).ravel()))


def reads(read, path, content):
    path.write_bytes(content)
    try:
        checked(read(path))
    except SiteError as error:
        assert error.problems
        assert all(problem.hint for problem in error.problems)


@BOUNDED
@given(content=st.one_of(mangled(SURVEY), st.binary(max_size=200)))
def test_survey(tmp_path, content):
    reads(io_.read_survey, tmp_path / "a.txt", content)


@BOUNDED
@given(content=st.one_of(mangled(CASS), st.binary(max_size=200)))
def test_cass(tmp_path, content):
    reads(io_.read_cass, tmp_path / "a.dat", content)


@BOUNDED
@given(content=st.one_of(mangled(CSV), st.binary(max_size=200)))
def test_csv(tmp_path, content):
    reads(io_.read_coordinates, tmp_path / "a.csv", content)


@BOUNDED
@given(content=st.one_of(mangled(DXF), st.binary(max_size=200)))
def test_dxf(tmp_path, content):
    reads(io_.read_dxf, tmp_path / "a.dxf", content)


@BOUNDED
@example(text="1E310POLYGON ((500000 3520000, 500100 3520000, 500100 3520100, 500000 3520000))")
@example(text="POLYGON ((1E310 0, 1 0, 1 1, 1E310 0))")
@given(text=mangled(WKT).map(lambda raw: raw.decode("utf-8", errors="replace")))
def test_wkt(text):
    try:
        io_.read_wkt(text)
    except SiteError as error:
        assert error.problems


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    from made_traps import book, table_rows

    path = book(["地块编号", "点号", "X", "Y"], *table_rows())(tmp_path_factory.mktemp("book"))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@BOUNDED
@given(data=st.data())
def test_workbook(tmp_path, workbook, data):
    name = data.draw(st.sampled_from(sorted(workbook)))
    raw = workbook[name]
    start = data.draw(st.integers(0, len(raw)))
    piece = data.draw(
        st.one_of(st.binary(max_size=6), st.sampled_from([b"<row>", b"NaN", b'"', b"</c>", b"9999999", b"s", b""]))
    )
    changed = raw[:start] + piece + raw[start + data.draw(st.integers(0, 20)) :]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member, content in workbook.items():
            archive.writestr(member, changed if member == name else content)
    reads(io_.read_coordinates, tmp_path / "a.xlsx", packed.getvalue())


@BOUNDED
@given(content=st.one_of(mangled(JSON), st.binary(max_size=100)))
def test_geojson(tmp_path, content):
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    try:
        io_.read_vector(path)
    except SiteError as error:
        assert error.problems


@BOUNDED
@given(text=st.text(max_size=30))
def test_numbers_and_parameters(text):
    for read in (number, degrees):
        value = read(text)
        assert value is None or math.isfinite(value)
    for option in ("towgs84", "four_params"):
        try:
            stated(2385, **{option: text})
        except CrsError as error:
            assert error.problems


@BOUNDED
@given(content=mangled(SURVEY))
def test_the_whole_way(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    try:
        sites = read_sites(path, crs=4549, skip_bad=True)
    except (SiteError, CrsError) as error:
        assert error.problems
    else:
        assert sites.is_valid.all()
