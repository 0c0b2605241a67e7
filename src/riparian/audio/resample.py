"""How does sound become what prints are made of?

The mean of the channels, at another rate, by cubic interpolation: it is the quickest, and what it folds back into the
sound lies far below where anything stands out.  A file's sound is heard so already where it is decoded
(:mod:`riparian.feeds.hearing`); this is for sound in memory.
"""

import numpy as np
import soxr
from numpy.typing import NDArray

from riparian.audio.pcm import Sound

QUALITY = "QQ"


def mono_at(sound: Sound, rate: int) -> NDArray[np.float32]:
    """Give the mean of the channels at a rate.

    Parameters
    ----------
    sound
        Of any rate and channels.
    rate
        Samples a second.

    Returns
    -------
    samples : np.ndarray [shape=(n,), float32]

    Examples
    --------
    >>> mono_at(Sound(np.zeros((2, 44_100), np.float32), 44_100), 11_025).shape
    (11025,)
    """
    out: NDArray[np.float32] = soxr.resample(sound.mono(), sound.rate, rate, quality=QUALITY)
    return out
