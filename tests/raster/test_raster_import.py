"""``plan import`` of a GeoTIFF: the file is checked, copied byte for byte, and nothing is claimed unsaid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import yaml
from made_plans import one, rule, sites, worked_example
from made_rasters import write

import ecospatial as es
from ecospatial import raster
from ecospatial.cli import main
from ecospatial.errors import EcospatialError, PlanError
from ecospatial.plans import Provenance

FULL = Provenance(
    coverage="extent", accuracy_m=10.0, status="official", publisher="某院", title="坡度", retrieved="2026-11-01",
    licence="内部",
)  # fmt: skip
STEEP = rule("S", relation="raster_above", layer="slope", above=25)
SITE = sites(shapely.box(500020, 3520000, 500040, 3520020))


def state(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path):
    return worked_example(tmp_path / "p", rules=[STEEP])


@pytest.fixture
def slope(tmp_path):
    return write(tmp_path / "坡度 图.tif", np.full((20, 20), 10, dtype=np.float32), nodata=-9999)


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def test_an_imported_grid_is_a_layer_like_any_other(folder, slope):
    assert one(folder, SITE).verdict == "no_data"
    done = raster.import_grid(slope, folder, "slope", date="2024-05-01", provenance=FULL)
    assert (done.name, done.empty) == ("slope_2024-05-01", ())
    assert "20 × 20 像元" in done.lines[0]
    assert (folder / "slope_2024-05-01.tif").read_bytes() == slope.read_bytes()
    plan = es.open_plan(folder)
    layer = plan.layers["slope_2024-05-01"]
    assert (str(layer.pixels.date), layer.pixels.resolution_m) == ("2024-05-01", 10)
    assert [problem for problem in plan.validate() if "slope" in str(problem)] == []
    found = one(folder, SITE)
    assert (found.verdict, found.certain) == ("clear", True)


def test_what_was_not_said_is_empty_and_does_not_clear(folder, slope):
    done = raster.import_grid(slope, folder, "slope", date="2024-05-01", name="s")
    assert "coverage" in done.empty
    assert any("不会判定通过" in line for line in done.lines)
    assert one(folder, SITE).verdict == "no_data"
    raster.import_grid(slope, folder, "slope", date="2025-05-01", name="s", provenance=FULL, replace=True)
    assert one(folder, SITE).verdict == "clear"
    assert sum(layer.kind == "slope" for layer in es.open_plan(folder).layers.values()) == 1


def test_tables_are_written_as_given(folder, tmp_path):
    cover = write(tmp_path / "c.tif", np.ones((2, 2), dtype=np.uint8))
    raster.import_grid(cover, folder, "land_cover", date="2024-05-01", classes={1: "tree", 2: "crop"})
    raster.import_grid(cover, folder, "land_cover", date="2025-05-01", classes="worldcover", crs="EPSG:4549")
    image = write(tmp_path / "i.tif", np.ones((4, 2, 2), dtype=np.int16))
    raster.import_grid(image, folder, "imagery", date="2024-05-01", bands="sentinel2_10m")
    entries = {x["name"]: x for x in yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))["layers"]}
    assert entries["land_cover_2024-05-01"]["classes"] == {"1": "tree", "2": "crop"}
    assert entries["land_cover_2025-05-01"]["classes"] == "worldcover"
    plan = es.open_plan(folder)
    assert raster.grid_of(plan, "land_cover_2024-05-01").classes == {1: "tree", 2: "crop"}
    assert raster.grid_of(plan, "imagery_2024-05-01").bands["nir"] == 4
    assert [layer.name for layer in raster.pictures(plan, "land_cover")][-1] == "land_cover_2025-05-01"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"date": None}, ["没有写明栅格的日期", "--date"]),
        ({"date": "2024/5/1"}, ["--date 2024/5/1 不是日期"]),
        ({"kind": "control_zone"}, ["不是栅格图层种类", "land_cover"]),
        ({"kind": "land_cover"}, ["land_cover 需要 --classes"]),
        ({"kind": "land_cover", "classes": "corine"}, ["--classes 没有 corine"]),
        ({"kind": "land_cover", "classes": {1: "forest"}}, ["没有类别 forest", "应为整数"]),
        ({"kind": "imagery", "bands": {"nir": 7}}, ["没有第 7 波段"]),
        ({"bands": "sentinel2_10m"}, ["slope 不用 --bands"]),
        ({"name": "../up"}, ["图层名"]),
        ({"name": "bank_line"}, ["已存在", "--replace"]),
        ({"crs": "EPSG:4548"}, ["矛盾"]),
        ({"provenance": Provenance(status="final")}, ["--status"]),
        ({"provenance": Provenance(coverage="everywhere")}, ["coverage"]),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(folder, slope, keys, words):
    before = state(folder)
    call = {"kind": "slope", "date": "2024-05-01", **keys}
    with pytest.raises(EcospatialError) as caught:
        raster.import_grid(slope, folder, call.pop("kind"), **call)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert state(folder) == before


def test_a_grid_of_another_place_is_refused(folder, tmp_path):
    far = write(tmp_path / "far.tif", np.ones((2, 2), dtype=np.float32), west=600000)
    with pytest.raises(EcospatialError, match="20 km 以上（90 km）"):
        raster.import_grid(far, folder, "slope", date="2024-05-01")
    with pytest.raises(PlanError, match="plan new"):
        raster.import_grid(far, tmp_path, "slope", date="2024-05-01")


def test_the_command(folder, slope, tmp_path, capsys):
    common = ("plan", "import", slope, "--kind", "slope", "--plan", folder)
    assert run(*common) == 2
    assert "--date" in capsys.readouterr().err
    assert run(*common, "--date", "2024-05-01", "--map", "a=b") == 2
    assert "不用 --map" in capsys.readouterr().err
    said = ("--coverage", "extent", "--accuracy", "10", "--status", "official", "--publisher", "某院")
    assert run(*common, "--date", "2024-05-01", *said) == 0
    shown = capsys.readouterr()
    assert "slope_2024-05-01.tif" in shown.out
    assert "已写入图层 slope_2024-05-01" in shown.err
    cover = write(tmp_path / "c.tif", np.ones((2, 2), dtype=np.uint8))
    land = ("plan", "import", cover, "--kind", "land_cover", "--plan", folder, "--date", "2024-05-01")
    assert run(*land, "--classes", "tree=1") == 2
    assert "1=tree,2=crop" in capsys.readouterr().err
    assert run(*land, "--classes", "1=tree,2=crop") == 0
    capsys.readouterr()
    assert one(folder, SITE).verdict == "clear"
