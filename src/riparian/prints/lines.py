"""Along which line do two sounds run, and how much of one is in the other there?

A *line* says which time of ours is heard at which time of the query, how much faster and how much higher.  A peak of
the query is a *hit* where ours has one at the same time and pitch.  How often that happens by chance is measured on the
same two sounds, along lines that are displaced: the same music in the same key, at another moment of it.

Conventions
-----------
* Times are in ticks; a line is ``theirs = begin + stretch * ours``.
* How near is near is in grades, ``NEAR``, the finest first: a copy that was well kept is known by the finest, one that
  reverberates by the coarsest.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from riparian.prints.peaks import Peaks

NEAR: Final = ((2.5, 2.0), (6.0, 3.5), (14.0, 5.5))
"""Ticks and steps, either way."""
GRADES: Final = len(NEAR)
_LEAST_DISPLACED: Final = 200
_MOST_LINES: Final = 64
_FEWEST_LINES: Final = 2
_LOOKS: Final = 8_000
_UNEVEN: Final = 61.0
_REACH: Final = ((20.0, 7.0), (14.0, 5.0), (8.0, 4.0))
"""Ticks and steps within which hits draw a line, round by round."""
_FEWEST_HITS: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """Which time of ours is heard when.

    Parameters
    ----------
    begin
        Ticks of the query at which ours begins; may be before it.
    stretch
        Ticks of the query in a tick of ours.
    pitch
        Steps that the query is higher.
    """

    begin: float
    stretch: float
    pitch: float

    @property
    def back(self) -> "Line":
        """The same line, seen from ours."""
        return Line(-self.begin / self.stretch, 1 / self.stretch, -self.pitch)

    def within(self, theirs: Peaks, ours: Peaks) -> slice:
        """Say which peaks of theirs are while ours lasts."""
        return slice(*np.searchsorted(theirs.at, (self.begin, self.begin + self.stretch * ours.ticks)).tolist())

    def of_ours(self, theirs: ArrayLike) -> NDArray[np.float64]:
        """Say which times of ours are heard at times of theirs."""
        return (np.asarray(theirs, np.float64) - self.begin) / self.stretch

    def of_theirs(self, ours: ArrayLike) -> NDArray[np.float64]:
        """Say when times of ours are heard."""
        return self.begin + self.stretch * np.asarray(ours, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Which peaks of the query ours has along a line.

    Parameters
    ----------
    grade : np.ndarray [shape=(n,), int8]
        0 where it has none, 1 for the coarsest grade, ``GRADES`` for the finest.
    chance : np.ndarray [shape=(GRADES, n), int16]
        Along how many other lines, finest grade first.
    lines
        How many other lines there were.
    """

    grade: NDArray[np.int8]
    chance: NDArray[np.int16]
    lines: int


