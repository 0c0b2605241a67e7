"""Which lines are worth trying?

Votes of a copy agree on the ratio of times and on the shift of pitch, and lie on a line.  So votes are counted by ratio
and pitch; those of the fullest cells are laid out by time, block by block, since a ratio that is known to 1 % says
within seconds where a passage is, but not within minutes.  Where most of them are together a line begins, and grows by
least squares to all votes that are on it.

Sound that kept its speed and pitch has another way: the most frequent distance of peaks of one pitch.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.lines import Line
from riparian.prints.peaks import Peaks
from riparian.prints.quads import HIGHEST, SLOWEST, Votes

FEWEST: Final = 3
"""Votes on a line."""

_RATIO_CELL: Final = 0.01
_PITCH_CELL: Final = 4
_BLOCK: Final = 4_000
_PLACE: Final = 25
_BIN: Final = 6
_BEATEN: Final = 4
_MANY: Final = 1_000
_ACROSS: Final = int(2 * SLOWEST / _RATIO_CELL) + 3
_UP: Final = 2 * HIGHEST // _PITCH_CELL + 3
_ROUNDS: Final = (30.0, 15.0, 15.0)


def voted(theirs: Peaks, ours: Peaks, votes: Votes, free: NDArray[np.bool_], most: int) -> list[Line]:
    """Give the lines that most shapes vote for, among peaks that are free; at most so many."""
    use = free[votes.theirs]
    at, our_at = theirs.at[votes.theirs[use]].astype(np.float64), ours.at[votes.ours[use]].astype(np.float64)
    seeds = _modes(at, our_at, votes.ratio[use], votes.pitch[use], np.array([_ticks(theirs), _ticks(ours), most]))
    return [Line(float(begin), float(stretch), float(pitch)) for begin, stretch, pitch in seeds]


def paired(theirs: Peaks, by_pitch: NDArray[np.intp], ours: Peaks, free: NDArray[np.bool_]) -> list[Line]:
    """Give the line of the most frequent distance of peaks of one pitch, among peaks that are free.

    Parameters
    ----------
    by_pitch : np.ndarray [shape=(n,), intp]
        Order of their peaks by pitch.
    """
    order = by_pitch[free[by_pitch]]
    if not order.size or not len(ours):
        return []
    strong = ours.strength >= (np.median(ours.strength) if len(ours) > _MANY else 0)
    pitch, our_pitch = theirs.pitch[order], ours.pitch[strong]
    first = np.searchsorted(pitch, our_pitch - np.int16(2))
    last = np.searchsorted(pitch, our_pitch + np.int16(2), side="right")
    begin = _distance(theirs.at[order], ours.at[strong], first, last, _ticks(theirs), _ticks(ours))
    return [Line(float(begin), 1.0, 0.0)]


def _ticks(peaks: Peaks) -> int:
    # A kernel does not look where it writes: no peak may be after the end.
    return max(peaks.ticks, int(peaks.at[-1]) + 1) if len(peaks) else peaks.ticks


@njit(cache=True, nogil=True)
def _distance(
    at: NDArray[np.int32],
    our_at: NDArray[np.int32],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    ticks: int,
    our_ticks: int,
) -> int:
    count = np.zeros((ticks + our_ticks) // _BIN + 3, np.int32)
    for i in range(our_at.size):
        for j in range(first[i], last[i]):
            count[(at[j] - our_at[i] + our_ticks) // _BIN] += 1
    best, which = 0, 0
    for k in range(count.size - 1):
        if count[k] + count[k + 1] > best:
            best, which = count[k] + count[k + 1], k
    return (which + 1) * _BIN - our_ticks


@njit(cache=True, nogil=True)
def _modes(
    theirs: NDArray[np.float64],
    ours: NDArray[np.float64],
    ratio: NDArray[np.float32],
    pitch: NDArray[np.int16],
    sizes: NDArray[np.int64],
) -> NDArray[np.float64]:
    out = np.empty((sizes[2], 3))
    n = theirs.size
    if n < FEWEST:
        return out[:0]
    x, y = np.empty(n, np.int32), np.empty(n, np.int32)
    count = np.zeros((_ACROSS, _UP), np.int32)
    for v in range(n):
        x[v], y[v] = int((ratio[v] + SLOWEST) / _RATIO_CELL) + 1, (pitch[v] + HIGHEST) // _PITCH_CELL + 1
        count[x[v], y[v]] += 1
    smooth = np.zeros((_ACROSS, _UP), np.int32)
    for a in range(1, _ACROSS - 1):
        for b in range(1, _UP - 1):
            smooth[a, b] = count[a - 1 : a + 2, b - 1 : b + 2].sum()
    found, most = 0, 0
    for _ in range(sizes[2]):
        top, a0, b0 = 0, 0, 0
        for a in range(1, _ACROSS - 1):
            for b in range(1, _UP - 1):
                if smooth[a, b] > top:
                    top, a0, b0 = smooth[a, b], a, b
        if top < max(FEWEST, most // _BEATEN):
            break
        most = max(most, top)
        stretch = np.exp((a0 - 0.5) * _RATIO_CELL - SLOWEST)
        chosen = _together(theirs, ours, np.flatnonzero((np.abs(x - a0) <= 1) & (np.abs(y - b0) <= 1)), stretch, sizes)
        if chosen.size >= FEWEST:
            out[found] = _grown(theirs, ours, ratio, pitch, chosen, stretch)
            found += 1
        smooth[max(0, a0 - 2) : a0 + 3, max(0, b0 - 2) : b0 + 3] = 0
    return out[:found]


@njit(cache=True, nogil=True)
def _together(
    theirs: NDArray[np.float64],
    ours: NDArray[np.float64],
    among: NDArray[np.intp],
    stretch: float,
    sizes: NDArray[np.int64],
) -> NDArray[np.intp]:
    # Blocks at an edge of ours have their centre outside it: places go round.
    places = sizes[1] // _PLACE + 2
    placed = np.zeros((sizes[0] // _BLOCK + 1, places), np.int32)
    block, place = np.empty(among.size, np.int32), np.empty(among.size, np.int32)
    most, at_block, at_place = 0, 0, 0
    for v in range(among.size):
        block[v] = int(theirs[among[v]]) // _BLOCK
        centre = (block[v] + 0.5) * _BLOCK
        place[v] = int((ours[among[v]] + (centre - theirs[among[v]]) / stretch) // _PLACE) % places
        placed[block[v], place[v]] += 1
    for v in range(among.size):
        before = (place[v] - 1) % places
        both = placed[block[v], place[v]] + placed[block[v], before]
        if both > most:
            most, at_block, at_place = both, block[v], before
    chosen: NDArray[np.intp] = among[(block == at_block) & ((place == at_place) | (place == (at_place + 1) % places))]
    return chosen


@njit(cache=True, nogil=True)
def _grown(
    theirs: NDArray[np.float64],
    ours: NDArray[np.float64],
    ratio: NDArray[np.float32],
    pitch: NDArray[np.int16],
    chosen: NDArray[np.intp],
    stretch: float,
) -> NDArray[np.float64]:
    begin, stretch, higher = _through(theirs, ours, pitch, chosen, stretch)
    for wide in _ROUNDS:
        off = np.abs(theirs - begin - stretch * ours)
        chosen = np.flatnonzero(
            (off < wide)
            & (np.abs(pitch - higher) < 2 * _PITCH_CELL)
            & (np.abs(ratio - np.log(stretch)) < 4 * _RATIO_CELL)
        )
        if chosen.size < FEWEST:
            break
        begin, stretch, higher = _through(theirs, ours, pitch, chosen, stretch)
    return np.array([begin, stretch, higher])


@njit(cache=True, nogil=True)
def _through(
    theirs: NDArray[np.float64],
    ours: NDArray[np.float64],
    pitch: NDArray[np.int16],
    chosen: NDArray[np.intp],
    stretch: float,
) -> tuple[float, float, float]:
    n = chosen.size
    x, y, z = ours[chosen], theirs[chosen], pitch[chosen]
    mx, my = x.mean(), y.mean()
    # The stretch is known beforehand to 1 %, a vote's time to 3 ticks.
    prior = (3.0 / 0.01) ** 2
    slope = (((x - mx) * (y - my)).sum() + prior * stretch) / (((x - mx) ** 2).sum() + prior)
    return my - slope * mx, slope, z.sum() / n
