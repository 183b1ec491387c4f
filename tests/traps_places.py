"""Traps of coordinates: which frame counts, and where that puts the site."""

from __future__ import annotations

import warnings

import numpy as np
import shapely
from made_traps import BOX, PLAN, SITE, SQUARE, E, N, bad, csv, frame, geojson, lonlat, ok, table_rows, vector, write
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.errors import CrsError, SiteError

XY = ["地块编号", "点号", "X", "Y"]
PLANE = csv(XY, *table_rows())
WEB = crs_.transform(np.array([BOX], dtype=object), PLAN.crs, CRS.from_epsg(3857))[0]
NEIGHBOUR = crs_.transform(np.array([BOX], dtype=object), PLAN.crs, CRS.from_epsg(4548))[0]
SWAPPED = shapely.transform(BOX, lambda v: v[:, ::-1])
PREFIXED = shapely.transform(BOX, lambda v: v + np.array([4e7, 0.0]))
DEGREES = lonlat(BOX)
FLIPPED = shapely.transform(DEGREES, lambda v: v[:, ::-1])
FAR = shapely.box(E + 60000, N, E + 60100, N + 100)
# Local grid: 1000 m to the east and 2000 m to the south of the plane, turned by 90 degrees clockwise.
LOCAL = csv(["东坐标", "北坐标"], *[[y + 7000, -x + 9000] for x, y in SQUARE])
TURN = f"{E + 9000 + 500},{N - 7000 + 400},90,1"


def shifted(form):
    forward = {"gcj02": crs_.cgcs2000_to_gcj02, "bd09": crs_.cgcs2000_to_bd09}[form]
    return shapely.transform(DEGREES, forward, interleaved=False)


def old_datum():
    """The site in Xian 80 as seven parameters put it there: only a shift of 100 m along one axis and scale 0."""
    seven = crs_.stated(2385, towgs84="100,0,0,0,0,0,0")
    assert seven is not None and seven.crs is not None
    return crs_.transform(np.array([BOX], dtype=object), PLAN.crs, seven.crs)[0]


