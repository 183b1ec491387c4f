"""The commands as a planner types them: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from made_plans import plan_folder, rule, sites, square, worked_example

import ecospatial as es
from ecospatial import checks
from ecospatial.cli import main
from ecospatial.plans import seal

ON = "2026-11-20"


@pytest.fixture(name="run")
def _run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out = capsys.readouterr()
        return ended.value.code, out.out, out.err

    return run


@pytest.fixture(name="plan")
def _plan(tmp_path):
    return worked_example(tmp_path / "plan")


@pytest.fixture(name="site_file")
def _site_file(tmp_path):
    path = tmp_path / "红线.geojson"
    frame = sites(square(600), square(1400), ids=["甲", "乙"], activity="C26", works="new")
    frame.to_crs(4490).to_file(path, driver="GeoJSON")
    return path


def test_check_prints_a_table_and_writes_nothing(run, plan, site_file, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = run("check", site_file, "--plan", plan, "--on", ON)
    assert code == 0, err
    for word in ("甲", "判定不通过", "乙", "判定通过"):
        assert word in out
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_check_prints_json_that_is_json(run, plan, site_file):
    code, out, _ = run("check", site_file, "--plan", plan, "--on", ON, "--format", "json")
    document = json.loads(out)
    assert code == 0
    assert (document["format"], document["version"]) == ("ecospatial-findings", 2)
    assert [site["verdict"] for site in document["sites"]] == ["prohibited", "clear"]
    assert [(site["headline"], site["certainty"]) for site in document["sites"]] == [
        ("prohibited", "reliable"), ("clear", "reliable"),
    ]  # fmt: skip
    assert document["meta"]["inputs"][0]["file"] == "红线.geojson"
    assert document["meta"]["created"] is None


def test_check_leaves_the_four_files(run, plan, site_file, tmp_path):
    code, _, err = run("check", site_file, "--plan", plan, "--on", ON, "--out", tmp_path / "out")
    assert code == 0, err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "findings.gpkg", "findings.json", "map.html", "report.html",
    ]  # fmt: skip
    again = es.read_findings(tmp_path / "out" / "findings.json")
    assert again.summary.verdict.tolist() == ["prohibited", "clear"]


def test_same_input_same_bytes(run, plan, site_file, tmp_path):
    for name in ("a", "b"):
        run("check", site_file, "--plan", plan, "--on", ON, "--out", tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


FAILS = [("prohibited", 1), ("undecided", 1), ("no_conflict", 1), ("clear", 1), (None, 0)]


@pytest.mark.parametrize(("headline", "code"), FAILS)
def test_fail_on(run, plan, site_file, headline, code):
    more = [] if headline is None else ["--fail-on", headline]
    assert run("check", site_file, "--plan", plan, "--on", ON, *more)[0] == code


def test_fail_on_is_reached_by_a_site_that_can_not_be_decided(run, plan):
    common = ["check", "--wkt", square(600).wkt, "--crs", "4549", "--plan", plan, "--on", ON, "--fail-on"]
    assert [run(*common, headline)[0] for headline in ("prohibited", "undecided", "restricted")] == [0, 1, 1]


@pytest.mark.parametrize("word", ["needs_facts", "no_data", "unsettled", "duty", "bad"])
def test_fail_on_takes_no_verdict_that_is_no_headline(run, plan, site_file, word):
    code, _, err = run("check", site_file, "--plan", plan, "--on", ON, "--fail-on", word)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    for known in (word, "prohibited", "undecided", "restricted", "no_conflict", "clear", "尚不能判定"):
        assert known in err


def test_only_narrows_the_check_and_says_so(run, plan, site_file):
    code, out, err = run("check", site_file, "--plan", plan, "--on", ON, "--only", "eco_redline", "--format", "json")
    assert code == 0, err
    document = json.loads(out)
    assert document["findings"] == []
    assert document["left_out"][0]["kinds"] == ["bank_line"]
    assert document["left_out"][0]["rule_ids"] == ["TH30-6"]
    assert [site["headline"] for site in document["sites"]] == ["undecided", "undecided"]
    _, out, _ = run("check", site_file, "--plan", plan, "--on", ON, "--only", "eco_redline")
    assert "本局不核：\n  岸线（TH30-6）" in out
    both = ["--only", "bank_line,eco_redline"]
    _, out, _ = run("check", site_file, "--plan", plan, "--on", ON, *both, "--format", "json")
    assert len(json.loads(out)["findings"]) == 2
    assert json.loads(out)["left_out"] == []


def test_fail_on_is_not_reached_by_milder_verdicts(run, plan):
    wkt = square(1400).wkt
    done = run(
        "check", "--wkt", wkt, "--crs", "EPSG:4549", "--activity", "C26", "--works", "new", "--plan", plan,
        "--on", ON, "--fail-on", "restricted",
    )  # fmt: skip
    assert done[0] == 0


def test_wkt_activity_and_works(run, plan):
    shape = square(600).wkt
    common = ["--crs", "4549", "--plan", plan, "--on", ON, "--format", "json"]
    code, out, _ = run("check", "--wkt", shape, "--activity", "C26", "--works", "new", *common)
    assert code == 0
    assert json.loads(out)["sites"][0]["verdict"] == "prohibited"
    _, out, _ = run("check", "--wkt", shape, *common)
    assert json.loads(out)["sites"][0]["verdict"] == "needs_facts"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "nothing.shp", "--plan", "PLAN"], ["nothing.shp"]),
        (["check", "empty.geojson", "--plan", "PLAN"], ["empty.geojson"]),
        (["check", "SITES", "--plan", "nowhere"], ["nowhere", "changzhou-zhonglou"]),
        (["check", "SITES", "--plan", "PLAN", "--on", "gestern"], ["gestern", "YYYY-MM-DD"]),
        (["check", "SITES", "--plan", "PLAN", "--fail-on", "bad"], ["bad", "prohibited"]),
        (["check", "SITES", "--plan", "PLAN", "--only", "bank_line,moon"], ["moon", "bank_line", "岸线"]),
        (["check", "SITES", "--plan", "PLAN", "--only", ","], ["bank_line"]),
        (["check", "SITES", "--plan", "PLAN", "--format", "html"], ["--out"]),
        (["check", "SITES", "--plan", "PLAN", "--format", "nope", "--out", "OUT"], ["nope"]),
        (["check", "SITES", "--plan", "PLAN", "--crs", "EPSG:0"], ["EPSG:0"]),
        (["check", "SITES", "--plan", "PLAN", "--works", "demolish"], ["demolish"]),
        (["check", "SITES", "--plan", "PLAN", "--activity", "Q999999"], ["Q999999"]),
        (["check", "--plan", "PLAN"], ["--wkt"]),
        (["check", "SITES"], ["--plan"]),
        (["check", "SITES", "--plan", "PLAN", "--surely"], ["--surely"]),
        (["check", "--wkt", "POLYGON((0 0", "--plan", "PLAN"], ["WKT"]),
        (["check", "far.geojson", "--plan", "PLAN"], ["far.geojson"]),
        (["map", "--plan", "PLAN", "--out", "x.gif"], ["x.gif", ".html"]),
        (["rules", "show", "NONE"], ["NONE"]),
        (["plan", "show", "nowhere"], ["nowhere"]),
        (["nonsense"], ["nonsense"]),
    ],
)
def test_wrong_input_ends_with_two_one_line_and_nothing_written(
    run, plan, site_file, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.geojson").write_bytes(b"")
    far = sites(square(600)).translate(-900_000, 900_000).to_crs(4490)
    far.to_file(tmp_path / "far.geojson", driver="GeoJSON")
    before = sorted(tmp_path.rglob("*"))
    real = {"PLAN": plan, "SITES": site_file, "OUT": tmp_path / "out"}
    code, out, err = run(*[real.get(argument, argument) for argument in arguments])
    assert code == 2
    assert "Traceback" not in out + err
    assert err.startswith("错误：")
    for word in words:
        assert word in err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_fault_of_the_program_is_one_line_and_three(run, plan, site_file, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def broken(*_, **__):
        raise ZeroDivisionError("x")

    monkeypatch.setattr(checks, "check_frame", broken)
    code, _, err = run("check", site_file, "--plan", plan)
    assert code == 3
    assert len(err.strip().splitlines()) == 1
    (details,) = tmp_path.glob("ecospatial-fault-*.txt")
    assert str(details) in err
    assert "ZeroDivisionError" in details.read_text(encoding="utf-8")


def test_stopped_by_the_user(run, plan, site_file, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "check_frame", stopped)
    assert run("check", site_file, "--plan", plan)[0] == 130


def test_plan_commands(run, tmp_path):
    code, out, _ = run("plan", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == es.list_plans()
    code, out, _ = run("plan", "show", "changzhou-zhonglou")
    assert code == 0
    for word in ("持有", "本区不存在", "未取得", "生态保护红线", "示意", "请向"):
        assert word in out
    folder = worked_example(tmp_path / "own", absent={"river": ["望虞河", "太浦河"]})
    code, out, _ = run("plan", "validate", folder)
    assert code == 2
    assert "sha256" in out
    code, out, _ = run("plan", "validate", folder, "--seal")
    assert (code, out.strip()) == (0, "made：没有问题")
    seal(es.open_plan(folder))
    (folder / "bank_line.gpkg").write_bytes(b"changed")
    code, out, _ = run("plan", "validate", folder)
    assert code == 2
    assert "bank_line.gpkg" in out


def test_rules_commands(run, tmp_path):
    code, out, _ = run("rules", "list", "--on", ON)
    assert code == 0
    assert "TH30-6 " in out
    assert "太湖流域管理条例" in out
    assert "TH30-6 " not in run("rules", "list", "--on", "2011-10-31")[1]
    code, out, _ = run("rules", "show", "SP61")
    assert out.count("rule_id: SP61") == 2
    folder = plan_folder(tmp_path, [], [rule("OWN")])
    assert run("rules", "list", "--plan", folder, "--on", ON)[1].split()[0] == "OWN"
    assert run("rules", "show", "OWN", "--plan", folder)[0] == 0


def test_map_of_a_plan(run, plan, site_file, tmp_path):
    code, _, err = run("map", "--plan", plan, "--sites", site_file, "--out", tmp_path / "图.html")
    assert code == 0, err
    page = (tmp_path / "图.html").read_text(encoding="utf-8")
    assert "测试规划" in page


def test_the_program_itself(plan, site_file):
    command = [sys.executable, "-m", "ecospatial", "check", str(site_file), "--plan", str(plan), "--on", ON]
    done = subprocess.run([*command, "--fail-on", "prohibited"], capture_output=True, check=False)
    assert done.returncode == 1, done.stderr.decode()
    assert "判定不通过" in done.stdout.decode("utf-8")
    version = subprocess.run([sys.executable, "-m", "ecospatial", "--version"], capture_output=True, check=True)
    assert version.stdout.decode().strip() == f"ecospatial {es.__version__}"
