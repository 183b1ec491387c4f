"""The waters of a plan: its rivers as a network, its sewers, as tables, files and maps.

>>> import ecospatial as es
>>> study = rivers(es.open_plan("changzhou-zhonglou"))
>>> study.frame("rivers")["river"].tolist()[:3]
['新孟河', '京杭运河', '新运河']
"""

from __future__ import annotations

from ecospatial.water.river_tables import rivers
from ecospatial.water.sewer_tables import sewers
from ecospatial.water.study import Table, WaterStudy

__all__ = ["Table", "WaterStudy", "rivers", "sewers"]
