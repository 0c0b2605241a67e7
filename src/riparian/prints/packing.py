"""How are the peaks of a recording kept in little room?

About two and a half bytes a peak: the ticks since the peak before, short where they are few; the pitch, ten bits; the
strength, four.  At thirteen peaks a second that is 7 kB for a recording of three and a half minutes.

Layout
------
::

    version   1 byte
    short     1 byte     how many bits of a gap are written as they are
    n         4 bytes    peaks
    ticks     4 bytes    how long the sound is
    check     4 bytes    CRC-32 of all other bytes
    peaks     bits, the lowest of a byte first: for each, gap >> short ones and a zero, the gap's lowest bits, pitch,
              strength; sixteen ones stand before a gap of 31 bits

What is unpacked may come from anywhere.  It takes as much memory as there are bytes, whatever they claim.

Source
------
Rice, R. F. (1979), Some practical universal noiseless coding techniques (how gaps are written).
"""

import struct
import zlib
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.prints.keys import VERSION
from riparian.prints.peaks import STRENGTHS, Peaks

PITCH_BITS: Final = 10
_STRENGTH_BITS: Final = 4
_LONG_BITS: Final = 31
_ONES_MAX: Final = 16
_SHORT_MAX: Final = 15
_PEAK_BITS_MIN: Final = 1 + PITCH_BITS + _STRENGTH_BITS
_PEAK_BITS_MAX: Final = _ONES_MAX + _LONG_BITS + PITCH_BITS + _STRENGTH_BITS
_HEAD: Final = struct.Struct("<BBIII")
_AGAIN: Final = "Make the print anew from its sound."


