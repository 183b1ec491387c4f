"""Sites on a local metre grid, and the files that hold them."""

from __future__ import annotations

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from pyproj import CRS

from ecospatial import crs as crs_
from ecospatial.model import FACTS

E, N = 500000, 3520000
AREA = shapely.box(490000, 3510000, 510000, 3530000)
PLAN = SimpleNamespace(crs=CRS.from_epsg(4549), area=AREA, title="钟楼区")
EMPTY_PLAN = SimpleNamespace(crs=CRS.from_epsg(4549), area=None, title="空规划")
OURS = ["site_name", "activity", "works", "land_use", "accuracy_m", *FACTS]
OURS += ["repair", "repair_area_m2", "datum_open", "source"]


def box(x=0.0, y=0.0, size=100.0):
    return shapely.box(E + x, N + y, E + x + size, N + y + size)


def frame(*shapes, crs=4549, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes or [box(), box(200)]), crs=crs)


def lonlat(shape):
    return crs_.transform(np.array([shape], dtype=object), PLAN.crs, crs_.CGCS2000)[0]


def table(path, head, *rows):
    book = openpyxl.Workbook()
    book.active.append(head)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def survey(path, *parcels, zone="40", datum="2000国家大地坐标系", east=E):
    lines = [
        "[属性描述]",
        f"坐标系={datum}",
        "几度分带=3",
        "投影类型=高斯克吕格",
        "计量单位=米",
        f"带号={zone}",
        "[地块坐标]",
    ]
    for number, x in parcels or [("A-1", 0)]:
        lines.append(f"4,1.0000,{number},厂房,面,,工业用地,0701,@")
        ring = [(0, 0), (100, 0), (100, 100), (0, 100)]
        lines += [f"J{i},1,{N + dy},{east + x + dx}" for i, (dx, dy) in enumerate(ring, 1)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def problems(error, call):
    with pytest.raises(error) as caught:
        call()
    for problem in caught.value.problems:
        assert "/" not in problem.file
    return caught.value.problems


def texts(error, call):
    return "\n".join(str(problem) for problem in problems(error, call))


def facts(path, head, *rows):
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path