def hits(theirs: Peaks, ours: Peaks, line: Line, among: slice) -> Hits:
    """Find the hits among some peaks of theirs."""
    n = max(1, among.stop - among.start)
    moved = _displaced(ours.ticks, min(_MOST_LINES, max(_FEWEST_LINES, _LOOKS // n)))
    at, pitch = line.of_ours(theirs.at[among]), np.asarray(theirs.pitch[among] - line.pitch, np.float64)
    grade, chance = _hits(at, pitch, ours.at, ours.pitch, ours.ticks, moved, _near(1 / line.stretch))
    return Hits(grade, chance, moved.size - 1)


def heard(theirs: Peaks, ours: Peaks, line: Line, among: slice) -> NDArray[np.bool_]:
    """Find which peaks of ours, among some, the query has; shape=(n,)."""
    at, pitch = line.of_theirs(ours.at[among]), np.asarray(ours.pitch[among] + line.pitch, np.float64)
    grade, _ = _hits(at, pitch, theirs.at, theirs.pitch, np.inf, np.zeros(1), _near(1.0))
    return np.asarray(grade > 0)


def fitted(theirs: Peaks, ours: Peaks, line: Line) -> tuple[Line, float]:
    """Move a line to where its hits are, by least squares; and say by how many deviations its hits are above chance."""
    begin, stretch, pitch, worth = _fitted(
        theirs.at, theirs.pitch, ours.at, ours.pitch, line.begin, line.stretch, line.pitch, ours.ticks
    )
    return Line(begin, stretch, pitch), worth


def _near(stretch: float) -> NDArray[np.float64]:
    return np.array([(ticks * stretch, steps) for ticks, steps in NEAR])


def _displaced(ticks: int, n: int) -> NDArray[np.float64]:
    # Off an even grid, since music is on one.
    out = np.zeros(n + 1)
    least = min(_LEAST_DISPLACED, ticks // 4)
    out[1:] = np.linspace(least, max(least, ticks - least), n) + min(_UNEVEN, least / 3) * np.sin(2.4 * np.arange(n))
    return out


@njit(cache=True, nogil=True)
def _grade(
    time: float, pitch: float, our_at: NDArray[Any], our_pitch: NDArray[Any], from_: int, near: NDArray[np.float64]
) -> int:
    grades: int = near.shape[0]
    best, wide, high = grades, near[grades - 1, 0], near[grades - 1, 1]
    for j in range(from_, our_at.size):
        apart = our_at[j] - time
        if apart > wide:
            break
        up = abs(our_pitch[j] - pitch)
        if up > high:
            continue
        apart = abs(apart)
        for g in range(best):
            if apart <= near[g, 0] and up <= near[g, 1]:
                best = g
                break
    return best


@njit(cache=True, nogil=True)
def _hits(
    at: NDArray[np.float64],
    pitch: NDArray[np.float64],
    our_at: NDArray[np.int32],
    our_pitch: NDArray[np.int16],
    ticks: float,
    moved: NDArray[np.float64],
    near: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
    n, grades, ours = at.size, near.shape[0], our_at.size
    grade, chance = np.zeros(n, np.int8), np.zeros((grades, n), np.int16)
    wide = near[grades - 1, 0]
    for k in range(moved.size):
        from_, before = 0, -np.inf
        for i in range(n):
            time = at[i] + moved[k]
            if time >= ticks:
                time -= ticks
            if time < before:
                from_ = 0
            before = time
            while from_ < ours and our_at[from_] < time - wide:
                from_ += 1
            best = _grade(time, pitch[i], our_at, our_pitch, from_, near)
            if k == 0:
                grade[i] = grades - best
            else:
                chance[best:, i] += 1
    return grade, chance


@njit(cache=True, nogil=True)
def _fitted(
    at: NDArray[np.int32],
    pitch: NDArray[np.int16],
    our_at: NDArray[np.int32],
    our_pitch: NDArray[np.int16],
    begin: float,
    stretch: float,
    higher: float,
    our_ticks: int,
) -> tuple[float, float, float, float]:
    for ticks, steps in _REACH:
        first = np.searchsorted(at, begin)
        last = np.searchsorted(at, begin + stretch * our_ticks)
        n, from_ = 0, 0
        sx, sy, sz, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(first, last):
            while from_ < our_at.size and begin + stretch * our_at[from_] < at[i] - ticks:
                from_ += 1
            best, which = 1.0, -1
            for j in range(from_, our_at.size):
                apart = at[i] - begin - stretch * our_at[j]
                if apart < -ticks:
                    break
                far = (apart / ticks) ** 2 + ((pitch[i] - higher - our_pitch[j]) / steps) ** 2
                if far < best:
                    best, which = far, j
            if which >= 0:
                x, y = float(our_at[which]), at[i] - begin - stretch * our_at[which]
                n += 1
                sx, sy, sz = sx + x, sy + y, sz + pitch[i] - higher - our_pitch[which]
                sxx, sxy = sxx + x * x, sxy + x * y
        if n < _FEWEST_HITS:
            return begin, stretch, higher, 0.0
        spread = sxx - sx * sx / n
        turn = (sxy - sx * sy / n) / (spread + 1e6)
        begin, stretch, higher = begin + (sy - turn * sx) / n, stretch + turn, higher + sz / n
    # Of so many peaks, some 3 % hit by chance in the last reach.
    chance = 0.03 * max(1, int(last - first)) + 1
    return begin, stretch, higher, (n - chance) / np.sqrt(chance)
