"""What does a handful of peaks have in common with itself, after the sound was changed?

Five peaks in a row make a *turning* hash: the differences of their pitches, and where the middle three stand between the
first and the last, stay the same when sound is played faster or higher.  How high they lie and how long they take does
change, but not by much, or nobody would care to listen: so both belong to the hash too, in wide cells, of which a query
asks for two.  Four peaks make a *fixed* hash, of pitches and times as they are: more of those survive reverberation
and compression, and none survive a change of speed.

Conventions
-----------
* Every number is put into a *cell*; how far it lies from the cell's border, in cells, is its *margin*.  Where cells
  begin is drawn from the key.
* ``worth`` is the log-odds that a hash is found again in a laundered copy, less a part of the logarithm of how often it
  is found in something else, both fitted on features of its peaks; a sketch keeps those of most worth.  A query cannot
  choose, and has worth only so that its shape is the same.
* The low 20 bits of a value come from its pitches alone, and decide whether it belongs to a *share* of all values
  (:func:`in_share`); the upper 44 are uniform within every share.

Source
------
Sonnleitner, R. and Widmer, G. (2016), Robust quad-based audio fingerprinting.  Six, J. and Leman, M. (2014), Panako
(ratios of times).  Steele, G. et al. (2014), Fast splittable pseudorandom number generators (the mixing of bits).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.prints.keys import PrintKey
from riparian.prints.peaks import STEPS, Peaks

SHARE_BITS: Final = 20
_GAP: Final = 8
"""Ticks between two peaks of a hash, at least, so that they keep their order."""


class Family(NamedTuple):
    """How peaks become hashes.

    Attributes
    ----------
    points
        Peaks of a hash.
    fan
        Peaks after the first, of which the others are.
    asked_fan
        The same for a query, in which peaks that are not in the recording stand between those that are.
    shortest, longest
        Ticks from the first peak to the last.
    pitch_cell
        Steps.
    time_cell
        Ticks; of turning hashes as they are in the middle of the wide cell of their span.
    near_pitch, near_time
        A query asks for the neighbouring cell too where the margin is below this.
    height_cell, height_near
        Octaves, of the first peak.
    span_cell, span_near
        Powers of two, of the span; 0 where the family is fixed.
    """

    points: int
    fan: int
    asked_fan: int
    shortest: int
    longest: int
    pitch_cell: float
    time_cell: float
    near_pitch: float
    near_time: float
    height_cell: float
    height_near: float
    span_cell: float
    span_near: float


TURNING: Final = Family(5, 8, 10, 90, 800, 12.0, 15.0, 0.08, 0.13, 1.2, 0.25, 1.0, 0.2)
FIXED: Final = Family(4, 8, 10, 30, 600, 12.0, 12.0, 0.15, 0.2, 1 / 16, 0.15 / 16, 0.0, 0.0)
_TURNING_WORTH: Final = np.array([0.068, 0.789, 1.154, 0.058, -0.232, 0.067, 0.010, -0.026, 0.189])
_FIXED_WORTH: Final = np.array([0.060, 0.427, 0.657, 0.101, -0.552, 0.159, 0.070, -0.020, 0.184])
"""Of: strengths, least margins of pitch and time, place of the last peak, span, shortest gap, pairs of equal pitch, pairs
octaves apart, octaves between lowest and highest."""


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
        The greater, the likelier it is found again, and the less likely in something else.
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
    """Hash five peaks at a time, whatever the speed and pitch they are played at.

    Parameters
    ----------
    peaks
        Of a recording, or of a query.
    key
        Says where cells begin, and how values are mixed.
    share
        Which part of all values to give; in (0, 1].
    probes
        Whether to give what a query asks for: neighbouring cells too, and peaks further on.

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
    return _hashed(peaks, key, "turning", TURNING, _TURNING_WORTH, share, probes)


def fixed(peaks: Peaks, key: PrintKey, share: float = 1.0, *, probes: bool = False) -> Hashes:
    """Hash four peaks at a time, at the speed and pitch they are played at.

    Parameters and what comes back are those of :func:`turning`.
    """
    return _hashed(peaks, key, "fixed", FIXED, _FIXED_WORTH, share, probes)


def _hashed(
    peaks: Peaks, key: PrintKey, name: str, family: Family, worths: NDArray[np.float64], share: float, probes: bool
) -> Hashes:
    borders = np.array([key.share(f"{name} {of}") for of in ("pitch", "time", "height", "span")])
    below = np.uint64(round(share * (1 << SHARE_BITS)))
    value, first, span, worth = _enumerated(
        peaks.at.astype(np.int64),
        peaks.pitch.astype(np.int64),
        peaks.strength.astype(np.float64),
        family,
        borders,
        np.uint64(key.word(name)),
        below,
        probes,
        worths,
    )
    return Hashes(value, peaks.at[first], np.log2(span).astype(np.float32), peaks.pitch[first], worth)


