"""Run every check of the project: ``python3 scripts/test.py``.

Makes the environment first when it is not there. Arguments go to pytest, and then only pytest runs, from the
repository's root: ``python3 scripts/test.py -k near tests/checks``. ``--quick`` runs ruff, mypy and the tests of the
folders that the change touches, without those marked slow, browser or server. With ``CI=true`` in the
environment a browser and Chinese fonts are installed when they are absent, and a skip counts as a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import environment

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")


def main() -> int:
    """Run the checks one after another and say at the end which of them failed."""
    environment.enter("test")
    os.chdir(environment.ROOT)
    pytest = [sys.executable, "-m", "pytest"]
    if sys.argv[1:] == ["--quick"]:
        return run_quick(pytest)
    if len(sys.argv) > 1:
        return subprocess.call([*pytest, *sys.argv[1:]])
    if IN_CI:
        install_browser()
    python = [sys.executable, "-m"]
    lint_imports = "from importlinter.cli import lint_imports_command as run; run()"
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        stages = {
            "ruff": [*python, "ruff", "check", "."],
            "mypy": [*python, "mypy", "--strict", "ecospatial"],
            "import-linter": [sys.executable, "-c", lint_imports, "--no-logo"],
            "pytest": [*pytest, *workers(), "--cov=ecospatial", "--durations=10", f"--junitxml={results}"],
        }
        times = {name: run(name, command) for name, command in stages.items()}
        passed, failed, skipped = counts(results)
    return report(times, passed=passed, failed=failed, skipped=skipped)


def run_quick(pytest: list[str]) -> int:
    """Run ruff, mypy and the quick tests of the folders that the change touches."""
    stages = {
        "ruff": [sys.executable, "-m", "ruff", "check", "."],
        "mypy": [sys.executable, "-m", "mypy", "--strict", "ecospatial"],
    }
    folders = list_folders(list_changed())
    if folders:
        marks = "not slow and not browser and not server"
        stages["pytest"] = [*pytest, "-q", *workers(), "-m", marks, "-p", "no:doctest", *folders]
    failed = [name for name, command in stages.items() if not run(name, command)[0]]
    print(f"Failed: {', '.join(failed)}" if failed else f"Passed; tests of: {', '.join(folders) or 'nothing'}")
    return 1 if failed else 0


def list_changed() -> list[str]:
    """Return the files that differ from where this branch left main, with those not yet committed."""
    git = ["git", "diff", "--name-only"]
    base = subprocess.run(["git", "merge-base", "HEAD", "main"], capture_output=True, encoding="utf-8", check=False)
    since = base.stdout.strip() or "HEAD"
    told = [
        subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
        for command in ([*git, since], ["git", "ls-files", "--others", "--exclude-standard"])
    ]
    return sorted({line for text in told for line in text.splitlines()})


def list_folders(changed: list[str]) -> list[str]:
    """Return the folders of tests, and the test files, that belong to changed files.

    A module belongs to the folder of its package, a rule pack to that of the rules, and a fixture or a file that
    anything may depend on to none: for those the whole suite is meant.
    """
    found = set()
    for name in changed:
        parts = name.split("/")
        if parts[0] == "tests" and parts[-1].startswith("test_"):
            found.add(name)
        elif parts[0] == "ecospatial" and len(parts) > 2:
            found.add(f"tests/{parts[1]}")
        elif parts[:2] == ["layers", "packs"] or parts[:2] == ["tests", "cases"]:
            found.add("tests/rules")
    there = {name for name in found if Path(name).exists()}
    return sorted(name for name in there if not any(other != name and name.startswith(f"{other}/") for other in there))


def workers() -> list[str]:
    """As many processes as there are cores, four at most; the tests of one file stay together for their fixtures."""
    return ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]


def run(name: str, command: list[str]) -> tuple[bool, float]:
    """Run one check under its heading; whether it passed, and its seconds."""
    print(f"\n=== {name} ===", flush=True)
    start = time.monotonic()
    ok = subprocess.call(command) == 0
    seconds = time.monotonic() - start
    print(f"--- {name}: {'ok' if ok else 'FAILED'}, {seconds:.1f} s", flush=True)
    return ok, seconds


def counts(results: Path) -> tuple[int, int, int]:
    """Read how many tests passed, failed (or broke) and were skipped; all 0 when pytest wrote nothing."""
    if not results.exists():
        return 0, 0, 0
    suites = list(ET.parse(results).getroot().iter("testsuite"))  # noqa: S314 - written by our own pytest
    keys = ("tests", "failures", "errors", "skipped")
    total, failures, errors, skipped = (sum(int(suite.get(key, "0")) for suite in suites) for key in keys)
    return total - failures - errors - skipped, failures + errors, skipped


def report(times: dict[str, tuple[bool, float]], *, passed: int, failed: int, skipped: int) -> int:
    """Print the checks with their times, the tests last, and give the exit code."""
    print("\n=== result ===")
    for name, (ok, seconds) in times.items():
        print(f"{'ok    ' if ok else 'FAILED'}  {seconds:6.1f} s  {name}")
    wrong = [name for name, (ok, _) in times.items() if not ok]
    if not passed:
        wrong.append("no test passed")
    if IN_CI and skipped:
        wrong.append("tests were skipped, and in CI none may be")
    if wrong:
        print(f"Failed: {', '.join(wrong)}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if wrong else 0


def install_browser() -> None:
    """Install Chromium, Noto CJK, PostGIS and LibreOffice where they are absent and apt-get may be used."""
    absent = [] if environment.browser() else ["chromium"]
    if not any(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        absent += ["postgresql", "postgresql-postgis"]
    if shutil.which("soffice") is None:
        absent += ["libreoffice-writer-nogui", "libreoffice-calc-nogui"]
    if not has_chinese_font():
        absent += ["fonts-noto-cjk", "fontconfig"]
    if not absent:
        return
    sudo = [] if getattr(os, "geteuid", lambda: 1)() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (sudo and shutil.which("sudo") is None):
        print(f"Absent, and not to be installed from here: {' '.join(absent)}", flush=True)
        return
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run("apt-get", [*apt, "update"])
    run("apt-get", [*apt, "install", "--yes", "--no-install-recommends", *absent])


def has_chinese_font() -> bool:
    """Whether fontconfig knows a font that can write Chinese."""
    if shutil.which("fc-list") is None:
        return False
    found = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, check=False)
    return found.returncode == 0 and bool(found.stdout.strip())


if __name__ == "__main__":
    sys.exit(main())
