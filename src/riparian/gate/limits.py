"""Does this account ask too fast?

A limit on requests in which an account is one number: the time at which all it has asked for is paid for, at one
request every ``interval``.  It may be ahead of the clock by ``burst`` intervals and no more; whatever is refused is
not paid for.  This is the generic cell rate algorithm: exact, as a token bucket is, and nothing drips.

Rules
-----
* ``burst`` requests at once after a pause, and one an interval from then on.  The interval is rounded up to whole
  microseconds: never does one request more get through than is stated.
* A clock that goes back earns nothing.  It locks nobody out either: whoever would be further ahead than a burst has
  just used one, by the new clock, and so waits for one interval.
* Times before 1970 count as 1970, and times after the year 75,000 as that.

Source
------
ITU-T I.371 (2004), annex A: the virtual scheduling algorithm.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.gate.tokens import LATEST_US, Ints

MINUTE_US: Final = 60_000_000


def interval_us(per_minute: int) -> int:
    """Space out so many requests a minute, in microseconds, rounded up.

    Examples
    --------
    >>> interval_us(600), interval_us(7)
    (100000, 8571429)
    """
    return -(-MINUTE_US // per_minute)


@njit(cache=True, nogil=True, forceinline=True)
def within(paid_us: int, now_us: int, interval: int, burst: int) -> int:
    """Tell until when an account has paid where the clock may have gone back: never for more than a burst.

    Examples
    --------
    >>> within(1_250, 1_000, 100, 3), within(9_999, 1_000, 100, 3)
    (1250, 1300)
    """
    return min(paid_us, now_us + burst * interval)


@njit(cache=True, nogil=True, forceinline=True)
def paid_until(paid_us: int, now_us: int, interval: int) -> int:
    """Tell until when an account will have paid once it has asked now.

    Examples
    --------
    >>> paid_until(0, 1_000, 100), paid_until(1_150, 1_000, 100)
    (1100, 1250)
    """
    return max(paid_us, now_us) + interval


@njit(cache=True, nogil=True, forceinline=True)
def wait_us(paid_us: int, now_us: int, interval: int, burst: int) -> int:
    """Tell how long an account has to wait before it may ask; 0 when it may ask now.

    Parameters
    ----------
    paid_us
        Until when it has paid; 0 for one that never asked.
    now_us
        UTC.
    interval
        Microseconds a request (:func:`interval_us`).
    burst
        Requests at once.

    Examples
    --------
    >>> wait_us(1_200, 1_000, 100, 3), wait_us(1_250, 1_000, 100, 3)
    (0, 50)
    """
    return max(0, paid_until(paid_us, now_us, interval) - now_us - burst * interval)


@njit(cache=True, nogil=True)
def ask(paid_us: Ints, slot: NDArray[np.int32], at_us: Ints, interval: int, burst: int) -> Ints:
    """Ask for a request each, in the order given.

    Parameters
    ----------
    paid_us
        Of every account; changed in place [shape=(accounts,)].
    slot, at_us
        Whose each request is, and when it comes [shape=(requests,)].
    interval, burst
        As of :func:`wait_us`.

    Returns
    -------
    np.ndarray
        How long each is told to wait, in microseconds; 0 where it is let through [shape=(requests,)].

    Examples
    --------
    >>> paid_us, at_us = np.zeros(1, np.int64), np.array([1_000, 1_000, 1_000, 1_100])
    >>> ask(paid_us, np.zeros(4, np.int32), at_us, 100, 2).tolist()
    [0, 0, 100, 0]
    """
    waits = np.zeros(slot.size, np.int64)
    for i in range(slot.size):
        row, now = slot[i], min(max(at_us[i], 0), LATEST_US)
        paid_us[row] = within(paid_us[row], now, interval, burst)
        waits[i] = wait_us(paid_us[row], now, interval, burst)
        if waits[i] == 0:
            paid_us[row] = paid_until(paid_us[row], now, interval)
    return waits
