"""What does a handful of peaks have in common with itself, after the sound was changed?

Four peaks in a row make a *turning* hash: the differences of their pitches, and where the middle two stand between the
first and the last, stay the same when sound is played faster or higher.  How high they lie and how long they take does
change, but not by much, or nobody would care to listen: so both belong to the hash too, in wide cells, of which a query
asks for two.  Three peaks make a *fixed* hash, of pitches and times as they are: more of those survive reverberation
and compression, and none survive a change of speed.

Conventions
-----------
* A number is put into a *cell*; how far it lies from the cell's border, in cells, is its *margin*.  Where cells begin is
  drawn from the key.
* ``worth`` is the expected logarithm of the odds that a hash is found again in a laundered copy; a sketch keeps those
  of most worth.  A query cannot choose, and has worth too only so that its shape is the same.
* The low 20 bits of a value decide whether it belongs to a *share* of all values (:func:`in_share`); the upper 44 are
  uniform within every share.

Source
------
Sonnleitner, R. and Widmer, G. (2016), Robust quad-based audio fingerprinting.  Six, J. and Leman, M. (2014), Panako
(three points, one of their ratios).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.keys import PrintKey
from riparian.prints.peaks import STEPS, Peaks

SHARE_BITS: Final = 20
FAN: Final = 9
"""Peaks after the first, of which the others are taken."""
_GAP: Final = 8
"""Ticks between two peaks of a hash, at least."""
_SHORTEST: Final = 90
_LONGEST: Final = 800
"""Ticks from a turning hash's first peak to its last."""
_PITCH_CELL: Final = 16.0
"""Steps: a semitone, for the pitches of music differ by whole ones."""
_RATIO_TICKS: Final = 22.0
_WIDE_PITCH: Final = 0.55
"""Octaves: the wide cell of absolute pitch."""
_WIDE_SPAN: Final = 0.42
"""The wide cell of duration, in powers of two."""
_FIXED_TICKS: Final = 12.0
_FIXED_SHORTEST: Final = 20
_FIXED_LONGEST: Final = 500
_NEAR: Final = 0.15
"""A query asks for the neighbouring cell too where the margin is below this."""


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
        The greater, the likelier it survives.
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


def turning(peaks: Peaks, key: PrintKey, share: float = 1.0, *, probes: bool = False) -> Hashes:
    """Hash four peaks at a time, whatever the speed and pitch they are played at.

    Parameters
    ----------
    peaks
        Of a recording, or of a query.
    key
        Says where cells begin, and how values are mixed.
    share
        Which part of all values to give; in (0, 1].
    probes
        Whether to give neighbouring cells too, as a query does.

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
    >>> found = np.isin(turning(ours, key).value, turning(theirs, key, probes=True).value)
    >>> bool(found.mean() > 0.5)
    True
    """
    borders = np.array([key.share(f"turning {name}") for name in ("pitch", "ratio", "height", "span")])
    return _hashed(peaks, key.word("turning"), share, probes, borders, turns=True)


def fixed(peaks: Peaks, key: PrintKey, share: float = 1.0, *, probes: bool = False) -> Hashes:
    """Hash three peaks at a time, at the speed and pitch they are played at.

    Parameters and what comes back are those of :func:`turning`.
    """
    borders = np.array([key.share(f"fixed {name}") for name in ("pitch", "time", "height", "span")])
    return _hashed(peaks, key.word("fixed"), share, probes, borders, turns=False)


