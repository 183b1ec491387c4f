"""Traps of survey text and CASS points."""

from __future__ import annotations

from made_traps import HEAD, SITE, SQUARE, E, N, bad, changed, corners, ok, parcel, survey, write

from ecospatial.errors import CrsError, SiteError

HOLE = [(40, 40), (60, 40), (60, 60), (40, 60)]
FAR_AWAY = [(x + 1000, y) for x, y in SQUARE]
ZONE_39 = 39784212.463  # 120 degrees east, 31.78 north in zone 39; 500000 E in zone 40 is the same meridian


def cass(*lines, encoding="utf-8"):
    return write("点.dat", "\n".join(lines), encoding=encoding)


def points(form="{i},,{e:.3f},{n:.3f},4.5", ring=SQUARE):
    return [form.format(i=i, e=E + x, n=N + y) for i, (x, y) in enumerate(ring, 1)]


def bow_tie():
    return parcel(*corners([(0, 0), (100, 100), (100, 0), (0, 100)]))


SURVEY = [
    *(ok(f"survey-{e}", survey(encoding=e)) for e in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16")),
    ok("survey-crlf", survey(joint="\r\n")),
    ok("survey-cr", survey(joint="\r")),
    ok("survey-closed-ring", survey(parcel(*corners([*SQUARE, SQUARE[0]])))),
    ok("survey-plain-point-names", survey(parcel(*corners(mark="{},{},{:.3f},{:.3f}")))),
    ok("survey-wide-commas", survey(parcel(*corners(mark="J{}，{}，{:.3f}，{:.3f}")))),
    ok("survey-leading-blanks", survey(head="  " + HEAD)),
    ok("survey-no-head", survey(head="[属性描述]"), SITE, "未声明坐标系", "EPSG:4549"),
    ok("survey-zone-empty", survey(head=changed("带号=40", "带号=")), SITE, "未声明坐标系"),
    ok("survey-zone-in-words", survey(head=changed("几度分带=3", "几度分带=3度带"))),
    ok("survey-prefix", survey(parcel(*corners(east=40500000)))),
    ok("survey-prefix-only", survey(parcel(*corners(east=40500000)), head=changed("带号=40", "带号="))),
    ok("survey-area-with-unit", survey(parcel(*corners(), area="1.0公顷"))),
    ok("survey-area-differs", survey(parcel(*corners(), area="3.5")), SITE, "文件所载面积 35000 m²"),
    ok("survey-area-in-mu", survey(parcel(*corners(), area="15亩"))),
    ok("survey-hole", survey(parcel(*corners(), *corners(HOLE, ring=2))), 9600.0),
    ok(
        "survey-hole-numbered-on",
        survey(parcel(*corners(), *corners(HOLE, ring=2, mark="J1{},{},{:.3f},{:.3f}"))),
        9600,
    ),
    ok("survey-two-parts", survey(parcel(*corners(), *corners(FAR_AWAY, ring=2))), 20000.0, kind="MultiPolygon"),
    ok("survey-two-parcels", survey(parcel(*corners()), parcel(*corners(FAR_AWAY), number="A-2")), 20000.0, count=2),
    ok("survey-swapped", survey(parcel(*corners(swap=True))), SITE, "标反", "已按北坐标 7 位"),
    ok("survey-bad-closing", survey(parcel(*corners(), f"J1,1,{N},{N}")), SITE, "闭合点"),
    ok(
        "survey-bow-tie", survey(bow_tie()), 5000.0, "边界自相交", "0.00 → 5000.00", "结论均不确定", kind="MultiPolygon"
    ),
    ok("survey-point", survey(parcel(*corners([(5, 5)]), shape="点")), 0.0, kind="Point"),
    ok("survey-line", survey(parcel(*corners(SQUARE[:2]), shape="线")), 0.0, kind="LineString"),
    ok(
        "survey-1980-but-given",
        survey(head=changed("2000国家大地坐标系", "1980西安坐标系")),
        SITE,
        "1980西安",
        crs=4549,
    ),
    ok(
        "survey-two-zones",
        survey(parcel(*corners(east=40500000)), parcel(*corners(east=ZONE_39), number="B"), head="[属性描述]"),
        20000.0,
        count=2,
        tolerance=60.0,
    ),
    bad("survey-1980", survey(head=changed("2000国家大地坐标系", "1980西安坐标系")), CrsError, "1980西安", "七参数"),
    bad("survey-1954", survey(head=changed("2000国家大地坐标系", "1954北京坐标系")), CrsError, "1954北京", "--towgs84"),
    bad(
        "survey-city-grid",
        survey(head=changed("2000国家大地坐标系", "常州城建坐标系")),
        CrsError,
        "地方坐标系",
        "四参数",
    ),
    bad("survey-unit", survey(head=changed("计量单位=米", "计量单位=毫米")), SiteError, "毫米"),
    bad("survey-projection", survey(head=changed("高斯克吕格", "墨卡托")), SiteError, "墨卡托"),
    bad("survey-width", survey(head=changed("几度分带=3", "几度分带=6")), CrsError, "几度分带", "第 40 带"),
    bad("survey-zone-contradicts", survey(parcel(*corners(east=39500000))), CrsError, "带号为 40", "39"),
    bad(
        "survey-mixed-prefix",
        survey(parcel(*corners(SQUARE[:2]), *corners(SQUARE[2:], east=40500000))),
        SiteError,
        "前缀",
    ),
    bad("survey-too-few-points", survey(parcel(*corners(SQUARE[:2]))), SiteError, "只有 2 个点", "补齐"),
    bad("survey-count-wrong", survey(parcel(*corners(), count=9)), SiteError, "界址点数写 9", "不完整"),
    bad("survey-letters", survey(parcel("J1,1,3520000,五十万")), SiteError, "第 11 行", "不是数字"),
    bad("survey-nan", survey(parcel("J1,1,nan,500000")), SiteError, "不是数字", "nan"),
    bad("survey-ring-of-letters", survey(parcel(f"J1,外,{N},{E}")), SiteError, "圈号不是数字"),
    bad("survey-missing-field", survey(parcel(f"J1,{N},{E}")), SiteError, "3 个字段", "点号,地块圈号,X,Y"),
    bad("survey-twice-closed", survey(parcel(*corners([*SQUARE, SQUARE[0], (5, 5)]))), SiteError, "已经闭合", "圈号"),
    bad("survey-no-body", write("红线.txt", HEAD), SiteError, "[地块坐标]", ".csv"),
    bad("survey-empty", write("红线.txt", b""), SiteError, "空的"),
    bad("survey-no-parcel", write("红线.txt", HEAD + "[地块坐标]\n"), SiteError, "没有地块"),
    bad("survey-points-first", write("红线.txt", HEAD + f"[地块坐标]\nJ1,1,{N},{E}"), SiteError, "之前没有地块行"),
    bad("survey-shape", survey(parcel(*corners(), shape="体")), SiteError, "不是点、线、面"),
    bad("survey-same-number", survey(parcel(*corners()), parcel(*corners(FAR_AWAY))), SiteError, "A-1", "重复"),
    bad("survey-no-text", write("红线.txt", b"\xff\x81\xff\x30\x81"), SiteError, "编码", "UTF-8"),
    bad("survey-binary", write("红线.txt", b"[\0\0\0"), SiteError, "内容不是"),
    bad("survey-odd-corner", survey(parcel(*corners(SQUARE[:3]), "J4,1,12,34")), SiteError, "位数或顺序不同"),
]

CASS = [
    ok("cass-five-fields", cass(*points()), SITE, "请核对点序", "未声明坐标系"),
    ok("cass-gbk", cass(*points("{i},厂房,{e},{n},4.5"), encoding="gbk"), SITE),
    ok("cass-no-height", cass(*points("{i},,{e},{n}"))),
    ok("cass-no-code", cass(*points("{i},{e},{n},4.5"))),
    ok("cass-three-fields", cass(*points("{i},{e},{n}"))),
    ok("cass-count-first", cass("4", *points(), "END")),
    ok("cass-prefix", cass(*[line.replace(f"{E // 1000}", f"40{E // 1000}", 1) for line in points("{i},,{e},{n},1")])),
    ok("cass-two-codes", cass(*points("{i},A,{e},{n},1"), *points("{i},B,{e},{n},1", FAR_AWAY)), 20000.0, count=2),
    ok("cass-one-point", cass(f"1,井,{E},{N},4"), 0.0, kind="Point"),
    ok("cass-north-first", cass(*points("{i},,{n},{e},4.5")), SITE, "标反"),
    bad("cass-count-wrong", cass("5", *points()), SiteError, "首行写 5 个点", "不完整"),
    bad("cass-two-points", cass(*points(ring=SQUARE[:2])), SiteError, "只有 2 个点"),
    bad("cass-letters", cass(*points(), "5,,a,b,1"), SiteError, "第 5 行", "不是数字", "东坐标,北坐标"),
    bad("cass-too-many-fields", cass("1,,2,3,4,5,6,7"), SiteError, "读不懂", "点号,编码,东坐标,北坐标,高程"),
    bad(
        "cass-code-comes-back",
        cass(*points("{i},A,{e},{n},1"), f"5,B,{E},{N},1", *points("{i},A,{e},{n},1", FAR_AWAY)),
        SiteError,
        "重复而不相连",
    ),
    bad("cass-empty", cass(""), SiteError, "空的"),
    bad("cass-blank", cass(" ", " "), SiteError, "没有点"),
    bad("cass-is-mapinfo", write("点.dat", b"\x03\x00\x00\x00DBF"), SiteError, ".tab"),
]

TRAPS = [*SURVEY, *CASS]
