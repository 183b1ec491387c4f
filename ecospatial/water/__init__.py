"""The waters of a plan: its rivers as a network, its sewers, as tables, files and maps.

>>> import ecospatial as es
>>> study = rivers(es.open_plan("changzhou-zhonglou"))
>>> study.frame("rivers")["river"].tolist()[:3]
['新孟河', '京杭运河', '新运河']
"""

from __future__ import annotations

from ecospatial.water.result import StudyTable, WaterStudy
from ecospatial.water.rivers import rivers
from ecospatial.water.sewers import sewers

__all__ = ["StudyTable", "WaterStudy", "rivers", "sewers"]
