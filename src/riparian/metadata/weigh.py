"""How many bits does each likeness carry?

A weighing is a sum: bits to begin with, and for each of a few *terms* the bits that a table has for the levels found.
A term is one feature or two or three that only mean something together: how alike titles are matters less where their
words are common.  Since it is a sum, every verdict is explained by its rows, and the rows add up.

The tables are learned from pairs whose truth is known: round by round each term takes a step of Newton's method towards
what the others leave unexplained, a small one, so that no term takes what belongs to all.  Cells that few pairs fell
into stay near nought.

Rules
-----
A few reasons stop a pair: versions or numbers differ, a letter of a title of four letters does, durations are ten
seconds apart.  Such a pair has no more bits than the rule lets it have, whatever was learned, and no smaller stated
error, unless the ISRC is the same.

Source
------
Lou, Y., Caruana, R. and Gehrke, J. (2012), *Intelligible models for classification and regression* (tables boosted in
turn); Friedman, J. (2001), *Greedy function approximation*, for the small steps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from riparian.metadata import compare as c
from riparian.metadata.words import LEFT

Terms = tuple[tuple[int, ...], ...]
RECORDING: Final[Terms] = (
    (c.TITLE,),
    (c.ARTIST,),
    (c.WORDS,),
    (c.DURATION,),
    (c.ISRC,),
    (c.VERSION,),
    (c.CUT,),
    (c.NUMBERS,),
    (c.SWAPPED,),
    (c.TITLE_WORDS, c.ARTIST_WORDS),
    (c.TITLE_WORDS, c.LENGTH),
    (c.TITLE_WORDS, c.DURATION),
    (c.ARTIST_WORDS, c.MAIN),
    (c.ARTIST_WORDS, c.DURATION),
    (c.ARTIST_WORDS, c.TITLE_BITS),
    (c.SOUND, c.DURATION),
    (c.SOUND, c.TITLE),
    (c.TITLE, c.ARTIST, c.DURATION),
    (c.LETTERS, c.LENGTH),
    (c.LETTERS, c.TITLE_BITS),
    (c.TITLE, c.TITLE_BITS),
    (c.ARTIST, c.ARTIST_BITS),
    (c.WORDS, c.COMMON),
    (c.MAIN, c.ARTIST),
    (c.VERSION, c.DURATION),
    (c.NUMBERS, c.TITLE),
    (c.ISRC, c.TITLE),
    (c.SHARED,),
    (c.GUESTS, c.ARTIST),
    (c.SWAPPED, c.WORDS),
    (c.CUT, c.ARTIST),
    (c.ALBUM,),
    (c.DURATION, c.TITLE_BITS),
)
WORK: Final[Terms] = (
    (c.TITLE,),
    (c.ARTIST,),
    (c.WORDS,),
    (c.ISRC,),
    (c.CUT,),
    (c.NUMBERS,),
    (c.TITLE_WORDS, c.ARTIST_WORDS),
    (c.TITLE_WORDS, c.LENGTH),
    (c.ARTIST_WORDS, c.MAIN),
    (c.ARTIST_WORDS, c.TITLE_BITS),
    (c.SOUND, c.TITLE),
    (c.TITLE, c.ARTIST),
    (c.LETTERS, c.LENGTH),
    (c.LETTERS, c.TITLE_BITS),
    (c.TITLE, c.TITLE_BITS),
    (c.ARTIST, c.ARTIST_BITS),
    (c.WORDS, c.COMMON),
    (c.MAIN, c.ARTIST),
    (c.NUMBERS, c.TITLE),
    (c.ISRC, c.TITLE),
    (c.SHARED,),
    (c.GUESTS, c.ARTIST),
    (c.SWAPPED, c.WORDS),
    (c.CUT, c.ARTIST),
)
ARTIST: Final[Terms] = (
    (c.MAIN, c.ARTIST),
    (c.ARTIST, c.ARTIST_BITS),
    (c.MAIN, c.ARTIST_BITS),
    (c.ARTIST_WORDS, c.MAIN),
    (c.ARTIST_WORDS, c.ARTIST_BITS),
    (c.WORDS, c.COMMON),
    (c.TITLE, c.TITLE_BITS),
    (c.SWAPPED, c.WORDS),
    (c.GUESTS, c.ARTIST),
)
DENIED: Final = (-8.0, 0.6)
DOUBTED: Final = (0.0, 0.02)
NOT_SURE: Final = (math.inf, 0.02)
"""What a rule does: the bits of a pair at most, and its stated error at least."""
ROUNDS: Final = 40
STEP: Final = 0.25
HELD_BACK: Final = 2.0
"""Added to each cell's curvature: a cell that few pairs fell into stays near nought."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason for which two rows are not surely the same, whatever speaks for it.

    Parameters
    ----------
    says
        What the reason is.
    at_most
        Bits that such a pair has at most.
    least
        No smaller error is stated of it.
    stops
        Says of which pairs it holds, by their levels.
    """

    says: str
    at_most: float
    least: float
    stops: Callable[[c.Codes], NDArray[np.bool_]]


def _versions_differ(codes: c.Codes) -> NDArray[np.bool_]:
    named = np.isin(codes[:, c.VERSION], (2, 4, 5, 6)) | (codes[:, c.TITLE_WORDS] == LEFT.index("a version among them"))
    return np.asarray(named & (codes[:, c.ISRC] != 1) & (codes[:, c.CUT] != 1), bool)


def _edited(codes: c.Codes) -> NDArray[np.bool_]:
    return np.asarray((codes[:, c.VERSION] == _EDIT) & (codes[:, c.ISRC] != 1), bool)


def _numbers_differ(codes: c.Codes) -> NDArray[np.bool_]:
    lost = (codes[:, c.NUMBERS] == 2) & (codes[:, c.CUT] == 1)
    return np.asarray((codes[:, c.NUMBERS] >= 2) & (codes[:, c.ISRC] != 1) & ~lost, bool)


def _short_and_misspelt(codes: c.Codes) -> NDArray[np.bool_]:
    short = (codes[:, c.LETTERS] > 0) & (codes[:, c.LENGTH] <= 1)
    return np.asarray(short & ~_lasts_exactly(codes) & (codes[:, c.ISRC] != 1), bool)


def _more_artists(codes: c.Codes) -> NDArray[np.bool_]:
    other = codes[:, c.MAIN] < len(c.FEATURES[c.MAIN].levels) - 1
    words = codes[:, c.ARTIST_WORDS]
    more = words == LEFT.index("theirs has one more")
    return np.asarray(
        (more & other | (words == LEFT.index("theirs has more"))) & ~_lasts_exactly(codes) & (codes[:, c.ISRC] != 1),
        bool,
    )


def _other_words(codes: c.Codes) -> NDArray[np.bool_]:
    words = codes[:, c.TITLE_WORDS]
    more = (words >= LEFT.index("misspelt much")) & (words <= LEFT.index("ours has more"))
    more |= codes[:, c.ARTIST_WORDS] == LEFT.index("others")
    return np.asarray(more & ~_lasts_exactly(codes) & (codes[:, c.ISRC] != 1), bool)


def _lasts_otherwise(codes: c.Codes) -> NDArray[np.bool_]:
    return np.asarray((codes[:, c.DURATION] >= _TEN_SECONDS) & (codes[:, c.ISRC] != 1), bool)


def _lasts_exactly(codes: c.Codes) -> NDArray[np.bool_]:
    return np.isin(codes[:, c.DURATION], (1, 2))


_EDIT: Final = c.FEATURES[c.VERSION].levels.index("only ours, an edit")
_TEN_SECONDS: Final = c.FEATURES[c.DURATION].levels.index("seconds apart from 10")
NUMBERS_DIFFER: Final = Rule("numbers differ", *DENIED, _numbers_differ)
SHORT: Final = Rule("a letter of a short title differs", *DOUBTED, _short_and_misspelt)
RULES: Final = (
    (
        Rule("versions differ", *DENIED, _versions_differ),
        Rule("ours is an edit", *NOT_SURE, _edited),
        NUMBERS_DIFFER,
        SHORT,
        Rule("theirs names more artists", *DOUBTED, _more_artists),
        Rule("a word is in one only", *NOT_SURE, _other_words),
        Rule("ten seconds apart", *DOUBTED, _lasts_otherwise),
    ),
    (NUMBERS_DIFFER, SHORT),
    (),
)
"""Rules for the recording, for the work, for the artist."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighing:
    """Bits to begin with, and a table of bits a term.

    Parameters
    ----------
    terms
        Which features each term is of.
    rules
        What is never more than so many bits.
    base
        Bits before anything is compared.
    tables : np.ndarray [shape=(cells of all terms,), float32]
        Bits.
    starts : np.ndarray [shape=(terms + 1,), int64]
        Where each term's table begins.
    """

    terms: Terms
    rules: tuple[Rule, ...]
    base: float
    tables: NDArray[np.float32]
    starts: NDArray[np.int64]

    def bits(self, codes: c.Codes) -> NDArray[np.float32]:
        """Weigh pairs.

        Parameters
        ----------
        codes : np.ndarray [shape=(n, features), uint8]
            Of :func:`riparian.metadata.compare.compare`.

        Returns
        -------
        np.ndarray [shape=(n,), float32]
            Bits for the two being the same; 0 is as likely as not.
        """
        first, second, third, strides = _laid_out(self.terms)
        summed = _summed(codes, first, second, third, strides, self.starts, self.tables, np.float32(self.base))
        bits = np.asarray(summed, np.float32)
        for rule in self.rules:
            bits = np.where(rule.stops(codes), np.minimum(bits, np.float32(rule.at_most)), bits)
        return bits

    def stopped(self, codes: c.Codes) -> NDArray[np.float32]:
        """Give the least error that rules let be stated of each pair; 0 where no rule stops it.

        Parameters
        ----------
        codes : np.ndarray [shape=(n, features), uint8]
        """
        found = np.zeros(codes.shape[0], np.float32)
        for rule in self.rules:
            found = np.maximum(found, np.where(rule.stops(codes), np.float32(rule.least), np.float32(0)))
        return found

    def waterfall(self, codes: c.Codes) -> list[tuple[str, float]]:
        """List what the bits of one pair are made of; the rows add up to them.

        Parameters
        ----------
        codes : np.ndarray [shape=(features,), uint8]
        """
        cells = _cells(codes[None, :], self.terms, self.starts)[0]
        rows = [("before anything is compared", float(self.base))]
        for term, cell in zip(self.terms, cells, strict=True):
            said = ", ".join(f"{c.FEATURES[f].name}: {c.FEATURES[f].levels[codes[f]]}" for f in term)
            rows.append((said, float(self.tables[cell])))
        for rule in self.rules:
            over = sum(bits for _, bits in rows) - rule.at_most
            if over > 0 and rule.stops(codes[None, :])[0]:
                rows.append((f"rule: {rule.says}", -over))
        return rows


