"""Which handfuls of peaks are there, and into which cells do they fall?

A handful is a peak and some of those that come soon after it.  Its pitches alone say whether it belongs to the share
of all that is wanted; only then are its times looked at, for most handfuls are not wanted.

Conventions
-----------
* A *place* is a number in units of its cell; the cell is its floor, and its *margin* how far it lies from the nearer
  border, at most a half.
* ``borders`` are where cells begin, in cells: of pitch, time, height and span; each in [0, 1).
* A query takes the neighbouring cell too wherever a place is near a border; a recording does not.
* A handful is a row of numbers of peaks, ascending.

Source
------
Steele, G. et al. (2014), Fast splittable pseudorandom number generators (the mixing of bits).
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.peaks import STEPS

Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
Reals = NDArray[np.float64]

SHARE_BITS: Final = 20
_SHARE: Final = np.uint64((1 << SHARE_BITS) - 1)
GAP: Final = 8
"""Ticks between two peaks of a handful, at least, so that they keep their order."""
_EQUAL: Final = 8
"""Steps: pitches that are less apart than this are equal."""


class Family(NamedTuple):
    """How peaks become hashes.

    Attributes
    ----------
    points
        Peaks of a handful.
    fan
        Peaks after the first, of which the others are.
    shortest, longest
        Ticks from the first peak to the last.
    pitch_cell
        Steps.
    time_cell
        Ticks; of a family that turns, as they are in the middle of the cell of its span.
    near_pitch, near_time
        Cells: below which margin the neighbouring cell is taken too; 0 for never.
    height_cell, near_height
        Octaves, of the first peak.
    span_cell, near_span
        Powers of two, of the ticks from the first peak to the last; 0 where the family does not turn.
    """

    points: int
    fan: int
    shortest: int
    longest: int
    pitch_cell: float
    time_cell: float
    near_pitch: float
    near_time: float
    height_cell: float
    near_height: float
    span_cell: float
    near_span: float


@njit(cache=True, nogil=True)
def handfuls(
    at: Numbers, pitch: Numbers, family: Family, borders: Reals, salt: np.uint64, below: np.uint64
) -> tuple[Numbers, Words]:
    """Find the handfuls that belong to a share.

    Parameters
    ----------
    at, pitch : np.ndarray [shape=(n,), int64]
        Of peaks; ticks and steps.
    family
        Which handfuls.
    borders : np.ndarray [shape=(4,), float64]
    salt
        What pitches are mixed with.
    below
        The low ``SHARE_BITS`` of what they become are less than this.

    Returns
    -------
    of : np.ndarray [shape=(m, points), int64]
        In the order of their first peaks; more than once where the neighbouring cell is asked for.
    word : np.ndarray [shape=(m,), uint64]
        Of their pitches and height, mixed.
    """
    of, word = np.empty((1024, family.points), np.int64), np.empty(1024, np.uint64)
    made = 0
    last = family.points - 1
    peak, cell = np.empty((2, 2 * family.fan), np.int64)
    chosen, now = np.empty(last, np.int64), np.empty(family.points, np.int64)
    words = np.empty(family.points, np.uint64)
    for a in range(at.size):
        n = _fan(at, pitch, a, family, borders[0], peak, cell)
        height = pitch[a] / STEPS / family.height_cell + borders[2]
        side = beside(height, family.near_height / family.height_cell)
        now[0] = a
        for h in range(2 if side != 0 else 1):
            words[0] = _with(salt, int(np.floor(height)) + h * side)
            # Each depth goes through the peaks after that of the depth before; a pass of the loop takes one.
            depth = 0
            chosen[0] = -1
            while depth >= 0:
                chosen[depth] += 1
                if chosen[depth] >= n:
                    depth -= 1
                    continue
                b = peak[chosen[depth]]
                if at[b] - at[now[depth]] < GAP:
                    continue
                now[depth + 1] = b
                words[depth + 1] = _with(words[depth], cell[chosen[depth]])
                if depth + 1 < last:
                    chosen[depth + 1] = chosen[depth]
                    depth += 1
                    continue
                whole = _mixed(words[last])
                if whole & _SHARE >= below or at[b] - at[a] < family.shortest:
                    continue
                if made == word.size:
                    of, word = np.concatenate((of, np.empty_like(of))), np.concatenate((word, np.empty_like(word)))
                of[made], word[made] = now, whole
                made += 1
    return of[:made], word[:made]


@njit(cache=True, nogil=True)
def values(at: Numbers, of: Numbers, word: Words, family: Family, borders: Reals) -> tuple[Words, Numbers]:
    """Take the times of handfuls into their words.

    Returns
    -------
    value : np.ndarray [shape=(n,), uint64]
        The low ``SHARE_BITS`` are those of the word.
    whose : np.ndarray [shape=(n,), int64]
        Which handful each is of; a query's has several.
    """
    value, whose = np.empty(2 * len(of) + 64, np.uint64), np.empty(2 * len(of) + 64, np.int64)
    timed = np.empty(64, np.uint64)
    made = 0
    for i in range(len(of)):
        n, _ = _timed(at, of[i], family, borders, word[i], timed)
        if made + n > value.size:
            value, whose = np.concatenate((value, np.empty_like(value))), np.concatenate((whose, np.empty_like(whose)))
        for j in range(n):
            value[made] = (_mixed(timed[j]) & ~_SHARE) | (word[i] & _SHARE)
            whose[made] = i
            made += 1
    return value[:made], whose[:made]


@njit(cache=True, nogil=True)
def features(at: Numbers, pitch: Numbers, strength: Reals, of: Numbers, family: Family, borders: Reals) -> Reals:
    """Say what of each handful tells whether it survives, and whether it is found elsewhere; shape=(m, 9).

    The sum of strengths; the least margins of pitch and of time; how many peaks from the first to the last; the span
    and the shortest gap, as powers of two; pairs of equal pitch, and of pitches octaves apart; octaves from the lowest
    to the highest.
    """
    out = np.zeros((len(of), 9))
    timed = np.empty(64, np.uint64)
    for i in range(len(of)):
        now = of[i]
        span = at[now[-1]] - at[now[0]]
        margin, gap = 0.5, span
        for j in range(now.size):
            out[i, 0] += strength[now[j]]
            if j > 0:
                gap = min(gap, at[now[j]] - at[now[j - 1]])
                margin = min(margin, _margin((pitch[now[j]] - pitch[now[0]]) / family.pitch_cell + borders[0]))
            for k in range(j):
                apart = abs(pitch[now[j]] - pitch[now[k]])
                out[i, 6] += apart < _EQUAL
                out[i, 7] += apart >= _EQUAL and (apart + _EQUAL) % STEPS < 2 * _EQUAL
        out[i, 1] = margin
        _, out[i, 2] = _timed(at, now, family, borders, np.uint64(0), timed)
        out[i, 3] = now[-1] - now[0]
        out[i, 4], out[i, 5] = np.log2(span), np.log2(gap)
        out[i, 8] = (pitch[now].max() - pitch[now].min()) / STEPS
    return out


@njit(cache=True, nogil=True)
def beside(place: float, near: float) -> int:
    """Say on which side a place is near a border: -1, 1, or 0 for neither."""
    side = -1 if place - np.floor(place) < 0.5 else 1
    return side if _margin(place) < near else 0


@njit(cache=True, nogil=True)
def _margin(place: float) -> float:
    inside = place - np.floor(place)
    return float(min(inside, 1 - inside))


@njit(cache=True, nogil=True)
def _fan(at: Numbers, pitch: Numbers, a: int, family: Family, border: float, peak: Numbers, cell: Numbers) -> int:
    """List the peaks after one, each with its cell, and once more with the neighbouring one; how many."""
    n = seen = 0
    for b in range(a + 1, at.size):
        if seen == family.fan or at[b] - at[a] > family.longest:
            break
        if at[b] - at[a] < GAP:
            continue
        seen += 1
        place = (pitch[b] - pitch[a]) / family.pitch_cell + border
        peak[n], cell[n] = b, int(np.floor(place))
        n += 1
        side = beside(place, family.near_pitch)
        if side != 0:
            peak[n], cell[n] = b, cell[n - 1] + side
            n += 1
    return n


@njit(cache=True, nogil=True)
def _timed(at: Numbers, of: Numbers, family: Family, borders: Reals, word: np.uint64, out: Words) -> tuple[int, float]:
    """Take the times of a handful into its word: as many words as are asked for, and the least margin."""
    span = at[of[-1]] - at[of[0]]
    turns = family.span_cell > 0
    place = np.log2(span) / family.span_cell + borders[3] if turns else 0.0
    side = beside(place, family.near_span / family.span_cell) if turns else 0
    n = 0
    least = 0.5
    for s in range(2 if side != 0 else 1):
        cell = int(np.floor(place)) + s * side
        scale = 1 / family.time_cell
        if turns:
            middle = 2 ** ((cell + 0.5 - borders[3]) * family.span_cell)
            scale = np.rint(middle / family.time_cell) / span
        begin = n
        out[n] = _with(word, cell)
        n += 1
        for i in range(1, of.size - (1 if turns else 0)):
            time = (at[of[i]] - at[of[0]]) * scale + borders[1]
            least = min(least, _margin(time))
            other = beside(time, family.near_time) if n < 16 else 0
            for j in range(begin, n):
                if other != 0:
                    out[n] = _with(out[j], int(np.floor(time)) + other)
                    n += 1
                out[j] = _with(out[j], int(np.floor(time)))
    return n, least


@njit(cache=True, nogil=True)
def _mixed(word: np.uint64) -> np.uint64:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True)
def _with(word: np.uint64, cell: int) -> np.uint64:
    """Take another cell into a word."""
    return (word ^ np.uint64(cell + 4096)) * np.uint64(0x9E3779B97F4A7C15) ^ (word >> np.uint64(29))
