"""What a file says of its coordinates: a datum, a web map, a code, degrees and minutes, or nothing."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import warnings

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from made_outlines import written
from made_plans import INSIDE, OVER, zone_plan
from made_sites import PLAN, E, N, box, frame, lonlat, table
from project_paths import ROOT

import ecospatial as es
from ecospatial import crs as crs_
from ecospatial import io, read_sites
from ecospatial.errors import CrsError
from ecospatial.plans import import_layer, new_plan

VECTOR = ("geojson", "gpkg", "shp", "fgb", "parquet", "gml", "kml")
OLD = ("西安80", "1980西安坐标系", "xian80", "北京54", "1954年北京坐标系", "Beijing_1954")
SHIFTED = ("GCJ-02", "gcj02", "火星坐标系", "BD09", "百度坐标")
CORNERS = [(E, N), (E + 100, N), (E + 100, N + 100), (E, N + 100)]


def texts(error, call):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# ------------------------------------------------------------------------------ names, columns and cells


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from([*VECTOR, "frame"]),
    said=st.sampled_from([*OLD, *SHIFTED[:1]]),
    column=st.sampled_from(["坐标系", "坐标来源", "备注", "坐标基准"]),
)
def test_a_cell_that_names_another_frame_counts_in_every_format(suffix, said, column, tmp_path_factory):
    if suffix == "shp":
        column = {"坐标来源": "坐标系", "坐标基准": "坐标系"}.get(column, column)  # cut to ten bytes
    assume(suffix != "kml" or said in OLD)  # degrees in GCJ-02 are undone, see below
    source = frame(box(), **{column: [said]})
    if suffix != "frame":
        source = written(tmp_path_factory.mktemp("said"), suffix, box(), **{column: [said]})
    told = texts(CrsError, lambda: read_sites(source, plan=PLAN))
    assert said in told
    assert "--crs" in told
    assert len(read_sites(source, plan=PLAN, crs=4326 if suffix == "kml" else 4549)) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from([*VECTOR, "csv", "dxf"]),
    said=st.sampled_from([*OLD, *SHIFTED]),
    before=st.sampled_from(["", "红线_", "2024年-"]),
    after=st.sampled_from(["", "_final", "（报批）"]),
)
def test_a_name_of_a_file_that_names_another_frame_is_refused(suffix, said, before, after, tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    made = written(folder, suffix, box().boundary if suffix == "dxf" else box())
    for part in list(folder.iterdir()):
        part.rename(folder / f"{before}{said}{after}{part.suffix}")
    path = folder / f"{before}{said}{after}{made.suffix}"
    told = texts(CrsError, lambda: read_sites(path, plan=PLAN))
    assert "文件名" in told
    assert said in told
    assert len(read_sites(path, plan=PLAN, crs=4326 if suffix == "kml" else 4549)) == 1


@pytest.mark.parametrize(
    "name",
    ["红线", "2000年红线", "西安路80号", "BD09-03地块", "北京路54-1", "gcj02转cgcs2000", "由西安80转换为CGCS2000"],
)
def test_names_that_name_no_frame_or_tell_of_its_conversion_are_read(name, tmp_path):
    frame(box()).to_file(tmp_path / f"{name}.gpkg")
    assert read_sites(tmp_path / f"{name}.gpkg", plan=PLAN).geometry.iloc[0].equals(box())


@pytest.mark.parametrize(("shift", "forward"), [("GCJ-02", crs_.cgcs2000_to_gcj02), ("bd09", crs_.cgcs2000_to_bd09)])
@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp"])
def test_a_column_of_frames_that_says_a_web_map_is_undone(suffix, shift, forward, tmp_path):
    moved = shapely.transform(lonlat(box()), forward, interleaved=False)
    path = tmp_path / f"a.{suffix}"
    gpd.GeoDataFrame({"坐标系": [shift]}, geometry=[moved], crs=4326).to_file(path)
    sites = read_sites(path, plan=PLAN)
    assert sites.geometry.iloc[0].hausdorff_distance(box()) < 0.01
    assert "反算为 CGCS2000" in sites["repair"].iloc[0]


def test_the_rows_must_be_in_one_frame(tmp_path):
    path = written(tmp_path, "gpkg", box(), box(300), 坐标系=["CGCS2000", "西安80"])
    assert "坐标系不一致：CGCS2000、西安80" in texts(CrsError, lambda: read_sites(path, plan=PLAN))


@pytest.mark.parametrize(("code", "word"), [("EPSG:99999", "99999"), ("EPSG:4548", "EPSG:4548，而文件声明 EPSG:4549")])
def test_a_code_in_a_column_must_be_that_of_the_file(code, word, tmp_path):
    path = written(tmp_path, "gpkg", box(), 坐标系=[code])
    assert word in texts(CrsError, lambda: read_sites(path, plan=PLAN))


@pytest.mark.parametrize(("off", "same"), [(0.0005, True), (0.0052, False)])
def test_a_column_of_web_map_longitudes_counts_when_it_is_the_geometry(off, same, tmp_path):
    degrees = lonlat(shapely.Point(E, N))
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame({"高德经度": [degrees.x + off / 5]}, geometry=[degrees], crs=4490).to_file(path)
    if not same:
        gpd.GeoDataFrame({"高德经度": [degrees.x + off]}, geometry=[degrees], crs=4490).to_file(path)
        assert read_sites(path, plan=PLAN).geometry.iloc[0].distance(shapely.Point(E, N)) < 0.01
    else:
        assert "高德经度" in texts(CrsError, lambda: read_sites(path, plan=PLAN))


@pytest.mark.parametrize(
    "lines",
    [
        ["坐标系：1980西安坐标系,,", "点号,X,Y"],
        ["点号,X坐标（西安80）,Y坐标（西安80）"],
    ],
)
def test_titles_and_heads_of_tables_count(lines, tmp_path):
    rows = [f"J{i},{y},{x}" for i, (x, y) in enumerate(CORNERS, 1)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines, *rows]), encoding="utf-8")
    assert "1980西安坐标系" in texts(CrsError, lambda: read_sites(path, plan=PLAN))


def test_a_text_in_a_drawing_counts(tmp_path):
    import ezdxf

    document = ezdxf.new("R2010", units=6)
    document.modelspace().add_lwpolyline(CORNERS, close=True)
    document.modelspace().add_text("1980西安坐标系，1985国家高程基准")
    document.saveas(tmp_path / "a.dxf")
    assert "1980西安坐标系" in texts(CrsError, lambda: read_sites(tmp_path / "a.dxf", plan=PLAN))


# ------------------------------------------------------------------------------------------ ddd.mmss


def packed(value):
    """Write degrees as ddd.mmss with the seconds to 1e-4, by whole ten thousandths of a second."""
    total = round(value * 36_000_000)
    degrees, rest = divmod(total, 36_000_000)
    minutes, seconds = divmod(rest, 600_000)
    return f"{degrees}.{minutes:02d}{seconds:06d}"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=st.floats(-9000, 9000), y=st.floats(-9000, 9000), suffix=st.sampled_from(["csv", "xlsx"]))
def test_degrees_minutes_and_seconds_in_one_number_are_read_where_the_head_says_so(x, y, suffix, tmp_path_factory):
    corners = [lonlat(shapely.Point(cx + x, cy + y)) for cx, cy in CORNERS]
    head = ["点号", "经度(ddd.mmss)", "纬度（度.分秒）"]
    rows = [[f"J{i}", packed(p.x), packed(p.y)] for i, p in enumerate(corners, 1)]
    path = tmp_path_factory.mktemp("packed") / f"a.{suffix}"
    if suffix == "csv":
        path.write_text("\n".join(",".join(row) for row in [head, *rows]), encoding="utf-8")
    else:
        table(path, head, *[[row[0], float(row[1]), float(row[2])] for row in rows])
    sites = read_sites(path, plan=PLAN, crs=4490)
    assert sites.geometry.iloc[0].hausdorff_distance(box(x, y)) < 0.01  # 1e-4 second is 3 mm
    assert "ddd.mmss" in sites["repair"].iloc[0]


def test_minutes_beyond_59_are_no_minutes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("点号,经度(ddd.mmss),纬度(ddd.mmss)\n1,119.61,31.48\n2,119.62,31.48\n3,119.62,31.49\n", "utf-8")
    assert "119.61" in texts(ValueError, lambda: read_sites(path, plan=PLAN))


def test_a_vector_file_that_says_ddd_mmss_is_refused(tmp_path):
    path = tmp_path / "红线_ddd.mmss.geojson"
    gpd.GeoDataFrame(geometry=[lonlat(box())], crs=4490).to_file(path)
    assert "119°57′36″" in texts(CrsError, lambda: read_sites(path, plan=PLAN))


# ------------------------------------------------------------------------------- declared and not believed


def declared(folder, how):
    """A site whose file declares a CRS that is none."""
    if how == "gpkg":
        path = written(folder, "gpkg", box())
        book = sqlite3.connect(path)
        for statement in (
            "insert into gpkg_spatial_ref_sys values ('x', 88888, 'EPSG', 88888, 'undefined', '')",
            "update gpkg_contents set srs_id = 88888",
            "update gpkg_geometry_columns set srs_id = 88888",
        ):
            book.execute(statement)
        book.commit()
        book.close()
        return path
    if how == "gml":
        path = written(folder, "gml", box())
        path.write_text(path.read_text("utf-8").replace("EPSG::4549", "EPSG::99999"), "utf-8")
        return path
    if how.startswith(("EPSG", "urn")):
        path = folder / "a.geojson"
        content = json.loads(frame(box()).to_json())
        content["crs"] = {"type": "name", "properties": {"name": how}}
        path.write_text(json.dumps(content), "utf-8")
        return path
    path = written(folder, "shp", box())
    path.with_suffix(".prj").write_text(how, "utf-8")
    return path


@pytest.mark.parametrize(
    "how",
    [
        "EPSG:99999",
        "urn:ogc:def:crs:EPSG::99999",
        "gpkg",
        'GEOGCS["GCS_China_2000",DATUM["D_Ch',
        "not a projection",
        'PROJCS["x",GEOGCS["GCS_China_2000"]]',
        'LOCAL_CS["常州城建坐标系",UNIT["m",1]]',
    ],
)
def test_a_declared_crs_that_does_not_exist_is_refused_and_never_replaced(how, tmp_path):
    path = declared(tmp_path, how)
    told = texts(CrsError, lambda: read_sites(path, plan=PLAN))
    assert "坐标系" in told
    assert "无法识别" in told
    assert "--crs" in told
    sites = read_sites(path, plan=PLAN, crs=4549)
    assert sites.geometry.iloc[0].equals(box())
    assert "按指定的 EPSG:4549 处理" in sites["repair"].iloc[0]


@pytest.mark.parametrize("crs", [4490, 4326])
@pytest.mark.parametrize("suffix", ["shp", "gpkg", "fgb", "parquet", "geojson"])
def test_degrees_declared_for_metres_are_refused(suffix, crs, tmp_path):
    path = tmp_path / f"a.{suffix}"
    made = gpd.GeoDataFrame({"remark": ["x"]}, geometry=[box()], crs=crs)
    if suffix == "geojson":
        content = json.loads(made.to_json())
        content["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs}"}}
        path.write_text(json.dumps(content), "utf-8")
    else:
        made.to_parquet(path) if suffix == "parquet" else made.to_file(path)
    assert "而坐标不是经纬度" in texts(CrsError, lambda: read_sites(path, plan=PLAN))
    assert read_sites(path, plan=PLAN, crs=4549).geometry.iloc[0].equals(box())


def test_a_gml_in_a_crs_that_does_not_exist_is_refused(tmp_path):
    told = texts(CrsError, lambda: read_sites(declared(tmp_path, "gml"), plan=PLAN))
    assert "EPSG::99999”不存在或无法识别" in told


def test_an_empty_prj_declares_nothing(tmp_path):
    path = declared(tmp_path, " \n")
    assert read_sites(path, plan=PLAN)["datum_open"].tolist() == [True]


# ------------------------------------------------------------------------------------- proven by position


def bare(path, **columns):
    """Write a site without a CRS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame(columns, geometry=[box()]).to_file(path)