def learn(codes: c.Codes, same: NDArray[np.bool_], terms: Terms, rules: tuple[Rule, ...] = ()) -> Weighing:
    """Learn a weighing from pairs whose truth is known.

    Parameters
    ----------
    codes : np.ndarray [shape=(n, features), uint8]
    same : np.ndarray [shape=(n,), bool]
        Whether each pair is of the same thing.
    terms
        Which tables to learn.
    rules
        What is kept low, whatever is learned.

    Returns
    -------
    Weighing

    Raises
    ------
    ValueError
        When there are no pairs, or all are alike in truth.
    """
    if not 0 < same.sum() < same.size:
        raise ValueError(f"{int(same.sum())} of {same.size} pairs are the same, wanted some and not all")
    starts = _starts(terms)
    cells = _cells(codes, terms, starts)
    share = float(same.mean())
    base = math.log(share / (1 - share))
    tables = _boosted(cells, same.astype(np.float32), base, starts, ROUNDS, STEP, HELD_BACK)
    return Weighing(terms, rules, base / math.log(2), (tables / math.log(2)).astype(np.float32), starts)


def _sizes(term: Sequence[int]) -> list[int]:
    return [len(c.FEATURES[feature].levels) for feature in term]


def _starts(terms: Terms) -> NDArray[np.int64]:
    return np.cumsum([0, *(math.prod(_sizes(term)) for term in terms)]).astype(np.int64)


