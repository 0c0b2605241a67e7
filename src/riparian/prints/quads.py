"""Where do two sounds go together: which speed, which pitch, which place?

Four peaks are a shape: three intervals of pitch and two shares of the time from first to last.  None of the five
changes when the sound is played faster or higher.  Each shape of ours that is also in the query is a *vote*: how long
it takes there and here is a ratio of times, how high it is there and here a shift of pitch.  The votes of a copy agree
and lie on a line; those of anything else are spread.

This is for a pair of sounds.  Cells are fine and their borders are probed on the query's side, once for all candidates;
what is kept in an index is :mod:`riparian.prints.hashes`.

Source
------
Sonnleitner, R. and Widmer, G. (2016), Robust quad-based audio fingerprinting, IEEE/ACM TASLP 24(3).
"""

from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.peaks import Peaks

FAN: Final = 5
"""Peaks after the first of a shape, among which its other three are."""
FANS: Final = (10, 8, 7, 6, 5)
"""The same in a query, which may have peaks between them that ours has not: as many as its length allows."""
SHORTEST: Final = 30
LONGEST: Final = 750
"""Ticks from the first peak of a shape to the last."""
SLOWEST: Final = 0.2
"""Of the logarithm of the ratio of times, either way."""
HIGHEST: Final = 64
"""Steps of pitch, either way."""

_PITCH_CELL: Final = 24.0
_TIME_CELL: Final = 0.16
_NEAR: Final = 0.14
_MOST_ALIKE: Final = 200
_MANY: Final = 1_000
_EVERY, _EVERY_SECOND = 0xFFFF, 0x7FFF
_MOST_VOTES: Final = 1 << 18
_COPIES: Final = 32
_MOST_SHAPES: Final = 24_000


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The shapes of a query, by cell.

    Parameters
    ----------
    first : np.ndarray [shape=(2**b + 1,), int32]
        Where each bucket begins.
    cell : np.ndarray [shape=(n,), uint32]
        Which of the cells in the bucket.
    peak : np.ndarray [shape=(n,), int32]
        The first peak of the shape.
    length : np.ndarray [shape=(n,), int16]
        Ticks from first to last.
    """

    first: NDArray[np.int32]
    cell: NDArray[np.uint32]
    peak: NDArray[np.int32]
    length: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Shapes that are in both; n each.

    Parameters
    ----------
    theirs, ours : np.ndarray [int32]
        The first peak of the shape, there and here.
    ratio : np.ndarray [float32]
        Logarithm of their time over ours.
    pitch : np.ndarray [int16]
        Steps that theirs is higher.
    """

    theirs: NDArray[np.int32]
    ours: NDArray[np.int32]
    ratio: NDArray[np.float32]
    pitch: NDArray[np.int16]

    def __len__(self) -> int:
        return self.theirs.size


def table(peaks: Peaks) -> Table:
    """Put the shapes of a query, and those that are nearly theirs, into buckets."""
    fan = next((fan for fan in FANS if len(peaks) * comb(fan, 3) <= _MOST_SHAPES), FANS[-1])
    cell, peak, length = _probed(peaks.at, peaks.pitch, fan)
    bits = max(8, min(22, int(cell.size).bit_length() - 1))
    bucket = cell >> np.uint32(32 - bits)
    order = np.argsort(bucket, kind="stable")
    first = np.zeros((1 << bits) + 1, np.int32)
    np.cumsum(np.bincount(bucket, minlength=1 << bits), out=first[1:])
    return Table(first, cell[order], peak[order], length[order])


def votes(theirs: Peaks, shapes: Table, ours: Peaks) -> Votes:
    """Look every shape of ours up among theirs."""
    bits = (shapes.first.size - 1).bit_length() - 1
    most = _EVERY_SECOND if min(len(theirs), len(ours)) > _MANY else _EVERY
    found = _votes(
        theirs.pitch, shapes.first, shapes.cell, shapes.peak, shapes.length, ours.at, ours.pitch, 32 - bits, most
    )
    return Votes(*found)


@njit(cache=True, nogil=True)
def _mixed(a: int, b: int, c: int, d: int, e: int) -> np.uint32:
    value = np.uint64(a + 512) | np.uint64(b + 512) << np.uint64(10) | np.uint64(c + 512) << np.uint64(20)
    value |= np.uint64(d) << np.uint64(30) | np.uint64(e) << np.uint64(36)
    value *= np.uint64(0x9E3779B97F4A7C15)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    return np.uint32(value >> np.uint64(32))