def _hashed(
    peaks: Peaks, salt: int, share: float, probes: bool, borders: NDArray[np.float64], *, turns: bool
) -> Hashes:
    below = np.uint64(round(share * (1 << SHARE_BITS)))
    near = _NEAR if probes else 0.0
    strength = peaks.strength.astype(np.float64)
    value, first, span, worth = _enumerated(
        peaks.at.astype(np.float64),
        peaks.pitch.astype(np.float64),
        strength,
        np.uint64(salt),
        below,
        near,
        borders,
        turns,
    )
    return Hashes(value, peaks.at[first], np.log2(span).astype(np.float32), peaks.pitch[first], worth)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _mixed(value: np.uint64) -> np.uint64:
    """Mix 64 bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _enumerated(at, pitch, strength, salt, below, near, borders, turns):  # type: ignore[no-untyped-def]
    n = at.size
    room = 4096
    value = np.empty(room, np.uint64)
    first = np.empty(room, np.int64)
    span = np.empty(room, np.float64)
    worth = np.empty(room, np.float32)
    made = 0
    cells = np.empty(7)
    wide = np.zeros(7)
    shortest, longest = (_SHORTEST, _LONGEST) if turns else (_FIXED_SHORTEST, _FIXED_LONGEST)
    low = np.uint64((1 << SHARE_BITS) - 1)
    fan = np.empty(FAN, np.int64)
    count = 7 if turns else 5
    for a in range(n):
        f = 0
        b = a + 1
        while b < n and f < FAN and at[b] - at[a] <= longest:
            if at[b] - at[a] >= _GAP:
                fan[f] = b
                f += 1
            b += 1
        for i in range(f):
            for j in range(i + 1, f):
                if at[fan[j]] - at[fan[i]] < _GAP:
                    continue
                for k in range(j + 1, f) if turns else range(j, j + 1):
                    last = fan[k]
                    taken = at[last] - at[a]
                    if taken < shortest or (turns and at[last] - at[fan[j]] < _GAP):
                        continue
                    x, y = fan[i], fan[j]
                    weakest = min(min(strength[a], strength[x]), min(strength[y], strength[last]))
                    if turns:
                        length = np.log2(taken)
                        cells[0] = (pitch[x] - pitch[a]) / _PITCH_CELL + 0.5
                        cells[1] = (pitch[y] - pitch[a]) / _PITCH_CELL + 0.5
                        cells[2] = (pitch[last] - pitch[a]) / _PITCH_CELL + 0.5
                        cells[5] = pitch[a] / STEPS / _WIDE_PITCH + borders[2]
                        cells[6] = length / _WIDE_SPAN + borders[3]
                        wide[5] = 0.25 / _WIDE_PITCH
                        wide[6] = 0.2 / _WIDE_SPAN
                    else:
                        cells[0] = (pitch[x] - pitch[a]) / _PITCH_CELL + 0.5
                        cells[1] = (pitch[y] - pitch[a]) / _PITCH_CELL + 0.5
                        cells[2] = pitch[a] / _PITCH_CELL + borders[2]
                        cells[3] = (at[x] - at[a]) / _FIXED_TICKS + borders[1]
                        cells[4] = (at[y] - at[x]) / _FIXED_TICKS + borders[1]
                    lengths = 2 if (turns and near > 0) else 1
                    for side in range(lengths):
                        # The number of cells of time depends on the cell of duration, which a query asks for twice.
                        if turns:
                            inside = np.floor(cells[6])
                            if near > 0:
                                frac = cells[6] - inside
                                if side == 1:
                                    if frac < wide[6]:
                                        inside -= 1
                                    elif frac > 1 - wide[6]:
                                        inside += 1
                                    else:
                                        continue
                            n_cells = np.rint(2.0 ** ((inside + 0.5 - borders[3]) * _WIDE_SPAN) / _RATIO_TICKS)
                            cells[3] = (at[x] - at[a]) / taken * n_cells + borders[1]
                            cells[4] = (at[y] - at[a]) / taken * n_cells + borders[1]
                        margin = 0.5
                        choices = 1
                        for c in range(count - 1 if turns else count):
                            frac = cells[c] - np.floor(cells[c])
                            m = min(frac, 1 - frac)
                            if c < 5:
                                margin = min(margin, m)
                            if near > 0 and m < max(near, wide[c]):
                                choices *= 2
                        if choices > 16:
                            choices = 1
                        for choice in range(choices):
                            word = np.uint64(0)
                            bit = choice
                            for c in range(count - 1 if turns else count):
                                cell = np.floor(cells[c])
                                frac = cells[c] - cell
                                if choices > 1 and min(frac, 1 - frac) < max(near, wide[c]):
                                    if bit & 1:
                                        cell += -1 if frac < 0.5 else 1
                                    bit >>= 1
                                word = word << np.uint64(9) | np.uint64(np.int64(cell) + 200)
                            if turns:
                                word = word << np.uint64(9) | np.uint64(np.int64(inside) + 200)
                            mixed = _mixed(_mixed(word ^ salt) + salt)
                            if mixed & low >= below:
                                continue
                            if made == room:
                                room *= 2
                                value = np.append(value, np.empty(made, np.uint64))
                                first = np.append(first, np.empty(made, np.int64))
                                span = np.append(span, np.empty(made, np.float64))
                                worth = np.append(worth, np.empty(made, np.float32))
                            value[made] = mixed
                            first[made] = a
                            span[made] = taken
                            worth[made] = min(margin, 0.3) * 20 + 0.5 * weakest
                            made += 1
    return value[:made], first[:made], span[:made], worth[:made]
