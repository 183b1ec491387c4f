"""Measure the size and the speed of maps: ``python3 scripts/benchmarks/maps.py``.

190 zones with 386,000 vertices, made from the outlines that are shipped, are drawn by ``es.draw`` and by ``explore`` of
geopandas, 20,000 sites are opened in Chromium when there is one, and a map for each of 500 checked sites is written and
compared with a plain loop of folium over the same layers.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

CRS = "EPSG:4549"
ZONES, VERTICES, SITES, MANY = 190, 386_000, 20_000, 500
ROUGH = 0.12  # how far the middle of an edge is moved aside, as a share of its length
SOURCE = {"publisher": "made", "title": "made", "retrieved": "2026-11-20", "licence": "Apache-2.0"}
KINDS = ("town", "territorial_space", "farmland", "basic_farmland", "urban_boundary", "sewer_catchment")


def main() -> int:
    """Measure both, and print what a reader can compare."""
    environment.enter("test")
    import ecospatial as es
    from ecospatial.maps import to_html

    zones = made_zones()
    with tempfile.TemporaryDirectory() as folder:
        plan = es.open_plan(made_plan(Path(folder), zones))
        plan.frame("basic_farmland")
        ours_s, ours = timed(lambda: to_html(es.draw(plan)))
        explore_s, theirs = timed(lambda: str(zones.explore().get_root().render()))
        vertices = int(zones.geometry.count_coordinates().sum())
        print(f"{len(zones)} zones, {vertices} vertices")
        print(f"  draw     {ours_s:6.2f} s  {len(ours.encode()) / 1e6:6.2f} MB, Leaflet within")
        print(f"  explore  {explore_s:6.2f} s  {len(theirs.encode()) / 1e6:6.2f} MB, Leaflet from the network")
        print(f"  ratio    {ours_s / explore_s:6.2f}")
        sites_s, page = timed(lambda: to_html(es.draw(plan, sites=made_sites())))
        print(f"{SITES} sites over them: {sites_s:.2f} s, {len(page.encode()) / 1e6:.2f} MB")
        target = Path(folder) / "sites.html"
        target.write_text(page, encoding="utf-8")
        painted(target)
        many(Path(folder))
    return 0


def many(folder: Path, count: int = MANY) -> None:
    """Write a map for each of many sites, and as many pages with a plain loop of folium over the same layers."""
    import folium
    import geopandas as gpd
    import numpy as np
    import shapely

    import ecospatial as es
    from ecospatial.batch import map_run

    plan = es.open_plan("changzhou-zhonglou")
    west, south, east, north = plan.area.bounds
    dice = np.random.default_rng(20261120)
    x, y = dice.uniform(west, east, 4 * count), dice.uniform(south, north, 4 * count)
    shapes = shapely.box(x, y, x + 60, y + 60)
    sites = gpd.GeoDataFrame(geometry=shapes[shapely.covers(plan.area, shapes)][:count], crs=plan.crs)
    findings = es.check(sites, plan, on="2026-11-20")
    peaks: list[float] = []

    def told(done: int, _whole: int, _seconds: float) -> None:
        if done in (50, len(sites)):
            peaks.append(peak_mb())

    start = time.perf_counter()
    map_run.render(*map_run.of_sites(findings), folder / "many", told=told)
    ours_s = (time.perf_counter() - start) / len(sites)
    held = [layer for layer in plan.layers.values() if layer.present == "held" and layer.pixels is None]
    start, few = time.perf_counter(), min(20, len(sites))
    for number in range(few):
        page = folium.Map(tiles=None)
        for layer in held:
            frame = plan.layer_frame(layer.name)
            folium.GeoJson(frame[["feature_name", "geometry"]].to_crs(4326), name=layer.name).add_to(page)
        folium.GeoJson(sites.iloc[[number]].to_crs(4326), name="site").add_to(page)
        folium.LayerControl().add_to(page)
        page.save(folder / "bare.html")
    bare_s = (time.perf_counter() - start) / few
    print(f"a map for each of {len(sites)} sites: {ours_s:.3f} s each, a bare folium loop {bare_s:.3f} s")
    print(f"  ratio {ours_s / bare_s:.2f}; memory {peaks[0]:.0f} MB after 50 maps, {peaks[-1]:.0f} MB after all")


def peak_mb() -> float:
    """Give the most memory that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Any) -> tuple[float, str]:
    """Give the best of three runs in seconds, and what came of it."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        text = work()
        found.append(time.perf_counter() - start)
    return min(found), text


def made_zones(count: int = ZONES, vertices: int = VERTICES) -> gpd.GeoDataFrame:
    """Roughen shipped outlines until they have so many vertices; an edge of two zones is the same in both."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    real = [folder for folder in sorted((environment.ROOT / "layers").iterdir()) if folder.name != "example-district"]
    paths = [path for kind in KINDS for path in (folder / f"{kind}.geojson" for folder in real) if path.is_file()]
    parts = [gpd.read_file(path)[["geometry"]].to_crs(CRS).explode() for path in paths]
    frame = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=CRS)
    frame = frame.iloc[np.sort(np.argsort(-frame.area.to_numpy(), kind="stable")[:count])].reset_index(drop=True)
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(frame.geometry.to_numpy())]
    reach = 2.0 * float(frame.length.sum()) / vertices
    while sum(map(len, rough := [roughened(ring, reach) for ring in rings])) < vertices:
        reach *= 0.96
    exterior = np.concatenate([[True] + [False] * len(shape.interiors) for shape in frame.geometry])
    shells = iter([shapely.Polygon(ring) for ring, outer in zip(rough, exterior, strict=True) if outer])
    shapes = np.array(list(shells), dtype=object)
    names = [f"zone {number}" for number in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"feature_name": names, "note": "made"}, geometry=shapes, crs=CRS)