@njit(cache=True, nogil=True)
def _probed(  # noqa: C901, PLR0912 -- loops of a kernel read best in one piece
    at: NDArray[np.int32], pitch: NDArray[np.int16], fan: int
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int16]]:
    n = at.size
    room = max(0, n * (fan * (fan - 1) * (fan - 2) // 6) * _COPIES)
    cell, peak = np.empty(room, np.uint32), np.empty(room, np.int32)
    length = np.empty(room, np.int16)
    low, many = np.empty(5, np.int64), np.empty(5, np.int64)
    value = np.empty(5)
    out = 0
    for i in range(n - 3):
        last = min(n, i + 1 + fan)
        for m in range(i + 3, last):
            whole = at[m] - at[i]
            if whole < SHORTEST or whole > LONGEST:
                continue
            value[2] = (pitch[m] - pitch[i]) / _PITCH_CELL
            for j in range(i + 1, m - 1):
                value[0] = (pitch[j] - pitch[i]) / _PITCH_CELL
                value[3] = (at[j] - at[i]) / whole / _TIME_CELL
                for k in range(j + 1, m):
                    value[1] = (pitch[k] - pitch[i]) / _PITCH_CELL
                    value[4] = (at[k] - at[i]) / whole / _TIME_CELL
                    for x in range(5):
                        low[x] = int(np.floor(value[x] - _NEAR))
                        many[x] = int(np.floor(value[x] + _NEAR)) - low[x] + 1
                    for x in (3, 4):
                        if low[x] < 0:
                            many[x] += low[x]
                            low[x] = 0
                    for a in range(many[0]):
                        for b in range(many[1]):
                            for c in range(many[2]):
                                for d in range(many[3]):
                                    for e in range(many[4]):
                                        cell[out] = _mixed(low[0] + a, low[1] + b, low[2] + c, low[3] + d, low[4] + e)
                                        peak[out] = i
                                        length[out] = whole
                                        out += 1
    return cell[:out].copy(), peak[:out].copy(), length[:out].copy()


@njit(cache=True, nogil=True)
def _votes(
    their_pitch: NDArray[np.int16],
    first: NDArray[np.int32],
    cells: NDArray[np.uint32],
    peaks: NDArray[np.int32],
    lengths: NDArray[np.int16],
    at: NDArray[np.int32],
    pitch: NDArray[np.int16],
    shift: int,
    most: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int16]]:
    theirs, ours = np.empty(_MOST_VOTES, np.int32), np.empty(_MOST_VOTES, np.int32)
    ratio, higher = np.empty(_MOST_VOTES, np.float32), np.empty(_MOST_VOTES, np.int16)
    n, out = at.size, 0
    longest, shortest = np.exp(SLOWEST), np.exp(-SLOWEST)
    up = np.empty(FAN + 1, np.int64)
    for i in range(n - 3):
        last = min(n, i + 1 + FAN)
        for j in range(i + 1, last):
            up[j - i] = int(np.floor((pitch[j] - pitch[i]) / _PITCH_CELL))
        for m in range(i + 3, last):
            whole = at[m] - at[i]
            if whole < SHORTEST or whole > LONGEST:
                continue
            per_tick = 1 / (whole * _TIME_CELL)
            for j in range(i + 1, m - 1):
                d = int((at[j] - at[i]) * per_tick)
                for k in range(j + 1, m):
                    cell = _mixed(up[j - i], up[k - i], up[m - i], d, int((at[k] - at[i]) * per_tick))
                    if cell & np.uint32(0xFFFF) > most:
                        continue
                    begin, end = first[cell >> shift], first[(cell >> shift) + 1]
                    if end - begin > _MOST_ALIKE:
                        continue
                    for x in range(begin, end):
                        if cells[x] != cell:
                            continue
                        higher_by = their_pitch[peaks[x]] - pitch[i]
                        times = lengths[x] / whole
                        if abs(higher_by) > HIGHEST or times > longest or times < shortest or out == _MOST_VOTES:
                            continue
                        theirs[out], ours[out] = peaks[x], i
                        ratio[out], higher[out] = np.log(times), higher_by
                        out += 1
    return theirs[:out].copy(), ours[:out].copy(), ratio[:out].copy(), higher[:out].copy()
