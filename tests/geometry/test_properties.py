"""What must hold for any site: design.md's last section, stated with hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_plans import BANK, district, layer, plan_folder, rule, sites

import ecospatial as es

ON = "2026-11-20"
ZONE = shapely.box(503000, 3515000, 505000, 3517000)
RULES = [
    rule("NEAR"),
    rule("SOFT", effect="restricted", within_m=300),
    rule("OVER", relation="overlaps", layer="control_zone", when={"works": ["new"]}),
    rule("OUT", relation="outside", layer="urban_boundary"),
]
GENTLE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("property")
    entries = [
        district(folder),
        layer(folder, "bank_line", BANK, columns={"river": ["新孟河"]}, coverage="district+5000"),
        layer(folder, "control_zone", ZONE, columns={"zone_type": ["x"]}),
        layer(folder, "urban_boundary", shapely.box(492000, 3512000, 508000, 3528000)),
    ]
    return plan_folder(folder, entries, RULES)


@pytest.fixture(scope="module", name="plan")
def _plan(folder):
    return es.open_plan(folder)


def verdicts(plan, *shapes, **columns):
    frame = es.check(sites(*shapes, **columns), plan, on=ON).frame
    return [frame[frame.site_id == site].set_index("rule_id").verdict for site in frame.site_id.unique()]


@GENTLE
@given(
    x=st.floats(490100, 509800), y=st.floats(3510100, 3529800), size=st.floats(1, 500), step=st.floats(0, 1),
    works=st.sampled_from(["new", "existing", None]),
)  # fmt: skip
def test_moving_closer_never_softens_a_verdict(plan, x, y, size, step, works):
    x, y = min(x, 510000 - size), min(y, 3530000 - size)
    here = shapely.box(x, y, x + size, y + size)
    nearest = shapely.shortest_line(here, BANK)
    dx = step * (nearest.coords[1][0] - nearest.coords[0][0])
    closer = shapely.transform(here, lambda xy: xy + np.array([dx, 0]))
    far, near = verdicts(plan, here, closer, works=works)
    assert (near[["NEAR", "SOFT"]] >= far[["NEAR", "SOFT"]]).all()
    toward = shapely.shortest_line(here, ZONE)
    shift = [step * (b - a) for a, b in zip(toward.coords[0], toward.coords[1], strict=True)]
    moved = shapely.transform(here, lambda xy: xy + shift)
    far, near = verdicts(plan, here, moved, works=works)
    assert near["OVER"] >= far["OVER"]


@GENTLE
@given(x=st.floats(489000, 511000), y=st.floats(3509000, 3531000), size=st.floats(0.1, 2000))
def test_removing_a_layer_never_clears(folder, plan, x, y, size):
    site = shapely.box(x, y, x + size, y + size)
    (before,) = verdicts(plan, site, works="new")
    content = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    for kind in ("bank_line", "control_zone", "urban_boundary"):
        left = [entry for entry in content["layers"] if entry["kind"] != kind]
        path = folder / "plan.yaml"
        original = path.read_text(encoding="utf-8")
        try:
            path.write_text(yaml.safe_dump(content | {"layers": left}, allow_unicode=True), encoding="utf-8")
            (after,) = verdicts(es.open_plan(folder), site, works="new")
        finally:
            path.write_text(original, encoding="utf-8")
        lost = [r["id"] for r in RULES if r["layer"] == kind]
        assert (after[lost] == "no_data").all()
        kept = [r["id"] for r in RULES if r["layer"] != kind]
        assert after[kept].tolist() == before[kept].tolist()


@GENTLE
@given(x=st.floats(470000, 530000), y=st.floats(3490000, 3550000), size=st.floats(0.1, 3000))
def test_never_clear_where_the_coverage_does_not_reach(plan, x, y, size):
    site = shapely.box(x, y, x + size, y + size)
    frame = es.check(sites(site, works="new"), plan, on=ON).frame.set_index("rule_id")
    for name, kind, within in (("NEAR", "bank_line", 1000), ("SOFT", "bank_line", 300), ("OVER", "control_zone", 0)):
        reaches = plan.coverage(kind).contains(site.buffer(within * 0.99) if within else site)
        if not reaches:
            assert frame.verdict[name] != "clear"
