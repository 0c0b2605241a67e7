"""Where exactly in the copy is each moment of the master?

A chain of passages says it to a twentieth of a second; a tile of a mark must be cut out to a few thousandths.  Where a
copy is the master's own waveform, coded, filtered or at another speed, one straight line says it to the sample, and a
few short cross-correlations find that line.  Where its tempo or pitch was changed, pieces were repeated, left out or
smeared, each by some hundredths of a second, and what is followed is how a few broad bands rise and fall.

Conventions
-----------
* Both sounds are heard ones, at the same pitch; times are in their samples.
* A *line* gives the copy's time for a master's: ``copy = slope * master + start``.
* A lag is how much later the copy has something than the line says.

Source
------
Knapp, C. and Carter, G. (1976), The generalized correlation method for estimation of time delay, equation 7 and table 1
(PHAT), here with a milder weight.  Verhelst, W. and Roelands, M. (1993), An overlap-add technique based on waveform
similarity, for what a change of tempo does.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter1d

from riparian.marks.heard import BEAT_HOP, RATE, frames, hann

WINDOW: Final = 8192
LAG_MAX_S: Final = 0.1
STRAIGHT_SAMPLES: Final = 10
"""How far from a straight line, in samples, a moment may lie that is said to be on it: half a millisecond."""
STRAIGHT_SHARE: Final = 0.6
_EVERY_S: Final = 1.0
_WINDOWS: Final = (8, 240)
_WHITEN: Final = 0.8
_SHARP: Final = 6.0

KNOT: Final = 32
"""How far apart the knots of a crooked line are, in beats: 93 ms."""
_KNOT_WINDOW: Final = 129
_STEP_COST: Final = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """A line through times of master and copy."""

    slope: float
    start: float

    def at(self, master: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the copy's times."""
        return self.slope * master + self.start


def straight(
    master: NDArray[np.float32], copy: NDArray[np.float32], line: Line, first: float, last: float
) -> Line | None:
    """Find the straight line near a rough one, between two times of the master; none if there is none."""
    for _ in range(2):
        count = int(np.clip((last - first) / (_EVERY_S * RATE), _WINDOWS[0], _WINDOWS[1]))
        at = np.linspace(first + WINDOW / 2, max(last - WINDOW / 2, first + WINDOW / 2), count)
        lags, sharp = _lags(master, copy, at, line)
        at, lags = at[sharp > _SHARP], lags[sharp > _SHARP]
        if at.size < 3:
            return None
        slope, start = _through(at, lags)
        near = np.abs(lags - slope * at - start) < STRAIGHT_SAMPLES
        if near.mean() < STRAIGHT_SHARE or near.sum() < 3:
            return None
        slope, start = np.polyfit(at[near], lags[near], 1)
        line = Line(line.slope + slope, line.start + start)
    return line


