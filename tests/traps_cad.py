"""Traps of CAD drawings (DXF) and of drawings that only look like ones."""

from __future__ import annotations

import math

import ezdxf
from made_traps import SITE, SQUARE, E, N, bad, ok, then, write

from ecospatial.errors import CrsError, SiteError

CORNERS = [(E + x, N + y) for x, y in SQUARE]
HALF = [(E, N, 1.0), (E + 100, N, 1.0)]  # two half circles: a circle of 50 m radius
CIRCLE = math.pi * 2500


def dxf(*draw, units=6, version="R2010", encoding=None, layers=()):
    """A maker of a drawing; each function draws into the model space."""

    def make(folder):
        document = ezdxf.new(version)
        if version != "R12":
            document.header["$INSUNITS"] = units
        for name, state in layers:
            layer = document.layers.add(name)
            getattr(layer, state)()
        for one in draw:
            one(document.modelspace(), document)
        if encoding:
            document.encoding = encoding
        document.saveas(folder / "红线.dxf")
        return folder / "红线.dxf"

    return make


def pline(points=CORNERS, *, layer="红线", close=True, scale=1.0, **more):
    def draw(space, _):
        found = [(x * scale, y * scale, *rest) for x, y, *rest in points]
        form = "xyb" if len(found[0]) == 3 else "xy"
        space.add_lwpolyline(found, close=close, format=form, dxfattribs={"layer": layer, **more})

    return draw


def heavy(points=CORNERS, **more):
    def draw(space, _):
        space.add_polyline2d([(x, y) for x, y in points], dxfattribs={"layer": "红线", **more}).close(True)

    return draw


def circle(space, _):
    space.add_circle((E + 50, N + 50), 50, dxfattribs={"layer": "红线"})


def text(space, _):
    space.add_text("红线", dxfattribs={"layer": "注记"})


def line(space, _):
    space.add_line(CORNERS[0], CORNERS[1], dxfattribs={"layer": "红线"})


def block(scale=1.0, depth=1, rows=1):
    """A square of 10 m in blocks within blocks, inserted at the corner of the site."""

    def draw(space, document):
        inner = document.blocks.new("B0")
        inner.add_lwpolyline([(0, 0), (10, 0), (10, 10), (0, 10)], close=True, dxfattribs={"layer": "0"})
        for i in range(1, depth):
            outer = document.blocks.new(f"B{i}")
            for _ in range(rows):
                outer.add_blockref(f"B{i - 1}", (0, 0), dxfattribs={"layer": "0"})
        space.add_blockref(f"B{depth - 1}", (E, N), dxfattribs={"layer": "红线", "xscale": scale, "yscale": scale})

    return draw


def gap(size):
    return pline([*CORNERS, (E, N + size)], close=False)


