"""``plan new`` and ``plan import``: one command turns an official file into a layer, and nothing is claimed unsaid."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
import yaml
from click.testing import CliRunner
from made_plans import AWAY, BANK, DISTRICT, INSIDE, OVER, ZONE, one, sites, worked_example, zone_plan

import ecospatial as es
from ecospatial import io
from ecospatial.cli.root import cli
from ecospatial.errors import CrsError, EcospatialError, PlanError, SiteError
from ecospatial.plans import Provenance, import_layer, new_plan
from ecospatial.plans._yaml_edit import put_layer

FULL = Provenance(
    coverage="district", accuracy_m=1.0, status="official", publisher="省厅", title="管控区", retrieved="2026-11-01",
    licence="内部", valid_from="2026-01-01",
)  # fmt: skip


def official(path, shapes=(ZONE,), crs=4549, **columns):
    """A shapefile as a bureau holds it: Chinese names, GBK, no label."""
    columns = columns or {"类型": ["清水通道维护区"], "名称": ["新孟河"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(
            path, **({"encoding": "gbk"} if path.suffix == ".shp" else {})
        )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    return path


def bare_plan(tmp_path, **keys):
    folder = tmp_path / "my-plan"
    new_plan(folder, crs="EPSG:4549", **keys)
    return folder


def state(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ------------------------------------------------------------------------------------------- plan new


def test_a_new_plan_opens_and_names_what_its_rules_ask_for(tmp_path):
    lines = new_plan(tmp_path / "my-plan", crs="4549", title="钟楼区: 一", packs=("national", "taihu"))
    plan = es.open_plan(tmp_path / "my-plan")
    assert (plan.name, plan.title, plan.crs.to_epsg(), plan.packs) == (
        "my-plan",
        "钟楼区: 一",
        4549,
        ("national", "taihu"),
    )
    assert plan.layers == {}
    assert "bank_line（岸线）" in "\n".join(lines)
    assert sorted(p.name for p in (tmp_path / "my-plan").iterdir()) == ["README.md", "plan.yaml"]


def test_a_new_plan_takes_the_district(tmp_path):
    outline = official(tmp_path / "区界.shp", [DISTRICT], XZQDM=["320404"], XZQMC=["钟楼区"])
    plan = es.open_plan(bare_plan(tmp_path, district=outline))
    row = plan.frame("district").iloc[0]
    assert (row.adcode, row.feature_name) == ("320404", "钟楼区")
    assert plan.area.equals(DISTRICT)
    assert plan.layers["district"].coverage == "extent"


@pytest.mark.parametrize(
    ("keys", "error", "word"),
    [
        ({"crs": "EPSG:4490"}, CrsError, "不是投影坐标系"),
        ({"crs": "EPSG:3857"}, CrsError, "不能用于量算"),
        ({"crs": "gcj02"}, CrsError, "GCJ-02"),
        ({"packs": ("no-such",)}, PlanError, "没有规则包"),
        ({"packs": ("../own",)}, PlanError, "规则包"),
        ({"district": "missing.shp"}, SiteError, "文件不存在"),
    ],
)
def test_a_new_plan_that_can_not_be_leaves_nothing(tmp_path, keys, error, word):
    with pytest.raises(error, match=word):
        new_plan(tmp_path / "a", **{"crs": "EPSG:4549", **keys})
    assert list(tmp_path.iterdir()) == []


def test_a_new_plan_leaves_a_filled_folder_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(PlanError, match="不是空的"):
        new_plan(tmp_path, crs="EPSG:4549")
    assert state(tmp_path) == {"note.txt": b"mine"}
    (tmp_path / "empty").mkdir()
    new_plan(tmp_path / "empty", crs="EPSG:4549")
    assert es.open_plan(tmp_path / "empty").name == "empty"


# ---------------------------------------------------------------------------------------- plan import


def test_usual_names_are_matched_and_shown(tmp_path):
    folder = bare_plan(tmp_path, district=official(tmp_path / "区界.shp", [DISTRICT], XZQMC=["钟楼区"]))
    done = import_layer(official(tmp_path / "管控区.shp"), folder, "control_zone", provenance=FULL)
    told = "\n".join(done.lines)
    assert "zone_type（管控区类型）← 类型" in told
    assert "feature_name（名称）← 名称" in told
    assert done.empty == ()
    plan = es.open_plan(folder)
    layer = plan.layers["control_zone"]
    assert (layer.path, layer.status, layer.coverage, layer.accuracy_m) == (
        "control_zone.gpkg",
        "official",
        "district",
        1,
    )
    assert (layer.source.publisher, str(layer.source.retrieved), str(layer.valid_from)) == (
        "省厅",
        "2026-11-01",
        "2026-01-01",
    )
    assert layer.sha256 == io.sha256(folder / "control_zone.gpkg")
    assert plan.frame("control_zone").zone_type.tolist() == ["清水通道维护区"]
    assert plan.trouble("control_zone") is None
    assert not [problem for problem in plan.validate() if "control_zone" in str(problem)]


def test_the_copy_keeps_its_own_crs_columns_and_bytes(tmp_path):
    for name in ("one", "two"):
        new_plan(tmp_path / name, crs="EPSG:4549")
    prefixed = shapely.transform(ZONE, lambda v: v + np.array([4e7, 0]))
    kept = official(tmp_path / "b.shp", [prefixed], crs=4528, 类型=["森林公园"], fid=[7])
    for name in ("one", "two"):
        import_layer(kept, tmp_path / name, "control_zone", provenance=FULL)
    assert (tmp_path / "one/control_zone.gpkg").read_bytes() == (tmp_path / "two/control_zone.gpkg").read_bytes()
    copied = pyogrio.read_dataframe(tmp_path / "one/control_zone.gpkg")
    assert copied.crs.to_epsg() == 4528
    assert copied["fid"].tolist() == [7]
    read = es.open_plan(tmp_path / "one").frame("control_zone").geometry[0]
    assert read.symmetric_difference(ZONE).area < 0.01


def test_what_is_not_given_is_empty_hits_and_never_clears(tmp_path):
    folder = zone_plan(tmp_path / "p", [OVER])
    done = import_layer(official(tmp_path / "管控区.shp"), folder, "control_zone", replace=True)
    assert done.empty[:3] == ("coverage", "accuracy_m", "status")
    assert "不会判定通过" in "\n".join(done.lines)
    entry = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))["layers"][-1]
    assert [entry[key] for key in ("status", "coverage", "accuracy_m")] == [None, None, None]
    assert set(entry["source"].values()) == {None}
    hit = one(folder, sites(INSIDE))
    miss = one(folder, sites(AWAY))
    assert (hit.verdict, hit.certain) == ("prohibited", False)
    assert (miss.verdict, miss.certain) == ("no_data", False)


def test_words_outside_the_vocabulary_are_listed_with_rows(tmp_path):
    folder = bare_plan(tmp_path)
    shapes = [BANK] * 4
    source = official(tmp_path / "岸线.shp", shapes, 河流名称=["新孟河"] * 4, 岸别=["左", "东岸", "右岸", "东岸"])
    told = "\n".join(import_layer(source, folder, "bank_line").lines)
    for word in ("第 2、4 行", "“东岸”", "--value side:东岸"):
        assert word in told
    assert es.open_plan(folder).frame("bank_line").side.fillna("").tolist() == ["左岸", "", "右岸", ""]
    assert "side（岸别）不能是“东岸”" in "\n".join(str(problem) for problem in es.open_plan(folder).validate())
    import_layer(source, folder, "bank_line", values={"side": {"东岸": "右岸"}}, replace=True)
    assert es.open_plan(folder).frame("bank_line").side.tolist() == ["左岸", "右岸", "右岸", "右岸"]


def test_word_in_another_form_is_known_and_the_nearest_are_named(tmp_path):
    folder = bare_plan(tmp_path)
    words = ["清水 通道维护区", "水源涵养区", None]
    told = "\n".join(import_layer(official(tmp_path / "a.shp", [ZONE] * 3, 类型=words), folder, "control_zone").lines)
    assert "清水 通道维护区 → 清水通道维护区" in told
    assert "相近的：重要水源涵养区" in told
    assert "第 3 行：zone_type（管控区类型）为空" in told
    frame = es.open_plan(folder).frame("control_zone")
    assert frame.zone_type.fillna("").tolist() == ["清水通道维护区", "", ""]
    assert frame.unknown_words.tolist() == ["", "zone_type=水源涵养区", ""]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("control_zone", {"主导生态功能": ["水源水质保护"]}),
        ("control_zone", {"主导功能": ["水源水质保护"]}),
        ("intake", {"取水口名称": ["北河口水厂取水口"]}),
    ],
)
def test_column_that_speaks_of_something_else_is_not_taken(tmp_path, kind, columns):
    shape = ZONE if kind == "control_zone" else ZONE.centroid
    with pytest.raises(PlanError, match="找不到列"):
        import_layer(official(tmp_path / "a.gpkg", [shape], **columns), bare_plan(tmp_path), kind)


def test_name_of_a_catchment_is_not_its_plant_and_that_of_a_plant_is(tmp_path):
    folder = bare_plan(tmp_path)
    import_layer(official(tmp_path / "a.gpkg", [ZONE], 名称=["甲片"]), folder, "sewer_catchment")
    import_layer(official(tmp_path / "b.gpkg", [ZONE.centroid], 名称=["乙厂"]), folder, "sewage_plant")
    plan = es.open_plan(folder)
    assert plan.frame("sewer_catchment").plant.tolist() == [None]
    assert plan.frame("sewer_catchment").feature_name.tolist() == ["甲片"]
    assert plan.frame("sewage_plant").plant.tolist() == ["乙厂"]


def test_repaired_shape_is_said(tmp_path):
    bow_tie = shapely.Polygon([(495000, 3515000), (495100, 3515100), (495100, 3515000), (495000, 3515100)])
    source = official(tmp_path / "a.gpkg", [ZONE, bow_tie], 类型=["森林公园"] * 2)
    told = "\n".join(import_layer(source, bare_plan(tmp_path), "control_zone").lines)
    assert "第 2 行" in told
    assert "0.00 → 5000.00 m²" in told


def test_values_of_rules_that_no_feature_carries_are_said(tmp_path):
    folder = worked_example(tmp_path / "p")
    source = official(tmp_path / "a.shp", [BANK] * 2, 河流名称=["望虞河支河", "新孟河（常州段）"])
    told = "\n".join(import_layer(source, folder, "bank_line", replace=True).lines)
    assert "“望虞河”（规则 TH30-6），可能是它的：望虞河支河" in told
    assert "“太浦河”（规则 TH30-6）" in told
    assert "“新孟河”" not in told
    assert "absent: {river: [太浦河]}" in told


@pytest.mark.parametrize(
    ("columns", "keys", "words"),
    [
        ({"备注": ["x"]}, {}, ["zone_type", "备注", "--map"]),
        ({"类型": ["a"]}, {"columns": {"zone_type": "种类"}}, ["没有列 种类", "类型"]),
        ({"类型": ["a"]}, {"columns": {"kind": "类型"}}, ["没有列 kind", "zone_type"]),
        ({"类型": ["a"]}, {"values": {"zone_type": {"b": "c"}}}, ["没有值 b"]),
        ({"类型": ["a"]}, {"provenance": Provenance(retrieved="昨天")}, ["--retrieved", "YYYY-MM-DD"]),
        ({"类型": ["a"]}, {"provenance": Provenance(status="final")}, ["--status", "official"]),
        ({"类型": ["a"]}, {"provenance": Provenance(accuracy_m=-1.0)}, ["--accuracy"]),
        ({"类型": ["a"]}, {"provenance": Provenance(coverage="everywhere")}, ["coverage", "district+N"]),
        ({"类型": ["a"]}, {"name": "../up"}, ["图层名"]),
        ({"类型": ["a"]}, {"kind": "lake"}, ["不是图层种类", "control_zone"]),
        ({"类型": ["a"]}, {"kind": "land_cover"}, ["是栅格"]),
        ({"河名": ["a"]}, {"kind": "river_centreline"}, ["线", "Polygon"]),
        ({"类型": ["a"]}, {"crs": 2385}, ["1980西安"]),
        ({"类型": ["a"]}, {"crs": 4548}, ["20 km 以上", "EPSG:4549 位于"]),
        ({"类型": ["a"]}, {"file_layer": "边界"}, ["没有图层“边界”"]),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, columns, keys, words):
    folder = worked_example(tmp_path / "p")
    before = state(folder)
    source = official(tmp_path / "a.shp", **columns)
    call = {"kind": "control_zone", **keys}
    with pytest.raises(EcospatialError) as caught:
        import_layer(source, folder, call.pop("kind"), **call)
    for word in words:
        assert word in str(caught.value)
    assert state(folder) == before


def test_a_held_layer_is_replaced_only_when_asked(tmp_path):
    folder = zone_plan(tmp_path / "p", [OVER])
    moved = shapely.transform(ZONE, lambda v: v + np.array([0, 2000]))
    source = official(tmp_path / "新.shp", [moved])
    with pytest.raises(PlanError, match="--replace"):
        import_layer(source, folder, "control_zone", provenance=FULL)
    assert one(folder, sites(INSIDE)).verdict == "prohibited"
    import_layer(source, folder, "control_zone", provenance=FULL, replace=True)
    assert (one(folder, sites(INSIDE)).verdict, one(folder, sites(AWAY)).verdict) == ("clear", "prohibited")
    import_layer(source, folder, "control_zone", name="second", provenance=FULL)
    assert list(es.open_plan(folder).layers) == ["district", "control_zone", "second"]


def test_a_missing_entry_gives_way(tmp_path):
    folder = zone_plan(tmp_path / "p", [OVER], present="missing")
    import_layer(official(tmp_path / "新.shp"), folder, "control_zone", provenance=FULL)
    assert list(es.open_plan(folder).layers) == ["district", "control_zone"]
    assert one(folder, sites(INSIDE)).verdict == "prohibited"


def test_a_file_of_another_layer_is_not_overwritten(tmp_path):
    folder = bare_plan(tmp_path)
    (folder / "control_zone.gpkg").write_bytes(b"mine")
    with pytest.raises(PlanError, match="已有这个文件"):
        import_layer(official(tmp_path / "新.shp"), folder, "control_zone")
    assert (folder / "control_zone.gpkg").read_bytes() == b"mine"


def test_the_rest_of_the_text_stays():
    text = "# 头\nname: a   # 名\nlayers:\n# 第一\n- kind: district\n  path: d.gpkg # 区\n\n# 尾\n"
    entry = {"kind": "town", "path": "t.gpkg"}
    added = put_layer(text, entry)
    assert added == text.replace("# 区\n", "# 区\n- kind: town\n  path: t.gpkg\n")
    replaced = put_layer(text, entry, replaced="district")
    assert replaced == "# 头\nname: a   # 名\nlayers:\n# 第一\n- kind: town\n  path: t.gpkg\n\n# 尾\n"
    flow = "layers: [{kind: district, path: d.gpkg}] # 尾\n"
    assert put_layer(flow, entry) == "layers: [{kind: district, path: d.gpkg}, {kind: town, path: t.gpkg}] # 尾\n"


def test_names_from_the_caller_are_text(tmp_path):
    folder = bare_plan(tmp_path)
    hostile = Provenance(publisher="a: b\n- kind: x", title='"}', licence="\u2028", coverage="district")
    import_layer(official(tmp_path / "a.shp"), folder, "control_zone", provenance=hostile)
    source = es.open_plan(folder).layers["control_zone"].source
    assert (source.publisher, source.title) == ("a: b\n- kind: x", '"}')


def test_a_point_table_is_a_layer_too(tmp_path):
    folder = worked_example(tmp_path / "p")
    (tmp_path / "取水口.csv").write_text("site_id,水源地,X,Y\n1,德胜河,3520000,500000\n", encoding="utf-8")
    import_layer(tmp_path / "取水口.csv", folder, "intake", provenance=FULL)
    frame = es.open_plan(folder).frame("intake")
    assert (frame.source_name[0], frame.geometry[0].x, frame.geometry[0].y) == ("德胜河", 500000.0, 3520000.0)


def test_the_commands(tmp_path):
    run = CliRunner().invoke
    folder, zone = str(tmp_path / "my"), str(official(tmp_path / "管控区.shp"))
    made = run(cli, ["plan", "new", folder, "--crs", "EPSG:4549", "--pack", "taihu"])
    assert (made.exit_code, "taihu" in made.output) == (0, True)
    given = ["--coverage", "district", "--accuracy", "1", "--status", "official", "--map", "zone_type=类型"]
    done = run(cli, ["plan", "import", zone, "--kind", "control_zone", "--plan", folder, *given], standalone_mode=False)
    assert "source.publisher" in done.output
    assert es.open_plan(folder).layers["control_zone"].accuracy_m == 1
    for wrong in (["--map", "zone_type"], ["--value", "zone_type"], ["--value", "a=b"]):
        call = run(cli, ["plan", "import", zone, "--kind", "control_zone", "--plan", folder, *wrong])
        assert call.exit_code == 2
        assert "应写成" in call.output
    with pytest.raises(PlanError, match="plan new"):
        run(
            cli,
            ["plan", "import", zone, "--kind", "control_zone", "--plan", "changzhou-zhonglou"],
            catch_exceptions=False,
        )
