"""Which words has one name that the other has not?

Two titles that are nine tenths alike are the same with a letter wrong, or differ in the one word that matters.  So
words that both have are taken away, and what is left is looked at: words of the other's artist (a guest who was moved),
years and spellings of "remastered" say nothing; words alike are misspelt; any other word is another title.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

LEFT: Final = (
    "the same",
    "misspelt",
    "misspelt much",
    "others",
    "theirs has one more",
    "theirs has more",
    "ours has one more",
    "ours has more",
    "a version among them",
)
"""What words that are left may mean, by level."""
_MISSPELT: Final = 78.0
_MUCH: Final = 60.0
_YEAR: Final = re.compile(r"(?:19[5-9]|20[0-4])\d$")
_NEUTRAL: Final = frozenset(
    (
        "version",
        "digital",
        "album",
        "original",
        "explicit",
        "the",
        "and",
        "feat",
        "ft",
        "featuring",
        "with",
        "from",
        "a",
    )
)
_VERSIONS: Final = frozenset(
    (
        "live", "remix", "mix", "edit", "acoustic", "demo", "karaoke", "instrumental", "extended", "cover", "tribute",
        "dub", "radio", "club", "reprise", "session", "sessions", "unplugged", "remixed", "rmx", "intro", "outro",
        "interlude", "skit", "japanese", "spanish", "english", "chinese", "korean",
    )
)  # fmt: skip
_REMASTERED: Final = "remastered"
_REMASTERED_ALIKE: Final = 75.0
_REMASTERED_FROM: Final = 6


def left(a: Iterable[str], b: Iterable[str], beside_a: Iterable[str], beside_b: Iterable[str]) -> NDArray[np.uint8]:
    """Say what is left of two names when the words that both have are gone.

    Parameters
    ----------
    a, b
        Each name of theirs, and the name of ours beside it: words divided by single spaces.
    beside_a, beside_b
        What stands beside them (of an artist, where the names are titles); what only moved there is not left.

    Returns
    -------
    np.ndarray [shape=(n,), uint8], positions in ``LEFT``

    Examples
    --------
    >>> theirs = ["liberian girl", "darwiniana", "waiting in vain", "dog days", "arabica instrumental"]
    >>> ours = ["my girl", "darwinana", "waiting", "dog days", "arabica"]
    >>> [LEFT[level] for level in left(theirs, ours, [""] * 5, [""] * 5)]
    ['others', 'misspelt', 'theirs has more', 'the same', 'a version among them']
    """
    return np.fromiter((_level(*four) for four in zip(a, b, beside_a, beside_b, strict=True)), np.uint8)


def _level(a: str, b: str, beside_a: str, beside_b: str) -> int:
    words_a, words_b = set(a.split()), set(b.split())
    if words_a == words_b:
        return 0
    more = _told(words_a.difference(words_b, beside_b.split()))
    less = _told(words_b.difference(words_a, beside_a.split()))
    if not more and not less:
        return 0
    if more and less:
        return _misspelt(more, less)
    if not _VERSIONS.isdisjoint(more or less):
        return 8
    return (4 if more else 6) + (len(more or less) > 1)


def _misspelt(more: list[str], less: list[str]) -> int:
    alike = fuzz.ratio("".join(more), "".join(less))
    if alike >= _MISSPELT:
        return 1
    if not _VERSIONS.isdisjoint(more) or not _VERSIONS.isdisjoint(less):
        return 8
    return 2 if alike >= _MUCH else 3


def _told(words: set[str]) -> list[str]:
    return sorted(word for word in words - _NEUTRAL if not _says_nothing(word)) if words else []


@lru_cache(1 << 16)
def _says_nothing(word: str) -> bool:
    if _YEAR.match(word):
        return True
    return len(word) >= _REMASTERED_FROM and fuzz.ratio(word, _REMASTERED) >= _REMASTERED_ALIKE