def plane(shape):
    """A maker of a file that says nothing of its coordinates."""

    def make(folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return vector("a.gpkg", frame(shape, crs=None), driver="GPKG")(folder)

    return make


def labelled(shape, crs):
    return vector("a.gpkg", frame(shape, crs=crs), driver="GPKG")


def folder_of_both(folder):
    """Two files in two frames, one folder."""
    labelled(BOX, 4549)(folder)
    geojson(lonlat(shapely.box(E + 1000, N, E + 1100, N + 100)), name="b.geojson", 编号="二")(folder)
    return folder


def pattern(folder):
    folder_of_both(folder)
    return folder / "*.gpkg"


TRAPS = [
    ok("caller-counts", labelled(BOX, 4528), SITE, "文件声明 EPSG:4528", "按指定的 EPSG:4549", crs="EPSG:4549"),
    ok("caller-as-number", plane(BOX), crs=4549),
    ok("caller-as-proj", plane(BOX), crs="+proj=tmerc +lat_0=0 +lon_0=120 +k=1 +x_0=500000 +ellps=GRS80 +units=m"),
    ok("caller-as-wkt", plane(BOX), crs=CRS.from_epsg(4549).to_wkt()),
    ok("neighbour-zone-said", labelled(NEIGHBOUR, 4548), tolerance=60.0),
    ok("web-mercator-said", labelled(WEB, 3857)),
    ok("gcj02", csv(["WKT"], [f'"{shifted("gcj02").wkt}"']), SITE, "GCJ-02", crs="gcj02", tolerance=1.0),
    ok("bd09", csv(["WKT"], [f'"{shifted("bd09").wkt}"']), SITE, "BD-09", crs="bd09", tolerance=1.0),
    ok("proven-plane", plane(BOX), SITE, "按 EPSG:4549 位于钟楼区内"),
    ok("proven-prefix", plane(PREFIXED), SITE, "EPSG:4528"),
    ok("proven-neighbour", plane(NEIGHBOUR), SITE, "EPSG:4548", tolerance=60.0),
    ok("proven-swapped", plane(SWAPPED), SITE, "X、Y 已对调"),
    ok("proven-degrees-swapped", plane(FLIPPED), SITE, "X、Y 已对调", tolerance=1.0),
    ok("folder-of-two-frames", folder_of_both, 20000.0, count=2, tolerance=1.0),
    ok("a-pattern", pattern),
    ok("far-but-allowed", labelled(FAR, 4549), allow_far=True),
    ok("long-edge", geojson(shapely.box(119.90, 31.75, 120.00, 31.85)), 104964000.0, tolerance=110000.0),
    ok("four-params", LOCAL, SITE, "四参数", "90", four_params=TURN),
    ok("four-params-scale", LOCAL, SITE * 1.0001**2, "1.0001", four_params=f"{TURN[:-2]},1.0001", allow_far=True),
    ok("towgs84", plane(old_datum()), SITE, "七参数", "100, 0, 0", crs=2385, towgs84="100,0,0,0,0,0,0", tolerance=1.0),
    ok(
        "towgs84-in-proj",
        plane(BOX),
        SITE,
        crs="+proj=tmerc +lon_0=120 +x_0=500000 +ellps=IAU76 +towgs84=0,0,0,0,0,0,0",
        tolerance=1.0,
    ),
    bad("metres-called-degrees", geojson(BOX), CrsError, "不是经纬度", crs=4490),
    bad("degrees-called-metres", labelled(DEGREES, 4549), CrsError, "坐标是经纬度", "EPSG:4490"),
    bad("degrees-called-metres-no-plan", labelled(DEGREES, 4549), CrsError, "坐标是经纬度", plan=None),
    bad("prefix-not-in-crs", plane(PREFIXED), CrsError, "带号前缀", "EPSG:4528", crs=4549),
    bad("prefix-only-in-crs", plane(BOX), CrsError, "没有带号前缀", crs=4528),
    bad("wrong-zone", plane(BOX), CrsError, "偏西", "EPSG:4549 位于钟楼区内 9.9 km；", crs=4548),
    bad("swapped-but-labelled", labelled(SWAPPED, 4549), CrsError, "X、Y 对调", "位于钟楼区内"),
    bad("web-mercator-unsaid", plane(WEB), CrsError, "没有坐标系", "--crs"),
    bad("far", labelled(FAR, 4549), SiteError, "20 km 以上", "偏东", "50 km", "--allow-far"),
    bad("no-crs-no-plan", plane(BOX), CrsError, "没有坐标系", "EPSG:4549", plan=None),
    bad("xian80", plane(BOX), CrsError, "1980西安", "七参数", crs=2385),
    bad("beijing54", plane(BOX), CrsError, "1954北京", crs=2437),
    bad("xian80-in-file", labelled(BOX, 2385), CrsError, "1980西安"),
    bad("crs-unknown", PLANE, CrsError, "无法识别", "EPSG:4549", crs="常州"),
    bad("crs-no-place", PLANE, CrsError, "坐标系", crs='LOCAL_CS["x",UNIT["metre",1]]'),
    bad("crs-grid-file", PLANE, CrsError, "无法识别", crs="+proj=utm +zone=50 +nadgrids=/etc/passwd"),
    bad("gcj02-of-metres", PLANE, CrsError, "GCJ-02", "--crs", crs="gcj02"),
    bad("towgs84-six", PLANE, CrsError, "7 个数字", crs=2385, towgs84="1,2,3,4,5,6"),
    bad("towgs84-letters", PLANE, CrsError, "7 个数字", crs=2385, towgs84="1,2,3,4,5,6,x"),
    bad("towgs84-no-crs", PLANE, CrsError, "--crs", "EPSG:2385", towgs84="1,2,3,4,5,6,7"),
    bad("towgs84-too-large", PLANE, CrsError, "大得不可能", crs=2385, towgs84="1,2,3,4000,5,6,7"),
    bad("four-params-three", PLANE, CrsError, "4 个数字", four_params="1,2,3"),
    bad("four-params-scale-in-ppm", PLANE, CrsError, "比例", four_params="1,2,3,5"),
    bad("four-params-nowhere", PLANE, CrsError, "换算到哪个坐标系", plan=None, four_params="1,2,0,1"),
    bad("both-params", PLANE, CrsError, "不能同时", four_params="1,2,0,1", towgs84="1,2,3,4,5,6,7"),
    bad("plan-nowhere-near", write("a.csv", "X,Y\n1,2\n5,2\n5,9"), CrsError, "坐标"),
]
