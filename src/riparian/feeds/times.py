"""When did it happen?  Any way of writing a time becomes microseconds since 1970, UTC.

Read: ISO 8601 with ``T`` or a space, to the minute, second or any fraction, with ``Z``, an offset or
nothing (UTC); the common log format ``10/Oct/2025:13:55:36 -0700``; a number of seconds,
milliseconds, microseconds or nanoseconds since 1970.

A number's unit follows from its size: the four ranges below do not meet for any time between 1973 and
5138.  A column whose name ends in ``_us``, ``_ms``, ``_s`` or ``_ns`` is taken at its word.

==============  ================
unit            size
==============  ================
seconds         1e8 to 1e11
milliseconds    1e11 to 1e14
microseconds    1e14 to 1e17
nanoseconds     1e17 and above
==============  ================
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

NO_TIME: Final = -(2**63)
"""What stands for a value that is not a time."""

UNITS: Final = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
_NO = np.int64(NO_TIME)
_MONTHS: Final = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", dtype=np.uint8).copy()


@njit(cache=True, nogil=True)
def _two(data: Any, p: Any) -> Any:
    a = np.int64(data[p]) - 48
    b = np.int64(data[p + 1]) - 48
    if a < 0 or a > 9 or b < 0 or b > 9:
        return np.int64(-1000000)
    return a * 10 + b


@njit(cache=True, nogil=True)
def _days(year: Any, month: Any, day: Any) -> Any:
    # Hinnant (2013), days_from_civil, for years after 0.
    y = year - 1 if month <= 2 else year
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@njit(cache=True, nogil=True)
def _epoch_us(number: Any) -> Any:
    size = abs(number)
    if size < 1e8:
        return np.int64(NO_TIME)
    if size < 1e11:
        return np.int64(np.rint(number * 1e6))
    if size < 1e14:
        return np.int64(np.rint(number * 1e3))
    if size < 1e17:
        return np.int64(np.rint(number))
    if size < 9.2e18:
        return np.int64(np.floor(number / 1e3))
    return np.int64(NO_TIME)


@njit(cache=True, nogil=True)
def _number_us(data: Any, lo: Any, hi: Any) -> Any:
    whole = np.int64(0)
    part = np.int64(0)
    scale = np.int64(1)
    point = False
    for p in range(lo, hi):
        c = data[p]
        if c == 46 and not point:
            point = True
        elif 48 <= c <= 57:
            if point:
                if scale < 1_000_000_000:
                    part = part * 10 + (c - 48)
                    scale *= 10
            else:
                if hi - lo > 22 or whole > 900_000_000_000_000_000:
                    return np.int64(NO_TIME)
                whole = whole * 10 + (c - 48)
        else:
            return np.int64(NO_TIME)
    # Integer arithmetic: a double holds a time in nanoseconds only to 256 of them.
    if whole < 100_000_000:
        return np.int64(NO_TIME)
    if whole < 100_000_000_000:
        return whole * 1_000_000 + (part * 1_000_000 + scale // 2) // scale
    if whole < 100_000_000_000_000:
        return whole * 1_000 + (part * 1_000 + scale // 2) // scale
    if whole < 100_000_000_000_000_000:
        return whole
    return whole // 1_000


@njit(cache=True, nogil=True)
def _zone_us(data: Any, p: Any, hi: Any) -> Any:
    while p < hi and data[p] == 32:
        p += 1
    if p == hi or (p + 1 == hi and (data[p] == 90 or data[p] == 122)):
        return np.int64(0)
    if p + 3 == hi and data[p] == 85 and data[p + 1] == 84 and data[p + 2] == 67:
        return np.int64(0)
    if data[p] != 43 and data[p] != 45:
        return np.int64(NO_TIME)
    if hi - p != 3 and hi - p != 5 and hi - p != 6:
        return np.int64(NO_TIME)
    minutes = _two(data, p + 1) * 60
    if hi - p == 5:
        minutes += _two(data, p + 3)
    if hi - p == 6:
        minutes += _two(data, p + 4)
    if minutes < 0 or minutes > 24 * 60:
        return np.int64(NO_TIME)
    us = minutes * 60_000_000
    return -us if data[p] == 45 else us


@njit(cache=True, nogil=True)
def _clock_us(data: Any, p: Any, hi: Any) -> Any:
    # hh:mm[:ss[.fraction]] and a zone, from p on
    if hi - p < 5 or data[p + 2] != 58:
        return np.int64(NO_TIME)
    hour = _two(data, p)
    minute = _two(data, p + 3)
    second = np.int64(0)
    us = np.int64(0)
    p += 5
    if p < hi and data[p] == 58:
        if hi - p < 3:
            return np.int64(NO_TIME)
        second = _two(data, p + 1)
        p += 3
        if p < hi and (data[p] == 46 or data[p] == 44):
            p += 1
            scale = np.int64(100_000)
            while p < hi and 48 <= data[p] <= 57:
                us += (np.int64(data[p]) - 48) * scale
                scale //= 10
                p += 1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return np.int64(NO_TIME)
    zone = _zone_us(data, p, hi)
    if zone == NO_TIME:
        return np.int64(NO_TIME)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + us - zone


@njit(cache=True, nogil=True)
def _text_us(data: Any, lo: Any, hi: Any, months: Any) -> Any:
    while lo < hi and (data[lo] == 32 or data[lo] == 91):
        lo += 1
    while hi > lo and (data[hi - 1] == 32 or data[hi - 1] == 93):
        hi -= 1
    n = hi - lo
    if n >= 16 and data[lo + 4] == 45 and data[lo + 7] == 45:
        year = _two(data, lo) * 100 + _two(data, lo + 2)
        month = _two(data, lo + 5)
        day = _two(data, lo + 8)
        if data[lo + 10] != 84 and data[lo + 10] != 32 and data[lo + 10] != 116:
            return np.int64(NO_TIME)
        clock = _clock_us(data, lo + 11, hi)
    elif n >= 20 and data[lo + 2] == 47 and data[lo + 6] == 47 and data[lo + 11] == 58:
        day = _two(data, lo)
        year = _two(data, lo + 7) * 100 + _two(data, lo + 9)
        month = np.int64(0)
        for m in range(12):
            if (
                (data[lo + 3] | 32) == months[3 * m]
                and (data[lo + 4] | 32) == months[3 * m + 1]
                and (data[lo + 5] | 32) == months[3 * m + 2]
            ):
                month = np.int64(m + 1)
        clock = _clock_us(data, lo + 12, hi)
    elif n > 0:
        return _number_us(data, lo, hi)
    else:
        return np.int64(NO_TIME)
    if clock == NO_TIME or year < 1 or month < 1 or month > 12 or day < 1 or day > 31:
        return np.int64(NO_TIME)
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if (day == 31 and (month == 4 or month == 6 or month == 9 or month == 11)) or (
        month == 2 and day > (29 if leap else 28)
    ):
        return np.int64(NO_TIME)
    return _days(year, month, day) * 86_400_000_000 + clock


@njit(cache=True, nogil=True)
def _texts_us(data: Any, offsets: Any, start: Any, months: Any, out: Any) -> None:
    # Lines of a log mostly share their date: the day is worked out when it changes.
    known = np.int64(-1)
    day_us = np.int64(0)
    for i in range(out.size):
        lo = np.int64(offsets[start + i])
        hi = np.int64(offsets[start + i + 1])
        shared = 0
        if known >= 0 and hi - lo >= 16:
            while shared < 11 and data[lo + shared] == data[known + shared]:
                shared += 1
        if shared == 11:
            clock = _clock_us(data, lo + 11, hi)
            out[i] = clock if clock == NO_TIME else day_us + clock
            continue
        out[i] = _text_us(data, lo, hi, months)
        known = np.int64(-1)
        if out[i] != NO_TIME and hi - lo >= 16 and data[lo + 4] == 45 and data[lo + 7] == 45:
            known = lo
            day_us = out[i] - _clock_us(data, lo + 11, hi)


@njit(cache=True, nogil=True)
def _numbers_us(numbers: Any, factor: Any, out: Any) -> None:
    for i in range(out.size):
        x = np.float64(numbers[i])
        if not np.isfinite(x):
            out[i] = NO_TIME
        elif factor > 0.0:
            y = x * factor
            out[i] = np.int64(np.floor(y)) if abs(y) < 9.2e18 else NO_TIME
        else:
            out[i] = _epoch_us(x)


def _integers_us(numbers: npt.NDArray[Any], unit: str) -> npt.NDArray[np.int64]:
    wide = numbers.astype(np.int64, copy=False)
    if unit == "us":
        return wide
    if unit == "ns":
        return wide // 1_000
    out: npt.NDArray[np.int64] = np.empty(wide.size, dtype=np.int64)
    if unit:
        factor = int(UNITS[unit])
        fits = np.abs(wide) < 2**62 // factor
        out[:] = np.where(fits, wide * factor, NO_TIME)
        return out
    size = np.abs(wide)
    out[:] = NO_TIME
    for low, high, up, down in (
        (10**8, 10**11, 1_000_000, 1),
        (10**11, 10**14, 1_000, 1),
        (10**14, 10**17, 1, 1),
        (10**17, 2**63 - 1, 1, 1_000),
    ):
        here = (size >= low) & (size < high)
        if here.any():
            out[here] = wide[here] * up // down
    return out


def unit_of(column: str) -> str:
    """Give the unit that a column's name states, or nothing.

    Examples
    --------
    >>> unit_of("at_us"), unit_of("timestamp_ms"), unit_of("at")
    ('us', 'ms', '')
    """
    end = column.lower().rpartition("_")[2]
    return end if end in UNITS and "_" in column else ""


def _array_us(values: pa.Array, unit: str) -> npt.NDArray[np.int64]:
    kind = values.type
    if pa.types.is_dictionary(kind):
        distinct = np.append(_array_us(values.dictionary, unit), _NO)
        rows = values.indices.cast(pa.int64()).fill_null(distinct.size - 1)
        picked: npt.NDArray[np.int64] = distinct[rows.to_numpy(zero_copy_only=False)]
        return picked
    out = np.full(len(values), NO_TIME, dtype=np.int64)
    if not len(values) or pa.types.is_null(kind):
        return out
    if pa.types.is_timestamp(kind):
        ticks = values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        out = _integers_us(ticks, kind.unit).copy()
    elif pa.types.is_date(kind):
        out = values.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    elif pa.types.is_integer(kind):
        out = _integers_us(values.fill_null(0).to_numpy(zero_copy_only=False), unit).copy()
    elif pa.types.is_floating(kind):
        _numbers_us(values.fill_null(np.nan).to_numpy(zero_copy_only=False), UNITS.get(unit, 0.0), out)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        texts = values if pa.types.is_large_string(kind) else values.cast(pa.large_string())
        if unit in UNITS:
            numbers = pc.cast(texts, pa.float64(), safe=False) if _all_numbers(texts) else None
            if numbers is not None and unit != "s":
                return _array_us(pc.cast(numbers, pa.int64(), safe=False), unit)
            if numbers is not None:
                return _array_us(numbers, unit)
        _, offsets, data = texts.buffers()
        octets = np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        _texts_us(octets, np.frombuffer(offsets, dtype=np.int64), texts.offset, _MONTHS, out)
    if values.null_count:
        out[values.is_null().to_numpy(zero_copy_only=False)] = NO_TIME
    return out


def _all_numbers(texts: pa.Array) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, r"^-?[0-9]{1,18}(\.[0-9]*)?$")).as_py())


def times_us(values: pa.Array | pa.ChunkedArray, *, unit: str = "") -> npt.NDArray[np.int64]:
    """Read times.

    Parameters
    ----------
    values : [shape=(n,)]
        Timestamps, dates, strings or numbers.
    unit
        ``s``, ``ms``, ``us`` or ``ns`` for numbers; empty when their size must tell.

    Returns
    -------
    at_us : np.ndarray [shape=(n,), int64]
        :data:`NO_TIME` where a value is missing or is not a time.

    Examples
    --------
    >>> times_us(pa.array(["1970-01-02T00:00", "02/Jan/1970:01:00:00 +0100", "100000000.5", "soon"])).tolist()
    [86400000000, 86400000000, 100000000500000, -9223372036854775808]
    """
    if isinstance(values, pa.ChunkedArray):
        parts = [_array_us(chunk, unit) for chunk in values.chunks]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    return _array_us(values, unit)