TRAPS = [
    ok("dxf-closed", dxf(pline()), SITE, "未声明坐标系", "EPSG:4549"),
    ok("dxf-old-polyline", dxf(heavy())),
    ok("dxf-r12", dxf(heavy(), version="R12")),
    ok("dxf-gbk-layer", dxf(heavy(), version="R12", encoding="gbk"), layer="红线"),
    ok("dxf-bulges", dxf(pline(HALF)), CIRCLE, "曲线已转为折线", tolerance=0.32),
    ok("dxf-bulges-other-way", dxf(pline([(x, y, -b) for x, y, b in HALF])), CIRCLE, tolerance=0.32),
    ok("dxf-circle", dxf(circle), CIRCLE, tolerance=0.32),
    ok("dxf-nearly-closed", dxf(gap(0.05)), SITE, "首尾相距 0.050 m，已闭合", tolerance=3.0),
    ok("dxf-closed-by-last-point", dxf(gap(0.0))),
    ok("dxf-open", dxf(gap(5.0)), 0.0, "不闭合", "线状", kind="LineString"),
    ok("dxf-millimetres", dxf(pline(scale=1000.0), units=4), SITE, "图纸单位为毫米，已换算为米"),
    ok(
        "dxf-millimetres-nearly-closed",
        dxf(pline([*CORNERS, (E, N + 0.05)], close=False, scale=1000.0), units=4),
        SITE,
        "首尾相距 0.050 m",
        tolerance=3.0,
    ),
    ok("dxf-unit-lies", dxf(pline(), units=4), SITE, "单位写毫米", "按米处理"),
    ok("dxf-no-unit", dxf(pline(), units=0)),
    ok("dxf-swapped", dxf(pline([(y, x) for x, y in CORNERS])), SITE, "标反"),
    ok("dxf-prefix", dxf(pline([(40e6 + x, y) for x, y in CORNERS])), SITE, "EPSG:4528"),
    ok("dxf-text-beside", dxf(pline(), text)),
    ok("dxf-line-beside", dxf(line), 0.0, kind="LineString"),
    ok("dxf-frozen-left-out", dxf(pline(), pline(layer="旧线"), layers=[("旧线", "freeze")]), SITE, "旧线", "冻结"),
    ok("dxf-off-left-out", dxf(pline(), pline(layer="旧线"), layers=[("旧线", "off")]), SITE, "旧线", "关闭"),
    ok("dxf-defpoints-left-out", dxf(pline(), pline(layer="Defpoints"))),
    ok("dxf-layer-named", dxf(pline(), circle, pline(layer="范围")), SITE, layer="范围"),
    ok("dxf-block-scaled", dxf(block(scale=2.0)), 400.0),
    ok(
        "dxf-hatch-said",
        dxf(pline(), lambda space, _: space.add_hatch(dxfattribs={"layer": "红线"})),
        SITE,
        "HATCH 1 个",
    ),
    ok("dxf-seen-from-below", dxf(pline([(-x, y) for x, y in CORNERS], extrusion=(0, 0, -1)))),
    bad("dxf-several-layers", dxf(pline(), pline(layer="范围")), SiteError, "2 个图层", "红线", "范围", "--layer"),
    bad("dxf-no-such-layer", dxf(pline()), SiteError, "没有图层“道路”", "红线", layer="道路"),
    bad("dxf-nothing", dxf(text), SiteError, "没有可用的多段线", "PLINE"),
    bad("dxf-all-frozen", dxf(pline(), layers=[("红线", "freeze")]), SiteError, "没有可用的多段线", "解冻"),
    bad("dxf-unit-unclear", dxf(pline([(0, 0), (9, 0), (9, 9)]), units=4), SiteError, "毫米", "UNITS"),
    bad("dxf-local-numbers", dxf(pline([(0, 0), (9, 0), (9, 9)])), CrsError, "没有坐标系", "--crs"),
    bad("dxf-cut-off", then(dxf(pline()), lambda p: p.write_bytes(p.read_bytes()[:-40]) and None), SiteError, "EOF"),
    bad(
        "dxf-broken",
        write("红线.dxf", "0\nSECTION\n2\nENTITIES\n0\nLINE\n10\nx\n0\nENDSEC\n0\nEOF\n"),
        SiteError,
        "损坏",
    ),
    bad("dxf-binary", write("红线.dxf", b"AutoCAD Binary DXF\r\n\x1a\0"), SiteError, "内容不是 .dxf", "文本格式"),
    bad("dxf-no-dxf", write("红线.dxf", "红线"), SiteError, "EOF"),
    bad("dxf-block-bomb", dxf(block(depth=7, rows=20)), SiteError, "超过", "WBLOCK"),
    bad(
        "dxf-many-records",
        write("红线.dxf", "0\nSECTION\n" + "0\nLINE\n" * 50_000 + "0\nEOF\n"),
        SiteError,
        "超过",
        "WBLOCK",
    ),
    bad("dwg", write("红线.dwg", b"AC1032"), SiteError, "DXF"),
]
