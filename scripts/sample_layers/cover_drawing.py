"""Draw the schematic land cover of a plan for two dates: seeded, invented, with planted changes of known area.

What the ground looks like is made up from the plan's own drawn layers and smooth random numbers, all in whole numbers,
so that the same seed gives the same pixels everywhere. ``land_cover`` in ``drawn/<plan>.yaml`` gives the seed, the
share of trees, and what is planted between the two dates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plan_drawing import Drawing

    Cells = NDArray[np.uint8]

PIXEL_M = 10
# Pixels reach this far past the district, so that every site in it is covered.
AROUND_M = 60
# Values, names and colours of ESA WorldCover 10 m v200 (Product User Manual).
VALUES = {"tree": 10, "shrub": 20, "grass": 30, "crop": 40, "built": 50, "bare": 60, "water": 80, "wetland": 90}
COLOURS = {
    10: (0, 100, 0), 20: (255, 187, 34), 30: (255, 255, 76), 40: (240, 150, 255), 50: (250, 0, 0), 60: (180, 180, 180),
    80: (0, 100, 200), 90: (0, 150, 160),
}  # fmt: skip
NODATA = 0
FOREST_PIXELS = 7  # 0.0667 ha
# A planted change keeps this many pixels of its old cover around it, so that its area is what was planted.
FRAME = 3
# Every so many pixels in both directions one may be read wrongly on the later date; never two beside each other.
SPECKLE_STEP, SPECKLE_SHARE = 5, 0.02


class Canvas:
    """A grid of pixels over a district, with north up."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        west, south, east, north = drawing.outline.bounds
        self.west = int(np.floor((west - 2 * AROUND_M) / PIXEL_M)) * PIXEL_M
        self.north = int(np.ceil((north + 2 * AROUND_M) / PIXEL_M)) * PIXEL_M
        self.shape = (
            int(np.ceil((self.north - south + 2 * AROUND_M) / PIXEL_M)),
            int(np.ceil((east + 2 * AROUND_M - self.west) / PIXEL_M)),
        )
        rows, columns = np.indices(self.shape)
        self.x = self.west + (columns + 0.5) * PIXEL_M
        self.y = self.north - (rows + 0.5) * PIXEL_M

    def within(self, shape: Any) -> NDArray[np.bool_]:
        """Tell which pixels have their centre in a shape."""
        found = np.zeros(self.shape, dtype=bool)
        for part in shapely.get_parts(shape):
            west, south, east, north = part.bounds
            near = (self.x >= west) & (self.x <= east) & (self.y >= south) & (self.y <= north)
            shapely.prepare(part)
            found[near] |= shapely.contains_xy(part, self.x[near], self.y[near])
        return found

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """Tell which pixels have their centre in a drawn layer; none when the plan does not hold it."""
        held = [layer["kind"] for layer in self.drawing.content["layers"] if layer.get("present", "held") == "held"]
        if kind not in held:
            return np.zeros(self.shape, dtype=bool)
        return self.within(shapely.union_all([geometry for _, geometry in self.drawing.features(kind)]))

    def box(self, item: dict[str, Any], wider: int = 0) -> tuple[slice, slice]:
        """Give the pixels of a planted change: columns and rows around its place."""
        place = self.drawing.point(item["at"])
        columns, rows = item["pixels"]
        left = int((place.x - self.west) // PIXEL_M) - columns // 2
        top = int((self.north - place.y) // PIXEL_M) - rows // 2
        return slice(top - wider, top + rows + wider), slice(left - wider, left + columns + wider)


def noise(shape: tuple[int, int], period: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give smooth random whole numbers: random at every ``period`` pixels, and in between by proportion."""
    rows, columns = (size // period + 2 for size in shape)
    corners = rng.integers(0, 65536, (rows, columns), dtype=np.int64)
    y, x = (np.arange(size, dtype=np.int64) for size in shape)
    row, down = (y // period)[:, None], (y % period)[:, None]
    column, right = (x // period)[None, :], (x % period)[None, :]
    upper = corners[row, column] * (period - right) + corners[row, column + 1] * right
    lower = corners[row + 1, column] * (period - right) + corners[row + 1, column + 1] * right
    return (upper * (period - down) + lower * down) // (period * period)


def clumps(shape: tuple[int, int], periods: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """Add smooth random numbers of several sizes, the largest first and strongest; no two pixels are equal."""
    total = sum(noise(shape, period, rng) * (2 ** (len(periods) - i)) for i, period in enumerate(periods))
    return np.asarray(total, dtype=np.int64) * (shape[0] * shape[1]) + rng.permutation(shape[0] * shape[1]).reshape(
        shape
    )


def top(field: NDArray[np.int64], where: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Choose so many pixels of an area, those with the largest numbers."""
    if count <= 0 or not where.any():
        return np.zeros(field.shape, dtype=bool)
    limit = np.sort(field[where])[-min(count, int(where.sum()))]
    return np.asarray(where & (field >= limit), dtype=bool)


def large_only(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Leave out patches of fewer pixels, joined by their sides."""
    from rasterio.features import sieve

    return mask & sieve(mask.astype(np.uint8), least, connectivity=4).astype(bool)


def earlier(canvas: Canvas, plan: dict[str, Any]) -> Cells:
    """Draw the older date; trees have exactly the written share of the district, to a pixel or two."""
    rng = np.random.default_rng(plan["seed"])
    inside = canvas.within(canvas.drawing.outline)
    cells = np.full(canvas.shape, VALUES["crop"], dtype=np.uint8)
    town = canvas.of_kind("urban_boundary")
    if plan.get("town") == "all":
        town[:] = True
    farmland = canvas.of_kind("basic_farmland") | canvas.of_kind("farmland")
    wooded = sum((canvas.of_kind(kind) for kind in plan.get("woods", [])), np.zeros(canvas.shape, dtype=bool))
    green, homes, ponds = (clumps(canvas.shape, sizes, rng) for sizes in ((48, 16), (32, 8), (40, 10)))
    open_land = ~town & ~farmland
    cells[town] = VALUES["built"]
    cells[top(green, town, int(town.sum() * plan["town_grass"]))] = VALUES["grass"]
    cells[top(homes, open_land, int(open_land.sum() * plan["village"]))] = VALUES["built"]
    cells[top(green, open_land & (cells == VALUES["crop"]), int(open_land.sum() * 0.05))] = VALUES["grass"]
    cells[top(ponds, open_land & (cells == VALUES["crop"]), int(open_land.sum() * 0.04))] = VALUES["water"]
    rivers = canvas.of_kind("bank_line") | canvas.of_kind("water_body")
    cells[rivers] = VALUES["water"]
    for item in plan["planted"]:
        cells[canvas.box(item, FRAME)] = VALUES[item["from"]]
        if "beside" in item:
            # What the newer date shows here lay right beside it before: a shift by a pixel looks like this.
            rows, columns = canvas.box(item, FRAME)
            cells[rows, columns.start : columns.start + FRAME] = VALUES[item["beside"]]
    cells[wooded & ~rivers & (cells == VALUES["built"])] = VALUES["grass"]
    kept = np.zeros(canvas.shape, dtype=bool)
    for item in plan["planted"]:
        kept[canvas.box(item, FRAME)] = True
    # Where woods are drawn they grow first.
    woods = clumps(canvas.shape, (36, 12, 6), rng)
    woods += wooded * (int(woods.max()) // 2)
    able = ~rivers & ~farmland & ~kept
    wanted = round(plan["tree_cover"] * int(inside.sum()))
    already = int((inside & kept & (cells == VALUES["tree"])).sum())
    low, high = 0, int(able.sum())
    while low < high:
        middle = (low + high + 1) // 2
        trees = large_only(top(woods, able, middle), FOREST_PIXELS)
        low, high = (middle, high) if int((trees & inside).sum()) + already <= wanted else (low, middle - 1)
    cells[large_only(top(woods, able, low), FOREST_PIXELS)] = VALUES["tree"]
    return cells


def later(canvas: Canvas, plan: dict[str, Any], before: Cells) -> Cells:
    """Draw the newer date: the older one, what is planted, and pixels here and there that were read wrongly."""
    rng = np.random.default_rng(plan["seed"] + 1)
    cells = before.copy()
    speckle = np.zeros(canvas.shape, dtype=bool)
    lattice = speckle[::SPECKLE_STEP, ::SPECKLE_STEP]
    lattice[:] = rng.random(lattice.shape) < SPECKLE_SHARE
    for item in plan["planted"]:
        speckle[canvas.box(item, FRAME + 2)] = False
    speckle &= before != VALUES["water"]
    cells[speckle] = np.where(before[speckle] == VALUES["grass"], VALUES["crop"], VALUES["grass"])
    for item in plan["planted"]:
        cells[canvas.box(item)] = VALUES[item["to"]]
    return cells


def land_covers(drawing: Drawing) -> dict[str, bytes]:
    """Draw both dates as GeoTIFF files: name -> bytes; nothing when the plan has no ``land_cover``."""
    plan = drawing.content.get("land_cover")
    if plan is None:
        return {}
    canvas = Canvas(drawing)
    known = canvas.within(shapely.buffer(drawing.outline, AROUND_M))
    before = earlier(canvas, plan)
    dates = zip(plan["files"], (before, later(canvas, plan, before)), strict=True)
    return {name: geotiff(canvas, np.where(known, cells, NODATA).astype(np.uint8)) for name, cells in dates}


def geotiff(canvas: Canvas, cells: Cells) -> bytes:
    """Write pixels as a compressed GeoTIFF in the CRS of the plan."""
    from rasterio.io import MemoryFile
    from rasterio.transform import from_origin

    with MemoryFile() as file:
        with file.open(
            driver="GTiff", width=cells.shape[1], height=cells.shape[0], count=1, dtype="uint8", nodata=NODATA,
            crs=canvas.drawing.content["crs"], transform=from_origin(canvas.west, canvas.north, PIXEL_M, PIXEL_M),
            compress="deflate", zlevel=9, tiled=True, blockxsize=256, blockysize=256,
        ) as raster:  # fmt: skip
            raster.write(cells, 1)
            raster.write_colormap(1, COLOURS)
        return bytes(file.read())


def same_pixels(old: bytes, new: bytes, *, differ: float = 1e-4) -> bool:
    """Tell whether two GeoTIFF files hold the same; another GDAL may pack them in other bytes.

    A pixel whose centre lies on a line to the last digit may fall to either side: so small a share may differ.
    """
    from rasterio.io import MemoryFile

    with MemoryFile(old) as first, MemoryFile(new) as second, first.open() as left, second.open() as right:
        if (left.shape, left.transform, left.nodata) != (right.shape, right.transform, right.nodata):
            return False
        return bool((left.read(1) != right.read(1)).mean() <= differ) and left.crs == right.crs
