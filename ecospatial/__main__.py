"""Run as ``python -m ecospatial``."""

from ecospatial.cli import main

main()
