"""Many sites part by part: the same findings, stopped and killed and resumed, nothing lost, nothing twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import geopandas as gpd
import pandas as pd
import pytest
from made_plans import rule, sites, square, worked_example

import ecospatial as es
from ecospatial.cli import main
from ecospatial.cli.chunked import rule_meter

ON = "2026-11-20"
COUNT = 120
# West edges 20 m apart, from 10 m east of the bank line: 0 to 49 lie within 1000 m (the 50th begins at 1010 m).
HITS = 50


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory):
    """A plan, and a file of sites whose verdicts are known by counting."""
    folder = tmp_path_factory.mktemp("many")
    plan = worked_example(folder / "plan", rule(), accuracy_m=0)
    frame = many()
    frame.to_parquet(folder / "sites.parquet", row_group_size=50)
    return folder, plan, folder / "sites.parquet"


def many(count=COUNT):
    shapes = [square(10 + 20 * i, y=3512000 + i) for i in range(count)]
    return sites(*shapes, ids=[f"P{i:04d}" for i in range(count)], works="new", activity="C26")


@pytest.fixture(name="whole", scope="module")
def _whole(made):
    """What a run that nothing disturbs leaves: 15 parts."""
    folder, plan, source = made
    run = es.check_parts(source, es.open_plan(plan), folder / "whole", on=ON, part_rows=8)
    return run, files(folder / "whole")


def files(out):
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def command(made, out, *more):
    _, plan, source = made
    options = ["--out", out, "--format", "parquet", "--on", ON, "--part-rows", 8, *more]
    return [sys.executable, "-m", "ecospatial", "check", *map(str, [source, "--plan", plan, *options])]


def cli(made, out, *more):
    with pytest.raises(SystemExit) as ended:
        main(command(made, out, *more)[3:])
    return ended.value.code


def started(made, out, parts, *more):
    """Start a run in a process of its own and wait until some parts are there."""
    # Below a shell that runs in the background Ctrl-C is ignored, and a child inherits that.
    wake = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from ecospatial import cli; "
    call = [sys.executable, "-c", f"{wake}cli.main()", *command(made, out, *more)[3:]]
    run = subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list((out / "findings").glob("part-*.parquet"))) < parts:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return run


def test_parts_are_complete_and_the_same_as_a_check_in_memory(made, whole):
    _, plan, source = made
    run, _ = whole
    found = es.check(gpd.read_parquet(source), es.open_plan(plan), on=ON)
    assert [p.name for p in run.parts] == [f"part-{i:05d}.parquet" for i in range(15)]
    together = pd.concat([gpd.read_parquet(path) for path in run.parts], ignore_index=True)
    assert together["site_id"].tolist() == found.frame["site_id"].tolist()
    names = ("verdict", "margin_m", "distance_m", "overlap_m2", "certain", "reason", "feature_name", "certainty",
             "touched", "open_by", "open_here", "due", "overdue")  # fmt: skip
    for name in names:
        same = together[name].astype(object).fillna("") == found.frame[name].astype(object).fillna("")
        assert same.all(), name
    assert together.geometry.to_wkb().tolist() == found.frame.geometry.to_wkb().tolist()
    assert together.crs == found.frame.crs
    assert (run.sites, run.findings, run.verdicts["prohibited"], run.verdicts["clear"]) == (COUNT, COUNT, HITS, 70)
    assert run.headlines == dict.fromkeys(run.headlines, 0) | {"prohibited": HITS, "clear": 70}
    assert list(run.headlines) == ["prohibited", "undecided", "restricted", "no_conflict", "clear"]
    assert run.certainties["prohibited"]["reliable"] == HITS
    assert (run.plan_open, run.left_out) == (found.plan_open, found.left_out)


def test_the_folder_of_parts_is_one_table_for_other_programs(whole):
    run, _ = whole
    table = gpd.read_parquet(run.folder)
    assert len(table) == COUNT
    assert str(table["rule_id"].dtype) == "category"
    assert (table["verdict"] == "prohibited").sum() == HITS


def test_findings_are_read_again_from_the_parts(made, whole):
    _, plan, source = made
    back = es.read_findings(whole[0].folder)
    found = es.check(gpd.read_parquet(source), es.open_plan(plan), on=ON)
    assert back.summary["verdict"].tolist() == found.summary["verdict"].tolist()
    assert back.summary["area_m2"].tolist() == pytest.approx([10000.0] * COUNT)
    assert back.sites.loc["P0059", "source"] == "sites.parquet，第 60 行"
    assert back.meta["on"] == ON
    assert back.rules.index.tolist() == ["R1"]


def test_an_altered_part_is_not_read(made, tmp_path):
    _, plan, source = made
    run = es.check_parts(source, es.open_plan(plan), tmp_path, on=ON, part_rows=60)
    run.parts[1].write_bytes(run.parts[0].read_bytes())
    with pytest.raises(es.SiteError, match=r"part-00001\.parquet：缺少或已被改动"):
        es.read_findings(tmp_path)


def test_findings_in_memory_write_the_same_form(made, tmp_path):
    _, plan, source = made
    found = es.check(gpd.read_parquet(source), es.open_plan(plan), on=ON)
    paths = found.write(tmp_path, formats=["parquet"])
    assert paths == [tmp_path / "findings" / "part-00000.parquet"]
    assert len(gpd.read_parquet(paths[0])) == COUNT
    assert es.read_findings(tmp_path).summary["verdict"].tolist() == found.summary["verdict"].tolist()
    first = files(tmp_path)
    found.write(tmp_path, formats=["parquet"])
    assert files(tmp_path) == first


def test_a_foreign_file_among_the_parts_is_not_replaced(made, tmp_path):
    _, plan, source = made
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings" / "notes.docx").write_text("mine")
    with pytest.raises(es.SiteError, match=r"notes\.docx"):
        es.check_parts(source, es.open_plan(plan), tmp_path, on=ON)
    with pytest.raises(es.SiteError, match=r"notes\.docx"):
        es.check(gpd.read_parquet(source), es.open_plan(plan), on=ON).write(tmp_path, formats=["parquet"])
    assert (tmp_path / "findings" / "notes.docx").read_text() == "mine"


def test_at_least_keeps_the_hits_and_counts_everything(made, tmp_path):
    _, plan, source = made
    run = es.check_parts(source, es.open_plan(plan), tmp_path, on=ON, at_least="restricted", part_rows=30)
    assert (run.findings, run.sites) == (HITS, COUNT)
    assert run.verdicts == dict.fromkeys(run.verdicts, 0) | {"prohibited": HITS, "clear": COUNT - HITS}
    assert len(gpd.read_parquet(run.parts[3])) == 0
    summary = es.read_findings(tmp_path).summary
    assert summary["n_clear"].sum() == COUNT - HITS
    assert summary["n_prohibited"].sum() == HITS


def test_a_folder_of_files_is_one_source(made, tmp_path):
    _, plan, _ = made
    frame = many()
    (tmp_path / "in").mkdir()
    frame[:70].to_parquet(tmp_path / "in" / "a.parquet")
    frame[70:].to_parquet(tmp_path / "in" / "b.parquet")
    run = es.check_parts(tmp_path / "in", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=50)
    assert len(run.parts) == 3  # 50 + 20, 50: no part crosses files
    assert es.read_findings(tmp_path / "out").summary.index.tolist() == frame["site_id"].tolist()


def test_sites_without_an_id_are_numbered_over_all_files(made, tmp_path):
    _, plan, _ = made
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        many(30).drop(columns="site_id").to_parquet(tmp_path / "in" / f"{name}.parquet")
    es.check_parts(tmp_path / "in", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=20)
    assert es.read_findings(tmp_path / "out").summary.index.tolist() == [str(i) for i in range(1, 61)]


def test_an_index_called_site_id_is_the_id(made, tmp_path):
    _, plan, _ = made
    many(3).set_index("site_id").to_parquet(tmp_path / "s.parquet")
    assert es.read_sites(tmp_path / "s.parquet").index.tolist() == ["P0000", "P0001", "P0002"]
    es.check_parts(tmp_path / "s.parquet", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=2)
    assert es.read_findings(tmp_path / "out").summary.index.tolist() == ["P0000", "P0001", "P0002"]


def test_several_processes_give_the_same_bytes(made, whole, tmp_path):
    assert cli(made, tmp_path, "--jobs", 2) == 0
    assert files(tmp_path) == whole[1]


# ------------------------------------------------------------------------------- stopped, killed, resumed


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_moment_it_goes_on_and_leaves_the_same_bytes(made, whole, tmp_path, jobs):
    run = started(made, tmp_path, 3, "--jobs", jobs)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    home = tmp_path / "findings"
    kept = [path.name for path in (home / "_done").glob("part-*.json")]
    assert 2 <= len(kept) < 15
    # Whatever carries the name of a part is whole, byte for byte.
    for path in home.glob("part-*.parquet"):
        assert path.read_bytes() == whole[1][str(path.relative_to(tmp_path))]
    times = {name: (home / name.replace("json", "parquet")).stat().st_mtime_ns for name in kept}
    with pytest.raises(es.SiteError, match="尚未完成"):
        es.read_findings(tmp_path)
    assert cli(made, tmp_path, "--jobs", jobs) == 0
    assert files(tmp_path) == whole[1]
    # Nothing is checked twice: finished parts are still those of the first run.
    assert {name: (home / name.replace("json", "parquet")).stat().st_mtime_ns for name in kept} == times


def test_a_half_written_file_of_a_killed_run_is_no_part(made, whole, tmp_path):
    run = started(made, tmp_path, 3)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    home = tmp_path / "findings"
    (home / ".part-99-part-00007.parquet").write_bytes(b"PAR1 half")
    last = max((home / "_done").glob("part-*.json")).stem
    (home / f"{last}.parquet").write_bytes(b"PAR1 damaged by the disk")
    assert cli(made, tmp_path) == 0
    assert files(tmp_path) == whole[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal of POSIX here")
@pytest.mark.parametrize("jobs", [1, 2])
def test_stopped_by_the_user_it_ends_with_130_and_goes_on(made, whole, tmp_path, jobs):
    run = started(made, tmp_path, 3, "--jobs", jobs)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130, said
    assert "已完成的部分都已保存，用同样的命令继续" in said
    assert "Traceback" not in said
    done = list((tmp_path / "findings").glob("part-*.parquet"))
    assert 3 <= len(done) < 15
    assert cli(made, tmp_path, "--jobs", jobs) == 0
    assert files(tmp_path) == whole[1]


def test_progress_says_rate_and_time_left(made, tmp_path, capsys):
    seen = []
    es.check_parts(made[2], es.open_plan(made[1]), tmp_path, on=ON, part_rows=40, progress=seen.append)
    assert [(p.parts_done, p.sites_done) for p in seen] == [(0, 0), (1, 40), (2, 80), (3, 120)]
    assert seen[0].rate is None
    assert seen[1].seconds_left == pytest.approx(80 * seen[1].seconds / 40)
    assert cli(made, tmp_path / "again") == 0
    said = capsys.readouterr()
    assert "已核查 15/15 块，120/120 个地块，每秒" in said.err
    assert "结论　判定不通过·可靠：50 个地块\n结论　判定通过·可靠：70 个地块\n" in said.out


def test_a_run_that_is_whole_is_not_done_again(made, whole, tmp_path):
    for _ in range(2):
        seen = []
        run = es.check_parts(made[2], es.open_plan(made[1]), tmp_path, on=ON, part_rows=8, progress=seen.append)
        assert run.verdicts == whole[0].verdicts
    assert seen == []
    assert files(tmp_path) == whole[1]


# --------------------------------------------------------------------------------------- other inputs


@pytest.fixture(name="interrupted")
def _interrupted(tmp_path):
    """A plan, sites and an output folder that a run of them left unfinished."""
    plan = worked_example(tmp_path / "plan", rule(), accuracy_m=0)
    source = tmp_path / "sites.parquet"
    many(20).to_parquet(source)

    def stop(progress):
        if progress.parts_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        es.check_parts(source, es.open_plan(plan), tmp_path / "out", on=ON, part_rows=5, progress=stop)
    return plan, source, tmp_path / "out"


def test_other_sites_do_not_go_on_where_these_stopped(interrupted):
    plan, source, out = interrupted
    before = files(out)
    many(21).to_parquet(source)
    with pytest.raises(es.SiteError, match="而地块文件与上次不同"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5)
    assert files(out) == before
    run = es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5, restart=True)
    assert run.sites == 21


def test_another_plan_or_other_options_do_not_go_on(interrupted):
    plan, source, out = interrupted
    with pytest.raises(es.SiteError, match="而选项与上次不同"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5, at_least="restricted")
    with pytest.raises(es.SiteError, match="而选项与上次不同"):
        es.check_parts(source, es.open_plan(plan), out, on="2026-11-19", part_rows=5)
    with pytest.raises(es.SiteError, match="而选项与上次不同"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5, only=["eco_redline"])
    worked_example(plan, rule(within_m=900), accuracy_m=0)
    with pytest.raises(es.SiteError, match="而规划与上次不同"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5)


def test_past_midnight_a_run_keeps_the_day_it_began_with(interrupted):
    plan, source, out = interrupted
    run = es.check_parts(source, es.open_plan(plan), out, part_rows=5)
    assert run.meta["on"] == ON
    assert run.sites == 20


def test_a_layer_changed_during_the_run_is_noticed(interrupted):
    plan, source, out = interrupted

    def change(progress):
        if progress.parts_done == 3:
            worked_example(plan, rule(within_m=900), accuracy_m=0)

    with pytest.raises(es.PlanError, match="在核查期间被改动"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5, progress=change)
    assert json.loads((out / "findings" / "_run.json").read_text("utf-8"))["state"] == "running"


def test_sites_changed_during_the_run_are_noticed(interrupted):
    plan, source, out = interrupted

    def change(progress):
        if progress.parts_done == 3:
            many(20)[::-1].to_parquet(source)

    with pytest.raises(es.SiteError, match="地块文件在核查期间被改动"):
        es.check_parts(source, es.open_plan(plan), out, on=ON, part_rows=5, progress=change)


def test_a_finished_run_gives_way_to_the_next_nights(made, tmp_path):
    _, plan, _ = made
    for count in (40, 15):
        many(count).to_parquet(tmp_path / "s.parquet")
        run = es.check_parts(tmp_path / "s.parquet", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=10)
        assert run.sites == count
    assert len(list((tmp_path / "out" / "findings").glob("*.parquet"))) == 2


# ------------------------------------------------------------------------------------------ bad inputs


def test_every_fault_of_every_part_is_named_and_nothing_is_left(made, tmp_path):
    _, plan, _ = made
    frame = many(30)
    frame.loc[[7, 22], "geometry"] = None
    frame.to_parquet(tmp_path / "s.parquet")
    with pytest.raises(es.SiteError) as raised:
        es.check_parts(tmp_path / "s.parquet", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=5)
    assert [(p.file, p.row) for p in raised.value.problems] == [("s.parquet", 8), ("s.parquet", 23)]
    assert not (tmp_path / "out").exists()
    run = es.check_parts(
        tmp_path / "s.parquet", es.open_plan(plan), tmp_path / "out", on=ON, part_rows=5, skip_bad=True
    )
    assert run.sites == 28
    assert [skipped["site_id"] for skipped in run.meta["skipped"]] == ["P0007", "P0022"]


def test_faults_come_whole_out_of_another_process(made, tmp_path):
    frame = many(30)
    frame.loc[3, "geometry"] = None
    frame.to_parquet(tmp_path / "s.parquet")
    wanted = r"s.parquet，第 4 行"
    with pytest.raises(es.SiteError, match=wanted):
        es.check_parts(tmp_path / "s.parquet", es.open_plan(made[1]), tmp_path / "out", on=ON, part_rows=15, jobs=2)


def test_an_id_twice_in_different_parts_is_refused_before_anything_is_checked(made, tmp_path):
    frame = many(30)
    frame.loc[25, "site_id"] = " P0002 "
    frame.to_parquet(tmp_path / "s.parquet")
    with pytest.raises(es.SiteError, match=r"编号“P0002”重复：s\.parquet 第 3 行、s\.parquet 第 26 行"):
        es.check_parts(tmp_path / "s.parquet", es.open_plan(made[1]), tmp_path / "out", on=ON, part_rows=5)
    assert not (tmp_path / "out").exists()


def test_hostile_ids_and_names_are_only_text(made, tmp_path):
    ids = ["../../etc/passwd", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "a\nb", "甲,乙\"'", "%00{}", "-1e9"]
    frame = many(len(ids)).assign(site_id=ids, 名称=ids)
    frame.to_parquet(tmp_path / "s.parquet")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    run = es.check_parts(tmp_path / "s.parquet", es.open_plan(made[1]), tmp_path / "out", on=ON, part_rows=2)
    known = es.read_sites(tmp_path / "s.parquet", plan=es.open_plan(made[1])).index.tolist()
    found = pd.concat([gpd.read_parquet(path) for path in run.parts])
    assert found["site_id"].tolist() == known
    new = {p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*") if p.is_file() and p not in before}
    names = {f"part-{i:05d}.parquet" for i in range(4)}
    assert new == {f"findings/{n}" for n in names} | {f"findings/_sites/{n}" for n in names} | {"findings/_run.json"}


def test_a_file_without_crs_needs_one(made, tmp_path):
    many(3).set_crs(None, allow_override=True).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(es.CrsError, match="没有坐标系"):
        es.check_parts(tmp_path / "s.parquet", es.open_plan(made[1]), tmp_path / "out", on=ON)
    run = es.check_parts(tmp_path / "s.parquet", es.open_plan(made[1]), tmp_path / "out", on=ON, crs="EPSG:4549")
    assert run.verdicts["prohibited"] == 3


def test_only_parquet_goes_part_by_part(made, tmp_path, capsys):
    many(3).to_file(tmp_path / "s.gpkg")
    with pytest.raises(es.SiteError, match="分块核查只读取 GeoParquet"):
        es.check_parts(tmp_path / "s.gpkg", es.open_plan(made[1]), tmp_path / "out", on=ON)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "s.gpkg"), "--plan", str(made[1]), "--restart", "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert "--restart 用于分块核查" in capsys.readouterr().err


def test_the_command_fails_on_a_verdict_that_any_part_reaches(made, tmp_path, capsys):
    assert cli(made, tmp_path, "--fail-on", "prohibited", "--part-rows", 60) == 1
    assert "写出 120 条结果" in capsys.readouterr().out


def test_a_long_check_in_memory_says_how_far_it_is(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 3.5, 30.0])
    monkeypatch.setattr("ecospatial.cli.chunked.time.monotonic", lambda: next(clock))
    meter = rule_meter()
    meter.tell("a")  # 1 s: too soon to say anything
    meter.tell("b")
    meter.tell("c")  # half a second after b
    meter.tell("d")
    assert capsys.readouterr().err.splitlines() == ["b", "d"]


def test_time_left_of_a_check_in_memory(capsys, monkeypatch):
    monkeypatch.setattr("ecospatial.cli.chunked.time.monotonic", iter([0.0, 10.0, 10.0]).__next__)
    rule_meter().rules(25, 100)
    assert capsys.readouterr().err == "已核查 25/100 条规则，剩余约 30 秒\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_check_only_the_kinds_asked_for(made, tmp_path, jobs):
    _, plan, source = made
    keys = {"on": ON, "only": ["eco_redline"]}
    run = es.check_parts(source, es.open_plan(plan), tmp_path, part_rows=60, jobs=jobs, **keys)
    found = es.check(gpd.read_parquet(source), es.open_plan(plan), **keys)
    assert (run.findings, run.headlines["undecided"]) == (0, COUNT)
    assert run.left_out == found.left_out
    assert [entry["kinds"] for entry in run.left_out] == [["bank_line"]]
    back = es.read_findings(tmp_path)
    assert (back.left_out, back.plan_open) == (found.left_out, found.plan_open)
    with pytest.raises(es.SiteError, match="moon"):
        es.check_parts(source, es.open_plan(plan), tmp_path / "other", on=ON, only=["moon"])
    assert not (tmp_path / "other").exists()


def test_what_is_open_in_the_plan_is_joined_over_the_parts(tmp_path):
    unread = rule("R3", cite={**rule()["cite"], "verified": False})
    rules = [rule(), rule("R2", layer="canal_zone", relation="overlaps"), unread]
    plan = es.open_plan(worked_example(tmp_path / "plan", rules, accuracy_m=0))
    many(20).to_parquet(tmp_path / "sites.parquet")
    run = es.check_parts(tmp_path / "sites.parquet", plan, tmp_path / "out", on=ON, part_rows=5)
    found = es.check(many(20), plan, on=ON)
    assert len(found.plan_open) == 2
    assert run.plan_open == found.plan_open
    back = es.read_findings(tmp_path / "out")
    assert back.plan_open == found.plan_open
    for name in ("headline", "certainty", "n_open", "n_missing"):
        assert back.summary[name].astype(object).tolist() == found.summary[name].astype(object).tolist(), name
