"""Randomness inside compiled loops: one 64-bit counter an account, so that no account disturbs another.

Source
------
Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators: SplitMix64.
"""

from typing import Any, Final

import numpy as np
from numba import njit

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_UNIT: Final = 1.0 / (1 << 53)


@njit(cache=True)
def mix(z: Any) -> Any:
    """Scatter the bits of a 64-bit number."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def reseed(state: Any, seed: Any, place: Any) -> None:
    """Start the counter of one account at one place, such as a day."""
    state[0] = mix(seed + np.uint64(place) * _GOLDEN + _GOLDEN)


@njit(cache=True)
def uniform(state: Any) -> Any:
    """Draw a number in [0, 1) and advance the counter ``state`` [shape=(1,), uint64]."""
    state[0] += _GOLDEN
    return (mix(state[0]) >> np.uint64(11)) * _UNIT


@njit(cache=True)
def below(state: Any, n: Any) -> Any:
    """Draw a whole number in 0..n-1."""
    return np.int64(uniform(state) * n)