def _through(at: NDArray[np.float64], lags: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a line that most points are near: the one through two of them with the most neighbours."""
    i, j = np.triu_indices(at.size, 1)
    if i.size > 2000:
        keep = np.linspace(0, i.size - 1, 2000).astype(np.intp)
        i, j = i[keep], j[keep]
    slope = (lags[j] - lags[i]) / (at[j] - at[i])
    start = lags[i] - slope * at[i]
    near = np.abs(lags - slope[:, None] * at - start[:, None]) < STRAIGHT_SAMPLES / 2
    best = int(near.sum(axis=1).argmax())
    return float(slope[best]), float(start[best])


def _lags(
    master: NDArray[np.float32], copy: NDArray[np.float32], at: NDArray[np.float64], line: Line
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-correlate windows; gives lags, in samples, and how many deviations each peak stands out."""
    there = line.at(at)
    whole = np.rint(there).astype(np.intp)
    window = hann(WINDOW)
    a = fft.rfft(frames(master, np.rint(at).astype(np.intp), WINDOW) * window, 2 * WINDOW)
    b = fft.rfft(frames(copy, whole, WINDOW) * window, 2 * WINDOW)
    cross = b * np.conj(a)
    size = np.abs(cross) + np.float32(1e-20)
    found = fft.irfft(cross / size ** np.float32(_WHITEN), 2 * WINDOW)
    most = int(LAG_MAX_S * RATE)
    near = np.concatenate([found[:, -most:], found[:, : most + 1]], axis=1)
    peak = near.argmax(axis=1)
    row = np.arange(at.size)
    deviation = 1.4826 * np.median(np.abs(near), axis=1) + 1e-20
    left, top, right = (near[row, np.clip(peak + side, 0, 2 * most)] for side in (-1, 0, 1))
    bend = np.minimum(left - 2 * top + right, -1e-20)
    exact = peak + np.clip(0.5 * (left - right) / bend, -0.5, 0.5) - most
    return exact + (whole - there) - (np.rint(at) - at) * line.slope, top / deviation


def crooked(
    master: NDArray[np.float32], copy: NDArray[np.float32], rough: NDArray[np.float64], first: float, last: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Follow the copy along a rough map, between two times of the master.

    Parameters
    ----------
    master, copy : np.ndarray [shape=(beats, bands), float32]
        How bands rise and fall, of both.
    rough : np.ndarray [shape=(beats of the master,), float64]
        Times of the copy, to within ``LAG_MAX_S``.

    Returns
    -------
    at : np.ndarray [shape=(knots,), float64]
        Times of the master.
    there : np.ndarray [shape=(knots,), float64]
        Times of the copy.
    likeness : np.ndarray [shape=(knots,), float32]
        Correlation, -1 to 1.
    """
    most = int(LAG_MAX_S * RATE / BEAT_HOP)
    begin, end = max(0, int(first / BEAT_HOP)), min(master.shape[0], int(last / BEAT_HOP) + 1)
    here = np.arange(begin, end)
    base = rough[begin:end] / BEAT_HOP
    product, power = _products(master[begin:end], copy, base, most)
    knots = np.arange(KNOT // 2, max(here.size, KNOT // 2 + 1), KNOT).clip(max=here.size - 1)
    product = uniform_filter1d(product, _KNOT_WINDOW, axis=0, mode="constant")[knots]
    power = uniform_filter1d(power, _KNOT_WINDOW, axis=0, mode="constant")[knots]
    own = uniform_filter1d((master[begin:end] ** 2).sum(axis=1), _KNOT_WINDOW, mode="constant")[knots]
    like = product / np.sqrt(np.maximum(power * own[:, None], 1e-12))
    lag = _path(like.astype(np.float64), _STEP_COST)
    row = np.arange(knots.size)
    left, top, right = (like[row, np.clip(lag + side, 0, 2 * most)].astype(np.float64) for side in (-1, 0, 1))
    exact = lag + np.clip(0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-9), -0.5, 0.5) - most
    # Both are looked at from whole beats of the copy on: what is left over comes back here.
    there = (np.rint(base[knots]) + exact) * BEAT_HOP
    return here[knots] * float(BEAT_HOP), there, top.astype(np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _products(master: Any, copy: Any, base: Any, most: Any) -> Any:
    """Multiply each beat of the master by those of the copy around it; products and the copy's powers, by lag."""
    count, bands = master.shape
    product = np.zeros((count, 2 * most + 1), np.float32)
    power = np.zeros((count, 2 * most + 1), np.float32)
    own = np.zeros(copy.shape[0], np.float32)
    for n in range(copy.shape[0]):
        for band in range(bands):
            own[n] += copy[n, band] * copy[n, band]
    for n in range(count):
        middle = int(np.rint(base[n]))
        for lag in range(max(-most, -middle), min(most, copy.shape[0] - 1 - middle) + 1):
            total = np.float32(0)
            for band in range(bands):
                total += master[n, band] * copy[middle + lag, band]
            product[n, lag + most] = total
            power[n, lag + most] = own[middle + lag]
    return product, power


@njit(cache=True, nogil=True)
def _path(like: Any, cost: Any) -> Any:
    """Find the path of lags that is likest, where a step of one beat a knot costs so much."""
    count, lags = like.shape
    best = like[0].copy()
    came = np.zeros((count, lags), np.int32)
    reach = 12
    for k in range(1, count):
        new = np.empty(lags)
        for lag in range(lags):
            top, at = -1e30, lag
            for other in range(max(0, lag - reach), min(lags, lag + reach + 1)):
                value = best[other] - cost * abs(lag - other)
                if value > top:
                    top, at = value, other
            new[lag] = top + like[k, lag]
            came[k, lag] = at
        best = new
    path = np.empty(count, np.int64)
    path[count - 1] = best.argmax()
    for k in range(count - 1, 0, -1):
        path[k - 1] = came[k, path[k]]
    return path
