"""Which hashes of a recording are kept, so that it is found among millions?

A sketch is a few dozen values, and who looks for a recording has all of its copy.  So the recording may choose: of the
values in a small share of all, which a query looks up and no others, it keeps those that are likeliest to be found in a
changed copy.  They are spread over its length, so that a clip has some.

Conventions
-----------
* A sketch is in order of worth: the first of a greater sketch are a smaller one.
* ``k`` is of a recording of up to five minutes; a longer one keeps as many more as it is longer.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.hashes import Hashes, fixed, in_share, turning
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import Peaks

TIERS: Final = (64, 256, 1024)
"""Sizes at which the share that a query looks up changes."""
_LONG_S: Final = 300.0
_TURNING_SHARE: Final = 1 / 96
_FIXED_SHARE: Final = 1 / 24
_FIXED_PART: Final = 0.25
"""Of a sketch, hashes that do not turn."""
_STRETCH_S: Final = 12.0
_SPREAD: Final = 0.5
"""Worth that a hash must have more for each that its stretch has before it."""


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
    value : np.ndarray [shape=(<=k,), uint64]
        In order of worth; fewer where the recording has no more, none of silence.
    """
    tier = _tier(k)
    turns = turning(peaks, key, _share(_TURNING_SHARE, tier))
    fixes = fixed(peaks, key, _share(_FIXED_SHARE, tier))
    most = kept(k, peaks.seconds)
    fixed_ones = round(most * _FIXED_PART)
    parts = (_chosen(turns, _TURNING_SHARE, most - fixed_ones, k), _chosen(fixes, _FIXED_SHARE, fixed_ones, k))
    # Each family in order of worth; woven by rank, so that a prefix has the same part of both.
    rank = np.concatenate(
        [
            (np.arange(part.size) + 0.5) / max(1, n)
            for part, n in zip(parts, (most - fixed_ones, fixed_ones), strict=True)
        ]
    )
    out: NDArray[np.uint64] = np.concatenate(parts)[np.argsort(rank, kind="stable")]
    return out


def asked(peaks: Peaks, key: PrintKey, k: int) -> NDArray[np.uint64]:
    """Say which values to look up for a query, in an index of sketches of ``k``.

    Returns
    -------
    value : np.ndarray [shape=(n,), uint64]
        Distinct, ascending.
    """
    tier = _tier(k)
    turns = turning(peaks, key, _share(_TURNING_SHARE, tier), probes=True)
    fixes = fixed(peaks, key, _share(_FIXED_SHARE, tier), probes=True)
    return np.unique(np.concatenate((turns.value, fixes.value)))


def _tier(k: int) -> int:
    return next((tier for tier in TIERS if k <= tier), TIERS[-1])


def _share(base: float, tier: int) -> float:
    return min(1.0, base * tier / TIERS[0])


def _chosen(hashes: Hashes, base: float, most: int, k: int) -> NDArray[np.uint64]:
    """Give the best of each tier, after those of the smaller ones."""
    out = np.empty(0, dtype=np.uint64)
    for tier in TIERS[: TIERS.index(_tier(k)) + 1]:
        within = in_share(hashes.value, _share(base, tier)) & ~np.isin(hashes.value, out)
        room = min(most, round(most * tier / k)) - out.size
        out = np.append(out, _best(hashes, np.flatnonzero(within), room))
    return out


def _best(hashes: Hashes, among: NDArray[np.intp], room: int) -> NDArray[np.uint64]:
    order = among[np.argsort(-hashes.worth[among], kind="stable")]
    order = order[np.sort(np.unique(hashes.value[order], return_index=True)[1])]
    stretch = (hashes.at[order] * 0.004 // _STRETCH_S).astype(np.int64)
    by = np.argsort(stretch, kind="stable")
    start = np.searchsorted(stretch[by], stretch[by])
    before = np.empty(order.size)
    before[by] = np.arange(order.size) - start
    best = np.argsort(-(hashes.worth[order] - _SPREAD * before), kind="stable")[: max(0, room)]
    return hashes.value[order[best]]
