"""Ways out of a conflict: what part of a footprint is free, and how little it has to be moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from ecospatial.checks import LayerCache, check_on_layers, day
from ecospatial.errors import PlanError, Problem, SiteError
from ecospatial.geometry import strip
from ecospatial.geometry.smallest_move import smallest_shift
from ecospatial.relations import MIN_AREA_M2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecospatial.checks.findings import Findings
    from ecospatial.plans import Plan
    from ecospatial.rules import Rule

_IN_THE_WAY = ("restricted", "prohibited")
# What waits for an answer where a site is may wait for it where the site goes.
_WAITING = ("needs_facts", "unsettled")
NOT_OF_PLACE = "针对整个行政区的规定与位置无关，不计入让位和平移"
# At its limit a near rule is still touched: this much further it is not.
_CLEAR_OF_M = 1e-5
# A strip of 64 segments to a quarter circle is up to 0.0075 % short of the distance; where that matters, beyond it.
_BEYOND = 1.0001
_BEYOND_M = 0.01


def remedies(findings: Findings, *, within_m: float = 500.0) -> gpd.GeoDataFrame:
    """Find for each site what part of it is free, and the smallest shift after which nothing is in the way.

    In the way is what a finding of verdict restricted or prohibited touches; what needs facts, data or a settled basis
    is answered by them and not by moving. Rules on the whole district are no matter of place and stay out of it. Every
    answer was checked: the free part, and the site where it would be moved to, were put to all rules again, and no rule
    says anything worse there than before; what did not hold is left out.

    Parameters
    ----------
    findings
        What ``check`` returned; not findings read again from a file, which are without the plan.
    within_m
        How far a site may be moved, metres.

    Returns
    -------
    GeoDataFrame
        Index ``site_id``, in the CRS of the plan: ``free_m2`` and ``free_share`` (of the site's area, a line's length,
        or its points), ``shift_m`` and ``shift_bearing_deg`` (from grid north, clockwise), and the free part as
        geometry (empty: none). A site with nothing in the way has a shift of 0 m without a bearing; both are empty
        where no shift was found. ``attrs["notices"]`` says so where rules were no matter of place.

    Raises
    ------
    PlanError
        The findings are without a plan.
    SiteError
        ``within_m`` is not positive.
    """
    if findings.plan is None:
        raise PlanError(Problem("", None, "这些结果是从文件读回的，没有规划", "请用 check 重新核查后再求"))
    if not within_m > 0:
        raise SiteError(Problem("", None, f"within_m 应大于 0，读到 {within_m}", "请给出米数，如 500"))
    sites, whole = findings.sites, findings.sites.geometry.to_numpy()
    search = _Search(findings.plan, LayerCache(findings.plan, day(findings.meta["on"])), sites, within_m)
    blocked = np.flatnonzero(search.blocked(search.before, sites))
    free, shift = whole.copy(), np.zeros((len(sites), 2))
    free[blocked], shift[blocked] = search.free(blocked), search.shifts(blocked)
    size = _size(whole)
    length = np.hypot(shift[:, 0], shift[:, 1])
    bearing = np.degrees(np.arctan2(shift[:, 0], shift[:, 1])) % 360.0
    data = {
        "free_m2": shapely.area(free),
        "free_share": np.divide(_size(free), size, out=np.zeros(len(size)), where=size > 0),
        "shift_m": length,
        "shift_bearing_deg": np.where(length > 0, bearing, np.nan),
    }
    found = gpd.GeoDataFrame(data, index=sites.index, geometry=free, crs=sites.crs)
    found.attrs["notices"] = [NOT_OF_PLACE] if search.not_of_place.any() else []
    return found


def _size(shapes: NDArray[Any]) -> NDArray[np.float64]:
    dimension = shapely.get_dimensions(shapes)
    points = np.where(shapely.is_empty(shapes), 0, shapely.get_num_coordinates(shapes)).astype(float)
    return np.select([dimension == 2, dimension == 1], [shapely.area(shapes), shapely.length(shapes)], points)


@dataclass
class _Search:
    """Looks for ways out, and asks the check whether they are."""

    plan: Plan
    reading: LayerCache
    sites: gpd.GeoDataFrame
    within_m: float

    def __post_init__(self) -> None:
        """Check everything: findings that were filtered do not say what a shift may run into."""
        self.before = check_on_layers(self.sites, self.reading).frame
        self.rules = self.reading.in_force
        of_district = [id_ in self.rules and self.rules[id_].layer == "district" for id_ in self.rules_in_order]
        self.not_of_place = np.array(of_district, dtype=bool)
        boxes = [shapely.box(*bounds).buffer(self.within_m) for bounds in self.sites.geometry.bounds.to_numpy()]
        self.windows = np.array([shapely.envelope(box) for box in boxes], dtype=object)
        self.wide_reading = self.reading.for_extent(self.windows, 0.0)

    def blocked(self, frame: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> NDArray[np.bool_]:
        """Say of which sites something is in the way."""
        hit = frame[self._blocks(frame)]
        return np.asarray(sites.index.isin(hit["site_id"].unique()), dtype=bool)

    def _blocks(self, frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
        """Say which findings, of all rules for each site, are in the way."""
        of_place = np.resize(~self.not_of_place, len(frame))
        return np.asarray(_in_the_way(frame) & of_place, dtype=bool)

    def _worse(self, rows: NDArray[np.intp], shapes: NDArray[Any]) -> NDArray[np.bool_]:
        """Say for which sites another shape still has something in the way, or anything is known less well."""
        new = gpd.GeoSeries(shapes, index=self.sites.index[rows], crs=self.plan.crs)
        moved = self.sites.iloc[rows].set_geometry(new)
        moved.attrs = {}
        after = check_on_layers(moved, self.reading).frame
        per_site = len(self.rules_in_order)
        place = (rows[:, None] * per_site + np.arange(per_site)).ravel()
        same = after["verdict"].cat.codes.to_numpy() == self.before["verdict"].cat.codes.to_numpy()[place]
        clear = after["verdict"].isin(["clear", "not_applicable", "duty"]).to_numpy()
        clear = clear | np.resize(self.not_of_place, len(after))
        kept = same & ~_in_the_way(after) & (_touched(self.before)[place] | ~_touched(after))
        return np.asarray(~(clear | kept).reshape(-1, per_site).all(axis=1), dtype=bool)

    @property
    def rules_in_order(self) -> list[str]:
        """The ids of all rules, as a frame of findings has them for each site."""
        return list(self.reading.versions)

    # ------------------------------------------------------------------------------------ the free part

    def free(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Give what is left of sites without what is in the way."""
        shapes = self.sites.geometry.to_numpy()[rows]
        hit = self.before[self._blocks(self.before)]
        drawn = hit.groupby("site_id", sort=False, observed=True)["geometry"].agg(
            lambda part: shapely.union_all(part.to_numpy())
        )
        conflict = drawn.loc[self.sites.index[rows]].to_numpy()
        left = _whole_parts(shapely.difference(shapes, shapely.buffer(conflict, _CLEAR_OF_M)))
        for again in (True, False):
            some = np.flatnonzero(~shapely.is_empty(left))
            still = some[self._worse(rows[some], left[some])] if len(some) else some
            if not len(still):
                break
            if again:
                beyond = [self._obstacles(row, beyond=True, unknown=False) for row in rows[still]]
                left[still] = _whole_parts(shapely.difference(left[still], np.array(beyond, dtype=object)))
            else:
                left[still] = shapely.Polygon()
        return left

    # ---------------------------------------------------------------------------------------- the shift

    def shifts(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give the smallest shift of each site, east and north; NaN where there is none."""
        found = np.full((len(rows), 2), np.nan)
        shapes = self.sites.geometry.to_numpy()[rows]
        open_ = np.arange(len(rows))
        for beyond in (False, True):
            for i in open_:
                shift = smallest_shift(shapes[i], self._obstacles(rows[i], beyond=beyond), self.within_m)
                found[i] = (np.nan, np.nan) if shift is None else shift
            tried = open_[np.isfinite(found[open_, 0])]
            if not len(tried):
                break
            moved = np.array([shapely.affinity.translate(shapes[i], *found[i]) for i in tried], dtype=object)
            open_ = tried[self._worse(rows[tried], moved)]
            found[open_] = np.nan
            if not len(open_):
                break
        return found

    def _obstacles(self, row: int, *, beyond: bool, unknown: bool = True) -> Any:
        """Draw where a site must not reach: what its rules are about, and where nothing is known."""
        per_site = len(self.rules_in_order)
        own = self.before.iloc[row * per_site : (row + 1) * per_site]
        waiting = _touched(own) & own["verdict"].isin(_WAITING).to_numpy()
        verdicts = own["verdict"].astype(object).mask(waiting, "not_applicable").tolist()
        asked: dict[tuple[Any, ...], tuple[Rule, str]] = {}
        for rule_id, verdict in zip(self.rules_in_order, verdicts, strict=True):
            rule = self.rules.get(rule_id)
            if rule is not None and rule.layer != "district" and verdict != "not_applicable":
                distances = (rule.within_m, rule.upstream_m, rule.downstream_m, rule.above)
                asked[rule.relation, rule.layer, rule.where, *distances, verdict == "no_data"] = rule, verdict
        window, thin = self.windows[row], shapely.get_dimensions(self.sites.geometry.iloc[row]) < 2
        drawn = []
        for rule, verdict in asked.values():
            usable = self.wide_reading.stock_for(rule).frame is not None
            if usable and not self.wide_reading.select(rule).unmatched:
                drawn.append(self._drawn(rule, window, beyond=beyond, thin=thin))
                if unknown and verdict != "no_data":
                    drawn.append(self._unknown(rule, window))
        return shapely.union_all([shape for shape in drawn if not shapely.is_empty(shape)])

    def _drawn(self, rule: Rule, window: Any, *, beyond: bool, thin: bool) -> Any:
        selection = self.wide_reading.select(rule)
        target = selection.matched if rule.relation == "outside" else selection.possible
        reach = window.buffer(rule.within_m * _BEYOND + 1.0)
        more = _BEYOND_M if beyond else 0.0
        pieces = target.pieces.piece[target.pieces.tree.query(reach, predicate="intersects")]
        if rule.relation == "near":
            limit = rule.within_m * (_BEYOND if beyond else 1.0) + _CLEAR_OF_M + more
            return shapely.intersection(shapely.union_all(strip(pieces, limit)), window)
        held = shapely.union_all(pieces[shapely.get_dimensions(pieces) == 2])
        if rule.relation == "outside":
            return shapely.difference(window, shapely.buffer(held, -more) if more else held)
        # Points and lines on an edge are in the feature, and a stretch of river is touched from its bank.
        more += _CLEAR_OF_M if thin or rule.relation == "along_river" else 0.0
        return shapely.intersection(shapely.buffer(held, more) if more else held, window)

    def _unknown(self, rule: Rule, window: Any) -> Any:
        coverage = self.wide_reading.stock_for(rule).coverage
        if coverage is None:
            return shapely.Polygon()
        inner = shapely.buffer(coverage, -(rule.within_m + _BEYOND_M)) if rule.within_m else coverage
        return shapely.difference(window, inner)


def _touched(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    shapes = frame.geometry.to_numpy()
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)), dtype=bool)


def _in_the_way(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    return np.asarray(frame["verdict"].isin(_IN_THE_WAY).to_numpy() & _touched(frame), dtype=bool)


def _whole_parts(shapes: NDArray[Any]) -> NDArray[Any]:
    """Leave out specks that do not count as area; other shapes stay as they are."""
    kept = shapes.copy()
    for i in np.flatnonzero(shapely.get_dimensions(shapes) == 2):
        parts = shapely.get_parts(shapes[i])
        large = parts[shapely.area(parts) > MIN_AREA_M2]
        kept[i] = shapely.union_all(large) if len(large) < len(parts) else shapes[i]
    return kept
