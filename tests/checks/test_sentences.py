"""Sentences are forms with numbers: what they come to is what formatting each of them would give."""

from __future__ import annotations

import numpy as np
import pytest

from ecospatial.checks._columns import CategoryColumn, findings_frame
from ecospatial.checks._reasons import ALONG, MARGIN, MU, SIZE, ReasonTexts, concat, form

WORDS = [
    form("位于河内。"),
    form("距", "甲 ", SIZE, " m。"),
    form("占用 ", SIZE, " m²（", MU, " 亩）；边界 ", MARGIN, " m。"),
    form("上游 ", ALONG, " m"),
]


def drawn(count):
    """Sentences of all forms, and what a loop would write."""
    dice = np.random.default_rng(5)
    of = dice.integers(0, len(WORDS), count)
    values = {
        SIZE: dice.choice([0.0, 0.04, 0.05, 0.25, 0.35, 0.45, 12.35, 999.949999, 1e9 + 0.25], count),
        MU: dice.choice([0.0005, 0.0015, 1.0, 1499.9995, 2.6785], count),
        ALONG: dice.uniform(0, 5000, count),
        MARGIN: dice.choice([0.15, 7.0, 61.25], count),
    }
    written = []
    for row, number in enumerate(of):
        shown = [part if isinstance(part, str) else f"{values[part][row]:.{part.digits}f}" for part in WORDS[number]]
        written.append("".join(shown))
    return ReasonTexts.of(WORDS, of, values), written


def test_numbers_are_rounded_as_text_would_be():
    sentences, written = drawn(4000)
    assert sentences.texts().tolist() == written


def test_each_sentence_is_written_once():
    sentences, written = drawn(4000)
    code, said = sentences.distinct()
    texts = said.texts()
    assert len(texts) == len(set(written)) == len(set(texts))
    assert texts[code].tolist() == written


def test_numbers_too_large_for_one_key_are_told_apart():
    one = form(SIZE, " ", MU, " ", MARGIN)
    large = np.array([0, 1, 1, 0, 1]) + 9e9
    sentences = ReasonTexts.of([one], np.zeros(5, dtype=np.intp), {SIZE: large, MU: large[::-1], MARGIN: large})
    code, said = sentences.distinct()
    assert said.texts()[code].tolist() == sentences.texts().tolist()
    assert len(said) == len(set(sentences.texts())) == 3


def test_a_text_behind_some_of_them():
    sentences, written = drawn(50)
    some = np.arange(0, 50, 3)
    ended = sentences.ended(some, some % 2, ["甲让位。", "乙优先。"])
    expected = [written[row] + ["甲让位。", "乙优先。"][row % 2] for row in some]
    assert ended.texts().tolist() == expected
    joined = concat([sentences, ended, ReasonTexts.plain([])])
    assert joined.texts().tolist() == written + expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_forms_that_come_to_the_same_words_are_one_text(jobs):
    same = concat(
        [
            ReasonTexts.plain(["距甲 5.0 m"]),
            ReasonTexts.of([form("距甲 ", SIZE, " m")], np.zeros(1, int), {SIZE: np.array([5.0])}),
        ]
    )
    part = {
        "verdict": np.array([1, 1, 2], dtype=np.int8),
        **{name: np.array([-1, 0, 1], dtype=np.int8) for name in ("certainty", "touched", "open_by")},
        "reason": CategoryColumn(same, np.array([1, 0, -1])),
        "geometry": np.full(3, None, dtype=object),
    }
    frame = findings_frame([part], "EPSG:4549", jobs=jobs)
    assert frame["reason"].cat.categories.tolist() == ["距甲 5.0 m"]
    assert frame["reason"].astype(object).where(frame["reason"].notna(), None).tolist() == ["距甲 5.0 m"] * 2 + [None]
