"""How far may each tile go up or down without being heard?

Both who embeds and who reads asks here, of the original: the one to change a tile by so much, the other to know how
much was to be heard of it.

Conventions
-----------
* Strengths are in nepers: a tile is multiplied by ``1 + strength`` or ``1 - strength``; .01 is .087 dB.
* Power is of all channels together, so that all of them change alike.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.audio.spectra import BLOCK_FRAMES, blocks, frame_count, hop_at
from riparian.marks.layout import BANDS, ROWS_PER_CHUNK, Layout, edges_hz

NEPER_DB: Final = 20 / np.log(10)
_LOW_DB, _HIGH_DB = 0.12, 0.42
_LOW_HZ, _HIGH_HZ = 500.0, 2_500.0
_SILENT: Final = 1e-9
"""The mean power of a sample, of full scale, below which a tile is left as it is."""


def band_bins(rate: int) -> NDArray[np.intp]:
    """Give the first bin of each band, and where the last ends, of spectra as of :mod:`riparian.audio.spectra`.

    Returns
    -------
    first : np.ndarray [shape=(bands + 1,), intp]
        Only of bands that lie below half the rate as a whole.
    """
    hop = hop_at(rate)
    edges = edges_hz()
    found: NDArray[np.intp] = np.ceil(edges[edges <= rate / 2] * (2 * hop / rate)).astype(np.intp)
    return found


def rows_of(layout: Layout, seconds: float) -> int:
    """Count the rows of tiles of a recording."""
    return layout.chunks(seconds) * ROWS_PER_CHUNK


def frame_rows(layout: Layout, rate: int, n: int) -> NDArray[np.float64]:
    """Say at which row each frame has its middle, 0.5 being the middle of the first row; shape=(frames,)."""
    hop = hop_at(rate)
    hops_a_row = float(layout.row_s) * rate / hop
    return np.arange(frame_count(n, hop), dtype=np.float64) / hops_a_row


def tile_strength(sound: Sound, layout: Layout, *, strength: float = 1.0) -> NDArray[np.float32]:
    """Say how far each tile of an original goes up or down.

    Returns
    -------
    nepers : np.ndarray [shape=(rows, bands), float32]
        0 where there is nothing to mark.
    """
    power = tile_power(sound, layout)
    edges = edges_hz()
    middle = np.sqrt(edges[1:] * edges[:-1])
    rise = np.clip(np.log(middle / _LOW_HZ) / np.log(_HIGH_HZ / _LOW_HZ), 0, 1)
    shape = (_LOW_DB + (_HIGH_DB - _LOW_DB) * rise) / NEPER_DB
    nepers: NDArray[np.float32] = np.where(power > _SILENT, strength * shape, 0).astype(np.float32)
    return nepers


def tile_power(sound: Sound, layout: Layout) -> NDArray[np.float32]:
    """Measure the mean power of each tile of sound; shape=(rows, bands), of full scale."""
    hop, bins = hop_at(sound.rate), band_bins(sound.rate)
    at = frame_rows(layout, sound.rate, sound.samples.shape[1]).astype(np.intp)
    rows = rows_of(layout, sound.seconds)
    power = np.zeros((rows + 1, BANDS))
    for first, spectra in blocks(sound.samples, hop):
        inside = spectra[..., bins[0] : bins[-1]]
        bands = np.add.reduceat((inside.real**2 + inside.imag**2).sum(axis=0), bins[:-1] - bins[0], axis=1)
        np.add.at(power, np.minimum(at[first : first + BLOCK_FRAMES], rows), _wide(bands))
    count = np.maximum(np.bincount(np.minimum(at, rows), minlength=rows + 1), 1)
    # A frame's squared window sums to one hop, and each bin stands for itself and its mirror.
    mean: NDArray[np.float32] = (power / count[:, None])[:rows].astype(np.float32)
    return mean * np.float32(1 / (hop * hop * sound.channels))


def _wide(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(bands, ((0, 0), (0, BANDS - bands.shape[1])))