def roughened(points: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Move the middles of edges aside until none is longer; an edge and its reverse give the same points."""
    import numpy as np

    while True:
        before, after = points[:-1], points[1:]
        step = after - before
        long = np.hypot(step[:, 0], step[:, 1]) > reach
        if not long.any():
            return points
        middle = (before + after) / 2
        # A number of the place itself, between -1 and 1, is the same from both sides.
        dice = np.modf(np.sin(middle[:, 0] * 12.9898 + middle[:, 1] * 78.233) * 43758.5453)[0]
        flip = np.where((step[:, 0] > 0) | ((step[:, 0] == 0) & (step[:, 1] > 0)), 1.0, -1.0)
        aside = np.column_stack([-step[:, 1], step[:, 0]]) * (dice * flip * ROUGH)[:, None]
        points = np.insert(points, np.flatnonzero(long) + 1, (middle + aside)[long], axis=0)


def made_sites(count: int = SITES) -> gpd.GeoDataFrame:
    """Give small squares spread over the district of the zones."""
    import geopandas as gpd
    import numpy as np
    import shapely

    dice = np.random.default_rng(20261120)
    x, y = dice.uniform(470_000, 500_000, count), dice.uniform(3_500_000, 3_530_000, count)
    side = dice.uniform(20, 120, count)
    return gpd.GeoDataFrame(
        {"site_name": [f"site {number}" for number in range(count)]},
        geometry=shapely.box(x, y, x + side, y + side),
        crs=CRS,
    )


def made_plan(folder: Path, zones: gpd.GeoDataFrame) -> Path:
    """Write a plan that holds the zones."""
    import yaml

    path = folder / "zones.gpkg"
    zones.to_file(path, driver="GPKG")
    layer = {
        "kind": "basic_farmland", "path": path.name, "status": "public", "coverage": "extent", "accuracy_m": 1,
        "source": SOURCE, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    plan = {"name": "made", "title": "made", "crs": CRS, "packs": [], "layers": [layer]}
    text = yaml.safe_dump(plan, allow_unicode=True, sort_keys=False)
    (folder / "plan.yaml").write_text(text.replace("'2026-11-20'", "2026-11-20"), encoding="utf-8")
    return folder


def painted(path: Path) -> None:
    """Open a page in Chromium and say when it was first painted, and when all of it stood there."""
    from playwright.sync_api import sync_playwright

    program = environment.browser()
    if program is None:
        print("  no Chromium on this machine: first paint not measured")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(path.as_uri(), wait_until="load")
        page.wait_for_timeout(500)
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        browser.close()
    print(f"  Chromium: first paint {first / 1000:.2f} s, loaded {loaded / 1000:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
