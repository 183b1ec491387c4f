"""The example sites of the shipped plan nanjing-gulou, read with other means than the package's own, and checked."""

import csv
import re
import xml.etree.ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from shipped_plan import ROOT, shipped

import ecospatial as es
from ecospatial import model

PLAN = shipped("nanjing-gulou")
EXAMPLES = PLAN.folder / "examples"
GML = "{http://www.opengis.net/gml}"


def by_name(kind):
    return {p["feature_name"]: g for p, g in PLAN.in_metres(kind)}


def bank(name):
    return by_name("bank_line")[f"{name}（两岸之间）"]


@pytest.fixture(scope="module")
def district():
    return PLAN.district()


def shp_sites():
    frame = pyogrio.read_dataframe(EXAMPLES / "sites.shp")
    assert frame.crs.to_epsg() == 4549
    return frame.set_index("site_id")


def fgb_sites():
    frame = pyogrio.read_dataframe(EXAMPLES / "sites.fgb").set_index("项目编号")
    assert frame.crs.to_epsg() == 4490
    return frame


def gml_sites():
    """Read the GML by its letters: the northing stands first."""
    found = {}
    for member in ET.parse(EXAMPLES / "sites.gml").getroot():  # noqa: S314 - our own file
        rings = [
            np.array(ring.text.split(), dtype=float).reshape(-1, 2)[:, ::-1] for ring in member.iter(f"{GML}posList")
        ]
        found[member.find(".//{urn:example:sites}site_id").text] = shapely.Polygon(rings[0], rings[1:])
    return found


@pytest.fixture(scope="module")
def sites():
    shapes = dict(shp_sites().geometry)
    shapes |= {name: PLAN.metres(shape) for name, shape in fgb_sites().geometry.items()}
    shapes |= gml_sites()
    assert list(shapes) == [f"GL-{i:02d}" for i in range(1, 22)]
    return shapes


def test_example_sites_are_sound_and_in_the_district(sites, district):
    for name, shape in sites.items():
        assert shape.is_valid, name
        assert district.contains(shape), name
    assert {shape.geom_type for shape in sites.values()} == {"Polygon", "LineString", "Point"}


@pytest.mark.parametrize(
    ("name", "river", "metres"),
    [
        ("GL-04", "长江", 300),
        ("GL-05", "长江", 1400),
        ("GL-16", "夹江", 20),
        ("GL-17", "夹江", 950),
        ("GL-20", "长江", 600),
        ("GL-21", "长江", 500),
    ],
)
def test_example_sites_are_as_far_from_the_bank_as_they_say(sites, name, river, metres):
    assert sites[name].distance(bank(river)) == pytest.approx(metres, abs=0.05)


def test_the_platform_is_as_long_and_wide_as_the_plan_says(sites):
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(sites["GL-01"]))
    short, long = sorted(np.hypot(*(box[1:3] - box[:2]).T))
    assert (long, short) == (pytest.approx(220, abs=3), pytest.approx(82, abs=3))
    assert 0.3 < sites["GL-01"].intersection(bank("长江")).area / sites["GL-01"].area < 0.9


def test_lines_follow_their_rivers(sites):
    lines = by_name("river_centreline")
    for name, river in (("GL-08", "外金川河"), ("GL-09", "清江河"), ("GL-10", "惠民河")):
        assert sites[name].difference(lines[river].buffer(0.1)).length < 0.1
        assert sites[name].length > 1000


def test_the_shapefile_is_loose_and_says_that_it_is_utf8():
    assert (EXAMPLES / "sites.cpg").read_text(encoding="ascii") == "UTF-8"
    frame = shp_sites()
    assert frame.site_name["GL-02"].startswith("颐和路历史文化街区")
    assert {"discharges", "permitted_", "new_outfal"} <= set(frame.columns)
    assert all(len(column) <= 10 for column in frame.columns if column != "geometry")


