"""How is what is added kept from being heard before the sound that hides it?

A frame is longer than an onset: what is made from a drum's frame sounds some 20 ms before the drum, too, where there
may have been silence.  So what is added is held back wherever, for a few milliseconds, it is less far below the sound
than it ever needs to be: as they are, and with their high frequencies brought out, which a bass would hide from us but
not from an ear.

Conventions
-----------
* Energies are of steps of some 3 ms, all channels together.  An ear that has heard something is deaf for a while, and
  also for a moment before.
* Where the original is silent in every channel for a whole step, nothing is added.
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

STEPS_PER_HOP: Final = 8
BELOW_DB: Final = (30.0, 27.0, 25.0)
"""How far below the sound what is added stays, as it is, by its first differences, and by its second."""
AFTER_DB: Final = 0.7
"""By how much a step's sound hides less in the next; as much as an ear recovers in 3 ms."""
RISE_DB: Final = 20.0
"""How much louder than one of the two frames before it a band may be, and be changed in full."""
BEFORE_DB: Final = 5.0
"""By how much a step's sound hides less in the one before."""


def surprise(frames: NDArray[np.float64]) -> NDArray[np.float32]:
    """Say how much of its change a frame of a band may have: less where it is far louder than what was before it.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, bands), float64]
        Power.

    Returns
    -------
    share : np.ndarray [shape=(frames, bands), float32]
        From 0 to 1.

    Examples
    --------
    >>> share = surprise(np.array([[1.0], [1.0], [10.0], [1e6], [1e6], [1e6]]))
    >>> [f"{each:.2f}" for each in share[:, 0]]
    ['1.00', '1.00', '1.00', '0.01', '0.03', '1.00']
    """
    share = np.ones(frames.shape, dtype=np.float32)
    for late in (1, 2):
        before = np.maximum(frames[:-late], 1e-30) * 10 ** (RISE_DB / 10)
        rise = np.sqrt(before / np.maximum(frames[late:], before))
        share[late:] = np.minimum(share[late:], rise)
    return share


def hold_back(samples: NDArray[np.float32], change: NDArray[np.float32], rate: int, hop: int) -> None:
    """Make what is to be added smaller, in place, where the sound does not hide it.

    Parameters
    ----------
    samples, change : np.ndarray [shape=(channels, n), float32]
    rate
        Samples a second.
    hop
        As of :mod:`riparian.audio.spectra`.
    """
    if not samples.size:
        return
    step, lag = hop // STEPS_PER_HOP, max(1, round(rate / 44_100))
    most = 10 ** (-np.array(BELOW_DB) / 10)
    factors = _factors(samples, change, step, lag, most, 10 ** (-AFTER_DB / 10), 10 ** (-BEFORE_DB / 10))
    _faded(change, factors, step)


@numba.njit(cache=True, nogil=True)
def _factors(
    samples: NDArray[np.float32],
    change: NDArray[np.float32],
    step: int,
    lag: int,
    most: NDArray[np.float64],
    after: float,
    before: float,
) -> NDArray[np.float64]:
    """Say what to multiply each step by; shape=(steps,), from 0 to 1."""
    sounds, changes = _energies(samples, step, lag), _energies(change, step, lag)
    factors = np.ones(sounds.shape[1])
    for order in range(most.size):
        sound, added = sounds[order], changes[order]
        heard = 0.0
        for j in range(factors.size):
            heard = max(sound[j], after * heard)
            hides = max(heard, before * sound[j + 1]) if j + 1 < factors.size else heard
            if sound[j] == 0 and order == 0:
                factors[j] = 0
            elif added[j] > most[order] * hides:
                factors[j] = min(factors[j], np.sqrt(most[order] * hides / added[j]))
    return factors


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _energies(samples: NDArray[np.float32], step: int, lag: int) -> NDArray[np.float64]:
    """Sum the squares of each step's samples, first and second differences; shape=(3, steps)."""
    n = samples.shape[1]
    energies = np.zeros((3, -(-n // step)))
    for channel in range(samples.shape[0]):
        for j in range(energies.shape[1]):
            start = j * step
            here = samples[channel, start : start + step]
            # Differences reach back before the step, and begin with the third sample.
            late = samples[channel, max(2 * lag, start) : start + step]
            one = samples[channel, max(2 * lag, start) - lag : start + step]
            two = samples[channel, max(2 * lag, start) - 2 * lag : start + step]
            plain, first, second = np.float32(0), np.float32(0), np.float32(0)
            for k in range(here.size):
                plain += here[k] * here[k]
            for k in range(late.size):
                first += (late[k] - one[k]) ** 2
                second += (late[k] - 2 * one[k] + two[k]) ** 2
            energies[0, j] += plain
            energies[1, j] += first
            energies[2, j] += second
    return energies


@numba.njit(cache=True, nogil=True)
def _faded(change: NDArray[np.float32], factors: NDArray[np.float64], step: int) -> None:
    """Multiply, going over evenly from the middle of a step to that of the next."""
    n = change.shape[1]
    for j in range(factors.size):
        left, here, right = factors[max(0, j - 1)], factors[j], factors[min(factors.size - 1, j + 1)]
        if left == 1 and here == 1 and right == 1:
            continue
        for k in range(j * step, min(n, (j + 1) * step)):
            t = (k - j * step + 0.5) / step - 0.5
            factor = here + (right - here) * t if t > 0 else here + (here - left) * t
            for channel in range(change.shape[0]):
                change[channel, k] *= np.float32(factor if here > 0 else 0.0)
