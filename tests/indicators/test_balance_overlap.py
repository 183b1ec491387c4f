"""Land under two classes of one version belongs to neither of them in a balance."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

import ecospatial as es


def version(**classes):
    return gpd.GeoDataFrame({"space": list(classes)}, geometry=list(classes.values()), crs=4549)


def test_land_under_two_classes_is_counted_to_neither():
    old = version(农业空间=shapely.box(0, 0, 100, 100))
    # The two new classes share a strip of 20 m x 100 m.
    new = version(城镇空间=shapely.box(0, 0, 60, 100), 生态空间=shapely.box(40, 0, 100, 100))
    matrix = es.land_balance(old, new).matrix
    assert matrix.loc["农业空间"].drop("合计").to_dict() == pytest.approx(
        {"城镇空间": 4000.0, "生态空间": 4000.0, "重叠": 2000.0}
    )
    assert es.land_balance(new, old).matrix.loc["重叠", "农业空间"] == pytest.approx(2000.0)
    assert matrix.loc["合计", "合计"] == pytest.approx(10_000.0)