def pack(peaks: Peaks) -> bytes:
    """Write peaks.

    Raises
    ------
    InputError
        When a pitch is not in [0, 1024), a strength not in [0, 16), or a time not in [0, ticks].

    Examples
    --------
    >>> peaks = Peaks(np.array([5, 250], np.int32), np.array([0, 192], np.int16), np.array([3, 15], np.uint8), 500)
    >>> len(pack(peaks)), unpack(pack(peaks)).at.tolist()
    (20, [5, 250])
    """
    fits = (
        not len(peaks)
        or (peaks.pitch.min() >= 0 and peaks.pitch.max() < 1 << PITCH_BITS and peaks.strength.max() < STRENGTHS)
    ) and peaks.ticks < 1 << _LONG_BITS
    if not fits or (len(peaks) and not 0 <= peaks.at[0] <= peaks.at[-1] <= peaks.ticks):
        raise InputError("peaks lie outside of their sound, wanted pitches of 0 to 1023 and strengths of 0 to 15")
    gaps = np.diff(peaks.at, prepend=np.int32(0)).astype(np.int64)
    short = _short(gaps)
    body = np.zeros((len(peaks) * _PEAK_BITS_MAX + 7) // 8, dtype=np.uint8)
    bits = _write(gaps, peaks.pitch, peaks.strength, short, body)
    written = body[: -(-bits // 8)].tobytes()
    unchecked = _HEAD.pack(VERSION, short, len(peaks), peaks.ticks, 0)
    return _HEAD.pack(VERSION, short, len(peaks), peaks.ticks, zlib.crc32(written, zlib.crc32(unchecked))) + written


def unpack(packed: bytes | memoryview) -> Peaks:
    """Read peaks.

    Raises
    ------
    InputError
        When this is no print, is cut off or damaged, or has another version.
    """
    if len(packed) < _HEAD.size:
        raise InputError(f"a print has {len(packed)} bytes, wanted at least {_HEAD.size}", hint=_AGAIN)
    version, short, n, ticks, check = _HEAD.unpack_from(packed)
    if version != VERSION:
        raise InputError(f"a print has version {version}, wanted {VERSION}", hint=_AGAIN)
    body = np.frombuffer(packed, dtype=np.uint8, offset=_HEAD.size)
    unchecked = _HEAD.pack(version, short, n, ticks, 0)
    sound = zlib.crc32(body.data, zlib.crc32(unchecked)) == check
    # Check sums are no signature: whatever it claims, nothing is read outside of the bytes, and nothing larger made.
    if not sound or short > _SHORT_MAX or ticks >> _LONG_BITS or n * _PEAK_BITS_MIN > 8 * body.size:
        raise InputError("a print is not what was written", hint=_AGAIN)
    at, pitch = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int16)
    strength = np.empty(n, dtype=np.uint8)
    bits = _read(body, short, ticks, at, pitch, strength)
    if bits < 0 or -(-bits // 8) != body.size:
        raise InputError("a print is not what was written", hint=_AGAIN)
    return Peaks(at, pitch, strength, ticks)


def _short(gaps: NDArray[np.int64]) -> int:
    # The width with which gaps take the least room.
    if not gaps.size:
        return 0
    bits = [
        int(np.where(gaps >> short < _ONES_MAX, (gaps >> short) + 1 + short, _ONES_MAX + _LONG_BITS).sum())
        for short in range(_SHORT_MAX + 1)
    ]
    return int(np.argmin(bits))


@njit(cache=True, nogil=True)
def _put(body: Any, bit: Any, value: Any, width: Any) -> Any:
    while width > 0:
        free = 8 - (bit & 7)
        body[bit >> 3] |= ((value & ((1 << min(free, width)) - 1)) << (bit & 7)) & 255
        step = min(free, width)
        value >>= step
        bit += step
        width -= step
    return bit


@njit(cache=True, nogil=True)
def _write(gaps: Any, pitch: Any, strength: Any, short: Any, body: Any) -> Any:
    bit = 0
    for i in range(gaps.size):
        ones = gaps[i] >> short
        if ones < _ONES_MAX:
            bit = _put(body, bit, (1 << ones) - 1, ones + 1)
            bit = _put(body, bit, gaps[i] & ((1 << short) - 1), short)
        else:
            bit = _put(body, bit, (1 << _ONES_MAX) - 1, _ONES_MAX)
            bit = _put(body, bit, gaps[i], _LONG_BITS)
        bit = _put(body, bit, np.int64(pitch[i]) | np.int64(strength[i]) << PITCH_BITS, PITCH_BITS + _STRENGTH_BITS)
    return bit


@njit(cache=True, nogil=True)
def _get(body: Any, bit: Any, width: Any) -> Any:
    value = got = np.int64(0)
    while got < width:
        step = min(8 - (bit & 7), width - got)
        value |= (np.int64(body[bit >> 3]) >> (bit & 7) & ((1 << step) - 1)) << got
        got += step
        bit += step
    return value


@njit(cache=True, nogil=True)
def _read(body: Any, short: Any, ticks: Any, at: Any, pitch: Any, strength: Any) -> Any:
    # How many bits were read; -1 where they end too soon, or what they say cannot be.
    n_bits = 8 * body.size
    bit = now = np.int64(0)
    for i in range(at.size):
        ones = 0
        while bit < n_bits and ones < _ONES_MAX and body[bit >> 3] >> (bit & 7) & 1:
            ones += 1
            bit += 1
        if ones < _ONES_MAX:
            bit += 1
            width = short
        else:
            width = _LONG_BITS
        if bit + width + PITCH_BITS + _STRENGTH_BITS > n_bits:
            return -1
        gap = _get(body, bit, width)
        now += gap + (0 if ones == _ONES_MAX else ones << short)
        bit += width
        if now > ticks:
            return -1
        last = _get(body, bit, PITCH_BITS + _STRENGTH_BITS)
        bit += PITCH_BITS + _STRENGTH_BITS
        at[i], pitch[i], strength[i] = now, last & ((1 << PITCH_BITS) - 1), last >> PITCH_BITS
    while bit & 7:
        if body[bit >> 3] >> (bit & 7) & 1:
            return -1
        bit += 1
    return bit