def test_the_gml_says_its_axes_and_has_no_facts():
    text = (EXAMPLES / "sites.gml").read_text(encoding="utf-8")
    assert "urn:ogc:def:crs:EPSG::4549" in text
    first = re.search(r"posList>(\S+) (\S+)", text)
    assert len(first[1].split(".")[0]) == 7
    assert len(first[2].split(".")[0]) == 6
    rows = list(csv.DictReader((EXAMPLES / "facts.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["site_id"] for row in rows] == list(gml_sites())
    assert rows[0].keys() <= {"site_id", "activity", "works", *model.FACTS}


@pytest.fixture(scope="module")
def findings():
    plan = es.open_plan("nanjing-gulou")
    files = [EXAMPLES / f"sites.{suffix}" for suffix in ("shp", "fgb", "gml")]
    sites = es.read_sites(files, plan=plan, facts=EXAMPLES / "facts.csv")
    return es.check(sites, plan, on=(EXAMPLES / "day.txt").read_text(encoding="utf-8").strip())


def test_every_verdict_occurs_among_the_findings(findings):
    assert set(findings.frame.verdict) == set(model.VERDICTS)
    # What is asked of every project (as the sponge city rule GL-PHM) is a duty, and leaves a site decided as it is.
    assert set(findings.summary.decided) == {"prohibited", "restricted", "clear"}


@pytest.mark.parametrize(
    ("site", "rule", "verdict"),
    [
        ("GL-01", "ERL", "restricted"),
        ("GL-01", "GL-AX", "restricted"),
        ("GL-01", "GL-JT", "restricted"),
        ("GL-03", "GL-TR2", "prohibited"),
        ("GL-03", "GL-TR3", "prohibited"),
        ("GL-04", "CJ26-1", "prohibited"),
        ("GL-05", "CJ26-1", "clear"),
        ("GL-06", "ERL", "clear"),
        ("GL-06", "GL-TR3", "no_data"),
        ("GL-07", "ERL", "prohibited"),
        ("GL-08", "ERL", "clear"),
        ("GL-11", "GL-PK", "needs_facts"),
        ("GL-12", "GL-PK", "not_applicable"),
        ("GL-13", "ERL", "restricted"),
        ("GL-14", "GL-MY", "restricted"),
        ("GL-15", "ERL", "restricted"),
        ("GL-15", "GL-YS", "restricted"),
        ("GL-16", "ERL", "prohibited"),
        ("GL-16", "GL-YS", "restricted"),
        ("GL-20", "NJ-LS", "duty"),
        ("GL-17", "GL-CJ26", "prohibited"),
        ("GL-18", "GL-TR1", "restricted"),
        ("GL-19", "GL-PK", "restricted"),
        ("GL-20", "CJ26-1", "not_applicable"),
        ("GL-21", "CJ26-1", "needs_facts"),
    ],
)
def test_examples_show_what_their_readme_says(findings, site, rule, verdict):
    frame = findings.frame
    assert list(frame.verdict[(frame.site_id == site) & (frame.rule_id == rule)]) == [verdict]


def test_the_decided_verdicts_are_those_of_the_readme(findings):
    decided = findings.summary.decided.astype(str).to_dict()
    assert {name for name, found in decided.items() if found == "prohibited"} == {
        "GL-03",
        "GL-04",
        "GL-07",
        "GL-16",
        "GL-17",
    }
    assert {name for name, found in decided.items() if found == "restricted"} == {
        "GL-01", "GL-05", "GL-08", "GL-09", "GL-10", "GL-13", "GL-14", "GL-15", "GL-18", "GL-19",
    }  # fmt: skip


def test_the_examples_stand_in_the_readme_of_their_folder():
    about = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert "invented" in about
    assert all(f"GL-{i:02d}" in about for i in range(1, 22))
    assert (EXAMPLES / "day.txt").read_text(encoding="utf-8") == "2026-11-20\n"
    assert ROOT in EXAMPLES.parents
