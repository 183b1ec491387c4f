"""The report as PDF: the page printed by Chromium, else the Word document printed by LibreOffice, when one is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ecospatial.errors import EcospatialError, Problem
from ecospatial.export.docx import save_docx
from ecospatial.export.html import save_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecospatial.checks import Findings

# Names on the path, then where installers put them.
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
OFFICES = (
    "soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "C:/Program Files/LibreOffice/program/soffice.exe",
)  # fmt: skip
SECONDS = 300
_WAY_OUT = "请安装 Chromium、Chrome、Edge 或 LibreOffice，或把 report.html 用浏览器打印为 PDF"


def program(names: Sequence[str]) -> str | None:
    """Find the first program that is there, by name on the path or by its place; None when there is none."""
    return next((found for found in map(shutil.which, names) if found), None)


def save_pdf(findings: Findings, path: Path) -> None:
    """Write the report as PDF straight to ``path``.

    Raises
    ------
    EcospatialError
        Neither a browser nor LibreOffice is there, or it made nothing.
    """
    browser, office = program(BROWSERS), program(OFFICES)
    if browser is None and office is None:
        raise EcospatialError(Problem(path.name, None, "本机没有能打印 PDF 的程序", _WAY_OUT))
    with tempfile.TemporaryDirectory(prefix="ecospatial-", ignore_cleanup_errors=True) as name:
        room = Path(name)
        if browser is not None:
            save_html(findings, room / "report.html")
            _run(_browser_call(browser, room))
        elif office is not None:
            save_docx(findings, room / "report.docx")
            profile = f"-env:UserInstallation={(room / 'profile').as_uri()}"
            _run([office, "--headless", profile, "--convert-to", "pdf", "--outdir", name, str(room / "report.docx")])
        made = room / "report.pdf"
        if not made.is_file() or not made.stat().st_size:
            used = Path(browser or office or "").name
            raise EcospatialError(Problem(path.name, None, f"{used} 没有生成 PDF", _WAY_OUT))
        shutil.copyfile(made, path)


def _browser_call(browser: str, room: Path) -> list[str]:
    # A browser started by root refuses its sandbox; the page itself can run nothing (see its policy).
    as_root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    return [
        browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-dev-shm-usage", *as_root, f"--user-data-dir={room / 'profile'}", "--no-pdf-header-footer",
        f"--print-to-pdf={room / 'report.pdf'}", (room / "report.html").as_uri(),
    ]  # fmt: skip


def _run(call: list[str]) -> None:
    try:
        subprocess.run(call, capture_output=True, check=False, timeout=SECONDS)  # noqa: S603 - a fixed program, no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = Problem("report.pdf", None, f"{Path(call[0]).name} 不能运行或超时", _WAY_OUT)
        raise EcospatialError(problem) from error
