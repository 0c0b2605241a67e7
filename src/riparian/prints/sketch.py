"""Which hashes of a recording are kept, so that it is found among millions?

A sketch is a few dozen values, and who looks for a recording has all of its copy.  So the recording may choose: of the
values in a small share of all, which a query looks up and no others, it keeps those that are likeliest to be found in a
changed copy and in nothing else.  They are spread over its length, so that a clip has some, and over its peaks, so that
they are not all lost together.

Conventions
-----------
* A sketch is in order of worth: the first of a greater sketch are a smaller one, of a recording of the same length.
* ``k`` is of a recording of up to five minutes; a longer one keeps as many more as it is longer.
* A query looks up more in an index of greater sketches: a sketch holds the best of each *tier*, whose share is greater.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.hashes import Asking, Hashes, fixed, in_share, turning
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import TICK_S, Peaks

TIERS: Final = (64, 256, 1024)
"""Sizes of sketches at which the share that a query looks up changes."""
LEAST: Final = 8
_LONG_S: Final = 300.0
_TURNING_SHARE: Final = 0.012
_FIXED_SHARE: Final = 0.005
"""Of all values, in the first tier; the others' are as much greater as they are."""
_FIXED_PART: Final = 0.375
"""Of a sketch, the hashes that do not turn."""
_STRETCH_TICKS: Final = round(12 / TICK_S)
_SPREAD: Final = 0.1
"""Worth that a hash must have more for each that comes before it from its stretch."""
_APART: Final = 0.3
"""The same for each that comes before it from its first peak."""


def kept(k: int, seconds: float) -> int:
    """Say how many values a recording of some length keeps.

    Examples
    --------
    >>> kept(64, 210.0), kept(64, 600.0)
    (64, 128)
    """
    return round(k * max(1.0, seconds / _LONG_S))


def sketch(peaks: Peaks, key: PrintKey, k: int) -> NDArray[np.uint64]:
    """Choose what to keep of a recording.

    Parameters
    ----------
    peaks
        Of the whole recording.
    key
        The index's.
    k
        Values to keep, from 8 to 1,024, of a recording of up to five minutes.

    Returns
    -------
    value : np.ndarray [shape=(<=kept(k, peaks.seconds),), uint64]
        Distinct, in order of worth; fewer where the recording has no more, none of silence.

    Raises
    ------
    ValueError
        When ``k`` is out of range.
    """
    tiers = TIERS[: TIERS.index(_tier(k)) + 1]
    families = (
        (turning(peaks, key, _share(_TURNING_SHARE, tiers[-1])), _TURNING_SHARE, 1 - _FIXED_PART),
        (fixed(peaks, key, _share(_FIXED_SHARE, tiers[-1])), _FIXED_SHARE, _FIXED_PART),
    )
    out = np.empty(0, dtype=np.uint64)
    for tier in tiers:
        orders, places = [], []
        for hashes, base, part in families:
            among = in_share(hashes.value, _share(base, tier)) & ~np.isin(hashes.value, out, kind="sort")
            orders.append(_ordered(hashes, np.flatnonzero(among)))
            places.append((np.arange(orders[-1].size) + 0.5) / part)
        woven = np.concatenate(orders)[np.argsort(np.concatenate(places), kind="stable")]
        out = np.append(out, woven[: kept(tier, peaks.seconds) - out.size])
    return out[: kept(k, peaks.seconds)]


def asked(peaks: Peaks, key: PrintKey, k: int, asking: Asking = Asking.NEAR) -> NDArray[np.uint64]:
    """Say which values to look up for a query, in an index of sketches of ``k``.

    Parameters are those of :func:`sketch` and :func:`riparian.prints.hashes.turning`; the peaks are of any part of a
    copy.

    Returns
    -------
    value : np.ndarray [shape=(n,), uint64]
        Distinct, ascending; for 3.5 minutes and ``k`` of 64, about 35,000 near, 90,000 far.
    """
    tier = _tier(k)
    turns = turning(peaks, key, _share(_TURNING_SHARE, tier), asking)
    fixes = fixed(peaks, key, _share(_FIXED_SHARE, tier), asking)
    value = np.sort(np.concatenate((turns.value, fixes.value)))
    distinct: NDArray[np.uint64] = value[np.append(True, value[1:] != value[:-1])[: value.size]]
    return distinct


def _tier(k: int) -> int:
    if not LEAST <= k <= TIERS[-1]:
        raise ValueError(f"a sketch of {k} values was asked for, wanted {LEAST} to {TIERS[-1]}")
    return next(tier for tier in TIERS if k <= tier)


def _share(base: float, tier: int) -> float:
    return base * tier / TIERS[0]


def _ordered(hashes: Hashes, among: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Give some of the values, each once, the best first."""
    order = among[np.lexsort((-hashes.worth[among], hashes.value[among]))]
    value = hashes.value[order]
    order = order[np.append(True, value[1:] != value[:-1])[: value.size]]
    worth = hashes.worth[order].astype(np.float64)
    stretch = hashes.at[order] // _STRETCH_TICKS
    worth = worth - _SPREAD * _before(worth, stretch) - _APART * _before(worth, hashes.at[order])
    best: NDArray[np.uint64] = hashes.value[order[np.argsort(-worth, kind="stable")]]
    return best


def _before(worth: NDArray[np.float64], group: NDArray[np.int32]) -> NDArray[np.float64]:
    """Count for each how many of its group are worth more."""
    by = np.lexsort((-worth, group))
    first = np.searchsorted(group[by], group[by])
    before = np.empty(worth.size)
    before[by] = np.arange(worth.size) - first
    return before