def _laid_out(terms: Terms) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Features of each term (the first repeated with stride 0 where there are fewer than three) and strides."""
    columns = np.zeros((3, len(terms)), np.int64)
    strides = np.zeros((len(terms), 3), np.int64)
    for number, term in enumerate(terms):
        sizes = _sizes(term)
        for place, feature in enumerate(term):
            columns[place, number] = feature
            strides[number, place] = math.prod(sizes[place + 1 :])
    return columns[0], columns[1], columns[2], strides


def _cells(codes: c.Codes, terms: Terms, starts: NDArray[np.int64]) -> NDArray[np.int32]:
    first, second, third, strides = _laid_out(terms)
    level = [
        codes[:, column].astype(np.int32) * strides[:, place] for place, column in enumerate((first, second, third))
    ]
    return np.ascontiguousarray((level[0] + level[1] + level[2] + starts[:-1]).astype(np.int32))


@numba.njit(cache=True, nogil=True)
def _summed(  # type: ignore[no-untyped-def]
    codes, first, second, third, strides, starts, tables, base
):
    n, terms = codes.shape[0], first.size
    out = np.empty(n, np.float32)
    for i in range(n):
        total = base
        for t in range(terms):
            cell = (
                starts[t]
                + codes[i, first[t]] * strides[t, 0]
                + codes[i, second[t]] * strides[t, 1]
                + codes[i, third[t]] * strides[t, 2]
            )
            total += tables[cell]
        out[i] = total
    return out


@numba.njit(cache=True, nogil=True)
def _boosted(  # type: ignore[no-untyped-def]
    cells, same, base, starts, rounds, step, held_back
):
    n, terms = cells.shape
    tables = np.zeros(starts[-1], np.float64)
    odds = np.full(n, base, np.float64)
    pull = np.empty(n, np.float64)
    curve = np.empty(n, np.float64)
    up = np.zeros(starts[-1], np.float64)
    down = np.zeros(starts[-1], np.float64)
    for _ in range(rounds):
        for i in range(n):
            p = 1.0 / (1.0 + np.exp(-odds[i]))
            pull[i] = same[i] - p
            curve[i] = p * (1.0 - p)
        for t in range(terms):
            low, high = starts[t], starts[t + 1]
            up[low:high] = 0.0
            down[low:high] = held_back
            for i in range(n):
                up[cells[i, t]] += pull[i]
                down[cells[i, t]] += curve[i]
            for k in range(low, high):
                up[k] = step * min(4.0, max(-4.0, up[k] / down[k]))
                tables[k] += up[k]
            for i in range(n):
                moved = up[cells[i, t]]
                odds[i] += moved
                pull[i] -= curve[i] * moved
    return tables
