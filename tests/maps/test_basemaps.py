"""Base maps: none by default, only their hosts in the policy, the key nowhere else, GCJ-02 said aloud."""

from __future__ import annotations

import re

import pytest
from made_findings import made_findings, made_plan
from read_page import call

import ecospatial as es
from ecospatial import maps
from ecospatial.cli import main
from ecospatial.errors import EcospatialError

KEY = "0123456789abcdef0123456789abcdef"
OWN = "https://{s}.tiles.example.cn/{z}/{x}/{y}.png"


@pytest.fixture
def plan(tmp_path):
    return made_plan(tmp_path)


def code_of(arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code or 0


def pictures(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    return re.search(r"img-src ([^;]+);", policy).group(1).split()


def test_a_page_has_no_base_map_and_no_host_by_default(plan):
    text = maps.to_html(es.draw(plan))
    assert pictures(text) == ["data:"]
    assert "base" not in call(text, "start")
    assert 'id="es-credit"' not in text


@pytest.mark.parametrize(
    ("name", "hosts", "label"),
    [
        ("osm", ["https://tile.openstreetmap.org"], "OpenStreetMap"),
        ("tianditu", [f"https://t{i}.tianditu.gov.cn" for i in range(8)], "天地图矢量"),
        ("tianditu-image", [f"https://t{i}.tianditu.gov.cn" for i in range(8)], "天地图影像"),
        (OWN, [f"https://{i}.tiles.example.cn" for i in "abc"], "自备底图"),
        ("http://10.0.0.8:8080/t/{z}/{x}/{y}", ["http://10.0.0.8:8080"], "自备底图"),
    ],
)
def test_the_policy_lets_the_page_ask_the_hosts_of_its_base_map_only(name, hosts, label, plan, monkeypatch):
    monkeypatch.setenv("TIANDITU_KEY", KEY)
    for what in (plan, made_findings(plan)):
        text = maps.to_html(maps.draw(what, basemap=name))
        assert pictures(text) == ["data:", *hosts]
        assert "default-src 'none'" in text
        assert call(text, "start")["base"]["label"] == label
        assert call(text, "start")["gcj02"] is False
        assert "底图" in re.search(r'id="es-credit">([^<]+)<', text).group(1)


def test_tianditu_is_asked_for_cgcs2000_tiles_in_mercator(plan):
    """Both sheets of 天地图 are CGCS2000; those in Mercator (w) fit the page without a shift."""
    base = call(maps.to_html(maps.draw(plan, basemap=maps.basemap("tianditu", key=KEY))), "start")["base"]
    assert [re.search(r"LAYER=(\w+)&.*TILEMATRIXSET=(\w)&", url).groups() for url in base["urls"]] == [
        ("vec", "w"), ("cva", "w"),
    ]  # fmt: skip
    assert all(url.endswith(f"&tk={KEY}") for url in base["urls"])


def test_without_a_key_it_is_said_where_to_get_one(plan, monkeypatch):
    monkeypatch.delenv("TIANDITU_KEY", raising=False)
    with pytest.raises(EcospatialError, match="TIANDITU_KEY"):
        maps.draw(plan, basemap="tianditu")


@pytest.mark.parametrize(
    "address",
    [
        "google", "ftp://a.example/{z}/{x}/{y}", "https://a.example/tiles", "javascript:alert(1)//{z}{x}{y}",
        "https://a.example; script-src *; img-src b/{z}/{x}/{y}", "https://a.example\"><img src=x>/{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}", "https://u:p@a.example/{z}/{x}/{y}", "file:///{z}/{x}/{y}",
    ],
)  # fmt: skip
def test_what_is_no_address_of_tiles_is_refused(address):
    with pytest.raises(EcospatialError, match="底图"):
        maps.basemap(address)


@pytest.mark.parametrize("key", ["x", "a&b=1234567", "<img>12345678", KEY + '"'])
def test_a_key_that_is_none_is_refused_and_not_repeated(key):
    with pytest.raises(EcospatialError) as caught:
        maps.basemap("tianditu", key=key)
    assert key not in str(caught.value) or key == "x"


def test_gcj02_is_for_own_tiles_and_is_said_in_red(plan):
    with pytest.raises(EcospatialError, match="GCJ-02"):
        maps.basemap("osm", gcj02=True)
    text = maps.to_html(maps.draw(plan, basemap=maps.basemap(OWN, gcj02=True)))
    assert call(text, "start")["gcj02"] is True
    head = text.partition('<header class="es-head">')[2].partition("</header>")[0]
    assert "底图为 GCJ-02 偏移坐标，图形已随底图偏移，不可用于量算和定位" in head


@pytest.mark.usefixtures("plan")
def test_command_writes_the_key_into_the_page_and_nowhere_else(tmp_path, capfd):
    target = tmp_path / "out" / "map.html"
    told = ["map", "--plan", str(tmp_path), "--out", str(target), "--basemap", "tianditu", "--basemap-key", KEY]
    assert code_of(told) == 0
    assert KEY in target.read_text("utf-8")
    said = "".join(capfd.readouterr())
    assert KEY not in said
    assert "网页中写有天地图密钥" in said
    assert KEY not in repr(maps.basemap("tianditu", key=KEY))
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize(
    "more",
    [["--basemap-key", KEY], ["--gcj02"], ["--basemap", "osm", "--out", "a.png"], ["--basemap", "nowhere"],
     ["--basemap", "osm", "--each", "town", "--out", "many"]],
)  # fmt: skip
def test_command_refuses_what_can_not_be(more, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert code_of(["map", "--plan", str(tmp_path), *more]) == 2
    told = capfd.readouterr().err
    assert "底图" in told or "--basemap" in told
    assert not (tmp_path / "many").exists()


def test_same_base_map_same_bytes(plan):
    one, other = (maps.to_html(maps.draw(plan, basemap=OWN)) for _ in range(2))
    assert one == other
