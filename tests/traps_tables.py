"""Traps of coordinate tables in CSV and XLSX."""

from __future__ import annotations

import zipfile

from made_traps import BOX, SITE, SQUARE, E, N, bad, book, csv, lonlat, ok, table_rows, then, write

from ecospatial.errors import CrsError, SiteError

XY = ["地块编号", "点号", "X", "Y"]
RINGS = ["地块编号", "圈号", "点号", "X", "Y"]
HOLE = [(40, 40), (60, 40), (60, 60), (40, 60)]
NEXT = [(x + 1000, y) for x, y in SQUARE]
CORNERS = list(lonlat(BOX).exterior.coords)[:4]
WKT = BOX.wkt
# Degrees on a grid of half a minute: a box of 1' by 1' at 119 57 30, 31 47 00.
DMS_BOX = [
    ("119°57′30″", "31°47′00″"),
    ("119°58′30″", "31°47′00″"),
    ("119°58′30″", "31°48′00″"),
    ("119°57′30″", "31°48′00″"),
]
# One minute of longitude times one of latitude there, on the ellipsoid GRS80: 1578.5 m by 1848.0 m.
DMS_AREA, DMS_OFF = 2.917e6, 4e3


def dms(form):
    """The box with its angles written in another form."""
    rows = []
    for lon, lat in DMS_BOX:
        parts = [part.replace("°", " ").replace("′", " ").replace("″", "").split() for part in (lon, lat)]
        rows.append([form.format(*part) for part in parts])
    return csv(["经度", "纬度"], *rows)


def degrees(*head, form="{:.9f}", flip=False):
    rows = [[form.format(v) for v in (pair[::-1] if flip else pair)] for pair in CORNERS]
    return csv(list(head), *rows)


def with_formula(path):
    """A cell whose formula was never computed."""
    import openpyxl

    made = openpyxl.load_workbook(path)
    made.active["C2"] = "=1+1"
    made.save(path)


def repacked(change):
    """Change the members of a workbook: name and content in, content out (None: left out)."""

    def pack(path):
        with zipfile.ZipFile(path) as old:
            members = [(name, change(name, old.read(name))) for name in old.namelist()]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name, content in members:
                if content is not None:
                    new.writestr(name, content)

    return pack


def sheet_xml(old, new):
    def change(name, content):
        return content.replace(old, new) if name == "xl/worksheets/sheet1.xml" else content

    return repacked(change)


MANY = b"".join(b'<row r="%d" s="1"/>' % i for i in range(100, 200_000))
XLSX = book(XY, *table_rows())

