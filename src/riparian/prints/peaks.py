"""What is kept of sound: the places where it stands out.

A print is an array of peaks.  It is small enough to keep of every recording, and everything else, hashes and sketches
of any size, is made of it again without the sound.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 11_025
"""Samples a second of the mono sound that is heard."""
TICK_S: Final = 0.004
STEPS: Final = 192
"""Steps of pitch in an octave."""
LOWEST_HZ: Final = 160.0
STRENGTHS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Where a stretch of sound stands out.

    Parameters
    ----------
    at : np.ndarray [shape=(n,), int32]
        Ticks from the beginning, ascending.
    pitch : np.ndarray [shape=(n,), int16]
        Steps above ``LOWEST_HZ``; among peaks at one time ascending.
    strength : np.ndarray [shape=(n,), uint8]
        How far it stands out among its neighbours, 0 to ``STRENGTHS - 1``: the stronger, the likelier it survives.
    ticks
        How long the sound is.

    Raises
    ------
    ValueError
        When lengths differ, or times descend.

    Examples
    --------
    >>> peaks = Peaks(np.array([5, 250], np.int32), np.array([0, 192], np.int16), np.array([3, 15], np.uint8), 500)
    >>> len(peaks), peaks.seconds, len(peaks.between(0, 250))
    (2, 2.0, 1)
    """

    at: NDArray[np.int32]
    pitch: NDArray[np.int16]
    strength: NDArray[np.uint8]
    ticks: int

    def __post_init__(self) -> None:
        n = {self.at.size, self.pitch.size, self.strength.size}
        if len(n) != 1:
            raise ValueError(f"there are {sorted(n)} times, pitches and strengths, wanted as many of each")
        if (self.at[1:] < self.at[:-1]).any():
            raise ValueError("times of peaks descend, wanted them ascending")

    def __len__(self) -> int:
        return self.at.size

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return self.ticks * TICK_S

    def between(self, first: int, last: int) -> "Peaks":
        """Give the peaks from one tick to before another, in ticks of the same clock."""
        among = slice(*np.searchsorted(self.at, (first, last)))
        return Peaks(self.at[among], self.pitch[among], self.strength[among], min(self.ticks, last))
