"""Names as data owners write them: when one means another, when it only may, and which lie nearest."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

# Columns that hold names, which are compared by meaning; all other text is compared letter by letter.
NAME_COLUMNS = ("river", "source_name", "plant", "protected")
# Names of one water that share no letters that would show it, or that other waters bear too: any may mean any other.
OTHER_NAMES = (("京杭运河", "京杭大运河", "苏南运河", "大运河"), ("长江", "扬子江"))
UNNAMED = "无名"

_BRACKETS = str.maketrans("[{【〔〖〈《「『]}】〕〗〉》」』", "(((((((((" + ")))))))))")
_ADDITION = re.compile(r"\([^()]*\)")
# Spaces of every kind, and the marks without width that copying from a page leaves behind.
_BLANK = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_COMPARED = 60  # letters of a name that the search for the nearest looks at


def match_names(
    values: Sequence[str | None], wanted: Sequence[str], *, confirmed: frozenset[str] = frozenset()
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which names mean one of those wanted, and which may mean one.

    Full-width forms, spaces, kinds of brackets, a bracketed addition, and 段, 河段 or 江段 at the end make no
    difference. A name that contains the other, or is another name of the same water, may mean it.

    Parameters
    ----------
    values
        Names as they stand in a layer, best each once. An empty one may mean any.
    wanted
        Names of a rule.
    confirmed
        Names of the layer of which its owner said that each means only itself.

    Returns
    -------
    tuple of two arrays of bool
        Whether each value means one of the wanted names; whether it means or may mean one.

    Examples
    --------
    >>> means, may = match_names(["京杭运河（常州段）", "京杭运河常州段", "采菱港"], ["京杭运河"])
    >>> means.tolist(), may.tolist()
    ([True, False, False], [True, True, False])
    """
    forms = [_forms(name) for name in wanted]
    plain_confirmed = {fold_forms(name) for name in confirmed}
    means = np.zeros(len(values), dtype=bool)
    may = np.zeros(len(values), dtype=bool)
    for number, value in enumerate(values):
        whole = fold_forms(value) if isinstance(value, str) else ""
        if not whole.strip("()"):
            may[number] = bool(forms)
        elif whole in plain_confirmed:
            means[number] = may[number] = any(whole == form.whole for form in forms)
        else:
            own = _forms(str(value))
            means[number] = any(own.equals(form) for form in forms)
            may[number] = means[number] or any(own.may_mean(form) for form in forms)
    return means, may


def fold_forms(text: str) -> str:
    """Return a name with its forms of letters, spaces and kinds of brackets made the same.

    Examples
    --------
    >>> fold_forms(" 京杭 运河【常州段】")
    '京杭运河(常州段)'
    """
    return _BLANK.sub("", unicodedata.normalize("NFKC", text)).translate(_BRACKETS).casefold()


def fold_name(text: str) -> str:
    """Return a name as it is compared: its forms made the same and bracketed additions dropped.

    A name that stands wholly in brackets is kept without them.

    Examples
    --------
    >>> fold_name("京杭运河（常州段）"), fold_name("(京杭运河)")
    ('京杭运河', '京杭运河')
    """
    whole = fold_forms(text)
    rest, dropped = whole, 1
    while dropped:
        rest, dropped = _ADDITION.subn("", rest)
    # A bracket without its partner is what is left of a name that was cut off: nothing is known to be an addition.
    return rest.strip("()") or whole.replace("(", "").replace(")", "")


def nearest_names(text: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Return the names most like a text, the most alike first; none that shares nothing with it.

    Names that contain the text, or stand in it, go first.

    Examples
    --------
    >>> nearest_names("京杭运河", ["采菱港", "京杭运河常州段", "老运河", "大运河支河"])
    ['京杭运河常州段', '老运河', '大运河支河']
    """
    wanted = fold_name(text)[:_COMPARED]
    ranked = []
    for name in dict.fromkeys(known):
        folded = fold_name(name)[:_COMPARED]
        if not wanted or not folded:
            continue
        likeness = SequenceMatcher(None, wanted, folded).ratio()
        if likeness > 0:
            ranked.append((not (wanted in folded or folded in wanted), -likeness, name))
    return [name for _, _, name in sorted(ranked)[:n]]


class _Forms:
    """One name in the forms that are compared."""

    __slots__ = ("others", "plain", "short", "whole")

    def __init__(self, text: str) -> None:
        self.whole = fold_forms(text)
        # A name of nothing but 段 is left as it is.
        self.plain = fold_name(text).removesuffix("段") or fold_name(text)
        # 京杭运河河段: 段 taken off leaves 京杭运河河. Of 长江段 it leaves the name, and this form is a bare 长.
        self.short = self.plain[:-1] if fold_name(text).endswith(("河段", "江段")) else ""
        self.others = tuple(name for group in OTHER_NAMES if self.plain in group for name in group)

    def equals(self, other: _Forms) -> bool:
        """Tell whether both are the same name."""
        if not self.plain or not other.plain:
            return False
        return self.plain == other.plain or self.short == other.plain or self.plain == other.short

    def may_mean(self, other: _Forms) -> bool:
        """Tell whether one may mean the other without being equal."""
        if UNNAMED in (self.plain, other.plain):
            return False
        mine, theirs = (self.whole, self.plain, *self.others), (other.whole, other.plain, *other.others)
        return any(a in b or b in a for a in mine for b in theirs if a and b)


# The names of one layer are compared with those of every rule.
@lru_cache(maxsize=8192)
def _forms(text: str) -> _Forms:
    return _Forms(text)
