"""A progress bar below the cell of a notebook, for a check that takes long; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

AFTER_S = 5.0  # a check that is over sooner shows nothing


def notebook_bar() -> Callable[[int, int], None] | None:
    """Give what ``check`` calls with the rules done and all rules; None outside a notebook."""
    # Only asked where IPython runs already: it is no dependency.
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if not hasattr(shell, "kernel"):
        return None
    start = time.monotonic()
    bars: list[Any] = []

    def told(done: int, whole: int) -> None:
        if not bars and time.monotonic() - start >= AFTER_S:
            bars.append(ipython.display.ProgressBar(whole))
            bars[0].display()
        if bars:
            bars[0].progress = done

    return told
