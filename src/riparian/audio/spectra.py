"""What frequencies does sound hold, when?

Conventions
-----------
* Frames are two hops long, windowed by a half sine, and one hop apart; frame ``m`` has its middle at sample
  ``m * hop``.  The first has its middle on the first sample, the last on or after the end; beyond both is silence.
* Windowed by the same half sine again and added up, frames give the sound back: the squares of the two sum to one.
* A spectrum has ``hop + 1`` bins, ``rate / (2 * hop)`` Hz apart; complex64.
* Sound is taken in blocks of frames, so that the length of a recording costs time, not memory.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

HOP_S: Final = 1024 / 44_100
"""About how far apart frames are, in seconds, at any rate."""
BLOCK_FRAMES: Final = 256


def hop_at(rate: int) -> int:
    """Choose the hop for sound of this rate: two to some power, or one and a half times that.

    Examples
    --------
    >>> [hop_at(rate) for rate in (8_000, 44_100, 48_000, 192_000)]
    [192, 1024, 1024, 4096]
    """
    wanted = rate * HOP_S
    return int(min((2**power * odd for power in range(5, 14) for odd in (2, 3)), key=lambda hop: abs(hop / wanted - 1)))


def frame_count(n: int, hop: int) -> int:
    """Count the frames of so many samples.

    Examples
    --------
    >>> frame_count(0, 1024), frame_count(1, 1024), frame_count(1024, 1024)
    (0, 2, 2)
    """
    return -(-n // hop) + 1 if n else 0


def half_sine(hop: int) -> NDArray[np.float32]:
    """Give the window; shape=(2 * hop,)."""
    window: NDArray[np.float32] = np.sin(np.pi / (2 * hop) * (np.arange(2 * hop) + 0.5)).astype(np.float32)
    return window


def hann(hop: int) -> NDArray[np.float32]:
    """Give a window that hears less of other frequencies, for spectra that are only looked at; shape=(2 * hop,)."""
    return np.square(half_sine(hop))


def blocks(
    samples: NDArray[np.float32], hop: int, window: NDArray[np.float32] | None = None
) -> Iterator[tuple[int, NDArray[np.complex64]]]:
    """Take sound apart, block by block.

    Parameters
    ----------
    samples : np.ndarray [shape=(channels, n), float32]
    hop
        Samples.
    window : np.ndarray [shape=(2 * hop,), float32]
        The half sine, unless something else is given.

    Yields
    ------
    first
        The number of the block's first frame.
    spectra : np.ndarray [shape=(channels, frames, hop + 1), complex64]

    Examples
    --------
    >>> sound = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    >>> back = np.zeros_like(sound)
    >>> whole = Overlap(back, 1024)
    >>> for first, spectra in blocks(sound, 1024):
    ...     whole.add(spectra)
    >>> bool(np.allclose(back, sound, atol=1e-5))
    True
    """
    channels, n = samples.shape
    window = half_sine(hop) if window is None else window
    for first in range(0, frame_count(n, hop), BLOCK_FRAMES):
        count = min(BLOCK_FRAMES, frame_count(n, hop) - first)
        slots = np.zeros((channels, count + 1, hop), dtype=np.float32)
        start, stop = (first - 1) * hop, (first + count) * hop
        flat = slots.reshape(channels, -1)
        flat[:, max(0, -start) : min(n, stop) - start] = samples[:, max(0, start) : min(n, stop)]
        frames = np.empty((channels, count, 2 * hop), dtype=np.float32)
        np.multiply(slots[:, :-1], window[:hop], out=frames[..., :hop])
        np.multiply(slots[:, 1:], window[hop:], out=frames[..., hop:])
        yield first, fft.rfft(frames, overwrite_x=True)


class Overlap:
    """Puts spectra together to sound again, block by block, adding to what is there.

    Parameters
    ----------
    into : np.ndarray [shape=(channels, n), float32]
    hop
        Samples.
    """

    def __init__(self, into: NDArray[np.float32], hop: int) -> None:
        self._into, self._hop = into, hop
        self._window = half_sine(hop)
        self._tail: NDArray[np.float32] | None = None
        self._next = 0

    def add(self, spectra: NDArray[np.complex64]) -> None:
        """Add the next frames; shape=(channels, frames, bins), where bins that are left out above are silent."""
        channels, count, _ = spectra.shape
        frames = fft.irfft(spectra, 2 * self._hop, overwrite_x=True)
        frames *= self._window
        slots = frames[..., : self._hop]
        slots[:, 1:] += frames[:, :-1, self._hop :]
        if self._tail is not None:
            slots[:, 0] += self._tail
        self._tail = frames[:, -1, self._hop :].copy()
        # A frame gives the hop before its middle; what the first has there lies before the sound.
        start, n = (self._next - 1) * self._hop, self._into.shape[1]
        self._next += count
        flat = np.ascontiguousarray(slots).reshape(channels, -1)
        self._into[:, max(0, start) : start + flat.shape[1]] += flat[:, max(0, -start) : max(0, n - start)]
