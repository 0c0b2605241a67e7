"""How does a mark get into sound?

Each tile goes up or down by its strength, in all channels alike, with soft edges in time.  What is added is made apart
and added to the original, so that whatever is not marked stays as it is, to the last bit: silence, what lies below and
above the bands, and a recording at strength 0.

Conventions
-----------
* What is added is linear in the signs of the tiles: the mean of copies is marked by the mean of their signs.
* No sample that was within full scale leaves it; what was beyond is kept, and goes no further.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.audio.spectra import Overlap, blocks, hop_at
from riparian.errors import InputError
from riparian.marks.layout import Layout, Pattern
from riparian.marks.strength import band_bins, frame_rows, tile_strength

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
    """
    rows = layout.chunks(sound.seconds) * 5
    if pattern.chip.shape[0] != rows or bits.shape[0] * 5 != rows:
        raise InputError(
            f"the pattern has {pattern.chip.shape[0]} rows and the word {bits.shape[0]} chunks, wanted {rows} rows"
            f" and {rows // 5} chunks"
        )
    change = _change(sound, layout, pattern.signs(bits), strength)
    return _within_scale(sound, sound.samples + change)


def embed_pair(sound: Sound, pattern: Pattern, layout: Layout, *, strength: float = 1.0) -> tuple[Sound, Sound]:
    """Make the two renditions an edge chooses from: all bits 1, and all bits -1.

    The same as embedding either, at little more than the cost of one.
    """
    word = np.ones((layout.chunks(sound.seconds), layout.groups), dtype=np.int8)
    rising, falling = (_change(sound, layout, pattern.signs(sign * word), strength) for sign in (word, -word))
    return _within_scale(sound, sound.samples + rising), _within_scale(sound, sound.samples + falling)


def _change(sound: Sound, layout: Layout, signs: NDArray[np.int8], strength: float) -> NDArray[np.float32]:
    """Make what is to be added."""
    hop, bins = hop_at(sound.rate), band_bins(sound.rate)
    gains = tile_strength(sound, layout, strength=strength) * signs
    left, share = _between(frame_rows(layout, sound.rate, sound.samples.shape[1]), gains.shape[0])
    widths = np.diff(bins)
    change = np.zeros_like(sound.samples)
    whole = Overlap(change, hop)
    for first, spectra in blocks(sound.samples, hop):
        now = slice(first, first + spectra.shape[1])
        right = np.minimum(left[now] + 1, gains.shape[0] - 1)
        gain = gains[left[now]] * (1 - share[now]) + gains[right] * share[now]
        spectra[..., : bins[0]] = 0
        spectra[..., bins[0] : bins[-1]] *= np.repeat(gain[:, : widths.size], widths, axis=1)
        whole.add(spectra[..., : bins[-1]])
    return change


def _between(at: NDArray[np.float64], rows: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Say between which row and the next each frame lies, and how far over; a raised cosine around the border."""
    left = np.clip(np.floor(at - 0.5), 0, rows - 1)
    over = np.clip((at - 1 - left) / FADE_ROWS + 0.5, 0, 1)
    share: NDArray[np.float32] = (np.sin(np.pi / 2 * over) ** 2).astype(np.float32)[:, None]
    return left.astype(np.intp), share


def _within_scale(sound: Sound, marked: NDArray[np.float32]) -> Sound:
    limit = np.maximum(np.abs(sound.samples), np.float32(1))
    return Sound(np.clip(marked, -limit, limit), sound.rate)