GOOD = [
    *(ok(f"csv-{e}", csv(XY, *table_rows(), encoding=e)) for e in ("utf-8", "utf-8-sig", "gbk", "utf-16")),
    *(ok(f"csv-mark-{n}", csv(XY, *table_rows(), mark=m)) for n, m in (("tab", "\t"), ("semicolon", ";"))),
    ok("csv-title-above", csv(["界址点成果表"], XY, *table_rows())),
    ok(
        "csv-empty-id-repeats", csv(XY, *[[*(row if i == 0 else ["", *row[1:]])] for i, row in enumerate(table_rows())])
    ),
    ok("csv-east-north-named", csv(["东坐标", "北坐标"], *[[E + x, N + y] for x, y in SQUARE])),
    ok("csv-columns-swapped", csv(["北坐标", "东坐标"], *[[E + x, N + y] for x, y in SQUARE]), SITE, "标反"),
    ok("csv-prefix", csv(XY, *table_rows(east=40500000)), SITE, "EPSG:4528"),
    ok("csv-hole", csv(RINGS, *table_rows(ring=1), *table_rows(HOLE, ring=2)), 9600.0),
    ok("csv-two-parcels", csv(XY, *table_rows(), *table_rows(NEXT, number="A-2")), 20000.0, count=2),
    ok("csv-two-zones", csv(XY, *table_rows(east=40500000), *table_rows(NEXT, number="A-2")), 20000.0, count=2),
    ok("csv-crs-column", csv([*XY, "坐标系"], *[[*row, "EPSG:4549"] for row in table_rows()])),
    ok("csv-text-number", csv(XY, *[[*row[:2], f'="{row[2]}"', row[3]] for row in table_rows()])),
    ok("csv-degrees", degrees("经度", "纬度"), SITE, "EPSG:4490", "gcj02", tolerance=1.0),
    ok("csv-degrees-swapped", degrees("经度", "纬度", flip=True), SITE, "标反", tolerance=1.0),
    ok("csv-degrees-x-y", degrees("x", "y"), SITE, tolerance=1.0),
    ok("csv-dms-signs", dms("{}°{}′{}″"), DMS_AREA, tolerance=DMS_OFF),
    ok("csv-dms-words", dms("{}度{}分{}秒"), DMS_AREA, tolerance=DMS_OFF),
    ok("csv-dms-dashes", dms("{}-{}-{}"), DMS_AREA, tolerance=DMS_OFF),
    ok("csv-dms-colons", dms("{}:{}:{}.00"), DMS_AREA, tolerance=DMS_OFF),
    ok("csv-wkt", csv(["编号", "WKT"], ["A", f'"{WKT}"'])),
    ok("csv-ewkt", csv(["编号", "WKT"], ["A", f'"SRID=4549;{WKT}"'])),
    ok("csv-points", csv(["site_id", "X", "Y"], ["a", N, E], ["b", N, E + 9]), 0.0, count=2, kind="Point"),
    ok("xlsx", XLSX),
    ok("xlsx-two-headers", book(["", "", "坐标", ""], ["地块编号", "点号", "X", "Y"], *table_rows(), merge=["C1:D1"])),
    ok(
        "xlsx-merged-id",
        book(XY, *[[r[0] if i == 0 else None, *r[1:]] for i, r in enumerate(table_rows())], merge=["A2:A5"]),
    ),
    ok(
        "xlsx-merged-value",
        book(["编号", "行业代码", "WKT"], ["a", "C26", WKT], ["b", None, WKT], merge=["B2:B3"]),
        20000.0,
        count=2,
    ),
    ok("xlsx-sheet-named", book(XY, *table_rows(), sheets={"二": [XY, *table_rows(NEXT)]}), SITE, layer="二"),
    ok("xlsx-empty-sheets", book(XY, *table_rows(), sheets={"二": [], "三": [[None]]})),
    ok("xlsx-row-far-below", then(XLSX, sheet_xml(b"</sheetData>", b'<row r="1048576"/></sheetData>'))),
]

