"""Make the modules of ``tests/fixtures`` importable from every folder of tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "fixtures"))

from browser_page import browser  # noqa: F401 - a fixture of every folder
