"""How many bits does each likeness carry?

A weighing is a sum: bits to begin with, and for each of a few *terms* the bits that a table has for the levels found.
A term is one feature or two or three that only mean something together: how alike titles are matters less where their
words are common.  Since it is a sum, every verdict is explained by its rows, and the rows add up.

The tables are learned from pairs whose truth is known: round by round each term takes a step of Newton's method towards
what the others leave unexplained, a small one, so that no term takes what belongs to all.  Cells that few pairs fell
into stay near nought.

Source
------
Lou, Y., Caruana, R. and Gehrke, J. (2012), *Intelligible models for classification and regression* (tables boosted in
turn); Friedman, J. (2001), *Greedy function approximation*, for the small steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from riparian.metadata import compare as c

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
ROUNDS: Final = 40
STEP: Final = 0.25
HELD_BACK: Final = 2.0
"""Added to each cell's curvature: a cell that few pairs fell into stays near nought."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighing:
    """Bits to begin with, and a table of bits a term.

    Parameters
    ----------
    terms
        Which features each term is of.
    base
        Bits before anything is compared.
    tables : np.ndarray [shape=(cells of all terms,), float32]
        Bits.
    starts : np.ndarray [shape=(terms + 1,), int64]
        Where each term's table begins.
    """

    terms: Terms
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
        return np.asarray(summed, np.float32)

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
        return rows


def learn(codes: c.Codes, same: NDArray[np.bool_], terms: Terms) -> Weighing:
    """Learn a weighing from pairs whose truth is known.

    Parameters
    ----------
    codes : np.ndarray [shape=(n, features), uint8]
    same : np.ndarray [shape=(n,), bool]
        Whether each pair is of the same thing.
    terms
        Which tables to learn.

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
    return Weighing(terms, base / math.log(2), (tables / math.log(2)).astype(np.float32), starts)


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
