"""Read the layers of a map page again, as the page describes them: whole numbers, five bits to a character."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import shapely

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass
class Feature:
    """One feature: its parts as (kind, lines of (lon, lat, zoom from which it is needed)), and what is told of it."""

    parts: list[tuple[int, list[list[tuple[float, float, int]]]]]
    title: str
    cells: list[str]
    which: int

    def at(self, zoom: int) -> Any:
        """Give the shape as it is drawn at a zoom; what is smaller than a pixel is a line or a point."""
        shapes: list[Any] = []
        for kind, lines in self.parts:
            if kind == 0:
                shapes.append(shapely.Point(lines[0][0][:2]))
                continue
            kept = [[(x, y) for x, y, level in line if level <= zoom] for line in lines]
            if kind == 2 and len(kept[0]) > 2:
                shapes.append(shapely.Polygon(kept[0], [ring for ring in kept[1:] if len(ring) > 2]))
            else:
                shapes += [shapely.LineString(line) if len(line) > 1 else shapely.Point(line[0]) for line in kept]
        return shapes[0] if len(shapes) == 1 else shapely.GeometryCollection(shapes)

    @property
    def shape(self) -> Any:
        """The shape at its finest."""
        return self.at(99)


def numbers(text: str) -> list[int]:
    found, value, shift = [], 0, 0
    for letter in text:
        digit = ALPHABET.index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            found.append(value)
            value = shift = 0
    assert shift == 0
    return found


def signed(value: int) -> int:
    return -(value + 1) // 2 if value % 2 else value // 2


def column(values: Any, count: int) -> list[Any]:
    if isinstance(values, dict):
        return [values["u"][i] for i in values["i"]]
    return values if isinstance(values, list) else [values] * count


def features(data: dict[str, Any]) -> list[Feature]:
    shapes = data["shapes"]
    count, scale = shapes["n"], 10 ** shapes["e"]
    head, body = numbers(shapes["p"]), numbers(shapes["c"])
    parts: list[list[Any]] = [[] for _ in range(count)]
    at = x = y = step = 0
    for i in range(0, len(head), 3):
        at += head[i]
        line = []
        for _ in range(head[i + 2]):
            x, y = x + signed(body[step]), y + signed(body[step + 1])
            line.append((x / scale, y / scale, shapes["z"] - body[step + 2]))
            step += 3
        if head[i + 1] % 2:
            parts[at].append((head[i + 1] // 2, [line]))
        else:
            parts[at][-1][1].append(line)
    assert step == len(body)
    titles, which = column(data["titles"], count), column(data["which"], count)
    values = [column(cells, count) for cells in data["values"]]
    return [
        Feature(parts[i], titles[i], [cells[i] for cells in values], which[i]) for i in range(count)
    ]  # fmt: skip


def layers_of(text: str) -> dict[str, dict[str, Any]]:
    """Give the layers of a page by their keys; ``features`` as they are read again."""
    found = {}
    for line in re.findall(r"ecospatial\.layer\(map_ecospatial, (.*?)\);\n", text + "\n", re.DOTALL):
        data = json.loads(line)
        found[data["key"]] = data | {"features": features(data)}
    return found


def call(text: str, step: str) -> Any:
    """Give what a step of the page, ``start`` or ``finish``, is told."""
    found = re.search(rf"ecospatial\.{step}\(map_ecospatial, (.*?)\);\n", text + "\n", re.DOTALL)
    assert found
    return json.loads(found.group(1))


def findings_of(data: dict[str, Any], i: int) -> list[dict[str, Any]]:
    """Give the findings that the popup of a site tells."""
    told = data["told"]
    return [
        {"verdict": v, "rule": told["rules"][rule], "certainty": certainty, "reason": reason, "open_by": open_by}
        for v, rule, certainty, reason, open_by in (told["rows"][row] for row in told["lists"][told["of"][i]])
    ]
