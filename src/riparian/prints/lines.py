"""Along which line do two sounds run, and how much of one is in the other there?

A *line* says which time of ours is heard at which time of the query, how much faster and how much higher.  A peak of
the query is a *hit* where ours has one at the same time and pitch.  How often that happens by chance is measured on the
same two sounds, along lines that are displaced.

Conventions
-----------
* Times are in ticks; a line is ``theirs = begin + stretch * ours``.
* How near is near is in two grades, ``NEAR``: a well kept copy is known by the fine one, a reverberant by the coarse.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.peaks import Peaks

NEAR: Final = ((5.0, 3.0), (11.0, 5.0))
"""Ticks and steps, either way."""
DISPLACED: Final = 24
_LEAST_DISPLACED: Final = 200
_ROUNDS: Final = 4
_FEWEST: Final = 6


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

    def within(self, theirs: Peaks, ours: Peaks) -> slice:
        """Say which peaks of theirs are while ours lasts."""
        return slice(*np.searchsorted(theirs.at, (self.begin, self.begin + self.stretch * ours.ticks)).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Which peaks of one sound the other has along a line; n of them, in each of the grades of ``NEAR``.

    Parameters
    ----------
    hit : np.ndarray [shape=(grades, n), bool]
    chance : np.ndarray [shape=(grades, n), uint8]
        Along how many of ``DISPLACED`` other lines.
    """

    hit: NDArray[np.bool_]
    chance: NDArray[np.uint8]


def hits(theirs: Peaks, ours: Peaks, line: Line, among: slice) -> Hits:
    """Find the hits among some peaks of theirs."""
    at = (theirs.at[among] - line.begin) / line.stretch
    pitch = theirs.pitch[among] - line.pitch
    moved = np.zeros(DISPLACED + 1)
    if ours.ticks > 2 * _LEAST_DISPLACED:
        moved[1:] = np.linspace(_LEAST_DISPLACED, ours.ticks - _LEAST_DISPLACED, DISPLACED) + _UNEVEN
    else:
        moved[1:] = np.linspace(0, ours.ticks, DISPLACED + 2)[1:-1]
    near = np.array([[t / line.stretch, p] for t, p in NEAR])
    hit, chance = _hits(at, pitch, ours.at, ours.pitch, ours.ticks, moved, near)
    return Hits(hit, chance)


def back(theirs: Peaks, ours: Peaks, line: Line, among: slice) -> NDArray[np.bool_]:
    """Find which peaks of ours, among some, the query has along a line, in the coarse grade; shape=(n,)."""
    at = line.begin + line.stretch * ours.at[among]
    near = np.array([NEAR[-1]])
    hit: NDArray[np.bool_] = _hits(
        at, ours.pitch[among] + line.pitch, theirs.at, theirs.pitch, _FOREVER, np.zeros(1), near
    )[0][0]
    return hit


_FOREVER: Final = 1 << 40
_UNEVEN = 61 * np.sin(np.arange(DISPLACED) * 2.4)
"""Ticks by which displaced lines are off an even grid, since music is on one."""


def fitted(theirs: Peaks, ours: Peaks, line: Line, among: slice | None = None) -> Line:
    """Move a line to where its hits are, by least squares, from far to near."""
    for round_ in range(_ROUNDS):
        inside = line.within(theirs, ours)
        if among is not None:
            inside = slice(max(inside.start, among.start), min(inside.stop, among.stop))
        ticks, steps = (16.0, 6.0) if round_ < 2 else (8.0, 4.0)
        x, y, z = _pairs(
            theirs.at[inside],
            theirs.pitch[inside],
            ours.at,
            ours.pitch,
            np.array([line.begin, line.stretch, line.pitch, ticks, steps]),
        )
        if x.size < _FEWEST:
            return line
        mean = x.mean()
        spread = ((x - mean) ** 2).sum()
        turn = ((x - mean) * y).sum() / spread if spread else 0.0
        begin = line.begin + y.mean() - turn * mean
        line = replace(line, begin=begin, stretch=line.stretch + turn, pitch=line.pitch + z.mean())
    return line


@njit(cache=True, nogil=True)
def _hits(  # noqa: C901, PLR0912 -- loops of a kernel read best in one piece
    at: Any, pitch: Any, our_at: Any, our_pitch: Any, ticks: Any, moved: Any, near: Any
) -> Any:
    n, grades, ours = at.size, near.shape[0], our_at.size
    hit, chance = np.zeros((grades, n), np.bool_), np.zeros((grades, n), np.uint8)
    if not ours:
        return hit, chance
    wide, high = near[grades - 1, 0], near[grades - 1, 1]
    for k in range(moved.size):
        from_, before = 0, -1.0
        for i in range(n):
            time = at[i] + moved[k]
            if time >= ticks:
                time -= ticks
            if time < before:
                from_ = 0
            before = time
            while from_ < ours and our_at[from_] < time - wide:
                from_ += 1
            best = grades
            for j in range(from_, ours):
                apart = our_at[j] - time
                if apart > wide:
                    break
                up = abs(our_pitch[j] - pitch[i])
                if up > high:
                    continue
                apart = abs(apart)
                for g in range(best):
                    if apart <= near[g, 0] and up <= near[g, 1]:
                        best = g
                        break
            for g in range(best, grades):
                if k == 0:
                    hit[g, i] = True
                else:
                    chance[g, i] += 1
    return hit, chance


@njit(cache=True, nogil=True)
def _pairs(at: Any, pitch: Any, our_at: Any, our_pitch: Any, line: Any) -> Any:
    begin, stretch, higher, ticks, steps = line[0], line[1], line[2], line[3], line[4]
    n, ours, out, from_ = at.size, our_at.size, 0, 0
    x, y, z = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        while from_ < ours and begin + stretch * our_at[from_] < at[i] - ticks:
            from_ += 1
        best, which = 2.0, -1
        for j in range(from_, ours):
            apart = at[i] - begin - stretch * our_at[j]
            if apart < -ticks:
                break
            far = (apart / ticks) ** 2 + ((pitch[i] - higher - our_pitch[j]) / steps) ** 2
            if far < 1 and far < best:
                best, which = far, j
        if which >= 0:
            x[out] = our_at[which]
            y[out] = at[i] - begin - stretch * our_at[which]
            z[out] = pitch[i] - higher - our_pitch[which]
            out += 1
    return x[:out], y[:out], z[:out]
