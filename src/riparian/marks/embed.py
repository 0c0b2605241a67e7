"""How does a mark get into sound?

Each tile goes up or down by its strength, in all channels alike, with soft edges in time.  What is added is made apart
and added to the original, so that what is not marked is not touched: silence and a recording at strength 0 to the last
bit, and what lies below and above the bands but for a thousandth of what is added.

Conventions
-----------
* What is added is linear in the signs of the tiles, but where it is held back (:mod:`.onset`, full scale): the mean of
  copies is marked by the mean of their signs.
* No sample that was within full scale leaves it; what was beyond is kept, and goes no further.
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.audio.spectra import Overlap, blocks, hop_at
from riparian.errors import InputError
from riparian.marks.layout import PILOT, ROWS_PER_CHUNK, Layout, Pattern
from riparian.marks.onset import hold_back, surprise
from riparian.marks.strength import band_bins, frame_rows, measure, rows_of, strength_of

FADE_ROWS: Final = 0.25
"""How much of a row's length it takes to go over into the next, besides the half hop on either side of a frame."""


def embed(sound: Sound, pattern: Pattern, layout: Layout, bits: NDArray[np.int8], *, strength: float = 1.0) -> Sound:
    """Mark sound with a word.

    Parameters
    ----------
    sound
        The original.
    pattern, layout
        Which tiles carry which bit.
    bits : np.ndarray [shape=(chunks, groups), int8]
        -1 or 1; as many chunks as the recording begins.
    strength
        1 is below what can be heard; from 0.

    Raises
    ------
    InputError
        When pattern or bits are of a recording of another length.

    Examples
    --------
    >>> from riparian.marks.keys import MarkKey
    >>> from riparian.marks.layout import pattern
    >>> sound = Sound(np.sin(np.arange(44_100) / 7, dtype=np.float32)[None], 44_100)
    >>> layout = Layout.at(44_100, 16)
    >>> tiles = pattern(MarkKey(bytes(32), 1), "r-1", layout, 2)
    >>> marked = embed(sound, tiles, layout, np.ones((2, 16), dtype=np.int8))
    >>> bool(0.001 < np.abs(marked.samples - sound.samples).max() < 0.05)
    True
    """
    _check(sound, layout, pattern.chip.shape[0], bits.shape[0] * ROWS_PER_CHUNK)
    (change,) = _changes(sound, layout, [pattern.signs(bits)], strength)
    return _added_to(sound, change)


def embed_pair(sound: Sound, pattern: Pattern, layout: Layout, *, strength: float = 1.0) -> tuple[Sound, Sound]:
    """Make the two renditions an edge chooses from: all bits 1, and all bits -1.

    The same as embedding either, to within rounding, and cheaper than both.

    Raises
    ------
    InputError
        When the pattern is of a recording of another length.
    """
    _check(sound, layout, pattern.chip.shape[0], pattern.chip.shape[0])
    pilot = pattern.cell == PILOT
    signs = [np.where(pilot, 0, pattern.chip), np.where(pilot, pattern.chip, 0)]
    word, both = _changes(sound, layout, signs, strength)
    return _added_to(sound, both + word), _added_to(sound, np.subtract(both, word, out=both))


def _added_to(sound: Sound, change: NDArray[np.float32]) -> Sound:
    hold_back(sound.samples, change, sound.rate, hop_at(sound.rate))
    return Sound(_added(sound.samples, change), sound.rate)


def _check(sound: Sound, layout: Layout, tile_rows: int, word_rows: int) -> None:
    rows = rows_of(layout, sound.seconds)
    if tile_rows != rows or word_rows != rows:
        raise InputError(
            f"the pattern has {tile_rows} rows and the word {word_rows // ROWS_PER_CHUNK} chunks, wanted {rows} rows"
            f" and {rows // ROWS_PER_CHUNK} chunks"
        )


def _changes(sound: Sound, layout: Layout, signs: list[NDArray[np.int8]], strength: float) -> list[NDArray[np.float32]]:
    """Make what is to be added for each of several patterns of signs, which may hold 0; as long as the sound."""
    hop, bins = hop_at(sound.rate), band_bins(sound.rate)
    tiles = measure(sound, layout)
    most, shown = strength_of(tiles, strength), surprise(tiles.frames)
    left, share = _between(frame_rows(layout, sound.rate, sound.samples.shape[1]), most.shape[0])
    gains = [most * each for each in signs]
    changes = [np.zeros_like(sound.samples) for _ in signs]
    wholes = [Overlap(change, hop) for change in changes]
    for first, spectra in blocks(sound.samples, hop):
        now = slice(first, first + spectra.shape[1])
        for gain, whole in zip(gains, wholes, strict=True):
            whole.add(_scaled(spectra, bins, gain, left[now], share[now], shown[now]))
    return changes


def _between(at: NDArray[np.float64], rows: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Say between which row and the next each frame lies, and how far over; a raised cosine around the border."""
    left = np.clip(np.floor(at - 0.5), 0, rows - 1)
    over = np.clip((at - 1 - left) / FADE_ROWS + 0.5, 0, 1)
    share: NDArray[np.float32] = (np.sin(np.pi / 2 * over) ** 2).astype(np.float32)
    return left.astype(np.intp), share


@numba.njit(cache=True, nogil=True)
def _scaled(
    spectra: NDArray[np.complex64],
    bins: NDArray[np.intp],
    gains: NDArray[np.float32],
    left: NDArray[np.intp],
    share: NDArray[np.float32],
    shown: NDArray[np.float32],
) -> NDArray[np.complex64]:
    """Multiply each band of each frame by what lies between the gains of two rows, and leave out all other bins."""
    out = np.zeros((spectra.shape[0], spectra.shape[1], bins[-1]), dtype=np.complex64)
    for channel in range(spectra.shape[0]):
        for frame in range(spectra.shape[1]):
            row = left[frame]
            after = min(row + 1, gains.shape[0] - 1)
            for band in range(bins.size - 1):
                gain = gains[row, band] + share[frame] * (gains[after, band] - gains[row, band])
                gain *= shown[frame, band]
                if gain != 0:
                    for k in range(bins[band], bins[band + 1]):
                        out[channel, frame, k] = spectra[channel, frame, k] * gain
    return out


@numba.njit(cache=True, nogil=True)
def _added(samples: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add, and stop at full scale, or where the sample was if that is beyond; shape=(channels, n)."""
    out = np.empty_like(samples)
    for channel in range(samples.shape[0]):
        for k in range(samples.shape[1]):
            most = max(abs(samples[channel, k]), np.float32(1))
            out[channel, k] = min(max(samples[channel, k] + change[channel, k], -most), most)
    return out
