"""The audit against a second program: PostGIS, from Debian's packages, on a random partition with planted faults.

The server is started here on a cluster of its own in a temporary folder, reached by a Unix socket only. Debian:
``apt-get install postgresql postgresql-postgis``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import made_audits
import numpy as np
import pytest
import shapely
from made_audits import DISTRICT, ON, SPACES, sound
from made_plans import rule
from shapely import LineString

import ecospatial as es
from ecospatial.audits import audit
from ecospatial.audits.topology import shared
from ecospatial.checks.control_overlay import area_by_verdict, base_map

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")
VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))


def programs():
    """The folder of the newest server that has PostGIS beside it; None without one."""
    for initdb in reversed(VERSIONS):
        if Path(f"/usr/share/postgresql/{initdb.parts[4]}/extension/postgis.control").exists():
            return initdb.parent
    return None


class Server:
    """A server of our own; ``rows`` sends SQL and gives what comes back."""

    def __init__(self, folder, bin_):
        self.folder, self.bin = folder, bin_
        # initdb refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(folder, "postgres")
        self.run("initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c jit=off"
        self.run("pg_ctl", "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "-t", "60", "start")
        self.rows("create extension postgis")

    def run(self, name, *arguments, text=None):
        command = [*self.user, str(self.bin / name), *(str(argument) for argument in arguments)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=self.folder)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def rows(self, sql):
        said = self.run("psql", "-h", self.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtF", "|", text=sql)
        return [line.split("|") for line in said.splitlines() if line]

    def table(self, table, shapes, **columns):
        """Make a table of geometries in EPSG:4549 with text columns, in place of one of that name."""
        declared = "".join(f", {column} text" for column in columns)
        texts = [list(values) for values in columns.values()]
        lines = [
            "\t".join(
                [str(number), f"SRID=4549;{shapely.to_wkt(shape, rounding_precision=-1)}", *(v[number] for v in texts)]
            )
            for number, shape in enumerate(shapes)
        ]
        made = f"drop table if exists {table}; create table {table} (id int, g geometry(Geometry, 4549){declared});"
        self.rows("\n".join([made, f"copy {table} from stdin;", *lines, "\\.\n"]))

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="module")
def postgis():
    bin_ = programs()
    if bin_ is None:
        reason = "PostGIS is absent: apt-get install postgresql postgresql-postgis"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = None
    try:
        server = Server(folder, bin_)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def cells(count, seed):
    """A random partition of the district: no gap, no overlap."""
    draw = np.random.default_rng(seed)
    west, south, east, north = DISTRICT.bounds
    points = shapely.MultiPoint(np.column_stack([draw.uniform(west, east, count), draw.uniform(south, north, count)]))
    found = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=DISTRICT))
    found = shapely.intersection(found, DISTRICT)
    return found[shapely.area(found) > 1]


def faulty(shapes, seed):
    """Some cells grown by 4 m (they overlap and stick out), some shrunk by 3 m (they leave gaps)."""
    draw = np.random.default_rng(seed)
    what = draw.integers(0, 4, len(shapes))
    change = np.select([what == 0, what == 1], [4.0, -3.0], 0.0)
    return np.asarray(shapely.buffer(shapes, change, join_style="mitre"), dtype=object)


@pytest.mark.parametrize("seed", [1, 2])
def test_overlaps_gaps_and_what_sticks_out(postgis, tmp_path, seed):
    shapes = faulty(cells(120, seed), seed)
    words = [SPACES[number % 3] for number in range(len(shapes))]
    postgis.table("faulty", shapes)
    frame = audit(es.open_plan(sound(tmp_path, territorial_space=(list(shapes), {"space": words}))), on=ON).frame
    ours = frame[frame["layer"] == "territorial_space"]

    theirs = postgis.rows(
        "select a.id, b.id, ST_Area(ST_Intersection(a.g, b.g)) from faulty a join faulty b "
        "on a.id < b.id and ST_Intersects(a.g, b.g) where ST_Area(ST_Intersection(a.g, b.g)) > 0.01"
    )
    expected = {(int(left), int(right)): float(area) for left, right, area in theirs}
    overlaps = ours[ours["check"] == "overlap"]
    pairs = overlaps["features"].str.extract(r":(\d+);.*:(\d+)").astype(int) - 1
    found = dict(zip(map(tuple, np.sort(pairs.to_numpy(), axis=1).tolist()), overlaps["area_m2"], strict=True))
    assert len(expected) > 50
    assert found.keys() == expected.keys()
    assert [found[key] for key in expected] == pytest.approx(list(expected.values()), rel=1e-6, abs=1e-4)

    postgis.table("district", [DISTRICT])
    rest = postgis.rows(
        "select ST_Area((ST_Dump(ST_Difference(g, (select ST_Union(g) from faulty)))).geom) from district"
    )
    gaps = sorted(float(area) for (area,) in rest if float(area) > 0.01)
    assert len(gaps) > 5
    assert sorted(ours.loc[ours["check"] == "gap", "area_m2"]) == pytest.approx(gaps, rel=1e-6, abs=1e-4)

    out = postgis.rows("select f.id, ST_Area(ST_Difference(f.g, d.g)) from faulty f, district d")
    beyond = {f"territorial_space:{int(id_) + 1}": float(area) for id_, area in out if float(area) > 0.01}
    outside = ours[ours["check"] == "outside"].set_index("features")["area_m2"].to_dict()
    assert outside == pytest.approx(beyond, rel=1e-6, abs=1e-4)


def test_a_ledger(postgis, tmp_path):
    shapes = cells(90, 5)
    words = [SPACES[number % 3] for number in range(len(shapes))]
    towns = cells(7, 6)
    names = [f"镇{number}" for number in range(len(towns))]
    postgis.table("land", shapes, space=words)
    postgis.table("towns", towns, town=names)
    changes = {"territorial_space": (list(shapes), {"space": words}), "town": (list(towns), {"feature_name": names})}
    table = audit(es.open_plan(sound(tmp_path, **changes)), on=ON).ledger
    ours = table[table["kind"] == "territorial_space"].set_index(["unit", "class"])
    theirs = postgis.rows(
        "select t.town, l.space, sum(ST_Area(ST_Intersection(t.g, l.g))), "
        "sum(ST_Area(ST_Transform(ST_Segmentize(ST_Intersection(t.g, l.g), 500), 4490)::geography)) "
        "from towns t join land l on ST_Intersects(t.g, l.g) group by 1, 2"
    )
    assert len(theirs) > 15
    for town, space, plane, ellipsoid in theirs:
        row = ours.loc[(town, space)]
        assert row["area_m2"] == pytest.approx(float(plane), abs=0.05)
        assert row["area_ellipsoidal_m2"] == pytest.approx(float(ellipsoid), rel=1e-5, abs=1)
    assert ours.loc[("合计", "未覆盖"), "area_m2"] == pytest.approx(0, abs=0.01)


def test_a_base_map(postgis, tmp_path):
    shapes = cells(60, 9)
    farms, reds = list(shapes[::3]), list(shapes[1::3])
    river = LineString(np.column_stack([np.linspace(501000, 509000, 40), 3525000 + 2000 * np.sin(np.arange(40) / 4)]))
    postgis.table("farms", farms)
    postgis.table("reds", reds)
    postgis.table("river", [river])
    postgis.table("district", [DISTRICT])
    made_audits.write(tmp_path, "bank.gpkg", [river], river=["北河"])
    rules = [
        rule("FARM", relation="overlaps", layer="basic_farmland"),
        rule("RED", relation="overlaps", layer="eco_redline", effect="restricted"),
        rule("RIVER", within_m=800),
    ]
    more = [made_audits.entry("bank_line", "bank.gpkg", coverage="district+5000")]
    made = es.open_plan(sound(tmp_path, rules=rules, more=more, basic_farmland=farms, eco_redline=reds))
    ours = area_by_verdict(base_map(made, on=ON))["area_m2"]
    ((banned, limited),) = postgis.rows(
        "with f as (select ST_Union(g) g from farms), r as (select ST_Union(g) g from reds), "
        "s as (select ST_Intersection(ST_Buffer(river.g, 800, 'quad_segs=64'), district.g) g from river, district), "
        "p as (select ST_Union(f.g, s.g) g from f, s) "
        "select ST_Area(p.g), ST_Area(ST_Difference(r.g, p.g)) from p, r"
    )
    assert ours["prohibited"] == pytest.approx(float(banned), rel=1e-6)
    assert ours["restricted"] == pytest.approx(float(limited), rel=1e-6)
    assert ours.sum() == pytest.approx(1e8, rel=1e-6)


def test_the_kernel_on_a_thousand_cells(postgis):
    shapes = faulty(cells(1000, 12), 12)
    postgis.table("thousand", shapes)
    ((count, area),) = postgis.rows(
        "select count(*), sum(ST_Area(ST_Intersection(a.g, b.g))) from thousand a join thousand b "
        "on a.id < b.id and ST_Intersects(a.g, b.g) where ST_Area(ST_Intersection(a.g, b.g)) > 0.01"
    )
    ours = shared(shapes)
    assert len(ours) == int(count)
    assert sum(pair.shape.area for pair in ours) == pytest.approx(float(area), rel=1e-9)
