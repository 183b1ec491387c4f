"""The headline of a site and the word of its certainty stand together wherever findings are shown or stored."""

from __future__ import annotations

import json
import re

import docx
import made_findings
import openpyxl
import pandas as pd
import pytest
from made_plans import TH30, rule, sites, square, worked_example
from page_outline import outline
from read_page import call, column, layers_of

import ecospatial as es
from ecospatial import export, model
from ecospatial.maps import to_html

ON = "2026-11-20"
# One for each of the sites made by hand.
WORDS = (*model.CERTAINTIES, None)


def with_headline(name):
    made = made_findings.made_findings()
    made.summary["headline"] = pd.Categorical([name] * 5, dtype=model.HEADLINE_DTYPE)
    made.summary["certainty"] = pd.Series(WORDS, index=made.summary.index, dtype=object)
    return made


def map_answers(text):
    """What the marks and popups of the sites of a map say, as map.js puts it together."""
    badges, config = layers_of(text)["sites"]["badges"], call(text, "start")
    count = len(badges["t"])
    found = []
    for headline, certainty in zip(column(badges["h"], count), column(badges["k"], count), strict=True):
        word = config["certainties"][certainty] if certainty >= 0 else ""
        found.append(config["headlines"][headline]["label"] + (f"·{word}" if word else ""))
    return found


def answers_everywhere(findings, folder):
    """What each output says of the sites, by output."""
    export.write(findings, folder, formats=["html", "map", "json", "gpkg", "xlsx", "docx"])
    screen = export.summary_text(findings).splitlines()
    first = next(number for number, line in enumerate(screen) if line.startswith("地块"))
    count = len(findings.summary)
    page = (folder / "report.html").read_text("utf-8")
    document = json.loads((folder / "findings.json").read_text("utf-8"))
    sheet = list(openpyxl.load_workbook(folder / "findings.xlsx")["结论汇总"].iter_rows(values_only=True))
    head = next(number for number, row in enumerate(sheet) if "地块编号" in row)
    word = [paragraph.text for paragraph in docx.Document(str(folder / "report.docx")).paragraphs]
    back = export.read(folder / "findings.gpkg")["summary"]
    table = export.table(findings).drop_duplicates("地块编号").set_index("地块编号")["结论"]
    names = [str(name) for name in findings.summary.index]
    return {
        "screen": [line.split()[-3] for line in screen[first + 1 : first + 1 + count]],
        "page": re.findall(r"结论 <span class=\"v\"><i [^>]*>.</i>([^<]*)</span>", page),
        "map": map_answers((folder / "map.html").read_text("utf-8")),
        "json": [model.headline_text(site["headline"], site["certainty"]) for site in document["sites"]],
        "gpkg": [model.headline_text(h, c) for h, c in zip(back["headline"], back["certainty"], strict=True)],
        "xlsx": [row[sheet[head].index("结论")] for row in sheet[head + 1 : head + 1 + count]],
        "docx": [re.sub(r"^结论：.　", "", line) for line in word if line.startswith("结论：")],
        "jupyter": re.findall(r"<b>.</b> ([^<]*)</span>", export.notebook_html(findings)),
        "table": [table[name] for name in names],
    }


@pytest.mark.parametrize("name", model.HEADLINES)
def test_headline_and_certainty_stand_together_in_every_output(name, tmp_path):
    told = answers_everywhere(with_headline(name), tmp_path)
    label = model.HEADLINES[name].label
    for output, answers in told.items():
        assert answers == [f"{label}·可靠", f"{label}·临界", f"{label}·存疑", f"{label}·示意", label], output


BAN = rule("BAN", when={"activity": ["C26"]})
UNREAD = rule("R", cite={**TH30["cite"], "verified": False})


@pytest.mark.parametrize("rules", [[TH30], [BAN], [BAN, rule("FAR", within_m=100)], [UNREAD]])
def test_a_red_line_without_facts_inside_a_ban_never_passes(rules, tmp_path):
    plan = es.open_plan(worked_example(tmp_path / "plan", rules))
    found = es.check(sites(square(600), ids=["红线"]), plan, on=ON)
    told = answers_everywhere(found, tmp_path / "out")
    assert {output: ["尚不能判定"] for output in told} == told
    # Nor does any line about it say so in passing.
    table = export.summary_text(found).partition("注意")[0]
    assert "通过" not in table
    section = (tmp_path / "out/report.html").read_text("utf-8").split('id="site-1"')[1].split("</section>")[0]
    assert "通过" not in outline(section).text
    told = layers_of((tmp_path / "out/map.html").read_text("utf-8"))["sites"]["told"]
    assert "通过" not in json.dumps(told, ensure_ascii=False)
    document = json.loads((tmp_path / "out/findings.json").read_text("utf-8"))
    (site,) = document["sites"]
    assert site["headline"] == "undecided"
    assert site["open"][0]["open_by"] == ("rule_keeper" if rules[0]["id"] == "R" else "applicant")


def test_what_passes_for_certain_says_so_in_every_output(tmp_path):
    plan = es.open_plan(worked_example(tmp_path / "plan"))
    found = es.check(sites(square(1400), activity="C26", works="new"), plan, on=ON)
    told = answers_everywhere(found, tmp_path / "out")
    assert {output: ["判定通过·可靠"] for output in told} == told


@pytest.mark.parametrize("form", ["json", "gpkg", "parquet"])
def test_a_check_read_again_is_the_same(form, tmp_path):
    """Every column, its type included, and what is open in the plan or left out."""
    rules = [TH30, rule("GAP", layer="canal_zone", relation="overlaps"), rule("OPEN", not_stated=["list"])]
    rules += [rule("DUTY", layer="district", relation="overlaps", effect="duty", due="2026-01-01")]
    folder = worked_example(tmp_path / "plan", rules)
    text = (folder / "plan.yaml").read_text("utf-8")
    scope = "scope:\n  - {kinds: [noise_zone], because: 由环评审查, ask: 某局}\n"
    (folder / "plan.yaml").write_text(text + scope, "utf-8")
    frame = sites(square(600), square(1400), square(5000), activity=["C26", "C26", None], works=["new", None, None])
    found = es.check(frame, es.open_plan(folder), on=ON)
    assert found.summary["headline"].tolist()[0] == "prohibited"
    assert found.left_out and found.plan_open
    found.write(tmp_path / "out", formats=[form])
    back = es.read_findings(tmp_path / "out" / {"parquet": "findings"}.get(form, f"findings.{form}"))
    assert (back.plan_open, back.left_out) == (found.plan_open, found.left_out)
    for name in found.frame.columns.drop("geometry"):
        before, after = found.frame[name], back.frame[name]
        kind = "category" if before.dtype == "category" else before.dtype
        assert after.dtype == kind, name
        if kind == "category":
            assert after.cat.ordered == before.cat.ordered, name
            before, after = before.astype(object), after.astype(object)
        exact = {} if form != "json" else {"atol": 0.006}
        pd.testing.assert_series_equal(before, after, check_dtype=False, **exact)
    for name in (
        "headline",
        "certainty",
        "certain",
        "verdict",
        "decided",
        "n_open",
        "n_missing",
        "n_duty",
        "n_unsettled",
    ):
        assert back.summary[name].dtype == found.summary[name].dtype, name
        assert back.summary[name].astype(object).where(back.summary[name].notna(), None).tolist() == (
            found.summary[name].astype(object).where(found.summary[name].notna(), None).tolist()
        ), name
    pd.testing.assert_frame_equal(back.open, found.open)
    assert to_html(back.map()).count("由环评审查") == 1
