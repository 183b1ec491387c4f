"""Files made to harm are refused within five seconds of work and a gigabyte, the start of the program included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from made_plans import district, plan_folder
from made_traps import book, table_rows
from project_paths import ROOT
from traps_cad import block, dxf

# The limits of the system are a stop far above the promise; the promise is measured.
RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
resource.setrlimit(resource.RLIMIT_FSIZE, (2**31, 2**31))
from ecospatial.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
used = resource.getrusage(resource.RUSAGE_SELF)
# ru_maxrss begins with what the parent had when it forked.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(used.ru_utime, used.ru_stime, peak, file=sys.__stdout__)
sys.exit(code)
"""


def bytes_file(name, content):
    def make(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return make


def million_rows(folder):
    """A workbook whose rows go down to the last, all empty and all formatted."""
    path = book(["地块编号", "点号", "X", "Y"], *table_rows())(folder)
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    rows = b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (i, i) for i in range(6, 1_048_577))
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b"</sheetData>", rows + b"</sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return path


def large_json(folder):
    """Thirty megabytes of corners, and the one key that is given twice is the last."""
    ring = "[119.950000001,31.790000001]," * 1_000_000
    path = folder / "a.geojson"
    path.write_text('{"type":"MultiPoint","coordinates":[' + ring + '[119.95,31.79]],"type":"MultiPoint"}')
    return path


def fifo(folder):
    os.mkfifo(folder / "a.txt")
    return folder / "a.txt"


def zip_of_zeros(folder):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as made, made.open("a.shp", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1024**2))
    return folder / "a.zip"


POINTS = json.dumps({"type": "MultiPoint", "coordinates": [[119.95 + i * 1e-7, 31.79] for i in range(400_000)]})
FILES = {
    "million-rows": (million_rows, "整行删除"),
    "large-json": (large_json, "两个“type”"),
    "lists": (bytes_file("a.geojson", b'{"a": [' + b"[]," * 8_000_000 + b"[]]}"), "过大"),
    "new-lines": (bytes_file("a.csv", b"\n" * 30_000_000), "过大"),
    "one-cell": (bytes_file("a.csv", b'X,Y\n"' + b"9" * 25_000_000), "CSV"),
    "survey-of-commas": (bytes_file("a.txt", "[地块坐标]\n".encode() + b"," * 30_000_000), "a.txt"),
    "pipe": (fifo, "不是普通文件"),
    "zip-of-zeros": (zip_of_zeros, "过大"),
    "blocks": (dxf(block(depth=8, rows=30)), "WBLOCK"),
    "vertices": (bytes_file("a.geojson", POINTS.encode()), "--max-vertices"),
    "wkt-nested": (bytes_file("a.csv", b"WKT\n" + b"GEOMETRYCOLLECTION(" * 300_000), "WKT"),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is asked of Linux")
@pytest.mark.parametrize("name", FILES)
def test_refused_in_time_and_memory(name, tmp_path):
    make, word = FILES[name]
    given = tmp_path / "given"
    given.mkdir()
    plan = tmp_path / "plan"
    plan.mkdir()
    plan_folder(plan, [district(plan)], [])
    path = make(given)
    held = sorted(p.name for p in given.iterdir())
    arguments = ["check", str(path), "--plan", str(plan), "--crs", "4490", "--max-vertices", "300000"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    user, system, peak_kb = (float(part) for part in done.stdout.split())
    assert user + system < 5.0
    assert peak_kb < 1024**2
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in given.iterdir()) == held
    assert not list(scratch.iterdir())
