"""Long runs that can be stopped and resumed: many sites checked part by part, many maps drawn one by one."""

from __future__ import annotations

from ecospatial.batch.chunked import PartsRun, check_parts
from ecospatial.batch.progress import Progress, lasting

__all__ = ["PartsRun", "Progress", "check_parts", "lasting"]
