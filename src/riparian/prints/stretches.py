"""Where along a line does the query have ours, and where does that begin and end?

Everything along a line is an *event* at a time of the query: a peak of the query, which ours has in some grade or not;
and a peak of ours that the query has not.  Each speaks for or against, as much as it is likelier in a copy than by
chance; how likely it is in a copy is learned from the stretches themselves, in rounds.  A stretch is where the sum of
that rises until it falls by more than ``DROP`` below its top.

An edge lies between two events, the last that speaks for the stretch and the first beyond it.  Where in between follows
from how many events a second there are on either side.

Source
------
Karlin, S. and Altschul, S. (1990), Methods for assessing the statistical significance of molecular sequence features;
the drop is that of BLAST, Altschul, S. et al. (1990).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.lines import GRADES

DROP: Final = 25.0
"""Nats; about a second and a half of nothing in common."""
LEAST: Final = 10.0
"""Nats that a stretch has, but for the best, which may have less."""
_ROUNDS: Final = 3
_MISSED: Final = GRADES + 1


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Where along a line the query has ours; n stretches.

    Parameters
    ----------
    peaks : np.ndarray [shape=(n, 2), int64]
        First peak of the query, and the one after its last.
    edges : np.ndarray [shape=(n, 4), float64]
        Ticks of the query: the last event before the stretch, the first in it, the last in it, the first after it;
        infinite where there is none.
    rates : np.ndarray [shape=(n, 2), float64]
        Events a tick, in the stretch and outside of any.
    """

    peaks: NDArray[np.int64]
    edges: NDArray[np.float64]
    rates: NDArray[np.float64]


def stretches(
    at: NDArray[np.int32], grade: NDArray[np.int8], chance: NDArray[np.float64], missed: NDArray[np.float64]
) -> Stretches:
    """Find stretches of the query in which hits are too many for chance.

    Parameters
    ----------
    at : np.ndarray [shape=(n,), int32]
        Ticks of the query's peaks.
    grade : np.ndarray [shape=(n,), int8]
        Of their hits; -1 for peaks that are explained already.
    chance : np.ndarray [shape=(GRADES,), float64]
        How often a peak hits by chance in each grade, finest first; a coarser grade includes the finer.
    missed : np.ndarray [shape=(m,), float64]
        Ticks of the query at which it misses a peak of ours.
    """
    time = np.concatenate([at, missed])
    order = np.argsort(time, kind="stable")
    kind = np.concatenate([grade, np.full(missed.size, _MISSED, np.int8)])[order]
    floor = 0.003 * np.arange(1, GRADES + 1)
    found = _found(kind, np.maximum.accumulate(np.clip(chance, floor, 0.6)))
    time = np.concatenate([[-np.inf], time[order], [np.inf]])
    edges = np.stack([time[found[:, 0]], time[found[:, 0] + 1], time[found[:, 1]], time[found[:, 1] + 1]], axis=1)
    peak = np.concatenate([[0], np.cumsum(order < at.size)])
    lasts = np.maximum(edges[:, 2] - edges[:, 1], 1.0)
    inside = (found[:, 1] - found[:, 0]) / lasts
    outside = time.size / max(1.0, float(time[-2] - time[1]))
    rates = np.stack([inside, np.maximum(outside, inside)], axis=1)
    return Stretches(peak[found], edges, rates)


@njit(cache=True, nogil=True)
def _found(kind: NDArray[np.int8], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    grades = chance.size
    copy, heard = np.empty(grades), 0.5
    for g in range(grades):
        copy[g] = 0.3 + 0.1 * g
    out = np.empty((0, 2), np.int64)
    for round_ in range(_ROUNDS):
        out = _dropped(kind, _worths(copy, chance, heard))
        if round_ == _ROUNDS - 1:
            break
        # As if ten peaks had been seen before, so that few do not say all.
        seen = np.zeros(grades + 2)
        for s in range(out.shape[0]):
            for i in range(out[s, 0], out[s, 1]):
                if kind[i] >= 0:
                    seen[kind[i]] += 1
        n, hits = 10.0, 0.0
        for g in range(grades):
            copy[g] *= 10.0
        n += seen[: grades + 1].sum()
        for g in range(grades):
            hits += seen[grades - g]
            copy[g] = (copy[g] + hits) / n
        heard = (hits + 5) / (hits + seen[grades + 1] + 10)
    return out


@njit(cache=True, nogil=True)
def _worths(copy: NDArray[np.float64], chance: NDArray[np.float64], heard: float) -> NDArray[np.float64]:
    grades = chance.size
    worth = np.empty(grades + 2)
    more, before, before_chance = 0.0, 0.0, 0.0
    for g in range(grades):
        more = min(max(copy[g], chance[g] + 0.05, more), 0.98)
        worth[grades - g] = np.log(max(more - before, 0.002) / max(chance[g] - before_chance, 0.002))
        before, before_chance = more, chance[g]
    worth[0] = np.log((1 - before) / (1 - before_chance))
    worth[grades + 1] = np.log((1 - min(max(heard, before_chance + 0.05), 0.98)) / (1 - before_chance))
    return worth


@njit(cache=True, nogil=True)
def _dropped(kind: NDArray[np.int8], worth: NDArray[np.float64]) -> NDArray[np.int64]:
    found = np.empty((kind.size // 2 + 1, 2), np.int64)
    n, total, top, begin, end = 0, 0.0, 0.0, 0, 0
    best, best_begin, best_end = 0.0, 0, 0
    for i in range(kind.size):
        if kind[i] >= 0:
            if total <= 0:
                total, begin, top = 0.0, i, 0.0
            total += worth[kind[i]]
            if total > top:
                top, end = total, i + 1
                if top > best:
                    best, best_begin, best_end = top, begin, end
        if top > 0 and (total < top - DROP or total <= 0 or i == kind.size - 1):
            if top > LEAST:
                found[n, 0], found[n, 1] = begin, end
                n += 1
            total, top = 0.0, 0.0
    if n == 0 and best > 0:
        found[0, 0], found[0, 1] = best_begin, best_end
        n = 1
    return found[:n].copy()