@njit(cache=True, nogil=True)
def _mixed(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _with(word: np.uint64, cell: int) -> np.uint64:
    """Take another cell into a hash."""
    return (word ^ np.uint64(cell + 4096)) * np.uint64(0x9E3779B97F4A7C15) ^ (word >> np.uint64(29))


@njit(cache=True, nogil=True)
def _neighbour(place: float, near: float) -> int:
    """Say on which side a cell is near enough to be asked for too: -1, 1, or 0 for none."""
    inside = place - np.floor(place)
    side = -1 if inside < 0.5 else 1
    return side if min(inside, 1 - inside) < near else 0


@njit(cache=True, nogil=True)
def _fan(at, pitch, a, family, border, asks, peak, cell):
    """List the peaks after one, each with its cell, and once more with the neighbouring cell; how many."""
    n = 0
    seen = 0
    b = a + 1
    most = family.asked_fan if asks else family.fan
    while b < at.size and seen < most and at[b] - at[a] <= family.longest:
        if at[b] - at[a] >= _GAP:
            seen += 1
            place = (pitch[b] - pitch[a]) / family.pitch_cell + border
            peak[n], cell[n] = b, np.int64(np.floor(place))
            n += 1
            side = _neighbour(place, family.near_pitch) if asks else 0
            if side != 0:
                peak[n], cell[n] = b, cell[n - 1] + side
                n += 1
        b += 1
    return n


@njit(cache=True, nogil=True)
def _enumerated(at, pitch, strength, family, borders, salt, below, asks, worths):
    value = np.empty(4096, np.uint64)
    first = np.empty(4096, np.int64)
    span = np.empty(4096, np.float32)
    worth = np.empty(4096, np.float32)
    made = 0
    others = family.points - 1
    peak = np.empty(4 * family.asked_fan, np.int64)
    cell = np.empty(4 * family.asked_fan, np.int64)
    chosen = np.empty(others, np.int64)
    words = np.empty(others + 1, np.uint64)
    of = np.empty(family.points, np.int64)
    times = np.empty(64, np.uint64)
    low = np.uint64((1 << SHARE_BITS) - 1)
    for a in range(at.size):
        n = _fan(at, pitch, a, family, borders[0], asks, peak, cell)
        height = pitch[a] / STEPS / family.height_cell + borders[2]
        of[0] = a
        side = _neighbour(height, family.height_near / family.height_cell) if asks else 0
        for h in range(2 if side != 0 else 1):
            words[0] = _with(salt, np.int64(np.floor(height)) + h * side)
            depth = 0
            chosen[0] = -1
            while depth >= 0:
                chosen[depth] += 1
                if chosen[depth] >= n:
                    depth -= 1
                    continue
                b = peak[chosen[depth]]
                if at[b] - at[of[depth]] < _GAP:
                    continue
                words[depth + 1] = _with(words[depth], cell[chosen[depth]])
                of[depth + 1] = b
                if depth + 1 < others:
                    chosen[depth + 1] = chosen[depth]
                    depth += 1
                    continue
                mixed = _mixed(words[others])
                if mixed & low >= below or at[b] - at[a] < family.shortest:
                    continue
                m, margin = _timed(at, of, family, borders, asks, mixed, times)
                w = np.float32(0)
                if not asks:
                    w = _worth(at, pitch, strength, of, family, borders[0], margin, b - a, worths)
                if made + m > value.size:
                    value = np.concatenate((value, np.empty_like(value)))
                    first = np.concatenate((first, np.empty_like(first)))
                    span = np.concatenate((span, np.empty_like(span)))
                    worth = np.concatenate((worth, np.empty_like(worth)))
                for i in range(m):
                    value[made] = (_mixed(times[i]) & ~low) | (mixed & low)
                    first[made] = a
                    span[made] = at[b] - at[a]
                    worth[made] = w
                    made += 1
    return value[:made], first[:made], span[:made], worth[:made]


@njit(cache=True, nogil=True)
def _timed(at, of, family, borders, asks, word, out):
    """Take the times of a hash into it: as many words as a query asks for; and the least margin."""
    taken = at[of[-1]] - at[of[0]]
    spans = 1
    cell = 0
    side = 0
    if family.span_cell > 0:
        place = np.log2(taken) / family.span_cell + borders[3]
        cell = np.int64(np.floor(place))
        side = _neighbour(place, family.span_near / family.span_cell) if asks else 0
        spans = 2 if side != 0 else 1
    n = 0
    least = 0.5
    last = of.size - (1 if family.span_cell > 0 else 0)
    for s in range(spans):
        scale = 1 / family.time_cell
        if family.span_cell > 0:
            middle = 2 ** ((cell + s * side + 0.5 - borders[3]) * family.span_cell)
            scale = np.rint(middle / family.time_cell) / taken
        begin = n
        out[n] = _with(word, cell + s * side)
        n += 1
        for i in range(1, last):
            place = (at[of[i]] - at[of[0]]) * scale + borders[1]
            inside = place - np.floor(place)
            least = min(least, inside, 1 - inside)
            beside = _neighbour(place, family.near_time) if asks and n < 16 else 0
            until = n
            for j in range(begin, until):
                if beside != 0:
                    out[n] = _with(out[j], np.int64(np.floor(place)) + beside)
                    n += 1
                out[j] = _with(out[j], np.int64(np.floor(place)))
    return n, least


@njit(cache=True, nogil=True)
def _worth(at, pitch, strength, of, family, border, margin, place, worths):
    total = 0.0
    least = 0.5
    gap = at[of[-1]] - at[of[0]]
    equal = 0
    octaves = 0
    lowest = pitch[of[0]]
    highest = lowest
    for i in range(of.size):
        total += strength[of[i]]
        lowest = min(lowest, pitch[of[i]])
        highest = max(highest, pitch[of[i]])
        if i > 0:
            gap = min(gap, at[of[i]] - at[of[i - 1]])
            inside = (pitch[of[i]] - pitch[of[0]]) / family.pitch_cell + border
            inside -= np.floor(inside)
            least = min(least, inside, 1 - inside)
        for j in range(i):
            apart = abs(pitch[of[i]] - pitch[of[j]])
            if apart < 8:
                equal += 1
            elif (apart + 8) % STEPS < 16:
                octaves += 1
    worth = worths[0] * total + worths[1] * least + worths[2] * margin + worths[3] * place
    worth += worths[4] * np.log2(at[of[-1]] - at[of[0]]) + worths[5] * np.log2(gap)
    return worth + worths[6] * equal + worths[7] * octaves + worths[8] * (highest - lowest) / STEPS