BAD = [
    bad("csv-no-coordinates", csv(["编号", "面积"], ["A", 1]), SiteError, "找不到坐标列", "编号、面积"),
    bad("csv-header-only", csv(XY), SiteError, "没有数据"),
    bad("csv-empty", write("坐标.csv", b"\n\n"), SiteError, "空的"),
    bad("csv-two-sets", csv([*XY, "经度", "纬度"], *[[*row, 119, 31] for row in table_rows()]), SiteError, "几套坐标"),
    bad("csv-quote-open", write("坐标.csv", '地块编号,点号,X,Y\n"A,1,2,3'), SiteError, "引号"),
    bad("csv-cell-empty", csv(XY, *table_rows()[:3], ["A-1", 4, "", E]), SiteError, "第 5 行", "空的"),
    bad("csv-letters", csv(XY, *table_rows()[:3], ["A-1", 4, "x", E]), SiteError, "第 5 行", "度分秒"),
    bad("csv-dms-sixty", csv(["经度", "纬度"], ["119°60′00″", "31°47′00″"]), SiteError, "不是数字"),
    bad("csv-infinite", csv(XY, *table_rows()[:3], ["A-1", 4, "1e999", E]), SiteError, "不是数字"),
    bad("csv-more-cells", csv(XY, *table_rows(), ["A-1", 5, N, E, "x"]), SiteError, "多于表头"),
    bad("csv-column-twice", csv([*XY, "X"], *[[*row, 1] for row in table_rows()]), SiteError, "出现两次"),
    bad("csv-parcel-apart", csv(XY, *table_rows(), *table_rows(NEXT, number="B"), *table_rows()), SiteError, "不相连"),
    bad(
        "csv-crs-differs",
        csv([*XY, "坐标系"], *[[*r, 4549 + i] for i, r in enumerate(table_rows())]),
        SiteError,
        "不一致",
    ),
    bad("csv-which-is-north", csv(["X", "Y"], [1, 2], [9, 2], [9, 9]), CrsError, "坐标"),
    *(
        bad(
            f"csv-wkt-{word.split()[0].lower()}",
            csv(["编号", "WKT"], ["A", f'"{word}"']),
            SiteError,
            f"第 2 行：WKT 中有曲线或曲面（{word.split()[0]}）",
            "MULTIPOLYGON",
        )
        for word in (
            "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))",
            "MULTISURFACE (((0 0, 1 0, 1 1, 0 0)))",
            "POLYHEDRALSURFACE Z (((0 0 0, 1 0 0, 1 1 0, 0 0 0)))",
            "TIN Z (((0 0 0, 1 0 0, 1 1 0, 0 0 0)))",
            "TRIANGLE ((0 0, 1 0, 1 1, 0 0))",
        )
    ),
    bad("csv-wkt-broken", csv(["编号", "WKT"], ["A", '"POLYGON ((0 0, 1 1"']), SiteError, "WKT", "首尾闭合"),
    bad(
        "csv-wkt-srids",
        csv(["编号", "WKT"], ["A", "SRID=4549;POINT (1 2)"], ["B", "SRID=4528;POINT (1 2)"]),
        SiteError,
        "SRID",
    ),
    bad("csv-activity", csv([*XY, "行业代码"], *[[*row, "化工类"] for row in table_rows()]), SiteError, "GB/T 4754"),
    bad(
        "csv-values-differ",
        csv([*XY, "建设性质"], *[[*r, "新建" if i else "扩建"] for i, r in enumerate(table_rows())]),
        SiteError,
        "统一",
    ),
    bad("csv-lines", write("坐标.csv", "\n" * 1_100_000), SiteError, "过大"),
    bad(
        "xlsx-two-sheets",
        book(XY, *table_rows(), sheets={"二": [XY, *table_rows(NEXT)]}),
        SiteError,
        "2 张非空工作表",
        "--layer",
    ),
    bad(
        "xlsx-no-such-sheet",
        book(XY, *table_rows(), sheets={"二": [XY, *table_rows()]}),
        SiteError,
        "没有工作表",
        "二",
        layer="三",
    ),
    bad("xlsx-formula", then(XLSX, with_formula), SiteError, "没有计算结果的公式", "C2"),
    bad("xlsx-error-value", book(XY, *table_rows()[:3], ["A-1", 4, "#REF!", E]), SiteError, "错误值"),
    bad("xlsx-empty", book(), SiteError, "空的"),
    bad("xlsx-many-rows", then(XLSX, sheet_xml(b"</sheetData>", MANY + b"</sheetData>")), SiteError, "行", "整行删除"),
    bad("xlsx-wide", then(XLSX, sheet_xml(b'r="D2"', b'r="XFD2"')), SiteError, "列数过多"),
    bad(
        "xlsx-doctype",
        then(XLSX, sheet_xml(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet')),
        SiteError,
        "损坏",
    ),
    bad("xlsx-cut-off", then(XLSX, lambda p: p.write_bytes(p.read_bytes()[:900]) and None), SiteError, "损坏"),
    bad("xlsx-not-a-zip", write("坐标.xlsx", "地块"), SiteError, "内容不是 .xlsx"),
    bad("xlsx-with-password", write("坐标.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)), SiteError, "密码"),
    bad("xls-old", write("坐标.xls", bytes.fromhex("d0cf11e0a1b11ae1")), SiteError, ".xlsx"),
    bad(
        "xlsx-is-a-zip", then(XLSX, repacked(lambda n, c: None if n.endswith("workbook.xml") else c)), SiteError, "损坏"
    ),
]

TRAPS = [*GOOD, *BAD]
