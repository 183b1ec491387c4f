"""Names of rivers, plants and protected things: when one means another, and when nobody can tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecospatial.model.names import OTHER_NAMES, fold_name, match_names, nearest_names

# Names that share no letter with one another, with 段 or with anything that is added to them below.
RIVERS = ("望虞河", "太浦塘", "采菱港", "新孟渎", "夹漕")
ADDED_IN_FRONT = ("常州", "武进区", "老", "新")
ADDED_BEHIND = ("支河", "延伸线", "常州段", "一期", "北岸")
rivers = st.sampled_from(RIVERS)


def answer(value: str | None, *wanted: str, confirmed: tuple[str, ...] = ()) -> str:
    means, may = match_names([value], wanted, confirmed=frozenset(confirmed))
    assert may[0] or not means[0]
    return "means" if means[0] else "may" if may[0] else "other"


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("京杭运河", "京杭运河", "means"),
        ("京杭运河（常州段）", "京杭运河", "means"),
        ("京杭运河【常州段】", "京杭运河", "means"),
        ("京杭运河〔常州(市区)段〕", "京杭运河", "means"),
        ("（京杭运河）", "京杭运河", "means"),
        ("京杭运河段", "京杭运河", "means"),
        ("京杭运河河段", "京杭运河", "means"),
        ("长江段", "长江", "means"),
        ("长江江段", "长江", "means"),
        ("望虞河段", "望虞河", "means"),
        ("京杭运河常州段", "京杭运河", "may"),
        ("常州京杭运河", "京杭运河", "may"),
        ("京杭运河支河", "京杭运河", "may"),
        ("京杭运河（常州段", "京杭运河", "may"),
        ("市河（京杭运河）", "京杭运河", "may"),
        ("孟河", "新孟河", "may"),
        ("新孟河", "孟河", "may"),
        ("京杭大运河", "京杭运河", "may"),
        ("京杭大运河常州段", "京杭运河", "may"),
        ("苏南运河", "京杭运河", "may"),
        ("苏南运河常州段", "京杭运河", "may"),
        ("大运河", "京杭运河", "may"),
        ("京杭运河", "苏南运河", "may"),
        ("扬子江", "长江", "may"),
        ("老运河", "京杭运河", "other"),
        ("北江段", "北河段", "other"),
        ("无名", "京杭运河", "other"),
        ("无名（京杭运河支流）", "京杭运河", "other"),
        ("采菱港", "京杭运河", "other"),
        ("", "京杭运河", "may"),
        ("（）", "京杭运河", "may"),
        (None, "京杭运河", "may"),
    ],
)
def test_name(value: str | None, wanted: str, expected: str) -> None:
    assert answer(value, wanted) == expected


def test_any_of_several_wanted_names_counts() -> None:
    means, may = match_names(["太浦河", "新太浦河", "长江", "采菱港"], ("望虞河", "太浦河"))
    assert means.tolist() == [True, False, False, False]
    assert may.tolist() == [True, True, False, False]


def test_nothing_wanted_is_meant_by_nothing() -> None:
    means, may = match_names(["太浦河", ""], ())
    assert not means.any()
    assert not may.any()


def test_confirmed_name_means_only_itself() -> None:
    assert answer("京杭运河常州段", "京杭运河", confirmed=("京杭运河常州段",)) == "other"
    assert answer("京杭运河（常州段）", "京杭运河", confirmed=("京杭运河（常州段）",)) == "other"
    assert answer("苏南运河", "京杭运河", confirmed=("苏南运河",)) == "other"
    assert answer("孟河", "孟河", confirmed=("孟河",)) == "means"
    assert answer("京杭运河支河", "京杭运河", confirmed=("京杭运河常州段",)) == "may"


@given(rivers, st.sampled_from(["（{}）", "({})", "【{}】", "[{}]", "〔{}〕", "（{}"]), st.sampled_from(ADDED_BEHIND))
def test_bracketed_addition_is_never_another_river(river: str, bracket: str, addition: str) -> None:
    expected = "means" if bracket[-1] != "}" else "may"
    assert answer(river + bracket.format(addition), river) == expected


@given(rivers, st.sampled_from(["段", "河段", "江段"]), st.sampled_from(["", " ", "\u3000", "\u200b"]))
def test_section_behind_is_the_river(river: str, ending: str, blank: str) -> None:
    assert answer(f"{blank}{river}{blank}{ending}", river) == "means"


@given(rivers, st.sampled_from(("", *ADDED_IN_FRONT)), st.sampled_from(("", *ADDED_BEHIND)))
def test_name_with_something_added_is_never_another_river(river: str, front: str, behind: str) -> None:
    expected = "may" if front or behind else "means"
    assert answer(front + river + behind, river) == expected
    assert answer(river, front + river + behind) == expected


@given(rivers, rivers, st.sampled_from(("", *ADDED_BEHIND)))
def test_name_that_shares_nothing_is_another_river(one: str, other: str, behind: str) -> None:
    if one != other:
        assert answer(one + behind, other) == "other"


@given(st.sampled_from([name for group in OTHER_NAMES for name in group]), st.data())
def test_other_names_of_one_water_never_read_as_another_water(name: str, data: st.DataObject) -> None:
    group = next(group for group in OTHER_NAMES if name in group)
    assert answer(name, data.draw(st.sampled_from(group))) != "other"
    elsewhere = next(group for group in OTHER_NAMES if name not in group)
    assert answer(name, data.draw(st.sampled_from(elsewhere))) == "other"


@given(st.text(max_size=12), st.text(max_size=12))
def test_comparison_knows_no_direction_and_takes_any_text(one: str, other: str) -> None:
    if fold_name(one) and fold_name(other):
        assert answer(one, other) == answer(other, one)
        assert answer(one, one) == "means"


def test_nearest_names_give_those_that_contain_first() -> None:
    known = ["采菱港", "大运河支河", "京杭运河常州段", "老运河", "京杭运河常州段"]
    assert nearest_names("京杭运河", known) == ["京杭运河常州段", "老运河", "大运河支河"]
    assert nearest_names("京杭运河", known, n=1) == ["京杭运河常州段"]
    assert nearest_names("京杭运河", []) == []
    assert nearest_names("京杭运河", ["采菱港"]) == []
