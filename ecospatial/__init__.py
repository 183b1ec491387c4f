"""Spatial control checks for planners in Chinese district bureaus."""

from __future__ import annotations

__version__ = "0.1.0"
