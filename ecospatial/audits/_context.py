"""The layers of a plan as an audit reads them: what can be used, and what was wrong with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ecospatial import io
from ecospatial.errors import EcospatialError
from ecospatial.indicators.land_parcels import KindOnDay, holding
from ecospatial.model import KINDS
from ecospatial.plans.layers import inside, read_vector

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    from numpy.typing import NDArray

    from ecospatial.plans import Layer, Plan

# Kinds whose features make up the whole district, without gap or overlap.
TILINGS = tuple(kind.name for kind in KINDS.values() if kind.tiles_district)
# Less than this is a shared edge or rounding (docs/interface.md section 5).
MIN_AREA_M2 = 0.01
# Of latitude, on the ellipsoid of CGCS2000 at 32 degrees north, rounded up.
METRES_PER_DEGREE = 111_300.0


@dataclass(frozen=True)
class AuditLayers:
    """A plan on a day; everything is read when it is first asked for."""

    plan: Plan
    on: dt.date
    sliver_m: float

    @cached_property
    def _kinds(self) -> dict[str, KindOnDay]:
        return {}

    @cached_property
    def _raw(self) -> dict[str, gpd.GeoDataFrame | None]:
        return {}

    def kind(self, kind: str) -> KindOnDay:
        """Give a kind as it stands on the day."""
        if kind not in self._kinds:
            self._kinds[kind] = holding(self.plan, kind, self.on)
        return self._kinds[kind]

    def shapes(self, kind: str) -> NDArray[Any]:
        """Give the polygons of a kind; none when it can not be read."""
        frame = self.kind(kind).frame
        if frame is None:
            return np.empty(0, dtype=object)
        found = frame.geometry.to_numpy()
        return np.asarray(found[shapely.get_dimensions(found) == 2], dtype=object)

    def areal(self, kind: str) -> gpd.GeoDataFrame | None:
        """Give the rows of a kind that are polygons."""
        frame = self.kind(kind).frame
        if frame is None:
            return None
        return frame[shapely.get_dimensions(frame.geometry.to_numpy()) == 2]

    @cached_property
    def district(self) -> Any:
        """The district in the plan's CRS, or None when the plan does not hold it."""
        shapes = self.shapes("district")
        return shapely.union_all(shapes) if len(shapes) else None

    @cached_property
    def held(self) -> list[Layer]:
        """The layers of features that the plan says it holds, in force on the day or not."""
        layers = self.plan.layers.values()
        return [layer for layer in layers if layer.present == "held" and KINDS[layer.kind].shape != "raster"]

    @cached_property
    def usable(self) -> list[Layer]:
        """The layers that can be read and stand on the day."""
        return [x for x in self.held if x.valid_on(self.on) and self.plan.trouble(x.name) is None]

    def raw(self, layer: Layer) -> gpd.GeoDataFrame | None:
        """Give the features of a layer as they stand in the file, not repaired; None when it can not be read."""
        if layer.name not in self._raw:
            self._raw[layer.name] = self._read(layer)
        return self._raw[layer.name]

    def written_m(self, name: str) -> float:
        """Say how finely the coordinates of a layer are written: metres; 0 for metric files, which keep every digit.

        Files in degrees are rounded when they are written (GeoJSON: 7 decimals, 1 cm), so that two layers which share a
        border in the plan come back a little apart.
        """
        if name not in self._written:
            self._written[name] = _written(self.plan, self.plan.layers[name])
        return self._written[name]

    @cached_property
    def _written(self) -> dict[str, float]:
        return {}

    def _read(self, layer: Layer) -> gpd.GeoDataFrame | None:
        if layer.path is None:
            return None
        try:
            return read_vector(self.plan.folder, layer, layer.path, crs=self.plan.crs, file_layer=layer.file_layer)
        except EcospatialError:
            # Why it can not be read stands among the troubles of the layer.
            return None


def _written(plan: Plan, layer: Layer) -> float:
    try:
        frame = io.read_vector(inside(plan.folder, layer.path or ""), layer=layer.file_layer)
    except EcospatialError:
        return 0.0
    if frame.crs is None or not frame.crs.is_geographic:
        return 0.0
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    xy = xy[np.isfinite(xy).all(axis=1)]
    for decimals in range(5, 10):
        if len(xy) and np.abs(xy - np.round(xy, decimals)).max() < 1e-12:
            return float(METRES_PER_DEGREE * 10.0**-decimals)
    return 0.0


def ids(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    """Name every feature by its layer and its id."""
    return np.array([f"{layer}:{id_}" for layer, id_ in zip(frame["layer"], frame["feature_id"], strict=True)], object)


def spoken(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    """Name every feature for a person: by its name, else its id."""
    names = frame["feature_name"] if "feature_name" in frame else [None] * len(frame)
    pairs = zip(names, frame["feature_id"], strict=True)
    return np.array(
        [f"{name}（{id_}）" if isinstance(name, str) and name else f"{id_} 号" for name, id_ in pairs], object
    )
