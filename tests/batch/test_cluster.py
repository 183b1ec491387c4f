"""Parts on the workers of a Dask cluster: the same bytes, also when a worker dies with a part in its hands."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from made_plans import rule, sites, square, worked_example

import ecospatial as es
from ecospatial.cli import main

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a worker is killed with a signal of POSIX"),
    # Dask's own, when a worker is taken away from it.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
distributed = pytest.importorskip("distributed")
ON = "2026-11-20"


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    plan = es.open_plan(worked_example(folder / "plan", rule(), accuracy_m=0))
    shapes = [square(10 + 20 * i, y=3512000 + i) for i in range(90)]
    sites(*shapes, works="new", activity="C26").to_parquet(folder / "s.parquet")
    es.check_parts(folder / "s.parquet", plan, folder / "alone", on=ON, part_rows=3)
    return folder, plan, files(folder / "alone")


@pytest.fixture(name="client", scope="module")
def _client():
    """Two worker processes of one thread each, and who talks to them."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs="CRITICAL"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def files(out):
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def pids(client):
    return set(client.run(os.getpid).values())


def test_a_worker_killed_during_the_run_loses_nothing_and_repeats_nothing(made, client, tmp_path):
    folder, plan, alone = made
    before = pids(client)
    assert len(before) == 2
    victim, seen = min(before), []

    def kill(progress):
        seen.append(progress.parts_done)
        if progress.parts_done == 4:
            os.kill(victim, signal.SIGKILL)

    run = es.check_parts(folder / "s.parquet", plan, tmp_path, on=ON, part_rows=3, client=client, progress=kill)
    assert files(tmp_path) == alone
    # Each part was written once: 30 parts, 30 steps.
    assert seen == list(range(31))
    assert (run.sites, run.verdicts["prohibited"]) == (90, 50)
    client.wait_for_workers(2, timeout=60)
    assert victim not in pids(client)


def test_the_command_finds_the_cluster_by_its_address(made, client, tmp_path):
    folder, plan, alone = made
    client.wait_for_workers(2, timeout=60)
    address = client.scheduler_info()["address"]
    options = ["--on", ON, "--part-rows", "3", "--dask", address, "--out", tmp_path, "--format", "parquet"]
    with pytest.raises(SystemExit) as ended:
        main([str(x) for x in ["check", folder / "s.parquet", "--plan", plan.folder, *options]])
    assert ended.value.code == 0
    assert files(tmp_path) == alone


def test_faults_of_the_sites_come_back_from_the_workers(made, client, tmp_path):
    _, plan, _ = made
    frame = sites(*[square(10 + 20 * i) for i in range(12)], works="new", activity="C26")
    frame.loc[[2, 9], "geometry"] = None
    frame.to_parquet(tmp_path / "s.parquet")
    with pytest.raises(es.SiteError) as raised:
        es.check_parts(tmp_path / "s.parquet", plan, tmp_path / "out", on=ON, part_rows=3, client=client)
    assert [problem.row for problem in raised.value.problems] == [3, 10]
    assert not (tmp_path / "out").exists()


def test_an_address_that_nobody_answers_is_said(made, tmp_path, capsys):
    folder, plan, _ = made
    options = ["--dask", "nowhere:x", "--out", tmp_path, "--format", "parquet"]
    with pytest.raises(SystemExit) as ended:
        main([str(x) for x in ["check", folder / "s.parquet", "--plan", plan.folder, *options]])
    assert ended.value.code == 2
    assert "连接不上 --dask" in capsys.readouterr().err
