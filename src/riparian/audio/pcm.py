"""What is sound, while we work on it?

Conventions
-----------
* Samples are float32, channels first, full scale is 1; louder samples are kept, never clipped here.
* A rate is in samples a second; a time is in seconds from the first sample.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError

RATES: Final = (8_000, 384_000)
"""The lowest and the highest rate that sound may have; samples a second."""
CHANNELS_MAX: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Sound in memory.

    Parameters
    ----------
    samples : np.ndarray [shape=(channels, n), float32]
        Full scale is 1.
    rate
        Samples a second.

    Raises
    ------
    InputError
        When the shape, the rate or a sample is not what sound has; a sample that is no finite number is none.

    Examples
    --------
    >>> sound = Sound(np.zeros((2, 44_100), np.float32), 44_100)
    >>> sound.seconds, sound.cut(0.25, 0.75).samples.shape, sound.mono().shape
    (1.0, (2, 22050), (44100,))
    """

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        shape = self.samples.shape
        if len(shape) != 2 or not 1 <= shape[0] <= CHANNELS_MAX or self.samples.dtype != np.float32:
            raise InputError(
                f"sound is an array of shape {shape} and {self.samples.dtype}, wanted float32 of 1 to {CHANNELS_MAX}"
                " channels by samples"
            )
        if not RATES[0] <= self.rate <= RATES[1]:
            raise InputError(f"the sound has {self.rate} samples a second, wanted {RATES[0]} to {RATES[1]}")
        # The sum is finite where all are, and costs a tenth of looking at each.
        if not math.isfinite(float(self.samples.sum(dtype=np.float64))) and not np.isfinite(self.samples).all():
            raise InputError("the sound has samples that are no finite numbers, wanted numbers around -1 to 1")

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return int(self.samples.shape[0])

    @property
    def seconds(self) -> float:
        """How long it is."""
        return int(self.samples.shape[1]) / self.rate

    def mono(self) -> NDArray[np.float32]:
        """Give the mean of the channels; shape=(n,)."""
        one: NDArray[np.float32] = self.samples.mean(axis=0, dtype=np.float32) if self.channels > 1 else self.samples[0]
        return one

    def cut(self, first_s: float, last_s: float) -> "Sound":
        """Give what lies between two times, or as much of it as there is; nothing is copied."""
        first, last = (max(0, round(at * self.rate)) for at in (first_s, last_s))
        return Sound(self.samples[:, first:last], self.rate)
