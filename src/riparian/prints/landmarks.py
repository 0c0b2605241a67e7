"""Where does sound stand out?

The sound is seen as loudness over time and pitch, in decibels.  Of that is taken away what is usual at this pitch
around this moment, so that an equaliser changes little, and what is usual at this moment around this pitch, so that a
compressor does.  What is left has a *peak* where nothing near is higher; how near is drawn from the key, and so an
attacker does not know which places matter.

Conventions
-----------
* Frames are ``FRAME`` samples long and ``HOP`` apart; rows of loudness are ``BINS`` to the octave above ``LOWEST_HZ``.
* Sound is taken in blocks of frames, each with its surroundings, so that length costs time, not memory, and where a
  block ends changes nothing.

Source
------
Wang, A. (2003), An industrial-strength audio search algorithm (peaks).  Sonnleitner, R. and Widmer, G. (2016), Robust
quad-based audio fingerprinting, section III (the maximum filter, interpolated).
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from riparian.prints.keys import PrintKey
from riparian.prints.peaks import LOWEST_HZ, RATE, STEPS, STRENGTHS, TICK_S, Peaks

HOP: Final = 192
FRAME: Final = 2048
BINS: Final = 30
"""Rows of loudness in an octave."""
OCTAVES: Final = 4.7
_ROWS: Final = int(BINS * OCTAVES)
_BLOCK: Final = 768
_AROUND_T: Final = 55
"""Frames to either side over which what is usual is averaged; about a second."""
_AROUND_F: Final = 15
_FLOOR: Final = 1e-7
_REACH_T: Final = (18, 21)
"""Frames within which nothing may be higher: from, to before; the key says which."""
_REACH_F: Final = (9, 11)
_LEAST: Final = 3.0
"""Decibels above what is usual, at least."""
_DB_A_STRENGTH: Final = 1.5
_EDGE: Final = _AROUND_T + _REACH_T[1] + 2


def peaks(samples: NDArray[np.float32], key: PrintKey) -> Peaks:
    """Find where sound stands out.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), float32]
        Mono, at ``RATE`` a second; any loudness, any length.
    key
        Says how far a peak must stand out.

    Returns
    -------
    Peaks
        About a dozen a second of music; none of silence.

    Examples
    --------
    >>> at = np.arange(2 * RATE) / RATE
    >>> tone = np.where((at > 0.5) & (at < 1.5), np.sin(2 * np.pi * 640 * at), 0).astype(np.float32)
    >>> found = peaks(tone, PrintKey(bytes(32)))
    >>> 384 in found.pitch, len(peaks(np.zeros(RATE, np.float32), PrintKey(bytes(32))))
    (True, 0)
    """
    reach = (_drawn(key, "reach in time", _REACH_T), _drawn(key, "reach in pitch", _REACH_F))
    parts = [_outstanding(loud, first, inside, reach) for loud, first, inside in _blocks(samples)]
    frame, row, height = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else (np.empty(0),) * 3
    at = np.rint(frame * (HOP / RATE / TICK_S)).astype(np.int32)
    pitch = np.rint(row * (STEPS / BINS)).astype(np.int16)
    strength = np.clip((height - _LEAST) / _DB_A_STRENGTH, 0, STRENGTHS - 1).astype(np.uint8)
    order = np.lexsort((pitch, at))
    ticks = int(samples.size / RATE / TICK_S)
    return Peaks(np.clip(at[order], 0, None), pitch[order], strength[order], ticks)


def _drawn(key: PrintKey, name: str, among: tuple[int, int]) -> int:
    return among[0] + int(key.share(name) * (among[1] - among[0]))


def _blocks(samples: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], int, tuple[int, int]]]:
    """Give loudness with its surroundings, the number of its first frame, and which of its frames are the block's."""
    frames = -(-samples.size // HOP) + 1 if samples.size else 0
    padded = np.pad(samples, (FRAME // 2, FRAME // 2 + HOP))
    starts = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:frames]
    level = np.float32(_FLOOR * max(1e-9, float(np.square(samples, dtype=np.float32).mean())) if samples.size else 0)
    for first in range(0, frames, _BLOCK):
        low, high = max(0, first - _EDGE), min(frames, first + _BLOCK + _EDGE)
        loud = _loudness(starts[low:high], level)
        yield loud, low, (first - low, min(first + _BLOCK, frames) - low)


def _loudness(frames: NDArray[np.float32], level: np.float32) -> NDArray[np.float32]:
    """Give decibels; shape=(frames, rows)."""
    spectra = fft.rfft(frames * _window(), axis=1)
    low, weight = _map()
    out: NDArray[np.float32] = _mapped(spectra, low, weight, level)
    return out


@cache
def _window() -> NDArray[np.float32]:
    window: NDArray[np.float32] = np.hanning(FRAME + 1)[:FRAME].astype(np.float32)
    return window


@cache
def _map() -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Say from which bin of a spectrum a row begins, and how much of each bin from there belongs to it."""
    middle = LOWEST_HZ * 2 ** (np.arange(_ROWS) / BINS) * FRAME / RATE
    width = np.maximum(1.0, middle * (2 ** (1 / BINS) - 1))
    low = np.floor(middle - width).astype(np.int32)
    offset = np.arange(int(2 * width.max()) + 3)
    weight = np.maximum(0, 1 - np.abs(low[:, None] + offset - middle[:, None]) / width[:, None])
    return low, weight.astype(np.float32)


@njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def _mapped(
    spectra: NDArray[np.complex64], low: NDArray[np.int32], weight: NDArray[np.float32], level: np.float32
) -> NDArray[np.float32]:
    frames, rows = spectra.shape[0], low.size
    out = np.empty((frames, rows), dtype=np.float32)
    power = np.empty(spectra.shape[1], dtype=np.float32)
    size = np.array([(weight[row] > 0).nonzero()[0][-1] + 1 for row in range(rows)])
    for frame in range(frames):
        for i in range(low[0], spectra.shape[1]):
            power[i] = spectra[frame, i].real ** 2 + spectra[frame, i].imag ** 2
        for row in range(rows):
            total = np.float32(0)
            for i in range(size[row]):
                total += weight[row, i] * power[low[row] + i]
            out[frame, row] = np.float32(4.3429448) * np.log(total + level)
    return out


def _outstanding(
    loud: NDArray[np.float32], first: int, inside: tuple[int, int], reach: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give frame, row and decibels of the peaks of a block, the first two to a fraction."""
    high = _whitened(loud, _AROUND_T, _AROUND_F)
    found = _summits(high, inside[0], inside[1], reach[0], reach[1], np.float32(_LEAST))
    return found[:, 0] + first, found[:, 1], found[:, 2]


@njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def _whitened(loud: NDArray[np.float32], around_t: int, around_f: int) -> NDArray[np.float32]:
    frames, rows = loud.shape
    over = np.empty_like(loud)
    total = np.zeros(rows, dtype=np.float32)
    count = 0
    for frame in range(min(around_t, frames)):
        total += loud[frame]
        count += 1
    for frame in range(frames):
        if frame + around_t < frames:
            total += loud[frame + around_t]
            count += 1
        if frame - around_t - 1 >= 0:
            total -= loud[frame - around_t - 1]
            count -= 1
        over[frame] = loud[frame] - total / np.float32(count)
    out = np.empty_like(loud)
    for frame in range(frames):
        inside = np.float32(0)
        for row in range(min(around_f, rows)):
            inside += over[frame, row]
        n = min(around_f, rows)
        for row in range(rows):
            if row + around_f < rows:
                inside += over[frame, row + around_f]
                n += 1
            if row - around_f - 1 >= 0:
                inside -= over[frame, row - around_f - 1]
                n -= 1
            out[frame, row] = over[frame, row] - inside / n
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _summits(
    high: NDArray[np.float32], begin: int, end: int, reach_t: int, reach_f: int, least: np.float32
) -> NDArray[np.float64]:
    frames, rows = high.shape
    out = np.empty((256, 3))
    n = 0
    for frame in range(max(1, begin), min(end, frames - 1)):
        for row in range(1, rows - 1):
            top = high[frame, row]
            if top < least or top < high[frame, row - 1] or top <= high[frame, row + 1]:
                continue
            if top < high[frame - 1, row] or top <= high[frame + 1, row]:
                continue
            if not _is_highest(high, frame, row, reach_t, reach_f):
                continue
            if n == out.shape[0]:
                wider = np.empty((2 * n, 3))
                wider[:n] = out
                out = wider
            out[n, 0] = frame + _vertex(high[frame - 1, row], top, high[frame + 1, row])
            out[n, 1] = row + _vertex(high[frame, row - 1], top, high[frame, row + 1])
            out[n, 2] = top
            n += 1
    return out[:n]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_highest(high: NDArray[np.float32], frame: int, row: int, reach_t: int, reach_f: int) -> bool:
    top = high[frame, row]
    for f in range(max(0, frame - reach_t), min(high.shape[0], frame + reach_t + 1)):
        for r in range(max(0, row - reach_f), min(high.shape[1], row + reach_f + 1)):
            if high[f, r] > top:
                return False
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _vertex(before: float, top: float, after: float) -> float:
    """Say where a parabola through three points is highest, from the middle one."""
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