@pytest.mark.parametrize("suffix", ["shp", "gpkg", "dxf", "csv"])
def test_a_crs_proven_by_position_leaves_the_datum_open(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        rows = [f"J{i},{y},{x}" for i, (x, y) in enumerate(CORNERS, 1)]
        path.write_text("\n".join(["点号,X,Y", *rows]), encoding="utf-8")
    elif suffix == "dxf":
        written(tmp_path, "dxf", box().boundary)
    else:
        bare(path, accuracy_m=[0.5])
    own = 0.5 if suffix in ("shp", "gpkg") else 0.0
    sites = read_sites(path, plan=PLAN)
    assert sites["datum_open"].tolist() == [True]
    assert sites["accuracy_m"].tolist() == [own + 150]
    assert any("基准面未证实" in text and "150 m" in text for text in sites.attrs["notices"])
    again = read_sites(sites, plan=PLAN)
    assert again["datum_open"].tolist() == [True]
    assert again["accuracy_m"].tolist() == [own + 150]
    named = read_sites(path, plan=PLAN, crs=4549)
    assert named["datum_open"].tolist() == [False]
    assert named["accuracy_m"].tolist() == [own]


def test_the_column_is_always_there_and_survives_a_file(tmp_path):
    sites = read_sites(frame(box()), plan=PLAN)
    assert sites["datum_open"].dtype == bool
    assert sites["datum_open"].tolist() == [False]
    bare(tmp_path / "a.gpkg", site_id=["A"])
    read_sites(tmp_path / "a.gpkg", plan=PLAN).to_file(tmp_path / "b.gpkg")
    again = read_sites(tmp_path / "b.gpkg", plan=PLAN)
    assert again[["datum_open", "accuracy_m"]].values.tolist() == [[True, 150.0]]


@pytest.mark.parametrize("said", ["2000国家大地坐标系", "CGCS2000"])
def test_a_table_that_names_the_datum_leaves_only_the_zone_to_the_plan(said, tmp_path):
    rows = [f"J{i},{y},{x},{said}" for i, (x, y) in enumerate(CORNERS, 1)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["点号,X,Y,坐标系", *rows]), encoding="utf-8")
    sites = read_sites(path, plan=PLAN)
    assert sites[["datum_open", "accuracy_m"]].values.tolist() == [[False, 0.0]]
    assert math.isclose(sites.area.sum(), 10_000)


