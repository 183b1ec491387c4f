"""A table of files that go wrong elsewhere: each is read right, with what was changed said, or refused clearly."""

from __future__ import annotations

import tempfile

import pytest
import traps_cad
import traps_hostile
import traps_places
import traps_tables
import traps_text
import traps_vector
from made_traps import PLAN

from ecospatial.sites import read_sites

TRAPS = [
    *traps_text.TRAPS,
    *traps_tables.TRAPS,
    *traps_vector.TRAPS,
    *traps_cad.TRAPS,
    *traps_places.TRAPS,
    *traps_hostile.TRAPS,
]


def listing(folder):
    return {p.relative_to(folder): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_trap(trap, tmp_path, monkeypatch):
    scratch, folder = tmp_path / "scratch", tmp_path / "given"
    scratch.mkdir()
    folder.mkdir()
    path = trap.make(folder)
    before = listing(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    if trap.error is None:
        sites = read_sites(path, **{"plan": PLAN, **trap.options})
        assert len(sites) == trap.count
        assert sites.area.sum() == pytest.approx(trap.area, abs=trap.tolerance)
        assert set(sites.geom_type) == {trap.kind}
        assert sites.is_valid.all()
        said = "\n".join([*sites["repair"], *sites.attrs["notices"]])
        for word in trap.told:
            assert word in said
    else:
        with pytest.raises(trap.error) as caught:
            read_sites(path, **{"plan": PLAN, **trap.options})
        assert type(caught.value) is trap.error
        for word in trap.words:
            assert word in str(caught.value)
        assert all("/" not in problem.file and problem.hint for problem in caught.value.problems)
    assert listing(folder) == before
    assert not list(scratch.iterdir())


def test_the_table_is_long_enough():
    assert len(TRAPS) == len({trap.name for trap in TRAPS})
    assert len(TRAPS) >= 180
