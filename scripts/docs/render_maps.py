"""Draw every recipe in ``maps/`` as a page: ``python3 scripts/docs/render_maps.py``.

Makes the environment first when it is not there. Leaves one page for each recipe and ``index.html`` in ``out/maps``;
a second run draws only what has changed. Arguments go to ``ecospatial map``, such as ``--format pdf --paper a3``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import environment


def main() -> None:
    """Draw the recipes."""
    environment.enter()
    from ecospatial import cli

    folders = ["--recipes", str(environment.ROOT / "maps"), "--out", str(environment.ROOT / "out" / "maps")]
    cli.main(["map", *folders, "--jobs", str(min(os.cpu_count() or 1, 4)), *sys.argv[1:]])


if __name__ == "__main__":
    main()