# ------------------------------------------------------------------------------- layers and command line


@pytest.mark.parametrize("said", ["西安80", "GCJ-02"])
def test_a_layer_is_read_as_strictly_as_a_site(said, tmp_path):
    new_plan(tmp_path / "plan", crs="EPSG:4549")
    path = written(tmp_path, "gpkg", box(), zone_type=["清水通道维护区"], 坐标系=[said])
    before = (tmp_path / "plan" / "plan.yaml").read_bytes()
    assert "--crs" in texts(CrsError, lambda: import_layer(path, tmp_path / "plan", "control_zone"))
    assert (tmp_path / "plan" / "plan.yaml").read_bytes() == before
    assert said in texts(CrsError, lambda: io.read_vector(path))


def test_a_survey_text_in_an_old_datum_is_no_layer(tmp_path):
    from made_sites import survey

    new_plan(tmp_path / "plan", crs="EPSG:4549")
    path = survey(tmp_path / "a.txt", datum="1980西安坐标系")
    told = texts(CrsError, lambda: import_layer(path, tmp_path / "plan", "urban_boundary"))
    assert "1980西安坐标系" in told


def test_on_the_command_line_evidence_is_one_line_and_exit_2(tmp_path):
    folder = zone_plan(tmp_path / "plan", [OVER])
    gpd.GeoDataFrame(geometry=[INSIDE], crs=4549).to_file(tmp_path / "西安80.gpkg")
    command = [sys.executable, "-m", "ecospatial", "check", str(tmp_path / "西安80.gpkg"), "--plan", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
    told = (done.stdout + done.stderr).decode("utf-8")
    assert done.returncode == 2
    assert "1980西安坐标系" in told
    assert "Traceback" not in told
    assert es.read_sites(tmp_path / "西安80.gpkg", crs=4549).geometry.iloc[0].equals(INSIDE)
