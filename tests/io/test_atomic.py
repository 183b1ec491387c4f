"""What is written is whole or not there, whatever the machine does; what the user can mend is never a program fault."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest
from made_plans import INSIDE, rule, sites, zone_plan

import ecospatial as es
from ecospatial import plans
from ecospatial.cli import main
from ecospatial.errors import SiteError
from ecospatial.io import _atomic

FULL = OSError(errno.ENOSPC, "No space left on device")
REASONS = {
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘已满",
    errno.EROFS: "只读",
    errno.EACCES: "没有写入权限",
    errno.EIO: "不能写入",
}


@pytest.fixture
def plan(tmp_path):
    return zone_plan(tmp_path / "plan", rule(relation="overlaps", layer="control_zone"))


@pytest.fixture
def site_file(tmp_path):
    path = tmp_path / "s.geojson"
    sites(INSIDE).to_crs(4490).to_file(path)
    return str(path)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return stopped.value.code, capsys.readouterr().err


@pytest.mark.parametrize("code", list(REASONS))
def test_a_write_that_fails_keeps_the_old_file_and_names_the_reason(tmp_path, monkeypatch, code):
    target = tmp_path / "a.json"
    target.write_text("old")

    def fail(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_atomic.os, "fsync", fail)
    with pytest.raises(SiteError) as caught:
        _atomic.write_file(target, b"new")
    (problem,) = caught.value.problems
    assert (problem.file, target.read_text()) == ("a.json", "old")
    assert REASONS[code] in problem.message
    assert problem.hint
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_can_not_be_made_is_an_error_of_the_place(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SiteError, match="输出文件夹不能建立或写入"):
        _atomic.write_file(tmp_path / "file" / "a.json", b"new")


LIMITED = """import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from ecospatial.cli import main
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("size", [0, 3_000, 60_000])
@pytest.mark.parametrize("what", ["check", "audit", "map"])
def test_a_disk_that_takes_no_more_is_the_users_to_mend(plan, site_file, tmp_path, size, what):
    out = tmp_path / "out"
    arguments = {
        "check": ["check", site_file, "--plan", str(plan), "--out", str(out), "--format", "html,gpkg,json,xlsx,docx"],
        "audit": ["audit", "--plan", str(plan), "--out", str(out)],
        "map": ["map", "--plan", str(plan), "--out", str(out / "map.html")],
    }[what]
    command = [sys.executable, "-c", LIMITED, str(size), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert any(word in done.stderr for word in ("磁盘已满", "不能建立或写入", "没有可用的临时文件夹")), done.stderr
    assert "Traceback" not in done.stderr
    assert "程序内部错误" not in done.stderr
    whole = [] if not out.exists() else [path.stat().st_size for path in out.iterdir()]
    assert all(0 < length <= size for length in whole)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (MemoryError(), "内存不足"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/result"), "result：磁盘已满"),
        (OSError(errno.EROFS, "Read-only file system", "/x/result"), "result：没有权限，或该位置只读"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "没有可用的临时文件夹"),
    ],
)
def test_faults_of_the_machine_end_with_2(plan, site_file, monkeypatch, capsys, fault, told):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr("ecospatial.checks.check_frame", fail)
    code, said = run(capsys, "check", site_file, "--plan", str(plan))
    assert code == 2
    assert told in said
    assert len(said.strip().splitlines()) == 1


WRITING = """import sys, time
from ecospatial.io._atomic import open_scratch_folder
with open_scratch_folder(sys.argv[1]) as scratch:
    (scratch / "half.json").write_text("{")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_a_killed_run_left_is_swept_by_the_next_and_only_that(tmp_path):
    begun = [
        subprocess.Popen([sys.executable, "-c", WRITING, str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8")
        for _ in range(2)
    ]
    try:
        assert [one.stdout.readline().strip() for one in begun] == ["ready", "ready"]
        begun[0].send_signal(signal.SIGKILL)
        begun[0].wait(timeout=30)
        (tmp_path / ".ecospatial-notes").mkdir()
        assert len(list(tmp_path.glob(f".ecospatial-{begun[0].pid}-*"))) == 1
        _atomic.write_file(tmp_path / "a.json", b"{}")
        left = sorted(path.name for path in tmp_path.iterdir())
        assert [name for name in left if name.startswith(f".ecospatial-{begun[0].pid}-")] == []
        assert len([name for name in left if name.startswith(f".ecospatial-{begun[1].pid}-")]) == 1
        assert {".ecospatial-notes", "a.json"} < set(left)
    finally:
        for one in begun:
            one.kill()
            one.communicate(timeout=30)


def test_an_import_on_a_full_disk_leaves_the_plan_as_it_was(plan, site_file, monkeypatch):
    before = {path.name: path.read_bytes() for path in plan.iterdir()}

    def fail(*_, **__):
        raise FULL

    monkeypatch.setattr(sys.modules["ecospatial.plans.import_layer"], "save_features", fail)
    with pytest.raises(SiteError, match="磁盘已满"):
        plans.import_layer(site_file, plan, "town")
    assert {path.name: path.read_bytes() for path in plan.iterdir()} == before


@pytest.mark.parametrize("ends", ["refused", "stopped", "whole"])
def test_an_old_result_in_parts_stays_until_the_new_one_is_whole(plan, tmp_path, ends):
    pytest.importorskip("pyarrow")
    source, out = tmp_path / "s.parquet", tmp_path / "out"
    sites(*[INSIDE] * 6, ids=[str(n) for n in range(6)]).to_parquet(source)
    opened = es.open_plan(plan)
    es.check_parts(source, opened, out, on="2026-11-20", part_rows=3)
    old = {path.name: path.read_bytes() for path in (out / "findings").glob("part-*")}

    def stop(progress):
        if progress.parts_done == 1 and ends == "stopped":
            raise KeyboardInterrupt

    if ends == "refused":
        made = sites(*[INSIDE] * 5, None, ids=[str(n) for n in range(6)])
        made.to_parquet(source)
        with pytest.raises(SiteError):
            es.check_parts(source, opened, out, on="2026-11-20", part_rows=3)
        assert {path.name: path.read_bytes() for path in (out / "findings").glob("part-*")} == old
        assert not (out / "findings-before").exists()
        return
    if ends == "stopped":
        with pytest.raises(KeyboardInterrupt):
            es.check_parts(source, opened, out, on="2026-11-21", part_rows=3, progress=stop)
        with pytest.raises(SiteError, match="上一次的结果在 findings-before"):
            es.read_findings(out)
        assert es.read_findings(out / "findings-before").meta["on"] == "2026-11-20"
    es.check_parts(source, opened, out, on="2026-11-21", part_rows=3)
    assert es.read_findings(out).meta["on"] == "2026-11-21"
    assert not (out / "findings-before").exists()


def test_the_prefix_holds_the_process_and_nothing_else_is_swept(tmp_path):
    with _atomic.open_scratch_folder(tmp_path) as scratch:
        assert scratch.name.startswith(f".ecospatial-{os.getpid()}-")
        _atomic.sweep_stale_folders(tmp_path)
        assert scratch.is_dir()
    assert list(tmp_path.iterdir()) == []
