"""Cases of law: what tests/cases/<pack>.yaml states of each rule is turned into sites, put to the rules, compared.

The statement is written from the text of the law, a second time and apart from the pack. Everything that follows
from it (neighbouring codes, other works, an unknown fact, a millimetre more, the day before) is drawn here, with logic
of its own. See tests/cases/README.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely
import yaml
from made_plans import CRS, SOURCE

import ecospatial as es
from ecospatial.model import ACTIVITIES, FACTS, KINDS, WORKS, activity_code
from ecospatial.plans import Settlement
from ecospatial.rules import clashes

FOLDER = Path(__file__).resolve().parent / "cases"
TODAY = dt.date(2026, 11, 20)
DAY = dt.timedelta(days=1)
MM = 0.001
SETTLED_M = 100.0  # what a plan settles for a distance that a text leaves open
OPEN_M = 1000.0  # up to here a distance that a text leaves open may reach
X0, Y0, ROW_M = 400000.0, 3300000.0, 14000.0  # scenes lie this far apart, so that no rule reads another's features
TOGETHER = 16  # lines whose cases are checked in one go
KEYS = {
    "rule",
    "law",
    "verdict",
    "days",
    "within_m",
    "upstream_m",
    "downstream_m",
    "places",
    "not_places",
    "projects",
    "not_projects",
    "exception",
    "read",
    "not_stated",
}
AREA = "area_m2_at_least"
SORTS = ("hit", "miss", "first day", "day before", "missing layer")


@dataclass
class Case:
    """One site, what is known of its project, and what the law says of it."""

    line: Line
    sort: str
    geometry: shapely.Geometry
    project: dict
    verdict: str
    touched: bool | None  # None: not asked
    day: dt.date = TODAY
    missing: bool = False  # the layer is not held
    as_read: bool = False  # as if the text had been read, and the plan had settled what it leaves open


@dataclass
class Line:
    """What a case file states of one version of a rule."""

    pack: str
    row: int
    content: dict
    rule: object = None
    cases: list[Case] = field(default_factory=list)

    def __getattr__(self, name):
        """Give what the file states."""
        if name.startswith("_") or name not in KEYS:
            raise AttributeError(name)
        return self.content.get(name)

    @property
    def first(self):
        return self.content["days"][0]

    @property
    def last(self):
        return self.content["days"][1]

    @property
    def reach_m(self):
        """How far from a feature the rule reaches; what the plan settles when the text does not say."""
        return SETTLED_M if self.open_distance else float(self.within_m or 0)

    @property
    def open_distance(self):
        return "distance" in (self.not_stated or ())

    @property
    def settled(self):
        """Whether the text was read and says all that is needed."""
        return bool(self.read) and not self.not_stated

    @property
    def day(self):
        """The day on which the version is asked: today when it stands, else its first day."""
        return TODAY if self.first <= TODAY <= (self.last or dt.date.max) else self.first


def products(items):
    """Write out mappings whose values are lists: one for each combination."""
    for item in items or []:
        values = [value if isinstance(value, list) else [value] for value in item.values()]
        yield from (dict(zip(item, found, strict=True)) for found in itertools.product(*values))


# ------------------------------------------------------------------------------- the logic of a statement


def holds(wanted, project):
    """Whether one group of conditions holds: True, False, or None for unknown."""
    answers = []
    for key, values in wanted.items():
        values = values if isinstance(values, list) else [values]
        given = project.get(key)
        if key == AREA:
            answers.append((given or 0) >= values[0])
        elif given is None:
            answers.append(None)
        elif key in ("activity", "land_use"):
            hit = any(given.startswith(value) for value in values)
            answers.append(True if hit else None if any(value.startswith(given) for value in values) else False)
        else:
            answers.append(given in values)
    return False if False in answers else None if None in answers else True


def any_holds(groups, project):
    answers = [holds(group, project) for group in groups]
    return True if True in answers else None if None in answers else False


def follows(line, project, *, touched, settled):
    """What the statement says of a project whose site touches or does not."""
    applies = any_holds(line.projects, project) if line.projects else True
    if applies is False:
        return "not_applicable"
    if not settled:
        return "unsettled"
    if not touched:
        return "clear"
    if line.verdict == "duty":  # no fact is asked for it
        return "duty"
    if applies is None:
        return "needs_facts"
    if line.exception and any_holds(line.exception["projects"], project) is True:
        return line.exception["verdict"]
    return line.verdict


# ------------------------------------------------------------------------------------------- projects


def others(key, value, wanted):
    """Values beside one that is wanted: neighbours, the level above and below, what is left out."""
    if key == "works":
        return [works for works in WORKS if works not in wanted]
    if key in FACTS:
        return [not value]
    if key == AREA:
        return [value - 1]
    if key == "land_use":
        return [use for use in ("16", "1401", "0601") if not any(use.startswith(w) for w in wanted)][:2]
    if len(value) == 1:
        near = [chr(ord(value) - 1), chr(ord(value) + 1)]
    else:
        head, last = (value[:1], int(value[1:])) if len(value) == 3 else (value[:-1], int(value[-1]))
        width = len(value) - len(head)
        near = [f"{head}{number:0{width}d}" for number in (last - 1, last + 1) if 0 <= number < 10**width]
        near.append(value[:1] if len(value) == 3 else value[:-1])
    near += [code for code in ACTIVITIES if code.startswith(value) and code != value][:1]
    return [code for code in near if activity_code(code)]


def project_variants(line):
    """Projects that the statement is about, and projects that differ from such a one in one respect."""
    groups = line.projects or [{}]
    off = {}
    for key in {key for group in groups for key in group}:
        wanted = [v for group in groups for v in as_list(group.get(key, []))]
        pool = ["T97", "S91", "I65", "A01"] if key == "activity" else others(key, wanted[0], wanted)
        pool = [v for v in pool if not any(str(v).startswith(str(w)) for w in wanted)]
        off[key] = next(iter(pool), None)
    for group in groups:
        rest = {key: value for key, value in off.items() if key not in group and value is not None}
        hits = [rest | found for found in products([group])]
        yield from hits
        for key in group:
            if key != AREA:  # a size is always known
                yield {k: v for k, v in hits[0].items() if k != key}
            for value in as_list(group[key]):
                for other in others(key, value, as_list(group[key])):
                    yield hits[0] | {key: other}
                if key == "activity" and line.verdict == "duty":
                    # A duty is answered alike for a code that is too broad, so the last of the narrower ones is tried.
                    yield hits[0] | {key: last_below(value)}
    yield from products(line.not_projects)
    for exception in products((line.exception or {}).get("projects")):
        for hit in ({**off, **found} for group in groups for found in itertools.islice(products([group]), 1)):
            known = {key: value for key, value in hit.items() if value is not None}
            yield known | exception
            for key, value in exception.items():
                for other in [*others(key, value, [value]), None]:
                    yield {k: v for k, v in (known | exception | {key: other}).items() if v is not None}


def last_below(code):
    """A code below this one that is not the first, or the code itself."""
    if len(code) == 1:
        return max(known for known in ACTIVITIES if known.startswith(code))
    return activity_code(f"{code}9") or code


def as_list(value):
    return value if isinstance(value, list) else [value]


# --------------------------------------------------------------------------------------------- scenes


def feature(shape, x, y):
    """A feature whose right edge is at ``edge`` and beside which sites are drawn."""
    if shape == "polygon":
        return shapely.box(x, y, x + 400, y + 400), x + 400
    if shape == "bank":
        return shapely.box(x, y, x + 100, y + 400), x + 100
    if shape == "line":
        return shapely.LineString([(x, y), (x, y + 400)]), x
    return shapely.Point(x, y + 150), x


class Scene:
    """The features of one rule, in a row, each with sites beside it."""

    def __init__(self, line, number):
        self.line, self.kind = line, KINDS[line.rule.layer]
        self.y = Y0 + number * ROW_M
        self.step = 2 * max(line.reach_m, OPEN_M * line.open_distance) + 5000
        self.features = []
        least = max((group[AREA] for group in line.projects or [] if AREA in group), default=None)
        self.width, self.height = (100, 20) if least is None else (200, (least + 1) / 200)
        self.rivers, self.banks = [], []

    def place(self, columns):
        """Draw one more feature; give the function that draws a site d metres beside its right edge."""
        shape, edge = feature(self.kind.shape, X0 + len(self.features) * self.step, self.y)
        if self.line.rule.relation == "along_river":
            # A river 40 m wide from north to south through the intake; the sites stand at its left bank.
            name = columns.get("river") or f"河{int(self.y)}-{len(self.features)}"
            water = shapely.box(edge - 20, self.y - 4850, edge + 20, self.y + 5150)
            centre = shapely.LineString([(edge, self.y + 5150), (edge, self.y - 4850)])
            self.rivers.append({"river": name, "geometry": centre})
            self.banks.append({"river": name, "geometry": water})
            self.x_of_river = min(edge, getattr(self, "x_of_river", edge))
            columns, edge = {"river": name, **columns}, edge + 20
        filled = {c.name: (c.words or ("某",))[0] for c in self.kind.columns if c.required and c.name not in columns}
        self.features.append({**filled, **columns, "geometry": shape})
        # 1 mm of a site are 0.02 m2.
        low, high = self.y + 150 - self.height / 2, self.y + 150 + self.height / 2
        return lambda d: shapely.box(edge + d, low, edge + d + self.width, high)

    def of_size(self, spot, project):
        """The point, or where a size is asked a site of exactly that size around it."""
        if AREA not in project:
            return spot
        half = project[AREA] / 400
        return shapely.box(spot.x, spot.y - half, spot.x + 200, spot.y + half)

    def distances(self):
        """How far from a feature sites are drawn, and whether each is touched; the first is the plain hit."""
        within = self.line.reach_m
        relation = self.line.rule.relation
        if relation == "near":
            plain = within / 2 if within else -50.0
            return [
                (plain, True, "hit"), (within, True, "exact"), (within - MM, True, "minus 1 mm"),
                (within + MM, False, "plus 1 mm"), (within + 500, False, "miss"),
            ]  # fmt: skip
        if relation == "along_river":
            return [
                (-15.0, True, "hit"), (0.0, True, "exact"), (-MM, True, "minus 1 mm"), (MM, False, "plus 1 mm"),
                (500.0, False, "miss"),
            ]  # fmt: skip
        if relation == "overlaps":
            return [
                (-250.0, True, "hit"), (-MM, True, "minus 1 mm"), (0.0, False, "exact"), (MM, False, "plus 1 mm"),
                (500.0, False, "miss"),
            ]  # fmt: skip
        return [
            (200.0, True, "hit"), (-100 + MM, True, "plus 1 mm"), (-100.0, False, "exact"), (-250.0, False, "miss"),
        ]  # fmt: skip

    def reaches(self):
        """Sites in the water at either end of the stretch of the first intake: one millimetre inside and outside."""
        if self.line.rule.relation != "along_river":
            return
        x, intake = self.x_of_river, self.y + 150
        ends = (("up", 1, self.line.upstream_m), ("down", -1, self.line.downstream_m))
        for word, sign, length in (end for end in ends if end[2] is not None):
            for off, touched, sort in ((-MM, True, "minus 1 mm"), (MM, False, "plus 1 mm")):
                near, far = intake + sign * (length + off), intake + sign * (length + off + 100)
                yield shapely.box(x - 15, min(near, far), x + 15, max(near, far)), touched, f"{sort} {word}stream"

    def columns(self):
        """Give for each value of the statement, each other value and an empty cell the columns of a feature."""
        places = {key: as_list(values) for key, values in (self.line.places or {}).items()}
        first = {key: values[0] for key, values in places.items()}
        yield first, True
        for key, values in places.items():
            column = self.kind.column(key)
            yield from ((first | {key: value}, True) for value in values[1:])
            words = [True, False] if column.type == "bool" else column.words
            unwanted = words or as_list((self.line.not_places or {}).get(key, []))
            yield from ((first | {key: value}, False) for value in unwanted if value not in values)
            if not column.required:
                yield first | {key: None}, None


def draw(line, number):
    """Draw the scene of a line: its features, and its cases."""
    scene = Scene(line, number)
    settled, outside = line.settled, line.rule.relation == "outside"

    def add(sort, geometry, project, touched, **how):
        sure = settled or how.get("as_read")
        verdict = how.pop("verdict", None) or follows(line, project, touched=touched, settled=sure)
        unmeasured = line.open_distance and not sure and sort not in ("on it", "far")
        if unmeasured or how.get("missing") or verdict in ("not_applicable", "no_data"):
            touched = None
        asked = how.pop("asked", touched)
        line.cases.append(Case(line, sort, geometry, project, verdict, asked, **({"day": line.day} | how)))

    variants = list(project_variants(line))
    hit = variants[0]
    inside = -250.0 if scene.kind.shape == "polygon" else -50.0
    (columns, _), *other_columns = scene.columns()
    home = scene.place(columns)
    for d, touched, sort in scene.distances():
        add(sort, home(d), hit, touched)
    for columns, wanted in other_columns:
        box = scene.place(columns)(inside)
        if wanted is None:
            add("empty column", box, hit, True, verdict="needs_facts" if settled else "unsettled", asked=None)
            continue
        for how in ({},) if settled else ({}, {"as_read": True}):
            add("place" if wanted else "other place", box, hit, wanted != outside, **how)
    for box, touched, sort in scene.reaches():
        add(sort, box, hit, touched)
    if line.open_distance:
        add("on it", home(-50.0), hit, True)
        add("far", home(OPEN_M + 100), hit, False)
    plain = scene.distances()[0][0]
    plain = 0.0 if line.rule.relation == "near" and not line.reach_m else plain
    # What is said of a project does not hang on the shape: a point is measured fast.
    spot = shapely.Point(home(plain).bounds[0], scene.y + 150)
    for project in variants[1:]:
        truth = any_holds(line.projects, project) if line.projects else True
        sort = {True: "project", None: "missing fact", False: "wrong project"}[truth]
        add(sort, scene.of_size(spot, project), project, True)
    if not settled:
        for project in variants:
            add("as if read", scene.of_size(spot, project), project, True, as_read=True)
        for d, touched, _ in scene.distances()[1:]:
            add("as if read", home(d), hit, touched, as_read=True)
    spot = scene.of_size(spot, hit)
    add("missing layer", spot, hit, True, verdict="no_data" if settled else "unsettled", missing=True)
    add("first day", spot, hit, True, day=line.first)
    add("day before", spot, hit, True, day=line.first - DAY, verdict="not_applicable")
    if line.last:
        add("last day", spot, hit, True, day=line.last)
        add("day after", spot, hit, True, day=line.last + DAY, verdict="not_applicable")
    return scene


# -------------------------------------------------------------------------------------------- running


class Pack:
    """A rule pack with its cases, drawn into one made plan."""

    def __init__(self, path, rules, folder):
        self.name = path.stem
        self.content = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.rules = rules
        self.lines = [Line(self.name, n, line) for n, line in enumerate(self.content["rules"], 1)]
        self.unmatched = match(self.lines, rules)
        self.lines = [line for line in self.lines if line.rule is not None]
        scenes = [draw(line, number) for number, line in enumerate(self.lines)]
        drop_days_of_neighbours(self.lines)
        features = {}
        for scene in scenes:
            for kind, rows in (
                (scene.kind.name, scene.features),
                ("river_centreline", scene.rivers),
                ("bank_line", scene.banks),
            ):
                if rows:
                    features.setdefault(kind, []).extend(rows)
        self.held = write_plan(folder / f"{self.name}-held", features)
        self.missing = write_plan(folder / f"{self.name}-missing", dict.fromkeys(features))

    def plan(self, rules, *, missing=False, settled=False):
        """The plan with these rules; what their texts leave open is settled or not."""
        settled_rules = [rule for rule in rules if rule.not_stated] if settled else []
        decisions = {rule.id: settlement(rule) for rule in settled_rules}
        plan = self.missing if missing else self.held
        return dataclasses.replace(plan, rules=tuple(rules), settled=decisions)


def settlement(rule):
    """What a bureau decides where the text of a rule leaves something open."""
    within_m = SETTLED_M if "distance" in rule.not_stated else None
    return Settlement(within_m, bool({"list", "range"} & set(rule.not_stated)), "某局", TODAY)


def match(lines, rules):
    """Give each line its version of the rule: the first line of an id is of the earliest version, and so on."""
    unmatched = []
    for id_ in sorted({line.content["rule"] for line in lines} | {rule.id for rule in rules}):
        versions = sorted((rule for rule in rules if rule.id == id_), key=lambda rule: rule.since)
        stated = sorted((line for line in lines if line.content["rule"] == id_), key=lambda line: line.first)
        for line, rule in itertools.zip_longest(stated, versions):
            if line is None or rule is None:
                unmatched.append(id_)
            else:
                line.rule = rule
    return unmatched


def drop_days_of_neighbours(lines):
    """Leave out the day before and after where the statement of another version has that day."""
    for line in lines:
        spans = [(o.first, o.last or dt.date.max) for o in lines if o.rule.id == line.rule.id and o is not line]
        line.cases = [
            case
            for case in line.cases
            if case.sort not in ("day before", "day after") or not any(a <= case.day <= b for a, b in spans)
        ]


def write_plan(folder, features):
    """Write a plan with these features by kind (None: the layer is missing); everything around them is covered."""
    folder.mkdir(parents=True)
    bounds = shapely.box(X0 - 1e5, Y0 - 1e5, X0 + 9e5, Y0 + 2e6)
    gpd.GeoDataFrame(geometry=[bounds], crs=CRS).to_file(folder / "cover.gpkg", driver="GPKG")
    entries = []
    for kind, rows in features.items():
        if rows is None:
            entries.append({"kind": kind, "present": "missing", "source": {"publisher": "某局", "title": kind}})
            continue
        names = [c.name for c in KINDS[kind].columns]
        names += sorted({name for row in rows for name in row} - {*names, "geometry"})  # a name or number, if asked for
        frame = gpd.GeoDataFrame([{name: row.get(name) for name in names} for row in rows], columns=names)
        frame = gpd.GeoDataFrame(frame, geometry=[row["geometry"] for row in rows], crs=CRS)
        frame.to_file(folder / f"{kind}.gpkg", layer=kind, driver="GPKG")
        entries.append({
            "kind": kind, "path": f"{kind}.gpkg", "status": "official", "coverage": "cover.gpkg", "accuracy_m": 0,
            "source": dict(SOURCE),
        })  # fmt: skip
    content = {"name": "cases", "title": "案例", "crs": CRS, "packs": [], "layers": entries}
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return es.open_plan(folder)


def run(pack, cases):
    """Put cases to the rules of a pack; give what was found for each: verdict and whether it was touched."""
    found = [None] * len(cases)
    for (_, key), numbers in grouped(cases).items():
        ids = {cases[n].line.rule.id for n in numbers}
        rules = [line.rule for line in pack.lines if line.rule.id in ids]
        if key.as_read:
            own = {cases[n].line.row for n in numbers}
            rules = [known_text(ln) if ln.row in own else ln.rule for ln in pack.lines if ln.rule.id in ids]
        answers = ask(pack, key, [cases[n] for n in numbers], rules)
        for place, number in enumerate(numbers):
            found[number] = answers.get((place, cases[number].line.rule.id))
    return found


class Key(NamedTuple):
    """What cases have to share to be checked together."""

    day: dt.date
    missing: bool
    as_read: bool


def grouped(cases):
    """The numbers of the cases that can be checked together, a few lines at a time: each is put to every rule."""
    groups = {}
    for number, case in enumerate(cases):
        key = Key(case.day, case.missing, case.as_read)
        groups.setdefault((case.line.row // TOGETHER, key), []).append(number)
    return groups


def ask(pack, key, cases, rules):
    """Check the sites of the cases; give verdict and whether it was touched by (number of the case, id of the rule)."""
    plan = pack.plan(rules, missing=key.missing, settled=key.as_read)
    columns = {name: [case.project.get(name) for case in cases] for name in ("activity", "works", "land_use", *FACTS)}
    names = [str(n) for n in range(len(cases))]
    frame = gpd.GeoDataFrame({"site_id": names, **columns}, geometry=[case.geometry for case in cases], crs=CRS)
    table = es.check(frame, plan, on=key.day).frame
    rows = zip(table["site_id"], table["rule_id"], table["verdict"], table["touched"], strict=True)
    return {
        (int(site), rule): (verdict, None if pd.isna(touched) else touched) for site, rule, verdict, touched in rows
    }


def unnoticed(pack, variants):
    """Of the variants of rules (by the row of their line) give those for which no case comes out otherwise than stated.

    Variants of one line are checked together, each under an id of its own. Two versions of a rule that stand on one day
    are noticed by the reader of packs.
    """
    lines = {line.row: line for line in pack.lines}
    alive = {}
    for row, found in variants.items():
        others = [rule for rule in pack.rules if rule.id == lines[row].rule.id and rule is not lines[row].rule]
        alive[row] = {n: rule for n, rule in enumerate(found) if not clashes([rule, *others], "")}
    rest = []
    for row, line in lines.items():
        # What is said of a place and of a project first: most is noticed by it.
        plain = {Key(line.day, False, not line.settled), Key(line.day, False, False)}
        for key in sorted(plain, key=lambda key: not key.as_read):
            _drop(pack, key, {row: line}, alive)
        rest += [case for case in line.cases if Key(case.day, case.missing, case.as_read) not in plain]
    for few, key in grouped(rest):
        _drop(pack, key, {row: line for row, line in lines.items() if row // TOGETHER == few}, alive)
    return {row: [variants[row][n] for n in found] for row, found in alive.items() if found}


def _drop(pack, key, lines, alive):
    """Leave out the variants of which a case of this key comes out otherwise than stated."""
    cases, rules = [], []
    for row, line in lines.items():
        if not alive.get(row):
            continue
        mine = [case for case in line.cases if Key(case.day, case.missing, case.as_read) == key]
        cases += mine
        others = [other.rule for other in pack.lines if other.rule.id == line.rule.id and other is not line]
        for number, variant in alive[row].items() if mine else ():
            text = known_text(line, variant) if key.as_read else variant
            rules += [dataclasses.replace(rule, id=f"{row}~{number}") for rule in (text, *others)]
    if not cases:
        return
    answers = ask(pack, key, cases, rules)
    for place, case in enumerate(cases):
        for number in list(alive[case.line.row]):
            if differs(case, answers.get((place, f"{case.line.row}~{number}"))):
                del alive[case.line.row][number]


def known_text(line, rule=None):
    """The rule as if its text had been read; one that was read stays as it is."""
    rule = rule or line.rule
    if line.read:
        return rule
    return dataclasses.replace(rule, cite=dataclasses.replace(rule.cite, verified=TODAY))


def differs(case, got):
    return got is None or got[0] != case.verdict or (case.touched is not None and got[1] != case.touched)


def wrong(cases, found):
    """The cases that came out otherwise than stated."""
    return [(case, got) for case, got in zip(cases, found, strict=True) if differs(case, got)]
