"""An output format of one's own is a row of the registry and a function: data before documents, whole or not there."""

from __future__ import annotations

import sys

import pytest
from made_findings import SITE_IDS, made_findings

from ecospatial import export
from ecospatial.errors import OutputError
from ecospatial.export.registry import WRITERS, Writer, list_formats


def save_csv(findings, path):
    """Write the headline of each site."""
    findings.summary[["headline"]].to_csv(path)


def save_nothing(findings, path):
    """Fail as a writer may."""
    raise ValueError(f"{len(findings.frame)} rows, {path.name}")


@pytest.fixture(autouse=True)
def own(monkeypatch):
    module = sys.modules[__name__].__name__
    monkeypatch.setitem(WRITERS, ("Findings", "csv"), Writer("headlines.csv", module, "save_csv", data=True))
    monkeypatch.setitem(WRITERS, ("Findings", "bad"), Writer("bad.txt", module, "save_nothing", data=False))


def test_a_format_of_ones_own_is_offered_and_written(tmp_path):
    assert list_formats("Findings")[-2:] == ("csv", "bad")
    (path,) = export.write(made_findings(), tmp_path, formats=["csv"])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "site_id,headline"
    assert [line.split(",")[0] for line in lines[1:]] == SITE_IDS


def test_one_that_fails_costs_only_itself(tmp_path):
    with pytest.raises(OutputError, match=r"bad\.txt：未能写出，程序内部错误（ValueError）") as caught:
        export.write(made_findings(), tmp_path, formats=["bad", "csv"])
    assert [path.name for path in caught.value.written] == ["headlines.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["headlines.csv"]
