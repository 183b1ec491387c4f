"""Reads a page as a browser's parser would, without running it."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Outline(HTMLParser):
    """Collects the elements, the attributes that reach outside, and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.reaching: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "data", "action"} and not (value or "").startswith("#"):
                self.reaching.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}={value}")

    def handle_data(self, data):
        self.text += data


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    found.text = re.sub(r"\s+", " ", found.text)
    return found
