"""What does a handful of peaks have in common with itself, after the sound was changed?

Five peaks in a row make a *turning* hash: the differences of their pitches, and where the middle three stand between
the first and the last, stay the same when sound is played faster or higher.  How high they lie and how long they take
does change, but not by much, or nobody would care to listen: so both belong to the hash too, in wide cells, of which
a query asks for two.  Four peaks make a *fixed* hash, of pitches and times as they are: more of those survive
reverberation and compression, and none survive a change of speed.

Conventions
-----------
* Every number is put into a *cell*; how far it lies from the cell's border, in cells, is its *margin*.  Where cells
  begin is drawn from the key.
* ``worth`` is the log-odds that a hash is found again in a laundered copy, less a part of the logarithm of how often it
  is found in something else, both fitted on features of its peaks; a sketch keeps those of most worth.  A query cannot
  choose, and has none.
* A query asks *near* or, where that finds nothing, *far*: then for the neighbouring cell of more numbers, three times
  as many values.
* The low 20 bits of a value come from its pitches alone, and decide whether it belongs to a *share* of all values
  (:func:`in_share`); the upper 44 are uniform within every share.

Source
------
Sonnleitner, R. and Widmer, G. (2016), Robust quad-based audio fingerprinting.  Six, J. and Leman, M. (2014), Panako
(ratios of times).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.handfuls import SHARE_BITS, Family, features, handfuls, values
from riparian.prints.keys import PrintKey
from riparian.prints.peaks import Peaks


class Asking(Enum):
    """Of what a sound is hashed: a recording takes each handful once, a query its neighbouring cells too."""

    NOT = "not"
    NEAR = "near"
    FAR = "far"


_TURNING: Final = Family(5, 8, 90, 800, 12.0, 15.0, 0.0, 0.0, 1.2, 0.0, 1.0, 0.0)
_FIXED: Final = Family(4, 8, 30, 600, 12.0, 12.0, 0.0, 0.0, 1 / 16, 0.0, 0.0, 0.0)
# A query looks at more peaks, for some that are not in the recording stand between those that are.
TURNING: Final = {
    Asking.NOT: _TURNING,
    Asking.NEAR: _TURNING._replace(fan=10, near_pitch=0.08, near_time=0.13, near_height=0.25, near_span=0.2),
    Asking.FAR: _TURNING._replace(fan=10, near_pitch=0.15, near_time=0.2, near_height=0.4, near_span=0.35),
}
FIXED: Final = {
    Asking.NOT: _FIXED,
    Asking.NEAR: _FIXED._replace(fan=10, near_pitch=0.15, near_time=0.2, near_height=0.15 / 16),
    Asking.FAR: _FIXED._replace(fan=10, near_pitch=0.22, near_time=0.28, near_height=0.15 / 16),
}
_TURNING_WORTH: Final = np.array([0.068, 0.789, 1.154, 0.058, -0.232, 0.067, 0.010, -0.026, 0.189])
_FIXED_WORTH: Final = np.array([0.060, 0.427, 0.657, 0.101, -0.552, 0.159, 0.070, -0.020, 0.184])
"""What the features of a handful (:func:`riparian.prints.handfuls.features`) are worth, each in its unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Hashes:
    """Hashes of some peaks.

    Parameters
    ----------
    value : np.ndarray [shape=(n,), uint64]
    at : np.ndarray [shape=(n,), int32]
        Ticks, of the first peak.
    scale : np.ndarray [shape=(n,), float32]
        Logarithm to base 2 of the ticks from the first peak to the last.
    pitch : np.ndarray [shape=(n,), int16]
        Steps, of the first peak.
    worth : np.ndarray [shape=(n,), float32]
        The greater, the likelier it is found again, and the less likely in something else; 0 of a query.
    """

    value: NDArray[np.uint64]
    at: NDArray[np.int32]
    scale: NDArray[np.float32]
    pitch: NDArray[np.int16]
    worth: NDArray[np.float32]

    def __len__(self) -> int:
        return self.value.size


def in_share(value: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Say which values belong to a share of all; a smaller share lies within a greater.

    Examples
    --------
    >>> in_share(np.array([1, 1 << 19, (1 << 20) - 1], np.uint64), 0.5).tolist()
    [True, False, False]
    """
    low: NDArray[np.uint64] = value & np.uint64((1 << SHARE_BITS) - 1)
    return low < np.uint64(round(share * (1 << SHARE_BITS)))


def turning(peaks: Peaks, key: PrintKey, share: float = 1.0, asking: Asking = Asking.NOT) -> Hashes:
    """Hash five peaks at a time, whatever the speed and pitch they are played at.

    Parameters
    ----------
    peaks
        Of a recording, or of a query.
    key
        Says where cells begin, and how values are mixed.
    share
        Which part of all values to give; in (0, 1].
    asking
        Whether the peaks are a query's, and how far it asks.

    Returns
    -------
    Hashes
        In the order of their first peaks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> at, pitch = np.sort(rng.integers(0, 2500, 120)).astype(np.int32), rng.integers(0, 900, 120).astype(np.int16)
    >>> ours = Peaks(at, pitch, np.full(120, 8, np.uint8), 2500)
    >>> theirs = Peaks((at * 1.08).astype(np.int32), pitch + np.int16(20), ours.strength, 2700)
    >>> key = PrintKey(bytes(32))
    >>> found = np.isin(turning(ours, key).value, turning(theirs, key, asking=Asking.NEAR).value)
    >>> bool(found.mean() > 0.5)
    True
    """
    return _hashed(peaks, key, "turning", TURNING[asking], share, _TURNING_WORTH)


def fixed(peaks: Peaks, key: PrintKey, share: float = 1.0, asking: Asking = Asking.NOT) -> Hashes:
    """Hash four peaks at a time, at the speed and pitch they are played at.

    Parameters and what comes back are those of :func:`turning`.
    """
    return _hashed(peaks, key, "fixed", FIXED[asking], share, _FIXED_WORTH)


def _hashed(
    peaks: Peaks, key: PrintKey, name: str, family: Family, share: float, worths: NDArray[np.float64]
) -> Hashes:
    borders = np.array([key.share(f"{name} {of}") for of in ("pitch", "time", "height", "span")])
    at, pitch = peaks.at.astype(np.int64), peaks.pitch.astype(np.int64)
    below = np.uint64(round(share * (1 << SHARE_BITS)))
    of, word = handfuls(at, pitch, family, borders, np.uint64(key.word(name)), below)
    value, whose = values(at, of, word, family, borders)
    worth = np.zeros(len(of))
    if family.near_pitch == 0:
        worth = features(at, pitch, peaks.strength.astype(np.float64), of, family, borders) @ worths
    span = np.log2(at[of[:, -1]] - at[of[:, 0]])
    first = of[whose, 0]
    return Hashes(
        value,
        peaks.at[first],
        span[whose].astype(np.float32),
        peaks.pitch[first],
        worth[whose].astype(np.float32),
    )
