"""Where does sound stand out?

The sound is seen as loudness over time and pitch, in decibels.  Whatever is far below what is usual around the moment
counts as no louder than that, for a codec or noise will change it.  Of the loudness is taken away half of what was
just before at the same pitch, so that an equaliser and an echo change little, and its mean over all pitches, so that
a compressor does.  What is left has a *peak* where nothing near is higher.  What counts as near is an ellipse whose
shape, though not its size, is drawn from the key: an attacker does not know which places matter.

Conventions
-----------
* Frames are ``FRAME`` samples long and ``HOP`` apart; frame ``m`` has its middle at sample ``m * HOP``.
* Rows of loudness are ``ROWS_AN_OCTAVE`` to the octave, from ``LOWEST_HZ``.
* Sound is taken in blocks of frames, each with its surroundings, so that length costs time, not memory, and where a
  block ends changes nothing.
* Strength is in fifths of the log-odds that a peak is found again in a changed copy, fitted on laundered music.

Source
------
Wang, A. (2003), An industrial-strength audio search algorithm (peaks).  Sonnleitner, R. and Widmer, G. (2016), Robust
quad-based audio fingerprinting, section III (a maximum filter, interpolated).
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

HOP: Final = 256
FRAME: Final = 2048
ROWS_AN_OCTAVE: Final = 24
_ROWS: Final = 113
"""As far as 4.1 kHz."""
_BATCH: Final = 256
"""Frames that are transformed at once."""
_BLOCK: Final = 8 * _BATCH
_AROUND: Final = 110
"""Frames to either side over which is averaged what is usual; 2.6 seconds."""
_FLOOR: Final = np.float32(0.04)
"""Below this part of the usual power of a row nothing is heard."""
_SILENCE: Final = np.float32(2e-5)
"""Power, below which nothing is heard in any surroundings: 101 dB below full scale, above the hiss of 16 bits."""
_LOUDEST: Final = np.float32(100)
"""Times full scale: samples beyond are cut, and those that are no numbers are silent, lest they deafen what follows."""
_BEFORE: Final = (26, 2)
"""Frames ago, from and to: what was just before; half a second of it."""
_ECHO: Final = np.float32(0.5)
"""How much of its loudness is taken away."""
_SMOOTH: Final = 2
"""Frames to either side over which loudness is smoothed."""
_LEAST: Final = np.float32(3.0)
"""Decibels that are left, at least, at a peak."""
_NEAR: Final = 73.0
"""Frames by rows: the product of the half axes of the ellipse within which nothing is higher."""
_NEAR_FRAMES: Final = (9.5, 13.0)
"""Its half axis in time is between these."""
_MARGIN: Final = _AROUND + _BEFORE[0] + _SMOOTH + 20


def peaks(samples: NDArray[np.float32], key: PrintKey) -> Peaks:
    """Find where sound stands out.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), float32]
        Mono, at ``RATE`` a second; any loudness, any length.
    key
        Says what is near a peak.

    Returns
    -------
    Peaks
        About a dozen a second of music; none of silence.

    Examples
    --------
    >>> at = np.arange(2 * RATE) / RATE
    >>> tone = np.where((at > 0.5) & (at < 1.5), np.sin(2 * np.pi * 640 * at), 0).astype(np.float32)
    >>> found = peaks(tone, PrintKey(bytes(32)))
    >>> int(found.pitch[found.strength.argmax()]), len(peaks(np.zeros(RATE, np.float32), PrintKey(bytes(32))))
    (384, 0)
    """
    near = _ellipse(key)
    parts = [_summits(_heights(power), *inside, near, first) for power, first, inside in _blocks(samples)]
    found = np.concatenate(parts) if parts else np.empty((0, 3))
    ticks = int(samples.size / RATE / TICK_S)
    at = np.rint(found[:, 0] * (HOP / RATE / TICK_S)).clip(0, ticks).astype(np.int32)
    pitch = np.rint(found[:, 1].clip(0) * (STEPS / ROWS_AN_OCTAVE)).astype(np.int16)
    strength = np.rint(5 * found[:, 2]).clip(0, STRENGTHS - 1).astype(np.uint8)
    order = np.lexsort((pitch, at))
    return Peaks(at[order], pitch[order], strength[order], ticks)


def _ellipse(key: PrintKey) -> NDArray[np.int64]:
    """Say how many frames to either side are near, in the row of a peak and those beside it; shape=(rows,)."""
    shortest, longest = _NEAR_FRAMES
    frames = shortest + key.share("near") * (longest - shortest)
    rows = np.arange(int(_NEAR / frames) + 1)
    reach: NDArray[np.int64] = np.floor(frames * np.sqrt(1 - np.square(rows * frames / _NEAR))).astype(np.int64)
    return reach


def _blocks(samples: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], int, tuple[int, int]]]:
    """Give power with its surroundings, the number of its first frame, and which of its frames are the block's own."""
    frames = -(-samples.size // HOP) + 1 if samples.size else 0
    held, begin = np.empty((0, _ROWS), dtype=np.float32), 0
    for first in range(0, frames, _BLOCK):
        last = min(frames, first + _BLOCK)
        until = min(frames, last + _MARGIN)
        fresh = [
            _power(samples, batch, min(until, batch + _BATCH)) for batch in range(begin + len(held), until, _BATCH)
        ]
        held = np.concatenate([held, *fresh])
        yield held, begin, (first - begin, last - begin)
        keep = max(0, last - _MARGIN - begin)
        held, begin = held[keep:], begin + keep


def _power(samples: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """Give the power in each row, of frames from one to before another; shape=(frames, rows)."""
    begin, end = first * HOP - FRAME // 2, (last - 1) * HOP + FRAME // 2
    part = samples[max(0, begin) : min(samples.size, end)]
    if not np.abs(part).max(initial=0) <= _LOUDEST:
        part = np.nan_to_num(part, nan=0.0).clip(-_LOUDEST, _LOUDEST)
    part = np.pad(part, (max(0, -begin), max(0, end - max(begin, samples.size))))[: end - begin]
    spectra = fft.rfft(np.lib.stride_tricks.sliding_window_view(part, FRAME)[::HOP] * _window(), axis=1)
    mapped: NDArray[np.float32] = _mapped(spectra, *_map())
    return mapped


@cache
def _window() -> NDArray[np.float32]:
    window: NDArray[np.float32] = np.hanning(FRAME + 1)[:FRAME].astype(np.float32)
    return window


@cache
def _map() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Say which bins of a spectrum belong to a row, from, to before, and how much of each; triangles that overlap."""
    middle = LOWEST_HZ * 2 ** (np.arange(_ROWS) / ROWS_AN_OCTAVE) * FRAME / RATE
    width = np.maximum(1.0, middle * (2 ** (1 / ROWS_AN_OCTAVE) - 1))
    low, high = np.ceil(middle - width).astype(np.int64), np.floor(middle + width).astype(np.int64) + 1
    offset = np.arange((high - low).max())
    weight = np.maximum(0, 1 - np.abs(low[:, None] + offset - middle[:, None]) / width[:, None])
    return low, high, weight.astype(np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _mapped(
    spectra: NDArray[np.complex64], low: NDArray[np.int64], high: NDArray[np.int64], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    out = np.empty((spectra.shape[0], low.size), dtype=np.float32)
    power = np.empty(high[-1], dtype=np.float32)
    for frame in range(spectra.shape[0]):
        for i in range(low[0], high[-1]):
            power[i] = spectra[frame, i].real ** 2 + spectra[frame, i].imag ** 2
        for row in range(low.size):
            total = np.float32(0)
            for i in range(high[row] - low[row]):
                total += weight[row, i] * power[low[row] + i]
            out[frame, row] = total
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _heights(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give decibels above what was before and above what else there is; shape=(frames, rows)."""
    frames, rows = power.shape
    total = np.empty((frames, 1), dtype=np.float32)
    for frame in range(frames):
        total[frame, 0] = power[frame].mean()
    floor = _FLOOR * _mean(total, -_AROUND, _AROUND)[:, 0] + _SILENCE
    before = _mean(power, -_BEFORE[0], -_BEFORE[1])
    loud = np.empty_like(power)
    for frame in range(frames):
        for row in range(rows):
            now, then = power[frame, row] + floor[frame], max(np.float32(0), before[frame, row]) + floor[frame]
            loud[frame, row] = np.float32(4.3429448) * (np.log(now) - _ECHO * np.log(then))
    smooth = _mean(loud, -_SMOOTH, _SMOOTH)
    for frame in range(frames):
        smooth[frame] -= smooth[frame].mean()
    return smooth


@njit(cache=True, nogil=True, fastmath=True)
def _mean(values: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
    """Average each column over the frames around each, from so many after it to so many; 0 where there are none."""
    frames, columns = values.shape
    out = np.zeros_like(values)
    total = np.zeros(columns, dtype=np.float64)
    for frame in range(min(max(0, end), frames)):
        total += values[frame]
    for frame in range(frames):
        if 0 <= frame + end < frames:
            total += values[frame + end]
        if frame + begin - 1 >= 0:
            total -= values[frame + begin - 1]
        n = min(frames, frame + end + 1) - max(0, frame + begin)
        for column in range(columns if n > 0 else 0):
            out[frame, column] = total[column] / n
    return out


@njit(cache=True, nogil=True)
def _summits(
    high: NDArray[np.float32], begin: int, end: int, near: NDArray[np.int64], first: int
) -> NDArray[np.float64]:
    """Give frame and row, to a fraction, and the log-odds of survival, of each peak; shape=(peaks, 3)."""
    frames, rows = high.shape
    out = np.empty((256, 3))
    n = 0
    for frame in range(max(1, begin), min(end, frames - 1)):
        for row in range(1, rows - 1):
            top = high[frame, row]
            if top < _LEAST or not _is_summit(high, frame, row):
                continue
            second = _second(high, frame, row, near)
            if second > top:
                continue
            if n == out.shape[0]:
                out = np.concatenate((out, np.empty_like(out)))
            out[n, 0] = first + frame + _vertex(high[frame - 1, row], top, high[frame + 1, row])
            out[n, 1] = row + _vertex(high[frame, row - 1], top, high[frame, row + 1])
            out[n, 2] = _odds(high, frame, row, top - second)
            n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def _is_summit(high: NDArray[np.float32], frame: int, row: int) -> bool:
    top = high[frame, row]
    across = top >= high[frame, row - 1] and top > high[frame, row + 1]
    return bool(across and top >= high[frame - 1, row] and top > high[frame + 1, row])


@njit(cache=True, nogil=True)
def _second(high: NDArray[np.float32], frame: int, row: int, near: NDArray[np.int64]) -> float:
    """Give the height of the highest summit near another; a higher one is given as soon as it is seen."""
    top = high[frame, row]
    second = np.float32(-20)
    for r in range(max(1, row - near.size + 1), min(high.shape[1] - 1, row + near.size)):
        reach = near[abs(r - row)]
        for f in range(max(1, frame - reach), min(high.shape[0] - 1, frame + reach + 1)):
            if high[f, r] <= second or (f == frame and r == row):
                continue
            if high[f, r] > top:
                return float(high[f, r])
            if (abs(f - frame) > 2 or abs(r - row) > 2) and _is_summit(high, f, r):
                second = high[f, r]
    return float(second)


@njit(cache=True, nogil=True)
def _odds(high: NDArray[np.float32], frame: int, row: int, lead: float) -> float:
    """Give the log-odds that a peak survives: by its height, its lead on the next, and how steep it is."""
    top = high[frame, row]
    rise = min(top - high[max(0, frame - 6), row], 15.0)
    fall = min(top - high[min(high.shape[0] - 1, frame + 6), row], 15.0)
    return float(0.055 * top + 0.077 * min(lead, 12.0) + 0.034 * rise + 0.063 * fall - 0.55)


@njit(cache=True, nogil=True)
def _vertex(before: float, top: float, after: float) -> float:
    """Say where a parabola through three points is highest, from the middle one."""
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
