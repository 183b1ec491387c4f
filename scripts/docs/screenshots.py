"""Make the pictures of docs/img from what ``demo.py`` left, and of recipes: ``python3 scripts/docs/screenshots.py``.

Needs Chromium or a browser of its family on this machine.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment

environment.enter("test")

from PIL import Image  # noqa: E402 - there when the environment is

if TYPE_CHECKING:
    import pypdfium2
    from playwright.sync_api import Browser, Page

PLAN = "changzhou-zhonglou"
PAGES = ("map", "report")
PLANS = ("changzhou-zhonglou", "changzhou-tianning", "nanjing-gulou")
SIZE = {"width": 1200, "height": 900}
BESIDE_SITES = (390, 480)  # pixels on the first view of the map: the example sites lie to the right of it


def main() -> int:
    """Photograph the map, closer to the sites than it opens, and the first page of the report."""
    from playwright.sync_api import sync_playwright

    program = environment.browser()
    if program is None:
        sys.exit(f"None of these is installed: {', '.join(environment.BROWSERS)}.")
    source = environment.ROOT / "out" / PLAN
    wanted = [source / "map.html", *(environment.ROOT / "out" / name / "report.html" for name in PLANS)]
    absent = [path.relative_to(environment.ROOT).as_posix() for path in wanted if not path.exists()]
    if absent:
        sys.exit(f"{', '.join(absent)} not there: run scripts/demo.py first.")
    target = environment.ROOT / "docs" / "img"
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name in PAGES:
            page = opened(browser, source / f"{name}.html")
            if name == "map":
                closer(page)
            keep(page, target / f"{name}.png")
        with tempfile.TemporaryDirectory() as folder:
            for name in PLANS:
                keep(opened(browser, drawn(name, Path(folder))), target / f"map-{name}.png")
                report = opened(browser, environment.ROOT / "out" / name / "report.html")
                first_site(report)
                keep(report, target / f"report-{name}.png")
        browser.close()
    sheets(target)
    return 0


def sheets(target: Path) -> None:
    """Make pictures of the Word report and the Excel book, printed by LibreOffice, and of a sheet for the wall."""
    import pypdfium2

    import ecospatial as es
    from ecospatial.export.pdf import OFFICES, program
    from ecospatial.maps.print.plan_sheet import picture
    from ecospatial.maps.recipes import find_recipe, read_recipe

    recipe = find_recipe("tianning-three-lines.yaml")
    if recipe is not None:
        small(Image.open(io.BytesIO(picture(read_recipe(recipe), "png", dpi=100))), target / "sheet.png")
    office = program(OFFICES)
    if office is None:
        print("docs/img/word.png and excel.png need LibreOffice, which is not installed")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        findings = es.read_findings(environment.ROOT / "out" / PLAN / "findings.json")
        for path in findings.write(folder, formats=["docx", "xlsx"]):
            profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
            call = [office, "--headless", profile, "--convert-to", "pdf", "--outdir", name, str(path)]
            subprocess.run(call, check=True, capture_output=True)
            pdf = pypdfium2.PdfDocument(path.with_suffix(".pdf"))
            shown = (0, 1) if path.suffix == ".xlsx" else (0, wide(pdf))
            pages = [pdf[number].render(scale=1.1).to_pil().convert("RGB") for number in shown]
            beside = Image.new("RGB", (sum(page.width for page in pages), max(page.height for page in pages)), "white")
            for number, page in enumerate(pages):
                beside.paste(page, (sum(other.width for other in pages[:number]), 0))
            small(beside, target / f"{'word' if path.suffix == '.docx' else 'excel'}.png")


def wide(pdf: pypdfium2.PdfDocument) -> int:
    """Find the first page that shows a map."""
    import pypdfium2.raw

    for number, page in enumerate(pdf):
        if any(found.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE for found in page.get_objects()):
            return number
    return len(pdf) - 1


def small(picture: Image.Image, path: Path) -> None:
    """Write a picture in 256 colours, a quarter of the bytes."""
    picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)
    print(f"docs/img/{path.name}  {path.stat().st_size // 1000} kB")


def drawn(name: str, folder: Path) -> Path:
    """Draw a shipped recipe."""
    from ecospatial import maps

    return maps.save(maps.draw(f"{name}.yaml"), folder / f"{name}.html")


def opened(browser: Browser, path: Path) -> Page:
    """Open a page, and wait until Leaflet has come to rest."""
    page = browser.new_page(viewport=SIZE)
    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_timeout(500)
    return page


def first_site(page: Page) -> None:
    """Go to the map of the first site, which stands with its measures around it."""
    page.locator("figure").first.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('figure').closest('section, article').scrollIntoView()")
    page.wait_for_timeout(300)


def keep(page: Page, path: Path) -> None:
    """Write what is seen."""
    small(Image.open(io.BytesIO(page.screenshot())), path)


def closer(page: Page) -> None:
    """Zoom in on the sites, as with the wheel of a mouse, and wait until Leaflet has come to rest."""
    page.mouse.move(*BESIDE_SITES)
    for _ in range(2):
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(1000)
    page.mouse.move(0, 0)  # no tooltip on the picture
    page.wait_for_timeout(500)


if __name__ == "__main__":
    sys.exit(main())
