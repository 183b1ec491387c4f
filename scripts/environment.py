"""The virtual environment of this checkout: made, filled and entered by the programs beside this file.

Standard library only, and nothing an older Python could not read: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
STAMP = FOLDER / "installed.json"
OLDEST = (3, 11)
WINDOWS = os.name == "nt"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def enter(extra: str = "") -> None:
    """Return inside ``.venv`` with the package and one extra of setup.cfg installed in it.

    Called from any other Python, the running program is started again inside ``.venv`` with the same
    arguments. Nothing is installed as long as setup.cfg, pyproject.toml and Python's version stay the same.
    """
    os.environ["PYTHONIOENCODING"] = "utf-8"  # for every program started from here, on Windows too
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    if sys.version_info < OLDEST:
        held = sys.version.split()[0]
        sys.exit("ecospatial needs Python {}.{} or newer; this is {}.".format(*OLDEST, held))
    inside = Path(sys.prefix).resolve() == FOLDER.resolve()
    if not inside and not _usable():
        _create()
    if not _installed(extra):
        _install(extra)
    if not inside:
        _start_again()


def browser() -> str | None:
    """Give the path of a browser that can be driven, or None when this machine has none."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _python() -> Path:
    return FOLDER / ("Scripts/python.exe" if WINDOWS else "bin/python")


def _usable() -> bool:
    """Whether .venv has a Python that is still there and of the version that runs now."""
    config = FOLDER / "pyvenv.cfg"
    if not config.exists() or not _python().exists():  # a link to a Python that was removed does not exist
        return False
    lines = config.read_text(encoding="utf-8").splitlines()
    held = next((line.partition("=")[2].strip() for line in lines if line.startswith("version")), "")
    return held.split(".")[:2] == [str(part) for part in sys.version_info[:2]]


def _create() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = "{}.{}".format(*sys.version_info[:2])
        sys.exit(
            f"This Python has no {' and no '.join(missing)}, so no environment can be made. On Debian and"
            f" Ubuntu: `sudo apt-get install python{version}-venv`; elsewhere use the Python of python.org."
        )
    if FOLDER.exists() and any(FOLDER.iterdir()) and not (FOLDER / "pyvenv.cfg").exists():
        sys.exit(f"{FOLDER} is there and is no virtual environment. Move it away and start again.")
    print("Making .venv ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=False)
    if made.returncode:
        shutil.rmtree(FOLDER, ignore_errors=True)
        sys.exit("The environment could not be made; the lines above say why.")


def _key() -> str:
    """Name what is to be installed where: another key means install again."""
    parts = [(ROOT / name).read_bytes() for name in ("setup.cfg", "pyproject.toml")]
    parts += [str(ROOT).encode(), repr(sys.version_info[:2]).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamp() -> dict[str, list[str]]:
    try:
        held = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _installed(extra: str) -> bool:
    extras = _stamp().get(_key(), [])
    return extra in extras or (not extra and bool(extras))


def _install(extra: str) -> None:
    print("Installing ecospatial and what it needs into .venv (the first time takes minutes) ...", flush=True)
    start = time.monotonic()
    wanted = f"{ROOT}[{extra}]" if extra else str(ROOT)
    command = [str(_python()), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-e", wanted]
    if subprocess.run(command, check=False).returncode:
        sys.exit("The installation failed; the lines above say why. It needs to reach the package registry.")
    extras = [*_stamp().get(_key(), []), extra]
    STAMP.write_text(json.dumps({_key(): extras}) + "\n", encoding="utf-8")
    print(f"Installed in {time.monotonic() - start:.0f} s.", flush=True)


def _start_again() -> None:
    command = [str(_python()), *sys.argv]
    if not WINDOWS:
        os.execv(command[0], command)  # noqa: S606 - the interpreter of this checkout, no shell
    # On Windows execv returns to the console before the new program has ended.
    sys.exit(subprocess.call(command))
