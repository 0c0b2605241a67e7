"""On which side of a boundary between two seconds does a duration fall?

Whoever leaks a list mostly writes durations in whole seconds, rounded or cut off.  A duration that lies near a boundary
is moved across it, or kept from crossing, by at most :data:`REACH_MS`: that survives, and nobody hears or pays by it.
Where a list is rounded the boundaries are the half seconds, where it is cut off they are the whole ones; a duration is
near one of either kind or none.

Which of the two was done to a found list shows in the durations that lie near no boundary, and is chosen by how much
it explains without looking at any tenant's bits.

Conventions
-----------
* True is the later side.  A duration that lies on the side it should is left as it is; one that is moved stands up to
  :data:`_JITTER_MS` beyond the boundary.
* Durations in milliseconds, 0 or less where unknown.
"""

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

REACH_MS: Final = 150
_JITTER_MS: Final = 15
_SECOND: Final = 1000
_HALF: Final = 500
WHOLE_MOST: Final = 0.2
"""Of durations in a catalogue that are whole seconds, the most with which fractions mean anything."""


class Form(StrEnum):
    """How a found list gives durations."""

    ROUNDED = "rounded to seconds"
    CUT = "cut off to seconds"
    RAISED = "raised to seconds"
    FULL = "in milliseconds"


def boundaries(ms: NDArray[np.int64], reach: int = REACH_MS) -> NDArray[np.int64]:
    """Give the boundary that each duration is near, in milliseconds; -1 for none.

    Examples
    --------
    >>> boundaries(np.array([180_450, 180_930, 180_250, 0, 400])).tolist()
    [180500, 181000, -1, -1, -1]
    """
    near = (ms + _HALF // 2) // _HALF * _HALF
    is_near = (np.abs(ms - near) <= reach) & (ms > _SECOND)
    return np.where(is_near, near, -1)


def means_anything(ms: NDArray[np.int64]) -> bool:
    """Say whether a catalogue has durations finer than seconds: where it has not, nothing may be planted in them."""
    known = ms[ms > 0]
    return bool(known.size) and float((known % _SECOND == 0).mean()) <= WHOLE_MOST


def moved(
    ms: NDArray[np.int64], at: NDArray[np.int64], later: NDArray[np.bool_], drawn: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Put durations on the side of their boundary that their bits say.

    Parameters
    ----------
    ms, at : np.ndarray [shape=(n,), int64]
        Durations and their boundaries.
    later : np.ndarray [shape=(n,), bool]
        Bits.
    drawn : np.ndarray [shape=(n,), uint64]
        Says how far beyond the boundary one lands that has to move.

    Examples
    --------
    >>> ms = np.array([180_450, 180_450, 180_930])
    >>> moved(ms, boundaries(ms), np.array([False, True, False]), np.array([3, 3, 4], np.uint64)).tolist()
    [180450, 180503, 180930]
    """
    step = (drawn % np.uint64(_JITTER_MS)).astype(np.int64)
    is_later = ms >= at
    beyond = np.where(later, at + step, at - 1 - step)
    return np.where(is_later == later, ms, beyond)


def read(theirs: NDArray[np.int64], at: NDArray[np.int64], form: Form, reach: int = REACH_MS) -> NDArray[np.int8]:
    """Say on which side found durations are.

    Returns
    -------
    sides : np.ndarray [shape=(n,), int8]
        1 later, -1 earlier, 0 where the form hides it or the duration is another recording's.

    Examples
    --------
    >>> at = np.array([180_500, 180_500, 181_000, 180_500])
    >>> read(np.array([181_000, 180_000, 181_000, 179_000]), at, Form.ROUNDED).tolist()
    [1, -1, 0, 0]
    """
    if form is Form.FULL:
        is_ours = (np.abs(theirs - at) <= reach + _JITTER_MS) & (at >= 0)
        return np.where(is_ours, np.where(theirs >= at, 1, -1), 0).astype(np.int8)
    is_half = at % _SECOND == _HALF
    later = {Form.ROUNDED: at + _HALF, Form.CUT: at, Form.RAISED: at + _SECOND}[form]
    tells = (is_half if form is Form.ROUNDED else ~is_half) & (at >= 0)
    side = np.where(theirs == later, 1, np.where(theirs == later - _SECOND, -1, 0))
    return np.where(tells, side, 0).astype(np.int8)


def forms(theirs: NDArray[np.int64]) -> tuple[Form, ...]:
    """List the forms that found durations may have.

    Examples
    --------
    >>> forms(np.array([181_000, 0, 42_000]))
    (<Form.ROUNDED: 'rounded to seconds'>, <Form.CUT: 'cut off to seconds'>, <Form.RAISED: 'raised to seconds'>)
    >>> forms(np.array([181_123, 42_017]))
    (<Form.FULL: 'in milliseconds'>,)
    """
    return (Form.FULL,) if means_anything(theirs) else (Form.ROUNDED, Form.CUT, Form.RAISED)
